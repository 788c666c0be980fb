// A hapi server: validation-free routes, payloads, streams, cookies, stopping with requests under way.
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import { Readable } from 'node:stream';
import Hapi from '@hapi/hapi';
import { cert, key } from '../counterpart.mjs';
import { atOnce, digest, payload, tell } from '../transcript.mjs';
import { request, summary } from '../web-client.mjs';

const progress = new EventEmitter();

async function makeServer(tls) {
  const server = Hapi.server({
    port: 0,
    host: 'localhost',
    tls,
    routes: { payload: { maxBytes: 64 << 20 } },
  });
  server.state('visits', { isSecure: false, isSameSite: false });
  server.route([
    { method: 'GET', path: '/hello/{name}', handler: ({ params }) => `hello ${params.name}` },
    { method: 'GET', path: '/large', handler: () => payload(6 << 20) },
    {
      method: 'GET',
      path: '/stream',
      handler: (_request, h) =>
        h.response(
          Readable.from(
            Array.from({ length: 200 }, (_, n) => payload(6000, n)),
            { objectMode: false },
          ),
        ),
    },
    {
      method: 'GET',
      path: '/cookie',
      handler: ({ state }, h) =>
        h
          .response(`visit ${state.visits ?? 0}`)
          .state('visits', String(1 + Number(state.visits ?? 0))),
    },
    {
      method: 'POST',
      path: '/digest',
      options: { payload: { parse: false, output: 'data' } },
      handler: (req) => digest(req.payload),
    },
    {
      method: 'GET',
      path: '/fails',
      handler: () => {
        throw new Error('unexpected');
      },
    },
    {
      method: 'GET',
      path: '/late',
      handler: () => {
        progress.emit('request under way');
        return new Promise((resolve) => setTimeout(resolve, 60, 'late'));
      },
    },
  ]);
  await server.start();
  return server;
}

const server = await makeServer(undefined);
const { port } = server.info;
const agent = new http.Agent({ keepAlive: true, maxSockets: 10 });
const options = { host: 'localhost', agent };
tell((await request(port, '/hello/world', options)).text);
for (const path of ['/large', '/stream', '/fails', '/nowhere'])
  tell(path, summary(await request(port, path, options)));
const sent = {
  ...options,
  method: 'POST',
  headers: { 'content-type': 'application/octet-stream' },
  body: payload(8 << 20),
};
tell((await request(port, '/digest', sent)).text);
const first = await request(port, '/cookie', options);
const cookie = first.headers['set-cookie'][0].split(';')[0];
tell(first.text, (await request(port, '/cookie', { ...options, headers: { cookie } })).text);
const answers = await atOnce(300, (n) => request(port, `/hello/${n}`, options));
tell('many', digest(answers.map(({ text }) => text).join()));
const late = request(port, '/late', { ...options, agent: false });
await once(progress, 'request under way');
const stopped = server.stop({ timeout: 5000 });
tell('while stopping', (await late).text);
await stopped;
agent.destroy();

const secure = await makeServer({ key, cert });
const secured = { host: 'localhost', protocol: 'https:', ca: cert };
const overTls = await atOnce(30, (n) =>
  import('node:https').then(({ default: https }) => {
    const one = new https.Agent({ ca: cert });
    return request(secure.info.port, `/hello/${n}`, { ...secured, agent: one }).finally(() =>
      one.destroy(),
    );
  }),
);
tell('TLS', digest(overTls.map(({ text }) => text).join()));
await secure.stop();
