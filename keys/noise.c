#include "keys/noise.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "keys/noise_cipher.h"
#include "keys/noise_nk.h"
#include "proto/label.h"

#define VERSION 1

/* A transport message is a chunk and its tag: at most 65,535 bytes. */
#define MESSAGE_MAX_BYTES (CS_NOISE_CHUNK_BYTES + CS_NOISE_TAG_BYTES)

_Static_assert(CS_NOISE_HANDSHAKE_BYTES == CS_NOISE_NK_EXTRA_BYTES,
    "a handshake message without payload");

enum stage {
	STAGE_WRITE, /* this side's handshake message is due */
	STAGE_READ,
	STAGE_READY,
	STAGE_DEAD, /* handshake failed */
};

/* One direction; each is touched by one thread at a time. */
struct direction {
	struct cs_noise_cipher cipher;
	cs_err err; /* sticks: after a lost message nothing can follow */
};

/* All that holds keys, in one piece of guarded memory. */
struct keys {
	struct cs_noise_nk nk; /* wiped when ready */
	struct direction send, receive;
};

struct cs_noise {
	struct cs_secret *memory;
	struct keys *k; /* in memory */
	enum stage stage;
	bool initiator;
	uint8_t hash[32];
};

static void
encode_prologue(const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_buf *out)
{
	cs_buf_put_bytes(out, CS_LABEL_SESSION);
	cs_buf_put(out, network_id, CS_NETWORK_ID_BYTES);
	cs_buf_put_u16(out, VERSION);
}

static cs_err
allocate(bool initiator, struct cs_noise **ret)
{
	struct cs_noise *n = calloc(1, sizeof(*n));
	cs_err e = CS_NO_MEMORY;

	if (!n)
		goto out;
	CS_TRY(cs_secret_new(sizeof(*n->k), &n->memory));
	n->k = (void *)cs_secret_mut(n->memory);
	n->initiator = initiator;
	n->stage = initiator ? STAGE_WRITE : STAGE_READ;
	*ret = n;
	n = NULL;
out:
	cs_noise_free(n);
	return e;
}

cs_err
cs_noise_new_initiator(const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t relay_key[static CS_NOISE_KEY_BYTES], struct cs_noise **ret)
{
	struct cs_buf prologue = { 0 };
	struct cs_noise *n = NULL;
	cs_err e;

	encode_prologue(network_id, &prologue);
	CS_TRY(cs_buf_err(&prologue));
	CS_TRY(allocate(true, &n));
	cs_noise_nk_init_initiator(&n->k->nk, cs_buf_view(&prologue),
	    relay_key);
	*ret = n;
out:
	cs_buf_fini(&prologue);
	return e;
}

cs_err
cs_noise_new_responder(const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_secret *static_secret, struct cs_noise **ret)
{
	struct cs_buf prologue = { 0 };
	struct cs_noise *n = NULL;
	cs_err e;

	assert(cs_secret_len(static_secret) == CS_NOISE_KEY_BYTES);
	encode_prologue(network_id, &prologue);
	CS_TRY(cs_buf_err(&prologue));
	CS_TRY(allocate(false, &n));
	cs_noise_nk_init_responder(&n->k->nk, cs_buf_view(&prologue),
	    cs_secret_bytes(static_secret));
	*ret = n;
out:
	cs_buf_fini(&prologue);
	return e;
}

void
cs_noise_free(struct cs_noise *n)
{
	if (!n)
		return;
	cs_secret_free(n->memory);
	free(n);
}

/* Handshake done: transport keys stay, everything that led to them goes. */
static void
begin_transport(struct cs_noise *n)
{
	struct keys *k = n->k;

	memcpy(n->hash, k->nk.hash, sizeof(n->hash));
	if (n->initiator)
		cs_noise_nk_split(&k->nk, &k->send.cipher, &k->receive.cipher);
	else
		cs_noise_nk_split(&k->nk, &k->receive.cipher, &k->send.cipher);
	sodium_memzero(&k->nk, sizeof(k->nk));
	n->stage = STAGE_READY;
}

cs_err
cs_noise_handshake_write(struct cs_noise *n, struct cs_buf *out)
{
	const struct cs_bytes no_payload = { 0 };
	uint8_t msg[CS_NOISE_HANDSHAKE_BYTES];
	cs_err e;

	if (n->stage != STAGE_WRITE)
		return CS_MALFORMED;
	n->stage = STAGE_DEAD;
	CS_TRY(cs_noise_nk_write(&n->k->nk, no_payload, msg));
	cs_buf_put(out, msg, sizeof(msg));
	CS_TRY(cs_buf_err(out));
	if (n->initiator)
		n->stage = STAGE_READ;
	else
		begin_transport(n);
out:
	return e;
}

cs_err
cs_noise_handshake_read(struct cs_noise *n, struct cs_bytes in)
{
	uint8_t no_payload[1];
	cs_err e;

	if (n->stage != STAGE_READ || in.n != CS_NOISE_HANDSHAKE_BYTES)
		return CS_MALFORMED;
	n->stage = STAGE_DEAD;
	CS_TRY(cs_noise_nk_read(&n->k->nk, in, no_payload));
	if (n->initiator)
		begin_transport(n);
	else
		n->stage = STAGE_WRITE;
out:
	return e;
}

bool
cs_noise_is_ready(const struct cs_noise *n)
{
	return n->stage == STAGE_READY;
}

const uint8_t *
cs_noise_hash(const struct cs_noise *n)
{
	assert(n->stage == STAGE_READY);
	return n->hash;
}

uint64_t
cs_noise_wire_bytes(uint64_t n)
{
	uint64_t chunks = n == 0 ? 1 : (n - 1) / CS_NOISE_CHUNK_BYTES + 1;

	return n + chunks * CS_NOISE_TAG_BYTES;
}

/* Undoes cs_noise_wire_bytes; false for a length that it never gives. */
static bool
plain_bytes(size_t wire, size_t *ret)
{
	size_t last = wire % MESSAGE_MAX_BYTES;

	/* A last chunk without content exists only in the empty frame. */
	if (wire == 0 || (last != 0 && last < CS_NOISE_TAG_BYTES) ||
	    (last == CS_NOISE_TAG_BYTES && wire != last))
		return false;
	*ret = wire -
	       (wire / MESSAGE_MAX_BYTES + (last != 0)) * CS_NOISE_TAG_BYTES;
	return true;
}

/* Section 11.3: both sides count, so both rekey before the same message. */
static void
rekey_if_due(struct cs_noise_cipher *c)
{
	if (c->n != 0 && c->n % CS_NOISE_REKEY_MESSAGES == 0)
		cs_noise_cipher_rekey(c);
}

static cs_err
encrypt_chunks(struct cs_noise_cipher *c, struct cs_bytes plain, uint8_t *to)
{
	const struct cs_bytes no_ad = { 0 };
	cs_err e;

	do {
		struct cs_bytes chunk = plain;

		if (chunk.n > CS_NOISE_CHUNK_BYTES)
			chunk.n = CS_NOISE_CHUNK_BYTES;
		rekey_if_due(c);
		CS_TRY(cs_noise_cipher_encrypt(c, no_ad, chunk, to));
		to += chunk.n + CS_NOISE_TAG_BYTES;
		if (chunk.n)
			plain.p += chunk.n;
		plain.n -= chunk.n;
	} while (plain.n > 0);
out:
	return e;
}

static cs_err
decrypt_chunks(struct cs_noise_cipher *c, struct cs_bytes in, uint8_t *to)
{
	const struct cs_bytes no_ad = { 0 };
	cs_err e;

	do {
		struct cs_bytes chunk = in;

		if (chunk.n > MESSAGE_MAX_BYTES)
			chunk.n = MESSAGE_MAX_BYTES;
		rekey_if_due(c);
		CS_TRY(cs_noise_cipher_decrypt(c, no_ad, chunk, to));
		to += chunk.n - CS_NOISE_TAG_BYTES;
		in.p += chunk.n;
		in.n -= chunk.n;
	} while (in.n > 0);
out:
	return e;
}

cs_err
cs_noise_encrypt(struct cs_noise *n, struct cs_bytes plain, struct cs_buf *out)
{
	struct direction *d = &n->k->send;
	size_t before = out->n;
	uint8_t *to;

	if (n->stage != STAGE_READY)
		return CS_MALFORMED;
	if (d->err != CS_OK)
		return d->err;
	/* Room first: afterwards only the nonces can fail, and they stick. */
	to = cs_buf_extend(out, cs_noise_wire_bytes(plain.n));
	if (!to)
		return cs_buf_err(out);
	d->err = encrypt_chunks(&d->cipher, plain, to);
	if (d->err != CS_OK)
		out->n = before;
	return d->err;
}

cs_err
cs_noise_decrypt(struct cs_noise *n, struct cs_bytes in, struct cs_buf *out)
{
	struct direction *d = &n->k->receive;
	size_t before = out->n, plain;
	uint8_t none[1], *to = none;

	if (n->stage != STAGE_READY || !plain_bytes(in.n, &plain))
		return CS_MALFORMED;
	if (d->err != CS_OK)
		return d->err;
	if (plain > 0)
		to = cs_buf_extend(out, plain);
	if (!to)
		return cs_buf_err(out);
	d->err = decrypt_chunks(&d->cipher, in, to);
	if (d->err != CS_OK) {
		/* Chunks before the bad one must not be acted upon. */
		if (plain > 0)
			sodium_memzero(to, plain);
		out->n = before;
	}
	return d->err;
}
