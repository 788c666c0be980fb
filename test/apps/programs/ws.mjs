// ws with itself: fragments, large and compressed frames, many connections, TLS, and what goes wrong.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import WebSocket, { WebSocketServer } from 'ws';
import { cert, key } from '../counterpart.mjs';
import { atOnce, digest, payload, tell, text } from '../transcript.mjs';

const MAXIMUM = 32 << 20;

function serve(server) {
  const sockets = new WebSocketServer({ server, maxPayload: MAXIMUM, perMessageDeflate: true });
  sockets.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      if (!isBinary && String(data) === 'terminate') socket.terminate();
      else if (!isBinary && String(data) === 'close') socket.close(4001, 'as you wish');
      else socket.send(data, { binary: isBinary });
    });
    socket.on('error', (error) => tell('server:', error));
  });
  return sockets;
}

async function open(url, options) {
  const socket = new WebSocket(url, { ca: cert, maxPayload: MAXIMUM, ...options });
  await once(socket, 'open');
  return socket;
}

async function echo(socket, data, options) {
  const answer = once(socket, 'message');
  socket.send(data, options);
  const [echoed, isBinary] = await answer;
  return `${isBinary ? 'binary' : 'text'}, ${digest(echoed)}`;
}

async function frames(url) {
  const socket = await open(url, { perMessageDeflate: false });
  for (const length of [0, 1, 125, 126, 65535, 65536, 1 << 20, 16 << 20]) {
    tell(length, await echo(socket, payload(length)));
  }
  tell('text', await echo(socket, text(100_000)));
  const fragmented = once(socket, 'message');
  const parts = Array.from({ length: 500 }, (_, index) => text(1 + (index % 300), index));
  parts.forEach((part, index) => {
    socket.send(part, { fin: index === parts.length - 1 });
    // Control frames may come between the fragments of a message.
    if (index % 100 === 50) socket.ping(`ping ${index}`);
  });
  const pongs = [];
  socket.on('pong', (data) => pongs.push(String(data)));
  tell('fragments', digest((await fragmented)[0]), digest(parts.join('')));
  tell('pongs', pongs.join());
  const closed = once(socket, 'close');
  socket.send('close');
  const [code, reason] = await closed;
  tell('closed', code, String(reason));
}

async function compressed(url) {
  const socket = await open(url, { perMessageDeflate: true });
  tell('extensions', socket.extensions);
  tell('zeros', await echo(socket, Buffer.alloc(4 << 20)));
  tell('text', await echo(socket, text(1 << 20)));
  socket.close();
  await once(socket, 'close');
}

async function many(url) {
  const answers = await atOnce(100, async (index) => {
    const socket = await open(url, { perMessageDeflate: false });
    let seen = '';
    for (let round = 0; round < 3; round++)
      seen += await echo(socket, payload(2000, index + round));
    socket.close(1000);
    await once(socket, 'close');
    return seen;
  });
  tell('many', digest(answers.join()));
}

async function trouble(url, { port }) {
  const cut = await open(url);
  const closed = once(cut, 'close');
  cut.send('terminate');
  tell('terminated', (await closed)[0]);

  const rude = net.connect(port, '127.0.0.1');
  rude.write('GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n');
  rude.write('Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n');
  const [head] = await once(rude, 'data');
  tell(String(head).split('\r\n')[0]);
  const answer = once(rude, 'data');
  rude.write(Buffer.from([0x83, 0x80, 0, 0, 0, 0])); // An opcode that is reserved.
  const [frame] = await answer;
  tell('close frame', frame.toString('hex'));
  rude.end();
  await once(rude, 'close');
}

for (const [scheme, server] of [
  ['ws', http.createServer()],
  ['wss', https.createServer({ key, cert })],
]) {
  tell(`--- ${scheme}`);
  const sockets = serve(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `${scheme}://localhost:${server.address().port}/`;
  await frames(url);
  await compressed(url);
  await many(url);
  if (scheme === 'ws') await trouble(url, server.address());
  sockets.close();
  server.close();
  await once(server, 'close');
}
