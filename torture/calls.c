// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls through bindings: short, sleeping, nested, handed over to another task, or under
 * RCU; from threads, softirqs and hardirqs.
 *
 * A caller finds a half of a binding in a table, under RCU. The attach callback puts the
 * half into the table, and the cleanup callback removes it and frees it after a grace
 * period. The binding is therefore valid, and entering its gate tells whether the peer
 * may be called.
 *
 * Locking: none.
 */

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../kunit/by_side.h"
#include "torture.h"

#define NMRT_SLOTS	64
#define NMRT_TICK	(200 * NSEC_PER_USEC)
#define NMRT_BURST	32	/* calls inside a call that has entered */

static struct nmrt_half __rcu *nmrt_slots[NMRT_SLOTS];

void nmrt_publish(struct nmrt_half *half, struct nmrt_random *r)
{
	u32 first = nmrt_random(r), i;

	for (i = 0; i < NMRT_SLOTS; i++)
		if (!cmpxchg((__force struct nmrt_half **)
			     &nmrt_slots[(first + i) % NMRT_SLOTS], NULL, half))
			return;
}

void nmrt_unpublish(struct nmrt_half *half)
{
	u32 i;

	for (i = 0; i < NMRT_SLOTS; i++)
		cmpxchg((__force struct nmrt_half **)&nmrt_slots[i], half, NULL);
}

/* Pick a half, or NULL. Must be called as an RCU reader. */
struct nmrt_half *nmrt_some_half(struct nmrt_random *r)
{
	u32 first = nmrt_random(r), i;
	struct nmrt_half *half = NULL;

	for (i = 0; i < NMRT_SLOTS && !half; i++)
		half = rcu_dereference_check(nmrt_slots[(first + i) % NMRT_SLOTS],
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

static bool nmrt_enter(struct nmrt_half *half)
{
	bool detached = READ_ONCE(half->detached), entered;

	/* Order the read above before the test of the gate. */
	smp_mb();
	entered = by_side_enter(half->side, half->binding);
	if (detached && (entered || nmrt_busted(NMRT_CALL_AFTER_DETACH)))
		nmrt_error(NMRT_CALL_AFTER_DETACH);
	if (!entered)
		nmrt_count(NMRT_CALLS_REFUSED);
	return entered;
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

/* A call that has entered, and continues in a work item. */
struct nmrt_errand {
	struct work_struct work;
	struct nmrt_half *half;
};

static void nmrt_run_errand(struct work_struct *work)
{
	struct nmrt_errand *errand = container_of(work, struct nmrt_errand, work);

	nmrt_call_op(errand->half, NMRT_SHORT);
	nmrt_exit(errand->half);
	kfree(errand);
}

/* Hand a call that has entered over to a work item. Return: true if that will end it. */
static bool nmrt_hand_over(struct nmrt_half *half)
{
	struct nmrt_errand *errand = kmalloc(sizeof(*errand), GFP_KERNEL);

	if (!errand)
		return false;
	INIT_WORK(&errand->work, nmrt_run_errand);
	errand->half = half;
	by_side_handover(half->side, half->binding);
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

/* Make one call from a task. Return: false if the table has no half to call. */
static bool nmrt_call_some(struct nmrt_random *r, enum nmrt_how how)
{
	struct nmrt_half *half;
	bool entered = false;
	unsigned int i;

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
	if (how == NMRT_HAND_OVER && nmrt_hand_over(half))
		return true;
	nmrt_call_op(half, how);
	/* While this call is in flight the half stays valid for more calls. */
	for (i = 0; i < NMRT_BURST && nmrt_call(half, NMRT_SHORT); i++)
		nmrt_count(NMRT_CALLS_SHORT);
	nmrt_exit(half);
	return true;
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

int nmrt_caller(void *data)
{
	struct nmrt_thread *thread = data;
	struct nmrt_random random;

	nmrt_random_init(&random);
	while (nmrt_go_on(thread))
		if (!nmrt_call_some(&random, nmrt_some_how(&random)))
			usleep_range(50, 200);
	return 0;
}

/* Calls from interrupts */

static struct nmrt_random nmrt_softirq_random, nmrt_hardirq_random;

static void nmrt_call_atomic(struct nmrt_random *r, enum nmrt_op op)
{
	enum nmrt_how how = nmrt_one_in(r, 4) ? NMRT_NEST : NMRT_SHORT;
	struct nmrt_half *half;

	rcu_read_lock();
	half = nmrt_some_half(r);
	if (half && nmrt_enter(half)) {
		nmrt_call_op(half, how);
		nmrt_exit(half);
		nmrt_count(op);
	}
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
	hrtimer_init(&nmrt_hrtimer, CLOCK_MONOTONIC, HRTIMER_MODE_REL_HARD);
	nmrt_hrtimer.function = nmrt_hrtimer_fn;
	hrtimer_start(&nmrt_hrtimer, NMRT_TICK, HRTIMER_MODE_REL_HARD);
}

void nmrt_interrupts_stop(void)
{
	hrtimer_cancel(&nmrt_hrtimer);
	del_timer_sync(&nmrt_timer);
}
