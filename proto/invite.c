#include "proto/invite.h"

#include <sodium.h>
#include <string.h>

#include "proto/base/cursor.h"
#include "proto/field.h"
#include "proto/text.h"

#define MAGIC_VERSION '1'
#define SUM_BYTES     CS_HASH_BYTES
#define URL_MAX_BYTES 255
#define LINE_BYTES    64

/* Two entries of the largest size and everything else. */
#define MAX_BYTES (2 * CS_LIMIT_ENTRY_BYTES + 1024)

static const uint8_t magic[] = { 'C', 'S', 'I' };

static const char begin[] = "-----BEGIN CONSIL INVITATION-----";
static const char end[] = "-----END CONSIL INVITATION-----";

static void
read_version(struct cs_cursor *c)
{
	uint8_t version;

	cs_cursor_expect(c, CS_BYTES(magic));
	version = cs_cursor_u8(c);
	if (cs_cursor_err(c) == CS_OK && version != MAGIC_VERSION)
		cs_cursor_fail(c, CS_UNSUPPORTED);
}

/* An entry behind its length; not looked into, but never empty. */
static struct cs_bytes
read_entry(struct cs_cursor *c)
{
	uint32_t n =
	    cs_field_count(c, cs_cursor_u16(c), 1, CS_LIMIT_ENTRY_BYTES);

	return cs_cursor_take(c, n);
}

/* The SHA-256 over all of in before it: a cut or mistyped copy is noticed. */
static void
check_sum(struct cs_cursor *c, struct cs_bytes in)
{
	uint8_t sum[SUM_BYTES];
	struct cs_bytes said = cs_cursor_take(c, SUM_BYTES);

	if (said.n == 0)
		return;
	crypto_hash_sha256(sum, in.p, (size_t)(said.p - in.p));
	if (sodium_memcmp(sum, said.p, SUM_BYTES) != 0)
		cs_cursor_fail(c, CS_MALFORMED);
}

cs_err
cs_invite_decode(struct cs_bytes in, struct cs_invite *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_invite inv = { 0 };
	cs_err e;

	if (in.n > MAX_BYTES)
		return CS_TOO_LARGE;
	read_version(&c);
	cs_cursor_copy(&c, inv.network_id, sizeof(inv.network_id));
	cs_cursor_copy(&c, inv.relay_id, sizeof(inv.relay_id));
	cs_cursor_copy(&c, inv.relay_noise_key, sizeof(inv.relay_noise_key));
	cs_cursor_copy(&c, inv.relay_sign_key, sizeof(inv.relay_sign_key));
	inv.expires_s = cs_cursor_u64(&c);
	inv.relay_url = cs_field_str8(&c, 1, URL_MAX_BYTES);
	inv.network_name = cs_field_str8(&c, 1, CS_LIMIT_NAME_BYTES);
	inv.root_entry = read_entry(&c);
	inv.member_entry = read_entry(&c);
	inv.enrol_seed = cs_cursor_take(&c, CS_SIGN_SEED_BYTES).p;
	check_sum(&c, in);
	CS_TRY(cs_cursor_end(&c));
	*ret = inv;
out:
	return e;
}

void
cs_invite_encode(const struct cs_invite *inv, struct cs_buf *out)
{
	size_t from = out->n;
	uint8_t sum[SUM_BYTES];

	cs_buf_put_bytes(out, CS_BYTES(magic));
	cs_buf_put_u8(out, MAGIC_VERSION);
	cs_buf_put(out, inv->network_id, sizeof(inv->network_id));
	cs_buf_put(out, inv->relay_id, sizeof(inv->relay_id));
	cs_buf_put(out, inv->relay_noise_key, sizeof(inv->relay_noise_key));
	cs_buf_put(out, inv->relay_sign_key, sizeof(inv->relay_sign_key));
	cs_buf_put_u64(out, inv->expires_s);
	cs_field_put_var8(out, inv->relay_url);
	cs_field_put_var8(out, inv->network_name);
	cs_field_put_var16(out, inv->root_entry);
	cs_field_put_var16(out, inv->member_entry);
	cs_buf_put(out, inv->enrol_seed, CS_SIGN_SEED_BYTES);
	if (cs_buf_err(out) != CS_OK)
		return;
	crypto_hash_sha256(sum, out->p + from, out->n - from);
	cs_buf_put(out, sum, sizeof(sum));
}

/* --------------------------------------------------------------------- armour
 */

static void
put_line(struct cs_buf *out, struct cs_bytes line)
{
	cs_buf_put_bytes(out, line);
	cs_buf_put_u8(out, '\n');
}

void
cs_invite_armour(struct cs_bytes binary, const char *human, struct cs_buf *out)
{
	struct cs_buf base64 = { 0 };

	if (human) {
		cs_buf_put_str(out, human);
		if (*human && human[strlen(human) - 1] != '\n')
			cs_buf_put_u8(out, '\n');
	}
	put_line(out, cs_bytes_str(begin));
	cs_text_base64(binary, &base64);
	for (size_t at = 0; at < base64.n; at += LINE_BYTES) {
		size_t left = base64.n - at;

		put_line(out, (struct cs_bytes){ base64.p + at,
				  left < LINE_BYTES ? left : LINE_BYTES });
	}
	put_line(out, cs_bytes_str(end));
	if (out->err == CS_OK)
		out->err = cs_buf_err(&base64);
	cs_buf_fini(&base64);
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Takes a line off text, without its newline and without the blanks around
 * it that mail programs add. False at the end. */
static bool
take_line(struct cs_bytes *text, struct cs_bytes *ret)
{
	const uint8_t *at;
	struct cs_bytes line = *text;

	if (text->n == 0)
		return false;
	at = memchr(text->p, '\n', text->n);
	if (at)
		line.n = (size_t)(at - text->p);
	text->p += line.n + (at != NULL);
	text->n -= line.n + (at != NULL);
	while (line.n > 0 && is_blank(line.p[line.n - 1]))
		line.n--;
	while (line.n > 0 && is_blank(line.p[0])) {
		line.p++;
		line.n--;
	}
	*ret = line;
	return true;
}

cs_err
cs_invite_dearmour(struct cs_bytes text, struct cs_buf *ret_binary)
{
	struct cs_buf base64 = { 0 };
	struct cs_bytes line;
	bool is_inside = false, is_whole = false;
	cs_err e;

	while (!is_whole && take_line(&text, &line)) {
		is_whole = is_inside && cs_bytes_eq(line, cs_bytes_str(end));
		if (is_inside && !is_whole)
			cs_buf_put_bytes(&base64, line);
		is_inside |= cs_bytes_eq(line, cs_bytes_str(begin));
	}
	CS_TRY(is_whole ? CS_OK : CS_MALFORMED);
	CS_TRY(cs_buf_err(&base64));
	CS_TRY(cs_text_unbase64(cs_buf_view(&base64), ret_binary));
out:
	cs_buf_fini(&base64);
	return e;
}
