#include "client/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* One line, byte by byte: stdio would leave copies in its buffer. */
static cs_err
read_line(int fd, struct cs_why *why, struct cs_secret **ret)
{
	struct cs_secret *line = NULL;
	size_t n = 0;
	cs_err e;

	CS_TRY(cs_secret_new(CS_PASSPHRASE_BYTES + 1, &line));
	for (;;) {
		uint8_t *at = cs_secret_mut(line) + n;
		ssize_t got = read(fd, at, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			e = errno == EBADF ? CS_USAGE : CS_IO;
			goto out;
		}
		if (got == 0 || *at == '\n')
			break;
		if (++n > CS_PASSPHRASE_BYTES) {
			cs_why_set(why, "passphrase over %d bytes",
			    CS_PASSPHRASE_BYTES);
			e = CS_TOO_LARGE;
			goto out;
		}
	}
	if (n == 0) {
		cs_why_set(why, "the passphrase is empty");
		e = CS_USAGE;
		goto out;
	}
	cs_secret_cut(line, n);
	*ret = line;
	line = NULL;
out:
	cs_secret_free(line);
	return e;
}

static cs_err
from_fd(const char *option, const char *text, struct cs_why *why,
    struct cs_secret **ret)
{
	char *end;
	long fd = strtol(text, &end, 10);
	cs_err e;

	if (*text == '\0' || *end != '\0' || fd < 0 || fd > 65535) {
		cs_why_set(why, "--%s %s: not a descriptor number", option,
		    text);
		return CS_USAGE;
	}
	e = read_line((int)fd, why, ret);
	if (e != CS_OK)
		cs_why_set(why,
		    "--%s %s: not open for reading: start with %s<FILE", option,
		    text, text);
	close((int)fd);
	return e;
}

cs_err
cs_passphrase_from_fd(const char *text, struct cs_why *why,
    struct cs_secret **ret)
{
	return from_fd("passphrase-fd", text, why, ret);
}

static void
put(int tty, const char *text)
{
	/* a prompt that is not seen is no reason to stop */
	if (write(tty, text, strlen(text)) < 0)
		return;
}

static cs_err
ask_once(int tty, const char *prompt, struct cs_why *why,
    struct cs_secret **ret)
{
	struct termios before, silent;
	cs_err e;

	if (tcgetattr(tty, &before) != 0)
		return CS_IO;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)ECHO;
	if (tcsetattr(tty, TCSAFLUSH, &silent) != 0)
		return CS_IO;
	put(tty, prompt);
	put(tty, ": ");
	e = read_line(tty, why, ret);
	put(tty, "\n");
	tcsetattr(tty, TCSAFLUSH, &before);
	return e;
}

cs_err
cs_passphrase_ask(const char *prompt, bool twice, struct cs_why *why,
    struct cs_secret **ret)
{
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct cs_secret *first = NULL, *second = NULL;
	cs_err e;

	if (tty < 0) {
		cs_why_set(why, "no terminal to ask for a passphrase: use "
				"--passphrase-fd N N<FILE");
		return CS_USAGE;
	}
	CS_TRY(ask_once(tty, prompt, why, &first));
	if (twice) {
		CS_TRY(ask_once(tty, "once more", why, &second));
		if (!cs_secret_eq(first, second)) {
			cs_why_set(why, "the two passphrases differ");
			e = CS_USAGE;
			goto out;
		}
	}
	*ret = first;
	first = NULL;
out:
	cs_secret_free(first);
	cs_secret_free(second);
	close(tty);
	return e;
}

cs_err
cs_passphrase_option(const struct cs_options *o, const char *option,
    const char *prompt, bool twice, struct cs_why *why, struct cs_secret **ret)
{
	const char *fd = cs_options_get(o, option);

	return fd ? from_fd(option, fd, why, ret)
		  : cs_passphrase_ask(prompt, twice, why, ret);
}
