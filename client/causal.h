#ifndef CS_CLIENT_CAUSAL_H
#define CS_CLIENT_CAUSAL_H

#include "client/thread.h"

/*
 * What follows from who knew what, of the messages of one thread. Reads no
 * store and no clock; what a message's author claims of the time orders only
 * those that did not know each other.
 */

/*
 * Puts the messages of a thread in order and fills in what is found by that:
 * every parent before its children, else by claimed time and id. A circle,
 * which hashes exclude, ends in the order of times. n log n, and for forks and
 * closing n²/64 steps of one word at worst.
 *   t  id, list, n and members are read; the list is put in order, and all that
 *      is said to be found by ordering is set
 * CS_OK, CS_NO_MEMORY (the list may be in any order).
 */
CS_MUST_USE cs_err cs_causal_run(struct cs_thread *t);

#endif
