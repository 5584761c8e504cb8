#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/unlock.h"
#include "client/cli/verbs.h"
#include "client/cli/verdict.h"
#include "client/evidence.h"
#include "keys/file.h"
#include "keys/fork.h"
#include "proto/armour.h"
#include "proto/forkproof.h"
#include "proto/receiptproof.h"
#include "proto/text.h"

#define MAX_FILE_BYTES (2u * CS_RECEIPTPROOF_MAX_BYTES)

static const struct cs_option options[] = {
	{ "network-id", CS_OPTION_ONE, "HEX",
	    "network that the file must be of: no home is needed, and only the "
	    "file's own certificates count" },
	{ "root", CS_OPTION_ONE, "FILE",
	    "the same, of the network that this file founds (genesis, or its "
	    "first entry)" },
	{ "offline", CS_OPTION_FLAG, NULL,
	    "compare with the directory as of the last sync" },
	{ 0 },
};

/* --------------------------------------------------------------- fork proof */

static cs_err
network_of(struct cs_cli *cli, uint8_t ret[static CS_NETWORK_ID_BYTES])
{
	const char *hex = cs_options_get(cli->options, "network-id");
	const char *root = cs_options_get(cli->options, "root");
	cs_err e;

	if (root)
		return cs_verdict_founded(cli, root, ret);
	if (!hex)
		return cs_client_network(cs_options_get(cli->options, "home"),
		    &cli->why, ret);
	e = cs_text_unhex(cs_bytes_str(hex), ret, CS_NETWORK_ID_BYTES);
	if (e != CS_OK) {
		cs_why_set(&cli->why, "%s is not 64 hex digits of a network id",
		    hex);
		e = CS_USAGE;
	}
	return e;
}

static bool
has_a_home(const struct cs_cli *cli)
{
	return !cs_options_has(cli->options, "network-id") &&
	       !cs_options_has(cli->options, "root");
}

static json_t *
json_checkpoint(const struct cs_checkpoint *cp)
{
	return json_pack("{s:I, s:o, s:o, s:o, s:I}", "entries",
	    (json_int_t)cp->size, "root",
	    cs_present_json_hex(CS_BYTES(cp->root)), "signed_at",
	    cs_present_json_time(cp->time_s), "incarnation",
	    cs_present_json_id(cp->incarnation), "counter",
	    (json_int_t)cp->counter);
}

static void
print_checkpoint(const struct cs_checkpoint *cp)
{
	char hex[2 * CS_HASH_BYTES + 1];

	cs_text_hex(CS_BYTES(cp->root), hex);
	printf("  %llu entries, root %s, signed ", (unsigned long long)cp->size,
	    hex);
	cs_present_time(cp->time_s);
	printf(" (store %llu)\n", (unsigned long long)cp->counter);
}

/* The certificate's name: what a leaf of the directory is compared by. */
static struct cs_bytes
entry_hash(const struct cs_certs_relay *relay,
    uint8_t hash[static CS_HASH_BYTES])
{
	crypto_hash_sha256(hash, relay->entry.p, relay->entry.n);
	return (struct cs_bytes){ hash, CS_HASH_BYTES };
}

static json_t *
json_certificate(const struct cs_certs_relay *relay)
{
	uint8_t hash[CS_HASH_BYTES];

	return json_pack("{s:o, s:o, s:o}", "entry",
	    cs_present_json_hex(entry_hash(relay, hash)), "relay_key",
	    cs_present_json_hex(CS_BYTES(relay->sign_key)), "registrar",
	    cs_present_json_id(relay->registrar));
}

static void
print_certificate(const struct cs_certs_relay *relay)
{
	char hex[2 * CS_HASH_BYTES + 1];
	uint8_t hash[CS_HASH_BYTES];

	cs_text_hex(entry_hash(relay, hash), hex);
	printf("  entry %s\n", hex);
	cs_text_hex(CS_BYTES(relay->sign_key), hex);
	printf("    for relay key %s, by registrar ", hex);
	cs_present_id(relay->registrar);
	puts("");
}

static bool
is_one_certificate(const struct cs_fork_verdict *v)
{
	return v->relay.entry.n == v->relay_a.entry.n &&
	       memcmp(v->relay.entry.p, v->relay_a.entry.p, v->relay.entry.n) ==
		   0; /* public */
}

static cs_err
print_json(const struct cs_fork_verdict *v, bool is_confirmed)
{
	return cs_present_json(json_pack("{s:s, s:s, s:b, s:s, s:o, s:o, s:o, "
					 "s:o, s:o, s:o, s:o, s:o}",
	    "kind", "fork proof", "verdict",
	    is_confirmed ? "proved" : "unproven", "proves", is_confirmed,
	    "what", v->same_log ? "two stores" : "two directories", "network",
	    cs_present_json_text(v->relay.network_name), "relay",
	    cs_present_json_id(v->relay.id), "relay_key",
	    cs_present_json_hex(CS_BYTES(v->relay.sign_key)), "registrar",
	    cs_present_json_id(v->relay.registrar), "certificate_a",
	    json_certificate(&v->relay_a), "certificate_b",
	    json_certificate(&v->relay), "a", json_checkpoint(&v->a), "b",
	    json_checkpoint(&v->b)));
}

static cs_err
print_proof(const struct cs_cli *cli, const struct cs_fork_verdict *v,
    bool is_confirmed)
{
	if (cli->json)
		return print_json(v, is_confirmed);
	printf(is_confirmed ? "proves: the relay of "
			    : "unproven: if its certificate is in the "
			      "directory, the relay of ");
	cs_present_text(v->relay.network_name, false);
	puts(v->same_log ? " ran two stores at once"
			 : " showed two directories that cannot be one");
	print_checkpoint(&v->a);
	print_checkpoint(&v->b);
	if (v->a.counter != v->b.counter)
		puts("Between them the store was restored from a backup: that "
		     "may be a loss of entries,\nnot intent. Ask the "
		     "registrar.");
	printf("The relay is ");
	cs_present_id(v->relay.id);
	puts(is_confirmed ? ", certified in the directory by"
			  : ", as far as the file goes, by");
	if (!is_one_certificate(v))
		print_certificate(&v->relay_a);
	print_certificate(&v->relay);
	return CS_OK;
}

/* A file that does not prove is one that is not worth more than its bearer. */
static const char *
not_proved(cs_err e)
{
	if (e == CS_NOT_FOUND)
		return "proves nothing: one log may have both checkpoints";
	if (e == CS_BAD_SIGNATURE)
		return "proves nothing: a signature in it does not verify";
	if (e == CS_WRONG_NETWORK)
		return "is of another network";
	return "proves nothing";
}

static const char *
not_confirmed(cs_err e)
{
	if (e == CS_EXPIRED)
		return "proves nothing: the relay had changed that key by then";
	if (e == CS_REVOKED)
		return "proves nothing: the relay was revoked by then";
	return "proves nothing: its relay certificate is not in the directory";
}

/* Holds it against the mirror of this home. That the relay contradicts the
 * mirror now is no hindrance: it is what the file says. */
static cs_err
confirm(struct cs_cli *cli, const char *path, const struct cs_fork_verdict *v)
{
	cs_err e;

	CS_TRY(cs_unlock_client(cli));
	if (!cs_options_has(cli->options, "offline")) {
		e = cs_client_connect(cli->client, CS_CLI_WAIT_MS);
		if (e != CS_FORKED)
			CS_TRY(cs_cli_without_relay(cli, e,
			    "judged by the directory as of the last sync"));
	}
	e = cs_fork_confirm(cs_client_directory(cli->client), v);
	if (e != CS_OK) {
		cs_why_set(cs_cli_why(cli), "%s: %s", path, not_confirmed(e));
		e = e == CS_NOT_FOUND ? CS_BAD_SIGNATURE : e;
	}
out:
	return e;
}

static cs_err
leave_open(struct cs_cli *cli, const char *path)
{
	cs_why_set(&cli->why,
	    "%s: whoever ever had a registrar's key can make such a "
	    "certificate: verify it with a home of the network, without "
	    "--network-id",
	    path);
	return CS_UNPROVEN;
}

static cs_err
verify_proof(struct cs_cli *cli, const char *path, struct cs_bytes text)
{
	const bool has_home = has_a_home(cli);
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	struct cs_fork_verdict verdict;
	struct cs_buf binary = { 0 };
	cs_err e;

	CS_TRY(network_of(cli, network_id));
	e = cs_armour_decode(CS_FORKPROOF_ARMOUR, text, &binary);
	if (e == CS_OK)
		e = cs_fork_check(cs_buf_view(&binary), network_id, &verdict);
	if (e != CS_OK) {
		cs_why_set(&cli->why, "%s: %s", path, not_proved(e));
		e = e == CS_NOT_FOUND ? CS_BAD_SIGNATURE : e;
	}
	CS_TRY(e);
	if (has_home)
		CS_TRY(confirm(cli, path, &verdict));
	CS_TRY(print_proof(cli, &verdict, has_home));
	e = has_home ? CS_OK : leave_open(cli, path);
out:
	cs_buf_fini(&binary);
	return e;
}

/* ------------------------------------------------------------ receipt proof */

static cs_err
verify_receipts(struct cs_cli *cli, const char *path, struct cs_bytes text)
{
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	const struct cs_directory *own = NULL;
	cs_err e;

	CS_TRY(network_of(cli, network_id));
	if (has_a_home(cli)) {
		CS_TRY(cs_unlock_client(cli));
		if (!cs_options_has(cli->options, "offline"))
			CS_TRY(cs_cli_without_relay(cli,
			    cs_client_connect(cli->client, CS_CLI_WAIT_MS),
			    "judged by the directory as of the last sync"));
		own = cs_client_directory(cli->client);
	}
	CS_TRY(cs_verdict_judge(cli, path, text, network_id, own));
out:
	return e;
}

/* --------------------------------------------------------------- checkpoint */

static cs_err
print_same(const struct cs_cli *cli, const struct cs_checkpoint *cp)
{
	if (cli->json)
		return cs_present_json(json_pack("{s:s, s:b, s:o}", "kind",
		    "checkpoint", "agrees", 1, "checkpoint",
		    json_checkpoint(cp)));
	puts("agrees: it is of the directory that the relay shows here");
	print_checkpoint(cp);
	return CS_OK;
}

/* What they were shown is not what we were shown. */
static cs_err
accuse(struct cs_cli *cli, const char *path, const struct cs_checkpoint *cp)
{
	struct cs_why *why = cs_cli_why(cli);
	char proof[CS_HOME_PATH_BYTES];

	if (cs_evidence_fork(cs_client_home(cli->client),
		cs_client_directory(cli->client),
		cs_client_checkpoint(cli->client), cp, NULL, proof) == CS_OK)
		cs_why_set(why,
		    "%s: the relay showed another directory there than here; "
		    "the proof is %s: give it to the registrar",
		    path, proof);
	else
		cs_why_set(why,
		    "%s: the relay showed another directory there than here",
		    path);
	return CS_FORKED;
}

static cs_err
verify_note(struct cs_cli *cli, const char *path, struct cs_bytes note)
{
	struct cs_checkpoint cp;
	cs_err e;

	CS_TRY(cs_unlock_client(cli));
	if (!cs_options_has(cli->options, "offline"))
		CS_TRY(cs_cli_without_relay(cli,
		    cs_client_connect(cli->client, CS_CLI_WAIT_MS),
		    "compared with the directory as of the last sync"));
	e = cs_directory_read_note(cs_client_directory(cli->client), note, &cp);
	if (e != CS_OK)
		cs_why_set(cs_cli_why(cli),
		    "%s: not a checkpoint by the relay of this network", path);
	CS_TRY(e);
	e = cs_directory_compare(cs_client_directory(cli->client), &cp);
	if (e == CS_FORKED)
		return accuse(cli, path, &cp);
	if (e == CS_STALE)
		cs_why_set(cs_cli_why(cli),
		    "%s: is of %llu entries, the relay shows %llu here: sync "
		    "and verify again; if it stays so, the relay hides entries",
		    path, (unsigned long long)cp.size,
		    (unsigned long long)cs_client_checkpoint(cli->client)
			->size);
	CS_TRY(e);
	CS_TRY(print_same(cli, &cp));
out:
	return e;
}

/* ------------------------------------------------------------------- public */

/* How each kind of file is known. */
static const struct {
	const char *mark;
	cs_err (*verify)(struct cs_cli *cli, const char *path,
	    struct cs_bytes text);
} kinds[] = {
	{ "-----BEGIN " CS_FORKPROOF_ARMOUR "-----", verify_proof },
	{ "-----BEGIN " CS_RECEIPTPROOF_ARMOUR "-----", verify_receipts },
	{ "consil/directory/", verify_note },
};

static bool
has_mark(struct cs_bytes text, const char *mark)
{
	return memmem(text.p, text.n, mark, strlen(mark)) != NULL;
}

static cs_err
run(struct cs_cli *cli)
{
	const char *path = cs_options_operand(cli->options, 0);
	struct cs_buf text = { 0 };
	cs_err e;

	e = cs_file_read(path, MAX_FILE_BYTES, false, &text);
	if (e != CS_OK)
		cs_why_set(&cli->why, "%s", path);
	CS_TRY(e);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (text.n > 0 && has_mark(cs_buf_view(&text), kinds[i].mark)) {
			e = kinds[i].verify(cli, path, cs_buf_view(&text));
			goto out;
		}
	}
	cs_why_set(&cli->why,
	    "%s is no fork proof, receipt proof or checkpoint", path);
	e = CS_MALFORMED;
out:
	cs_buf_fini(&text);
	return e;
}

const struct cs_cli_verb cs_verb_verify = {
	.name = "verify",
	.operands = "FILE",
	.summary = "judge a proof against the relay, or compare a checkpoint",
	.help =
	    "A fork proof (from a home's evidence folder) is held against "
	    "the directory of the home: the\nrelay's certificates in it must "
	    "be there. With --network-id alone only its form is judged: it\n"
	    "is unproven until somebody finds the certificate that is named "
	    "in the directory.\nA checkpoint (`consil keys checkpoint -o`) "
	    "is compared with\nthe directory that the relay shows here. A "
	    "receipt proof (`consil receipt export`) is judged\nstatement by "
	    "statement, by what it has of the directory and, in a home, by the "
	    "directory itself,\nwhich knows of revocations that a file may "
	    "leave out. Times are the relay's clock, between two of\nits "
	    "checkpoints. Exit code 0: it proves, it agrees, all is valid; 4: "
	    "it does not; 3: not decided\n(a fork proof without a home, "
	    "statements that are good but whose time is not shown, no such "
	    "file).",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
