/**
 * TLS over a soref socket (`tls.connect({ socket })`, `new TLSSocket(socket)`, STARTTLS). Node's TLS
 * works inside its own handles only, so a socket that TLS takes over is detached: its descriptor
 * leaves soref, exactly once, for a handle of Node's, which becomes the socket's `_handle`. From then
 * on the socket is what it is under TLS in Node: the object that closes the connection.
 */
import { closeSync } from 'node:fs';
import type { Handle } from '../core/handle';
import { ErrnoException } from '../net/errors';
import { type NativeHandle, nodeSocketOf } from '../net/native-handle';
import type { SocketFields } from '../net/socket-fields';
import { handOver, hasSorefHandle, type SorefSocket, writeThrough } from './hand-over';
import { leaveToNode, replace } from './registered';

const NAME = 'tls.TLSSocket.prototype._wrapHandle';

/** Node's TLSWrap, as far as it is told here what happens on the socket below it. */
interface TlsWrap {
  _parent: NativeHandle;
  writesIssuedByPrevListenerDone(): void;
}

/** A TLSSocket from inside. */
interface TlsSocket extends NodeJS.EventEmitter {
  destroyed: boolean;
  _tlsOptions: { pipe?: boolean };
  _wrapHandle: WrapHandle;
}

type WrapHandle = (
  this: TlsSocket,
  wrap: SocketFields | null,
  handle: unknown,
  hasActiveWrite: boolean,
) => TlsWrap;

/** The stream has these bytes for TLS to read first: they came before it took over. */
function keepForReading(socket: SocketFields, head: Buffer[]): void {
  if (head.length === 0) return;
  // No listener of the plain socket may get what belongs to TLS.
  socket.pause();
  for (const chunk of head) socket.push(chunk);
}

/**
 * Makes a handle of Node's a soref socket's. Such a socket leaves it to the handle to remember
 * whether it reads, which Node's leave to the socket; TLS looks at it too.
 */
function giveHandle(socket: SocketFields, native: NativeHandle): void {
  const { readStart, readStop } = native;
  native.readStart = () => {
    native.reading = true;
    return readStart?.call(native) ?? 0;
  };
  native.readStop = () => {
    native.reading = false;
    return readStop?.call(native) ?? 0;
  };
  socket._handle = native as unknown as Handle;
}

/** Takes over a connected socket: its connection goes to a new handle of Node's. */
function wrapConnected(
  tls: TlsSocket,
  wrapHandle: WrapHandle,
  socket: SorefSocket,
  hasActiveWrite: boolean,
): TlsWrap {
  let result: TlsWrap | undefined;
  const { node, head, sending } = handOver(socket, true, () => {
    // Without an active write of the stream nobody else tells TLS that it may write now.
    if (!hasActiveWrite) result?.writesIssuedByPrevListenerDone();
  });
  giveHandle(socket, node._handle as NativeHandle);
  keepForReading(socket, head);
  result = wrapHandle.call(tls, socket, socket._handle, hasActiveWrite || sending);
  return result;
}

/** Takes over a socket that still connects: TLS gets an empty handle, which the connection will fill. */
function wrapConnecting(
  tls: TlsSocket,
  wrapHandle: WrapHandle,
  socket: SorefSocket,
  hasActiveWrite: boolean,
): TlsWrap {
  // With no handle TLS makes one, and asks this option of which kind.
  const { pipe } = tls._tlsOptions;
  tls._tlsOptions.pipe = socket._handle.kind === 'pipe';
  const result = wrapHandle.call(tls, socket, undefined, hasActiveWrite);
  if (pipe === undefined) delete tls._tlsOptions.pipe;
  else tls._tlsOptions.pipe = pipe;
  const native = result._parent;
  // Before any other listener: those of TLS start the handshake.
  socket.prependOnceListener('connect', () => {
    if (!hasSorefHandle(socket)) return;
    if (tls.destroyed) {
      // TLS has closed its handle meanwhile, and nobody is left who wants the connection.
      socket.destroy();
      return;
    }
    const { fd, head } = socket._handle.detach();
    const errno = native.open?.(fd) ?? 0;
    giveHandle(socket, native);
    if (errno === 0) {
      writeThrough(socket, nodeSocketOf(native));
      keepForReading(socket, head);
    } else {
      closeSync(fd);
      socket.destroy(new ErrnoException(errno, 'open'));
    }
  });
  tls.once('close', () => socket.destroy());
  return result;
}

/** Lets Node's TLSSocket take over sockets of soref's. */
export function adoptForTls(): void {
  let tls: typeof import('node:tls');
  try {
    tls = require('node:tls');
  } catch {
    return; // This Node was built without OpenSSL.
  }
  const prototype = tls.TLSSocket.prototype as unknown as TlsSocket;
  const original = prototype._wrapHandle as WrapHandle | undefined;
  if (original === undefined) {
    leaveToNode(NAME);
    return;
  }
  const _wrapHandle: WrapHandle = function (socket, handle, hasActiveWrite) {
    if (!hasSorefHandle(socket)) return original.call(this, socket, handle, hasActiveWrite);
    if (socket.connecting) return wrapConnecting(this, original, socket, hasActiveWrite);
    return wrapConnected(this, original, socket, hasActiveWrite);
  };
  replace(prototype, '_wrapHandle', _wrapHandle, NAME);
}
