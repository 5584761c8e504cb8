#ifndef CS_KEYS_ADMIN_GUEST_H
#define CS_KEYS_ADMIN_GUEST_H

#include "keys/admin/admin.h"
#include "keys/enrol.h"
#include "proto/base/buf.h"

/* The particulars of a member as the command line gives them. */
#define CS_GUEST_OPTIONS                                                       \
	{ "name", CS_OPTION_ONE, "NAME",                                       \
		"the member's name, as you vetted it" },                       \
	    { "role", CS_OPTION_MANY, "ROLE",                                  \
		    "physician, specialist, nurse, …; may be given several " \
		    "times" },                                                 \
	    { "npi", CS_OPTION_ONE, "NPI",                                     \
		    "National Provider Identifier; its check digit is "        \
		    "verified" },                                              \
	    { "same-npi", CS_OPTION_FLAG, NULL,                                \
		    "another member has this NPI: one person at two "          \
		    "practices" },                                             \
	    { "specialty", CS_OPTION_ONE, "TEXT", "medical oncology, …" },     \
	{                                                                      \
		"licence", CS_OPTION_ONE, "STATE:NUMBER:YYYY-MM-DD",           \
		    "licence, and the last day on which it is valid; STATE "   \
		    "is MN, PR, ..., or a region elsewhere in full"            \
	}

/* Takes over what the command line has; the rest stays. An empty value clears.
 *   roles  holds the joined roles; to live as long as guest
 * CS_OK, CS_USAGE (see why), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_guest_read(struct cs_admin *admin,
    struct cs_enrol_guest *guest, struct cs_buf *roles);

/* Whether the NPI that the command line gave is one person's alone: no other
 * member that joined or can join has it, or --same-npi says that this is meant.
 * CS_OK, CS_EXISTS (see why). */
CS_MUST_USE cs_err cs_guest_check_npi(struct cs_admin *admin,
    const struct cs_directory *dir, const struct cs_enrol_guest *guest);

#endif
