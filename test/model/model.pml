/*
 * One environment with a listener and its connections, two at a time, as src-native/ has it:
 *
 *   Consumer  JavaScript: writes commands, sees events, keeps a handle for each name
 *   Core      the turn: commands, flush, completions, reclaim, events; detach; the environment's end
 *   Kernel    what is in flight goes on, ends, fails, or loses or wins against its cancellation
 *
 * Each step of Core is one function of src-native/, so that the kernel and JavaScript come in between
 * any two of them. automaton.pml says what is legal. Each MUTANT_… leaves one thing out, or does it
 * wrongly, and must be rejected; mutants.mjs lists them. README.md says what is left out of the model.
 */

#include "automaton.pml"

hidden short model_line;
#undef invariant
#define invariant(condition) assert((condition) || model_line == __LINE__)

#define LISTENER 0
#define LAST (SLOTS - 1)

#ifndef CONNECTIONS
#define CONNECTIONS 3     /* that arrive; with two slots for them, one is used again */
#endif
#ifndef COMMANDS
#define COMMANDS 4        /* that JavaScript writes */
#endif

/* --- the engine: an operation in either direction of each channel, and the completions queued */

mtype:operation = { idle, in_flight, cancelling, finished };
mtype:operation reading[SLOTS] = idle;
mtype:operation writing[SLOTS] = idle;

/* accepted and data are not final, the others are. */
mtype:completion = { accepted, accept_failed, exhausted, data, ended, read_cancelled, sent, send_cancelled };
chan completions = [8] of { mtype:completion, byte /* slot */, byte /* generation, to check by */ };

byte loose;               /* accepted descriptors that no socket owns yet */
byte buffers;             /* receive buffers that are not in the pool */

/* --- host and socket */

bool leaving[SLOTS], receive_wanted[SLOTS], cant_receive[SLOTS], unsent[SLOTS], flush_wanted[SLOTS];
bool unreferenced[SLOTS];
bool paused;              /* the listener waits for descriptors */
chan accept_queue = [CONNECTIONS] of { byte };

/* --- what crosses to JavaScript and back */

mtype:event = { e_connection, e_data, e_other, e_closed };
chan events = [10] of { mtype:event, byte /* slot */, byte /* generation */ };
chan batch = [10] of { mtype:event, byte, byte, byte /* child */, byte /* its generation */ };
chan seen = [10] of { mtype:event, byte };

mtype:command = { c_close, c_reset, c_receive, c_pause, c_send };
chan commands = [2] of { mtype:command, byte, byte };

byte handle[SLOTS];       /* the generation of the handle that JavaScript has; 0: none */
byte known[SLOTS];        /* the last generation that it ever had */
byte written;             /* commands */
byte detaching = NOBODY;  /* JavaScript waits for the end of its call to detach this one */
bool detach_begun;

/* --- what happens once, and the end */

byte arrived;             /* connections */
bool talked[SLOTS];       /* the peer has sent its one chunk */
bool attach_failed, pressed; /* an attach has failed, descriptors have run out */
bool exiting, ending, drained;

/* Values within one step. */
hidden byte i, child, at, born, born_child;
hidden mtype:completion completion;
hidden mtype:event event;
hidden mtype:command command;
hidden byte closes = NOBODY; /* whom the step closes, */
hidden byte resets;          /* with a reset */
hidden byte settles;         /* whether the step settles `event` */

/* --- engine */

#define runs(operation) (operation == in_flight || operation == cancelling)

inline cancel(operation) {
  if
  :: operation == in_flight -> operation = cancelling
  :: else
  fi
}

inline start_reading(s) {
#ifndef MUTANT_FORGET_OPERATION
  take(s, OPERATION);
#endif
  submit(s);
  reading[s] = in_flight
}

inline start_writing(s) {
  take(s, OPERATION);
  submit(s);
  writing[s] = in_flight;
  unsent[s] = false
}

/* --- the count, and what happens when it is zero */

inline release(s, tag) {
  drop(s, tag);
  if
  :: slot[s].total == 0 -> unreferenced[s] = true
  :: else
  fi
}

inline farewell(s) {
  queue_farewell(s);
  events!e_closed, s, slot[s].generation
}

/* A socket that has left keeps its descriptor only while an operation uses it. */
inline close_unused(s) {
  if
  :: slot[s].departed && slot[s].descriptor && reading[s] == idle && writing[s] == idle -> close_descriptor(s)
  :: else
  fi
}

inline reclaim_one(s) {
  set_life(s, detached);
#ifdef MUTANT_DETACH_TWICE
  detach(s);
#endif
#ifdef MUTANT_RETRY_CLOSED
  paused = paused && s != LISTENER;
#endif
  detach(s);
  free(s);
  leaving[s] = false;
  unsent[s] = false;
  flush_wanted[s] = false;
  cant_receive[s] = false;
  talked[s] = false;
#ifndef MUTANT_FAREWELL_AT_CLOSE
  farewell(s);
#endif
#ifdef MUTANT_REUSE_EARLY
  reuse(s);
#endif
}

inline reclaim() {
#ifndef MUTANT_FORGET_RECLAIM
  for (i : 0 .. LAST) {
    if
    :: unreferenced[i] -> unreferenced[i] = false; reclaim_one(i)
    :: else
    fi
  };
#endif
  for (i : 0 .. LAST) {
    rest(i)
  }
}

/* --- closing */

inline leave(s) {
  leaving[s] = true;
  receive_wanted[s] = false;
#ifndef MUTANT_RETRY_CLOSED
  paused = paused && s != LISTENER;
#endif
#ifndef MUTANT_FORGET_CANCEL
  cancel(reading[s]);
#endif
  cancel(writing[s])
}

inline abort_queued() {
#ifndef MUTANT_FORGET_QUEUED
  do
  :: accept_queue?child ->
     dequeue(child);
     set_life(child, closing);
     leave(child);
     depart(child);
     close_unused(child);
     release(child, QUEUE)
  :: empty(accept_queue) -> break
  od
#else
  skip
#endif
}

inline close(s, reset) {
  if
  :: s == LISTENER -> abort_queued()
  :: else
  fi;
  set_life(s, closing);
  if
  :: !reset && slot[s].descriptor && !leaving[s] && unsent[s] && writing[s] == idle -> start_writing(s)
  :: else
  fi;
  leave(s);
  depart(s);
#ifdef MUTANT_CLOSE_AND_ABORT
  depart(s);
#endif
#ifdef MUTANT_CLOSE_IN_FLIGHT
  close_descriptor(s);
#else
  close_unused(s);
#endif
#ifdef MUTANT_FAREWELL_AT_CLOSE
  farewell(s);
#endif
  release(s, CONSUMER);
#ifdef MUTANT_RELEASE_CONSUMER_TWICE
  release(s, CONSUMER);
#endif
}

/* --- upcalls */

inline report(s, what) {
  if
#ifndef MUTANT_EVENT_AFTER_CLOSE
  :: slot[s].life == open ->
#else
  :: true ->
#endif
#ifndef MUTANT_FORGET_EVENT
     take(s, EVENT);
#endif
     events!what, s, slot[s].generation
  :: else
  fi
}

inline fail_attach() {
  attach_failed = true;
#ifdef MUTANT_DETACH_FAILED_ATTACH
  detach(child);
#endif
  loose--;                /* discarded */
  free(child);
  slot[child].farewell_owed = 0;
  reuse(child)
}

inline publish() {
#ifndef MUTANT_FORGET_QUEUE
  take(child, QUEUE);
#endif
  enqueue(child, LISTENER);
  set_life(child, queued);
  accept_queue!child
}

/* Takes one of the slots that are free. */
inline incoming() {
  if
  :: slot[LISTENER].life != open ->
#ifndef MUTANT_FORGET_DISCARD
     loose--
#endif
  :: else ->
     child = 1;
     do
     :: slot[child].life == unused && !slot[child].parked -> break
     :: else -> child++
     od;
     allocate(child);
#ifdef MUTANT_PUBLISH_INCOMPLETE
     publish();
#endif
     if
     :: !attach_failed -> fail_attach()
     :: true ->
        open_descriptor(child);
        loose--;
        attach(child);
        set_life(child, attached);
#ifndef MUTANT_PUBLISH_INCOMPLETE
        publish();
#endif
        report(LISTENER, e_connection)
     fi
  fi
}

inline take_chunk(s) {
  if
  :: slot[s].life == open -> report(s, e_data)
  :: else ->
#ifndef MUTANT_LOSE_BUFFER
     buffers--
#endif
  fi
}

/* --- completions: the reference of a finished operation lives until the upcalls are through */

inline finish(s, operation) {
  operation = idle;
  complete(s)
}

inline take_completion() {
  completions?completion, at, born;
  invariant(slot[at].life != unused && slot[at].generation == born); /* 8: a completion finds the socket that it belongs to */
  if
  :: completion == accepted -> incoming()
  :: completion == data -> take_chunk(at)
  :: completion == exhausted ->
     finish(at, reading[at]);
     paused = !leaving[at]
  :: completion == accept_failed ->
     finish(at, reading[at]);
     report(at, e_other)
  :: completion == ended ->
     finish(at, reading[at]);
     receive_wanted[at] = false;
     cant_receive[at] = true;
     report(at, e_other)
  :: completion == read_cancelled ->
     finish(at, reading[at]);
     if
     :: receive_wanted[at] && !leaving[at] -> start_reading(at)
     :: else
     fi
  :: completion == sent ->
     finish(at, writing[at]);
     if
     :: unsent[at] && !leaving[at] -> start_writing(at)
     :: else
     fi;
     report(at, e_other)
  :: completion == send_cancelled ->
     finish(at, writing[at])
  fi;
  close_unused(at);
#ifndef MUTANT_RELEASE_ON_FIRST
  if
  :: completion == accepted || completion == data
  :: else -> release(at, OPERATION)
  fi
#else
  release(at, OPERATION)
#endif
}

/* --- commands */

inline execute() {
  commands?command, at, born;
  if
#ifndef MUTANT_FORGET_GENERATION
  :: slot[at].life != open || slot[at].generation != born  /* a stale name */
#else
  :: slot[at].life != open
#endif
  :: else ->
     invariant(slot[at].generation == born); /* 10: a stale name never finds another socket */
     if
     :: command == c_close || command == c_reset ->
        closes = at;
        resets = (command == c_reset)
     :: command == c_send ->
        unsent[at] = true;
        flush_wanted[at] = true
     :: command == c_pause ->
        receive_wanted[at] = false;
        cancel(reading[at])
     :: command == c_receive ->
        receive_wanted[at] = !cant_receive[at] && !leaving[at];
        if
        :: receive_wanted[at] && reading[at] == idle -> start_reading(at)
        :: else
        fi
     fi
  fi
}

inline flush(s) {
  flush_wanted[s] = false;
  if
  :: slot[s].life == open && unsent[s] && writing[s] == idle -> start_writing(s)
  :: else
  fi
}

/* --- events */

/* JavaScript has seen it, or never will. */
inline settle() {
  if
  :: event == e_closed ->
     see_farewell(at);
#ifndef MUTANT_REUSE_EARLY
     reuse(at)
#endif
  :: else ->
     buffers = buffers - (event == e_data);
     release(at, EVENT)
  fi
}

inline accept() {
#ifndef MUTANT_ACCEPT_LEAVES_ENTRY
  accept_queue?child;
#else
  accept_queue?<child>;
#endif
  take(child, CONSUMER);
#ifndef MUTANT_ACCEPT_LEAVES_ENTRY
  dequeue(child);
#endif
  release(child, QUEUE);
  set_life(child, open)
}

inline fill() {
  events?event, at, born;
  invariant(event == e_closed || (slot[at].life != unused && slot[at].generation == born)); /* 6: an undelivered event finds its socket */
  if
  :: event == e_connection && slot[at].life == open && len(accept_queue) > 0 ->
     accept();
     batch!event, at, born, child, slot[child].generation
  :: event != e_connection && (event == e_closed || slot[at].life == open) ->
     batch!event, at, born, 0, 0
  :: else -> settles = true
  fi
}

/* detach() takes what JavaScript has not seen. */
inline take_data(s) {
  i = len(events);
  do
  :: i > 0 ->
     i--;
     events?event, at, born;
     if
     :: event == e_data && at == s -> buffers--; release(s, EVENT)
     :: else -> events!event, at, born
     fi
  :: i == 0 -> break
  od
}

/* --- Core: one step each time, and then what is left without reference goes */

#define is_open(s) (slot[s].life == open)
#define all_closed (!is_open(0) && !is_open(1) && !is_open(2))
#define nothing_written (len(commands) == 0 && !flush_wanted[1] && !flush_wanted[2])
#ifndef MUTANT_EXIT_WITHOUT_AWAITING
#define has_ended (ending && live == 0)
#else
#define has_ended (ending && all_closed)
#endif
#define runs_freely (detaching == NOBODY && !exiting)
#define unseen (len(events) + len(batch) + len(seen))
#define may_fill (nempty(events) && empty(seen) && len(batch) < 2)

inline step() {
  if
  :: nempty(commands) -> execute()
  :: flush_wanted[1] -> flush(1)
  :: flush_wanted[2] -> flush(2)
  :: nempty(completions) && (runs_freely || nothing_written) -> take_completion()
  :: runs_freely && paused -> paused = false; start_reading(LISTENER)
  :: runs_freely && may_fill -> fill()
  :: runs_freely && empty(batch) && nempty(seen) -> seen?event, at; settles = true

  /* detach: whoever is closed by then gets EBADF */
  :: detaching != NOBODY && !detach_begun && empty(commands) ->
     if
     :: slot[detaching].life == open -> leave(detaching); detach_begun = true
     :: else -> detaching = NOBODY
     fi
#ifndef MUTANT_DETACH_WITHOUT_AWAITING
  :: detach_begun && slot[detaching].held[OPERATION] == 0 ->
#else
  :: detach_begun ->
#endif
     take_data(detaching);
     close_descriptor(detaching);
     closes = detaching;
     resets = false;
     detaching = NOBODY;
     detach_begun = false

  /* exit: what was written leaves, every consumer goes, operations are awaited */
  :: runs_freely -> exiting = true
  :: exiting && !ending && nothing_written && empty(completions) -> ending = true
  :: ending && is_open(0) -> closes = 0; resets = false
  :: ending && is_open(1) && !is_open(0) -> closes = 1; resets = false
  :: ending && is_open(2) && !is_open(1) && !is_open(0) -> closes = 2; resets = false
  :: ending && all_closed && nempty(batch) -> batch?event, at, born, child, born_child; settles = true
  :: ending && all_closed && nempty(seen) -> seen?event, at; settles = true
  :: ending && all_closed && nempty(events) -> events?event, at, born; settles = true
  :: has_ended && unseen == 0 -> goto over
  fi;
  if
  :: settles -> settles = false; settle()
  :: else
  fi;
  if
  :: closes != NOBODY -> close(closes, resets); closes = NOBODY
  :: else
  fi;
  reclaim()
}

/* It can always end, so where it stands still it waits for what never comes. */
proctype Core() {
  do
  :: atomic { step() }
  od;
over:
  atomic {
    for (i : 0 .. LAST) {
      end_slot(i)
    };
    end();
    invariant(loose == 0); /* 11: no descriptor outlives its environment */
    invariant(buffers == 0); /* 11: no buffer stays out of its pool */
    drained = true
  }
}

/* --- Kernel */

#define complete_as(what, s) completions!what, s, slot[s].generation

#define reads(s) \
  :: atomic { runs(reading[s]) && !talked[s] -> talked[s] = true; buffers++; complete_as(data, s) } \
  :: atomic { runs(reading[s]) -> reading[s] = finished; complete_as(ended, s) }

#define writes(s) \
  :: atomic { runs(writing[s]) -> writing[s] = finished; complete_as(sent, s) } \
  :: atomic { writing[s] == cancelling -> writing[s] = finished; complete_as(send_cancelled, s) }

#define cancels(s) \
  :: atomic { reading[s] == cancelling -> reading[s] = finished; complete_as(read_cancelled, s) }

#define is_free(s) (slot[s].life == unused && !slot[s].parked)

proctype Kernel() {
end_kernel:
  do
  :: atomic { runs(reading[LISTENER]) && arrived < CONNECTIONS && loose < is_free(1) + is_free(2) ->
       arrived++; loose++; complete_as(accepted, LISTENER) }
  :: atomic { runs(reading[LISTENER]) && !pressed ->
       pressed = true; reading[LISTENER] = finished; complete_as(exhausted, LISTENER) }
  :: atomic { runs(reading[LISTENER]) && !pressed ->
       pressed = true; reading[LISTENER] = finished; complete_as(accept_failed, LISTENER) }
  cancels(LISTENER)
  reads(1)
  reads(2)
  cancels(1)
  cancels(2)
  writes(1)
  writes(2)
  od
}

/* --- Consumer */

inline dispatch() {
  batch?event, at, born, child, born_child;
  if
  :: event == e_closed ->
     invariant(handle[at] == born || (handle[at] == 0 && known[at] < born)); /* 6: 'closed' is the last event of its own name */
     handle[at] = 0
  :: else ->
     invariant(handle[at] == born); /* 6: no event comes after its socket's 'closed' */
     if
     :: event == e_connection ->
        invariant(handle[child] == 0); /* 10: a new name takes nobody's place */
        handle[child] = born_child;
        known[child] = born_child
     :: else
     fi
  fi;
  seen!event, at
}

#define may_write (!exiting && detaching == NOBODY && written < COMMANDS && nfull(commands))

/* It may close what it has closed already, and by a name of which it has seen 'closed'. */
#define writes_commands(s) \
  :: atomic { may_write && known[s] > 0 -> written++; commands!c_close, s, known[s] } \
  :: atomic { may_write && known[s] > 0 -> written++; commands!c_reset, s, known[s] } \
  :: atomic { may_write && handle[s] > 0 -> written++; commands!c_receive, s, known[s] } \
  :: atomic { may_write && handle[s] > 0 -> written++; commands!c_pause, s, known[s] } \
  :: atomic { may_write && handle[s] > 0 -> written++; commands!c_send, s, known[s] } \
  :: atomic { may_write && handle[s] > 0 -> written++; detaching = s }

proctype Consumer() {
end_consumer:
  do
  :: atomic { !exiting && detaching == NOBODY && nempty(batch) -> dispatch() }
  :: atomic { may_write -> written++; commands!c_close, LISTENER, known[LISTENER] }
  writes_commands(1)
  writes_commands(2)
  od
}

init {
  atomic {
    allocate(LISTENER);
    open_descriptor(LISTENER);
    attach(LISTENER);
    set_life(LISTENER, attached);
    take(LISTENER, CONSUMER);
    set_life(LISTENER, open);
    handle[LISTENER] = slot[LISTENER].generation;
    known[LISTENER] = slot[LISTENER].generation;
    start_reading(LISTENER);
    run Core();
    run Kernel();
    run Consumer()
  }
}

/* --- what must happen */

#define is_closed(s) (slot[s].life == closing)
#define is_freed(s) (slot[s].life == unused)

ltl freed {
  [] (is_closed(0) -> <> is_freed(0)) && [] (is_closed(1) -> <> is_freed(1)) && [] (is_closed(2) -> <> is_freed(2))
}
ltl drains { [] (exiting -> <> drained) }
