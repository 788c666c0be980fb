// An express application: routing, bodies, streams, files, errors, keep-alive, and clients that go away.
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { Readable } from 'node:stream';
import express from 'express';
import { atOnce, digest, failure, payload, tell } from '../transcript.mjs';
import { request, summary } from '../web-client.mjs';

const app = express();
app.disable('x-powered-by');
app.use('/raw', express.raw({ limit: '32mb', type: () => true }));
app.use(express.json());
app.get('/hello/:name', (req, res) => res.send(`hello ${req.params.name} from ${req.ip}`));
app.post('/json', (req, res) => res.json({ received: req.body }));
app.post('/raw', (req, res) => res.type('text').send(digest(req.body)));
app.get('/large', (_req, res) => res.type('bin').send(payload(8 << 20)));
app.get('/stream', (_req, res) => {
  Readable.from(Array.from({ length: 500 }, (_, index) => payload(4000, index))).pipe(res);
});
app.get('/file', (_req, res) => res.sendFile(import.meta.filename));
app.get('/throws', () => {
  throw Object.assign(new Error('thrown'), { status: 418, expose: true });
});
app.get('/cut', (_req, res) => {
  res.set('content-length', '1000').write('only this', () => res.socket.destroy());
});
app.get('/reset', (req) => req.socket.resetAndDestroy());
let gone;
app.get('/slow', (_req, res) => {
  gone = once(res, 'close').then(() => res.writableFinished);
  res.write('begun');
});
app.use((error, _req, res, _next) => res.status(error.status ?? 500).send(error.message));

const server = http.createServer(app).listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();
const agent = new http.Agent({ keepAlive: true, maxSockets: 6 });

tell((await request(port, '/hello/world', { agent })).text);
const json = JSON.stringify({ deep: { list: [1, 2, 3] } });
const headers = { 'content-type': 'application/json' };
tell((await request(port, '/json', { agent, method: 'POST', headers, body: json })).text);
tell('bad json', (await request(port, '/json', { method: 'POST', headers, body: '{' })).status);
for (const path of ['/large', '/stream', '/file', '/throws', '/nowhere']) {
  tell(path, summary(await request(port, path, { agent })));
}
const body = payload(9 << 20);
tell('post', (await request(port, '/raw', { agent, method: 'POST', body })).text);
const stream = Readable.from(Array.from({ length: 300 }, (_, index) => payload(9000, index)));
tell('post stream', (await request(port, '/raw', { method: 'POST', body: stream })).text);
const range = { headers: { range: 'bytes=10-19' } };
tell('range', (await request(port, '/file', range)).text);
const answers = await atOnce(400, (index) => request(port, `/hello/${index}`, { agent }));
tell('many', digest(answers.map(({ text }) => text).join()), agent.totalSocketCount);
tell('cut', await failure(() => request(port, '/cut')));
tell('reset', await failure(() => request(port, '/reset')));

const leaving = net.connect(port, '127.0.0.1');
leaving.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
await once(leaving, 'data');
leaving.destroy();
tell('finished though the client left', await gone);

const pipelining = net.connect(port, '127.0.0.1');
pipelining.end(
  'GET /hello/a HTTP/1.1\r\nHost: x\r\n\r\nGET /hello/b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
);
const received = (await pipelining.toArray()).join('');
tell('pipelined', received.match(/hello \w/g).join());

const malformed = net.connect(port, '127.0.0.1');
malformed.write('NONSENSE\r\n\r\n');
tell((await malformed.toArray()).join('').split('\r\n')[0]);

agent.destroy();
server.close();
await once(server, 'close');
