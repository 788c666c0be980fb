// Lets the real core be judged by the model's automaton: runs the programs that misbehave over real
// sockets and both engines (test/native/misuse_test.cpp), which log each transition of each socket,
// and has Spin take the same transitions in test/model/replay.pml. Since a judge that accepts all
// would prove nothing, spoiled copies of one program's log follow, each of which must be rejected.
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, run } from './processes.mjs';

const END_OF_LOG = '!';

/** Letters that a log must have, for else it tells too little: all but the rests and the end. */
const LETTERS = 'ATcqoeCQOELluwxDSKZRYGN';

const letterOf = (record) => record.at(-1);

/** The log of the programs, which are built: one list of records for each environment. */
function record(folder) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'transitions.log');
  rmSync(file, { force: true });
  const env = { ...process.env, SOREF_TRANSITION_LOG: file };
  run(join(root, 'build-tests/tests/misuse_test'), [], { quiet: true, env });
  const environments = readFileSync(file, 'utf8').split(/(?<=^\.\n)/m);
  return environments.map((text) => text.trimEnd().split('\n'));
}

/** The program whose log has most letters, and of those the shortest. */
function richest(environments) {
  const letters = (records) => new Set(records.map(letterOf)).size;
  return [...environments].sort((a, b) => letters(b) - letters(a) || a.length - b.length)[0];
}

/** Copies of a log, each with one fault: the first record of a letter is left out, or comes twice. */
function spoiled(records) {
  return [...LETTERS].flatMap((letter) => {
    const at = records.findIndex((each) => letterOf(each) === letter);
    if (at < 0) return [{ label: `log without any ${letter}`, records: [] }];
    return [
      { label: `spoiled log: no ${records[at]}`, records: records.toSpliced(at, 1) },
      {
        label: `spoiled log: ${records[at]} twice`,
        records: records.toSpliced(at, 0, records[at] ?? ''),
      },
    ];
  });
}

/** Tasks for `npm run model`: a label, the text for the automaton, and whether it is to be rejected. */
export function replayTasks(folder) {
  const environments = record(folder);
  const text = (records) => `${records.join('\n')}\n${END_OF_LOG}`;
  const count = environments.length;
  return [
    { label: `log of ${count} misbehaving programs`, input: text(environments.flat()) },
    ...spoiled(richest(environments)).map(({ label, records }) => ({
      label,
      input: text(records),
      rejectedBy: '',
    })),
  ];
}
