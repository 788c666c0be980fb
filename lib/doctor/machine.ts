/**
 * What Linux tells about this machine and process that bears on sockets: the kernel, what forbids io_uring, and the
 * limits. Reads /proc and changes nothing; what cannot be read is null.
 */
import { readFileSync } from 'node:fs';
import { release } from 'node:os';

/** A limit of getrlimit(2); Infinity, which JSON writes as null, where there is none. */
export interface Limit {
  soft: number;
  hard: number;
}

export interface Machine {
  /** The kernel's release, as uname -r. */
  kernel: string;
  architecture: string;
  /** The version of glibc; null with another C library. */
  glibc: string | null;
  /** How seccomp(2) restricts this process's system calls. */
  seccomp: 'none' | 'strict' | 'filter' | null;
  /**
   * The sysctl kernel.io_uring_disabled: 0 lets everybody, 1 only CAP_SYS_ADMIN and the group of
   * kernel.io_uring_group, 2 nobody. Null where the kernel (before 6.6) has no such switch.
   */
  ioUringDisabled: number | null;
  limits: {
    /** RLIMIT_NOFILE. Node has raised the soft limit to the hard one when it started. */
    descriptors: Limit | null;
    /** RLIMIT_MEMLOCK, bytes. */
    lockedMemory: Limit | null;
    /** The sysctl net.core.somaxconn: the most that a listen's backlog is. */
    backlog: number | null;
  };
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function readNumber(path: string): number | null {
  const text = read(path);
  return text === null ? null : Number(text);
}

/** A line of /proc/self/limits: the limit's name, soft, hard, unit (proc(5)). */
function limit(text: string | null, name: string): Limit | null {
  const line = text?.split('\n').find((candidate) => candidate.startsWith(name));
  const [soft, hard] = line?.slice(name.length).trim().split(/\s+/) ?? [];
  if (soft === undefined || hard === undefined) return null;
  const toNumber = (word: string) =>
    word === 'unlimited' ? Number.POSITIVE_INFINITY : Number(word);
  return { soft: toNumber(soft), hard: toNumber(hard) };
}

const SECCOMP_MODES = ['none', 'strict', 'filter'] as const;

function seccompMode(): Machine['seccomp'] {
  const [, mode] = /^Seccomp:\s*(\d)/m.exec(read('/proc/self/status') ?? '') ?? [];
  return SECCOMP_MODES[Number(mode)] ?? null;
}

function glibcVersion(): string | null {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime ?? null;
}

export function examineMachine(): Machine {
  const limits = read('/proc/self/limits');
  return {
    kernel: release(),
    architecture: process.arch,
    glibc: glibcVersion(),
    seccomp: seccompMode(),
    ioUringDisabled: readNumber('/proc/sys/kernel/io_uring_disabled'),
    limits: {
      descriptors: limit(limits, 'Max open files'),
      lockedMemory: limit(limits, 'Max locked memory'),
      backlog: readNumber('/proc/sys/net/core/somaxconn'),
    },
  };
}
