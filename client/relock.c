#include "client/relock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/passphrase.h"
#include "keys/kdf.h"

const struct cs_option cs_relock_options[] = {
	{ "new-passphrase-fd", CS_OPTION_ONE, "N",
	    "read the new passphrase from descriptor N instead of the "
	    "terminal" },
	{ "unattended", CS_OPTION_FLAG, NULL,
	    "no passphrase: seal the keys by a key file (0600) beside them" },
	{ 0 },
};

cs_err
cs_relock_key_file(const char *keyring, char ret[static CS_RELOCK_PATH_BYTES])
{
	static const char ending[] = ".keyring";
	size_t n = strlen(keyring), k = sizeof(ending) - 1;
	int len;

	if (n > k && strcmp(keyring + n - k, ending) == 0)
		n -= k;
	len = snprintf(ret, CS_RELOCK_PATH_BYTES, "%.*s.key", (int)n, keyring);
	return len < 0 || len >= CS_RELOCK_PATH_BYTES ? CS_USAGE : CS_OK;
}

/* Where there is no file yet, the most that one can take. */
static void
explain_memory(const char *keyring, struct cs_why *why)
{
	struct cs_keyring_info info = { .unlock_bytes = CS_KDF_MEM_BYTES_MAX };
	const bool is_new = cs_keyring_peek(keyring, &info) != CS_OK;

	cs_why_set(why,
	    "%s: its passphrase takes %s%" PRIu32 " MiB of memory, %" PRIu64
	    " MiB are free: end other programs, then try again",
	    keyring, is_new ? "up to " : "", info.unlock_bytes >> 20,
	    cs_kdf_available("") >> 20);
}

void
cs_relock_explain(const char *keyring, cs_err e, struct cs_why *why)
{
	if (e == CS_NO_MEMORY)
		explain_memory(keyring, why);
	else if (e == CS_DENIED)
		cs_why_set(why,
		    "keyring %s, or its key file beside it, can be read by "
		    "others: chmod 600 both",
		    keyring);
	else if (e != CS_OK)
		cs_why_set(why, "keyring %s", keyring);
}

void
cs_relock_explain_backup(const char *path, cs_err e, struct cs_why *why)
{
	if (e == CS_NO_MEMORY)
		cs_why_set(why,
		    "%s: to seal or open a backup takes 1 GiB of memory, "
		    "%" PRIu64 " MiB are free: end other programs, then try "
		    "again",
		    path, cs_kdf_available("") >> 20);
	else if (e != CS_OK)
		cs_why_set(why, "backup %s", path);
}

/* A passphrase, unless --unattended. */
static cs_err
choose(const struct cs_options *o, struct cs_why *why, struct cs_secret **ret)
{
	if (!cs_options_has(o, "unattended"))
		return cs_passphrase_option(o, "new-passphrase-fd",
		    "new passphrase", true, why, ret);
	if (!cs_options_has(o, "new-passphrase-fd"))
		return CS_OK;
	cs_why_set(why,
	    "--unattended and --new-passphrase-fd exclude each other");
	return CS_USAGE;
}

static void
explain_change(const char *keyring, cs_err e, struct cs_why *why)
{
	if (e == CS_EXISTS)
		cs_why_set(why, "%s is sealed by a key file already", keyring);
	else if (e == CS_FULL || e == CS_IO)
		cs_why_set(why, "writing %s; it is locked as before", keyring);
	else
		cs_relock_explain(keyring, e, why);
}

cs_err
cs_relock_run(const char *keyring, const struct cs_keyring_lock *from,
    const struct cs_options *o, struct cs_why *why,
    struct cs_secret **ret_new_key)
{
	char key_file[CS_RELOCK_PATH_BYTES];
	struct cs_keyring_lock to = { 0 };
	struct cs_secret *passphrase = NULL;
	cs_err e;

	CS_TRY(cs_relock_key_file(keyring, key_file));
	CS_TRY(choose(o, why, &passphrase));
	to.passphrase = passphrase;
	if (!passphrase)
		to.key_file = key_file;
	e = cs_keyring_relock(keyring, from, &to, ret_new_key);
	explain_change(keyring, e, why);
out:
	cs_secret_free(passphrase);
	return e;
}
