// Draws comparisons as SVG: one chart of all rows, by how much soref is ahead of node:net, and one
// for each row, with what every contender took.
import * as echarts from 'echarts';

const WIDTH = 900; // pixels
const LINE = 26; // of one bar's row
const GROUP = 46; // of a row with its two bars
const HEAD = 70;
const FOOT = 40;
const LONGEST = 4; // times better; a bar beyond it would make all others look alike
const COLORS = { io_uring: '#2f6f4f', epoll: '#7fb08a', node: '#b65c3b', floor: '#8a8f98' };
const PEER = '#6a6fb0';

function colorOf(name) {
  if (name.startsWith('soref io_uring')) return COLORS.io_uring;
  if (name.startsWith('soref')) return COLORS.epoll;
  if (name.startsWith('floor')) return COLORS.floor;
  return /^node:\w+$/.test(name) ? COLORS.node : PEER;
}

function render(option, height) {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption({ animation: false, backgroundColor: '#fff', ...option });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

/** A vertical mark in a bar's row, where `value` is on the axis. */
function mark(_parameters, api) {
  const [x, y] = api.coord([api.value(0), api.value(1)]);
  const half = (api.size([0, 1])[1] * api.value(3)) / 2;
  const center = y + api.value(2) * api.size([0, 1])[1];
  return {
    type: 'line',
    shape: { x1: x, y1: center - half, x2: x, y2: center + half },
    style: { stroke: '#111', lineWidth: 2 },
  };
}

/** A horizontal line from a bar's lowest to its highest round. */
function whisker(_parameters, api) {
  const [from, y] = api.coord([api.value(0), api.value(2)]);
  const [to] = api.coord([api.value(1), api.value(2)]);
  return {
    type: 'line',
    shape: { x1: from, y1: y, x2: to, y2: y },
    style: { stroke: '#111', lineWidth: 1.5 },
  };
}

const times = (value) => (value >= 10 ? value.toFixed(0) : value.toFixed(2));

/**
 * All rows that have a ratio to node:net.
 * @param {{ title: string, ahead: { io_uring?: number, epoll?: number },
 *   goals: { io_uring?: number, epoll?: number } }[]} rows  ratios as "so many times better"
 */
export function drawSummary(rows) {
  const engines = ['io_uring', 'epoll'];
  const series = engines.map((engine) => ({
    ...{ name: `soref ${engine}`, type: 'bar', barWidth: 13, color: COLORS[engine] },
    data: rows.map(({ ahead }) => (ahead[engine] ? Math.min(ahead[engine], LONGEST) : null)),
    label: {
      ...{ show: true, position: 'right', fontSize: 11, color: '#333', distance: 8 },
      formatter: ({ dataIndex }) => {
        const value = rows[dataIndex].ahead[engine];
        return value ? `${times(value)}×` : '';
      },
    },
  }));
  const goals = engines.flatMap((engine, index) =>
    rows.flatMap(({ goals }, row) =>
      goals[engine] ? [[goals[engine], row, index === 0 ? -0.17 : 0.17, 0.34]] : [],
    ),
  );
  return render(
    {
      title: [
        { text: 'soref against node:net: times better', left: 16, top: 12 },
        {
          text: `CPU time, bytes or requests a CPU second, memory, or latency, as each row says; 1 is node:net; a mark is a goal; no bar is longer than ${LONGEST}×`,
          ...{
            left: 16,
            top: 38,
            textStyle: { fontSize: 12, fontWeight: 'normal', color: '#555' },
          },
        },
      ],
      legend: { right: 20, top: 14, itemGap: 30, data: series.map(({ name }) => name) },
      grid: { left: 330, right: 60, top: HEAD, bottom: FOOT },
      xAxis: { type: 'value', min: 0, max: LONGEST, axisLabel: { formatter: '{value}×' } },
      yAxis: {
        ...{ type: 'category', inverse: true, data: rows.map(({ title }) => title) },
        axisLabel: { fontSize: 12, color: '#222', width: 310, overflow: 'break' },
        axisTick: { show: false },
      },
      series: [
        ...series,
        { type: 'custom', renderItem: mark, data: goals, encode: { x: 0, y: 1 }, z: 5 },
        {
          ...{ type: 'line', data: [], silent: true },
          markLine: {
            ...{ symbol: 'none', silent: true, data: [{ xAxis: 1 }], label: { show: false } },
            lineStyle: { color: COLORS.node, type: 'solid', width: 1.5 },
          },
        },
      ],
    },
    HEAD + FOOT + rows.length * GROUP,
  );
}

/**
 * One figure of one row, a bar for each contender.
 * @param {{ title: string, digits: number, better: string }} figure
 * @param {{ name: string, median: number, spread: number }[]} bars
 */
export function drawRow({ title, digits, better }, bars) {
  const shown = (value) => value.toLocaleString('en', { maximumFractionDigits: digits });
  return render(
    {
      title: {
        text: `${title} (${better} is better)`,
        ...{ left: 16, top: 8, textStyle: { fontSize: 13 } },
      },
      grid: { left: 150, right: 90, top: 40, bottom: 30 },
      xAxis: { type: 'value', min: 0 },
      yAxis: {
        ...{ type: 'category', inverse: true, data: bars.map(({ name }) => name) },
        axisTick: { show: false },
      },
      series: [
        {
          ...{ type: 'bar', barWidth: 16 },
          data: bars.map(({ name, median }) => ({
            value: median,
            itemStyle: { color: colorOf(name) },
          })),
          label: {
            ...{ show: true, position: 'right', distance: 14 },
            formatter: ({ value }) => shown(value),
          },
        },
        {
          ...{ type: 'custom', renderItem: whisker, encode: { x: [0, 1], y: 2 }, z: 5 },
          data: bars.map(({ median, spread }, row) => [
            median * (1 - spread),
            median * (1 + spread),
            row,
          ]),
        },
      ],
    },
    70 + bars.length * LINE,
  );
}
