#ifndef CS_CLIENT_CASEPAGE_H
#define CS_CLIENT_CASEPAGE_H

#include <stdint.h>

#include "client/client.h"
#include "client/thread.h"
#include "proto/base/err.h"

/*
 * A case as one self-contained HTML page, fit for print: its messages in order,
 * images that can be shown, who signed, and what was stated of each. No script,
 * nothing from elsewhere, and a policy in it that forbids both; what others
 * wrote is text there and nothing else. Plaintext: for whom asked for it.
 */
struct cs_casepage_report {
	uint32_t n_messages, n_images, n_not_shown;
};

/*
 * Writes the page to fd, message by message.
 *   t  as cs_thread_load gave it
 * CS_OK, CS_CORRUPT, CS_FULL, CS_IO, CS_NO_MEMORY; after a failure what was
 * written is no page.
 */
CS_MUST_USE cs_err cs_casepage_write(struct cs_client *c,
    const struct cs_thread *t, int fd, struct cs_casepage_report *ret);

#endif
