// The main job, which `npm start` runs: accept and close on node:net, on soref with each engine of
// this machine, and on the bare floors. Takes about a minute; ends with 1 if a ledger is unbalanced.
import { main } from '../scripts/processes.mjs';
import { compare } from './compare.mjs';

await main(async () => {
  const balanced = await compare('accept-close', { command: 'npm start' });
  if (!balanced) process.exitCode = 1;
});
