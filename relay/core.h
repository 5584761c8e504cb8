#ifndef CS_RELAY_CORE_H
#define CS_RELAY_CORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "keys/keyring.h"
#include "relay/clock.h"
#include "relay/histogram.h"
#include "relay/store.h"

enum cs_counter {
#define CS_COUNTER(NAME, name, is_level, help) CS_COUNT_##NAME,
#include "relay/counter.def"
#undef CS_COUNTER
	CS_COUNTERS
};

/*
 * What the modules of the service share. Inside the service only: its network
 * half sees relay/service.h. Everything here is set when the service opens and
 * then only read, or safe to use from any thread.
 */
struct cs_core {
	struct cs_identity *identity;
	const struct cs_keyring_info *me; /* network_id and relay id of it */
	struct cs_store *store;
	struct cs_clock clock;
	struct cs_dirlog *dirlog;
	struct cs_parked *parked;
	struct cs_writer *writer;
	struct cs_pool *pool;
	struct cs_expiry *expiry;
	struct cs_ended *ended;
	struct cs_cancelled *cancelled;
	struct cs_auditlog *audit;
	uint64_t quota_total_bytes;
	uint64_t quota_sender_bytes;
	uint64_t quota_mailbox_bytes;
	uint64_t quota_share_bytes;
	/* The checkpoint of the directory is being signed anew; uptime before
	 * which that is not tried again. */
	_Atomic bool renewing;
	_Atomic uint64_t renew_ms;
	_Atomic uint64_t count[CS_COUNTERS];
	struct cs_histogram histogram[CS_HISTOGRAMS];
	_Atomic uint64_t commit_ms; /* uptime since which a commit is under
				       way, and 1; 0: none is */
};

#endif
