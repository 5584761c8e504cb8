#include "client/ask.h"

#include <string.h>

/* Sends what was encoded and finds the first result; empties the request. */
static cs_err
call(struct cs_conn *c, struct cs_buf *request, unsigned timeout_ms,
    struct cs_wire *ret)
{
	cs_err e = cs_conn_call(c, request, timeout_ms, ret);

	cs_buf_fini(request);
	return e;
}

/* The same for requests whose answer has no results. */
static cs_err
call_ok(struct cs_conn *c, struct cs_buf *request)
{
	struct cs_wire w;
	cs_err e;

	CS_TRY(call(c, request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_ok_decode(&w));
out:
	return e;
}

static cs_err
entries(struct cs_conn *c, enum cs_op op, const struct cs_frame_entries *v,
    uint64_t *ret_first)
{
	struct cs_frame_entries_reply reply;
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_entries_encode(&request, cs_conn_id(c), op, v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_entries_reply_decode(&w, &reply));
	*ret_first = reply.first;
out:
	return e;
}

cs_err
cs_ask_ping(struct cs_conn *c, uint64_t *ret_time_s)
{
	const struct cs_frame_ping v = { 0 };
	struct cs_frame_ping_reply reply;
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_ping_encode(&request, cs_conn_id(c), &v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_ping_reply_decode(&w, &reply));
	*ret_time_s = reply.time_s;
out:
	return e;
}

cs_err
cs_ask_enrol(struct cs_conn *c, const struct cs_frame_entries *v,
    uint64_t *ret_first)
{
	return entries(c, CS_OP_ENROL, v, ret_first);
}

cs_err
cs_ask_dir_append(struct cs_conn *c, const struct cs_frame_entries *v,
    uint64_t *ret_first)
{
	return entries(c, CS_OP_DIR_APPEND, v, ret_first);
}

cs_err
cs_ask_dir_sync(struct cs_conn *c, uint64_t from,
    struct cs_frame_dir_sync_reply *ret)
{
	const struct cs_frame_dir_sync v = { .from = from };
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_dir_sync_encode(&request, cs_conn_id(c), &v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_dir_sync_reply_decode(&w, ret));
out:
	return e;
}

cs_err
cs_ask_handover(struct cs_conn *c, const struct cs_frame_handover *v,
    struct cs_frame_handover_reply *ret)
{
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_handover_encode(&request, cs_conn_id(c), v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_handover_reply_decode(&w, ret));
out:
	return e;
}

cs_err
cs_ask_cosign(struct cs_conn *c, const struct cs_frame_cosign *v)
{
	struct cs_buf request = { 0 };

	cs_frame_cosign_encode(&request, cs_conn_id(c), v);
	return call_ok(c, &request);
}

cs_err
cs_ask_epoch_put(struct cs_conn *c, const struct cs_frame_epoch_put *v)
{
	struct cs_buf request = { 0 };

	cs_frame_epoch_put_encode(&request, cs_conn_id(c), v);
	return call_ok(c, &request);
}

cs_err
cs_ask_epoch_get(struct cs_conn *c, const struct cs_frame_epoch_get *v,
    struct cs_frame_epoch_get_reply *ret)
{
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_epoch_get_encode(&request, cs_conn_id(c), v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_epoch_get_reply_decode(&w, ret));
out:
	return e;
}

cs_err
cs_ask_upload_begin(struct cs_conn *c, const struct cs_frame_upload_begin *v)
{
	struct cs_frame_upload_begin_reply reply;
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_upload_begin_encode(&request, cs_conn_id(c), v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_upload_begin_reply_decode(&w, &reply));
out:
	return e;
}

cs_err
cs_ask_upload_cancel(struct cs_conn *c,
    const uint8_t envelope_id[static CS_ID_BYTES])
{
	struct cs_frame_envelope_id v;
	struct cs_buf request = { 0 };

	memcpy(v.envelope_id, envelope_id, CS_ID_BYTES);
	cs_frame_envelope_id_encode(&request, cs_conn_id(c),
	    CS_OP_UPLOAD_CANCEL, &v);
	return call_ok(c, &request);
}

cs_err
cs_ask_segment_missing(struct cs_conn *c,
    const struct cs_frame_segment_missing *v,
    struct cs_frame_segment_missing_reply *ret)
{
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_segment_missing_encode(&request, cs_conn_id(c), v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_segment_missing_reply_decode(&w, ret));
out:
	return e;
}

cs_err
cs_ask_submit(struct cs_conn *c, struct cs_bytes envelope,
    struct cs_bytes *ret_custody)
{
	const struct cs_frame_submit v = { .envelope = envelope };
	struct cs_frame_custody_reply reply;
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_submit_encode(&request, cs_conn_id(c), &v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_custody_reply_decode(&w, &reply));
	*ret_custody = reply.custody;
out:
	return e;
}

cs_err
cs_ask_status(struct cs_conn *c, struct cs_bytes envelope_ids,
    struct cs_frame_status_reply *ret)
{
	const struct cs_frame_status v = { .envelope_ids = envelope_ids };
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_status_encode(&request, cs_conn_id(c), &v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_status_reply_decode(&w, ret));
out:
	return e;
}

cs_err
cs_ask_extend(struct cs_conn *c, const struct cs_frame_extend *v,
    struct cs_bytes *ret_custody)
{
	struct cs_frame_custody_reply reply;
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_extend_encode(&request, cs_conn_id(c), v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_custody_reply_decode(&w, &reply));
	*ret_custody = reply.custody;
out:
	return e;
}

cs_err
cs_ask_withdraw(struct cs_conn *c, const struct cs_frame_withdraw *v)
{
	struct cs_buf request = { 0 };

	cs_frame_withdraw_encode(&request, cs_conn_id(c), v);
	return call_ok(c, &request);
}

cs_err
cs_ask_segment_copy(struct cs_conn *c, const struct cs_frame_segment_copy *v,
    uint32_t *ret_number)
{
	struct cs_frame_segment_copy_reply reply;
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_segment_copy_encode(&request, cs_conn_id(c), v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_segment_copy_reply_decode(&w, &reply));
	CS_TRY(reply.number <= v->count ? CS_OK : CS_MALFORMED);
	*ret_number = reply.number;
out:
	return e;
}

cs_err
cs_ask_receipt_leaves(struct cs_conn *c,
    const struct cs_frame_receipt_leaves *v, struct cs_bytes *ret_leaves)
{
	struct cs_frame_receipt_leaves_reply reply;
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_receipt_leaves_encode(&request, cs_conn_id(c), v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_receipt_leaves_reply_decode(&w, &reply));
	CS_TRY(reply.leaves.n / CS_HASH_BYTES <= v->count ? CS_OK
							  : CS_MALFORMED);
	*ret_leaves = reply.leaves;
out:
	return e;
}

cs_err
cs_ask_anchor(struct cs_conn *c, struct cs_bytes leaves,
    struct cs_frame_anchor_reply *ret)
{
	const struct cs_frame_anchor v = { .leaves = leaves };
	struct cs_frame_anchor_reply reply;
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_anchor_encode(&request, cs_conn_id(c), &v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_anchor_reply_decode(&w, &reply));
	CS_TRY(reply.n == leaves.n / CS_HASH_BYTES ? CS_OK : CS_MALFORMED);
	*ret = reply;
out:
	return e;
}

cs_err
cs_ask_receipt_log(struct cs_conn *c, const struct cs_frame_receipt_log *v,
    struct cs_frame_receipt_log_reply *ret)
{
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_receipt_log_encode(&request, cs_conn_id(c), v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_receipt_log_reply_decode(&w, ret));
out:
	return e;
}

cs_err
cs_ask_list(struct cs_conn *c, const struct cs_frame_list *v,
    struct cs_frame_list_reply *ret)
{
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_list_encode(&request, cs_conn_id(c), v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS + v->wait_ms, &w));
	CS_TRY(cs_frame_list_reply_decode(&w, ret));
out:
	return e;
}

cs_err
cs_ask_fetch(struct cs_conn *c, const uint8_t envelope_id[static CS_ID_BYTES],
    struct cs_bytes *ret_envelope)
{
	struct cs_frame_fetch_reply reply;
	struct cs_frame_envelope_id v;
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	memcpy(v.envelope_id, envelope_id, CS_ID_BYTES);
	cs_frame_envelope_id_encode(&request, cs_conn_id(c), CS_OP_FETCH, &v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_fetch_reply_decode(&w, &reply));
	*ret_envelope = reply.envelope;
out:
	return e;
}

cs_err
cs_ask_ack(struct cs_conn *c, const struct cs_frame_ack *v)
{
	struct cs_buf request = { 0 };

	cs_frame_ack_encode(&request, cs_conn_id(c), v);
	return call_ok(c, &request);
}

cs_err
cs_ask_audit_read(struct cs_conn *c, const struct cs_frame_audit_read *v,
    struct cs_frame_audit_read_reply *ret)
{
	struct cs_buf request = { 0 };
	struct cs_wire w;
	cs_err e;

	cs_frame_audit_read_encode(&request, cs_conn_id(c), v);
	CS_TRY(call(c, &request, CS_CONN_TIMEOUT_MS, &w));
	CS_TRY(cs_frame_audit_read_reply_decode(&w, ret));
out:
	return e;
}

cs_err
cs_ask_audit_note(struct cs_conn *c, const struct cs_frame_audit_note *v)
{
	struct cs_buf request = { 0 };

	cs_frame_audit_note_encode(&request, cs_conn_id(c), v);
	return call_ok(c, &request);
}
