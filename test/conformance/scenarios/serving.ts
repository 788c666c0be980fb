// The life of a server: listening, limits, counting, refusing and closing.
import { channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { closed, flow, listening, pair, pass, type Scenarios, until } from '../scenario';

const major = Number(process.versions.node.split('.')[0]);

export const serving: Scenarios = {
  'listen in its forms': async (net, log) => {
    const forms: [string, unknown[]][] = [
      ['nothing', []],
      ['callback', [() => log.note('callback', 'called')]],
      ['port', [0]],
      ['port and host', [0, '127.0.0.1']],
      ['port, host and backlog', [0, '127.0.0.1', 5]],
      ['options', [{ port: 0, host: '127.0.0.1', backlog: 5, exclusive: true }]],
      ['only IPv4 named', [{ port: 0, host: '0.0.0.0' }]],
      ['null for a port', [null]],
      ['undefined for a port', [{ port: undefined }]],
      ['text for a port', ['0']],
    ];
    for (const [label, values] of forms) {
      const server = log.watch(label, net.createServer());
      server.listen(...(values as []));
      await until(server, 'listening');
      const { address, family, port } = server.address() as AddressInfo;
      log.note(label, address, family, port > 0);
      server.close();
      await closed(server);
      log.note(label, server.address());
    }
  },

  'wrong arguments of listen': async (net, log) => {
    const wrong = [
      -1,
      65_536,
      'x'.repeat(10) as never,
      {},
      { port: -1 },
      { port: 'http' },
      { path: 5 },
      { fd: -1 },
      { port: 0, signal: 'no' },
      true,
      false,
      { host: 'localhost' },
      { port: {} },
      { path: '\0abstract', readableAll: true },
    ].filter((each) => typeof each !== 'string');
    for (const value of wrong) {
      const server = log.watch(JSON.stringify(value), net.createServer());
      log.attempt(JSON.stringify(value), 'listen', () => server.listen(value as never));
    }
  },

  'listen twice': async (net, log) => {
    const { server, port } = await listening(net, log);
    log.attempt('server', 'again', () => server.listen(0));
    const second = log.watch('second', net.createServer());
    log.attempt('second', 'listen', () =>
      second.listen(port, '127.0.0.1', () => log.note('second', 'callback')),
    );
    await until(second, 'error');
    log.state(second, 'failed');
    server.close();
    await closed(server);
    second.listen(port, '127.0.0.1');
    await until(second, 'listening');
  },

  'a listener and a close in one go': async (net, log) => {
    const server = log.watch('server', net.createServer());
    server.listen(0, '127.0.0.1', () => log.note('server', 'callback'));
    log.attempt('server', 'close', () =>
      server.close((error) => log.note('server', 'closed', error)),
    );
    await closed(server);
    await pass(10);
  },

  "an address that is not the host's": async (net, log) => {
    const server = log.watch('server', net.createServer());
    server.listen(0, '192.0.2.1');
    await until(server, 'error');
    log.state(server, 'failed');
    const named = log.watch('named', net.createServer());
    named.listen(0, 'name.invalid');
    await until(named, 'error');
  },

  'close, with connections and without': async (net, log) => {
    const { server, client, peer } = await pair(net, log);
    flow(client, peer);
    server.close((error) => log.note('server', 'callback', error));
    log.state(server, 'closing');
    await pass(10);
    client.end();
    await closed(server);
    log.attempt('server', 'again', () =>
      server.close((error) => log.note('server', 'callback', error)),
    );
    await pass(5);
    const never = log.watch('never', net.createServer());
    never.close((error) => log.note('never', 'callback', error));
    await closed(never);
  },

  'maxConnections and drop': async (net, log) => {
    const { server, port } = await listening(net, log);
    server.maxConnections = 1;
    const first = log.watch('first', net.connect(port, '127.0.0.1'));
    await until(server, 'connection');
    const dropped = until(server, 'drop');
    const second = log.watch('second', net.connect(port, '127.0.0.1'));
    flow(first, second);
    await Promise.all([closed(second), dropped]);
    server.maxConnections = 0;
    log.state(server, 'zero');
    const third = log.watch('third', net.connect(port, '127.0.0.1'));
    flow(third);
    await Promise.race([until(server, 'drop'), until(server, 'connection')]);
    await pass(5);
  },

  pauseOnConnect: async (net, log) => {
    const { server, client, peer } = await pair(net, log, { server: { pauseOnConnect: true } });
    client.write('waits');
    await pass(20);
    log.state(peer, 'paused');
    log.note('server', server.listening);
    flow(peer);
    await until(peer, 'data');
    client.end();
    flow(client);
    await closed(client, peer);
  },

  'noDelay and keepAlive of the server and the client': async (net, log) => {
    const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 1500 };
    const { client, peer } = await pair(net, log, { server: options, client: options });
    for (const [name, socket] of [
      ['client', client],
      ['peer', peer],
    ] as const) {
      log.attempt(name, 'setNoDelay', () => socket.setNoDelay(false));
      log.attempt(name, 'setNoDelay', () => socket.setNoDelay());
      log.attempt(name, 'setKeepAlive', () => socket.setKeepAlive(false));
      log.attempt(name, 'setKeepAlive', () => socket.setKeepAlive(true, 2000));
    }
    for (const wrong of ['1', {}, Number.NaN]) {
      const given = { keepAliveInitialDelay: wrong } as never;
      log.attempt('server', String(wrong), () => net.createServer(given));
      log.attempt('client', String(wrong), () => new net.Socket(given));
      log.attempt('server', String(wrong), () =>
        net.createServer({ highWaterMark: wrong } as never),
      );
    }
    log.attempt('server', 'options', () => net.createServer('no options' as never));
    log.state(
      log.watch(
        'negative',
        net.createServer({ keepAliveInitialDelay: -5, highWaterMark: -5 } as never),
      ),
    );
  },

  'getConnections and the count': async (net, log) => {
    const { server, client, peer } = await pair(net, log);
    const count = () =>
      new Promise((resolve) => {
        server.getConnections((error, connections) =>
          resolve(log.note('server', error, connections)),
        );
      });
    await count();
    flow(client, peer);
    client.end();
    await closed(client, peer);
    await count();
    log.attempt('server', 'getConnections', () => server.getConnections(() => {}));
    await pass(2);
  },

  'a connection that connects elsewhere afterwards counts once': async (net, log) => {
    const { server, client, peer } = await pair(net, log);
    flow(client);
    const elsewhere = net.createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    log.atEnd(() => elsewhere.close());
    await until(elsewhere, 'listening');
    const { port } = elsewhere.address() as AddressInfo;
    log.call(port, '<other port>');
    server.close();
    peer.destroy();
    await closed(peer, server);
    peer.connect(port, '127.0.0.1');
    await until(peer, 'connect');
    peer.destroy();
    await closed(peer);
    await pass(5);
    log.state(server);
  },

  'asynchronous disposal': async (net, log) => {
    const { server, client, peer } = await pair(net, log);
    flow(client, peer);
    const dispose = (server as unknown as Record<symbol, () => Promise<void>>)[Symbol.asyncDispose];
    if (dispose === undefined) throw new Error('a server is not disposable here');
    const disposed = dispose.call(server);
    client.end();
    log.note('server', 'disposed', await disposed);
    log.note('server', 'again', await dispose.call(server));
  },

  'an abort signal closes a server': async (net, log) => {
    const abort = new AbortController();
    const server = log.watch('server', net.createServer());
    server.listen({ port: 0, host: '127.0.0.1', signal: abort.signal });
    await until(server, 'listening');
    abort.abort();
    log.state(server, 'aborted');
    await closed(server);
    const late = log.watch('late', net.createServer());
    late.listen({ port: 0, host: '127.0.0.1', signal: AbortSignal.abort() });
    await closed(late);
  },

  'exclusive, and the port shared': async (net, log) => {
    const listen = async (name: string, options: object): Promise<[Server, unknown]> => {
      const server = log.watch(name, net.createServer());
      server.listen({ port: 0, host: '127.0.0.1', ...options } as never);
      const outcome = await Promise.race([until(server, 'listening'), until(server, 'error')]);
      return [server, outcome];
    };
    const [exclusive] = await listen('exclusive', { exclusive: true });
    const { port } = exclusive.address() as AddressInfo;
    await listen('refused', { exclusive: true, port });
    // A host that does not know the option ignores it.
    if (major < 23) return;
    const [first] = await listen('first', { reusePort: true });
    await listen('second', { reusePort: true, port: (first.address() as AddressInfo).port });
  },

  'a block list of the server': async (net, log) => {
    // A host that does not know the option ignores it.
    if (major < 22) return;
    const blockList = new net.BlockList();
    blockList.addSubnet('127.0.0.0', 8);
    const { server, port } = await listening(net, log, { blockList } as never);
    const client = log.watch('client', net.connect(port, '127.0.0.1'));
    flow(client);
    await closed(client);
    log.state(server, 'blocked');
    log.attempt('server', 'wrong', () => net.createServer({ blockList: {} } as never));
  },

  'ref and unref': async (net, log) => {
    const { server, client, peer } = await pair(net, log);
    log.attempt('server', 'unref', () => server.unref());
    log.attempt('server', 'ref', () => server.ref());
    log.attempt('client', 'unref', () => client.unref());
    log.attempt('client', 'ref', () => client.ref());
    log.attempt('peer', 'unref', () => peer.unref());
    client.destroy();
    log.attempt('client', 'unref', () => client.unref());
    flow(peer);
    await closed(client, peer);
    log.note('client', 'waiting for', client.listenerCount('connect'));
    server.close();
    await closed(server);
    log.attempt('server', 'unref', () => server.unref());
  },

  'a listener that rejects': async (net, log) => {
    const before = EventEmitter.captureRejections;
    EventEmitter.captureRejections = true;
    log.atEnd(() => {
      EventEmitter.captureRejections = before;
    });
    const { server, port } = await listening(net, log);
    server.on('connection', async () => {
      throw new Error('rejected');
    });
    const client = log.watch('client', net.connect(port, '127.0.0.1'));
    flow(client);
    await Promise.race([closed(client), pass(50)]);
  },

  'diagnostics channels': async (net, log) => {
    const listen = (name: string, message: unknown) => {
      const keys = Object.keys(message as object).sort();
      log.note('channels', name, keys);
    };
    const names = [
      'net.client.socket',
      'net.server.socket',
      'tracing:net.server.listen:asyncStart',
    ];
    names.push('tracing:net.server.listen:asyncEnd', 'tracing:net.server.listen:error');
    for (const name of names) {
      const each = channel(name);
      const listener = (message: unknown) => listen(name, message);
      each.subscribe(listener);
      log.atEnd(() => each.unsubscribe(listener));
    }
    const { server, client, peer } = await pair(net, log);
    const { port } = server.address() as AddressInfo;
    const refused = log.watch('refused', net.createServer());
    refused.listen(port, '127.0.0.1');
    await until(refused, 'error');
    flow(client, peer);
    client.end();
    await closed(client, peer);
  },
};
