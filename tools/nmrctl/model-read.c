// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The files of parties and bindings. A file costs the kernel 12,000 instructions and a link
 * 10,000, so these functions read a file only if the command prints what it says, or if another
 * file does not say it: an attached binding has no reason, no detach and no time.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nmrctl.h"

/* Return: the interned word, or NULL if the object has gone. */
static const char *word(int dir, unsigned long long id, const char *file)
{
	char text[256];

	return word_read(dir, id, file, text, sizeof(text)) < 0 ? NULL : intern(text);
}

static long long count(int dir, unsigned long long id, const char *file)
{
	char text[32];
	const char *end;
	unsigned long long n;

	if (word_read(dir, id, file, text, sizeof(text)) < 0 || !id_parse(text, &n, &end) ||
	    *end || n > INT64_MAX)
		return -1;
	return n;
}

static bool drain_read(int dir, struct binding *b)
{
	b->reason = word(dir, b->id, "reason");
	b->detach[CLIENT] = word(dir, b->id, "client_detach");
	b->detach[PROVIDER] = word(dir, b->id, "provider_detach");
	b->pending_ms = count(dir, b->id, "pending_ms");
	if (!b->reason || !b->detach[CLIENT] || !b->detach[PROVIDER] || b->pending_ms < 0)
		return false;
	if (!*b->reason)
		b->reason = NULL;
	return true;
}

static bool state_read(unsigned int need, int dir, struct binding *b)
{
	b->state = word(dir, b->id, "state");
	if (!b->state)
		return false;
	if (need & NEED_CALLS) {
		b->calls[CLIENT] = count(dir, b->id, "client_calls");
		b->calls[PROVIDER] = count(dir, b->id, "provider_calls");
	}
	if (!(need & NEED_DRAIN))
		return true;
	if (strcmp(b->state, "attached"))
		return drain_read(dir, b);
	b->detach[CLIENT] = intern("none");
	b->detach[PROVIDER] = b->detach[CLIENT];
	b->pending_ms = 0;
	return true;
}

static bool binding_read(unsigned int need, int dir, struct binding *b)
{
	if (need & NEED_SIDES && !(link_read(dir, b->id, "client", &b->party_id[CLIENT]) &&
				   link_read(dir, b->id, "provider", &b->party_id[PROVIDER])))
		return false;
	return !(need & NEED_STATE) || state_read(need, dir, b);
}

void bindings_read(struct model *model)
{
	int dir = model->need & NEED_BINDINGS ? kset_open(BINDINGS) : -1;
	unsigned long long *ids;
	size_t n, i;

	if (dir < 0)
		return;
	ids = ids_read(dir, &n);
	model->bindings = allocate(n * sizeof(struct binding));
	for (i = 0; i < n; i++) {
		struct binding *b = &model->bindings[model->nr_bindings];

		*b = (struct binding) {
			.id = ids[i], .calls = { -1, -1 }, .pending_ms = -1,
		};
		model->nr_bindings += binding_read(model->need, dir, b);
	}
	free(ids);
	close(dir);
}

/* Read which parties there are. */
void parties_read(struct model *model)
{
	enum nmr_side side;
	unsigned long long *ids;
	size_t i;
	int dir;

	for (side = 0; side < SIDES; side++) {
		dir = model->need & NEED_PARTIES ? kset_open(side) : -1;
		if (dir < 0)
			continue;
		ids = ids_read(dir, &model->nr_parties[side]);
		model->parties[side] = allocate(model->nr_parties[side] *
						sizeof(struct party));
		for (i = 0; i < model->nr_parties[side]; i++) {
			model->parties[side][i].id = ids[i];
			model->parties[side][i].side = side;
			model->parties[side][i].number = -1;
		}
		free(ids);
		close(dir);
	}
}

/* Tell whether a party has a binding of which nothing has gone. */
static bool bound(const struct party *party)
{
	size_t i;

	for (i = 0; i < party->nr_bindings; i++)
		if (!party->bindings[i]->gone)
			return true;
	return false;
}

/* The interface of a client that is bound is that of its provider. */
static bool guid_needed(unsigned int need, const struct party *party)
{
	if (bound(party))
		return need & NEED_INTERFACE && party->side == PROVIDER;
	return need & (NEED_INTERFACE | NEED_UNBOUND);
}

static bool state_needed(unsigned int need, const struct party *party)
{
	if (need & NEED_UNBOUND && !bound(party))
		return true;
	return need & (party->side == CLIENT ? NEED_CLIENT : NEED_PROVIDER);
}

static bool party_read(unsigned int need, int dir, struct party *party)
{
	char guid[GUID_SIZE];

	if (need & NEED_MODULE)
		party->module = word(dir, party->id, "module");
	if (need & NEED_IDENTITY) {
		party->module_id = word(dir, party->id, "module_id");
		party->number = count(dir, party->id, "number");
	}
	if (state_needed(need, party))
		party->state = word(dir, party->id, "state");
	if (guid_needed(need, party)) {
		party->guid = word(dir, party->id, "npi_id");
		if (!party->guid || !guid_parse(party->guid, guid))
			return false;
		party->guid = intern(guid);
	}
	return !(need & NEED_MODULE && !party->module) &&
	       !(need & NEED_IDENTITY && !party->module_id) &&
	       !(state_needed(need, party) && !party->state);
}

/*
 * Read the files of parties. A party that has gone takes its bindings along. Providers come
 * first, so that a client is known to be without a binding if its provider has gone.
 */
void party_rest_read(struct model *model)
{
	const unsigned int files = NEED_MODULE | NEED_INTERFACE | NEED_IDENTITY | NEED_CLIENT |
				   NEED_PROVIDER | NEED_UNBOUND;
	enum nmr_side side;
	size_t i, j;
	int dir;

	for (side = SIDES; model->need & files && side-- > 0;) {
		dir = kset_open(side);
		for (i = 0; i < model->nr_parties[side]; i++) {
			struct party *party = &model->parties[side][i];

			party->gone = dir < 0 || !party_read(model->need, dir, party);
			for (j = 0; party->gone && j < party->nr_bindings; j++)
				party->bindings[j]->gone = true;
		}
		if (dir >= 0)
			close(dir);
	}
}
