#include "client/owndevices.h"

#include <stdio.h>
#include <string.h>

#include "client/join.h"
#include "proto/invite.h"
#include "tests/support/fakerelay.h"
#include "tests/test.h"

#define WAIT_MS 1000
#define DAY     UINT64_C(86400)

static struct fake_relay f;
static struct cs_client *c;

static void
begin(void)
{
	struct cs_join_result r;
	struct cs_join j = { .dir = test_path("a"),
		.device_name = cs_bytes_str("laptop") };

	fake_relay_start(&f);
	j.invitation = fake_relay_invite(&f, "ann@clinic");
	CHECK_OK(cs_join_run(&j, NULL, &r));
	c = NULL;
	CHECK_OK(cs_client_open(test_path("a"), NULL, NULL, &c));
	CHECK_OK(cs_client_connect(c, WAIT_MS));
}

static void
end(void)
{
	cs_client_close(c);
	fake_relay_stop(&f);
}

/* Invites a device; the armoured file goes to test memory. */
static cs_err
invite(const char *name, struct cs_bytes *ret_file)
{
	struct cs_buf entry = { 0 }, file = { 0 }, text = { 0 };
	uint8_t *p;
	cs_err e;

	cs_why_clear(cs_client_why(c));
	CS_TRY(cs_owndevices_invite(c, cs_bytes_str(name),
	    cs_client_now() + DAY, &entry, &file));
	CS_TRY(cs_owndevices_append(c, cs_buf_view(&entry)));
	if (ret_file) {
		cs_invite_armour(cs_buf_view(&file), NULL, &text);
		p = test_alloc(text.n);
		memcpy(p, text.p, text.n);
		*ret_file = (struct cs_bytes){ p, text.n };
	}
out:
	cs_buf_fini(&entry);
	cs_buf_fini(&file);
	cs_buf_fini(&text);
	return e;
}

struct rows {
	uint32_t n;
	struct cs_owndevices_row row[CS_LIMIT_MEMBER_DEVICES];
};

static cs_err
keep(void *ctx, const struct cs_owndevices_row *row)
{
	struct rows *r = ctx;

	CHECK(r->n < CS_LIMIT_MEMBER_DEVICES);
	r->row[r->n++] = *row;
	return CS_OK;
}

static struct rows
list(void)
{
	struct rows r = { 0 };

	CHECK_OK(cs_owndevices_list(c, keep, &r));
	return r;
}

static cs_err
join(const char *home, struct cs_bytes file, struct cs_why *why,
    struct cs_join_result *ret)
{
	const struct cs_join j = { .dir = test_path(home),
		.invitation = file,
		.device_name = cs_bytes_str("ignored") };

	return cs_join_run(&j, why, ret);
}

TEST(owndevices_are_listed_as_everybody_sees_them)
{
	struct cs_join_result joined;
	struct cs_bytes file;
	struct rows r;

	begin();
	CHECK_OK(invite("phone", &file));
	r = list();
	CHECK_NUM(2, r.n);
	CHECK_NUM(CS_OWNDEVICES_USABLE, r.row[0].state);
	CHECK(r.row[0].is_self && !r.row[1].is_self);
	CHECK_NUM(CS_OWNDEVICES_PENDING, r.row[1].state);
	CHECK_VIEW(cs_bytes_str("phone"), r.row[1].device.name);
	CHECK(r.row[1].since_s <= cs_client_now());
	CHECK_STR("pending", cs_owndevices_state_name(r.row[1].state));
	cs_client_disconnect(c); /* the fake serves one at a time */
	CHECK_OK(join("b", file, NULL, &joined));
	CHECK(joined.is_further);
	CHECK_STR("ann@clinic", joined.address);
	CHECK_OK(cs_client_connect(c, WAIT_MS));
	r = list();
	CHECK_NUM(CS_OWNDEVICES_USABLE, r.row[1].state);
	CHECK_BYTES(joined.device_id, CS_ID_BYTES, r.row[1].device.id,
	    CS_ID_BYTES);
	CHECK_BYTES(joined.fingerprint, CS_HASH_BYTES, r.row[1].fingerprint,
	    CS_HASH_BYTES);
	end();
}

/* The relay took it and the answer was lost: the same file goes on. */
TEST(owndevices_join_where_it_was_broken_off)
{
	struct cs_join_result joined;
	struct cs_why why = { 0 };
	struct cs_bytes file;

	begin();
	CHECK_OK(invite("phone", &file));
	cs_client_disconnect(c);
	fake_relay_set(&f,
	    (struct fake_relay_mood){ .hang_up_after_enrol = true });
	CHECK_ERR(CS_CLOSED, join("b", file, &why, &joined));
	fake_relay_set(&f, (struct fake_relay_mood){ 0 });
	CHECK_OK(join("b", file, &why, &joined));
	CHECK(joined.resumed);
	/* nobody else comes in by it, and no other home is written over */
	why = (struct cs_why){ 0 };
	CHECK_ERR(CS_CLASH, join("x", file, &why, &joined));
	CHECK_ERR(CS_EXISTS, join("b", file, &why, &joined));
	CHECK_ERR(CS_EXISTS, join("a", file, &why, &joined));
	end();
}

TEST(owndevices_have_names_of_their_own)
{
	struct rows r;

	begin();
	CHECK_ERR(CS_EXISTS, invite("laptop", NULL));
	CHECK(strstr(cs_client_why(c)->text, "another name") != NULL);
	CHECK_ERR(CS_USAGE, invite("", NULL));
	CHECK_ERR(CS_USAGE, invite("\xff", NULL));
	r = list();
	CHECK_NUM(1, r.n);
	end();
}

TEST(owndevices_are_so_many)
{
	char name[16];

	begin();
	for (unsigned i = 1; i < CS_LIMIT_MEMBER_DEVICES; i++) {
		snprintf(name, sizeof(name), "device %u", i);
		CHECK_OK(invite(name, NULL));
	}
	CHECK_ERR(CS_QUOTA, invite("one more", NULL));
	CHECK(strstr(cs_client_why(c)->text, "device revoke") != NULL);
	end();
}

TEST(owndevices_end_what_is_pending_or_themselves)
{
	struct cs_join_result joined;
	struct cs_owndevices_row row;
	struct cs_bytes file;

	begin();
	CHECK_OK(invite("phone", &file));
	CHECK_OK(invite("tablet", NULL));
	CHECK_ERR(CS_NOT_FOUND, cs_owndevices_revoke(c, cs_bytes_str("watch"),
				    CS_REVOKE_LOST, &row));
	CHECK_OK(cs_owndevices_revoke(c, cs_bytes_str("tablet"),
	    CS_REVOKE_SUPERSEDED, &row));
	CHECK(!row.is_self);
	CHECK_NUM(CS_OWNDEVICES_REVOKED, list().row[2].state);
	cs_client_disconnect(c);
	CHECK_OK(join("b", file, NULL, &joined));
	CHECK_OK(cs_client_connect(c, WAIT_MS));
	cs_why_clear(cs_client_why(c));
	CHECK_ERR(CS_DENIED, cs_owndevices_revoke(c, cs_bytes_str("phone"),
				 CS_REVOKE_LOST, &row));
	CHECK(strstr(cs_client_why(c)->text, "registrar") != NULL);
	CHECK_OK(cs_owndevices_revoke(c, cs_bytes_str("laptop"),
	    CS_REVOKE_SUPERSEDED, &row));
	CHECK(row.is_self);
	CHECK(cs_client_conn(c) == NULL);
	end();
}
