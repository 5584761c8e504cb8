#include "keys/admin/packsystem.h"

#include <string.h>

#include "client/present.h"
#include "proto/frame.h"
#include "proto/text.h"

#define COUNT(a)     (sizeof(a) / sizeof((a)[0]))
#define SAMPLE_LINES 200

/* ------------------------------------------------------------- permissions */

enum who {
#define CS_AUTHZ_WHO(NAME, text) WHO_##NAME,
#include "proto/authz.def"
};

enum condition {
#define CS_AUTHZ_CONDITION(NAME, text) CONDITION_##NAME,
#include "proto/authz.def"
};

static const char *const who_text[] = {
#define CS_AUTHZ_WHO(NAME, text) [WHO_##NAME] = text,
#include "proto/authz.def"
};

static const char *const condition_text[] = {
#define CS_AUTHZ_CONDITION(NAME, text) [CONDITION_##NAME] = text,
#include "proto/authz.def"
};

static const struct {
	enum cs_op op;
	enum who who;
	enum condition condition;
} rows[] = {
#define CS_AUTHZ(OP, WHO, CONDITION)                                           \
	{ CS_OP_##OP, WHO_##WHO, CONDITION_##CONDITION },
#include "proto/authz.def"
};

static const struct {
	enum condition condition;
	enum cs_entry_type type;
} entry_rows[] = {
#define CS_AUTHZ_ENTRY(CONDITION, TYPE)                                        \
	{ CONDITION_##CONDITION, CS_ENTRY_##TYPE },
#include "proto/authz.def"
};

cs_err
cs_packsystem_permissions(struct cs_packfiles *p, struct cs_buf *out)
{
	json_t *requests = json_array(), *entries = json_array();

	(void)p;
	for (size_t i = 0; i < COUNT(rows); i++)
		(void)json_array_append_new(requests,
		    json_pack("{s:s, s:s, s:s}", "who", who_text[rows[i].who],
			"operation", cs_frame_info(rows[i].op)->name,
			"condition", condition_text[rows[i].condition]));
	for (size_t i = 0; i < COUNT(entry_rows); i++)
		(void)json_array_append_new(entries,
		    json_pack("{s:s, s:s}", "condition",
			condition_text[entry_rows[i].condition], "entry",
			cs_entry_type_name(entry_rows[i].type)));
	return cs_packfiles_json(json_pack("{s:s, s:o, s:o}", "rule",
				     "what has no row is refused", "requests",
				     requests, "directory_entries", entries),
	    out);
}

/* ------------------------------------------------------------------ logoff */

cs_err
cs_packsystem_logoff(struct cs_packfiles *p, struct cs_buf *out)
{
	const struct cs_packfacts *f = p->facts;

	if (f->idle_s == 0)
		cs_packfiles_miss(p, "164.312(a)(2)(iii)",
		    "no start of the relay is recorded that says when sessions "
		    "end");
	return cs_packfiles_json(
	    json_pack("{s:o, s:o, s:o, s:s}", "session_idle_seconds",
		f->idle_s ? json_integer((json_int_t)f->idle_s) : json_null(),
		"session_longest_seconds",
		f->session_s ? json_integer((json_int_t)f->session_s)
			     : json_null(),
		"recorded_at", cs_present_json_time(f->started_s), "devices",
		"a device asks for the passphrase each time, unless its "
		"keyring "
		"is sealed by a key file or `consil agent` holds the key until "
		"its timeout; Consil does not lock the screen"),
	    out);
}

/* -------------------------------------------------------------- statements */

static const char encryption[] =
    "How content is encrypted\n"
    "\n"
    "Content (notes, questions, attachments, images, the names of files) is "
    "sealed on the sender's\n"
    "device for the recipients' devices and opened there; the relay has no key "
    "to it, and its program\n"
    "contains no code that opens it.\n"
    "\n"
    "  suite 0x0002: a random file key per envelope, wrapped for each "
    "recipient by HPKE (RFC 9180) with\n"
    "  X-Wing (X25519 and ML-KEM-768), HKDF-SHA256 and ChaCha20-Poly1305; "
    "content and attachments by\n"
    "  AEGIS-256; signed by the sender's device with Ed25519, inside\n"
    "  recipients' keys change every seven days; private keys are deleted "
    "when mail under them has expired\n"
    "\n"
    "Where keys live\n"
    "\n"
    "  device keys       on the device, made there, in a keyring sealed "
    "under a passphrase (Argon2id) or\n"
    "                    a key file; a backup that a member makes is sealed "
    "under a passphrase of its own\n"
    "  registrar's keys  on the registrar's machine, sealed the same way\n"
    "  root keys         meant to be off line; k of n sign (index.txt says if "
    "one was found beside the registrar's)\n"
    "  relay's keys      on the relay: for sessions, checkpoints and the tags "
    "of its records, none for content\n"
    "\n"
    "What the relay stores: sealed envelopes and segments until they are "
    "fetched or expire; ids of devices,\n"
    "sizes and times; the directory, its receipts and this audit log. No "
    "patient data in the clear.\n"
    "The bytes of all of it: docs/protocol.md.\n";

cs_err
cs_packsystem_encryption(struct cs_packfiles *p, struct cs_buf *out)
{
	(void)p;
	cs_buf_put_str(out, encryption);
	return cs_buf_err(out);
}

static void
put_hex(struct cs_buf *out, struct cs_bytes v)
{
	char hex[2 * CS_HASH_BYTES + 1];

	cs_text_hex(v, hex);
	cs_buf_put_str(out, hex);
}

cs_err
cs_packsystem_transmission(struct cs_packfiles *p, struct cs_buf *out)
{
	struct cs_directory_relay relay;
	cs_err e;

	CS_TRY(cs_directory_relay(cs_network_directory(p->n), &relay));
	cs_buf_put_str(out,
	    "What protects data on its way\n\n"
	    "Every session with the relay, whatever its URL, is "
	    "Noise_NK_25519_ChaChaPoly_SHA256 inside: encrypted,\n"
	    "authenticated, each altered byte ends it. Clients know the "
	    "relay's key from the directory and take no other.\n"
	    "Content is sealed end to end besides (encryption.txt), and its "
	    "integrity is checked by the recipient's device:\n"
	    "signature of the sender, header, each segment of each "
	    "attachment. What a recipient's device says of it is a\n"
	    "signed receipt.\n\nrelay        ");
	cs_text_show(relay.relay.url, false, out);
	cs_buf_put_str(out, "\nid           ");
	put_hex(out, CS_BYTES(relay.id));
	cs_buf_put_str(out, "\nsession key  ");
	put_hex(out, CS_BYTES(relay.relay.noise_key));
	cs_buf_put_str(out, "\nsigning key  ");
	put_hex(out, CS_BYTES(relay.relay.sign_key));
	cs_buf_put_u8(out, '\n');
	e = cs_buf_err(out);
out:
	return e;
}

/* --------------------------------------------------------------------- log */

cs_err
cs_packsystem_log(struct cs_packfiles *p, struct cs_buf *out)
{
	cs_buf_put_bytes(out, p->export);
	return cs_buf_err(out);
}

cs_err
cs_packsystem_sample(struct cs_packfiles *p, struct cs_buf *out)
{
	const struct cs_packfacts *f = p->facts;
	size_t end = f->n, from;

	while (end > 0 && f->r[end - 1].time_s >= f->until_s)
		end--;
	from = end > SAMPLE_LINES ? end - SAMPLE_LINES : 0;
	for (size_t i = from; i < end; i++) {
		if (!cs_packfacts_is_asked(f, &f->r[i]))
			continue;
		cs_auditview_text(&f->r[i], out);
		cs_buf_put_u8(out, '\n');
	}
	if (end == 0)
		cs_packfiles_miss(p, "164.312(b)", "no record is of this time");
	return cs_buf_err(out);
}

cs_err
cs_packsystem_integrity(struct cs_packfiles *p, struct cs_buf *out)
{
	json_t *check =
	    cs_auditview_check("audit-log.csa", p->check, p->findings);

	if (p->check->n_findings > 0)
		cs_packfiles_miss(p, "164.312(c)(1)",
		    "the audit log does not hold: integrity.json says what is "
		    "wrong");
	return cs_packfiles_json(
	    json_pack("{s:o, s:s, s:s}", "audit_log", check, "how",
		"each record holds the hash of the one before it; the relay "
		"signs the newest state of the log in the commit of each "
		"record; `consil-admin audit check audit-log.csa --network-id "
		"HEX` repeats this check with nothing but the network id",
		"content",
		"each envelope is signed by its sender and each attachment "
		"hashed; the recipient's device checks both before it shows "
		"anything and says so in a signed receipt"),
	    out);
}

/* ------------------------------------------------------------------- notes */

static json_t *
json_note(const struct cs_packfacts *f, enum cs_audit_note kind)
{
	const struct cs_packfacts_note *note = &f->note[kind];

	if (note->times == 0)
		return json_null();
	return json_pack("{s:I, s:o, s:s, s:o, s:o}", "times",
	    (json_int_t)note->times, "newest",
	    cs_present_json_time(note->date_s), "result",
	    note->failed ? "failed" : "ok", "recorded_at",
	    cs_present_json_time(note->recorded_s), "recorded_by",
	    cs_present_json_id(note->by));
}

cs_err
cs_packsystem_contingency(struct cs_packfiles *p, struct cs_buf *out)
{
	const struct cs_packfacts *f = p->facts;

	return cs_packfiles_json(json_pack("{s:o, s:o, s:I, s:o, s:o}",
				     "backup",
				     json_note(f, CS_AUDIT_NOTE_BACKUP),
				     "restore_drill",
				     json_note(f, CS_AUDIT_NOTE_RESTORE_DRILL),
				     "restores", (json_int_t)f->restores,
				     "newest_restore",
				     cs_present_json_time(f->restored_s),
				     "relay_started_at",
				     cs_present_json_time(f->started_s)),
	    out);
}

cs_err
cs_packsystem_reviews(struct cs_packfiles *p, struct cs_buf *out)
{
	static const enum cs_audit_note kinds[] = { CS_AUDIT_NOTE_LOG_REVIEW,
		CS_AUDIT_NOTE_ACCESS_REVIEW, CS_AUDIT_NOTE_POLICY_REVIEW,
		CS_AUDIT_NOTE_RISK_ANALYSIS, CS_AUDIT_NOTE_EMERGENCY_ACCESS,
		CS_AUDIT_NOTE_INCIDENT, CS_AUDIT_NOTE_TRAINING,
		CS_AUDIT_NOTE_PENETRATION_TEST };
	json_t *o = json_object();

	for (size_t i = 0; i < COUNT(kinds); i++)
		(void)json_object_set_new(o, cs_audit_note(kinds[i])->name,
		    json_note(p->facts, kinds[i]));
	(void)json_object_set_new(o, "audit_log_read_times",
	    json_integer((json_int_t)p->facts->exports));
	return cs_packfiles_json(o, out);
}
