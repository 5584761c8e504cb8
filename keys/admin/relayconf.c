#include "keys/admin/relayconf.h"

#include <stdbool.h>
#include <string.h>

static const char head[] =
    "# consil-relay: see consil-relay.conf(5). Relative paths are below the\n"
    "# folder of this file. Check a change with\n"
    "#   consil-relay --check-config --config FILE\n"
    "\n"
    "# Where to accept connections; one line for each, up to 8. tcp:// is "
    "safe\n"
    "# by itself: each session is encrypted and authenticated inside.\n";

static const char paths[] =
    "\n"
    "# Folder of the store, made at the first start. Not on a network file\n"
    "# system.\n"
    "store = store\n"
    "\n"
    "# The relay's sealed keys, and what opens them without a human.\n"
    "keyring = relay.keyring\n"
    "key_file = relay.key\n"
    "\n"
    "# First entries of the directory log; read only while the log is empty.\n"
    "genesis = genesis\n"
    "\n"
    "# Certificate chain and private key (PEM), for tls+tcp:// only.\n";

static const char limits[] =
    "\n"
    "# What the store holds at most, reservations included. Leave a quarter\n"
    "# more on the disk.\n"
    "# quota_total = 200G\n"
    "\n"
    "# What one member has stored and reserved at most, and what waits for\n"
    "# one device at most.\n"
    "# quota_sender = 50G\n"
    "# quota_mailbox = 50G\n"
    "\n"
    "# What of one member waits in one mailbox at most, or is begun and not\n"
    "# complete: the largest bundle.\n"
    "# quota_share = 12G\n"
    "\n"
    "# Address space (not disk space) for each of the store's two files; "
    "above\n"
    "# quota_total.\n"
    "# map_size = 1T\n"
    "\n"
    "# Connections in all, and of one address.\n"
    "# max_connections = 16000\n"
    "# max_connections_per_address = 1000\n"
    "\n"
    "# Metrics, health and readiness over HTTP, on this machine alone.\n"
    "# monitor = http://127.0.0.1:9464\n"
    "\n"
    "# The last of error, warning, info, debug that is written.\n"
    "# log_level = info\n";

void
cs_relayconf_write(const char *const *urls, size_t n, struct cs_buf *out)
{
	bool tls = false;

	cs_buf_put_str(out, head);
	for (size_t i = 0; i < n; i++) {
		cs_buf_printf(out, "listen = %s\n", urls[i]);
		tls |= strncmp(urls[i], "tls", 3) == 0;
	}
	cs_buf_put_str(out, paths);
	cs_buf_printf(out, "%stls_cert = relay.crt\n", tls ? "" : "# ");
	cs_buf_printf(out, "%stls_key = relay.tls.key\n", tls ? "" : "# ");
	cs_buf_put_str(out, limits);
}
