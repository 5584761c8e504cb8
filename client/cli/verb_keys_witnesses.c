#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/cli/verbs.h"
#include "client/cosigned.h"

static const struct cs_option options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "as of the last sync, ask no relay" },
	{ 0 },
};

/* What is known, and whether it is enough. */
struct picture {
	struct cs_cosigned words;
	struct cs_cosigned_needs needs;
	uint32_t fresh; /* cosigned the newest checkpoint, and lately */
};

static cs_err
read_number(struct cs_cli *cli, const char *text, uint32_t *ret)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 ||
	    n > CS_WITNESS_MAX) {
		cs_why_set(cs_cli_why(cli), "%s is no number from 0 to %d",
		    text, CS_WITNESS_MAX);
		return CS_USAGE;
	}
	*ret = (uint32_t)n;
	return CS_OK;
}

static cs_err
look(struct cs_client *c, struct picture *ret)
{
	cs_err e;

	CS_TRY(cs_cosigned_load(cs_client_local(c), &ret->words));
	CS_TRY(cs_cosigned_needs(c, &ret->needs));
	ret->fresh = cs_cosigned_count(&ret->words, cs_client_now(), false);
out:
	return e;
}

/* ------------------------------------------------------------------- output */

static cs_err
print_summary(struct cs_cli *cli, const struct picture *p)
{
	const struct cs_checkpoint *cp = cs_client_checkpoint(cli->client);

	if (cli->json)
		return cs_present_json(json_pack("{s:s, s:I, s:I, s:I, s:I, "
						 "s:I, s:o}",
		    "kind", "checkpoint", "entries", (json_int_t)cp->size,
		    "needed", (json_int_t)cs_cosigned_needed(&p->needs),
		    "needed_by_network", (json_int_t)p->needs.network,
		    "needed_by_device", (json_int_t)p->needs.own, "cosigned",
		    (json_int_t)p->fresh, "signed_at",
		    cs_present_json_time(cp->time_s)));
	printf("directory of %llu entries, signed by the relay ",
	    (unsigned long long)cp->size);
	cs_present_time(cp->time_s);
	printf("\ncosigned by %u; needed %llu (network %llu, this device "
	       "%llu)\n",
	    p->fresh, (unsigned long long)cs_cosigned_needed(&p->needs),
	    (unsigned long long)p->needs.network,
	    (unsigned long long)p->needs.own);
	return CS_OK;
}

static cs_err
print_row(struct cs_cli *cli, const struct cs_cosigned_row *row)
{
	struct cs_directory_witness w = { 0 };

	if (cs_directory_witness(cs_client_directory(cli->client), row->id,
		&w) != CS_OK)
		return CS_OK; /* of a mirror that was begun anew */
	if (cli->json)
		return cs_present_json(json_pack("{s:s, s:o, s:o, s:b, s:o, "
						 "s:I}",
		    "kind", "witness", "id", cs_present_json_id(row->id),
		    "name", cs_present_json_text(w.name), "cosigned_newest",
		    (int)row->newest, "cosigned_at",
		    cs_present_json_time(row->time_s), "entries",
		    (json_int_t)row->size));
	cs_present_cell(w.name, 32);
	if (row->time_s == 0) {
		puts("never");
		return CS_OK;
	}
	cs_present_time(row->time_s);
	if (row->newest)
		puts("  the newest");
	else
		printf("  not the newest: the one of %llu entries\n",
		    (unsigned long long)row->size);
	return CS_OK;
}

static cs_err
run(struct cs_cli *cli)
{
	const char *text = cs_options_operand(cli->options, 0);
	struct picture p = { 0 };
	uint32_t own = 0;
	cs_err e = CS_OK;

	if (text) {
		CS_TRY(read_number(cli, text, &own));
		CS_TRY(cs_cosigned_set(cli->client, own));
	}
	if (!cs_options_has(cli->options, "offline"))
		CS_TRY(cs_cli_without_relay(cli,
		    cs_client_connect(cli->client, CS_CLI_WAIT_MS),
		    "this is the directory as of the last sync"));
	CS_TRY(look(cli->client, &p));
	CS_TRY(print_summary(cli, &p));
	for (uint32_t i = 0; i < p.words.n; i++)
		CS_TRY(print_row(cli, &p.words.row[i]));
	if (p.words.n == 0 && !cli->json)
		puts("the network has no witness");
	e = p.fresh < cs_cosigned_needed(&p.needs) ? CS_UNWITNESSED : CS_OK;
out:
	return e;
}

const struct cs_cli_verb cs_verb_keys_witnesses = {
	.name = "keys witnesses",
	.operands = "[NUMBER]",
	.summary = "who cosigned the directory shown here, and when",
	.help = "Witnesses put their names to a directory that continues all "
		"they saw before. If the\nrelay shows this device another one, "
		"or an old one, their words are missing or old.\nWith NUMBER "
		"this device seals nothing unless so many have cosigned the "
		"newest\ndirectory within a day; the network may ask for more, "
		"0 leaves it to the network.\nEnds with exit code 5 where they "
		"are too few.",
	.options = options,
	.max_operands = 1,
	.needs_home = true,
	.run = run,
};
