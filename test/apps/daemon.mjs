// Starts one server of servers/ on free loopback ports, with its data in a folder of its own, waits
// until it accepts connections, and stops it. It ends with this process, whatever happens to that.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { output } from '../../scripts/processes.mjs';

const ATTEMPTS = 3; // A free port may be taken before the server has it.
const START_LIMIT = 60_000; // milliseconds
const STOP_LIMIT = 10_000;

/** Debian keeps servers where only root's PATH looks. */
process.env.PATH = [process.env.PATH, '/usr/sbin', '/sbin'].join(delimiter);

async function freePorts(count) {
  const holders = Array.from({ length: count }, () => createServer());
  for (const holder of holders) {
    holder.listen(0, '127.0.0.1');
    await once(holder, 'listening');
  }
  const ports = holders.map((holder) => holder.address().port);
  for (const holder of holders) holder.close();
  return ports;
}

/** Whether something accepts connections at a port. */
function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => socket.destroy(resolve(true)));
    socket.on('error', () => resolve(false));
  });
}

/** A command as the user that a server wants to run as, if we are root and it refuses to be. */
function commandAs(user) {
  const prefix = ['setpriv', '--pdeathsig', 'KILL'];
  if (user !== undefined && process.getuid() === 0) {
    prefix.push('--reuid', user, '--regid', user, '--clear-groups');
  }
  return (program, args) => [...prefix, '--', program, ...args.map(String)];
}

/** A folder for the server, and copies of the certificate that it may read and nobody else. */
function prepareFolder(folder, user, certificate) {
  mkdirSync(folder, { recursive: true });
  const copies = {};
  for (const [name, path] of Object.entries(certificate)) {
    copies[name] = join(folder, `${name}.pem`);
    cpSync(path, copies[name]);
    chmodSync(copies[name], 0o600);
  }
  if (user === undefined || process.getuid() !== 0) return copies;
  const [uid, gid] = ['-u', '-g'].map((option) => Number(output('id', [option, user])));
  for (const path of [folder, ...Object.values(copies)]) chownSync(path, uid, gid);
  return copies;
}

async function stop(child, signal) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT);
  await ended;
  clearTimeout(timer);
}

async function startOnce(server, folder, certificate) {
  const ports = await freePorts(server.ports.length);
  const named = Object.fromEntries(server.ports.map((name, index) => [name, ports[index]]));
  // A tool, which programs start themselves.
  if (server.args === undefined) return { settings: named };
  const asUser = commandAs(server.user);
  const context = {
    ...named,
    folder,
    certificate: prepareFolder(folder, server.user, certificate),
    asUser,
  };
  server.prepare?.(context);
  const [started, ...rest] = [...(server.launcher ?? []), server.program];
  const [command, ...args] = asUser(started, [...rest, ...server.args(context)]);
  const log = join(folder, 'log');
  const stream = createWriteStream(log);
  await once(stream, 'open');
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...process.env, ...server.environment?.(context) },
    stdio: ['ignore', stream, stream],
  });
  stream.close();
  const failed = new Promise((_, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      reject(new Error(`it ended with ${code ?? signal}\n${readFileSync(log, 'utf8')}`));
    });
  });
  failed.catch(() => {});
  const deadline = Date.now() + START_LIMIT;
  while (!(await Promise.race([accepts(ports[0]), failed]))) {
    if (Date.now() > deadline) {
      await stop(child, 'SIGKILL');
      throw new Error(`it did not listen in time\n${readFileSync(log, 'utf8')}`);
    }
    await delay(50);
  }
  const { asUser: _, certificate: files, folder: __, ...settings } = context;
  return {
    settings: { ...settings, ...server.settings?.(context) },
    stop: () => stop(child, server.stopSignal ?? 'SIGTERM'),
  };
}

/** Starts a server. `settings` is what programs need to know of it; `stop()` resolves when it is gone. */
export async function startServer(server, folder, certificate) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(server, `${folder}-${attempt}`, certificate);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}
