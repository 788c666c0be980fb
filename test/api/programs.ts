// Runs small programs in processes of their own, for what shows only in a whole process: preloading,
// clusters, workers, missing binaries. A program is CommonJS text in a folder below the project, where
// require('soref') finds this package.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

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
  /** What ended the process, if it did not end by itself. */
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Conditions {
  /** Options of node's own, before the program's path. */
  options?: string[];
  args?: string[];
  env?: NodeJS.ProcessEnv;
  /** A command that starts node, whose command line is added to it. */
  launcher?: string[];
  /** Descriptors that the program inherits, as its 3, 4 and so on. */
  descriptors?: number[];
}

/** The launcher that lets the variables of socket activation mean the program: its process id is new. */
export const activating = ['sh', '-c', 'LISTEN_PID=$$ exec "$0" "$@"'];

/** The launcher that lets io_uring_setup(2) fail with this errno. */
export function refusingUring(errno: number): string[] {
  // The script is no TypeScript, and so not among what was compiled.
  return ['python3', join(root, 'test/api/refuse-io-uring.py'), String(errno)];
}

/** A copy of the compiled package without its binary, as a dependency in the folder. */
export function copyWithoutBinary(folder: string): string {
  const copy = join(folder, 'node_modules', 'soref');
  cpSync(join(root, 'dist'), join(copy, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  // A package of its own, or the name soref would mean the one that it lies in.
  writeFileSync(join(folder, 'package.json'), '{}');
  return copy;
}

/** What a test is tried with, its programs are tried with too: `npm run sanitizers`. */
const trials = process.execArgv.filter((option) => option.startsWith('--stress-'));

/** Whether V8 collects garbage all the time, so that a hundred times as much takes too long. */
export const isCollecting = trials.length > 0;

/** Runs a program file to its end; it is ended after a minute, and then has no status. */
export function run(file: string, conditions: Conditions = {}) {
  const { options = [], args = [], env = {}, launcher = [], descriptors = [] } = conditions;
  const node = [process.execPath, ...trials, ...options, file, ...args];
  const [command = '', ...rest] = [...launcher, ...node];
  return new Promise<Ending>((resolve, reject) => {
    const child = spawn(command, rest, {
      cwd: root,
      // The test runner's options, such as --no-warnings, are not meant for the programs.
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'pipe', 'pipe', ...descriptors],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    const [output, errors] = child.stdio.slice(1, 3) as [Readable, Readable];
    output.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    errors.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}

/** Runs a program with `net` being soref in it and in all that it starts. */
export function runRegistered(file: string, conditions: Conditions = {}) {
  return run(file, {
    ...conditions,
    options: ['--require', register, ...(conditions.options ?? [])],
  });
}
