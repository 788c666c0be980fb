// Each row of the comparison is measured once in small, and does the work that it counts.
import t from 'tap';
import { chooseContenders } from '../../bench/contenders.mjs';
import { measure } from '../../bench/measure.mjs';
import { choosePlacement } from '../../bench/placement.mjs';
import { rows } from '../../bench/rows.mjs';

t.setTimeout(110_000); // all rows together, on a machine that does other work
t.jobs = 2; // rows at a time: no figure is judged here, and a row waits more than it works

const plan = {
  ...{ rounds: 2, seconds: 0.3, warmUp: 0.05, firstWarmUp: 0.1, concurrency: 16 },
  placement: { server: null, load: choosePlacement().load.slice(0, 1) },
};

/** What takes long at the size that it has in a real comparison. */
const small = {
  'idle-memory': { concurrency: 400 },
  growth: { others: { mode: 'hold', concurrency: 400 } },
  // A handshake of every connection comes first, and a busy machine takes its time for it: few.
  https: { seconds: 0.6, concurrency: 4 },
  'https-close': { seconds: 0.6, concurrency: 4 },
  storm: { others: { mode: 'echo-close', concurrency: 32 } },
};

// The row of crossings counts other things in every contender: crossings.test.mjs measures that one.
for (const name of Object.keys(rows).filter((name) => name !== 'crossings')) {
  t.test(`${name} is measured in alternating rounds`, { buffered: true }, async (t) => {
    const { others = rows[name].others, ...settings } = small[name] ?? {};
    const row = { ...rows[name], others };
    const names = [row.module ?? 'node:net', row.floors ? 'floor epoll' : 'soref epoll'];
    const contenders = chooseContenders({ row, only: names });
    const { results } = await measure(contenders, { ...plan, row, ...settings });
    t.strictSame(
      results.map((result) => [result.name, result.rounds.length, result.problems]),
      names.map((name) => [name, 2, []]),
    );
    for (const { rounds, figures, report } of results) {
      for (const figure of row.figures) {
        t.ok(Number.isFinite(figures[figure.key].median), `${figure.title} is a number`);
      }
      const served = rounds.every(({ window, many, held }) =>
        many ? many.window.completed > 0 : window ? window.completed > 0 : held === 400,
      );
      t.ok(served, 'every round did its work');
      if (row.figures.some(({ key }) => key === 'mbPerCpuSecond')) {
        const inWindows = rounds.reduce((sum, { window }) => sum + window.completed, 0);
        t.ok(report.bytes > inWindows, 'and the process has moved the bytes');
      }
    }
  });
}
