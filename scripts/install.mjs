// The install script of the packed soref. Where the tarball has no binary that this machine can load
// and a compiler is there, it builds one with the node-gyp that comes with npm. It never fails an
// installation: without a binary soref serves node:net, and says so when it is loaded.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodePrefix } from './node-headers.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const binary = join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'soref.node');
const BUILD_TIMEOUT = 600_000; // milliseconds

/** The node-gyp that npm brings along; other package managers name theirs in the same variable. */
function nodeGyp() {
  const beside = join(dirname(process.execPath), '../lib/node_modules/npm');
  const candidates = [
    process.env.npm_config_node_gyp,
    join(beside, 'node_modules/node-gyp/bin/node-gyp.js'),
  ];
  return candidates.find((path) => path && existsSync(path));
}

function works(command, args, options) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'ignore', ...options });
  return status === 0;
}

function buildFromSource() {
  const gyp = nodeGyp();
  if (!gyp || !works('g++', ['--version']) || !works('make', ['--version'])) return;
  const prefix = nodePrefix();
  const where = prefix ? [`--nodedir=${prefix}`] : [];
  const options = { stdio: ['ignore', 'inherit', 'inherit'], timeout: BUILD_TIMEOUT };
  if (!works(process.execPath, [gyp, 'rebuild', ...where], options)) return;
  mkdirSync(dirname(binary), { recursive: true });
  copyFileSync(join(root, 'build/Release/soref.node'), binary);
}

/** Whether the binary is there and loads: one for another C library does not. */
function loads() {
  return existsSync(binary) && works(process.execPath, ['-e', 'require(process.argv[1])', binary]);
}

// A checkout has lib/, and is built by `npm run build`.
const packed = !existsSync(join(root, 'lib'));
if (packed && !loads()) {
  try {
    buildFromSource();
  } catch (error) {
    console.error(`soref: ${error.message}`);
  }
  if (!loads()) console.error('soref: no native binary for this machine; it will serve node:net');
}
