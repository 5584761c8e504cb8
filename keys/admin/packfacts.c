#include "keys/admin/packfacts.h"

#include <stdlib.h>
#include <string.h>

bool
cs_packfacts_is_asked(const struct cs_packfacts *f,
    const struct cs_audit_record *r)
{
	return r->time_s >= f->from_s && r->time_s < f->until_s;
}

static void
take_note(struct cs_packfacts *f, const struct cs_audit_record *r)
{
	struct cs_packfacts_note *note;

	if (r->a >= CS_PACKFACTS_NOTES)
		return;
	note = &f->note[r->a];
	note->times++;
	if (r->b < note->date_s)
		return; /* noted late: not the newest */
	note->date_s = r->b;
	note->recorded_s = r->time_s;
	note->failed = r->result != 0;
	memcpy(note->by, r->id, CS_ID_BYTES);
}

static void
take_logoff(struct cs_packfacts *f, const struct cs_audit_record *r)
{
	f->idle_s = r->a;
	f->session_s = r->b;
}

static void
take_start(struct cs_packfacts *f, const struct cs_audit_record *r)
{
	f->started_s = r->time_s;
}

static void
take_configuration(struct cs_packfacts *f, const struct cs_audit_record *r)
{
	f->configuration = r;
}

static void
take_restore(struct cs_packfacts *f, const struct cs_audit_record *r)
{
	f->restores++;
	f->restored_s = r->time_s;
}

static void
take_login(struct cs_packfacts *f, const struct cs_audit_record *r)
{
	if (cs_packfacts_is_asked(f, r))
		f->logins += r->a;
}

static void
take_login_failed(struct cs_packfacts *f, const struct cs_audit_record *r)
{
	if (cs_packfacts_is_asked(f, r))
		f->logins_failed += r->a;
}

static void
take_denied(struct cs_packfacts *f, const struct cs_audit_record *r)
{
	if (cs_packfacts_is_asked(f, r))
		f->denied += r->a;
}

static void
take_export(struct cs_packfacts *f, const struct cs_audit_record *r)
{
	f->exports += cs_packfacts_is_asked(f, r);
}

static const struct {
	enum cs_audit_event event;
	void (*take)(struct cs_packfacts *f, const struct cs_audit_record *r);
} kinds[] = {
	{ CS_AUDIT_NOTE, take_note },
	{ CS_AUDIT_LOGOFF, take_logoff },
	{ CS_AUDIT_START, take_start },
	{ CS_AUDIT_CONFIGURATION, take_configuration },
	{ CS_AUDIT_RESTORE, take_restore },
	{ CS_AUDIT_LOGIN, take_login },
	{ CS_AUDIT_LOGIN_FAILED, take_login_failed },
	{ CS_AUDIT_DENIED, take_denied },
	{ CS_AUDIT_EXPORT, take_export },
};

cs_err
cs_packfacts_read(const struct cs_auditfile *file, uint64_t from_s,
    uint64_t until_s, struct cs_packfacts *ret)
{
	struct cs_packfacts f = { .from_s = from_s, .until_s = until_s };
	cs_err e;

	f.r = calloc(file->n, sizeof(*f.r));
	CS_TRY(f.r ? CS_OK : CS_NO_MEMORY);
	for (f.n = 0; f.n < file->n; f.n++) {
		CS_TRY(cs_audit_decode(cs_auditfile_record(file, (uint32_t)f.n),
		    &f.r[f.n]));
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			if (kinds[i].event == f.r[f.n].event)
				kinds[i].take(&f, &f.r[f.n]);
	}
	*ret = f;
	f.r = NULL;
out:
	free(f.r);
	return e;
}

void
cs_packfacts_fini(struct cs_packfacts *f)
{
	free(f->r);
	f->r = NULL;
	f->n = 0;
}

uint64_t
cs_packfacts_last_login(const struct cs_packfacts *f,
    const uint8_t id[static CS_ID_BYTES])
{
	for (size_t i = f->n; i-- > 0;)
		if (f->r[i].event == CS_AUDIT_LOGIN &&
		    memcmp(f->r[i].id, id, CS_ID_BYTES) == 0) /* public */
			return f->r[i].time_s;
	return 0;
}
