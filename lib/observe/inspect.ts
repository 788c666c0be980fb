/**
 * `soref.inspect()`: everything about one socket or server, as the core has it. Part of the public API.
 */
import type { Server, Socket } from 'node:net';
import { Handle } from '../core/handle';
import { originOf } from '../core/origins';
import type { SocketDetails } from '../core/reports';

export type { Connection, Life, ReferenceChange, SocketDetails } from '../core/reports';

/** What is known of one socket or server. */
export interface Inspection extends SocketDetails {
  /**
   * The program's functions that made the socket or server, or the server that accepted it: a stack,
   * innermost first, a line each. Known when SOREF_LEAKS is set.
   */
  madeAt: string | undefined;
}

/**
 * The socket or server as the core has it now, after everything that was asked for so far has been
 * carried out as far as that takes no waiting. Null when soref carries nothing for it: before it
 * connects or listens, from destroy(), close() or detach() on, and when it is one of Node's own.
 */
export function inspect(socket: Socket | Server): Inspection | null {
  const handle = (socket as { _handle?: unknown })._handle;
  const details = handle instanceof Handle ? handle.details() : null;
  return details && { ...details, madeAt: originOf(socket) };
}
