// Tells whether something built is still of its sources, so that a build with nothing to do costs
// milliseconds. A stamp in build-stamps/ holds a fingerprint of the inputs of the last good build.
// It also holds the lock that keeps two builds out of the same folder.
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { root } from './processes.mjs';

const stamps = join(root, 'build-stamps');

/**
 * Every file below the given paths, which are relative to the root; missing paths are left out, and
 * so are installed packages.
 */
export function filesBelow(paths) {
  return paths.flatMap((path) => {
    const absolute = join(root, path);
    if (!existsSync(absolute)) return [];
    if (!statSync(absolute).isDirectory()) return [path];
    const entries = readdirSync(absolute).filter((name) => name !== 'node_modules');
    return filesBelow(entries.sort().map((entry) => join(path, entry)));
  });
}

function fingerprint(inputs, settings) {
  const hash = createHash('sha256');
  hash.update(JSON.stringify(settings));
  for (const file of filesBelow(inputs))
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

/**
 * Calls `build` unless `outputs` exist and were last built from the same inputs and settings.
 * Returns whether it was called.
 */
export function buildUnlessFresh(name, { inputs, outputs, settings = {} }, build) {
  const stamp = join(stamps, name);
  // Taken before the build: what changes while it runs is built again the next time.
  const wanted = fingerprint(inputs, settings);
  const current = existsSync(stamp) ? readFileSync(stamp, 'utf8') : '';
  if (current === wanted && outputs.every((path) => existsSync(join(root, path)))) return false;
  mkdirSync(stamps, { recursive: true });
  rmSync(stamp, { force: true });
  build();
  writeFileSync(stamp, wanted);
  return true;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Runs `body` while no other build runs in this checkout; waits for the other one to end. */
export async function withBuildLock(body) {
  mkdirSync(stamps, { recursive: true });
  const lock = join(stamps, 'lock');
  let told = false;
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const owner = existsSync(lock) ? Number(readFileSync(lock, 'utf8')) : 0;
      if (owner > 0 && !isAlive(owner)) rmSync(lock, { force: true });
      else if (!told) console.log('waiting for another build to end');
      told = true;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  try {
    return await body();
  } finally {
    rmSync(lock, { force: true });
  }
}
