// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of /sys/kernel/nmr, from registration to the end, read and written; and those
 * of debugfs, which show pairs that are not attached, and references.
 */
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iopoll.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "detour.h"
#include "files.h"
#include "harness.h"

/* Access */

static void expect_party(struct kunit *test, struct nt_party *party,
			 const char *name, const char *expected)
{
	char path[NT_NAME_SIZE], value[NT_VALUE_SIZE];

	nt_party_path(party, name, path);
	nt_read(path, value);
	KUNIT_EXPECT_STREQ_MSG(test, value, expected, "%s", path);
}

static void expect_binding(struct kunit *test, struct nt_binding *nb,
			   const char *name, const char *expected)
{
	char path[NT_NAME_SIZE], value[NT_VALUE_SIZE];

	nt_binding_path(nb, name, path);
	nt_read(path, value);
	KUNIT_EXPECT_STREQ_MSG(test, value, expected, "%s", path);
}

#define ABSENT "(-2)"

/* Registrations */

static void registration_shows_itself(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side = nt_param_side(test);
	struct nt_party *party = nt_party(nt, side);
	struct nt_party *peer = nt_party(nt, nt_peer(side));
	enum nt_point detach = NT_C_DETACH + side;
	char guid[UUID_STRING_LEN + 1];

	party->number = 4294967295u;
	nt_join_npi(party);
	expect_party(test, party, "module", KBUILD_MODNAME);
	snprintf(guid, sizeof(guid), "%pUl", &nt->npi_id);
	expect_party(test, party, "npi_id", guid);
	snprintf(guid, sizeof(guid), "%pUl", &party->module_id);
	expect_party(test, party, "module_id", guid);
	expect_party(test, party, "number", "4294967295");
	expect_party(test, party, "state", "active");

	nt_join_npi(peer);
	nt_hold(party, detach);
	nt_deregister(party);
	expect_party(test, party, "state", "deregistering");
	nt_await(nt, nt_entered(party, detach) == 1);
	expect_party(test, party, "state", "deregistering");
	nt_release(party, detach);

	/* Promise 7: no file is left when the wait has returned. */
	KUNIT_EXPECT_EQ(test, nt_wait(party), 0);
	expect_party(test, party, "state", ABSENT);
	expect_party(test, party, "", ABSENT);
	expect_party(test, peer, "state", "active");
}

/* Bindings */

static void expect_link(struct kunit *test, struct nt_binding *nb, const char *name,
			struct nt_party *party)
{
	char path[NT_NAME_SIZE], target[NT_NAME_SIZE];
	struct file *file;

	nt_binding_path(nb, name, path);
	file = nt_open_file(path, O_RDONLY | O_DIRECTORY);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(file), "%s", path);
	snprintf(target, sizeof(target), "%pD2", file);
	fput(file);
	snprintf(path, sizeof(path), "%s/%llu",
		 party->side == NMR_CLIENT ? "clients" : "providers",
		 party->client.id);
	KUNIT_EXPECT_STREQ(test, target, path);
}

static void expect_state(struct kunit *test, struct nt_binding *nb, const char *state,
			 const char *client_detach, const char *provider_detach)
{
	expect_binding(test, nb, "state", state);
	expect_binding(test, nb, "client_detach", client_detach);
	expect_binding(test, nb, "provider_detach", provider_detach);
}

static void binding_shows_its_life(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb;

	nt_hold(client, NT_C_DETACH);
	nt_hold(provider, NT_P_DETACH);
	nt_hold(client, NT_C_CLEANUP);
	nt_hold(provider, NT_P_CLEANUP);
	nb = nt_pair(nt, client, provider);
	expect_link(test, nb, "client", client);
	expect_link(test, nb, "provider", provider);
	expect_state(test, nb, "attached", "none", "none");
	expect_binding(test, nb, "reason", "");
	expect_binding(test, nb, "client_calls", "0");
	expect_binding(test, nb, "provider_calls", "0");
	expect_binding(test, nb, "pending_ms", "0");

	nt_deregister(provider);
	nt_await(nt, nt_entered(client, NT_C_DETACH) == 1);
	expect_state(test, nb, "detaching", "pending", "none");
	expect_binding(test, nb, "reason", "provider-deregistered");

	nt_release(client, NT_C_DETACH);
	nt_await(nt, nt_entered(provider, NT_P_DETACH) == 1);
	expect_state(test, nb, "detaching", "done", "pending");

	nt_release(provider, NT_P_DETACH);
	nt_await(nt, nt_entered(client, NT_C_CLEANUP) == 1);
	expect_state(test, nb, "cleaning", "done", "done");
	nt_release(client, NT_C_CLEANUP);
	nt_await(nt, nt_entered(provider, NT_P_CLEANUP) == 1);
	expect_binding(test, nb, "state", "cleaning");
	expect_link(test, nb, "provider", provider);
	nt_release(provider, NT_P_CLEANUP);
	KUNIT_EXPECT_EQ(test, nt_wait(provider), 0);
	expect_binding(test, nb, "state", ABSENT);
	expect_binding(test, nb, "", ABSENT);
}

struct reason_case {
	enum nmr_detach_reason reason;
	const char *name;
};

static const struct reason_case reasons[] = {
	{ NMR_DETACH_CLIENT_DEREGISTERED, "client-deregistered" },
	{ NMR_DETACH_PROVIDER_DEREGISTERED, "provider-deregistered" },
	{ NMR_DETACH_ATTACH_FAILED, "attach-failed" },
	{ NMR_DETACH_FALLBACK, "fallback" },
	{ NMR_DETACH_ABORT, "abort" },
};

NT_PARAM(reason, reasons);

static void binding_shows_its_reason(struct kunit *test)
{
	const struct reason_case *param = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	bool failed = param->reason == NMR_DETACH_ATTACH_FAILED;
	struct nt_binding *nb;

	nt_hold(provider, NT_P_DETACH);
	client->at[NT_C_BOUND].ret = failed ? -ENODEV : 0;
	nt_join_npi(client);
	nt_join_npi(provider);
	nb = nt_find(nt, client, provider);
	KUNIT_ASSERT_NOT_NULL(test, nb);
	if (param->reason == NMR_DETACH_CLIENT_DEREGISTERED)
		nt_deregister(client);
	else if (param->reason == NMR_DETACH_PROVIDER_DEREGISTERED)
		nt_deregister(provider);
	else if (!failed)
		KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, param->reason), 0);
	nt_await(nt, nt_entered(provider, NT_P_DETACH) == 1);
	expect_binding(test, nb, "reason", param->name);
	expect_state(test, nb, "detaching", "done", "pending");
}

/* Expect no directory of a binding that attaches, or that was refused. */
static void binding_is_not_there_before_it_has_attached(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_thread *thread;
	struct nt_binding *nb;

	provider->at[NT_P_ATTACH].ret = -ENODEV;
	nt_hold(provider, NT_P_ATTACH);
	nt_join_npi(client);
	thread = nt_spawn(nt, nt_register_thread, provider);
	nt_await(nt, nt_entered(provider, NT_P_ATTACH) == 1);
	nb = nt_find(nt, client, provider);
	expect_binding(test, nb, "state", ABSENT);
	nt_release(provider, NT_P_ATTACH);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	expect_binding(test, nb, "state", ABSENT);
}

static void binding_counts_calls(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	const char *calls = side == NMR_CLIENT ? "client_calls" : "provider_calls";
	const char *others = side == NMR_CLIENT ? "provider_calls" : "client_calls";
	const char *detach = side == NMR_CLIENT ? "client_detach" : "provider_detach";
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	struct nt_binding *nb = nt_pair(nt, client, nt_provider(nt));
	int i;

	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_TRUE(test, nt_enter(nb, side));
	expect_binding(test, nb, calls, "3");
	expect_binding(test, nb, others, "0");
	nt_exit(nb, side);
	expect_binding(test, nb, calls, "2");
	nt_deregister(client);
	nt_await(nt, nt_has_left(nb, NT_P_DETACH));
	nt_settle(nt);
	expect_binding(test, nb, calls, "2");
	expect_binding(test, nb, others, "0");
	/* A side has detached when its callback has returned and its calls have drained. */
	expect_binding(test, nb, detach, "pending");
	nt_exit(nb, side);
	expect_binding(test, nb, calls, "1");
	expect_binding(test, nb, "state", "detaching");
	nt_exit(nb, side);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
	expect_binding(test, nb, calls, ABSENT);
}

static void binding_counts_pending_time(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);
	char path[NT_NAME_SIZE], value[NT_VALUE_SIZE];
	struct nt_binding *nb;
	unsigned int ms = 0;

	client->at[NT_C_DETACH].ret = -EINPROGRESS;
	nb = nt_pair(nt, client, nt_provider(nt));
	nt_deregister(client);
	/* At least this time passes. */
	KUNIT_EXPECT_EQ(test, nt_wait_timeout(client, msecs_to_jiffies(20)),
			-ETIMEDOUT);
	nt_binding_path(nb, "pending_ms", path);
	nt_read(path, value);
	KUNIT_EXPECT_EQ(test, kstrtouint(value, 10, &ms), 0);
	KUNIT_EXPECT_GE(test, ms, 20 - 2 * jiffies_to_msecs(1));
	nt_await(nt, nt_has_left(nb, NT_C_DETACH));
	nt_complete(nb, NMR_CLIENT);
	KUNIT_EXPECT_EQ(test, nt_wait(client), 0);
}

/* detach */

static void detach_starts_and_returns(struct kunit *test)
{
	static const char * const values[] = { "fallback", "abort\n" };
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	enum nmr_detach_reason reason;
	char path[NT_NAME_SIZE];
	struct nt_binding *nb;
	int i;

	nt_join_npi(client);
	nt_join_npi(provider);
	nt_hold(client, NT_C_DETACH);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		reason = i ? NMR_DETACH_ABORT : NMR_DETACH_FALLBACK;
		/* By then the directory is there, too. */
		KUNIT_ASSERT_EQ(test, nmr_client_wait_for_binding(client->client, NT_TIMEOUT), 0);
		nb = nt_find(nt, client, provider);
		nt_binding_path(nb, "detach", path);
		KUNIT_EXPECT_EQ(test, nt_write(path, values[i]),
				(ssize_t)strlen(values[i]));
		KUNIT_EXPECT_FALSE(test, nt_open(nb, NMR_CLIENT));
		nt_await(nt, nt_entered(client, NT_C_DETACH) == i + 1);
		KUNIT_EXPECT_EQ(test, nt_write(path, "abort"), -EALREADY);
		nt_step(client, NT_C_DETACH);
		nt_await(nt, nt_has_left(nb, NT_P_CLEANUP));
		KUNIT_EXPECT_EQ(test, nb->reason[NMR_CLIENT], reason);
		/* A pair is offered again after fallback, on request, not after abort. */
		KUNIT_EXPECT_EQ(test, nt_reoffer(client), 0);
		if (!i)
			nt_await(nt, nt_returned(provider, NT_P_ATTACHED) == 2);
		nt_settle(nt);
		KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), 2);
	}
	nt_release(client, NT_C_DETACH);
}

static void detach_refuses_other_values(struct kunit *test)
{
	static const char * const values[] = {
		"\n", "0", "1", "abor", "aborted", "fallback abort", "ABORT",
		"client-deregistered", "provider-deregistered", "attach-failed",
	};
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, nt_client(nt), nt_provider(nt));
	char path[NT_NAME_SIZE];
	int i;

	nt_binding_path(nb, "detach", path);
	for (i = 0; i < ARRAY_SIZE(values); i++)
		KUNIT_EXPECT_EQ_MSG(test, nt_write(path, values[i]), -EINVAL, "%s",
				    values[i]);
	expect_binding(test, nb, "state", "attached");
	KUNIT_EXPECT_TRUE(test, nt_open(nb, NMR_CLIENT));
}

static int write_as_user(void *arg)
{
	struct nt_binding *nb = arg;
	struct cred *cred = prepare_creds();
	const struct cred *old;
	char path[NT_NAME_SIZE], value[NT_VALUE_SIZE];
	ssize_t ret;

	if (!cred)
		return -ENOMEM;
	cred->fsuid = KUIDT_INIT(65534);
	cred->fsgid = KGIDT_INIT(65534);
	cap_clear(cred->cap_effective);
	old = override_creds(cred);
	nt_binding_path(nb, "detach", path);
	ret = nt_write(path, "abort");
	nt_binding_path(nb, "state", path);
	nt_read(path, value);
	nt_check(nb->nt, !strcmp(value, "attached"));
	revert_creds(old);
	put_cred(cred);
	return ret;
}

/* Write to the file as another user, and read it as root: both must fail. */
static void detach_is_for_root(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, nt_client(nt), nt_provider(nt));
	char path[NT_NAME_SIZE], value[NT_VALUE_SIZE];

	KUNIT_EXPECT_EQ(test, nt_join(nt_spawn(nt, write_as_user, nb)), -EACCES);
	KUNIT_EXPECT_TRUE(test, nt_open(nb, NMR_CLIENT));
	nt_binding_path(nb, "detach", path);
	nt_read(path, value);
	KUNIT_EXPECT_EQ(test, value[0], '(');
	nt_binding_path(nb, "state", path);
	KUNIT_EXPECT_LT(test, nt_write(path, "abort"), (ssize_t)0);
	expect_binding(test, nb, "state", "attached");
}

/* Open files */

static void expect_file_gone(struct kunit *test, struct file *file)
{
	char value[NT_VALUE_SIZE];
	loff_t pos = 0;

	KUNIT_EXPECT_EQ(test, kernel_read(file, value, sizeof(value), &pos), -ENODEV);
	fput(file);
}

/* Keep files open: they delay no wait, and return -ENODEV afterwards. */
static void open_files_delay_no_wait(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb = nt_pair(nt, client, provider);
	char path[NT_NAME_SIZE], value[NT_VALUE_SIZE];
	struct file *file[4], *dir;
	loff_t pos = 0;
	int i;

	nt_party_path(client, "module", path);
	file[0] = nt_open_file(path, O_RDONLY);
	nt_party_path(provider, "state", path);
	file[1] = nt_open_file(path, O_RDONLY);
	nt_binding_path(nb, "state", path);
	file[2] = nt_open_file(path, O_RDONLY);
	nt_binding_path(nb, "detach", path);
	file[3] = nt_open_file(path, O_WRONLY);
	nt_binding_path(nb, "", path);
	dir = nt_open_file(path, O_RDONLY | O_DIRECTORY);
	for (i = 0; i < ARRAY_SIZE(file); i++)
		KUNIT_ASSERT_FALSE(test, IS_ERR(file[i]));
	KUNIT_ASSERT_FALSE(test, IS_ERR(dir));
	KUNIT_EXPECT_GT(test, kernel_read(file[2], value, sizeof(value), &pos),
			(ssize_t)0);
	nt_leave(client);
	nt_leave(provider);
	pos = 0;
	KUNIT_EXPECT_EQ(test, kernel_write(file[3], "abort", 5, &pos), -ENODEV);
	fput(file[3]);
	for (i = 0; i < 3; i++)
		expect_file_gone(test, file[i]);
	fput(dir);
}

/* reoffer */

static void expect_write(struct kunit *test, struct nt_party *party, const char *file,
			 const char *value, ssize_t expected)
{
	char path[NT_NAME_SIZE];

	nt_party_path(party, file, path);
	KUNIT_EXPECT_EQ_MSG(test, nt_write(path, value), expected, "%s %s", path, value);
}

/* Ways in which a pair ends that is not offered again. */
struct parting {
	const char *name;
	enum nt_point point;
	int value;
};

static const struct parting partings[] = {
	{ "client declined", NT_C_ATTACH, -ENODEV },
	{ "provider declined", NT_P_ATTACH, -ENODEV },
	{ "client declined late", NT_C_BOUND, -ENODEV },
	{ "aborted", NT_POINTS, 0 },
};

NT_PARAM(parting, partings);

static void nt_part(struct kunit *test, struct nt_party *client, struct nt_party *provider,
		    const struct parting *parting)
{
	struct nt_party *party = nt_side(parting->point) == NMR_CLIENT ? client : provider;
	struct nt_binding *nb;

	if (parting->value) {
		party->at[parting->point].first = parting->value;
		party->at[parting->point].nfirst = 1;
	}
	nt_join_npi(client);
	nt_join_npi(provider);
	nb = nt_find(test->priv, client, provider);
	KUNIT_ASSERT_NOT_NULL(test, nb);
	if (!parting->value)
		KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT), 0);
	nt_settle(test->priv);
}

/*
 * Write "deferred" to a file of either side, which does not re-offer such a pair, and then
 * "all", which does. A pair of the same registration that is bound does not change.
 */
static void reoffer_all_brings_back(struct kunit *test, enum nmr_side side)
{
	const struct parting *parting = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	struct nt_party *other = nt_party(nt, nt_peer(side));
	struct nt_party *client = party[NMR_CLIENT];
	enum nt_point attach = NT_C_ATTACH + other->side;
	struct nt_binding *old, *bound;

	nt_part(test, client, party[NMR_PROVIDER], parting);
	old = nt_find(nt, client, party[NMR_PROVIDER]);
	nt_join_npi(other);
	bound = side == NMR_CLIENT ? nt_find(nt, client, other) :
				     nt_find(nt, other, party[NMR_PROVIDER]);
	expect_write(test, party[side], "reoffer", "deferred\n", 9);
	nt_settle(nt);
	KUNIT_EXPECT_PTR_EQ(test, nt_find(nt, client, party[NMR_PROVIDER]), old);
	expect_write(test, party[side], "reoffer", "all\n", 4);
	nt_await(nt, nt_find(nt, client, party[NMR_PROVIDER]) != old);
	nt_await(nt, nt_has_left(nt_find(nt, client, party[NMR_PROVIDER]), NT_P_ATTACHED));
	nt_settle(nt);
	KUNIT_EXPECT_TRUE(test, nt_open(nt_find(nt, client, party[NMR_PROVIDER]),
					NMR_PROVIDER));
	KUNIT_EXPECT_TRUE(test, nt_open(bound, NMR_PROVIDER));
	KUNIT_EXPECT_EQ(test, nt_entered(other, attach), 1);
	/* All pairs are bound, so another write has no effect. */
	expect_write(test, party[side], "reoffer", "all", 3);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(other, attach), 1);
	KUNIT_EXPECT_EQ(test, nt_entered(client, NT_C_ATTACH), side == NMR_CLIENT ? 3 : 2);
}

static void reoffer_all_of_a_client(struct kunit *test)
{
	reoffer_all_brings_back(test, NMR_CLIENT);
}

static void reoffer_all_of_a_provider(struct kunit *test)
{
	reoffer_all_brings_back(test, NMR_PROVIDER);
}

/* An aborted binding has not ended: its pair is offered again when it has. */
static void reoffer_all_undoes_an_abort_that_is_pending(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	struct nt_binding *old;

	party[NMR_PROVIDER]->at[NT_P_DETACH].first = -EINPROGRESS;
	party[NMR_PROVIDER]->at[NT_P_DETACH].nfirst = 1;
	old = nt_pair(nt, party[NMR_CLIENT], party[NMR_PROVIDER]);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(old->b, NMR_DETACH_ABORT), 0);
	nt_await(nt, nt_has_left(old, NT_P_DETACH));
	expect_write(test, party[side], "reoffer", "all", 3);
	nt_settle(nt);
	KUNIT_EXPECT_PTR_EQ(test, nt_find(nt, party[NMR_CLIENT], party[NMR_PROVIDER]), old);
	nt_complete(old, NMR_PROVIDER);
	nt_await(nt, nt_find(nt, party[NMR_CLIENT], party[NMR_PROVIDER]) != old);
	nt_await(nt, nt_returned(party[NMR_PROVIDER], NT_P_ATTACHED) == 2);
}

/*
 * Nothing is forgiven in advance: an abort that follows is as good as any. The scan that looks for
 * what to forgive ends with a new offer of the pair that the other peer defers.
 */
static void abort_outlasts_an_earlier_reoffer(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	enum nt_point point = side == NMR_CLIENT ? NT_P_ATTACH : NT_C_ATTACH;
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	struct nt_party *other = side == NMR_CLIENT ? nt_provider(nt) : nt_client(nt);
	struct nt_binding *nb = nt_pair(nt, party[NMR_CLIENT], party[NMR_PROVIDER]);

	other->at[point].ret = -EPROBE_DEFER;
	nt_join_npi(other);
	KUNIT_EXPECT_EQ(test, nt_entered(other, point), 1);
	expect_write(test, party[side], "reoffer", "all", 3);
	nt_await(nt, nt_entered(other, point) == 2);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT), 0);
	nt_await(nt, nt_has_left(nb, NT_P_CLEANUP));
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_reoffer(party[side]), 0);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(party[NMR_PROVIDER], NT_P_ATTACH), 1);
}

/* Re-offer more declined pairs than a batch, of a client that takes one at a time. */
static void reoffer_all_concerns_each_pair(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *party = nt_party(nt, side), *peer[70];
	enum nt_point attach = NT_C_ATTACH + side;
	int i;

	party->max_bindings = side == NMR_CLIENT;
	party->at[attach].ret = -ENODEV;
	for (i = 0; i < ARRAY_SIZE(peer); i++) {
		peer[i] = nt_party(nt, nt_peer(side));
		nt_join_npi(peer[i]);
	}
	nt_join_npi(party);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(party, attach), (int)ARRAY_SIZE(peer));
	expect_write(test, party, "reoffer", "all", 3);
	nt_await(nt, nt_returned(party, attach) == 2 * ARRAY_SIZE(peer));
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(party, attach), 2 * (int)ARRAY_SIZE(peer));
}

/* A client that was deferred and has left does not count: each other pair is visited. */
static void reoffer_all_after_a_deferred_client_has_left(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *provider = nt_provider(nt), *client[3];
	int i;

	nt_join_npi(provider);
	for (i = 0; i < ARRAY_SIZE(client); i++) {
		client[i] = nt_client(nt);
		client[i]->at[NT_C_ATTACH].ret = i ? -ENODEV : -EPROBE_DEFER;
		nt_join_npi(client[i]);
	}
	nt_leave(client[0]);
	expect_write(test, provider, "reoffer", "all", 3);
	for (i = 1; i < ARRAY_SIZE(client); i++)
		nt_await(nt, nt_returned(client[i], NT_C_ATTACH) == 2);
}

static void reoffer_of_deferred_pairs(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };

	party[NMR_CLIENT]->at[NT_C_ATTACH].first = -EPROBE_DEFER;
	party[NMR_CLIENT]->at[NT_C_ATTACH].nfirst = 2;
	nt_join_npi(party[NMR_CLIENT]);
	nt_join_npi(party[NMR_PROVIDER]);
	expect_write(test, party[side], "reoffer", "deferred", 8);
	nt_await(nt, nt_returned(party[NMR_CLIENT], NT_C_ATTACH) == 2);
	expect_write(test, party[side], "reoffer", "all", 3);
	nt_await(nt, nt_returned(party[NMR_PROVIDER], NT_P_ATTACHED) == 1);
}

/* A pair that was deferred once and is then declined is one of the declined pairs. */
static void reoffer_all_finds_what_was_deferred_once(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *party[NMR_SIDES] = { nt_client(nt), nt_provider(nt) };
	struct nt_script *attach = &party[NMR_CLIENT]->at[NT_C_ATTACH];

	attach->first = -EPROBE_DEFER;
	attach->nfirst = 1;
	attach->ret = -ENODEV;
	nt_join_npi(party[NMR_CLIENT]);
	nt_join_npi(party[NMR_PROVIDER]);
	expect_write(test, party[side], "reoffer", "deferred", 8);
	nt_await(nt, nt_returned(party[NMR_CLIENT], NT_C_ATTACH) == 2);
	nt_settle(nt);
	attach->ret = 0;
	expect_write(test, party[side], "reoffer", "all", 3);
	nt_await(nt, nt_returned(party[NMR_PROVIDER], NT_P_ATTACHED) == 1);
}

static void reoffer_deferred_leaves_declined_pairs(struct kunit *test)
{
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *party = nt_party(nt, side);
	struct nt_party *declines = nt_party(nt, nt_peer(side));
	struct nt_party *defers = nt_party(nt, nt_peer(side));
	enum nt_point attach = NT_C_ATTACH + nt_peer(side);

	declines->at[attach].ret = -ENODEV;
	defers->at[attach].ret = -EPROBE_DEFER;
	nt_join_npi(declines);
	nt_join_npi(defers);
	nt_join_npi(party);
	expect_write(test, party, "reoffer", "deferred", 8);
	nt_await(nt, nt_returned(defers, attach) == 2);
	nt_settle(nt);
	KUNIT_EXPECT_EQ(test, nt_entered(declines, attach), 1);
}

static void reoffer_refuses(struct kunit *test)
{
	static const char * const values[] = {
		"\n", "0", "1", "al", "alll", "deferred all", "ALL", "declined",
	};
	enum nmr_side side = nt_param_side(test);
	struct nt *nt = test->priv;
	struct nt_party *party = nt_party(nt, side);
	enum nt_point detach = NT_C_DETACH + side;
	char path[NT_NAME_SIZE], value[NT_VALUE_SIZE];
	int i;

	nt_join_npi(party);
	nt_join_npi(nt_party(nt, nt_peer(side)));
	for (i = 0; i < ARRAY_SIZE(values); i++)
		expect_write(test, party, "reoffer", values[i], -EINVAL);
	nt_party_path(party, "reoffer", path);
	nt_read(path, value);
	KUNIT_EXPECT_EQ(test, value[0], '(');
	nt_hold(party, detach);
	nt_deregister(party);
	expect_write(test, party, "reoffer", "deferred", -ESHUTDOWN);
	expect_write(test, party, "reoffer", "all", -ESHUTDOWN);
	nt_release(party, detach);
	KUNIT_EXPECT_EQ(test, nt_wait(party), 0);
	KUNIT_EXPECT_EQ(test, nt_entered(party, NT_C_ATTACH + side), 1);
}

/* uevent and modalias */

static void events_are_sent_anew(struct kunit *test)
{
	static const char * const taken[] = {
		"add", "add\n", "change", "change\n",
		"add 7b6a3a5c-0f52-4a5c-a0ea-0123456789ab A=1",
	};
	static const char * const refused[] = {
		"\n", "ad", "addx", "adds", "remove", "changed", "bind", " add",
	};
	struct nt *nt = test->priv;
	struct nt_party *party = nt_party(nt, nt_param_side(test));
	char path[NT_NAME_SIZE], value[NT_VALUE_SIZE];
	int i;

	nt_join_npi(party);
	for (i = 0; i < ARRAY_SIZE(taken); i++)
		expect_write(test, party, "uevent", taken[i], strlen(taken[i]));
	for (i = 0; i < ARRAY_SIZE(refused); i++)
		expect_write(test, party, "uevent", refused[i], -EINVAL);
	nt_party_path(party, "uevent", path);
	nt_read(path, value);
	KUNIT_EXPECT_EQ(test, value[0], '(');
}

/* Expect a modalias of clients only, which ask for modules. */
static void clients_have_a_modalias(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	char alias[NT_VALUE_SIZE];

	nt_join_npi(client);
	nt_join_npi(provider);
	snprintf(alias, sizeof(alias), "nmr-provider:%pUl", &nt->npi_id);
	expect_party(test, client, "modalias", alias);
	expect_party(test, provider, "modalias", ABSENT);
}

/* uevents of bindings */

#ifdef CONFIG_KPROBES
#define UEVENTS "module/nmr/parameters/uevents"

/* Events add and remove of bindings, and the parameter before the case */
static atomic_t binding_events[KOBJ_REMOVE + 1];
static char uevents_before[NT_VALUE_SIZE];

static bool count_event(struct pt_regs *regs)
{
	const struct kobject *kobj = (const struct kobject *)regs_get_kernel_argument(regs, 0);
	unsigned long action = regs_get_kernel_argument(regs, 1);
	const char *set = kobj->kset ? kobject_name(&kobj->kset->kobj) : "";

	if (!strcmp(set, "bindings") && action <= KOBJ_REMOVE)
		atomic_inc(&binding_events[action]);
	return false;
}

static struct nt_detour uevent_detour = { "kobject_uevent", NULL, NULL, count_event };

static int begin_events(struct kunit_resource *res, void *context)
{
	res->data = &uevent_detour;
	nt_read(UEVENTS, uevents_before);
	memset(binding_events, 0, sizeof(binding_events));
	return nt_detour_begin(&uevent_detour);
}

static void end_events(struct kunit_resource *res)
{
	nt_detour_end(&uevent_detour);
	nt_write(UEVENTS, uevents_before);
}

/* The parameter uevents when a binding attaches, and when it ends. */
struct turn {
	const char *name;
	const char *attach;
	const char *end;
	int events;
};

static const struct turn turns[] = {
	{ "Y to Y", "Y", "Y", 1 },
	{ "Y to N", "Y", "N", 1 },
	{ "N to Y", "N", "Y", 0 },
	{ "N to N", "N", "N", 0 },
};

NT_PARAM(turn, turns);

/* A binding sends remove if it has sent add, whatever the parameter is then. */
static void remove_is_sent_after_add(struct kunit *test)
{
	const struct turn *turn = test->param_value;
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt);

	KUNIT_ASSERT_NOT_NULL(test, kunit_alloc_resource(test, begin_events, end_events,
							 GFP_KERNEL, NULL));
	KUNIT_ASSERT_EQ(test, nt_write(UEVENTS, turn->attach), (ssize_t)1);
	nt_pair(nt, client, nt_provider(nt));
	KUNIT_EXPECT_EQ(test, atomic_read(&binding_events[KOBJ_ADD]), turn->events);
	KUNIT_ASSERT_EQ(test, nt_write(UEVENTS, turn->end), (ssize_t)1);
	nt_leave(client);
	KUNIT_EXPECT_EQ(test, atomic_read(&binding_events[KOBJ_ADD]), turn->events);
	KUNIT_EXPECT_EQ(test, atomic_read(&binding_events[KOBJ_REMOVE]), turn->events);
}
#endif

/* References of modules */

/* Return: the references to nmr.ko, or 0 if nmr is built in. */
static unsigned int module_references(struct kunit *test)
{
	char value[NT_VALUE_SIZE];
	unsigned int n = 0;

	nt_read("module/nmr/refcnt", value);
	if (strcmp(value, ABSENT))
		KUNIT_EXPECT_EQ(test, kstrtouint(value, 10, &n), 0);
	return n;
}

/* A reference to a binding keeps nmr.ko loaded, on which the suites depend as well. */
static void references_keep_the_module(struct kunit *test)
{
	unsigned int n = module_references(test), one = n ? 1 : 0;
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, nt_client(nt), nt_provider(nt));

	KUNIT_EXPECT_EQ(test, module_references(test), n);
	nt_get(nb);
	KUNIT_EXPECT_EQ(test, module_references(test), n + one);
	nt_get(nb);
	KUNIT_EXPECT_EQ(test, module_references(test), n + 2 * one);
	nt_put(nb);
	nt_put(nb);
	KUNIT_EXPECT_EQ(test, module_references(test), n);
}

/* debugfs: nmr/pairs */

#define TEXT_SIZE	16384

static char *nt_text(struct nt *nt)
{
	char *text = kunit_kzalloc(nt->test, TEXT_SIZE, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(nt->test, text);
	return text;
}

/* Find what nmr/pairs says of a pair, in @text, or return "" if the file does not list it. */
static const char *nt_read_pair_line(struct nt_party *client, struct nt_party *provider,
				     char *text)
{
	struct nt *nt = client->nt;
	char *line, *end;
	char pair[80];

	nt_check(nt, nt_read_lines("nmr/pairs", text, TEXT_SIZE) >= 0);
	snprintf(pair, sizeof(pair), "client %llu (" KBUILD_MODNAME ") provider %llu ("
		 KBUILD_MODNAME "): ", client->client.id, provider->provider.id);
	line = strstr(text, pair);
	if (!line)
		return "";
	line += strlen(pair);
	nt_check(nt, !strstr(line, pair));
	end = strchrnul(line, '\n');
	*end = '\0';
	return line;
}

static const char *nt_pair_line(struct nt_party *client, struct nt_party *provider)
{
	return nt_read_pair_line(client, provider, nt_text(client->nt));
}

/* Wait until what nmr/pairs says of a pair begins with @begin, without @without if that is set. */
static void await_pair(struct kunit *test, struct nt_party *client, struct nt_party *provider,
		       const char *begin, const char *without)
{
	char *text = nt_text(client->nt);
	const char *line;

	KUNIT_EXPECT_EQ(test, 0, read_poll_timeout(nt_read_pair_line, line,
						   strstarts(line, begin) &&
						   !(without && strstr(line, without)),
						   USEC_PER_MSEC, jiffies_to_usecs(NT_TIMEOUT),
						   false, client, provider, text));
}

static void expect_pair(struct kunit *test, struct nt_party *client,
			struct nt_party *provider, const char *expected)
{
	KUNIT_EXPECT_STREQ(test, nt_pair_line(client, provider), expected);
}

static void expect_pair_begins(struct kunit *test, struct nt_party *client,
			       struct nt_party *provider, const char *expected)
{
	const char *line = nt_pair_line(client, provider);

	KUNIT_EXPECT_TRUE_MSG(test, strstarts(line, expected), "%s", line);
}

static void pairs_show_why_they_are_not_attached(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *full = nt_client(nt);
	struct nt_party *provider[6];
	struct nt_binding *nb;
	int i;

	full->max_bindings = 1;
	for (i = 0; i < ARRAY_SIZE(provider); i++)
		provider[i] = nt_provider(nt);
	provider[1]->at[NT_P_ATTACH].ret = -EPROBE_DEFER;
	provider[2]->at[NT_P_ATTACH].ret = -ENODEV;
	for (i = 0; i < 5; i++)
		nt_join_npi(provider[i]);
	nt_join_npi(client);
	nt_join_npi(full);
	client->at[NT_C_BOUND].ret = -ECANCELED;
	nt_join_npi(provider[5]);
	nb = nt_find(nt, client, provider[3]);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT), 0);
	/* The end of this binding is an event, and must precede the deferral. */
	await_pair(test, client, provider[3], "aborted", NULL);
	nb = nt_find(nt, client, provider[4]);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_FALLBACK), 0);
	await_pair(test, client, provider[4], "deferred", NULL);
	/* The end of that binding is an event, too, by which this pair is offered again. */
	await_pair(test, client, provider[1], "deferred", NULL);

	expect_pair(test, client, provider[0], "");
	expect_pair(test, client, provider[2], "declined by the provider, error -19");
	expect_pair(test, client, provider[3], "aborted");
	expect_pair(test, client, provider[4], "deferred");
	expect_pair(test, client, provider[5], "declined by the client, error -125");
	expect_pair(test, full, provider[0], "");
	for (i = 1; i < ARRAY_SIZE(provider); i++)
		expect_pair(test, full, provider[i],
			    "withheld, the client has as many bindings as it takes");
	/* The file does not list pairs of a provider that has left. */
	nt_leave(provider[2]);
	expect_pair(test, client, provider[2], "");
}

/* Read about pairs with a callback that runs, or that a register call has not reached. */
static void pairs_show_where_they_are(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *next = nt_client(nt);
	struct nt_party *provider = nt_provider(nt);
	struct nt_thread *thread;
	struct nt_binding *nb;

	nt_join_npi(client);
	nt_join_npi(next);
	nt_hold(provider, NT_P_ATTACH);
	thread = nt_spawn(nt, nt_register_thread, provider);
	nt_await(nt, nt_entered(provider, NT_P_ATTACH) == 1);
	expect_pair_begins(test, client, provider, "attaching for ");
	KUNIT_EXPECT_NOT_NULL(test, strstr(nt_pair_line(client, provider),
					   " ms, in task nmr_kunit/"));
	expect_pair(test, next, provider, "about to be offered");
	nt_release(provider, NT_P_ATTACH);
	KUNIT_EXPECT_EQ(test, nt_join(thread), 0);
	expect_pair(test, client, provider, "");
	expect_pair(test, next, provider, "");

	client->at[NT_C_DETACH].ret = -EINPROGRESS;
	nt_hold(client, NT_C_DETACH);
	nb = nt_find(nt, client, provider);
	KUNIT_EXPECT_EQ(test, nmr_detach_binding(nb->b, NMR_DETACH_ABORT), 0);
	nt_await(nt, nt_entered(client, NT_C_DETACH) == 1);
	expect_pair_begins(test, client, provider, "detaching for ");
	KUNIT_EXPECT_NOT_NULL(test, strstr(nt_pair_line(client, provider),
					   " ms, in task kworker/"));
	nt_release(client, NT_C_DETACH);
	nt_await(nt, nt_has_left(nb, NT_P_DETACH));
	await_pair(test, client, provider, "detaching for ", "in task");
	nt_complete(nb, NMR_CLIENT);
	await_pair(test, client, provider, "aborted", NULL);
}

/* Read nmr/pairs with more pairs than fit into a page, before and after they end. */
static void pairs_are_read_while_they_go(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider[100];
	char *text = nt_text(nt);
	int i, lines = 0;
	char *c;

	client->at[NT_C_ATTACH].ret = -ENODEV;
	nt_join_npi(client);
	for (i = 0; i < ARRAY_SIZE(provider); i++) {
		provider[i] = nt_provider(nt);
		nt_join_npi(provider[i]);
	}
	KUNIT_EXPECT_GT(test, nt_read_lines("nmr/pairs", text, TEXT_SIZE), (ssize_t)0);
	for (c = text; *c; c++)
		lines += *c == '\n';
	KUNIT_EXPECT_EQ(test, lines, (int)ARRAY_SIZE(provider));
	for (i = 0; i < ARRAY_SIZE(provider); i++)
		KUNIT_EXPECT_STREQ(test, nt_pair_line(client, provider[i]),
				   "declined by the client, error -19");
	nt_leave(client);
	KUNIT_EXPECT_EQ(test, nt_read_lines("nmr/pairs", text, TEXT_SIZE), (ssize_t)0);
}

/*
 * Read some of nmr/pairs. Before the reader continues, the client at its place finishes,
 * and so do the next one and the NPI. Another reader stops in the middle.
 */
static void reader_of_pairs_loses_its_place(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client[2] = { nt_client(nt), nt_client(nt) }, *provider[100];
	char *text = nt_text(nt);
	struct file *file, *other;
	ssize_t some, rest;
	int i;

	for (i = 0; i < 2; i++) {
		client[i]->at[NT_C_ATTACH].ret = -ENODEV;
		nt_join_npi(client[i]);
	}
	for (i = 0; i < ARRAY_SIZE(provider); i++) {
		provider[i] = nt_provider(nt);
		nt_join_npi(provider[i]);
	}
	other = nt_open_lines("nmr/pairs");
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	KUNIT_EXPECT_EQ(test, nt_read_some(other, text, 100, 0), (ssize_t)100);
	fput(other);
	file = nt_open_lines("nmr/pairs");
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	some = nt_read_some(file, text, 100, 0);
	KUNIT_EXPECT_EQ(test, some, (ssize_t)100);
	nt_leave(client[0]);
	nt_leave(client[1]);
	for (i = 0; i < ARRAY_SIZE(provider); i++)
		nt_leave(provider[i]);
	/* The memory of all is freed a grace period later. */
	nt_settle(nt);
	rcu_barrier();
	do {
		rest = nt_read_some(file, text, TEXT_SIZE, some);
		some += rest;
	} while (rest > 0);
	KUNIT_EXPECT_EQ(test, rest, (ssize_t)0);
	fput(file);
}

/* debugfs: nmr/references, of bindings that have ended */

static void references_are_shown(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb = nt_pair(nt, client, provider);
	char *text = nt_text(nt);
	char line[80];

	nt_get(nb);
	nt_get(nb);
	KUNIT_EXPECT_EQ(test, nt_read_lines("nmr/references", text, TEXT_SIZE), (ssize_t)0);
	nt_leave(client);
	nt_leave(provider);
	nt_settle(nt);
	rcu_barrier();
	snprintf(line, sizeof(line), "binding %llu (" KBUILD_MODNAME " -> " KBUILD_MODNAME
		 "): 2\n", nb->id);
	nt_read_lines("nmr/references", text, TEXT_SIZE);
	KUNIT_EXPECT_STREQ(test, text, line);
	nt_put(nb);
	line[strlen(line) - 2] = '1';
	nt_read_lines("nmr/references", text, TEXT_SIZE);
	KUNIT_EXPECT_STREQ(test, text, line);
	nt_put(nb);
	KUNIT_EXPECT_EQ(test, nt_read_lines("nmr/references", text, TEXT_SIZE), (ssize_t)0);
}

static struct kunit_case nmr_sysfs_cases[] = {
	KUNIT_CASE_PARAM(registration_shows_itself, nt_side_gen_params),
	KUNIT_CASE(binding_shows_its_life),
	KUNIT_CASE_PARAM(binding_shows_its_reason, reason_gen_params),
	KUNIT_CASE(binding_is_not_there_before_it_has_attached),
	KUNIT_CASE_PARAM(binding_counts_calls, nt_side_gen_params),
	KUNIT_CASE(binding_counts_pending_time),
	KUNIT_CASE(detach_starts_and_returns),
	KUNIT_CASE(detach_refuses_other_values),
	KUNIT_CASE(detach_is_for_root),
	KUNIT_CASE(open_files_delay_no_wait),
	KUNIT_CASE_PARAM(reoffer_all_of_a_client, parting_gen_params),
	KUNIT_CASE_PARAM(reoffer_all_of_a_provider, parting_gen_params),
	KUNIT_CASE_PARAM(reoffer_all_undoes_an_abort_that_is_pending, nt_side_gen_params),
	KUNIT_CASE_PARAM(abort_outlasts_an_earlier_reoffer, nt_side_gen_params),
	KUNIT_CASE_PARAM(reoffer_all_concerns_each_pair, nt_side_gen_params),
	KUNIT_CASE(reoffer_all_after_a_deferred_client_has_left),
	KUNIT_CASE_PARAM(reoffer_of_deferred_pairs, nt_side_gen_params),
	KUNIT_CASE_PARAM(reoffer_all_finds_what_was_deferred_once, nt_side_gen_params),
	KUNIT_CASE_PARAM(reoffer_deferred_leaves_declined_pairs, nt_side_gen_params),
	KUNIT_CASE_PARAM(reoffer_refuses, nt_side_gen_params),
	KUNIT_CASE_PARAM(events_are_sent_anew, nt_side_gen_params),
	KUNIT_CASE(clients_have_a_modalias),
#ifdef CONFIG_KPROBES
	KUNIT_CASE_PARAM(remove_is_sent_after_add, turn_gen_params),
#endif
	KUNIT_CASE(references_keep_the_module),
	KUNIT_CASE(pairs_show_why_they_are_not_attached),
	KUNIT_CASE(pairs_show_where_they_are),
	KUNIT_CASE(pairs_are_read_while_they_go),
	KUNIT_CASE(reader_of_pairs_loses_its_place),
	KUNIT_CASE(references_are_shown),
	{}
};

static struct kunit_suite nmr_sysfs_suite = {
	.name = "nmr_sysfs",
	.suite_init = nt_mount_files,
	.suite_exit = nt_unmount_files,
	.init = nt_init,
	.test_cases = nmr_sysfs_cases,
};

kunit_test_suite(nmr_sysfs_suite);
