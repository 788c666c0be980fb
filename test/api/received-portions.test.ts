/**
 * Bytes that the core has received and that the program gets in portions, because its own buffer (`onread`) is smaller
 * or because it did not read meanwhile: each portion is an event of its own. Every program is run on both nets.
 */
import t from 'tap';
import { onBothNets } from './both-nets';

/** A peer sends a known flow; `start(port, finish)` is the program's. */
const flow = (start: string, length: number) => `
  const { AsyncLocalStorage } = require('node:async_hooks');
  const context = new AsyncLocalStorage();
  const sent = Buffer.alloc(${length});
  for (let at = 0; at < sent.length; at++) sent[at] = at >> 10;
  const received = [];
  const take = (buffer) => received.push(Buffer.from(buffer));
  process.on('uncaughtException', (error) => log('uncaught', error.message));
  const peer = require('node:net').createServer((socket) => socket.end(sent));
  peer.listen(0, '127.0.0.1', () => {
    const buffer = Buffer.alloc(1024);
    const { port } = peer.address();
    const host = '127.0.0.1';
    let calls = 0;
    const socket = (() => { ${start} })();
    socket.on('end', () => setImmediate(() => {
      log('all', Buffer.concat(received).equals(sent), socket.bytesRead);
      peer.close();
    }));
  });`;

const readers: Record<string, string> = {
  'taken out of the buffer in a tick': `
    return net.connect({ port, host, onread: { buffer, callback(length) {
      process.nextTick(() => take(buffer.subarray(0, length)));
      return true;
    } } });`,
  'taken out of the buffer in a microtask': `
    return net.connect({ port, host, onread: { buffer, callback(length) {
      Promise.resolve().then(() => take(buffer.subarray(0, length)));
      return true;
    } } });`,
  'the callback throws': `
    return net.connect({ port, host, onread: { buffer, callback(length) {
      take(buffer.subarray(0, length));
      if (calls++ % 50 === 3) throw new Error('portion ' + calls);
      return true;
    } } });`,
  'a tick after the callback throws': `
    return net.connect({ port, host, onread: { buffer, callback(length) {
      take(buffer.subarray(0, length));
      if (calls++ === 3) process.nextTick(() => { throw new Error('tick'); });
      return true;
    } } });`,
  'paused in a tick, resumed in another context': `
    const socket = net.connect({ port, host, onread: { buffer, callback(length) {
      take(buffer.subarray(0, length));
      if (calls++ % 50 === 3) process.nextTick(() => {
        socket.pause();
        const before = calls;
        setTimeout(() => {
          log('meanwhile', calls - before, socket.bytesRead);
          context.run('another', () => socket.resume());
        }, 20);
      });
      if (context.getStore() !== undefined) log('in the context of', context.getStore());
      return true;
    } } });
    return socket;`,
  'stopped by the callback': `
    const socket = net.connect({ port, host, onread: { buffer, callback(length) {
      take(buffer.subarray(0, length));
      if (calls++ % 50 !== 3) return true;
      setTimeout(() => context.run('another', () => socket.resume()), 20);
      if (context.getStore() !== undefined) log('in the context of', context.getStore());
      return false;
    } } });
    return socket;`,
};

for (const [name, start] of Object.entries(readers)) {
  t.test(name, async (t) => {
    const { stdout } = await onBothNets(t, flow(start, 200 * 1024));
    t.match(stdout, /^all true 204800$/m);
  });
}

t.test('a listener throws while it gets what came during a pause', async (t) => {
  const start = `
    let paused = false;
    let bytes = 0;
    return net.connect({ port, host }).on('data', function (data) {
      take(data);
      bytes += data.length;
      if (!paused && bytes > sent.length / 4) {
        paused = true;
        this.pause();
        setTimeout(() => this.resume(), 200);
      } else if (paused && calls < 8) {
        calls++;
        throw new Error('no');
      }
    });`;
  const { stdout } = await onBothNets(t, flow(start, 8 * 1024 * 1024));
  t.match(stdout, /^all true 8388608$/m);
});

t.test('the callback takes the descriptor away', async (t) => {
  const program = flow(
    `
    const soref = require('soref');
    const { createServer, Socket, connect } = soref;
    const onread = { buffer, callback(length) {
      take(buffer.subarray(0, length));
      if (calls++ !== 3) return true;
      const next = Socket.attach(first.detach()).on('data', take);
      next.on('end', () => { log('all', Buffer.concat(received).equals(sent)); peer.close(); });
      return true;
    } };
    const first = connect({ port, host, onread });
    return first;`,
    200 * 1024,
  );
  const { stdout } = await onBothNets(t, program);
  t.equal(stdout, 'all true\n');
});

t.test('a buffer without any room', async (t) => {
  const { stdout } = await onBothNets(
    t,
    `const peer = require('node:net').createServer((socket) => {
      socket.on('error', () => {}).write('hello');
      peer.close();
    });
    peer.listen(0, '127.0.0.1', () => {
      const { port } = peer.address();
      const callback = () => { throw new Error('nothing was read'); };
      const socket = net.connect({ port, host: '127.0.0.1', onread: { buffer: Buffer.alloc(0), callback } });
      socket.on('error', ({ message }) => log(message)).on('close', () => log('closed', socket.bytesRead));
    });`,
  );
  t.equal(stdout, 'read ENOBUFS\nclosed 0\n');
});
