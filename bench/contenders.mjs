// The servers that are compared, and how each is started.
import { join } from 'node:path';
import { availableEngines } from '../scripts/engines.mjs';
import { root } from '../scripts/processes.mjs';

/** Where `npm run build:bench` puts the native programs. */
export const programs = join(root, 'build-bench/bench');

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {string[]} command      without the mode
 * @property {Record<string, string>} env
 * @property {string | null} floor   the name of the bare server it is compared with
 * @property {boolean} optional      left out, visibly, where the host has not what it needs
 */

const nodeServer = (module) => [
  process.execPath,
  join(root, 'bench/server.mjs'),
  '--module',
  module,
];

/** @type {Contender} */
const nodeNet = {
  name: 'node:net',
  command: nodeServer('node:net'),
  env: {},
  floor: 'floor epoll',
  optional: false,
};

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
function soref(engine) {
  return {
    name: `soref ${engine}`,
    command: nodeServer('soref'),
    env: { SOREF_ENGINE: engine },
    floor: `floor ${engine}`,
    optional: false,
  };
}

/** The engines that soref has here; one that should be there and is not is an error. */
function engines() {
  const failures = [];
  const names = availableEngines(failures);
  if (failures.length > 0) {
    throw new Error(failures.map(({ file, failures }) => `${file}: ${failures}`).join('\n'));
  }
  return names;
}

/**
 * All contenders, or those of one engine, or those whose names are listed.
 * @param {{ engine?: string | undefined, only?: string[] | undefined }} choice
 */
export function chooseContenders({ engine, only }) {
  const wanted = ({ name }) =>
    only ? only.includes(name) : !engine || name === 'node:net' || name.endsWith(` ${engine}`);
  const asked = ['io_uring', 'epoll'].map(soref).some(wanted);
  const known = [nodeNet, ...['io_uring', 'epoll'].map(soref), ...floors];
  const unknown = only?.find((name) => !known.some((contender) => contender.name === name));
  if (unknown !== undefined) {
    throw new Error(
      `no contender ${unknown}; there are ${known.map(({ name }) => name).join(', ')}`,
    );
  }
  const available = asked ? engines() : [];
  if (engine && !available.includes(engine)) throw new Error(`soref has no engine ${engine} here`);
  return [nodeNet, ...available.map(soref), ...floors].filter(wanted);
}
