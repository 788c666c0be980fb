/**
 * Descriptors that a service manager has opened for this process: socket activation, as sd_listen_fds(3) and
 * sd_listen_fds_with_names(3) define it. Reads the environment; whoever gets a descriptor here owns it.
 */
import { ERR_SOREF_LISTEN_ENVIRONMENT } from './errors';

/** The first descriptor that is passed: SD_LISTEN_FDS_START. */
const FIRST = 3;
/** The name of a descriptor that got none. */
const UNNAMED = 'unknown';
const VARIABLES = ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PIDFDID'];

export interface ListenDescriptor {
  /** For `server.listen({ fd })`; for `Socket.attach(fd)` if the manager accepted the connection itself. */
  readonly fd: number;
  /** FileDescriptorName= of the socket unit, or the unit's name; 'unknown' if the manager gave none. */
  readonly name: string;
}

export interface ListenDescriptorsOptions {
  /** Takes the variables out of the environment, so that no child process takes them for its own. Default: false. */
  unsetEnvironment?: boolean | undefined;
}

function positiveNumber(variable: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new ERR_SOREF_LISTEN_ENVIRONMENT(variable, text);
  return Number(text);
}

function readEnvironment(): ListenDescriptor[] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = process.env;
  if (LISTEN_PID === undefined || LISTEN_FDS === undefined) return [];
  // A parent's variables, inherited: its descriptors were not.
  if (positiveNumber('LISTEN_PID', LISTEN_PID) !== process.pid) return [];
  const count = positiveNumber('LISTEN_FDS', LISTEN_FDS);
  const names = LISTEN_FDNAMES?.split(':') ?? [];
  if (LISTEN_FDNAMES !== undefined && names.length !== count) {
    throw new ERR_SOREF_LISTEN_ENVIRONMENT('LISTEN_FDNAMES', LISTEN_FDNAMES);
  }
  return Array.from({ length: count }, (_, index) => ({
    fd: FIRST + index,
    name: names[index] || UNNAMED,
  }));
}

/**
 * The descriptors that systemd (or whoever speaks its protocol) has passed to this process, in their order; empty
 * without socket activation. They are close-on-exec: Node sees to that when it starts. In a cluster they belong to
 * the primary alone, whose workers may listen on them by number all the same.
 * @throws ERR_SOREF_LISTEN_ENVIRONMENT if the variables contradict each other or are no numbers.
 */
export function listenDescriptors(options: ListenDescriptorsOptions = {}): ListenDescriptor[] {
  try {
    return readEnvironment();
  } finally {
    if (options.unsetEnvironment) for (const name of VARIABLES) delete process.env[name];
  }
}
