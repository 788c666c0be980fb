// Short soaks on the real kernel: soref passes with each engine, and servers that leak a little or
// lose a little are found out, for the reason that they are spoiled in and for no other.
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { availableEngines } from '../../scripts/engines.mjs';
import { growth, judge } from './judgement.mjs';
import { soak } from './soak.mjs';

// The runner bounds the file.
t.setTimeout(0);

const missing = [];
const engines = availableEngines(missing);

function defect(name) {
  return fileURLToPath(new URL(`defects/${name}.mjs`, import.meta.url));
}

/** What a spoiled server is found guilty of. The engine does not matter to it. */
async function convict(engine, ...defects) {
  const preload = defects.map(defect);
  return judge(await soak({ engine, connections: 40_000, rounds: 10, preload }));
}

t.test('every engine that should be here is', async (t) => {
  t.strictSame(missing, []);
  t.ok(engines.length > 0);
});

for (const engine of engines) {
  t.test(`60,000 connections on ${engine}`, async (t) => {
    const course = await soak({ engine, connections: 60_000, rounds: 12 });
    t.equal(course.engine, engine);
    t.ok(course.end.counts.accepted > 59_000, `${course.end.counts.accepted} accepted`);
    for (const { name, slope, error } of growth(course)) {
      t.comment(`${name}: ${Math.round(slope)} ± ${Math.round(error)} bytes per 1,000 connections`);
    }
    t.strictSame(judge(course), []);
  });
}

t.test('32 bytes of each connection, and a descriptor of one in a thousand', async (t) => {
  const problems = await convict(engines.at(0), 'keep-32-bytes', 'keep-descriptors');
  const memory = problems.filter((problem) => /^memory of JavaScript grows by/.test(problem));
  const descriptors = problems.filter((problem) => /open descriptors: \d+, not/.test(problem));
  t.equal(memory.length, 1);
  t.equal(descriptors.length, 10, 'after every round');
  t.equal(problems.length, 11, 'and nothing else');
});

t.test("a buffer of each connection, a second 'close', a lost byte", async (t) => {
  const problems = await convict(engines.at(-1), 'keep-buffers', 'close-twice', 'lose-bytes');
  const text = problems.join('\n');
  t.match(text, /^memory of JavaScript grows by/m);
  t.match(text, /^resident memory grows by/m);
  t.match(text, /sockets that saw 'close' again: [1-9]/);
  t.match(text, /requests with wrong bytes: [1-9]/);
  t.match(text, /conversations that were not answered: [1-9]/);
  t.notMatch(text, /open descriptors|sockets live|references|after the end/);
});
