// Runs programs on node with the addon under AddressSanitizer and UndefinedBehaviorSanitizer, which
// find wrong accesses to memory, leaks and broken invariants. Node has no sanitizers linked in, as the
// native tests have, so they are preloaded into it, and into every program that it starts.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { build } from './build.mjs';
import { FAULTY_ADDON, SANITIZED_ADDON } from './checked-builds.mjs';
import { output, root } from './processes.mjs';
import { stagePackage } from './staged-package.mjs';

const FOLDER = 'build-address';
const LEAKS_OF_OTHERS = join(root, 'test/sanitizers/leaks-of-others.txt');

/** Each frame of a stack with the file that its code is loaded from. */
const FRAMES = "stack_trace_format='    #%n %p %F %L (%m)'";

/** Findings are files in a folder, since a test may have started a process whose output nobody sees. */
export class Findings {
  constructor(folder) {
    this.folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
  }

  /** The environment of a node that loads the sanitized addon; its findings carry `name`. */
  environment(name) {
    const log = `log_path=${join(this.folder, name)}`;
    return {
      LD_PRELOAD: output('g++', ['-print-file-name=libasan.so']),
      // Of an allocation's stack only the caller is kept, so that a leak tells whose it is: further
      // down every stack has frames of node. A broken invariant, which aborts, is a finding too.
      ASAN_OPTIONS: `detect_leaks=1:malloc_context_size=2:handle_abort=1:${log}:${FRAMES}`,
      LSAN_OPTIONS: `suppressions=${LEAKS_OF_OTHERS}:print_suppressions=0`,
      UBSAN_OPTIONS: `print_stacktrace=1:${log}`,
    };
  }

  /**
   * Takes the findings of that name, or all that are left: their text. Leaks that are not of `addon`
   * are not ours.
   */
  take(name, addon = 'soref.node') {
    const files = readdirSync(this.folder).filter((file) => !name || file.startsWith(`${name}.`));
    const reports = files.map((file) => {
      const path = join(this.folder, file);
      const text = readFileSync(path, 'utf8').trim();
      rmSync(path);
      return text;
    });
    return reports.filter((text) => !/ERROR: LeakSanitizer/.test(text) || text.includes(addon));
  }
}

/** The faults of test/sanitizers/faulty_addon.cpp, and what a report of each says. */
const FAULTS = {
  leak: /LeakSanitizer: detected memory leaks/,
  leakText: /LeakSanitizer: detected memory leaks/,
  readBeyond: /heap-buffer-overflow/,
  readFreed: /heap-use-after-free/,
  readBeyondBuffer: /heap-buffer-overflow/,
  overflow: /signed integer overflow/,
};

/** What is found in a program that misuses `faulty`, the addon with faults. */
export function findingsIn(name, program, nodeOptions = []) {
  const findings = new Findings(join(root, FOLDER, 'faults', name));
  const addon = join(root, FAULTY_ADDON);
  const text = `const faulty = require(${JSON.stringify(addon)}); ${program}`;
  spawnSync(process.execPath, [...nodeOptions, '-e', text], {
    env: { ...process.env, ...findings.environment(name) },
  });
  return findings.take(name, basename(addon)).join('\n');
}

/** As a test file's result: whether each kind of fault is found. */
function checkSanitizers() {
  const failures = Object.entries(FAULTS).flatMap(([fault, expected]) => {
    const found = findingsIn(fault, `faulty.${fault}(new ArrayBuffer(64))`);
    if (expected.test(found)) return [];
    return [`the fault ${fault} goes unseen: ${found || 'no report'}`];
  });
  const file = 'test/sanitizers/faulty_addon.cpp';
  const passed = Object.keys(FAULTS).length - failures.length;
  console.log(`${failures.length > 0 ? 'FAILED' : 'ok'} ${file} (${passed} faults found)`);
  return { file, passed, failed: failures.length, failures };
}

/** A package with the sanitized addon in it, and where the findings of what runs on it are. */
export async function sanitizedPackage(name) {
  await build(['sanitized-addon']);
  const folder = stagePackage(`${FOLDER}/${name}`, SANITIZED_ADDON);
  return { folder, findings: new Findings(join(folder, 'findings')) };
}

/** They start process after process, which under the sanitizers takes a second each. */
const MANY_PROCESSES = ['doctor', 'fallback', 'permission', 'register-processes'];

/**
 * The trial of runStagedApiTests; adds to `results` whether it can find anything. Without `all` it
 * leaves out the tests of MANY_PROCESSES.
 */
export async function addressTrial(results, all) {
  await build(['sanitized-addon']);
  results.push(checkSanitizers());
  return async (engine) => {
    const { folder, findings } = await sanitizedPackage(engine);
    return {
      folder,
      conditionsFor: (name) => ({
        env: findings.environment(name),
        findFaults: () => findings.take(name),
      }),
      // Of processes that have outlived their tests.
      lateFindings: () => findings.take(),
      takes: (name) => all || !MANY_PROCESSES.includes(name),
    };
  };
}
