// Builds the native programs, tests and benchmarks, with make and g++ alone where cmake is missing.
// It writes one Makefile with the same sources, flags and names as CMakeLists.txt.
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { liburingArchive } from './liburing.mjs';
import { coreSources } from './native-sources.mjs';
import { output, root, run } from './processes.mjs';

/** Not named Makefile, for cmake writes one into the same folder. */
const MAKEFILE = 'programs.mk';
const FLAGS =
  '-std=c++20 -O2 -g -fPIC -fvisibility=hidden -fvisibility-inlines-hidden -fno-exceptions ' +
  '-Wall -Wextra -Wshadow -Wconversion -MMD -MP';

function cppFiles(folder) {
  const absolute = join(root, folder);
  if (!existsSync(absolute)) return [];
  const names = readdirSync(absolute).filter((name) => name.endsWith('.cpp'));
  return names.sort().map((name) => join(folder, name));
}

const isTest = (file) => file.endsWith('_test.cpp');

/** The native tests: name → its sources. Those of test/faults share the simulation beside them. */
export function testPrograms() {
  const faults = cppFiles('test/faults');
  const simulation = faults.filter((file) => !isTest(file));
  return new Map([
    ...cppFiles('test/native')
      .filter(isTest)
      .map((file) => [basename(file, '.cpp'), [file]]),
    ...faults.filter(isTest).map((file) => [basename(file, '.cpp'), [file, ...simulation]]),
  ]);
}

/** The programs of a folder: NAME.cpp, with the files of the folder NAME/ where there is one. */
function programsOf(folder) {
  const programs = cppFiles(folder).map((file) => {
    const name = basename(file, '.cpp');
    return [name, [file, ...cppFiles(join(folder, name))]];
  });
  return new Map(programs);
}

/** The benchmarks' programs. */
export const benchPrograms = () => programsOf('bench/native');
/** Those that run the core alone. */
export const microPrograms = () => programsOf('bench/micro');

/** Whether the load generator can speak TLS. */
export const hasOpenssl = () => output('pkg-config', ['--exists', 'openssl >= 3']) !== undefined;

function makefile(programs, plan) {
  const { folder, outputs, includes, withCore, sanitize, withTls, werror, defines = [] } = plan;
  const archive = liburingArchive();
  const openssl = withTls && hasOpenssl();
  const sanitizer = sanitize
    ? ` -O1 -fsanitize=${sanitize} -fno-sanitize=vptr -fno-sanitize-recover=all` +
      ' -fno-omit-frame-pointer' +
      ' -DSOREF_EXPENSIVE_CHECKS=1'
    : '';
  const flags = `${FLAGS}${werror ? ' -Werror' : ''}${sanitizer}${archive ? ' -DSOREF_HAVE_LIBURING=1' : ''}${openssl ? ' -DSOREF_HAVE_OPENSSL=1' : ''}`;
  const settings = [...defines.map((name) => `-D${name}`), ...includes.map((path) => `-I${path}`)];
  const object = (source) => join(folder, 'objects', source.replace(/\.cpp$/, '.o'));
  const core = withCore ? coreSources() : [];
  const sources = new Set([...core, ...[...programs.values()].flat()]);
  const lines = [
    `CXX ?= g++`,
    `FLAGS := ${flags} ${settings.join(' ')}`,
    `CORE := ${core.map(object).join(' ')}`,
    `all: ${[...programs.keys()].map((name) => join(outputs, name)).join(' ')}`,
  ];
  for (const source of sources) {
    lines.push(`${object(source)}: ${source} ${join(folder, MAKEFILE)}`);
    lines.push(`\t@mkdir -p ${dirname(object(source))}`);
    lines.push(`\t$(CXX) $(FLAGS) -c $< -o $@`);
  }
  for (const [name, files] of programs) {
    lines.push(`${join(outputs, name)}: ${files.map(object).join(' ')} $(CORE)`);
    lines.push(`\t@mkdir -p ${outputs}`);
    lines.push(
      `\t$(CXX) $(FLAGS) $^ ${archive ?? ''}${openssl ? ' -lssl -lcrypto' : ''} -lpthread -o $@`,
    );
  }
  lines.push(
    `-include ${[...sources].map((source) => object(source).replace(/o$/, 'd')).join(' ')}`,
  );
  return `${lines.join('\n')}\n`;
}

/**
 * Builds programs with make.
 * @param {Map<string, string[]>} programs name → sources
 * @param {object} plan folder: where the Makefile and objects go; outputs: where the programs go;
 *   includes: include folders; withCore: link the core; sanitize: as -fsanitize takes it;
 *   withTls: link OpenSSL where it is there; werror: warnings are errors; defines: macros to define
 */
export function makePrograms(programs, plan) {
  if (programs.size === 0) return;
  const file = join(plan.folder, MAKEFILE);
  mkdirSync(join(root, plan.folder), { recursive: true });
  writeFileSync(join(root, file), makefile(programs, plan));
  run('make', ['-s', `-j${availableParallelism()}`, '-f', file]);
}
