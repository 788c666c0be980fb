// Servers behind HAProxy: HTTP, and bytes after a PROXY line or header, which the server reads itself before it hands
// the connection to http, or to tls.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { cert, counterpart, key } from '../counterpart.mjs';
import { atOnce, digest, payload, tell } from '../transcript.mjs';
import { request, summary } from '../web-client.mjs';

const { httpPort, firstPort, secondPort, barePort, httpBackend, bytesBackend } =
  counterpart('haproxy');
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

/** Reads exactly so many bytes, while the stream is paused otherwise. */
async function readBytes(socket, count) {
  for (;;) {
    const bytes = socket.read(count);
    if (bytes !== null) return bytes;
    await once(socket, 'readable');
  }
}

/** The client's address and port, of either version of the protocol (HAProxy's proxy-protocol.txt). */
async function readProxyHeader(socket) {
  const start = await readBytes(socket, 12);
  if (start.equals(SIGNATURE)) {
    const [version, family, high, low] = await readBytes(socket, 4);
    const addresses = await readBytes(socket, high * 256 + low);
    const from = [...addresses.subarray(0, 4)].join('.');
    return { version: version >> 4, family, from, port: addresses.readUInt16BE(8) };
  }
  let line = start.toString('latin1');
  while (!line.endsWith('\r\n')) line += (await readBytes(socket, 1)).toString('latin1');
  const [, family, from, , port] = line.trim().split(' ');
  return { version: 1, family, from, port: Number(port) };
}

async function serve(req, res) {
  if (req.url === '/large') return res.end(payload(8 << 20));
  const body = digest(Buffer.concat(await req.toArray()));
  const from = req.socket.proxied?.from ?? req.headers['x-forwarded-for'];
  return res.end(`${req.method} ${req.url} from ${from} ${body}`);
}

const web = http.createServer(serve).listen(httpBackend, '127.0.0.1');
const inner = http.createServer(serve);
const secure = https.createServer({ key, cert }, serve);
let expectsHeader = true;
const seen = new Set();
const front = net.createServer(async (socket) => {
  socket.on('error', () => {});
  if (expectsHeader) {
    const header = await readProxyHeader(socket);
    const { port, ...rest } = header;
    seen.add(JSON.stringify({ ...rest, port: port > 0 }));
    socket.proxied = header;
  }
  const [first] = await readBytes(socket, 1);
  socket.unshift(Buffer.from([first]));
  // A TLS record of the handshake begins so; a request of HTTP begins with a letter.
  if (first === 0x16) secure.emit('connection', socket);
  else if (first === 0x2b) socket.pipe(socket);
  else inner.emit('connection', socket);
});
front.listen(bytesBackend, '127.0.0.1');
await Promise.all([once(web, 'listening'), once(front, 'listening')]);

async function throughTls(port, path, body) {
  const options = {
    host: 'localhost',
    port,
    path,
    ca: cert,
    agent: false,
    method: body ? 'POST' : 'GET',
  };
  const req = https.request(options);
  req.end(body);
  const [res] = await once(req, 'response');
  return digest(Buffer.concat(await res.toArray()));
}

tell('--- http');
tell((await request(httpPort, '/hello')).text);
tell(summary(await request(httpPort, '/large')));
tell((await request(httpPort, '/post', { method: 'POST', body: payload(8 << 20) })).text);

for (const [name, port] of Object.entries({
  first: firstPort,
  second: secondPort,
  bare: barePort,
})) {
  tell(`--- ${name}`);
  expectsHeader = name !== 'bare';
  seen.clear();
  tell((await request(port, '/hello')).text);
  tell(summary(await request(port, '/large')));
  tell((await request(port, '/post', { method: 'POST', body: payload(5 << 20) })).text);
  const answers = await atOnce(60, (index) => request(port, `/${index}`));
  tell('many', digest(answers.map(({ text }) => text).join()));
  tell('TLS', await throughTls(port, '/large'), await throughTls(port, '/post', payload(3 << 20)));
  const secured = await atOnce(15, (index) => throughTls(port, `/${index}`));
  tell('TLS, many', digest(secured.join()));
  const echoes = await atOnce(30, async (index) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.end(Buffer.concat([Buffer.from('+'), payload(200_000, index)]));
    return digest(Buffer.concat(await socket.toArray()));
  });
  tell('echo, many', digest(echoes.join()));
  const client = tls.connect({ host: 'localhost', port, ca: cert });
  await once(client, 'secureConnect');
  tell('trusted', client.authorized);
  client.destroy();
  tell('headers', [...seen].join());
}
for (const server of [web, front]) {
  server.close();
  await once(server, 'close');
}
