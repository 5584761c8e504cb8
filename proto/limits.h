#ifndef CS_PROTO_LIMITS_H
#define CS_PROTO_LIMITS_H

/* Every number the formats fix (docs/protocol.md). Policy limits that a site
 * may choose are in relay/limits.h. */

#define CS_ID_BYTES          16
#define CS_HASH_BYTES        32 /* SHA-256, TurboSHAKE128 leaves */
#define CS_HASH512_BYTES     64
#define CS_NETWORK_ID_BYTES  32
#define CS_SIGN_PUBLIC_BYTES 32 /* Ed25519 */
#define CS_SIGN_SEED_BYTES   32
#define CS_SIGNATURE_BYTES   64
#define CS_KEM_PUBLIC_BYTES  1216 /* X-Wing */
#define CS_KEM_SECRET_BYTES  32
#define CS_KEM_ENC_BYTES     1120
#define CS_FILE_KEY_BYTES    32
#define CS_WRAPPED_BYTES     48 /* file key + Poly1305 tag */
#define CS_NOISE_KEY_BYTES   32 /* X25519 */

#define CS_SUITE_V1 0x0002

#define CS_LIMIT_RECIPIENTS       1000
#define CS_LIMIT_OBJECTS          1024
#define CS_LIMIT_PARENTS          16 /* of a message in its thread */
#define CS_LIMIT_OBJECT_BYTES     (UINT64_C(64) << 30)
#define CS_LIMIT_BODY_BYTES       (8u << 20)
#define CS_LIMIT_ENVELOPE_BYTES   (CS_LIMIT_BODY_BYTES + (2u << 20))
#define CS_LIMIT_LIFETIME_S       (UINT64_C(90) * 86400)
#define CS_LIMIT_ADDRESS_BYTES    128
#define CS_LIMIT_NAME_BYTES       200   /* of a person, practice, device */
#define CS_LIMIT_LABEL_BYTES      1024  /* attachment name given by a sender */
#define CS_LIMIT_ENTRY_BYTES      65535 /* one directory entry */
#define CS_LIMIT_STATEMENT_BYTES  (256u << 10)
#define CS_LIMIT_CHECKPOINT_BYTES 4096
#define CS_LIMIT_ACK_TEXT_BYTES   4096

/* How long before it is submitted an envelope may have been sealed. */
#define CS_LIMIT_CREATED_BEFORE_S (UINT64_C(48) * 3600)

#define CS_BODY_FLOOR_BYTES    4096
#define CS_SEGMENT_PLAIN_BYTES 1048496u
#define CS_SEGMENT_NONCE_BYTES 32
#define CS_SEGMENT_TAG_BYTES   32
#define CS_SEGMENT_BYTES       1048560u /* 256 LMDB pages - 16 */
#define CS_SEGMENT_FLOOR_BYTES (16u << 10)
#define CS_LIMIT_SEGMENTS      65542u /* of an object of CS_LIMIT_OBJECT_BYTES */

/* What a member's devices may add to the log, which everybody keeps for ever.
 * Many times what they need. */
#define CS_LIMIT_MEMBER_DEVICES 16 /* not revoked */
#define CS_LIMIT_MEMBER_ENTRIES 32 /* in a day of logged_at / CS_DAY_S */
#define CS_DAY_S                86400u

#define CS_EPOCH_S            (7u * 86400)
#define CS_EPOCHS_PER_BATCH   26
#define CS_EPOCH_KEEP_EXTRA_S (2u * 86400)

#define CS_LIMIT_FRAME_PREAUTH_BYTES 4096
#define CS_LIMIT_FRAME_BYTES         (CS_LIMIT_ENVELOPE_BYTES + (64u << 10))

#endif
