// Spoils the soak's server: it keeps a small buffer for each connection.
import { subscribe } from 'node:diagnostics_channel';

const kept = [];

subscribe('net.server.socket', () => {
  kept.push(Buffer.alloc(256, 'kept'));
});
