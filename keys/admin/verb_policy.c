#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keys/admin/rotation.h"
#include "keys/admin/verbs.h"
#include "keys/admin/wording.h"

static const struct cs_option options[] = {
	{ "output", CS_OPTION_ONE, "FILE",
	    "where to write the signing request; also -o FILE" },
	{ 0 },
};

static const struct cs_wording_policy *
find_row(const char *name)
{
	const struct cs_wording_policy *row;

	for (unsigned i = 0; (row = cs_wording_policy(i)); i++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

/* Seconds in a unit; 0 if there is none of that name. */
static uint64_t
unit_of(const struct cs_wording_policy *row, const char *text)
{
	static const struct {
		const char *name;
		uint64_t seconds;
	} units[] = { { "", 1 }, { "s", 1 }, { "m", 60 }, { "h", 3600 },
		{ "d", 86400 } };

	if (!row->is_time)
		return *text == '\0';
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (strcmp(text, units[i].name) == 0)
			return units[i].seconds;
	return 0;
}

static cs_err
parse_value(struct cs_admin *admin, const struct cs_wording_policy *row,
    const char *text, uint64_t *ret)
{
	char min[24], max[24];
	unsigned long long n;
	uint64_t unit;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	unit = unit_of(row, end);
	if (*text >= '0' && *text <= '9' && errno == 0 && unit > 0 &&
	    n <= row->max / unit && n * unit >= row->min) {
		*ret = n * unit;
		return CS_OK;
	}
	cs_wording_policy_text(row, row->min, min);
	cs_wording_policy_text(row, row->max, max);
	cs_why_set(&admin->why, "%s takes a value from %s to %s, not %s",
	    row->name, min, max, text);
	return CS_USAGE;
}

/* The policy in force with this one value changed. */
static cs_err
pack(const struct cs_history *h, const struct cs_wording_policy *changed,
    uint64_t value, struct cs_buf *cores)
{
	struct cs_buf rows = { 0 }, body = { 0 };
	struct cs_entry_policy v = { 0 };
	cs_err e;

	/* ascending, as the layout wants it */
	for (unsigned key = 1; key <= CS_POLICY_KEYS; key++) {
		uint64_t kept;

		if (key == changed->key)
			kept = value;
		else if (!cs_history_policy(h, key, &kept))
			continue;
		cs_buf_put_u8(&rows, (uint8_t)key);
		cs_buf_put_u64(&rows, kept);
		v.n++;
	}
	CS_TRY(cs_buf_err(&rows));
	v.rows = cs_buf_view(&rows);
	CS_TRY(cs_entry_policy_encode(&v, &body));
	CS_TRY(cs_quorum_pack(CS_ENTRY_POLICY, h->root_id, NULL,
	    h->policy_entry, cs_admin_now(), cs_buf_view(&body), cores));
out:
	cs_buf_fini(&rows);
	cs_buf_fini(&body);
	return e;
}

static cs_err
run(struct cs_admin *admin)
{
	const char *name = cs_options_operand(admin->options, 0);
	const struct cs_wording_policy *row = find_row(name);
	struct cs_network *n = NULL;
	struct cs_history h = { 0 };
	struct cs_buf cores = { 0 };
	uint64_t value;
	cs_err e;

	if (!row) {
		cs_why_set(&admin->why,
		    "there is no policy %s: it is freshness, cosignatures or "
		    "lifetime",
		    name);
		return CS_USAGE;
	}
	CS_TRY(parse_value(admin, row, cs_options_operand(admin->options, 1),
	    &value));
	CS_TRY(cs_rotation_check_output(admin));
	CS_TRY(cs_admin_open(admin, false, &n));
	CS_TRY(cs_history_read(cs_network_directory(n), &h));
	CS_TRY(pack(&h, row, value, &cores));
	CS_TRY(cs_rotation_ask_root(admin, n, &h, &cores, 1));
out:
	cs_history_fini(&h);
	cs_buf_fini(&cores);
	cs_network_close(n);
	return e;
}

const struct cs_admin_verb cs_verb_policy_set = {
	.name = "policy set",
	.operands = "KEY VALUE",
	.summary = "ask the root to change the policy of the network",
	.help = "freshness TIME     oldest view of the directory on which "
		"members may send\n"
		"cosignatures N     how many witnesses must have signed that "
		"view\n"
		"lifetime TIME      longest life of a message\n\n"
		"TIME is 90s, 45m, 24h or 30d.",
	.options = options,
	.min_operands = 2,
	.max_operands = 2,
	.needs_network = true,
	.run = run,
};
