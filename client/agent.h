#ifndef CS_CLIENT_AGENT_H
#define CS_CLIENT_AGENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

#include "client/home.h"
#include "client/why.h"
#include "keys/secret.h"
#include "proto/base/err.h"

/*
 * `consil agent`: a process that holds the key of one home's keyring, so that
 * its user gives the passphrase once. It signs and opens nothing itself: it
 * hands that key to processes of the same user, who could read the home anyway
 * once it is unlocked. Its socket, CS_HOME_AGENT, is 0600 in a 0700 folder,
 * and both sides ask the kernel who the other one is.
 */

struct cs_agent_status {
	pid_t pid;
	bool unlocked;
	uint64_t left_s; /* until it locks itself; 0 if it is locked */
};

/*
 * The key that cs_keyring_lock_key gave; counts as use.
 * CS_OK, CS_NOT_FOUND (no agent is running), CS_NO_KEY (it is locked),
 * CS_DENIED (the socket is another user's), CS_TIMEOUT (it does not answer),
 * CS_MALFORMED or CS_UNSUPPORTED (what answers is no agent of this version),
 * CS_IO, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_agent_get(const struct cs_home *h,
    struct cs_secret **ret_key);

/*
 * Gives it a key to hold.
 *   timeout_s  locks itself after so long without use; 0: as before, and only
 *              if it is unlocked
 * As above; CS_NO_KEY: timeout_s is 0 and it is locked.
 */
CS_MUST_USE cs_err cs_agent_put(const struct cs_home *h,
    const struct cs_secret *key, uint64_t timeout_s);

/* Makes it forget the key; makes it end. Errors as above. */
CS_MUST_USE cs_err cs_agent_lock(const struct cs_home *h);
CS_MUST_USE cs_err cs_agent_stop(const struct cs_home *h);

/* What it is at; no use in the sense of its time-out. Errors as above. */
CS_MUST_USE cs_err cs_agent_status(const struct cs_home *h,
    struct cs_agent_status *ret);

/*
 * Where its socket is, by a path that fits however long the home's is.
 *   ret_dir  descriptor of the home, open as long as the path is used; the
 *            caller closes it
 * CS_OK, CS_IO.
 */
CS_MUST_USE cs_err cs_agent_address(const struct cs_home *h,
    struct sockaddr_un *ret, int *ret_dir);

/* Who is at the other end of a connection: the process, if it is one of this
 * user. CS_OK, CS_DENIED, CS_IO. */
CS_MUST_USE cs_err cs_agent_peer(int fd, pid_t *ret);

#endif
