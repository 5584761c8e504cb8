#ifndef CS_CLIENT_OPTIONS_H
#define CS_CLIENT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "client/why.h"
#include "proto/base/err.h"

/*
 * Command lines of our programs: a table of options per verb drives parsing
 * and help. Long options only: `--name value`, `--name=value`; `--` ends
 * them; options and operands may be mixed. The one short option is `-o`, for
 * `--output`: everybody's fingers know it.
 */
enum cs_option_kind {
	CS_OPTION_FLAG, /* no value */
	CS_OPTION_ONE,  /* a value, once */
	CS_OPTION_MANY, /* a value, any number of times */
};

struct cs_option {
	const char *name; /* without dashes; NULL ends a table */
	enum cs_option_kind kind;
	const char *value; /* what help calls it; NULL for a flag */
	const char *help;  /* one line */
};

struct cs_options; /* a parsed command line; borrows argv and the tables */

/*
 * How many of the words are the verb's name, of one word or of two ("org
 * vet"); 0: another verb.
 *   name  NULL is no verb's name
 */
int cs_options_verb(const char *name, int argc, char *const *argv);

/* Whether the words ask for help about all verbs of two words that begin so
 * ("org --help"), and this name is one of them. */
bool cs_options_verb_begins(const char *name, int argc, char *const *argv);

/*
 *   argv    words after the verb
 *   tables  option tables that apply, NULL-terminated list
 * CS_OK, CS_USAGE (unknown, repeated, without its value: see why),
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_options_parse(int argc, char *const *argv,
    const struct cs_option *const *tables, struct cs_why *why,
    struct cs_options **ret);
void cs_options_free(struct cs_options *o);

/* Value i of an option, or NULL; for a flag "" when given. Asking for a name
 * that no table has is our own bug. */
const char *cs_options_value(const struct cs_options *o, const char *name,
    size_t i);

/* The first value; NULL if not given. */
const char *cs_options_get(const struct cs_options *o, const char *name);
bool cs_options_has(const struct cs_options *o, const char *name);
size_t cs_options_count(const struct cs_options *o, const char *name);

/* Operand i, or NULL. */
const char *cs_options_operand(const struct cs_options *o, size_t i);
size_t cs_options_operands(const struct cs_options *o);

#endif
