/* SPDX-License-Identifier: GPL-2.0-only */
/* Where tests run: threads and contexts; and the log that tests read. */
#ifndef _NMR_KUNIT_CONTEXT_H
#define _NMR_KUNIT_CONTEXT_H

#include <linux/cpumask.h>
#include <linux/sched.h>

#include "party.h"

/* A thread of a test, see nt_finished(). @ret is the return value of @fn. */
struct nt_thread {
	struct list_head node;
	struct nt *nt;
	struct task_struct *task;
	int (*fn)(void *arg);
	void *arg;
	int ret;
	bool finished;
};

/* Start a thread. The end of the case joins it if the test does not. */
struct nt_thread *nt_spawn(struct nt *nt, int (*fn)(void *arg), void *arg);
struct nt_thread *nt_spawn_on(struct nt *nt, int cpu, int (*fn)(void *arg),
			      void *arg);
int nt_join(struct nt_thread *thread);

/* Start a thread that spins, on another CPU than that of the worker that a party holds. */
struct nt_thread *nt_spawn_spinner(struct nt *nt, int (*fn)(void *arg), void *arg);

/* Skip a case in which a task spins, if no other task runs meanwhile. */
static inline void nt_needs_spinner(struct kunit *test)
{
	if (num_online_cpus() < 2 && !IS_ENABLED(CONFIG_PREEMPTION))
		kunit_skip(test, "wants two CPUs, or preemption");
}

/* Wait until a task sleeps in a wait of the registrar, which alone is TASK_IDLE. */
void nt_await_idle(struct nt *nt, struct task_struct *task);

/* Return: an isolated CPU that is online, or -ENODEV. */
int nt_isolated_cpu(void);

/* Call nt_enter() or nt_exit() in a task of its own, on @cpu. */
bool nt_enter_on(struct nt_binding *nb, enum nmr_side caller, int cpu);
void nt_exit_on(struct nt_binding *nb, enum nmr_side caller, int cpu);

/* Functions for threads, with a party as their argument. */
int nt_register_thread(void *party);
int nt_deregister_thread(void *party);
int nt_wait_thread(void *party);
int nt_wait_for_binding_thread(void *client);

static inline bool nt_finished(struct nt_thread *thread)
{
	/* Pairs with the release in nt_thread_fn(). */
	return smp_load_acquire(&thread->finished);
}

/* Where code can run. */
enum nt_context {
	NT_TASK,
	NT_KTHREAD,
	NT_SOFTIRQ,
	NT_HARDIRQ,
	NT_RCU_CALLBACK,
	NT_RAW_LOCK,
	NT_CONTEXTS
};

const char *nt_context_name(enum nt_context context);

/* Run @fn in a context, and return when @fn has returned. */
void nt_run_in(struct nt *nt, enum nt_context context, void (*fn)(void *arg),
	       void *arg);

/*
 * Marker lines in the log enclose the WARNs that a test provokes, so that readers of the
 * log expect them: "# expect: WARNING begin" and "# expect: WARNING end".
 * nt_expected_warnings() ends what nt_expect_warnings() began. It returns the number of
 * WARNs with a message that names this module, and records a failure if any does not.
 */
void nt_expect_warnings(struct nt *nt);
int nt_expected_warnings(struct nt *nt);

/* End the watch. Expect one WARN, which ends with what the module's author has to do. */
__printf(2, 3) void nt_expect_advice(struct nt *nt, const char *fmt, ...);

/*
 * Count the lines about nmr that are printed meanwhile, to see that the registrar is
 * silent, or logs once. The last such line is @line of the case.
 */
void nt_watch_log(struct nt *nt);
int nt_watched_lines(struct nt *nt);

#endif /* _NMR_KUNIT_CONTEXT_H */
