#ifndef CS_KEYS_ADMIN_PACKPEOPLE_H
#define CS_KEYS_ADMIN_PACKPEOPLE_H

#include "keys/admin/packfiles.h"

/* Files of `audit pack` about people: who there is, how they prove who they
 * are, which practices were vetted, who changed access when. Each as the
 * column write of cs_packfiles_info: CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_packpeople_ids(struct cs_packfiles *p,
    struct cs_buf *out);
CS_MUST_USE cs_err cs_packpeople_authentication(struct cs_packfiles *p,
    struct cs_buf *out);
CS_MUST_USE cs_err cs_packpeople_vetting(struct cs_packfiles *p,
    struct cs_buf *out);
CS_MUST_USE cs_err cs_packpeople_changes(struct cs_packfiles *p,
    struct cs_buf *out);

#endif
