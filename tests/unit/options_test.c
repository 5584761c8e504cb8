#include "client/options.h"

#include <stdio.h>
#include <string.h>

#include "tests/test.h"

static const struct cs_option table[] = {
	{ "to", CS_OPTION_MANY, "ADDR", "" },
	{ "note", CS_OPTION_ONE, "FILE", "" },
	{ "json", CS_OPTION_FLAG, NULL, "" },
	{ 0 },
};
static const struct cs_option *const tables[] = { table, NULL };

static cs_err
parse(const char *line, struct cs_why *why, struct cs_options **ret)
{
	static char copy[256];
	char *argv[32];
	int argc = 0;

	memcpy(copy, line, strlen(line) + 1);
	for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
		argv[argc++] = w;
	return cs_options_parse(argc, argv, tables, why, ret);
}

TEST(options_reads_values_flags_and_operands)
{
	struct cs_options *o = NULL;

	CHECK_OK(parse("id --to a --json --to=b --note - -- --to", NULL, &o));
	CHECK_NUM(2, cs_options_count(o, "to"));
	CHECK_STR("a", cs_options_value(o, "to", 0));
	CHECK_STR("b", cs_options_value(o, "to", 1));
	CHECK_STR(NULL, cs_options_value(o, "to", 2));
	CHECK_STR("-", cs_options_get(o, "note"));
	CHECK(cs_options_has(o, "json"));
	CHECK_NUM(2, cs_options_operands(o));
	CHECK_STR("id", cs_options_operand(o, 0));
	CHECK_STR("--to", cs_options_operand(o, 1));
	CHECK_STR(NULL, cs_options_operand(o, 2));
	cs_options_free(o);
}

TEST(options_names_what_is_wrong)
{
	static const char *const wrong[][2] = {
		{ "--what", "--what" },
		{ "--what=x", "--what" },
		{ "--tox", "--tox" },
		{ "--note", "needs a value" },
		{ "--note a --note b", "twice" },
		{ "--json --json", "twice" },
		{ "--json=1", "no value" },
		{ "-j", "-j" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct cs_options *o = NULL;
		struct cs_why why = { 0 };

		CHECK_ERR(CS_USAGE, parse(wrong[i][0], &why, &o));
		CHECK(strstr(why.text, wrong[i][1]) != NULL);
		CHECK(o == NULL);
	}
}

TEST(options_knows_verbs_of_two_words)
{
	static const struct {
		const char *name, *first, *second;
		int argc, words;
	} t[] = {
		{ "sync", "sync", "x", 2, 1 },
		{ "sync", "sync", NULL, 1, 1 },
		{ "sync", "synch", NULL, 1, 0 },
		{ "sync", NULL, NULL, 0, 0 },
		{ NULL, "sync", NULL, 1, 0 },
		{ "keys export", "keys", "export", 2, 2 },
		{ "keys export", "keys", NULL, 1, 0 },
		{ "keys export", "keys", "exports", 2, 0 },
		{ "keys export", "key", "export", 2, 0 },
		{ "keys export", "keysx", "export", 2, 0 },
		{ "keys export", "keys export", NULL, 1, 0 },
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		char first[16] = "", second[16] = "";
		char *const argv[] = { first, second };

		snprintf(first, sizeof(first), "%s",
		    t[i].first ? t[i].first : "");
		snprintf(second, sizeof(second), "%s",
		    t[i].second ? t[i].second : "");
		CHECK_NUM(t[i].words,
		    cs_options_verb(t[i].name, t[i].argc, argv));
	}
}

TEST(options_knows_the_word_that_verbs_begin_with)
{
	char keys[] = "keys", key[] = "key", help[] = "--help",
	     json[] = "--json";
	char *const family[] = { keys, help }, *const other[] = { key, help };
	char *const wrong[] = { keys, json };

	CHECK(cs_options_verb_begins("keys export", 2, family));
	CHECK(!cs_options_verb_begins("keys", 2, family));
	CHECK(!cs_options_verb_begins("keys export", 2, other));
	CHECK(!cs_options_verb_begins("keys export", 2, wrong));
	CHECK(!cs_options_verb_begins("keys export", 1, family));
}

TEST(options_takes_the_one_short_option)
{
	static const struct cs_option with[] = {
		{ "output", CS_OPTION_ONE, "FILE", "" },
		{ 0 },
	};
	static const struct cs_option *const both[] = { with, NULL };
	char o[] = "-o", file[] = "f", other[] = "-ox";
	char *const argv[] = { o, file };
	char *const wrong[] = { other };
	struct cs_options *opts = NULL, *none = NULL;
	struct cs_why why = { 0 };

	CHECK_OK(cs_options_parse(2, argv, both, &why, &opts));
	CHECK_STR("f", cs_options_get(opts, "output"));
	cs_options_free(opts);
	CHECK_ERR(CS_USAGE, cs_options_parse(1, argv, both, &why, &none));
	CHECK(strstr(why.text, "--output") != NULL);
	CHECK_ERR(CS_USAGE, cs_options_parse(1, wrong, both, &why, &none));
	CHECK_ERR(CS_USAGE, parse("-o", &why, &none)); /* no such option here */
	CHECK(none == NULL);
}
