#ifndef CS_RELAY_VETTED_H
#define CS_RELAY_VETTED_H

#include "proto/base/bytes.h"
#include "proto/base/err.h"
#include "proto/envelope.h"
#include "relay/core.h"
#include "relay/job.h"

/* Practices whose vetting has lapsed: their members read what was sent to them
 * before and acknowledge it; nothing else goes in or out. */

/* May who asks go on with a message of this class? CS_OK, CS_LAPSED (the job's
 * detail says until when its vetting was valid). */
CS_MUST_USE cs_err cs_vetted_sender(struct cs_core *c, struct cs_job *job,
    enum cs_class class);

/* May this device be sent to? CS_OK, and the errors of
 * cs_dirlog_device_standing (the job's detail says more). */
CS_MUST_USE cs_err cs_vetted_recipient(struct cs_core *c, struct cs_job *job,
    const uint8_t device_id[static CS_ID_BYTES]);

#endif
