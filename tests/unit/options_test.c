#include "client/options.h"

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
