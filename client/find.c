#include "client/find.h"

#include <stdlib.h>
#include <string.h>

#include "client/inbox.h"
#include "client/outrec.h"
#include "proto/casefile.h"
#include "proto/forward.h"

#define SNIPPET_BYTES 72

/* ------------------------------------------------------------------- words */

/* Letters without diacritics of U+00C0 … U+017F; a dot is no letter, a letter
 * that has no such form stands for itself by its first one. */
static const char base[] =
    "aaaaaaaceeeeiiiidnooooo.ouuuuytsaaaaaaaceeeeiiiidnooooo.ouuuuyty"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
    "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

_Static_assert(sizeof(base) - 1 == 0x180 - 0xc0, "a letter for each");

/* One character folded, and how long it was; 0 for what is in no word. What is
 * not Latin is compared as it is. */
static uint32_t
fold(struct cs_bytes v, size_t at, size_t *ret_n)
{
	uint8_t b = v.p[at];
	uint32_t c;

	*ret_n = b < 0x80 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
	if (at + *ret_n > v.n)
		*ret_n = v.n - at;
	if (b < 0x80) {
		if (b >= 'A' && b <= 'Z')
			return b + 32u;
		return (b >= 'a' && b <= 'z') || (b >= '0' && b <= '9') ? b : 0;
	}
	c = b & (*ret_n == 2 ? 0x1fu : *ret_n == 3 ? 0x0fu : 0x07u);
	for (size_t i = 1; i < *ret_n; i++)
		c = c << 6 | (v.p[at + i] & 0x3fu);
	if (c >= 0xc0 && c < 0x180)
		return (uint8_t)base[c - 0xc0];
	return c >= 0x180 ? c : 0;
}

/* Does the word stand at this place of the text? */
static bool
begins(struct cs_bytes text, size_t at, struct cs_bytes word)
{
	size_t n, m;

	for (size_t i = 0; i < word.n; i += n, at += m) {
		if (at >= text.n || fold(word, i, &n) != fold(text, at, &m))
			return false;
	}
	return true;
}

bool
cs_find_word(struct cs_bytes text, struct cs_bytes word, size_t *ret_at)
{
	bool in_word = false;
	size_t n;

	for (size_t at = 0; at < text.n; at += n) {
		uint32_t c = fold(text, at, &n);

		if (c && !in_word && begins(text, at, word)) {
			if (ret_at)
				*ret_at = at;
			return true;
		}
		in_word = c != 0;
	}
	return false;
}

/* ---------------------------------------------------------------- messages */

#define FIELDS_MOST 512 /* names and imaging text beyond are not looked at */

struct fields {
	struct cs_bytes v[FIELDS_MOST];
	size_t n;
};

static void
add(struct fields *f, struct cs_bytes v)
{
	if (v.n > 0 && f->n < FIELDS_MOST)
		f->v[f->n++] = v;
}

static void
add_case(struct fields *f, const struct cs_casefile *cf)
{
	struct cs_casefile walk = *cf;
	struct cs_casefile_study st;
	struct cs_casefile_series se;

	add(f, cf->subject);
	add(f, cf->question);
	add(f, cf->note);
	add(f, cf->patient.name);
	add(f, cf->patient.id);
	while (cs_casefile_next_study(&walk, &st)) {
		add(f, st.description);
		add(f, st.patient.name);
		add(f, st.patient.id);
		add(f, st.accession);
		while (cs_casefile_next_series(&st, &se))
			add(f, se.description);
	}
}

static void
add_manifest(struct fields *f, const struct cs_manifest *m)
{
	struct cs_manifest_addressee to;
	struct cs_manifest_object o;
	size_t pos = 0;

	while (cs_manifest_next_addressee(m, &pos, &to))
		add(f, to.address);
	pos = 0;
	while (cs_manifest_next_object(m, &pos, &o))
		add(f, o.name);
}

static bool
has_all(const struct fields *f, const struct cs_bytes *words, size_t n)
{
	for (size_t w = 0; w < n; w++) {
		size_t i = 0;

		while (i < f->n && !cs_find_word(f->v[i], words[w], NULL))
			i++;
		if (i == f->n)
			return false;
	}
	return true;
}

/* A line of the text around the first word, whole characters. */
static struct cs_bytes
snippet(const struct fields *f, struct cs_bytes word)
{
	struct cs_bytes v = { 0 };
	size_t at = 0, from, to;

	for (size_t i = 0; i < f->n; i++) {
		if (!cs_find_word(f->v[i], word, &at))
			continue;
		v = f->v[i];
		break;
	}
	from = at > SNIPPET_BYTES / 3 ? at - SNIPPET_BYTES / 3 : 0;
	to = from + SNIPPET_BYTES < v.n ? from + SNIPPET_BYTES : v.n;
	while (from > 0 && from < v.n && (v.p[from] & 0xc0) == 0x80)
		from--;
	while (to < v.n && (v.p[to] & 0xc0) == 0x80)
		to--;
	for (size_t i = at; i > from; i--)
		if (v.p[i - 1] == '\n') {
			from = i;
			break;
		}
	for (size_t i = at; i < to; i++)
		if (v.p[i] == '\n')
			to = i;
	return (struct cs_bytes){ v.p ? v.p + from : NULL, to - from };
}

/* What is kept of a hit until all are known. */
struct found {
	uint8_t id[CS_ID_BYTES];
	bool is_ours;
	uint64_t at_s;
	struct cs_buf text; /* who, subject and snippet, one behind the other */
	size_t who_n, subject_n, snippet_n;
};

struct finding {
	struct cs_client *c;
	const struct cs_bytes *words;
	size_t n_words;
	struct fields fields;
	struct found *found;
	size_t n, cap;
};

static cs_err
keep(struct finding *x, const uint8_t *id, bool is_ours, uint64_t at_s,
    struct cs_bytes who, struct cs_bytes subject)
{
	struct cs_bytes around = snippet(&x->fields, x->words[0]);
	struct found *f;

	if (x->n == x->cap) {
		x->cap = x->cap ? 2 * x->cap : 64;
		f = realloc(x->found, x->cap * sizeof(*f));
		if (!f)
			return CS_NO_MEMORY;
		x->found = f;
	}
	f = &x->found[x->n++];
	*f = (struct found){ .is_ours = is_ours,
		.at_s = at_s,
		.who_n = who.n,
		.subject_n = subject.n,
		.snippet_n = around.n };
	memcpy(f->id, id, CS_ID_BYTES);
	cs_buf_put_bytes(&f->text, who);
	cs_buf_put_bytes(&f->text, subject);
	cs_buf_put_bytes(&f->text, around);
	return cs_buf_err(&f->text);
}

static cs_err
look_at_theirs(void *ctx, const struct cs_inbox_message *m)
{
	struct finding *x = ctx;

	x->fields.n = 0;
	add(&x->fields, m->from);
	add(&x->fields, m->from_name);
	if (m->has_case)
		add_case(&x->fields, &m->casefile);
	add_manifest(&x->fields, &m->manifest);
	if (m->is_forward && m->authorship == CS_OK) {
		add(&x->fields, m->author_address);
		add(&x->fields, m->author_name);
		add(&x->fields, m->forward.note);
	}
	if (!has_all(&x->fields, x->words, x->n_words))
		return CS_OK;
	return keep(x, m->id, false, m->received_at_s, m->from,
	    m->casefile.subject);
}

static cs_err
look_at_ours(struct finding *x, struct cs_local_txn *txn, const uint8_t *id,
    struct cs_secret **buf)
{
	struct cs_manifest_addressee to = { 0 };
	struct cs_casefile cf = { 0 };
	struct cs_outrec r;
	size_t pos = 0;
	cs_err e;

	CS_TRY(cs_outrec_reget(txn, CS_LOCAL_OUT, id, &r, buf));
	if (r.manifest.relation == CS_RELATION_COPY)
		goto out; /* its original is found */
	x->fields.n = 0;
	if (cs_casefile_decode(cs_forward_content(&r.manifest), &cf) == CS_OK)
		add_case(&x->fields, &cf);
	add_manifest(&x->fields, &r.manifest);
	if (!has_all(&x->fields, x->words, x->n_words))
		goto out;
	(void)cs_manifest_next_addressee(&r.manifest, &pos, &to);
	CS_TRY(keep(x, id, true, r.created_s, to.address, cf.subject));
out:
	return e;
}

static cs_err
look_at_all_ours(struct finding *x)
{
	struct cs_local_ids at = { .table = CS_LOCAL_OUT };
	struct cs_local_txn *txn = NULL;
	struct cs_secret *buf = NULL;
	cs_err e;

	CS_TRY(cs_local_begin(cs_client_local(x->c), false, &txn));
	while ((e = cs_local_next_id(txn, &at)) == CS_OK)
		CS_TRY(look_at_ours(x, txn, at.id, &buf));
	CS_TRY(e == CS_NOT_FOUND ? CS_OK : e);
out:
	cs_local_end(&txn);
	cs_secret_free(buf);
	return e;
}

static int
newest_first(const void *pa, const void *pb)
{
	const struct found *a = pa, *b = pb;

	if (a->at_s != b->at_s)
		return a->at_s < b->at_s ? 1 : -1;
	return memcmp(a->id, b->id, CS_ID_BYTES);
}

static cs_err
tell(const struct found *f, cs_find_each *each, void *ctx)
{
	const uint8_t *p = f->text.p;
	struct cs_find_hit hit = { .is_ours = f->is_ours,
		.at_s = f->at_s,
		.who = { p, f->who_n },
		.subject = { p + f->who_n, f->subject_n },
		.snippet = { p + f->who_n + f->subject_n, f->snippet_n } };

	memcpy(hit.id, f->id, CS_ID_BYTES);
	return each(ctx, &hit);
}

cs_err
cs_find_run(struct cs_client *c, const struct cs_bytes *words, size_t n,
    cs_find_each *each, void *ctx)
{
	struct finding *x = calloc(1, sizeof(*x));
	cs_err e = CS_NO_MEMORY;

	if (!x)
		return e;
	x->c = c;
	x->words = words;
	x->n_words = n;
	CS_TRY(cs_inbox_walk(c, look_at_theirs, x));
	CS_TRY(look_at_all_ours(x));
	if (x->n > 0)
		qsort(x->found, x->n, sizeof(*x->found), newest_first);
	for (size_t i = 0; i < x->n; i++)
		CS_TRY(tell(&x->found[i], each, ctx));
out:
	for (size_t i = 0; i < x->n; i++)
		cs_buf_fini(&x->found[i].text); /* wipes */
	free(x->found);
	free(x);
	return e;
}
