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
 * - max_bindings is 0 and there is no slot: the client is bound to all providers at the same
 *   time, and walks through them with nmr_client_for_each_provider().
 * - A call lasts for a whole file. That is simpler: the client needs no second attempt. But a
 *   provider that leaves has to wait until the file is done. Here that is acceptable, because a
 *   process waits for the result.
 *
 * Locks: none. The registrar has the list of the providers.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/miscdevice.h>
#include <linux/nmr.h>
#include <linux/sched/signal.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "digest_npi.h"

#define VERIFY_PROVIDERS	8
#define VERIFY_TIMEOUT		(10 * HZ)

/* The digest of the file by one provider */
struct verify_run {
	char	name[DIGEST_NAME_SIZE];
	u8	digest[DIGEST_SIZE];
};

/* A file and its digests; from kmalloc(), as the NPI requires. */
struct verify_job {
	struct file		*file;
	struct verify_run	 runs[VERIFY_PROVIDERS];
	uint			 nr_runs;
	struct digest_state	 state;
	u8			 digest[DIGEST_SIZE] __aligned(ARCH_KMALLOC_MINALIGN);
	u8			 block[SZ_16K] __aligned(ARCH_KMALLOC_MINALIGN);
};

static struct nmr_client_handle verify_handle;

static int verify_digest(struct verify_job *job, const struct nmr_call *call)
{
	const struct digest_provider_dispatch *dispatch = call->dispatch;
	loff_t pos = 0;
	ssize_t len;
	int err;

	err = dispatch->init(call->context, &job->state);
	while (!err) {
		if (signal_pending(current))
			return -EINTR;
		len = kernel_read(job->file, job->block, sizeof(job->block), &pos);
		if (len < 0)
			return len;
		if (!len)
			return dispatch->final(call->context, &job->state, job->digest);
		err = dispatch->update(call->context, &job->state, job->block, len);
	}
	return err;
}

/* Have the file digested by the provider that @call has entered. A negative errno ends it all. */
static int verify_with(const struct nmr_call *call, void *arg)
{
	const struct digest_provider_dispatch *dispatch = call->dispatch;
	struct verify_job *job = arg;
	struct verify_run *run = &job->runs[job->nr_runs];
	int err;

	if (job->nr_runs == VERIFY_PROVIDERS)
		return 0;
	err = verify_digest(job, call);
	if (err)
		return err;
	strscpy(run->name, dispatch->name, sizeof(run->name));
	memcpy(run->digest, job->digest, DIGEST_SIZE);
	job->nr_runs++;
	return 0;
}

/* Write the lines of @answer. Return: their length; -EBADMSG if the digests differ. */
static ssize_t verify_compare(const struct verify_job *job, char *answer)
{
	const struct verify_run *run;
	ssize_t len = 0;

	for (run = job->runs; run < job->runs + job->nr_runs; run++) {
		if (memcmp(run->digest, job->runs[0].digest, DIGEST_SIZE)) {
			pr_err("%s and %s disagree\n", job->runs[0].name, run->name);
			return -EBADMSG;
		}
		len += scnprintf(answer + len, SIMPLE_TRANSACTION_LIMIT - len, "%*phN %s\n",
				 DIGEST_SIZE, run->digest, run->name);
	}
	return len;
}

/* Have the file digested by all providers. If there is none, wait for the first one. */
static ssize_t verify_job(struct verify_job *job, char *answer)
{
	int err;

	for (;;) {
		err = nmr_client_for_each_provider(verify_handle, verify_with, job);
		if (err)
			return err;
		if (job->nr_runs)
			return verify_compare(job, answer);
		err = nmr_client_wait_for_binding(verify_handle, VERIFY_TIMEOUT);
		if (err)
			/* simple_transaction_get() refuses a second write: do not restart. */
			return err == -ERESTARTSYS ? -EINTR : err;
	}
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
	job->file = file;
	len = verify_job(job, answer);
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

static int verify_attach_provider(struct nmr_binding *binding, void *client_context,
				  const struct nmr_registration_instance *provider)
{
	const struct digest_characteristics *specific = provider->npi_specific;

	if (!specific || specific->version != DIGEST_VERSION)
		return -ENODEV;
	return nmr_client_attach_provider(binding, NULL, NULL);
}

static const guid_t verify_module_id = NMR_GUID("b2b90cdc-2628-479f-ac4c-070b7bb9d5ea");

static const struct nmr_client_characteristics verify_characteristics = {
	.attach_provider	= verify_attach_provider,
	.instance		= {
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

MODULE_NMR_INTERFACE(DIGEST_NPI_GUID, "digest");
MODULE_DESCRIPTION("NMR sample: has a file digested by all providers, and compares");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
