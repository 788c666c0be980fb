// The servers that are compared, and how each is started.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { availableEngines } from '../scripts/engines.mjs';
import { root } from '../scripts/processes.mjs';

/** Where `npm run build:bench` puts the native programs. */
export const programs = join(root, 'build-bench/bench');

/** soref's engines, fastest first. */
const ENGINES = ['io_uring', 'epoll'];

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {string[]} command      without the mode
 * @property {Record<string, string>} env
 * @property {string | null} floor   the name of the bare server it is compared with
 * @property {boolean} optional      left out, visibly, where the host has not what it needs
 */

const serverProgram = join(root, 'bench/server.mjs');
const nodeServer = (module) => [process.execPath, serverProgram, '--module', module];

/** A server of another module of Node's, which soref carries. */
const registeredServer = (module) => [
  process.execPath,
  ...['--import', pathToFileURL(join(root, 'dist/register/index.js')).href],
  ...[serverProgram, '--module', module, '--carrier', 'soref'],
];

/** Node as it is. @returns {Contender} */
function node(module) {
  return {
    name: module,
    command: nodeServer(module),
    env: {},
    floor: module === 'node:net' ? 'floor epoll' : null,
    optional: false,
  };
}

/** @type {Contender[]} */
const floors = [
  {
    name: 'floor io_uring',
    command: [join(programs, 'floor_uring')],
    env: {},
    floor: null,
    optional: true,
  },
  {
    name: 'floor epoll',
    command: [join(programs, 'floor_epoll')],
    env: {},
    floor: null,
    optional: false,
  },
];

/** @returns {Contender} */
function soref(engine, module) {
  const isNet = module === 'node:net';
  return {
    name: `soref ${engine}`,
    command: isNet ? nodeServer('soref') : registeredServer(module),
    env: { SOREF_ENGINE: engine },
    floor: isNet ? `floor ${engine}` : null,
    optional: false,
  };
}

/** Those of the wanted engines that soref has here; one that should be there and is not is an error. */
function engines(wanted) {
  if (wanted.length === 0) return [];
  const failures = [];
  const available = availableEngines(failures);
  const missing = failures.filter(({ file: engine }) => wanted.includes(engine));
  if (missing.length > 0) {
    throw new Error(
      missing.map(({ file: engine, failures }) => `${engine}: ${failures}`).join('; '),
    );
  }
  return wanted.filter((engine) => available.includes(engine));
}

/**
 * All contenders, or those of one engine, or those whose names are listed.
 * @param {{ engine?: string | undefined, only?: string[] | undefined, module?: string | undefined }} choice
 */
export function chooseContenders({ engine, only, module = 'node:net' }) {
  const wanted = ({ name }) =>
    only ? only.includes(name) : !engine || name === module || name.endsWith(` ${engine}`);
  const sorefOn = (name) => soref(name, module);
  const bare = module === 'node:net' ? floors : [];
  const known = [node(module), ...ENGINES.map(sorefOn), ...bare];
  const unknown = only?.find((name) => !known.some((contender) => contender.name === name));
  if (unknown !== undefined) {
    throw new Error(
      `no contender ${unknown}; there are ${known.map(({ name }) => name).join(', ')}`,
    );
  }
  if (engine && !ENGINES.includes(engine)) throw new Error(`--engine: ${ENGINES.join(' or ')}`);
  const asked = ENGINES.filter((name) => wanted(sorefOn(name)));
  const available = engines(asked);
  const missing = asked.find((name) => !available.includes(name));
  // Without a choice, the reason that was printed is enough; what was asked for must be there.
  if ((engine || only) && missing) throw new Error(`soref has no engine ${missing} here`);
  return [node(module), ...available.map(sorefOn), ...bare].filter(wanted);
}
