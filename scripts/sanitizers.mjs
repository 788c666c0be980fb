// Runs the tests where they find what no test sees by itself. The parts are
//   threads      the native tests with environments on two threads, under ThreadSanitizer
//   npm run sanitizers -- [part…] [--only=WORD]
//     --only  files whose names contain the word
// The last line is `N passed, N failed`.
import { parseArgs } from 'node:util';
import { main } from './processes.mjs';
import { setup } from './setup.mjs';
import { report } from './test.mjs';
import { runThreadTests } from './thread-sanitizer.mjs';

const PARTS = ['threads'];

const options = { only: { type: 'string', default: '' } };

await main(async (args) => {
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const unknown = positionals.find((part) => !PARTS.includes(part));
  if (unknown) throw new Error(`no part ${unknown}; there are ${PARTS.join(', ')}`);
  setup();
  // Only now, since set-up has to run before the packages that it needs are there.
  const runner = await import('./test-files.mjs');
  report(await runThreadTests({ ...values, runner }));
});
