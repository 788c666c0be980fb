// Runs one row of the comparison as asked: `npm run bench -- <row> [options]`.
import { parseArgs } from 'node:util';
import { main } from '../scripts/processes.mjs';
import { compare, defaults } from './compare.mjs';
import { rows } from './rows.mjs';

const USAGE = `npm run bench -- <row> [options]; the rows are ${Object.keys(rows).join(', ')}
  --rounds N        how often each contender is measured (${defaults.rounds})
  --seconds S       length of each measurement (${defaults.seconds})
  --concurrency N   connections open at a time (${defaults.concurrency})
  --engine E        io_uring or epoll: that engine, its floor and node:net
  --only A,B        the contenders of these names`;

function positive(name, text, fallback) {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!(value > 0 && value <= 60_000))
    throw new Error(`--${name}: ${text} is not a number in range`);
  return value;
}

function integer(name, text, fallback) {
  const value = positive(name, text, fallback);
  if (!Number.isInteger(value)) throw new Error(`--${name}: ${text} is not a whole number`);
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
      help: { type: 'boolean' },
    },
  });
  if (values.help) return console.log(USAGE);
  const [row, ...rest] = positionals;
  if (row === undefined || rest.length > 0 || !(row in rows)) throw new Error(`usage: ${USAGE}`);
  const balanced = await compare(row, {
    command: `npm run bench -- ${args.join(' ')}`,
    rounds: integer('rounds', values.rounds, defaults.rounds),
    seconds: positive('seconds', values.seconds, defaults.seconds),
    concurrency: integer('concurrency', values.concurrency, defaults.concurrency),
    engine: values.engine,
    only: values.only?.split(','),
  });
  if (!balanced) process.exitCode = 1;
});
