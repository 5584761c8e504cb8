
#include "proto/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void
require(bool holds)
{
	if (!holds)
		__builtin_trap();
}

/*
 * One function for each layout: decodes w and writes what it got to out.
 * Returns whether it decoded.
 */
#define SAME(stem)                                                             \
	static bool same_##stem(struct cs_wire *w, struct cs_buf *out,         \
	    uint32_t id, uint64_t op)                                          \
	{                                                                      \
		struct cs_frame_##stem v;                                      \
                                                                               \
		(void)op;                                                      \
		if (cs_frame_##stem##_decode(w, &v) != CS_OK)                  \
			return false;                                          \
		cs_frame_##stem##_encode(out, id, &v);                         \
		return true;                                                   \
	}
#define SAME_OF_OPS(stem)                                                      \
	static bool same_##stem(struct cs_wire *w, struct cs_buf *out,         \
	    uint32_t id, uint64_t op)                                          \
	{                                                                      \
		struct cs_frame_##stem v;                                      \
                                                                               \
		if (cs_frame_##stem##_decode(w, &v) != CS_OK)                  \
			return false;                                          \
		cs_frame_##stem##_encode(out, id, (enum cs_op)op, &v);         \
		return true;                                                   \
	}
/* A reply with a list: copy_row copies one row. */
#define SAME_LIST(stem, rows, copy_row)                                        \
	static bool same_##stem(struct cs_wire *w, struct cs_buf *out,         \
	    uint32_t id, uint64_t op)                                          \
	{                                                                      \
		struct cs_frame_##stem v;                                      \
                                                                               \
		(void)op;                                                      \
		if (cs_frame_##stem##_decode(w, &v) != CS_OK)                  \
			return false;                                          \
		cs_frame_##stem##_encode(out, id, &v);                         \
		for (uint32_t i = 0; i < v.n; i++)                             \
			copy_row(&v.rows, out);                                \
		require(cs_wire_err(&v.rows) == CS_OK);                        \
		return true;                                                   \
	}

static void
copy_leaf(struct cs_wire *w, struct cs_buf *out)
{
	cs_wire_put_bin(out, cs_wire_bin(w, SIZE_MAX));
}

static void
copy_epoch_found(struct cs_wire *w, struct cs_buf *out)
{
	struct cs_frame_epoch_found row;

	require(cs_frame_next_epoch_found(w, &row) == CS_OK);
	cs_frame_put_epoch_found(out, &row);
}

static void
copy_item(struct cs_wire *w, struct cs_buf *out)
{
	struct cs_frame_item row;

	require(cs_frame_next_item(w, &row) == CS_OK);
	cs_frame_put_item(out, &row);
}

static void
copy_status_row(struct cs_wire *w, struct cs_buf *out)
{
	static struct cs_frame_outcome outcomes[CS_LIMIT_RECIPIENTS];
	struct cs_frame_status_row row;

	require(cs_frame_next_status_row(w, &row) == CS_OK);
	require(row.n_outcomes <= CS_LIMIT_RECIPIENTS);
	for (uint32_t i = 0; i < row.n_outcomes; i++)
		require(cs_frame_next_outcome(&row.outcomes, &outcomes[i]) ==
			CS_OK);
	cs_frame_put_status_row(out, row.state, row.custody, outcomes,
	    row.n_outcomes);
}

static bool
same_ok(struct cs_wire *w, struct cs_buf *out, uint32_t id, uint64_t op)
{
	(void)op;
	if (cs_frame_ok_decode(w) != CS_OK)
		return false;
	cs_frame_ok_encode(out, id);
	return true;
}

SAME(ping)
SAME(ping_reply)
SAME(login)
SAME(login_reply)
SAME_OF_OPS(entries)
SAME(entries_reply)
SAME(dir_sync)
SAME_LIST(dir_sync_reply, leaves, copy_leaf)
SAME(epoch_put)
SAME(epoch_get)
SAME_LIST(epoch_get_reply, found, copy_epoch_found)
SAME(cosign)
SAME(upload_begin)
SAME(upload_begin_reply)
SAME(segment_put)
SAME(segment_missing)
SAME(segment_missing_reply)
SAME(submit)
SAME(custody_reply)
SAME_OF_OPS(envelope_id)
SAME(fetch_reply)
SAME(status)
SAME_LIST(status_reply, rows, copy_status_row)
SAME(extend)
SAME(withdraw)
SAME(segment_copy)
SAME(segment_copy_reply)
SAME(receipt_leaves)
SAME(receipt_leaves_reply)
SAME(anchor)
SAME_LIST(anchor_reply, proofs, copy_leaf)
SAME(receipt_log)
SAME(receipt_log_reply)
SAME(list)
SAME_LIST(list_reply, items, copy_item)
SAME(segment_get)
SAME(segment_get_reply)
SAME(ack)
SAME(handover)
SAME(handover_reply)
SAME(audit_read)
SAME(audit_read_reply)
SAME(audit_note)

typedef bool same(struct cs_wire *w, struct cs_buf *out, uint32_t id,
    uint64_t op);

static const struct {
	enum cs_op op;
	same *request, *reply;
} layouts[] = {
	{ CS_OP_PING, same_ping, same_ping_reply },
	{ CS_OP_LOGIN, same_login, same_login_reply },
	{ CS_OP_ENROL, same_entries, same_entries_reply },
	{ CS_OP_DIR_SYNC, same_dir_sync, same_dir_sync_reply },
	{ CS_OP_DIR_APPEND, same_entries, same_entries_reply },
	{ CS_OP_EPOCH_PUT, same_epoch_put, same_ok },
	{ CS_OP_EPOCH_GET, same_epoch_get, same_epoch_get_reply },
	{ CS_OP_UPLOAD_BEGIN, same_upload_begin, same_upload_begin_reply },
	{ CS_OP_SEGMENT_PUT, same_segment_put, same_ok },
	{ CS_OP_SEGMENT_MISSING, same_segment_missing,
	    same_segment_missing_reply },
	{ CS_OP_SUBMIT, same_submit, same_custody_reply },
	{ CS_OP_UPLOAD_CANCEL, same_envelope_id, same_ok },
	{ CS_OP_STATUS, same_status, same_status_reply },
	{ CS_OP_LIST, same_list, same_list_reply },
	{ CS_OP_FETCH, same_envelope_id, same_fetch_reply },
	{ CS_OP_SEGMENT_GET, same_segment_get, same_segment_get_reply },
	{ CS_OP_ACK, same_ack, same_ok },
	{ CS_OP_COSIGN, same_cosign, same_ok },
	{ CS_OP_AUDIT_READ, same_audit_read, same_audit_read_reply },
	{ CS_OP_AUDIT_NOTE, same_audit_note, same_ok },
	{ CS_OP_HANDOVER, same_handover, same_handover_reply },
	{ CS_OP_EXTEND, same_extend, same_custody_reply },
	{ CS_OP_WITHDRAW, same_withdraw, same_ok },
	{ CS_OP_SEGMENT_COPY, same_segment_copy, same_segment_copy_reply },
	{ CS_OP_RECEIPT_LEAVES, same_receipt_leaves,
	    same_receipt_leaves_reply },
	{ CS_OP_ANCHOR, same_anchor, same_anchor_reply },
	{ CS_OP_RECEIPT_LOG, same_receipt_log, same_receipt_log_reply },
};
#define LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

static bool
same_request(struct cs_wire *w, struct cs_buf *out, uint32_t id, uint64_t op)
{
	for (size_t i = 0; i < LAYOUTS; i++)
		if ((uint64_t)layouts[i].op == op)
			return layouts[i].request(w, out, id, op);
	require(cs_frame_info(op) == NULL); /* no op without a row above */
	return false;
}

/* An error has several codes for what is unknown: only its rest compares. */
static bool
same_error(struct cs_wire *w, struct cs_buf *out, uint32_t id, uint64_t code)
{
	struct cs_frame_error v;

	if (cs_frame_error_decode(code, w, &v) != CS_OK)
		return false;
	require(v.err != CS_OK && v.detail.n <= 256);
	cs_wire_put_array(out, 4);
	cs_wire_put_uint(out, code);
	cs_wire_put_uint(out, id);
	cs_wire_put_str(out, v.detail);
	cs_wire_put_uint(out, v.retry_after_s);
	return true;
}

/*
 * The first byte says what the rest is: 0 a request, 1 … the reply to that
 * row of the table. What decodes is written as the same bytes.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_buf out = { 0 };
	struct cs_bytes in;
	struct cs_wire w;
	uint64_t first;
	uint32_t id, arguments;
	bool decoded;

	if (n == 0)
		return 0;
	in = (struct cs_bytes){ p + 1, n - 1 };
	if (cs_frame_head(in, &w, &first, &id, &arguments) != CS_OK)
		return 0;
	if (p[0] == 0)
		decoded = same_request(&w, &out, id, first);
	else if (first == 0)
		decoded = layouts[(p[0] - 1u) % LAYOUTS].reply(&w, &out, id, 0);
	else
		decoded = same_error(&w, &out, id, first);
	if (decoded)
		require(cs_bytes_eq(in, cs_buf_view(&out)));
	cs_buf_fini(&out);
	return 0;
}
