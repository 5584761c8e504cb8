#include "client/notices.h"

#include <string.h>

#include "tests/support/practice.h"
#include "tests/test.h"

struct fixture {
	struct practice f;
	struct cs_local *l;
	struct cs_notices_self self; /* ann, at her first device */
};

static void
begin(struct fixture *x)
{
	const struct cs_keyring_info *me;

	practice_init(&x->f);
	CHECK_OK(cs_local_open(test_path("store"), x->f.ann, &x->l));
	me = cs_keyring_info(x->f.ann);
	memcpy(x->self.device, me->id, CS_ID_BYTES);
	memcpy(x->self.member, me->member_id, CS_ID_BYTES);
	memcpy(x->self.sign_key, me->sign_key, CS_SIGN_PUBLIC_BYTES);
	memcpy(x->self.next_key, me->sign_key, CS_SIGN_PUBLIC_BYTES);
}

static void
end(struct fixture *x)
{
	cs_local_close(x->l);
	practice_fini(&x->f);
}

/* Notices kept, and how many of them must be confirmed. */
static uint32_t
count(struct fixture *x, uint32_t *ret_keys)
{
	const struct cs_bytes all = { 0 };
	struct cs_bytes after = { 0 };
	uint8_t key[CS_LOCAL_KEY_BYTES], next[CS_LOCAL_KEY_BYTES];
	struct cs_local_txn *txn = NULL;
	uint32_t n = 0;
	size_t next_n;

	*ret_keys = 0;
	CHECK_OK(cs_local_begin(x->l, false, &txn));
	while (cs_local_next(txn, CS_LOCAL_NOTICE, all, after, next, &next_n) ==
	       CS_OK) {
		struct cs_buf v = { 0 };

		CHECK_NUM(8, next_n);
		memcpy(key, next, next_n);
		after = (struct cs_bytes){ key, next_n };
		CHECK_OK(cs_local_get_public(txn, CS_LOCAL_NOTICE, after, &v));
		CHECK_NUM(1, v.n);
		*ret_keys += v.p[0] & 1;
		cs_buf_fini(&v);
		n++;
	}
	cs_local_end(&txn);
	return n;
}

static void
expect(struct fixture *x, uint32_t notices, uint32_t of_keys)
{
	uint32_t keys;

	CHECK_OK(cs_notices_update(x->l, x->f.n.dir, &x->self));
	CHECK_NUM(notices, count(x, &keys));
	CHECK_NUM(of_keys, keys);
}

static uint64_t
newest(const struct fixture *x)
{
	return cs_directory_view(x->f.n.dir).size - 1;
}

TEST(notices_of_keys_that_were_not_made_here)
{
	struct cs_buf body = { 0 };
	struct cs_keyring *next;
	struct fixture x;

	begin(&x);
	/* ann2 came after ann; she looks for the first time: its entries. It
	 * was certified and changed its key by what ann signed: both are news,
	 * as this device did not note that it would. */
	expect(&x, 2, 1);
	expect(&x, 2, 1); /* once each */
	next = network_keyring(&x.f.n, CS_KEYRING_DEVICE, x.self.member);
	practice_rotate_body(&x.f.n, x.self.device, x.f.ann, next, &body);
	CHECK_OK(network_append_as(&x.f.n, x.f.ann, CS_ENTRY_DEVICE_ROTATE,
	    NULL, NONE, cs_buf_view(&body)));
	expect(&x, 3, 2); /* somebody has its key */
	cs_buf_fini(&body);
	cs_keyring_free(next);
	end(&x);
}

TEST(notices_not_of_its_own_rotation)
{
	struct cs_buf body = { 0 };
	struct cs_keyring *next;
	struct fixture x;

	begin(&x);
	expect(&x, 2, 1);
	next = network_keyring(&x.f.n, CS_KEYRING_DEVICE, x.self.member);
	practice_rotate_body(&x.f.n, x.self.device, x.f.ann, next, &body);
	CHECK_OK(network_append_as(&x.f.n, x.f.ann, CS_ENTRY_DEVICE_ROTATE,
	    NULL, NONE, cs_buf_view(&body)));
	memcpy(x.self.next_key, cs_keyring_info(next)->sign_key,
	    CS_SIGN_PUBLIC_BYTES);
	expect(&x, 2, 1);
	cs_buf_fini(&body);
	cs_keyring_free(next);
	end(&x);
}

TEST(notices_not_of_what_was_expected)
{
	struct cs_entry_epoch_batch batch = { .first_epoch = NOW / CS_EPOCH_S,
		.count = 1 };
	struct cs_entry_leaf leaf;
	struct cs_buf body = { 0 };
	struct cs_bytes bytes;
	struct fixture x;

	begin(&x);
	expect(&x, 2, 1);
	CHECK_OK(cs_entry_epoch_batch_encode(&batch, &body));
	CHECK_OK(network_append_as(&x.f.n, x.f.ann, CS_ENTRY_EPOCH_BATCH, NULL,
	    NONE, cs_buf_view(&body)));
	CHECK_OK(cs_directory_leaf(x.f.n.dir, newest(&x), &bytes));
	CHECK_OK(cs_entry_leaf_decode(bytes, &leaf));
	CHECK_OK(cs_notices_expect(x.l, leaf.entry));
	expect(&x, 2, 1);
	/* the next one was not made here: who has the key publishes others */
	batch.first_epoch++;
	cs_buf_reset(&body);
	CHECK_OK(cs_entry_epoch_batch_encode(&batch, &body));
	CHECK_OK(network_append_as(&x.f.n, x.f.ann, CS_ENTRY_EPOCH_BATCH, NULL,
	    newest(&x), cs_buf_view(&body)));
	expect(&x, 3, 2);
	cs_buf_fini(&body);
	end(&x);
}

TEST(notices_of_oneself_and_not_of_others)
{
	struct cs_entry_revoke revoke = { .reason = CS_REVOKE_LOST };
	struct cs_entry_roster roster = { .address = { 0 } };
	struct cs_buf body = { 0 };
	struct fixture x;

	begin(&x);
	expect(&x, 2, 1);
	/* a colleague's device is lost: her own affair */
	CHECK_OK(cs_entry_revoke_encode(&revoke, &body));
	CHECK_OK(network_append_as(&x.f.n, x.f.n.registrar, CS_ENTRY_REVOKE,
	    cs_keyring_info(x.f.bob)->id, NONE, cs_buf_view(&body)));
	expect(&x, 2, 1);
	CHECK_OK(network_append_as(&x.f.n, x.f.n.registrar, CS_ENTRY_REVOKE,
	    cs_keyring_info(x.f.ann2)->id, NONE, cs_buf_view(&body)));
	expect(&x, 3, 2);
	/* put on a board, and off again: to know, not to confirm */
	roster =
	    (struct cs_entry_roster){ .address = cs_bytes_str("board@clinic"),
		    .name = cs_bytes_str("Board"),
		    .n_members = 1,
		    .members = { x.self.member, CS_ID_BYTES } };
	cs_buf_reset(&body);
	CHECK_OK(cs_entry_roster_encode(&roster, &body));
	CHECK_OK(network_append_as(&x.f.n, x.f.n.registrar, CS_ENTRY_GROUP,
	    practice_stranger, NONE, cs_buf_view(&body)));
	expect(&x, 4, 2);
	roster.name = cs_bytes_str("Boards"); /* nothing about her */
	cs_buf_reset(&body);
	CHECK_OK(cs_entry_roster_encode(&roster, &body));
	CHECK_OK(network_append_as(&x.f.n, x.f.n.registrar, CS_ENTRY_GROUP,
	    practice_stranger, newest(&x), cs_buf_view(&body)));
	expect(&x, 4, 2);
	roster.n_members = 0;
	roster.members.n = 0;
	cs_buf_reset(&body);
	CHECK_OK(cs_entry_roster_encode(&roster, &body));
	CHECK_OK(network_append_as(&x.f.n, x.f.n.registrar, CS_ENTRY_GROUP,
	    practice_stranger, newest(&x), cs_buf_view(&body)));
	expect(&x, 5, 2);
	cs_buf_fini(&body);
	end(&x);
}

TEST(notices_need_a_device_of_the_directory)
{
	struct fixture x;

	begin(&x);
	memcpy(x.self.device, practice_stranger, CS_ID_BYTES);
	CHECK_ERR(CS_NOT_FOUND, cs_notices_update(x.l, x.f.n.dir, &x.self));
	end(&x);
}

/* Whom a sender should call: the registrar alone vouches for the new keys. */
TEST(directory_tells_who_was_enrolled_anew)
{
	struct cs_entry_revoke revoke = { .reason = CS_REVOKE_LOST };
	struct cs_entry_member again;
	struct cs_keyring *seed, *device;
	struct cs_buf body = { 0 }, entry = { 0 };
	struct fixture x;
	uint64_t at_s = 7;

	begin(&x);
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_reenrolled(x.f.n.dir, x.self.member, &at_s));
	CHECK_OK(cs_entry_revoke_encode(&revoke, &body));
	CHECK_OK(network_append_as(&x.f.n, x.f.n.registrar, CS_ENTRY_REVOKE,
	    x.self.device, NONE, cs_buf_view(&body)));
	CHECK_OK(network_append_as(&x.f.n, x.f.n.registrar, CS_ENTRY_REVOKE,
	    cs_keyring_info(x.f.ann2)->id, NONE, cs_buf_view(&body)));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_directory_reenrolled(x.f.n.dir, x.self.member, &at_s));
	seed = practice_enrol_key(&x.f.n);
	again = practice_member_body(&x.f.n, "ann@clinic", seed);
	CHECK_OK(practice_append_member(&x.f.n, x.self.member, 4, &again));
	device = network_keyring(&x.f.n, CS_KEYRING_DEVICE, x.self.member);
	cs_buf_reset(&body);
	practice_device_body(device, 0, &body);
	network_sign_for(&x.f.n, seed, x.self.member, CS_ENTRY_DEVICE,
	    cs_keyring_info(device)->id, NONE, cs_buf_view(&body), &entry);
	CHECK_OK(network_append(&x.f.n, cs_buf_view(&entry)));
	CHECK_OK(cs_directory_reenrolled(x.f.n.dir, x.self.member, &at_s));
	CHECK_NUM(x.f.n.now_s, at_s);
	cs_buf_fini(&body);
	cs_buf_fini(&entry);
	cs_keyring_free(seed);
	cs_keyring_free(device);
	end(&x);
}
