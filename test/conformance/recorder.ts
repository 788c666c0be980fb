/**
 * Records what a scenario can see of a `net`: for each object that is watched one lane of lines, with every event in
 * order, its arguments, and the properties that have changed since the line before. Objects have lanes of their own
 * because the kernel decides in which order two sockets hear of things, and nobody else may.
 *
 * Ports, paths and sizes of the moment are masked, so the lanes of two runs are equal when the behaviour is.
 */
import type { EventEmitter } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';

export type Net = typeof net;
export type Lanes = Record<string, string[]>;

/** What soref's servers emit beside Node's events. */
const ADDED_EVENTS = new Set<string | symbol>(['attach', 'detach']);
/** What the recorder's own listeners would cause. */
const OF_LISTENERS = new Set<string | symbol>(['newListener', 'removeListener']);

const SOCKET_PROPERTIES = [
  'connecting',
  'pending',
  'readyState',
  'destroyed',
  'closed',
  'errored',
  'readable',
  'writable',
  'readableFlowing',
  'readableEnded',
  'readableAborted',
  'readableLength',
  'readableHighWaterMark',
  'writableEnded',
  'writableFinished',
  'writableLength',
  'writableHighWaterMark',
  'writableNeedDrain',
  'writableCorked',
  'bytesRead',
  'bytesWritten',
  'bufferSize',
  'timeout',
  'allowHalfOpen',
  'localAddress',
  'localPort',
  'localFamily',
  'remoteAddress',
  'remotePort',
  'remoteFamily',
  'autoSelectFamilyAttemptedAddresses',
] as const;

const SERVER_PROPERTIES = [
  'listening',
  'maxConnections',
  'dropMaxConnection',
  'allowHalfOpen',
  'pauseOnConnect',
  'noDelay',
  'keepAlive',
  'keepAliveInitialDelay',
  'highWaterMark',
  '_connections',
  '_connectionKey',
  '_pipeName',
] as const;

// Where the kernel takes its own ports from (ip(7), ip_local_port_range), which no scenario's figures may touch.
const EPHEMERAL = /\b(3[2-9]\d{3}|[45]\d{4}|60\d{3})\b/g;

/** An emitter is a server if it listens and no stream. */
function isServer(emitter: EventEmitter): boolean {
  return 'listening' in emitter;
}

/** On the loopback all that was sent has arrived; some turns of the loop later it has been heard of. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setTimeout(resolve, 5));
}

interface Watched {
  name: string;
  closed: boolean;
  muted: boolean;
  before: Map<string, string>;
}

export class Recorder {
  readonly lanes: Lanes = {};
  readonly #watched = new Map<object, Watched>();
  readonly #words = new Map<string, string>();
  readonly #endings: (() => void)[] = [];
  #folder: string | undefined;

  /** A line that is no event: a step that the scenario takes, or what a call returned. */
  note(lane: string, ...values: unknown[]): void {
    this.#write(lane, values.map((value) => this.#show(value)).join(' '));
  }

  /** Records what a call returns or throws. */
  attempt<Result>(lane: string, label: string, call: () => Result): Result | undefined {
    try {
      const result = call();
      this.note(lane, label, 'returned', result);
      return result;
    } catch (error) {
      this.note(lane, label, 'threw', error);
      return undefined;
    }
  }

  /** Gives an object a lane, in which all its events appear. Errors that nobody listens to end there. */
  watch<Emitter extends EventEmitter>(name: string, emitter: Emitter): Emitter {
    const watched: Watched = { name, closed: false, muted: false, before: new Map() };
    this.#watched.set(emitter, watched);
    const emit = emitter.emit;
    const record = (event: string | symbol, values: unknown[]): void => {
      if (event === 'close') watched.closed = true;
      // Sockets connect again, and servers listen again.
      if (event === 'connect' || event === 'listening') watched.closed = false;
      if (
        watched.muted ||
        OF_LISTENERS.has(event) ||
        (isServer(emitter) && ADDED_EVENTS.has(event))
      )
        return;
      const shown = values.map((value) => this.#show(value)).join(', ');
      this.#write(name, `${String(event)}(${shown})${this.#changes(emitter, watched)}`);
    };
    emitter.emit = function (this: Emitter, event: string | symbol, ...values: unknown[]) {
      record(event, values);
      return emit.call(this, event, ...values);
    } as Emitter['emit'];
    emitter.on('error', () => {});
    return emitter;
  }

  /** Which properties differ from those that the object's last line showed. */
  state(emitter: EventEmitter, label = 'state'): void {
    const watched = this.#watched.get(emitter);
    if (!watched) throw new Error('only a watched object has a lane for its state');
    this.#write(watched.name, `${label}${this.#changes(emitter, watched)}`);
  }

  /** Records no more events of an object: for what the kernel cuts in pieces as it likes. */
  mute(emitter: EventEmitter): void {
    const watched = this.#watched.get(emitter);
    if (watched) watched.muted = true;
  }

  /** Calls a number or a piece of text by a word from now on, wherever it appears. */
  call(value: number | string, word: string): void {
    this.#words.set(String(value), word);
  }

  /** A path for a Unix socket, in a folder that goes when the scenario has ended. */
  path(name: string): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), 'parity-'));
    this.call(this.#folder, '<folder>');
    return join(this.#folder, name);
  }

  /** Something to undo when the scenario has ended, however it ends. */
  atEnd(undo: () => void): void {
    this.#endings.push(undo);
  }

  /** Lets happen what is on its way, closes what is open then, and waits until all have said 'close'. */
  async finish(): Promise<void> {
    await settle();
    const open = [...this.#watched].filter(([, { closed }]) => !closed) as [
      EventEmitter,
      Watched,
    ][];
    const closing = open.map(
      ([emitter]) => new Promise((resolve) => emitter.once('close', resolve)),
    );
    for (const [emitter, { name, muted }] of open) {
      if (!muted) this.note(name, isServer(emitter) ? 'close it' : 'destroy it');
      if (isServer(emitter)) (emitter as net.Server).close();
      else (emitter as net.Socket).destroy();
    }
    await Promise.all(closing);
    // What must not follow 'close' would be seen here.
    await settle();
  }

  /** Called last, however the scenario ended. */
  dispose(): void {
    for (const undo of this.#endings) undo();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #write(lane: string, line: string): void {
    let masked = line;
    for (const [text, word] of this.#words) masked = masked.replaceAll(text, word);
    this.lanes[lane] ??= [];
    this.lanes[lane].push(masked.replace(EPHEMERAL, '<port>'));
  }

  #changes(emitter: EventEmitter, { before }: Watched): string {
    const properties = isServer(emitter) ? SERVER_PROPERTIES : SOCKET_PROPERTIES;
    const changes: string[] = [];
    for (const property of properties) {
      const value = this.#show((emitter as unknown as Record<string, unknown>)[property]);
      if (before.get(property) === value) continue;
      before.set(property, value);
      changes.push(`${property}=${value}`);
    }
    return changes.length > 0 ? ` ${changes.join(' ')}` : '';
  }

  #show(value: unknown): string {
    if (typeof value === 'string') return value;
    if (typeof value === 'function') return '<function>';
    if (typeof value !== 'object' || value === null) return String(value);
    const name = this.#watched.get(value)?.name;
    if (name !== undefined) return `<${name}>`;
    if (value instanceof Error) return this.#showError(value);
    if (value instanceof Uint8Array) {
      return value.length > 64 ? `<${value.length} bytes>` : `"${Buffer.from(value).toString()}"`;
    }
    if ('emit' in value) return `<${value.constructor.name}>`;
    if (Array.isArray(value)) return `[${value.map((each) => this.#show(each)).join(', ')}]`;
    return inspect(value, { breakLength: Number.POSITIVE_INFINITY, sorted: true });
  }

  #showError(error: Error): string {
    // A stack begins with the error's name, code and message; then it tells where the code lies, which differs.
    const [head] = String(error.stack).split('\n');
    const details = [`head=${head}`];
    // All that an error carries of its own.
    for (const key of Object.getOwnPropertyNames(error).sort()) {
      if (key === 'stack' || key === 'message') continue;
      details.push(`${key}=${this.#show((error as unknown as Record<string, unknown>)[key])}`);
    }
    return `${error.name}(${error.message}; ${details.join(' ')})`;
  }
}
