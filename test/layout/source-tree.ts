// Reads the project's own source files for the tests of its layout.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A file of the project: its path from the root, with slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

// Compiled, this file lies in dist-test/layout.
const root = join(__dirname, '../..');

const CODE = /\.(ts|mts|cts|js|mjs|cjs|h|cpp)$/;

/** The folders whose files the rules speak of. */
export const CODE_FOLDERS = ['lib', 'src-native', 'test', 'scripts', 'bench'];

/**
 * Every path below a folder, files and folders alike; an absent folder has none. Installed packages
 * are others' files.
 */
export function pathsBelow(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  const ours = entries.filter((entry) => entry.name !== 'node_modules');
  return ours.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? [path, ...pathsBelow(path)] : [path];
  });
}

/** One file of the project. */
export function sourceFile(path: string): SourceFile {
  return { path, text: readFileSync(join(root, path), 'utf8') };
}

/** Every file of code below the given folders. */
export function codeBelow(...folders: string[]): SourceFile[] {
  const paths = folders.flatMap(pathsBelow);
  return paths.filter((path) => CODE.test(path)).map(sourceFile);
}
