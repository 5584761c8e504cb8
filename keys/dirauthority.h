#ifndef CS_KEYS_DIRAUTHORITY_H
#define CS_KEYS_DIRAUTHORITY_H

#include <stdbool.h>

#include "keys/dirstate.h"
#include "proto/base/err.h"

/* Whose hand an entry is by: the authority's standing when the entry was
 * logged, and its signatures. Inside keys/directory only. */

/* In what capacity the authority of an entry acts. */
enum cs_dirauthority_capacity {
	CS_DIRAUTHORITY_ROOT = 1 << 0,
	CS_DIRAUTHORITY_REGISTRAR = 1 << 1,
	CS_DIRAUTHORITY_INVITED = 1 << 2, /* a member, by the invitation */
	CS_DIRAUTHORITY_SIBLING = 1 << 3, /* another device */
	CS_DIRAUTHORITY_ITSELF = 1 << 4,  /* the device that is the subject */
	CS_DIRAUTHORITY_PENDING = 1 << 5, /* it, with a one-time key */
};

/*
 * Does the subject's newest own entry rest on keys that were sound when they
 * signed? Who was compromised at some time has certified nobody from then on:
 * so for its authority, for the entry by which that one was what it was then,
 * and so on up to the root. CS_OK, CS_DENIED.
 */
CS_MUST_USE cs_err cs_dirauthority_certified(const struct cs_dirstate *s,
    const struct cs_dirstate_subject *subject);

/* The same of the own entry that was the newest at a time: what was signed
 * then is not voided by what came later. */
CS_MUST_USE cs_err cs_dirauthority_certified_then(const struct cs_dirstate *s,
    const struct cs_dirstate_subject *subject, uint64_t at_s);

/* Is the organisation one that may take part at now_s? CS_OK, CS_REVOKED,
 * CS_LAPSED (its vetting), CS_DENIED (refused, or not certified). */
CS_MUST_USE cs_err cs_dirauthority_vetted(const struct cs_dirstate *s,
    const struct cs_dirstate_subject *organisation, uint64_t now_s);

/* Is the registrar in force at now_s? CS_OK, CS_REVOKED, CS_EXPIRED. */
CS_MUST_USE cs_err
cs_dirauthority_registrar(const struct cs_dirstate_subject *registrar,
    uint64_t now_s);

/*
 * Did an authority in one of these capacities make this entry?
 *   may         set of capacities
 *   signatures  false for a leaf verified before: all but them is checked
 * The authority is in s, or in is the first root. CS_OK, CS_DENIED,
 * CS_REVOKED, CS_EXPIRED, CS_USED (invitation), CS_BAD_SIGNATURE,
 * CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_dirauthority_check(const struct cs_dirstate *s,
    const struct cs_dirstate_leaf *in, unsigned may, bool signatures);

#endif
