#include "client/gossip.h"

#include <stdio.h>

#include "keys/file.h"
#include "proto/text.h"

static void
put_line(struct cs_buf *out, const char *name, struct cs_bytes value)
{
	char hex[2 * CS_HASH_BYTES + 1];

	cs_text_hex(value, hex);
	cs_buf_put_str(out, name);
	cs_buf_put_str(out, " ");
	cs_buf_put_str(out, hex);
	cs_buf_put_str(out, "\n");
}

static void
put_view(struct cs_buf *out, const char *name, uint64_t size,
    const uint8_t root[static CS_HASH_BYTES])
{
	char text[24];

	snprintf(text, sizeof(text), "%s %llu", name, (unsigned long long)size);
	put_line(out, text, (struct cs_bytes){ root, CS_HASH_BYTES });
}

/* Best effort; one file for each that says so. */
static void
keep_evidence(struct cs_client *c, const struct cs_checkpoint *seen,
    const uint8_t author[static CS_ID_BYTES],
    const uint8_t envelope_id[static CS_ID_BYTES])
{
	const struct cs_log_view here =
	    cs_directory_view(cs_client_directory(c));
	char path[CS_HOME_PATH_BYTES], name[80], hex[2 * CS_ID_BYTES + 1];
	struct cs_buf text = { 0 };

	cs_text_hex((struct cs_bytes){ envelope_id, CS_ID_BYTES }, hex);
	snprintf(name, sizeof(name), CS_HOME_EVIDENCE "/seen-%s", hex);
	cs_home_path(cs_client_home(c), name, NULL, NULL, path);
	put_line(&text, "envelope",
	    (struct cs_bytes){ envelope_id, CS_ID_BYTES });
	put_line(&text, "device", (struct cs_bytes){ author, CS_ID_BYTES });
	put_view(&text, "seen", seen->size, seen->root);
	put_line(&text, "signature", CS_BYTES(seen->signature));
	put_view(&text, "here", here.size, here.root);
	if (cs_buf_err(&text) == CS_OK &&
	    cs_home_mkdir(cs_client_home(c), CS_HOME_EVIDENCE, NULL) == CS_OK &&
	    cs_file_write(path, cs_buf_view(&text), 0600, false) != CS_OK)
		cs_why_set(cs_client_why(c), "evidence %s", path);
	cs_buf_fini(&text);
}

/* The same log, and the relay's word for it. */
static cs_err
compare(struct cs_client *c, const struct cs_checkpoint *seen)
{
	const struct cs_directory *dir = cs_client_directory(c);
	struct cs_directory_relay relay;
	cs_err e;

	CS_TRY(cs_directory_compare(dir, seen));
	CS_TRY(cs_directory_seen_by(dir, seen, &relay));
out:
	return e;
}

cs_err
cs_gossip_check(struct cs_client *c, const struct cs_checkpoint *seen,
    const uint8_t author[static CS_ID_BYTES],
    const uint8_t envelope_id[static CS_ID_BYTES], bool *ret)
{
	cs_err e, compared;

	compared = compare(c, seen);
	if (compared == CS_STALE) {
		CS_TRY(cs_client_connect(c, 0));
		compared = compare(c, seen);
	}
	if (compared != CS_OK)
		keep_evidence(c, seen, author, envelope_id);
	*ret = compared != CS_OK;
	e = CS_OK;
out:
	return e;
}
