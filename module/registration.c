// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which registrations there are: publish one, find it, finish it.
 *
 * Ids are numbers. A number that was issued and is not in the table is that of a
 * registration that has finished; so a stale handle is told from an invented one without
 * touching freed memory. A number is never issued twice: a registration that fails for
 * want of memory may have been seen in sysfs already, and has used its number up.
 *
 * Locking: the tables have locks of their own, and are read under RCU. No function here
 * holds a lock while it allocates memory or makes a directory, so no registration waits for
 * another one.
 */

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/xarray.h>
#include <trace/events/nmr.h>

#include "internal.h"

static atomic64_t nmr_issued[NMR_SIDES];	/* the last id */

/* All that have not finished, by id (by its low bits, where a long has 32). */
static struct xarray nmr_registrations[NMR_SIDES] = {
	XARRAY_INIT(nmr_registrations[NMR_CLIENT], 0),
	XARRAY_INIT(nmr_registrations[NMR_PROVIDER], 0),
};

/*
 * Return: with a reference; NULL if long finished; ERR_PTR(-EINVAL) if never issued. The
 * number of a registration that has not joined its NPI yet is in no handle.
 */
struct nmr_registration *nmr_registration_find(enum nmr_side side, u64 id)
{
	struct nmr_registration *reg;

	if (!id || id > atomic64_read(&nmr_issued[side]))
		return ERR_PTR(-EINVAL);
	rcu_read_lock();
	reg = xa_load(&nmr_registrations[side], id);
	if (reg && !READ_ONCE(reg->joined))
		reg = ERR_PTR(-EINVAL);
	else if (reg && (reg->id != id || !refcount_inc_not_zero(&reg->refs)))
		reg = NULL;
	rcu_read_unlock();
	return reg;
}

/* Return: any registration of that module that has not finished, with a reference. */
struct nmr_registration *nmr_registration_of(const struct module *mod)
{
	struct nmr_registration *reg;
	unsigned long index;
	enum nmr_side side;

	rcu_read_lock();
	for (side = 0; side < NMR_SIDES; side++)
		xa_for_each(&nmr_registrations[side], index, reg)
			if (reg->owner == mod && !nmr_registration_finished(reg) &&
			    refcount_inc_not_zero(&reg->refs))
				goto unlock;
	reg = NULL;
unlock:
	rcu_read_unlock();
	return reg;
}

/* Return: the next client after that id which has joined, with a reference, or NULL. */
struct nmr_registration *nmr_registration_next_client(u64 id)
{
	struct nmr_registration *reg;
	unsigned long index;

	rcu_read_lock();
	xa_for_each_start(&nmr_registrations[NMR_CLIENT], index, reg, id + 1)
		if (READ_ONCE(reg->joined) && refcount_inc_not_zero(&reg->refs))
			break;
	rcu_read_unlock();
	return reg;
}

/* Issue an id, make the directory named by it, and enter the table: all or nothing. */
static int nmr_registration_enter(struct nmr_registration *reg)
{
	int err;

	do {
		reg->id = atomic64_inc_return(&nmr_issued[reg->side]);
		err = xa_insert(&nmr_registrations[reg->side], reg->id, reg, GFP_KERNEL);
	} while (err == -EBUSY);
	if (err)
		return -ENOMEM;
	err = nmr_sysfs_add_registration(reg);
	if (err)
		xa_erase(&nmr_registrations[reg->side], reg->id);
	return err;
}

/**
 * nmr_registration_publish() - issue an id and let other tasks see the registration
 * @reg:    filled in but for what this sets; the caller's reference becomes the
 *	    registry's
 * @npi_id: the NPI
 * @handle: set before another task can find @reg
 *
 * The registration is busy for the register call, which is to call
 * nmr_registration_idle().
 *
 * Context: process, may sleep.
 * Return: 0, or -ENOMEM: nothing is registered, and an id may have been used up.
 */
int nmr_registration_publish(struct nmr_registration *reg, const guid_t *npi_id,
			     u64 *handle)
{
	int err;

	reg->npi = nmr_npi_get(npi_id);
	if (!reg->npi)
		return -ENOMEM;
	reg->instance.npi_id = &reg->npi->id;
	err = nmr_registration_enter(reg);
	if (err) {
		nmr_npi_put(reg->npi);
		return err;
	}

	spin_lock_irq(&nmr_lock);
	*handle = reg->id;
	reg->busy = 2;
	nmr_npi_join(reg);
	WRITE_ONCE(reg->joined, true);
	spin_unlock_irq(&nmr_lock);
	trace_nmr_register(reg->side, reg->id, reg->modname, npi_id);
	return 0;
}

/*
 * Take @reg out of all tables. No callback runs or will run: no binding is left, and no
 * task can find @reg to make one. Its module may be unloaded as soon as the waiters are
 * woken: this function must not touch the module's memory.
 *
 * A waiter that does not find @reg returns at once, and its module may go with the lockdep
 * class of @reg. So @reg must be seen to have finished before it leaves the table: a task
 * that has found it earlier then does not tell lockdep of its wait.
 */
void nmr_registration_finish(struct nmr_registration *reg)
{
	nmr_sysfs_remove_registration(reg);
	nmr_pair_forget_all(reg);
	trace_nmr_finish(reg->side, reg->id);

	/* Pairs with smp_load_acquire() in nmr_registration_finished(). */
	smp_store_release(&reg->finished, true);
	wake_up_all(&reg->wait);
	xa_erase(&nmr_registrations[reg->side], reg->id);
	nmr_npi_put(reg->npi);
	nmr_registration_put(reg);
}
