// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who holds a binding up: with NMR_DEBUG each call in flight remembers where it was
 * entered. Shown when a binding is stuck, and in debugfs: nmr/calls.
 *
 * A call ends the youngest record of its binding that the same task has made; if there
 * is none it was handed over, and ends one of those; or, should nobody have said so,
 * any of its binding. More calls than there are records are counted alone.
 *
 * Locking: nmr_holders_lock, a raw spinlock with interrupts off, since calls are made in
 * any context; a leaf. Stacks are printed from a copy, outside of it.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/jiffies.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>

#include "internal.h"

#define NMR_HOLDERS		1024
#define NMR_HOLDER_FRAMES	12
#define NMR_HOLDER_TEXT		160	/* what is said of one */

/**
 * struct nmr_holder - one call in flight
 * @list:	in nmr_held, the youngest first, or in nmr_unused
 * @binding:	its binding; NULL: unused
 * @id:		the binding's
 * @caller:	the side that calls
 * @task:	who entered, to be recognised at the exit; NULL: handed over, or entered
 *		by an interrupt
 * @comm:	its name
 * @pid:	its number
 * @cpu:	where that was
 * @since:	jiffies
 * @nr:		how many of @frames there are
 * @frames:	the stack
 */
struct nmr_holder {
	struct list_head	list;
	const struct nmr_binding *binding;
	u64			id;
	enum nmr_side		caller;
	const struct task_struct *task;
	char			comm[TASK_COMM_LEN];
	pid_t			pid;
	int			cpu;
	unsigned long		since;
	unsigned int		nr;
	unsigned long		frames[NMR_HOLDER_FRAMES];
};

static struct nmr_holder nmr_holders[NMR_HOLDERS];
static LIST_HEAD(nmr_held);
static LIST_HEAD(nmr_unused);
static DEFINE_RAW_SPINLOCK(nmr_holders_lock);

static const struct task_struct *nmr_holder_task(void)
{
	return in_task() ? current : NULL;
}

void nmr_holder_add(const struct nmr_binding *b, enum nmr_side caller)
{
	struct nmr_holder *h;
	unsigned long flags;

	raw_spin_lock_irqsave(&nmr_holders_lock, flags);
	h = list_first_entry_or_null(&nmr_unused, struct nmr_holder, list);
	if (h) {
		list_move(&h->list, &nmr_held);
		h->binding = b;
		h->id = b->id;
		h->caller = caller;
		h->task = nmr_holder_task();
		memcpy(h->comm, current->comm, sizeof(h->comm));
		h->pid = task_pid_nr(current);
		h->cpu = raw_smp_processor_id();
		h->since = jiffies;
		/* Without this function and __nmr_call_entered(). */
		h->nr = stack_trace_save(h->frames, NMR_HOLDER_FRAMES, 2);
	}
	raw_spin_unlock_irqrestore(&nmr_holders_lock, flags);
}

/* Return: the record of a call that this task makes, or that nobody does any more. */
static struct nmr_holder *nmr_holder_find(const struct nmr_binding *b, enum nmr_side caller)
{
	const struct task_struct *task = nmr_holder_task();
	struct nmr_holder *h, *handed = NULL, *any = NULL;

	list_for_each_entry(h, &nmr_held, list) {
		if (h->binding != b || h->caller != caller)
			continue;
		if (h->task == task)
			return h;
		if (!h->task)
			handed = h;
		any = h;
	}
	return handed ?: any;
}

void nmr_holder_remove(const struct nmr_binding *b, enum nmr_side caller)
{
	struct nmr_holder *h;
	unsigned long flags;

	raw_spin_lock_irqsave(&nmr_holders_lock, flags);
	h = nmr_holder_find(b, caller);
	if (h) {
		h->binding = NULL;
		list_move(&h->list, &nmr_unused);
	}
	raw_spin_unlock_irqrestore(&nmr_holders_lock, flags);
}

void nmr_holder_hand_over(const struct nmr_binding *b, enum nmr_side caller)
{
	struct nmr_holder *h;
	unsigned long flags;

	raw_spin_lock_irqsave(&nmr_holders_lock, flags);
	h = nmr_holder_find(b, caller);
	if (h)
		h->task = NULL;
	raw_spin_unlock_irqrestore(&nmr_holders_lock, flags);
}

/* A copy of the record, to be looked at in peace. Return: false if it is unused. */
static bool nmr_holder_copy(struct nmr_holder *copy, const struct nmr_holder *h)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&nmr_holders_lock, flags);
	*copy = *h;
	raw_spin_unlock_irqrestore(&nmr_holders_lock, flags);
	return copy->binding;
}

static void nmr_holder_describe(const struct nmr_holder *h, char *buf, size_t size)
{
	snprintf(buf, size, "binding %llu: a %s's call, for %u ms, by %s/%d on CPU %d", h->id,
		 h->caller == NMR_CLIENT ? "client" : "provider",
		 jiffies_to_msecs(jiffies - h->since), h->comm, h->pid, h->cpu);
}

/* In the kernel's log: each call of @b that is in flight. */
void nmr_holders_report(const struct nmr_binding *b)
{
	struct nmr_holder *copy = kmalloc(sizeof(*copy), GFP_KERNEL);
	const struct nmr_holder *h;
	char text[NMR_HOLDER_TEXT];

	for (h = nmr_holders; copy && h < nmr_holders + NMR_HOLDERS; h++) {
		if (!nmr_holder_copy(copy, h) || copy->binding != b)
			continue;
		nmr_holder_describe(copy, text, sizeof(text));
		pr_warn("%s\n", text);
		stack_trace_print(copy->frames, copy->nr, 2);
	}
	kfree(copy);
}

static void *calls_start(struct seq_file *m, loff_t *pos)
{
	return *pos < NMR_HOLDERS ? &nmr_holders[*pos] : NULL;
}

static void *calls_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return calls_start(m, pos);
}

static void calls_stop(struct seq_file *m, void *v)
{
}

static int calls_show(struct seq_file *m, void *v)
{
	struct nmr_holder *copy = m->private;
	char text[NMR_HOLDER_TEXT];
	unsigned int i;

	if (!nmr_holder_copy(copy, v))
		return 0;
	nmr_holder_describe(copy, text, sizeof(text));
	seq_puts(m, text);
	seq_putc(m, '\n');
	for (i = 0; i < copy->nr; i++)
		seq_printf(m, "  %pS\n", (void *)copy->frames[i]);
	return 0;
}

static const struct seq_operations calls_sops = {
	.start	= calls_start,
	.next	= calls_next,
	.stop	= calls_stop,
	.show	= calls_show,
};

static int calls_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &calls_sops, sizeof(struct nmr_holder));
}

static const struct file_operations calls_fops = {
	.owner		= THIS_MODULE,
	.open		= calls_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= seq_release_private,
};

void __init nmr_holders_init(struct dentry *debugfs)
{
	unsigned int i;

	for (i = 0; i < NMR_HOLDERS; i++)
		list_add_tail(&nmr_holders[i].list, &nmr_unused);
	debugfs_create_file("calls", 0400, debugfs, NULL, &calls_fops);
}
