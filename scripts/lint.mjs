// Checks the style of every file: Biome for TypeScript and scripts, clang-format and clang-tidy for
// C++. `--fix` rewrites what can be rewritten (npm run format). A tool that is not installed is left
// out, visibly; with SOREF_LINT_ALL=1, as CI sets it, that is a failure. Last line: `N passed, N failed`.
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { build } from './build.mjs';
import { filesBelow } from './freshness.mjs';
import { has, main, root, run, step } from './processes.mjs';
import { setup } from './setup.mjs';

const NATIVE = ['src-native', 'test', 'bench'];

function nativeFiles(ending) {
  return filesBelow(NATIVE).filter((file) => ending.test(file));
}

function biome(fix) {
  const command = fix ? ['check', '--write'] : ['ci'];
  const plain = process.stdout.isTTY ? [] : ['--colors=off'];
  const biomeScript = join(root, 'node_modules/@biomejs/biome/bin/biome');
  run(process.execPath, [
    biomeScript,
    ...command,
    '--error-on-warnings',
    '--max-diagnostics=200',
    ...plain,
    '.',
  ]);
}

function clangFormat(fix) {
  run('clang-format', [...(fix ? ['-i'] : ['--dry-run', '-Werror']), ...nativeFiles(/\.(h|cpp)$/)]);
}

/** The database of each build; a file is checked with the flags that it is compiled with. */
async function clangTidy() {
  await build(['native', 'tests', 'bench', 'micro']);
  const databases = [
    { folder: 'build', files: filesBelow(['src-native']) },
    { folder: 'build-tests', files: filesBelow(['test/native', 'test/faults']) },
    { folder: 'build-bench', files: filesBelow(['bench/native']) },
    { folder: 'build-micro', files: filesBelow(['bench/micro']) },
  ];
  for (const { folder, files } of databases) {
    const sources = files.filter((file) => file.endsWith('.cpp'));
    if (sources.length === 0) continue;
    // Through xargs, for clang-tidy itself uses one processor.
    const jobs = ['-P', String(availableParallelism()), '-n', '1'];
    const tidy = ['clang-tidy', '--quiet', '-p', folder];
    run('xargs', ['-0', ...jobs, ...tidy], {
      input: `${sources.join('\0')}\0`,
      stdio: ['pipe', 'inherit', 'inherit'],
    });
  }
}

await main(async (args) => {
  const fix = args.includes('--fix');
  setup();
  const checks = [
    { name: 'Biome', body: () => biome(fix) },
    { name: 'clang-format', needs: 'clang-format', body: () => clangFormat(fix) },
  ];
  // It finds mistakes, which a rewriting would only hide.
  if (!fix) checks.push({ name: 'clang-tidy', needs: 'clang-tidy', body: clangTidy });
  let passed = 0;
  let failed = 0;
  for (const { name, needs, body } of checks) {
    step(name);
    try {
      if (needs && !has(needs)) {
        if (process.env.SOREF_LINT_ALL === '1') throw new Error(`${needs} is not installed`);
        console.log(`left out: ${needs} is not installed`);
        continue;
      }
      await body();
      passed++;
    } catch (error) {
      console.error(`${name}: ${error.message}`);
      failed++;
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
});
