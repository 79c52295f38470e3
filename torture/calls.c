// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls through bindings and slots: short, sleeping, nested, handed over to another task, scoped,
 * or under RCU; from threads, softirqs and hardirqs; and walks.
 *
 * A caller finds a half of a binding in a table, under RCU. The attach callback puts the
 * half into the table, and the cleanup callback removes it and frees it after a grace
 * period. The binding is therefore valid, and entering its gate tells whether the peer
 * may be called. A caller of a slot needs neither the table nor RCU.
 *
 * Locking: none.
 */

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../kunit/by_side.h"
#include "torture.h"

#define NMRT_HALVES	64
#define NMRT_TICK	(200 * NSEC_PER_USEC)
#define NMRT_BURST	32	/* calls inside a call that has entered */

static struct nmrt_half __rcu *nmrt_halves[NMRT_HALVES];

/* Slots of clients. More clients want one than there are slots. */
DEFINE_NMR_SLOT(nmrt_slot_0);
DEFINE_NMR_SLOT(nmrt_slot_1);
static const struct nmr_slot * const nmrt_slots[] = { &nmrt_slot_0, &nmrt_slot_1 };

void nmrt_publish(struct nmrt_half *half, struct nmrt_random *r)
{
	u32 first = nmrt_random(r), i;

	for (i = 0; i < NMRT_HALVES; i++)
		if (!cmpxchg((__force struct nmrt_half **)
			     &nmrt_halves[(first + i) % NMRT_HALVES], NULL, half))
			return;
}

void nmrt_unpublish(struct nmrt_half *half)
{
	u32 i;

	for (i = 0; i < NMRT_HALVES; i++)
		cmpxchg((__force struct nmrt_half **)&nmrt_halves[i], half, NULL);
}

/* Pick a half, or NULL. Must be called as an RCU reader. */
struct nmrt_half *nmrt_some_half(struct nmrt_random *r)
{
	u32 first = nmrt_random(r), i;
	struct nmrt_half *half = NULL;

	for (i = 0; i < NMRT_HALVES && !half; i++)
		half = rcu_dereference_check(nmrt_halves[(first + i) % NMRT_HALVES],
					     rcu_read_lock_any_held());
	return half;
}

static void nmrt_check_live(const struct nmrt_half *half)
{
	if (READ_ONCE(half->magic) != NMRT_LIVE || atomic_read(&half->state) == NMRT_GONE)
		nmrt_error(NMRT_CALL_AFTER_CLEANUP);
}

static bool nmrt_call(struct nmrt_half *half, enum nmrt_how how);

/* Serve a call, and check the context that it came with. */
static void nmrt_op(void *context, enum nmrt_how how)
{
	struct nmrt_half *half = context;

	nmrt_check_live(half);
	atomic_inc(&half->inside);
	if (how == NMRT_SLEEP)
		usleep_range(50, 500);
	else if (how == NMRT_NEST)
		nmrt_call(half, NMRT_SHORT);
	nmrt_check_live(half);
	if (!nmrt_busted(NMRT_CLEANUP_IN_CALL))
		atomic_dec(&half->inside);
}

const struct nmrt_dispatch nmrt_dispatch = {
	.op = nmrt_op,
};

/* Test whether a detach callback of the binding has begun. If so, no call may enter any more. */
static bool nmrt_has_detached(const struct nmrt_half *half)
{
	bool detached = READ_ONCE(half->detached);

	/* Order the read above before the test of the gate. */
	smp_mb();
	return detached;
}

/* Check whether a call has rightly entered. @detached: of nmrt_has_detached(), before */
static bool nmrt_check_entered(bool detached, bool entered)
{
	if (detached && (entered || nmrt_busted(NMRT_CALL_AFTER_DETACH)))
		nmrt_error(NMRT_CALL_AFTER_DETACH);
	if (!entered)
		nmrt_count(NMRT_CALLS_REFUSED);
	return entered;
}

static bool nmrt_enter(struct nmrt_half *half)
{
	bool detached = nmrt_has_detached(half);

	return nmrt_check_entered(detached, by_side_enter(half->side, half->binding));
}

static void nmrt_exit(struct nmrt_half *half)
{
	by_side_exit(half->side, half->binding);
}

static void nmrt_call_op(const struct nmrt_half *half, enum nmrt_how how)
{
	const struct nmrt_dispatch *dispatch = half->peer.dispatch;

	dispatch->op(half->peer.binding_context, how);
}

/* Call from within a call. The half stays valid as long as the outer call runs. */
static bool nmrt_call(struct nmrt_half *half, enum nmrt_how how)
{
	if (!nmrt_enter(half))
		return false;
	nmrt_call_op(half, how);
	nmrt_exit(half);
	return true;
}

static void nmrt_call_through(const struct nmr_call *call, enum nmrt_how how)
{
	const struct nmrt_dispatch *dispatch = call->dispatch;

	dispatch->op(call->context, how);
}

/* A call that has entered, and continues in a work item. @half: NULL if it is of a slot */
struct nmrt_errand {
	struct work_struct work;
	struct nmrt_half *half;
	struct nmr_call call;
};

static void nmrt_run_errand(struct work_struct *work)
{
	struct nmrt_errand *errand = container_of(work, struct nmrt_errand, work);

	if (errand->half) {
		nmrt_call_op(errand->half, NMRT_SHORT);
		nmrt_exit(errand->half);
	} else {
		nmrt_call_through(&errand->call, NMRT_SHORT);
		nmr_slot_exit(&errand->call);
	}
	kfree(errand);
}

/*
 * Hand a call that has entered over to a work item: of @half, or, if it is NULL, of a slot.
 * Return: true if the work item will end the call.
 */
static bool nmrt_hand_over(struct nmrt_half *half, const struct nmr_call *call)
{
	struct nmrt_errand *errand = kzalloc(sizeof(*errand), GFP_KERNEL);

	if (!errand)
		return false;
	INIT_WORK(&errand->work, nmrt_run_errand);
	errand->half = half;
	if (half) {
		by_side_handover(half->side, half->binding);
	} else {
		errand->call = *call;
		nmr_client_call_handover(call->binding);
	}
	queue_work(nmrt_wq, &errand->work);
	return true;
}

static const enum nmrt_op nmrt_ops[NMRT_HOWS] = {
	[NMRT_SHORT]	 = NMRT_CALLS_SHORT,
	[NMRT_SLEEP]	 = NMRT_CALLS_SLEEPING,
	[NMRT_NEST]	 = NMRT_CALLS_NESTED,
	[NMRT_HAND_OVER] = NMRT_CALLS_HANDED_OVER,
	[NMRT_RCU]	 = NMRT_CALLS_RCU,
};

static void nmrt_call_rcu(struct nmrt_half *half)
{
	if (!by_side_may_call_rcu(half->side, half->binding))
		return;
	nmrt_call_op(half, NMRT_SHORT);
	nmrt_count(NMRT_CALLS_RCU);
}

#ifdef NT_SCOPED_CALLS
static void nmrt_count_scoped(const struct nmrt_half *half)
{
	nmrt_count(half->side == NMR_CLIENT ? NMRT_CALLS_SCOPED_CLIENT :
					      NMRT_CALLS_SCOPED_PROVIDER);
}

/*
 * Make a scoped call, which exits from the counts that it has entered on. The caller is inside
 * another call or an RCU reader, so the half stays valid. Return: false if the call was refused.
 */
static bool nmrt_call_scoped(struct nmrt_half *half, enum nmrt_how how)
{
	bool detached = nmrt_has_detached(half), entered = false;

	if (half->side == NMR_CLIENT) {
		scoped_nmr_client_call(half->binding) {
			nmrt_call_op(half, how);
			entered = true;
		}
	} else {
		scoped_nmr_provider_call(half->binding) {
			nmrt_call_op(half, how);
			entered = true;
		}
	}
	if (entered)
		nmrt_count_scoped(half);
	return nmrt_check_entered(detached, entered);
}
#else
/* Make a short call instead, as there are no scoped calls. */
static bool nmrt_call_scoped(struct nmrt_half *half, enum nmrt_how how)
{
	if (!nmrt_call(half, how))
		return false;
	nmrt_count(NMRT_CALLS_SHORT);
	return true;
}
#endif

/* Do what a task does in a call that has entered: call, and make more calls inside this call. */
static void nmrt_in_call(struct nmrt_half *half, enum nmrt_how how)
{
	unsigned int i;

	nmrt_call_op(half, how);
	/* While this call is in flight the half stays valid for more calls. */
	for (i = 0; i < NMRT_BURST / 2 && nmrt_call(half, NMRT_SHORT); i++) {
		nmrt_count(NMRT_CALLS_SHORT);
		nmrt_call_scoped(half, NMRT_SHORT);
	}
}

/* Make one call from a task. Return: false if the table has no half to call. */
static bool nmrt_call_some(struct nmrt_random *r, enum nmrt_how how)
{
	struct nmrt_half *half;
	bool entered = false;

	rcu_read_lock();
	half = nmrt_some_half(r);
	if (half && how == NMRT_RCU)
		nmrt_call_rcu(half);
	else if (half)
		entered = nmrt_enter(half);
	rcu_read_unlock();
	if (!entered)
		return half;
	nmrt_count(nmrt_ops[how]);
	if (how == NMRT_HAND_OVER && nmrt_hand_over(half, NULL))
		return true;
	nmrt_in_call(half, how);
	nmrt_exit(half);
	return true;
}

#ifdef NT_SCOPED_CALLS
/*
 * Stay in a scoped call until the binding detaches, for up to half a second. The counts that the
 * call exits from have been taken by then.
 */
static void nmrt_linger(struct nmrt_half *half)
{
	int ticks;

	for (ticks = HZ / 2; ticks && !READ_ONCE(half->detached); ticks--)
		schedule_timeout_idle(1);
	if (ticks)
		nmrt_count(NMRT_CALLS_SCOPED_LATE);
}

/* Continue a scoped call, which has entered as an RCU reader, without RCU. Return: true. */
static bool nmrt_in_scope(struct nmrt_half *half, struct nmrt_random *r, enum nmrt_how how,
			  bool detached)
	__releases(RCU)
{
	rcu_read_unlock();
	nmrt_check_entered(detached, true);
	nmrt_count_scoped(half);
	nmrt_in_call(half, how);
	if (nmrt_one_in(r, 256))
		nmrt_linger(half);
	return true;
}

/*
 * Make one scoped call from a task. Only the call keeps the half and the binding, so both may be
 * freed once the call has exited. Return: false if the table has no half to call.
 */
static bool nmrt_call_some_scoped(struct nmrt_random *r, enum nmrt_how how)
{
	struct nmrt_half *half;
	bool detached;

	rcu_read_lock();
	half = nmrt_some_half(r);
	detached = half && nmrt_has_detached(half);
	if (half && half->side == NMR_CLIENT) {
		scoped_nmr_client_call(half->binding)
			return nmrt_in_scope(half, r, how, detached);
	} else if (half) {
		scoped_nmr_provider_call(half->binding)
			return nmrt_in_scope(half, r, how, detached);
	}
	rcu_read_unlock();
	if (half)
		nmrt_check_entered(detached, false);
	return half;
}
#else
#define nmrt_call_some_scoped	nmrt_call_some
#endif

/* Slots */

const struct nmr_slot *nmrt_some_slot(struct nmrt_random *r)
{
	return nmrt_slots[nmrt_random(r) % ARRAY_SIZE(nmrt_slots)];
}

/* Make the call that has entered a slot, and end it. */
static void nmrt_use_slot(const struct nmr_call *call, enum nmrt_how how)
{
	if (how == NMRT_HAND_OVER && nmrt_hand_over(NULL, call))
		return;
	nmrt_call_through(call, how);
	nmr_slot_exit(call);
}

/* Make one call through a slot, in any context. Return: false if the slot is empty. */
static bool nmrt_call_slot(struct nmrt_random *r, enum nmrt_how how)
{
	struct nmr_call call;

	if (!nmr_slot_enter(nmrt_some_slot(r), &call)) {
		nmrt_count(NMRT_CALLS_REFUSED);
		return false;
	}
	nmrt_count(NMRT_CALLS_SLOT);
	nmrt_use_slot(&call, how);
	return true;
}

/* Wait for a provider, for up to two ticks, and call it. A signal may end the wait. */
void nmrt_wait_for_slot(struct nmrt_random *r)
{
	struct nmr_call call;
	int err = nmr_slot_enter_wait(nmrt_some_slot(r), &call, nmrt_random(r) % 3);

	if (!err) {
		nmrt_count(NMRT_CALLS_SLOT_WAITED);
		nmrt_use_slot(&call, nmrt_one_in(r, 8) ? NMRT_HAND_OVER : NMRT_SLEEP);
	}
	nmrt_expect(!err || err == -ETIMEDOUT || err == -ESHUTDOWN || err == -ERESTARTSYS);
}

/* Walks */

#define NMRT_WALK_ENDED	1

/* @last: number of the binding that was visited last. Numbers rise in the order of offers. */
struct nmrt_walk {
	struct nmrt_random *r;
	bool rcu;
	u64 last;
};

static int nmrt_visit(const struct nmr_call *call, void *arg)
{
	struct nmrt_walk *walk = arg;
	u64 id = nmr_binding_id(call->binding);
	enum nmrt_how how = nmrt_one_in(walk->r, 4) ? NMRT_NEST : NMRT_SHORT;

	if (id <= walk->last)
		nmrt_error(NMRT_WALK_ORDER);
	walk->last = nmrt_busted(NMRT_WALK_ORDER) ? U64_MAX : id;
	if (!walk->rcu && nmrt_one_in(walk->r, 32))
		how = NMRT_SLEEP;
	nmrt_call_through(call, how);
	nmrt_count(NMRT_VISITS);
	if (nmrt_one_in(walk->r, 64))
		nmr_detach_binding(call->binding, NMR_DETACH_FALLBACK);
	return nmrt_one_in(walk->r, 64) ? NMRT_WALK_ENDED : 0;
}

/* Walk through the peers of a registration, which may be unknown or finished. */
void nmrt_walk(struct nmrt_random *r, enum nmr_side side, u64 id)
{
	struct nmrt_walk walk = { .r = r, .rcu = nmrt_one_in(r, 3) };
	int err;

	if (walk.rcu)
		err = by_side_walk_rcu(side, id, nmrt_visit, &walk);
	else
		err = by_side_walk(side, id, nmrt_visit, &walk);
	nmrt_expect(!err || err == NMRT_WALK_ENDED || err == -ESHUTDOWN ||
		    (err == -EINVAL && !id));
	nmrt_count(NMRT_WALKS);
}

/* Choose how to make a call. */
static enum nmrt_how nmrt_some_how(struct nmrt_random *r)
{
	u32 n = nmrt_random(r) % 256;

	if (n < 1)
		return NMRT_SLEEP;
	if (n < 4)
		return NMRT_HAND_OVER;
	if (n < 60)
		return NMRT_NEST;
	return n < 100 ? NMRT_RCU : NMRT_SHORT;
}

/* Make one call from a task, in one of several ways. Return: false if there is none to make. */
static bool nmrt_call_from_task(struct nmrt_random *r)
{
	enum nmrt_how how = nmrt_some_how(r);

	if (nmrt_one_in(r, 4) && nmrt_call_slot(r, how))
		return true;
	if (how == NMRT_HAND_OVER || how == NMRT_RCU || nmrt_one_in(r, 2))
		return nmrt_call_some(r, how);
	return nmrt_call_some_scoped(r, how);
}

int nmrt_caller(void *data)
{
	struct nmrt_thread *thread = data;
	struct nmrt_random random;

	nmrt_random_init(&random);
	while (nmrt_go_on(thread))
		if (!nmrt_call_from_task(&random))
			usleep_range(50, 200);
	return 0;
}

/* Calls from interrupts */

static struct nmrt_random nmrt_softirq_random, nmrt_hardirq_random;

static void nmrt_call_atomic(struct nmrt_random *r, enum nmrt_op op)
{
	enum nmrt_how how = nmrt_one_in(r, 4) ? NMRT_NEST : NMRT_SHORT;
	struct nmrt_half *half;

	if (nmrt_one_in(r, 4) && nmrt_call_slot(r, how))
		return;
	rcu_read_lock();
	half = nmrt_some_half(r);
	if (half && nmrt_one_in(r, 2))
		nmrt_call_scoped(half, how);
	else if (half && nmrt_call(half, how))
		nmrt_count(op);
	rcu_read_unlock();
}

static void nmrt_timer_fn(struct timer_list *timer)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		nmrt_call_atomic(&nmrt_softirq_random, NMRT_CALLS_SOFTIRQ);
	mod_timer(timer, jiffies + 1);
}

static DEFINE_TIMER(nmrt_timer, nmrt_timer_fn);
static struct hrtimer nmrt_hrtimer;

static enum hrtimer_restart nmrt_hrtimer_fn(struct hrtimer *timer)
{
	nmrt_call_atomic(&nmrt_hardirq_random, NMRT_CALLS_HARDIRQ);
	hrtimer_forward_now(timer, NMRT_TICK);
	return HRTIMER_RESTART;
}

void nmrt_interrupts_start(void)
{
	nmrt_random_init(&nmrt_softirq_random);
	nmrt_random_init(&nmrt_hardirq_random);
	mod_timer(&nmrt_timer, jiffies + 1);
	hrtimer_setup(&nmrt_hrtimer, nmrt_hrtimer_fn, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	hrtimer_start(&nmrt_hrtimer, NMRT_TICK, HRTIMER_MODE_REL_HARD);
}

void nmrt_interrupts_stop(void)
{
	hrtimer_cancel(&nmrt_hrtimer);
	timer_delete_sync(&nmrt_timer);
}
