// Programs that are typed against net compile against soref (test/types/), as CommonJS and as ESM.
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { root } from './programs';

const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

function compile(project: string): string {
  const { stdout, stderr } = spawnSync(process.execPath, [compiler, '-p', project], {
    cwd: root,
    encoding: 'utf8',
  });
  return stdout + stderr;
}

t.test('CommonJS', async (t) => {
  t.equal(compile(join(root, 'test', 'types')), '');
});

t.test('ESM', async (t) => {
  const folder = t.testdir();
  cpSync(join(root, 'test', 'types'), folder, { recursive: true });
  for (const name of readdirSync(folder).filter((name) => name.endsWith('.ts'))) {
    renameSync(join(folder, name), join(folder, name.replace('.ts', '.mts')));
  }
  const settings = { extends: join(root, 'test', 'types', 'tsconfig.json'), include: ['*.mts'] };
  const compilerOptions = { rootDir: '.', typeRoots: [join(root, 'node_modules', '@types')] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ ...settings, compilerOptions }));
  t.equal(compile(folder), '');
});

t.test('a mistake is found', async (t) => {
  const folder = t.testdir({
    'wrong.ts': `import { createServer } from 'soref';\ncreateServer('options');\n`,
    'tsconfig.json': JSON.stringify({
      extends: join(root, 'test', 'types', 'tsconfig.json'),
      include: ['*.ts'],
      compilerOptions: { rootDir: '.', typeRoots: [join(root, 'node_modules', '@types')] },
    }),
  });
  t.match(compile(folder), /wrong\.ts/);
});
