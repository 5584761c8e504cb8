#ifndef CS_TESTS_SUPPORT_HOSTILE_H
#define CS_TESTS_SUPPORT_HOSTILE_H

#include "client/outrec.h"
#include "tests/support/liar.h"

/*
 * The scene of the tests of a hostile relay. Ann is lied to. Bob and Carol are
 * members too; Carol's entries, and the end of Bob's device, are what Ann has
 * not seen yet.
 */
#define HOSTILE_DAY UINT64_C(86400)

struct hostile {
	struct liar l;
	struct cs_client *ann, *bob, *carol;
	uint64_t had;           /* leaves that Ann has */
	uint64_t carols_device; /* index of the entry */
};

/* Relay, Ann and Bob. */
void hostile_begin(struct hostile *h);

/* Carol comes, Bob's device ends. */
void hostile_news(struct hostile *h);
void hostile_end(struct hostile *h);

/* Id of a client's device. */
const uint8_t *hostile_id(const struct cs_client *c);

/* Ann's mirror is what it was, here and on disk. */
void hostile_check_unharmed(struct hostile *h);

/* A lie, and what it is refused with. */
struct hostile_row {
	const char *name;
	liar_log_lie *log_lie;
	liar_reply_lie *reply_lie;
	cs_err expected;
};
#define LOG_ROW(lie, expected)                                                 \
	{                                                                      \
#lie, lie, NULL, expected                                      \
	}
#define REPLY_ROW(lie, expected)                                               \
	{                                                                      \
#lie, NULL, lie, expected                                      \
	}

/* Each of n lies to Ann when she connects; then the truth. */
void hostile_connect(struct hostile *h, const struct hostile_row *rows,
    size_t n);

/* Fails, with the name of the lie, unless e is what is expected. */
void hostile_check(struct hostile *h, const struct hostile_row *row, cs_err e,
    struct cs_client *victim);

/* Changes one byte of a leaf, counted from its start or, below 0, its end. */
void hostile_flip(struct cs_buf *leaf, int at);

/* Ann writes a case; tries once to deliver it: what it failed with, and how
 * far it is then. */
void hostile_write(struct hostile *h, const char *to,
    uint8_t ret_id[static CS_ID_BYTES]);
cs_err hostile_send(struct hostile *h, const uint8_t *id,
    enum cs_outrec_stage *ret_stage);

#endif
