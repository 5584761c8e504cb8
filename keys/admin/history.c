#include "keys/admin/history.h"

#include <stdlib.h>
#include <string.h>

#include "proto/base/cursor.h"

#define POLICY_ROW_BYTES 9

/* One entry on its way into the history. */
struct event {
	const struct cs_entry_leaf *leaf;
	const struct cs_entry *entry;
};

/* Room for one more item of an array; NULL without memory. */
static void *
extend(void **array, size_t *n, size_t item_bytes)
{
	void *p = reallocarray(*array, *n + 1, item_bytes);

	if (!p)
		return NULL;
	*array = p;
	return (char *)p + item_bytes * (*n)++;
}

#define EXTEND(h, array)                                                       \
	extend((void **)&(h)->array, &(h)->n_##array, sizeof(*(h)->array))

static cs_err
take_root(struct cs_history *h, const struct event *ev)
{
	struct cs_history_root *root;
	struct cs_entry_root is;
	cs_err e;

	CS_TRY(cs_entry_root_decode(ev->entry->body, &is));
	root = EXTEND(h, roots);
	CS_TRY(root ? CS_OK : CS_NO_MEMORY);
	*root = (struct cs_history_root){ ev->leaf->seq, ev->leaf->logged_at_s,
		is };
	memcpy(h->root_id, ev->entry->subject, CS_ID_BYTES);
	cs_signing_pack(&h->packed, ev->leaf->entry);
	CS_TRY(cs_buf_err(&h->packed));
out:
	return e;
}

static struct cs_history_registrar *
find(const struct cs_history *h, const uint8_t *id)
{
	for (size_t i = 0; i < h->n_registrars; i++)
		if (memcmp(h->registrars[i].id, id, CS_ID_BYTES) == 0)
			return &h->registrars[i];
	return NULL;
}

const struct cs_history_registrar *
cs_history_registrar(const struct cs_history *h,
    const uint8_t id[static CS_ID_BYTES])
{
	return find(h, id);
}

static cs_err
take_registrar(struct cs_history *h, const struct event *ev)
{
	struct cs_history_registrar *r = find(h, ev->entry->subject);
	struct cs_entry_registrar is;
	cs_err e;

	CS_TRY(cs_entry_registrar_decode(ev->entry->body, &is));
	if (!r) {
		r = EXTEND(h, registrars);
		CS_TRY(r ? CS_OK : CS_NO_MEMORY);
		*r = (struct cs_history_registrar){ .revoke_entry =
							CS_ENTRY_NO_PREV };
		memcpy(r->id, ev->entry->subject, CS_ID_BYTES);
	}
	r->entry = ev->leaf->seq;
	r->logged_at_s = ev->leaf->logged_at_s;
	r->is = is;
out:
	return e;
}

static cs_err
take_relay(struct cs_history *h, const struct event *ev)
{
	struct cs_history_relay *r;
	struct cs_entry_relay is;
	cs_err e;

	CS_TRY(cs_entry_relay_decode(ev->entry->body, &is));
	r = EXTEND(h, relays);
	CS_TRY(r ? CS_OK : CS_NO_MEMORY);
	*r = (struct cs_history_relay){ .entry = ev->leaf->seq,
		.logged_at_s = ev->leaf->logged_at_s,
		.is = is };
	memcpy(r->id, ev->entry->subject, CS_ID_BYTES);
out:
	return e;
}

static cs_err
take_policy(struct cs_history *h, const struct event *ev)
{
	h->policy_entry = ev->leaf->seq;
	return cs_entry_policy_decode(ev->entry->body, &h->policy);
}

static cs_err
take_revoke(struct cs_history *h, const struct event *ev)
{
	struct cs_history_registrar *r = find(h, ev->entry->subject);

	if (r)
		r->revoke_entry = ev->leaf->seq;
	return CS_OK;
}

static const struct {
	enum cs_entry_type type;
	cs_err (*take)(struct cs_history *, const struct event *);
} rows[] = {
	{ CS_ENTRY_ROOT, take_root },
	{ CS_ENTRY_REGISTRAR, take_registrar },
	{ CS_ENTRY_RELAY, take_relay },
	{ CS_ENTRY_POLICY, take_policy },
	{ CS_ENTRY_REVOKE, take_revoke },
};

static cs_err
take(struct cs_history *h, struct cs_bytes bytes)
{
	struct cs_entry_leaf leaf;
	struct cs_entry entry;
	const struct event ev = { &leaf, &entry };
	cs_err e;

	CS_TRY(cs_entry_leaf_decode(bytes, &leaf));
	CS_TRY(cs_entry_decode(leaf.entry, &entry));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].type == entry.type)
			CS_TRY(rows[i].take(h, &ev));
out:
	return e;
}

cs_err
cs_history_read(const struct cs_directory *dir, struct cs_history *ret)
{
	struct cs_history h = { .policy_entry = CS_ENTRY_NO_PREV };
	struct cs_bytes leaf;
	cs_err e = CS_OK;

	for (uint64_t i = 0; cs_directory_leaf(dir, i, &leaf) == CS_OK; i++)
		CS_TRY(take(&h, leaf));
	CS_TRY(h.n_roots <= CS_SIGNING_MAX_ROOTS ? CS_OK : CS_TOO_LARGE);
	*ret = h;
	h = (struct cs_history){ 0 };
out:
	cs_history_fini(&h);
	return e;
}

void
cs_history_fini(struct cs_history *h)
{
	free(h->roots);
	free(h->registrars);
	free(h->relays);
	cs_buf_fini(&h->packed);
	*h = (struct cs_history){ 0 };
}

bool
cs_history_policy(const struct cs_history *h, enum cs_policy_key key,
    uint64_t *ret)
{
	for (uint8_t i = 0; i < h->policy.n; i++) {
		struct cs_cursor c = cs_cursor_new(h->policy.rows);

		(void)cs_cursor_take(&c, (size_t)i * POLICY_ROW_BYTES);
		if (cs_cursor_u8(&c) != key)
			continue;
		*ret = cs_cursor_u64(&c);
		return true;
	}
	return false;
}

uint32_t
cs_history_open_invitations(const struct cs_directory *dir, uint64_t now_s,
    uint64_t *ret_until_s)
{
	struct cs_directory_member m;
	uint64_t until_s = 0;
	uint32_t n = 0;

	for (uint32_t i = 0; cs_directory_member_at(dir, i, &m) == CS_OK; i++) {
		if (m.n_devices > 0 || m.revoked || m.enrol_expires_s < now_s)
			continue;
		n++;
		if (m.enrol_expires_s > until_s)
			until_s = m.enrol_expires_s;
	}
	if (ret_until_s)
		*ret_until_s = until_s;
	return n;
}

cs_err
cs_history_request(const struct cs_history *h, const struct cs_directory *dir,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_signing *ret)
{
	struct cs_signing v = { .n_roots = (uint16_t)h->n_roots,
		.roots = cs_buf_view(&h->packed) };
	struct cs_directory_relay relay;

	if (cs_directory_relay(dir, &relay) != CS_OK)
		return CS_NO_KEY;
	memcpy(v.network_id, network_id, CS_NETWORK_ID_BYTES);
	memcpy(v.relay_id, relay.id, CS_ID_BYTES);
	memcpy(v.relay_noise_key, relay.relay.noise_key, CS_NOISE_KEY_BYTES);
	memcpy(v.relay_sign_key, relay.relay.sign_key, CS_SIGN_PUBLIC_BYTES);
	v.relay_url = relay.relay.url;
	*ret = v;
	return CS_OK;
}
