// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unrelated registrations do not wait for each other (promise 8): a task that sleeps in
 * the kernel must not delay registrations that do not depend on it.
 *
 * A pause makes one call of a function sleep until the case ends the pause: the call is
 * that of a reader in a show function, an allocation, or a step of the registrar. Cases
 * of other promises that need a task stopped there, not in a callback, are here as well.
 */
#include <kunit/test.h>
#include <linux/delay.h>
#include <linux/freezer.h>
#include <linux/gfp.h>
#include <linux/iopoll.h>
#include <linux/kobject.h>
#include <linux/limits.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "detour.h"
#include "files.h"
#include "harness.h"

struct nmr_callback;
struct nmr_registration;

/* Pauses */

/*
 * The call that sleeps: number @nth of the calls by @task, or by all workers if @task is
 * NULL. @detour names the function, which itself runs when the pause has ended.
 */
static struct {
	struct nt *nt;
	struct nt_detour *detour;
	struct task_struct *task;
	int nth;
	atomic_t seen;
	bool on;
	bool reached;
	bool go;
	bool left;
} pause;

static bool pause_is_due(void)
{
	/* Pairs with the release in begin_pause(). */
	if (!smp_load_acquire(&pause.on) || in_serving_softirq())
		return false;
	if (pause.task ? current != pause.task : !(current->flags & PF_WQ_WORKER))
		return false;
	return atomic_inc_return(&pause.seen) == pause.nth;
}

static bool take_pause(struct pt_regs *regs)
{
	return pause_is_due();
}

/* Skip allocations of the kernel's debugging (_NORETRY) and of the harness (_NOFAIL). */
static bool take_slab_pause(struct pt_regs *regs)
{
	gfp_t gfp = (__force gfp_t)regs_get_kernel_argument(regs, 1);

	return gfpflags_allow_blocking(gfp) && !(gfp & (__GFP_NORETRY | __GFP_NOFAIL)) &&
	       pause_is_due();
}

/* Sleep. Return: the function that was to be called. */
static void *sleep_in_pause(void)
{
	void *function = pause.detour->kp.addr;

	WRITE_ONCE(pause.reached, true);
	nt_kick(pause.nt);
	wait_event(pause.nt->wait, READ_ONCE(pause.go));
	/* Pairs with the acquire in end_detour(): this task uses nt no more. */
	smp_store_release(&pause.left, true);
	return function;
}

static ssize_t slow_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	ssize_t (*show)(struct kobject *kobj, struct attribute *attr, char *buf);

	show = sleep_in_pause();
	return show(kobj, attr, buf);
}

static int slow_slab(struct kmem_cache *cache, gfp_t gfp)
{
	sleep_in_pause();
	return 0;
}

static struct nmr_binding *slow_binding_alloc(void)
{
	typeof(slow_binding_alloc) *alloc = sleep_in_pause();

	return alloc();
}

static struct nmr_binding *late_no_binding(void)
{
	sleep_in_pause();
	return NULL;
}

static void slow_work(struct work_struct *work)
{
	void (*fn)(struct work_struct *work) = sleep_in_pause();

	fn(work);
}

static int slow_uevent(struct kobject *kobj, enum kobject_action action)
{
	int (*uevent)(struct kobject *kobj, enum kobject_action action) = sleep_in_pause();

	return uevent(kobj, action);
}

static void slow_rest(void)
{
	typeof(slow_rest) *rest = sleep_in_pause();

	rest();
}

static void slow_forget_all(struct nmr_registration *reg)
{
	void (*forget_all)(struct nmr_registration *reg) = sleep_in_pause();

	forget_all(reg);
}

static bool slow_queue_work(struct workqueue_struct *wq, struct work_struct *work)
{
	bool (*queue)(struct workqueue_struct *wq, struct work_struct *work) = sleep_in_pause();

	return queue(wq, work);
}

/* Take the calls that queue the reaping of bindings. */
static bool take_reap_pause(struct pt_regs *regs)
{
	struct work_struct *work = (struct work_struct *)regs_get_kernel_argument(regs, 1);
	char function[sizeof("nmr_reap_work")];		/* cuts off " [nmr]" */

	snprintf(function, sizeof(function), "%ps", work->func);
	return !strcmp(function, "nmr_reap_work") && pause_is_due();
}

static void *slow_xa_erase(struct xarray *xa, unsigned long index)
{
	void *(*erase)(struct xarray *xa, unsigned long index) = sleep_in_pause();

	return erase(xa, index);
}

static void slow_callback(struct nmr_callback *cb, struct nmr_binding *b)
{
	void (*callback)(struct nmr_callback *cb, struct nmr_binding *b) = sleep_in_pause();

	callback(cb, b);
}

enum place {
	IN_SHOW, IN_SLAB, IN_BINDING_ALLOC, WITHOUT_BINDING, IN_OFFER_WORK, IN_BINDING_WORK,
	IN_UEVENT, IN_SCAN, IN_FORGET_ALL, IN_XA_ERASE, IN_CALLBACK_BEGIN, IN_CALLBACK_END,
	IN_REAP_QUEUE, IN_LAST_PUT
};

/* The registrar puts its reference to a binding, in an RCU callback. */
static struct {
	struct nt_binding *nb;
	bool delayed;	/* a reader delays the grace period before the callback */
	bool go;	/* no longer */
	bool putting;	/* the callback has begun */
	bool reading;	/* a read-side section has begun since */
	bool ended;	/* the callback waits for a reader no longer */
} last_put;

/* Hold the callback until there is a reader that its grace period has not waited for. */
static bool take_last_put(struct pt_regs *regs)
{
	u64 end = ktime_get_mono_fast_ns() + 10ULL * NSEC_PER_SEC;

	WRITE_ONCE(last_put.putting, true);
	while (!READ_ONCE(last_put.reading) && ktime_get_mono_fast_ns() < end)
		udelay(1);
	WRITE_ONCE(last_put.ended, true);
	return false;
}

static struct nt_detour places[] = {
	[IN_SHOW]	    = { "kobj_attr_show", NULL, slow_show, take_pause },
	[IN_SLAB]	    = { "should_failslab", NULL, slow_slab, take_slab_pause },
	[IN_BINDING_ALLOC]  = { "nmr_binding_alloc", NULL, slow_binding_alloc, take_pause },
	[WITHOUT_BINDING]   = { "nmr_binding_alloc", NULL, late_no_binding, take_pause },
	[IN_OFFER_WORK]	    = { "nmr_registration_work", NULL, slow_work, take_pause },
	[IN_BINDING_WORK]   = { "nmr_binding_work", NULL, slow_work, take_pause },
	[IN_UEVENT]	    = { "kobject_uevent", NULL, slow_uevent, take_pause },
	[IN_SCAN]	    = { "nmr_scan_rest", NULL, slow_rest, take_pause },
	[IN_FORGET_ALL]	    = { "nmr_pair_forget_all", NULL, slow_forget_all, take_pause },
	[IN_XA_ERASE]	    = { "xa_erase", NULL, slow_xa_erase, take_pause },
	[IN_CALLBACK_BEGIN] = { "nmr_callback_begin", NULL, slow_callback, take_pause },
	[IN_CALLBACK_END]   = { "nmr_callback_end", NULL, slow_callback, take_pause },
	[IN_REAP_QUEUE]	    = { "nmr_queue_work", NULL, slow_queue_work, take_reap_pause },
	[IN_LAST_PUT]	    = { "nmr_binding_drop_rcu", NULL, NULL, take_last_put },
};

static void begin_pause(struct task_struct *task, int nth)
{
	pause.task = task;
	pause.nth = nth;
	pause.reached = false;
	pause.go = false;
	pause.left = false;
	atomic_set(&pause.seen, 0);
	/* Pairs with the acquire in pause_is_due(). */
	smp_store_release(&pause.on, true);
}

static bool paused(void)
{
	return READ_ONCE(pause.reached);
}

static void end_pause(void)
{
	WRITE_ONCE(pause.on, false);
	WRITE_ONCE(pause.go, true);
	nt_kick(pause.nt);
}

static void end_detour(struct kunit_resource *res)
{
	end_pause();
	/* Pairs with the release in sleep_in_pause(). */
	while (READ_ONCE(pause.reached) && !smp_load_acquire(&pause.left))
		schedule_timeout_uninterruptible(1);
	nt_detour_end(pause.detour);
}

static int begin_detour(struct kunit_resource *res, void *detour)
{
	res->data = detour;
	return nt_detour_begin(detour);
}

/* Detour a function for the rest of the case. */
static void pause_in(struct kunit *test, enum place place)
{
	pause.nt = test->priv;
	pause.detour = &places[place];
	pause.on = false;
	pause.reached = false;
	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, begin_detour, end_detour,
							 GFP_KERNEL, pause.detour));
}

/* Expect that two parties of another NPI can register, attach and leave. */
static void expect_others_come_and_go(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);

	nt_move_to_new_npi(client, provider);
	nt_pair(nt, client, provider);
	nt_leave(provider);
	nt_leave(client);
}

/* Readers of sysfs */

struct read {
	char path[NT_NAME_SIZE];
};

static int read_thread(void *arg)
{
	struct read *read = arg;
	char value[NT_VALUE_SIZE];

	begin_pause(current, 1);
	nt_read(read->path, value);
	return 0;
}

static struct nt_thread *sleep_inside(struct nt *nt, struct read *read)
{
	struct nt_thread *thread = nt_spawn(nt, read_thread, read);

	nt_await(nt, paused());
	return thread;
}

/* More bindings than a worker handles at a time, and once more. */
#define CROWD	130

static void join_crowd(struct nt *nt, struct nt_party *provider,
		       struct nt_party *client[CROWD])
{
	int i;

	nt_join_npi(provider);
	for (i = 0; i < CROWD; i++) {
		client[i] = nt_client(nt);
		nt_pair(nt, client[i], provider);
	}
}

/*
 * Let a task sleep in a file of one binding of a provider. The two sides of the binding
 * wait for the task. Other clients of the provider and unrelated registrations can leave,
 * also while the provider leaves with all its bindings.
 */
static void reader_of_a_binding_delays_no_other(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *provider = nt_provider(nt), *client[CROWD];
	struct read *read = nt_zalloc(nt, sizeof(*read));
	struct nt_thread *reader;

	pause_in(test, IN_SHOW);
	join_crowd(nt, provider, client);
	nt_binding_path(nt_find(nt, client[0], provider), "state", read->path);
	reader = sleep_inside(nt, read);
	expect_others_come_and_go(test);
	nt_leave(client[1]);
	KUNIT_EXPECT_EQ(test, nt_deregister(provider), -EINPROGRESS);
	nt_await(nt, nt_entered(provider, NT_P_CLEANUP) == CROWD);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_deregister(client[0]), -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(client[0], 1), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(provider, 1), -ETIMEDOUT);
	KUNIT_EXPECT_FALSE(test, nt_finished(reader));
	end_pause();
	KUNIT_EXPECT_EQ(test, nt_join(reader), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(client[0]), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
}

/* Let a task sleep in a file of a registration, and expect this registration alone to wait. */
static void reader_of_a_registration_delays_no_other(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *leaver = nt_party(nt, nt_param_side(test));
	struct nt_party *peer[2] = {
		nt_party(nt, nt_peer(leaver->side)), nt_party(nt, nt_peer(leaver->side))
	};
	struct read *read = nt_zalloc(nt, sizeof(*read));
	struct nt_thread *reader;

	pause_in(test, IN_SHOW);
	nt_join_npi(peer[0]);
	nt_join_npi(peer[1]);
	nt_join_npi(leaver);
	nt_party_path(leaver, "state", read->path);
	reader = sleep_inside(nt, read);
	expect_others_come_and_go(test);
	KUNIT_EXPECT_EQ(test, nt_deregister(leaver), -EINPROGRESS);
	nt_leave(peer[0]);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(leaver, 1), -ETIMEDOUT);
	nt_leave(peer[1]);
	KUNIT_EXPECT_FALSE(test, nt_finished(reader));
	end_pause();
	KUNIT_EXPECT_EQ(test, nt_join(reader), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(leaver), 0);
}

/* Allocations that sleep */

static int register_thread(void *party)
{
	begin_pause(current, pause.nth);
	return nt_register(party);
}

static struct nt_thread *begin_slow_register(struct nt_party *party, int nth)
{
	struct nt *nt = party->nt;
	struct nt_thread *thread;

	pause.reached = false;
	pause.nth = nth;
	thread = nt_spawn(nt, register_thread, party);
	nt_await(nt, paused() || nt_finished(thread));
	return thread;
}

/* Register with a sleep in allocation @nth. Return: whether there was such an allocation. */
static bool try_slow_allocation(struct kunit *test, struct nt_party *party, int nth)
{
	struct nt *nt = test->priv;
	struct nt_party *same = nt_party(nt, party->side);
	struct nt_party *peer = nt_party(nt, nt_peer(party->side));
	struct nt_thread *thread = begin_slow_register(party, nth);
	bool slept = paused();

	if (slept) {
		nt_join_npi(same);
		nt_join_npi(peer);
		nt_leave(same);
		nt_leave(peer);
		expect_others_come_and_go(test);
		KUNIT_EXPECT_FALSE(test, nt_finished(thread));
	}
	end_pause();
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	nt_leave(party);
	return slept;
}

/* Let each allocation of a register call sleep once. */
static void slow_register_call_delays_no_other(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side = nt_param_side(test);
	int n = 1;

	pause_in(test, IN_SLAB);
	nt_join_npi(nt_party(nt, nt_peer(side)));
	while (try_slow_allocation(test, nt_party(nt, side), n))
		n++;
	/* Registration, directory, files, binding, pair, and the binding's directory. */
	KUNIT_EXPECT_GT(test, n, 12);
}

/*
 * Register with a sleep in allocation @nth, and meanwhile register the peer, so that two
 * tasks look for the same new NPI. Return: whether there was such an allocation.
 */
static bool try_to_meet(struct kunit *test, int nth)
{
	struct nt *nt = test->priv;
	struct nt_party *party = nt_party(nt, nt_param_side(test));
	struct nt_party *peer = nt_party(nt, nt_peer(party->side));
	struct nt_party *client = party->side == NMR_CLIENT ? party : peer;
	struct nt_thread *thread;
	bool slept;

	nt_move_to_new_npi(party, peer);
	thread = begin_slow_register(party, nth);
	slept = paused();
	nt_join_npi(peer);
	end_pause();
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, NT_TIMEOUT), 0);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 1);
	nt_leave(peer);
	nt_leave(party);
	return slept;
}

/* Let two register calls find no NPI with their id, and expect them to share one. */
static void two_make_one_npi(struct kunit *test)
{
	int n = 1;

	pause_in(test, IN_SLAB);
	while (try_to_meet(test, n))
		n++;
	KUNIT_EXPECT_GT(test, n, 8);
}

/*
 * Register with a sleep in allocation @nth, and meanwhile write to a file of the
 * registration. Count @written if the file existed. Return: whether there was such an
 * allocation.
 */
static bool try_to_reoffer(struct kunit *test, int nth, int *written)
{
	struct nt *nt = test->priv;
	struct nt_party *before = nt_party(nt, nt_param_side(test));
	struct nt_party *party = nt_party(nt, before->side);
	struct nt_party *next = nt_party(nt, before->side);
	char path[NT_NAME_SIZE];
	struct nt_thread *thread;
	ssize_t ret;
	bool slept;

	nt_join_npi(before);
	nt_leave(before);
	next->client.id = before->client.id + 1;
	nt_party_path(next, "reoffer", path);
	thread = begin_slow_register(party, nth);
	slept = paused();
	ret = nt_write(path, "all");
	*written += ret == 3;
	KUNIT_EXPECT_TRUE(test, ret == 3 || ret == -ENOENT);
	end_pause();
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_EQ(test, party->client.id, next->client.id);
	nt_leave(party);
	return slept;
}

/* Write to files of a registration that has not joined its NPI: this has no effect. */
static void files_are_there_before_the_registration(struct kunit *test)
{
	int n = 1, written = 0;

	pause_in(test, IN_SLAB);
	while (try_to_reoffer(test, n, &written))
		n++;
	KUNIT_EXPECT_GT(test, written, 1);
}

/* Let a worker that makes an offer sleep in the allocation of the binding. */
static void slow_scan_delays_no_other(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);

	pause_in(test, IN_BINDING_ALLOC);
	client->at[NT_C_ATTACH].first = -EPROBE_DEFER;
	client->at[NT_C_ATTACH].nfirst = 1;
	nt_join_npi(provider);
	nt_join_npi(client);
	begin_pause(NULL, 1);
	KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
	nt_await(nt, paused());
	/* Other parties come and go, and their re-offers are made. */
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 1);
	end_pause();
	nt_await(nt, nt_returned(client, NT_C_ATTACH) == 2);
}

/* How often an offer was put off after an allocation failure. */
static atomic_t retries;

static bool count_retry(struct pt_regs *regs)
{
	struct delayed_work *dwork =
		(struct delayed_work *)regs_get_kernel_argument(regs, 2);
	char function[sizeof("nmr_retry")];	/* cuts off " [nmr]" */

	snprintf(function, sizeof(function), "%ps", dwork->work.func);
	if (!strcmp(function, "nmr_retry"))
		atomic_inc(&retries);
	return false;
}

static struct nt_detour put_off = { "queue_delayed_work_on", NULL, NULL, count_retry };

static void end_retries(struct kunit_resource *res)
{
	nt_detour_end(&put_off);
}

static int begin_retries(struct kunit_resource *res, void *context)
{
	res->data = &put_off;
	atomic_set(&retries, 0);
	return nt_detour_begin(&put_off);
}

/*
 * Let a client leave while a scan allocates a binding for it, which fails. The registrar
 * must not retry the offer, whether it was withheld or deferred before.
 */
static void scan_finds_no_memory_and_no_client(struct kunit *test)
{
	bool deferred = nt_param_side(test) == NMR_PROVIDER;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *first = nt_provider(nt);

	pause_in(test, WITHOUT_BINDING);
	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, begin_retries, end_retries,
							 GFP_KERNEL, NULL));
	client->max_bindings = 1;
	if (deferred)
		first->at[NT_P_ATTACH].ret = -EPROBE_DEFER;
	nt_join_npi(first);
	nt_join_npi(client);
	if (!deferred)
		nt_join_npi(nt_provider(nt));
	nt_settle(nt);
	begin_pause(NULL, 1);
	if (deferred)
		KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
	else
		nmr_detach_binding(nt_find(nt, client, first)->b, NMR_DETACH_ABORT);
	nt_await(nt, paused());
	KUNIT_EXPECT_EQ(test, nt_deregister(client), -EINPROGRESS);
	end_pause();
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, atomic_read(&retries), 0);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 1);
}

/* Let the client leave likewise while its own register call allocates. */
static void register_call_finds_no_memory_and_no_client(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_thread *thread;

	pause_in(test, WITHOUT_BINDING);
	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, begin_retries, end_retries,
							 GFP_KERNEL, NULL));
	nt_join_npi(nt_provider(nt));
	nt_join_npi(nt_provider(nt));
	thread = begin_slow_register(client, 1);
	KUNIT_ASSERT_TRUE(test, paused());
	KUNIT_EXPECT_EQ(test, nt_deregister(client), -EINPROGRESS);
	end_pause();
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, atomic_read(&retries), 0);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 0);
}

/*
 * Withhold offers because a client is full, in the register calls of either side. No
 * allocation has failed, so the registrar must not retry them.
 */
static void offer_to_a_full_client_is_not_retried(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);

	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, begin_retries, end_retries,
							 GFP_KERNEL, NULL));
	client->max_bindings = 1;
	nt_join_npi(nt_provider(nt));
	nt_join_npi(nt_provider(nt));
	nt_join_npi(client);
	nt_join_npi(nt_provider(nt));
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&retries), 0);
}

/* Events beside offers */

/*
 * Stop a provider after it has joined its NPI, before it looks for deferred pairs. A pair
 * that is deferred meanwhile has seen the provider, so the arrival is no event for it.
 */
static void arrival_before_the_offer_is_no_event(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *defers = nt_provider(nt);
	struct nt_party *newcomer = nt_provider(nt);
	struct nt_thread *thread;

	pause_in(test, IN_UEVENT);
	defers->at[NT_P_ATTACH].ret = -EPROBE_DEFER;
	nt_join_npi(defers);
	thread = begin_slow_register(newcomer, 1);
	KUNIT_ASSERT_TRUE(test, paused());
	nt_join_npi(client);
	KUNIT_EXPECT_EQ(test, nt_entered(defers, NT_P_ATTACH), 1);
	end_pause();
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(defers, NT_P_ATTACH), 1);
	KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
	nt_await(nt, nt_returned(defers, NT_P_ATTACH) == 2);
}

/* Write "all", and then ask for less, before the scan has begun. */
static void less_does_not_take_back_all(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	char path[NT_NAME_SIZE];

	pause_in(test, IN_OFFER_WORK);
	party[NMR_CLIENT]->at[NT_C_ATTACH].first = -ENODEV;
	party[NMR_CLIENT]->at[NT_C_ATTACH].nfirst = 1;
	nt_join_npi(party[NMR_CLIENT]);
	nt_join_npi(party[NMR_PROVIDER]);
	nt_settle(nt);
	nt_party_path(party[side], "reoffer", path);
	begin_pause(NULL, 1);
	KUNIT_EXPECT_EQ(test, nt_write(path, "all"), (ssize_t)3);
	nt_await(nt, paused());
	KUNIT_EXPECT_EQ(test, nt_write(path, "deferred"), (ssize_t)8);
	KUNIT_EXPECT_EQ(test, nt_reoffer(party[side]), 0);
	end_pause();
	nt_await(nt, nt_returned(party[NMR_PROVIDER], NT_P_ATTACHED) == 1);
}

static bool a_pair_is_aborted(void)
{
	char text[2 * NT_VALUE_SIZE];

	return nt_read_lines("nmr/pairs", text, sizeof(text)) > 0 && strstr(text, "aborted");
}

/*
 * Let a worker that forgives the pairs of a provider pause. Meanwhile the abort of a pair that the
 * worker has not reached ends. The worker must find the pair nevertheless.
 */
static void all_reaches_a_pair_that_ends_meanwhile(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *provider = nt_provider(nt), *client[CROWD], *last;
	char path[NT_NAME_SIZE];
	bool aborted;

	pause_in(test, IN_SCAN);
	join_crowd(nt, provider, client);
	last = client[CROWD - 1];
	nt_hold(last, NT_C_CLEANUP);
	nmr_detach_binding(nt_find(nt, last, provider)->b, NMR_DETACH_ABORT);
	nt_await(nt, nt_entered(last, NT_C_CLEANUP) == 1);
	nt_party_path(provider, "reoffer", path);
	begin_pause(NULL, 1);
	KUNIT_EXPECT_EQ(test, nt_write(path, "all"), (ssize_t)3);
	nt_await(nt, paused());
	nt_release(last, NT_C_CLEANUP);
	KUNIT_EXPECT_EQ(test, 0, read_poll_timeout(a_pair_is_aborted, aborted, aborted,
						   USEC_PER_MSEC, jiffies_to_usecs(NT_TIMEOUT),
						   false));
	end_pause();
	nt_await(nt, nt_returned(last, NT_C_ATTACH) == 2);
}

/*
 * Let a party leave after an offer was made and before its attach has begun. The client
 * must not be asked.
 */
static void party_leaves_between_offer_and_attach(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };

	pause_in(test, IN_BINDING_WORK);
	party[NMR_CLIENT]->at[NT_C_ATTACH].first = -EPROBE_DEFER;
	party[NMR_CLIENT]->at[NT_C_ATTACH].nfirst = 1;
	nt_join_npi(party[NMR_CLIENT]);
	nt_join_npi(party[NMR_PROVIDER]);
	begin_pause(NULL, 1);
	KUNIT_EXPECT_EQ(test, nt_reoffer(party[NMR_CLIENT]), 0);
	nt_await(nt, paused());
	KUNIT_EXPECT_EQ(test, nt_deregister(party[side]), -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(party[side], 1), -ETIMEDOUT);
	end_pause();
	KUNIT_EXPECT_EQ(test, nt_wait(party[side]), 0);
	KUNIT_EXPECT_EQ(test, nt_entered(party[NMR_CLIENT], NT_C_ATTACH), 1);
	nt_leave(party[nt_peer(side)]);
}

/* Let a register call sleep in the event of a binding: the end of the binding waits for it. */
static void binding_is_announced_before_it_goes(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_thread *thread;
	struct nt_binding *nb;

	pause_in(test, IN_UEVENT);
	nt_join_npi(client);
	/* The first event of the call is that of the registration. */
	thread = begin_slow_register(provider, 2);
	KUNIT_ASSERT_TRUE(test, paused());
	nb = nt_find(nt, client, provider);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT), 0);
	nt_expect_draining(nb);
	end_pause();
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	nt_await(nt, nt_has_left(nb, NT_P_CLEANUP));
}

/*
 * Let a worker sleep after it has added a binding to the list of those to reap, and before it
 * queues the work. Other workers must queue it, so that neither this binding nor another one
 * waits.
 */
static void sleeper_that_queues_the_reaping_delays_none(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider[] = { nt_provider(nt), nt_provider(nt) };

	pause_in(test, IN_REAP_QUEUE);
	nt_join_npi(client);
	nt_join_npi(provider[0]);
	nt_join_npi(provider[1]);
	begin_pause(NULL, 1);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nt_find(nt, client, provider[0])->b,
						 NMR_DETACH_ABORT), 0);
	nt_await(nt, paused());
	nt_leave(client);
	end_pause();
}

/*
 * Ask for new offers while the other side of a deferred pair is about to finish, and the
 * record of the pair still exists.
 */
static void finishing_party_is_not_offered(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	char path[NT_NAME_SIZE];

	pause_in(test, IN_FORGET_ALL);
	party[NMR_PROVIDER]->at[NT_P_ATTACH].ret = -EPROBE_DEFER;
	nt_join_npi(party[NMR_CLIENT]);
	nt_join_npi(party[NMR_PROVIDER]);
	nt_settle(nt);
	begin_pause(NULL, 1);
	KUNIT_EXPECT_EQ(test, nt_deregister(party[side]), -EINPROGRESS);
	nt_await(nt, paused());
	KUNIT_EXPECT_EQ(test, nt_reoffer(party[nt_peer(side)]), 0);
	nt_settle(nt);
	nt_party_path(party[nt_peer(side)], "reoffer", path);
	KUNIT_EXPECT_EQ(test, nt_write(path, "all"), (ssize_t)3);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(party[side], 1), -ETIMEDOUT);
	end_pause();
	KUNIT_EXPECT_EQ(test, nt_wait(party[side]), 0);
	KUNIT_EXPECT_EQ(test, nt_entered(party[NMR_CLIENT], NT_C_ATTACH), 1);
	nt_leave(party[nt_peer(side)]);
}

/* Callbacks that do not run */

static atomic_t binding_works;

static bool count_binding_work(struct pt_regs *regs)
{
	atomic_inc(&binding_works);
	return false;
}

static struct nt_detour binding_work = {
	.function = "nmr_binding_work",
	.take	  = count_binding_work,
};

static void end_count(struct kunit_resource *res)
{
	nt_detour_end(&binding_work);
}

static int begin_count(struct kunit_resource *res, void *context)
{
	res->data = &binding_work;
	return nt_detour_begin(&binding_work);
}

struct lack {
	const char *name;
	unsigned long absent;
	int works;
};

static const struct lack lacks[] = {
	{ "all callbacks", 0, 2 },
	{ "no detach", BIT(NT_C_DETACH) | BIT(NT_P_DETACH), 1 },
	{ "no cleanup", BIT(NT_C_CLEANUP) | BIT(NT_P_CLEANUP), 1 },
	{ "only the client's cleanup",
	  BIT(NT_C_DETACH) | BIT(NT_P_DETACH) | BIT(NT_P_CLEANUP), 1 },
	{ "only the provider's cleanup",
	  BIT(NT_C_DETACH) | BIT(NT_P_DETACH) | BIT(NT_C_CLEANUP), 1 },
	{ "only the client's detach",
	  BIT(NT_P_DETACH) | BIT(NT_C_CLEANUP) | BIT(NT_P_CLEANUP), 1 },
	{ "only the provider's detach",
	  BIT(NT_C_DETACH) | BIT(NT_C_CLEANUP) | BIT(NT_P_CLEANUP), 1 },
	{ "none", BIT(NT_C_DETACH) | BIT(NT_P_DETACH) | BIT(NT_C_CLEANUP) |
	  BIT(NT_P_CLEANUP), 0 },
};

NT_PARAM(lack, lacks);

/*
 * Count the work items on the workqueue of callbacks that a binding needs until its end.
 * A binding without callbacks must need none, since the workers may all be asleep.
 */
static void binding_needs_workers_for_its_callbacks_alone(struct kunit *test)
{
	const struct lack *lack = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);

	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, begin_count, end_count,
							 GFP_KERNEL, NULL));
	client->absent = lack->absent;
	provider->absent = lack->absent;
	nt_pair(nt, client, provider);
	atomic_set(&binding_works, 0);
	nt_leave(client);
	KUNIT_EXPECT_EQ(test, atomic_read(&binding_works), lack->works);
}

static int just_attach_provider(struct nmr_binding *binding, void *client_context,
				const struct nmr_registration_instance *provider)
{
	return nmr_client_attach_provider(binding, NULL, NULL);
}

static int just_attach_client(struct nmr_binding *binding, void *provider_context,
			      const struct nmr_registration_instance *instance,
			      const struct nmr_endpoint *client, struct nmr_endpoint *provider)
{
	return 0;
}

static void just_attached(void *provider_binding_context)
{
}

/*
 * Have the registrar offer a second provider to a client when the first has left. Return: how
 * many work items that took on the workqueue of callbacks.
 */
static int works_of_offer(struct kunit *test, struct nmr_client_characteristics *c,
			  struct nmr_provider_characteristics *p)
{
	struct nmr_provider_handle provider[2];
	struct nmr_client_handle client;
	guid_t id;
	int i;

	guid_gen(&id);
	c->instance = (struct nmr_registration_instance){ .npi_id = &id, .module_id = &id };
	p->instance = c->instance;
	c->max_bindings = 1;
	KUNIT_ASSERT_EQ(test, nmr_register_client(c, NULL, &client), 0);
	for (i = 0; i < ARRAY_SIZE(provider); i++)
		KUNIT_ASSERT_EQ(test, nmr_register_provider(p, NULL, &provider[i]), 0);
	atomic_set(&binding_works, 0);
	nmr_deregister_provider_sync(provider[0]);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client, NT_TIMEOUT), 0);
	nmr_deregister_provider_sync(provider[1]);
	nmr_deregister_client_sync(client);
	return atomic_read(&binding_works);
}

/* Make an offer that calls no module. It must not wait for callbacks, which may all sleep. */
static void offer_needs_a_worker_for_its_callbacks_alone(struct kunit *test)
{
	struct nmr_client_characteristics c = {}, calling = {
		.attach_provider = just_attach_provider,
	};
	struct nmr_provider_characteristics p = {}, attaching = {
		.attach_client = just_attach_client,
	}, attached = {
		.client_attached = just_attached,
	};

	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, begin_count, end_count,
							 GFP_KERNEL, NULL));
	KUNIT_EXPECT_EQ(test, works_of_offer(test, &calling, &p), 1);
	KUNIT_EXPECT_EQ(test, works_of_offer(test, &c, &attaching), 1);
	KUNIT_EXPECT_EQ(test, works_of_offer(test, &c, &attached), 1);
	KUNIT_EXPECT_EQ(test, works_of_offer(test, &c, &p), 0);
}

/* The end of a registration */

struct finish {
	const char *name;
	enum place place;
	int wait;
};

static const struct finish finishes[] = {
	{ "not finished yet", IN_FORGET_ALL, -ETIMEDOUT },
	{ "leaves the table", IN_XA_ERASE, 0 },
};

NT_PARAM(finish, finishes);

/*
 * Wait for the same registration in two tasks. A wait that does not find a registration
 * returns 0, and the module may be unloaded. A registration must therefore be found until
 * the waits of all tasks return 0.
 */
static void registration_is_found_until_it_has_finished(struct kunit *test)
{
	const struct finish *finish = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *party = nt_client(nt);
	struct nt_thread *waiter;

	pause_in(test, finish->place);
	nt_hold(party, NT_C_CLEANUP);
	nt_pair(nt, party, nt_provider(nt));
	KUNIT_EXPECT_EQ(test, nt_deregister(party), -EINPROGRESS);
	waiter = nt_spawn(nt, nt_wait_thread, party);
	nt_await(nt, nt_entered(party, NT_C_CLEANUP) == 1);
	nt_await_idle(nt, waiter->task);
	begin_pause(NULL, 1);
	nt_release(party, NT_C_CLEANUP);
	nt_await(nt, paused());
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(party, 1), finish->wait);
	if (finish->wait)
		KUNIT_EXPECT_FALSE(test, nt_finished(waiter));
	else
		KUNIT_EXPECT_EQ(test, nt_join(waiter), 0);
	end_pause();
	KUNIT_EXPECT_EQ(test, nt_join(waiter), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(party), 0);
}

/* client_attached */

/*
 * Let a side leave after the client's attach callback has returned 0, before or after the
 * provider's gate opens.
 */
static void expect_client_attached(struct kunit *test, enum place place, int nth, int called)
{
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	struct nt_party *leaver = party[nt_param_side(test)];
	struct nt_thread *thread;
	struct nt_binding *nb;

	pause_in(test, place);
	nt_join_npi(party[NMR_CLIENT]);
	thread = begin_slow_register(party[NMR_PROVIDER], nth);
	KUNIT_ASSERT_TRUE(test, paused());
	nb = nt_find(nt, party[NMR_CLIENT], party[NMR_PROVIDER]);
	KUNIT_ASSERT_TRUE(test, nt_has_left(nb, NT_C_ATTACH));
	KUNIT_EXPECT_EQ(test, nt_open(nb, NMR_PROVIDER), called);
	KUNIT_EXPECT_EQ(test, nt_deregister(leaver), -EINPROGRESS);
	KUNIT_EXPECT_FALSE(test, nt_open(nb, NMR_PROVIDER));
	nt_settle(nt);
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_C_DETACH));
	KUNIT_EXPECT_FALSE(test, nt_was_at(nb, NT_P_ATTACHED));
	end_pause();
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_EQ(test, nt_wait(leaver), 0);
	KUNIT_EXPECT_EQ(test, nt_entered(party[NMR_PROVIDER], NT_P_ATTACHED), called);
	KUNIT_EXPECT_EQ(test, nt_entered(party[NMR_CLIENT], NT_C_DETACH), 1);
}

static void client_attached_follows_the_open_gate(struct kunit *test)
{
	/* client_attached is the second callback that this task calls. */
	expect_client_attached(test, IN_CALLBACK_BEGIN, 2, 1);
}

static void client_attached_is_not_called_after_leaving(struct kunit *test)
{
	expect_client_attached(test, IN_CALLBACK_END, 1, 0);
}

/* References */

static int delay_last_put(void *arg)
{
	rcu_read_lock();
	WRITE_ONCE(last_put.delayed, true);
	nt_kick(last_put.nb->nt);
	while (!READ_ONCE(last_put.go))
		cpu_relax();
	rcu_read_unlock();
	return 0;
}

/*
 * Use the pointer to the binding for a while, long enough for KASAN to see it freed. The grace
 * period that begins when the callback has ended waits for a section that finds it has not. A
 * section that begins later may find the binding freed, so it does not use the pointer.
 */
static int read_from_last_put(void *arg)
{
	unsigned long deadline = jiffies + NT_TIMEOUT;
	int opened = 0;

	while (!READ_ONCE(last_put.putting) && time_before(jiffies, deadline))
		cond_resched();
	rcu_read_lock();
	if (!READ_ONCE(last_put.ended)) {
		WRITE_ONCE(last_put.reading, true);
		deadline = jiffies + HZ / 10;
		while (time_before(jiffies, deadline))
			opened += nt_open(last_put.nb, NMR_CLIENT);
	}
	rcu_read_unlock();
	return opened;
}

/*
 * Take a reference to a binding: the task may publish the pointer then. The binding lives
 * until readers have finished that begin when the registrar puts the last reference. A reader
 * cannot begin on the CPU of the callback, so there are two.
 */
static void published_binding_lives_a_grace_period_more(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	int cpu = cpumask_first(cpu_online_mask);
	struct nt_thread *reader[2], *delay;
	int i;

	nt_needs_spinner(test);
	if (num_online_cpus() < 2)
		kunit_skip(test, "needs two CPUs that are online");
	memset(&last_put, 0, sizeof(last_put));
	nt_hold(provider, NT_P_CLEANUP);
	last_put.nb = nt_pair(nt, client, provider);
	nt_get(last_put.nb);
	nt_put(last_put.nb);
	nt_deregister(provider);
	nt_await(nt, nt_entered(provider, NT_P_CLEANUP) == 1);
	rcu_barrier();
	pause_in(test, IN_LAST_PUT);
	delay = nt_spawn_spinner(nt, delay_last_put, NULL);
	nt_await(nt, READ_ONCE(last_put.delayed));
	nt_release(provider, NT_P_CLEANUP);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
	schedule_timeout_uninterruptible(NT_RELEASE_DELAY);
	for (i = 0; i < ARRAY_SIZE(reader); i++) {
		reader[i] = nt_spawn_on(nt, cpu, read_from_last_put, NULL);
		cpu = cpumask_next(cpu, cpu_online_mask);
	}
	WRITE_ONCE(last_put.go, true);
	KUNIT_EXPECT_EQ(test, nt_join(delay), 0);
	for (i = 0; i < ARRAY_SIZE(reader); i++)
		KUNIT_EXPECT_EQ(test, nt_join(reader[i]), 0);
	KUNIT_EXPECT_TRUE(test, last_put.reading);
}

/* The freezer */

#ifdef CONFIG_FREEZER
/*
 * A task that waits. The freezer wakes it from its first sleep, and its second sleep is as
 * long as its timeout.
 */
static struct {
	struct task_struct *task;
	long timeout[2];	/* of each sleep */
	int sleeps;
	bool gives_up;		/* the freezer, before the task freezes */
	bool asked;		/* to freeze */
} sleeper;

static bool sleeps(struct pt_regs *regs)
{
	return current == READ_ONCE(sleeper.task) && sleeper.sleeps < ARRAY_SIZE(sleeper.timeout);
}

static void pass_time(void)
{
	unsigned long next = jiffies + 1;

	while (time_before(jiffies, next))
		cpu_relax();
}

/* Return as if the freezer had set TIF_SIGPENDING before the task slept. */
static long sleep_until_asked(long timeout)
{
	__set_current_state(TASK_RUNNING);
	sleeper.timeout[sleeper.sleeps++] = timeout;
	if (sleeper.sleeps == ARRAY_SIZE(sleeper.timeout))
		return 0;
	if (sleeper.gives_up)
		pass_time();
	else
		sleeper.asked = true;
	set_thread_flag(TIF_SIGPENDING);
	return timeout;
}

static bool is_asked(struct pt_regs *regs)
{
	return current == READ_ONCE(sleeper.task) && sleeper.asked;
}

static bool still_asked(struct task_struct *task)
{
	return true;
}

static bool thaw(bool check_kthr_stop)
{
	pass_time();
	sleeper.asked = false;
	return true;
}

static struct nt_detour freezer[] = {
	{ "schedule_timeout", NULL, sleep_until_asked, sleeps },
	{ "freezing_slow_path", NULL, still_asked, is_asked },
	{ "__refrigerator", NULL, thaw, is_asked },
};

static void end_freezer(struct kunit_resource *res)
{
	int i;

	static_branch_dec(&freezer_active);
	for (i = 0; i < ARRAY_SIZE(freezer); i++)
		nt_detour_end(&freezer[i]);
}

static int begin_freezer(struct kunit_resource *res, void *context)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(freezer); i++) {
		err = nt_detour_begin(&freezer[i]);
		if (err)
			goto out;
	}
	static_branch_inc(&freezer_active);
	res->data = freezer;
	return 0;

out:
	while (i--)
		nt_detour_end(&freezer[i]);
	return err;
}

struct freeze {
	const char *name;
	bool gives_up;
};

static const struct freeze freezes[] = { { "thaws" }, { "gives up", true } };

NT_PARAM(freeze, freezes);

/*
 * Freeze a task that waits for a binding, and expect that the wait goes on, and that its timeout
 * counts from the call.
 */
static void freeze_does_not_prolong_a_wait(struct kunit *test)
{
	const struct freeze *f = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);

	nt_join_npi(client);
	memset(&sleeper, 0, sizeof(sleeper));
	sleeper.gives_up = f->gives_up;
	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, begin_freezer, end_freezer,
							 GFP_KERNEL, NULL));
	WRITE_ONCE(sleeper.task, current);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(client->client, NT_TIMEOUT), -ETIMEDOUT);
	WRITE_ONCE(sleeper.task, NULL);
	KUNIT_EXPECT_EQ(test, sleeper.sleeps, 2);
	KUNIT_EXPECT_EQ(test, sleeper.timeout[0], (long)NT_TIMEOUT);
	KUNIT_EXPECT_LT(test, sleeper.timeout[1], sleeper.timeout[0]);
	KUNIT_EXPECT_FALSE(test, signal_pending(current));
}
#endif

static struct kunit_case nmr_delay_cases[] = {
	KUNIT_CASE(reader_of_a_binding_delays_no_other),
	KUNIT_CASE_PARAM(reader_of_a_registration_delays_no_other, nt_side_gen_params),
	NT_CASE_PARAM_SLOW(slow_register_call_delays_no_other, nt_side_gen_params),
	KUNIT_CASE_PARAM(two_make_one_npi, nt_side_gen_params),
	KUNIT_CASE_PARAM(files_are_there_before_the_registration, nt_side_gen_params),
	KUNIT_CASE(slow_scan_delays_no_other),
	KUNIT_CASE_PARAM(scan_finds_no_memory_and_no_client, nt_side_gen_params),
	KUNIT_CASE(register_call_finds_no_memory_and_no_client),
	KUNIT_CASE(offer_to_a_full_client_is_not_retried),
	KUNIT_CASE(arrival_before_the_offer_is_no_event),
	KUNIT_CASE_PARAM(less_does_not_take_back_all, nt_side_gen_params),
	KUNIT_CASE(all_reaches_a_pair_that_ends_meanwhile),
	KUNIT_CASE_PARAM(party_leaves_between_offer_and_attach, nt_side_gen_params),
	KUNIT_CASE(binding_is_announced_before_it_goes),
	KUNIT_CASE(sleeper_that_queues_the_reaping_delays_none),
	KUNIT_CASE_PARAM(finishing_party_is_not_offered, nt_side_gen_params),
	KUNIT_CASE(offer_needs_a_worker_for_its_callbacks_alone),
	KUNIT_CASE_PARAM(binding_needs_workers_for_its_callbacks_alone, lack_gen_params),
	KUNIT_CASE_PARAM(registration_is_found_until_it_has_finished, finish_gen_params),
	KUNIT_CASE_PARAM(client_attached_follows_the_open_gate, nt_side_gen_params),
	KUNIT_CASE_PARAM(client_attached_is_not_called_after_leaving, nt_side_gen_params),
	KUNIT_CASE(published_binding_lives_a_grace_period_more),
#ifdef CONFIG_FREEZER
	KUNIT_CASE_PARAM(freeze_does_not_prolong_a_wait, freeze_gen_params),
#endif
	{}
};

static struct kunit_suite nmr_delay_suite = {
	.name = "nmr_delay",
	.suite_init = nt_mount_files,
	.suite_exit = nt_unmount_files,
	.init = nt_init,
	.test_cases = nmr_delay_cases,
};

kunit_test_suite(nmr_delay_suite);
