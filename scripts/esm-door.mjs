// Writes dist/index.mjs, through which `import` reaches the CommonJS build: the default export is
// the same object that require gives, and every one of its names is a named export.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { root } from './processes.mjs';

/**
 * What newer Nodes' net exports and the building Node's may not. The names of an ES module are fixed
 * when it is written, so on an older Node these are undefined.
 */
const OF_NEWER_NODES = ['BoundSocket'];

/** Needs dist/index.js, and the addon where there is one. */
export function writeEsmDoor() {
  const exports = createRequire(import.meta.url)(join(root, 'dist/index.js'));
  const own = Object.keys(exports).filter((name) => name !== 'default' && /^\w+$/.test(name));
  const names = [...new Set([...own, ...OF_NEWER_NODES])];
  const lines = [
    "import soref from './index.js';",
    'export default soref;',
    `export const { ${names.sort().join(', ')} } = soref;`,
  ];
  writeFileSync(join(root, 'dist/index.mjs'), `${lines.join('\n')}\n`);
}
