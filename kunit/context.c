// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where tests run: threads, softirqs, hardirqs, RCU callbacks, raw locks; and the warnings
 * that tests provoke, which a probe of the console's tracepoint reads.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/interrupt.h>
#include <linux/iopoll.h>
#include <linux/irq_work.h>
#include <linux/kthread.h>
#include <linux/ratelimit.h>
#include <linux/rcupdate.h>
#include <linux/sched/isolation.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <trace/events/printk.h>

#include "context.h"
#include "detour.h"
#include "harness_internal.h"

/* Threads */

static int nt_thread_fn(void *data)
{
	struct nt_thread *thread = data;

	thread->ret = thread->fn(thread->arg);
	/* Pairs with nt_finished(): readers of it see the result. */
	smp_store_release(&thread->finished, true);
	nt_kick(thread->nt);
	return 0;
}

struct nt_thread *nt_spawn_on(struct nt *nt, int cpu, int (*fn)(void *arg),
			      void *arg)
{
	struct nt_thread *thread = nt_zalloc(nt, sizeof(*thread));
	unsigned long flags;

	thread->nt = nt;
	thread->fn = fn;
	thread->arg = arg;
	thread->task = kthread_create(nt_thread_fn, thread, "nmr_kunit");
	KUNIT_ASSERT_FALSE(nt->test, IS_ERR(thread->task));
	get_task_struct(thread->task);
	if (cpu >= 0)
		kthread_bind(thread->task, cpu);
	raw_spin_lock_irqsave(&nt->lock, flags);
	list_add(&thread->node, &nt->threads);
	raw_spin_unlock_irqrestore(&nt->lock, flags);
	wake_up_process(thread->task);
	return thread;
}

struct nt_thread *nt_spawn(struct nt *nt, int (*fn)(void *arg), void *arg)
{
	return nt_spawn_on(nt, -1, fn, arg);
}

struct nt_thread *nt_spawn_spinner(struct nt *nt, int (*fn)(void *arg), void *arg)
{
	int cpu;

	for_each_online_cpu(cpu)
		if (cpu != READ_ONCE(nt->held_on))
			return nt_spawn_on(nt, cpu, fn, arg);
	return nt_spawn(nt, fn, arg);
}

/* Wait until the task is gone, not only its function done. Return: false on timeout. */
static bool nt_join_timeout(struct nt_thread *thread, unsigned long timeout)
{
	if (!thread->task)
		return true;
	if (!wait_event_timeout(thread->nt->wait, nt_finished(thread), timeout))
		return false;
	kthread_stop(thread->task);
	put_task_struct(thread->task);
	thread->task = NULL;
	return true;
}

int nt_join(struct nt_thread *thread)
{
	if (!nt_join_timeout(thread, NT_TIMEOUT)) {
		nt_fail(thread->nt, "a thread in %ps does not end", thread->fn);
		return -ETIMEDOUT;
	}
	return thread->ret;
}

bool nt_join_all(struct nt *nt, unsigned long timeout)
{
	struct nt_thread *thread;

	list_for_each_entry(thread, &nt->threads, node) {
		if (!nt_join_timeout(thread, timeout))
			return false;
	}
	return true;
}

/* Poll, since no event tells that a task has gone to sleep. */
void nt_await_idle(struct nt *nt, struct task_struct *task)
{
	unsigned int state;

	int err = read_poll_timeout(READ_ONCE, state, (state & TASK_IDLE) == TASK_IDLE,
				    USEC_PER_MSEC, jiffies_to_usecs(NT_TIMEOUT), false,
				    task->__state);

	KUNIT_ASSERT_EQ(nt->test, err, 0);
}

struct nt_caller {
	struct nt_binding *nb;
	enum nmr_side side;
};

static int nt_enter_thread(void *arg)
{
	struct nt_caller *caller = arg;

	return nt_enter(caller->nb, caller->side);
}

static int nt_exit_thread(void *arg)
{
	struct nt_caller *caller = arg;

	nt_exit(caller->nb, caller->side);
	return 0;
}

int nt_isolated_cpu(void)
{
	int cpu;

	for_each_online_cpu(cpu)
		if (cpu_is_isolated(cpu))
			return cpu;
	return -ENODEV;
}

static int nt_caller_on(int cpu, int (*fn)(void *arg), struct nt_binding *nb,
			enum nmr_side side)
{
	struct nt_caller *caller = nt_zalloc(nb->nt, sizeof(*caller));

	caller->nb = nb;
	caller->side = side;
	return nt_join(nt_spawn_on(nb->nt, cpu, fn, caller));
}

bool nt_enter_on(struct nt_binding *nb, enum nmr_side caller, int cpu)
{
	return nt_caller_on(cpu, nt_enter_thread, nb, caller) == 1;
}

void nt_exit_on(struct nt_binding *nb, enum nmr_side caller, int cpu)
{
	nt_caller_on(cpu, nt_exit_thread, nb, caller);
}

int nt_register_thread(void *party)
{
	return nt_register(party);
}

int nt_deregister_thread(void *party)
{
	return nt_deregister(party);
}

int nt_wait_thread(void *party)
{
	return nt_wait_forever(party);
}

int nt_wait_for_binding_thread(void *client)
{
	struct nt_party *party = client;

	return nmr_client_wait_for_binding(party->client, NT_TIMEOUT);
}

/* Contexts */

struct nt_run {
	struct nt *nt;
	void (*fn)(void *arg);
	void *arg;
	struct tasklet_struct tasklet;
	struct irq_work irq_work;
	struct rcu_head rcu;
	struct completion done;
};

static int nt_run_thread(void *arg)
{
	struct nt_run *run = arg;

	run->fn(run->arg);
	return 0;
}

static void nt_run_tasklet(struct tasklet_struct *tasklet)
{
	struct nt_run *run = container_of(tasklet, struct nt_run, tasklet);

	nt_check(run->nt, in_serving_softirq());
	run->fn(run->arg);
	complete(&run->done);
}

static void nt_run_irq_work(struct irq_work *work)
{
	struct nt_run *run = container_of(work, struct nt_run, irq_work);

	nt_check(run->nt, in_hardirq());
	run->fn(run->arg);
	complete(&run->done);
}

static void nt_run_rcu(struct rcu_head *head)
{
	struct nt_run *run = container_of(head, struct nt_run, rcu);

	run->fn(run->arg);
	complete(&run->done);
}

static void nt_run_raw(struct nt_run *run)
{
	static DEFINE_RAW_SPINLOCK(lock);
	unsigned long flags;

	raw_spin_lock_irqsave(&lock, flags);
	run->fn(run->arg);
	raw_spin_unlock_irqrestore(&lock, flags);
}

const char *nt_context_name(enum nt_context context)
{
	static const char * const names[NT_CONTEXTS] = {
		[NT_TASK]		= "task",
		[NT_KTHREAD]		= "kthread",
		[NT_SOFTIRQ]		= "softirq",
		[NT_HARDIRQ]		= "hardirq",
		[NT_RCU_CALLBACK]	= "RCU callback",
		[NT_RAW_LOCK]		= "under a raw lock",
	};

	return names[context];
}

void nt_run_in(struct nt *nt, enum nt_context context, void (*fn)(void *arg),
	       void *arg)
{
	struct nt_run *run = nt_zalloc(nt, sizeof(*run));

	run->nt = nt;
	run->fn = fn;
	run->arg = arg;
	init_completion(&run->done);
	switch (context) {
	case NT_TASK:
		fn(arg);
		return;
	case NT_KTHREAD:
		nt_join(nt_spawn(nt, nt_run_thread, run));
		return;
	case NT_SOFTIRQ:
		tasklet_setup(&run->tasklet, nt_run_tasklet);
		tasklet_schedule(&run->tasklet);
		break;
	case NT_HARDIRQ:
		run->irq_work = IRQ_WORK_INIT_HARD(nt_run_irq_work);
		irq_work_queue(&run->irq_work);
		break;
	case NT_RCU_CALLBACK:
		call_rcu(&run->rcu, nt_run_rcu);
		break;
	case NT_RAW_LOCK:
		nt_run_raw(run);
		return;
	default:
		nt_fail(nt, "no context %d", context);
		return;
	}
	wait_for_completion(&run->done);
	/* The case owns the memory: wait for the last use before the case can end. */
	if (context == NT_SOFTIRQ)
		tasklet_kill(&run->tasklet);
	if (context == NT_HARDIRQ)
		irq_work_sync(&run->irq_work);
}

/* Warnings */

/*
 * Count warnings, and those with a message that names the module. A WARN prints a cut line, then
 * its message and a line with WARNING, in the order that the machine has. The list of modules
 * that follows names the module as well, so only the message counts.
 */
static void nt_probe_console(void *data, const char *text, size_t len)
{
	struct nt *nt = data;
	unsigned long flags;

	/* On riscv a WARN is an NMI to lockdep, which then allows no other than a trylock. */
	while (!raw_spin_trylock_irqsave(&nt->lock, flags))
		cpu_relax();
	if (strnstr(text, "[ cut here ]", len)) {
		nt->in_message = true;
	} else if (strnstr(text, "WARNING:", len)) {
		nt->warnings++;
	} else if (strnstr(text, "Modules linked in:", len) || strnstr(text, "[ end trace", len)) {
		nt->in_message = false;
	} else if (nt->in_message && strnstr(text, KBUILD_MODNAME, len)) {
		nt->named++;
		nt->in_message = false;
		strscpy(nt->warning, text, min(len + 1, sizeof(nt->warning)));
	}
	if (strnstr(text, "nmr", len)) {
		nt->lines++;
		strscpy(nt->line, text, min(len + 1, sizeof(nt->line)));
	}
	raw_spin_unlock_irqrestore(&nt->lock, flags);
}

struct nt_probe {
	struct nt *nt;
	bool attach;
	int ret;
};

/* Find the tracepoint by name, since not every kernel exports it to modules. */
static void nt_probe(struct tracepoint *tp, void *data)
{
	struct nt_probe *probe = data;

	check_trace_callback_type_console(nt_probe_console);
	if (strcmp(tp->name, "console"))
		return;
	if (probe->attach)
		probe->ret = tracepoint_probe_register(tp, nt_probe_console,
						       probe->nt);
	else
		probe->ret = tracepoint_probe_unregister(tp, nt_probe_console,
							 probe->nt);
}

static int nt_probe_log(struct nt *nt, bool attach)
{
	struct nt_probe probe = { .nt = nt, .attach = attach, .ret = -ENOENT };

	for_each_kernel_tracepoint(nt_probe, &probe);
	if (!attach)
		tracepoint_synchronize_unregister();
	return probe.ret;
}

/*
 * Lift the rate limits of messages while a case watches the log, since cases that provoke
 * messages follow each other quickly. This needs kprobes. The limit of misuse messages can
 * be lifted without, if nmr is built in.
 */
static void nt_limit_misuse(int interval)
{
	struct ratelimit_state *limit = &nmr_misuse_limit;

	if (limit)
		WRITE_ONCE(limit->interval, interval);
}

static int nt_no_limit(struct ratelimit_state *rs, const char *func)
{
	return 1;
}

static bool nt_any(struct pt_regs *regs)
{
	return true;
}

static struct nt_detour nt_ratelimit = {
	.function	= "___ratelimit",
	.instead	= nt_no_limit,
	.take		= nt_any,
};

void nt_watch_log(struct nt *nt)
{
	int err;

	KUNIT_ASSERT_FALSE(nt->test, nt->probing);
	nt->in_message = false;
	nt->warnings = 0;
	nt->named = 0;
	nt->lines = 0;
	err = nt_detour_begin(&nt_ratelimit);
	KUNIT_ASSERT_EQ(nt->test, err, IS_ENABLED(CONFIG_KPROBES) ? 0 : -EOPNOTSUPP);
	nt->unlimited = !err;
	nt_limit_misuse(0);
	KUNIT_ASSERT_EQ(nt->test, nt_probe_log(nt, true), 0);
	nt->probing = true;
}

int nt_watched_lines(struct nt *nt)
{
	nt_end_watch(nt);
	return nt->lines;
}

void nt_end_watch(struct nt *nt)
{
	if (nt->unlimited)
		nt_detour_end(&nt_ratelimit);
	nt->unlimited = false;
	if (!nt->probing)
		return;
	nt_limit_misuse(DEFAULT_RATELIMIT_INTERVAL);
	nt_probe_log(nt, false);
	nt->probing = false;
	if (nt->expecting)
		pr_info("# expect: WARNING end\n");
	nt->expecting = false;
}

void nt_expect_warnings(struct nt *nt)
{
	nt_watch_log(nt);
	nt->expecting = true;
	pr_info("# expect: WARNING begin\n");
}

void nt_expect_advice(struct nt *nt, const char *fmt, ...)
{
	char advice[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(advice, sizeof(advice), fmt, args);
	va_end(args);
	KUNIT_EXPECT_EQ(nt->test, nt_expected_warnings(nt), 1);
	KUNIT_EXPECT_NOT_NULL_MSG(nt->test, strstr(nt->warning, advice), "%s", nt->warning);
}

int nt_expected_warnings(struct nt *nt)
{
	nt_end_watch(nt);
	if (nt->warnings != nt->named)
		nt_fail(nt, "%d of %d warnings do not name the module",
			nt->warnings - nt->named, nt->warnings);
	return nt->named;
}
