// SPDX-License-Identifier: GPL-2.0-or-later
/* nmrctl list: interfaces, providers, clients or bindings, one a line */
#include <string.h>

#include "nmrctl.h"

enum kind { KIND_CLIENTS, KIND_PROVIDERS, KIND_BINDINGS, KIND_INTERFACES, KINDS };

static const char *const kinds[KINDS] = {
	[KIND_CLIENTS] = "clients", [KIND_PROVIDERS] = "providers",
	[KIND_BINDINGS] = "bindings", [KIND_INTERFACES] = "interfaces",
};

static const enum column_id interface_columns[] = {
	COL_NAME, COL_ID, COL_PROVIDERS, COL_CLIENTS, COL_BINDINGS,
};

static const enum column_id party_columns[] = {
	COL_ID, COL_MODULE, COL_INTERFACE, COL_NUMBER, COL_STATE, COL_BINDINGS, COL_WAITS,
};

static const enum column_id binding_columns[] = {
	COL_ID, COL_CLIENT, COL_PROVIDER, COL_INTERFACE, COL_STATE, COL_CALLS, COL_FOR,
	COL_WAITS,
};

static int kind_parse(int *count, char ***arguments)
{
	enum kind kind;

	for (kind = 0; *count && kind < KINDS; kind++) {
		if (strcmp(**arguments, kinds[kind]))
			continue;
		--*count;
		++*arguments;
		return kind;
	}
	return KIND_BINDINGS;
}

static int prepare(struct table *table, const struct options *options, enum kind kind)
{
	memset(table, 0, sizeof(*table));
	if (options->state && state_check(options->state))
		return USAGE;
	if (kind == KIND_INTERFACES)
		return table_columns(table, options, interface_columns,
				     ARRAY_SIZE(interface_columns));
	if (kind == KIND_BINDINGS)
		return table_columns(table, options, binding_columns,
				     ARRAY_SIZE(binding_columns));
	return table_columns(table, options, party_columns, ARRAY_SIZE(party_columns));
}

static unsigned int need_of(const struct table *table, const struct options *options,
			    enum kind kind)
{
	unsigned int need = table_need(table, options);

	if (kind == KIND_INTERFACES)
		need |= NEED_INTERFACE;
	else if (kind == KIND_BINDINGS)
		need |= NEED_BINDINGS;
	else
		need |= NEED_PARTIES;
	if (kind != KIND_BINDINGS && need & (NEED_STATE | NEED_UNBOUND))
		need |= NEED_CLIENT | NEED_PROVIDER;
	if (kind == KIND_BINDINGS)
		need &= ~(NEED_UNBOUND | NEED_PROVIDER | NEED_PAIRS);
	if (options->guids)
		need = (need & NEED_NAMES ? NEED_INTERFACE : 0) | (need & ~NEED_NAMES);
	return need;
}

static void add_bindings(struct table *table, const struct model *model)
{
	struct row row = { .type = ROW_BINDING, .parent = -1 };
	size_t i;

	for (i = 0; i < model->nr_bindings; i++) {
		row.binding = &model->bindings[i];
		if (row.binding->selected)
			table_add(table, &row);
	}
}

static void add_parties(struct table *table, const struct model *model, enum nmr_side side)
{
	struct row row = { .type = ROW_PARTY, .parent = -1 };
	size_t i;

	for (i = 0; i < model->nr_parties[side]; i++) {
		row.party = &model->parties[side][i];
		if (row.party->selected)
			table_add(table, &row);
	}
}

static void add_interfaces(struct table *table, const struct model *model)
{
	struct row row = { .type = ROW_INTERFACE, .parent = -1 };
	size_t i;

	for (i = 0; i < model->nr_interfaces; i++) {
		row.interface = &model->interfaces[i];
		if (row.interface->selected)
			table_add(table, &row);
	}
}

int cmd_list(struct options *options, int count, char **arguments)
{
	enum kind kind = kind_parse(&count, &arguments);
	struct model model = {};
	struct table table;
	struct terms terms = {};
	int status = prepare(&table, options, kind);

	if (!status)
		status = terms_parse(&terms, arguments, count);
	if (!status)
		status = model_get(&model, options, options->json ? NEED_ALL :
				   need_of(&table, options, kind), &terms);
	if (!status && options->json) {
		status = json_print(&model);
	} else if (!status) {
		if (kind == KIND_BINDINGS)
			add_bindings(&table, &model);
		else if (kind == KIND_INTERFACES)
			add_interfaces(&table, &model);
		else
			add_parties(&table, &model, (enum nmr_side)kind);
		status = table_print(&table, &model, options);
	}
	table_free(&table);
	terms_free(&terms);
	model_free(&model);
	return status;
}
