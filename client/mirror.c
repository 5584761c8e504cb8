#include "client/mirror.h"

#include <string.h>

#include "client/ask.h"
#include "client/skew.h"
#include "keys/verify.h"

/* Applies one page of leaves; says how many. */
static cs_err
apply_page(struct cs_mirror *m, struct cs_frame_dir_sync_reply *page)
{
	struct cs_bytes leaf;
	uint32_t i;
	cs_err e;

	for (i = 0; i < page->n; i++) {
		leaf = cs_wire_bin(&page->leaves, CS_LIMIT_ENTRY_BYTES + 64);
		CS_TRY(cs_wire_err(&page->leaves));
		CS_TRY(cs_directory_apply(m->dir, leaf));
	}
	e = CS_OK;
out:
	if (e != CS_OK)
		cs_why_set(m->why,
		    "the relay's directory: entry %llu breaks its rules",
		    (unsigned long long)cs_directory_view(m->dir).size);
	return e;
}

/* Why a note does not fit: over fewer entries than we have, the relay forgot,
 * or hides, what it showed before; else it shows another log. */
static cs_err
misfit(const struct cs_mirror *m)
{
	const uint64_t had = cs_directory_view(m->dir).size;
	struct cs_directory_relay relay;
	struct cs_checkpoint now;

	if (cs_directory_relay(m->dir, &relay) == CS_OK &&
	    cs_verify_checkpoint(cs_buf_view(&m->note), CS_LOG_DIRECTORY,
		m->network_id, NULL, relay.relay.sign_key, &now) == CS_OK &&
	    now.size < had) {
		cs_why_set(m->why,
		    "the relay shows a directory of %llu entries, %llu were "
		    "seen: it was restored from a backup or hides entries; "
		    "tell the registrar",
		    (unsigned long long)now.size, (unsigned long long)had);
		return CS_WENT_BACK;
	}
	cs_why_set(m->why,
	    "the relay's directory checkpoint does not fit the %llu entries "
	    "seen",
	    (unsigned long long)had);
	return CS_FORKED;
}

/* Pages until the newest checkpoint says that nothing is missing. The relay
 * names its size in the note; the note is checked after the last page. */
static cs_err
pull(struct cs_mirror *m, struct cs_conn *conn, struct cs_checkpoint *ret)
{
	struct cs_frame_dir_sync_reply page;
	cs_err e;

	do {
		CS_TRY(cs_ask_dir_sync(conn, cs_directory_view(m->dir).size,
		    &page));
		cs_buf_reset(&m->note);
		cs_buf_put_bytes(&m->note, page.checkpoint);
		CS_TRY(cs_buf_err(&m->note));
		CS_TRY(apply_page(m, &page));
		e = cs_directory_check_checkpoint(m->dir, cs_buf_view(&m->note),
		    ret);
		/* More to come: the page was full, and its checkpoint is
		 * over more than we have. */
	} while (e != CS_OK && page.n > 0);
	if (e == CS_FORKED)
		e = misfit(m);
	else if (e != CS_OK)
		cs_why_set(m->why, "the relay's directory checkpoint");
out:
	return e;
}

/* Never back: a shorter log, or a store that was restored. */
static cs_err
check_order(const struct cs_mirror *m, const struct cs_checkpoint *now)
{
	const struct cs_checkpoint *last = &m->last;

	if (last->size == 0)
		return CS_OK;
	if (now->counter < last->counter) {
		cs_why_set(m->why,
		    "the relay shows an older incarnation of its store (%llu, "
		    "was %llu): it was restored from a backup; tell the "
		    "registrar",
		    (unsigned long long)now->counter,
		    (unsigned long long)last->counter);
		return CS_WENT_BACK;
	}
	if (now->counter == last->counter &&
	    memcmp(now->incarnation, last->incarnation, CS_ID_BYTES) != 0) {
		cs_why_set(m->why,
		    "the relay shows another incarnation of its store under "
		    "the same number; tell the registrar");
		return CS_FORKED;
	}
	return CS_OK;
}

/* Entries are never dated before the one in front of them: the last one tells
 * of all. */
static cs_err
check_dates(const struct cs_mirror *m, const struct cs_checkpoint *now)
{
	const uint64_t latest_s = m->now_s + CS_SKEW_MAX_S;
	struct cs_entry_leaf leaf = { 0 };
	struct cs_bytes v;
	cs_err e = CS_OK;

	if (now->size > 0) {
		CS_TRY(cs_directory_leaf(m->dir, now->size - 1, &v));
		CS_TRY(cs_entry_leaf_decode(v, &leaf));
	}
	if (leaf.logged_at_s <= latest_s && now->time_s <= latest_s)
		return CS_OK;
	cs_why_set(m->why,
	    "the relay's directory is dated ahead of this machine's clock: "
	    "either is wrong; set this one, or tell the registrar");
	e = CS_CLOCK;
out:
	return e;
}

cs_err
cs_mirror_sync(struct cs_mirror *m, struct cs_conn *conn, cs_mirror_leaf *leaf,
    void *ctx)
{
	const uint64_t had = cs_directory_view(m->dir).size;
	struct cs_checkpoint now = { 0 };
	struct cs_bytes v;
	uint64_t i;
	cs_err e;

	CS_TRY(pull(m, conn, &now));
	CS_TRY(check_order(m, &now));
	CS_TRY(check_dates(m, &now));
	for (i = had; leaf && i < now.size; i++) {
		CS_TRY(cs_directory_leaf(m->dir, i, &v));
		CS_TRY(leaf(ctx, i, v));
	}
	m->last = now;
out:
	return e;
}

uint64_t
cs_mirror_fresh_s(const struct cs_directory *dir)
{
	uint64_t fresh_s;

	return cs_directory_policy(dir, CS_POLICY_FRESH_S, &fresh_s) == CS_OK
		   ? fresh_s
		   : CS_MIRROR_FRESH_S;
}

cs_err
cs_mirror_check_fresh(const struct cs_directory *dir,
    const struct cs_checkpoint *last, uint64_t now_s)
{
	if (last->size == 0 ||
	    (now_s > last->time_s &&
		now_s - last->time_s > cs_mirror_fresh_s(dir)))
		return CS_STALE;
	return CS_OK;
}
