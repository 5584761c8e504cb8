#include "relay/auditlog.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keys/verify.h"
#include "proto/merkle.h"
#include "relay/limits.h"
#include "tests/support/auditlog.h"
#include "tests/support/clinic.h"
#include "tests/test.h"

static struct test_clinic c;
static struct test_audit seen;
static const struct cs_audit_record *last;

static size_t
count(enum cs_audit_event event)
{
	return test_audit_count(&seen, event, &last);
}

static void
read_all(void)
{
	test_audit_fini(&seen);
	test_audit_all(&c.r, &seen);
}

static void
begin(void)
{
	test_clinic_init(&c);
	test_audit_all(&c.r, &seen);
}

static void
end(void)
{
	test_audit_fini(&seen);
	test_clinic_fini(&c);
}

static cs_err
log_in(const struct cs_keyring *kr, const uint8_t *as)
{
	static const uint8_t handshake[32] = { 1, 2, 3 };
	uint8_t bytes[CS_VERIFY_LOGIN_BYTES];
	struct cs_frame_login_reply answer;
	struct cs_frame_login v = { 0 };
	struct cs_principal who;

	memcpy(v.device_id, as, CS_ID_BYTES);
	cs_verify_login_bytes(handshake, cs_keyring_info(c.r.net.relay)->id, as,
	    bytes);
	cs_keyring_sign(kr, CS_BYTES(bytes), v.signature);
	return cs_service_login(c.r.s, &v, handshake, &who, &answer);
}

static cs_err
fetch(const struct cs_principal *who)
{
	const struct cs_frame_envelope_id v = { { 9 } };
	struct cs_buf ask = { 0 };

	cs_frame_envelope_id_encode(&ask, 1, CS_OP_FETCH, &v);
	return test_relay_say(&c.r, who, &ask);
}

static cs_err
note(uint8_t kind, uint64_t date_s, bool failed)
{
	const struct cs_frame_audit_note v = { kind, date_s, failed };
	const struct cs_principal who = test_relay_registrar(&c.r);
	struct cs_buf ask = { 0 };

	cs_frame_audit_note_encode(&ask, 1, &v);
	return test_relay_say(&c.r, &who, &ask);
}

/* Size of the log as it is on disk. */
static uint64_t
size(void)
{
	struct test_audit now;
	uint64_t n;
	const struct cs_frame_audit_read none = { .from = UINT64_MAX,
		.until_s = UINT64_MAX };

	test_audit_read(&c.r, &none, &now);
	n = now.cp.size;
	test_audit_fini(&now);
	return n;
}

/* -------------------------------------------------------- what is recorded */

TEST(a_network_begins_with_its_founding_and_the_start)
{
	static const uint8_t config[CS_HASH_BYTES] = { 1, 2,
		3, [16] = 4, [31] = 5 };

	test_relay_init(&c.r);
	c.r.settings.config_hash = config;
	test_clinic_start(&c);
	test_audit_all(&c.r, &seen);
	/* genesis: root, registrar, relay; by whoever started the relay */
	for (unsigned i = 0; i < 3; i++) {
		CHECK_NUM(CS_AUDIT_KEY, seen.r[i].event);
		CHECK_NUM(CS_AUDIT_WHO_OPERATOR, seen.r[i].who);
		CHECK_NUM(i, seen.r[i].a);
	}
	CHECK_NUM(CS_ENTRY_RELAY, seen.r[2].b);
	CHECK_NUM(1, count(CS_AUDIT_START));
	CHECK_NUM(1, last->a); /* incarnation */
	CHECK_NUM(1, count(CS_AUDIT_CONFIGURATION));
	CHECK_BYTES(config, CS_ID_BYTES, last->object, CS_ID_BYTES);
	CHECK_NUM(UINT64_C(4) << 56, last->a);
	CHECK_NUM(5, last->b);
	CHECK_NUM(1, count(CS_AUDIT_LOGOFF));
	CHECK_NUM(90, last->a);
	CHECK_NUM(3600, last->b);
	CHECK_NUM(0, count(CS_AUDIT_STOP));
	end();
}

TEST(who_joins_is_recorded_with_keys)
{
	begin();
	/* three members joined: see test_clinic */
	CHECK_NUM(3, count(CS_AUDIT_ENROLMENT));
	CHECK_NUM(CS_AUDIT_WHO_ANYONE, last->who);
	CHECK_NUM(CS_ENTRY_DEVICE, last->b);
	CHECK_BYTES(c.eve.who.id, CS_ID_BYTES, last->object, CS_ID_BYTES);
	CHECK(count(CS_AUDIT_PERMISSION) >= 4); /* practice and members */
	CHECK_NUM(CS_ENTRY_MEMBER, last->b);
	CHECK_BYTES(c.eve.member_id, CS_ID_BYTES, last->object, CS_ID_BYTES);
	end();
}

TEST(logins_and_their_failures_are_recorded)
{
	static const uint8_t nobody[CS_ID_BYTES] = { 0xee };

	begin();
	CHECK_OK(log_in(c.ann.kr, c.ann.who.id));
	CHECK_OK(log_in(c.ann.kr, c.ann.who.id));
	CHECK_OK(log_in(c.r.net.registrar,
	    cs_keyring_info(c.r.net.registrar)->id));
	CHECK_ERR(CS_BAD_SIGNATURE, log_in(c.ann.kr, c.bob.who.id));
	CHECK_ERR(CS_BAD_SIGNATURE, log_in(c.ann.kr, nobody));
	CHECK_ERR(CS_BAD_SIGNATURE, log_in(c.ann.kr, nobody));
	read_all();
	CHECK_NUM(2, count(CS_AUDIT_LOGIN));
	CHECK_NUM(CS_AUDIT_WHO_REGISTRAR, last->who);
	CHECK_NUM(1, last->a);
	last--; /* in the order of their first */
	CHECK_NUM(CS_AUDIT_WHO_DEVICE, last->who);
	CHECK_BYTES(c.ann.who.id, CS_ID_BYTES, last->id, CS_ID_BYTES);
	CHECK_NUM(2, last->a);
	CHECK_NUM(2, count(CS_AUDIT_LOGIN_FAILED));
	CHECK_NUM(CS_AUDIT_WHO_ANYONE, last->who);
	CHECK_NUM(14, last->result);
	CHECK_NUM(2, last->a);
	/* an id that nobody has could hold anything: it is not kept */
	CHECK(sodium_is_zero(last->object, CS_ID_BYTES));
	last--;
	CHECK_BYTES(c.bob.who.id, CS_ID_BYTES, last->object, CS_ID_BYTES);
	end();
}

TEST(refused_requests_are_recorded_with_the_operation)
{
	static const struct cs_principal nobody;
	const struct cs_principal admin = (begin(), test_relay_registrar(&c.r));
	struct cs_buf ask = { 0 };

	CHECK_ERR(CS_DENIED, fetch(&admin));
	CHECK_ERR(CS_DENIED, fetch(&admin));
	CHECK_ERR(CS_DENIED, fetch(&nobody));
	CHECK_ERR(CS_NOT_FOUND,
	    fetch(&c.bob.who)); /* somebody else's, or none */
	cs_buf_put_bytes(&ask, HEX("92 cd ff ff 05")); /* no such op */
	CHECK_ERR(CS_DENIED, test_relay_say(&c.r, &c.bob.who, &ask));
	cs_buf_put_bytes(&ask, HEX("93 01 05 01")); /* a mistake, no attempt */
	CHECK_ERR(CS_MALFORMED, test_relay_say(&c.r, &c.bob.who, &ask));
	read_all();
	CHECK_NUM(4, count(CS_AUDIT_DENIED));
	CHECK_NUM(CS_AUDIT_WHO_DEVICE, last->who);
	CHECK_NUM(0, last->b);
	last--;
	CHECK_NUM(3, last->result);
	CHECK_NUM(CS_OP_FETCH, last->b);
	CHECK_BYTES(c.bob.who.id, CS_ID_BYTES, last->id, CS_ID_BYTES);
	last -= 2;
	CHECK_NUM(CS_AUDIT_WHO_REGISTRAR, last->who);
	CHECK_NUM(2, last->result);
	CHECK_NUM(2, last->a);
	end();
}

TEST(start_stop_and_restore_are_recorded)
{
	begin();
	test_audit_fini(&seen);
	CHECK_ERR(CS_NOT_FOUND, fetch(&c.bob.who)); /* waits for the stop */
	test_relay_stop(&c.r);
	c.r.now_ms += 5000;
	c.r.settings.restored = true;
	test_relay_start(&c.r);
	test_relay_stop(&c.r);
	c.r.settings.restored = false;
	test_relay_start(&c.r);
	test_audit_all(&c.r, &seen);
	CHECK_NUM(1, count(CS_AUDIT_STOP));
	CHECK_NUM(CS_AUDIT_DENIED, last[-1].event);
	CHECK_NUM(2, count(CS_AUDIT_START));
	CHECK_NUM(1, count(CS_AUDIT_RESTORE));
	CHECK_NUM(CS_AUDIT_WHO_OPERATOR, last->who);
	CHECK_NUM(seen.cp.counter, last->a);
	CHECK(last->a > 1);
	CHECK_BYTES(seen.cp.incarnation, CS_ID_BYTES, last->object,
	    CS_ID_BYTES);
	CHECK_NUM(CS_AUDIT_START, last[1].event);
	end();
}

TEST(a_registrar_says_what_happened_outside_and_once)
{
	const uint64_t day = TEST_RELAY_TIME - 86400;

	begin();
	CHECK_OK(note(CS_AUDIT_NOTE_RESTORE_DRILL, day, true));
	CHECK_OK(note(CS_AUDIT_NOTE_RESTORE_DRILL, day, true)); /* said again */
	CHECK_OK(note(CS_AUDIT_NOTE_BACKUP, day, false));
	CHECK_ERR(CS_UNSUPPORTED, note(99, day, false));
	CHECK_ERR(CS_MALFORMED,
	    note(CS_AUDIT_NOTE_BACKUP, TEST_RELAY_TIME + 2 * 86400, false));
	read_all();
	CHECK_NUM(2, count(CS_AUDIT_NOTE));
	CHECK_NUM(CS_AUDIT_WHO_REGISTRAR, last->who);
	CHECK_NUM(CS_AUDIT_NOTE_BACKUP, last->a);
	CHECK_NUM(day, last->b);
	CHECK_NUM(0, last->result);
	last--;
	CHECK_NUM(CS_AUDIT_NOTE_RESTORE_DRILL, last->a);
	CHECK_NUM(1, last->result);
	end();
}

/* ------------------------------------------------------------------- when */

TEST(what_changes_nothing_is_recorded_within_a_second)
{
	uint64_t commits;

	begin();
	test_relay_pass(&c.r, 2000);
	commits = test_relay_counter(&c.r, "commits");
	CHECK_ERR(CS_NOT_FOUND, fetch(&c.bob.who));
	test_relay_pass(&c.r, CS_LIMIT_AUDIT_WAIT_MS - 200);
	CHECK_NUM(commits, test_relay_counter(&c.r, "commits"));
	test_relay_await(&c.r, "commits", commits + 1);
	test_relay_stop(&c.r); /* adds only the stop */
	test_audit_fini(&seen);
	test_relay_start(&c.r);
	test_audit_all(&c.r, &seen);
	CHECK_NUM(1, count(CS_AUDIT_DENIED));
	end();
}

TEST(what_waits_goes_with_the_next_commit)
{
	uint64_t commits;

	begin();
	CHECK_ERR(CS_NOT_FOUND, fetch(&c.bob.who));
	commits = test_relay_counter(&c.r, "commits");
	CHECK_OK(note(CS_AUDIT_NOTE_BACKUP, TEST_RELAY_TIME, false));
	CHECK_NUM(commits + 1, test_relay_counter(&c.r, "commits"));
	test_relay_pass(&c.r, 3000);
	CHECK_NUM(commits + 1, test_relay_counter(&c.r, "commits"));
	read_all();
	CHECK_NUM(1, count(CS_AUDIT_DENIED));
	CHECK_NUM(CS_AUDIT_NOTE, last[1].event);
	end();
}

TEST(a_flood_is_few_records)
{
	static const struct cs_principal nobody;
	struct cs_buf ask = { 0 };
	uint64_t before, n = 0;
	uint8_t id[CS_ID_BYTES];

	begin();
	before = size();
	for (unsigned i = 0; i < 3000; i++) {
		randombytes_buf(id, sizeof(id));
		CHECK_ERR(CS_BAD_SIGNATURE, log_in(c.ann.kr, id));
		cs_frame_audit_note_encode(&ask, i,
		    &(struct cs_frame_audit_note){ 1, 1, false });
		/* each row of the table in turn */
		ask.p[1] = 0x10 + i % 0x28;
		CHECK(test_relay_say(&c.r, &nobody, &ask) != CS_OK);
	}
	read_all();
	CHECK(seen.cp.size - before < 20);
	for (size_t i = 0; i < seen.n; i++)
		if (seen.r[i].event == CS_AUDIT_LOGIN_FAILED)
			n += seen.r[i].a;
	CHECK_NUM(3000, n); /* but none is forgotten */
	CHECK(count(CS_AUDIT_DENIED) <= CS_LIMIT_AUDIT_STRANGERS + 1);
	end();
}

/* ---------------------------------------------------------------- reading */

TEST(it_is_read_by_number_and_by_time_in_pages)
{
	struct cs_frame_audit_read v = { .until_s = UINT64_MAX,
		.anchor = CS_FRAME_AUDIT_FIRST };
	struct test_audit page;
	uint64_t cut, then;

	begin();
	test_relay_pass(&c.r, 10000);
	then = c.r.now_ms / 1000;
	cut = size(); /* is recorded, at this second */
	CHECK_OK(note(CS_AUDIT_NOTE_BACKUP, TEST_RELAY_TIME, false));
	test_relay_pass(&c.r, 10000);
	CHECK_OK(note(CS_AUDIT_NOTE_LOG_REVIEW, TEST_RELAY_TIME, false));
	v.by_time = true;
	v.from = then;
	test_audit_read(&c.r, &v, &page);
	CHECK_NUM(cut - 1, page.first); /* the one before */
	CHECK(page.r[0].time_s < then && page.r[1].time_s == then);
	CHECK_NUM(page.cp.size, page.first + page.n);
	test_audit_fini(&page);
	v.until_s = then + 1; /* ends with the first at or after */
	test_audit_read(&c.r, &v, &page);
	CHECK_NUM(CS_AUDIT_NOTE_LOG_REVIEW, page.r[page.n - 1].a);
	CHECK(page.r[page.n - 2].time_s == then);
	test_audit_fini(&page);
	v.from = UINT64_MAX; /* later than all: the last one, to say so */
	test_audit_read(&c.r, &v, &page);
	CHECK_NUM(1, page.n);
	CHECK_NUM(page.cp.size - 1, page.first);
	test_audit_fini(&page);
	v = (struct cs_frame_audit_read){
		.from = 2, .until_s = 0, .anchor = CS_FRAME_AUDIT_FIRST
	};
	test_audit_read(&c.r, &v, &page);
	CHECK_NUM(2, page.first);
	CHECK_NUM(1, page.n);
	test_audit_fini(&page);
	v.from = UINT64_MAX;
	test_audit_read(&c.r, &v, &page);
	CHECK_NUM(0, page.n);
	test_audit_fini(&page);
	end();
}

TEST(it_is_shown_to_continue_what_was_read_before)
{
	const struct cs_principal who = (begin(), test_relay_registrar(&c.r));
	struct cs_frame_audit_read v = { .from = 1,
		.until_s = UINT64_MAX,
		.anchor = 3,
		.old_size = seen.cp.size };
	struct test_audit later;
	struct cs_buf ask = { 0 };
	uint8_t leaf[CS_HASH_BYTES];

	CHECK_OK(note(CS_AUDIT_NOTE_BACKUP, TEST_RELAY_TIME, false));
	test_audit_read(&c.r, &v, &later);
	CHECK(later.cp.size > seen.cp.size);
	CHECK_OK(cs_merkle_check_consistency(seen.cp.size, later.cp.size,
	    later.reply.consistency, seen.cp.root, later.cp.root));
	cs_merkle_leaf((struct cs_bytes){ later.reply.records.p +
					      2 * CS_AUDIT_RECORD_BYTES,
			   CS_AUDIT_RECORD_BYTES },
	    leaf); /* record 3 */
	CHECK_OK(cs_merkle_check_inclusion(leaf, 3, later.cp.size,
	    later.reply.proof_anchor, later.cp.root));
	test_audit_fini(&later);
	v.old_size = 9999; /* it was longer once? */
	cs_frame_audit_read_encode(&ask, 1, &v);
	CHECK_ERR(CS_NOT_FOUND, test_relay_say(&c.r, &who, &ask));
	v.old_size = 0;
	v.anchor = 9999;
	cs_frame_audit_read_encode(&ask, 1, &v);
	CHECK_ERR(CS_NOT_FOUND, test_relay_say(&c.r, &who, &ask));
	end();
}

TEST(who_reads_it_is_recorded_first)
{
	begin();
	CHECK_NUM(1, count(CS_AUDIT_EXPORT));
	CHECK_NUM(seen.cp.size - 1, last->seq);
	CHECK_NUM(CS_AUDIT_WHO_REGISTRAR, last->who);
	CHECK_NUM(0, last->a);
	CHECK_NUM(last->seq, last->b);
	end();
}

TEST(a_clock_that_goes_back_does_not_disorder_it)
{
	begin();
	c.r.now_ms -= 3600 * 1000;
	test_relay_pass(&c.r, 1000);
	CHECK_OK(note(CS_AUDIT_NOTE_BACKUP, TEST_RELAY_TIME - 86400, false));
	read_all(); /* checks that times ascend */
	CHECK_NUM(1, count(CS_AUDIT_NOTE));
	CHECK_NUM(TEST_RELAY_TIME, last->time_s);
	end();
}

/* Changes the record of this number, or changes it back, where it lies. */
static void
damage(uint64_t seq)
{
	const char *path = test_path("store/rows/data.mdb");
	uint8_t needle[17] = { 1 };
	struct cs_bytes file = test_read(path);
	const uint8_t *at;
	int fd = open(path, O_WRONLY);

	cs_bytes_be(seq, 8, needle + 1);
	cs_bytes_be(TEST_RELAY_TIME, 8, needle + 9);
	at = memmem(file.p, file.n, needle, sizeof(needle));
	CHECK(at != NULL && fd >= 0);
	CHECK(pwrite(fd, (uint8_t[]){ at[60] ^ 1 }, 1, at + 60 - file.p) == 1);
	close(fd);
}

TEST(a_damaged_log_stops_what_must_be_recorded_and_no_mail)
{
	struct cs_buf problem = { 0 };
	struct cs_service *s = NULL;
	struct test_bundle b;

	begin();
	damage(seen.cp.size); /* the newest: that we read all before it */
	CHECK_OK(log_in(c.ann.kr, c.ann.who.id));
	test_bundle_make(&c.r, &b, &c.bob, 1, 0);
	test_bundle_send(&c.r, &c.ann, &b);
	CHECK_NUM(1, test_clinic_list(&c, &c.bob, 0, NULL, NULL));
	CHECK_ERR(CS_CORRUPT,
	    note(CS_AUDIT_NOTE_BACKUP, TEST_RELAY_TIME, false));
	test_bundle_fini(&b);
	test_relay_stop(&c.r);
	/* A relay that cannot record does not run. */
	CHECK_ERR(CS_CORRUPT,
	    cs_service_open(&c.r.settings, test_relay_now(&c.r), &s, &problem));
	CHECK(problem.n > 0);
	cs_buf_fini(&problem);
	damage(seen.cp.size);
	test_relay_start(&c.r);
	CHECK_OK(note(CS_AUDIT_NOTE_BACKUP, TEST_RELAY_TIME, false));
	end();
}
