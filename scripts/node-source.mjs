// Fetches the source of a Node line, whose tests the conformance run uses, and keeps it in .cache/.
// It comes from Debian's source package, for that is where a machine with apt-get has it from
// without any other server. Nothing of it belongs in a commit.
//   node scripts/node-source.mjs [20|22]      prints the folder
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { has, main, root, step } from './processes.mjs';

/** The Debian suites that carry a Node line. */
const SUITES = { 20: 'trixie', 22: 'sid' };
const SOURCES = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const APT_TIMEOUT = 240_000; // milliseconds

/** The line whose tests suit a Node: its own, or the newest one there is. */
export function lineFor(major) {
  return major in SUITES ? major : String(Math.max(...Object.keys(SUITES).map(Number)));
}

/** The mirror that this machine's apt-get uses; deb.debian.org when it names none. */
function mirror() {
  for (const file of SOURCES) {
    if (!existsSync(file)) continue;
    const text = readFileSync(file, 'utf8');
    const uri = text.match(/^URIs:\s*(\S+)/m) ?? text.match(/^deb\s+(?:\[.*?\]\s+)?(\S+)/m);
    if (uri?.[1]) return uri[1];
  }
  return 'http://deb.debian.org/debian';
}

/** Runs apt tools against one suite's sources alone, with lists of its own: the system's stay as they are. */
function aptFor(suite, work) {
  mkdirSync(join(work, 'sources'));
  mkdirSync(join(work, 'lists', 'partial'), { recursive: true });
  const stanza = [
    'Types: deb-src',
    `URIs: ${mirror()}`,
    `Suites: ${suite}`,
    'Components: main',
    `Signed-By: ${KEYRING}`,
  ];
  writeFileSync(join(work, 'sources', 'node.sources'), `${stanza.join('\n')}\n`);
  const settings = [
    'Dir::Etc::SourceList=/dev/null',
    `Dir::Etc::SourceParts=${join(work, 'sources')}`,
    `Dir::State::Lists=${join(work, 'lists')}`,
    'APT::Sandbox::User=root',
  ].flatMap((setting) => ['-o', setting]);
  return (program, ...args) =>
    execFileSync(program, [...settings, '-qq', ...args], {
      cwd: work,
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      timeout: APT_TIMEOUT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
}

function download(line, folder) {
  const work = mkdtempSync(join(tmpdir(), 'node-source-'));
  try {
    const apt = aptFor(SUITES[line], work);
    apt('apt-get', 'update');
    const versions = apt('apt-cache', 'showsrc', 'nodejs').match(/^Version: .+$/gm) ?? [];
    const version = versions
      .map((v) => v.slice('Version: '.length))
      .find((v) => v.startsWith(`${line}.`));
    if (version === undefined)
      throw new Error(`Debian ${SUITES[line]} has no source of Node ${line}`);
    try {
      apt('apt-get', 'source', '--download-only', `nodejs=${version}`);
    } catch {
      // A mirror may lack the packaging files, which nobody needs here; the tarball decides.
    }
    const tarball = readdirSync(work).find((name) => /^nodejs_.*\.orig\.tar\.xz$/.test(name));
    if (tarball === undefined) throw new Error(`the mirror gave no tarball of nodejs ${version}`);
    mkdirSync(folder, { recursive: true });
    execFileSync('tar', ['-xf', join(work, tarball), '-C', folder, '--strip-components=1']);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/**
 * The folder with a Node line's source, fetched when it is not there yet.
 * @throws {Error} when the line is unknown or its source cannot be had; the message says what to do.
 */
export function nodeSource(line) {
  const instead = 'unpack a Node source tree yourself and name it with --node-source';
  if (!(line in SUITES))
    throw new Error(`Debian has no source package of Node ${line}: ${instead}`);
  const folder = join(root, '.cache', `node-source-${line}`);
  if (existsSync(join(folder, 'test/common/index.js'))) return folder;
  if (!has('apt-get'))
    throw new Error(`Node's source comes through apt-get, which is missing: ${instead}`);
  step(`Fetching the source of Node ${line} from Debian, once`);
  try {
    download(line, folder);
  } catch (error) {
    throw new Error(
      `the source of Node ${line} cannot be had (${error.message.trim()}): ${instead}`,
    );
  }
  if (!existsSync(join(folder, 'test/common/index.js'))) {
    throw new Error(`Debian's source of Node ${line} has no tests in it: ${instead}`);
  }
  return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await main(([line = '20']) => console.log(nodeSource(line)));
}
