#ifndef CS_CLIENT_INBOX_H
#define CS_CLIENT_INBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "keys/author.h"
#include "keys/secret.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/casefile.h"
#include "proto/envelope.h"
#include "proto/forward.h"
#include "proto/limits.h"
#include "proto/manifest.h"
#include "proto/statement.h"
#include "proto/withdrawal.h"

/* What came in and is kept: local, no network. */

enum cs_inbox_state {
	CS_INBOX_NEW = 1,      /* complete, not opened by a human */
	CS_INBOX_OPENED,       /* opened receipt made */
	CS_INBOX_ACKNOWLEDGED, /* acknowledged receipt made */
	CS_INBOX_INCOMPLETE,   /* some attachments are not to be had */
	CS_INBOX_UNREADABLE,   /* does not open: ciphertext is kept */
	CS_INBOX_WAITING,      /* does not open yet: tried at each sync */
	CS_INBOX_PURGED,       /* its content was destroyed here */
};

/* "new", "opened", …; never NULL for a value above. */
const char *cs_inbox_state_name(enum cs_inbox_state state);

/* One message, opened. Views borrow from it; the secret holds M. */
struct cs_inbox_message {
	uint8_t id[CS_ID_BYTES];
	bool is_own;               /* sent from here: client/ownmail.h */
	enum cs_inbox_state state; /* of what came */
	enum cs_class class;
	uint64_t seq, received_at_s, expires_at_s;
	uint64_t size_bytes; /* plaintext: content and attachments; of an
				unreadable one what is stored */
	uint64_t opened_at_s, acknowledged_at_s; /* 0: not */
	uint64_t purged_at_s;                    /* 0: not */
	enum cs_purged_by purged_by;
	uint8_t e[CS_HASH_BYTES], s[CS_HASH_BYTES], m_hash[CS_HASH512_BYTES];
	/* all below empty where it is unreadable */
	struct cs_bytes from;      /* address at the time it came */
	struct cs_bytes from_name; /* of the person */
	struct cs_manifest manifest;
	bool is_answer;     /* what it says to answer is ours, and was sent to
			       them: else that is only claimed … */
	bool was_forwarded; /* … but they hold exactly what was sent from here
			       to others, who must have shown it to them */
	bool is_withdrawal; /* takes an earlier message back; of a forward:
			       it carries such a notice: */
	struct cs_withdrawal withdrawal;
	bool has_case; /* content is a case file, or a forward of one: */
	struct cs_casefile casefile;
	/* of a forward. What nobody is known to have written is not shown: it
	 * has a case only where the authorship is CS_OK. */
	bool is_forward;
	cs_err authorship; /* of cs_author_verify; CS_CLASH: other attachments
			      than the author signed */
	struct cs_forward forward;
	struct cs_author author;
	struct cs_bytes author_address, author_name; /* by the directory */
	/* as it was signed, and by the sender */
	struct cs_bytes m;
	uint8_t signature[CS_SIGNATURE_BYTES];
	uint16_t n_missing;       /* attachments that never came, or
				     are not what the sender signed */
	struct cs_secret *record; /* what the views borrow from, of
				     cs_inbox_get */
};

/* Fills in what the manifest of m says: size, forward, withdrawal, case. Who
 * wrote what was forwarded is judged by d. */
void cs_inbox_content(const struct cs_directory *d, struct cs_inbox_message *m);

/* Opens the record of one message. CS_OK, CS_NOT_FOUND, CS_CORRUPT, CS_IO,
 * CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_inbox_get(struct cs_client *c,
    const uint8_t id[static CS_ID_BYTES], struct cs_inbox_message *ret);
void cs_inbox_fini(struct cs_inbox_message *m);

/* Calls each with every message, oldest arrival first; ends when it returns
 * other than CS_OK and returns that. The message lives for the call. */
typedef cs_err cs_inbox_each(void *ctx, const struct cs_inbox_message *m);
CS_MUST_USE cs_err cs_inbox_list(struct cs_client *c, cs_inbox_each *each,
    void *ctx);

/* The same in no order, and opens each record once only. */
CS_MUST_USE cs_err cs_inbox_walk(struct cs_client *c, cs_inbox_each *each,
    void *ctx);

/*
 * A human opens the message: the opened receipt is made and queued, once.
 * CS_OK (also the second time), CS_DENIED (unreadable), CS_NOT_FOUND,
 * CS_CHANGED (this device's signing key was rotated meanwhile, or is being) and
 * errors of cs_outbox_add.
 */
CS_MUST_USE cs_err cs_inbox_opened(struct cs_client *c,
    const uint8_t id[static CS_ID_BYTES]);

/*
 * A human acknowledges it: the acknowledged receipt is made and queued.
 *   text  UTF-8, up to CS_LIMIT_ACK_TEXT_BYTES
 * CS_OK, CS_EXISTS (acknowledged before), CS_TOO_LARGE, CS_DENIED (also: this
 * device keeps an archive and answers for nobody), else as opened.
 */
CS_MUST_USE cs_err cs_inbox_acknowledge(struct cs_client *c,
    const uint8_t id[static CS_ID_BYTES], bool responsibility,
    struct cs_bytes text);

/*
 * Writes the attachments into folder dir (made if absent): the sender's
 * bytes under names of ours (sanitised label, suffix on collision, never
 * overwriting), 0600, renamed into place once the whole is verified.
 *   each  told of every file written: its name in dir, the object and its
 *         length; may be NULL
 * One that is not to be had, or was damaged here, does not stop the others.
 * CS_OK, CS_PARTIAL (an attachment never came), CS_BAD_MAC, CS_MALFORMED or
 * CS_CORRUPT (damaged here), CS_FULL, CS_IO, CS_NO_MEMORY.
 */
typedef void cs_inbox_saved(void *ctx, const char *name,
    const struct cs_manifest_object *object);
CS_MUST_USE cs_err cs_inbox_save(struct cs_client *c,
    const struct cs_inbox_message *m, const char *dir, cs_inbox_saved *each,
    void *ctx);

#endif
