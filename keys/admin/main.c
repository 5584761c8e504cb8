/*
 * consil-admin: founds a network, admits practices, invites members. Only
 * here and in the verbs it talks and ends.
 */
#include <stdio.h>
#include <string.h>

#include "keys/admin/admin.h"
#include "keys/admin/verbs.h"
#include "keys/secret.h"

/* In the order of a network's life; help lists them so. */
static const struct cs_admin_verb *const verbs[] = {
	&cs_verb_init,
	&cs_verb_org_template,
	&cs_verb_org_vet,
	&cs_verb_waive,
	&cs_verb_waive_cosign,
	&cs_verb_org_list,
	&cs_verb_org_show,
	&cs_verb_invite_list,
	&cs_verb_invite_revoke,
	&cs_verb_invite,
	&cs_verb_members,
	&cs_verb_members_update,
	&cs_verb_devices,
	&cs_verb_revoke,
	&cs_verb_roster_group_set,
	&cs_verb_roster_group_add,
	&cs_verb_roster_group_remove,
	&cs_verb_roster_group_close,
	&cs_verb_rosters_group_list,
	&cs_verb_rosters_group_history,
	&cs_verb_roster_service_set,
	&cs_verb_roster_service_add,
	&cs_verb_roster_service_remove,
	&cs_verb_roster_service_close,
	&cs_verb_rosters_service_list,
	&cs_verb_rosters_service_history,
	&cs_verb_status,
	&cs_verb_root_new,
	&cs_verb_root_sign,
	&cs_verb_root_apply,
	&cs_verb_root_show,
	&cs_verb_registrar_new,
	&cs_verb_rotate_root,
	&cs_verb_rotate_registrar,
	&cs_verb_rotate_relay,
	&cs_verb_policy_set,
	&cs_verb_passphrase,
	&cs_verb_keyring_export,
	&cs_verb_keyring_import,
	&cs_verb_witnessing_new,
	&cs_verb_witness_add,
	&cs_verb_witnessing_run,
	&cs_verb_witness_list,
	&cs_verb_witness_remove,
	&cs_verb_audit_note,
	&cs_verb_auditexport,
	&cs_verb_audit_check,
	&cs_verb_audit_show,
	&cs_verb_auditpack,
};
#define N_VERBS (sizeof(verbs) / sizeof(*verbs))

static const struct cs_admin_verb *
find_verb(int argc, char *const *argv, int *ret_words)
{
	for (size_t i = 0; i < N_VERBS; i++) {
		*ret_words = cs_options_verb(verbs[i]->name, argc, argv);
		if (*ret_words == 0)
			*ret_words =
			    cs_options_verb(verbs[i]->alias, argc, argv);
		if (*ret_words > 0)
			return verbs[i];
	}
	return NULL;
}

static void
print_overview(FILE *to)
{
	fputs("Usage: consil-admin [--network DIR] VERB [OPTIONS]\n\n"
	      "Founds a network, admits practices, invites members.\n\n",
	    to);
	for (size_t i = 0; i < N_VERBS; i++)
		fprintf(to, "  %-16s %s\n", verbs[i]->name, verbs[i]->summary);
	cs_present_overview_end(to, CS_ADMIN_NAME);
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
			printf("Usage: consil-admin VERB [OPTIONS], where VERB "
			       "is one "
			       "of\n\n");
		any = true;
		printf("  %-16s %s\n", verbs[i]->name, verbs[i]->summary);
	}
	if (any)
		puts("\n`consil-admin VERB --help` says more.");
	return any;
}

static void
print_help(const struct cs_admin_verb *v)
{
	printf("Usage: consil-admin %s%s%s%s [OPTIONS]\n\n%s.\n",
	    v->needs_network ? "--network DIR " : "", v->name,
	    v->operands[0] ? " " : "", v->operands, v->summary);
	if (v->help[0])
		printf("\n%s\n", v->help);
	puts("\nOptions:");
	cs_present_options(v->options);
	cs_present_options(cs_admin_common);
}

static cs_err
check_line(struct cs_admin *admin, const char *dir)
{
	const struct cs_admin_verb *v = admin->verb;
	size_t n = cs_options_operands(admin->options);
	const char *given = cs_options_get(admin->options, "network");

	admin->json = cs_options_has(admin->options, "json");
	admin->dir = given ? given : dir;
	if (n < v->min_operands || n > v->max_operands) {
		cs_why_set(&admin->why, "`consil-admin %s` takes %s", v->name,
		    v->operands[0] ? v->operands : "options only");
		return CS_USAGE;
	}
	if (v->needs_network && !admin->dir) {
		cs_why_set(&admin->why,
		    "--network DIR is missing: the folder that `consil-admin "
		    "init` made");
		return CS_USAGE;
	}
	return CS_OK;
}

static cs_err
run_verb(struct cs_admin *admin, const char *dir, int argc, char **argv)
{
	const struct cs_option *const tables[] = { admin->verb->options,
		cs_admin_common, NULL };
	struct cs_options *options = NULL;
	cs_err e;

	CS_TRY(cs_options_parse(argc, argv, tables, &admin->why, &options));
	admin->options = options;
	if (cs_options_has(options, "help")) {
		print_help(admin->verb);
		goto out;
	}
	CS_TRY(check_line(admin, dir));
	CS_TRY(admin->verb->run(admin));
	e = cs_present_flush(&admin->why);
out:
	cs_options_free(options);
	return e;
}

/* --network before the verb; moves past it. */
static const char *
take_network(int *argc, char ***argv)
{
	static const char option[] = "--network";
	const char *dir = NULL;

	if (*argc > 1 && strcmp(**argv, option) == 0) {
		dir = (*argv)[1];
		*argc -= 2;
		*argv += 2;
	} else if (*argc > 0 &&
		   strncmp(**argv, "--network=", sizeof(option)) == 0) {
		dir = **argv + sizeof(option);
		*argc -= 1;
		*argv += 1;
	}
	return dir;
}

int
main(int argc, char **argv)
{
	struct cs_admin admin = { 0 };
	const char *dir;
	int words = 0;
	cs_err e;

	if (cs_secret_process_init() != CS_OK) {
		cs_present_note(CS_ADMIN_NAME,
		    "this machine gives no safe memory");
		return CS_EXIT_IO;
	}
	argc--;
	argv++;
	dir = take_network(&argc, &argv);
	if (argc == 0 || strcmp(argv[0], "--help") == 0 ||
	    strcmp(argv[0], "help") == 0) {
		print_overview(argc == 0 ? stderr : stdout);
		return argc == 0 ? CS_EXIT_USAGE : CS_EXIT_OK;
	}
	if (strcmp(argv[0], "--version") == 0) {
		puts("consil-admin " CS_VERSION);
		return CS_EXIT_OK;
	}
	admin.verb = find_verb(argc, argv, &words);
	if (!admin.verb && print_family(argc, argv))
		return CS_EXIT_OK;
	if (!admin.verb) {
		cs_present_note(CS_ADMIN_NAME,
		    "there is no verb %s: see `consil-admin --help`", argv[0]);
		return CS_EXIT_USAGE;
	}
	e = run_verb(&admin, dir, argc - words, argv + words);
	cs_present_memory(CS_ADMIN_NAME);
	return cs_present_end(CS_ADMIN_NAME, admin.verb->name, &admin.why, e);
}
