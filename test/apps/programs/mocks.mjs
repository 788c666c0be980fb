// mitm and nock, which stand in for servers: both reach under net.Socket, the one with sockets over handles of its
// own, the other with a connect() of its own on the sockets' handles. What they let pass goes to a real server.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import mitm from 'mitm';
import { atOnce, digest, next, payload, tell } from '../transcript.mjs';

// nock asks for a newer Node than soref does, and needs this of it.
Promise.withResolvers ??= () => {
  const withResolvers = {};
  withResolvers.promise = new Promise((resolve, reject) => {
    Object.assign(withResolvers, { resolve, reject });
  });
  return withResolvers;
};
const { default: nock } = await import('nock');
nock.restore();

function get(url, { over = http, body, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const request = over.request(url, { method, ...options }, async (response) => {
      resolve(`${response.statusCode} ${digest(Buffer.concat(await response.toArray()))}`);
    });
    request.on('error', reject).end(body);
  });
}

const server = http.createServer(async (request, response) => {
  response.end(Buffer.concat(await request.toArray()));
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const real = `http://127.0.0.1:${server.address().port}/`;

tell('--- mitm');
const mocked = mitm();
mocked.on('connect', (socket, { host, port }) => {
  if (host === '127.0.0.1') socket.bypass();
  else tell('connect', host, port, socket instanceof net.Socket);
});
mocked.on('connection', (socket, { port }) => {
  if (port === 25) socket.on('data', (data) => socket.write(`heard ${data}`));
});
mocked.on('request', async (request, response) => {
  const { length } = Buffer.concat(await request.toArray());
  response.statusCode = 402;
  response.end(`${request.headers.host} ${request.url} ${length}`);
});
tell(await get('http://shop.example/bill'));
tell(await get('http://shop.example/bill', { body: payload(200_000) }));
tell(await get('https://shop.example/secret', { over: https }));
const mail = net.connect(25, 'mail.example');
mail.write('HELO');
tell(String(await next(mail, 'data')));
mail.destroy();
tell('bypassed', await get(real, { body: payload(300_000) }));
mocked.disable();
tell('disabled', await get(real));

tell('--- nock');
nock.activate();
const bill = nock('http://shop.example').get('/bill').times(3).reply(402, 'pay');
nock('http://shop.example')
  .post('/bill', (body) => body.length === 20_000)
  .reply(200, 'paid');
nock('https://shop.example').get('/secret').reply(402, 'pay');
nock('http://shop.example').get('/late').delay(100).reply(200, payload(100_000));
tell(await get('http://shop.example/bill', { agent: false }));
const agent = new http.Agent({ keepAlive: true });
for (let turn = 0; turn < 2; turn++) tell(await get('http://shop.example/bill', { agent }));
agent.destroy();
tell(bill.isDone());
tell(await get('http://shop.example/bill', { body: 'x'.repeat(20_000), agent: false }));
tell(await get('https://shop.example/secret', { over: https, agent: false }));
tell(await get('http://shop.example/late', { agent: false }));
const passed = await atOnce(20, (index) =>
  get(real, { body: payload(index * 1000, index), agent: false }),
);
tell('let pass', digest(passed.join()));
nock.restore();
tell('restored', await get(real, { agent: false }));

server.closeAllConnections();
server.close();
