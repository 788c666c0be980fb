// Runs one program on node:net and on soref, each in a process of its own, for what concerns a whole process: hooks,
// uncaught exceptions, permissions. What it prints must be the same.
import type { Test } from 'tap';
import { type Conditions, type Ending, run, shortFolder } from './programs';

// What the programs have in common: `net` is the one or the other, `folder` is a place for Unix sockets.
const START = `
const { once } = require('node:events');
const net = require(process.argv[2]);
const folder = process.argv[3];
const log = (...values) => console.log(values.join(' '));
/** A server's sockets and their clients, in the order of the connections. */
async function connections(count, options = {}) {
  const server = net.createServer(options).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const clients = [];
  const sockets = [];
  for (let i = 0; i < count; i++) {
    const accepted = once(server, 'connection');
    clients.push(net.connect(server.address().port, '127.0.0.1'));
    sockets.push((await accepted)[0]);
    if (clients[i].connecting) await once(clients[i], 'connect');
  }
  return { server, clients, sockets };
}
function end({ server, clients, sockets }) {
  for (const socket of [...clients, ...sockets]) socket.destroy();
  server.close();
}
`;

const folders = { 'node:net': shortFolder(), soref: shortFolder() };

/** Compares standard output and the exit code; standard error has stacks, which are others in soref. */
export async function onBothNets(
  t: Test,
  program: string,
  conditions: Conditions = {},
): Promise<Ending> {
  const file = `${t.testdir({ 'program.cjs': START + program })}/program.cjs`;
  const runOn = async (net: keyof typeof folders): Promise<Ending> => {
    const folder = folders[net];
    const ending = await run(file, { ...conditions, args: [net, folder] });
    return { ...ending, stdout: ending.stdout.replaceAll(folder, '<folder>') };
  };
  const node = await runOn('node:net');
  const soref = await runOn('soref');
  t.equal(soref.stdout, node.stdout, soref.stderr);
  t.equal(soref.status, node.status);
  return node;
}
