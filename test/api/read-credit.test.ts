/**
 * Read credit: a socket that nobody reads stops taking bytes from the kernel, so that its peer waits.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, Socket } from 'soref';
import t from 'tap';

const sent = 24 * 1024 * 1024; // bytes
const limit = 1024 * 1024; // bytes

/** A connection to a server that sends all at once. */
async function connectToSender(): Promise<{ server: Server; socket: Socket }> {
  const server = createServer((peer) => peer.on('error', () => {}).end(Buffer.alloc(sent)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, socket: connect((server.address() as AddressInfo).port, '127.0.0.1') };
}

t.test('a reader that does not read holds a sender of many megabytes back', async (t) => {
  const { server, socket } = await connectToSender();
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

t.test(
  'a reader that stops in the middle of a flow has little to keep, and loses nothing',
  async (t) => {
    const { server, socket } = await connectToSender();
    let delivered = 0;
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk) => {
        delivered += chunk.length;
        if (delivered < sent / 4 || socket.isPaused()) return;
        socket.pause();
        resolve();
      });
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    const given = socket.detach();
    const kept = Buffer.concat(given.head).length;
    t.ok(kept < limit, `${kept} bytes were taken and not delivered`);
    const next = Socket.attach(given);
    let rest = 0;
    next.on('data', (chunk) => {
      rest += chunk.length;
    });
    await once(next, 'end');
    t.equal(delivered + rest, sent);
    server.close();
    await once(server, 'close');
  },
);
