#include "relay/admission.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "relay/limits.h"

#define BUCKETS 4096

struct place {
	struct place *next;
	struct cs_admission_address from;
	unsigned taken;
};

struct cs_admission {
	unsigned max_total, max_per_address, max_turned_away;
	unsigned taken;
	/* Keyed, so that nobody can choose addresses that share a bucket. */
	uint8_t key[crypto_shorthash_KEYBYTES];
	struct place *bucket[BUCKETS];
};

cs_err
cs_admission_new(unsigned max_total, unsigned max_per_address,
    struct cs_admission **ret)
{
	struct cs_admission *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return CS_NO_MEMORY;
	a->max_total = max_total;
	a->max_per_address = max_per_address;
	a->max_turned_away = max_total / 16 < CS_LIMIT_TURNED_AWAY
				 ? max_total / 16
				 : CS_LIMIT_TURNED_AWAY;
	randombytes_buf(a->key, sizeof(a->key));
	*ret = a;
	return CS_OK;
}

void
cs_admission_free(struct cs_admission *a)
{
	struct place *p;
	unsigned i;

	if (a == NULL)
		return;
	for (i = 0; i < BUCKETS; i++) {
		while ((p = a->bucket[i]) != NULL) {
			a->bucket[i] = p->next;
			free(p);
		}
	}
	free(a);
}

struct cs_admission_address
cs_admission_address(const void *p, size_t n)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct cs_admission_address from = { 0 };

	if (n == 4) {
		memcpy(from.b, mapped, sizeof(mapped));
		memcpy(from.b + sizeof(mapped), p, 4);
	} else if (n == 16 && memcmp(p, mapped, sizeof(mapped)) == 0) {
		memcpy(from.b, p, 16);
	} else if (n == 16) {
		memcpy(from.b, p, 8);
	}
	return from;
}

/* Where the place of this address is linked, or would be. */
static struct place **
find(struct cs_admission *a, const struct cs_admission_address *from)
{
	uint8_t hash[crypto_shorthash_BYTES];
	struct place **at;

	crypto_shorthash(hash, from->b, sizeof(from->b), a->key);
	at = &a->bucket[(hash[0] | hash[1] << 8) % BUCKETS];
	while (*at != NULL && memcmp((*at)->from.b, from->b, 16) != 0)
		at = &(*at)->next;
	return at;
}

static cs_err
enter(struct cs_admission *a, struct cs_admission_address from, unsigned max)
{
	struct place **at = find(a, &from);

	if (cs_admission_is_full(a))
		return CS_FULL;
	if ((*at != NULL ? (*at)->taken : 0) >= max)
		return CS_BUSY;
	if (*at == NULL) {
		*at = calloc(1, sizeof(**at));
		if (*at == NULL)
			return CS_NO_MEMORY;
		(*at)->from = from;
	}
	(*at)->taken++;
	a->taken++;
	return CS_OK;
}

cs_err
cs_admission_enter(struct cs_admission *a, struct cs_admission_address from)
{
	return enter(a, from, a->max_per_address);
}

cs_err
cs_admission_turn_away(struct cs_admission *a,
    struct cs_admission_address *ret_from)
{
	struct cs_admission_address nobody;
	cs_err e;

	/* Of no host: those of IPv6 end in zeros here. */
	memset(nobody.b, 0xff, sizeof(nobody.b));
	CS_TRY(enter(a, nobody, a->max_turned_away));
	*ret_from = nobody;
out:
	return e;
}

void
cs_admission_leave(struct cs_admission *a, struct cs_admission_address from)
{
	struct place **at = find(a, &from);
	struct place *p = *at;

	assert(p != NULL && p->taken > 0 && a->taken > 0);
	a->taken--;
	if (--p->taken == 0) {
		*at = p->next;
		free(p);
	}
}

bool
cs_admission_is_full(const struct cs_admission *a)
{
	return a->taken >= a->max_total;
}
