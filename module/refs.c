// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Memory and unloading
 *
 * **References keep memory.** Registrations and bindings have a reference count that keeps
 * their memory and nothing else. Bindings, kobjects and callers of the API hold references.
 * The last put may come from any context. It frees the memory after a grace period. Since a
 * kobject holds a reference, a release() that comes late delays no wait.
 *
 * **Pins decide when a registration finishes.** A registration that is not leaving has one
 * pin. Its register call, each of its bindings, and a scan that is queued or runs pin it
 * once more. The pins reach zero once, after it has left. Then its work item, which no scan
 * uses any more, finishes it.
 *
 * **Todo decides when a binding cleans up**, see "A binding's life".
 *
 * **Unloading nmr.ko.** Each reference that a module takes with nmr_binding_get() pins
 * nmr.ko, so rmmod fails while any is held. *nmr/references* in debugfs lists the bindings
 * that have finished and are still referenced. The exit function runs if no module uses
 * nmr.ko, so each registration has finished. Kobjects that are released late and RCU callbacks
 * may remain, and both run text of nmr.ko. So nmr_objects_exit() waits until the count of
 * objects is zero, and calls rcu_barrier() before and after the wait. It calls rcu_barrier()
 * after the wait because the callback that has freed the last object may still run. It calls
 * rcu_barrier() three times before the wait for kernels that delay callbacks: two times for a
 * binding, which is freed after up to two grace periods, and once for the registrations that
 * the binding held.
 */
/*
 * Locking: pins and nmr_referenced under nmr_lock. Getting and putting a reference takes no lock.
 */

#include <linux/slab.h>

#include "binding.h"
#include "callback.h"
#include "debug.h"

static struct kmem_cache *nmr_binding_cache;

/* Registrations and bindings that have memory */
static atomic_long_t nmr_objects;

/* Bindings that have finished and are still referenced; nmr_lock */
static LIST_HEAD(nmr_referenced);
static DECLARE_WAIT_QUEUE_HEAD(nmr_no_objects);

static void nmr_object_freed(void)
{
	if (atomic_long_dec_and_test(&nmr_objects))
		wake_up(&nmr_no_objects);
}

/* Wait until all memory has been freed and no callback that frees any still runs. */
void nmr_objects_exit(void)
{
	rcu_barrier();
	rcu_barrier();
	rcu_barrier();
	wait_event(nmr_no_objects, !atomic_long_read(&nmr_objects));
	rcu_barrier();
	nmr_gates_exit();
	kmem_cache_destroy(nmr_binding_cache);
}

/* Create the cache. Calls read the gates at the start of a binding: align it to cache lines. */
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
	INIT_LIST_HEAD(&reg->walks);
	INIT_LIST_HEAD(&reg->stuck);
	INIT_LIST_HEAD(&reg->stuck_node);
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

/* Drop a reference. Any context. The last put frees the memory after a grace period. */
void nmr_registration_put(struct nmr_registration *reg)
{
	if (refcount_dec_and_test(&reg->refs))
		call_rcu(&reg->rcu, nmr_registration_free_rcu);
}

void nmr_registration_pin(struct nmr_registration *reg)
{
	lockdep_assert_held(&nmr_lock);
	reg->pins++;
}

/* Drop a pin. @reg may be freed afterwards unless the caller holds a reference. */
void nmr_registration_unpin(struct nmr_registration *reg)
{
	lockdep_assert_held(&nmr_lock);
	if (!--reg->pins)
		nmr_queue_work(nmr_wq, &reg->work);
}

/* Queue a scan, which makes the offers that have become possible for @reg. */
void nmr_registration_scan(struct nmr_registration *reg)
{
	lockdep_assert_held(&nmr_lock);
	if (reg->leaving || reg->scan_queued)
		return;
	reg->scan_queued = true;
	nmr_registration_pin(reg);
	nmr_queue_work(nmr_wq, &reg->work);
}

/* Bindings */

/* Free what nmr_binding_alloc() has allocated, which may be a part. */
static void nmr_binding_free_parts(struct nmr_binding *b)
{
	nmr_gates_free(&b->gates);
	kfree(b->pair);
	kmem_cache_free(nmr_binding_cache, b);
}

/* Allocate a binding, and a record for its pair. Return: NULL: allocation failure. */
struct nmr_binding *nmr_binding_alloc(void)
{
	struct nmr_binding *b = kmem_cache_zalloc(nmr_binding_cache, GFP_KERNEL);

	if (!b)
		return NULL;
	b->pair = kzalloc(sizeof(*b->pair), GFP_KERNEL);
	if (!b->pair || nmr_gates_alloc(&b->gates)) {
		nmr_binding_free_parts(b);
		return NULL;
	}
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

/* Free a binding that was offered. The registrations own the record of its pair. */
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
	nmr_gates_free(&b->gates);
	kmem_cache_free(nmr_binding_cache, b);
	nmr_object_freed();
}

static void nmr_binding_free_rcu(struct rcu_head *rcu)
{
	nmr_binding_free(container_of(rcu, struct nmr_binding, rcu));
}

/*
 * Drop the registrar's own reference, a grace period after the last callback. Until then a
 * task that found the pointer under RCU may take a reference. If any task has taken one, it
 * may have published the pointer since, so the memory is freed another grace period later.
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

/* Drop the registrar's own reference after a grace period. */
void nmr_binding_drop(struct nmr_binding *b)
{
	call_rcu(&b->rcu, nmr_binding_drop_rcu);
}

/*
 * Queue @b to be reaped, with the others of the registration that ends it. Any context. Queue the
 * work even if the list was not empty: the task that added the first binding may have been
 * preempted before it queues the work. Work that is pending after llist_add(), which is a full
 * barrier, finds @b.
 */
void nmr_binding_reap_later(struct nmr_binding *b)
{
	struct nmr_registration *reg = nmr_binding_leaver(b);

	/* Once @b is in the list, a worker may reap it and drop its reference on @reg. */
	nmr_registration_get(reg);
	llist_add(&b->reap, &reg->reap);
	if (work_pending(&reg->reap_work) || !nmr_queue_work(nmr_reap_wq, &reg->reap_work))
		nmr_registration_put(reg);
}

/*
 * Count down what the cleanup of @b waits for. The task or interrupt that does the last part
 * queues the cleanup, and must not touch @b afterwards. A binding without a cleanup callback
 * does not wait for a worker that runs callbacks.
 */
void nmr_binding_part_done(struct nmr_binding *b)
{
	if (atomic_dec_return(&b->todo))
		return;
	if (nmr_binding_has_cleanup(b))
		nmr_queue_work(nmr_callback_wq, &b->work);
	else
		nmr_binding_reap_later(b);
}

/*
 * Account for the exit of a call from a gate that has closed. After an exit that was not the
 * last, @binding may be freed concurrently.
 */
void __nmr_gate_exit_closed(struct nmr_binding *binding, enum nmr_side caller)
{
	s64 left = nmr_gate_exit(&binding->gates, caller);

	if (!left)
		nmr_binding_part_done(binding);
	else if (unlikely(left < 0))
		nmr_misuse(binding->reg[caller], NMR_MISUSE_EXIT, binding->id);
}
EXPORT_SYMBOL_NMR(__nmr_gate_exit_closed);

/*
 * Take a reference for the registrar's own use. It leaves shared alone: the registrar does
 * not publish the pointer under RCU.
 */
void __nmr_binding_get(struct nmr_binding *b)
{
	refcount_inc(&b->refs);
}

/* Drop a reference. Any context. The last put frees the memory after a grace period. */
void __nmr_binding_put(struct nmr_binding *b)
{
	if (refcount_dec_and_test(&b->refs))
		call_rcu(&b->rcu, nmr_binding_free_rcu);
}

/*
 * Walk the bindings that have finished and are still referenced. Drop the reference on @b.
 * Return: the next binding after @b, or the first if @b is NULL, with a reference; or NULL.
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
		__nmr_binding_put(b);
	return next;
}

struct nmr_binding *nmr_binding_get(struct nmr_binding *binding)
{
	if (binding) {
		__module_get(THIS_MODULE);
		atomic_inc(&binding->users);
		__nmr_binding_get(binding);
		/*
		 * Visible to nmr_binding_drop_rcu(): the store precedes the put of this
		 * reference, and the final put is an acquire.
		 */
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
	__nmr_binding_put(binding);
	module_put(THIS_MODULE);
}
EXPORT_SYMBOL_NMR(nmr_binding_put);

u64 nmr_binding_id(const struct nmr_binding *binding)
{
	return binding ? binding->id : 0;
}
EXPORT_SYMBOL_NMR(nmr_binding_id);
