// The programs that are compared, and how each is started.
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

const program = { server: join(root, 'bench/server.mjs'), client: join(root, 'bench/client.mjs') };
const NODE_FLAGS = ['--expose-gc']; // the row of memory collects before it looks
/** The Node that runs the comparison. */
const OURS = { binary: process.execPath, line: '' };
const register = pathToFileURL(join(root, 'dist/register/index.js')).href;

/** Node as it is. @returns {Contender} */
function node({ module = 'node:net', role = 'server', floors }, { binary, line } = OURS) {
  return {
    name: module + line,
    command: [binary, ...NODE_FLAGS, program[role], '--module', module],
    env: {},
    floor: floors ? 'floor epoll' : null,
    optional: binary !== OURS.binary,
  };
}

/** soref instead of net, or under another module of Node's. @returns {Contender} */
function soref(engine, { module = 'node:net', role = 'server', floors }, { binary, line } = OURS) {
  const carried = ['--import', register, program[role], '--module', module, '--carrier', 'soref'];
  const itself = [program[role], '--module', 'soref'];
  return {
    name: `soref ${engine}${line}`,
    command: [binary, ...NODE_FLAGS, ...(module === 'node:net' ? itself : carried)],
    env: { SOREF_ENGINE: engine },
    floor: floors ? `floor ${engine}` : null,
    optional: binary !== OURS.binary,
  };
}

/** The same on another Node, for instance `{ binary: '/opt/node', line: '22' }`. */
export function nodeContenders(row, { binary, line }) {
  const other = { binary, line: ` on Node ${line}` };
  return [node(row, other), ...ENGINES.map((engine) => soref(engine, row, other))];
}

/** The bare program of an engine, the limit. @returns {Contender} */
function floor(engine, { floors }) {
  return {
    name: `floor ${engine}`,
    command: [join(programs, floors[engine])],
    env: {},
    floor: null,
    optional: engine === 'io_uring',
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

/** What serves where a row says nothing else. */
const PLAIN = { floors: { io_uring: 'floor_uring', epoll: 'floor_epoll' } };

/**
 * All contenders of a row, or those of one engine, or those whose names are listed.
 * @param {{ row?: Partial<import('./rows.mjs').Row>, engine?: string | undefined,
 *   only?: string[] | undefined, peers?: Contender[] }} choice
 */
export function chooseContenders({ row = PLAIN, engine, only, peers = [] }) {
  const measured = node(row);
  const sorefs = new Map(ENGINES.map((name) => [name, soref(name, row)]));
  const floors = row.floors ? ENGINES.map((name) => floor(name, row)) : [];
  const known = [measured, ...sorefs.values(), ...floors, ...peers];
  const unknown = only?.find((name) => !known.some((contender) => contender.name === name));
  if (unknown !== undefined) {
    throw new Error(
      `no contender ${unknown}; there are ${known.map(({ name }) => name).join(', ')}`,
    );
  }
  if (engine && !ENGINES.includes(engine)) throw new Error(`--engine: ${ENGINES.join(' or ')}`);
  const wanted = ({ name }) =>
    only ? only.includes(name) : !engine || name === measured.name || name.endsWith(` ${engine}`);
  const asked = ENGINES.filter((name) => wanted(sorefs.get(name)));
  const available = engines(asked);
  const missing = asked.find((name) => !available.includes(name));
  // Without a choice, the reason that was printed is enough; what was asked for must be there.
  if ((engine || only) && missing) throw new Error(`soref has no engine ${missing} here`);
  const absent = ENGINES.filter((name) => !available.includes(name)).map((name) =>
    sorefs.get(name),
  );
  return known.filter((contender) => wanted(contender) && !absent.includes(contender));
}
