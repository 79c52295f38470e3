// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Debugfs
 *
 * Files for root alone, described in Documentation/ABI/testing/debugfs-nmr:
 *
 * *nmr/pairs*
 *	a line for each client and provider of an NPI that are not attached to each other
 * *nmr/references*
 *	a line for each binding that has finished and is still referenced
 * *nmr/calls*
 *	with ``NMR_DEBUG``: the calls in flight, see call_trace.c
 *
 * Readers of the first two walk through objects that come and go. A reader keeps its place as
 * a reference on the object that it has reached.
 */
/* Locking: nmr_lock for each step. Lines are formatted without it. */

#include <linux/debugfs.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/seq_file.h>

#include "binding.h"
#include "callback.h"
#include "debug.h"

static struct dentry *nmr_debugfs;

/* Pairs */

/**
 * struct nmr_pair_reader - the place of a reader of nmr/pairs
 * @pos:	number of the line
 * @client:	with a reference; NULL: before the first
 * @provider:	the provider of the line, with a reference, or NULL
 * @seq:	order of arrival of that provider; 0: before the first
 * @text:	what the line says, a constant
 * @error:	of a pair that was declined
 * @binding:	of a pair that attaches or detaches, with a reference, or NULL
 */
struct nmr_pair_reader {
	loff_t			pos;
	struct nmr_registration	*client;
	struct nmr_registration	*provider;
	u64			seq;
	const char		*text;
	int			error;
	struct nmr_binding	*binding;
};

static void nmr_pair_line_put(struct nmr_pair_reader *r)
{
	if (r->provider)
		nmr_registration_put(r->provider);
	if (r->binding)
		__nmr_binding_put(r->binding);
	r->provider = NULL;
	r->binding = NULL;
}

/* Return: why a pair without a record has not been offered. */
static const char *nmr_pair_owed(const struct nmr_registration *client)
{
	if (nmr_registration_full(client))
		return "withheld, the client has as many bindings as it takes";
	if (!list_empty(&client->starved))
		return "withheld, an allocation failed";
	return "about to be offered";
}

static const char *nmr_pair_bound(struct nmr_pair_reader *r, struct nmr_binding *b)
{
	if (b->state == NMR_ATTACHED)
		return NULL;
	__nmr_binding_get(b);
	r->binding = b;
	return nmr_binding_attaching(b) ? "attaching" : "detaching";
}

static const char *nmr_pair_text(struct nmr_pair_reader *r, const struct nmr_pair *pair)
{
	r->error = 0;
	if (!pair)
		return nmr_pair_owed(r->client);
	switch (pair->state) {
	case NMR_PAIR_BOUND:
		return nmr_pair_bound(r, pair->binding);
	case NMR_PAIR_DEFERRED:
		return "deferred";
	case NMR_PAIR_ABORTED:
		return "aborted";
	default:
		r->error = pair->error;
		return pair->decliner == NMR_CLIENT ? "declined by the client" :
						      "declined by the provider";
	}
}

/* Move to the next client. Return: false if there is none. */
static bool nmr_pair_next_client(struct nmr_pair_reader *r)
{
	struct nmr_registration *next =
		nmr_registration_next_client(r->client ? r->client->id : 0);

	if (r->client)
		nmr_registration_put(r->client);
	r->client = next;
	r->seq = 0;
	return next;
}

/* Return: 0: the next line, or the end if @r->client is NULL; -EAGAIN: call again. */
static int nmr_pair_step(struct nmr_pair_reader *r)
{
	struct nmr_registration *provider;
	unsigned int budget;

	lockdep_assert_held(&nmr_lock);
	for (budget = NMR_BATCH; budget; budget--) {
		provider = NULL;
		if (r->client && !r->client->leaving)
			provider = nmr_npi_next(r->client->npi, NMR_PROVIDER, r->seq);
		if (!provider) {
			if (!nmr_pair_next_client(r))
				return 0;
			continue;
		}
		r->seq = provider->seq;
		r->text = nmr_pair_text(r, nmr_pair_find(r->client, provider->seq));
		if (!r->text)
			continue;
		nmr_registration_get(provider);
		r->provider = provider;
		return 0;
	}
	return -EAGAIN;
}

static void *nmr_pair_advance(struct nmr_pair_reader *r)
{
	int err;

	nmr_pair_line_put(r);
	do {
		spin_lock_irq(&nmr_lock);
		err = nmr_pair_step(r);
		spin_unlock_irq(&nmr_lock);
		cond_resched();
	} while (err);
	return r->client ? r : NULL;
}

static void nmr_pair_rewind(struct nmr_pair_reader *r)
{
	nmr_pair_line_put(r);
	if (r->client)
		nmr_registration_put(r->client);
	r->client = NULL;
	r->pos = 0;
}

static void *pairs_start(struct seq_file *m, loff_t *pos)
{
	struct nmr_pair_reader *r = m->private;

	if (*pos && r->pos == *pos)
		return r->provider ? r : NULL;
	nmr_pair_rewind(r);
	while (nmr_pair_advance(r))
		if (r->pos++ == *pos)
			break;
	r->pos = *pos;
	return r->provider ? r : NULL;
}

static void *pairs_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct nmr_pair_reader *r = v;

	r->pos = ++*pos;
	return nmr_pair_advance(r);
}

static void pairs_stop(struct seq_file *m, void *v)
{
}

static int pairs_show(struct seq_file *m, void *v)
{
	const struct nmr_pair_reader *r = v;
	char task[NMR_TASK_NAME];

	seq_printf(m, "client %llu (%s) provider %llu (%s): %s", r->client->id,
		   r->client->modname, r->provider->id, r->provider->modname, r->text);
	if (r->error)
		seq_printf(m, ", error %d", r->error);
	if (r->binding) {
		seq_printf(m, " for %u ms",
			   jiffies_to_msecs(jiffies - READ_ONCE(r->binding->since)));
		if (nmr_callback_task(r->binding, task))
			seq_printf(m, ", in task %s", task);
	}
	seq_putc(m, '\n');
	return 0;
}

static const struct seq_operations pairs_sops = {
	.start	= pairs_start,
	.next	= pairs_next,
	.stop	= pairs_stop,
	.show	= pairs_show,
};

static int pairs_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &pairs_sops, sizeof(struct nmr_pair_reader));
}

static int pairs_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;

	nmr_pair_rewind(m->private);
	return seq_release_private(inode, file);
}

static const struct file_operations pairs_fops = {
	.owner		= THIS_MODULE,
	.open		= pairs_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= pairs_release,
};

/* References */

static int references_show(struct seq_file *m, void *v)
{
	struct nmr_binding *b = NULL;
	int users;

	while ((b = nmr_binding_next_referenced(b))) {
		users = atomic_read(&b->users);
		if (users)
			seq_printf(m, "binding %llu (%s -> %s): %d\n", b->id,
				   b->reg[NMR_CLIENT]->modname,
				   b->reg[NMR_PROVIDER]->modname, users);
		cond_resched();
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(references);

void __init nmr_debugfs_init(void)
{
	nmr_debugfs = debugfs_create_dir("nmr", NULL);
	debugfs_create_file("pairs", 0400, nmr_debugfs, NULL, &pairs_fops);
	debugfs_create_file("references", 0400, nmr_debugfs, NULL, &references_fops);
	nmr_call_trace_init(nmr_debugfs);
}

void nmr_debugfs_exit(void)
{
	debugfs_remove(nmr_debugfs);
}
