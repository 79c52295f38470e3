// SPDX-License-Identifier: GPL-2.0
/*
 * Which callbacks of modules run, and in which task.
 *
 * A wait for a registration that is called inside a callback of one of its bindings
 * would wait for itself; the frames kept here tell. What would only end if another
 * task's callback ended first (two callbacks that wait for each other's
 * registrations) is for lockdep, see track.c.
 *
 * Locking: nmr_callback_lock, process context only, a leaf. Frames are on the
 * stacks of their tasks, and as many as callbacks run at once: few. nmr_lent_mutex,
 * process context, nothing of the registrar's inside.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/printk.h>
#include <linux/sched.h>

#include "internal.h"

static LIST_HEAD(nmr_callbacks);
static DEFINE_SPINLOCK(nmr_callback_lock);

/* How many callbacks wait in the API now, each with a place lent; and its lock. */
static unsigned int nmr_lent;
static DEFINE_MUTEX(nmr_lent_mutex);

/* Note that the calling task is about to call a callback of @b. Nests. */
void nmr_callback_begin(struct nmr_callback *cb, struct nmr_binding *b)
{
	cb->task = current;
	cb->binding = b;
	spin_lock(&nmr_callback_lock);
	list_add(&cb->list, &nmr_callbacks);
	spin_unlock(&nmr_callback_lock);
	cb->tracked = nmr_track_callback(b);
}

void nmr_callback_end(struct nmr_callback *cb, struct nmr_binding *b)
{
	if (cb->tracked)
		nmr_track_callback_end(b);
	spin_lock(&nmr_callback_lock);
	list_del(&cb->list);
	spin_unlock(&nmr_callback_lock);
}

/*
 * Is the calling task inside a callback of a binding of @reg, whichever side's? Of any
 * binding, if NULL.
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

static void nmr_lend(int places)
{
	int active;

	mutex_lock(&nmr_lent_mutex);
	nmr_lent += places;
	active = min_t(int, NMR_CALLBACKS_AT_ONCE + nmr_lent, WQ_UNBOUND_MAX_ACTIVE);
	if (active == WQ_UNBOUND_MAX_ACTIVE)
		pr_warn_once("%u callbacks wait for registrations at once: the workqueue is full\n",
			     nmr_lent);
	workqueue_set_max_active(nmr_callback_wq, active);
	mutex_unlock(&nmr_lent_mutex);
}

/*
 * The calling task is about to wait in the API for so long. What it waits for needs the
 * workqueue, so a callback gives its place there to others meanwhile; or callbacks that
 * wait for other registrations, as many as there are places, would wait for ever. A
 * callback inside a register call has no place, and adding one for it does no harm.
 * Return: to be given to nmr_callback_wait_end().
 */
bool nmr_callback_wait_begin(unsigned long timeout)
{
	bool lend = timeout && nmr_callback_in(NULL);

	if (lend)
		nmr_lend(1);
	return lend;
}

void nmr_callback_wait_end(bool lent)
{
	if (lent)
		nmr_lend(-1);
}

/*
 * Tell lockdep that the calling task is about to wait for @reg's callbacks and calls to
 * end. Not inside a callback of @reg, where it will not wait.
 */
void nmr_callback_may_wait(struct nmr_registration *reg)
{
	if (IS_ENABLED(CONFIG_LOCKDEP) && !nmr_callback_in(reg))
		nmr_track_wait(reg);
}
