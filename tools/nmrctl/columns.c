// SPDX-License-Identifier: GPL-2.0-or-later
/* The columns of tables: what each is called, what it needs to be read, and its text */
#include <string.h>
#include <strings.h>

#include "nmrctl.h"

#define WAITS	(NEED_DRAIN | NEED_CALLS | NEED_UNBOUND | NEED_PROVIDER | NEED_PAIRS)

const struct column columns[NR_COLUMNS] = {
	[COL_NAME] = { "NAME", "NAME", false, NEED_MODULE | NEED_INTERFACE | NEED_NAMES,
		"the module, or the interface" },
	[COL_ID] = { "ID", "ID", true, 0, "bN, cN or pN; of an interface, its GUID" },
	[COL_STATE] = { "STATE", "STATE", false, NEED_STATE | NEED_UNBOUND,
		"as in sysfs; \"unbound\" is an active client without a binding" },
	[COL_CALLS] = { "CALLS", "CALLS", true, NEED_CALLS, "calls in flight, of both sides" },
	[COL_FOR] = { "FOR", "FOR", true, NEED_DRAIN, "time since the binding closed" },
	[COL_WAITS] = { "WAITS-FOR", "WAITS FOR", false, WAITS, "what has to happen next" },
	[COL_INTERFACE] = { "INTERFACE", "INTERFACE", false, NEED_NAMES,
		"the interface's name, or its GUID" },
	[COL_GUID] = { "GUID", "GUID", false, NEED_INTERFACE, "the interface's GUID" },
	[COL_MODULE] = { "MODULE", "MODULE", false, NEED_MODULE, "the module's name" },
	[COL_MODULE_ID] = { "MODULE-ID", "MODULE-ID", false, NEED_IDENTITY, "the module's GUID" },
	[COL_NUMBER] = { "NUMBER", "NUMBER", true, NEED_IDENTITY, "number of the implementation" },
	[COL_CLIENT] = { "CLIENT", "CLIENT", false, NEED_SIDES | NEED_MODULE,
		"the client of a binding" },
	[COL_CLIENT_ID] = { "CLIENT-ID", "CLIENT-ID", true, NEED_SIDES, "its number alone" },
	[COL_PROVIDER] = { "PROVIDER", "PROVIDER", false, NEED_SIDES | NEED_MODULE,
		"the provider of a binding" },
	[COL_PROVIDER_ID] = { "PROVIDER-ID", "PROVIDER-ID", true, NEED_SIDES,
		"its number alone" },
	[COL_REASON] = { "REASON", "REASON", false, NEED_DRAIN, "why the binding ends" },
	[COL_CLIENT_CALLS] = { "CLIENT-CALLS", "CLIENT-CALLS", true, NEED_CALLS,
		"calls of the client in flight" },
	[COL_PROVIDER_CALLS] = { "PROVIDER-CALLS", "PROVIDER-CALLS", true, NEED_CALLS,
		"calls of the provider in flight" },
	[COL_CLIENT_DETACH] = { "CLIENT-DETACH", "CLIENT-DETACH", false, NEED_DRAIN,
		"none, pending or done" },
	[COL_PROVIDER_DETACH] = { "PROVIDER-DETACH", "PROVIDER-DETACH", false, NEED_DRAIN,
		"none, pending or done" },
	[COL_PENDING] = { "PENDING-MS", "PENDING-MS", true, NEED_DRAIN, "FOR, in milliseconds" },
	[COL_PROVIDERS] = { "PROVIDERS", "PROVIDERS", true, NEED_INTERFACE,
		"providers of an interface" },
	[COL_CLIENTS] = { "CLIENTS", "CLIENTS", true, NEED_INTERFACE, "clients of an interface" },
	[COL_BINDINGS] = { "BINDINGS", "BINDINGS", true, NEED_SIDES,
		"bindings of a party or an interface" },
};

/* Return: the number of the column, or -1. */
int column_find(const char *name, size_t length)
{
	size_t i, j;

	for (i = 0; i < NR_COLUMNS; i++) {
		const char *known = columns[i].name;

		for (j = 0; j < length && known[j]; j++)
			if (known[j] != '-' ? strncasecmp(name + j, known + j, 1) :
			    !strchr("-_ ", name[j]))
				break;
		if (j == length && !known[j])
			return i;
	}
	return -1;
}

/* The value of a column that is a number; -1: there is none */

static long long binding_number(const struct binding *b, enum column_id column)
{
	switch (column) {
	case COL_ID:
		return b->id;
	case COL_CALLS:
		if (b->calls[CLIENT] < 0 || b->calls[PROVIDER] < 0)
			return -1;
		return b->calls[CLIENT] + b->calls[PROVIDER];
	case COL_CLIENT_CALLS:
		return b->calls[CLIENT];
	case COL_PROVIDER_CALLS:
		return b->calls[PROVIDER];
	case COL_CLIENT_ID:
		return b->party_id[CLIENT];
	case COL_PROVIDER_ID:
		return b->party_id[PROVIDER];
	case COL_FOR:
	case COL_PENDING:
		return b->pending_ms > 0 ? b->pending_ms : -1;
	default:
		return -1;
	}
}

static long long party_number(const struct party *party, enum column_id column)
{
	switch (column) {
	case COL_ID:
		return party->id;
	case COL_NUMBER:
		return party->number;
	case COL_BINDINGS:
		return party->nr_bindings;
	default:
		return -1;
	}
}

static long long number(const struct row *row, enum column_id column)
{
	if (row->type == ROW_BINDING)
		return binding_number(row->binding, column);
	if (row->type == ROW_PARTY)
		return party_number(row->party, column);
	switch (column) {
	case COL_PROVIDERS:
		return row->interface->nr_parties[PROVIDER];
	case COL_CLIENTS:
		return row->interface->nr_parties[CLIENT];
	case COL_BINDINGS:
		return row->interface->nr_bindings;
	default:
		return -1;
	}
}

/* The text of a column */

static const char *interface_text(const struct interface *in, bool guids)
{
	if (!in)
		return "";
	return in->name && !guids ? in->name : in->guid;
}

static const struct interface *row_interface(const struct row *row)
{
	if (row->type == ROW_BINDING)
		return row->binding->party[PROVIDER]->interface;
	return row->type == ROW_PARTY ? row->party->interface : row->interface;
}

static void party_text(const struct binding *b, enum nmr_side side, char *text, size_t size)
{
	snprintf(text, size, "%s (%c%llu)", b->party[side]->module, id_letter[side],
		 b->party_id[side]);
}

static void name_text(const struct row *row, bool guids, char *text, size_t size)
{
	char provider[128];

	if (row->type == ROW_INTERFACE) {
		snprintf(text, size, "%s", interface_text(row->interface, guids));
	} else if (row->type == ROW_PARTY) {
		snprintf(text, size, "%s", row->party->module);
	} else if (row->tree) {
		party_text(row->binding, row->peer, text, size);
	} else {
		party_text(row->binding, PROVIDER, provider, sizeof(provider));
		snprintf(text, size, "%s (c%llu) -> %s",
			 row->binding->party[CLIENT]->module, row->binding->party_id[CLIENT],
			 provider);
	}
}

static void id_text(const struct row *row, char *text, size_t size)
{
	if (row->type == ROW_BINDING)
		snprintf(text, size, "b%llu", row->binding->id);
	else if (row->type == ROW_PARTY)
		snprintf(text, size, "%c%llu", id_letter[row->party->side],
			 row->party->id);
	else if (!row->tree)
		snprintf(text, size, "%s", row->interface->guid);
}

static void waits_text(const struct model *model, const struct row *row, char *text,
		       size_t size)
{
	if (row->type == ROW_BINDING)
		snprintf(text, size, "%s", binding_waits_for(row->binding) ?: "");
	else if (row->type == ROW_PARTY && !(row->tree && row->party->nr_bindings))
		party_waits_text(model, row->party, text, size);
}

static const char *binding_word(const struct binding *b, enum column_id column)
{
	switch (column) {
	case COL_STATE:
		return b->state;
	case COL_REASON:
		return b->reason;
	case COL_CLIENT_DETACH:
		return b->detach[CLIENT];
	case COL_PROVIDER_DETACH:
		return b->detach[PROVIDER];
	default:
		return NULL;
	}
}

static const char *party_word(const struct party *party, enum column_id column)
{
	switch (column) {
	case COL_STATE:
		return party_state_text(party);
	case COL_MODULE:
		return party->module;
	case COL_MODULE_ID:
		return party->module_id;
	default:
		return NULL;
	}
}

static void number_text(const struct row *row, enum column_id column, char *text, size_t size)
{
	long long n = number(row, column);

	if (n < 0)
		return;
	if (column == COL_FOR)
		duration_text(n, text, size);
	else
		snprintf(text, size, "%s%lld", column == COL_CLIENT_ID ? "c" :
			 column == COL_PROVIDER_ID ? "p" : "", n);
}

static void word_text(const struct row *row, enum column_id column, char *text, size_t size)
{
	const char *word = NULL;

	if (row->type == ROW_BINDING)
		word = binding_word(row->binding, column);
	else if (row->type == ROW_PARTY)
		word = party_word(row->party, column);
	snprintf(text, size, "%s", word ?: "");
}

/* Write the text of a cell; nothing if the row has nothing for the column. */
void cell_text(const struct model *model, const struct row *row, enum column_id column,
	       bool guids, char *text, size_t size)
{
	*text = '\0';
	switch (column) {
	case COL_NAME:
		name_text(row, guids, text, size);
		break;
	case COL_ID:
		id_text(row, text, size);
		break;
	case COL_WAITS:
		waits_text(model, row, text, size);
		break;
	case COL_INTERFACE:
		snprintf(text, size, "%s", interface_text(row_interface(row), guids));
		break;
	case COL_GUID:
		snprintf(text, size, "%s", row_interface(row) ? row_interface(row)->guid : "");
		break;
	case COL_CLIENT:
	case COL_PROVIDER:
		if (row->type == ROW_BINDING)
			party_text(row->binding, column == COL_CLIENT ? CLIENT : PROVIDER, text,
				   size);
		break;
	default:
		if (columns[column].right)
			number_text(row, column, text, size);
		else
			word_text(row, column, text, size);
	}
}

/* Compare two rows by a column: by numbers if it has numbers, or else by texts. */
int row_compare(const struct model *model, const struct row *a, const struct row *b,
		enum column_id column)
{
	char x[TEXT_SIZE], y[TEXT_SIZE];
	long long m, n;

	if (columns[column].right && !(column == COL_ID && a->type == ROW_INTERFACE)) {
		m = number(a, column);
		n = number(b, column);
		if (column != COL_ID || a->type == b->type)
			return m < n ? -1 : m > n;
	}
	cell_text(model, a, column, false, x, sizeof(x));
	cell_text(model, b, column, false, y, sizeof(y));
	return strcmp(x, y);
}

/* Return: the colour of a row, or NULL. */
const char *row_color(const struct row *row)
{
	const char *state = NULL;

	if (row->type == ROW_BINDING)
		state = row->binding->state;
	else if (row->type == ROW_PARTY)
		state = party_state_text(row->party);
	if (!state)
		return NULL;
	if (!strcmp(state, "unbound"))
		return "magenta";
	return strcmp(state, "attached") && strcmp(state, "active") && *state ? "yellow" : NULL;
}
