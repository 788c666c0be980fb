/**
 * Happy eyeballs (RFC 8305, in the form of Node's documentation, option autoSelectFamily): the addresses of a host
 * are tried one after another, families in turn, each for a limited time; the first connection that stands wins.
 */
import { constants } from 'node:os';
import { Handle } from '../core/handle';
import {
  type Attempt,
  attemptError,
  attemptOf,
  bindLocal,
  connected,
  isBlocked,
  refusedError,
  startConnecting,
} from './connect-attempt';
import { measureConnect } from './connect-performance';
import { ConnectAggregateError, ERR_IP_BLOCKED, ERR_SOCKET_CONNECTION_TIMEOUT } from './errors';
import { isIP } from './node-net';
import type { Destination } from './socket-connect';
import { kReinitializeHandle, type SocketFields } from './socket-fields';

/** One of the addresses that the lookup found. */
export interface Candidate {
  address: string;
  family: 4 | 6;
}

/**
 * The addresses to try: each once, families alternating, the family of the first address first. What is no address
 * is left out.
 */
export function selectCandidates(found: { address: unknown; family: unknown }[]): Candidate[] {
  const byFamily: Record<4 | 6, Set<string>> = { 4: new Set(), 6: new Set() };
  let preferred: 4 | 6 | undefined;
  for (const { address, family } of found) {
    if ((family !== 4 && family !== 6) || typeof address !== 'string' || !isIP(address)) continue;
    preferred ??= family;
    byFamily[family].add(address);
  }
  if (preferred === undefined) return [];
  const other = preferred === 4 ? 6 : 4;
  const preferredAddresses = [...byFamily[preferred]];
  const otherAddresses = [...byFamily[other]];
  const candidates: Candidate[] = [];
  for (let i = 0; i < Math.max(preferredAddresses.length, otherAddresses.length); i++) {
    const first = preferredAddresses[i];
    const second = otherAddresses[i];
    if (first !== undefined) candidates.push({ address: first, family: preferred });
    if (second !== undefined) candidates.push({ address: second, family: other });
  }
  return candidates;
}

/** The state of one connect() with several candidates. */
interface Selection {
  readonly socket: SocketFields;
  readonly destination: Destination;
  readonly candidates: Candidate[];
  /** Milliseconds. */
  readonly attemptTimeout: number;
  readonly errors: Error[];
  next: number;
  /** That of the attempt under way. When the socket has another one, this connect() is over. */
  handle: Handle;
}

/** A listener may have destroyed the socket, and even have it connect again: no attempt revives it. */
function isOver({ socket, handle }: Selection): boolean {
  return !socket.connecting || socket._handle !== handle;
}

/** Tries the candidates in turn. When all have failed the socket is destroyed with all their errors. */
export function attemptFamilies(
  socket: SocketFields,
  destination: Destination,
  candidates: Candidate[],
  attemptTimeout: number,
): void {
  socket.autoSelectFamilyAttemptedAddresses = [];
  attemptNext({
    socket,
    destination: { ...destination, localAddress: undefined },
    candidates,
    attemptTimeout,
    errors: [],
    next: 0,
    handle: socket._handle as Handle,
  });
}

function attemptNext(selection: Selection): void {
  const { socket, candidates } = selection;
  if (socket._aborted || isOver(selection)) return;
  const index = selection.next;
  const candidate = candidates[index];
  if (!candidate) {
    giveUp(selection);
    return;
  }
  selection.next++;
  // The handle of an attempt that failed is spent; each further attempt has one of its own.
  if (index > 0) {
    selection.handle = new Handle('tcp', 'socket');
    socket[kReinitializeHandle](selection.handle);
  }
  startAttempt(selection, attemptOf(selection.destination, candidate.address, candidate.family));
}

function startAttempt(selection: Selection, attempt: Attempt): void {
  const { socket, candidates, attemptTimeout, errors } = selection;
  const { address, port, family } = attempt;
  const { handle } = selection;
  const failure = bindLocal(handle, attempt);
  if (failure) {
    errors.push(failure);
    attemptNext(selection);
    return;
  }
  if (isBlocked(socket, attempt)) {
    failAttempt(selection, attempt, new ERR_IP_BLOCKED(address));
    return;
  }
  socket.emit('connectionAttempt', address, port, family);
  if (isOver(selection)) return;
  socket.autoSelectFamilyAttemptedAddresses?.push(`${address}:${port}`);
  const measure = measureConnect(address, port);
  let timer: NodeJS.Timeout | undefined;
  let expired = false;
  const oncomplete = (status: number): void => {
    clearTimeout(timer);
    if (status === 0) {
      if (socket._handle === handle && !socket.destroyed) connected(socket, handle, measure);
      return;
    }
    // That its time is up has been told. An attempt that ends with its socket is one that failed.
    if (expired) return;
    const error = attemptError(attempt, status);
    errors.push(error);
    socket.emit('connectionAttemptFailed', address, port, family, error);
    if (isOver(selection)) return;
    if (status === -constants.errno.ECANCELED) giveUp(selection);
    else attemptNext(selection);
  };
  const errno = startConnecting(handle, attempt, { oncomplete });
  if (errno) {
    failAttempt(selection, attempt, refusedError(socket, attempt, errno));
  } else if (selection.next < candidates.length) {
    timer = setTimeout(() => {
      expired = true;
      expireAttempt(selection, attempt);
    }, attemptTimeout);
  }
}

function failAttempt(selection: Selection, attempt: Attempt, error: Error): void {
  const { socket, errors } = selection;
  errors.push(error);
  socket.emit('connectionAttemptFailed', attempt.address, attempt.port, attempt.family, error);
  attemptNext(selection);
}

/** The attempt had its time: it is given up and the next one starts. */
function expireAttempt(selection: Selection, attempt: Attempt): void {
  if (isOver(selection)) return;
  const { socket, errors, handle } = selection;
  const { address, port, family } = attempt;
  socket.emit('connectionAttemptTimeout', address, port, family);
  errors.push(attemptError(attempt, -constants.errno.ETIMEDOUT));
  handle.close();
  attemptNext(selection);
}

function giveUp({ socket, errors }: Selection): void {
  socket.destroy(
    errors.length === 0 ? new ERR_SOCKET_CONNECTION_TIMEOUT() : new ConnectAggregateError(errors),
  );
}
