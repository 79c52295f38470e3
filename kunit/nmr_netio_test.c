// SPDX-License-Identifier: GPL-2.0-only
/*
 * The documented interface of the Windows registrar: ported and native modules meet, refuse, leave
 * with a detach pending, and misuse their handles.
 */
#include <kunit/test.h>
#include <linux/limits.h>

#include "netio_party.h"
#include "racers.h"

/* How many objects of the layer a party has: its registration, and its half of a binding */
static int objects_of(struct np *np, bool bound)
{
	return np->native ? 0 : 1 + bound;
}

static void expect_trace(struct kunit *test, const char *trace)
{
	KUNIT_EXPECT_STREQ(test, np_trace(), trace);
}

/* Meeting and leaving */

struct meeting {
	const char *name;
	bool native[NMR_SIDES];
	enum nmr_side first;
	enum nmr_side leaver;
};

static const struct meeting meetings[] = {
	{ "native, native, client first, client leaves", { true, true }, NMR_CLIENT, NMR_CLIENT },
	{ "native, native, provider first, provider leaves", { true, true }, NMR_PROVIDER,
	  NMR_PROVIDER },
	{ "ported, ported, client first, client leaves", {}, NMR_CLIENT, NMR_CLIENT },
	{ "ported, ported, client first, provider leaves", {}, NMR_CLIENT, NMR_PROVIDER },
	{ "ported, ported, provider first, client leaves", {}, NMR_PROVIDER, NMR_CLIENT },
	{ "ported, ported, provider first, provider leaves", {}, NMR_PROVIDER, NMR_PROVIDER },
	{ "ported, native, client first, client leaves", { false, true }, NMR_CLIENT, NMR_CLIENT },
	{ "ported, native, client first, provider leaves", { false, true }, NMR_CLIENT,
	  NMR_PROVIDER },
	{ "ported, native, provider first, client leaves", { false, true }, NMR_PROVIDER,
	  NMR_CLIENT },
	{ "ported, native, provider first, provider leaves", { false, true }, NMR_PROVIDER,
	  NMR_PROVIDER },
	{ "native, ported, client first, client leaves", { true, false }, NMR_CLIENT, NMR_CLIENT },
	{ "native, ported, client first, provider leaves", { true, false }, NMR_CLIENT,
	  NMR_PROVIDER },
	{ "native, ported, provider first, client leaves", { true, false }, NMR_PROVIDER,
	  NMR_CLIENT },
	{ "native, ported, provider first, provider leaves", { true, false }, NMR_PROVIDER,
	  NMR_PROVIDER },
};

NT_PARAM(meeting, meetings);

/* Expect that a ported party has seen its peer as it is. */
static void expect_instance(struct kunit *test, struct np *np)
{
	struct np *peer = np_peer(np);

	KUNIT_EXPECT_EQ(test, np->peer.Number, peer->number);
	KUNIT_EXPECT_GE(test, np->peer.Size, (USHORT)sizeof(np->peer));
	KUNIT_EXPECT_EQ(test, np->peer.Version, peer->native ? 0 : peer->version);
	KUNIT_EXPECT_PTR_EQ(test, np->peer.NpiSpecificCharacteristics, (CONST VOID *)peer);
	KUNIT_EXPECT_GE(test, np->peer_module_id.Length, (USHORT)sizeof(NPI_MODULEID));
	KUNIT_EXPECT_TRUE(test, NmrIsEqualNpiModuleId(&np->peer_module_id, &peer->module_id));
}

static void expect_seen(struct kunit *test, struct np *np)
{
	struct np *peer = np_peer(np);

	KUNIT_EXPECT_PTR_EQ(test, np->peer_context, peer->context);
	KUNIT_EXPECT_PTR_EQ(test, np->peer_dispatch, peer->dispatch);
	if (np->native) {
		KUNIT_EXPECT_EQ(test, np->peer.Number, peer->number);
		return;
	}
	KUNIT_EXPECT_NOT_NULL(test, np->seen_handle);
	KUNIT_EXPECT_PTR_EQ(test, np->seen_handle, np->handle);
	expect_instance(test, np);
}

/* Have the two meet, and expect a binding. */
static void meet(struct kunit *test, enum nmr_side first)
{
	struct np *np = first == NMR_CLIENT ? np_client() : np_provider();

	np_join(test, np);
	np_join(test, np_peer(np));
	KUNIT_ASSERT_EQ(test, atomic_read(&np_client()->attaches), 1);
	KUNIT_ASSERT_EQ(test, atomic_read(&np_provider()->attaches), 1);
	np_expect_objects(test, objects_of(np_client(), true) + objects_of(np_provider(), true));
}

/* Have both leave, and expect one detach and one cleanup of each. */
static void part(struct kunit *test, enum nmr_side leaver)
{
	struct np *np = leaver == NMR_CLIENT ? np_client() : np_provider();

	np_leave(test, np);
	np_expect_objects(test, objects_of(np_peer(np), false));
	np_leave(test, np_peer(np));
	np_expect_objects(test, 0);
}

static void pair_meets_and_leaves(struct kunit *test)
{
	const struct meeting *param = test->param_value;

	np_client()->native = param->native[NMR_CLIENT];
	np_provider()->native = param->native[NMR_PROVIDER];
	meet(test, param->first);
	expect_seen(test, np_client());
	expect_seen(test, np_provider());
	part(test, param->leaver);
	expect_trace(test, "ABDEXY");
}

/* Without a peer there is no callback. */
static void lone_party_comes_and_goes(struct kunit *test)
{
	struct np *np = nt_param_side(test) == NMR_CLIENT ? np_client() : np_provider();

	np_join(test, np);
	np_expect_objects(test, 1);
	np_leave(test, np);
	np_expect_objects(test, 0);
	expect_trace(test, "");
}

/* A LUID crosses as it is between ported modules, and as a GUID to a native one and back. */
static void luids_cross(struct kunit *test)
{
	struct np *client = np_client(), *provider = np_provider();
	NPI_MODULEID luid = {
		.Length = sizeof(luid), .Type = MIT_IF_LUID,
		.IfLuid = { 0x89abcdef, -2 },
	};

	client->module_id = luid;
	meet(test, NMR_PROVIDER);
	expect_instance(test, provider);
	part(test, NMR_PROVIDER);

	provider->native = true;
	np_join(test, client);
	np_join(test, provider);
	part(test, NMR_CLIENT);
	provider->guid = provider->peer_guid;
	np_join(test, client);
	np_join(test, provider);
	KUNIT_EXPECT_TRUE(test, NmrIsEqualNpiModuleId(&client->peer_module_id, &luid));
	part(test, NMR_CLIENT);
}

static void module_ids_compare(struct kunit *test)
{
	NPI_MODULEID a = { .Length = sizeof(a), .Type = MIT_GUID, .Guid = { 1, 2, 3, { 4 } } };
	NPI_MODULEID b = a;

	KUNIT_EXPECT_TRUE(test, NmrIsEqualNpiModuleId(&a, &b));
	b.Guid.Data4[7] = 1;
	KUNIT_EXPECT_FALSE(test, NmrIsEqualNpiModuleId(&a, &b));
	a.Type = MIT_IF_LUID;
	KUNIT_EXPECT_FALSE(test, NmrIsEqualNpiModuleId(&a, &b));
	b.Type = MIT_IF_LUID;
	KUNIT_EXPECT_TRUE(test, NmrIsEqualNpiModuleId(&a, &b));
	a.IfLuid.HighPart = -1;
	KUNIT_EXPECT_FALSE(test, NmrIsEqualNpiModuleId(&a, &b));
}

/* Pass contexts that are no pointers, that are NULL, and that are equal. */
static void contexts_may_be_anything(struct kunit *test)
{
	static const unsigned long contexts[][NMR_SIDES] = {
		{ 0, 0 }, { 0, 1 }, { 1, 0 }, { 5, 5 }, { ULONG_MAX, 2 },
	};
	static const bool native[][NMR_SIDES] = {
		{ false, false }, { false, true }, { true, false },
	};
	struct np *client = np_client(), *provider = np_provider();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(contexts) * ARRAY_SIZE(native); i++) {
		client->native = native[i / ARRAY_SIZE(contexts)][NMR_CLIENT];
		provider->native = native[i / ARRAY_SIZE(contexts)][NMR_PROVIDER];
		client->context = (PVOID)contexts[i % ARRAY_SIZE(contexts)][NMR_CLIENT];
		provider->context = (PVOID)contexts[i % ARRAY_SIZE(contexts)][NMR_PROVIDER];
		np_join(test, client);
		np_join(test, provider);
		expect_seen(test, client);
		expect_seen(test, provider);
		part(test, i % NMR_SIDES);
	}
	KUNIT_EXPECT_EQ(test, atomic_read(&client->cleanups), i);
	KUNIT_EXPECT_EQ(test, atomic_read(&provider->cleanups), i);
}

static void cleanup_may_be_null(struct kunit *test)
{
	np_client()->no_cleanup = true;
	np_provider()->no_cleanup = true;
	meet(test, NMR_CLIENT);
	part(test, NMR_PROVIDER);
	expect_trace(test, "ABDE");
}

DEFINE_NMR_SLOT(netio_slot);

static int look_at_call(const struct nmr_call *call, void *peer)
{
	struct np *np = peer;

	nt_check(np->nt, call->context == np->context);
	nt_check(np->nt, call->dispatch == np->dispatch);
	return 0;
}

/* The slot and the walk of a native peer have the context of the ported module. */
static void calls_have_the_contexts_of_the_port(struct kunit *test)
{
	struct np *client = np_client(), *provider = np_provider();
	struct nmr_provider_handle handle;
	struct nmr_call call;

	client->native = true;
	client->slot = &netio_slot;
	meet(test, NMR_CLIENT);
	KUNIT_ASSERT_TRUE(test, nmr_slot_enter(&netio_slot, &call));
	look_at_call(&call, provider);
	nmr_slot_exit(&call);
	part(test, NMR_CLIENT);

	client->native = false;
	np_join(test, client);
	np_join(test, provider);
	handle = NmrLinuxProviderHandle(provider->handle);
	KUNIT_EXPECT_EQ(test, nmr_provider_for_each_client(handle, look_at_call, client), 0);
	part(test, NMR_CLIENT);
}

/* Layers in general: the two functions of nmr.ko that this layer uses */

/* The callbacks of a side get the context that it has set, and the peer gets the other. */
static void side_sets_its_context(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *np = side == NMR_CLIENT ? np_client() : np_provider();

	np->native = true;
	np_peer(np)->native = true;
	np->layer = &np->layer;
	meet(test, NMR_CLIENT);
	KUNIT_EXPECT_PTR_EQ(test, np_peer(np)->peer_context, np->context);
	part(test, side);
	expect_trace(test, "ABDEXY");
}

/* A layer finds the registrations that have its attach callback, and no others. */
static void only_kin_is_found(struct kunit *test)
{
	struct np *client = np_client(), *provider = np_provider();

	client->native = true;
	provider->native = true;
	meet(test, NMR_CLIENT);
	KUNIT_EXPECT_PTR_EQ(test, client->kin, (void *)provider);
	KUNIT_EXPECT_PTR_EQ(test, provider->kin, (void *)client);
	part(test, NMR_CLIENT);

	provider->native = false;
	np_join(test, client);
	np_join(test, provider);
	KUNIT_EXPECT_NULL(test, client->kin);
	part(test, NMR_CLIENT);
	client->native = false;
	provider->native = true;
	np_join(test, client);
	np_join(test, provider);
	KUNIT_EXPECT_NULL(test, provider->kin);
	part(test, NMR_CLIENT);
}

/* Pending */

static int wait_thread(void *arg)
{
	return np_wait(arg);
}

static bool both_told(void)
{
	return atomic_read(&np_client()->detaches) && atomic_read(&np_provider()->detaches);
}

static void expect_no_cleanup(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, atomic_read(&np_client()->cleanups), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&np_provider()->cleanups), 0);
}

static const enum nt_context contexts[] = {
	NT_TASK, NT_KTHREAD, NT_SOFTIRQ, NT_HARDIRQ, NT_RCU_CALLBACK, NT_RAW_LOCK,
};

KUNIT_ARRAY_PARAM(context, contexts, nt_context_desc);

static void pending_detach_is_completed(struct kunit *test)
{
	enum nt_context context = *(const enum nt_context *)test->param_value;
	struct np *client = np_client(), *provider = np_provider();
	struct nt *nt = test->priv;
	struct nt_thread *thread;

	client->detach = STATUS_PENDING;
	provider->detach = STATUS_PENDING;
	meet(test, NMR_PROVIDER);
	KUNIT_EXPECT_EQ(test, np_deregister(provider), STATUS_PENDING);
	nt_await(nt, both_told());
	thread = nt_spawn(nt, wait_thread, provider);
	nt_await_idle(nt, thread->task);
	expect_no_cleanup(test);
	nt_run_in(nt, context, np_complete, client);
	expect_no_cleanup(test);
	KUNIT_EXPECT_FALSE(test, nt_finished(thread));
	nt_run_in(nt, context, np_complete, provider);
	KUNIT_EXPECT_EQ(test, nt_join(thread), STATUS_SUCCESS);
	np_leave(test, client);
	expect_trace(test, "ABDEXY");
}

/* One side alone is pending, as in the tests of usersim. The other side is told, too. */
static void pending_side_keeps_both(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *np = side == NMR_CLIENT ? np_client() : np_provider();

	np->detach = STATUS_PENDING;
	meet(test, NMR_CLIENT);
	KUNIT_EXPECT_EQ(test, np_deregister(np), STATUS_PENDING);
	nt_await((struct nt *)test->priv, both_told());
	expect_no_cleanup(test);
	np_complete(np);
	KUNIT_EXPECT_EQ(test, np_wait(np), STATUS_SUCCESS);
	expect_trace(test, "ABDEXY");
	np_leave(test, np_peer(np));
	np_expect_objects(test, 0);
}

static void complete_here(struct np *np)
{
	np_complete(np);
}

static void detach_completes_inside_its_callback(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *np = side == NMR_CLIENT ? np_client() : np_provider();

	np->detach = STATUS_PENDING;
	np->at_detach = complete_here;
	meet(test, NMR_PROVIDER);
	part(test, side);
	expect_trace(test, "ABDEXY");
}

/* Complete before deregistering, as drivers do that close by themselves. */
static void detach_is_completed_early(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *np = side == NMR_CLIENT ? np_client() : np_provider();

	np->detach = STATUS_PENDING;
	np->early = true;
	meet(test, NMR_PROVIDER);
	np_complete(np);
	expect_trace(test, "AB");
	np_deregister(np);
	nt_await((struct nt *)test->priv, atomic_read(&np->cleanups) == 1);
	part(test, side);
	expect_trace(test, "ABDEXY");
}

/* The second of two early completions is misuse, and the first one counts. */
static void early_completion_counts_once(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *np = side == NMR_CLIENT ? np_client() : np_provider();
	struct nt *nt = test->priv;

	np->detach = STATUS_PENDING;
	np->early = true;
	meet(test, NMR_PROVIDER);
	np_complete(np);
	nt_expect_warnings(nt);
	np_complete(np);
	KUNIT_EXPECT_EQ(test, nt_expected_warnings(nt), 1);
	part(test, side);
	expect_trace(test, "ABDEXY");
}

static int complete_racer(void *np)
{
	np_complete(np);
	return 0;
}

static int leave_racer(void *np)
{
	np_deregister(np);
	return np_wait(np);
}

/* Both sides complete at the same time, round after round. */
static void both_complete_at_once(struct kunit *test)
{
	struct np *client = np_client(), *provider = np_provider();
	struct nt *nt = test->priv;
	struct nt_racers *race = nt_racers(nt, 2);
	int round;

	client->detach = STATUS_PENDING;
	provider->detach = STATUS_PENDING;
	nt_enlist(race, 0, complete_racer, client);
	nt_enlist(race, 1, complete_racer, provider);
	for (round = 1; round <= 100; round++) {
		np_join(test, client);
		np_join(test, provider);
		np_deregister(client);
		nt_await(nt, np_both_pending());
		nt_race(race);
		KUNIT_ASSERT_EQ(test, np_wait(client), STATUS_SUCCESS);
		np_leave(test, provider);
		KUNIT_ASSERT_EQ(test, atomic_read(&client->cleanups), round);
		KUNIT_ASSERT_EQ(test, atomic_read(&provider->cleanups), round);
	}
}

/* Complete at the same time as the detach callback runs, or is about to. */
static void completion_races_with_detach(struct kunit *test)
{
	struct np *client = np_client(), *provider = np_provider();
	struct nt_racers *race = nt_racers(test->priv, 2);
	int round;

	client->detach = STATUS_PENDING;
	client->early = true;
	nt_enlist(race, 0, complete_racer, client);
	nt_enlist(race, 1, leave_racer, client);
	for (round = 1; round <= 100; round++) {
		np_join(test, client);
		np_join(test, provider);
		nt_race(race);
		KUNIT_ASSERT_EQ(test, race->racer[1].ret, STATUS_SUCCESS);
		np_leave(test, provider);
		KUNIT_ASSERT_EQ(test, atomic_read(&client->cleanups), round);
		KUNIT_ASSERT_EQ(test, atomic_read(&provider->cleanups), round);
	}
}

/* Refusals */

struct refusal {
	const char *name;
	NTSTATUS status;
	int err;		/* that @status becomes */
	bool back;		/* @err becomes @status, too */
};

static const struct refusal refusals[] = {
	{ "NOINTERFACE", STATUS_NOINTERFACE, -ENODEV, true },
	{ "INSUFFICIENT_RESOURCES", STATUS_INSUFFICIENT_RESOURCES, -ENOMEM, true },
	{ "INVALID_PARAMETER", STATUS_INVALID_PARAMETER, -EINVAL, true },
	{ "ACCESS_DENIED", STATUS_ACCESS_DENIED, -EACCES, true },
	{ "PRIVILEGE_NOT_HELD", STATUS_PRIVILEGE_NOT_HELD, -EPERM, true },
	{ "DEVICE_BUSY", STATUS_DEVICE_BUSY, -EBUSY, true },
	{ "DEVICE_NOT_READY", STATUS_DEVICE_NOT_READY, -EAGAIN, true },
	{ "NOT_SUPPORTED", STATUS_NOT_SUPPORTED, -EOPNOTSUPP, true },
	{ "OBJECT_NAME_COLLISION", STATUS_OBJECT_NAME_COLLISION, -EEXIST, true },
	{ "NOT_FOUND", STATUS_NOT_FOUND, -ENOENT, true },
	{ "IO_TIMEOUT", STATUS_IO_TIMEOUT, -ETIMEDOUT, true },
	{ "REVISION_MISMATCH", STATUS_REVISION_MISMATCH, -EPROTONOSUPPORT, true },
	{ "INVALID_DEVICE_STATE", STATUS_INVALID_DEVICE_STATE, -EBADFD, true },
	{ "POSSIBLE_DEADLOCK", STATUS_POSSIBLE_DEADLOCK, -EDEADLK, true },
	{ "RETRY", STATUS_RETRY, -EPROBE_DEFER, true },
	{ "UNSUCCESSFUL", STATUS_UNSUCCESSFUL, -EIO, true },
	{ "NO_MEMORY", STATUS_NO_MEMORY, -ENOMEM, false },
	{ "NOT_IMPLEMENTED", STATUS_NOT_IMPLEMENTED, -EOPNOTSUPP, false },
	{ "CANCELLED", STATUS_CANCELLED, -ECANCELED, false },
	{ "a warning in no table", (NTSTATUS)0x80de0001, -EIO, false },
	{ "an error in no table", (NTSTATUS)0xc0de0001, -EIO, false },
};

NT_PARAM(refusal, refusals);

/* Expect that the client has asked, and was refused with @asked, and that no binding is left. */
static void expect_refused(struct kunit *test, int asked)
{
	struct np *client = np_client(), *provider = np_provider();

	np_join(test, provider);
	np_join(test, client);
	KUNIT_EXPECT_EQ(test, client->asked, asked);
	np_expect_objects(test, objects_of(client, false) + objects_of(provider, false));
	part(test, NMR_CLIENT);
	expect_trace(test, "AB");
}

/* Between ported modules a status crosses bit for bit. */
static void refusal_reaches_the_client(struct kunit *test)
{
	const struct refusal *param = test->param_value;

	np_provider()->answer = param->status;
	expect_refused(test, param->status);
}

static void refusal_becomes_an_errno(struct kunit *test)
{
	const struct refusal *param = test->param_value;

	np_client()->native = true;
	np_provider()->answer = param->status;
	expect_refused(test, param->err);
	KUNIT_EXPECT_EQ(test, NmrLinuxErrno(param->status), param->err);
}

static void errno_becomes_a_status(struct kunit *test)
{
	const struct refusal *param = test->param_value;
	static const struct refusal one_way[] = {
		{ .status = STATUS_NOINTERFACE, .err = -ECANCELED },
		{ .status = STATUS_UNSUCCESSFUL, .err = -ENOTTY },
	};

	if (!param->back)
		param = &one_way[param->err == -ECANCELED ? 0 : 1];
	np_provider()->native = true;
	np_provider()->answer = param->err;
	expect_refused(test, param->status);
}

/* A status of success that is not STATUS_SUCCESS is misuse, and declines. */
static void positive_status_is_misuse(struct kunit *test)
{
	struct nt *nt = test->priv;

	np_provider()->answer = STATUS_PENDING;
	nt_expect_warnings(nt);
	expect_refused(test, STATUS_NOINTERFACE);
	KUNIT_EXPECT_EQ(test, nt_expected_warnings(nt), 1);
}

/* A client that declines, or that fails late, gets no cleanup. The provider gets both calls. */
static void client_refuses(struct kunit *test)
{
	struct np *client = np_client(), *provider = np_provider();

	client->answer = STATUS_ACCESS_DENIED;
	np_join(test, client);
	np_join(test, provider);
	expect_trace(test, "A");
	np_expect_objects(test, 2);
	part(test, NMR_CLIENT);

	client->answer = 0;
	client->late = STATUS_ACCESS_DENIED;
	np_join(test, provider);
	np_join(test, client);
	nt_await((struct nt *)test->priv, atomic_read(&provider->cleanups) == 1);
	part(test, NMR_CLIENT);
	expect_trace(test, "AABEY");
}

static void client_does_not_ask(struct kunit *test)
{
	struct nt *nt = test->priv;

	np_client()->unasking = true;
	np_join(test, np_provider());
	nt_expect_warnings(nt);
	np_join(test, np_client());
	KUNIT_EXPECT_EQ(test, nt_expected_warnings(nt), 1);
	np_expect_objects(test, 2);
	part(test, NMR_PROVIDER);
	expect_trace(test, "A");
}

/* STATUS_RETRY defers the pair, which another provider or a new offer brings back. */
static void retry_defers(struct kunit *test)
{
	struct np *client = np_client(), *provider = np_provider();
	struct nmr_client_handle handle;

	provider->answer = STATUS_RETRY;
	np_join(test, provider);
	np_join(test, client);
	KUNIT_EXPECT_EQ(test, client->asked, STATUS_RETRY);
	provider->answer = STATUS_SUCCESS;
	handle = NmrLinuxClientHandle(client->handle);
	KUNIT_EXPECT_EQ(test, nmr_client_reoffer(handle), 0);
	KUNIT_EXPECT_EQ(test, nmr_client_wait_for_binding(handle, NT_TIMEOUT), 0);
	part(test, NMR_CLIENT);
	expect_trace(test, "ABABDEXY");
}

/* Mixed pairs */

/* A call of a native peer, in its gate, holds back the cleanup of the ported side. */
static void native_call_holds_cleanup_back(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *np = side == NMR_CLIENT ? np_client() : np_provider();
	struct nt *nt = test->priv;
	struct nt_thread *thread;

	np_peer(np)->native = true;
	meet(test, NMR_CLIENT);
	KUNIT_ASSERT_TRUE(test, by_side_enter(nt_peer(side), np_peer(np)->native_binding));
	by_side_handover(nt_peer(side), np_peer(np)->native_binding);
	np_deregister(np);
	nt_await(nt, both_told());
	thread = nt_spawn(nt, wait_thread, np);
	nt_await_idle(nt, thread->task);
	expect_no_cleanup(test);
	by_side_exit(nt_peer(side), np_peer(np)->native_binding);
	KUNIT_EXPECT_EQ(test, nt_join(thread), STATUS_SUCCESS);
	np_leave(test, np_peer(np));
	expect_trace(test, "ABDEXY");
}

/* A ported module may use the gates, too. */
static void port_enters_the_gate(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *np = side == NMR_CLIENT ? np_client() : np_provider();
	struct nmr_binding *binding;

	meet(test, NMR_CLIENT);
	binding = NmrLinuxBinding(np->binding);
	KUNIT_ASSERT_TRUE(test, by_side_enter(side, binding));
	by_side_handover(side, binding);
	np_deregister(np);
	nt_await((struct nt *)test->priv, both_told());
	KUNIT_EXPECT_FALSE(test, by_side_enter(side, binding));
	expect_no_cleanup(test);
	by_side_exit(side, binding);
	KUNIT_EXPECT_EQ(test, np_wait(np), STATUS_SUCCESS);
	np_leave(test, np_peer(np));
}

static void native_peer_detaches(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *np = side == NMR_CLIENT ? np_client() : np_provider();

	np_peer(np)->native = true;
	meet(test, NMR_CLIENT);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(np_peer(np)->native_binding, NMR_DETACH_ABORT),
			0);
	nt_await((struct nt *)test->priv, atomic_read(&np_provider()->cleanups) == 1);
	part(test, side);
	expect_trace(test, "ABDEXY");
}

/* Handles and fields */

static void wrong_registration_handles_are_refused(struct kunit *test)
{
	struct np *client = np_client(), *provider = np_provider();
	HANDLE wrong[] = { NULL, (HANDLE)1, provider->handle, (HANDLE)0xfffffff0, &wrong,
			   INVALID_HANDLE_VALUE };
	unsigned int i;

	meet(test, NMR_CLIENT);
	wrong[2] = provider->handle;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		KUNIT_EXPECT_EQ(test, NmrDeregisterClient(wrong[i]), STATUS_INVALID_PARAMETER);
		KUNIT_EXPECT_EQ(test, NmrWaitForClientDeregisterComplete(wrong[i]),
				STATUS_INVALID_PARAMETER);
	}
	wrong[2] = client->handle;
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		KUNIT_EXPECT_EQ(test, NmrDeregisterProvider(wrong[i]), STATUS_INVALID_PARAMETER);
		KUNIT_EXPECT_EQ(test, NmrWaitForProviderDeregisterComplete(wrong[i]),
				STATUS_INVALID_PARAMETER);
	}
	part(test, NMR_CLIENT);
}

static NTSTATUS ask_with(HANDLE binding)
{
	const VOID *dispatch;
	PVOID context;

	return NmrClientAttachProvider(binding, NULL, NULL, &context, &dispatch);
}

/* The kernel warns once. A wrong handle has no module: the warning names the caller's function. */
static void wrong_binding_handles_are_refused(struct kunit *test)
{
	static HANDLE variable;
	struct np *client = np_client(), *provider = np_provider();
	HANDLE wrong[] = { NULL, NULL, NULL, &variable, &wrong, INVALID_HANDLE_VALUE };
	struct nt *nt = test->priv;
	unsigned int i;

	meet(test, NMR_CLIENT);
	wrong[1] = client->handle;
	wrong[2] = provider->binding;
	nt_expect_warnings(nt);
	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		KUNIT_EXPECT_EQ(test, ask_with(wrong[i]), STATUS_INVALID_PARAMETER);
		NmrClientDetachProviderComplete(wrong[i]);
	}
	wrong[2] = client->binding;
	for (i = 0; i < ARRAY_SIZE(wrong); i++)
		NmrProviderDetachClientComplete(wrong[i]);
	KUNIT_EXPECT_EQ(test, nt->warnings, 1);
	nt->named = nt->warnings;
	nt_expected_warnings(nt);
	part(test, NMR_CLIENT);
	expect_trace(test, "ABDEXY");
}

/* A client asks outside of its attach callback, twice, or wants no result. */
static void ask_twice(struct np *np)
{
	const VOID *dispatch;
	PVOID context;

	nt_check(np->nt, NmrClientAttachProvider(np->binding, NULL, NULL, NULL, &dispatch) ==
			 STATUS_INVALID_PARAMETER);
	nt_check(np->nt, NmrClientAttachProvider(np->binding, NULL, NULL, &context, NULL) ==
			 STATUS_INVALID_PARAMETER);
}

static void asking_wrongly_is_refused(struct kunit *test)
{
	np_client()->at_attach = ask_twice;
	meet(test, NMR_CLIENT);
	KUNIT_EXPECT_EQ(test, ask_with(np_client()->binding), STATUS_INVALID_PARAMETER);
	part(test, NMR_CLIENT);
	expect_trace(test, "ABDEXY");
}

static NTSTATUS never_asked(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE peer)
{
	return STATUS_NOINTERFACE;
}

static NTSTATUS never_offered(HANDLE binding, PVOID context, PNPI_REGISTRATION_INSTANCE peer,
			      PVOID client_context, const VOID *client_dispatch,
			      PVOID *provider_context, const VOID **provider_dispatch)
{
	return STATUS_NOINTERFACE;
}

static NTSTATUS never_detached(PVOID context)
{
	return STATUS_SUCCESS;
}

/* A field that is invalid, of either side: the structures have the same layout. */
struct field {
	const char *name;
	void (*spoil)(NPI_CLIENT_CHARACTERISTICS *c, NPI_MODULEID *id);
};

#define SPOIL(name, statement)						\
static void spoil_##name(NPI_CLIENT_CHARACTERISTICS *c, NPI_MODULEID *id)	\
{									\
	statement;							\
}

SPOIL(version, c->Version = 1)
SPOIL(length, c->Length--)
SPOIL(attach, c->ClientAttachProvider = NULL)
SPOIL(detach, c->ClientDetachProvider = NULL)
SPOIL(size, c->ClientRegistrationInstance.Size--)
SPOIL(npi_id, c->ClientRegistrationInstance.NpiId = NULL)
SPOIL(module_id, c->ClientRegistrationInstance.ModuleId = NULL)
SPOIL(module_length, id->Length--)
SPOIL(module_type, id->Type = 0)
SPOIL(module_type_3, id->Type = 3)

static const struct field fields[] = {
	{ "Version", spoil_version },
	{ "Length", spoil_length },
	{ "attach", spoil_attach },
	{ "detach", spoil_detach },
	{ "Size", spoil_size },
	{ "NpiId", spoil_npi_id },
	{ "ModuleId", spoil_module_id },
	{ "ModuleId.Length", spoil_module_length },
	{ "ModuleId.Type 0", spoil_module_type },
	{ "ModuleId.Type 3", spoil_module_type_3 },
};

NT_PARAM(field, fields);

static void expect_invalid(struct kunit *test, NPI_CLIENT_CHARACTERISTICS *c,
			   NPI_MODULEID *id, const struct field *field)
{
	NPI_PROVIDER_CHARACTERISTICS p;
	HANDLE handle = &handle;

	if (field)
		field->spoil(c, id);
	memcpy(&p, c, sizeof(p));
	if (c->ClientAttachProvider)
		p.ProviderAttachClient = never_offered;
	KUNIT_EXPECT_EQ(test, NmrRegisterClient(c, NULL, field ? &handle : NULL),
			STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, NmrRegisterProvider(&p, NULL, field ? &handle : NULL),
			STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_PTR_EQ(test, handle, (HANDLE)&handle);
}

static void invalid_fields_are_refused(struct kunit *test)
{
	NPIID npi_id = np_npi_id();
	NPI_MODULEID id = np_client()->module_id;
	NPI_CLIENT_CHARACTERISTICS c = {
		.Length = sizeof(c),
		.ClientAttachProvider = never_asked,
		.ClientDetachProvider = never_detached,
		.ClientRegistrationInstance = {
			.Size = sizeof(c.ClientRegistrationInstance),
			.NpiId = &npi_id, .ModuleId = &id,
		},
	};

	expect_invalid(test, &c, &id, test->param_value);
}

/* The pointers to the characteristics and to the handle must not be NULL. */
static void invalid_pointers_are_refused(struct kunit *test)
{
	NPIID npi_id = np_npi_id();
	NPI_MODULEID id = np_client()->module_id;
	NPI_CLIENT_CHARACTERISTICS c = {
		.Length = sizeof(c),
		.ClientAttachProvider = never_asked,
		.ClientDetachProvider = never_detached,
		.ClientRegistrationInstance = {
			.Size = sizeof(c.ClientRegistrationInstance),
			.NpiId = &npi_id, .ModuleId = &id,
		},
	};
	HANDLE handle;

	expect_invalid(test, &c, &id, NULL);
	KUNIT_EXPECT_EQ(test, NmrRegisterClient(NULL, NULL, &handle), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, NmrRegisterProvider(NULL, NULL, &handle),
			STATUS_INVALID_PARAMETER);
}

/* Structures of a later version may be longer. */
static void longer_structures_are_accepted(struct kunit *test)
{
	NPIID npi_id = np_npi_id();
	NPI_MODULEID id = np_client()->module_id;
	NPI_CLIENT_CHARACTERISTICS c = {
		.Length = sizeof(c) + 8,
		.ClientAttachProvider = never_asked,
		.ClientDetachProvider = never_detached,
		.ClientRegistrationInstance = {
			.Version = 0xffff, .Size = sizeof(c.ClientRegistrationInstance) + 8,
			.NpiId = &npi_id, .ModuleId = &id,
		},
	};
	HANDLE handle;

	id.Length += 8;
	KUNIT_ASSERT_EQ(test, NmrRegisterClient(&c, NULL, &handle), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, NmrDeregisterClient(handle), STATUS_PENDING);
	KUNIT_EXPECT_EQ(test, NmrWaitForClientDeregisterComplete(handle), STATUS_SUCCESS);
}

/* Each argument of the macros is evaluated once. */
static void arguments_are_evaluated_once(struct kunit *test)
{
	NPIID npi_id = np_npi_id();
	NPI_MODULEID id = np_client()->module_id;
	NPI_CLIENT_CHARACTERISTICS c[2] = { {
		.Length = sizeof(c[0]),
		.ClientAttachProvider = never_asked,
		.ClientDetachProvider = never_detached,
		.ClientRegistrationInstance = {
			.Size = sizeof(c[0].ClientRegistrationInstance),
			.NpiId = &npi_id, .ModuleId = &id,
		},
	} };
	NPI_CLIENT_CHARACTERISTICS *next = c;
	HANDLE handles[2], *handle = handles;
	char *context = NULL;

	KUNIT_ASSERT_EQ(test, NmrRegisterClient(next++, context++, handle++), STATUS_SUCCESS);
	KUNIT_EXPECT_PTR_EQ(test, next, &c[1]);
	KUNIT_EXPECT_PTR_EQ(test, handle, &handles[1]);
	NmrDeregisterClient(handles[0]);
	KUNIT_EXPECT_EQ(test, NmrWaitForClientDeregisterComplete(handles[0]), STATUS_SUCCESS);
}

/* Deregister and wait */

/* Wait too early, deregister twice, wait twice, and wait in several tasks. */
static void deregister_and_wait_in_any_order(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *np = side == NMR_CLIENT ? np_client() : np_provider();
	struct nt *nt = test->priv;
	struct nt_thread *thread[2];
	int i;

	np->detach = STATUS_PENDING;
	meet(test, NMR_CLIENT);
	KUNIT_EXPECT_EQ(test, np_wait(np), STATUS_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, np_deregister(np), STATUS_PENDING);
	KUNIT_EXPECT_EQ(test, np_deregister(np), STATUS_PENDING);
	nt_await(nt, READ_ONCE(np->pending));
	for (i = 0; i < ARRAY_SIZE(thread); i++) {
		thread[i] = nt_spawn(nt, wait_thread, np);
		nt_await_idle(nt, thread[i]->task);
	}
	np_complete(np);
	for (i = 0; i < ARRAY_SIZE(thread); i++)
		KUNIT_EXPECT_EQ(test, nt_join(thread[i]), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, np_wait(np), STATUS_SUCCESS);
	KUNIT_EXPECT_EQ(test, np_deregister(np), STATUS_PENDING);
	KUNIT_EXPECT_EQ(test, np_wait(np), STATUS_SUCCESS);
	np_expect_objects(test, 1);
	np_leave(test, np_peer(np));
}

static void wait_here(struct np *np)
{
	nt_check(np->nt, np_wait(np) == STATUS_POSSIBLE_DEADLOCK);
	nt_check(np->nt, np_wait(np_peer(np)) == STATUS_INVALID_PARAMETER);
}

static void wait_inside_a_callback_is_refused(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *np = side == NMR_CLIENT ? np_client() : np_provider();

	np->at_detach = wait_here;
	meet(test, NMR_CLIENT);
	part(test, side);
}

static int leave_thread(void *arg)
{
	struct np *np = arg;

	if (np->side == NMR_CLIENT) {
		NmrDeregisterClient(np->seen_handle);
		return NmrWaitForClientDeregisterComplete(np->seen_handle);
	}
	NmrDeregisterProvider(np->seen_handle);
	return NmrWaitForProviderDeregisterComplete(np->seen_handle);
}

static struct nt_thread *leaving;

/* Have another task deregister and wait, while the register call of @np runs this callback. */
static void leave_elsewhere(struct np *np)
{
	leaving = nt_spawn(np->nt, leave_thread, np);
	nt_await_idle(np->nt, leaving->task);
}

static void other_task_leaves_while_register_runs(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *np = side == NMR_CLIENT ? np_client() : np_provider();
	int round;

	np->at_attach = leave_elsewhere;
	np_join(test, np_peer(np));
	for (round = 0; round < 50; round++) {
		np_join(test, np);
		KUNIT_ASSERT_EQ(test, nt_join(leaving), STATUS_SUCCESS);
		KUNIT_EXPECT_EQ(test, np_wait(np), STATUS_SUCCESS);
		np_expect_objects(test, 1);
	}
	np_leave(test, np_peer(np));
}

/* Storm */

#define ROUNDS	100	/* test-netio.sh has more */

static int come_and_go(void *arg)
{
	struct np *np = arg;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		nt_check(np->nt, np_register(np) == STATUS_SUCCESS);
		nt_check(np->nt, np_deregister(np) == STATUS_PENDING);
		nt_check(np->nt, np_wait(np) == STATUS_SUCCESS);
	}
	return 0;
}

static void two_threads_come_and_go(struct kunit *test)
{
	struct np *client = np_client(), *provider = np_provider();
	struct nt *nt = test->priv;
	struct nt_thread *one = nt_spawn(nt, come_and_go, client);
	struct nt_thread *other = nt_spawn(nt, come_and_go, provider);

	KUNIT_EXPECT_EQ(test, nt_join(one), 0);
	KUNIT_EXPECT_EQ(test, nt_join(other), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&client->cleanups), atomic_read(&client->attaches));
	KUNIT_EXPECT_EQ(test, atomic_read(&provider->cleanups),
			atomic_read(&provider->attaches));
}

/* When the register call has returned, no attach writes the variable any more. */
static void variable_is_left_alone_afterwards(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct np *np = side == NMR_CLIENT ? np_client() : np_provider();
	HANDLE handle;

	np_join(test, np);
	handle = np->handle;
	np->handle = INVALID_HANDLE_VALUE;
	np_join(test, np_peer(np));
	KUNIT_EXPECT_PTR_EQ(test, np->handle, INVALID_HANDLE_VALUE);
	np->handle = handle;
	part(test, side);
}

static struct kunit_case netio_cases[] = {
	KUNIT_CASE_PARAM(pair_meets_and_leaves, meeting_gen_params),
	KUNIT_CASE_PARAM(lone_party_comes_and_goes, nt_side_gen_params),
	KUNIT_CASE(luids_cross),
	KUNIT_CASE(module_ids_compare),
	KUNIT_CASE(contexts_may_be_anything),
	KUNIT_CASE(cleanup_may_be_null),
	KUNIT_CASE(calls_have_the_contexts_of_the_port),
	KUNIT_CASE_PARAM(side_sets_its_context, nt_side_gen_params),
	KUNIT_CASE(only_kin_is_found),
	KUNIT_CASE_PARAM(pending_detach_is_completed, context_gen_params),
	KUNIT_CASE_PARAM(pending_side_keeps_both, nt_side_gen_params),
	KUNIT_CASE_PARAM(detach_completes_inside_its_callback, nt_side_gen_params),
	KUNIT_CASE_PARAM(detach_is_completed_early, nt_side_gen_params),
	KUNIT_CASE_PARAM(early_completion_counts_once, nt_side_gen_params),
	KUNIT_CASE(both_complete_at_once),
	KUNIT_CASE(completion_races_with_detach),
	KUNIT_CASE_PARAM(refusal_reaches_the_client, refusal_gen_params),
	KUNIT_CASE_PARAM(refusal_becomes_an_errno, refusal_gen_params),
	KUNIT_CASE_PARAM(errno_becomes_a_status, refusal_gen_params),
	KUNIT_CASE(positive_status_is_misuse),
	KUNIT_CASE(client_refuses),
	KUNIT_CASE(client_does_not_ask),
	KUNIT_CASE(retry_defers),
	KUNIT_CASE_PARAM(native_call_holds_cleanup_back, nt_side_gen_params),
	KUNIT_CASE_PARAM(port_enters_the_gate, nt_side_gen_params),
	KUNIT_CASE_PARAM(native_peer_detaches, nt_side_gen_params),
	KUNIT_CASE(wrong_registration_handles_are_refused),
	KUNIT_CASE(wrong_binding_handles_are_refused),
	KUNIT_CASE(asking_wrongly_is_refused),
	KUNIT_CASE_PARAM(invalid_fields_are_refused, field_gen_params),
	KUNIT_CASE(invalid_pointers_are_refused),
	KUNIT_CASE(longer_structures_are_accepted),
	KUNIT_CASE(arguments_are_evaluated_once),
	KUNIT_CASE_PARAM(deregister_and_wait_in_any_order, nt_side_gen_params),
	KUNIT_CASE_PARAM(wait_inside_a_callback_is_refused, nt_side_gen_params),
	KUNIT_CASE_PARAM(other_task_leaves_while_register_runs, nt_side_gen_params),
	KUNIT_CASE_PARAM(variable_is_left_alone_afterwards, nt_side_gen_params),
	KUNIT_CASE(two_threads_come_and_go),
	{}
};

static struct kunit_suite netio_suite = {
	.name = "nmr_netio",
	.init = np_init,
	.exit = np_exit,
	.test_cases = netio_cases,
};

kunit_test_suite(netio_suite);
