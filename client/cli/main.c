#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/cli/progress.h"
#include "client/cli/unlock.h"
#include "client/cli/verbs.h"
#include "keys/secret.h"

/* In the order of a case's way; help lists them so. */
static const struct cs_cli_verb *const verbs[] = {
	&cs_verb_join,
	&cs_verb_contacts,
	&cs_verb_send,
	&cs_verb_inbox,
	&cs_verb_read,
	&cs_verb_reply,
	&cs_verb_forward,
	&cs_verb_ack,
	&cs_verb_sent_extend,
	&cs_verb_sent,
	&cs_verb_withdraw,
	&cs_verb_case_list,
	&cs_verb_case_show,
	&cs_verb_case_find,
	&cs_verb_case_export,
	&cs_verb_case_close,
	&cs_verb_case_reopen,
	&cs_verb_case_purge,
	&cs_verb_case_hold,
	&cs_verb_case_release,
	&cs_verb_retention_run,
	&cs_verb_retention,
	&cs_verb_imaging_check,
	&cs_verb_imaging_import,
	&cs_verb_imaging_export,
	&cs_verb_imaging_fetch,
	&cs_verb_sync,
	&cs_verb_watch,
	&cs_verb_device_list,
	&cs_verb_device_invite,
	&cs_verb_device_revoke,
	&cs_verb_keys_plan,
	&cs_verb_keys_rotate,
	&cs_verb_keys_destroy,
	&cs_verb_keys_passphrase,
	&cs_verb_keys_export,
	&cs_verb_keys_import,
	&cs_verb_agent,
	&cs_verb_keys_witnesses,
	&cs_verb_keys_checkpoint,
	&cs_verb_keys_notices,
	&cs_verb_keys_confirm,
	&cs_verb_verify,
	&cs_verb_receipt_export,
};
#define N_VERBS (sizeof(verbs) / sizeof(*verbs))

static const struct cs_cli_verb *
find_verb(int argc, char *const *argv, int *ret_words)
{
	for (size_t i = 0; i < N_VERBS; i++) {
		*ret_words = cs_options_verb(verbs[i]->name, argc, argv);
		if (*ret_words > 0)
			return verbs[i];
	}
	return NULL;
}

static void
print_overview(FILE *to)
{
	fputs("Usage: consil VERB [OPTIONS]\n\n"
	      "Sealed case bundles to specialists and back.\n\n",
	    to);
	for (size_t i = 0; i < N_VERBS; i++)
		fprintf(to, "  %-15s  %s\n", verbs[i]->name, verbs[i]->summary);
	cs_present_overview_end(to, CS_CLI_NAME);
}

/* The verbs that begin with the word before --help; whether there are any. */
static bool
print_family(int argc, char *const *argv)
{
	bool any = false;

	for (size_t i = 0; i < N_VERBS; i++) {
		if (!cs_options_verb_begins(verbs[i]->name, argc, argv))
			continue;
		if (!any)
			printf("Usage: consil VERB [OPTIONS], where VERB is "
			       "one "
			       "of\n\n");
		any = true;
		printf("  %-15s  %s\n", verbs[i]->name, verbs[i]->summary);
	}
	if (any)
		puts("\n`consil VERB --help` says more.");
	return any;
}

static void
print_help(const struct cs_cli_verb *v)
{
	printf("Usage: consil %s%s%s [OPTIONS]\n\n%s.\n", v->name,
	    v->operands[0] ? " " : "", v->operands, v->summary);
	if (v->help[0])
		printf("\n%s\n", v->help);
	puts("\nOptions:");
	cs_present_options(v->options);
	if (v->more)
		cs_present_options(v->more);
	cs_present_options(cs_cli_common);
}

static cs_err
run_verb(struct cs_cli *cli, int argc, char **argv)
{
	const struct cs_option *const tables[] = { cli->verb->options,
		cs_cli_common, cli->verb->more, NULL };
	struct cs_options *options = NULL;
	size_t n;
	cs_err e;

	CS_TRY(cs_options_parse(argc, argv, tables, &cli->why, &options));
	cli->options = options;
	cli->json = cs_options_has(options, "json");
	n = cs_options_operands(options);
	if (cs_options_has(options, "help")) {
		print_help(cli->verb);
		goto out;
	}
	if (n < cli->verb->min_operands || n > cli->verb->max_operands) {
		cs_why_set(&cli->why, "`consil %s` takes %s", cli->verb->name,
		    cli->verb->operands[0] ? cli->verb->operands
					   : "options only");
		e = CS_USAGE;
		goto out;
	}
	if (cli->verb->needs_home) {
		CS_TRY(cs_unlock_client(cli));
		CS_TRY(cs_progress_begin(cli));
	}
	e = cli->verb->run(cli);
	cs_progress_end();
	CS_TRY(e);
	e = cs_present_flush(cs_cli_why(cli));
out:
	cs_options_free(options);
	return e;
}

/* LMDB reads its file as memory: where a page is said to be behind its end,
 * the file is cut or altered. Nothing was shown of what does not verify. */
static void
store_is_cut(int signo)
{
	static const char text[] =
	    CS_CLI_NAME ": the local store is damaged: its file was cut or "
			"altered; restore a backup\n" CS_CLI_NAME
			": see `consil keys import --help`\n";

	(void)signo;
	(void)!write(2, text, sizeof(text) - 1);
	_exit(CS_EXIT_IO);
}

int
main(int argc, char **argv)
{
	struct sigaction on_cut = { .sa_handler = store_is_cut };
	struct cs_cli cli = { 0 };
	int status, words = 0;
	cs_err e;

	if (cs_secret_process_init() != CS_OK) {
		cs_present_note(CS_CLI_NAME,
		    "this machine gives no safe memory");
		return CS_EXIT_IO;
	}
	if (argc < 2 || strcmp(argv[1], "--help") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		print_overview(argc < 2 ? stderr : stdout);
		return argc < 2 ? CS_EXIT_USAGE : CS_EXIT_OK;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("consil " CS_VERSION);
		return CS_EXIT_OK;
	}
	cli.verb = find_verb(argc - 1, argv + 1, &words);
	if (!cli.verb && print_family(argc - 1, argv + 1))
		return CS_EXIT_OK;
	if (!cli.verb) {
		cs_present_note(CS_CLI_NAME,
		    "there is no verb %s: see `consil --help`", argv[1]);
		return CS_EXIT_USAGE;
	}
	sigaction(SIGBUS, &on_cut, NULL);
	e = run_verb(&cli, argc - 1 - words, argv + 1 + words);
	cs_present_memory(CS_CLI_NAME);
	status =
	    cs_present_end(CS_CLI_NAME, cli.verb->name, cs_cli_why(&cli), e);
	cs_client_close(cli.client);
	return status;
}
