// SPDX-License-Identifier: GPL-2.0-only
/*
 * White-box tests of module/gate.c: gates without a binding, of which the suite writes the
 * counts. So it can force what calls alone do not reach: a CPU that comes online while its
 * counts are taken. The first call of that CPU overwrites the closed count. The suite can also
 * see in which order CPUs close their counts.
 */
#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/nmr.h>
#include <linux/smp.h>

#include "../module/gate.h"
#include "detour.h"

#define GATES	33	/* a batch, and a gate more */

/* A count on one CPU, in one step on any machine */
static atomic64_t *count_on(const struct nmr_gates *g, enum nmr_side side, int cpu)
{
	return (atomic64_t *)per_cpu_ptr(&g->calls->count[side], cpu);
}

static void add_calls(const struct nmr_gates *g, int cpu, s64 calls)
{
	atomic64_add(calls, count_on(g, NMR_CLIENT, cpu));
}

/*
 * @counted: calls that the CPU has counted: more entered than exited, or fewer
 * @overwrite: once the count is closed, the CPU stores the open count that it had read
 * @adds: what the CPU has added to that, or to the closed count
 * @taken: what draining must have gained
 */
struct take_case {
	const char *name;
	s64 counted;
	bool overwrite;
	s64 adds;
	s64 taken;
};

static const struct take_case take_cases[] = {
	{ "idle",			 0, false,  0,  0 },
	{ "entered",			 3, false,  0,  3 },
	{ "exited",			-3, false,  0, -3 },
	{ "refused, idle",		 0, false,  1,  0 },
	{ "refused, entered",		 3, false,  1,  3 },
	{ "overwritten by enter, idle",	 0, true,   1,  1 },
	{ "overwritten by enter",	 3, true,   1,  4 },
	{ "overwritten by exit",	 3, true,  -1,  2 },
	{ "overwritten by last exit",	 1, true,  -1,  0 },
	{ "overwritten, unchanged",	 3, true,   0,  3 },
};

static void take_case_name(const struct take_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(take, take_cases, take_case_name);

struct first_call {
	const struct take_case *take;
	atomic64_t *count;
	s64 read;	/* the count before it was closed */
	bool begun;
	bool done;
};

/* Make the first call of the CPU. Interrupts are off until it has stored its result. */
static void first_call(void *arg)
{
	struct first_call *first = arg;

	WRITE_ONCE(first->begun, true);
	while (atomic64_read(first->count) >= 0)
		cpu_relax();
	if (first->take->overwrite)
		atomic64_set(first->count, first->read + first->take->adds);
	else
		atomic64_add(first->take->adds, first->count);
	/* Pairs with smp_load_acquire() in take_from_other_cpu(). */
	smp_store_release(&first->done, true);
}

/* Take the count of a CPU that comes online meanwhile, as far as gate.c can tell. */
static int take_from_other_cpu(struct nmr_gates *g, const struct take_case *c)
{
	struct first_call first = { .take = c };
	call_single_data_t csd;
	struct nmr_take take = {
		.count = &g->calls->count[NMR_CLIENT],
		.draining = &g->draining[NMR_CLIENT],
	};
	int cpu, err = -ENODEV;

	preempt_disable();
	cpu = cpumask_any_but(cpu_online_mask, smp_processor_id());
	if (cpu < nr_cpu_ids) {
		first.count = count_on(g, NMR_CLIENT, cpu);
		take.from = atomic64_read(first.count);
		add_calls(g, cpu, c->counted);
		first.read = atomic64_read(first.count);
		INIT_CSD(&csd, first_call, &first);
		err = smp_call_function_single_async(cpu, &csd);
		while (!err && !READ_ONCE(first.begun))
			cpu_relax();
		nmr_take_offline(&take, cpu);
		/* Pairs with smp_store_release() in first_call(), which uses this stack. */
		while (!err && !smp_load_acquire(&first.done))
			cpu_relax();
	}
	preempt_enable();
	return err;
}

/*
 * Whatever the first call of a CPU does to a count that is taken concurrently, the call is
 * counted once or refused.
 */
static void take_of_starting_cpu(struct kunit *test)
{
	const struct take_case *c = test->param_value;
	struct nmr_gates g = {};
	s64 bias;
	int err;

	KUNIT_ASSERT_EQ(test, nmr_gates_alloc(&g), 0);
	bias = atomic64_read(&g.draining[NMR_CLIENT]);
	err = take_from_other_cpu(&g, c);
	if (!err) {
		KUNIT_EXPECT_EQ(test, atomic64_read(&g.draining[NMR_CLIENT]) - bias, c->taken);
		KUNIT_EXPECT_EQ(test, nmr_gate_fold(&g, NMR_CLIENT), c->taken);
		KUNIT_EXPECT_EQ(test, atomic64_read(&g.draining[NMR_PROVIDER]), bias);
	}
	nmr_gates_free(&g);
	if (err == -ENODEV)
		kunit_skip(test, "needs two CPUs that are online");
	KUNIT_EXPECT_EQ(test, err, 0);
}

/* Add calls on all CPUs that are possible, online or not, which make @total in all. */
static void add_calls_everywhere(const struct nmr_gates *g, s64 total)
{
	int cpu, first = cpumask_first(cpu_possible_mask);

	for_each_possible_cpu(cpu) {
		add_calls(g, cpu, 2);
		total -= 2;
	}
	add_calls(g, first, total);
}

/* A batch takes the counts of 32 gates on all CPUs, and cuts off the rest of the list. */
static void batch_is_cut_off(struct kunit *test)
{
	struct nmr_gates *g = kunit_kcalloc(test, GATES, sizeof(*g), GFP_KERNEL);
	struct llist_node *rest;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, g);
	for (i = 0; i < GATES; i++) {
		KUNIT_ASSERT_EQ(test, nmr_gates_alloc(&g[i]), 0);
		add_calls_everywhere(&g[i], i);
		g[i].batch.next = i + 1 < GATES ? &g[i + 1].batch : NULL;
	}
	rest = nmr_gates_take_batch(&g[0].batch);
	KUNIT_EXPECT_PTR_EQ(test, rest, &g[GATES - 1].batch);
	KUNIT_EXPECT_NULL(test, g[GATES - 2].batch.next);
	KUNIT_EXPECT_FALSE(test, nmr_gate_drained(&g[0], NMR_CLIENT));
	for (i = 0; i < GATES; i++) {
		KUNIT_EXPECT_EQ(test, nmr_gate_in_flight(&g[i], NMR_CLIENT), i);
		if (i < GATES - 1)
			KUNIT_EXPECT_EQ(test, nmr_gate_fold(&g[i], NMR_CLIENT), (s64)i);
		KUNIT_EXPECT_EQ(test, nmr_gate_in_flight(&g[i], NMR_CLIENT), i);
	}
	KUNIT_EXPECT_TRUE(test, nmr_gate_drained(&g[0], NMR_CLIENT));
	KUNIT_EXPECT_FALSE(test, nmr_gate_drained(&g[1], NMR_CLIENT));
	KUNIT_EXPECT_EQ(test, nmr_gate_exit(&g[1], NMR_CLIENT), 0LL);
	KUNIT_EXPECT_TRUE(test, nmr_gate_drained(&g[1], NMR_CLIENT));
	KUNIT_EXPECT_EQ(test, nmr_gate_exit(&g[1], NMR_CLIENT), -1LL);
	KUNIT_EXPECT_EQ(test, nmr_gate_in_flight(&g[1], NMR_CLIENT), 0U);
	for (i = 0; i < GATES; i++)
		nmr_gates_free(&g[i]);
}

/* Close counts, free them, and allocate counts. Return: true if these are the same. */
static bool close_and_alloc_again(struct kunit *test, struct nmr_gates *g)
{
	struct nmr_calls __percpu *calls;

	KUNIT_ASSERT_EQ(test, nmr_gates_alloc(g), 0);
	calls = g->calls;
	nmr_gates_take_batch(&g->batch);
	KUNIT_EXPECT_LT(test, atomic64_read(count_on(g, NMR_CLIENT, 0)), 0LL);
	nmr_gates_free(g);
	KUNIT_ASSERT_EQ(test, nmr_gates_alloc(g), 0);
	return g->calls == calls;
}

/*
 * Counts that a gate has left closed are open for the next gate. Meanwhile the last binding of an
 * earlier case may free other counts, which the next gate then gets.
 */
static void counts_are_used_again(struct kunit *test)
{
	struct nmr_gates g = {};
	int tries;

	for (tries = 3; tries && !close_and_alloc_again(test, &g); tries--)
		nmr_gates_free(&g);
	KUNIT_ASSERT_GT(test, tries, 0);
	KUNIT_EXPECT_GT(test, atomic64_read(count_on(&g, NMR_CLIENT, 0)), 0LL);
	KUNIT_EXPECT_EQ(test, nmr_gate_in_flight(&g, NMR_CLIENT), 0U);
	nmr_gates_free(&g);
}

/*
 * How long a CPU is held, at most: until a count is closed, or for 4 s or more. The bound turns
 * an order that is wrong into a failure, before the kernel complains of a CPU that is stuck.
 */
#define HOLD_STEPS	400000
#define HOLD_STEP_US	10

/*
 * A CPU that answers no interrupt until the count of another CPU is closed.
 *
 * @other: the count of the other CPU
 * @closed: the other CPU has closed its count while this CPU was held
 */
struct hold {
	atomic64_t *other;
	bool begun;
	bool closed;
	bool done;
};

/* Hold this CPU. Interrupts are off until this function returns. */
static void hold_cpu(void *arg)
{
	struct hold *hold = arg;
	unsigned int i;

	WRITE_ONCE(hold->begun, true);
	for (i = 0; i < HOLD_STEPS && atomic64_read(hold->other) >= 0; i++)
		udelay(HOLD_STEP_US);
	hold->closed = atomic64_read(hold->other) < 0;
	/* Pairs with smp_load_acquire() in take_while_held(). */
	smp_store_release(&hold->done, true);
}

/* Find the first and the last of the other CPUs. Return: false if they are not two. */
static bool find_others(int other[2])
{
	int cpu;

	other[0] = -ENODEV;
	other[1] = -ENODEV;
	for_each_online_cpu(cpu) {
		if (cpu == raw_smp_processor_id())
			continue;
		if (other[0] < 0)
			other[0] = cpu;
		other[1] = cpu;
	}
	return other[0] != other[1];
}

/* Take the counts while another CPU is held. Must be called with migration disabled. */
static int take_while_held(struct nmr_gates *g, bool last, struct hold *hold)
{
	call_single_data_t csd;
	int other[2], err;

	if (!find_others(other))
		return -ENODEV;
	hold->other = count_on(g, NMR_CLIENT, other[!last]);
	INIT_CSD(&csd, hold_cpu, hold);
	err = smp_call_function_single_async(other[last], &csd);
	if (err)
		return err;
	while (!READ_ONCE(hold->begun))
		cpu_relax();
	nmr_gates_take_batch(&g->batch);
	/* Pairs with smp_store_release() in hold_cpu(), which uses this stack. */
	while (!smp_load_acquire(&hold->done))
		cpu_relax();
	return 0;
}

/* @last: the last of the other CPUs is held until the first has closed its count */
struct hold_case {
	const char *name;
	bool last;
};

static const struct hold_case hold_cases[] = {
	{ "first CPU is late", false },
	{ "last CPU is late", true },
};

static void hold_case_name(const struct hold_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(hold, hold_cases, hold_case_name);

/*
 * A CPU that is late delays no other CPU. If CPUs are asked one after the other, in any order,
 * one of the two cases fails. A host that does not run a CPU for 4 s spoils a try, so there are
 * three.
 */
static void all_cpus_are_asked_at_once(struct kunit *test)
{
	const struct hold_case *c = test->param_value;
	struct hold hold = {};
	int err = 0, tries;

	for (tries = 3; tries && !err && !hold.closed; tries--) {
		struct nmr_gates g = {};

		memset(&hold, 0, sizeof(hold));
		KUNIT_ASSERT_EQ(test, nmr_gates_alloc(&g), 0);
		migrate_disable();
		err = take_while_held(&g, c->last, &hold);
		migrate_enable();
		nmr_gates_free(&g);
	}
	if (err == -ENODEV)
		kunit_skip(test, "needs three CPUs that are online");
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_TRUE(test, hold.closed);
}

/* The counts of a slot */
static DEFINE_PER_CPU(s64, slot_counts) __aligned(sizeof(s64)) = NMR_CALLS_OPEN;

static struct task_struct *opener;
static int starting_cpu;

/* Interrupt all CPUs but the one that starts, which is not online yet at that time. */
static void interrupt_others(smp_cond_func_t cond, smp_call_func_t fn, void *info, bool wait,
			     const struct cpumask *mask)
{
	int cpu;

	for_each_cpu(cpu, mask)
		if (cpu != starting_cpu)
			smp_call_function_single(cpu, fn, info, wait);
}

static bool of_opener(struct pt_regs *regs)
{
	return current == READ_ONCE(opener);
}

static struct nt_detour starting = {
	"on_each_cpu_cond_mask", NULL, interrupt_others, of_opener
};

/* @opened: the call finds the count open, or else overwrites it with a closed one */
struct open_case {
	const char *name;
	bool opened;
	s64 count;
};

static const struct open_case open_cases[] = {
	{ "refused call overwrites the open count", false, NMR_CALLS_OPEN },
	{ "call finds the open count", true, NMR_CALLS_OPEN + 1 },
};

static void open_case_name(const struct open_case *c, char *name)
{
	strscpy(name, c->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(open, open_cases, open_case_name);

struct open_call {
	const struct open_case *open;
	atomic64_t *count;
	bool begun;
	bool done;
};

/* Make the first call of the CPU that starts. Interrupts are off until it has ended. */
static void call_while_opening(void *arg)
{
	struct open_call *call = arg;
	s64 read = atomic64_read(call->count);

	WRITE_ONCE(call->begun, true);
	while (atomic64_read(call->count) < 0)
		cpu_relax();
	if (call->open->opened)
		atomic64_inc(call->count);
	else
		atomic64_set(call->count, read + 1);
	/* Pairs with smp_load_acquire() in open_while_starting(). */
	smp_store_release(&call->done, true);
}

/* Open the counts while the CPU starts. Must be called with migration disabled. */
static int open_while_starting(const struct open_case *c, struct nmr_gates *g)
{
	struct open_call call = { .open = c };
	call_single_data_t csd;
	int err;

	starting_cpu = cpumask_any_but(cpu_online_mask, raw_smp_processor_id());
	if (starting_cpu >= nr_cpu_ids)
		return -ENODEV;
	call.count = (atomic64_t *)per_cpu_ptr(&slot_counts, starting_cpu);
	INIT_CSD(&csd, call_while_opening, &call);
	err = smp_call_function_single_async(starting_cpu, &csd);
	if (err)
		return err;
	while (!READ_ONCE(call.begun))
		cpu_relax();
	WRITE_ONCE(opener, current);
	nmr_gates_add_slot(g, &slot_counts);
	WRITE_ONCE(opener, NULL);
	/* Pairs with smp_store_release() in call_while_opening(), which uses this stack. */
	while (!smp_load_acquire(&call.done))
		cpu_relax();
	return 0;
}

/*
 * A CPU that comes online while another CPU opens its count of a slot has an open count
 * afterwards, whatever its first call does.
 */
static void slot_opens_on_starting_cpu(struct kunit *test)
{
	const struct open_case *c = test->param_value;
	struct nmr_gates g = {};
	int err = nt_detour_begin(&starting);

	if (err == -EOPNOTSUPP)
		kunit_skip(test, "needs kprobes");
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, nmr_gates_alloc(&g), 0);
	nmr_gates_add_slot(&g, &slot_counts);
	nmr_gates_take_batch(&g.batch);
	migrate_disable();
	err = open_while_starting(c, &g);
	migrate_enable();
	nt_detour_end(&starting);
	if (!err) {
		atomic64_t *count = (atomic64_t *)per_cpu_ptr(&slot_counts, starting_cpu);

		KUNIT_EXPECT_EQ(test, atomic64_read(count), c->count);
		atomic64_set(count, NMR_CALLS_OPEN);
	}
	nmr_gates_free(&g);
	if (err == -ENODEV)
		kunit_skip(test, "needs two CPUs that are online");
	KUNIT_EXPECT_EQ(test, err, 0);
}

static struct kunit_case take_cases_all[] = {
	KUNIT_CASE_PARAM(take_of_starting_cpu, take_gen_params),
	KUNIT_CASE(batch_is_cut_off),
	KUNIT_CASE(counts_are_used_again),
	KUNIT_CASE_PARAM(all_cpus_are_asked_at_once, hold_gen_params),
	KUNIT_CASE_PARAM(slot_opens_on_starting_cpu, open_gen_params),
	{}
};

static struct kunit_suite take_suite = {
	.name = "nmr_take",
	.test_cases = take_cases_all,
};

kunit_test_suites(&take_suite);
