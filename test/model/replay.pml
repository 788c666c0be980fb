/*
 * Judges a log of the real core by the automaton: reads records from the standard input, each a slot
 * (two for L) and a letter, as test/native/transition_log.h writes them, and takes the transition.
 * Runs in Spin's simulation: a record that is not legal where it stands breaks an invariant and ends
 * the run, and the values shown then have its number as `records`.
 */

#define SLOTS 128
#define COUNT short
#include "automaton.pml"

chan STDIN;
int letter, records;
COUNT number, other, each;

inline end_environment() {
  each = 0;
  do
  :: each < SLOTS ->
     end_slot(each);
     each++
  :: else -> break
  od;
  end()
}

inline give_back(s) {
  if
  :: slot[s].farewell_owed ->
     queue_farewell(s);
     see_farewell(s)
  :: else
  fi;
  reuse(s)
}

/* What the core has written down, transition by transition. */
active proctype main() {
  do
  :: STDIN?letter;
     if
     :: letter >= '0' && letter <= '9' -> number = number * 10 + letter - '0'
     :: letter == ',' -> other = number; number = 0
     :: letter == '\n' -> records++; number = 0
     :: letter == 'A' -> allocate(number)
     :: letter == 'T' ->
        open_descriptor(number);
        attach(number);
        set_life(number, attached)
     :: letter == 'c' -> take(number, CONSUMER)
     :: letter == 'q' -> take(number, QUEUE)
     :: letter == 'p' -> take(number, PROTOCOL)
     :: letter == 'o' -> take(number, OPERATION)
     :: letter == 'e' -> take(number, EVENT)
     :: letter == 'C' -> drop(number, CONSUMER)
     :: letter == 'Q' -> drop(number, QUEUE)
     :: letter == 'P' -> drop(number, PROTOCOL)
     :: letter == 'O' -> drop(number, OPERATION)
     :: letter == 'E' -> drop(number, EVENT)
     :: letter == 'L' -> enqueue(other, number)
     :: letter == 'l' -> dequeue(number)
     :: letter == 'u' -> set_life(number, queued)
     :: letter == 'w' -> set_life(number, open)
     :: letter == 'x' -> set_life(number, closing)
     :: letter == 'D' -> depart(number)
     :: letter == 'S' -> submit(number)
     :: letter == 'K' -> complete(number)
     :: letter == 'Z' -> set_life(number, detached)
     :: letter == 'R' -> close_descriptor(number)
     :: letter == 'Y' -> detach(number)
     :: letter == 'G' -> free(number)
     :: letter == 'N' -> give_back(number)
     :: letter == 'X' -> rest(number)
     :: letter == '.' -> end_environment()
     :: letter == '!' -> break
     :: else -> assert(false)
     fi
  od;
  printf("accepted %d records\n", records)
}
