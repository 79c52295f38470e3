// SPDX-License-Identifier: GPL-2.0
/*
 * Which registrations there are: publish one, find it, finish it.
 *
 * Ids are numbers. One that was issued and is not in the table is one that has
 * finished; so a stale handle is told from an invented one without touching freed
 * memory, and a registration that found no memory has used up no id.
 *
 * Locking: the tables are written in process context and read under RCU; see each
 * function for what it takes.
 */

#include <linux/err.h>
#include <trace/events/nmr.h>

#include "internal.h"

static struct rhashtable nmr_ids[NMR_SIDES];
static u64 nmr_issued[NMR_SIDES];	/* the last; nmr_registry_mutex and nmr_lock */
static LIST_HEAD(nmr_registrations);	/* nmr_lock, RCU */

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

static u64 nmr_last_issued(enum nmr_side side)
{
	unsigned long flags;
	u64 id;

	spin_lock_irqsave(&nmr_lock, flags);
	id = nmr_issued[side];
	spin_unlock_irqrestore(&nmr_lock, flags);
	return id;
}

/* Return: with a reference; NULL if long finished; ERR_PTR(-EINVAL) if never issued. */
struct nmr_registration *nmr_registration_find(enum nmr_side side, u64 id)
{
	struct nmr_registration *reg;

	if (!id || id > nmr_last_issued(side))
		return ERR_PTR(-EINVAL);
	rcu_read_lock();
	reg = rhashtable_lookup(&nmr_ids[side], &id, nmr_id_params);
	if (reg && !refcount_inc_not_zero(&reg->refs))
		reg = NULL;
	rcu_read_unlock();
	return reg;
}

/* Return: any registration of that module that has not finished, with a reference. */
struct nmr_registration *nmr_registration_of(const struct module *mod)
{
	struct nmr_registration *reg;

	rcu_read_lock();
	list_for_each_entry_rcu(reg, &nmr_registrations, list) {
		if (reg->owner == mod && refcount_inc_not_zero(&reg->refs)) {
			rcu_read_unlock();
			return reg;
		}
	}
	rcu_read_unlock();
	return NULL;
}

/* The id, the directory named by it, and the place in both tables: all or nothing. */
static int nmr_registration_enter(struct nmr_registration *reg)
{
	struct rhashtable *ids = &nmr_ids[reg->side];
	int err;

	lockdep_assert_held(&nmr_registry_mutex);
	reg->id = nmr_issued[reg->side] + 1;
	err = rhashtable_insert_fast(ids, &reg->id_node, nmr_id_params);
	if (err)
		return -ENOMEM;
	err = nmr_sysfs_add_registration(reg);
	if (err)
		rhashtable_remove_fast(ids, &reg->id_node, nmr_id_params);
	return err;
}

/**
 * nmr_registration_publish() - issue an id and let the others see the registration
 * @reg:    filled in but for what this sets; the caller's reference becomes the
 *	    registry's
 * @npi_id: the NPI
 * @handle: set before anyone can find @reg
 *
 * The registration is busy for the register call, which is to call
 * nmr_registration_idle(). Ids are never burnt: the number is used only when
 * nothing can fail any more.
 *
 * Context: process, may sleep.
 * Return: 0, or -ENOMEM with the registry as before.
 */
int nmr_registration_publish(struct nmr_registration *reg, const guid_t *npi_id,
			     u64 *handle)
{
	int err = -ENOMEM;

	mutex_lock(&nmr_registry_mutex);
	reg->npi = nmr_npi_get(npi_id);
	if (!reg->npi)
		goto unlock;
	reg->instance.npi_id = &reg->npi->id;
	err = nmr_registration_enter(reg);
	if (err) {
		nmr_npi_put(reg->npi);
		goto unlock;
	}

	spin_lock_irq(&nmr_lock);
	nmr_issued[reg->side] = reg->id;
	*handle = reg->id;
	reg->busy = 2;
	list_add_tail_rcu(&reg->list, &nmr_registrations);
	nmr_npi_join(reg);
	spin_unlock_irq(&nmr_lock);
	trace_nmr_register(reg->side, reg->id, reg->modname, npi_id);
unlock:
	mutex_unlock(&nmr_registry_mutex);
	return err;
}

/*
 * Nothing of the module runs or will ever run: no binding is left, and nobody can
 * find the registration to make one. Whoever waits may unload the module as soon as
 * it is woken, so nothing of the module's is touched here.
 */
void nmr_registration_finish(struct nmr_registration *reg)
{
	nmr_sysfs_remove_registration(reg);
	nmr_pair_forget_all(reg);

	spin_lock_irq(&nmr_lock);
	list_del_rcu(&reg->list);
	spin_unlock_irq(&nmr_lock);

	mutex_lock(&nmr_registry_mutex);
	rhashtable_remove_fast(&nmr_ids[reg->side], &reg->id_node, nmr_id_params);
	nmr_npi_put(reg->npi);
	mutex_unlock(&nmr_registry_mutex);

	trace_nmr_finish(reg->side, reg->id);
	complete_all(&reg->done);
	nmr_registration_put(reg);
}
