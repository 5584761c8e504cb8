#include "keys/certs.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/cursor.h"
#include "proto/field.h"
#include "tests/support/network.h"
#include "tests/test.h"

static struct network net;

static struct cs_buf
collect(void)
{
	struct cs_buf out = { 0 };

	CHECK_OK(cs_certs_collect(net.dir, &out));
	return out;
}

static cs_err
check(const struct cs_buf *certs)
{
	struct cs_certs_relay relay = { .id = { 0xee } };
	cs_err e = cs_certs_check(cs_buf_view(certs), net.network_id, &relay);

	if (e != CS_OK)
		CHECK_NUM(0xee, relay.id[0]);
	return e;
}

/* Certificate i of those there are. */
static struct cs_bytes
at(const struct cs_buf *certs, unsigned i)
{
	struct cs_cursor c = cs_cursor_new(cs_buf_view(certs));
	struct cs_bytes v = { 0 };

	do
		v = cs_field_var32(&c);
	while (i-- > 0);
	CHECK_OK(cs_cursor_err(&c));
	return v;
}

/* Root version n + 1, of the same key, signed by both versions. */
static void
next_root(uint32_t version, uint64_t prev, struct cs_buf *ret)
{
	const struct cs_keyring_info *root = cs_keyring_info(net.root);
	struct cs_entry_root v = { .version = version,
		.threshold = 1,
		.n_keys = 1,
		.keys = CS_BYTES(root->sign_key),
		.name = cs_bytes_str("Net") };
	struct cs_buf body = { 0 }, core = { 0 }, m = { 0 }, sigs = { 0 };
	struct cs_entry entry = { .type = CS_ENTRY_ROOT, .prev = prev };
	uint8_t sig[CS_SIGNATURE_BYTES];

	CHECK_OK(cs_entry_root_encode(&v, &body));
	memcpy(entry.subject, root->id, CS_ID_BYTES);
	memcpy(entry.authority, root->id, CS_ID_BYTES);
	entry.body = cs_buf_view(&body);
	CHECK_OK(cs_entry_encode_core(&entry, &core));
	cs_entry_signed_bytes(net.network_id, cs_buf_view(&core), &m);
	cs_keyring_sign(net.root, cs_buf_view(&m), sig);
	cs_buf_put_u8(&sigs, 0);
	cs_buf_put(&sigs, sig, sizeof(sig));
	cs_buf_put_u8(&sigs, CS_ENTRY_PREVIOUS_KEY);
	cs_buf_put(&sigs, sig, sizeof(sig));
	cs_entry_encode(cs_buf_view(&core), 2, cs_buf_view(&sigs), ret);
	cs_buf_fini(&body);
	cs_buf_fini(&core);
	cs_buf_fini(&m);
	cs_buf_fini(&sigs);
}

TEST(a_relay_is_followed_back_to_the_network_id)
{
	const struct cs_keyring_info *me;
	struct cs_certs_relay relay;
	struct cs_buf certs;

	network_init(&net, 1800000000);
	cs_keyring_free(network_join(&net, "ann@clinic")); /* of no matter */
	me = cs_keyring_info(net.relay);
	certs = collect();
	CHECK_OK(cs_certs_check(cs_buf_view(&certs), net.network_id, &relay));
	CHECK_BYTES(me->id, CS_ID_BYTES, relay.id, CS_ID_BYTES);
	CHECK_BYTES(me->sign_key, CS_SIGN_PUBLIC_BYTES, relay.sign_key,
	    CS_SIGN_PUBLIC_BYTES);
	CHECK_BYTES(cs_keyring_info(net.registrar)->id, CS_ID_BYTES,
	    relay.registrar, CS_ID_BYTES);
	CHECK(relay.network_name.n > 0);
	net.network_id[3] ^= 1;
	CHECK_ERR(CS_WRONG_NETWORK, check(&certs));
	cs_buf_fini(&certs);
	network_fini(&net);
}

TEST(what_is_no_chain_is_refused)
{
	struct cs_buf certs, v = { 0 };

	network_init(&net, 1800000000);
	certs = collect();
	CHECK_ERR(CS_INCOMPLETE, check(&v)); /* nothing */
	cs_field_put_var32(&v, at(&certs, 0));
	cs_field_put_var32(&v, at(&certs, 1));
	CHECK_ERR(CS_INCOMPLETE, check(&v)); /* no relay */
	cs_buf_reset(&v);
	cs_field_put_var32(&v, at(&certs, 0));
	cs_field_put_var32(&v, at(&certs, 2));
	CHECK_ERR(CS_CLASH, check(&v)); /* no registrar before it */
	cs_buf_reset(&v);
	cs_field_put_var32(&v, at(&certs, 1));
	CHECK_ERR(CS_CLASH, check(&v)); /* no root before it */
	cs_buf_reset(&v);
	cs_buf_put_bytes(&v, cs_buf_view(&certs));
	cs_field_put_var32(&v, at(&certs, 0));
	CHECK_ERR(CS_CLASH, check(&v)); /* goes on after the relay */
	cs_buf_reset(&v);
	cs_buf_put_bytes(&v, cs_buf_view(&certs));
	v.n--;
	CHECK_ERR(CS_MALFORMED, check(&v)); /* cut */
	cs_buf_put_zero(&v, CS_CERTS_MAX_BYTES);
	CHECK_ERR(CS_TOO_LARGE, check(&v));
	cs_buf_fini(&v);
	cs_buf_fini(&certs);
	network_fini(&net);
}

TEST(a_signature_that_is_not_theirs_is_found)
{
	struct cs_buf certs;
	unsigned i;

	network_init(&net, 1800000000);
	certs = collect();
	for (i = 0; i < 3; i++) {
		struct cs_bytes one = at(&certs, i);
		size_t end = (size_t)(one.p - certs.p) + one.n;

		certs.p[end - 1] ^= 1; /* of the last signature */
		CHECK_ERR(CS_BAD_SIGNATURE, check(&certs));
		certs.p[end - 1] ^= 1;
	}
	/* version: of a layout to come */
	certs.p[at(&certs, 1).p - certs.p] = 9;
	CHECK_ERR(CS_UNSUPPORTED, check(&certs));
	cs_buf_fini(&certs);
	network_fini(&net);
}

TEST(a_relay_by_another_hand_is_denied)
{
	struct cs_entry_relay body = { .url = cs_bytes_str("tcp://a:1") };
	struct cs_buf certs, v = { 0 }, bytes = { 0 }, entry = { 0 };
	struct cs_keyring *other;

	network_init(&net, 1800000000);
	certs = collect();
	other = network_keyring(&net, CS_KEYRING_REGISTRAR, NULL);
	CHECK_OK(cs_entry_relay_encode(&body, &bytes));
	network_sign(&net, other, CS_ENTRY_RELAY,
	    cs_keyring_info(net.relay)->id, 2, cs_buf_view(&bytes), &entry);
	cs_field_put_var32(&v, at(&certs, 0));
	cs_field_put_var32(&v, at(&certs, 1));
	cs_field_put_var32(&v, cs_buf_view(&entry));
	CHECK_ERR(CS_DENIED, check(&v));
	cs_keyring_free(other);
	cs_buf_fini(&bytes);
	cs_buf_fini(&entry);
	cs_buf_fini(&v);
	cs_buf_fini(&certs);
	network_fini(&net);
}

TEST(root_versions_are_followed_and_a_new_relay_key_is_the_one)
{
	struct cs_entry_relay body = { .noise_key = { 1 },
		.sign_key = { 2 },
		.url = cs_bytes_str("tcp://a:1") };
	struct cs_certs_relay relay;
	struct cs_buf certs, bytes = { 0 }, entry = { 0 };

	network_init(&net, 1800000000);
	next_root(2, 0, &entry);
	CHECK_OK(network_append(&net, cs_buf_view(&entry)));
	CHECK_OK(cs_entry_relay_encode(&body, &bytes));
	CHECK_OK(network_append_as(&net, net.registrar, CS_ENTRY_RELAY,
	    cs_keyring_info(net.relay)->id, 2, cs_buf_view(&bytes)));
	certs = collect();
	CHECK_OK(cs_certs_check(cs_buf_view(&certs), net.network_id, &relay));
	CHECK_NUM(2, relay.sign_key[0]);
	cs_buf_fini(&certs);
	/* a version left out */
	cs_buf_reset(&entry);
	next_root(3, 5, &entry);
	certs = collect();
	certs.n = (size_t)(at(&certs, 2).p - certs.p) - 4;
	cs_field_put_var32(&certs, cs_buf_view(&entry));
	CHECK_ERR(CS_CLASH, check(&certs));
	cs_buf_fini(&certs);
	cs_buf_fini(&bytes);
	cs_buf_fini(&entry);
	network_fini(&net);
}

TEST(a_directory_without_a_relay_has_none)
{
	struct cs_buf out = { 0 };

	network_init_keys(&net, 1800000000);
	CHECK_ERR(CS_NOT_FOUND, cs_certs_collect(net.dir, &out));
	CHECK_NUM(0, out.n);
	network_fini(&net);
}
