// SPDX-License-Identifier: GPL-2.0-only
/*
 * Digest files with the provider that this client is bound to, in several threads, until
 * the module unloads. If the provider leaves in the middle of a file, the thread waits for
 * another provider and begins the file again.
 *
 *	insmod digest_client.ko files=/bin/busybox,/etc/passwd threads=4
 *	cat /sys/kernel/debug/digest_client
 *
 * The file in debugfs shows the digest of each file, and these counts:
 *
 *	begun	files that a thread has begun
 *	done	files that a thread has digested
 *	busy	threads that are digesting a file
 *	retries	files that a thread began again because the binding closed
 *	wrong	digests that differ from the first digest of the same file
 *	lost	files that were begun and got no digest: begun - done - busy
 *
 * Authors of clients may note:
 *
 * - max_bindings is 1. The registrar offers one provider at a time, and the next provider
 *   when the binding was cleaned up. Therefore one pointer is enough, and no list is needed.
 * - A thread enters the gate for each call and not for a whole file. Therefore a provider
 *   that leaves waits for one block, however long the file is.
 * - Between the calls a thread holds a reference to the binding. The reference delays no
 *   module that leaves. It keeps the binding valid, so that the next call can try to enter.
 *
 * Locks:
 *
 *   client_bound   RCU. Set in attach, cleared in detach; the link is freed a grace period
 *                  after cleanup. There is one writer at a time: callbacks of one binding
 *                  do not overlap, and there is only one binding.
 *   client_lock    spinlock, task context, innermost. It protects all counts, and the list
 *                  of tallies. It is never held across a call to a provider.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/nmr.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "digest_npi.h"

#define CLIENT_FILES	16
#define CLIENT_THREADS	64

/* Results that are no errno, so that they differ from the errors of a provider. */
#define CLIENT_CLOSED	1	/* the binding is closed, the call was not made */
#define CLIENT_LEAVING	2	/* this module is deregistered */

static char *files[CLIENT_FILES];
static uint nr_files;
module_param_array(files, charp, &nr_files, 0444);
MODULE_PARM_DESC(files, "Regular files to digest; they should not change meanwhile");

static uint threads = 4;
module_param(threads, uint, 0444);
MODULE_PARM_DESC(threads, "How many threads digest at once, 1 to 64");

/* Files that a provider has digested. The record stays when the provider has gone. */
struct client_tally {
	struct list_head list;
	char		 name[DIGEST_NAME_SIZE];
	u64		 done;
};

/* The client's binding context. */
struct client_link {
	struct nmr_binding	*binding;
	struct nmr_endpoint	 provider;
	struct client_tally	*tally;
	struct rcu_head		 rcu;
};

struct client_file {
	struct file	*file;
	u8		 digest[DIGEST_SIZE];	/* the first one; valid if @done */
	u64		 done;
};

/* From kmalloc(), because the NPI requires it of all memory that a provider is given. */
struct client_thread {
	struct task_struct	*task;
	uint			 next_file;
	struct digest_state	 state;
	u8			 digest[DIGEST_SIZE];
	u8			 block[SZ_16K] __aligned(ARCH_KMALLOC_MINALIGN);
};

static struct nmr_client_handle client_handle;
static struct client_link __rcu *client_bound;

static struct client_file client_files[CLIENT_FILES];
static struct client_thread *client_threads[CLIENT_THREADS];
static struct dentry *client_dentry;

static DEFINE_SPINLOCK(client_lock);
static LIST_HEAD(client_tallies);
static u64 client_begun, client_done, client_retries, client_wrong;
static uint client_busy;

/* Calls. Return: what the provider returned, or CLIENT_CLOSED. */

static int client_call_init(const struct client_link *link, struct digest_state *state)
{
	const struct digest_provider_dispatch *dispatch = link->provider.dispatch;
	int err;

	if (!nmr_client_call_enter(link->binding))
		return CLIENT_CLOSED;
	err = dispatch->init(link->provider.binding_context, state);
	nmr_client_call_exit(link->binding);
	return err;
}

static int client_call_update(const struct client_link *link, struct digest_state *state,
			      const u8 *data, size_t len)
{
	const struct digest_provider_dispatch *dispatch = link->provider.dispatch;
	int err;

	if (!nmr_client_call_enter(link->binding))
		return CLIENT_CLOSED;
	err = dispatch->update(link->provider.binding_context, state, data, len);
	nmr_client_call_exit(link->binding);
	return err;
}

static int client_call_final(const struct client_link *link, struct digest_state *state,
			     u8 *digest)
{
	const struct digest_provider_dispatch *dispatch = link->provider.dispatch;
	int err;

	if (!nmr_client_call_enter(link->binding))
		return CLIENT_CLOSED;
	err = dispatch->final(link->provider.binding_context, state, digest);
	nmr_client_call_exit(link->binding);
	return err;
}

/*
 * Digest @file into thread->digest. Return: 0, an error of the file or of the provider, or
 * CLIENT_CLOSED. In the last case the caller begins again with another provider, which
 * cannot use the state of this one.
 */
static int client_digest_with(const struct client_link *link, struct client_thread *thread,
			      struct file *file)
{
	loff_t pos = 0;
	ssize_t len;
	int err;

	err = client_call_init(link, &thread->state);
	while (!err) {
		len = kernel_read(file, thread->block, sizeof(thread->block), &pos);
		if (len < 0)
			return len;
		if (!len)
			return client_call_final(link, &thread->state, thread->digest);
		err = client_call_update(link, &thread->state, thread->block, len);
	}
	return err;
}

/*
 * Copy the link of the current binding to @link, and take a reference to the binding. The
 * original is freed with the binding, and the caller sleeps. Return: true if the client is
 * bound.
 */
static bool client_get_link(struct client_link *link)
{
	const struct client_link *bound;

	rcu_read_lock();
	bound = rcu_dereference(client_bound);
	if (bound) {
		*link = *bound;
		nmr_binding_get(link->binding);
	}
	rcu_read_unlock();
	return bound;
}

static void client_count_retry(void)
{
	spin_lock(&client_lock);
	client_retries++;
	spin_unlock(&client_lock);
}

/*
 * Digest @file with one provider after the other, until one of them finishes it. Return: 0,
 * and the tally of that provider; an error of the file or of a provider; or CLIENT_LEAVING.
 */
static int client_digest(struct client_thread *thread, struct file *file,
			 struct client_tally **tally)
{
	struct client_link link;
	int err;

	for (;;) {
		if (client_get_link(&link)) {
			err = client_digest_with(&link, thread, file);
			nmr_binding_put(link.binding);
			*tally = link.tally;
			if (err != CLIENT_CLOSED)
				return err;
			client_count_retry();
		}
		/*
		 * There is no binding, or it has closed. The next one comes when it has
		 * been cleaned up. A kthread gets no signals, so the error is -ESHUTDOWN.
		 */
		if (nmr_client_wait_for_binding(client_handle, MAX_SCHEDULE_TIMEOUT))
			return CLIENT_LEAVING;
	}
}

static void client_begin(void)
{
	spin_lock(&client_lock);
	client_begun++;
	client_busy++;
	spin_unlock(&client_lock);
}

static void client_end(struct client_file *cfile, const u8 *digest, struct client_tally *tally)
{
	spin_lock(&client_lock);
	if (!cfile->done++)
		memcpy(cfile->digest, digest, DIGEST_SIZE);
	else if (memcmp(cfile->digest, digest, DIGEST_SIZE))
		client_wrong++;
	tally->done++;
	client_done++;
	client_busy--;
	spin_unlock(&client_lock);
}

/* Count a file that got no digest: it is neither done nor busy, so it counts as lost. */
static void client_drop(struct client_file *cfile, int err)
{
	pr_err_ratelimited("%pD: error %d\n", cfile->file, err);
	spin_lock(&client_lock);
	client_busy--;
	spin_unlock(&client_lock);
}

/* Wait for kthread_stop(), which touches the task of a thread. */
static void client_wait_for_stop(void)
{
	set_current_state(TASK_INTERRUPTIBLE);
	while (!kthread_should_stop()) {
		schedule();
		set_current_state(TASK_INTERRUPTIBLE);
	}
	__set_current_state(TASK_RUNNING);
}

static int client_thread_fn(void *data)
{
	struct client_thread *thread = data;
	struct client_tally *tally;
	struct client_file *cfile;
	int err;

	set_user_nice(current, MAX_NICE);
	while (!kthread_should_stop()) {
		cfile = &client_files[thread->next_file++ % nr_files];
		client_begin();
		err = client_digest(thread, cfile->file, &tally);
		if (err == CLIENT_LEAVING)
			break;
		if (err)
			client_drop(cfile, err);
		else
			client_end(cfile, thread->digest, tally);
		cond_resched();
	}
	client_wait_for_stop();
	return 0;
}

/* The binding */

static struct client_tally *client_get_tally(const char *name)
{
	struct client_tally *tally;

	/* Only attach callbacks change the list, and never two concurrently. */
	list_for_each_entry(tally, &client_tallies, list)
		if (!strcmp(tally->name, name))
			return tally;

	tally = kzalloc(sizeof(*tally), GFP_KERNEL);
	if (!tally)
		return NULL;
	strscpy(tally->name, name, sizeof(tally->name));
	spin_lock(&client_lock);
	list_add_tail(&tally->list, &client_tallies);
	spin_unlock(&client_lock);
	return tally;
}

static int client_attach_provider(struct nmr_binding *binding, void *client_context,
				  const struct nmr_registration_instance *provider)
{
	const struct digest_characteristics *specific = provider->npi_specific;
	struct nmr_endpoint client = {};
	struct client_link *link;
	int err;

	if (!specific || specific->version != DIGEST_VERSION)
		return -ENODEV;
	link = kzalloc(sizeof(*link), GFP_KERNEL);
	if (!link)
		return -ENOMEM;
	link->binding = binding;
	err = -ENOMEM;
	link->tally = client_get_tally(specific->name);
	if (!link->tally)
		goto err_free;
	client.binding_context = link;
	err = nmr_client_attach_provider(binding, &client, &link->provider);
	if (err)
		goto err_free;
	/* Threads that wait for a binding wake when this function has returned. */
	rcu_assign_pointer(client_bound, link);
	return 0;

err_free:
	kfree(link);
	return err;
}

static int client_detach_provider(void *client_binding_context, enum nmr_detach_reason reason)
{
	/*
	 * The gate has closed already. Clearing the pointer saves the threads an attempt
	 * to enter. The registrar counts the calls that are still in flight.
	 */
	RCU_INIT_POINTER(client_bound, NULL);
	return 0;
}

static void client_cleanup_binding_context(void *client_binding_context)
{
	struct client_link *link = client_binding_context;

	/* A thread may be copying the link, see client_get_link(). */
	kfree_rcu(link, rcu);
}

static const guid_t client_module_id =
	GUID_INIT(0x14742983, 0xef33, 0x4e51,
		  0x93, 0x2f, 0x82, 0xc9, 0x49, 0x7f, 0x94, 0x88);

static const struct nmr_client_characteristics client_characteristics = {
	.attach_provider		= client_attach_provider,
	.detach_provider		= client_detach_provider,
	.cleanup_binding_context	= client_cleanup_binding_context,
	.max_bindings			= 1,
	.instance			= {
		.npi_id		= &digest_npi_id,
		.module_id	= &client_module_id,
	},
};

/* The results */

static int client_results_show(struct seq_file *m, void *unused)
{
	struct client_tally *tally;
	uint i;

	spin_lock(&client_lock);
	for (i = 0; i < nr_files; i++)
		if (client_files[i].done)
			seq_printf(m, "file %*phN %s %llu\n", DIGEST_SIZE,
				   client_files[i].digest, files[i], client_files[i].done);
	list_for_each_entry(tally, &client_tallies, list)
		seq_printf(m, "provider %s %llu\n", tally->name, tally->done);
	seq_printf(m, "begun %llu\ndone %llu\nbusy %u\n", client_begun, client_done, client_busy);
	seq_printf(m, "retries %llu\nwrong %llu\nlost %llu\n", client_retries, client_wrong,
		   client_begun - client_done - client_busy);
	spin_unlock(&client_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(client_results);

/* The module */

static int __init client_open_file(struct client_file *cfile, const char *path)
{
	struct file *file;

	file = filp_open(path, O_RDONLY | O_LARGEFILE, 0);
	if (IS_ERR(file)) {
		pr_err("%s: error %ld\n", path, PTR_ERR(file));
		return PTR_ERR(file);
	}
	cfile->file = file;
	if (!S_ISREG(file_inode(file)->i_mode)) {
		pr_err("%s: not a regular file\n", path);
		return -EINVAL;
	}
	return 0;
}

/* Create a thread, which does not run yet. */
static int __init client_make_thread(uint i)
{
	struct client_thread *thread;
	struct task_struct *task;

	thread = kzalloc(sizeof(*thread), GFP_KERNEL);
	if (!thread)
		return -ENOMEM;
	client_threads[i] = thread;
	thread->next_file = i;
	task = kthread_create(client_thread_fn, thread, "digest_client/%u", i);
	if (IS_ERR(task))
		return PTR_ERR(task);
	thread->task = task;
	return 0;
}

/* Undo client_init(), as far as it got. The client must not be registered. */
static void client_free(void)
{
	struct client_tally *tally, *next;
	uint i;

	for (i = 0; i < CLIENT_THREADS && client_threads[i]; i++) {
		if (client_threads[i]->task)
			kthread_stop(client_threads[i]->task);
		kfree(client_threads[i]);
	}
	debugfs_remove(client_dentry);
	list_for_each_entry_safe(tally, next, &client_tallies, list)
		kfree(tally);
	for (i = 0; i < CLIENT_FILES && client_files[i].file; i++)
		filp_close(client_files[i].file, NULL);
}

static int __init client_init(void)
{
	int err = 0;
	uint i;

	if (!nr_files || !threads || threads > CLIENT_THREADS)
		return -EINVAL;
	for (i = 0; i < nr_files && !err; i++)
		err = client_open_file(&client_files[i], files[i]);
	for (i = 0; i < threads && !err; i++)
		err = client_make_thread(i);
	if (err)
		goto err_free;
	client_dentry = debugfs_create_file(KBUILD_MODNAME, 0444, NULL, NULL,
					    &client_results_fops);

	/* Register as the last step that may fail: the client may attach before it returns. */
	err = nmr_register_client(&client_characteristics, NULL, &client_handle);
	if (err)
		goto err_free;
	for (i = 0; i < threads; i++)
		wake_up_process(client_threads[i]->task);
	return 0;

err_free:
	client_free();
	return err;
}
module_init(client_init);

static void __exit client_exit(void)
{
	/*
	 * Deregister first. That closes the gate, waits for the calls in flight, and
	 * wakes the threads that wait for a binding with -ESHUTDOWN. The threads run in
	 * this module's text, so the module stops them.
	 */
	nmr_deregister_client_sync(client_handle);
	client_free();
}
module_exit(client_exit);

MODULE_DESCRIPTION("NMR sample: digests files through one provider at a time");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(NMR);
