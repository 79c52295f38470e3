// SPDX-License-Identifier: GPL-2.0-or-later
/* nmrctl show: all about an object, and a sentence on what it waits for */
#include <stdlib.h>
#include <string.h>

#include "nmrctl.h"

#define CALLS	"/sys/kernel/debug/nmr/calls"

static void interface_print(const struct interface *in, bool guids)
{
	if (!in)
		return;
	if (in->name && !guids)
		printf("interface %s (%s)", in->name, in->guid);
	else
		printf("interface %s", in->guid);
}

/* With NMR_DEBUG, print the records of a binding's calls: a line each, and their stacks. */
static void stacks_print(const struct binding *b)
{
	FILE *file = fopen(rooted(CALLS), "re");
	char *line = NULL, prefix[64];
	size_t size = 0;
	bool ours = false;

	if (!file)
		return;
	snprintf(prefix, sizeof(prefix), "binding %llu: ", b->id);
	while (getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		printable(line);
		if (*line != ' ')
			ours = !strncmp(line, prefix, strlen(prefix));
		if (ours)
			printf("      %s\n", line);
	}
	free(line);
	fclose(file);
}

static void binding_print(const struct binding *b, bool guids)
{
	const struct party *client = b->party[CLIENT], *provider = b->party[PROVIDER];
	char text[TEXT_SIZE];

	printf("b%llu: %s (c%llu) -> %s (p%llu), ", b->id, client->module,
	       client->id, provider->module, provider->id);
	interface_print(provider->interface, guids);
	binding_since_text(b, text, sizeof(text));
	printf("\n    %s", text);
	if (!binding_drains(b) && b->calls[CLIENT] >= 0 && b->calls[PROVIDER] >= 0)
		printf("; calls in flight: %lld of the client, %lld of the provider",
		       b->calls[CLIENT], b->calls[PROVIDER]);
	putchar('\n');
	binding_waits_text(b, text, sizeof(text));
	if (*text)
		printf("    %s\n", text);
	if (binding_drains(b))
		printf("    the client's detach: %s; the provider's: %s\n", b->detach[CLIENT],
		       b->detach[PROVIDER]);
	stacks_print(b);
}

static void party_bindings_print(const struct party *party)
{
	char text[TEXT_SIZE];
	size_t i;

	for (i = 0; i < party->nr_bindings; i++) {
		const struct binding *b = party->bindings[i];
		const struct party *peer = b->party[!party->side];

		binding_since_text(b, text, sizeof(text));
		printf("    b%llu %s %s (%c%llu): %s", b->id,
		       party->side == CLIENT ? "->" : "<-", peer->module,
		       id_letter[peer->side], peer->id, text);
		binding_waits_text(b, text, sizeof(text));
		printf("%s%s\n", *text ? "; " : "", text);
	}
}

/* Print why the party is not attached to others. */
static void party_pairs_print(const struct model *model, const struct party *party)
{
	char text[TEXT_SIZE];
	size_t i;

	for (i = 0; i < model->nr_pairs; i++) {
		const struct pair *pair = &model->pairs[i];
		const struct party *peer;

		if (pair->party_id[party->side] != party->id)
			continue;
		peer = model_party(model, !party->side, pair->party_id[!party->side]);
		pair_text(pair, text, sizeof(text));
		printf("    not attached to %s (%c%llu): %s\n", peer->module,
		       id_letter[peer->side], peer->id, text);
	}
}

static void party_waits_print(const struct model *model, const struct party *party)
{
	const char *word = party_waits_for(party);
	size_t peers = party->interface->nr_parties[!party->side];

	if (!word && party->nr_bindings)
		return;
	if (!word)
		printf("    waits for nothing; no client is bound to it\n");
	else if (!strcmp(word, "provider"))
		printf("    waits for a provider: none of the interface is registered\n");
	else if (!strcmp(word, "bindings"))
		printf("    waits for its bindings to end\n");
	else if (!strcmp(party->state, "deregistering"))
		printf("    waits for an offer that is under way, or for its last cleanup\n");
	else
		printf("    waits for an offer; %zu provider%s registered%s\n",
		       peers, peers == 1 ? " is" : "s are",
		       model->pairs_known ? "" : " (root can read why it is not bound)");
}

static void party_print(const struct model *model, const struct party *party, bool guids)
{
	if (!party->interface)
		return;
	printf("%c%llu: %s %s, ", id_letter[party->side], party->id,
	       side_name[party->side], party->module);
	interface_print(party->interface, guids);
	printf("\n    %s; module id %s", party_state_text(party), party->module_id);
	if (party->number >= 0)
		printf(", number %lld", party->number);
	putchar('\n');
	party_waits_print(model, party);
	party_bindings_print(party);
	party_pairs_print(model, party);
}

static void one_interface_print(const struct interface *in, bool guids)
{
	enum nmr_side side;
	size_t i;

	interface_print(in, guids);
	putchar('\n');
	for (side = SIDES; side-- > 0;) {
		printf("    %zu %s%s", in->nr_parties[side], side_name[side],
		       in->nr_parties[side] == 1 ? "" : "s");
		for (i = 0; i < in->nr_parties[side]; i++)
			printf("%s %s (%c%llu)", i ? "," : ":",
			       in->parties[side][i]->module, id_letter[side],
			       in->parties[side][i]->id);
		putchar('\n');
	}
	printf("    %zu binding%s\n", in->nr_bindings, in->nr_bindings == 1 ? "" : "s");
}

static void named_print(const struct model *model, bool guids)
{
	enum nmr_side side;
	size_t i;

	for (i = 0; i < model->nr_interfaces; i++)
		if (model->interfaces[i].named)
			one_interface_print(&model->interfaces[i], guids);
	for (side = SIDES; side-- > 0;) {
		for (i = 0; i < model->nr_parties[side]; i++) {
			const struct party *party = &model->parties[side][i];

			if (party->named || (party->interface && party->interface->named))
				party_print(model, party, guids);
		}
	}
	for (i = 0; i < model->nr_bindings; i++)
		if (model->bindings[i].named)
			binding_print(&model->bindings[i], guids);
}

int cmd_show(struct options *options, int count, char **arguments)
{
	struct model model = {};
	struct terms terms = {};
	int status;

	if (!count)
		return fail(USAGE,
			    "show needs an OBJECT, such as b1; nmrctl tree shows what there is");
	status = terms_parse(&terms, arguments, count);
	if (!status)
		status = model_get(&model, options, NEED_ALL, &terms);
	if (!status && options->json)
		status = json_print(&model);
	else if (!status)
		named_print(&model, options->guids);
	terms_free(&terms);
	model_free(&model);
	return status;
}
