// How connections come about, and how they do not.
import { once } from 'node:events';
import { type AddressInfo, isIP } from 'node:net';
import { closed, flow, listening, pair, pass, type Scenarios, until } from '../scenario';

const major = Number(process.versions.node.split('.')[0]);

/** A port on which nobody listens: it was somebody's until now. */
async function freePort(net: typeof import('node:net')): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

type Lookup = (host: string, options: object, done: (...result: unknown[]) => void) => void;

/** A lookup that answers later, with what it was told. */
function answering(...result: unknown[]): { lookup: never } {
  const lookup: Lookup = (_host, _options, done) => process.nextTick(done, ...result);
  return { lookup: lookup as never };
}

/** Options to connect to a name that has these addresses, which are tried in turn. */
function towards(port: number, ...addresses: string[]) {
  const found = addresses.map((address) => ({ address, family: isIP(address) }));
  return { port, host: 'name.test', autoSelectFamily: true, ...answering(null, found) };
}

export const connecting: Scenarios = {
  'connect, and the states on the way': async (net, log) => {
    const { port } = await listening(net, log);
    const client = log.watch('client', new net.Socket());
    log.state(client, 'new');
    log.attempt('client', 'connect', () =>
      client.connect(port, '127.0.0.1', () => log.note('client', 'callback')),
    );
    log.state(client, 'called');
    log.note('client', 'address', client.address());
    await until(client, 'ready');
    log.note('client', 'address', client.address());
    client.end();
    flow(client);
    await closed(client);
    log.state(client, 'closed');
    log.note('client', 'address', client.address());
  },

  'connect refused': async (net, log) => {
    const port = await freePort(net);
    log.call(port, '<no port>');
    const client = log.watch('client', net.connect(port, '127.0.0.1'));
    client.write('never sent', (error) => log.note('client', 'write', error));
    await closed(client);
    log.state(client, 'closed');
  },

  'a socket that connects again': async (net, log) => {
    const { server, port } = await listening(net, log);
    server.on('connection', (peer) => peer.resume());
    const client = log.watch('client', net.connect(port, '127.0.0.1'));
    flow(client);
    client.end('first');
    await closed(client);
    client.connect(port, '127.0.0.1');
    log.state(client, 'again');
    await until(client, 'connect');
    flow(client);
    client.end('second');
    await closed(client);
  },

  'wrong arguments of connect': async (net, log) => {
    const socket = () => new net.Socket();
    const wrong: [string, object][] = [
      ['nothing', {}],
      ['port', { port: 70_000 }],
      ['text for a port', { port: 'http' }],
      ['an object for a port', { port: {} }],
      ['local address', { port: 1, localAddress: 'here' }],
      ['local port', { port: 1, localPort: 'here' }],
      ['lookup', { port: 1, host: 'name', lookup: 1 }],
      ['path', { path: 5 }],
      ['family selection', { port: 1, host: 'name', autoSelectFamily: 'yes' }],
      ['attempt timeout', { port: 1, host: 'name', autoSelectFamilyAttemptTimeout: -1 }],
    ];
    // Before Node 22 such a host went to the resolver.
    if (major >= 22) wrong.push(['host with a zero byte', { port: 1, host: 'a\0b' }]);
    for (const [label, options] of wrong) {
      const client = socket();
      log.attempt('client', label, () => client.connect(options as never));
      client.destroy();
    }
    log.attempt('new socket', 'objectMode', () => new net.Socket({ objectMode: true } as never));
  },

  'close while connecting': async (net, log) => {
    const { port } = await listening(net, log);
    const client = log.watch('client', net.connect(port, '127.0.0.1'));
    client.write('never sent', (error) => log.note('client', 'write', error));
    log.attempt('client', 'destroy', () => client.destroy());
    log.state(client, 'destroyed');
    await closed(client);
  },

  'close between connecting and connected': async (net, log) => {
    const { port } = await listening(net, log);
    const addresses = [{ address: '127.0.0.1', family: 4 }];
    const options = { port, host: 'name.test', ...answering(null, addresses) };
    const client = log.watch('client', net.connect(options));
    client.once('lookup', () => client.destroy(new Error('given up')));
    await closed(client);
    const late = log.watch('late', net.connect({ port, host: '127.0.0.1' }));
    late.once('connectionAttempt', () => process.nextTick(() => late.destroy()));
    await closed(late);
    await pass(20);
  },

  'end before connected': async (net, log) => {
    const { port, server } = await listening(net, log);
    server.on('connection', (peer) => peer.resume());
    const client = log.watch('client', net.connect(port, '127.0.0.1'));
    client.end('all of it', () => log.note('client', 'end'));
    log.state(client, 'ended');
    flow(client);
    await closed(client);
  },

  'lookups that fail': async (net, log) => {
    const failure = Object.assign(new Error('no such host'), { code: 'ENOTFOUND' });
    const answers: [string, unknown[]][] = [
      ['error', [failure]],
      ['no address', [null, 'somewhere', 4]],
      ['no family', [null, '127.0.0.1', 5]],
      ['nothing', [null, undefined, undefined]],
      ['no error', [0, 'somewhere', 4]],
      ['an array', [null, ['somewhere'], 4]],
      ['another family', [null, '::1', 4]],
      ['yet another family', [null, '127.0.0.1', 6]],
    ];
    for (const [label, answer] of answers) {
      const options = { port: 9, host: 'name.test', autoSelectFamily: false };
      const client = log.watch(label, net.connect({ ...options, ...answering(...answer) }));
      await closed(client);
    }
  },

  'family selection past broken addresses': async (net, log) => {
    const { port } = await listening(net, log);
    const options = towards(port, '::1', '127.0.0.1');
    const client = log.watch('client', net.connect(options));
    await until(client, 'ready');
    log.state(client, 'ready');
  },

  'family selection past a broken address, and an end before it': async (net, log) => {
    const { server, port } = await listening(net, log);
    server.on('connection', (peer) => peer.resume().end('answer'));
    const options = towards(port, '::1', '127.0.0.1');
    const client = log.watch('client', net.connect(options));
    flow(client.end());
    await closed(client);
  },

  'family selection where every address is broken': async (net, log) => {
    const port = await freePort(net);
    log.call(port, '<no port>');
    const options = towards(port, '::1', '127.0.0.1', '127.0.0.2');
    const client = log.watch('client', net.connect(options));
    client.on('error', (error) => {
      for (const each of (error as AggregateError).errors ?? []) log.note('client', 'one of', each);
    });
    await closed(client);
  },

  'family selection that ends with its socket': async (net, log) => {
    const port = await freePort(net);
    log.call(port, '<no port>');
    const options = towards(port, '127.0.0.1', '127.0.0.2');
    const errors = { destroyed: undefined, failed: new Error('given up') };
    for (const [name, error] of Object.entries(errors)) {
      const client = log.watch(name, net.connect(options));
      await until(client, 'connectionAttempt');
      client.destroy(error);
      await closed(client);
    }
  },

  'local address and port': async (net, log) => {
    const { port } = await listening(net, log);
    const localPort = await freePort(net);
    log.call(localPort, '<local port>');
    const options = { port, host: '127.0.0.1', localAddress: '127.0.0.1', localPort };
    const client = log.watch('client', net.connect(options));
    await until(client, 'connect');
    log.note('client', 'address', client.address());
    const taken = log.watch('taken', net.connect(options));
    await closed(taken);
    const foreign = log.watch('foreign', net.connect({ ...options, localAddress: '192.0.2.1' }));
    await closed(foreign);
    const other = log.watch('other', net.connect({ ...options, localAddress: '::1' }));
    await closed(other);
    for (const wrong of [70_000, 1.5, Number.POSITIVE_INFINITY]) {
      const client = net.connect({ port, host: '127.0.0.1', localPort: wrong });
      log.watch(`from ${wrong}`, client);
      await Promise.race([closed(client), until(client, 'connect')]);
    }
  },

  'an abort signal ends a connection': async (net, log) => {
    const abort = new AbortController();
    const { client, peer } = await pair(net, log, { client: { signal: abort.signal } });
    flow(peer);
    abort.abort();
    log.state(client, 'aborted');
    await closed(client, peer);
  },

  'an abort signal that was aborted before': async (net, log) => {
    const { port } = await listening(net, log);
    const signal = AbortSignal.abort();
    const client = log.watch('client', net.connect({ port, host: '127.0.0.1', signal }));
    await closed(client);
    // It connects all the same, since connect() makes a destroyed socket new.
    client.destroy();
    log.attempt('new socket', 'signal', () => new net.Socket({ signal: 'no' } as never));
  },

  'a block list of the client': async (net, log) => {
    const { port } = await listening(net, log);
    const blockList = new net.BlockList();
    blockList.addAddress('127.0.0.1');
    // A host that does not know the option ignores it.
    if (major < 22) return;
    const client = log.watch(
      'client',
      net.connect({ port, host: '127.0.0.1', blockList } as never),
    );
    await Promise.race([closed(client), until(client, 'connect')]);
    log.attempt('new socket', 'block list', () => new net.Socket({ blockList: {} } as never));
  },
};
