// Spoils the soak's server: one socket in a thousand emits 'close' a second time.
import { subscribe } from 'node:diagnostics_channel';

let connections = 0;

subscribe('net.server.socket', ({ socket }) => {
  connections += 1;
  if (connections % 1000 !== 0) return;
  socket.once('close', () => process.nextTick(() => socket.emit('close')));
});
