#include "client/cli/confirm.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static cs_err
ask(int tty, const char *question, bool *ret_yes)
{
	char answer[16];
	ssize_t n;

	if (write(tty, question, strlen(question)) < 0 ||
	    write(tty, " [yes/no] ", 10) < 0)
		return CS_IO;
	n = read(tty, answer, sizeof(answer));
	if (n < 0)
		return CS_IO;
	/* public */
	*ret_yes = n == 4 && memcmp(answer, "yes\n", 4) == 0;
	return CS_OK;
}

cs_err
cs_confirm_ask(struct cs_cli *cli, const char *question)
{
	bool yes = false;
	cs_err e;
	int tty;

	if (cs_options_has(cli->options, "yes"))
		return CS_OK;
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0) {
		cs_why_set(cs_cli_why(cli),
		    "no terminal to ask on; --yes does it without asking");
		return CS_USAGE;
	}
	/* what was shown must be on the screen before the question */
	CS_TRY(fflush(stdout) == 0 ? CS_OK : CS_IO);
	CS_TRY(ask(tty, question, &yes));
	if (!yes) {
		cs_why_set(cs_cli_why(cli), "nothing was purged");
		e = CS_DENIED;
	}
out:
	close(tty);
	return e;
}
