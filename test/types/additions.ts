// What soref adds is typed, and what soref makes goes where node:net's is wanted. Never run.
import type * as nodeNet from 'node:net';
import type { TLSSocket } from 'node:tls';
import soref, {
  type BoundPath,
  type Detached,
  type Inspection,
  type Ledger,
  type NewerServer,
  type NewerSocket,
  type Server,
  type Socket,
  type SocketStatus,
} from 'soref';

const adopted: NewerSocket = soref.Socket.attach(5, { allowHalfOpen: true });
const detached: Detached = adopted.detach();
const bytes: Buffer[] = [...detached.head, ...detached.tail];
const isAttached: boolean = soref.Socket.attach(detached).attached;
const server: NewerServer = soref.createServer((socket) => socket.detach());
server.on('attach', (socket) => console.log(socket.attached, socket.getTypeOfService()));
server.on('detach', (socket: Socket) => console.log(socket.attached));
new soref.Server({ blockList: new soref.BlockList() }).once('connection', (socket) =>
  socket.setTypeOfService(8).detach(),
);
/** What is no socket of soref's, such as one of TLS, says that it has no descriptor to give. */
const giveAway = (socket: Socket) => (socket.attached ? socket.detach() : undefined);
const ofTls = (socket: TLSSocket) => giveAway(socket);

// On every Node, whatever the types of its net know.
server.dropMaxConnection = true;
const newer = new soref.Socket({ typeOfService: 16, blockList: new soref.BlockList() });
newer.setKeepAlive({ enable: true, initialDelay: 5000, interval: 1000, count: 3 });
newer.setKeepAlive(true, 5000, 1000, 3).setTypeOfService(newer.getTypeOfService());
soref.connect({ port: 1, blockList: new soref.BlockList(), keepAlive: true }).destroy();
const disposed: Promise<void> = server[Symbol.asyncDispose]();
disposed.catch(() => {});
const bound = new soref.BoundSocket({ host: '127.0.0.1', port: 80 });
const port: number = bound.address().port;
new soref.Socket({ handle: bound }).connect(port).unref();
const path: BoundPath = new soref.BoundSocket({ path: '/tmp/socket' });
const name: string = path.address();
server.listen(path);
console.log(name, path.isPipe, bound.fd());

const ledger: Ledger = soref.ledger();
const held: number = ledger.references.consumer + ledger.references.operation + ledger.live;
const rows: SocketStatus[] = soref.sockstat();
const row: [string, string, number] = ['tcp4', rows[0]?.remote ?? '', rows[0]?.age ?? 0];
const inspected: Inspection | null = soref.inspect(adopted) ?? soref.inspect(server);
const details: [string[], string, string | undefined] = [
  inspected?.operations ?? [],
  inspected?.changes[0]?.cause ?? inspected?.life ?? '',
  inspected?.madeAt,
];
const engine: 'io_uring' | 'epoll' | 'node' = soref.engine;
console.log(
  bytes,
  isAttached,
  held,
  details,
  row,
  engine,
  soref.registered.includes('net.connect'),
  ofTls,
);

const takesNodes = (socket: nodeNet.Socket, listener: nodeNet.Server) =>
  socket.end(String(listener.listening));
takesNodes(adopted, server);
const takesNet = (net: typeof nodeNet) => net.createServer();
const taken: Server = takesNet(soref);
console.log(taken);

// @ts-expect-error a socket is no descriptor
soref.Socket.attach(adopted);
// @ts-expect-error the ledger is a function
console.log(soref.ledger.attached);
// @ts-expect-error there is no such engine
soref.engine === 'kqueue';
// @ts-expect-error a path is all or nothing
new soref.BoundSocket({ path: '/tmp/socket', port: 1 });
// @ts-expect-error a server has no options of that kind
soref.createServer('options');
