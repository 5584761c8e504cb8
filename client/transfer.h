#ifndef CS_CLIENT_TRANSFER_H
#define CS_CLIENT_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/limits.h"

/*
 * How attachments go over the line: at what pace, and who is told how far they
 * are. One for a client; set before it talks to the relay.
 */

/* How far one message's attachments are, counted as they are stored. */
struct cs_transfer_at {
	uint8_t id[CS_ID_BYTES]; /* envelope_id */
	bool is_upload;
	uint64_t done_bytes, total_bytes;
};

struct cs_transfer {
	uint64_t limit_bytes_s; /* in each direction; 0: as fast as it goes */
	/* Told after each segment; NULL: nobody is. */
	void (*told)(void *ctx, const struct cs_transfer_at *at);
	void *ctx;

	/* of transfer.c */
	struct cs_transfer_at at;
	uint64_t ready_us; /* when the next byte may go */
};

/* A message begins: nothing of total_bytes is over yet. */
void cs_transfer_begin(struct cs_transfer *t,
    const uint8_t id[static CS_ID_BYTES], bool is_upload, uint64_t total_bytes);

/* It is this far, whether bytes went over or were there; tells. */
void cs_transfer_reach(struct cs_transfer *t, uint64_t done_bytes);

/* Bytes are about to go over: waits until the limit lets them. */
void cs_transfer_pace(struct cs_transfer *t, uint64_t bytes);

/*
 * A rate as people write it: a number of bytes a second, with K, M or G for
 * powers of 1024, from 32K on.
 *   ret  bytes a second
 */
bool cs_transfer_rate(const char *text, uint64_t *ret);

#endif
