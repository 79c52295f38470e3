// SPDX-License-Identifier: GPL-2.0
/*
 * Which callbacks of modules run, on which CPU and in which task.
 *
 * A wait for a registration that is called inside a callback of one of its bindings
 * would wait for itself; the frames kept here tell. What would only end if another
 * task's callback ended first (two callbacks that wait for each other's
 * registrations) is for lockdep: callbacks and calls (track.c) hold the maps of both
 * registrations for read, a wait takes its own for write.
 *
 * Locking: nmr_callback_lock, process context only, a leaf. Frames are on the
 * stacks of their tasks, and as many as callbacks run at once: few.
 */

#include <linux/sched.h>
#include <linux/sched/isolation.h>
#include <linux/smp.h>

#include "internal.h"

static LIST_HEAD(nmr_callbacks);
static DEFINE_SPINLOCK(nmr_callback_lock);

/* Find a CPU to run callbacks: this one, but an isolated one is left alone. */
static int nmr_callback_cpu(void)
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
 * Queue the work item of @b, which calls callbacks. Any context but NMI. A CPU that goes
 * offline meanwhile has left workers behind, which run elsewhere.
 */
void nmr_callback_queue(struct nmr_binding *b)
{
	preempt_disable();
	queue_work_on(nmr_callback_cpu(), nmr_callback_wq, &b->work);
	preempt_enable();
}

/* Remember that the calling task is about to call a callback of @b. Nests. */
void nmr_callback_begin(struct nmr_callback *cb, struct nmr_binding *b)
{
	enum nmr_side side;

	cb->task = current;
	cb->binding = b;
	spin_lock(&nmr_callback_lock);
	list_add(&cb->list, &nmr_callbacks);
	spin_unlock(&nmr_callback_lock);

	/*
	 * As a trylock, as kernfs does with its active references: lockdep then has what
	 * the callback takes depend on each of the two, and not only on the last.
	 */
	for (side = 0; side < NMR_SIDES; side++)
		lock_acquire(&b->reg[side]->dep_map, 0, 1, 2, 1, NULL, _THIS_IP_);
}

void nmr_callback_end(struct nmr_callback *cb, struct nmr_binding *b)
{
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++)
		lock_map_release(&b->reg[side]->dep_map);

	spin_lock(&nmr_callback_lock);
	list_del(&cb->list);
	spin_unlock(&nmr_callback_lock);
}

/*
 * Tell whether the calling task is inside a callback of a binding of @reg, whichever side's;
 * of any binding, if @reg is NULL.
 */
bool nmr_callback_in(const struct nmr_registration *reg)
{
	struct nmr_callback *cb;
	bool found = false;

	spin_lock(&nmr_callback_lock);
	list_for_each_entry(cb, &nmr_callbacks, list) {
		if (cb->task == current &&
		    (!reg || cb->binding->reg[NMR_CLIENT] == reg ||
		     cb->binding->reg[NMR_PROVIDER] == reg)) {
			found = true;
			break;
		}
	}
	spin_unlock(&nmr_callback_lock);
	return found;
}

/*
 * Write "name/number" of the task that runs a callback of @b to @name, which has room for
 * NMR_TASK_NAME. Return: false, and "none", if no task does.
 */
bool nmr_callback_task(const struct nmr_binding *b, char *name)
{
	struct nmr_callback *cb;
	bool found = false;

	strscpy(name, "none", NMR_TASK_NAME);
	spin_lock(&nmr_callback_lock);
	list_for_each_entry(cb, &nmr_callbacks, list) {
		if (cb->binding == b) {
			snprintf(name, NMR_TASK_NAME, "%s/%d", cb->task->comm,
				 task_pid_nr((struct task_struct *)cb->task));
			found = true;
			break;
		}
	}
	spin_unlock(&nmr_callback_lock);
	return found;
}

#ifdef CONFIG_LOCKDEP
/* Does the calling task hold the map of another registration of the class of @reg? */
static bool nmr_class_is_held(const struct nmr_registration *reg)
{
	const struct lockdep_map *map = &reg->dep_map;
	int i;

	for (i = 0; i < current->lockdep_depth; i++) {
		const struct lockdep_map *held = current->held_locks[i].instance;

		if (held != map && held->key == map->key)
			return true;
	}
	return false;
}

/*
 * Tell lockdep that the calling task is about to wait for @reg's callbacks and calls to
 * end. Not inside a callback of @reg, where it will not wait. Not inside a callback or a
 * call of another registration of the same class: a driver that registers many from one
 * place may let one wait for another, and lockdep cannot tell that from waiting for
 * itself. Not for one that has finished: its module, and with it the class, may be gone.
 * A module that unloads waits for RCU readers before its classes go.
 */
void nmr_callback_may_wait(struct nmr_registration *reg)
{
	if (nmr_callback_in(reg) || nmr_class_is_held(reg))
		return;
	rcu_read_lock();
	if (!nmr_registration_finished(reg)) {
		lock_map_acquire(&reg->dep_map);
		lock_map_release(&reg->dep_map);
	}
	rcu_read_unlock();
}
#else
void nmr_callback_may_wait(struct nmr_registration *reg)
{
}
#endif
