// attach and detach: a descriptor has one owner, and no byte is lost when it changes.
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import * as hostNet from 'node:net';
import { PassThrough } from 'node:stream';
import { TLSSocket } from 'node:tls';
import * as net from 'soref';
import t, { type Test } from 'tap';

async function pair(
  t: Test,
): Promise<{ server: net.Server; client: net.Socket; peer: net.Socket }> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const client = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  const [[peer]] = await Promise.all([accepted, once(client, 'connect')]);
  t.teardown(() => {
    client.destroy();
    peer.destroy();
    server.close();
  });
  return { server, client, peer };
}

t.test('detach gives the descriptor away, once', async (t) => {
  const { server, client, peer } = await pair(t);
  t.equal(peer.attached, true);
  const events: string[] = [];
  for (const event of ['detach', 'end', 'error', 'close']) {
    peer.on(event as never, () => events.push(event));
  }
  const ofServer = once(server, 'detach');
  const detached = peer.detach();
  t.ok(detached.fd > 2);
  t.equal(peer.attached, false);
  t.equal(peer.destroyed, true);
  t.throws(() => peer.detach(), { code: 'ERR_SOREF_DETACHED' });
  t.equal((await ofServer)[0], peer);
  await new Promise(setImmediate);
  t.strictSame(events, ['detach', 'close']);

  const again = net.Socket.attach(detached);
  t.equal(again.attached, true);
  t.equal(again.remotePort, client.localPort);
  const heard = once(client, 'data');
  again.write('still here');
  t.equal(String((await heard)[0]), 'still here');
  again.destroy();
  t.throws(() => again.detach(), { code: 'ERR_SOREF_DETACHED' });
  await once(again, 'close');
});

t.test('what goes along is not emitted as well', async (t) => {
  const { client, peer } = await pair(t);
  peer.pause();
  for (const [bytes, size] of [
    ['first, ', 7],
    ['second, ', 15],
    ['third', 20],
  ] as const) {
    client.write(bytes);
    while (peer.readableLength < size) await new Promise(setImmediate);
  }
  let seen = '';
  let detached: net.Detached | undefined;
  peer.on('data', (bytes) => {
    seen += bytes;
    detached ??= peer.detach();
  });
  peer.resume();
  await once(peer, 'close');
  t.equal(seen, 'first, ');
  t.equal(Buffer.concat(detached?.head ?? []).toString(), 'second, third');
  t.equal(peer.read(), null);
  if (detached) net.Socket.attach(detached).destroy();
});

t.test('what a connection holds that has ended in both directions goes along', async (t) => {
  const attach = (from: net.Detached) => net.Socket.attach(from);
  for (const adopt of [attach, ({ fd }: net.Detached) => new net.Socket({ fd })]) {
    const { client, peer } = await pair(t);
    // The client ends first, so that its connection is over for the kernel with the peer's end.
    client.allowHalfOpen = peer.allowHalfOpen = true;
    client.pause().end();
    await once(peer.resume(), 'end');
    await once(peer.end('x'.repeat(100_000)), 'close');
    const detached = client.detach();
    const again = adopt(detached);
    let length = Buffer.concat(again.readableLength > 0 ? [] : detached.head).length;
    t.ok(length + again.readableLength < 100_000, 'the kernel has some');
    for await (const chunk of again) length += chunk.length;
    t.equal(length, 100_000);
  }
});

t.test('what was received and not read goes along', async (t) => {
  const { client, peer } = await pair(t);
  client.write('unread');
  await once(peer, 'readable');
  const detached = peer.detach();
  t.equal(Buffer.concat(detached.head).toString(), 'unread');
  client.end(', and more');
  const again = net.Socket.attach(detached);
  let text = '';
  for await (const chunk of again.setEncoding('utf8')) text += chunk;
  t.equal(text, 'unread, and more');
});

t.test('what came in the same turn goes along, and what came while nobody read', async (t) => {
  for (const event of ['data', 'readable']) {
    const { client, peer } = await pair(t);
    const sent = Buffer.alloc(1 << 20);
    for (let at = 0; at < sent.length; at += 4) sent.writeUInt32LE(at, at);
    const read: Buffer[] = [];
    const given = new Promise<net.Detached>((resolve) => {
      const give = () => resolve(peer.detach());
      // Nobody reads what made it readable, so that the stream soon takes no more.
      if (event === 'readable') peer.once(event, () => setImmediate(give));
      else {
        peer.once('data', (data) => {
          read.push(data);
          give();
        });
      }
    });
    client.end(sent);
    const again = net.Socket.attach(await given);
    for await (const chunk of again as AsyncIterable<Buffer>) read.push(chunk);
    t.ok(Buffer.concat(read).equals(sent), `every byte, and in its order: ${event}`);
  }
});

t.test('what was written and not sent goes along, and its callbacks are called once', async (t) => {
  const { client, peer } = await pair(t);
  peer.pause();
  let calls = 0;
  const chunk = Buffer.alloc(1 << 20);
  for (let index = 0; index < 24; index++) client.write(chunk.fill(index), () => calls++);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const detached = client.detach();
  t.ok(detached.tail.length > 0);
  await once(client, 'close');
  await new Promise(setImmediate);
  t.equal(calls, 24);
  const again = net.Socket.attach(detached);
  again.end();
  let received = 0;
  for await (const chunk of peer as AsyncIterable<Buffer>) received += chunk.length;
  t.equal(received, 24 << 20, 'every byte arrives');
  if (!again.closed) await once(again, 'close');
});

t.test('a socket leaves although its write waits for a peer that has ended its side', async (t) => {
  for (const leave of ['destroy', 'resetAndDestroy', 'detach'] as const) {
    const { client, peer } = await pair(t);
    const chunk = Buffer.alloc(8 << 20);
    client.allowHalfOpen = true;
    peer.pause();
    peer.end();
    client.resume();
    await once(client, 'end');
    client.on('error', () => {});
    client.write(chunk);
    await new Promise(setImmediate);
    const detached = leave === 'detach' ? client.detach() : undefined;
    if (leave !== 'detach') client[leave]();
    await once(client, 'close');
    t.pass(`${leave} is followed by 'close'`);
    if (detached) closeSync(detached.fd);
  }
});

t.test('what is no connected stream socket is refused, and stays its owner’s', async (t) => {
  const file = openSync('/dev/null', 'r');
  t.throws(() => net.Socket.attach(file), { syscall: 'open', code: 'ENOTSOCK' });
  closeSync(file);
  t.throws(() => net.Socket.attach(file), { syscall: 'open', code: 'EBADF' });
  t.throws(() => net.Socket.attach(-1), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => net.Socket.attach('1' as never), { code: 'ERR_INVALID_ARG_TYPE' });
});

t.test('a descriptor that the core cannot hold is served by Node', async (t) => {
  const file = openSync('/etc/hosts', 'r');
  t.throws(() => new net.Socket({ fd: file }), { code: 'ERR_INVALID_FD_TYPE' });
  closeSync(file);
});

t.test('a socket of Node’s own says that it has nothing to give', (t) => {
  const { Socket } = hostNet;
  const members = Object.keys(Socket.prototype);
  const socket: net.Socket = new TLSSocket(new PassThrough() as never);
  t.equal(socket.attached, false);
  t.throws(() => socket.detach(), { code: 'ERR_SOREF_DETACHED' });
  t.notOk(
    members.includes('attached') || members.includes('detach'),
    'they do not show in listings',
  );
  t.end();
});

t.test('sockets that are not connected have nothing to give', async (t) => {
  const socket = new net.Socket();
  t.equal(socket.attached, false);
  t.throws(() => socket.detach(), { code: 'ERR_SOREF_DETACHED' });

  const { server } = await pair(t);
  const connecting = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  t.throws(() => connecting.detach(), { code: 'ERR_SOREF_DETACHED' });
  await once(connecting, 'connect');
  t.equal(connecting.attached, true);
  const closed = once(connecting, 'close');
  connecting.destroy();
  await closed;
});

for (const own of [false, true]) {
  t.test(
    `bytesRead counts what came along${own ? ', in a buffer of the program' : ''}`,
    async (t) => {
      const { client, peer } = await pair(t);
      peer.pause();
      client.write('hello');
      while (peer.readableLength < 5) await new Promise(setImmediate);
      const callback = () => true;
      const options = own ? { onread: { buffer: Buffer.alloc(2), callback } } : {};
      const next = net.Socket.attach(peer.detach(), options as net.SocketConstructorOpts);
      const counted = [next.bytesRead];
      next.resume();
      client.end('world');
      await once(next, 'end');
      counted.push(next.bytesRead);
      t.strictSame(counted, [own ? 0 : 5, 10]);
      next.destroy();
    },
  );
}
