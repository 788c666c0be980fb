// What the programs write with: their transcript, which has to be the same with and without soref.
// So it holds nothing that differs between two runs: no ports, times, process ids or order of races.
import { createHash } from 'node:crypto';

/** Writes one line. Errors are written as their code, or else their message. */
export function tell(...parts) {
  const words = parts.map((part) => {
    if (part instanceof Error) return part.code ?? part.message;
    return typeof part === 'object' && part !== null ? JSON.stringify(part) : String(part);
  });
  console.log(words.join(' '));
}

/** Bytes in short: how many, and the beginning of their SHA-256. */
export function digest(data) {
  const bytes = Buffer.from(data);
  const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  return `${bytes.length} bytes, ${hash}`;
}

/** So many bytes that look random and are the same in every run (xorshift32). */
export function payload(length, seed = 1) {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = (seed * 0x9e3779b9) >>> 0 || 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return Buffer.from(words.buffer, 0, length);
}

/** As many printable characters. */
export function text(length, seed = 1) {
  return payload(Math.ceil((length * 3) / 4), seed)
    .toString('base64')
    .slice(0, length);
}

/** Runs `body(index)` so many times at once, and gives the results in order. */
export function atOnce(count, body) {
  return Promise.all(Array.from({ length: count }, (_, index) => body(index)));
}

/** The first argument of the event when it comes. An 'error' before it, which once() would throw, is no matter. */
export function next(emitter, event) {
  return new Promise((resolve) => emitter.once(event, resolve));
}

/** What a call ends with that ought to fail. */
export async function failure(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  throw new Error('it was expected to fail');
}
