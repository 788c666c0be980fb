// wrk as load on an http server and on a bare net server. Its speeds are not told, only whether all was well.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { promisify } from 'node:util';
import { counterpart } from '../counterpart.mjs';
import { payload, tell } from '../transcript.mjs';

counterpart('wrk');
const run = promisify(execFile);
const body = payload(20_000);
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';

const web = http.createServer((_req, res) => res.end(body));
const bare = net.createServer((socket) => {
  socket.on('data', () => socket.write(RESPONSE));
  socket.on('error', () => {});
});
const closing = net.createServer((socket) => {
  socket.once('data', () => socket.end(RESPONSE.replace('\r\n', '\r\nConnection: close\r\n')));
  socket.on('error', () => {});
});
for (const [name, server] of Object.entries({ web, bare, closing })) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${server.address().port}/`;
  const { stdout } = await run('wrk', ['-t', '1', '-c', '64', '-d', '1s', url]);
  const [, requests] = /(\d+) requests in/.exec(stdout);
  const troubles = stdout.split('\n').filter((line) => /errors|Non-2xx/.test(line));
  tell(name, requests > 200 ? 'served' : stdout, troubles.join());
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections?.();
  await closed;
}
