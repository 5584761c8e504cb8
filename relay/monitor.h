#ifndef CS_RELAY_MONITOR_H
#define CS_RELAY_MONITOR_H

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "relay/metrics.h"

/*
 * What an operator's tools ask over HTTP, on a loopback address only:
 *   /metrics  Prometheus text format
 *   /healthz  200 while the relay's threads run, else 503
 *   /readyz   200 while it takes requests and can commit, else 503 and why
 * Nobody is asked who they are: what is told is in docs/operations.md, and no
 * part of it is about a person.
 */
struct cs_monitor;

/*
 *   url  http://127.0.0.1:PORT or http://[::1]:PORT
 *   m    borrowed until the process ends
 *   ret_problem  on failure one clause: what, why, remedy
 * CS_OK, CS_BUSY (address in use), CS_DENIED, CS_BAD_CONFIG, CS_IO,
 * CS_NO_MEMORY. There is no close: nng's HTTP server can wait for ever for its
 * own end, so it ends with the process.
 */
CS_MUST_USE cs_err cs_monitor_open(const char *url, const struct cs_metrics *m,
    struct cs_monitor **ret, struct cs_buf *ret_problem);

/* From now on /readyz says that the relay is stopping. NULL does nothing. */
void cs_monitor_stopping(struct cs_monitor *mon);

/* Port it listens on. */
unsigned cs_monitor_port(const struct cs_monitor *mon);

/* Whether an URL is one that it may listen on. */
bool cs_monitor_is_local(const char *url);

#endif
