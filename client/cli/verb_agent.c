#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/agent.h"
#include "client/agentd.h"
#include "client/cli/unlock.h"
#include "client/cli/verbs.h"

#define TIMEOUT_S     3600
#define TIMEOUT_MAX_S 86400

static const struct cs_option options[] = {
	{ "timeout", CS_OPTION_ONE, "TIME",
	    "lock after so long without use: 90s, 30m, 8h (default 60m, at "
	    "most 24h)" },
	{ "lock", CS_OPTION_FLAG, NULL, "make the agent forget the key" },
	{ "stop", CS_OPTION_FLAG, NULL, "make it forget the key and end" },
	{ "status", CS_OPTION_FLAG, NULL, "say whether it runs and is locked" },
	{ "foreground", CS_OPTION_FLAG, NULL,
	    "for a supervisor: stay, locked until `consil agent` unlocks it "
	    "(or opened by --passphrase-fd)" },
	{ 0 },
};

/* ---------------------------------------------------------------- the line */

static cs_err
parse_timeout(struct cs_cli *cli, uint64_t *ret_s)
{
	static const struct {
		const char *unit;
		uint64_t seconds;
	} units[] = { { "s", 1 }, { "m", 60 }, { "", 60 }, { "h", 3600 } };
	const char *text = cs_options_get(cli->options, "timeout");
	unsigned long long n;
	char *end;

	if (!text) {
		*ret_s = TIMEOUT_S;
		return CS_OK;
	}
	errno = 0;
	n = strtoull(text, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (*text < '0' || *text > '9' || errno != 0 || n == 0 ||
		    strcmp(end, units[i].unit) != 0 ||
		    n > TIMEOUT_MAX_S / units[i].seconds)
			continue;
		*ret_s = n * units[i].seconds;
		return CS_OK;
	}
	cs_why_set(&cli->why,
	    "--timeout %s: give a time like 90s, 30m or 8h, "
	    "24h at most",
	    text);
	return CS_USAGE;
}

/* At most one of what it can be told. */
static cs_err
check_line(struct cs_cli *cli)
{
	static const char *const tasks[] = { "lock", "stop", "status",
		"foreground" };
	unsigned n = 0;

	for (size_t i = 0; i < sizeof(tasks) / sizeof(*tasks); i++)
		n += cs_options_has(cli->options, tasks[i]);
	if (n <= 1)
		return CS_OK;
	cs_why_set(&cli->why,
	    "--lock, --stop, --status and --foreground exclude each other");
	return CS_USAGE;
}

/* The home of somebody who has a passphrase. */
static cs_err
open_home(struct cs_cli *cli, struct cs_home **ret)
{
	const char *dir = cs_options_get(cli->options, "home");
	bool needed = false;
	cs_err e;

	CS_TRY(cs_client_needs_passphrase(dir, &cli->why, &needed));
	if (!needed) {
		cs_why_set(&cli->why,
		    "this home needs no agent: a key file opens it; `consil "
		    "keys passphrase` gives it a passphrase");
		e = CS_USAGE;
		goto out;
	}
	CS_TRY(cs_home_open(dir, false, &cli->why, ret));
out:
	return e;
}

/* ------------------------------------------------------------------ asking */

static cs_err
show(struct cs_cli *cli, const struct cs_home *h)
{
	struct cs_agent_status s = { 0 };
	cs_err e = cs_agent_status(h, &s);

	if (e != CS_OK && e != CS_NOT_FOUND)
		return e;
	if (cli->json) {
		cs_err printed = cs_present_json(json_pack("{s:b, s:I, s:b, "
							   "s:I}",
		    "running", e == CS_OK, "pid", (json_int_t)s.pid, "unlocked",
		    (int)s.unlocked, "seconds_left", (json_int_t)s.left_s));
		return e != CS_OK ? e : printed;
	}
	if (e == CS_OK && s.unlocked)
		printf("agent %ld is unlocked; it locks itself in %llu min "
		       "without use\n",
		    (long)s.pid, (unsigned long long)(s.left_s + 59) / 60);
	else if (e == CS_OK)
		printf("agent %ld is locked\n", (long)s.pid);
	return e;
}

static cs_err
tell(struct cs_cli *cli, const struct cs_home *h)
{
	static const struct {
		const char *option, *done;
		cs_err (*run)(const struct cs_home *h);
	} table[] = {
		{ "lock", "locked", cs_agent_lock },
		{ "stop", "stopped", cs_agent_stop },
	};
	cs_err e = CS_OK;

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (!cs_options_has(cli->options, table[i].option))
			continue;
		CS_TRY(table[i].run(h));
		if (cli->json)
			e = cs_present_json(json_pack("{s:b}", table[i].done,
			    1));
		else
			printf("the agent is %s\n", table[i].done);
	}
out:
	return e;
}

static cs_err
ask(struct cs_cli *cli, const struct cs_home *h)
{
	cs_err e = cs_options_has(cli->options, "status") ? show(cli, h)
							  : tell(cli, h);

	if (e != CS_OK)
		cs_why_set(&cli->why, "the agent of %s%s", cs_home_dir(h),
		    e == CS_NOT_FOUND ? " is not running" : "");
	return e;
}

/* ---------------------------------------------------------------- starting */

/* Nothing of who started it stays but the lifeline. */
static cs_err
detach(int *lifeline)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || setsid() < 0)
		return CS_IO;
	for (int fd = 0; fd <= 2; fd++) {
		if (dup2(null, fd) < 0)
			return CS_IO;
	}
	if (*lifeline != 3 && dup2(*lifeline, 3) < 0)
		return CS_IO;
	*lifeline = 3;
	/* among them, whatever a passphrase is read from */
	if (close_range(4, ~0u, 0) != 0) {
		for (int fd = 4; fd < 1024; fd++)
			close(fd);
	}
	return CS_OK;
}

/*
 * The agent in its own process: made before any secret is, and so without one.
 * What it writes to the lifeline is how opening went.
 */
static _Noreturn void
be_agent(const char *dir, int lifeline)
{
	struct cs_home *home = NULL;
	struct cs_agentd *agent = NULL;
	uint8_t opened = CS_INTERNAL;
	cs_err e;

	CS_TRY(detach(&lifeline));
	CS_TRY(cs_home_open(dir, false, NULL, &home));
	e = cs_agentd_open(home, NULL, &agent);
	opened = (uint8_t)e;
	CS_TRY(write(lifeline, &opened, 1) == 1 ? e : CS_IO);
	/* the home's file system is not kept busy by this process */
	CS_TRY(chdir("/") == 0 ? CS_OK : CS_IO);
	e = cs_agentd_run(agent, lifeline);
out:
	cs_agentd_close(agent);
	cs_home_close(home);
	_exit(cs_err_exit_code(e));
}

/* Starts it; it ends by itself if ret_lifeline is closed before it holds a
 * key. */
static cs_err
start(struct cs_cli *cli, const struct cs_home *h, int *ret_lifeline)
{
	uint8_t opened;
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return CS_IO;
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		be_agent(cs_home_dir(h), pair[1]);
	}
	close(pair[1]);
	if (pid < 0 || read(pair[0], &opened, 1) != 1)
		opened = CS_IO;
	if (opened != CS_OK) {
		close(pair[0]);
		cs_why_set(&cli->why, "starting an agent at %s",
		    cs_home_dir(h));
		return opened;
	}
	*ret_lifeline = pair[0];
	return CS_OK;
}

/* Starts an agent, or finds one that is locked. */
static cs_err
ensure(struct cs_cli *cli, const struct cs_home *h, int *ret_lifeline)
{
	struct cs_agent_status s;
	cs_err e = cs_agent_status(h, &s);

	if (e == CS_NOT_FOUND)
		return start(cli, h, ret_lifeline);
	if (e == CS_OK && s.unlocked) {
		cs_why_set(&cli->why,
		    "agent %ld holds the key of %s already; `consil agent "
		    "--stop` ends it",
		    (long)s.pid, cs_home_dir(h));
		return CS_EXISTS;
	}
	if (e != CS_OK)
		cs_why_set(&cli->why, "the agent of %s", cs_home_dir(h));
	return e;
}

static cs_err
unlock(struct cs_cli *cli, const struct cs_home *h)
{
	struct cs_secret *key = NULL;
	struct cs_agent_status s;
	uint64_t timeout_s;
	int lifeline = -1;
	cs_err e;

	CS_TRY(parse_timeout(cli, &timeout_s));
	CS_TRY(ensure(cli, h, &lifeline));
	CS_TRY(cs_unlock_key(cli, h, &key));
	CS_TRY(cs_agent_put(h, key, timeout_s));
	CS_TRY(cs_agent_status(h, &s));
	if (cli->json)
		e = show(cli, h);
	else
		printf("agent %ld holds the key of %s; it locks itself after "
		       "%llu min without use\n",
		    (long)s.pid, cs_home_dir(h),
		    (unsigned long long)(timeout_s + 59) / 60);
out:
	cs_secret_free(key);
	if (lifeline >= 0)
		close(lifeline);
	return e;
}

static cs_err
stay(struct cs_cli *cli, const struct cs_home *h)
{
	struct cs_agentd *agent = NULL;
	struct cs_secret *key = NULL;
	uint64_t timeout_s;
	cs_err e;

	CS_TRY(parse_timeout(cli, &timeout_s));
	CS_TRY(cs_agentd_open(h, &cli->why, &agent));
	if (cs_options_has(cli->options, "passphrase-fd")) {
		CS_TRY(cs_unlock_key(cli, h, &key));
		CS_TRY(cs_agentd_put(agent, key, timeout_s));
		cs_secret_free(key);
		key = NULL;
	} else {
		cs_present_note(CS_CLI_NAME,
		    "the agent is locked: run `consil agent` to unlock it");
	}
	CS_TRY(cs_agentd_run(agent, -1));
out:
	cs_secret_free(key);
	cs_agentd_close(agent);
	return e;
}

static cs_err
run(struct cs_cli *cli)
{
	const struct cs_options *o = cli->options;
	struct cs_home *home = NULL;
	cs_err e;

	CS_TRY(check_line(cli));
	CS_TRY(open_home(cli, &home));
	if (cs_options_has(o, "status") || cs_options_has(o, "lock") ||
	    cs_options_has(o, "stop"))
		e = ask(cli, home);
	else if (cs_options_has(o, "foreground"))
		e = stay(cli, home);
	else
		e = unlock(cli, home);
out:
	cs_home_close(home);
	return e;
}

const struct cs_cli_verb cs_verb_agent = {
	.name = "agent",
	.operands = "",
	.summary = "give the passphrase once: a process holds the key for you",
	.help = "Asks for the passphrase and goes to the background. Every "
		"verb of this home then works\nwithout it, until the agent "
		"was not used for a while, is locked or stopped. It holds "
		"the\nkey of the keyring, not the passphrase, and hands it to "
		"processes of this user only.",
	.options = options,
	.run = run,
};
