#include "keys/quorum.h"

#include <string.h>

#include "keys/verify.h"
#include "proto/field.h"

cs_err
cs_quorum_signed(const struct cs_entry *entry, const struct cs_entry_root *root,
    uint8_t previous, struct cs_bytes message, bool signatures)
{
	unsigned count = 0;
	const uint8_t *sig;

	for (uint8_t i = 0; i < entry->n_signatures; i++) {
		uint8_t number = cs_entry_signature(entry, i, &sig);
		uint8_t key = number & (uint8_t)~CS_ENTRY_PREVIOUS_KEY;

		if ((number & CS_ENTRY_PREVIOUS_KEY) != previous)
			continue;
		if (key >= root->n_keys)
			return CS_DENIED;
		count++;
		if (signatures &&
		    cs_verify_ed25519(root->keys.p +
					  (size_t)key * CS_SIGN_PUBLIC_BYTES,
			message, sig) != CS_OK)
			return CS_BAD_SIGNATURE;
	}
	return count >= root->threshold ? CS_OK : CS_DENIED;
}

uint8_t
cs_quorum_place(const struct cs_entry_root *root,
    const uint8_t key[static CS_SIGN_PUBLIC_BYTES])
{
	uint8_t i = 0;

	/* public keys */
	while (i < root->n_keys &&
	       memcmp(root->keys.p + (size_t)i * CS_SIGN_PUBLIC_BYTES, key,
		   CS_SIGN_PUBLIC_BYTES) != 0)
		i++;
	return i;
}

/* --------------------------------------------------------- the root versions
 */

/* The first one: its hash is the network's id, and it speaks for itself. */
static cs_err
check_first(const struct cs_entry *entry, const struct cs_entry_root *root,
    const uint8_t *network_id)
{
	uint8_t id[CS_NETWORK_ID_BYTES];

	cs_entry_network_id(entry, id);
	if (root->version != 1 || entry->prev != CS_ENTRY_NO_PREV ||
	    memcmp(id, network_id, sizeof(id)) != 0)
		return CS_WRONG_NETWORK;
	return CS_OK;
}

/* That entry makes this root version follow the one in force. */
static cs_err
check_follows(const struct cs_quorum *q, const struct cs_entry *entry,
    const struct cs_entry_root *root)
{
	if (q->root.version == 0)
		return check_first(entry, root, q->req.network_id);
	/* public ids */
	if (memcmp(entry->subject, q->root_id, CS_ID_BYTES) != 0)
		return CS_DENIED;
	return root->version == q->root.version + 1 ? CS_OK : CS_CLASH;
}

static cs_err
check_root_signatures(const struct cs_quorum *q, const struct cs_entry *entry,
    const struct cs_entry_root *root)
{
	struct cs_buf m = { 0 };
	cs_err e;

	cs_entry_signed_bytes(q->req.network_id, entry->core, &m);
	CS_TRY(cs_buf_err(&m));
	CS_TRY(cs_quorum_signed(entry, root, 0, cs_buf_view(&m), true));
	if (q->root.version > 0)
		CS_TRY(cs_quorum_signed(entry, &q->root, CS_ENTRY_PREVIOUS_KEY,
		    cs_buf_view(&m), true));
out:
	cs_buf_fini(&m);
	return e;
}

cs_err
cs_quorum_follow(struct cs_quorum *q, struct cs_bytes bytes)
{
	struct cs_entry_root root;
	struct cs_entry entry;
	cs_err e;

	CS_TRY(cs_entry_decode(bytes, &entry));
	CS_TRY(cs_entry_root_decode(entry.body, &root));
	CS_TRY(check_follows(q, &entry, &root));
	CS_TRY(check_root_signatures(q, &entry, &root));
	memcpy(q->root_id, entry.subject, CS_ID_BYTES);
	q->root = root;
out:
	return e;
}

/* --------------------------------------------------------------- the entries
 */

struct cs_quorum_core
cs_quorum_core(const struct cs_quorum *q, uint8_t i)
{
	struct cs_entry_root now = q->root, next;
	struct cs_quorum_core v = { 0 };

	for (uint8_t at = 0; at <= i; at++) {
		v = (struct cs_quorum_core){ 0 };
		if (cs_entry_core_decode(cs_signing_core(&q->req, at),
			&v.entry) != CS_OK)
			return v; /* never: cs_signing_decode looked */
		v.side[0].root = now;
		v.n_sides = 1;
		if (v.entry.type != CS_ENTRY_ROOT ||
		    cs_entry_root_decode(v.entry.body, &next) != CS_OK)
			continue;
		v.side[0].root = next;
		if (now.version > 0) {
			v.side[1] =
			    (struct cs_quorum_side){ CS_ENTRY_PREVIOUS_KEY,
				    now };
			v.n_sides = 2;
		}
		now = next;
	}
	return v;
}

/* The body is one of its type. */
static cs_err
check_body(const struct cs_entry *entry)
{
	struct cs_entry_registrar registrar;
	struct cs_entry_policy policy;
	struct cs_entry_revoke revoke;

	if (entry->type == CS_ENTRY_REGISTRAR)
		return cs_entry_registrar_decode(entry->body, &registrar);
	if (entry->type == CS_ENTRY_POLICY)
		return cs_entry_policy_decode(entry->body, &policy);
	if (entry->type == CS_ENTRY_REVOKE)
		return cs_entry_revoke_decode(entry->body, &revoke);
	return CS_MALFORMED;
}

/* Entry i is by the root; `at` holds the root that is in force when it comes,
 * and takes over the one that it makes. */
static cs_err
check_core(struct cs_quorum *at, uint8_t i)
{
	struct cs_entry_root root;
	struct cs_entry entry;
	cs_err e;

	CS_TRY(cs_entry_core_decode(cs_signing_core(&at->req, i), &entry));
	if (entry.type == CS_ENTRY_ROOT) {
		CS_TRY(cs_entry_root_decode(entry.body, &root));
		CS_TRY(check_follows(at, &entry, &root));
		memcpy(at->root_id, entry.subject, CS_ID_BYTES);
		at->root = root;
	} else {
		CS_TRY(at->root.version > 0 ? CS_OK : CS_DENIED);
		CS_TRY(check_body(&entry));
	}
	/* public ids */
	CS_TRY(memcmp(entry.authority, at->root_id, CS_ID_BYTES) == 0
		   ? CS_OK
		   : CS_DENIED);
	if (entry.type == CS_ENTRY_POLICY)
		CS_TRY(memcmp(entry.subject, at->root_id, CS_ID_BYTES) == 0
			   ? CS_OK
			   : CS_DENIED);
out:
	return e;
}

/* ----------------------------------------------------------- the signatures */

static cs_err
check_row(const struct cs_quorum *q, const struct cs_signing_row *row)
{
	struct cs_quorum_core core = cs_quorum_core(q, row->core);
	uint8_t previous = row->number & CS_ENTRY_PREVIOUS_KEY;
	uint8_t key = row->number & (uint8_t)~CS_ENTRY_PREVIOUS_KEY;
	const struct cs_entry_root *root;
	struct cs_buf m = { 0 };
	cs_err e;

	CS_TRY(!previous || core.n_sides == 2 ? CS_OK : CS_DENIED);
	root = &core.side[previous ? 1 : 0].root;
	CS_TRY(key < root->n_keys ? CS_OK : CS_DENIED);
	cs_entry_signed_bytes(q->req.network_id, core.entry.core, &m);
	CS_TRY(cs_buf_err(&m));
	CS_TRY(cs_verify_ed25519(root->keys.p +
				     (size_t)key * CS_SIGN_PUBLIC_BYTES,
	    cs_buf_view(&m), row->signature));
out:
	cs_buf_fini(&m);
	return e;
}

cs_err
cs_quorum_open(const struct cs_signing *req, struct cs_quorum *ret)
{
	struct cs_quorum q = { .req = *req }, at;
	cs_err e;

	for (uint16_t i = 0; i < req->n_roots; i++)
		CS_TRY(cs_quorum_follow(&q, cs_signing_root(req, i)));
	at = q;
	for (uint8_t i = 0; i < req->n_cores; i++)
		CS_TRY(check_core(&at, i));
	memcpy(q.root_id, at.root_id, CS_ID_BYTES);
	for (uint16_t i = 0; i < req->n_rows; i++) {
		struct cs_signing_row row = cs_signing_row(req->rows, i);

		CS_TRY(check_row(&q, &row));
	}
	*ret = q;
	e = CS_OK;
out:
	return e;
}

unsigned
cs_quorum_count(struct cs_bytes rows, uint8_t i,
    const struct cs_quorum_side *side)
{
	unsigned n = 0;

	for (size_t at = 0; at < rows.n / CS_SIGNING_ROW_BYTES; at++) {
		struct cs_signing_row row = cs_signing_row(rows, (uint16_t)at);

		n += row.core == i &&
		     (row.number & CS_ENTRY_PREVIOUS_KEY) == side->previous;
	}
	return n;
}

/* Signs entry i for each version that has the key; says for how many. */
static cs_err
sign_core(const struct cs_quorum *q, const struct cs_keyring *kr, uint8_t i,
    struct cs_buf *rows, unsigned *ret)
{
	struct cs_quorum_core core = cs_quorum_core(q, i);
	uint8_t sig[CS_SIGNATURE_BYTES];
	struct cs_buf m = { 0 };
	cs_err e;

	cs_entry_signed_bytes(q->req.network_id, core.entry.core, &m);
	CS_TRY(cs_buf_err(&m));
	for (uint8_t s = 0; s < core.n_sides; s++) {
		const struct cs_quorum_side *side = &core.side[s];
		struct cs_signing_row row = { .core = i, .signature = sig };
		uint8_t key =
		    cs_quorum_place(&side->root, cs_keyring_info(kr)->sign_key);

		if (key == side->root.n_keys)
			continue;
		row.number = side->previous | key;
		cs_keyring_sign(kr, cs_buf_view(&m), sig);
		cs_signing_put_row(rows, &row);
		CS_TRY(cs_buf_err(rows));
		++*ret;
	}
out:
	cs_buf_fini(&m);
	return e;
}

cs_err
cs_quorum_sign(const struct cs_quorum *q, const struct cs_keyring *root,
    struct cs_buf *rows)
{
	const struct cs_keyring_info *info = cs_keyring_info(root);
	unsigned n = 0;
	cs_err e;

	/* one made before its network was founded belongs to none yet */
	CS_TRY(cs_field_is_zero(info->network_id, sizeof(info->network_id)) ||
		       memcmp(info->network_id, q->req.network_id,
			   sizeof(info->network_id)) == 0
		   ? CS_OK
		   : CS_WRONG_NETWORK);
	for (uint8_t i = 0; i < q->req.n_cores; i++)
		CS_TRY(sign_core(q, root, i, rows, &n));
	CS_TRY(n > 0 ? CS_OK : CS_DENIED);
out:
	return e;
}

cs_err
cs_quorum_entry(const struct cs_quorum *q, struct cs_bytes rows, uint8_t i,
    struct cs_buf *out)
{
	struct cs_quorum_core core = cs_quorum_core(q, i);
	struct cs_buf signatures = { 0 };
	uint8_t n = 0;
	cs_err e;

	for (uint8_t s = 0; s < core.n_sides; s++)
		CS_TRY(cs_quorum_count(rows, i, &core.side[s]) >=
			       core.side[s].root.threshold
			   ? CS_OK
			   : CS_INCOMPLETE);
	for (size_t at = 0; at < rows.n / CS_SIGNING_ROW_BYTES; at++) {
		struct cs_signing_row row = cs_signing_row(rows, (uint16_t)at);

		if (row.core != i)
			continue;
		cs_buf_put_u8(&signatures, row.number);
		cs_buf_put(&signatures, row.signature, CS_SIGNATURE_BYTES);
		n++;
	}
	CS_TRY(cs_buf_err(&signatures));
	cs_entry_encode(core.entry.core, n, cs_buf_view(&signatures), out);
	CS_TRY(cs_buf_err(out));
out:
	cs_buf_fini(&signatures);
	return e;
}

/* ------------------------------------------------------------------- making */

cs_err
cs_quorum_pack(enum cs_entry_type type,
    const uint8_t root_id[static CS_ID_BYTES], const uint8_t *subject,
    uint64_t prev, uint64_t now_s, struct cs_bytes body, struct cs_buf *cores)
{
	struct cs_entry entry = {
		.type = type,
		.time_s = now_s,
		.prev = prev,
		.body = body,
	};
	struct cs_buf core = { 0 };
	cs_err e;

	memcpy(entry.subject, subject ? subject : root_id, CS_ID_BYTES);
	memcpy(entry.authority, root_id, CS_ID_BYTES);
	CS_TRY(cs_entry_encode_core(&entry, &core));
	cs_signing_pack(cores, cs_buf_view(&core));
	CS_TRY(cs_buf_err(cores));
out:
	cs_buf_fini(&core);
	return e;
}

/* -------------------------------------------------------------------- cards */

cs_err
cs_quorum_make_card(const struct cs_keyring *kr, struct cs_bytes name,
    struct cs_buf *out)
{
	const struct cs_keyring_info *info = cs_keyring_info(kr);
	struct cs_card card = { .kind = (uint8_t)info->kind, .name = name };
	struct cs_buf content = { 0 }, m = { 0 }, whole = { 0 };
	uint8_t sig[CS_SIGNATURE_BYTES];
	cs_err e;

	memcpy(card.id, info->id, sizeof(card.id));
	memcpy(card.sign_key, info->sign_key, sizeof(card.sign_key));
	cs_card_encode(&card, &content);
	CS_TRY(cs_buf_err(&content));
	cs_card_signed_bytes(cs_buf_view(&content), &m);
	CS_TRY(cs_buf_err(&m));
	cs_keyring_sign(kr, cs_buf_view(&m), sig);
	cs_buf_put_bytes(&whole, cs_buf_view(&content));
	cs_buf_put(&whole, sig, sizeof(sig));
	CS_TRY(cs_buf_err(&whole));
	CS_TRY(cs_quorum_read_card(cs_buf_view(&whole), &card));
	cs_buf_put_bytes(out, cs_buf_view(&whole));
	CS_TRY(cs_buf_err(out));
out:
	cs_buf_fini(&content);
	cs_buf_fini(&m);
	cs_buf_fini(&whole);
	return e;
}

cs_err
cs_quorum_read_card(struct cs_bytes in, struct cs_card *ret)
{
	struct cs_card card;
	struct cs_buf m = { 0 };
	cs_err e;

	CS_TRY(cs_card_decode(in, &card));
	cs_card_signed_bytes(card.content, &m);
	CS_TRY(cs_buf_err(&m));
	CS_TRY(cs_verify_ed25519(card.sign_key, cs_buf_view(&m),
	    card.signature));
	*ret = card;
out:
	cs_buf_fini(&m);
	return e;
}
