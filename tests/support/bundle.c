#include "tests/support/bundle.h"

#include <sodium.h>
#include <string.h>

#include "keys/hpke.h"
#include "proto/pad.h"
#include "tests/test.h"

#define STANZA_BYTES (CS_KEM_ENC_BYTES + CS_WRAPPED_BYTES)
#define M_HASH_AT    44 /* header_hash in M */
#define EPOCH        cs_epoch_of(BUNDLE_TIME)

const uint8_t *
bundle_id(const struct bundle_party *p)
{
	return cs_keyring_info(p->kr)->id;
}

/* key_id = SHA-256(0x00 ‖ device ‖ u64 epoch ‖ key). */
static void
make_key_id(struct bundle_party *p)
{
	struct cs_buf data = { 0 };

	cs_buf_put_u8(&data, 0);
	cs_buf_put(&data, bundle_id(p), CS_ID_BYTES);
	cs_buf_put_u64(&data, EPOCH);
	cs_buf_put(&data, p->public_key, sizeof(p->public_key));
	crypto_hash_sha256(p->key_id, data.p, data.n);
	cs_buf_fini(&data);
}

static void
party_init(struct bundle_party *p, struct network *net, const char *address)
{
	struct cs_buf key = { 0 };
	uint8_t root[CS_HASH_BYTES];

	p->kr = network_join(net, address);
	CHECK_OK(cs_epoch_new(bundle_id(p), BUNDLE_TIME, &p->epoch));
	CHECK_OK(cs_epoch_batch(p->epoch, EPOCH, 1, &key, root));
	memcpy(p->public_key, key.p, sizeof(p->public_key));
	make_key_id(p);
	cs_buf_fini(&key);
}

static void
party_fini(struct bundle_party *p)
{
	cs_keyring_free(p->kr);
	cs_epoch_free(p->epoch);
}

void
bundle_pack(struct bundle *b)
{
	struct cs_manifest *m = &b->job.manifest;
	struct cs_manifest_addressee addressee = {
		.address = cs_bytes_str("a@clinic"), .entry = 4
	};
	struct cs_manifest_object object = { .name = cs_bytes_str("scan.pdf"),
		.media_type = cs_bytes_str("application/pdf"),
		.bytes = 3,
		.key = b->object_key };

	cs_buf_reset(&b->addressees);
	cs_buf_reset(&b->devices);
	cs_buf_reset(&b->objects);
	cs_manifest_put_addressee(&b->addressees, &addressee);
	for (unsigned i = 0; i < BUNDLE_RECIPIENTS; i++) {
		struct cs_manifest_device row = { .key_kind = CS_KEY_EPOCH,
			.epoch = EPOCH };

		memcpy(row.device_id, b->recipients[i].device_id, CS_ID_BYTES);
		memcpy(row.key_id, b->recipients[i].key_id, CS_HASH_BYTES);
		memcpy(row.member_id, cs_keyring_info(b->to[i].kr)->member_id,
		    CS_ID_BYTES);
		cs_manifest_put_device(&b->devices, &row);
	}
	memcpy(object.object_id, b->object.object_id, CS_ID_BYTES);
	cs_manifest_put_object(&b->objects, &object);
	m->n_addressees = 1;
	m->n_devices = BUNDLE_RECIPIENTS;
	m->n_objects = 1;
	m->addressees = cs_buf_view(&b->addressees);
	m->devices = cs_buf_view(&b->devices);
	m->objects = cs_buf_view(&b->objects);
}

static void
job_init(struct bundle *b)
{
	struct cs_seal_job *job = &b->job;
	struct cs_manifest *m = &job->manifest;
	const struct cs_keyring_info *me = cs_keyring_info(b->sender.kr);
	struct cs_directory_device device;

	memcpy(job->network_id, b->net.network_id, sizeof(job->network_id));
	randombytes_buf(job->envelope_id, sizeof(job->envelope_id));
	job->class = CS_CLASS_ROUTINE;
	job->created_s = BUNDLE_TIME;
	job->expires_at_s = BUNDLE_TIME + 30 * 86400;
	job->n_recipients = BUNDLE_RECIPIENTS;
	job->recipients = b->recipients;
	job->n_objects = 1;
	job->objects = &b->object;
	m->content_kind = CS_CONTENT_CASE;
	memcpy(m->sender_member, me->member_id, CS_ID_BYTES);
	memcpy(m->sender_device, me->id, CS_ID_BYTES);
	CHECK_OK(cs_directory_device(b->net.dir, me->id, &device));
	m->sender_entry = device.entry;
	memcpy(m->thread_id, job->envelope_id, CS_ID_BYTES);
	m->created_s = BUNDLE_TIME;
	m->seen = network_seen(&b->net);
	m->content = cs_bytes_str(BUNDLE_CONTENT);
}

void
bundle_init(struct bundle *b)
{
	static const char *const addresses[] = { "a@clinic", "b@clinic" };

	memset(b, 0, sizeof(*b));
	network_init(&b->net, BUNDLE_TIME);
	party_init(&b->sender, &b->net, "sender@clinic");
	party_init(&b->stranger, &b->net, "stranger@clinic");
	for (unsigned i = 0; i < BUNDLE_RECIPIENTS; i++)
		party_init(&b->to[i], &b->net, addresses[i]);
	if (memcmp(bundle_id(&b->to[0]), bundle_id(&b->to[1]), CS_ID_BYTES) >
	    0) {
		struct bundle_party first = b->to[0];

		b->to[0] = b->to[1];
		b->to[1] = first;
	}
	for (unsigned i = 0; i < BUNDLE_RECIPIENTS; i++) {
		struct cs_seal_recipient *r = &b->recipients[i];

		memcpy(r->device_id, bundle_id(&b->to[i]), CS_ID_BYTES);
		memcpy(r->key_id, b->to[i].key_id, CS_HASH_BYTES);
		r->public_key = b->to[i].public_key;
	}
	randombytes_buf(b->object.object_id, CS_ID_BYTES);
	randombytes_buf(b->object.root, CS_HASH_BYTES);
	randombytes_buf(b->object_key, sizeof(b->object_key));
	b->object.segments = 1;
	job_init(b);
	bundle_pack(b);
}

void
bundle_fini(struct bundle *b)
{
	for (unsigned i = 0; i < BUNDLE_RECIPIENTS; i++)
		party_fini(&b->to[i]);
	party_fini(&b->sender);
	party_fini(&b->stranger);
	cs_buf_fini(&b->addressees);
	cs_buf_fini(&b->devices);
	cs_buf_fini(&b->objects);
	network_fini(&b->net);
}

void
bundle_seal(const struct bundle *b, struct cs_buf *out,
    struct cs_seal_facts *facts)
{
	struct cs_seal_facts unused;

	CHECK_OK(cs_seal_envelope(b->sender.kr, &b->job, out,
	    facts ? facts : &unused));
}

cs_err
bundle_open_as(const struct bundle *b, const struct bundle_party *p,
    struct cs_bytes envelope, int *ret_step)
{
	enum cs_open_step step = 0;
	struct cs_open *o = NULL;
	cs_err e = cs_open_envelope(envelope, b->net.network_id, bundle_id(p),
	    p->epoch, b->net.dir, &o, &step);

	CHECK((e == CS_OK) == (o != NULL));
	CHECK((e == CS_OK) == (step == 0));
	cs_open_free(o);
	*ret_step = (int)step;
	return e;
}

/* ------------------------------------------------------------------- forge */

struct keys {
	uint8_t mac[32], body[32];
};

static void
derive(const uint8_t file_key[static 32], struct keys *ret)
{
	uint8_t prk[32];

	crypto_kdf_hkdf_sha256_extract(prk, (const uint8_t *)"consil/file-key",
	    16, file_key, 32);
	crypto_kdf_hkdf_sha256_expand(ret->mac, 32, "consil/header-mac", 18,
	    prk);
	crypto_kdf_hkdf_sha256_expand(ret->body, 32, "consil/body", 12, prk);
}

/* What HPKE binds row i of the preamble to. HPKE itself is keys/hpke.c, which
 * has vectors of its own. */
static void
bind(const struct forge *f, const struct bundle *b, unsigned i,
    struct cs_buf *info, uint8_t aad[static 32])
{
	const uint8_t *row = f->preamble.p + 73 + (size_t)i * 48;

	cs_buf_put(info, "consil/stanza", 14);
	cs_buf_put_u16(info, 2);
	cs_buf_put(info, b->job.network_id, 32);
	cs_buf_put(info, f->preamble.p + 38, 16); /* envelope_id */
	cs_buf_put(info, row, 48);
	crypto_hash_sha256(aad, f->preamble.p, f->preamble.n);
}

void
forge_take(struct forge *f, const struct bundle *b, unsigned i,
    struct cs_bytes envelope)
{
	struct cs_envelope env;
	struct cs_envelope_stanza stanza;
	struct cs_secret *fk = NULL, *secret = NULL;
	struct cs_buf info = { 0 };
	struct keys k;
	uint8_t aad[32], ad[32], *pt;
	size_t n, m_bytes;

	memset(f, 0, sizeof(*f));
	CHECK_OK(cs_envelope_decode(envelope, &env));
	cs_buf_put_bytes(&f->preamble, env.preamble);
	cs_buf_put_bytes(&f->stanzas, env.stanzas);
	memcpy(f->nonce, env.body_nonce, sizeof(f->nonce));
	cs_envelope_stanza(&env, (uint16_t)i, &stanza);
	bind(f, b, i, &info, aad);
	CHECK_OK(cs_epoch_secret(b->to[i].epoch, b->to[i].key_id, &secret));
	CHECK_OK(cs_hpke_open(secret, stanza.enc, cs_buf_view(&info),
	    CS_BYTES(aad), CS_BYTES(stanza.wrapped), &fk));
	memcpy(f->file_key, cs_secret_bytes(fk), 32);
	derive(f->file_key, &k);
	crypto_hash_sha256(ad, envelope.p, env.header.n + 32);
	n = env.body.n - 32;
	pt = test_alloc(n);
	CHECK(crypto_aead_aegis256_decrypt(pt, NULL, NULL, env.body.p,
		  env.body.n, ad, 32, f->nonce, k.body) == 0);
	m_bytes = (size_t)pt[0] << 24 | (size_t)pt[1] << 16 |
		  (size_t)pt[2] << 8 | pt[3];
	cs_buf_put(&f->m, pt + 4, m_bytes);
	memcpy(f->sig, pt + 4 + m_bytes, 64);
	cs_buf_put(&f->padding, pt + 68 + m_bytes, n - 68 - m_bytes);
	cs_secret_free(fk);
	cs_secret_free(secret);
	cs_buf_fini(&info);
}

void
forge_fini(struct forge *f)
{
	cs_buf_fini(&f->preamble);
	cs_buf_fini(&f->stanzas);
	cs_buf_fini(&f->m);
	cs_buf_fini(&f->padding);
}

void
forge_stanza(struct forge *f, const struct bundle *b, unsigned i,
    const uint8_t *public_key, const uint8_t file_key[static 32])
{
	struct cs_buf info = { 0 };
	uint8_t aad[32], *to = f->stanzas.p + (size_t)i * STANZA_BYTES;

	bind(f, b, i, &info, aad);
	CHECK_OK(cs_hpke_seal(public_key, cs_buf_view(&info), CS_BYTES(aad),
	    (struct cs_bytes){ file_key, 32 }, to, to + CS_KEM_ENC_BYTES));
	cs_buf_fini(&info);
}

static void
header_hash(const struct forge *f, uint8_t ret[static 64])
{
	crypto_hash_sha512_state st;

	crypto_hash_sha512_init(&st);
	crypto_hash_sha512_update(&st, f->preamble.p, f->preamble.n);
	crypto_hash_sha512_update(&st, f->stanzas.p, f->stanzas.n);
	crypto_hash_sha512_final(&st, ret);
}

void
forge_bind(struct forge *f)
{
	header_hash(f, f->m.p + M_HASH_AT);
}

void
forge_sign(struct forge *f, const struct cs_keyring *kr)
{
	uint8_t message[16 + 64 + 64] = "consil/envelope";

	header_hash(f, message + 16);
	crypto_hash_sha512(message + 80, f->m.p, f->m.n);
	cs_keyring_sign(kr, CS_BYTES(message), f->sig);
}

void
forge_pad(struct forge *f)
{
	size_t n = 4 + f->m.n + 64;

	cs_buf_reset(&f->padding);
	cs_buf_put_zero(&f->padding, cs_pad_len(n, 4096) - n);
}

void
forge_put(const struct forge *f, struct cs_buf *out)
{
	struct cs_buf pt = { 0 };
	struct keys k;
	size_t start = out->n;
	uint8_t mac[32], ad[32], *body;

	derive(f->file_key, &k);
	cs_buf_put_bytes(out, cs_buf_view(&f->preamble));
	cs_buf_put_bytes(out, cs_buf_view(&f->stanzas));
	crypto_auth_hmacsha256(mac, out->p + start, out->n - start, k.mac);
	cs_buf_put(out, mac, 32);
	crypto_hash_sha256(ad, out->p + start, out->n - start);
	cs_buf_put_u32(&pt,
	    f->claimed_bytes ? f->claimed_bytes : (uint32_t)f->m.n);
	cs_buf_put_bytes(&pt, cs_buf_view(&f->m));
	cs_buf_put(&pt, f->sig, 64);
	cs_buf_put_bytes(&pt, cs_buf_view(&f->padding));
	body = cs_buf_extend(out, pt.n + 32);
	CHECK_OK(cs_buf_err(out));
	crypto_aead_aegis256_encrypt(body, NULL, pt.p, pt.n, ad, 32, NULL,
	    f->nonce, k.body);
	cs_buf_fini(&pt);
}
