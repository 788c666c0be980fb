// Spoils the soak's server: it keeps 32 bytes of each connection.
import { subscribe } from 'node:diagnostics_channel';

const CONNECTIONS = 128; // that share a piece of memory
const DOUBLES = 32 / Float64Array.BYTES_PER_ELEMENT;
const kept = [];
let connections = 0;

subscribe('net.server.socket', () => {
  if (connections % CONNECTIONS === 0) kept.push(new Float64Array(CONNECTIONS * DOUBLES).fill(1));
  connections += 1;
});
