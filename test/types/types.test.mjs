// Programs that are typed against net compile unchanged against soref, as CommonJS and as ES modules, with the types
// of every Node line; and soref's additions are typed. Declarations are checked too, as a program without
// skipLibCheck does.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { root } from '../../scripts/processes.mjs';

const compiler = join(root, 'node_modules/typescript/bin/tsc');
const programs = join(root, 'test/types/programs');

/** The packages that have the types of a Node line, and whether these know the newest net. */
const LINES = [
  { line: 20, types: '@types/node', newest: false },
  { line: 22, types: 'types-node-22', newest: false },
  { line: 24, types: 'types-node-24', newest: true },
  { line: 26, types: 'types-node-26', newest: true },
];

/** A folder with these files, where the installed packages are this one and the types of one Node line. */
function project(t, files, types) {
  const folder = mkdtempSync(join(tmpdir(), 'types-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const soref = join(folder, 'node_modules/soref');
  cpSync(join(root, 'dist'), join(soref, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(soref, 'package.json'));
  mkdirSync(join(folder, 'node_modules/@types'));
  symlinkSync(join(root, 'node_modules', types), join(folder, 'node_modules/@types/node'));
  return folder;
}

/** What tsc says of a project. */
function compile(folder) {
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2023'],
    module: 'node20',
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    esModuleInterop: true,
  };
  const settings = { compilerOptions, include: ['*'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  const args = [compiler, '-p', '.', '--pretty', 'false'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });
  return stdout + stderr;
}

/** The program in all its forms. CommonJS has no await outside of functions. */
function formsOf(name) {
  const text = readFileSync(join(programs, name), 'utf8');
  const onSoref = text.replaceAll("'node:net'", "'soref'");
  const stem = name.replace('.ts', '');
  const forms = { [`${stem}-net.mts`]: text, [`${stem}-soref.mts`]: onSoref };
  if (!/^(const .*= )?await /m.test(text)) {
    forms[`${stem}-soref.cts`] = onSoref;
    const required = /^import net\b.*?from 'soref';$/ms;
    forms[`${stem}-required.cts`] = onSoref.replace(required, (clause) => {
      const names = clause.match(/\{(.*)\}/s)?.[1] ?? '';
      return `import net = require('soref');\nimport {${names}} from 'soref';`;
    });
  }
  return forms;
}

for (const { line, types, newest } of LINES) {
  t.test(`with the types of Node ${line}`, async (t) => {
    const names = readdirSync(programs).filter((name) => newest || name !== 'newest.ts');
    const files = Object.assign({}, ...names.map(formsOf));
    for (const ending of ['mts', 'cts']) {
      files[`additions.${ending}`] = readFileSync(join(root, 'test/types/additions.ts'), 'utf8');
    }
    t.equal(compile(project(t, files, types)), '');
  });
}

t.test('a mistake is found', async (t) => {
  const wrong = `import { createServer } from 'soref';\ncreateServer('options');\n`;
  t.match(compile(project(t, { 'wrong.mts': wrong }, '@types/node')), /^wrong\.mts\(2,/);
});
