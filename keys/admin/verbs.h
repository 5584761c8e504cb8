#ifndef CS_KEYS_ADMIN_VERBS_H
#define CS_KEYS_ADMIN_VERBS_H

#include "keys/admin/admin.h"

/* keys/admin/verb_<name>.c each. */
extern const struct cs_admin_verb cs_verb_init;
extern const struct cs_admin_verb cs_verb_org_template;
extern const struct cs_admin_verb cs_verb_org_vet;
extern const struct cs_admin_verb cs_verb_waive;
extern const struct cs_admin_verb cs_verb_waive_cosign;
extern const struct cs_admin_verb cs_verb_org_list;
extern const struct cs_admin_verb cs_verb_org_show;
extern const struct cs_admin_verb cs_verb_invite;
extern const struct cs_admin_verb cs_verb_invite_list;
extern const struct cs_admin_verb cs_verb_invite_revoke;
extern const struct cs_admin_verb cs_verb_members;
extern const struct cs_admin_verb cs_verb_members_update;
extern const struct cs_admin_verb cs_verb_devices;
extern const struct cs_admin_verb cs_verb_revoke;
extern const struct cs_admin_verb cs_verb_status;
extern const struct cs_admin_verb cs_verb_passphrase;
extern const struct cs_admin_verb cs_verb_keyring_export;
extern const struct cs_admin_verb cs_verb_keyring_import;
extern const struct cs_admin_verb cs_verb_witnessing_new;
extern const struct cs_admin_verb cs_verb_witness_add;
extern const struct cs_admin_verb cs_verb_witnessing_run;
extern const struct cs_admin_verb cs_verb_witness_list;
extern const struct cs_admin_verb cs_verb_witness_remove;
extern const struct cs_admin_verb cs_verb_root_new;
extern const struct cs_admin_verb cs_verb_root_sign;
extern const struct cs_admin_verb cs_verb_root_apply;
extern const struct cs_admin_verb cs_verb_root_show;
extern const struct cs_admin_verb cs_verb_registrar_new;
extern const struct cs_admin_verb cs_verb_rotate_root;
extern const struct cs_admin_verb cs_verb_rotate_registrar;
extern const struct cs_admin_verb cs_verb_rotate_relay;
extern const struct cs_admin_verb cs_verb_policy_set;
extern const struct cs_admin_verb cs_verb_audit_note;
extern const struct cs_admin_verb cs_verb_auditexport;
extern const struct cs_admin_verb cs_verb_auditpack;
extern const struct cs_admin_verb cs_verb_audit_check;
extern const struct cs_admin_verb cs_verb_audit_show;

/* keys/admin/verb_roster.c and verb_rosters.c */
extern const struct cs_admin_verb cs_verb_roster_group_set;
extern const struct cs_admin_verb cs_verb_roster_group_add;
extern const struct cs_admin_verb cs_verb_roster_group_remove;
extern const struct cs_admin_verb cs_verb_roster_group_close;
extern const struct cs_admin_verb cs_verb_rosters_group_list;
extern const struct cs_admin_verb cs_verb_rosters_group_history;
extern const struct cs_admin_verb cs_verb_roster_service_set;
extern const struct cs_admin_verb cs_verb_roster_service_add;
extern const struct cs_admin_verb cs_verb_roster_service_remove;
extern const struct cs_admin_verb cs_verb_roster_service_close;
extern const struct cs_admin_verb cs_verb_rosters_service_list;
extern const struct cs_admin_verb cs_verb_rosters_service_history;

#endif
