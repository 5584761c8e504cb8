#include "client/options.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct cs_options {
	const struct cs_option *const *tables;
	size_t n_given, n_operands;
	struct given {
		const struct cs_option *option;
		const char *value;
	} * given;
	const char **operands;
};

static const struct cs_option *
find(const struct cs_option *const *tables, const char *name, size_t n)
{
	for (; *tables; tables++) {
		for (const struct cs_option *o = *tables; o->name; o++) {
			if (strlen(o->name) == n &&
			    strncmp(o->name, name, n) == 0)
				return o;
		}
	}
	return NULL;
}

int
cs_options_verb(const char *name, int argc, char *const *argv)
{
	const char *space = name ? strchr(name, ' ') : NULL;

	if (!name || argc < 1)
		return 0;
	if (!space)
		return strcmp(argv[0], name) == 0;
	return argc > 1 && strlen(argv[0]) == (size_t)(space - name) &&
		       strncmp(argv[0], name, (size_t)(space - name)) == 0 &&
		       strcmp(argv[1], space + 1) == 0
		   ? 2
		   : 0;
}

bool
cs_options_verb_begins(const char *name, int argc, char *const *argv)
{
	size_t n = argc == 2 ? strlen(argv[0]) : 0;

	return n > 0 && strcmp(argv[1], "--help") == 0 &&
	       strncmp(name, argv[0], n) == 0 && name[n] == ' ';
}

static cs_err
take_option(struct cs_options *o, int argc, char *const *argv, int *i,
    struct cs_why *why)
{
	const char *word =
	    strcmp(argv[*i], "-o") == 0 ? "output" : argv[*i] + 2;
	const char *equals = strchr(word, '=');
	size_t n = equals ? (size_t)(equals - word) : strlen(word);
	const struct cs_option *option = find(o->tables, word, n);
	const char *value = equals ? equals + 1 : "";

	if (!option) {
		cs_why_set(why, "there is no option --%.*s here", (int)n, word);
		return CS_USAGE;
	}
	if (option->kind == CS_OPTION_FLAG && equals) {
		cs_why_set(why, "--%s takes no value", option->name);
		return CS_USAGE;
	}
	if (option->kind != CS_OPTION_MANY && cs_options_has(o, option->name)) {
		cs_why_set(why, "--%s is given twice", option->name);
		return CS_USAGE;
	}
	if (option->kind != CS_OPTION_FLAG && !equals) {
		if (*i + 1 >= argc) {
			cs_why_set(why, "--%s needs a value: %s", option->name,
			    option->value);
			return CS_USAGE;
		}
		value = argv[++*i];
	}
	o->given[o->n_given++] = (struct given){ option, value };
	return CS_OK;
}

cs_err
cs_options_parse(int argc, char *const *argv,
    const struct cs_option *const *tables, struct cs_why *why,
    struct cs_options **ret)
{
	struct cs_options *o = calloc(1, sizeof(*o));
	bool options_end = false;
	cs_err e = CS_NO_MEMORY;

	if (!o)
		goto out;
	o->tables = tables;
	o->given = calloc((size_t)argc + 1, sizeof(*o->given));
	o->operands = calloc((size_t)argc + 1, sizeof(*o->operands));
	if (!o->given || !o->operands)
		goto out;
	e = CS_OK;
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i];

		if (options_end || word[0] != '-' || word[1] == '\0') {
			o->operands[o->n_operands++] = word;
		} else if (strcmp(word, "--") == 0) {
			options_end = true;
		} else if (word[1] == '-' || strcmp(word, "-o") == 0) {
			CS_TRY(take_option(o, argc, argv, &i, why));
		} else {
			cs_why_set(why,
			    "there is no option %s: options are long, like "
			    "--help",
			    word);
			e = CS_USAGE;
			goto out;
		}
	}
	*ret = o;
	o = NULL;
out:
	cs_options_free(o);
	return e;
}

void
cs_options_free(struct cs_options *o)
{
	if (!o)
		return;
	free(o->given);
	free(o->operands);
	free(o);
}

const char *
cs_options_value(const struct cs_options *o, const char *name, size_t i)
{
	assert(find(o->tables, name, strlen(name)));
	for (size_t k = 0; k < o->n_given; k++) {
		if (strcmp(o->given[k].option->name, name) == 0 && i-- == 0)
			return o->given[k].value;
	}
	return NULL;
}

const char *
cs_options_get(const struct cs_options *o, const char *name)
{
	return cs_options_value(o, name, 0);
}

bool
cs_options_has(const struct cs_options *o, const char *name)
{
	return cs_options_value(o, name, 0) != NULL;
}

size_t
cs_options_count(const struct cs_options *o, const char *name)
{
	size_t n = 0;

	while (cs_options_value(o, name, n))
		n++;
	return n;
}

const char *
cs_options_operand(const struct cs_options *o, size_t i)
{
	return i < o->n_operands ? o->operands[i] : NULL;
}

size_t
cs_options_operands(const struct cs_options *o)
{
	return o->n_operands;
}
