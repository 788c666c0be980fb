/**
 * `soref.ledger()`: whether everything that was attached is accounted for. Part of the public API;
 * the counters are the core's, one set for each environment (main thread or worker).
 */
import * as environment from '../core/environment';

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

/**
 * The counters, after everything that was asked for so far has been carried out as far as that takes
 * no waiting. All 0 when `soref.engine` is 'node'.
 */
export function ledger(): Ledger {
  return environment.ledger();
}
