#include "client/intake.h"

#include <string.h>
#include <unistd.h>

#include "client/about.h"
#include "client/ask.h"
#include "client/copying.h"
#include "client/download.h"
#include "client/gone.h"
#include "client/gossip.h"
#include "client/inrec.h"
#include "client/logbook.h"
#include "client/marks.h"
#include "client/outbox.h"
#include "client/outrec.h"
#include "client/owed.h"
#include "client/receipt.h"
#include "client/segfile.h"
#include "client/thread.h"
#include "keys/file.h"
#include "keys/open.h"
#include "proto/said.h"

/* One item being taken in. */
struct intake {
	struct cs_client *c;
	const struct cs_frame_item *item;
	bool is_retry;
	bool is_disputed;     /* its author saw another directory */
	bool is_contradicted; /* … was told of another mailbox */
	struct cs_buf envelope;
	struct cs_envelope env; /* borrows from envelope */
	struct cs_open *open;   /* NULL: does not open */
	enum cs_open_step step; /* where it failed */
	struct cs_buf missing;  /* object ids that are not to be had */
	struct cs_buf receipt;  /* ours: statement ‖ signature */
	uint8_t last[CS_HASH_BYTES];
};

/* ------------------------------------------------------ fetching, opening */

/* CS_REPLAY if this envelope was taken in before, CS_CLASH if another one of
 * its id was. */
static cs_err
check_unseen(struct intake *t)
{
	struct cs_secret *v = NULL;
	cs_err e;

	e = cs_local_read(cs_client_local(t->c), CS_LOCAL_SEEN,
	    CS_BYTES(t->item->envelope_id), &v);
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	e = cs_bytes_eq(cs_secret_view(v), CS_BYTES(t->item->e)) /* public */
		? CS_REPLAY
		: CS_CLASH;
out:
	cs_secret_free(v);
	return e;
}

/* The relay answered, and what it said is about this item alone. */
static bool
is_gone(struct cs_client *c, cs_err e)
{
	return cs_conn_is_open(cs_client_conn(c)) &&
	       (e == CS_NOT_FOUND || e == CS_CORRUPT || e == CS_EXPIRED ||
		   e == CS_DENIED);
}

static cs_err
fetch(struct intake *t)
{
	struct cs_bytes envelope;
	cs_err e;

	CS_TRY(cs_ask_fetch(cs_client_conn(t->c), t->item->envelope_id,
	    &envelope));
	/* The session's buffer serves the attachments next. */
	cs_buf_reset(&t->envelope);
	cs_buf_put_bytes(&t->envelope, envelope);
	e = cs_buf_err(&t->envelope);
out:
	return e;
}

/* The list, which the chain is about, must name this very envelope. */
static bool
is_listed(struct intake *t)
{
	uint8_t e[CS_HASH_BYTES];

	if (cs_envelope_decode(cs_buf_view(&t->envelope), &t->env) != CS_OK) {
		t->env = (struct cs_envelope){ 0 };
		return false;
	}
	cs_envelope_hash(&t->env, e);
	return memcmp(e, t->item->e, sizeof(e)) == 0 &&
	       memcmp(t->env.envelope_id, t->item->envelope_id, CS_ID_BYTES) ==
		   0;
}

static cs_err
open_envelope(struct intake *t)
{
	const struct cs_keyring_info *self = cs_client_self(t->c);

	return cs_open_envelope(cs_buf_view(&t->envelope), self->network_id,
	    self->id, cs_client_epochs(t->c), cs_client_directory(t->c),
	    &t->open, &t->step);
}

/* Where the ciphertext of what does not open is kept. */
static cs_err
kept_path(const struct intake *t, char ret[static CS_HOME_PATH_BYTES])
{
	static const char name[] = "/" CS_HOME_ENVELOPE;
	size_t n;

	cs_home_path(cs_client_home(t->c), CS_HOME_OBJECTS,
	    t->item->envelope_id, NULL, ret);
	n = strlen(ret);
	if (n + sizeof(name) > CS_HOME_PATH_BYTES)
		return CS_IO;
	memcpy(ret + n, name, sizeof(name));
	return CS_OK;
}

static cs_err
keep_ciphertext(struct intake *t)
{
	char path[CS_HOME_PATH_BYTES];
	cs_err e;

	CS_TRY(cs_home_mkdir(cs_client_home(t->c), CS_HOME_OBJECTS,
	    t->item->envelope_id));
	CS_TRY(kept_path(t, path));
	CS_TRY(cs_file_write(path, cs_buf_view(&t->envelope), 0600, true));
out:
	return e;
}

/* Best effort: what is left is ciphertext. */
static void
forget_ciphertext(struct intake *t)
{
	char path[CS_HOME_PATH_BYTES];

	if (kept_path(t, path) == CS_OK)
		unlink(path);
}

/* The envelope: what an earlier try kept, where that is what was listed, else
 * from the relay. */
static cs_err
bring_envelope(struct intake *t)
{
	char path[CS_HOME_PATH_BYTES];

	if (t->is_retry && kept_path(t, path) == CS_OK &&
	    cs_file_read(path, CS_LIMIT_ENVELOPE_BYTES, false, &t->envelope) ==
		CS_OK &&
	    is_listed(t))
		return CS_OK;
	return fetch(t);
}

/* After its lifetime nothing is waited for. */
static bool
is_over(const struct intake *t)
{
	return t->env.expires_at_s < cs_client_now();
}

/*
 * Whether what failed may end otherwise another time: a body that the relay may
 * have altered, for E is of header and header_mac alone; a sender whom our
 * mirror does not know or whose practice is not in good standing. What is wrong
 * with signed bytes stays wrong, and a key of ours that is gone does not come
 * back.
 */
static bool
may_heal(const struct intake *t, cs_err e)
{
	if (is_over(t))
		return false;
	if (t->step == CS_OPEN_BODY)
		return e == CS_BAD_MAC;
	return t->step == CS_OPEN_CERTIFICATE && e != CS_REVOKED &&
	       e != CS_BAD_SIGNATURE;
}

/* Opens it, or finds that it does not: t->open tells. A sender who is newer
 * than our mirror is looked up once. */
static cs_err
try_open(struct intake *t, bool *ret_may_heal)
{
	cs_err e;

	e = open_envelope(t);
	if (e == CS_NOT_FOUND && !t->is_retry) {
		CS_TRY(cs_client_connect(t->c, 0));
		e = open_envelope(t);
	}
	/* Our own trouble is no verdict on the message. */
	if (e != CS_NO_MEMORY) {
		*ret_may_heal = e != CS_OK && may_heal(t, e);
		e = CS_OK;
	}
out:
	return e;
}

/* One attachment: as the header names it, and what the manifest says of it.
 * CS_PARTIAL: it is not to be had, or not what the sender signed. */
static cs_err
bring_object(struct intake *t, const struct cs_envelope_object *object,
    const struct cs_manifest_object *signed_as, uint64_t before)
{
	char path[CS_HOME_PATH_BYTES];
	cs_err e;

	CS_TRY(cs_download_object(t->c, t->item->envelope_id, object, before));
	cs_home_path(cs_client_home(t->c), CS_HOME_OBJECTS,
	    t->item->envelope_id, object->object_id, path);
	e = cs_segfile_check(path, signed_as);
	if (cs_segfile_is_damage(e)) {
		unlink(path);
		e = CS_PARTIAL;
	}
out:
	return e;
}

static cs_err
bring_objects(struct intake *t)
{
	const struct cs_manifest *m = cs_open_manifest(t->open);
	struct cs_manifest_object signed_as;
	struct cs_envelope_object object;
	struct cs_transfer *transfer = cs_client_transfer(t->c);
	uint64_t total = 0, before = 0;
	size_t pos = 0;
	uint16_t i;
	cs_err e = CS_OK;

	while (cs_manifest_next_object(m, &pos, &signed_as))
		total += signed_as.bytes;
	cs_transfer_begin(transfer, t->item->envelope_id, false, total);
	pos = 0;
	for (i = 0; cs_manifest_next_object(m, &pos, &signed_as); i++) {
		cs_envelope_object(&t->env, i, &object);
		e = bring_object(t, &object, &signed_as, before);
		if (e == CS_PARTIAL && cs_conn_is_open(cs_client_conn(t->c))) {
			cs_buf_put(&t->missing, object.object_id, CS_ID_BYTES);
			e = cs_buf_err(&t->missing);
		}
		CS_TRY(e);
		before += signed_as.bytes;
		cs_transfer_reach(transfer, before);
	}
out:
	return e;
}

/* --------------------------------------------------------------- committing */

static cs_err
make_delivered(struct intake *t)
{
	struct cs_statement st = { .fact = CS_FACT_DELIVERED,
		.result = CS_DELIVERED_OK };
	cs_err e;

	memcpy(st.envelope_id, t->item->envelope_id, CS_ID_BYTES);
	memcpy(st.e, cs_open_e(t->open), CS_HASH_BYTES);
	memcpy(st.s, cs_open_s(t->open), CS_HASH_BYTES);
	memcpy(st.m_hash, cs_open_m_hash(t->open), CS_HASH512_BYTES);
	if (t->missing.n > 0) {
		st.result = CS_DELIVERED_INCOMPLETE;
		st.n_objects = (uint16_t)(t->missing.n / CS_ID_BYTES);
		st.objects = cs_buf_view(&t->missing);
	}
	CS_TRY(cs_receipt_make(t->c, &st, &t->receipt));
	cs_statement_hash((struct cs_bytes){ t->receipt.p,
			      t->receipt.n - CS_SIGNATURE_BYTES },
	    t->last);
out:
	return e;
}

static void
fill_record(const struct intake *t, struct cs_inrec *r)
{
	memcpy(r->id, t->item->envelope_id, CS_ID_BYTES);
	memcpy(r->e, t->item->e, CS_HASH_BYTES);
	r->class = (enum cs_class)t->item->class;
	r->seq = t->item->seq;
	r->received_at_s = t->item->received_at_s;
	r->expires_at_s = t->item->expires_at_s;
	r->stored_bytes = t->item->stored_bytes;
	r->missing = cs_buf_view(&t->missing);
	r->failed_step = (uint8_t)t->step;
}

/* Whether the sender is among those a message of ours was sent to. */
static bool
was_sent_to(const struct cs_outrec *sent, const uint8_t *member_id)
{
	struct cs_manifest_device row;
	size_t pos = 0;

	while (cs_manifest_next_device(&sent->manifest, &pos, &row))
		if (memcmp(row.member_id, member_id, CS_ID_BYTES) == 0)
			return true;
	return false;
}

/* A binding is the sender's word; it is an answer if it is to exactly what this
 * device sent. S and SHA-512(M) are known to those alone who have M: to whom it
 * was sent, or forwarded. */
static cs_err
check_reply(struct cs_local_txn *txn, const struct cs_manifest *m,
    enum cs_inrec_answer *ret)
{
	const struct cs_manifest_reply *r = &m->reply;
	struct cs_secret *value = NULL;
	struct cs_outrec sent;
	cs_err e;

	*ret = CS_INREC_NO_ANSWER;
	if (!m->has_reply)
		return CS_OK;
	e = cs_outrec_get(txn, CS_LOCAL_OUT, r->envelope_id, &sent, &value);
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	if (memcmp(r->e, sent.e, CS_HASH_BYTES) == 0 &&
	    memcmp(r->s, sent.s, CS_HASH_BYTES) == 0 &&
	    memcmp(r->m_hash, sent.m_hash, CS_HASH512_BYTES) == 0)
		*ret = was_sent_to(&sent, m->sender_member)
			   ? CS_INREC_ANSWER
			   : CS_INREC_ANSWER_FORWARDED;
out:
	cs_secret_free(value);
	return e;
}

/* What was sent has an answer: the wait for it is over. */
static cs_err
put_answer(struct cs_local_txn *txn, const uint8_t *sent_id,
    const struct cs_inrec *r)
{
	uint8_t key[CS_LOCAL_PAIR_BYTES];
	struct cs_buf value = { 0 };
	cs_err e;

	cs_local_pair(sent_id, r->id, key);
	cs_buf_put_u64(&value, r->received_at_s);
	CS_TRY(cs_buf_err(&value));
	CS_TRY(cs_local_put(txn, CS_LOCAL_ANSWER, CS_BYTES(key),
	    cs_buf_view(&value)));
out:
	cs_buf_fini(&value);
	return e;
}

static cs_err
put_message(struct intake *t, struct cs_local_txn *txn)
{
	const struct cs_manifest *m = cs_open_manifest(t->open);
	struct cs_directory_member sender;
	struct cs_inrec r = { .is_readable = true };
	cs_err e;

	CS_TRY(cs_directory_member(cs_client_directory(t->c), m->sender_member,
	    &sender));
	fill_record(t, &r);
	r.failed_step = 0;
	r.class = cs_open_header(t->open)->class;
	/* The relay's word for how to treat it; a case has an urgency. */
	if (r.class == CS_CLASS_RECEIPT)
		r.class = CS_CLASS_ROUTINE;
	memcpy(r.s, cs_open_s(t->open), CS_HASH_BYTES);
	memcpy(r.m_hash, cs_open_m_hash(t->open), CS_HASH512_BYTES);
	memcpy(r.signature, cs_open_signature(t->open), CS_SIGNATURE_BYTES);
	r.from = sender.address;
	r.from_name = sender.name;
	r.m = cs_open_manifest_bytes(t->open);
	/* an archive got it to keep, not to answer */
	if (!sender.archive)
		CS_TRY(check_reply(txn, m, &r.answer));
	if (m->receipt_policy & CS_RECEIPT_DELIVERED) {
		CS_TRY(make_delivered(t));
		CS_TRY(cs_outbox_put_receipt(t->c, txn, m->sender_member, r.id,
		    cs_buf_view(&t->receipt)));
		memcpy(r.last, t->last, CS_HASH_BYTES);
	}
	CS_TRY(cs_inrec_put(txn, &r));
	CS_TRY(cs_about_put(txn, r.id, m));
	CS_TRY(cs_thread_put(txn, m, r.id, false));
	if (r.answer == CS_INREC_ANSWER)
		CS_TRY(put_answer(txn, m->reply.envelope_id, &r));
out:
	return e;
}

/* So that it is seen that something came. */
static cs_err
put_unopened(struct intake *t, struct cs_local_txn *txn, bool is_waiting)
{
	struct cs_inrec r = { .is_waiting = is_waiting };

	fill_record(t, &r);
	return cs_inrec_put(txn, &r);
}

/* CS_DENIED for a receipt that does not hold, CS_NOT_FOUND for one about what
 * this device did not send, CS_NO_KEY where our mirror does not know its
 * signer. */
static cs_err
put_receipt(struct intake *t, struct cs_local_txn *txn)
{
	const struct cs_bytes in = cs_open_manifest(t->open)->content;
	const uint64_t size = cs_directory_view(cs_client_directory(t->c)).size;
	struct cs_secret *value = NULL;
	struct cs_outrec sent;
	struct cs_statement st;
	struct cs_said said;
	bool is_new;
	cs_err e;

	if (cs_receipt_decode(in, &st) != CS_OK)
		return CS_DENIED;
	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, st.envelope_id, &sent, &value));
	e = cs_receipt_check(&sent, in, cs_client_self(t->c)->network_id,
	    cs_client_directory(t->c), &st);
	/* what our mirror has under that number is no key of theirs for ever */
	if (e == CS_NOT_FOUND)
		e = is_over(t) || st.signer_entry < size ? CS_DENIED
							 : CS_NO_KEY;
	else if (e != CS_OK)
		e = CS_DENIED;
	CS_TRY(e);
	CS_TRY(cs_receipt_store(txn, st.envelope_id, st.signer_device, st.fact,
	    in, &is_new));
	if (is_new)
		CS_TRY(cs_copying_want(t->c, txn, &sent, &st));
	CS_TRY(cs_said_decode(in, &said, NULL));
	if (said.is_anchored)
		CS_TRY(cs_logbook_want(t->c, txn, said.anchor.checkpoint,
		    said.anchor.index));
out:
	cs_secret_free(value);
	return e;
}

static cs_err
take_receipt(struct intake *t, struct cs_local_txn *txn,
    enum cs_intake_kind *ret)
{
	static const struct {
		cs_err e;
		enum cs_intake_kind kind;
	} ends[] = {
		{ CS_OK, CS_INTAKE_RECEIPT },
		{ CS_DENIED, CS_INTAKE_REFUSED },
		{ CS_NOT_FOUND, CS_INTAKE_SIBLING },
		{ CS_NO_KEY, CS_INTAKE_WAITING },
	};
	cs_err e = put_receipt(t, txn);
	size_t i;

	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (ends[i].e == e) {
			*ret = ends[i].kind;
			return CS_OK;
		}
	}
	return e;
}

/* What an item is decides what of it is kept. */
static cs_err
put_content(struct intake *t, struct cs_local_txn *txn,
    enum cs_intake_kind *kind)
{
	switch (*kind) {
	case CS_INTAKE_MESSAGE:
		return put_message(t, txn);
	case CS_INTAKE_UNREADABLE:
		return put_unopened(t, txn, false);
	case CS_INTAKE_WAITING:
		return put_unopened(t, txn, true);
	case CS_INTAKE_RECEIPT:
		return take_receipt(t, txn, kind);
	case CS_INTAKE_SIBLING:
	case CS_INTAKE_REFUSED:
	case CS_INTAKE_CLASH:
		break;
	case CS_INTAKE_GONE:
		return cs_gone_put(txn, t->item, cs_client_now());
	}
	return CS_OK;
}

/* Waits no more. What was shown of it so far is replaced, or was for nothing:
 * only a message leaves a record. */
static cs_err
end_waiting(struct intake *t, struct cs_local_txn *txn,
    enum cs_intake_kind kind)
{
	const struct cs_bytes key = CS_BYTES(t->item->envelope_id);
	struct cs_secret *value = NULL;
	struct cs_inrec r;
	cs_err e;

	CS_TRY(cs_owed_forget_item(txn, t->item->envelope_id));
	e = cs_inrec_get(txn, t->item->envelope_id, &r, &value);
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	if (!r.is_waiting)
		goto out;
	if (kind == CS_INTAKE_GONE) {
		r.is_waiting = false;
		e = cs_inrec_put(txn, &r);
	} else {
		e = cs_local_delete(txn, CS_LOCAL_IN, key);
	}
out:
	cs_secret_free(value);
	return e;
}

/* The relay may delete it: it was here, and the verdict stands. */
static bool
is_settled(enum cs_intake_kind kind)
{
	return kind != CS_INTAKE_WAITING && kind != CS_INTAKE_CLASH &&
	       kind != CS_INTAKE_GONE;
}

/* Who is owed what now. Only what opened was seen: junk under an id must not
 * shut out the genuine envelope of that id. */
static cs_err
settle(struct intake *t, struct cs_local_txn *txn, enum cs_intake_kind kind)
{
	struct cs_owed_ack ack = { .seq = t->item->seq };
	cs_err e = CS_OK;

	if (kind == CS_INTAKE_WAITING)
		CS_TRY(cs_owed_put_item(txn, t->item));
	else if (t->is_retry)
		CS_TRY(end_waiting(t, txn, kind));
	if (!is_settled(kind))
		goto out;
	memcpy(ack.envelope_id, t->item->envelope_id, CS_ID_BYTES);
	memcpy(ack.e, t->item->e, CS_HASH_BYTES);
	memcpy(ack.prev, t->last, CS_HASH_BYTES);
	if (kind == CS_INTAKE_UNREADABLE)
		ack.result = t->step == CS_OPEN_CERTIFICATE ||
				     t->step == CS_OPEN_SIGNATURE
				 ? CS_DELIVERED_BAD_SIGNATURE
				 : CS_DELIVERED_UNDECRYPTABLE;
	CS_TRY(cs_owed_put_ack(txn, &ack));
	if (t->open)
		CS_TRY(cs_local_put(txn, CS_LOCAL_SEEN,
		    CS_BYTES(t->item->envelope_id), CS_BYTES(t->item->e)));
out:
	return e;
}

static cs_err
commit(struct intake *t, const struct cs_chain *next, enum cs_intake_kind *kind)
{
	struct cs_local_txn *txn = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(t->c), true, &txn));
	CS_TRY(put_content(t, txn, kind));
	CS_TRY(settle(t, txn, *kind));
	if (t->open)
		CS_TRY(cs_marks_take(t->c, txn, cs_open_manifest(t->open),
		    t->item->envelope_id, &t->is_contradicted));
	if (next)
		CS_TRY(cs_owed_cursor_save(txn, next));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}

/* ------------------------------------------------------------------ public */

/* What the author of the message saw, and of the receipt in it. */
static cs_err
compare_directories(struct intake *t)
{
	const struct cs_manifest *m = cs_open_manifest(t->open);
	struct cs_statement st;
	bool differs = false;
	cs_err e;

	CS_TRY(cs_gossip_check(t->c, &m->seen, m->sender_device,
	    t->item->envelope_id, &t->is_disputed));
	if (m->content_kind == CS_CONTENT_RECEIPT &&
	    cs_receipt_decode(m->content, &st) == CS_OK)
		CS_TRY(cs_gossip_check(t->c, &st.seen, m->sender_device,
		    t->item->envelope_id, &differs));
	t->is_disputed = t->is_disputed || differs;
out:
	return e;
}

/* Opens what was listed; brings the attachments of a message that opened, and
 * only of that: anybody can list junk. */
static cs_err
examine(struct intake *t, enum cs_intake_kind *ret)
{
	bool heals = false;
	cs_err e;

	CS_TRY(try_open(t, &heals));
	if (t->open)
		CS_TRY(compare_directories(t));
	if (!t->open) {
		/* An altered body is fetched anew. */
		if (!heals || t->step != CS_OPEN_BODY)
			CS_TRY(keep_ciphertext(t));
		*ret = heals ? CS_INTAKE_WAITING : CS_INTAKE_UNREADABLE;
	} else if (cs_open_manifest(t->open)->content_kind ==
		   CS_CONTENT_RECEIPT) {
		*ret = CS_INTAKE_RECEIPT;
	} else {
		CS_TRY(bring_objects(t));
		*ret = CS_INTAKE_MESSAGE;
	}
out:
	return e;
}

/* All that talks to the relay. */
static cs_err
gather(struct intake *t, enum cs_intake_kind *ret)
{
	cs_err e;

	if (t->item->outcome != 0) { /* a tombstone: nothing to fetch */
		*ret = CS_INTAKE_GONE;
		return CS_OK;
	}
	e = check_unseen(t);
	if (e == CS_REPLAY || e == CS_CLASH) {
		*ret = e == CS_REPLAY ? CS_INTAKE_REFUSED : CS_INTAKE_CLASH;
		return CS_OK;
	}
	CS_TRY(e);
	e = bring_envelope(t);
	if (e != CS_OK && is_gone(t->c, e)) {
		/* The relay's word for it; while it should be there it is asked
		 * again. */
		*ret = t->item->expires_at_s < cs_client_now()
			   ? CS_INTAKE_GONE
			   : CS_INTAKE_WAITING;
		return CS_OK;
	}
	CS_TRY(e);
	t->step = CS_OPEN_LAYOUT;
	if (is_listed(t))
		CS_TRY(examine(t, ret));
	else
		*ret = CS_INTAKE_WAITING;
out:
	return e;
}

cs_err
cs_intake_item(struct cs_client *c, const struct cs_frame_item *item,
    const struct cs_chain *next, enum cs_intake_kind *ret, bool *ret_disputed,
    bool *ret_contradicted)
{
	struct intake t = { .c = c, .item = item, .is_retry = next == NULL };
	enum cs_intake_kind kind;
	cs_err e;

	CS_TRY(gather(&t, &kind));
	CS_TRY(commit(&t, next, &kind));
	if (t.is_retry && t.open)
		forget_ciphertext(&t);
	*ret = kind;
	*ret_disputed = t.is_disputed;
	*ret_contradicted = t.is_contradicted;
out:
	cs_open_free(t.open);
	cs_buf_fini(&t.envelope);
	cs_buf_fini(&t.missing);
	cs_buf_fini(&t.receipt);
	return e;
}
