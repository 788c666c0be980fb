// Spoils the soak's server: one connection in a thousand opens a descriptor that is never closed.
import { subscribe } from 'node:diagnostics_channel';
import { openSync } from 'node:fs';

let connections = 0;

subscribe('net.server.socket', () => {
  connections += 1;
  if (connections % 1000 !== 0) return;
  try {
    openSync('/dev/null', 'r');
  } catch {
    // The soak has taken the descriptors away, which is no defect.
  }
});
