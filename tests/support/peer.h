#ifndef CS_TESTS_SUPPORT_PEER_H
#define CS_TESTS_SUPPORT_PEER_H

#include "keys/noise.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/frame.h"

/*
 * The other end of a relay's session, made of keys/noise alone, and the relay
 * and device keys that the tests agree on. Whatever fails aborts.
 */
struct test_peer {
	struct cs_noise *noise;
};

extern const uint8_t test_peer_network[CS_NETWORK_ID_BYTES];
extern const uint8_t test_peer_relay_id[CS_ID_BYTES];
extern const uint8_t test_peer_device_id[CS_ID_BYTES];

/* The relay's static key; the same at every call. Caller frees it. */
struct cs_secret *test_peer_relay_secret(void);

/* A relay with that key alone: see relay/session.h. ctx is not looked at. */
cs_err test_peer_responder(void *ctx, unsigned i, struct cs_noise **ret);

/* Public key that the logins below are signed with. */
void test_peer_device_key(uint8_t ret[static CS_SIGN_PUBLIC_BYTES]);

void test_peer_init(struct test_peer *p, const uint8_t *network_id);
void test_peer_fini(struct test_peer *p);

/* Append the first frame; take the answer to it, 52 bytes. */
void test_peer_hello(struct test_peer *p, struct cs_buf *out);
cs_err test_peer_welcome(struct test_peer *p, struct cs_bytes frame);

/* Append plain as one encrypted frame. */
void test_peer_frame(struct test_peer *p, struct cs_bytes plain,
    struct cs_buf *out);

/* Append the plaintext of one whole frame. */
cs_err test_peer_open(struct test_peer *p, struct cs_bytes frame,
    struct cs_buf *out);

/* A login of the device, signed for this session; appends the frame. */
void test_peer_login(struct test_peer *p, uint32_t id, struct cs_buf *out);

#endif
