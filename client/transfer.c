#include "client/transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What is not used of the limit is not saved up for longer than this: the line
 * is somebody else's meanwhile. */
#define BURST_US 200000u
/* A segment goes in one piece: what is slower would look like a line that is
 * broken. */
#define RATE_LEAST (32u << 10)

static uint64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void
sleep_us(uint64_t us)
{
	struct timespec left = { .tv_sec = (time_t)(us / 1000000),
		.tv_nsec = (long)(us % 1000000) * 1000 };

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

void
cs_transfer_begin(struct cs_transfer *t, const uint8_t id[static CS_ID_BYTES],
    bool is_upload, uint64_t total_bytes)
{
	t->at = (struct cs_transfer_at){ .is_upload = is_upload,
		.total_bytes = total_bytes };
	memcpy(t->at.id, id, CS_ID_BYTES);
}

void
cs_transfer_reach(struct cs_transfer *t, uint64_t done_bytes)
{
	t->at.done_bytes = done_bytes;
	if (t->told)
		t->told(t->ctx, &t->at);
}

void
cs_transfer_pace(struct cs_transfer *t, uint64_t bytes)
{
	const uint64_t now = now_us();

	if (t->limit_bytes_s == 0)
		return;
	if (t->ready_us + BURST_US < now)
		t->ready_us = now - BURST_US;
	if (t->ready_us > now)
		sleep_us(t->ready_us - now);
	t->ready_us += bytes * 1000000 / t->limit_bytes_s;
}

bool
cs_transfer_rate(const char *text, uint64_t *ret)
{
	static const char units[] = "KMG";
	unsigned long long n;
	const char *unit;
	unsigned shift = 0;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (*end != '\0') {
		unit = strchr(units, *end);
		if (!unit || end[1] != '\0')
			return false;
		shift = 10 * (unsigned)(unit - units + 1);
	}
	if (errno != 0 || n > UINT64_MAX >> shift >> 20 ||
	    n << shift < RATE_LEAST)
		return false;
	*ret = n << shift;
	return true;
}
