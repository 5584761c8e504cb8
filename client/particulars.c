#include "client/particulars.h"

#include "client/day.h"
#include "client/present.h"

bool
cs_particulars_expired(const struct cs_directory_member *m, uint64_t now_s)
{
	return m->licence_until_s != 0 && m->licence_until_s < now_s;
}

static void
put_part(struct cs_buf *out, size_t from, const char *label, struct cs_bytes v)
{
	if (v.n == 0)
		return;
	if (out->n > from)
		cs_buf_put_str(out, ", ");
	cs_buf_put_str(out, label);
	cs_buf_put_bytes(out, v);
}

void
cs_particulars_text(const struct cs_directory_member *m, uint64_t now_s,
    struct cs_buf *out)
{
	const size_t from = out->n;
	char day[CS_DAY_BYTES];

	put_part(out, from, "", m->role);
	put_part(out, from, "", m->specialty);
	put_part(out, from, "NPI ", m->npi);
	if (m->licence_number.n == 0)
		return;
	put_part(out, from, "licence ", m->licence_state);
	cs_buf_put_str(out, m->licence_state.n ? " " : ", licence ");
	cs_buf_put_bytes(out, m->licence_number);
	if (m->licence_until_s == 0)
		return;
	cs_day_of(m->licence_until_s, day);
	cs_buf_printf(out, "%s%s",
	    cs_particulars_expired(m, now_s) ? " EXPIRED on " : " until ", day);
}

static json_t *
text_or_null(struct cs_bytes v)
{
	return v.n ? cs_present_json_text(v) : json_null();
}

json_t *
cs_particulars_json(json_t *object, const struct cs_directory_member *m,
    uint64_t now_s)
{
	json_t *licence = json_null(), *more;

	if (m->licence_number.n > 0)
		licence = json_pack("{s:o, s:o, s:o, s:b}", "state",
		    text_or_null(m->licence_state), "number",
		    cs_present_json_text(m->licence_number), "until",
		    cs_present_json_time(m->licence_until_s), "expired",
		    cs_particulars_expired(m, now_s));
	more = json_pack("{s:o, s:o, s:o}", "npi", text_or_null(m->npi),
	    "specialty", text_or_null(m->specialty), "licence", licence);
	if (!object || !more || json_object_update(object, more) != 0) {
		json_decref(object);
		object = NULL;
	}
	json_decref(more);
	return object;
}
