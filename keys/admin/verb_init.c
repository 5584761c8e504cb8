#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/passphrase.h"
#include "client/relock.h"
#include "keys/admin/founding.h"
#include "keys/admin/relayconf.h"
#include "keys/admin/verbs.h"
#include "keys/enrol.h"
#include "keys/file.h"
#include "proto/field.h"

#define MAX_LISTEN       8
#define REGISTRAR_YEARS  5
#define YEAR_S           (UINT64_C(365) * 86400)
#define CONF_VALUE_BYTES 180 /* a line of relay.conf has at most 197 */

static const struct cs_option options[] = {
	{ "name", CS_OPTION_ONE, "NAME", "what the network is called" },
	{ "listen", CS_OPTION_MANY, "URL",
	    "where the relay listens: tcp://, tls+tcp:// or ws:// and "
	    "ADDRESS:PORT" },
	{ "url", CS_OPTION_ONE, "URL",
	    "where members reach the relay (default: the first --listen)" },
	{ "root-key", CS_OPTION_MANY, "CARD",
	    "public card of an off-line root key (`root new`); once for each" },
	{ "threshold", CS_OPTION_ONE, "K", "how many of them must sign" },
	{ "ask-passphrase", CS_OPTION_FLAG, NULL,
	    "seal root and registrar by a passphrase, asked for here" },
	{ 0 },
};

/* One network being founded. */
struct founding {
	struct cs_admin *admin;
	const char *dir, *name, *url;
	const char *listen[MAX_LISTEN];
	size_t n_listen;
	struct cs_secret *passphrase;   /* NULL: key files */
	struct cs_ceremony_root quorum; /* n_keys 0: one root key, made here */
	struct cs_keyring *root, *registrar, *relay;
	uint64_t registrar_until_s;
	struct cs_buf genesis; /* of a root that is here */
	struct cs_buf request; /* cores for a root that is elsewhere */
	struct cs_signing asks;
};

/* ---------------------------------------------------------------- the line */

/* The number behind the last colon of what follows the scheme. */
static bool
has_port(const char *host)
{
	const char *colon = strrchr(host, ':');
	char *end = NULL;
	unsigned long port;

	if (!colon || colon[1] < '0' || colon[1] > '9')
		return false;
	port = strtoul(colon + 1, &end, 10);
	return port <= 65535 && (*end == '\0' || *end == '/');
}

static cs_err
check_url(struct cs_admin *admin, const char *url)
{
	static const char *const schemes[] = { "tcp://", "tls+tcp://",
		"ws://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(*schemes); i++) {
		size_t n = strlen(schemes[i]);

		if (strncmp(url, schemes[i], n) == 0 && has_port(url + n) &&
		    strlen(url) <= CONF_VALUE_BYTES &&
		    strpbrk(url, " \t\r\n;#") == NULL)
			return CS_OK;
	}
	cs_why_set(&admin->why,
	    "%s is no URL like tcp://relay.example:7700 (or tls+tcp://, ws://)",
	    url);
	return CS_USAGE;
}

/* An address that means "all of mine" is nothing that others can dial. */
static cs_err
check_reachable(struct cs_admin *admin, const char *url)
{
	const char *host = strstr(url, "://") + 3;

	if (strncmp(host, "0.0.0.0:", 8) != 0 &&
	    strncmp(host, "[::]:", 5) != 0 && strncmp(host, "*:", 2) != 0 &&
	    host[0] != ':' && strcmp(strrchr(host, ':'), ":0") != 0)
		return CS_OK;
	cs_why_set(&admin->why,
	    "members cannot dial %s; say with --url where they reach the relay",
	    url);
	return CS_USAGE;
}

static cs_err
read_line(struct founding *f)
{
	const struct cs_options *o = f->admin->options;
	const char *url;
	cs_err e;

	f->dir = cs_options_operand(o, 0);
	CS_TRY(cs_admin_required(f->admin, "name", &f->name));
	CS_TRY(cs_admin_required(f->admin, "listen", &f->url));
	for (size_t i = 0; (url = cs_options_value(o, "listen", i)); i++) {
		if (i == MAX_LISTEN) {
			cs_why_set(&f->admin->why, "at most %d --listen",
			    MAX_LISTEN);
			return CS_USAGE;
		}
		CS_TRY(check_url(f->admin, url));
		f->listen[f->n_listen++] = url;
	}
	if (cs_options_has(o, "url"))
		f->url = cs_options_get(o, "url");
	CS_TRY(check_url(f->admin, f->url));
	CS_TRY(check_reachable(f->admin, f->url));
	if (cs_options_has(o, "root-key") || cs_options_has(o, "threshold"))
		CS_TRY(cs_ceremony_read_root(f->admin, &f->quorum));
	if (cs_options_has(o, "threshold") && f->quorum.n_keys == 0) {
		cs_why_set(&f->admin->why, "--threshold needs --root-key");
		e = CS_USAGE;
	}
out:
	return e;
}

static cs_err
read_passphrase(struct founding *f)
{
	const char *fd = cs_options_get(f->admin->options, "passphrase-fd");

	if (fd)
		return cs_passphrase_from_fd(fd, &f->admin->why,
		    &f->passphrase);
	if (cs_options_has(f->admin->options, "ask-passphrase"))
		return cs_passphrase_ask("new passphrase of root and registrar",
		    true, &f->admin->why, &f->passphrase);
	return CS_OK;
}

/* ------------------------------------------------------------------ folder */

static bool
is_empty(const char *dir)
{
	DIR *d = opendir(dir);
	const struct dirent *entry;
	bool empty = d != NULL;

	while (d && (entry = readdir(d))) {
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			empty = false;
	}
	if (d)
		closedir(d);
	return empty;
}

static cs_err
make_folder(struct founding *f)
{
	bool exists;

	if (mkdir(f->dir, 0700) == 0)
		return CS_OK;
	exists = errno == EEXIST;
	if (exists && is_empty(f->dir) && chmod(f->dir, 0700) == 0)
		return CS_OK;
	if (exists) {
		cs_why_set(&f->admin->why,
		    "%s is there already and is no empty folder of yours",
		    f->dir);
		return CS_EXISTS;
	}
	cs_why_set(&f->admin->why, "%s: %s", f->dir, strerror(errno));
	return CS_IO;
}

/* After a failure: nothing half made stays, so that it can be tried again. */
static void
remove_files(const struct founding *f)
{
	char path[CS_NETWORK_PATH_BYTES];

	for (unsigned i = 0; i < CS_NETWORK_FILES; i++) {
		if (cs_network_path(f->dir, i, path) == CS_OK)
			unlink(path);
	}
}

/* -------------------------------------------------------------------- keys */

static cs_err
make_keyring(enum cs_keyring_kind kind, struct cs_keyring **ret)
{
	static const uint8_t none[CS_NETWORK_ID_BYTES];
	uint8_t id[CS_ID_BYTES];

	randombytes_buf(id, sizeof(id));
	return cs_keyring_new(kind, none, id, none, ret);
}

static cs_err
put_entry(struct founding *f, struct cs_buf *entry)
{
	cs_field_put_var32(&f->genesis, cs_buf_view(entry));
	cs_buf_reset(entry);
	return cs_buf_err(&f->genesis);
}

/* The root key is made here: its two signatures, and the registrar's. */
static cs_err
make_genesis(struct founding *f)
{
	uint64_t now_s = cs_admin_now();
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	struct cs_buf entry = { 0 };
	cs_err e;

	CS_TRY(make_keyring(CS_KEYRING_ROOT, &f->root));
	e = cs_enrol_root(f->root, cs_bytes_str(f->name), now_s, &entry,
	    network_id);
	if (e == CS_MALFORMED || e == CS_TOO_LARGE) {
		cs_why_set(&f->admin->why,
		    "--name must be 1 to %d bytes of UTF-8 text",
		    CS_LIMIT_NAME_BYTES);
		e = CS_USAGE;
	}
	CS_TRY(e);
	CS_TRY(put_entry(f, &entry));
	cs_keyring_set_network(f->root, network_id);
	cs_keyring_set_network(f->registrar, network_id);
	cs_keyring_set_network(f->relay, network_id);
	CS_TRY(cs_enrol_registrar(f->root, cs_keyring_info(f->registrar),
	    cs_bytes_str("registrar"), f->registrar_until_s, CS_ENTRY_NO_PREV,
	    now_s, &entry));
	CS_TRY(put_entry(f, &entry));
	CS_TRY(cs_enrol_relay(f->registrar, cs_keyring_info(f->relay),
	    cs_bytes_str(f->url), CS_ENTRY_NO_PREV, now_s, &entry));
	CS_TRY(put_entry(f, &entry));
out:
	cs_buf_fini(&entry);
	return e;
}

/* The root is elsewhere: what its holders are to sign. */
static cs_err
make_request(struct founding *f)
{
	const struct cs_keyring_info *registrar = cs_keyring_info(f->registrar);
	const struct cs_keyring_info *relay = cs_keyring_info(f->relay);
	struct cs_entry root;
	uint8_t root_id[CS_ID_BYTES];
	cs_err e;

	randombytes_buf(root_id, sizeof(root_id));
	CS_TRY(cs_founding_pack_root(f->admin, &f->quorum, 1,
	    cs_bytes_str(f->name), root_id, CS_ENTRY_NO_PREV, &f->request));
	CS_TRY(cs_founding_pack_registrar(f->admin, root_id, registrar->id,
	    registrar->sign_key, cs_bytes_str("registrar"),
	    f->registrar_until_s, CS_ENTRY_NO_PREV, &f->request));
	f->asks = (struct cs_signing){ .n_cores = 2,
		.cores = cs_buf_view(&f->request),
		.relay_url = cs_bytes_str(f->url) };
	memcpy(f->asks.relay_id, relay->id, CS_ID_BYTES);
	memcpy(f->asks.relay_noise_key, relay->noise_key, CS_NOISE_KEY_BYTES);
	memcpy(f->asks.relay_sign_key, relay->sign_key, CS_SIGN_PUBLIC_BYTES);
	CS_TRY(cs_entry_core_decode(cs_signing_core(&f->asks, 0), &root));
	cs_entry_network_id(&root, f->asks.network_id);
	cs_keyring_set_network(f->registrar, f->asks.network_id);
	cs_keyring_set_network(f->relay, f->asks.network_id);
out:
	return e;
}

static cs_err
make_keys(struct founding *f)
{
	cs_err e;

	f->registrar_until_s = cs_admin_now() + REGISTRAR_YEARS * YEAR_S;
	CS_TRY(make_keyring(CS_KEYRING_REGISTRAR, &f->registrar));
	CS_TRY(make_keyring(CS_KEYRING_RELAY, &f->relay));
	e = f->quorum.n_keys > 0 ? make_request(f) : make_genesis(f);
out:
	return e;
}

/* ------------------------------------------------------------------- files */

static cs_err
save_keyring(struct founding *f, const struct cs_keyring *kr,
    enum cs_network_file keyring, enum cs_network_file key,
    const struct cs_secret *passphrase)
{
	char path[CS_NETWORK_PATH_BYTES], key_file[CS_NETWORK_PATH_BYTES];
	struct cs_keyring_lock lock = { .passphrase = passphrase };
	cs_err e;

	CS_TRY(cs_network_path(f->dir, keyring, path));
	CS_TRY(cs_network_path(f->dir, key, key_file));
	if (!passphrase)
		lock.key_file = key_file;
	e = cs_keyring_save(kr, path, &lock, false);
	if (e == CS_NO_MEMORY)
		cs_relock_explain(path, e, &f->admin->why);
	else if (e != CS_OK)
		cs_why_set(&f->admin->why, "writing %s", path);
out:
	return e;
}

static cs_err
save_file(struct founding *f, enum cs_network_file file,
    const struct cs_buf *content)
{
	char path[CS_NETWORK_PATH_BYTES];
	cs_err e;

	CS_TRY(cs_buf_err(content));
	CS_TRY(cs_network_path(f->dir, file, path));
	e = cs_file_write(path, cs_buf_view(content), 0600, false);
	if (e != CS_OK)
		cs_why_set(&f->admin->why, "writing %s", path);
out:
	return e;
}

/* The root here, or the request to those who hold it. */
static cs_err
save_root(struct founding *f)
{
	char path[CS_NETWORK_PATH_BYTES];
	cs_err e;

	if (f->root) {
		CS_TRY(save_keyring(f, f->root, CS_NETWORK_ROOT_KEYRING,
		    CS_NETWORK_ROOT_KEY, f->passphrase));
		CS_TRY(save_file(f, CS_NETWORK_GENESIS, &f->genesis));
	} else {
		CS_TRY(cs_network_path(f->dir, CS_NETWORK_REQUEST, path));
		CS_TRY(cs_ceremony_write_request(f->admin, &f->asks,
		    (struct cs_bytes){ 0 }, path));
	}
out:
	return e;
}

static cs_err
save_all(struct founding *f)
{
	struct cs_buf conf = { 0 };
	cs_err e;

	cs_relayconf_write(f->listen, f->n_listen, &conf);
	CS_TRY(save_keyring(f, f->registrar, CS_NETWORK_REGISTRAR_KEYRING,
	    CS_NETWORK_REGISTRAR_KEY, f->passphrase));
	/* no passphrase: the relay has to start when nobody is there */
	CS_TRY(save_keyring(f, f->relay, CS_NETWORK_RELAY_KEYRING,
	    CS_NETWORK_RELAY_KEY, NULL));
	CS_TRY(save_file(f, CS_NETWORK_RELAY_CONF, &conf));
	CS_TRY(save_root(f));
out:
	cs_buf_fini(&conf);
	return e;
}

/* ------------------------------------------------------------------ saying */

static cs_err
show_json(const struct founding *f)
{
	const struct cs_keyring_info *relay = cs_keyring_info(f->relay);

	return cs_present_json(json_pack("{s:s, s:s, s:o, s:o, s:s, s:b, s:o, "
					 "s:i, s:i, s:b}",
	    "directory", f->dir, "name", f->name, "network_id",
	    cs_present_json_hex(CS_BYTES(relay->network_id)), "relay_id",
	    cs_present_json_hex(CS_BYTES(relay->id)), "url", f->url,
	    "unattended", f->passphrase == NULL, "registrar_valid_until",
	    cs_present_json_time(f->registrar_until_s), "root_keys",
	    f->root ? 1 : (int)f->quorum.n_keys, "root_threshold",
	    f->root ? 1 : (int)f->quorum.threshold, "complete",
	    f->root != NULL));
}

static void
show_quorum(const struct founding *f)
{
	char print[CS_CEREMONY_FINGERPRINT_BYTES];

	printf("%u of these %u root keys found the network \"%s\":\n",
	    f->quorum.threshold, f->quorum.n_keys, f->name);
	for (uint8_t i = 0; i < f->quorum.n_keys; i++) {
		cs_ceremony_fingerprint(f->quorum.keys[i], print);
		printf("  %s\n", print);
	}
	printf("%s has everything but their signatures. Take %s/root.request "
	       "to each holder:\n"
	       "  consil-admin root sign root.request --key KEYRING -o SIGNED\n"
	       "and then here:\n"
	       "  consil-admin root apply %s SIGNED...\n"
	       "  consil-relay --config %s/relay.conf\n",
	    f->dir, f->dir, f->dir, f->dir);
	if (!f->passphrase)
		printf("\nThe registrar is sealed only by the key file beside "
		       "it (registrar.key).\n");
}

/* A root of one key that lies beside the rest is for a trial. */
static void
show_text(const struct founding *f)
{
	bool sealed = f->passphrase != NULL;
	char until[16];

	cs_present_date_text(f->registrar_until_s, until);
	printf("Network \"%s\" is in %s:\n", f->name, f->dir);
	printf("  root.keyring       certifies registrars; keep it off line\n");
	printf("  registrar.keyring  admits practices and members; valid until "
	       "%s\n",
	    until);
	printf("  relay.keyring      the relay's identity, opened by "
	       "relay.key\n"
	       "  genesis            first entries of the directory, for the "
	       "relay\n"
	       "  relay.conf         the relay's configuration\n\n");
	if (sealed)
		printf("Root and registrar are sealed by your passphrase. "
		       "Nobody can restore it for you.\nMove root.keyring to "
		       "media that you keep off line.\n");
	else
		printf("Root and registrar are sealed only by the key files "
		       "beside them (root.key,\nregistrar.key): whoever reads "
		       "this folder can admit anybody. Move root.keyring\nand "
		       "root.key to two media that you keep off line, apart "
		       "from each other.\n");
	printf("\nOne key is all that certifies registrars here: who loses it "
	       "cannot replace it, who steals\nit owns the network. For more "
	       "than a trial make several off line and need some of them:\n"
	       "`consil-admin root new`, then init --root-key or rotate "
	       "root.\n");
	printf("\nNext:\n"
	       "  consil-relay --config %s/relay.conf\n"
	       "  consil-admin org template HANDLE --name NAME >FILE   # fill "
	       "it in\n"
	       "  consil-admin --network %s org vet FILE\n"
	       "  consil-admin --network %s invite NAME@HANDLE --name NAME "
	       "--role ROLE -o FILE\n",
	    f->dir, f->dir, f->dir);
	for (size_t i = 0; i < f->n_listen; i++) {
		if (strncmp(f->listen[i], "tls+tcp://", 10) != 0)
			continue;
		printf("\nBefore that, for %s: put the relay's certificate "
		       "chain into\n%s/relay.crt and its private key into "
		       "%s/relay.tls.key (PEM),\nor say in relay.conf where "
		       "they are: tls_cert, tls_key.\n",
		    f->listen[i], f->dir, f->dir);
		break;
	}
}

static cs_err
run(struct cs_admin *admin)
{
	struct founding f = { .admin = admin };
	bool made = false;
	cs_err e;

	CS_TRY(read_line(&f));
	CS_TRY(read_passphrase(&f));
	CS_TRY(make_keys(&f));
	CS_TRY(make_folder(&f));
	made = true;
	CS_TRY(save_all(&f));
	if (admin->json)
		CS_TRY(show_json(&f));
	else if (f.root)
		show_text(&f);
	else
		show_quorum(&f);
out:
	if (e != CS_OK && made)
		remove_files(&f);
	cs_secret_free(f.passphrase);
	cs_keyring_free(f.root);
	cs_keyring_free(f.registrar);
	cs_keyring_free(f.relay);
	cs_buf_fini(&f.genesis);
	cs_buf_fini(&f.request);
	return e;
}

const struct cs_admin_verb cs_verb_init = {
	.name = "init",
	.operands = "DIR",
	.summary = "found a network: keys, genesis and relay.conf in DIR",
	.help = "DIR must not exist, or be empty. Without --passphrase-fd or "
		"--ask-passphrase the keys\nof root and registrar are sealed "
		"by key files beside them.\n\nWith --root-key the root is "
		"made elsewhere: DIR/root.request is then what its holders "
		"sign\n(`root sign`), and `root apply` completes the network. "
		"Without, one root key is made in DIR:\nfor a trial.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
