// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: A binding's life
 *
 * attaching
 *	The client's attach callback runs, and in it the provider's. The success of each
 *	side opens the gate of the other. client_attached is the last callback. The
 *	directory in sysfs is added last, because that takes seven times as long as all the
 *	rest.
 *
 * closing
 *	The binding was closed while it attached: because a side leaves, because of
 *	nmr_detach_binding(), or because the client's attach callback failed after the
 *	provider's had succeeded. Attach ends first, and only then does the binding detach.
 *
 * attached
 *	Both sides may call. The slot of the client is filled.
 *
 * detaching
 *	Both gates have closed, for good. A grace period passes, which bindings that close
 *	in one critical section share. Then a worker collects the counts of calls.
 *	nmr_binding_detach() folds the gates and calls the detach callbacks, the client's
 *	first. If a side has a detach callback, the function runs in the binding's own work
 *	item, and otherwise in the worker that has collected the counts.
 *
 * cleaning
 *	A worker calls both cleanup callbacks, the client's first. Then another worker reaps
 *	the binding: it takes it out of sysfs and out of both registrations. A binding
 *	without a cleanup callback is reaped from *detaching*.
 *
 * finished
 *	The binding has left both registrations. Only references keep its memory.
 *
 * nmr_binding_advance() makes every change of state, under nmr_lock:
 *
 * ===================================== ==================================================
 * transition                            made by
 * ===================================== ==================================================
 * attaching to attached                 the task that attaches, in nmr_binding_conclude()
 * attaching to closing                  any task that closes, in nmr_binding_close()
 * attached to detaching                 any task that closes, in nmr_binding_close()
 * closing to detaching                  the task that attaches, in nmr_binding_conclude()
 * detaching to cleaning                 the worker that calls cleanup callbacks
 * cleaning to finished                  the worker that reaps
 * detaching to finished                 the worker that reaps, without a cleanup callback
 * attaching or closing to finished      the task that attaches, if no provider attached
 * ===================================== ==================================================
 *
 * **A binding closes once.** nmr_binding_close() changes the state under nmr_lock, so the
 * first reason wins. If the binding was attached, the closer also requests the grace period
 * in the same critical section. If it was attaching, the task that ends attaching finds it
 * closing, under the same lock, and requests the grace period, unless the provider has not
 * attached.
 *
 * **A gate does not open late.** Gates open under nmr_lock, and only if the binding has not
 * closed and neither side leaves. nmr_leave() drops nmr_lock between batches, so a binding of
 * a leaving registration may still be open.
 *
 * **One worker collects the counts** of all bindings that have had their grace period, because
 * collecting interrupts every CPU. A binding that has a detach callback continues in its own
 * work item. The worker detaches the others.
 *
 * **A binding cleans up once.** *Todo* counts five things: two gates that drain, two sides
 * that detach, and the detach worker, which counts itself so that cleanup does not overlap its
 * callbacks. The task or interrupt that does the last of the five queues the cleanup. Each is
 * done once. (A task that sends a uevent, or that writes the line of a stuck binding, counts
 * as one more, so that the directory and the counts of a slot stay meanwhile.) The fold, or a
 * single exit, drains a gate (see gate.c). A single transition of its detach state to DONE
 * detaches a side:
 *
 * ================================= =====================================================
 * event                             transition
 * ================================= =====================================================
 * worker, before the callback       NONE to CALLED
 * worker, the callback returned 0   CALLED or COMPLETED to DONE
 * worker, it returned -EINPROGRESS  CALLED to PENDING, or else COMPLETED to DONE
 * complete is called                CALLED to COMPLETED, or PENDING to DONE
 * ================================= =====================================================
 *
 * If the callback returns -EINPROGRESS, the worker and complete both leave CALLED by
 * atomic_cmpxchg(). Exactly one of them succeeds, and the other one finishes the side. A side
 * that has not attached goes to DONE without a callback.
 *
 * A pending detach occupies no worker: until complete is called no work of the binding is
 * queued.
 *
 * **One work item** serves attach (of an offer that a scan makes, or a register call that is
 * nested too deep), detach and cleanup in turn, on one workqueue. So the work item does not run
 * concurrently with itself. If detach ran in it, the cleanup callbacks also follow the return of
 * detach.
 */
/* Locking: nmr_lock for members marked L. Complete takes no lock. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/completion.h>
#include <linux/kernel.h>
#include <linux/rculist.h>
#include <linux/slab.h>
#include <trace/events/nmr.h>

#include "binding.h"
#include "callback.h"
#include "debug.h"

static u64 nmr_binding_ids;	/* the last one given; nmr_lock */

static void nmr_binding_work(struct work_struct *work);

/* Take @b out of the lists of open bindings. RCU readers may still stand on it. */
static void nmr_binding_unlink(struct nmr_binding *b)
{
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++) {
		nmr_walks_pass(b, side);
		list_del_rcu(&b->node[side]);
	}
}

/* Change the state of @b. A task that acquires the new state sees reason and since. */
static __always_inline void
nmr_binding_advance(struct nmr_binding *b, enum nmr_binding_state next)
{
	static const u8 before[] = {
		[NMR_ATTACHED]	= BIT(NMR_ATTACHING),
		[NMR_CLOSING]	= BIT(NMR_ATTACHING),
		[NMR_DETACHING]	= BIT(NMR_ATTACHED) | BIT(NMR_CLOSING),
		[NMR_CLEANING]	= BIT(NMR_DETACHING),
		[NMR_FINISHED]	= BIT(NMR_ATTACHING) | BIT(NMR_CLOSING) |
				  BIT(NMR_DETACHING) | BIT(NMR_CLEANING),
	};

	lockdep_assert_held(&nmr_lock);
	WARN_ON_ONCE(!(before[next] & BIT(b->state)));
	/*
	 * Pairs with smp_load_acquire() in nmr_binding_closed() and nmr_walk_rcu(). A walk that
	 * sees NMR_ATTACHED sees what both sides have handed over.
	 */
	smp_store_release(&b->state, next);
}

/* Attach */

/**
 * nmr_binding_offer() - bind a client and a provider, to be attached
 * @b:	      of nmr_binding_alloc()
 * @client:   not leaving, not full
 * @provider: not leaving
 * @pair:     their record, if they have met before, or NULL
 *
 * The caller calls nmr_binding_attach(), or a function that does.
 */
void nmr_binding_offer(struct nmr_binding *b, struct nmr_registration *client,
		       struct nmr_registration *provider, struct nmr_pair *pair)
{
	enum nmr_side side;

	lockdep_assert_held(&nmr_lock);
	b->id = ++nmr_binding_ids;
	b->reg[NMR_CLIENT] = client;
	b->reg[NMR_PROVIDER] = provider;
	b->since = jiffies;
	INIT_WORK(&b->work, nmr_binding_work);
	nmr_lockdep_init(b);
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
		nmr_registration_pin(reg);
		reg->bindings++;
		list_add_tail_rcu(&b->node[side], &reg->open);
	}
	nmr_stuck_watch(b);
}

/* Tell whether a side of @b leaves. The bindings of that side close soon, a batch at a time. */
static bool nmr_binding_side_leaving(const struct nmr_binding *b)
{
	return READ_ONCE(b->reg[NMR_CLIENT]->leaving) ||
	       READ_ONCE(b->reg[NMR_PROVIDER]->leaving);
}

/*
 * Tell whether a gate of @b may open. nmr_leave() drops nmr_lock between batches, so a binding
 * of a leaving registration may still be open: test ->leaving as well.
 */
static bool nmr_binding_may_open(const struct nmr_binding *b)
{
	lockdep_assert_held(&nmr_lock);
	return b->state == NMR_ATTACHING && !nmr_binding_side_leaving(b);
}

/* Record that the provider has attached, and let the client call. */
static void nmr_binding_provider_attached(struct nmr_binding *b,
					  const struct nmr_endpoint *provider)
{
	nmr_slot_prepare(b);
	spin_lock_irq(&nmr_lock);
	b->end[NMR_PROVIDER] = *provider;
	b->has_attached[NMR_PROVIDER] = true;
	if (nmr_binding_may_open(b))
		nmr_gate_open(&b->gates, NMR_CLIENT);
	spin_unlock_irq(&nmr_lock);
}

/* Call the provider's attach callback. A provider without a callback accepts the client. */
static int nmr_ask_provider(struct nmr_binding *b, struct nmr_endpoint *end)
{
	struct nmr_registration *reg = b->reg[NMR_PROVIDER];

	if (!reg->attach_client)
		return 0;
	return reg->attach_client(b, reg->context, &b->reg[NMR_CLIENT]->instance,
				  &b->end[NMR_CLIENT], end);
}

int nmr_client_attach_provider(struct nmr_binding *binding,
			       const struct nmr_endpoint *client,
			       struct nmr_endpoint *provider)
{
	struct nmr_registration *reg;
	struct nmr_endpoint end;
	int err;

	if (!binding || READ_ONCE(binding->attacher) != current)
		return -EINVAL;
	WRITE_ONCE(binding->attacher, NULL);	/* from now on a context */
	if (nmr_binding_side_leaving(binding))
		return -ECANCELED;

	binding->end[NMR_CLIENT] = client ? *client : binding->reg[NMR_CLIENT]->endpoint;
	reg = binding->reg[NMR_PROVIDER];
	end = reg->endpoint;
	err = nmr_ask_provider(binding, &end);
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

void nmr_binding_set_context(struct nmr_binding *binding, enum nmr_side side, void *context)
{
	WRITE_ONCE(binding->context[side], context);
}
EXPORT_SYMBOL_NMR(nmr_binding_set_context);

void *nmr_binding_kin(const struct nmr_binding *binding, enum nmr_side side,
		      const void *attach)
{
	const struct nmr_registration *reg = binding->reg[side];

	return reg->attach_client == attach ? reg->context : NULL;
}
EXPORT_SYMBOL_NMR(nmr_binding_kin);

/* Tell whether @err is a failure, and not a side that declines, defers or leaves. */
static bool nmr_attach_is_failure(int err)
{
	return err < 0 && err != -ENODEV && err != -ECANCELED && err != -EPROBE_DEFER;
}

/* Report a failed attach, or a wrong value, of which the log blames one side. */
static __cold void nmr_attach_report(const struct nmr_binding *b, int err)
{
	struct nmr_registration *client = b->reg[NMR_CLIENT];
	const char *provider = b->reg[NMR_PROVIDER]->modname;

	if (nmr_attach_is_failure(b->refusal))
		pr_err_ratelimited("provider %s failed to attach client %s: error %d\n",
				   provider, client->modname, b->refusal);
	else if (nmr_attach_is_failure(err))
		pr_err_ratelimited("client %s failed to attach to provider %s: error %d\n",
				   client->modname, provider, err);
	if (err > 0)
		nmr_misuse(client, NMR_MISUSE_ATTACH_VALUE, b->id);
	else if (!err)
		nmr_misuse(client, NMR_MISUSE_NOT_ATTACHED, b->id);
}

/* Call the client's attach callback, which asks the provider. Return: the outcome. */
static int nmr_call_attach(struct nmr_binding *b)
{
	struct nmr_registration *client = b->reg[NMR_CLIENT];
	struct nmr_callback cb;
	int err;

	if (nmr_binding_side_leaving(b))
		return -ECANCELED;
	nmr_callback_begin(&cb, b);
	WRITE_ONCE(b->attacher, current);
	if (client->attach_provider)
		err = client->attach_provider(b, client->context,
					      &b->reg[NMR_PROVIDER]->instance);
	else
		err = nmr_client_attach_provider(b, NULL, NULL);
	if (b->attacher == current)	/* has not asked, and must not any more */
		WRITE_ONCE(b->attacher, NULL);
	nmr_callback_end(&cb, b);
	if (!err && b->has_attached[NMR_PROVIDER])
		return 0;
	nmr_attach_report(b, err);
	return err < 0 ? err : -ENODEV;
}

/* Let the provider call, as the client has attached. Return: false if @b has closed. */
static bool nmr_binding_client_attached(struct nmr_binding *b)
{
	bool open;

	spin_lock_irq(&nmr_lock);
	open = nmr_binding_may_open(b);
	if (open)
		nmr_gate_open(&b->gates, NMR_PROVIDER);
	spin_unlock_irq(&nmr_lock);
	return open;
}

/* End attaching: @b is still open. */
static void nmr_binding_attached(struct nmr_binding *b)
{
	enum nmr_side side;

	nmr_binding_advance(b, NMR_ATTACHED);
	nmr_slot_fill(b);
	nmr_stuck_forget(b);
	for (side = 0; side < NMR_SIDES; side++)
		b->reg[side]->attached++;
}

/*
 * Wake the tasks that wait for a binding of @client. They may be many, so nmr_lock must not be
 * held.
 */
static void nmr_binding_wake(struct nmr_registration *client)
{
	/*
	 * A waiter joins the queue before it takes nmr_lock and reads attached. So a waiter
	 * that is not seen here, after nmr_lock was released, reads the new value.
	 */
	if (waitqueue_active(&client->wait))
		wake_up_all(&client->wait);
}

/* End attaching: @b has closed meanwhile. The caller requests the grace period of @batch. */
static void nmr_binding_attached_closed(struct nmr_binding *b, struct llist_head *batch)
{
	nmr_binding_advance(b, NMR_DETACHING);
	__llist_add(&b->gates.batch, batch);
	nmr_stuck_again(b);
}

/* Return: what the callbacks of @side are passed after attach. */
static void *nmr_binding_context(const struct nmr_binding *b, enum nmr_side side)
{
	return b->context[side] ?: b->end[side].binding_context;
}

static void nmr_call_client_attached(struct nmr_binding *b)
{
	struct nmr_registration *provider = b->reg[NMR_PROVIDER];
	struct nmr_callback cb;

	if (!provider->client_attached)
		return;
	nmr_callback_begin(&cb, b);
	provider->client_attached(nmr_binding_context(b, NMR_PROVIDER));
	nmr_callback_end(&cb, b);
}

static void nmr_binding_finish(struct nmr_binding *b);

/* End the attach of a binding. Its provider has attached. */
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
	/* The directory is the most expensive part of attach. No call by the binding needs it. */
	nmr_sysfs_add_binding(b);

	spin_lock_irq(&nmr_lock);
	/* The directory and the client stay until the one is announced and the other is woken. */
	atomic_inc(&b->todo);
	/* If a side leaves, nmr_leave() may not have reached @b yet. */
	if (nmr_binding_side_leaving(b))
		nmr_binding_close(b, nmr_leave_reason(nmr_binding_leaver(b)), &batch);
	if (b->state == NMR_ATTACHING)
		nmr_binding_attached(b);
	else
		nmr_binding_attached_closed(b, &batch);
	nmr_bindings_start_gp(&batch);
	spin_unlock_irq(&nmr_lock);
	nmr_binding_wake(b->reg[NMR_CLIENT]);
	if (!b->error)
		nmr_sysfs_announce_binding(b);
	nmr_binding_part_done(b);
}

/* Make the offer in the calling task. The caller must not touch @b afterwards. */
void nmr_binding_attach(struct nmr_binding *b)
{
	b->error = nmr_call_attach(b);
	trace_nmr_attach(b->id, b->reg[NMR_CLIENT]->id, b->reg[NMR_PROVIDER]->id,
			 b->reg[NMR_CLIENT]->modname, b->reg[NMR_PROVIDER]->modname, b->error);
	if (b->has_attached[NMR_PROVIDER])
		nmr_binding_conclude(b);
	else
		nmr_binding_finish(b);
}

/* Tell whether a module takes part in the attach of @b. */
static bool nmr_binding_has_attach(const struct nmr_binding *b)
{
	const struct nmr_registration *provider = b->reg[NMR_PROVIDER];

	return b->reg[NMR_CLIENT]->attach_provider || provider->attach_client ||
	       provider->client_attached;
}

/* Make the offer, in a worker if it calls a module: a callback may sleep for long. */
void nmr_binding_attach_start(struct nmr_binding *b)
{
	if (nmr_binding_has_attach(b))
		nmr_queue_work(nmr_callback_wq, &b->work);
	else
		nmr_binding_attach(b);
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
 * nmr_binding_attach_elsewhere() - make the offer on the stack of a worker, if it calls a module
 * @b:	   the binding, not the caller's any more afterwards
 * @outer: the callback that the calling task is inside of
 *
 * The function returns when the offer has been made, as nmr_binding_attach() does; the binding
 * may have ended by then.
 *
 * Lockdep is not told of the wait. It waits for one attach callback, and a registration's
 * class stands for all of its callbacks and calls: a lock that is held here, and that only
 * a detach callback takes, would be reported. A class for attach callbacks alone would not
 * do, either. The layers of a stack are often registered from one place, or from two that
 * take turns, so the wait of one layer for the next, which is another registration, would
 * be a cycle of classes. A lock that is held across a register call, and that an attach
 * callback takes, is reported where callbacks nest on one stack, as most do.
 */
void __cold nmr_binding_attach_elsewhere(struct nmr_binding *b, const struct nmr_callback *outer)
{
	struct nmr_errand errand = { .outer = outer };

	if (!nmr_binding_has_attach(b)) {
		nmr_binding_attach(b);
		return;
	}
	init_completion(&errand.done);
	b->errand = &errand;
	nmr_queue_work(nmr_callback_wq, &b->work);
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
	b->errand = NULL;	/* from now on a context */
	nmr_callback_stand_in(&cb, errand->outer);
	nmr_binding_attach(b);
	nmr_callback_stand_in_end(&cb);
	complete(&errand->done);
}

/* Close */

static void nmr_bindings_collect(struct work_struct *work);
static DECLARE_WORK(nmr_closed_work, nmr_bindings_collect);
static LLIST_HEAD(nmr_closed_batches);

static void nmr_bindings_gp_done(struct rcu_head *rcu)
{
	struct nmr_binding *b = container_of(rcu, struct nmr_binding, rcu);

	llist_add(&b->batches, &nmr_closed_batches);
	/* Not only for the first batch: on PREEMPT_RT, an RCU callback may be preempted here. */
	queue_work(nmr_closed_wq, &nmr_closed_work);
}

/*
 * Request one grace period for all bindings in @batch, which have closed and do not attach.
 * Must be called in the critical section that made them NMR_DETACHING: a task that finds a
 * binding in that state relies on the request.
 */
void nmr_bindings_start_gp(struct llist_head *batch)
{
	lockdep_assert_held(&nmr_lock);
	if (!llist_empty(batch))
		call_rcu_hurry(&llist_entry(batch->first, struct nmr_binding, gates.batch)->rcu,
			       nmr_bindings_gp_done);
}

/**
 * nmr_binding_close() - begin the end of a binding
 * @b:	    the binding
 * @reason: is told to the detach callbacks
 * @batch:  @b is added, unless it still attaches
 *
 * Before the caller drops nmr_lock, it must pass @batch to nmr_bindings_start_gp(). The batch is
 * empty if @b still attaches.
 *
 * Return: false if @b has closed already.
 */
bool nmr_binding_close(struct nmr_binding *b, enum nmr_detach_reason reason,
		       struct llist_head *batch)
{
	bool attached = b->state == NMR_ATTACHED;
	enum nmr_side side;

	lockdep_assert_held(&nmr_lock);
	if (!attached && b->state != NMR_ATTACHING)
		return false;
	b->reason = reason;
	b->since = jiffies;
	if (trace_nmr_detached_enabled() || trace_nmr_cleanup_enabled())
		b->closed_at = ktime_get();
	b->token = nmr_pair_token(b->pair);
	nmr_binding_advance(b, attached ? NMR_DETACHING : NMR_CLOSING);
	nmr_slot_empty(b);
	nmr_binding_unlink(b);
	for (side = 0; side < NMR_SIDES; side++) {
		nmr_gate_close(&b->gates, side);
		b->reg[side]->attached -= attached;
	}
	nmr_stuck_forget(b);
	nmr_stuck_watch(b);
	trace_nmr_close(b->id, b->reg[NMR_CLIENT]->id, b->reg[NMR_PROVIDER]->id,
			b->reg[NMR_CLIENT]->modname, b->reg[NMR_PROVIDER]->modname, reason);
	if (attached)
		__llist_add(&b->gates.batch, batch);
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
	nmr_bindings_start_gp(&batch);
	spin_unlock_irqrestore(&nmr_lock, flags);
	return closed ? 0 : -EALREADY;
}
EXPORT_SYMBOL_NMR(nmr_detach_binding);

/* Detach */

/*
 * Return: the microseconds since @b began to attach, or since it closed. They are rounded to a
 * jiffy, unless the events that tell of them were enabled when it closed.
 */
u64 __cold nmr_binding_us(const struct nmr_binding *b)
{
	if (b->closed_at)
		return ktime_us_delta(ktime_get(), b->closed_at);
	return jiffies64_to_msecs(jiffies - b->since) * USEC_PER_MSEC;
}

static void nmr_trace_detached(const struct nmr_binding *b, enum nmr_side side)
{
	if (trace_nmr_detached_enabled())
		trace_nmr_detached(b->id, side, nmr_binding_us(b));
}

static int nmr_call_detach(struct nmr_binding *b, enum nmr_side side)
{
	struct nmr_registration *reg = b->reg[side];
	struct nmr_callback cb;
	int err;

	if (!reg->detach)
		return 0;
	nmr_callback_begin(&cb, b);
	err = reg->detach(nmr_binding_context(b, side), b->reason);
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
	nmr_trace_detached(b, side);
	return true;
}

/* Account for the calls that are left over when the gate of @caller is folded. */
static void nmr_binding_fold(struct nmr_binding *b, enum nmr_side caller)
{
	s64 left = nmr_gate_fold(&b->gates, caller);

	if (left < 0)
		nmr_misuse(b->reg[caller], NMR_MISUSE_EXIT, b->id);
	if (left <= 0)
		nmr_binding_part_done(b);
}

/* Fold both gates, which no call can enter any more, and call the detach callbacks. */
static void nmr_binding_detach(struct nmr_binding *b)
{
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++)
		nmr_binding_fold(b, side);
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

/* Return: all bindings that have had their grace period, in the order of closing. */
static struct llist_node *nmr_bindings_gp_over(void)
{
	struct llist_node *batches = llist_del_all(&nmr_closed_batches);
	struct llist_node *all = NULL, *node, *next;
	struct nmr_binding *last, *next_last;

	/* The newest is first, of the batches and in each batch. */
	llist_for_each_entry_safe(last, next_last, batches, batches) {
		for (node = &last->gates.batch; node; node = next) {
			next = node->next;
			node->next = all;
			all = node;
		}
	}
	return all;
}

/*
 * Collect the counts of closed bindings. Doing so interrupts every CPU, so one work item
 * collects for all bindings. Detach callbacks may sleep: a binding that has one continues in
 * its own work item. This worker detaches the others.
 */
static void nmr_bindings_collect(struct work_struct *work)
{
	struct llist_node *some, *rest = nmr_bindings_gp_over();
	struct nmr_binding *b, *next;

	while (rest) {
		some = rest;
		rest = nmr_gates_take_batch(some);
		llist_for_each_entry_safe(b, next, some, gates.batch) {
			if (nmr_binding_has_detach(b))
				nmr_queue_work(nmr_callback_wq, &b->work);
			else
				nmr_binding_detach(b);
		}
		cond_resched();
	}
}

/*
 * Complete a side's detach. Not inlined, so that the WARN is the same for both sides. Each cmpxchg
 * pairs with the cmpxchg in nmr_binding_detach_side().
 */
static noinline void nmr_detach_complete(struct nmr_binding *b, enum nmr_side side)
{
	atomic_t *state;
	int old;

	if (WARN_ONCE(!b, "nmr: a detach is completed of no binding (NULL)\n"))
		return;
	state = &b->detach[side];
	old = atomic_cmpxchg(state, NMR_DETACH_CALLED, NMR_DETACH_COMPLETED);
	if (old == NMR_DETACH_CALLED)
		return;
	if (old != NMR_DETACH_PENDING ||
	    atomic_cmpxchg(state, NMR_DETACH_PENDING, NMR_DETACH_DONE) != NMR_DETACH_PENDING) {
		nmr_misuse(b->reg[side], NMR_MISUSE_COMPLETE, b->id);
		return;
	}
	nmr_trace_detached(b, side);
	nmr_binding_part_done(b);
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

static void nmr_trace_cleanup(const struct nmr_binding *b)
{
	if (trace_nmr_cleanup_enabled())
		trace_nmr_cleanup(b->id, nmr_binding_us(b));
}

static void nmr_call_cleanup(struct nmr_binding *b, enum nmr_side side)
{
	struct nmr_registration *reg = b->reg[side];
	struct nmr_callback cb;

	if (!b->has_attached[side] || !reg->cleanup)
		return;
	nmr_callback_begin(&cb, b);
	reg->cleanup(nmr_binding_context(b, side));
	nmr_callback_end(&cb, b);
}

static void nmr_binding_cleanup(struct nmr_binding *b)
{
	enum nmr_side side;

	spin_lock_irq(&nmr_lock);
	nmr_binding_advance(b, NMR_CLEANING);
	nmr_stuck_forget(b);
	spin_unlock_irq(&nmr_lock);
	nmr_trace_cleanup(b);
	for (side = 0; side < NMR_SIDES; side++)
		nmr_call_cleanup(b, side);
	nmr_binding_reap_later(b);
}

/* Find the state of the pair of a binding that ends. */
static enum nmr_pair_state nmr_binding_outcome(const struct nmr_binding *b)
{
	if (nmr_binding_closed(b) && b->reason == NMR_DETACH_ABORT)
		return NMR_PAIR_ABORTED;
	if (b->error == -EPROBE_DEFER || b->refusal == -EPROBE_DEFER)
		return NMR_PAIR_DEFERRED;
	if (!b->error && b->reason == NMR_DETACH_FALLBACK)
		return NMR_PAIR_DEFERRED;
	return NMR_PAIR_DECLINED;
}

/*
 * Count the end of an attached binding as an event for the deferred pairs of its sides. The
 * end is no event for the binding's own pair, so the token that the pair keeps moves along.
 */
static void nmr_binding_event(struct nmr_binding *b)
{
	struct nmr_pair *pair = b->pair;
	enum nmr_side side;

	if (!b->has_attached[NMR_CLIENT])
		return;
	pair->token = b->token + NMR_SIDES;
	for (side = 0; side < NMR_SIDES; side++)
		nmr_registration_event(b->reg[side]);
}

/* Record the outcome of @b in its pair. */
static void nmr_binding_record(struct nmr_binding *b)
{
	struct nmr_pair *pair = b->pair;

	pair->binding = NULL;
	pair->error = b->refusal ?: b->error;
	pair->decliner = b->refusal ? NMR_PROVIDER : NMR_CLIENT;
	if (b->forgiven)
		nmr_pair_forgive(pair);
	else
		nmr_pair_set(pair, nmr_binding_outcome(b));
}

/* Take @b, of which no callback runs or will run, out of both registrations. */
static void nmr_binding_finish(struct nmr_binding *b)
{
	struct nmr_registration *client = b->reg[NMR_CLIENT];
	enum nmr_side side;

	spin_lock_irq(&nmr_lock);
	if (b->state != NMR_CLEANING)
		nmr_stuck_forget(b);
	nmr_slot_forget(b);
	if (b->state == NMR_ATTACHING)
		nmr_binding_unlink(b);
	for (side = 0; side < NMR_SIDES; side++)
		b->reg[side]->bindings--;
	nmr_binding_event(b);
	nmr_binding_record(b);
	nmr_binding_advance(b, NMR_FINISHED);
	if (client->max_bindings || nmr_pair_due(b->pair))
		nmr_registration_scan(client);
	for (side = 0; side < NMR_SIDES; side++)
		nmr_registration_unpin(b->reg[side]);
	spin_unlock_irq(&nmr_lock);
	nmr_binding_drop(b);
}

static void nmr_binding_reap(struct nmr_binding *b)
{
	if (!nmr_binding_has_cleanup(b))
		nmr_trace_cleanup(b);
	nmr_sysfs_remove_binding(b);
	nmr_binding_finish(b);
}

/*
 * Take the bindings that a registration has ended out of sysfs and out of both registrations.
 * A reader that is inside a file delays the removal of the file, so each registration has a
 * work item of its own. It queues itself again after NMR_BATCH bindings, as there may be
 * 100,000.
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
		nmr_binding_reap(llist_entry(node, struct nmr_binding, reap));
		cond_resched();
	}
	/* Drop the reference that nmr_binding_reap_later() has taken, or pass it on. */
	if (!node || !nmr_queue_work(nmr_reap_wq, &reg->reap_work))
		nmr_registration_put(reg);
}

static void nmr_binding_work(struct work_struct *work)
{
	struct nmr_binding *b = container_of(work, struct nmr_binding, work);

	if (nmr_binding_attaching(b))
		nmr_binding_attach_now(b);
	else if (atomic_read(&b->todo))
		nmr_binding_detach(b);
	else
		nmr_binding_cleanup(b);
}
