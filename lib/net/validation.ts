/**
 * Checks of arguments and options, which throw Node's errors synchronously. Every file of lib/net may call them.
 * Each takes the value and the name under which the message speaks of it.
 */
import {
  ERR_INVALID_ARG_TYPE,
  ERR_INVALID_ARG_VALUE,
  ERR_OUT_OF_RANGE,
  ERR_SOCKET_BAD_PORT,
} from './errors';
import { BlockList } from './node-net';

export function validateBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw new ERR_INVALID_ARG_TYPE(name, 'boolean', value);
}

export function validateString(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw new ERR_INVALID_ARG_TYPE(name, 'string', value);
}

/** A NUL would end the name early for the C functions below, and so name another host. */
export function validateStringWithoutNullBytes(
  value: unknown,
  name: string,
): asserts value is string {
  validateString(value, name);
  if (value.includes('\0')) {
    throw new ERR_INVALID_ARG_VALUE(name, value, 'must be a string without null bytes');
  }
}

export function validateNumber(value: unknown, name: string): asserts value is number {
  if (typeof value !== 'number') throw new ERR_INVALID_ARG_TYPE(name, 'number', value);
}

export function validateFunction(
  value: unknown,
  name: string,
): asserts value is (...values: never[]) => unknown {
  if (typeof value !== 'function') throw new ERR_INVALID_ARG_TYPE(name, 'Function', value);
}

export function validateObject(value: unknown, name: string): asserts value is object {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new ERR_INVALID_ARG_TYPE(name, 'Object', value);
  }
}

export function validateInt32(
  value: unknown,
  name: string,
  minimum = -(2 ** 31),
  maximum = 2 ** 31 - 1,
): asserts value is number {
  validateNumber(value, name);
  if (!Number.isInteger(value)) throw new ERR_OUT_OF_RANGE(name, 'an integer', value);
  if (value < minimum || value > maximum) {
    throw new ERR_OUT_OF_RANGE(name, `>= ${minimum} && <= ${maximum}`, value);
  }
}

/** Ports may come as numbers or as numeric strings in any of JavaScript's notations. Returns the number. */
export function validatePort(port: unknown, name = 'Port'): number {
  const typed = typeof port === 'number' || (typeof port === 'string' && port.trim() !== '');
  const number = Number(typed ? port : Number.NaN);
  if (!Number.isInteger(number) || number < 0 || number > 0xffff) {
    throw new ERR_SOCKET_BAD_PORT(name, port);
  }
  return number;
}

/** `undefined` passes: the option is then not given. */
export function validateAbortSignal(
  signal: unknown,
  name: string,
): asserts signal is AbortSignal | undefined {
  if (signal === undefined) return;
  if (signal === null || typeof signal !== 'object' || !('aborted' in signal)) {
    throw new ERR_INVALID_ARG_TYPE(name, 'AbortSignal', signal);
  }
}

/** Older Nodes have no BlockList.isBlockList. */
export function validateBlockList(value: unknown, name: string): asserts value is BlockList {
  if (!(value instanceof BlockList)) throw new ERR_INVALID_ARG_TYPE(name, 'net.BlockList', value);
}

/** The longest delay that a timer can have, in milliseconds. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/**
 * Checks a delay in milliseconds, and returns it. One that no timer can hold becomes the longest that one can,
 * with a warning.
 */
export function validateTimerDuration(milliseconds: unknown, name: string): number {
  validateNumber(milliseconds, name);
  if (milliseconds < 0 || !Number.isFinite(milliseconds)) {
    throw new ERR_OUT_OF_RANGE(name, 'a non-negative finite number', milliseconds);
  }
  if (milliseconds <= LONGEST_TIMEOUT) return milliseconds;
  process.emitWarning(
    `${milliseconds} does not fit into a 32-bit signed integer.` +
      `\nTimer duration was truncated to ${LONGEST_TIMEOUT}.`,
    'TimeoutOverflowWarning',
  );
  return LONGEST_TIMEOUT;
}
