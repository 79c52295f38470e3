/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ground of the harness: a case, its failures, its memory and its wait queue.
 *
 * KUnit's expectations belong to the thread of the test. Other threads and callbacks
 * record a failure by nt_fail(), and the end of the case reports it.
 */
#ifndef _NMR_KUNIT_BASE_H
#define _NMR_KUNIT_BASE_H

#include <kunit/test.h>
#include <linux/irq_work.h>
#include <linux/spinlock.h>
#include <linux/uuid.h>
#include <linux/wait.h>

/* No test asserts a time. This bound only turns a hang into a failure. */
#define NT_TIMEOUT	(300 * HZ)

/*
 * Until its kobject is released, sysfs has a reference to a binding. DEBUG_KOBJECT_RELEASE delays
 * that by up to four seconds.
 */
#define NT_RELEASE_DELAY	(IS_ENABLED(CONFIG_DEBUG_KOBJECT_RELEASE) ? 4 * HZ : 0)

/* The entry into or the return from a callback, for the log of a case that fails. */
struct nt_event {
	u32 seq;
	u8 point;
	u8 phase;
	u64 binding;
	pid_t pid;
	int value;
};

#define NT_EVENTS	256
#define NT_ERRORS	8

/*
 * A case.
 *
 * @quiet: for storms; the case keeps no log and skips the checks that look at all
 *	 bindings
 * @stopping: the case is over, and the loops of its threads end
 * @wait: woken at every entry into a callback and at every return from one
 * @held_on: the CPU of the callback that a party held last
 * @kick: wakes @wait from contexts that must not
 */
struct nt {
	struct kunit *test;
	guid_t npi_id;
	bool quiet;
	bool stopping;
	int held_on;
	wait_queue_head_t wait;
	struct irq_work kick;

	/* private: */
	raw_spinlock_t lock;
	struct list_head parties;
	struct list_head bindings;	/* newest first */
	struct list_head frames;
	struct list_head threads;
	struct list_head memory;
	atomic_t seq;
	struct nt_event log[NT_EVENTS];
	int nerrors;
	char errors[NT_ERRORS][160];

	/* private: nt_watch_log() */
	bool probing;
	bool unlimited;
	bool expecting;
	bool in_message;
	int warnings;
	int named;
	char warning[256];
	int lines;
	char line[160];
};

/* Allocate memory that lives until the registrar has let go of the case. */
void *nt_zalloc(struct nt *nt, size_t size);

/* Record a failure of the case, from any context and thread. */
__printf(2, 3) void nt_fail(struct nt *nt, const char *fmt, ...);

/* Record a failure unless @cond holds, from any context and thread. */
#define nt_check(nt, cond)						\
({									\
	bool __ok = (cond);						\
									\
	if (!__ok)							\
		nt_fail(nt, "%s:%d: not %s", __func__, __LINE__, #cond); \
	__ok;								\
})

/* Wait until a callback makes @cond true. Return: false if none ever does. */
#define nt_wait_until(nt, cond)						\
	(wait_event_timeout((nt)->wait, cond, NT_TIMEOUT) != 0)

/* Wait likewise, and end the case if @cond never holds; for the test's thread only. */
#define nt_await(_nt, cond)						\
({									\
	struct nt *__case = (_nt);					\
									\
	KUNIT_ASSERT_TRUE_MSG(__case->test,				\
			      nt_wait_until(__case, cond),		\
			      "never came: " #cond);			\
})

/* Wake the waiters of a case. Must be called after changing what a task may await. */
void nt_kick(struct nt *nt);

#endif /* _NMR_KUNIT_BASE_H */
