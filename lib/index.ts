/**
 * What `require('soref')` gives, and its types: those of node:net, with Socket, Server and the
 * functions that make them replaced by soref's, and soref's additions. The declarations describe the
 * object that lib/exports.ts puts together; they make no code.
 */
import type * as net from 'node:net';
import { makeExports } from './exports';
import type { BoundSocketOptions } from './net/bound-socket';
import type { ListenDescriptor, ListenDescriptorsOptions } from './net/listen-descriptors';
import type { ServerOptions } from './net/server';
import type { Detached } from './net/socket';
import type { KeepAliveOptions } from './net/socket-options';
import type { Ledger } from './observe/ledger';
import type { SocketStatus } from './observe/sockstat';

export * from 'node:net';
export type { BoundSocketOptions } from './net/bound-socket';
export type { ListenDescriptor, ListenDescriptorsOptions } from './net/listen-descriptors';
export type { ServerOptions as ServerOpts } from './net/server';
export type { Detached } from './net/socket';
export type { KeepAliveOptions } from './net/socket-options';
export type { Ledger, References } from './observe/ledger';
export type { SocketStatus } from './observe/sockstat';

/** What newer Nodes' sockets take as options, and soref's on every Node. */
export interface NewerSocketOptions {
  /** Turns Nagle's algorithm off when the connection stands. Default: false. */
  noDelay?: boolean | undefined;
  /** Turns keep-alive probes on when the connection stands. Default: false. */
  keepAlive?: boolean | undefined;
  /** Milliseconds before the first probe. Default: 0, which leaves the kernel's value. */
  keepAliveInitialDelay?: number | undefined;
  /** Addresses that connect() refuses, with ERR_IP_BLOCKED. */
  blockList?: net.BlockList | undefined;
  /** IP_TOS or IPV6_TCLASS (ip(7), ipv6(7)), 0 to 255. */
  typeOfService?: number | undefined;
}
export type SocketConstructorOpts = net.SocketConstructorOpts & NewerSocketOptions;
export type NetConnectOpts = net.NetConnectOpts & NewerSocketOptions;

/** A TCP or Unix stream socket (Node's documentation, class net.Socket), with what soref adds. */
export declare class Socket extends net.Socket {
  constructor(options?: SocketConstructorOpts);
  /**
   * Adopts a connected stream socket: a descriptor, or what detach() gave. What was unread is read
   * first, and what was unsent is sent first.
   * @throws Node's system error, syscall 'open', if the descriptor is no such socket; nothing is
   *   then attached. ERR_SOREF_NO_CORE where `engine` is 'node'.
   */
  static attach(descriptor: number | Detached, options?: SocketConstructorOpts): Socket;
  /** Whether the socket holds a descriptor: from connect, accept or attach until close or detach. */
  readonly attached: boolean;
  /**
   * Gives the descriptor away, with what is unread and unsent. Emits 'detach', then 'close'.
   * @throws ERR_SOREF_DETACHED if the socket holds none: it never did, or it was given away before.
   */
  detach(): Detached;
  /**
   * Keep-alive probes (tcp(7), TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT). Delays are milliseconds, of
   * which whole seconds count; 0 and undefined leave the kernel's value. Default: off.
   */
  setKeepAlive(enable?: boolean, initialDelay?: number, interval?: number, count?: number): this;
  setKeepAlive(options: KeepAliveOptions): this;
  /**
   * Sets IP_TOS or IPV6_TCLASS (ip(7), ipv6(7)), 0 to 255; before there is a connection, for the one
   * to come.
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE; the system error, syscall 'setTypeOfService'.
   */
  setTypeOfService(tos: number): this;
  /** The kernel's value; without a connection the one that was set, or 0. */
  getTypeOfService(): number;
}

/** A TCP or Unix server (Node's documentation, class net.Server), with what soref adds. */
export declare class Server extends net.Server {
  /**
   * In a cluster's worker: connections beyond maxConnections are dropped, and 'drop' is emitted,
   * where otherwise another worker gets them. Default: undefined.
   */
  dropMaxConnection?: boolean;
  constructor(connectionListener?: (socket: Socket) => void);
  constructor(options?: ServerOptions, connectionListener?: (socket: Socket) => void);
}
export declare interface Server {
  /** A connection has got its socket, just before 'connection'; its descriptor has left the socket. */
  on(event: 'attach' | 'detach', listener: (socket: Socket) => void): this;
  on(event: 'connection', listener: (socket: Socket) => void): this;
  on(event: 'close' | 'listening', listener: () => void): this;
  on(event: 'error', listener: (error: Error) => void): this;
  on(event: 'drop', listener: (data?: net.DropArgument) => void): this;
  on(event: string, listener: (...details: never[]) => void): this;
  once(event: 'attach' | 'detach', listener: (socket: Socket) => void): this;
  once(event: 'connection', listener: (socket: Socket) => void): this;
  once(event: 'close' | 'listening', listener: () => void): this;
  once(event: 'error', listener: (error: Error) => void): this;
  once(event: 'drop', listener: (data?: net.DropArgument) => void): this;
  once(event: string, listener: (...details: never[]) => void): this;
}

/**
 * A socket that is bound and does nothing else, until a server's listen() or `new Socket({ handle })` adopts it
 * (Node's documentation, class net.BoundSocket). Node's own, where it has one; undefined without a core otherwise.
 */
export declare class BoundSocket {
  /** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_SOCKET_BAD_PORT; the system error, syscall 'bind'. */
  constructor(options?: BoundSocketOptions);
  readonly isPipe: boolean;
  /** @throws ERR_SOCKET_HANDLE_ADOPTED when it was adopted or closed, as fd() and close() do. */
  address(): net.AddressInfo | string;
  fd(): number;
  close(): void;
  /** Closes it, unless it was adopted or closed. */
  [Symbol.dispose](): void;
}

/** Node's old name of Socket. */
export declare const Stream: typeof Socket;

export declare function createServer(connectionListener?: (socket: Socket) => void): Server;
export declare function createServer(
  options?: ServerOptions,
  connectionListener?: (socket: Socket) => void,
): Server;

export declare function connect(options: NetConnectOpts, listener?: () => void): Socket;
export declare function connect(port: number, host?: string, listener?: () => void): Socket;
export declare function connect(path: string, listener?: () => void): Socket;
export declare function createConnection(options: NetConnectOpts, listener?: () => void): Socket;
export declare function createConnection(
  port: number,
  host?: string,
  listener?: () => void,
): Socket;
export declare function createConnection(path: string, listener?: () => void): Socket;

/**
 * What runs: 'io_uring' or 'epoll', as SOREF_ENGINE (auto, io_uring, epoll) and the host allow, or
 * 'node' where no addon could be loaded and everything is node:net's.
 */
export declare const engine: 'io_uring' | 'epoll' | 'node';

/** The counters of this environment (main thread or worker). */
export declare function ledger(): Ledger;

/** A row for each live socket of this environment. */
export declare function sockstat(): SocketStatus[];

/**
 * The descriptors that a service manager has passed to this process (sd_listen_fds(3), socket
 * activation), for `server.listen({ fd })`; empty if there are none. In a cluster they are the primary's.
 * @throws ERR_SOREF_LISTEN_ENVIRONMENT if LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES make no sense.
 */
export declare function listenDescriptors(options?: ListenDescriptorsOptions): ListenDescriptor[];

/** What soref/register has changed, by name ('net.connect'); empty without it. */
export declare const registered: readonly string[];

module.exports = makeExports();
