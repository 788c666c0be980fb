// Starts programs for the scripts: shows what runs, and turns a failure into a thrown error.
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The project's root folder. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Announces a piece of work, so that a long one is not silent. */
export function step(message) {
  console.log(process.stdout.isTTY ? `\x1b[1m» ${message}\x1b[0m` : `» ${message}`);
}

/** Whether a program is on the PATH. */
export function has(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * Runs a program in the project's root with our output, and without input. Throws when it fails.
 * @param {object} [options] as of spawnSync; `quiet` keeps the output back unless it fails.
 */
export function run(program, args, { quiet = false, ...options } = {}) {
  const output = quiet ? 'pipe' : 'inherit';
  const result = spawnSync(program, args, {
    cwd: root,
    stdio: ['ignore', output, output],
    maxBuffer: 1 << 28,
    ...options,
  });
  if (result.error) throw result.error;
  if (result.status === 0) return;
  if (quiet) process.stderr.write(Buffer.concat([result.stdout, result.stderr]));
  const how = result.signal ? `was ended by ${result.signal}` : `ended with ${result.status}`;
  throw new Error(`${program} ${args.join(' ')} ${how}`);
}

/** What a program prints, trimmed, or undefined when it cannot be run or fails. */
export function output(program, args) {
  try {
    const options = { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
    return execFileSync(program, args, options).trim();
  } catch {
    return undefined;
  }
}

/** Runs a script's main function; an error becomes one line on stderr and exit code 1. */
export async function main(body) {
  try {
    await body(process.argv.slice(2));
  } catch (error) {
    console.error(`soref: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
