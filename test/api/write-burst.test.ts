/**
 * More writes in one turn of the loop than the core takes at a time: each socket gets its own bytes.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'soref';
import t from 'tap';

t.test('a burst of small writes is followed by larger ones in the same turn', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients: Socket[] = [];
  const received: Promise<string>[] = [];
  for (let i = 0; i < 5; i++) {
    const accepted = once(server, 'connection');
    const client = connect(port, '127.0.0.1');
    const [[served]] = await Promise.all([accepted, once(client, 'connect')]);
    clients.push(client);
    received.push(text(served as Socket));
  }
  const sent = clients.map(() => '');
  const write = (index: number, chunk: string) => {
    sent[index] += chunk;
    clients[index]?.write(chunk, 'latin1');
  };
  for (let i = 0; i < 10_000; i++) write(i % 4, `${i % 10}`.repeat(8));
  for (let i = 0; i < 60; i++) write(4, 'L'.repeat(1024));
  for (let i = 0; i < 10_000; i++) write(i % 4, `${i % 10}`.repeat(8));
  for (const client of clients) client.end();
  for (const [index, bytes] of (await Promise.all(received)).entries()) {
    t.ok(bytes === sent[index], `socket ${index} has got what was sent to it`);
  }
  server.close();
  await once(server, 'close');
});

async function text(socket: Socket): Promise<string> {
  let all = '';
  for await (const chunk of socket.setEncoding('latin1')) all += chunk;
  socket.end();
  return all;
}
