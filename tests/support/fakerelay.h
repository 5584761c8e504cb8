#ifndef CS_TESTS_SUPPORT_FAKERELAY_H
#define CS_TESTS_SUPPORT_FAKERELAY_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/client.h"
#include "proto/base/buf.h"
#include "proto/frame.h"
#include "tests/support/network.h"

/*
 * The relay's end of a session for tests of the client: plain sockets and
 * keys/noise, one connection after another, in a thread of its own. It serves
 * the directory of a test network (login, enrol, dir_append, dir_sync,
 * epoch_put, cosign, ping) and can misbehave. Everything else, and whatever a
 * test wants to answer itself, goes to the hook.
 */

/* Answers a request by writing a reply into out; false: the fake's own way.
 * Runs in the fake's thread. */
typedef bool fake_relay_hook(void *ctx, enum cs_op op, uint32_t id,
    struct cs_wire *w, struct cs_buf *out);

/* Answers a request as it came, before anything else sees it. */
struct cs_noise;
typedef void fake_relay_whole(void *ctx, const struct cs_noise *session,
    struct cs_bytes request, struct cs_buf *out);

struct fake_relay {
	struct network net; /* for the tests while nobody is connected */
	char url[64];
	/* what it does wrong; set by fake_relay_set */
	struct fake_relay_mood {
		uint64_t hide_from; /* shows only leaves below; 0: all */
		bool fork;          /* signs another root */
		bool hang_up_after_enrol;
		bool hang_up_after_append;
		bool hang_up;     /* on every first message */
		uint8_t hint;     /* what it says to it instead; 0: no hint */
		uint64_t counter; /* incarnation */
		uint64_t clock_offset_s; /* how old its checkpoints are */
		uint64_t behind_s;       /* its clock, in answers */
		/* witnesses whose cosignatures it shows, and how old they are
		 */
		const struct cs_keyring *cosigner[4];
		uint64_t cosigned_before_s;
		fake_relay_hook *hook;
		fake_relay_whole *whole; /* NULL: none */
		void *ctx;               /* of both */
	} mood;
	unsigned greeted;       /* connections */
	unsigned enrolled, put; /* requests that were served */
	unsigned cosigned;
	struct cs_frame_cosign word; /* the last one */
	/* private */
	const uint8_t *handshake; /* hash of the one under way */
	pthread_mutex_t mutex;
	pthread_t thread;
	int listener, connection;
	bool stop;
};

/* A network whose relay is this one, on a free port, and the thread. */
void fake_relay_start(struct fake_relay *f);

/* The same in two steps, for a network that is somebody else's: net is set and
 * url is known after the first. End it by halt and close. */
void fake_relay_open(struct fake_relay *f, const struct network *net);
void fake_relay_run(struct fake_relay *f);
void fake_relay_close(struct fake_relay *f);

/* Ends thread and sockets, frees the network. */
void fake_relay_stop(struct fake_relay *f);

/* Only stops listening and answering; the network stays. */
void fake_relay_halt(struct fake_relay *f);

/* Changes what it does from the next request on. */
void fake_relay_set(struct fake_relay *f, struct fake_relay_mood mood);

/* An armoured invitation for address; test memory. */
struct cs_bytes fake_relay_invite(struct fake_relay *f, const char *address);

/* A member with this address, joined in a folder of test_dir(), opened. */
void fake_relay_join(struct fake_relay *f, const char *home,
    const char *address, struct cs_client **ret);

#endif
