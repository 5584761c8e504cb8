#ifndef CS_PROTO_FRAME_H
#define CS_PROTO_FRAME_H

#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/checkpoint.h"
#include "proto/cosignature.h"
#include "proto/limits.h"
#include "proto/wire.h"

/*
 * Requests [op, request id, arguments…] and replies [code, request id,
 * results…] of the session protocol, one codec each. A reply whose code is
 * not OK is [code, request id, detail str, retry_after_s]. The detail never
 * holds a secret or anything of a patient.
 */
enum cs_who {
	CS_WHO_ANYONE,
	CS_WHO_LOGGED_IN,
	CS_WHO_MEMBER,
	CS_WHO_ADMIN,
	CS_WHO_WITNESS,
};

enum cs_op {
#define CS_FRAME(NAME, name, op, who, limit) CS_OP_##NAME = op,
#include "proto/frame.def"
#undef CS_FRAME
};

/*
 * What a relay may say in the clear instead of the second handshake message,
 * before it closes: one frame of this one byte. Anybody on the way can say it
 * too, so it decides what is printed and whether to try again, nothing else.
 */
enum cs_frame_hint {
	CS_FRAME_HINT_BUSY = 1,     /* no place for another connection */
	CS_FRAME_HINT_HANDSHAKE = 2 /* the first message is not for it */
};

/* A row of frame.def. */
struct cs_frame_info {
	enum cs_op op;
	const char *name;
	enum cs_who who;
	uint32_t limit_bytes; /* whole request */
};

/* Row of an op, static storage; NULL for an unknown op. */
const struct cs_frame_info *cs_frame_info(uint64_t op);

/* Row by number, from 0; NULL past the last. */
const struct cs_frame_info *cs_frame_info_at(unsigned row);

/* Head of any request or reply: reads [first, id, …] and leaves w at the
 * first argument. CS_OK, CS_MALFORMED. */
CS_MUST_USE cs_err cs_frame_head(struct cs_bytes in, struct cs_wire *ret_w,
    uint64_t *ret_first, uint32_t *ret_id, uint32_t *ret_arguments);

/*
 * Writes an error reply.
 *   e       not CS_OK
 *   detail  UTF-8 or NULL; cut to 256 bytes at the end of a character
 */
void cs_frame_error_encode(struct cs_buf *out, uint32_t id, cs_err e,
    const char *detail, uint32_t retry_after_s);

struct cs_frame_error {
	cs_err err;
	struct cs_bytes detail; /* UTF-8, ≤ 256 bytes */
	uint32_t retry_after_s;
};

/* Reads the rest of a reply whose code is not 0. CS_OK, CS_MALFORMED,
 * CS_TOO_LARGE; the detail borrows from the reply. */
CS_MUST_USE cs_err cs_frame_error_decode(uint64_t code, struct cs_wire *w,
    struct cs_frame_error *ret);

/* Code of an error and error of a code (code.def); CS_INTERNAL for what has
 * no row. */
uint8_t cs_frame_code(cs_err e);
cs_err cs_frame_code_err(uint64_t code);

#define CS_FRAME_MAX_ENTRIES 64           /* directory entries in one request */
#define CS_FRAME_SYNC_BYTES  (512u << 10) /* leaves in one dir_sync reply */
#define CS_FRAME_MAX_ITEMS   256          /* mailbox items in one list reply */
#define CS_FRAME_MAX_STATUS  64
#define CS_FRAME_MAX_RANGES  1024
#define CS_FRAME_WAIT_MS     50000 /* longest parked request */
#define CS_FRAME_MAX_RECORDS 4096  /* of the audit log in one reply */
#define CS_FRAME_MAX_ANCHORS 64    /* leaves in one request */
#define CS_FRAME_MAX_COPIES  16    /* segments in one request */
#define CS_FRAME_MAX_LEAVES  8192  /* of the receipt log in one reply */

/* ping: [] -> [time_s] */
struct cs_frame_ping {
	char none;
};
struct cs_frame_ping_reply {
	uint64_t time_s;
};

/* login: [device_id, seen.size, seen.root, signature] -> [time_s, dir_size].
 * device_id is the subject id of a registrar or witness. */
struct cs_frame_login {
	uint8_t device_id[CS_ID_BYTES];
	struct cs_log_view seen;
	uint8_t signature[CS_SIGNATURE_BYTES];
};
struct cs_frame_login_reply {
	uint64_t time_s, dir_size;
};

/* enrol and dir_append: [[entry…]] -> [index of the first]. All or none. */
struct cs_frame_entries {
	uint32_t n;
	struct cs_bytes entry[CS_FRAME_MAX_ENTRIES];
};
struct cs_frame_entries_reply {
	uint64_t first;
};

/* dir_sync: [from] -> [checkpoint note, [leaf…]]; leaves from `from` on,
 * possibly fewer than the checkpoint covers: ask again from the next. */
struct cs_frame_dir_sync {
	uint64_t from;
};
struct cs_frame_dir_sync_reply {
	struct cs_bytes checkpoint;
	uint32_t n;            /* leaves in the array … */
	struct cs_wire leaves; /* … read each with cs_wire_bin */
};

/* epoch_put: [first_epoch, count × public key] -> [] */
struct cs_frame_epoch_put {
	uint64_t first_epoch;
	struct cs_bytes keys; /* count × CS_KEM_PUBLIC_BYTES */
};

/* epoch_get: [epoch, n × device_id] -> [[epoch, first_epoch, count, key,
 * proof]…], in the order asked. found.epoch is the one asked for, else the
 * newest published before it, and 0 (key empty) where a device has none. */
struct cs_frame_epoch_get {
	uint64_t epoch;
	struct cs_bytes device_ids;
};
struct cs_frame_epoch_found {
	uint64_t epoch, first_epoch;
	uint8_t count;
	struct cs_bytes key;   /* CS_KEM_PUBLIC_BYTES or empty */
	struct cs_bytes proof; /* inclusion in the batch tree */
};
struct cs_frame_epoch_get_reply {
	uint32_t n;
	struct cs_wire found;
};

/* One row: written after the head of the reply; read from .found, which moves
 * on. CS_OK, CS_MALFORMED, CS_TOO_LARGE. */
void cs_frame_put_epoch_found(struct cs_buf *out,
    const struct cs_frame_epoch_found *row);
CS_MUST_USE cs_err cs_frame_next_epoch_found(struct cs_wire *w,
    struct cs_frame_epoch_found *ret);

/* cosign: [SHA-256 of the note's body, cosignature] -> []. CS_LOST: the relay
 * has a newer checkpoint. Repeating is harmless. */
struct cs_frame_cosign {
	uint8_t note_hash[CS_HASH_BYTES];
	struct cs_cosignature cosignature;
};

/* upload_begin: reserves room. [envelope_id, class, expires_at_s,
 * n × device_id, m × (object_id 16 ‖ u32 segments), envelope_bytes]
 * -> [reserved_until_s]. Repeating it is harmless. */
struct cs_frame_upload_begin {
	uint8_t envelope_id[CS_ID_BYTES];
	uint8_t class;
	uint64_t expires_at_s;
	struct cs_bytes device_ids; /* n × 16, ascending */
	struct cs_bytes objects;    /* m × 20, ascending */
	uint32_t envelope_bytes;
};
struct cs_frame_upload_begin_reply {
	uint64_t reserved_until_s;
};

/* segment_put: [envelope_id, object_id, index, segment] -> [] */
struct cs_frame_segment_put {
	uint8_t envelope_id[CS_ID_BYTES];
	uint8_t object_id[CS_ID_BYTES];
	uint32_t index;
	struct cs_bytes segment;
};

/* segment_missing: [envelope_id, object_id] -> [n × (u32 first ‖ u32 count)];
 * at most CS_FRAME_MAX_RANGES ranges, lowest first. */
struct cs_frame_segment_missing {
	uint8_t envelope_id[CS_ID_BYTES];
	uint8_t object_id[CS_ID_BYTES];
};
struct cs_frame_segment_missing_reply {
	struct cs_bytes ranges;
};

/* submit: [envelope] -> [logged custody statement (cs_statement_logged)] */
struct cs_frame_submit {
	struct cs_bytes envelope;
};
struct cs_frame_custody_reply { /* also of extend */
	struct cs_bytes custody;
};

/* upload_cancel, fetch: [envelope_id]; fetch -> [envelope] */
struct cs_frame_envelope_id {
	uint8_t envelope_id[CS_ID_BYTES];
};
struct cs_frame_fetch_reply {
	struct cs_bytes envelope;
};

/*
 * status: [n × envelope_id] -> [[state, custody, [[outcome, evidence]…]]…] in
 * the order asked. custody and outcomes are logged statements; custody is
 * empty unless state is accepted or gone. evidence is what caused the outcome
 * (cs_statement_evidence_decode), empty where nobody's word did.
 * CS_TOO_LARGE: ask for fewer at once.
 */
enum cs_upload_state {
	CS_UPLOAD_UNKNOWN = 0, /* also: not yours */
	CS_UPLOAD_RESERVED = 1,
	CS_UPLOAD_ACCEPTED = 2,
	CS_UPLOAD_GONE = 3, /* every recipient has an outcome */
};
struct cs_frame_status {
	struct cs_bytes envelope_ids;
};
struct cs_frame_status_reply {
	uint32_t n;
	struct cs_wire rows;
};
struct cs_frame_status_row {
	enum cs_upload_state state;
	struct cs_bytes custody;
	uint32_t n_outcomes;
	struct cs_wire outcomes; /* read each with cs_frame_next_outcome */
};
struct cs_frame_outcome {
	struct cs_bytes outcome;  /* logged statement */
	struct cs_bytes evidence; /* logged statement and signature, or empty */
};

/* One row of the reply, with n outcomes. */
void cs_frame_put_status_row(struct cs_buf *out, enum cs_upload_state state,
    struct cs_bytes custody, const struct cs_frame_outcome *outcomes,
    uint32_t n);

/* Reads an outcome of a row and moves w past it. CS_OK, CS_MALFORMED,
 * CS_TOO_LARGE. */
CS_MUST_USE cs_err cs_frame_next_outcome(struct cs_wire *w,
    struct cs_frame_outcome *ret);

/* Reads a row and moves w past it. CS_OK, CS_MALFORMED, CS_TOO_LARGE. */
CS_MUST_USE cs_err cs_frame_next_status_row(struct cs_wire *w,
    struct cs_frame_status_row *ret);

/*
 * extend: [envelope_id, expires] -> [logged custody statement]: the relay keeps
 * what it accepted for longer, never shorter, and states it anew. CS_EXPIRED:
 * every recipient has an outcome; CS_TOO_LARGE: longer than an envelope may
 * live.
 */
struct cs_frame_extend {
	uint8_t envelope_id[CS_ID_BYTES];
	uint64_t expires_at_s;
};

/*
 * withdraw: [statement `consil/withdraw`, signature] -> []: whoever has no
 * outcome yet gets withdrawn, and the relay forgets the bytes. Once more is ok.
 */
struct cs_frame_withdraw {
	struct cs_bytes statement;
	uint8_t signature[CS_SIGNATURE_BYTES];
};

/*
 * segment_copy: [envelope_id, object_id, first, count, source envelope_id,
 * source object_id] -> [number]: segments first … of an upload that the device
 * began become what the relay has as those of the source, an envelope that the
 * device sent or was sent and that the relay still holds. number is how many
 * of count there were; CS_NOT_FOUND: there is no such source for this device.
 */
struct cs_frame_segment_copy {
	uint8_t envelope_id[CS_ID_BYTES];
	uint8_t object_id[CS_ID_BYTES];
	uint32_t first, count; /* 1 … CS_FRAME_MAX_COPIES */
	uint8_t source_envelope_id[CS_ID_BYTES];
	uint8_t source_object_id[CS_ID_BYTES];
};
struct cs_frame_segment_copy_reply {
	uint32_t number;
};

/*
 * anchor: [n × leaf] -> [first, note, [proof…]]: enters what the device
 * remembers in the receipt log, so that it can show later that it existed by
 * then. Each leaf is SHA-256(salt ‖ statement), both known to the device alone;
 * the data of the log's leaf is cs_statement_anchor of it, so that nobody can
 * have an anchor pass for a statement of the relay. first is the number of the
 * first, note the newest checkpoint of the log, proofs (packed hashes) are of
 * inclusion under it, one for each leaf. The last request of a device asked
 * again is answered with the same numbers. CS_QUOTA: enough for today.
 */
struct cs_frame_anchor {
	struct cs_bytes leaves; /* n × CS_HASH_BYTES */
};
struct cs_frame_anchor_reply {
	uint64_t first;
	struct cs_bytes checkpoint;
	uint32_t n;
	struct cs_wire proofs; /* read each with cs_wire_bin */
};

/*
 * receipt_log: [from, to] -> [note, proof]: the newest checkpoint of the
 * receipt log, and the proof that the log of size to (0: the note's) continues
 * the one of size from; empty where from is 0 or equal. CS_NOT_FOUND: the log
 * is shorter than that; CS_MALFORMED: from is beyond to.
 */
struct cs_frame_receipt_log {
	uint64_t from, to;
};
struct cs_frame_receipt_log_reply {
	struct cs_bytes checkpoint;
	struct cs_bytes consistency; /* hashes */
};

/*
 * receipt_leaves: [from, count] -> [n × leaf data]: what the receipt log is
 * made of, fewer than count at its end. Hashes: they say how much was stated,
 * and nothing of what. CS_NOT_FOUND: the log is shorter than from.
 */
struct cs_frame_receipt_leaves {
	uint64_t from;
	uint32_t count; /* 1 … CS_FRAME_MAX_LEAVES */
};
struct cs_frame_receipt_leaves_reply {
	struct cs_bytes leaves; /* n × CS_HASH_BYTES */
};

/*
 * list: [after_seq, max, wait_ms] -> [head_seq, head_chain, [item…]].
 * Parked up to wait_ms while nothing is after after_seq. head_* name the
 * newest item ever put into this mailbox, deleted or not. An item with an
 * outcome is a tombstone: it ended before the device took it, and is listed so
 * that the chain can be followed and the human be told.
 */
struct cs_frame_list {
	uint64_t after_seq;
	uint32_t max, wait_ms;
};
struct cs_frame_item {
	uint64_t seq;
	uint8_t envelope_id[CS_ID_BYTES];
	uint8_t e[CS_HASH_BYTES];
	uint8_t class;
	uint64_t stored_bytes, received_at_s, expires_at_s;
	uint8_t outcome; /* 0: it is here; else enum cs_outcome, not fetched */
};
struct cs_frame_list_reply {
	uint64_t head_seq;
	uint8_t head_chain[CS_HASH_BYTES];
	uint32_t n;
	struct cs_wire items;
};

/* One row: written after the head of the reply; read from .items, which moves
 * on. CS_OK, CS_MALFORMED, CS_TOO_LARGE. */
void cs_frame_put_item(struct cs_buf *out, const struct cs_frame_item *item);
CS_MUST_USE cs_err cs_frame_next_item(struct cs_wire *w,
    struct cs_frame_item *ret);

/* segment_get: [envelope_id, object_id, index] -> [segment] */
struct cs_frame_segment_get {
	uint8_t envelope_id[CS_ID_BYTES];
	uint8_t object_id[CS_ID_BYTES];
	uint32_t index;
};
struct cs_frame_segment_get_reply {
	struct cs_bytes segment;
};

/* ack: [statement (consil/ack), signature] -> []. Repeating is harmless. */
struct cs_frame_ack {
	struct cs_bytes statement;
	uint8_t signature[CS_SIGNATURE_BYTES];
};

/*
 * handover: [destroy] -> [entry, since_s, has_old, n_devices, n_waiting,
 * n_invitations, due_s]. How far the relay's newest keys are known; with
 * destroy the ones before are destroyed, if due_s is past (CS_TOO_EARLY) and
 * there are any (CS_NOT_FOUND).
 */
struct cs_frame_handover {
	bool destroy;
};
struct cs_frame_handover_reply {
	uint64_t entry, since_s; /* the relay's newest entry */
	bool has_old;            /* the keys before still make handshakes */
	uint64_t n_devices;      /* in good standing */
	uint64_t n_waiting;      /* of them: not seen to know the entry */
	uint64_t n_invitations;  /* older than the entry, still to be used */
	uint64_t due_s;          /* from when the old keys can be destroyed */
};

/*
 * audit_read: [by_time, from, until, anchor, old_size] -> [checkpoint note,
 * first, records, proof of the anchor, proof of the last, consistency proof].
 * Records from number `from` on, or, by time, from the one before the first
 * that is not before `from`; to the first that is not before the time
 * `until`, or fewer: ask again from the next. Proofs are for the size of the
 * note: inclusion of record `anchor` (CS_FRAME_AUDIT_FIRST: the first of the
 * reply), inclusion of the last of the reply, consistency with the log of
 * old_size (0: none).
 */
#define CS_FRAME_AUDIT_FIRST UINT64_MAX
struct cs_frame_audit_read {
	bool by_time;
	uint64_t from, until_s, anchor, old_size;
};
struct cs_frame_audit_read_reply {
	struct cs_bytes checkpoint;
	uint64_t first;
	struct cs_bytes records; /* n × CS_AUDIT_RECORD_BYTES */
	struct cs_bytes proof_anchor, proof_last; /* hashes */
	struct cs_bytes consistency;
};

/* audit_note: [kind, date, failed] -> []: has the audit log say that something
 * happened outside of the relay. Repeating is harmless. */
struct cs_frame_audit_note {
	uint8_t kind; /* enum cs_audit_note */
	uint64_t date_s;
	bool failed;
};

/*
 * Codecs. X_decode reads the arguments after cs_frame_head and requires the
 * input to end; X_encode writes the whole message. Replies with lists are
 * begun by their encode function with the count; the rows are then appended
 * with the put functions (cs_wire_put_bin for leaves). A reply without
 * results is written by cs_frame_ok_encode.
 * All decoders: CS_OK, CS_MALFORMED, CS_TOO_LARGE; views borrow from in.
 */
#define CS_REQUEST(stem)                                                       \
	void cs_frame_##stem##_encode(struct cs_buf *out, uint32_t id,         \
	    const struct cs_frame_##stem *v);                                  \
	CS_MUST_USE cs_err cs_frame_##stem##_decode(struct cs_wire *w,         \
	    struct cs_frame_##stem *ret);
#define CS_REPLY(stem)                                                         \
	void cs_frame_##stem##_reply_encode(struct cs_buf *out, uint32_t id,   \
	    const struct cs_frame_##stem##_reply *v);                          \
	CS_MUST_USE cs_err cs_frame_##stem##_reply_decode(struct cs_wire *w,   \
	    struct cs_frame_##stem##_reply *ret);
CS_REQUEST(ping)
CS_REPLY(ping)
CS_REQUEST(login)
CS_REPLY(login)
CS_REPLY(entries)
CS_REQUEST(dir_sync)
CS_REPLY(dir_sync)
CS_REQUEST(epoch_put)
CS_REQUEST(epoch_get)
CS_REPLY(epoch_get)
CS_REQUEST(cosign)
CS_REQUEST(upload_begin)
CS_REPLY(upload_begin)
CS_REQUEST(segment_put)
CS_REQUEST(segment_missing)
CS_REPLY(segment_missing)
CS_REQUEST(submit)
CS_REPLY(custody)
CS_REQUEST(status)
CS_REPLY(status)
CS_REQUEST(extend)
CS_REQUEST(withdraw)
CS_REQUEST(segment_copy)
CS_REPLY(segment_copy)
CS_REQUEST(anchor)
CS_REPLY(anchor)
CS_REQUEST(receipt_log)
CS_REPLY(receipt_log)
CS_REQUEST(receipt_leaves)
CS_REPLY(receipt_leaves)
CS_REQUEST(list)
CS_REPLY(list)
CS_REPLY(fetch)
CS_REQUEST(segment_get)
CS_REPLY(segment_get)
CS_REQUEST(ack)
CS_REQUEST(handover)
CS_REPLY(handover)
CS_REQUEST(audit_read)
CS_REPLY(audit_read)
CS_REQUEST(audit_note)
#undef CS_REQUEST
#undef CS_REPLY

/* The two layouts that serve several ops take the op. */
void cs_frame_entries_encode(struct cs_buf *out, uint32_t id, enum cs_op op,
    const struct cs_frame_entries *v);
CS_MUST_USE cs_err cs_frame_entries_decode(struct cs_wire *w,
    struct cs_frame_entries *ret);
void cs_frame_envelope_id_encode(struct cs_buf *out, uint32_t id, enum cs_op op,
    const struct cs_frame_envelope_id *v);
CS_MUST_USE cs_err cs_frame_envelope_id_decode(struct cs_wire *w,
    struct cs_frame_envelope_id *ret);
void cs_frame_ok_encode(struct cs_buf *out, uint32_t id);

/* Requires a reply without results. */
CS_MUST_USE cs_err cs_frame_ok_decode(struct cs_wire *w);

#endif
