// SPDX-License-Identifier: GPL-2.0-only
/*
 * The per-CPU counts that gates have, by the chunk: alloc_percpu() of 16 bytes takes
 * 8,000 instructions, more than all else that attaches two modules.
 *
 * Locking: nmr_counts_lock, taken with interrupts off, as bindings are freed by RCU
 * callbacks; a leaf.
 */

#include <linux/bitops.h>
#include <linux/slab.h>

#include "internal.h"

/* One bit each of a word. */
#define NMR_CHUNK_CALLS	64

/* Some of the counts; in nmr_chunks if any are free. */
struct nmr_chunk {
	struct list_head	list;
	u64			free;
	struct nmr_calls __percpu *calls;
};

static LIST_HEAD(nmr_chunks);
static DEFINE_SPINLOCK(nmr_counts_lock);

static struct nmr_chunk *nmr_chunk_alloc(void)
{
	struct nmr_chunk *chunk = kmalloc(sizeof(*chunk), GFP_KERNEL);

	if (!chunk)
		return NULL;
	chunk->free = U64_MAX;
	chunk->calls = __alloc_percpu(NMR_CHUNK_CALLS * sizeof(struct nmr_calls),
				      __alignof__(struct nmr_calls));
	if (!chunk->calls) {
		kfree(chunk);
		return NULL;
	}
	return chunk;
}

static void nmr_chunk_free(struct nmr_chunk *chunk)
{
	free_percpu(chunk->calls);
	kfree(chunk);
}

/* Return: true if a chunk had counts for @b. */
static bool nmr_counts_take(struct nmr_binding *b, struct nmr_chunk *new)
{
	struct nmr_chunk *chunk;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&nmr_counts_lock, flags);
	if (new)
		list_add(&new->list, &nmr_chunks);
	chunk = list_first_entry_or_null(&nmr_chunks, struct nmr_chunk, list);
	if (chunk) {
		i = __ffs64(chunk->free);
		chunk->free &= ~BIT_ULL(i);
		if (!chunk->free)
			list_del(&chunk->list);
		b->chunk = chunk;
		b->calls = chunk->calls + i;
	}
	spin_unlock_irqrestore(&nmr_counts_lock, flags);
	return chunk;
}

/* Give @b counts, whose values are left from others. Return: 0, or -ENOMEM. */
int nmr_counts_alloc(struct nmr_binding *b)
{
	struct nmr_chunk *new;

	if (nmr_counts_take(b, NULL))
		return 0;
	new = nmr_chunk_alloc();
	if (!new)
		return -ENOMEM;
	nmr_counts_take(b, new);
	return 0;
}

/* Any context but NMI. One chunk stays, for those who come and go. */
void nmr_counts_free(struct nmr_binding *b)
{
	struct nmr_chunk *chunk = b->chunk;
	unsigned long flags;
	bool empty;

	if (!chunk)
		return;
	spin_lock_irqsave(&nmr_counts_lock, flags);
	if (!chunk->free)
		list_add_tail(&chunk->list, &nmr_chunks);
	chunk->free |= BIT_ULL(b->calls - chunk->calls);
	empty = chunk->free == U64_MAX && !list_is_singular(&nmr_chunks);
	if (empty)
		list_del(&chunk->list);
	spin_unlock_irqrestore(&nmr_counts_lock, flags);
	if (empty)
		nmr_chunk_free(chunk);
}

/* All bindings have been freed. */
void nmr_counts_exit(void)
{
	struct nmr_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &nmr_chunks, list)
		nmr_chunk_free(chunk);
}
