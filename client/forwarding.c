#include "client/forwarding.h"

#include <string.h>

#include "client/about.h"
#include "client/inbox.h"
#include "client/outbox.h"
#include "client/stored.h"
#include "client/thread.h"
#include "proto/forward.h"

/* Left in a body for the lists of devices and attachments. */
#define LISTS_BYTES (512u << 10)

struct passing {
	struct cs_client *c;
	struct cs_inbox_message from;
	struct cs_buf content; /* holds the original's object keys */
	struct cs_stored stored;
};

static void
passing_fini(struct passing *p)
{
	cs_inbox_fini(&p->from);
	cs_buf_fini(&p->content);
	cs_stored_fini(&p->stored);
}

/* Says what stands in the way of passing it on. */
static cs_err
check(struct passing *p)
{
	const struct cs_inbox_message *m = &p->from;
	struct cs_why *why = cs_client_why(p->c);

	if (m->state == CS_INBOX_UNREADABLE || m->state == CS_INBOX_WAITING) {
		cs_why_set(why, "this message could not be opened, so there is "
				"nothing to forward");
		return CS_DENIED;
	}
	if (m->state == CS_INBOX_PURGED) {
		cs_why_set(why, "the content of this message was purged here");
		return CS_DENIED;
	}
	if (m->is_forward && m->authorship != CS_OK) {
		cs_why_set(why, "nobody can be shown to have written this "
				"message, so it is not forwarded");
		return m->authorship;
	}
	if (!m->has_case && !m->is_withdrawal) {
		cs_why_set(why, "this message holds no case");
		return CS_UNSUPPORTED;
	}
	/* The original's M holds the key of every attachment: whoever gets it
	 * must get them all, or they could open what was kept from them. */
	if (m->n_missing > 0) {
		cs_why_set(why,
		    "%u attachments never came, and it goes on as it was "
		    "signed or not at all: ask its author to send it again",
		    m->n_missing);
		return CS_PARTIAL;
	}
	return CS_OK;
}

/* Nobody passes on by oversight what its author says is another patient's. */
static cs_err
check_withdrawn(struct passing *p, bool even_withdrawn)
{
	struct cs_about about = { 0 };
	cs_err e;

	if (even_withdrawn)
		return CS_OK;
	CS_TRY(cs_about_get(p->c, &p->from, &about));
	if (about.is_withdrawn) {
		cs_why_set(cs_client_why(p->c),
		    "its %s took it back (%s): --withdrawn forwards it all the "
		    "same",
		    about.is_by_author || !p->from.is_forward ? "author"
							      : "forwarder",
		    cs_withdrawal_reason_name(about.reason));
		e = CS_REVOKED;
	}
out:
	cs_about_fini(&about);
	return e;
}

/* The original, as it came to us. */
static cs_err
encode(struct passing *p, struct cs_bytes note)
{
	struct cs_forward f = p->from.forward;
	cs_err e;

	if (!p->from.is_forward) {
		memcpy(f.envelope_id, p->from.id, sizeof(f.envelope_id));
		memcpy(f.e, p->from.e, sizeof(f.e));
		memcpy(f.signature, p->from.signature, sizeof(f.signature));
		f.m = p->from.m;
	}
	f.note = note;
	e = cs_forward_encode(&f, &p->content);
	if (e == CS_OK && p->content.n > CS_LIMIT_BODY_BYTES - LISTS_BYTES)
		e = CS_TOO_LARGE;
	if (e == CS_TOO_LARGE)
		cs_why_set(cs_client_why(p->c),
		    "the case and the note together are too long to forward");
	return e;
}

static void
arrived_path(const struct cs_home *h, const uint8_t id[static CS_ID_BYTES],
    const uint8_t object_id[static CS_ID_BYTES],
    char ret[static CS_HOME_PATH_BYTES])
{
	cs_home_path(h, CS_HOME_OBJECTS, id, object_id, ret);
}

cs_err
cs_forwarding_add(struct cs_client *c, const uint8_t id[static CS_ID_BYTES],
    const struct cs_forwarding *what, uint8_t ret_id[static CS_ID_BYTES])
{
	struct passing p = { .c = c };
	struct cs_outbox_job job = { .content_kind = CS_CONTENT_FORWARD,
		.n_to = what->n_to,
		.to = what->to,
		.lifetime_s = what->lifetime_s,
		.stale_ok = what->stale_ok };
	uint8_t thread_id[CS_ID_BYTES];
	cs_err e;

	CS_TRY(cs_inbox_get(c, id, &p.from));
	CS_TRY(check(&p));
	CS_TRY(check_withdrawn(&p, what->even_withdrawn));
	CS_TRY(encode(&p, what->note));
	CS_TRY(cs_stored_list(cs_client_home(c), &p.from.manifest, p.from.id,
	    arrived_path, &p.stored));
	job.class = p.from.class;
	job.content = cs_buf_view(&p.content);
	job.n_files = p.from.manifest.n_objects;
	job.files = p.stored.files;
	job.source = p.from.id;
	cs_thread_id(&p.from.manifest, p.from.id, thread_id);
	job.thread_id = thread_id;
	CS_TRY(cs_outbox_add(c, &job, ret_id));
out:
	passing_fini(&p);
	return e;
}
