// Builds with cmake, for scripts/build.mjs and its like: one folder for each set of options, so that
// what was compiled with some of them is not compiled again for others.
import { availableParallelism } from 'node:os';
import { run } from './processes.mjs';

/** What everything native is made from. */
export const NATIVE_INPUTS = ['src-native', 'CMakeLists.txt', 'binding.gyp', 'package-lock.json'];

/** Configures a folder with cmake, and builds targets of it: all of them if none is named. */
export function cmakeBuild(folder, { options, settings, targets = [] }) {
  const werror = `-DSOREF_WERROR=${settings.werror ? 'ON' : 'OFF'}`;
  const configure = ['-S', '.', '-B', folder, '-G', 'Unix Makefiles', ...options, werror];
  run('cmake', configure, { quiet: true });
  const wanted = targets.length > 0 ? ['--target', ...targets] : [];
  const make = ['--', '--no-print-directory', '-s'];
  run('cmake', [
    '--build',
    folder,
    '--parallel',
    String(availableParallelism()),
    ...wanted,
    ...make,
  ]);
}
