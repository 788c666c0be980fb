// The comparison tells what it should: medians, ratios, and above all that something went wrong.
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { chooseContenders } from '../../bench/contenders.mjs';
import { ledgerProblems } from '../../bench/ledger.mjs';
import { measure, median } from '../../bench/measure.mjs';
import { choosePlacement } from '../../bench/placement.mjs';
import { rows } from '../../bench/rows.mjs';
import { formatTable } from '../../bench/table.mjs';

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

for (const name of Object.keys(rows)) {
  t.test(`${name} is measured in alternating rounds`, async (t) => {
    const row = rows[name];
    const { module = 'node:net' } = row;
    const names = [module, module === 'node:net' ? 'floor epoll' : 'soref epoll'];
    const contenders = chooseContenders({ only: names, module });
    const { results } = await measure(contenders, { ...plan, row });
    t.strictSame(
      results.map((result) => [result.name, result.rounds.length, result.problems]),
      names.map((name) => [name, 2, []]),
    );
    for (const { cpuUs, perSecond } of results) t.ok(cpuUs > 0 && perSecond > 0);
  });
}

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
  t.match(problems, /the server ended with 1/);
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

t.test('the table has ratios to node:net and to the own floor', async (t) => {
  const result = (name, floor, perSecond, cpuUs, ledger = null) => ({
    ...{ name, floor, perSecond, cpuUs, ledger },
    ...{ p50Us: 1000, p99Us: 2000, problems: [] },
  });
  const ledger = { attached: 8, detached: 8, descriptors: 0 };
  const table = formatTable(
    [
      result('node:net', 'floor epoll', 10_000, 40),
      result('soref epoll', 'floor epoll', 20_000, 15, ledger),
      result('soref io_uring', 'floor io_uring', 20_000, 15, ledger),
      result('floor epoll', null, 40_000, 10),
    ],
    rows['accept-close'],
  );
  const cells = table.split('\n').map((line) => line.split(/ {2,}/));
  t.strictSame(cells[2], [
    'node:net',
    '10,000',
    '1.00×',
    '0.25×',
    '40.0',
    '1.00×',
    '4.00×',
    '1,000',
    '2,000',
    '–',
  ]);
  t.strictSame(cells[3], [
    'soref epoll',
    '20,000',
    '2.00×',
    '0.50×',
    '15.0',
    '0.38×',
    '1.50×',
    '1,000',
    '2,000',
    '8/8/0',
  ]);
  t.equal(cells[4][3], '–', 'no ratio to a floor that was not measured');
});
