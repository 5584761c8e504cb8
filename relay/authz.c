#include "relay/authz.h"

#include <stdbool.h>
#include <string.h>

#include "proto/entry.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	enum cs_op op;
	enum cs_principal_kind who;
	enum cs_authz_condition condition;
};

static const struct row rows[] = {
#define CS_AUTHZ(OP, WHO, CONDITION)                                           \
	{ CS_OP_##OP, CS_PRINCIPAL_##WHO, CS_AUTHZ_##CONDITION },
#include "proto/authz.def"
};

/* What may be shown to the directory under a condition. */
static const struct {
	enum cs_authz_condition condition;
	enum cs_entry_type type;
} entry_rows[] = {
#define CS_AUTHZ_ENTRY(CONDITION, TYPE)                                        \
	{ CS_AUTHZ_##CONDITION, CS_ENTRY_##TYPE },
#include "proto/authz.def"
};

cs_err
cs_authz_request(enum cs_principal_kind who, uint64_t op,
    enum cs_authz_condition *ret)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (rows[i].op == op && rows[i].who == who) {
			*ret = rows[i].condition;
			return CS_OK;
		}
	}
	return CS_DENIED;
}

bool
cs_authz_needs_vetting(uint64_t op)
{
	static const enum cs_op ops[] = {
#define CS_AUTHZ_VETTED(OP) CS_OP_##OP,
#include "proto/authz.def"
	};

	for (size_t i = 0; i < COUNT(ops); i++)
		if (ops[i] == op)
			return true;
	return false;
}

cs_err
cs_authz_upload(enum cs_authz_condition condition,
    const struct cs_principal *who, const struct cs_store_record *record)
{
	bool own = record && memcmp(record->sender, who->id, CS_ID_BYTES) == 0;

	if (who->kind != CS_PRINCIPAL_DEVICE)
		return CS_DENIED;
	if (condition == CS_AUTHZ_NEW_UPLOAD)
		return !record || own ? CS_OK : CS_CLASH;
	if (condition == CS_AUTHZ_OWN_UPLOAD)
		return own ? CS_OK : CS_NOT_FOUND;
	return CS_DENIED;
}

cs_err
cs_authz_source(const struct cs_principal *who,
    const struct cs_store_record *source, bool is_recipient)
{
	bool own = memcmp(source->sender, who->id, CS_ID_BYTES) == 0;

	return who->kind == CS_PRINCIPAL_DEVICE && (own || is_recipient)
		   ? CS_OK
		   : CS_NOT_FOUND;
}

static bool
may_show(enum cs_authz_condition condition, enum cs_entry_type type)
{
	if (condition == CS_AUTHZ_ANY_ENTRIES)
		return true;
	for (size_t i = 0; i < COUNT(entry_rows); i++)
		if (entry_rows[i].condition == condition &&
		    entry_rows[i].type == type)
			return true;
	return false;
}

cs_err
cs_authz_entries(enum cs_authz_condition condition,
    const struct cs_principal *who, const struct cs_frame_entries *entries)
{
	struct cs_entry entry;
	unsigned devices = 0;
	cs_err e = CS_OK;

	for (uint32_t i = 0; i < entries->n; i++) {
		CS_TRY(cs_entry_decode(entries->entry[i], &entry));
		CS_TRY(may_show(condition, entry.type) ? CS_OK : CS_DENIED);
		if (condition == CS_AUTHZ_OWN_ENTRIES)
			CS_TRY(memcmp(entry.authority, who->id, CS_ID_BYTES) ==
				       0
				   ? CS_OK
				   : CS_DENIED);
		devices += entry.type == CS_ENTRY_DEVICE ||
			   entry.type == CS_ENTRY_DEVICE_ROTATE;
	}
	/* A stranger comes to bring in one device, and for nothing else. */
	if (condition == CS_AUTHZ_ENROLMENT && devices != 1)
		e = CS_DENIED;
out:
	return e;
}

cs_err
cs_authz_own(enum cs_authz_condition condition, const struct cs_principal *who,
    const uint8_t **ret_device_id)
{
	if (who->kind != CS_PRINCIPAL_DEVICE ||
	    (condition != CS_AUTHZ_OWN_MAILBOX &&
		condition != CS_AUTHZ_OWN_KEYS))
		return CS_DENIED;
	*ret_device_id = who->id;
	return CS_OK;
}
