#include "keys/judge.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys/dirstate.h"
#include "keys/verify.h"
#include "proto/field.h"
#include "proto/label.h"
#include "proto/merkle.h"

/* Clocks of device and relay agree to within this: client/skew.h. */
#define SKEW_S 3600

/* A proof being judged. */
struct trial {
	struct cs_judge *j;
	struct cs_directory *part;      /* what the file has of the directory */
	const struct cs_directory *dir; /* by which is judged */
	uint64_t known_s; /* by then the message's S was stated of */
	bool is_known;
	/* the custody statement that silence begins with */
	bool has_custody;
	struct cs_statement custody;
	uint64_t custody_index;
	struct cs_checkpoint custody_note;
	/* whose devices said themselves that they got what this is about */
	bool is_bound[CS_LIMIT_RECIPIENTS];
};

static bool
same(const uint8_t *a, const uint8_t *b, size_t n)
{
	return memcmp(a, b, n) == 0; /* public */
}

const char *
cs_judge_name(enum cs_verdict v)
{
	static const char *const names[] = {
		[CS_VERDICT_INVALID] = "invalid",
		[CS_VERDICT_UNPROVEN] = "good, time unproven",
		[CS_VERDICT_VALID] = "valid",
	};

	return names[v];
}

static void
lower(struct cs_judge_item *item, enum cs_verdict to, const char *why)
{
	if (item->verdict <= to)
		return;
	item->verdict = to;
	item->why = why;
}

/* Refuses, unless ok. */
static bool
need(struct cs_judge_item *item, bool ok, const char *why)
{
	if (!ok)
		lower(item, CS_VERDICT_INVALID, why);
	return ok;
}

/* --------------------------------------------------------------- certificates
 */

/* What a proof rests on; all else has no place in it. */
static bool
belongs(struct cs_bytes bytes)
{
	struct cs_entry entry;

	return cs_entry_decode(bytes, &entry) == CS_OK &&
	       (entry.type == CS_ENTRY_ROOT ||
		   entry.type == CS_ENTRY_REGISTRAR ||
		   entry.type == CS_ENTRY_RELAY ||
		   entry.type == CS_ENTRY_ORGANISATION ||
		   entry.type == CS_ENTRY_MEMBER ||
		   entry.type == CS_ENTRY_DEVICE ||
		   entry.type == CS_ENTRY_DEVICE_ROTATE ||
		   entry.type == CS_ENTRY_REVOKE);
}

/* Each entry is one that the log takes after those before it. CS_NO_MEMORY, or
 * CS_OK: *why is what is wrong. */
static cs_err
replay(struct trial *t, const char **why)
{
	const struct cs_receiptproof *p = &t->j->proof;
	struct cs_receiptproof_cert row;
	struct cs_entry_leaf leaf;
	size_t pos = 0;
	bool is_first = true;
	cs_err e;

	*why = "an entry of the directory in it does not hold";
	while (cs_receiptproof_next_cert(p, &pos, &row)) {
		if (cs_entry_leaf_decode(row.leaf, &leaf) != CS_OK ||
		    (is_first && leaf.seq != 0) || !belongs(leaf.entry))
			return CS_OK;
		is_first = false;
		e = cs_directory_apply(t->part, row.leaf);
		if (e != CS_OK)
			return e == CS_NO_MEMORY ? e : CS_OK;
	}
	*why = NULL;
	return CS_OK;
}

/* All of them are in the log that the relay signed. */
static const char *
check_places(struct trial *t)
{
	const struct cs_receiptproof *p = &t->j->proof;
	struct cs_directory_relay relay;
	struct cs_receiptproof_cert row;
	struct cs_entry_leaf leaf;
	uint8_t hash[CS_HASH_BYTES];
	size_t pos = 0;

	if (cs_directory_seen_by(t->part, &p->seen, &relay) != CS_OK)
		return "the checkpoint of the directory is not the relay's";
	memcpy(t->j->relay_id, relay.id, CS_ID_BYTES);
	while (cs_receiptproof_next_cert(p, &pos, &row)) {
		if (cs_entry_leaf_decode(row.leaf, &leaf) != CS_OK)
			return "an entry of the directory in it does not hold";
		cs_merkle_leaf(row.leaf, hash);
		if (cs_merkle_check_inclusion(hash, leaf.seq, p->seen.size,
			row.proof, p->seen.root) != CS_OK)
			return "an entry is not in the directory that the "
			       "relay signed";
	}
	return NULL;
}

/* What the file leaves out, the directory here has. */
static const char *
compare_own(struct trial *t, const struct cs_directory *own)
{
	const struct cs_receiptproof *p = &t->j->proof;
	cs_err e = cs_directory_compare(own, &p->seen);

	if (e == CS_STALE) {
		t->j->is_own_old = true;
		return NULL;
	}
	if (e != CS_OK)
		return "the relay showed another directory there than here";
	t->j->is_own = true;
	t->dir = own;
	return NULL;
}

static cs_err
check_certificates(struct trial *t, const struct cs_directory *own)
{
	struct cs_bytes name;
	const char *why;
	cs_err e;

	CS_TRY(replay(t, &why));
	if (!why)
		why = check_places(t);
	t->dir = t->part;
	if (!why && own)
		why = compare_own(t, own);
	if (!why && cs_directory_network_name(t->dir, &name) == CS_OK)
		snprintf(t->j->network_name, sizeof(t->j->network_name), "%.*s",
		    (int)name.n, (const char *)name.p);
	t->j->why = why;
out:
	return e;
}

/* -------------------------------------------------------------- the receipt
 * log
 */

static bool
is_compromised(const struct trial *t, const uint8_t *id)
{
	const struct cs_dirstate_subject *subject =
	    cs_dirstate_find(cs_directory_state(t->dir), id);

	return subject && subject->is_compromised;
}

/* Does the relay entry that a statement names have this key? */
static bool
is_entry_of(const struct trial *t, uint64_t entry,
    const struct cs_directory_relay *relay)
{
	struct cs_entry_leaf leaf;
	struct cs_entry_relay v;
	struct cs_entry decoded;
	struct cs_bytes bytes;

	return cs_directory_leaf(t->dir, entry, &bytes) == CS_OK &&
	       cs_entry_leaf_decode(bytes, &leaf) == CS_OK &&
	       cs_entry_decode(leaf.entry, &decoded) == CS_OK &&
	       decoded.type == CS_ENTRY_RELAY &&
	       same(decoded.subject, relay->id, CS_ID_BYTES) &&
	       cs_entry_relay_decode(decoded.body, &v) == CS_OK &&
	       same(v.sign_key, relay->relay.sign_key, CS_SIGN_PUBLIC_BYTES);
}

/* The checkpoint that did not have it yet. */
static void
check_before(const struct trial *t, const struct cs_receiptproof_entered *in,
    const struct cs_directory_relay *relay, const struct cs_checkpoint *after,
    struct cs_judge_item *item)
{
	struct cs_directory_relay by;
	struct cs_checkpoint before;

	if (in->before.n == 0) {
		if (need(item, in->consistency.n == 0,
			"a proof of nothing stands in it"))
			lower(item, CS_VERDICT_UNPROVEN,
			    "no checkpoint from before it");
		return;
	}
	if (!need(item,
		cs_directory_read_receipts(t->dir, in->before, &by, &before) ==
			CS_OK &&
		    same(by.id, relay->id, CS_ID_BYTES) &&
		    before.counter == after->counter,
		"the checkpoint before it is not the relay's") ||
	    !need(item, before.size <= in->index,
		"the checkpoint before it has it already") ||
	    !need(item,
		before.size == 0
		    ? in->consistency.n == 0
		    : cs_merkle_check_consistency(before.size, after->size,
			  in->consistency, before.root, after->root) == CS_OK,
		"its checkpoints are not of one log"))
		return;
	item->has_before = true;
	item->before_s = before.time_s;
	if (before.time_s > after->time_s)
		lower(item, CS_VERDICT_UNPROVEN,
		    "the relay's clock went back meanwhile");
}

/* The place of leaf data in the receipt log. ret_relay and ret_after are set
 * where it is not refused. */
static void
check_entered(const struct trial *t, const struct cs_receiptproof_entered *in,
    const uint8_t *data, struct cs_judge_item *item,
    struct cs_directory_relay *ret_relay, struct cs_checkpoint *ret_after)
{
	uint8_t hash[CS_HASH_BYTES];

	cs_merkle_leaf((struct cs_bytes){ data, CS_HASH_BYTES }, hash);
	if (!need(item,
		cs_directory_read_receipts(t->dir, in->note, ret_relay,
		    ret_after) == CS_OK,
		"its checkpoint is not the relay's") ||
	    !need(item,
		cs_merkle_check_inclusion(hash, in->index, ret_after->size,
		    in->proof, ret_after->root) == CS_OK,
		"it is not in the receipt log"))
		return;
	item->has_after = true;
	item->after_s = ret_after->time_s;
	check_before(t, in, ret_relay, ret_after, item);
	if (is_compromised(t, ret_relay->id))
		lower(item, CS_VERDICT_UNPROVEN,
		    "the relay was compromised: its dates prove nothing");
	if (item->st.time_s > ret_after->time_s + SKEW_S)
		lower(item, CS_VERDICT_UNPROVEN,
		    "it claims a time when it was there already");
}

/* ------------------------------------------------------------------ statements
 */

/* A device's word on what it holds, or held: names S and SHA-512(M). */
static bool
states_of_content(enum cs_fact fact)
{
	return fact == CS_FACT_DELIVERED || fact == CS_FACT_OPENED ||
	       fact == CS_FACT_ACKNOWLEDGED || fact == CS_FACT_PURGED;
}

/* Is it about this message? */
static bool
is_about(const struct cs_receiptproof *p, const struct cs_statement *st)
{
	const bool is_device = states_of_content(st->fact);
	const bool is_blind = st->fact == CS_FACT_DELIVERED &&
			      (st->result == CS_DELIVERED_UNDECRYPTABLE ||
				  st->result == CS_DELIVERED_BAD_SIGNATURE);

	return same(st->network_id, p->network_id, CS_NETWORK_ID_BYTES) &&
	       same(st->envelope_id, p->envelope_id, CS_ID_BYTES) &&
	       same(st->e, p->e, CS_HASH_BYTES) &&
	       (!is_device || is_blind ||
		   (same(st->s, p->s, CS_HASH_BYTES) &&
		       same(st->m_hash, p->m_hash, CS_HASH512_BYTES)));
}

/* Custody and outcome: the relay's word by being in its log. */
static void
judge_logged(struct trial *t, const struct cs_receiptproof_item *in,
    struct cs_judge_item *item)
{
	const struct cs_statement *st = &item->st;
	struct cs_directory_relay relay = { 0 };
	struct cs_checkpoint after = { 0 };
	uint8_t data[CS_HASH_BYTES];

	if (!need(item,
		st->fact == CS_FACT_CUSTODY || st->fact == CS_FACT_OUTCOME,
		"the relay cannot state that"))
		return;
	cs_statement_leaf(in->entered.salt, in->statement, data);
	check_entered(t, &in->entered, data, item, &relay, &after);
	if (item->verdict == CS_VERDICT_INVALID ||
	    !need(item,
		same(st->signer_device, relay.id, CS_ID_BYTES) &&
		    is_entry_of(t, st->signer_entry, &relay),
		"it is another relay's, or by another key"))
		return;
	if (st->fact == CS_FACT_CUSTODY && !t->has_custody &&
	    cs_field_is_zero(st->prev, sizeof(st->prev))) {
		t->has_custody = true;
		t->custody = *st;
		t->custody_index = in->entered.index;
		t->custody_note = after;
	}
}

/* The key, as of the time that the device claims. */
static bool
check_signature(const struct trial *t, const struct cs_receiptproof_item *in,
    struct cs_judge_item *item)
{
	const struct cs_statement *st = &item->st;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	struct cs_directory_device device;
	cs_err e;

	e = cs_directory_signer(t->dir, st->signer_device, st->signer_entry,
	    st->time_s, key);
	return need(item, e != CS_REVOKED,
		   "its key had ended by the time it claims") &&
	       need(item,
		   e == CS_OK &&
		       cs_directory_device(t->dir, st->signer_device,
			   &device) == CS_OK &&
		       same(device.member, st->signer_member, CS_ID_BYTES),
		   "its key is not certified") &&
	       need(item,
		   cs_verify_ed25519(key, in->statement, in->signature) ==
		       CS_OK,
		   "its signature does not verify");
}

/* Shown to have existed before the key ended? Who has an ended key can date
 * back. */
static void
check_end(const struct trial *t, struct cs_judge_item *item)
{
	uint64_t end_s;

	if (cs_directory_signer_ends(t->dir, item->st.signer_device,
		item->st.signer_entry, &end_s) != CS_OK ||
	    item->after_s >= end_s)
		lower(item, CS_VERDICT_UNPROVEN,
		    "its key has ended, and it was not in the log before");
}

static void
judge_signed(struct trial *t, const struct cs_receiptproof_item *in,
    struct cs_judge_item *item)
{
	const struct cs_statement *st = &item->st;
	const bool is_shown = in->how == CS_RECEIPTPROOF_SHOWN;
	uint8_t leaf[CS_HASH_BYTES], data[CS_HASH_BYTES];
	const bool is_receipt = states_of_content(st->fact);
	struct cs_directory_relay relay = { 0 };
	struct cs_checkpoint after = { 0 };

	if (!need(item,
		st->fact != CS_FACT_CUSTODY && st->fact != CS_FACT_OUTCOME &&
		    is_receipt != is_shown,
		"a device cannot state that so") ||
	    !check_signature(t, in, item))
		return;
	if (in->how == CS_RECEIPTPROOF_SIGNED) {
		lower(item, CS_VERDICT_UNPROVEN, "it is in no log");
		return;
	}
	cs_statement_leaf(in->entered.salt, in->statement, data);
	if (!is_shown) {
		memcpy(leaf, data, sizeof(leaf));
		cs_statement_anchor(leaf, data);
	}
	check_entered(t, &in->entered, data, item, &relay, &after);
	if (item->verdict > CS_VERDICT_INVALID)
		check_end(t, item);
	if (item->verdict > CS_VERDICT_INVALID && !is_shown &&
	    same(st->s, t->j->proof.s, CS_HASH_BYTES) &&
	    (!t->is_known || item->after_s < t->known_s)) {
		t->is_known = true;
		t->known_s = item->after_s;
	}
}

/* The message's own signature: of no time, but there when somebody stated
 * something of it. */
static void
judge_sender(struct trial *t, const struct cs_receiptproof_item *in,
    struct cs_judge_item *item)
{
	const struct cs_receiptproof *p = &t->j->proof;
	const struct cs_bytes label = CS_LABEL_ENVELOPE;
	uint8_t key[CS_SIGN_PUBLIC_BYTES], s[CS_HASH_BYTES];
	uint8_t message[64 + 2 * CS_HASH512_BYTES];
	struct cs_directory_device device;
	uint64_t end_s;

	memcpy(item->st.signer_member, in->member, CS_ID_BYTES);
	memcpy(item->st.signer_device, in->device, CS_ID_BYTES);
	item->st.signer_entry = in->entry;
	memcpy(message, label.p, label.n);
	memcpy(message + label.n, in->h_hash, CS_HASH512_BYTES);
	memcpy(message + label.n + CS_HASH512_BYTES, p->m_hash,
	    CS_HASH512_BYTES);
	crypto_hash_sha256(s, in->signature, sizeof(in->signature));
	if (!need(item, same(s, p->s, CS_HASH_BYTES),
		"it is the signature of another message") ||
	    !need(item,
		cs_directory_signer(t->dir, in->device, in->entry, 0, key) ==
			CS_OK &&
		    cs_directory_device(t->dir, in->device, &device) == CS_OK &&
		    same(device.member, in->member, CS_ID_BYTES),
		"its key is not certified") ||
	    !need(item,
		cs_verify_ed25519(key,
		    (struct cs_bytes){
			message, label.n + 2 * CS_HASH512_BYTES },
		    in->signature) == CS_OK,
		"its signature does not verify"))
		return;
	item->has_after = t->is_known;
	item->after_s = t->known_s;
	if (!t->is_known)
		lower(item, CS_VERDICT_UNPROVEN, "nothing shows when it was");
	else if (cs_directory_signer_ends(t->dir, in->device, in->entry,
		     &end_s) != CS_OK ||
		 t->known_s >= end_s)
		lower(item, CS_VERDICT_UNPROVEN,
		    "its key has ended, and nothing shows it was there before");
}

static void
judge_item(struct trial *t, const struct cs_receiptproof_item *in,
    struct cs_judge_item *ret)
{
	*ret = (struct cs_judge_item){ .how = in->how,
		.verdict = CS_VERDICT_VALID };
	if (in->how == CS_RECEIPTPROOF_SENDER) {
		judge_sender(t, in, ret);
		return;
	}
	if (!need(ret, cs_statement_decode(in->statement, &ret->st) == CS_OK,
		"it is no statement") ||
	    !need(ret, is_about(&t->j->proof, &ret->st),
		"it is about another message"))
		return;
	if (in->how == CS_RECEIPTPROOF_LOGGED)
		judge_logged(t, in, ret);
	else
		judge_signed(t, in, ret);
}

/* A recipient's own word for which message it was. */
static void
bind_recipient(struct trial *t, const struct cs_judge_item *item)
{
	struct cs_custody_recipient row;

	if (item->how == CS_RECEIPTPROOF_SENDER ||
	    item->verdict == CS_VERDICT_INVALID ||
	    !same(item->st.s, t->j->proof.s, CS_HASH_BYTES))
		return;
	for (uint16_t i = 0; i < t->custody.n_recipients; i++) {
		cs_statement_custody_recipient(&t->custody, i, &row);
		if (same(row.device_id, item->st.signer_device, CS_ID_BYTES))
			t->is_bound[i] = true;
	}
}

static void
name_signer(const struct trial *t, struct cs_judge_item *item)
{
	struct cs_directory_member member;

	if (cs_directory_member(t->dir, item->st.signer_member, &member) ==
	    CS_OK)
		item->address = member.address;
}

static void
worsen(struct cs_judge *j, enum cs_verdict to)
{
	if (to < j->verdict)
		j->verdict = to;
}

/* Once for what a message's own signature rests on, once to tell. */
static cs_err
judge_items(struct trial *t, cs_judge_each *each, void *ctx)
{
	struct cs_receiptproof_item in;
	struct cs_judge_item item;
	size_t pos = 0;
	cs_err e = CS_OK;

	while (cs_receiptproof_next_item(&t->j->proof, &pos, &in))
		judge_item(t, &in, &item);
	pos = 0;
	while (cs_receiptproof_next_item(&t->j->proof, &pos, &in)) {
		judge_item(t, &in, &item);
		worsen(t->j, item.verdict);
		bind_recipient(t, &item);
		name_signer(t, &item);
		if (each)
			CS_TRY(each(ctx, &item));
	}
out:
	return e;
}

/* --------------------------------------------------------------------- silence
 */

/* The tree that ends with the custody statement. */
static bool
read_peaks(const struct cs_receiptproof *p, uint64_t size,
    struct cs_merkle_edge *ret)
{
	const uint8_t *at = p->peaks.p;
	size_t left = p->peaks.n;

	*ret = (struct cs_merkle_edge){ .size = size };
	for (int k = 63; k >= 0; k--) {
		if (!(size >> k & 1))
			continue;
		if (left == 0)
			return false;
		memcpy(ret->node[k], at, CS_HASH_BYTES);
		at += CS_HASH_BYTES;
		left -= CS_HASH_BYTES;
	}
	return left == 0;
}

static bool
has_root(const struct cs_merkle_edge *edge, const struct cs_checkpoint *cp)
{
	uint8_t root[CS_HASH_BYTES];

	if (edge->size != cp->size)
		return false;
	cs_merkle_root(edge, root);
	return same(root, cp->root, CS_HASH_BYTES);
}

/* Whether the leaves lead from the custody statement to the later checkpoint,
 * by way of the one that custody came under. */
static bool
grows(const struct trial *t, const struct cs_checkpoint *end)
{
	const struct cs_receiptproof *p = &t->j->proof;
	struct cs_merkle_edge edge;
	uint8_t hash[CS_HASH_BYTES];
	bool is_met;

	if (!read_peaks(p, t->custody_index + 1, &edge))
		return false;
	is_met = has_root(&edge, &t->custody_note);
	for (size_t at = 0; at < p->leaves.n; at += CS_HASH_BYTES) {
		cs_merkle_leaf((struct cs_bytes){ p->leaves.p + at,
				   CS_HASH_BYTES },
		    hash);
		cs_merkle_append(&edge, hash, NULL, NULL);
		is_met = is_met || has_root(&edge, &t->custody_note);
	}
	return is_met && has_root(&edge, end);
}

static int
by_hash(const void *a, const void *b)
{
	return memcmp(a, b, CS_HASH_BYTES); /* public */
}

cs_err
cs_judge_acknowledgement(const struct cs_statement *custody,
    const uint8_t m_hash[static CS_HASH512_BYTES], struct cs_bytes leaves,
    bool *ret)
{
	const size_t n = leaves.n / CS_HASH_BYTES;
	uint8_t mark[CS_HASH_BYTES], data[CS_HASH_BYTES];
	struct cs_custody_recipient row;
	uint8_t *sorted;

	*ret = false;
	if (n == 0)
		return CS_OK;
	sorted = malloc(leaves.n);
	if (!sorted)
		return CS_NO_MEMORY;
	memcpy(sorted, leaves.p, leaves.n);
	qsort(sorted, n, CS_HASH_BYTES, by_hash);
	for (uint16_t i = 0; i < custody->n_recipients; i++) {
		cs_statement_custody_recipient(custody, i, &row);
		cs_statement_acked(m_hash, row.device_id, mark);
		cs_statement_anchor(mark, data);
		if (bsearch(data, sorted, n, CS_HASH_BYTES, by_hash))
			*ret = true;
	}
	free(sorted);
	return CS_OK;
}

static cs_err
judge_silence(struct trial *t)
{
	struct cs_judge *j = t->j;
	struct cs_directory_relay relay;
	struct cs_checkpoint end;
	bool is_acked;
	cs_err e = CS_OK;

	if (!j->proof.has_silence)
		return CS_OK;
	j->silence = CS_VERDICT_INVALID;
	j->silence_why = "there is no custody statement to begin with";
	if (!t->has_custody)
		goto out;
	j->silence_why = "its checkpoint is not the relay's";
	if (cs_directory_read_receipts(t->dir, j->proof.note, &relay, &end) !=
		CS_OK ||
	    !same(relay.id, t->custody.signer_device, CS_ID_BYTES))
		goto out;
	j->silence_s = end.time_s;
	j->silence_why = "the leaves are not those of the receipt log";
	if (!grows(t, &end))
		goto out;
	CS_TRY(cs_judge_acknowledgement(&t->custody, j->proof.m_hash,
	    j->proof.leaves, &is_acked));
	j->silence_why = "an acknowledgement is in the log";
	if (is_acked)
		goto out;
	j->n_recipients = t->custody.n_recipients;
	for (uint16_t i = 0; i < t->custody.n_recipients; i++)
		j->n_bound += t->is_bound[i];
	j->silence = CS_VERDICT_VALID;
	j->silence_why = NULL;
	if (is_compromised(t, relay.id)) {
		j->silence = CS_VERDICT_UNPROVEN;
		j->silence_why =
		    "the relay was compromised: its dates prove nothing";
	}
out:
	worsen(j, j->silence);
	return e;
}

/* ----------------------------------------------------------------------- whole
 */

cs_err
cs_judge_run(struct cs_bytes file,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_directory *own, cs_judge_each *each, void *ctx,
    struct cs_judge *ret)
{
	struct cs_judge j = { .verdict = CS_VERDICT_VALID };
	struct trial t = { .j = &j };
	cs_err e;

	CS_TRY(cs_receiptproof_decode(file, &j.proof));
	CS_TRY(same(j.proof.network_id, network_id, CS_NETWORK_ID_BYTES)
		   ? CS_OK
		   : CS_WRONG_NETWORK);
	CS_TRY(cs_directory_new_part(network_id, &t.part));
	CS_TRY(check_certificates(&t, own));
	if (j.why) {
		j.verdict = CS_VERDICT_INVALID;
	} else {
		CS_TRY(judge_items(&t, each, ctx));
		CS_TRY(judge_silence(&t));
	}
	*ret = j;
out:
	cs_directory_free(t.part);
	return e;
}
