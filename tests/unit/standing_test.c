#include "client/standing.h"

#include "tests/test.h"

#define HOUR UINT64_C(3600)
#define DAY  (24 * HOUR)
#define T    UINT64_C(1800000000)

TEST(a_device_is_as_far_as_its_own_facts_say)
{
	static const struct {
		struct cs_standing_facts f;
		enum cs_standing want;
		bool superseded;
	} rows[] = {
		{ { 0 }, CS_STANDING_QUEUED, false },
		{ { .failed = true }, CS_STANDING_FAILED, false },
		{ { .custody_at_s = T }, CS_STANDING_CUSTODY, false },
		/* fetched is the relay's word, delivered the device's */
		{ { .custody_at_s = T, .outcome = CS_OUTCOME_FETCHED },
		    CS_STANDING_CUSTODY, false },
		{ { .custody_at_s = T,
		      .delivered_at_s = T,
		      .result = CS_DELIVERED_OK },
		    CS_STANDING_DELIVERED, false },
		/* receipts may overtake each other */
		{ { .custody_at_s = T, .opened_at_s = T }, CS_STANDING_OPENED,
		    false },
		{ { .acknowledged_at_s = T }, CS_STANDING_ACKNOWLEDGED, false },
		{ { .custody_at_s = T,
		      .delivered_at_s = T,
		      .result = CS_DELIVERED_UNDECRYPTABLE },
		    CS_STANDING_UNDECRYPTABLE, false },
		{ { .delivered_at_s = T, .result = CS_DELIVERED_BAD_SIGNATURE },
		    CS_STANDING_UNDECRYPTABLE, false },
		{ { .delivered_at_s = T, .result = CS_DELIVERED_INCOMPLETE },
		    CS_STANDING_DELIVERED, false },
		{ { .custody_at_s = T, .outcome = CS_OUTCOME_EXPIRED },
		    CS_STANDING_EXPIRED, false },
		{ { .custody_at_s = T, .outcome = CS_OUTCOME_REFUSED },
		    CS_STANDING_REFUSED, false },
		{ { .custody_at_s = T, .outcome = CS_OUTCOME_REVOKED },
		    CS_STANDING_REVOKED, false },
		/* the first outcome stands, whatever comes later */
		{ { .custody_at_s = T,
		      .delivered_at_s = T,
		      .result = CS_DELIVERED_OK,
		      .outcome = CS_OUTCOME_WITHDRAWN },
		    CS_STANDING_WITHDRAWN, true },
		{ { .acknowledged_at_s = T, .outcome = CS_OUTCOME_EXPIRED },
		    CS_STANDING_EXPIRED, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		CHECK_NUM(rows[i].want, cs_standing_of(&rows[i].f));
		CHECK(cs_standing_is_superseded(&rows[i].f) ==
		      rows[i].superseded);
		CHECK(cs_standing_name(rows[i].want)[0] != '\0');
	}
}

static struct cs_standing_message to_two(enum cs_class class)
{
	return (struct cs_standing_message){ .class = class,
		.created_s = T,
		.expires_at_s = T + 30 * DAY,
		.n_members = 2 };
}

TEST(silence_calls_for_the_sender_at_the_deadline_of_the_urgency)
{
	static const struct {
		enum cs_class class;
		uint64_t after_s;
	} rows[] = { { CS_CLASS_PAGE, 300 }, { CS_CLASS_URGENT, HOUR },
		{ CS_CLASS_ROUTINE, DAY } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct cs_standing_message m = to_two(rows[i].class);
		uint64_t at_s = T + rows[i].after_s;

		CHECK_NUM(at_s, cs_standing_deadline_s(m.class, T));
		m.n_reached = 1; /* the other one counts */
		CHECK_NUM(CS_ATTENTION_NONE, cs_standing_attention(&m, at_s));
		CHECK_NUM(CS_ATTENTION_OVERDUE,
		    cs_standing_attention(&m, at_s + 1));
		CHECK(!cs_standing_is_settled(&m));
		m.n_reached = 2;
		CHECK_NUM(CS_ATTENTION_NONE,
		    cs_standing_attention(&m, at_s + 1));
		CHECK(cs_standing_is_settled(&m));
		/* nobody knows yet who it will be: it is no less overdue */
		m.n_members = m.n_reached = 0;
		CHECK_NUM(CS_ATTENTION_OVERDUE,
		    cs_standing_attention(&m, at_s + 1));
		/* a clock that went back calls for nobody */
		CHECK_NUM(CS_ATTENTION_NONE,
		    cs_standing_attention(&m, T - DAY));
	}
}

TEST(the_most_urgent_reason_is_told)
{
	struct cs_standing_message m = to_two(CS_CLASS_ROUTINE);
	const uint64_t late_s = T + 29 * DAY;

	m.n_reached = 1;
	m.n_incomplete = 1;
	CHECK_NUM(CS_ATTENTION_OVERDUE, cs_standing_attention(&m, late_s));
	m.n_lost = 1;
	CHECK_NUM(CS_ATTENTION_LOST, cs_standing_attention(&m, late_s));
	m.n_undecryptable = 1;
	CHECK_NUM(CS_ATTENTION_UNDECRYPTABLE, cs_standing_attention(&m, T));
	m.failed = true;
	CHECK_NUM(CS_ATTENTION_FAILED, cs_standing_attention(&m, T));
	CHECK(cs_standing_is_settled(&m));
	m = to_two(CS_CLASS_ROUTINE);
	m.n_reached = 2;
	m.n_incomplete = 1;
	CHECK_NUM(CS_ATTENTION_INCOMPLETE, cs_standing_attention(&m, T));
}

TEST(what_was_withdrawn_is_no_silence)
{
	struct cs_standing_message m = to_two(CS_CLASS_PAGE);

	m.n_reached = 1;
	m.n_withdrawn = 1;
	m.answer_by_s = T + HOUR;
	CHECK_NUM(CS_ATTENTION_NONE, cs_standing_attention(&m, T + HOUR));
	CHECK_NUM(CS_ATTENTION_UNANSWERED,
	    cs_standing_attention(&m, T + HOUR + 1));
	m.n_reached = 0;
	m.n_withdrawn = 2;
	CHECK_NUM(CS_ATTENTION_NONE, cs_standing_attention(&m, T + DAY));
	CHECK(cs_standing_is_settled(&m));
}

TEST(an_answer_ends_the_wait_for_it)
{
	struct cs_standing_message m = to_two(CS_CLASS_ROUTINE);

	m.n_reached = 2;
	m.answer_by_s = T + 2 * DAY;
	CHECK_NUM(CS_ATTENTION_NONE, cs_standing_attention(&m, T + 2 * DAY));
	CHECK(!cs_standing_is_settled(&m));
	CHECK_NUM(CS_ATTENTION_UNANSWERED,
	    cs_standing_attention(&m, T + 3 * DAY));
	m.is_answered = true;
	CHECK_NUM(CS_ATTENTION_NONE, cs_standing_attention(&m, T + 3 * DAY));
	CHECK(cs_standing_is_settled(&m));
}

TEST(the_end_of_a_life_is_told_before)
{
	struct cs_standing_message m = to_two(CS_CLASS_ROUTINE);

	m.expires_at_s = T + 10 * HOUR; /* a tenth of it: an hour */
	CHECK_NUM(CS_ATTENTION_NONE,
	    cs_standing_attention(&m, T + 9 * HOUR - 1));
	CHECK_NUM(CS_ATTENTION_EXPIRES,
	    cs_standing_attention(&m, T + 9 * HOUR));
	m.n_reached = 2;
	CHECK_NUM(CS_ATTENTION_NONE, cs_standing_attention(&m, T + 9 * HOUR));
	m = to_two(CS_CLASS_ROUTINE);
	m.expires_at_s = 0; /* nobody promised anything yet */
	CHECK_NUM(CS_ATTENTION_NONE, cs_standing_attention(&m, T + 9 * HOUR));
}

TEST(every_reason_has_a_name_and_a_sentence)
{
	for (int a = CS_ATTENTION_EXPIRES; a <= CS_ATTENTION_FAILED; a++) {
		CHECK(cs_standing_reason((enum cs_attention)a)[0] != '\0');
		CHECK(cs_standing_advice((enum cs_attention)a)[0] != '\0');
	}
	CHECK_STR("", cs_standing_reason(CS_ATTENTION_NONE));
	CHECK_STR("", cs_standing_advice(CS_ATTENTION_NONE));
}
