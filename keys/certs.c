#include "keys/certs.h"

#include <string.h>

#include "keys/quorum.h"
#include "keys/verify.h"
#include "proto/base/cursor.h"
#include "proto/field.h"

/* ----------------------------------------------------------------- collect */

/* Entry i of the directory, taken apart. */
static cs_err
read_entry(const struct cs_directory *d, uint64_t i, struct cs_bytes *ret_bytes,
    struct cs_entry *ret)
{
	struct cs_entry_leaf leaf;
	struct cs_bytes v;
	cs_err e;

	CS_TRY(cs_directory_leaf(d, i, &v));
	CS_TRY(cs_entry_leaf_decode(v, &leaf));
	CS_TRY(cs_entry_decode(leaf.entry, ret));
	*ret_bytes = leaf.entry;
out:
	return e;
}

/* Number of the last entry of a registrar before one that it signed. */
static cs_err
find_registrar(const struct cs_directory *d, const uint8_t *id, uint64_t before,
    uint64_t *ret)
{
	struct cs_entry entry;
	struct cs_bytes bytes;

	while (before-- > 0) {
		if (read_entry(d, before, &bytes, &entry) == CS_OK &&
		    entry.type == CS_ENTRY_REGISTRAR &&
		    memcmp(entry.subject, id, CS_ID_BYTES) == 0) { /* public */
			*ret = before;
			return CS_OK;
		}
	}
	return CS_NOT_FOUND;
}

cs_err
cs_certs_collect_at(const struct cs_directory *d, uint64_t relay_entry,
    struct cs_buf *out)
{
	struct cs_bytes bytes;
	struct cs_entry entry;
	uint64_t registrar;
	cs_err e;

	CS_TRY(read_entry(d, relay_entry, &bytes, &entry));
	CS_TRY(entry.type == CS_ENTRY_RELAY ? CS_OK : CS_NOT_FOUND);
	CS_TRY(find_registrar(d, entry.authority, relay_entry, &registrar));
	for (uint64_t i = 0; i <= relay_entry; i++) {
		CS_TRY(read_entry(d, i, &bytes, &entry));
		if (entry.type == CS_ENTRY_ROOT || i == registrar ||
		    i == relay_entry)
			cs_field_put_var32(out, bytes);
	}
	e = cs_buf_err(out);
out:
	return e;
}

cs_err
cs_certs_collect(const struct cs_directory *d, struct cs_buf *out)
{
	struct cs_directory_relay relay;
	cs_err e;

	CS_TRY(cs_directory_relay(d, &relay));
	CS_TRY(cs_certs_collect_at(d, relay.entry, out));
out:
	return e;
}

/* ------------------------------------------------------------------- check */

/* How far the certificates were followed. */
struct walk {
	struct cs_quorum quorum; /* of the network; root version 0 at first */
	bool has_registrar, has_relay;
	uint8_t registrar_key[CS_SIGN_PUBLIC_BYTES];
	struct cs_certs_relay relay;
};

static cs_err
take_registrar(struct walk *w, const struct cs_entry *entry,
    struct cs_bytes message)
{
	struct cs_entry_registrar v;
	cs_err e;

	CS_TRY(w->quorum.root.version > 0 ? CS_OK : CS_CLASH);
	CS_TRY(memcmp(entry->authority, w->quorum.root_id, CS_ID_BYTES) == 0
		   ? CS_OK
		   : CS_DENIED);
	CS_TRY(cs_entry_registrar_decode(entry->body, &v));
	CS_TRY(cs_quorum_signed(entry, &w->quorum.root, 0, message, true));
	memcpy(w->registrar_key, v.key, sizeof(w->registrar_key));
	memcpy(w->relay.registrar, entry->subject, CS_ID_BYTES);
	w->has_registrar = true;
out:
	return e;
}

static cs_err
take_relay(struct walk *w, const struct cs_entry *entry,
    struct cs_bytes message)
{
	struct cs_entry_relay v;
	const uint8_t *sig;
	cs_err e;

	CS_TRY(w->has_registrar ? CS_OK : CS_CLASH);
	CS_TRY(memcmp(entry->authority, w->relay.registrar, /* public */
		   CS_ID_BYTES) == 0
		   ? CS_OK
		   : CS_DENIED);
	CS_TRY(cs_entry_relay_decode(entry->body, &v));
	CS_TRY(cs_entry_signature(entry, 0, &sig) == 0 ? CS_OK : CS_DENIED);
	CS_TRY(cs_verify_ed25519(w->registrar_key, message, sig));
	memcpy(w->relay.id, entry->subject, CS_ID_BYTES);
	memcpy(w->relay.sign_key, v.sign_key, CS_SIGN_PUBLIC_BYTES);
	w->relay.network_name = w->quorum.root.name;
	w->has_relay = true;
out:
	return e;
}

static cs_err
take(struct walk *w, struct cs_bytes bytes)
{
	static const struct {
		enum cs_entry_type type;
		cs_err (*take)(struct walk *w, const struct cs_entry *entry,
		    struct cs_bytes message);
	} kinds[] = {
		{ CS_ENTRY_REGISTRAR, take_registrar },
		{ CS_ENTRY_RELAY, take_relay },
	};
	struct cs_buf message = { 0 };
	struct cs_entry entry;
	cs_err e;

	CS_TRY(cs_entry_decode(bytes, &entry));
	CS_TRY(w->has_relay ? CS_CLASH : CS_OK); /* it ends with the relay */
	if (entry.type == CS_ENTRY_ROOT) {
		e = cs_quorum_follow(&w->quorum, bytes);
		goto out;
	}
	cs_entry_signed_bytes(w->quorum.req.network_id, entry.core, &message);
	CS_TRY(cs_buf_err(&message));
	e = CS_CLASH;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].type == entry.type)
			e = kinds[i].take(w, &entry, cs_buf_view(&message));
	if (w->has_relay)
		w->relay.entry = bytes;
out:
	cs_buf_fini(&message);
	return e;
}

cs_err
cs_certs_check(struct cs_bytes certs,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_certs_relay *ret)
{
	struct cs_cursor c = cs_cursor_new(certs);
	struct walk w = { 0 };
	struct cs_bytes entry;
	cs_err e = CS_OK;

	if (certs.n > CS_CERTS_MAX_BYTES)
		return CS_TOO_LARGE;
	memcpy(w.quorum.req.network_id, network_id, CS_NETWORK_ID_BYTES);
	while (c.left > 0) {
		entry = cs_field_var32(&c);
		CS_TRY(cs_cursor_err(&c));
		CS_TRY(take(&w, entry));
	}
	CS_TRY(w.has_relay ? CS_OK : CS_INCOMPLETE);
	*ret = w.relay;
out:
	return e;
}
