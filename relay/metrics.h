#ifndef CS_RELAY_METRICS_H
#define CS_RELAY_METRICS_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "proto/base/err.h"
#include "relay/config.h"
#include "relay/metric.h"
#include "relay/server.h"
#include "relay/service.h"

/* All that an operator can see of a running relay, in one place: for its log,
 * for Prometheus, and for whoever asks whether it is well. */
struct cs_metrics { /* borrowed; outlives every call */
	struct cs_server *server;
	struct cs_service *service;
	const struct cs_config *config;
	unsigned
	    max_connections; /* as far as the limit of descriptors allows */
};

/* Calls each with every counter, level and limit; CS_OK, CS_CORRUPT and CS_IO
 * of the store. */
typedef void cs_metrics_each(void *ctx, const struct cs_metric *m);
CS_MUST_USE cs_err cs_metrics_each_of(const struct cs_metrics *m,
    cs_metrics_each *each, void *ctx);

/* The same, and the histograms, in Prometheus's text format 0.0.4, appended.
 * CS_OK, CS_CORRUPT, CS_IO, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_metrics_text(const struct cs_metrics *m,
    struct cs_buf *out);

#endif
