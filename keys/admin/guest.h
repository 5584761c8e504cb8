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
	    { "specialty", CS_OPTION_ONE, "TEXT", "medical oncology, …" },     \
	{                                                                      \
		"licence", CS_OPTION_ONE, "STATE:NUMBER:YYYY-MM-DD",           \
		    "licence, and the last day on which it is valid"           \
	}

/* Takes over what the command line has; the rest stays. An empty value clears.
 *   roles  holds the joined roles; to live as long as guest
 * CS_OK, CS_USAGE (see why), CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_guest_read(struct cs_admin *admin,
    struct cs_enrol_guest *guest, struct cs_buf *roles);

#endif
