#include "keys/kdf.h"

#include <inttypes.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Less than this is not worth reading /proc for. */
#define SMALL_BYTES (32u << 20)
/* Left to everybody else. */
#define SPARE_BYTES (16u << 20)
#define LINE_BYTES  256

_Static_assert(CS_KDF_SALT_BYTES == crypto_pwhash_SALTBYTES, "salt");

struct cs_kdf cs_kdf_new(enum cs_kdf_class class)
{
	static const struct {
		uint32_t ops, mem_bytes;
	} table[] = {
		[CS_KDF_DAILY] = { 3, 256u << 20 },
		[CS_KDF_KEPT] = { 4, 1024u << 20 },
	};
	struct cs_kdf k = { .ops = table[class].ops,
		.mem_bytes = table[class].mem_bytes };

	randombytes_buf(k.salt, sizeof(k.salt));
	return k;
}

bool
cs_kdf_is_allowed(const struct cs_kdf *k)
{
	return k->ops >= crypto_pwhash_OPSLIMIT_MIN &&
	       k->ops <= CS_KDF_OPS_MAX &&
	       k->mem_bytes >= crypto_pwhash_MEMLIMIT_MIN &&
	       k->mem_bytes <= CS_KDF_MEM_BYTES_MAX;
}

/* ------------------------------------------------------------------ memory */

/* The number behind `name` at the start of a line; UINT64_MAX if there is no
 * such file or line. An empty name: the first word of the file. */
static uint64_t
number_in(const char *path, const char *name)
{
	FILE *f = fopen(path, "re");
	char line[LINE_BYTES];
	uint64_t n = UINT64_MAX;

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, name, strlen(name)) != 0)
			continue;
		if (sscanf(line + strlen(name), "%" SCNu64, &n) != 1)
			n = UINT64_MAX;
		break;
	}
	if (f)
		fclose(f);
	return n;
}

static uint64_t
number_of_group(const char *root, const char *group, const char *file,
    const char *name)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/sys/fs/cgroup%s/%s", root,
	    group, file);

	return n < 0 || (size_t)n >= sizeof(path) ? UINT64_MAX
						  : number_in(path, name);
}

/* What a control group may still take; its page cache can be given back. */
static uint64_t
available_in_group(const char *root, const char *group)
{
	uint64_t max = number_of_group(root, group, "memory.max", "");
	uint64_t used = number_of_group(root, group, "memory.current", "");
	uint64_t cache =
	    number_of_group(root, group, "memory.stat", "inactive_file ");

	if (max == UINT64_MAX || used == UINT64_MAX)
		return UINT64_MAX; /* "max", or not this kind of group */
	if (cache != UINT64_MAX)
		used -= cache < used ? cache : used;
	return used < max ? max - used : 0;
}

/* The least of this process's group and those around it. */
static uint64_t
available_in_groups(const char *root)
{
	char path[PATH_MAX], line[PATH_MAX] = "";
	uint64_t least = UINT64_MAX, n;
	char *group = line, *slash;
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "0::/", 4) == 0)
			break;
		line[0] = '\0';
	}
	if (f)
		fclose(f);
	if (line[0] == '\0')
		return UINT64_MAX;
	group = line + 3;
	group[strcspn(group, "\n")] = '\0';
	do {
		n = available_in_group(root, group);
		least = n < least ? n : least;
		slash = strrchr(group, '/');
		if (slash)
			*slash = '\0';
	} while (slash);
	return least;
}

/* What RLIMIT_AS leaves of address space. */
static uint64_t
available_to_process(const char *root)
{
	struct rlimit limit;
	char path[PATH_MAX];
	uint64_t pages, used;

	if (getrlimit(RLIMIT_AS, &limit) != 0 ||
	    limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	snprintf(path, sizeof(path), "%s/proc/self/statm", root);
	pages = number_in(path, "");
	if (pages == UINT64_MAX)
		return limit.rlim_cur;
	used = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return used < limit.rlim_cur ? limit.rlim_cur - used : 0;
}

uint64_t
cs_kdf_available(const char *root)
{
	uint64_t least, n;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/proc/meminfo", root);
	least = number_in(path, "MemAvailable:");
	if (least != UINT64_MAX)
		least *= 1024;
	n = available_in_groups(root);
	least = n < least ? n : least;
	n = available_to_process(root);
	return n < least ? n : least;
}

/* --------------------------------------------------------------------- run */

cs_err
cs_kdf_run(const struct cs_kdf *k, const struct cs_secret *passphrase,
    struct cs_secret **ret_key)
{
	const struct cs_bytes pass = cs_secret_view(passphrase);
	struct cs_secret *key = NULL;
	cs_err e;

	if (!cs_kdf_is_allowed(k))
		return CS_UNSUPPORTED;
	/* The kernel gives out more than it has, and then kills somebody. */
	if (k->mem_bytes > SMALL_BYTES &&
	    cs_kdf_available("") < (uint64_t)k->mem_bytes + SPARE_BYTES)
		return CS_NO_MEMORY;
	CS_TRY(cs_secret_new(CS_KDF_KEY_BYTES, &key));
	/* fails only for want of memory: the numbers were checked */
	CS_TRY(crypto_pwhash(cs_secret_mut(key), CS_KDF_KEY_BYTES,
		   (const char *)pass.p, pass.n, k->salt, k->ops, k->mem_bytes,
		   crypto_pwhash_ALG_ARGON2ID13) == 0
		   ? CS_OK
		   : CS_NO_MEMORY);
	*ret_key = key;
	key = NULL;
out:
	cs_secret_free(key);
	return e;
}

cs_err
cs_kdf_expand(struct cs_bytes label, const struct cs_secret *key,
    uint8_t ret_commitment[static CS_KDF_COMMITMENT_BYTES],
    struct cs_secret **ret_seal_key)
{
	struct cs_secret *prk = NULL, *seal = NULL;
	cs_err e;

	CS_TRY(cs_secret_new(crypto_kdf_hkdf_sha256_KEYBYTES, &prk));
	CS_TRY(cs_secret_new(crypto_aead_aegis256_KEYBYTES, &seal));
	crypto_kdf_hkdf_sha256_extract(cs_secret_mut(prk), label.p, label.n,
	    cs_secret_bytes(key), cs_secret_len(key));
	crypto_kdf_hkdf_sha256_expand(ret_commitment, CS_KDF_COMMITMENT_BYTES,
	    "commitment", strlen("commitment"), cs_secret_bytes(prk));
	crypto_kdf_hkdf_sha256_expand(cs_secret_mut(seal), cs_secret_len(seal),
	    "seal", strlen("seal"), cs_secret_bytes(prk));
	*ret_seal_key = seal;
	seal = NULL;
out:
	cs_secret_free(prk);
	cs_secret_free(seal);
	return e;
}
