// The ways of adopting soref in a server that the README describes, each as it is written there. Without
// soref/register: that one has tests of its own.
import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import { type AddressInfo, Socket as NodeSocket } from 'node:net';
import { createServer, type Server } from 'soref';
import t, { type Test } from 'tap';
import { cert, key } from './certificate';

async function listen(test: Test, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function get(url: string, body?: string): Promise<string> {
  const options = { agent: false, ca: cert, method: body === undefined ? 'GET' : 'POST' };
  const request = url.startsWith('https')
    ? https.request(url, options)
    : http.request(url, options);
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return (await response.toArray()).join('');
}

const answer: http.RequestListener = async (request, response) => {
  response.end(`${request.method} ${(await request.toArray()).join('')}`);
};
const large = 'x'.repeat(300_000);

t.test('soref accepts, and an http or https server goes on with its sockets', async (t) => {
  const web = http.createServer(answer);
  const secure = https.createServer({ key, cert }, answer);
  const plainPort = await listen(
    t,
    createServer((socket) => web.emit('connection', socket)),
  );
  const securePort = await listen(
    t,
    createServer((socket) => secure.emit('connection', socket)),
  );
  for (const url of [`http://localhost:${plainPort}`, `https://localhost:${securePort}`]) {
    t.equal(await get(url), 'GET ');
    t.equal(await get(url, large), `POST ${large}`);
  }
});

t.test('soref accepts, and Node’s own sockets go on', async (t) => {
  const web = http.createServer(answer);
  const secure = https.createServer({ key, cert }, answer);
  let detached = 0;
  const handOver = (target: http.Server | https.Server) =>
    createServer({ pauseOnConnect: true }, (socket) => {
      const { fd } = socket.detach();
      target.emit('connection', new NodeSocket({ fd }));
    }).on('detach', () => {
      detached += 1;
    });
  const plainPort = await listen(t, handOver(web));
  const securePort = await listen(t, handOver(secure));
  for (const url of [`http://localhost:${plainPort}`, `https://localhost:${securePort}`]) {
    t.equal(await get(url), 'GET ');
    t.equal(await get(url, large), `POST ${large}`);
  }
  t.equal(detached, 4, 'each connection has left soref');
});
