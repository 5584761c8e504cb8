#include "client/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/held.h"
#include "client/marks.h"
#include "client/notices.h"
#include "client/sync.h"
#include "proto/text.h"

const struct cs_option cs_cli_common[] = {
	{ "home", CS_OPTION_ONE, "DIR",
	    "home of this device (default $CONSIL_HOME, else the XDG data "
	    "directory)" },
	{ "passphrase-fd", CS_OPTION_ONE, "N",
	    "read the passphrase from descriptor N instead of the terminal" },
	{ "limit-rate", CS_OPTION_ONE, "RATE",
	    "let attachments take no more of the line: bytes a second, as in "
	    "500K or 2M" },
	{ "json", CS_OPTION_FLAG, NULL, "one JSON object a line" },
	{ "help", CS_OPTION_FLAG, NULL, "this text" },
	{ 0 },
};

struct cs_why *
cs_cli_why(struct cs_cli *cli)
{
	return cli->client ? cs_client_why(cli->client) : &cli->why;
}

cs_err
cs_cli_read_text(struct cs_cli *cli, const char *path, size_t max,
    struct cs_buf *ret)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? 0 : open(path, O_RDONLY | O_CLOEXEC);
	cs_err e = CS_OK;

	if (fd < 0) {
		cs_why_set(cs_cli_why(cli), "%s: %s", path, strerror(errno));
		return errno == ENOENT ? CS_NOT_FOUND : CS_IO;
	}
	for (;;) {
		uint8_t *to = cs_buf_extend(ret, 4096);
		ssize_t n = to ? read(fd, to, 4096) : -1;

		CS_TRY(cs_buf_err(ret));
		ret->n -= 4096 - (n > 0 ? (size_t)n : 0);
		if (n < 0) {
			cs_why_set(cs_cli_why(cli), "%s: %s", path,
			    strerror(errno));
			e = CS_IO;
			goto out;
		}
		if (n == 0)
			break;
		if (ret->n > max) {
			cs_why_set(cs_cli_why(cli),
			    "%s: more than %zu bytes of text: attach it "
			    "instead",
			    path, max);
			e = CS_TOO_LARGE;
			goto out;
		}
	}
	if (!cs_text_is_utf8(cs_buf_view(ret))) {
		cs_why_set(cs_cli_why(cli),
		    "%s is not UTF-8 text: attach it instead", path);
		e = CS_USAGE;
	}
out:
	if (!is_stdin)
		close(fd);
	return e;
}

cs_err
cs_cli_without_relay(struct cs_cli *cli, cs_err e, const char *instead)
{
	const char *why = cs_cli_why(cli)->text;

	if (e == CS_OK || cs_err_exit_code(e) != CS_EXIT_BUSY)
		return e;
	cs_present_note(CS_CLI_NAME, "%s: %s", instead,
	    why[0] ? why : cs_err_text(e));
	cs_why_clear(cs_cli_why(cli));
	return CS_OK;
}

struct naming {
	const struct cs_cli *cli;
};

static cs_err
name_claim(void *ctx, const uint8_t device_id[static CS_ID_BYTES], uint64_t seq)
{
	const struct cs_cli *cli = ((struct naming *)ctx)->cli;
	struct cs_directory_device device;
	struct cs_buf who = { 0 };

	if (cs_directory_device(cs_client_directory(cli->client), device_id,
		&device) == CS_OK)
		cs_client_put_address(cli->client, device.member, &who);
	cs_present_note(CS_CLI_NAME,
	    "  %.*s says that the relay stated number %llu to them", (int)who.n,
	    who.n ? (const char *)who.p : "", (unsigned long long)seq);
	cs_buf_fini(&who);
	return CS_OK;
}

/* Each by name: one may lie, and hides nobody else's word. */
static void
warn_withheld(const struct cs_cli *cli, uint64_t n)
{
	struct naming ctx = { cli };

	cs_present_note(CS_CLI_NAME,
	    "the relay withholds messages, even the last: it does not show "
	    "%llu "
	    "items of this mailbox for which a sender says to hold its "
	    "receipt; ask your senders by telephone, tell the registrar",
	    (unsigned long long)n);
	if (cs_marks_claims(cli->client, name_claim, &ctx) != CS_OK)
		cs_present_note(CS_CLI_NAME, "  who says so cannot be read");
}

void
cs_cli_warn(const struct cs_cli *cli, const struct cs_sync_report *report)
{
	struct cs_notices_count notices = { 0 };

	if (cs_notices_count(cli->client, &notices) == CS_OK &&
	    notices.unconfirmed > 0)
		cs_present_note(CS_CLI_NAME,
		    "%u entries about you in the directory await your "
		    "confirmation, nothing is sent until then: see `consil "
		    "keys notices`",
		    notices.unconfirmed);
	if (notices.unseen > 0)
		cs_present_note(CS_CLI_NAME,
		    "the directory says something new about you: see `consil "
		    "keys notices`");
	if (report->expiring > 0)
		cs_present_note(CS_CLI_NAME,
		    "%u that do not open yet will soon be deleted by the relay "
		    "(`consil inbox` says when): ask their senders to send "
		    "them again",
		    report->expiring);
	if (report->restored)
		cs_present_note(CS_CLI_NAME,
		    "the relay's store was restored from a backup: what came "
		    "to it after that backup and was not fetched is lost there "
		    "(its senders are told at their deadline); what is here "
		    "stays");
	if (report->withheld > 0)
		warn_withheld(cli, report->withheld);
	if (report->contradicted > 0)
		cs_present_note(CS_CLI_NAME,
		    "%u came from members to whom the relay stated another "
		    "mailbox than it shows here: it shows two, or they lie; "
		    "compare their custody receipts (`consil receipt export`), "
		    "see %s/" CS_HOME_EVIDENCE ", tell the registrar",
		    report->contradicted,
		    cs_home_dir(cs_client_home(cli->client)));
	if (report->disputed > 0)
		cs_present_note(CS_CLI_NAME,
		    "%u came from members who say they saw another directory "
		    "than the relay shows here: it hides entries or shows two "
		    "directories, or they lie; compare with them by telephone "
		    "(`consil keys checkpoint`), see %s/" CS_HOME_EVIDENCE ", "
		    "`consil verify` judges the proofs there",
		    report->disputed, cs_home_dir(cs_client_home(cli->client)));
}

cs_err
cs_cli_collect_report(struct cs_cli *cli, const char *instead,
    struct cs_sync_report *ret)
{
	struct cs_sync_report report = { 0 };
	cs_err e =
	    cs_sync_run(cli->client, CS_CLI_WAIT_MS, NULL, NULL, &report);

	cs_cli_warn(cli, &report);
	*ret = report;
	return cs_cli_without_relay(cli, e, instead);
}

cs_err
cs_cli_collect(struct cs_cli *cli, const char *instead)
{
	struct cs_sync_report report;

	return cs_cli_collect_report(cli, instead, &report);
}

cs_err
cs_cli_deliver(struct cs_cli *cli, const char *what)
{
	struct cs_sync_report report = { 0 };
	char instead[128];

	snprintf(instead, sizeof(instead),
	    "%s is queued, `consil sync` or `consil watch` will deliver it",
	    what);
	return cs_cli_without_relay(cli,
	    cs_sync_deliver(cli->client, CS_CLI_WAIT_MS, &report), instead);
}

/* "14:32", or with its day where that is another one. */
static void
clock_text(uint64_t time_s, char ret[static 32])
{
	const time_t t = (time_t)time_s, now = (time_t)cs_client_now();
	struct tm then = { 0 }, today = { 0 };

	localtime_r(&t, &then);
	localtime_r(&now, &today);
	strftime(ret, 32,
	    then.tm_yday == today.tm_yday ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S",
	    &then);
}

void
cs_cli_held(struct cs_cli *cli)
{
	struct cs_held_state held = { 0 };
	char until[32];

	if (cs_held_look(cs_client_local(cli->client), cs_client_now(),
		&held) != CS_OK ||
	    held.n_receipts == 0)
		return;
	clock_text(held.until_s, until);
	cs_present_note(CS_CLI_NAME,
	    "%u receipts wait, so that the relay does not learn when you read; "
	    "the last leaves at %s with `consil watch`, else with the next "
	    "contact after that; all of them at once with `consil sync --now`",
	    held.n_receipts, until);
}
