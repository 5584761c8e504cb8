#include <stdio.h>
#include <string.h>

#include "keys/admin/founding.h"
#include "keys/admin/verbs.h"
#include "keys/admin/wording.h"

static const struct cs_option options[] = { { 0 } };

/* What became of a request. */
struct outcome {
	const char *word; /* for --json */
	const char *text;
	unsigned appended;
};

static cs_err
read_files(struct cs_admin *admin, struct cs_ceremony_request *r)
{
	const struct cs_options *o = admin->options;
	cs_err e;

	CS_TRY(cs_ceremony_read_request(admin, cs_options_operand(o, 1), r));
	for (size_t i = 2; i < cs_options_operands(o); i++)
		CS_TRY(cs_ceremony_merge(admin, r, cs_options_operand(o, i)));
out:
	return e;
}

/* Have enough signed each entry? */
static cs_err
check_complete(struct cs_admin *admin, const struct cs_ceremony_request *r)
{
	for (uint8_t i = 0; i < r->q.req.n_cores; i++) {
		struct cs_quorum_core core = cs_quorum_core(&r->q, i);

		for (uint8_t s = 0; s < core.n_sides; s++) {
			const struct cs_quorum_side *side = &core.side[s];
			unsigned n =
			    cs_quorum_count(cs_buf_view(&r->rows), i, side);

			if (n >= side->root.threshold)
				continue;
			cs_why_set(&admin->why,
			    "entry %u has %u signatures by keys of root "
			    "version %u, and needs %u; let more holders sign "
			    "(`consil-admin root sign`)",
			    i + 1u, n, side->root.version,
			    side->root.threshold);
			return CS_INCOMPLETE;
		}
	}
	return CS_OK;
}

static void
explain_append(struct cs_admin *admin, cs_err e)
{
	static const struct {
		cs_err e;
		const char *text;
	} rows[] = {
		{ CS_CLASH,
		    "the directory moved on since the request was made; make "
		    "a new one" },
		{ CS_DENIED,
		    "it is not signed by the root that is in force now; make "
		    "a new request" },
		{ CS_REVOKED, "it is about a registrar that is revoked" },
		{ CS_WRONG_NETWORK, "it is of another network" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].e == e)
			cs_why_set(&admin->why, "%s", rows[i].text);
}

/* Entries one by one: what is in the log already is passed over, so that a
 * run that was broken off goes on where it was. */
static cs_err
append(struct cs_admin *admin, struct cs_network *n,
    const struct cs_ceremony_request *r, unsigned *ret_appended)
{
	struct cs_buf entry = { 0 };
	uint64_t index;
	cs_err e = CS_OK;

	for (uint8_t i = 0; i < r->q.req.n_cores; i++) {
		cs_buf_reset(&entry);
		CS_TRY(cs_quorum_entry(&r->q, cs_buf_view(&r->rows), i,
		    &entry));
		if (cs_directory_find(cs_network_directory(n),
			cs_buf_view(&entry), &index) == CS_OK)
			continue;
		e = cs_network_append(n, cs_buf_view(&entry));
		explain_append(admin, e);
		CS_TRY(e);
		++*ret_appended;
	}
out:
	cs_buf_fini(&entry);
	return e;
}

static cs_err
apply_online(struct cs_admin *admin, const struct cs_ceremony_request *r,
    struct outcome *ret)
{
	struct cs_network *n = NULL;
	cs_err e;

	CS_TRY(cs_admin_open(admin, false, &n));
	if (memcmp(cs_keyring_info(cs_network_registrar(n))->network_id,
		r->q.req.network_id, CS_NETWORK_ID_BYTES) != 0) {
		cs_why_set(&admin->why, "the request is of another network");
		e = CS_WRONG_NETWORK;
		goto out;
	}
	CS_TRY(append(admin, n, r, &ret->appended));
	ret->word = "applied";
	ret->text = ret->appended == 0
			? "all of it was in the directory already"
			: "it is in the directory";
	if (cs_network_has_rotated(n))
		ret->text = "it is in the directory, and this registrar signs "
			    "with its new key from now on";
out:
	cs_network_close(n);
	return e;
}

static cs_err
apply(struct cs_admin *admin, const struct cs_ceremony_request *r,
    struct outcome *ret)
{
	bool joined;
	cs_err e;

	if (r->q.root.version == 0) {
		CS_TRY(cs_founding_complete(admin, r));
		ret->word = "founded";
		ret->text = "the network is founded; start its relay";
		goto out;
	}
	CS_TRY(cs_founding_join(admin, r, &joined));
	if (joined && !admin->json)
		printf("This registrar belongs to the network now.\n");
	CS_TRY(apply_online(admin, r, ret));
out:
	return e;
}

static cs_err
run(struct cs_admin *admin)
{
	struct cs_ceremony_request r = { 0 };
	struct outcome out = { 0 };
	cs_err e;

	admin->dir = cs_options_operand(admin->options, 0);
	CS_TRY(read_files(admin, &r));
	CS_TRY(check_complete(admin, &r));
	CS_TRY(apply(admin, &r, &out));
	if (admin->json)
		CS_TRY(cs_present_json(json_pack("{s:s, s:s, s:i, s:o}",
		    "directory", admin->dir, "outcome", out.word, "appended",
		    (int)out.appended, "network_id",
		    cs_present_json_hex(CS_BYTES(r.q.req.network_id)))));
	else
		printf("%s: %s\n", admin->dir, out.text);
out:
	cs_ceremony_request_fini(&r);
	return e;
}

const struct cs_admin_verb cs_verb_root_apply = {
	.name = "root apply",
	.operands = "DIR FILE...",
	.summary = "carry out a request that enough holders have signed",
	.help = "DIR is the network's folder. The holders' files may each hold "
		"one signature or several.\nCan be repeated: what was done is "
		"passed over.",
	.options = options,
	.min_operands = 2,
	.max_operands = 2 * CS_ENTRY_MAX_SIGNATURES,
	.run = run,
};
