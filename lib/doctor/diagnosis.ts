/**
 * What soref makes of this machine, as one object: `soref doctor --json` prints it. To be made in a process of its own,
 * since finding out what soref/register changes means to load it.
 */
import { getSystemErrorName } from 'node:util';
import { loadAddon } from '../core/addon';
import { advise } from './advice';
import { examineMachine, type Machine } from './machine';

/** The oldest Node that soref runs on. */
const OLDEST_NODE = 20;

export interface Diagnosis {
  /** soref's version. */
  version: string;
  /** Whether soref's core carries sockets here; false where node:net does, or nothing starts. */
  works: boolean;
  machine: Machine;
  node: { version: string; supported: boolean; nodeApi: number };
  binary: {
    /** Its file; null if none can be loaded. */
    path: string | null;
    liburing: boolean;
    /** Why none can be loaded; '' if one is. */
    reason: string;
  };
  engine: {
    /** SOREF_ENGINE, or 'auto'. */
    requested: string;
    /** Null if soref does not start: what was asked for cannot run. */
    chosen: 'io_uring' | 'epoll' | 'node' | null;
    /** Why it is not io_uring, or why soref does not start; '' if there is nothing to say. */
    reason: string;
  };
  /** Whether io_uring could serve here, whatever was chosen. */
  ioUring: {
    usable: boolean;
    /** How its ring would be run; null if it cannot. */
    mode: string | null;
    /** The name of the errno that io_uring_setup(2) refused with; null if it did not. */
    errno: string | null;
    reason: string;
  };
  register: {
    /** Whether soref/register would do anything: not with SOREF_REGISTER=0, and not without a core. */
    active: boolean;
    /** The members of Node's own objects that it replaces, by name. */
    replaces: string[];
    /** Parts of this Node that are other than it expects, and that it leaves alone. */
    leaves: string[];
  };
  /** What the user could do about what is not as it might be. */
  advice: string[];
}

function errnoName(errno: number): string | null {
  return errno === 0 ? null : getSystemErrorName(-errno);
}

type Started = Pick<Diagnosis, 'engine' | 'register'>;

/** Starts soref, with register, as a program would have it. */
function start(requested: string): Started {
  const nothing = { active: false, replaces: [], leaves: [] };
  try {
    const { engine, engineReason } =
      require('../core/environment') as typeof import('../core/environment');
    require('../register/index');
    const { registered, leftToNode } =
      require('../register/registered') as typeof import('../register/registered');
    return {
      engine: { requested, chosen: engine, reason: engineReason },
      register: {
        active: registered.length > 0,
        replaces: [...registered],
        leaves: [...leftToNode],
      },
    };
  } catch (error) {
    const { message } = error as Error;
    return { engine: { requested, chosen: null, reason: message }, register: nothing };
  }
}

export function diagnose(): Diagnosis {
  const { version } = require('../../package.json') as { version: string };
  const { addon, path, reason } = loadAddon();
  const uring = addon?.probeIoUring() ?? { built: false, mode: '', errno: 0, reason };
  const started = start(process.env.SOREF_ENGINE || 'auto');
  const { chosen } = started.engine;
  const found = {
    version,
    works: chosen === 'io_uring' || chosen === 'epoll',
    machine: examineMachine(),
    node: {
      version: process.version,
      supported: Number.parseInt(process.versions.node, 10) >= OLDEST_NODE,
      nodeApi: Number(process.versions.napi),
    },
    binary: { path: path || null, liburing: uring.built, reason },
    ioUring: {
      usable: uring.mode !== '',
      mode: uring.mode || null,
      errno: errnoName(uring.errno),
      reason: uring.reason,
    },
    ...started,
  };
  return { ...found, advice: advise(found) };
}
