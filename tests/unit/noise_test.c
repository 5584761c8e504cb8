#include "keys/noise.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "keys/noise_cipher.h"
#include "keys/noise_nk.h"
#include "tests/support/random.h"
#include "tests/test.h"

static const uint8_t network[CS_NETWORK_ID_BYTES] = { 7 };

struct pair {
	struct cs_noise *a, *b; /* client, relay */
	struct cs_buf wire, plain;
	uint8_t relay_public[32];
	struct cs_secret *relay_secret;
};

static void
pair_init(struct pair *p)
{
	memset(p, 0, sizeof(*p));
	CHECK_OK(cs_secret_random(32, &p->relay_secret));
	crypto_scalarmult_base(p->relay_public,
	    cs_secret_bytes(p->relay_secret));
	CHECK_OK(cs_noise_new_initiator(network, p->relay_public, &p->a));
	CHECK_OK(cs_noise_new_responder(network, p->relay_secret, &p->b));
}

static void
pair_fini(struct pair *p)
{
	cs_noise_free(p->a);
	cs_noise_free(p->b);
	cs_buf_fini(&p->wire);
	cs_buf_fini(&p->plain);
	cs_secret_free(p->relay_secret);
}

static void
pair_connect(struct pair *p)
{
	pair_init(p);
	CHECK_OK(cs_noise_handshake_write(p->a, &p->wire));
	CHECK_OK(cs_noise_handshake_read(p->b, cs_buf_view(&p->wire)));
	CHECK(!cs_noise_is_ready(p->b));
	cs_buf_reset(&p->wire);
	CHECK_OK(cs_noise_handshake_write(p->b, &p->wire));
	CHECK_OK(cs_noise_handshake_read(p->a, cs_buf_view(&p->wire)));
	CHECK(cs_noise_is_ready(p->a));
	CHECK(cs_noise_is_ready(p->b));
	CHECK_BYTES(cs_noise_hash(p->a), 32, cs_noise_hash(p->b), 32);
	cs_buf_reset(&p->wire);
}

/* ----------------------------------------------------------- the handshake */

TEST(handshake_messages_are_48_bytes)
{
	struct pair p;

	pair_init(&p);
	CHECK_OK(cs_noise_handshake_write(p.a, &p.wire));
	CHECK_NUM(48, p.wire.n);
	CHECK_OK(cs_noise_handshake_read(p.b, cs_buf_view(&p.wire)));
	cs_buf_reset(&p.wire);
	CHECK_OK(cs_noise_handshake_write(p.b, &p.wire));
	CHECK_NUM(48, p.wire.n);
	pair_fini(&p);
}

TEST(handshake_refuses_wrong_order_and_length)
{
	struct pair p;
	uint8_t zero[49] = { 0 };

	pair_init(&p);
	CHECK_ERR(CS_MALFORMED, cs_noise_handshake_write(p.b, &p.wire));
	CHECK_ERR(CS_MALFORMED, cs_noise_handshake_read(p.a, CS_BYTES(zero)));
	CHECK_ERR(CS_MALFORMED, cs_noise_handshake_read(p.b, CS_BYTES(zero)));
	CHECK_ERR(CS_MALFORMED,
	    cs_noise_handshake_read(p.b, (struct cs_bytes){ zero, 47 }));
	CHECK_ERR(CS_MALFORMED, cs_noise_encrypt(p.a, CS_BYTES(zero), &p.wire));
	CHECK_ERR(CS_MALFORMED, cs_noise_decrypt(p.a, CS_BYTES(zero), &p.wire));
	CHECK_NUM(0, p.wire.n);
	pair_fini(&p);
}

TEST(handshake_with_wrong_relay_key)
{
	struct pair p;
	uint8_t other[32];

	pair_init(&p);
	memcpy(other, p.relay_public, 32);
	other[3] ^= 1;
	cs_noise_free(p.a);
	CHECK_OK(cs_noise_new_initiator(network, other, &p.a));
	CHECK_OK(cs_noise_handshake_write(p.a, &p.wire));
	CHECK_ERR(CS_BAD_MAC,
	    cs_noise_handshake_read(p.b, cs_buf_view(&p.wire)));
	/* A failed handshake does not start again. */
	CHECK_ERR(CS_MALFORMED,
	    cs_noise_handshake_read(p.b, cs_buf_view(&p.wire)));
	pair_fini(&p);
}

TEST(handshake_with_key_of_small_order)
{
	struct cs_noise *a = NULL;
	struct cs_buf out = { 0 };
	uint8_t one[32] = { 1 };

	CHECK_OK(cs_noise_new_initiator(network, one, &a));
	CHECK_ERR(CS_BAD_MAC, cs_noise_handshake_write(a, &out));
	CHECK_NUM(0, out.n);
	cs_noise_free(a);
	cs_buf_fini(&out);
}

TEST(handshake_with_other_network)
{
	struct pair p;
	uint8_t other[CS_NETWORK_ID_BYTES] = { 8 };

	pair_init(&p);
	cs_noise_free(p.a);
	CHECK_OK(cs_noise_new_initiator(other, p.relay_public, &p.a));
	CHECK_OK(cs_noise_handshake_write(p.a, &p.wire));
	CHECK_ERR(CS_BAD_MAC,
	    cs_noise_handshake_read(p.b, cs_buf_view(&p.wire)));
	pair_fini(&p);
}

TEST(handshake_tampered_at_every_byte)
{
	for (size_t i = 0; i < 2 * CS_NOISE_HANDSHAKE_BYTES; i++) {
		struct pair p;
		size_t at = i % CS_NOISE_HANDSHAKE_BYTES;
		bool first = i < CS_NOISE_HANDSHAKE_BYTES;

		pair_init(&p);
		CHECK_OK(cs_noise_handshake_write(p.a, &p.wire));
		p.wire.p[at] ^= first ? 0x10 : 0;
		CHECK_ERR(first ? CS_BAD_MAC : CS_OK,
		    cs_noise_handshake_read(p.b, cs_buf_view(&p.wire)));
		if (!first) {
			cs_buf_reset(&p.wire);
			CHECK_OK(cs_noise_handshake_write(p.b, &p.wire));
			p.wire.p[at] ^= 0x10;
			CHECK_ERR(CS_BAD_MAC,
			    cs_noise_handshake_read(p.a, cs_buf_view(&p.wire)));
			CHECK(!cs_noise_is_ready(p.a));
		}
		pair_fini(&p);
	}
}

/* A recorded first message leads nowhere: the relay's ephemeral is new. */
TEST(handshake_replayed)
{
	struct pair p;
	struct cs_noise *again = NULL;
	struct cs_buf first = { 0 }, second = { 0 };

	pair_init(&p);
	CHECK_OK(cs_noise_handshake_write(p.a, &first));
	CHECK_OK(cs_noise_handshake_read(p.b, cs_buf_view(&first)));
	CHECK_OK(cs_noise_handshake_write(p.b, &p.wire));
	CHECK_OK(cs_noise_handshake_read(p.a, cs_buf_view(&p.wire)));
	CHECK_OK(cs_noise_new_responder(network, p.relay_secret, &again));
	CHECK_OK(cs_noise_handshake_read(again, cs_buf_view(&first)));
	CHECK_OK(cs_noise_handshake_write(again, &second));
	CHECK(!cs_bytes_eq(cs_buf_view(&p.wire), cs_buf_view(&second)));
	cs_buf_reset(&p.wire);
	CHECK_OK(cs_noise_encrypt(p.a, HEX("01"), &p.wire));
	CHECK_ERR(CS_BAD_MAC,
	    cs_noise_decrypt(again, cs_buf_view(&p.wire), &p.plain));
	cs_noise_free(again);
	cs_buf_fini(&first);
	cs_buf_fini(&second);
	pair_fini(&p);
}

/* ------------------------------------------------------------ the transport */

static void
round_trip(struct cs_noise *from, struct cs_noise *to, size_t n)
{
	struct cs_buf plain = { 0 }, wire = { 0 }, got = { 0 };

	if (n)
		randombytes_buf_deterministic(cs_buf_extend(&plain, n), n,
		    (const uint8_t *)"0123456789abcdef0123456789abcdef");
	cs_buf_put_str(&wire, "before");
	cs_buf_put_str(&got, "before");
	CHECK_OK(cs_noise_encrypt(from, cs_buf_view(&plain), &wire));
	CHECK_NUM(cs_noise_wire_bytes(n), wire.n - 6);
	CHECK_OK(cs_noise_decrypt(to,
	    (struct cs_bytes){ wire.p + 6, wire.n - 6 }, &got));
	CHECK_NUM(n + 6, got.n);
	CHECK(memcmp(got.p, "before", 6) == 0);
	CHECK_BYTES(plain.p, plain.n, got.p + 6, got.n - 6);
	cs_buf_fini(&plain);
	cs_buf_fini(&wire);
	cs_buf_fini(&got);
}

TEST(frames_of_many_sizes_both_ways)
{
	static const size_t sizes[] = { 0, 1, 65518, 65519, 65520, 131037,
		131038, 131039, 10u << 20 };
	struct pair p;

	CHECK_NUM(16, cs_noise_wire_bytes(0));
	CHECK_NUM(17, cs_noise_wire_bytes(1));
	CHECK_NUM(65535, cs_noise_wire_bytes(65519));
	CHECK_NUM(65520 + 32, cs_noise_wire_bytes(65520));
	pair_connect(&p);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		round_trip(p.a, p.b, sizes[i]);
		round_trip(p.b, p.a, sizes[i]);
	}
	pair_fini(&p);
}

TEST(frame_of_impossible_length)
{
	static const size_t sizes[] = { 0, 1, 15, 65536, 65535 + 15, 65535 + 16,
		2 * 65535 + 16 };
	struct pair p;
	uint8_t *zero = test_alloc(3 * 65535);

	memset(zero, 0, 3 * 65535);
	pair_connect(&p);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		CHECK_ERR(CS_MALFORMED,
		    cs_noise_decrypt(p.b, (struct cs_bytes){ zero, sizes[i] },
			&p.plain));
	CHECK_NUM(0, p.plain.n);
	pair_fini(&p);
}

TEST(frame_tampered)
{
	for (size_t i = 0; i < 5 + 16; i++) {
		struct pair p;

		pair_connect(&p);
		CHECK_OK(cs_noise_encrypt(p.a, HEX("0102030405"), &p.wire));
		p.wire.p[i] ^= 0x80;
		CHECK_ERR(CS_BAD_MAC,
		    cs_noise_decrypt(p.b, cs_buf_view(&p.wire), &p.plain));
		CHECK_NUM(0, p.plain.n);
		/* Even put right again: the session is over. */
		p.wire.p[i] ^= 0x80;
		CHECK_ERR(CS_BAD_MAC,
		    cs_noise_decrypt(p.b, cs_buf_view(&p.wire), &p.plain));
		pair_fini(&p);
	}
}

TEST(frame_tampered_in_a_later_chunk)
{
	struct pair p;
	uint8_t *zero = test_alloc(70000);

	memset(zero, 0, 70000);
	pair_connect(&p);
	CHECK_OK(cs_noise_encrypt(p.a, (struct cs_bytes){ zero, 70000 },
	    &p.wire));
	p.wire.p[p.wire.n - 1] ^= 1;
	cs_buf_put_str(&p.plain, "x");
	CHECK_ERR(CS_BAD_MAC,
	    cs_noise_decrypt(p.b, cs_buf_view(&p.wire), &p.plain));
	CHECK_NUM(1, p.plain.n); /* the good first chunk is not given out */
	pair_fini(&p);
}

TEST(frame_truncated)
{
	struct pair p;

	for (size_t n = 16; n < 16 + 5; n++) {
		pair_connect(&p);
		CHECK_OK(cs_noise_encrypt(p.a, HEX("0102030405"), &p.wire));
		CHECK_ERR(CS_BAD_MAC,
		    cs_noise_decrypt(p.b, (struct cs_bytes){ p.wire.p, n },
			&p.plain));
		pair_fini(&p);
	}
}

TEST(frames_reordered)
{
	struct pair p;
	struct cs_buf second = { 0 };

	pair_connect(&p);
	CHECK_OK(cs_noise_encrypt(p.a, HEX("01"), &p.wire));
	CHECK_OK(cs_noise_encrypt(p.a, HEX("02"), &second));
	CHECK_ERR(CS_BAD_MAC,
	    cs_noise_decrypt(p.b, cs_buf_view(&second), &p.plain));
	cs_buf_fini(&second);
	pair_fini(&p);
}

TEST(frame_replayed)
{
	struct pair p;

	pair_connect(&p);
	CHECK_OK(cs_noise_encrypt(p.a, HEX("01"), &p.wire));
	CHECK_OK(cs_noise_decrypt(p.b, cs_buf_view(&p.wire), &p.plain));
	CHECK_ERR(CS_BAD_MAC,
	    cs_noise_decrypt(p.b, cs_buf_view(&p.wire), &p.plain));
	pair_fini(&p);
}

TEST(frame_reflected)
{
	struct pair p;

	pair_connect(&p);
	CHECK_OK(cs_noise_encrypt(p.a, HEX("01"), &p.wire));
	CHECK_ERR(CS_BAD_MAC,
	    cs_noise_decrypt(p.a, cs_buf_view(&p.wire), &p.plain));
	pair_fini(&p);
}

TEST(chunks_reordered_within_a_frame)
{
	struct pair p;
	uint8_t *zero = test_alloc(2 * 65519), swap[64];

	memset(zero, 0, 2 * 65519);
	pair_connect(&p);
	CHECK_OK(cs_noise_encrypt(p.a, (struct cs_bytes){ zero, 2 * 65519 },
	    &p.wire));
	CHECK_NUM(2 * 65535, p.wire.n);
	for (size_t i = 0; i + sizeof(swap) <= 65535; i += sizeof(swap)) {
		memcpy(swap, p.wire.p + i, sizeof(swap));
		memcpy(p.wire.p + i, p.wire.p + 65535 + i, sizeof(swap));
		memcpy(p.wire.p + 65535 + i, swap, sizeof(swap));
	}
	CHECK_ERR(CS_BAD_MAC,
	    cs_noise_decrypt(p.b, cs_buf_view(&p.wire), &p.plain));
	pair_fini(&p);
}

#define BOTH_WAYS 2000

struct talk {
	struct cs_noise *n;
	const struct cs_buf *in;
	cs_err err;
};

static void *
read_all(void *arg)
{
	struct talk *t = arg;
	struct cs_buf out = { 0 };

	for (int i = 0; i < BOTH_WAYS && t->err == CS_OK; i++)
		t->err = cs_noise_decrypt(t->n, cs_buf_view(&t->in[i]), &out);
	cs_buf_fini(&out);
	return NULL;
}

/* One thread may send while another receives: `make tsan` watches this. */
TEST(both_directions_at_once)
{
	struct pair p;
	struct cs_buf *down = test_alloc(BOTH_WAYS * sizeof(*down));
	struct talk t = { .in = down };
	pthread_t reader;

	pair_connect(&p);
	for (int i = 0; i < BOTH_WAYS; i++) {
		down[i] = (struct cs_buf){ 0 };
		CHECK_OK(cs_noise_encrypt(p.b, HEX("0102"), &down[i]));
	}
	t.n = p.a;
	CHECK(pthread_create(&reader, NULL, read_all, &t) == 0);
	for (int i = 0; i < BOTH_WAYS; i++) {
		cs_buf_reset(&p.wire);
		CHECK_OK(cs_noise_encrypt(p.a, HEX("01"), &p.wire));
		CHECK_OK(cs_noise_decrypt(p.b, cs_buf_view(&p.wire), &p.plain));
	}
	CHECK(pthread_join(reader, NULL) == 0);
	CHECK_OK(t.err);
	for (int i = 0; i < BOTH_WAYS; i++)
		cs_buf_fini(&down[i]);
	pair_fini(&p);
}

/* ------------------------------------------------------------------- rekey */

static void
send_empty(struct pair *p, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		cs_buf_reset(&p->wire);
		CHECK_OK(cs_noise_encrypt(p->a, (struct cs_bytes){ 0 },
		    &p->wire));
		CHECK_OK(cs_noise_decrypt(p->b, cs_buf_view(&p->wire),
		    &p->plain));
	}
}

TEST(rekey_in_the_middle_of_a_frame)
{
	struct pair p;

	pair_connect(&p);
	send_empty(&p, CS_NOISE_REKEY_MESSAGES - 1);
	/* First chunk before the rekey, second after it. */
	round_trip(p.a, p.b, CS_NOISE_CHUNK_BYTES + 1);
	round_trip(p.a, p.b, 5);
	/* The other direction has not come that far. */
	round_trip(p.b, p.a, 5);
	pair_fini(&p);
}

/* The same session once more, message by message, from noise_nk alone. */
TEST(rekey_after_exactly_65536_messages)
{
	struct pair p;
	struct cs_noise_nk nk;
	struct cs_noise_cipher up, down, old;
	struct cs_bytes none = { 0 };
	uint8_t prologue[15 + CS_NETWORK_ID_BYTES + 2] = "consil/session";
	uint8_t secret[32] = { 1, 2, 3 }, out[48];

	memcpy(prologue + 15, network, sizeof(network));
	prologue[sizeof(prologue) - 1] = 1;
	pair_init(&p);
	test_random_fixed(CS_BYTES(secret));
	CHECK_OK(cs_noise_handshake_write(p.a, &p.wire));
	test_random_system();
	CHECK_OK(cs_noise_handshake_read(p.b, cs_buf_view(&p.wire)));
	cs_buf_reset(&p.wire);
	CHECK_OK(cs_noise_handshake_write(p.b, &p.wire));
	CHECK_OK(cs_noise_handshake_read(p.a, cs_buf_view(&p.wire)));

	cs_noise_nk_init_initiator(&nk, CS_BYTES(prologue), p.relay_public);
	test_random_fixed(CS_BYTES(secret));
	CHECK_OK(cs_noise_nk_write(&nk, none, out));
	test_random_system();
	CHECK_OK(cs_noise_nk_read(&nk, cs_buf_view(&p.wire), out));
	cs_noise_nk_split(&nk, &up, &down);

	send_empty(&p, CS_NOISE_REKEY_MESSAGES);
	up.n = CS_NOISE_REKEY_MESSAGES - 1;
	CHECK_OK(cs_noise_cipher_decrypt(&up, none, cs_buf_view(&p.wire), out));
	send_empty(&p, 1);
	old = up;
	CHECK_ERR(CS_BAD_MAC,
	    cs_noise_cipher_decrypt(&old, none, cs_buf_view(&p.wire), out));
	cs_noise_cipher_rekey(&up);
	CHECK_OK(cs_noise_cipher_decrypt(&up, none, cs_buf_view(&p.wire), out));
	pair_fini(&p);
}

TEST(cipher_rekey_is_that_of_the_specification)
{
	struct cs_noise_cipher c;
	uint8_t key[32] = { 1, 2, 3 }, want[48], nonce[12];
	static const uint8_t zero[32];

	/* ENCRYPT(k, 2^64 - 1, "", 32 zero bytes), first 32 bytes. */
	memset(nonce, 0, 4);
	memset(nonce + 4, 0xff, 8);
	crypto_aead_chacha20poly1305_ietf_encrypt(want, NULL, zero, 32, NULL, 0,
	    NULL, nonce, key);
	cs_noise_cipher_init(&c, key);
	c.n = 9;
	cs_noise_cipher_rekey(&c);
	CHECK_BYTES(want, 32, c.key, 32);
	CHECK_NUM(9, c.n);
}

TEST(cipher_ends_with_its_nonces)
{
	struct cs_noise_cipher c;
	uint8_t key[32] = { 1 }, out[16];
	struct cs_bytes none = { 0 };

	cs_noise_cipher_init(&c, key);
	c.n = UINT64_MAX - 1;
	CHECK_OK(cs_noise_cipher_encrypt(&c, none, none, out));
	CHECK_ERR(CS_EXPIRED, cs_noise_cipher_encrypt(&c, none, none, out));
	CHECK_ERR(CS_EXPIRED,
	    cs_noise_cipher_decrypt(&c, none, CS_BYTES(out), out));
	c.n = 0;
	CHECK_ERR(CS_MALFORMED, cs_noise_cipher_decrypt(&c, none,
				    (struct cs_bytes){ out, 15 }, out));
}

/* ----------------------------------------------------------------- vectors */

static const json_t *
cacophony_nk(void)
{
	const json_t *v,
	    *all = json_object_get(test_json(test_shared("vectors/noise/"
							 "cacophony-25519-"
							 "chachapoly.json")),
		"vectors");
	size_t i;

	json_array_foreach(all, i, v)
	{
		if (strcmp(test_json_str(v, "protocol_name"),
			"Noise_NK_25519_ChaChaPoly_SHA256") == 0)
			return v;
	}
	return NULL;
}

static void
check_message(const json_t *m, const uint8_t *wire, size_t n)
{
	CHECK_VIEW(test_json_hex(m, "ciphertext"),
	    ((struct cs_bytes){ wire, n }));
}

TEST(vectors_cacophony_noise_nk_sha256)
{
	const json_t *v = cacophony_nk(), *messages, *m;
	struct cs_noise_nk a, b;
	struct cs_noise_cipher up[2], down[2]; /* of a and of b */
	uint8_t wire[256], plain[256];
	struct cs_bytes payload, none = { 0 };
	size_t i;

	CHECK(v != NULL);
	messages = json_object_get(v, "messages");
	cs_noise_nk_init_initiator(&a, test_json_hex(v, "init_prologue"),
	    test_json_hex(v, "init_remote_static").p);
	cs_noise_nk_init_responder(&b, test_json_hex(v, "resp_prologue"),
	    test_json_hex(v, "resp_static").p);

	m = json_array_get(messages, 0);
	payload = test_json_hex(m, "payload");
	test_random_fixed(test_json_hex(v, "init_ephemeral"));
	CHECK_OK(cs_noise_nk_write(&a, payload, wire));
	check_message(m, wire, payload.n + 48);
	CHECK_OK(cs_noise_nk_read(&b, (struct cs_bytes){ wire, payload.n + 48 },
	    plain));
	CHECK_BYTES(payload.p, payload.n, plain, payload.n);

	m = json_array_get(messages, 1);
	payload = test_json_hex(m, "payload");
	test_random_fixed(test_json_hex(v, "resp_ephemeral"));
	CHECK_OK(cs_noise_nk_write(&b, payload, wire));
	test_random_system();
	check_message(m, wire, payload.n + 48);
	CHECK_OK(cs_noise_nk_read(&a, (struct cs_bytes){ wire, payload.n + 48 },
	    plain));
	CHECK_BYTES(payload.p, payload.n, plain, payload.n);

	CHECK_VIEW(test_json_hex(v, "handshake_hash"), CS_BYTES(a.hash));
	CHECK_VIEW(test_json_hex(v, "handshake_hash"), CS_BYTES(b.hash));
	cs_noise_nk_split(&a, &up[0], &down[0]);
	cs_noise_nk_split(&b, &up[1], &down[1]);
	CHECK_NUM(6, json_array_size(messages));
	for (i = 2; i < 6; i++) {
		bool is_up = i % 2 == 0;

		m = json_array_get(messages, i);
		payload = test_json_hex(m, "payload");
		CHECK_OK(cs_noise_cipher_encrypt(is_up ? &up[0] : &down[1],
		    none, payload, wire));
		check_message(m, wire, payload.n + 16);
		CHECK_OK(cs_noise_cipher_decrypt(is_up ? &up[1] : &down[0],
		    none, (struct cs_bytes){ wire, payload.n + 16 }, plain));
		CHECK_BYTES(payload.p, payload.n, plain, payload.n);
	}
}

/* The same with this project's prologue and empty payloads: cs_noise is that
 * handshake and nothing else. */
TEST(session_is_nk_with_our_prologue)
{
	const json_t *v = cacophony_nk();
	struct cs_noise_nk nk;
	struct cs_noise *a = NULL;
	struct cs_buf out = { 0 };
	uint8_t prologue[15 + CS_NETWORK_ID_BYTES + 2] = "consil/session";
	uint8_t want[48];
	struct cs_bytes none = { 0 };

	CHECK(v != NULL);
	memcpy(prologue + 15, network, sizeof(network));
	prologue[sizeof(prologue) - 1] = 1;
	cs_noise_nk_init_initiator(&nk, CS_BYTES(prologue),
	    test_json_hex(v, "init_remote_static").p);
	test_random_fixed(test_json_hex(v, "init_ephemeral"));
	CHECK_OK(cs_noise_nk_write(&nk, none, want));
	CHECK_OK(cs_noise_new_initiator(network,
	    test_json_hex(v, "init_remote_static").p, &a));
	test_random_fixed(test_json_hex(v, "init_ephemeral"));
	CHECK_OK(cs_noise_handshake_write(a, &out));
	test_random_system();
	CHECK_BYTES(want, sizeof(want), out.p, out.n);
	cs_noise_free(a);
	cs_buf_fini(&out);
}
