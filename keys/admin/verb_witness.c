#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "keys/admin/verbs.h"
#include "keys/enrol.h"
#include "keys/file.h"
#include "keys/quorum.h"
#include "keys/witness.h"
#include "proto/armour.h"
#include "proto/text.h"
#include "proto/witnessfile.h"

/* The registrar's side of witnesses; their own is in verb_witnessing.c. */

#define CARD_MAX_BYTES 4096
#define LEAST_DIGITS   6 /* of an id */

/* --------------------------------------------------------------------- add */

static const struct cs_option add_options[] = {
	{ "output", CS_OPTION_ONE, "FILE",
	    "where to write what the witness needs to begin; also -o FILE" },
	{ 0 },
};

/* The card of CARD; its views borrow from binary. */
static cs_err
read_card(struct cs_admin *admin, struct cs_buf *binary, struct cs_card *ret)
{
	const char *path = cs_options_operand(admin->options, 0);
	struct cs_buf text = { 0 };
	cs_err e;

	e = cs_file_read(path, CARD_MAX_BYTES, false, &text);
	if (e == CS_OK)
		e = cs_armour_decode(CS_CARD_ARMOUR, cs_buf_view(&text),
		    binary);
	if (e == CS_OK)
		e = cs_quorum_read_card(cs_buf_view(binary), ret);
	if (e == CS_OK && (ret->kind != CS_KEYRING_WITNESS || ret->name.n == 0))
		e = CS_MALFORMED;
	if (e != CS_OK)
		cs_why_set(&admin->why,
		    "%s: give the card that `consil-admin witness new` wrote",
		    path);
	cs_buf_fini(&text);
	return e;
}

/* Is it in the log already? A second `add` writes the file again. */
static cs_err
find_entered(struct cs_admin *admin, const struct cs_network *n,
    const struct cs_card *card, bool *ret)
{
	struct cs_directory_witness w;

	if (cs_directory_witness(cs_network_directory(n), card->id, &w) !=
	    CS_OK) {
		*ret = false;
		return CS_OK;
	}
	if (w.revoked) {
		cs_why_set(&admin->why,
		    "%.*s was removed; make a new witness for it",
		    (int)w.name.n, (const char *)w.name.p);
		return CS_REVOKED;
	}
	if (memcmp(w.key, card->sign_key, CS_SIGN_PUBLIC_BYTES) != 0) {
		cs_why_set(&admin->why,
		    "%.*s is entered with another key; remove it first",
		    (int)w.name.n, (const char *)w.name.p);
		return CS_EXISTS;
	}
	*ret = true;
	return CS_OK;
}

static cs_err
enter(struct cs_network *n, const struct cs_card *card)
{
	struct cs_entry_witness v = { .name = card->name };
	struct cs_buf entry = { 0 };
	cs_err e;

	memcpy(v.key, card->sign_key, sizeof(v.key));
	CS_TRY(cs_enrol_witness(cs_network_registrar(n), card->id, &v,
	    CS_ENTRY_NO_PREV, cs_admin_now(), &entry));
	CS_TRY(cs_network_append(n, cs_buf_view(&entry)));
out:
	cs_buf_fini(&entry);
	return e;
}

/* Whose root and relay are the log's. */
static cs_err
describe(const struct cs_network *n, const struct cs_card *card,
    struct cs_buf *ret)
{
	const struct cs_directory *dir = cs_network_directory(n);
	struct cs_witnessfile v = { 0 };
	struct cs_directory_relay relay;
	struct cs_entry_leaf leaf;
	struct cs_bytes first;
	cs_err e;

	CS_TRY(cs_directory_relay(dir, &relay));
	CS_TRY(cs_directory_network_name(dir, &v.network_name));
	CS_TRY(cs_directory_leaf(dir, 0, &first));
	CS_TRY(cs_entry_leaf_decode(first, &leaf));
	memcpy(v.network_id,
	    cs_keyring_info(cs_network_registrar(n))->network_id,
	    sizeof(v.network_id));
	memcpy(v.witness_id, card->id, sizeof(v.witness_id));
	memcpy(v.relay_id, relay.id, sizeof(v.relay_id));
	memcpy(v.relay_noise_key, relay.relay.noise_key,
	    sizeof(v.relay_noise_key));
	v.relay_url = relay.relay.url;
	v.root_entry = leaf.entry;
	CS_TRY(cs_witnessfile_encode(&v, ret));
out:
	return e;
}

static cs_err
write_file(struct cs_admin *admin, const struct cs_network *n,
    const struct cs_card *card, const char *file)
{
	struct cs_buf binary = { 0 }, human = { 0 }, text = { 0 };
	cs_err e;

	CS_TRY(describe(n, card, &binary));
	cs_buf_printf(&human,
	    "For the witness \"%.*s\":\n"
	    "consil-admin witness run DIR --network-file FILE\n",
	    (int)card->name.n, (const char *)card->name.p);
	cs_buf_put_u8(&human, 0);
	CS_TRY(cs_buf_err(&human));
	cs_armour_encode(CS_WITNESSFILE_ARMOUR, cs_buf_view(&binary),
	    (const char *)human.p, &text);
	CS_TRY(cs_buf_err(&text));
	e = cs_file_write(file, cs_buf_view(&text), 0644, false);
	if (e != CS_OK)
		cs_why_set(&admin->why, "writing %s", file);
out:
	cs_buf_fini(&binary);
	cs_buf_fini(&human);
	cs_buf_fini(&text);
	return e;
}

static cs_err
show_added(struct cs_admin *admin, const struct cs_card *card, const char *file)
{
	uint8_t fingerprint[CS_HASH_BYTES];

	cs_witness_fingerprint(card->id, card->sign_key, fingerprint);
	if (admin->json)
		return cs_present_json(json_pack("{s:o, s:o, s:o, s:o, s:s}",
		    "id", cs_present_json_id(card->id), "name",
		    cs_present_json_text(card->name), "fingerprint",
		    cs_present_json_hex(CS_BYTES(fingerprint)),
		    "fingerprint_words", cs_present_json_words(fingerprint),
		    "file", file));
	cs_present_text(card->name, false);
	fputs(" is a witness of this network\n", stdout);
	cs_present_words(fingerprint, "  ");
	printf("Compare the words by telephone, and give them %s. There: "
	       "consil-admin "
	       "witness run DIR\n--network-file FILE\n",
	    file);
	return CS_OK;
}

static cs_err
run_add(struct cs_admin *admin)
{
	struct cs_buf binary = { 0 };
	struct cs_network *n = NULL;
	struct cs_card card;
	bool entered = false;
	const char *file;
	cs_err e;

	CS_TRY(cs_admin_required(admin, "output", &file));
	CS_TRY(read_card(admin, &binary, &card));
	if (access(file, F_OK) == 0) {
		cs_why_set(&admin->why, "%s; name another file", file);
		e = CS_EXISTS;
		goto out;
	}
	CS_TRY(cs_admin_open(admin, false, &n));
	CS_TRY(find_entered(admin, n, &card, &entered));
	if (!entered)
		CS_TRY(enter(n, &card));
	CS_TRY(write_file(admin, n, &card, file));
	CS_TRY(show_added(admin, &card, file));
out:
	cs_buf_fini(&binary);
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_witness_add = {
	.name = "witness add",
	.operands = "CARD",
	.summary = "enter a witness in the directory, by its card",
	.help = "CARD is what `consil-admin witness new` wrote at the practice "
		"that runs it. Said again it\nwrites the file again.",
	.options = add_options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_network = true,
	.run = run_add,
};

/* -------------------------------------------------------------------- list */

static const struct cs_option list_options[] = {
	{ "offline", CS_OPTION_FLAG, NULL,
	    "as of the last contact, ask no relay" },
	{ 0 },
};

/* When this witness cosigned the newest checkpoint; 0: it did not. */
static uint64_t
cosigned_at(const struct cs_witness_word *words, uint32_t n, const uint8_t *id)
{
	for (uint32_t i = 0; i < n; i++)
		if (memcmp(words[i].id, id, CS_ID_BYTES) == 0 &&
		    words[i].cosigned)
			return words[i].time_s;
	return 0;
}

static cs_err
show(struct cs_admin *admin, const struct cs_directory_witness *w,
    uint64_t cosigned_s)
{
	const char *state = w->revoked ? "removed" : "in force";
	uint8_t fingerprint[CS_HASH_BYTES];

	cs_witness_fingerprint(w->id, w->key, fingerprint);
	if (admin->json)
		return cs_present_json(json_pack("{s:o, s:o, s:s, s:o, s:o, "
						 "s:o, s:o}",
		    "id", cs_present_json_id(w->id), "name",
		    cs_present_json_text(w->name), "state", state, "since",
		    cs_present_json_time(w->since_s), "cosigned_at",
		    cs_present_json_time(cosigned_s), "fingerprint",
		    cs_present_json_hex(CS_BYTES(fingerprint)),
		    "fingerprint_words", cs_present_json_words(fingerprint)));
	cs_present_id(w->id);
	fputs("  ", stdout);
	cs_present_cell(w->name, 32);
	printf("%-8s  cosigned ", state);
	cs_present_time(cosigned_s);
	puts("");
	cs_present_words(fingerprint, "  ");
	return CS_OK;
}

static cs_err
run_list(struct cs_admin *admin)
{
	struct cs_witness_word words[CS_WITNESS_MAX];
	struct cs_directory_witness w;
	struct cs_network *n = NULL;
	uint32_t pos = 0, n_words = 0, shown = 0;
	cs_err e;

	CS_TRY(cs_admin_open(admin, cs_options_has(admin->options, "offline"),
	    &n));
	if (cs_network_note(n).n > 0)
		CS_TRY(cs_witness_words(cs_network_directory(n),
		    cs_network_note(n), words, &n_words));
	while (cs_directory_next_witness(cs_network_directory(n), &pos, &w) ==
	       CS_OK) {
		CS_TRY(show(admin, &w, cosigned_at(words, n_words, w.id)));
		shown++;
	}
	if (shown == 0) {
		cs_why_set(&admin->why,
		    "no witness yet; `consil-admin witness add` enters one");
		e = CS_NOTHING;
	}
out:
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_witness_list = {
	.name = "witness list",
	.operands = "",
	.summary =
	    "the witnesses, and when each cosigned the newest checkpoint",
	.help = "The times are those of their clocks. A witness that runs "
		"cosigns within seconds; who did\nnot is down, or was shown "
		"another directory and says so where it runs.",
	.options = list_options,
	.needs_network = true,
	.run = run_list,
};

/* ------------------------------------------------------------------ remove */

static const struct cs_option remove_options[] = { { 0 } };

/* By its name, or the first digits of its id. */
static bool
is_meant(const struct cs_directory_witness *w, const char *who)
{
	char hex[2 * CS_ID_BYTES + 1];

	if (w->revoked)
		return false;
	cs_text_hex(CS_BYTES(w->id), hex);
	return cs_bytes_eq(w->name, cs_bytes_str(who)) ||
	       (strlen(who) >= LEAST_DIGITS &&
		   strncasecmp(hex, who, strlen(who)) == 0);
}

static cs_err
find(struct cs_admin *admin, const struct cs_network *n, const char *who,
    struct cs_directory_witness *ret)
{
	struct cs_directory_witness w;
	uint32_t pos = 0, found = 0;

	while (cs_directory_next_witness(cs_network_directory(n), &pos, &w) ==
	       CS_OK) {
		if (!is_meant(&w, who))
			continue;
		*ret = w;
		found++;
	}
	if (found == 1)
		return CS_OK;
	cs_why_set(&admin->why,
	    found ? "%s: several witnesses are called so; give the id"
		  : "%s: no such witness; `consil-admin witness list` names "
		    "them",
	    who);
	return found ? CS_USAGE : CS_NOT_FOUND;
}

static cs_err
run_remove(struct cs_admin *admin)
{
	const struct cs_entry_revoke v = { .reason = CS_REVOKE_LEFT };
	const char *who = cs_options_operand(admin->options, 0);
	struct cs_directory_witness w;
	struct cs_network *n = NULL;
	struct cs_buf entry = { 0 };
	cs_err e;

	CS_TRY(cs_admin_open(admin, false, &n));
	CS_TRY(find(admin, n, who, &w));
	CS_TRY(cs_enrol_revoke(cs_network_registrar(n), w.id, &v,
	    CS_ENTRY_NO_PREV, cs_admin_now(), &entry));
	CS_TRY(cs_network_append(n, cs_buf_view(&entry)));
	if (admin->json)
		CS_TRY(cs_present_json(json_pack("{s:o, s:s}", "id",
		    cs_present_json_id(w.id), "state", "removed")));
	else
		printf("%s is no witness any more\n", who);
out:
	cs_buf_fini(&entry);
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_witness_remove = {
	.name = "witness remove",
	.operands = "NAME",
	.summary = "take a witness out of service",
	.help = "NAME, or the id. Its cosignatures count no more, and it is "
		"not let in any more.",
	.options = remove_options,
	.min_operands = 1,
	.max_operands = 1,
	.needs_network = true,
	.run = run_remove,
};
