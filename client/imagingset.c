#include "client/imagingset.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/dicomweb.h"

cs_err
cs_imagingset_warn(void *ctx, const char *text)
{
	struct cs_imaging *im = ctx;
	char **grown =
	    realloc(im->warnings, (im->n_warnings + 1) * sizeof(*grown));

	if (!grown)
		return CS_NO_MEMORY;
	im->warnings = grown;
	grown[im->n_warnings] = strdup(text);
	if (!grown[im->n_warnings])
		return CS_NO_MEMORY;
	im->n_warnings++;
	return CS_OK;
}

cs_err
cs_imagingset_warnf(struct cs_imaging *im, const char *fmt, ...)
{
	char text[CS_WHY_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return cs_imagingset_warn(im, text);
}

cs_err
cs_imagingset_add(struct cs_imaging *im, struct cs_imagingrow **ret,
    struct cs_why *why)
{
	struct cs_imagingrow **grown;

	if (im->n == CS_CASEFILE_INSTANCES) {
		cs_why_set(why, "more than %d imaging files in one case",
		    CS_CASEFILE_INSTANCES);
		return CS_TOO_LARGE;
	}
	if (im->n == im->cap) {
		size_t cap = im->cap ? 2 * im->cap : 64;

		grown = realloc(im->rows, cap * sizeof(*grown));
		if (!grown)
			return CS_NO_MEMORY;
		im->rows = grown;
		im->cap = cap;
	}
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return CS_NO_MEMORY;
	im->rows[im->n++] = *ret;
	return CS_OK;
}

cs_err
cs_imagingset_add_key(struct cs_imaging *im, const char *instance,
    const char *title, const char *note, struct cs_why *why)
{
	struct cs_imagingset_key *grown;

	if (im->n_keys == CS_CASEFILE_KEY_IMAGES) {
		cs_why_set(why, "more than %d key images in one case",
		    CS_CASEFILE_KEY_IMAGES);
		return CS_TOO_LARGE;
	}
	grown = realloc(im->keys, (im->n_keys + 1) * sizeof(*grown));
	if (!grown)
		return CS_NO_MEMORY;
	im->keys = grown;
	grown += im->n_keys++;
	*grown = (struct cs_imagingset_key){ strdup(instance), strdup(title),
		strdup(note) };
	return grown->instance && grown->title && grown->note ? CS_OK
							      : CS_NO_MEMORY;
}

const char *
cs_imagingset_address(const struct cs_imaging *im, const char *study)
{
	/* the last word: what the sender typed comes after a manifest's */
	for (size_t i = im->n_addresses; i > 0; i--)
		if (strcmp(im->addresses[i - 1].study, study) == 0)
			return im->addresses[i - 1].url;
	return NULL;
}

cs_err
cs_imagingset_add_address(struct cs_imaging *im, struct cs_bytes base,
    struct cs_bytes study)
{
	struct cs_imagingset_address *grown =
	    realloc(im->addresses, (im->n_addresses + 1) * sizeof(*grown));
	struct cs_buf url = { 0 };
	cs_err e;

	if (!grown)
		return CS_NO_MEMORY;
	im->addresses = grown;
	cs_dicomweb_study_url(base, study, &url);
	CS_TRY(cs_buf_err(&url));
	grown += im->n_addresses;
	grown->study = strndup((const char *)study.p, study.n);
	grown->url = strndup((const char *)url.p, url.n);
	im->n_addresses++;
	if (!grown->study || !grown->url)
		e = CS_NO_MEMORY;
out:
	cs_buf_fini(&url);
	return e;
}
