// The benchmarks' programs are built again when a library that they use has come or gone, and not
// when nothing has changed.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { has, root } from '../../scripts/processes.mjs';

/** Builds nothing, but writes down that it was asked to. */
const CMAKE = `#!/bin/sh
test "$1" = --build || exit 0
echo built >> builds
mkdir -p build-bench/bench
touch build-bench/bench/program`;

/** Knows the libraries that the folder lib/ has. */
const PKG_CONFIG = `#!/bin/sh
case "$1" in
  --exists) test -f "lib/\${2%% *}.a" ;;
  *) echo "$PWD/lib" ;;
esac`;

t.test('what a library makes of the programs is not taken for fresh', async (t) => {
  const folder = t.testdir({
    bin: { cmake: CMAKE, 'pkg-config': PKG_CONFIG },
    bench: { native: { 'program.cpp': '' } },
    lib: {},
    builds: '',
  });
  for (const program of ['cmake', 'pkg-config']) chmodSync(join(folder, 'bin', program), 0o755);
  cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true });
  const env = { ...process.env, PATH: `${join(folder, 'bin')}:${process.env.PATH}` };
  const builds = () => {
    const options = { cwd: folder, env, encoding: 'utf8' };
    const { status, stderr } = spawnSync(process.execPath, ['scripts/build.mjs', 'bench'], options);
    t.equal(status, 0, stderr);
    return readFileSync(join(folder, 'builds'), 'utf8').length / 'built\n'.length;
  };
  const [liburing, openssl] = ['liburing.a', 'openssl.a'].map((name) => join(folder, 'lib', name));
  t.equal(builds(), 1, 'there was nothing');
  t.equal(builds(), 1, 'nothing has changed');
  writeFileSync(liburing, '');
  t.equal(builds(), 2, 'liburing has come');
  t.equal(builds(), 2, 'nothing has changed');
  writeFileSync(openssl, '');
  t.equal(builds(), 3, 'OpenSSL has come');
  rmSync(liburing);
  t.equal(builds(), 4, 'liburing has gone');
  t.equal(builds(), 4, 'nothing has changed');
});

const missing = ['cmake', 'pkg-config'].find((program) => !has(program));
t.test('cmake forgets where liburing was', { skip: missing && `no ${missing}` }, async (t) => {
  const folder = t.testdir({ build: {}, lib: { 'liburing.a': '' }, known: {} });
  const description = join(folder, 'known', 'liburing.pc');
  const env = { ...process.env, PKG_CONFIG_LIBDIR: join(folder, 'known'), PKG_CONFIG_PATH: '' };
  const engines = () => {
    const args = ['-S', root, '-B', join(folder, 'build'), '-DSOREF_CORE=OFF'];
    const { stdout } = spawnSync('cmake', args, { env, encoding: 'utf8' });
    return /io_uring: (.*)/.exec(stdout)?.[1];
  };
  t.match(engines(), /^left out/);
  const fields = ['Name: liburing', 'Description: a test', 'Version: 2.9'];
  writeFileSync(description, [`libdir=${folder}/lib`, ...fields, ''].join('\n'));
  t.equal(engines(), `liburing 2.9 (${folder}/lib/liburing.a)`);
  rmSync(description);
  t.match(engines(), /^left out/);
});
