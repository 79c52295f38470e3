// SPDX-License-Identifier: GPL-2.0-only
/*
 * Call gates: the calls in flight through a binding. Each side has a gate, which counts
 * the calls that this side makes. The fast half is inline in <linux/nmr.h>.
 *
 * A gate is a pointer to a count on each CPU. Enter adds 1 to that of the CPU it runs
 * on, exit subtracts 1 on the CPU it runs on, perhaps another one; only the sum over
 * all CPUs means anything. The sign tells whether a count is open: an open one starts
 * at NMR_CALLS_OPEN, so far above zero that no number of calls makes it negative, a
 * closed one at NMR_CALLS_CLOSED, as far below.
 *
 *   enter, open:    in flight              exit, open:    not in flight any more
 *   enter, closed:  refused                exit, closed:  atomic64_dec(draining)
 *
 * On the CPU it happens on, adding and seeing the sign are one step: no interrupt, and
 * no other task, comes between. Closing therefore is:
 *
 *   (1) let the pointer lead to counts that are closed, of which all gates share one
 *	 set: a task that loads it from now on is refused, or leaves through draining;
 *   (2) let a grace period pass;
 *   (3) on each CPU, exchange the old count for a closed one, and add what it had
 *	 taken to draining, which starts at NMR_GATE_BIAS;
 *   (4) take the bias away. Zero: drained.
 *
 * A task that loaded the pointer before (1) and was delayed, for however long, still counts
 * on the old one. If that is before (3) on its CPU, what it did is in the sum. If it is
 * after (3), the task sees a count below zero, as if the pointer had been the new one. Each
 * call is thus counted once, or refused; each exit once, in one of the two places. The bias
 * keeps draining far above zero until (4), so that exits which come early cannot make it
 * look drained. From then on draining is exactly the number of calls in flight, no call can
 * enter any more, and the exit that brings it to zero is the last.
 *
 * (2) is not needed to count. It is for the calls of nmr_client_may_call_rcu() and its
 * sister, which are not counted, and for a caller that loaded the pointer to the binding
 * under RCU.
 *
 * (3) asks all CPUs at once. A CPU that was not online then has not answered: its count is
 * still open, and the worker exchanges it from where it runs (nmr_take_offline()).
 *
 * What a call did comes before its exit for the CPU that exits (barrier() there). That CPU
 * releases the request of (3) when it has answered, and the worker acquires it before (4).
 * (4) and the decrements of draining are full barriers. So what all calls did comes before
 * whatever the last exit, or (4), causes (promise 6: cleanup). The addition in (3) orders
 * nothing, so a count that has taken nothing needs none.
 *
 * What refused calls and late exits leave in counts that are closed is never read.
 *
 * Locking: the pointers are written under nmr_lock, and only by the functions here.
 * Exits take no lock.
 */

#include <linux/smp.h>

#include "internal.h"

#define NMR_CALLS_OPEN		BIT_ULL(62)
#define NMR_CALLS_CLOSED	(-(s64)BIT_ULL(62))
#define NMR_GATE_BIAS		((s64)BIT_ULL(61))

/* Where every gate leads that is not open. */
static DEFINE_PER_CPU(s64, nmr_calls_closed) __aligned(sizeof(s64)) = NMR_CALLS_CLOSED;

/* Machines of 32 bits have the counts in words that only atomic64_t does in one step. */
#ifdef CONFIG_64BIT
static s64 nmr_count_close(s64 *count)
{
	return xchg(count, NMR_CALLS_CLOSED);
}

static s64 nmr_count_read(const s64 *count)
{
	return READ_ONCE(*count);
}
#else
static s64 nmr_count_close(s64 *count)
{
	return atomic64_xchg((atomic64_t *)count, NMR_CALLS_CLOSED);
}

static s64 nmr_count_read(const s64 *count)
{
	return atomic64_read((const atomic64_t *)count);
}
#endif

/* Begin with both gates closed and no call in flight. */
void nmr_gate_init(struct nmr_binding *b)
{
	enum nmr_side side;
	int cpu;

	for (side = 0; side < NMR_SIDES; side++) {
		for_each_possible_cpu(cpu)
			per_cpu_ptr(b->calls, cpu)->count[side] = NMR_CALLS_OPEN;
		b->gate[side].calls = &nmr_calls_closed;
		atomic64_set(&b->draining[side], NMR_GATE_BIAS);
	}
}

/* Open the gate of @caller: its callee has attached. */
void nmr_gate_open(struct nmr_binding *b, enum nmr_side caller)
{
	lockdep_assert_held(&nmr_lock);
	/* Pairs with the smp_load_acquire() in __nmr_call_enter(). */
	smp_store_release(&b->gate[caller].calls, &b->calls->count[caller]);
}

/* Do step (1). The caller sees to the grace period. */
void nmr_gate_close(struct nmr_binding *b, enum nmr_side caller)
{
	lockdep_assert_held(&nmr_lock);
	WRITE_ONCE(b->gate[caller].calls, &nmr_calls_closed);
}

/* The count of a gate on a CPU, and what it is counted from. */
struct nmr_take {
	s64 __percpu *count;
	atomic64_t *draining;
	s64 from;
};

/* Most counts have taken nothing: draining, which all CPUs share, is left alone then. */
static void nmr_take_add(const struct nmr_take *take, s64 count)
{
	if (count != take->from)
		atomic64_add(count - take->from, take->draining);
}

/* Must be called on @cpu with interrupts off. */
static void nmr_take_here(struct nmr_take *take, int cpu)
{
	s64 count = nmr_count_close(per_cpu_ptr(take->count, cpu));

	if (count >= 0)
		nmr_take_add(take, count);
}

static void nmr_take_again(void *take)
{
	nmr_take_here(take, smp_processor_id());
}

/*
 * Take the count of @cpu, which was not online when all CPUs were asked, so nothing ran there
 * that may call (see nmr_client_call_enter()). If it comes up now its first call may store
 * what it made of the open count over the closed one, as what is one step for the CPU is not
 * one for the others. Then it has to be asked for what it has counted from here. Preemption
 * is off: no CPU goes offline.
 */
static void nmr_take_offline(struct nmr_take *take, int cpu)
{
	s64 count = nmr_count_close(per_cpu_ptr(take->count, cpu));

	nmr_take_add(take, count);
	take->from = count;
	/* The exchange pairs with the barriers between set_cpu_online() and the first call. */
	if (cpu_online(cpu))
		smp_call_function_single(cpu, nmr_take_again, take, true);
}

/* Some bindings, linked by &nmr_binding.batch. */
struct nmr_take_batch {
	struct llist_node *first;
	unsigned int n;
};

static void nmr_take_each(const struct nmr_take_batch *batch, int cpu,
			  void (*fn)(struct nmr_take *take, int cpu))
{
	struct llist_node *node = batch->first;
	enum nmr_side side;
	unsigned int n;

	for (n = batch->n; n; n--, node = node->next) {
		struct nmr_binding *b = llist_entry(node, struct nmr_binding, batch);

		for (side = 0; side < NMR_SIDES; side++) {
			struct nmr_take take = {
				.count		= &b->calls->count[side],
				.draining	= &b->draining[side],
				.from		= NMR_CALLS_OPEN,
			};

			fn(&take, cpu);
		}
	}
}

static void nmr_take_each_here(void *batch)
{
	nmr_take_each(batch, smp_processor_id(), nmr_take_here);
}

/*
 * Has @cpu answered? It took all counts of the batch then, so one tells. A closed count
 * stays closed, and only the worker itself closes those of other CPUs.
 */
static bool nmr_has_taken(const struct nmr_take_batch *batch, int cpu)
{
	struct nmr_binding *b = llist_entry(batch->first, struct nmr_binding, batch);

	return nmr_count_read(per_cpu_ptr(&b->calls->count[NMR_CLIENT], cpu)) < 0;
}

/*
 * Do step (3) for some of the bindings linked to @first: so many that interrupts are not off
 * for long. Must be called in process context by one task at a time, after all of them have
 * closed and their grace period is over.
 * Return: the others, cut off.
 */
struct llist_node *nmr_gates_take(struct llist_node *first)
{
	struct nmr_take_batch batch = { first, 1 };
	struct llist_node *last = first, *rest;
	int cpu;

	for (; last->next && batch.n < NMR_BATCH / 2; batch.n++)
		last = last->next;
	on_each_cpu(nmr_take_each_here, &batch, true);
	for_each_possible_cpu(cpu) {
		if (nmr_has_taken(&batch, cpu))
			continue;
		preempt_disable();
		nmr_take_each(&batch, cpu, nmr_take_offline);
		preempt_enable();
	}
	rest = last->next;
	last->next = NULL;
	return rest;
}

/* Do step (4). Return: true if no call is in flight. */
bool nmr_gate_fold(struct nmr_binding *b, enum nmr_side caller)
{
	s64 left = atomic64_sub_return(NMR_GATE_BIAS, &b->draining[caller]);

	if (left < 0)
		nmr_misuse(b->reg[caller], NMR_MISUSE_EXIT, b->id);
	return left <= 0;
}

/* Count the calls in flight: approximately until the gate was folded, exactly from then. */
unsigned int nmr_gate_in_flight(const struct nmr_binding *b, enum nmr_side caller)
{
	s64 n = atomic64_read(&b->draining[caller]);
	int cpu;

	/* Not folded yet: what was taken, and what was not. */
	if (n > NMR_GATE_BIAS / 2) {
		n -= NMR_GATE_BIAS;
		for_each_possible_cpu(cpu) {
			s64 count =
				nmr_count_read(&per_cpu_ptr(b->calls, cpu)->count[caller]);

			if (count >= 0)
				n += count - NMR_CALLS_OPEN;
		}
	}
	return clamp_t(s64, n, 0, UINT_MAX);
}

/*
 * One of the five things a binding's cleanup waits for is done (see binding.c): two
 * gates drained, two sides detached, the detach worker through. The task or interrupt
 * that does the last of them queues the cleanup, and does not touch the binding
 * afterwards. A binding without a cleanup callback does not wait for those of others.
 */
void nmr_binding_part_done(struct nmr_binding *b)
{
	if (atomic_dec_return(&b->todo))
		return;
	if (!nmr_binding_has_cleanup(b)) {
		nmr_binding_reap_later(b);
		return;
	}
	b->phase = NMR_PHASE_CLEANUP;
	nmr_queue_work(nmr_callback_wq, &b->work);
}

/*
 * Account for the exit of a call from a gate that has closed. After a decrement that was
 * not the last, the caller must not touch @binding.
 */
void __nmr_gate_exit_closed(struct nmr_binding *binding, enum nmr_side caller)
{
	s64 left = atomic64_dec_return(&binding->draining[caller]);

	if (!left)
		nmr_binding_part_done(binding);
	else if (unlikely(left < 0))
		nmr_misuse(binding->reg[caller], NMR_MISUSE_EXIT, binding->id);
}
EXPORT_SYMBOL_NMR(__nmr_gate_exit_closed);
