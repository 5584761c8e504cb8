#include "keys/waive.h"

#include <string.h>

cs_err
cs_waive_ask(const struct cs_keyring *registrar,
    const uint8_t id[static CS_ID_BYTES], const struct cs_entry_organisation *v,
    uint64_t prev, uint64_t now_s, struct cs_bytes record, struct cs_buf *ret)
{
	const struct cs_keyring_info *own = cs_keyring_info(registrar);
	struct cs_entry entry = {
		.type = CS_ENTRY_ORGANISATION,
		.time_s = now_s,
		.prev = prev,
	};
	struct cs_buf body = { 0 }, core = { 0 }, m = { 0 };
	uint8_t signature[CS_SIGNATURE_BYTES];
	struct cs_waiver request = { .signature = signature, .record = record };
	cs_err e;

	CS_TRY(v->decision == CS_DECISION_CONDITIONAL ? CS_OK : CS_MALFORMED);
	CS_TRY(cs_entry_organisation_encode(v, &body));
	entry.body = cs_buf_view(&body);
	memcpy(entry.subject, id, CS_ID_BYTES);
	memcpy(entry.authority, own->id, CS_ID_BYTES);
	CS_TRY(cs_entry_encode_core(&entry, &core));
	cs_entry_signed_bytes(own->network_id, cs_buf_view(&core), &m);
	CS_TRY(cs_buf_err(&m));
	cs_keyring_sign(registrar, cs_buf_view(&m), signature);
	memcpy(request.network_id, own->network_id, CS_NETWORK_ID_BYTES);
	request.core = cs_buf_view(&core);
	cs_waiver_encode(&request, ret);
	CS_TRY(cs_buf_err(ret));
out:
	cs_buf_fini(&body);
	cs_buf_fini(&core);
	cs_buf_fini(&m);
	return e;
}

cs_err
cs_waive_open(const struct cs_waiver *v, struct cs_entry *ret_entry,
    struct cs_entry_organisation *ret)
{
	struct cs_entry entry;
	cs_err e;

	CS_TRY(cs_entry_core_decode(v->core, &entry));
	CS_TRY(entry.type == CS_ENTRY_ORGANISATION ? CS_OK : CS_MALFORMED);
	CS_TRY(cs_entry_organisation_decode(entry.body, ret));
	CS_TRY(ret->decision == CS_DECISION_CONDITIONAL ? CS_OK : CS_MALFORMED);
	*ret_entry = entry;
out:
	return e;
}

cs_err
cs_waive_cosign(const struct cs_keyring *registrar, const struct cs_waiver *v,
    struct cs_buf *ret)
{
	const struct cs_keyring_info *own = cs_keyring_info(registrar);
	uint8_t rows[2][1 + CS_SIGNATURE_BYTES] = { { 0 }, { 1 } };
	struct cs_entry_organisation organisation;
	struct cs_entry entry;
	struct cs_buf m = { 0 };
	cs_err e;

	CS_TRY(memcmp(v->network_id, own->network_id, CS_NETWORK_ID_BYTES) == 0
		   ? CS_OK
		   : CS_WRONG_NETWORK);
	CS_TRY(cs_waive_open(v, &entry, &organisation));
	CS_TRY(memcmp(organisation.co_registrar, own->id, CS_ID_BYTES) == 0
		   ? CS_OK
		   : CS_DENIED);
	cs_entry_signed_bytes(own->network_id, v->core, &m);
	CS_TRY(cs_buf_err(&m));
	memcpy(rows[0] + 1, v->signature, CS_SIGNATURE_BYTES);
	cs_keyring_sign(registrar, cs_buf_view(&m), rows[1] + 1);
	cs_entry_encode(v->core, 2, (struct cs_bytes){ rows[0], sizeof(rows) },
	    ret);
	CS_TRY(cs_buf_err(ret));
out:
	cs_buf_fini(&m);
	return e;
}
