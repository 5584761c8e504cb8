#include "keys/admin/packfiles.h"

#include <stdlib.h>
#include <unistd.h>

#include "keys/admin/packpeople.h"
#include "keys/admin/packsystem.h"

/* A drill or a review that is older proves little. */
#define YEAR_S (UINT64_C(366) * CS_DAY_S)

static const struct cs_packfiles_info files[] = {
	{ "unique-ids.json", "every member, device and registrar by its id",
	    "164.312(a)(2)(i)", cs_packpeople_ids },
	{ "permissions.json",
	    "who may do what: the table that the relay decides by",
	    "164.312(a)(1) 164.308(a)(4)(ii)(B)", cs_packsystem_permissions },
	{ "access-changes.json",
	    "who was admitted, enrolled, changed or revoked, and when",
	    "164.308(a)(3)(ii)(C) 164.308(a)(4)(ii)(C)",
	    cs_packpeople_changes },
	{ "logoff.json", "when sessions end by themselves",
	    "164.312(a)(2)(iii)", cs_packsystem_logoff },
	{ "encryption.txt", "how content is encrypted and where keys live",
	    "164.312(a)(2)(iv) 164.312(e)(2)(ii)", cs_packsystem_encryption },
	{ "audit-log.csa", "the audit log, to be judged by `audit check`",
	    "164.312(b)", cs_packsystem_log },
	{ "log-sample.txt", "the newest records in words", "164.312(b)",
	    cs_packsystem_sample },
	{ "integrity.json", "whether the log is whole, and what shows it",
	    "164.312(c)(1) 164.312(c)(2)", cs_packsystem_integrity },
	{ "authentication.json",
	    "how each device proves who it is, and when it last did",
	    "164.312(d)", cs_packpeople_authentication },
	{ "transmission.txt", "what protects data on its way",
	    "164.312(e)(1) 164.312(e)(2)(i)", cs_packsystem_transmission },
	{ "vetting.json", "the practices and the standing of their vetting",
	    "164.308(b)(1)", cs_packpeople_vetting },
	{ "contingency.json", "backups, restore drills, restores",
	    "164.308(a)(7)(ii)(A) 164.308(a)(7)(ii)(B) "
	    "164.308(a)(7)(ii)(D)",
	    cs_packsystem_contingency },
	{ "reviews.json", "reviews, analyses, trainings, incidents",
	    "164.308(a)(1)(ii)(A) 164.308(a)(1)(ii)(D) 164.308(a)(5)(i) "
	    "164.308(a)(6)(ii) 164.308(a)(8) 164.312(a)(2)(ii)",
	    cs_packsystem_reviews },
};

const struct cs_packfiles_info *
cs_packfiles_at(unsigned i)
{
	return i < sizeof(files) / sizeof(files[0]) ? &files[i] : NULL;
}

cs_err
cs_packfiles_json(json_t *value, struct cs_buf *out)
{
	char *text = value ? json_dumps(value, JSON_INDENT(2)) : NULL;

	json_decref(value);
	if (!text)
		return CS_NO_MEMORY;
	cs_buf_put_str(out, text);
	cs_buf_put_u8(out, '\n');
	free(text);
	return cs_buf_err(out);
}

void
cs_packfiles_miss(struct cs_packfiles *p, const char *paragraph,
    const char *what)
{
	(void)json_array_append_new(p->missing,
	    json_pack("{s:s, s:s}", "paragraph", paragraph, "missing", what));
}

/* What a registrar is to record, and what is said where it is not there. */
static const struct {
	enum cs_audit_note note;
	const char *paragraph, *never, *old, *failed; /* NULL: no matter */
} wanted[] = {
	{ CS_AUDIT_NOTE_BACKUP, "164.308(a)(7)(ii)(A)",
	    "no backup is recorded: `audit note backup` after each one",
	    "the newest backup recorded is more than a year old",
	    "the newest backup recorded failed" },
	{ CS_AUDIT_NOTE_RESTORE_DRILL, "164.308(a)(7)(ii)(D)",
	    "no restore drill is recorded: hold one, then `audit note "
	    "restore-drill`",
	    "the newest restore drill recorded is more than a year old",
	    "the newest restore drill recorded failed" },
	{ CS_AUDIT_NOTE_LOG_REVIEW, "164.308(a)(1)(ii)(D)",
	    "no review of the audit log is recorded: read it, then `audit "
	    "note log-review`",
	    "the newest review of the audit log is more than a year old",
	    NULL },
	{ CS_AUDIT_NOTE_ACCESS_REVIEW, "164.308(a)(4)(ii)(C)",
	    "no review of members' access is recorded: `audit note "
	    "access-review`",
	    "the newest review of members' access is more than a year old",
	    NULL },
	{ CS_AUDIT_NOTE_RISK_ANALYSIS, "164.308(a)(1)(ii)(A)",
	    "no risk analysis is recorded: `audit note risk-analysis`",
	    "the newest risk analysis recorded is more than a year old", NULL },
	{ CS_AUDIT_NOTE_POLICY_REVIEW, "164.316(b)(2)(iii)",
	    "no review of policies is recorded: `audit note policy-review`",
	    "the newest review of policies is more than a year old", NULL },
	{ CS_AUDIT_NOTE_TRAINING, "164.308(a)(5)(i)",
	    "no training is recorded: `audit note training`",
	    "the newest training recorded is more than a year old", NULL },
};

/* What no program can have. */
static const struct {
	const char *paragraph, *what;
} outside[] = {
	{ "164.312(a)(2)(ii)",
	    "the emergency access procedure is a document of the practices: "
	    "Consil gives nobody a way past encryption; a practice's archive "
	    "device, if it has one, is in unique-ids.json" },
	{ "164.504(e)",
	    "agreements with business associates are kept by who made them" },
	{ "164.316(b)(2)(i)",
	    "policies and procedures, and that they are kept for six years, "
	    "are the practices' own; the audit log is kept for ever" },
	{ "164.310",
	    "physical safeguards of the machines are not known to Consil" },
};

/* A root key that is at hand signs for whoever finds it. */
static void
look_for_root(struct cs_packfiles *p)
{
	char path[CS_NETWORK_PATH_BYTES];

	if (cs_network_path(p->dir, CS_NETWORK_ROOT_KEYRING, path) == CS_OK &&
	    access(path, F_OK) == 0)
		cs_packfiles_miss(p, "164.312(a)(2)(iv)",
		    "root.keyring lies in the network's folder: root keys "
		    "belong off line");
}

void
cs_packfiles_missing(struct cs_packfiles *p)
{
	look_for_root(p);
	if (p->is_part)
		cs_packfiles_miss(p, "164.312(b)",
		    "what was before the first day was not looked at, the log "
		    "is too long: the newest drill, review or login may be "
		    "there");
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		const struct cs_packfacts_note *note =
		    &p->facts->note[wanted[i].note];

		if (note->times == 0)
			cs_packfiles_miss(p, wanted[i].paragraph,
			    wanted[i].never);
		else if (p->now_s > note->date_s + YEAR_S)
			cs_packfiles_miss(p, wanted[i].paragraph,
			    wanted[i].old);
		if (note->failed && wanted[i].failed)
			cs_packfiles_miss(p, wanted[i].paragraph,
			    wanted[i].failed);
	}
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++)
		cs_packfiles_miss(p, outside[i].paragraph, outside[i].what);
}
