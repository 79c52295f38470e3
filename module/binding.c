// SPDX-License-Identifier: GPL-2.0-only
/*
 * A binding's life.
 *
 *   attaching   The client's attach callback runs, and in it the provider's. Each
 *		 one's success opens the gate of the other. client_attached is the
 *		 last part.
 *   attached    They call each other.
 *   closed      Both gates close at once, for good. If the binding is still
 *		 attaching the rest waits until it is not, so that detach never
 *		 overlaps attach. Then one grace period passes, shared with the
 *		 bindings that close in the same batch.
 *   detaching   A worker folds the gates and calls the two detach callbacks, the
 *		 client's first.
 *   cleaning    A worker calls the cleanup callbacks, the client's first; then a
 *		 worker of the registrar's own takes the binding out of sysfs and out
 *		 of its registrations.
 *
 * A binding closes once: closed goes from false to true under nmr_lock, so the first
 * reason wins. The closer starts the grace period under the same lock; or, if it found
 * attaching set, the task that clears that does.
 *
 * Cleanup starts once: todo counts five things, two gates drained, two sides detached,
 * and the detach worker itself. The task or interrupt that does the last of them queues
 * the cleanup. Each of the five is done exactly once: a gate by the fold or by one exit,
 * see gate.c, a side by one successful transition of its detach state to DONE:
 *
 *   worker, before the callback    NONE -> CALLED
 *   worker, it returned 0	    CALLED or COMPLETED -> DONE
 *   worker, it returned pending    CALLED -> PENDING, or else COMPLETED -> DONE
 *   complete()			    CALLED -> COMPLETED, or PENDING -> DONE
 *
 * Pending occupies no worker: between these events nothing of a binding is queued.
 *
 * The work item serves attach (of an offer that is not made in a register call),
 * detach and cleanup in turn. A work item never runs twice at once, so cleanup callbacks
 * also come after the detach worker has returned.
 *
 * Locking: nmr_lock for what internal.h marks L. Complete, get and put take no lock.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <trace/events/nmr.h>

#include "internal.h"

static u64 nmr_binding_ids;	/* the last one given; nmr_lock */

static void nmr_binding_work(struct work_struct *work);

/* Attach */

/**
 * nmr_binding_offer() - bind a client and a provider, to be attached
 * @b:	      of nmr_binding_alloc()
 * @client:   not leaving, not full
 * @provider: not leaving
 * @pair:     their record, if they have met before, or NULL
 *
 * The caller calls nmr_binding_attach() or nmr_binding_attach_later().
 */
void nmr_binding_offer(struct nmr_binding *b, struct nmr_registration *client,
		       struct nmr_registration *provider, struct nmr_pair *pair)
{
	enum nmr_side side;

	lockdep_assert_held(&nmr_lock);
	b->id = ++nmr_binding_ids;
	b->reg[NMR_CLIENT] = client;
	b->reg[NMR_PROVIDER] = provider;
	b->attaching = true;
	b->since = jiffies;
	INIT_WORK(&b->work, nmr_binding_work);
	nmr_track_init(b);
	if (pair) {
		kfree(b->pair);
		b->pair = pair;
		nmr_pair_set(pair, NMR_PAIR_BOUND);
	} else {
		nmr_pair_add(b->pair, client, provider);
	}
	b->pair->token = nmr_pair_token(b->pair);
	b->pair->binding = b;

	for (side = 0; side < NMR_SIDES; side++) {
		struct nmr_registration *reg = b->reg[side];

		nmr_registration_get(reg);
		nmr_registration_busy(reg);
		reg->bindings++;
		list_add_tail(&b->node[side], &reg->open);
	}
	nmr_stuck_watch(b);
}

static bool nmr_binding_unwanted(const struct nmr_binding *b)
{
	return READ_ONCE(b->reg[NMR_CLIENT]->leaving) ||
	       READ_ONCE(b->reg[NMR_PROVIDER]->leaving);
}

/*
 * Tell whether a gate may open. Closing takes the same lock. A registration that leaves
 * closes its bindings a batch at a time, so one that is not closed yet may be about to.
 */
static bool nmr_binding_may_open(const struct nmr_binding *b)
{
	lockdep_assert_held(&nmr_lock);
	return !b->closed && !nmr_binding_unwanted(b);
}

/* The provider has said yes: the client may call. */
static void nmr_binding_provider_attached(struct nmr_binding *b,
					  const struct nmr_endpoint *provider)
{
	spin_lock_irq(&nmr_lock);
	b->end[NMR_PROVIDER] = *provider;
	b->has_attached[NMR_PROVIDER] = true;
	if (nmr_binding_may_open(b))
		nmr_gate_open(b, NMR_CLIENT);
	spin_unlock_irq(&nmr_lock);
}

int nmr_client_attach_provider(struct nmr_binding *binding,
			       const struct nmr_endpoint *client,
			       struct nmr_endpoint *provider)
{
	struct nmr_registration *reg;
	struct nmr_endpoint end = {};
	int err;

	if (!binding || READ_ONCE(binding->attacher) != current || binding->asked)
		return -EINVAL;
	binding->asked = true;
	if (nmr_binding_unwanted(binding))
		return -ECANCELED;

	if (client)
		binding->end[NMR_CLIENT] = *client;
	reg = binding->reg[NMR_PROVIDER];
	err = reg->attach_client(binding, reg->context,
				 &binding->reg[NMR_CLIENT]->instance,
				 &binding->end[NMR_CLIENT], &end);
	if (err > 0) {
		nmr_misuse(reg, NMR_MISUSE_ATTACH_VALUE, binding->id);
		err = -ENODEV;
	}
	if (err) {
		binding->refusal = err;
		return err;
	}
	if (provider)
		*provider = end;
	nmr_binding_provider_attached(binding, &end);
	return 0;
}
EXPORT_SYMBOL_NMR(nmr_client_attach_provider);

static bool nmr_is_error(int err)
{
	return err < 0 && err != -ENODEV && err != -ECANCELED && err != -EPROBE_DEFER;
}

/* Write one line for an offer that failed, which blames one side. */
static void nmr_attach_report(const struct nmr_binding *b, int err)
{
	const char *client = b->reg[NMR_CLIENT]->modname;
	const char *provider = b->reg[NMR_PROVIDER]->modname;

	if (nmr_is_error(b->refusal))
		pr_err_ratelimited("provider %s failed to attach client %s: error %d\n",
				   provider, client, b->refusal);
	else if (nmr_is_error(err))
		pr_err_ratelimited("client %s failed to attach to provider %s: error %d\n",
				   client, provider, err);
}

/* Return: 0 if the client has attached, else a negative errno. */
static int nmr_attach_verdict(struct nmr_binding *b, int err)
{
	struct nmr_registration *client = b->reg[NMR_CLIENT];

	nmr_attach_report(b, err);
	if (err > 0) {
		nmr_misuse(client, NMR_MISUSE_ATTACH_VALUE, b->id);
		return -ENODEV;
	}
	if (!err && !b->has_attached[NMR_PROVIDER]) {
		nmr_misuse(client, NMR_MISUSE_NOT_ATTACHED, b->id);
		return -ENODEV;
	}
	return err;
}

static int nmr_call_attach(struct nmr_binding *b)
{
	struct nmr_registration *client = b->reg[NMR_CLIENT];
	struct nmr_callback cb;
	int err;

	if (nmr_binding_unwanted(b))
		return -ECANCELED;
	nmr_callback_begin(&cb, b);
	WRITE_ONCE(b->attacher, current);
	err = client->attach_provider(b, client->context,
				      &b->reg[NMR_PROVIDER]->instance);
	WRITE_ONCE(b->attacher, NULL);
	nmr_callback_end(&cb, b);
	return nmr_attach_verdict(b, err);
}

/* The client has attached: the provider may call. Return: false if the end has begun. */
static bool nmr_binding_client_attached(struct nmr_binding *b)
{
	bool open;

	spin_lock_irq(&nmr_lock);
	open = nmr_binding_may_open(b);
	if (open)
		nmr_gate_open(b, NMR_PROVIDER);
	spin_unlock_irq(&nmr_lock);
	return open;
}

/*
 * Attaching is complete and @b is still open: wake the tasks that wait for a binding of the
 * client. A task is on the queue before it takes nmr_lock to look at attached, so a task that
 * is not seen there sees the new value.
 */
static void nmr_binding_attached(struct nmr_binding *b)
{
	struct nmr_registration *client = b->reg[NMR_CLIENT];

	lockdep_assert_held(&nmr_lock);
	nmr_stuck_forget(b);
	b->counted = true;
	client->attached++;
	b->reg[NMR_PROVIDER]->attached++;
	/* See above. */
	if (waitqueue_active(&client->wait))
		wake_up_all(&client->wait);
}

static void nmr_call_client_attached(struct nmr_binding *b)
{
	struct nmr_registration *provider = b->reg[NMR_PROVIDER];
	struct nmr_callback cb;

	if (!provider->client_attached)
		return;
	nmr_callback_begin(&cb, b);
	provider->client_attached(b->end[NMR_PROVIDER].binding_context);
	nmr_callback_end(&cb, b);
}

static void nmr_binding_finish(struct nmr_binding *b);

/* The provider has attached, and the client has or has not: see it through. */
static void nmr_binding_conclude(struct nmr_binding *b)
{
	LLIST_HEAD(batch);

	if (b->error) {
		spin_lock_irq(&nmr_lock);
		nmr_binding_close(b, NMR_DETACH_ATTACH_FAILED, &batch);
		spin_unlock_irq(&nmr_lock);
	}
	b->has_attached[NMR_CLIENT] = !b->error;
	if (!b->error && nmr_binding_client_attached(b))
		nmr_call_client_attached(b);
	/* It takes longer than all before, and no call waits for it. */
	nmr_sysfs_add_binding(b);

	spin_lock_irq(&nmr_lock);
	WRITE_ONCE(b->attaching, false);
	if (b->closed) {
		__llist_add(&b->batch, &batch);
		/* From here on it is in sysfs, and userspace is told, too. */
		nmr_stuck_forget(b);
		nmr_stuck_watch(b);
	} else {
		nmr_binding_attached(b);
	}
	nmr_bindings_detach(&batch);
	spin_unlock_irq(&nmr_lock);
}

/* Make the offer, in this task. @b is not the caller's any more. */
void nmr_binding_attach(struct nmr_binding *b)
{
	b->error = nmr_call_attach(b);
	trace_nmr_attach(b->id, b->reg[NMR_CLIENT]->id, b->reg[NMR_PROVIDER]->id, b->error);
	if (b->has_attached[NMR_PROVIDER])
		nmr_binding_conclude(b);
	else
		nmr_binding_finish(b);
}

static void nmr_binding_queue(struct nmr_binding *b, enum nmr_phase phase)
{
	b->phase = phase;
	nmr_queue_work(nmr_callback_wq, &b->work);
}

/* Make the offer on the workqueue. */
void nmr_binding_attach_later(struct nmr_binding *b)
{
	nmr_binding_queue(b, NMR_PHASE_ATTACH);
}

/**
 * struct nmr_errand - a register call that waits for an offer, on its stack
 * @outer: the callback that it is inside of
 * @done:  the offer has been made
 */
struct nmr_errand {
	const struct nmr_callback	*outer;
	struct completion		done;
};

/**
 * nmr_binding_attach_elsewhere() - make the offer on the stack of a worker
 * @b:	   the binding, not the caller's any more afterwards
 * @outer: the callback that the calling task is inside of
 *
 * Returns when the offer has been made, as nmr_binding_attach() does; the binding may have
 * ended by then.
 *
 * Lockdep is not told of the wait. It waits for one attach callback, and a registration's
 * class stands for all of its callbacks and calls: a lock that is held here, and that only
 * a detach callback takes, would be reported. A class for attach callbacks alone would not
 * do, either. The layers of a stack are often registered from one place, or from two that
 * take turns, so the wait of one layer for the next, which is another registration, would
 * be a cycle of classes. A lock that is held across a register call, and that an attach
 * callback takes, is reported where callbacks nest on one stack, as most do.
 */
void nmr_binding_attach_elsewhere(struct nmr_binding *b, const struct nmr_callback *outer)
{
	struct nmr_errand errand = { .outer = outer };

	init_completion(&errand.done);
	b->errand = &errand;
	nmr_binding_attach_later(b);
	/* For as long as an attach callback takes. */
	wait_for_completion_state(&errand.done, TASK_IDLE);
}

/* Make the offer, in this worker. */
static void nmr_binding_attach_now(struct nmr_binding *b)
{
	struct nmr_errand *errand = b->errand;
	struct nmr_callback cb;

	if (!errand) {
		nmr_binding_attach(b);
		return;
	}
	nmr_callback_stand_in(&cb, errand->outer);
	nmr_binding_attach(b);
	nmr_callback_stand_in_end(&cb);
	complete(&errand->done);
}

/* Close */

static void nmr_bindings_closed(struct work_struct *work);
static DECLARE_WORK(nmr_closed_work, nmr_bindings_closed);
static LLIST_HEAD(nmr_closed_batches);

static void nmr_bindings_quiesced(struct rcu_head *rcu)
{
	struct nmr_binding *b = container_of(rcu, struct nmr_binding, rcu);

	if (llist_add(&b->batches, &nmr_closed_batches))
		queue_work(nmr_closed_wq, &nmr_closed_work);
}

/*
 * Start the grace period of the bindings in @batch, which is the caller's own: they have
 * closed and do not attach, and share the grace period of the last one. Must be called in
 * the critical section that closed them: a task that finds them closed relies on that.
 */
void nmr_bindings_detach(struct llist_head *batch)
{
	lockdep_assert_held(&nmr_lock);
	if (!llist_empty(batch))
		call_rcu_hurry(&llist_entry(batch->first, struct nmr_binding, batch)->rcu,
			       nmr_bindings_quiesced);
}

/*
 * Begin the end. Return: false if it has begun already. Before the lock is dropped the
 * caller gives @batch to nmr_bindings_detach(); a binding that still attaches is not
 * put there, but sees to that itself.
 */
bool nmr_binding_close(struct nmr_binding *b, enum nmr_detach_reason reason,
		       struct llist_head *batch)
{
	enum nmr_side side;

	lockdep_assert_held(&nmr_lock);
	if (b->closed)
		return false;
	b->reason = reason;
	b->since = jiffies;
	b->token = nmr_pair_token(b->pair);
	/* Pairs with smp_load_acquire() in sysfs.c, which shows the two above. */
	smp_store_release(&b->closed, true);
	for (side = 0; side < NMR_SIDES; side++) {
		nmr_gate_close(b, side);
		list_del(&b->node[side]);
		if (b->counted)
			b->reg[side]->attached--;
	}
	nmr_stuck_forget(b);
	nmr_stuck_watch(b);
	trace_nmr_close(b->id, reason);
	if (!b->attaching)
		__llist_add(&b->batch, batch);
	return true;
}

int nmr_detach_binding(struct nmr_binding *binding, enum nmr_detach_reason reason)
{
	LLIST_HEAD(batch);
	unsigned long flags;
	bool closed;

	if (!binding || (reason != NMR_DETACH_FALLBACK && reason != NMR_DETACH_ABORT))
		return -EINVAL;
	spin_lock_irqsave(&nmr_lock, flags);
	closed = nmr_binding_close(binding, reason, &batch);
	nmr_bindings_detach(&batch);
	spin_unlock_irqrestore(&nmr_lock, flags);
	return closed ? 0 : -EALREADY;
}
EXPORT_SYMBOL_NMR(nmr_detach_binding);

/* Detach */

static int nmr_call_detach(struct nmr_binding *b, enum nmr_side side)
{
	struct nmr_registration *reg = b->reg[side];
	struct nmr_callback cb;
	int err;

	if (!reg->detach)
		return 0;
	nmr_callback_begin(&cb, b);
	err = reg->detach(b->end[side].binding_context, b->reason);
	nmr_callback_end(&cb, b);
	if (err && err != -EINPROGRESS)
		nmr_misuse(reg, NMR_MISUSE_DETACH_VALUE, b->id);
	return err;
}

/* Return: true if the side has detached, false if complete will follow. */
static bool nmr_binding_detach_side(struct nmr_binding *b, enum nmr_side side)
{
	atomic_t *state = &b->detach[side];
	int err;

	if (!b->has_attached[side]) {
		atomic_set(state, NMR_DETACH_DONE);
		return true;
	}
	atomic_set(state, NMR_DETACH_CALLED);
	err = nmr_call_detach(b, side);
	trace_nmr_detach(b->id, side, err);
	/* Pairs with the cmpxchg in nmr_detach_complete(): the second one finishes. */
	if (err == -EINPROGRESS &&
	    atomic_cmpxchg(state, NMR_DETACH_CALLED, NMR_DETACH_PENDING) == NMR_DETACH_CALLED)
		return false;
	if (atomic_xchg(state, NMR_DETACH_DONE) == NMR_DETACH_COMPLETED && err != -EINPROGRESS)
		nmr_misuse(b->reg[side], NMR_MISUSE_COMPLETE, b->id);
	return true;
}

/* Fold the gates, which no call can enter any more, and call the detach callbacks. */
static void nmr_binding_detach(struct nmr_binding *b)
{
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++)
		if (nmr_gate_fold(b, side))
			nmr_binding_part_done(b);
	for (side = 0; side < NMR_SIDES; side++)
		if (nmr_binding_detach_side(b, side))
			nmr_binding_part_done(b);
	nmr_binding_part_done(b);
}

static bool nmr_binding_has_detach(const struct nmr_binding *b)
{
	return (b->has_attached[NMR_CLIENT] && b->reg[NMR_CLIENT]->detach) ||
	       (b->has_attached[NMR_PROVIDER] && b->reg[NMR_PROVIDER]->detach);
}

/* Return: all bindings that have closed and had their grace period, linked in order. */
static struct llist_node *nmr_all_closed(void)
{
	struct llist_node *batches = llist_del_all(&nmr_closed_batches);
	struct llist_node *all = NULL, *node, *next;
	struct nmr_binding *last, *next_last;

	/* What came last is first, of batches and in each. */
	llist_for_each_entry_safe(last, next_last, batches, batches) {
		for (node = &last->batch; node; node = next) {
			next = node->next;
			node->next = all;
			all = node;
		}
	}
	return all;
}

/*
 * One worker for all, since taking their counts disturbs each CPU. Callbacks may sleep, so
 * each binding that has some goes on in a work item of its own; a binding that has none to
 * call is detached here and now.
 */
static void nmr_bindings_closed(struct work_struct *work)
{
	struct llist_node *some, *rest = nmr_all_closed();
	struct nmr_binding *b, *next;

	while (rest) {
		some = rest;
		rest = nmr_gates_take(some);
		llist_for_each_entry_safe(b, next, some, batch) {
			if (nmr_binding_has_detach(b))
				nmr_binding_queue(b, NMR_PHASE_DETACH);
			else
				nmr_binding_detach(b);
		}
		cond_resched();
	}
}

static void nmr_detach_complete(struct nmr_binding *b, enum nmr_side side)
{
	atomic_t *state;
	int old;

	if (WARN_ONCE(!b, "nmr: a detach is completed of no binding (NULL)\n"))
		return;
	state = &b->detach[side];
	old = atomic_cmpxchg(state, NMR_DETACH_CALLED, NMR_DETACH_COMPLETED);
	if (old == NMR_DETACH_CALLED)
		return;
	if (old == NMR_DETACH_PENDING &&
	    atomic_cmpxchg(state, NMR_DETACH_PENDING, NMR_DETACH_DONE) == NMR_DETACH_PENDING)
		nmr_binding_part_done(b);
	else
		nmr_misuse(b->reg[side], NMR_MISUSE_COMPLETE, b->id);
}

void nmr_client_detach_provider_complete(struct nmr_binding *binding)
{
	nmr_detach_complete(binding, NMR_CLIENT);
}
EXPORT_SYMBOL_NMR(nmr_client_detach_provider_complete);

void nmr_provider_detach_client_complete(struct nmr_binding *binding)
{
	nmr_detach_complete(binding, NMR_PROVIDER);
}
EXPORT_SYMBOL_NMR(nmr_provider_detach_client_complete);

/* Cleanup */

static void nmr_call_cleanup(struct nmr_binding *b, enum nmr_side side)
{
	struct nmr_registration *reg = b->reg[side];
	struct nmr_callback cb;

	if (!b->has_attached[side] || !reg->cleanup)
		return;
	nmr_callback_begin(&cb, b);
	reg->cleanup(b->end[side].binding_context);
	nmr_callback_end(&cb, b);
}

static void nmr_binding_cleanup(struct nmr_binding *b)
{
	enum nmr_side side;

	WRITE_ONCE(b->cleaning, true);
	trace_nmr_cleanup(b->id);
	for (side = 0; side < NMR_SIDES; side++)
		nmr_call_cleanup(b, side);
	nmr_binding_reap_later(b);
}

/* Tell what the pair of a binding that has ended is from now on. */
static enum nmr_pair_state nmr_binding_outcome(const struct nmr_binding *b)
{
	if (b->closed && b->reason == NMR_DETACH_ABORT)
		return NMR_PAIR_ABORTED;
	if (b->error == -EPROBE_DEFER)
		return NMR_PAIR_DEFERRED;
	if (!b->error && b->reason == NMR_DETACH_FALLBACK)
		return NMR_PAIR_DEFERRED;
	return NMR_PAIR_DECLINED;
}

/*
 * Count the end of an attached binding as an event for the deferred pairs of its sides.
 * For its own pair it is no event: the token that this pair has kept moves along.
 */
static void nmr_binding_event(struct nmr_binding *b)
{
	struct nmr_pair *pair = b->pair;
	enum nmr_side side;

	if (!b->has_attached[NMR_CLIENT])
		return;
	pair->token = b->token + NMR_SIDES;
	for (side = 0; side < NMR_SIDES; side++)
		nmr_pair_event(b->reg[side]);
}

/* Leave in the pair what became of @b. */
static void nmr_binding_record(struct nmr_binding *b)
{
	struct nmr_pair *pair = b->pair;

	pair->binding = NULL;
	pair->error = b->refusal ?: b->error;
	pair->decliner = b->refusal ? NMR_PROVIDER : NMR_CLIENT;
	nmr_pair_set(pair, nmr_binding_outcome(b));
}

/* Free the sides of @b, of which no callback runs or will run. */
static void nmr_binding_finish(struct nmr_binding *b)
{
	struct nmr_registration *client = b->reg[NMR_CLIENT];
	enum nmr_side side;

	spin_lock_irq(&nmr_lock);
	nmr_stuck_forget(b);
	if (!b->closed) {
		b->closed = true;
		for (side = 0; side < NMR_SIDES; side++)
			list_del(&b->node[side]);
	}
	for (side = 0; side < NMR_SIDES; side++)
		b->reg[side]->bindings--;
	nmr_binding_event(b);
	nmr_binding_record(b);
	if (client->max_bindings || nmr_pair_due(b->pair))
		nmr_registration_scan(client);
	for (side = 0; side < NMR_SIDES; side++)
		nmr_registration_idle(b->reg[side]);
	spin_unlock_irq(&nmr_lock);
	nmr_binding_drop(b);
}

static void nmr_binding_reap(struct nmr_binding *b)
{
	if (!b->cleaning) {
		WRITE_ONCE(b->cleaning, true);
		trace_nmr_cleanup(b->id);
	}
	nmr_sysfs_remove_binding(b);
	nmr_binding_finish(b);
}

/*
 * Take bindings that have cleaned up out of sysfs and out of their registrations: those that
 * @reg ends, so that no other registration waits if a reader that is inside of a file holds
 * up the removal of one. There may be 100,000: after some @reg goes to the end of the queue.
 */
void nmr_reap_work(struct work_struct *work)
{
	struct nmr_registration *reg =
		container_of(work, struct nmr_registration, reap_work);
	struct llist_node *node = NULL;
	unsigned int n;

	for (n = 0; n < NMR_BATCH; n++) {
		node = llist_del_first(&reg->reap);
		if (!node)
			break;
		nmr_binding_reap(llist_entry(node, struct nmr_binding, batch));
		cond_resched();
	}
	/* The reference is of the task that queued this. */
	if (!node || !nmr_queue_work(nmr_reap_wq, &reg->reap_work))
		nmr_registration_put(reg);
}

static void nmr_binding_work(struct work_struct *work)
{
	struct nmr_binding *b = container_of(work, struct nmr_binding, work);

	switch (b->phase) {
	case NMR_PHASE_ATTACH:
		nmr_binding_attach_now(b);
		break;
	case NMR_PHASE_DETACH:
		nmr_binding_detach(b);
		break;
	case NMR_PHASE_CLEANUP:
		nmr_binding_cleanup(b);
		break;
	}
}
