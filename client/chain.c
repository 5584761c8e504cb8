#include "client/chain.h"

#include <string.h>

#include "proto/statement.h"

/* n numbers never came. */
static void
skip(struct cs_chain *ch, uint64_t n)
{
	if (!ch->is_anew)
		ch->missing += n;
	ch->is_cut = true;
}

cs_err
cs_chain_take(struct cs_chain *ch, const struct cs_frame_item *item)
{
	if (item->seq <= ch->seq)
		return CS_FORKED;
	if (item->seq != ch->seq + 1)
		skip(ch, item->seq - ch->seq - 1);
	ch->is_anew = false;
	cs_statement_chain(ch->head, item->seq, item->envelope_id, item->e,
	    ch->head);
	ch->seq = item->seq;
	return CS_OK;
}

cs_err
cs_chain_end(struct cs_chain *ch, uint64_t head_seq,
    const uint8_t head[static CS_HASH_BYTES])
{
	if (head_seq < ch->seq)
		return CS_WENT_BACK;
	if (head_seq > ch->seq) {
		skip(ch, head_seq - ch->seq);
		ch->seq = head_seq;
	}
	ch->is_anew = false;
	if (ch->is_cut) {
		memcpy(ch->head, head, CS_HASH_BYTES);
		ch->is_cut = false;
		return CS_OK;
	}
	return memcmp(ch->head, head, CS_HASH_BYTES) == 0 ? CS_OK : CS_FORKED;
}
