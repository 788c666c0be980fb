// The bytes of the soak, and the header of a request. Both directions carry a stretch of one
// pseudo-random pattern, which begins where the request says: so every byte of every connection has
// one right value. bench/native/soak_clients/pattern.h says the same for the clients.
import { endianness } from 'node:os';

/** A prime, so that no size of a buffer divides it. */
export const PERIOD = 65_521;

/** Bytes of a header: start, request, answer, orders, each 32 bits. */
export const HEADER_SIZE = 16;

export const ORDER_TIMEOUT = 1;
export const ORDER_DESTROY = 2;
export const ORDER_RESET = 4;

const bytes = Buffer.alloc(2 * PERIOD);
for (let i = 0, state = 0x9e3779b9 | 0; i < PERIOD; i += 1) {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  bytes[i] = bytes[i + PERIOD] = state >>> 24;
}

const read = endianness() === 'LE' ? 'readUInt32LE' : 'readUInt32BE';

/** @param {Buffer} header of HEADER_SIZE bytes */
export function parseHeader(header) {
  return {
    start: header[read](0),
    request: header[read](4),
    answer: header[read](8),
    orders: header[read](12),
  };
}

/** A header, for whoever plays a client in JavaScript. */
export function formatHeader({ start, request, answer, orders = 0 }) {
  const header = new Uint32Array([start, request, answer, orders]);
  return Buffer.from(header.buffer);
}

/** Whether a chunk from `from` on is what the pattern has at a position; at most PERIOD bytes. */
export function matches(position, chunk, from) {
  const at = position % PERIOD;
  return chunk.compare(bytes, at, at + chunk.length - from, from) === 0;
}

/** The pattern's bytes from a position on, at most PERIOD of them; they are shared, not to be written. */
export function patternAt(position, length) {
  const at = position % PERIOD;
  return bytes.subarray(at, at + length);
}
