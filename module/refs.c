// SPDX-License-Identifier: GPL-2.0-only
/*
 * What keeps registrations and bindings: their memory, their references, and what a
 * registration is busy with.
 *
 * Each has a count that keeps the memory and nothing else; bindings, kobjects and
 * callers of the API hold it. The memory goes a grace period after the last put, which
 * may come from any context. All of them are counted, for nmr.ko's own exit.
 *
 * A registration has a second count, busy, which decides when it finishes: 1 until it
 * leaves, and 1 for its register call, each of its bindings, and a scan. It reaches
 * zero once, on the way out, and then the work item, which no scan can hold any more,
 * finishes the registration.
 *
 * Locking: busy under nmr_lock. References take no lock.
 */

#include <linux/slab.h>

#include "internal.h"

static struct kmem_cache *nmr_binding_cache;

/* Registrations and bindings whose memory has not been freed */
static atomic_long_t nmr_objects;

/* Bindings that have ended and are referenced still; nmr_lock */
static LIST_HEAD(nmr_referenced);
static DECLARE_WAIT_QUEUE_HEAD(nmr_no_objects);

static void nmr_object_freed(void)
{
	if (atomic_long_dec_and_test(&nmr_objects))
		wake_up(&nmr_no_objects);
}

/*
 * Wait until all memory has been freed and no callback that did it still runs. The
 * barriers before the wait are for kernels whose callbacks are lazy: two for bindings,
 * and one for the registrations these held.
 */
void nmr_objects_exit(void)
{
	rcu_barrier();
	rcu_barrier();
	rcu_barrier();
	wait_event(nmr_no_objects, !atomic_long_read(&nmr_objects));
	rcu_barrier();
	nmr_counts_exit();
	kmem_cache_destroy(nmr_binding_cache);
}

/* Bindings begin with what calls read, and have that line to themselves. */
int __init nmr_objects_init(void)
{
	nmr_binding_cache = KMEM_CACHE(nmr_binding, SLAB_HWCACHE_ALIGN);
	return nmr_binding_cache ? 0 : -ENOMEM;
}

/* Registrations */

/* Return: a registration with one reference, to be filled in and published. */
struct nmr_registration *nmr_registration_alloc(enum nmr_side side)
{
	struct nmr_registration *reg = kzalloc(sizeof(*reg), GFP_KERNEL);

	if (!reg)
		return NULL;
	atomic_long_inc(&nmr_objects);
	reg->side = side;
	refcount_set(&reg->refs, 1);
	INIT_LIST_HEAD(&reg->pairs);
	INIT_LIST_HEAD(&reg->deferred);
	INIT_LIST_HEAD(&reg->due);
	INIT_LIST_HEAD(&reg->waiting);
	INIT_LIST_HEAD(&reg->starved);
	INIT_LIST_HEAD(&reg->open);
	INIT_LIST_HEAD(&reg->stuck);
	INIT_LIST_HEAD(&reg->stuck_node);
	INIT_WORK(&reg->reap_work, nmr_reap_work);
	init_waitqueue_head(&reg->wait);
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

void nmr_registration_busy(struct nmr_registration *reg)
{
	lockdep_assert_held(&nmr_lock);
	reg->busy++;
}

/* End what @reg was busy with. Needs a reference if the caller touches @reg afterwards. */
void nmr_registration_idle(struct nmr_registration *reg)
{
	lockdep_assert_held(&nmr_lock);
	if (!--reg->busy)
		nmr_queue_work(nmr_wq, &reg->work);
}

/* See which offers can be made for @reg, soon. */
void nmr_registration_scan(struct nmr_registration *reg)
{
	lockdep_assert_held(&nmr_lock);
	if (reg->leaving || reg->scan_queued)
		return;
	reg->scan_queued = true;
	nmr_registration_busy(reg);
	nmr_queue_work(nmr_wq, &reg->work);
}

/* Bindings */

/* What nmr_binding_alloc() makes, as far as it got. */
static void nmr_binding_free_parts(struct nmr_binding *b)
{
	nmr_counts_free(b);
	kfree(b->pair);
	kmem_cache_free(nmr_binding_cache, b);
}

/* Return: a binding that is not bound yet, with a record for its pair, or NULL. */
struct nmr_binding *nmr_binding_alloc(void)
{
	struct nmr_binding *b = kmem_cache_zalloc(nmr_binding_cache, GFP_KERNEL);

	if (!b)
		return NULL;
	b->pair = kzalloc(sizeof(*b->pair), GFP_KERNEL);
	if (!b->pair || nmr_counts_alloc(b)) {
		nmr_binding_free_parts(b);
		return NULL;
	}
	nmr_gate_init(b);
	INIT_LIST_HEAD(&b->watch);
	atomic_long_inc(&nmr_objects);
	atomic_set(&b->todo, 2 * NMR_SIDES + 1);
	refcount_set(&b->refs, 1);
	return b;
}

/* Free a binding that was never offered. NULL is fine. */
void nmr_binding_discard(struct nmr_binding *b)
{
	if (!b)
		return;
	nmr_binding_free_parts(b);
	nmr_object_freed();
}

/*
 * Return: the next binding after @b that has ended and is referenced still, the first one if
 * @b is NULL, pinned; or NULL. Unpins @b.
 */
struct nmr_binding *nmr_binding_next_referenced(struct nmr_binding *b)
{
	struct nmr_binding *next = b ?: list_entry(&nmr_referenced, struct nmr_binding, watch);

	spin_lock_irq(&nmr_lock);
	list_for_each_entry_continue(next, &nmr_referenced, watch)
		if (refcount_inc_not_zero(&next->refs))
			break;
	if (list_entry_is_head(next, &nmr_referenced, watch))
		next = NULL;
	spin_unlock_irq(&nmr_lock);
	if (b)
		nmr_binding_unpin(b);
	return next;
}

/* Free a binding that was offered: the pair's record is not its own. */
static void nmr_binding_free(struct nmr_binding *b)
{
	unsigned long flags;
	enum nmr_side side;

	if (!list_empty(&b->watch)) {
		spin_lock_irqsave(&nmr_lock, flags);
		list_del(&b->watch);
		spin_unlock_irqrestore(&nmr_lock, flags);
	}
	for (side = 0; side < NMR_SIDES; side++)
		nmr_registration_put(b->reg[side]);
	nmr_counts_free(b);
	kmem_cache_free(nmr_binding_cache, b);
	nmr_object_freed();
}

static void nmr_binding_free_rcu(struct rcu_head *rcu)
{
	nmr_binding_free(container_of(rcu, struct nmr_binding, rcu));
}

/*
 * Drop the registrar's own reference, a grace period after the last callback: a task that
 * found the pointer under RCU until then may still get a reference. If a task ever did, it
 * may have published the pointer since, and the memory goes another grace period later.
 */
static void nmr_binding_drop_rcu(struct rcu_head *rcu)
{
	struct nmr_binding *b = container_of(rcu, struct nmr_binding, rcu);
	unsigned long flags;

	if (READ_ONCE(b->shared)) {
		spin_lock_irqsave(&nmr_lock, flags);
		list_add_tail(&b->watch, &nmr_referenced);
		spin_unlock_irqrestore(&nmr_lock, flags);
	}
	if (!refcount_dec_and_test(&b->refs))
		return;
	if (READ_ONCE(b->shared))
		call_rcu(&b->rcu, nmr_binding_free_rcu);
	else
		nmr_binding_free(b);
}

void nmr_binding_drop(struct nmr_binding *b)
{
	call_rcu(&b->rcu, nmr_binding_drop_rcu);
}

/* Have @b reaped, with the others of the registration that ends it. Any context. */
void nmr_binding_reap_later(struct nmr_binding *b)
{
	struct nmr_registration *reg = nmr_binding_leaver(b);

	/* Once @b is in the list, a worker may reap it, and @reg may go with it. */
	nmr_registration_get(reg);
	if (!llist_add(&b->batch, &reg->reap) ||
	    !nmr_queue_work(nmr_reap_wq, &reg->reap_work))
		nmr_registration_put(reg);
}

/* Keep the memory of @b, for code of the registrar's own. */
void nmr_binding_pin(struct nmr_binding *b)
{
	refcount_inc(&b->refs);
}

void nmr_binding_unpin(struct nmr_binding *b)
{
	if (refcount_dec_and_test(&b->refs))
		call_rcu(&b->rcu, nmr_binding_free_rcu);
}

struct nmr_binding *nmr_binding_get(struct nmr_binding *binding)
{
	if (binding) {
		__module_get(THIS_MODULE);
		atomic_inc(&binding->users);
		refcount_inc(&binding->refs);
		/* Visible to the task that drops the last reference, by its refcount. */
		WRITE_ONCE(binding->shared, true);
	}
	return binding;
}
EXPORT_SYMBOL_NMR(nmr_binding_get);

void nmr_binding_put(struct nmr_binding *binding)
{
	if (!binding)
		return;
	atomic_dec(&binding->users);
	nmr_binding_unpin(binding);
	module_put(THIS_MODULE);
}
EXPORT_SYMBOL_NMR(nmr_binding_put);

u64 nmr_binding_id(const struct nmr_binding *binding)
{
	return binding ? binding->id : 0;
}
EXPORT_SYMBOL_NMR(nmr_binding_id);
