#include "relay/statedby.h"

#include <string.h>

#include "keys/verify.h"
#include "relay/dirlog.h"
#include "relay/identity.h"

cs_err
cs_statedby(struct cs_core *c, const uint8_t device_id[static CS_ID_BYTES],
    enum cs_fact fact, struct cs_bytes statement,
    const uint8_t signature[static CS_SIGNATURE_BYTES],
    struct cs_statement *ret)
{
	uint8_t key[CS_SIGN_PUBLIC_BYTES], member[CS_ID_BYTES];
	struct cs_statement st;
	cs_err e;

	CS_TRY(cs_statement_decode(statement, &st));
	CS_TRY(st.fact == fact ? CS_OK : CS_MALFORMED);
	CS_TRY(memcmp(st.network_id, c->me->network_id, CS_NETWORK_ID_BYTES) ==
		       0
		   ? CS_OK
		   : CS_WRONG_NETWORK);
	CS_TRY(memcmp(st.signer_device, device_id, CS_ID_BYTES) == 0
		   ? CS_OK
		   : CS_DENIED);
	CS_TRY(cs_dirlog_signer(c->dirlog, device_id, st.signer_entry,
	    st.time_s, key, member));
	CS_TRY(memcmp(st.signer_member, member, CS_ID_BYTES) == 0 ? CS_OK
								  : CS_DENIED);
	CS_TRY(cs_verify_ed25519(key, statement, signature));
	*ret = st;
out:
	return e;
}
