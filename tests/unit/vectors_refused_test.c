/*
 * What the second implementation (tests/vectors) made with one flaw each: it
 * must be refused, at the step that looks for this flaw, and with its error.
 */
#include <stdio.h>
#include <string.h>

#include "keys/open.h"
#include "keys/verify.h"
#include "proto/casefile.h"
#include "proto/invite.h"
#include "proto/object.h"
#include "proto/statement.h"
#include "tests/support/vectors.h"
#include "tests/test.h"

/* What there is to open with. */
struct world {
	struct cs_bytes network_id, relay_id, relay_key;
	struct cs_directory *dir;
	struct vectors_device me;
};

static void
world_init(struct world *w)
{
	const json_t *network = vectors_file("network.json");
	const json_t *files = vectors_file("files.json");
	const json_t *page =
	    vectors_named(vectors_file("bundles.json"), "page");
	const json_t *to = vectors_row(vectors_get(page, "recipients"), 0);
	const json_t *devices = vectors_get(files, "devices");

	w->network_id = test_json_hex(network, "network_id");
	w->relay_id = test_json_hex(network, "relay_id");
	w->relay_key = test_json_hex(network, "relay_key");
	w->dir = vectors_mirror();
	/* the bad envelopes are opened as the page's first recipient */
	for (size_t i = 0; i < json_array_size(devices); i++)
		if (strcmp(test_json_str(vectors_row(devices, i), "id"),
			test_json_str(to, "device_id")) == 0)
			vectors_device_init(&w->me, vectors_row(devices, i));
	CHECK(w->me.id != NULL);
}

static void
world_fini(struct world *w)
{
	cs_directory_free(w->dir);
	vectors_device_fini(&w->me);
}

/* ----------------------------------------------------------- how each opens */

/* The good bundle's envelope cut or extended, then its runs of changed bytes.
 */
static struct cs_bytes
changed(const json_t *v)
{
	const json_t *changes = vectors_get(v, "changes");
	const json_t *good = vectors_named(vectors_file("bundles.json"),
	    test_json_str(v, "base"));
	struct cs_bytes base = test_json_hex(good, "envelope");
	size_t n = vectors_num(v, "length");
	uint8_t *p = test_alloc(n + 1);

	memset(p, 0, n);
	memcpy(p, base.p, n < base.n ? n : base.n);
	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *change = vectors_row(changes, i);
		size_t at = (size_t)json_integer_value(vectors_row(change, 0));
		struct cs_bytes run =
		    HEX(json_string_value(vectors_row(change, 1)));

		CHECK(at <= n && run.n <= n - at);
		memcpy(p + at, run.p, run.n);
	}
	return (struct cs_bytes){ p, n };
}

static cs_err
open_envelope(struct world *w, const json_t *v, enum cs_open_step *ret_step)
{
	struct cs_open *o = NULL;
	cs_err e = cs_open_envelope(changed(v), w->network_id.p, w->me.id,
	    w->me.epochs, w->dir, &o, ret_step);

	CHECK((e == CS_OK) == (o != NULL));
	cs_open_free(o);
	return e;
}

static cs_err
open_segment(struct world *w, const json_t *v)
{
	size_t padded = vectors_num(v, "padded"), n = vectors_num(v, "plain");
	struct cs_bytes key = test_json_hex(v, "object_key");
	struct cs_bytes id = test_json_hex(v, "object_id");
	uint8_t *plain = test_alloc(padded);
	uint8_t leaf[CS_HASH_BYTES];
	struct cs_buf stored = { 0 }, out = { 0 };
	cs_err e;

	(void)w;
	CHECK(n <= padded);
	memset(plain, (int)vectors_num(v, "padding"), padded);
	vectors_pattern(vectors_num(v, "from"), plain, n);
	vectors_segment(test_json_hex(v, "sealed_with"),
	    test_json_hex(v, "nonce"), test_json_hex(v, "ad"),
	    (struct cs_bytes){ plain, padded }, &stored);
	stored.n -= vectors_num(v, "cut");
	cs_object_leaf(cs_buf_view(&stored), leaf);
	VECTORS_SAME(v, "leaf_entry", leaf);
	e = cs_open_segment(key.p, id.p, vectors_num(v, "bytes"),
	    (uint32_t)vectors_num(v, "index"), cs_buf_view(&stored), &out);
	CHECK_NUM(0, out.n);
	cs_buf_fini(&stored);
	cs_buf_fini(&out);
	return e;
}

static cs_err
open_statement(struct world *w, const json_t *v)
{
	struct cs_statement st;

	(void)w;
	return cs_statement_decode(test_json_hex(v, "bytes"), &st);
}

static cs_err
open_signed(struct world *w, const json_t *v)
{
	const json_t *signer =
	    vectors_get(vectors_file("statements.json"), "signer");
	struct cs_bytes in = test_json_hex(v, "bytes");
	struct cs_statement st;
	cs_err e;

	(void)w;
	CHECK(in.n > CS_SIGNATURE_BYTES);
	in.n -= CS_SIGNATURE_BYTES;
	CS_TRY(cs_statement_decode(in, &st));
	CS_TRY(cs_verify_ed25519(test_json_hex(signer, "key").p, in,
	    in.p + in.n));
out:
	return e;
}

static cs_err
open_logged(struct world *w, const json_t *v)
{
	struct cs_statement st;
	struct cs_checkpoint cp;

	return cs_verify_logged(test_json_hex(v, "bytes"), w->network_id.p,
	    w->relay_id.p, w->relay_key.p, &st, &cp);
}

/* As the next leaf: layout and body are looked at before anything else. */
static cs_err
open_entry(struct world *w, const json_t *v)
{
	struct cs_bytes entry = test_json_hex(v, "bytes");
	struct cs_buf leaf = { 0 };

	return cs_directory_check(w->dir, &entry, 1, UINT64_MAX, &leaf);
}

/* The leaf comes after those of the network and some of its own. */
static cs_err
open_leaf(struct world *w, const json_t *v)
{
	const json_t *after = vectors_get(v, "after");
	struct cs_directory *dir = vectors_mirror();
	struct cs_log_view before;
	cs_err e;

	(void)w;
	for (size_t i = 0; i < json_array_size(after); i++)
		CHECK_OK(cs_directory_apply(dir,
		    HEX(json_string_value(vectors_row(after, i)))));
	before = cs_directory_view(dir);
	e = cs_directory_apply(dir, test_json_hex(v, "bytes"));
	if (e != CS_OK)
		CHECK_NUM(before.size, cs_directory_view(dir).size);
	cs_directory_free(dir);
	return e;
}

static cs_err
open_checkpoint(struct world *w, const json_t *v)
{
	struct cs_checkpoint cp;

	return cs_verify_checkpoint(test_json_hex(v, "bytes"), CS_LOG_DIRECTORY,
	    w->network_id.p, NULL, w->relay_key.p, &cp);
}

static cs_err
open_invite(struct world *w, const json_t *v)
{
	struct cs_invite inv;

	(void)w;
	return cs_invite_decode(test_json_hex(v, "bytes"), &inv);
}

static cs_err
open_armour(struct world *w, const json_t *v)
{
	struct cs_buf binary = { 0 };
	cs_err e = cs_invite_dearmour(test_json_hex(v, "bytes"), &binary);

	(void)w;
	CHECK_NUM(0, binary.n);
	cs_buf_fini(&binary);
	return e;
}

static cs_err
open_casefile(struct world *w, const json_t *v)
{
	struct cs_casefile cf;

	(void)w;
	return cs_casefile_decode(test_json_hex(v, "bytes"), &cf);
}

/* --------------------------------------------------- which step, which error
 */

/* The page looks at padding and versions by themselves. */
static const struct {
	enum cs_open_step step;
	const char *name;
} steps[] = {
	{ CS_OPEN_LAYOUT, "layout" },
	{ CS_OPEN_LAYOUT, "version" },
	{ CS_OPEN_NETWORK, "network" },
	{ CS_OPEN_RECIPIENT, "recipient" },
	{ CS_OPEN_STANZA, "stanza" },
	{ CS_OPEN_HEADER_MAC, "mac" },
	{ CS_OPEN_BODY, "body" },
	{ CS_OPEN_BODY, "padding" },
	{ CS_OPEN_MANIFEST, "manifest" },
	{ CS_OPEN_MANIFEST, "version" },
	{ CS_OPEN_LISTS, "binding" },
	{ CS_OPEN_CERTIFICATE, "certificate" },
	{ CS_OPEN_SIGNATURE, "signature" },
};

static bool
is_step(enum cs_open_step step, const char *name)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		if (steps[i].step == step && strcmp(steps[i].name, name) == 0)
			return true;
	return false;
}

static void
check_error(const json_t *v, cs_err e)
{
	const char *want = test_json_str(v, "error");

	if (strcmp(want, cs_err_name(e)) != 0)
		printf("# %s: %s\n", test_json_str(v, "kind"),
		    test_json_str(v, "name"));
	CHECK_STR(want, cs_err_name(e));
}

static unsigned
each(const char *kind, cs_err (*open)(struct world *, const json_t *))
{
	const json_t *list = vectors_file("refused.json");
	struct world w = { 0 };
	unsigned n = 0;

	world_init(&w);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = vectors_row(list, i);

		if (strcmp(test_json_str(v, "kind"), kind) != 0)
			continue;
		n++;
		check_error(v, open(&w, v));
	}
	world_fini(&w);
	return n;
}

TEST(bad_envelopes)
{
	const json_t *list = vectors_file("refused.json");
	struct world w = { 0 };
	unsigned n = 0;

	world_init(&w);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = vectors_row(list, i);
		enum cs_open_step step = 0;
		cs_err e;

		if (strcmp(test_json_str(v, "kind"), "envelope") != 0)
			continue;
		n++;
		e = open_envelope(&w, v, &step);
		check_error(v, e);
		CHECK(is_step(step, test_json_str(v, "step")));
	}
	CHECK(n >= 60);
	world_fini(&w);
}

TEST(bad_segments)
{
	CHECK(each("segment", open_segment) >= 10);
}

TEST(bad_statements)
{
	CHECK(each("statement", open_statement) >= 20);
	CHECK(each("signed", open_signed) >= 4);
}

TEST(bad_logged_statements)
{
	CHECK(each("logged", open_logged) >= 11);
}

TEST(bad_entries)
{
	CHECK(each("entry", open_entry) >= 30);
}

TEST(bad_leaves)
{
	CHECK(each("leaf", open_leaf) >= 30);
}

TEST(bad_checkpoints)
{
	CHECK(each("checkpoint", open_checkpoint) >= 20);
}

TEST(bad_invitations)
{
	CHECK(each("invite", open_invite) >= 8);
	CHECK(each("armour", open_armour) >= 6);
}

TEST(bad_case_files)
{
	CHECK(each("casefile", open_casefile) >= 20);
}
