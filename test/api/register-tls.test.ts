// TLS over soref sockets, which leave soref for Node's handles: this file registers soref in its own process.
import 'soref/register';
import { once } from 'node:events';
import * as https from 'node:https';
import * as net from 'node:net';
import * as tls from 'node:tls';
import { promisify } from 'node:util';

import soref = require('soref');

import t from 'tap';
import { cert, key } from './certificate';

type Socket = InstanceType<typeof soref.Socket>;

const identity = { key, cert };

const portOf = (server: net.Server) => (server.address() as net.AddressInfo).port;

async function listening<S extends net.Server>(server: S): Promise<S> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** A server that speaks TLS from the start and sends back what it gets. */
const echoServer = () => listening(tls.createServer(identity, (socket) => socket.pipe(socket)));

const nextText = async (socket: net.Socket) => String((await once(socket, 'data'))[0]);

async function close(server: net.Server): Promise<void> {
  server.close();
  await once(server, 'close');
}

t.test('a TLS server’s connections are accepted by soref', async (t) => {
  const server = await echoServer();
  t.ok(server instanceof soref.Server);
  const { attached } = soref.ledger();
  const [raw, secure] = [
    once(server, 'connection'),
    tls.connect({ port: portOf(server), rejectUnauthorized: false }),
  ];
  secure.write('accepted');
  t.equal(await nextText(secure), 'accepted');
  t.equal(soref.ledger().attached, attached + 1);
  const [socket] = (await raw) as [net.Socket];
  t.ok(socket instanceof net.Socket);
  t.equal(socket.remotePort, secure.localPort);
  let open = await promisify(server.getConnections).call(server);
  t.equal(open, 1);
  secure.end();
  await once(secure, 'close');
  await close(server);
  open = await promisify(server.getConnections).call(server);
  t.equal(open, 0);
});

t.test('a connect() that a program puts in the place of net’s is that of TLS too', async (t) => {
  const server = await echoServer();
  const { connect } = net.Socket.prototype;
  const seen: boolean[] = [];
  net.Socket.prototype.connect = function (this: net.Socket, ...values: unknown[]) {
    seen.push(this instanceof tls.TLSSocket);
    return Reflect.apply(connect, this, values);
  } as typeof connect;
  const reply = async () => {
    const secure = tls.connect({ port: portOf(server), rejectUnauthorized: false });
    secure.end('heard');
    const text = await nextText(secure);
    await once(secure, 'close');
    return text;
  };
  t.equal(await reply(), 'heard');
  t.same(seen, [true]);
  net.Socket.prototype.connect = connect;
  t.equal(await reply(), 'heard');
  t.same(seen, [true]);

  const alone = new tls.TLSSocket(new net.Socket());
  alone.connect = () => alone;
  t.ok(Object.hasOwn(alone, 'connect'));
  alone.destroy();
  await close(server);
});

t.test('a PROXY line before TLS', async (t) => {
  const server = tls.createServer(identity, (socket) => socket.pipe(socket));
  const lines: string[] = [];
  // Whoever reads a line of its own from the connection passes the rest on to TLS.
  const listener = await listening(
    net.createServer((socket) => {
      socket.once('readable', () => {
        const chunk = socket.read() as Buffer;
        const end = chunk.indexOf('\r\n') + 2;
        lines.push(chunk.toString('latin1', 0, end));
        socket.unshift(chunk.subarray(end));
        server.emit('connection', socket);
      });
    }),
  );
  const plain = net.connect(portOf(listener), '127.0.0.1');
  plain.write('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n');
  const secure = tls.connect({ socket: plain, rejectUnauthorized: false });
  secure.write('behind a proxy');
  t.equal(await nextText(secure), 'behind a proxy');
  t.same(lines, ['PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n']);
  secure.end();
  await once(secure, 'close');
  await close(listener);
});

t.test('a connected socket', async (t) => {
  const server = await echoServer();
  const plain = net.connect(portOf(server), '127.0.0.1');
  await once(plain, 'connect');
  t.equal((plain as Socket).attached, true);
  const secure = tls.connect({ socket: plain, rejectUnauthorized: false });
  t.notOk(
    soref.sockstat().some(({ fd, remote }) => fd >= 0 && remote.endsWith(`:${portOf(server)}`)),
    'the connection has left soref',
  );
  t.equal((plain as Socket).attached, false);
  t.equal(plain.remotePort, portOf(server));
  secure.write('connected');
  t.equal(await nextText(secure), 'connected');
  secure.end();
  await once(secure, 'close');
  t.equal(plain.destroyed, true);
  await close(server);
});

t.test('a socket that still connects', async (t) => {
  const server = await echoServer();
  const plain = net.connect(portOf(server), '127.0.0.1');
  const secure = tls.connect({ socket: plain, rejectUnauthorized: false });
  secure.write('connecting');
  t.equal(await nextText(secure), 'connecting');
  secure.end();
  await once(secure, 'close');
  await close(server);
});

t.test('a socket that TLS gives up while it connects', async (t) => {
  const server = await echoServer();
  const plain = net.connect(portOf(server), '127.0.0.1');
  const secure = tls.connect({ socket: plain, rejectUnauthorized: false });
  secure.on('error', () => undefined);
  secure.destroy();
  await once(plain, 'close');
  t.equal(plain.destroyed, true);
  await close(server);
});

t.test('a connection that is refused', async (t) => {
  const server = await echoServer();
  const port = portOf(server);
  await close(server);
  const plain = net.connect(port, '127.0.0.1');
  plain.on('error', () => undefined);
  const secure = tls.connect({ socket: plain, rejectUnauthorized: false });
  secure.on('error', () => undefined);
  await new Promise((resolve) => secure.on('close', resolve));
  t.equal(plain.destroyed, true);
});

t.test('STARTTLS on both sides, with what is still to be sent', async (t) => {
  const server = await listening(net.createServer());
  server.on('connection', async (plain) => {
    await once(plain, 'data');
    plain.pause();
    // Written in the same turn in which TLS takes over: it goes out before the handshake.
    plain.write('go ahead');
    const secure = new tls.TLSSocket(plain, { isServer: true, ...identity });
    secure.end(`encrypted ${await nextText(secure)}`);
  });
  const plain = net.connect(portOf(server), '127.0.0.1');
  plain.write('STARTTLS');
  t.equal(await nextText(plain), 'go ahead');
  const secure = tls.connect({ socket: plain, rejectUnauthorized: false });
  secure.write('secret');
  t.equal(await nextText(secure), 'encrypted secret');
  secure.end();
  await once(secure, 'close');
  await close(server);
});

/** Reads so many bytes, and none that come after them. */
async function readAll(socket: net.Socket, length: number): Promise<string> {
  let text = '';
  while (text.length < length) {
    const chunk: Buffer | null = socket.read(Math.min(length - text.length, socket.readableLength));
    if (chunk === null) await once(socket, 'readable');
    else text += chunk.toString('latin1');
  }
  return text;
}

for (const writes of [1, 3]) {
  t.test(`${writes} large writes that are under way when TLS takes over`, async (t) => {
    const size = 3_000_000;
    const server = await listening(net.createServer());
    let written = 0;
    server.on('connection', (plain) => {
      for (let count = 0; count < writes; count += 1) {
        plain.write(String(count).repeat(size), () => {
          written += 1;
        });
      }
      const secure = new tls.TLSSocket(plain, { isServer: true, ...identity });
      secure.end('after them');
    });
    const plain = net.connect(portOf(server), '127.0.0.1');
    for (let count = 0; count < writes; count += 1) {
      t.ok((await readAll(plain, size)) === String(count).repeat(size), `write ${count} in order`);
    }
    const secure = tls.connect({ socket: plain, rejectUnauthorized: false });
    t.equal(await nextText(secure), 'after them');
    secure.end();
    await once(secure, 'close');
    t.equal(written, writes, 'every callback, once');
    await close(server);
  });
}

t.test('a header that is written before the connection stands', async (t) => {
  const server = await listening(net.createServer());
  server.on('connection', async (plain) => {
    t.equal(await readAll(plain, 6), 'header');
    const secure = new tls.TLSSocket(plain, { isServer: true, ...identity });
    secure.end(`then ${await nextText(secure)}`);
  });
  const plain = net.connect(portOf(server), '127.0.0.1');
  plain.write('header');
  const secure = tls.connect({ socket: plain, rejectUnauthorized: false });
  secure.write('encrypted');
  t.equal(await nextText(secure), 'then encrypted');
  secure.end();
  await once(secure, 'close');
  await close(server);
});

t.test('the plain socket ends the connection below TLS', async (t) => {
  const server = await echoServer();
  const plain = net.connect(portOf(server), '127.0.0.1');
  await once(plain, 'connect');
  const secure = tls.connect({ socket: plain, rejectUnauthorized: false });
  await once(secure, 'secureConnect');
  plain.end();
  secure.on('error', () => undefined);
  await new Promise((resolve) => secure.on('close', resolve));
  t.equal(plain.destroyed, true);
  await close(server);
});

t.test('a TLS server is given a connection that a soref server accepted', async (t) => {
  const inner = tls.createServer(identity, (socket) => socket.end('given'));
  const server = await listening(net.createServer((socket) => inner.emit('connection', socket)));
  const secure = tls.connect(portOf(server), '127.0.0.1', { rejectUnauthorized: false });
  t.equal(await nextText(secure), 'given');
  secure.end();
  await once(secure, 'close');
  await close(server);
});

t.test('https with keep-alive', async (t) => {
  const server = await listening(https.createServer(identity, (_, response) => response.end('ok')));
  const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });
  for (const reused of [false, true]) {
    const outgoing = https.get({ host: '127.0.0.1', port: portOf(server), agent });
    const [response] = await once(outgoing, 'response');
    response.resume();
    await once(response, 'end');
    t.equal(outgoing.reusedSocket, reused);
    await new Promise((resolve) => setImmediate(resolve));
  }
  agent.destroy();
  await close(server);
});
