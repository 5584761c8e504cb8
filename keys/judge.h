#ifndef CS_KEYS_JUDGE_H
#define CS_KEYS_JUDGE_H

#include <stdbool.h>

#include "keys/directory.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/receiptproof.h"
#include "proto/statement.h"

/*
 * Judges a receipt proof (proto/receiptproof.h), knowing nothing but the
 * network's id; or the directory too, which a file cannot leave anything out
 * of. Rules: docs/protocol.md section 10.
 */
enum cs_verdict {
	CS_VERDICT_INVALID = 1, /* does not hold */
	CS_VERDICT_UNPROVEN,    /* was signed; when, and so whether the key was
				   good    then, is not shown */
	CS_VERDICT_VALID,
};

/* "invalid", "good, time unproven", "valid". */
const char *cs_judge_name(enum cs_verdict v);

/* One item of a proof. */
struct cs_judge_item {
	enum cs_receiptproof_how how;
	enum cs_verdict verdict;
	const char *why;         /* of what is not valid; NULL */
	struct cs_bytes address; /* of who signed; empty: the relay. Borrowed
				    until each returns */
	struct cs_statement st;  /* what it says, if it could be read; of the
				    sender only the signer */
	bool has_before, has_after;
	/* it came into the receipt log between these, by the relay's clock */
	uint64_t before_s, after_s;
};

struct cs_judge {
	struct cs_receiptproof proof; /* borrows from the file */
	char network_name[256];       /* as the root says; else empty */
	uint8_t relay_id[CS_ID_BYTES];
	enum cs_verdict verdict; /* the worst of all */
	/* about the whole; NULL: nothing is wrong with that */
	const char *why;
	bool is_own;     /* held against the directory given … */
	bool is_own_old; /* … which is older than the file: sync, and again */
	/* of the silence */
	enum cs_verdict silence; /* 0: the file has none */
	const char *silence_why;
	uint64_t silence_s;    /* by the relay's clock */
	uint32_t n_recipients; /* devices */
	uint32_t n_bound;      /* that said themselves what they got */
};

/*
 *   own   directory of the network as of now; NULL: only the file's
 *   each  told of each item, in order; may be NULL
 *   ret   filled where CS_OK; its verdict says what it is worth
 * CS_OK, CS_MALFORMED, CS_TOO_LARGE, CS_UNSUPPORTED, CS_WRONG_NETWORK,
 * CS_NO_MEMORY and what each returns.
 */
typedef cs_err cs_judge_each(void *ctx, const struct cs_judge_item *item);
CS_MUST_USE cs_err cs_judge_run(struct cs_bytes file,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    const struct cs_directory *own, cs_judge_each *each, void *ctx,
    struct cs_judge *ret);

/*
 * Whether an acknowledgement by a recipient of a message is among leaves of the
 * receipt log.
 *   custody  of that message
 *   leaves   n × CS_HASH_BYTES
 * CS_OK, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_judge_acknowledgement(const struct cs_statement *custody,
    const uint8_t m_hash[static CS_HASH512_BYTES], struct cs_bytes leaves,
    bool *ret);

#endif
