// `npm run bench:micro`: what the seams cost. Those of JavaScript are timed by benchmark.js; for the
// native ones the time is beside the number of instructions, where valgrind is there to count them.
import Benchmark from 'benchmark';
import { build } from '../../scripts/build.mjs';
import { has, main, step } from '../../scripts/processes.mjs';
import { setup } from '../../scripts/setup.mjs';
import { compiler, instructionsOf, seamNames, timeOf } from './seam-program.mjs';

const SECONDS = 1; // for each seam of JavaScript

/** @returns {Promise<Benchmark>} the finished measurement */
function time({ name, run, deferred = false }) {
  return new Promise((resolve, reject) => {
    const options = { async: true, defer: deferred, maxTime: SECONDS, minSamples: 10 };
    const benchmark = new Benchmark(name, run, options);
    benchmark.on('complete', () => resolve(benchmark));
    benchmark.on('error', () => reject(benchmark.error));
    benchmark.run();
  });
}

async function timeJavaScript() {
  // Only now, since it loads what was built.
  const { BATCH, javascriptSeams } = await import('./javascript-seams.mjs');
  step('Seams of JavaScript: nanoseconds for each operation');
  for (const seam of javascriptSeams()) {
    const { stats } = await time(seam);
    seam.end?.();
    const nanoseconds = ((1e9 * stats.mean) / BATCH).toFixed(1);
    const samples = `± ${stats.rme.toFixed(1)} %, ${stats.sample.length} samples`;
    console.log(`${seam.name.padEnd(40)} ${nanoseconds.padStart(9)}  ${samples}`);
  }
}

function measureNative() {
  const counts = has('valgrind');
  step(`Native seams, compiled with ${compiler()}: nanoseconds and instructions`);
  if (!counts) console.log('valgrind is not installed: no instructions');
  for (const name of seamNames()) {
    const nanoseconds = timeOf(name).toFixed(1);
    const instructions = counts ? instructionsOf(name).toFixed(1) : '–';
    console.log(`${name.padEnd(40)} ${nanoseconds.padStart(9)} ${instructions.padStart(9)}`);
  }
}

await main(async (args) => {
  if (args.length > 0) throw new Error('npm run bench:micro takes no options');
  setup();
  await build(['native', 'micro', 'typescript']);
  await timeJavaScript();
  measureNative();
});
