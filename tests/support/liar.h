#ifndef CS_TESTS_SUPPORT_LIAR_H
#define CS_TESTS_SUPPORT_LIAR_H

#include <time.h>

#include "client/client.h"
#include "proto/checkpoint.h"
#include "proto/frame.h"
#include "tests/support/fakerelay.h"
#include "tests/support/relay.h"

/*
 * A relay that lies. The real service answers every request over its real
 * store; a lie then changes what is sent, with the relay's own keys at hand.
 * The clock of everybody is liar_time_s: a test of it has LIAR_CLOCK in it.
 */
#define LIAR_CLOCK                                                             \
	time_t time(time_t *ret)                                               \
	{                                                                      \
		if (ret)                                                       \
			*ret = (time_t)liar_time_s;                            \
		return (time_t)liar_time_s;                                    \
	}
#define LIAR_LEAVES 256

/* The directory as it is about to be shown. */
struct liar_log {
	uint32_t n;
	struct cs_buf leaf[LIAR_LEAVES];
	struct cs_checkpoint cp; /* size and root are of the leaves … */
	bool keep_cp;            /* … unless the lie has set them */
	const struct cs_keyring *signer;
	uint8_t network_id[CS_NETWORK_ID_BYTES]; /* of the origin */
	bool unsigned_note;
};

struct liar;
typedef void liar_log_lie(struct liar *l, struct liar_log *log);
typedef void liar_reply_lie(struct liar *l, enum cs_op op, uint32_t id,
    struct cs_wire args, struct cs_buf *reply);

struct liar {
	struct fake_relay f;         /* the wire */
	struct test_relay r;         /* the honest half */
	struct cs_principal who;     /* logged in on the connection */
	uint8_t session[32];         /* its handshake hash */
	struct cs_frame_login login; /* the last one, as it was signed */
	liar_log_lie *log_lie;
	liar_reply_lie *reply_lie;
	unsigned lies; /* told */
};

extern uint64_t liar_time_s;

void liar_start(struct liar *l);
void liar_stop(struct liar *l);

/* Tells these lies from now on; NULL: the truth. */
void liar_set(struct liar *l, liar_log_lie *log_lie, liar_reply_lie *reply_lie);

/* A member with one device in test_path(home). */
struct cs_client *liar_join(struct liar *l, const char *home,
    const char *address);

/* Entries through the honest half, as the registrar; must be taken. */
void liar_append(struct liar *l, const struct cs_buf *entry);

/* l->r.net.dir becomes what the relay has. */
void liar_catch_up(struct liar *l);

/* A leaf more, of an entry made by kr in the name of authority. */
void liar_forge(struct liar *l, struct liar_log *log,
    const struct cs_keyring *kr, const uint8_t *authority,
    enum cs_entry_type type, const uint8_t *subject, uint64_t prev,
    struct cs_bytes body);

/* Index of the last leaf with an entry of this type; the test fails without. */
uint32_t liar_last(const struct liar_log *log, enum cs_entry_type type);

#endif
