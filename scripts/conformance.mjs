// Runs Node's own tests on soref (preloaded through soref/register, in children and workers too)
// and compares the results with the recorded ones in test/conformance/expected.json.
//   npm run conformance -- [--node-source DIR] [--engine io_uring|epoll] [--node BIN] [--list FILE]
//     --modules       the tests of modules that use net (http, tls, child_process …) instead of net's own
//     --list FILE     names of tests, one a line, instead of the recorded ones of this Node line
//     --share K/N     the Kth of N shares of the tests
//     --plain         without soref: what Node itself makes of these tests
//     --record        writes the results into expected.json instead of comparing
//     --repeat N      runs everything N times; a test counts as passed when every run passed
//     --sanitized     with the addon under AddressSanitizer; a test with findings has failed
//     --jobs N, --timeout SECONDS, --verbose (shows the output of what fails)
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { sanitizedPackage } from './address-sanitizer.mjs';
import { build } from './build.mjs';
import { lineFor, nodeSource } from './node-source.mjs';
import { main, output, root, step } from './processes.mjs';
import { setup } from './setup.mjs';

const EXPECTED = join(root, 'test/conformance/expected.json');
const SHOWN_OUTPUT = 16_384; // bytes kept of a test's output
const SANITIZED_SLOWNESS = 3;
const FOLDERS = ['parallel', 'async-hooks', 'sequential'];

const options = {
  'node-source': { type: 'string' },
  engine: { type: 'string' },
  node: { type: 'string', default: process.execPath },
  modules: { type: 'boolean', default: false },
  list: { type: 'string' },
  share: { type: 'string', default: '1/1' },
  plain: { type: 'boolean', default: false },
  record: { type: 'boolean', default: false },
  sanitized: { type: 'boolean', default: false },
  repeat: { type: 'string', default: '1' },
  jobs: { type: 'string', default: '2' },
  timeout: { type: 'string', default: '60' },
  verbose: { type: 'boolean', default: false },
};

/** The flags that a test asks for in its head. */
function flagsOf(path) {
  const line = readFileSync(path, 'utf8').match(/^\/\/ Flags:(.*)$/m)?.[1] ?? '';
  return line.split(/\s+/).filter(Boolean);
}

/** Runs one test file in a process group of its own, which is gone afterwards. */
function runTest(path, { node, source, environment, findings, slot, timeout }) {
  const name = basename(path, '.js');
  const env = { ...environment, ...findings?.environment(name), TEST_THREAD_ID: String(slot) };
  // Every test finds an empty folder of its own, so that parallel runs do not meet.
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  env.NODE_TEST_DIR = folder;
  return new Promise((done) => {
    const child = spawn(node, [...flagsOf(path), path], {
      cwd: source,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let text = '';
    const collect = (chunk) => {
      text = (text + chunk).slice(-SHOWN_OUTPUT);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    let late = false;
    const endGroup = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // The whole group is gone already.
      }
    };
    const timer = setTimeout(() => {
      late = true;
      endGroup();
    }, timeout);
    child.on('error', (error) => collect(error.message));
    child.on('close', (code) => {
      clearTimeout(timer);
      if (child.pid !== undefined) endGroup();
      rmSync(folder, { recursive: true, force: true });
      const skipped = code === 0 && /^1\.\.0 # Skipped/m.test(text);
      const found = findings?.take(name) ?? [];
      const ended = late ? 'timeout' : skipped ? 'skip' : code === 0 ? 'pass' : 'fail';
      if (found.length === 0) done({ result: ended, text });
      // Nothing that is recorded, so that it also shows where the test fails or is skipped anyway.
      else done({ result: 'finding', text: `${found.join('\n')}\n${text}` });
    });
  });
}

async function runAll(paths, settings, jobs) {
  const results = new Map();
  // These use fixed ports or measure time, so they run alone, after the others.
  const alone = paths.filter((path) => path.startsWith('sequential/'));
  const queue = paths.filter((path) => !alone.includes(path));
  const runInto = async (path, slot) => {
    const ran = await runTest(join(settings.source, 'test', path), { ...settings, slot });
    results.set(path, ran);
    if (ran.result === 'pass' || ran.result === 'skip') return;
    const first =
      ran.text.match(/^.*(?:Error|Mismatched).*$/m)?.[0] ?? ran.text.trim().split('\n')[0];
    console.log(`${ran.result.padEnd(8)} ${path}  ${(first ?? '').trim().slice(0, 120)}`);
    if (settings.verbose) console.log(ran.text);
  };
  const worker = async (_, index) => {
    for (let path = queue.shift(); path !== undefined; path = queue.shift())
      await runInto(path, index + 1);
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  for (const path of alone) await runInto(path, 0);
  return results;
}

/** Every Nth name from the Kth on. */
function shareOf(names, share) {
  const [, k, n] = share.match(/^(\d+)\/(\d+)$/)?.map(Number) ?? [];
  if (!(k >= 1 && k <= n)) throw new Error(`--share is K/N, such as 1/2, not ${share}`);
  return names.filter((_, index) => index % n === k - 1);
}

/** Where the named tests are in the tree. */
function locate(names, source) {
  const paths = [];
  for (const name of names) {
    const folder = FOLDERS.find((each) => existsSync(join(source, 'test', each, name)));
    if (folder === undefined) throw new Error(`${source} has no test ${name}`);
    paths.push(`${folder}/${name}`);
  }
  return paths;
}

function majorOf(source) {
  const header = readFileSync(join(source, 'src/node_version.h'), 'utf8');
  const major = header.match(/#define NODE_MAJOR_VERSION (\d+)/)?.[1];
  if (major === undefined) throw new Error(`${source} is no Node source tree`);
  return major;
}

/** What the tests may not find in their environment, and what they must. */
function environmentFor({ engine, plain }, folder) {
  const environment = { ...process.env };
  for (const name of ['NODE_OPTIONS', 'NODE_TEST_DIR', 'SOREF_ENGINE', 'SOREF_REGISTER']) {
    delete environment[name];
  }
  if (!plain) environment.NODE_OPTIONS = `--require=${folder}/dist/register/index.js`;
  if (engine !== undefined) environment.SOREF_ENGINE = engine;
  return environment;
}

/** Makes sure that the tests would run on the engine asked for, and not on Node's net. */
function checkEngine(node, environment, engine, folder) {
  const script = `const soref = require(${JSON.stringify(join(folder, 'dist/index.js'))});
    process.stdout.write(soref.engine)`;
  const { status, stdout, stderr } = spawnSync(node, ['-e', script], {
    env: environment,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`soref cannot be loaded: ${stderr.trim() || 'npm run build'}`);
  const probe = stdout;
  if (probe === 'node') throw new Error('soref has no addon here: npm run build');
  if (engine !== undefined && probe !== engine)
    throw new Error(`the engine is ${probe}, not ${engine}`);
  return probe;
}

/** A recorded result is a word, or an object with the word and the reason for it. */
const wordOf = (recorded) => (typeof recorded === 'string' ? recorded : recorded?.result);

/** Prints what differs from the record; the number of regressions. */
function compare(results, recorded) {
  let regressions = 0;
  for (const [path, { result }] of results) {
    const name = path.slice(path.indexOf('/') + 1);
    const expected = wordOf(recorded[name]) ?? 'pass';
    const failsAsBefore = expected !== 'pass' && result !== 'pass' && result !== 'finding';
    if (result === expected || failsAsBefore) continue;
    if (result === 'pass') {
      console.log(`better   ${path}  recorded as ${expected}: --record it`);
    } else {
      regressions += 1;
      console.log(`REGRESSED ${path}  ${expected} before, ${result} now`);
    }
  }
  return regressions;
}

/** The worse of two runs' results, test by test. */
function merge(worst, results) {
  for (const [path, ran] of results) {
    if (!worst.has(path) || worst.get(path).result === 'pass') worst.set(path, ran);
  }
}

await main(async (args) => {
  const { values } = parseArgs({ args, options });
  if (!values.plain) {
    setup();
    await build(['native', 'typescript']);
  }
  const host = output(values.node, ['-p', 'process.versions.node.split(".")[0]']);
  if (host === undefined) throw new Error(`${values.node} does not run`);
  const source = resolve(values['node-source'] ?? nodeSource(lineFor(host)));
  const major = majorOf(source);
  const expected = JSON.parse(readFileSync(EXPECTED, 'utf8'));
  // A newer Node may run an older line's tests; what differs then is recorded beside it.
  const suite = values.modules ? `${major} modules` : major;
  const recorded = { ...expected[suite], ...expected[`${suite} on ${host}`] };
  const all = values.list
    ? readFileSync(values.list, 'utf8')
        .split('\n')
        .map((name) => name.trim())
        .filter(Boolean)
    : Object.keys(recorded);
  if (all.length === 0)
    throw new Error(`no tests are recorded for Node ${suite}: name some with --list`);
  const paths = locate(shareOf(all, values.share), source);
  const { folder, findings } = values.sanitized
    ? await sanitizedPackage('conformance')
    : { folder: root };
  const environment = environmentFor(values, folder);
  const probed = { ...environment, ...findings?.environment('engine') };
  const engine = values.plain ? 'node' : checkEngine(values.node, probed, values.engine, folder);
  const version = output(values.node, ['--version']);
  const settings = {
    node: values.node,
    source,
    environment,
    findings,
    timeout: Number(values.timeout) * 1000 * (values.sanitized ? SANITIZED_SLOWNESS : 1),
    verbose: values.verbose,
  };
  const worst = new Map();
  for (let turn = 1; turn <= Number(values.repeat); turn += 1) {
    step(
      `Node ${major}'s tests on ${version}, engine ${engine}${values.repeat === '1' ? '' : `, run ${turn}`}`,
    );
    merge(worst, await runAll(paths, settings, Number(values.jobs)));
  }
  const count = (word) => [...worst.values()].filter(({ result }) => result === word).length;
  console.log(
    `${count('pass')} passed, ${count('fail')} failed, ${count('timeout')} timed out, ${count('finding')} with findings, ${count('skip')} skipped of ${worst.size}`,
  );
  if (values.record) return record(expected, suite, worst);
  const regressions = compare(worst, values.plain ? {} : recorded);
  // What is recorded as failing, and fails, is neither.
  console.log(`${count('pass')} passed, ${regressions} failed`);
  if (regressions > 0) throw new Error(`${regressions} of ${worst.size} tests regressed`);
});

/** Keeps a reason that somebody wrote beside a result that is the same still. */
function record(expected, suite, results) {
  const lines = {};
  for (const [path, { result }] of results) {
    const name = path.slice(path.indexOf('/') + 1);
    const before = expected[suite]?.[name];
    lines[name] =
      wordOf(before) === result ? before : result === 'pass' ? 'pass' : { result, reason: '' };
  }
  const sorted = Object.fromEntries(Object.entries({ ...expected[suite], ...lines }).sort());
  writeFileSync(EXPECTED, `${JSON.stringify({ ...expected, [suite]: sorted }, null, 2)}\n`);
  console.log(`recorded in ${EXPECTED}`);
}
