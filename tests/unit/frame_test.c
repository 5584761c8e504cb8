#include "tests/test.h"

#include <string.h>

#include "proto/audit.h"
#include "proto/envelope.h"
#include "proto/frame.h"
#include "proto/statement.h"

static struct cs_buf message;

/* The n bytes 1, 2, 3 … */
static struct cs_bytes
count_up(size_t n)
{
	uint8_t *p = test_alloc(n);

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i + 1);
	return (struct cs_bytes){ p, n };
}

/* Rows of `row` bytes whose first two bytes count up from 0. */
static struct cs_bytes
rows(size_t n, size_t row)
{
	uint8_t *p = test_alloc(n * row);

	memset(p, 1, n * row);
	for (size_t i = 0; i < n; i++) {
		p[i * row] = (uint8_t)(i >> 8);
		p[i * row + 1] = (uint8_t)i;
	}
	return (struct cs_bytes){ p, n * row };
}

static void
fill(uint8_t *p, size_t n, uint8_t v)
{
	memset(p, v, n);
}

/* Starts a message anew. */
static struct cs_buf *
fresh(void)
{
	cs_buf_fini(&message);
	return &message;
}

/* Reads the head of the message written last and checks it. */
static struct cs_wire
opened(uint64_t first, uint32_t arguments)
{
	struct cs_wire w = { 0 };
	uint64_t got_first = 99;
	uint32_t got_id = 99, got_arguments = 99;

	CHECK_OK(cs_buf_err(&message));
	CHECK_OK(cs_frame_head(cs_buf_view(&message), &w, &got_first, &got_id,
	    &got_arguments));
	CHECK_NUM(first, got_first);
	CHECK_NUM(7, got_id);
	CHECK_NUM(arguments, got_arguments);
	return w;
}

/* ------------------------------------------------------------------- heads */

TEST(table_has_every_op_once)
{
	unsigned n = 0;

	while (cs_frame_info_at(n)) {
		const struct cs_frame_info *row = cs_frame_info_at(n++);

		CHECK(cs_frame_info(row->op) == row);
		CHECK(row->limit_bytes > 0);
		CHECK(row->limit_bytes <= CS_LIMIT_FRAME_BYTES);
		CHECK(row->who != CS_WHO_ANYONE ||
		      row->limit_bytes <= CS_LIMIT_FRAME_PREAUTH_BYTES);
	}
	CHECK_STR("login", cs_frame_info(CS_OP_LOGIN)->name);
	CHECK(cs_frame_info(CS_OP_LOGIN)->who == CS_WHO_ANYONE);
	CHECK(cs_frame_info(0) == NULL);
	CHECK(cs_frame_info(CS_OP_PING + (UINT64_C(1) << 32)) == NULL);
}

TEST(codes_map_both_ways)
{
	for (uint64_t code = 0; code <= 21; code++)
		CHECK_NUM(code, cs_frame_code(cs_frame_code_err(code)));
	CHECK_NUM(0, cs_frame_code(CS_OK));
	CHECK_NUM(6, cs_frame_code(CS_QUOTA));
	CHECK_NUM(20, cs_frame_code(CS_BAD_PASSPHRASE)); /* has no row */
	CHECK_ERR(CS_INTERNAL, cs_frame_code_err(255));
	CHECK_ERR(CS_INTERNAL, cs_frame_code_err(256));
}

TEST(head_refuses_what_is_none)
{
	static const char *const bad[] = { "", "90", "91 01", "01", "92 01 a0",
		"92 a0 01", "92 01 cf0000000100000000", "92 ff 01", "81 a0 01",
		"92 01" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cs_wire w = { .depth = 5 };
		uint64_t first = 99;
		uint32_t id = 99, n = 99;

		CHECK_ERR(CS_MALFORMED,
		    cs_frame_head(HEX(bad[i]), &w, &first, &id, &n));
		CHECK(first == 99 && id == 99 && n == 99 && w.depth == 5);
	}
}

TEST(errors_round_trip)
{
	struct cs_frame_error got = { 0 };
	struct cs_wire w;

	cs_frame_error_encode(fresh(), 7, CS_QUOTA, "mailbox full", 30);
	w = opened(6, 2);
	CHECK_OK(cs_frame_error_decode(6, &w, &got));
	CHECK_ERR(CS_QUOTA, got.err);
	CHECK_VIEW(cs_bytes_str("mailbox full"), got.detail);
	CHECK_NUM(30, got.retry_after_s);

	cs_frame_error_encode(fresh(), 7, CS_NOT_FOUND, NULL, 0);
	w = opened(3, 2);
	CHECK_OK(cs_frame_error_decode(3, &w, &got));
	CHECK_NUM(0, got.detail.n);
}

TEST(detail_is_cut_at_a_character)
{
	struct cs_frame_error got = { 0 };
	char text[300];
	struct cs_wire w;

	memset(text, 'a', sizeof(text));
	text[299] = '\0';
	memcpy(text + 255, "\xc3\xa9", 2); /* bytes 255 and 256 */
	cs_frame_error_encode(fresh(), 7, CS_BUSY, text, 0);
	w = opened(9, 2);
	CHECK_OK(cs_frame_error_decode(9, &w, &got));
	CHECK_NUM(255, got.detail.n);

	text[3] = '\xff'; /* not text: the message must still be readable */
	cs_frame_error_encode(fresh(), 7, CS_BUSY, text, 0);
	w = opened(9, 2);
	CHECK_OK(cs_frame_error_decode(9, &w, &got));
	CHECK_NUM(0, got.detail.n);
}

TEST(error_decode_refuses)
{
	struct cs_frame_error got = { .retry_after_s = 5 };
	struct cs_wire w;

	cs_frame_error_encode(fresh(), 7, CS_BUSY, "x", 0);
	w = opened(9, 2);
	CHECK_ERR(CS_MALFORMED, cs_frame_error_decode(0, &w, &got));
	cs_frame_ok_encode(fresh(), 7);
	w = opened(0, 0);
	CHECK_ERR(CS_MALFORMED, cs_frame_error_decode(9, &w, &got));
	CHECK_NUM(5, got.retry_after_s);
}

TEST(ok_has_no_results)
{
	struct cs_wire w;

	cs_frame_ok_encode(fresh(), 7);
	CHECK_VIEW(HEX("92 00 07"), cs_buf_view(&message));
	w = opened(0, 0);
	CHECK_OK(cs_frame_ok_decode(&w));
	CHECK_OK(cs_frame_head(HEX("93 00 07 01"), &w, &(uint64_t){ 0 },
	    &(uint32_t){ 0 }, &(uint32_t){ 0 }));
	CHECK_ERR(CS_MALFORMED, cs_frame_ok_decode(&w));
}

/* -------------------------------------------------- one layout, every byte */

TEST(login_is_these_bytes)
{
	struct cs_frame_login v, got;
	struct cs_wire w;

	fill(v.device_id, CS_ID_BYTES, 0x11);
	v.seen.size = 300;
	fill(v.seen.root, CS_HASH_BYTES, 0x22);
	fill(v.signature, CS_SIGNATURE_BYTES, 0x33);
	cs_frame_login_encode(fresh(), 7, &v);
	CHECK_VIEW(HEX("96 02 07 c410 11111111111111111111111111111111"
		       "cd012c c420 22222222222222222222222222222222"
		       "22222222222222222222222222222222"
		       "c440 33333333333333333333333333333333"
		       "33333333333333333333333333333333"
		       "33333333333333333333333333333333"
		       "33333333333333333333333333333333"),
	    cs_buf_view(&message));
	w = opened(CS_OP_LOGIN, 4);
	CHECK_OK(cs_frame_login_decode(&w, &got));
	CHECK(memcmp(v.device_id, got.device_id, CS_ID_BYTES) == 0);
	CHECK_NUM(300, got.seen.size);
	CHECK(memcmp(v.seen.root, got.seen.root, CS_HASH_BYTES) == 0);
	CHECK(memcmp(v.signature, got.signature, CS_SIGNATURE_BYTES) == 0);
}

/* ------------------------------------------------------------ round trips */

/* The value decoded from v encoded, in `got`; its own encoding again must be
 * the same bytes. */
#define REQUEST_TRIP(stem, OP, arguments)                                      \
	do {                                                                   \
		struct cs_buf again = { 0 };                                   \
		struct cs_wire w_;                                             \
                                                                               \
		cs_frame_##stem##_encode(fresh(), 7, &v);                      \
		w_ = opened(CS_OP_##OP, arguments);                            \
		memset(&got, 0xee, sizeof(got));                               \
		CHECK_OK(cs_frame_##stem##_decode(&w_, &got));                 \
		cs_frame_##stem##_encode(&again, 7, &got);                     \
		CHECK_VIEW(cs_buf_view(&message), cs_buf_view(&again));        \
		cs_buf_fini(&again);                                           \
	} while (0)

/* Decoding v encoded gives err and leaves the output alone. */
#define REQUEST_REFUSED(err, stem)                                             \
	do {                                                                   \
		struct cs_wire w_;                                             \
                                                                               \
		cs_frame_##stem##_encode(fresh(), 7, &v);                      \
		CHECK_OK(cs_frame_head(cs_buf_view(&message), &w_,             \
		    &(uint64_t){ 0 }, &(uint32_t){ 0 }, &(uint32_t){ 0 }));    \
		memset(&got, 0xee, sizeof(got));                               \
		CHECK_ERR(err, cs_frame_##stem##_decode(&w_, &got));           \
		for (size_t i_ = 0; i_ < sizeof(got); i_++)                    \
			CHECK(((const uint8_t *)&got)[i_] == 0xee);            \
	} while (0)

#define REPLY_TRIP(stem, arguments)                                            \
	do {                                                                   \
		struct cs_wire w_;                                             \
                                                                               \
		cs_frame_##stem##_encode(fresh(), 7, &v);                      \
		w_ = opened(0, arguments);                                     \
		CHECK_OK(cs_frame_##stem##_decode(&w_, &got));                 \
	} while (0)

TEST(small_messages_round_trip)
{
	{
		struct cs_frame_ping v = { 0 }, got;
		REQUEST_TRIP(ping, PING, 0);
	}
	{
		struct cs_frame_ping_reply v = { 1700000000 }, got;
		REPLY_TRIP(ping_reply, 1);
		CHECK_NUM(1700000000, got.time_s);
	}
	{
		struct cs_frame_login_reply v = { 1, UINT64_MAX }, got;
		REPLY_TRIP(login_reply, 2);
		CHECK_NUM(1, got.time_s);
		CHECK_NUM(UINT64_MAX, got.dir_size);
	}
	{
		struct cs_frame_entries_reply v = { 12 }, got;
		REPLY_TRIP(entries_reply, 1);
		CHECK_NUM(12, got.first);
	}
	{
		struct cs_frame_dir_sync v = { 400 }, got;
		REQUEST_TRIP(dir_sync, DIR_SYNC, 1);
		CHECK_NUM(400, got.from);
	}
	{
		struct cs_frame_cosign v = { { 1 }, { 5, { 2 } } }, got;
		REQUEST_TRIP(cosign, COSIGN, 3);
		CHECK_NUM(1, got.note_hash[0]);
		CHECK_NUM(5, got.cosignature.time_s);
		CHECK_NUM(2, got.cosignature.signature[0]);
	}
	{
		struct cs_frame_upload_begin_reply v = { 5 }, got;
		REPLY_TRIP(upload_begin_reply, 1);
		CHECK_NUM(5, got.reserved_until_s);
	}
	{
		struct cs_frame_segment_missing v = { { 1 }, { 2 } }, got;
		REQUEST_TRIP(segment_missing, SEGMENT_MISSING, 2);
		CHECK_NUM(1, got.envelope_id[0]);
		CHECK_NUM(2, got.object_id[0]);
	}
	{
		struct cs_frame_submit v = { count_up(70000) }, got;
		REQUEST_TRIP(submit, SUBMIT, 1);
		CHECK_VIEW(v.envelope, got.envelope);
	}
	{
		struct cs_frame_custody_reply v = { count_up(500) }, got;
		REPLY_TRIP(custody_reply, 1);
		CHECK_VIEW(v.custody, got.custody);
	}
	{
		struct cs_frame_fetch_reply v = { count_up(500) }, got;
		REPLY_TRIP(fetch_reply, 1);
		CHECK_VIEW(v.envelope, got.envelope);
	}
	{
		struct cs_frame_segment_get_reply v = { count_up(500) }, got;
		REPLY_TRIP(segment_get_reply, 1);
		CHECK_VIEW(v.segment, got.segment);
	}
}

TEST(entries_carry_their_op)
{
	struct cs_frame_entries *v = test_alloc(sizeof(*v));
	struct cs_frame_entries *got = test_alloc(sizeof(*got));
	struct cs_wire w;

	v->n = CS_FRAME_MAX_ENTRIES;
	for (uint32_t i = 0; i < v->n; i++)
		v->entry[i] = count_up(i + 1);
	cs_frame_entries_encode(fresh(), 7, CS_OP_DIR_APPEND, v);
	w = opened(CS_OP_DIR_APPEND, 1);
	CHECK_OK(cs_frame_entries_decode(&w, got));
	CHECK_NUM(v->n, got->n);
	for (uint32_t i = 0; i < v->n; i++)
		CHECK_VIEW(v->entry[i], got->entry[i]);
}

TEST(entries_are_bounded)
{
	struct cs_frame_entries *got = test_alloc(sizeof(*got));
	struct cs_wire w;

	got->n = 77;
	for (uint32_t n = 0; n <= CS_FRAME_MAX_ENTRIES + 1; n++) {
		cs_err want = n == 0 ? CS_MALFORMED : CS_OK;

		if (n > CS_FRAME_MAX_ENTRIES)
			want = CS_TOO_LARGE;
		cs_wire_put_array(fresh(), 1);
		cs_wire_put_array(&message, n);
		for (uint32_t i = 0; i < n; i++)
			cs_wire_put_bin(&message, count_up(1));
		w = cs_wire_new(cs_buf_view(&message), 1000);
		cs_wire_expect_array(&w, 1);
		CHECK_ERR(want, cs_frame_entries_decode(&w, got));
		if (n == 0)
			CHECK_NUM(77, got->n); /* untouched */
	}
	CHECK_NUM(CS_FRAME_MAX_ENTRIES, got->n); /* kept on the last failure */
}

TEST(epoch_put_takes_whole_keys)
{
	struct cs_frame_epoch_put v, got;

	v.first_epoch = 2800;
	v.keys = rows(CS_EPOCHS_PER_BATCH, CS_KEM_PUBLIC_BYTES);
	REQUEST_TRIP(epoch_put, EPOCH_PUT, 2);
	CHECK_NUM(2800, got.first_epoch);
	CHECK_VIEW(v.keys, got.keys);
	v.keys = rows(CS_EPOCHS_PER_BATCH + 1, CS_KEM_PUBLIC_BYTES);
	REQUEST_REFUSED(CS_TOO_LARGE, epoch_put);
	v.keys = count_up(CS_KEM_PUBLIC_BYTES + 1);
	REQUEST_REFUSED(CS_MALFORMED, epoch_put);
	v.keys = count_up(0);
	REQUEST_REFUSED(CS_MALFORMED, epoch_put);
}

TEST(epoch_get_asks_for_each_once)
{
	struct cs_frame_epoch_get v, got;

	v.epoch = 2800;
	v.device_ids = HEX("ff000000000000000000000000000000"
			   "01000000000000000000000000000000");
	REQUEST_REFUSED(CS_MALFORMED, epoch_get);
	v.device_ids = HEX("01000000000000000000000000000000"
			   "01000000000000000000000000000000");
	REQUEST_REFUSED(CS_MALFORMED, epoch_get);
	v.device_ids = HEX("01000000000000000000000000000000"
			   "ff000000000000000000000000000000");
	REQUEST_TRIP(epoch_get, EPOCH_GET, 2);
	CHECK_NUM(2800, got.epoch);
	CHECK_VIEW(v.device_ids, got.device_ids);
	v.device_ids = count_up(15);
	REQUEST_REFUSED(CS_MALFORMED, epoch_get);
}

static struct cs_frame_upload_begin
an_upload(void)
{
	return (struct cs_frame_upload_begin){ .envelope_id = { 9 },
		.class = CS_CLASS_URGENT,
		.expires_at_s = 1700000000,
		.device_ids = rows(CS_LIMIT_RECIPIENTS, CS_ID_BYTES),
		.objects = HEX("01000000000000000000000000000000 00000001"
			       "02000000000000000000000000000000 00010006"),
		.envelope_bytes = CS_LIMIT_ENVELOPE_BYTES };
}

TEST(upload_begin_round_trips)
{
	struct cs_frame_upload_begin v = an_upload(), got;

	REQUEST_TRIP(upload_begin, UPLOAD_BEGIN, 6);
	CHECK(memcmp(v.envelope_id, got.envelope_id, CS_ID_BYTES) == 0);
	CHECK_NUM(CS_CLASS_URGENT, got.class);
	CHECK_NUM(1700000000, got.expires_at_s);
	CHECK_VIEW(v.device_ids, got.device_ids);
	CHECK_VIEW(v.objects, got.objects);
	CHECK_NUM(CS_LIMIT_ENVELOPE_BYTES, got.envelope_bytes);
	v.objects = count_up(0);
	REQUEST_TRIP(upload_begin, UPLOAD_BEGIN, 6);
}

TEST(upload_begin_refuses)
{
	static const char *const bad_objects[] = {
		/* repeated, descending, no segment, too many segments, short */
		"01000000000000000000000000000000 00000001"
		"01000000000000000000000000000000 00000002",
		"02000000000000000000000000000000 00000001"
		"01000000000000000000000000000000 00000001",
		"01000000000000000000000000000000 00000000",
		"01000000000000000000000000000000 00010007",
		"01000000000000000000000000000000 000001",
	};
	struct cs_frame_upload_begin v = an_upload(), got;

	for (size_t i = 0; i < sizeof(bad_objects) / sizeof(bad_objects[0]);
	     i++) {
		v.objects = HEX(bad_objects[i]);
		REQUEST_REFUSED(CS_MALFORMED, upload_begin);
	}
	v = an_upload();
	v.objects = rows(CS_LIMIT_OBJECTS + 1, 20);
	REQUEST_REFUSED(CS_TOO_LARGE, upload_begin);
	v = an_upload();
	v.device_ids = rows(CS_LIMIT_RECIPIENTS + 1, CS_ID_BYTES);
	REQUEST_REFUSED(CS_TOO_LARGE, upload_begin);
	v.device_ids = count_up(0);
	REQUEST_REFUSED(CS_MALFORMED, upload_begin);
	v.device_ids = HEX("01000000000000000000000000000000"
			   "01000000000000000000000000000000");
	REQUEST_REFUSED(CS_MALFORMED, upload_begin);
	v = an_upload();
	v.class = 0;
	REQUEST_REFUSED(CS_MALFORMED, upload_begin);
	v.class = 5;
	REQUEST_REFUSED(CS_MALFORMED, upload_begin);
	v = an_upload();
	v.envelope_bytes = CS_LIMIT_ENVELOPE_BYTES + 1;
	REQUEST_REFUSED(CS_MALFORMED, upload_begin);
	/* fixed part of H; rows; header_mac; shortest body with its tag */
	v.device_ids = rows(3, CS_ID_BYTES);
	v.envelope_bytes = 111 + 3 * (48 + 1168) + 2 * 52 + 32 + 4128 - 1;
	REQUEST_REFUSED(CS_MALFORMED, upload_begin);
	v.envelope_bytes++;
	REQUEST_TRIP(upload_begin, UPLOAD_BEGIN, 6);
}

TEST(segment_messages_are_bounded)
{
	struct cs_frame_segment_put v = { { 1 }, { 2 }, CS_LIMIT_SEGMENTS - 1,
		rows(1, CS_SEGMENT_BYTES) };
	struct cs_frame_segment_put got;

	REQUEST_TRIP(segment_put, SEGMENT_PUT, 4);
	CHECK_NUM(CS_LIMIT_SEGMENTS - 1, got.index);
	CHECK_VIEW(v.segment, got.segment);
	v.index++;
	REQUEST_REFUSED(CS_MALFORMED, segment_put);
	v.index = 0;
	v.segment = rows(1, CS_SEGMENT_BYTES + 1);
	REQUEST_REFUSED(CS_TOO_LARGE, segment_put);
	v.segment = count_up(0);
	REQUEST_REFUSED(CS_MALFORMED, segment_put);
}

TEST(segment_get_is_bounded)
{
	struct cs_frame_segment_get v = { { 1 }, { 2 }, 3 }, got;

	REQUEST_TRIP(segment_get, SEGMENT_GET, 3);
	CHECK_NUM(3, got.index);
	v.index = CS_LIMIT_SEGMENTS;
	REQUEST_REFUSED(CS_MALFORMED, segment_get);
}

TEST(missing_ranges_ascend_within_an_object)
{
	struct cs_frame_segment_missing_reply v, got;

	v.ranges = HEX("00000000 00000001 00000005 00010001");
	REPLY_TRIP(segment_missing_reply, 1);
	CHECK_VIEW(v.ranges, got.ranges);
	v.ranges = HEX("00000005 00000001 00000005 00000001");
	REQUEST_REFUSED(CS_MALFORMED, segment_missing_reply);
	v.ranges = HEX("00000005 00000000");
	REQUEST_REFUSED(CS_MALFORMED, segment_missing_reply);
	v.ranges = HEX("00000005 00010002"); /* past the last segment */
	REQUEST_REFUSED(CS_MALFORMED, segment_missing_reply);
	v.ranges = HEX("00000005 ffffffff");
	REQUEST_REFUSED(CS_MALFORMED, segment_missing_reply);
	v.ranges = rows(CS_FRAME_MAX_RANGES + 1, 8);
	REQUEST_REFUSED(CS_TOO_LARGE, segment_missing_reply);
}

TEST(envelope_id_carries_its_op)
{
	struct cs_frame_envelope_id v = { { 5 } }, got;
	struct cs_wire w;

	cs_frame_envelope_id_encode(fresh(), 7, CS_OP_FETCH, &v);
	w = opened(CS_OP_FETCH, 1);
	CHECK_OK(cs_frame_envelope_id_decode(&w, &got));
	CHECK_NUM(5, got.envelope_id[0]);
}

TEST(status_asks_for_64_at_most)
{
	struct cs_frame_status v, got;

	v.envelope_ids = rows(CS_FRAME_MAX_STATUS, CS_ID_BYTES);
	REQUEST_TRIP(status, STATUS, 1);
	CHECK_VIEW(v.envelope_ids, got.envelope_ids);
	v.envelope_ids = rows(CS_FRAME_MAX_STATUS + 1, CS_ID_BYTES);
	REQUEST_REFUSED(CS_TOO_LARGE, status);
	v.envelope_ids = count_up(0);
	REQUEST_REFUSED(CS_MALFORMED, status);
}

TEST(list_is_bounded)
{
	struct cs_frame_list v = { 9, CS_FRAME_MAX_ITEMS, CS_FRAME_WAIT_MS };
	struct cs_frame_list got;

	REQUEST_TRIP(list, LIST, 3);
	CHECK_NUM(9, got.after_seq);
	CHECK_NUM(CS_FRAME_MAX_ITEMS, got.max);
	CHECK_NUM(CS_FRAME_WAIT_MS, got.wait_ms);
	v.max++;
	REQUEST_REFUSED(CS_MALFORMED, list);
	v.max = 1;
	v.wait_ms++;
	REQUEST_REFUSED(CS_MALFORMED, list);
}

TEST(ack_round_trips)
{
	struct cs_frame_ack v = { .statement = count_up(219) }, got;

	fill(v.signature, CS_SIGNATURE_BYTES, 3);
	REQUEST_TRIP(ack, ACK, 2);
	CHECK_VIEW(v.statement, got.statement);
	CHECK(memcmp(v.signature, got.signature, CS_SIGNATURE_BYTES) == 0);
	v.statement = count_up(1025);
	REQUEST_REFUSED(CS_TOO_LARGE, ack);
}

TEST(handover_round_trips)
{
	struct cs_frame_handover v = { .destroy = true }, got;

	REQUEST_TRIP(handover, HANDOVER, 1);
	CHECK(got.destroy);
}

TEST(handover_reply_round_trips)
{
	struct cs_frame_handover_reply v = { 1, 2, true, 4, 5, 6, 7 }, got;

	REPLY_TRIP(handover_reply, 7);
	CHECK_NUM(1, got.entry);
	CHECK_NUM(2, got.since_s);
	CHECK(got.has_old);
	CHECK_NUM(4, got.n_devices);
	CHECK_NUM(5, got.n_waiting);
	CHECK_NUM(6, got.n_invitations);
	CHECK_NUM(7, got.due_s);
}

TEST(audit_read_round_trips)
{
	struct cs_frame_audit_read v = { .by_time = true,
		.from = 1,
		.until_s = 2,
		.anchor = CS_FRAME_AUDIT_FIRST,
		.old_size = 4 },
				   got;

	REQUEST_TRIP(audit_read, AUDIT_READ, 5);
	CHECK(got.by_time);
	CHECK_NUM(1, got.from);
	CHECK_NUM(2, got.until_s);
	CHECK_NUM(CS_FRAME_AUDIT_FIRST, got.anchor);
	CHECK_NUM(4, got.old_size);
}

TEST(audit_read_reply_has_whole_records_and_hashes)
{
	struct cs_frame_audit_read_reply v = { .first = 9 }, got;

	v.checkpoint = count_up(200);
	v.records = rows(3, CS_AUDIT_RECORD_BYTES);
	v.proof_anchor = rows(2, CS_HASH_BYTES);
	v.proof_last = rows(4, CS_HASH_BYTES);
	REPLY_TRIP(audit_read_reply, 6);
	CHECK_VIEW(v.checkpoint, got.checkpoint);
	CHECK_NUM(9, got.first);
	CHECK_VIEW(v.records, got.records);
	CHECK_VIEW(v.proof_anchor, got.proof_anchor);
	CHECK_VIEW(v.proof_last, got.proof_last);
	CHECK_NUM(0, got.consistency.n);
	v.records.n--;
	REQUEST_REFUSED(CS_MALFORMED, audit_read_reply);
	v.records = rows(CS_FRAME_MAX_RECORDS + 1, CS_AUDIT_RECORD_BYTES);
	REQUEST_REFUSED(CS_TOO_LARGE, audit_read_reply);
	v.records.n = 0;
	v.consistency = rows(66, CS_HASH_BYTES);
	REQUEST_REFUSED(CS_TOO_LARGE, audit_read_reply);
}

TEST(audit_note_round_trips)
{
	struct cs_frame_audit_note v = { .kind = 2,
		.date_s = 3,
		.failed = true },
				   got;

	REQUEST_TRIP(audit_note, AUDIT_NOTE, 3);
	CHECK_NUM(2, got.kind);
	CHECK_NUM(3, got.date_s);
	CHECK(got.failed);
	v.kind = 0;
	REQUEST_REFUSED(CS_MALFORMED, audit_note);
}

TEST(arguments_must_be_as_many_as_the_layout_has)
{
	struct cs_frame_dir_sync got = { 99 };
	struct cs_wire w;

	CHECK_OK(cs_frame_head(HEX("92 10 07"), &w, &(uint64_t){ 0 },
	    &(uint32_t){ 0 }, &(uint32_t){ 0 }));
	CHECK_ERR(CS_MALFORMED, cs_frame_dir_sync_decode(&w, &got));
	CHECK_OK(cs_frame_head(HEX("94 10 07 01 02"), &w, &(uint64_t){ 0 },
	    &(uint32_t){ 0 }, &(uint32_t){ 0 }));
	CHECK_ERR(CS_MALFORMED, cs_frame_dir_sync_decode(&w, &got));
	CHECK_OK(cs_frame_head(HEX("93 10 07 01 00"), &w, &(uint64_t){ 0 },
	    &(uint32_t){ 0 }, &(uint32_t){ 0 }));
	CHECK_ERR(CS_MALFORMED, cs_frame_dir_sync_decode(&w, &got));
	CHECK_NUM(99, got.from);
}

/* ------------------------------------------------------ replies with lists */

TEST(dir_sync_reply_lists_leaves)
{
	struct cs_frame_dir_sync_reply v = { 0 }, got;

	v.checkpoint = count_up(200);
	v.n = 3;
	cs_frame_dir_sync_reply_encode(fresh(), 7, &v);
	for (uint32_t i = 0; i < v.n; i++)
		cs_wire_put_bin(&message, count_up(100 + i));

	struct cs_wire w = opened(0, 2);
	CHECK_OK(cs_frame_dir_sync_reply_decode(&w, &got));
	CHECK_VIEW(v.checkpoint, got.checkpoint);
	CHECK_NUM(3, got.n);
	for (uint32_t i = 0; i < got.n; i++)
		CHECK_VIEW(count_up(100 + i), cs_wire_bin(&got.leaves, 1000));
	CHECK_OK(cs_wire_err(&got.leaves));
}

TEST(lists_are_checked_when_they_are_decoded)
{
	struct cs_frame_dir_sync_reply v = { .checkpoint = count_up(9),
		.n = 2 };
	struct cs_frame_dir_sync_reply got = { .n = 99 };
	struct cs_wire w;

	cs_frame_dir_sync_reply_encode(fresh(), 7, &v);
	cs_wire_put_bin(&message, count_up(1));
	cs_wire_put_uint(&message, 1); /* not a leaf */
	w = opened(0, 2);
	CHECK_ERR(CS_MALFORMED, cs_frame_dir_sync_reply_decode(&w, &got));

	cs_frame_dir_sync_reply_encode(fresh(), 7, &v);
	cs_wire_put_bin(&message, count_up(1)); /* one is missing */
	CHECK_OK(cs_frame_head(cs_buf_view(&message), &w, &(uint64_t){ 0 },
	    &(uint32_t){ 0 }, &(uint32_t){ 0 }));
	CHECK_ERR(CS_MALFORMED, cs_frame_dir_sync_reply_decode(&w, &got));
	CHECK_NUM(99, got.n);
}

TEST(epoch_get_reply_lists_keys)
{
	struct cs_frame_epoch_found row = { .epoch = 2805,
		.first_epoch = 2800,
		.count = 26,
		.key = count_up(CS_KEM_PUBLIC_BYTES),
		.proof = count_up(5 * CS_HASH_BYTES) };
	struct cs_frame_epoch_found none = { 0 }, found;
	struct cs_frame_epoch_get_reply v = { .n = 2 }, got;
	struct cs_wire w;

	cs_frame_epoch_get_reply_encode(fresh(), 7, &v);
	cs_frame_put_epoch_found(&message, &row);
	cs_frame_put_epoch_found(&message, &none);
	w = opened(0, 1);
	CHECK_OK(cs_frame_epoch_get_reply_decode(&w, &got));
	CHECK_NUM(2, got.n);
	CHECK_OK(cs_frame_next_epoch_found(&got.found, &found));
	CHECK_NUM(2805, found.epoch);
	CHECK_NUM(2800, found.first_epoch);
	CHECK_NUM(26, found.count);
	CHECK_VIEW(row.key, found.key);
	CHECK_VIEW(row.proof, found.proof);
	CHECK_OK(cs_frame_next_epoch_found(&got.found, &found));
	CHECK_NUM(0, found.key.n);
	CHECK_ERR(CS_MALFORMED, cs_frame_next_epoch_found(&got.found, &found));
}

static cs_err
judge_epoch_found(const struct cs_frame_epoch_found *row)
{
	struct cs_frame_epoch_get_reply v = { .n = 1 }, got;
	struct cs_wire w;

	cs_frame_epoch_get_reply_encode(fresh(), 7, &v);
	cs_frame_put_epoch_found(&message, row);
	w = opened(0, 1);
	return cs_frame_epoch_get_reply_decode(&w, &got);
}

TEST(epoch_found_must_make_sense)
{
	const struct cs_frame_epoch_found good = { .epoch = 2825,
		.first_epoch = 2800,
		.count = 26,
		.key = count_up(CS_KEM_PUBLIC_BYTES),
		.proof = count_up(32) };
	struct cs_frame_epoch_found row = good;

	CHECK_OK(judge_epoch_found(&row));
	row.epoch = 2826; /* after the batch */
	CHECK_ERR(CS_MALFORMED, judge_epoch_found(&row));
	row.epoch = 2799; /* before it */
	CHECK_ERR(CS_MALFORMED, judge_epoch_found(&row));
	row = good;
	row.key.n--;
	CHECK_ERR(CS_MALFORMED, judge_epoch_found(&row));
	row.key.n = 0;
	CHECK_ERR(CS_MALFORMED, judge_epoch_found(&row));
	row = good;
	row.proof.n--;
	CHECK_ERR(CS_MALFORMED, judge_epoch_found(&row));
	row = good;
	row.count = 27;
	CHECK_ERR(CS_MALFORMED, judge_epoch_found(&row));
}

TEST(status_reply_lists_rows_of_lists)
{
	struct cs_frame_outcome outcomes[2] = { { .outcome = count_up(10) },
		{ count_up(20), count_up(9) } };
	struct cs_frame_status_reply v = { .n = 2 }, got;
	struct cs_frame_status_row row;
	struct cs_frame_outcome back;
	struct cs_wire w;

	cs_frame_status_reply_encode(fresh(), 7, &v);
	cs_frame_put_status_row(&message, CS_UPLOAD_ACCEPTED, count_up(30),
	    outcomes, 2);
	cs_frame_put_status_row(&message, CS_UPLOAD_UNKNOWN,
	    (struct cs_bytes){ 0 }, NULL, 0);
	w = opened(0, 1);
	CHECK_OK(cs_frame_status_reply_decode(&w, &got));
	CHECK_NUM(2, got.n);
	CHECK_OK(cs_frame_next_status_row(&got.rows, &row));
	CHECK(row.state == CS_UPLOAD_ACCEPTED);
	CHECK_VIEW(count_up(30), row.custody);
	CHECK_NUM(2, row.n_outcomes);
	CHECK_OK(cs_frame_next_outcome(&row.outcomes, &back));
	CHECK_VIEW(outcomes[0].outcome, back.outcome);
	CHECK_NUM(0, back.evidence.n);
	CHECK_OK(cs_frame_next_outcome(&row.outcomes, &back));
	CHECK_VIEW(outcomes[1].outcome, back.outcome);
	CHECK_VIEW(outcomes[1].evidence, back.evidence);
	CHECK_OK(cs_frame_next_status_row(&got.rows, &row));
	CHECK(row.state == CS_UPLOAD_UNKNOWN);
	CHECK_NUM(0, row.custody.n);
	CHECK_NUM(0, row.n_outcomes);
}

TEST(status_reply_refuses_unknown_states)
{
	struct cs_frame_status_reply v = { .n = 1 }, got = { .n = 99 };
	struct cs_wire w;

	cs_frame_status_reply_encode(fresh(), 7, &v);
	cs_frame_put_status_row(&message, (enum cs_upload_state)4,
	    (struct cs_bytes){ 0 }, NULL, 0);
	w = opened(0, 1);
	CHECK_ERR(CS_MALFORMED, cs_frame_status_reply_decode(&w, &got));
	CHECK_NUM(99, got.n);
}

TEST(anchor_takes_whole_leaves)
{
	struct cs_frame_anchor v = { count_up(2 * CS_HASH_BYTES) }, got;

	REQUEST_TRIP(anchor, ANCHOR, 1);
	CHECK_VIEW(v.leaves, got.leaves);
	v.leaves = count_up(CS_HASH_BYTES + 1);
	REQUEST_REFUSED(CS_MALFORMED, anchor);
	v.leaves = count_up(0);
	REQUEST_REFUSED(CS_MALFORMED, anchor);
	v.leaves = rows(CS_FRAME_MAX_ANCHORS + 1, CS_HASH_BYTES);
	REQUEST_REFUSED(CS_TOO_LARGE, anchor);
}

TEST(anchor_reply_lists_proofs)
{
	struct cs_frame_anchor_reply v = { 5, count_up(300), .n = 2 }, got;
	struct cs_wire w;

	cs_frame_anchor_reply_encode(fresh(), 7, &v);
	cs_wire_put_bin(&message, count_up(0));
	cs_wire_put_bin(&message, count_up(3 * CS_HASH_BYTES));
	w = opened(0, 3);
	CHECK_OK(cs_frame_anchor_reply_decode(&w, &got));
	CHECK_NUM(5, got.first);
	CHECK_VIEW(v.checkpoint, got.checkpoint);
	CHECK_NUM(2, got.n);
	CHECK_NUM(0, cs_wire_bin(&got.proofs, 9999).n);
	CHECK_NUM(96, cs_wire_bin(&got.proofs, 9999).n);

	cs_frame_anchor_reply_encode(fresh(), 7, &v);
	cs_wire_put_bin(&message, count_up(0));
	cs_wire_put_bin(&message, count_up(CS_HASH_BYTES - 1));
	w = opened(0, 3);
	CHECK_ERR(CS_MALFORMED, cs_frame_anchor_reply_decode(&w, &got));
}

TEST(extend_round_trips)
{
	{
		struct cs_frame_extend v = { { 1, 2 }, 1700000000 }, got;

		REQUEST_TRIP(extend, EXTEND, 2);
		CHECK_NUM(2, got.envelope_id[1]);
		CHECK_NUM(1700000000, got.expires_at_s);
	}
}

TEST(withdraw_round_trips)
{
	struct cs_frame_withdraw v = { count_up(200), { 7 } }, got;

	REQUEST_TRIP(withdraw, WITHDRAW, 2);
	CHECK_VIEW(v.statement, got.statement);
	CHECK_NUM(7, got.signature[0]);
	v.statement.n = 0;
	REQUEST_REFUSED(CS_MALFORMED, withdraw);
}

TEST(segment_copy_counts_within_bounds)
{
	struct cs_frame_segment_copy v = { { 1 }, { 2 }, 3, 4, { 5 }, { 6 } };
	struct cs_frame_segment_copy got;

	REQUEST_TRIP(segment_copy, SEGMENT_COPY, 6);
	CHECK_NUM(1, got.envelope_id[0]);
	CHECK_NUM(2, got.object_id[0]);
	CHECK_NUM(3, got.first);
	CHECK_NUM(4, got.count);
	CHECK_NUM(5, got.source_envelope_id[0]);
	CHECK_NUM(6, got.source_object_id[0]);
	v.count = 0;
	REQUEST_REFUSED(CS_MALFORMED, segment_copy);
	v.count = CS_FRAME_MAX_COPIES + 1;
	REQUEST_REFUSED(CS_MALFORMED, segment_copy);
	v.count = 1;
	v.first = CS_LIMIT_SEGMENTS;
	REQUEST_REFUSED(CS_MALFORMED, segment_copy);
}

TEST(segment_copy_reply_counts)
{
	struct cs_frame_segment_copy_reply v = { 16 }, got;

	REPLY_TRIP(segment_copy_reply, 1);
	CHECK_NUM(16, got.number);
	v.number = CS_FRAME_MAX_COPIES + 1;
	REQUEST_REFUSED(CS_MALFORMED, segment_copy_reply);
}

TEST(receipt_leaves_round_trip)
{
	{
		struct cs_frame_receipt_leaves v = { 7, 8192 }, got;

		REQUEST_TRIP(receipt_leaves, RECEIPT_LEAVES, 2);
		CHECK_NUM(7, got.from);
		CHECK_NUM(8192, got.count);
		v.count = 0;
		REQUEST_REFUSED(CS_MALFORMED, receipt_leaves);
		v.count = CS_FRAME_MAX_LEAVES + 1;
		REQUEST_REFUSED(CS_MALFORMED, receipt_leaves);
	}
	{
		struct cs_frame_receipt_leaves_reply v = {
			count_up(3 * CS_HASH_BYTES)
		};
		struct cs_frame_receipt_leaves_reply got;

		REPLY_TRIP(receipt_leaves_reply, 1);
		CHECK_VIEW(v.leaves, got.leaves);
		v.leaves.n--;
		REQUEST_REFUSED(CS_MALFORMED, receipt_leaves_reply);
	}
}

TEST(receipt_log_round_trips)
{
	{
		struct cs_frame_receipt_log v = { 7, 9 }, got;
		REQUEST_TRIP(receipt_log, RECEIPT_LOG, 2);
		CHECK_NUM(7, got.from);
		CHECK_NUM(9, got.to);
	}
	{
		struct cs_frame_receipt_log_reply v = { count_up(300),
			count_up(2 * CS_HASH_BYTES) };
		struct cs_frame_receipt_log_reply got;
		REPLY_TRIP(receipt_log_reply, 2);
		CHECK_VIEW(v.checkpoint, got.checkpoint);
		CHECK_VIEW(v.consistency, got.consistency);
	}
}

TEST(list_reply_lists_items)
{
	struct cs_frame_list_reply v = { .head_seq = 40, .n = 2 }, got;
	struct cs_frame_item item = { .seq = 39,
		.class = CS_CLASS_PAGE,
		.stored_bytes = 1,
		.received_at_s = 2,
		.expires_at_s = 3,
		.outcome = CS_OUTCOME_EXPIRED };
	struct cs_frame_item back;
	struct cs_wire w;

	fill(v.head_chain, CS_HASH_BYTES, 8);
	fill(item.envelope_id, CS_ID_BYTES, 1);
	fill(item.e, CS_HASH_BYTES, 2);
	cs_frame_list_reply_encode(fresh(), 7, &v);
	cs_frame_put_item(&message, &item);
	item.seq++;
	cs_frame_put_item(&message, &item);
	w = opened(0, 3);
	CHECK_OK(cs_frame_list_reply_decode(&w, &got));
	CHECK_NUM(40, got.head_seq);
	CHECK(memcmp(v.head_chain, got.head_chain, CS_HASH_BYTES) == 0);
	CHECK_NUM(2, got.n);
	CHECK_OK(cs_frame_next_item(&got.items, &back));
	CHECK_NUM(39, back.seq);
	CHECK_OK(cs_frame_next_item(&got.items, &back));
	CHECK_NUM(40, back.seq);
	CHECK(memcmp(item.envelope_id, back.envelope_id, CS_ID_BYTES) == 0);
	CHECK(memcmp(item.e, back.e, CS_HASH_BYTES) == 0);
	CHECK_NUM(CS_CLASS_PAGE, back.class);
	CHECK_NUM(1, back.stored_bytes);
	CHECK_NUM(2, back.received_at_s);
	CHECK_NUM(3, back.expires_at_s);
	CHECK_NUM(CS_OUTCOME_EXPIRED, back.outcome);

	item.outcome = CS_OUTCOME_FETCHED; /* is not listed any more */
	cs_frame_list_reply_encode(fresh(), 7, &v);
	cs_frame_put_item(&message, &item);
	cs_frame_put_item(&message, &item);
	w = opened(0, 3);
	CHECK_ERR(CS_MALFORMED, cs_frame_list_reply_decode(&w, &got));
	item.outcome = 0;
	item.seq = 0; /* they count from 1 */
	cs_frame_list_reply_encode(fresh(), 7, &v);
	cs_frame_put_item(&message, &item);
	cs_frame_put_item(&message, &item);
	w = opened(0, 3);
	CHECK_ERR(CS_MALFORMED, cs_frame_list_reply_decode(&w, &got));
}

TEST(list_reply_is_bounded)
{
	struct cs_frame_list_reply v = { .n = CS_FRAME_MAX_ITEMS + 1 }, got;
	struct cs_frame_item item = { .seq = 1, .class = 1 };
	struct cs_wire w;

	cs_frame_list_reply_encode(fresh(), 7, &v);
	for (uint32_t i = 0; i < v.n; i++)
		cs_frame_put_item(&message, &item);
	w = opened(0, 3);
	CHECK_ERR(CS_TOO_LARGE, cs_frame_list_reply_decode(&w, &got));
}

/* Nothing else in the program may keep what the last test wrote. */
__attribute__((destructor)) static void
forget(void)
{
	cs_buf_fini(&message);
}
