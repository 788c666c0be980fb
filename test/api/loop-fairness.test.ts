/**
 * A turn of the loop ends, however fast a socket could go on: what a socket writes in one is limited.
 */
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'soref';
import t from 'tap';

const piece = Buffer.alloc(64 * 1024, 'p'); // more than travels through shared memory

/** The server's end and the client's end of a connection. */
async function connection(server: Server): Promise<[Socket, Socket]> {
  const accepted = once(server, 'connection');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [[served]] = await Promise.all([accepted, once(client, 'connect')]);
  return [served as Socket, client];
}

async function listening(): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function close(server: Server, ...sockets: Socket[]): Promise<void> {
  const closed = [once(server.close(), 'close'), ...sockets.map((socket) => once(socket, 'close'))];
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
}

t.test('a producer that writes while it may does not keep the loop', async (t) => {
  const server = await listening();
  const [producer, consumer] = await connection(server);
  let left = 0;
  const produce = () => {
    while (producer.write(piece, () => left++));
  };
  producer.on('drain', produce);
  produce();
  // The kernel takes megabytes, of which nothing is read.
  let most = 0;
  for (let turn = 0; turn < 5; turn++) {
    const before = left;
    await nextTurn();
    most = Math.max(most, left - before);
  }
  t.ok(left > 2, `${left} pieces left`);
  t.ok(most <= 3, `at most ${most} in one turn`);
  await close(server, producer, consumer);
});

t.test('what arrives in a turn can leave in it', async (t) => {
  const server = await listening();
  const [source, into] = await connection(server);
  const [from, target] = await connection(server);
  const sent = 16 * piece.length; // less than the kernel takes while nobody reads
  let written = 0;
  let left = 0;
  let most = 0;
  let late = 0;
  into.on('data', (chunk: Buffer) => {
    written += chunk.length;
    from.write(chunk, () => {
      left += chunk.length;
    });
  });
  for (let i = 0; i < 16; i++) source.write(piece);
  while (written < sent) {
    const before = written;
    await nextTurn();
    most = Math.max(most, written - before);
    if (left < written) late++;
  }
  t.ok(most > 2 * piece.length, `${most} bytes were passed on in one turn`);
  t.equal(late, 0);
  await close(server, source, into, from, target);
});
