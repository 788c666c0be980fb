/** `net.connect()`, also under the name createConnection. */
import { _normalizeArgs } from './connect-arguments';
import { Socket } from './socket';
import type { SocketFields } from './socket-fields';

/**
 * Makes a socket and connects it (Node's documentation, net.createConnection). The options go to the constructor,
 * to connect() and, with `timeout` in milliseconds, to setTimeout().
 */
export function connect(...values: unknown[]): Socket {
  const normalized = _normalizeArgs(values);
  const options = normalized[0] as { timeout?: number };
  const socket = new Socket(options as never) as unknown as SocketFields;
  if (options.timeout) socket.setTimeout(options.timeout);
  return socket.connect(normalized) as unknown as Socket;
}
