#include "client/stored.h"

#include <stdlib.h>
#include <string.h>

cs_err
cs_stored_list(const struct cs_home *h, const struct cs_manifest *m,
    const uint8_t id[static CS_ID_BYTES], cs_stored_path *path,
    struct cs_stored *ret)
{
	const size_t n = m->n_objects;
	size_t pos = 0;

	ret->objects = calloc(n + 1, sizeof(*ret->objects));
	ret->files = calloc(n + 1, sizeof(*ret->files));
	ret->paths = calloc(n + 1, sizeof(*ret->paths));
	if (!ret->objects || !ret->files || !ret->paths)
		return CS_NO_MEMORY;
	for (size_t i = 0; cs_manifest_next_object(m, &pos, &ret->objects[i]);
	     i++) {
		path(h, id, ret->objects[i].object_id, ret->paths[i]);
		memcpy(ret->files[i].object_id, ret->objects[i].object_id,
		    CS_ID_BYTES);
		ret->files[i].path = ret->paths[i];
		ret->files[i].name = ret->objects[i].name;
		ret->files[i].media_type = ret->objects[i].media_type;
		ret->files[i].sha256 = ret->objects[i].sha256;
		ret->files[i].stored = &ret->objects[i];
	}
	return CS_OK;
}

void
cs_stored_fini(struct cs_stored *s)
{
	free(s->objects);
	free(s->files);
	free(s->paths);
	*s = (struct cs_stored){ 0 };
}
