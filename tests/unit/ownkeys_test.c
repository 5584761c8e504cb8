#include "client/ownkeys.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/client.h"
#include "client/join.h"
#include "client/outrec.h"
#include "keys/file.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

#define WAIT_MS 1000

/* A member who joined a fake relay, and a home that rotates. */
static struct fake_relay f;
static struct cs_why why;
static uint8_t first_key[CS_SIGN_PUBLIC_BYTES];

static struct cs_client *
open_client(void)
{
	struct cs_client *c = NULL;

	CHECK_OK(cs_client_open(test_path("a"), NULL, &why, &c));
	return c;
}

static void
begin(void)
{
	struct cs_join_result r;
	const struct cs_join j = { .dir = test_path("a"),
		.device_name = cs_bytes_str("a laptop") };
	struct cs_join with = j;
	struct cs_client *c;

	cs_why_clear(&why);
	fake_relay_start(&f);
	with.invitation = fake_relay_invite(&f, "ann@clinic");
	CHECK_OK(cs_join_run(&with, &why, &r));
	c = open_client();
	memcpy(first_key, cs_client_self(c)->sign_key, sizeof(first_key));
	cs_client_close(c);
}

static bool
is_there(const char *name)
{
	struct stat st;

	return stat(test_path(name), &st) == 0;
}

/* The home has one key, which is not the first and is the directory's. */
static void
check_rotated(struct cs_client *c)
{
	struct cs_directory_device self;

	CHECK(!is_there("a/keyring.next"));
	CHECK(!is_there("a/keyring.old"));
	CHECK(!cs_client_is_rotating(c));
	CHECK(memcmp(first_key, cs_client_self(c)->sign_key,
		  sizeof(first_key)) != 0);
	CHECK_OK(cs_directory_device(cs_client_directory(c),
	    cs_client_self(c)->id, &self));
	CHECK_BYTES(self.sign_key, sizeof(self.sign_key),
	    cs_client_self(c)->sign_key, CS_SIGN_PUBLIC_BYTES);
	CHECK(self.rotation != CS_ENTRY_NO_PREV);
}

/* What the next program does, and the one after it. */
static void
check_recovers(void)
{
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	struct cs_client *c = open_client();

	CHECK_OK(cs_client_connect(c, WAIT_MS));
	check_rotated(c);
	memcpy(key, cs_client_self(c)->sign_key, sizeof(key));
	cs_client_close(c);
	c = open_client();
	CHECK_OK(cs_client_connect(c, WAIT_MS));
	check_rotated(c);
	CHECK_BYTES(key, sizeof(key), cs_client_self(c)->sign_key,
	    CS_SIGN_PUBLIC_BYTES);
	cs_client_close(c);
	fake_relay_stop(&f);
}

TEST(ownkeys_rotate)
{
	struct cs_client *c;

	begin();
	c = open_client();
	CHECK_OK(cs_client_rotate(c, WAIT_MS));
	check_rotated(c);
	CHECK_OK(cs_client_connect(c, WAIT_MS));
	cs_client_close(c);
	check_recovers();
}

/* ------------------------------------------------- broken off at each step */

/* The next keyring is written, and nothing else: what begin does first. */
TEST(ownkeys_go_on_after_the_next_keyring_was_written)
{
	struct cs_keyring *next = NULL;
	struct cs_client *c;

	begin();
	c = open_client();
	CHECK_OK(cs_keyring_successor(cs_client_keyring(c), &next));
	CHECK_OK(cs_keyring_save(next, test_path("a/keyring.next"), NULL,
	    false));
	cs_keyring_free(next);
	cs_client_close(c);
	check_recovers();
}

/* The store says whose signatures count; the directory knows nothing yet. */
TEST(ownkeys_go_on_before_the_directory_was_asked)
{
	struct cs_client *c;
	struct cs_home *home = NULL;
	struct cs_ownkeys *keys = NULL;

	begin();
	c = open_client();
	CHECK_OK(cs_client_connect(c, WAIT_MS));
	CHECK_OK(cs_home_open(test_path("a"), false, &why, &home));
	CHECK_OK(cs_ownkeys_open(home, NULL, &why, &keys));
	CHECK_OK(cs_ownkeys_begin(keys, cs_client_local(c), cs_client_conn(c),
	    &why));
	CHECK(is_there("a/keyring.next"));
	CHECK(cs_ownkeys_next(keys) != NULL);
	cs_ownkeys_close(keys);
	cs_home_close(home);
	cs_client_close(c);
	check_recovers();
}

/* The directory took it, and the answer never came. */
TEST(ownkeys_go_on_after_the_answer_was_lost)
{
	struct cs_client *c;

	begin();
	fake_relay_set(&f,
	    (struct fake_relay_mood){ .hang_up_after_append = true });
	c = open_client();
	CHECK_ERR(CS_CLOSED, cs_client_rotate(c, WAIT_MS));
	CHECK(is_there("a/keyring.next"));
	CHECK_BYTES(first_key, sizeof(first_key), cs_client_self(c)->sign_key,
	    CS_SIGN_PUBLIC_BYTES);
	cs_client_close(c);
	fake_relay_set(&f, (struct fake_relay_mood){ 0 });
	check_recovers();
}

/* Renamed; the old key is still about. */
TEST(ownkeys_destroy_the_old_key_at_last)
{
	struct cs_client *c;

	begin();
	c = open_client();
	CHECK_OK(cs_keyring_save(cs_client_keyring(c), test_path("a/kept"),
	    NULL, false));
	CHECK_OK(cs_client_rotate(c, WAIT_MS));
	CHECK(rename(test_path("a/kept"), test_path("a/keyring.old")) == 0);
	cs_client_close(c);
	check_recovers();
}

/* ---------------------------------------------------------------- the clock */

TEST(ownkeys_begin_nothing_on_a_clock_that_is_ahead)
{
	struct cs_client *c;

	begin();
	fake_relay_set(&f, (struct fake_relay_mood){ .behind_s = 70 });
	c = open_client();
	CHECK_ERR(CS_CLOCK, cs_client_rotate(c, WAIT_MS));
	CHECK(strstr(cs_client_why(c)->text, "70 seconds ahead") != NULL);
	CHECK(!is_there("a/keyring.next"));
	fake_relay_set(&f, (struct fake_relay_mood){ .behind_s = 2 });
	CHECK_OK(cs_client_rotate(c, WAIT_MS));
	check_rotated(c);
	cs_client_close(c);
	fake_relay_stop(&f);
}

/* ------------------------------------------------------------- a relay lies */

static bool
take_and_forget(void *ctx, enum cs_op op, uint32_t id, struct cs_wire *w,
    struct cs_buf *out)
{
	const struct cs_frame_entries_reply reply = { .first = 7 };

	(void)ctx;
	(void)w;
	if (op != CS_OP_DIR_APPEND)
		return false;
	cs_frame_entries_reply_encode(out, id, &reply);
	return true;
}

/* The key in use is given up for what the directory shows, not for a word. */
TEST(ownkeys_keep_the_old_key_until_the_directory_shows_the_next)
{
	struct cs_client *c;

	begin();
	fake_relay_set(&f, (struct fake_relay_mood){ .hook = take_and_forget });
	c = open_client();
	CHECK_ERR(CS_FORKED, cs_client_rotate(c, WAIT_MS));
	CHECK(is_there("a/keyring.next"));
	CHECK_BYTES(first_key, sizeof(first_key), cs_client_self(c)->sign_key,
	    CS_SIGN_PUBLIC_BYTES);
	cs_client_close(c);
	fake_relay_set(&f, (struct fake_relay_mood){ 0 });
	check_recovers();
}

/* --------------------------------------------------------- other programs */

static cs_err
may_sign(struct cs_client *c)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CHECK_OK(cs_local_begin(cs_client_local(c), false, &txn));
	e = cs_ownkeys_check(txn, cs_client_keyring(c), &why);
	cs_local_end(&txn);
	return e;
}

TEST(ownkeys_of_another_program_sign_no_more)
{
	struct cs_client *c, *other;

	begin();
	other = open_client();
	CHECK_OK(may_sign(other));
	c = open_client();
	CHECK_OK(cs_client_rotate(c, WAIT_MS));
	CHECK_OK(may_sign(c));
	cs_client_close(c);
	CHECK(cs_client_has_new_keys(other));
	CHECK_ERR(CS_CHANGED, may_sign(other));
	CHECK(strstr(why.text, "consil sync") != NULL);
	/* it notices, and goes on with the new one */
	CHECK_OK(cs_client_connect(other, WAIT_MS));
	check_rotated(other);
	CHECK_OK(may_sign(other));
	cs_client_close(other);
	fake_relay_stop(&f);
}

TEST(ownkeys_locked_anew_meanwhile_must_be_opened_again)
{
	struct cs_secret *pass = NULL;
	struct cs_keyring_lock lock = { .kdf_ops = 1,
		.kdf_mem_bytes = 1u << 16 };
	struct cs_home *home = NULL;
	struct cs_ownkeys *keys = NULL;
	struct cs_keyring *next = NULL;

	begin();
	CHECK_OK(cs_home_open(test_path("a"), false, &why, &home));
	CHECK_OK(cs_ownkeys_open(home, NULL, &why, &keys));
	CHECK_OK(cs_ownkeys_refresh(keys, &why));
	CHECK_OK(cs_keyring_successor(cs_ownkeys_current(keys), &next));
	CHECK_OK(cs_secret_copy(cs_bytes_str("a passphrase"), &pass));
	lock.passphrase = pass;
	CHECK_OK(cs_keyring_save(next, test_path("a/keyring"), &lock, true));
	CHECK_ERR(CS_BAD_PASSPHRASE, cs_ownkeys_refresh(keys, &why));
	CHECK(strstr(why.text, "start this again") != NULL);
	/* nobody else's way in */
	cs_ownkeys_close(keys);
	keys = NULL;
	CHECK_ERR(CS_USAGE, cs_ownkeys_open(home, NULL, &why, &keys));
	CHECK_OK(cs_ownkeys_open(home, &lock, &why, &keys));
	cs_secret_free(pass);
	cs_keyring_free(next);
	cs_ownkeys_close(keys);
	cs_home_close(home);
	fake_relay_stop(&f);
}

TEST(ownkeys_of_nobody)
{
	struct cs_home *home = NULL;
	struct cs_ownkeys *keys = NULL;
	struct cs_keyring_info info;

	cs_why_clear(&why);
	CHECK_OK(cs_home_open(test_path("b"), true, &why, &home));
	CHECK_ERR(CS_NOT_FOUND, cs_ownkeys_open(home, NULL, &why, &keys));
	CHECK(strstr(why.text, "consil join") != NULL);
	CHECK_ERR(CS_NOT_FOUND, cs_ownkeys_peek(home, &why, &info));
	cs_home_close(home);
}

/* ------------------------------------------------------ sealed, not sent */

static void
put(struct cs_client *c, uint8_t id, enum cs_outrec_stage stage)
{
	const uint8_t which = CS_LOCAL_OUT;
	struct cs_outrec rec = { .id = { id }, .stage = stage };
	struct cs_local_txn *txn = NULL;

	CHECK_OK(cs_local_begin(cs_client_local(c), true, &txn));
	CHECK_OK(cs_outrec_put(txn, CS_LOCAL_OUT, &rec));
	CHECK_OK(cs_local_put(txn, CS_LOCAL_PENDING, CS_BYTES(rec.id),
	    (struct cs_bytes){ &which, 1 }));
	CHECK_OK(cs_local_commit(&txn));
	cs_local_end(&txn);
}

static enum cs_outrec_stage
stage_of(struct cs_client *c, uint8_t id)
{
	const uint8_t whole[CS_ID_BYTES] = { id };
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_outrec rec;

	CHECK_OK(cs_local_begin(cs_client_local(c), false, &txn));
	CHECK_OK(cs_outrec_get(txn, CS_LOCAL_OUT, whole, &rec, &value));
	cs_local_end(&txn);
	cs_secret_free(value);
	return rec.stage;
}

/* What no relay has seen is sealed anew by the next key; what one may have
 * keeps its bytes, which were signed in time. */
TEST(ownkeys_have_sealed_anew_what_was_not_submitted)
{
	struct cs_client *c;

	begin();
	c = open_client();
	put(c, 1, CS_OUTREC_QUEUED);
	put(c, 2, CS_OUTREC_SEALED);
	put(c, 3, CS_OUTREC_SUBMITTED);
	CHECK_OK(cs_client_rotate(c, WAIT_MS));
	CHECK_NUM(CS_OUTREC_QUEUED, stage_of(c, 1));
	CHECK_NUM(CS_OUTREC_QUEUED, stage_of(c, 2));
	CHECK_NUM(CS_OUTREC_SUBMITTED, stage_of(c, 3));
	cs_client_close(c);
	fake_relay_stop(&f);
}
