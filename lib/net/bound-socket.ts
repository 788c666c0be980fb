/**
 * `net.BoundSocket`: a socket that is bound and does nothing else, until a server listens on it or a socket connects
 * from it (Node's documentation, class net.BoundSocket). It is Node's own where Node has it, for Node's other modules
 * and threads take no other; older Nodes get the class below. listen() and the constructor of Socket take from it.
 */
import { type Address, Handle } from '../core/handle';
import {
  ERR_INVALID_ARG_VALUE,
  ERR_SOCKET_HANDLE_ADOPTED,
  ErrnoException,
  ExceptionWithHostPort,
} from './errors';
import { adoptDuplicate, closeTogether, kindOf, type NativeHandle } from './native-handle';
import { isIP, nodeNet } from './node-net';
import { validateBoolean, validateObject, validatePort, validateString } from './validation';

export interface BoundSocketOptions {
  /** An address, for no name is looked up. Default: '0.0.0.0', or '::' with ipv6Only. */
  host?: string | undefined;
  /** Default: 0, any that is free. */
  port?: number | undefined;
  ipv6Only?: boolean | undefined;
  /** SO_REUSEPORT (socket(7)). */
  reusePort?: boolean | undefined;
}

export interface BoundPathOptions {
  /** A Unix path, or an abstract name if it starts with NUL (unix(7)). */
  path: string;
}

type Options = BoundSocketOptions & Partial<BoundPathOptions>;

/** The handle that an adopted BoundSocket had, and the path that it is bound to. */
interface Bound {
  handle: Handle;
  path: string | undefined;
}

let takeOwn: (bound: OwnBoundSocket) => Bound;

function bindPathOf(options: Options): Bound {
  const { path, host, port, ipv6Only, reusePort } = options;
  if ([host, port, ipv6Only, reusePort].some((option) => option !== undefined)) {
    const reason = 'path is mutually exclusive with host, port, ipv6Only, and reusePort';
    throw new ERR_INVALID_ARG_VALUE('options', options, reason);
  }
  validateString(path, 'options.path');
  const handle = new Handle('pipe', 'socket');
  const errno = handle.bindPath(path);
  if (errno === 0) return { handle, path };
  handle.close();
  throw new ErrnoException(errno, 'bind');
}

function bindPort(options: BoundSocketOptions, address: Partial<Address>): Bound {
  const port = validatePort(options.port ?? 0, 'options.port');
  const ipv6Only = options.ipv6Only ?? false;
  validateBoolean(ipv6Only, 'options.ipv6Only');
  const reusePort = options.reusePort ?? false;
  validateBoolean(reusePort, 'options.reusePort');
  const host = options.host ?? (ipv6Only ? '::' : '0.0.0.0');
  validateString(host, 'options.host');
  if (isIP(host) === 0) {
    const reason = 'must be a numeric IP address; net.BoundSocket does not perform DNS resolution';
    throw new ERR_INVALID_ARG_VALUE('options.host', host, reason);
  }
  const handle = new Handle('tcp', 'socket');
  const errno =
    handle.bindAddress(host, port, { ipv6Only, reusePort }) || handle.getsockname(address);
  if (errno === 0) return { handle, path: undefined };
  handle.close();
  throw new ExceptionWithHostPort(errno, 'bind', host, port);
}

/** Whoever adopts the socket owns it; until then it is to be closed. */
class OwnBoundSocket {
  readonly #address: Partial<Address> = {};
  readonly #path: string | undefined;
  #handle: Handle | null;

  static {
    takeOwn = (bound) => {
      const handle = bound.#open();
      bound.#handle = null;
      return { handle, path: bound.#path };
    };
  }

  /** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_SOCKET_BAD_PORT; the system error, syscall 'bind'. */
  constructor(options: Options = {}) {
    validateObject(options, 'options');
    const { handle, path } =
      options.path === undefined ? bindPort(options, this.#address) : bindPathOf(options);
    this.#handle = handle;
    this.#path = path;
  }

  #open(): Handle {
    if (this.#handle === null) throw new ERR_SOCKET_HANDLE_ADOPTED();
    return this.#handle;
  }

  address(): Partial<Address> | string {
    this.#open();
    return this.#path ?? this.#address;
  }

  fd(): number {
    return this.#open().fd;
  }

  close(): void {
    this.#open().close();
    this.#handle = null;
  }

  [Symbol.dispose](): void {
    this.#handle?.close();
    this.#handle = null;
  }

  get isPipe(): boolean {
    return this.#path !== undefined;
  }
}
Object.defineProperty(OwnBoundSocket, 'name', { value: 'BoundSocket' });

type BoundSocketConstructor = new (options?: Options) => object;

export const BoundSocket: BoundSocketConstructor =
  (nodeNet as { BoundSocket?: BoundSocketConstructor }).BoundSocket ?? OwnBoundSocket;

export function isBoundSocket(value: unknown): value is object {
  return value instanceof BoundSocket;
}

/** What Node's own gives out under symbols that are not exported. */
function takeNodes(bound: object): Bound {
  let consume: (() => NativeHandle & { fd: number }) | undefined;
  let path: unknown;
  for (const symbol of Object.getOwnPropertySymbols(BoundSocket.prototype)) {
    const member = () => (bound as Record<symbol, unknown>)[symbol];
    if (symbol.description === 'kBoundSocketConsume') consume = member() as typeof consume;
    else if (symbol.description === 'kBoundSocketPath') path = member();
  }
  if (consume === undefined) throw new ERR_SOCKET_HANDLE_ADOPTED();
  const native = consume.call(bound);
  const handle = adoptDuplicate(native, kindOf(native), 'socket');
  if (typeof handle === 'number') {
    native.close();
    throw new ErrnoException(handle, 'open');
  }
  closeTogether(handle, native);
  return { handle, path: typeof path === 'string' ? path : undefined };
}

/** The socket's handle, which is the caller's from then on. @throws ERR_SOCKET_HANDLE_ADOPTED the second time. */
export function takeBoundSocket(bound: object): Bound {
  return bound instanceof OwnBoundSocket ? takeOwn(bound) : takeNodes(bound);
}
