#ifndef CS_CLIENT_WITNESSING_H
#define CS_CLIENT_WITNESSING_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/why.h"
#include "keys/keyring.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"

/*
 * A witness at work: mirrors the whole directory log as a member's client
 * does, keeps what it saw durably, and only then puts its name to it. It never
 * cosigns what does not continue everything it cosigned before.
 */
struct cs_witnessing;

/*
 * Opens the folder for this process alone and replays the mirror.
 *   passphrase  NULL: by the key file
 *   why         where sentences go, now and later; borrowed until close
 * CS_OK, CS_BUSY (another witness runs on it), CS_NOT_FOUND (no witness there,
 * or it has not been given a network), errors of cs_keyring_load, CS_CORRUPT,
 * CS_FULL, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_witnessing_open(const char *dir,
    const struct cs_secret *passphrase, struct cs_why *why,
    struct cs_witnessing **ret);
void cs_witnessing_close(struct cs_witnessing *w);

/* Newest checkpoint kept; size 0 if none. Borrowed. */
const struct cs_checkpoint *cs_witnessing_checkpoint(const struct cs_witnessing
	*w);

/*
 * One look at the relay: connects where needed, takes over what is new, keeps
 * it, and gives the relay its cosignature if the newest checkpoint lacks it.
 *   now_s   this machine's clock
 *   stop    as cs_conn_set_stop; may be NULL
 *   ret     true: it cosigned a checkpoint now
 * CS_OK; CS_FORKED (the relay shows another log, or takes back what it showed:
 * both checkpoints are in the evidence folder), errors of cs_mirror_sync,
 * cs_conn_open and cs_conn_login, CS_QUOTA (the checkpoint has no room for
 * another witness), CS_FULL, CS_IO, CS_NO_MEMORY. After a failure the next
 * round begins from what is kept.
 */
CS_MUST_USE cs_err cs_witnessing_round(struct cs_witnessing *w, uint64_t now_s,
    const volatile sig_atomic_t *stop, bool *ret);

/* Told of while it runs. */
struct cs_witnessing_events {
	/* Cosigned now. */
	void (*cosigned)(void *ctx, const struct cs_checkpoint *cp);
	/* The relay is away; trying again. Told once. */
	void (*offline)(void *ctx, cs_err e, const struct cs_why *why);
	void (*online)(void *ctx); /* it is back */
	void *ctx;
};

/*
 * Rounds until *stop: every_ms between two; with growing pauses while the relay
 * is away. CS_OK (stopped), or the first error that trying again does not heal.
 */
CS_MUST_USE cs_err cs_witnessing_run(struct cs_witnessing *w, unsigned every_ms,
    const struct cs_witnessing_events *events,
    const volatile sig_atomic_t *stop);

#endif
