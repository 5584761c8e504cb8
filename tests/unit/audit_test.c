#include "proto/audit.h"

#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

/* 1, number 2, time 3, a login of device 04…04, object 05…05, refused as not
 * permitted, numbers 6 and 7, after 08…08: docs/protocol.md, Audit log. */
#define RECORD                                                                 \
	"01 0000000000000002 0000000000000003 06 01"                           \
	"04040404040404040404040404040404 05050505050505050505050505050505"    \
	"02 0000000000000006 0000000000000007"                                 \
	"0808080808080808080808080808080808080808080808080808080808080808"

static const struct cs_audit_record record = { .seq = 2,
	.time_s = 3,
	.event = CS_AUDIT_LOGIN,
	.who = CS_AUDIT_WHO_DEVICE,
	.id = { 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4 },
	.object = { 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5 },
	.result = 2,
	.a = 6,
	.b = 7,
	.prev = { 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8,
	    8, 8, 8, 8, 8, 8, 8, 8, 8, 8, 8 } };

TEST(a_record_has_its_layout)
{
	struct cs_audit_record back = { 0 };
	struct cs_buf out = { 0 };

	cs_audit_encode(&record, &out);
	CHECK_NUM(CS_AUDIT_RECORD_BYTES, out.n);
	CHECK_VIEW(HEX(RECORD), cs_buf_view(&out));
	CHECK_OK(cs_audit_decode(cs_buf_view(&out), &back));
	cs_buf_reset(&out);
	cs_audit_encode(&back, &out);
	CHECK_VIEW(HEX(RECORD), cs_buf_view(&out));
	cs_buf_fini(&out);
}

/* The record with one byte changed. */
static cs_err
decode_changed(size_t at, uint8_t to)
{
	struct cs_audit_record r = { 0 };
	uint8_t bytes[CS_AUDIT_RECORD_BYTES];
	cs_err e;

	memcpy(bytes, HEX(RECORD).p, sizeof(bytes));
	bytes[at] = to;
	e = cs_audit_decode(CS_BYTES(bytes), &r);
	if (e != CS_OK)
		CHECK_NUM(0, r.seq);
	return e;
}

TEST(what_is_no_record_is_refused)
{
	struct cs_audit_record r;
	uint8_t bytes[CS_AUDIT_RECORD_BYTES + 1] = { 0 };

	memcpy(bytes, HEX(RECORD).p, CS_AUDIT_RECORD_BYTES);
	CHECK_ERR(CS_MALFORMED, cs_audit_decode(CS_BYTES(bytes), &r));
	CHECK_ERR(CS_MALFORMED,
	    cs_audit_decode((struct cs_bytes){ bytes, 99 }, &r));
	CHECK_ERR(CS_MALFORMED,
	    cs_audit_decode((struct cs_bytes){ NULL, 0 }, &r));
	CHECK_ERR(CS_UNSUPPORTED, decode_changed(0, 2));
	CHECK_ERR(CS_UNSUPPORTED, decode_changed(17, 0));   /* event */
	CHECK_ERR(CS_UNSUPPORTED, decode_changed(17, 200)); /* event */
	CHECK_ERR(CS_UNSUPPORTED, decode_changed(18, 99));  /* who */
	/* anyone is nobody: no id */
	CHECK_ERR(CS_MALFORMED, decode_changed(18, CS_AUDIT_WHO_ANYONE));
	CHECK_OK(decode_changed(51, 255)); /* codes to come */
}

TEST(the_chain_begins_with_network_and_relay)
{
	uint8_t network[CS_NETWORK_ID_BYTES] = { 1 },
		relay[CS_ID_BYTES] = { 2 };
	uint8_t one[CS_HASH_BYTES], other[CS_HASH_BYTES];

	cs_audit_first(network, relay, one);
	/* SHA-256("consil/audit\0" ‖ 01 00… ‖ 02 00…) */
	CHECK_VIEW(HEX("e01fa637753ed49e026f3efb3f0b3ac0d1f5bb38e302c611ae52e55"
		       "05d04e0b1"),
	    CS_BYTES(one));
	network[31] = 1;
	cs_audit_first(network, relay, other);
	CHECK(memcmp(one, other, sizeof(one)) != 0);
	network[31] = 0;
	relay[15] = 1;
	cs_audit_first(network, relay, other);
	CHECK(memcmp(one, other, sizeof(one)) != 0);
	/* SHA-256(00 ‖ record) */
	cs_audit_hash(HEX(RECORD), one);
	CHECK_VIEW(HEX("937ba8fbb4aa82efb0274367a312932f4a2b14e005ea68310e512b4"
		       "1f4e35f0c"),
	    CS_BYTES(one));
}

TEST(every_row_has_a_number_and_a_name_of_its_own)
{
	const struct cs_audit_info *x, *y;
	const struct cs_audit_note_info *note;
	unsigned n = 0;

	for (uint64_t i = 0; i < 300; i++) {
		x = cs_audit_info(i);
		n += x != NULL;
		for (uint64_t k = 0; x && k < i; k++)
			CHECK(!(y = cs_audit_info(k)) ||
			      strcmp(x->name, y->name) != 0);
	}
	CHECK(n >= 15);
	CHECK(cs_audit_info(256 + CS_AUDIT_LOGIN) == NULL);
	CHECK_STR("login", cs_audit_info(CS_AUDIT_LOGIN)->name);
	CHECK_STR("registrar", cs_audit_who_name(CS_AUDIT_WHO_REGISTRAR));
	CHECK(cs_audit_who_name(256) == NULL);
	for (n = 0; (note = cs_audit_note_at(n)) != NULL; n++) {
		CHECK(note->note > 0 && (unsigned)note->note < 256);
		CHECK(cs_audit_note(note->note) == note);
		CHECK(cs_audit_note_named(note->name) == note);
	}
	CHECK(n >= 10);
	CHECK(cs_audit_note(0) == NULL);
	CHECK(cs_audit_note_named("party") == NULL);
}
