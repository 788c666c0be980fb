/**
 * The forms in which connect() and listen() take their arguments, made one: an array of options and callback. The
 * array is marked with Node's symbol, so that what Node's own modules normalised is taken as it is, and the reverse.
 */
import type * as net from 'node:net';
import { nodeNet } from './node-net';

export type Normalized = [options: Record<string, unknown>, callback: (() => void) | null];

const normalizeOfNode = (nodeNet as typeof net & { _normalizeArgs?: (values: unknown[]) => object })
  ._normalizeArgs;
const normalizedMark: symbol =
  Object.getOwnPropertySymbols(normalizeOfNode?.([]) ?? {})[0] ?? Symbol('normalizedArgs');

export function isNormalized(value: unknown): value is Normalized {
  return (
    Array.isArray(value) && Boolean((value as unknown as Record<symbol, unknown>)[normalizedMark])
  );
}

/** A port may be a numeric string; any other string is the path of a Unix socket. */
export function isPathName(value: unknown): value is string {
  return typeof value === 'string' && !(Number(value) >= 0);
}

/** (options, callback), (path, callback) or (port, host, callback), each part but the first left out at will. */
export function _normalizeArgs(values: unknown[]): Normalized {
  const [first, second] = values;
  const last = values.at(-1);
  let options: Record<string, unknown>;
  if (values.length === 0) {
    options = {};
  } else if (typeof first === 'object' && first !== null) {
    options = first as Record<string, unknown>;
  } else if (isPathName(first)) {
    options = { path: first };
  } else {
    options = { port: first };
    if (typeof second === 'string') options.host = second;
  }
  const normalized: Normalized = [
    options,
    typeof last === 'function' ? (last as () => void) : null,
  ];
  (normalized as unknown as Record<symbol, unknown>)[normalizedMark] = true;
  return normalized;
}
