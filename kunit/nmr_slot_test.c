// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slots: when a slot is filled and which provider it names, calls through it, the tasks that
 * wait for a provider, and the counts that one binding of a client leaves to the next.
 *
 * No test can stop a task between the two halves of nmr_slot_enter(), which is inline: the
 * count, and the look at whether the slot is open. So the cases of that race do by hand what
 * the function does: begin_enter() counts, and the case decides what comes before the rest.
 */
#include <kunit/test.h>
#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/iopoll.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched/signal.h>

#include "../module/gate.h"
#include "detour.h"
#include "files.h"
#include "harness.h"
#include "look.h"

/* The slot of most cases. Each case ends with the deregistration of the client that has it. */
DEFINE_NMR_SLOT(slot);

static struct nt_party *slot_client(struct nt *nt)
{
	struct nt_party *client = nt_client(nt);

	client->slot = &slot;
	return client;
}

static bool is_filled(const struct nmr_slot *s)
{
	struct nmr_call call;

	if (!nmr_slot_enter(s, &call))
		return false;
	nmr_slot_exit(&call);
	return true;
}

static int is_filled_thread(void *s)
{
	return is_filled(s);
}

/* Make a call to the provider. Return: true if it was the provider of @nb. */
static bool call_op(const struct nmr_call *call, struct nt_binding *nb)
{
	const struct nt_dispatch *dispatch = call->dispatch;

	return call->binding == nb->b && call->context == &nb->end[NMR_PROVIDER] &&
	       dispatch == &nb->party[NMR_PROVIDER]->dispatch &&
	       dispatch->op(call->context, 41) == 42;
}

/* The slot is filled, with the provider of @nb. */
static bool holds(struct nt_binding *nb)
{
	struct nmr_call call;
	bool same;

	if (!nmr_slot_enter(nb->party[NMR_CLIENT]->slot, &call))
		return false;
	same = call_op(&call, nb);
	nmr_slot_exit(&call);
	return same;
}

/* Enter, for a call that another function or task of the case exits. */
static void keep(struct kunit *test, struct nt_binding *nb, struct nmr_call *call)
{
	KUNIT_ASSERT_TRUE(test, nmr_slot_enter(nb->party[NMR_CLIENT]->slot, call));
	nmr_client_call_handover(call->binding);
	atomic_inc(&nb->calls[NMR_CLIENT]);
}

static void let_go(struct nt_binding *nb, const struct nmr_call *call)
{
	nt_check(nb->nt, call_op(call, nb));
	atomic_dec(&nb->calls[NMR_CLIENT]);
	nmr_slot_exit(call);
}

static void await_cleanup(struct nt_binding *nb)
{
	nt_await(nb->nt, nt_has_left(nb, NT_P_CLEANUP));
}

/* What closes a binding */

struct closer {
	const char *name;
	int (*close)(struct nt_binding *nb);
};

static int close_by_client(struct nt_binding *nb)
{
	return nt_deregister(nb->party[NMR_CLIENT]) == -EINPROGRESS;
}

static int close_by_provider(struct nt_binding *nb)
{
	return nt_deregister(nb->party[NMR_PROVIDER]) == -EINPROGRESS;
}

static int close_by_detach(struct nt_binding *nb)
{
	return nmr_detach_binding(nb->b, NMR_DETACH_ABORT) == 0;
}

static const struct closer closers[] = {
	{ "client deregisters", close_by_client },
	{ "provider deregisters", close_by_provider },
	{ "binding is detached", close_by_detach },
};

NT_PARAM(closer, closers);

static void close_binding(struct kunit *test, struct nt_binding *nb)
{
	const struct closer *closer = test->param_value;

	KUNIT_EXPECT_TRUE(test, closer->close(nb));
}

/* When a slot is filled */

DEFINE_NMR_SLOT(slot_without_client);

static void slot_without_client_is_empty(struct kunit *test)
{
	struct nmr_call call;

	KUNIT_EXPECT_FALSE(test, is_filled(&slot_without_client));
	KUNIT_EXPECT_EQ(test, nmr_slot_enter_wait(&slot_without_client, &call, NT_TIMEOUT),
			-ESHUTDOWN);
}

static void slot_without_provider_is_empty(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt);
	struct nmr_call call;

	nt_join_npi(client);
	KUNIT_EXPECT_FALSE(test, is_filled(&slot));
	KUNIT_EXPECT_EQ(test, nmr_slot_enter_wait(&slot, &call, 0), -ETIMEDOUT);
}

struct points {
	bool filled[NT_POINTS];
};

static int look(struct nt_binding *nb, enum nt_point point, int ret)
{
	struct points *points = nb->party[NMR_CLIENT]->priv;

	points->filled[point] = is_filled(&slot);
	return ret;
}

/* The slot is filled after the last attach callback, and empty before the first of detach. */
static void slot_is_empty_in_callbacks(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	struct points *points = nt_zalloc(nt, sizeof(*points));
	struct nt_binding *nb;
	enum nt_point point;

	client->priv = points;
	look_everywhere(client, provider);
	nb = nt_pair(nt, client, provider);
	KUNIT_EXPECT_TRUE(test, holds(nb));
	nt_leave(provider);
	KUNIT_EXPECT_FALSE(test, is_filled(&slot));
	for (point = NT_C_ATTACH; point <= NT_P_CLEANUP; point++)
		KUNIT_EXPECT_FALSE_MSG(test, points->filled[point], "at point %d", point);
}

/* The slot is empty when the function that closes returns: no worker has run, nor can one. */
static void slot_empties_at_once(struct kunit *test)
{
	const struct closer *closer = test->param_value;
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, slot_client(nt), nt_provider(nt));
	bool closed, filled;

	KUNIT_EXPECT_TRUE(test, holds(nb));
	/* The binding detaches after a grace period. */
	rcu_read_lock();
	closed = closer->close(nb);
	filled = is_filled(&slot);
	rcu_read_unlock();
	KUNIT_EXPECT_TRUE(test, closed);
	KUNIT_EXPECT_FALSE(test, filled);
	await_cleanup(nb);
	KUNIT_EXPECT_FALSE(test, is_filled(&slot));
}

/* After the wait the slot stays empty, and a client that registers again has it again. */
static void slot_serves_a_client_again(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *provider = nt_provider(nt), *client;
	struct nmr_call call;
	int i;

	nt_join_npi(provider);
	for (i = 0; i < 3; i++) {
		client = slot_client(nt);
		KUNIT_EXPECT_TRUE(test, holds(nt_pair(nt, client, provider)));
		nt_leave(client);
		KUNIT_EXPECT_FALSE(test, is_filled(&slot));
		KUNIT_EXPECT_EQ(test, nmr_slot_enter_wait(&slot, &call, NT_TIMEOUT),
				-ESHUTDOWN);
	}
}

static void failover_fills_the_slot_again(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider[4];
	struct nt_binding *nb;
	struct nmr_call call;
	int i;

	nt_join_npi(client);
	for (i = 0; i < ARRAY_SIZE(provider); i++) {
		provider[i] = nt_provider(nt);
		nt_join_npi(provider[i]);
	}
	for (i = 0; i < ARRAY_SIZE(provider); i++) {
		KUNIT_ASSERT_EQ(test, nmr_slot_enter_wait(&slot, &call, NT_TIMEOUT), 0);
		nb = nt_find(nt, client, NULL);
		KUNIT_EXPECT_TRUE(test, call_op(&call, nb));
		nmr_slot_exit(&call);
		KUNIT_EXPECT_PTR_EQ(test, nb->party[NMR_PROVIDER], provider[i]);
		nt_leave(provider[i]);
	}
	KUNIT_EXPECT_FALSE(test, is_filled(&slot));
}

/* Slots of objects: a module registers a client for each object. */

static void slots_of_objects_serve_their_clients(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nmr_slot own[3];
	struct nt_party *client[ARRAY_SIZE(own)], *provider;
	int i, round;

	for (i = 0; i < ARRAY_SIZE(own); i++) {
		KUNIT_ASSERT_EQ(test, nmr_slot_init(&own[i]), 0);
		KUNIT_EXPECT_FALSE(test, is_filled(&own[i]));
		client[i] = nt_client(nt);
		client[i]->slot = &own[i];
		nt_join_npi(client[i]);
	}
	for (round = 0; round < 2; round++) {
		provider = nt_provider(nt);
		nt_join_npi(provider);
		for (i = 0; i < ARRAY_SIZE(own); i++)
			KUNIT_EXPECT_TRUE(test, holds(nt_find(nt, client[i], provider)));
		nt_leave(provider);
		for (i = 0; i < ARRAY_SIZE(own); i++)
			KUNIT_EXPECT_FALSE(test, is_filled(&own[i]));
	}
	for (i = 0; i < ARRAY_SIZE(own); i++) {
		nt_leave(client[i]);
		nmr_slot_free(&own[i]);
	}
}

static struct task_struct *failing_task;

static bool take_failing(struct pt_regs *regs)
{
	return current == READ_ONCE(failing_task);
}

static void *no_memory(void)
{
	return NULL;
}

/* What fails of nmr_slot_init() */
static struct nt_detour init_failures[] = {
	{ "kmalloc_trace", "__kmalloc_cache_noprof", no_memory, take_failing },
	{ "__alloc_percpu", "pcpu_alloc_noprof", no_memory, take_failing },
};

static void failure_name(struct nt_detour *failure, char *desc)
{
	strscpy(desc, failure->function, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(init_failure, init_failures, failure_name);

static void slot_init_finds_no_memory(struct kunit *test)
{
	struct nt_detour *failure = (struct nt_detour *)test->param_value;
	struct nmr_slot own;
	int err = nt_detour_begin(failure);

	if (err == -EOPNOTSUPP)
		kunit_skip(test, "needs kprobes");
	KUNIT_ASSERT_EQ(test, err, 0);
	WRITE_ONCE(failing_task, current);
	err = nmr_slot_init(&own);
	WRITE_ONCE(failing_task, NULL);
	nt_detour_end(failure);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
}

/* An attach callback decides, and the slot follows. */

struct decline {
	const char *name;
	enum nt_point point;
};

static const struct decline declines[] = {
	{ "client, before it asks", NT_C_ATTACH },
	{ "provider", NT_P_ATTACH },
	{ "client, after it has asked", NT_C_BOUND },
};

NT_PARAM(decline, declines);

static void declined_offer_fills_no_slot(struct kunit *test)
{
	const struct decline *decline = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *refused = nt_provider(nt);
	struct nt_party *party = nt_side(decline->point) == NMR_CLIENT ? client : refused;
	struct nt_party *next = nt_provider(nt);
	struct nmr_call call;

	party->at[decline->point].first = -ENODEV;
	party->at[decline->point].nfirst = 1;
	nt_join_npi(refused);
	nt_join_npi(client);
	KUNIT_EXPECT_FALSE(test, is_filled(&slot));
	nt_settle(nt);
	KUNIT_EXPECT_FALSE(test, is_filled(&slot));
	KUNIT_EXPECT_EQ(test, nmr_slot_enter_wait(&slot, &call, 0), -ETIMEDOUT);
	nt_join_npi(next);
	KUNIT_ASSERT_EQ(test, nmr_slot_enter_wait(&slot, &call, NT_TIMEOUT), 0);
	KUNIT_EXPECT_TRUE(test, call_op(&call, nt_find(nt, client, next)));
	nmr_slot_exit(&call);
}

/* If the binding closes while client_attached runs, the slot is never filled. */
static void slot_of_a_binding_that_closes_early_stays_empty(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	struct nt_thread *registrar;
	struct nt_binding *nb;

	nt_join_npi(client);
	nt_hold(provider, NT_P_ATTACHED);
	nt_hold(client, NT_C_DETACH);
	registrar = nt_spawn(nt, nt_register_thread, provider);
	nt_await(nt, nt_entered(provider, NT_P_ATTACHED) == 1);
	nb = nt_find(nt, client, provider);
	KUNIT_ASSERT_NOT_NULL(test, nb);
	close_binding(test, nb);
	nt_release(provider, NT_P_ATTACHED);
	KUNIT_EXPECT_EQ(test, nt_join(registrar), 0);
	KUNIT_EXPECT_FALSE(test, is_filled(&slot));
	nt_release(client, NT_C_DETACH);
	await_cleanup(nb);
	KUNIT_EXPECT_FALSE(test, is_filled(&slot));
}

/* Which clients may have a slot */

static void slot_stands_for_one_binding(struct kunit *test)
{
	static const u32 fit[] = { 0, 1 }, odd[] = { 2, 3, U32_MAX };
	struct nt *nt = test->priv;
	struct nt_party *provider[2] = { nt_provider(nt), nt_provider(nt) };
	struct nt_party *client;
	int i;

	nt_join_npi(provider[0]);
	nt_join_npi(provider[1]);
	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		client = slot_client(nt);
		client->max_bindings = odd[i];
		KUNIT_EXPECT_EQ(test, nt_register(client), -EINVAL);
		KUNIT_EXPECT_FALSE(test, is_filled(&slot));
	}
	for (i = 0; i < ARRAY_SIZE(fit); i++) {
		client = slot_client(nt);
		client->max_bindings = fit[i];
		nt_join_npi(client);
		KUNIT_EXPECT_TRUE(test, holds(nt_find(nt, client, NULL)));
		nt_settle(nt);
		KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 1);
		nt_leave(client);
	}
}

/* Until the wait for the client that has it returns, no other client gets the slot. */
static void slot_is_for_one_client(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb = nt_pair(nt, client, provider);
	struct nt_party *second = slot_client(nt);

	KUNIT_EXPECT_EQ(test, nt_register(second), -EBUSY);
	KUNIT_EXPECT_TRUE(test, holds(nb));
	nt_hold(provider, NT_P_CLEANUP);
	nt_deregister(client);
	KUNIT_EXPECT_EQ(test, nt_register(second), -EBUSY);
	nt_await(nt, nt_entered(provider, NT_P_CLEANUP) == 1);
	KUNIT_EXPECT_EQ(test, nt_register(second), -EBUSY);
	nt_release(provider, NT_P_CLEANUP);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	KUNIT_EXPECT_TRUE(test, holds(nt_pair(nt, second, provider)));
}

static int no_directory(void)
{
	return -ENOMEM;
}

/* What fails of a register call, before the slot is claimed and after it. */
static struct nt_detour failures[] = {
	{ "nmr_registration_alloc", NULL, no_memory, take_failing },
	{ "nmr_npi_get", NULL, no_memory, take_failing },
	{ "nmr_sysfs_add_registration", NULL, no_directory, take_failing },
};

KUNIT_ARRAY_PARAM(failure, failures, failure_name);

static void failed_register_leaves_the_slot_free(struct kunit *test)
{
	struct nt_detour *failure = (struct nt_detour *)test->param_value;
	struct nt *nt = test->priv;
	int err = nt_detour_begin(failure);

	if (err == -EOPNOTSUPP)
		kunit_skip(test, "needs kprobes");
	KUNIT_ASSERT_EQ(test, err, 0);
	WRITE_ONCE(failing_task, current);
	err = nt_register(slot_client(nt));
	WRITE_ONCE(failing_task, NULL);
	nt_detour_end(failure);
	KUNIT_EXPECT_EQ(test, err, -ENOMEM);
	KUNIT_EXPECT_FALSE(test, is_filled(&slot));
	KUNIT_EXPECT_TRUE(test, holds(nt_pair(nt, slot_client(nt), nt_provider(nt))));
}

static void refused_register_leaves_the_slot_free(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nmr_client_characteristics c = {
		.instance.npi_id = &nt->npi_id,
		.instance.module_id = &nt->npi_id,
		.slot = &slot,
	};
	struct nmr_client_handle handle;

	KUNIT_EXPECT_EQ(test, nmr_register_client(&c, NULL, NULL), -EINVAL);
	c.instance.module_id = NULL;
	KUNIT_EXPECT_EQ(test, nmr_register_client(&c, NULL, &handle), -EINVAL);
	c.instance.npi_id = NULL;
	KUNIT_EXPECT_EQ(test, nmr_register_client(&c, NULL, &handle), -EINVAL);
	KUNIT_EXPECT_TRUE(test, holds(nt_pair(nt, slot_client(nt), nt_provider(nt))));
}

/* Calls in flight */

static void expect_in_flight(struct kunit *test, struct nt_binding *nb, const char *calls)
{
	char path[NT_NAME_SIZE], value[NT_VALUE_SIZE];

	nt_binding_path(nb, "client_calls", path);
	nt_read(path, value);
	KUNIT_EXPECT_STREQ(test, value, calls);
}

static void call_delays_cleanup(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, slot_client(nt), nt_provider(nt));
	struct nmr_call call;

	expect_in_flight(test, nb, "0");
	keep(test, nb, &call);
	expect_in_flight(test, nb, "1");
	close_binding(test, nb);
	KUNIT_EXPECT_FALSE(test, is_filled(&slot));
	nt_expect_draining(nb);
	expect_in_flight(test, nb, "1");
	let_go(nb, &call);
	await_cleanup(nb);
}

/* Calls through the slot, and calls that enter the binding, have one gate. */
static void calls_of_slot_and_binding_are_counted_together(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, slot_client(nt), nt_provider(nt));
	struct nmr_call call[2];

	keep(test, nb, &call[0]);
	KUNIT_ASSERT_TRUE(test, nt_enter(nb, NMR_CLIENT));
	keep(test, nb, &call[1]);
	expect_in_flight(test, nb, "3");
	let_go(nb, &call[0]);
	expect_in_flight(test, nb, "2");
	close_binding(test, nb);
	nt_expect_draining(nb);
	KUNIT_EXPECT_FALSE(test, nt_enter(nb, NMR_CLIENT));
	let_go(nb, &call[1]);
	nt_expect_draining(nb);
	expect_in_flight(test, nb, "1");
	nt_exit(nb, NMR_CLIENT);
	await_cleanup(nb);
}

/* RCU readers ask the binding. Its gate leads to the counts of the slot. */
static void rcu_reader_follows_the_slot(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider;
	struct nt_binding *nb;
	bool before, after;
	int i;

	for (i = 0; i < 2; i++) {
		provider = nt_provider(nt);
		nb = nt_pair(nt, client, provider);
		rcu_read_lock();
		before = nmr_client_may_call_rcu(nb->b);
		nt_deregister(provider);
		after = nmr_client_may_call_rcu(nb->b);
		rcu_read_unlock();
		KUNIT_EXPECT_TRUE(test, before);
		KUNIT_EXPECT_FALSE(test, after);
		KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
	}
}

struct errand {
	struct nt_binding *nb;
	struct nmr_call call;
};

static int errand_thread(void *arg)
{
	struct errand *errand = arg;

	let_go(errand->nb, &errand->call);
	return 0;
}

/* A call that is handed over exits in another task, through a copy, on another CPU. */
static void call_is_handed_over(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct errand *errand = nt_zalloc(nt, sizeof(*errand));
	struct nmr_call call;
	int cpu;

	for_each_online_cpu(cpu) {
		struct nt_binding *nb = nt_pair(nt, slot_client(nt), nt_provider(nt));

		keep(test, nb, &call);
		errand->nb = nb;
		errand->call = call;
		memset(&call, 0, sizeof(call));
		if (cpu & 1) {
			close_binding(test, nb);
			nt_expect_draining(nb);
		}
		nt_join(nt_spawn_on(nt, cpu, errand_thread, errand));
		if (!(cpu & 1))
			expect_in_flight(test, nb, "0");
		nt_deregister(nb->party[NMR_PROVIDER]);
		nt_deregister(nb->party[NMR_CLIENT]);
		KUNIT_EXPECT_EQ(test, nt_wait(nb->party[NMR_CLIENT]), 0);
		KUNIT_EXPECT_EQ(test, nt_wait(nb->party[NMR_PROVIDER]), 0);
	}
}

static const enum nt_context contexts[] = {
	NT_TASK, NT_KTHREAD, NT_SOFTIRQ, NT_HARDIRQ, NT_RCU_CALLBACK, NT_RAW_LOCK
};

KUNIT_ARRAY_PARAM(context, contexts, nt_context_desc);

static void call_once(void *nb)
{
	struct nt_binding *binding = nb;

	nt_check(binding->nt, holds(nb));
}

static void call_never(void *arg)
{
	struct nt *nt = arg;

	nt_check(nt, !is_filled(&slot));
}

static void last_exit(void *arg)
{
	errand_thread(arg);
}

/* Enter and exit, also the last exit of a closed binding, may be called in any context. */
static void calls_come_from_any_context(struct kunit *test)
{
	enum nt_context context = *(const enum nt_context *)test->param_value;
	struct nt *nt = test->priv;
	struct errand *errand = nt_zalloc(nt, sizeof(*errand));

	errand->nb = nt_pair(nt, slot_client(nt), nt_provider(nt));
	nt_run_in(nt, context, call_once, errand->nb);
	keep(test, errand->nb, &errand->call);
	nt_deregister(errand->nb->party[NMR_PROVIDER]);
	nt_run_in(nt, context, call_never, nt);
	nt_expect_draining(errand->nb);
	nt_run_in(nt, context, last_exit, errand);
	KUNIT_EXPECT_EQ(test, nt_wait(errand->nb->party[NMR_PROVIDER]), 0);
	nt_run_in(nt, context, call_never, nt);
}

#ifdef DEFINE_CLASS
static int call_scoped(void)
{
	int n = 0;

	scoped_nmr_slot_call(&slot, call)
		n += call.context ? 1 : 100;
	scoped_nmr_slot_call(&slot, call) {
		n += 10;
		break;
	}
	scoped_nmr_slot_call(&slot, call)
		return n;
	return -ENODEV;
}

static void scope_ends_the_call(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	KUNIT_EXPECT_EQ(test, call_scoped(), -ENODEV);
	nb = nt_pair(nt, client, provider);
	KUNIT_EXPECT_EQ(test, call_scoped(), 11);
	expect_in_flight(test, nb, "0");
	nt_leave(provider);
	KUNIT_EXPECT_EQ(test, call_scoped(), -ENODEV);
}
#endif

/* Callers that have counted, and have not looked whether the slot is open */

/* Do the first half of nmr_slot_enter(). */
static void begin_enter(struct kunit *test, const struct nmr_slot *s)
{
	KUNIT_ASSERT_FALSE(test, __nmr_count_enter(s->calls));
}

/* Do the second half, in which the slot is not open. */
static int back_out_thread(void *s)
{
	const struct nmr_slot *empty = s;

	__nmr_slot_back_out(empty);
	return READ_ONCE(empty->state->open);
}

static void back_out_on(struct kunit *test, const struct nmr_slot *s, int cpu)
{
	KUNIT_EXPECT_FALSE(test, nt_join(nt_spawn_on(test->priv, cpu, back_out_thread,
						     (void *)s)));
}

/* A binding that closes waits for such a caller, which then is refused. */
static void binding_waits_for_the_caller_that_backs_out(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb = nt_pair(nt, client, provider);

	begin_enter(test, &slot);
	close_binding(test, nb);
	nt_expect_draining(nb);
	back_out_on(test, &slot, cpumask_last(cpu_online_mask));
	await_cleanup(nb);
}

/* The caller backs out before the counts are taken. */
static void caller_backs_out_during_the_grace_period(struct kunit *test)
{
	const struct closer *closer = test->param_value;
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, slot_client(nt), nt_provider(nt));
	bool closed;

	begin_enter(test, &slot);
	rcu_read_lock();
	closed = closer->close(nb);
	__nmr_slot_back_out(&slot);
	rcu_read_unlock();
	KUNIT_EXPECT_TRUE(test, closed);
	await_cleanup(nb);
}

DEFINE_NMR_SLOT(early_slot);

/* The caller has counted before the first binding attached: that binding waits for it. */
static void first_binding_waits_for_an_earlier_caller(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	begin_enter(test, &early_slot);
	client->slot = &early_slot;
	nb = nt_pair(nt, client, provider);
	KUNIT_EXPECT_TRUE(test, holds(nb));
	nt_deregister(provider);
	nt_expect_draining(nb);
	back_out_on(test, &early_slot, 0);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
	/* The counts of the next binding are not one short. */
	provider = nt_provider(nt);
	KUNIT_EXPECT_TRUE(test, holds(nt_pair(nt, client, provider)));
	nt_leave(provider);
}

DEFINE_NMR_SLOT(entered_slot);

/* The caller looks after the first binding has attached, and enters it. */
static void earlier_caller_enters_the_first_binding(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nmr_call call = { .slot = &entered_slot };
	struct nt_binding *nb;

	begin_enter(test, &entered_slot);
	client->slot = &entered_slot;
	nb = nt_pair(nt, client, provider);
	expect_in_flight(test, nb, "1");
	KUNIT_ASSERT_TRUE(test, entered_slot.state->open);
	call.binding = entered_slot.state->binding;
	call.dispatch = entered_slot.state->provider.dispatch;
	call.context = entered_slot.state->provider.binding_context;
	atomic_inc(&nb->calls[NMR_CLIENT]);
	nt_deregister(provider);
	nt_expect_draining(nb);
	let_go(nb, &call);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
}

/* The counts are open while a later binding attaches. The caller backs out before its end. */
static void caller_backs_out_while_a_binding_attaches(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	struct nt_thread *registrar;
	struct nt_binding *nb;

	nt_leave(nt_pair(nt, client, nt_provider(nt))->party[NMR_PROVIDER]);
	KUNIT_EXPECT_TRUE(test, __nmr_count_enter(slot.calls));
	nt_hold(client, NT_C_BOUND);
	registrar = nt_spawn(nt, nt_register_thread, provider);
	nt_await(nt, nt_entered(client, NT_C_BOUND) == 2);
	begin_enter(test, &slot);
	back_out_on(test, &slot, 0);
	begin_enter(test, &slot);
	back_out_on(test, &slot, cpumask_last(cpu_online_mask));
	nt_release(client, NT_C_BOUND);
	KUNIT_EXPECT_EQ(test, nt_join(registrar), 0);
	nb = nt_find(nt, client, provider);
	KUNIT_EXPECT_TRUE(test, holds(nb));
	expect_in_flight(test, nb, "0");
	nt_leave(provider);
}

/* The client fails after the provider has attached: the provider waits for the caller. */
static void failed_attach_waits_for_the_caller(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	struct nt_thread *registrar;
	struct nt_binding *nb;

	client->at[NT_C_BOUND].ret = -ENODEV;
	nt_hold(client, NT_C_BOUND);
	nt_join_npi(client);
	registrar = nt_spawn(nt, nt_register_thread, provider);
	nt_await(nt, nt_entered(client, NT_C_BOUND) == 1);
	begin_enter(test, &slot);
	nt_release(client, NT_C_BOUND);
	KUNIT_EXPECT_EQ(test, nt_join(registrar), 0);
	nb = nt_find(nt, client, provider);
	nt_expect_draining(nb);
	back_out_on(test, &slot, 0);
	await_cleanup(nb);
}

/* Counts that are used again */

/*
 * A caller has loaded the pointer of a binding's gate, and goes on when the slot holds the next
 * binding: it does not count for that one.
 */
static void preempted_caller_of_an_old_binding_is_refused(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb = nt_pair(nt, client, provider);
	s64 __percpu *calls = __nmr_gate(nb->b, NMR_CLIENT)->calls;

	nt_get(nb);
	nt_leave(provider);
	provider = nt_provider(nt);
	nb = nt_pair(nt, client, provider);
	KUNIT_EXPECT_TRUE(test, holds(nb));
	KUNIT_EXPECT_TRUE(test, __nmr_count_enter(calls));
	expect_in_flight(test, nb, "0");
}

static s64 count_on(s64 __percpu *count, int cpu)
{
	return atomic64_read((atomic64_t *)per_cpu_ptr(count, cpu));
}

static void expect_all_open(struct kunit *test, s64 __percpu *count)
{
	int cpu;

	for_each_possible_cpu(cpu)
		KUNIT_EXPECT_EQ_MSG(test, count_on(count, cpu), (s64)NMR_CALLS_OPEN,
				    "CPU %d", cpu);
}

static void expect_filled_everywhere(struct kunit *test, bool filled)
{
	int cpu;

	for_each_online_cpu(cpu)
		KUNIT_EXPECT_EQ_MSG(test, filled,
				    nt_join(nt_spawn_on(test->priv, cpu, is_filled_thread,
							(void *)&slot)), "CPU %d", cpu);
}

/* Refused calls leave closed counts at any value. The next binding opens all of them. */
static void slot_opens_on_every_cpu(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider;
	struct nt_binding *nb;
	int i;

	for (i = 0; i < 3; i++) {
		provider = nt_provider(nt);
		nb = nt_pair(nt, client, provider);
		/* A call that migrates leaves other counts. */
		expect_all_open(test, slot.calls);
		KUNIT_EXPECT_TRUE(test, holds(nb));
		expect_filled_everywhere(test, true);
		nt_leave(provider);
		expect_filled_everywhere(test, false);
	}
}

static int victim;	/* the CPU that a case takes offline */

static void slot_exit_case(struct kunit *test)
{
	if (!cpu_online(victim))
		add_cpu(victim);
}

/* A CPU that is offline has counted, and its count is closed and opened like the others. */
static void slot_opens_on_a_cpu_that_is_offline(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	victim = cpumask_last(cpu_online_mask);
	KUNIT_EXPECT_TRUE(test, holds(nt_pair(nt, client, provider)));
	if (!victim || remove_cpu(victim))
		kunit_skip(test, "wants a CPU that goes offline");
	nt_leave(provider);
	KUNIT_EXPECT_LT(test, count_on(slot.calls, victim), 0LL);
	provider = nt_provider(nt);
	nb = nt_pair(nt, client, provider);
	expect_all_open(test, slot.calls);
	KUNIT_EXPECT_TRUE(test, holds(nb));
	KUNIT_ASSERT_EQ(test, add_cpu(victim), 0);
	expect_filled_everywhere(test, true);
	nt_leave(provider);
	expect_filled_everywhere(test, false);
}

static DEFINE_PER_CPU(s64, own_counts) __aligned(sizeof(s64)) = NMR_CALLS_OPEN;

/* White-box: counts that are open stay as they are, and those that are closed are opened. */
static void gate_uses_counts_again(struct kunit *test)
{
	struct nmr_gates g;
	int cpu, round;
	s64 added;

	for (round = 0; round < 3; round++) {
		memset(&g, 0, sizeof(g));
		added = 0;
		KUNIT_ASSERT_EQ(test, nmr_gates_alloc(&g), 0);
		nmr_gates_add_slot(&g, &own_counts);
		expect_all_open(test, &own_counts);
		for_each_possible_cpu(cpu) {
			atomic64_add(cpu + 1, (atomic64_t *)per_cpu_ptr(&own_counts, cpu));
			added += cpu + 1;
		}
		nmr_gates_add_slot(&g, &own_counts);
		KUNIT_EXPECT_EQ(test, (s64)nmr_gate_in_flight(&g, NMR_CLIENT), added);
		nmr_gates_take_batch(&g.batch);
		KUNIT_EXPECT_EQ(test, nmr_gate_fold(&g, NMR_CLIENT), added);
		KUNIT_EXPECT_EQ(test, nmr_gate_fold(&g, NMR_PROVIDER), 0LL);
		for_each_possible_cpu(cpu) {
			KUNIT_EXPECT_LT(test, count_on(&own_counts, cpu), 0LL);
			/* Calls that are refused, and exits. */
			atomic64_add(7 - 3 * cpu, (atomic64_t *)per_cpu_ptr(&own_counts, cpu));
		}
		nmr_gates_free(&g);
	}
	/* For the next run of the case */
	memset(&g, 0, sizeof(g));
	nmr_gates_add_slot(&g, &own_counts);
}

/* A count that is open already keeps its calls when the others are opened. */
static void open_count_keeps_its_calls(struct kunit *test)
{
	int first = cpumask_first(cpu_possible_mask), last = cpumask_last(cpu_online_mask);
	struct nmr_gates g = {};

	if (first == last)
		kunit_skip(test, "wants two CPUs");
	atomic64_set((atomic64_t *)per_cpu_ptr(&own_counts, first), -5);
	atomic64_inc((atomic64_t *)per_cpu_ptr(&own_counts, last));
	nmr_gates_add_slot(&g, &own_counts);
	KUNIT_EXPECT_EQ(test, count_on(&own_counts, last), (s64)NMR_CALLS_OPEN + 1);
	atomic64_dec((atomic64_t *)per_cpu_ptr(&own_counts, last));
	expect_all_open(test, &own_counts);
}

/* Waits for a provider */

/*
 * @id: number of the binding that was entered
 * @interruptible: let SIGINT interrupt the thread
 */
struct waiter {
	struct nt *nt;
	unsigned long timeout;
	bool interruptible;
	u64 id;
};

static int enter_wait_thread(void *arg)
{
	struct waiter *waiter = arg;
	struct nmr_call call;
	int ret;

	if (waiter->interruptible)
		allow_signal(SIGINT);
	ret = nmr_slot_enter_wait(&slot, &call, waiter->timeout);
	if (!ret) {
		waiter->id = nmr_binding_id(call.binding);
		nmr_slot_exit(&call);
	}
	flush_signals(current);
	return ret;
}

static struct waiter *new_waiter(struct nt *nt)
{
	struct waiter *waiter = nt_zalloc(nt, sizeof(*waiter));

	waiter->nt = nt;
	waiter->timeout = NT_TIMEOUT;
	return waiter;
}

static void await_sleep(struct nt *nt, const struct nt_thread *thread)
{
	unsigned int state;

	KUNIT_ASSERT_EQ(nt->test, 0,
			read_poll_timeout(READ_ONCE, state, state & TASK_INTERRUPTIBLE,
					  USEC_PER_MSEC, jiffies_to_usecs(NT_TIMEOUT), false,
					  thread->task->__state));
}

/* Spawn a thread that waits for a provider. Return: it, when it sleeps. */
static struct nt_thread *spawn_waiter(struct nt *nt, struct waiter *waiter)
{
	struct nt_thread *thread = nt_spawn(nt, enter_wait_thread, waiter);

	await_sleep(nt, thread);
	return thread;
}

static void enter_wait_of_a_filled_slot_returns(struct kunit *test)
{
	static const unsigned long timeouts[] = { 0, 1, MAX_SCHEDULE_TIMEOUT, ULONG_MAX };
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, slot_client(nt), nt_provider(nt));
	struct nmr_call call;
	int i;

	for (i = 0; i < ARRAY_SIZE(timeouts); i++) {
		KUNIT_ASSERT_EQ(test, nmr_slot_enter_wait(&slot, &call, timeouts[i]), 0);
		expect_in_flight(test, nb, "1");
		KUNIT_EXPECT_TRUE(test, call_op(&call, nb));
		nmr_slot_exit(&call);
	}
}

static void enter_wait_checks_its_arguments(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, slot_client(nt), nt_provider(nt));
	struct nmr_call call;

	KUNIT_EXPECT_EQ(test, nmr_slot_enter_wait(NULL, &call, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, nmr_slot_enter_wait(&slot, NULL, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, nmr_slot_enter_wait(NULL, NULL, 0), -EINVAL);
	expect_in_flight(test, nb, "0");
}

static void enter_wait_times_out(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	struct nmr_call call;

	nt_join_npi(client);
	KUNIT_EXPECT_EQ(test, nmr_slot_enter_wait(&slot, &call, 1), -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, holds(nt_pair(nt, client, provider)));
	nt_leave(provider);
	KUNIT_EXPECT_EQ(test, nmr_slot_enter_wait(&slot, &call, 1), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, nmr_slot_enter_wait(&slot, &call, 0), -ETIMEDOUT);
}

/* Neither a refusal nor an attach that has not ended ends the wait. */
static void enter_wait_waits_for_attach(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	struct nt_party *refuses = nt_provider(nt);
	struct nt_thread *thread[3], *registrar;
	struct waiter *waiter[3];
	struct nmr_call call;
	int i;

	nt_join_npi(client);
	for (i = 0; i < ARRAY_SIZE(thread); i++) {
		waiter[i] = new_waiter(nt);
		thread[i] = spawn_waiter(nt, waiter[i]);
	}
	refuses->at[NT_P_ATTACH].ret = -ENODEV;
	nt_join_npi(refuses);
	nt_hold(provider, NT_P_ATTACHED);
	registrar = nt_spawn(nt, nt_register_thread, provider);
	nt_await(nt, nt_entered(provider, NT_P_ATTACHED) == 1);
	KUNIT_EXPECT_EQ(test, nmr_slot_enter_wait(&slot, &call, 1), -ETIMEDOUT);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		KUNIT_EXPECT_FALSE(test, nt_finished(thread[i]));
	nt_release(provider, NT_P_ATTACHED);
	KUNIT_EXPECT_EQ(test, nt_join(registrar), 0);
	for (i = 0; i < ARRAY_SIZE(thread); i++) {
		KUNIT_EXPECT_EQ(test, nt_join(thread[i]), 0);
		KUNIT_EXPECT_EQ(test, waiter[i]->id, nt_find(nt, client, provider)->id);
	}
}

static void enter_wait_wakes_when_the_client_leaves(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt);
	struct nt_thread *thread[3];
	struct nmr_call call;
	int i;

	nt_join_npi(client);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		thread[i] = spawn_waiter(nt, new_waiter(nt));
	nt_deregister(client);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		KUNIT_EXPECT_EQ(test, nt_join(thread[i]), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	KUNIT_EXPECT_EQ(test, nmr_slot_enter_wait(&slot, &call, NT_TIMEOUT), -ESHUTDOWN);
}

/* The client leaves while its binding still drains. */
static void enter_wait_of_a_leaving_client_is_refused(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt);
	struct nt_binding *nb = nt_pair(nt, client, nt_provider(nt));
	struct nmr_call kept, call;

	keep(test, nb, &kept);
	nt_deregister(client);
	KUNIT_EXPECT_EQ(test, nmr_slot_enter_wait(&slot, &call, NT_TIMEOUT), -ESHUTDOWN);
	nt_expect_draining(nb);
	KUNIT_EXPECT_EQ(test, nmr_slot_enter_wait(&slot, &call, NT_TIMEOUT), -ESHUTDOWN);
	let_go(nb, &kept);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
}

/* Let a client leave while a task waits and the last binding still drains. */
static void enter_wait_wakes_before_the_client_has_finished(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	struct nt_thread *thread;
	struct nt_binding *nb;

	client->at[NT_C_DETACH].ret = -EINPROGRESS;
	nb = nt_pair(nt, client, provider);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT), 0);
	nt_await(nt, nt_has_left(nb, NT_P_DETACH));
	thread = spawn_waiter(nt, new_waiter(nt));
	KUNIT_EXPECT_EQ(test, nt_deregister(client), -EINPROGRESS);
	KUNIT_EXPECT_EQ(test, nt_join(thread), -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(client, 0), -ETIMEDOUT);
	nt_complete(nb, NMR_CLIENT);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
}

static void enter_wait_is_interruptible(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct waiter *waiter = new_waiter(nt);
	struct nt_thread *thread;

	nt_join_npi(slot_client(nt));
	waiter->interruptible = true;
	thread = spawn_waiter(nt, waiter);
	send_sig(SIGINT, thread->task, 1);
	KUNIT_EXPECT_EQ(test, nt_join(thread), -ERESTARTSYS);
}

static int enter_wait_inside(struct nt_binding *nb, int ret)
{
	struct nmr_call call;

	nt_check(nb->nt, nmr_slot_enter_wait(&slot, &call, 0) == -EDEADLK);
	nt_check(nb->nt, nmr_slot_enter_wait(&slot, &call, NT_TIMEOUT) == -EDEADLK);
	return ret;
}

/* In a callback of the client's binding, which would have to return first. */
static void enter_wait_in_a_callback_is_a_deadlock(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	enum nt_point point;

	for (point = NT_C_ATTACH; point <= NT_P_CLEANUP; point++) {
		client->at[point].hook = enter_wait_inside;
		provider->at[point].hook = enter_wait_inside;
	}
	nt_pair(nt, client, provider);
	nt_leave(provider);
	for (point = NT_C_ATTACH; point <= NT_P_CLEANUP; point++)
		KUNIT_EXPECT_EQ(test, 1, nt_entered(nt_side(point) == NMR_CLIENT ?
						    client : provider, point));
}

static int enter_wait_for_another(struct nt_binding *nb, int ret)
{
	struct nmr_call call;

	if (nt_check(nb->nt, nmr_slot_enter_wait(&slot, &call, NT_TIMEOUT) == 0))
		nmr_slot_exit(&call);
	return ret;
}

/* A callback of other bindings may wait for the slot. */
static void enter_wait_in_a_callback_of_others_waits(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	struct nt_party *other = nt_client(nt), *other_provider = nt_provider(nt);
	struct nt_thread *thread;

	guid_gen(&other->npi_id);
	guid_copy(&other_provider->npi_id, &other->npi_id);
	other->at[NT_C_ATTACH].hook = enter_wait_for_another;
	nt_join_npi(client);
	nt_join_npi(other_provider);
	thread = nt_spawn(nt, nt_register_thread, other);
	nt_await(nt, nt_entered(other, NT_C_ATTACH) == 1);
	await_sleep(nt, thread);
	nt_join_npi(provider);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_EQ(test, nt_returned(other, NT_C_ATTACH), 1);
}

/* The task begins to wait while the first binding cleans up, and gets the second one. */
static void enter_wait_wakes_at_failover(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt);
	struct nt_party *provider[2] = { nt_provider(nt), nt_provider(nt) };
	struct waiter *waiter = new_waiter(nt);
	struct nt_thread *thread;

	nt_pair(nt, client, provider[0]);
	nt_join_npi(provider[1]);
	nt_hold(provider[0], NT_P_CLEANUP);
	nt_deregister(provider[0]);
	nt_await(nt, nt_entered(provider[0], NT_P_CLEANUP) == 1);
	thread = spawn_waiter(nt, waiter);
	nt_release(provider[0], NT_P_CLEANUP);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_EQ(test, waiter->id, nt_find(nt, client, provider[1])->id);
}

/*
 * A task that has found the client attached, and is stopped before it enters: at
 * nmr_registration_put(), the last that it does in between.
 */
static struct {
	struct nt *nt;
	struct task_struct *task;
	bool reached;
	bool go;
} stop;

static bool take_stop(struct pt_regs *regs)
{
	if (current != READ_ONCE(stop.task) || READ_ONCE(stop.reached))
		return false;
	WRITE_ONCE(stop.reached, true);
	return true;
}

struct nmr_registration;
static void stop_before_put(struct nmr_registration *reg);

static struct nt_detour put_detour = {
	"nmr_registration_put", NULL, stop_before_put, take_stop
};

static void stop_before_put(struct nmr_registration *reg)
{
	void (*put)(struct nmr_registration *reg) = (void *)put_detour.kp.addr;

	nt_kick(stop.nt);
	wait_event(stop.nt->wait, READ_ONCE(stop.go));
	put(reg);
}

static void end_stop(struct kunit_resource *res)
{
	WRITE_ONCE(stop.go, true);
	nt_kick(stop.nt);
	nt_detour_end(&put_detour);
}

static int begin_stop(struct kunit_resource *res, void *nt)
{
	res->data = nt;
	stop.nt = nt;
	stop.task = NULL;
	stop.reached = false;
	stop.go = false;
	return nt_detour_begin(&put_detour);
}

/* The binding that has woken the task closes before the task enters. */
static void enter_wait_waits_on_when_the_binding_has_closed(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	struct waiter *waiter = new_waiter(nt);
	struct nt_thread *thread;

	if (!IS_ENABLED(CONFIG_KPROBES))
		kunit_skip(test, "needs kprobes");
	nt_join_npi(client);
	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, begin_stop, end_stop,
							 GFP_KERNEL, nt));
	thread = spawn_waiter(nt, waiter);
	WRITE_ONCE(stop.task, thread->task);
	nt_join_npi(provider);
	nt_await(nt, READ_ONCE(stop.reached));
	nt_leave(provider);
	KUNIT_EXPECT_FALSE(test, is_filled(&slot));
	WRITE_ONCE(stop.go, true);
	nt_kick(nt);
	await_sleep(nt, thread);
	KUNIT_EXPECT_FALSE(test, nt_finished(thread));
	provider = nt_provider(nt);
	nt_join_npi(provider);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	KUNIT_EXPECT_EQ(test, waiter->id, nt_find(nt, client, provider)->id);
}

/* An exit without an enter */

DEFINE_NMR_SLOT(misused_slot);

static void stray_exit_warns(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nmr_call call;

	client->slot = &misused_slot;
	nt_pair(nt, client, provider);
	/* Exit cannot tell. The binding can, when it closes, and does not wait. */
	nt_expect_warnings(nt);
	KUNIT_ASSERT_TRUE(test, nmr_slot_enter(&misused_slot, &call));
	nmr_slot_exit(&call);
	nmr_slot_exit(&call);
	nt_leave(client);
	KUNIT_EXPECT_EQ(test, nt_expected_warnings(nt), 1);
	/* The slot is as good as new. */
	client = nt_client(nt);
	client->slot = &misused_slot;
	KUNIT_EXPECT_TRUE(test, holds(nt_pair(nt, client, provider)));
	nt_leave(client);
}

static void stray_exit_of_a_closed_slot_warns(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;
	struct nmr_call call;
	int i;

	provider->at[NT_P_DETACH].ret = -EINPROGRESS;
	nb = nt_pair(nt, client, provider);
	KUNIT_ASSERT_TRUE(test, nmr_slot_enter(&slot, &call));
	nmr_slot_exit(&call);
	nt_deregister(client);
	nt_expect_draining(nb);
	nt_expect_warnings(nt);
	for (i = 0; i < 2; i++)
		nmr_slot_exit(&call);
	KUNIT_EXPECT_EQ(test, nt_expected_warnings(nt), 1);
	nt_complete(nb, NMR_PROVIDER);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
}

/* Between two bindings no registration can be named. The warning comes once. */
static void stray_exit_of_an_empty_slot_warns(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb = nt_pair(nt, client, provider);
	struct nmr_call call;
	int i;

	nt_get(nb);
	KUNIT_ASSERT_TRUE(test, nmr_slot_enter(&slot, &call));
	nmr_slot_exit(&call);
	nt_leave(provider);
	nt_expect_warnings(nt);
	for (i = 0; i < 2; i++)
		nmr_slot_exit(&call);
	nt_watched_lines(nt);
	KUNIT_EXPECT_EQ(test, nt->warnings, 1);
	/* A slot that led to the binding would have the warning name the client. */
	KUNIT_EXPECT_EQ(test, nt->named, 0);
	/* The slot is as good as new. */
	provider = nt_provider(nt);
	KUNIT_EXPECT_TRUE(test, holds(nt_pair(nt, client, provider)));
	nt_leave(provider);
}

/* Free the memory of a client that has left: the slot must not lead there. */
static void slot_forgets_a_client_that_has_left(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = slot_client(nt);
	struct nmr_call call;

	nt_join_npi(client);
	nt_leave(client);
	schedule_timeout_uninterruptible(NT_RELEASE_DELAY);
	rcu_barrier();
	KUNIT_EXPECT_EQ(test, nmr_slot_enter_wait(&slot, &call, 0), -ESHUTDOWN);
}

/* All at once */

static int storm_caller(void *arg)
{
	struct nt *nt = arg;
	struct nmr_call call;
	int calls = 0;

	while (!READ_ONCE(nt->stopping)) {
		const struct nt_dispatch *dispatch;

		cond_resched();
		if (calls & 1 ? !nmr_slot_enter(&slot, &call) :
				nmr_slot_enter_wait(&slot, &call, 1)) {
			calls ^= 1;
			continue;
		}
		dispatch = call.dispatch;
		nt_check(nt, dispatch->op(call.context, 41) == 42);
		nmr_slot_exit(&call);
		calls++;
	}
	return 0;
}

/*
 * Callers on all CPUs, while providers come and go and clients hand the slot to one another.
 * The harness checks that no call meets a provider that has been cleaned up.
 */
static void callers_survive_a_storm(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client, *provider;
	struct nt_thread *caller[4];
	int i, round;

	nt->quiet = true;
	for (i = 0; i < ARRAY_SIZE(caller); i++)
		caller[i] = nt_spawn(nt, storm_caller, nt);
	for (round = 0; round < 12; round++) {
		client = slot_client(nt);
		provider = nt_provider(nt);
		nt_pair(nt, client, provider);
		nt_await(nt, nt_entered(provider, NT_P_OP) > 1);
		nt_deregister(round & 1 ? client : provider);
		nt_leave(round & 1 ? provider : client);
		KUNIT_EXPECT_EQ(test, nt_wait(round & 1 ? client : provider), 0);
	}
	WRITE_ONCE(nt->stopping, true);
	for (i = 0; i < ARRAY_SIZE(caller); i++)
		KUNIT_EXPECT_EQ(test, nt_join(caller[i]), 0);
}

static struct kunit_case slot_cases[] = {
	KUNIT_CASE(slot_without_client_is_empty),
	KUNIT_CASE(slot_without_provider_is_empty),
	KUNIT_CASE(slot_is_empty_in_callbacks),
	KUNIT_CASE_PARAM(slot_empties_at_once, closer_gen_params),
	KUNIT_CASE(slot_serves_a_client_again),
	KUNIT_CASE(failover_fills_the_slot_again),
	KUNIT_CASE(slots_of_objects_serve_their_clients),
	KUNIT_CASE_PARAM(slot_init_finds_no_memory, init_failure_gen_params),
	KUNIT_CASE_PARAM(declined_offer_fills_no_slot, decline_gen_params),
	KUNIT_CASE_PARAM(slot_of_a_binding_that_closes_early_stays_empty, closer_gen_params),
	KUNIT_CASE(slot_stands_for_one_binding),
	KUNIT_CASE(slot_is_for_one_client),
	KUNIT_CASE_PARAM(failed_register_leaves_the_slot_free, failure_gen_params),
	KUNIT_CASE(refused_register_leaves_the_slot_free),
	KUNIT_CASE_PARAM(call_delays_cleanup, closer_gen_params),
	KUNIT_CASE_PARAM(calls_of_slot_and_binding_are_counted_together, closer_gen_params),
	KUNIT_CASE(rcu_reader_follows_the_slot),
	KUNIT_CASE_PARAM(call_is_handed_over, closer_gen_params),
	KUNIT_CASE_PARAM(calls_come_from_any_context, context_gen_params),
#ifdef DEFINE_CLASS
	KUNIT_CASE(scope_ends_the_call),
#endif
	KUNIT_CASE_PARAM(binding_waits_for_the_caller_that_backs_out, closer_gen_params),
	KUNIT_CASE_PARAM(caller_backs_out_during_the_grace_period, closer_gen_params),
	KUNIT_CASE(first_binding_waits_for_an_earlier_caller),
	KUNIT_CASE(earlier_caller_enters_the_first_binding),
	KUNIT_CASE(caller_backs_out_while_a_binding_attaches),
	KUNIT_CASE(failed_attach_waits_for_the_caller),
	KUNIT_CASE(preempted_caller_of_an_old_binding_is_refused),
	KUNIT_CASE(slot_opens_on_every_cpu),
	KUNIT_CASE(slot_opens_on_a_cpu_that_is_offline),
	KUNIT_CASE(gate_uses_counts_again),
	KUNIT_CASE(open_count_keeps_its_calls),
	KUNIT_CASE(enter_wait_of_a_filled_slot_returns),
	KUNIT_CASE(enter_wait_checks_its_arguments),
	KUNIT_CASE(enter_wait_times_out),
	KUNIT_CASE(enter_wait_waits_for_attach),
	KUNIT_CASE(enter_wait_wakes_when_the_client_leaves),
	KUNIT_CASE(enter_wait_of_a_leaving_client_is_refused),
	KUNIT_CASE(enter_wait_wakes_before_the_client_has_finished),
	KUNIT_CASE(enter_wait_is_interruptible),
	KUNIT_CASE(enter_wait_in_a_callback_is_a_deadlock),
	KUNIT_CASE(enter_wait_in_a_callback_of_others_waits),
	KUNIT_CASE(enter_wait_wakes_at_failover),
	KUNIT_CASE(enter_wait_waits_on_when_the_binding_has_closed),
	KUNIT_CASE(stray_exit_warns),
	KUNIT_CASE(stray_exit_of_a_closed_slot_warns),
	KUNIT_CASE(stray_exit_of_an_empty_slot_warns),
	KUNIT_CASE_SLOW(slot_forgets_a_client_that_has_left),
	KUNIT_CASE_SLOW(callers_survive_a_storm),
	{}
};

static struct kunit_suite slot_suite = {
	.name = "nmr_slot",
	.suite_init = nt_mount_files,
	.suite_exit = nt_unmount_files,
	.init = nt_init,
	.exit = slot_exit_case,
	.test_cases = slot_cases,
};

kunit_test_suites(&slot_suite);
