#include "client/cli/addressed.h"

#include <stdio.h>

#include "client/archives.h"
#include "proto/base/buf.h"

struct cs_bytes
cs_addressed_via(struct cs_cli *cli, const struct cs_addressing *a)
{
	const struct cs_addressing_to *to =
	    cs_addressing_via(a, cs_client_self(cli->client)->member_id);

	return to && to->is_roster ? to->address : (struct cs_bytes){ 0 };
}

static void
print_to(const struct cs_addressing *a)
{
	const struct cs_addressing_to *to;

	fputs("To         ", stdout);
	for (uint16_t i = 0; (to = cs_addressing_at(a, i)); i++) {
		if (i > 0)
			fputs(", ", stdout);
		cs_present_text(to->address, false);
		if (!to->is_known)
			fputs(" (not in the directory known here)", stdout);
		else if (to->is_roster)
			printf(" (%s of %u)",
			    cs_entry_type_name(to->roster.type),
			    to->roster.n_members);
	}
	puts("");
}

/* A recipient that nobody was told of: the sender's doing, who signed it. */
static void
print_unexplained(struct cs_cli *cli, const struct cs_manifest_device *row)
{
	struct cs_directory_device device;
	struct cs_buf address = { 0 };

	cs_client_put_address(cli->client, row->member_id, &address);
	fputs("WARNING    it is also sealed to ", stdout);
	cs_present_text(cs_buf_view(&address), false);
	fputs(", device ", stdout);
	if (cs_directory_device(cs_client_directory(cli->client),
		row->device_id, &device) == CS_OK)
		cs_present_text(device.name, false);
	else
		cs_present_id(row->device_id);
	puts(": no address it was sent to explains that; ask the sender");
	cs_buf_fini(&address);
}

static cs_err
print_archive(void *ctx, struct cs_bytes practice)
{
	(void)ctx;
	fputs("Archived   also kept by the archive of ", stdout);
	cs_present_text(practice, false);
	puts("");
	return CS_OK;
}

void
cs_addressed_print(struct cs_cli *cli, const struct cs_inbox_message *m,
    const struct cs_addressing *a)
{
	struct cs_bytes via = cs_addressed_via(cli, a);
	struct cs_manifest_device row;
	size_t pos = 0;

	print_to(a);
	if (via.n > 0) {
		fputs("Through    ", stdout);
		cs_present_text(via, false);
		puts(", which you are in");
	}
	while (cs_manifest_next_device(&m->manifest, &pos, &row)) {
		if (!cs_addressing_explains(a, &row))
			print_unexplained(cli, &row);
	}
	if (cs_archives_each(cs_client_directory(cli->client), &m->manifest,
		print_archive, NULL) != CS_OK)
		puts("Archived   by whom cannot be told: out of memory");
}

json_t *
cs_addressed_to_json(const struct cs_addressing *a)
{
	const struct cs_addressing_to *to;
	json_t *list = json_array();

	for (uint16_t i = 0; (to = cs_addressing_at(a, i)); i++)
		json_array_append_new(list, cs_present_json_text(to->address));
	return list;
}

json_t *
cs_addressed_unexplained_json(struct cs_cli *cli,
    const struct cs_inbox_message *m, const struct cs_addressing *a)
{
	struct cs_manifest_device row;
	struct cs_buf address = { 0 };
	json_t *list = json_array();
	size_t pos = 0;

	while (cs_manifest_next_device(&m->manifest, &pos, &row)) {
		if (cs_addressing_explains(a, &row))
			continue;
		cs_buf_reset(&address);
		cs_client_put_address(cli->client, row.member_id, &address);
		json_array_append_new(list,
		    json_pack("{s:o, s:o}", "device",
			cs_present_json_id(row.device_id), "address",
			cs_present_json_text(cs_buf_view(&address))));
	}
	cs_buf_fini(&address);
	return list;
}

static cs_err
append_archive(void *ctx, struct cs_bytes practice)
{
	json_array_append_new(ctx, cs_present_json_text(practice));
	return CS_OK;
}

json_t *
cs_addressed_archives_json(struct cs_cli *cli, const struct cs_inbox_message *m)
{
	json_t *list = json_array();

	if (cs_archives_each(cs_client_directory(cli->client), &m->manifest,
		append_archive, list) == CS_OK)
		return list;
	json_decref(list);
	return NULL;
}
