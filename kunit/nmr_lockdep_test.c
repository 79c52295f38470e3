// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deadlocks that the registrar cannot prevent, and that lockdep must report before they
 * happen. A case runs the two orders that could deadlock one after the other.
 *
 * Lockdep turns itself off after its first report, and would miss whatever comes next.
 * The suite therefore detours the function that turns lockdep off, for the task that
 * provokes the report. The detour counts reports, and lockdep prints nothing.
 */
#include <kunit/test.h>
#include <linux/bottom_half.h>
#include <linux/debug_locks.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/slab.h>

#include "detour.h"
#include "harness.h"

/* Reports */

static struct task_struct *watched;
static bool all_watched;
static int reports;

static bool is_report(struct pt_regs *regs)
{
	if (!READ_ONCE(all_watched) && current != READ_ONCE(watched))
		return false;
	reports++;
	return true;
}

static int stay_on(void)
{
	return 0;
}

static struct nt_detour detour = {
	.function	= "debug_locks_off",
	.instead	= stay_on,
	.take		= is_report,
};

static void begin_watch(void)
{
	reports = 0;
	WRITE_ONCE(watched, current);
}

/* Watch all tasks, for callbacks that run on workers. */
static void begin_watch_of_all(void)
{
	reports = 0;
	WRITE_ONCE(all_watched, true);
}

/* End the watch. Return: whether lockdep had a report. */
static bool end_watch(void)
{
	WRITE_ONCE(watched, NULL);
	WRITE_ONCE(all_watched, false);
	return reports;
}

static int begin_detour(struct kunit_resource *res, void *context)
{
	res->data = &detour;
	return nt_detour_begin(&detour);
}

static void end_detour(struct kunit_resource *res)
{
	end_watch();
	nt_detour_end(&detour);
}

static int lockdep_init_case(struct kunit *test)
{
	int err = nt_init(test);

	if (err)
		return err;
	if (!debug_locks)
		kunit_skip(test, "lockdep is off");
	return kunit_alloc_resource(test, begin_detour, end_detour, GFP_KERNEL,
				    NULL) ? 0 : -ENOENT;
}

/* Parties with a lockdep class of their own, as in real modules */

/*
 * A client and a provider that meet, and an action for one callback or call.
 *
 * @site: the places where the two register, which are their classes
 * @point: the callback or function that acts
 * @act: the action, which is passed @arg
 * @requests: the client enters a call in its attach callback, and hands it over
 * @binding: the last binding of the two
 */
struct pair {
	struct nmr_site *site[NMR_SIDES];
	guid_t npi_id;
	struct nmr_client_handle client;
	struct nmr_provider_handle provider;
	enum nt_point point;
	void (*act)(void *arg);
	void *arg;
	bool requests;
	struct nmr_binding *binding;
};

/* Make a class that lockdep does not know yet. */
static struct nmr_site *new_site(enum nmr_side side)
{
	static struct nmr_site sites[256];
	static unsigned int used;
	struct nmr_site *site;

	if (used == ARRAY_SIZE(sites))
		return NULL;
	site = &sites[used++];
	site->version = NMR_VERSION;
	site->size = side == NMR_CLIENT ? sizeof(struct nmr_client_characteristics) :
					  sizeof(struct nmr_provider_characteristics);
	site->modname = KBUILD_MODNAME;
	site->owner = THIS_MODULE;
	return site;
}

static void visit(struct pair *pair, enum nt_point point)
{
	if (pair->act && pair->point == point)
		pair->act(pair->arg);
}

static int attach_provider(struct nmr_binding *binding, void *client_context,
			   const struct nmr_registration_instance *provider)
{
	struct nmr_endpoint client = { .binding_context = client_context };
	struct pair *pair = client_context;
	int err;

	pair->binding = binding;
	visit(pair, NT_C_ATTACH);
	err = nmr_client_attach_provider(binding, &client, NULL);
	if (!err && pair->requests && nmr_client_call_enter(binding))
		nmr_client_call_handover(binding);
	visit(pair, NT_C_BOUND);
	return err;
}

static int attach_client(struct nmr_binding *binding, void *provider_context,
			 const struct nmr_registration_instance *instance,
			 const struct nmr_endpoint *client,
			 struct nmr_endpoint *provider)
{
	visit(provider_context, NT_P_ATTACH);
	provider->binding_context = provider_context;
	return 0;
}

static void client_attached(void *context)
{
	visit(context, NT_P_ATTACHED);
}

static int detach_provider(void *context, enum nmr_detach_reason reason)
{
	visit(context, NT_C_DETACH);
	return 0;
}

static int detach_client(void *context, enum nmr_detach_reason reason)
{
	visit(context, NT_P_DETACH);
	return 0;
}

static void cleanup_client(void *context)
{
	visit(context, NT_C_CLEANUP);
}

static void cleanup_provider(void *context)
{
	visit(context, NT_P_CLEANUP);
}

static int register_client(struct pair *pair)
{
	const struct nmr_client_characteristics c = {
		.attach_provider = attach_provider,
		.detach_provider = detach_provider,
		.cleanup_binding_context = cleanup_client,
		.instance.npi_id = &pair->npi_id,
		.instance.module_id = &pair->npi_id,
	};

	return __nmr_client_register(&c, pair, &pair->client, pair->site[NMR_CLIENT]);
}

static int register_provider(struct pair *pair)
{
	const struct nmr_provider_characteristics c = {
		.attach_client = attach_client,
		.client_attached = client_attached,
		.detach_client = detach_client,
		.cleanup_binding_context = cleanup_provider,
		.instance.npi_id = &pair->npi_id,
		.instance.module_id = &pair->npi_id,
	};

	return __nmr_provider_register(&c, pair, &pair->provider, pair->site[NMR_PROVIDER]);
}

static u64 id_of(struct pair *pair, enum nmr_side side)
{
	return side == NMR_CLIENT ? pair->client.id : pair->provider.id;
}

static void part(struct pair *pair)
{
	nmr_deregister_client_sync(pair->client);
	nmr_deregister_provider_sync(pair->provider);
}

static struct pair *new_pair(struct nt *nt)
{
	struct pair *pair = nt_zalloc(nt, sizeof(*pair));

	guid_gen(&pair->npi_id);
	pair->site[NMR_CLIENT] = new_site(NMR_CLIENT);
	pair->site[NMR_PROVIDER] = new_site(NMR_PROVIDER);
	KUNIT_ASSERT_NOT_NULL(nt->test, pair->site[NMR_PROVIDER]);
	return pair;
}

/* Enter the gate of a client, which must be open. */
static void enter(struct nmr_binding *binding)
{
	WARN_ON(!nmr_client_call_enter(binding));
}

static void call_both(struct pair *pair)
{
	if (nmr_client_call_enter(pair->binding)) {
		visit(pair, NT_P_OP);
		nmr_client_call_exit(pair->binding);
	}
	if (nmr_provider_call_enter(pair->binding)) {
		visit(pair, NT_C_OP);
		nmr_provider_call_exit(pair->binding);
	}
}

/* Let the pair meet, call and part, so that all its callbacks run. */
static void meet(struct kunit *test, struct pair *pair)
{
	int err = register_provider(pair);

	KUNIT_ASSERT_EQ(test, err, 0);
	err = register_client(pair);
	KUNIT_EXPECT_EQ(test, err, 0);
	if (!err) {
		call_both(pair);
		nmr_deregister_client_sync(pair->client);
	}
	nmr_deregister_provider_sync(pair->provider);
}

/*
 * A wait for a registration of a pair's class. The registration is deregistered, and a
 * call keeps it from finishing, because a wait that need not block tells lockdep nothing.
 */
struct waiting {
	struct nt *nt;
	struct pair of;
	enum nmr_side side;
	bool reported;
};

static struct waiting *waiting_for(struct nt *nt, struct pair *pair, enum nmr_side side)
{
	struct waiting *waiting = nt_zalloc(nt, sizeof(*waiting));

	waiting->nt = nt;
	waiting->of = *pair;
	waiting->of.act = NULL;		/* could deadlock; only the class matters */
	waiting->side = side;
	return waiting;
}

static void deregister(struct waiting *waiting)
{
	struct pair *pair = &waiting->of;

	guid_gen(&pair->npi_id);
	nt_check(waiting->nt, !register_provider(pair) && !register_client(pair));
	nt_check(waiting->nt, nmr_client_call_enter(pair->binding));
	nmr_client_call_handover(pair->binding);
	by_side_deregister(waiting->side, id_of(pair, waiting->side));
}

static int wait_a_jiffy(struct waiting *waiting)
{
	return by_side_wait_timeout(waiting->side, id_of(&waiting->of, waiting->side), 1);
}

static void finish(struct waiting *waiting)
{
	struct pair *pair = &waiting->of;

	nmr_client_call_exit(pair->binding);
	part(pair);
}

/* Wait for the registration, and then for both, since finish() waits as well. */
static void wait_inside(void *arg)
{
	struct waiting *waiting = arg;

	deregister(waiting);
	begin_watch();
	nt_check(waiting->nt, wait_a_jiffy(waiting) == -ETIMEDOUT);
	finish(waiting);
	waiting->reported = end_watch();
}

/* Wait for one side with @lock held. Lockdep reports an order of locks only once. */
static void wait_under_lock(struct waiting *waiting, struct mutex *lock)
{
	deregister(waiting);
	mutex_lock(lock);
	begin_watch();
	nt_check(waiting->nt, wait_a_jiffy(waiting) == -ETIMEDOUT);
	waiting->reported = end_watch();
	mutex_unlock(lock);
	finish(waiting);
}

/* Cases */

static const enum nt_point callbacks[] = {
	NT_C_ATTACH, NT_P_ATTACH, NT_P_ATTACHED,
	NT_C_DETACH, NT_P_DETACH, NT_C_CLEANUP, NT_P_CLEANUP,
	NT_C_OP, NT_P_OP
};

KUNIT_ARRAY_PARAM(callback, callbacks, nt_point_desc);

static DEFINE_MUTEX(user_lock);

static void take_user_lock(void *arg)
{
	mutex_lock(&user_lock);
	mutex_unlock(&user_lock);
}

/* Wait for a registration with a lock held that a callback or a call takes. */
static void wait_under_a_lock_that_a_callback_takes(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct pair *pair = new_pair(nt);
	enum nmr_side side;

	pair->point = *(const enum nt_point *)test->param_value;
	pair->act = take_user_lock;
	meet(test, pair);
	for (side = 0; side < NMR_SIDES; side++) {
		struct waiting *waiting = waiting_for(nt, pair, side);

		wait_inside(waiting);
		KUNIT_EXPECT_FALSE(test, waiting->reported);
		wait_under_lock(waiting, &user_lock);
		KUNIT_EXPECT_TRUE(test, waiting->reported);
	}
	KUNIT_EXPECT_TRUE(test, debug_locks);
}

/* Let two callbacks, or calls, wait for each other's registration. */
static void mutual_waits_of_callbacks(struct kunit *test)
{
	enum nt_point point = *(const enum nt_point *)test->param_value;
	struct nt *nt = test->priv;
	struct pair *pair[2] = { new_pair(nt), new_pair(nt) };
	struct waiting *waiting[2];
	int i;

	for (i = 0; i < 2; i++) {
		waiting[i] = waiting_for(nt, pair[!i], i ? NMR_PROVIDER : NMR_CLIENT);
		pair[i]->point = point;
		pair[i]->act = wait_inside;
		pair[i]->arg = waiting[i];
	}
	meet(test, pair[0]);
	meet(test, pair[0]);
	KUNIT_EXPECT_FALSE(test, waiting[0]->reported);
	meet(test, pair[1]);
	KUNIT_EXPECT_TRUE(test, waiting[1]->reported);
	KUNIT_EXPECT_TRUE(test, debug_locks);
}

/*
 * Wait, in a callback or a call, for another registration of the same class. This is no
 * deadlock: a module may register many parties from one place.
 */
static void waits_for_its_own_class(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side;

	for (side = 0; side < NMR_SIDES; side++) {
		struct pair *pair = new_pair(nt);
		struct waiting *waiting = waiting_for(nt, pair, side);

		pair->point = *(const enum nt_point *)test->param_value;
		pair->act = wait_inside;
		pair->arg = waiting;
		meet(test, pair);
		KUNIT_EXPECT_FALSE(test, waiting->reported);
	}
}

/* Calls in flight of the task that waits, for which the task would wait forever */

enum holder {
	ENTERED,	/* a call of this task */
	NESTED,		/* the outer one of two */
	HANDED_OVER,	/* a call that another task will exit */
	EXITED,		/* a call handed over, and one that has exited */
};

static const enum holder holders[] = { ENTERED, NESTED, HANDED_OVER, EXITED };

static void holder_desc(const enum holder *holder, char *desc)
{
	static const char * const names[] = {
		[ENTERED]	= "entered",
		[NESTED]	= "nested",
		[HANDED_OVER]	= "handed over",
		[EXITED]	= "exited",
	};

	strscpy(desc, names[*holder], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(holder, holders, holder_desc);

/* Enter and exit calls, of which one remains in flight so that a wait blocks. */
static void enter_as(struct nmr_binding *binding, enum holder holder)
{
	enter(binding);
	if (holder == HANDED_OVER || holder == EXITED)
		nmr_client_call_handover(binding);
	if (holder == NESTED || holder == EXITED) {
		enter(binding);
		nmr_client_call_exit(binding);
	}
}

static void wait_inside_a_call(struct kunit *test)
{
	enum holder holder = *(const enum holder *)test->param_value;
	struct nt *nt = test->priv;
	struct pair *pair = new_pair(nt);
	bool reported;

	KUNIT_ASSERT_EQ(test, register_provider(pair), 0);
	KUNIT_ASSERT_EQ(test, register_client(pair), 0);
	enter_as(pair->binding, holder);
	nmr_deregister_client(pair->client);
	begin_watch();
	KUNIT_EXPECT_EQ(test, nmr_wait_for_client_deregister_complete_timeout(pair->client, 1),
			-ETIMEDOUT);
	reported = end_watch();
	KUNIT_EXPECT_EQ(test, reported, holder == ENTERED || holder == NESTED);
	nmr_client_call_exit(pair->binding);
	part(pair);
}

/* Make more calls than lockdep can hold locks. */
static void many_calls_of_one_task(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct pair *pair[MAX_LOCK_DEPTH];
	enum nmr_side side;
	int i, n;

	for (i = 0; i < MAX_LOCK_DEPTH; i++) {
		pair[i] = nt_zalloc(nt, sizeof(*pair[i]));
		guid_gen(&pair[i]->npi_id);
		for (side = 0; side < NMR_SIDES; side++)
			pair[i]->site[side] = pair[0]->site[side] ?: new_site(side);
		KUNIT_ASSERT_EQ(test, register_provider(pair[i]), 0);
		KUNIT_ASSERT_EQ(test, register_client(pair[i]), 0);
	}
	begin_watch();
	for (i = 0; i < MAX_LOCK_DEPTH; i++)
		for (n = 0; n < (i ? 2 : 3000); n++)
			KUNIT_EXPECT_TRUE(test, nmr_client_call_enter(pair[i]->binding));
	for (i = 0; i < MAX_LOCK_DEPTH; i++)
		for (n = 0; n < (i ? 2 : 3000); n++)
			nmr_client_call_exit(pair[i]->binding);
	KUNIT_EXPECT_FALSE(test, end_watch());
	KUNIT_EXPECT_EQ(test, current->lockdep_depth, 0);
	for (i = 0; i < MAX_LOCK_DEPTH; i++)
		part(pair[i]);
}

/*
 * The cases below check that calls release what they acquired, in any order of enter,
 * handover and exit, and in any context.
 */

/* Points at which a call of the same binding can be in flight. */
static const enum nt_point requests[] = {
	NT_C_BOUND, NT_P_ATTACHED, NT_C_DETACH, NT_P_DETACH, NT_C_OP, NT_P_OP
};

KUNIT_ARRAY_PARAM(request, requests, nt_point_desc);

/*
 * A call that was handed over, and that a callback exits.
 *
 * @ambiguous: the callback runs in another call of the same binding, which lockdep cannot
 *	 distinguish from this one
 */
struct ending {
	struct nt *nt;
	struct pair *of;
	bool ambiguous;
	atomic_t calls;
};

static void end_request(void *arg)
{
	struct ending *ending = arg;
	int depth = current->lockdep_depth;

	if (atomic_dec_if_positive(&ending->calls) < 0)
		return;
	nmr_client_call_exit(ending->of->binding);
	nt_check(ending->nt, ending->ambiguous || current->lockdep_depth == depth);
}

static void callback_ends_a_request(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct pair *pair = new_pair(nt);
	struct ending ending = { .nt = nt, .of = pair, .calls = ATOMIC_INIT(1) };

	pair->requests = true;
	pair->point = *(const enum nt_point *)test->param_value;
	ending.ambiguous = pair->point == NT_C_OP || pair->point == NT_P_OP;
	pair->act = end_request;
	pair->arg = &ending;
	begin_watch_of_all();
	meet(test, pair);
	KUNIT_EXPECT_FALSE(test, end_watch());
	KUNIT_EXPECT_EQ(test, atomic_read(&ending.calls), 0);
	KUNIT_EXPECT_EQ(test, current->lockdep_depth, 0);
}

/* Exit a request of another client of the same provider in a callback. */
static void callback_ends_a_request_of_another(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct pair *pair = new_pair(nt), *other = new_pair(nt);
	struct ending ending = { .nt = nt, .of = other, .calls = ATOMIC_INIT(1) };

	other->npi_id = pair->npi_id;
	other->requests = true;
	KUNIT_ASSERT_EQ(test, register_provider(pair), 0);
	KUNIT_ASSERT_EQ(test, register_client(other), 0);

	pair->point = *(const enum nt_point *)test->param_value;
	pair->act = end_request;
	pair->arg = &ending;
	begin_watch_of_all();
	KUNIT_EXPECT_EQ(test, register_client(pair), 0);
	call_both(pair);
	nmr_deregister_client_sync(pair->client);
	KUNIT_EXPECT_FALSE(test, end_watch());
	KUNIT_EXPECT_EQ(test, atomic_read(&ending.calls), 0);
	KUNIT_EXPECT_EQ(test, current->lockdep_depth, 0);
	nmr_deregister_client_sync(other->client);
	nmr_deregister_provider_sync(pair->provider);
}

/* Tasks that hold many locks, so that lockdep has little room left */

#define OWN_ROOM	(MAX_LOCK_DEPTH / 2)

static struct lockdep_map filler = STATIC_LOCKDEP_MAP_INIT("nmr_kunit:filler", &filler);

static void fill_room(void)
{
	int i;

	for (i = 0; i < OWN_ROOM; i++)
		lock_acquire(&filler, 0, 1, 2, 0, NULL, _THIS_IP_);
}

static void clear_room(void)
{
	int i;

	for (i = 0; i < OWN_ROOM; i++)
		lock_release(&filler, _THIS_IP_);
}

/* Expect that the callback has acquired nothing, and release the locks of the task. */
static void clear_room_inside(void *arg)
{
	struct nt *nt = arg;

	nt_check(nt, current->lockdep_depth == OWN_ROOM);
	clear_room();
}

static void callback_leaves_room(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct pair *pair = new_pair(nt);

	KUNIT_ASSERT_EQ(test, register_provider(pair), 0);
	pair->point = NT_P_ATTACH;
	pair->act = clear_room_inside;
	pair->arg = nt;
	begin_watch();
	fill_room();
	KUNIT_EXPECT_EQ(test, register_client(pair), 0);
	KUNIT_EXPECT_EQ(test, current->lockdep_depth, 0);
	KUNIT_EXPECT_FALSE(test, end_watch());
	part(pair);
}

/* Enter one call without room for its locks, and one with room. */
static void calls_leave_room(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct pair *pair = new_pair(nt);
	int first;

	KUNIT_ASSERT_EQ(test, register_provider(pair), 0);
	KUNIT_ASSERT_EQ(test, register_client(pair), 0);
	begin_watch();
	for (first = 0; first < 2; first++) {
		if (first)
			enter(pair->binding);
		fill_room();
		enter(pair->binding);
		KUNIT_EXPECT_LE(test, current->lockdep_depth, OWN_ROOM + 3);
		clear_room();
		if (!first)
			enter(pair->binding);
		nmr_client_call_exit(pair->binding);
		nmr_client_call_exit(pair->binding);
		KUNIT_EXPECT_EQ(test, current->lockdep_depth, 0);
	}
	KUNIT_EXPECT_FALSE(test, end_watch());
	part(pair);
}

/* Interrupts and the calls of a task */

enum over {
	HARDIRQ,
	HARDIRQ_LOCKED,		/* with a lock held in the interrupt */
	SOFTIRQ,
	SOFTIRQ_LOCKED,
	OVERS
};

static const enum over overs[] = { HARDIRQ, HARDIRQ_LOCKED, SOFTIRQ, SOFTIRQ_LOCKED };

static void over_desc(const enum over *over, char *desc)
{
	static const char * const names[OVERS] = {
		[HARDIRQ]		= "hardirq",
		[HARDIRQ_LOCKED]	= "hardirq, locked",
		[SOFTIRQ]		= "softirq",
		[SOFTIRQ_LOCKED]	= "softirq, locked",
	};

	strscpy(desc, names[*over], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(over, overs, over_desc);

/* An interrupt of @task, which runs @fn. */
struct interruption {
	struct irq_work irq_work;
	struct tasklet_struct tasklet;
	struct task_struct *task;
	bool locked;
	void (*fn)(struct nmr_binding *binding);
	struct nmr_binding *binding;
	bool over_the_task;
	bool done;
};

static DEFINE_RAW_SPINLOCK(interrupt_lock);

static void interrupt(struct interruption *this)
{
	unsigned long flags;

	this->over_the_task = current == this->task;
	if (this->locked) {
		raw_spin_lock_irqsave(&interrupt_lock, flags);
		this->fn(this->binding);
		raw_spin_unlock_irqrestore(&interrupt_lock, flags);
	} else {
		this->fn(this->binding);
	}
	/* Pairs with interrupt_with(). */
	smp_store_release(&this->done, true);
}

static void interrupt_hard(struct irq_work *work)
{
	interrupt(container_of(work, struct interruption, irq_work));
}

static void interrupt_soft(struct tasklet_struct *tasklet)
{
	interrupt(container_of(tasklet, struct interruption, tasklet));
}

/* Run @fn in an interrupt. Return: whether it interrupted this task. */
static bool interrupt_with(void (*fn)(struct nmr_binding *binding),
			   struct nmr_binding *binding, enum over over)
{
	struct interruption this = {
		.irq_work = IRQ_WORK_INIT_HARD(interrupt_hard),
		.task = current, .fn = fn, .binding = binding,
		.locked = over == HARDIRQ_LOCKED || over == SOFTIRQ_LOCKED,
	};

	if (over == SOFTIRQ || over == SOFTIRQ_LOCKED) {
		tasklet_setup(&this.tasklet, interrupt_soft);
		local_bh_disable();
		tasklet_schedule(&this.tasklet);
		local_bh_enable();
		tasklet_kill(&this.tasklet);
	} else {
		preempt_disable();
		irq_work_queue(&this.irq_work);
		/* Pairs with interrupt(). */
		while (!smp_load_acquire(&this.done))
			cpu_relax();
		preempt_enable();
		irq_work_sync(&this.irq_work);
	}
	return this.over_the_task;
}

/* Exit a request in an interrupt, with and without a lock that the task holds. */
static void interrupt_ends_a_request(struct kunit *test)
{
	static DEFINE_MUTEX(lock);
	enum over over = *(const enum over *)test->param_value;
	struct nt *nt = test->priv;
	struct pair *pair = new_pair(nt);
	int locked, depth;

	pair->requests = true;
	KUNIT_ASSERT_EQ(test, register_provider(pair), 0);
	KUNIT_ASSERT_EQ(test, register_client(pair), 0);
	begin_watch();
	for (locked = 0; locked < 2; locked++) {
		KUNIT_EXPECT_TRUE(test, nmr_client_call_enter(pair->binding));
		if (locked)
			mutex_lock(&lock);
		depth = current->lockdep_depth;
		KUNIT_EXPECT_TRUE(test, interrupt_with(nmr_client_call_exit, pair->binding,
						       over));
		KUNIT_EXPECT_EQ(test, current->lockdep_depth, depth);
		KUNIT_EXPECT_TRUE(test, interrupt_with(enter, pair->binding, over));
		KUNIT_EXPECT_EQ(test, current->lockdep_depth, depth);
		if (locked)
			mutex_unlock(&lock);
		nmr_client_call_exit(pair->binding);
		KUNIT_EXPECT_EQ(test, current->lockdep_depth, 0);
	}
	KUNIT_EXPECT_FALSE(test, end_watch());
	nmr_client_call_exit(pair->binding);
	part(pair);
}

/* Wait inside a call after an interrupt has exited another call of the binding. */
static void wait_inside_a_call_that_was_interrupted(struct kunit *test)
{
	enum over over = *(const enum over *)test->param_value;
	struct nt *nt = test->priv;
	struct pair *pair = new_pair(nt);

	pair->requests = true;
	KUNIT_ASSERT_EQ(test, register_provider(pair), 0);
	KUNIT_ASSERT_EQ(test, register_client(pair), 0);
	KUNIT_EXPECT_TRUE(test, nmr_client_call_enter(pair->binding));
	KUNIT_EXPECT_TRUE(test, interrupt_with(nmr_client_call_exit, pair->binding, over));
	nmr_deregister_client(pair->client);
	begin_watch();
	KUNIT_EXPECT_EQ(test, nmr_wait_for_client_deregister_complete_timeout(pair->client, 1),
			-ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, end_watch());
	nmr_client_call_exit(pair->binding);
	part(pair);
}

/* Several bindings of one client or one provider */

#define CROWD	3

/* @one: the pair with the party that all bindings share */
struct crowd {
	struct pair *one;
	struct pair *pair[CROWD];
	enum nmr_side side;
};

static int register_side(struct pair *pair, enum nmr_side side)
{
	return side == NMR_CLIENT ? register_client(pair) : register_provider(pair);
}

static void leave(struct pair *pair, enum nmr_side side)
{
	by_side_sync(side, id_of(pair, side));
}

static struct crowd *new_crowd(struct kunit *test, enum nmr_side side)
{
	struct nt *nt = test->priv;
	struct crowd *crowd = nt_zalloc(nt, sizeof(*crowd));
	int i;

	crowd->side = side;
	crowd->one = new_pair(nt);
	KUNIT_ASSERT_EQ(test, register_side(crowd->one, side), 0);
	for (i = 0; i < CROWD; i++) {
		crowd->pair[i] = new_pair(nt);
		crowd->pair[i]->npi_id = crowd->one->npi_id;
		KUNIT_ASSERT_EQ(test, register_side(crowd->pair[i], nt_peer(side)), 0);
		if (side == NMR_CLIENT)
			crowd->pair[i]->binding = crowd->one->binding;
	}
	return crowd;
}

static void disband(struct crowd *crowd)
{
	int i;

	for (i = 0; i < CROWD; i++)
		leave(crowd->pair[i], nt_peer(crowd->side));
	leave(crowd->one, crowd->side);
}

/* Enter the next call before the previous one exits. */
static void calls_hand_over_hand(struct kunit *test)
{
	struct crowd *crowd = new_crowd(test, nt_param_side(test));
	int i;

	begin_watch();
	enter(crowd->pair[0]->binding);
	for (i = 1; i < CROWD; i++) {
		enter(crowd->pair[i]->binding);
		nmr_client_call_exit(crowd->pair[i - 1]->binding);
	}
	nmr_client_call_exit(crowd->pair[CROWD - 1]->binding);
	KUNIT_EXPECT_FALSE(test, end_watch());
	KUNIT_EXPECT_EQ(test, current->lockdep_depth, 0);
	disband(crowd);
}

/* Exit a request of one binding inside a call of another. */
static void call_ends_a_request_of_another(struct kunit *test)
{
	struct crowd *crowd = new_crowd(test, nt_param_side(test));
	int i;

	begin_watch();
	for (i = 0; i < CROWD; i++) {
		enter(crowd->pair[i]->binding);
		nmr_client_call_handover(crowd->pair[i]->binding);
	}
	for (i = 0; i < CROWD; i++) {
		int depth;

		enter(crowd->pair[i]->binding);
		depth = current->lockdep_depth;
		nmr_client_call_exit(crowd->pair[(i + 1) % CROWD]->binding);
		KUNIT_EXPECT_EQ(test, current->lockdep_depth, depth);
		nmr_client_call_exit(crowd->pair[i]->binding);
		KUNIT_EXPECT_EQ(test, current->lockdep_depth, 0);
	}
	KUNIT_EXPECT_FALSE(test, end_watch());
	disband(crowd);
}

/*
 * A random sequence of calls.
 *
 * @own: calls of each binding that the task has entered
 * @handed: those that were handed over, or entered in an interrupt
 */
struct walk {
	struct rnd_state rnd;
	struct crowd *crowd;
	int own[CROWD];
	int handed[CROWD];
	int depth;
};

enum step {
	ENTER,
	EXIT,
	HAND_OVER,
	EXIT_HANDED,
	ENTER_IN_INTERRUPT,
	EXIT_IN_INTERRUPT,
	STEPS
};

static bool may_step(const struct walk *walk, enum step step, int i)
{
	if (step == EXIT || step == HAND_OVER)
		return walk->own[i];
	if (step == EXIT_HANDED || step == EXIT_IN_INTERRUPT)
		return walk->handed[i];
	return true;
}

static void take_step(struct walk *walk, enum step step, int i)
{
	struct nmr_binding *binding = walk->crowd->pair[i]->binding;
	enum over over = overs[prandom_u32_state(&walk->rnd) % OVERS];

	switch (step) {
	case ENTER:
		enter(binding);
		walk->own[i]++;
		break;
	case EXIT:
		nmr_client_call_exit(binding);
		walk->own[i]--;
		break;
	case HAND_OVER:
		nmr_client_call_handover(binding);
		walk->own[i]--;
		walk->handed[i]++;
		break;
	case EXIT_HANDED:
		nmr_client_call_exit(binding);
		walk->handed[i]--;
		break;
	case ENTER_IN_INTERRUPT:
		interrupt_with(enter, binding, over);
		walk->handed[i]++;
		break;
	case EXIT_IN_INTERRUPT:
		interrupt_with(nmr_client_call_exit, binding, over);
		walk->handed[i]--;
		break;
	default:
		break;
	}
}

/* Take random steps, also beyond the room that lockdep has, and exit all calls. */
static void walk_on(struct walk *walk, int steps)
{
	int i, n;

	while (steps--) {
		enum step step = prandom_u32_state(&walk->rnd) % STEPS;

		i = prandom_u32_state(&walk->rnd) % CROWD;
		if (may_step(walk, step, i))
			take_step(walk, step, i);
		for (n = 0; n < 3 * CROWD && steps % 100 < 20; n++)
			take_step(walk, ENTER, n % CROWD);
	}
	for (i = 0; i < CROWD; i++) {
		while (walk->own[i])
			take_step(walk, EXIT, i);
		while (walk->handed[i])
			take_step(walk, EXIT_HANDED, i);
	}
}

static void calls_in_any_order(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct walk *walk = nt_zalloc(nt, sizeof(*walk));
	int round;

	walk->crowd = new_crowd(test, nt_param_side(test));
	prandom_seed_state(&walk->rnd, 4711);
	begin_watch();
	for (round = 0; round < 20; round++) {
		walk_on(walk, 10 * round);
		KUNIT_EXPECT_EQ(test, current->lockdep_depth, 0);
	}
	KUNIT_EXPECT_FALSE(test, end_watch());
	disband(walk->crowd);
}

static void free_map(void *map)
{
	kfree(map);
}

/*
 * Wait with a lock in the task's list of held locks that has been freed. A lock stays in
 * the list forever if it is held when lockdep turns itself off.
 */
static void wait_with_a_lock_that_is_gone(struct kunit *test)
{
	static struct lock_class_key key;
	struct nt *nt = test->priv;
	struct waiting *waiting = waiting_for(nt, new_pair(nt), NMR_CLIENT);
	struct lockdep_map *map = kzalloc(sizeof(*map), GFP_KERNEL);
	u64 chain = current->curr_chain_key;

	KUNIT_ASSERT_NOT_NULL(test, map);
	deregister(waiting);
	lockdep_init_map(map, "gone", &key, 0);
	lock_map_acquire(map);
	/* Another task frees it: lockdep reports a task that frees a lock it holds. */
	nt_run_in(nt, NT_KTHREAD, free_map, map);
	begin_watch();
	KUNIT_EXPECT_EQ(test, wait_a_jiffy(waiting), -ETIMEDOUT);
	KUNIT_EXPECT_FALSE(test, end_watch());
	current->lockdep_depth--;
	current->curr_chain_key = chain;
	finish(waiting);
}

static struct kunit_case nmr_lockdep_cases[] = {
	KUNIT_CASE_PARAM(wait_under_a_lock_that_a_callback_takes, callback_gen_params),
	KUNIT_CASE_PARAM(mutual_waits_of_callbacks, callback_gen_params),
	KUNIT_CASE_PARAM(waits_for_its_own_class, callback_gen_params),
	KUNIT_CASE_PARAM(wait_inside_a_call, holder_gen_params),
	KUNIT_CASE(many_calls_of_one_task),
	KUNIT_CASE_PARAM(callback_ends_a_request, request_gen_params),
	KUNIT_CASE_PARAM(callback_ends_a_request_of_another, callback_gen_params),
	KUNIT_CASE(callback_leaves_room),
	KUNIT_CASE(calls_leave_room),
	KUNIT_CASE_PARAM(interrupt_ends_a_request, over_gen_params),
	KUNIT_CASE_PARAM(wait_inside_a_call_that_was_interrupted, over_gen_params),
	KUNIT_CASE_PARAM(calls_hand_over_hand, nt_side_gen_params),
	KUNIT_CASE_PARAM(call_ends_a_request_of_another, nt_side_gen_params),
	KUNIT_CASE_PARAM(calls_in_any_order, nt_side_gen_params),
	KUNIT_CASE(wait_with_a_lock_that_is_gone),
	{}
};

static struct kunit_suite nmr_lockdep_suite = {
	.name = "nmr_lockdep",
	.init = lockdep_init_case,
	.test_cases = nmr_lockdep_cases,
};

kunit_test_suite(nmr_lockdep_suite);
