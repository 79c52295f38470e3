// SPDX-License-Identifier: GPL-2.0-only
/*
 * Begin and end of a case, see harness.h.
 *
 * Locking: nt->lock for the lists of parties and bindings.
 */
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "harness.h"
#include "harness_internal.h"

/* Print the log of a case that has failed. */
static void nt_dump(struct nt *nt)
{
	u32 seq = atomic_read(&nt->seq);
	u32 i = seq >= NT_EVENTS ? seq - NT_EVENTS + 1 : 1;

	for (; i <= seq; i++) {
		struct nt_event *event = &nt->log[i % NT_EVENTS];

		if (event->seq != i)
			continue;
		kunit_info(nt->test, "%4u binding %llu task %d: %s %s %d", i,
			   event->binding, event->pid,
			   nt_point_name(event->point),
			   event->phase ? "returns" : "begins", event->value);
	}
}

/*
 * Return the next of the parties (NULL: the first). Both lists only grow while callbacks
 * run, so the lock need not be held from one party to the next.
 */
static struct nt_party *nt_next_party(struct nt *nt, struct nt_party *party)
{
	struct list_head *next;
	unsigned long flags;

	raw_spin_lock_irqsave(&nt->lock, flags);
	next = party ? party->node.next : nt->parties.next;
	raw_spin_unlock_irqrestore(&nt->lock, flags);
	return next == &nt->parties ? NULL :
	       list_entry(next, struct nt_party, node);
}

/* Return the next of the bindings likewise. */
static struct nt_binding *nt_next_binding(struct nt *nt, struct nt_binding *nb)
{
	struct list_head *next;
	unsigned long flags;

	raw_spin_lock_irqsave(&nt->lock, flags);
	next = nb ? nb->node.next : nt->bindings.next;
	raw_spin_unlock_irqrestore(&nt->lock, flags);
	return next == &nt->bindings ? NULL :
	       list_entry(next, struct nt_binding, node);
}

static void nt_let_go_of(struct nt_binding *nb)
{
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++) {
		while (atomic_read(&nb->kept[side]))
			nt_exit(nb, side);
		if (test_bit(side, &nb->pending))
			nt_complete(nb, side);
	}
}

/* Undo all that keeps the registrar from finishing the case. */
static void nt_let_go(struct nt *nt)
{
	struct nt_binding *nb = NULL;
	struct nt_party *party = NULL;
	enum nt_point point;

	while ((party = nt_next_party(nt, party))) {
		for (point = 0; point < NT_POINTS; point++)
			WRITE_ONCE(party->at[point].held, false);
	}
	nt_kick(nt);
	while ((nb = nt_next_binding(nt, nb)))
		nt_let_go_of(nb);
}

static bool nt_all_gone(struct nt *nt)
{
	struct nt_party *party = NULL;

	nt_let_go(nt);
	while ((party = nt_next_party(nt, party))) {
		if (!READ_ONCE(party->registered) || READ_ONCE(party->gone))
			continue;
		nt_deregister(party);
		if (nt_wait_timeout(party, HZ / 20))
			return false;
	}
	return nt_join_all(nt, HZ / 20);
}

void nt_forget(struct nt *nt)
{
	struct nt_party *party, *next_party;
	struct nt_binding *nb, *next;

	list_for_each_entry_safe(nb, next, &nt->bindings, node) {
		while (atomic_read(&nb->refs))
			nt_put(nb);
		list_del(&nb->node);
		kfree(nb);
	}
	list_for_each_entry_safe(party, next_party, &nt->parties, node) {
		list_del(&party->node);
		kfree(party);
	}
}

static void nt_report(struct nt *nt)
{
	struct kunit *test = nt->test;
	int i;

	for (i = 0; i < min(nt->nerrors, NT_ERRORS); i++)
		KUNIT_FAIL(test, "%s", nt->errors[i]);
	if (nt->nerrors > NT_ERRORS)
		KUNIT_FAIL(test, "and %d more", nt->nerrors - NT_ERRORS);
	if (test->status == KUNIT_FAILURE)
		nt_dump(nt);
}

static void nt_end(struct kunit_resource *res)
{
	unsigned long deadline = jiffies + NT_TIMEOUT;
	struct nt *nt = res->data;
	bool stuck = false;

	WRITE_ONCE(nt->stopping, true);
	while (!stuck && !nt_all_gone(nt))
		stuck = time_after(jiffies, deadline);
	if (stuck)
		nt_fail(nt, "the registrar does not let go");
	nt_end_watch(nt);
	nt_report(nt);
	if (stuck)
		return;
	nt_forget(nt);
	nt_free(nt);
}

static int nt_begin_resource(struct kunit_resource *res, void *context)
{
	res->data = context;
	return 0;
}

int nt_init(struct kunit *test)
{
	struct nt *nt = nt_new(test);

	if (!nt)
		return -ENOMEM;
	if (!kunit_alloc_resource(test, nt_begin_resource, nt_end, GFP_KERNEL, nt)) {
		nt_free(nt);
		return -ENOMEM;
	}
	test->priv = nt;
	return 0;
}

static const enum nmr_side nt_sides[] = { NMR_CLIENT, NMR_PROVIDER };

static void nt_side_desc(const enum nmr_side *side, char *desc)
{
	strscpy(desc, nt_side_name(*side), KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(nt_either_side, nt_sides, nt_side_desc);
typeof(nt_either_side_gen_params) nt_side_gen_params __alias(nt_either_side_gen_params);

MODULE_DESCRIPTION("KUnit tests for the Network Module Registrar");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
