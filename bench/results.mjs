// Writes a comparison to bench/results/, with all that is needed to judge and to repeat it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, machine, release, totalmem } from 'node:os';
import { join, relative } from 'node:path';
import { root } from '../scripts/processes.mjs';

/** The commit that was measured, or null outside of a git checkout. */
function commit() {
  try {
    const git = (...args) =>
      execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }).trim();
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', 'HEAD')}${changed ? ' with changes' : ''}`;
  } catch {
    return null;
  }
}

function machineFacts() {
  return {
    kernel: release(),
    architecture: machine(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cpus: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    uv: process.versions.uv,
  };
}

/** What a result needs beside itself to be judged and repeated. @param {string} command */
export function runFacts(command) {
  return {
    reproduce: command,
    date: new Date().toISOString(),
    commit: commit(),
    machine: machineFacts(),
  };
}

/**
 * @param {string} name  of the row, and of the file
 * @param {{ command: string, plan: object, results: object[], skipped: object[] }} comparison
 * @returns {string} the file's path, from the project's root
 */
export function writeResults(name, { command, plan, ...comparison }) {
  const { row, ...conditions } = plan;
  // A procedure is code; what remains of a figure is its name, its title and its direction.
  const { procedure: _, ...facts } = row;
  const folder = join(root, 'bench/results');
  const file = join(folder, `${name}.json`);
  mkdirSync(folder, { recursive: true });
  const text = JSON.stringify(
    { ...runFacts(command), plan: { ...conditions, row: facts }, ...comparison },
    null,
    2,
  );
  writeFileSync(file, `${text}\n`);
  return relative(root, file);
}
