#ifndef CS_CLIENT_CONN_H
#define CS_CLIENT_CONN_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/why.h"
#include "keys/keyring.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"
#include "proto/limits.h"
#include "proto/wire.h"

/*
 * A blocking session with one relay over nng's stream API: DESIGN 8. Any
 * principal can log in (device or registrar). Not thread safe. A failed send
 * or receive ends the session: every later call says CS_CLOSED.
 */
struct cs_conn;

struct cs_conn_relay {   /* whom to expect; copied by open */
	const char *url; /* tcp://, tls+tcp:// or ws:// */
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	uint8_t relay_id[CS_ID_BYTES];
	uint8_t noise_key[CS_NOISE_KEY_BYTES];
};

#define CS_CONN_TIMEOUT_MS 30000 /* for an answer, unless said otherwise */
#define CS_CONN_WINDOW     8     /* requests in flight */

/*
 * Connects and performs the Noise handshake; nobody is logged in yet.
 *   why  where sentences about this session go, now and later; borrowed for
 *        the life of the session; may be NULL
 * CS_OK, CS_BAD_CONFIG (URL), CS_UNREACHABLE (also: it hung up twice),
 * CS_TIMEOUT, CS_BUSY (it says that it has no place for us), CS_WRONG_RELAY
 * (it does not hold the relay's key, or says so itself), CS_NO_MEMORY. What it
 * says about itself before the handshake nobody has proved.
 */
CS_MUST_USE cs_err cs_conn_open(const struct cs_conn_relay *relay,
    struct cs_why *why, struct cs_conn **ret);

/* Ends the session; NULL does nothing. */
void cs_conn_close(struct cs_conn *c);

/*
 * Logs in as the principal of kr (device or registrar).
 *   seen        what this principal has of the directory log
 *   ret_time_s  the relay's clock; may be NULL
 * CS_OK, CS_DENIED, CS_REVOKED, CS_EXPIRED, CS_NOT_FOUND (not enrolled), else
 * as cs_conn_call.
 */
CS_MUST_USE cs_err cs_conn_login(struct cs_conn *c, const struct cs_keyring *kr,
    const struct cs_log_view *seen, uint64_t *ret_time_s);

/* Request id for the next message to encode; never twice in a session. */
uint32_t cs_conn_id(struct cs_conn *c);

/*
 * Sends one whole encoded request and waits for its answer. Nothing else may
 * be in flight.
 *   timeout_ms  for the answer; CS_CONN_TIMEOUT_MS is the usual one
 *   ret         at the first result; borrows from c until the next receive
 * CS_OK; what the relay answered (its detail goes to why); CS_MALFORMED
 * (not an answer), CS_BAD_MAC (tampered), CS_CLOSED, CS_TIMEOUT,
 * CS_UNREACHABLE, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_conn_call(struct cs_conn *c, const struct cs_buf *request,
    unsigned timeout_ms, struct cs_wire *ret);

/*
 * The same in two halves, up to CS_CONN_WINDOW sent and not yet received;
 * answers come in any order.
 *   ret_id      which request is answered: the id it was encoded with
 *   ret_answer  CS_OK or what the relay answered to that request
 * Errors as cs_conn_call; CS_BUSY where the window is full or empty.
 */
CS_MUST_USE cs_err cs_conn_send(struct cs_conn *c,
    const struct cs_buf *request);
CS_MUST_USE cs_err cs_conn_receive(struct cs_conn *c, unsigned timeout_ms,
    uint32_t *ret_id, cs_err *ret_answer, struct cs_wire *ret);

/* While stop is set, waiting for an answer ends with CS_TIMEOUT soon after
 * *stop became true (a signal handler's doing). NULL: wait as told. */
void cs_conn_set_stop(struct cs_conn *c, const volatile sig_atomic_t *stop);

/* While wake is set, the same where it returns true; it is asked about every
 * 200 ms. NULL: no longer. */
typedef bool cs_conn_wake(void *ctx);
void cs_conn_set_wake(struct cs_conn *c, cs_conn_wake *wake, void *ctx);

/* Still usable: nothing failed, and younger than the hour of DESIGN 8. */
bool cs_conn_is_open(const struct cs_conn *c);

/* Seconds the relay asked to wait with its last refusal; 0: none. */
uint32_t cs_conn_retry_after_s(const struct cs_conn *c);

#endif
