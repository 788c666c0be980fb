// Preloaded into the process of every API test file (node --require). When the process ends it looks
// at soref's ledger: each socket that was attached must be detached, and nothing may be left. The
// test runner reads the report, and fails a file that leaves none. Tests need not know of it.
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { ledger } from 'soref';

/** Every counter that ought to be zero, or equal, at the end of a process and is not. */
function imbalances(): string[] {
  const { attached, detached, live, references, descriptors } = ledger();
  const problems: string[] = [];
  if (attached !== detached) problems.push(`${attached} attached, but ${detached} detached`);
  if (live !== 0) problems.push(`${live} sockets live`);
  if (descriptors !== 0) problems.push(`${descriptors} descriptors open`);
  for (const [tag, count] of Object.entries(references)) {
    if (count !== 0) problems.push(`${count} references of ${tag}`);
  }
  return problems;
}

const report = process.env.SOREF_LEDGER_REPORT;
// A test's own children and workers may end as they like; it is the test file that must balance.
delete process.env.SOREF_LEDGER_REPORT;

if (isMainThread && report !== undefined) {
  process.on('exit', () => {
    const problems = imbalances();
    writeFileSync(report, JSON.stringify({ problems, attached: ledger().attached }));
    if (problems.length > 0) process.exitCode = 1;
  });
}
