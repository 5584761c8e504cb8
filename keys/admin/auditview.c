#include "keys/admin/auditview.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "client/present.h"
#include "proto/entry.h"
#include "proto/field.h"
#include "proto/frame.h"
#include "proto/text.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void
put_hex(struct cs_buf *out, struct cs_bytes v)
{
	char hex[2 * CS_HASH_BYTES + 1];

	cs_text_hex(v, hex);
	cs_buf_put_str(out, hex);
}

static void
put_time(struct cs_buf *out, uint64_t time_s, bool day_only)
{
	time_t t = (time_t)time_s;
	char text[32] = "-";
	struct tm tm = { 0 };

	if (time_s < UINT64_C(1) << 40 && localtime_r(&t, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	if (day_only && tm.tm_mday > 0)
		text[10] = '\0';
	cs_buf_put_str(out, text);
}

/* The three fields that together are the hash of a file. */
static void
config_hash(const struct cs_audit_record *r, uint8_t ret[static CS_HASH_BYTES])
{
	memcpy(ret, r->object, CS_ID_BYTES);
	cs_bytes_be(r->a, 8, ret + CS_ID_BYTES);
	cs_bytes_be(r->b, 8, ret + CS_ID_BYTES + 8);
}

/* What a number stands for, where that is no number; else NULL. */
static const char *
word_of(const char *label, uint64_t v)
{
	const struct cs_audit_note_info *note = cs_audit_note(v);
	const struct cs_frame_info *op = cs_frame_info(v);

	if (strcmp(label, "kind") == 0)
		return note ? note->text : "unknown";
	if (strcmp(label, "operation") == 0)
		return op ? op->name : "unknown";
	if (strcmp(label, "entry type") == 0 && v == 0)
		return "old keys destroyed";
	if (strcmp(label, "entry type") == 0)
		return v < CS_ENTRY_TYPES
			   ? cs_entry_type_name((enum cs_entry_type)v)
			   : "unknown";
	return NULL;
}

/* Why something was refused; NULL: it was not. */
static const char *
refusal_of(const struct cs_audit_record *r)
{
	if (r->result == 0)
		return NULL;
	if (r->event == CS_AUDIT_NOTE)
		return "failed";
	return cs_err_text(cs_frame_code_err(r->result));
}

/* -------------------------------------------------------------------- text */

static void
put_number(struct cs_buf *out, const char *label, uint64_t v)
{
	const char *word = word_of(label, v);

	if (label[0] == '\0')
		return;
	cs_buf_put_str(out, "; ");
	if (strcmp(label, "times") == 0)
		cs_buf_printf(out, v == 1 ? "once" : "%" PRIu64 " times", v);
	else if (strcmp(label, "date") == 0)
		put_time(out, v, true);
	else if (word)
		cs_buf_put_str(out, word);
	else
		cs_buf_printf(out, "%s %" PRIu64, label, v);
}

void
cs_auditview_text(const struct cs_audit_record *r, struct cs_buf *out)
{
	const struct cs_audit_info *info = cs_audit_info(r->event);
	uint8_t hash[CS_HASH_BYTES];

	cs_buf_printf(out, "%8" PRIu64 "  ", r->seq);
	put_time(out, r->time_s, false);
	cs_buf_printf(out, "  %-13s  %s", info->name,
	    cs_audit_who_name(r->who));
	if (r->who != CS_AUDIT_WHO_ANYONE) {
		cs_buf_put_u8(out, ' ');
		put_hex(out, CS_BYTES(r->id));
	}
	if (r->event == CS_AUDIT_CONFIGURATION) {
		config_hash(r, hash);
		cs_buf_put_str(out, "; SHA-256 ");
		put_hex(out, CS_BYTES(hash));
		return;
	}
	if (info->object[0] && !cs_field_is_zero(r->object, CS_ID_BYTES)) {
		cs_buf_printf(out, "; %s ", info->object);
		put_hex(out, CS_BYTES(r->object));
	}
	put_number(out, info->a, r->a);
	put_number(out, info->b, r->b);
	if (refusal_of(r))
		cs_buf_printf(out, ": %s", refusal_of(r));
}

/* -------------------------------------------------------------------- JSON */

static json_t *
json_word(const char *word)
{
	return word ? json_string(word) : json_null();
}

/* A value under its label, as one word. */
static int
set_labelled(json_t *o, const char *label, json_t *value)
{
	char key[32];
	size_t i = 0;

	for (; label[i] != '\0' && i + 1 < sizeof(key); i++)
		key[i] = label[i] == ' ' ? '_' : label[i];
	key[i] = '\0';
	return json_object_set_new(o, key, value);
}

/* The fields of a kind of event beside those that all have. */
static int
add_words(json_t *o, const struct cs_audit_record *r,
    const struct cs_audit_info *info)
{
	const char *const labels[] = { info->a, info->b };
	const uint64_t values[] = { r->a, r->b };
	uint8_t hash[CS_HASH_BYTES];
	int failed = 0;

	if (r->event == CS_AUDIT_CONFIGURATION) {
		config_hash(r, hash);
		return json_object_set_new(o, "sha256",
		    cs_present_json_hex(CS_BYTES(hash)));
	}
	for (size_t i = 0; i < COUNT(labels); i++) {
		const char *word = word_of(labels[i], values[i]);

		if (strcmp(labels[i], "date") == 0)
			failed |= json_object_set_new(o, "date",
			    cs_present_json_time(values[i]));
		else if (labels[i][0])
			failed |= set_labelled(o, labels[i],
			    word ? json_string(word)
				 : json_integer((json_int_t)values[i]));
	}
	return failed;
}

json_t *
cs_auditview_json(const struct cs_audit_record *r)
{
	const struct cs_audit_info *info = cs_audit_info(r->event);
	json_t *o = json_pack("{s:I, s:o, s:s, s:s, s:o, s:o, s:o}", "seq",
	    (json_int_t)r->seq, "time", cs_present_json_time(r->time_s),
	    "event", info->name, "who", cs_audit_who_name(r->who), "id",
	    r->who == CS_AUDIT_WHO_ANYONE ? json_null()
					  : cs_present_json_id(r->id),
	    "object",
	    info->object[0] ? cs_present_json_id(r->object) : json_null(),
	    "refusal", json_word(refusal_of(r)));

	if (o && add_words(o, r, info) != 0) {
		json_decref(o);
		o = NULL;
	}
	return o;
}

/* ---------------------------------------------------------------- findings */

void
cs_auditview_found(void *ctx, const struct cs_auditcheck_finding *f)
{
	struct cs_auditview_findings *v = ctx;
	struct cs_buf text = { 0 };

	if (!v->list)
		v->list = json_array();
	cs_auditcheck_text(f, &text);
	if (v->list && cs_buf_err(&text) == CS_OK)
		(void)json_array_append_new(v->list,
		    json_pack("{s:s, s:I, s:I, s:o}", "kind",
			cs_auditcheck_name(f->kind), "first",
			(json_int_t)f->first, "last", (json_int_t)f->last,
			"text", cs_present_json_text(cs_buf_view(&text))));
	cs_buf_fini(&text);
}

void
cs_auditview_findings_fini(struct cs_auditview_findings *v)
{
	json_decref(v->list);
	v->list = NULL;
}

json_t *
cs_auditview_check(const char *name, const struct cs_auditcheck *c,
    struct cs_auditview_findings *findings)
{
	json_t *list = findings->list ? findings->list : json_array();
	const struct cs_auditfile *f = &c->file;

	findings->list = NULL;
	return json_pack("{s:s, s:b, s:o, s:I, s:I, s:o, s:o, s:I, s:o, s:o, "
			 "s:o, s:s}",
	    "file", name, "ok", c->n_findings == 0, "relay",
	    cs_present_json_id(f->relay_id), "first", (json_int_t)f->first,
	    "last", (json_int_t)(f->first + f->n - 1), "from",
	    cs_present_json_time(f->from_s), "until",
	    f->until_s == UINT64_MAX ? json_null()
				     : cs_present_json_time(f->until_s),
	    "log_size", (json_int_t)c->cp.size, "log_root",
	    cs_present_json_hex(CS_BYTES(c->cp.root)), "signed_at",
	    cs_present_json_time(c->cp.time_s), "findings", list, "certificate",
	    "not looked up in the directory");
}
