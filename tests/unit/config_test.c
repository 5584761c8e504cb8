#include "relay/config.h"

#include <string.h>

#include "tests/test.h"

#define LISTEN "listen = tcp://127.0.0.1:7700\n"

static struct cs_config config;
static char problem[1024];

/* Reads text as /etc/c/relay.conf; the problem goes to `problem`. */
static cs_err
parse(const char *text)
{
	struct cs_buf p = { 0 };
	cs_err e;

	cs_config_fini(&config);
	e = cs_config_parse(text, "relay.conf", "/etc/c", &config, &p);
	snprintf(problem, sizeof(problem), "%.*s", (int)p.n,
	    p.p != NULL ? (const char *)p.p : "");
	cs_buf_fini(&p);
	return e;
}

static bool
says(const char *part)
{
	if (strstr(problem, part) != NULL)
		return true;
	printf("# says: %s\n", problem);
	return false;
}

static void
refuses(const char *text, const char *why)
{
	CHECK_ERR(CS_BAD_CONFIG, parse(text));
	CHECK(says(why));
	CHECK(config.n_urls == 0 && config.store == NULL);
}

TEST(a_monitor_is_for_this_machine_alone)
{
	CHECK_OK(parse(LISTEN "monitor = http://127.0.0.1:9464\n"));
	CHECK_STR("http://127.0.0.1:9464", config.monitor);
	CHECK_OK(parse(LISTEN "monitor = http://[::1]:0\n"));
	CHECK_OK(parse(LISTEN));
	CHECK(config.monitor == NULL);
	refuses(LISTEN "monitor = http://0.0.0.0:9464\n", "nobody who asks");
	refuses(LISTEN "monitor = http://127.0.0.1.example.org:1\n",
	    "nobody who asks");
	refuses(LISTEN "monitor = http://127.0.0.1:70000\n", "nobody who asks");
	refuses(LISTEN "monitor = http://127.0.0.1:1/x\n", "nobody who asks");
	refuses(LISTEN "monitor = http://127.0.0.1:\n", "nobody who asks");
	refuses(LISTEN "monitor = https://127.0.0.1:1\n", "nobody who asks");
}

TEST(one_line_is_enough)
{
	CHECK_OK(parse(LISTEN));
	CHECK_NUM(1, config.n_urls);
	CHECK_STR("tcp://127.0.0.1:7700", config.url[0]);
	CHECK_STR("/etc/c/store", config.store);
	CHECK_STR("/etc/c/relay.keyring", config.keyring);
	CHECK_STR("/etc/c/relay.key", config.key_file);
	CHECK_STR("/etc/c/genesis", config.genesis);
	CHECK(config.tls_cert == NULL && config.tls_key == NULL);
	CHECK_NUM(UINT64_C(200) << 30, config.quota_total_bytes);
	CHECK_NUM(UINT64_C(50) << 30, config.quota_sender_bytes);
	CHECK_NUM(UINT64_C(50) << 30, config.quota_mailbox_bytes);
	CHECK_NUM(UINT64_C(12) << 30, config.quota_share_bytes);
	CHECK_NUM(UINT64_C(1) << 40, config.map_bytes);
	CHECK_NUM(16000, config.max_connections);
	CHECK_NUM(1000, config.max_per_address);
	CHECK_NUM(CS_REPORT_INFO, config.log_level);
	cs_config_fini(&config);
}

TEST(every_key_is_read)
{
	CHECK_OK(parse("# all of them\n"
		       "listen = tcp://[::1]:1\n"
		       "listen=tls+tcp://relay.example:2 ; comment\n"
		       "listen = ws://0.0.0.0:3/consil\n"
		       "store = /s\n"
		       "keyring = k/r\n"
		       "key_file = kf\n"
		       "genesis = ../g\n"
		       "tls_cert = cert.pem\n"
		       "tls_key = /key.pem\n"
		       "quota_total = 3T\n"
		       "quota_sender = 2M\n"
		       "quota_mailbox = 1048577\n"
		       "quota_share = 1M\n"
		       "map_size = 16384K\n"
		       "max_connections = 7\n"
		       "max_connections_per_address = 5\n"
		       "log_level = debug\n"));
	CHECK_NUM(3, config.n_urls);
	CHECK_STR("tcp://[::1]:1", config.url[0]);
	CHECK_STR("tls+tcp://relay.example:2", config.url[1]);
	CHECK_STR("ws://0.0.0.0:3/consil", config.url[2]);
	CHECK_STR("/s", config.store);
	CHECK_STR("/etc/c/k/r", config.keyring);
	CHECK_STR("/etc/c/kf", config.key_file);
	CHECK_STR("/etc/c/../g", config.genesis);
	CHECK_STR("/etc/c/cert.pem", config.tls_cert);
	CHECK_STR("/key.pem", config.tls_key);
	CHECK_NUM(UINT64_C(3) << 40, config.quota_total_bytes);
	CHECK_NUM(2 << 20, config.quota_sender_bytes);
	CHECK_NUM((1 << 20) + 1, config.quota_mailbox_bytes);
	CHECK_NUM(1 << 20, config.quota_share_bytes);
	CHECK_NUM(16 << 20, config.map_bytes);
	CHECK_NUM(7, config.max_connections);
	CHECK_NUM(5, config.max_per_address);
	CHECK_NUM(CS_REPORT_DEBUG, config.log_level);
	cs_config_fini(&config);
}

TEST(unknown_keys_are_named_with_the_nearest)
{
	refuses(LISTEN "\nlisten_on = x\n", "relay.conf line 3: ");
	CHECK(says("unknown key \"listen_on\"; did you mean \"listen\"?"));
	refuses(LISTEN "quota-total = 1G\n", "did you mean \"quota_total\"?");
	refuses(LISTEN "keyfile = x\n", "did you mean \"key_file\"?");
	refuses(LISTEN "colour = blue\n", "see consil-relay.conf(5)");
}

TEST(bad_values_are_named_with_what_is_expected)
{
	static const char *const lines[] = { "listen = 127.0.0.1:7700",
		"listen = ipc:///tmp/x", "listen = tcp://",
		"listen = tcp://host", "store =", "quota_total = lots",
		"quota_total = -1", "quota_total = 1", "quota_total = 5X",
		"quota_total = 1GB", "quota_total = 99999999999999999999",
		"quota_total = 16777216T", "map_size = 1M",
		"max_connections = 0", "max_connections = 1K",
		"max_connections = 1000001", "log_level = loud",
		"log_level = INFO" };
	char text[256], name[64];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), LISTEN "%s\n", lines[i]);
		refuses(text, "relay.conf line 2: ");
		CHECK(says("must be"));
		snprintf(name, sizeof(name), "%.*s",
		    (int)strcspn(lines[i], " "), lines[i]);
		CHECK(says(name));
	}
	refuses(LISTEN "quota_total = 1\n", "from 1048576 to ");
	refuses(LISTEN "quota_total = 50G\n",
	    "quota_sender must be below quota_total, or one sender");
	refuses(LISTEN "quota_mailbox = 12G\n",
	    "quota_share must be below quota_mailbox, or one sender");
	/* and an object of the largest size is possible */
	CHECK_OK(parse(LISTEN "quota_total = 1T\nquota_sender = 99G\n"
			      "quota_mailbox = 99G\nquota_share = 70G\n"));
	cs_config_fini(&config);
}

TEST(mistakes_of_form_are_named_by_line)
{
	char text[512];

	refuses("\n\nlisten\n", "relay.conf line 3: not a line of the form");
	refuses("[relay]\n" LISTEN, "relay.conf line 2: [relay]");
	refuses(LISTEN "store = a\nstore = b\n",
	    "relay.conf line 3: store is given twice");
	snprintf(text, sizeof(text), LISTEN "store = %0250d\n", 0);
	refuses(text, "relay.conf line 2: longer than 197");
	refuses("", "listen is missing");
	refuses("# listen = tcp://127.0.0.1:1\n", "listen is missing");
}

TEST(the_first_mistake_is_reported)
{
	refuses("lisen = a\nstroe = b\n", "line 1: unknown key \"lisen\"");
	CHECK(strstr(problem, "stroe") == NULL);
}

TEST(the_longest_line_is_read_whole)
{
	char text[512];
	int n = 197 - (int)strlen("store = /");

	snprintf(text, sizeof(text), "store = /%0*d\n" LISTEN, n, 0);
	CHECK_OK(parse(text));
	CHECK_NUM(n + 1, strlen(config.store));
	cs_config_fini(&config);
}

TEST(too_many_listeners_are_refused)
{
	char text[1024] = "";
	size_t n = 0;

	for (unsigned i = 0; i < CS_LIMIT_LISTENERS; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, LISTEN);
	CHECK_OK(parse(text));
	cs_config_fini(&config);
	snprintf(text + n, sizeof(text) - n, LISTEN);
	refuses(text, "at most 8 times");
}

TEST(tls_needs_its_two_files)
{
	refuses("listen = tls+tcp://0.0.0.0:1\n", "needs tls_cert and tls_key");
	refuses("listen = tls+tcp://0.0.0.0:1\ntls_cert = c\n", "tls_key");
	CHECK_OK(parse("listen = tls+tcp://0.0.0.0:1\ntls_cert = c\n"
		       "tls_key = k\n"));
	cs_config_fini(&config);
}

TEST(a_file_is_read_and_paths_are_below_its_folder)
{
	struct cs_buf p = { 0 };
	char want[512];

	test_write(test_path("relay.conf"), cs_bytes_str(LISTEN));
	CHECK_OK(cs_config_load(test_path("relay.conf"), &config, &p));
	snprintf(want, sizeof(want), "%s/store", test_dir());
	CHECK_STR(want, config.store);
	cs_config_fini(&config);

	CHECK_ERR(CS_NOT_FOUND,
	    cs_config_load(test_path("absent"), &config, &p));
	CHECK(p.n > 0);
	cs_buf_fini(&p);

	test_write(test_path("binary"), HEX("6c 00 6c"));
	CHECK_ERR(CS_BAD_CONFIG,
	    cs_config_load(test_path("binary"), &config, &p));
	cs_buf_fini(&p);

	test_write(test_path("empty"), HEX(""));
	CHECK_ERR(CS_BAD_CONFIG,
	    cs_config_load(test_path("empty"), &config, &p));
	cs_buf_fini(&p);

	test_write(test_path("huge"),
	    (struct cs_bytes){ test_alloc(1 << 20), 1 << 20 });
	CHECK_ERR(CS_TOO_LARGE, cs_config_load(test_path("huge"), &config, &p));
	cs_buf_fini(&p);
}

/* The keys of consil-relay.conf(5), in order, with their defaults. */
TEST(the_manual_page_says_what_the_table_says)
{
	const struct cs_config_row *row;
	struct cs_bytes page = test_read("docs/man/consil-relay.conf.5");
	char *text = test_alloc(page.n + 1), want[128], *at;
	unsigned i, keys = 0;

	memcpy(text, page.p, page.n);
	text[page.n] = 0;
	at = strstr(text, ".SH KEYS");
	CHECK(at != NULL);
	for (char *p = at; (p = strstr(p, "\n.TP\n.BR ")) != NULL; p++)
		keys++;
	for (i = 0; (row = cs_config_row(i)) != NULL; i++) {
		snprintf(want, sizeof(want), "\n.TP\n.BR %s \" = \"",
		    row->name);
		at = strstr(at, want);
		CHECK(at != NULL);
		snprintf(want, sizeof(want), "(default: %s)",
		    row->fallback != NULL ? row->fallback : "");
		CHECK((memmem(at + 1, strcspn(at + 9, "\n") + 9, want,
			   strlen(want)) != NULL) == (row->fallback != NULL));
	}
	CHECK_NUM(keys, i);
}
