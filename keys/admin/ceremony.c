#include "keys/admin/ceremony.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "keys/file.h"
#include "proto/armour.h"
#include "proto/label.h"
#include "proto/text.h"

/* Base64 and the lines around it. */
#define FILE_MAX_BYTES (2u * CS_SIGNING_MAX_BYTES)

void
cs_ceremony_fingerprint(const uint8_t key[static CS_SIGN_PUBLIC_BYTES],
    char ret[static CS_CEREMONY_FINGERPRINT_BYTES])
{
	uint8_t hash[CS_HASH_BYTES];
	char hex[2 * CS_HASH_BYTES + 1];

	crypto_hash_sha256(hash, key, CS_SIGN_PUBLIC_BYTES);
	cs_text_hex(CS_BYTES(hash), hex);
	for (unsigned i = 0; i < 8; i++) {
		memcpy(ret + 5 * (size_t)i, hex + 4 * (size_t)i, 4);
		ret[5 * i + 4] = i < 7 ? '-' : '\0';
	}
}

/* -------------------------------------------------------------------- files */

/* The bytes in the armour of a file. */
static cs_err
read_armour(struct cs_admin *admin, const char *file, const char *label,
    const char *what, struct cs_buf *ret)
{
	struct cs_buf text = { 0 };
	cs_err e = cs_file_read(file, FILE_MAX_BYTES, false, &text);

	if (e != CS_OK)
		cs_why_set(&admin->why, "%s", file);
	CS_TRY(e);
	e = cs_armour_decode(label, cs_buf_view(&text), ret);
	if (e != CS_OK)
		cs_why_set(&admin->why, "%s holds no whole %s", file, what);
out:
	cs_buf_fini(&text);
	return e;
}

static cs_err
write_armour(struct cs_admin *admin, const char *file, const char *label,
    const char *human, struct cs_bytes binary)
{
	struct cs_buf text = { 0 };
	cs_err e;

	cs_armour_encode(label, binary, human, &text);
	CS_TRY(cs_buf_err(&text));
	e = cs_file_write(file, cs_buf_view(&text), 0644, false);
	if (e != CS_OK)
		cs_why_set(&admin->why, "writing %s%s", file,
		    e == CS_EXISTS ? "; name another file" : "");
out:
	cs_buf_fini(&text);
	return e;
}

/* -------------------------------------------------------------------- cards */

static const char *
kind_name(unsigned kind)
{
	static const char *const names[] = {
		[CS_KEYRING_DEVICE] = "device",
		[CS_KEYRING_REGISTRAR] = "registrar",
		[CS_KEYRING_ROOT] = "root",
		[CS_KEYRING_RELAY] = "relay",
	};

	return kind < sizeof(names) / sizeof(*names) && names[kind]
		   ? names[kind]
		   : "other";
}

cs_err
cs_ceremony_read_card(struct cs_admin *admin, const char *file,
    enum cs_keyring_kind kind, struct cs_ceremony_card *ret)
{
	struct cs_ceremony_card c = { 0 };
	cs_err e;

	CS_TRY(read_armour(admin, file, CS_CARD_ARMOUR, "card", &c.bytes));
	e = cs_quorum_read_card(cs_buf_view(&c.bytes), &c.card);
	if (e != CS_OK)
		cs_why_set(&admin->why,
		    "%s is no card, or was altered; have it written again",
		    file);
	CS_TRY(e);
	if (c.card.kind != kind) {
		cs_why_set(&admin->why,
		    "%s is the card of a %s key, not of a "
		    "%s",
		    file, kind_name(c.card.kind), kind_name(kind));
		e = CS_USAGE;
		goto out;
	}
	*ret = c;
	c = (struct cs_ceremony_card){ 0 };
out:
	cs_ceremony_card_fini(&c);
	return e;
}

void
cs_ceremony_card_fini(struct cs_ceremony_card *c)
{
	cs_buf_fini(&c->bytes);
}

cs_err
cs_ceremony_write_card(struct cs_admin *admin, const struct cs_keyring *kr,
    const char *name, const char *file)
{
	const struct cs_keyring_info *info = cs_keyring_info(kr);
	struct cs_buf card = { 0 }, human = { 0 };
	char print[CS_CEREMONY_FINGERPRINT_BYTES];
	cs_err e;

	e = cs_quorum_make_card(kr, cs_bytes_str(name), &card);
	if (e == CS_MALFORMED || e == CS_TOO_LARGE) {
		cs_why_set(&admin->why,
		    "--name must be at most %d bytes of UTF-8 text",
		    CS_LIMIT_NAME_BYTES);
		e = CS_USAGE;
	}
	CS_TRY(e);
	cs_ceremony_fingerprint(info->sign_key, print);
	cs_buf_printf(&human,
	    "Public card of a %s key for Consil. Fingerprint:\n%s\n",
	    kind_name(info->kind), print);
	cs_buf_put_u8(&human, 0);
	CS_TRY(cs_buf_err(&human));
	CS_TRY(write_armour(admin, file, CS_CARD_ARMOUR, (const char *)human.p,
	    cs_buf_view(&card)));
out:
	cs_buf_fini(&card);
	cs_buf_fini(&human);
	return e;
}

/* --------------------------------------------------------------- a new root */

static int
by_key(const void *a, const void *b)
{
	return memcmp(a, b, CS_SIGN_PUBLIC_BYTES); /* public */
}

static cs_err
read_threshold(struct cs_admin *admin, struct cs_ceremony_root *v)
{
	uint64_t threshold = v->n_keys;
	cs_err e;

	/* one key of one needs no number; of several it must be chosen */
	if (v->n_keys > 1 || cs_options_has(admin->options, "threshold")) {
		const char *given;

		CS_TRY(cs_admin_required(admin, "threshold", &given));
		CS_TRY(cs_admin_parse_number(admin, "threshold", 1, v->n_keys,
		    &threshold));
	}
	v->threshold = (uint8_t)threshold;
	e = CS_OK;
out:
	return e;
}

/* Whose it is the holder says; what is compared is the fingerprint. */
static void
note_card(const char *file, const struct cs_card *card)
{
	char print[CS_CEREMONY_FINGERPRINT_BYTES];

	cs_ceremony_fingerprint(card->sign_key, print);
	cs_present_note(CS_ADMIN_NAME,
	    "root key %s (%s), whose card says of itself: %.*s", print, file,
	    (int)card->name.n, (const char *)card->name.p);
}

cs_err
cs_ceremony_read_root(struct cs_admin *admin, struct cs_ceremony_root *ret)
{
	struct cs_ceremony_root v = { 0 };
	struct cs_ceremony_card c = { 0 };
	const char *file;
	cs_err e = CS_OK;

	for (size_t i = 0;
	     (file = cs_options_value(admin->options, "root-key", i)); i++) {
		if (v.n_keys == CS_ENTRY_MAX_KEYS) {
			cs_why_set(&admin->why, "at most %d --root-key",
			    CS_ENTRY_MAX_KEYS);
			return CS_USAGE;
		}
		CS_TRY(cs_ceremony_read_card(admin, file, CS_KEYRING_ROOT, &c));
		note_card(file, &c.card);
		memcpy(v.keys[v.n_keys++], c.card.sign_key,
		    CS_SIGN_PUBLIC_BYTES);
		cs_ceremony_card_fini(&c);
	}
	qsort(v.keys, v.n_keys, sizeof(v.keys[0]), by_key);
	for (uint8_t i = 1; i < v.n_keys; i++) {
		if (by_key(v.keys[i - 1], v.keys[i]) == 0) {
			cs_why_set(&admin->why, "a --root-key is given twice");
			return CS_USAGE;
		}
	}
	CS_TRY(read_threshold(admin, &v));
	*ret = v;
out:
	return e;
}

/* ----------------------------------------------------------------- requests */

static void
explain_request(struct cs_admin *admin, const char *file, cs_err e)
{
	static const struct {
		cs_err e;
		const char *text;
	} rows[] = {
		{ CS_WRONG_NETWORK,
		    "its root versions do not begin with that of its network" },
		{ CS_CLASH, "it skips or repeats a version of the root" },
		{ CS_BAD_SIGNATURE, "a signature in it is forged" },
		{ CS_DENIED,
		    "it holds what no root signs, or signatures of nobody" },
	};
	const char *text = "it is damaged";

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].e == e)
			text = rows[i].text;
	cs_why_set(&admin->why, "signing request %s: %s; do not sign it", file,
	    text);
}

cs_err
cs_ceremony_read_request(struct cs_admin *admin, const char *file,
    struct cs_ceremony_request *ret)
{
	struct cs_ceremony_request r = { 0 };
	struct cs_signing v;
	cs_err e;

	CS_TRY(read_armour(admin, file, CS_SIGNING_ARMOUR, "signing request",
	    &r.bytes));
	e = cs_signing_decode(cs_buf_view(&r.bytes), &v);
	if (e == CS_OK)
		e = cs_quorum_open(&v, &r.q);
	if (e != CS_OK)
		explain_request(admin, file, e);
	CS_TRY(e);
	cs_buf_put_bytes(&r.rows, v.rows);
	CS_TRY(cs_buf_err(&r.rows));
	*ret = r;
	r = (struct cs_ceremony_request){ 0 };
out:
	cs_ceremony_request_fini(&r);
	return e;
}

void
cs_ceremony_request_fini(struct cs_ceremony_request *r)
{
	cs_buf_fini(&r->bytes);
	cs_buf_fini(&r->rows);
}

cs_err
cs_ceremony_merge(struct cs_admin *admin, struct cs_ceremony_request *r,
    const char *file)
{
	struct cs_ceremony_request other = { 0 };
	struct cs_bytes rows;
	cs_err e;

	CS_TRY(cs_ceremony_read_request(admin, file, &other));
	if (!cs_bytes_eq(r->q.req.asked, other.q.req.asked)) { /* public */
		cs_why_set(&admin->why,
		    "%s is not of the same request as the files before it",
		    file);
		e = CS_CLASH;
		goto out;
	}
	rows = cs_buf_view(&other.rows);
	for (size_t i = 0; i < rows.n / CS_SIGNING_ROW_BYTES; i++) {
		struct cs_signing_row row = cs_signing_row(rows, (uint16_t)i);

		cs_signing_put_row(&r->rows, &row);
	}
	CS_TRY(cs_buf_err(&r->rows));
out:
	cs_ceremony_request_fini(&other);
	return e;
}

cs_err
cs_ceremony_write_request(struct cs_admin *admin, const struct cs_signing *v,
    struct cs_bytes rows, const char *file)
{
	static const char human[] =
	    "Signing request for the holders of Consil root keys. What it asks "
	    "for:\nconsil-admin root sign FILE --key KEYRING -o SIGNED\n"
	    "Believe only what that shows, not what stands around it.\n";
	struct cs_signing with = *v;
	struct cs_buf binary = { 0 };
	cs_err e;

	with.rows = rows;
	with.n_rows = (uint16_t)(rows.n / CS_SIGNING_ROW_BYTES);
	CS_TRY(cs_signing_encode(&with, &binary));
	CS_TRY(write_armour(admin, file, CS_SIGNING_ARMOUR, human,
	    cs_buf_view(&binary)));
out:
	cs_buf_fini(&binary);
	return e;
}
