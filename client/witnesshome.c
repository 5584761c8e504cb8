#include "client/witnesshome.h"

#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/file.h"
#include "keys/quorum.h"
#include "proto/armour.h"
#include "proto/card.h"

#define FILE_MAX_BYTES (256u << 10)

/* ------------------------------------------------------------------- files */

cs_err
cs_witnesshome_path(const char *dir, const char *name, struct cs_why *why,
    char ret[static CS_WITNESSHOME_PATH_BYTES])
{
	int n = snprintf(ret, CS_WITNESSHOME_PATH_BYTES, "%s/%s", dir, name);

	if (n >= 0 && n < CS_WITNESSHOME_PATH_BYTES)
		return CS_OK;
	cs_why_set(why, "%s: too long a path", dir);
	return CS_USAGE;
}

static void
explain_keyring(const char *dir, cs_err e, struct cs_why *why)
{
	if (e == CS_NOT_FOUND)
		cs_why_set(why,
		    "%s: no witness there; make one with `consil-admin witness "
		    "new DIR --name NAME`",
		    dir);
	else if (e != CS_OK)
		cs_why_set(why, "keyring %s/" CS_WITNESSHOME_KEYRING, dir);
}

cs_err
cs_witnesshome_needs_passphrase(const char *dir, struct cs_why *why, bool *ret)
{
	char path[CS_WITNESSHOME_PATH_BYTES];
	struct cs_keyring_info info;
	cs_err e;

	CS_TRY(cs_witnesshome_path(dir, CS_WITNESSHOME_KEYRING, why, path));
	e = cs_keyring_peek(path, &info);
	if (e == CS_OK && info.kind != CS_KEYRING_WITNESS)
		e = CS_NOT_FOUND;
	explain_keyring(dir, e, why);
	CS_TRY(e);
	*ret = !info.unattended;
out:
	return e;
}

/* ------------------------------------------------------------------ making */

/* Only these may be there: what an earlier call was broken off at. */
static cs_err
check_folder(const char *dir, struct cs_why *why)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	cs_err e = CS_OK;

	if (!d) {
		cs_why_set(why, "%s: %s", dir, strerror(errno));
		return CS_IO;
	}
	while ((entry = readdir(d)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 &&
		    strncmp(entry->d_name, CS_WITNESSHOME_KEYRING,
			strlen(CS_WITNESSHOME_KEYRING)) != 0)
			e = CS_EXISTS;
	}
	closedir(d);
	if (e != CS_OK)
		cs_why_set(why, "%s: name a folder that is empty or not there",
		    dir);
	return e;
}

static cs_err
make_folder(const char *dir, struct cs_why *why)
{
	if (mkdir(dir, 0700) == 0)
		return CS_OK;
	if (errno == EEXIST)
		return check_folder(dir, why);
	cs_why_set(why, "%s: %s", dir, strerror(errno));
	return CS_IO;
}

static cs_err
make_keyring(const char *path, const struct cs_keyring_lock *lock,
    struct cs_keyring **ret)
{
	static const uint8_t none[CS_NETWORK_ID_BYTES];
	uint8_t id[CS_ID_BYTES];
	cs_err e;

	if (access(path, F_OK) == 0)
		return cs_keyring_load(path, lock, ret);
	randombytes_buf(id, sizeof(id));
	CS_TRY(cs_keyring_new(CS_KEYRING_WITNESS, none, id, none, ret));
	CS_TRY(cs_keyring_save(*ret, path, lock, false));
out:
	return e;
}

/* The card, for the registrar. Last: a folder with a card is whole. */
static cs_err
write_card(const char *path, const struct cs_buf *binary, struct cs_bytes name)
{
	struct cs_buf human = { 0 }, text = { 0 };
	cs_err e;

	cs_buf_printf(&human,
	    "Card of the witness \"%.*s\", for the registrar of a network:\n"
	    "consil-admin witness add FILE -o NETWORK-FILE\n",
	    (int)name.n, (const char *)name.p);
	cs_buf_put_u8(&human, 0);
	CS_TRY(cs_buf_err(&human));
	cs_armour_encode(CS_CARD_ARMOUR, cs_buf_view(binary),
	    (const char *)human.p, &text);
	CS_TRY(cs_buf_err(&text));
	CS_TRY(cs_file_write(path, cs_buf_view(&text), 0644, false));
out:
	cs_buf_fini(&human);
	cs_buf_fini(&text);
	return e;
}

cs_err
cs_witnesshome_make(const char *dir, struct cs_bytes name,
    const struct cs_secret *passphrase, struct cs_why *why,
    struct cs_keyring_info *ret)
{
	char path[CS_WITNESSHOME_PATH_BYTES], key[CS_WITNESSHOME_PATH_BYTES];
	struct cs_keyring_lock lock = { .passphrase = passphrase };
	struct cs_keyring *kr = NULL;
	struct cs_buf binary = { 0 };
	cs_err e;

	CS_TRY(name.n > 0 ? CS_OK : CS_MALFORMED);
	CS_TRY(cs_witnesshome_path(dir, CS_WITNESSHOME_KEY_FILE, why, key));
	if (!passphrase)
		lock.key_file = key;
	CS_TRY(make_folder(dir, why));
	CS_TRY(cs_witnesshome_path(dir, CS_WITNESSHOME_KEYRING, why, path));
	e = make_keyring(path, &lock, &kr);
	if (e != CS_OK)
		cs_why_set(why, "%s", path);
	CS_TRY(e);
	CS_TRY(cs_quorum_make_card(kr, name, &binary));
	CS_TRY(cs_witnesshome_path(dir, CS_WITNESSHOME_CARD, why, path));
	e = write_card(path, &binary, name);
	if (e != CS_OK)
		cs_why_set(why, "writing %s", path);
	CS_TRY(e);
	*ret = *cs_keyring_info(kr);
out:
	cs_keyring_free(kr);
	cs_buf_fini(&binary);
	return e;
}

/* ----------------------------------------------------------- its network */

/* The file as text; its bytes and fields. */
static cs_err
read_network(const char *path, bool private, struct cs_buf *text,
    struct cs_buf *binary, struct cs_witnessfile *ret)
{
	cs_err e;

	CS_TRY(cs_file_read(path, FILE_MAX_BYTES, private, text));
	CS_TRY(cs_armour_decode(CS_WITNESSFILE_ARMOUR, cs_buf_view(text),
	    binary));
	CS_TRY(cs_witnessfile_decode(cs_buf_view(binary), ret));
out:
	return e;
}

/* Is it for this witness, and of the network that it watches already? */
static cs_err
check_network(const char *dir, const char *file,
    const struct cs_witnessfile *new, struct cs_why *why)
{
	char path[CS_WITNESSHOME_PATH_BYTES];
	struct cs_buf text = { 0 }, binary = { 0 };
	struct cs_keyring_info info;
	struct cs_witnessfile old;
	cs_err e;

	CS_TRY(cs_witnesshome_path(dir, CS_WITNESSHOME_KEYRING, why, path));
	e = cs_keyring_peek(path, &info);
	explain_keyring(dir, e, why);
	CS_TRY(e);
	if (memcmp(info.id, new->witness_id, CS_ID_BYTES) != 0) {
		cs_why_set(why, "%s is for another witness", file);
		e = CS_DENIED;
		goto out;
	}
	CS_TRY(cs_witnesshome_path(dir, CS_WITNESSHOME_NETWORK, why, path));
	e = read_network(path, true, &text, &binary, &old);
	if (e == CS_NOT_FOUND) {
		e = CS_OK;
		goto out;
	}
	if (e == CS_OK &&
	    memcmp(old.network_id, new->network_id, CS_NETWORK_ID_BYTES) != 0)
		e = CS_WRONG_NETWORK;
	if (e != CS_OK)
		cs_why_set(why,
		    "%s: %s holds the network that this witness watches; make "
		    "another witness for another network",
		    file, path);
out:
	cs_buf_fini(&text);
	cs_buf_fini(&binary);
	return e;
}

cs_err
cs_witnesshome_adopt(const char *dir, const char *file, struct cs_why *why)
{
	char path[CS_WITNESSHOME_PATH_BYTES];
	struct cs_buf text = { 0 }, binary = { 0 };
	struct cs_witnessfile v;
	cs_err e;

	e = read_network(file, false, &text, &binary, &v);
	if (e != CS_OK)
		cs_why_set(why,
		    "%s: give the file that `consil-admin witness add` wrote",
		    file);
	CS_TRY(e);
	CS_TRY(check_network(dir, file, &v, why));
	CS_TRY(cs_witnesshome_path(dir, CS_WITNESSHOME_NETWORK, why, path));
	e = cs_file_write(path, cs_buf_view(&text), 0600, true);
	if (e != CS_OK)
		cs_why_set(why, "writing %s", path);
out:
	cs_buf_fini(&text);
	cs_buf_fini(&binary);
	return e;
}

cs_err
cs_witnesshome_network(const char *dir, struct cs_why *why,
    struct cs_buf *ret_binary, struct cs_witnessfile *ret)
{
	char path[CS_WITNESSHOME_PATH_BYTES];
	struct cs_buf text = { 0 };
	cs_err e;

	CS_TRY(cs_witnesshome_path(dir, CS_WITNESSHOME_NETWORK, why, path));
	e = read_network(path, true, &text, ret_binary, ret);
	if (e == CS_NOT_FOUND)
		cs_why_set(why,
		    "%s: this witness has no network yet; give the registrar "
		    "%s/" CS_WITNESSHOME_CARD
		    " and begin with --network-file FILE",
		    dir, dir);
	else if (e != CS_OK)
		cs_why_set(why, "%s", path);
out:
	cs_buf_fini(&text);
	return e;
}

cs_err
cs_witnesshome_keyring(const char *dir, const struct cs_secret *passphrase,
    struct cs_why *why, struct cs_keyring **ret)
{
	char path[CS_WITNESSHOME_PATH_BYTES], key[CS_WITNESSHOME_PATH_BYTES];
	struct cs_keyring_lock how = { .passphrase = passphrase };
	struct cs_keyring *kr = NULL;
	cs_err e;

	CS_TRY(cs_witnesshome_path(dir, CS_WITNESSHOME_KEYRING, why, path));
	CS_TRY(cs_witnesshome_path(dir, CS_WITNESSHOME_KEY_FILE, why, key));
	if (!passphrase)
		how.key_file = key;
	e = cs_keyring_load(path, &how, &kr);
	if (e == CS_OK && cs_keyring_info(kr)->kind != CS_KEYRING_WITNESS)
		e = CS_NOT_FOUND;
	explain_keyring(dir, e, why);
	CS_TRY(e);
	*ret = kr;
	kr = NULL;
out:
	cs_keyring_free(kr);
	return e;
}
