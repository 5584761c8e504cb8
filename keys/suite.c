#include "keys/suite.h"

#include <assert.h>
#include <sodium.h>

#include "proto/base/buf.h"
#include "proto/label.h"
#include "proto/object.h"
#include "proto/pad.h"

void
cs_suite_stanza(const struct cs_envelope *env,
    const struct cs_envelope_recipient *recipient, struct cs_suite_stanza *ret)
{
	struct cs_buf info = cs_buf_fixed(ret->info, sizeof(ret->info));

	cs_buf_put_bytes(&info, CS_LABEL_STANZA);
	cs_buf_put_u16(&info, CS_SUITE_V1);
	cs_buf_put_bytes(&info, CS_BYTES(env->network_id));
	cs_buf_put_bytes(&info, CS_BYTES(env->envelope_id));
	cs_buf_put_bytes(&info, CS_BYTES(recipient->device_id));
	cs_buf_put_bytes(&info, CS_BYTES(recipient->key_id));
	assert(info.err == CS_OK && info.n == sizeof(ret->info));
	crypto_hash_sha256(ret->aad, env->preamble.p, env->preamble.n);
}

static cs_err
expand(const uint8_t prk[static 32], struct cs_bytes label,
    struct cs_secret **ret)
{
	cs_err e;

	CS_TRY(cs_secret_new(CS_SUITE_KEY_BYTES, ret));
	crypto_kdf_hkdf_sha256_expand(cs_secret_mut(*ret), CS_SUITE_KEY_BYTES,
	    (const char *)label.p, label.n, prk);
out:
	return e;
}

cs_err
cs_suite_derive(const struct cs_secret *file_key,
    struct cs_secret **ret_mac_key, struct cs_secret **ret_body_key)
{
	const struct cs_bytes salt = CS_LABEL_FILE_KEY;
	struct cs_secret *mac_key = NULL, *body_key = NULL;
	uint8_t prk[crypto_kdf_hkdf_sha256_KEYBYTES];
	cs_err e;

	crypto_kdf_hkdf_sha256_extract(prk, salt.p, salt.n,
	    cs_secret_bytes(file_key), cs_secret_len(file_key));
	CS_TRY(expand(prk, CS_LABEL_HEADER_MAC, &mac_key));
	CS_TRY(expand(prk, CS_LABEL_BODY, &body_key));
	*ret_mac_key = mac_key;
	*ret_body_key = body_key;
	mac_key = body_key = NULL;
out:
	sodium_memzero(prk, sizeof(prk));
	cs_secret_free(mac_key);
	cs_secret_free(body_key);
	return e;
}

void
cs_suite_header_mac(const struct cs_secret *mac_key, struct cs_bytes header,
    uint8_t ret[static CS_HASH_BYTES])
{
	crypto_auth_hmacsha256(ret, header.p, header.n,
	    cs_secret_bytes(mac_key));
}

void
cs_suite_hash512(struct cs_bytes v, uint8_t ret[static CS_HASH512_BYTES])
{
	crypto_hash_sha512(ret, v.p, v.n);
}

void
cs_suite_signed(const uint8_t header_hash[static CS_HASH512_BYTES],
    const uint8_t m_hash[static CS_HASH512_BYTES],
    uint8_t ret[static CS_SUITE_SIGNED_BYTES])
{
	struct cs_buf out = cs_buf_fixed(ret, CS_SUITE_SIGNED_BYTES);

	cs_buf_put_bytes(&out, CS_LABEL_ENVELOPE);
	cs_buf_put(&out, header_hash, CS_HASH512_BYTES);
	cs_buf_put(&out, m_hash, CS_HASH512_BYTES);
	assert(out.err == CS_OK && out.n == CS_SUITE_SIGNED_BYTES);
}

size_t
cs_suite_plain_bytes(size_t n)
{
	return cs_pad_len(4 + n + CS_SIGNATURE_BYTES, CS_BODY_FLOOR_BYTES);
}

static bool
is_same_device(const struct cs_manifest_device *signed_row,
    const struct cs_envelope_recipient *row)
{
	return cs_bytes_eq(CS_BYTES(signed_row->device_id),
		   CS_BYTES(row->device_id)) &&
	       cs_bytes_eq(CS_BYTES(signed_row->key_id), CS_BYTES(row->key_id));
}

static bool
is_same_object(const struct cs_manifest_object *signed_row,
    const struct cs_envelope_object *row)
{
	return cs_bytes_eq(CS_BYTES(signed_row->object_id),
		   CS_BYTES(row->object_id)) &&
	       cs_object_segments(signed_row->bytes) == row->segments;
}

cs_err
cs_suite_check_lists(const struct cs_envelope *env, const struct cs_manifest *m)
{
	struct cs_manifest_device device;
	struct cs_manifest_object object;
	struct cs_envelope_recipient recipient;
	struct cs_envelope_object outer;
	size_t pos = 0;

	if (m->n_devices != env->n_recipients || m->n_objects != env->n_objects)
		return CS_MALFORMED;
	for (uint16_t i = 0; cs_manifest_next_device(m, &pos, &device); i++) {
		cs_envelope_recipient(env, i, &recipient);
		if (!is_same_device(&device, &recipient))
			return CS_MALFORMED;
	}
	pos = 0;
	for (uint16_t i = 0; cs_manifest_next_object(m, &pos, &object); i++) {
		cs_envelope_object(env, i, &outer);
		if (!is_same_object(&object, &outer))
			return CS_MALFORMED;
	}
	return CS_OK;
}

void
cs_suite_segment_ad(const uint8_t object_id[static CS_ID_BYTES],
    uint64_t object_bytes, uint32_t i,
    uint8_t ret[static CS_SUITE_SEGMENT_AD_BYTES])
{
	struct cs_buf out = cs_buf_fixed(ret, CS_SUITE_SEGMENT_AD_BYTES);

	cs_buf_put(&out, object_id, CS_ID_BYTES);
	cs_buf_put_u32(&out, i);
	cs_buf_put_u8(&out, i + 1 == cs_object_segments(object_bytes));
	assert(out.err == CS_OK && out.n == CS_SUITE_SEGMENT_AD_BYTES);
}
