#include "client/join.h"

#include <glob.h>
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "client/client.h"
#include "client/home.h"
#include "client/mirror.h"
#include "proto/invite.h"
#include "keys/fork.h"
#include "proto/armour.h"
#include "proto/forkproof.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

static struct fake_relay f;
static struct cs_why why;

static cs_err
join(const char *home, struct cs_bytes invitation, struct cs_join_result *ret)
{
	const struct cs_join j = { .dir = test_path(home),
		.invitation = invitation,
		.device_name = cs_bytes_str("a laptop") };

	cs_why_clear(&why);
	return cs_join_run(&j, &why, ret);
}

static struct cs_client *
open_client(const char *home)
{
	struct cs_client *c = NULL;

	CHECK_OK(cs_client_open(test_path(home), NULL, NULL, &c));
	return c;
}

TEST(join_enrols_and_mirrors)
{
	struct cs_join_result r = { 0 };
	struct cs_directory_device self;
	struct cs_client *c;
	bool asks = true;

	fake_relay_start(&f);
	CHECK_OK(join("a", fake_relay_invite(&f, "ann@clinic"), &r));
	CHECK_STR("ann@clinic", r.address);
	CHECK_STR("Test Network", r.network_name);
	CHECK_STR(f.url, r.relay_url);
	CHECK(r.unattended && !r.resumed);
	CHECK_NUM(1, f.enrolled);
	CHECK_NUM(1, f.put);
	CHECK_OK(cs_client_needs_passphrase(test_path("a"), NULL, &asks));
	CHECK(!asks);
	fake_relay_halt(&f);

	c = open_client("a");
	CHECK_OK(cs_directory_device(cs_client_directory(c), r.device_id,
	    &self));
	CHECK_VIEW(cs_bytes_str("a laptop"), self.name);
	CHECK(self.epoch_end > 0);
	CHECK_OK(cs_mirror_check_fresh(cs_client_directory(c),
	    cs_client_checkpoint(c), cs_client_now()));
	cs_client_close(c);
	fake_relay_stop(&f);
}

TEST(join_twice_in_one_home)
{
	struct cs_join_result r;
	struct cs_bytes invitation;

	fake_relay_start(&f);
	invitation = fake_relay_invite(&f, "ann@clinic");
	CHECK_OK(join("a", invitation, &r));
	CHECK_ERR(CS_EXISTS, join("a", invitation, &r));
	CHECK(strstr(why.text, "ann@clinic") != NULL);
	fake_relay_stop(&f);
}

TEST(join_a_second_device_with_one_invitation)
{
	struct cs_join_result r;
	struct cs_bytes invitation;
	struct cs_client *c = NULL;

	fake_relay_start(&f);
	invitation = fake_relay_invite(&f, "ann@clinic");
	CHECK_OK(join("a", invitation, &r));
	CHECK_ERR(CS_USED, join("b", invitation, &r));
	CHECK(strstr(why.text, "ann@clinic") != NULL);
	CHECK(strstr(why.text, "tell the registrar") != NULL);
	CHECK_ERR(CS_NOT_FOUND, cs_client_open(test_path("b"), NULL, &why, &c));
	CHECK(c == NULL);
	fake_relay_stop(&f);
}

/* The relay took it and the answer was lost. */
TEST(join_resumes_when_broken_off_after_enrolment)
{
	struct cs_join_result r;
	struct cs_bytes invitation;
	bool begun = false;

	fake_relay_start(&f);
	fake_relay_set(&f,
	    (struct fake_relay_mood){ .hang_up_after_enrol = true });
	invitation = fake_relay_invite(&f, "ann@clinic");
	CHECK_ERR(CS_CLOSED, join("a", invitation, &r));
	CHECK_OK(cs_join_is_begun(test_path("a"), &begun));
	CHECK(begun);
	fake_relay_set(&f, (struct fake_relay_mood){ 0 });
	CHECK_OK(join("a", invitation, &r));
	CHECK(r.resumed);
	CHECK_NUM(1, f.enrolled);
	cs_client_close(open_client("a"));
	fake_relay_stop(&f);
}

TEST(join_resumes_when_the_relay_was_absent)
{
	struct cs_join_result r;
	struct cs_bytes invitation;

	fake_relay_start(&f);
	invitation = fake_relay_invite(&f, "ann@clinic");
	fake_relay_halt(&f);
	CHECK_ERR(CS_UNREACHABLE, join("a", invitation, &r));
	CHECK(strstr(why.text, f.url) != NULL);
	fake_relay_stop(&f);
}

TEST(join_refuses_what_is_no_invitation)
{
	struct cs_join_result r;
	struct cs_bytes good;
	bool begun = true;

	fake_relay_start(&f);
	good = fake_relay_invite(&f, "ann@clinic");
	CHECK_ERR(CS_MALFORMED, join("a", cs_bytes_str("hello"), &r));
	good.n /= 2;
	CHECK_ERR(CS_MALFORMED, join("a", good, &r));
	CHECK_OK(cs_join_is_begun(test_path("a"), &begun));
	CHECK(!begun);
	fake_relay_stop(&f);
}

/* One that is valid for a second. */
static struct cs_bytes
brief_invitation(void)
{
	const struct timespec wait = { .tv_sec = 2 };
	struct cs_enrol_guest guest = { .address = cs_bytes_str("ann@clinic"),
		.name = cs_bytes_str("Ann"),
		.role = cs_bytes_str("physician"),
		.expires_s = (uint64_t)time(NULL) + 1 };
	struct cs_buf binary = { 0 }, text = { 0 };
	uint8_t *copy;
	size_t n;

	CHECK_OK(cs_enrol_invite(f.net.registrar, f.net.dir, &guest,
	    f.net.now_s, &binary));
	cs_invite_armour(cs_buf_view(&binary), "", &text);
	n = text.n;
	copy = test_alloc(n);
	memcpy(copy, text.p, n);
	cs_buf_fini(&binary);
	cs_buf_fini(&text);
	nanosleep(&wait, NULL);
	return (struct cs_bytes){ copy, n };
}

TEST(join_refuses_an_expired_invitation)
{
	struct cs_join_result r;

	fake_relay_start(&f);
	CHECK_ERR(CS_EXPIRED, join("a", brief_invitation(), &r));
	CHECK(strstr(why.text, "expired") != NULL);
	CHECK_NUM(0, f.enrolled);
	fake_relay_stop(&f);
}

TEST(join_refuses_a_home_of_another_member)
{
	struct cs_join_result r;

	fake_relay_start(&f);
	CHECK_OK(join("a", fake_relay_invite(&f, "ann@clinic"), &r));
	CHECK_ERR(CS_EXISTS,
	    join("a", fake_relay_invite(&f, "bob@clinic"), &r));
	CHECK(strstr(why.text, "CONSIL_HOME") != NULL);
	fake_relay_stop(&f);
}

/* ------------------------------------------------- what the relay may not do
 */

static unsigned
count_evidence(const char *home)
{
	char path[4096];
	const struct dirent *d;
	unsigned n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/evidence", test_path(home));
	dir = opendir(path);
	while (dir && (d = readdir(dir)) != NULL)
		n += d->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

/* The proof that a home holds stands by itself. */
static void
check_proof(const char *home)
{
	struct cs_buf binary = { 0 };
	struct cs_fork_verdict v;
	char pattern[512];
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/evidence/fork-*.proof",
	    test_path(home));
	CHECK(glob(pattern, 0, NULL, &found) == 0);
	CHECK_NUM(1, found.gl_pathc);
	CHECK_OK(cs_armour_decode(CS_FORKPROOF_ARMOUR,
	    test_read(found.gl_pathv[0]), &binary));
	CHECK_OK(cs_fork_check(cs_buf_view(&binary), f.net.network_id, &v));
	CHECK(!v.same_log);
	globfree(&found);
	cs_buf_fini(&binary);
}

static void
check_mood(struct fake_relay_mood mood, cs_err expected, unsigned evidence)
{
	struct cs_join_result r;
	struct cs_client *c;
	uint64_t size;

	fake_relay_start(&f);
	fake_relay_set(&f, (struct fake_relay_mood){ .counter = 5 });
	CHECK_OK(join("a", fake_relay_invite(&f, "ann@clinic"), &r));
	c = open_client("a");
	CHECK_OK(cs_client_connect(c, 0));
	size = cs_directory_view(cs_client_directory(c)).size;
	cs_client_disconnect(c);
	fake_relay_set(&f, mood);
	CHECK_ERR(expected, cs_client_connect(c, 0));
	CHECK(cs_client_why(c)->text[0] != '\0');
	CHECK(cs_client_conn(c) == NULL);
	/* The mirror is what it was, here and in the store. */
	CHECK_NUM(size, cs_directory_view(cs_client_directory(c)).size);
	CHECK_NUM(size, cs_client_checkpoint(c)->size);
	cs_client_close(c);
	c = open_client("a");
	CHECK_NUM(size, cs_directory_view(cs_client_directory(c)).size);
	cs_client_close(c);
	CHECK_NUM(evidence, count_evidence("a"));
	fake_relay_stop(&f);
}

TEST(client_refuses_a_shorter_directory)
{
	check_mood((struct fake_relay_mood){ .hide_from = 5, .counter = 5 },
	    CS_WENT_BACK, 1);
}

TEST(client_refuses_another_directory)
{
	check_mood((struct fake_relay_mood){ .fork = true, .counter = 5 },
	    CS_FORKED, 2); /* its note, and the proof */
	check_proof("a");
}

TEST(client_refuses_an_older_incarnation)
{
	check_mood((struct fake_relay_mood){ .counter = 4 }, CS_WENT_BACK, 1);
}

TEST(client_says_when_a_checkpoint_is_old)
{
	struct cs_join_result r;
	struct cs_client *c;

	fake_relay_start(&f);
	fake_relay_set(&f,
	    (struct fake_relay_mood){ .clock_offset_s = 25 * 3600 });
	CHECK_OK(join("a", fake_relay_invite(&f, "ann@clinic"), &r));
	c = open_client("a");
	CHECK_ERR(CS_STALE, cs_mirror_check_fresh(cs_client_directory(c),
				cs_client_checkpoint(c), cs_client_now()));
	cs_client_close(c);
	fake_relay_stop(&f);
}

/* A hundred days ahead, the keys that mail is sealed to now would be deleted
 * for good: nothing may be done by such a clock, nor by such a relay. */
TEST(client_deletes_no_key_by_a_wrong_clock)
{
	static const struct fake_relay_mood right = { 0 };
	const uint64_t off[] = { 100 * 86400, -(uint64_t)100 * 86400, 3700 };
	struct cs_bytes before;
	struct cs_join_result r;
	struct cs_client *c;
	size_t i;

	fake_relay_start(&f);
	CHECK_OK(join("a", fake_relay_invite(&f, "ann@clinic"), &r));
	before = test_read(test_path("a/epochs"));
	c = open_client("a");
	for (i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		fake_relay_set(&f,
		    (struct fake_relay_mood){ .behind_s = off[i] });
		cs_why_clear(cs_client_why(c));
		CHECK_ERR(CS_CLOCK, cs_client_connect(c, 0));
		CHECK(strstr(cs_client_why(c)->text, "clock") != NULL);
		CHECK_VIEW(before, test_read(test_path("a/epochs")));
	}
	fake_relay_set(&f, right);
	CHECK_OK(cs_client_connect(c, 0));
	cs_client_close(c);
	fake_relay_stop(&f);
}

/* A chain that begins in the future could not be sent to until then. */
TEST(join_makes_no_key_by_a_wrong_clock)
{
	static const struct fake_relay_mood right = { 0 };
	struct cs_join_result r;
	struct cs_bytes invitation;

	fake_relay_start(&f);
	invitation = fake_relay_invite(&f, "ann@clinic");
	fake_relay_set(&f, (struct fake_relay_mood){ .behind_s = 100 * 86400 });
	CHECK_ERR(CS_CLOCK, join("a", invitation, &r));
	CHECK(strstr(why.text, "100 days ahead") != NULL);
	CHECK(access(test_path("a/epochs"), F_OK) != 0);
	CHECK_NUM(0, f.enrolled);
	fake_relay_set(&f, right);
	CHECK_OK(join("a", invitation, &r));
	fake_relay_stop(&f);
}

/* What came into the log meanwhile is in the mirror after connecting, and
 * after a restart without the relay. */
TEST(client_follows_the_directory)
{
	struct cs_directory_member bob;
	struct cs_join_result r;
	struct cs_client *c;

	fake_relay_start(&f);
	CHECK_OK(join("a", fake_relay_invite(&f, "ann@clinic"), &r));
	CHECK_OK(join("b", fake_relay_invite(&f, "bob@clinic"), &r));
	c = open_client("a");
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_member_by_address(cs_client_directory(c),
		cs_bytes_str("bob@clinic"), &bob));
	CHECK_OK(cs_client_connect(c, 0));
	cs_client_close(c);
	fake_relay_halt(&f);
	c = open_client("a");
	CHECK_OK(cs_directory_member_by_address(cs_client_directory(c),
	    cs_bytes_str("bob@clinic"), &bob));
	CHECK_NUM(1, bob.n_devices);
	CHECK_ERR(CS_UNREACHABLE, cs_client_connect(c, 0));
	cs_client_close(c);
	fake_relay_stop(&f);
}

TEST(client_lets_one_process_connect_at_a_time)
{
	struct cs_client *one, *two;
	struct cs_join_result r;

	fake_relay_start(&f);
	CHECK_OK(join("a", fake_relay_invite(&f, "ann@clinic"), &r));
	one = open_client("a");
	two = open_client("a");
	CHECK_OK(cs_client_connect(one, 0));
	CHECK_ERR(CS_BUSY, cs_client_connect(two, 0));
	cs_client_disconnect(one);
	CHECK_OK(cs_client_connect(two, 0));
	cs_client_close(one);
	cs_client_close(two);
	fake_relay_stop(&f);
}

TEST(client_open_says_what_is_wrong)
{
	struct cs_client *c = NULL;
	struct cs_join_result r;
	bool asks;

	cs_why_clear(&why);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_client_open(test_path("none"), NULL, &why, &c));
	CHECK(strstr(why.text, "consil join") != NULL);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_client_needs_passphrase(test_path("none"), NULL, &asks));
	fake_relay_start(&f);
	CHECK_OK(join("a", fake_relay_invite(&f, "ann@clinic"), &r));
	CHECK(chmod(test_path("a"), 0755) == 0);
	CHECK_ERR(CS_DENIED, cs_client_open(test_path("a"), NULL, NULL, &c));
	CHECK(c == NULL);
	fake_relay_stop(&f);
}

TEST(client_finds_by_prefix)
{
	static const uint8_t ids[][CS_ID_BYTES] = {
		{ 0xab, 0xcd, 0xef, 0x12 },
		{ 0xab, 0xcd, 0xef, 0x13 },
		{ 0x00, 0x01, 0x02, 0x03 },
	};
	uint8_t id[CS_ID_BYTES] = { 0 };
	struct cs_client *c;
	struct cs_join_result r;
	size_t i;

	fake_relay_start(&f);
	CHECK_OK(join("a", fake_relay_invite(&f, "ann@clinic"), &r));
	c = open_client("a");
	for (i = 0; i < 3; i++)
		CHECK_OK(cs_local_write(cs_client_local(c), CS_LOCAL_IN,
		    CS_BYTES(ids[i]), cs_bytes_str("x")));
	CHECK_OK(cs_client_find(c, CS_LOCAL_IN, "000102", id));
	CHECK_BYTES(ids[2], sizeof(id), id, sizeof(id));
	CHECK_OK(cs_client_find(c, CS_LOCAL_IN, "ABCDEF13", id));
	CHECK_BYTES(ids[1], sizeof(id), id, sizeof(id));
	CHECK_ERR(CS_USAGE, cs_client_find(c, CS_LOCAL_IN, "abcdef1", id));
	CHECK_ERR(CS_USAGE, cs_client_find(c, CS_LOCAL_IN, "00010", id));
	CHECK_ERR(CS_USAGE, cs_client_find(c, CS_LOCAL_IN, "00010g", id));
	CHECK_ERR(CS_USAGE, cs_client_find(c, CS_LOCAL_IN, "000102g", id));
	CHECK_ERR(CS_NOT_FOUND, cs_client_find(c, CS_LOCAL_IN, "111111", id));
	CHECK_ERR(CS_NOT_FOUND, cs_client_find(c, CS_LOCAL_OUT, "000102", id));
	CHECK_BYTES(ids[1], sizeof(id), id, sizeof(id));
	cs_client_close(c);
	fake_relay_stop(&f);
}
