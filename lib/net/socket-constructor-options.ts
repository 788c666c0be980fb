/**
 * The options of `new Socket(options)`: which there are, which are refused, and the object in which the stream's
 * constructor gets them. The constructor calls this, and the server, which makes such an object for each connection.
 */
import type * as net from 'node:net';
import { ERR_INVALID_ARG_VALUE } from './errors';
import { validateNumber } from './validation';

/** The options of the constructor that are not the stream's, as the server and connect() give them too. */
export interface SocketConstructorOptions
  extends Omit<net.SocketConstructorOpts, 'handle' | 'onread'> {
  handle?: unknown;
  manualStart?: boolean;
  pauseOnCreate?: boolean;
  noDelay?: boolean;
  keepAlive?: boolean;
  /** Milliseconds. */
  keepAliveInitialDelay?: number;
  typeOfService?: number;
  blockList?: net.BlockList;
  readableHighWaterMark?: number;
  writableHighWaterMark?: number;
  objectMode?: boolean;
  readableObjectMode?: boolean;
  writableObjectMode?: boolean;
  onread?: net.OnReadOpts | null | undefined;
  emitClose?: boolean;
  autoDestroy?: boolean;
  decodeStrings?: boolean;
}

/** @throws ERR_INVALID_ARG_VALUE for what a socket cannot be, ERR_INVALID_ARG_TYPE. */
export function checkOptions(options: SocketConstructorOptions): void {
  refuse('objectMode', options.objectMode);
  refuse('readableObjectMode', options.readableObjectMode);
  refuse('writableObjectMode', options.writableObjectMode);
  if (options.keepAliveInitialDelay !== undefined) {
    validateNumber(options.keepAliveInitialDelay, 'options.keepAliveInitialDelay');
    if (options.keepAliveInitialDelay < 0) options.keepAliveInitialDelay = 0;
  }
}

function refuse(name: string, value: unknown): void {
  if (value) throw new ERR_INVALID_ARG_VALUE(`options.${name}`, value, 'is not supported');
}

/**
 * The options as the stream's constructor gets them, with every usual key from the start: a spread copy that
 * grows afterwards becomes a hash table in V8, and reading it would cost several microseconds a connection.
 */
class OwnOptions {
  handle: unknown = undefined;
  fd: number | undefined = undefined;
  allowHalfOpen = false;
  pauseOnCreate = false;
  manualStart = false;
  readable: boolean | undefined = undefined;
  writable: boolean | undefined = undefined;
  readableHighWaterMark: number | undefined = undefined;
  writableHighWaterMark: number | undefined = undefined;
  highWaterMark: number | undefined = undefined;
  noDelay = false;
  keepAlive = false;
  keepAliveInitialDelay: number | undefined = undefined;
  typeOfService: number | undefined = undefined;
  onread: net.OnReadOpts | undefined = undefined;
  signal: AbortSignal | undefined = undefined;
  blockList: net.BlockList | undefined = undefined;
  objectMode: boolean | undefined = undefined;
  readableObjectMode: boolean | undefined = undefined;
  writableObjectMode: boolean | undefined = undefined;
  emitClose = false;
  autoDestroy = true;
  decodeStrings = false;
}

/** Options that a socket takes as its own: whoever fills them in uses them for one socket only. */
export function newOptions(): SocketConstructorOptions {
  return new OwnOptions() as SocketConstructorOptions;
}

/** Options for one socket, from what a caller gave and keeps. */
export function ownOptions(
  given: SocketConstructorOptions | number | undefined,
): SocketConstructorOptions {
  if (given instanceof OwnOptions) return given as SocketConstructorOptions;
  const options = newOptions();
  // A bare number is the legacy way to give a descriptor.
  if (typeof given === 'number') options.fd = given;
  else Object.assign(options, given);
  options.allowHalfOpen = Boolean(options.allowHalfOpen);
  // _destroy emits 'close' itself, once the descriptor is closed, and the core encodes strings.
  options.emitClose = false;
  options.autoDestroy = true;
  options.decodeStrings = false;
  return options;
}
