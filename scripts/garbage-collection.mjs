// Runs programs while V8 collects garbage much more often than it would, and moves each object when
// it does: what the addon holds without saying so is gone, or elsewhere, when it is used next.
import { findingsIn } from './address-sanitizer.mjs';
import { ADDON, build } from './build.mjs';
import { stagePackage } from './staged-package.mjs';

/**
 * A collection at a random point whenever up to two fifths of the young generation is new; compaction
 * in each. `--gc-interval` does nothing in the builds of Node that people have.
 */
const FLAGS = ['--stress-scavenge=40', '--stress-compaction'];
/** An addon keeps an address and nothing else. Node alone would not collect for these 600 KB. */
const PROGRAM = `faulty.hold(new ArrayBuffer(64));
  let kept; for (let i = 0; i < 600; i++) kept = new Array(125).fill(i);
  setTimeout(() => faulty.readHeld(), 100)`;

/** As a test file's result: whether what is held by nobody is gone, and only with the flags. */
function checkFlags() {
  const isGone = (flags) => /heap-use-after-free/.test(findingsIn('hold', PROGRAM, flags));
  const failures = [];
  if (!isGone(FLAGS)) failures.push('what nobody holds is not collected');
  if (isGone([])) failures.push('it is collected without the flags too');
  const file = `node ${FLAGS.join(' ')}`;
  console.log(`${failures.length > 0 ? 'FAILED' : 'ok'} ${file}`);
  return { file, passed: 2 - failures.length, failed: failures.length, failures };
}

/** One compares what has happened after some milliseconds; the other holds 10,000 sockets. */
const TOO_SLOW = ['parity-scenarios', 'idle-connections'];
/** Where sockets, buffers and callbacks of JavaScript's come and go; the others try little, slowly. */
const IN_CI = [
  'adopting',
  'async-context',
  'bound-socket',
  'connection-burst',
  'hostile-memory',
  'ownership-misuse',
  'read-credit',
  'server-connections',
  'shared-ports',
  'slot-reuse',
  'socket-connect',
  'socket-ownership',
  'socket-streams',
];

/**
 * The trial of runStagedApiTests; adds to `results` whether this Node obeys. Without `all` it
 * takes only the tests of IN_CI.
 */
export async function collectionTrial(results, all) {
  await build(['sanitized-addon']);
  results.push(checkFlags());
  return async (engine) => ({
    folder: stagePackage(`build-collection/${engine}`, ADDON),
    conditionsFor: () => ({ nodeOptions: FLAGS }),
    lateFindings: () => [],
    takes: (name) => (all ? !TOO_SLOW.includes(name) : IN_CI.includes(name)),
  });
}
