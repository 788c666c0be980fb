// A connected socket as a stream: half-close, backpressure, pausing, callbacks, and ends of every kind.
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { inherits } from 'node:util';
import * as net from 'soref';
import t, { type Test } from 'tap';

/** Two connected sockets, and their server, which closes with them. */
async function pair(t: Test, options: object = {}): Promise<[net.Socket, net.Socket]> {
  const server = net.createServer(options).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const accepted = once(server, 'connection');
  const client = net.connect({ port, host: '127.0.0.1', ...options } as never);
  const [[peer]] = await Promise.all([accepted, once(client, 'connect')]);
  server.close();
  t.teardown(() => {
    client.destroy();
    peer.destroy();
  });
  return [client, peer];
}

const later = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

t.test('half-close: each direction ends for itself', async (t) => {
  const [client, peer] = await pair(t, { allowHalfOpen: true });
  client.end('question');
  let question = '';
  peer.setEncoding('utf8').on('data', (text) => {
    question += text;
  });
  await once(peer, 'end');
  t.equal(question, 'question');
  t.strictSame([peer.readyState, peer.destroyed], ['writeOnly', false]);
  const closed = Promise.all([once(client, 'close'), once(peer, 'close')]);
  const answer = once(client.setEncoding('utf8'), 'data');
  peer.end('answer');
  t.equal((await answer)[0], 'answer');
  await closed;
});

t.test(
  'without half-open the end of reading ends writing, and says so to who writes on',
  async (t) => {
    const [client, peer] = await pair(t);
    client.on('error', () => {});
    client.resume();
    peer.end();
    peer.resume();
    await once(client, 'end');
    const result = await new Promise<Error | null | undefined>((resolve) => {
      client.write('late', resolve);
    });
    t.match(result, { code: 'EPIPE', message: 'This socket has been ended by the other party' });
  },
);

t.test('a paused socket stops the kernel, and so the peer', async (t) => {
  const [client, peer] = await pair(t);
  client.pause();
  const chunk = Buffer.alloc(1 << 20, 'x');
  let sent = 0;
  const write = () => {
    while (sent < 64 && peer.write(chunk)) sent++;
  };
  peer.on('drain', write);
  write();
  await later(200);
  const stopped = client.bytesRead;
  await later(100);
  t.equal(client.bytesRead, stopped, 'nothing is read any more');
  t.ok(stopped < 16 << 20, `no more than buffers hold: ${stopped}`);
  t.ok(peer.writableLength > 0, 'the peer waits');
  client.destroy();
  peer.destroy();
});

t.test('all of a large transfer arrives, with every callback once and in order', async (t) => {
  const [client, peer] = await pair(t);
  const calls: number[] = [];
  const size = 256 * 1024;
  for (let index = 0; index < 40; index++) {
    client.write(Buffer.alloc(size, index), (error) => {
      t.notOk(error);
      calls.push(index);
    });
  }
  client.end();
  let received = 0;
  let wrong = 0;
  for await (const chunk of peer as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; at += 4099) {
      if (chunk[at] !== Math.floor((received + at) / size)) wrong++;
    }
    received += chunk.length;
  }
  t.equal(received, 40 * size);
  t.equal(wrong, 0, 'in order');
  t.strictSame(
    calls,
    Array.from({ length: 40 }, (_, index) => index),
  );
  t.strictSame([client.bytesWritten, peer.bytesRead], [40 * size, 40 * size]);
  if (!client.closed) await once(client, 'close');
});

t.test('destroyed in the middle of writing, every callback is called once', async (t) => {
  const [client, peer] = await pair(t);
  peer.pause();
  const calls = new Map<number, number>();
  for (let index = 0; index < 40; index++) {
    client.write(Buffer.alloc(1 << 20), () => calls.set(index, (calls.get(index) ?? 0) + 1));
  }
  await later(20);
  client.destroy();
  await once(client, 'close');
  await later(20);
  t.equal(calls.size, 40);
  t.ok([...calls.values()].every((count) => count === 1));
});

t.test('strings in every encoding, corked and not', async (t) => {
  const [client, peer] = await pair(t);
  client.write('ä€𝄞', 'utf8');
  client.cork();
  client.write('616263', 'hex');
  client.write('ÿ', 'latin1');
  client.write(Buffer.from([0]));
  client.write('ab', 'utf16le');
  client.uncork();
  t.equal(client.writableLength, 0, 'what is small is taken at once');
  client.cork();
  client.write('€', 'utf8');
  client.write('', 'latin1');
  client.write(Buffer.from([1]));
  client.write('ÿ', 'latin1');
  client.write('ab', 'utf16le');
  client.uncork();
  client.end('YWJj', 'base64');
  const chunks: Buffer[] = [];
  for await (const chunk of peer as AsyncIterable<Buffer>) chunks.push(chunk);
  const expected = [
    Buffer.from('ä€𝄞'),
    Buffer.from('abc\xff\0', 'latin1'),
    Buffer.from('ab', 'utf16le'),
    Buffer.from('€\u0001'),
    Buffer.from('ÿ', 'latin1'),
    Buffer.from('ab', 'utf16le'),
    Buffer.from('abc'),
  ];
  t.strictSame(Buffer.concat(chunks), Buffer.concat(expected));
  t.equal(client.bytesWritten, Buffer.concat(expected).length);
});

t.test('large and small pieces of one write keep their order', async (t) => {
  const [client, peer] = await pair(t);
  const large = Buffer.alloc(200_000, 'b');
  const text = 'ä'.repeat(50_000);
  const pieces = ['head', large, '', 'ÿ', Buffer.from([0]), text, large, 'tail'];
  let called = 0;
  client.write('first');
  client.cork();
  for (const piece of pieces) client.write(piece, () => called++);
  client.uncork();
  client.end('last');
  const chunks: Buffer[] = [];
  for await (const chunk of peer as AsyncIterable<Buffer>) chunks.push(chunk);
  const expected = ['first', ...pieces, 'last'].map((piece) => Buffer.from(piece as string));
  t.ok(Buffer.concat(chunks).equals(Buffer.concat(expected)), 'all arrives, in order');
  t.equal(client.bytesWritten, Buffer.concat(expected).length);
  t.equal(called, pieces.length);
});

t.test("the caller's own buffer is filled piece by piece", async (t) => {
  const server = net.createServer((socket) => socket.end(Buffer.from('abcdefghij'))).listen(0);
  await once(server, 'listening');
  const pieces: string[] = [];
  const socket: net.Socket = net.connect({
    port: (server.address() as net.AddressInfo).port,
    host: '127.0.0.1',
    onread: {
      buffer: Buffer.alloc(4),
      callback(length: number, buffer: Uint8Array) {
        pieces.push(Buffer.from(buffer.subarray(0, length)).toString());
        if (pieces.length !== 2) return true;
        setTimeout(() => {
          t.equal(pieces.length, 2, 'false stops it');
          socket.resume();
        }, 30);
        return false;
      },
    },
  });
  socket.on('data', () => t.fail('no data event'));
  await once(socket, 'close');
  t.strictSame(pieces, ['abcd', 'efgh', 'ij']);
  server.close();
});

t.test('a reset reaches the peer as an error', async (t) => {
  const [client, peer] = await pair(t);
  peer.resume();
  const failed = once(peer, 'error');
  client.resetAndDestroy();
  t.match((await failed)[0], { message: 'read ECONNRESET', code: 'ECONNRESET', syscall: 'read' });
  const [hadError] = await once(peer, 'close');
  t.equal(hadError, true);
  client.on('error', (error) => t.match(error, { code: 'ERR_SOCKET_CLOSED' }));
  client.resetAndDestroy();
});

t.test('a socket that was never connected', async (t) => {
  const socket = new net.Socket();
  socket.resetAndDestroy();
  t.match((await once(socket, 'error'))[0], { code: 'ERR_SOCKET_CLOSED' });
  const other = new net.Socket();
  const failed = once(other, 'error');
  other.write('x');
  t.match((await failed)[0], { code: 'ERR_SOCKET_CLOSED', message: 'Socket is closed' });
});

t.test('idle timeouts', async (t) => {
  const [client, peer] = await pair(t);
  // How long the socket had been idle each time: on a busy machine it may be so in between too.
  const idle: number[] = [];
  let active = performance.now();
  const listener = () => idle.push(performance.now() - active);
  client.setTimeout(80, listener);
  t.equal(client.timeout, 80);
  for (let index = 0; index < 5; index++) {
    await later(40);
    peer.write('x');
    await once(client, 'data');
    active = performance.now();
  }
  await once(client, 'timeout');
  // libuv's timers count whole milliseconds.
  t.ok(Math.min(...idle) >= 79, 'activity pushes it back');
  t.equal(client.destroyed, false, 'the socket stays');
  const fired = idle.length;
  client.setTimeout(0, listener);
  await later(150);
  t.equal(idle.length, fired);
  t.throws(() => client.setTimeout(-1), {
    message:
      'The value of "msecs" is out of range. It must be a non-negative finite number. Received -1',
  });
  t.throws(() => client.setTimeout('1' as never), { code: 'ERR_INVALID_ARG_TYPE' });
});

t.test('a large write that leaves slowly puts the idle timeout off', async (t) => {
  const [client, peer] = await pair(t);
  // More than the kernel's buffers hold, taken so slowly that it is under way for several timeouts, and in portions so
  // small that the sender's kernel has room again many times within each.
  const size = 24 * 1024 * 1024;
  let taken = 0;
  let timeouts = 0;
  client.on('data', (chunk) => {
    taken += chunk.length;
    client.pause();
    setTimeout(() => client.resume(), 8);
  });
  client.on('end', () => client.destroy());
  peer.setTimeout(1000, () => {
    timeouts += 1;
  });
  await new Promise<void>((resolve) => peer.write(Buffer.alloc(size), () => resolve()));
  t.ok(taken > 0);
  t.equal(timeouts, 0, 'none while bytes leave');
  client.destroy();
});

t.test('a function with a prototype, for every way to call it', async (t) => {
  const Socket = net.Socket as unknown as (options?: object) => net.Socket;
  t.ok(Socket() instanceof net.Socket, 'without new');
  t.ok(Socket() instanceof Duplex);

  const Derived = function (this: net.Socket) {
    (net.Socket as unknown as (this: net.Socket, options: object) => void).call(this, {
      allowHalfOpen: true,
    });
  } as unknown as new () => net.Socket;
  inherits(Derived, net.Socket);
  const server = net.createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = new Derived();
  t.ok(socket instanceof net.Socket);
  t.equal(socket.allowHalfOpen, true);
  socket.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  const [data] = await once(socket, 'data');
  t.equal(String(data), 'hello');
  socket.end();
  await once(socket, 'close');
  server.close();

  class Sub extends net.Socket {
    greeting = 'hi';
  }
  t.equal(new Sub().greeting, 'hi');
});

t.test('options of the kernel socket are remembered before, and told after', async (t) => {
  const socket = new net.Socket() as net.Socket & {
    setTypeOfService(tos: number): unknown;
    getTypeOfService(): number;
  };
  t.equal(socket.setNoDelay().setKeepAlive(true, 1000), socket);
  t.equal(socket.getTypeOfService(), 0);
  socket.setTypeOfService(16);
  t.equal(socket.getTypeOfService(), 16);
  t.throws(() => socket.setTypeOfService(256), { code: 'ERR_OUT_OF_RANGE' });
  t.throws(() => socket.setTypeOfService('x' as never), { code: 'ERR_INVALID_ARG_TYPE' });
  const server = net.createServer((peer) => peer.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  socket.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  t.equal(socket.getTypeOfService(), 16);
  socket.resume();
  await once(socket, 'close');
  server.close();
});

t.test('a writer that never pauses hears that its peer has reset the connection', async (t) => {
  const [client, peer] = await pair(t);
  const block = Buffer.alloc(128 * 1024);
  const failure = once(peer, 'error');
  // The loop has no turn between one write and the next, as long as all of each leaves at once.
  const write = (): void => {
    if (!peer.destroyed) peer.write(block, (error) => error || process.nextTick(write));
  };
  client.once('data', () => {
    client.resetAndDestroy();
    write();
  });
  peer.write('begin');
  const [error] = await failure;
  t.match((error as NodeJS.ErrnoException).code, /ECONNRESET|EPIPE/);
});
