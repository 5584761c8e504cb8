#include "client/notices.h"

#include <sodium.h>
#include <string.h>

#include "proto/entry.h"

#define MUST_CONFIRM 0x01
#define SETTLED      0x02

static const struct cs_bytes looked_key = { (const uint8_t *)"noticed", 7 };

enum concern { NOTHING, SHOWN, KEYS };

/* An entry, taken apart, and who looks at it. */
struct look {
	const struct cs_directory *dir;
	const struct cs_notices_self *self;
	struct cs_entry_leaf leaf;
	struct cs_entry entry;
};

static bool
is_id(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, CS_ID_BYTES) == 0; /* public */
}

static cs_err
take_apart(const struct cs_directory *dir, uint64_t seq,
    const struct cs_notices_self *self, struct look *ret)
{
	struct look v = { .dir = dir, .self = self };
	struct cs_bytes leaf;
	cs_err e;

	CS_TRY(cs_directory_leaf(dir, seq, &leaf));
	CS_TRY(cs_entry_leaf_decode(leaf, &v.leaf));
	CS_TRY(cs_entry_decode(v.leaf.entry, &v.entry));
	*ret = v;
out:
	return e;
}

/* ----------------------------------------------------------------- judging */

static bool
own_organisation(const struct look *v, uint8_t ret[static CS_ID_BYTES])
{
	struct cs_directory_member m;

	if (cs_directory_member(v->dir, v->self->member, &m) != CS_OK)
		return false;
	memcpy(ret, m.organisation, CS_ID_BYTES);
	return true;
}

/* Keeps copies of all that is sent to this practice. */
static bool
is_our_archive(const struct look *v, const uint8_t *member,
    enum cs_device_kind kind)
{
	struct cs_directory_member m;
	uint8_t ours[CS_ID_BYTES];

	return kind == CS_DEVICE_ARCHIVE &&
	       cs_directory_member(v->dir, member, &m) == CS_OK &&
	       own_organisation(v, ours) && is_id(m.organisation, ours);
}

/* An invitation is an open door; other particulars are read by others. */
static enum concern
judge_member(const struct look *v)
{
	struct cs_entry_member m;

	if (!is_id(v->entry.subject, v->self->member) ||
	    cs_entry_member_decode(v->entry.body, &m) != CS_OK)
		return NOTHING;
	return m.enrol_expires_s >= v->leaf.logged_at_s ? KEYS : SHOWN;
}

static enum concern
judge_device(const struct look *v)
{
	struct cs_entry_device d;

	if (is_id(v->entry.subject, v->self->device) ||
	    cs_entry_device_decode(v->entry.body, &d) != CS_OK)
		return NOTHING;
	return is_id(d.member, v->self->member) ||
		       is_our_archive(v, d.member, d.kind)
		   ? KEYS
		   : NOTHING;
}

/* Did this device invite that one? Then its first key was waited for. */
static bool
is_invited_here(const struct look *v, const struct cs_directory_device *d)
{
	struct look first;

	return v->entry.prev == CS_ENTRY_NO_PREV &&
	       take_apart(v->dir, d->certified, v->self, &first) == CS_OK &&
	       is_id(first.entry.authority, v->self->device);
}

static enum concern
judge_rotate(const struct look *v)
{
	struct cs_entry_device_rotate r;
	struct cs_directory_device d;

	if (cs_entry_device_rotate_decode(v->entry.body, &r) != CS_OK ||
	    cs_directory_device(v->dir, v->entry.subject, &d) != CS_OK)
		return NOTHING;
	if (is_id(v->entry.subject, v->self->device))
		return memcmp(r.sign_key, v->self->sign_key,
			   sizeof(r.sign_key)) == 0 ||
			       memcmp(r.sign_key, v->self->next_key,
				   sizeof(r.sign_key)) == 0
			   ? NOTHING
			   : KEYS;
	if (is_our_archive(v, d.member, d.kind))
		return KEYS;
	if (!is_id(d.member, v->self->member))
		return NOTHING;
	return is_invited_here(v, &d) ? SHOWN : KEYS;
}

static enum concern
judge_batch(const struct look *v)
{
	return is_id(v->entry.subject, v->self->device) ? KEYS : NOTHING;
}

static enum concern
judge_revoke(const struct look *v)
{
	const uint8_t *subject = v->entry.subject;
	struct cs_directory_device d;
	uint8_t ours[CS_ID_BYTES];

	if (is_id(subject, v->self->member))
		return KEYS;
	if (cs_directory_device(v->dir, subject, &d) == CS_OK)
		return is_id(d.member, v->self->member)      ? KEYS
		       : is_our_archive(v, d.member, d.kind) ? SHOWN
							     : NOTHING;
	return own_organisation(v, ours) && is_id(subject, ours) ? SHOWN
								 : NOTHING;
}

static enum concern
judge_organisation(const struct look *v)
{
	uint8_t ours[CS_ID_BYTES];

	return own_organisation(v, ours) && is_id(v->entry.subject, ours)
		   ? SHOWN
		   : NOTHING;
}

static bool
lists(const struct cs_entry_roster *r, const uint8_t *member)
{
	for (size_t i = 0; i < r->n_members; i++) {
		if (is_id(r->members.p + i * CS_ID_BYTES, member))
			return true;
	}
	return false;
}

/* Put on it, taken off it. */
static bool
changes_roster(const struct look *v, bool *ret_listed)
{
	struct cs_entry_roster now, was = { 0 };
	struct look before;

	if (cs_entry_roster_decode(v->entry.body, &now) != CS_OK)
		return false;
	if (v->entry.prev != CS_ENTRY_NO_PREV &&
	    (take_apart(v->dir, v->entry.prev, v->self, &before) != CS_OK ||
		cs_entry_roster_decode(before.entry.body, &was) != CS_OK))
		return false;
	*ret_listed = lists(&now, v->self->member);
	return *ret_listed != lists(&was, v->self->member);
}

static enum concern
judge_roster(const struct look *v)
{
	bool listed;

	return changes_roster(v, &listed) ? SHOWN : NOTHING;
}

/* ----------------------------------------------------------------- telling */

static void
put_device(const struct look *v, struct cs_buf *out)
{
	struct cs_directory_device d;

	if (cs_directory_device(v->dir, v->entry.subject, &d) != CS_OK)
		return;
	if (is_id(d.id, v->self->device))
		cs_buf_put_str(out, "this device");
	else
		cs_buf_printf(out, "%s %.*s",
		    is_id(d.member, v->self->member) ? "your device"
						     : "archive device",
		    (int)d.name.n, (const char *)d.name.p);
}

static void
tell_member(const struct look *v, struct cs_buf *out)
{
	cs_buf_put_str(out,
	    judge_member(v) == KEYS
		? "the registrar invited you anew: whoever has that invitation "
		  "can enrol a device as you"
		: "the registrar changed what the directory says of you");
}

static void
tell_device(const struct look *v, struct cs_buf *out)
{
	put_device(v, out);
	cs_buf_put_str(out, " was added: it gets what is sealed to you");
}

static void
tell_rotate(const struct look *v, struct cs_buf *out)
{
	put_device(v, out);
	cs_buf_put_str(out, " has a new signing key");
}

static void
tell_batch(const struct look *v, struct cs_buf *out)
{
	put_device(v, out);
	cs_buf_put_str(out,
	    " published keys to seal to that were not made here");
}

static void
tell_revoke(const struct look *v, struct cs_buf *out)
{
	struct cs_directory_organisation o;

	if (is_id(v->entry.subject, v->self->member))
		cs_buf_put_str(out, "you were");
	else if (cs_directory_organisation(v->dir, v->entry.subject, &o) ==
		 CS_OK)
		cs_buf_put_str(out, "your practice was");
	else {
		put_device(v, out);
		cs_buf_put_str(out, " was");
	}
	cs_buf_put_str(out, " revoked");
}

static void
tell_organisation(const struct look *v, struct cs_buf *out)
{
	(void)v;
	cs_buf_put_str(out, "the registrar changed the admission of your "
			    "practice");
}

static void
tell_roster(const struct look *v, struct cs_buf *out)
{
	struct cs_entry_roster r;
	bool listed = false;

	(void)changes_roster(v, &listed);
	if (cs_entry_roster_decode(v->entry.body, &r) == CS_OK)
		cs_buf_printf(out, "you were %s %.*s",
		    listed ? "put on" : "taken off", (int)r.address.n,
		    (const char *)r.address.p);
}

/* --------------------------------------------------------------- the table */

static const struct {
	enum concern (*judge)(const struct look *v);
	void (*tell)(const struct look *v, struct cs_buf *out);
} kinds[CS_ENTRY_TYPES] = {
	[CS_ENTRY_ORGANISATION] = { judge_organisation, tell_organisation },
	[CS_ENTRY_MEMBER] = { judge_member, tell_member },
	[CS_ENTRY_DEVICE] = { judge_device, tell_device },
	[CS_ENTRY_DEVICE_ROTATE] = { judge_rotate, tell_rotate },
	[CS_ENTRY_EPOCH_BATCH] = { judge_batch, tell_batch },
	[CS_ENTRY_GROUP] = { judge_roster, tell_roster },
	[CS_ENTRY_SERVICE] = { judge_roster, tell_roster },
	[CS_ENTRY_REVOKE] = { judge_revoke, tell_revoke },
};

/* ----------------------------------------------------------------- keeping */

static struct cs_bytes
seq_key(uint64_t seq, uint8_t buf[static 8])
{
	cs_bytes_be(seq, 8, buf);
	return (struct cs_bytes){ buf, 8 };
}

static cs_err
get_number(struct cs_local_txn *txn, enum cs_local_table table,
    struct cs_bytes key, size_t width, uint64_t *ret)
{
	struct cs_buf v = { 0 };
	uint64_t n = 0;
	cs_err e;

	CS_TRY(cs_local_get_public(txn, table, key, &v));
	CS_TRY(v.n == width ? CS_OK : CS_CORRUPT);
	for (size_t i = 0; i < width; i++)
		n = n << 8 | v.p[i];
	*ret = n;
out:
	cs_buf_fini(&v);
	return e;
}

cs_err
cs_notices_expect(struct cs_local *l, struct cs_bytes entry)
{
	uint8_t hash[CS_HASH_BYTES];
	const uint8_t yes[] = { 1 };

	crypto_hash_sha256(hash, entry.p, entry.n);
	return cs_local_write(l, CS_LOCAL_EXPECTED, CS_BYTES(hash),
	    CS_BYTES(yes));
}

/* Was it done here? Then it is no longer waited for. */
static cs_err
take_expected(struct cs_local_txn *txn, struct cs_bytes entry, bool *ret)
{
	uint8_t hash[CS_HASH_BYTES];
	uint64_t yes;
	cs_err e;

	crypto_hash_sha256(hash, entry.p, entry.n);
	e = get_number(txn, CS_LOCAL_EXPECTED, CS_BYTES(hash), 1, &yes);
	*ret = e == CS_OK;
	if (e == CS_OK)
		CS_TRY(cs_local_delete(txn, CS_LOCAL_EXPECTED, CS_BYTES(hash)));
	else if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	return e;
}

static cs_err
look_at(struct cs_local_txn *txn, const struct look *v)
{
	enum concern concern = NOTHING;
	uint8_t key[8], flags;
	bool expected;
	cs_err e = CS_OK;

	if (kinds[v->entry.type].judge)
		concern = kinds[v->entry.type].judge(v);
	if (concern == NOTHING)
		return CS_OK;
	CS_TRY(take_expected(txn, v->leaf.entry, &expected));
	flags = concern == KEYS ? MUST_CONFIRM : 0;
	if (!expected)
		CS_TRY(cs_local_put(txn, CS_LOCAL_NOTICE,
		    seq_key(v->leaf.seq, key), (struct cs_bytes){ &flags, 1 }));
out:
	return e;
}

/* The first time: what came after this device's own first entries. */
static cs_err
first_look(const struct cs_directory *dir, const struct cs_notices_self *self,
    uint64_t *ret)
{
	struct cs_directory_device device;
	struct cs_directory_batch batch;
	cs_err e;

	CS_TRY(cs_directory_device(dir, self->device, &device));
	*ret = device.entry + 1;
	if (cs_directory_batch(dir, self->device, UINT64_MAX, &batch) ==
		CS_OK &&
	    batch.entry >= *ret)
		*ret = batch.entry + 1;
out:
	return e;
}

cs_err
cs_notices_update(struct cs_local *l, const struct cs_directory *dir,
    const struct cs_notices_self *self)
{
	const uint64_t size = cs_directory_view(dir).size;
	struct cs_local_txn *txn = NULL;
	uint8_t buf[8];
	uint64_t from;
	struct look v;
	cs_err e;

	CS_TRY(cs_local_begin(l, false, &txn));
	e = get_number(txn, CS_LOCAL_META, looked_key, 8, &from);
	cs_local_end(&txn);
	if (e == CS_NOT_FOUND)
		e = first_look(dir, self, &from);
	CS_TRY(e);
	if (from >= size)
		goto out;
	CS_TRY(cs_local_begin(l, true, &txn));
	for (uint64_t i = from; i < size; i++) {
		CS_TRY(take_apart(dir, i, self, &v));
		CS_TRY(look_at(txn, &v));
	}
	CS_TRY(cs_local_put(txn, CS_LOCAL_META, looked_key,
	    seq_key(size, buf)));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}

/* ------------------------------------------------------------------ looking */

static cs_err
show(struct cs_client *c, uint64_t seq, uint64_t flags,
    cs_err (*each)(void *ctx, const struct cs_notice *n), void *ctx)
{
	const struct cs_keyring_info *me = cs_client_self(c);
	struct cs_notices_self self = { 0 };
	struct cs_notice n = { .seq = seq,
		.must_confirm = flags & MUST_CONFIRM,
		.is_settled = flags & SETTLED };
	struct cs_buf text = { 0 };
	struct look v;
	cs_err e;

	memcpy(self.device, me->id, CS_ID_BYTES);
	memcpy(self.member, me->member_id, CS_ID_BYTES);
	CS_TRY(take_apart(cs_client_directory(c), seq, &self, &v));
	if (kinds[v.entry.type].tell)
		kinds[v.entry.type].tell(&v, &text);
	CS_TRY(cs_buf_err(&text));
	n.logged_at_s = v.leaf.logged_at_s;
	n.text = cs_buf_view(&text);
	CS_TRY(each(ctx, &n));
out:
	cs_buf_fini(&text);
	return e;
}

/* The next one after a key; the transaction is over before anything is
 * shown. */
static cs_err
next_notice(struct cs_client *c, uint8_t key[static CS_LOCAL_KEY_BYTES],
    size_t *n, uint64_t *ret_seq, uint64_t *ret_flags)
{
	const struct cs_bytes all = { 0 }, after = { key, *n };
	uint8_t next[CS_LOCAL_KEY_BYTES];
	struct cs_local_txn *txn = NULL;
	uint64_t seq = 0;
	size_t next_n;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_local_next(txn, CS_LOCAL_NOTICE, all, after, next, &next_n));
	CS_TRY(next_n == 8 ? CS_OK : CS_CORRUPT);
	CS_TRY(get_number(txn, CS_LOCAL_NOTICE, (struct cs_bytes){ next, 8 }, 1,
	    ret_flags));
	for (size_t i = 0; i < 8; i++)
		seq = seq << 8 | next[i];
	memcpy(key, next, 8);
	*n = 8;
	*ret_seq = seq;
out:
	cs_local_end(&txn);
	return e;
}

cs_err
cs_notices_list(struct cs_client *c,
    cs_err (*each)(void *ctx, const struct cs_notice *n), void *ctx)
{
	uint8_t key[CS_LOCAL_KEY_BYTES];
	uint64_t seq, flags;
	size_t n = 0;
	cs_err e;

	while ((e = next_notice(c, key, &n, &seq, &flags)) == CS_OK)
		CS_TRY(show(c, seq, flags, each, ctx));
	if (e == CS_NOT_FOUND)
		e = CS_OK;
out:
	return e;
}

cs_err
cs_notices_settle(struct cs_client *c, uint64_t seq)
{
	struct cs_local_txn *txn = NULL;
	uint8_t key[8], now;
	uint64_t flags;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), true, &txn));
	CS_TRY(get_number(txn, CS_LOCAL_NOTICE, seq_key(seq, key), 1, &flags));
	now = (uint8_t)flags | SETTLED;
	CS_TRY(cs_local_put(txn, CS_LOCAL_NOTICE, seq_key(seq, key),
	    (struct cs_bytes){ &now, 1 }));
	CS_TRY(cs_local_commit(&txn));
out:
	cs_local_end(&txn);
	return e;
}

static cs_err
count_one(void *ctx, const struct cs_notice *n)
{
	struct cs_notices_count *count = ctx;

	if (n->is_settled)
		return CS_OK;
	if (n->must_confirm && count->unconfirmed++ == 0)
		count->first = n->seq;
	count->unseen += !n->must_confirm;
	return CS_OK;
}

cs_err
cs_notices_count(struct cs_client *c, struct cs_notices_count *ret)
{
	struct cs_notices_count count = { 0 };
	cs_err e;

	CS_TRY(cs_notices_list(c, count_one, &count));
	*ret = count;
out:
	return e;
}

cs_err
cs_notices_check(struct cs_client *c)
{
	struct cs_notices_count count;
	cs_err e;

	CS_TRY(cs_notices_count(c, &count));
	if (count.unconfirmed > 0) {
		cs_why_set(cs_client_why(c),
		    "the directory changed about you, not by this device: see "
		    "`consil keys notices`, ask the registrar, then `consil "
		    "keys confirm %llu`",
		    (unsigned long long)count.first);
		e = CS_UNCONFIRMED;
	}
out:
	return e;
}
