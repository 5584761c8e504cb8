#include "client/vetting.h"

#include <jansson.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/day.h"
#include "client/vetrules.h"
#include "proto/label.h"
#include "proto/text.h"

struct cs_vetting {
	json_t *json;
	struct cs_vetting_facts facts;
};

/* -------------------------------------------------------------------- read */

static struct cs_bytes
text_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return (struct cs_bytes){ (const uint8_t *)json_string_value(value),
		json_string_length(value) };
}

/* Of a record that was checked. */
static cs_err
take_facts(const json_t *json, struct cs_vetting_facts *ret)
{
	struct cs_vetting_facts f = {
		.handle = text_of(json, "handle"),
		.name = text_of(json, "name"),
		.npi = text_of(json, "npi"),
		.decision =
		    cs_vetrules_decision(json_string_value(json_object_get(json,
			"decision"))),
		.waiver = text_of(json_object_get(json, "waiver"), "reason"),
	};
	cs_err e = CS_OK;

	if (f.decision != CS_DECISION_REFUSED)
		CS_TRY(cs_day_end(text_of(json, "valid_until"),
		    &f.valid_until_s));
	*ret = f;
out:
	return e;
}

/* Any JSON, each key once. */
static cs_err
parse(struct cs_bytes file, struct cs_buf *ret_faults, json_t **ret)
{
	json_error_t error;

	if (file.n > CS_VETTING_FILE_BYTES)
		return CS_TOO_LARGE;
	*ret = json_loadb((const char *)file.p, file.n, JSON_REJECT_DUPLICATES,
	    &error);
	if (*ret)
		return CS_OK;
	cs_buf_printf(ret_faults, "line %d, column %d: %s\n", error.line,
	    error.column, error.text);
	return CS_MALFORMED;
}

cs_err
cs_vetting_read(struct cs_bytes file, uint64_t now_s, struct cs_buf *ret_faults,
    struct cs_vetting **ret)
{
	struct cs_vetting *v = calloc(1, sizeof(*v));
	cs_err e;

	CS_TRY(v ? CS_OK : CS_NO_MEMORY);
	CS_TRY(parse(file, ret_faults, &v->json));
	CS_TRY(cs_vetrules_check(v->json, now_s, ret_faults));
	CS_TRY(take_facts(v->json, &v->facts));
	*ret = v;
	v = NULL;
out:
	cs_vetting_free(v);
	return e;
}

void
cs_vetting_free(struct cs_vetting *v)
{
	if (!v)
		return;
	json_decref(v->json);
	free(v);
}

const struct cs_vetting_facts *
cs_vetting_facts(const struct cs_vetting *v)
{
	return &v->facts;
}

cs_err
cs_vetting_evidence(const struct cs_vetting *v, size_t i,
    struct cs_vetting_evidence *ret)
{
	const json_t *all = json_object_get(v->json, "domains");

	for (size_t d = 0; cs_vetrules_domain(d); d++) {
		const char *domain = cs_vetrules_domain(d);
		const json_t *list =
		    json_object_get(json_object_get(all, domain), "evidence");
		const json_t *row = json_array_get(list, i);

		if (!row) {
			i -= json_array_size(list);
			continue;
		}
		ret->domain = domain;
		ret->file = json_string_value(json_object_get(row, "file"));
		return cs_text_unhex(text_of(row, "sha256"), ret->sha256,
		    CS_HASH_BYTES);
	}
	return CS_NOT_FOUND;
}

bool
cs_vetting_has_npi(struct cs_bytes file, struct cs_bytes npi)
{
	json_t *json = json_loadb((const char *)file.p, file.n, 0, NULL);
	bool has = json && npi.n > 0 &&
		   cs_bytes_eq(text_of(json, "npi"), npi); /* public */

	json_decref(json);
	return has;
}

void
cs_vetting_hash(struct cs_bytes file, uint8_t ret[static CS_HASH_BYTES])
{
	crypto_hash_sha256_state h;

	crypto_hash_sha256_init(&h);
	crypto_hash_sha256_update(&h, CS_LABEL_VETTING.p, CS_LABEL_VETTING.n);
	crypto_hash_sha256_update(&h, file.p, file.n);
	crypto_hash_sha256_final(&h, ret);
}

/* ---------------------------------------------------------------- template */

static json_t *
empty_domain(void)
{
	return json_pack("{s:s, s:[{s:s, s:s}], s:s, s:s, s:s}", "finding", "",
	    "evidence", "file", "", "sha256", "", "reviewer", "", "date", "",
	    "result", "");
}

static json_t *
empty_domains(void)
{
	json_t *all = json_object();

	for (size_t i = 0; all && cs_vetrules_domain(i); i++) {
		if (json_object_set_new(all, cs_vetrules_domain(i),
			empty_domain()) != 0) {
			json_decref(all);
			return NULL;
		}
	}
	return all;
}

cs_err
cs_vetting_template(struct cs_bytes handle, struct cs_bytes name,
    struct cs_buf *out)
{
	json_t *json = json_pack("{s:s, s:s%, s:s%, s:s, s:o, s:[s, s], s:s, "
				 "s:s, s:s, s:s, s:s}",
	    "format", CS_VETRULES_FORMAT, "handle", (const char *)handle.p,
	    handle.n, "name", (const char *)name.p, name.n, "npi", "",
	    "domains", empty_domains(), "approvers", "", "", "agreement", "",
	    "exclusion_check", "", "valid_from", "", "valid_until", "",
	    "decision", "");
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	cs_err e;

	CS_TRY(text ? CS_OK : CS_NO_MEMORY);
	cs_buf_put_str(out, text);
	cs_buf_put_str(out, "\n");
	CS_TRY(cs_buf_err(out));
out:
	free(text);
	json_decref(json);
	return e;
}
