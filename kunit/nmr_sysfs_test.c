// SPDX-License-Identifier: GPL-2.0
/*
 * What /sys/kernel/nmr shows, from registered to gone, and what it takes. Read and
 * written through a mount of sysfs that only the kernel sees.
 */
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/sched.h>

#include "harness.h"

#define NAME_SIZE	64
#define VALUE_SIZE	64

KUNIT_ARRAY_PARAM(side, nt_sides, nt_side_name);

static enum nmr_side param_side(struct kunit *test)
{
	return *(const enum nmr_side *)test->param_value;
}

/* Access */

static struct vfsmount *sysfs_mount;

static struct file *nt_open_file(const char *path, int flags)
{
	return file_open_root_mnt(sysfs_mount, path, flags, 0);
}

/* What a file says, without its newline, or "(errno)". */
static void nt_read(const char *path, char value[VALUE_SIZE])
{
	struct file *file = nt_open_file(path, O_RDONLY);
	ssize_t length = PTR_ERR_OR_ZERO(file);
	loff_t pos = 0;

	if (!length) {
		length = kernel_read(file, value, VALUE_SIZE - 1, &pos);
		fput(file);
	}
	if (length < 0) {
		snprintf(value, VALUE_SIZE, "(%zd)", length);
		return;
	}
	if (length && value[length - 1] == '\n')
		length--;
	value[length] = '\0';
}

static ssize_t nt_write(const char *path, const char *value)
{
	struct file *file = nt_open_file(path, O_WRONLY);
	ssize_t ret = PTR_ERR_OR_ZERO(file);
	loff_t pos = 0;

	if (!ret) {
		ret = kernel_write(file, value, strlen(value), &pos);
		fput(file);
	}
	return ret;
}

static void nt_party_path(struct nt_party *party, const char *name,
			  char path[NAME_SIZE])
{
	snprintf(path, NAME_SIZE, "kernel/nmr/%s/%llu/%s",
		 party->side == NMR_CLIENT ? "clients" : "providers",
		 party->client.id, name);
}

static void nt_binding_path(struct nt_binding *nb, const char *name,
			    char path[NAME_SIZE])
{
	snprintf(path, NAME_SIZE, "kernel/nmr/bindings/%llu/%s", nb->id, name);
}

static void expect_party(struct kunit *test, struct nt_party *party,
			 const char *name, const char *expected)
{
	char path[NAME_SIZE], value[VALUE_SIZE];

	nt_party_path(party, name, path);
	nt_read(path, value);
	KUNIT_EXPECT_STREQ_MSG(test, value, expected, "%s", path);
}

static void expect_binding(struct kunit *test, struct nt_binding *nb,
			   const char *name, const char *expected)
{
	char path[NAME_SIZE], value[VALUE_SIZE];

	nt_binding_path(nb, name, path);
	nt_read(path, value);
	KUNIT_EXPECT_STREQ_MSG(test, value, expected, "%s", path);
}

#define ABSENT "(-2)"

/* Registrations */

static void registration_shows_itself(struct kunit *test)
{
	struct nt *nt = test->priv;
	enum nmr_side side = param_side(test);
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

	/* Promise 7: nothing is left when the wait has returned. */
	KUNIT_EXPECT_EQ(test, nt_wait(party), 0);
	expect_party(test, party, "state", ABSENT);
	expect_party(test, party, "", ABSENT);
	expect_party(test, peer, "state", "active");
}

/* Bindings */

static void expect_link(struct kunit *test, struct nt_binding *nb, const char *name,
			struct nt_party *party)
{
	char path[NAME_SIZE], target[NAME_SIZE];
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
	expect_binding(test, nb, "state", "attached");
	expect_binding(test, nb, "reason", "");
	expect_binding(test, nb, "client_calls", "0");
	expect_binding(test, nb, "provider_calls", "0");
	expect_binding(test, nb, "client_detach", "none");
	expect_binding(test, nb, "provider_detach", "none");
	expect_binding(test, nb, "pending_ms", "0");

	nt_deregister(provider);
	nt_await(nt, nt_entered(client, NT_C_DETACH) == 1);
	expect_binding(test, nb, "state", "detaching");
	expect_binding(test, nb, "reason", "provider-deregistered");
	expect_binding(test, nb, "client_detach", "pending");
	expect_binding(test, nb, "provider_detach", "none");

	nt_release(client, NT_C_DETACH);
	nt_await(nt, nt_entered(provider, NT_P_DETACH) == 1);
	expect_binding(test, nb, "state", "detaching");
	expect_binding(test, nb, "client_detach", "done");
	expect_binding(test, nb, "provider_detach", "pending");

	nt_release(provider, NT_P_DETACH);
	nt_await(nt, nt_entered(client, NT_C_CLEANUP) == 1);
	expect_binding(test, nb, "state", "cleaning");
	expect_binding(test, nb, "client_detach", "done");
	expect_binding(test, nb, "provider_detach", "done");
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

static void reason_name(const struct reason_case *reason, char *desc)
{
	strscpy(desc, reason->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(reason, reasons, reason_name);

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
	expect_binding(test, nb, "state", "detaching");
	expect_binding(test, nb, "client_detach", "done");
	expect_binding(test, nb, "provider_detach", "pending");
}

/* A binding that attaches, and one that was refused, is not there. */
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
	enum nmr_side side = param_side(test);
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
	/* Detached is both: its callback is through, and so are its calls. */
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
	char path[NAME_SIZE], value[VALUE_SIZE];
	struct nt_binding *nb;
	unsigned int ms = 0;

	client->at[NT_C_DETACH].ret = -EINPROGRESS;
	nb = nt_pair(nt, client, nt_provider(nt));
	nt_deregister(client);
	/* Time passes, at least as much as that. */
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
	char path[NAME_SIZE];
	struct nt_binding *nb;
	int i;

	nt_join_npi(client);
	nt_join_npi(provider);
	nt_hold(client, NT_C_DETACH);
	for (i = 0; i < ARRAY_SIZE(values); i++) {
		reason = i ? NMR_DETACH_ABORT : NMR_DETACH_FALLBACK;
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
		/* Back after fallback, on request; never after abort. */
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
	char path[NAME_SIZE];
	int i;

	nt_binding_path(nb, "detach", path);
	for (i = 0; i < ARRAY_SIZE(values); i++)
		KUNIT_EXPECT_EQ_MSG(test, nt_write(path, values[i]), -EINVAL, "%s",
				    values[i]);
	expect_binding(test, nb, "state", "attached");
	KUNIT_EXPECT_TRUE(test, nt_open(nb, NMR_CLIENT));
}

/* Write-only, and for root. */
static int write_as_nobody(void *arg)
{
	struct nt_binding *nb = arg;
	struct cred *cred = prepare_creds();
	const struct cred *old;
	char path[NAME_SIZE], value[VALUE_SIZE];
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

static void detach_is_for_root(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_binding *nb = nt_pair(nt, nt_client(nt), nt_provider(nt));
	char path[NAME_SIZE], value[VALUE_SIZE];

	KUNIT_EXPECT_EQ(test, nt_join(nt_spawn(nt, write_as_nobody, nb)), -EACCES);
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
	char value[VALUE_SIZE];
	loff_t pos = 0;

	KUNIT_EXPECT_EQ(test, kernel_read(file, value, sizeof(value), &pos), -ENODEV);
	fput(file);
}

/* They delay no wait, and say that what they showed is gone. */
static void open_files_delay_nobody(struct kunit *test)
{
	struct nt *nt = test->priv;
	struct nt_party *client = nt_client(nt), *provider = nt_provider(nt);
	struct nt_binding *nb = nt_pair(nt, client, provider);
	char path[NAME_SIZE], value[VALUE_SIZE];
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

static int nmr_sysfs_suite_init(struct kunit_suite *suite)
{
	struct file_system_type *type = get_fs_type("sysfs");

	if (!type)
		return -ENODEV;
	sysfs_mount = kern_mount(type);
	return PTR_ERR_OR_ZERO(sysfs_mount);
}

static void nmr_sysfs_suite_exit(struct kunit_suite *suite)
{
	if (!IS_ERR_OR_NULL(sysfs_mount))
		kern_unmount(sysfs_mount);
}

static struct kunit_case nmr_sysfs_cases[] = {
	KUNIT_CASE_PARAM(registration_shows_itself, side_gen_params),
	KUNIT_CASE(binding_shows_its_life),
	KUNIT_CASE_PARAM(binding_shows_its_reason, reason_gen_params),
	KUNIT_CASE(binding_is_not_there_before_it_has_attached),
	KUNIT_CASE_PARAM(binding_counts_calls, side_gen_params),
	KUNIT_CASE(binding_counts_pending_time),
	KUNIT_CASE(detach_starts_and_returns),
	KUNIT_CASE(detach_refuses_other_values),
	KUNIT_CASE(detach_is_for_root),
	KUNIT_CASE(open_files_delay_nobody),
	{}
};

static struct kunit_suite nmr_sysfs_suite = {
	.name = "nmr_sysfs",
	.suite_init = nmr_sysfs_suite_init,
	.suite_exit = nmr_sysfs_suite_exit,
	.init = nt_init,
	.test_cases = nmr_sysfs_cases,
};

kunit_test_suite(nmr_sysfs_suite);
