// SPDX-License-Identifier: GPL-2.0
/*
 * Bindings that do not drain: one warning each, that says who holds them up.
 *
 * Bindings are listed in the order in which they close, so a check stops at the first
 * one that is not due. A binding that was warned of, or that has cleaned up, leaves the
 * list. While the list is not empty a check runs once a second, so a new value of
 * stuck_seconds counts for bindings that have closed already.
 *
 * Locking: the list under nmr_lock. The check runs on a workqueue of the system, though
 * main.c has three: nobody waits for it, and many warnings on a slow console are not to
 * hold up the registrar's own.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>

#include "internal.h"

static unsigned int stuck_seconds = 30;
module_param(stuck_seconds, uint, 0644);
MODULE_PARM_DESC(stuck_seconds,
		 "warn of a binding that has not drained so long after it closed (default 30; 0: never)");

static LIST_HEAD(nmr_closing);

static void nmr_stuck_check(struct work_struct *work);
static DECLARE_DELAYED_WORK(nmr_stuck_work, nmr_stuck_check);

static const char *nmr_stuck_side(const struct nmr_binding *b, enum nmr_side side)
{
	if (READ_ONCE(b->attaching))
		return "attaching";
	switch (nmr_side_detach(b, side)) {
	case NMR_DETACH_NONE:
		return "not asked yet";
	case NMR_DETACH_DONE:
		return "detached";
	default:
		return "pending";
	}
}

static void nmr_stuck_warn(const struct nmr_binding *b)
{
	pr_warn("binding %llu stuck for %lu s: client %s %s, %u calls in flight; provider %s %s, %u calls in flight\n",
		b->id, (jiffies - b->closed_at) / HZ,
		b->reg[NMR_CLIENT]->modname, nmr_stuck_side(b, NMR_CLIENT),
		nmr_gate_in_flight(b, NMR_CLIENT),
		b->reg[NMR_PROVIDER]->modname, nmr_stuck_side(b, NMR_PROVIDER),
		nmr_gate_in_flight(b, NMR_PROVIDER));
	nmr_holders_report(b);
}

/* Return: the next binding that is due, off the list and with a reference, or NULL. */
static struct nmr_binding *nmr_stuck_next(void)
{
	unsigned int seconds = READ_ONCE(stuck_seconds);
	struct nmr_binding *b;

	lockdep_assert_held(&nmr_lock);
	b = list_first_entry_or_null(&nmr_closing, struct nmr_binding, closing);
	if (!b)
		return NULL;
	if (!seconds || (jiffies - b->closed_at) / HZ < seconds) {
		queue_delayed_work(system_unbound_wq, &nmr_stuck_work, HZ);
		return NULL;
	}
	list_del_init(&b->closing);
	return nmr_binding_get(b);
}

/*
 * What is left to do tells, not the list: a binding whose todo is 0 waits for nothing
 * but its cleanup. One that still attaches has all of it left.
 */
static void nmr_stuck_check(struct work_struct *work)
{
	struct nmr_binding *b;

	do {
		spin_lock_irq(&nmr_lock);
		b = nmr_stuck_next();
		spin_unlock_irq(&nmr_lock);
		if (b && atomic_read(&b->todo))
			nmr_stuck_warn(b);
		nmr_binding_put(b);
		cond_resched();
	} while (b);
}

/* @b has closed. */
void nmr_stuck_watch(struct nmr_binding *b)
{
	lockdep_assert_held(&nmr_lock);
	list_add_tail(&b->closing, &nmr_closing);
	queue_delayed_work(system_unbound_wq, &nmr_stuck_work, HZ);
}

/* @b has cleaned up. */
void nmr_stuck_forget(struct nmr_binding *b)
{
	lockdep_assert_held(&nmr_lock);
	list_del_init(&b->closing);
}

void nmr_stuck_exit(void)
{
	cancel_delayed_work_sync(&nmr_stuck_work);
}
