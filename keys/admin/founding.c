#include "keys/admin/founding.h"

#include <string.h>
#include <unistd.h>

#include "keys/enrol.h"
#include "keys/file.h"
#include "proto/field.h"

#define GENESIS_MAX_BYTES (1u << 20)

static cs_err
explain_name(struct cs_admin *admin, cs_err e)
{
	if (e != CS_MALFORMED && e != CS_TOO_LARGE)
		return e;
	cs_why_set(&admin->why, "--name must be 1 to %d bytes of UTF-8 text",
	    CS_LIMIT_NAME_BYTES);
	return CS_USAGE;
}

cs_err
cs_founding_pack_registrar(struct cs_admin *admin,
    const uint8_t root_id[static CS_ID_BYTES],
    const uint8_t id[static CS_ID_BYTES],
    const uint8_t key[static CS_SIGN_PUBLIC_BYTES], struct cs_bytes name,
    uint64_t valid_until_s, uint64_t prev, struct cs_buf *cores)
{
	struct cs_entry_registrar v = {
		.valid_until_s = valid_until_s,
		.name = name,
	};
	struct cs_buf body = { 0 };
	cs_err e;

	memcpy(v.key, key, sizeof(v.key));
	CS_TRY(explain_name(admin, cs_entry_registrar_encode(&v, &body)));
	CS_TRY(cs_quorum_pack(CS_ENTRY_REGISTRAR, root_id, id, prev,
	    cs_admin_now(), cs_buf_view(&body), cores));
out:
	cs_buf_fini(&body);
	return e;
}

cs_err
cs_founding_pack_root(struct cs_admin *admin,
    const struct cs_ceremony_root *root, uint32_t version, struct cs_bytes name,
    const uint8_t root_id[static CS_ID_BYTES], uint64_t prev,
    struct cs_buf *cores)
{
	struct cs_entry_root v = {
		.version = version,
		.threshold = root->threshold,
		.n_keys = root->n_keys,
		.keys = { &root->keys[0][0],
		    (size_t)root->n_keys * CS_SIGN_PUBLIC_BYTES },
		.name = name,
	};
	struct cs_buf body = { 0 };
	cs_err e;

	CS_TRY(explain_name(admin, cs_entry_root_encode(&v, &body)));
	CS_TRY(cs_quorum_pack(CS_ENTRY_ROOT, root_id, NULL, prev,
	    cs_admin_now(), cs_buf_view(&body), cores));
out:
	cs_buf_fini(&body);
	return e;
}

/* ----------------------------------------------------------------- keyrings */

static cs_err
load_registrar(struct cs_admin *admin, struct cs_keyring **ret)
{
	struct cs_secret *passphrase = NULL;
	cs_err e;

	CS_TRY(cs_admin_passphrase(admin, &passphrase));
	CS_TRY(cs_network_load_registrar(admin->dir, passphrase, &admin->why,
	    ret));
out:
	cs_secret_free(passphrase);
	return e;
}

static cs_err
load_relay(struct cs_admin *admin, struct cs_keyring **ret)
{
	char path[CS_NETWORK_PATH_BYTES], key_file[CS_NETWORK_PATH_BYTES];
	const struct cs_keyring_lock lock = { .key_file = key_file };
	cs_err e;

	CS_TRY(cs_network_path(admin->dir, CS_NETWORK_RELAY_KEYRING, path));
	CS_TRY(cs_network_path(admin->dir, CS_NETWORK_RELAY_KEY, key_file));
	e = cs_keyring_load(path, &lock, ret);
	if (e != CS_OK)
		cs_why_set(&admin->why, "%s", path);
out:
	return e;
}

/* ----------------------------------------------------------------- founding */

static cs_err
put_entry(struct cs_buf *genesis, struct cs_buf *entry)
{
	cs_field_put_var32(genesis, cs_buf_view(entry));
	cs_buf_reset(entry);
	return cs_buf_err(genesis);
}

/* What the root signed, and the relay, which the registrar signs. */
static cs_err
make_genesis(const struct cs_ceremony_request *r,
    const struct cs_keyring *registrar, const struct cs_keyring *relay,
    struct cs_buf *ret)
{
	struct cs_buf entry = { 0 };
	cs_err e;

	for (uint8_t i = 0; i < r->q.req.n_cores; i++) {
		CS_TRY(cs_quorum_entry(&r->q, cs_buf_view(&r->rows), i,
		    &entry));
		CS_TRY(put_entry(ret, &entry));
	}
	CS_TRY(cs_enrol_relay(registrar, cs_keyring_info(relay),
	    r->q.req.relay_url, CS_ENTRY_NO_PREV, cs_admin_now(), &entry));
	CS_TRY(put_entry(ret, &entry));
out:
	cs_buf_fini(&entry);
	return e;
}

/* Would a relay begin with it? */
static cs_err
check_genesis(const struct cs_keyring *registrar, const struct cs_buf *genesis)
{
	struct cs_directory *dir = NULL;
	cs_err e;

	CS_TRY(cs_directory_new(cs_keyring_info(registrar)->network_id, &dir));
	CS_TRY(cs_directory_found(dir, cs_buf_view(genesis), cs_admin_now()));
out:
	cs_directory_free(dir);
	return e;
}

cs_err
cs_founding_complete(struct cs_admin *admin,
    const struct cs_ceremony_request *r)
{
	struct cs_keyring *registrar = NULL, *relay = NULL;
	char path[CS_NETWORK_PATH_BYTES];
	struct cs_buf genesis = { 0 };
	cs_err e;

	CS_TRY(load_registrar(admin, &registrar));
	CS_TRY(load_relay(admin, &relay));
	if (memcmp(cs_keyring_info(registrar)->network_id, r->q.req.network_id,
		CS_NETWORK_ID_BYTES) != 0) {
		cs_why_set(&admin->why,
		    "the request founds another network than that of %s",
		    admin->dir);
		e = CS_WRONG_NETWORK;
		goto out;
	}
	CS_TRY(cs_network_path(admin->dir, CS_NETWORK_GENESIS, path));
	if (access(path, F_OK) == 0)
		goto out;
	CS_TRY(make_genesis(r, registrar, relay, &genesis));
	e = check_genesis(registrar, &genesis);
	if (e != CS_OK)
		cs_why_set(&admin->why,
		    "the request does not found the network of %s", admin->dir);
	CS_TRY(e);
	e = cs_file_write(path, cs_buf_view(&genesis), 0600, false);
	if (e != CS_OK)
		cs_why_set(&admin->why, "writing %s", path);
out:
	cs_keyring_free(registrar);
	cs_keyring_free(relay);
	cs_buf_fini(&genesis);
	return e;
}

/* ------------------------------------------------------------------ joining */

/* Whether the root signed for this registrar, with this key. */
static bool
is_signed_for(const struct cs_quorum *q, const struct cs_keyring_info *info)
{
	for (uint8_t i = 0; i < q->req.n_cores; i++) {
		struct cs_quorum_core core = cs_quorum_core(q, i);
		struct cs_entry_registrar v;

		/* public keys and ids */
		if (core.entry.type == CS_ENTRY_REGISTRAR &&
		    memcmp(core.entry.subject, info->id, CS_ID_BYTES) == 0 &&
		    cs_entry_registrar_decode(core.entry.body, &v) == CS_OK &&
		    memcmp(v.key, info->sign_key, sizeof(v.key)) == 0)
			return true;
	}
	return false;
}

/* The request first: a keyring that names a network can do without it only
 * once there is a mirror. */
static cs_err
join(struct cs_admin *admin, const struct cs_ceremony_request *r,
    struct cs_keyring *registrar)
{
	char path[CS_NETWORK_PATH_BYTES];
	cs_err e;

	CS_TRY(cs_network_path(admin->dir, CS_NETWORK_REQUEST, path));
	if (access(path, F_OK) == 0 && unlink(path) != 0)
		CS_TRY(CS_IO);
	CS_TRY(cs_ceremony_write_request(admin, &r->q.req,
	    cs_buf_view(&r->rows), path));
	CS_TRY(cs_network_path(admin->dir, CS_NETWORK_REGISTRAR_KEYRING, path));
	cs_keyring_set_network(registrar, r->q.req.network_id);
	e = cs_keyring_save(registrar, path, NULL, true);
	if (e != CS_OK)
		cs_why_set(&admin->why, "writing %s", path);
out:
	return e;
}

cs_err
cs_founding_join(struct cs_admin *admin, const struct cs_ceremony_request *r,
    bool *ret_joined)
{
	const struct cs_keyring_info *info;
	struct cs_keyring *registrar = NULL;
	char path[CS_NETWORK_PATH_BYTES];
	struct cs_keyring_info peek;
	cs_err e;

	*ret_joined = false;
	CS_TRY(cs_network_path(admin->dir, CS_NETWORK_REGISTRAR_KEYRING, path));
	/* no passphrase is asked for where there is nothing to do */
	if (cs_keyring_peek(path, &peek) == CS_OK &&
	    !cs_field_is_zero(peek.network_id, sizeof(peek.network_id)))
		return CS_OK;
	CS_TRY(load_registrar(admin, &registrar));
	info = cs_keyring_info(registrar);
	if (!is_signed_for(&r->q, info)) {
		cs_why_set(&admin->why,
		    "the request is not about the registrar of %s", admin->dir);
		e = CS_WRONG_NETWORK;
		goto out;
	}
	CS_TRY(join(admin, r, registrar));
	*ret_joined = true;
out:
	cs_keyring_free(registrar);
	return e;
}
