#ifndef CS_CLIENT_WATCH_H
#define CS_CLIENT_WATCH_H

#include <signal.h>
#include <stdint.h>

#include "client/alarm.h"
#include "client/client.h"
#include "client/sync.h"
#include "proto/base/err.h"

/* What a watch reports; any may be NULL. */
struct cs_watch_events {
	cs_sync_arrived *arrived; /* a message is here and complete */
	/* after every round that changed something */
	void (*synced)(void *ctx, const struct cs_sync_report *report);
	/* the relay cannot be reached or refused; told once per outage */
	void (*offline)(void *ctx, cs_err e, const struct cs_why *why);
	void (*online)(void *ctx);
	/* a message calls for its sender: told once, relay or not */
	cs_alarm_each *alarm;
	void *ctx;
};

/*
 * Syncs, waits for mail with parked requests, syncs again, until *stop.
 * Comes back by itself after outages (half a second to a minute apart). Between
 * rounds it gives the home's lock back, so that other verbs work meanwhile.
 * CS_OK (stopped); errors that waiting does not heal: CS_REVOKED, CS_DENIED,
 * CS_WRONG_RELAY, CS_FORKED, CS_CORRUPT, CS_FULL, CS_IO.
 */
CS_MUST_USE cs_err cs_watch_run(struct cs_client *c,
    const struct cs_watch_events *events, const volatile sig_atomic_t *stop);

#endif
