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
 * - The client has a slot. The registrar keeps it filled with the provider that the client has
 *   now, and offers the next provider when the binding was cleaned up.
 * - A thread enters the slot for each call and not for a whole file. Therefore a provider that
 *   leaves waits for one block, however long the file is.
 * - A thread that finds another binding in the slot than before begins its file again, because
 *   a provider cannot use the state of another one.
 *
 * Locks:
 *
 *   client_lock    spinlock, task context, innermost. It protects all counts, and the list
 *                  of tallies. It is never held across a call to a provider.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/nmr.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "digest_npi.h"

#define CLIENT_FILES	16
#define CLIENT_THREADS	64

/* Results that are no errno, so that they differ from the errors of a provider. */
#define CLIENT_CLOSED	1	/* the binding has closed, the call was not made */
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
	u64			 binding;	/* the one that has @state */
	struct client_tally	*tally;		/* of its provider */
	u8			 digest[DIGEST_SIZE];
	u8			 block[SZ_16K] __aligned(ARCH_KMALLOC_MINALIGN);
};

static struct nmr_client_handle client_handle;
DEFINE_NMR_SLOT(client_slot);

static struct client_file client_files[CLIENT_FILES];
static struct client_thread *client_threads[CLIENT_THREADS];
static struct dentry *client_dentry;

static DEFINE_SPINLOCK(client_lock);
static LIST_HEAD(client_tallies);
static u64 client_begun, client_done, client_retries, client_wrong;
static uint client_busy;

/* Return: the tally called @name, or NULL. Must be called with client_lock held. */
static struct client_tally *client_find_tally(const char *name)
{
	struct client_tally *tally;

	list_for_each_entry(tally, &client_tallies, list)
		if (!strcmp(tally->name, name))
			return tally;
	return NULL;
}

/* Find or add the tally of a provider. Return: NULL: allocation failure. */
static struct client_tally *client_get_tally(const char *name)
{
	struct client_tally *new = kzalloc(sizeof(*new), GFP_KERNEL), *tally;

	spin_lock(&client_lock);
	tally = client_find_tally(name);
	if (!tally && new) {
		strscpy(new->name, name, sizeof(new->name));
		list_add_tail(&new->list, &client_tallies);
		swap(tally, new);
	}
	spin_unlock(&client_lock);
	kfree(new);
	return tally;
}

/*
 * Begin a file: wait for a provider, and call it. Return: what the provider returned, or
 * CLIENT_LEAVING. A kthread gets no signals, so nmr_slot_enter_wait() fails with -ESHUTDOWN.
 */
static int client_call_init(struct client_thread *thread)
{
	const struct digest_provider_dispatch *dispatch;
	struct nmr_call call;
	int err;

	if (nmr_slot_enter_wait(&client_slot, &call, MAX_SCHEDULE_TIMEOUT))
		return CLIENT_LEAVING;
	dispatch = call.dispatch;
	thread->binding = nmr_binding_id(call.binding);
	thread->tally = client_get_tally(dispatch->name);
	err = thread->tally ? dispatch->init(call.context, &thread->state) : -ENOMEM;
	nmr_slot_exit(&call);
	return err;
}

/* Enter the binding that has the state of the file. Return: false if it has closed. */
static bool client_enter_again(struct client_thread *thread, struct nmr_call *call)
{
	if (!nmr_slot_enter(&client_slot, call))
		return false;
	if (nmr_binding_id(call->binding) == thread->binding)
		return true;
	nmr_slot_exit(call);
	return false;
}

static int client_call_update(struct client_thread *thread, size_t len)
{
	const struct digest_provider_dispatch *dispatch;
	struct nmr_call call;
	int err;

	if (!client_enter_again(thread, &call))
		return CLIENT_CLOSED;
	dispatch = call.dispatch;
	err = dispatch->update(call.context, &thread->state, thread->block, len);
	nmr_slot_exit(&call);
	return err;
}

static int client_call_final(struct client_thread *thread)
{
	const struct digest_provider_dispatch *dispatch;
	struct nmr_call call;
	int err;

	if (!client_enter_again(thread, &call))
		return CLIENT_CLOSED;
	dispatch = call.dispatch;
	err = dispatch->final(call.context, &thread->state, thread->digest);
	nmr_slot_exit(&call);
	return err;
}

/*
 * Digest @file into thread->digest, with one provider. Return: 0, an error of the file or of
 * the provider, CLIENT_CLOSED or CLIENT_LEAVING.
 */
static int client_digest_once(struct client_thread *thread, struct file *file)
{
	loff_t pos = 0;
	ssize_t len;
	int err;

	err = client_call_init(thread);
	while (!err) {
		len = kernel_read(file, thread->block, sizeof(thread->block), &pos);
		if (len < 0)
			return len;
		if (!len)
			return client_call_final(thread);
		err = client_call_update(thread, len);
	}
	return err;
}

static void client_count_retry(void)
{
	spin_lock(&client_lock);
	client_retries++;
	spin_unlock(&client_lock);
}

/*
 * Digest @file with one provider after the other, until one of them finishes it. Return: 0, an
 * error of the file or of a provider, or CLIENT_LEAVING.
 */
static int client_digest(struct client_thread *thread, struct file *file)
{
	int err = client_digest_once(thread, file);

	while (err == CLIENT_CLOSED) {
		client_count_retry();
		err = client_digest_once(thread, file);
	}
	return err;
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
	struct client_file *cfile;
	int err;

	set_user_nice(current, MAX_NICE);
	while (!kthread_should_stop()) {
		cfile = &client_files[thread->next_file++ % nr_files];
		client_begin();
		err = client_digest(thread, cfile->file);
		if (err == CLIENT_LEAVING)
			break;
		if (err)
			client_drop(cfile, err);
		else
			client_end(cfile, thread->digest, thread->tally);
		cond_resched();
	}
	client_wait_for_stop();
	return 0;
}

static int client_attach_provider(struct nmr_binding *binding, void *client_context,
				  const struct nmr_registration_instance *provider)
{
	const struct digest_characteristics *specific = provider->npi_specific;

	if (!specific || specific->version != DIGEST_VERSION)
		return -ENODEV;
	return nmr_client_attach_provider(binding, NULL, NULL);
}

static const guid_t client_module_id = NMR_GUID("14742983-ef33-4e51-932f-82c9497f9488");

static const struct nmr_client_characteristics client_characteristics = {
	.attach_provider	= client_attach_provider,
	.slot			= &client_slot,
	.instance		= {
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

MODULE_NMR_INTERFACE(DIGEST_NPI_GUID, "digest");
MODULE_DESCRIPTION("NMR sample: digests files through one provider at a time");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
