// Removes everything that a build or a test has made; node_modules/ stays.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './processes.mjs';

const made = readdirSync(root).filter((name) => name.startsWith('build-'));
for (const name of [
  ...made,
  'build',
  'dist',
  'dist-test',
  'prebuilds',
  'vendor',
  'results',
  'soak-results',
]) {
  rmSync(join(root, name), { recursive: true, force: true });
}
