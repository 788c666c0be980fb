// Sockets that are bound first, and adopted by a server or a socket afterwards.
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import {
  closed,
  flow,
  listening,
  type Net,
  pass,
  type Recorder,
  type Scenarios,
  until,
} from '../scenario';

interface Bound {
  address(): AddressInfo | string;
  fd(): number;
  close(): void;
  readonly isPipe: boolean;
  [Symbol.dispose](): void;
}

/** Node's net has the class since Node 24; what soref offers before has tests of its own. */
function binderOf(net: Net): ((options?: unknown) => Bound) | undefined {
  const { BoundSocket } = net as unknown as { BoundSocket?: new (options?: unknown) => Bound };
  const hasHosts = 'BoundSocket' in require('node:net');
  return BoundSocket && hasHosts ? (options) => new BoundSocket(options) : undefined;
}

function useUp(log: Recorder, bound: Bound): void {
  log.attempt('bound', 'address', () => bound.address());
  log.attempt('bound', 'fd', () => bound.fd());
  log.attempt('bound', 'close', () => bound.close());
  log.attempt('bound', 'dispose', () => bound[Symbol.dispose]());
  log.note('bound', 'is a pipe', bound.isPipe);
}

async function adoptedByServer(
  net: Net,
  log: Recorder,
  where: object,
  wrap: (bound: Bound) => object,
): Promise<void> {
  const bound = binderOf(net)?.(where);
  if (bound === undefined) return;
  log.note('bound', bound.address(), bound.fd() > 0, bound.isPipe);
  const server = log.watch('server', net.createServer());
  server.prependListener('connection', (peer) => {
    flow(log.watch('peer', peer));
    peer.end('bound');
  });
  server.listen(wrap(bound), 5, () => log.note('server', 'callback'));
  log.state(server, 'called');
  useUp(log, bound);
  await until(server, 'listening');
  const address = server.address() as AddressInfo | string;
  log.note('server', address);
  const target = typeof address === 'string' ? { path: address } : { port: address.port };
  const client = log.watch('client', net.connect({ host: '127.0.0.1', ...target }));
  flow(client);
  client.end();
  await closed(client);
  server.close();
  await closed(server);
  if (typeof address === 'string') log.note('server', 'file is there', existsSync(address));
  const other = log.watch('other', net.createServer());
  log.attempt('other', 'listen', () => other.listen(wrap(bound)));
}

async function adoptedBySocket(
  net: Net,
  log: Recorder,
  where: object,
  target: object,
): Promise<void> {
  const bound = binderOf(net)?.(where);
  if (bound === undefined) return;
  const address = bound.address();
  const client = log.watch('client', new net.Socket({ handle: bound } as never));
  log.state(client, 'adopted');
  log.note('client', client.address());
  useUp(log, bound);
  log.attempt('client', 'again', () => new net.Socket({ handle: bound } as never));
  client.connect(target as never);
  log.state(client, 'called');
  flow(client);
  await until(client, 'connect');
  const same = typeof address === 'string' ? address : address.port;
  log.note('client', 'local', same === (client.localPort ?? client.localAddress));
  client.end('from a bound socket');
  await closed(client);
  log.note('client', client.localAddress === undefined);
  if (typeof address === 'string') log.note('client', 'file is there', existsSync(address));
}

export const boundSockets: Scenarios = {
  'listen on one': (net, log) => adoptedByServer(net, log, { host: '127.0.0.1' }, (bound) => bound),

  'listen on one that is an option': (net, log) =>
    adoptedByServer(net, log, { port: 0 }, (handle) => ({ handle })),

  'listen on a path': (net, log) =>
    adoptedByServer(net, log, { path: log.path('bound') }, (bound) => bound),

  'connect from one': async (net, log) => {
    const { server, port } = await listening(net, log);
    server.on('connection', (peer) => peer.resume().end());
    const target = { port, host: '127.0.0.1' };
    await adoptedBySocket(net, log, { host: '127.0.0.1' }, target);
  },

  'connect from one to a name': async (net, log) => {
    const { server, port } = await listening(net, log);
    server.on('connection', (peer) => peer.resume().end());
    const lookup = (_: string, options: object, done: (...found: unknown[]) => void) => {
      log.note('lookup', options);
      process.nextTick(done, null, '127.0.0.1', 4);
    };
    await adoptedBySocket(net, log, { host: '127.0.0.1' }, { port, host: 'name', lookup });
  },

  'connect from a path': async (net, log) => {
    const server = log.watch('server', net.createServer());
    server.on('connection', (peer) => flow(log.watch('peer', peer.end())));
    const path = log.path('server');
    server.listen(path);
    await until(server, 'listening');
    await adoptedBySocket(net, log, { path: log.path('client') }, { path });
  },

  'connect from one, in vain': async (net, log) => {
    const bind = binderOf(net);
    if (bind === undefined) return;
    const adopt = (name: string, where: object) =>
      log.watch(name, new net.Socket({ handle: bind(where) } as never));
    const refused = adopt('refused', { host: '127.0.0.1' });
    refused.connect(1, '127.0.0.1');
    log.state(refused, 'called');
    await closed(refused);
    const twice = adopt('twice', { host: '127.0.0.1' });
    for (const local of [{ localAddress: '127.0.0.1' }, { localPort: 1 }]) {
      const target = { port: 1, host: '127.0.0.1', ...local };
      log.attempt('twice', 'connect', () => twice.connect(target));
    }
    twice.destroy();
    await closed(twice);
    const otherFamily = adopt('other family', { host: '127.0.0.1' });
    otherFamily.connect(1, '::1');
    await closed(otherFamily);
    const pipe = adopt('pipe', { path: log.path('pipe') });
    log.attempt('pipe', 'connect', () => pipe.connect(1, '127.0.0.1'));
    pipe.destroy();
    await closed(pipe);
    const unused = adopt('unused', { host: '127.0.0.1' });
    await pass(10);
    log.state(unused, 'waited');
  },

  'connect again from one': async (net, log) => {
    const bind = binderOf(net);
    if (bind === undefined) return;
    const { server, port } = await listening(net, log);
    log.mute(server);
    const client = log.watch('client', new net.Socket({ handle: bind() } as never));
    client.connect(port, '127.0.0.1');
    await until(client, 'connect');
    client.destroy();
    await closed(client);
    client.connect({ port, host: '127.0.0.1' });
    await until(client, 'connect');
    log.state(client, 'again');
  },

  'wrong arguments of BoundSocket': async (net, log) => {
    const bind = binderOf(net);
    if (bind === undefined) return;
    const port = await listening(net, log).then((made) => made.port);
    const wrong: [string, unknown][] = [
      ['null', null],
      ['a text', 'text'],
      ['a name', { host: 'localhost' }],
      ['no host', { host: 5 }],
      ['a port', { port: 70_000 }],
      ['ipv6Only', { ipv6Only: 'yes' }],
      ['reusePort', { reusePort: 1 }],
      ['path and port', { path: log.path('x'), port: 1 }],
      ['no path', { path: 5 }],
      ['a missing folder', { path: log.path('none/x') }],
      ['a port in use', { host: '127.0.0.1', port }],
      ["nobody's address", { host: '192.0.2.1' }],
    ];
    for (const [label, options] of wrong) {
      log.attempt('bound', label, () => bind(options));
    }
    log.note('bound', Object.getOwnPropertyNames(Object.getPrototypeOf(bind())).sort());
  },
};
