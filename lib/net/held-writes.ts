/**
 * What a socket writes beyond a turn's limit waits for the next turn, and what it writes after that waits in the stream.
 * Where no other turn comes, because the socket is destroyed or the process ends, all of it leaves at once as far as the
 * kernel takes it: with node:net it would have left when it was written.
 */
import { Duplex } from 'node:stream';
import { attachedReceivers } from '../core/event-dispatcher';
import { Handle } from '../core/handle';
import type { SocketFields } from './socket-fields';

/** Before a close. The callbacks of what waited in the stream tell of its success from here. */
export function sendHeldWrites(socket: SocketFields, handle: Handle): void {
  if (!handle.holdsBack) return;
  // What the program has corked it holds back itself.
  const waiting = socket.writableCorked > 0 ? [] : (socket.writableBuffer ?? []);
  handle.writeRest(waiting);
  for (const write of waiting) {
    const { callback } = write;
    write.callback = () => callback(null);
  }
}

// Comes after the listener of lib/core, which has sent what is held back, and since when whatever is written leaves at
// once: so the streams have only to go on, and what later listeners write or destroy finds nothing that waits.
process.on('exit', () => {
  for (const handle of attachedReceivers()) {
    if (handle instanceof Handle && handle.holdsBack && handle.owner instanceof Duplex) {
      // As for a write that ends while it is made: the program's callbacks wait for a tick, and none comes any more.
      (handle.owner as SocketFields)._writableState.sync = true;
      handle.endHeldWrite();
    }
  }
});
