// Finds the headers that the addon is compiled with, without downloading anything: node_api.h and
// uv.h of Node, and napi.h of node-addon-api. Run as a program it prints the include folders, one a
// line, for CMakeLists.txt, and with --flags as compiler flags for binding.gyp; there node-gyp adds
// Node's own headers, which it may have downloaded.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** The value of npm's `nodedir`, the folder that holds include/node, or '' where none is set. */
function npmNodedir() {
  const fromEnvironment = process.env.npm_config_nodedir;
  if (fromEnvironment) return fromEnvironment;
  if (process.env.npm_command) return ''; // Under npm, its configuration is in the environment.
  try {
    const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
    const value = execFileSync('npm', ['config', 'get', 'nodedir'], options).trim();
    return value === 'undefined' || value === 'null' ? '' : value;
  } catch {
    return '';
  }
}

/** Where an earlier `node-gyp install` keeps the headers it downloaded, newest Node first. */
function nodeGypCache() {
  const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'node-gyp');
  if (!existsSync(cache)) return [];
  const own = process.versions.node;
  const versions = readdirSync(cache).filter((name) => /^\d+\.\d+\.\d+$/.test(name));
  versions.sort((a, b) => Number(b === own) - Number(a === own) || (a < b ? 1 : -1));
  return versions.map((version) => join(cache, version));
}

/**
 * The prefix whose include/node holds both headers of Node, or undefined.
 * The running binary's own headers come first; any other's will do, for Node-API is the same on all.
 */
export function nodePrefix() {
  const candidates = [
    () => [join(dirname(realpathSync(process.execPath)), '..')],
    () => [npmNodedir()],
    () => ['/usr', '/usr/local'],
    nodeGypCache,
  ];
  for (const list of candidates) {
    for (const prefix of list().filter(Boolean)) {
      const folder = join(prefix, 'include', 'node');
      if (existsSync(join(folder, 'node_api.h')) && existsSync(join(folder, 'uv.h'))) return prefix;
    }
  }
  return undefined;
}

/** The folder of napi.h: a packed soref carries it in vendor/, a checkout has it in node_modules/. */
export function addonApiFolder() {
  const folders = [join(root, 'vendor/node-addon-api'), join(root, 'node_modules/node-addon-api')];
  return folders.find((folder) => existsSync(join(folder, 'napi.h')));
}

/** The include folders for the addon, or undefined when this machine lacks one of the headers. */
export function includeFolders() {
  const napi = addonApiFolder();
  if (!napi) return undefined;
  const prefix = nodePrefix();
  if (prefix) return [napi, join(prefix, 'include', 'node')];
  // Without Node's own headers, an npm package has Node-API's, and the system may have libuv's.
  const nodeApi = join(root, 'node_modules/node-api-headers/include');
  const uv = ['/usr/include', '/usr/local/include'].find((dir) => existsSync(join(dir, 'uv.h')));
  // The compiler searches the system's folders anyway, so they are not named.
  return existsSync(join(nodeApi, 'node_api.h')) && uv ? [napi, nodeApi] : undefined;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const flags = process.argv.includes('--flags');
  const folders = flags ? [addonApiFolder()].filter(Boolean) : includeFolders();
  if (!folders?.length) {
    console.error(
      'soref: no Node headers (node_api.h, uv.h) and napi.h found. Sought beside the node binary ' +
        "(../include/node), in npm's nodedir, /usr/include/node, node-gyp's cache, and as " +
        'node-api-headers with a system libuv. `npx node-gyp install` downloads them.',
    );
    process.exit(1);
  }
  console.log(folders.map((folder) => (flags ? `-isystem${folder}` : folder)).join('\n'));
}
