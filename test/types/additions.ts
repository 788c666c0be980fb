// What soref adds is typed, and what soref makes goes where node:net's is wanted. Never run.
import type * as nodeNet from 'node:net';
import soref, { type Detached, type Ledger, type SocketStatus } from 'soref';

const adopted = soref.Socket.attach(5, { allowHalfOpen: true });
const detached: Detached = adopted.detach();
const bytes: Buffer[] = [...detached.head, ...detached.tail];
const isAttached: boolean = soref.Socket.attach(detached).attached;
const server = soref.createServer((socket) => socket.detach());
server.on('attach', (socket) => console.log(socket.attached));
server.on('detach', (socket) => console.log(socket.attached));
new soref.Server({ blockList: new soref.BlockList() }).once('connection', (socket) =>
  socket.detach(),
);

server.dropMaxConnection = true;
const newer = new soref.Socket({ typeOfService: 16, blockList: new soref.BlockList() });
newer.setKeepAlive({ enable: true, initialDelay: 5000, interval: 1000, count: 3 });
newer.setKeepAlive(true, 5000, 1000, 3).setTypeOfService(newer.getTypeOfService());
soref.connect({ port: 1, blockList: new soref.BlockList(), keepAlive: true }).destroy();
const disposed: Promise<void> = server[Symbol.asyncDispose]();
disposed.catch(() => {});

for (const { fd, name } of soref.listenDescriptors({ unsetEnvironment: true })) {
  const passed: [number, string] = [fd, name];
  soref.createServer().listen({ fd }, () => console.log(passed));
}

const ledger: Ledger = soref.ledger();
const held: number = ledger.references.consumer + ledger.references.operation + ledger.live;
const rows: SocketStatus[] = soref.sockstat();
const row: [string, string, number] = ['tcp4', rows[0]?.remote ?? '', rows[0]?.age ?? 0];
const engine: 'io_uring' | 'epoll' | 'node' = soref.engine;
console.log(bytes, isAttached, held, row, engine, soref.registered.includes('net.connect'));

const takesNodes = (socket: nodeNet.Socket, listener: nodeNet.Server) =>
  socket.end(String(listener.listening));
takesNodes(adopted, server);

// @ts-expect-error a socket is no descriptor
soref.Socket.attach(adopted);
// @ts-expect-error the ledger is a function
console.log(soref.ledger.attached);
// @ts-expect-error there is no such engine
soref.engine === 'kqueue';
