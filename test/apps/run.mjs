// `npm run apps [-- name…] [--engine=NAME] [--quick]`: runs programs of others (apps.mjs) against real servers,
// on node:net and with soref registered, on each engine, and compares. --quick leaves out those that
// take long. Prints a table, and at last `N passed, N failed`, where each run of a program counts.
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from '../../scripts/build.mjs';
import { availableEngines } from '../../scripts/engines.mjs';
import { main, root, step } from '../../scripts/processes.mjs';
import { setup } from '../../scripts/setup.mjs';
import { compileTests } from '../../scripts/test.mjs';
import { apps } from './apps.mjs';
import { writeCertificate } from './certificate.mjs';
import { startServer } from './daemon.mjs';
import { installPackages, installServers } from './set-up.mjs';
import { runPlain, runRegistered } from './variants.mjs';

/** More than a small machine has processors: the programs wait half of their time. */
const JOBS = 3;

function parse(args) {
  const names = args.filter((arg) => !arg.startsWith('--'));
  const options = { quick: false, engine: undefined };
  for (const arg of args.filter((arg) => arg.startsWith('--'))) {
    const [, engine] = /^--engine=(.+)$/.exec(arg) ?? [];
    if (arg === '--quick') options.quick = true;
    else if (engine) options.engine = engine;
    else throw new Error(`no option ${arg}; there are --engine=NAME and --quick`);
  }
  for (const name of names) {
    if (!apps.some((app) => app.name === name)) {
      throw new Error(`no program ${name}; there are ${apps.map((app) => app.name).join(', ')}`);
    }
  }
  const wanted = apps.filter((app) =>
    names.length > 0 ? names.includes(app.name) : !(options.quick && app.slow),
  );
  return { wanted, ...options };
}

/** Loads and starts the servers; for one that cannot be had there is the error in its place. */
async function startServers(names, scratch, certificate) {
  const modules = await Promise.all(
    names.map(async (name) => (await import(`./servers/${name}.mjs`)).default),
  );
  installServers(modules);
  const starts = names.map(async (name, index) => {
    try {
      return [name, await startServer(modules[index], join(scratch, name), certificate)];
    } catch (error) {
      return [name, { error: new Error(`${name} cannot be started: ${error.message}`) }];
    }
  });
  return new Map(await Promise.all(starts));
}

function environment(app, servers, certificate, scratch) {
  const settings = {};
  for (const name of app.servers ?? []) {
    const { error, settings: own } = servers.get(name);
    if (error) throw error;
    settings[name] = own;
  }
  const APPS_COUNTERPARTS = JSON.stringify({ servers: settings, certificate, scratch });
  return { APPS_COUNTERPARTS };
}

/** One program in all its variants: the row of the table, and what is wrong with each. */
async function runApp(app, engines, { servers, certificate, scratch }) {
  const folder = join(scratch, `run-${app.name}`);
  mkdirSync(folder);
  const program = { ...app, file: join(root, 'test/apps/programs', `${app.name}.mjs`) };
  const cells = {};
  try {
    const env = environment(app, servers, certificate, folder);
    cells.plain = await runPlain(program, env);
    for (const engine of engines) {
      cells[engine] =
        cells.plain.problems.length > 0
          ? { problems: ['there is nothing to compare with'] }
          : await runRegistered(program, engine, cells.plain, folder, env);
    }
  } catch (error) {
    for (const name of ['plain', ...engines]) cells[name] ??= { problems: [error.message] };
  }
  return { name: app.name, cells };
}

function show({ name, cells }) {
  const words = Object.values(cells).map(({ problems, seconds }) =>
    (problems.length > 0 ? 'FAILED' : `ok ${seconds.toFixed(1)} s`).padEnd(12),
  );
  console.log(`${name.padEnd(20)} ${words.join(' ')}`.trimEnd());
  for (const [variant, { problems }] of Object.entries(cells)) {
    for (const problem of problems) {
      console.log(`    ${variant}: ${problem.trimEnd().replace(/\n/g, '\n      ')}`);
    }
  }
}

async function runAll(wanted, engines, conditions) {
  console.log(
    `\n${['app'.padEnd(20), 'plain'.padEnd(12), ...engines.map((name) => name.padEnd(12))].join(' ').trimEnd()}`,
  );
  const waiting = [...wanted];
  const results = [];
  const worker = async () => {
    for (let app = waiting.shift(); app !== undefined; app = waiting.shift()) {
      const result = await runApp(app, engines, conditions);
      show(result);
      results.push(...Object.values(result.cells));
    }
  };
  await Promise.all(Array.from({ length: JOBS }, worker));
  return results;
}

await main(async (args) => {
  const { wanted, engine } = parse(args);
  setup();
  await build(['native', 'typescript']);
  compileTests();
  installPackages();
  const unavailable = [];
  const engines = engine ? [engine] : availableEngines(unavailable);
  const scratch = mkdtempSync(join(tmpdir(), 'soref-apps-'));
  // Servers that run as other users have their folders in it.
  chmodSync(scratch, 0o711);
  const certificate = writeCertificate(scratch);
  const names = [...new Set(wanted.flatMap((app) => app.servers ?? []))];
  let servers = new Map();
  const stopAll = () => Promise.all([...servers.values()].map((server) => server.stop?.()));
  try {
    step(`Starting ${names.join(', ') || 'no servers'}`);
    servers = await startServers(names, scratch, certificate);
    const results = await runAll(wanted, engines, { servers, certificate, scratch });
    const failed =
      results.filter(({ problems }) => problems.length > 0).length + unavailable.length;
    await stopAll();
    console.log(`\n${results.length - failed + unavailable.length} passed, ${failed} failed`);
    if (failed > 0) process.exitCode = 1;
  } finally {
    await stopAll();
    rmSync(scratch, { recursive: true, force: true });
  }
});
