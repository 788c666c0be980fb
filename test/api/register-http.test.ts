// Node's own modules go on working when net is soref: this file registers soref in its own process.
import 'soref/register';
import { createHook } from 'node:async_hooks';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as http from 'node:http';
import * as http2 from 'node:http2';
import * as net from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';

import soref = require('soref');

import t from 'tap';

type Socket = InstanceType<typeof soref.Socket>;

const portOf = (server: net.Server) => (server.address() as net.AddressInfo).port;

async function listening<S extends net.Server>(server: S): Promise<S> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function text(response: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** One request, its answer and whether its connection had served before. */
async function request(options: http.RequestOptions, body = ''): Promise<[string, boolean]> {
  const outgoing = http.request({ host: '127.0.0.1', method: 'POST', ...options });
  outgoing.end(body);
  const [response] = await once(outgoing, 'response');
  return [await text(response), outgoing.reusedSocket];
}

t.test('http with keep-alive', async (t) => {
  const server = await listening(
    http.createServer(async (incoming, response) =>
      response.end(`${(await text(incoming)).length}`),
    ),
  );
  const agent = new http.Agent({ keepAlive: true });
  const body = 'x'.repeat(300_000);
  t.same(await request({ port: portOf(server), agent }, body), ['300000', false]);
  t.same(await request({ port: portOf(server), agent }, body), ['300000', true]);
  agent.destroy();
  server.close();
  await once(server, 'close');
});

t.test('the http server’s sockets are soref’s', async (t) => {
  const server = http.createServer((incoming, response) =>
    response.end(String((incoming.socket as Socket).attached)),
  );
  t.ok(server instanceof soref.Server);
  const events: string[] = [];
  server.on('attach', () => events.push('attach')).on('detach', () => events.push('detach'));
  await listening(server);
  const closed = new Promise((resolve) => {
    server.on('connection', (socket) => socket.on('close', resolve));
  });
  t.same(await request({ port: portOf(server), agent: false }), ['true', false]);
  await closed;
  t.same(events, ['attach', 'detach']);
  server.close();
  await once(server, 'close');
});

t.test('answers that nobody reads hold back the requests behind them', async (t) => {
  const count = 200;
  const answer = Buffer.alloc(64 * 1024, 'x');
  let served = 0;
  const server = await listening(
    http.createServer((incoming, response) => {
      incoming.resume();
      served += 1;
      response.end(answer);
    }),
  );
  const client = net.connect(portOf(server), '127.0.0.1');
  // Larger than what the server reads at once, so that most requests come after it has paused.
  const padding = 'p'.repeat(8 * 1024);
  client.write(`GET / HTTP/1.1\r\nHost: a\r\nPadding: ${padding}\r\n\r\n`.repeat(count));
  client.pause();
  await setTimeout(200);
  t.ok(served < count, `${served} were served before anything was read`);
  let received = 0;
  client.on('data', (chunk) => {
    received += chunk.length;
    if (received > count * answer.length) client.end();
  });
  client.resume();
  await once(client, 'close');
  t.equal(served, count);
  server.close();
  await once(server, 'close');
});

t.test('a connection that is kept alive gets a context of its own for each request', async (t) => {
  const server = await listening(http.createServer((_, response) => response.end('again')));
  const agent = new http.Agent({ keepAlive: true });
  const ids: number[] = [];
  const sockets = new Set<net.Socket>();
  const resources = new Map<number, { type?: string; handle?: object }>();
  const hook = createHook({ init: (id, _type, _cause, resource) => resources.set(id, resource) });
  hook.enable();
  for (let number = 0; number < 3; number += 1) {
    const outgoing = http.get({ host: '127.0.0.1', port: portOf(server), agent });
    const [response] = await once(outgoing, 'response');
    sockets.add(response.socket);
    ids.push(response.socket._handle.getAsyncId());
    await text(response);
    await setTimeout(10);
  }
  t.equal(sockets.size, 1);
  t.equal(new Set(ids).size, 3);
  hook.disable();
  const [{ _handle }] = [...sockets] as [net.Socket & { _handle: object }];
  for (const id of ids.slice(1)) {
    t.equal(resources.get(id)?.type, 'TCPWRAP');
    t.equal(resources.get(id)?.handle, _handle, 'the resource names what is used again');
  }
  agent.destroy();
  server.close();
  await once(server, 'close');
});

t.test('the http client connects through soref', async (t) => {
  const server = await listening(http.createServer((_, response) => response.end('ok')));
  const before = soref.ledger().attached;
  t.same(await request({ port: portOf(server), agent: false }), ['ok', false]);
  t.ok(soref.ledger().attached > before);
  server.close();
  await once(server, 'close');
});

t.test('http serves a connection that a soref server accepted', async (t) => {
  const server = http.createServer((_, response) => response.end('passed on'));
  const listener = await listening(net.createServer((socket) => server.emit('connection', socket)));
  t.ok(listener instanceof soref.Server);
  t.same(await request({ port: portOf(listener), agent: false }), ['passed on', false]);
  listener.close();
  await once(listener, 'close');
});

t.test('an upgraded connection', async (t) => {
  const server = await listening(http.createServer());
  server.on('upgrade', (_, socket) => {
    socket.write('HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.pipe(socket);
  });
  const headers = { connection: 'Upgrade', upgrade: 'echo' };
  const outgoing = http.get({ host: '127.0.0.1', port: portOf(server), headers });
  const [, socket] = (await once(outgoing, 'upgrade')) as [unknown, net.Socket];
  socket.setEncoding('utf8');
  socket.write('upgraded');
  t.equal((await once(socket, 'data'))[0], 'upgraded');
  socket.end();
  server.close();
  await once(server, 'close');
});

t.test('fetch', async (t) => {
  const server = await listening(http.createServer((_, response) => response.end('fetched')));
  const response = await fetch(`http://127.0.0.1:${portOf(server)}/`);
  t.equal(await response.text(), 'fetched');
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

t.test('http2 without TLS, by callback and by promise', async (t) => {
  const server = http2.createServer((_, response) => response.end('frames'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${portOf(server as unknown as net.Server)}`;
  const connect = promisify(http2.connect) as unknown as (
    url: string,
  ) => Promise<http2.ClientHttp2Session>;
  t.same([http2.connect.name, http2.connect.length, connect.length], ['connect', 3, 2]);
  // The name of the other is 'value' on Node 20.
  t.match(connect.name, /^(connect|value)$/);
  const sessions = [http2.connect(url), await connect(url)];
  for (const session of sessions) t.equal(await text(session.request()), 'frames');
  for (const session of sessions) session.close();
  server.close();
  await once(server, 'close');
});

t.test('HTTP/2 takes over connections that soref accepted', async (t) => {
  const server = http2.createServer((_, response) => response.end('frames'));
  t.ok(server instanceof soref.Server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const before = soref.ledger().attached;
  const sockets: net.Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  const session = http2.connect(`http://127.0.0.1:${portOf(server as unknown as net.Server)}`);
  t.equal(await text(session.request()), 'frames');
  t.equal(soref.ledger().attached, before + 1);
  t.equal(sockets.length, 1);
  t.ok(sockets[0] instanceof net.Socket);
  t.equal((sockets[0] as soref.Socket).attached, false, 'and is Node’s own');
  session.close();
  server.close();
  await once(server, 'close');
});

t.test('the streams of a child process stay Node’s', async (t) => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.pipe(process.stdout)']);
  t.ok(child.stdout instanceof net.Socket);
  child.stdin.end('through a pipe');
  t.equal(await text(child.stdout), 'through a pipe');
});
