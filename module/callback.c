// SPDX-License-Identifier: GPL-2.0
/*
 * Which callbacks of modules run, and in which task.
 *
 * A wait for a registration that is called inside a callback of one of its bindings
 * would wait for itself; the frames kept here tell. What would only end if another
 * task's callback ended first (two callbacks that wait for each other's
 * registrations) is for lockdep: callbacks hold the map of both registrations for
 * read, a wait takes its own for write.
 *
 * Locking: nmr_callback_lock, process context only, a leaf. Frames are on the
 * stacks of their tasks, and as many as callbacks run at once: few. nmr_lent_mutex,
 * process context, nothing of the registrar's inside.
 */

#include <linux/minmax.h>
#include <linux/sched.h>

#include "internal.h"

static LIST_HEAD(nmr_callbacks);
static DEFINE_SPINLOCK(nmr_callback_lock);

/* How many callbacks wait in the API now, each with a place lent; and its lock. */
static unsigned int nmr_lent;
static DEFINE_MUTEX(nmr_lent_mutex);

static bool nmr_same(const struct nmr_registration *a, const struct nmr_registration *b)
{
	return a == b;
}

#ifdef CONFIG_LOCKDEP
static struct lockdep_map *nmr_map(struct nmr_registration *reg)
{
	return &reg->dep_map;
}

static bool nmr_same_class(const struct nmr_registration *a,
			   const struct nmr_registration *b)
{
	return a->dep_map.key == b->dep_map.key;
}
#else
#define nmr_map(reg)	NULL
#define nmr_same_class	nmr_same
#endif

/* The calling task is about to call a callback of @b. Nests. */
void nmr_callback_begin(struct nmr_callback *cb, struct nmr_binding *b)
{
	cb->task = current;
	cb->binding = b;
	spin_lock(&nmr_callback_lock);
	list_add(&cb->list, &nmr_callbacks);
	spin_unlock(&nmr_callback_lock);

	lock_map_acquire_read(nmr_map(b->reg[NMR_CLIENT]));
	lock_map_acquire_read(nmr_map(b->reg[NMR_PROVIDER]));
}

void nmr_callback_end(struct nmr_callback *cb, struct nmr_binding *b)
{
	lock_map_release(nmr_map(b->reg[NMR_PROVIDER]));
	lock_map_release(nmr_map(b->reg[NMR_CLIENT]));

	spin_lock(&nmr_callback_lock);
	list_del(&cb->list);
	spin_unlock(&nmr_callback_lock);
}

static bool nmr_callback_any(const struct nmr_registration *reg,
			     bool (*match)(const struct nmr_registration *a,
					   const struct nmr_registration *b))
{
	struct nmr_callback *cb;
	bool found = false;

	spin_lock(&nmr_callback_lock);
	list_for_each_entry(cb, &nmr_callbacks, list) {
		if (cb->task == current &&
		    (match(cb->binding->reg[NMR_CLIENT], reg) ||
		     match(cb->binding->reg[NMR_PROVIDER], reg))) {
			found = true;
			break;
		}
	}
	spin_unlock(&nmr_callback_lock);
	return found;
}

static bool nmr_always(const struct nmr_registration *a, const struct nmr_registration *b)
{
	return true;
}

static void nmr_lend(int places)
{
	mutex_lock(&nmr_lent_mutex);
	nmr_lent += places;
	workqueue_set_max_active(nmr_callback_wq,
				 min_t(int, NMR_CALLBACKS_AT_ONCE + nmr_lent, WQ_MAX_ACTIVE));
	mutex_unlock(&nmr_lent_mutex);
}

/*
 * The calling task is about to wait in the API. What it waits for needs the workqueue,
 * so a callback gives its place there to others meanwhile: any number of callbacks may
 * wait for other registrations. Return: to be given to nmr_callback_wait_end().
 */
bool nmr_callback_wait_begin(void)
{
	bool lend = nmr_callback_any(NULL, nmr_always);

	if (lend)
		nmr_lend(1);
	return lend;
}

void nmr_callback_wait_end(bool lent)
{
	if (lent)
		nmr_lend(-1);
}

/* Is the calling task inside a callback of a binding of @reg, whichever side's? */
bool nmr_callback_in(const struct nmr_registration *reg)
{
	return nmr_callback_any(reg, nmr_same);
}

/*
 * Tell lockdep that the calling task is about to wait for @reg's callbacks to end.
 * Not inside a callback of another registration of the same class: a driver that
 * registers many from one place may let one wait for another, and lockdep cannot
 * tell that from waiting for itself.
 */
void nmr_callback_may_wait(struct nmr_registration *reg)
{
	if (!IS_ENABLED(CONFIG_LOCKDEP) || nmr_callback_any(reg, nmr_same_class))
		return;
	lock_map_acquire(nmr_map(reg));
	lock_map_release(nmr_map(reg));
}
