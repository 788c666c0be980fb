/**
 * The moment in which a connection leaves soref for a handle of Node's own: used where only Node's
 * will do, which is TLS and the passing of sockets to other processes. The descriptor leaves exactly
 * once, and what soref had not sent yet goes out first.
 */
import type { Socket } from 'node:net';
import { Handle } from '../core/handle';
import { nodeSocketOn } from '../net/native-handle';
import type { Chunks, SocketFields } from '../net/socket-fields';

/** A socket that has a connection, or makes one, through soref. */
export type SorefSocket = SocketFields & { _handle: Handle };

export function hasSorefHandle(socket: SocketFields | null): socket is SorefSocket {
  return socket?._handle instanceof Handle;
}

/** What a stream calls when a write, or its end, is through. */
type Callback = (error?: Error | null) => void;

/**
 * Lets a socket that keeps its connection through a handle of Node's write through Node's socket: what
 * waits in its stream, and what is written to it later. The two kinds of handles are written to differently.
 */
export function writeThrough(socket: SocketFields, node: Socket): void {
  const _writeGeneric: SocketFields['_writeGeneric'] = (many, data, encoding, callback) => {
    const chunks = many ? (data as Chunks) : [{ chunk: data as Buffer | string, encoding }];
    node.cork();
    chunks.forEach(({ chunk, encoding: charset }, index) => {
      const done: Callback | undefined = index === chunks.length - 1 ? callback : undefined;
      node.write(chunk, typeof chunk === 'string' ? (charset as BufferEncoding) : undefined, done);
    });
    node.uncork();
    return undefined;
  };
  const _final = (callback: Callback) => node.end(callback);
  const attributes = { configurable: true, writable: true };
  Object.defineProperty(socket, '_writeGeneric', { value: _writeGeneric, ...attributes });
  Object.defineProperty(socket, '_final', { value: _final, ...attributes });
}

/**
 * Moves a socket's connection to a socket of Node's.
 * @param keeps whether the first goes on with the connection, through Node's handle; else it has none
 * @param sent called once when nothing is left that soref had not sent, perhaps during this call
 * @returns Node's socket; the bytes that were received and not read; whether sending still goes on
 */
export function handOver(socket: SorefSocket, keeps: boolean, sent?: () => void) {
  const handle = socket._handle;
  const { fd, head, tail } = handle.detach();
  const node = nodeSocketOn(fd, { allowHalfOpen: socket.allowHalfOpen, manualStart: true });
  socket._handle = (keeps ? node._handle : null) as never;
  if (keeps) writeThrough(socket, node);
  let sending = tail.length > 0;
  const finish = () => {
    sending = false;
    handle.writeCallback?.(null);
    sent?.();
  };
  if (sending) node.write(Buffer.concat(tail), finish);
  else finish();
  return { node, head, sending };
}
