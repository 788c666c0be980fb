// The comparison with the recorded counts of instructions fails when it should.
import t from 'tap';
import { compareCounts } from '../../bench/micro/baseline.mjs';

const problems = (counts, baseline) =>
  compareCounts(counts, baseline).flatMap(({ name, problem }) =>
    problem === undefined ? [] : [`${name} ${problem}`],
  );

t.test('counts up to 5 % above the recorded ones pass', async (t) => {
  t.strictSame(problems({ event: 100, name: 40 }, { event: 100, name: 40 }), []);
  t.strictSame(problems({ event: 105, name: 20 }, { event: 100, name: 40 }), []);
});

t.test('more does not', async (t) => {
  const found = problems({ event: 105.1, name: 80 }, { event: 100, name: 40 });
  t.strictSame(found, [
    'event takes 5.1 % more than recorded',
    'name takes 100.0 % more than recorded',
  ]);
});

t.test('a seam that is not in both is a problem, and so is a count that is none', async (t) => {
  t.strictSame(problems({ event: 1 }, {}), ['event is not in the baseline']);
  t.strictSame(problems({}, { event: 1 }), ['event is in the baseline, but is no seam']);
  t.match(problems({ event: Number.NaN }, { event: 1 }), [/^event takes NaN/]);
});
