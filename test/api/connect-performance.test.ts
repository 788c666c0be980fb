// Connections that are measured for perf_hooks: the entries are Node's, and nothing else shows of the measuring.
import t from 'tap';
import { onBothNets } from './both-nets';

t.test('a measured connection is announced once, and with its socket', async (t) => {
  const { stdout } = await onBothNets(
    t,
    `
const { subscribe } = require('node:diagnostics_channel');
const { PerformanceObserver } = require('node:perf_hooks');
const announced = [];
subscribe('net.client.socket', ({ socket }) => announced.push(socket));
const observer = new PerformanceObserver((list) => {
  for (const { name, entryType } of list.getEntries()) log('measured', entryType, name);
});
observer.observe({ entryTypes: ['net'] });
(async () => {
  const connected = await connections(1);
  await new Promise(setImmediate);
  log('announced', announced.length, announced[0] === connected.clients[0]);
  end(connected);
})();
`,
  );
  t.match(stdout, /measured net connect/);
  t.match(stdout, /announced 1 true/);
});
