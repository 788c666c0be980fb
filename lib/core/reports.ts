/**
 * What the core reports of itself: the ledger, the list of live sockets and one of them whole, as
 * src-native/binding/reports.cpp fills them in. Types alone; lib/observe makes them part of the public API.
 */

/** References held now, by who holds them. Together they are what keeps the sockets alive. */
export interface References {
  /** The JavaScript objects: sockets and servers, from creation or acceptance until close. */
  consumer: number;
  /** Entries of the listeners' accept queues. */
  queue: number;
  /** Control blocks that have work to finish after their consumer has gone. */
  protocol: number;
  /** Kernel operations in flight, each until its final completion. */
  operation: number;
  /** Events that JavaScript has not seen yet. */
  event: number;
}

/** How far a socket is in its life. */
export type Life = 'allocated' | 'attached' | 'queued' | 'open' | 'closing' | 'detached';

/** What a socket's connection does. */
export type Connection = 'idle' | 'connecting' | 'connected' | 'disconnected' | 'listening';

/** The counters of this environment. At rest `attached === detached`, and all that is held is 0. */
export interface Ledger {
  /** Attempts to attach a socket since the start: `attached + attachFailed`. */
  attachAttempted: number;
  /** Sockets that were attached since the start. */
  attached: number;
  /** Sockets that were detached, each exactly once. */
  detached: number;
  /** attached - detached. */
  live: number;
  /** Of the live sockets, how many are how far in their lives. */
  lives: Record<Life, number>;
  /** Of the live sockets, how many have a connection that does this. */
  connections: Record<Connection, number>;
  references: References;
  /** Descriptors that soref has open for its sockets now. */
  descriptors: number;
  /** Attempts to attach that failed, and so attached nothing. */
  attachFailed: number;
  /** Kernel operations since the start, and now: `inFlight` is `submitted - completed`. */
  operations: { submitted: number; completed: number; inFlight: number };
  /** Events from the core to JavaScript since the start, and now: `waiting` is `queued - delivered`. */
  events: { queued: number; delivered: number; waiting: number };
  /** Buffers that the kernel may still read. */
  pinnedBuffers: number;
  /** How often a listener ran out of descriptors or memory, and waited. */
  acceptsPaused: number;
  /** Commands that named a socket which is no more. */
  staleNames: number;
  /** Commands that make no sense; anything but 0 is a defect of soref. */
  badCommands: number;
  /** System calls that the engine has made. */
  systemCalls: number;
}

/** One live socket of this environment. */
export interface SocketStatus {
  /** Where the core keeps it. Used again once the socket is gone. */
  slot: number;
  /** Which of the sockets that were in that slot, one after the other, it is. */
  generation: number;
  /** 'tcp4', 'tcp6' or 'unix'. */
  protocol: string;
  /** `address:port`, `[address]:port` or a path; '' when there is none. */
  local: string;
  /** Likewise. A peer that has reset the connection is known if the socket has read before. */
  remote: string;
  life: Life;
  state: Connection;
  /** The descriptor, for a look into /proc; it stays soref's. */
  fd: number;
  /** Bytes that have arrived at the kernel and that soref has not taken, as FIONREAD counts them (tcp(7)). */
  receiveQueue: number;
  /** Bytes written and not yet taken by the kernel. */
  sendQueue: number;
  /** Connections accepted and not yet seen by JavaScript. */
  acceptQueue: number;
  references: References;
  /** Milliseconds since the socket was created. */
  age: number;
}

/** A reference to a socket that was taken or dropped. */
export interface ReferenceChange {
  reference: keyof References;
  change: 'taken' | 'dropped';
  /** Why, in a word: 'created', 'accepted', 'closed', or which operation or event it was for. */
  cause: string;
  /** References of that kind after the change. */
  held: number;
  /** All references after the change. */
  count: number;
}

/** One live socket, whole. */
export interface SocketDetails extends SocketStatus {
  /** Kernel operations in flight, and how far they are: 'receive in flight', 'send cancelling'. */
  operations: string[];
  /** The last 16 changes of its references, oldest first. Debug builds of the addon keep them; else []. */
  changes: ReferenceChange[];
}
