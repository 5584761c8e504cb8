#include "relay/metrics.h"

#include <inttypes.h>
#include <sys/statvfs.h>

#include "relay/descriptors.h"
#include "relay/histogram.h"
#include "relay/limits.h"

#define PREFIX   "consil_relay_"
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ------------------------------------------------------------------ numbers */

static void
each_limit(const struct cs_metrics *m, cs_metrics_each *each, void *ctx)
{
	const struct cs_config *c = m->config;
	const struct cs_metric limits[] = {
		{ "limit_connections", "connections at most", true,
		    m->max_connections },
		{ "limit_per_address", "connections of one address at most",
		    true, c->max_per_address },
		{ "limit_in_flight", "unanswered requests of one connection",
		    true, CS_LIMIT_IN_FLIGHT },
		{ "limit_queued_bytes", "replies waiting to be sent, at most",
		    true, CS_LIMIT_QUEUED_BYTES },
		{ "limit_work_bytes", "requests not yet answered, at most",
		    true, CS_LIMIT_WORK_BYTES },
		{ "limit_parked", "requests that wait for mail, at most", true,
		    CS_LIMIT_PARKED },
		{ "limit_total_bytes", "quota of the whole store", true,
		    c->quota_total_bytes },
		{ "limit_sender_bytes", "quota of one member", true,
		    c->quota_sender_bytes },
		{ "limit_mailbox_bytes", "quota of one mailbox", true,
		    c->quota_mailbox_bytes },
		{ "limit_share_bytes", "quota of one member in one mailbox",
		    true, c->quota_share_bytes },
	};

	for (size_t i = 0; i < COUNT(limits); i++)
		each(ctx, &limits[i]);
}

/* Bytes that are left to this user on the store's disk; 0: not known. */
static uint64_t
disk_free(const char *path)
{
	struct statvfs v;

	return statvfs(path, &v) == 0 ? (uint64_t)v.f_bavail * v.f_frsize : 0;
}

static cs_err
each_of_store(const struct cs_metrics *m, cs_metrics_each *each, void *ctx)
{
	struct cs_store_stats st;
	cs_err e;

	CS_TRY(cs_service_stats(m->service, &st));
	{
		const struct cs_metric levels[] = {
			{ "store_envelopes", "envelope ids known, in any state",
			    true, st.envelopes },
			{ "store_items", "items in all mailboxes", true,
			    st.items },
			{ "store_segments", "segments of attachments", true,
			    st.segments },
			{ "store_rows_bytes", "of the file of rows, in use",
			    true, st.rows_bytes },
			{ "store_rows_limit_bytes", "of it, at most", true,
			    st.rows_limit_bytes },
			{ "store_segments_bytes",
			    "of the file of segments, in use", true,
			    st.segments_bytes },
			{ "store_segments_limit_bytes", "of it, at most", true,
			    st.segments_limit_bytes },
			{ "store_refuses",
			    "1 once a commit failed: the relay ends", true,
			    st.refuses },
			{ "disk_free_bytes", "left on the store's disk", true,
			    disk_free(m->config->store) },
			{ "directory_log_entries", "size of the directory log",
			    true, st.log_size[CS_LOG_DIRECTORY] },
			{ "receipt_log_entries", "size of the receipt log",
			    true, st.log_size[CS_LOG_RECEIPTS] },
			{ "audit_log_entries", "size of the audit log", true,
			    st.log_size[CS_LOG_AUDIT] },
			{ "descriptors", "open file descriptors", true,
			    cs_descriptors_open() },
		};

		for (size_t i = 0; i < COUNT(levels); i++)
			each(ctx, &levels[i]);
	}
out:
	return e;
}

cs_err
cs_metrics_each_of(const struct cs_metrics *m, cs_metrics_each *each, void *ctx)
{
	struct cs_metric v;
	unsigned i;
	cs_err e;

	for (i = 0; cs_server_counter(m->server, i, &v); i++)
		each(ctx, &v);
	for (i = 0; cs_service_counter(m->service, i, &v); i++)
		each(ctx, &v);
	CS_TRY(each_of_store(m, each, ctx));
	each_limit(m, each, ctx);
out:
	return e;
}

/* --------------------------------------------------------------------- text */

static void
put_head(struct cs_buf *out, const char *name, const char *suffix,
    const char *help, const char *type)
{
	cs_buf_printf(out,
	    "# HELP " PREFIX "%s%s %s\n# TYPE " PREFIX "%s%s %s\n", name,
	    suffix, help, name, suffix, type);
}

static void
put_metric(void *ctx, const struct cs_metric *m)
{
	const char *suffix = m->is_level ? "" : "_total";
	struct cs_buf *out = ctx;

	put_head(out, m->name, suffix, m->help,
	    m->is_level ? "gauge" : "counter");
	cs_buf_printf(out, PREFIX "%s%s %" PRIu64 "\n", m->name, suffix,
	    m->value);
}

/* The buckets are read one after the other while others count: what is shown
 * is made to add up. */
static void
put_histogram(struct cs_buf *out, const struct cs_histogram *h,
    const struct cs_histogram_info *info)
{
	uint64_t n = 0;
	unsigned i;

	put_head(out, info->name, "", info->help, "histogram");
	for (i = 0; i < info->n; i++) {
		n += h->bucket[i];
		cs_buf_printf(out, PREFIX "%s_bucket{le=\"%g\"} %" PRIu64 "\n",
		    info->name, info->bound[i], n);
	}
	n += h->bucket[i];
	cs_buf_printf(out, PREFIX "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n",
	    info->name, n);
	cs_buf_printf(out, PREFIX "%s_sum %.6f\n", info->name,
	    (double)h->sum / (double)info->unit);
	cs_buf_printf(out, PREFIX "%s_count %" PRIu64 "\n", info->name, n);
}

cs_err
cs_metrics_text(const struct cs_metrics *m, struct cs_buf *out)
{
	cs_err e;

	CS_TRY(cs_metrics_each_of(m, put_metric, out));
	for (unsigned i = 0; i < CS_HISTOGRAMS; i++)
		put_histogram(out, cs_service_histogram(m->service, i),
		    cs_histogram_info(i));
	e = cs_buf_err(out);
out:
	return e;
}
