#include "keys/seal.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "keys/hpke.h"
#include "keys/suite.h"
#include "proto/object.h"

#define HOUR_S       3600
#define LENGTH_BYTES 4 /* of M, before it */
#define MAC_BYTES    CS_HASH_BYTES
#define STANZA_BYTES (CS_KEM_ENC_BYTES + CS_WRAPPED_BYTES)

/* M without its lists and content: 191 bytes, a reply binding 144, counts. */
#define MANIFEST_FIXED_BYTES 512

/* One envelope on its way: positions in the output, secrets beside it. */
struct sealing {
	const struct cs_seal_job *job;
	struct cs_secret *file_key, *mac_key, *body_key;
	/* u32 len(M) ‖ M ‖ sig ‖ zeros. M holds the object keys and what the
	 * sender writes: it is built here, in guarded memory, and nowhere
	 * else. */
	struct cs_secret *plain;
	struct cs_bytes m; /* in plain */
	size_t plain_bytes;
	struct cs_envelope env;
	size_t start, preamble_bytes, header_bytes; /* in the output */
	uint8_t header_hash[CS_HASH512_BYTES], m_hash[CS_HASH512_BYTES];
	uint8_t mac[MAC_BYTES], e[CS_HASH_BYTES], sig[CS_SIGNATURE_BYTES];
};

static void
sealing_fini(struct sealing *s)
{
	cs_secret_free(s->file_key);
	cs_secret_free(s->mac_key);
	cs_secret_free(s->body_key);
	cs_secret_free(s->plain);
}

/* Writes length and M; header_hash is zero as long as H is not known. */
static cs_err
write_manifest(struct sealing *s)
{
	struct cs_manifest m = s->job->manifest;
	struct cs_buf to = cs_buf_fixed(cs_secret_mut(s->plain) + LENGTH_BYTES,
	    cs_secret_len(s->plain) - LENGTH_BYTES - CS_SIGNATURE_BYTES);
	struct cs_buf length =
	    cs_buf_fixed(cs_secret_mut(s->plain), LENGTH_BYTES);
	cs_err e;

	memcpy(m.header_hash, s->header_hash, sizeof(m.header_hash));
	CS_TRY(cs_manifest_encode(&m, &to));
	s->m = cs_buf_view(&to);
	cs_buf_put_u32(&length, (uint32_t)s->m.n);
out:
	return e;
}

/* How long will the body be? Its length is part of H, which M hashes; the
 * length of M does not depend on that hash. */
static cs_err
measure(struct sealing *s)
{
	const struct cs_manifest *m = &s->job->manifest;
	const size_t parts[] = { m->addressees.n, m->devices.n, m->objects.n,
		m->content.n };
	size_t n = MANIFEST_FIXED_BYTES;
	cs_err e;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (parts[i] > CS_LIMIT_BODY_BYTES)
			return CS_TOO_LARGE;
		n += parts[i];
	}
	CS_TRY(cs_secret_new(cs_suite_plain_bytes(n), &s->plain));
	CS_TRY(write_manifest(s));
	s->plain_bytes = cs_suite_plain_bytes(s->m.n);
	if (s->plain_bytes + CS_SUITE_TAG_BYTES > CS_LIMIT_BODY_BYTES)
		e = CS_TOO_LARGE;
out:
	return e;
}

static struct cs_envelope_recipient *
recipient_rows(const struct cs_seal_job *job)
{
	struct cs_envelope_recipient *rows =
	    calloc((size_t)job->n_recipients + 1, sizeof(*rows));

	for (uint16_t i = 0; rows && i < job->n_recipients; i++) {
		const struct cs_seal_recipient *r = &job->recipients[i];

		memcpy(rows[i].device_id, r->device_id, CS_ID_BYTES);
		memcpy(rows[i].key_id, r->key_id, CS_HASH_BYTES);
	}
	return rows;
}

static cs_err
write_preamble(struct sealing *s, struct cs_buf *out)
{
	const struct cs_seal_job *job = s->job;
	struct cs_envelope_recipient *rows = recipient_rows(job);
	struct cs_envelope *env = &s->env;
	cs_err e;

	memcpy(env->network_id, job->network_id, sizeof(env->network_id));
	memcpy(env->envelope_id, job->envelope_id, sizeof(env->envelope_id));
	env->created_hour_s = job->created_s - job->created_s % HOUR_S;
	env->expires_at_s = job->expires_at_s;
	env->class = job->class;
	env->n_recipients = job->n_recipients;
	env->n_objects = job->n_objects;
	randombytes_buf(env->body_nonce, sizeof(env->body_nonce));
	CS_TRY(rows ? CS_OK : CS_NO_MEMORY);
	CS_TRY(cs_envelope_encode_preamble(env,
	    (uint32_t)(s->plain_bytes + CS_SUITE_TAG_BYTES), rows, job->objects,
	    out));
	s->preamble_bytes = out->n - s->start;
out:
	free(rows);
	return e;
}

/* Wraps the file key for every recipient. */
static cs_err
write_stanzas(struct sealing *s, struct cs_buf *out)
{
	struct cs_suite_stanza bind;
	struct cs_envelope_recipient row;
	uint8_t *to;
	cs_err e;

	for (uint16_t i = 0; i < s->job->n_recipients; i++) {
		const struct cs_seal_recipient *r = &s->job->recipients[i];

		to = cs_buf_extend(out, STANZA_BYTES);
		CS_TRY(cs_buf_err(out));
		/* The buffer may have moved. */
		s->env.preamble =
		    (struct cs_bytes){ out->p + s->start, s->preamble_bytes };
		memcpy(row.device_id, r->device_id, CS_ID_BYTES);
		memcpy(row.key_id, r->key_id, CS_HASH_BYTES);
		cs_suite_stanza(&s->env, &row, &bind);
		CS_TRY(cs_hpke_seal(r->public_key, CS_BYTES(bind.info),
		    CS_BYTES(bind.aad), cs_secret_view(s->file_key), to,
		    to + CS_KEM_ENC_BYTES));
	}
	s->header_bytes = out->n - s->start;
	e = CS_OK;
out:
	return e;
}

/* H is complete: what depends on it, and the signature over both. */
static cs_err
sign(struct sealing *s, const struct cs_keyring *sender, struct cs_buf *out)
{
	struct cs_bytes header = { out->p + s->start, s->header_bytes };
	uint8_t message[CS_SUITE_SIGNED_BYTES];
	cs_err e;

	cs_suite_header_mac(s->mac_key, header, s->mac);
	cs_suite_hash512(header, s->header_hash);
	CS_TRY(write_manifest(s));
	cs_suite_hash512(s->m, s->m_hash);
	cs_suite_signed(s->header_hash, s->m_hash, message);
	cs_keyring_sign(sender, CS_BYTES(message), s->sig);
	memcpy(cs_secret_mut(s->plain) + LENGTH_BYTES + s->m.n, s->sig,
	    sizeof(s->sig));
	cs_buf_put(out, s->mac, sizeof(s->mac));
	e = cs_buf_err(out);
out:
	return e;
}

static cs_err
write_body(struct sealing *s, struct cs_buf *out)
{
	uint8_t *to = cs_buf_extend(out, s->plain_bytes + CS_SUITE_TAG_BYTES);

	if (!to)
		return cs_buf_err(out);
	crypto_hash_sha256(s->e, out->p + s->start,
	    s->header_bytes + MAC_BYTES);
	crypto_aead_aegis256_encrypt(to, NULL, cs_secret_bytes(s->plain),
	    s->plain_bytes, s->e, sizeof(s->e), NULL, s->env.body_nonce,
	    cs_secret_bytes(s->body_key));
	return CS_OK;
}

/* Would a recipient take it? Order, counts, lists, text: one decoder knows. */
static cs_err
check(const struct sealing *s, const struct cs_buf *out)
{
	struct cs_bytes whole = { out->p + s->start, out->n - s->start };
	struct cs_envelope env;
	struct cs_manifest m;
	cs_err e;

	CS_TRY(cs_envelope_decode(whole, &env));
	CS_TRY(cs_manifest_decode(s->m, &m));
	CS_TRY(cs_suite_check_lists(&env, &m));
out:
	return e;
}

/* The manifest names its signer: it must be this keyring. */
static cs_err
check_sender(const struct cs_keyring *sender, const struct cs_manifest *m)
{
	const struct cs_keyring_info *info = cs_keyring_info(sender);

	if (info->kind != CS_KEYRING_DEVICE ||
	    !cs_bytes_eq(CS_BYTES(info->id), CS_BYTES(m->sender_device)) ||
	    !cs_bytes_eq(CS_BYTES(info->member_id), CS_BYTES(m->sender_member)))
		return CS_MALFORMED;
	return CS_OK;
}

cs_err
cs_seal_envelope(const struct cs_keyring *sender, const struct cs_seal_job *job,
    struct cs_buf *ret, struct cs_seal_facts *ret_facts)
{
	struct sealing s = { .job = job, .start = ret->n };
	cs_err e;

	CS_TRY(check_sender(sender, &job->manifest));
	CS_TRY(measure(&s));
	CS_TRY(cs_secret_random(CS_FILE_KEY_BYTES, &s.file_key));
	CS_TRY(cs_suite_derive(s.file_key, &s.mac_key, &s.body_key));
	CS_TRY(write_preamble(&s, ret));
	CS_TRY(write_stanzas(&s, ret));
	CS_TRY(sign(&s, sender, ret));
	CS_TRY(write_body(&s, ret));
	CS_TRY(check(&s, ret));
	memcpy(ret_facts->e, s.e, sizeof(s.e));
	memcpy(ret_facts->m_hash, s.m_hash, sizeof(s.m_hash));
	crypto_hash_sha256(ret_facts->s, s.sig, sizeof(s.sig));
out:
	if (e != CS_OK)
		ret->n = s.start;
	sealing_fini(&s);
	return e;
}

cs_err
cs_seal_segment(const struct cs_secret *object_key,
    const uint8_t object_id[static CS_ID_BYTES], uint64_t object_bytes,
    uint32_t index, struct cs_bytes plain, struct cs_buf *out)
{
	uint8_t ad[CS_SUITE_SEGMENT_AD_BYTES];
	uint8_t *to;
	size_t n;
	cs_err e = CS_MALFORMED;

	if (object_bytes > CS_LIMIT_OBJECT_BYTES ||
	    index >= cs_object_segments(object_bytes) ||
	    plain.n != cs_object_segment_plain(object_bytes, index) ||
	    cs_secret_len(object_key) != CS_SUITE_KEY_BYTES)
		goto out;
	n = cs_object_segment_stored(object_bytes, index);
	to = cs_buf_extend(out, n);
	CS_TRY(cs_buf_err(out));
	n -= CS_SEGMENT_NONCE_BYTES + CS_SEGMENT_TAG_BYTES;
	randombytes_buf(to, CS_SEGMENT_NONCE_BYTES);
	cs_suite_segment_ad(object_id, object_bytes, index, ad);
	/* Padded and encrypted where it will lie. */
	if (plain.n)
		memcpy(to + CS_SEGMENT_NONCE_BYTES, plain.p, plain.n);
	memset(to + CS_SEGMENT_NONCE_BYTES + plain.n, 0, n - plain.n);
	crypto_aead_aegis256_encrypt(to + CS_SEGMENT_NONCE_BYTES, NULL,
	    to + CS_SEGMENT_NONCE_BYTES, n, ad, sizeof(ad), NULL, to,
	    cs_secret_bytes(object_key));
	e = CS_OK;
out:
	return e;
}
