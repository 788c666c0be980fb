// The seams between JavaScript and the core, as functions for benchmark.js to time. They reach into
// lib/core, which nobody but lib does otherwise, because what is measured is just that.
import { createRequire } from 'node:module';
import NodeNet from 'node:net';
import { Duplex } from 'node:stream';

const require = createRequire(import.meta.url);
const { core, upcalls } = require('../../dist/core/environment.js');
const { Command, command } = require('../../dist/core/command-writer.js');
const { register, unregister } = require('../../dist/core/event-dispatcher.js');
const { Socket } = require('../../dist/index.js');

/** Operations in one call of a benchmark, as many as a turn under load has. */
export const BATCH = 64;

/** As enum Header of src-native/core/shared_memory.h. */
const COMMANDS_LENGTH = 0;
const EVENT_COUNT = 1;
const EVENT_CURSOR = 2;
const RESULT_SLOT = 4;
const RESULT_GENERATION = 5;
/** As enum Event of src-native/socket/event_sink.h; receivers get it as it is. */
const UNBLOCKED = 10;
/** As enum Family of src-native/protocol/protocol_switch.h. */
const TCP4 = 0;

/** An attached socket's name; JavaScript knows nothing else of it. */
function attach() {
  if (core.calls.attach(TCP4) < 0) throw new Error('a socket could not be attached');
  return { slot: core.control[RESULT_SLOT], generation: core.control[RESULT_GENERATION] };
}

function close({ slot, generation }) {
  command(Command.close, slot, generation, 0, 0, 0);
}

/** Commands are written over and over, and never carried out. */
function encodeCommands() {
  for (let i = 0; i < BATCH; i += 1) command(Command.receive, i, 1, 1, 0, 0);
  core.control[COMMANDS_LENGTH] = 0;
}

/** Events as the core would have written them, for one receiver which counts them. */
function eventDispatch() {
  const { control, eventsAt, eventLength } = core;
  const receiver = {
    generation: 1,
    seen: 0,
    dispatch(_event, first, _second) {
      this.seen += first;
    },
  };
  // Behind every slot that sockets of this process may have.
  const slot = 100_000;
  register(slot, receiver);
  for (let i = 0; i < BATCH; i += 1) {
    control.set([UNBLOCKED, slot, receiver.generation, 1, 0], eventsAt + i * eventLength);
  }
  return {
    run() {
      control[EVENT_CURSOR] = 0;
      control[EVENT_COUNT] = BATCH;
      upcalls.deliver();
    },
    end() {
      control[EVENT_COUNT] = control[EVENT_CURSOR] = 0;
      unregister(slot, receiver);
      if (receiver.seen === 0 || receiver.seen % BATCH !== 0) throw new Error('events were lost');
    },
  };
}

function lookUp() {
  const socket = attach();
  const { slot, generation } = socket;
  return {
    run() {
      for (let i = 0; i < BATCH; i += 1) core.calls.outgoingSize(slot, generation);
    },
    end: () => close(socket),
  };
}

/** Each attach takes the consumer's reference, each close drops it, and settling detaches. */
function attachAndClose() {
  for (let i = 0; i < BATCH; i += 1) close(attach());
  core.calls.settle();
}

/** Makes streams, destroys them, and is done when each has emitted 'close'. */
function makeAndDestroy(make) {
  return (deferred) => {
    let open = BATCH;
    const closed = () => {
      open -= 1;
      if (open === 0) deferred.resolve();
    };
    for (let i = 0; i < BATCH; i += 1) make().on('close', closed).destroy();
  };
}

/**
 * @typedef {object} JavaScriptSeam
 * @property {string} name
 * @property {Function} run       does the operation BATCH times
 * @property {boolean} [deferred] run gets benchmark.js' deferred, and resolves it
 * @property {() => void} [end]   checks, and gives back what was prepared
 */

/** @returns {JavaScriptSeam[]} */
export function javascriptSeams() {
  return [
    { name: 'write a command', run: encodeCommands },
    { name: 'dispatch an event', ...eventDispatch() },
    { name: 'look up a control block, by a call', ...lookUp() },
    { name: 'attach, close and detach', run: attachAndClose },
    {
      name: 'make and destroy a Socket of soref',
      run: makeAndDestroy(() => new Socket()),
      deferred: true,
    },
    {
      name: 'make and destroy a Socket of node:net',
      run: makeAndDestroy(() => new NodeNet.Socket()),
      deferred: true,
    },
    {
      name: 'make and destroy a bare Duplex',
      run: makeAndDestroy(() => new Duplex({ read() {}, write() {} })),
      deferred: true,
    },
  ];
}
