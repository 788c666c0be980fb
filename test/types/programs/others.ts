// Sockets of net where other modules take and give them. Never run: it is compiled for net, and for soref in its place.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net, { type Server, type Socket } from 'node:net';
import { type Duplex, finished, pipeline, type Readable, type Writable } from 'node:stream';
import tls from 'node:tls';
import { promisify } from 'node:util';

/** Takes whatever is a socket. */
function describe(socket: Socket): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}
const sockets = new Set<net.Socket>();
const plain: Socket = net.connect(80);
const secure: tls.TLSSocket = tls.connect({ socket: plain, servername: 'localhost' });
for (const socket of [plain, secure]) sockets.add(socket);
new tls.TLSSocket(plain, { isServer: true }).renegotiate({}, () => {});
console.log(describe(plain), describe(secure));

const server: Server = http.createServer((request, response) => {
  const socket: net.Socket = request.socket;
  console.log(describe(socket), describe(request.socket), response.socket === socket);
});
server.on('connection', (socket: Socket) => sockets.add(socket));
const servers: net.Server[] = [
  server,
  https.createServer(),
  tls.createServer(),
  net.createServer(),
];
http.get({ createConnection: () => net.connect(80), port: 80 }, ({ socket }) => describe(socket));
class Tunnel extends http.Agent {
  createConnection(options: net.NetConnectOpts): net.Socket {
    return net.connect(options);
  }
}
http.createServer().on('upgrade', (request, socket, head) => {
  const upstream = net.connect(80, 'localhost', () => {
    upstream.write(head);
    socket.pipe(upstream).pipe(socket);
  });
  console.log(request.url);
});
http.createServer().emit('connection', plain);

const readable: Readable = plain;
const writable: Writable = plain;
const duplex: Duplex = plain;
pipeline(readable, duplex, (error) => console.log(error));
finished(writable, () => {});
const child = fork('program.js');
child.send('socket', plain);
child.send('server', net.createServer());
const [listened] = await once(servers[0] ?? server, 'listening');
await promisify(server.close.bind(server))();
export const kept = { listened, Tunnel, sockets };
