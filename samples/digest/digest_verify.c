// SPDX-License-Identifier: GPL-2.0-only
/*
 * Digest a file with every provider of the digest NPI, and compare the results.
 *
 *	insmod digest_verify.ko
 *	exec 3<>/dev/digest_verify; echo /bin/busybox >&3; cat <&3
 *
 * prints one line for each provider, "digest name". The write fails with -EBADMSG if the
 * digests differ, and with -ETIMEDOUT if no provider has attached in time.
 *
 * This client differs from digest_client in two points:
 *
 * - max_bindings is 0: the client is bound to all providers at the same time.
 * - The client enters the gates for a whole file. That is simpler: a call in flight keeps the
 *   binding and both contexts valid, so the client needs neither a reference nor a second
 *   attempt. But a provider that leaves has to wait until the file is done. Here that is
 *   acceptable, because a process waits for the result.
 *
 * Locks:
 *
 *   verify_links   RCU list of the bindings, of struct verify_link. Attach adds a link, detach
 *                  removes it, and the link is freed a grace period after cleanup. A reader
 *                  walks the list only to enter each gate.
 *   verify_lock    mutex, innermost, for changes of the list: callbacks of different bindings
 *                  run concurrently.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/nmr.h>
#include <linux/rculist.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "digest_npi.h"

#define VERIFY_PROVIDERS	8
#define VERIFY_TIMEOUT		(10 * HZ)

/* The client's binding context. */
struct verify_link {
	struct list_head	 list;
	struct nmr_binding	*binding;
	struct nmr_endpoint	 provider;
	char			 name[DIGEST_NAME_SIZE];
	struct rcu_head		 rcu;
};

/* The digest of the file by one provider; from kmalloc(), as the NPI requires. */
struct verify_run {
	struct verify_link	*link;
	struct digest_state	 state;
	u8			 digest[DIGEST_SIZE];
};

struct verify_job {
	struct verify_run	 runs[VERIFY_PROVIDERS];
	uint			 nr_runs;
	u8			 block[SZ_16K] __aligned(ARCH_KMALLOC_MINALIGN);
};

static struct nmr_client_handle verify_handle;
static LIST_HEAD(verify_links);
static DEFINE_MUTEX(verify_lock);

/*
 * Enter the gates of all bindings. Bindings that have closed are skipped. The other ones stay
 * valid until verify_exit_all().
 */
static void verify_enter_all(struct verify_job *job)
{
	struct verify_link *link;

	rcu_read_lock();
	list_for_each_entry_rcu(link, &verify_links, list) {
		if (job->nr_runs == VERIFY_PROVIDERS)
			break;
		if (nmr_client_call_enter(link->binding))
			job->runs[job->nr_runs++].link = link;
	}
	rcu_read_unlock();
}

static void verify_exit_all(struct verify_job *job)
{
	/* After exit the link may be freed, so it must not be touched. */
	while (job->nr_runs)
		nmr_client_call_exit(job->runs[--job->nr_runs].link->binding);
}

static int verify_init_all(struct verify_job *job)
{
	const struct digest_provider_dispatch *dispatch;
	struct verify_run *run;
	int err = 0;

	for (run = job->runs; run < job->runs + job->nr_runs && !err; run++) {
		dispatch = run->link->provider.dispatch;
		err = dispatch->init(run->link->provider.binding_context, &run->state);
	}
	return err;
}

static int verify_update_all(struct verify_job *job, size_t len)
{
	const struct digest_provider_dispatch *dispatch;
	struct verify_run *run;
	int err = 0;

	for (run = job->runs; run < job->runs + job->nr_runs && !err; run++) {
		dispatch = run->link->provider.dispatch;
		err = dispatch->update(run->link->provider.binding_context, &run->state,
				       job->block, len);
	}
	return err;
}

static int verify_final_all(struct verify_job *job)
{
	const struct digest_provider_dispatch *dispatch;
	struct verify_run *run;
	int err = 0;

	for (run = job->runs; run < job->runs + job->nr_runs && !err; run++) {
		dispatch = run->link->provider.dispatch;
		err = dispatch->final(run->link->provider.binding_context, &run->state,
				      run->digest);
	}
	return err;
}

static int verify_digest(struct verify_job *job, struct file *file)
{
	loff_t pos = 0;
	ssize_t len;
	int err;

	err = verify_init_all(job);
	while (!err) {
		if (signal_pending(current))
			return -EINTR;
		len = kernel_read(file, job->block, sizeof(job->block), &pos);
		if (len < 0)
			return len;
		if (!len)
			return verify_final_all(job);
		err = verify_update_all(job, len);
	}
	return err;
}

/* Write the lines of @answer. Return: their length; -EBADMSG if the digests differ. */
static ssize_t verify_compare(const struct verify_job *job, char *answer)
{
	ssize_t len = 0;
	uint i;

	for (i = 0; i < job->nr_runs; i++) {
		if (memcmp(job->runs[i].digest, job->runs[0].digest, DIGEST_SIZE)) {
			pr_err("%s and %s disagree\n", job->runs[0].link->name,
			       job->runs[i].link->name);
			return -EBADMSG;
		}
		len += scnprintf(answer + len, SIMPLE_TRANSACTION_LIMIT - len, "%*phN %s\n",
				 DIGEST_SIZE, job->runs[i].digest, job->runs[i].link->name);
	}
	return len;
}

/* Digest @file with all providers. If there is none, wait for the first one. */
static ssize_t verify_job(struct verify_job *job, struct file *file, char *answer)
{
	ssize_t err;

	for (;;) {
		verify_enter_all(job);
		if (job->nr_runs)
			break;
		err = nmr_client_wait_for_binding(verify_handle, VERIFY_TIMEOUT);
		if (err)
			/* simple_transaction_get() refuses a second write: do not restart. */
			return err == -ERESTARTSYS ? -EINTR : err;
	}
	err = verify_digest(job, file);
	if (!err)
		err = verify_compare(job, answer);
	verify_exit_all(job);
	return err;
}

static ssize_t verify_file(struct file *file, char *answer)
{
	struct verify_job *job;
	ssize_t len;

	if (!S_ISREG(file_inode(file)->i_mode))
		return -EINVAL;
	job = kzalloc(sizeof(*job), GFP_KERNEL);
	if (!job)
		return -ENOMEM;
	len = verify_job(job, file, answer);
	kfree(job);
	return len;
}

/* The device: a process writes a path, and then reads the answer. */

static int verify_open(struct inode *inode, struct file *file)
{
	/* simple_transaction_get() requires NULL, and misc_open() has set it. */
	file->private_data = NULL;
	return 0;
}

static ssize_t verify_write(struct file *file, const char __user *buf, size_t size, loff_t *pos)
{
	struct file *subject;
	char *text;
	ssize_t len;

	/* The page of the transaction holds the path, and later the answer. */
	text = simple_transaction_get(file, buf, size);
	if (IS_ERR(text))
		return PTR_ERR(text);
	subject = filp_open(strim(text), O_RDONLY | O_LARGEFILE, 0);
	if (IS_ERR(subject))
		return PTR_ERR(subject);
	len = verify_file(subject, text);
	filp_close(subject, NULL);
	if (len < 0)
		return len;
	simple_transaction_set(file, len);
	return size;
}

static const struct file_operations verify_fops = {
	.owner		= THIS_MODULE,
	.open		= verify_open,
	.write		= verify_write,
	.read		= simple_transaction_read,
	.release	= simple_transaction_release,
	.llseek		= default_llseek,
};

static struct miscdevice verify_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= KBUILD_MODNAME,
	.mode	= 0600,
	.fops	= &verify_fops,
};

/* The bindings */

static int verify_attach_provider(struct nmr_binding *binding, void *client_context,
				  const struct nmr_registration_instance *provider)
{
	const struct digest_characteristics *specific = provider->npi_specific;
	struct nmr_endpoint client = {};
	struct verify_link *link;
	int err;

	if (!specific || specific->version != DIGEST_VERSION)
		return -ENODEV;
	link = kzalloc(sizeof(*link), GFP_KERNEL);
	if (!link)
		return -ENOMEM;
	link->binding = binding;
	strscpy(link->name, specific->name, sizeof(link->name));
	client.binding_context = link;
	err = nmr_client_attach_provider(binding, &client, &link->provider);
	if (err) {
		kfree(link);
		return err;
	}
	mutex_lock(&verify_lock);
	list_add_tail_rcu(&link->list, &verify_links);
	mutex_unlock(&verify_lock);
	return 0;
}

static int verify_detach_provider(void *client_binding_context, enum nmr_detach_reason reason)
{
	struct verify_link *link = client_binding_context;

	mutex_lock(&verify_lock);
	list_del_rcu(&link->list);
	mutex_unlock(&verify_lock);
	return 0;
}

static void verify_cleanup_binding_context(void *client_binding_context)
{
	struct verify_link *link = client_binding_context;

	/* verify_enter_all() may be walking over the link. */
	kfree_rcu(link, rcu);
}

static const guid_t verify_module_id =
	GUID_INIT(0xb2b90cdc, 0x2628, 0x479f,
		  0xac, 0x4c, 0x07, 0x0b, 0x7b, 0xb9, 0xd5, 0xea);

static const struct nmr_client_characteristics verify_characteristics = {
	.attach_provider		= verify_attach_provider,
	.detach_provider		= verify_detach_provider,
	.cleanup_binding_context	= verify_cleanup_binding_context,
	.instance			= {
		.npi_id		= &digest_npi_id,
		.module_id	= &verify_module_id,
	},
};

static int __init verify_init(void)
{
	int err;

	/* The device uses the handle as soon as it exists, so register before it. */
	err = nmr_register_client(&verify_characteristics, NULL, &verify_handle);
	if (err)
		return err;
	err = misc_register(&verify_device);
	if (err)
		nmr_deregister_client_sync(verify_handle);
	return err;
}
module_init(verify_init);

static void __exit verify_exit(void)
{
	/* The reverse order. No process has the device open: that would pin the module. */
	misc_deregister(&verify_device);
	nmr_deregister_client_sync(verify_handle);
}
module_exit(verify_exit);

MODULE_DESCRIPTION("NMR sample: has a file digested by all providers, and compares");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NS(NMR);
