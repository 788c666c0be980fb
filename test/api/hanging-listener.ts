// A port to which one connects in vain: nobody answers, and nobody refuses.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as net from 'node:net';
import type { Test } from 'tap';

/**
 * A listener in another process that never accepts and whose accept queue is full: the kernel neither
 * accepts nor refuses further connections, so that they hang.
 */
export async function hangingPort(t: Test, host: string): Promise<number> {
  const program = `
    const server = require('node:net').createServer();
    server.listen({ port: 0, host: '${host}', backlog: 1 }, () => {
      require('node:fs').writeSync(1, String(server.address().port));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const child = spawn(process.execPath, ['-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const [output] = await once(child.stdout, 'data');
  const port = Number(output);
  const fillers: net.Socket[] = [];
  t.teardown(() => {
    for (const filler of fillers) filler.destroy();
    child.kill('SIGKILL');
  });
  while (fillers.length < 16) {
    const filler = net.connect(port, host);
    filler.on('error', () => {});
    fillers.push(filler);
    const hangs = await Promise.race([
      once(filler, 'connect').then(() => false),
      new Promise<boolean>((resolve) => setTimeout(resolve, 100, true)),
    ]);
    if (hangs) return port;
  }
  throw new Error('the accept queue takes more than its backlog');
}
