/** A port for tests that need one by its number. */
import { once } from 'node:events';
import * as nodeNet from 'node:net';

// Below those that the kernel gives out (ip(7), ip_local_port_range): there, what ended a short time ago keeps its port
// for a minute, so that binding it can fail although nobody listens.
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** A port where nobody listens, on any address. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    const server = nodeNet.createServer().listen(port);
    try {
      await once(server, 'listening');
    } catch {
      continue; // Somebody does.
    }
    const closed = once(server, 'close');
    server.close();
    await closed;
    return port;
  }
}
