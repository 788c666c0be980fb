// The server that the soak runs against, a process of its own: two soref servers, one of which has
// hardly a backlog, so that storms overflow it. Its parent asks over the IPC channel
//   'report'  for its counts and its ledger as they are;
//   'settle'  for the same, once nothing is open but the two listeners, after a collection of garbage;
//   'close'   for the same, once the listeners are closed too; then it ends.
// Run with --expose-gc. It judges nothing: judgement.mjs does.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { createServer, engine, ledger } from 'soref';
import { converse, counts } from './conversation.mjs';

const SETTLE_TIMEOUT = 5000; // milliseconds
const NARROW_BACKLOG = 1;
const BACKLOG = 4096;

const wide = createServer(converse);
const narrow = createServer(converse);

/** Without a look at /proc, which needs a descriptor: there may be none. The parent does that. */
function report() {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return { counts, ledger: ledger(), heap: heap + external };
}

/** Waits until as many sockets are live; if they never are, the report shows it. */
async function settle(live) {
  const giveUp = Date.now() + SETTLE_TIMEOUT;
  while (ledger().live !== live && Date.now() < giveUp) await sleep(2);
  // Garbage may hold what only a finalizer gives back, which makes garbage in turn.
  for (let pass = 0; pass < 2; pass += 1) {
    globalThis.gc();
    await sleep(1);
  }
}

const answers = {
  report,
  async settle() {
    await settle(2);
    return report();
  },
  async close() {
    wide.close();
    narrow.close();
    await settle(0);
    return report();
  },
};

process.on('message', async (question) => {
  const answer = await answers[question]();
  process.send({ question, ...answer }, () => {
    if (question === 'close') process.disconnect();
  });
});
// Started by a soak that has gone, it would run forever.
process.once('disconnect', () => setTimeout(() => process.exit(3), SETTLE_TIMEOUT).unref());

wide.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG });
narrow.listen({ port: 0, host: '127.0.0.1', backlog: NARROW_BACKLOG });
await Promise.all([once(wide, 'listening'), once(narrow, 'listening')]);
process.send({
  question: 'start',
  engine,
  node: process.version,
  port: wide.address().port,
  narrowPort: narrow.address().port,
});
