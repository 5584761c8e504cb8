#include "keys/fork.h"

#include <string.h>

#include "keys/verify.h"
#include "proto/forkproof.h"

/* One number, two stores: a copy is at work beside the store. */
static bool
is_two_stores(const struct cs_checkpoint *a, const struct cs_checkpoint *b)
{
	return a->counter == b->counter &&
	       memcmp(a->incarnation, b->incarnation, CS_ID_BYTES) != 0;
}

static bool
is_root(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, CS_HASH_BYTES) == 0; /* public */
}

/* ------------------------------------------------------------------- prove */

/* Do they contradict each other, by what is shown? */
static bool
contradict(const struct cs_forkproof *v)
{
	const uint8_t *at_a =
	    v->a.size == v->b.size ? v->b.root : v->other_root;

	return !is_root(v->a.root, at_a) || is_two_stores(&v->a, &v->b);
}

/* The two, in order of size, and whose the larger one's log is. */
struct pair {
	const struct cs_directory *d;
	bool is_seen_larger;
	cs_merkle_read *other;
	void *ctx;
	struct cs_forkproof v;
	struct cs_buf path, certs_a, certs_b;
};

/* The larger one's root at the size of the smaller, and the way from there. */
static cs_err
connect(struct pair *p)
{
	struct cs_forkproof *v = &p->v;
	cs_err e;

	if (v->a.size == v->b.size)
		return CS_OK;
	if (p->is_seen_larger) {
		CS_TRY(p->other ? CS_OK : CS_NOT_FOUND);
		CS_TRY(cs_merkle_read_root(p->other, p->ctx, v->a.size,
		    v->other_root));
		CS_TRY(cs_merkle_prove_consistency(p->other, p->ctx, v->a.size,
		    v->b.size, &p->path));
	} else {
		CS_TRY(cs_directory_root_at(p->d, v->a.size, v->other_root));
		CS_TRY(cs_directory_prove(p->d, v->a.size, v->b.size,
		    &p->path));
	}
	v->proof = cs_buf_view(&p->path);
out:
	return e;
}

static cs_err
certify(struct pair *p)
{
	struct cs_directory_relay a, b;
	cs_err e;

	CS_TRY(cs_directory_seen_by(p->d, &p->v.a, &a));
	CS_TRY(cs_directory_seen_by(p->d, &p->v.b, &b));
	CS_TRY(cs_certs_collect_at(p->d, a.entry, &p->certs_a));
	CS_TRY(cs_certs_collect_at(p->d, b.entry, &p->certs_b));
	p->v.certs_a = cs_buf_view(&p->certs_a);
	p->v.certs_b = cs_buf_view(&p->certs_b);
out:
	return e;
}

cs_err
cs_fork_prove(const struct cs_directory *d, const struct cs_checkpoint *mine,
    const struct cs_checkpoint *seen, cs_merkle_read *other, void *ctx,
    struct cs_buf *ret)
{
	struct pair p = { .d = d,
		.is_seen_larger = seen->size > mine->size,
		.other = other,
		.ctx = ctx };
	struct cs_fork_verdict verdict;
	struct cs_buf proof = { 0 };
	cs_err e;

	CS_TRY(mine->size > 0 && seen->size > 0 ? CS_OK : CS_NOT_FOUND);
	p.v.a = p.is_seen_larger ? *mine : *seen;
	p.v.b = p.is_seen_larger ? *seen : *mine;
	CS_TRY(certify(&p));
	CS_TRY(connect(&p));
	cs_directory_network_id(d, p.v.network_id);
	CS_TRY(cs_forkproof_encode(&p.v, &proof));
	/* Nothing leaves here that does not hold: the other tree is what
	 * somebody shows. */
	CS_TRY(cs_fork_check(cs_buf_view(&proof), p.v.network_id, &verdict) ==
		       CS_OK
		   ? CS_OK
		   : CS_NOT_FOUND);
	cs_buf_put_bytes(ret, cs_buf_view(&proof));
	e = cs_buf_err(ret);
out:
	cs_buf_fini(&proof);
	cs_buf_fini(&p.path);
	cs_buf_fini(&p.certs_a);
	cs_buf_fini(&p.certs_b);
	return e;
}

/* ------------------------------------------------------------------- check */

static cs_err
check_signed(const struct cs_checkpoint *cp, struct cs_bytes certs,
    const uint8_t *network_id, struct cs_certs_relay *ret)
{
	cs_err e;

	CS_TRY(cs_certs_check(certs, network_id, ret));
	CS_TRY(cs_verify_seen(cp, network_id, ret->sign_key));
out:
	return e;
}

cs_err
cs_fork_check(struct cs_bytes proof,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    struct cs_fork_verdict *ret)
{
	struct cs_certs_relay a, b;
	struct cs_forkproof v;
	cs_err e;

	CS_TRY(cs_forkproof_decode(proof, &v));
	CS_TRY(memcmp(v.network_id, network_id, CS_NETWORK_ID_BYTES) == 0
		   ? CS_OK
		   : CS_WRONG_NETWORK);
	CS_TRY(check_signed(&v.a, v.certs_a, network_id, &a));
	CS_TRY(check_signed(&v.b, v.certs_b, network_id, &b));
	CS_TRY(memcmp(a.id, b.id, CS_ID_BYTES) == 0 ? CS_OK : CS_WRONG_RELAY);
	if (v.a.size < v.b.size &&
	    cs_merkle_check_consistency(v.a.size, v.b.size, v.proof,
		v.other_root, v.b.root) != CS_OK)
		return CS_NOT_FOUND;
	CS_TRY(contradict(&v) ? CS_OK : CS_NOT_FOUND);
	ret->relay_a = a;
	ret->relay = b;
	ret->a = v.a;
	ret->b = v.b;
	ret->same_log =
	    is_root(v.a.root, v.a.size == v.b.size ? v.b.root : v.other_root);
out:
	return e;
}

cs_err
cs_fork_confirm(const struct cs_directory *d, const struct cs_fork_verdict *v)
{
	cs_err e;

	CS_TRY(cs_directory_relay_in_force(d, v->relay_a.entry, v->a.time_s));
	CS_TRY(cs_directory_relay_in_force(d, v->relay.entry, v->b.time_s));
out:
	return e;
}
