// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nmrctl tree: interface, provider, client; with --inverse: interface, client, provider. A
 * party of the lower level that has no binding hangs below its interface.
 */
#include <string.h>

#include "nmrctl.h"

static const enum column_id defaults[] = {
	COL_NAME, COL_ID, COL_STATE, COL_CALLS, COL_FOR, COL_WAITS,
};

/* Set the columns and the heading of a tree. */
int tree_prepare(struct table *table, const struct options *options)
{
	memset(table, 0, sizeof(*table));
	table->heading = options->inverse ? "INTERFACE/CLIENT/PROVIDER" :
					    "INTERFACE/PROVIDER/CLIENT";
	if (options->state && state_check(options->state))
		return USAGE;
	return table_columns(table, options, defaults, ARRAY_SIZE(defaults));
}

/* Return: what has to be read for the tree. */
unsigned int tree_need(const struct table *table, const struct options *options)
{
	unsigned int need = table_need(table, options) | NEED_MODULE | NEED_INTERFACE;

	if (need & (NEED_STATE | NEED_UNBOUND))
		need |= options->inverse ? NEED_CLIENT : NEED_PROVIDER;
	if (options->guids)
		need &= ~NEED_NAMES;
	return need;
}

static void add_bindings(struct table *table, const struct party *party, long parent)
{
	struct row row = {
		.type = ROW_BINDING, .peer = !party->side, .tree = true, .parent = parent,
	};
	size_t i;

	for (i = 0; i < party->nr_bindings; i++) {
		row.binding = party->bindings[i];
		if (row.binding->selected)
			table_add(table, &row);
	}
}

static void add_parties(struct table *table, const struct interface *in, enum nmr_side side,
			bool top, long parent)
{
	struct row row = { .type = ROW_PARTY, .tree = true, .parent = parent };
	size_t i;

	for (i = 0; i < in->nr_parties[side]; i++) {
		row.party = in->parties[side][i];
		if (!row.party->selected || (!top && row.party->nr_bindings))
			continue;
		add_bindings(table, row.party, table_add(table, &row));
	}
}

void tree_fill(struct table *table, const struct model *model, const struct options *options)
{
	enum nmr_side top = options->inverse ? CLIENT : PROVIDER;
	size_t i;

	for (i = 0; i < model->nr_interfaces; i++) {
		struct row row = {
			.type = ROW_INTERFACE, .tree = true, .parent = -1,
			.interface = &model->interfaces[i],
		};
		long parent;

		if (!row.interface->selected)
			continue;
		parent = table_add(table, &row);
		add_parties(table, row.interface, top, true, parent);
		add_parties(table, row.interface, !top, false, parent);
	}
}

int cmd_tree(struct options *options, int count, char **arguments)
{
	struct model model = {};
	struct table table;
	struct terms terms = {};
	int status = tree_prepare(&table, options);

	if (!status)
		status = terms_parse(&terms, arguments, count);
	if (!status)
		status = model_get(&model, options, options->json ? NEED_ALL :
				   tree_need(&table, options), &terms);
	if (!status && options->json) {
		status = json_print(&model);
	} else if (!status) {
		tree_fill(&table, &model, options);
		status = table_print(&table, &model, options);
	}
	table_free(&table);
	terms_free(&terms);
	model_free(&model);
	return status;
}
