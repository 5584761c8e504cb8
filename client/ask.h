#ifndef CS_CLIENT_ASK_H
#define CS_CLIENT_ASK_H

#include "client/conn.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/frame.h"

/*
 * One request and its answer, decoded. Views in a reply borrow from the
 * session until its next call. Errors: those of cs_conn_call, and
 * CS_MALFORMED for an answer that is not of its kind.
 */
CS_MUST_USE cs_err cs_ask_ping(struct cs_conn *c, uint64_t *ret_time_s);
CS_MUST_USE cs_err cs_ask_enrol(struct cs_conn *c,
    const struct cs_frame_entries *v, uint64_t *ret_first);
CS_MUST_USE cs_err cs_ask_dir_append(struct cs_conn *c,
    const struct cs_frame_entries *v, uint64_t *ret_first);
CS_MUST_USE cs_err cs_ask_dir_sync(struct cs_conn *c, uint64_t from,
    struct cs_frame_dir_sync_reply *ret);
CS_MUST_USE cs_err cs_ask_cosign(struct cs_conn *c,
    const struct cs_frame_cosign *v);
CS_MUST_USE cs_err cs_ask_epoch_put(struct cs_conn *c,
    const struct cs_frame_epoch_put *v);
CS_MUST_USE cs_err cs_ask_epoch_get(struct cs_conn *c,
    const struct cs_frame_epoch_get *v, struct cs_frame_epoch_get_reply *ret);
CS_MUST_USE cs_err cs_ask_upload_begin(struct cs_conn *c,
    const struct cs_frame_upload_begin *v);
CS_MUST_USE cs_err cs_ask_upload_cancel(struct cs_conn *c,
    const uint8_t envelope_id[static CS_ID_BYTES]);
CS_MUST_USE cs_err cs_ask_segment_missing(struct cs_conn *c,
    const struct cs_frame_segment_missing *v,
    struct cs_frame_segment_missing_reply *ret);
CS_MUST_USE cs_err cs_ask_submit(struct cs_conn *c, struct cs_bytes envelope,
    struct cs_bytes *ret_custody);
CS_MUST_USE cs_err cs_ask_status(struct cs_conn *c,
    struct cs_bytes envelope_ids, struct cs_frame_status_reply *ret);
CS_MUST_USE cs_err cs_ask_extend(struct cs_conn *c,
    const struct cs_frame_extend *v, struct cs_bytes *ret_custody);
CS_MUST_USE cs_err cs_ask_withdraw(struct cs_conn *c,
    const struct cs_frame_withdraw *v);
CS_MUST_USE cs_err cs_ask_segment_copy(struct cs_conn *c,
    const struct cs_frame_segment_copy *v, uint32_t *ret_number);
CS_MUST_USE cs_err cs_ask_receipt_leaves(struct cs_conn *c,
    const struct cs_frame_receipt_leaves *v, struct cs_bytes *ret_leaves);
CS_MUST_USE cs_err cs_ask_anchor(struct cs_conn *c, struct cs_bytes leaves,
    struct cs_frame_anchor_reply *ret);
CS_MUST_USE cs_err cs_ask_receipt_log(struct cs_conn *c,
    const struct cs_frame_receipt_log *v,
    struct cs_frame_receipt_log_reply *ret);
CS_MUST_USE cs_err cs_ask_list(struct cs_conn *c, const struct cs_frame_list *v,
    struct cs_frame_list_reply *ret);
CS_MUST_USE cs_err cs_ask_fetch(struct cs_conn *c,
    const uint8_t envelope_id[static CS_ID_BYTES],
    struct cs_bytes *ret_envelope);
CS_MUST_USE cs_err cs_ask_ack(struct cs_conn *c, const struct cs_frame_ack *v);
CS_MUST_USE cs_err cs_ask_audit_read(struct cs_conn *c,
    const struct cs_frame_audit_read *v, struct cs_frame_audit_read_reply *ret);
CS_MUST_USE cs_err cs_ask_audit_note(struct cs_conn *c,
    const struct cs_frame_audit_note *v);
CS_MUST_USE cs_err cs_ask_handover(struct cs_conn *c,
    const struct cs_frame_handover *v, struct cs_frame_handover_reply *ret);

#endif
