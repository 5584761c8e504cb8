#include "keys/open.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "keys/hpke.h"
#include "keys/suite.h"
#include "keys/verify.h"
#include "proto/base/cursor.h"
#include "proto/object.h"

struct cs_open {
	struct cs_envelope env;
	struct cs_secret *plain; /* len ‖ M ‖ sig ‖ zeros */
	struct cs_bytes m;       /* in plain, as what follows */
	struct cs_manifest manifest;
	const uint8_t *sig;
	uint8_t e[CS_HASH_BYTES], s[CS_HASH_BYTES];
	uint8_t header_hash[CS_HASH512_BYTES], m_hash[CS_HASH512_BYTES];
};

/* One envelope on its way: what is borrowed, and the keys it gives up. */
struct opening {
	struct cs_bytes envelope;
	const uint8_t *network_id, *device_id;
	const struct cs_epoch *keys;
	const struct cs_directory *dir;
	uint16_t row; /* mine among the recipients */
	struct cs_secret *epoch_secret, *file_key, *mac_key, *body_key;
	uint8_t sender_key[CS_SIGN_PUBLIC_BYTES];
	struct cs_open *o;
};

static void
opening_fini(struct opening *w)
{
	cs_secret_free(w->epoch_secret);
	cs_secret_free(w->file_key);
	cs_secret_free(w->mac_key);
	cs_secret_free(w->body_key);
	cs_open_free(w->o);
}

static bool
is_same_id(const uint8_t *id, const uint8_t *other_id)
{
	return memcmp(id, other_id, CS_ID_BYTES) == 0;
}

static cs_err
open_layout(struct opening *w)
{
	return cs_envelope_decode(w->envelope, &w->o->env);
}

static cs_err
open_network(struct opening *w)
{
	if (!cs_bytes_eq(CS_BYTES(w->o->env.network_id),
		(struct cs_bytes){ w->network_id, CS_NETWORK_ID_BYTES }))
		return CS_WRONG_NETWORK;
	return CS_OK;
}

static cs_err
open_recipient(struct opening *w)
{
	struct cs_envelope_recipient me;

	if (cs_envelope_find(&w->o->env, w->device_id, &w->row) != CS_OK)
		return CS_NO_KEY;
	cs_envelope_recipient(&w->o->env, w->row, &me);
	return cs_epoch_secret(w->keys, me.key_id, &w->epoch_secret);
}

static cs_err
open_stanza(struct opening *w)
{
	struct cs_envelope_recipient me;
	struct cs_envelope_stanza stanza;
	struct cs_suite_stanza bind;

	cs_envelope_recipient(&w->o->env, w->row, &me);
	cs_envelope_stanza(&w->o->env, w->row, &stanza);
	cs_suite_stanza(&w->o->env, &me, &bind);
	return cs_hpke_open(w->epoch_secret, stanza.enc, CS_BYTES(bind.info),
	    CS_BYTES(bind.aad), CS_BYTES(stanza.wrapped), &w->file_key);
}

/* The commitment: every recipient holds the same file key for this H, or
 * knows that it does not. Nothing is decrypted before. */
static cs_err
open_header_mac(struct opening *w)
{
	const struct cs_envelope *env = &w->o->env;
	uint8_t want[CS_HASH_BYTES];
	cs_err e;

	CS_TRY(cs_suite_derive(w->file_key, &w->mac_key, &w->body_key));
	cs_suite_header_mac(w->mac_key, env->header, want);
	if (sodium_memcmp(want, env->mac.p, sizeof(want)) != 0)
		e = CS_BAD_MAC;
out:
	sodium_memzero(want, sizeof(want));
	return e;
}

/* Takes the decrypted body apart; length and padding have one right form, so
 * that no bytes hide beside the signed ones. */
static cs_err
split_plain(struct cs_open *o)
{
	struct cs_cursor c = cs_cursor_new(cs_secret_view(o->plain));
	struct cs_bytes sig, padding;
	size_t m_bytes = cs_cursor_u32(&c);
	cs_err e;

	o->m = cs_cursor_take(&c, m_bytes);
	sig = cs_cursor_take(&c, CS_SIGNATURE_BYTES);
	padding = cs_cursor_take(&c, c.left);
	CS_TRY(cs_cursor_end(&c));
	if (cs_suite_plain_bytes(m_bytes) != cs_secret_len(o->plain) ||
	    !sodium_is_zero(padding.p, padding.n))
		e = CS_MALFORMED;
	o->sig = sig.p;
out:
	return e;
}

static cs_err
open_body(struct opening *w)
{
	struct cs_open *o = w->o;
	struct cs_bytes body = o->env.body;
	cs_err e;

	/* E is also the body's additional data: SHA-256(H ‖ header_mac). */
	cs_envelope_hash(&o->env, o->e);
	CS_TRY(cs_secret_new(body.n - CS_SUITE_TAG_BYTES, &o->plain));
	if (crypto_aead_aegis256_decrypt(cs_secret_mut(o->plain), NULL, NULL,
		body.p, body.n, o->e, sizeof(o->e), o->env.body_nonce,
		cs_secret_bytes(w->body_key)) != 0)
		return CS_BAD_MAC;
	CS_TRY(split_plain(o));
out:
	return e;
}

static cs_err
open_manifest(struct opening *w)
{
	return cs_manifest_decode(w->o->m, &w->o->manifest);
}

static cs_err
open_lists(struct opening *w)
{
	struct cs_open *o = w->o;

	cs_suite_hash512(o->env.header, o->header_hash);
	if (!cs_bytes_eq(CS_BYTES(o->header_hash),
		CS_BYTES(o->manifest.header_hash)))
		return CS_MALFORMED;
	return cs_suite_check_lists(&o->env, &o->manifest);
}

/*
 * When was it signed? Both times are the sender's claim, but the relay sees
 * the one in H and can hold it against its clock: whoever stole a key cannot
 * date M alone back to before the revocation.
 */
static uint64_t
claimed_time(const struct cs_open *o)
{
	uint64_t inner = o->manifest.created_s;
	uint64_t outer = o->env.created_hour_s;

	return inner > outer ? inner : outer;
}

/* The practice behind the sender: admitted, and its vetting not lapsed. Then
 * its members still say what became of the mail they have. */
static cs_err
check_vetting(const struct cs_directory *dir,
    const uint8_t member_id[static CS_ID_BYTES], uint64_t at_s, bool is_receipt)
{
	struct cs_directory_member member;
	struct cs_directory_organisation practice;
	cs_err e;

	CS_TRY(cs_directory_member(dir, member_id, &member));
	CS_TRY(cs_directory_organisation(dir, member.organisation, &practice));
	if (practice.decision == CS_DECISION_REFUSED)
		e = CS_DENIED;
	else if (practice.valid_until_s < at_s && !is_receipt)
		e = CS_LAPSED;
out:
	return e;
}

static cs_err
open_certificate(struct opening *w)
{
	const struct cs_manifest *m = &w->o->manifest;
	uint64_t at_s = claimed_time(w->o);
	struct cs_directory_device device;
	cs_err e;

	CS_TRY(cs_directory_signer(w->dir, m->sender_device, m->sender_entry,
	    at_s, w->sender_key));
	CS_TRY(cs_directory_device(w->dir, m->sender_device, &device));
	/* Certified, but for somebody else. */
	CS_TRY(is_same_id(device.member, m->sender_member) ? CS_OK
							   : CS_BAD_SIGNATURE);
	CS_TRY(check_vetting(w->dir, device.member, at_s,
	    m->content_kind == CS_CONTENT_RECEIPT));
out:
	return e;
}

static cs_err
open_signature(struct opening *w)
{
	struct cs_open *o = w->o;
	uint8_t message[CS_SUITE_SIGNED_BYTES];
	cs_err e;

	cs_suite_hash512(o->m, o->m_hash);
	cs_suite_signed(o->header_hash, o->m_hash, message);
	CS_TRY(cs_verify_ed25519(w->sender_key, CS_BYTES(message), o->sig));
	crypto_hash_sha256(o->s, o->sig, CS_SIGNATURE_BYTES);
out:
	return e;
}

/* DESIGN 5, "Open order". */
static const struct {
	enum cs_open_step step;
	cs_err (*run)(struct opening *w);
} steps[] = {
	{ CS_OPEN_LAYOUT, open_layout },
	{ CS_OPEN_NETWORK, open_network },
	{ CS_OPEN_RECIPIENT, open_recipient },
	{ CS_OPEN_STANZA, open_stanza },
	{ CS_OPEN_HEADER_MAC, open_header_mac },
	{ CS_OPEN_BODY, open_body },
	{ CS_OPEN_MANIFEST, open_manifest },
	{ CS_OPEN_LISTS, open_lists },
	{ CS_OPEN_CERTIFICATE, open_certificate },
	{ CS_OPEN_SIGNATURE, open_signature },
};

cs_err
cs_open_envelope(struct cs_bytes envelope,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES], const struct cs_epoch *keys,
    const struct cs_directory *dir, struct cs_open **ret,
    enum cs_open_step *ret_step)
{
	struct opening w = { .envelope = envelope,
		.network_id = network_id,
		.device_id = device_id,
		.keys = keys,
		.dir = dir,
		.o = calloc(1, sizeof(*w.o)) };
	enum cs_open_step step = CS_OPEN_LAYOUT;
	cs_err e;

	CS_TRY(w.o ? CS_OK : CS_NO_MEMORY);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
		step = steps[i].step;
		CS_TRY(steps[i].run(&w));
	}
	*ret = w.o;
	w.o = NULL;
out:
	if (e != CS_OK && ret_step)
		*ret_step = step;
	opening_fini(&w);
	return e;
}

void
cs_open_free(struct cs_open *o)
{
	if (!o)
		return;
	cs_secret_free(o->plain);
	free(o);
}

const struct cs_envelope *
cs_open_header(const struct cs_open *o)
{
	return &o->env;
}

const struct cs_manifest *
cs_open_manifest(const struct cs_open *o)
{
	return &o->manifest;
}

struct cs_bytes
cs_open_manifest_bytes(const struct cs_open *o)
{
	return o->m;
}

const uint8_t *
cs_open_e(const struct cs_open *o)
{
	return o->e;
}

const uint8_t *
cs_open_s(const struct cs_open *o)
{
	return o->s;
}

const uint8_t *
cs_open_m_hash(const struct cs_open *o)
{
	return o->m_hash;
}

const uint8_t *
cs_open_signature(const struct cs_open *o)
{
	return o->sig;
}

cs_err
cs_open_segment(const uint8_t object_key[static 32],
    const uint8_t object_id[static CS_ID_BYTES], uint64_t object_bytes,
    uint32_t index, struct cs_bytes stored, struct cs_buf *ret)
{
	const size_t before = ret->n;
	uint8_t ad[CS_SUITE_SEGMENT_AD_BYTES];
	uint8_t *to;
	size_t padded, plain;
	cs_err e = CS_MALFORMED;

	if (object_bytes > CS_LIMIT_OBJECT_BYTES ||
	    index >= cs_object_segments(object_bytes) ||
	    stored.n != cs_object_segment_stored(object_bytes, index))
		goto out;
	padded = stored.n - CS_SEGMENT_NONCE_BYTES - CS_SEGMENT_TAG_BYTES;
	plain = cs_object_segment_plain(object_bytes, index);
	to = cs_buf_extend(ret, padded);
	CS_TRY(cs_buf_err(ret));
	cs_suite_segment_ad(object_id, object_bytes, index, ad);
	if (crypto_aead_aegis256_decrypt(to, NULL, NULL,
		stored.p + CS_SEGMENT_NONCE_BYTES,
		stored.n - CS_SEGMENT_NONCE_BYTES, ad, sizeof(ad), stored.p,
		object_key) != 0)
		e = CS_BAD_MAC;
	else if (!sodium_is_zero(to + plain, padded - plain))
		e = CS_MALFORMED;
	ret->n = e == CS_OK ? before + plain : before;
out:
	return e;
}
