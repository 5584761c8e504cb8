#include "client/receipt.h"

#include <string.h>

#include "keys/verify.h"
#include "proto/base/cursor.h"
#include "proto/said.h"

#define FACT_KEY_BYTES (2 * CS_ID_BYTES + 1)

/* ------------------------------------------------------------------ making */

cs_err
cs_receipt_make(struct cs_client *c, const struct cs_statement *st,
    struct cs_buf *ret)
{
	const struct cs_keyring_info *self = cs_client_self(c);
	struct cs_statement full = *st;
	struct cs_directory_device device;
	uint8_t sig[CS_SIGNATURE_BYTES];
	const size_t before = ret->n;
	cs_err e;

	CS_TRY(cs_directory_device(cs_client_directory(c), self->id, &device));
	memcpy(full.network_id, self->network_id, CS_NETWORK_ID_BYTES);
	memcpy(full.signer_member, self->member_id, CS_ID_BYTES);
	memcpy(full.signer_device, self->id, CS_ID_BYTES);
	full.signer_entry = device.entry;
	full.time_s = cs_client_now();
	full.seen = *cs_client_checkpoint(c);
	CS_TRY(cs_statement_encode(&full, ret));
	cs_keyring_sign(cs_client_keyring(c),
	    (struct cs_bytes){ ret->p + before, ret->n - before }, sig);
	cs_buf_put(ret, sig, sizeof(sig));
	e = cs_buf_err(ret);
out:
	return e;
}

/* --------------------------------------------------------- relay statements */

/* The relay as of the entry that a statement of it names: its keys change. */
static cs_err
find_relay(const struct cs_directory *dir, struct cs_bytes logged,
    struct cs_directory_relay *ret)
{
	struct cs_directory_relay relay;
	struct cs_statement st;
	struct cs_logged lg;
	cs_err e;

	CS_TRY(cs_statement_logged_decode(logged, &lg));
	CS_TRY(cs_statement_decode(lg.statement, &st));
	CS_TRY(st.signer_entry < cs_directory_view(dir).size ? CS_OK
							     : CS_STALE);
	CS_TRY(cs_directory_relay_at(dir, st.signer_entry + 1, &relay));
	CS_TRY(relay.entry == st.signer_entry ? CS_OK : CS_WRONG_RELAY);
	*ret = relay;
out:
	return e;
}

/* Both kinds: of this message, and of nothing else. */
static cs_err
check_logged(const struct cs_outrec *sent, enum cs_fact fact,
    struct cs_bytes logged, const uint8_t *network_id,
    const struct cs_directory *dir, struct cs_statement *ret)
{
	struct cs_directory_relay relay;
	struct cs_checkpoint cp;
	cs_err e;

	CS_TRY(find_relay(dir, logged, &relay));
	CS_TRY(cs_verify_logged(logged, network_id, relay.id,
	    relay.relay.sign_key, ret, &cp));
	if (ret->fact != fact ||
	    memcmp(ret->envelope_id, sent->id, CS_ID_BYTES) != 0 ||
	    memcmp(ret->e, sent->e, CS_HASH_BYTES) != 0)
		e = CS_CLASH;
out:
	return e;
}

static bool
same_objects(const struct cs_outrec *sent, const struct cs_statement *st)
{
	struct cs_custody_object theirs;
	struct cs_envelope_object ours;
	uint16_t i;

	if (st->n_objects != sent->manifest.n_objects)
		return false;
	for (i = 0; i < st->n_objects; i++) {
		cs_statement_custody_object(st, i, &theirs);
		cs_outrec_object(sent, i, &ours);
		if (memcmp(theirs.object_id, ours.object_id, CS_ID_BYTES) !=
			0 ||
		    memcmp(theirs.root, ours.root, CS_HASH_BYTES) != 0)
			return false;
	}
	return true;
}

static bool
same_recipients(const struct cs_outrec *sent, const struct cs_statement *st)
{
	struct cs_custody_recipient theirs;
	struct cs_manifest_device ours;
	size_t pos = 0;
	uint16_t i = 0;

	if (st->n_recipients != sent->manifest.n_devices)
		return false;
	while (cs_manifest_next_device(&sent->manifest, &pos, &ours)) {
		cs_statement_custody_recipient(st, i++, &theirs);
		if (memcmp(theirs.device_id, ours.device_id, CS_ID_BYTES) != 0)
			return false;
	}
	return true;
}

cs_err
cs_receipt_check_custody(const struct cs_outrec *sent, struct cs_bytes logged,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_directory *dir, struct cs_statement *ret_st)
{
	struct cs_statement st;
	cs_err e;

	CS_TRY(check_logged(sent, CS_FACT_CUSTODY, logged, network_id, dir,
	    &st));
	if (!same_objects(sent, &st) || !same_recipients(sent, &st) ||
	    st.stored_until_s < sent->expires_s)
		return CS_CLASH;
	*ret_st = st;
out:
	return e;
}

/* The row of a recipient device. CS_OK or CS_DENIED. */
static cs_err
find_device(const struct cs_outrec *sent, const uint8_t *device_id,
    struct cs_manifest_device *ret)
{
	size_t pos = 0;

	while (cs_manifest_next_device(&sent->manifest, &pos, ret))
		if (memcmp(ret->device_id, device_id, CS_ID_BYTES) == 0)
			return CS_OK;
	return CS_DENIED;
}

cs_err
cs_receipt_check_outcome(const struct cs_outrec *sent, struct cs_bytes logged,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_directory *dir, struct cs_statement *ret_st)
{
	struct cs_manifest_device row;
	struct cs_statement st;
	cs_err e;

	CS_TRY(check_logged(sent, CS_FACT_OUTCOME, logged, network_id, dir,
	    &st));
	if (find_device(sent, st.recipient_device, &row) != CS_OK)
		return CS_CLASH;
	*ret_st = st;
out:
	return e;
}

/* Whose word it is that ends an item so, and of which item. */
static bool
is_cause(const struct cs_statement *st, const struct cs_statement *outcome,
    const uint8_t *sender)
{
	if (outcome->outcome == CS_OUTCOME_FETCHED)
		return ((st->fact == CS_FACT_ACK && st->seq == outcome->seq) ||
			   cs_statement_is_unopened(st)) &&
		       memcmp(st->signer_device, outcome->recipient_device,
			   CS_ID_BYTES) == 0;
	return outcome->outcome == CS_OUTCOME_WITHDRAWN &&
	       st->fact == CS_FACT_WITHDRAW &&
	       memcmp(st->signer_device, sender, CS_ID_BYTES) == 0;
}

cs_err
cs_receipt_check_evidence(const struct cs_outrec *sent,
    const struct cs_statement *outcome, struct cs_bytes evidence,
    const uint8_t sender[static CS_ID_BYTES],
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_directory *dir, struct cs_logged *ret_lg,
    struct cs_statement *ret_st)
{
	uint8_t key[CS_SIGN_PUBLIC_BYTES], signature[CS_SIGNATURE_BYTES];
	struct cs_directory_relay relay;
	struct cs_checkpoint cp;
	struct cs_statement st;
	struct cs_logged lg;
	cs_err e;

	CS_TRY(cs_statement_evidence_decode(evidence, &lg, signature));
	CS_TRY(cs_statement_decode(lg.statement, &st));
	if (memcmp(st.envelope_id, sent->id, CS_ID_BYTES) != 0 ||
	    memcmp(st.e, sent->e, CS_HASH_BYTES) != 0 ||
	    !is_cause(&st, outcome, sender))
		return CS_CLASH;
	CS_TRY(cs_directory_signer(dir, st.signer_device, st.signer_entry,
	    st.time_s, key));
	CS_TRY(cs_directory_read_receipts(dir, lg.checkpoint, &relay, &cp));
	CS_TRY(cs_verify_evidence(evidence, network_id, relay.id,
	    relay.relay.sign_key, key, &st, &cp));
	*ret_lg = lg;
	*ret_st = st;
out:
	return e;
}

/* ----------------------------------------------------- recipient statements */

cs_err
cs_receipt_decode(struct cs_bytes in, struct cs_statement *ret)
{
	struct cs_said said;

	return cs_said_decode(in, &said, ret);
}

static bool
is_recipient_fact(enum cs_fact fact)
{
	return fact == CS_FACT_DELIVERED || fact == CS_FACT_OPENED ||
	       fact == CS_FACT_ACKNOWLEDGED;
}

/* Who could not open M cannot name what is in it: the layout has zeros. */
static bool
same_content(const struct cs_outrec *sent, const struct cs_statement *st)
{
	if (cs_statement_is_unopened(st))
		return true;
	return memcmp(st->s, sent->s, CS_HASH_BYTES) == 0 &&
	       memcmp(st->m_hash, sent->m_hash, CS_HASH512_BYTES) == 0;
}

cs_err
cs_receipt_check(const struct cs_outrec *sent, struct cs_bytes in,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_directory *dir, struct cs_statement *ret_st)
{
	struct cs_manifest_device row;
	struct cs_statement st;
	struct cs_said said;
	uint8_t key[CS_SIGN_PUBLIC_BYTES];
	cs_err e;

	CS_TRY(cs_said_decode(in, &said, &st));
	if (!is_recipient_fact(st.fact))
		return CS_UNSUPPORTED;
	if (memcmp(st.network_id, network_id, CS_NETWORK_ID_BYTES) != 0)
		return CS_WRONG_NETWORK;
	/* Whatever the relay said became of it: what was sealed may arrive. */
	if (sent->stage == CS_OUTREC_QUEUED)
		return CS_CLASH;
	if (memcmp(st.envelope_id, sent->id, CS_ID_BYTES) != 0 ||
	    memcmp(st.e, sent->e, CS_HASH_BYTES) != 0 ||
	    !same_content(sent, &st))
		return CS_CLASH;
	CS_TRY(find_device(sent, st.signer_device, &row));
	if (memcmp(row.member_id, st.signer_member, CS_ID_BYTES) != 0)
		return CS_DENIED;
	CS_TRY(cs_directory_signer(dir, st.signer_device, st.signer_entry,
	    st.time_s, key));
	CS_TRY(cs_verify_ed25519(key, said.statement, said.signature));
	*ret_st = st;
out:
	return e;
}

/* ------------------------------------------------------------------- facts */

static struct cs_bytes
fact_key(const uint8_t *envelope_id, const uint8_t *device_id,
    enum cs_fact fact, uint8_t buf[static FACT_KEY_BYTES])
{
	memcpy(buf, envelope_id, CS_ID_BYTES);
	memcpy(buf + CS_ID_BYTES, device_id, CS_ID_BYTES);
	buf[2 * CS_ID_BYTES] = (uint8_t)fact;
	return (struct cs_bytes){ buf, FACT_KEY_BYTES };
}

cs_err
cs_receipt_store(struct cs_local_txn *txn,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES], enum cs_fact fact,
    struct cs_bytes bytes, bool *ret_new)
{
	uint8_t buf[FACT_KEY_BYTES];
	const struct cs_bytes key = fact_key(envelope_id, device_id, fact, buf);
	struct cs_secret *old = NULL;
	struct cs_buf value = { 0 };
	bool is_new = false;
	cs_err e;

	cs_buf_put_u64(&value, cs_client_now());
	cs_buf_put_bytes(&value, bytes);
	CS_TRY(cs_buf_err(&value));
	e = cs_local_get(txn, CS_LOCAL_FACT, key, &old);
	if (e == CS_NOT_FOUND) {
		is_new = true;
		e = cs_local_put(txn, CS_LOCAL_FACT, key, cs_buf_view(&value));
	}
out:
	cs_secret_free(old);
	cs_buf_fini(&value);
	if (e == CS_OK && ret_new)
		*ret_new = is_new;
	return e;
}

cs_err
cs_receipt_load(struct cs_local_txn *txn,
    const uint8_t envelope_id[static CS_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES], enum cs_fact fact,
    struct cs_buf *ret, uint64_t *ret_arrived_s)
{
	uint8_t buf[FACT_KEY_BYTES];
	struct cs_buf value = { 0 };
	struct cs_cursor c;
	uint64_t arrived_s;
	cs_err e;

	CS_TRY(cs_local_get_public(txn, CS_LOCAL_FACT,
	    fact_key(envelope_id, device_id, fact, buf), &value));
	c = cs_cursor_new(cs_buf_view(&value));
	arrived_s = cs_cursor_u64(&c);
	CS_TRY(cs_cursor_err(&c) == CS_OK ? CS_OK : CS_CORRUPT);
	cs_buf_put_bytes(ret, cs_cursor_take(&c, c.left));
	CS_TRY(cs_buf_err(ret));
	*ret_arrived_s = arrived_s;
out:
	cs_buf_fini(&value);
	return e;
}

cs_err
cs_receipt_any(struct cs_local_txn *txn,
    const uint8_t envelope_id[static CS_ID_BYTES], bool *ret)
{
	uint8_t key[CS_LOCAL_KEY_BYTES];
	size_t n;
	cs_err e = cs_local_next(txn, CS_LOCAL_FACT,
	    (struct cs_bytes){ envelope_id, CS_ID_BYTES },
	    (struct cs_bytes){ 0 }, key, &n);

	if (e != CS_OK && e != CS_NOT_FOUND)
		return e;
	*ret = e == CS_OK;
	return CS_OK;
}
