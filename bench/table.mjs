// Formats the one table that a comparison ends with.

const number = (value) => Math.round(value).toLocaleString('en');
const ratio = (value, base) => (base ? `${(value / base).toFixed(2)}×` : '–');

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

/**
 * @param {Awaited<ReturnType<typeof import('./measure.mjs').measure>>['results']} results
 * @param {import('./rows.mjs').Row} row
 */
export function formatTable(results, row) {
  const find = (name) => results.find((result) => result.name === name);
  const node = results.find(({ name }) => name.startsWith('node:'));
  const head = [
    'contender',
    ...[`${row.unit}s/s`, '÷ node', '÷ floor'],
    ...[`CPU µs/${row.unit}`, '÷ node', '÷ floor'],
    ...['p50 µs', 'p99 µs', 'ledger'],
  ];
  const lines = results.map((result) => {
    const floor = result.floor ? find(result.floor) : undefined;
    return [
      result.name,
      number(result.perSecond),
      ratio(result.perSecond, node?.perSecond),
      ratio(result.perSecond, floor?.perSecond),
      result.cpuUs.toFixed(1),
      ratio(result.cpuUs, node?.cpuUs),
      ratio(result.cpuUs, floor?.cpuUs),
      number(result.p50Us),
      number(result.p99Us),
      ledgerCell(result.ledger),
    ];
  });
  const [title, ...body] = align([head, ...lines]);
  return [title, '─'.repeat(title.length), ...body].join('\n');
}
