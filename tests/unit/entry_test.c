#include "proto/entry.h"

#include <sodium.h>
#include <string.h>

#include "tests/test.h"

#define AT_VERSION  0
#define AT_TYPE     1
#define HEAD_BYTES  52 /* of the core, before the body */
#define SIG_BYTES   65
#define CORE_MAX    63454
#define ADDRESS_MAX (64 + 1 + 63)

static uint8_t fill[UINT16_MAX + 2];

static struct cs_bytes
text(const char *s)
{
	return cs_bytes_str(s);
}

static struct cs_bytes
filled(size_t n)
{
	memset(fill, 'f', sizeof(fill));
	return (struct cs_bytes){ fill, n };
}

/* Bytes in memory of their exact size, writable; ends the buffer. */
static struct cs_bytes
settle(struct cs_buf *out, uint8_t **ret_p)
{
	struct cs_bytes v = { NULL, out->n };

	CHECK_OK(cs_buf_err(out));
	v.p = *ret_p = test_alloc(out->n);
	memcpy(*ret_p, out->p, out->n);
	cs_buf_fini(out);
	return v;
}

/* n rows of width bytes that ascend. */
static struct cs_bytes
rows(size_t n, size_t width)
{
	uint8_t *p = test_alloc(n * width + 1);

	memset(p, 0x33, n * width);
	for (size_t i = 0; i < n; i++) {
		p[i * width] = (uint8_t)(i >> 8);
		p[i * width + 1] = (uint8_t)i;
	}
	return (struct cs_bytes){ p, n * width };
}

/* ---------------------------------------------------- core and signatures */

static struct cs_entry
entry(enum cs_entry_type type)
{
	struct cs_entry e = { .type = type,
		.time_s = 1700000000,
		.prev = CS_ENTRY_NO_PREV,
		.body = text("body") };

	memset(e.subject, 1, sizeof(e.subject));
	memset(e.authority, 2, sizeof(e.authority));
	return e;
}

/* The entry with signatures by the keys of these numbers. */
static struct cs_bytes
signed_by(const struct cs_entry *e, const uint8_t *numbers, size_t n,
    uint8_t **ret_p)
{
	struct cs_buf core = { 0 }, signatures = { 0 }, out = { 0 };

	CHECK_OK(cs_entry_encode_core(e, &core));
	for (size_t i = 0; i < n; i++) {
		cs_buf_put_u8(&signatures, numbers[i]);
		memset(cs_buf_extend(&signatures, 64), (int)(i + 1), 64);
	}
	cs_entry_encode(cs_buf_view(&core), (uint8_t)n,
	    cs_buf_view(&signatures), &out);
	cs_buf_fini(&core);
	cs_buf_fini(&signatures);
	return settle(&out, ret_p);
}

static cs_err
try_numbers(enum cs_entry_type type, const uint8_t *numbers, size_t n)
{
	struct cs_entry e = entry(type), got = { .time_s = 77 };
	uint8_t *p;
	cs_err err = cs_entry_decode(signed_by(&e, numbers, n, &p), &got);

	CHECK(err == CS_OK || got.time_s == 77);
	return err;
}

TEST(entry_round_trip)
{
	const uint8_t zero = 0, *signature;

	for (int type = CS_ENTRY_ROOT; type < CS_ENTRY_TYPES; type++) {
		struct cs_entry e = entry(type), got;
		uint8_t *p;
		struct cs_bytes in = signed_by(&e, &zero, 1, &p);

		CHECK_OK(cs_entry_decode(in, &got));
		CHECK_NUM(type, got.type);
		CHECK_NUM(1700000000, got.time_s);
		CHECK_BYTES(e.subject, 16, got.subject, 16);
		CHECK_NUM(CS_ENTRY_NO_PREV, got.prev);
		CHECK_BYTES(e.authority, 16, got.authority, 16);
		CHECK_VIEW(text("body"), got.body);
		CHECK_BYTES(p, HEAD_BYTES + 4, got.core.p, got.core.n);
		CHECK_NUM(1, got.n_signatures);
		CHECK_NUM(0, cs_entry_signature(&got, 0, &signature));
		CHECK(signature == p + in.n - 64 && signature[63] == 1);
	}
}

TEST(entry_layout_is_that_of_the_page)
{
	struct cs_entry e = entry(CS_ENTRY_MEMBER);
	const uint8_t zero = 0;
	uint8_t *p;
	struct cs_bytes in;

	e.prev = 0x0102;
	in = signed_by(&e, &zero, 1, &p);
	CHECK_NUM(HEAD_BYTES + 4 + 1 + SIG_BYTES, in.n);
	CHECK_VIEW(HEX("01 07 000000006553f100 01"),
	    ((struct cs_bytes){ p, 11 }));
	CHECK_VIEW(HEX("01 0000000000000102 02"),
	    ((struct cs_bytes){ p + 25, 10 }));
	CHECK_VIEW(HEX("02 0004 626f6479 01 00 01"),
	    ((struct cs_bytes){ p + 49, 10 }));
}

TEST(entry_quorums)
{
	static const struct {
		enum cs_entry_type type;
		uint8_t numbers[4];
		size_t n;
		cs_err want;
	} cases[] = {
		{ CS_ENTRY_ROOT, { 0, 15, 128, 143 }, 4, CS_OK },
		{ CS_ENTRY_ROOT, { 16 }, 1, CS_MALFORMED },
		{ CS_ENTRY_ROOT, { 144 }, 1, CS_MALFORMED },
		{ CS_ENTRY_ROOT, { 64 }, 1, CS_MALFORMED },
		{ CS_ENTRY_REGISTRAR, { 1, 3, 15 }, 3, CS_OK },
		{ CS_ENTRY_REGISTRAR, { 128 }, 1, CS_MALFORMED },
		{ CS_ENTRY_REGISTRAR, { 16 }, 1, CS_MALFORMED },
		{ CS_ENTRY_POLICY, { 0, 1 }, 2, CS_OK },
		{ CS_ENTRY_POLICY, { 1, 0 }, 2, CS_MALFORMED },
		{ CS_ENTRY_POLICY, { 1, 1 }, 2, CS_MALFORMED },
		{ CS_ENTRY_MEMBER, { 1 }, 1, CS_MALFORMED },
		{ CS_ENTRY_MEMBER, { 0, 1 }, 2, CS_MALFORMED },
		{ CS_ENTRY_MEMBER, { 0 }, 0, CS_MALFORMED },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CHECK_ERR(cases[i].want,
		    try_numbers(cases[i].type, cases[i].numbers, cases[i].n));
}

TEST(entry_signature_counts_are_exact)
{
	uint8_t numbers[CS_ENTRY_MAX_SIGNATURES + 1];

	for (unsigned i = 0; i < CS_ENTRY_MAX_KEYS; i++) {
		numbers[i] = (uint8_t)i;
		numbers[i + CS_ENTRY_MAX_KEYS] =
		    (uint8_t)(i | CS_ENTRY_PREVIOUS_KEY);
	}
	numbers[CS_ENTRY_MAX_SIGNATURES] = 255;
	CHECK_OK(try_numbers(CS_ENTRY_ROOT, numbers, 32));
	CHECK_ERR(CS_MALFORMED, try_numbers(CS_ENTRY_ROOT, numbers, 33));
	CHECK_OK(try_numbers(CS_ENTRY_POLICY, numbers, 16));
	CHECK_ERR(CS_MALFORMED, try_numbers(CS_ENTRY_POLICY, numbers, 17));
}

TEST(entry_refuses_cuts_trailing_bytes_and_versions)
{
	struct cs_entry e = entry(CS_ENTRY_DEVICE), got = { .time_s = 77 };
	const uint8_t zero = 0;
	uint8_t *p, *longer;
	struct cs_bytes in = signed_by(&e, &zero, 1, &p);

	for (size_t n = 0; n < in.n; n++)
		CHECK_ERR(CS_MALFORMED,
		    cs_entry_decode((struct cs_bytes){ p, n }, &got));
	longer = test_alloc(in.n + 1);
	memcpy(longer, p, in.n);
	longer[in.n] = 0;
	CHECK_ERR(CS_MALFORMED,
	    cs_entry_decode((struct cs_bytes){ longer, in.n + 1 }, &got));
	p[AT_VERSION] = 2;
	CHECK_ERR(CS_UNSUPPORTED, cs_entry_decode(in, &got));
	p[AT_VERSION] = 1;
	p[AT_TYPE] = 0;
	CHECK_ERR(CS_UNSUPPORTED, cs_entry_decode(in, &got));
	p[AT_TYPE] = CS_ENTRY_TYPES;
	CHECK_ERR(CS_UNSUPPORTED, cs_entry_decode(in, &got));
	CHECK_NUM(77, got.time_s);
}

TEST(entry_sizes_are_exact)
{
	struct cs_entry e = entry(CS_ENTRY_GROUP), got;
	struct cs_buf out = { 0 };
	const uint8_t zero = 0;
	uint8_t *p;

	e.body = filled(CORE_MAX - HEAD_BYTES);
	CHECK_OK(cs_entry_decode(signed_by(&e, &zero, 1, &p), &got));
	e.body.n++;
	CHECK_ERR(CS_TOO_LARGE, cs_entry_encode_core(&e, &out));
	e.body = filled(UINT16_MAX + 1);
	CHECK_ERR(CS_TOO_LARGE, cs_entry_encode_core(&e, &out));
	cs_buf_fini(&out);
	CHECK_ERR(CS_TOO_LARGE,
	    cs_entry_decode(filled(CS_LIMIT_ENTRY_BYTES + 1), &got));

	e = entry(CS_ENTRY_TYPES);
	CHECK_ERR(CS_UNSUPPORTED, cs_entry_encode_core(&e, &out));
	CHECK_NUM(0, out.n);
	cs_buf_fini(&out);
}

/* A core whose signatures leave no room for a quorum is refused as read. */
TEST(entry_core_is_limited_when_read)
{
	struct cs_buf out = { 0 };
	struct cs_entry got;
	uint8_t *p;
	struct cs_bytes in;

	cs_buf_put_u8(&out, 1);
	cs_buf_put_u8(&out, CS_ENTRY_GROUP);
	cs_buf_put_zero(&out, HEAD_BYTES - 4);
	cs_buf_put_u16(&out, CORE_MAX - HEAD_BYTES + 1);
	cs_buf_put_zero(&out, CORE_MAX - HEAD_BYTES + 1);
	cs_buf_put_u8(&out, 1);
	cs_buf_put_zero(&out, SIG_BYTES);
	in = settle(&out, &p);
	CHECK_ERR(CS_TOO_LARGE, cs_entry_decode(in, &got));
}

TEST(entry_leaf_round_trip_and_limits)
{
	struct cs_entry_leaf leaf = { 3, 1700000000, text("entry") }, got;
	struct cs_buf out = { 0 };

	cs_entry_leaf_encode(&leaf, &out);
	CHECK_VIEW(HEX("0000000000000003 000000006553f100 656e747279"),
	    cs_buf_view(&out));
	CHECK_OK(cs_entry_leaf_decode(cs_buf_view(&out), &got));
	CHECK_NUM(3, got.seq);
	CHECK_NUM(1700000000, got.logged_at_s);
	CHECK_VIEW(text("entry"), got.entry);
	got.seq = 77;
	for (size_t n = 0; n <= 16; n++)
		CHECK_ERR(CS_MALFORMED,
		    cs_entry_leaf_decode((struct cs_bytes){ out.p, n }, &got));
	CHECK_NUM(77, got.seq);
	cs_buf_fini(&out);
	CHECK_OK(cs_entry_leaf_decode(filled(CS_LIMIT_ENTRY_BYTES + 16), &got));
	CHECK_ERR(CS_TOO_LARGE,
	    cs_entry_leaf_decode(filled(CS_LIMIT_ENTRY_BYTES + 17), &got));
}

TEST(entry_hashes)
{
	struct cs_entry e = entry(CS_ENTRY_ROOT);
	uint8_t network_id[32] = { 9 }, device[16] = { 8 }, got[32], want[32];
	static uint8_t key[CS_KEM_PUBLIC_BYTES];
	struct cs_buf in = { 0 }, out = { 0 };

	cs_buf_put(&in, "consil/network", 15);
	cs_buf_put(&in, e.subject, 16);
	cs_buf_put_str(&in, "body");
	crypto_hash_sha256(want, in.p, in.n);
	cs_entry_network_id(&e, got);
	CHECK_BYTES(want, 32, got, 32);

	cs_buf_reset(&in);
	memset(key, 7, sizeof(key));
	cs_buf_put_u8(&in, 0);
	cs_buf_put(&in, device, 16);
	cs_buf_put_u64(&in, 0x0102030405060708);
	cs_buf_put(&in, key, sizeof(key));
	crypto_hash_sha256(want, in.p, in.n);
	cs_entry_epoch_key_id(device, 0x0102030405060708, key, got);
	CHECK_BYTES(want, 32, got, 32);

	cs_buf_reset(&in);
	cs_buf_put(&in, "consil/directory", 17);
	cs_buf_put(&in, network_id, 32);
	cs_buf_put_str(&in, "core");
	cs_entry_signed_bytes(network_id, text("core"), &out);
	CHECK_VIEW(cs_buf_view(&in), cs_buf_view(&out));
	cs_buf_fini(&in);
	cs_buf_fini(&out);
}

TEST(entry_type_names)
{
	CHECK_STR("root", cs_entry_type_name(CS_ENTRY_ROOT));
	CHECK_STR("device-rotate", cs_entry_type_name(CS_ENTRY_DEVICE_ROTATE));
	CHECK_STR("revoke", cs_entry_type_name(CS_ENTRY_REVOKE));
	CHECK_STR(NULL, cs_entry_type_name(0));
	CHECK_STR(NULL, cs_entry_type_name(CS_ENTRY_TYPES));
}

/* ----------------------------------------------------------------- bodies */

/*
 * Writes v, expects the bytes of `want`, reads them back and writes them
 * again; every cut and one byte more must be refused, outputs untouched.
 */
#define CHECK_BODY(stem, v, want)                                              \
	do {                                                                   \
		struct cs_entry_##stem got_, was_;                             \
		struct cs_buf out_ = { 0 };                                    \
		uint8_t *p_;                                                   \
		struct cs_bytes in_;                                           \
                                                                               \
		CHECK_OK(cs_entry_##stem##_encode(v, &out_));                  \
		in_ = settle(&out_, &p_);                                      \
		CHECK_VIEW(want, in_);                                         \
		CHECK_OK(cs_entry_##stem##_decode(in_, &got_));                \
		CHECK_OK(cs_entry_##stem##_encode(&got_, &out_));              \
		CHECK_VIEW(in_, cs_buf_view(&out_));                           \
		memset(&got_, 0x77, sizeof(got_));                             \
		memcpy(&was_, &got_, sizeof(was_));                            \
		for (size_t n_ = 0; n_ < in_.n; n_++)                          \
			CHECK_ERR(CS_MALFORMED,                                \
			    cs_entry_##stem##_decode((struct cs_bytes){ p_,    \
							 n_ },                 \
				&got_));                                       \
		cs_buf_put_u8(&out_, 0);                                       \
		CHECK_ERR(CS_MALFORMED,                                        \
		    cs_entry_##stem##_decode(cs_buf_view(&out_), &got_));      \
		CHECK(memcmp(&got_, &was_, sizeof(got_)) == 0);                \
		cs_buf_fini(&out_);                                            \
	} while (0)

/* Writing v is refused and writes nothing. */
#define CHECK_REFUSED(err, stem, v)                                            \
	do {                                                                   \
		struct cs_buf out_ = { 0 };                                    \
                                                                               \
		CHECK_ERR(err, cs_entry_##stem##_encode(v, &out_));            \
		CHECK_NUM(0, out_.n);                                          \
		cs_buf_fini(&out_);                                            \
	} while (0)

/* Writing v is allowed. */
#define CHECK_TAKEN(stem, v)                                                   \
	do {                                                                   \
		struct cs_buf out_ = { 0 };                                    \
                                                                               \
		CHECK_OK(cs_entry_##stem##_encode(v, &out_));                  \
		cs_buf_fini(&out_);                                            \
	} while (0)

/* A name field: 1..200 bytes of UTF-8. */
#define CHECK_NAME(stem, v, field)                                             \
	do {                                                                   \
		struct cs_bytes was_ = (v)->field;                             \
                                                                               \
		(v)->field = filled(CS_LIMIT_NAME_BYTES);                      \
		CHECK_TAKEN(stem, v);                                          \
		(v)->field.n++;                                                \
		CHECK_REFUSED(CS_TOO_LARGE, stem, v);                          \
		(v)->field.n = 0;                                              \
		CHECK_REFUSED(CS_MALFORMED, stem, v);                          \
		(v)->field = HEX("c0");                                        \
		CHECK_REFUSED(CS_MALFORMED, stem, v);                          \
		(v)->field = was_;                                             \
	} while (0)

/* An address field. */
#define CHECK_ADDRESS(stem, v)                                                 \
	do {                                                                   \
		(v)->address = text("a.b-c_d@x");                              \
		CHECK_TAKEN(stem, v);                                          \
		(v)->address = text("A@x");                                    \
		CHECK_REFUSED(CS_MALFORMED, stem, v);                          \
		(v)->address = text("x");                                      \
		CHECK_REFUSED(CS_MALFORMED, stem, v);                          \
		(v)->address = text("");                                       \
		CHECK_REFUSED(CS_MALFORMED, stem, v);                          \
		(v)->address = filled(ADDRESS_MAX + 1);                        \
		CHECK_REFUSED(CS_TOO_LARGE, stem, v);                          \
		(v)->address = text("a@b");                                    \
	} while (0)

TEST(entry_root_body)
{
	struct cs_entry_root v = { .version = 2,
		.threshold = 2,
		.n_keys = 2,
		.keys = rows(2, 32),
		.name = text("Net") };

	CHECK_BODY(root, &v,
	    HEX("00000002 02 02"
		"00003333333333333333333333333333333333333333333333333333333333"
		"33"
		"00013333333333333333333333333333333333333333333333333333333333"
		"33"
		"03 4e6574"));
	CHECK_NAME(root, &v, name);
	v.threshold = 3;
	CHECK_REFUSED(CS_MALFORMED, root, &v);
	v.threshold = 0;
	CHECK_REFUSED(CS_MALFORMED, root, &v);
	v.threshold = 1;
	v.version = 0;
	CHECK_REFUSED(CS_MALFORMED, root, &v);
	v.version = 1;
	v.n_keys = 0;
	v.keys.n = 0;
	CHECK_REFUSED(CS_MALFORMED, root, &v);
	v.n_keys = CS_ENTRY_MAX_KEYS;
	v.keys = rows(CS_ENTRY_MAX_KEYS, 32);
	CHECK_TAKEN(root, &v);
	v.n_keys++;
	v.keys = rows(CS_ENTRY_MAX_KEYS + 1, 32);
	CHECK_REFUSED(CS_TOO_LARGE, root, &v);
	v.n_keys = 2;
	v.keys = (struct cs_bytes){ fill, 64 }; /* the same key twice */
	CHECK_REFUSED(CS_MALFORMED, root, &v);
}

TEST(entry_registrar_relay_witness_bodies)
{
	struct cs_entry_registrar registrar = {
		.key = { 1 }, .valid_until_s = 5, .name = text("R")
	};
	struct cs_entry_relay relay = {
		.noise_key = { 2 }, .sign_key = { 3 }, .url = text("u")
	};
	struct cs_entry_witness witness = { .key = { 4 }, .name = text("W") };

#define ZERO31 "00000000000000000000000000000000000000000000000000000000000000"
	CHECK_BODY(registrar, &registrar,
	    HEX("01" ZERO31 "0000000000000005 01 52"));
	CHECK_BODY(relay, &relay, HEX("02" ZERO31 "03" ZERO31 "01 75"));
	CHECK_BODY(witness, &witness, HEX("04" ZERO31 "01 57"));
	CHECK_NAME(registrar, &registrar, name);
	CHECK_NAME(witness, &witness, name);
	relay.url = filled(255);
	CHECK_TAKEN(relay, &relay);
	relay.url = filled(256);
	CHECK_REFUSED(CS_TOO_LARGE, relay, &relay);
	relay.url = text("");
	CHECK_REFUSED(CS_MALFORMED, relay, &relay);
}

TEST(entry_policy_body)
{
	struct cs_entry_policy v = { .n = 2,
		.rows = HEX("01 0000000000015180 03 0000000000000007") };

	CHECK_BODY(policy, &v,
	    HEX("02 01 0000000000015180 03 0000000000000007"));
	v.rows = HEX("02 0000000000015180 01 0000000000000007");
	CHECK_REFUSED(CS_MALFORMED, policy, &v);
	v.rows = HEX("02 0000000000015180 02 0000000000000007");
	CHECK_REFUSED(CS_MALFORMED, policy, &v);
	v.rows = HEX("02 0000000000015180 04 0000000000000007");
	CHECK_REFUSED(CS_MALFORMED, policy, &v);
	v.rows = HEX("00 0000000000015180 01 0000000000000007");
	CHECK_REFUSED(CS_MALFORMED, policy, &v);
	v.n = 4;
	v.rows = rows(4, 9);
	CHECK_REFUSED(CS_TOO_LARGE, policy, &v);
	v.n = 0;
	v.rows.n = 0;
	CHECK_TAKEN(policy, &v);
}

#define ZERO15 "000000000000000000000000000000"

TEST(entry_organisation_body)
{
	struct cs_entry_organisation v = { .handle = text("clinic"),
		.name = text("C"),
		.vetting_hash = { 1 },
		.decision = CS_DECISION_CONDITIONAL,
		.co_registrar = { 2 },
		.valid_until_s = 6 };

	CHECK_BODY(organisation, &v,
	    HEX("06 636c696e6963 01 43 01" ZERO31 "02 02" ZERO15
		"0000000000000006"));
	CHECK_NAME(organisation, &v, name);
	v.decision = 0;
	CHECK_REFUSED(CS_MALFORMED, organisation, &v);
	v.decision = CS_DECISION_REFUSED + 1;
	CHECK_REFUSED(CS_MALFORMED, organisation, &v);
	/* another registrar stands behind a waiver, and behind that alone */
	v.decision = CS_DECISION_ADMITTED;
	CHECK_REFUSED(CS_MALFORMED, organisation, &v);
	v.co_registrar[0] = 0;
	v.decision = CS_DECISION_CONDITIONAL;
	CHECK_REFUSED(CS_MALFORMED, organisation, &v);
	v.decision = CS_DECISION_ADMITTED;
	/* only who is refused needs no record */
	v.vetting_hash[0] = 0;
	CHECK_REFUSED(CS_MALFORMED, organisation, &v);
	v.decision = CS_DECISION_REFUSED;
	CHECK_TAKEN(organisation, &v);
	v.decision = CS_DECISION_ADMITTED;
	v.vetting_hash[0] = 1;
	v.handle = filled(63);
	CHECK_TAKEN(organisation, &v);
	v.handle = filled(64);
	CHECK_REFUSED(CS_MALFORMED, organisation, &v);
	v.handle = text("a@b");
	CHECK_REFUSED(CS_MALFORMED, organisation, &v);
	v.handle = text("");
	CHECK_REFUSED(CS_MALFORMED, organisation, &v);
}

TEST(entry_member_body)
{
	struct cs_entry_member v = { .organisation = { 1 },
		.enrol_key = { 2 },
		.enrol_expires_s = 3,
		.address = text("a@b"),
		.name = text("N"),
		.role = text(""),
		.npi = text("1234567893"),
		.specialty = text("S"),
		.licence_state = text("MN"),
		.licence_number = text("7"),
		.licence_until_s = 5 };

	CHECK_BODY(member, &v,
	    HEX("01" ZERO15 "02" ZERO31 "0000000000000003"
		"03 614062 01 4e 00 0a 31323334353637383933"
		"01 53 02 4d4e 01 37 0000000000000005"));
	CHECK_NAME(member, &v, name);
	CHECK_ADDRESS(member, &v);
	v.role = filled(CS_LIMIT_NAME_BYTES);
	CHECK_TAKEN(member, &v);
	v.role.n++;
	CHECK_REFUSED(CS_TOO_LARGE, member, &v);
	v.role.n = 0;
	v.npi = text("1234567890");
	CHECK_REFUSED(CS_MALFORMED, member, &v);
	v.npi = text("");
	v.specialty = text("");
	v.licence_state = v.licence_number = text("");
	v.licence_until_s = 0;
	CHECK_TAKEN(member, &v);
	v.licence_number = filled(41);
	CHECK_REFUSED(CS_TOO_LARGE, member, &v);
}

TEST(entry_reasons_have_names)
{
	CHECK_STR("lost", cs_entry_reason_name(CS_REVOKE_LOST));
	CHECK_STR("lapsed", cs_entry_reason_name(CS_REVOKE_LAPSED));
	CHECK(cs_entry_reason_name(0) == NULL);
	CHECK(cs_entry_reason_name(CS_REVOKE_LAPSED + 1) == NULL);
}

TEST(entry_npi_check_digit)
{
	CHECK_OK(cs_entry_npi_check(text("1234567893")));
	CHECK_OK(cs_entry_npi_check(text("1245319599")));
	CHECK_ERR(CS_MALFORMED, cs_entry_npi_check(text("1245319595")));
	/* two digits that changed places */
	CHECK_ERR(CS_MALFORMED, cs_entry_npi_check(text("1243567893")));
	CHECK_ERR(CS_MALFORMED, cs_entry_npi_check(text("123456789")));
	CHECK_ERR(CS_MALFORMED, cs_entry_npi_check(text("123456789x")));
	CHECK_ERR(CS_MALFORMED, cs_entry_npi_check(text("3234567893")));
	CHECK_ERR(CS_MALFORMED, cs_entry_npi_check(text("")));
}

TEST(entry_device_bodies)
{
	struct cs_entry_device device = { .member = { 1 },
		.sign_key = { 2 },
		.kind = CS_DEVICE_ARCHIVE,
		.enrol_expires_s = 5,
		.name = text("D") };
	struct cs_entry_device_rotate rotate = { .sign_key = { 3 },
		.proof = { 4 } };

	CHECK_BODY(device, &device,
	    HEX("01" ZERO15 "02" ZERO31 "02 0000000000000005 01 44"));
	CHECK_BODY(device_rotate, &rotate,
	    HEX("03" ZERO31 "04" ZERO31 "00" ZERO31));
	CHECK_NAME(device, &device, name);
	device.kind = 0;
	CHECK_REFUSED(CS_MALFORMED, device, &device);
	device.kind = CS_DEVICE_ARCHIVE + 1;
	CHECK_REFUSED(CS_MALFORMED, device, &device);
}

TEST(entry_epoch_batch_body)
{
	struct cs_entry_epoch_batch v = {
		.first_epoch = 2800, .count = CS_EPOCHS_PER_BATCH, .root = { 1 }
	};

	CHECK_BODY(epoch_batch, &v, HEX("0000000000000af0 1a 01" ZERO31));
	v.count++;
	CHECK_REFUSED(CS_TOO_LARGE, epoch_batch, &v);
	v.count = 0;
	CHECK_REFUSED(CS_MALFORMED, epoch_batch, &v);
	v.count = 1;
	v.first_epoch = UINT32_MAX;
	CHECK_TAKEN(epoch_batch, &v);
	v.first_epoch++;
	CHECK_REFUSED(CS_MALFORMED, epoch_batch, &v);
}

TEST(entry_roster_body)
{
	struct cs_entry_roster v = { .address = text("a@b"),
		.name = text("G"),
		.n_members = 2,
		.members = rows(2, 16) };

	CHECK_BODY(roster, &v,
	    HEX("03 614062 01 47 0002"
		"00003333333333333333333333333333"
		"00013333333333333333333333333333"));
	CHECK_NAME(roster, &v, name);
	CHECK_ADDRESS(roster, &v);
	v.members = (struct cs_bytes){ fill, 32 }; /* one member twice */
	CHECK_REFUSED(CS_MALFORMED, roster, &v);
	v.n_members = 0;
	v.members.n = 0;
	CHECK_TAKEN(roster, &v);
	v.n_members = CS_LIMIT_RECIPIENTS;
	v.members = rows(CS_LIMIT_RECIPIENTS, 16);
	CHECK_TAKEN(roster, &v);
	v.n_members++;
	v.members = rows(CS_LIMIT_RECIPIENTS + 1, 16);
	CHECK_REFUSED(CS_TOO_LARGE, roster, &v);
}

TEST(entry_revoke_body)
{
	struct cs_entry_revoke v = { .reason = CS_REVOKE_COMPROMISED,
		.compromised_since_s = 9 };

	CHECK_BODY(revoke, &v, HEX("03 0000000000000009"));
	v.reason = 0;
	CHECK_REFUSED(CS_MALFORMED, revoke, &v);
	v.reason = CS_REVOKE_LAPSED + 1;
	CHECK_REFUSED(CS_MALFORMED, revoke, &v);
}
