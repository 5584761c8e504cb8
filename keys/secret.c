#include "keys/secret.h"

#include <assert.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Lengths and pointers are no secret: only the bytes are in guarded memory,
 * at its end, so that one byte too many meets the guard page. */
struct cs_secret {
	uint8_t *base;
	size_t cap;
	uint8_t *p;
	size_t n;
};

static atomic_bool not_locked; /* some secret of this process */

/* A standard descriptor that the caller closed would become the next file we
 * open: what is printed would go into a store. Printing to /dev/full fails. */
static cs_err
hold_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/full", O_RDWR) != fd)
			return CS_INTERNAL;
	}
	return CS_OK;
}

/* As much as may be had without asking anybody. */
static void
raise_locked_memory(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_MEMLOCK, &limit); /* see cs_secret_is_locked */
}

cs_err
cs_secret_process_init(void)
{
	const struct rlimit none = { 0, 0 };

	if (hold_standard_descriptors() != CS_OK)
		return CS_INTERNAL;
	if (sodium_init() < 0)
		return CS_INTERNAL;
	if (setrlimit(RLIMIT_CORE, &none) != 0)
		return CS_INTERNAL;
	raise_locked_memory();
	/* Also bars ptrace and /proc/PID/mem to the same user's processes. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return CS_INTERNAL;
	return CS_OK;
}

/* Content is libsodium's filler. */
static cs_err
allocate(size_t n, struct cs_secret **ret)
{
	struct cs_secret *s = malloc(sizeof(*s));

	if (!s)
		return CS_NO_MEMORY;
	*s = (struct cs_secret){ .base = sodium_malloc(n), .cap = n, .n = n };
	s->p = s->base;
	if (!s->p) {
		free(s);
		return CS_NO_MEMORY;
	}
	/* libsodium locks it too but does not tell how that went; locking twice
	 * is locking once */
	if (n > 0 && mlock(s->p, n) != 0)
		atomic_store(&not_locked, true);
	*ret = s;
	return CS_OK;
}

bool
cs_secret_is_locked(uint64_t *ret_limit)
{
	struct rlimit limit = { 0 };

	if (ret_limit && getrlimit(RLIMIT_MEMLOCK, &limit) == 0)
		*ret_limit = limit.rlim_cur;
	return !atomic_load(&not_locked);
}

cs_err
cs_secret_new(size_t n, struct cs_secret **ret)
{
	struct cs_secret *s = NULL;
	cs_err e;

	CS_TRY(allocate(n, &s));
	memset(s->p, 0, n);
	*ret = s;
out:
	return e;
}

cs_err
cs_secret_random(size_t n, struct cs_secret **ret)
{
	struct cs_secret *s = NULL;
	cs_err e;

	CS_TRY(allocate(n, &s));
	randombytes_buf(s->p, n);
	*ret = s;
out:
	return e;
}

cs_err
cs_secret_copy(struct cs_bytes v, struct cs_secret **ret)
{
	struct cs_secret *s = NULL;
	cs_err e;

	CS_TRY(allocate(v.n, &s));
	if (v.n)
		memcpy(s->p, v.p, v.n);
	*ret = s;
out:
	return e;
}

cs_err
cs_secret_refit(size_t n, struct cs_secret **s)
{
	struct cs_secret *old = *s, *grown = NULL;
	cs_err e = CS_OK;

	if (old)
		sodium_memzero(old->p, old->n);
	if (!old || old->cap < n) {
		CS_TRY(allocate(old && n < 2 * old->cap ? 2 * old->cap : n,
		    &grown));
		memset(grown->p, 0, grown->n);
		cs_secret_free(old);
		*s = grown;
	}
	(*s)->p = (*s)->base + (*s)->cap - n;
	(*s)->n = n;
out:
	return e;
}

void
cs_secret_free(struct cs_secret *s)
{
	if (!s)
		return;
	sodium_free(s->base); /* wipes the whole allocation, cut or not */
	free(s);
}

const uint8_t *
cs_secret_bytes(const struct cs_secret *s)
{
	return s->p;
}

uint8_t *
cs_secret_mut(struct cs_secret *s)
{
	return s->p;
}

size_t
cs_secret_len(const struct cs_secret *s)
{
	return s->n;
}

struct cs_bytes
cs_secret_view(const struct cs_secret *s)
{
	return (struct cs_bytes){ s->p, s->n };
}

void
cs_secret_cut(struct cs_secret *s, size_t n)
{
	assert(n <= s->n);
	sodium_memzero(s->p + n, s->n - n);
	s->n = n;
}

bool
cs_secret_eq(const struct cs_secret *a, const struct cs_secret *b)
{
	return a->n == b->n && sodium_memcmp(a->p, b->p, a->n) == 0;
}
