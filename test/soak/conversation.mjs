// What the soak's server does with one accepted socket, and what it counts: the bytes of the request
// in their order, one answer, and exactly one 'close'.
import {
  HEADER_SIZE,
  matches,
  ORDER_DESTROY,
  ORDER_RESET,
  ORDER_TIMEOUT,
  parseHeader,
  patternAt,
} from './pattern.mjs';

const IDLE_TIMEOUT = 60; // milliseconds, for those who asked for it
const LARGEST_WRITE = 60_000; // bytes

/** Everything that is counted. Those of the second group are defects if they are not 0. */
export const counts = {
  accepted: 0,
  closed: 0,
  answered: 0,
  cutOff: 0, // ended before the request was whole
  timedOut: 0,
  bytes: 0,
  errors: {},

  closedAgain: 0, // 'close' came a second time
  late: 0, // an event after 'close'
  wrongBytes: 0, // lost, come twice, or of another connection
  bytesMiscounted: 0, // socket.bytesRead is not what 'data' brought
};

class Conversation {
  received = 0;
  header = undefined;
  beginning = undefined;
  ended = false;
  closed = false;
}

const conversation = Symbol('conversation');

/** Begins to serve a socket. @param {import('node:net').Socket} socket */
export function converse(socket) {
  counts.accepted += 1;
  socket[conversation] = new Conversation();
  socket.on('data', onData);
  socket.on('end', onEnd);
  socket.on('error', onError);
  socket.on('close', onClose);
}

function onData(chunk) {
  const state = this[conversation];
  counts.bytes += chunk.length;
  if (state.closed) counts.late += 1;
  let from = 0;
  if (state.header === undefined) {
    const missing = HEADER_SIZE - state.received;
    const beginning = state.beginning ? Buffer.concat([state.beginning, chunk]) : chunk;
    if (chunk.length < missing) {
      state.beginning = Buffer.from(beginning);
      state.received += chunk.length;
      return;
    }
    state.header = parseHeader(beginning);
    from = missing;
    if (obey(this, state.header.orders)) return;
  }
  const { start, request } = state.header;
  const position = state.received + from - HEADER_SIZE;
  state.received += chunk.length;
  const body = state.received - HEADER_SIZE;
  if (body > request || !matches(start + position, chunk, from)) {
    counts.wrongBytes += 1;
    this.destroy();
  } else if (body === request) {
    answer(this, state);
  }
}

/** Returns whether the socket is no more to be read from. */
function obey(socket, orders) {
  if (orders & ORDER_TIMEOUT) socket.setTimeout(IDLE_TIMEOUT, onTimeout);
  if (orders & ORDER_DESTROY) socket.destroy();
  if (orders & ORDER_RESET) socket.resetAndDestroy();
  return (orders & (ORDER_DESTROY | ORDER_RESET)) !== 0;
}

function answer(socket, { header: { start, request, answer }, received }) {
  counts.answered += 1;
  if (socket.bytesRead !== received) counts.bytesMiscounted += 1;
  for (let sent = 0; sent < answer; ) {
    const size = Math.min(LARGEST_WRITE, answer - sent);
    socket.write(patternAt(start + request + sent, size));
    sent += size;
  }
  socket.end();
}

function onTimeout() {
  counts.timedOut += 1;
  this.destroy();
}

function onEnd() {
  const state = this[conversation];
  if (state.closed || state.ended) counts.late += 1;
  state.ended = true;
  const { header, received } = state;
  if (header === undefined || received < HEADER_SIZE + header.request) counts.cutOff += 1;
}

function onError(error) {
  if (this[conversation].closed) counts.late += 1;
  counts.errors[error.code] = (counts.errors[error.code] ?? 0) + 1;
}

function onClose() {
  const state = this[conversation];
  if (state.closed) counts.closedAgain += 1;
  else counts.closed += 1;
  state.closed = true;
}
