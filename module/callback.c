// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Callbacks
 *
 * Each callback that runs has a frame on the stack of its task, and there is a table of frames
 * by task. The provider's attach callback shares the frame of the client's, inside of which it
 * runs.
 * A wait for a registration inside a callback of one of its bindings would wait for itself:
 * the frames of the calling task tell. A frame points to the frame of the callback that it
 * is inside of. If a worker makes an offer for a register call that waits for it, that frame
 * belongs to the task of the register call.
 *
 * Two callbacks that wait for each other's registrations are not found here, but by lockdep.
 *
 * **Depth.** At most ``NMR_CALLBACKS_NESTED`` frames nest on one stack, with an attach callback
 * of one side or of both in each. A register call inside the last of them has workers make the
 * offers that call a module, and waits for each offer.
 *
 * **Number.** ``NMR_CALLBACKS_AT_ONCE`` callbacks run concurrently on each CPU. A callback that
 * waits for another registration occupies a worker, and the event that it waits for may need
 * another worker. So 500 callbacks may wait, even if all were queued on one CPU.
 *
 * nmr_queue_work() queues work on the local CPU, unless that CPU is isolated. If a CPU goes
 * offline, its workers continue on other CPUs.
 */
/*
 * Locking: nmr_callback_lock, process context only, a leaf. A task may follow the outer frames
 * of its own frame without the lock, as they exist for as long as its own frame does.
 */

#include <linux/hashtable.h>
#include <linux/kernel.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/isolation.h>
#include <linux/smp.h>

#include "binding.h"
#include "callback.h"
#include "debug.h"

static DEFINE_HASHTABLE(nmr_callbacks, 6);
static DEFINE_SPINLOCK(nmr_callback_lock);

/* Find a CPU for work: the local CPU, or, if it is isolated, another one. */
static int nmr_work_cpu(void)
{
	int here = smp_processor_id(), cpu;

	if (likely(!cpu_is_isolated(here)))
		return here;
	for_each_online_cpu(cpu)
		if (!cpu_is_isolated(cpu))
			return cpu;
	return here;
}

/*
 * Queue work as queue_work() does, but not on an isolated CPU. Any context but NMI. If the CPU
 * goes offline concurrently, its workers run the work on other CPUs.
 */
bool nmr_queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	bool queued;

	preempt_disable();
	queued = queue_work_on(nmr_work_cpu(), wq, work);
	preempt_enable();
	return queued;
}

/* Return: the frame of the callback that the calling task is inside of, or NULL. */
static struct nmr_callback *nmr_callback_innermost(void)
{
	struct nmr_callback *cb;

	lockdep_assert_held(&nmr_callback_lock);
	/* The newest frame of a task is the first. */
	hash_for_each_possible(nmr_callbacks, cb, node, (unsigned long)current)
		if (cb->task == current)
			return cb;
	return NULL;
}

static void nmr_callback_push(struct nmr_callback *cb)
{
	lockdep_assert_held(&nmr_callback_lock);
	cb->task = current;
	hash_add(nmr_callbacks, &cb->node, (unsigned long)current);
}

static void nmr_callback_pop(struct nmr_callback *cb)
{
	spin_lock(&nmr_callback_lock);
	hash_del(&cb->node);
	spin_unlock(&nmr_callback_lock);
}

/* Record that the calling task is about to call a callback of @b. Nests. */
void nmr_callback_begin(struct nmr_callback *cb, struct nmr_binding *b)
{
	cb->binding = b;
	spin_lock(&nmr_callback_lock);
	cb->outer = nmr_callback_innermost();
	cb->depth = cb->outer ? cb->outer->depth + 1 : 1;
	nmr_callback_push(cb);
	spin_unlock(&nmr_callback_lock);
	cb->tracked = nmr_lockdep_callback(b);
}

void nmr_callback_end(struct nmr_callback *cb, struct nmr_binding *b)
{
	if (cb->tracked)
		nmr_lockdep_callback_end(b);
	nmr_callback_pop(cb);
}

/**
 * nmr_callback_nested() - look how deep in callbacks the calling task is
 * @outer: set to the frame of the callback that the task is inside of, or to NULL
 *
 * Each layer of callbacks that register takes its share of the stack, and a stack is small.
 *
 * Return: true if no more are to nest on this one.
 */
bool nmr_callback_nested(const struct nmr_callback **outer)
{
	spin_lock(&nmr_callback_lock);
	*outer = nmr_callback_innermost();
	spin_unlock(&nmr_callback_lock);
	return *outer && (*outer)->depth >= NMR_CALLBACKS_NESTED;
}

/* Note that the task inside @outer waits for what the calling worker does now. */
void nmr_callback_stand_in(struct nmr_callback *cb, const struct nmr_callback *outer)
{
	cb->binding = NULL;
	cb->outer = outer;
	cb->depth = 0;
	spin_lock(&nmr_callback_lock);
	nmr_callback_push(cb);
	spin_unlock(&nmr_callback_lock);
}

void nmr_callback_stand_in_end(struct nmr_callback *cb)
{
	nmr_callback_pop(cb);
}

static bool nmr_callback_is_of(const struct nmr_callback *cb,
			       const struct nmr_registration *reg)
{
	return cb->binding && (cb->binding->reg[NMR_CLIENT] == reg ||
			       cb->binding->reg[NMR_PROVIDER] == reg);
}

/*
 * Tell whether the calling task is inside a callback of a binding of @reg, on either side. A
 * worker that makes an offer counts as the task that waits for the offer. If @reg is NULL, a
 * callback of any binding counts.
 */
bool nmr_callback_in(const struct nmr_registration *reg)
{
	const struct nmr_callback *cb;

	spin_lock(&nmr_callback_lock);
	cb = nmr_callback_innermost();
	spin_unlock(&nmr_callback_lock);
	while (cb && reg && !nmr_callback_is_of(cb, reg))
		cb = cb->outer;
	return cb;
}

/*
 * Write "name/number" of the task that runs a callback of @b to @name, which has room for
 * NMR_TASK_NAME. Return: false, and "none", if no task does.
 */
bool nmr_callback_task(const struct nmr_binding *b, char *name)
{
	struct nmr_callback *cb;
	bool found = false;
	int bucket;

	strscpy(name, "none", NMR_TASK_NAME);
	spin_lock(&nmr_callback_lock);
	hash_for_each(nmr_callbacks, bucket, cb, node) {
		if (cb->binding == b) {
			snprintf(name, NMR_TASK_NAME, "%s/%d", cb->task->comm,
				 task_pid_nr((struct task_struct *)cb->task));
			found = true;
		}
	}
	spin_unlock(&nmr_callback_lock);
	return found;
}

/*
 * Tell lockdep that the calling task is about to wait for the callbacks and calls of @reg to
 * end. Inside a callback of @reg a wait returns -EDEADLK, so lockdep is not told.
 */
void nmr_might_wait(struct nmr_registration *reg)
{
	if (IS_ENABLED(CONFIG_LOCKDEP) && !nmr_callback_in(reg))
		nmr_lockdep_wait(reg);
}
