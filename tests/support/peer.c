#include "tests/support/peer.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "keys/verify.h"
#include "proto/base/cursor.h"

#define MUST(cond)                                                             \
	do {                                                                   \
		if (!(cond))                                                   \
			abort();                                               \
	} while (0)

const uint8_t test_peer_network[CS_NETWORK_ID_BYTES] = { 'n', 'e', 't' };
const uint8_t test_peer_relay_id[CS_ID_BYTES] = { 'r', 'e', 'l' };
const uint8_t test_peer_device_id[CS_ID_BYTES] = { 'd', 'e', 'v' };

static const uint8_t relay_secret[CS_NOISE_KEY_BYTES] = { 1, 2, 3 };
static const uint8_t device_seed[CS_SIGN_SEED_BYTES] = { 4, 5, 6 };

struct cs_secret *
test_peer_relay_secret(void)
{
	struct cs_secret *s;

	MUST(cs_secret_copy(CS_BYTES(relay_secret), &s) == CS_OK);
	return s;
}

cs_err
test_peer_responder(void *ctx, unsigned i, struct cs_noise **ret)
{
	struct cs_secret *secret;
	cs_err e;

	(void)ctx;
	if (i > 0)
		return CS_NOT_FOUND;
	secret = test_peer_relay_secret();
	e = cs_noise_new_responder(test_peer_network, secret, ret);
	cs_secret_free(secret);
	return e;
}

void
test_peer_device_key(uint8_t ret[static CS_SIGN_PUBLIC_BYTES])
{
	uint8_t sk[crypto_sign_SECRETKEYBYTES];

	crypto_sign_seed_keypair(ret, sk, device_seed);
}

void
test_peer_init(struct test_peer *p, const uint8_t *network_id)
{
	uint8_t relay_key[CS_NOISE_KEY_BYTES];

	crypto_scalarmult_base(relay_key, relay_secret);
	MUST(cs_noise_new_initiator(network_id, relay_key, &p->noise) == CS_OK);
}

void
test_peer_fini(struct test_peer *p)
{
	cs_noise_free(p->noise);
	p->noise = NULL;
}

void
test_peer_hello(struct test_peer *p, struct cs_buf *out)
{
	cs_buf_put_u32(out, CS_NOISE_HANDSHAKE_BYTES);
	MUST(cs_noise_handshake_write(p->noise, out) == CS_OK);
}

/* What follows the length, if the length is right. */
static struct cs_bytes
body(struct cs_bytes frame)
{
	struct cs_cursor c = cs_cursor_new(frame);
	uint32_t n = cs_cursor_u32(&c);

	MUST(cs_cursor_err(&c) == CS_OK && n == c.left);
	return cs_cursor_take(&c, n);
}

cs_err
test_peer_welcome(struct test_peer *p, struct cs_bytes frame)
{
	return cs_noise_handshake_read(p->noise, body(frame));
}

void
test_peer_frame(struct test_peer *p, struct cs_bytes plain, struct cs_buf *out)
{
	cs_buf_put_u32(out, (uint32_t)cs_noise_wire_bytes(plain.n));
	MUST(cs_noise_encrypt(p->noise, plain, out) == CS_OK);
}

cs_err
test_peer_open(struct test_peer *p, struct cs_bytes frame, struct cs_buf *out)
{
	return cs_noise_decrypt(p->noise, body(frame), out);
}

void
test_peer_login(struct test_peer *p, uint32_t id, struct cs_buf *out)
{
	struct cs_frame_login login = { 0 };
	uint8_t message[CS_VERIFY_LOGIN_BYTES];
	uint8_t pk[CS_SIGN_PUBLIC_BYTES], sk[crypto_sign_SECRETKEYBYTES];
	struct cs_buf plain = { 0 };

	crypto_sign_seed_keypair(pk, sk, device_seed);
	cs_verify_login_bytes(cs_noise_hash(p->noise), test_peer_relay_id,
	    test_peer_device_id, message);
	crypto_sign_detached(login.signature, NULL, message, sizeof(message),
	    sk);
	memcpy(login.device_id, test_peer_device_id, CS_ID_BYTES);
	cs_frame_login_encode(&plain, id, &login);
	test_peer_frame(p, cs_buf_view(&plain), out);
	cs_buf_fini(&plain);
}
