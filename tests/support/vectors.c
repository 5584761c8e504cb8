#include "tests/support/vectors.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/file.h"
#include "keys/verify.h"
#include "proto/base/buf.h"

const json_t *
vectors_file(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "tests/vectors/%s", name);
	return test_json(path);
}

const json_t *
vectors_named(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *row = json_array_get(list, i);

		if (strcmp(test_json_str(row, "name"), name) == 0)
			return row;
	}
	printf("# no vector \"%s\"\n", name);
	CHECK(!"a vector of this name");
	return NULL;
}

const json_t *
vectors_get(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (!v)
		printf("# no member \"%s\"\n", key);
	CHECK(v != NULL);
	return v;
}

uint64_t
vectors_num(const json_t *o, const char *key)
{
	const json_t *v = vectors_get(o, key);
	char *end;
	uint64_t n;

	if (json_is_integer(v))
		return (uint64_t)json_integer_value(v);
	n = strtoull(test_json_str(o, key), &end, 10);
	CHECK(*end == '\0');
	return n;
}

void
vectors_same(const json_t *o, const char *key, const uint8_t *p, size_t n)
{
	struct cs_bytes want = test_json_hex(o, key);

	if (!cs_bytes_eq(want, (struct cs_bytes){ p, n }))
		printf("# member \"%s\"\n", key);
	CHECK_BYTES(want.p, want.n, p, n);
}

void
vectors_same_num(const json_t *o, const char *key, uint64_t v)
{
	uint64_t want = vectors_num(o, key);

	if (want != v)
		printf("# member \"%s\"\n", key);
	CHECK_NUM(want, v);
}

void
vectors_same_text(const json_t *o, const char *key, struct cs_bytes v)
{
	struct cs_bytes want = cs_bytes_str(test_json_str(o, key));

	if (!cs_bytes_eq(want, v))
		printf("# member \"%s\"\n", key);
	CHECK_VIEW(want, v);
}

const json_t *
vectors_row(const json_t *list, size_t i)
{
	const json_t *v = json_array_get(list, i);

	CHECK(v != NULL);
	return v;
}

void
vectors_same_rows(const json_t *list, struct cs_bytes packed, size_t n)
{
	CHECK_NUM(json_array_size(list) * n, packed.n);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(vectors_row(list, i));
		struct cs_bytes want = HEX(text);

		CHECK_BYTES(want.p, want.n, packed.p + i * n, n);
	}
}

struct cs_bytes
vectors_network_id(void)
{
	return test_json_hex(vectors_file("network.json"), "network_id");
}

struct cs_directory *
vectors_mirror(void)
{
	const json_t *leaves =
	    vectors_get(vectors_file("network.json"), "leaves");
	struct cs_directory *d = NULL;

	CHECK_OK(cs_directory_new(vectors_network_id().p, &d));
	for (size_t i = 0; i < json_array_size(leaves); i++) {
		const json_t *leaf = vectors_row(leaves, i);
		cs_err e = cs_directory_apply(d, test_json_hex(leaf, "leaf"));

		if (e != CS_OK)
			printf("# leaf %zu, %s\n", i,
			    test_json_str(leaf, "type"));
		CHECK_OK(e);
	}
	return d;
}

/* ------------------------------------------------------------------- files */

static void
write_private(const char *name, struct cs_bytes content)
{
	CHECK_OK(cs_file_write(test_path(name), content, 0600, true));
}

struct cs_keyring *
vectors_keyring(const json_t *file)
{
	const json_t *lock = vectors_get(file, "lock");
	struct cs_keyring_lock l = { 0 };
	struct cs_secret *pass = NULL;
	struct cs_keyring *kr = NULL;
	cs_err e;

	write_private("keyring", test_json_hex(file, "keyring"));
	if (json_object_get(lock, "key_file")) {
		write_private("keyfile", test_json_hex(lock, "key_file"));
		l.key_file = test_path("keyfile");
	} else {
		CHECK_OK(cs_secret_copy(cs_bytes_str(test_json_str(lock,
					    "passphrase")),
		    &pass));
		l.passphrase = pass;
	}
	e = cs_keyring_load(test_path("keyring"), &l, &kr);
	cs_secret_free(pass);
	CHECK_OK(e);
	return kr;
}

void
vectors_device_init(struct vectors_device *d, const json_t *file)
{
	*d = (struct vectors_device){ .kr = vectors_keyring(file) };
	write_private("epochs", test_json_hex(file, "epochs"));
	CHECK_OK(cs_epoch_load(test_path("epochs"), d->kr, &d->epochs));
	d->id = cs_keyring_info(d->kr)->id;
}

/* An epoch file with this key as its only kept one, which docs/protocol.md
 * tells how to write. */
static void
put_epoch_file(const struct cs_keyring *kr, const json_t *key,
    struct cs_buf *ret)
{
	static const uint8_t magic[] = { 'C', 'S', 'P', '1' };
	uint8_t nothing[32] = { 0 };
	struct cs_secret *file_key = NULL;
	struct cs_buf plain = { 0 };

	cs_buf_put_bytes(&plain, test_json_hex(key, "device_id"));
	cs_buf_put_u64(&plain, 1); /* chain */
	cs_buf_put_bytes(&plain, CS_BYTES(nothing));
	cs_buf_put_u64(&plain, 1); /* nothing published from it */
	cs_buf_put_u16(&plain, 1);
	cs_buf_put_u64(&plain, 0);
	cs_buf_put_u64(&plain, UINT64_MAX);
	cs_buf_put_bytes(&plain, test_json_hex(key, "key_id"));
	cs_buf_put_bytes(&plain, test_json_hex(key, "seed"));
	CHECK_OK(cs_buf_err(&plain));
	CHECK_OK(cs_keyring_derive(kr, "epoch-file", &file_key));
	cs_buf_put_bytes(ret, CS_BYTES(magic));
	vectors_segment(cs_secret_view(file_key), CS_BYTES(nothing),
	    CS_BYTES(magic), cs_buf_view(&plain), ret);
	cs_secret_free(file_key);
	cs_buf_fini(&plain);
}

void
vectors_device_of_key(struct vectors_device *d, const json_t *key)
{
	static const uint8_t nobody[CS_ID_BYTES], nowhere[CS_NETWORK_ID_BYTES];
	struct cs_buf file = { 0 };

	*d = (struct vectors_device){ 0 };
	CHECK_OK(cs_keyring_new(CS_KEYRING_DEVICE, nowhere,
	    test_json_hex(key, "device_id").p, nobody, &d->kr));
	put_epoch_file(d->kr, key, &file);
	write_private("epochs", cs_buf_view(&file));
	CHECK_OK(cs_epoch_load(test_path("epochs"), d->kr, &d->epochs));
	d->id = cs_keyring_info(d->kr)->id;
	cs_buf_fini(&file);
}

void
vectors_device_fini(struct vectors_device *d)
{
	cs_epoch_free(d->epochs);
	cs_keyring_free(d->kr);
	*d = (struct vectors_device){ 0 };
}

/* ---------------------------------------------------------------- segments */

void
vectors_pattern(uint64_t from, uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t at = from + i;

		p[i] = (uint8_t)(31 * at + (at >> 8));
	}
}

void
vectors_segment(struct cs_bytes key, struct cs_bytes nonce, struct cs_bytes ad,
    struct cs_bytes padded, struct cs_buf *ret)
{
	uint8_t *to;

	CHECK_NUM(crypto_aead_aegis256_KEYBYTES, key.n);
	CHECK_NUM(crypto_aead_aegis256_NPUBBYTES, nonce.n);
	cs_buf_put_bytes(ret, nonce);
	to = cs_buf_extend(ret, padded.n + crypto_aead_aegis256_ABYTES);
	CHECK_OK(cs_buf_err(ret));
	crypto_aead_aegis256_encrypt(to, NULL, padded.p, padded.n, ad.p, ad.n,
	    NULL, nonce.p, key.p);
}

void
vectors_same_seen(const json_t *o, const struct cs_checkpoint *seen)
{
	const json_t *want = vectors_get(o, "seen");
	struct cs_bytes key =
	    test_json_hex(vectors_file("network.json"), "relay_key");

	vectors_same_num(want, "size", seen->size);
	VECTORS_SAME(want, "root", seen->root);
	vectors_same_num(want, "time", seen->time_s);
	VECTORS_SAME(want, "incarnation", seen->incarnation);
	vectors_same_num(want, "counter", seen->counter);
	VECTORS_SAME(want, "signature", seen->signature);
	CHECK_OK(cs_verify_seen(seen, vectors_network_id().p, key.p));
}
