#include "client/standing.h"

#include <stddef.h>

#define DAY_S (24 * UINT64_C(3600))

static const char *const names[] = {
	[CS_STANDING_FAILED] = "failed",
	[CS_STANDING_REFUSED] = "refused",
	[CS_STANDING_REVOKED] = "revoked",
	[CS_STANDING_EXPIRED] = "expired",
	[CS_STANDING_WITHDRAWN] = "withdrawn",
	[CS_STANDING_UNDECRYPTABLE] = "undecryptable",
	[CS_STANDING_QUEUED] = "queued",
	[CS_STANDING_CUSTODY] = "custody",
	[CS_STANDING_DELIVERED] = "delivered",
	[CS_STANDING_OPENED] = "opened",
	[CS_STANDING_ACKNOWLEDGED] = "acknowledged",
};

static const struct {
	const char *name, *text;
} attentions[] = {
	[CS_ATTENTION_NONE] = { "", "" },
	[CS_ATTENTION_EXPIRES] = { "expires-soon",
	    "not delivered, and the relay keeps it only a little longer: "
	    "extend it (`consil sent extend`) or call them" },
	[CS_ATTENTION_UNANSWERED] = { "unanswered",
	    "the time for an answer is over: call them" },
	[CS_ATTENTION_INCOMPLETE] = { "incomplete",
	    "attachments did not reach them whole: send those again" },
	[CS_ATTENTION_OVERDUE] = { "overdue",
	    "not delivered in time: call them" },
	[CS_ATTENTION_LOST] = { "lost",
	    "a recipient will not get it: send it again or call them" },
	[CS_ATTENTION_UNDECRYPTABLE] = { "undecryptable",
	    "their device cannot open it: send it again or call them" },
	[CS_ATTENTION_FAILED] = { "failed", "it cannot be sent" },
};

const char *
cs_standing_name(enum cs_standing s)
{
	return names[s];
}

const char *
cs_standing_reason(enum cs_attention a)
{
	return attentions[a].name;
}

const char *
cs_standing_advice(enum cs_attention a)
{
	return attentions[a].text;
}

/* The outcome that ends it; CS_STANDING_QUEUED: none does. */
static enum cs_standing
end_of(enum cs_outcome outcome)
{
	switch (outcome) {
	case CS_OUTCOME_FETCHED:
		break;
	case CS_OUTCOME_EXPIRED:
		return CS_STANDING_EXPIRED;
	case CS_OUTCOME_REFUSED:
		return CS_STANDING_REFUSED;
	case CS_OUTCOME_REVOKED:
		return CS_STANDING_REVOKED;
	case CS_OUTCOME_WITHDRAWN:
		return CS_STANDING_WITHDRAWN;
	}
	return CS_STANDING_QUEUED;
}

enum cs_standing
cs_standing_of(const struct cs_standing_facts *f)
{
	enum cs_standing end = end_of(f->outcome);

	if (end != CS_STANDING_QUEUED)
		return end;
	if (f->acknowledged_at_s)
		return CS_STANDING_ACKNOWLEDGED;
	if (f->opened_at_s)
		return CS_STANDING_OPENED;
	if (f->result == CS_DELIVERED_UNDECRYPTABLE ||
	    f->result == CS_DELIVERED_BAD_SIGNATURE)
		return CS_STANDING_UNDECRYPTABLE;
	if (f->delivered_at_s)
		return CS_STANDING_DELIVERED;
	/* They have it, and have not said so: no fact is made of another. */
	if (f->custody_at_s)
		return CS_STANDING_CUSTODY;
	return f->failed ? CS_STANDING_FAILED : CS_STANDING_QUEUED;
}

bool
cs_standing_is_superseded(const struct cs_standing_facts *f)
{
	return end_of(f->outcome) != CS_STANDING_QUEUED &&
	       (f->delivered_at_s || f->opened_at_s || f->acknowledged_at_s);
}

uint64_t
cs_standing_deadline_s(enum cs_class class, uint64_t created_s)
{
	static const uint64_t after_s[] = {
		[CS_CLASS_ROUTINE] = DAY_S,
		[CS_CLASS_URGENT] = 3600,
		[CS_CLASS_PAGE] = 5 * 60,
		[CS_CLASS_RECEIPT] = DAY_S,
	};

	return created_s +
	       after_s[class >= CS_CLASS_ROUTINE && class <= CS_CLASS_RECEIPT
			   ? class
			   : CS_CLASS_ROUTINE];
}

/* Three days before the end, or a tenth of a short life. */
static bool
expires_soon(const struct cs_standing_message *m, uint64_t now_s)
{
	uint64_t warn_s, life_s;

	if (m->expires_at_s <= m->created_s)
		return false;
	life_s = m->expires_at_s - m->created_s;
	warn_s = life_s / 10 < 3 * DAY_S ? life_s / 10 : 3 * DAY_S;
	return now_s + warn_s >= m->expires_at_s;
}

/* Members who may still get it, or one at least where nobody knows them. */
static uint32_t
n_pending(const struct cs_standing_message *m)
{
	uint32_t ended =
	    m->n_reached + m->n_withdrawn + m->n_lost + m->n_undecryptable;

	if (m->n_members == 0)
		return 1;
	return m->n_members > ended ? m->n_members - ended : 0;
}

static bool
waits_for_answer(const struct cs_standing_message *m)
{
	return m->answer_by_s > 0 && !m->is_answered &&
	       (m->n_members == 0 || m->n_withdrawn < m->n_members);
}

enum cs_attention
cs_standing_attention(const struct cs_standing_message *m, uint64_t now_s)
{
	if (m->failed)
		return CS_ATTENTION_FAILED;
	if (m->n_undecryptable > 0)
		return CS_ATTENTION_UNDECRYPTABLE;
	if (m->n_lost > 0)
		return CS_ATTENTION_LOST;
	if (n_pending(m) > 0 &&
	    now_s > cs_standing_deadline_s(m->class, m->created_s))
		return CS_ATTENTION_OVERDUE;
	if (m->n_incomplete > 0)
		return CS_ATTENTION_INCOMPLETE;
	if (waits_for_answer(m) && now_s > m->answer_by_s)
		return CS_ATTENTION_UNANSWERED;
	if (n_pending(m) > 0 && expires_soon(m, now_s))
		return CS_ATTENTION_EXPIRES;
	return CS_ATTENTION_NONE;
}

bool
cs_standing_is_settled(const struct cs_standing_message *m)
{
	return m->failed || (n_pending(m) == 0 && !waits_for_answer(m));
}
