#include "client/cli/keys.h"

#include <stdio.h>

#include "client/keyplan.h"

static const char *const kinds[] = {
	[CS_KEYPLAN_SIGNING] = "signing",
	[CS_KEYPLAN_REPLACED] = "replaced",
	[CS_KEYPLAN_EPOCH] = "epoch",
	[CS_KEYPLAN_UNKNOWN] = "unknown",
};

static cs_err
print_json(const struct cs_keyplan_row *r)
{
	return cs_present_json(json_pack("{s:s, s:o, s:o, s:o, s:I, s:o}",
	    "key", kinds[r->kind], "epoch",
	    r->kind == CS_KEYPLAN_EPOCH ? json_integer((json_int_t)r->epoch)
					: json_null(),
	    "since", cs_present_json_time(r->since_s), "until",
	    cs_present_json_time(r->until_s), "in_flight",
	    (json_int_t)r->n_in_flight, "destroyed_at",
	    cs_present_json_time(r->destroy_at_s)));
}

static void
print_epoch(const struct cs_keyplan_row *r)
{
	char since[16], until[16], gone[16];

	cs_present_date_text(r->since_s, since);
	cs_present_date_text(r->until_s, until);
	cs_present_date_text(r->destroy_at_s, gone);
	printf("epoch %-6llu %s to %s  %u waiting  destroyed %s\n",
	    (unsigned long long)r->epoch, since, until, r->n_in_flight, gone);
}

static cs_err
print(void *ctx, const struct cs_keyplan_row *r)
{
	const struct cs_cli *cli = ctx;
	char since[16];

	if (cli->json)
		return print_json(r);
	cs_present_date_text(r->since_s, since);
	switch (r->kind) {
	case CS_KEYPLAN_SIGNING:
		printf("signing key  in use since %s, %u sealed and not yet "
		       "with the relay; destroyed by `consil keys rotate`\n",
		    since, r->n_in_flight);
		break;
	case CS_KEYPLAN_REPLACED:
		printf("signing key  of %s, destroyed; %u signed by it and not "
		       "yet with the relay stay valid\n",
		    since, r->n_in_flight);
		break;
	case CS_KEYPLAN_EPOCH:
		print_epoch(r);
		break;
	case CS_KEYPLAN_UNKNOWN:
		printf("unknown      %u waiting for a key that is not here\n",
		    r->n_in_flight);
		break;
	}
	return CS_OK;
}

cs_err
cs_keys_print_plan(struct cs_cli *cli)
{
	cs_err e;

	CS_TRY(cs_keyplan_run(cli->client, print, cli));
	if (!cli->json)
		puts("Epoch keys are destroyed by themselves at their date: "
		     "until then mail sealed to them\nmay be under way.");
out:
	return e;
}
