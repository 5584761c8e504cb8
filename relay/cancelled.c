#include "relay/cancelled.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define REMEMBERED 1024u

struct cs_cancelled {
	_Atomic uint64_t n; /* ever added */
	uint8_t id[REMEMBERED][CS_ID_BYTES];
};

cs_err
cs_cancelled_new(struct cs_cancelled **ret)
{
	struct cs_cancelled *c = calloc(1, sizeof(*c));

	if (!c)
		return CS_NO_MEMORY;
	*ret = c;
	return CS_OK;
}

void
cs_cancelled_free(struct cs_cancelled *c)
{
	free(c);
}

uint64_t
cs_cancelled_ticket(const struct cs_cancelled *c)
{
	return c->n;
}

void
cs_cancelled_add(struct cs_cancelled *c,
    const uint8_t envelope_id[static CS_ID_BYTES])
{
	memcpy(c->id[c->n % REMEMBERED], envelope_id, CS_ID_BYTES);
	c->n++;
}

bool
cs_cancelled_since(const struct cs_cancelled *c, uint64_t ticket,
    const uint8_t envelope_id[static CS_ID_BYTES])
{
	if (c->n - ticket > REMEMBERED)
		return true;
	for (uint64_t i = ticket; i < c->n; i++)
		if (memcmp(c->id[i % REMEMBERED], envelope_id, CS_ID_BYTES) ==
		    0)
			return true;
	return false;
}
