// got: streams, retries, redirects, time-outs, keep-alive, TLS, HTTP/2 and Unix sockets.
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import got from 'got';
import { cert, key, scratch } from '../counterpart.mjs';
import { atOnce, digest, failure, payload, tell } from '../transcript.mjs';

const attempts = new Map();
async function serve(req, res) {
  const body = Buffer.concat(await req.toArray());
  const { pathname } = new URL(req.url, 'http://localhost');
  if (pathname === '/large') return res.end(payload(6 << 20));
  if (pathname === '/zipped') {
    return res.setHeader('content-encoding', 'gzip').end(gzipSync(payload(1 << 20)));
  }
  if (pathname === '/redirect') return res.writeHead(302, { location: '/there' }).end();
  if (pathname === '/unstable') {
    const attempt = (attempts.get(req.url) ?? 0) + 1;
    attempts.set(req.url, attempt);
    if (attempt === 1) return req.socket.destroy();
    if (attempt === 2) return res.writeHead(503).end();
    return res.end(`attempt ${attempt}`);
  }
  if (pathname === '/silent') return undefined;
  if (pathname === '/missing') return res.writeHead(404).end('missing');
  return res.end(`${req.method} ${pathname} ${digest(body)}`);
}

async function listen(server, ...where) {
  server.listen(...where);
  await once(server, 'listening');
  return server.address().port;
}

async function requests(client) {
  tell(await client('hello').text());
  tell(digest(await client('large').buffer()));
  tell('zipped', digest(await client('zipped').buffer()), gunzipSync(gzipSync('x')).length);
  tell(await client.post('post', { body: payload(4 << 20) }).text());
  tell(await client.post('json', { json: { a: [1] } }).text());
  tell('redirect', await client('redirect').text());
  tell(
    'retried',
    await client('unstable?a', {
      retry: { limit: 3, calculateDelay: ({ computedValue }) => computedValue && 1 },
    }).text(),
  );
  tell('missing', (await failure(() => client('missing'))).response.body);
  const timeout = { request: 60 };
  tell('time-out', await failure(() => client('silent', { timeout, retry: { limit: 0 } })));
  const answers = await atOnce(60, (index) => client(`many/${index}`).text());
  tell('many', digest(answers.join()));
  const sink = new PassThrough();
  const collected = sink.toArray();
  const upload = Readable.from(Array.from({ length: 200 }, (_, index) => payload(8000, index)));
  await pipeline(upload, client.stream.post('stream'), sink);
  tell('stream', Buffer.concat(await collected).toString());
}

const plain = http.createServer(serve);
tell('--- http');
const prefixUrl = `http://127.0.0.1:${await listen(plain, 0, '127.0.0.1')}`;
await requests(got.extend({ prefixUrl }));
tell('--- http, keep-alive');
const agent = { http: new http.Agent({ keepAlive: true, maxSockets: 8 }) };
attempts.clear();
await requests(got.extend({ prefixUrl, agent }));
agent.http.destroy();
plain.close();

tell('--- https');
const secure = https.createServer({ key, cert }, serve);
const securePort = await listen(secure, 0, '127.0.0.1');
attempts.clear();
const trusted = { https: { certificateAuthority: cert } };
await requests(got.extend({ prefixUrl: `https://localhost:${securePort}`, ...trusted }));
tell(
  'untrusted',
  await failure(() => got(`https://localhost:${securePort}/x`, { retry: { limit: 0 } })),
);
secure.close();

tell('--- HTTP/2');
const second = http2.createSecureServer({ key, cert }, serve);
const sessions = new Set();
second.on('session', (session) => sessions.add(session));
const secondPort = await listen(second, 0, '127.0.0.1');
const client = got.extend({
  prefixUrl: `https://localhost:${secondPort}`,
  http2: true,
  ...trusted,
});
tell(await client('hello').text(), digest(await client('large').buffer()));
tell(await client.post('post', { body: payload(3 << 20) }).text());

tell('--- Unix socket');
const path = join(scratch, 'got');
const local = http.createServer(serve);
await listen(local, path);
const options = { enableUnixSockets: true };
tell(await got(`http://unix:${path}:/hello`, options).text());
tell(digest(await got(`http://unix:${path}:/large`, options).buffer()));
local.close();
rmSync(path, { force: true });
second.close();
// The client’s connection stays open for more requests, and has no end of its own.
for (const session of sessions) session.close();
