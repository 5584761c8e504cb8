#include "client/cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/transfer.h"
#include "proto/text.h"

#define QUIET_MS 500
#define BAR_MS   100
#define LINE_MS  1000
#define CELLS    20

/* One transfer at a time is told of: a process has one session. */
static struct {
	uint8_t id[CS_ID_BYTES];
	uint64_t begun_ms, told_ms;
	uint64_t begun_bytes; /* were there already */
} seen;

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Whether to tell now; begins anew with each message. */
static bool
is_due(const struct cs_transfer_at *at, uint64_t every_ms)
{
	const uint64_t now = now_ms();

	if (memcmp(seen.id, at->id, CS_ID_BYTES) != 0 || seen.begun_ms == 0) {
		memcpy(seen.id, at->id, CS_ID_BYTES);
		seen.begun_ms = now;
		seen.told_ms = 0;
		seen.begun_bytes = at->done_bytes;
	}
	if (now < seen.begun_ms + QUIET_MS || now < seen.told_ms + every_ms)
		return false;
	seen.told_ms = now;
	return true;
}

/* Bytes a second since this message began to move. */
static uint64_t
rate(const struct cs_transfer_at *at)
{
	const uint64_t ms = now_ms() - seen.begun_ms;

	return ms == 0 ? 0 : (at->done_bytes - seen.begun_bytes) * 1000 / ms;
}

static void
draw(void *ctx, const struct cs_transfer_at *at)
{
	char cells[CELLS + 1], speed[16], size[16], id[9], line[128];
	const bool is_over = at->done_bytes >= at->total_bytes;
	const bool due = is_due(at, BAR_MS);
	const uint64_t bytes_s = rate(at);
	uint64_t share, left_s;

	(void)ctx;
	if (is_over)
		cs_present_bar(NULL);
	if (is_over || !due)
		return;
	share = at->done_bytes * 100 / at->total_bytes;
	for (unsigned i = 0; i < CELLS; i++)
		cells[i] = i * 100 < share * CELLS ? '#' : '.';
	cells[CELLS] = '\0';
	cs_text_hex((struct cs_bytes){ at->id, sizeof(id) / 2 }, id);
	cs_present_size_text(bytes_s, speed);
	cs_present_size_text(at->total_bytes, size);
	left_s = bytes_s ? (at->total_bytes - at->done_bytes) / bytes_s : 0;
	snprintf(line, sizeof(line),
	    "%s %s… [%s] %2" PRIu64 " %% of %s, %s/s, %" PRIu64 ":%02" PRIu64
	    " left",
	    at->is_upload ? "sending" : "fetching", id, cells, share, size,
	    speed, left_s / 60, left_s % 60);
	cs_present_bar(line);
}

static void
print(void *ctx, const struct cs_transfer_at *at)
{
	char id[CS_ID_BYTES * 2 + 1];

	(void)ctx;
	if (!is_due(at, LINE_MS))
		return;
	cs_text_hex(CS_BYTES(at->id), id);
	fprintf(stderr,
	    "{\"event\": \"progress\", \"id\": \"%s\", \"direction\": "
	    "\"%s\", \"bytes\": %" PRIu64 ", \"total\": %" PRIu64
	    ", \"bytes_per_s\": %" PRIu64 "}\n",
	    id, at->is_upload ? "send" : "fetch", at->done_bytes,
	    at->total_bytes, rate(at));
}

cs_err
cs_progress_begin(struct cs_cli *cli)
{
	const char *limit = cs_options_get(cli->options, "limit-rate");
	struct cs_transfer *t = cs_client_transfer(cli->client);

	if (limit && !cs_transfer_rate(limit, &t->limit_bytes_s)) {
		cs_why_set(cs_cli_why(cli),
		    "--limit-rate %s: bytes a second, with K, M or G, from "
		    "32K on",
		    limit);
		return CS_USAGE;
	}
	if (cli->json)
		t->told = print;
	else if (isatty(2))
		t->told = draw;
	return CS_OK;
}

void
cs_progress_end(void)
{
	cs_present_bar(NULL);
}
