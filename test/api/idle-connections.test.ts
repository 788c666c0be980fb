// 5,000 connections that are held and idle cost memory and nothing else: all of them still answer,
// and all of them end.
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as net from 'soref';
import t from 'tap';

const CONNECTIONS = 5000;
/** Connections that are made at once: fewer than the listener's queue holds. */
const STEP = 250;

const rss = () => process.memoryUsage.rss();

async function echo(socket: net.Socket, text: string): Promise<boolean> {
  const heard = once(socket, 'data');
  socket.write(text);
  return String((await heard)[0]) === text;
}

t.test(`${CONNECTIONS} idle connections`, async (t) => {
  const accepted = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    accepted.add(socket);
    socket.on('data', (data) => socket.write(data)).on('error', () => undefined);
    socket.on('close', () => accepted.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const before = rss();

  const clients: net.Socket[] = [];
  while (clients.length < CONNECTIONS) {
    const step = Array.from({ length: STEP }, () =>
      net.connect(port, '127.0.0.1').on('error', () => undefined),
    );
    await Promise.all(step.map((client) => once(client, 'connect')));
    clients.push(...step);
  }
  while (accepted.size < CONNECTIONS) await new Promise(setImmediate);
  const perSocket = (rss() - before) / (2 * CONNECTIONS);
  t.comment(`${Math.round(perSocket)} bytes of memory a socket, both ends counted`);
  t.ok(perSocket < 64 * 1024, 'no connection has large buffers of its own');

  t.equal(net.ledger().live, 2 * CONNECTIONS + 1);
  t.equal(net.sockstat().length, 2 * CONNECTIONS + 1);
  const connected = net.sockstat().filter((row) => row.state === 'connected');
  t.equal(connected.length, 2 * CONNECTIONS);

  // The first is as quick as ever, and idle ones cause no work, once the turn is over in which the last one came.
  await nextTurn();
  await nextTurn();
  const { systemCalls } = net.ledger();
  t.equal(await echo(clients[0] as net.Socket, 'first'), true);
  const calls = net.ledger().systemCalls - systemCalls;
  t.comment(`${calls} system calls of the engine for one echo`);
  t.ok(calls < 100, 'the number of the others does not matter');

  for (const round of [1, 2]) {
    const answers = await Promise.all(
      clients.map((client, index) => echo(client, `${round}, ${index}`)),
    );
    t.equal(answers.filter((isRight) => isRight).length, CONNECTIONS, `round ${round}`);
  }

  // All at once, and each in a way of its own: by either side, and without a farewell.
  const closes = clients.map((client) => new Promise((resolve) => client.once('close', resolve)));
  const serverClosed = once(server, 'close');
  server.close();
  const byPort = new Map(clients.map((client) => [client.localPort, client.resume()]));
  let index = 0;
  for (const socket of [...accepted]) {
    const client = byPort.get(socket.remotePort) as net.Socket;
    const ways = [client, socket].flatMap((each) => [
      () => each.end(),
      () => each.destroy(),
      () => each.resetAndDestroy(),
    ]);
    ways[index++ % ways.length]?.();
  }
  await Promise.all([...closes, serverClosed]);
  while (accepted.size > 0) await new Promise(setImmediate);
  const { attached, detached, descriptors } = net.ledger();
  t.strictSame([attached, detached, descriptors], [10_001, 10_001, 0]);
});
