/*
 * consil-relay: reads its configuration, opens keys, store and listeners, and
 * waits for a signal. Only here the relay talks and ends.
 */
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "keys/file.h"
#include "keys/secret.h"
#include "relay/config.h"
#include "relay/descriptors.h"
#include "relay/identity.h"
#include "relay/limits.h"
#include "relay/metrics.h"
#include "relay/monitor.h"
#include "relay/report.h"
#include "relay/server.h"
#include "relay/service.h"

#define NAME          "consil-relay"
#define PEM_MAX_BYTES (256u << 10)

static const char usage[] =
    "usage: " NAME " --config FILE [--check-config | --restored]\n"
    "\n"
    "Carries sealed case bundles between the members of one network.\n"
    "\n"
    "  --config FILE   configuration, see consil-relay.conf(5)\n"
    "  --check-config  read configuration and keys, say whether they are "
    "good,\n"
    "                  end\n"
    "  --restored      declare the store a restored backup, end; start the "
    "relay\n"
    "                  as usual afterwards\n"
    "  --help          this text\n"
    "  --version       version\n"
    "\n"
    "Runs in the foreground and logs to stderr. SIGTERM and SIGINT stop it,\n"
    "SIGUSR1 logs its counters, SIGHUP makes it look for keys that are to "
    "follow\n"
    "its own (consil-admin rotate relay).\n";

/* All that is open. */
struct relay {
	struct cs_config config;
	struct cs_identity *identity;
	struct cs_secret *tls_cert, *tls_key; /* text with a zero */
	struct cs_service *service;
	struct cs_server *server;
	struct cs_metrics metrics;
	struct cs_monitor *monitor; /* NULL: none is wanted */
	unsigned max_connections, max_half_open;
};

/* ---------------------------------------------------------------- speaking */

static void
log_line(enum cs_report_level level, const char *line)
{
	/* One write for a line: lines of threads do not mix. */
	dprintf(STDERR_FILENO, NAME ": %s: %s\n", cs_report_level_name(level),
	    line);
}

/* The one line about why it ends. */
static int
fail(cs_err e, struct cs_buf *problem)
{
	if (problem->n > 0)
		cs_report(CS_REPORT_ERROR, "%.*s", (int)problem->n,
		    (const char *)problem->p);
	else
		cs_report(CS_REPORT_ERROR, "%s", cs_err_text(e));
	cs_buf_fini(problem);
	return cs_err_exit_code(e);
}

static int
misuse(const char *what, const char *which)
{
	dprintf(STDERR_FILENO, NAME ": %s%s; see " NAME " --help\n", what,
	    which);
	return CS_EXIT_USAGE;
}

/* ---------------------------------------------------------------- counters */

static void
log_counter(void *ctx, const struct cs_metric *m)
{
	(void)ctx;
	cs_report(CS_REPORT_INFO, "counter %s %" PRIu64, m->name, m->value);
}

static void
log_counters(const struct relay *r)
{
	if (cs_metrics_each_of(&r->metrics, log_counter, NULL) != CS_OK)
		cs_report(CS_REPORT_WARNING,
		    "counters of the store cannot be read");
}

/* ----------------------------------------------------------------- opening */

/* Says what to do about a keyring that cannot be opened. */
static void
explain_keyring(const struct cs_config *c, cs_err e, struct cs_buf *problem)
{
	static const struct {
		cs_err e;
		const char *text;
	} rows[] = {
		{ CS_NOT_FOUND, "not found; consil-admin init makes it" },
		{ CS_DENIED,
		    "others than its owner may read or write it; chmod 600" },
		{ CS_BAD_PASSPHRASE, "key_file does not open it; name the one "
				     "it was made with" },
		{ CS_USAGE,
		    "is sealed by a passphrase; the relay needs one with a key "
		    "file" },
		{ CS_CORRUPT, "damaged; restore it from its backup" },
		{ CS_UNSUPPORTED, "a newer version of Consil wrote it" },
	};
	const char *blamed = c->keyring, *text = cs_err_text(e);
	struct stat key;
	bool has_key = stat(c->key_file, &key) == 0;
	size_t i;

	/* Both files have these two faults in common. */
	if ((e == CS_NOT_FOUND && !has_key) ||
	    (e == CS_DENIED && has_key && (key.st_mode & 077) != 0))
		blamed = c->key_file;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].e == e)
			text = rows[i].text;
	cs_buf_printf(problem, "%s: %s", blamed, text);
}

static cs_err
open_identity(struct relay *r, struct cs_buf *problem)
{
	cs_err e = cs_identity_open(r->config.keyring, r->config.key_file,
	    &r->identity, problem);

	if (e != CS_OK && problem->n == 0)
		explain_keyring(&r->config, e, problem);
	return e;
}

/* A PEM file as text with a zero at its end. */
static cs_err
read_pem(const char *path, bool private, struct cs_secret **ret,
    struct cs_buf *problem)
{
	struct cs_buf text = { 0 };
	cs_err e = CS_OK;

	if (path == NULL)
		return CS_OK;
	CS_TRY(cs_file_read(path, PEM_MAX_BYTES, private, &text));
	cs_buf_put_u8(&text, 0);
	CS_TRY(cs_buf_err(&text));
	CS_TRY(cs_secret_copy(cs_buf_view(&text), ret));
out:
	if (e != CS_OK)
		cs_buf_printf(problem, "%s: %s%s", path, cs_err_text(e),
		    e == CS_DENIED ? "; let its owner alone read it: chmod 600"
				   : "");
	cs_buf_fini(&text);
	return e;
}

/* As much as the kernel lets us have, and what that is enough for. */
static void
raise_limits(struct relay *r)
{
	unsigned files = cs_descriptors_raise();
	uint64_t most = (uint64_t)files * CS_LIMIT_DESCRIPTORS_PERCENT / 100;

	r->max_half_open =
	    files / 20 < CS_LIMIT_HALF_OPEN ? files / 20 : CS_LIMIT_HALF_OPEN;
	r->max_connections = (unsigned)r->config.max_connections;
	if (most >= r->config.max_connections)
		return;
	r->max_connections = (unsigned)most;
	cs_report(CS_REPORT_WARNING,
	    "only %u connections: the limit of descriptors is %u; raise it "
	    "(ulimit -n, LimitNOFILE=)",
	    r->max_connections, files);
}

static cs_err
open_service(struct relay *r, bool restored, struct cs_buf *problem)
{
	const struct cs_service_settings settings = {
		.store = r->config.store,
		.genesis = r->config.genesis,
		.identity = r->identity,
		.quota_total_bytes = r->config.quota_total_bytes,
		.quota_sender_bytes = r->config.quota_sender_bytes,
		.quota_mailbox_bytes = r->config.quota_mailbox_bytes,
		.quota_share_bytes = r->config.quota_share_bytes,
		.map_bytes = r->config.map_bytes,
		.restored = restored,
		.config_hash = r->config.hash,
	};

	return cs_service_open(&settings, cs_clock_read(), &r->service,
	    problem);
}

static cs_err
open_server(struct relay *r, struct cs_buf *problem)
{
	const struct cs_server_settings settings = {
		.urls = (const char *const *)r->config.url,
		.n_urls = r->config.n_urls,
		.tls_cert = r->tls_cert == NULL
				? NULL
				: (const char *)cs_secret_bytes(r->tls_cert),
		.tls_key = r->tls_key == NULL
			       ? NULL
			       : (const char *)cs_secret_bytes(r->tls_key),
		.responder = cs_identity_responder,
		.responder_ctx = r->identity,
		.service = r->service,
		.max_connections = r->max_connections,
		.max_half_open = r->max_half_open,
		.max_per_address = (unsigned)r->config.max_per_address,
	};

	return cs_server_open(&settings, &r->server, problem);
}

static cs_err
open_monitor(struct relay *r, struct cs_buf *problem)
{
	r->metrics = (struct cs_metrics){ .server = r->server,
		.service = r->service,
		.config = &r->config,
		.max_connections = r->max_connections };
	if (r->config.monitor == NULL)
		return CS_OK;
	return cs_monitor_open(r->config.monitor, &r->metrics, &r->monitor,
	    problem);
}

/* ----------------------------------------------------------------- running */

/* Async-signal-safe: stopping has taken too long. */
static void
on_alarm(int sig)
{
	static const char text[] =
	    NAME ": warning: stopped before all was closed; nothing that was "
		 "accepted is lost\n";

	(void)sig;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(CS_EXIT_IO);
}

/* Async-signal-safe. The store reads its files as memory: where a page is said
 * to be behind the end of one, that was cut or altered. Nothing is committed
 * half: what was accepted is in a backup, or in what is left. */
static void
on_cut(int sig)
{
	static const char text[] =
	    NAME ": error: the store is damaged: a file of it was cut or "
		 "altered, or its disk cannot be read; restore a backup\n";

	(void)sig;
	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(CS_EXIT_IO);
}

/* Signals come to main alone: every thread started later blocks them. What a
 * thread does itself comes to that thread. */
static void
prepare_signals(sigset_t *ret)
{
	struct sigaction late = { .sa_handler = on_alarm };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction cut = { .sa_handler = on_cut };

	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGUSR1);
	sigaddset(ret, SIGHUP);
	pthread_sigmask(SIG_BLOCK, ret, NULL);
	sigaction(SIGALRM, &late, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGBUS, &cut, NULL);
}

static void
serve(struct relay *r, const sigset_t *signals)
{
	const char *url;
	uint64_t locked = 0;
	unsigned i;
	int sig = 0;

	if (!cs_secret_is_locked(&locked))
		cs_report(CS_REPORT_WARNING,
		    "secrets are not all locked in memory, they may reach the "
		    "swap: the limit is %" PRIu64 " KiB; raise it (ulimit -l, "
		    "LimitMEMLOCK=) or encrypt the swap",
		    locked >> 10);

	if (r->monitor != NULL)
		cs_report(CS_REPORT_INFO, "monitor on port %u of loopback",
		    cs_monitor_port(r->monitor));
	/* This line is waited for: whoever reads it can connect. */
	for (i = 0; (url = cs_server_url(r->server, i)) != NULL; i++)
		cs_report(CS_REPORT_INFO, "listening on %s", url);
	for (;;) {
		if (sigwait(signals, &sig) != 0)
			continue;
		if (sig == SIGHUP)
			cs_identity_reload(r->identity);
		else if (sig == SIGUSR1)
			log_counters(r);
		else
			return;
	}
}

/* Ends the process: what is left of nng need not be waited for. */
static _Noreturn void
stop(struct relay *r)
{
	cs_report(CS_REPORT_INFO, "stopping");
	cs_monitor_stopping(r->monitor);
	alarm(2 * CS_LIMIT_STOP_MS / 1000);
	if (cs_server_close(r->server) != CS_OK) {
		cs_report(CS_REPORT_WARNING,
		    "stopped with requests under way; nothing that was "
		    "accepted is lost");
		_exit(CS_EXIT_IO);
	}
	cs_service_close(r->service);
	cs_identity_free(r->identity); /* wipes */
	cs_report(CS_REPORT_INFO, "stopped");
	_exit(CS_EXIT_OK);
}

static cs_err
prepare(struct relay *r, const char *path, struct cs_buf *problem)
{
	cs_err e;

	CS_TRY(cs_config_load(path, &r->config, problem));
	cs_report_to(log_line, r->config.log_level);
	CS_TRY(open_identity(r, problem));
	CS_TRY(read_pem(r->config.tls_cert, false, &r->tls_cert, problem));
	CS_TRY(read_pem(r->config.tls_key, true, &r->tls_key, problem));
out:
	return e;
}

/* What to do with a configuration. */
enum task { SERVE, CHECK, DECLARE_RESTORED };

static int
run(const char *path, enum task task)
{
	struct relay r = { 0 };
	struct cs_buf problem = { 0 };
	sigset_t signals;
	cs_err e;

	prepare_signals(&signals);
	cs_report_to(log_line, CS_REPORT_INFO);
	CS_TRY(cs_secret_process_init());
	CS_TRY(prepare(&r, path, &problem));
	if (task == CHECK) {
		printf("%s: ok\n", path);
		goto out;
	}
	raise_limits(&r);
	CS_TRY(open_service(&r, task == DECLARE_RESTORED, &problem));
	if (task == DECLARE_RESTORED) {
		/* Not left in a unit file: each start would be another one. */
		printf("%s: declared a restored backup; start the relay\n",
		    r.config.store);
		goto out;
	}
	CS_TRY(open_server(&r, &problem));
	CS_TRY(open_monitor(&r, &problem));
	serve(&r, &signals);
	stop(&r);
out:
	if (r.server != NULL && cs_server_close(r.server) != CS_OK)
		return fail(e, &problem); /* it may still be in use */
	if (r.service != NULL)
		cs_service_close(r.service);
	cs_secret_free(r.tls_cert);
	cs_secret_free(r.tls_key);
	cs_identity_free(r.identity);
	cs_config_fini(&r.config);
	return e == CS_OK ? CS_EXIT_OK : fail(e, &problem);
}

int
main(int argc, char **argv)
{
	enum { CONFIG = 1, CHECK_CONFIG, RESTORED, HELP, VERSION };
	static const struct option options[] = {
		{ "config", required_argument, NULL, CONFIG },
		{ "check-config", no_argument, NULL, CHECK_CONFIG },
		{ "restored", no_argument, NULL, RESTORED },
		{ "help", no_argument, NULL, HELP },
		{ "version", no_argument, NULL, VERSION },
		{ NULL, 0, NULL, 0 },
	};
	const char *config = NULL;
	enum task task = SERVE;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (option == HELP)
			return fputs(usage, stdout) < 0;
		if (option == VERSION)
			return printf(NAME " %s\n", CS_VERSION) < 0;
		if (option == ':')
			return misuse("a value is missing after ",
			    argv[optind - 1]);
		if (option == '?')
			return misuse("unknown option ", argv[optind - 1]);
		if (option == CONFIG)
			config = optarg;
		if (option == CHECK_CONFIG)
			task = CHECK;
		if (option == RESTORED)
			task = DECLARE_RESTORED;
	}
	if (optind < argc)
		return misuse("unexpected argument ", argv[optind]);
	if (config == NULL)
		return misuse("--config FILE is missing", "");
	return run(config, task);
}
