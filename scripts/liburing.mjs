// Finds the static liburing that io_uring needs, for binding.gyp and the make build; CMakeLists.txt
// asks pkg-config by itself. Prints the archive's path, or nothing: then only epoll is built.

import { execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

function pkgConfig(...args) {
  return execFileSync('pkg-config', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
}

/** The path of liburing.a, version 2.3 or newer, or undefined. */
export function liburingArchive() {
  try {
    pkgConfig('--exists', 'liburing >= 2.3');
    const archive = join(pkgConfig('--variable=libdir', 'liburing').trim(), 'liburing.a');
    return existsSync(archive) ? archive : undefined;
  } catch {
    return undefined;
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  console.log(liburingArchive() ?? '');
}
