#include "relay/dirlog.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "keys/pairing.h"
#include "keys/verify.h"
#include "proto/label.h"
#include "proto/merkle.h"
#include "relay/limits.h"
#include "tests/support/clinic.h"
#include "tests/test.h"

/* The directory at the relay: its beginning, what may be appended, what
 * members are shown, who may log in. */

#define HOUR_MS UINT64_C(3600000)

static struct test_clinic c;

static const struct cs_principal anyone;

/* Everything from `from` on; the checkpoint must be over exactly that. Returns
 * the checkpoint. */
static struct cs_checkpoint
pull(const struct cs_principal *who, struct cs_directory *dir)
{
	struct cs_frame_dir_sync_reply page;
	struct cs_frame_dir_sync v;
	struct cs_buf ask = { 0 };
	struct cs_checkpoint cp;
	struct test_ask a;

	do {
		v.from = cs_directory_view(dir).size;
		cs_frame_dir_sync_encode(&ask, 1, &v);
		CHECK_OK(test_relay_ask(&c.r, who, &ask, &a));
		CHECK_OK(cs_frame_dir_sync_reply_decode(&a.w, &page));
		for (uint32_t i = 0; i < page.n; i++)
			CHECK_OK(cs_directory_apply(dir,
			    cs_wire_bin(&page.leaves, CS_LIMIT_ENTRY_BYTES)));
		if (page.n == 0)
			CHECK_OK(cs_directory_check_checkpoint(dir,
			    page.checkpoint, &cp));
		test_relay_end(&a);
	} while (page.n > 0);
	return cp;
}

/* The same; returns the time the checkpoint was signed at. */
static uint64_t
sync_into(const struct cs_principal *who, struct cs_directory *dir)
{
	return pull(who, dir).time_s;
}

TEST(a_restored_relay_never_shows_its_old_incarnation)
{
	struct cs_checkpoint before, after;

	test_clinic_init(&c);
	before = pull(&c.ann.who, c.r.net.dir);
	test_relay_stop(&c.r);
	c.r.settings.restored = true;
	test_relay_start(&c.r);
	c.r.settings.restored = false;
	after = pull(&c.ann.who, c.r.net.dir); /* before the first tick */
	CHECK(after.counter > before.counter);
	CHECK_NUM(before.size, after.size);
	test_relay_stop(&c.r);
	test_relay_start(&c.r);
	before = pull(&c.ann.who, c.r.net.dir);
	CHECK_NUM(after.counter, before.counter);
	test_clinic_fini(&c);
}

static cs_err
append(const struct cs_principal *who, enum cs_op op,
    const struct cs_buf *entries, uint32_t n, uint64_t *ret_first)
{
	struct cs_frame_entries v = { .n = n };
	struct cs_frame_entries_reply answer;
	struct cs_buf ask = { 0 };
	struct test_ask a;
	cs_err e;

	for (uint32_t i = 0; i < n; i++)
		v.entry[i] = cs_buf_view(&entries[i]);
	cs_frame_entries_encode(&ask, 1, op, &v);
	e = test_relay_ask(&c.r, who, &ask, &a);
	if (e == CS_OK && ret_first) {
		CHECK_OK(cs_frame_entries_reply_decode(&a.w, &answer));
		*ret_first = answer.first;
	}
	test_relay_end(&a);
	return e;
}

/* Member and device entry for an invitation. */
struct guest {
	struct cs_buf file, entry[2];
	struct cs_keyring *kr;
};

static void
invite(const char *address, struct guest *g)
{
	struct cs_enrol_card card;
	struct cs_invite inv;

	*g = (struct guest){ 0 };
	network_invite(&c.r.net, address, &g->file);
	CHECK_OK(cs_invite_decode(cs_buf_view(&g->file), &inv));
	CHECK_OK(cs_enrol_check_invite(&inv, c.r.net.now_s, &card));
	g->kr = network_keyring(&c.r.net, CS_KEYRING_DEVICE, card.member_id);
	cs_buf_put_bytes(&g->entry[0], inv.member_entry);
	CHECK_OK(cs_enrol_device(&inv, g->kr, cs_bytes_str("laptop"),
	    c.r.net.now_s, &g->entry[1]));
}

static void
forget(struct guest *g)
{
	cs_buf_fini(&g->file);
	cs_buf_fini(&g->entry[0]);
	cs_buf_fini(&g->entry[1]);
	cs_keyring_free(g->kr);
}

static uint64_t
size_now(void)
{
	struct cs_directory *dir = NULL;
	uint64_t n;

	CHECK_OK(cs_directory_new(c.r.net.network_id, &dir));
	(void)sync_into(&c.ann.who, dir);
	n = cs_directory_view(dir).size;
	cs_directory_free(dir);
	return n;
}

/* -------------------------------------------------------------------- open */

static cs_err
open_with(const struct cs_service_settings *settings)
{
	struct cs_buf problem = { 0 };
	struct cs_service *s = NULL;
	cs_err e;

	e = cs_service_open(settings, test_relay_now(&c.r), &s, &problem);
	CHECK((e == CS_OK) == (problem.n == 0)); /* says why, or nothing */
	cs_buf_fini(&problem);
	cs_service_close(s);
	return e;
}

TEST(it_begins_only_with_this_networks_entries_and_this_relays_keys)
{
	struct cs_service_settings settings;
	struct network other;
	struct cs_bytes good;

	test_relay_init(&c.r);
	network_init(&other, TEST_RELAY_TIME);
	settings = c.r.settings;
	good = test_read(settings.genesis);

	settings.genesis = NULL;
	CHECK_ERR(CS_NOT_FOUND, open_with(&settings));
	settings.genesis = test_path("absent");
	CHECK_ERR(CS_NOT_FOUND, open_with(&settings));
	settings.genesis = test_path("cut");
	test_write(settings.genesis, (struct cs_bytes){ good.p, good.n - 1 });
	CHECK_ERR(CS_MALFORMED, open_with(&settings));
	test_write(settings.genesis, (struct cs_bytes){ good.p, 0 });
	CHECK_ERR(CS_MALFORMED, open_with(&settings));
	settings.genesis = c.r.settings.genesis;
	CHECK_OK(cs_identity_new(other.relay, &settings.identity));
	settings.store = test_path("other");
	CHECK_ERR(CS_WRONG_NETWORK, open_with(&settings));
	cs_identity_free(settings.identity);
	cs_keyring_set_network(other.relay, c.r.net.network_id);
	CHECK_OK(cs_identity_new(other.relay, &settings.identity));
	settings.store = test_path("third");
	CHECK_ERR(CS_WRONG_RELAY, open_with(&settings));
	cs_identity_free(settings.identity);
	/* none of that left anything behind */
	settings = c.r.settings;
	CHECK_OK(open_with(&settings));
	settings.genesis = NULL;
	CHECK_OK(open_with(&settings));
	network_fini(&other);
	test_relay_fini(&c.r);
}

TEST(a_store_of_another_keyring_or_in_use_is_not_opened)
{
	struct cs_service_settings settings;
	struct network other;

	test_clinic_init(&c);
	network_init(&other, TEST_RELAY_TIME);
	settings = c.r.settings;
	CHECK_ERR(CS_BUSY, open_with(&settings));
	test_relay_stop(&c.r);
	CHECK_OK(cs_identity_new(other.relay, &settings.identity));
	CHECK_ERR(CS_CORRUPT, open_with(&settings));
	cs_identity_free(settings.identity);
	network_fini(&other);
	test_clinic_fini(&c);
}

/* ------------------------------------------------------------------- entries
 */

TEST(members_mirror_what_was_appended)
{
	struct cs_directory *dir = NULL;
	struct cs_log_view mine, theirs;

	test_clinic_init(&c);
	CHECK_OK(cs_directory_new(c.r.net.network_id, &dir));
	(void)sync_into(&c.ann.who, dir);
	theirs = cs_directory_view(dir);
	mine = cs_directory_view(c.r.net.dir);
	CHECK_NUM(mine.size, theirs.size);
	CHECK_BYTES(mine.root, 32, theirs.root, 32);
	test_relay_stop(&c.r);
	test_relay_start(&c.r);
	(void)sync_into(&c.bob.who, dir);
	CHECK_NUM(mine.size, cs_directory_view(dir).size);
	cs_directory_free(dir);
	test_clinic_fini(&c);
}

TEST(enrolment_works_once_and_may_be_repeated)
{
	struct guest g, second;
	struct cs_invite inv;
	uint64_t first = 0, again = 0, before;

	test_clinic_init(&c);
	before = size_now();
	invite("dora@clinic", &g);
	CHECK_OK(append(&anyone, CS_OP_ENROL, g.entry, 2, &first));
	CHECK_NUM(before, first);
	CHECK_OK(append(&anyone, CS_OP_ENROL, g.entry, 2, &again));
	CHECK_NUM(first, again);
	CHECK_NUM(before + 2, size_now());
	/* the same invitation on another device */
	second = g;
	second.entry[1] = (struct cs_buf){ 0 };
	second.kr = network_keyring(&c.r.net, CS_KEYRING_DEVICE,
	    cs_keyring_info(g.kr)->member_id);
	CHECK_OK(cs_invite_decode(cs_buf_view(&g.file), &inv));
	CHECK_OK(cs_enrol_device(&inv, second.kr, cs_bytes_str("stolen"),
	    c.r.net.now_s, &second.entry[1]));
	CHECK_ERR(CS_USED, append(&anyone, CS_OP_ENROL, second.entry, 2, NULL));
	CHECK_NUM(before + 2, size_now());
	cs_buf_fini(&second.entry[1]);
	cs_keyring_free(second.kr);
	forget(&g);
	test_clinic_fini(&c);
}

TEST(an_expired_invitation_is_refused)
{
	struct guest g;

	test_clinic_init(&c);
	invite("dora@clinic", &g);
	test_relay_pass(&c.r, 25 * HOUR_MS);
	CHECK_ERR(CS_EXPIRED, append(&anyone, CS_OP_ENROL, g.entry, 2, NULL));
	forget(&g);
	test_clinic_fini(&c);
}

TEST(all_entries_of_a_request_or_none)
{
	struct guest g;
	uint64_t before;

	test_clinic_init(&c);
	before = size_now();
	invite("dora@clinic", &g);
	g.entry[1].p[g.entry[1].n - 1] ^= 1; /* the device's signature */
	CHECK_ERR(CS_DENIED, append(&anyone, CS_OP_ENROL, g.entry, 2, NULL));
	CHECK_NUM(before, size_now());
	forget(&g);
	test_clinic_fini(&c);
}

/* Dora's member entry, and a device entry by this member that nobody signed. */
static cs_err
enrol_without_invitation(const struct guest *g, const uint8_t *subject,
    const uint8_t *member_id)
{
	struct cs_buf entry[2] = { g->entry[0], { 0 } };
	struct cs_entry device;
	uint8_t signature[1 + CS_SIGNATURE_BYTES] = { 0 };
	struct cs_buf core = { 0 };
	cs_err e;

	CHECK_OK(cs_entry_decode(cs_buf_view(&g->entry[1]), &device));
	memcpy(device.subject, subject, CS_ID_BYTES);
	memcpy(device.authority, member_id, CS_ID_BYTES);
	CHECK_OK(cs_entry_encode_core(&device, &core));
	cs_entry_encode(cs_buf_view(&core), 1, CS_BYTES(signature), &entry[1]);
	cs_buf_fini(&core);
	e = append(&anyone, CS_OP_ENROL, entry, 2, NULL);
	cs_buf_fini(&entry[1]);
	return e;
}

TEST(a_stranger_does_not_learn_which_ids_there_are)
{
	static const uint8_t nobody[CS_ID_BYTES] = { 0xee };
	struct guest g;

	test_clinic_init(&c);
	invite("dora@clinic", &g);
	/* a member, who has a device and whose invitation is used; a device of
	 * theirs; nobody */
	CHECK_ERR(CS_DENIED, enrol_without_invitation(&g, nobody, nobody));
	CHECK_ERR(CS_DENIED,
	    enrol_without_invitation(&g, nobody, c.ann.member_id));
	CHECK_ERR(CS_DENIED,
	    enrol_without_invitation(&g, c.ann.who.id, c.ann.member_id));
	CHECK_ERR(CS_DENIED,
	    enrol_without_invitation(&g, nobody, c.ann.who.id));
	CHECK_ERR(CS_DENIED, enrol_without_invitation(&g, nobody,
				 cs_keyring_info(c.r.net.registrar)->id));
	forget(&g);
	test_clinic_fini(&c);
}

TEST(who_may_show_what_to_the_directory)
{
	struct cs_entry_revoke revoke = { .reason = CS_REVOKE_LOST };
	struct cs_principal registrar;
	struct cs_buf body = { 0 }, entry = { 0 };
	struct guest g;

	test_clinic_init(&c);
	registrar = test_relay_registrar(&c.r);
	invite("dora@clinic", &g);
	/* a stranger brings a device, nothing else */
	CHECK_ERR(CS_DENIED, append(&anyone, CS_OP_ENROL, g.entry, 1, NULL));
	/* a member appends only what its own device signed */
	CHECK_ERR(CS_DENIED,
	    append(&c.ann.who, CS_OP_DIR_APPEND, g.entry, 2, NULL));
	CHECK_OK(cs_entry_revoke_encode(&revoke, &body));
	network_sign(&c.r.net, c.bob.kr, CS_ENTRY_REVOKE, NULL,
	    CS_ENTRY_NO_PREV, cs_buf_view(&body), &entry);
	CHECK_ERR(CS_DENIED, append(&anyone, CS_OP_ENROL, &entry, 1, NULL));
	CHECK_ERR(CS_DENIED,
	    append(&c.ann.who, CS_OP_DIR_APPEND, &entry, 1, NULL));
	CHECK_OK(append(&registrar, CS_OP_DIR_APPEND, g.entry, 2, NULL));
	CHECK_OK(append(&c.bob.who, CS_OP_DIR_APPEND, &entry, 1, NULL));
	cs_buf_fini(&entry);
	cs_buf_fini(&body);
	forget(&g);
	test_clinic_fini(&c);
}

TEST(a_revoked_device_is_out_at_once)
{
	struct cs_entry_revoke revoke = { .reason = CS_REVOKE_LOST };
	struct cs_principal registrar;
	struct cs_buf body = { 0 }, entry = { 0 }, ask = { 0 };
	struct test_bundle b;

	test_clinic_init(&c);
	registrar = test_relay_registrar(&c.r);
	CHECK_OK(cs_entry_revoke_encode(&revoke, &body));
	network_sign(&c.r.net, c.r.net.registrar, CS_ENTRY_REVOKE, c.bob.who.id,
	    CS_ENTRY_NO_PREV, cs_buf_view(&body), &entry);
	CHECK_OK(append(&registrar, CS_OP_DIR_APPEND, &entry, 1, NULL));
	ask = test_clinic_list_from(0, 0);
	CHECK_ERR(CS_REVOKED, test_relay_say(&c.r, &c.bob.who, &ask));
	test_bundle_make(&c.r, &b, &c.bob, 1, 0);
	test_bundle_begin(&b, &ask);
	CHECK_ERR(CS_REVOKED, test_relay_say(&c.r, &c.ann.who, &ask));
	test_bundle_fini(&b);
	cs_buf_fini(&entry);
	cs_buf_fini(&body);
	test_clinic_fini(&c);
}

TEST(many_enrol_at_once)
{
	enum { N = 12 };
	struct guest g[N];
	struct test_ask a[N];
	char address[32];
	uint64_t before;

	test_clinic_init(&c);
	before = size_now();
	for (unsigned i = 0; i < N; i++) {
		struct cs_frame_entries v = { .n = 2 };
		struct cs_buf ask = { 0 };

		snprintf(address, sizeof(address), "g%u@clinic", i);
		invite(address, &g[i]);
		v.entry[0] = cs_buf_view(&g[i].entry[0]);
		v.entry[1] = cs_buf_view(&g[i].entry[1]);
		cs_frame_entries_encode(&ask, i, CS_OP_ENROL, &v);
		test_relay_begin(&c.r, &anyone, &ask, &a[i]);
		cs_buf_fini(&ask);
	}
	for (unsigned i = 0; i < N; i++) {
		cs_err e = test_relay_wait(&a[i]);

		/* busy is an answer where everybody wants the same place */
		CHECK(e == CS_OK || e == CS_BUSY);
		test_relay_end(&a[i]);
		CHECK_OK(append(&anyone, CS_OP_ENROL, g[i].entry, 2, NULL));
		forget(&g[i]);
	}
	CHECK_NUM(before + 2 * N, size_now());
	test_clinic_fini(&c);
}

/* When what is seen a little later was signed: the writer does that some time
 * after the tick. */
static uint64_t
signed_later(struct cs_directory *dir)
{
	test_relay_pass(&c.r, 100);
	nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	return sync_into(&c.ann.who, dir);
}

TEST(the_checkpoint_stays_fresh)
{
	uint64_t signed_s = TEST_RELAY_TIME, fresh_s;
	struct cs_directory *dir = NULL;

	test_clinic_init(&c);
	CHECK_OK(cs_directory_new(c.r.net.network_id, &dir));
	CHECK_NUM(TEST_RELAY_TIME, sync_into(&c.ann.who, dir));
	test_relay_pass(&c.r, 48 * HOUR_MS);
	for (unsigned i = 0; i < 5000 && signed_s == TEST_RELAY_TIME; i++)
		signed_s = signed_later(dir);
	CHECK(signed_s > TEST_RELAY_TIME);
	fresh_s = c.r.now_ms / 1000 - CS_LIMIT_CHECKPOINT_S - 60;
	for (unsigned i = 0; i < 5000 && signed_s < fresh_s; i++)
		signed_s = signed_later(dir);
	CHECK(signed_s >= fresh_s);
	test_relay_stop(&c.r);
	test_relay_start(&c.r);
	CHECK(sync_into(&c.ann.who, dir) >= signed_s);
	cs_directory_free(dir);
	test_clinic_fini(&c);
}

/* After a relay was off for days, the first to ask gets one of today. */
TEST(the_checkpoint_is_fresh_from_the_start)
{
	struct cs_directory *dir = NULL;

	test_clinic_init(&c);
	CHECK_OK(cs_directory_new(c.r.net.network_id, &dir));
	test_relay_stop(&c.r);
	c.r.now_ms += 48 * HOUR_MS;
	test_relay_start(&c.r);
	CHECK_NUM(c.r.now_ms / 1000, sync_into(&c.ann.who, dir));
	cs_directory_free(dir);
	test_clinic_fini(&c);
}

/* ------------------------------------------------------------------- login */

static cs_err
login(const struct cs_keyring *kr, const uint8_t *as, const uint8_t *relay_id,
    struct cs_principal *ret)
{
	static const uint8_t handshake[32] = { 1, 2, 3 };
	uint8_t bytes[CS_VERIFY_LOGIN_BYTES];
	struct cs_frame_login_reply answer;
	struct cs_frame_login v = { 0 };
	cs_err e;

	memcpy(v.device_id, as, CS_ID_BYTES);
	cs_verify_login_bytes(handshake, relay_id, as, bytes);
	cs_keyring_sign(kr, CS_BYTES(bytes), v.signature);
	e = cs_service_login(c.r.s, &v, handshake, ret, &answer);
	if (e == CS_OK)
		CHECK_NUM(c.r.now_ms / 1000, answer.time_s);
	return e;
}

TEST(a_login_proves_the_key_of_a_device_or_registrar)
{
	static const uint8_t nobody[CS_ID_BYTES] = { 0xee };
	const uint8_t *relay, *other = nobody;
	struct cs_principal who = { 0 };

	test_clinic_init(&c);
	relay = cs_keyring_info(c.r.net.relay)->id;
	CHECK_ERR(CS_BAD_SIGNATURE, login(c.ann.kr, c.bob.who.id, relay, &who));
	CHECK_ERR(CS_BAD_SIGNATURE, login(c.ann.kr, nobody, relay, &who));
	CHECK_ERR(CS_BAD_SIGNATURE,
	    login(c.ann.kr, c.ann.member_id, relay, &who));
	/* for another relay */
	CHECK_ERR(CS_BAD_SIGNATURE, login(c.ann.kr, c.ann.who.id, other, &who));
	CHECK_NUM(CS_PRINCIPAL_ANYONE, who.kind);
	CHECK_OK(login(c.ann.kr, c.ann.who.id, relay, &who));
	CHECK_NUM(CS_PRINCIPAL_DEVICE, who.kind);
	CHECK_BYTES(c.ann.who.id, CS_ID_BYTES, who.id, CS_ID_BYTES);
	CHECK_OK(login(c.r.net.registrar,
	    cs_keyring_info(c.r.net.registrar)->id, relay, &who));
	CHECK_NUM(CS_PRINCIPAL_REGISTRAR, who.kind);
	/* the practice's vetting lapses: what waits is read all the same */
	test_relay_stop(&c.r);
	c.r.now_ms += UINT64_C(366) * 86400 * 1000;
	test_relay_start(&c.r);
	CHECK_OK(login(c.ann.kr, c.ann.who.id, relay, &who));
	CHECK_ERR(CS_BAD_SIGNATURE, login(c.bob.kr, c.ann.who.id, relay, &who));
	test_clinic_fini(&c);
}

static cs_err
ask_list(const struct cs_principal *who)
{
	struct cs_buf ask = test_clinic_list_from(0, 0);

	return test_relay_say(&c.r, who, &ask);
}

static cs_err
append_one(const struct cs_principal *who, struct cs_bytes entry)
{
	const struct cs_frame_entries v = { .n = 1, .entry = { entry } };
	struct cs_buf ask = { 0 };

	cs_frame_entries_encode(&ask, 5, CS_OP_DIR_APPEND, &v);
	return test_relay_say(&c.r, who, &ask);
}

/* Who holds an old copy of the key has nothing of it: no login, and no session
 * that was begun before. */
TEST(a_rotated_key_logs_nobody_in_and_its_sessions_end)
{
	struct cs_principal before = { 0 }, after = { 0 };
	struct cs_keyring *next = NULL;
	struct cs_buf entry = { 0 };
	const uint8_t *relay;

	test_clinic_init(&c);
	relay = cs_keyring_info(c.r.net.relay)->id;
	CHECK_OK(login(c.ann.kr, c.ann.who.id, relay, &before));
	CHECK_OK(ask_list(&before));
	CHECK_OK(cs_keyring_successor(c.ann.kr, &next));
	CHECK_OK(cs_enrol_rotate(c.ann.kr, next, CS_ENTRY_NO_PREV,
	    c.r.now_ms / 1000, &entry));
	CHECK_ERR(CS_BAD_SIGNATURE, login(next, c.ann.who.id, relay, &after));
	CHECK_OK(append_one(&before, cs_buf_view(&entry)));
	CHECK_ERR(CS_BAD_SIGNATURE,
	    login(c.ann.kr, c.ann.who.id, relay, &after));
	CHECK_ERR(CS_REVOKED, ask_list(&before));
	CHECK_OK(login(next, c.ann.who.id, relay, &after));
	CHECK_OK(ask_list(&after));
	/* a second time by the old key, after somebody else's hand */
	CHECK_ERR(CS_REVOKED, append_one(&before, cs_buf_view(&entry)));
	cs_keyring_free(next);
	cs_buf_fini(&entry);
	test_clinic_fini(&c);
}

static cs_err
enrol_one(struct cs_bytes entry)
{
	const struct cs_frame_entries v = { .n = 1, .entry = { entry } };
	struct cs_buf ask = { 0 };

	cs_frame_entries_encode(&ask, 6, CS_OP_ENROL, &v);
	return test_relay_say(&c.r, &anyone, &ask);
}

/* As login does, by an invitation's one-time key. */
static cs_err
login_by_seed(const uint8_t *seed, const uint8_t *as, const uint8_t *relay_id,
    struct cs_principal *ret)
{
	static const uint8_t handshake[32] = { 1, 2, 3 };
	uint8_t bytes[CS_VERIFY_LOGIN_BYTES];
	uint8_t pk[CS_SIGN_PUBLIC_BYTES], sk[crypto_sign_SECRETKEYBYTES];
	struct cs_frame_login_reply answer;
	struct cs_frame_login v = { 0 };

	memcpy(v.device_id, as, CS_ID_BYTES);
	cs_verify_login_bytes(handshake, relay_id, as, bytes);
	crypto_sign_seed_keypair(pk, sk, seed);
	crypto_sign_detached(v.signature, NULL, bytes, sizeof(bytes), sk);
	return cs_service_login(c.r.s, &v, handshake, ret, &answer);
}

/* A one-time key enrols its device and opens nothing. */
TEST(a_pending_device_logs_in_nowhere)
{
	struct cs_principal who = { 0 };
	struct cs_principal ann;
	struct cs_buf entry = { 0 }, file = { 0 }, rotate = { 0 };
	struct cs_keyring *kr = NULL;
	struct cs_enrol_card card;
	struct cs_invite inv;
	const uint8_t *relay;
	uint64_t now_s;

	test_clinic_init(&c);
	now_s = c.r.now_ms / 1000;
	relay = cs_keyring_info(c.r.net.relay)->id;
	ann = c.ann.who;
	CHECK_OK(cs_pairing_invite(c.ann.kr, c.r.net.dir, cs_bytes_str("phone"),
	    now_s + 86400, now_s, &entry, &file));
	CHECK_OK(append_one(&ann, cs_buf_view(&entry)));
	CHECK_OK(cs_invite_decode(cs_buf_view(&file), &inv));
	CHECK_OK(cs_enrol_check_invite(&inv, now_s, &card));
	CHECK_OK(cs_keyring_new(CS_KEYRING_DEVICE, c.r.net.network_id,
	    card.device_id, card.member_id, &kr));
	CHECK_ERR(CS_BAD_SIGNATURE, login(kr, card.device_id, relay, &who));
	CHECK_ERR(CS_DENIED,
	    login_by_seed(inv.enrol_seed, card.device_id, relay, &who));
	CHECK_OK(cs_pairing_join(&inv, kr, now_s, &rotate));
	CHECK_OK(enrol_one(cs_buf_view(&rotate)));
	CHECK_OK(login(kr, card.device_id, relay, &who));
	/* and the key is used up */
	CHECK_ERR(CS_BAD_SIGNATURE,
	    login_by_seed(inv.enrol_seed, card.device_id, relay, &who));
	cs_keyring_free(kr);
	cs_buf_fini(&entry);
	cs_buf_fini(&file);
	cs_buf_fini(&rotate);
	test_clinic_fini(&c);
}
