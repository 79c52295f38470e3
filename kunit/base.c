// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failures, memory and wakeups of a case, see base.h.
 *
 * Locking: nt->lock for the failures and the memory.
 */
#include <linux/kernel.h>
#include <linux/slab.h>

#include "base.h"
#include "harness_internal.h"

struct nt_memory {
	struct list_head node;
	u64 data[];
};

void nt_fail(struct nt *nt, const char *fmt, ...)
{
	unsigned long flags;
	va_list args;

	va_start(args, fmt);
	raw_spin_lock_irqsave(&nt->lock, flags);
	if (nt->nerrors < NT_ERRORS)
		vscnprintf(nt->errors[nt->nerrors], sizeof(nt->errors[0]), fmt,
			   args);
	nt->nerrors++;
	raw_spin_unlock_irqrestore(&nt->lock, flags);
	va_end(args);
}

void nt_kick(struct nt *nt)
{
	/* Pairs with the barrier that a waiter passes before it reads its condition. */
	smp_mb();
	/* Wakeups take locks that sleep on realtime kernels. Lockdep may forbid them on others. */
	if ((IS_ENABLED(CONFIG_PREEMPT_RT) || IS_ENABLED(CONFIG_PROVE_RAW_LOCK_NESTING)) &&
	    !preemptible())
		irq_work_queue(&nt->kick);
	else
		wake_up_all(&nt->wait);
}

static void nt_kick_later(struct irq_work *work)
{
	wake_up_all(&container_of(work, struct nt, kick)->wait);
}

void *nt_zalloc(struct nt *nt, size_t size)
{
	struct nt_memory *memory;
	unsigned long flags;

	memory = kzalloc(sizeof(*memory) + size, GFP_KERNEL | __GFP_NOFAIL);
	raw_spin_lock_irqsave(&nt->lock, flags);
	list_add(&memory->node, &nt->memory);
	raw_spin_unlock_irqrestore(&nt->lock, flags);
	return memory->data;
}

struct nt *nt_new(struct kunit *test)
{
	struct nt *nt = kzalloc(sizeof(*nt), GFP_KERNEL);

	if (!nt)
		return NULL;
	nt->test = test;
	guid_gen(&nt->npi_id);
	raw_spin_lock_init(&nt->lock);
	init_waitqueue_head(&nt->wait);
	nt->kick = IRQ_WORK_INIT(nt_kick_later);
	INIT_LIST_HEAD(&nt->parties);
	INIT_LIST_HEAD(&nt->bindings);
	INIT_LIST_HEAD(&nt->frames);
	INIT_LIST_HEAD(&nt->threads);
	INIT_LIST_HEAD(&nt->memory);
	return nt;
}

void nt_free(struct nt *nt)
{
	struct nt_memory *memory, *next;

	list_for_each_entry_safe(memory, next, &nt->memory, node) {
		list_del(&memory->node);
		kfree(memory);
	}
	irq_work_sync(&nt->kick);
	kfree(nt);
}
