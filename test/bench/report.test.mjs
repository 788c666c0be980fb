// The report shows what was measured, and needs nothing from elsewhere.
import t from 'tap';
import { page, summary } from '../../bench/report/page.mjs';
import { rows } from '../../bench/rows.mjs';

/** A comparison as its file has it, where the first figure of each contender is given. */
function comparison(name, values, problems = []) {
  const row = JSON.parse(JSON.stringify({ ...rows[name], procedure: undefined }));
  const results = Object.entries(values).map(([name, value]) => ({
    ...{ name, floor: name.startsWith('soref') ? name.replace('soref', 'floor') : null },
    ...{ ledger: null, problems: [], otherWork: 0 },
    figures: Object.fromEntries(row.figures.map(({ key }) => [key, { median: value, spread: 0 }])),
  }));
  results[0].problems.push(...problems);
  return {
    ...{ reproduce: `npm run bench -- ${name}`, date: '2026-01-01', commit: 'abc', skipped: [] },
    machine: { cpu: 'some CPU', cpus: 2, kernel: '6.1', node: 'v20' },
    ...{ plan: { row, rounds: 5, concurrency: 64 }, results },
  };
}

const echo = comparison('echo', { 'node:net': 10, 'soref io_uring': 4, 'soref epoll': 9 });
const bulk = comparison('bulk-to', { 'node:net': 1000, 'soref epoll': 1500 }, ['<lost> 3 bytes']);

t.test(
  'the chart tells how many times better soref is, in the direction of each figure',
  async (t) => {
    const svg = summary([echo, bulk]);
    t.match(svg, /^<svg /);
    for (const times of ['2.50×', '1.11×', '1.50×']) t.ok(svg.includes(times), times);
    t.ok(svg.includes(rows['bulk-to'].title));
  },
);

t.test('the page has a section for each row, with its goals and its problems', async (t) => {
  const html = page(
    new Map([
      ['echo', echo],
      ['bulk-to', bulk],
    ]),
  );
  for (const name of ['echo', 'bulk-to']) t.ok(html.includes(`<h2 id="${name}">`), name);
  t.match(html, /Goal reached: soref io_uring ÷ node 0.40/);
  t.match(html, /class="missed">Goal MISSED: soref epoll ÷ node 0.90/);
  t.match(html, /&#60;lost&#62; 3 bytes/, 'escaped');
  t.match(html, /npm run bench -- echo/);
});

t.test('nothing is loaded from elsewhere', async (t) => {
  const html = page(new Map([['echo', echo]])).replaceAll(/xmlns(:\w+)?="[^"]*"/g, '');
  t.notMatch(html, /https?:\/\//);
  t.notMatch(html, /<(script|link|img)/);
});
