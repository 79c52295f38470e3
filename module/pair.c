// SPDX-License-Identifier: GPL-2.0-only
/*
 * What became of the offers already made: a record for each client and provider that
 * have met. Where there is no record the offer is still owed.
 *
 * A deferred pair is offered again when one of three things has happened since the
 * outcome was open: an attached binding of its client or of its provider was cleaned
 * up (or that side asked for new offers), or another provider joined the NPI. Each of
 * these events is counted where it happens, and the sum of the counts is the pair's
 * token. The pair is due when its token differs from the one that was kept when the
 * offer began (for a binding detached with FALLBACK: when the binding closed). So no
 * event between an offer and its outcome is lost, and no event needs a record.
 *
 * A client has two lists of deferred pairs: those that no event has concerned yet, and
 * those that may be due. Events move pairs from the first to the second, so a scan of a
 * client looks only at pairs that it can offer, and a pair costs a constant number of
 * steps an event, however many other pairs wait.
 *
 * Locking: all functions must be called with nmr_lock held, except nmr_pair_reoffer() and
 * nmr_pair_forget_all(), which take it.
 */

#include <linux/sched.h>
#include <linux/slab.h>

#include "internal.h"

u64 nmr_pair_token(const struct nmr_pair *pair)
{
	const struct nmr_registration *client = pair->reg[NMR_CLIENT];

	lockdep_assert_held(&nmr_lock);
	return client->events + pair->reg[NMR_PROVIDER]->events + client->npi->providers;
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

/* Record that the two meet for the first time. */
void nmr_pair_add(struct nmr_pair *pair, struct nmr_registration *client,
		  struct nmr_registration *provider)
{
	enum nmr_side side;

	lockdep_assert_held(&nmr_lock);
	pair->reg[NMR_CLIENT] = client;
	pair->reg[NMR_PROVIDER] = provider;
	for (side = 0; side < NMR_SIDES; side++) {
		list_add_tail(&pair->node[side], &pair->reg[side]->pairs);
		pair->reg[side]->nr_pairs++;
	}
	rb_add(&pair->by_provider, &client->by_provider, nmr_pair_less);
}

/* Keep @client in the list of clients that an arriving provider concerns, or not. */
static void nmr_pair_update_waiting(struct nmr_registration *client)
{
	if (list_empty(&client->deferred) || client->leaving)
		list_del_init(&client->waiting);
	else if (list_empty(&client->waiting))
		list_add_tail(&client->waiting, &client->npi->waiting);
}

/* Tell whether an event has happened since the outcome of a deferred pair was open. */
bool nmr_pair_due(const struct nmr_pair *pair)
{
	return pair->state == NMR_PAIR_DEFERRED && pair->token != nmr_pair_token(pair);
}

/* Put @pair into the list of its client where a scan of the client looks, or not. */
void nmr_pair_sort(struct nmr_pair *pair)
{
	struct nmr_registration *client = pair->reg[NMR_CLIENT];
	struct list_head *list = &client->pairs;

	lockdep_assert_held(&nmr_lock);
	if (pair->state == NMR_PAIR_DEFERRED)
		list = nmr_pair_due(pair) ? &client->due : &client->deferred;
	list_move_tail(&pair->node[NMR_CLIENT], list);
	nmr_pair_update_waiting(client);
}

void nmr_pair_set(struct nmr_pair *pair, enum nmr_pair_state state)
{
	struct nmr_registration *provider = pair->reg[NMR_PROVIDER];

	lockdep_assert_held(&nmr_lock);
	provider->nr_deferred -= pair->state == NMR_PAIR_DEFERRED;
	provider->nr_deferred += state == NMR_PAIR_DEFERRED;
	pair->state = state;
	list_move_tail(&pair->node[NMR_PROVIDER], state == NMR_PAIR_DEFERRED ?
		       &provider->deferred : &provider->pairs);
	nmr_pair_sort(pair);
}

/* Have a scan of @client look at all of its deferred pairs. */
void nmr_pair_all_due(struct nmr_registration *client)
{
	lockdep_assert_held(&nmr_lock);
	if (!list_empty(&client->deferred)) {
		list_splice_tail_init(&client->deferred, &client->due);
		nmr_pair_update_waiting(client);
	}
	if (!list_empty(&client->due))
		nmr_registration_scan(client);
}

/* Count an event of @reg, which makes each of its deferred pairs due. */
void nmr_pair_event(struct nmr_registration *reg)
{
	lockdep_assert_held(&nmr_lock);
	reg->events++;
	if (reg->side == NMR_CLIENT)
		nmr_pair_all_due(reg);
	else if (reg->nr_deferred)
		nmr_registration_scan(reg);
}

/**
 * nmr_pair_reoffer() - offer a registration its pairs again
 * @reg: the registration
 * @all: also those that were declined or aborted, and not only those that are deferred
 *
 * Context: Task or softirq.
 * Return: 0, or -ESHUTDOWN: @reg is leaving.
 */
int nmr_pair_reoffer(struct nmr_registration *reg, bool all)
{
	unsigned long flags;
	int err = 0;

	spin_lock_irqsave(&nmr_lock, flags);
	if (reg->leaving) {
		err = -ESHUTDOWN;
	} else if (reg->joined) {
		nmr_pair_event(reg);
		reg->forgive |= all;
		if (all)
			nmr_registration_scan(reg);
	}
	spin_unlock_irqrestore(&nmr_lock, flags);
	return err;
}

static struct nmr_pair *nmr_pair_first(struct nmr_registration *reg)
{
	struct list_head *list = &reg->pairs;

	if (list_empty(list))
		list = list_empty(&reg->due) ? &reg->deferred : &reg->due;
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
	pair->reg[NMR_PROVIDER]->nr_deferred -= pair->state == NMR_PAIR_DEFERRED;
	for (side = 0; side < NMR_SIDES; side++) {
		pair->reg[side]->nr_pairs--;
		list_del(&pair->node[side]);
	}
	rb_erase(&pair->by_provider, &client->by_provider);
	nmr_pair_update_waiting(client);
	return pair;
}

/* Free the records of @reg, which has finished. Takes nmr_lock. */
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
