#include "proto/checkpoint.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "proto/text.h"

#define KEY_HASH_BYTES 4
#define DASH           "\xe2\x80\x94 " /* how a signature line begins */

/* --------------------------------------------------------------- fixed layout
 */

void
cs_checkpoint_put(const struct cs_checkpoint *cp, struct cs_buf *out)
{
	cs_buf_put_u64(out, cp->size);
	cs_buf_put(out, cp->root, sizeof(cp->root));
	cs_buf_put_u64(out, cp->time_s);
	cs_buf_put(out, cp->incarnation, sizeof(cp->incarnation));
	cs_buf_put_u64(out, cp->counter);
	cs_buf_put(out, cp->signature, sizeof(cp->signature));
}

void
cs_checkpoint_take(struct cs_cursor *c, struct cs_checkpoint *ret)
{
	ret->size = cs_cursor_u64(c);
	cs_cursor_copy(c, ret->root, sizeof(ret->root));
	ret->time_s = cs_cursor_u64(c);
	cs_cursor_copy(c, ret->incarnation, sizeof(ret->incarnation));
	ret->counter = cs_cursor_u64(c);
	cs_cursor_copy(c, ret->signature, sizeof(ret->signature));
}

/* -------------------------------------------------------------------- writing
 */

static void
put_hex(struct cs_bytes v, struct cs_buf *out)
{
	char hex[2 * CS_HASH_BYTES + 1];

	cs_text_hex(v, hex);
	cs_buf_put_str(out, hex);
}

void
cs_checkpoint_origin(enum cs_log log,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t *relay_id, struct cs_buf *out)
{
	static const char *const begins[CS_LOGS] = {
		[CS_LOG_DIRECTORY] = "consil/directory/",
		[CS_LOG_RECEIPTS] = "consil/receipts/",
		[CS_LOG_AUDIT] = "consil/audit/",
	};

	cs_buf_put_str(out, begins[log]);
	put_hex((struct cs_bytes){ network_id, CS_NETWORK_ID_BYTES }, out);
	if (log == CS_LOG_DIRECTORY)
		return;
	cs_buf_put_u8(out, '/');
	put_hex((struct cs_bytes){ relay_id, CS_ID_BYTES }, out);
}

void
cs_checkpoint_encode_body(struct cs_bytes origin,
    const struct cs_checkpoint *cp, struct cs_buf *out)
{
	cs_buf_put_bytes(out, origin);
	cs_buf_printf(out, "\n%" PRIu64 "\n", cp->size);
	cs_text_base64(CS_BYTES(cp->root), out);
	cs_buf_printf(out, "\ntime %" PRIu64 "\nincarnation ", cp->time_s);
	put_hex(CS_BYTES(cp->incarnation), out);
	cs_buf_printf(out, " %" PRIu64 "\n", cp->counter);
}

/* C2SP signed-note: which key of that name signed. */
static void
key_hash(struct cs_bytes name, enum cs_note_algorithm algorithm,
    const uint8_t public_key[static CS_SIGN_PUBLIC_BYTES],
    uint8_t ret[static KEY_HASH_BYTES])
{
	const uint8_t between[] = { '\n', (uint8_t)algorithm };
	uint8_t hash[CS_HASH_BYTES];
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, name.p, name.n);
	crypto_hash_sha256_update(&st, between, sizeof(between));
	crypto_hash_sha256_update(&st, public_key, CS_SIGN_PUBLIC_BYTES);
	crypto_hash_sha256_final(&st, hash);
	memcpy(ret, hash, KEY_HASH_BYTES);
}

void
cs_checkpoint_put_line(struct cs_bytes name, enum cs_note_algorithm algorithm,
    const uint8_t public_key[static CS_SIGN_PUBLIC_BYTES],
    struct cs_bytes signature, struct cs_buf *out)
{
	uint8_t hash[KEY_HASH_BYTES];
	struct cs_buf line = { 0 };

	key_hash(name, algorithm, public_key, hash);
	cs_buf_put(&line, hash, sizeof(hash));
	cs_buf_put_bytes(&line, signature);
	cs_buf_put_str(out, DASH);
	cs_buf_put_bytes(out, name);
	cs_buf_put_u8(out, ' ');
	cs_text_base64(cs_buf_view(&line), out);
	cs_buf_put_u8(out, '\n');
	if (out->err == CS_OK)
		out->err = cs_buf_err(&line);
	cs_buf_fini(&line);
}

void
cs_checkpoint_encode(struct cs_bytes origin, const struct cs_checkpoint *cp,
    const uint8_t public_key[static CS_SIGN_PUBLIC_BYTES], struct cs_buf *out)
{
	cs_checkpoint_encode_body(origin, cp, out);
	cs_buf_put_u8(out, '\n');
	cs_checkpoint_put_line(origin, CS_NOTE_ED25519, public_key,
	    CS_BYTES(cp->signature), out);
}

/* -------------------------------------------------------------------- reading
 */

/* Takes what stands before the next end mark off rest, and the mark. */
static bool
take_until(struct cs_bytes *rest, uint8_t end, struct cs_bytes *ret)
{
	const uint8_t *at = rest->n ? memchr(rest->p, end, rest->n) : NULL;

	if (!at)
		return false;
	*ret = (struct cs_bytes){ rest->p, (size_t)(at - rest->p) };
	rest->p += ret->n + 1;
	rest->n -= ret->n + 1;
	return true;
}

static bool
take_prefix(struct cs_bytes *rest, const char *prefix)
{
	struct cs_bytes want = cs_bytes_str(prefix);

	if (rest->n < want.n ||
	    !cs_bytes_eq((struct cs_bytes){ rest->p, want.n }, want))
		return false;
	rest->p += want.n;
	rest->n -= want.n;
	return true;
}

static bool
is_note_text(struct cs_bytes v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < 0x20 && v.p[i] != '\n')
			return false;
	}
	return cs_text_is_utf8(v);
}

cs_err
cs_checkpoint_split(struct cs_bytes note, struct cs_note *ret)
{
	size_t body;

	if (note.n > CS_LIMIT_CHECKPOINT_BYTES)
		return CS_TOO_LARGE;
	if (!is_note_text(note) || note.n == 0 || note.p[note.n - 1] != '\n')
		return CS_MALFORMED;
	/* The last blank line: a body may hold others. */
	for (body = note.n - 1; body > 1; body--) {
		if (note.p[body - 1] == '\n' && note.p[body] == '\n')
			break;
	}
	if (body <= 1 || body + 1 == note.n)
		return CS_MALFORMED;
	ret->body = (struct cs_bytes){ note.p, body };
	ret->signatures =
	    (struct cs_bytes){ note.p + body + 1, note.n - body - 1 };
	return CS_OK;
}

/* A signature line without its newline: name, and key hash ‖ signature. */
static cs_err
read_signature(struct cs_bytes line, struct cs_bytes *ret_name,
    struct cs_buf *ret)
{
	cs_err e;

	if (!take_prefix(&line, DASH) || !take_until(&line, ' ', ret_name) ||
	    ret_name->n == 0 || memchr(ret_name->p, '+', ret_name->n))
		return CS_MALFORMED;
	cs_buf_reset(ret);
	CS_TRY(cs_text_unbase64(line, ret));
	e = ret->n > KEY_HASH_BYTES ? CS_OK : CS_MALFORMED;
out:
	return e;
}

cs_err
cs_checkpoint_find_line(const struct cs_note *note, struct cs_bytes name,
    enum cs_note_algorithm algorithm,
    const uint8_t public_key[static CS_SIGN_PUBLIC_BYTES], uint8_t *ret,
    size_t n)
{
	struct cs_bytes rest = note->signatures, line, found_name;
	struct cs_buf raw = { 0 }, found = { 0 };
	uint8_t hash[KEY_HASH_BYTES];
	cs_err e = CS_OK;

	key_hash(name, algorithm, public_key, hash);
	/* To the end: a line that is none makes the whole note none. */
	while (take_until(&rest, '\n', &line)) {
		CS_TRY(read_signature(line, &found_name, &raw));
		if (found.n > 0 || !cs_bytes_eq(found_name, name) ||
		    memcmp(raw.p, hash, KEY_HASH_BYTES) != 0)
			continue;
		CS_TRY(raw.n == KEY_HASH_BYTES + n ? CS_OK : CS_MALFORMED);
		cs_buf_put(&found, raw.p + KEY_HASH_BYTES, n);
		CS_TRY(cs_buf_err(&found));
	}
	CS_TRY(found.n > 0 ? CS_OK : CS_NOT_FOUND);
	memcpy(ret, found.p, n);
out:
	cs_buf_fini(&raw);
	cs_buf_fini(&found);
	return e;
}

cs_err
cs_checkpoint_signature(const struct cs_note *note, struct cs_bytes name,
    const uint8_t public_key[static CS_SIGN_PUBLIC_BYTES],
    uint8_t ret[static CS_SIGNATURE_BYTES])
{
	return cs_checkpoint_find_line(note, name, CS_NOTE_ED25519, public_key,
	    ret, CS_SIGNATURE_BYTES);
}

static cs_err
read_number(struct cs_bytes text, uint64_t *ret)
{
	uint64_t n = 0;

	if (text.n == 0)
		return CS_MALFORMED;
	for (size_t i = 0; i < text.n; i++) {
		uint64_t digit = (uint64_t)text.p[i] - '0';

		if (digit > 9 || n > (UINT64_MAX - digit) / 10)
			return CS_MALFORMED;
		n = n * 10 + digit;
	}
	*ret = n;
	return CS_OK;
}

static cs_err
read_root(struct cs_bytes text, uint8_t ret[static CS_HASH_BYTES])
{
	struct cs_buf raw = { 0 };
	cs_err e;

	CS_TRY(cs_text_unbase64(text, &raw));
	e = raw.n == CS_HASH_BYTES ? CS_OK : CS_MALFORMED;
	if (e == CS_OK)
		memcpy(ret, raw.p, CS_HASH_BYTES);
out:
	cs_buf_fini(&raw);
	return e;
}

/* The lines after the origin; not yet whether they are canonical. */
static cs_err
read_lines(struct cs_bytes rest, struct cs_checkpoint *ret)
{
	struct cs_bytes size, root, time, incarnation, id;
	cs_err e;

	if (!take_until(&rest, '\n', &size) ||
	    !take_until(&rest, '\n', &root) ||
	    !take_until(&rest, '\n', &time) ||
	    !take_until(&rest, '\n', &incarnation) || rest.n != 0 ||
	    !take_prefix(&time, "time ") ||
	    !take_prefix(&incarnation, "incarnation ") ||
	    !take_until(&incarnation, ' ', &id))
		return CS_MALFORMED;
	CS_TRY(read_number(size, &ret->size));
	CS_TRY(read_root(root, ret->root));
	CS_TRY(read_number(time, &ret->time_s));
	CS_TRY(cs_text_unhex(id, ret->incarnation, CS_ID_BYTES));
	CS_TRY(read_number(incarnation, &ret->counter));
out:
	return e;
}

cs_err
cs_checkpoint_decode_body(struct cs_bytes body, struct cs_bytes origin,
    struct cs_checkpoint *ret)
{
	struct cs_checkpoint cp = { 0 };
	struct cs_bytes rest = body, line;
	struct cs_buf again = { 0 };
	cs_err e = CS_MALFORMED;

	if (!take_until(&rest, '\n', &line))
		goto out;
	CS_TRY(cs_bytes_eq(line, origin) ? CS_OK : CS_WRONG_NETWORK);
	CS_TRY(read_lines(rest, &cp));
	/* One spelling only: no leading zeros, lower-case hex. */
	cs_checkpoint_encode_body(origin, &cp, &again);
	CS_TRY(cs_buf_err(&again));
	CS_TRY(cs_bytes_eq(cs_buf_view(&again), body) ? CS_OK : CS_MALFORMED);
	*ret = cp;
out:
	cs_buf_fini(&again);
	return e;
}
