// A server behind nginx, over TCP and over a Unix socket: kept connections, large bodies both ways, WebSocket, HTTP/2
// in front, and a backend that fails.
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import { Readable } from 'node:stream';
import WebSocket, { WebSocketServer } from 'ws';
import { cert, counterpart } from '../counterpart.mjs';
import { atOnce, digest, payload, tell } from '../transcript.mjs';
import { request, summary } from '../web-client.mjs';

const { port, tlsPort, backendPort, backendPath } = counterpart('nginx');

async function serve(req, res) {
  const name = req.url.split('/').at(-1);
  if (name === 'large') return res.end(payload(10 << 20));
  if (name === 'stream') {
    return Readable.from(Array.from({ length: 300 }, (_, index) => payload(9000, index))).pipe(res);
  }
  if (name === 'cut') return req.socket.destroy();
  if (name === 'half') {
    return res.writeHead(200, { 'content-length': 1000 }).write('half', () => res.destroy());
  }
  const { 'x-forwarded-for': client, 'x-forwarded-proto': scheme } = req.headers;
  return res.end(
    `${req.method} ${name} ${client} ${scheme} ${digest(Buffer.concat(await req.toArray()))}`,
  );
}

const tcp = http.createServer(serve).listen(backendPort, '127.0.0.1');
const sockets = new WebSocketServer({ server: tcp, maxPayload: 16 << 20 });
sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
const local = http.createServer(serve).listen(backendPath);
await Promise.all([once(tcp, 'listening'), once(local, 'listening')]);
let connections = 0;
tcp.on('connection', () => {
  connections += 1;
});

const agent = new http.Agent({ keepAlive: true, maxSockets: 10 });
for (const prefix of ['', '/unbuffered', '/path']) {
  tell('---', prefix || '/');
  tell((await request(port, `${prefix}/hello`, { agent })).text);
  for (const name of ['large', 'stream']) {
    tell(name, summary(await request(port, `${prefix}/${name}`, { agent })));
  }
  const body = payload(12 << 20);
  tell((await request(port, `${prefix}/post`, { agent, method: 'POST', body })).text);
  const parts = Readable.from(Array.from({ length: 200 }, (_, index) => payload(9000, index)));
  tell((await request(port, `${prefix}/parts`, { agent, method: 'PUT', body: parts })).text);
  const answers = await atOnce(150, (index) => request(port, `${prefix}/${index}`, { agent }));
  tell('many', digest(answers.map(({ text }) => text).join()));
  tell('cut', (await request(port, `${prefix}/cut`, { agent })).status);
  const half = await request(port, `${prefix}/half`, { agent }).catch((error) => error);
  tell('half', half.code ?? half.text);
}
connections = 0;
for (let index = 0; index < 100; index++) await request(port, `/${index}`, { agent });
tell('connections kept', connections < 5);

tell('--- WebSocket');
const echoes = await atOnce(30, async (index) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`);
  await once(socket, 'open');
  socket.send(payload(300_000, index));
  const [echo] = await once(socket, 'message');
  socket.close();
  await once(socket, 'close');
  return digest(echo);
});
tell(digest(echoes.join()));

tell('--- HTTP/2');
const session = http2.connect(`https://localhost:${tlsPort}`, { ca: cert });
const bodies = await atOnce(50, async (index) => {
  const stream = session.request({ ':path': index === 0 ? '/large' : `/${index}` });
  stream.end();
  return digest(Buffer.concat(await stream.toArray()));
});
tell(digest(bodies.join()));
await new Promise((resolve) => session.close(resolve));

agent.destroy();
sockets.close();
for (const server of [tcp, local]) {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}
rmSync(backendPath, { force: true });
tell('without a backend', (await request(port, '/hello')).status);
