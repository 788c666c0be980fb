// A koa application over http, https and a Unix socket: middleware, streams, errors and clients that abort.
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import Koa from 'koa';
import { cert, key, scratch } from '../counterpart.mjs';
import { atOnce, digest, payload, tell } from '../transcript.mjs';
import { request, summary } from '../web-client.mjs';

const app = new Koa({ proxy: true });
app.silent = true;
app.on('error', (error) => tell('error event', error));
let aborted;
app.use(async (context, next) => {
  await next();
  context.set('x-length', String(context.length ?? 'unknown'));
});
app.use(async (context) => {
  switch (context.path) {
    case '/json':
      context.body = { ip: context.ip, secure: context.secure, query: { ...context.query } };
      break;
    case '/large':
      context.body = payload(7 << 20);
      break;
    case '/stream':
      context.body = Readable.from(Array.from({ length: 400 }, (_, index) => payload(4096, index)));
      break;
    case '/endless':
      context.body = new Readable({
        read() {
          this.push(Buffer.alloc(16384));
        },
      });
      aborted = once(context.body, 'close');
      break;
    case '/throws':
      context.throw(409, 'conflict');
      break;
    default:
      context.body = digest(Buffer.concat(await context.req.toArray()));
  }
});

async function visit(where) {
  const go = (path, options) => request(where.port, path, { ...where, ...options });
  tell((await go('/json?a=1&b=2')).text);
  for (const path of ['/large', '/stream', '/throws']) tell(path, summary(await go(path)));
  tell((await go('/post', { method: 'POST', body: payload(5 << 20) })).text);
  const answers = await atOnce(80, (index) =>
    go(`/${index}`, { method: 'PUT', body: payload(index * 10, index) }),
  );
  tell('many', digest(answers.map(({ text }) => text).join()));
  tell('head', summary(await go('/large', { method: 'HEAD' })));
}

const plain = http.createServer(app.callback()).listen(0, '127.0.0.1');
await once(plain, 'listening');
const { port } = plain.address();
tell('--- http');
await visit({ port });
const leaving = net.connect(port, '127.0.0.1');
leaving.write('GET /endless HTTP/1.1\r\nHost: x\r\n\r\n');
let seen = 0;
for await (const chunk of leaving) {
  seen += chunk.length;
  if (seen > 1 << 20) break;
}
await aborted;
tell('aborted', seen > 1 << 20);
plain.close();

tell('--- Unix socket');
const socketPath = join(scratch, 'koa');
const local = http.createServer(app.callback()).listen(socketPath);
await once(local, 'listening');
await visit({ socketPath });
local.close();
rmSync(socketPath, { force: true });

tell('--- https');
const secure = https.createServer({ key, cert }, app.callback()).listen(0, '127.0.0.1');
await once(secure, 'listening');
const agent = new https.Agent({ ca: cert, maxSockets: 20, keepAlive: true });
await visit({ port: secure.address().port, protocol: 'https:', agent, servername: 'localhost' });
agent.destroy();
secure.close();
