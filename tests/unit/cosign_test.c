#include "relay/cosign.h"

#include <sodium.h>
#include <string.h>

#include "keys/verify.h"
#include "keys/witness.h"
#include "relay/limits.h"
#include "tests/support/auditlog.h"
#include "tests/support/clinic.h"
#include "tests/test.h"

/* Cosignatures at the relay: whose are taken, over what, and that they stay. */

static struct test_clinic c;

static struct test_witness
add(const char *name)
{
	struct test_witness w;

	test_relay_witness(&c.r, name, &w);
	return w;
}

/* The newest note, as who is shown it. */
static void
get_note(const struct cs_principal *who, struct cs_buf *ret)
{
	struct cs_frame_dir_sync v = { .from = UINT64_MAX };
	struct cs_frame_dir_sync_reply page;
	struct cs_buf ask = { 0 };
	struct test_ask a;

	cs_buf_reset(ret);
	cs_frame_dir_sync_encode(&ask, 1, &v);
	CHECK_OK(test_relay_ask(&c.r, who, &ask, &a));
	CHECK_OK(cs_frame_dir_sync_reply_decode(&a.w, &page));
	cs_buf_put_bytes(ret, page.checkpoint);
	test_relay_end(&a);
}

/* The witness's word on a note, as a request. */
static struct cs_frame_cosign
word_on(const struct test_witness *w, const struct cs_buf *note,
    uint64_t time_s)
{
	struct cs_frame_cosign v;
	struct cs_note parts;

	CHECK_OK(cs_checkpoint_split(cs_buf_view(note), &parts));
	crypto_hash_sha256(v.note_hash, parts.body.p, parts.body.n);
	CHECK_OK(cs_witness_cosign(w->kr, parts.body, time_s, &v.cosignature));
	return v;
}

static cs_err
say(const struct cs_principal *who, const struct cs_frame_cosign *v)
{
	struct cs_buf ask = { 0 };

	cs_frame_cosign_encode(&ask, 1, v);
	return test_relay_say(&c.r, who, &ask);
}

/* Time of the witness's cosignature in a note; 0: none. */
static uint64_t
word_in(const struct cs_buf *note, const struct test_witness *w)
{
	struct cs_note parts;
	uint64_t time_s;
	cs_err e;

	CHECK_OK(cs_checkpoint_split(cs_buf_view(note), &parts));
	e = cs_verify_cosignature(&parts, w->who.id,
	    cs_keyring_info(w->kr)->sign_key, &time_s);
	CHECK(e == CS_OK || e == CS_NOT_FOUND);
	return e == CS_OK ? time_s : 0;
}

TEST(a_witness_cosigns_and_everybody_is_shown)
{
	static struct test_audit audit;
	const struct cs_audit_record *last;
	struct cs_buf note = { 0 };
	struct cs_frame_cosign v;
	struct test_witness a, b;

	test_clinic_init(&c);
	a = add("A");
	b = add("B");
	get_note(&a.who, &note);
	v = word_on(&a, &note, 1111);
	CHECK_OK(say(&a.who, &v));
	v = word_on(&b, &note, 2222);
	CHECK_OK(say(&b.who, &v));
	get_note(&c.ann.who, &note);
	CHECK_NUM(1111, word_in(&note, &a));
	CHECK_NUM(2222, word_in(&note, &b));
	CHECK_NUM(2, test_relay_counter(&c.r, "checkpoints_cosigned"));

	/* said again, and at another time: the first word stands */
	v = word_on(&a, &note, 3333);
	CHECK_OK(say(&a.who, &v));
	get_note(&c.ann.who, &note);
	CHECK_NUM(1111, word_in(&note, &a));
	CHECK_NUM(2, test_relay_counter(&c.r, "checkpoints_cosigned"));

	/* durable */
	test_relay_stop(&c.r);
	test_relay_start(&c.r);
	get_note(&c.ann.who, &note);
	CHECK_NUM(1111, word_in(&note, &a));
	CHECK_NUM(2222, word_in(&note, &b));
	test_audit_all(&c.r, &audit);
	CHECK_NUM(2, test_audit_count(&audit, CS_AUDIT_COSIGNED, &last));
	CHECK_NUM(CS_AUDIT_WHO_WITNESS, last->who);
	CHECK_BYTES(b.who.id, CS_ID_BYTES, last->id, CS_ID_BYTES);
	test_audit_fini(&audit);
	cs_buf_fini(&note);
	cs_keyring_free(a.kr);
	cs_keyring_free(b.kr);
	test_clinic_fini(&c);
}

TEST(a_word_on_an_older_checkpoint_is_lost)
{
	struct cs_buf note = { 0 }, newer = { 0 };
	struct cs_frame_cosign v;
	struct test_witness a, b;

	test_clinic_init(&c);
	a = add("A");
	get_note(&a.who, &note);
	v = word_on(&a, &note, 1111);
	CHECK_OK(say(&a.who, &v));
	b = add("B");
	v = word_on(&b, &note, 2222);
	CHECK_ERR(CS_LOST, say(&b.who, &v));
	get_note(&a.who, &newer);
	/* with the next checkpoint the words on the one before are gone */
	CHECK_NUM(0, word_in(&newer, &a));
	CHECK_NUM(0, word_in(&newer, &b));
	cs_buf_fini(&note);
	cs_buf_fini(&newer);
	cs_keyring_free(a.kr);
	cs_keyring_free(b.kr);
	test_clinic_fini(&c);
}

TEST(nobody_cosigns_for_another)
{
	struct cs_principal registrar;
	uint8_t before[CS_HASH_BYTES], after[CS_HASH_BYTES];
	struct cs_buf note = { 0 };
	struct cs_frame_cosign v;
	struct test_witness a, b;

	test_clinic_init(&c);
	a = add("A");
	b = add("B");
	registrar = test_relay_registrar(&c.r);
	get_note(&a.who, &note);
	v = word_on(&a, &note, 1111);
	test_relay_hash(&c.r, before);
	CHECK_ERR(CS_BAD_SIGNATURE, say(&b.who, &v));
	CHECK_ERR(CS_DENIED, say(&c.ann.who, &v));
	CHECK_ERR(CS_DENIED, say(&registrar, &v));
	CHECK_ERR(CS_DENIED, say(&(struct cs_principal){ 0 }, &v));
	v.cosignature.time_s++;
	CHECK_ERR(CS_BAD_SIGNATURE, say(&a.who, &v));
	test_relay_hash(&c.r, after);
	CHECK_BYTES(before, sizeof(before), after, sizeof(after));
	cs_buf_fini(&note);
	cs_keyring_free(a.kr);
	cs_keyring_free(b.kr);
	test_clinic_fini(&c);
}

TEST(a_witness_may_do_nothing_else)
{
	struct cs_frame_list list = { .max = 1 };
	struct cs_buf ask = { 0 };
	struct test_witness a;

	test_clinic_init(&c);
	a = add("A");
	cs_frame_list_encode(&ask, 1, &list);
	CHECK_ERR(CS_DENIED, test_relay_say(&c.r, &a.who, &ask));
	cs_frame_ping_encode(&ask, 1, &(struct cs_frame_ping){ 0 });
	CHECK_OK(test_relay_say(&c.r, &a.who, &ask));
	cs_keyring_free(a.kr);
	test_clinic_fini(&c);
}

/* A login as the session hands it over. */
static cs_err
login(const struct test_witness *w, struct cs_principal *ret)
{
	static const uint8_t handshake[32] = { 5 };
	uint8_t bytes[CS_VERIFY_LOGIN_BYTES];
	struct cs_frame_login v = { .seen = { 0 } };
	struct cs_frame_login_reply reply;

	memcpy(v.device_id, w->who.id, CS_ID_BYTES);
	cs_verify_login_bytes(handshake, cs_keyring_info(c.r.net.relay)->id,
	    w->who.id, bytes);
	cs_keyring_sign(w->kr, CS_BYTES(bytes), v.signature);
	return cs_service_login(c.r.s, &v, handshake, ret, &reply);
}

TEST(a_witness_logs_in_until_it_is_removed)
{
	struct cs_principal registrar, who = { 0 };
	struct cs_entry_revoke reason = { .reason = CS_REVOKE_LEFT };
	struct cs_frame_entries entries = { .n = 1 };
	struct cs_buf body = { 0 }, entry = { 0 }, ask = { 0 }, note = { 0 };
	struct cs_frame_cosign v;
	struct test_witness a, other;

	test_clinic_init(&c);
	registrar = test_relay_registrar(&c.r);
	a = add("A");
	CHECK_OK(login(&a, &who));
	CHECK_NUM(CS_PRINCIPAL_WITNESS, who.kind);
	CHECK_BYTES(a.who.id, 16, who.id, 16);
	other = a; /* its id, another key */
	other.kr = network_keyring(&c.r.net, CS_KEYRING_WITNESS, NULL);
	CHECK_ERR(CS_BAD_SIGNATURE, login(&other, &who));

	CHECK_OK(cs_entry_revoke_encode(&reason, &body));
	network_sign(&c.r.net, c.r.net.registrar, CS_ENTRY_REVOKE, a.who.id,
	    CS_ENTRY_NO_PREV, cs_buf_view(&body), &entry);
	entries.entry[0] = cs_buf_view(&entry);
	cs_frame_entries_encode(&ask, 1, CS_OP_DIR_APPEND, &entries);
	CHECK_OK(test_relay_say(&c.r, &registrar, &ask));
	CHECK_ERR(CS_REVOKED, login(&a, &who));
	get_note(&c.ann.who, &note);
	v = word_on(&a, &note, 1111);
	CHECK_ERR(CS_REVOKED, say(&a.who, &v));
	cs_buf_fini(&body);
	cs_buf_fini(&entry);
	cs_buf_fini(&note);
	cs_keyring_free(a.kr);
	cs_keyring_free(other.kr);
	test_clinic_fini(&c);
}

/* As many as a note has room for, and not one more. */
TEST(a_note_does_not_grow_beyond_its_bound)
{
	struct test_witness w[32];
	struct cs_buf note = { 0 };
	struct cs_frame_cosign v;
	unsigned taken = 0;
	cs_err e;

	test_clinic_init(&c);
	for (unsigned i = 0; i < 32; i++)
		w[i] = add("W");
	get_note(&c.ann.who, &note);
	for (unsigned i = 0; i < 32; i++) {
		v = word_on(&w[i], &note, 1111 + i);
		e = say(&w[i].who, &v);
		if (e == CS_OK)
			taken++;
		else
			CHECK_ERR(CS_TOO_LARGE, e);
	}
	CHECK(taken >= CS_WITNESS_MAX - 4 && taken <= CS_WITNESS_MAX);
	get_note(&c.ann.who, &note);
	CHECK(note.n <= CS_LIMIT_CHECKPOINT_BYTES);
	CHECK_NUM(1111, word_in(&note, &w[0]));
	for (unsigned i = 0; i < 32; i++)
		cs_keyring_free(w[i].kr);
	cs_buf_fini(&note);
	test_clinic_fini(&c);
}
