/* Whom a message turns out to be sealed to, as far as no relay is asked for
 * keys; the rest is in deliver_test.c. */
#include "client/sealing.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/join.h"
#include "keys/roster.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

/* Ann's client, and members who are put into the log without programs. */
struct fixture {
	struct fake_relay relay;
	struct cs_client *ann;
	struct cs_buf addressees, members;
	struct cs_outrec rec;
	struct cs_sealing_lists lists;
	struct cs_buf envelope;
};

static void
begin(struct fixture *x)
{
	struct cs_join j = { .dir = test_path("ann"),
		.device_name = cs_bytes_str("a laptop") };
	struct cs_join_result r;

	*x = (struct fixture){ 0 };
	fake_relay_start(&x->relay);
	j.invitation = fake_relay_invite(&x->relay, "ann@clinic");
	CHECK_OK(cs_join_run(&j, NULL, &r));
	CHECK_OK(cs_client_open(test_path("ann"), NULL, NULL, &x->ann));
	x->rec = (struct cs_outrec){ .stage = CS_OUTREC_QUEUED,
		.class = CS_CLASS_ROUTINE,
		.lifetime_s = 86400 };
	x->rec.manifest.content_kind = CS_CONTENT_CASE;
}

static void
end(struct fixture *x)
{
	cs_client_close(x->ann);
	cs_buf_fini(&x->addressees);
	cs_buf_fini(&x->members);
	cs_sealing_lists_fini(&x->lists);
	cs_buf_fini(&x->envelope);
	fake_relay_stop(&x->relay);
}

static void
append(struct fixture *x, struct cs_buf *entry)
{
	CHECK_OK(network_append(&x->relay.net, cs_buf_view(entry)));
	cs_buf_fini(entry);
}

/* A member with one device that has a batch; nobody holds its keys. */
static void
add_member(struct fixture *x, unsigned i, uint8_t ret_id[static CS_ID_BYTES])
{
	struct network *n = &x->relay.net;
	const struct cs_entry_epoch_batch batch = {
		.first_epoch = n->now_s / CS_EPOCH_S, .count = 26
	};
	struct cs_buf entry = { 0 };
	struct cs_keyring *kr;
	char address[32];

	snprintf(address, sizeof(address), "m%u@clinic", i);
	kr = network_join(n, address);
	CHECK_OK(cs_enrol_batch(kr, &batch, CS_ENTRY_NO_PREV, n->now_s,
	    &entry));
	append(x, &entry);
	memcpy(ret_id, cs_keyring_info(kr)->member_id, CS_ID_BYTES);
	cs_keyring_free(kr);
}

static int
by_id(const void *a, const void *b)
{
	return memcmp(a, b, CS_ID_BYTES);
}

static void
add_group(struct fixture *x, const char *address, uint8_t (*ids)[CS_ID_BYTES],
    uint16_t n)
{
	const struct cs_entry_roster v = { .address = cs_bytes_str(address),
		.name = cs_bytes_str("A group"),
		.n_members = n,
		.members = { ids[0], (size_t)n * CS_ID_BYTES } };
	struct cs_buf entry = { 0 };
	uint8_t id[CS_ID_BYTES];

	qsort(ids, n, CS_ID_BYTES, by_id);
	randombytes_buf(id, sizeof(id));
	CHECK_OK(cs_enrol_roster(x->relay.net.registrar, CS_ENTRY_GROUP, id, &v,
	    CS_ENTRY_NO_PREV, x->relay.net.now_s, &entry));
	append(x, &entry);
}

/* One more address, as written while the directory here lacked it. */
static void
put_address(struct fixture *x, const char *address)
{
	const uint8_t unknown_id[CS_ID_BYTES] = { 0 };
	const struct cs_manifest_addressee row = { .address =
						       cs_bytes_str(address) };

	cs_manifest_put_addressee(&x->addressees, &row);
	cs_buf_put(&x->members, unknown_id, CS_ID_BYTES);
	x->rec.manifest.n_addressees++;
	x->rec.manifest.addressees = cs_buf_view(&x->addressees);
	x->rec.members = cs_buf_view(&x->members);
}

static cs_err
seal(struct fixture *x)
{
	CHECK_OK(cs_client_connect(x->ann, 0));
	cs_why_clear(cs_client_why(x->ann));
	return cs_sealing_run(x->ann, &x->rec, &x->lists, &x->envelope);
}

TEST(sealing_goes_to_so_many_devices_and_no_more)
{
	static uint8_t ids[CS_LIMIT_RECIPIENTS + 1][CS_ID_BYTES];
	struct fixture x;

	begin(&x);
	for (unsigned i = 0; i <= CS_LIMIT_RECIPIENTS; i++)
		add_member(&x, i, ids[i]);
	add_group(&x, "one@clinic", ids, CS_LIMIT_RECIPIENTS);
	add_group(&x, "other@clinic", ids + 1, CS_LIMIT_RECIPIENTS);
	put_address(&x, "one@clinic");
	put_address(&x, "one@clinic");       /* nobody twice */
	CHECK_ERR(CS_UNSUPPORTED, seal(&x)); /* the fake gives no keys */
	CHECK_NUM(CS_OUTREC_QUEUED, x.rec.stage);
	cs_sealing_lists_fini(&x.lists);
	x.lists = (struct cs_sealing_lists){ 0 };
	put_address(&x, "other@clinic");
	CHECK_ERR(CS_TOO_LARGE, seal(&x));
	CHECK(strstr(cs_client_why(x.ann)->text, "at most 1000 devices"));
	CHECK_NUM(CS_OUTREC_FAILED, x.rec.stage);
	end(&x);
}

TEST(sealing_reads_the_group_of_now)
{
	struct cs_manifest_addressee row;
	uint8_t ids[1][CS_ID_BYTES];
	struct cs_roster r;
	struct fixture x;
	size_t pos = 0;

	begin(&x);
	add_member(&x, 1, ids[0]);
	add_group(&x, "one@clinic", ids, 1);
	put_address(&x, "one@clinic");
	CHECK_ERR(CS_UNSUPPORTED, seal(&x)); /* the fake gives no keys */
	CHECK_OK(cs_roster_by_address(cs_client_directory(x.ann),
	    cs_bytes_str("one@clinic"), &r));
	CHECK(cs_manifest_next_addressee(&x.rec.manifest, &pos, &row));
	CHECK_NUM(r.entry, row.entry);
	CHECK_BYTES(r.id, CS_ID_BYTES, x.rec.members.p, CS_ID_BYTES);
	end(&x);
}

TEST(sealing_waits_for_a_group_of_nobody)
{
	uint8_t ids[1][CS_ID_BYTES];
	struct fixture x;

	begin(&x);
	add_group(&x, "one@clinic", ids, 0);
	put_address(&x, "one@clinic");
	CHECK_ERR(CS_NO_KEY, seal(&x));
	CHECK(strstr(cs_client_why(x.ann)->text, "nobody is in this group"));
	CHECK_NUM(CS_OUTREC_QUEUED, x.rec.stage);
	end(&x);
}
