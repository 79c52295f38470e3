// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ported modules while allocations fail, and what lockdep sees of them. Both need detours.
 */
#include <kunit/test.h>
#include <linux/debug_locks.h>
#include <linux/gfp.h>
#include <linux/limits.h>
#include <linux/mutex.h>

#include "detour.h"
#include "netio_party.h"

/* Allocations @first to @last fail, of @task, or of all workers if @task is NULL. */
static struct {
	bool on;
	struct task_struct *task;
	int first;
	int last;
	atomic_t seen;
} faults;

/*
 * Skip allocations of the kernel's debugging (_NORETRY) and of the harness (_NOFAIL), and nodes of
 * trees unless many allocations fail.
 */
static bool fault_due(struct pt_regs *regs)
{
	gfp_t gfp = (__force gfp_t)regs_get_kernel_argument(regs, 1);
	int nth;

	/* Pairs with the release in begin_faults(). */
	if (!smp_load_acquire(&faults.on) || in_serving_softirq() ||
	    (gfp & (__GFP_NORETRY | __GFP_NOFAIL)))
		return false;
	if (faults.task ? current != faults.task : !(current->flags & PF_WQ_WORKER))
		return false;
	if (faults.first == faults.last && nt_is_tree_node(regs))
		return false;
	nth = atomic_inc_return(&faults.seen);
	return nth >= faults.first && nth <= faults.last;
}

static int no_slab(struct kmem_cache *cache, gfp_t gfp)
{
	return -ENOMEM;
}

static struct nt_detour slab_detour = {
	.function	= "should_failslab",
	.instead	= no_slab,
	.take		= fault_due,
};

static void begin_faults(struct task_struct *task, int first, int last)
{
	faults.task = task;
	faults.first = first;
	faults.last = last;
	atomic_set(&faults.seen, 0);
	/* Pairs with the acquire in fault_due(). */
	smp_store_release(&faults.on, true);
}

/* End the faults. Return: how many allocations there were. */
static int end_faults(void)
{
	WRITE_ONCE(faults.on, false);
	return atomic_read(&faults.seen);
}

/* Reports of lockdep, which turns itself off after the first: a detour keeps it on. */
static struct task_struct *watched;
static int reports;

static bool is_report(struct pt_regs *regs)
{
	if (current != READ_ONCE(watched))
		return false;
	reports++;
	return true;
}

static int stay_on(void)
{
	return 0;
}

static struct nt_detour lockdep_detour = {
	.function	= "debug_locks_off",
	.instead	= stay_on,
	.take		= is_report,
};

static int begin_detours(struct kunit_resource *res, void *context)
{
	int err = nt_detour_begin(&slab_detour);

	res->data = &faults;
	if (err)
		return err;
	err = nt_detour_begin(&lockdep_detour);
	if (err)
		nt_detour_end(&slab_detour);
	return err;
}

static void end_detours(struct kunit_resource *res)
{
	end_faults();
	nt_detour_end(&lockdep_detour);
	nt_detour_end(&slab_detour);
}

static int netio_fault_init(struct kunit *test)
{
	int err = np_init(test);

	if (err)
		return err;
	return kunit_alloc_resource(test, begin_detours, end_detours, GFP_KERNEL, NULL) ?
	       0 : -ENOENT;
}

/* Let allocation @n of a register call fail. Return: whether there was such an allocation. */
static bool try_to_register(struct kunit *test, struct np *np, int n, int *refused)
{
	int attaches = atomic_read(&np->attaches), offers = atomic_read(&np->offers);
	NTSTATUS status;
	bool failed;

	begin_faults(current, n, n);
	status = np_register(np);
	failed = end_faults() >= n;
	if (status) {
		(*refused)++;
		KUNIT_EXPECT_EQ(test, status, STATUS_INSUFFICIENT_RESOURCES);
		KUNIT_EXPECT_EQ(test, atomic_read(&np->offers), offers);
		np_expect_objects(test, 1);
		return failed;
	}
	nt_await((struct nt *)test->priv, atomic_read(&np->attaches) == attaches + 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&np->attaches), attaches + 1);
	np_leave(test, np);
	np_expect_objects(test, 1);
	return failed;
}

/* Each allocation fails once: nothing is left of a call that failed, and no offer is lost. */
static void register_finds_no_memory(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *np = side == NMR_CLIENT ? np_client() : np_provider();
	struct nt *nt = test->priv;
	int n = 1, refused = 0;

	np_join(test, np_peer(np));
	nt_watch_log(nt);
	while (try_to_register(test, np, n, &refused))
		n++;
	nt_watched_lines(nt);
	/* At least the registration of the layer, and that of the registrar with its directory. */
	KUNIT_EXPECT_GE(test, refused, 8);
	KUNIT_EXPECT_GT(test, n, refused + 4);
	np_leave(test, np_peer(np));
}

/* Let allocation @n of a register call fail, and leave before an offer comes again. */
static bool try_to_leave_early(struct kunit *test, struct np *np, int n, int *early)
{
	int attaches = atomic_read(&np->attaches);
	NTSTATUS status;
	bool failed;

	begin_faults(current, n, n);
	status = np_register(np);
	failed = end_faults() >= n;
	if (!status) {
		*early += atomic_read(&np->attaches) == attaches;
		np_leave(test, np);
	}
	np_expect_objects(test, 1);
	return failed;
}

/* Leave at once, also if an offer that found no memory comes again in a second. */
static void party_leaves_before_the_offer_comes_again(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *np = side == NMR_CLIENT ? np_client() : np_provider();
	struct nt *nt = test->priv;
	int n = 1, early = 0;

	np_join(test, np_peer(np));
	nt_watch_log(nt);
	while (try_to_leave_early(test, np, n, &early))
		n++;
	nt_watched_lines(nt);
	KUNIT_EXPECT_GT(test, early, 0);
	np_leave(test, np_peer(np));
}

/* Deregister, complete and wait while all allocations of this task fail. */
static void leaving_allocates_nothing(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *np = side == NMR_CLIENT ? np_client() : np_provider();
	struct nt *nt = test->priv;

	np->detach = STATUS_PENDING;
	np_peer(np)->detach = STATUS_PENDING;
	np_join(test, np);
	np_join(test, np_peer(np));
	begin_faults(current, 1, INT_MAX);
	KUNIT_EXPECT_EQ(test, np_deregister(np), STATUS_PENDING);
	KUNIT_EXPECT_TRUE(test, nt_wait_until(nt, np_both_pending()));
	np_complete(np_client());
	np_complete(np_provider());
	KUNIT_EXPECT_EQ(test, np_wait(np), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, end_faults(), 0);
	np_leave(test, np_peer(np));
}

/* Detach and clean up while all allocations of workers fail. */
static void bindings_end_without_memory(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *np = side == NMR_CLIENT ? np_client() : np_provider();

	np_join(test, np);
	np_join(test, np_peer(np));
	begin_faults(NULL, 1, INT_MAX);
	np_leave(test, np);
	end_faults();
	KUNIT_EXPECT_EQ(test, atomic_read(&np->cleanups), 1);
	np_leave(test, np_peer(np));
}

/* lockdep */

/* A lock of the ports for each side, as lockdep reports an order of locks only once. */
static struct mutex port_locks[] = {
	__MUTEX_INITIALIZER(port_locks[NMR_CLIENT]),
	__MUTEX_INITIALIZER(port_locks[NMR_PROVIDER]),
};

/* The one of this case */
static struct mutex *port_lock;

static void take_port_lock(struct np *np)
{
	mutex_lock(port_lock);
	mutex_unlock(port_lock);
}

static int wait_under_lock(void *np)
{
	NTSTATUS status;

	reports = 0;
	mutex_lock(port_lock);
	WRITE_ONCE(watched, current);
	status = np_wait(np);
	WRITE_ONCE(watched, NULL);
	mutex_unlock(port_lock);
	return status;
}

/*
 * Let a client wait under a lock that a detach callback takes, its own or that of the other port.
 * The class of a registration is that of the module, so lockdep knows what the wait is for.
 */
static void lockdep_reports_a_wait_under_a_lock_of_detach(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *client = np_client(), *provider = np_provider();
	struct nt *nt = test->priv;
	struct nt_thread *thread;

	if (!IS_ENABLED(CONFIG_PROVE_LOCKING) || !debug_locks)
		kunit_skip(test, "lockdep is off");
	port_lock = &port_locks[side];
	client->detach = STATUS_PENDING;
	(side == NMR_CLIENT ? client : provider)->at_detach = take_port_lock;
	np_join(test, provider);
	np_join(test, client);
	np_deregister(client);
	nt_await(nt, atomic_read(&client->detaches) == 1);
	nt_await(nt, atomic_read(&provider->detaches) == 1);
	thread = nt_spawn(nt, wait_under_lock, client);
	nt_await_idle(nt, thread->task);
	np_complete(client);
	KUNIT_EXPECT_EQ(test, nt_join(thread), STATUS_SUCCESS);
	KUNIT_EXPECT_GE(test, reports, 1);
	np_leave(test, provider);
}

static struct kunit_case netio_fault_cases[] = {
	NT_CASE_PARAM_SLOW(register_finds_no_memory, nt_side_gen_params),
	NT_CASE_PARAM_SLOW(party_leaves_before_the_offer_comes_again, nt_side_gen_params),
	NT_CASE_PARAM_SLOW(leaving_allocates_nothing, nt_side_gen_params),
	NT_CASE_PARAM_SLOW(bindings_end_without_memory, nt_side_gen_params),
	NT_CASE_PARAM_SLOW(lockdep_reports_a_wait_under_a_lock_of_detach, nt_side_gen_params),
	{}
};

static struct kunit_suite netio_fault_suite = {
	.name = "nmr_netio_fault",
	.init = netio_fault_init,
	.exit = np_exit,
	.test_cases = netio_fault_cases,
};

kunit_test_suite(netio_fault_suite);
