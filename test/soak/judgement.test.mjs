// The judgement of a soak finds everything that can be wrong with one. The courses are made up here;
// soak.test.mjs judges real ones, with servers that are sound and servers that are not.
import t from 'tap';
import { growth, judge } from './judgement.mjs';
import { fitLine } from './least-squares.mjs';
import { drawSoak } from './picture.mjs';

const ROUND = 20_000;
const ROUNDS = 50;
const NOISE = 1_000_000; // bytes of resident memory, either way

function ledgerOf(accepted, listeners) {
  return {
    ...{ attached: accepted + 2, detached: accepted + 2 - listeners, live: listeners },
    references: { consumer: listeners, queue: 0, protocol: 0, operation: listeners, event: 0 },
    descriptors: listeners,
    operations: { submitted: accepted + listeners, completed: accepted },
    events: { queued: 5 * accepted, delivered: 5 * accepted },
    ...{ pinnedBuffers: 0, badCommands: 0, acceptsPaused: 9 },
  };
}

function countsOf(accepted) {
  return {
    ...{ accepted, closed: accepted, answered: accepted, cutOff: 3, timedOut: 3 },
    errors: { ECONNRESET: 3, EPIPE: 1 },
    ...{ closedAgain: 0, late: 0, wrongBytes: 0, bytesMiscounted: 0 },
  };
}

/** A course in which nothing is wrong. */
function sound({ rounds = ROUNDS, round = ROUND } = {}) {
  const all = rounds * round;
  const samples = Array.from({ length: rounds + 1 }, (_, i) => ({
    ...{ seconds: i, connections: i * round, atRest: true, descriptors: 24 },
    counts: countsOf(i * round),
    ledger: ledgerOf(i * round, 2),
    heap: 25_000_000 + (i % 2) * 100_000,
    rss: 80_000_000 + (i % 2 === 0 ? NOISE : -NOISE),
  }));
  return {
    ...{ engine: 'epoll', node: 'v20', roundSize: round, samples, overflows: 5 },
    clients: {
      opened: { converse: all - 10, 'say nothing': 5 },
      ended: { converse: all - 10, 'say nothing': 5 },
      openedByKilled: { converse: 5 },
      ...{ failures: {}, answered: all - 10, killedProcesses: 1 },
    },
    end: { counts: countsOf(all), ledger: ledgerOf(all, 0), exit: 0 },
  };
}

/** Adds a leak of so many bytes per connection to a measure of memory. */
function leak(course, measure, bytes) {
  for (const sample of course.samples) sample[measure] += bytes * sample.connections;
  return course;
}

t.test('a line through points', async (t) => {
  t.strictSame(fitLine([1, 2, 3], [2, 4, 6]), { slope: 2, error: 0, points: 3 });
  // The example of a textbook: residuals 1, -2, 1 about y = x.
  const { slope, error } = fitLine([0, 1, 2], [1, -1, 3]);
  t.equal(slope, 1);
  t.ok(Math.abs(error - Math.sqrt(6 / 1 / 2)) < 1e-12);
});

t.test('a course in which nothing is wrong', async (t) => {
  t.strictSame(judge(sound()), []);
  t.strictSame(judge(sound({ rounds: 12, round: 5000 })), [], 'nor in a short one');
});

t.test('32 bytes per connection are a leak, wherever they are', async (t) => {
  t.match(judge(leak(sound(), 'rss', 32)), [/^resident memory grows by 3\d,/]);
  t.match(judge(leak(sound(), 'heap', 32)), [/^memory of JavaScript grows by 32,/]);
  const short = sound({ rounds: 12, round: 5000 });
  t.match(judge(leak(short, 'heap', 32)), [/^memory of JavaScript grows/], 'also in a short soak');
});

t.test('what does not grow with the connections is none', async (t) => {
  const course = sound();
  for (const sample of course.samples.slice(1)) sample.rss += 30_000_000;
  t.strictSame(judge(course), [], 'memory that is taken once');
  t.strictSame(judge(leak(sound(), 'rss', -32)), [], 'memory that shrinks');
});

t.test('what cannot be told is a problem', async (t) => {
  const noisy = sound({ rounds: 12, round: 5000 });
  noisy.samples.forEach((sample, i) => {
    sample.rss += (i % 3) * 20_000_000;
  });
  t.match(judge(noisy), [/^resident memory grows/]);
  t.match(judge(sound({ rounds: 7 })), [/5 samples are too few/, /5 samples are too few/]);
  for (const { error } of growth(sound())) t.ok(error > 0, 'the error is not left out');
});

/** Name → what is done to a sound course, and the problem that must be found. */
const faults = {
  'a descriptor that stays open': [({ samples }) => (samples[7].descriptors += 1), /open desc/],
  "a socket without 'close'": [({ samples }) => (samples[7].counts.closed -= 1), /saw 'close'/],
  'a socket that is not detached': [
    ({ samples: { 7: sample } }) => {
      sample.ledger.detached -= 1;
      sample.ledger.live += 1;
    },
    /sockets live: 3/,
  ],
  'a reference of the queue': [
    ({ samples }) => (samples[7].ledger.references.queue += 1),
    /queue, protocol and event/,
  ],
  'an operation that nobody holds': [
    ({ samples }) => (samples[7].ledger.operations.submitted += 1),
    /operation references/,
  ],
  'a buffer that stays pinned': [({ samples }) => (samples[7].ledger.pinnedBuffers += 1), /pinned/],
  'an event that is lost': [({ samples }) => (samples[7].ledger.events.queued += 1), /delivered/],
  "a second 'close'": [({ end }) => (end.counts.closedAgain = 1), /'close' again: 1/],
  "an event after 'close'": [({ end }) => (end.counts.late = 1), /after 'close': 1/],
  'wrong bytes': [({ end }) => (end.counts.wrongBytes = 1), /wrong bytes: 1/],
  'a wrong bytesRead': [({ end }) => (end.counts.bytesMiscounted = 1), /bytesRead: 1/],
  'a command that makes no sense': [({ end }) => (end.ledger.badCommands = 1), /no sense: 1/],
  'an unbalanced ledger': [({ end }) => (end.ledger.detached -= 1), /attached, but/],
  'an error of our own': [({ end }) => (end.counts.errors.EBADF = 2), /2 sockets .* EBADF/],
  'a server that dies': [({ end }) => (end.exit = 'SIGSEGV'), /ended with SIGSEGV/],
  'a connection that fails': [
    ({ clients }) => (clients.failures.UNEXPECTED_DATA = 1),
    /1 connections failed with UNEXPECTED_DATA/,
  ],
  'an answer that is missing': [({ clients }) => (clients.ended.converse -= 1), /not answered: 1/],
  'a connection out of nowhere': [({ end }) => (end.counts.accepted += 11), /opened, but/],
  'an answer out of nowhere': [({ end }) => (end.counts.answered = 0), /answers came, but 0/],
  'no process killed': [({ clients }) => (clients.killedProcesses = 0), /never .* killed/],
  'no storm': [(course) => (course.overflows = 0), /never .* overflowed/],
  'descriptors without end': [({ end }) => (end.ledger.acceptsPaused = 0), /never .* descriptors/],
  'no time-out': [({ end }) => (end.counts.timedOut = 0), /never .* timed out/],
  'no reset': [({ end }) => delete end.counts.errors.ECONNRESET, /never .* reset/],
  'no request cut off': [({ end }) => (end.counts.cutOff = 0), /never .* cut off/],
};

t.test('everything that can be wrong is found', async (t) => {
  for (const [name, [spoil, problem]] of Object.entries(faults)) {
    const course = sound();
    spoil(course);
    t.match(judge(course).join('\n'), problem, name);
  }
});

t.test('a course has a picture', async (t) => {
  const svg = drawSoak([sound(), sound()]);
  t.match(svg, /^<svg .*2,000,000 connections.*epoll.*<\/svg>\s*$/s);
  t.equal(drawSoak([sound()]).match(/<svg /g).length, 1);
  t.notMatch(svg, /NaN|undefined/);
});
