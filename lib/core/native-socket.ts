/**
 * One native socket as JavaScript holds it: taken from the kernel once (attach, bind, connect), given
 * up once (close, reset, detach), named by slot and generation in between. Also its names, its
 * options and its say in whether the loop goes on. The base of Handle, which adds bytes and events.
 */

import { AsyncResource } from 'node:async_hooks';
import type { NameOut } from './addon';
import { causedBy } from './async-cause';
import { Command, command } from './command-writer';
import { core } from './environment';
import { type EventReceiver, register, unregister } from './event-dispatcher';
import { Activity, activitiesChanged } from './liveness';
import { type ConnectRequest, PendingRequest } from './pending-request';
import { type AccessDenied, refusal } from './permission';
import type { SocketDetails } from './reports';

export type Kind = 'tcp' | 'pipe';

export interface Address {
  address: string;
  family: 'IPv4' | 'IPv6';
  port: number;
}

/** As enum Family of src-native/protocol/protocol_switch.h. */
const Family = { tcp4: 0, tcp6: 1, local: 2 } as const;

/** As enum Option of src-native/protocol/protocol.h. */
const Option = {
  noDelay: 0,
  keepAlive: 1,
  keepAliveDelay: 2,
  keepAliveInterval: 3,
  keepAliveCount: 4,
  typeOfService: 5,
  pathMode: 7,
} as const;

/** As enum Header of src-native/core/shared_memory.h. */
const RESULT_SLOT = 5;
const RESULT_GENERATION = 6;

export const EBADF = -9;
export const EINVAL = -22;
export const ENOTCONN = -107;

const providers = {
  tcp: { socket: 'TCPWRAP', server: 'TCPSERVERWRAP' },
  pipe: { socket: 'PIPEWRAP', server: 'PIPESERVERWRAP' },
} as const;

/** unattached → attached → closing → closed; unattached → closing without ever attaching. */
export type Phase = 'unattached' | 'attached' | 'closing' | 'closed';

export abstract class NativeSocket extends AsyncResource implements EventReceiver {
  kind: Kind;
  owner: unknown = undefined;
  /**
   * Whether the owner reads. Node's own modules set it before they call readStart and readStop, as it
   * is a plain field of Node's handles; what the core was told is `receiving`.
   */
  reading = false;
  generation = 0;

  protected slot = -1;
  protected phase: Phase = 'unattached';
  protected connecting: PendingRequest | undefined = undefined;

  /** Where events run: in this handle's own async context, until asyncReset() gives it another. */
  protected context: AsyncResource = this;
  private activities: number = Activity.referenced;
  /** Set before there is a socket to set them on: option, value, option, value … */
  private earlyOptions: number[] | undefined = undefined;
  private boundPath: string | undefined = undefined;

  /** `listenerAsyncId` is what caused an accepted socket; others are caused by whoever makes them. */
  constructor(kind: Kind, role: 'socket' | 'server', listenerAsyncId?: number) {
    super(providers[kind][role], causedBy(listenerAsyncId));
    this.kind = kind;
  }

  abstract dispatch(event: number, first: number, second: number): void;
  /** Whether a write or a shutdown is under way. */
  protected abstract sends(): boolean;

  /** Between a successful attach and close or detach. */
  get attached(): boolean {
    return this.phase === 'attached';
  }

  // --- taking a socket; 0 or a negative errno. Binding throws what Node's permission model refuses

  /** Adopts a descriptor, which is ours if this returns 0. */
  attach(fd: number): number {
    return this.adopt(core.calls.attachExternal(fd, false));
  }

  /** Adopts a duplicate of a descriptor that stays its owner's. */
  attachDuplicate(fd: number): number {
    return this.adopt(core.calls.attachExternal(fd, true));
  }

  bindAddress(
    address: string,
    port: number,
    flags?: { ipv6Only?: boolean; reusePort?: boolean },
  ): number {
    permitBinding('');
    const error = this.ensureAttached(familyOf(address));
    if (error !== 0) return error;
    const { slot, generation } = this;
    const ipv6Only = flags?.ipv6Only === true;
    return core.calls.bind(slot, generation, address, port, ipv6Only, flags?.reusePort === true);
  }

  /** Binds a path, or an abstract name if it starts with NUL. The path goes when the handle closes. */
  bindPath(path: string): number {
    permitBinding(path);
    const error = this.ensureAttached(Family.local);
    if (error !== 0) return error;
    const result = core.calls.bind(this.slot, this.generation, path, 0, false, false);
    if (result === 0) this.boundPath = path;
    return result;
  }

  listen(backlog: number): number {
    if (!this.attached) return EINVAL;
    const error = core.calls.listen(this.slot, this.generation, backlog);
    if (error !== 0) return error;
    this.update(Activity.listening, 0);
    return 0;
  }

  /**
   * To an address and port, or a pipe to a path. The request hears the result if this returns 0. Instead of an errno
   * it may return what Node's permission model says.
   */
  connect(request: ConnectRequest, address: string, port = 0): number | AccessDenied {
    const family = this.kind === 'pipe' ? Family.local : familyOf(address);
    const error =
      refusal(address) ||
      this.ensureAttached(family) ||
      core.calls.connect(this.slot, this.generation, address, port);
    if (error !== 0) return error;
    this.connecting = new PendingRequest(
      family === Family.local ? 'PIPECONNECTWRAP' : 'TCPCONNECTWRAP',
      this,
      (status) => request.oncomplete(status),
    );
    this.updateRequests();
    return 0;
  }

  /** Takes a socket that the core has made: by a call, or as an accepted connection. */
  take(slot: number, generation: number): void {
    this.slot = slot;
    this.generation = generation;
    this.phase = 'attached';
    register(slot, this);
    if (this.earlyOptions === undefined) return;
    for (let index = 0; index < this.earlyOptions.length; index += 2) {
      this.option(this.earlyOptions[index] as number, this.earlyOptions[index + 1] as number);
    }
    this.earlyOptions = undefined;
  }

  /** The socket is no more, or somebody else's: its name means nothing from here. */
  protected leave(): void {
    unregister(this.slot, this);
    this.phase = 'closed';
    this.reading = false;
    this.connecting = undefined;
    this.update(0, ~Activity.referenced);
    this.context.emitDestroy();
  }

  // --- what it is

  get fd(): number {
    return this.attached ? core.calls.resource(this.slot, this.generation) : -1;
  }

  /** All that the core knows of the socket; null when it carries none. */
  details(): SocketDetails | null {
    return core.calls.inspect(this.slot, this.generation);
  }

  getsockname(out: Partial<Address>): number {
    return this.name(core.calls.localName, out);
  }

  getpeername(out: Partial<Address>): number {
    return this.name(core.calls.peerName, out);
  }

  /** The path that bindPath() bound. */
  path(): string | undefined {
    return this.boundPath;
  }

  getAsyncId(): number {
    return this.context.asyncId();
  }

  /** The name under which async_hooks know sockets of this kind; Node's handles tell its number. */
  getProviderType(): string {
    return providers[this.kind].socket;
  }

  /**
   * The socket serves somebody else from here, as one that an http.Agent keeps alive: its events run
   * in a new async context, made by the caller's. What the caller tells of it, as Node's agent tells which handle is
   * used again, async hooks find on the context's resource.
   */
  asyncReset(resource?: object): void {
    this.context.emitDestroy();
    const context = new AsyncResource(this.getProviderType(), causedBy(undefined));
    this.context = Object.assign(context, resource);
  }

  // --- options; those set before there is a socket take effect when there is one

  chmod(mode: number): number {
    if (!this.attached) return EBADF;
    return core.calls.setOption(this.slot, this.generation, Option.pathMode, mode);
  }

  setNoDelay(on: boolean): number {
    return this.option(Option.noDelay, on ? 1 : 0);
  }

  setKeepAlive(on: boolean, initialDelaySeconds: number, intervalSeconds = 0, count = 0): number {
    if (on && initialDelaySeconds > 0) this.option(Option.keepAliveDelay, initialDelaySeconds);
    if (on && intervalSeconds > 0) this.option(Option.keepAliveInterval, intervalSeconds);
    if (on && count > 0) this.option(Option.keepAliveCount, count);
    return this.option(Option.keepAlive, on ? 1 : 0);
  }

  setTypeOfService(value: number): number {
    if (!this.attached) return EBADF;
    return core.calls.setOption(this.slot, this.generation, Option.typeOfService, value);
  }

  /** The value, or a negative errno. */
  getTypeOfService(): number {
    if (!this.attached) return EBADF;
    return core.calls.option(this.slot, this.generation, Option.typeOfService);
  }

  // --- the loop

  ref(): void {
    this.update(Activity.referenced, 0);
  }

  unref(): void {
    this.update(0, Activity.referenced);
  }

  hasRef(): boolean {
    return this.is(Activity.referenced) && this.phase !== 'closed';
  }

  protected is(activity: number): boolean {
    return (this.activities & activity) !== 0;
  }

  protected update(begun: number, ended: number): void {
    const before = this.activities;
    this.activities = (before & ~ended) | begun;
    activitiesChanged(before, this.activities);
  }

  /** After each change of what the handle has asked the core for. */
  protected updateRequests(): void {
    const { requesting } = Activity;
    if (this.connecting !== undefined || this.sends()) this.update(requesting, 0);
    else this.update(0, requesting);
  }

  // --- parts

  private adopt(result: number): number {
    if (result < 0) return result;
    this.kind = result === Family.local ? 'pipe' : 'tcp';
    const { control } = core;
    this.take(control[RESULT_SLOT] as number, control[RESULT_GENERATION] as number);
    return 0;
  }

  private ensureAttached(family: number): number {
    if (this.attached) return 0;
    return this.phase === 'unattached' ? this.adopt(core.calls.attach(family)) : EBADF;
  }

  private name(
    ask: (slot: number, generation: number, out: NameOut) => number,
    out: Partial<Address>,
  ): number {
    if (!this.attached) return EBADF;
    const named: NameOut = {};
    const error = ask(this.slot, this.generation, named);
    // A path is no address in Node's sense.
    if (error === 0 && named.family !== undefined) Object.assign(out, named);
    return error;
  }

  private option(option: number, value: number): number {
    if (this.attached) command(Command.option, this.slot, this.generation, option, value, 0);
    else if (this.phase !== 'unattached') return EBADF;
    else if (this.earlyOptions === undefined) this.earlyOptions = [option, value];
    else this.earlyOptions.push(option, value);
    return 0;
  }
}

function permitBinding(resource: string): void {
  const refused = refusal(resource);
  if (refused !== undefined) throw refused;
}

function familyOf(address: string): number {
  return address.includes(':') ? Family.tcp6 : Family.tcp4;
}
