// Runs small programs in processes of their own, for what shows only in a whole process: preloading,
// clusters, workers, missing binaries. A program is CommonJS text in a folder below the project, where
// require('soref') finds this package.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const root = join(__dirname, '..', '..');
export const register = join(root, 'dist', 'register', 'index.js');

/** A folder whose name leaves room for the name of a Unix socket, which is short; gone at the end. */
export function shortFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'soref-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Ending {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface Conditions {
  /** Options of node's own, before the program's path. */
  options?: string[];
  args?: string[];
  env?: NodeJS.ProcessEnv;
}

/** Runs a program file to its end; it is ended after ten seconds, and then has no status. */
export function run(file: string, { options = [], args = [], env = {} }: Conditions = {}) {
  return new Promise<Ending>((resolve, reject) => {
    const child = spawn(process.execPath, [...options, file, ...args], {
      cwd: root,
      // The test runner's options, such as --no-warnings, are not meant for the programs.
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 10_000,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}

/** Runs a program with `net` being soref in it and in all that it starts. */
export function runRegistered(file: string, conditions: Conditions = {}) {
  return run(file, {
    ...conditions,
    options: ['--require', register, ...(conditions.options ?? [])],
  });
}
