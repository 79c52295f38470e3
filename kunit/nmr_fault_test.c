// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocation failures: each allocation of the registrar fails once, and all of them for a
 * while.
 *
 * The kernel's fault injection covers the task that runs a test. But workers make offers
 * as well, and percpu allocations have no fault injection. The suite therefore detours
 * the two functions that every allocation passes.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/iopoll.h>
#include <linux/kernfs.h>
#include <linux/kobject.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/percpu.h>

#include "detour.h"
#include "harness.h"

/* Faults */

/*
 * Which allocations fail: numbers @first to @last of @task, or of all workers if @task is
 * NULL. If @percpu, only percpu allocations count; if @binding, only those of bindings.
 */
static struct {
	bool on;
	bool percpu;
	bool binding;
	struct task_struct *task;
	int first;
	int last;
	atomic_t seen;
	atomic_t failed;
} faults;

static bool fault_due(void)
{
	int nth;

	/* Pairs with the release in begin_faults(). */
	if (!smp_load_acquire(&faults.on) || in_serving_softirq())
		return false;
	if (faults.task ? current != faults.task : !(current->flags & PF_WQ_WORKER))
		return false;
	nth = atomic_inc_return(&faults.seen);
	if (nth < faults.first || nth > faults.last)
		return false;
	atomic_inc(&faults.failed);
	return true;
}

/*
 * Skip allocations of the kernel's debugging (_NORETRY) and of the harness (_NOFAIL), and nodes of
 * trees unless many allocations fail.
 */
static bool slab_fault_due(struct pt_regs *regs)
{
	gfp_t gfp = (__force gfp_t)regs_get_kernel_argument(regs, 1);

	return !(gfp & (__GFP_NORETRY | __GFP_NOFAIL)) && !READ_ONCE(faults.percpu) &&
	       !READ_ONCE(faults.binding) &&
	       (faults.first != faults.last || !nt_is_tree_node(regs)) && fault_due();
}

static bool percpu_fault_due(struct pt_regs *regs)
{
	return !READ_ONCE(faults.binding) && fault_due();
}

static int no_slab(struct kmem_cache *cache, gfp_t gfp)
{
	return -ENOMEM;
}

static void __percpu *no_percpu(size_t size, size_t align)
{
	return NULL;
}

static struct nt_detour slab_detour = {
	.function	= "should_failslab",
	.instead	= no_slab,
	.take		= slab_fault_due,
};

static struct nt_detour percpu_detour = {
	.function	= "__alloc_percpu",
	.alternative	= "pcpu_alloc_noprof",
	.instead	= no_percpu,
	.take		= percpu_fault_due,
};

static void begin_faults(struct task_struct *task, int first, int last)
{
	faults.percpu = false;
	faults.binding = false;
	faults.task = task;
	faults.first = first;
	faults.last = last;
	atomic_set(&faults.seen, 0);
	atomic_set(&faults.failed, 0);
	/* Pairs with the acquire in fault_due(). */
	smp_store_release(&faults.on, true);
}

/* End the faults. Return: how many allocations failed. */
static int end_faults(void)
{
	WRITE_ONCE(faults.on, false);
	return atomic_read(&faults.failed);
}

/*
 * The numbers that name the directories of registrations which faults.task makes.
 *
 * @last: the last number of each side
 * @seen: how many there were
 * @again: how many were not greater than the last one
 */
static struct {
	u64 last[NMR_SIDES];
	int seen;
	int again;
} names;

static bool note_name(struct pt_regs *regs)
{
	struct kobject *kobj = (struct kobject *)regs_get_kernel_argument(regs, 0);
	const char *set = kobj->kset ? kobject_name(&kobj->kset->kobj) : "";
	u64 *last, id;

	if (current != faults.task || !READ_ONCE(faults.on))
		return false;
	if (!strcmp(set, "clients"))
		last = &names.last[NMR_CLIENT];
	else if (!strcmp(set, "providers"))
		last = &names.last[NMR_PROVIDER];
	else
		return false;
	if (kstrtou64(kobject_name(kobj), 10, &id) || id <= *last)
		names.again++;
	*last = id;
	names.seen++;
	return false;
}

static struct nt_detour name_detour = {
	.function	= "sysfs_create_dir_ns",
	.take		= note_name,
};

/* Failures to allocate a binding with all its parts */

static bool binding_fault_due(struct pt_regs *regs)
{
	return READ_ONCE(faults.binding) && fault_due();
}

static struct nmr_binding *no_binding(void)
{
	return NULL;
}

static struct nt_detour binding_detour = {
	.function	= "nmr_binding_alloc",
	.instead	= no_binding,
	.take		= binding_fault_due,
};

static void end_detours(struct kunit_resource *res)
{
	end_faults();
	nt_detour_end(&name_detour);
	nt_detour_end(&percpu_detour);
	nt_detour_end(&slab_detour);
}

static int begin_detours(struct kunit_resource *res, void *context)
{
	int err = nt_detour_begin(&slab_detour);

	res->data = &faults;
	if (err)
		return err;
	err = nt_detour_begin(&percpu_detour);
	if (err)
		goto out_slab;
	err = nt_detour_begin(&name_detour);
	if (!err)
		return 0;
	nt_detour_end(&percpu_detour);
out_slab:
	nt_detour_end(&slab_detour);
	return err;
}

static int fault_init(struct kunit *test)
{
	int err = nt_init(test);

	if (err)
		return err;
	return kunit_alloc_resource(test, begin_detours, end_detours, GFP_KERNEL,
				    NULL) ? 0 : -ENOENT;
}

/* sysfs */

static struct kernfs_node *nmr_directory(const char *name)
{
	struct kernfs_node *root = kernfs_find_and_get(kernel_kobj->sd, "nmr");
	struct kernfs_node *kn = kernfs_find_and_get(root, name);

	kernfs_put(root);
	return kn;
}

static unsigned long directories(void)
{
	static const char * const names[] = { "clients", "providers", "bindings" };
	unsigned long n = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct kernfs_node *kn = nmr_directory(names[i]);

		n += kn->dir.subdirs;
		kernfs_put(kn);
	}
	return n;
}

/* Tell whether a binding's directory is complete: the link to the provider is made last. */
static bool in_sysfs(struct nt_binding *nb)
{
	struct kernfs_node *bindings = nmr_directory("bindings");
	struct kernfs_node *kn, *link = NULL;
	char name[24];

	snprintf(name, sizeof(name), "%llu", nb->id);
	kn = kernfs_find_and_get(bindings, name);
	if (kn)
		link = kernfs_find_and_get(kn, "provider");
	kernfs_put(link);
	kernfs_put(kn);
	kernfs_put(bindings);
	return link;
}

/*
 * Wait for a binding's directory, which the registrar adds after the sides can call each
 * other. If it cannot, it prints a line to the log, which is watched and had @lines.
 * Return: whether the directory came.
 */
static bool directory_comes(struct nt *nt, struct nt_binding *nb, int lines)
{
	ktime_t end = ktime_add_ms(ktime_get(), jiffies_to_msecs(NT_TIMEOUT));

	while (!in_sysfs(nb) && READ_ONCE(nt->lines) == lines) {
		if (ktime_after(ktime_get(), end)) {
			nt_fail(nt, "no directory, and no line in the log");
			break;
		}
		usleep_range(100, 1000);
	}
	return in_sysfs(nb);
}

/* Register */

#define PEERS	2

/*
 * @peers: number of entries in @peer
 * @refused: register calls that failed
 * @missing: bindings without a directory
 */
struct trial {
	struct nt *nt;
	enum nmr_side side;
	struct nt_party *peer[PEERS];
	unsigned int peers;
	u64 last_id;
	unsigned long directories;
	int refused;
	int missing;
};

static void begin_trial(struct trial *trial, struct nt *nt, enum nmr_side side,
			unsigned int peers)
{
	struct nt_party *party = nt_party(nt, side);
	unsigned int i;

	nt_join_npi(party);
	nt_leave(party);
	memset(&names, 0, sizeof(names));
	*trial = (struct trial){
		.nt = nt, .side = side, .peers = peers, .last_id = party->client.id,
	};
	for (i = 0; i < peers; i++) {
		trial->peer[i] = nt_party(nt, nt_peer(side));
		nt_join_npi(trial->peer[i]);
	}
	trial->directories = directories();
}

/* Tell whether two parties are attached and can call each other. */
static bool bound(struct nt_party *party, struct nt_party *peer)
{
	struct nt_binding *nb = nt_find_between(party, peer);

	return nb && nt_has_left(nb, NT_C_ATTACH) && !nb->value[NT_C_ATTACH] &&
	       nt_call(nb, NMR_CLIENT) && nt_call(nb, NMR_PROVIDER);
}

/* Expect that a register call that failed has left no trace. */
static void expect_refused(struct trial *trial, struct nt_party *party, int err)
{
	struct kunit *test = trial->nt->test;

	trial->refused++;
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_EQ(test, directories(), trial->directories);
	KUNIT_EXPECT_EQ(test, nt_entered(party, NT_C_ATTACH + party->side), 0);
}

/* Expect that a registration has a new number, and that every offer is made once. */
static void expect_registered(struct trial *trial, struct nt_party *party)
{
	struct kunit *test = trial->nt->test;
	unsigned int i;

	KUNIT_EXPECT_GT(test, party->client.id, trial->last_id);
	trial->last_id = party->client.id;
	for (i = 0; i < trial->peers; i++) {
		nt_await(trial->nt, bound(party, trial->peer[i]));
		trial->missing += !directory_comes(trial->nt,
						   nt_find_between(party, trial->peer[i]),
						   trial->missing);
	}
	KUNIT_EXPECT_EQ(test, nt_entered(party, NT_C_ATTACH + party->side), trial->peers);
	nt_leave(party);
	KUNIT_EXPECT_EQ(test, directories(), trial->directories);
}

/* Register while allocations @first to @last fail. Return: how many failed. */
static int try_to_register(struct trial *trial, int first, int last)
{
	struct nt_party *party = nt_party(trial->nt, trial->side);
	int err, failed;

	if (!trial->peers)
		guid_gen(&party->npi_id);
	begin_faults(current, first, last);
	err = nt_register(party);
	failed = end_faults();
	if (err)
		expect_refused(trial, party, err);
	else
		expect_registered(trial, party);
	return failed;
}

/* Check promise 10 for the first registration of an NPI, which meets no peer. */
static void first_of_its_npi_finds_no_memory(struct kunit *test)
{
	struct trial trial;
	int n = 1;

	begin_trial(&trial, test->priv, nt_param_side(test), 0);
	while (try_to_register(&trial, n, n))
		n++;
	/* At least the registration, its NPI, its directory and its files. */
	KUNIT_EXPECT_GE(test, trial.refused, 8);
	KUNIT_EXPECT_EQ(test, names.again, 0);
	KUNIT_EXPECT_GT(test, names.seen, 1);
}

/*
 * Check promise 10 for a registration that meets peers. If an allocation fails after the
 * registration exists, an offer is made later, or a binding's directory is missing and the
 * registrar logs this.
 */
static void register_finds_no_memory(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct trial trial;
	int n = 1;

	begin_trial(&trial, nt, nt_param_side(test), PEERS);
	nt_watch_log(nt);
	while (try_to_register(&trial, n, n))
		n++;
	KUNIT_EXPECT_GE(test, nt_watched_lines(nt), trial.missing);
	KUNIT_EXPECT_GE(test, trial.refused, 7);
	/* Each peer makes a directory, eight files and two links. */
	KUNIT_EXPECT_GE(test, trial.missing, 2 * PEERS);
}

/* Let all allocations fail from one on: no offer can be made, and none is lost. */
static void memory_runs_out_in_register(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct trial trial;
	int n = 0, refused;

	begin_trial(&trial, nt, nt_param_side(test), PEERS);
	nt_watch_log(nt);
	do {
		refused = trial.refused;
		n++;
		KUNIT_ASSERT_GT(test, try_to_register(&trial, n, INT_MAX), 0);
	} while (trial.refused > refused);
	KUNIT_EXPECT_EQ(test, nt_watched_lines(nt), 0);
	KUNIT_EXPECT_EQ(test, trial.missing, 0);
}

/* Tell whether the register call of a party has made the offer. The retry is made by a worker. */
static bool offered_by_register(struct nt_party *party, struct nt_party *peer)
{
	struct nt_binding *nb = nt_find_between(party, peer);

	return nb && !nb->on_worker;
}

/* Let percpu allocations fail until a binding needs a new chunk of call counts. */
static void counts_find_no_memory(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *provider = nt_provider(nt), *client;
	int bindings = 0;

	nt_join_npi(provider);
	begin_faults(current, 1, INT_MAX);
	WRITE_ONCE(faults.percpu, true);
	do {
		client = nt_client(nt);
		nt_join_npi(client);
	} while (offered_by_register(client, provider) && ++bindings < 200);
	KUNIT_EXPECT_GE(test, end_faults(), 1);
	nt_await(nt, bound(client, provider));
	KUNIT_EXPECT_TRUE(test, nt_find(nt, client, provider)->on_worker);
}

/* Offers that workers make */

/* Register a client that defers its first offer. */
static struct nt_party *deferred_client(struct nt *nt)
{
	struct nt_party *client = nt_client(nt);

	client->at[NT_C_ATTACH].first = -EPROBE_DEFER;
	client->at[NT_C_ATTACH].nfirst = 1;
	nt_join_npi(client);
	return client;
}

static int try_to_reoffer(struct nt *nt, struct nt_party *provider, int n)
{
	struct nt_party *client = deferred_client(nt);
	int failed;

	nt_watch_log(nt);
	begin_faults(NULL, n, n);
	KUNIT_EXPECT_EQ(nt->test, nt_reoffer(client), 0);
	nt_await(nt, bound(client, provider));
	directory_comes(nt, nt_find_between(client, provider), 0);
	failed = end_faults();
	nt_watched_lines(nt);
	KUNIT_EXPECT_EQ(nt->test, nt_entered(client, NT_C_ATTACH), 2);
	nt_leave(client);
	return failed;
}

static void reoffer_finds_no_memory(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *provider = nt_provider(nt);
	int n = 1;

	nt_join_npi(provider);
	while (try_to_reoffer(nt, provider, n))
		n++;
	/* Binding, pair, directory, files and links. */
	KUNIT_EXPECT_GE(test, n, 14);
}

/* Free the slot of a client, and expect the offer that was withheld. */
static int try_to_offer_withheld(struct nt *nt, struct nt_party *provider, int n)
{
	struct nt_party *client = nt_client(nt), *next = nt_provider(nt);
	int failed;

	client->max_bindings = 1;
	nt_join_npi(client);
	nt_join_npi(next);
	nt_watch_log(nt);
	begin_faults(NULL, n, n);
	nmr_detach_binding(nt_find(nt, client, provider)->b, NMR_DETACH_ABORT);
	nt_await(nt, bound(client, next));
	directory_comes(nt, nt_find_between(client, next), 0);
	failed = end_faults();
	nt_watched_lines(nt);
	KUNIT_EXPECT_EQ(nt->test, nt_entered(client, NT_C_ATTACH), 2);
	nt_leave(next);
	nt_leave(client);
	return failed;
}

static void withheld_offer_finds_no_memory(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *provider = nt_provider(nt);
	int n = 1;

	nt_join_npi(provider);
	while (try_to_offer_withheld(nt, provider, n))
		n++;
	KUNIT_EXPECT_GE(test, n, 14);
}

/* How often the registrar has retried offers after allocation failures, and where it did last. */
static atomic_t retries;
static int retry_cpu;

static bool count_retry(struct pt_regs *regs)
{
	WRITE_ONCE(retry_cpu, raw_smp_processor_id());
	atomic_inc(&retries);
	return false;
}

static struct nt_detour retry_detour = {
	.function	= "nmr_retry",
	.take		= count_retry,
};

static void end_retries(struct kunit_resource *res)
{
	end_faults();
	nt_detour_end(&retry_detour);
}

static int begin_retries(struct kunit_resource *res, void *context)
{
	res->data = &retry_detour;
	atomic_set(&retries, 0);
	return nt_detour_begin(&retry_detour);
}

/* Expect that workers retry, and make no offer, while their allocations fail. */
static void expect_retries(struct kunit *test, struct nt_party *client)
{
	int offers = nt_entered(client, NT_C_ATTACH), n, ret;

	ret = read_poll_timeout(atomic_read, n, n >= 4, USEC_PER_MSEC,
				jiffies_to_usecs(NT_TIMEOUT), false, &retries);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_GE(test, atomic_read(&faults.failed), n - 1);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), offers);
	end_faults();
}

/* Let all allocations of workers fail for a while, and expect the offer afterwards. */
static void workers_find_no_memory_for_a_while(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *provider = nt_provider(nt), *client;

	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, begin_retries, end_retries,
							 GFP_KERNEL, NULL));
	nt_join_npi(provider);
	client = deferred_client(nt);
	begin_faults(NULL, 1, INT_MAX);
	KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
	expect_retries(test, client);
	nt_await(nt, bound(client, provider));
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 2);
}

/* Let them fail likewise for an offer that was withheld. */
static void withheld_offer_finds_no_memory_for_a_while(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *first = nt_provider(nt);
	struct nt_party *next = nt_provider(nt);

	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, begin_retries, end_retries,
							 GFP_KERNEL, NULL));
	client->max_bindings = 1;
	nt_join_npi(first);
	nt_join_npi(client);
	nt_join_npi(next);
	begin_faults(NULL, 1, INT_MAX);
	nmr_detach_binding(nt_find(nt, client, first)->b, NMR_DETACH_ABORT);
	expect_retries(test, client);
	nt_await(nt, bound(client, next));
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 2);
}

static void end_binding_detour(struct kunit_resource *res)
{
	end_faults();
	nt_detour_end(&binding_detour);
}

static int begin_binding_detour(struct kunit_resource *res, void *context)
{
	res->data = &binding_detour;
	return nt_detour_begin(&binding_detour);
}

static int register_without_a_binding(void *party)
{
	begin_faults(current, 1, 1);
	WRITE_ONCE(faults.binding, true);
	return nt_register(party);
}

/* The CPU does not idle until the retry: the timers of an idle CPU expire on other CPUs. */
static int register_without_memory(void *party)
{
	unsigned long deadline = jiffies + NT_TIMEOUT;
	int err;

	begin_faults(current, 1, INT_MAX);
	WRITE_ONCE(faults.binding, true);
	err = nt_register(party);
	end_faults();
	while (!atomic_read(&retries) && time_before(jiffies, deadline))
		cond_resched();
	return err;
}

/* Let the offers of a register call on an isolated CPU fail, and expect a retry on another CPU. */
static void isolated_cpu_runs_no_retry(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	int isolated = nt_isolated_cpu();
	struct nt_thread *thread;

	if (isolated < 0)
		kunit_skip(test, "wants an isolated CPU");
	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, begin_retries, end_retries,
							 GFP_KERNEL, NULL));
	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, begin_binding_detour,
							 end_binding_detour, GFP_KERNEL, NULL));
	nt_join_npi(provider);
	thread = nt_spawn_on(nt, isolated, register_without_memory, client);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	nt_await(nt, bound(client, provider));
	KUNIT_EXPECT_EQ(test, atomic_read(&retries), 1);
	KUNIT_EXPECT_NE(test, retry_cpu, isolated);
}

/*
 * Let the first offer of a register call fail to allocate, so that a scan makes it later.
 * Meanwhile the register call walks on to other providers. The scan must leave these
 * offers to the register call, so that each is made once.
 */
static void scan_leaves_an_offer_on_its_way(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *lost = nt_provider(nt);
	struct nt_party *stop = nt_provider(nt), *last = nt_provider(nt);
	struct nt_thread *thread;

	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, begin_binding_detour,
							 end_binding_detour, GFP_KERNEL,
							 NULL));
	nt_join_npi(lost);
	nt_join_npi(stop);
	nt_join_npi(last);
	nt_hold(stop, NT_P_ATTACH);
	thread = nt_spawn(nt, register_without_a_binding, client);
	nt_await(nt, nt_entered(stop, NT_P_ATTACH) == 1);
	nt_await(nt, bound(client, lost));
	nt_settle(nt);
	KUNIT_EXPECT_TRUE(test, nt_find(nt, client, lost)->on_worker);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 2);
	nt_release(stop, NT_P_ATTACH);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_FALSE(test, nt_find(nt, client, last)->on_worker);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 3);
}

/* Operations that allocate nothing */

/* Enter, exit, deregister, complete and wait while all allocations fail. */
static void leaving_allocates_nothing(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	struct nt_party *leaver = party[nt_param_side(test)];
	struct nt_binding *nb = nt_pair(nt, party[NMR_CLIENT], party[NMR_PROVIDER]);
	enum nmr_side side;

	party[NMR_CLIENT]->at[NT_C_DETACH].ret = -EINPROGRESS;
	party[NMR_PROVIDER]->at[NT_P_DETACH].ret = -EINPROGRESS;
	begin_faults(current, 1, INT_MAX);
	for (side = 0; side < NMR_SIDES; side++)
		KUNIT_EXPECT_TRUE(test, nt_enter(nb, side));
	KUNIT_EXPECT_EQ(test, nt_deregister(leaver), -EINPROGRESS);
	KUNIT_EXPECT_TRUE(test, nt_wait_until(nt, nt_returned(party[NMR_PROVIDER],
							      NT_P_DETACH)));
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(leaver, 1), -ETIMEDOUT);
	for (side = 0; side < NMR_SIDES; side++) {
		nt_exit(nb, side);
		nt_complete(nb, side);
	}
	KUNIT_EXPECT_EQ(test, nt_wait(leaver), 0);
	end_faults();
	KUNIT_EXPECT_EQ(test, atomic_read(&faults.seen), 0);
}

/* Deregister while all allocations of workers fail, and expect the wait to end. */
static void bindings_end_without_memory(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *leaver = nt_party(nt, nt_param_side(test));
	unsigned long before;
	int i;

	for (i = 0; i < 2 * PEERS; i++)
		nt_join_npi(nt_party(nt, nt_peer(nt_param_side(test))));
	before = directories();
	nt_join_npi(leaver);
	KUNIT_EXPECT_EQ(test, directories(), before + 1 + 2 * PEERS);
	begin_faults(NULL, 1, INT_MAX);
	nt_leave(leaver);
	end_faults();
	KUNIT_EXPECT_EQ(test, directories(), before);
}

static struct kunit_case nmr_fault_cases[] = {
	NT_CASE_PARAM_SLOW(first_of_its_npi_finds_no_memory, nt_side_gen_params),
	NT_CASE_PARAM_SLOW(register_finds_no_memory, nt_side_gen_params),
	NT_CASE_PARAM_SLOW(memory_runs_out_in_register, nt_side_gen_params),
	KUNIT_CASE_SLOW(counts_find_no_memory),
	KUNIT_CASE_SLOW(reoffer_finds_no_memory),
	KUNIT_CASE_SLOW(withheld_offer_finds_no_memory),
	KUNIT_CASE_SLOW(workers_find_no_memory_for_a_while),
	KUNIT_CASE_SLOW(withheld_offer_finds_no_memory_for_a_while),
	KUNIT_CASE(isolated_cpu_runs_no_retry),
	KUNIT_CASE_SLOW(scan_leaves_an_offer_on_its_way),
	NT_CASE_PARAM_SLOW(leaving_allocates_nothing, nt_side_gen_params),
	NT_CASE_PARAM_SLOW(bindings_end_without_memory, nt_side_gen_params),
	{}
};

static struct kunit_suite nmr_fault_suite = {
	.name = "nmr_fault",
	.init = fault_init,
	.test_cases = nmr_fault_cases,
};

kunit_test_suite(nmr_fault_suite);
