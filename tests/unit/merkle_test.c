#include "proto/merkle.h"

#include <sodium.h>
#include <string.h>

#include "tests/test.h"

/* Every node of a small tree, as a relay would store them. */
struct nodes {
	uint8_t hash[8][256][CS_HASH_BYTES];
	bool has[8][256];
	unsigned calls;
	unsigned fail_at; /* the read that fails, from 1; 0: none */
};

static void
keep_node(void *ctx, uint8_t level, uint64_t index,
    const uint8_t hash[static CS_HASH_BYTES])
{
	struct nodes *t = ctx;

	CHECK(level < 8 && index < 256 && !t->has[level][index]);
	t->has[level][index] = true;
	memcpy(t->hash[level][index], hash, CS_HASH_BYTES);
}

static cs_err
read_node(void *ctx, uint8_t level, uint64_t index,
    uint8_t ret[static CS_HASH_BYTES])
{
	struct nodes *t = ctx;

	if (++t->calls == t->fail_at)
		return CS_IO;
	CHECK(level < 8 && index < 256 && t->has[level][index]);
	memcpy(ret, t->hash[level][index], CS_HASH_BYTES);
	return CS_OK;
}

/* The tree of n leaves "0", "1", …; roots[i] is its root at size i. */
static struct nodes *
grow(unsigned n, uint8_t roots[][CS_HASH_BYTES])
{
	struct nodes *t = test_alloc(sizeof(*t));
	struct cs_merkle_edge edge = { 0 };
	uint8_t leaf[CS_HASH_BYTES];

	memset(t, 0, sizeof(*t));
	cs_merkle_root(&edge, roots[0]);
	for (unsigned i = 0; i < n; i++) {
		uint8_t data = (uint8_t)i;

		cs_merkle_leaf((struct cs_bytes){ &data, 1 }, leaf);
		cs_merkle_append(&edge, leaf, keep_node, t);
		cs_merkle_root(&edge, roots[i + 1]);
	}
	return t;
}

/*
 * 2^64 - 1 is no integer for jansson: it is read as -1, which is the same
 * once it is unsigned again.
 */
static json_t *
load_vectors(const char *relative)
{
	static const char big[] = "18446744073709551615";
	struct cs_bytes raw = test_read(test_shared(relative));
	char *text = test_alloc(raw.n + 1), *at;
	json_t *json;

	memcpy(text, raw.p, raw.n);
	text[raw.n] = '\0';
	while ((at = strstr(text, big)) != NULL)
		memcpy(at, "                  -1", sizeof(big) - 1);
	json = json_loads(text, 0, NULL);
	CHECK(json_is_array(json));
	return json;
}

static struct cs_bytes
base64(const json_t *v)
{
	const char *text = json_string_value(v);
	size_t room, n;
	uint8_t *p;

	CHECK(text != NULL);
	room = strlen(text) + 1;
	p = test_alloc(room);
	CHECK(sodium_base642bin(p, room, text, strlen(text), NULL, &n, NULL,
		  sodium_base64_VARIANT_ORIGINAL) == 0);
	return (struct cs_bytes){ p, n };
}

/* The proof as we take it: one run of hashes. */
static struct cs_bytes
proof_of(const json_t *row)
{
	const json_t *list = json_object_get(row, "proof");
	struct cs_buf out = { 0 };
	struct cs_bytes v;
	uint8_t *p;

	for (size_t i = 0; i < json_array_size(list); i++)
		cs_buf_put_bytes(&out, base64(json_array_get(list, i)));
	v = cs_buf_view(&out);
	p = test_alloc(v.n + 1);
	if (v.n)
		memcpy(p, v.p, v.n);
	cs_buf_fini(&out);
	return (struct cs_bytes){ p, v.n };
}

static uint64_t
number(const json_t *row, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(row, key));
}

/* A root or leaf. Some rows have a word in place of one: zeros make it long
 * enough for our types, and it stays different from all others. */
static struct cs_bytes
hash_of(const json_t *row, const char *key)
{
	struct cs_bytes v = base64(json_object_get(row, key));
	uint8_t *p = test_alloc(v.n + CS_HASH_BYTES);

	memset(p, 0, v.n + CS_HASH_BYTES);
	if (v.n)
		memcpy(p, v.p, v.n);
	if (v.n > 0 && v.n < CS_HASH_BYTES)
		v.n = CS_HASH_BYTES;
	return (struct cs_bytes){ p, v.n };
}

/* Whether a row can be asked at all: our types leave no room for a root or
 * leaf of none or too many bytes, nor for an empty hash within a proof. */
static bool
is_expressible(const json_t *row, struct cs_bytes a, struct cs_bytes b)
{
	const json_t *list = json_object_get(row, "proof");

	for (size_t i = 0; i < json_array_size(list); i++) {
		if (base64(json_array_get(list, i)).n == 0)
			return false;
	}
	return a.n == CS_HASH_BYTES && b.n == CS_HASH_BYTES;
}

static void
expect(const json_t *row, cs_err got)
{
	bool want_err = json_is_true(json_object_get(row, "wantErr"));

	if (want_err != (got != CS_OK))
		printf("# %s\n", test_json_str(row, "file"));
	CHECK(want_err == (got != CS_OK));
	CHECK(got == CS_OK || got == CS_MALFORMED || got == CS_FORKED);
}

TEST(merkle_inclusion_vectors)
{
	json_t *rows = load_vectors("vectors/rfc6962/inclusion.json");

	CHECK(json_array_size(rows) == 98);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		struct cs_bytes root = hash_of(row, "root");
		struct cs_bytes leaf = hash_of(row, "leafHash");

		if (!is_expressible(row, root, leaf)) {
			expect(row, CS_MALFORMED);
			continue;
		}
		expect(row,
		    cs_merkle_check_inclusion(leaf.p, number(row, "leafIdx"),
			number(row, "treeSize"), proof_of(row), root.p));
	}
	json_decref(rows);
}

TEST(merkle_consistency_vectors)
{
	json_t *rows = load_vectors("vectors/rfc6962/consistency.json");

	CHECK(json_array_size(rows) == 98);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		struct cs_bytes old = hash_of(row, "root1");
		struct cs_bytes new = hash_of(row, "root2");

		if (!is_expressible(row, old, new)) {
			expect(row, CS_MALFORMED);
			continue;
		}
		expect(row,
		    cs_merkle_check_consistency(number(row, "size1"),
			number(row, "size2"), proof_of(row), old.p, new.p));
	}
	json_decref(rows);
}

TEST(merkle_tree_vectors)
{
	json_t *v = test_json(test_shared("vectors/rfc6962/tree.json"));
	json_t *leaves = json_object_get(v, "leaf_inputs_hex");
	json_t *roots = json_object_get(v, "root_by_size_hex");
	struct cs_merkle_edge edge = { 0 };
	uint8_t hash[CS_HASH_BYTES];

	CHECK(json_array_size(leaves) == 8 && json_array_size(roots) == 9);
	for (size_t i = 0; i <= 8; i++) {
		struct cs_bytes root =
		    HEX(json_string_value(json_array_get(roots, i)));

		cs_merkle_root(&edge, hash);
		CHECK_BYTES(root.p, root.n, hash, sizeof(hash));
		if (i == 8)
			break;
		cs_merkle_leaf(HEX(json_string_value(json_array_get(leaves,
				   i))),
		    hash);
		cs_merkle_append(&edge, hash, NULL, NULL);
	}
}

TEST(merkle_edge_and_root_are_read_back)
{
	uint8_t roots[101][CS_HASH_BYTES], hash[CS_HASH_BYTES];
	struct nodes *t = grow(100, roots);

	for (uint64_t size = 0; size <= 100; size++) {
		struct cs_merkle_edge edge;

		CHECK_OK(cs_merkle_read_root(read_node, t, size, hash));
		CHECK_BYTES(roots[size], 32, hash, 32);
		CHECK_OK(cs_merkle_read_edge(read_node, t, size, &edge));
		CHECK_NUM(size, edge.size);
		if (size == 100)
			break;
		/* A tree that was read back grows like the one that was not. */
		cs_merkle_append(&edge, t->hash[0][size], NULL, NULL);
		cs_merkle_root(&edge, hash);
		CHECK_BYTES(roots[size + 1], 32, hash, 32);
	}
}

TEST(merkle_inclusion_proofs_verify)
{
	uint8_t roots[71][CS_HASH_BYTES];
	struct nodes *t = grow(70, roots);
	struct cs_buf proof = { 0 };

	for (uint64_t size = 1; size <= 70; size++) {
		for (uint64_t i = 0; i < size; i++) {
			cs_buf_reset(&proof);
			CHECK_OK(cs_merkle_prove_inclusion(read_node, t, i,
			    size, &proof));
			CHECK_OK(cs_merkle_check_inclusion(t->hash[0][i], i,
			    size, cs_buf_view(&proof), roots[size]));
			CHECK_ERR(CS_FORKED,
			    cs_merkle_check_inclusion(t->hash[0][i], i, size,
				cs_buf_view(&proof), roots[size - 1]));
		}
	}
	cs_buf_fini(&proof);
}

TEST(merkle_consistency_proofs_verify)
{
	uint8_t roots[71][CS_HASH_BYTES];
	struct nodes *t = grow(70, roots);
	struct cs_buf proof = { 0 };

	for (uint64_t size = 1; size <= 70; size++) {
		for (uint64_t old = 1; old <= size; old++) {
			cs_buf_reset(&proof);
			CHECK_OK(cs_merkle_prove_consistency(read_node, t, old,
			    size, &proof));
			CHECK_OK(cs_merkle_check_consistency(old, size,
			    cs_buf_view(&proof), roots[old], roots[size]));
			CHECK_ERR(CS_FORKED, cs_merkle_check_consistency(old,
						 size, cs_buf_view(&proof),
						 roots[old - 1], roots[size]));
			CHECK_ERR(CS_FORKED, cs_merkle_check_consistency(old,
						 size, cs_buf_view(&proof),
						 roots[old], roots[size - 1]));
		}
	}
	cs_buf_fini(&proof);
}

TEST(merkle_refuses_numbers_out_of_range)
{
	uint8_t roots[6][CS_HASH_BYTES];
	struct nodes *t = grow(5, roots);
	struct cs_buf proof = { 0 };
	struct cs_bytes none = { 0 };

	CHECK_ERR(CS_NOT_FOUND,
	    cs_merkle_prove_inclusion(read_node, t, 5, 5, &proof));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_merkle_prove_inclusion(read_node, t, 0, 0, &proof));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_merkle_prove_consistency(read_node, t, 0, 5, &proof));
	CHECK_ERR(CS_NOT_FOUND,
	    cs_merkle_prove_consistency(read_node, t, 6, 5, &proof));
	CHECK_ERR(CS_MALFORMED,
	    cs_merkle_check_inclusion(roots[0], 0, 0, none, roots[0]));
	CHECK_ERR(CS_MALFORMED,
	    cs_merkle_check_inclusion(roots[0], 1, 1, none, roots[0]));
	CHECK_ERR(CS_MALFORMED,
	    cs_merkle_check_consistency(0, 5, none, roots[0], roots[5]));
	CHECK_ERR(CS_MALFORMED,
	    cs_merkle_check_consistency(6, 5, none, roots[0], roots[5]));
	CHECK(proof.n == 0);
	cs_buf_fini(&proof);
}

TEST(merkle_refuses_proofs_of_another_length)
{
	uint8_t roots[6][CS_HASH_BYTES];
	struct nodes *t = grow(5, roots);
	struct cs_buf proof = { 0 };
	struct cs_bytes v;

	CHECK_OK(cs_merkle_prove_inclusion(read_node, t, 2, 5, &proof));
	cs_buf_put_zero(&proof, CS_HASH_BYTES);
	v = cs_buf_view(&proof);
	for (size_t n = 0; n <= v.n; n++) {
		cs_err e = cs_merkle_check_inclusion(t->hash[0][2], 2, 5,
		    (struct cs_bytes){ v.p, n }, roots[5]);

		CHECK_ERR(n == v.n - CS_HASH_BYTES ? CS_OK : CS_MALFORMED, e);
	}
	cs_buf_reset(&proof);
	CHECK_OK(cs_merkle_prove_consistency(read_node, t, 3, 5, &proof));
	cs_buf_put_zero(&proof, CS_HASH_BYTES);
	v = cs_buf_view(&proof);
	for (size_t n = 0; n <= v.n; n++) {
		cs_err e = cs_merkle_check_consistency(3, 5,
		    (struct cs_bytes){ v.p, n }, roots[3], roots[5]);

		CHECK_ERR(n == v.n - CS_HASH_BYTES ? CS_OK : CS_MALFORMED, e);
	}
	/* Equal sizes: only the empty proof. */
	CHECK_ERR(CS_MALFORMED,
	    cs_merkle_check_consistency(5, 5, v, roots[5], roots[5]));
	cs_buf_fini(&proof);
}

TEST(merkle_failed_reads_leave_nothing)
{
	uint8_t roots[8][CS_HASH_BYTES], hash[CS_HASH_BYTES] = { 7 };
	struct nodes *t = grow(7, roots);
	struct cs_merkle_edge edge = { .size = 99 };
	struct cs_buf out = { 0 };

	cs_buf_put_u8(&out, 1);
	t->fail_at = 3;
	CHECK_ERR(CS_IO, cs_merkle_read_root(read_node, t, 7, hash));
	CHECK_NUM(7, hash[0]);
	t->calls = 0;
	CHECK_ERR(CS_IO, cs_merkle_read_edge(read_node, t, 7, &edge));
	CHECK_NUM(99, edge.size);
	t->calls = 0;
	CHECK_ERR(CS_IO, cs_merkle_prove_inclusion(read_node, t, 0, 7, &out));
	CHECK_NUM(1, out.n);
	t->calls = 0;
	CHECK_ERR(CS_IO, cs_merkle_prove_consistency(read_node, t, 3, 7, &out));
	CHECK_NUM(1, out.n);
	cs_buf_fini(&out);
}
