#ifndef CS_RELAY_CONFIG_H
#define CS_RELAY_CONFIG_H

#include <stdint.h>

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "relay/limits.h"
#include "relay/report.h"

/*
 * The relay's configuration file: `key = value` lines, no sections, `#` and
 * `;` begin comments. One table of keys in config.c; consil-relay.conf(5) says
 * the same and is checked against it.
 */
struct cs_config {
	char *url[CS_LIMIT_LISTENERS];
	unsigned n_urls;
	/* Absolute, or as relative as the path of the file was. */
	char *store, *keyring, *key_file, *genesis;
	char *tls_cert, *tls_key; /* NULL unless given */
	char *monitor;            /* URL of relay/monitor.h, or NULL */
	uint64_t max_connections, max_per_address;
	uint64_t quota_total_bytes, quota_sender_bytes, quota_mailbox_bytes;
	uint64_t quota_share_bytes;
	uint64_t map_bytes;
	enum cs_report_level log_level;
	uint8_t hash[CS_HASH_BYTES]; /* SHA-256 of the text */
};

/*
 *   ret          filled on success; fini it
 *   ret_problem  on failure one clause: file, line, what is wrong, remedy;
 *                caller fini's it
 * CS_OK, CS_NOT_FOUND, CS_BAD_CONFIG, CS_TOO_LARGE, CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_config_load(const char *path, struct cs_config *ret,
    struct cs_buf *ret_problem);

/* The same from text; relative paths are below dir. */
CS_MUST_USE cs_err cs_config_parse(const char *text, const char *name,
    const char *dir, struct cs_config *ret, struct cs_buf *ret_problem);

/* Frees what c points to and leaves it empty. */
void cs_config_fini(struct cs_config *c);

/* Row i of the table; fallback is NULL for a key without a default. NULL past
 * the last. */
struct cs_config_row {
	const char *name, *fallback;
};
const struct cs_config_row *cs_config_row(unsigned i);

#endif
