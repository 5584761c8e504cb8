#include "client/vetrules.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "client/day.h"
#include "client/vetting.h"
#include "proto/address.h"
#include "proto/text.h"

#define TEXT_BYTES     4096
#define NAMES_MAX      64
#define PATH_BYTES     128
#define LEAST_APPROVED 2
#define FAULTS_MAX     200

static const char *const domains[] = { "governance", "clinical_practice",
	"business_practice", "quality", "safety", "service" };
#define N_DOMAINS (sizeof(domains) / sizeof(*domains))

enum result { PASS = 1, CONDITIONAL, FAIL };
static const char *const results[] = {
	[PASS] = "pass", [CONDITIONAL] = "conditional", [FAIL] = "fail"
};

/* One record being read. */
struct reading {
	const json_t *json;
	struct cs_buf *faults;
	unsigned n_faults;
	unsigned n_bars; /* faults that only say who cannot be admitted */
	enum cs_decision decision; /* 0: not known */
	char today[CS_DAY_BYTES];
	bool is_barred[N_DOMAINS]; /* failed or missing */
	char due[CS_DAY_BYTES];    /* of the first condition; empty: none */
};

/* ------------------------------------------------------------------ faults */

static void fault(struct reading *r, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
fault(struct reading *r, const char *path, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (r->n_faults++ >= FAULTS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* a line is one fault, whatever the file says */
	for (char *p = text; *p; p++) {
		if (*p == '\n')
			*p = ' ';
	}
	cs_buf_printf(r->faults, "%s: %s\n", path, text);
}

/* --------------------------------------------------------------- its values */

static void put_path(char ret[PATH_BYTES], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Where in the record; cut where there are absurdly many of something. */
static void
put_path(char ret[PATH_BYTES], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(ret, PATH_BYTES, fmt, ap);
	va_end(ap);
}

/* Reports what an object says that nobody asked. */
static void
check_keys(struct reading *r, const char *path, const json_t *object,
    const char *const *keys)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		const char *const *known = keys;

		while (*known && strcmp(*known, key) != 0)
			known++;
		if (!*known)
			fault(r, path, "has no key \"%.60s\"", key);
	}
}

/* A text of 1 to max bytes; NULL, and said so, where it is none. */
static const char *
read_text(struct reading *r, const char *path, const json_t *value, size_t max)
{
	if (!value) {
		fault(r, path, "is missing");
		return NULL;
	}
	if (!json_is_string(value)) {
		fault(r, path, "is no text");
		return NULL;
	}
	if (json_string_length(value) == 0) {
		fault(r, path, "is empty");
		return NULL;
	}
	if (json_string_length(value) > max) {
		fault(r, path, "is longer than %zu bytes", max);
		return NULL;
	}
	return json_string_value(value);
}

/* A day there is. */
static const char *
read_day(struct reading *r, const char *path, const json_t *value)
{
	const char *text = read_text(r, path, value, TEXT_BYTES);

	if (text && cs_day_check(cs_bytes_str(text)) != CS_OK) {
		fault(r, path, "\"%.40s\" is no day like 2026-11-22", text);
		return NULL;
	}
	return text;
}

/* A day that has come. */
static const char *
read_past(struct reading *r, const char *path, const json_t *value)
{
	const char *text = read_day(r, path, value);

	if (text && strcmp(text, r->today) > 0) {
		fault(r, path, "%s is in the future", text);
		return NULL;
	}
	return text;
}

/* A word of a list; 0, and said so, if it is none. */
static unsigned
read_word(struct reading *r, const char *path, const json_t *value,
    const char *const words[4])
{
	const char *text = read_text(r, path, value, TEXT_BYTES);

	for (unsigned i = 1; text && i < 4; i++) {
		if (strcmp(words[i], text) == 0)
			return i;
	}
	if (text)
		fault(r, path, "\"%.40s\" is none of %s, %s, %s", text,
		    words[1], words[2], words[3]);
	return 0;
}

/* Whether the practice is to be let in, with or without a waiver. */
static bool
lets_in(const struct reading *r)
{
	return r->decision != CS_DECISION_REFUSED;
}

/* -------------------------------------------------------------- the practice
 */

static void
read_format(struct reading *r, const json_t *value)
{
	const char *text = read_text(r, "format", value, TEXT_BYTES);

	if (text && strcmp(text, CS_VETRULES_FORMAT) != 0)
		fault(r, "format", "is not \"" CS_VETRULES_FORMAT "\"");
}

static void
read_handle(struct reading *r, const json_t *value)
{
	const char *text = read_text(r, "handle", value, TEXT_BYTES);

	if (text && cs_address_check_handle(cs_bytes_str(text)) != CS_OK)
		fault(r, "handle",
		    "\"%.80s\" is no handle: lower-case letters, digits, "
		    "\".\", \"-\", \"_\"; it stands right of the @",
		    text);
}

static void
read_name(struct reading *r, const json_t *value)
{
	(void)read_text(r, "name", value, CS_LIMIT_NAME_BYTES);
}

static void
read_npi(struct reading *r, const json_t *value)
{
	const char *text = read_text(r, "npi", value, TEXT_BYTES);

	if (text && cs_entry_npi_check(cs_bytes_str(text)) != CS_OK)
		fault(r, "npi",
		    "\"%.40s\" is no NPI: ten digits, the last of them a check "
		    "digit",
		    text);
}

static void
read_optional(struct reading *r, const char *path, const json_t *value)
{
	if (value)
		(void)read_text(r, path, value, TEXT_BYTES);
}

static void
read_tin(struct reading *r, const json_t *value)
{
	read_optional(r, "tin", value);
}

static void
read_address(struct reading *r, const json_t *value)
{
	read_optional(r, "address", value);
}

static void
read_site_visit(struct reading *r, const json_t *value)
{
	if (value)
		(void)read_past(r, "site_visit", value);
}

static void
read_accreditations(struct reading *r, const json_t *value)
{
	static const char *const keys[] = { "name", "valid_until", NULL };

	if (value && !json_is_array(value)) {
		fault(r, "accreditations", "is no list");
		return;
	}
	for (size_t i = 0; i < json_array_size(value) && i < NAMES_MAX; i++) {
		const json_t *row = json_array_get(value, i);
		char path[PATH_BYTES];

		put_path(path, "accreditations[%zu]", i);
		check_keys(r, path, row, keys);
		(void)read_text(r, path, json_object_get(row, "name"),
		    TEXT_BYTES);
		(void)read_day(r, path, json_object_get(row, "valid_until"));
	}
}

/* -------------------------------------------------------------- the domains
 */

/* A path below the folder of the evidence, that shows as it is. */
static bool
is_file_name(const char *name)
{
	struct cs_buf shown = { 0 };
	bool ok;

	cs_text_show(cs_bytes_str(name), false, &shown);
	ok = cs_buf_err(&shown) == CS_OK &&
	     cs_bytes_eq(cs_buf_view(&shown), cs_bytes_str(name)) &&
	     name[0] != '/' && strcmp(name, "..") != 0 &&
	     strncmp(name, "../", 3) != 0 && !strstr(name, "/../") &&
	     (strlen(name) < 3 || strcmp(name + strlen(name) - 3, "/..") != 0);
	cs_buf_fini(&shown);
	return ok;
}

static void
read_one_evidence(struct reading *r, const char *path, const json_t *row)
{
	static const char *const keys[] = { "file", "sha256", NULL };
	char part[PATH_BYTES];
	uint8_t hash[CS_HASH_BYTES];
	const char *text;

	check_keys(r, path, row, keys);
	put_path(part, "%s.file", path);
	text = read_text(r, part, json_object_get(row, "file"), TEXT_BYTES);
	if (text && !is_file_name(text))
		fault(r, part, "is no path below a folder");
	put_path(part, "%s.sha256", path);
	text = read_text(r, part, json_object_get(row, "sha256"), TEXT_BYTES);
	if (text &&
	    cs_text_unhex(cs_bytes_str(text), hash, sizeof(hash)) != CS_OK)
		fault(r, part, "is no SHA-256 of 64 digits");
}

static void
read_evidence(struct reading *r, const char *path, const json_t *list)
{
	if (!json_is_array(list) || json_array_size(list) == 0) {
		fault(r, path, "%s",
		    list ? "is no list of files: a finding rests on something"
			 : "is missing");
		return;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		char part[PATH_BYTES];

		put_path(part, "%s[%zu]", path, i);
		read_one_evidence(r, part, json_array_get(list, i));
	}
}

/* What has to be done, and until when. */
static void
read_condition(struct reading *r, const char *path, const json_t *domain)
{
	char part[PATH_BYTES];
	const char *due;

	put_path(part, "%s.condition", path);
	(void)read_text(r, part, json_object_get(domain, "condition"),
	    TEXT_BYTES);
	put_path(part, "%s.due", path);
	due = read_day(r, part, json_object_get(domain, "due"));
	if (!due)
		return;
	if (strcmp(due, r->today) < 0)
		fault(r, part, "%s is past: judge the domain anew", due);
	if (!r->due[0] || strcmp(due, r->due) < 0)
		memcpy(r->due, due, CS_DAY_BYTES);
}

/* A condition belongs to a conditional result. */
static void
read_no_condition(struct reading *r, const char *path, const json_t *domain)
{
	if (json_object_get(domain, "condition") ||
	    json_object_get(domain, "due"))
		fault(r, path,
		    "has a condition, but its result is not conditional");
}

static unsigned
read_domain(struct reading *r, const char *path, const json_t *domain)
{
	static const char *const keys[] = { "finding", "evidence", "reviewer",
		"date", "result", "condition", "due", NULL };
	char part[PATH_BYTES];
	unsigned result;

	check_keys(r, path, domain, keys);
	put_path(part, "%s.finding", path);
	(void)read_text(r, part, json_object_get(domain, "finding"),
	    TEXT_BYTES);
	put_path(part, "%s.evidence", path);
	read_evidence(r, part, json_object_get(domain, "evidence"));
	put_path(part, "%s.reviewer", path);
	(void)read_text(r, part, json_object_get(domain, "reviewer"),
	    CS_LIMIT_NAME_BYTES);
	put_path(part, "%s.date", path);
	(void)read_past(r, part, json_object_get(domain, "date"));
	put_path(part, "%s.result", path);
	result = read_word(r, part, json_object_get(domain, "result"), results);
	if (result == CONDITIONAL)
		read_condition(r, path, domain);
	else
		read_no_condition(r, path, domain);
	return result;
}

static void
read_domains(struct reading *r, const json_t *value)
{
	static const char *keys[N_DOMAINS + 1];

	if (!json_is_object(value)) {
		fault(r, "domains", "%s",
		    value ? "is no object" : "is missing");
		return;
	}
	memcpy(keys, domains, sizeof(domains));
	check_keys(r, "domains", value, keys);
	for (size_t i = 0; i < N_DOMAINS; i++) {
		const json_t *domain = json_object_get(value, domains[i]);
		char path[PATH_BYTES];

		put_path(path, "domains.%s", domains[i]);
		if (domain && !json_is_object(domain))
			fault(r, path, "is no object");
		r->is_barred[i] =
		    !domain || read_domain(r, path, domain) == FAIL;
		if (!r->is_barred[i] || r->decision != CS_DECISION_ADMITTED)
			continue;
		fault(r, path,
		    "%s: who fails in a domain is not admitted, but by a "
		    "waiver of two registrars (`consil-admin org waive`)",
		    domain ? "failed" : "is missing");
		r->n_bars++;
	}
}

/* --------------------------------------------------------------- the people
 */

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next letter of a name as people compare names: case does not count, nor
 * how much blank there is, nor any at its ends. 0 at the end. */
static int
next_letter(const char **at, bool is_first)
{
	const char *p = *at;
	bool was_blank = is_blank(*p);

	while (is_blank(*p))
		p++;
	if (was_blank && !is_first && *p) {
		*at = p;
		return ' ';
	}
	*at = *p ? p + 1 : p;
	return *p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : (unsigned char)*p;
}

static bool
is_same_person(const char *a, const char *b)
{
	int x, y;
	bool is_first = true;

	if (!a || !b)
		return false;
	do {
		x = next_letter(&a, is_first);
		y = next_letter(&b, is_first);
		is_first = false;
	} while (x == y && x != 0);
	return x == y;
}

/* The one who reviewed all domains; NULL where several did. */
static const char *
only_reviewer(const struct reading *r)
{
	const json_t *all = json_object_get(r->json, "domains");
	const char *one = NULL;

	for (size_t i = 0; i < N_DOMAINS; i++) {
		const char *reviewer =
		    json_string_value(json_object_get(json_object_get(all,
							  domains[i]),
			"reviewer"));

		if (one && reviewer && !is_same_person(one, reviewer))
			return NULL;
		if (reviewer)
			one = reviewer;
	}
	return one;
}

/* The judgement of one is not confirmed by the same one. */
static void
read_approvers(struct reading *r, const json_t *value)
{
	const char *reviewer = only_reviewer(r), *text[NAMES_MAX] = { NULL };
	size_t n = json_array_size(value);

	if (!json_is_array(value) || n < LEAST_APPROVED || n > NAMES_MAX) {
		fault(r, "approvers", "%s",
		    value ? "is no list of two people or more" : "is missing");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		char path[PATH_BYTES];

		put_path(path, "approvers[%zu]", i);
		text[i] = read_text(r, path, json_array_get(value, i),
		    CS_LIMIT_NAME_BYTES);
		if (is_same_person(text[i], reviewer))
			fault(r, path,
			    "\"%s\" reviewed every domain and cannot approve "
			    "that",
			    text[i]);
		for (size_t k = 0; k < i; k++) {
			if (is_same_person(text[i], text[k]))
				fault(r, path, "\"%s\" stands there twice",
				    text[i]);
		}
	}
}

/* ----------------------------------------------------------------- the terms
 */

static void
read_term(struct reading *r, const char *path, const json_t *value)
{
	if (value || lets_in(r))
		(void)read_past(r, path, value);
}

static void
read_agreement(struct reading *r, const json_t *value)
{
	read_term(r, "agreement", value);
}

static void
read_exclusion_check(struct reading *r, const json_t *value)
{
	read_term(r, "exclusion_check", value);
}

static void
read_valid_from(struct reading *r, const json_t *value)
{
	read_term(r, "valid_from", value);
}

static void
read_valid_until(struct reading *r, const json_t *value)
{
	static const char path[] = "valid_until";
	const char *from, *until;
	char latest[CS_DAY_BYTES];

	if (!value && !lets_in(r))
		return;
	until = read_day(r, path, value);
	if (!until)
		return;
	if (lets_in(r) && strcmp(until, r->today) < 0)
		fault(r, path, "%s is past", until);
	if (r->due[0] && strcmp(until, r->due) > 0)
		fault(r, path,
		    "%s is after %s, when a condition is due: what was done "
		    "about it is judged by a new record until then",
		    until, r->due);
	from = json_string_value(json_object_get(r->json, "valid_from"));
	if (!from || cs_day_later(cs_bytes_str(from), CS_VETTING_MONTHS,
			 latest) != CS_OK)
		return;
	if (strcmp(until, from) < 0)
		fault(r, path, "%s is before valid_from, %s", until, from);
	if (strcmp(until, latest) > 0)
		fault(r, path, "%s is more than %d months after %s", until,
		    CS_VETTING_MONTHS, from);
}

/* ---------------------------------------------------------------- the waiver
 */

/* Which domain a text names; N_DOMAINS if none. */
static size_t
domain_of(const json_t *value)
{
	const char *text = json_string_value(value);
	size_t i = 0;

	while (i < N_DOMAINS && (!text || strcmp(domains[i], text) != 0))
		i++;
	return i;
}

/* Neither more nor less than what stands in the way is waived. */
static void
read_waived(struct reading *r, const json_t *list)
{
	static const char path[] = "waiver.domains";
	bool waived[N_DOMAINS] = { false };

	if (!json_is_array(list)) {
		fault(r, path, "%s", list ? "is no list" : "is missing");
		return;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		size_t domain = domain_of(json_array_get(list, i));

		if (domain == N_DOMAINS)
			fault(r, path, "number %zu is no domain", i + 1);
		else
			waived[domain] = true;
	}
	for (size_t i = 0; i < N_DOMAINS; i++) {
		if (waived[i] != r->is_barred[i])
			fault(r, path, "%s is %s", domains[i],
			    waived[i] ? "waived, but neither failed nor missing"
				      : "failed or missing, but not waived");
	}
}

static void
read_waiver(struct reading *r, const json_t *value)
{
	static const char *const keys[] = { "reason", "domains", NULL };

	if (r->decision != CS_DECISION_CONDITIONAL) {
		if (value && r->decision)
			fault(r, "waiver",
			    "is for a decision that is conditional");
		return;
	}
	if (!json_is_object(value)) {
		fault(r, "waiver", "%s", value ? "is no object" : "is missing");
		return;
	}
	check_keys(r, "waiver", value, keys);
	if (!memchr(r->is_barred, true, sizeof(r->is_barred)))
		fault(r, "decision",
		    "is conditional, but no domain failed or is missing");
	(void)read_text(r, "waiver.reason", json_object_get(value, "reason"),
	    TEXT_BYTES);
	read_waived(r, json_object_get(value, "domains"));
}

static void
read_decision(struct reading *r, const json_t *value)
{
	const char *words[4] = { NULL };

	for (unsigned i = 1; i < 4; i++)
		words[i] = cs_entry_decision_name(i);
	r->decision = read_word(r, "decision", value, words);
}

/* ---------------------------------------------------------------- the record
 */

/* In the order of reading: what a row depends on stands before it. */
static const struct {
	const char *name;
	void (*read)(struct reading *, const json_t *);
} rows[] = {
	{ "format", read_format },
	{ "decision", read_decision },
	{ "handle", read_handle },
	{ "name", read_name },
	{ "npi", read_npi },
	{ "tin", read_tin },
	{ "address", read_address },
	{ "site_visit", read_site_visit },
	{ "accreditations", read_accreditations },
	{ "domains", read_domains },
	{ "approvers", read_approvers },
	{ "agreement", read_agreement },
	{ "exclusion_check", read_exclusion_check },
	{ "valid_from", read_valid_from },
	{ "valid_until", read_valid_until },
	{ "waiver", read_waiver },
};
#define N_ROWS (sizeof(rows) / sizeof(*rows))

cs_err
cs_vetrules_check(const json_t *json, uint64_t now_s, struct cs_buf *ret_faults)
{
	const char *keys[N_ROWS + 1] = { NULL };
	struct reading r = { .json = json, .faults = ret_faults };

	cs_day_of(now_s, r.today);
	if (!json_is_object(json)) {
		fault(&r, "the record", "is no object");
		return CS_MALFORMED;
	}
	for (size_t i = 0; i < N_ROWS; i++)
		keys[i] = rows[i].name;
	check_keys(&r, "the record", json, keys);
	for (size_t i = 0; i < N_ROWS; i++)
		rows[i].read(&r, json_object_get(json, rows[i].name));
	if (r.n_faults > FAULTS_MAX)
		cs_buf_printf(ret_faults, "and %u more\n",
		    r.n_faults - FAULTS_MAX);
	if (cs_buf_err(ret_faults) != CS_OK)
		return CS_NO_MEMORY;
	if (r.n_faults > r.n_bars)
		return CS_MALFORMED;
	return r.n_faults > 0 ? CS_DENIED : CS_OK;
}

const char *
cs_vetrules_domain(size_t i)
{
	return i < N_DOMAINS ? domains[i] : NULL;
}

enum cs_decision
cs_vetrules_decision(const char *word)
{
	for (unsigned i = 1; i < 4; i++) {
		if (strcmp(cs_entry_decision_name(i), word) == 0)
			return i;
	}
	return 0;
}
