#ifndef CS_RELAY_SERVICE_H
#define CS_RELAY_SERVICE_H

#include <stdbool.h>

#include "keys/keyring.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/frame.h"
#include "proto/limits.h"
#include "relay/clock.h"
#include "relay/histogram.h"
#include "relay/metric.h"
#include "relay/store.h"

/*
 * What requests mean: authorisation, mailboxes, custody, quotas, expiry, the
 * two logs. Knows nothing of connections; relay/server.c is its caller. Safe
 * to call from any thread. Never blocks a caller for long: reads are answered
 * at once or by a worker, writes by the writer thread after their commit.
 */
struct cs_service;

/* On whose behalf a request is made; the id of CS_PRINCIPAL_ANYONE, who has not
 * logged in, is zero. */
enum cs_principal_kind {
#define CS_AUTHZ_WHO(NAME, text) CS_PRINCIPAL_##NAME,
#include "proto/authz.def"
};
struct cs_principal {
	enum cs_principal_kind kind;
	uint8_t id[CS_ID_BYTES];
	uint64_t entry; /* of a device: that of the key it logged in by, with
			   which the session ends; 0: with the device */
};

/* Everything borrowed until close. */
struct cs_service_settings {
	const char *store;   /* folder of the store; made if absent */
	const char *genesis; /* first entries of the directory; NULL: none */
	struct cs_identity *identity; /* see relay/identity.h */
	uint64_t quota_total_bytes;   /* of the whole store */
	uint64_t quota_sender_bytes;  /* stored and reserved per member */
	uint64_t quota_mailbox_bytes; /* waiting per recipient device */
	uint64_t quota_share_bytes;   /* of one member in one mailbox; and begun
					 by one member but not complete */
	uint64_t map_bytes;           /* of each LMDB file; 0: default */
	/* The operator says that the store is a restored backup: it gets a new
	 * incarnation, by which clients know. */
	bool restored;
	/* SHA-256 of the configuration file, for the audit log; NULL: none */
	const uint8_t *config_hash;
};

/*
 * Opens or makes the store, imports the genesis entries into an empty
 * directory log, starts workers and writer.
 *   ret_problem  on failure one clause that names object and remedy for the
 *                operator; caller fini's it
 * CS_OK, CS_NOT_FOUND (genesis file), CS_BUSY (store in use by another
 * relay), CS_DENIED (permissions), CS_WRONG_NETWORK, CS_WRONG_RELAY (store or
 * directory belongs to another), CS_WENT_BACK, CS_CORRUPT, CS_FULL, CS_IO,
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_service_open(const struct cs_service_settings *settings,
    struct cs_clock_reading now, struct cs_service **ret,
    struct cs_buf *ret_problem);

/* Finishes the commit that is under way, refuses what is queued or parked
 * (each done is called with CS_BUSY), stops the threads, closes the store. */
void cs_service_close(struct cs_service *s);

/*
 * Checks a login against the directory: the device, registrar or witness is
 * there, in good standing, and signed this handshake of this relay. ret_reply
 * what to answer CS_OK, CS_BAD_SIGNATURE (also for an id that is nobody's: a
 * stranger does not learn which ids there are), and to who has the key
 * CS_REVOKED, CS_EXPIRED, CS_DENIED.
 */
CS_MUST_USE cs_err cs_service_login(struct cs_service *s,
    const struct cs_frame_login *login, const uint8_t handshake_hash[static 32],
    struct cs_principal *ret, struct cs_frame_login_reply *ret_reply);

/*
 * Takes a whole encoded reply: moves its content out and leaves *reply empty.
 * Called exactly once per request, from any thread, possibly before
 * cs_service_request returns. Does not block and does not call back.
 */
typedef void cs_service_done(void *ctx, struct cs_buf *reply);

/*
 * One request of who, as decrypted. Decoding, authorisation and the answer,
 * also to what is malformed, are in here.
 *   request  borrowed for the call
 *   ctx      names the connection for cs_service_cancel; stays valid until
 *            done was called for every request made with it
 */
void cs_service_request(struct cs_service *s, const struct cs_principal *who,
    struct cs_bytes request, cs_service_done *done, void *ctx);

/* The connection is gone: answers its parked requests now. What is queued for
 * the writer is still committed and answered. May be called more than once. */
void cs_service_cancel(struct cs_service *s, const void *ctx);

/* Every 100 ms from the sweeper: ends parked requests whose time is over,
 * gives expiry and the sweep of orphans to the writer when due. */
void cs_service_tick(struct cs_service *s, struct cs_clock_reading now);

/* Counters for metrics, in order of the table; false past the end. */
bool cs_service_counter(struct cs_service *s, unsigned i,
    struct cs_metric *ret);

/* A distribution for metrics; valid as long as s. */
const struct cs_histogram *cs_service_histogram(const struct cs_service *s,
    enum cs_histogram_kind kind);

/* What the store holds. CS_OK, CS_CORRUPT, CS_IO. */
CS_MUST_USE cs_err cs_service_stats(struct cs_service *s,
    struct cs_store_stats *ret);

/* Whether ticks came in the last CS_LIMIT_STILL_MS. */
bool cs_service_is_alive(const struct cs_service *s);

/* Why nothing could be committed now: a clause, static; NULL: it could. */
const char *cs_service_obstacle(struct cs_service *s);

#endif
