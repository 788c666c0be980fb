// http-proxy between a client and a server: bodies, WebSocket, TLS on either side, and servers that are not there.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import httpProxy from 'http-proxy';
import WebSocket, { WebSocketServer } from 'ws';
import { cert, key } from '../counterpart.mjs';
import { atOnce, digest, payload, tell } from '../transcript.mjs';
import { request, summary } from '../web-client.mjs';

async function answer(req, res) {
  if (req.url === '/large') return res.end(payload(8 << 20));
  if (req.url === '/destroyed') return req.socket.destroy();
  const forwarded = req.headers['x-forwarded-for'];
  return res.end(
    `${req.method} ${req.url} ${forwarded} ${digest(Buffer.concat(await req.toArray()))}`,
  );
}

function listen(server) {
  server.listen(0, '127.0.0.1');
  return once(server, 'listening').then(() => server.address().port);
}

/** A proxy in front of a target; what it answers when that fails is told by the client. */
async function makeProxy(options) {
  const proxy = httpProxy.createProxyServer({ xfwd: true, ...options });
  proxy.on('error', (error, _req, res) => {
    if (res.headersSent === false) res.writeHead(502);
    res.end?.(error.code);
  });
  const handle = (req, res) => proxy.web(req, res);
  const server = options.ssl ? https.createServer(options.ssl, handle) : http.createServer(handle);
  server.on('upgrade', (req, socket, head) => proxy.ws(req, socket, head));
  return { server, port: await listen(server) };
}

const target = http.createServer(answer);
const sockets = new WebSocketServer({ server: target });
sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
const targetPort = await listen(target);
const secureTarget = https.createServer({ key, cert }, answer);
const secureTargetPort = await listen(secureTarget);
const agent = new http.Agent({ keepAlive: true, maxSockets: 10 });
const secureAgent = new https.Agent({ keepAlive: true });

const variants = {
  plain: { target: `http://127.0.0.1:${targetPort}` },
  'keep-alive': { target: `http://127.0.0.1:${targetPort}`, agent },
  'to TLS': { target: `https://127.0.0.1:${secureTargetPort}`, secure: false, agent: secureAgent },
};
for (const [name, options] of Object.entries(variants)) {
  tell(`--- ${name}`);
  const { server, port } = await makeProxy(options);
  tell((await request(port, '/hello')).text);
  tell(summary(await request(port, '/large')));
  tell((await request(port, '/post', { method: 'POST', body: payload(7 << 20) })).text);
  const answers = await atOnce(100, (index) => request(port, `/many/${index}`, { agent: false }));
  tell('many', digest(answers.map(({ text }) => text).join()));
  const destroyed = await request(port, '/destroyed');
  tell('destroyed', destroyed.status, destroyed.text);
  server.closeAllConnections();
  server.close();
}

tell('--- WebSocket');
const { server, port } = await makeProxy({ ...variants.plain, ws: true });
const echoes = await atOnce(30, async (index) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
  await once(socket, 'open');
  socket.send(payload(100_000, index));
  const [echo] = await once(socket, 'message');
  socket.close();
  await once(socket, 'close');
  return digest(echo);
});
tell(digest(echoes.join()));
server.close();

tell('--- from TLS');
const secure = await makeProxy({ ...variants.plain, ssl: { key, cert } });
const text = await new Promise((resolve, reject) => {
  const options = { host: 'localhost', port: secure.port, path: '/secure', ca: cert, agent: false };
  https.get(options, async (res) => resolve((await res.toArray()).join(''))).on('error', reject);
});
tell(text);
secure.server.close();

tell('--- nobody there');
const nowhere = await makeProxy({ target: 'http://127.0.0.1:1' });
const refused = await request(nowhere.port, '/');
tell(refused.status, refused.text);
nowhere.server.close();

sockets.close();
agent.destroy();
secureAgent.destroy();
for (const each of [target, secureTarget]) {
  each.closeAllConnections();
  each.close();
}
