#include "client/intake.h"

#include <string.h>

#include "client/ask.h"
#include "client/download.h"
#include "client/inrec.h"
#include "client/outbox.h"
#include "client/outrec.h"
#include "client/receipt.h"
#include "keys/file.h"
#include "keys/open.h"
#include "proto/base/cursor.h"

static const struct cs_bytes cursor_key = { (const uint8_t *)"mailbox", 7 };

/* One item being taken in. */
struct intake {
	struct cs_client *c;
	const struct cs_frame_item *item;
	struct cs_buf envelope;
	struct cs_envelope env; /* borrows from envelope */
	struct cs_open *open;   /* NULL: does not open */
	enum cs_open_step step; /* where it failed */
	struct cs_buf missing;  /* object ids that are not to be had */
	struct cs_buf receipt;  /* ours: statement ‖ signature */
	uint8_t last[CS_HASH_BYTES];
};

/* ------------------------------------------------------------- what is kept */

cs_err
cs_intake_cursor_load(struct cs_client *c, struct cs_chain *ret)
{
	struct cs_secret *v = NULL;
	struct cs_chain ch = { 0 };
	struct cs_cursor cur;
	cs_err e;

	e = cs_local_read(cs_client_local(c), CS_LOCAL_META, cursor_key, &v);
	if (e == CS_NOT_FOUND) {
		*ret = ch;
		return CS_OK;
	}
	CS_TRY(e);
	cur = cs_cursor_new(cs_secret_view(v));
	ch.seq = cs_cursor_u64(&cur);
	cs_cursor_copy(&cur, ch.head, CS_HASH_BYTES);
	ch.is_cut = cs_cursor_u8(&cur) != 0;
	ch.missing = cs_cursor_u64(&cur);
	if (cs_cursor_end(&cur) != CS_OK) {
		e = CS_CORRUPT;
		goto out;
	}
	*ret = ch;
out:
	cs_secret_free(v);
	return e;
}

cs_err
cs_intake_cursor_save(struct cs_local_txn *txn, const struct cs_chain *ch)
{
	struct cs_buf v = { 0 };
	cs_err e;

	cs_buf_put_u64(&v, ch->seq);
	cs_buf_put(&v, ch->head, CS_HASH_BYTES);
	cs_buf_put_u8(&v, ch->is_cut);
	cs_buf_put_u64(&v, ch->missing);
	CS_TRY(cs_buf_err(&v));
	CS_TRY(cs_local_put(txn, CS_LOCAL_META, cursor_key, cs_buf_view(&v)));
out:
	cs_buf_fini(&v);
	return e;
}

static cs_err
put_ack(struct cs_local_txn *txn, const struct cs_intake_ack *ack)
{
	struct cs_buf v = { 0 };
	uint8_t key[8];
	cs_err e;

	cs_bytes_be(ack->seq, sizeof(key), key);
	cs_buf_put(&v, ack->envelope_id, CS_ID_BYTES);
	cs_buf_put(&v, ack->e, CS_HASH_BYTES);
	cs_buf_put(&v, ack->prev, CS_HASH_BYTES);
	CS_TRY(cs_buf_err(&v));
	CS_TRY(cs_local_put(txn, CS_LOCAL_ACK, CS_BYTES(key), cs_buf_view(&v)));
out:
	cs_buf_fini(&v);
	return e;
}

cs_err
cs_intake_next_ack(struct cs_local_txn *txn, uint64_t after_seq,
    struct cs_intake_ack *ret)
{
	uint8_t after[8], key[CS_LOCAL_KEY_BYTES];
	struct cs_buf v = { 0 };
	struct cs_intake_ack ack = { 0 };
	struct cs_cursor cur;
	size_t n;
	cs_err e;

	cs_bytes_be(after_seq, sizeof(after), after);
	CS_TRY(cs_local_next(txn, CS_LOCAL_ACK, (struct cs_bytes){ 0 },
	    CS_BYTES(after), key, &n));
	CS_TRY(cs_local_get_public(txn, CS_LOCAL_ACK,
	    (struct cs_bytes){ key, n }, &v));
	cur = cs_cursor_new((struct cs_bytes){ key, n });
	ack.seq = cs_cursor_u64(&cur);
	CS_TRY(cs_cursor_end(&cur));
	cur = cs_cursor_new(cs_buf_view(&v));
	cs_cursor_copy(&cur, ack.envelope_id, CS_ID_BYTES);
	cs_cursor_copy(&cur, ack.e, CS_HASH_BYTES);
	cs_cursor_copy(&cur, ack.prev, CS_HASH_BYTES);
	if (cs_cursor_end(&cur) != CS_OK) {
		e = CS_CORRUPT;
		goto out;
	}
	*ret = ack;
out:
	cs_buf_fini(&v);
	return e;
}

/* ------------------------------------------------------ fetching, opening */

/* CS_REPLAY if an envelope of this id was taken in before. */
static cs_err
check_unseen(struct intake *t)
{
	struct cs_secret *v = NULL;
	cs_err e;

	e = cs_local_read(cs_client_local(t->c), CS_LOCAL_SEEN,
	    CS_BYTES(t->item->envelope_id), &v);
	cs_secret_free(v);
	if (e == CS_OK)
		return CS_REPLAY;
	return e == CS_NOT_FOUND ? CS_OK : e;
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

/* Opens it, or finds that it does not open: t->open tells. A sender who is
 * newer than our mirror is looked up once. */
static cs_err
try_open(struct intake *t)
{
	cs_err e;

	t->step = CS_OPEN_LAYOUT;
	if (!is_listed(t))
		return CS_OK;
	e = open_envelope(t);
	if (e == CS_NOT_FOUND) {
		CS_TRY(cs_client_connect(t->c, 0));
		e = open_envelope(t);
	}
	/* Our own trouble is no verdict on the message. */
	if (e != CS_NO_MEMORY)
		e = CS_OK;
out:
	return e;
}

/* Every attachment, also of what does not open: the ciphertext is kept. */
static cs_err
bring_objects(struct intake *t)
{
	struct cs_envelope_object object;
	uint16_t i;
	cs_err e = CS_OK;

	for (i = 0; i < t->env.n_objects; i++) {
		cs_envelope_object(&t->env, i, &object);
		e = cs_download_object(t->c, t->env.envelope_id, &object);
		if (e == CS_PARTIAL && cs_conn_is_open(cs_client_conn(t->c))) {
			cs_buf_put(&t->missing, object.object_id, CS_ID_BYTES);
			e = cs_buf_err(&t->missing);
		}
		CS_TRY(e);
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
	memcpy(r.s, cs_open_s(t->open), CS_HASH_BYTES);
	memcpy(r.m_hash, cs_open_m_hash(t->open), CS_HASH512_BYTES);
	memcpy(r.signature, cs_open_signature(t->open), CS_SIGNATURE_BYTES);
	r.from = sender.address;
	r.from_name = sender.name;
	r.m = cs_open_manifest_bytes(t->open);
	if (m->receipt_policy & CS_RECEIPT_DELIVERED) {
		CS_TRY(make_delivered(t));
		CS_TRY(cs_outbox_put_receipt(t->c, txn, m->sender_member, r.id,
		    cs_buf_view(&t->receipt)));
		memcpy(r.last, t->last, CS_HASH_BYTES);
	}
	CS_TRY(cs_inrec_put(txn, &r));
out:
	return e;
}

/* The ciphertext stays beside its attachments: a restored key may open it. */
static cs_err
keep_ciphertext(struct intake *t)
{
	static const char name[] = "/envelope";
	char path[CS_HOME_PATH_BYTES];
	size_t n;
	cs_err e;

	CS_TRY(cs_home_mkdir(cs_client_home(t->c), CS_HOME_OBJECTS,
	    t->item->envelope_id));
	cs_home_path(cs_client_home(t->c), CS_HOME_OBJECTS,
	    t->item->envelope_id, NULL, path);
	n = strlen(path);
	if (n + sizeof(name) > sizeof(path))
		return CS_IO;
	memcpy(path + n, name, sizeof(name));
	CS_TRY(cs_file_write(path, cs_buf_view(&t->envelope), 0600, true));
out:
	return e;
}

static cs_err
put_unreadable(struct intake *t, struct cs_local_txn *txn)
{
	struct cs_inrec r = { .is_readable = false };

	fill_record(t, &r);
	return cs_inrec_put(txn, &r);
}

/* CS_DENIED for a receipt that is not about what this device sent, or does
 * not hold. */
static cs_err
put_receipt(struct intake *t, struct cs_local_txn *txn)
{
	const struct cs_bytes in = cs_open_manifest(t->open)->content;
	struct cs_secret *value = NULL;
	struct cs_outrec sent;
	struct cs_statement st;
	uint8_t id[CS_ID_BYTES];
	cs_err e;

	CS_TRY(cs_receipt_about(in, id));
	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, id, &sent, &value));
	CS_TRY(cs_receipt_check(&sent, in, cs_client_self(t->c)->network_id,
	    cs_client_directory(t->c), &st));
	CS_TRY(cs_receipt_store(txn, id, st.signer_device, st.fact, in, NULL));
out:
	cs_secret_free(value);
	if (e != CS_OK && e != CS_IO && e != CS_FULL && e != CS_NO_MEMORY)
		e = CS_DENIED;
	return e;
}

/* What an item is decides what of it is kept. */
static cs_err
put_content(struct intake *t, struct cs_local_txn *txn,
    enum cs_intake_kind *kind)
{
	cs_err e;

	switch (*kind) {
	case CS_INTAKE_MESSAGE:
		return put_message(t, txn);
	case CS_INTAKE_UNREADABLE:
		return put_unreadable(t, txn);
	case CS_INTAKE_RECEIPT:
		e = put_receipt(t, txn);
		if (e == CS_DENIED) {
			*kind = CS_INTAKE_REFUSED;
			e = CS_OK;
		}
		return e;
	case CS_INTAKE_REFUSED:
	case CS_INTAKE_GONE:
		break;
	}
	return CS_OK;
}

static cs_err
commit(struct intake *t, const struct cs_chain *next, enum cs_intake_kind *kind)
{
	struct cs_local_txn *txn = NULL;
	struct cs_intake_ack ack = { .seq = t->item->seq };
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(t->c), true, &txn));
	CS_TRY(put_content(t, txn, kind));
	if (*kind != CS_INTAKE_GONE) {
		memcpy(ack.envelope_id, t->item->envelope_id, CS_ID_BYTES);
		memcpy(ack.e, t->item->e, CS_HASH_BYTES);
		memcpy(ack.prev, t->last, CS_HASH_BYTES);
		CS_TRY(put_ack(txn, &ack));
		CS_TRY(cs_local_put(txn, CS_LOCAL_SEEN,
		    CS_BYTES(t->item->envelope_id), CS_BYTES(t->item->e)));
	}
	CS_TRY(cs_intake_cursor_save(txn, next));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}

/* ------------------------------------------------------------------ public */

/* Fetches, opens, brings attachments: all that talks to the relay. */
static cs_err
gather(struct intake *t, enum cs_intake_kind *ret)
{
	cs_err e;

	e = check_unseen(t);
	if (e == CS_REPLAY) {
		*ret = CS_INTAKE_REFUSED;
		return CS_OK;
	}
	CS_TRY(e);
	e = fetch(t);
	if (e != CS_OK && is_gone(t->c, e)) {
		*ret = CS_INTAKE_GONE;
		return CS_OK;
	}
	CS_TRY(e);
	CS_TRY(try_open(t));
	if (t->open &&
	    cs_open_manifest(t->open)->content_kind == CS_CONTENT_RECEIPT) {
		*ret = CS_INTAKE_RECEIPT;
		return CS_OK;
	}
	CS_TRY(bring_objects(t));
	if (!t->open)
		CS_TRY(keep_ciphertext(t));
	*ret = t->open ? CS_INTAKE_MESSAGE : CS_INTAKE_UNREADABLE;
out:
	return e;
}

cs_err
cs_intake_item(struct cs_client *c, const struct cs_frame_item *item,
    const struct cs_chain *next, enum cs_intake_kind *ret)
{
	struct intake t = { .c = c, .item = item };
	enum cs_intake_kind kind;
	cs_err e;

	CS_TRY(gather(&t, &kind));
	CS_TRY(commit(&t, next, &kind));
	*ret = kind;
out:
	cs_open_free(t.open);
	cs_buf_fini(&t.envelope);
	cs_buf_fini(&t.missing);
	cs_buf_fini(&t.receipt);
	return e;
}
