#ifndef CS_KEYS_ADMIN_RELAYCONF_H
#define CS_KEYS_ADMIN_RELAYCONF_H

#include "proto/base/buf.h"

/* Appends a consil-relay.conf(5) with every key of it: paths as in the folder
 * of `consil-admin init`, the rest at its default and commented out. */
void cs_relayconf_write(const char *const *urls, size_t n, struct cs_buf *out);

#endif
