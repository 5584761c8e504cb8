#include "keys/verify.h"

#include <sodium.h>
#include <string.h>

#include "proto/label.h"
#include "proto/merkle.h"

cs_err
cs_verify_ed25519(const uint8_t key[static CS_SIGN_PUBLIC_BYTES],
    struct cs_bytes message, const uint8_t sig[static CS_SIGNATURE_BYTES])
{
	if (crypto_sign_ed25519_verify_detached(sig, message.p, message.n,
		key) != 0)
		return CS_BAD_SIGNATURE;
	return CS_OK;
}

void
cs_verify_login_bytes(const uint8_t handshake[static 32],
    const uint8_t relay_id[static CS_ID_BYTES],
    const uint8_t device_id[static CS_ID_BYTES],
    uint8_t ret[static CS_VERIFY_LOGIN_BYTES])
{
	const struct cs_bytes label = CS_LABEL_LOGIN;

	memcpy(ret, label.p, label.n);
	ret += label.n;
	memcpy(ret, handshake, 32);
	ret += 32;
	memcpy(ret, relay_id, CS_ID_BYTES);
	memcpy(ret + CS_ID_BYTES, device_id, CS_ID_BYTES);
}

cs_err
cs_verify_checkpoint(struct cs_bytes note, enum cs_log log,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t *relay_id, const uint8_t key[static CS_SIGN_PUBLIC_BYTES],
    struct cs_checkpoint *ret)
{
	struct cs_buf origin = { 0 };
	struct cs_note parts;
	struct cs_checkpoint cp;
	uint8_t sig[CS_SIGNATURE_BYTES];
	cs_err e;

	cs_checkpoint_origin(log, network_id, relay_id, &origin);
	CS_TRY(cs_buf_err(&origin));
	CS_TRY(cs_checkpoint_split(note, &parts));
	/* Body before signature: a note of another network is no forgery. */
	CS_TRY(cs_checkpoint_decode_body(parts.body, cs_buf_view(&origin),
	    &cp));
	e = cs_checkpoint_signature(&parts, cs_buf_view(&origin), key, sig);
	if (e == CS_NOT_FOUND)
		e = CS_BAD_SIGNATURE;
	CS_TRY(e);
	CS_TRY(cs_verify_ed25519(key, parts.body, sig));
	memcpy(cp.signature, sig, sizeof(sig));
	*ret = cp;
out:
	cs_buf_fini(&origin);
	return e;
}

cs_err
cs_verify_cosignature(const struct cs_note *note,
    const uint8_t witness_id[static CS_ID_BYTES],
    const uint8_t key[static CS_SIGN_PUBLIC_BYTES], uint64_t *ret_time_s)
{
	struct cs_cosignature v;
	struct cs_buf message = { 0 };
	cs_err e;

	CS_TRY(cs_cosignature_find(note, witness_id, key, &v));
	cs_cosignature_message(v.time_s, note->body, &message);
	CS_TRY(cs_buf_err(&message));
	CS_TRY(cs_verify_ed25519(key, cs_buf_view(&message), v.signature));
	*ret_time_s = v.time_s;
out:
	cs_buf_fini(&message);
	return e;
}

cs_err
cs_verify_seen(const struct cs_checkpoint *cp,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t key[static CS_SIGN_PUBLIC_BYTES])
{
	struct cs_buf origin = { 0 }, body = { 0 };
	cs_err e;

	cs_checkpoint_origin(CS_LOG_DIRECTORY, network_id, NULL, &origin);
	CS_TRY(cs_buf_err(&origin));
	cs_checkpoint_encode_body(cs_buf_view(&origin), cp, &body);
	CS_TRY(cs_buf_err(&body));
	CS_TRY(cs_verify_ed25519(key, cs_buf_view(&body), cp->signature));
out:
	cs_buf_fini(&origin);
	cs_buf_fini(&body);
	return e;
}

/* Is it the relay of this network that speaks, and of what only it may? */
static cs_err
check_author(const struct cs_statement *st,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t relay_id[static CS_ID_BYTES])
{
	if (st->fact != CS_FACT_CUSTODY && st->fact != CS_FACT_OUTCOME)
		return CS_MALFORMED;
	if (memcmp(st->network_id, network_id, /* public */
		CS_NETWORK_ID_BYTES) != 0)
		return CS_WRONG_NETWORK;
	if (memcmp(st->signer_device, relay_id, /* public */
		CS_ID_BYTES) != 0 ||
	    !sodium_is_zero(st->signer_member, CS_ID_BYTES))
		return CS_WRONG_RELAY;
	return CS_OK;
}

/* Is it in the log of this relay, under a checkpoint that it signed? */
static cs_err
check_leaf(const struct cs_logged *lg, const uint8_t *network_id,
    const uint8_t *relay_id, const uint8_t *key, struct cs_checkpoint *ret)
{
	uint8_t data[CS_HASH_BYTES], leaf[CS_HASH_BYTES];
	struct cs_checkpoint cp;
	cs_err e;

	CS_TRY(cs_verify_checkpoint(lg->checkpoint, CS_LOG_RECEIPTS, network_id,
	    relay_id, key, &cp));
	cs_statement_leaf(lg->salt, lg->statement, data);
	cs_merkle_leaf(CS_BYTES(data), leaf);
	CS_TRY(cs_merkle_check_inclusion(leaf, lg->index, cp.size, lg->proof,
	    cp.root));
	*ret = cp;
out:
	return e;
}

cs_err
cs_verify_logged(struct cs_bytes logged,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t relay_id[static CS_ID_BYTES],
    const uint8_t key[static CS_SIGN_PUBLIC_BYTES], struct cs_statement *ret_st,
    struct cs_checkpoint *ret_cp)
{
	struct cs_logged lg;
	struct cs_statement st;
	cs_err e;

	CS_TRY(cs_statement_logged_decode(logged, &lg));
	CS_TRY(cs_statement_decode(lg.statement, &st));
	CS_TRY(check_author(&st, network_id, relay_id));
	CS_TRY(check_leaf(&lg, network_id, relay_id, key, ret_cp));
	*ret_st = st;
out:
	return e;
}

cs_err
cs_verify_evidence(struct cs_bytes evidence,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const uint8_t relay_id[static CS_ID_BYTES],
    const uint8_t key[static CS_SIGN_PUBLIC_BYTES],
    const uint8_t device_key[static CS_SIGN_PUBLIC_BYTES],
    struct cs_statement *ret_st, struct cs_checkpoint *ret_cp)
{
	uint8_t signature[CS_SIGNATURE_BYTES];
	struct cs_checkpoint cp;
	struct cs_statement st;
	struct cs_logged lg;
	cs_err e;

	CS_TRY(cs_statement_evidence_decode(evidence, &lg, signature));
	CS_TRY(cs_statement_decode(lg.statement, &st));
	CS_TRY(st.fact == CS_FACT_ACK || st.fact == CS_FACT_WITHDRAW ||
		       cs_statement_is_unopened(&st)
		   ? CS_OK
		   : CS_MALFORMED);
	CS_TRY(memcmp(st.network_id, network_id, CS_NETWORK_ID_BYTES) == 0
		   ? CS_OK
		   : CS_WRONG_NETWORK);
	CS_TRY(cs_verify_ed25519(device_key, lg.statement, signature));
	CS_TRY(check_leaf(&lg, network_id, relay_id, key, &cp));
	*ret_st = st;
	*ret_cp = cp;
out:
	return e;
}

cs_err
cs_verify_anchor(const struct cs_said *said, const struct cs_checkpoint *cp)
{
	uint8_t mine[CS_HASH_BYTES], data[CS_HASH_BYTES], leaf[CS_HASH_BYTES];

	cs_statement_leaf(said->anchor.salt, said->statement, mine);
	cs_statement_anchor(mine, data);
	cs_merkle_leaf(CS_BYTES(data), leaf);
	return cs_merkle_check_inclusion(leaf, said->anchor.index, cp->size,
	    said->anchor.proof, cp->root);
}
