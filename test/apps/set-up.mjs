// Brings what the programs need: their npm packages into test/apps/node_modules, and, as root, the
// servers' Debian packages. What is there already is not asked for again.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { has, root, run, step } from '../../scripts/processes.mjs';

const INSTALL_LIMIT = 300_000; // milliseconds
const here = join(root, 'test/apps');

export function installPackages() {
  // npm writes this file last, so an interrupted installation counts as none.
  const installed = join(here, 'node_modules/.package-lock.json');
  const locked = join(here, 'package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(locked).mtimeMs) return;
  step('Installing the npm packages of the programs');
  run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error'], {
    cwd: here,
    timeout: INSTALL_LIMIT,
  });
}

const isThere = (program) => (program.startsWith('/') ? existsSync(program) : has(program));

const isMissing = ({ program, needs = [] }) => ![program, ...needs].every(isThere);

/** Installs what is missing of these servers; whether that went well shows when they are started. */
export function installServers(servers) {
  const packages = servers.filter(isMissing).flatMap(({ debianPackage }) => debianPackage);
  if (packages.length === 0) return;
  if (process.getuid() !== 0 || !has('apt-get')) {
    step(
      `Some servers are missing: apt-get install ${packages.join(' ')} as root would bring them`,
    );
    return;
  }
  step(`Installing ${packages.join(', ')} with apt-get`);
  // At run level 1 (of sysv-rc, as in a container) Debian's packages do not start their services.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const options = { quiet: true, timeout: INSTALL_LIMIT, env };
  try {
    run('apt-get', ['update'], options);
    run('apt-get', ['install', '-y', '--no-install-recommends', ...packages], options);
  } catch (error) {
    step(error.message);
  }
}
