/** Abort signals given to a socket's constructor, beside what the stream does with them. */
import { addAbortListener } from 'node:events';
import type { SocketFields } from './socket-fields';
import { validateAbortSignal } from './validation';

/**
 * The stream destroys itself when the signal aborts; this only marks the socket, so that happy eyeballs starts no
 * further attempt. The listener comes a tick later, so that the stream's own is first.
 */
export function addAbortSignal(socket: SocketFields, signal: unknown): void {
  validateAbortSignal(signal, 'options.signal');
  if (!signal) return;
  const mark = () => {
    socket._aborted = true;
  };
  process.nextTick(() => {
    if (signal.aborted) mark();
    else addAbortListener(signal, mark);
  });
}
