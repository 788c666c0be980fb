/**
 * The moment in which a connection leaves soref for a handle of Node's own: used where only Node's
 * will do, which is TLS and the passing of sockets to other processes. The descriptor leaves exactly
 * once, and what soref had not sent yet goes out first.
 */
import { Handle } from '../core/handle';
import { nodeSocketOn } from '../net/native-handle';
import { kWriteCallback, type SocketFields } from '../net/socket-fields';

/** A socket that has a connection, or makes one, through soref. */
export type SorefSocket = SocketFields & { _handle: Handle };

export function hasSorefHandle(socket: SocketFields | null): socket is SorefSocket {
  return socket?._handle instanceof Handle;
}

/** Ends the write that the socket's stream waits for. */
function endWrite(socket: SocketFields): void {
  const callback = socket[kWriteCallback];
  socket[kWriteCallback] = null;
  callback?.(null);
}

/**
 * Moves a socket's connection to a socket of Node's, and leaves the first without a handle.
 * @param sent called once when nothing is left that soref had not sent, perhaps during this call
 * @returns Node's socket; the bytes that were received and not read; whether sending still goes on
 */
export function handOver(socket: SorefSocket, sent?: () => void) {
  const { fd, head, tail } = socket._handle.detach();
  const node = nodeSocketOn(fd, socket.allowHalfOpen);
  socket._handle = null as never;
  let sending = tail.length > 0;
  const finish = () => {
    sending = false;
    endWrite(socket);
    sent?.();
  };
  if (sending) node.write(Buffer.concat(tail), finish);
  else finish();
  return { node, head, sending };
}
