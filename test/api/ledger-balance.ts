// Preloaded into the process of every API test file (node --require). When the process ends it reports
// soref's ledger to the test runner, which judges it: each socket that was attached must be detached,
// and nothing may be left. A file that leaves no report fails. Tests need not know of it.
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { ledger } from 'soref';

const report = process.env.SOREF_LEDGER_REPORT;
// A test's own children and workers may end as they like; it is the test file that must balance.
delete process.env.SOREF_LEDGER_REPORT;

if (isMainThread && report !== undefined) {
  process.on('exit', () => writeFileSync(report, JSON.stringify(ledger())));
}
