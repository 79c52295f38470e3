// SPDX-License-Identifier: GPL-2.0
/*
 * Call gates: the calls in flight through a binding, one gate a side, counting the
 * calls that this side makes. The fast half is inline in <linux/nmr.h>.
 *
 * A gate is one word: the address of a per-CPU count, and a bit that says closed.
 *
 *   enter, open:    this_cpu_inc(count)      exit, open:    this_cpu_dec(count)
 *   enter, closed:  refused                  exit, closed:  atomic_dec(draining)
 *
 * A call may leave on another CPU than it entered; only the sum over all CPUs
 * means anything. Both halves run with preemption off, which makes them RCU
 * readers. Closing therefore is:
 *
 *   (1) set the bit;
 *   (2) let a grace period pass;
 *   (3) add the sum to draining, which starts at NMR_GATE_BIAS, and take the bias
 *       away. Zero: drained.
 *
 * A section that began before the end of (1) and saw the gate open is over after
 * (2), so its increment or decrement is in the sum, and is the last of its kind;
 * the grace period also orders it before the sum, so no fence is needed in the
 * section. A section that began later sees the bit: it is refused, or leaves
 * through draining. Each exit is thus counted once, in one of the two places. The
 * bias keeps draining far above zero until (3), so that exits which come early
 * cannot make it look drained; from (3) on draining is exactly the number of calls
 * in flight, nobody can enter any more, and whoever brings it to zero is the last.
 *
 * draining is decremented with a full barrier, so whatever a call did comes before
 * whatever the last one causes (promise 6: cleanup).
 *
 * Locking: the state words are written under nmr_lock, and only by the functions
 * here. Exits take no lock.
 */

#include "internal.h"

#define NMR_GATE_BIAS	((int)BIT(30))

/* Both gates shut, nobody inside. Return: 0, or -ENOMEM. Frees nothing. */
int nmr_gate_init(struct nmr_binding *b)
{
	enum nmr_side side;

	b->calls = alloc_percpu(struct nmr_calls);
	if (!b->calls)
		return -ENOMEM;
	for (side = 0; side < NMR_SIDES; side++) {
		b->gate[side].state =
			(__force unsigned long)&b->calls->in_flight[side] | NMR_GATE_CLOSED;
		atomic_set(&b->draining[side], NMR_GATE_BIAS);
	}
	return 0;
}

/* The callee has attached. */
void nmr_gate_open(struct nmr_binding *b, enum nmr_side caller)
{
	unsigned long *state = &b->gate[caller].state;

	lockdep_assert_held(&nmr_lock);
	/* Pairs with the smp_load_acquire() in __nmr_call_enter(). */
	smp_store_release(state, *state & ~NMR_GATE_CLOSED);
}

/* Step (1). The caller sees to the grace period. */
void nmr_gate_close(struct nmr_binding *b, enum nmr_side caller)
{
	unsigned long *state = &b->gate[caller].state;

	lockdep_assert_held(&nmr_lock);
	WRITE_ONCE(*state, *state | NMR_GATE_CLOSED);
}

/* Over possible, not online CPUs: who entered on a CPU may leave after it went. */
static s32 nmr_gate_sum(const struct nmr_binding *b, enum nmr_side caller)
{
	u32 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu_ptr(b->calls, cpu)->in_flight[caller]);
	return sum;
}

/* Step (3), a grace period after (1). Return: true if no call is in flight. */
bool nmr_gate_fold(struct nmr_binding *b, enum nmr_side caller)
{
	int left = atomic_add_return(nmr_gate_sum(b, caller) - NMR_GATE_BIAS,
				     &b->draining[caller]);

	if (left < 0)
		nmr_misuse(b->reg[caller], NMR_MISUSE_EXIT, b->id);
	return left <= 0;
}

/* Approximate while the gate is open, exact once it was folded. */
unsigned int nmr_gate_in_flight(const struct nmr_binding *b, enum nmr_side caller)
{
	int n = atomic_read(&b->draining[caller]);

	/* Not folded yet: what is missing from the bias left after closing. */
	if (n > NMR_GATE_BIAS / 2)
		n += nmr_gate_sum(b, caller) - NMR_GATE_BIAS;
	return max(n, 0);
}

/*
 * One of the five things a binding's cleanup waits for is done (see binding.c): two
 * gates drained, two sides detached, the detach worker through. Whoever does the
 * last of them queues the cleanup, here, because it may be a call that leaves in
 * hardirq. Nobody else touches the binding afterwards.
 */
void nmr_binding_part_done(struct nmr_binding *b)
{
	if (atomic_dec_return(&b->todo))
		return;
	b->phase = NMR_PHASE_CLEANUP;
	queue_work(nmr_callback_wq, &b->work);
}

/**
 * __nmr_gate_exit_closed() - a call leaves a gate that has closed meanwhile
 * @binding: the binding
 * @caller:  the side that made the call
 *
 * The slow half of nmr_client_call_exit() and nmr_provider_call_exit(). Touches
 * nothing after a decrement that was not the last.
 *
 * Context: Any but NMI.
 */
void __nmr_gate_exit_closed(struct nmr_binding *binding, enum nmr_side caller)
{
	int left = atomic_dec_return(&binding->draining[caller]);

	if (!left)
		nmr_binding_part_done(binding);
	else if (unlikely(left < 0))
		nmr_misuse(binding->reg[caller], NMR_MISUSE_EXIT, binding->id);
}
EXPORT_SYMBOL_NMR(__nmr_gate_exit_closed);
