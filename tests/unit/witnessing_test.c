#include "client/witnessing.h"

#include <dirent.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/witnesshome.h"
#include "keys/witness.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

/* A witness before a relay that a test bends. */

static struct fake_relay f;
static const char *dir;
static struct cs_why why;

static char *
in_dir(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* A witness in test_path("w"), made but given no network. */
static struct cs_keyring_info
make(void)
{
	struct cs_keyring_info info;

	dir = test_path("w");
	why = (struct cs_why){ 0 };
	CHECK_OK(cs_witnesshome_make(dir, cs_bytes_str("Records"), NULL, &why,
	    &info));
	return info;
}

/* Into the log of the fake. */
static void
enter(const struct cs_keyring_info *info)
{
	struct cs_entry_witness v = { .name = cs_bytes_str("Records") };
	struct cs_buf entry = { 0 };

	memcpy(v.key, info->sign_key, sizeof(v.key));
	CHECK_OK(cs_enrol_witness(f.net.registrar, info->id, &v,
	    CS_ENTRY_NO_PREV, f.net.now_s, &entry));
	CHECK_OK(network_append(&f.net, cs_buf_view(&entry)));
	cs_buf_fini(&entry);
}

/* A relay, and a witness that knows it and that it knows. */
static struct cs_witnessing *
begin(struct cs_keyring_info *ret)
{
	struct cs_witnessing *w = NULL;

	fake_relay_start(&f);
	*ret = make();
	enter(ret);
	CHECK_OK(cs_witnesshome_adopt(dir,
	    network_witness_file(&f.net, test_path("net"), ret->id, f.url),
	    &why));
	CHECK_OK(cs_witnessing_open(dir, NULL, &why, &w));
	return w;
}

static cs_err
look(struct cs_witnessing *w, bool *cosigned)
{
	*cosigned = false;
	return cs_witnessing_round(w, (uint64_t)time(NULL), NULL, cosigned);
}

TEST(witnessing_is_alone_on_its_folder)
{
	struct cs_keyring_info me;
	struct cs_witnessing *w = begin(&me), *second = NULL;

	CHECK_ERR(CS_BUSY, cs_witnessing_open(dir, NULL, &why, &second));
	CHECK(strstr(why.text, "another witness runs"));
	cs_witnessing_close(w);
	CHECK_OK(cs_witnessing_open(dir, NULL, &why, &w));
	cs_witnessing_close(w);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_witnessing_open(test_path("none"), NULL, &why, &w));
	fake_relay_stop(&f);
}

/* ------------------------------------------------------------------ rounds */

/* Whether what it signs is durable by now: looked at from the relay. */
struct seen {
	unsigned cosigned;
	bool was_kept;
};

static bool
look_at_disk(void *ctx, enum cs_op op, uint32_t id, struct cs_wire *w,
    struct cs_buf *out)
{
	struct seen *s = ctx;
	struct cs_frame_cosign v;
	struct cs_note parts;
	struct cs_bytes kept;
	uint8_t hash[CS_HASH_BYTES];

	if (op != CS_OP_COSIGN)
		return false;
	kept = test_read(in_dir("checkpoint"));
	s->cosigned++;
	s->was_kept = cs_frame_cosign_decode(w, &v) == CS_OK &&
		      cs_checkpoint_split(kept, &parts) == CS_OK;
	if (s->was_kept) {
		crypto_hash_sha256(hash, parts.body.p, parts.body.n);
		s->was_kept = memcmp(hash, v.note_hash, sizeof(hash)) == 0;
	}
	cs_frame_ok_encode(out, id);
	return true;
}

TEST(a_witness_keeps_before_it_signs)
{
	struct cs_keyring_info me;
	struct cs_witnessing *w = begin(&me);
	struct seen seen = { 0 };
	bool cosigned;

	fake_relay_set(&f,
	    (struct fake_relay_mood){ .hook = look_at_disk, .ctx = &seen });
	CHECK_OK(look(w, &cosigned));
	CHECK(cosigned);
	CHECK_NUM(1, seen.cosigned);
	CHECK(seen.was_kept);
	CHECK_NUM(cs_directory_view(f.net.dir).size,
	    cs_witnessing_checkpoint(w)->size);
	cs_witnessing_close(w);
	fake_relay_stop(&f);
}

TEST(a_witness_signs_what_verifies_and_once)
{
	struct cs_keyring *kr = NULL;
	struct cs_keyring_lock lock = { 0 };
	struct cs_keyring_info me;
	struct cs_witnessing *w = begin(&me);
	struct cs_buf message = { 0 };
	struct cs_note parts;
	bool cosigned;

	CHECK_OK(look(w, &cosigned));
	CHECK(cosigned);
	CHECK_OK(cs_checkpoint_split(test_read(in_dir("checkpoint")), &parts));
	cs_cosignature_message(f.word.cosignature.time_s, parts.body, &message);
	CHECK(crypto_sign_verify_detached(f.word.cosignature.signature,
		  message.p, message.n, me.sign_key) == 0);
	CHECK((uint64_t)time(NULL) - f.word.cosignature.time_s < 60);

	/* its word is in the note already */
	lock.key_file = in_dir(CS_WITNESSHOME_KEY_FILE);
	CHECK_OK(cs_keyring_load(test_path("w/keyring"), &lock, &kr));
	fake_relay_set(&f, (struct fake_relay_mood){ .cosigner = { kr } });
	CHECK_OK(look(w, &cosigned));
	CHECK(!cosigned);
	CHECK_NUM(1, f.cosigned);
	cs_keyring_free(kr);
	cs_buf_fini(&message);
	cs_witnessing_close(w);
	fake_relay_stop(&f);
}

static unsigned
evidence(void)
{
	DIR *d = opendir(in_dir(CS_WITNESSHOME_EVIDENCE));
	unsigned n = 0;

	for (struct dirent *e; d && (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

/* Each mood contradicts what the witness saw; and it stays so over a restart,
 * until the relay shows the log again that it showed. */
TEST(a_witness_does_not_sign_a_contradiction)
{
	const struct fake_relay_mood lies[] = {
		{ .fork = true, .counter = 5 },
		{ .hide_from = 3, .counter = 5 },
		{ .counter = 4 },
	};
	const struct fake_relay_mood honest = { .counter = 5 };
	struct cs_keyring_info me;
	struct cs_witnessing *w = begin(&me);
	unsigned signed_before;
	bool cosigned;

	fake_relay_set(&f, honest);
	CHECK_OK(look(w, &cosigned));
	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		fake_relay_set(&f, lies[i]);
		signed_before = f.cosigned;
		CHECK_ERR(CS_FORKED, look(w, &cosigned));
		CHECK(strstr(why.text, "evidence"));
		CHECK(evidence() >= i + 2);
		CHECK_ERR(CS_FORKED, look(w, &cosigned));
		cs_witnessing_close(w);
		CHECK_OK(cs_witnessing_open(dir, NULL, &why, &w));
		CHECK_ERR(CS_FORKED, look(w, &cosigned));
		CHECK_NUM(signed_before, f.cosigned);
		fake_relay_set(&f, honest);
		CHECK_OK(look(w, &cosigned));
	}
	cs_witnessing_close(w);
	fake_relay_stop(&f);
}

static cs_err refusal;

static bool
refuse(void *ctx, enum cs_op op, uint32_t id, struct cs_wire *w,
    struct cs_buf *out)
{
	(void)w;
	if (op != *(enum cs_op *)ctx)
		return false;
	cs_frame_error_encode(out, id, refusal, "no", 0);
	return true;
}

TEST(a_witness_tells_why_it_is_refused)
{
	enum cs_op op = CS_OP_COSIGN;
	struct fake_relay_mood mood = { .hook = refuse, .ctx = &op };
	struct cs_keyring_info me;
	struct cs_witnessing *w = begin(&me);
	bool cosigned;

	fake_relay_set(&f, mood);
	refusal = CS_LOST; /* a newer one is there: next time */
	CHECK_OK(look(w, &cosigned));
	CHECK(!cosigned);
	refusal = CS_TOO_LARGE;
	CHECK_ERR(CS_QUOTA, look(w, &cosigned));
	CHECK(strstr(why.text, "no room"));
	op = CS_OP_LOGIN;
	refusal = CS_BAD_SIGNATURE;
	CHECK_ERR(CS_BAD_SIGNATURE, look(w, &cosigned));
	CHECK(strstr(why.text, "witness add"));
	refusal = CS_REVOKED;
	CHECK_ERR(CS_REVOKED, look(w, &cosigned));
	CHECK(strstr(why.text, "removed"));
	op = CS_OP_DIR_SYNC;
	refusal = CS_BUSY;
	CHECK_ERR(CS_BUSY, look(w, &cosigned));
	fake_relay_set(&f, (struct fake_relay_mood){ 0 });
	CHECK_OK(look(w, &cosigned));
	CHECK(cosigned);
	fake_relay_halt(&f);
	CHECK_ERR(CS_UNREACHABLE,
	    (look(w, &cosigned) == CS_OK ? CS_OK : look(w, &cosigned)));
	cs_witnessing_close(w);
	fake_relay_stop(&f);
}

/* --------------------------------------------------------------------- run */

struct running {
	unsigned cosigned, offline, online;
	volatile sig_atomic_t stop;
};

static void
on_cosigned(void *ctx, const struct cs_checkpoint *cp)
{
	struct running *r = ctx;

	CHECK(cp->size > 0);
	r->cosigned++;
	r->stop = r->offline > 0;
}

static void
on_offline(void *ctx, cs_err e, const struct cs_why *w)
{
	struct running *r = ctx;

	CHECK_NUM(CS_EXIT_BUSY, cs_err_exit_code(e));
	CHECK(w->text[0] != '\0');
	r->offline++;
	fake_relay_set(&f, (struct fake_relay_mood){ 0 });
}

static void
on_online(void *ctx)
{
	((struct running *)ctx)->online++;
}

TEST(a_witness_waits_for_its_relay)
{
	struct running r = { 0 };
	const struct cs_witnessing_events events = { on_cosigned, on_offline,
		on_online, &r };
	struct cs_keyring_info me;
	struct cs_witnessing *w = begin(&me);

	fake_relay_set(&f, (struct fake_relay_mood){ .hang_up = true });
	CHECK_OK(cs_witnessing_run(w, 10, &events, &r.stop));
	CHECK_NUM(1, r.offline);
	CHECK_NUM(1, r.online);
	CHECK_NUM(1, r.cosigned);
	/* what trying again does not heal ends it */
	r.stop = 0;
	fake_relay_set(&f, (struct fake_relay_mood){ .fork = true });
	CHECK_ERR(CS_FORKED, cs_witnessing_run(w, 10, &events, &r.stop));
	r.stop = 1;
	CHECK_OK(cs_witnessing_run(w, 10, &events, &r.stop));
	cs_witnessing_close(w);
	fake_relay_stop(&f);
}
