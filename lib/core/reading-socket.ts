/**
 * The reading half of a handle: starts and stops the core's receiving, and brings what was received to its owner in
 * order, whatever came while nobody was reading first. The base of Handle, which knows the owner.
 */
import { Command, command } from './command-writer';
import { Event, runTicks } from './event-dispatcher';
import { Activity } from './liveness';
import { EBADF, NativeSocket } from './native-socket';

/** An event that came while nobody was reading, or bytes that the owner has given back. */
interface HeldEvent {
  readonly event: number;
  readonly data: Buffer | undefined;
  readonly errno: number;
}

export abstract class ReadingSocket extends NativeSocket {
  /** Bytes that the owner has got. */
  bytesRead = 0;

  private held: HeldEvent[] | undefined = undefined;

  /** Tells the owner, in the handle's async context. */
  protected abstract deliver(event: number, data: Buffer | undefined, errno: number): void;

  readStart(): number {
    if (!this.attached) return EBADF;
    this.reading = true;
    if (this.is(Activity.receiving)) return 0;
    command(Command.receive, this.slot, this.generation, 1, 0, 0);
    this.update(Activity.receiving, 0);
    if (this.held !== undefined) this.deliverHeldLater();
    return 0;
  }

  readStop(): number {
    if (!this.attached) return EBADF;
    this.reading = false;
    if (!this.is(Activity.receiving)) return 0;
    command(Command.receive, this.slot, this.generation, 0, 0, 0);
    this.update(0, Activity.receiving);
    return 0;
  }

  /** For an owner who has no room: the bytes come again before all others, when the ticks of this event have run. */
  unread(data: Buffer): void {
    this.bytesRead -= data.length;
    this.held ??= [];
    this.held.unshift({ event: Event.data, data, errno: 0 });
  }

  /** What was received and is still to be delivered. */
  protected heldBytes(): Buffer[] {
    return (this.held ?? []).flatMap(({ data }) => (data === undefined ? [] : [data]));
  }

  protected receive(event: number, data: Buffer | undefined, errno: number): void {
    if (this.is(Activity.receiving) && this.held === undefined) {
      this.deliverNow(event, data, errno);
      this.deliverHeld();
    } else {
      this.held ??= [];
      this.held.push({ event, data, errno });
    }
  }

  private deliverNow(event: number, data: Buffer | undefined, errno: number): void {
    if (data !== undefined) this.bytesRead += data.length;
    try {
      this.context.runInAsyncScope(this.deliver, this, event, data, errno);
    } catch (error) {
      // The process hears of it first.
      if (this.held !== undefined) this.deliverHeldLater();
      throw error;
    }
  }

  /** When the kernel's bytes would come, which is after the ticks of this turn. */
  private deliverHeldLater(): void {
    setImmediate(() => this.deliverHeld());
  }

  private deliverHeld(): void {
    while (this.is(Activity.receiving) && this.held !== undefined) {
      // Those of the event before, as between two events of the core.
      runTicks();
      const next = this.is(Activity.receiving) ? this.held?.shift() : undefined;
      if (next === undefined) return;
      if (this.held?.length === 0) this.held = undefined;
      this.deliverNow(next.event, next.data, next.errno);
    }
  }
}
