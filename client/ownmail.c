#include "client/ownmail.h"

#include <string.h>
#include <unistd.h>

#include "client/kept.h"
#include "client/outrec.h"

/* Attachments that are in neither place: withdrawn, discarded or lost. */
static uint16_t
count_missing(struct cs_client *c, const struct cs_inbox_message *m)
{
	char path[CS_HOME_PATH_BYTES];
	struct cs_manifest_object object;
	uint16_t n = 0;
	size_t pos = 0;

	while (cs_manifest_next_object(&m->manifest, &pos, &object)) {
		cs_kept_path(cs_client_home(c), m->id, object.object_id, path);
		n += access(path, R_OK) != 0;
	}
	return n;
}

/* The directory knows this member, or nothing would have been sent. */
static void
fill_sender(struct cs_client *c, struct cs_inbox_message *m)
{
	const struct cs_keyring_info *self = cs_client_self(c);
	struct cs_directory_member member;

	memcpy(m->manifest.sender_member, self->member_id, CS_ID_BYTES);
	memcpy(m->manifest.sender_device, self->id, CS_ID_BYTES);
	if (cs_directory_member(cs_client_directory(c), self->member_id,
		&member) != CS_OK)
		return;
	m->from = member.address;
	m->from_name = member.name;
}

cs_err
cs_ownmail_get(struct cs_client *c, const uint8_t id[static CS_ID_BYTES],
    struct cs_inbox_message *ret)
{
	struct cs_inbox_message m = { .is_own = true };
	struct cs_local_txn *txn = NULL;
	struct cs_outrec r;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(c), false, &txn));
	CS_TRY(cs_outrec_get(txn, CS_LOCAL_OUT, id, &r, &m.record));
	memcpy(m.id, id, CS_ID_BYTES);
	memcpy(m.e, r.e, sizeof(m.e));
	memcpy(m.s, r.s, sizeof(m.s));
	memcpy(m.m_hash, r.m_hash, sizeof(m.m_hash));
	m.class = r.class;
	m.purged_at_s = r.purged_at_s;
	m.purged_by = r.purged_by;
	m.received_at_s = r.created_s;
	m.expires_at_s = r.expires_s;
	m.manifest = r.manifest;
	m.manifest.created_s = r.created_s;
	fill_sender(c, &m);
	cs_inbox_content(cs_client_directory(c), &m);
	m.n_missing = count_missing(c, &m);
	*ret = m;
	m.record = NULL;
out:
	cs_local_end(&txn);
	cs_secret_free(m.record);
	if (e != CS_OK)
		cs_why_set(cs_client_why(c), "message that was sent");
	return e;
}
