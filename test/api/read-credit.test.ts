/**
 * Read credit: a socket that nobody reads stops taking bytes from the kernel, so that its peer waits.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'soref';
import t from 'tap';

const sent = 24 * 1024 * 1024; // bytes
const limit = 1024 * 1024; // bytes

t.test('a reader that does not read holds a sender of many megabytes back', async (t) => {
  const server = createServer((peer) => peer.end(Buffer.alloc(sent)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket: Socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  // Reading begins, and stops when the stream's buffer is full.
  await once(socket, 'readable');
  let before = -1;
  while (before !== socket.bytesRead) {
    before = socket.bytesRead;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  t.ok(before > 0 && before < limit, `${before} bytes were taken`);
  socket.resume();
  await once(socket, 'end');
  t.equal(socket.bytesRead, sent);
  server.close();
  await once(server, 'close');
});
