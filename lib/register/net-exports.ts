/**
 * Puts soref's functions and constructors in the place of Node's among the exports of `net`. Whatever
 * needs no socket (BlockList, isIP …) is Node's own, and stays.
 */
import { isatty } from 'node:tty';
import * as soref from '../index';
import { nodeNet } from '../net/node-net';
import { prepareHttpClients } from './http-clients';
import { replace } from './registered';

// These take `net.Socket` and `net.Server` as the base of their own classes when they are loaded.
// What they derive from Node's must be there before soref's take their place, for a TLSSocket on
// soref's prototype would have handles that only Node's methods understand.
const DERIVING = ['tls', 'http', 'https', 'http2', 'child_process', 'cluster', 'tty'];

function loadDeriving(): void {
  for (const name of DERIVING) {
    try {
      require(name);
    } catch {
      // A Node that was built without OpenSSL lacks some of them.
    }
  }
}

/**
 * Loads something without making `process.stderr`: modules ask it for colours while they are loaded. Made, it is a
 * stream and a handle, which a program that never writes there has not under Node. What is no terminal has no colours.
 */
function withoutStandardError(load: () => void): void {
  const stderr = Object.getOwnPropertyDescriptor(process, 'stderr');
  if (stderr?.configurable !== true || isatty(2)) {
    load();
    return;
  }
  Object.defineProperty(process, 'stderr', { ...stderr, get: () => ({ isTTY: false }) });
  try {
    load();
  } finally {
    Object.defineProperty(process, 'stderr', stderr);
  }
}

/** Whether an export is a getter of Node's, as BlockList is: then it is loaded late, and Node's own. */
function isLazy(exports: object, key: string): boolean {
  return Object.getOwnPropertyDescriptor(exports, key)?.get !== undefined;
}

export function replaceNet(): void {
  withoutStandardError(loadDeriving);
  const replaceInClients = prepareHttpClients();
  const builtin = nodeNet as unknown as Record<string, unknown>;
  const ours = soref as unknown as Record<string, unknown>;
  for (const key of Object.keys(builtin)) {
    if (isLazy(builtin, key) || !(key in ours)) continue;
    if (builtin[key] !== ours[key]) replace(builtin, key, ours[key], `net.${key}`);
  }
  replaceInClients();
}
