#include "proto/statement.h"

#include <sodium.h>
#include <string.h>

#include "proto/base/cursor.h"
#include "proto/field.h"
#include "proto/label.h"
#include "proto/merkle.h"

#define CUSTODY_OBJECT_BYTES    (CS_ID_BYTES + CS_HASH_BYTES)
#define CUSTODY_RECIPIENT_BYTES (CS_ID_BYTES + 8 + CS_HASH_BYTES)

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *const outcome_names[] = {
	[CS_OUTCOME_FETCHED] = "fetched",
	[CS_OUTCOME_EXPIRED] = "expired",
	[CS_OUTCOME_REFUSED] = "refused",
	[CS_OUTCOME_REVOKED] = "revoked",
	[CS_OUTCOME_WITHDRAWN] = "withdrawn",
};

static const char *const result_names[] = {
	[CS_DELIVERED_OK] = "ok",
	[CS_DELIVERED_UNDECRYPTABLE] = "undecryptable",
	[CS_DELIVERED_BAD_SIGNATURE] = "bad-signature",
	[CS_DELIVERED_INCOMPLETE] = "incomplete",
};

const char *
cs_statement_outcome_name(enum cs_outcome outcome)
{
	return (size_t)outcome < COUNT(outcome_names) ? outcome_names[outcome]
						      : NULL;
}

const char *
cs_statement_result_name(enum cs_delivered_result result)
{
	return (size_t)result < COUNT(result_names) ? result_names[result]
						    : NULL;
}

const char *
cs_statement_purged_name(enum cs_purged_by by)
{
	static const char *const names[] = {
		[CS_PURGED_BY_HAND] = "by hand",
		[CS_PURGED_BY_RULE] = "by rule",
	};

	return (size_t)by < COUNT(names) ? names[by] : NULL;
}

/* ------------------------------------------------------------ what is stated
 */

/* Mailbox numbers count from 1. */
static uint64_t
read_seq(struct cs_cursor *c)
{
	uint64_t seq = cs_cursor_u64(c);

	if (seq == 0)
		cs_cursor_fail(c, CS_MALFORMED);
	return seq;
}

/* The relay is nobody's member. */
static void
check_relay(struct cs_cursor *c, const struct cs_statement *st)
{
	if (!cs_field_is_zero(st->signer_member, sizeof(st->signer_member)))
		cs_cursor_fail(c, CS_MALFORMED);
}

static void
read_custody(struct cs_cursor *c, struct cs_statement *st)
{
	struct cs_custody_recipient row;

	check_relay(c, st);
	st->n_objects =
	    (uint16_t)cs_field_count(c, cs_cursor_u16(c), 0, CS_LIMIT_OBJECTS);
	st->objects =
	    cs_field_rows(c, st->n_objects, CUSTODY_OBJECT_BYTES, CS_ID_BYTES);
	st->n_recipients = (uint16_t)cs_field_count(c, cs_cursor_u16(c), 1,
	    CS_LIMIT_RECIPIENTS);
	st->recipients = cs_field_rows(c, st->n_recipients,
	    CUSTODY_RECIPIENT_BYTES, CS_ID_BYTES);
	for (uint16_t i = 0; i < st->recipients.n / CUSTODY_RECIPIENT_BYTES;
	     i++) {
		cs_statement_custody_recipient(st, i, &row);
		if (row.seq == 0)
			cs_cursor_fail(c, CS_MALFORMED);
	}
	st->stored_bytes = cs_cursor_u64(c);
	st->stored_until_s = cs_cursor_u64(c);
	cs_cursor_copy(c, st->incarnation, sizeof(st->incarnation));
	st->counter = cs_cursor_u64(c);
}

static void
write_custody(const struct cs_statement *st, struct cs_buf *out)
{
	cs_buf_put_u16(out, st->n_objects);
	cs_buf_put_bytes(out, st->objects);
	cs_buf_put_u16(out, st->n_recipients);
	cs_buf_put_bytes(out, st->recipients);
	cs_buf_put_u64(out, st->stored_bytes);
	cs_buf_put_u64(out, st->stored_until_s);
	cs_buf_put(out, st->incarnation, sizeof(st->incarnation));
	cs_buf_put_u64(out, st->counter);
}

/* S and SHA-512(M): which message the device's statement is about. */
static void
read_message(struct cs_cursor *c, struct cs_statement *st)
{
	cs_cursor_copy(c, st->s, sizeof(st->s));
	cs_cursor_copy(c, st->m_hash, sizeof(st->m_hash));
}

static void
write_message(const struct cs_statement *st, struct cs_buf *out)
{
	cs_buf_put(out, st->s, sizeof(st->s));
	cs_buf_put(out, st->m_hash, sizeof(st->m_hash));
}

static void
read_object_ids(struct cs_cursor *c, uint32_t min, struct cs_statement *st)
{
	st->n_objects = (uint16_t)cs_field_count(c, cs_cursor_u16(c), min,
	    CS_LIMIT_OBJECTS);
	st->objects = cs_field_rows(c, st->n_objects, CS_ID_BYTES, CS_ID_BYTES);
}

static void
write_object_ids(const struct cs_statement *st, struct cs_buf *out)
{
	cs_buf_put_u16(out, st->n_objects);
	cs_buf_put_bytes(out, st->objects);
}

static void
read_delivered(struct cs_cursor *c, struct cs_statement *st)
{
	bool is_known;

	read_message(c, st);
	st->result =
	    cs_field_choice(c, CS_DELIVERED_OK, CS_DELIVERED_INCOMPLETE);
	/* What did not open or verify says nothing about any message. */
	is_known = st->result == CS_DELIVERED_OK ||
		   st->result == CS_DELIVERED_INCOMPLETE;
	if (!is_known && !(cs_field_is_zero(st->s, sizeof(st->s)) &&
			     cs_field_is_zero(st->m_hash, sizeof(st->m_hash))))
		cs_cursor_fail(c, CS_MALFORMED);
	read_object_ids(c, st->result == CS_DELIVERED_INCOMPLETE, st);
	if (st->result != CS_DELIVERED_INCOMPLETE && st->n_objects != 0)
		cs_cursor_fail(c, CS_MALFORMED);
}

static void
write_delivered(const struct cs_statement *st, struct cs_buf *out)
{
	write_message(st, out);
	cs_buf_put_u8(out, (uint8_t)st->result);
	write_object_ids(st, out);
}

static void
read_opened(struct cs_cursor *c, struct cs_statement *st)
{
	read_message(c, st);
	read_object_ids(c, 0, st);
}

static void
write_opened(const struct cs_statement *st, struct cs_buf *out)
{
	write_message(st, out);
	write_object_ids(st, out);
}

static void
read_acknowledged(struct cs_cursor *c, struct cs_statement *st)
{
	read_message(c, st);
	st->responsibility = cs_field_choice(c, 0, 1);
	st->text = cs_field_str16(c, 0, CS_LIMIT_ACK_TEXT_BYTES);
}

static void
write_acknowledged(const struct cs_statement *st, struct cs_buf *out)
{
	write_message(st, out);
	cs_buf_put_u8(out, st->responsibility);
	cs_field_put_var16(out, st->text);
}

static void
read_outcome(struct cs_cursor *c, struct cs_statement *st)
{
	check_relay(c, st);
	cs_cursor_copy(c, st->recipient_device, sizeof(st->recipient_device));
	st->seq = read_seq(c);
	st->outcome =
	    cs_field_choice(c, CS_OUTCOME_FETCHED, CS_OUTCOME_WITHDRAWN);
}

static void
write_outcome(const struct cs_statement *st, struct cs_buf *out)
{
	cs_buf_put(out, st->recipient_device, sizeof(st->recipient_device));
	cs_buf_put_u64(out, st->seq);
	cs_buf_put_u8(out, (uint8_t)st->outcome);
}

static void
read_ack(struct cs_cursor *c, struct cs_statement *st)
{
	st->seq = read_seq(c);
}

static void
write_ack(const struct cs_statement *st, struct cs_buf *out)
{
	cs_buf_put_u64(out, st->seq);
}

/* The common part says it all. */
static void
read_withdraw(struct cs_cursor *c, struct cs_statement *st)
{
	(void)c;
	(void)st;
}

static void
write_withdraw(const struct cs_statement *st, struct cs_buf *out)
{
	(void)st;
	(void)out;
}

static void
read_purged(struct cs_cursor *c, struct cs_statement *st)
{
	read_message(c, st);
	st->purged_by =
	    cs_field_choice(c, CS_PURGED_BY_HAND, CS_PURGED_BY_RULE);
}

static void
write_purged(const struct cs_statement *st, struct cs_buf *out)
{
	write_message(st, out);
	cs_buf_put_u8(out, (uint8_t)st->purged_by);
}

static const struct {
	struct cs_bytes label;
	void (*read)(struct cs_cursor *c, struct cs_statement *st);
	void (*write)(const struct cs_statement *st, struct cs_buf *out);
} facts[] = {
	[CS_FACT_CUSTODY] = { CS_LABEL_CUSTODY, read_custody, write_custody },
	[CS_FACT_DELIVERED] = { CS_LABEL_DELIVERED, read_delivered,
	    write_delivered },
	[CS_FACT_OPENED] = { CS_LABEL_OPENED, read_opened, write_opened },
	[CS_FACT_ACKNOWLEDGED] = { CS_LABEL_ACKNOWLEDGED, read_acknowledged,
	    write_acknowledged },
	[CS_FACT_OUTCOME] = { CS_LABEL_OUTCOME, read_outcome, write_outcome },
	[CS_FACT_ACK] = { CS_LABEL_ACK, read_ack, write_ack },
	[CS_FACT_WITHDRAW] = { CS_LABEL_WITHDRAW, read_withdraw,
	    write_withdraw },
	[CS_FACT_PURGED] = { CS_LABEL_PURGED, read_purged, write_purged },
};

/* --------------------------------------------------------------- statements */

/* Labels end in a zero, so none is the beginning of another. */
static void
read_label(struct cs_cursor *c, struct cs_statement *st)
{
	for (size_t i = CS_FACT_CUSTODY; i < COUNT(facts); i++) {
		struct cs_bytes label = facts[i].label;

		if (c->left >= label.n &&
		    cs_bytes_eq((struct cs_bytes){ c->p, label.n }, label)) {
			cs_cursor_take(c, label.n);
			st->fact = (enum cs_fact)i;
			return;
		}
	}
	cs_cursor_fail(c, CS_UNSUPPORTED);
}

static void
read_common(struct cs_cursor *c, struct cs_statement *st)
{
	cs_cursor_copy(c, st->network_id, sizeof(st->network_id));
	cs_cursor_copy(c, st->envelope_id, sizeof(st->envelope_id));
	cs_cursor_copy(c, st->e, sizeof(st->e));
	cs_cursor_copy(c, st->signer_member, sizeof(st->signer_member));
	cs_cursor_copy(c, st->signer_device, sizeof(st->signer_device));
	st->signer_entry = cs_cursor_u64(c);
	st->time_s = cs_cursor_u64(c);
	cs_checkpoint_take(c, &st->seen);
	cs_cursor_copy(c, st->prev, sizeof(st->prev));
}

static void
write_common(const struct cs_statement *st, struct cs_buf *out)
{
	cs_buf_put(out, st->network_id, sizeof(st->network_id));
	cs_buf_put(out, st->envelope_id, sizeof(st->envelope_id));
	cs_buf_put(out, st->e, sizeof(st->e));
	cs_buf_put(out, st->signer_member, sizeof(st->signer_member));
	cs_buf_put(out, st->signer_device, sizeof(st->signer_device));
	cs_buf_put_u64(out, st->signer_entry);
	cs_buf_put_u64(out, st->time_s);
	cs_checkpoint_put(&st->seen, out);
	cs_buf_put(out, st->prev, sizeof(st->prev));
}

cs_err
cs_statement_take(struct cs_bytes in, struct cs_statement *ret, size_t *ret_n)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_statement st = { 0 };
	cs_err e;

	read_label(&c, &st);
	CS_TRY(cs_cursor_err(&c));
	read_common(&c, &st);
	facts[st.fact].read(&c, &st);
	CS_TRY(cs_cursor_err(&c));
	CS_TRY(in.n - c.left > CS_LIMIT_STATEMENT_BYTES ? CS_TOO_LARGE : CS_OK);
	*ret = st;
	*ret_n = in.n - c.left;
out:
	return e;
}

cs_err
cs_statement_decode(struct cs_bytes in, struct cs_statement *ret)
{
	struct cs_statement st;
	size_t n;
	cs_err e;

	if (in.n > CS_LIMIT_STATEMENT_BYTES)
		return CS_TOO_LARGE;
	CS_TRY(cs_statement_take(in, &st, &n));
	CS_TRY(n == in.n ? CS_OK : CS_MALFORMED);
	*ret = st;
out:
	return e;
}

static cs_err
check_statement(struct cs_bytes statement)
{
	struct cs_statement st;

	return cs_statement_decode(statement, &st);
}

cs_err
cs_statement_encode(const struct cs_statement *st, struct cs_buf *out)
{
	size_t from = out->n;

	if (st->fact < CS_FACT_CUSTODY || st->fact > CS_FACT_PURGED)
		return CS_MALFORMED;
	cs_buf_put_bytes(out, facts[st->fact].label);
	write_common(st, out);
	facts[st->fact].write(st, out);
	return cs_field_finish(out, from, check_statement);
}

void
cs_statement_custody_object(const struct cs_statement *st, uint16_t i,
    struct cs_custody_object *ret)
{
	const uint8_t *row = st->objects.p + (size_t)i * CUSTODY_OBJECT_BYTES;

	memcpy(ret->object_id, row, CS_ID_BYTES);
	memcpy(ret->root, row + CS_ID_BYTES, CS_HASH_BYTES);
}

void
cs_statement_custody_recipient(const struct cs_statement *st, uint16_t i,
    struct cs_custody_recipient *ret)
{
	struct cs_bytes row = { st->recipients.p +
				    (size_t)i * CUSTODY_RECIPIENT_BYTES,
		CUSTODY_RECIPIENT_BYTES };
	struct cs_cursor c = cs_cursor_new(row);

	cs_cursor_copy(&c, ret->device_id, CS_ID_BYTES);
	ret->seq = cs_cursor_u64(&c);
	cs_cursor_copy(&c, ret->chain_head, CS_HASH_BYTES);
}

const uint8_t *
cs_statement_object_id(const struct cs_statement *st, uint16_t i)
{
	return st->objects.p + (size_t)i * CS_ID_BYTES;
}

void
cs_statement_put_custody_object(struct cs_buf *out,
    const struct cs_custody_object *row)
{
	cs_buf_put(out, row->object_id, CS_ID_BYTES);
	cs_buf_put(out, row->root, CS_HASH_BYTES);
}

void
cs_statement_put_custody_recipient(struct cs_buf *out,
    const struct cs_custody_recipient *row)
{
	cs_buf_put(out, row->device_id, CS_ID_BYTES);
	cs_buf_put_u64(out, row->seq);
	cs_buf_put(out, row->chain_head, CS_HASH_BYTES);
}

/* ------------------------------------------------------- hashes and the log */

bool
cs_statement_is_unopened(const struct cs_statement *st)
{
	return st->fact == CS_FACT_DELIVERED &&
	       (st->result == CS_DELIVERED_UNDECRYPTABLE ||
		   st->result == CS_DELIVERED_BAD_SIGNATURE);
}

void
cs_statement_hash(struct cs_bytes statement, uint8_t ret[static CS_HASH_BYTES])
{
	crypto_hash_sha256(ret, statement.p, statement.n);
}

void
cs_statement_leaf(const uint8_t salt[static 32], struct cs_bytes statement,
    uint8_t ret[static CS_HASH_BYTES])
{
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, salt, 32);
	crypto_hash_sha256_update(&st, statement.p, statement.n);
	crypto_hash_sha256_final(&st, ret);
}

void
cs_statement_anchor(const uint8_t leaf[static CS_HASH_BYTES],
    uint8_t ret[static CS_HASH_BYTES])
{
	struct cs_bytes label = CS_LABEL_ANCHOR;
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, label.p, label.n);
	crypto_hash_sha256_update(&st, leaf, CS_HASH_BYTES);
	crypto_hash_sha256_final(&st, ret);
}

void
cs_statement_acked(const uint8_t m_hash[static CS_HASH512_BYTES],
    const uint8_t device_id[static CS_ID_BYTES],
    uint8_t ret[static CS_HASH_BYTES])
{
	struct cs_bytes label = CS_LABEL_ACKED;
	crypto_hash_sha256_state st;

	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, label.p, label.n);
	crypto_hash_sha256_update(&st, m_hash, CS_HASH512_BYTES);
	crypto_hash_sha256_update(&st, device_id, CS_ID_BYTES);
	crypto_hash_sha256_final(&st, ret);
}

void
cs_statement_chain(const uint8_t head[static CS_HASH_BYTES], uint64_t seq,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const uint8_t e[static CS_HASH_BYTES], uint8_t ret[static CS_HASH_BYTES])
{
	struct cs_bytes label = CS_LABEL_MAILBOX;
	crypto_hash_sha256_state st;
	uint8_t be[8];

	cs_bytes_be(seq, sizeof(be), be);
	crypto_hash_sha256_init(&st);
	crypto_hash_sha256_update(&st, label.p, label.n);
	crypto_hash_sha256_update(&st, head, CS_HASH_BYTES);
	crypto_hash_sha256_update(&st, be, sizeof(be));
	crypto_hash_sha256_update(&st, envelope_id, CS_ID_BYTES);
	crypto_hash_sha256_update(&st, e, CS_HASH_BYTES);
	crypto_hash_sha256_final(&st, ret);
}

cs_err
cs_statement_logged_decode(struct cs_bytes in, struct cs_logged *ret)
{
	struct cs_cursor c = cs_cursor_new(in);
	struct cs_logged lg = { 0 };
	uint32_t n;
	cs_err e;

	n = cs_field_count(&c, cs_cursor_u32(&c), 1, CS_LIMIT_STATEMENT_BYTES);
	lg.statement = cs_cursor_take(&c, n);
	cs_cursor_copy(&c, lg.salt, sizeof(lg.salt));
	lg.index = cs_cursor_u64(&c);
	n = cs_field_count(&c, cs_cursor_u8(&c), 0, CS_MERKLE_MAX_PROOF);
	lg.proof = cs_cursor_take(&c, n * CS_HASH_BYTES);
	n = cs_field_count(&c, cs_cursor_u32(&c), 1, CS_LIMIT_CHECKPOINT_BYTES);
	lg.checkpoint = cs_cursor_take(&c, n);
	CS_TRY(cs_cursor_end(&c));
	*ret = lg;
out:
	return e;
}

void
cs_statement_logged_encode(const struct cs_logged *lg, struct cs_buf *out)
{
	cs_field_put_var32(out, lg->statement);
	cs_buf_put(out, lg->salt, sizeof(lg->salt));
	cs_buf_put_u64(out, lg->index);
	cs_buf_put_u8(out, (uint8_t)(lg->proof.n / CS_HASH_BYTES));
	cs_buf_put_bytes(out, lg->proof);
	cs_field_put_var32(out, lg->checkpoint);
}

cs_err
cs_statement_evidence_decode(struct cs_bytes in, struct cs_logged *ret,
    uint8_t ret_signature[static CS_SIGNATURE_BYTES])
{
	struct cs_bytes logged = in;
	cs_err e;

	CS_TRY(in.n > CS_SIGNATURE_BYTES ? CS_OK : CS_MALFORMED);
	logged.n -= CS_SIGNATURE_BYTES;
	CS_TRY(cs_statement_logged_decode(logged, ret));
	memcpy(ret_signature, in.p + logged.n, CS_SIGNATURE_BYTES);
out:
	return e;
}
