// Other runtimes that are compared on request: `--peers`. Each is one binary, which a package of npm
// carries; they are installed into .cache/peers, for the project itself needs none of them.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, run, step } from '../scripts/processes.mjs';
import { nodeContenders } from './contenders.mjs';

const folder = join(root, '.cache/peers');
const NODE_LINES = ['22', '24', '26'];

/** By name in the folder: the package, its version, and the binary in it. */
function packages() {
  const arm = process.arch === 'arm64';
  const node = `node-linux-${process.arch}`;
  const lines = NODE_LINES.map((line) => [
    `node-${line}`,
    { spec: `${node}@${line}`, binary: 'bin/node' },
  ]);
  return new Map([
    ['bun', { spec: `@oven/bun-linux-${arm ? 'aarch64' : 'x64'}@1.4.4`, binary: 'bin/bun' }],
    ['deno', { spec: `@deno/linux-${process.arch}-glibc@2.9`, binary: 'deno' }],
    ...lines,
  ]);
}

const binaryOf = (name, { binary }) => join(folder, 'node_modules', name, binary);

/** Installs what is not there; what cannot be had is left out, and said so. */
function install(wanted) {
  const missing = [...wanted].filter(([name, one]) => !existsSync(binaryOf(name, one)));
  if (missing.length === 0) return;
  step(`Installing ${missing.map(([, { spec }]) => spec).join(', ')} to .cache/peers`);
  mkdirSync(folder, { recursive: true });
  const manifest = join(folder, 'package.json');
  if (!existsSync(manifest)) writeFileSync(manifest, '{ "private": true }\n');
  const flags = ['--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', '--silent'];
  for (const [name, { spec }] of missing) {
    try {
      run('npm', ['install', ...flags, `${name}@npm:${spec}`], { quiet: true, timeout: 300_000 });
    } catch (error) {
      console.log(`${name} is left out: ${error.message}`);
    }
  }
}

const peer = (name, command) => ({ name, command, env: {}, floor: null, optional: true });

/** What Bun and Deno offer: their node:net, and Bun's own API where it has the mode. */
function otherRuntimes(row, binaries) {
  const program = join(root, 'bench/server.mjs');
  const bun = binaries.get('bun');
  const deno = binaries.get('deno');
  const found = [];
  if (bun && BUN_LISTEN_MODES.includes(row.mode)) {
    found.push(peer('Bun.listen', [bun, join(root, 'bench/bun-listen.mjs')]));
  }
  if (bun) found.push(peer('Bun node:net', [bun, program]));
  if (deno) found.push(peer('Deno node:net', [deno, 'run', '--allow-all', program]));
  return found;
}

const BUN_LISTEN_MODES = ['accept-close', 'request-response', 'echo', 'hold'];

/**
 * The peers of a row; none for the rows of other modules and of clients.
 * @param {import('./rows.mjs').Row} row
 * @returns {import('./contenders.mjs').Contender[]}
 */
export function choosePeers(row) {
  if (row.module !== undefined || row.role === 'client') return [];
  const known = packages();
  install(known);
  const binaries = new Map(
    [...known]
      .map(([name, one]) => [name, binaryOf(name, one)])
      .filter(([, binary]) => existsSync(binary)),
  );
  const lines = NODE_LINES.filter((line) => binaries.has(`node-${line}`));
  return [
    ...otherRuntimes(row, binaries),
    ...lines.flatMap((line) => nodeContenders(row, { binary: binaries.get(`node-${line}`), line })),
  ];
}
