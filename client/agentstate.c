#include "client/agentstate.h"

typedef enum cs_agentmsg_code handler(struct cs_agentstate *a,
    const struct cs_agentmsg_request *r, uint64_t now_ms);

void
cs_agentstate_lock(struct cs_agentstate *a)
{
	cs_secret_free(a->key); /* wipes */
	a->key = NULL;
}

void
cs_agentstate_tick(struct cs_agentstate *a, uint64_t now_ms)
{
	if (a->key && now_ms >= a->locks_at_ms)
		cs_agentstate_lock(a);
}

uint64_t
cs_agentstate_idle_ms(const struct cs_agentstate *a, uint64_t now_ms)
{
	if (!a->key)
		return UINT64_MAX;
	return a->locks_at_ms > now_ms ? a->locks_at_ms - now_ms : 0;
}

static enum cs_agentmsg_code
get(struct cs_agentstate *a, const struct cs_agentmsg_request *r,
    uint64_t now_ms)
{
	(void)r;
	if (!a->key)
		return CS_AGENTMSG_LOCKED;
	a->locks_at_ms = now_ms + a->timeout_ms;
	return CS_AGENTMSG_DONE;
}

static enum cs_agentmsg_code
put(struct cs_agentstate *a, const struct cs_agentmsg_request *r,
    uint64_t now_ms)
{
	const struct cs_bytes given = { r->key, CS_AGENTMSG_KEY_BYTES };
	struct cs_secret *key = NULL;

	/* Who only changed the key does not unlock what was locked. */
	if (r->timeout_s == 0 && !a->key)
		return CS_AGENTMSG_LOCKED;
	if (cs_secret_copy(given, &key) != CS_OK)
		return CS_AGENTMSG_REFUSED;
	cs_agentstate_lock(a);
	a->key = key;
	if (r->timeout_s > 0)
		a->timeout_ms = r->timeout_s * 1000;
	a->locks_at_ms = now_ms + a->timeout_ms;
	return CS_AGENTMSG_DONE;
}

static enum cs_agentmsg_code
lock(struct cs_agentstate *a, const struct cs_agentmsg_request *r,
    uint64_t now_ms)
{
	(void)r;
	(void)now_ms;
	cs_agentstate_lock(a);
	return CS_AGENTMSG_DONE;
}

static enum cs_agentmsg_code
stop(struct cs_agentstate *a, const struct cs_agentmsg_request *r,
    uint64_t now_ms)
{
	a->is_stopped = true;
	return lock(a, r, now_ms);
}

static enum cs_agentmsg_code
status(struct cs_agentstate *a, const struct cs_agentmsg_request *r,
    uint64_t now_ms)
{
	(void)a;
	(void)r;
	(void)now_ms;
	return CS_AGENTMSG_DONE;
}

void
cs_agentstate_handle(struct cs_agentstate *a,
    const struct cs_agentmsg_request *r, uint64_t now_ms,
    struct cs_agentmsg_reply *ret)
{
	static handler *const handlers[] = {
		[CS_AGENTMSG_GET] = get,
		[CS_AGENTMSG_PUT] = put,
		[CS_AGENTMSG_LOCK] = lock,
		[CS_AGENTMSG_STOP] = stop,
		[CS_AGENTMSG_STATUS] = status,
	};

	cs_agentstate_tick(a, now_ms);
	*ret =
	    (struct cs_agentmsg_reply){ .code = handlers[r->op](a, r, now_ms) };
	ret->unlocked = a->key != NULL;
	/* rounded up: what is unlocked has some time left */
	if (a->key)
		ret->left_s = (a->locks_at_ms - now_ms + 999) / 1000;
	if (r->op == CS_AGENTMSG_GET && ret->code == CS_AGENTMSG_DONE)
		ret->key = cs_secret_bytes(a->key);
}
