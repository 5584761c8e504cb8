#include "client/upkeep.h"

#include <string.h>

#include "client/ask.h"
#include "client/notices.h"
#include "keys/enrol.h"
#include "proto/base/cursor.h"

/* Publish when fewer than these epochs are ahead. */
#define AHEAD (CS_EPOCHS_PER_BATCH / 2)

static const struct cs_bytes put_key = { (const uint8_t *)"epoch-put", 9 };

static cs_err
save(const struct cs_upkeep *u)
{
	char path[CS_HOME_PATH_BYTES];

	cs_home_path(u->home, CS_HOME_EPOCHS, NULL, NULL, path);
	return cs_epoch_save(u->epochs, u->kr, path);
}

cs_err
cs_upkeep_advance(struct cs_upkeep *u)
{
	struct cs_directory_device self;
	bool changed = false;
	cs_err e;

	if (cs_directory_device(u->dir, cs_keyring_info(u->kr)->id, &self) ==
	    CS_OK)
		cs_epoch_was_published(u->epochs, self.epoch_end);
	CS_TRY(cs_epoch_advance(u->epochs, u->now_s, &changed));
	if (changed)
		CS_TRY(save(u));
out:
	return e;
}

/* The newest batch of this device in the log. CS_OK or CS_NOT_FOUND. */
static cs_err
newest(const struct cs_upkeep *u, struct cs_directory_batch *ret)
{
	return cs_directory_batch(u->dir, cs_keyring_info(u->kr)->id,
	    UINT64_MAX, ret);
}

cs_err
cs_upkeep_append(struct cs_upkeep *u, bool *ret_appended)
{
	const uint64_t epoch = cs_epoch_of(u->now_s);
	struct cs_entry_epoch_batch batch = { .count = CS_EPOCHS_PER_BATCH };
	struct cs_directory_batch last;
	struct cs_directory_device self;
	struct cs_frame_entries entries = { .n = 1 };
	struct cs_buf keys = { 0 }, entry = { 0 };
	uint64_t prev = CS_ENTRY_NO_PREV, first;
	cs_err e;

	CS_TRY(cs_directory_device(u->dir, cs_keyring_info(u->kr)->id, &self));
	*ret_appended = false;
	if (self.epoch_end >= epoch + AHEAD)
		return CS_OK;
	if (newest(u, &last) == CS_OK)
		prev = last.entry;
	batch.first_epoch = self.epoch_end > epoch ? self.epoch_end : epoch;
	CS_TRY(cs_epoch_batch(u->epochs, batch.first_epoch, batch.count, &keys,
	    batch.root));
	/* Before the log promises these keys, they must be ours for good. */
	CS_TRY(save(u));
	CS_TRY(cs_enrol_batch(u->kr, &batch, prev, u->now_s, &entry));
	entries.entry[0] = cs_buf_view(&entry);
	CS_TRY(cs_notices_expect(u->local, cs_buf_view(&entry)));
	CS_TRY(cs_ask_dir_append(u->conn, &entries, &first));
	*ret_appended = true;
out:
	cs_buf_fini(&keys);
	cs_buf_fini(&entry);
	return e;
}

/* End of the last batch whose keys the relay took; 0: none. */
static cs_err
load_put(const struct cs_upkeep *u, uint64_t *ret)
{
	struct cs_secret *v = NULL;
	struct cs_cursor c;
	uint64_t end = 0;
	cs_err e;

	e = cs_local_read(u->local, CS_LOCAL_META, put_key, &v);
	if (e == CS_NOT_FOUND)
		e = CS_OK;
	CS_TRY(e);
	if (v) {
		c = cs_cursor_new(cs_secret_view(v));
		end = cs_cursor_u64(&c);
		CS_TRY(cs_cursor_end(&c));
	}
	*ret = end;
out:
	cs_secret_free(v);
	return e;
}

cs_err
cs_upkeep_is_put(const struct cs_upkeep *u, bool *ret)
{
	struct cs_directory_batch last;
	uint64_t done;
	cs_err e;

	e = newest(u, &last);
	if (e == CS_NOT_FOUND) {
		*ret = true;
		return CS_OK;
	}
	CS_TRY(e);
	CS_TRY(load_put(u, &done));
	*ret = done >= last.batch.first_epoch + last.batch.count;
out:
	return e;
}

cs_err
cs_upkeep_put(struct cs_upkeep *u)
{
	struct cs_buf keys = { 0 }, value = { 0 };
	struct cs_directory_batch last;
	struct cs_frame_epoch_put put;
	uint8_t root[CS_HASH_BYTES];
	bool is_put;
	cs_err e;

	CS_TRY(cs_upkeep_is_put(u, &is_put));
	if (is_put)
		return CS_OK;
	CS_TRY(newest(u, &last));
	e = cs_epoch_batch(u->epochs, last.batch.first_epoch, last.batch.count,
	    &keys, root);
	/* Begun so long ago that its first keys are deleted: leave it. */
	if (e == CS_NOT_FOUND)
		return CS_OK;
	CS_TRY(e);
	if (memcmp(root, last.batch.root, sizeof(root)) != 0) {
		e = CS_FORKED;
		goto out;
	}
	put.first_epoch = last.batch.first_epoch;
	put.keys = cs_buf_view(&keys);
	CS_TRY(cs_ask_epoch_put(u->conn, &put));
	cs_buf_put_u64(&value, last.batch.first_epoch + last.batch.count);
	CS_TRY(cs_local_write(u->local, CS_LOCAL_META, put_key,
	    cs_buf_view(&value)));
out:
	cs_buf_fini(&keys);
	cs_buf_fini(&value);
	return e;
}
