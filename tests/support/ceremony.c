#include "tests/support/ceremony.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "tests/test.h"

static const uint8_t nobody[CS_NETWORK_ID_BYTES];

static struct cs_keyring *
make(enum cs_keyring_kind kind)
{
	struct cs_keyring *kr = NULL;
	uint8_t id[CS_ID_BYTES];

	randombytes_buf(id, sizeof(id));
	CHECK_OK(cs_keyring_new(kind, nobody, id, nobody, &kr));
	return kr;
}

static int
by_key(const void *a, const void *b)
{
	return memcmp(a, b, CS_SIGN_PUBLIC_BYTES); /* public */
}

/* Body of a version whose keys are three from first on. */
static void
root_body(const struct ceremony *c, uint32_t version, unsigned first,
    struct cs_buf *ret)
{
	uint8_t keys[3][CS_SIGN_PUBLIC_BYTES];
	struct cs_entry_root v = {
		.version = version,
		.threshold = 2,
		.n_keys = 3,
		.keys = { &keys[0][0], sizeof(keys) },
		.name = cs_bytes_str("Test Network"),
	};

	for (unsigned i = 0; i < 3; i++)
		memcpy(keys[i], cs_keyring_info(c->key[first + i])->sign_key,
		    sizeof(keys[i]));
	qsort(keys, 3, sizeof(keys[0]), by_key);
	CHECK_OK(cs_entry_root_encode(&v, ret));
}

void
ceremony_init(struct ceremony *c)
{
	struct cs_entry entry = { .type = CS_ENTRY_ROOT };
	struct cs_buf body = { 0 };

	*c = (struct ceremony){ 0 };
	for (unsigned i = 0; i < CEREMONY_KEYS; i++)
		c->key[i] = make(CS_KEYRING_ROOT);
	c->registrar = make(CS_KEYRING_REGISTRAR);
	c->relay = make(CS_KEYRING_RELAY);
	randombytes_buf(c->root_id, sizeof(c->root_id));
	root_body(c, 1, 0, &body);
	memcpy(entry.subject, c->root_id, sizeof(entry.subject));
	entry.body = cs_buf_view(&body);
	cs_entry_network_id(&entry, c->network_id);
	cs_keyring_set_network(c->registrar, c->network_id);
	cs_keyring_set_network(c->relay, c->network_id);
	CHECK_OK(cs_directory_new(c->network_id, &c->dir));
	cs_buf_fini(&body);
}

void
ceremony_fini(struct ceremony *c)
{
	for (unsigned i = 0; i < CEREMONY_KEYS; i++)
		cs_keyring_free(c->key[i]);
	cs_keyring_free(c->registrar);
	cs_keyring_free(c->relay);
	cs_directory_free(c->dir);
	cs_buf_fini(&c->roots);
}

static void
encode(const struct ceremony *c, const struct cs_buf *cores, uint8_t n,
    struct cs_buf *ret)
{
	struct cs_signing v = {
		.relay_url = cs_bytes_str("tcp://127.0.0.1:7700"),
		.n_roots = c->n_roots,
		.roots = cs_buf_view(&c->roots),
		.n_cores = n,
		.cores = cs_buf_view(cores),
	};

	memcpy(v.network_id, c->network_id, sizeof(v.network_id));
	CHECK_OK(cs_signing_encode(&v, ret));
}

static void
pack_registrar(struct ceremony *c, const struct cs_keyring *kr, uint64_t prev,
    struct cs_buf *cores)
{
	const struct cs_keyring_info *info = cs_keyring_info(kr);
	struct cs_entry_registrar v = {
		.valid_until_s = CEREMONY_NOW + 86400,
		.name = cs_bytes_str("registrar"),
	};
	struct cs_buf body = { 0 };

	memcpy(v.key, info->sign_key, sizeof(v.key));
	CHECK_OK(cs_entry_registrar_encode(&v, &body));
	CHECK_OK(cs_quorum_pack(CS_ENTRY_REGISTRAR, c->root_id, info->id, prev,
	    CEREMONY_NOW, cs_buf_view(&body), cores));
	cs_buf_fini(&body);
}

void
ceremony_founding(struct ceremony *c, struct cs_buf *ret)
{
	struct cs_buf body = { 0 }, cores = { 0 };

	root_body(c, 1, 0, &body);
	CHECK_OK(cs_quorum_pack(CS_ENTRY_ROOT, c->root_id, NULL,
	    CS_ENTRY_NO_PREV, CEREMONY_NOW, cs_buf_view(&body), &cores));
	pack_registrar(c, c->registrar, CS_ENTRY_NO_PREV, &cores);
	encode(c, &cores, 2, ret);
	cs_buf_fini(&body);
	cs_buf_fini(&cores);
}

void
ceremony_next_root(struct ceremony *c, unsigned first, struct cs_buf *ret)
{
	struct cs_buf body = { 0 }, cores = { 0 };

	root_body(c, c->n_roots + 1u, first, &body);
	CHECK_OK(cs_quorum_pack(CS_ENTRY_ROOT, c->root_id, NULL, c->root_entry,
	    CEREMONY_NOW, cs_buf_view(&body), &cores));
	encode(c, &cores, 1, ret);
	cs_buf_fini(&body);
	cs_buf_fini(&cores);
}

void
ceremony_registrar(struct ceremony *c, const struct cs_keyring *kr,
    uint64_t prev, struct cs_buf *ret)
{
	struct cs_buf cores = { 0 };

	pack_registrar(c, kr, prev, &cores);
	encode(c, &cores, 1, ret);
	cs_buf_fini(&cores);
}

cs_err
ceremony_sign(const struct cs_keyring *kr, struct cs_buf *request)
{
	struct cs_buf rows = { 0 }, again = { 0 };
	struct cs_signing v;
	struct cs_quorum q;
	cs_err e;

	CHECK_OK(cs_signing_decode(cs_buf_view(request), &v));
	CHECK_OK(cs_quorum_open(&v, &q));
	cs_buf_put_bytes(&rows, v.rows);
	e = cs_quorum_sign(&q, kr, &rows);
	if (e == CS_OK) {
		v.rows = cs_buf_view(&rows);
		v.n_rows = (uint16_t)(rows.n / CS_SIGNING_ROW_BYTES);
		CHECK_OK(cs_signing_encode(&v, &again));
		cs_buf_fini(request);
		*request = again;
	}
	cs_buf_fini(&rows);
	return e;
}

cs_err
ceremony_apply(struct ceremony *c, const struct cs_buf *request, uint8_t i)
{
	struct cs_entry_leaf leaf = {
		.seq = cs_directory_view(c->dir).size,
		.logged_at_s = CEREMONY_NOW,
	};
	struct cs_buf entry = { 0 }, bytes = { 0 };
	struct cs_signing v;
	struct cs_quorum q;
	cs_err e;

	CHECK_OK(cs_signing_decode(cs_buf_view(request), &v));
	CHECK_OK(cs_quorum_open(&v, &q));
	CS_TRY(cs_quorum_entry(&q, v.rows, i, &entry));
	leaf.entry = cs_buf_view(&entry);
	cs_entry_leaf_encode(&leaf, &bytes);
	CS_TRY(cs_directory_apply(c->dir, cs_buf_view(&bytes)));
	if (cs_quorum_core(&q, i).entry.type == CS_ENTRY_ROOT) {
		cs_signing_pack(&c->roots, cs_buf_view(&entry));
		c->n_roots++;
		c->root_entry = leaf.seq;
	}
out:
	cs_buf_fini(&entry);
	cs_buf_fini(&bytes);
	return e;
}

void
ceremony_found(struct ceremony *c)
{
	struct cs_buf request = { 0 };

	ceremony_founding(c, &request);
	CHECK_OK(ceremony_sign(c->key[0], &request));
	CHECK_OK(ceremony_sign(c->key[2], &request));
	CHECK_OK(ceremony_apply(c, &request, 0));
	CHECK_OK(ceremony_apply(c, &request, 1));
	cs_buf_fini(&request);
}
