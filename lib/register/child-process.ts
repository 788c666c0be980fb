/**
 * Sockets and servers that go to other processes: by `child.send(message, socket)`, as standard input
 * or output, and from a cluster's primary to its workers. Node's channel takes handles of Node's only,
 * so what is soref's is passed as one: the connection itself when it leaves this process, a
 * duplicate when it stays here as well.
 */
import { ChildProcess } from 'node:child_process';
import type { EventEmitter } from 'node:events';
import { Handle } from '../core/handle';
import { duplicateDescriptor, type NativeHandle, nodeSocketOn } from '../net/native-handle';
import { NodeServer } from '../net/node-net';
import { Socket } from '../net/socket';
import type { SocketFields } from '../net/socket-fields';
import { handOver, type SorefSocket } from './hand-over';
import { replace } from './registered';

interface SendOptions {
  keepOpen?: boolean;
  swallowErrors?: boolean;
}

type SendCallback = (error: Error | null) => void;

/** A child process, or in a child the process itself: the end of a channel. */
interface ChannelEnd extends EventEmitter {
  _send?: (
    this: ChannelEnd,
    message: unknown,
    handle?: unknown,
    options?: SendOptions | boolean,
    callback?: SendCallback,
  ) => boolean;
}

/** Something to send in the place of what is soref's, and what to close when it was sent. */
interface Counterpart {
  handle: unknown;
  sent?: NativeHandle;
}

/** What a connection of http's has: its parser, and the response that is being written. */
interface HttpParts {
  parser?: unknown;
  _httpMessage?: unknown;
}

/** A socket of Node's on a duplicate of our handle's descriptor; undefined if there are no more. */
function duplicate(handle: Handle) {
  const fd = duplicateDescriptor(handle.fd, handle.kind);
  return fd < 0 ? undefined : nodeSocketOn(fd, { allowHalfOpen: true, manualStart: true });
}

/**
 * The socket leaves this process, and stays behind without a connection, as Node's does. What http has
 * attached to it goes along, for Node releases that of the socket which it sends.
 */
function leaveProcess(socket: SorefSocket & HttpParts): Counterpart {
  const { node } = handOver(socket, false);
  socket.setTimeout(0);
  const { server, parser, _httpMessage } = socket;
  if (parser) Object.assign(socket, { parser: null, _httpMessage: null });
  return { handle: Object.assign(node, { server, parser, _httpMessage }) };
}

/** What Node can send in the place of a socket, server or handle of soref's; undefined for others. */
function counterpartOf(value: unknown, keepOpen: boolean): Counterpart | undefined {
  const owner = value as { _handle?: unknown; server?: unknown };
  const handle = value instanceof Handle ? value : owner?._handle;
  if (!(handle instanceof Handle)) return undefined;
  const isSocket = value instanceof Socket;
  if (isSocket && !keepOpen) return leaveProcess(value as unknown as SorefSocket);
  const socket = duplicate(handle);
  if (socket === undefined) return undefined;
  const sent = socket._handle as NativeHandle;
  if (isSocket) return { handle: Object.assign(socket, { server: owner.server }), sent };
  if (value === handle) return { handle: sent, sent };
  return { handle: Object.assign(new NodeServer(), { _handle: sent }), sent };
}

/** Closes what was only made to be sent, and reports as Node would have without our callback. */
function whenSent(
  end: ChannelEnd,
  sent: NativeHandle,
  options: SendOptions | boolean | undefined,
  callback: SendCallback | undefined,
): SendCallback {
  return (error) => {
    sent.close();
    const quiet = typeof options === 'object' ? options.swallowErrors : options;
    if (typeof callback === 'function') callback(error);
    else if (error && !quiet) end.emit('error', error);
  };
}

function passSocketsThrough(end: ChannelEnd, name: string): void {
  const original = end._send;
  if (original === undefined) return;
  const _send: typeof original = function (message, handle, options, callback) {
    const keepOpen = typeof options === 'object' && Boolean(options?.keepOpen);
    const counterpart = handle ? counterpartOf(handle, keepOpen) : undefined;
    if (counterpart === undefined) return original.call(this, message, handle, options, callback);
    const { sent } = counterpart;
    const reported = sent === undefined ? callback : whenSent(this, sent, options, callback);
    return original.call(this, message, counterpart.handle, options, reported);
  };
  if (name === '') end._send = _send;
  else replace(end, '_send', _send, name);
}

interface SpawnOptions {
  stdio?: unknown;
}

/** A socket of soref's given as standard input or output is given by its descriptor. */
function withDescriptors(options: SpawnOptions): SpawnOptions {
  if (!Array.isArray(options?.stdio)) return options;
  const stdio = options.stdio.map((item: unknown) => {
    const handle = (item as { _handle?: unknown } | null)?._handle;
    if (!(handle instanceof Handle)) return item;
    // The child reads from now on.
    (item as Partial<SocketFields>).pause?.();
    handle.readStop();
    return handle.fd;
  });
  return { ...options, stdio };
}

/** Lets sockets of soref's pass to children, and from this process to its parent. */
export function passSocketsToChildren(): void {
  const prototype = ChildProcess.prototype as unknown as {
    spawn(this: ChannelEnd, options: SpawnOptions): unknown;
  };
  const original = prototype.spawn;
  const spawn: typeof original = function (options) {
    const result = original.call(this, withDescriptors(options));
    passSocketsThrough(this, '');
    return result;
  };
  replace(prototype, 'spawn', spawn, 'child_process.ChildProcess.prototype.spawn');
  passSocketsThrough(process as unknown as ChannelEnd, 'process._send');
}
