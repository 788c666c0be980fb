// Servers that systemd-socket-activate starts when the first client connects, on the sockets that it opened.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { counterpart } from '../counterpart.mjs';
import { atOnce, digest, payload, tell } from '../transcript.mjs';
import { request } from '../web-client.mjs';

const FIRST = 3;
const self = fileURLToPath(import.meta.url);

/** What is activated: an http server on the first socket, an echo on the second, until one says 'end'. */
function serve() {
  const web = http.createServer((req, res) => res.end(`${process.env.LISTEN_FDNAMES} ${req.url}`));
  const bare = net.createServer({ allowHalfOpen: true }, (socket) => {
    const chunks = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => {
      const received = Buffer.concat(chunks);
      socket.end(received);
      if (String(received) !== 'end') return;
      web.close();
      bare.close();
    });
  });
  web.listen({ fd: FIRST });
  bare.listen({ fd: FIRST + 1 });
}

async function echo(port, bytes) {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(bytes);
  return Buffer.concat(await socket.toArray());
}

/** Whether somebody listens on a port. To connect would be to activate, so proc(5) is asked. */
function listens(port) {
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
  return new RegExp(`:${hexadecimal} 00000000:0000 0A `).test(
    readFileSync('/proc/net/tcp', 'utf8'),
  );
}

async function activate() {
  const { web, bare } = counterpart('systemd-socket-activate');
  const sockets = ['-l', `127.0.0.1:${web}`, '-l', `127.0.0.1:${bare}`, '--fdname=web:bare'];
  // With the same options as this process, and so with soref if that has it.
  const command = [process.execPath, ...process.execArgv, self, 'activated'];
  const environment = ['SOREF_ENGINE', 'APPS_COUNTERPARTS'].flatMap((name) => ['-E', name]);
  const args = [...environment, ...sockets, ...command];
  const child = spawn('systemd-socket-activate', args, { stdio: ['ignore', 'inherit', 'ignore'] });
  const exited = once(child, 'exit');
  while (!listens(bare)) await new Promise((resolve) => setTimeout(resolve, 5));
  tell((await request(web, '/first')).text);
  const answers = await atOnce(50, (index) => request(web, `/${index}`));
  tell('many', digest(answers.map(({ text }) => text).join()));
  tell('echo', digest(await echo(bare, payload(2 << 20))));
  tell('last', String(await echo(bare, 'end')));
  tell('exit', (await exited)[0]);
}

if (process.argv[2] === 'activated') serve();
else await activate();
