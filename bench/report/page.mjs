// The report as one HTML page that needs nothing else: its charts are SVG within it.
import { formatTable, judgeGoals } from '../table.mjs';
import { drawRow, drawSummary } from './charts.mjs';

const STYLE = `
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
  pre { font-size: 12px; overflow-x: auto; background: #f5f5f2; padding: .7rem }
  svg { max-width: 100%; height: auto } h2 { margin-top: 2.5rem } .missed { color: #a33 }
  .facts { color: #555; font-size: 13px }`;

const escaped = (text) =>
  String(text).replace(/[&<>]/g, (character) => `&#${character.charCodeAt(0)};`);

/** How many times better than node:net, by the row's first figure; goals likewise. */
function standing({ plan: { row }, results }) {
  const [first] = row.figures;
  const of = (name) => results.find((result) => result.name === name)?.figures[first.key].median;
  const node = results.find(({ name }) => /^node:\w+$/.test(name))?.figures[first.key].median;
  const better = (ratio) => (first.better === 'lower' ? 1 / ratio : ratio);
  const ahead = {};
  const goals = {};
  for (const engine of ['io_uring', 'epoll']) {
    const value = of(`soref ${engine}`);
    if (value > 0 && node > 0) ahead[engine] = better(value / node);
    if (row.goals[engine]) goals[engine] = better(row.goals[engine]);
  }
  return { title: row.title, ahead, goals };
}

/** The chart of all rows that have ratios as goals. @param {object[]} comparisons  as bench/results/ has them */
export function summary(comparisons) {
  return drawSummary(
    comparisons.map(standing).filter(({ goals }) => Object.keys(goals).length > 0),
  );
}

function section(name, { plan, results, skipped, reproduce }) {
  const { row } = plan;
  const compared = row.figures.filter((figure, index) => index === 0 || figure.compared);
  const charts = compared.map((figure) => {
    const bars = results
      .map(({ name, figures }) => ({ name, ...figures[figure.key] }))
      .filter(({ median }) => Number.isFinite(median));
    return bars.length > 0 ? drawRow(figure, bars) : '';
  });
  const goals = judgeGoals(results, row).map(
    (line) => `<li${line.includes('MISSED') ? ' class="missed"' : ''}>${escaped(line)}</li>`,
  );
  const problems = results.flatMap(({ name, problems }) =>
    problems.map((problem) => `<li class="missed">${escaped(`${name}: ${problem}`)}</li>`),
  );
  const left = skipped.map(({ name, reason }) => `${name} was left out: ${reason}.`).join(' ');
  return `<h2 id="${name}">${escaped(row.title)}</h2>
<p>Measured: ${escaped(row.measures)}. ${plan.concurrency.toLocaleString('en')} connections at a time;
medians of ${plan.rounds} rounds in turn, with a line from the lowest to the highest. ${escaped(left)}</p>
${charts.join('\n')}
<pre>${escaped(formatTable(results, row))}</pre>
<ul>${goals.join('')}${problems.join('')}</ul>
<p class="facts"><code>${escaped(reproduce)}</code></p>`;
}

/** @param {Map<string, object>} comparisons  row's name → what bench/results/ has of it */
export function page(comparisons) {
  const all = [...comparisons.values()];
  const [{ machine }] = all;
  const commits = [...new Set(all.map(({ commit }) => commit ?? 'unknown'))];
  const dates = all.map(({ date }) => date).sort();
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>soref: comparisons</title><style>${STYLE}</style>
<h1>soref: comparisons</h1>
<p class="facts">${escaped(machine.cpu)} × ${machine.cpus}, Linux ${escaped(machine.kernel)},
Node ${escaped(machine.node)}; from ${dates[0]} to ${dates.at(-1)};
commit ${commits.map(escaped).join(', ')}. The floor is a bare C++ program with the same engine.</p>
${summary(all)}
${[...comparisons].map(([name, comparison]) => section(name, comparison)).join('\n')}
</html>
`;
}
