#include "client/receiptfile.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/anchor.h"
#include "client/ask.h"
#include "client/inrec.h"
#include "client/logbook.h"
#include "client/outrec.h"
#include "client/receipt.h"
#include "keys/excerpt.h"
#include "keys/judge.h"
#include "keys/verify.h"
#include "proto/armour.h"
#include "proto/merkle.h"
#include "proto/receiptproof.h"
#include "proto/said.h"

/* Leaf data one answer of the relay may hold. */
#define PAGE_LEAVES CS_FRAME_MAX_LEAVES

/* A clock that is a little behind may come to a time meanwhile. */
#define NOW_TRIES 4

struct making {
	struct cs_client *c;
	const struct cs_directory *dir;
	const struct cs_receiptfile *what;
	struct cs_local_txn *txn;
	struct cs_receiptproof proof;
	struct cs_receiptfile_report report;
	struct cs_buf certs, items, subjects; /* ids */
	struct cs_buf before, consistency;    /* of the item in hand */
	bool has_custody;
	struct cs_logged custody;
	struct cs_buf custody_bytes, note, peaks, leaves;
};

static void
add_subject(struct making *m, const uint8_t *id)
{
	cs_buf_put(&m->subjects, id, CS_ID_BYTES);
}

/* -------------------------------------------------------------------- items */

/* A place in the log as it is kept, with what was before it. CS_BAD_SIGNATURE:
 * not by a key of the relay that counts. */
static cs_err
fill_entered(struct making *m, const struct cs_logged *at,
    struct cs_receiptproof_entered *ret)
{
	struct cs_directory_relay relay;
	struct cs_checkpoint after;
	cs_err e;

	CS_TRY(cs_directory_read_receipts(m->dir, at->checkpoint, &relay,
	    &after));
	add_subject(m, relay.id);
	memcpy(ret->salt, at->salt, sizeof(ret->salt));
	ret->index = at->index;
	ret->proof = at->proof;
	ret->note = at->checkpoint;
	cs_buf_reset(&m->before);
	cs_buf_reset(&m->consistency);
	e = cs_logbook_before(m->txn, &after, at->index, &m->before,
	    &m->consistency);
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
	ret->before = cs_buf_view(&m->before);
	ret->consistency = cs_buf_view(&m->consistency);
out:
	return e == CS_NOT_FOUND ? CS_OK : e;
}

static cs_err
put_item(struct making *m, const struct cs_receiptproof_item *item)
{
	cs_receiptproof_put_item(&m->items, item);
	m->report.n_items++;
	return cs_buf_err(&m->items);
}

/* One with its place in the receipt log; what no relay key signs is left out.
 */
static cs_err
put_entered(struct making *m, const struct cs_logged *logged,
    struct cs_receiptproof_item *item)
{
	cs_err e = fill_entered(m, logged, &item->entered);

	if (e == CS_BAD_SIGNATURE) {
		m->report.n_left_out++;
		return CS_OK;
	}
	return e == CS_OK ? put_item(m, item) : e;
}

/* The relay's own word. */
static cs_err
add_logged(struct making *m, struct cs_bytes bytes)
{
	struct cs_receiptproof_item item = { .how = CS_RECEIPTPROOF_LOGGED };
	struct cs_statement st;
	struct cs_logged logged;
	cs_err e;

	CS_TRY(cs_statement_logged_decode(bytes, &logged));
	CS_TRY(cs_statement_decode(logged.statement, &st));
	add_subject(m, st.signer_device);
	item.statement = logged.statement;
	CS_TRY(put_entered(m, &logged, &item));
out:
	return e;
}

/* What caused an outcome, as the relay was shown it. */
static cs_err
add_shown(struct making *m, struct cs_bytes bytes)
{
	struct cs_receiptproof_item item = { .how = CS_RECEIPTPROOF_SHOWN };
	struct cs_statement st;
	struct cs_logged logged;
	cs_err e;

	CS_TRY(cs_statement_evidence_decode(bytes, &logged, item.signature));
	CS_TRY(cs_statement_decode(logged.statement, &st));
	add_subject(m, st.signer_device);
	add_subject(m, st.signer_member);
	item.statement = logged.statement;
	CS_TRY(put_entered(m, &logged, &item));
out:
	return e;
}

/* What a device said, with the evidence of its entry where that holds. */
static cs_err
add_said(struct making *m, struct cs_bytes bytes)
{
	struct cs_receiptproof_item item = { .how = CS_RECEIPTPROOF_SIGNED };
	struct cs_checkpoint cp;
	struct cs_statement st;
	struct cs_said said;
	cs_err e;

	CS_TRY(cs_said_decode(bytes, &said, &st));
	if (st.text.n > 0 && m->what->without_text) {
		m->report.n_left_out++;
		goto out;
	}
	m->report.n_texts += st.text.n > 0;
	add_subject(m, st.signer_device);
	add_subject(m, st.signer_member);
	item.statement = said.statement;
	memcpy(item.signature, said.signature, sizeof(item.signature));
	if (said.is_anchored &&
	    cs_directory_read_receipts(m->dir, said.anchor.checkpoint, NULL,
		&cp) == CS_OK &&
	    cs_verify_anchor(&said, &cp) == CS_OK) {
		item.how = CS_RECEIPTPROOF_ANCHORED;
		CS_TRY(fill_entered(m, &said.anchor, &item.entered));
	}
	CS_TRY(put_item(m, &item));
out:
	return e;
}

/* ------------------------------------------------------------------ what was
 * sent
 */

static cs_err
add_fact(struct making *m, const uint8_t *device_id, enum cs_fact fact,
    cs_err (*add)(struct making *, struct cs_bytes))
{
	struct cs_buf bytes = { 0 };
	uint64_t arrived_s;
	cs_err e;

	e = cs_receipt_load(m->txn, m->what->id, device_id, fact, &bytes,
	    &arrived_s);
	if (e == CS_OK)
		e = add(m, cs_buf_view(&bytes));
	else if (e == CS_NOT_FOUND)
		e = CS_OK;
	cs_buf_fini(&bytes);
	return e;
}

/* In the order in which they happen. */
static const struct {
	enum cs_fact fact;
	cs_err (*add)(struct making *, struct cs_bytes);
} facts[] = {
	{ CS_FACT_DELIVERED, add_said },
	{ CS_FACT_OPENED, add_said },
	{ CS_FACT_ACKNOWLEDGED, add_said },
	{ CS_FACT_OUTCOME, add_logged },
	{ CS_FACT_ACK, add_shown },
	{ CS_FACT_WITHDRAW, add_shown },
};

/* The first, and the newest where it was extended since. */
static cs_err
take_custody(struct making *m, struct cs_bytes newest)
{
	struct cs_logged logged;
	struct cs_statement st;
	uint64_t arrived_s;
	cs_err e;

	CS_TRY(cs_statement_logged_decode(newest, &logged));
	CS_TRY(cs_statement_decode(logged.statement, &st));
	e = cs_receipt_load(m->txn, m->what->id, st.signer_device,
	    CS_FACT_CUSTODY, &m->custody_bytes, &arrived_s);
	if (e == CS_NOT_FOUND) {
		cs_buf_put_bytes(&m->custody_bytes, newest);
		e = cs_buf_err(&m->custody_bytes);
	}
	CS_TRY(e);
	CS_TRY(add_logged(m, cs_buf_view(&m->custody_bytes)));
	if (!cs_bytes_eq(newest, cs_buf_view(&m->custody_bytes)))
		CS_TRY(add_logged(m, newest));
	CS_TRY(cs_statement_logged_decode(cs_buf_view(&m->custody_bytes),
	    &m->custody));
	m->has_custody = true;
out:
	return e;
}

static cs_err
add_own(void *ctx, struct cs_bytes said)
{
	return add_said(ctx, said);
}

static cs_err
take_sent(struct making *m)
{
	struct cs_manifest_device row;
	struct cs_secret *value = NULL;
	struct cs_outrec sent;
	size_t pos = 0;
	cs_err e;

	CS_TRY(cs_outrec_get(m->txn, CS_LOCAL_OUT, m->what->id, &sent, &value));
	memcpy(m->proof.e, sent.e, CS_HASH_BYTES);
	memcpy(m->proof.s, sent.s, CS_HASH_BYTES);
	memcpy(m->proof.m_hash, sent.m_hash, CS_HASH512_BYTES);
	if (sent.custody.n > 0)
		CS_TRY(take_custody(m, sent.custody));
	while (cs_manifest_next_device(&sent.manifest, &pos, &row))
		for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
			CS_TRY(add_fact(m, row.device_id, facts[i].fact,
			    facts[i].add));
	/* what this device stated itself: that it purged the content */
	CS_TRY(cs_anchor_list(m->txn, m->what->id, add_own, m));
out:
	cs_secret_free(value);
	return e;
}

/* ---------------------------------------------------------------- what came */

static cs_err
add_sender(struct making *m, const struct cs_inrec *r)
{
	struct cs_receiptproof_item item = { .how = CS_RECEIPTPROOF_SENDER };
	struct cs_manifest manifest;
	cs_err e;

	CS_TRY(cs_manifest_decode(r->m, &manifest));
	memcpy(item.member, manifest.sender_member, CS_ID_BYTES);
	memcpy(item.device, manifest.sender_device, CS_ID_BYTES);
	item.entry = manifest.sender_entry;
	memcpy(item.h_hash, manifest.header_hash, CS_HASH512_BYTES);
	memcpy(item.signature, r->signature, sizeof(item.signature));
	add_subject(m, item.device);
	add_subject(m, item.member);
	CS_TRY(put_item(m, &item));
out:
	return e;
}

static cs_err
take_received(struct making *m)
{
	struct cs_secret *value = NULL;
	struct cs_inrec r;
	cs_err e;

	CS_TRY(cs_inrec_get(m->txn, m->what->id, &r, &value));
	memcpy(m->proof.e, r.e, CS_HASH_BYTES);
	memcpy(m->proof.s, r.s, CS_HASH_BYTES);
	memcpy(m->proof.m_hash, r.m_hash, CS_HASH512_BYTES);
	if (r.is_readable)
		CS_TRY(add_sender(m, &r));
	CS_TRY(cs_anchor_list(m->txn, m->what->id, add_own, m));
out:
	cs_secret_free(value);
	return e;
}

/* --------------------------------------------------------------------- silence
 */

/* Has the relay sign a checkpoint of now, by entering something of no
 * meaning. */
static cs_err
move_log(struct making *m)
{
	struct cs_frame_anchor_reply reply;
	uint8_t leaf[CS_HASH_BYTES];

	randombytes_buf(leaf, sizeof(leaf));
	return cs_ask_anchor(cs_client_conn(m->c), CS_BYTES(leaf), &reply);
}

static cs_err
read_newest(struct making *m, struct cs_checkpoint *ret)
{
	const struct cs_frame_receipt_log v = { 0, 0 };
	struct cs_frame_receipt_log_reply reply;
	cs_err e;

	CS_TRY(cs_ask_receipt_log(cs_client_conn(m->c), &v, &reply));
	CS_TRY(cs_directory_read_receipts(m->dir, reply.checkpoint, NULL, ret));
	cs_buf_reset(&m->note);
	cs_buf_put_bytes(&m->note, reply.checkpoint);
	e = cs_buf_err(&m->note);
out:
	return e;
}

/* The first checkpoint of that time or later: one that is kept, else the
 * relay's newest. */
static cs_err
find_end(struct making *m, struct cs_checkpoint *ret)
{
	/* "now" is a moment later by the relay's clock */
	const struct timespec a_while = { .tv_sec = 1 };
	const uint64_t time_s = m->what->silence_s;
	cs_err e;

	e = cs_logbook_at(m->c, time_s, &m->note);
	if (e == CS_OK)
		e = cs_directory_read_receipts(m->dir, cs_buf_view(&m->note),
		    NULL, ret);
	if (e == CS_OK && ret->size > m->custody.index)
		goto out;
	CS_TRY(read_newest(m, ret));
	for (int i = 0; ret->time_s < time_s && i < NOW_TRIES; i++) {
		if (i > 0 && time_s > cs_client_now() + 1)
			break;
		if (i > 0)
			nanosleep(&a_while, NULL);
		CS_TRY(move_log(m));
		CS_TRY(read_newest(m, ret));
	}
	e = ret->time_s < time_s ? CS_NOT_FOUND : CS_OK;
	if (e != CS_OK)
		cs_why_set(cs_client_why(m->c),
		    "the relay's clock has not come to that time");
out:
	return e;
}

/* Leaves from a number up to another. */
static cs_err
read_leaves(struct making *m, uint64_t from, uint64_t to, struct cs_buf *out)
{
	cs_err e = CS_OK;

	while (from < to) {
		const struct cs_frame_receipt_leaves v = { .from = from,
			.count =
			    (uint32_t)(to - from < PAGE_LEAVES ? to - from
							       : PAGE_LEAVES) };
		struct cs_bytes page;

		CS_TRY(cs_ask_receipt_leaves(cs_client_conn(m->c), &v, &page));
		CS_TRY(page.n > 0 && page.n % CS_HASH_BYTES == 0 &&
			       page.n / CS_HASH_BYTES <= to - from
			   ? CS_OK
			   : CS_FORKED);
		cs_buf_put_bytes(out, page);
		CS_TRY(cs_buf_err(out));
		from += page.n / CS_HASH_BYTES;
	}
out:
	return e;
}

/*
 * The peaks of the tree that ends with the custody statement stand in the proof
 * that the log continues it: the smallest first, then each that is a left
 * neighbour on the way up. Not where that tree is a whole one.
 */
static void
pick_peaks(struct making *m, uint64_t size, uint64_t to, struct cs_bytes proof)
{
	uint8_t peak[64][CS_HASH_BYTES];
	uint64_t fn = size - 1, sn = to - 1;
	size_t n = 0, at;

	for (; fn & 1; fn >>= 1)
		sn >>= 1;
	for (at = 0; at < proof.n && n < 64; at += CS_HASH_BYTES) {
		const bool is_left = at > 0 && (fn & 1 || fn == sn);

		if (at == 0 || is_left)
			memcpy(peak[n++], proof.p + at, CS_HASH_BYTES);
		if (at == 0)
			continue;
		for (; is_left && !(fn & 1) && fn != 0; fn >>= 1)
			sn >>= 1;
		fn >>= 1;
		sn >>= 1;
	}
	while (n > 0)
		cs_buf_put(&m->peaks, peak[--n], CS_HASH_BYTES);
}

/* All of the leaves, where no proof has them. */
static cs_err
read_first_leaves(struct making *m)
{
	const uint64_t size = m->custody.index + 1;
	struct cs_merkle_edge edge = { 0 };
	struct cs_buf leaves = { 0 };
	uint8_t hash[CS_HASH_BYTES];
	uint64_t from = 0;
	cs_err e = CS_OK;

	while (from < size) {
		const uint64_t to =
		    size - from < PAGE_LEAVES ? size : from + PAGE_LEAVES;

		cs_buf_reset(&leaves);
		CS_TRY(read_leaves(m, from, to, &leaves));
		for (size_t at = 0; at < leaves.n; at += CS_HASH_BYTES) {
			cs_merkle_leaf((struct cs_bytes){ leaves.p + at,
					   CS_HASH_BYTES },
			    hash);
			cs_merkle_append(&edge, hash, NULL, NULL);
		}
		from = to;
	}
	for (int k = 63; k >= 0; k--)
		if (size >> k & 1)
			cs_buf_put(&m->peaks, edge.node[k], CS_HASH_BYTES);
	e = cs_buf_err(&m->peaks);
out:
	cs_buf_fini(&leaves);
	return e;
}

static cs_err
read_peaks(struct making *m, const struct cs_checkpoint *end)
{
	const struct cs_frame_receipt_log v = { m->custody.index + 1,
		end->size };
	struct cs_frame_receipt_log_reply reply;
	cs_err e;

	if (v.from == v.to || (v.from & (v.from - 1)) == 0)
		return read_first_leaves(m);
	CS_TRY(cs_ask_receipt_log(cs_client_conn(m->c), &v, &reply));
	pick_peaks(m, v.from, v.to, reply.consistency);
	e = cs_buf_err(&m->peaks);
out:
	return e;
}

/* Whether what was read is the log: before it is shown to anybody. */
static cs_err
check_growth(struct making *m, const struct cs_checkpoint *end)
{
	struct cs_merkle_edge edge = { .size = m->custody.index + 1 };
	const uint8_t *at = m->peaks.p;
	uint8_t hash[CS_HASH_BYTES];

	for (int k = 63; k >= 0; k--) {
		if (!(edge.size >> k & 1))
			continue;
		if (at == m->peaks.p + m->peaks.n)
			return CS_FORKED;
		memcpy(edge.node[k], at, CS_HASH_BYTES);
		at += CS_HASH_BYTES;
	}
	for (size_t i = 0; i < m->leaves.n; i += CS_HASH_BYTES) {
		cs_merkle_leaf((struct cs_bytes){ m->leaves.p + i,
				   CS_HASH_BYTES },
		    hash);
		cs_merkle_append(&edge, hash, NULL, NULL);
	}
	cs_merkle_root(&edge, hash);
	return memcmp(hash, end->root, CS_HASH_BYTES) == 0 ? CS_OK : CS_FORKED;
}

static cs_err
add_silence(struct making *m)
{
	struct cs_checkpoint end;
	struct cs_statement custody;
	cs_err e;

	if (!m->has_custody) {
		cs_why_set(cs_client_why(m->c),
		    "the relay has not taken custody of it: there is nothing "
		    "that could have been acknowledged");
		return CS_NOT_FOUND;
	}
	if (!cs_client_conn(m->c))
		return CS_UNREACHABLE;
	CS_TRY(find_end(m, &end));
	CS_TRY(end.size > m->custody.index ? CS_OK : CS_NOT_FOUND);
	CS_TRY(end.size - m->custody.index - 1 > CS_RECEIPTPROOF_MAX_LEAVES
		   ? CS_TOO_LARGE
		   : CS_OK);
	CS_TRY(read_peaks(m, &end));
	CS_TRY(read_leaves(m, m->custody.index + 1, end.size, &m->leaves));
	e = check_growth(m, &end);
	if (e != CS_OK)
		cs_why_set(cs_client_why(m->c),
		    "the leaves that the relay shows are not its log's");
	CS_TRY(e);
	CS_TRY(cs_statement_decode(m->custody.statement, &custody));
	CS_TRY(cs_judge_acknowledgement(&custody, m->proof.m_hash,
	    cs_buf_view(&m->leaves), &m->report.is_acked));
	m->proof.has_silence = true;
	m->proof.note = cs_buf_view(&m->note);
	m->proof.peaks = cs_buf_view(&m->peaks);
	m->proof.leaves = cs_buf_view(&m->leaves);
	m->report.silence_s = end.time_s;
out:
	return e;
}

/* ----------------------------------------------------------------------- whole
 */

static cs_err
finish(struct making *m, struct cs_buf *ret)
{
	static const char human[] =
	    "What was stated of one message, signed and entered in the log of "
	    "the relay.\n"
	    "It holds ids, hashes and names of the directory, not the message. "
	    "To judge it:\n"
	    "    consil verify FILE\n"
	    "Without a home, knowing the network's id:\n"
	    "    consil verify FILE --network-id ID\n";
	struct cs_buf binary = { 0 };
	cs_err e;

	CS_TRY(cs_buf_err(&m->subjects));
	CS_TRY(cs_excerpt_collect(m->dir, cs_buf_view(&m->subjects), &m->certs,
	    &m->proof.n_certs));
	cs_directory_network_id(m->dir, m->proof.network_id);
	memcpy(m->proof.envelope_id, m->what->id, CS_ID_BYTES);
	m->proof.seen = *cs_client_checkpoint(m->c);
	m->proof.certs = cs_buf_view(&m->certs);
	m->proof.items = cs_buf_view(&m->items);
	m->proof.n_items = (uint16_t)m->report.n_items;
	CS_TRY(m->report.n_items > CS_RECEIPTPROOF_MAX_ITEMS ? CS_TOO_LARGE
							     : CS_OK);
	CS_TRY(cs_receiptproof_encode(&m->proof, &binary));
	cs_armour_encode(CS_RECEIPTPROOF_ARMOUR, cs_buf_view(&binary), human,
	    ret);
	e = cs_buf_err(ret);
out:
	cs_buf_fini(&binary);
	return e;
}

/* What came under a checkpoint that nobody tied to the others yet. */
static cs_err
tie_custody(struct making *m)
{
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_logged logged;
	struct cs_outrec sent;
	cs_err e;

	if (!m->what->is_sent || !cs_client_conn(m->c))
		return CS_OK;
	CS_TRY(cs_local_begin(cs_client_local(m->c), true, &txn));
	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, m->what->id, &sent, &value));
	if (sent.custody.n == 0)
		goto out;
	CS_TRY(cs_statement_logged_decode(sent.custody, &logged));
	CS_TRY(cs_logbook_want(m->c, txn, logged.checkpoint, logged.index));
	CS_TRY(cs_local_commit(&txn));
	CS_TRY(cs_logbook_link(m->c));
out:
	cs_secret_free(value);
	cs_local_end(&txn);
	return e;
}

cs_err
cs_receiptfile_make(struct cs_client *c, const struct cs_receiptfile *what,
    struct cs_buf *ret, struct cs_receiptfile_report *ret_report)
{
	struct making m = {
		.c = c, .dir = cs_client_directory(c), .what = what
	};
	struct cs_directory_relay relay;
	cs_err e;

	/* the one that signed the checkpoint of the directory */
	CS_TRY(cs_directory_relay(m.dir, &relay));
	add_subject(&m, relay.id);
	CS_TRY(tie_custody(&m));
	CS_TRY(cs_local_begin(cs_client_local(c), false, &m.txn));
	CS_TRY(what->is_sent ? take_sent(&m) : take_received(&m));
	cs_local_end(&m.txn);
	if (what->has_silence)
		CS_TRY(add_silence(&m));
	CS_TRY(m.report.n_items > 0 ? CS_OK : CS_NOTHING);
	CS_TRY(finish(&m, ret));
	*ret_report = m.report;
out:
	cs_local_end(&m.txn);
	cs_buf_fini(&m.certs);
	cs_buf_fini(&m.items);
	cs_buf_fini(&m.subjects);
	cs_buf_fini(&m.before);
	cs_buf_fini(&m.consistency);
	cs_buf_fini(&m.custody_bytes);
	cs_buf_fini(&m.note);
	cs_buf_fini(&m.peaks);
	cs_buf_fini(&m.leaves);
	return e;
}
