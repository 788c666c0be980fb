// What programs do with net, in the forms in which they import it. Never run: it is compiled for net, and for soref
// in its place.

import * as everything from 'node:net';
import net, {
  type AddressInfo,
  BlockList,
  connect,
  createConnection,
  createServer,
  type IpcNetConnectOpts,
  isIP,
  isIPv4,
  isIPv6,
  type ListenOptions,
  type NetConnectOpts,
  type OnReadOpts,
  Server,
  type ServerOpts,
  Socket,
  type SocketAddress,
  type SocketConnectOpts,
  type SocketConstructorOpts,
  type SocketReadyState,
  type TcpNetConnectOpts,
  type TcpSocketConnectOpts,
} from 'node:net';

const options: ListenOptions = { port: 0, host: 'localhost', backlog: 5, exclusive: true };
const server: Server = createServer(
  { allowHalfOpen: true, pauseOnConnect: false, noDelay: true, keepAlive: true },
  (socket: Socket) => {
    socket
      .setNoDelay(true)
      .setKeepAlive(true, 1000)
      .setTimeout(500, () => socket.destroy());
    socket.on('data', (data) => socket.write(data));
    socket.once('end', () => socket.end('bye', 'utf8'));
    const remote: string | undefined = socket.remoteAddress;
    const { bytesRead, bytesWritten, connecting, pending, readyState, timeout } = socket;
    const state: SocketReadyState = readyState;
    console.log(remote, bytesRead, bytesWritten, connecting, pending, state, timeout);
  },
);
server.on('connection', (socket: Socket) => socket.pause());
server.on('connection', (socket: net.Socket) => socket.resume());
server.on('connection', (socket) => socket.ref().unref().setEncoding('utf8').destroySoon());
server.addListener('error', (error: Error) => console.log(error.message));
server.on('drop', (data) => console.log(data?.remoteAddress, data?.localPort));
server.once('listening', () => console.log((server.address() as AddressInfo).port));
server.prependListener('close', () => console.log('closed'));
server.on('mine', (...values: unknown[]) => console.log(values)).emit('mine', 1, 2);
server.off('close', console.log).removeAllListeners('drop');
server.listen(options).ref().unref();
server.listen('/tmp/socket', 5, () => {});
server.listen({ fd: 3 });
server.listen(80, 'localhost', () => server.close((error?: Error) => console.log(error)));
server.getConnections((error: Error | null, count: number) => console.log(error, count));
server.maxConnections = 10;
const { listening }: { listening: boolean } = server;
const address: AddressInfo | string | null = server.address();

const where: NetConnectOpts = { port: 80, host: 'localhost', family: 4, timeout: 100 };
const tcp: TcpNetConnectOpts = { port: 80, localAddress: '127.0.0.1', hints: 0 };
const path: IpcNetConnectOpts = { path: '/tmp/socket' };
const client: net.Socket = connect(where, () => client.write('hello'));
createConnection(path).pipe(process.stdout);
createConnection('/tmp/socket').pipe(process.stdout);
createConnection(80, 'localhost', () => undefined).destroy(new Error('unwanted'));
client.on('lookup', (error, ip, family, host) => console.log(error, ip, family, host));
client.on('connect', () => client.address()).on('ready', () => {});
client.on('close', (hadError: boolean) => console.log(hadError));
client.on('timeout', () => client.resetAndDestroy());
client.write(new Uint8Array(3), (error) => console.log(error));
client.write('text', 'latin1', () => {});
client.end(() => {}).cork();
client.uncork();

const again: SocketConnectOpts = { path: '/tmp/socket' };
const withLookup: TcpSocketConnectOpts = {
  port: 1,
  lookup: (_host, _options, done) => done(null, '127.0.0.1', 4),
  autoSelectFamily: true,
  autoSelectFamilyAttemptTimeout: 250,
};
const onread: OnReadOpts = {
  buffer: new Uint8Array(10),
  callback: (length: number, buffer: Uint8Array) => length < buffer.length,
};
const given: SocketConstructorOpts = { fd: 5, readable: true, writable: true };
connect({ port: 80, onread });
new Socket({ ...given, signal: AbortSignal.timeout(5) }).connect(again).connect(withLookup);
new Socket().connect(tcp);

class Echo extends Server {
  constructor(settings: ServerOpts = {}) {
    super(settings, (socket) => socket.pipe(socket));
  }
  override close(callback?: (error?: Error) => void): this {
    return super.close(callback);
  }
}
class Line extends net.Socket {
  lines = 0;
  override setTimeout(milliseconds: number, callback?: () => void): this {
    return super.setTimeout(milliseconds, callback);
  }
}
const echo: net.Server = new Echo();
const line: Socket = new Line();
const both: (net.Socket | net.Server)[] = [echo, line, client];
console.log(echo.listening, line.destroyed, isIP('::1'), net.isIPv4('127.0.0.1'), isIPv4('::'));
console.log(isIPv6('::'), listening, address, both.length, line instanceof net.Socket);

const blocked = new BlockList();
blocked.addSubnet('10.0.0.0', 8, 'ipv4');
const from: SocketAddress = new net.SocketAddress({ address: '::1', family: 'ipv6', port: 1 });
console.log(blocked.check(from), net.getDefaultAutoSelectFamily());
net.setDefaultAutoSelectFamily(true);
net.setDefaultAutoSelectFamilyAttemptTimeout(net.getDefaultAutoSelectFamilyAttemptTimeout());

function older(this: Socket): void {
  everything.Socket.call(this, { allowHalfOpen: true });
}
async function read(socket: everything.Socket): Promise<void> {
  for await (const chunk of socket) console.log(chunk);
}
const injected: { net: typeof net } = { net: everything };
export const made: Server = injected.net.createServer();
console.log(older, read(client), Object.keys(injected.net));
