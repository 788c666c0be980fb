/** What a user could do about what the doctor has found: one sentence for each thing that is not as it might be. */
import type { Diagnosis } from './diagnosis';

/** Below this many descriptors a server runs out of them before it runs out of anything else. */
const FEW_DESCRIPTORS = 4096;

type Found = Omit<Diagnosis, 'advice'>;

function aboutBinary({ binary, node }: Found): string[] {
  if (!node.supported) return [`Node ${node.version} is too old for soref, which needs Node 20.`];
  if (binary.path === null) {
    return [
      `No binary can be loaded (${binary.reason}), so node:net serves. With g++, make and python3 ` +
        'installed, "npm rebuild soref" builds one.',
    ];
  }
  if (binary.liburing) return [];
  return [
    'The binary was built without liburing, and has epoll alone. With liburing-dev 2.3 or newer and ' +
      'pkg-config installed, "npm rebuild soref" builds one that has io_uring too.',
  ];
}

function aboutPermission({ machine }: Found): string {
  if (machine.ioUringDisabled === 2) {
    return 'The sysctl kernel.io_uring_disabled is 2: nobody may use io_uring. 0 lets everybody.';
  }
  const sysctl =
    machine.ioUringDisabled === 1
      ? ' The sysctl kernel.io_uring_disabled is 1: only CAP_SYS_ADMIN and the group of kernel.io_uring_group may use it.'
      : '';
  if (machine.seccomp !== 'filter') return `io_uring is not permitted.${sysctl}`;
  return (
    'A seccomp filter forbids io_uring, as that of many containers does. It would have to allow ' +
    `io_uring_setup, io_uring_enter and io_uring_register.${sysctl}`
  );
}

function aboutUring(found: Found): string[] {
  const { ioUring, binary } = found;
  if (ioUring.usable || !binary.liburing) return [];
  if (ioUring.errno === 'EPERM' || ioUring.errno === 'EACCES') return [aboutPermission(found)];
  return [`io_uring cannot serve: ${ioUring.reason}.`];
}

function aboutEngine({ engine, works, ioUring }: Found): string[] {
  if (engine.chosen === null) return [`soref does not start: ${engine.reason}.`];
  if (works && engine.requested === 'epoll' && ioUring.usable) {
    return ['SOREF_ENGINE=epoll is set, where io_uring would work.'];
  }
  return [];
}

function aboutLimits({ machine: { limits } }: Found): string[] {
  const { descriptors } = limits;
  if (descriptors === null || descriptors.soft >= FEW_DESCRIPTORS) return [];
  return [
    `Each connection takes a descriptor, and this process may have ${descriptors.soft} (ulimit -n; ` +
      'LimitNOFILE= of a systemd service).',
  ];
}

function aboutRegister({ register, works }: Found): string[] {
  if (register.leaves.length > 0) {
    return [
      `soref/register does not know this Node's ${register.leaves.join(', ')}; they stay Node's own.`,
    ];
  }
  if (works && !register.active) return ['SOREF_REGISTER=0 is set: soref/register does nothing.'];
  return [];
}

export function advise(found: Found): string[] {
  return [aboutEngine, aboutBinary, aboutUring, aboutLimits, aboutRegister].flatMap((about) =>
    about(found),
  );
}
