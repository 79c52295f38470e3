// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Offers
 *
 * **A register call makes the first offers.** Of two registrations of an NPI the later one
 * makes the offer, in its register call. The call walks through the peers that came earlier,
 * and owns the offer of each until it has passed the peer. If the client is full, or if an
 * allocation fails, the call withholds the offer: it records nothing, and from then on the
 * client's scan owns the offer.
 *
 * **Every owed offer has one owner.** An offer is owed for a client and a provider that have
 * joined, are not leaving, and have no pair. Under nmr_lock, exactly one of these is true:
 *
 * - the register call of the later one has not passed the earlier one (``passed`` of the later
 *   one is below ``seq`` of the earlier one): that call makes the offer;
 * - that call has passed it, and the provider is beyond the mark of the client (``offered`` of
 *   the client is below ``seq`` of the provider): the client's scan makes the offer.
 *
 * A register call passes a peer and decides about it in one critical section. A scan moves the
 * mark over providers that it offers, that have a pair, or that a register call still has to
 * pass. So no offer is lost. An offer begins with taking the pair under nmr_lock, so no offer
 * is made twice.
 *
 * **A scan makes the others.** A scan is a run of a registration's work item. It is queued if
 * an offer may have become possible. A scan of a client makes
 *
 * - the offers that are owed to the client. The client has a mark, ``offered``: providers up
 *   to the mark owe no offer, unless a register call still has to pass them. A register call
 *   that withholds an offer moves the mark back;
 * - the offers of deferred pairs that have become due, see pair.c.
 *
 * Each offer of a scan that calls a module is made in a work item of the binding, so that no
 * module waits for another. The scan makes the other offers itself. A scan of a provider makes
 * no offer. It finds the deferred pairs that an event of the provider has made due, and queues
 * scans of their clients.
 *
 * **When a scan is queued.** nmr_binding_finish() queues a scan of a client that has
 * max_bindings, because there is room for a binding again. Events of pairs, and retries after
 * an allocation failure, queue scans, too. A scan that has not begun serves later requests. A
 * scan that has begun is queued again. A scan of a full client stops at its first due pair, so
 * N providers that defer cost O(N).
 *
 * **Allocation failure.** nmr_starve() lists the client as starved and arms one delayed work
 * for all starved clients. After ``NMR_RETRY_DELAY`` that work scans them again, until the
 * offers are made.
 */
/*
 * Locking: nmr_lock, dropped at least every NMR_BATCH steps. All functions run in process
 * context and allocate without the lock.
 */

#include <linux/kernel.h>
#include <linux/sched.h>

#include "binding.h"
#include "callback.h"

#define NMR_RETRY_DELAY	(HZ / 10)	/* until an allocation is tried again */

/**
 * struct nmr_offers - the offers that a register call or a scan makes
 * @reg:	the registration
 * @spare:	a binding for the next offer, allocated without the lock, or NULL
 * @no_memory:	the allocation of @spare has failed
 * @offer:	the result of a step: a binding to be attached, or NULL
 *
 * A step looks for the next offer under nmr_lock. It returns
 *
 * * 0		- @offer is the next offer, or NULL if there is none
 * * %-EAGAIN	- the step has done a batch: call it again
 * * %-ENOMEM	- call it again with @spare or with @no_memory
 */
struct nmr_offers {
	struct nmr_registration	*reg;
	struct nmr_binding	*spare;
	bool			no_memory;
	struct nmr_binding	*offer;
};

static LIST_HEAD(nmr_starved);	/* nmr_lock */

/*
 * Scan the clients that are starved now. If an allocation of a concurrent scan fails, the scan
 * lists its client for the next retry.
 */
static void nmr_retry(struct work_struct *work)
{
	struct nmr_registration *client;
	unsigned int budget = 0;
	LIST_HEAD(starved);

	spin_lock_irq(&nmr_lock);
	list_splice_init(&nmr_starved, &starved);
	while ((client = list_first_entry_or_null(&starved, struct nmr_registration,
						  starved))) {
		list_del_init(&client->starved);
		nmr_registration_scan(client);
		if (++budget % NMR_BATCH == 0) {
			spin_unlock_irq(&nmr_lock);
			cond_resched();
			spin_lock_irq(&nmr_lock);
		}
	}
	spin_unlock_irq(&nmr_lock);
}

static DECLARE_DELAYED_WORK(nmr_retry_work, nmr_retry);

/* Note that an allocation for an offer to @client failed. The next offer tries again. */
static void nmr_starve(struct nmr_offers *o, struct nmr_registration *client)
{
	o->no_memory = false;
	if (list_empty(&client->starved))
		list_add_tail(&client->starved, &nmr_starved);
	queue_delayed_work(nmr_timed_wq, &nmr_retry_work, NMR_RETRY_DELAY);
}

void nmr_offer_exit(void)
{
	cancel_delayed_work_sync(&nmr_retry_work);
}

static struct nmr_registration *nmr_one_of(enum nmr_side side,
					   struct nmr_registration *a,
					   struct nmr_registration *b)
{
	return a->side == side ? a : b;
}

static void nmr_use_spare(struct nmr_offers *o, struct nmr_registration *client,
			  struct nmr_registration *provider, struct nmr_pair *pair)
{
	nmr_binding_offer(o->spare, client, provider, pair);
	o->offer = o->spare;
	o->spare = NULL;
}

/* Run steps until one has found an offer. Return: the offer, or NULL if there is none. */
static struct nmr_binding *nmr_next_offer(struct nmr_offers *o,
					  int (*step)(struct nmr_offers *o))
{
	int err;

	/* After an offer there is likely another one: allocate before the step asks. */
	if (o->offer && !o->spare)
		o->spare = nmr_binding_alloc();
	o->offer = NULL;
	do {
		spin_lock_irq(&nmr_lock);
		err = step(o);
		spin_unlock_irq(&nmr_lock);
		o->no_memory = false;
		if (err == -ENOMEM) {
			o->spare = nmr_binding_alloc();
			o->no_memory = !o->spare;
		}
		cond_resched();
	} while (err);
	return o->offer;
}

/* The offers of a register call */

/* Leave an offer of a register call to the client's scan. */
static void nmr_withhold(struct nmr_registration *client,
			 struct nmr_registration *provider)
{
	client->offered = min(client->offered, provider->seq - 1);
}

/*
 * Pass the next peer that came earlier. Advance ->passed and decide about the peer in one
 * critical section, so that either this call or the client's scan owns the offer at any time.
 */
static int nmr_earlier_step(struct nmr_offers *o)
{
	struct nmr_registration *reg = o->reg, *peer, *client, *provider;
	unsigned int budget;
	bool full;

	for (budget = NMR_BATCH; budget; budget--) {
		peer = nmr_npi_next(reg->npi, nmr_peer(reg->side), reg->passed);
		if (reg->leaving || !peer || peer->seq > reg->seq) {
			reg->passed = U64_MAX;
			return 0;
		}
		client = nmr_one_of(NMR_CLIENT, reg, peer);
		provider = nmr_one_of(NMR_PROVIDER, reg, peer);
		full = nmr_registration_full(client);
		if (!full && !o->spare && !o->no_memory)
			return -ENOMEM;

		reg->passed = peer->seq;
		if (!full && o->spare) {
			nmr_use_spare(o, client, provider, NULL);
			return 0;
		}
		nmr_withhold(client, provider);
		if (!full)
			nmr_starve(o, client);
	}
	return -EAGAIN;
}

/**
 * nmr_offer_earlier() - make the offers of a register call
 * @reg: the registration, just published
 *
 * The function returns when each offer has been made and its attach callbacks have returned. The
 * calling task makes the offers. If it is NMR_CALLBACKS_NESTED callbacks deep, workers make those
 * that call a module.
 *
 * Context: Process, may sleep.
 */
void nmr_offer_earlier(struct nmr_registration *reg)
{
	struct nmr_offers o = { .reg = reg };
	const struct nmr_callback *outer;
	bool nested = nmr_callback_nested(&outer);
	struct nmr_binding *b;

	while ((b = nmr_next_offer(&o, nmr_earlier_step))) {
		if (nested)
			nmr_binding_attach_elsewhere(b, outer);
		else
			nmr_binding_attach(b);
	}
	nmr_binding_discard(o.spare);
}

/**
 * nmr_offer_arrival() - make deferred pairs due, as a provider has joined their NPI
 * @provider: the provider
 *
 * The function looks only at the clients that have deferred pairs now. If a pair is deferred while
 * this function runs, its token either includes the arrival, or was kept before the arrival and
 * differs from the present one, so that the pair is due at once.
 *
 * Context: Process, may sleep.
 */
void nmr_offer_arrival(struct nmr_registration *provider)
{
	struct nmr_registration *client;
	unsigned int budget = 0;
	LIST_HEAD(waiting);

	spin_lock_irq(&nmr_lock);
	list_splice_init(&provider->npi->waiting, &waiting);
	while ((client = list_first_entry_or_null(&waiting, struct nmr_registration,
						  waiting))) {
		nmr_pair_all_due(client);
		if (++budget % NMR_BATCH == 0) {
			spin_unlock_irq(&nmr_lock);
			cond_resched();
			spin_lock_irq(&nmr_lock);
		}
	}
	spin_unlock_irq(&nmr_lock);
}

/* Scans */

/* Tell whether a register call, which has not passed the pair yet, owns the offer. */
static bool nmr_on_its_way(const struct nmr_registration *client,
			   const struct nmr_registration *provider)
{
	const struct nmr_registration *later = client, *earlier = provider;

	if (client->seq < provider->seq)
		swap(later, earlier);
	return later->passed < earlier->seq;
}

/* Find the next offer that is owed to a client. */
static int nmr_owed_step(struct nmr_offers *o)
{
	struct nmr_registration *client = o->reg, *provider;
	unsigned int budget;

	for (budget = NMR_BATCH; budget; budget--) {
		if (client->leaving || nmr_registration_full(client))
			return 0;
		provider = nmr_npi_next(client->npi, NMR_PROVIDER, client->offered);
		if (!provider)
			return 0;
		if (!nmr_on_its_way(client, provider) &&
		    !nmr_pair_find(client, provider->seq)) {
			if (o->no_memory) {
				nmr_starve(o, client);
				return 0;
			}
			if (!o->spare)
				return -ENOMEM;
			nmr_use_spare(o, client, provider, NULL);
		}
		client->offered = provider->seq;
		if (o->offer)
			return 0;
	}
	return -EAGAIN;
}

/* Find the next deferred pair of a client that can be offered. */
static int nmr_due_step(struct nmr_offers *o)
{
	struct nmr_registration *client = o->reg;
	struct nmr_pair *pair;
	unsigned int budget;

	for (budget = NMR_BATCH; budget; budget--) {
		pair = list_first_entry_or_null(&client->due, struct nmr_pair,
						node[NMR_CLIENT]);
		if (!pair || client->leaving || nmr_registration_full(client))
			return 0;
		if (pair->reg[NMR_PROVIDER]->leaving) {
			nmr_pair_set(pair, NMR_PAIR_DECLINED);
		} else if (!nmr_pair_due(pair)) {
			nmr_pair_sort(pair);
		} else if (o->spare) {
			nmr_use_spare(o, client, pair->reg[NMR_PROVIDER], pair);
			return 0;
		} else if (o->no_memory) {
			nmr_starve(o, client);
			return 0;
		} else {
			return -ENOMEM;
		}
	}
	return -EAGAIN;
}

/* Start every offer that can be made to @client now. */
static void nmr_scan_client(struct nmr_registration *client)
{
	struct nmr_offers o = { .reg = client };
	struct nmr_binding *b;

	while ((b = nmr_next_offer(&o, nmr_owed_step)))
		nmr_binding_attach_start(b);
	while ((b = nmr_next_offer(&o, nmr_due_step)))
		nmr_binding_attach_start(b);
	nmr_binding_discard(o.spare);
}

/* Let other tasks run in the middle of a scan. It is not inlined, as a test stops a scan here. */
static noinline void nmr_scan_rest(void)
{
	cond_resched();
}

/*
 * Call @visit for at least as many pairs as there were in @list when this function began. A
 * visited pair goes to the end of the list, behind all pairs that have not been visited. Clients do
 * not count their deferred pairs, so other pairs of a client may be visited again. The test of
 * ->leaving only saves visits: no step offers a pair of a registration that is leaving.
 */
static void nmr_scan_pairs(struct nmr_registration *reg, struct list_head *list,
			   void (*visit)(struct nmr_pair *pair))
{
	struct nmr_pair *pair;
	unsigned int budget = 0, left;

	spin_lock_irq(&nmr_lock);
	left = list == &reg->deferred ? reg->nr_deferred :
					reg->nr_pairs - reg->nr_deferred;
	for (; left && !reg->leaving; left--) {
		pair = list_first_entry_or_null(list, struct nmr_pair, node[reg->side]);
		if (!pair)
			break;
		list_move_tail(&pair->node[reg->side], list);
		visit(pair);
		if (++budget % NMR_BATCH == 0) {
			spin_unlock_irq(&nmr_lock);
			nmr_scan_rest();
			spin_lock_irq(&nmr_lock);
		}
	}
	spin_unlock_irq(&nmr_lock);
}

/* Queue a scan of the client if an event of the provider has made @pair due. */
static void nmr_wake_pair(struct nmr_pair *pair)
{
	if (!nmr_pair_due(pair))
		return;
	nmr_pair_sort(pair);
	nmr_registration_scan(pair->reg[NMR_CLIENT]);
}

/* Queue a new offer of a pair that was declined or aborted, or that is about to be. */
static void nmr_forgive_pair(struct nmr_pair *pair)
{
	if (pair->state == NMR_PAIR_BOUND) {
		pair->binding->forgiven = nmr_binding_closed(pair->binding);
		return;
	}
	nmr_pair_forgive(pair);
	nmr_registration_scan(pair->reg[NMR_CLIENT]);
}

/**
 * nmr_offer_again() - scan a registration
 * @reg:     the registration
 * @forgive: also offer the pairs that were declined or aborted
 *
 * Context: Process, may sleep.
 */
void nmr_offer_again(struct nmr_registration *reg, bool forgive)
{
	if (forgive)
		nmr_scan_pairs(reg, &reg->pairs, nmr_forgive_pair);
	if (reg->side == NMR_CLIENT)
		nmr_scan_client(reg);
	else
		nmr_scan_pairs(reg, &reg->deferred, nmr_wake_pair);
}
