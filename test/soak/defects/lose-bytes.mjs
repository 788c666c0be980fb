// Spoils the soak's server: one socket in a thousand loses a byte of the request.
import { subscribe } from 'node:diagnostics_channel';

const LOST = 20; // behind the header, so that only its place in the order tells
let connections = 0;

subscribe('net.server.socket', ({ socket }) => {
  connections += 1;
  if (connections % 1000 !== 0) return;
  const { push } = socket;
  socket.push = (chunk) => {
    if (chunk === null || chunk.length <= LOST + 1) return push.call(socket, chunk);
    const rest = Buffer.concat([chunk.subarray(0, LOST), chunk.subarray(LOST + 1)]);
    return push.call(socket, rest);
  };
});
