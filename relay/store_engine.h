#ifndef CS_RELAY_STORE_ENGINE_H
#define CS_RELAY_STORE_ENGINE_H

#include "relay/store.h"

/*
 * What an engine implements: the functions of relay/store.h under the same
 * names, with the same meaning. relay/store.c has checked the bounds of every
 * operation before commit is called.
 */
struct cs_store_engine {
	cs_err (*open)(const struct cs_store_config *config,
	    struct cs_store **ret);
	void (*close)(struct cs_store *s);
	cs_err (*commit)(struct cs_store *s, const struct cs_store_op *ops,
	    size_t n, size_t *ret_failed);
	cs_err (*record)(struct cs_store *s, const uint8_t *envelope_id,
	    struct cs_store_record *ret);
	cs_err (*terms)(struct cs_store *s, const uint8_t *envelope_id,
	    struct cs_buf *out);
	cs_err (*envelope)(struct cs_store *s, const uint8_t *envelope_id,
	    const uint8_t *holder, struct cs_buf *out);
	cs_err (*segment)(struct cs_store *s, const uint8_t *holder,
	    const uint8_t *envelope_id, const uint8_t *object_id,
	    uint32_t index, struct cs_buf *out);
	cs_err (*leaves)(struct cs_store *s, const uint8_t *envelope_id,
	    const uint8_t *object_id, uint32_t from, size_t max,
	    struct cs_store_leaf *ret, size_t *ret_n, uint32_t *ret_segments);
	cs_err (*holders)(struct cs_store *s, const uint8_t *envelope_id,
	    const uint8_t *after, size_t max, struct cs_store_holder *ret,
	    size_t *ret_n);
	cs_err (*statement)(struct cs_store *s, const uint8_t *envelope_id,
	    const uint8_t *device_id, struct cs_buf *out);
	cs_err (*statements)(struct cs_store *s, const uint8_t *envelope_id,
	    struct cs_buf *out, size_t *ret_n);
	cs_err (*mailbox)(struct cs_store *s, const uint8_t *device_id,
	    struct cs_store_mailbox *ret);
	cs_err (*list)(struct cs_store *s, const uint8_t *device_id,
	    uint64_t after_seq, size_t max, struct cs_store_mailbox *ret_head,
	    struct cs_frame_item *ret, size_t *ret_n);
	cs_err (*item)(struct cs_store *s, const uint8_t *device_id,
	    uint64_t seq, struct cs_frame_item *ret);
	cs_err (*oldest)(struct cs_store *s, uint64_t *ret_received_at_s);
	cs_err (*usage)(struct cs_store *s, enum cs_store_usage_kind kind,
	    const uint8_t *id, uint64_t *ret);
	cs_err (*log_size)(struct cs_store *s, enum cs_log log, uint64_t *ret);
	cs_err (*log_node)(struct cs_store *s, enum cs_log log, uint8_t level,
	    uint64_t index, uint8_t *ret);
	cs_err (*log_leaves)(struct cs_store *s, enum cs_log log, uint64_t from,
	    size_t max_bytes, struct cs_buf *out, size_t *ret_n,
	    uint64_t *ret_size);
	cs_err (*log_note)(struct cs_store *s, enum cs_log log,
	    struct cs_buf *out, uint64_t *ret_size);
	cs_err (*epochs)(struct cs_store *s, const uint8_t *device_id,
	    uint64_t epoch, struct cs_buf *out, uint64_t *ret_first_epoch);
	cs_err (*value)(struct cs_store *s, struct cs_bytes name,
	    struct cs_buf *out, uint64_t *ret_version);
	cs_err (*due)(struct cs_store *s, uint64_t now_s, size_t max,
	    struct cs_store_due *ret, size_t *ret_n);
	cs_err (*sweep)(struct cs_store *s, bool full, bool *ret_more);
	cs_err (*stats)(struct cs_store *s, struct cs_store_stats *ret);
};

/* Head of every engine's own store; the engine's struct begins with it. */
struct cs_store {
	const struct cs_store_engine *engine;
	struct cs_store_incarnation incarnation;
};

#endif
