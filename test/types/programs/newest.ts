// What the newest Nodes' net has, for the types that know of it. Never run: it is compiled for net, and for soref in
// its place.
import net, { BoundSocket, type BoundSocketOptions, createServer, Socket } from 'node:net';

const options: BoundSocketOptions = { host: '127.0.0.1', port: 0, reusePort: true };
const bound: BoundSocket = new BoundSocket(options);
const { port, family }: { port: number; family: string } = bound.address();
const adopted = new Socket({ handle: bound }).connect(port);
const other: net.BoundSocket = new net.BoundSocket();
createServer().listen(other);
createServer({ blockList: new net.BlockList() }).listen({ port, reusePort: true });
bound[Symbol.dispose]();
console.log(bound.fd(), family);

const socket: Socket = adopted.setTypeOfService(16);
socket.setKeepAlive({ enable: true, initialDelay: 1000, interval: 1000, count: 10 });
socket.setKeepAlive(true, 1000, 1000, 10);
export const tos: number = socket.getTypeOfService();
const injected: typeof net = net;
injected.connect({ port, blockList: new net.BlockList() });
