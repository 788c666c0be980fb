// ssh2's client against OpenSSH, and against its own server: commands, files, forwarded connections, a lost one.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { counterpart, scratch } from '../counterpart.mjs';
import { atOnce, digest, failure, payload, tell } from '../transcript.mjs';

const { port, username, keyFile, hostKeyFile } = counterpart('sshd');
const hostKey = Buffer.from(readFileSync(hostKeyFile, 'utf8').split(' ')[1], 'base64');
const privateKey = readFileSync(keyFile);
const openSsh = {
  host: '127.0.0.1',
  port,
  username,
  privateKey,
  hostVerifier: (offered) => offered.equals(hostKey),
};

async function open(options) {
  const client = new ssh2.Client();
  client.connect(options);
  await once(client, 'ready');
  return client;
}

/** Calls a method whose last argument is a callback. */
function ask(object, method, ...args) {
  return new Promise((resolve, reject) => {
    object[method](...args, (error, value) => (error ? reject(error) : resolve(value)));
  });
}

function execute(client, command, input) {
  return new Promise((resolve, reject) => {
    // All that a short command leaves may follow in the same packet, before a promise is seen.
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      const exit = once(channel, 'exit');
      channel.end(input);
      const all = [channel.toArray(), channel.stderr.toArray(), exit];
      return Promise.all(all).then(([output, errors, [status]]) => {
        resolve({ output: Buffer.concat(output), errors: String(Buffer.concat(errors)), status });
      }, reject);
    });
  });
}

async function commands(client) {
  const { output, errors, status } = await execute(client, 'echo out; echo err >&2; exit 3');
  tell(String(output).trim(), errors.trim(), status);
  const large = await execute(client, 'cat', payload(6 << 20));
  tell('through cat', digest(large.output), large.status);
  const results = await atOnce(10, (index) => execute(client, `echo ${index}`));
  tell('at once', results.map((result) => String(result.output).trim()).join());
}

async function files(client) {
  const sftp = await ask(client, 'sftp');
  const [local, remote, back] = ['local', 'remote', 'back'].map((name) => join(scratch, name));
  writeFileSync(local, payload(8 << 20));
  await ask(sftp, 'fastPut', local, remote);
  await ask(sftp, 'fastGet', remote, back);
  tell(
    'there and back',
    digest(readFileSync(back)),
    readFileSync(remote).equals(readFileSync(back)),
  );
  tell('size', (await ask(sftp, 'stat', remote)).size);
  const chunks = await sftp.createReadStream(remote, { start: 1000, end: 500_999 }).toArray();
  tell('part', digest(Buffer.concat(chunks)));
  const missing = await failure(() => ask(sftp, 'stat', join(scratch, 'missing')));
  tell('missing', missing.message);
  for (const path of [remote, back, local]) await ask(sftp, 'unlink', path);
  sftp.end();
}

async function forwarding(client) {
  const echo = net.createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const target = echo.address().port;
  const answers = await atOnce(10, async (index) => {
    const channel = await ask(client, 'forwardOut', '127.0.0.1', 0, '127.0.0.1', target);
    channel.end(payload(300_000, index));
    return digest(Buffer.concat(await channel.toArray()));
  });
  tell('forwarded', digest(answers.join()));

  client.on('tcp connection', (_details, accept) => {
    const channel = accept();
    const socket = net.connect(target, '127.0.0.1');
    channel.pipe(socket).pipe(channel);
  });
  const remotePort = await ask(client, 'forwardIn', '127.0.0.1', 0);
  const back = await atOnce(10, async (index) => {
    const socket = net.connect(remotePort, '127.0.0.1');
    socket.end(payload(200_000, index));
    return digest(Buffer.concat(await socket.toArray()));
  });
  tell('forwarded back', digest(back.join()));
  await ask(client, 'unforwardIn', '127.0.0.1', remotePort);
  echo.close();
}

async function lost() {
  const client = await open(openSsh);
  client.on('error', () => {});
  const closed = once(client, 'close');
  // The shell's parent is the server's process for this connection.
  const channel = await ask(client, 'exec', 'kill -KILL $PPID');
  channel.resume();
  await closed;
  tell('lost');
}

tell('--- OpenSSH');
const client = await open(openSsh);
await commands(client);
await files(client);
await forwarding(client);
const closed = once(client, 'close');
client.end();
await closed;
await lost();
const crowd = await atOnce(4, () => open(openSsh));
const names = await Promise.all(crowd.map((each) => execute(each, 'id -un')));
tell('crowd', new Set(names.map(({ output }) => String(output))).size);
for (const each of crowd) each.end();
// Of its ed25519 keys ssh2 itself cannot read one in 150.
const stranger = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).private;
tell('stranger', (await failure(() => open({ ...openSsh, privateKey: stranger }))).message);
const suspicious = { ...openSsh, hostVerifier: () => false };
tell('another host', (await failure(() => open(suspicious))).message);

tell('--- its own server');
const hostKeys = [ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 }).private];
const server = new ssh2.Server({ hostKeys }, (connection) => {
  connection.on('error', () => {});
  connection.on('authentication', (context) =>
    context.method === 'password' && context.password === 'secret'
      ? context.accept()
      : context.reject(),
  );
  connection.on('session', (accept) => {
    accept().on('exec', (acceptExec, _reject, { command }) => {
      const channel = acceptExec();
      const child = spawn('sh', ['-c', command]);
      channel.pipe(child.stdin);
      child.stdout.pipe(channel, { end: false });
      child.stderr.pipe(channel.stderr);
      child.on('close', (code) => {
        channel.exit(code);
        channel.end();
      });
    });
  });
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const own = { host: '127.0.0.1', port: server.address().port, username: 'x', password: 'secret' };
const second = await open(own);
await commands(second);
second.end();
await once(second, 'close');
const denied = await failure(() => open({ ...own, password: 'wrong' }));
tell('denied', denied.message);
server.close();
await once(server, 'close');
