// Runs the program of the native seams, bench/micro/seams.cpp: for its time, or under valgrind for
// its instructions.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../../scripts/processes.mjs';

const PROGRAM = join(root, 'build-micro/bench/seams');
/** The same, built without the core's assertions. */
export const UNASSERTED = join(root, 'build-unasserted/bench/seams');
const COUNTED = 10_000; // operations; more give the same to four digits

/**
 * The C library picks its memcpy and the like by what the processor can. With these left out it picks
 * the same on each, and the counts do not depend on the machine.
 */
const TUNABLES = 'glibc.cpu.hwcaps=-AVX_Fast_Unaligned_Load,-AVX512VL,-ERMS,-FSRM';

const run = (program, args, options) =>
  execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options });

/** @returns {string[]} */
export function seamNames() {
  return run(PROGRAM, ['--list']).trim().split('\n');
}

/** What the program was compiled with, and for which kind of processor. */
export function compiler() {
  return run(PROGRAM, ['--compiler']).trim();
}

/** Nanoseconds for each operation of a seam. */
export function timeOf(name, count = 200_000) {
  return Number(run(PROGRAM, [name, String(count)]));
}

/** Instructions for each operation of a seam, those of the kernel left out. */
export function instructionsOf(name, seams = PROGRAM) {
  const options = [
    '--tool=callgrind',
    '--callgrind-out-file=/dev/null',
    '--toggle-collect=counted_part',
    '--log-fd=1',
  ];
  const env = { ...process.env, GLIBC_TUNABLES: TUNABLES };
  const report = run('valgrind', [...options, seams, name, String(COUNTED)], { env });
  const collected = /Collected : (\d+)/.exec(report)?.[1];
  if (collected === undefined) throw new Error(`valgrind counted nothing of ${name}: ${report}`);
  return Number(collected) / COUNTED;
}
