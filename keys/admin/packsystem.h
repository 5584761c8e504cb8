#ifndef CS_KEYS_ADMIN_PACKSYSTEM_H
#define CS_KEYS_ADMIN_PACKSYSTEM_H

#include "keys/admin/packfiles.h"

/* Files of `audit pack` about the system: permissions, logoff, encryption,
 * transmission, the log and its integrity, contingency, reviews. Each as the
 * column write of cs_packfiles_info: CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_packsystem_permissions(struct cs_packfiles *p,
    struct cs_buf *out);
CS_MUST_USE cs_err cs_packsystem_logoff(struct cs_packfiles *p,
    struct cs_buf *out);
CS_MUST_USE cs_err cs_packsystem_encryption(struct cs_packfiles *p,
    struct cs_buf *out);
CS_MUST_USE cs_err cs_packsystem_transmission(struct cs_packfiles *p,
    struct cs_buf *out);
CS_MUST_USE cs_err cs_packsystem_log(struct cs_packfiles *p,
    struct cs_buf *out);
CS_MUST_USE cs_err cs_packsystem_sample(struct cs_packfiles *p,
    struct cs_buf *out);
CS_MUST_USE cs_err cs_packsystem_integrity(struct cs_packfiles *p,
    struct cs_buf *out);
CS_MUST_USE cs_err cs_packsystem_contingency(struct cs_packfiles *p,
    struct cs_buf *out);
CS_MUST_USE cs_err cs_packsystem_reviews(struct cs_packfiles *p,
    struct cs_buf *out);

#endif
