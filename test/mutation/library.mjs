// Mutants of lib: who owns a descriptor and its bytes, and which socket an event is for. They change
// what was compiled from the file.
import { mutantsOf, replace, without, withoutAfter } from './changes.mjs';

const OWNERSHIP = ['socket-ownership', 'ownership-misuse', 'slot-reuse'];

const handle = mutantsOf('lib/core/handle.ts', [...OWNERSHIP, 'register'], {
  'a socket that was given away keeps its name': withoutAfter(
    'request.emitDestroy();',
    'this.leave();',
  ),
  'bytes of the batch stay behind when a socket is given away': without(
    'head.push(...(0, event_dispatcher_1.takeUndelivered)(this.slot, this.generation));',
  ),
  'the core does not hear of a close': without(
    '(0, command_writer_1.command)(command_writer_1.Command.close, this.slot, this.generation, reset, 0, 0);',
  ),
  'a closed socket keeps its name': replace('this.leave(); try {', 'try {'),
});

const reading = [
  ...mutantsOf('lib/core/reading-socket.ts', ['received-portions'], {
    'portions come without the ticks between them': without('(0, event_dispatcher_1.runTicks)();'),
    'what is left when a listener throws stays held': replace(
      'if (this.held !== undefined) this.deliverHeldLater(); throw error;',
      'throw error;',
    ),
  }),
  ...mutantsOf('lib/core/handle.ts', ['received-portions', ...OWNERSHIP], {
    'bytes that are held stay behind when a socket is given away': replace(
      'this.heldBytes()',
      '[]',
    ),
  }),
];

const writing = [
  ...mutantsOf('lib/core/handle.ts', ['loop-fairness'], {
    'a producer keeps the loop': replace(
      'before >= takenPerTurn + (0, arrivals_1.arrivedInTurn)()',
      'false',
    ),
    'what arrives in a turn is late': replace(' + (0, arrivals_1.arrivedInTurn)()', ''),
  }),
  ...mutantsOf('lib/net/held-writes.ts', ['held-writes'], {
    'what a limit holds back is lost with its socket': without('handle.writeRest(waiting);'),
    'what waits behind it is lost with the process': without('handle.endHeldWrite();'),
  }),
  ...mutantsOf('lib/core/transmit-memory.ts', ['write-burst'], {
    'a write finds no room for its command': without('(0, command_writer_1.makeRoom)();'),
  }),
];

const liveness = mutantsOf('lib/core/liveness.ts', ['process-exit'], {
  'a request under way does not hold the loop': replace('requesting | closing', 'closing'),
  'an unreferenced reader holds the loop': replace('(activities & referenced) === 0', 'false'),
  'a reader holds the loop when its peer has ended': replace(
    '(activities & (receiving | ended)) === receiving',
    '(activities & receiving) !== 0',
  ),
  'a listener does not hold the loop': replace(' || (activities & listening) !== 0', ''),
});

const events = mutantsOf('lib/core/event-dispatcher.ts', ['slot-reuse', 'ownership-misuse'], {
  'an event finds its socket by the slot alone': replace(
    'receiver !== undefined && receiver.generation === control[at + 2]',
    'receiver !== undefined',
  ),
});

const ownership = mutantsOf('lib/net/socket-ownership.ts', OWNERSHIP, {
  'what was read ahead stays behind': replace('unread.concat(head)', 'head'),
  'what waits to be written stays behind': replace('tail.concat(unsent)', 'tail'),
  'a detach does not look who owns the descriptor': replace(
    '!handle?.attached || this.connecting',
    '!handle',
  ),
  'a write that was given away is never answered': without(
    'if (handle.writeCallback) process.nextTick(handle.writeCallback, null);',
  ),
});

export const LIBRARY = [...handle, ...reading, ...writing, ...liveness, ...events, ...ownership];
