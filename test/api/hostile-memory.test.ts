// JavaScript that writes garbage into the memory that it shares with the core, and calls it as no
// soref does, gets errors. The same happens natively, and with more ingenuity, in test/fuzz.
import { join } from 'node:path';
import t from 'tap';
import { run } from './programs';

const STEPS = 400;

for (const seed of [1, 2]) {
  t.test(`a hostile program, seed ${seed}`, async (t) => {
    const { status, stdout, stderr } = await run(join(__dirname, 'hostile-program.js'), {
      options: ['--expose-gc'],
      args: [String(seed), String(STEPS)],
    });
    t.equal(status, 0, stderr);
    const { badCommands, staleNames } = JSON.parse(stdout || '{}');
    t.ok(badCommands > 0, `${badCommands} commands refused`);
    t.ok(staleNames > 0, `${staleNames} names found nobody`);
  });
}
