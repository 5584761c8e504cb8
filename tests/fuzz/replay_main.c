/*
 * Stands in for libFuzzer where there is none: gives every file named, or in a
 * directory named, to the fuzz target once. A crash is the failure.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static int
replay_file(const char *path, size_t n)
{
	FILE *f = fopen(path, "rb");
	/* Exactly n bytes, so that ASan sees a read past the end. */
	uint8_t *p = malloc(n);
	int ok = f != NULL && p != NULL && fread(p, 1, n, f) == n;

	if (ok) {
		/* After a crash the last line names the input. */
		printf("# %s\n", path);
		fflush(stdout);
		LLVMFuzzerTestOneInput(p, n);
	} else {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	}
	free(p);
	if (f != NULL)
		fclose(f);
	return ok;
}

static int
replay(const char *path, unsigned *count)
{
	struct dirent **names;
	struct stat st;
	char child[4096];
	int i, n, ok = 1;

	if (stat(path, &st) != 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 0;
	}
	if (!S_ISDIR(st.st_mode)) {
		++*count;
		return replay_file(path, (size_t)st.st_size);
	}
	n = scandir(path, &names, NULL, alphasort);
	for (i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			snprintf(child, sizeof(child), "%s/%s", path,
			    names[i]->d_name);
			ok &= replay(child, count);
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return ok && n >= 0;
}

int
main(int argc, char **argv)
{
	unsigned count = 0;
	int i, ok = 1;

	for (i = 1; i < argc; i++)
		ok &= replay(argv[i], &count);
	printf("%s - %u inputs\n", ok ? "ok" : "not ok", count);
	return ok ? 0 : 1;
}
