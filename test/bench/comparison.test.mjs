// The comparison tells what it should: medians, ratios, and above all that something went wrong.
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { chooseContenders } from '../../bench/contenders.mjs';
import { ledgerProblems } from '../../bench/ledger.mjs';
import { measure } from '../../bench/measure.mjs';
import { choosePlacement } from '../../bench/placement.mjs';
import { rows } from '../../bench/rows.mjs';
import { median, spread } from '../../bench/statistics.mjs';
import { formatTable, weighGoals } from '../../bench/table.mjs';

const plan = {
  ...{ rounds: 2, seconds: 0.2, warmUp: 0.05, firstWarmUp: 0.1, concurrency: 16 },
  placement: { server: null, load: choosePlacement().load.slice(0, 1) },
};
const only = (...names) => chooseContenders({ only: names });

t.test('the median', async (t) => {
  t.equal(median([9, 1, 5]), 5);
  t.equal(median([4, 1, 10, 2]), 3);
  t.equal(median([7]), 7);
  t.same(median([]), Number.NaN);
});

t.test('the spread', async (t) => {
  t.equal(spread([10, 8, 12]), 0.2);
  t.equal(spread([7]), 0);
});

t.test('what does not balance in a ledger', async (t) => {
  const balanced = {
    ...{ attached: 5, detached: 5, live: 0, descriptors: 0 },
    references: { consumer: 0, queue: 0 },
  };
  t.strictSame(ledgerProblems(balanced), []);
  t.match(ledgerProblems({ ...balanced, detached: 4 }), [/5 attached, but 4 detached/]);
  t.match(ledgerProblems({ ...balanced, live: 2 }), [/2 sockets live/]);
  t.match(ledgerProblems({ ...balanced, descriptors: 1 }), [/1 descriptors open/]);
  t.match(ledgerProblems({ ...balanced, references: { queue: 3 } }), [/3 references of queue/]);
});

t.test('a client that says other than the answering server is a problem', async (t) => {
  const row = rows.client;
  const [contender] = chooseContenders({ row, only: ['node:net'] });
  const lying = {
    ...row.procedure,
    round: async (run, plan) => {
      const result = await row.procedure.round(run, plan);
      run.opened += 1;
      return result;
    },
  };
  const { results } = await measure([contender], { ...plan, row: { ...row, procedure: lying } });
  t.match(results[0].problems.join('\n'), /opened \d+, but \d+ were accepted/);
});

t.test('bytes that a server has not moved are a problem', async (t) => {
  const row = rows['bulk-to'];
  const [contender] = chooseContenders({ row, only: ['floor epoll'] });
  const run = { contender, opened: 8, bytes: 100 };
  const { disagreements } = row.procedure;
  t.strictSame(disagreements(run, { accepted: 8, bytes: 100 }), []);
  t.match(disagreements(run, { accepted: 8, bytes: 99 }), [/100 bytes moved, but 99/]);
  t.match(disagreements(run, { accepted: 7, bytes: 100 }), [/8 opened, but 7 accepted/]);
});

t.test('an unbalanced ledger is a problem', async (t) => {
  const [contender] = only('node:net');
  const module = fileURLToPath(new URL('unbalanced-net.cjs', import.meta.url));
  const command = contender.command.map((part) => (part === 'node:net' ? module : part));
  const { results } = await measure([{ ...contender, command }], {
    ...plan,
    row: rows['accept-close'],
  });
  const problems = results[0].problems.join('\n');
  t.match(problems, /3 attached, but 2 detached/);
  t.match(problems, /1 descriptors open/);
  t.match(problems, /1 references of consumer/);
  t.match(problems, /the process ended with 1/);
});

t.test('a server that breaks connections is a problem', async (t) => {
  // It closes at once where the load generator waits for an answer.
  const [contender] = only('floor epoll');
  const row = { ...rows['accept-close'], load: ['--mode', 'request-response'] };
  const { results } = await measure([contender], { ...plan, row });
  t.match(results[0].problems.join('\n'), /connections failed with/);
  t.match(results[0].problems.join('\n'), /nothing was served/);
});

t.test('what cannot start is left out only if it is optional', async (t) => {
  const [contender] = only('node:net');
  const broken = { ...contender, command: ['/bin/false'] };
  const row = rows.echo;
  await t.rejects(measure([broken], { ...plan, row }), /node:net/);
  const { results, skipped } = await measure([{ ...broken, optional: true }], { ...plan, row });
  t.equal(results.length, 0);
  t.equal(skipped[0].name, 'node:net');
});

t.test('a contender that does not exist is an error', async (t) => {
  t.throws(() => only('deno'), /no contender deno/);
});

const row = rows['accept-close'];

/** A result whose figures are these, in the order of the row's. */
const result = (name, floor, values, ledger = null) => ({
  ...{ name, floor, ledger, problems: [] },
  figures: Object.fromEntries(
    row.figures.map(({ key }, index) => [key, { median: values[index], spread: 0.04 }]),
  ),
});

const results = [
  result('node:net', 'floor epoll', [40, 10_000, 1000, 2000]),
  result('soref epoll', 'floor epoll', [15, 20_000, 1000, 2000], {
    ...{ attached: 8, detached: 8, descriptors: 0 },
  }),
  result('soref io_uring', 'floor io_uring', [16, 20_000, 1000, 2000]),
  result('floor epoll', null, [10, 40_000, 1000, 2000]),
];

t.test('the table has ratios to node:net and to the own floor', async (t) => {
  const cells = formatTable(results, row)
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  const latencies = ['1,000', '4%', '2,000', '4%'];
  t.strictSame(cells[2], [
    ...['node:net', '40.0', '4%', '1.00×', '4.00×', '10,000', '4%', '1.00×', '0.25×'],
    ...[...latencies, '–'],
  ]);
  t.strictSame(cells[3], [
    ...['soref epoll', '15.0', '4%', '0.38×', '1.50×', '20,000', '4%', '2.00×', '0.50×'],
    ...[...latencies, '8/8/0'],
  ]);
  t.equal(cells[4][4], '–', 'no ratio to a floor that was not measured');
});

t.test('goals are weighed by the first figure, in its direction', async (t) => {
  const weighed = (row) =>
    weighGoals(results, row).map(({ contender, against, met }) => [contender, against, met]);
  t.strictSame(weighed(row), [
    ['soref epoll', 'node', true],
    ['soref io_uring', 'node', false],
  ]);
  const speed = { ...row, figures: [row.figures[1]], goals: { epoll: 2.5, io_uring: 1.9 } };
  t.strictSame(weighed(speed), [
    ['soref epoll', 'node', false],
    ['soref io_uring', 'node', true],
  ]);
  const limits = { epoll: 2000, io_uring: 1999 };
  const figures = [...row.figures.slice(0, 3), { ...row.figures[3], limits }];
  t.strictSame(weighed({ ...row, figures, goals: {} }), [
    ['soref epoll', 'itself', true],
    ['soref io_uring', 'itself', false],
  ]);
});
