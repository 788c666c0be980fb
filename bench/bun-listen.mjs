// A server on Bun.listen, the API of Bun's own: `bun bench/bun-listen.mjs --mode echo`. It prints and
// obeys what server.mjs does, and has no net.Socket.
import { parseArgs } from 'node:util';

const MESSAGE_SIZE = 64; // bytes
const response = Buffer.alloc(MESSAGE_SIZE, 'r');
const counts = { accepted: 0, failed: 0 };

const { values } = parseArgs({ options: { mode: { type: 'string', default: 'accept-close' } } });

const services = {
  'accept-close': { open: (socket) => socket.end() },
  'request-response': {
    open: (socket) => {
      socket.data = { received: 0 };
    },
    data: (socket, chunk) => {
      socket.data.received += chunk.length;
      if (socket.data.received === MESSAGE_SIZE) socket.end(response);
    },
  },
  echo: { data: (socket, chunk) => socket.write(chunk) },
  hold: {},
};
const service = services[values.mode];
if (!service) throw new Error(`no mode ${values.mode}; there are ${Object.keys(services)}`);

const server = Bun.listen({
  ...{ hostname: '127.0.0.1', port: 0 },
  socket: {
    data() {},
    ...service,
    open: (socket) => {
      counts.accepted += 1;
      service.open?.(socket);
    },
    error: () => {
      counts.failed += 1;
    },
  },
});

function report() {
  const { user, system } = process.cpuUsage();
  return JSON.stringify({ engine: 'Bun.listen', ...counts, userCpuUs: user, systemCpuUs: system });
}

process.on('SIGUSR2', () => {
  Bun.gc(true);
  console.log(report());
});
process.once('SIGTERM', () => {
  server.stop();
  console.log(report());
  process.exit(0);
});
process.once('disconnect', () => process.exit(1));
console.log(`listening ${server.port}`);
