// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * OBJECTs of the command line, and what they touch. A binding is touched by its number, and by
 * anything that touches one of its sides. A party is touched by its number, its interface and
 * its module, and by what touches one of its bindings.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "nmrctl.h"

#define SYSFS	"/sys/kernel/nmr/"

static int kset_of_letter(char letter)
{
	int kset;

	for (kset = 0; kset < KSETS; kset++)
		if (id_letter[kset] == letter)
			return kset;
	return -1;
}

static int term_id(struct term *term, int kset, const char *number)
{
	const char *end;

	if (!id_parse(number, &term->id, &end) || *end)
		return fail(USAGE, "%s: no number from 0 to 2^64 - 1", term->given);
	term->type = TERM_ID;
	term->kset = kset;
	return DONE;
}

/* Parse FOLDER/NUMBER, where more may follow after a slash. */
static int term_below(struct term *term, const char *path)
{
	size_t length = strcspn(path, "/");
	char number[32];
	int kset;

	for (kset = 0; kset < KSETS; kset++)
		if (strlen(kset_name[kset]) == length &&
		    !strncmp(path, kset_name[kset], length))
			break;
	if (kset == KSETS || path[length] != '/')
		return fail(USAGE, "%s: no path of a client, a provider or a binding",
			    term->given);
	path += length + 1;
	snprintf(number, sizeof(number), "%.*s", (int)strcspn(path, "/"), path);
	return term_id(term, kset, number);
}

/* Parse a path. What it is a link to counts; a path of what has gone is taken as it is. */
static int term_path(struct term *term)
{
	char *real = realpath(term->given, NULL);
	const char *path = real ?: term->given;
	const char *root = rooted(SYSFS);
	int status;

	if (!strncmp(path, root, strlen(root)))
		status = term_below(term, path + strlen(root));
	else if (!strncmp(path, SYSFS, strlen(SYSFS)))
		status = term_below(term, path + strlen(SYSFS));
	else if (real)
		status = fail(USAGE, "%s: no path below " SYSFS, term->given);
	else
		status = fail(NO,
			      "%s: not found; if it is the name of an interface, write interface:%s",
			      term->given, term->given);
	free(real);
	return status;
}

/* Tell whether a word begins as a GUID does, so that a broken GUID is not taken for a name. */
static bool looks_like_guid(const char *text)
{
	size_t i;

	if (*text == '{')
		return true;
	for (i = 0; i < 8; i++)
		if (!isxdigit((unsigned char)text[i]))
			return false;
	return text[8] == '-' || strlen(text) == 32;
}

static int term_name(struct term *term, const char *text)
{
	char guid[GUID_SIZE];

	if (!*text)
		return fail(USAGE, "an object is empty");
	if (term->type != TERM_MODULE && guid_parse(text, guid)) {
		term->type = TERM_GUID;
		term->text = intern(guid);
		return DONE;
	}
	if (term->type == TERM_NAME && looks_like_guid(text))
		return fail(USAGE,
			    "%s: no GUID, which has 32 digits; if it is a name, write interface:%s or module:%s",
			    text, text, text);
	term->text = intern(text);
	return DONE;
}

static int term_parse(struct term *term, const char *text)
{
	int kset = kset_of_letter(*text);

	*term = (struct term) { .type = TERM_NAME, .given = text };
	if (!strncmp(text, "interface:", 10)) {
		term->type = TERM_INTERFACE;
		return term_name(term, text + 10);
	}
	if (!strncmp(text, "module:", 7)) {
		term->type = TERM_MODULE;
		return term_name(term, text + 7);
	}
	if (strchr(text, '/'))
		return term_path(term);
	if (kset >= 0 && text[1] && text[1 + strspn(text + 1, "0123456789")] == '\0')
		return term_id(term, kset, text + 1);
	return term_name(term, text);
}

int terms_parse(struct terms *terms, char **objects, int count)
{
	int i, status;

	terms->nr = count;
	terms->term = allocate(count * sizeof(struct term));
	for (i = 0; i < count; i++) {
		status = term_parse(&terms->term[i], objects[i]);
		if (status)
			return status;
	}
	return DONE;
}

void terms_free(struct terms *terms)
{
	free(terms->term);
	terms->term = NULL;
}

/* Return: what the model needs to find what the terms touch, and what is in the state. */
unsigned int select_need(const struct terms *terms, const char *state)
{
	return (terms->nr ? NEED_SELECT : 0) |
	       (state ? NEED_STATE | NEED_CLIENT | NEED_PROVIDER | NEED_UNBOUND : 0);
}

/* Compare names of modules as modprobe does: a hyphen is an underscore. */
static bool same_module(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if ((*a == '-' ? '_' : *a) != (*b == '-' ? '_' : *b))
			return false;
	return *a == *b;
}

bool term_hits_interface(const struct term *term, const char *guid)
{
	const char *name;

	if (!guid)
		return false;
	if (term->type == TERM_GUID)
		return !strcmp(term->text, guid);
	if (term->type != TERM_NAME && term->type != TERM_INTERFACE)
		return false;
	name = interface_name(guid);
	return name && !strcmp(name, term->text);
}

static bool term_hits_module(const struct term *term, const char *module)
{
	return module && (term->type == TERM_NAME || term->type == TERM_MODULE) &&
	       same_module(term->text, module);
}

/* Tell whether a term names a party, its interface or its module. */
bool term_hits_party(const struct term *term, int side, unsigned long long id, const char *guid,
		     const char *module)
{
	if (term->type == TERM_ID)
		return term->kset == side && term->id == id;
	return term_hits_interface(term, guid) || term_hits_module(term, module);
}

/* Mark what a term names. Return: the number of interfaces, and of parties by their module. */
static void term_mark(struct model *model, const struct term *term, size_t *interfaces,
		      size_t *parties)
{
	struct binding *b = NULL;
	enum nmr_side side;
	size_t i;

	*interfaces = 0;
	*parties = 0;
	for (i = 0; i < model->nr_interfaces; i++) {
		if (!term_hits_interface(term, model->interfaces[i].guid))
			continue;
		model->interfaces[i].named = true;
		++*interfaces;
	}
	for (side = 0; side < SIDES; side++) {
		for (i = 0; i < model->nr_parties[side]; i++) {
			struct party *party = &model->parties[side][i];

			if (!term_hits_party(term, side, party->id, NULL, party->module))
				continue;
			party->named = true;
			++*parties;
		}
	}
	if (term->type == TERM_ID && term->kset == BINDINGS)
		b = model_binding(model, term->id);
	if (b) {
		b->named = true;
		++*parties;
	}
}

static void bindings_select(struct model *model)
{
	size_t i;

	for (i = 0; i < model->nr_bindings; i++) {
		struct binding *b = &model->bindings[i];

		b->selected = b->named || b->party[CLIENT]->named ||
			      b->party[PROVIDER]->named ||
			      b->party[CLIENT]->interface->named;
	}
}

/* Select parties, and interfaces by these, once bindings are selected. */
static void parties_select(struct model *model)
{
	enum nmr_side side;
	size_t i, j;

	for (side = 0; side < SIDES; side++) {
		for (i = 0; i < model->nr_parties[side]; i++) {
			struct party *party = &model->parties[side][i];

			party->selected = party->named ||
					  (party->interface && party->interface->named);
			for (j = 0; !party->selected && j < party->nr_bindings; j++)
				party->selected = party->bindings[j]->selected;
			if (party->selected && party->interface)
				party->interface->selected = true;
		}
	}
	for (i = 0; i < model->nr_interfaces; i++)
		model->interfaces[i].selected |= model->interfaces[i].named;
}

/* Select the other side of each pair of what is named, as the reason why it is not bound. */
static void peers_select(struct model *model)
{
	enum nmr_side side;
	size_t i;

	for (i = 0; i < model->nr_pairs; i++) {
		struct party *party[SIDES];

		for (side = 0; side < SIDES; side++)
			party[side] = model_party(model, side, model->pairs[i].party_id[side]);
		if (party[CLIENT]->named || party[PROVIDER]->named) {
			party[CLIENT]->selected = true;
			party[PROVIDER]->selected = true;
		}
	}
}

static void select_all(struct model *model)
{
	enum nmr_side side;
	size_t i;

	for (i = 0; i < model->nr_bindings; i++)
		model->bindings[i].selected = true;
	for (side = 0; side < SIDES; side++)
		for (i = 0; i < model->nr_parties[side]; i++)
			model->parties[side][i].selected = true;
	for (i = 0; i < model->nr_interfaces; i++)
		model->interfaces[i].selected = true;
}

static int term_missing(const struct term *term)
{
	static const char *const what[] = {
		[TERM_GUID] = "no module is registered for this interface",
		[TERM_NAME] = "no registered module and no interface of one has this name",
		[TERM_INTERFACE] = "no interface of a registered module has this name",
		[TERM_MODULE] = "no module of this name is registered",
	};

	if (term->type == TERM_ID)
		return fail(NO, "%s: there is no such %s now", term->given,
			    term->kset == BINDINGS ? "binding" : side_name[term->kset]);
	return fail(NO, "%s: %s; nmrctl tree shows what there is", term->given,
		    what[term->type]);
}

/*
 * Select what the terms touch, or all if there are none. Return: DONE; NO: a term names
 * nothing, and @must_exist; USAGE: a name is that of an interface and of a module.
 */
int model_select(struct model *model, const struct terms *terms, bool must_exist)
{
	size_t i, interfaces, parties;

	if (!terms->nr) {
		select_all(model);
		return DONE;
	}
	for (i = 0; i < terms->nr; i++) {
		const struct term *term = &terms->term[i];

		term_mark(model, term, &interfaces, &parties);
		if (interfaces && parties)
			return fail(USAGE,
				    "%s is an interface and a module; write interface:%s or module:%s",
				    term->given, term->text, term->text);
		if (must_exist && !interfaces && !parties)
			return term_missing(term);
	}
	bindings_select(model);
	parties_select(model);
	if (model->need & NEED_ALL_PAIRS)
		peers_select(model);
	return DONE;
}

/* States */

static const char *const states[] = {
	"attached", "detaching", "cleaning", "active", "deregistering", "unbound",
};

int state_check(const char *state)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(states); i++)
		if (!strcmp(state, states[i]))
			return DONE;
	return fail(USAGE,
		    "unknown state %s; it is attached, detaching, cleaning, active, deregistering or unbound",
		    state);
}

static bool party_in_state(const struct party *party, const char *state)
{
	size_t i;

	if (party->state && (!strcmp(party->state, state) ||
			     !strcmp(party_state_text(party), state)))
		return true;
	for (i = 0; i < party->nr_bindings; i++)
		if (party->bindings[i]->selected)
			return true;
	return false;
}

/* Keep selected what is in a state, and parties with bindings that are. */
void model_keep_state(struct model *model, const char *state)
{
	enum nmr_side side;
	size_t i;

	for (i = 0; i < model->nr_bindings; i++)
		model->bindings[i].selected &= !strcmp(model->bindings[i].state, state);
	for (i = 0; i < model->nr_interfaces; i++)
		model->interfaces[i].selected = false;
	for (side = 0; side < SIDES; side++) {
		for (i = 0; i < model->nr_parties[side]; i++) {
			struct party *party = &model->parties[side][i];

			party->selected &= party_in_state(party, state);
			if (party->selected && party->interface)
				party->interface->selected = true;
		}
	}
}
