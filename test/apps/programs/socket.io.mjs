// socket.io's server and client: both transports, rooms, acknowledgements, binary data, lost connections.
import { once } from 'node:events';
import http from 'node:http';
import { Server } from 'socket.io';
import { io } from 'socket.io-client';
import { atOnce, digest, payload, tell } from '../transcript.mjs';

const web = http.createServer();
const server = new Server(web, { maxHttpBufferSize: 16 << 20 });
server.on('connection', (socket) => {
  socket.on('echo', (data, answer) => answer(data));
  socket.on('join', (room, answer) => answer(socket.join(room)));
  socket.on('leave me', () => socket.conn.transport.close());
});
web.listen(0, '127.0.0.1');
await once(web, 'listening');
const url = `http://127.0.0.1:${web.address().port}`;

async function open(options) {
  const socket = io(url, {
    forceNew: true,
    reconnectionDelay: 10,
    randomizationFactor: 0,
    ...options,
  });
  await once(socket, 'connect');
  return socket;
}

for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
  tell('---', transports.join(', then '));
  const socket = await open({ transports });
  const upgraded = () => socket.io.engine.transport.name === transports.at(-1);
  if (!upgraded()) await once(socket.io.engine, 'upgrade');
  tell('transport', socket.io.engine.transport.name);
  tell('echo', await socket.emitWithAck('echo', { nested: [1, 'zwei', null] }));
  tell('binary', digest(await socket.emitWithAck('echo', payload(3 << 20))));
  const answers = await atOnce(300, (index) => socket.emitWithAck('echo', index));
  tell(
    'in order',
    answers.every((answer, index) => answer === index),
  );

  const members = await atOnce(20, () => open({ transports: transports.slice(-1) }));
  await Promise.all(members.slice(0, 12).map((member) => member.emitWithAck('join', 'room')));
  const heard = Promise.all(members.slice(0, 12).map((member) => once(member, 'news')));
  server.to('room').emit('news', 'for the room');
  tell('room', (await heard).map(([news]) => news).join());
  for (const member of members) member.disconnect();

  const lost = once(socket, 'disconnect');
  const again = once(socket.io, 'reconnect');
  socket.emit('leave me');
  tell('lost', (await lost)[0]);
  await again;
  tell('again', await socket.emitWithAck('echo', 'here'));
  socket.disconnect();
}
await server.close();
tell('closed', web.listening);
