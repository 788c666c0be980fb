// fastify: routes with schemas, hooks, streams, large bodies, closing while requests are served, and HTTP/2.

import http from 'node:http';
import http2 from 'node:http2';
import { Readable } from 'node:stream';
import fastify from 'fastify';
import { cert, key } from '../counterpart.mjs';
import { atOnce, digest, payload, tell } from '../transcript.mjs';
import { request, summary } from '../web-client.mjs';

function routes(app) {
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_req, body, done) =>
    done(null, body),
  );
  const schema = {
    querystring: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
  };
  app.get('/twice', { schema }, async ({ query }) => ({ twice: query.n * 2 }));
  app.post('/digest', async ({ body }) => digest(body));
  app.get('/large', async () => payload(6 << 20));
  app.get('/stream', async () =>
    Readable.from(Array.from({ length: 300 }, (_, n) => payload(5000, n))),
  );
  app.get('/fails', async () => {
    throw Object.assign(new Error('failed'), { statusCode: 409 });
  });
  app.get('/late', async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return 'late';
  });
  let requests = 0;
  app.addHook('onResponse', async () => {
    requests += 1;
  });
  return () => requests;
}

const app = fastify({ bodyLimit: 32 << 20, forceCloseConnections: 'idle' });
const count = routes(app);
await app.listen({ port: 0, host: '127.0.0.1' });
const { port } = app.server.address();
const agent = new http.Agent({ keepAlive: true, maxSockets: 10 });
tell((await request(port, '/twice?n=21', { agent })).text);
tell((await request(port, '/twice?n=x', { agent })).text);
for (const path of ['/large', '/stream', '/fails', '/nowhere']) {
  tell(path, summary(await request(port, path, { agent })));
}
const headers = { 'content-type': 'application/octet-stream' };
const sent = await request(port, '/digest', {
  agent,
  method: 'POST',
  headers,
  body: payload(9 << 20),
});
tell('post', sent.text);
const answers = await atOnce(500, (n) => request(port, `/twice?n=${n}`, { agent }));
tell(
  'many',
  answers.reduce((sum, { text }) => sum + JSON.parse(text).twice, 0),
);
tell('injected', (await app.inject('/twice?n=4')).body);
const late = request(port, '/late', { agent: false });
await new Promise((resolve) => setTimeout(resolve, 10));
const closing = app.close();
tell('while closing', (await late).text);
await closing;
agent.destroy();
tell('requests', count());

const secure = fastify({ http2: true, https: { key, cert }, bodyLimit: 32 << 20 });
routes(secure);
await secure.listen({ port: 0, host: '127.0.0.1' });
const session = http2.connect(`https://localhost:${secure.server.address().port}`, { ca: cert });

async function exchange(path, body) {
  const method = body === undefined ? 'GET' : 'POST';
  const stream = session.request({ ...headers, ':path': path, ':method': method });
  stream.end(body);
  const [[head], chunks] = await Promise.all([
    new Promise((resolve) => stream.on('response', (...parts) => resolve(parts))),
    stream.toArray(),
  ]);
  return `${head[':status']} ${digest(Buffer.concat(chunks))}`;
}
for (const path of ['/twice?n=3', '/large', '/stream', '/fails'])
  tell('h2', path, await exchange(path));
tell('h2 post', await exchange('/digest', payload(5 << 20)));
const streams = await atOnce(100, (n) => exchange(`/twice?n=${n}`));
tell('h2 streams', digest(streams.join()));
await new Promise((resolve) => session.close(resolve));
await secure.close();
