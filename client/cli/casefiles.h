#ifndef CS_CLIENT_CLI_CASEFILES_H
#define CS_CLIENT_CLI_CASEFILES_H

#include "client/cli/cli.h"
#include "client/cli/compose.h"
#include "client/inbox.h"
#include "client/sent.h"
#include "client/thread.h"
#include "proto/manifest.h"

/* What the verbs `case …` share. */

/* The thread that operand 0 names. Errors of cs_thread_find and load. */
CS_MUST_USE cs_err cs_casefiles_load(struct cs_cli *cli, const char *text,
    struct cs_thread *ret);

/* Subject of the first message that has one; appended. Errors of the store. */
CS_MUST_USE cs_err cs_casefiles_subject(struct cs_cli *cli,
    const struct cs_thread *t, struct cs_buf *ret);

/* "request", "reply", "forward", …; never NULL for a kind that is no receipt.
 */
const char *cs_casefiles_kind_name(enum cs_content kind);

/* Sends a message that belongs to the thread which text names: to everybody in
 * it, where what names nobody. CS_EXISTS: the case is closed, or open, already;
 * CS_NOT_FOUND: no such case, nobody else is in it; errors of cs_compose_send.
 */
CS_MUST_USE cs_err cs_casefiles_turn(struct cs_cli *cli, const char *text,
    struct cs_compose *what);

/* The options of the verbs that say one thing of a case, and what these do.
 *   words  what is said without --note
 * As cs_casefiles_turn. */
extern const struct cs_option cs_casefiles_options[];
CS_MUST_USE cs_err cs_casefiles_say(struct cs_cli *cli, enum cs_content kind,
    const char *words);

/* The case file of one message that came or was sent; views borrow from it. */
struct cs_casefiles_one {
	struct cs_inbox_message came;
	struct cs_sent_message sent;
	const struct cs_casefile *cf;
};

/*
 *   text  as a human types an id
 *   ret   `{ 0 }`; shut it also after a failure
 * CS_OK, CS_NOT_FOUND, CS_USAGE, CS_NOTHING (it holds no case), errors of the
 * store.
 */
CS_MUST_USE cs_err cs_casefiles_open(struct cs_cli *cli, const char *text,
    struct cs_casefiles_one *ret);
void cs_casefiles_shut(struct cs_casefiles_one *one);

#endif
