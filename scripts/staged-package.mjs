// Lays soref out as a package in a folder of its own, with an addon of the caller's choice, together
// with the compiled tests. What runs there finds that addon in the place where the loader looks, and
// shares no file with what runs in another folder: tests that write beside themselves do not meet.
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ADDON } from './build.mjs';
import { root } from './processes.mjs';

/** Makes the folder anew; returns its absolute path. `addon` is relative to the project's root. */
export function stagePackage(folder, addon) {
  const staged = join(root, folder);
  rmSync(staged, { recursive: true, force: true });
  mkdirSync(join(staged, 'build/Release'), { recursive: true });
  for (const name of ['dist', 'dist-test', 'package.json']) {
    cpSync(join(root, name), join(staged, name), { recursive: true });
  }
  for (const name of ['node_modules', 'test']) symlinkSync(join(root, name), join(staged, name));
  cpSync(join(root, addon), join(staged, ADDON));
  return staged;
}
