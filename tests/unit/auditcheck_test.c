#include "keys/auditcheck.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/auditlog.h"
#include "tests/support/clinic.h"
#include "tests/test.h"

/* Exports of a real relay's log, and every way to change one. */

static struct test_clinic c;
static struct test_audit page;

/* An export that a test may change: the file, its records apart. */
struct export
{
	struct cs_auditfile v;
	struct cs_buf certs, note, proofs[3], records;
};

static void
export_fini(struct export *x)
{
	cs_buf_fini(&x->certs);
	cs_buf_fini(&x->note);
	cs_buf_fini(&x->records);
	for (unsigned i = 0; i < 3; i++)
		cs_buf_fini(&x->proofs[i]);
}

static struct cs_bytes
keep(struct cs_buf *b, struct cs_bytes v)
{
	cs_buf_put_bytes(b, v);
	CHECK_OK(cs_buf_err(b));
	return cs_buf_view(b);
}

/* As `consil-admin audit export` makes it, from a time to a time. */
static struct export make(uint64_t from_s, uint64_t until_s,
    const struct cs_log_view *previous)
{
	const struct cs_frame_audit_read ask = { .by_time = true,
		.from = from_s,
		.until_s = until_s,
		.anchor = CS_FRAME_AUDIT_FIRST,
		.old_size = previous ? previous->size : 0 };
	struct export x = { .v = { .from_s = from_s, .until_s = until_s } };

	test_audit_read(&c.r, &ask, &page);
	memcpy(x.v.network_id, c.r.net.network_id, CS_NETWORK_ID_BYTES);
	memcpy(x.v.relay_id, cs_keyring_info(c.r.net.relay)->id, CS_ID_BYTES);
	CHECK_OK(cs_certs_collect(c.r.net.dir, &x.certs));
	x.v.certs = cs_buf_view(&x.certs);
	x.v.note = keep(&x.note, page.reply.checkpoint);
	if (previous)
		x.v.previous = *previous;
	x.v.consistency = keep(&x.proofs[0], page.reply.consistency);
	x.v.proof_first = keep(&x.proofs[1], page.reply.proof_anchor);
	x.v.proof_last = keep(&x.proofs[2], page.reply.proof_last);
	x.v.first = page.first;
	x.v.n = (uint32_t)page.n;
	x.v.records = keep(&x.records, page.reply.records);
	test_audit_fini(&page);
	return x;
}

/* ------------------------------------------------------------ what is found
 */

static struct cs_auditcheck_finding found[64];
static size_t n_found;

static void
on_found(void *ctx, const struct cs_auditcheck_finding *f)
{
	struct cs_buf text = { 0 };

	(void)ctx;
	CHECK(n_found < 64);
	found[n_found++] = *f;
	cs_auditcheck_text(f, &text);
	CHECK(text.n > 10 && memchr(text.p, '%', text.n) == NULL);
	cs_buf_fini(&text);
}

static cs_err
judge(const struct export *x, struct cs_auditcheck *ret)
{
	static struct cs_buf bytes; /* which the result borrows from */
	struct cs_auditcheck check = { 0 };
	cs_err e;

	cs_buf_fini(&bytes);
	cs_auditfile_encode(&x->v, &bytes);
	CHECK_OK(cs_buf_err(&bytes));
	n_found = 0;
	e = cs_auditcheck_file(cs_buf_view(&bytes), c.r.net.network_id,
	    on_found, NULL, &check);
	CHECK_NUM(n_found, check.n_findings);
	if (ret)
		*ret = check;
	return e;
}

static void
check_clean(const struct export *x)
{
	CHECK_OK(judge(x, NULL));
	CHECK_NUM(0, n_found);
}

/* Exactly one thing is wrong. */
static void
check_found(const struct export *x, enum cs_auditcheck_kind kind,
    uint64_t first, uint64_t last)
{
	CHECK_OK(judge(x, NULL));
	CHECK_NUM(1, n_found);
	CHECK_STR(cs_auditcheck_name(kind), cs_auditcheck_name(found[0].kind));
	CHECK_NUM(first, found[0].first);
	CHECK_NUM(last, found[0].last);
}

/* ---------------------------------------------------------- ways to change it
 */

static uint8_t *
record(struct export *x, uint32_t i)
{
	return x->records.p + (size_t)i * CS_AUDIT_RECORD_BYTES;
}

static void
delete_record(struct export *x, uint32_t i)
{
	memmove(record(x, i), record(x, i + 1),
	    (size_t)(x->v.n - i - 1) * CS_AUDIT_RECORD_BYTES);
	x->records.n -= CS_AUDIT_RECORD_BYTES;
	x->v.records = cs_buf_view(&x->records);
	x->v.n--;
}

static void
insert_record(struct export *x, uint32_t i, const uint8_t *bytes)
{
	cs_buf_put_zero(&x->records, CS_AUDIT_RECORD_BYTES);
	memmove(record(x, i + 1), record(x, i),
	    (size_t)(x->v.n - i) * CS_AUDIT_RECORD_BYTES);
	memcpy(record(x, i), bytes, CS_AUDIT_RECORD_BYTES);
	x->v.records = cs_buf_view(&x->records);
	x->v.n++;
}

static void
swap_records(struct export *x, uint32_t i, uint32_t k)
{
	uint8_t t[CS_AUDIT_RECORD_BYTES];

	memcpy(t, record(x, i), sizeof(t));
	memcpy(record(x, i), record(x, k), sizeof(t));
	memcpy(record(x, k), t, sizeof(t));
}

/* Numbers and hashes anew from record i on, as who knows the layout would. */
static void
chain_anew(struct export *x, uint32_t i)
{
	for (; i < x->v.n; i++) {
		cs_bytes_be(x->v.first + i, 8, record(x, i) + 1);
		if (i > 0)
			cs_audit_hash((struct cs_bytes){ record(x, i - 1),
					  CS_AUDIT_RECORD_BYTES },
			    record(x, i) + 68);
	}
}

static void
say(uint8_t kind)
{
	const struct cs_frame_audit_note v = { kind, c.r.now_ms / 1000, false };
	const struct cs_principal who = test_relay_registrar(&c.r);
	struct cs_buf ask = { 0 };

	cs_frame_audit_note_encode(&ask, 1, &v);
	CHECK_OK(test_relay_say(&c.r, &who, &ask));
}

/* Hours of events, some in each. */
static void
begin(void)
{
	test_clinic_init(&c);
	for (uint8_t hour = 0; hour < 6; hour++) {
		for (uint8_t i = 1; i <= 4; i++)
			say(i);
		c.r.now_ms += 3600 * 1000;
		c.r.boot_ms += 3600 * 1000;
		cs_service_tick(c.r.s, test_relay_now(&c.r));
	}
}

#define HOUR(n) (TEST_RELAY_TIME + (n)*UINT64_C(3600))

TEST(an_export_of_the_whole_log_or_a_part_is_clean)
{
	struct cs_auditcheck all;
	struct export x;

	begin();
	x = make(0, UINT64_MAX, NULL);
	check_clean(&x);
	CHECK_OK(judge(&x, &all));
	CHECK_NUM(all.cp.size, all.file.n);
	CHECK_BYTES(cs_keyring_info(c.r.net.relay)->id, CS_ID_BYTES,
	    all.relay.id, CS_ID_BYTES);
	export_fini(&x);
	x = make(HOUR(2), HOUR(4), NULL);
	check_clean(&x);
	CHECK(x.v.first > 0 && x.v.first + x.v.n < all.cp.size);
	CHECK_NUM(1 + 8 + 1, x.v.n); /* one before, two hours, one after */
	export_fini(&x);
	x = make(HOUR(100), UINT64_MAX, NULL); /* nothing yet */
	check_clean(&x);
	CHECK_NUM(1, x.v.n);
	export_fini(&x);
	test_clinic_fini(&c);
}

TEST(a_deleted_record_is_found_and_named)
{
	struct export x;
	uint64_t first;

	begin();
	for (uint32_t i = 1; i < 9; i++) { /* between the ends */
		x = make(HOUR(2), HOUR(4), NULL);
		first = x.v.first;
		delete_record(&x, i);
		check_found(&x, CS_AUDITCHECK_DELETED, first + i, first + i);
		export_fini(&x);
	}
	x = make(HOUR(1), HOUR(5), NULL);
	first = x.v.first;
	for (unsigned i = 0; i < 5; i++)
		delete_record(&x, 3);
	delete_record(&x, 6);
	CHECK_OK(judge(&x, NULL));
	CHECK_NUM(2, n_found);
	CHECK_NUM(CS_AUDITCHECK_DELETED, found[0].kind);
	CHECK_NUM(first + 3, found[0].first);
	CHECK_NUM(first + 7, found[0].last);
	CHECK_NUM(first + 11, found[1].first);
	/* and the rest renumbered and chained anew */
	chain_anew(&x, 3);
	CHECK_OK(judge(&x, NULL));
	CHECK_NUM(1, n_found);
	CHECK_NUM(CS_AUDITCHECK_REWRITTEN, found[0].kind);
	CHECK_NUM(first + 1, found[0].first);
	export_fini(&x);
	test_clinic_fini(&c);
}

TEST(reordered_records_are_found_and_named)
{
	struct export x;

	begin();
	x = make(HOUR(2), HOUR(4), NULL);
	swap_records(&x, 3, 4);
	CHECK_OK(judge(&x, NULL));
	CHECK_NUM(1, n_found);
	CHECK_NUM(CS_AUDITCHECK_REORDERED, found[0].kind);
	CHECK_NUM(x.v.first + 3, found[0].first);
	swap_records(&x, 3, 4);
	swap_records(&x, 2, 6); /* what is between stands where it should */
	CHECK_OK(judge(&x, NULL));
	CHECK(n_found > 0);
	for (size_t i = 0; i < n_found; i++)
		CHECK_NUM(CS_AUDITCHECK_REORDERED, found[i].kind);
	swap_records(&x, 2, 6);
	check_clean(&x);
	swap_records(&x, 3, 4);
	chain_anew(&x, 1);
	check_found(&x, CS_AUDITCHECK_REWRITTEN, x.v.first + 1,
	    x.v.first + x.v.n - 1);
	export_fini(&x);
	test_clinic_fini(&c);
}

TEST(an_edited_record_is_found_and_named)
{
	struct export x;
	uint32_t i;

	begin();
	x = make(HOUR(2), HOUR(4), NULL);
	for (i = 0; i < x.v.n; i++) {
		record(&x, i)[60] ^= 1; /* of its first number */
		if (i + 1 < x.v.n)
			check_found(&x, CS_AUDITCHECK_EDITED, x.v.first + i,
			    x.v.first + i);
		else /* the last one, which no other holds the hash of */
			check_found(&x, CS_AUDITCHECK_REWRITTEN, x.v.first + 1,
			    x.v.first + i);
		record(&x, i)[60] ^= 1;
	}
	/* its hash of the one before: that one, or it */
	record(&x, 4)[80] ^= 1;
	check_found(&x, CS_AUDITCHECK_EDITED, x.v.first + 3, x.v.first + 4);
	record(&x, 4)[80] ^= 1;
	record(&x, 1)[80] ^= 1; /* the one before is proved */
	check_found(&x, CS_AUDITCHECK_EDITED, x.v.first + 1, x.v.first + 1);
	record(&x, 1)[80] ^= 1;
	record(&x, x.v.n - 1)[80] ^= 1; /* and this one is not */
	check_found(&x, CS_AUDITCHECK_EDITED, x.v.first + x.v.n - 1,
	    x.v.first + x.v.n - 1);
	record(&x, x.v.n - 1)[80] ^= 1;
	record(&x, 5)[0] = 7; /* no record any more */
	check_found(&x, CS_AUDITCHECK_DAMAGED, x.v.first + 5, x.v.first + 5);
	record(&x, 5)[0] = 1;
	record(&x, 5)[1] = 0xff; /* a number that the log does not have */
	CHECK_OK(judge(&x, NULL));
	CHECK_NUM(2, n_found);
	CHECK_NUM(CS_AUDITCHECK_EDITED, found[0].kind);
	CHECK_NUM(x.v.first + 5, found[0].first);
	CHECK_NUM(CS_AUDITCHECK_DELETED, found[1].kind);
	record(&x, 5)[1] = 0;
	/* another time, and the chain made anew */
	cs_bytes_be(HOUR(2), 8, record(&x, 6) + 9);
	chain_anew(&x, 7);
	CHECK_OK(judge(&x, NULL));
	CHECK_NUM(CS_AUDITCHECK_TIME, found[0].kind);
	CHECK_NUM(x.v.first + 6, found[0].first);
	export_fini(&x);
	/* the very first record, which follows network and relay */
	x = make(0, HOUR(1), NULL);
	record(&x, 0)[70] ^= 1;
	CHECK_OK(judge(&x, NULL));
	CHECK_NUM(CS_AUDITCHECK_EDITED, found[0].kind);
	CHECK_NUM(0, found[0].first);
	export_fini(&x);
	test_clinic_fini(&c);
}

TEST(an_inserted_record_is_found_and_named)
{
	struct cs_audit_record more;
	struct cs_buf bytes = { 0 };
	struct export x;

	begin();
	x = make(HOUR(2), HOUR(4), NULL);
	CHECK_OK(cs_audit_decode(cs_auditfile_record(&x.v, 4), &more));
	more.a = 9;
	cs_audit_encode(&more, &bytes);
	insert_record(&x, 5, bytes.p);
	CHECK_OK(judge(&x, NULL));
	CHECK_NUM(CS_AUDITCHECK_INSERTED, found[0].kind);
	CHECK_NUM(x.v.first + 4, found[0].first);
	chain_anew(&x, 5);
	CHECK_OK(judge(&x, NULL));
	CHECK_NUM(1, n_found);
	CHECK_NUM(CS_AUDITCHECK_REWRITTEN, found[0].kind);
	cs_buf_fini(&bytes);
	export_fini(&x);
	test_clinic_fini(&c);
}

TEST(a_cut_at_either_end_is_found)
{
	struct export x;
	uint64_t first, last;

	begin();
	x = make(HOUR(2), HOUR(4), NULL);
	first = x.v.first;
	last = first + x.v.n - 1;
	delete_record(&x, x.v.n - 1);
	CHECK_OK(judge(&x, NULL));
	CHECK_NUM(1, n_found);
	CHECK_NUM(CS_AUDITCHECK_CUT_END, found[0].kind);
	CHECK_NUM(last, found[0].first);
	delete_record(&x, x.v.n - 1);
	delete_record(&x, x.v.n - 1);
	CHECK_OK(judge(&x, NULL));
	CHECK_NUM(last - 2, found[0].first);
	export_fini(&x);

	x = make(HOUR(2), HOUR(4), NULL);
	delete_record(&x, 0);
	check_found(&x, CS_AUDITCHECK_DELETED, first, first);
	x.v.first++; /* it says that it begins there */
	check_found(&x, CS_AUDITCHECK_CUT_START, 0, first + 1);
	export_fini(&x);

	/* the tail of the whole log: the signed checkpoint covers it */
	x = make(0, UINT64_MAX, NULL);
	last = x.v.n - 1;
	delete_record(&x, x.v.n - 1);
	check_found(&x, CS_AUDITCHECK_CUT_END, last, last);
	delete_record(&x, 0);
	x.v.first++;
	CHECK_OK(judge(&x, NULL));
	CHECK_NUM(2, n_found);
	CHECK_NUM(CS_AUDITCHECK_CUT_START, found[0].kind);
	export_fini(&x);
	test_clinic_fini(&c);
}

TEST(another_network_relay_or_checkpoint_is_found)
{
	struct cs_auditcheck check;
	struct cs_buf bytes = { 0 };
	struct export x, y;
	struct network other;

	begin();
	x = make(HOUR(2), HOUR(4), NULL);
	network_init(&other, TEST_RELAY_TIME);
	cs_auditfile_encode(&x.v, &bytes);
	CHECK_ERR(CS_WRONG_NETWORK,
	    cs_auditcheck_file(cs_buf_view(&bytes), other.network_id, on_found,
		NULL, &check));
	/* as if it were the other's, down to its certificates */
	memcpy(x.v.network_id, other.network_id, CS_NETWORK_ID_BYTES);
	cs_buf_reset(&bytes);
	cs_auditfile_encode(&x.v, &bytes);
	n_found = 0;
	CHECK_OK(cs_auditcheck_file(cs_buf_view(&bytes), other.network_id,
	    on_found, NULL, &check));
	CHECK_NUM(CS_AUDITCHECK_CERTIFICATE, found[0].kind);
	cs_buf_reset(&x.certs);
	CHECK_OK(cs_certs_collect(other.dir, &x.certs));
	x.v.certs = cs_buf_view(&x.certs);
	memcpy(x.v.relay_id, cs_keyring_info(other.relay)->id, CS_ID_BYTES);
	cs_buf_reset(&bytes);
	cs_auditfile_encode(&x.v, &bytes);
	n_found = 0;
	CHECK_OK(cs_auditcheck_file(cs_buf_view(&bytes), other.network_id,
	    on_found, NULL, &check));
	CHECK_NUM(1, n_found);
	CHECK_NUM(CS_AUDITCHECK_CHECKPOINT, found[0].kind);
	export_fini(&x);
	network_fini(&other);

	x = make(HOUR(2), HOUR(4), NULL);
	x.v.relay_id[5] ^= 1;
	check_found(&x, CS_AUDITCHECK_CERTIFICATE, 0, 0);
	x.v.relay_id[5] ^= 1;
	x.note.p[x.note.n - 10] ^= 1;
	check_found(&x, CS_AUDITCHECK_CHECKPOINT, 0, 0);
	x.note.p[x.note.n - 10] ^= 1;
	x.proofs[1].p[3] ^= 1;
	check_found(&x, CS_AUDITCHECK_PROOF, x.v.first, x.v.first);
	x.proofs[1].p[3] ^= 1;
	x.proofs[2].p[3] ^= 1;
	check_found(&x, CS_AUDITCHECK_REWRITTEN, x.v.first + 1,
	    x.v.first + x.v.n - 1);
	x.proofs[2].p[3] ^= 1;
	/* the checkpoint of a later export, which the proofs are not for */
	say(9);
	y = make(HOUR(2), HOUR(4), NULL);
	x.v.note = y.v.note;
	CHECK_OK(judge(&x, NULL));
	CHECK_NUM(1, n_found);
	export_fini(&x);
	export_fini(&y);
	cs_buf_fini(&bytes);
	test_clinic_fini(&c);
}

TEST(what_is_no_export_is_refused)
{
	struct cs_buf bytes = { 0 };
	struct cs_auditcheck check;
	struct export x;

	begin();
	x = make(HOUR(2), HOUR(4), NULL);
	cs_auditfile_encode(&x.v, &bytes);
	for (size_t n = 0; n < bytes.n; n += 37)
		CHECK_ERR(CS_MALFORMED,
		    cs_auditcheck_file((struct cs_bytes){ bytes.p, n },
			c.r.net.network_id, NULL, NULL, &check));
	bytes.p[3] = '9';
	CHECK_ERR(CS_UNSUPPORTED, cs_auditcheck_file(cs_buf_view(&bytes),
				      c.r.net.network_id, NULL, NULL, &check));
	CHECK_ERR(CS_TOO_LARGE,
	    cs_auditcheck_file((struct cs_bytes){ bytes.p,
				   CS_AUDITFILE_MAX_BYTES + 1 },
		c.r.net.network_id, NULL, NULL, &check));
	cs_buf_fini(&bytes);
	export_fini(&x);
	test_clinic_fini(&c);
}

/* ---------------------------------------------------------- several of them */

/* Judges both, which must be clean, then b after a. */
static void
follow(const struct export *a, const struct export *b)
{
	struct cs_buf x = { 0 }, y = { 0 };
	struct cs_auditcheck ca, cb;

	cs_auditfile_encode(&a->v, &x);
	cs_auditfile_encode(&b->v, &y);
	CHECK_OK(cs_auditcheck_file(cs_buf_view(&x), c.r.net.network_id, NULL,
	    NULL, &ca));
	CHECK_OK(cs_auditcheck_file(cs_buf_view(&y), c.r.net.network_id, NULL,
	    NULL, &cb));
	CHECK_NUM(0, ca.n_findings);
	CHECK_NUM(0, cb.n_findings);
	n_found = 0;
	cs_auditcheck_follows(&ca, &cb, on_found, NULL);
	CHECK_NUM(n_found, cb.n_findings);
	cs_buf_fini(&x);
	cs_buf_fini(&y);
}

/* As if the second were the log of another relay of the network. */
static void
other_relay(const struct export *a, const struct export *b)
{
	struct cs_auditcheck ca = { .file = a->v }, cb = { .file = b->v };

	cb.file.relay_id[0] ^= 1;
	n_found = 0;
	cs_auditcheck_follows(&ca, &cb, on_found, NULL);
	CHECK_NUM(1, n_found);
	CHECK_NUM(CS_AUDITCHECK_RELAY, found[0].kind);
}

TEST(files_that_follow_each_other_have_no_gap)
{
	struct export jan, feb, mar;

	begin();
	jan = make(0, HOUR(2), NULL);
	feb = make(HOUR(2), HOUR(4), NULL);
	mar = make(HOUR(4), UINT64_MAX, NULL);
	follow(&jan, &feb);
	CHECK_NUM(0, n_found);
	follow(&feb, &mar);
	CHECK_NUM(0, n_found);
	other_relay(&jan, &feb);
	follow(&jan, &mar);
	CHECK_NUM(1, n_found);
	CHECK_NUM(CS_AUDITCHECK_GAP, found[0].kind);
	CHECK_NUM(jan.v.first + jan.v.n, found[0].first);
	CHECK_NUM(mar.v.first - 1, found[0].last);
	export_fini(&jan);
	export_fini(&feb);
	export_fini(&mar);
	test_clinic_fini(&c);
}

static struct cs_log_view
view_of(const struct export *x)
{
	struct cs_auditcheck check;
	struct cs_log_view v;

	CHECK_OK(judge(x, &check));
	v.size = check.cp.size;
	memcpy(v.root, check.cp.root, CS_HASH_BYTES);
	return v;
}

TEST(a_log_that_was_shortened_is_found_against_an_earlier_export)
{
	struct export before, now;
	struct cs_log_view seen;
	struct cs_buf backup = { 0 };

	begin();
	test_relay_stop(&c.r);
	keep(&backup, test_read(test_path("store/rows/data.mdb")));
	test_relay_start(&c.r);
	say(7);
	before = make(0, UINT64_MAX, NULL);
	seen = view_of(&before);
	/* while it goes on all is well, and proved */
	c.r.now_ms += 1000;
	cs_service_tick(c.r.s, test_relay_now(&c.r));
	say(8);
	now = make(0, UINT64_MAX, &seen);
	check_clean(&now);
	follow(&before, &now);
	CHECK_NUM(0, n_found);
	now.v.previous.root[4] ^= 1;
	check_found(&now, CS_AUDITCHECK_FORKED, 0, seen.size);
	export_fini(&now);

	/* the store of before, declared so: it lacks the newest records */
	test_relay_stop(&c.r);
	test_write(test_path("store/rows/data.mdb"), cs_buf_view(&backup));
	c.r.now_ms += 5000;
	c.r.settings.restored = true;
	test_relay_start(&c.r);
	now = make(0, UINT64_MAX, NULL);
	CHECK(now.v.n < before.v.n);
	follow(&before, &now);
	CHECK_NUM(2, n_found);
	CHECK_NUM(CS_AUDITCHECK_SHORTENED, found[0].kind);
	CHECK_NUM(seen.size, found[0].last);
	CHECK_NUM(CS_AUDITCHECK_DIFFERS, found[1].kind);
	/* and by itself, if it says what was exported before */
	now.v.previous = seen;
	CHECK_OK(judge(&now, NULL));
	CHECK_NUM(CS_AUDITCHECK_SHORTENED, found[0].kind);
	export_fini(&now);
	export_fini(&before);
	cs_buf_fini(&backup);
	test_clinic_fini(&c);
}
