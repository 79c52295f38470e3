// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Walks
 *
 * A walk calls a function for each peer that a registration is attached to. It goes through
 * the bindings that have not closed, in the order in which they were offered, and skips those
 * that still attach.
 *
 * **A walk that may sleep** holds no lock while the function runs. It keeps its place as the
 * binding that it will look at next, and the registration lists its walks. If the next binding
 * of a walk leaves the list of open bindings, the walk goes on with the binding after it. So a
 * walk takes a constant number of steps for each binding, and needs no allocation. A binding
 * that leaves the list takes a step for each walk that is in progress. The walk ends at the
 * last binding that was open when it began.
 *
 * **A walk under RCU** reads the same list without the lock. Bindings leave the list by
 * list_del_rcu(), and are freed after a grace period, so the walk can only go forward. The
 * function's calls are not counted, as the walk is one RCU read-side critical section.
 */
/* Locking: nmr_lock for each step of a walk that may sleep. A walk under RCU takes no lock. */

#include <linux/rculist.h>

#include "binding.h"

/* A walk, on the stack of the task that walks; in &nmr_registration.walks */
struct nmr_walk {
	struct list_head	node;
	struct nmr_binding	*next;	/* L: the binding to look at next, or NULL: the end */
	u64			last;	/* number of the last binding to look at */
};

/* Find the binding that follows @b in the list of open bindings of @side, or NULL. */
static struct nmr_binding *nmr_walk_after(struct nmr_binding *b, enum nmr_side side)
{
	if (list_is_last(&b->node[side], &b->reg[side]->open))
		return NULL;
	return list_next_entry(b, node[side]);
}

/* Advance the walks for which @b is next, as @b is about to leave the list. */
void __nmr_walks_pass(struct nmr_binding *b, enum nmr_side side)
{
	struct nmr_walk *walk;

	lockdep_assert_held(&nmr_lock);
	list_for_each_entry(walk, &b->reg[side]->walks, node)
		if (walk->next == b)
			walk->next = nmr_walk_after(b, side);
}

/* Describe a call to the peer of @side. */
static void nmr_walk_describe(struct nmr_call *call, struct nmr_binding *b, enum nmr_side side)
{
	const struct nmr_endpoint *callee = &b->end[nmr_peer(side)];

	call->binding = b;
	call->dispatch = callee->dispatch;
	call->context = callee->binding_context;
	call->slot = NULL;
}

/*
 * Enter the next binding that is attached. Return:
 *
 * * the binding
 * * NULL		- no binding is left
 * * ERR_PTR(-EAGAIN)	- this function has looked at NMR_BATCH bindings
 */
static struct nmr_binding *nmr_walk_step(struct nmr_walk *walk, enum nmr_side side)
{
	struct nmr_binding *b;
	unsigned int budget;

	lockdep_assert_held(&nmr_lock);
	for (budget = NMR_BATCH; budget; budget--) {
		b = walk->next;
		if (!b || b->id > walk->last)
			return NULL;
		walk->next = nmr_walk_after(b, side);
		/* @b cannot close while nmr_lock is held, so the gate is open. */
		if (b->state == NMR_ATTACHED && !__nmr_count_enter(b->gates.gate[side].calls))
			return b;
	}
	return ERR_PTR(-EAGAIN);
}

static struct nmr_binding *nmr_walk_next(struct nmr_walk *walk, enum nmr_side side)
{
	struct nmr_binding *b;

	do {
		spin_lock_irq(&nmr_lock);
		b = nmr_walk_step(walk, side);
		spin_unlock_irq(&nmr_lock);
		cond_resched();
	} while (b == ERR_PTR(-EAGAIN));
	return b;
}

static void nmr_walk_begin(struct nmr_walk *walk, struct nmr_registration *reg)
{
	spin_lock_irq(&nmr_lock);
	walk->next = list_first_entry_or_null(&reg->open, struct nmr_binding, node[reg->side]);
	walk->last = list_empty(&reg->open) ? 0 :
		     list_last_entry(&reg->open, struct nmr_binding, node[reg->side])->id;
	list_add(&walk->node, &reg->walks);
	spin_unlock_irq(&nmr_lock);
}

static void nmr_walk_end(struct nmr_walk *walk)
{
	spin_lock_irq(&nmr_lock);
	list_del(&walk->node);
	spin_unlock_irq(&nmr_lock);
}

/**
 * nmr_walk() - call a function for each peer
 * @reg: the registration; the caller holds a reference
 * @fn:	 called with the gate of @reg entered; a value other than 0 ends the walk
 * @arg: passed to @fn
 *
 * Context: Process, may sleep.
 * Return: 0, or the value of @fn that ended the walk.
 */
int nmr_walk(struct nmr_registration *reg, nmr_call_fn *fn, void *arg)
{
	enum nmr_side side = reg->side;
	struct nmr_binding *b;
	struct nmr_walk walk;
	struct nmr_call call;
	int err = 0;

	nmr_walk_begin(&walk, reg);
	while (!err && (b = nmr_walk_next(&walk, side))) {
		if (__NMR_CALLS_TRACKED)
			__nmr_call_entered(b, side);
		nmr_walk_describe(&call, b, side);
		err = fn(&call, arg);
		__nmr_call_exit(b, side);
	}
	nmr_walk_end(&walk);
	return err;
}

/**
 * nmr_walk_rcu() - call a function for each peer, in an RCU read-side critical section
 * @reg: the registration; the caller holds a reference
 * @fn:	 must not sleep; a value other than 0 ends the walk
 * @arg: passed to @fn
 *
 * Context: Any but NMI.
 * Return: 0, or the value of @fn that ended the walk.
 */
int nmr_walk_rcu(struct nmr_registration *reg, nmr_call_fn *fn, void *arg)
{
	enum nmr_side side = reg->side;
	struct nmr_binding *b;
	struct nmr_call call;
	int err = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(b, &reg->open, node[side]) {
		/* Pairs with smp_store_release() in nmr_binding_advance(). */
		if (smp_load_acquire(&b->state) != NMR_ATTACHED ||
		    !__nmr_call_may_rcu(b, side))
			continue;
		nmr_walk_describe(&call, b, side);
		err = fn(&call, arg);
		if (err)
			break;
	}
	rcu_read_unlock();
	return err;
}
