#include "proto/invite.h"

#include <sodium.h>
#include <string.h>

#include "proto/armour.h"
#include "proto/base/cursor.h"
#include "proto/field.h"

#define VERSION_FIRST   '1' /* a member's first device */
#define VERSION_FURTHER '2' /* one that another device invited */
#define SUM_BYTES       CS_HASH_BYTES
#define URL_MAX_BYTES   255
#define ARMOUR          "CONSIL INVITATION"

/* Three entries of the largest size and everything else. */
#define MAX_BYTES (3 * CS_LIMIT_ENTRY_BYTES + 1024)

static const uint8_t magic[] = { 'C', 'S', 'I' };

/* Whether it is of a further device. */
static bool
read_version(struct cs_cursor *c)
{
	uint8_t version;

	cs_cursor_expect(c, CS_BYTES(magic));
	version = cs_cursor_u8(c);
	if (cs_cursor_err(c) == CS_OK && version != VERSION_FIRST &&
	    version != VERSION_FURTHER)
		cs_cursor_fail(c, CS_UNSUPPORTED);
	return version == VERSION_FURTHER;
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
	bool further;
	cs_err e;

	if (in.n > MAX_BYTES)
		return CS_TOO_LARGE;
	further = read_version(&c);
	cs_cursor_copy(&c, inv.network_id, sizeof(inv.network_id));
	cs_cursor_copy(&c, inv.relay_id, sizeof(inv.relay_id));
	cs_cursor_copy(&c, inv.relay_noise_key, sizeof(inv.relay_noise_key));
	cs_cursor_copy(&c, inv.relay_sign_key, sizeof(inv.relay_sign_key));
	inv.expires_s = cs_cursor_u64(&c);
	inv.relay_url = cs_field_str8(&c, 1, URL_MAX_BYTES);
	inv.network_name = cs_field_str8(&c, 1, CS_LIMIT_NAME_BYTES);
	inv.root_entry = read_entry(&c);
	inv.member_entry = read_entry(&c);
	if (further)
		inv.device_entry = read_entry(&c);
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
	cs_buf_put_u8(out,
	    inv->device_entry.n > 0 ? VERSION_FURTHER : VERSION_FIRST);
	cs_buf_put(out, inv->network_id, sizeof(inv->network_id));
	cs_buf_put(out, inv->relay_id, sizeof(inv->relay_id));
	cs_buf_put(out, inv->relay_noise_key, sizeof(inv->relay_noise_key));
	cs_buf_put(out, inv->relay_sign_key, sizeof(inv->relay_sign_key));
	cs_buf_put_u64(out, inv->expires_s);
	cs_field_put_var8(out, inv->relay_url);
	cs_field_put_var8(out, inv->network_name);
	cs_field_put_var16(out, inv->root_entry);
	cs_field_put_var16(out, inv->member_entry);
	if (inv->device_entry.n > 0)
		cs_field_put_var16(out, inv->device_entry);
	cs_buf_put(out, inv->enrol_seed, CS_SIGN_SEED_BYTES);
	if (cs_buf_err(out) != CS_OK)
		return;
	crypto_hash_sha256(sum, out->p + from, out->n - from);
	cs_buf_put(out, sum, sizeof(sum));
}

void
cs_invite_armour(struct cs_bytes binary, const char *human, struct cs_buf *out)
{
	cs_armour_encode(ARMOUR, binary, human, out);
}

cs_err
cs_invite_dearmour(struct cs_bytes text, struct cs_buf *ret_binary)
{
	return cs_armour_decode(ARMOUR, text, ret_binary);
}
