#include "keys/auditcheck.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "keys/verify.h"
#include "proto/merkle.h"

/* Numbers from the first one on that a record of a file can have. */
#define MAX_NUMBERS (UINT64_C(1) << 26)

/* A file being judged. */
struct judge {
	struct cs_auditcheck *check;
	cs_auditcheck_found *found;
	void *ctx;
	struct cs_audit_record *r; /* n, as they stand */
	bool *ok;                  /* n: it is a record */
	bool *present;             /* by number, from the first one claimed */
	uint64_t n_present;        /* numbers that present has */
};

static void
report(struct judge *j, enum cs_auditcheck_kind kind, uint64_t first,
    uint64_t last)
{
	const struct cs_auditcheck_finding f = { kind, first, last };

	j->check->n_findings++;
	if (j->found)
		j->found(j->ctx, &f);
}

/* ----------------------------------------------------- by whom it is signed */

/* False: there is nothing to hold the records against. */
static bool
judge_signatures(struct judge *j)
{
	struct cs_auditcheck *c = j->check;

	if (cs_certs_check(c->file.certs, c->file.network_id, &c->relay) !=
		CS_OK ||
	    memcmp(c->relay.id, c->file.relay_id, CS_ID_BYTES) != 0) {
		report(j, CS_AUDITCHECK_CERTIFICATE, 0, 0);
		return false;
	}
	if (cs_verify_checkpoint(c->file.note, CS_LOG_AUDIT, c->file.network_id,
		c->relay.id, c->relay.sign_key, &c->cp) != CS_OK) {
		report(j, CS_AUDITCHECK_CHECKPOINT, 0, 0);
		return false;
	}
	return true;
}

static void
judge_previous(struct judge *j)
{
	const struct cs_auditfile *f = &j->check->file;
	const struct cs_checkpoint *cp = &j->check->cp;

	if (f->previous.size == 0)
		return;
	if (f->previous.size > cp->size)
		report(j, CS_AUDITCHECK_SHORTENED, cp->size, f->previous.size);
	else if (cs_merkle_check_consistency(f->previous.size, cp->size,
		     f->consistency, f->previous.root, cp->root) != CS_OK)
		report(j, CS_AUDITCHECK_FORKED, 0, f->previous.size);
}

/* ----------------------------------------------------------------- numbers */

/* Whether a record of this number stands anywhere in the file. */
static bool *
place_of(struct judge *j, uint64_t seq)
{
	const uint64_t first = j->check->file.first;

	if (seq < first || seq - first >= j->n_present)
		return NULL;
	return &j->present[seq - first];
}

/* Room for the numbers there can be: one beyond the log, or far away, is none
 * that was ever given. */
static cs_err
note_numbers(struct judge *j)
{
	const struct cs_auditcheck *c = j->check;
	uint64_t most = 0;

	for (uint32_t i = 0; i < c->file.n; i++)
		if (j->r[i].seq < c->cp.size && j->r[i].seq >= c->file.first &&
		    j->r[i].seq - c->file.first < MAX_NUMBERS &&
		    j->r[i].seq - c->file.first > most)
			most = j->r[i].seq - c->file.first;
	j->n_present = most + 1;
	j->present = calloc(j->n_present, sizeof(*j->present));
	if (!j->present)
		return CS_NO_MEMORY;
	for (uint32_t i = 0; i < c->file.n; i++)
		if (place_of(j, j->r[i].seq))
			*place_of(j, j->r[i].seq) = true;
	return CS_OK;
}

/* Takes the records apart and notes which numbers there are. */
static cs_err
read_records(struct judge *j)
{
	const struct cs_auditfile *f = &j->check->file;

	j->r = calloc(f->n, sizeof(*j->r));
	j->ok = calloc(f->n, sizeof(*j->ok));
	if (!j->r || !j->ok)
		return CS_NO_MEMORY;
	for (uint32_t i = 0; i < f->n; i++) {
		j->ok[i] = cs_audit_decode(cs_auditfile_record(f, i),
			       &j->r[i]) == CS_OK;
		if (j->ok[i])
			continue;
		report(j, CS_AUDITCHECK_DAMAGED, f->first + i, f->first + i);
		j->r[i].seq = f->first + i;
	}
	return note_numbers(j);
}

/* Numbers first..last of which none stands later on are missing. */
static void
judge_jump(struct judge *j, uint64_t first, uint64_t last)
{
	const bool *place;
	uint64_t run = 0;

	for (uint64_t s = first; s <= last; s++) {
		place = place_of(j, s);
		if (!place) { /* all beyond are missing */
			report(j, CS_AUDITCHECK_DELETED, s - run, last);
			return;
		}
		if (!*place) {
			run++;
		} else if (run > 0) {
			report(j, CS_AUDITCHECK_DELETED, s - run, s - 1);
			run = 0;
		}
	}
	if (run > 0)
		report(j, CS_AUDITCHECK_DELETED, last - run + 1, last);
}

/* Each number once, none left out, in order. */
static void
judge_numbers(struct judge *j)
{
	const struct cs_auditfile *f = &j->check->file;
	uint64_t next = f->first, seq;
	bool *place;

	for (uint32_t i = 0; i < f->n; i++) {
		seq = j->r[i].seq;
		place = place_of(j, seq);
		if (seq >= j->check->cp.size || !place) {
			report(j, CS_AUDITCHECK_EDITED, f->first + i,
			    f->first + i);
		} else if (seq >= next) {
			if (seq > next)
				judge_jump(j, next, seq - 1);
			next = seq + 1;
			*place = false; /* it stood where it may */
		} else if (*place) {
			report(j, CS_AUDITCHECK_REORDERED, seq, seq);
			*place = false;
		} else {
			report(j, CS_AUDITCHECK_INSERTED, seq, seq);
		}
	}
}

/* ------------------------------------------------------------------- chain */

/* Does record i hold the hash of record i - 1? Only where they follow. */
static bool
is_broken(const struct judge *j, uint32_t i)
{
	const struct cs_auditfile *f = &j->check->file;
	uint8_t hash[CS_HASH_BYTES];

	if (i == 0) {
		if (!j->ok[0] || j->r[0].seq != 0)
			return false;
		cs_audit_first(f->network_id, f->relay_id, hash);
	} else {
		if (!j->ok[i] || !j->ok[i - 1] ||
		    j->r[i].seq != j->r[i - 1].seq + 1)
			return false;
		cs_audit_hash(cs_auditfile_record(f, i - 1), hash);
	}
	return memcmp(hash, j->r[i].prev, sizeof(hash)) != 0; /* public */
}

static bool
is_proved(const struct judge *j, uint32_t i, struct cs_bytes proof)
{
	const struct cs_checkpoint *cp = &j->check->cp;
	uint8_t leaf[CS_HASH_BYTES];

	cs_audit_hash(cs_auditfile_record(&j->check->file, i), leaf);
	return j->ok[i] && cs_merkle_check_inclusion(leaf, j->r[i].seq,
			       cp->size, proof, cp->root) == CS_OK;
}

/*
 * A record that was changed is not the one that the next one holds the hash
 * of. Where several links in a row are broken it can be any of them, but for
 * an end that is proved.
 */
static void
report_links(struct judge *j, uint32_t first_link, uint32_t last_link)
{
	const struct cs_auditfile *f = &j->check->file;
	uint32_t from = first_link - 1, to = last_link - 1;

	if (from == 0 && last_link > first_link &&
	    is_proved(j, 0, f->proof_first))
		from = 1;
	if (last_link == f->n - 1 && !is_proved(j, last_link, f->proof_last)) {
		to = last_link;
		if (first_link == last_link)
			from = to;
	}
	report(j, CS_AUDITCHECK_EDITED, j->r[from].seq, j->r[to].seq);
}

static void
judge_chain(struct judge *j)
{
	const uint32_t n = j->check->file.n;
	uint32_t last;

	if (is_broken(j, 0))
		report(j, CS_AUDITCHECK_EDITED, 0, 0);
	for (uint32_t i = 1; i < n; i = last + 1) {
		last = i;
		if (!is_broken(j, i))
			continue;
		while (last + 1 < n && is_broken(j, last + 1))
			last++;
		report_links(j, i, last);
	}
}

static void
judge_times(struct judge *j)
{
	for (uint32_t i = 1; i < j->check->file.n; i++)
		if (j->ok[i] && j->ok[i - 1] &&
		    j->r[i].seq == j->r[i - 1].seq + 1 &&
		    j->r[i].time_s < j->r[i - 1].time_s)
			report(j, CS_AUDITCHECK_TIME, j->r[i].seq, j->r[i].seq);
}

/* The ends are in the tree that was signed; the chain holds what is between.
 * Which record it is where the chain was made anew, nobody can tell. */
static void
judge_proofs(struct judge *j)
{
	const struct cs_auditfile *f = &j->check->file;
	const uint32_t last = f->n - 1;
	bool head = is_proved(j, 0, f->proof_first);
	bool tail = is_proved(j, last, f->proof_last);

	if (j->check->n_findings > 0 || (head && tail))
		return;
	if (tail)
		report(j, CS_AUDITCHECK_PROOF, j->r[0].seq, j->r[0].seq);
	else
		report(j, CS_AUDITCHECK_REWRITTEN, j->r[0].seq + head,
		    j->r[last].seq);
}

/* ------------------------------------------------------------------- range */

/* It begins before the time asked for and ends after it, or with the log. */
static void
judge_range(struct judge *j)
{
	const struct cs_auditfile *f = &j->check->file;
	const struct cs_audit_record *first = &j->r[0], *last = &j->r[f->n - 1];

	if (j->ok[0] && first->seq > 0 && first->seq == f->first &&
	    first->time_s >= f->from_s)
		report(j, CS_AUDITCHECK_CUT_START, 0, first->seq);
	if (j->ok[f->n - 1] && last->time_s < f->until_s &&
	    last->seq + 1 < j->check->cp.size)
		report(j, CS_AUDITCHECK_CUT_END, last->seq + 1,
		    j->check->cp.size - 1);
}

/* --------------------------------------------------------------- interface */

cs_err
cs_auditcheck_file(struct cs_bytes bytes,
    const uint8_t network_id[static CS_NETWORK_ID_BYTES],
    cs_auditcheck_found *found, void *ctx, struct cs_auditcheck *ret)
{
	struct cs_auditcheck c = { 0 };
	struct judge j = { .check = &c, .found = found, .ctx = ctx };
	cs_err e;

	CS_TRY(cs_auditfile_decode(bytes, &c.file));
	CS_TRY(memcmp(c.file.network_id, network_id, CS_NETWORK_ID_BYTES) == 0
		   ? CS_OK
		   : CS_WRONG_NETWORK);
	if (judge_signatures(&j)) {
		judge_previous(&j);
		CS_TRY(read_records(&j));
		judge_numbers(&j);
		judge_chain(&j);
		judge_times(&j);
		judge_range(&j);
		judge_proofs(&j);
	}
	*ret = c;
out:
	free(j.r);
	free(j.ok);
	free(j.present);
	return e;
}

static uint64_t
last_number(const struct cs_auditcheck *c)
{
	return c->file.first + c->file.n - 1;
}

/* Where both have a record it is the same one. */
static void
judge_overlap(struct judge *j, const struct cs_auditfile *a)
{
	const struct cs_auditfile *b = &j->check->file;
	uint64_t end = a->first + a->n;

	for (uint64_t s = b->first; s < end && s - b->first < b->n; s++) {
		/* public records */
		if (cs_bytes_eq(cs_auditfile_record(a,
				    (uint32_t)(s - a->first)),
			cs_auditfile_record(b, (uint32_t)(s - b->first))))
			continue;
		report(j, CS_AUDITCHECK_DIFFERS, s, s);
		return;
	}
}

/* The log only grows: whoever signed later signed no less. */
static void
judge_growth(struct judge *j, const struct cs_auditcheck *a)
{
	const struct cs_auditcheck *b = j->check;
	const struct cs_auditcheck *older = a, *newer = b;

	if (b->cp.time_s < a->cp.time_s ||
	    (b->cp.time_s == a->cp.time_s && b->cp.size < a->cp.size)) {
		older = b;
		newer = a;
	}
	if (newer->cp.size < older->cp.size)
		report(j, CS_AUDITCHECK_SHORTENED, newer->cp.size,
		    older->cp.size);
	else if ((newer->cp.size == older->cp.size &&
		     memcmp(newer->cp.root, older->cp.root, /* public */
			 CS_HASH_BYTES) != 0) ||
		 (newer->file.previous.size == older->cp.size &&
		     memcmp(newer->file.previous.root, older->cp.root,
			 CS_HASH_BYTES) != 0))
		report(j, CS_AUDITCHECK_FORKED, 0, older->cp.size);
}

void
cs_auditcheck_follows(const struct cs_auditcheck *a, struct cs_auditcheck *b,
    cs_auditcheck_found *found, void *ctx)
{
	struct judge j = { .check = b, .found = found, .ctx = ctx };
	uint8_t hash[CS_HASH_BYTES];
	struct cs_audit_record first;

	if (memcmp(a->file.relay_id, b->file.relay_id, CS_ID_BYTES) != 0) {
		report(&j, CS_AUDITCHECK_RELAY, 0, 0);
		return;
	}
	judge_growth(&j, a);
	if (b->file.first > last_number(a) + 1) {
		report(&j, CS_AUDITCHECK_GAP, last_number(a) + 1,
		    b->file.first - 1);
		return;
	}
	if (b->file.first <= last_number(a)) {
		judge_overlap(&j, &a->file);
		return;
	}
	cs_audit_hash(cs_auditfile_record(&a->file, a->file.n - 1), hash);
	if (cs_audit_decode(cs_auditfile_record(&b->file, 0), &first) ==
		CS_OK &&
	    memcmp(first.prev, hash, sizeof(hash)) != 0) /* public */
		report(&j, CS_AUDITCHECK_DIFFERS, last_number(a),
		    last_number(a));
}

/* ------------------------------------------------------------------- words */

static const struct {
	const char *name, *text;
} kinds[] = {
#define CS_AUDITCHECK(NAME, name, text) [CS_AUDITCHECK_##NAME] = { name, text },
#include "keys/auditcheck.def"
#undef CS_AUDITCHECK
};

const char *
cs_auditcheck_name(enum cs_auditcheck_kind kind)
{
	return kinds[kind].name;
}

void
cs_auditcheck_text(const struct cs_auditcheck_finding *f, struct cs_buf *out)
{
	static const char first[] = "%first", last[] = "%last";
	const char *at = kinds[f->kind].text;

	while (*at != 0) {
		if (strncmp(at, first, sizeof(first) - 1) == 0) {
			cs_buf_printf(out, "%" PRIu64, f->first);
			at += sizeof(first) - 1;
		} else if (strncmp(at, last, sizeof(last) - 1) == 0) {
			cs_buf_printf(out, "%" PRIu64, f->last);
			at += sizeof(last) - 1;
		} else {
			cs_buf_put_u8(out, (uint8_t)*at++);
		}
	}
}
