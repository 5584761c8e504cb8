#include "client/owndevices.h"

#include <string.h>

#include "client/ask.h"
#include "client/notices.h"
#include "keys/enrol.h"
#include "keys/pairing.h"

const char *
cs_owndevices_state_name(enum cs_owndevices_state state)
{
	static const char *const names[] = {
		[CS_OWNDEVICES_PENDING] = "pending",
		[CS_OWNDEVICES_OVERDUE] = "expired",
		[CS_OWNDEVICES_USABLE] = "usable",
		[CS_OWNDEVICES_REVOKED] = "revoked",
	};

	return names[state];
}

static enum cs_owndevices_state
state_of(const struct cs_directory_device *d)
{
	if (d->revoked)
		return CS_OWNDEVICES_REVOKED;
	if (d->pending_until_s == 0)
		return CS_OWNDEVICES_USABLE;
	return d->pending_until_s < cs_client_now() ? CS_OWNDEVICES_OVERDUE
						    : CS_OWNDEVICES_PENDING;
}

static cs_err
describe(struct cs_client *c, const struct cs_directory_device *d,
    struct cs_owndevices_row *ret)
{
	const struct cs_keyring_info *self = cs_client_self(c);
	struct cs_owndevices_row row = { .device = *d, .state = state_of(d) };
	struct cs_entry_leaf leaf;
	struct cs_bytes bytes;
	cs_err e;

	CS_TRY(cs_directory_leaf(cs_client_directory(c), d->certified, &bytes));
	CS_TRY(cs_entry_leaf_decode(bytes, &leaf));
	row.since_s = leaf.logged_at_s;
	row.is_self = memcmp(d->id, self->id, CS_ID_BYTES) == 0;
	cs_enrol_fingerprint(self->network_id, d->id, d->sign_key,
	    row.fingerprint);
	*ret = row;
out:
	return e;
}

cs_err
cs_owndevices_list(struct cs_client *c, cs_owndevices_each *each, void *ctx)
{
	const uint8_t *member_id = cs_client_self(c)->member_id;
	struct cs_directory_device device;
	struct cs_owndevices_row row;
	cs_err e = CS_OK;

	for (uint32_t i = 0; cs_directory_member_device(cs_client_directory(c),
				 member_id, i, &device) == CS_OK;
	     i++) {
		CS_TRY(describe(c, &device, &row));
		CS_TRY(each(ctx, &row));
	}
out:
	return e;
}

/* Why the name cannot be had; of one that waits the file may have been lost. */
static void
explain_name(struct cs_client *c, struct cs_bytes name)
{
	struct cs_directory_device known;

	if (cs_pairing_find(cs_client_directory(c),
		cs_client_self(c)->member_id, name, &known) == CS_OK &&
	    known.pending_until_s != 0)
		cs_why_set(cs_client_why(c),
		    "%.*s is invited already; if its file is lost, take it "
		    "back with `consil device revoke %.*s` and invite again",
		    (int)name.n, (const char *)name.p, (int)name.n,
		    (const char *)name.p);
	else
		cs_why_set(cs_client_why(c),
		    "you have a device %.*s: choose another name", (int)name.n,
		    (const char *)name.p);
}

cs_err
cs_owndevices_invite(struct cs_client *c, struct cs_bytes name,
    uint64_t expires_s, struct cs_buf *ret_entry, struct cs_buf *ret_file)
{
	cs_err e =
	    cs_pairing_invite(cs_client_keyring(c), cs_client_directory(c),
		name, expires_s, cs_client_now(), ret_entry, ret_file);

	if (e == CS_EXISTS)
		explain_name(c, name);
	if (e == CS_MALFORMED || e == CS_TOO_LARGE) {
		cs_why_set(cs_client_why(c),
		    "the name of a device is 1 to %d bytes of UTF-8 text",
		    CS_LIMIT_NAME_BYTES);
		e = CS_USAGE;
	}
	return e;
}

cs_err
cs_owndevices_append(struct cs_client *c, struct cs_bytes entry)
{
	const struct cs_frame_entries entries = { .n = 1, .entry = { entry } };
	uint64_t first;
	cs_err e;

	CS_TRY(cs_notices_expect(cs_client_local(c), entry));
	e = cs_ask_dir_append(cs_client_conn(c), &entries, &first);
	if (e == CS_QUOTA) {
		cs_why_clear(cs_client_why(c));
		cs_why_set(cs_client_why(c),
		    "a member has at most %d devices that are not revoked, "
		    "invited ones included, and changes them %d times a day: "
		    "`consil device revoke` one that is not needed",
		    CS_LIMIT_MEMBER_DEVICES, CS_LIMIT_MEMBER_ENTRIES);
	}
	CS_TRY(e);
	CS_TRY(cs_client_connect(c, 0));
out:
	return e;
}

static cs_err
find(struct cs_client *c, struct cs_bytes name, struct cs_owndevices_row *ret)
{
	struct cs_directory_device device;
	cs_err e;

	e = cs_pairing_find(cs_client_directory(c),
	    cs_client_self(c)->member_id, name, &device);
	if (e != CS_OK)
		cs_why_set(cs_client_why(c),
		    "you have no device %.*s: see `consil device list`",
		    (int)name.n, (const char *)name.p);
	CS_TRY(e);
	CS_TRY(describe(c, &device, ret));
	if (!ret->is_self && device.pending_until_s == 0) {
		cs_why_set(cs_client_why(c),
		    "%.*s has joined: only it itself or the registrar can end "
		    "it; if it is lost, ask the registrar at once",
		    (int)name.n, (const char *)name.p);
		e = CS_DENIED;
	}
out:
	return e;
}

cs_err
cs_owndevices_revoke(struct cs_client *c, struct cs_bytes name,
    enum cs_revoke_reason reason, struct cs_owndevices_row *ret)
{
	const struct cs_entry_revoke revoke = { .reason = reason };
	struct cs_frame_entries entries = { .n = 1 };
	struct cs_owndevices_row row;
	struct cs_buf entry = { 0 };
	uint64_t first;
	cs_err e;

	CS_TRY(find(c, name, &row));
	CS_TRY(cs_enrol_revoke(cs_client_keyring(c), row.device.id, &revoke,
	    CS_ENTRY_NO_PREV, cs_client_now(), &entry));
	*ret = row;
	if (!row.is_self) {
		CS_TRY(cs_owndevices_append(c, cs_buf_view(&entry)));
		goto out;
	}
	entries.entry[0] = cs_buf_view(&entry);
	CS_TRY(cs_ask_dir_append(cs_client_conn(c), &entries, &first));
	cs_client_disconnect(c);
out:
	cs_buf_fini(&entry);
	return e;
}
