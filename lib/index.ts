/**
 * What `require('soref')` gives, and its types: those of node:net, with Socket, Server and the
 * functions that make them replaced by soref's, and soref's additions. The declarations describe the
 * object that lib/exports.ts puts together; they make no code.
 */
import type * as net from 'node:net';
import { makeExports } from './exports';
import type { BoundPathOptions, BoundSocketOptions } from './net/bound-socket';
import type { ListenDescriptor, ListenDescriptorsOptions } from './net/listen-descriptors';
import type { ServerOptions } from './net/server';
import type { Detached } from './net/socket';
import type { KeepAliveOptions } from './net/socket-options';
import type { Inspection } from './observe/inspect';
import type { Ledger } from './observe/ledger';
import type { SocketStatus } from './observe/sockstat';

export * from 'node:net';
export type { BoundPathOptions, BoundSocketOptions } from './net/bound-socket';
export type { ListenDescriptor, ListenDescriptorsOptions } from './net/listen-descriptors';
export type { ServerOptions as ServerOpts } from './net/server';
export type { Detached } from './net/socket';
export type { KeepAliveOptions } from './net/socket-options';
export type { Connection, Inspection, Life, ReferenceChange } from './observe/inspect';
export type { Ledger, References } from './observe/ledger';
export type { SocketStatus } from './observe/sockstat';

declare module 'node:net' {
  interface Socket {
    /**
     * soref: whether the socket holds a descriptor: from connect, accept or attach until close or detach. False for
     * Node's own sockets, such as those of TLS.
     */
    readonly attached: boolean;
    /**
     * soref: gives the descriptor away, with what is unread and unsent. Emits 'detach', then 'close'.
     * @throws ERR_SOREF_DETACHED if the socket holds none: it never did, it was given away before, or it is one of
     *   Node's own. ERR_SOREF_NO_CORE where `engine` is 'node'.
     */
    detach(): Detached;
  }
}

/**
 * Node's own type, so that what other modules call a socket (`request.socket`, a TLSSocket) is one here too. What
 * soref's functions give is a NewerSocket.
 */
export type Socket = net.Socket;
export type Server = net.Server;

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
export type SocketConstructorOpts = Omit<net.SocketConstructorOpts, 'handle'> &
  NewerSocketOptions & {
    /** What connect() starts from. From then on it is the socket's. */
    handle?: Omit<BoundSocket | BoundPath, 'isPipe'> | undefined;
  };
export type NetConnectOpts = net.NetConnectOpts & NewerSocketOptions;

interface NewerSocketMembers {
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
/** A TCP or Unix stream socket (Node's documentation, class net.Socket), with what newer Nodes' have. */
export type NewerSocket = NewerSocketMembers & net.Socket;

interface NewerServerMembers {
  /**
   * In a cluster's worker: connections beyond maxConnections are dropped, and 'drop' is emitted,
   * where otherwise another worker gets them. Default: undefined.
   */
  dropMaxConnection?: boolean;
  /** soref: a connection has got its socket, just before 'connection'; its descriptor has left the socket. */
  on(event: 'attach' | 'detach', listener: (socket: NewerSocket) => void): this;
  on(event: 'connection', listener: (socket: NewerSocket) => void): this;
  once(event: 'attach' | 'detach', listener: (socket: NewerSocket) => void): this;
  once(event: 'connection', listener: (socket: NewerSocket) => void): this;
  /** Closes the server, if it listens, and waits for 'close'. */
  [Symbol.asyncDispose](): Promise<void>;
}
/** A TCP or Unix server (Node's documentation, class net.Server), with what newer Nodes' have and soref's events. */
export type NewerServer = NewerServerMembers & net.Server;

/** A constructor's own members, without what it makes. */
type Statics<Constructor> = Omit<Constructor, 'prototype'>;

export declare const Socket: Statics<typeof net.Socket> & {
  new (options?: SocketConstructorOpts): NewerSocket;
  readonly prototype: NewerSocket;
  /**
   * Adopts a connected stream socket: a descriptor, or what detach() gave. What was unread is read
   * first, and what was unsent is sent first.
   * @throws Node's system error, syscall 'open', if the descriptor is no such socket; nothing is
   *   then attached. ERR_SOREF_NO_CORE where `engine` is 'node'.
   */
  attach(descriptor: number | Detached, options?: SocketConstructorOpts): NewerSocket;
};
/** Node's old name of Socket. */
export declare const Stream: typeof Socket;

export declare const Server: Statics<typeof net.Server> & {
  new (connectionListener?: (socket: NewerSocket) => void): NewerServer;
  new (options?: ServerOptions, connectionListener?: (socket: NewerSocket) => void): NewerServer;
  readonly prototype: NewerServer;
};

/**
 * A socket that is bound and does nothing else, until a server's listen() or `new Socket({ handle })` adopts it
 * (Node's documentation, class net.BoundSocket). Whoever adopts it owns it; until then it is to be closed.
 */
export interface BoundSocket {
  readonly isPipe: boolean;
  /** @throws ERR_SOCKET_HANDLE_ADOPTED when it was adopted or closed, as fd() and close() do. */
  address(): net.AddressInfo;
  fd(): number;
  close(): void;
  /** Closes it, unless it was adopted or closed. */
  [Symbol.dispose](): void;
}
/** One that is bound to a path, which is its address. */
export interface BoundPath extends Omit<BoundSocket, 'address'> {
  address(): string;
}
/** Node's own, where it has one. Undefined on an older Node where `engine` is 'node'. */
export declare const BoundSocket: {
  /** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_SOCKET_BAD_PORT; the system error, syscall 'bind'. */
  new (options?: BoundSocketOptions): BoundSocket;
  new (options: BoundPathOptions): BoundPath;
  readonly prototype: BoundSocket;
};

export declare function createServer(
  connectionListener?: (socket: NewerSocket) => void,
): NewerServer;
export declare function createServer(
  options?: ServerOptions,
  connectionListener?: (socket: NewerSocket) => void,
): NewerServer;

export declare function connect(options: NetConnectOpts, listener?: () => void): NewerSocket;
export declare function connect(port: number, host?: string, listener?: () => void): NewerSocket;
export declare function connect(path: string, listener?: () => void): NewerSocket;
export declare const createConnection: typeof connect;

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
 * Everything about one socket or server, after all that was asked for so far has been carried out as far
 * as that takes no waiting. Null when soref carries nothing for it: before it connects or listens, from
 * destroy(), close() or detach() on, and when it is one of Node's own.
 */
export declare function inspect(socket: net.Socket | net.Server): Inspection | null;

/**
 * The descriptors that a service manager has passed to this process (sd_listen_fds(3), socket
 * activation), for `server.listen({ fd })`; empty if there are none. In a cluster they are the primary's.
 * @throws ERR_SOREF_LISTEN_ENVIRONMENT if LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES make no sense.
 */
export declare function listenDescriptors(options?: ListenDescriptorsOptions): ListenDescriptor[];

/** What soref/register has changed, by name ('net.connect'); empty without it. */
export declare const registered: readonly string[];

module.exports = makeExports();
