/*
 * The life of a socket and of its references, as one automaton a slot: which transitions there are,
 * and when each is legal. model.pml drives it with everything that consumer, kernel and environment
 * can do; replay.pml drives it with what the core did. So the model and the core are judged by the
 * same rules, and this file is their only statement.
 *
 * Each invariant is followed by a remark on its last line: its number in README.md, and what it says.
 */

/* Never set: in the text of an assertion that fails, it tells the line, and so the remark. */
hidden short automaton_line;
#define invariant(condition) assert((condition) || automaton_line == __LINE__)

#ifndef SLOTS
#define SLOTS 3
#endif
#ifndef COUNT
#define COUNT byte
#endif

/* Who holds a reference. */
#define CONSUMER 0
#define QUEUE 1
#define PROTOCOL 2
#define OPERATION 3
#define EVENT 4

#define NOBODY SLOTS

/* unused: the slot names nobody. The others are the lives of socket_state.h. */
mtype:life = { unused, allocated, attached, queued, open, closing, detached };

typedef Slot {
  mtype:life life = unused;
  COUNT generation;
  COUNT held[5];       /* references by tag */
  COUNT total;         /* the count */
  COUNT operations;    /* operations submitted whose final completion nobody has taken */
  COUNT children;      /* entries of its accept queue */
  COUNT listener = NOBODY; /* whose accept queue it is on */
  bit block;           /* it has a control block */
  bit descriptor;      /* its descriptor is open, and its own */
  bit departed;        /* the protocol was told, by close or abort, that the last consumer leaves */
  bit parked;          /* its last socket is gone, and the slot may not be used yet */
  bit farewell_owed;   /* 'closed' is to be queued */
  bit farewell_queued; /* 'closed' is queued, and JavaScript has not seen it */
};

Slot slot[SLOTS];
COUNT live;            /* attached, not detached */

/* --- attach and detach */

inline allocate(s) {
  invariant(slot[s].life == unused && !slot[s].parked); /* 10: a slot is used again only after JavaScript has seen 'closed' */
  slot[s].life = allocated;
  slot[s].generation++;
}

inline open_descriptor(s) {
  invariant(slot[s].life == allocated && !slot[s].descriptor); /* 9: a descriptor is opened by its attach */
  slot[s].descriptor = 1;
}

inline attach(s) {
  invariant(slot[s].life == allocated && !slot[s].block); /* 4: attach comes once, to a socket without a control block */
  slot[s].block = 1;
  live++;
}

inline detach(s) {
  invariant(slot[s].block); /* 2: detach comes once, and only after attach has succeeded */
  invariant(slot[s].departed); /* 5: close or abort comes before detach */
  invariant(slot[s].total == 0); /* 3: detach comes when the count is zero */
  invariant(slot[s].operations == 0); /* 8: no operation outlives its socket */
  invariant(slot[s].children == 0); /* 7: a listener outlives its queued children */
  invariant(slot[s].listener == NOBODY); /* 7: no queue names a detached child */
  slot[s].block = 0;
  live--;
}

/* Its owner closes it, or gives it away. */
inline close_descriptor(s) {
  invariant(slot[s].descriptor); /* 9: a descriptor is closed once */
  invariant(slot[s].operations == 0); /* 9: a descriptor is closed only without operations in flight */
  slot[s].descriptor = 0;
}

inline free(s) {
  invariant(slot[s].life == allocated || slot[s].life == detached); /* 1: what was attached is detached before it is freed */
  invariant(slot[s].total == 0); /* 3: a socket is freed only without references */
  invariant(!slot[s].block && !slot[s].descriptor); /* 4: a control block and its descriptor go before their socket */
  slot[s].farewell_owed = (slot[s].life == detached);
  slot[s].life = unused;
  slot[s].departed = 0;
  slot[s].parked = 1;
}

/* --- the count */

inline take(s, tag) {
  invariant(slot[s].life != unused && slot[s].life != detached); /* 3: only a living socket is referred to */
  invariant(slot[s].total > 0 || slot[s].life == allocated || slot[s].life == attached); /* 3: a count that has reached zero never rises again */
  invariant(tag != EVENT || slot[s].life == open); /* 6: only an open socket reports events */
  slot[s].held[tag]++;
  slot[s].total++;
}

inline drop(s, tag) {
  invariant(slot[s].held[tag] > 0); /* 3: a reference is dropped once, by who holds it */
  slot[s].held[tag]--;
  slot[s].total--;
  invariant(tag != OPERATION || slot[s].operations <= slot[s].held[OPERATION]); /* 8: an operation's reference goes after its final completion */
  invariant(slot[s].total > 0 || slot[s].life == closing); /* 5: the last reference goes only after close or abort */
}

/* --- states */

inline set_life(s, next) {
  invariant((slot[s].life == allocated && next == attached)
    || (slot[s].life == attached && (next == queued || next == open || next == closing))
    || (slot[s].life == queued && (next == open || next == closing))
    || (slot[s].life == open && next == closing)
    || (slot[s].life == closing && next == detached)); /* 2: a life takes only legal steps */
  invariant(next != open || slot[s].held[CONSUMER] == 1); /* 3: an open socket has a consumer */
  invariant(next != queued || (slot[s].listener != NOBODY && slot[s].held[QUEUE] == 1)); /* 7: a queued child is on one queue, which refers to it */
  slot[s].life = next;
}

inline depart(s) {
  invariant(slot[s].life == closing && slot[s].block); /* 5: close and abort are for an attached socket that is closing */
  invariant(!slot[s].departed); /* 5: exactly one of close and abort */
  slot[s].departed = 1;
}

/* --- operations */

inline submit(s) {
  invariant(slot[s].block && slot[s].descriptor); /* 9: an operation starts on an open descriptor */
  invariant(!slot[s].departed); /* 5: nothing starts after close or abort */
  slot[s].operations++;
  invariant(slot[s].operations <= slot[s].held[OPERATION]); /* 8: an operation in flight refers to its socket */
}

inline complete(s) {
  invariant(slot[s].operations > 0); /* 8: an operation has one final completion */
  slot[s].operations--;
}

/* --- the accept queue */

inline enqueue(child, on) {
  invariant(slot[on].life == open); /* 7: only an open listener queues connections */
  invariant(slot[child].life == attached && slot[child].block); /* 7: a child is published only when it is complete */
  invariant(slot[child].listener == NOBODY); /* 7: a child is on exactly one queue */
  invariant(slot[child].held[QUEUE] == 1); /* 7: an entry of a queue refers to its child */
  slot[child].listener = on;
  slot[on].children++;
}

inline dequeue(child) {
  invariant(slot[child].life == queued && slot[child].listener != NOBODY); /* 7: only a queued child leaves a queue */
  slot[slot[child].listener].children--;
  slot[child].listener = NOBODY;
}

/* --- names */

inline queue_farewell(s) {
  invariant(slot[s].farewell_owed && !slot[s].farewell_queued); /* 6: 'closed' comes once, after detach */
  slot[s].farewell_owed = 0;
  slot[s].farewell_queued = 1;
}

/* The slot can name another socket. */
inline reuse(s) {
  invariant(slot[s].life == unused && slot[s].parked && !slot[s].farewell_owed && !slot[s].farewell_queued); /* 10: a slot is free after JavaScript has seen 'closed' */
  slot[s].parked = 0;
}

inline see_farewell(s) {
  invariant(slot[s].farewell_queued); /* 6: JavaScript sees 'closed' once */
  slot[s].farewell_queued = 0;
}

/* --- between two commands, completions or events, when reclaim has run */

inline rest(s) {
  invariant(slot[s].total == slot[s].held[CONSUMER] + slot[s].held[QUEUE] + slot[s].held[PROTOCOL]
    + slot[s].held[OPERATION] + slot[s].held[EVENT]); /* 3: the count is the sum of its tags */
  invariant(slot[s].held[OPERATION] == slot[s].operations); /* 8: operation references are the operations in flight */
  invariant(slot[s].held[QUEUE] == (slot[s].listener != NOBODY)); /* 7: queue references are the entries of queues */
  invariant(slot[s].held[CONSUMER] == (slot[s].life == open)); /* 3: a socket is open as long as its consumer holds it */
  invariant(slot[s].block == (slot[s].life != unused)); /* 4: a control block is there from attach to detach */
  invariant((slot[s].total == 0) == (slot[s].life == unused)); /* 3: a socket is freed if and only if its count is zero */
}

/* --- the environment is gone */

inline end_slot(s) {
  invariant(slot[s].life == unused && slot[s].total == 0); /* 11: no socket outlives its environment */
  invariant(slot[s].operations == 0 && !slot[s].descriptor); /* 11: no operation and no descriptor outlives its environment */
  invariant(!slot[s].parked); /* 11: 'closed' of every socket has come, or been dropped */
}

inline end() {
  invariant(live == 0); /* 1: every attach has its detach at exit */
}
