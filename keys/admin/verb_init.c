#include <dirent.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/passphrase.h"
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
	struct cs_secret *passphrase; /* NULL: key files */
	struct cs_keyring *root, *registrar, *relay;
	uint64_t registrar_until_s;
	struct cs_buf genesis;
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

static cs_err
make_genesis(struct founding *f)
{
	uint64_t now_s = cs_admin_now();
	uint8_t network_id[CS_NETWORK_ID_BYTES];
	struct cs_buf entry = { 0 };
	cs_err e;

	CS_TRY(make_keyring(CS_KEYRING_ROOT, &f->root));
	CS_TRY(make_keyring(CS_KEYRING_REGISTRAR, &f->registrar));
	CS_TRY(make_keyring(CS_KEYRING_RELAY, &f->relay));
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
	f->registrar_until_s = now_s + REGISTRAR_YEARS * YEAR_S;
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
	if (e != CS_OK)
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

static cs_err
save_all(struct founding *f)
{
	struct cs_buf conf = { 0 };
	cs_err e;

	cs_relayconf_write(f->listen, f->n_listen, &conf);
	CS_TRY(save_keyring(f, f->root, CS_NETWORK_ROOT_KEYRING,
	    CS_NETWORK_ROOT_KEY, f->passphrase));
	CS_TRY(save_keyring(f, f->registrar, CS_NETWORK_REGISTRAR_KEYRING,
	    CS_NETWORK_REGISTRAR_KEY, f->passphrase));
	/* no passphrase: the relay has to start when nobody is there */
	CS_TRY(save_keyring(f, f->relay, CS_NETWORK_RELAY_KEYRING,
	    CS_NETWORK_RELAY_KEY, NULL));
	CS_TRY(save_file(f, CS_NETWORK_GENESIS, &f->genesis));
	CS_TRY(save_file(f, CS_NETWORK_RELAY_CONF, &conf));
out:
	cs_buf_fini(&conf);
	return e;
}

/* ------------------------------------------------------------------ saying */

static cs_err
show_json(const struct founding *f)
{
	const struct cs_keyring_info *relay = cs_keyring_info(f->relay);

	return cs_present_json(json_pack("{s:s, s:s, s:o, s:o, s:s, s:b, s:o}",
	    "directory", f->dir, "name", f->name, "network_id",
	    cs_present_json_hex(CS_BYTES(relay->network_id)), "relay_id",
	    cs_present_json_hex(CS_BYTES(relay->id)), "url", f->url,
	    "unattended", f->passphrase == NULL, "registrar_valid_until",
	    cs_present_json_time(f->registrar_until_s)));
}

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
	printf("\nNext:\n"
	       "  consil-relay --config %s/relay.conf\n"
	       "  consil-admin --network %s org add HANDLE --name NAME\n"
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
	CS_TRY(make_genesis(&f));
	CS_TRY(make_folder(&f));
	made = true;
	CS_TRY(save_all(&f));
	if (admin->json)
		CS_TRY(show_json(&f));
	else
		show_text(&f);
out:
	if (e != CS_OK && made)
		remove_files(&f);
	cs_secret_free(f.passphrase);
	cs_keyring_free(f.root);
	cs_keyring_free(f.registrar);
	cs_keyring_free(f.relay);
	cs_buf_fini(&f.genesis);
	return e;
}

const struct cs_admin_verb cs_verb_init = {
	.name = "init",
	.operands = "DIR",
	.summary = "found a network: keys, genesis and relay.conf in DIR",
	.help = "DIR must not exist, or be empty. Without --passphrase-fd or "
		"--ask-passphrase the keys\nof root and registrar are sealed "
		"by key files beside them.",
	.options = options,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
