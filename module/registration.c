// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Registrations
 *
 * **Handles.** A handle is a number that is issued once. If a number was issued and is not in
 * the table, its registration has finished: so a stale handle is told from an invented one
 * without touching freed memory. A register call that fails may have shown its number in
 * sysfs before, so the number is used up. The index of an XArray is an unsigned long: on
 * 32-bit machines it is the low half of the number, and a register call that finds the index
 * taken draws another number.
 *
 * **All or nothing.** A register call that fails leaves nothing behind but the number. The
 * directory in sysfs is made before the registration joins its NPI, because joining cannot
 * fail.
 */
/*
 * Locking: the tables are XArrays, which have their own locks, and which are read under RCU.
 * nmr_registration_publish() takes nmr_lock while it joins the NPI. No function here holds a lock
 * while it allocates memory or makes a directory, so no registration waits for another one.
 */

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/xarray.h>
#include <trace/events/nmr.h>

#include "binding.h"

static atomic64_t nmr_issued[NMR_SIDES];	/* the last number issued */

/* Registrations that have not finished, by id (by its low 32 bits on 32-bit machines) */
static struct xarray nmr_registrations[NMR_SIDES] = {
	XARRAY_INIT(nmr_registrations[NMR_CLIENT], 0),
	XARRAY_INIT(nmr_registrations[NMR_PROVIDER], 0),
};

/*
 * Find a registration. Return: it, with a reference; NULL if it has finished; ERR_PTR(-EINVAL)
 * if @id was never issued. A number is in no handle before its registration has joined.
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
	/*
	 * A wait for a registration that has finished is an acquire. If the table has no entry
	 * for @id, this pairs with the unlock in wake_up_all() and the lock in xa_erase(), in
	 * nmr_registration_finish(). If the count is zero, it pairs with the last put.
	 */
	if (!reg)
		smp_acquire__after_ctrl_dep();
	return reg;
}

/*
 * Find a registration of @mod that has joined, and that has not finished. Return: it, with a
 * reference, or NULL.
 */
struct nmr_registration *nmr_registration_of(const struct module *mod)
{
	struct nmr_registration *reg;
	unsigned long index;
	enum nmr_side side;

	rcu_read_lock();
	for (side = 0; side < NMR_SIDES; side++)
		xa_for_each(&nmr_registrations[side], index, reg)
			if (reg->owner == mod && READ_ONCE(reg->joined) &&
			    !nmr_registration_finished(reg) &&
			    refcount_inc_not_zero(&reg->refs))
				goto unlock;
	reg = NULL;
unlock:
	rcu_read_unlock();
	return reg;
}

/* Find the first client after @id that has joined. Return: it, with a reference, or NULL. */
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

/* Issue a number, enter the table, and add the directory named by the number: all or none. */
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
 * nmr_registration_publish() - issue a number and let other tasks find the registration
 * @reg:    otherwise filled in; the tables take over the caller's reference
 * @npi_id: the NPI
 * @handle: is written before another task can find @reg
 *
 * The register call holds a pin afterwards, and calls nmr_registration_unpin().
 *
 * Context: Process, may sleep.
 * Return:
 * * 0		- @reg has joined its NPI
 * * %-ENOMEM	- nothing is registered, and a number may have been used up
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
	reg->pins = 2;
	nmr_npi_join(reg);
	WRITE_ONCE(reg->joined, true);
	nmr_slot_publish(reg);
	spin_unlock_irq(&nmr_lock);
	trace_nmr_register(reg->side, reg->id, reg->modname, npi_id);
	return 0;
}

/* Take @reg out of the tables. From now on its handle is stale. */
void nmr_registration_unpublish(struct nmr_registration *reg)
{
	xa_erase(&nmr_registrations[reg->side], reg->id);
	nmr_npi_put(reg->npi);
}
