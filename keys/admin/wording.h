#ifndef CS_KEYS_ADMIN_WORDING_H
#define CS_KEYS_ADMIN_WORDING_H

#include "keys/admin/ceremony.h"

/* What is about to be signed, in words: from the entries themselves, never
 * from text beside them. */

/* Names and values of the network's policy, one row each. */
struct cs_wording_policy {
	const char *name;
	enum cs_policy_key key;
	bool is_time; /* seconds; written 90s, 45m, 24h, 30d */
	uint64_t min, max;
	const char *help;
};
const struct cs_wording_policy *cs_wording_policy(unsigned i); /* or NULL */

/* "24h", "30d", "2": the value of a row of it. ret holds 24 bytes. */
void cs_wording_policy_text(const struct cs_wording_policy *row, uint64_t value,
    char ret[static 24]);

/* A request on stdout: what each entry makes true, and who has signed. With
 * --json one object. CS_OK, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_wording_show(struct cs_admin *admin,
    const struct cs_ceremony_request *r);

#endif
