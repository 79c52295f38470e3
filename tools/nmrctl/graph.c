// SPDX-License-Identifier: GPL-2.0-or-later
/* nmrctl graph: a graph in the language of dot. Clients point to their providers. */
#include <string.h>

#include "nmrctl.h"

static void quoted(const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
}

static void party_draw(const struct model *model, const struct party *party)
{
	char waits[TEXT_SIZE];
	bool odd = strcmp(party_state_text(party), "active");

	party_waits_text(model, party, waits, sizeof(waits));
	printf("\t\t%c%llu [label=\"", id_letter[party->side], party->id);
	quoted(party->module);
	printf("\\n%c%llu ", id_letter[party->side], party->id);
	quoted(party_state_text(party));
	if (*waits) {
		printf("\\nwaits for ");
		quoted(waits);
	}
	printf("\"%s%s]\n", party->side == PROVIDER ? ", shape=box" : "",
	       odd ? ", style=dashed" : "");
}

static void interface_draw(const struct model *model, const struct interface *in, size_t n,
			   bool guids)
{
	enum nmr_side side;
	size_t i;

	printf("\tsubgraph cluster_%zu {\n\t\tlabel=\"", n);
	quoted(in->name && !guids ? in->name : in->guid);
	printf("\"\n");
	for (side = 0; side < SIDES; side++)
		for (i = 0; i < in->nr_parties[side]; i++)
			if (in->parties[side][i]->selected)
				party_draw(model, in->parties[side][i]);
	printf("\t}\n");
}

static void binding_draw(const struct binding *b)
{
	const char *waits = binding_waits_for(b);

	printf("\tc%llu -> p%llu [label=\"b%llu", b->party_id[CLIENT],
	       b->party_id[PROVIDER], b->id);
	if (strcmp(b->state, "attached")) {
		printf(" ");
		quoted(b->state);
	}
	if (waits)
		printf("\\nwaits for %s", waits);
	printf("\"%s]\n", waits ? ", style=dashed" : "");
}

int cmd_graph(struct options *options, int count, char **arguments)
{
	struct model model = {};
	struct terms terms = {};
	int status = options->state ? state_check(options->state) : DONE;
	size_t i;

	if (!status)
		status = terms_parse(&terms, arguments, count);
	if (!status)
		status = model_get(&model, options, NEED_ALL & ~NEED_IDENTITY, &terms);
	if (status)
		goto out;
	printf("digraph nmr {\n\trankdir=LR\n\tnode [fontname=\"sans-serif\"]\n"
	       "\tedge [fontname=\"sans-serif\"]\n");
	for (i = 0; i < model.nr_interfaces; i++)
		if (model.interfaces[i].selected)
			interface_draw(&model, &model.interfaces[i], i, options->guids);
	for (i = 0; i < model.nr_bindings; i++)
		if (model.bindings[i].selected)
			binding_draw(&model.bindings[i]);
	printf("}\n");
out:
	terms_free(&terms);
	model_free(&model);
	return status;
}
