// SPDX-License-Identifier: GPL-2.0
/*
 * What a registered module is: its id, its references, its completion.
 *
 * Two counts. refs keeps the memory and nothing else; bindings, kobjects and callers
 * of the API hold it. busy, under nmr_lock, is what a wait waits for: 1 until the
 * registration leaves, and 1 for its register call, each of its bindings, and a
 * scan. It reaches zero once, on the way out, and then the work item, which no scan
 * can hold any more, finishes the registration.
 *
 * Ids are numbers. One that was issued and is not in the table is one that has
 * finished; so a stale handle is told from an invented one without touching freed
 * memory, and a registration that found no memory has used up no id.
 *
 * Locking: see each function. The table of ids is written in process context and
 * read under RCU.
 */

#include <linux/slab.h>
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

/* Return: a registration with one reference, to be filled in and published. */
struct nmr_registration *nmr_registration_alloc(enum nmr_side side)
{
	struct nmr_registration *reg = kzalloc(sizeof(*reg), GFP_KERNEL);

	if (!reg)
		return NULL;
	nmr_object_made();
	reg->side = side;
	refcount_set(&reg->refs, 1);
	INIT_LIST_HEAD(&reg->pairs);
	INIT_LIST_HEAD(&reg->deferred);
	INIT_LIST_HEAD(&reg->waiting);
	INIT_LIST_HEAD(&reg->starved);
	INIT_LIST_HEAD(&reg->open);
	init_waitqueue_head(&reg->attach_wait);
	init_completion(&reg->done);
	return reg;
}

static void nmr_registration_free_rcu(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct nmr_registration, rcu));
	nmr_object_freed();
}

void nmr_registration_get(struct nmr_registration *reg)
{
	refcount_inc(&reg->refs);
}

/* Any context: the memory goes a grace period later. */
void nmr_registration_put(struct nmr_registration *reg)
{
	if (refcount_dec_and_test(&reg->refs))
		call_rcu(&reg->rcu, nmr_registration_free_rcu);
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

void nmr_registration_busy(struct nmr_registration *reg)
{
	lockdep_assert_held(&nmr_lock);
	reg->busy++;
}

/* Not to be touched afterwards without a reference of one's own. */
void nmr_registration_idle(struct nmr_registration *reg)
{
	lockdep_assert_held(&nmr_lock);
	if (!--reg->busy)
		queue_work(nmr_wq, &reg->work);
}

/* See which offers can be made for @reg, soon. */
void nmr_registration_scan(struct nmr_registration *reg)
{
	lockdep_assert_held(&nmr_lock);
	if (reg->leaving || reg->scan_queued)
		return;
	reg->scan_queued = true;
	nmr_registration_busy(reg);
	queue_work(nmr_wq, &reg->work);
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

/* Any context. @binding is 0 if none is concerned. */
void nmr_misuse(struct nmr_registration *reg, enum nmr_misuse kind, u64 binding)
{
	static const char * const what[NMR_MISUSES] = {
		[NMR_MISUSE_ATTACH_VALUE] = "attach callback returned a positive value",
		[NMR_MISUSE_NOT_ATTACHED] = "attach callback returned 0 without having attached",
		[NMR_MISUSE_DETACH_VALUE] = "detach callback returned neither 0 nor -EINPROGRESS",
		[NMR_MISUSE_COMPLETE]	  = "detach completed, though none is pending",
		[NMR_MISUSE_EXIT]	  = "more calls exited than entered",
		[NMR_MISUSE_SYNC]	  = "synchronous deregister inside a callback cannot wait",
		[NMR_MISUSE_UNLOAD]	  = "module unloads while still registered",
	};

	if (test_and_set_bit(kind, &reg->misuse))
		return;
	WARN(1, "nmr: %s %llu of module %s, binding %llu: %s\n",
	     reg->side == NMR_CLIENT ? "client" : "provider", reg->id, reg->modname,
	     binding, what[kind]);
}
