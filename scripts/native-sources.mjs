// Reads src-native/sources.txt, the one list of C++ sources that CMakeLists.txt, binding.gyp and the
// scripts build from. Run as a program it prints the paths relative to the project, for binding.gyp.
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Every source file, as a path relative to the project's root. */
export function nativeSources() {
  const lines = readFileSync(join(root, 'src-native/sources.txt'), 'utf8').split('\n');
  const paths = lines.map((line) => line.trim()).filter((line) => line && !line.startsWith('#'));
  return paths.map((path) => `src-native/${path}`);
}

/** The sources of the core: all that need no Node headers. */
export function coreSources() {
  return nativeSources().filter((path) => !path.startsWith('src-native/binding/'));
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  console.log(nativeSources().join('\n'));
}
