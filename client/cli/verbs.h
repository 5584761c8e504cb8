#ifndef CS_CLIENT_CLI_VERBS_H
#define CS_CLIENT_CLI_VERBS_H

#include "client/cli/cli.h"

/* One verb a file: client/cli/verb_<name>.c. */
extern const struct cs_cli_verb cs_verb_join;
extern const struct cs_cli_verb cs_verb_send;
extern const struct cs_cli_verb cs_verb_inbox;
extern const struct cs_cli_verb cs_verb_read;
extern const struct cs_cli_verb cs_verb_reply;
extern const struct cs_cli_verb cs_verb_forward;
extern const struct cs_cli_verb cs_verb_ack;
extern const struct cs_cli_verb cs_verb_sent;
extern const struct cs_cli_verb cs_verb_sent_extend;
extern const struct cs_cli_verb cs_verb_withdraw;
extern const struct cs_cli_verb cs_verb_case_list;
extern const struct cs_cli_verb cs_verb_case_show;
extern const struct cs_cli_verb cs_verb_case_find;
extern const struct cs_cli_verb cs_verb_case_export;
extern const struct cs_cli_verb cs_verb_case_close;
extern const struct cs_cli_verb cs_verb_case_reopen;
extern const struct cs_cli_verb cs_verb_imaging_check;
extern const struct cs_cli_verb cs_verb_imaging_import;
extern const struct cs_cli_verb cs_verb_imaging_export;
extern const struct cs_cli_verb cs_verb_imaging_fetch;
extern const struct cs_cli_verb cs_verb_sync;
extern const struct cs_cli_verb cs_verb_watch;
extern const struct cs_cli_verb cs_verb_contacts;
extern const struct cs_cli_verb cs_verb_device_list;
extern const struct cs_cli_verb cs_verb_device_invite;
extern const struct cs_cli_verb cs_verb_device_revoke;
extern const struct cs_cli_verb cs_verb_keys_plan;
extern const struct cs_cli_verb cs_verb_keys_rotate;
extern const struct cs_cli_verb cs_verb_keys_destroy;
extern const struct cs_cli_verb cs_verb_keys_passphrase;
extern const struct cs_cli_verb cs_verb_agent;
extern const struct cs_cli_verb cs_verb_keys_export;
extern const struct cs_cli_verb cs_verb_keys_import;
extern const struct cs_cli_verb cs_verb_keys_witnesses;
extern const struct cs_cli_verb cs_verb_keys_checkpoint;
extern const struct cs_cli_verb cs_verb_keys_notices;
extern const struct cs_cli_verb cs_verb_keys_confirm;
extern const struct cs_cli_verb cs_verb_verify;
extern const struct cs_cli_verb cs_verb_receipt_export;
extern const struct cs_cli_verb cs_verb_retention;
extern const struct cs_cli_verb cs_verb_retention_run;
extern const struct cs_cli_verb cs_verb_case_purge;
extern const struct cs_cli_verb cs_verb_case_hold;
extern const struct cs_cli_verb cs_verb_case_release;

#endif
