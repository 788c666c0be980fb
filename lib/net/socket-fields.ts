/**
 * What a socket's object holds: the fields that the files socket*.ts and server*.ts share. Where Node's socket keeps
 * a value under a symbol of its own, soref keeps it under the same one, because Node's other modules look there.
 */
import type { Duplex } from 'node:stream';
import type { Address, Handle } from '../core/handle';
import { type BlockList, NodeSocket } from './node-net';

const symbolsOfNode = new Map(
  Object.getOwnPropertySymbols(new NodeSocket()).map((symbol) => [symbol.description, symbol]),
);
const symbolsOfNodePrototype = new Map(
  Object.getOwnPropertySymbols(NodeSocket.prototype).map((symbol) => [symbol.description, symbol]),
);

/** Node's own symbol of that description, or a new one where this Node has none. */
function shared(description: string, symbols = symbolsOfNode): never {
  return (symbols.get(description) ?? Symbol(description)) as never;
}

export const asyncId: unique symbol = shared('async_id_symbol');
export const kHandle: unique symbol = shared('kHandle');
export const kTimeout: unique symbol = shared('timeout');
export const kLastWriteQueueSize: unique symbol = shared('lastWriteQueueSize');
export const kBuffer: unique symbol = shared('kBuffer');
export const kBufferCallback: unique symbol = shared('kBufferCb');
export const kBufferGenerator: unique symbol = shared('kBufferGen');
export const kNoDelay: unique symbol = shared('kSetNoDelay');
export const kKeepAlive: unique symbol = shared('kSetKeepAlive');
export const kKeepAliveInitialDelay: unique symbol = shared('kSetKeepAliveInitialDelay');
export const kKeepAliveInterval: unique symbol = shared('kSetKeepAliveInterval');
export const kKeepAliveCount: unique symbol = shared('kSetKeepAliveCount');
export const kTypeOfService: unique symbol = shared('kSetTOS');
export const kBytesRead: unique symbol = shared('kBytesRead');
export const kBytesWritten: unique symbol = shared('kBytesWritten');
export const kUpdateTimer: unique symbol = shared('kUpdateTimer', symbolsOfNodePrototype);
export const kAfterAsyncWrite: unique symbol = shared('kAfterAsyncWrite', symbolsOfNodePrototype);
export const kReinitializeHandle: unique symbol = shared(
  'kReinitializeHandle',
  symbolsOfNodePrototype,
);

/** Set on a socket that took its handle from a BoundSocket: the path that this was bound to, if it was one. */
export const kBound: unique symbol = Symbol('bound');

/** What a socket needs to know of the server that accepted it. */
export interface AcceptingServer {
  _connections: number;
  _emitCloseIfDrained?(): void;
  emit(event: 'detach', socket: unknown): boolean;
}

export type Callback = (error?: Error | null) => void;
export type Chunks = { chunk: Buffer | string; encoding: BufferEncoding }[];

/** A socket as lib/net sees it from inside. */
export interface SocketFields extends Duplex {
  connecting: boolean;
  timeout?: number;
  autoSelectFamilyAttemptedAddresses?: string[];
  blockList?: BlockList;
  resetAndClosing?: boolean;
  server: unknown;
  _server: AcceptingServer | null;
  _handle: Handle | null;
  _parent: SocketFields | null;
  _host: string | null;
  _hadError: boolean;
  _aborted?: boolean;
  _closeAfterHandlingError: boolean;
  _sockname: Partial<Address> | null;
  _peername?: Partial<Address> | null;
  _pendingData: Buffer | string | Chunks | Buffer[] | null;
  _pendingEncoding: string;
  _readableState: {
    endEmitted: boolean;
    /** A list of its own kind on older Nodes, an array of which `bufferIndex` were taken on newer ones. */
    buffer: Iterable<Buffer | string>;
    bufferIndex?: number;
    length: number;
    encoding: BufferEncoding | null;
    decoder: { lastChar: Buffer; lastNeed: number; lastTotal: number } | null;
  };
  _writableState: { sync: boolean };
  readonly pending: boolean;
  readonly bytesRead: number;
  readonly bytesWritten: number | undefined;
  readonly _bytesDispatched: number;
  readonly writableBuffer: (Chunks[number] & { callback: Callback })[] | undefined;

  [asyncId]: number;
  [kHandle]: Handle | null;
  [kTimeout]: NodeJS.Timeout | null;
  [kLastWriteQueueSize]: number;
  [kBuffer]: Uint8Array | true | null;
  [kBufferCallback]: ((length: number, buffer: Uint8Array) => unknown) | null;
  [kBufferGenerator]: (() => Uint8Array) | null;
  [kNoDelay]: boolean;
  [kKeepAlive]: boolean;
  [kKeepAliveInitialDelay]: number;
  [kKeepAliveInterval]?: number | undefined;
  [kKeepAliveCount]?: number | undefined;
  [kTypeOfService]?: number | undefined;
  [kBytesRead]: number;
  [kBytesWritten]: number;
  [kBound]?: { path: string | undefined };
  [kAfterAsyncWrite](): void;
  [kReinitializeHandle](handle: Handle): void;

  connect(...values: unknown[]): this;
  destroySoon(): void;
  setTimeout(milliseconds: number, callback?: () => void): this;
  _undestroy(): void;
  _unrefTimer(): void;
  _onTimeout(): void;
  _reset(): this;
  _getpeername(): Partial<Address>;
  _getsockname(): Partial<Address>;
  _writeGeneric(
    many: boolean,
    data: Buffer | string | Chunks,
    encoding: BufferEncoding | '' | 'buffer',
    callback: Callback,
  ): boolean | undefined;
}
