/**
 * The consumer of one native socket: what `socket._handle` and `server._handle` are. Turns calls
 * into commands and events into callbacks of its owner; knows nothing of streams. Created by
 * lib/net, and here for accepted connections. A callback of the owner runs in the handle's async
 * context, that of a request in the request's own.
 */

import { arrived, arrivedInTurn } from './arrivals';
import { Command, command, isExiting, turn, turnAway } from './command-writer';
import { core } from './environment';
import { copyReceived, Event, takeUndelivered } from './event-dispatcher';
import { Activity } from './liveness';
import { EBADF, EINVAL, ENOTCONN } from './native-socket';
import { type Done, finishAll, PendingRequest } from './pending-request';
import { ReadingSocket } from './reading-socket';
import {
  bytesOf,
  copy,
  encode,
  encodeTogether,
  longestEncoding,
  longestTogether,
  type Piece,
  sendWritten,
  smallWrite,
} from './transmit-memory';

export type { Address, Kind } from './native-socket';
export type { ConnectRequest, Done } from './pending-request';
export type { AccessDenied } from './permission';

/** One shared object of functions for all sockets, and one for all servers. */
export interface Receiver {
  /** The buffer is fresh: nobody else uses it. */
  received?(handle: Handle, data: Buffer): void;
  /** The peer has sent its FIN. */
  ended?(handle: Handle): void;
  /** The connection failed outside any Done. */
  failed?(handle: Handle, errno: number, syscall: 'read' | 'write'): void;
  /** The child is connected, does not read, and has no owner yet. */
  accepted?(listener: Handle, child: Handle): void;
  acceptFailed?(listener: Handle, errno: number): void;
}

const ECANCELED = -125;

/**
 * Once a socket has written this many bytes in a turn of the loop, its writes are awaited: a producer that never
 * pauses must not keep the loop from the other sockets. What arrived in the turn may leave in it besides, so that a
 * relay need not stop receiving.
 */
const takenPerTurn = 64 * 1024;

const noReceiver: Receiver = {};

export class Handle extends ReadingSocket {
  receiver: Receiver = noReceiver;
  bytesWritten = 0;
  /** The owner's: what it has to call when the write that is under way is through; null when none is. */
  writeCallback: ((error: Error | null) => void) | null = null;

  private blocked = false;
  private takenTurn = -1;
  private taken = 0;
  /** Whether the last write that might have been taken was too much for its turn. */
  private limited = false;
  /** Writes whose end is to be reported, in order. */
  private writing: PendingRequest[] | undefined = undefined;
  private shuttingDown: PendingRequest | undefined = undefined;
  private isShut = false;
  private closed: (() => void) | undefined = undefined;

  /** Bytes written that the kernel has not taken. */
  get writeQueueSize(): number {
    return this.attached ? core.calls.outgoingSize(this.slot, this.generation) : 0;
  }

  // --- writing

  /**
   * Writes bytes or text. True: taken, as by a kernel buffer that has room, and `done` is not
   * called. False: `done` is called once the bytes have left.
   */
  write(data: Uint8Array | string, encoding: BufferEncoding | undefined, done: Done): boolean {
    if (!this.attached) return this.refuse(done);
    if (typeof data !== 'string') return this.writeBytes(data, done);
    const charset = encoding ?? 'utf8';
    const longest = longestEncoding(data.length, charset);
    if (longest > smallWrite) return this.writeBytes(Buffer.from(data, charset), done);
    return this.writeSmall(encode(data, charset, longest), done);
  }

  /** Writes several pieces as one, for which `done` is called once. */
  writev(pieces: readonly Piece[], done: Done): boolean {
    if (!this.attached) return this.refuse(done);
    const longest = longestTogether(pieces);
    if (longest <= smallWrite) return this.writeSmall(encodeTogether(pieces, longest), done);
    const all = pieces.map(bytesOf);
    if (all.every(({ length }) => length <= smallWrite)) {
      return this.writeBytes(Buffer.concat(all), done);
    }
    let length = 0;
    for (const bytes of all) length += this.append(bytes);
    return this.sendAppended(length, done);
  }

  /** Whether a write waits for the sake of the turn's limit alone: the kernel has had room so far. */
  get holdsBack(): boolean {
    return this.limited && this.writes() && !this.blocked;
  }

  /**
   * Before a close: sends at once, as far as the kernel takes it, what is held back and what the stream has behind that.
   * Nobody is told of its end.
   */
  writeRest(pieces: readonly Piece[]): void {
    if (!this.attached) return;
    for (const piece of pieces) this.bytesWritten += this.append(bytesOf(piece));
    core.calls.sendAppended(this.slot, this.generation, true);
  }

  /** Before the process ends: what was held back has been sent, and whoever waits behind it goes on. */
  endHeldWrite(): void {
    this.finishWrites(0, 1);
  }

  /** Sends FIN after everything written so far. -ENOTCONN where there is no connection to send it on, or none any more. */
  shutdown(done: Done): number {
    if (this.phase === 'unattached' || this.isShut) return ENOTCONN;
    if (!this.attached) return EBADF;
    this.isShut = true;
    this.shuttingDown = new PendingRequest('SHUTDOWNWRAP', this, done);
    command(Command.shutdown, this.slot, this.generation, 0, 0, 0);
    this.updateRequests();
    return 0;
  }

  /** What was taken and has not left is under way, too. */
  protected sends(): boolean {
    return this.writes() || this.shuttingDown !== undefined || (this.blocked && this.attached);
  }

  // --- giving the socket up

  /** `done` is called when the descriptor is closed. A second close changes nothing. */
  close(done?: () => void): void {
    this.beginClose(0, done);
  }

  /** Closes with a reset instead of a FIN. -EINVAL while a shutdown is under way. */
  reset(done?: () => void): number {
    if (this.shuttingDown !== undefined) return EINVAL;
    this.beginClose(1, done);
    return 0;
  }

  /**
   * The descriptor leaves: its new owner also gets what was received and not delivered (head) and
   * what was written and not sent (tail). No callback that is still due is called.
   */
  detach(): { fd: number; head: Buffer[]; tail: Buffer[] } {
    const head = this.heldBytes();
    head.push(...takeUndelivered(this.slot, this.generation));
    const out: { head: Buffer[]; tail: Buffer[] } = { head: [], tail: [] };
    const fd = core.calls.detach(this.slot, this.generation, out);
    for (const request of this.takeWaiting()) request.emitDestroy();
    this.leave();
    return { fd, head: head.concat(out.head), tail: out.tail };
  }

  // --- events, from the event dispatcher

  /** What nobody waits for, and what a request answers in its own async context, needs none of the handle. */
  dispatch(event: number, first: number, second: number): void {
    switch (event) {
      case Event.connection:
        this.accept(first, second);
        return;
      case Event.connected: {
        const request = this.connecting;
        this.connecting = undefined;
        this.updateRequests();
        request?.finish(first);
        return;
      }
      case Event.written:
        this.finishWrites(first, second);
        return;
      case Event.shutDown: {
        const request = this.shuttingDown;
        this.shuttingDown = undefined;
        this.updateRequests();
        request?.finish(first);
        return;
      }
      case Event.blocked:
      case Event.unblocked:
        this.blocked = event === Event.blocked;
        this.updateRequests();
        return;
      case Event.closed:
        this.finishClose();
        return;
      case Event.data:
        arrived(second);
        this.receive(event, copyReceived(first, second), 0);
        return;
      case Event.end:
      case Event.receiveFailed:
        this.update(Activity.ended, 0);
        this.receive(event, undefined, first);
        return;
      default:
        this.context.runInAsyncScope(this.deliverFailure, this, event, first);
    }
  }

  private deliverFailure(event: number, errno: number): void {
    if (event === Event.acceptFailed) this.receiver.acceptFailed?.(this, errno);
    else this.receiver.failed?.(this, errno, 'write');
  }

  /** The child is made outside of the listener's async context, which therefore ends with 'accepted'. */
  private accept(slot: number, generation: number): void {
    // The batch was made before this listener closed.
    if (!this.attached) {
      turnAway(slot, generation);
      return;
    }
    const child = new Handle(this.kind, 'socket', this.getAsyncId());
    child.take(slot, generation);
    this.context.runInAsyncScope(this.deliverAccepted, this, child);
  }

  private deliverAccepted(child: Handle): void {
    this.receiver.accepted?.(this, child);
  }

  protected deliver(event: number, data: Buffer | undefined, errno: number): void {
    if (data !== undefined) {
      this.receiver.received?.(this, data);
    } else if (event === Event.end) {
      this.receiver.ended?.(this);
    } else {
      this.receiver.failed?.(this, errno, 'read');
    }
  }

  // --- parts

  private writes(): boolean {
    return this.writing !== undefined && this.writing.length > 0;
  }

  /** Whether `size` more bytes may be taken at once. */
  private mayTake(size: number): boolean {
    if (isExiting()) return true;
    if (this.blocked || this.writes()) return false;
    if (this.takenTurn !== turn()) {
      this.takenTurn = turn();
      this.taken = 0;
    }
    const before = this.taken;
    this.taken += size;
    this.limited = before >= takenPerTurn + arrivedInTurn();
    return !this.limited;
  }

  /** Sends what the transmit memory has just got. */
  private writeSmall(length: number, done: Done): boolean {
    const notify = !this.mayTake(length);
    sendWritten(this.slot, this.generation, length, notify);
    return this.wrote(length, notify, done);
  }

  private writeBytes(bytes: Uint8Array, done: Done): boolean {
    if (bytes.length <= smallWrite) return this.writeSmall(copy(bytes), done);
    return this.sendAppended(this.append(bytes), done);
  }

  /** Queues a piece of a write that is too large to be copied as a whole, and returns its length. */
  private append(bytes: Uint8Array): number {
    const { slot, generation } = this;
    if (bytes.length <= smallWrite) sendWritten(slot, generation, copy(bytes), false);
    else core.calls.appendPinned(slot, generation, bytes);
    return bytes.length;
  }

  private sendAppended(length: number, done: Done): boolean {
    const now = this.mayTake(length);
    const allLeft = core.calls.sendAppended(this.slot, this.generation, now) === 1;
    return this.wrote(length, !allLeft, done);
  }

  private wrote(length: number, notify: boolean, done: Done): boolean {
    this.bytesWritten += length;
    if (notify) {
      this.writing ??= [];
      this.writing.push(new PendingRequest('WRITEWRAP', this, done));
      this.updateRequests();
    }
    return !notify;
  }

  private finishWrites(errno: number, count: number): void {
    const finished = this.writing?.splice(0, count);
    this.updateRequests();
    if (finished !== undefined) finishAll(finished, errno);
  }

  private refuse(done: Done): boolean {
    const request = new PendingRequest('WRITEWRAP', this, done);
    setImmediate(() => request.finish(EBADF));
    return false;
  }

  private beginClose(reset: number, done: (() => void) | undefined): void {
    if (this.phase === 'closing' || this.phase === 'closed') return;
    const wasAttached = this.attached;
    this.phase = 'closing';
    this.reading = false;
    this.update(Activity.closing, Activity.receiving);
    this.closed = done;
    if (wasAttached) {
      command(Command.close, this.slot, this.generation, reset, 0, 0);
      // A program may bind the name again, or look for the path, once it has closed what had it.
      if (this.is(Activity.listening) || this.path() !== undefined) core.calls.settle();
    } else {
      setImmediate(() => this.finishClose());
    }
  }

  private finishClose(): void {
    const waiting = this.sends() || this.connecting !== undefined ? this.takeWaiting() : undefined;
    this.leave();
    try {
      if (waiting !== undefined) finishAll(waiting, ECANCELED);
    } finally {
      if (this.closed !== undefined) this.context.runInAsyncScope(this.closed);
    }
  }

  /** Whoever still waits for an answer, in the order in which they asked. */
  private takeWaiting(): PendingRequest[] {
    const waiting = this.writing?.splice(0) ?? [];
    if (this.connecting !== undefined) waiting.unshift(this.connecting);
    if (this.shuttingDown !== undefined) waiting.push(this.shuttingDown);
    this.connecting = undefined;
    this.shuttingDown = undefined;
    return waiting;
  }
}
