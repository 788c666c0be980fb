/** The doctor's findings for people to read. */
import type { Diagnosis } from './diagnosis';
import type { Limit } from './machine';

const LABEL_WIDTH = 10; // columns
const MEBIBYTE = 1024 * 1024;

function headline({ version, works, engine }: Diagnosis): string {
  if (works) return `soref ${version} carries sockets, on ${engine.chosen}.`;
  if (engine.chosen === null) return `soref ${version} does not start here.`;
  return `soref ${version} has no core here; node:net carries sockets.`;
}

function machine({ machine: { kernel, architecture, glibc, seccomp } }: Diagnosis): string {
  const library = glibc === null ? 'no glibc' : `glibc ${glibc}`;
  const filter = seccomp === 'none' ? 'no seccomp' : `seccomp ${seccomp ?? 'unknown'}`;
  return `Linux ${kernel}, ${architecture}, ${library}, ${filter}`;
}

function binary({ binary: { path, liburing, reason } }: Diagnosis): string {
  return path === null ? `none: ${reason}` : `${path}, with${liburing ? '' : 'out'} liburing`;
}

function engine({ engine: { chosen, requested, reason } }: Diagnosis): string {
  const why = reason === '' ? '' : `: ${reason}`;
  return `${chosen ?? 'none'}, of SOREF_ENGINE=${requested}${why}`;
}

function ioUring({ ioUring: { usable, mode, errno, reason }, machine }: Diagnosis): string {
  const { ioUringDisabled } = machine;
  const sysctl = ioUringDisabled === null ? '' : `; kernel.io_uring_disabled=${ioUringDisabled}`;
  if (usable) return `works (${mode} ring)${sysctl}`;
  return `does not work${errno === null ? '' : ` (${errno})`}: ${reason}${sysctl}`;
}

function count(limit: Limit | null, unit: string, scale = 1): string {
  if (limit === null) return `unknown ${unit}`;
  if (limit.soft === Number.POSITIVE_INFINITY) return `unlimited ${unit}`;
  return `${limit.soft / scale} ${unit}`;
}

function limits({ machine: { limits } }: Diagnosis): string {
  const { descriptors, lockedMemory, backlog } = limits;
  const memory = count(lockedMemory, 'MiB of locked memory', MEBIBYTE).replace(
    'unlimited MiB',
    'unlimited',
  );
  return `${count(descriptors, 'descriptors')}, ${memory}, a backlog of at most ${backlog ?? '?'}`;
}

function register({ register: { active, replaces } }: Diagnosis): string {
  return active ? `replaces ${replaces.join(', ')}` : 'changes nothing';
}

export function describe(diagnosis: Diagnosis): string {
  const { node } = diagnosis;
  const rows = {
    machine: machine(diagnosis),
    node: `${node.version}, Node-API ${node.nodeApi}${node.supported ? '' : ', too old'}`,
    binary: binary(diagnosis),
    engine: engine(diagnosis),
    io_uring: ioUring(diagnosis),
    limits: limits(diagnosis),
    register: register(diagnosis),
  };
  const lines = Object.entries(rows).map(([label, text]) => `${label.padEnd(LABEL_WIDTH)}${text}`);
  const advice = diagnosis.advice.map((sentence) => `- ${sentence}`);
  return [headline(diagnosis), '', ...lines, ...(advice.length > 0 ? ['', ...advice] : [])].join(
    '\n',
  );
}
