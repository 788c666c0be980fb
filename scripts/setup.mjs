// Brings a machine with Node, npm, g++, make and python3 to where soref can be built: npm packages,
// and, where that is possible, liburing and cmake from the distribution. Does nothing when nothing is
// to be done. What cannot be installed is gone without, and said so.
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasOpenssl } from './native-makefile.mjs';
import { includeFolders } from './node-headers.mjs';
import { has, main, output, root, run, step } from './processes.mjs';

const DAY = 24 * 60 * 60 * 1000; // milliseconds
const APT_TIMEOUT = 240_000; // milliseconds

function checkNode() {
  const major = Number(process.versions.node.split('.')[0]);
  if (major < 20) throw new Error(`Node 20 or newer is needed; this is ${process.version}`);
  if (process.platform !== 'linux') {
    throw new Error(`soref runs on Linux; this is ${process.platform}`);
  }
  for (const program of ['g++', 'make']) {
    if (!has(program)) throw new Error(`${program} is needed to build soref, and is not installed`);
  }
}

/** The Debian packages that would make the build better, of those this machine lacks. */
function wantedPackages() {
  const wanted = [];
  if (!has('cmake')) wanted.push('cmake');
  if (!has('pkg-config')) wanted.push('pkg-config');
  if (output('pkg-config', ['--exists', 'liburing >= 2.3']) === undefined) {
    wanted.push('liburing-dev');
  }
  // The load generator of the benchmarks speaks TLS with it.
  if (!hasOpenssl()) wanted.push('libssl-dev');
  // Some distributions' Node comes without headers; an npm package has all of them but uv.h.
  if (!includeFolders()) wanted.push('libuv1-dev');
  return wanted;
}

function installPackages() {
  const wanted = wantedPackages();
  if (wanted.length === 0) return;
  const without = `goes on without ${wanted.join(', ')}`;
  if (process.getuid() !== 0 || !has('apt-get')) {
    step(`Set-up ${without} (apt-get install ${wanted.join(' ')} as root would add it)`);
    return;
  }
  // A distribution that cannot give a package is asked again only after a day.
  const tried = join(root, 'build-stamps', 'apt-tried');
  if (existsSync(tried) && Date.now() - statSync(tried).mtimeMs < DAY) return;
  step(`Installing ${wanted.join(', ')} with apt-get`);
  const options = {
    quiet: true,
    timeout: APT_TIMEOUT,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  };
  const install = ['install', '-y', '--no-install-recommends', ...wanted];
  try {
    // The lists of a fresh container are empty or old.
    run('apt-get', ['update'], options);
    run('apt-get', install, options);
  } catch (error) {
    step(`Set-up ${without}: ${error.message}`);
  }
  mkdirSync(join(root, 'build-stamps'), { recursive: true });
  writeFileSync(tried, '');
}

function installNpmPackages() {
  // npm writes this file last, so an interrupted installation counts as none.
  const installed = join(root, 'node_modules', '.package-lock.json');
  const locked = join(root, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(locked).mtimeMs) return;
  step('Installing the npm packages that the build and the tests need');
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
}

/** Sets up everything; safe and quick to call again. */
export function setup() {
  checkNode();
  installNpmPackages();
  installPackages();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(setup);
