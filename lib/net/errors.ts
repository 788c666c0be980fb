/**
 * The errors that lib/net throws and emits, with the code, name and message that node:net gives them
 * (Node's documentation, "Errors"). Every file of lib/net may use them; nothing else makes errors there.
 */
import { format, getSystemErrorMap, getSystemErrorName, inspect } from 'node:util';
import type { AccessDenied } from '../core/handle';

interface CodedError extends Error {
  code: string;
}
type CodedErrorConstructor<Arguments extends unknown[]> = new (...details: Arguments) => CodedError;

/** Makes `error.constructor` say Error, TypeError … : the classes here are no part of the API. */
function hide(Class: { prototype: object }, Base: unknown): void {
  Object.defineProperty(Class.prototype, 'constructor', { get: () => Base, configurable: true });
}

/** The first line of a stack is fixed when the stack is captured, so it is captured under the long name. */
function captureUnder(longName: string, error: Error, maker: NewableFunction): void {
  Object.defineProperty(error, 'name', { value: longName, configurable: true });
  Error.captureStackTrace(error, maker);
  void error.stack;
  delete (error as { name?: string }).name;
}

/**
 * Makes the class of one error code. An instance shows its base's name (`TypeError`), carries the code as
 * a property, and puts both into its stack's first line, as Node's errors do.
 */
function coded<Arguments extends unknown[]>(
  code: string,
  Base: ErrorConstructor,
  describe: (...details: Arguments) => string,
): CodedErrorConstructor<Arguments> {
  class NodeError extends Base {
    code = code;
    constructor(...details: Arguments) {
      super(describe(...details));
      captureUnder(`${Base.name} [${code}]`, this, new.target);
    }
    override toString(): string {
      return `${this.name} [${this.code}]: ${this.message}`;
    }
  }
  hide(NodeError, Base);
  return NodeError;
}

function list(items: string[], conjunction: string): string {
  if (items.length < 3) return items.join(` ${conjunction} `);
  return `${items.slice(0, -1).join(', ')}, ${conjunction} ${items.at(-1)}`;
}

/** Describes a value as the 'Received …' part of Node's messages does. */
export function received(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  switch (typeof value) {
    case 'function':
      return `function ${value.name}`;
    case 'object': {
      const maker: unknown = (value as object).constructor;
      if (maker && Object(maker) === maker && 'name' in (maker as object)) {
        return `an instance of ${(maker as { name: string }).name}`;
      }
      return inspect(value, { depth: -1 });
    }
    case 'string': {
      const short = value.length > 28 ? `${value.slice(0, 25)}...` : value;
      return `type string (${short.includes("'") ? JSON.stringify(short) : `'${short}'`})`;
    }
    case 'bigint':
      return `type bigint (${value}n)`;
    case 'number':
      return `type number (${Object.is(value, -0) ? '-0' : value})`;
    default:
      return `type ${typeof value} (${String(value)})`;
  }
}

const primitiveTypes = new Set('bigint boolean function number object string symbol'.split(' '));

function describeExpected(expected: string[]): string {
  const types: string[] = [];
  const instances: string[] = [];
  const others: string[] = [];
  for (const name of expected) {
    if (primitiveTypes.has(name) || name === 'Function' || name === 'Object') {
      types.push(name.toLowerCase());
    } else if (/^[A-Z][a-zA-Z0-9]*$/.test(name)) {
      instances.push(name);
    } else {
      others.push(name);
    }
  }
  const parts: string[] = [];
  if (types.length > 0) {
    parts.push(`${types.length > 1 ? 'one of type' : 'of type'} ${list(types, 'or')}`);
  }
  if (instances.length > 0) parts.push(`an instance of ${list(instances, 'or')}`);
  if (others.length > 1) parts.push(`one of ${list(others, 'or')}`);
  const [other] = others;
  if (others.length === 1 && other !== undefined) {
    parts.push(other.toLowerCase() === other ? other : `an ${other}`);
  }
  return parts.join(' or ');
}

/** `options.port` is a property, `port` is an argument, and 'first argument' already says what it is. */
function subject(name: string): string {
  if (name.endsWith(' argument')) return name;
  return `"${name}" ${name.includes('.') ? 'property' : 'argument'}`;
}

export const ERR_INVALID_ARG_TYPE = coded(
  'ERR_INVALID_ARG_TYPE',
  TypeError,
  (name: string, expected: string | string[], actual: unknown) =>
    `The ${subject(name)} must be ${describeExpected([expected].flat())}. Received ${received(actual)}`,
);

export const ERR_INVALID_ARG_VALUE = coded(
  'ERR_INVALID_ARG_VALUE',
  TypeError,
  (name: string, value: unknown, reason = 'is invalid') => {
    const inspected = inspect(value);
    const shown = inspected.length > 128 ? `${inspected.slice(0, 128)}...` : inspected;
    return `The ${name.includes('.') ? 'property' : 'argument'} '${name}' ${reason}. Received ${shown}`;
  },
);

/** Groups the digits of a whole number by thousands with underscores, as Node shows large numbers. */
function groupDigits(digits: string): string {
  return digits.replace(/(?<=\d)(?=(?:\d{3})+$)/g, '_');
}

export const ERR_OUT_OF_RANGE = coded(
  'ERR_OUT_OF_RANGE',
  RangeError,
  (name: string, range: string, actual: unknown) => {
    const large = Number.isInteger(actual) && Math.abs(actual as number) > 2 ** 32;
    const shown = large ? groupDigits(String(actual)) : inspect(actual);
    return `The value of "${name}" is out of range. It must be ${range}. Received ${shown}`;
  },
);

export const ERR_MISSING_ARGS = coded(
  'ERR_MISSING_ARGS',
  TypeError,
  (...names: (string | string[])[]) => {
    const quoted = names.map((name) =>
      [name]
        .flat()
        .map((one) => `"${one}"`)
        .join(' or '),
    );
    return `The ${list(quoted, 'and')} argument${names.length > 1 ? 's' : ''} must be specified`;
  },
);

export const ERR_SOCKET_BAD_PORT = coded(
  'ERR_SOCKET_BAD_PORT',
  RangeError,
  (name: string, port: unknown, allowZero = true) =>
    `${name} should be ${allowZero ? '>=' : '>'} 0 and < 65536. Received ${received(port)}.`,
);

const AddressFamilyError = coded(
  'ERR_INVALID_ADDRESS_FAMILY',
  RangeError,
  (family: unknown, host: unknown, port: unknown) =>
    format('Invalid address family: %s %s:%s', family, host, port),
);

/** Carries the host and port of the connection whose lookup gave an unknown family. */
export class ERR_INVALID_ADDRESS_FAMILY extends AddressFamilyError {
  host: unknown;
  port: unknown;
  constructor(family: unknown, host: unknown, port: unknown) {
    super(family, host, port);
    this.host = host;
    this.port = port;
  }
}

export const ERR_INVALID_FD_TYPE = coded(
  'ERR_INVALID_FD_TYPE',
  TypeError,
  (type: string) => `Unsupported fd type: ${type}`,
);
export const ERR_INVALID_HANDLE_TYPE = coded(
  'ERR_INVALID_HANDLE_TYPE',
  TypeError,
  () => 'This handle type cannot be sent',
);
export const ERR_INVALID_IP_ADDRESS = coded(
  'ERR_INVALID_IP_ADDRESS',
  TypeError,
  (address: unknown) => format('Invalid IP address: %s', address),
);
export const ERR_IP_BLOCKED = coded(
  'ERR_IP_BLOCKED',
  Error,
  (address: string) => `IP(${address}) is blocked by net.BlockList`,
);
export const ERR_SERVER_ALREADY_LISTEN = coded(
  'ERR_SERVER_ALREADY_LISTEN',
  Error,
  () => 'Listen method has been called more than once without closing.',
);
export const ERR_SERVER_NOT_RUNNING = coded(
  'ERR_SERVER_NOT_RUNNING',
  Error,
  () => 'Server is not running.',
);
export const ERR_SOCKET_CLOSED = coded('ERR_SOCKET_CLOSED', Error, () => 'Socket is closed');
export const ERR_SOCKET_CLOSED_BEFORE_CONNECTION = coded(
  'ERR_SOCKET_CLOSED_BEFORE_CONNECTION',
  Error,
  () => 'Socket closed before the connection was established',
);
export const ERR_SOCKET_CONNECTION_TIMEOUT = coded(
  'ERR_SOCKET_CONNECTION_TIMEOUT',
  Error,
  () => 'Socket connection timeout',
);
export const ERR_SOCKET_HANDLE_ADOPTED = coded(
  'ERR_SOCKET_HANDLE_ADOPTED',
  Error,
  () => 'The BoundSocket handle has already been adopted or closed',
);
/** soref's own: the descriptor of a socket leaves it once. */
export const ERR_SOREF_DETACHED = coded(
  'ERR_SOREF_DETACHED',
  Error,
  () => 'The socket has no descriptor to give: it was detached, destroyed or never attached',
);
/** soref's own: what a service manager has left in the environment makes no sense. */
export const ERR_SOREF_LISTEN_ENVIRONMENT = coded(
  'ERR_SOREF_LISTEN_ENVIRONMENT',
  Error,
  (variable: string, text: string) =>
    `The environment variable ${variable} does not tell which descriptors were passed: '${text}'`,
);

abstract class SystemError extends Error {
  declare code: string;
  declare errno: number;
  declare syscall: string;
}

function endpoint(address: unknown, port: unknown): string {
  if (typeof port === 'number' && port > 0) return ` ${address}:${port}`;
  return address ? ` ${address}` : '';
}

/** A failed system call without an address: message `read ECONNRESET`. `errno` is negative. */
export class ErrnoException extends SystemError {
  constructor(errno: number, syscall: string, detail?: string) {
    const code = getSystemErrorName(errno);
    super(detail ? `${syscall} ${code} ${detail}` : `${syscall} ${code}`);
    this.errno = errno;
    this.code = code;
    this.syscall = syscall;
  }
}

/**
 * A failed bind or connect: message `connect ECONNREFUSED 127.0.0.1:80 - Local (127.0.0.1:9000)`.
 * The address of a path is the path, which has no port. What Node's permission model refused stands for the errno.
 */
export class ExceptionWithHostPort extends SystemError {
  declare address: string | null | undefined;
  declare port?: number;
  declare localAddress?: string;
  declare localPort?: number;
  constructor(
    failure: number | AccessDenied,
    syscall: string,
    address: string | null | undefined,
    port?: number | null,
    local?: string,
  ) {
    const refused = typeof failure !== 'number';
    const code = refused ? failure.code : getSystemErrorName(failure);
    const where = `${endpoint(address, port)}${local === undefined ? '' : ` - Local (${local})`}`;
    super(`${syscall} ${code}${refused ? ` ${failure.message}` : where}`);
    this.errno = failure as number;
    this.code = code;
    this.syscall = syscall;
    this.address = address;
    if (port) this.port = port;
  }
}

/** A failed listen: message `listen EADDRINUSE: address already in use 127.0.0.1:80`. */
export class UVExceptionWithHostPort extends SystemError {
  declare address: string | null | undefined;
  declare port?: number;
  constructor(
    errno: number,
    syscall: string,
    address: string | null | undefined,
    port?: number | null,
  ) {
    const [code, text] = getSystemErrorMap().get(errno) ?? ['UNKNOWN', 'unknown error'];
    super(`${syscall} ${code}: ${text}${endpoint(address, port)}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    this.address = address;
    if (port) this.port = port;
  }
}

/** All attempts of one connect failed: the first attempt's code stands for all. */
export class ConnectAggregateError extends AggregateError {
  declare code: string | undefined;
  constructor(errors: Error[]) {
    super(errors);
    const { code } = errors[0] as Partial<CodedError>;
    // There is no message, and the colon before it shows all the same.
    captureUnder(`AggregateError [${code}]: `, this, new.target);
    this.code = code;
  }
}

for (const Class of [SystemError, ErrnoException, ExceptionWithHostPort, UVExceptionWithHostPort]) {
  hide(Class, Error);
}
hide(ERR_INVALID_ADDRESS_FAMILY, RangeError);
hide(ConnectAggregateError, AggregateError);

/** A write after the peer's FIN made a socket without half-open end: EPIPE with a message that says so. */
export function endedByPeer(): CodedError {
  return Object.assign(new Error('This socket has been ended by the other party'), {
    code: 'EPIPE',
  });
}

/** As Node's handles, and not its checks of arguments, put it: the stack does not begin with the code. */
export function notABuffer(): CodedError {
  return Object.assign(new TypeError('Second argument must be a buffer'), {
    code: 'ERR_INVALID_ARG_TYPE',
  });
}
