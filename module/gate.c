// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Gates
 *
 * A gate counts the calls in flight that one side of a binding makes into the other. A call
 * enters the gate before it uses anything of its callee, and exits the gate when it has
 * returned. Enter and exit are inline functions of ``<linux/nmr.h>``.
 *
 * A gate is a pointer to one signed count per CPU. Enter adds 1 to the count of the CPU that
 * it runs on. Exit subtracts 1 from the count of the CPU that it runs on, which may be
 * another CPU. Only the sum over all CPUs has a meaning.
 *
 * A *gate* is closed before it opens, and again from step 1 below on. A *count* of a gate is
 * closed from step 3 on. The sign of a count tells whether the count is open. An open count
 * starts at ``NMR_CALLS_OPEN``, which is so far above zero that no number of exits makes the
 * count negative. A closed count starts at ``NMR_CALLS_CLOSED``, which is so far below zero that
 * no number of refused calls brings the count to zero. Enter and exit look at the sign of the
 * result:
 *
 * ============= =========================== ===========================
 * count         enter                       exit
 * ============= =========================== ===========================
 * open          the call is in flight       the call has ended
 * closed        the call is refused         subtract 1 from *draining*
 * ============= =========================== ===========================
 *
 * The CPU adds and tests the sign in one step. Neither an interrupt nor another task on that
 * CPU comes between the two. (32-bit machines use an atomic operation, which is one step for
 * all CPUs and a full barrier. There a task may update the count of another CPU. So the
 * argument about a CPU's own count does not apply, and is not needed: the exchange of step 3 is
 * atomic with each update.) A gate closes in four steps:
 *
 * 1. nmr_gate_close(): point the gate to the closed counts, which all closed gates share. A
 *    task that loads the pointer from now on is refused if it enters, and subtracts from
 *    *draining* if it exits.
 * 2. binding.c waits for a grace period.
 * 3. nmr_gates_take_batch(): interrupt each CPU, exchange the open count for a closed count,
 *    and add to *draining* what the open count had counted. *Draining* starts at
 *    ``NMR_GATE_BIAS``. All CPUs are interrupted at once, so the worker waits for the slowest
 *    CPU and not for the sum of all.
 * 4. nmr_gate_fold(): subtract the bias from *draining*. If the result is zero, the gate has
 *    drained. If it is negative, more calls have exited than entered, which is misuse: the
 *    gate counts as drained. Otherwise the exit that brings *draining* to zero drains the
 *    gate.
 *
 * **No call is lost.** A task may load the pointer before step 1, be preempted for
 * arbitrarily long, and only then update the open count. If the task updates the count before
 * the count is exchanged, step 3 includes the update in the sum. If the task updates the
 * count afterwards, the task finds a negative count, exactly as if it had loaded the new
 * pointer. Every call is therefore either counted once or refused, and every exit is
 * accounted for once, in the per-CPU count or in *draining*. A call that enters on one CPU
 * and exits on another makes the share of the second CPU negative, so a sum over some CPUs
 * may be zero or below. The bias keeps *draining* positive until step 4, so neither that sum
 * nor exits that come early bring *draining* to zero. After step 4 *draining* is the exact
 * number of calls in flight (for a slot, with the callers that back out): each addition of
 * step 3 has ended before step 4. It can only decrease, and the exit that brings it to zero
 * is the last.
 *
 * **An exit may use the pointer of its enter.** A scoped call, scoped_nmr_client_call() or
 * scoped_nmr_provider_call(), keeps the pointer and does not load it again. Its exit is that of
 * a task that has loaded the pointer before step 1, whenever the gate closes. The counts are
 * neither freed nor used again meanwhile, because the binding of a call in flight has not
 * drained.
 *
 * **The grace period** of step 2 is not needed for counting. It is for callers that are not
 * counted (see nmr_client_may_call_rcu()), and for readers that looked up the binding under
 * RCU.
 *
 * **CPUs that are offline.** A CPU that is offline is not interrupted in step 3, and does not
 * exchange its count. The worker finds the count of such a CPU open and exchanges it remotely.
 * If the CPU comes online meanwhile, its updates are not one step for the worker's CPU: see
 * nmr_take_offline(). The worker takes no lock against hotplug, because a module may leave, and
 * wait, inside a hotplug callback.
 *
 * **No count is added twice.** An exchange leaves a closed count, and nmr_take_here() adds
 * nothing if it finds one. If a CPU that comes online has overwritten the closed count, the
 * second exchange adds only the difference to what the first exchange found.
 *
 * **Ordering.** On the exiting CPU the accesses of a call come before its exit in program
 * order, which a compiler barrier preserves. When that CPU has run the function of step 3, it
 * releases the request (csd_unlock()), and on_each_cpu() acquires the request in the worker
 * before step 4. (The CPU of the worker sends no request to itself. There program order does
 * the same.) Step 4 and the subtractions from *draining* are full barriers. So the accesses
 * of all calls come before anything that the last exit, or step 4, causes: the cleanup
 * callbacks. For a CPU that is offline, the exchange and the test of cpu_online() after it
 * pair with the barriers of CPU hotplug. A CPU that comes up sets itself online, then passes
 * locks of the hotplug core, then runs tasks that call. A CPU that goes down runs its last
 * call, and then clears itself from the mask inside stop_machine().
 *
 * The addition in step 3 is not needed for ordering. If a CPU has counted nothing, it skips
 * the addition, because the cache line of *draining* would otherwise visit every CPU.
 *
 * Refused calls and late exits leave closed counts at arbitrary negative values. Only their
 * sign has a meaning.
 *
 * **Slots.** The counts of a gate do not open again until the binding is freed, and a task
 * that may still enter keeps the binding: it has a reference or is an RCU reader. So a task
 * that has loaded the pointer may be preempted until its binding has ended, and is still
 * refused. The counts of a slot belong to it, and open again for the next binding. No gate
 * leads to them: nmr_slot_enter() looks at the slot after it has counted.
 *
 * While a binding is in a slot, the counts of the slot are a second set of counts of the
 * client. Step 3 adds both sets to the same *draining*. nmr_gates_add_slot() opens counts that
 * step 3 has closed. All calls that they had counted have exited by then, because the previous
 * binding has drained. A call that is refused concurrently writes to the count of its CPU, so
 * each CPU opens its own count, and nmr_count_open_offline() does so for a CPU that is
 * offline. A caller may count on a CPU that has opened its count, migrate, and back out on a
 * CPU that has not. Then it subtracts from the *draining* of the new binding. Its count is in
 * the sum of the new binding, so the two cancel.
 *
 * **Memory.** alloc_percpu() of 16 bytes costs 8,000 instructions, twice what all else takes
 * until the two sides can call each other. So gates take their counts from chunks of 64. If the
 * only chunk with free counts has no user, it is kept.
 */
/*
 * Locking: the caller serialises opening and closing a gate. nmr_counts_lock, a leaf, is
 * taken with interrupts off, because nmr_gates_free() may be called in RCU callbacks.
 * Enter and exit take no lock.
 */

#include <linux/bitops.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/spinlock.h>

#include "compat.h"
#include "gate.h"

#define NMR_CALLS_CLOSED	(-(s64)BIT_ULL(62))
#define NMR_GATE_BIAS		((s64)BIT_ULL(61))

/* Gates in a batch. A CPU takes the counts of a batch with interrupts off. */
#define NMR_TAKE_BATCH		32

/* Where every gate leads that is not open */
static DEFINE_PER_CPU(s64, nmr_calls_closed) __aligned(sizeof(s64)) = NMR_CALLS_CLOSED;

/* On 32-bit machines a count is two words. Only atomic64_t updates both in one step. */
#ifdef CONFIG_64BIT
static s64 nmr_count_xchg(s64 *count, s64 new)
{
	return xchg(count, new);
}

static s64 nmr_count_read(const s64 *count)
{
	return READ_ONCE(*count);
}
#else
static s64 nmr_count_xchg(s64 *count, s64 new)
{
	return atomic64_xchg((atomic64_t *)count, new);
}

static s64 nmr_count_read(const s64 *count)
{
	return atomic64_read((const atomic64_t *)count);
}
#endif

/* Memory for counts */

#define NMR_CHUNK_CALLS	64	/* one bit each of a word */

struct nmr_chunk {
	struct list_head	list;	/* in nmr_chunks, if @free is not 0 */
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

/* Take counts for @g from a chunk, or from @new. Return: false if no chunk has any. */
static bool nmr_counts_take(struct nmr_gates *g, struct nmr_chunk *new)
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
		g->chunk = chunk;
		g->calls = chunk->calls + i;
	}
	spin_unlock_irqrestore(&nmr_counts_lock, flags);
	return chunk;
}

static int nmr_counts_alloc(struct nmr_gates *g)
{
	struct nmr_chunk *new;

	if (nmr_counts_take(g, NULL))
		return 0;
	new = nmr_chunk_alloc();
	if (!new)
		return -ENOMEM;
	nmr_counts_take(g, new);
	return 0;
}

/**
 * nmr_gates_alloc() - initialise gates that are closed and have counted no call
 * @g: the gates
 *
 * Context: Process, may sleep.
 * Return:
 * * 0		- the gates can be opened
 * * %-ENOMEM	- allocation failure; nmr_gates_free() may be called
 */
int nmr_gates_alloc(struct nmr_gates *g)
{
	enum nmr_side side;
	int cpu, err;

	err = nmr_counts_alloc(g);
	if (err)
		return err;
	for (side = 0; side < NMR_SIDES; side++) {
		/* The counts may have been used before. */
		for_each_possible_cpu(cpu)
			per_cpu_ptr(g->calls, cpu)->count[side] = NMR_CALLS_OPEN;
		g->gate[side].calls = &nmr_calls_closed;
		atomic64_set(&g->draining[side], NMR_GATE_BIAS);
	}
	return 0;
}
EXPORT_SYMBOL_NMR_IF_KUNIT(nmr_gates_alloc);

/*
 * Free the counts of @g. Process context or an RCU callback. If its chunk is the only one with
 * free counts, keep the chunk for later users.
 */
void nmr_gates_free(struct nmr_gates *g)
{
	struct nmr_chunk *chunk = g->chunk;
	unsigned long flags;
	bool empty;

	if (!chunk)
		return;
	spin_lock_irqsave(&nmr_counts_lock, flags);
	if (!chunk->free)
		list_add_tail(&chunk->list, &nmr_chunks);
	chunk->free |= BIT_ULL(g->calls - chunk->calls);
	empty = chunk->free == U64_MAX && !list_is_singular(&nmr_chunks);
	if (empty)
		list_del(&chunk->list);
	spin_unlock_irqrestore(&nmr_counts_lock, flags);
	if (empty)
		nmr_chunk_free(chunk);
}
EXPORT_SYMBOL_NMR_IF_KUNIT(nmr_gates_free);

/* Free all chunks. Must be called after all gates have been freed. */
void nmr_gates_exit(void)
{
	struct nmr_chunk *chunk, *next;

	list_for_each_entry_safe(chunk, next, &nmr_chunks, list)
		nmr_chunk_free(chunk);
}

/* Open and close */

/* Open @counts of this CPU, unless it is open. Must be called with interrupts off. */
static void nmr_count_open_here(void *counts)
{
	s64 *here = this_cpu_ptr(*(s64 __percpu **)counts);

	if (nmr_count_read(here) < 0)
		nmr_count_xchg(here, NMR_CALLS_OPEN);
}

/*
 * Open the count of @cpu, which was offline when all CPUs were interrupted. If @cpu comes
 * online concurrently, a call that it refuses may overwrite the open count, as
 * nmr_take_offline() says. Must be called with preemption disabled.
 */
static void nmr_count_open_offline(s64 __percpu *count, int cpu)
{
	/* The exchange pairs with the barriers between set_cpu_online() and the first call. */
	nmr_count_xchg(per_cpu_ptr(count, cpu), NMR_CALLS_OPEN);
	if (cpu_online(cpu))
		smp_call_function_single(cpu, nmr_count_open_here, &count, true);
}

/**
 * nmr_gates_add_slot() - count the calls through a slot for the client
 * @g:	   the gates, which are closed
 * @count: counts of a slot, initialised to NMR_CALLS_OPEN
 *
 * One binding at a time uses the counts. If an earlier one has used them, it must have
 * drained.
 *
 * Context: Process, may sleep.
 */
void nmr_gates_add_slot(struct nmr_gates *g, s64 __percpu *count)
{
	int cpu;

	g->slot = count;
	/* Step 3 closes the counts of all CPUs, or of none. */
	if (nmr_count_read(per_cpu_ptr(count, cpumask_first(cpu_possible_mask))) >= 0)
		return;
	on_each_cpu(nmr_count_open_here, &count, true);
	for_each_possible_cpu(cpu) {
		preempt_disable();
		if (nmr_count_read(per_cpu_ptr(count, cpu)) < 0)
			nmr_count_open_offline(count, cpu);
		preempt_enable();
	}
}
EXPORT_SYMBOL_NMR_IF_KUNIT(nmr_gates_add_slot);

/* Open the gate of @caller. The caller of this function serialises it with closing. */
void nmr_gate_open(struct nmr_gates *g, enum nmr_side caller)
{
	/* Pairs with the smp_load_acquire() in __nmr_calls(). */
	smp_store_release(&g->gate[caller].calls, &g->calls->count[caller]);
}

/* Do step 1. The caller of this function waits for the grace period of step 2. */
void nmr_gate_close(struct nmr_gates *g, enum nmr_side caller)
{
	WRITE_ONCE(g->gate[caller].calls, &nmr_calls_closed);
}

/* Take the counts */

/* Add to draining what a CPU has counted. Most CPUs have counted nothing. */
static void nmr_take_add(const struct nmr_take *take, s64 count)
{
	if (count != take->from)
		atomic64_add(count - take->from, take->draining);
}

/* Take the count of @cpu. Must be called on @cpu with interrupts off. */
static void nmr_take_here(struct nmr_take *take, int cpu)
{
	s64 count = nmr_count_xchg(per_cpu_ptr(take->count, cpu), NMR_CALLS_CLOSED);

	/* Below 0: nmr_take_offline() has taken the count, and nothing has overwritten it. */
	if (count >= 0)
		nmr_take_add(take, count);
}

static void nmr_take_again(void *take)
{
	nmr_take_here(take, smp_processor_id());
}

/**
 * nmr_take_offline() - take the count of a CPU that did not answer
 * @take: the count
 * @cpu:  was offline when all CPUs were interrupted
 *
 * While @cpu is not online, no call runs there: <linux/nmr.h> forbids calls in the STARTING
 * section of hotplug. If @cpu comes online concurrently, an update by a call is not atomic with
 * respect to this function's exchange: the update may overwrite the closed count with the open
 * count that it had read, plus or minus one. If @cpu is online after the
 * exchange, repeat the exchange on @cpu itself, relative to the value that the first exchange
 * found. Must be called with preemption disabled, so that @cpu does not go offline meanwhile.
 */
void nmr_take_offline(struct nmr_take *take, int cpu)
{
	s64 count = nmr_count_xchg(per_cpu_ptr(take->count, cpu), NMR_CALLS_CLOSED);

	nmr_take_add(take, count);
	take->from = count;
	/* The exchange pairs with the barriers between set_cpu_online() and the first call. */
	if (cpu_online(cpu))
		smp_call_function_single(cpu, nmr_take_again, take, true);
}
EXPORT_SYMBOL_NMR_IF_KUNIT(nmr_take_offline);

/* Some gates, linked by &nmr_gates.batch */
struct nmr_take_batch {
	struct llist_node *first;
	unsigned int n;
};

static __always_inline void
nmr_take_one(struct nmr_gates *g, enum nmr_side side, s64 __percpu *count, int cpu,
	     void (*fn)(struct nmr_take *take, int cpu))
{
	struct nmr_take take = {
		.count		= count,
		.draining	= &g->draining[side],
		.from		= NMR_CALLS_OPEN,
	};

	fn(&take, cpu);
}

static __always_inline void
nmr_take_each(const struct nmr_take_batch *batch, int cpu,
	      void (*fn)(struct nmr_take *take, int cpu))
{
	struct llist_node *node = batch->first;
	enum nmr_side side;
	unsigned int n;

	for (n = batch->n; n; n--, node = node->next) {
		struct nmr_gates *g = llist_entry(node, struct nmr_gates, batch);

		for (side = 0; side < NMR_SIDES; side++)
			nmr_take_one(g, side, &g->calls->count[side], cpu, fn);
		if (g->slot)
			nmr_take_one(g, NMR_CLIENT, g->slot, cpu, fn);
	}
}

static void nmr_take_each_here(void *batch)
{
	nmr_take_each(batch, smp_processor_id(), nmr_take_here);
}

/*
 * Tell whether @cpu has answered. A CPU that answers takes all counts of the batch, so this
 * function looks at one of them.
 */
static bool nmr_has_taken(const struct nmr_take_batch *batch, int cpu)
{
	struct nmr_gates *g = llist_entry(batch->first, struct nmr_gates, batch);

	return nmr_count_read(per_cpu_ptr(&g->calls->count[NMR_CLIENT], cpu)) < 0;
}

/**
 * nmr_gates_take_batch() - do step 3 for the first NMR_TAKE_BATCH gates of a list
 * @first: gates linked by &nmr_gates.batch
 *
 * Must be called after the grace period of all gates in the list. Gates of different lists are
 * independent. The registrar has one worker do this, which saves interrupts.
 *
 * Context: Process, may sleep.
 * Return: The rest of the list, which this function cuts off.
 */
struct llist_node *nmr_gates_take_batch(struct llist_node *first)
{
	struct nmr_take_batch batch = { first, 1 };
	struct llist_node *last = first, *rest;
	int cpu;

	for (; last->next && batch.n < NMR_TAKE_BATCH; batch.n++)
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
EXPORT_SYMBOL_NMR_IF_KUNIT(nmr_gates_take_batch);

/* Drain */

/*
 * Do step 4. Return: the calls in flight. 0: the gate has drained. Below 0: so many more
 * calls have exited than entered.
 */
s64 nmr_gate_fold(struct nmr_gates *g, enum nmr_side caller)
{
	return atomic64_sub_return(NMR_GATE_BIAS, &g->draining[caller]);
}
EXPORT_SYMBOL_NMR_IF_KUNIT(nmr_gate_fold);

/*
 * Account for an exit from a closed gate. Return: as nmr_gate_fold(), with the bias still in
 * it before step 4. If the result is not 0, @g may be freed concurrently.
 */
s64 nmr_gate_exit(struct nmr_gates *g, enum nmr_side caller)
{
	return atomic64_dec_return(&g->draining[caller]);
}
EXPORT_SYMBOL_NMR_IF_KUNIT(nmr_gate_exit);

/* Add up what is counted on all CPUs and not taken yet. */
static s64 nmr_count_sum(s64 __percpu *counts)
{
	s64 count, sum = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		count = nmr_count_read(per_cpu_ptr(counts, cpu));
		if (count >= 0)
			sum += count - NMR_CALLS_OPEN;
	}
	return sum;
}

/* Count the calls in flight: approximately before step 4, exactly afterwards. */
unsigned int nmr_gate_in_flight(const struct nmr_gates *g, enum nmr_side caller)
{
	s64 n = atomic64_read(&g->draining[caller]);

	/* Before step 4: what step 3 has taken, and what it has not. */
	if (n > NMR_GATE_BIAS / 2) {
		n += nmr_count_sum(&g->calls->count[caller]) - NMR_GATE_BIAS;
		if (caller == NMR_CLIENT && g->slot)
			n += nmr_count_sum(g->slot);
	}
	return clamp_t(s64, n, 0, UINT_MAX);
}
EXPORT_SYMBOL_NMR_IF_KUNIT(nmr_gate_in_flight);

/* Tell whether step 4 is done and no call of @caller is in flight. */
bool nmr_gate_drained(const struct nmr_gates *g, enum nmr_side caller)
{
	return atomic64_read(&g->draining[caller]) <= 0;
}
EXPORT_SYMBOL_NMR_IF_KUNIT(nmr_gate_drained);
