#include "client/confirm.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "client/present.h"

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
cs_confirm(const struct cs_options *options, const char *question,
    struct cs_why *why)
{
	bool yes = false;
	cs_err e;
	int tty;

	if (cs_options_has(options, "yes"))
		return CS_OK;
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0) {
		cs_why_set(why,
		    "no terminal to ask on; --yes says that you have read it");
		return CS_USAGE;
	}
	/* what was shown must be on the screen before the question */
	CS_TRY(cs_present_flush(why));
	CS_TRY(ask(tty, question, &yes));
	if (!yes) {
		cs_why_set(why, "nothing was done");
		e = CS_DENIED;
	}
out:
	close(tty);
	return e;
}
