// Unix sockets by path and by abstract name, and sockets made of descriptors.
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, statSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import {
  closed,
  flow,
  listening,
  type Net,
  pass,
  type Recorder,
  type Scenarios,
  until,
} from '../scenario';

/** A round trip through a Unix socket. */
async function visit(net: Net, log: Recorder, path: string): Promise<void> {
  const server = log.watch('server', net.createServer());
  server.prependListener('connection', (peer) => {
    flow(log.watch('peer', peer));
    peer.end('hello');
  });
  server.listen(path);
  await until(server, 'listening');
  log.note('server', server.address());
  const client = log.watch('client', net.connect(path));
  log.state(client, 'called');
  flow(client);
  client.end('bye');
  await until(client, 'connect');
  log.note('client', client.address());
  log.attempt('client', 'setNoDelay', () => client.setNoDelay());
  log.attempt('client', 'setKeepAlive', () => client.setKeepAlive(true, 1000));
  await closed(client);
  server.close();
  await closed(server);
}

let abstractNames = 0;

export const unixAndDescriptors: Scenarios = {
  'a path': async (net, log) => {
    const path = log.path('socket');
    await visit(net, log, path);
    log.note('server', 'file is there', existsSync(path));
  },

  'an abstract name': async (net, log) => {
    abstractNames += 1;
    const name = `parity-${process.pid}-${abstractNames}`;
    log.call(name, '<name>');
    await visit(net, log, `\0${name}`);
  },

  'a path that is not there, no socket, or deaf': async (net, log) => {
    const missing = log.watch('missing', net.connect(log.path('missing')));
    await closed(missing);
    const file = log.path('file');
    writeFileSync(file, '');
    const client = log.watch('file', net.connect(file));
    await closed(client);
    const server = log.watch('server', net.createServer());
    server.listen(file);
    await until(server, 'error');
    const nowhere = log.watch('nowhere', net.createServer());
    nowhere.listen(log.path('none/socket'));
    await until(nowhere, 'error');
    // Before Node 24 a path was cut where the kernel's room for it ends.
    if (Number(process.versions.node.split('.')[0]) < 24) return;
    const long = 'x'.repeat(200);
    log.call(long, '<long>');
    const overlong = log.watch('overlong', net.createServer());
    log.attempt('overlong', 'listen', () => overlong.listen(log.path(long)));
    await Promise.race([until(overlong, 'error'), until(overlong, 'listening'), pass(50)]);
  },

  'a path that is listened on twice': async (net, log) => {
    const path = log.path('socket');
    const first = log.watch('first', net.createServer());
    first.listen(path);
    await until(first, 'listening');
    const second = log.watch('second', net.createServer());
    second.listen(path);
    await until(second, 'error');
    first.close();
    await closed(first);
    log.note('first', 'file is there', existsSync(path));
  },

  'permissions of a path': async (net, log) => {
    // Only what was asked for is looked at: newer hosts take all other permissions away.
    for (const [option, wanted] of [
      ['readableAll', 0o444],
      ['writableAll', 0o222],
    ] as const) {
      const path = log.path(option);
      const server = log.watch(option, net.createServer());
      server.listen({ path, [option]: true });
      await until(server, 'listening');
      log.note(option, (statSync(path).mode & wanted) === wanted);
    }
  },

  'reset is for TCP': async (net, log) => {
    const path = log.path('socket');
    const server = log.watch('server', net.createServer());
    server.listen(path);
    await until(server, 'listening');
    const client = log.watch('client', net.connect(path));
    await until(client, 'connect');
    log.attempt('client', 'reset', () => client.resetAndDestroy());
    log.state(client, 'asked');
  },

  'descriptors that are no sockets': async (net, log) => {
    const file = log.path('file');
    writeFileSync(file, 'text');
    const descriptor = openSync(file, 'r');
    log.attempt('socket', 'file', () => new net.Socket({ fd: descriptor }));
    closeSync(descriptor);
    log.attempt('socket', 'negative', () => new net.Socket({ fd: -1 }));
    log.attempt('socket', 'text', () => new net.Socket({ fd: 'one' as never }));
    const server = log.watch('server', net.createServer());
    log.attempt('server', 'listen', () => server.listen({ fd: 1_000_000 }));
    await Promise.race([until(server, 'error'), pass(50)]);
  },

  'a descriptor that is bound, and connects': async (net, log) => {
    const { server, port } = await listening(net, log);
    server.on('connection', (peer) => peer.resume().end('hello'));
    const module = net === require('node:net') ? 'node:net' : require.resolve('soref');
    const program = `
      const net = require(${JSON.stringify(module)});
      const socket = new net.Socket({ fd: 3 });
      const say = (...words) => console.log(words.join(' '));
      say('new', socket.readyState, socket.localPort);
      for (const event of ['connect', 'ready', 'data', 'end', 'finish', 'close', 'error']) {
        socket.on(event, (value) => say(event, value, socket.localPort));
      }
      socket.connect(${port}, '127.0.0.1');`;
    const { _createServerHandle } = net as unknown as {
      _createServerHandle(address: string, port: number, type: 4): { fd: number; close(): void };
    };
    const bound = _createServerHandle('127.0.0.1', 0, 4);
    const child = spawn(process.execPath, ['-e', program], {
      stdio: ['ignore', 'pipe', 'inherit', bound.fd],
    });
    bound.close();
    let said = '';
    child.stdout?.on('data', (data) => {
      said += data;
    });
    log.note('child', 'ended', ...(await until(child, 'close')));
    for (const line of said.trim().split('\n')) log.note('child', line);
  },

  'a socket of a descriptor': async (net, log) => {
    const module = net === require('node:net') ? 'node:net' : require.resolve('soref');
    const program = `
      const net = require(${JSON.stringify(module)});
      const socket = new net.Socket({ fd: 3 });
      const say = (...words) => console.log(words.join(' '));
      const state = () => [socket.readyState, socket.pending, socket.connecting, socket.bytesRead,
        socket.bytesWritten, JSON.stringify(socket.address()), socket.remoteAddress].join(' ');
      say('new', state(), socket.readableFlowing, socket._handle.fd);
      for (const event of ['data', 'end', 'finish', 'close', 'error', 'connect']) {
        socket.on(event, (value) => say(event, value, state()));
      }
      socket.write('hello');
      say('written', state());
      socket.on('end', () => socket.end('bye'));`;
    const stdio = ['ignore', 'pipe', 'inherit', 'pipe'] as const;
    const child = spawn(process.execPath, ['-e', program], { stdio: [...stdio] });
    const [, output, , descriptor] = child.stdio;
    let heard = '';
    descriptor?.on('data', (data) => {
      heard += data;
      if (heard === 'hello') (descriptor as Socket).end('all');
    });
    let said = '';
    output?.on('data', (data) => {
      said += data;
    });
    log.note('child', 'ended', ...(await until(child, 'close')));
    log.note('child', 'heard', heard);
    for (const line of said.trim().split('\n')) log.note('child', line);
  },
};
