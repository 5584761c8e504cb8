#include "client/cli/verdict.h"

#include <stdio.h>
#include <string.h>

#include "client/present.h"
#include "keys/file.h"
#include "keys/judge.h"
#include "proto/armour.h"
#include "proto/base/cursor.h"
#include "proto/entry.h"
#include "proto/field.h"

#define MAX_ROOT_BYTES (1u << 20)

static const char *
fact_name(const struct cs_judge_item *item)
{
	static const char *const names[] = {
		[CS_FACT_CUSTODY] = "custody",
		[CS_FACT_DELIVERED] = "delivered",
		[CS_FACT_OPENED] = "opened",
		[CS_FACT_ACKNOWLEDGED] = "acknowledged",
		[CS_FACT_OUTCOME] = "outcome",
		[CS_FACT_ACK] = "fetched",
		[CS_FACT_WITHDRAW] = "withdrawn",
		[CS_FACT_PURGED] = "purged",
	};
	const size_t fact = item->st.fact;

	if (item->how == CS_RECEIPTPROOF_SENDER)
		return "message";
	return fact > 0 && fact < sizeof(names) / sizeof(*names) && names[fact]
		   ? names[fact]
		   : "statement";
}

/* What it says besides, in a word; NULL. */
static const char *
detail(const struct cs_judge_item *item)
{
	if (item->how == CS_RECEIPTPROOF_SENDER)
		return NULL;
	if (item->st.fact == CS_FACT_OUTCOME)
		return cs_statement_outcome_name(item->st.outcome);
	if (item->st.fact == CS_FACT_DELIVERED)
		return cs_statement_result_name(item->st.result);
	if (item->st.fact == CS_FACT_ACKNOWLEDGED)
		return item->st.responsibility ? "takes responsibility"
					       : "without responsibility";
	if (item->st.fact == CS_FACT_PURGED)
		return cs_statement_purged_name(item->st.purged_by);
	return NULL;
}

static json_t *
json_bound(bool is, uint64_t time_s)
{
	return is ? cs_present_json_time(time_s) : json_null();
}

static json_t *
json_why(const char *why)
{
	return why ? json_string(why) : json_null();
}

static bool
is_custody(const struct cs_judge_item *item)
{
	return item->how == CS_RECEIPTPROOF_LOGGED &&
	       item->st.fact == CS_FACT_CUSTODY;
}

static const uint8_t *
subject_device(const struct cs_judge_item *item)
{
	return item->how != CS_RECEIPTPROOF_SENDER &&
		       item->st.fact == CS_FACT_OUTCOME
		   ? item->st.recipient_device
		   : item->st.signer_device;
}

static cs_err
print_json(const struct cs_judge_item *item)
{
	const char *what = detail(item);

	return cs_present_json(json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, "
					 "s:o, s:o, s:o, s:o}",
	    "kind", "statement", "what", fact_name(item), "verdict",
	    cs_judge_name(item->verdict), "why", json_why(item->why), "says",
	    what ? json_string(what) : json_null(), "device",
	    cs_present_json_id(subject_device(item)), "address",
	    item->address.n ? cs_present_json_text(item->address) : json_null(),
	    "claims", cs_present_json_time(item->st.time_s), "after",
	    json_bound(item->has_before, item->before_s), "before",
	    json_bound(item->has_after, item->after_s), "kept_until",
	    json_bound(is_custody(item), item->st.stored_until_s)));
}

/* An interval by the relay's clock, never a time. */
static void
print_interval(const struct cs_judge_item *item)
{
	if (!item->has_after) {
		puts("    at a time that nothing shows");
		return;
	}
	if (item->has_before) {
		fputs("    between ", stdout);
		cs_present_time(item->before_s);
		fputs(" and ", stdout);
	} else {
		fputs("    not later than ", stdout);
	}
	cs_present_time(item->after_s);
	puts(", by the relay's clock");
}

static cs_err
print_item(void *ctx, const struct cs_judge_item *item)
{
	const struct cs_cli *cli = ctx;
	const char *what = detail(item);

	if (cli->json)
		return print_json(item);
	printf("%s: %s", fact_name(item), cs_judge_name(item->verdict));
	if (item->why)
		printf(" (%s)", item->why);
	puts("");
	fputs("    ", stdout);
	if (what)
		printf("%s, ", what);
	if (item->address.n > 0) {
		fputs("by ", stdout);
		cs_present_text(item->address, false);
		fputs(", device ", stdout);
	} else if (item->how == CS_RECEIPTPROOF_LOGGED) {
		fputs(item->st.fact == CS_FACT_OUTCOME
			  ? "by the relay, of device "
			  : "by the relay ",
		    stdout);
	} else {
		fputs("by device ", stdout);
	}
	cs_present_id(subject_device(item));
	if (is_custody(item)) {
		fputs(", kept until ", stdout);
		cs_present_time(item->st.stored_until_s);
	}
	puts("");
	print_interval(item);
	return CS_OK;
}

/* ---------------------------------------------------------------------- whole
 */

static cs_err
print_silence(const struct cs_cli *cli, const struct cs_judge *j)
{
	if (j->silence == 0)
		return CS_OK;
	if (cli->json)
		return cs_present_json(json_pack("{s:s, s:s, s:o, s:o, s:I, "
						 "s:I}",
		    "kind", "silence", "verdict", cs_judge_name(j->silence),
		    "why", json_why(j->silence_why), "at",
		    cs_present_json_time(j->silence_s), "devices",
		    (json_int_t)j->n_recipients, "bound",
		    (json_int_t)j->n_bound));
	printf("no acknowledgement: %s", cs_judge_name(j->silence));
	if (j->silence_why)
		printf(" (%s)", j->silence_why);
	puts("");
	if (j->silence == CS_VERDICT_INVALID)
		return CS_OK;
	fputs("    in the receipt log of ", stdout);
	cs_present_time(j->silence_s);
	puts(", by the relay's clock");
	printf("    of %u devices %u have stated themselves which message they "
	       "got; for the others that is\n    the sender's word\n",
	    j->n_recipients, j->n_bound);
	return CS_OK;
}

static cs_err
print_whole(const struct cs_cli *cli, const struct cs_judge *j)
{
	const struct cs_receiptproof *p = &j->proof;

	if (cli->json)
		return cs_present_json(json_pack("{s:s, s:s, s:o, s:o, s:o, "
						 "s:o, s:o, s:I, s:b, s:b}",
		    "kind", "receipt proof", "verdict",
		    cs_judge_name(j->verdict), "why", json_why(j->why),
		    "network",
		    cs_present_json_text(cs_bytes_str(j->network_name)),
		    "message", cs_present_json_id(p->envelope_id),
		    "sha512_of_manifest",
		    cs_present_json_hex(CS_BYTES(p->m_hash)), "directory_at",
		    cs_present_json_time(p->seen.time_s), "directory_entries",
		    (json_int_t)p->seen.size, "directory_checked",
		    (int)j->is_own, "directory_older", (int)j->is_own_old));
	printf("%s: message ", cs_judge_name(j->verdict));
	cs_present_id(p->envelope_id);
	if (j->network_name[0] != '\0') {
		fputs(" of ", stdout);
		cs_present_text(cs_bytes_str(j->network_name), false);
	}
	puts("");
	if (j->is_own) {
		puts("Keys were judged by the directory of this home.");
	} else {
		printf("Keys were judged by what the file has of the "
		       "directory: %llu entries, as of ",
		    (unsigned long long)p->seen.size);
		cs_present_time(p->seen.time_s);
		puts(j->is_own_old
			 ? ".\nThis home has an older one: sync and verify "
			   "again."
			 : ".\nNot checked: whether a key was revoked later, "
			   "or whoever has had a registrar's key made\na "
			   "directory of his own. A home of the network checks "
			   "that.");
	}
	return CS_OK;
}

static cs_err
say(struct cs_cli *cli, const char *path, const struct cs_judge *j)
{
	if (j->verdict == CS_VERDICT_VALID)
		return CS_OK;
	if (j->why)
		cs_why_set(cs_cli_why(cli), "%s: %s", path, j->why);
	else
		cs_why_set(cs_cli_why(cli), "%s: %s", path,
		    j->verdict == CS_VERDICT_INVALID
			? "something in it does not hold"
			: "good, but when is not shown of all of it");
	return j->verdict == CS_VERDICT_INVALID ? CS_BAD_SIGNATURE
						: CS_UNPROVEN;
}

cs_err
cs_verdict_judge(struct cs_cli *cli, const char *path, struct cs_bytes text,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_directory *own)
{
	struct cs_buf binary = { 0 };
	struct cs_judge j;
	cs_err e;

	e = cs_armour_decode(CS_RECEIPTPROOF_ARMOUR, text, &binary);
	if (e == CS_OK)
		e = cs_judge_run(cs_buf_view(&binary), network_id, own,
		    print_item, cli, &j);
	if (e != CS_OK) {
		cs_why_set(cs_cli_why(cli),
		    e == CS_WRONG_NETWORK ? "%s is of another network"
					  : "%s is damaged or no receipt proof",
		    path);
		e = e == CS_TOO_LARGE ? CS_MALFORMED : e;
		goto out;
	}
	CS_TRY(print_silence(cli, &j));
	CS_TRY(print_whole(cli, &j));
	CS_TRY(say(cli, path, &j));
out:
	cs_buf_fini(&binary);
	return e;
}

/* ----------------------------------------------------------------------- root
 */

cs_err
cs_verdict_founded(struct cs_cli *cli, const char *path,
    uint8_t ret[static CS_NETWORK_ID_BYTES])
{
	struct cs_buf file = { 0 };
	struct cs_entry entry;
	struct cs_cursor c;
	struct cs_bytes first;
	cs_err e;

	CS_TRY(cs_file_read(path, MAX_ROOT_BYTES, false, &file));
	c = cs_cursor_new(cs_buf_view(&file));
	first = cs_field_var32(&c);
	if (cs_cursor_err(&c) != CS_OK)
		first = cs_buf_view(&file);
	CS_TRY(cs_entry_decode(first, &entry));
	CS_TRY(entry.type == CS_ENTRY_ROOT ? CS_OK : CS_MALFORMED);
	cs_entry_network_id(&entry, ret);
out:
	if (e != CS_OK)
		cs_why_set(cs_cli_why(cli), "root file %s", path);
	cs_buf_fini(&file);
	return e;
}
