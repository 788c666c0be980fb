// Counts soref's crossings in this process: calls from the core into JavaScript, calls from
// JavaScript into the core, and turns of the loop. It is the server program's, on request, and
// reaches into lib/core to put a counter around each door; soref itself counts none of this. The
// ticks that Node runs after a call into JavaScript belong to that call.
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';

const require = createRequire(import.meta.url);
const { core, upcalls } = require('../dist/core/environment.js');

const counts = { intoJavaScript: 0, intoCore: 0 };

/** The function with a counter before it; anything else as it is. */
const counted = (value, counter) =>
  typeof value !== 'function'
    ? value
    : (...args) => {
        counts[counter] += 1;
        return value(...args);
      };

upcalls.deliver = counted(upcalls.deliver, 'intoJavaScript');
core.calls = Object.fromEntries(
  Object.entries(core.calls).map(([name, call]) => [name, counted(call, 'intoCore')]),
);

/** What was counted since this module was loaded, and the turns since the loop began. */
export const crossings = () => ({
  ...counts,
  turns: performance.nodeTiming.uvMetricsInfo?.loopCount ?? null,
});
