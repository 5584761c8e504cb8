#ifndef CS_RELAY_SERVER_H
#define CS_RELAY_SERVER_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/limits.h"
#include "relay/service.h"
#include "relay/session.h"

/*
 * Listens, and carries bytes between connections (relay/session.h) and the
 * service. nng's task threads run it; a sweeper thread ends and frees
 * connections and drives cs_service_tick.
 */
struct cs_server;

/* Everything borrowed until close. */
struct cs_server_settings {
	const char *const *urls; /* tcp://, tls+tcp://, ws:// */
	unsigned n_urls;         /* 1..CS_LIMIT_LISTENERS */
	/* PEM, for tls+tcp:// only; else NULL. Zero at the end. */
	const char *tls_cert, *tls_key;
	cs_session_responder *responder; /* see relay/session.h */
	void *responder_ctx;
	struct cs_service *service;
	unsigned max_connections; /* in all */
	unsigned max_half_open;   /* of ws://, see relay/limits.h */
	unsigned max_per_address;
};

/*
 * Binds every URL, then serves.
 *   ret_problem  on failure one clause that names the URL and what to do;
 *                caller fini's it
 * CS_OK, CS_BAD_CONFIG (URL, certificate), CS_BUSY (address in use),
 * CS_DENIED, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_server_open(const struct cs_server_settings *settings,
    struct cs_server **ret, struct cs_buf *ret_problem);

/* URL i as bound (port 0 replaced by the real one); NULL past the last. */
const char *cs_server_url(const struct cs_server *s, unsigned i);

/*
 * Accepts nothing more, ends every connection, frees all.
 * CS_OK, or CS_TIMEOUT when a request has not come back from the service
 * after CS_LIMIT_STOP_MS: nothing was freed then, and the only thing left to
 * do is to end the process (what was accepted is durable at any moment).
 */
CS_MUST_USE cs_err cs_server_close(struct cs_server *s);

/* Counters for metrics, in order of the table; false past the end. */
bool cs_server_counter(struct cs_server *s, unsigned i, struct cs_metric *ret);

#endif
