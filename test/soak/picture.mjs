// Draws soaks as one SVG: for each, memory and the ledger over time.
import * as echarts from 'echarts';

const WIDTH = 960; // pixels
const PANEL = { height: 180, gap: 70, left: 80, right: 60 };
const HEAD = 80;
const COLORS = { rss: '#3b6fb6', atRest: '#12305c', attached: '#c08a1e', live: '#8c2f39' };

const megabytes = (bytes) => Math.round(bytes / 1e4) / 100;
const seconds = ({ seconds }) => Math.round(seconds * 10) / 10;
const points = (samples, of) => samples.map((sample) => [seconds(sample), of(sample)]);

function memorySeries(samples) {
  const rss = ({ rss }) => megabytes(rss);
  const atRest = samples.filter((sample) => sample.atRest);
  return [
    { name: 'resident memory', type: 'line', color: COLORS.rss, data: points(samples, rss) },
    {
      ...{ name: 'resident memory at rest', type: 'scatter', symbolSize: 4 },
      ...{ color: COLORS.atRest, data: points(atRest, rss) },
    },
  ];
}

function ledgerSeries(samples) {
  const { attached, live } = COLORS;
  return [
    {
      ...{ name: 'attached', type: 'line', color: attached },
      data: points(samples, ({ ledger }) => ledger.attached),
    },
    {
      ...{ name: 'detached', type: 'line', color: '#000' },
      lineStyle: { type: 'dotted', width: 2 },
      data: points(samples, ({ ledger }) => ledger.detached),
    },
    {
      ...{ name: 'live', type: 'line', color: live },
      ...{ lineStyle: { width: 1, opacity: 0.6 }, z: 1 },
      data: points(samples, ({ ledger }) => ledger.live),
    },
  ];
}

/** A panel: its place, and the series with their axes. `axes` are indices into its value axes. */
function panels(course) {
  return [
    {
      title: `${course.engine}: memory (MB) over time (s)`,
      axes: [{ min: 0 }],
      series: memorySeries(course.samples).map((series) => ({ series, axis: 0 })),
    },
    {
      title: `${course.engine}: sockets attached and detached (left), live (right) over time (s)`,
      axes: [{}, { splitLine: { show: false } }],
      series: ledgerSeries(course.samples).map((series, index) => ({ series, axis: index >> 1 })),
    },
  ];
}

/**
 * @param {import('./soak.mjs').Course[]} courses
 * @returns {string} an SVG document
 */
export function drawSoak(courses) {
  const all = courses.flatMap(panels);
  const height = HEAD + all.length * (PANEL.height + PANEL.gap);
  const connections = courses.reduce((sum, { samples }) => sum + samples.at(-1).connections, 0);
  const option = {
    animation: false,
    backgroundColor: '#fff',
    title: [
      { text: `${connections.toLocaleString('en')} connections, one in ten misbehaving`, left: 20 },
    ],
    legend: { top: 36, left: 16, itemGap: 24, data: [] },
    ...{ grid: [], xAxis: [], yAxis: [], series: [] },
  };
  all.forEach(({ title, axes, series }, index) => {
    const top = HEAD + 30 + index * (PANEL.height + PANEL.gap);
    option.title.push({
      text: title,
      left: PANEL.left,
      top: top - 34,
      textStyle: { fontSize: 13 },
    });
    option.grid.push({ top, height: PANEL.height, left: PANEL.left, right: PANEL.right });
    option.xAxis.push({ type: 'value', gridIndex: index, max: 'dataMax' });
    const firstAxis = option.yAxis.length;
    option.yAxis.push(...axes.map((axis) => ({ type: 'value', gridIndex: index, ...axis })));
    for (const { series: one, axis } of series) {
      option.series.push({
        ...{ showSymbol: false, silent: true, xAxisIndex: index, yAxisIndex: firstAxis + axis },
        ...one,
      });
      if (!option.legend.data.includes(one.name)) option.legend.data.push(one.name);
    }
  });
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height });
  chart.setOption(option);
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}
