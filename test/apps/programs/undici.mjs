// undici: fetch, pools, pipelining, streams, HTTP/2 over TLS, proxies by CONNECT, upgrades and errors; and the fetch
// that Node has built in.
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { Readable, Writable } from 'node:stream';
import {
  Agent,
  Client,
  fetch,
  Pool,
  ProxyAgent,
  RetryAgent,
  request,
  stream,
  upgrade,
} from 'undici';
import { cert, key } from '../counterpart.mjs';
import { atOnce, digest, failure, payload, tell } from '../transcript.mjs';

let connections = 0;
const server = http.createServer(async (req, res) => {
  if (req.url === '/large') return res.end(payload(8 << 20));
  if (req.url === '/digest') return res.end(digest(Buffer.concat(await req.toArray())));
  if (req.url === '/cut') return res.write('part', () => res.destroy());
  if (req.url === '/silent') return undefined;
  return res.end(`${req.method} ${req.url}`);
});
server.on('connection', () => {
  connections += 1;
});
server.on('upgrade', (_req, socket) => {
  socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
  socket.pipe(socket);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${server.address().port}`;

for (const [name, get] of Object.entries({ undici: fetch, builtin: globalThis.fetch })) {
  tell(`--- fetch, ${name}`);
  tell(await (await get(`${origin}/hello`)).text());
  tell(digest(await (await get(`${origin}/large`)).arrayBuffer()));
  const body = payload(5 << 20);
  tell(await (await get(`${origin}/digest`, { method: 'POST', body })).text());
  const parts = Readable.from(Array.from({ length: 200 }, (_, index) => payload(7000, index)));
  const options = { method: 'POST', body: parts, duplex: 'half' };
  tell(await (await get(`${origin}/digest`, options)).text());
  const answers = await atOnce(100, async (index) => (await get(`${origin}/${index}`)).text());
  tell('many', digest(answers.join()));
  const cut = await failure(async () => (await get(`${origin}/cut`)).text());
  tell('cut', cut.message, cut.cause.code);
  const refused = await failure(() => get('http://127.0.0.1:1/'));
  tell('refused', refused.cause.code);
  const signal = AbortSignal.timeout(30);
  tell('aborted', (await failure(() => get(`${origin}/silent`, { signal }))).name);
}

tell('--- clients');
const pipelining = new Client(origin, { pipelining: 20 });
connections = 0;
const texts = await atOnce(200, async (index) => {
  const { body } = await pipelining.request({ path: `/p${index}`, method: 'GET' });
  return body.text();
});
tell('pipelined', digest(texts.join()), 'connections', connections);
await pipelining.close();
const pool = new Pool(origin, { connections: 5 });
connections = 0;
const statuses = await atOnce(300, async (index) => {
  const { statusCode, body } = await pool.request({ path: `/${index}`, method: 'GET' });
  await body.dump();
  return statusCode;
});
tell(
  'pool',
  statuses.every((status) => status === 200),
  'connections',
  connections,
);
await pool.close();
const chunks = [];
await stream(
  `${origin}/large`,
  { method: 'GET' },
  () =>
    new Writable({
      write(chunk, _encoding, done) {
        chunks.push(chunk);
        done();
      },
    }),
);
tell('streamed', digest(Buffer.concat(chunks)));
const timed = failure(() => request(`${origin}/silent`, { headersTimeout: 100 }));
tell('time-out', await timed);
const retrying = new RetryAgent(new Agent(), { maxRetries: 2, minTimeout: 5 });
tell('retried', await failure(() => request('http://127.0.0.1:1/', { dispatcher: retrying })));
await retrying.close();

const { socket } = await upgrade(origin, { protocol: 'echo' });
socket.end('through the upgrade');
tell((await socket.toArray()).join(''));

tell('--- proxy');
const proxy = http.createServer();
proxy.on('connect', (req, client, head) => {
  const { hostname, port } = new URL(`http://${req.url}`);
  const target = net.connect(port, hostname, () => {
    client.write('HTTP/1.1 200 OK\r\n\r\n');
    target.write(head);
    client.pipe(target).pipe(client);
  });
});
proxy.listen(0, '127.0.0.1');
await once(proxy, 'listening');
const dispatcher = new ProxyAgent({
  uri: `http://127.0.0.1:${proxy.address().port}`,
  proxyTunnel: true,
  requestTls: { ca: cert },
});
tell(await (await fetch(`${origin}/by proxy`, { dispatcher })).text());

tell('--- HTTP/2');
const secure = http2.createSecureServer({ key, cert, allowHTTP1: true }, async (req, res) => {
  const body = digest(Buffer.concat(await req.toArray()));
  res.end(`${req.httpVersion} ${req.url} ${body}`);
});
secure.listen(0, '127.0.0.1');
await once(secure, 'listening');
const secureOrigin = `https://localhost:${secure.address().port}`;
for (const allowH2 of [true, false]) {
  const client = new Client(secureOrigin, { allowH2, pipelining: 10, connect: { ca: cert } });
  const versions = await atOnce(50, async (index) => {
    const { body } = await client.request({
      path: `/${index}`,
      method: 'POST',
      body: payload(20_000, index),
    });
    return body.text();
  });
  tell(versions[0], digest(versions.join()));
  await client.close();
}
tell('by proxy', await (await fetch(`${secureOrigin}/x`, { dispatcher })).text());
await dispatcher.close();

for (const each of [server, proxy, secure]) {
  each.closeAllConnections?.();
  each.close();
}
