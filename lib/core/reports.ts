/**
 * What the core reports of itself: the ledger and the list of live sockets, as src-native/binding/
 * reports.cpp fills them in. Types alone; lib/observe makes them part of the public API.
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

/** The counters of this environment. At rest `attached === detached`, and all that is held is 0. */
export interface Ledger {
  /** Sockets that were attached since the start. */
  attached: number;
  /** Sockets that were detached, each exactly once. */
  detached: number;
  /** attached - detached. */
  live: number;
  references: References;
  /** Descriptors that soref has open for its sockets now. */
  descriptors: number;
  /** Attempts to attach that failed, and so attached nothing. */
  attachFailed: number;
  /** Kernel operations since the start. */
  operations: { submitted: number; completed: number };
  /** Events from the core to JavaScript since the start. */
  events: { queued: number; delivered: number };
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
  /** 'tcp4', 'tcp6' or 'unix'. */
  protocol: string;
  /** `address:port`, `[address]:port` or a path; '' when there is none. */
  local: string;
  remote: string;
  /** How far the socket is in its life, from allocated to detached. */
  life: string;
  /** What the connection does: idle, connecting, connected, listening, disconnected. */
  state: string;
  /** The descriptor, for a look into /proc; it stays soref's. */
  fd: number;
  /** Bytes written and not yet taken by the kernel. */
  sendQueue: number;
  /** Connections accepted and not yet seen by JavaScript. */
  acceptQueue: number;
  references: References;
  /** Milliseconds since the socket was created. */
  age: number;
}
