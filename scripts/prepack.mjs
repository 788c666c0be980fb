// Before `npm pack`: builds, and puts the binary and node-addon-api's headers where the tarball
// carries them. `--undo` after it takes them away, for in a checkout they would hide newer builds.
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ADDON, build } from './build.mjs';
import { main, root, run } from './processes.mjs';
import { setup } from './setup.mjs';

const ADDON_API_FILES = ['napi.h', 'napi-inl.h', 'napi-inl.deprecated.h', 'LICENSE.md'];

await main(async (args) => {
  for (const folder of ['prebuilds', 'vendor']) {
    rmSync(join(root, folder), { recursive: true, force: true });
  }
  if (args.includes('--undo')) return;
  setup();
  await build(['native', 'typescript']);
  const binary = join(root, 'prebuilds', `${process.platform}-${process.arch}`, 'soref.node');
  mkdirSync(join(binary, '..'), { recursive: true });
  copyFileSync(join(root, ADDON), binary);
  // The debug information stays with the build; a user's binary is a quarter of the size.
  run('strip', ['--strip-debug', binary]);
  const vendor = join(root, 'vendor/node-addon-api');
  mkdirSync(vendor, { recursive: true });
  for (const file of ADDON_API_FILES) {
    copyFileSync(join(root, 'node_modules/node-addon-api', file), join(vendor, file));
  }
});
