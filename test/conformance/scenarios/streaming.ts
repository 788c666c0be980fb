// Sockets as streams among other streams: pipes, pipelines, iteration, and the order of ticks.
import type { AddressInfo } from 'node:net';
import { PassThrough, pipeline, Readable } from 'node:stream';
import { closed, flow, listening, pair, pass, type Scenarios, until } from '../scenario';

export const streaming: Scenarios = {
  'an echo by pipe()': async (net, log) => {
    const { client, peer } = await pair(net, log);
    peer.pipe(peer);
    client.setEncoding('utf8');
    flow(client);
    client.write('echo');
    await until(client, 'data');
    client.end();
    await closed(client, peer);
  },

  'a pipeline into a socket, and one out of it': async (net, log) => {
    const { client, peer } = await pair(net, log);
    const done = new Promise((resolve) => {
      pipeline(Readable.from(['one ', 'two ', 'three']), client, (error) => {
        resolve(log.note('client', 'pipeline', error));
      });
    });
    const sink = new PassThrough();
    let text = '';
    sink.on('data', (data) => {
      text += data;
    });
    await new Promise((resolve) => {
      pipeline(peer, sink, (error) => resolve(log.note('peer', 'pipeline', error, text)));
    });
    peer.end();
    flow(client);
    await done;
  },

  'a pipeline whose source fails': async (net, log) => {
    const { client, peer } = await pair(net, log);
    flow(peer);
    const source = new Readable({
      read() {
        this.destroy(new Error('no more'));
      },
    });
    await new Promise((resolve) => {
      pipeline(source, client, (error) => resolve(log.note('client', 'pipeline', error)));
    });
    await pass(10);
    log.state(client, 'failed');
  },

  'an iteration that is broken off': async (net, log) => {
    const { client, peer } = await pair(net, log);
    flow(peer);
    peer.write('first');
    for await (const chunk of client) {
      log.note('client', 'got', chunk);
      break;
    }
    log.state(client, 'broken off');
    await closed(peer);
  },

  'ticks, microtasks and callbacks around a write': async (net, log) => {
    const { client, peer } = await pair(net, log);
    flow(peer);
    const mark = (what: string): void => {
      process.nextTick(() => log.note('client', 'tick after', what));
      queueMicrotask(() => log.note('client', 'microtask after', what));
    };
    client.write('one', () => {
      log.note('client', 'written');
      mark('the write');
    });
    mark('the call');
    log.note('client', 'called');
    await until(peer, 'data');
    client.end('two', () => {
      log.note('client', 'ended');
      mark('the end');
    });
    mark('the call of end');
    await until(peer, 'end');
    await closed(client);
  },

  'many writes in one turn': async (net, log) => {
    const { client, peer } = await pair(net, log);
    let text = '';
    log.mute(peer);
    peer.on('data', (data) => {
      text += data;
    });
    for (let index = 0; index < 20; index += 1) {
      client.write(`${index},`, () => log.note('client', 'written', index));
    }
    log.state(client, 'called');
    const ended = until(peer, 'end');
    client.end();
    await ended;
    log.note('peer heard', text);
  },

  'a write larger than the stream wants, and drain': async (net, log) => {
    const { client, peer } = await pair(net, log);
    log.mute(peer);
    flow(peer);
    // Corked, for whether the kernel takes that much at once is its own affair.
    client.cork();
    log.attempt('client', 'write', () => client.write('x'.repeat(70_000)));
    const drained = until(client, 'drain');
    client.uncork();
    await drained;
    log.attempt('client', 'write', () => client.write('z'));
  },

  'names that are asked for late': async (net, log) => {
    const server = net.createServer();
    server.listen(0, '127.0.0.1');
    await until(server, 'listening');
    const { port } = server.address() as AddressInfo;
    log.call(port, '<server port>');
    // Nobody watches these two: a name that is read once is remembered.
    const accepted = until(server, 'connection');
    const client = net.connect(port, '127.0.0.1');
    const [peer] = (await accepted) as [typeof client];
    const names = (socket: typeof client) => [
      socket.remoteAddress,
      socket.remotePort === undefined,
      socket.remoteFamily,
      socket.localAddress,
      socket.localPort === undefined,
      socket.localFamily,
    ];
    flow(client, peer);
    client.end();
    await until(peer, 'end');
    log.note('peer', 'ended', ...names(peer));
    await closed(client, peer);
    log.note('client', 'closed', ...names(client));
    log.note('peer', 'closed', ...names(peer));
    server.close();
  },

  'asynchronous disposal of a socket': async (net, log) => {
    const { client, peer } = await pair(net, log);
    flow(peer);
    const dispose = (client as unknown as Record<symbol, (() => Promise<void>) | undefined>)[
      Symbol.asyncDispose
    ];
    if (dispose === undefined) throw new Error('a socket is not disposable here');
    await dispose.call(client).then(
      (value) => log.note('client', 'disposed', value),
      (error) => log.note('client', 'rejected', error),
    );
    await closed(peer).catch(() => {});
  },

  'a server that listens again on its port': async (net, log) => {
    const { server, port } = await listening(net, log);
    for (let turn = 0; turn < 3; turn += 1) {
      server.close();
      log.attempt('server', 'listen', () => server.listen(port, '127.0.0.1'));
      await until(server, 'listening');
    }
    const client = log.watch('client', net.connect(port, '127.0.0.1'));
    await until(server, 'connection');
    client.destroy();
  },

  'listeners that are added late': async (net, log) => {
    const { client, peer } = await pair(net, log);
    peer.end('all');
    await pass(20);
    log.state(client, 'waited');
    client.on('data', (data) => log.note('client', 'heard', data));
    client.on('end', () => log.note('client', 'heard the end'));
    await closed(client);
    client.on('close', () => log.note('client', 'too late'));
    await pass(5);
  },
};
