// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Call traces
 *
 * With ``NMR_DEBUG`` each call in flight has a record of the task and the stack that entered
 * the gate. The stuck warning prints the records of its binding, up to ``NMR_RECORDS_TOLD``, and
 * counts the others. Debugfs shows all in *nmr/calls*.
 *
 * Exit removes the newest record of its task for the binding. If there is none, it removes a
 * record that was handed over, and otherwise any record of the binding. If all records are in
 * use, calls are not recorded.
 *
 * lib/ref_tracker.c does not fit: its put takes the cookie of the get, and exit has none; its
 * get may have to allocate, and enter must not.
 */
/*
 * Locking: nmr_records_lock, a raw spinlock with interrupts off, since calls come from any
 * context; a leaf. Stacks are printed from a copy, without the lock.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/jiffies.h>
#include <linux/pid.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/stacktrace.h>

#include "binding.h"
#include "debug.h"

#define NMR_RECORDS		1024
#define NMR_RECORDS_TOLD	16	/* in one stuck warning */
#define NMR_RECORD_FRAMES	12
#define NMR_RECORD_TEXT		160	/* the line on a call */

/* One call in flight */
struct nmr_call_record {
	struct list_head	list;	/* in nmr_recorded, newest first, or in nmr_unused */
	const struct nmr_binding *binding;	/* NULL: unused */
	u64			id;	/* of the binding */
	enum nmr_side		caller;
	const struct task_struct *task;	/* only compared; NULL: handed over, or interrupt */
	char			comm[TASK_COMM_LEN];
	pid_t			pid;
	int			cpu;
	unsigned long		since;	/* jiffies */
	unsigned int		nr;	/* of @frames */
	unsigned long		frames[NMR_RECORD_FRAMES];
};

static struct nmr_call_record nmr_records[NMR_RECORDS];
static LIST_HEAD(nmr_recorded);
static LIST_HEAD(nmr_unused);
static DEFINE_RAW_SPINLOCK(nmr_records_lock);

static const struct task_struct *nmr_record_task(void)
{
	return in_task() ? current : NULL;
}

void nmr_call_trace_enter(const struct nmr_binding *b, enum nmr_side caller)
{
	struct nmr_call_record *h;
	unsigned long flags;

	raw_spin_lock_irqsave(&nmr_records_lock, flags);
	h = list_first_entry_or_null(&nmr_unused, struct nmr_call_record, list);
	if (h) {
		list_move(&h->list, &nmr_recorded);
		h->binding = b;
		h->id = b->id;
		h->caller = caller;
		h->task = nmr_record_task();
		memcpy(h->comm, current->comm, sizeof(h->comm));
		h->pid = task_pid_nr(current);
		h->cpu = raw_smp_processor_id();
		h->since = jiffies;
		/* Skip this function and __nmr_call_entered(). */
		h->nr = stack_trace_save(h->frames, NMR_RECORD_FRAMES, 2);
	}
	raw_spin_unlock_irqrestore(&nmr_records_lock, flags);
}

/* Find the record that an exit or a hand-over in the calling task removes or marks. */
static struct nmr_call_record *nmr_record_find(const struct nmr_binding *b, enum nmr_side caller)
{
	const struct task_struct *task = nmr_record_task();
	struct nmr_call_record *h, *handed = NULL, *any = NULL;

	list_for_each_entry(h, &nmr_recorded, list) {
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

void nmr_call_trace_exit(const struct nmr_binding *b, enum nmr_side caller)
{
	struct nmr_call_record *h;
	unsigned long flags;

	raw_spin_lock_irqsave(&nmr_records_lock, flags);
	h = nmr_record_find(b, caller);
	if (h) {
		h->binding = NULL;
		list_move(&h->list, &nmr_unused);
	}
	raw_spin_unlock_irqrestore(&nmr_records_lock, flags);
}

void nmr_call_trace_hand_over(const struct nmr_binding *b, enum nmr_side caller)
{
	struct nmr_call_record *h;
	unsigned long flags;

	raw_spin_lock_irqsave(&nmr_records_lock, flags);
	h = nmr_record_find(b, caller);
	if (h)
		h->task = NULL;
	raw_spin_unlock_irqrestore(&nmr_records_lock, flags);
}

/* Copy a record, so that it can be printed without the lock. Return: false: unused. */
static bool nmr_record_copy(struct nmr_call_record *copy, const struct nmr_call_record *h)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&nmr_records_lock, flags);
	*copy = *h;
	raw_spin_unlock_irqrestore(&nmr_records_lock, flags);
	return copy->binding;
}

static void nmr_record_describe(const struct nmr_call_record *h, char *buf, size_t size)
{
	snprintf(buf, size, "binding %llu: a %s's call, for %u ms, by %s/%d on CPU %d", h->id,
		 h->caller == NMR_CLIENT ? "client" : "provider",
		 jiffies_to_msecs(jiffies - h->since), h->comm, h->pid, h->cpu);
}

/* Log some calls of @b that are in flight, and the number of the others. */
void nmr_call_trace_report(const struct nmr_binding *b)
{
	struct nmr_call_record *copy = kmalloc(sizeof(*copy), GFP_KERNEL);
	const struct nmr_call_record *h;
	char text[NMR_RECORD_TEXT];
	unsigned int calls = 0;

	for (h = nmr_records; copy && h < nmr_records + NMR_RECORDS; h++) {
		if (!nmr_record_copy(copy, h) || copy->binding != b)
			continue;
		if (++calls > NMR_RECORDS_TOLD)
			continue;
		nmr_record_describe(copy, text, sizeof(text));
		pr_warn("%s\n", text);
		stack_trace_print(copy->frames, copy->nr, 2);
	}
	if (calls > NMR_RECORDS_TOLD)
		pr_warn("binding %llu: and %u more\n", b->id, calls - NMR_RECORDS_TOLD);
	kfree(copy);
}

static void *calls_start(struct seq_file *m, loff_t *pos)
{
	return *pos < NMR_RECORDS ? &nmr_records[*pos] : NULL;
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
	struct nmr_call_record *copy = m->private;
	char text[NMR_RECORD_TEXT];
	unsigned int i;

	if (!nmr_record_copy(copy, v))
		return 0;
	nmr_record_describe(copy, text, sizeof(text));
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
	return seq_open_private(file, &calls_sops, sizeof(struct nmr_call_record));
}

static const struct file_operations calls_fops = {
	.owner		= THIS_MODULE,
	.open		= calls_open,
	.read		= seq_read,
	.llseek		= seq_lseek,
	.release	= seq_release_private,
};

void __init nmr_call_trace_init(struct dentry *debugfs)
{
	unsigned int i;

	for (i = 0; i < NMR_RECORDS; i++)
		list_add_tail(&nmr_records[i].list, &nmr_unused);
	debugfs_create_file("calls", 0400, debugfs, NULL, &calls_fops);
}
