#include "relay/identity.h"

#include <string.h>
#include <unistd.h>

#include "tests/test.h"

static const uint8_t network[CS_NETWORK_ID_BYTES] = { 1 };
static const uint8_t relay_id[CS_ID_BYTES] = { 2 };

/* Keyring files of a relay: what it has, and what is to follow. */
struct keys {
	const char *path, *key, *next, *old;
	struct cs_keyring *a, *b;
	struct cs_entry_relay of_a, of_b;
};

static struct cs_entry_relay
entry_of(const struct cs_keyring *kr)
{
	const struct cs_keyring_info *info = cs_keyring_info(kr);
	struct cs_entry_relay v = { 0 };

	memcpy(v.sign_key, info->sign_key, sizeof(v.sign_key));
	memcpy(v.noise_key, info->noise_key, sizeof(v.noise_key));
	return v;
}

static void
save(const struct cs_keyring *kr, const char *path, const char *key)
{
	const struct cs_keyring_lock lock = { .key_file = key };

	CHECK_OK(cs_keyring_save(kr, path, &lock, true));
}

static void
keys_init(struct keys *k)
{
	*k = (struct keys){ .path = test_path("relay.keyring"),
		.key = test_path("relay.key"),
		.next = test_path("relay.keyring.next"),
		.old = test_path("relay.keyring.old") };
	CHECK_OK(cs_keyring_new(CS_KEYRING_RELAY, network, relay_id, relay_id,
	    &k->a));
	CHECK_OK(cs_keyring_successor(k->a, &k->b));
	k->of_a = entry_of(k->a);
	k->of_b = entry_of(k->b);
	save(k->a, k->path, k->key);
}

static void
keys_fini(struct keys *k)
{
	cs_keyring_free(k->a);
	cs_keyring_free(k->b);
}

static struct cs_identity *
open_ok(const struct keys *k)
{
	struct cs_identity *id = NULL;
	struct cs_buf problem = { 0 };

	CHECK_OK(cs_identity_open(k->path, k->key, &id, &problem));
	CHECK_NUM(0, problem.n);
	return id;
}

static bool
is_signer(struct cs_identity *id, const struct cs_keyring *kr)
{
	return memcmp(cs_keyring_info(cs_identity_signer(id))->sign_key,
		   cs_keyring_info(kr)->sign_key, CS_SIGN_PUBLIC_BYTES) == 0;
}

static bool
is_file_of(const char *path, const struct cs_keyring *kr)
{
	struct cs_keyring_info info;

	return cs_keyring_peek(path, &info) == CS_OK &&
	       memcmp(info.sign_key, cs_keyring_info(kr)->sign_key,
		   CS_SIGN_PUBLIC_BYTES) == 0;
}

/* Does a client that pins this key get through its handshake? */
static bool
answers(struct cs_identity *id, const struct cs_keyring *kr)
{
	struct cs_noise *client = NULL, *relay = NULL;
	struct cs_buf hello = { 0 };
	bool ok = false;

	CHECK_OK(cs_noise_new_initiator(network, cs_keyring_info(kr)->noise_key,
	    &client));
	CHECK_OK(cs_noise_handshake_write(client, &hello));
	for (unsigned i = 0; !ok; i++) {
		cs_err e = cs_identity_responder(id, i, &relay);

		if (e == CS_NOT_FOUND)
			break;
		CHECK_OK(e);
		ok = cs_noise_handshake_read(relay, cs_buf_view(&hello)) ==
		     CS_OK;
		cs_noise_free(relay);
		relay = NULL;
	}
	cs_noise_free(client);
	cs_buf_fini(&hello);
	return ok;
}

TEST(identity_follows_the_directory_and_its_files_follow)
{
	struct cs_identity *id;
	struct keys k;

	keys_init(&k);
	id = open_ok(&k);
	CHECK(cs_identity_find(id, &k.of_a) != NULL);
	CHECK(cs_identity_find(id, &k.of_b) == NULL);
	CHECK_ERR(CS_WRONG_RELAY, cs_identity_follow(id, &k.of_b));
	save(k.b, k.next, k.key);
	cs_identity_reload(id);
	CHECK(cs_identity_is_next(id, &k.of_b));
	CHECK(is_signer(id, k.a));
	CHECK(answers(id, k.a) && !answers(id, k.b));
	CHECK(!cs_identity_has_old(id));

	CHECK_OK(cs_identity_follow(id, &k.of_b));
	CHECK(is_signer(id, k.b));
	CHECK(cs_identity_has_old(id) && !cs_identity_is_next(id, &k.of_b));
	CHECK(answers(id, k.a) && answers(id, k.b));
	CHECK(is_file_of(k.path, k.b) && is_file_of(k.old, k.a));
	CHECK(access(k.next, F_OK) != 0);
	CHECK_OK(cs_identity_follow(id, &k.of_b));
	CHECK(is_signer(id, k.b));
	cs_identity_free(id);

	id = open_ok(&k);
	CHECK_OK(cs_identity_follow(id, &k.of_b));
	CHECK(answers(id, k.a) && answers(id, k.b));
	CHECK_OK(cs_identity_forget(id));
	CHECK(!answers(id, k.a) && answers(id, k.b));
	CHECK(access(k.old, F_OK) != 0);
	CHECK_ERR(CS_NOT_FOUND, cs_identity_forget(id));
	cs_identity_free(id);
	keys_fini(&k);
}

TEST(identity_is_found_again_wherever_it_was_broken_off)
{
	struct cs_identity *id;
	struct keys k;

	keys_init(&k);
	/* the directory has the new keys, the files have not moved */
	save(k.b, k.next, k.key);
	id = open_ok(&k);
	CHECK_OK(cs_identity_follow(id, &k.of_b));
	CHECK(is_signer(id, k.b) && answers(id, k.a));
	CHECK(is_file_of(k.path, k.b) && is_file_of(k.old, k.a));
	cs_identity_free(id);
	/* between the two moves */
	save(k.a, k.path, k.key);
	save(k.b, k.next, k.key);
	CHECK(unlink(k.old) == 0 && link(k.path, k.old) == 0);
	id = open_ok(&k);
	CHECK_OK(cs_identity_follow(id, &k.of_b));
	CHECK(is_signer(id, k.b) && answers(id, k.a));
	CHECK(is_file_of(k.path, k.b) && is_file_of(k.old, k.a));
	cs_identity_free(id);
	/* the store was restored from before the rotation */
	id = open_ok(&k);
	CHECK_OK(cs_identity_follow(id, &k.of_a));
	CHECK(is_signer(id, k.a) && cs_identity_is_next(id, &k.of_b));
	CHECK(is_file_of(k.path, k.a) && is_file_of(k.next, k.b));
	cs_identity_free(id);
	keys_fini(&k);
}

TEST(identity_gives_up_keys_whose_file_went)
{
	struct cs_identity *id;
	struct keys k;

	keys_init(&k);
	save(k.b, k.next, k.key);
	id = open_ok(&k);
	CHECK_OK(cs_identity_follow(id, &k.of_b));
	cs_identity_reload(id);
	CHECK(answers(id, k.a));
	CHECK(unlink(k.old) == 0);
	cs_identity_reload(id);
	CHECK(!answers(id, k.a) && !cs_identity_has_old(id));
	cs_identity_free(id);
	keys_fini(&k);
}

TEST(identity_takes_no_keys_of_another_relay_or_store)
{
	struct cs_keyring *other = NULL, *same_id = NULL;
	const uint8_t other_id[CS_ID_BYTES] = { 9 };
	struct cs_identity *id;
	struct cs_buf problem = { 0 };
	struct cs_entry_relay of;
	struct keys k;

	keys_init(&k);
	CHECK_OK(cs_keyring_new(CS_KEYRING_RELAY, network, other_id, other_id,
	    &other));
	CHECK_OK(cs_keyring_new(CS_KEYRING_RELAY, network, relay_id, relay_id,
	    &same_id));
	id = open_ok(&k);
	CHECK_ERR(CS_WRONG_RELAY, cs_identity_add(id, other));
	CHECK_ERR(CS_CORRUPT, cs_identity_add(id, same_id));
	CHECK_OK(cs_identity_add(id, k.b));
	cs_identity_free(id);
	/* as a file it is left alone, and the relay starts */
	save(same_id, k.next, k.key);
	id = open_ok(&k);
	of = entry_of(same_id);
	CHECK(cs_identity_find(id, &of) == NULL);
	cs_identity_free(id);
	/* nobody else's keyring */
	cs_keyring_free(other);
	CHECK_OK(cs_keyring_new(CS_KEYRING_REGISTRAR, network, other_id,
	    other_id, &other));
	save(other, k.path, k.key);
	CHECK_ERR(CS_BAD_CONFIG,
	    cs_identity_open(k.path, k.key, &id, &problem));
	CHECK(problem.n > 0);
	CHECK(unlink(k.path) == 0);
	CHECK_ERR(CS_NOT_FOUND, cs_identity_open(k.path, k.key, &id, &problem));
	cs_buf_fini(&problem);
	cs_keyring_free(other);
	cs_keyring_free(same_id);
	keys_fini(&k);
}

TEST(identity_has_room_for_few)
{
	struct cs_keyring *next[8] = { 0 };
	struct cs_identity *id = NULL;
	struct keys k;
	unsigned n = 0;
	cs_err e = CS_OK;

	keys_init(&k);
	CHECK_OK(cs_identity_new(k.a, &id));
	for (; n < 8 && e == CS_OK; n++) {
		CHECK_OK(cs_keyring_successor(k.a, &next[n]));
		e = cs_identity_add(id, next[n]);
	}
	CHECK_ERR(CS_FULL, e);
	cs_identity_free(id);
	while (n-- > 0)
		cs_keyring_free(next[n]);
	keys_fini(&k);
}
