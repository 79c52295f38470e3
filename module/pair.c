// SPDX-License-Identifier: GPL-2.0
/*
 * What became of the offers already made: a record for each client and provider that
 * have met. Where there is no record the offer is still owed.
 *
 * A deferred pair is offered again when one of three things has happened since the
 * outcome was open: an attached binding of its client or of its provider was cleaned
 * up (or that side asked for new offers), or another registration joined the NPI.
 * Each of these is counted where it happens, and their sum is the pair's token: the
 * pair is due when the token is not what it was when the offer began (or, for a
 * binding detached with FALLBACK, when it was closed). So no event between an offer
 * and its outcome is lost, and none needs a record of its own.
 *
 * Locking: all of it under nmr_lock, but nmr_pair_forget_all(), which takes it.
 */

#include <linux/sched.h>
#include <linux/slab.h>

#include "internal.h"

u64 nmr_pair_token(const struct nmr_pair *pair)
{
	const struct nmr_registration *client = pair->reg[NMR_CLIENT];

	lockdep_assert_held(&nmr_lock);
	return client->events + pair->reg[NMR_PROVIDER]->events + client->npi->arrivals;
}

static u64 nmr_pair_key(const struct rb_node *node)
{
	return rb_entry(node, struct nmr_pair, by_provider)->reg[NMR_PROVIDER]->seq;
}

static bool nmr_pair_less(struct rb_node *a, const struct rb_node *b)
{
	return nmr_pair_key(a) < nmr_pair_key(b);
}

static int nmr_pair_cmp(const void *key, const struct rb_node *node)
{
	u64 seq = *(const u64 *)key;
	u64 other = nmr_pair_key(node);

	return seq < other ? -1 : seq > other;
}

struct nmr_pair *nmr_pair_find(struct nmr_registration *client, u64 provider_seq)
{
	struct rb_node *node;

	lockdep_assert_held(&nmr_lock);
	node = rb_find(&provider_seq, &client->by_provider, nmr_pair_cmp);
	return node ? rb_entry(node, struct nmr_pair, by_provider) : NULL;
}

/* The two meet for the first time. */
void nmr_pair_add(struct nmr_pair *pair, struct nmr_registration *client,
		  struct nmr_registration *provider)
{
	enum nmr_side side;

	lockdep_assert_held(&nmr_lock);
	pair->reg[NMR_CLIENT] = client;
	pair->reg[NMR_PROVIDER] = provider;
	for (side = 0; side < NMR_SIDES; side++)
		list_add_tail(&pair->node[side], &pair->reg[side]->pairs);
	rb_add(&pair->by_provider, &client->by_provider, nmr_pair_less);
}

/* Keep @client among those that an arrival concerns, or not. */
static void nmr_pair_update_waiting(struct nmr_registration *client)
{
	if (list_empty(&client->deferred) || client->leaving)
		list_del_init(&client->waiting);
	else if (list_empty(&client->waiting))
		list_add_tail(&client->waiting, &client->npi->waiting);
}

void nmr_pair_set(struct nmr_pair *pair, enum nmr_pair_state state)
{
	enum nmr_side side;

	lockdep_assert_held(&nmr_lock);
	for (side = 0; side < NMR_SIDES; side++) {
		struct nmr_registration *reg = pair->reg[side];

		reg->nr_deferred -= pair->state == NMR_PAIR_DEFERRED;
		reg->nr_deferred += state == NMR_PAIR_DEFERRED;
		list_move_tail(&pair->node[side], state == NMR_PAIR_DEFERRED ?
			       &reg->deferred : &reg->pairs);
	}
	pair->state = state;
	nmr_pair_update_waiting(pair->reg[NMR_CLIENT]);
}

bool nmr_pair_due(const struct nmr_pair *pair)
{
	return pair->state == NMR_PAIR_DEFERRED && pair->token != nmr_pair_token(pair);
}

/* Something happened that makes each deferred pair of @reg due. */
void nmr_pair_event(struct nmr_registration *reg)
{
	lockdep_assert_held(&nmr_lock);
	reg->events++;
	if (!list_empty(&reg->deferred))
		nmr_registration_scan(reg);
}

static struct nmr_pair *nmr_pair_first(struct nmr_registration *reg)
{
	struct list_head *list = list_empty(&reg->pairs) ? &reg->deferred : &reg->pairs;

	return list_first_entry_or_null(list, struct nmr_pair, node[reg->side]);
}

static struct nmr_pair *nmr_pair_forget_one(struct nmr_registration *reg)
{
	struct nmr_pair *pair = nmr_pair_first(reg);
	struct nmr_registration *client;
	enum nmr_side side;

	if (!pair)
		return NULL;
	client = pair->reg[NMR_CLIENT];
	for (side = 0; side < NMR_SIDES; side++) {
		pair->reg[side]->nr_deferred -= pair->state == NMR_PAIR_DEFERRED;
		list_del(&pair->node[side]);
	}
	rb_erase(&pair->by_provider, &client->by_provider);
	nmr_pair_update_waiting(client);
	return pair;
}

/* @reg is gone; so are the records of whom it met. Takes nmr_lock. */
void nmr_pair_forget_all(struct nmr_registration *reg)
{
	struct nmr_pair *pair;

	do {
		spin_lock_irq(&nmr_lock);
		pair = nmr_pair_forget_one(reg);
		spin_unlock_irq(&nmr_lock);
		kfree(pair);
		cond_resched();
	} while (pair);
}
