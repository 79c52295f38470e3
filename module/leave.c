// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Leaving and waiting
 *
 * **Leaving.** nmr_leave() takes the registration out of its NPI, so that no task begins an
 * offer to it, and closes its bindings, ``NMR_BATCH`` at a time. The bindings of a batch share
 * a grace period. nmr_leave() does not sleep: it may be called in softirqs.
 *
 * **Finishing.** When the last pin is dropped (see "Memory and unloading"), the work item of
 * the registration finishes it: nmr_registration_finish() takes it out of sysfs and of the
 * tables, and wakes the tasks that wait. No callback of the module runs or will run then.
 *
 * **Waiting.** A wait may last as long as any call, so the task sleeps in ``TASK_IDLE``:
 * khungtaskd does not report it, and it does not count to the load. The task is freezable, or
 * the machine could not suspend meanwhile, but for the two cases in nmr_may_freeze().
 *
 * **The safety net.** If a module unloads while it is registered, because its exit function
 * does not deregister, or because its init function fails after it has registered, the text of
 * its callbacks and calls must not be freed. A module notifier deregisters and waits. It runs
 * after the exit function, so it cannot protect what that function has freed.
 */
/* Locking: nmr_lock. No lock is held while a task waits. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/freezer.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <trace/events/nmr.h>

#include "binding.h"
#include "callback.h"
#include "debug.h"

/* Leave */

/* Close some bindings, which share a grace period. Return: true if there are more. */
static bool nmr_close_some(struct nmr_registration *reg)
{
	unsigned int budget = NMR_BATCH;
	struct nmr_binding *b, *next;
	LLIST_HEAD(batch);

	list_for_each_entry_safe(b, next, &reg->open, node[reg->side]) {
		nmr_binding_close(b, nmr_leave_reason(reg), &batch);
		if (!--budget)
			break;
	}
	nmr_bindings_start_gp(&batch);
	return !list_empty(&reg->open);
}

/**
 * nmr_leave() - begin to take a registration back
 * @reg: the registration
 *
 * All gates of @reg are closed on return, also for a second, concurrent caller, which
 * therefore helps the first. The caller must have a reference.
 *
 * Context: Any but hardirq and NMI.
 * Return:
 * * %-EINPROGRESS	- this call has begun it
 * * %-EALREADY		- an earlier call has begun it
 */
int nmr_leave(struct nmr_registration *reg)
{
	unsigned long flags;
	bool first;

	spin_lock_irqsave(&nmr_lock, flags);
	first = !reg->leaving;
	if (first) {
		WRITE_ONCE(reg->leaving, true);
		nmr_npi_leave(reg);
		list_del_init(&reg->waiting);
		list_del_init(&reg->starved);
		trace_nmr_deregister(reg->side, reg->id);
	}
	/* No binding is added any more, so each batch leaves fewer open. */
	while (nmr_close_some(reg)) {
		spin_unlock_irqrestore(&nmr_lock, flags);
		spin_lock_irqsave(&nmr_lock, flags);
	}
	if (first)
		nmr_registration_unpin(reg);
	spin_unlock_irqrestore(&nmr_lock, flags);
	/* Any number of tasks may wait for a binding. */
	if (first)
		wake_up_all(&reg->wait);
	return first ? -EINPROGRESS : -EALREADY;
}

/* Finish */

/*
 * Finish @reg: no binding is left, and no task can begin one. As soon as the waiters are
 * woken, its module may be unloaded, so this function must not touch the module's memory.
 *
 * A task that does not find @reg in the table does not wait, and may unload the module, and
 * with it the lockdep class of @reg. So @reg is marked finished before it leaves the table: a
 * task that has found it earlier then does not tell lockdep of its wait.
 *
 * The unlock in wake_up_all() and the lock in xa_erase() order all that precedes them before a
 * lookup that finds nothing, see nmr_registration_find().
 */
static void nmr_registration_finish(struct nmr_registration *reg)
{
	nmr_sysfs_remove_registration(reg);
	nmr_pair_forget_all(reg);
	nmr_slot_release(reg);
	trace_nmr_finish(reg->side, reg->id);

	/* Pairs with smp_load_acquire() in nmr_registration_finished(). */
	smp_store_release(&reg->finished, true);
	wake_up_all(&reg->wait);
	nmr_registration_unpublish(reg);
	nmr_registration_put(reg);
}

/* Run the work item of a registration: a scan, or, if no pin is left, the finish. */
void nmr_registration_work(struct work_struct *work)
{
	struct nmr_registration *reg = container_of(work, struct nmr_registration, work);
	bool finished, forgive;

	spin_lock_irq(&nmr_lock);
	finished = !reg->pins;
	forgive = reg->forgive;
	reg->scan_queued = false;
	reg->forgive = false;
	spin_unlock_irq(&nmr_lock);
	if (finished) {
		nmr_registration_finish(reg);
		return;
	}

	nmr_offer_again(reg, forgive);
	spin_lock_irq(&nmr_lock);
	nmr_registration_unpin(reg);
	spin_unlock_irq(&nmr_lock);
}

/* Wait */

/*
 * Tell whether the calling task may freeze while it waits. It may not inside a callback, nor
 * with a lock held (as far as lockdep knows): a task that waits for that callback or that
 * lock could not freeze then.
 */
bool nmr_may_freeze(void)
{
	return !nmr_callback_in(NULL) && !lockdep_depth(current);
}

/* Limit a timeout to what the scheduler takes. */
static long nmr_timeout(unsigned long timeout)
{
	return min_t(unsigned long, timeout, MAX_SCHEDULE_TIMEOUT);
}

/**
 * nmr_wait_until() - wait for a condition of a registration
 * @reg:     the registration; the caller holds a reference
 * @met:     the condition
 * @state:   the state to sleep in
 * @timeout: in jiffies
 *
 * Return:
 * * above 0	- the condition is met
 * * 0		- the time is over
 * * below 0	- a signal is pending
 */
long nmr_wait_until(struct nmr_registration *reg,
		    bool (*met)(struct nmr_registration *reg), unsigned int state,
		    unsigned long timeout)
{
	bool freezable = nmr_may_freeze();

	if (freezable)
		state |= TASK_FREEZABLE;
	return ___wait_event(reg->wait, ___wait_cond_timeout(met(reg)), state, 0,
			     nmr_timeout(timeout),
			     __ret = nmr_schedule_timeout(__ret, freezable));
}

/* Wait until @reg has finished. Return: 0, -EINVAL (active), -EDEADLK or -ETIMEDOUT. */
int nmr_wait_finished(struct nmr_registration *reg, unsigned long timeout)
{
	long left;

	if (!READ_ONCE(reg->leaving))
		return -EINVAL;
	if (nmr_callback_in(reg))
		return -EDEADLK;
	if (timeout)
		nmr_might_wait(reg);
	left = nmr_wait_until(reg, nmr_registration_finished, TASK_IDLE, timeout);
	return left ? 0 : -ETIMEDOUT;
}

/* The safety net */

#ifdef CONFIG_MODULES
/*
 * Deregister @reg as its module unloads, and wait before the text of the module is freed. Warn of
 * the first wait only: the module may have forgotten thousands of registrations.
 */
static void nmr_rescue(struct nmr_registration *reg, bool *told)
{
	bool leaving = READ_ONCE(reg->leaving);

	nmr_misuse(reg, leaving ? NMR_MISUSE_NO_WAIT : NMR_MISUSE_UNLOAD, 0);
	nmr_leave(reg);
	if (!*told && !nmr_registration_finished(reg)) {
		*told = true;
		pr_warn("module %s is not unloaded before the calls and callbacks of its bindings have returned; until then loading of other modules may stall\n",
			reg->modname);
	}
	nmr_wait_until(reg, nmr_registration_finished, TASK_IDLE, ULONG_MAX);
}

/* Find and rescue the registrations of a module that unloads. */
static int nmr_module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct nmr_registration *reg;
	bool told = false;

	if (event != MODULE_STATE_GOING)
		return NOTIFY_DONE;
	while ((reg = nmr_registration_of(data))) {
		nmr_rescue(reg, &told);
		nmr_registration_put(reg);
	}
	return NOTIFY_OK;
}

/* Runs first: jump labels and tracepoints must know the module while its callbacks run. */
static struct notifier_block nmr_module_notifier = {
	.notifier_call = nmr_module_event,
	.priority = INT_MAX,
};

int __init nmr_leave_init(void)
{
	return register_module_notifier(&nmr_module_notifier);
}

void nmr_leave_exit(void)
{
	unregister_module_notifier(&nmr_module_notifier);
}
#else
int __init nmr_leave_init(void)
{
	return 0;
}

void nmr_leave_exit(void)
{
}
#endif
