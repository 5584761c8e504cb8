#ifndef CS_RELAY_LIMITS_H
#define CS_RELAY_LIMITS_H

#include "proto/limits.h"

/*
 * Every bound of the relay in one place, but for those that a site may set:
 * they are rows of relay/config.c.
 */

/* ------------------------------------------------------- connections (server)
 */

/* From accept to a verified login. Everything a stranger can hold on to is
 * held for at most this long. */
#define CS_LIMIT_LOGIN_MS 5000u
/* The same for one that has no place and is only told so. */
#define CS_LIMIT_TURNED_AWAY_MS 1000u
/* Of those at the same time, and at most a sixteenth of all places: the others
 * are closed without a word. */
#define CS_LIMIT_TURNED_AWAY 64u
/* Requests that a connection may make before it logs in (ping, enrol). */
#define CS_LIMIT_PREAUTH_REQUESTS 8u
/* Without one byte of a frame that was begun. */
#define CS_LIMIT_FRAME_STALL_MS 10000u
/* Without a byte, with no request unanswered. */
#define CS_LIMIT_IDLE_MS 90000u
/* Without the peer taking a byte of a reply. */
#define CS_LIMIT_SEND_STALL_MS 60000u
/* Age of a session; the client connects anew and gets fresh keys. */
#define CS_LIMIT_SESSION_MS 3600000u
/* Requests of one connection that are not yet answered and sent. */
#define CS_LIMIT_IN_FLIGHT 8u
/* Bytes of a frame that are read at once: an announced length costs no memory
 * until the bytes arrive. */
#define CS_LIMIT_READ_BYTES (256u << 10)
/* Waiting replies are put together into writes of about this size. */
#define CS_LIMIT_WRITE_BYTES (256u << 10)
/* Replies of all connections waiting to be sent: above this nobody who has
 * replies waiting is read from. */
#define CS_LIMIT_QUEUED_BYTES (UINT64_C(512) << 20)
/* Pace of the thread that ends and frees connections. */
#define CS_LIMIT_SWEEP_MS 100u
/* Share of the process's descriptors that connections may use; the rest is
 * for the store, the log and the listeners. */
#define CS_LIMIT_DESCRIPTORS_PERCENT 90u
/* Connections that nng's own HTTP server holds before they become websockets.
 * It lets them wait for ever; beyond this many (or a twentieth of the
 * descriptors, if that is less) they are all ended. */
#define CS_LIMIT_HALF_OPEN 1000u
/* Pace of looking for those. */
#define CS_LIMIT_HALF_OPEN_MS 1000u
/* Listen URLs of one relay. */
#define CS_LIMIT_LISTENERS 8u
/* A relay without a tick, or in one commit, for this long is not well. */
#define CS_LIMIT_STILL_MS 10000u
/* Longest wait for the last commit when the relay is told to stop. */
#define CS_LIMIT_STOP_MS 5000u

/* ------------------------------------------------------------------- store */

/* Most that each of rows and segments may hold: addresses, not disk. Set once,
 * since a map cannot grow under a reader; quotas bound what is stored. */
#define CS_LIMIT_STORE_MAP_BYTES (UINT64_C(1) << 40)
/* Reads of the store at the same time, over all threads. */
#define CS_LIMIT_STORE_READERS 512u
/* Space kept for deletions on a full disk. */
#define CS_LIMIT_STORE_BALLAST_BYTES (UINT64_C(8) << 20)
/* With less free than this an i/o error of a commit is taken for a full disk
 * (a segment and the pages around it would not fit). */
#define CS_LIMIT_STORE_FULL_BYTES (UINT64_C(2) << 20)
/* Envelopes that cs_store_oldest looks at. */
#define CS_LIMIT_STORE_OLDEST 64u
/* Work of one call of cs_store_sweep: rows deleted, segments looked at. */
#define CS_LIMIT_STORE_SWEEP_ROWS   512u
#define CS_LIMIT_STORE_SWEEP_SEARCH 4096u

/* ----------------------------------------------------------------- service
 */

/* Threads that decode, hash, check signatures and read the store. */
#define CS_LIMIT_WORKERS 4u
/* Requests taken and not yet answered, parked ones included: above this new
 * ones are refused as busy. */
#define CS_LIMIT_WORK_BYTES (UINT64_C(512) << 20)
/* What one commit may hold; a single request may be larger than the last
 * two. */
#define CS_LIMIT_BATCH_TASKS 256u
#define CS_LIMIT_BATCH_OPS   8192u
#define CS_LIMIT_BATCH_BYTES (48u << 20)
/* How often a request is prepared again because what it read had moved. */
#define CS_LIMIT_ATTEMPTS 8u
/* `list` requests that wait for mail; more are refused as busy. */
#define CS_LIMIT_PARKED 16384u
/* Of one device: nobody can take the places of all others. */
#define CS_LIMIT_PARKED_DEVICE 16u
/* A waiting `list` looks again this often, hint or not. */
#define CS_LIMIT_RELIST_MS 5000u
/* An upload that was begun holds its room for this long; beginning it again
 * starts anew. */
#define CS_LIMIT_RESERVATION_S (24u * 3600)
/* When an envelope says that it was made, against our clock when it comes in:
 * recipients judge its signer's certificate by that time, and only we can hold
 * it against a clock. Before: CS_LIMIT_CREATED_BEFORE_S, a large upload takes a
 * while; after: a member's clock may be an hour wrong. */
#define CS_LIMIT_CREATED_AFTER_S (UINT64_C(1) * 3600)
/* What the rows of a bundle count against quotas, with it and for as long as
 * it is remembered: once for itself and its custody, once for each recipient
 * with the item and its outcome (861 bytes with proof and checkpoint). */
#define CS_LIMIT_ROW_BYTES 1024u
/* Custody and outcomes of a bundle are kept after its last outcome. */
#define CS_LIMIT_RECORD_S (180u * 86400)
/* What one device may have entered in the receipt log in a day. */
#define CS_LIMIT_ANCHORS_DAY 1024u
/* Largest reply to `status`; who asks for more asks in parts. */
#define CS_LIMIT_STATUS_BYTES CS_LIMIT_ENVELOPE_BYTES
/* What one round of expiry gives to the writer: ids, and recipients of one
 * id. */
#define CS_LIMIT_EXPIRE_IDS     64u
#define CS_LIMIT_EXPIRE_HOLDERS 64u
#define CS_LIMIT_EXPIRE_MS      1000u
/* What the relay does by itself and could not do is tried again after this. */
#define CS_LIMIT_UPKEEP_RETRY_MS 60000u
/* A wall clock that has gone before or behind by the first, at once or little
 * by little, stops expiry until it has run on for the second: a wrong clock
 * must not delete mail. */
#define CS_LIMIT_CLOCK_STEP_MS   (UINT64_C(600) * 1000)
#define CS_LIMIT_CLOCK_STEADY_MS (UINT64_C(3600) * 1000)
/* An envelope of class receipt: a statement, for the devices of one member. */
#define CS_LIMIT_RECEIPT_BYTES (64u << 10)
/* A clock that is not trusted, and that far beyond the last checkpoint, dates
 * no entry. */
#define CS_LIMIT_LEAP_S (UINT64_C(2 * 365) * 86400)
/* The directory's checkpoint is signed anew when it is older: clients do not
 * send on one that is older than a day. */
#define CS_LIMIT_CHECKPOINT_S 3600u
/* Logins and refusals wait this long for a commit to be recorded with; ticks
 * make it a second. */
#define CS_LIMIT_AUDIT_WAIT_MS 900u
/* Different ones that wait at most, and of those that strangers cause of each
 * kind; what is more is one record with a count. */
#define CS_LIMIT_AUDIT_WAITING   4096u
#define CS_LIMIT_AUDIT_STRANGERS 4u
/* Pace of the search for orphans in the whole store. */
#define CS_LIMIT_ORPHANS_MS (UINT64_C(3600) * 1000)
/* The file with the first entries of the directory. */
#define CS_LIMIT_GENESIS_BYTES (1u << 20)
/* What a peer is told to wait where the relay is busy, or full. */
#define CS_LIMIT_RETRY_BUSY_S 2u
#define CS_LIMIT_RETRY_FULL_S 300u

/* How long the relay's old keys still make handshakes for clients that have not
 * been seen to know the new ones: no mail lives longer. */
#define CS_LIMIT_HANDOVER_S CS_LIMIT_LIFETIME_S

#endif
