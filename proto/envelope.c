#include "proto/envelope.h"

#include <sodium.h>
#include <string.h>

#include "proto/base/cursor.h"
#include "proto/field.h"

#define MAC_BYTES       32
#define HOUR_S          3600
#define RECIPIENT_BYTES (CS_ID_BYTES + CS_HASH_BYTES)
#define OBJECT_BYTES    (CS_ID_BYTES + 4 + CS_HASH_BYTES)
#define STANZA_BYTES    (CS_KEM_ENC_BYTES + CS_WRAPPED_BYTES)
#define BODY_MIN_BYTES  (CS_BODY_FLOOR_BYTES + 32) /* shortest and its tag */

static const uint8_t magic[] = { 'C', 'S', 'E' };
#define MAGIC_VERSION '1'

static const char *const class_names[] = {
	[CS_CLASS_ROUTINE] = "routine",
	[CS_CLASS_URGENT] = "urgent",
	[CS_CLASS_PAGE] = "page",
	[CS_CLASS_RECEIPT] = "receipt",
};
#define CLASSES (sizeof(class_names) / sizeof(class_names[0]))

const char *cs_envelope_class_name(enum cs_class class)
{
	return (size_t) class < CLASSES ? class_names[class] : NULL;
}

static void
read_version(struct cs_cursor *c)
{
	uint8_t version;
	uint16_t suite;

	cs_cursor_expect(c, CS_BYTES(magic));
	version = cs_cursor_u8(c);
	suite = cs_cursor_u16(c);
	if (cs_cursor_err(c) == CS_OK &&
	    (version != MAGIC_VERSION || suite != CS_SUITE_V1))
		cs_cursor_fail(c, CS_UNSUPPORTED);
}

static void
read_times(struct cs_cursor *c, struct cs_envelope *ret)
{
	uint64_t created = cs_cursor_u64(c);
	uint64_t expires = cs_cursor_u64(c);

	if (created % HOUR_S != 0 || expires <= created ||
	    expires - created > CS_LIMIT_LIFETIME_S + HOUR_S)
		cs_cursor_fail(c, CS_MALFORMED);
	ret->created_hour_s = created;
	ret->expires_at_s = expires;
}

static void
read_objects(struct cs_cursor *c, struct cs_envelope *ret)
{
	struct cs_envelope_object row;

	ret->n_objects =
	    (uint16_t)cs_field_count(c, cs_cursor_u16(c), 0, CS_LIMIT_OBJECTS);
	ret->objects =
	    cs_field_rows(c, ret->n_objects, OBJECT_BYTES, CS_ID_BYTES);
	for (uint16_t i = 0; i < ret->objects.n / OBJECT_BYTES; i++) {
		cs_envelope_object(ret, i, &row);
		cs_field_count(c, row.segments, 1, CS_LIMIT_SEGMENTS);
	}
}

/* Reads H up to the stanzas and gives body_len. */
static uint32_t
read_preamble(struct cs_cursor *c, struct cs_envelope *ret)
{
	const uint8_t *start = c->p;
	uint32_t body_bytes;

	read_version(c);
	cs_cursor_copy(c, ret->network_id, sizeof(ret->network_id));
	cs_cursor_copy(c, ret->envelope_id, sizeof(ret->envelope_id));
	read_times(c, ret);
	ret->class = cs_field_choice(c, CS_CLASS_ROUTINE, CS_CLASS_RECEIPT);
	ret->n_recipients = (uint16_t)cs_field_count(c, cs_cursor_u16(c), 1,
	    CS_LIMIT_RECIPIENTS);
	ret->recipients =
	    cs_field_rows(c, ret->n_recipients, RECIPIENT_BYTES, CS_ID_BYTES);
	read_objects(c, ret);
	cs_cursor_copy(c, ret->body_nonce, sizeof(ret->body_nonce));
	body_bytes = cs_field_count(c, cs_cursor_u32(c), BODY_MIN_BYTES,
	    CS_LIMIT_BODY_BYTES);
	if (cs_cursor_err(c) == CS_OK)
		ret->preamble =
		    (struct cs_bytes){ start, (size_t)(c->p - start) };
	return body_bytes;
}

cs_err
cs_envelope_decode(struct cs_bytes in, struct cs_envelope *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_envelope env = { 0 };
	uint32_t body_bytes;
	cs_err e;

	if (in.n > CS_LIMIT_ENVELOPE_BYTES)
		return CS_TOO_LARGE;
	body_bytes = read_preamble(&c, &env);
	env.stanzas = cs_cursor_take(&c, env.n_recipients * STANZA_BYTES);
	env.header = (struct cs_bytes){ in.p, env.preamble.n + env.stanzas.n };
	env.mac = cs_cursor_take(&c, MAC_BYTES);
	env.body = cs_cursor_take(&c, body_bytes);
	CS_TRY(cs_cursor_end(&c));
	*ret = env;
out:
	return e;
}

void
cs_envelope_recipient(const struct cs_envelope *env, uint16_t i,
    struct cs_envelope_recipient *ret)
{
	const uint8_t *row = env->recipients.p + (size_t)i * RECIPIENT_BYTES;

	memcpy(ret->device_id, row, CS_ID_BYTES);
	memcpy(ret->key_id, row + CS_ID_BYTES, CS_HASH_BYTES);
}

void
cs_envelope_object(const struct cs_envelope *env, uint16_t i,
    struct cs_envelope_object *ret)
{
	struct cs_bytes row = { env->objects.p + (size_t)i * OBJECT_BYTES,
		OBJECT_BYTES };
	struct cs_cursor c = cs_cursor_new(row);

	cs_cursor_copy(&c, ret->object_id, CS_ID_BYTES);
	ret->segments = cs_cursor_u32(&c);
	cs_cursor_copy(&c, ret->root, CS_HASH_BYTES);
}

void
cs_envelope_stanza(const struct cs_envelope *env, uint16_t i,
    struct cs_envelope_stanza *ret)
{
	const uint8_t *row = env->stanzas.p + (size_t)i * STANZA_BYTES;

	memcpy(ret->enc, row, CS_KEM_ENC_BYTES);
	memcpy(ret->wrapped, row + CS_KEM_ENC_BYTES, CS_WRAPPED_BYTES);
}

cs_err
cs_envelope_find(const struct cs_envelope *env,
    const uint8_t device_id[static CS_ID_BYTES], uint16_t *ret_i)
{
	size_t low = 0, high = env->n_recipients;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = memcmp(device_id,
		    env->recipients.p + mid * RECIPIENT_BYTES, CS_ID_BYTES);

		if (order == 0) {
			*ret_i = (uint16_t)mid;
			return CS_OK;
		}
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return CS_NOT_FOUND;
}

static cs_err
check_preamble(struct cs_bytes preamble)
{
	struct cs_cursor c = cs_cursor_new(preamble);
	struct cs_envelope env = { 0 };

	read_preamble(&c, &env);
	return cs_cursor_end(&c);
}

cs_err
cs_envelope_encode_preamble(const struct cs_envelope *env, uint32_t body_bytes,
    const struct cs_envelope_recipient *recipients,
    const struct cs_envelope_object *objects, struct cs_buf *out)
{
	size_t from = out->n;

	cs_buf_put_bytes(out, CS_BYTES(magic));
	cs_buf_put_u8(out, MAGIC_VERSION);
	cs_buf_put_u16(out, CS_SUITE_V1);
	cs_buf_put(out, env->network_id, sizeof(env->network_id));
	cs_buf_put(out, env->envelope_id, sizeof(env->envelope_id));
	cs_buf_put_u64(out, env->created_hour_s);
	cs_buf_put_u64(out, env->expires_at_s);
	cs_buf_put_u8(out, (uint8_t)env->class);
	cs_buf_put_u16(out, env->n_recipients);
	for (uint16_t i = 0; i < env->n_recipients; i++) {
		cs_buf_put(out, recipients[i].device_id, CS_ID_BYTES);
		cs_buf_put(out, recipients[i].key_id, CS_HASH_BYTES);
	}
	cs_buf_put_u16(out, env->n_objects);
	for (uint16_t i = 0; i < env->n_objects; i++) {
		cs_buf_put(out, objects[i].object_id, CS_ID_BYTES);
		cs_buf_put_u32(out, objects[i].segments);
		cs_buf_put(out, objects[i].root, CS_HASH_BYTES);
	}
	cs_buf_put(out, env->body_nonce, sizeof(env->body_nonce));
	cs_buf_put_u32(out, body_bytes);
	return cs_field_finish(out, from, check_preamble);
}

void
cs_envelope_hash(const struct cs_envelope *env,
    uint8_t ret_e[static CS_HASH_BYTES])
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, env->header.p, env->header.n);
	crypto_hash_sha256_update(&st, env->mac.p, env->mac.n);
	crypto_hash_sha256_final(&st, ret_e);
}

uint64_t
cs_envelope_stored_bytes(const struct cs_envelope *env, size_t envelope_bytes)
{
	uint64_t segments = 0;
	struct cs_envelope_object row;

	for (uint16_t i = 0; i < env->n_objects; i++) {
		cs_envelope_object(env, i, &row);
		segments += row.segments;
	}
	return envelope_bytes + segments * CS_SEGMENT_BYTES;
}

uint32_t
cs_envelope_least_bytes(uint16_t n_recipients, uint16_t n_objects)
{
	/* magic, suite, network, id, times, class, counts, nonce, length */
	const uint32_t fixed = 4 + 2 + CS_NETWORK_ID_BYTES + CS_ID_BYTES +
			       2 * 8 + 1 + 2 * 2 + 32 + 4;

	return fixed + n_recipients * (RECIPIENT_BYTES + STANZA_BYTES) +
	       n_objects * OBJECT_BYTES + MAC_BYTES + BODY_MIN_BYTES;
}
