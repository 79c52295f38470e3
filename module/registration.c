// SPDX-License-Identifier: GPL-2.0
/*
 * Which registrations there are: publish one, find it, finish it.
 *
 * Ids are numbers. A number that was issued and is not in the table is that of a
 * registration that has finished; so a stale handle is told from an invented one without
 * touching freed memory. A number is never issued twice: a registration that fails for
 * want of memory may have been seen in sysfs already, and has used its number up.
 *
 * Locking: the tables of ids have locks of their own, and are read under RCU. The lists
 * of registrations are written under nmr_lock. No function here holds a lock while it
 * allocates memory or makes a directory, so no registration waits for another one.
 */

#include <linux/atomic.h>
#include <linux/err.h>
#include <trace/events/nmr.h>

#include "internal.h"

static struct rhashtable nmr_ids[NMR_SIDES];
static atomic64_t nmr_issued[NMR_SIDES];	/* the last one */

/* All that have not finished; written under nmr_lock, read under it or RCU. */
static struct list_head nmr_registrations[NMR_SIDES] = {
	LIST_HEAD_INIT(nmr_registrations[NMR_CLIENT]),
	LIST_HEAD_INIT(nmr_registrations[NMR_PROVIDER]),
};

static const struct rhashtable_params nmr_id_params = {
	.key_len		= sizeof_field(struct nmr_registration, id),
	.key_offset		= offsetof(struct nmr_registration, id),
	.head_offset		= offsetof(struct nmr_registration, id_node),
	.automatic_shrinking	= true,
};

int __init nmr_registration_init(void)
{
	int err = rhashtable_init(&nmr_ids[NMR_CLIENT], &nmr_id_params);

	if (err)
		return err;
	err = rhashtable_init(&nmr_ids[NMR_PROVIDER], &nmr_id_params);
	if (err)
		rhashtable_destroy(&nmr_ids[NMR_CLIENT]);
	return err;
}

void nmr_registration_exit(void)
{
	rhashtable_destroy(&nmr_ids[NMR_PROVIDER]);
	rhashtable_destroy(&nmr_ids[NMR_CLIENT]);
}

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
	reg = rhashtable_lookup(&nmr_ids[side], &id, nmr_id_params);
	if (reg && !READ_ONCE(reg->joined))
		reg = ERR_PTR(-EINVAL);
	else if (reg && !refcount_inc_not_zero(&reg->refs))
		reg = NULL;
	rcu_read_unlock();
	return reg;
}

/* Return: any registration of that module that has not finished, with a reference. */
struct nmr_registration *nmr_registration_of(const struct module *mod)
{
	struct nmr_registration *reg;
	enum nmr_side side;

	rcu_read_lock();
	for (side = 0; side < NMR_SIDES; side++) {
		list_for_each_entry_rcu(reg, &nmr_registrations[side], list) {
			if (reg->owner == mod && refcount_inc_not_zero(&reg->refs)) {
				rcu_read_unlock();
				return reg;
			}
		}
	}
	rcu_read_unlock();
	return NULL;
}

/*
 * Return: the client registered after @prev that has not finished, the first one if @prev
 * is NULL, or NULL. If @prev has finished meanwhile, the walk ends there.
 */
struct nmr_registration *nmr_registration_next_client(struct nmr_registration *prev)
{
	struct list_head *clients = &nmr_registrations[NMR_CLIENT];
	struct list_head *at = prev ? &prev->list : clients;

	lockdep_assert_held(&nmr_lock);
	if (prev && prev->finished)
		return NULL;
	return list_is_last(at, clients) ? NULL :
	       list_entry(at->next, struct nmr_registration, list);
}

/* Make the directory named by the id, and enter the table of ids: both or neither. */
static int nmr_registration_enter(struct nmr_registration *reg)
{
	int err = nmr_sysfs_add_registration(reg);

	if (err)
		return err;
	err = rhashtable_insert_fast(&nmr_ids[reg->side], &reg->id_node, nmr_id_params);
	if (err)
		nmr_sysfs_remove_registration(reg);
	return err ? -ENOMEM : 0;
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
	reg->id = atomic64_inc_return(&nmr_issued[reg->side]);
	err = nmr_registration_enter(reg);
	if (err) {
		nmr_npi_put(reg->npi);
		return err;
	}

	spin_lock_irq(&nmr_lock);
	*handle = reg->id;
	reg->busy = 2;
	list_add_tail_rcu(&reg->list, &nmr_registrations[reg->side]);
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

	spin_lock_irq(&nmr_lock);
	/* Pairs with smp_load_acquire() in nmr_registration_finished(). */
	smp_store_release(&reg->finished, true);
	list_del_rcu(&reg->list);
	spin_unlock_irq(&nmr_lock);
	wake_up_all(&reg->wait);

	rhashtable_remove_fast(&nmr_ids[reg->side], &reg->id_node, nmr_id_params);
	nmr_npi_put(reg->npi);
	nmr_registration_put(reg);
}
