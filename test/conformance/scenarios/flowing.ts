// Data on its way: backpressure, pausing, corking, caller's buffers, counters and timeouts.
import { closed, flow, listening, pair, pass, type Scenarios, until } from '../scenario';

export const flowing: Scenarios = {
  'pause and resume': async (net, log) => {
    const { client, peer } = await pair(net, log);
    client.setEncoding('utf8');
    flow(client);
    peer.write('one');
    await until(client, 'data');
    log.attempt('client', 'pause', () => client.pause());
    log.note('client', client.isPaused());
    peer.write('two');
    await pass(20);
    log.state(client, 'paused');
    log.attempt('client', 'resume', () => client.resume());
    await until(client, 'data');
    peer.end();
    await closed(client, peer);
  },

  'pause before connected': async (net, log) => {
    const { server, port } = await listening(net, log);
    server.on('connection', (peer) => peer.write('early'));
    const client = log.watch('client', new net.Socket());
    client.pause();
    client.connect(port, '127.0.0.1');
    await until(client, 'ready');
    await pass(20);
    log.state(client, 'waited');
    flow(client);
    await until(client, 'data');
  },

  'reading with read()': async (net, log) => {
    const { client, peer } = await pair(net, log);
    peer.write('0123456789');
    await until(client, 'readable');
    log.note('client', client.read(4), client.read(100), client.read());
    peer.end('rest');
    client.on('readable', () => log.note('client', client.read()));
    await closed(client);
  },

  'cork and uncork': async (net, log) => {
    const { client, peer } = await pair(net, log);
    peer.setEncoding('utf8');
    flow(peer);
    client.cork();
    for (const part of ['one ', 'two ', 'three']) {
      log.attempt('client', 'write', () => client.write(part, () => log.note('client', part)));
    }
    client.write(Buffer.from(' four'));
    client.write('20666976650a', 'hex');
    log.state(client, 'corked');
    client.uncork();
    log.state(client, 'uncorked');
    await until(peer, 'data');
    log.state(client, 'arrived');
  },

  'writes in every encoding': async (net, log) => {
    const { client, peer } = await pair(net, log);
    peer.setEncoding('hex');
    flow(peer);
    const encodings = [
      'utf8',
      'latin1',
      'ascii',
      'utf16le',
      'hex',
      'base64',
      'base64url',
      'binary',
    ];
    for (const encoding of encodings) {
      client.write('c3bc', encoding as BufferEncoding, () => log.note('client', encoding));
      await until(peer, 'data');
    }
    client.setDefaultEncoding('hex');
    client.write('c3bc');
    await until(peer, 'data');
    log.state(client, 'written');
  },

  'more than the kernel takes at once': async (net, log) => {
    const { client, peer } = await pair(net, log, { server: { pauseOnConnect: true } });
    const size = 32_000_000;
    let received = 0;
    log.attempt('client', 'write', () =>
      client.write(Buffer.alloc(size), () => log.note('client', 'written')),
    );
    log.state(client, 'waiting');
    await pass(20);
    log.note('client', client.writableLength, client.bytesWritten, client.bufferSize);
    // How many pieces arrive is the kernel's matter; so the peer's lane gets their sum alone.
    log.mute(peer);
    peer.on('data', (chunk) => {
      received += chunk.length;
    });
    flow(peer);
    const ended = until(peer, 'end');
    client.end('.');
    await ended;
    log.note('received', received, peer.bytesRead);
    flow(client);
    await closed(client);
    log.state(client, 'closed');
  },

  "a caller's buffer": async (net, log) => {
    const { server, port } = await listening(net, log);
    server.on('connection', (peer) => peer.end('0123456789abcdef'));
    const buffer = Buffer.alloc(10);
    const callback = (length: number, filled: Uint8Array): boolean => {
      log.note('client', 'onread', length, filled.subarray(0, length), filled === buffer);
      return true;
    };
    const client = log.watch(
      'client',
      net.connect({ port, host: '127.0.0.1', onread: { buffer, callback } }),
    );
    await closed(client);
    log.note('client', client.bytesRead);
  },

  "a caller's buffers, and a callback that says stop": async (net, log) => {
    const { server, port } = await listening(net, log);
    server.on('connection', (peer) => peer.end('0123456789'));
    let made = 0;
    const buffer = (): Uint8Array => {
      made += 1;
      return Buffer.alloc(4);
    };
    let called = 0;
    const callback = (length: number, filled: Uint8Array): boolean => {
      called += 1;
      log.note('client', 'onread', length, filled.subarray(0, length));
      return called !== 2;
    };
    const client = log.watch(
      'client',
      net.connect({ port, host: '127.0.0.1', onread: { buffer, callback } }),
    );
    while (called < 2) await pass(1);
    await pass(20);
    log.note('client', 'stopped', client.isPaused(), called, made > 0);
    client.resume();
    await closed(client);
    log.note('client', client.bytesRead, called);
  },

  'one direction only': async (net, log) => {
    const { server, port } = await listening(net, log, { allowHalfOpen: true });
    server.on('connection', (peer) => peer.resume());
    const host = '127.0.0.1';
    const mute = log.watch('mute', net.connect({ port, host, writable: false } as never));
    await until(mute, 'connect');
    log.state(mute, 'connected');
    mute.write('refused', (error) => log.note('mute', 'write', error));
    await pass(20);
    const deaf = log.watch('deaf', net.connect({ port, host, readable: false } as never));
    await until(deaf, 'connect');
    log.state(deaf, 'connected');
    deaf.end('accepted', () => log.note('deaf', 'ended'));
    await pass(20);
    log.state(deaf, 'waited');
  },

  'high-water marks': async (net, log) => {
    const client = { highWaterMark: 100, writableHighWaterMark: 10 };
    const connected = await pair(net, log, { server: { highWaterMark: 50 }, client });
    log.attempt('client', 'write', () => connected.client.write('0123456789'));
    log.attempt('peer', 'write', () => connected.peer.write('x'.repeat(60)));
    await pass(10);
    log.state(connected.client);
    log.state(connected.peer);
  },

  'counters of bytes': async (net, log) => {
    const { client, peer } = await pair(net, log);
    flow(client, peer);
    client.write('ü');
    log.note('client', client.bytesWritten, client.bytesRead);
    await until(peer, 'data');
    log.note('peer', peer.bytesRead);
    peer.write('€', 'utf8');
    peer.write('00ff', 'hex');
    log.note('peer', peer.bytesWritten);
    peer.end();
    await closed(client, peer);
    log.note('client', client.bytesWritten, client.bytesRead);
    log.note('peer', peer.bytesWritten, peer.bytesRead);
    client.write('late', () => {});
    log.note('client', client.bytesWritten);
  },

  'a timeout by method, and by none': async (net, log) => {
    const { client, peer } = await pair(net, log);
    log.attempt('client', 'set', () => client.setTimeout(15, () => log.note('client', 'callback')));
    await until(client, 'timeout');
    log.state(client, 'late');
    log.attempt('client', 'unset', () => client.setTimeout(0));
    peer.write('awake');
    flow(client);
    await until(client, 'data');
    await pass(40);
    for (const wrong of [-1, '10', Number.NaN, Number.POSITIVE_INFINITY, null]) {
      log.attempt('client', String(wrong), () => client.setTimeout(wrong as never));
    }
    log.attempt('client', 'callback', () => client.setTimeout(10, 'no function' as never));
    client.setTimeout(0);
  },

  'a timeout by option, ended by destroy': async (net, log) => {
    const { client, peer } = await pair(net, log, { client: { timeout: 15 } });
    flow(client, peer);
    await until(client, 'timeout');
    client.destroy();
    await closed(client, peer);
    await pass(30);
    log.attempt('client', 'set', () => client.setTimeout(5));
    await pass(20);
  },

  'activity puts a timeout off': async (net, log) => {
    const { client, peer } = await pair(net, log);
    flow(client, peer);
    client.setTimeout(400);
    for (let turn = 0; turn < 6; turn += 1) {
      peer.write('.');
      await until(client, 'data');
      await pass(100);
    }
    log.note('client', 'no timeout in', 600);
  },

  'reading by iteration': async (net, log) => {
    const { client, peer } = await pair(net, log);
    peer.end('all of it');
    for await (const chunk of client) log.note('client', 'got', chunk);
    await pass(5);
    log.state(client, 'read');
  },
};
