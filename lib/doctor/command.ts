#!/usr/bin/env node
/**
 * The program `soref`: `npx soref doctor [--json]` says what this machine gives soref. Exit code 0 if
 * soref's core carries sockets here, 1 if not, 2 if it was called otherwise.
 */
import { diagnose } from './diagnosis';
import { describe } from './text';

const USAGE = 'usage: soref doctor [--json]';

function isDoctor([command, ...options]: string[]): boolean {
  return command === 'doctor' && options.every((option) => option === '--json');
}

const given = process.argv.slice(2);
if (isDoctor(given)) {
  // What soref and register warn of is in the diagnosis.
  process.removeAllListeners('warning');
  const diagnosis = diagnose();
  console.log(given.includes('--json') ? JSON.stringify(diagnosis, null, 2) : describe(diagnosis));
  process.exitCode = diagnosis.works ? 0 : 1;
} else {
  console.error(USAGE);
  process.exitCode = 2;
}
