#include "relay/handover.h"

#include <string.h>

#include "keys/verify.h"
#include "relay/limits.h"
#include "tests/support/clinic.h"
#include "tests/test.h"

#define DAY_MS (UINT64_C(86400) * 1000)

static struct test_clinic c;

static cs_err
say(const struct cs_principal *who, struct cs_buf *ask)
{
	return test_relay_say(&c.r, who, ask);
}

/* The relay's entry with these keys, after the one at prev. */
static void
relay_entry(const struct cs_keyring *kr, const uint8_t *id, uint64_t prev,
    struct cs_buf *ret)
{
	struct cs_keyring_info info = *cs_keyring_info(kr);

	memcpy(info.id, id, CS_ID_BYTES);
	CHECK_OK(cs_enrol_relay(c.r.net.registrar, &info,
	    cs_bytes_str("tcp://127.0.0.1:7700"), prev, c.r.net.now_s, ret));
}

static cs_err
append(const struct cs_buf *entry)
{
	const struct cs_principal registrar = test_relay_registrar(&c.r);
	struct cs_frame_entries v = { .n = 1, .entry = { cs_buf_view(entry) } };
	struct cs_buf ask = { 0 };

	cs_frame_entries_encode(&ask, 1, CS_OP_DIR_APPEND, &v);
	return say(&registrar, &ask);
}

static cs_err
ask_handover(bool destroy, struct cs_frame_handover_reply *ret)
{
	const struct cs_principal registrar = test_relay_registrar(&c.r);
	const struct cs_frame_handover v = { destroy };
	struct cs_buf ask = { 0 };
	struct test_ask a;
	cs_err e;

	cs_frame_handover_encode(&ask, 1, &v);
	e = test_relay_ask(&c.r, &registrar, &ask, &a);
	if (e == CS_OK)
		CHECK_OK(cs_frame_handover_reply_decode(&a.w, ret));
	test_relay_end(&a);
	return e;
}

static void
log_in(const struct test_member *m, uint64_t size)
{
	struct cs_frame_login login = { .seen.size = size };
	struct cs_frame_login_reply reply;
	struct cs_principal who;
	uint8_t bytes[CS_VERIFY_LOGIN_BYTES];
	const uint8_t handshake[32] = { 3 };

	memcpy(login.device_id, m->who.id, CS_ID_BYTES);
	cs_verify_login_bytes(handshake, cs_keyring_info(c.r.net.relay)->id,
	    m->who.id, bytes);
	cs_keyring_sign(m->kr, CS_BYTES(bytes), login.signature);
	CHECK_OK(cs_service_login(c.r.s, &login, handshake, &who, &reply));
}

/* The newest note, and who signed it. */
static void
check_signed_by(const struct cs_keyring *kr)
{
	const struct cs_frame_dir_sync v = { UINT64_MAX };
	struct cs_frame_dir_sync_reply reply;
	struct cs_buf ask = { 0 };
	struct cs_checkpoint cp;
	struct test_ask a;

	cs_frame_dir_sync_encode(&ask, 1, &v);
	CHECK_OK(test_relay_ask(&c.r, &c.ann.who, &ask, &a));
	CHECK_OK(cs_frame_dir_sync_reply_decode(&a.w, &reply));
	CHECK_OK(cs_verify_checkpoint(reply.checkpoint, CS_LOG_DIRECTORY,
	    c.r.net.network_id, NULL, cs_keyring_info(kr)->sign_key, &cp));
	test_relay_end(&a);
}

TEST(relay_takes_only_keys_that_it_holds)
{
	const uint8_t stranger[CS_ID_BYTES] = { 7 };
	struct cs_keyring *next = NULL;
	struct cs_buf entry = { 0 };
	const uint8_t *id;

	test_clinic_init(&c);
	id = cs_keyring_info(c.r.net.relay)->id;
	CHECK_OK(cs_keyring_successor(c.r.net.relay, &next));
	relay_entry(next, id, 2, &entry);
	CHECK_ERR(CS_NO_KEY, append(&entry));
	CHECK_OK(cs_identity_add(c.r.identity, next));
	cs_buf_reset(&entry);
	relay_entry(next, stranger, CS_ENTRY_NO_PREV, &entry);
	CHECK_ERR(CS_DENIED, append(&entry));
	check_signed_by(c.r.net.relay);
	cs_buf_fini(&entry);
	test_clinic_fini(&c);
	cs_keyring_free(next);
}

TEST(relay_signs_with_its_next_keys_from_their_entry_on)
{
	struct cs_keyring *next = NULL, *third = NULL;
	struct cs_buf entry = { 0 }, custody = { 0 };
	struct cs_frame_handover_reply v;
	struct cs_statement st;
	struct cs_checkpoint cp;
	struct test_bundle b;
	const uint8_t *id;
	struct test_status status;

	test_clinic_init(&c);
	id = cs_keyring_info(c.r.net.relay)->id;
	test_bundle_make(&c.r, &b, &c.bob, 1, 0);
	test_bundle_send(&c.r, &c.ann, &b);
	CHECK_OK(cs_keyring_successor(c.r.net.relay, &next));
	CHECK_OK(cs_identity_add(c.r.identity, next));
	relay_entry(next, id, 2, &entry);
	CHECK_OK(append(&entry));
	CHECK_OK(append(&entry)); /* again: it is there */
	check_signed_by(next);
	/* what was stated before stays as it was, signed as it was */
	test_bundle_submit(&b, &custody);
	CHECK_OK(say(&c.ann.who, &custody));
	test_clinic_status(&c, &c.ann, &b, &status);
	CHECK_NUM(2, status.custody.signer_entry);
	cs_buf_fini(&status.reply);
	test_bundle_fini(&b);
	/* and what comes now is by the new keys, and says so */
	test_bundle_make(&c.r, &b, &c.bob, 1, 0);
	{
		struct cs_buf ask = { 0 };
		struct cs_frame_custody_reply reply;
		struct test_ask a;

		test_bundle_begin(&b, &ask);
		CHECK_OK(say(&c.ann.who, &ask));
		test_bundle_submit(&b, &ask);
		CHECK_OK(test_relay_ask(&c.r, &c.ann.who, &ask, &a));
		CHECK_OK(cs_frame_custody_reply_decode(&a.w, &reply));
		CHECK_OK(cs_verify_logged(reply.custody, c.r.net.network_id, id,
		    cs_keyring_info(next)->sign_key, &st, &cp));
		CHECK(st.signer_entry > 2);
		test_relay_end(&a);
	}
	test_bundle_fini(&b);
	/* one change at a time */
	CHECK_OK(ask_handover(false, &v));
	CHECK(v.has_old);
	CHECK_OK(cs_keyring_successor(next, &third));
	CHECK_OK(cs_identity_add(c.r.identity, third));
	cs_buf_reset(&entry);
	relay_entry(third, id, v.entry, &entry);
	CHECK_ERR(CS_EXISTS, append(&entry));
	/* a restart finds the keys by the directory */
	test_relay_stop(&c.r);
	test_relay_start(&c.r);
	check_signed_by(next);
	cs_buf_fini(&entry);
	test_clinic_fini(&c);
	cs_keyring_free(next);
	cs_keyring_free(third);
}

TEST(old_keys_go_when_everybody_knows_the_new_ones)
{
	struct cs_frame_handover_reply v;
	struct cs_keyring *next = NULL;
	struct cs_buf entry = { 0 };

	test_clinic_init(&c);
	CHECK_ERR(CS_NOT_FOUND, ask_handover(true, &v));
	CHECK_OK(cs_keyring_successor(c.r.net.relay, &next));
	CHECK_OK(cs_identity_add(c.r.identity, next));
	relay_entry(next, cs_keyring_info(c.r.net.relay)->id, 2, &entry);
	CHECK_OK(append(&entry));
	CHECK_OK(ask_handover(false, &v));
	CHECK_NUM(3, v.n_devices);
	CHECK_NUM(3, v.n_waiting);
	CHECK_NUM(v.since_s + CS_LIMIT_HANDOVER_S, v.due_s);
	CHECK_ERR(CS_TOO_EARLY, ask_handover(true, &v));

	log_in(&c.ann, v.entry); /* had not heard of it */
	log_in(&c.bob, v.entry + 1);
	log_in(&c.bob, v.entry + 1);
	do {
		CHECK_OK(ask_handover(false, &v));
	} while (v.n_waiting == 3);
	CHECK_NUM(2, v.n_waiting);
	CHECK_ERR(CS_TOO_EARLY, ask_handover(true, &v));
	test_relay_stop(&c.r);
	test_relay_start(&c.r);
	CHECK_OK(ask_handover(false, &v));
	CHECK_NUM(2, v.n_waiting);
	log_in(&c.ann, v.entry + 1);
	log_in(&c.eve, v.entry + 5);
	do {
		CHECK_OK(ask_handover(false, &v));
	} while (v.n_waiting > 0);
	CHECK_NUM(v.since_s, v.due_s);
	CHECK(cs_identity_has_old(c.r.identity));
	CHECK_OK(ask_handover(true, &v));
	CHECK(!v.has_old && !cs_identity_has_old(c.r.identity));
	CHECK_ERR(CS_NOT_FOUND, ask_handover(true, &v));
	cs_buf_fini(&entry);
	test_clinic_fini(&c);
	cs_keyring_free(next);
}

TEST(old_keys_go_when_no_mail_of_their_time_is_left)
{
	struct cs_frame_handover_reply v;
	struct cs_keyring *next = NULL;
	struct cs_buf entry = { 0 };

	test_clinic_init(&c);
	CHECK_OK(cs_keyring_successor(c.r.net.relay, &next));
	CHECK_OK(cs_identity_add(c.r.identity, next));
	relay_entry(next, cs_keyring_info(c.r.net.relay)->id, 2, &entry);
	CHECK_OK(append(&entry));
	c.r.now_ms += 89 * DAY_MS;
	c.r.boot_ms += 89 * DAY_MS;
	test_relay_pass(&c.r, 1000);
	CHECK_ERR(CS_TOO_EARLY, ask_handover(true, &v));
	c.r.now_ms += 2 * DAY_MS;
	c.r.boot_ms += 2 * DAY_MS;
	test_relay_pass(&c.r, 1000);
	CHECK_OK(ask_handover(true, &v));
	cs_buf_fini(&entry);
	test_clinic_fini(&c);
	cs_keyring_free(next);
}
