#include "relay/vetted.h"

#include <stdio.h>
#include <time.h>

#include "relay/authz.h"
#include "relay/dirlog.h"

/* In UTC: the reader may live in another time zone. */
static void
say_until(struct cs_core *c, struct cs_job *job, const uint8_t *device_id,
    const char *whose)
{
	char day[32] = "it was admitted";
	struct cs_dirlog_vetting v;
	struct tm tm;
	time_t t;

	if (cs_dirlog_vetting(c->dirlog, device_id, &v) != CS_OK)
		return;
	t = (time_t)v.valid_until_s;
	if (gmtime_r(&t, &tm))
		strftime(day, sizeof(day), "%Y-%m-%d %H:%M UTC", &tm);
	snprintf(job->said, sizeof(job->said),
	    "the vetting of %s, %s, was valid until %s", whose, v.handle, day);
	job->detail = job->said;
}

cs_err
cs_vetted_sender(struct cs_core *c, struct cs_job *job, enum cs_class class)
{
	cs_err e;

	if (!cs_authz_needs_vetting(job->kind->op) || class == CS_CLASS_RECEIPT)
		return CS_OK;
	e = cs_dirlog_device_standing(c->dirlog, job->who.id,
	    cs_clock_now_s(&c->clock));
	if (e == CS_LAPSED)
		say_until(c, job, job->who.id, "your practice");
	return e;
}

cs_err
cs_vetted_recipient(struct cs_core *c, struct cs_job *job,
    const uint8_t device_id[static CS_ID_BYTES])
{
	cs_err e = cs_dirlog_device_standing(c->dirlog, device_id,
	    cs_clock_now_s(&c->clock));

	if (e == CS_LAPSED)
		say_until(c, job, device_id, "a recipient's practice");
	else if (e != CS_OK)
		job->detail = "a recipient's device is not in good standing: "
			      "sync the directory";
	return e;
}
