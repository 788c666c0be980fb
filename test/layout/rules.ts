// The rules of the source tree. Each takes files and returns one line for each breach, so that the
// same rule judges the project (layout.test.ts) and samples that break it (rules.test.ts).
import { posix } from 'node:path';
import type { SourceFile } from './source-tree';

/** What each folder of src-native may include beside itself: only what lies below it. */
const NATIVE_LAYERS: Readonly<Record<string, readonly string[]>> = {
  binding: ['core', 'socket', 'host', 'protocol', 'engine', 'base'],
  core: ['socket', 'host', 'protocol', 'engine', 'base'],
  socket: ['protocol', 'base'],
  host: ['protocol', 'engine', 'base'],
  protocol: ['base'],
  engine: ['base'],
  base: [],
};

/** What each folder of lib may import beside itself. Files of lib/ itself may import everything. */
const LIB_LAYERS: Readonly<Record<string, readonly string[]>> = {
  core: [],
  observe: ['core'],
  net: ['core'],
  register: ['core', 'net', 'observe', 'index'],
  doctor: ['core', 'register'],
};

/** Headers of others that only some files may include. */
const CONFINED_HEADERS: readonly { header: RegExp; within: RegExp; where: string }[] = [
  {
    header: /^(node|node_api|js_native_api|napi|uv|v8)\.h$/,
    within: /^binding\//,
    where: 'binding/',
  },
  { header: /^liburing(\.h|\/)/, within: /^engine\/uring_/, where: 'engine/uring_*' },
];

const MAX_LINES = 400;
const BANNED_NAMES = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'misc']);

/** Includes of src-native go down its layers, are written from its root, and name files that exist. */
export function includeBreaches(files: readonly SourceFile[]): string[] {
  const existing = new Set(files.map((file) => file.path));
  return files.flatMap(({ path, text }) => {
    const own = path.replace(/^src-native\//, '');
    const layer = own.split('/')[0] ?? '';
    const allowed = NATIVE_LAYERS[layer];
    if (!allowed) return [`${path}: ${layer} is no layer of src-native`];
    return [...text.matchAll(/^\s*#\s*include\s*([<"])([^>"]+)[>"]/gm)].flatMap((match) => {
      const [, bracket = '', header = ''] = match;
      const target = header.split('/')[0] ?? '';
      if (bracket === '"' || (header.includes('/') && target in NATIVE_LAYERS)) {
        if (bracket === '<') return [`${path}: <${header}> is ours, so it takes quotes`];
        if (!existing.has(`src-native/${header}`)) {
          return [`${path}: "${header}" is no file of src-native, written from its root`];
        }
        if (target === layer || allowed.includes(target)) return [];
        return [`${path}: ${layer} must not include ${target} ("${header}")`];
      }
      return CONFINED_HEADERS.filter(
        (rule) => rule.header.test(header) && !rule.within.test(own),
      ).map((rule) => `${path}: <${header}> is only for ${rule.where}`);
    });
  });
}

/** Imports of lib go down its layers. */
export function importBreaches(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const [, layer, nested] = path.split('/');
    if (layer === undefined || nested === undefined) return [];
    const allowed = LIB_LAYERS[layer];
    if (!allowed) return [`${path}: ${layer} is no layer of lib`];
    const specifiers =
      /(?:\bfrom|\bimport|\brequire|\bimport\s*\(|\brequire\s*\()\s*\(?\s*['"](\.[^'"]*)['"]/g;
    return [...text.matchAll(specifiers)].flatMap(([, specifier = '']) => {
      const target = posix.join(posix.dirname(path), specifier).split('/');
      // What leaves lib/ is no layer of it: package.json, or the addon's folder.
      if (target[0] !== 'lib') return [];
      const name =
        target.length > 2 ? (target[1] ?? '') : (target[1] ?? 'index').replace(/\.\w+$/, '');
      if (name === layer || allowed.includes(name)) return [];
      return [`${path}: ${layer} must not import ${name} ('${specifier}')`];
    });
  });
}

/** No file is longer than a reader can hold. */
export function lengthBreaches(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const lines = text.replace(/\n$/, '').split('\n').length;
    return lines > MAX_LINES ? [`${path}: ${lines} lines, more than ${MAX_LINES}`] : [];
  });
}

/** No name says only that something is in it. */
export function nameBreaches(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    const words = posix.basename(path).toLowerCase().split(/[-_.]/);
    const banned = words.find((word) => BANNED_NAMES.has(word));
    return banned ? [`${path}: '${banned}' does not say what it is responsible for`] : [];
  });
}

/** sources.txt names every .cpp of src-native once, and nothing else. */
export function sourceListBreaches(list: string, files: readonly SourceFile[]): string[] {
  const lines = list.split('\n').map((line) => line.trim());
  const listed = lines.filter((line) => line !== '' && !line.startsWith('#'));
  const present = files.map(({ path }) => path.replace(/^src-native\//, ''));
  const sources = new Set(present.filter((path) => path.endsWith('.cpp')));
  const missing = [...sources].filter((path) => !listed.includes(path));
  const stale = listed.filter((path) => !sources.has(path));
  const twice = listed.filter((path, index) => listed.indexOf(path) !== index);
  return [
    ...missing.map((path) => `${path} is not in sources.txt`),
    ...stale.map((path) => `sources.txt names ${path}, which is no source file`),
    ...twice.map((path) => `sources.txt names ${path} twice`),
  ];
}

/** Every file begins by saying what it is responsible for. */
export function headCommentBreaches(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) => {
    const head = text.replace(/^#!.*\n/, '').trimStart();
    return /^(\/\/|\/\*)/.test(head) ? [] : [`${path}: no comment at its head`];
  });
}
