// basic-ftp against ftp-srv: plain, and with TLS on the control and the data connections; a connection for each file.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'basic-ftp';
import { FtpSrv } from 'ftp-srv';
import { cert, key, scratch } from '../counterpart.mjs';
import { digest, failure, payload, tell } from '../transcript.mjs';

const root = join(scratch, 'ftp');
mkdirSync(root, { recursive: true });
const silent = Object.assign(() => silent, {});
for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'child']) silent[level] = silent;

for (const encrypted of [false, true]) {
  tell(encrypted ? '--- TLS' : '--- plain');
  const server = new FtpSrv({
    url: 'ftp://127.0.0.1:0',
    pasv_url: '127.0.0.1',
    pasv_min: 20000,
    pasv_max: 30000,
    log: silent,
    tls: encrypted ? { key, cert } : false,
  });
  server.on('login', ({ username, password }, resolve, reject) => {
    if (username === 'soref' && password === 'secret') resolve({ root });
    else reject(new Error('no'));
  });
  await server.listen();
  const { port } = server.server.address();
  const access = {
    host: 'localhost',
    port,
    user: 'soref',
    password: 'secret',
    secure: encrypted,
    secureOptions: { ca: cert },
  };
  const client = new Client(20_000);
  await client.access(access);
  tell('encrypted', client.ftp.hasTLS);
  await client.ensureDir('folder');
  await client.uploadFrom(Readable.from([payload(6 << 20)]), 'large');
  const sink = new PassThrough();
  const [, chunks] = await Promise.all([client.downloadTo(sink, 'large'), sink.toArray()]);
  tell('large', digest(Buffer.concat(chunks)), 'size', await client.size('large'));
  for (let index = 0; index < 25; index++) {
    await client.uploadFrom(Readable.from([payload(1000 * index + 1, index)]), `file-${index}`);
  }
  const list = await client.list();
  tell(
    'list',
    list
      .map(({ name, size }) => `${name}:${size}`)
      .sort()
      .join(),
  );
  await client.rename('file-1', 'renamed');
  await client.remove('file-2');
  const missing = await failure(() => client.size('file-2'));
  tell('missing', missing.code);
  await client.cd('/');
  await client.removeDir('folder');
  tell('empty', (await client.list()).length);
  client.close();

  const stranger = new Client();
  tell('stranger', await failure(() => stranger.access({ ...access, password: 'wrong' })));
  stranger.close();

  const cut = new Client();
  await cut.access(access);
  for (const connection of Object.values(server.connections)) connection.commandSocket.destroy();
  // It takes its listeners, and ours, off the socket.
  while (!cut.closed) await delay(5);
  const late = await failure(() => cut.send('NOOP'));
  tell('cut', late.message.replace(/ \(.*/, ''));
  cut.close();
  await server.close();
}
rmSync(root, { recursive: true });
