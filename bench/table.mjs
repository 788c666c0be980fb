// Formats the one table that a comparison ends with, and says which goals were reached.

const ratio = (value, base) =>
  value > 0 && base > 0 && Number.isFinite(value / base) ? `${(value / base).toFixed(2)}×` : '–';

/** @param {number} value @param {number} digits after the point */
export const number = (value, digits) =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** A median and its spread. What was not counted of a contender is NaN, and null in a file. */
const measured = ({ median, spread }, digits) => [
  Number.isFinite(median) ? number(median, digits) : '–',
  Number.isFinite(spread) ? `${Math.round(spread * 100)}%` : '–',
];

function ledgerCell(ledger) {
  return ledger ? `${ledger.attached}/${ledger.detached}/${ledger.descriptors}` : '–';
}

/** Pads every cell to its column: the first to the left, as it is a name, the others to the right. */
function align(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const pad = (cell, column) =>
    column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]);
  return lines.map((line) => line.map(pad).join('  ').trimEnd());
}

/** The result that others are compared with. */
export const ofNode = (results) => results.find(({ name }) => /^node:\w+$/.test(name));

/** The bare program that a result is compared with, if it was measured. */
export const ofFloor = (results, { floor }) => results.find(({ name }) => name === floor);

/**
 * @param {Awaited<ReturnType<typeof import('./measure.mjs').measure>>['results']} results
 * @param {import('./rows.mjs').Row} row
 */
export function formatTable(results, row) {
  const node = ofNode(results);
  const withFloor = Boolean(row.floors);
  const ratios = ({ compared }) => (compared ? ['÷ node', ...(withFloor ? ['÷ floor'] : [])] : []);
  const head = [
    'contender',
    ...row.figures.flatMap((figure) => [figure.title, '±', ...ratios(figure)]),
    'ledger',
  ];
  const lines = results.map((result) => {
    const floor = ofFloor(results, result);
    const cells = row.figures.flatMap(({ key, digits, compared }) => {
      const { median } = result.figures[key];
      const cell = measured(result.figures[key], digits);
      if (compared) cell.push(ratio(median, node?.figures[key].median));
      if (compared && withFloor) cell.push(ratio(median, floor?.figures[key].median));
      return cell;
    });
    return [result.name, ...cells, ledgerCell(result.ledger)];
  });
  const [title, ...body] = align([head, ...lines]);
  return [title, '─'.repeat(title.length), ...body].join('\n');
}

/**
 * What soref was to reach, and what it did: ratios by the row's first figure, and the limits of any
 * figure that has them.
 * @returns {{ contender: string, against: string, figure: import('./figures.mjs').Figure,
 *   goal: number, reached: number, met: boolean }[]}
 */
export function weighGoals(results, { figures, goals }) {
  const [first] = figures;
  const node = ofNode(results);
  const weighed = [];
  const weigh = (contender, against, goal, reached, figure = first) => {
    if (goal === undefined || !Number.isFinite(reached)) return;
    const met = figure.better === 'lower' ? reached <= goal : reached >= goal;
    weighed.push({ contender, against, figure, goal, reached, met });
  };
  for (const result of results.filter(({ name }) => /^soref \w+$/.test(name))) {
    const value = result.figures[first.key].median;
    const engine = result.name.slice('soref '.length);
    const floor = ofFloor(results, result)?.figures[first.key].median;
    weigh(result.name, 'node', goals[engine], value / node?.figures[first.key].median);
    if (engine === 'io_uring') weigh(result.name, 'floor', goals.floor, value / floor);
    for (const figure of figures) {
      const { median } = result.figures[figure.key];
      weigh(result.name, 'itself', figure.limits?.[engine], median, figure);
    }
  }
  return weighed;
}

/** One line for each goal. */
export function judgeGoals(results, row) {
  return weighGoals(results, row).map(({ contender, against, figure, goal, reached, met }) => {
    const whose = against === 'itself' ? `, ${figure.title}:` : ` ÷ ${against}`;
    const wanted = `${figure.better === 'lower' ? '≤' : '≥'} ${number(goal, 2)}`;
    return `Goal ${met ? 'reached' : 'MISSED'}: ${contender}${whose} ${number(reached, 2)}, wanted ${wanted}`;
  });
}
