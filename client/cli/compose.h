#ifndef CS_CLIENT_CLI_COMPOSE_H
#define CS_CLIENT_CLI_COMPOSE_H

#include "client/cli/cli.h"
#include "proto/base/err.h"
#include "proto/casefile.h"
#include "proto/envelope.h"
#include "proto/manifest.h"

/* Options of whatever carries a case file: attach, imaging and what
 * goes with it, expires, stale-ok. Ends with a NULL name. */
extern const struct cs_option cs_compose_options[];

struct cs_compose {
	enum cs_content content_kind;
	enum cs_class class;
	const char *subject, *question; /* "" in a reply without */
	const char *note_path;          /* - for standard input; NULL: */
	const char *words;              /* what stands in its place */
	const struct cs_bytes *to;
	uint32_t n_to;
	const uint8_t *reply_to;   /* or NULL */
	const uint8_t *thread_id;  /* that it belongs to; NULL: a new one, or
				      that of what is answered */
	bool is_to_author;         /* of what was forwarded */
	uint64_t answer_by_s;      /* 0: none */
	const uint8_t *supersedes; /* envelope_id sent from here, or NULL */
	/* whom what is answered or added to is about; NULL: not known */
	const struct cs_casefile_patient *patient;
	bool leaves_out; /* to all who can be sent to when it is sealed */
};

/*
 * Builds the case file from the options of cli, accepts it into the outbox,
 * tries to deliver it and prints the id as the last line.
 * CS_OK (also where it waits in the outbox), CS_USAGE, CS_NOT_FOUND,
 * CS_TOO_LARGE, CS_MALFORMED (text or imaging), CS_CLASH (another patient)
 * and the errors of cs_outbox_add; the message's own failure if it turned out
 * undeliverable at once.
 */
CS_MUST_USE cs_err cs_compose_send(struct cs_cli *cli,
    const struct cs_compose *what);

/* What ends every verb that sends: tries to deliver what was accepted, says
 * where it stands and to whom of a group it went, and prints the id as the last
 * line. CS_OK, or the message's own failure. */
CS_MUST_USE cs_err cs_compose_end(struct cs_cli *cli,
    const uint8_t id[static CS_ID_BYTES]);

/* --expires in seconds; 0 if not given. CS_OK, CS_USAGE. */
CS_MUST_USE cs_err cs_compose_lifetime(struct cs_cli *cli, uint64_t *ret_s);

#endif
