#ifndef CS_RELAY_SESSION_H
#define CS_RELAY_SESSION_H

#include <stdbool.h>

#include "keys/noise.h"
#include "proto/base/buf.h"
#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/frame.h"
#include "proto/limits.h"

/*
 * One connection of the relay as a state machine (docs/protocol.md, Session):
 * handshake, then requests of a stranger, then login, then requests of a
 * member. Or one that has no place, and is told so after its first frame: a
 * connection that is closed with bytes unread loses what was said to it. Fed
 * bytes and the time; says what is to be done. No sockets, clock
 * or threads of its own.
 *
 * It has two halves. Input (place, got, logged_in) and output (seal) may each
 * be used by one thread at a time, both at once. The account (the rest) may be
 * asked from any thread.
 */
struct cs_session;

/* What a complete frame asks for. */
enum cs_session_event_kind {
	CS_SESSION_MORE,      /* no frame yet: read on */
	CS_SESSION_HANDSHAKE, /* send bytes as they are */
	CS_SESSION_LOGIN,     /* check login, then answer id */
	CS_SESSION_REQUEST,   /* give bytes to the service */
	CS_SESSION_REFUSED,   /* answer id with refusal */
	CS_SESSION_OVER,      /* send bytes as they are, read no more; why it
				 is over is in refusal: CS_BUSY, CS_MALFORMED,
				 CS_BAD_MAC (handshake for another relay or
				 network) */
};
struct cs_session_event {
	enum cs_session_event_kind kind;
	struct cs_bytes bytes; /* borrowed until the next place */
	uint32_t id;           /* of the request */
	cs_err refusal;
	struct cs_frame_login login;
	const uint8_t
	    *handshake_hash; /* with login; borrowed from the session */
};

/* Responder of a handshake by key i of the relay, which may have several while
 * they are rotated. CS_OK, CS_NOT_FOUND (past the last), CS_NO_MEMORY. */
typedef cs_err cs_session_responder(void *ctx, unsigned i,
    struct cs_noise **ret);

/*
 *   responder, ctx  asked when the handshake comes, which says by its tag alone
 *                   which key it is for
 *   now_ms          any clock that does not jump; the same one everywhere here
 * CS_OK, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_session_new(cs_session_responder *responder, void *ctx,
    uint64_t now_ms, struct cs_session **ret);

/* One that has no place. CS_OK, CS_NO_MEMORY. */
CS_MUST_USE cs_err cs_session_new_turned_away(uint64_t now_ms,
    struct cs_session **ret);

/* Wipes and frees; NULL does nothing. */
void cs_session_free(struct cs_session *s);

/*
 * Where the next bytes from the peer go, and how many at most: never past the
 * end of a frame, never much more memory than has arrived.
 * CS_OK, CS_NO_MEMORY.
 */
CS_MUST_USE cs_err cs_session_place(struct cs_session *s, uint8_t **ret_p,
    size_t *ret_n);

/*
 * n bytes (1..the n of place) were put there. LOGIN, REQUEST and REFUSED are
 * in flight from now until cs_session_answered.
 * Any error ends the connection without a word: CS_MALFORMED, CS_TOO_LARGE
 * (length before login, or ever), CS_BAD_MAC (altered bytes), CS_DENIED (too
 * many requests before login), CS_NO_MEMORY, CS_EXPIRED.
 */
CS_MUST_USE cs_err cs_session_got(struct cs_session *s, size_t n,
    uint64_t now_ms, struct cs_session_event *ret);

/* The login of the last event was right: larger frames, longer patience. */
void cs_session_logged_in(struct cs_session *s);

/* Appends one frame around a reply. CS_OK, CS_TOO_LARGE, CS_NO_MEMORY,
 * CS_EXPIRED. */
CS_MUST_USE cs_err cs_session_seal(struct cs_session *s, struct cs_bytes reply,
    struct cs_buf *out);

/* n replies were sent to the last byte. */
void cs_session_answered(struct cs_session *s, unsigned n, uint64_t now_ms);

/*
 * May more be read: always to the end of a frame that was begun; a next frame
 * while not too many requests are in flight and the session is not too old.
 *   crowded  the relay is short of memory: no next frame while any request of
 *            this session is in flight
 */
bool cs_session_has_room(const struct cs_session *s, bool crowded,
    uint64_t now_ms);

/* CS_OK, or CS_TIMEOUT when the connection must end: no login in time, a frame
 * begun and not gone on with, nothing heard for too long, or too old. */
CS_MUST_USE cs_err cs_session_check_time(const struct cs_session *s,
    uint64_t now_ms);

#endif
