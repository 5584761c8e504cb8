#ifndef CS_PROTO_LABEL_H
#define CS_PROTO_LABEL_H

/*
 * Domain labels (docs/protocol.md): ASCII with one trailing zero, which is
 * part of the signed or hashed bytes. CS_LABEL(x) is a struct cs_bytes that
 * includes it.
 */
#define CS_LABEL(text)                                                         \
	((struct cs_bytes){ (const uint8_t *)(text), sizeof(text) })

#define CS_LABEL_STANZA       CS_LABEL("consil/stanza")
#define CS_LABEL_FILE_KEY     CS_LABEL("consil/file-key")
#define CS_LABEL_HEADER_MAC   CS_LABEL("consil/header-mac")
#define CS_LABEL_BODY         CS_LABEL("consil/body")
#define CS_LABEL_ENVELOPE     CS_LABEL("consil/envelope")
#define CS_LABEL_CUSTODY      CS_LABEL("consil/custody")
#define CS_LABEL_DELIVERED    CS_LABEL("consil/delivered")
#define CS_LABEL_OPENED       CS_LABEL("consil/opened")
#define CS_LABEL_ACKNOWLEDGED CS_LABEL("consil/acknowledged")
#define CS_LABEL_OUTCOME      CS_LABEL("consil/outcome")
#define CS_LABEL_ACK          CS_LABEL("consil/ack")
#define CS_LABEL_DIRECTORY    CS_LABEL("consil/directory")
#define CS_LABEL_NETWORK      CS_LABEL("consil/network")
#define CS_LABEL_ROTATE       CS_LABEL("consil/rotate")
#define CS_LABEL_EPOCH        CS_LABEL("consil/epoch")
#define CS_LABEL_EPOCH_NEXT   CS_LABEL("consil/epoch-next")
#define CS_LABEL_SESSION      CS_LABEL("consil/session")
#define CS_LABEL_LOGIN        CS_LABEL("consil/login")
#define CS_LABEL_MAILBOX      CS_LABEL("consil/mailbox")
#define CS_LABEL_KEYRING      CS_LABEL("consil/keyring")
#define CS_LABEL_BACKUP       CS_LABEL("consil/backup")
#define CS_LABEL_CARD         CS_LABEL("consil/card")
#define CS_LABEL_WITNESS      CS_LABEL("consil/witness")
#define CS_LABEL_VETTING      CS_LABEL("consil/vetting")
#define CS_LABEL_AUDIT        CS_LABEL("consil/audit")
#define CS_LABEL_ANCHOR       CS_LABEL("consil/anchor")
#define CS_LABEL_ACKED        CS_LABEL("consil/acked")
#define CS_LABEL_WITHDRAW     CS_LABEL("consil/withdraw")
#define CS_LABEL_PURGED       CS_LABEL("consil/purged")

#endif
