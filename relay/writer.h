#ifndef CS_RELAY_WRITER_H
#define CS_RELAY_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "proto/base/err.h"
#include "relay/batch.h"
#include "relay/core.h"

/*
 * The one thread that changes the store. It takes whatever is queued, lets
 * each task plan its operations, commits all of them in one step, and only
 * then tells the tasks. A commit that fails for good tells nobody and ends the
 * process: what is durable is found again at the next start.
 */
struct cs_writer;

struct cs_task {
	struct cs_task *next;
	/*
	 * Reads the store and adds operations. May be called again when
	 * another task of the batch had to leave. CS_BUSY: not in this batch
	 * (cs_batch_claim); any other error goes to done.
	 */
	cs_err (*plan)(struct cs_task *t, struct cs_batch *b);
	/*
	 * Exactly once. CS_OK: durable; b is what was committed. May free the
	 * task. Returns CS_OK, or why the process cannot go on after a commit
	 * (its memory is behind its store).
	 */
	cs_err (*done)(struct cs_task *t, cs_err e, const struct cs_batch *b);
};

/* Starts the thread; core is borrowed. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_writer_open(struct cs_core *core, struct cs_writer **ret);

/* Finishes the commit under way, ends what is queued with CS_BUSY, also what
 * is pushed afterwards. */
void cs_writer_stop(struct cs_writer *w);

/* Frees a stopped writer; NULL does nothing. */
void cs_writer_free(struct cs_writer *w);

/* Gives the task away. */
void cs_writer_push(struct cs_writer *w, struct cs_task *t);

/* Asks for cs_store_sweep between commits until nothing is left. */
void cs_writer_sweep(struct cs_writer *w, bool full);

#endif
