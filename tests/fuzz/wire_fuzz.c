#include <msgpack.h>

#include "proto/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define ITEMS 100000

static void
require(bool holds)
{
	if (!holds)
		__builtin_trap();
}

static struct cs_bytes
view(const char *p, uint32_t n)
{
	return (struct cs_bytes){ (const uint8_t *)p, n };
}

static void same(struct cs_wire *w, const msgpack_object *o,
    struct cs_buf *out);

static void
same_array(struct cs_wire *w, const msgpack_object_array *a, struct cs_buf *out)
{
	require(cs_wire_array(w) == a->size);
	cs_wire_put_array(out, a->size);
	for (uint32_t i = 0; i < a->size; i++)
		same(w, &a->ptr[i], out);
}

static void
same_map(struct cs_wire *w, const msgpack_object_map *m, struct cs_buf *out)
{
	require(cs_wire_map(w) == m->size);
	cs_wire_put_map(out, m->size);
	for (uint32_t i = 0; i < m->size; i++) {
		const msgpack_object *key = &m->ptr[i].key;
		struct cs_bytes v = view(key->via.str.ptr, key->via.str.size);

		require(key->type == MSGPACK_OBJECT_STR);
		require(cs_bytes_eq(cs_wire_key(w, SIZE_MAX), v));
		cs_wire_put_str(out, v);
		same(w, &m->ptr[i].val, out);
	}
}

/* What msgpack-c decoded is what our reader reads; written again to out. */
static void
same(struct cs_wire *w, const msgpack_object *o, struct cs_buf *out)
{
	struct cs_bytes v;

	switch (o->type) {
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		require(cs_wire_uint(w) == o->via.u64);
		cs_wire_put_uint(out, o->via.u64);
		break;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		require(cs_wire_int(w) == o->via.i64);
		cs_wire_put_int(out, o->via.i64);
		break;
	case MSGPACK_OBJECT_BOOLEAN:
		require(cs_wire_bool(w) == o->via.boolean);
		cs_wire_put_bool(out, o->via.boolean);
		break;
	case MSGPACK_OBJECT_STR:
		v = view(o->via.str.ptr, o->via.str.size);
		require(cs_bytes_eq(cs_wire_str(w, SIZE_MAX), v));
		cs_wire_put_str(out, v);
		break;
	case MSGPACK_OBJECT_BIN:
		v = view(o->via.bin.ptr, o->via.bin.size);
		require(cs_bytes_eq(cs_wire_bin(w, SIZE_MAX), v));
		cs_wire_put_bin(out, v);
		break;
	case MSGPACK_OBJECT_ARRAY:
		same_array(w, &o->via.array, out);
		break;
	case MSGPACK_OBJECT_MAP:
		same_map(w, &o->via.map, out);
		break;
	default: /* nil, float, ext: our reader must not have taken it */
		require(false);
	}
}

/*
 * Whatever our reader accepts, msgpack-c decodes to the same values, and our
 * writer writes as the same bytes: the form is the only one. msgpack-c is not
 * shown anything else, because it trusts counts.
 */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct cs_wire w = cs_wire_new((struct cs_bytes){ p, n }, ITEMS);
	struct cs_buf out = { 0 };
	msgpack_unpacked value;
	size_t end = 0;

	cs_wire_skip(&w);
	if (cs_wire_end(&w) != CS_OK)
		return 0;
	msgpack_unpacked_init(&value);
	require(msgpack_unpack_next(&value, (const char *)p, n, &end) ==
		MSGPACK_UNPACK_SUCCESS);
	require(end == n);
	w = cs_wire_new((struct cs_bytes){ p, n }, ITEMS);
	same(&w, &value.data, &out);
	require(cs_wire_end(&w) == CS_OK);
	require(cs_bytes_eq(cs_buf_view(&out), (struct cs_bytes){ p, n }));
	cs_buf_fini(&out);
	msgpack_unpacked_destroy(&value);
	return 0;
}
