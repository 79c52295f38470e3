// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Pairs
 *
 * A pair is the record of what became of the offer to a client of a provider. If there is no
 * record, the offer is still owed. The first of the two registrations that finishes frees the
 * record.
 *
 * **Deferred pairs.** A deferred pair is offered again if one of three events has happened
 * since its outcome was open: an attached binding of its client or of its provider has been
 * cleaned up, that side has asked for new offers, or another provider has joined the NPI. Each
 * event is counted where it happens. The sum of the counts is the *token* of the pair. The
 * pair is due if its token differs from the token that was kept when the offer began (for a
 * binding detached with ``NMR_DETACH_FALLBACK``: when the binding closed). So no event
 * between an offer and its outcome is lost, and no event needs a record. The cleanup of a
 * binding is no event of its own pair: the token that the pair keeps moves along. A client
 * that registers is no event, or N clients of a provider that defers would be made N^2/2
 * offers.
 *
 * **Linear cost.** A client has two lists of deferred pairs: *deferred* holds pairs that no
 * event has concerned yet, *due* holds pairs that may be due. Events move pairs from the first
 * list to the second. So a scan of a client looks only at pairs that it can offer, and each
 * pair costs a constant number of steps an event, however many other pairs wait.
 */
/*
 * Locking: all functions must be called with nmr_lock held, except nmr_registration_reoffer()
 * and nmr_pair_forget_all(), which take it.
 */

#include <linux/sched.h>
#include <linux/slab.h>

#include "registration.h"

/* Count the events that concern @pair. */
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

/* Record that @client and @provider meet for the first time. */
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

/*
 * Put @client into the list of clients that an arriving provider concerns, or remove it. The
 * test of ->leaving only saves that provider a step: nmr_registration_scan() queues no scan of a
 * client that is leaving.
 */
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

/* Put @pair into that list of its client that fits its state. */
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

/*
 * Set the state of @pair. A pair that stays in its lists keeps its place, as nmr_scan_pairs() may
 * be on the way to it.
 */
void nmr_pair_set(struct nmr_pair *pair, enum nmr_pair_state state)
{
	struct nmr_registration *provider = pair->reg[NMR_PROVIDER];
	int was_deferred = pair->state == NMR_PAIR_DEFERRED;
	int deferred = state == NMR_PAIR_DEFERRED;

	lockdep_assert_held(&nmr_lock);
	pair->state = state;
	if (!deferred && !was_deferred)
		return;
	provider->nr_deferred += deferred - was_deferred;
	list_move_tail(&pair->node[NMR_PROVIDER],
		       deferred ? &provider->deferred : &provider->pairs);
	nmr_pair_sort(pair);
}

/* Make @pair due, whatever its outcome was. */
void nmr_pair_forgive(struct nmr_pair *pair)
{
	pair->token = nmr_pair_token(pair) - 1;
	nmr_pair_set(pair, NMR_PAIR_DEFERRED);
}

/* Queue a scan of @client that looks at all of its deferred pairs. */
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
void nmr_registration_event(struct nmr_registration *reg)
{
	lockdep_assert_held(&nmr_lock);
	reg->events++;
	if (reg->side == NMR_CLIENT)
		nmr_pair_all_due(reg);
	else if (reg->nr_deferred)
		nmr_registration_scan(reg);
}

/**
 * nmr_registration_reoffer() - offer the deferred pairs of a registration again
 * @reg: the registration
 * @all: also offer the pairs that were declined or aborted
 *
 * Context: Task or softirq.
 * Return:
 * * 0			- the offers will be made
 * * %-ESHUTDOWN	- @reg is leaving
 */
int nmr_registration_reoffer(struct nmr_registration *reg, bool all)
{
	unsigned long flags;
	int err = 0;

	spin_lock_irqsave(&nmr_lock, flags);
	if (reg->leaving) {
		err = -ESHUTDOWN;
	} else if (reg->joined) {
		nmr_registration_event(reg);
		if (all) {
			reg->forgive = true;
			nmr_registration_scan(reg);
		}
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

/* Free the records of @reg, which has finished. Must be called without nmr_lock. */
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
	WARN_ON_ONCE(reg->nr_pairs);
}
