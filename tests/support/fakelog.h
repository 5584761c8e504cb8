#ifndef CS_TESTS_SUPPORT_FAKELOG_H
#define CS_TESTS_SUPPORT_FAKELOG_H

#include "proto/frame.h"
#include "tests/support/network.h"

/*
 * A relay's receipt log in memory, for tests of what clients keep of it:
 * answers anchor and receipt_log as a hook of a fake relay does, and can
 * misbehave.
 */
#define FAKE_LOG_LEAVES 512

struct fake_log {
	const struct network *net;
	uint64_t now_s; /* of its checkpoints */
	uint64_t counter;
	uint8_t leaf[FAKE_LOG_LEAVES][CS_HASH_BYTES]; /* leaf data */
	uint64_t n;
	unsigned anchored, asked; /* requests of each kind */
	unsigned mute;            /* anchors that are done and not answered */
	cs_err refuse;
	bool lie; /* signs wrong */
	uint64_t first_of_last;
	struct cs_buf last; /* leaves of the last anchor request */
};

void fake_log_init(struct fake_log *l, const struct network *net);
void fake_log_fini(struct fake_log *l);

/* Leaves of no meaning. */
void fake_log_grow(struct fake_log *l, unsigned n);

/* Signs the checkpoint of the first `size` leaves; ret is appended to. */
void fake_log_note(struct fake_log *l, uint64_t size, struct cs_buf *ret,
    struct cs_checkpoint *ret_cp);

/* Inclusion proof of a leaf under that checkpoint, appended. */
void fake_log_prove(struct fake_log *l, uint64_t index, uint64_t size,
    struct cs_buf *ret);

/* Consistency proof of two sizes, appended. */
void fake_log_consistency(struct fake_log *l, uint64_t from, uint64_t to,
    struct cs_buf *ret);

/* fake_relay_hook; ctx is a struct fake_log. */
bool fake_log_hook(void *ctx, enum cs_op op, uint32_t id, struct cs_wire *w,
    struct cs_buf *out);

#endif
