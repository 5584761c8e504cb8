#include "tests/support/hostile.h"

#include <stdio.h>
#include <string.h>

#include "client/outbox.h"
#include "client/sync.h"
#include "keys/enrol.h"
#include "proto/casefile.h"
#include "tests/test.h"

const uint8_t *
hostile_id(const struct cs_client *c)
{
	return cs_client_self(c)->id;
}

static void
end_device(struct hostile *h, const uint8_t *subject)
{
	const struct cs_entry_revoke v = { .reason = CS_REVOKE_LOST };
	struct cs_buf entry = { 0 };

	CHECK_OK(cs_enrol_revoke(h->l.r.net.registrar, subject, &v,
	    CS_ENTRY_NO_PREV, liar_time_s, &entry));
	liar_append(&h->l, &entry);
	cs_buf_fini(&entry);
}

void
hostile_begin(struct hostile *h)
{
	memset(h, 0, sizeof(*h));
	liar_start(&h->l);
	h->ann = liar_join(&h->l, "ann", "ann@clinic");
	h->bob = liar_join(&h->l, "bob", "bob@clinic");
	CHECK_OK(cs_client_connect(h->ann, 0));
	cs_client_disconnect(h->ann);
	h->had = cs_directory_view(cs_client_directory(h->ann)).size;
}

void
hostile_news(struct hostile *h)
{
	struct cs_directory_device device;

	liar_time_s += 60;
	h->l.r.now_ms = liar_time_s * 1000;
	cs_service_tick(h->l.r.s, test_relay_now(&h->l.r));
	h->carol = liar_join(&h->l, "carol", "carol@clinic");
	CHECK_OK(cs_directory_device(h->l.r.net.dir, hostile_id(h->carol),
	    &device));
	h->carols_device = device.entry;
	end_device(h, hostile_id(h->bob));
}

void
hostile_end(struct hostile *h)
{
	cs_client_close(h->ann);
	cs_client_close(h->bob);
	cs_client_close(h->carol);
	liar_stop(&h->l);
}

void
hostile_check_unharmed(struct hostile *h)
{
	CHECK_NUM(h->had, cs_directory_view(cs_client_directory(h->ann)).size);
	CHECK_NUM(h->had, cs_client_checkpoint(h->ann)->size);
	cs_client_close(h->ann);
	CHECK_OK(cs_client_open(test_path("ann"), NULL, NULL, &h->ann));
	CHECK_NUM(h->had, cs_directory_view(cs_client_directory(h->ann)).size);
}

void
hostile_check(struct hostile *h, const struct hostile_row *row, cs_err e,
    struct cs_client *victim)
{
	if (e != row->expected)
		printf("# %s: %s (%s)\n", row->name, cs_err_name(e),
		    cs_client_why(victim)->text);
	CHECK_ERR(row->expected, e);
	CHECK(h->l.lies > 0);
	/* what a relay says never reaches a terminal as it is */
	CHECK(strchr(cs_client_why(victim)->text, 0x1b) == NULL);
}

void
hostile_connect(struct hostile *h, const struct hostile_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		liar_set(&h->l, rows[i].log_lie, rows[i].reply_lie);
		cs_why_clear(cs_client_why(h->ann));
		hostile_check(h, &rows[i], cs_client_connect(h->ann, 0),
		    h->ann);
		CHECK(cs_client_conn(h->ann) == NULL);
		hostile_check_unharmed(h);
	}
	liar_set(&h->l, NULL, NULL);
	CHECK_OK(cs_client_connect(h->ann, 0));
	cs_client_disconnect(h->ann);
}

void
hostile_flip(struct cs_buf *leaf, int at)
{
	leaf->p[at < 0 ? (size_t)((int)leaf->n + at) : (size_t)at] ^= 1;
}

void
hostile_write(struct hostile *h, const char *to,
    uint8_t ret_id[static CS_ID_BYTES])
{
	struct cs_casefile cf = { .subject = cs_bytes_str("a case"),
		.question = cs_bytes_str("what is it?"),
		.note = cs_bytes_str("a note"),
		.urgency = CS_CLASS_ROUTINE };
	const struct cs_bytes address = cs_bytes_str(to);
	struct cs_buf content = { 0 };
	struct cs_outbox_job job = { .content_kind = CS_CONTENT_CASE,
		.class = CS_CLASS_ROUTINE,
		.n_to = 1,
		.to = &address };

	cs_casefile_encode_begin(&content, 0);
	CHECK_OK(cs_casefile_encode_end(&content, &cf));
	job.content = cs_buf_view(&content);
	CHECK_OK(cs_outbox_add(h->ann, &job, ret_id));
	cs_buf_fini(&content);
}

cs_err
hostile_send(struct hostile *h, const uint8_t *id,
    enum cs_outrec_stage *ret_stage)
{
	struct cs_sync_report report;
	struct cs_local_txn *txn = NULL;
	struct cs_secret *value = NULL;
	struct cs_outrec rec;
	cs_err e;

	cs_client_disconnect(h->ann);
	e = cs_sync_deliver(h->ann, 0, &report); /* the record says more */
	CHECK_OK(cs_local_begin(cs_client_local(h->ann), false, &txn));
	CHECK_OK(cs_outrec_get(txn, CS_LOCAL_OUT, id, &rec, &value));
	e = rec.failure;
	*ret_stage = rec.stage;
	cs_secret_free(value);
	cs_local_end(&txn);
	return e;
}
