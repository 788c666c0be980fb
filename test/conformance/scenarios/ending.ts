// The ends of a connection: orderly, one-sided, forced, and with a reset.
import type { AddressInfo } from 'node:net';
import { closed, flow, listening, pair, pass, type Scenarios, until } from '../scenario';

export const ending: Scenarios = {
  'end, and the end of the other': async (net, log) => {
    const { client, peer } = await pair(net, log);
    flow(client, peer);
    log.attempt('client', 'end', () =>
      client.end('bye', 'utf8', () => log.note('client', 'callback')),
    );
    log.state(client, 'ended');
    await closed(client, peer);
    log.state(client, 'closed');
  },

  'half-open: the other direction goes on': async (net, log) => {
    const options = { allowHalfOpen: true };
    const { client, peer } = await pair(net, log, { server: options, client: options });
    flow(client, peer);
    client.end('question');
    await until(peer, 'end');
    log.state(peer, 'ended');
    await pass(10);
    log.state(peer, 'waited');
    peer.write('answer');
    await until(client, 'data');
    peer.end();
    await closed(client, peer);
  },

  'only the server allows half-open': async (net, log) => {
    const { client, peer } = await pair(net, log, { server: { allowHalfOpen: true } });
    flow(client, peer);
    const ends = until(client, 'end');
    peer.end('bye');
    await ends;
    await closed(client, peer);
  },

  'an end that nobody reads': async (net, log) => {
    const { client, peer } = await pair(net, log);
    const readable = until(client, 'readable');
    peer.end('left unread');
    await readable;
    log.state(client, 'unread');
    await pass(20);
    log.state(client, 'still unread');
    log.note('client', 'read', client.read());
    await closed(client, peer);
  },

  'destroy, without and with an error, twice': async (net, log) => {
    const { client, peer } = await pair(net, log);
    flow(client, peer);
    log.attempt('client', 'destroy', () => client.destroy(new RangeError('first')));
    log.attempt('client', 'destroy', () => client.destroy(new RangeError('second')));
    log.state(client, 'destroyed');
    client.write('late', (error) => log.note('client', 'write', error));
    client.end('later', (error?: Error) => log.note('client', 'end', error));
    await closed(client, peer);
  },

  'write after end': async (net, log) => {
    const { client, peer } = await pair(net, log);
    flow(client, peer);
    client.end('bye');
    log.attempt('client', 'write', () =>
      client.write('late', (error) => log.note('client', 'callback', error)),
    );
    await closed(client, peer);
  },

  'write after the end of the other': async (net, log) => {
    const { client, peer } = await pair(net, log);
    flow(client, peer);
    client.on('end', () => {
      log.attempt('client', 'write', () =>
        client.write('late', (error) => log.note('client', 'callback', error)),
      );
    });
    peer.end();
    await closed(client, peer);
  },

  'wrong data': async (net, log) => {
    const { client } = await pair(net, log);
    for (const [label, data] of [
      ['number', 1],
      ['object', {}],
      ['null', null],
      ['boolean', true],
    ]) {
      log.attempt('client', String(label), () => client.write(data as never));
    }
    log.attempt('client', 'encoding', () => client.write('text', 'nonsense' as never));
    log.attempt('client', 'no buffer', () => client.write('text', 'buffer' as never));
    log.attempt('client', 'empty', () => client.write(''));
    log.attempt('client', 'bytes', () => client.write(new Uint8Array([104, 105])));
    log.state(client);
  },

  'a connection that the other resets': async (net, log) => {
    const { client, peer } = await pair(net, log);
    flow(client);
    log.attempt('peer', 'reset', () => peer.resetAndDestroy());
    log.state(peer, 'reset');
    await closed(client, peer);
    log.state(client, 'closed');
  },

  'a reset before the connection stands, and after it': async (net, log) => {
    const { server, client, peer } = await pair(net, log);
    const { port } = server.address() as AddressInfo;
    const early = log.watch('early', net.connect(port, '127.0.0.1'));
    log.attempt('early', 'reset', () => early.resetAndDestroy());
    log.state(early, 'reset');
    await closed(early);
    client.destroy();
    flow(peer);
    await closed(client, peer);
    log.attempt('client', 'reset', () => client.resetAndDestroy());
    const never = log.watch('never', new net.Socket());
    log.attempt('never', 'reset', () => never.resetAndDestroy());
    await closed(never);
  },

  'destroySoon lets everything leave first': async (net, log) => {
    const { client, peer } = await pair(net, log);
    flow(peer);
    client.write('something');
    log.attempt('client', 'destroySoon', () => client.destroySoon());
    log.state(client, 'called');
    await closed(client, peer);
    log.state(peer, 'closed');
  },

  'what is written leaves before destroy': async (net, log) => {
    const { client, peer } = await pair(net, log);
    flow(peer);
    client.write('something', (error) => log.note('client', 'written', error));
    client.destroy();
    await closed(client, peer);
  },

  'destroyed in its first listener': async (net, log) => {
    const { server, port } = await listening(net, log);
    server.once('connection', (peer) => {
      peer.destroy();
      log.state(peer, 'destroyed');
    });
    const client = log.watch('client', net.connect(port, '127.0.0.1'));
    flow(client);
    await closed(client);
    await pass(10);
  },

  'ticks and microtasks between the events of an end': async (net, log) => {
    const { client, peer } = await pair(net, log);
    for (const event of ['data', 'end', 'finish', 'close']) {
      client.on(event, () => {
        process.nextTick(() => log.note('client', `tick after ${event}`));
        queueMicrotask(() => log.note('client', `microtask after ${event}`));
      });
    }
    peer.end('bye');
    await closed(client, peer);
    await pass(5);
  },

  'a socket that was never connected': async (net, log) => {
    const socket = log.watch('socket', new net.Socket());
    log.state(socket, 'new');
    log.attempt('socket', 'address', () => socket.address());
    log.attempt('socket', 'setNoDelay', () => socket.setNoDelay());
    log.attempt('socket', 'setKeepAlive', () => socket.setKeepAlive(true, 1000));
    log.attempt('socket', 'ref', () => socket.ref().unref());
    socket.write('nowhere', (error) => log.note('socket', 'write', error));
    socket.end(() => log.note('socket', 'end'));
    log.state(socket, 'ended');
    await pass(10);
    log.state(socket, 'waited');
  },
};
