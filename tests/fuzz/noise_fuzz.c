/*
 * The session against whoever is on the wire.
 *
 * First byte: 0 the rest is a first message to the relay; 1 a second message
 * to the client; 2 a frame; 3 patches (u16 place, u8 xor) to the frame of a
 * plaintext as long as the next two bytes say: it must not open.
 */
#include <sodium.h>
#include <stdlib.h>

#include "keys/noise.h"
#include "tests/support/random.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

struct pair {
	struct cs_noise *client, *relay;
	struct cs_buf wire;
};

static void
must(int ok)
{
	if (!ok)
		abort();
}

/* The same keys and messages every time, but other ones for each mode: what
 * libFuzzer learns in one from our own comparisons opens nothing in another. */
static void
start(struct pair *pair, uint8_t mode)
{
	static const uint8_t network[CS_NETWORK_ID_BYTES] = { 1 };
	static const uint8_t secret_bytes[32] = { 2 };
	struct cs_secret *secret = NULL;
	uint8_t public[32];

	must(sodium_init() >= 0);
	test_random_seed(mode);
	crypto_scalarmult_base(public, secret_bytes);
	must(cs_secret_copy(CS_BYTES(secret_bytes), &secret) == CS_OK);
	must(cs_noise_new_initiator(network, public, &pair->client) == CS_OK);
	must(cs_noise_new_responder(network, secret, &pair->relay) == CS_OK);
	must(cs_noise_handshake_write(pair->client, &pair->wire) == CS_OK);
	cs_secret_free(secret);
}

static void
connect(struct pair *pair)
{
	must(cs_noise_handshake_read(pair->relay, cs_buf_view(&pair->wire)) ==
	     CS_OK);
	cs_buf_reset(&pair->wire);
	must(cs_noise_handshake_write(pair->relay, &pair->wire) == CS_OK);
	must(cs_noise_handshake_read(pair->client, cs_buf_view(&pair->wire)) ==
	     CS_OK);
	cs_buf_reset(&pair->wire);
}

static void
first_message(struct pair *pair, struct cs_bytes in)
{
	(void)!cs_noise_handshake_read(pair->relay, in);
}

static void
second_message(struct pair *pair, struct cs_bytes in)
{
	must(cs_noise_handshake_read(pair->client, in) != CS_OK);
}

static void
frame(struct pair *pair, struct cs_bytes in)
{
	connect(pair);
	must(cs_noise_decrypt(pair->relay, in, &pair->wire) != CS_OK);
	must(pair->wire.n == 0);
}

static void
patched_frame(struct pair *pair, struct cs_bytes in)
{
	static uint8_t plain[2 * 65535 + 2];
	struct cs_buf got = { 0 }, sent = { 0 };
	struct cs_bytes text;
	bool same;

	if (in.n < 2)
		return;
	connect(pair);
	text = (struct cs_bytes){ plain, 2 * ((size_t)in.p[0] << 8 | in.p[1]) };
	must(cs_noise_encrypt(pair->client, text, &pair->wire) == CS_OK);
	cs_buf_put_bytes(&sent, cs_buf_view(&pair->wire));
	for (size_t i = 2; i + 3 <= in.n; i += 3)
		pair->wire
		    .p[((size_t)in.p[i] << 8 | in.p[i + 1]) % pair->wire.n] ^=
		    in.p[i + 2];
	same = cs_bytes_eq(cs_buf_view(&sent), cs_buf_view(&pair->wire));
	must(same == (cs_noise_decrypt(pair->relay, cs_buf_view(&pair->wire),
			  &got) == CS_OK));
	must(!same || cs_bytes_eq(text, cs_buf_view(&got)));
	cs_buf_fini(&got);
	cs_buf_fini(&sent);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static void (*const modes[])(struct pair *, struct cs_bytes) = {
		first_message, second_message, frame, patched_frame
	};
	struct pair pair = { 0 };

	if (n == 0)
		return 0;
	start(&pair, p[0] % 4);
	modes[p[0] % 4](&pair, (struct cs_bytes){ p + 1, n - 1 });
	cs_noise_free(pair.client);
	cs_noise_free(pair.relay);
	cs_buf_fini(&pair.wire);
	return 0;
}
