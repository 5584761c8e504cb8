/*
 * Every way of lying that a relay has been thought of, and what a client says
 * to each: one row a lie, refused with the error in it, and nothing of it kept.
 * Here: entries that nobody with a right to it made.
 */
#include <string.h>

#include "proto/label.h"
#include "tests/support/hostile.h"
#include "tests/test.h"

static struct hostile h;

LIAR_CLOCK

#define NONE CS_ENTRY_NO_PREV

/* ------------------------------------------------------------ forged entries
 */

static uint8_t new_id[CS_ID_BYTES] = { 0xee };

static void
forge_member(struct liar *x, struct liar_log *log, const struct cs_keyring *kr,
    const uint8_t *authority, const uint8_t *id, const char *address,
    uint64_t prev, const uint8_t *enrol_key)
{
	struct cs_entry_member v = { .address = cs_bytes_str(address),
		.name = cs_bytes_str("Forged"),
		.enrol_expires_s = liar_time_s + HOSTILE_DAY };
	struct cs_buf body = { 0 };

	memcpy(v.organisation, x->r.net.practice, CS_ID_BYTES);
	if (enrol_key)
		memcpy(v.enrol_key, enrol_key, sizeof(v.enrol_key));
	CHECK_OK(cs_entry_member_encode(&v, &body));
	liar_forge(x, log, kr, authority, CS_ENTRY_MEMBER, id, prev,
	    cs_buf_view(&body));
	cs_buf_fini(&body);
}

static void
member_by_a_device(struct liar *x, struct liar_log *log)
{
	forge_member(x, log, cs_client_keyring(h.carol), hostile_id(h.carol),
	    new_id, "new@clinic", NONE, NULL);
}

static void
member_of_a_practice_that_is_none(struct liar *x, struct liar_log *log)
{
	forge_member(x, log, x->r.net.registrar,
	    cs_keyring_info(x->r.net.registrar)->id, new_id, "new@nowhere",
	    NONE, NULL);
}

static void
address_taken(struct liar *x, struct liar_log *log)
{
	forge_member(x, log, x->r.net.registrar,
	    cs_keyring_info(x->r.net.registrar)->id, new_id, "ann@clinic", NONE,
	    NULL);
}

static void
forge_relay(struct liar *x, struct liar_log *log, const struct cs_keyring *kr,
    const uint8_t *authority)
{
	struct cs_entry_relay v = { .url = cs_bytes_str("tcp://evil:1") };
	struct cs_directory_relay relay;
	struct cs_buf body = { 0 };

	CHECK_OK(cs_directory_relay(x->r.net.dir, &relay));
	CHECK_OK(cs_entry_relay_encode(&v, &body));
	liar_forge(x, log, kr, authority, CS_ENTRY_RELAY, relay.id, relay.entry,
	    cs_buf_view(&body));
	cs_buf_fini(&body);
}

static void
relay_by_itself(struct liar *x, struct liar_log *log)
{
	forge_relay(x, log, x->r.net.relay,
	    cs_keyring_info(x->r.net.relay)->id);
}

static void
relay_in_the_registrars_name(struct liar *x, struct liar_log *log)
{
	forge_relay(x, log, x->r.net.relay,
	    cs_keyring_info(x->r.net.registrar)->id);
}

static void
registrar_by_a_registrar(struct liar *x, struct liar_log *log)
{
	const struct cs_keyring_info *r = cs_keyring_info(x->r.net.registrar);
	struct cs_entry_registrar v = { .name = cs_bytes_str("mine"),
		.valid_until_s = liar_time_s + HOSTILE_DAY };
	struct cs_buf body = { 0 };

	CHECK_OK(cs_entry_registrar_encode(&v, &body));
	liar_forge(x, log, x->r.net.registrar, r->id, CS_ENTRY_REGISTRAR,
	    new_id, NONE, cs_buf_view(&body));
	cs_buf_fini(&body);
}

static void
root_by_a_registrar(struct liar *x, struct liar_log *log)
{
	const struct cs_keyring_info *r = cs_keyring_info(x->r.net.registrar);
	struct cs_entry_root v = { .version = 2,
		.threshold = 1,
		.n_keys = 1,
		.keys = CS_BYTES(r->sign_key),
		.name = cs_bytes_str("Test Network") };
	struct cs_buf body = { 0 };

	CHECK_OK(cs_entry_root_encode(&v, &body));
	liar_forge(x, log, x->r.net.registrar, r->id, CS_ENTRY_ROOT,
	    cs_keyring_info(x->r.net.root)->id, 0, cs_buf_view(&body));
	cs_buf_fini(&body);
}

static void
policy_by_a_registrar(struct liar *x, struct liar_log *log)
{
	struct cs_entry_policy v = { 0 };
	struct cs_buf body = { 0 };

	CHECK_OK(cs_entry_policy_encode(&v, &body));
	liar_forge(x, log, x->r.net.registrar,
	    cs_keyring_info(x->r.net.registrar)->id, CS_ENTRY_POLICY,
	    cs_keyring_info(x->r.net.root)->id, NONE, cs_buf_view(&body));
	cs_buf_fini(&body);
}

static void
waiver_by_one_registrar(struct liar *x, struct liar_log *log)
{
	const uint8_t *r = cs_keyring_info(x->r.net.registrar)->id;
	struct cs_entry_organisation v = { .handle = cs_bytes_str("waived"),
		.name = cs_bytes_str("Waived"),
		.vetting_hash = { 1 },
		.decision = CS_DECISION_CONDITIONAL,
		.valid_until_s = liar_time_s + HOSTILE_DAY };
	struct cs_buf body = { 0 };

	memcpy(v.co_registrar, r, CS_ID_BYTES);
	CHECK_OK(cs_entry_organisation_encode(&v, &body));
	liar_forge(x, log, x->r.net.registrar, r, CS_ENTRY_ORGANISATION, new_id,
	    NONE, cs_buf_view(&body));
	cs_buf_fini(&body);
}

static void
forge_device(struct liar *x, struct liar_log *log, const struct cs_keyring *kr,
    const uint8_t *authority, const uint8_t *member, uint64_t enrol_expires_s)
{
	struct cs_entry_device v = { .kind = CS_DEVICE_PERSONAL,
		.enrol_expires_s = enrol_expires_s,
		.name = cs_bytes_str("rogue") };
	struct cs_buf body = { 0 };

	memcpy(v.member, member, CS_ID_BYTES);
	memcpy(v.sign_key, cs_keyring_info(x->r.net.relay)->sign_key,
	    sizeof(v.sign_key));
	CHECK_OK(cs_entry_device_encode(&v, &body));
	liar_forge(x, log, kr, authority, CS_ENTRY_DEVICE, new_id, NONE,
	    cs_buf_view(&body));
	cs_buf_fini(&body);
}

/* A keyring with the one-time key of Carol's invitation cannot be made; what
 * the relay has of it is the entry that it signed. */
static void
invitation_replayed(struct liar *x, struct liar_log *log)
{
	struct cs_entry_leaf leaf;
	struct cs_bytes entry;

	(void)x;
	CHECK_OK(cs_entry_leaf_decode(cs_buf_view(&log->leaf[h.carols_device]),
	    &leaf));
	entry = leaf.entry;
	leaf.seq = log->n;
	leaf.logged_at_s = liar_time_s;
	leaf.entry = entry;
	cs_entry_leaf_encode(&leaf, &log->leaf[log->n++]);
}

/* The registrar's word, for a member who has a device. */
static void
device_by_a_second_invitation(struct liar *x, struct liar_log *log)
{
	const struct cs_keyring_info *relay = cs_keyring_info(x->r.net.relay);
	const uint8_t *member = cs_client_self(h.ann)->member_id;
	struct cs_directory_member m;

	CHECK_OK(cs_directory_member(x->r.net.dir, member, &m));
	forge_member(x, log, x->r.net.registrar,
	    cs_keyring_info(x->r.net.registrar)->id, member, "ann@clinic",
	    m.entry, relay->sign_key);
	forge_device(x, log, x->r.net.relay, member, member, 0);
}

static void
device_by_a_colleague(struct liar *x, struct liar_log *log)
{
	forge_device(x, log, cs_client_keyring(h.carol), hostile_id(h.carol),
	    cs_client_self(h.ann)->member_id, liar_time_s + HOSTILE_DAY);
}

static void
second_device_that_is_not_pending(struct liar *x, struct liar_log *log)
{
	forge_device(x, log, cs_client_keyring(h.carol), hostile_id(h.carol),
	    cs_client_self(h.carol)->member_id, 0);
}

static void
forge_rotation(struct liar *x, struct liar_log *log,
    const struct cs_keyring *signer, bool proof)
{
	const struct cs_keyring_info *relay = cs_keyring_info(x->r.net.relay);
	const struct cs_keyring_info *self = cs_client_self(h.carol);
	struct cs_entry_device_rotate v = { 0 };
	struct cs_buf m = { 0 }, body = { 0 };

	memcpy(v.sign_key, relay->sign_key, sizeof(v.sign_key));
	cs_buf_put_bytes(&m, CS_LABEL_ROTATE);
	cs_buf_put(&m, x->r.net.network_id, CS_NETWORK_ID_BYTES);
	cs_buf_put(&m, self->id, CS_ID_BYTES);
	cs_buf_put(&m, self->sign_key, CS_SIGN_PUBLIC_BYTES);
	if (proof)
		cs_keyring_sign(x->r.net.relay, cs_buf_view(&m), v.proof);
	CHECK_OK(cs_entry_device_rotate_encode(&v, &body));
	liar_forge(x, log, signer, self->id, CS_ENTRY_DEVICE_ROTATE, self->id,
	    NONE, cs_buf_view(&body));
	cs_buf_fini(&m);
	cs_buf_fini(&body);
}

static void
rotation_by_the_relay(struct liar *x, struct liar_log *log)
{
	forge_rotation(x, log, x->r.net.relay, true);
}

static void
rotation_without_proof(struct liar *x, struct liar_log *log)
{
	forge_rotation(x, log, cs_client_keyring(h.carol), false);
}

static void
forge_batch(struct liar *x, struct liar_log *log, const struct cs_client *c,
    uint64_t first)
{
	struct cs_entry_epoch_batch v = { .first_epoch = first, .count = 1 };
	struct cs_directory_batch newest = { .entry = NONE };
	struct cs_buf body = { 0 };

	CHECK_OK(cs_directory_batch(x->r.net.dir, hostile_id(c), UINT64_MAX,
	    &newest));
	CHECK_OK(cs_entry_epoch_batch_encode(&v, &body));
	liar_forge(x, log, cs_client_keyring(c), hostile_id(c),
	    CS_ENTRY_EPOCH_BATCH, hostile_id(c), newest.entry,
	    cs_buf_view(&body));
	cs_buf_fini(&body);
}

static void
epoch_keys_again(struct liar *x, struct liar_log *log)
{
	forge_batch(x, log, h.carol, liar_time_s / CS_EPOCH_S);
}

static void
epoch_keys_of_years_ahead(struct liar *x, struct liar_log *log)
{
	forge_batch(x, log, h.carol, liar_time_s / CS_EPOCH_S + 200);
}

static void
epoch_keys_of_a_revoked_device(struct liar *x, struct liar_log *log)
{
	forge_batch(x, log, h.bob,
	    liar_time_s / CS_EPOCH_S + CS_EPOCHS_PER_BATCH);
}

static void
forge_revocation(struct liar *x, struct liar_log *log,
    const struct cs_keyring *kr, const uint8_t *authority,
    const uint8_t *subject, uint64_t since_s)
{
	struct cs_entry_revoke v = { .reason = CS_REVOKE_LOST,
		.compromised_since_s = since_s };
	struct cs_buf body = { 0 };

	CHECK_OK(cs_entry_revoke_encode(&v, &body));
	liar_forge(x, log, kr, authority, CS_ENTRY_REVOKE, subject, NONE,
	    cs_buf_view(&body));
	cs_buf_fini(&body);
}

static void
revocation_by_a_colleague(struct liar *x, struct liar_log *log)
{
	forge_revocation(x, log, cs_client_keyring(h.carol),
	    hostile_id(h.carol), hostile_id(h.ann), 0);
}

static void
revocation_by_itself_in_the_past(struct liar *x, struct liar_log *log)
{
	forge_revocation(x, log, cs_client_keyring(h.carol),
	    hostile_id(h.carol), hostile_id(h.carol),
	    liar_time_s - HOSTILE_DAY);
}

static void
entry_by_a_revoked_registrar(struct liar *x, struct liar_log *log)
{
	const uint8_t *r = cs_keyring_info(x->r.net.registrar)->id;

	forge_revocation(x, log, x->r.net.registrar, r, r, 0);
	member_of_a_practice_that_is_none(x, log);
}

static void
entry_by_an_expired_registrar(struct liar *x, struct liar_log *log)
{
	address_taken(x, log);
	cs_bytes_be(liar_time_s + 2000 * HOSTILE_DAY, 8,
	    log->leaf[log->n - 1].p + 8);
}

static void
roster_of_a_stranger(struct liar *x, struct liar_log *log)
{
	struct cs_entry_roster v = { .address = cs_bytes_str("board@clinic"),
		.name = cs_bytes_str("Board"),
		.n_members = 1,
		.members = { new_id, CS_ID_BYTES } };
	struct cs_buf body = { 0 };

	CHECK_OK(cs_entry_roster_encode(&v, &body));
	liar_forge(x, log, x->r.net.registrar,
	    cs_keyring_info(x->r.net.registrar)->id, CS_ENTRY_GROUP, new_id,
	    NONE, cs_buf_view(&body));
	cs_buf_fini(&body);
}

static void
entry_of_another_network(struct liar *x, struct liar_log *log)
{
	x->r.net.network_id[5] ^= 1;
	forge_member(x, log, x->r.net.registrar,
	    cs_keyring_info(x->r.net.registrar)->id, new_id, "new@clinic", NONE,
	    NULL);
	x->r.net.network_id[5] ^= 1;
}

static void
more_than_a_member_may(struct liar *x, struct liar_log *log)
{
	for (unsigned i = 0; i <= CS_LIMIT_MEMBER_ENTRIES; i++) {
		new_id[1] = (uint8_t)i;
		if (i < CS_LIMIT_MEMBER_DEVICES - 1)
			forge_device(x, log, cs_client_keyring(h.carol),
			    hostile_id(h.carol),
			    cs_client_self(h.carol)->member_id,
			    liar_time_s + HOSTILE_DAY);
	}
	new_id[1] = 0xff;
	forge_device(x, log, cs_client_keyring(h.carol), hostile_id(h.carol),
	    cs_client_self(h.carol)->member_id, liar_time_s + HOSTILE_DAY);
	new_id[1] = 0;
}

static const struct hostile_row rows[] = {
	LOG_ROW(member_by_a_device, CS_DENIED),
	LOG_ROW(member_of_a_practice_that_is_none, CS_DENIED),
	LOG_ROW(address_taken, CS_USED),
	LOG_ROW(relay_by_itself, CS_DENIED),
	LOG_ROW(relay_in_the_registrars_name, CS_BAD_SIGNATURE),
	LOG_ROW(registrar_by_a_registrar, CS_DENIED),
	LOG_ROW(root_by_a_registrar, CS_DENIED),
	LOG_ROW(policy_by_a_registrar, CS_DENIED),
	LOG_ROW(waiver_by_one_registrar, CS_DENIED),
	LOG_ROW(invitation_replayed, CS_USED),
	LOG_ROW(device_by_a_second_invitation, CS_USED),
	LOG_ROW(device_by_a_colleague, CS_DENIED),
	LOG_ROW(second_device_that_is_not_pending, CS_DENIED),
	LOG_ROW(rotation_by_the_relay, CS_BAD_SIGNATURE),
	LOG_ROW(rotation_without_proof, CS_BAD_SIGNATURE),
	LOG_ROW(epoch_keys_again, CS_CLASH),
	LOG_ROW(epoch_keys_of_years_ahead, CS_MALFORMED),
	LOG_ROW(epoch_keys_of_a_revoked_device, CS_REVOKED),
	LOG_ROW(revocation_by_a_colleague, CS_DENIED),
	LOG_ROW(revocation_by_itself_in_the_past, CS_DENIED),
	LOG_ROW(entry_by_a_revoked_registrar, CS_REVOKED),
	LOG_ROW(entry_by_an_expired_registrar, CS_EXPIRED),
	LOG_ROW(roster_of_a_stranger, CS_NOT_FOUND),
	LOG_ROW(entry_of_another_network, CS_BAD_SIGNATURE),
	LOG_ROW(more_than_a_member_may, CS_QUOTA),
};

TEST(a_client_takes_no_forged_entry)
{
	hostile_begin(&h);
	hostile_news(&h);
	hostile_connect(&h, rows, sizeof(rows) / sizeof(rows[0]));
	CHECK(cs_directory_view(cs_client_directory(h.ann)).size > h.had);
	hostile_end(&h);
}
