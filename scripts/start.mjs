// `npm start`: sets up, builds, and runs the comparison with node:net. Arguments go to the benchmark.
import { build } from './build.mjs';
import { main, run } from './processes.mjs';
import { setup } from './setup.mjs';

await main(async (args) => {
  setup();
  await build(['native', 'bench', 'typescript']);
  run(process.execPath, ['bench/start.mjs', ...args]);
});
