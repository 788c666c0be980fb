// A program that was written for node:net and now imports soref: it must compile unchanged. Never run.
import net, {
  type AddressInfo,
  BlockList,
  connect,
  createConnection,
  createServer,
  isIP,
  type ListenOptions,
  type NetConnectOpts,
  Server,
  Socket,
  type SocketAddress,
  type SocketConnectOpts,
} from 'soref';

const options: ListenOptions = { port: 0, host: 'localhost', backlog: 5, exclusive: true };
const server: Server = createServer(
  { allowHalfOpen: true, pauseOnConnect: false },
  (socket: Socket) => {
    socket
      .setNoDelay(true)
      .setKeepAlive(true, 1000)
      .setTimeout(500, () => socket.destroy());
    socket.on('data', (data) => socket.write(data));
    socket.once('end', () => socket.end('bye', 'utf8'));
    const remote: string | undefined = socket.remoteAddress;
    const { bytesRead, connecting, readyState } = socket;
    console.log(remote, bytesRead, connecting, readyState);
  },
);
server.on('connection', (socket: Socket) => socket.pause());
server.on('connection', (socket: net.Socket) => socket.resume());
server.on('error', (error: Error) => console.log(error.message));
server.on('drop', (data) => console.log(data?.remoteAddress));
server.once('listening', () => console.log((server.address() as AddressInfo).port));
server.listen(options).ref().unref();
server.listen(80, 'localhost', () => server.close((error?: Error) => console.log(error)));
server.getConnections((error, count) => console.log(error, count));
server.maxConnections = 10;

const where: NetConnectOpts = { port: 80, host: 'localhost', family: 4, timeout: 100 };
const client: net.Socket = connect(where, () => client.write('hello'));
createConnection('/tmp/socket').pipe(process.stdout);
createConnection(80, 'localhost', () => undefined).destroy();
const again: SocketConnectOpts = { path: '/tmp/socket' };
new Socket({ fd: 5, readable: true, writable: true, signal: AbortSignal.timeout(5) }).connect(
  again,
);

class Echo extends Server {
  constructor() {
    super({ keepAlive: true }, (socket) => socket.pipe(socket));
  }
}
class Line extends net.Socket {
  lines = 0;
}
const echo: net.Server = new Echo();
const line: Socket = new Line();
console.log(echo.listening, line.destroyed, isIP('::1'), net.isIPv4('127.0.0.1'));

const blocked = new BlockList();
blocked.addSubnet('10.0.0.0', 8, 'ipv4');
const address: SocketAddress = new net.SocketAddress({ address: '::1', family: 'ipv6', port: 1 });
console.log(blocked.check(address), net.getDefaultAutoSelectFamily());
