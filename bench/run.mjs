// Runs the comparison as asked: `npm run bench` all rows, `npm run bench -- <row>… [options]` some.
import { parseArgs } from 'node:util';
import { build } from '../scripts/build.mjs';
import { main, step } from '../scripts/processes.mjs';
import { setup } from '../scripts/setup.mjs';
import { compare, defaults } from './compare.mjs';
import { rows } from './rows.mjs';

const USAGE = `npm run bench -- [row…] [options]; without a row, all of them:
${Object.entries(rows)
  .map(([name, { title }]) => `  ${name.padEnd(17)} ${title}`)
  .join('\n')}
  --rounds N        how often each contender is measured (${defaults.rounds}; some rows: 3)
  --seconds S       length of each measurement (${defaults.seconds})
  --concurrency N   connections open at a time (${defaults.concurrency}, or as the row says)
  --engine E        io_uring or epoll: that engine, its floor and node:net
  --only A,B        the contenders of these names
  --peers           also Bun, Deno and Node 22, 24 and 26, which are installed into .cache/`;

function positive(name, text) {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!(value > 0 && value <= 60_000))
    throw new Error(`--${name}: ${text} is not a number in range`);
  return value;
}

function integer(name, text) {
  const value = positive(name, text);
  if (value !== undefined && !Number.isInteger(value))
    throw new Error(`--${name}: ${text} is not a whole number`);
  return value;
}

await main(async (args) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      concurrency: { type: 'string' },
      engine: { type: 'string' },
      only: { type: 'string' },
      peers: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(USAGE);
  const unknown = positionals.find((name) => !(name in rows));
  if (unknown !== undefined) throw new Error(`no row ${unknown}\n${USAGE}`);
  const request = {
    rounds: integer('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
    concurrency: integer('concurrency', values.concurrency),
    engine: values.engine,
    only: values.only?.split(','),
    peers: values.peers,
  };
  setup();
  await build(['native', 'bench', 'typescript']);
  const names = positionals.length > 0 ? positionals : Object.keys(rows);
  const failed = [];
  for (const [index, name] of names.entries()) {
    const minutes = (process.uptime() / 60).toFixed(1);
    step(`Row ${index + 1} of ${names.length}, after ${minutes} minutes`);
    const command = `npm run bench -- ${[name, ...args.filter((arg) => !positionals.includes(arg))].join(' ')}`;
    // What goes wrong in one row must not take the others'.
    const good = await compare(name, { command, ...request }).catch((error) => {
      console.error(`FAILED ${name}: ${error.message}`);
      return false;
    });
    if (!good) failed.push(name);
    console.log('');
  }
  if (failed.length === 0) return;
  console.error(`With problems: ${failed.join(', ')}`);
  process.exitCode = 1;
});
