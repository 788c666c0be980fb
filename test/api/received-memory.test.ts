/**
 * The memory of received bytes: nobody else's, however large the chunk and whoever has it.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, Socket } from 'soref';
import t, { type Test } from 'tap';

const period = 65_521; // bytes; a prime, so that no two chunks are alike
const pattern = Buffer.from(Array.from({ length: period }, (_, index) => (index * 31) % 251));
const total = 300 * period;

/** Which byte of the flow is not as it was sent; -1 if none. */
function firstWrong(chunks: Buffer[]): number {
  const bytes = Buffer.concat(chunks);
  for (let at = 0; at < bytes.length; at += period) {
    const piece = bytes.subarray(at, at + period);
    if (!piece.equals(pattern.subarray(0, piece.length))) return at;
  }
  return -1;
}

/** A connection on which the whole flow comes. */
async function receiver(t: Test): Promise<Socket> {
  const server = createServer((peer) => {
    for (let sent = 0; sent < total; sent += period) peer.write(pattern);
    peer.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return connect((server.address() as AddressInfo).port, '127.0.0.1');
}

t.test('chunks that are kept stay as they were', async (t) => {
  const socket = await receiver(t);
  const kept: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => kept.push(chunk));
  await once(socket, 'close');
  t.equal(firstWrong(kept), -1);
  t.equal(Buffer.concat(kept).length, total);
  const large = kept.filter((chunk) => chunk.length > 60_000);
  t.ok(large.length > 100, `${large.length} large chunks`);
  t.equal(new Set(large.map(({ buffer }) => buffer)).size, large.length, 'each has its own memory');
});

t.test('a chunk can be overwritten or transferred, and others do not notice', async (t) => {
  const socket = await receiver(t);
  const kept: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => {
    kept.push(Buffer.from(chunk));
    if (chunk.length < 60_000) return;
    chunk.fill(255);
    const memory = chunk.buffer as ArrayBuffer;
    structuredClone(memory, { transfer: [memory] });
  });
  await once(socket, 'close');
  t.equal(firstWrong(kept), -1);
  t.equal(Buffer.concat(kept).length, total);
});

t.test('what a detach finds undelivered in the middle of a flow is whole', async (t) => {
  const socket = await receiver(t);
  const kept: Buffer[] = [];
  const given = await new Promise<ReturnType<Socket['detach']>>((resolve) => {
    let seen = 0;
    const take = (chunk: Buffer) => {
      kept.push(chunk);
      seen += chunk.length;
      if (seen < total / 2) return;
      socket.off('data', take);
      resolve(socket.detach());
    };
    socket.on('data', take);
  });
  const next = Socket.attach(given);
  next.on('data', (chunk: Buffer) => kept.push(chunk));
  await once(next, 'end');
  t.equal(firstWrong(kept), -1);
  t.equal(Buffer.concat(kept).length, total);
});
