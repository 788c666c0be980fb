/**
 * Where the program made its sockets and servers, for reports of what is left of them. Kept only once
 * somebody has asked for it, since taking a stack costs more than a connection does.
 */
import { dirname, sep } from 'node:path';

/** The package's own folder: what happens in it does not tell who made a socket. */
const own = dirname(__dirname) + sep;
/** Frames taken, of which soref's and Node's are left out, and frames kept. */
const FRAMES_TAKEN = 40;
const FRAMES_KEPT = 6;

let origins: WeakMap<object, string> | undefined;

export function keepOrigins(): void {
  origins ??= new WeakMap();
}

/** To be called where a socket or server is made; who made it first is what counts. */
export function noteOrigin(made: object): void {
  if (origins === undefined || origins.has(made)) return;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES_TAKEN;
  const { stack = '' } = new Error();
  Error.stackTraceLimit = limit;
  const frames = stack.split('\n').slice(1);
  const programs = frames.filter((frame) => !frame.includes(own) && !/[( ]node:/.test(frame));
  const lines = programs.slice(0, FRAMES_KEPT).map((frame) => frame.trim());
  if (lines.length > 0) origins.set(made, lines.join('\n'));
}

/**
 * The stack of the program's own functions that made a socket or a server, innermost first, a line
 * each; that of its server for a connection that was accepted. Undefined where it was not kept.
 */
export function originOf(made: unknown): string | undefined {
  if (origins === undefined || typeof made !== 'object' || made === null) return undefined;
  const origin = origins.get(made);
  if (origin !== undefined) return origin;
  const server = originOf((made as { server?: unknown }).server);
  return server === undefined ? undefined : `accepted by the server made ${server}`;
}
