#include "client/logbook.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "client/ask.h"
#include "client/evidence.h"
#include "keys/directory.h"
#include "proto/base/cursor.h"
#include "proto/merkle.h"
#include "proto/text.h"

/*
 * A kept checkpoint: u64 counter ‖ u64 size -> u8 is_linked ‖ note. One that is
 * not linked came from somebody, and nothing ties it to the others yet. A
 * restored store has its own counter, and is a log of its own.
 *
 * A span: u64 counter ‖ u64 size ‖ u64 index -> nothing where it is wanted,
 * else u64 size of the checkpoint before (0: none) ‖ proof.
 */
#define KEY_BYTES  16
#define SPAN_BYTES 24

static const struct cs_bytes clash_key = { (const uint8_t *)"log-clash", 9 };

struct kept {
	struct cs_checkpoint cp;
	struct cs_buf note;
	bool is_linked;
};

static void
kept_fini(struct kept *k)
{
	cs_buf_fini(&k->note);
}

static void
key_of(uint64_t counter, uint64_t size, uint8_t ret[static KEY_BYTES])
{
	cs_bytes_be(counter, 8, ret);
	cs_bytes_be(size, 8, ret + 8);
}

static uint64_t
number(const uint8_t *p)
{
	struct cs_cursor c = cs_cursor_new((struct cs_bytes){ p, 8 });

	return cs_cursor_u64(&c);
}

/* ----------------------------------------------------------------- the table
 */

/* What is kept was signed by the relay when it came. */
static cs_err
read_body(struct cs_bytes note, struct cs_checkpoint *ret)
{
	struct cs_bytes origin;
	struct cs_note parts;
	const uint8_t *end;

	if (cs_checkpoint_split(note, &parts) != CS_OK ||
	    !(end = memchr(parts.body.p, '\n', parts.body.n)))
		return CS_CORRUPT;
	origin =
	    (struct cs_bytes){ parts.body.p, (size_t)(end - parts.body.p) };
	return cs_checkpoint_decode_body(parts.body, origin, ret) == CS_OK
		   ? CS_OK
		   : CS_CORRUPT;
}

static cs_err
get(struct cs_local_txn *txn, struct cs_bytes key, struct kept *ret)
{
	struct cs_buf value = { 0 };
	cs_err e;

	CS_TRY(cs_local_get_public(txn, CS_LOCAL_LOGBOOK, key, &value));
	CS_TRY(value.n > 1 ? CS_OK : CS_CORRUPT);
	cs_buf_reset(&ret->note);
	cs_buf_put(&ret->note, value.p + 1, value.n - 1);
	CS_TRY(cs_buf_err(&ret->note));
	ret->is_linked = value.p[0] != 0;
	CS_TRY(read_body(cs_buf_view(&ret->note), &ret->cp));
out:
	cs_buf_fini(&value);
	return e;
}

static cs_err
put(struct cs_local_txn *txn, const struct kept *k)
{
	uint8_t key[KEY_BYTES];
	struct cs_buf value = { 0 };
	cs_err e;

	key_of(k->cp.counter, k->cp.size, key);
	cs_buf_put_u8(&value, k->is_linked);
	cs_buf_put_bytes(&value, cs_buf_view(&k->note));
	CS_TRY(cs_buf_err(&value));
	CS_TRY(cs_local_put(txn, CS_LOCAL_LOGBOOK, CS_BYTES(key),
	    cs_buf_view(&value)));
out:
	cs_buf_fini(&value);
	return e;
}

/* The size of the checkpoint of this counter that is the largest up to most, or
 * the smallest from least on. CS_NOT_FOUND: none. */
static cs_err
find_size(struct cs_local_txn *txn, uint64_t counter, uint64_t least,
    uint64_t most, bool is_largest, uint64_t *ret)
{
	uint8_t prefix[8], at[KEY_BYTES], key[CS_LOCAL_KEY_BYTES];
	bool is_found = false;
	size_t n, at_n = 0;
	cs_err e;

	cs_bytes_be(counter, 8, prefix);
	while ((e = cs_local_next(txn, CS_LOCAL_LOGBOOK, CS_BYTES(prefix),
		    (struct cs_bytes){ at, at_n }, key, &n)) == CS_OK) {
		CS_TRY(n == KEY_BYTES ? CS_OK : CS_CORRUPT);
		memcpy(at, key, n);
		at_n = n;
		if (number(key + 8) < least)
			continue;
		if (number(key + 8) > most)
			break;
		*ret = number(key + 8);
		is_found = true;
		if (!is_largest)
			break;
	}
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	e = is_found ? CS_OK : CS_NOT_FOUND;
out:
	return e;
}

/* That checkpoint, passing over those that are not linked. */
static cs_err
find(struct cs_local_txn *txn, uint64_t counter, uint64_t least, uint64_t most,
    bool is_largest, struct kept *ret)
{
	uint8_t key[KEY_BYTES];
	struct kept k = { 0 };
	uint64_t size;
	cs_err e;

	for (;;) {
		CS_TRY(find_size(txn, counter, least, most, is_largest, &size));
		key_of(counter, size, key);
		CS_TRY(get(txn, CS_BYTES(key), &k));
		if (k.is_linked)
			break;
		CS_TRY(size == (is_largest ? 0 : UINT64_MAX) ? CS_NOT_FOUND
							     : CS_OK);
		most = is_largest ? size - 1 : most;
		least = is_largest ? least : size + 1;
	}
	kept_fini(ret);
	*ret = k;
	k = (struct kept){ 0 };
out:
	kept_fini(&k);
	return e;
}

static cs_err
find_now(struct cs_client *c, uint64_t counter, uint64_t least, uint64_t most,
    bool is_largest, struct kept *ret)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(find(txn, counter, least, most, is_largest, ret));
out:
	cs_local_end(&txn);
	return e;
}

/* ------------------------------------------------------------- contradictions
 */

/* Two notes of the relay that one log cannot have, side by side. */
static cs_err
accuse(struct cs_client *c, const struct cs_buf *before,
    const struct cs_buf *after)
{
	struct cs_buf text = { 0 };
	uint8_t hash[CS_HASH_BYTES];
	char hex[17], name[64];
	cs_err e;

	cs_buf_put_bytes(&text, cs_buf_view(before));
	cs_buf_put_str(&text, "\n");
	cs_buf_put_bytes(&text, cs_buf_view(after));
	CS_TRY(cs_buf_err(&text));
	crypto_hash_sha256(hash, text.p, text.n);
	cs_text_hex((struct cs_bytes){ hash, 8 }, hex);
	snprintf(name, sizeof(name), "receipts-%s", hex);
	CS_TRY(cs_evidence_keep(cs_client_home(c), name, cs_buf_view(&text)));
	cs_why_clear(cs_client_why(c));
	cs_why_set(cs_client_why(c),
	    "the relay's receipt log contradicts what it signed before: its "
	    "receipts prove nothing until that is explained; both checkpoints "
	    "are in evidence/%s: give them to the registrar",
	    name);
	e = CS_FORKED;
out:
	cs_buf_fini(&text);
	return e;
}

/* A trouble of the relay's that says nothing about its log. */
static bool
is_no_answer(struct cs_client *c, cs_err e)
{
	const bool ours =
	    e == CS_CORRUPT || e == CS_FULL || e == CS_IO || e == CS_NO_MEMORY;

	return e != CS_OK && e != CS_FORKED && !ours &&
	       cs_conn_is_open(cs_client_conn(c));
}

/*
 * How the log goes from a size to a size. What is answered outlives the
 * session's buffer in note and proof.
 */
static cs_err
ask(struct cs_client *c, uint64_t from, uint64_t to, struct kept *ret,
    struct cs_buf *ret_proof)
{
	const struct cs_frame_receipt_log v = { from, to };
	struct cs_frame_receipt_log_reply reply;
	cs_err e;

	CS_TRY(cs_ask_receipt_log(cs_client_conn(c), &v, &reply));
	CS_TRY(cs_directory_read_receipts(cs_client_directory(c),
	    reply.checkpoint, NULL, &ret->cp));
	cs_buf_reset(&ret->note);
	cs_buf_put_bytes(&ret->note, reply.checkpoint);
	cs_buf_reset(ret_proof);
	cs_buf_put_bytes(ret_proof, reply.consistency);
	CS_TRY(cs_buf_err(&ret->note));
	CS_TRY(cs_buf_err(ret_proof));
out:
	return e;
}

static bool
continues(const struct cs_checkpoint *before, const struct cs_checkpoint *after,
    const struct cs_buf *proof)
{
	return before->size == 0 ||
	       cs_merkle_check_consistency(before->size, after->size,
		   cs_buf_view(proof), before->root, after->root) == CS_OK;
}

/* ------------------------------------------------------------------- following
 */

static cs_err
keep(struct cs_client *c, const struct kept *k)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(put(txn, k));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}

/* The newest, held against the last one kept of the same store. */
static cs_err
take_newest(struct cs_client *c, struct kept *last, struct kept *now,
    struct cs_buf *proof)
{
	cs_err e;

	e = ask(c, last->cp.size, 0, now, proof);
	if (e == CS_NOT_FOUND && last->cp.size > 0)
		e = ask(c, 0, 0, now, proof); /* it is shorter: what is it? */
	CS_TRY(e);
	now->is_linked = true;
	if (last->note.n > 0 && now->cp.counter == last->cp.counter &&
	    (now->cp.size < last->cp.size ||
		!continues(&last->cp, &now->cp, proof)))
		return accuse(c, &last->note, &now->note);
	CS_TRY(keep(c, now));
out:
	return e;
}

/* The first of a network: a log of nothing has no checkpoint, and what comes
 * first shall have one before it. */
static cs_err
begin_log(struct cs_client *c)
{
	struct cs_frame_anchor_reply reply;
	uint8_t leaf[CS_HASH_BYTES];
	cs_err e;

	randombytes_buf(leaf, sizeof(leaf));
	e = cs_ask_anchor(cs_client_conn(c), CS_BYTES(leaf), &reply);
	return is_no_answer(c, e) ? CS_OK : e;
}

cs_err
cs_logbook_follow(struct cs_client *c)
{
	const uint64_t counter = cs_client_checkpoint(c)->counter;
	struct kept last = { 0 }, now = { 0 };
	struct cs_buf proof = { 0 };
	cs_err e;

	e = find_now(c, counter, 0, UINT64_MAX, true, &last);
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	if (last.note.n > 0 &&
	    last.cp.time_s + CS_LOGBOOK_SPACING_S > cs_client_now())
		goto out;
	e = take_newest(c, &last, &now, &proof);
	if (e == CS_NOT_FOUND && last.note.n == 0) {
		cs_why_clear(cs_client_why(c));
		CS_TRY(begin_log(c));
		e = take_newest(c, &last, &now, &proof);
	}
	if (is_no_answer(c, e)) {
		cs_why_clear(cs_client_why(c));
		e = CS_OK;
	}
out:
	kept_fini(&last);
	kept_fini(&now);
	cs_buf_fini(&proof);
	return e;
}

/* --------------------------------------------------------------------- wanting
 */

/* Two of one size: told at the next link. */
static cs_err
note_clash(struct cs_local_txn *txn, const struct kept *a, const struct kept *b)
{
	struct cs_buf value = { 0 };
	cs_err e;

	cs_buf_put_u32(&value, (uint32_t)a->note.n);
	cs_buf_put_bytes(&value, cs_buf_view(&a->note));
	cs_buf_put_bytes(&value, cs_buf_view(&b->note));
	CS_TRY(cs_buf_err(&value));
	CS_TRY(cs_local_put(txn, CS_LOCAL_META, clash_key,
	    cs_buf_view(&value)));
out:
	cs_buf_fini(&value);
	return e;
}

static cs_err
want_span(struct cs_local_txn *txn, const struct cs_checkpoint *cp,
    uint64_t index)
{
	uint8_t key[SPAN_BYTES];
	struct cs_buf value = { 0 };
	cs_err e;

	key_of(cp->counter, cp->size, key);
	cs_bytes_be(index, 8, key + KEY_BYTES);
	e = cs_local_get_public(txn, CS_LOCAL_SPAN, CS_BYTES(key), &value);
	if (e == CS_NOT_FOUND)
		e = cs_local_put(txn, CS_LOCAL_SPAN, CS_BYTES(key),
		    (struct cs_bytes){ 0 });
	cs_buf_fini(&value);
	return e;
}

cs_err
cs_logbook_want(struct cs_client *c, struct cs_local_txn *txn,
    struct cs_bytes note, uint64_t index)
{
	struct kept here = { 0 }, k = { 0 };
	uint8_t key[KEY_BYTES];
	cs_err e;

	e = cs_directory_read_receipts(cs_client_directory(c), note, NULL,
	    &k.cp);
	if (e != CS_OK || index >= k.cp.size)
		return e == CS_NO_MEMORY ? e : CS_OK;
	cs_buf_put_bytes(&k.note, note);
	CS_TRY(cs_buf_err(&k.note));
	key_of(k.cp.counter, k.cp.size, key);
	e = get(txn, CS_BYTES(key), &here);
	if (e == CS_NOT_FOUND)
		e = put(txn, &k);
	else if (e == CS_OK &&
		 memcmp(here.cp.root, k.cp.root, CS_HASH_BYTES) != 0)
		e = note_clash(txn, &here, &k);
	CS_TRY(e);
	CS_TRY(want_span(txn, &k.cp, index));
out:
	kept_fini(&here);
	kept_fini(&k);
	return e;
}

/* --------------------------------------------------------------------- linking
 */

struct span {
	uint64_t counter, size, index;
	struct kept before, after;
	struct cs_buf proof;
};

static void
span_fini(struct span *s)
{
	kept_fini(&s->before);
	kept_fini(&s->after);
	cs_buf_fini(&s->proof);
	*s = (struct span){ 0 };
}

/* The next one without a proof, behind *after. */
static cs_err
next_wanted(struct cs_local_txn *txn, uint8_t after[static SPAN_BYTES],
    size_t *after_n, struct span *ret)
{
	uint8_t key[CS_LOCAL_KEY_BYTES];
	struct cs_buf value = { 0 };
	size_t n;
	cs_err e;

	do {
		cs_buf_reset(&value);
		CS_TRY(cs_local_next(txn, CS_LOCAL_SPAN, (struct cs_bytes){ 0 },
		    (struct cs_bytes){ after, *after_n }, key, &n));
		CS_TRY(n == SPAN_BYTES ? CS_OK : CS_CORRUPT);
		memcpy(after, key, n);
		*after_n = n;
		CS_TRY(cs_local_get_public(txn, CS_LOCAL_SPAN,
		    (struct cs_bytes){ key, n }, &value));
	} while (value.n > 0);
	ret->counter = number(key);
	ret->size = number(key + 8);
	ret->index = number(key + KEY_BYTES);
	CS_TRY(get(txn, (struct cs_bytes){ key, KEY_BYTES }, &ret->after));
	e = find(txn, ret->counter, 0, ret->index, true, &ret->before);
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	cs_buf_fini(&value);
	return e;
}

static cs_err
store_span(struct cs_client *c, struct span *s)
{
	struct cs_local_txn *txn = NULL;
	uint8_t key[SPAN_BYTES];
	struct cs_buf value = { 0 };
	cs_err e;

	key_of(s->counter, s->size, key);
	cs_bytes_be(s->index, 8, key + KEY_BYTES);
	cs_buf_put_u64(&value, s->before.cp.size);
	cs_buf_put_u8(&value, s->before.note.n > 0);
	cs_buf_put_bytes(&value, cs_buf_view(&s->proof));
	CS_TRY(cs_buf_err(&value));
	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(cs_local_put(txn, CS_LOCAL_SPAN, CS_BYTES(key),
	    cs_buf_view(&value)));
	s->after.is_linked = true;
	CS_TRY(put(txn, &s->after));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	cs_buf_fini(&value);
	return e;
}

/* One from somebody else may be older than what is kept: those must continue
 * it. */
static cs_err
check_next(struct cs_client *c, struct span *s)
{
	struct kept next = { 0 }, now = { 0 };
	struct cs_buf proof = { 0 };
	cs_err e;

	if (s->after.is_linked)
		return CS_OK;
	e = find_now(c, s->counter, s->size + 1, UINT64_MAX, false, &next);
	if (e == CS_NOT_FOUND) {
		e = CS_OK;
		goto out;
	}
	CS_TRY(e);
	CS_TRY(ask(c, s->size, next.cp.size, &now, &proof));
	if (!continues(&s->after.cp, &next.cp, &proof))
		e = accuse(c, &s->after.note, &next.note);
out:
	kept_fini(&next);
	kept_fini(&now);
	cs_buf_fini(&proof);
	return e;
}

static cs_err
link_one(struct cs_client *c, struct span *s)
{
	struct kept now = { 0 };
	cs_err e;

	CS_TRY(check_next(c, s));
	if (s->before.cp.size > 0) {
		CS_TRY(ask(c, s->before.cp.size, s->size, &now, &s->proof));
		if (!continues(&s->before.cp, &s->after.cp, &s->proof)) {
			e = accuse(c, &s->before.note, &s->after.note);
			goto out;
		}
	}
	CS_TRY(store_span(c, s));
out:
	kept_fini(&now);
	return e;
}

/* Two notes of one size, as cs_logbook_want found them. */
static cs_err
tell_clash(struct cs_client *c)
{
	struct cs_local_txn *txn = NULL;
	struct cs_buf value = { 0 }, a = { 0 }, b = { 0 };
	struct cs_cursor at;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	e = cs_local_get_public(txn, CS_LOCAL_META, clash_key, &value);
	if (e == CS_NOT_FOUND) {
		e = CS_OK;
		goto out;
	}
	CS_TRY(e);
	at = cs_cursor_new(cs_buf_view(&value));
	cs_buf_put_bytes(&a, cs_cursor_take(&at, cs_cursor_u32(&at)));
	cs_buf_put_bytes(&b, cs_cursor_take(&at, at.left));
	CS_TRY(cs_cursor_end(&at) == CS_OK ? CS_OK : CS_CORRUPT);
	CS_TRY(cs_local_delete(txn, CS_LOCAL_META, clash_key));
	CS_TRY(cs_local_commit(&txn));
	e = accuse(c, &a, &b);
out:
	cs_local_end(&txn);
	cs_buf_fini(&value);
	cs_buf_fini(&a);
	cs_buf_fini(&b);
	return e;
}

cs_err
cs_logbook_link(struct cs_client *c)
{
	uint8_t after[SPAN_BYTES];
	struct cs_local_txn *txn = NULL;
	struct span s = { 0 };
	size_t after_n = 0;
	cs_err e, found = CS_OK;

	found = tell_clash(c);
	CS_TRY(found == CS_FORKED ? CS_OK : found);
	for (;;) {
		CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
		e = next_wanted(txn, after, &after_n, &s);
		cs_local_end(&txn);
		if (e != CS_OK)
			break;
		e = link_one(c, &s);
		if (e == CS_FORKED)
			found = e;
		else if (!is_no_answer(c, e))
			CS_TRY(e);
		else
			cs_why_clear(cs_client_why(c));
		span_fini(&s);
	}
	e = e == CS_NOT_FOUND ? found : e;
out:
	cs_local_end(&txn);
	span_fini(&s);
	return e;
}

/* --------------------------------------------------------------------- showing
 */

cs_err
cs_logbook_before(struct cs_local_txn *txn, const struct cs_checkpoint *after,
    uint64_t index, struct cs_buf *ret_note, struct cs_buf *ret_proof)
{
	uint8_t key[SPAN_BYTES], before[KEY_BYTES];
	struct kept k = { 0 };
	struct cs_buf value = { 0 };
	struct cs_cursor at;
	cs_err e;

	key_of(after->counter, after->size, key);
	cs_bytes_be(index, 8, key + KEY_BYTES);
	CS_TRY(cs_local_get_public(txn, CS_LOCAL_SPAN, CS_BYTES(key), &value));
	CS_TRY(value.n > 0 ? CS_OK : CS_NOT_FOUND);
	at = cs_cursor_new(cs_buf_view(&value));
	key_of(after->counter, cs_cursor_u64(&at), before);
	CS_TRY(cs_cursor_u8(&at) == 1 ? CS_OK : CS_NOT_FOUND);
	CS_TRY(get(txn, CS_BYTES(before), &k));
	cs_buf_put_bytes(ret_note, cs_buf_view(&k.note));
	cs_buf_put_bytes(ret_proof, cs_cursor_take(&at, at.left));
	CS_TRY(cs_buf_err(ret_note));
	CS_TRY(cs_buf_err(ret_proof));
out:
	kept_fini(&k);
	cs_buf_fini(&value);
	return e;
}

cs_err
cs_logbook_at(struct cs_client *c, uint64_t time_s, struct cs_buf *ret)
{
	uint8_t at[KEY_BYTES], key[CS_LOCAL_KEY_BYTES];
	struct cs_local_txn *txn = NULL;
	struct kept k = { 0 };
	size_t n, at_n = 0;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	do {
		CS_TRY(cs_local_next(txn, CS_LOCAL_LOGBOOK,
		    (struct cs_bytes){ 0 }, (struct cs_bytes){ at, at_n }, key,
		    &n));
		CS_TRY(n == KEY_BYTES ? CS_OK : CS_CORRUPT);
		memcpy(at, key, n);
		at_n = n;
		CS_TRY(get(txn, (struct cs_bytes){ key, n }, &k));
	} while (!k.is_linked || k.cp.time_s < time_s);
	cs_buf_put_bytes(ret, cs_buf_view(&k.note));
	e = cs_buf_err(ret);
out:
	cs_local_end(&txn);
	kept_fini(&k);
	return e;
}
