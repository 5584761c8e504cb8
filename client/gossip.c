#include "client/gossip.h"

#include <stdio.h>

#include "client/evidence.h"
#include "proto/text.h"

static void
put_line(struct cs_buf *out, const char *name, struct cs_bytes value)
{
	char hex[2 * CS_SIGNATURE_BYTES + 1]; /* the longest */

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
	char text[32];

	snprintf(text, sizeof(text), "%s %llu", name, (unsigned long long)size);
	put_line(out, text, (struct cs_bytes){ root, CS_HASH_BYTES });
}

/* Whose word it is and what it says, where nothing can be proved. */
static cs_err
keep_word(struct cs_client *c, const struct cs_checkpoint *seen,
    const uint8_t *author, const uint8_t *envelope_id)
{
	const struct cs_log_view here =
	    cs_directory_view(cs_client_directory(c));
	char name[80], hex[2 * CS_ID_BYTES + 1];
	struct cs_buf text = { 0 };
	cs_err e;

	cs_text_hex((struct cs_bytes){ envelope_id, CS_ID_BYTES }, hex);
	snprintf(name, sizeof(name), "seen-%s", hex);
	put_line(&text, "envelope",
	    (struct cs_bytes){ envelope_id, CS_ID_BYTES });
	put_line(&text, "device", (struct cs_bytes){ author, CS_ID_BYTES });
	put_view(&text, "seen", seen->size, seen->root);
	put_line(&text, "signature", CS_BYTES(seen->signature));
	put_view(&text, "here", here.size, here.root);
	CS_TRY(cs_buf_err(&text));
	CS_TRY(cs_evidence_keep(cs_client_home(c), name, cs_buf_view(&text)));
out:
	cs_buf_fini(&text);
	return e;
}

/* Best effort: who said it, and the proof against the relay where there is
 * one. */
static void
keep_evidence(struct cs_client *c, const struct cs_checkpoint *seen,
    const uint8_t author[static CS_ID_BYTES],
    const uint8_t envelope_id[static CS_ID_BYTES])
{
	cs_err word = keep_word(c, seen, author, envelope_id);
	cs_err proof = cs_evidence_fork(cs_client_home(c),
	    cs_client_directory(c), cs_client_checkpoint(c), seen, NULL, NULL);

	if (word != CS_OK || proof == CS_FULL || proof == CS_IO)
		cs_why_set(cs_client_why(c), "evidence in %s/" CS_HOME_EVIDENCE,
		    cs_home_dir(cs_client_home(c)));
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
