// SPDX-License-Identifier: GPL-2.0
/*
 * Deadlocks that the registrar cannot prevent, and lockdep is to report before they
 * happen: the two orders that together could hang come one after the other here.
 *
 * After its first report lockdep turns itself off, and would be blind to whatever is
 * tested next. So the function that does that is detoured for the task that provokes
 * the report: nothing is printed, nothing is turned off, the reports are counted.
 */
#include <kunit/test.h>
#include <linux/debug_locks.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>

#include "detour.h"
#include "harness.h"

/* Reports */

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

/* Return: whether lockdep had something to say. */
static bool end_watch(void)
{
	WRITE_ONCE(watched, NULL);
	return reports;
}

static int begin_detour(struct kunit_resource *res, void *context)
{
	res->data = &detour;
	return nt_detour_begin(&detour);
}

static void end_detour(struct kunit_resource *res)
{
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

/* Parties whose registrations are each a class of their own, as in real modules. */

/*
 * A client and a provider that meet. One callback, or a call, is given something to do.
 *
 * @site: where the two register: their classes
 * @point: which callback, or whose function
 * @act: what it does, with @arg
 * @binding: the last one
 */
struct pair {
	struct nmr_site *site[NMR_SIDES];
	guid_t npi_id;
	struct nmr_client_handle client;
	struct nmr_provider_handle provider;
	enum nt_point point;
	void (*act)(void *arg);
	void *arg;
	struct nmr_binding *binding;
};

/* Each case begins with classes that lockdep does not know yet. */
static struct nmr_site *new_site(enum nmr_side side)
{
	static struct nmr_site sites[192];
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

	pair->binding = binding;
	visit(pair, NT_C_ATTACH);
	return nmr_client_attach_provider(binding, &client, NULL);
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

static struct pair *new_pair(struct nt *nt)
{
	struct pair *pair = nt_zalloc(nt, sizeof(*pair));

	guid_gen(&pair->npi_id);
	pair->site[NMR_CLIENT] = new_site(NMR_CLIENT);
	pair->site[NMR_PROVIDER] = new_site(NMR_PROVIDER);
	KUNIT_ASSERT_NOT_NULL(nt->test, pair->site[NMR_PROVIDER]);
	return pair;
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

/* The pair meets, calls and parts, and all of its callbacks run. */
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
 * A wait for a registration of this pair's class. It is deregistered and bound, and a
 * call keeps it from finishing: a wait that need not wait tells lockdep nothing.
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
	waiting->of.act = NULL;		/* the class matters; its own could hang */
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
	if (waiting->side == NMR_CLIENT)
		nmr_deregister_client(pair->client);
	else
		nmr_deregister_provider(pair->provider);
}

static int wait_a_jiffy(struct waiting *waiting)
{
	struct pair *pair = &waiting->of;

	if (waiting->side == NMR_CLIENT)
		return nmr_wait_for_client_deregister_complete_timeout(pair->client, 1);
	return nmr_wait_for_provider_deregister_complete_timeout(pair->provider, 1);
}

static void finish(struct waiting *waiting)
{
	struct pair *pair = &waiting->of;

	nmr_client_call_exit(pair->binding);
	nmr_deregister_client_sync(pair->client);
	nmr_deregister_provider_sync(pair->provider);
}

/* The end of it is a wait, too, and of both. */
static void wait_inside(void *arg)
{
	struct waiting *waiting = arg;

	deregister(waiting);
	begin_watch();
	nt_check(waiting->nt, wait_a_jiffy(waiting) == -ETIMEDOUT);
	finish(waiting);
	waiting->reported = end_watch();
}

/* Of one side only: lockdep reports an order of locks once, the first time. */
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

static void callback_desc(const enum nt_point *point, char *desc)
{
	static const char * const names[] = {
		[NT_C_ATTACH]	= "client attach",
		[NT_P_ATTACH]	= "provider attach",
		[NT_P_ATTACHED]	= "client_attached",
		[NT_C_DETACH]	= "client detach",
		[NT_P_DETACH]	= "provider detach",
		[NT_C_CLEANUP]	= "client cleanup",
		[NT_P_CLEANUP]	= "provider cleanup",
		[NT_C_OP]	= "call of the client",
		[NT_P_OP]	= "call of the provider",
	};

	strscpy(desc, names[*point], KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(callback, callbacks, callback_desc);

static DEFINE_MUTEX(user_lock);

static void take_user_lock(void *arg)
{
	mutex_lock(&user_lock);
	mutex_unlock(&user_lock);
}

/* Who holds a lock that a callback or a call takes must not wait for it, on any side. */
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

/* Two callbacks, or calls, that each wait for the other one's registration. */
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
 * A module that registers many from one place may let one of them wait for another, in
 * a callback or a call: they are one class, but not one registration.
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

/* Calls in flight of the task that waits: it would wait for itself. */

enum holder {
	ENTERED,	/* a call of this task */
	NESTED,		/* the outer one of two */
	HANDED_OVER,	/* a call that will end elsewhere */
	EXITED,		/* the same, and one that has ended */
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

/* One call is in flight afterwards; or the wait would end at once. */
static void enter_as(struct nmr_binding *binding, enum holder holder)
{
	WARN_ON(!nmr_client_call_enter(binding));
	if (holder == HANDED_OVER || holder == EXITED)
		nmr_client_call_handover(binding);
	if (holder == NESTED || holder == EXITED) {
		WARN_ON(!nmr_client_call_enter(binding));
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
	nmr_deregister_client_sync(pair->client);
	nmr_deregister_provider_sync(pair->provider);
}

/* More calls than lockdep has room for are calls all the same. */
static void many_calls_of_one_task(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct pair *pair[MAX_LOCK_DEPTH];
	int i, n;

	for (i = 0; i < MAX_LOCK_DEPTH; i++) {
		pair[i] = nt_zalloc(nt, sizeof(*pair[i]));
		guid_gen(&pair[i]->npi_id);
		pair[i]->site[NMR_CLIENT] = pair[0]->site[NMR_CLIENT] ?: new_site(NMR_CLIENT);
		pair[i]->site[NMR_PROVIDER] = pair[0]->site[NMR_PROVIDER] ?: new_site(NMR_PROVIDER);
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
	for (i = 0; i < MAX_LOCK_DEPTH; i++) {
		nmr_deregister_client_sync(pair[i]->client);
		nmr_deregister_provider_sync(pair[i]->provider);
	}
}

static struct kunit_case nmr_lockdep_cases[] = {
	KUNIT_CASE_PARAM(wait_under_a_lock_that_a_callback_takes, callback_gen_params),
	KUNIT_CASE_PARAM(mutual_waits_of_callbacks, callback_gen_params),
	KUNIT_CASE_PARAM(waits_for_its_own_class, callback_gen_params),
	KUNIT_CASE_PARAM(wait_inside_a_call, holder_gen_params),
	KUNIT_CASE(many_calls_of_one_task),
	{}
};

static struct kunit_suite nmr_lockdep_suite = {
	.name = "nmr_lockdep",
	.init = lockdep_init_case,
	.test_cases = nmr_lockdep_cases,
};

kunit_test_suite(nmr_lockdep_suite);
