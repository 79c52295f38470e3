// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients and providers. Threads register a party, let it live for a while, deregister it
 * in one of several ways, and begin again. The callbacks of the parties check that the
 * registrar calls them as the contract says.
 *
 * Locking: nmrt_party.lock for the list of halves, and nmrt_lost_lock. Both are leaves.
 */

#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../kunit/by_side.h"
#include "torture.h"

#define NMRT_NPIS	2
#define NMRT_HANDLES	16

static const guid_t nmrt_npis[NMRT_NPIS] = {
	GUID_INIT(0x6e6d7254, 0x746f, 0x7274, 0x80, 0, 0, 0, 0, 0, 0, 1),
	GUID_INIT(0x6e6d7254, 0x746f, 0x7274, 0x80, 0, 0, 0, 0, 0, 0, 2),
};

static const guid_t nmrt_module_id =
	GUID_INIT(0x6e6d7254, 0x6d6f, 0x6475, 0x80, 0, 0, 0, 0, 0, 0, 0);

static atomic_t nmrt_parties;

/* Recently issued handles, for meddlers. Their registrations may have finished. */
static u64 nmrt_handles[NMR_SIDES][NMRT_HANDLES];

u64 nmrt_some_handle(struct nmrt_random *r, enum nmr_side side)
{
	return READ_ONCE(nmrt_handles[side][nmrt_random(r) % NMRT_HANDLES]);
}

/* Halves */

static void nmrt_half_put(struct nmrt_half *half)
{
	if (refcount_dec_and_test(&half->refs))
		nmrt_age(&half->aged);
}

static struct nmrt_half *nmrt_half_new(struct nmrt_party *party, struct nmr_binding *binding,
				       const struct nmr_registration_instance *peer)
{
	struct nmrt_half *half = nmrt_alloc(sizeof(*half)), *other;
	u32 number = nmrt_busted(NMRT_BOUND_TWICE) ? 0 : peer->number;

	if (!half)
		return NULL;
	refcount_set(&half->refs, 1);
	half->magic = NMRT_LIVE;
	half->side = party->side;
	half->party = party;
	half->binding = binding;
	half->peer_number = number;
	spin_lock(&party->lock);
	list_for_each_entry(other, &party->halves, node)
		if (other->peer_number == number)
			nmrt_error(NMRT_BOUND_TWICE);
	list_add(&half->node, &party->halves);
	spin_unlock(&party->lock);
	return half;
}

/* End the life of a half, which no caller may enter any more. */
static void nmrt_half_gone(struct nmrt_half *half)
{
	struct nmrt_party *party = half->party;

	if (atomic_read(&half->inside))
		nmrt_error(NMRT_CLEANUP_IN_CALL);
	atomic_set(&half->state, NMRT_GONE);
	WRITE_ONCE(half->magic, NMRT_DEAD);
	nmrt_unpublish(half);
	spin_lock(&party->lock);
	list_del(&half->node);
	spin_unlock(&party->lock);
	atomic_dec(&party->bindings);
	nmrt_half_put(half);
}

static void nmrt_half_moves(struct nmrt_half *half, enum nmrt_state from,
			    enum nmrt_state to)
{
	if (atomic_cmpxchg(&half->state, from, to) != from)
		nmrt_error(NMRT_CALLBACK_ORDER);
}

/* Callbacks */

static void nmrt_callback_begin(struct nmrt_party *party)
{
	atomic_inc(&party->running);
	if (READ_ONCE(party->gone))
		nmrt_error(NMRT_AFTER_WAIT);
}

static void nmrt_callback_end(struct nmrt_party *party)
{
	if (READ_ONCE(party->gone))
		nmrt_error(NMRT_AFTER_WAIT);
	atomic_dec(&party->running);
}

/* Decide about an offer. Return: 0 to accept, or an errno. */
static int nmrt_mood(struct nmrt_party *party)
{
	u32 n = nmrt_random(&party->random) % 256;

	if (n < 24) {
		nmrt_count(NMRT_DECLINED);
		return -ENODEV;
	}
	if (n < 48) {
		nmrt_count(NMRT_DEFERRED);
		return -EPROBE_DEFER;
	}
	if (n < 96)
		usleep_range(10, 1000);
	return 0;
}

static void nmrt_take_binding(struct nmrt_party *party)
{
	u32 max = nmrt_busted(NMRT_TOO_MANY_BINDINGS) ? 1 : party->max_bindings;

	if (atomic_inc_return(&party->bindings) > max && max)
		nmrt_error(NMRT_TOO_MANY_BINDINGS);
}

/* Attach the client after its provider, or fail late. */
static int nmrt_bind(struct nmrt_half *half, struct nmr_endpoint *theirs)
{
	struct nmrt_random *r = &half->party->random;

	half->peer = *theirs;
	half->other = theirs->binding_context;
	if (nmrt_one_in(r, 8)) {
		nmrt_count(NMRT_FAILED_LATE);
		return nmrt_one_in(r, 4) ? -EPROBE_DEFER : -ENODEV;
	}
	nmrt_half_moves(half, NMRT_NEW, NMRT_BOUND);
	nmrt_publish(half, r);
	nmrt_count(NMRT_ATTACHED);
	return 0;
}

static int nmrt_attach_provider(struct nmr_binding *binding, void *client_context,
				const struct nmr_registration_instance *provider)
{
	struct nmr_endpoint ours = { .dispatch = &nmrt_dispatch }, theirs;
	struct nmrt_party *party = client_context;
	struct nmrt_half *half;
	int err;

	nmrt_callback_begin(party);
	nmrt_take_binding(party);
	err = nmrt_mood(party);
	half = err ? NULL : nmrt_half_new(party, binding, provider);
	if (half) {
		ours.binding_context = half;
		err = nmr_client_attach_provider(binding, &ours, &theirs);
		err = err ?: nmrt_bind(half, &theirs);
		if (err)
			nmrt_half_gone(half);
	} else {
		atomic_dec(&party->bindings);
		err = err ?: -ENODEV;
	}
	nmrt_callback_end(party);
	return err;
}

static int nmrt_attach_client(struct nmr_binding *binding, void *provider_context,
			      const struct nmr_registration_instance *instance,
			      const struct nmr_endpoint *client,
			      struct nmr_endpoint *provider)
{
	struct nmrt_party *party = provider_context;
	struct nmrt_half *half;
	int err;

	nmrt_callback_begin(party);
	err = nmrt_mood(party);
	half = err ? NULL : nmrt_half_new(party, binding, instance);
	if (half) {
		atomic_inc(&party->bindings);
		half->peer = *client;
		half->other = client->binding_context;
		refcount_inc(&half->other->refs);
		provider->binding_context = half;
		provider->dispatch = &nmrt_dispatch;
		nmrt_half_moves(half, NMRT_NEW, NMRT_BOUND);
		nmrt_publish(half, &party->random);
		nmrt_count(NMRT_ATTACHED);
	} else {
		err = err ?: -ENODEV;
	}
	nmrt_callback_end(party);
	return err;
}

static void nmrt_client_attached(void *context)
{
	struct nmrt_half *half = context;

	nmrt_callback_begin(half->party);
	if (atomic_read(&half->state) != NMRT_BOUND)
		nmrt_error(NMRT_CALLBACK_ORDER);
	nmrt_callback_end(half->party);
}

/* Pending detach, completed from everywhere */

static void nmrt_complete(struct nmrt_half *half)
{
	struct nmr_binding *binding = half->binding;

	nmrt_half_moves(half, NMRT_DETACHING, NMRT_DETACHED);
	nmrt_count(NMRT_COMPLETED);
	by_side_complete(half->side, binding);
}

static void nmrt_complete_work(struct work_struct *work)
{
	nmrt_complete(container_of(to_delayed_work(work), struct nmrt_half, work));
}

static void nmrt_complete_timer(struct timer_list *timer)
{
	nmrt_complete(container_of(timer, struct nmrt_half, timer));
}

static enum hrtimer_restart nmrt_complete_hrtimer(struct hrtimer *timer)
{
	nmrt_complete(container_of(timer, struct nmrt_half, hrtimer));
	return HRTIMER_NORESTART;
}

static void nmrt_complete_rcu(struct rcu_head *rcu)
{
	nmrt_complete(container_of(rcu, struct nmrt_half, rcu));
}

/* A half that is never completed, if NMRT_STALL is to be provoked. */
static DEFINE_SPINLOCK(nmrt_lost_lock);
static struct nmrt_half *nmrt_lost;

static bool nmrt_lose(struct nmrt_half *half)
{
	bool lost = false;

	if (!nmrt_busted(NMRT_STALL))
		return false;
	spin_lock(&nmrt_lost_lock);
	if (!nmrt_lost) {
		nmrt_lost = half;
		lost = true;
	}
	spin_unlock(&nmrt_lost_lock);
	return lost;
}

void nmrt_complete_lost(void)
{
	struct nmrt_half *half;

	spin_lock(&nmrt_lost_lock);
	half = nmrt_lost;
	spin_unlock(&nmrt_lost_lock);
	if (half && atomic_read(&half->state) == NMRT_DETACHING)
		nmrt_complete(half);
}

/* Complete a pending detach while the callback still runs, or later. */
static void nmrt_complete_later(struct nmrt_half *half, struct nmrt_random *r)
{
	switch (nmrt_random(r) % 5) {
	case 0:
		nmrt_complete(half);
		break;
	case 1:
		INIT_DELAYED_WORK(&half->work, nmrt_complete_work);
		queue_delayed_work(nmrt_wq, &half->work, nmrt_random(r) % 3);
		break;
	case 2:
		timer_setup(&half->timer, nmrt_complete_timer, 0);
		mod_timer(&half->timer, jiffies + nmrt_random(r) % 3);
		break;
	case 3:
		hrtimer_setup(&half->hrtimer, nmrt_complete_hrtimer, CLOCK_MONOTONIC,
			      HRTIMER_MODE_REL_HARD);
		hrtimer_start(&half->hrtimer,
			      ns_to_ktime(nmrt_random(r) % (2 * NSEC_PER_MSEC)),
			      HRTIMER_MODE_REL_HARD);
		break;
	case 4:
		call_rcu(&half->rcu, nmrt_complete_rcu);
		break;
	}
}

/*
 * Compare the reasons of both sides. Both halves are valid until both detach callbacks
 * have returned.
 */
static void nmrt_note_reason(struct nmrt_half *half, enum nmr_detach_reason reason)
{
	if (nmrt_busted(NMRT_REASONS_DIFFER) && half->side == NMR_CLIENT)
		reason = NMR_DETACH_ATTACH_FAILED;
	half->reason = reason;
	WRITE_ONCE(half->detached, true);
	if (half->side == NMR_CLIENT)
		WRITE_ONCE(half->other->detached, true);
	else if (READ_ONCE(half->other->detached) && half->other->reason != reason)
		nmrt_error(NMRT_REASONS_DIFFER);
}

static int nmrt_detach(void *context, enum nmr_detach_reason reason)
{
	struct nmrt_half *half = context;
	struct nmrt_party *party = half->party;
	int ret = 0;

	nmrt_callback_begin(party);
	nmrt_note_reason(half, reason);
	nmrt_half_moves(half, NMRT_BOUND, NMRT_DETACHING);
	/* Leave some halves in the table, so that gates refuse calls until cleanup. */
	if (!nmrt_one_in(&party->random, 8))
		nmrt_unpublish(half);
	if (nmrt_one_in(&party->random, 32))
		nmrt_deregister(NMR_CLIENT, nmrt_some_handle(&party->random, NMR_CLIENT));
	if (nmrt_lose(half)) {
		ret = -EINPROGRESS;
	} else if (nmrt_one_in(&party->random, 2)) {
		bool linger = nmrt_one_in(&party->random, 4);

		nmrt_count(NMRT_PENDING);
		nmrt_complete_later(half, &party->random);
		if (linger)
			usleep_range(100, 5000);
		ret = -EINPROGRESS;
	} else {
		nmrt_half_moves(half, NMRT_DETACHING, NMRT_DETACHED);
	}
	nmrt_callback_end(party);
	return ret;
}

/* Check that both sides have detached, and that the client is cleaned up first. */
static void nmrt_check_other(struct nmrt_half *half)
{
	enum nmrt_state other = atomic_read(&half->other->state);

	if (atomic_read(&half->state) != NMRT_DETACHED ||
	    other != (half->side == NMR_CLIENT ? NMRT_DETACHED : NMRT_GONE))
		nmrt_error(NMRT_CALLBACK_ORDER);
}

static void nmrt_cleanup(void *context)
{
	struct nmrt_half *half = context, *other = half->other;
	struct nmrt_party *party = half->party;
	bool provider = half->side == NMR_PROVIDER;

	nmrt_callback_begin(party);
	nmrt_check_other(half);
	if (nmrt_one_in(&party->random, 8))
		usleep_range(10, 1000);
	if (nmrt_busted(NMRT_CALLBACK_ORDER))
		nmrt_half_moves(half, NMRT_BOUND, NMRT_DETACHING);
	if (nmrt_busted(NMRT_CALL_AFTER_CLEANUP) && provider)
		nmrt_dispatch.op(other, NMRT_SHORT);
	nmrt_half_gone(half);
	if (provider)
		nmrt_half_put(other);
	nmrt_count(NMRT_CLEANED);
	nmrt_callback_end(party);
}

/* Registrars */

static int nmrt_register_client(struct nmrt_party *party)
{
	const struct nmr_client_characteristics c = {
		.attach_provider = nmrt_attach_provider,
		.detach_provider = nmrt_detach,
		.cleanup_binding_context = nmrt_cleanup,
		.instance = {
			.npi_id = &nmrt_npis[party->npi],
			.module_id = &nmrt_module_id,
			.number = party->number,
		},
		.max_bindings = party->max_bindings,
		.slot = party->slot,
	};

	return nmr_register_client(&c, party, &party->client);
}

static int nmrt_register_provider(struct nmrt_party *party)
{
	const struct nmr_provider_characteristics c = {
		.attach_client = nmrt_attach_client,
		.client_attached = nmrt_client_attached,
		.detach_client = nmrt_detach,
		.cleanup_binding_context = nmrt_cleanup,
		.instance = {
			.npi_id = &nmrt_npis[party->npi],
			.module_id = &nmrt_module_id,
			.number = party->number,
		},
	};

	return nmr_register_provider(&c, party, &party->provider);
}

static struct nmrt_party *nmrt_party_new(struct nmrt_random *r)
{
	struct nmrt_party *party = nmrt_alloc(sizeof(*party));

	if (!party)
		return NULL;
	party->side = nmrt_one_in(r, 2) ? NMR_CLIENT : NMR_PROVIDER;
	party->number = atomic_inc_return(&nmrt_parties);
	party->npi = nmrt_random(r) % NMRT_NPIS;
	if (nmrt_one_in(r, 3) && !nmrt_busted(NMRT_TOO_MANY_BINDINGS))
		party->max_bindings = 1 + nmrt_random(r) % 3;
	if (party->side == NMR_CLIENT && nmrt_one_in(r, 3)) {
		party->slot = nmrt_some_slot(r);
		party->max_bindings = 1;
	}
	nmrt_random_init(&party->random);
	spin_lock_init(&party->lock);
	INIT_LIST_HEAD(&party->halves);
	return party;
}

int nmrt_deregister(enum nmr_side side, u64 id)
{
	int err = by_side_deregister(side, id);

	nmrt_expect(err == -EINPROGRESS ||
		    (err == -EALREADY && !nmrt_busted(NMRT_UNEXPECTED_VALUE)) ||
		    (err == -EINVAL && !id));
	return err;
}

/*
 * Check that no call through its slot enters a binding of a client that has deregistered. If
 * the client has finished, another client may have the slot.
 */
static void nmrt_check_slot(const struct nmrt_party *party)
{
	struct nmrt_half *provider;
	struct nmr_call call;

	if (!party->slot || !nmr_slot_enter(party->slot, &call))
		return;
	provider = call.context;
	if (provider->other->party == party)
		nmrt_error(NMRT_SLOT_AFTER_CLOSE);
	nmr_slot_exit(&call);
}

/* Deregister a party and wait, in one of several ways. */
static void nmrt_take_back(struct nmrt_random *r, const struct nmrt_party *party)
{
	enum nmr_side side = party->side;
	u64 id = party->id;
	int err;

	if (nmrt_busted(NMRT_SLOT_AFTER_CLOSE))
		nmrt_check_slot(party);
	switch (nmrt_random(r) % 4) {
	case 0:
		by_side_sync(side, id);
		break;
	case 1:
		local_bh_disable();
		nmrt_deregister(side, id);
		nmrt_check_slot(party);
		local_bh_enable();
		by_side_sync(side, id);
		break;
	case 2:
		nmrt_deregister(side, id);
		nmrt_check_slot(party);
		err = by_side_wait_timeout(side, id, MAX_SCHEDULE_TIMEOUT);
		nmrt_expect(!err);
		break;
	case 3:
		nmrt_deregister(side, id);
		do {
			cond_resched();
			err = by_side_wait_timeout(side, id, nmrt_random(r) % 3);
		} while (err == -ETIMEDOUT);
		nmrt_expect(!err);
		break;
	}
}

static void nmrt_live(struct nmrt_random *r)
{
	u32 n = nmrt_random(r) % 8;

	if (n)
		usleep_range(10, 4000 << n);
}

/* Let a party that has registered live, deregister it, and check that it is gone. */
static void nmrt_party_lives(struct nmrt_party *party, struct nmrt_random *r)
{
	u64 id = party->id;

	nmrt_count(NMRT_REGISTERED);
	WRITE_ONCE(nmrt_handles[party->side][nmrt_random(r) % NMRT_HANDLES], id);
	nmrt_live(r);
	if (nmrt_one_in(r, 2))
		nmrt_walk(r, party->side, id);
	if (nmrt_busted(NMRT_AFTER_WAIT))
		WRITE_ONCE(party->gone, true);
	nmrt_take_back(r, party);
	WRITE_ONCE(party->gone, true);
	if (atomic_read(&party->running) || atomic_read(&party->bindings) ||
	    !list_empty(&party->halves))
		nmrt_error(NMRT_AFTER_WAIT);
	nmrt_count(NMRT_DEREGISTERED);
}

int nmrt_registrar(void *data)
{
	struct nmrt_thread *thread = data;
	struct nmrt_random random;
	struct nmrt_party *party;
	int err;

	nmrt_random_init(&random);
	while (nmrt_go_on(thread)) {
		party = nmrt_party_new(&random);
		if (!party) {
			schedule_timeout_idle(1);
			continue;
		}
		err = party->side == NMR_CLIENT ? nmrt_register_client(party) :
						  nmrt_register_provider(party);
		nmrt_expect(!err || err == -ENOMEM || (err == -EBUSY && party->slot));
		if (!err)
			nmrt_party_lives(party, &random);
		nmrt_age(&party->aged);
	}
	return 0;
}
