#ifndef CS_RELAY_CANCELLED_H
#define CS_RELAY_CANCELLED_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * Which reservations ended lately. `submit` compares attachments with the
 * envelope outside the writer; if the reservation was cancelled and begun
 * again with other segments meanwhile, the relay would state that it holds
 * what it does not.
 */
struct cs_cancelled;

/* CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_cancelled_new(struct cs_cancelled **ret);
void cs_cancelled_free(struct cs_cancelled *c);

/* To be taken before the store is read; any thread. */
uint64_t cs_cancelled_ticket(const struct cs_cancelled *c);

/* After the commit; writer thread. */
void cs_cancelled_add(struct cs_cancelled *c,
    const uint8_t envelope_id[static CS_ID_BYTES]);

/* Was it cancelled, or cannot that be said any more, since the ticket was
 * taken; writer thread. */
bool cs_cancelled_since(const struct cs_cancelled *c, uint64_t ticket,
    const uint8_t envelope_id[static CS_ID_BYTES]);

#endif
