/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every suite stands on: scripted clients and providers, and the rules that
 * hold in each of their callbacks whatever a test is about.
 *
 * A suite sets .init = nt_init; test->priv is then a &struct nt, with an NPI of
 * its own, so that no two cases meet. nt_client() and nt_provider() make parties
 * of it, nt_register() registers them. Every attempt to bind two of them leaves
 * a &struct nt_binding, which is also what their binding contexts point into.
 *
 * A party is scripted point by point (&enum nt_point): what it returns, a hook
 * that runs inside it, and whether it is held there until the test lets it go.
 * A test acts in such a window, then waits for an event; nothing here sleeps to
 * "make sure".
 *
 * What must hold always (order of callbacks, contexts, nothing after cleanup...)
 * is checked in every callback and fails the case at its end. KUnit's own
 * expectations belong to the test's thread: elsewhere use nt_fail().
 *
 * The end of a case, also of a failed one, releases what is held, completes what
 * is pending, joins the threads, and deregisters all. If the registrar does not
 * let go within the bound, the case fails and its memory is left alone.
 */
#ifndef _NMR_KUNIT_HARNESS_H
#define _NMR_KUNIT_HARNESS_H

#include <kunit/test.h>
#include <linux/atomic.h>
#include <linux/irq_work.h>
#include <linux/nmr.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uuid.h>
#include <linux/wait.h>

/* No test asserts a time; this only turns a hang into a failure. */
#define NT_TIMEOUT	(300 * HZ)

/*
 * Where a script can step in. Client and provider alternate: see nt_side(). The
 * last two are the NPI's functions, that is a call by the other side.
 */
enum nt_point {
	NT_C_ATTACH,		/* attach_provider, before it asks the provider */
	NT_P_ATTACH,		/* attach_client */
	NT_C_BOUND,		/* attach_provider again, with the provider's answer */
	NT_P_ATTACHED,		/* client_attached */
	NT_C_DETACH,
	NT_P_DETACH,
	NT_C_CLEANUP,
	NT_P_CLEANUP,
	NT_C_OP,		/* the provider calls the client */
	NT_P_OP,		/* the client calls the provider */
	NT_POINTS
};

static inline enum nmr_side nt_side(enum nt_point point)
{
	return point & 1 ? NMR_PROVIDER : NMR_CLIENT;
}

static inline enum nmr_side nt_peer(enum nmr_side side)
{
	return side == NMR_CLIENT ? NMR_PROVIDER : NMR_CLIENT;
}

/* For cases that are run for either side: KUNIT_ARRAY_PARAM(side, nt_sides, ...) */
static const enum nmr_side nt_sides[] __maybe_unused = { NMR_CLIENT, NMR_PROVIDER };

static inline void nt_side_name(const enum nmr_side *side, char *desc)
{
	strscpy(desc, *side == NMR_CLIENT ? "client" : "provider",
		KUNIT_PARAM_DESC_SIZE);
}

struct nt;
struct nt_binding;

/*
 * @ret: what the callback returns, if not 0. Of NT_C_BOUND: what a client returns
 *	 that attached; it returns the provider's refusal as it came.
 * @first, @nfirst: the first @nfirst visits return @first instead
 * @hook: runs inside the callback with what it is going to return, and returns
 *	 what it shall return. At NT_C_BOUND it is given the answer of
 *	 nmr_client_attach_provider(), also a refusal.
 * @held: stop here, after the hook, until nt_release(); see nt_step()
 */
struct nt_script {
	int ret;
	int first;
	int nfirst;
	int (*hook)(struct nt_binding *nb, int ret);
	bool held;
	atomic_t steps;
	atomic_t entered;
	atomic_t returned;
};

/* An NPI's dispatch table: both sides implement the same function. */
struct nt_dispatch {
	int (*op)(void *binding_context, int value);
};

/*
 * A client or a provider. The part up to @at is for the test to set before
 * nt_register().
 *
 * @slot: a client's, or NULL
 * @absent: BIT(point) of the optional callbacks that are left NULL
 * @never_asks: a client that returns from NT_C_ATTACH what the script says, 0
 *	 included, without nmr_client_attach_provider()
 * @null_context: its binding context is NULL (one such party a side and case)
 * @null_endpoint: a client that passes no endpoint
 * @unwanted: a client that does not want the provider's endpoint
 * @priv: the test's own
 */
struct nt_party {
	struct nt *nt;
	struct list_head node;
	enum nmr_side side;

	guid_t npi_id;
	guid_t module_id;
	u32 number;
	const void *npi_specific;
	u32 max_bindings;
	const struct nmr_slot *slot;
	unsigned long absent;
	bool never_asks;
	bool null_context;
	bool null_endpoint;
	bool unwanted;
	void *priv;
	struct nt_script at[NT_POINTS];

	struct nt_dispatch dispatch;
	union {
		struct nmr_client_handle client;
		struct nmr_provider_handle provider;
	};
	bool registered;
	struct task_struct *registering;
	bool gone;		/* its wait has returned 0 */
	atomic_t running;	/* callbacks of it that have not returned */
	atomic_t bindings;	/* attaching ones included, until cleaned up */
};

/* What a binding context points to. */
struct nt_end {
	struct nt_binding *nb;
	enum nmr_side side;
};

/*
 * One offer and all that came of it.
 *
 * @end: the binding contexts, by side
 * @peer: what each side was given by its peer
 * @seen: the peer's registration instance as each side's attach saw it
 * @when: sequence numbers of entry [0] and return [1] at each point; 0: never
 * @value: what was returned at each point
 * @answer: what nmr_client_attach_provider() returned; NT_UNASKED if not called
 * @reason: what each side's detach was told
 * @attacher, @on_worker: which task ran the attach callbacks
 * @calls: calls each side has in flight, by nt_enter() or nt_call()
 */
struct nt_binding {
	struct nt *nt;
	struct list_head node;
	struct nmr_binding *b;
	u64 id;
	struct nt_party *party[NMR_SIDES];
	struct nt_end end[NMR_SIDES];
	struct nmr_endpoint peer[NMR_SIDES];
	struct {
		guid_t npi_id;
		guid_t module_id;
		u32 number;
		const void *npi_specific;
	} seen[NMR_SIDES];
	u32 when[NT_POINTS][2];
	int value[NT_POINTS];
	int answer;
	enum nmr_detach_reason reason[NMR_SIDES];
	struct task_struct *attacher;
	bool on_worker;
	atomic_t calls[NMR_SIDES];
	atomic_t kept[NMR_SIDES];
	atomic_t refs;
	unsigned long pending;		/* BIT(side) */
	unsigned long completed;	/* BIT(side) */
	bool over;
};

#define NT_UNASKED	1000

/* A thread of a test, see nt_finished(); @ret is what @fn returned. */
struct nt_thread {
	struct list_head node;
	struct nt *nt;
	struct task_struct *task;
	int (*fn)(void *arg);
	void *arg;
	int ret;
	bool finished;
};

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
 * A case. @quiet: for storms, keeps no log and skips the checks that look at all
 * bindings. @stopping: the case is over; loops of threads end.
 */
struct nt {
	struct kunit *test;
	guid_t npi_id;
	bool quiet;
	bool stopping;
	wait_queue_head_t wait;		/* woken at every entry and return */
	struct irq_work kick;		/* does so later */

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

	/* private: nt_expect_warnings() */
	bool probing;
	bool unlimited;
	bool expecting;
	bool in_message;
	int warnings;
	int named;
	int lines;
	char line[160];
};

/* The fixture: .init of a suite. */
int nt_init(struct kunit *test);

/* Memory that lives until the registrar has let go of the case. */
void *nt_zalloc(struct nt *nt, size_t size);

/* Records a failure of the case, from any context and thread. */
__printf(2, 3) void nt_fail(struct nt *nt, const char *fmt, ...);

/* nt_check - record a failure unless @cond; from any context and thread */
#define nt_check(nt, cond)						\
({									\
	bool __ok = (cond);						\
									\
	if (!__ok)							\
		nt_fail(nt, "%s:%d: not %s", __func__, __LINE__, #cond); \
	__ok;								\
})

/* nt_wait_until - wait for @cond, which a callback brings about: false if never */
#define nt_wait_until(nt, cond)						\
	(wait_event_timeout((nt)->wait, cond, NT_TIMEOUT) != 0)

/* nt_await - the same, ending the case if it never comes; test's thread only */
#define nt_await(_nt, cond)						\
({									\
	struct nt *__case = (_nt);					\
									\
	KUNIT_ASSERT_TRUE_MSG(__case->test,				\
			      nt_wait_until(__case, cond),		\
			      "never came: " #cond);			\
})

/* To be called where a test changes what somebody awaits. */
void nt_kick(struct nt *nt);

/* Parties. They do not fail: the case ends if there is no memory. */
struct nt_party *nt_party(struct nt *nt, enum nmr_side side);
struct nt_party *nt_client(struct nt *nt);
struct nt_party *nt_provider(struct nt *nt);

/*
 * nt_register() may be called from any thread; the characteristics and GUIDs it
 * passes are poisoned when it returns. nt_join_npi() also ends the case if it
 * fails. nt_wait() is the wait for deregistration, bounded by NT_TIMEOUT;
 * nt_wait_forever() is the one without a bound, for threads. Both check promise 7.
 * nt_leave() deregisters and waits, and is meant to succeed.
 */
int nt_register(struct nt_party *party);
void nt_join_npi(struct nt_party *party);
int nt_deregister(struct nt_party *party);
int nt_wait_forever(struct nt_party *party);
int nt_wait(struct nt_party *party);
int nt_wait_timeout(struct nt_party *party, unsigned long timeout);
void nt_sync(struct nt_party *party);
int nt_reoffer(struct nt_party *party);
void nt_leave(struct nt_party *party);

/* A pair that has attached. */
struct nt_binding *nt_pair(struct nt *nt, struct nt_party *client,
			   struct nt_party *provider);

/* The newest binding of these two (NULL: whichever), or NULL. */
struct nt_binding *nt_find(struct nt *nt, struct nt_party *client,
			   struct nt_party *provider);

/* How often a party has come to a point, and has left it. */
static inline int nt_entered(struct nt_party *party, enum nt_point point)
{
	return atomic_read(&party->at[point].entered);
}

static inline int nt_returned(struct nt_party *party, enum nt_point point)
{
	return atomic_read(&party->at[point].returned);
}

static inline bool nt_was_at(struct nt_binding *nb, enum nt_point point)
{
	/* Pairs with the release in nt_note(). */
	return smp_load_acquire(&nb->when[point][0]);
}

static inline bool nt_has_left(struct nt_binding *nb, enum nt_point point)
{
	/* As above. */
	return smp_load_acquire(&nb->when[point][1]);
}

/* nt_before - @a had returned when @b began; false if either never happened */
static inline bool nt_before(struct nt_binding *nb, enum nt_point a,
			     enum nt_point b)
{
	return nb->when[a][1] && nb->when[b][0] &&
	       nb->when[a][1] < nb->when[b][0];
}

/* Stop a party at a point; let one visitor go; let all go. */
void nt_hold(struct nt_party *party, enum nt_point point);
void nt_step(struct nt_party *party, enum nt_point point);
void nt_release(struct nt_party *party, enum nt_point point);

/*
 * Calls. nt_call() makes one through the peer's dispatch table, from any context
 * if the callee is neither held nor hooked to sleep: false if the gate is shut.
 * nt_enter() and nt_exit() are the gate alone; what is still in at the end of the
 * case is let out.
 */
bool nt_call(struct nt_binding *nb, enum nmr_side caller);
bool nt_enter(struct nt_binding *nb, enum nmr_side caller);
void nt_exit(struct nt_binding *nb, enum nmr_side caller);

/* The gate as it is, without a trace in @calls. */
bool nt_open(struct nt_binding *nb, enum nmr_side caller);

/* nmr_..._complete() of a side. */
void nt_complete(struct nt_binding *nb, enum nmr_side side);

/* A reference that the end of the case drops if the test does not. */
void nt_get(struct nt_binding *nb);
void nt_put(struct nt_binding *nb);

/*
 * A barrier for "is not offered again": whatever work the registrar had queued
 * when this was called has begun long before it returns. Two parties of another
 * NPI are deferred, re-offered, attached and deregistered, twice over: work, grace
 * periods and work again.
 */
void nt_settle(struct nt *nt);

/* It has been told to detach, and something still keeps it from being cleaned up. */
void nt_expect_draining(struct nt_binding *nb);

/* Threads, joined at the end of the case if not before. */
struct nt_thread *nt_spawn(struct nt *nt, int (*fn)(void *arg), void *arg);
struct nt_thread *nt_spawn_on(struct nt *nt, int cpu, int (*fn)(void *arg),
			      void *arg);
int nt_join(struct nt_thread *thread);

/* Wait until a thread sleeps in a wait of the registrar: TASK_IDLE, and in no other. */
void nt_await_idle(struct nt *nt, struct task_struct *task);

/* nt_enter() and nt_exit() by a task of its own, on that CPU. */
bool nt_enter_on(struct nt_binding *nb, enum nmr_side caller, int cpu);
void nt_exit_on(struct nt_binding *nb, enum nmr_side caller, int cpu);

/* What threads mostly do, with a party. */
int nt_register_thread(void *party);
int nt_wait_thread(void *party);

static inline bool nt_finished(struct nt_thread *thread)
{
	/* Pairs with the release in nt_thread_fn(). */
	return smp_load_acquire(&thread->finished);
}

/* Where code can run. nt_run_in() returns when @fn has. */
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
void nt_run_in(struct nt *nt, enum nt_context context, void (*fn)(void *arg),
	       void *arg);

/*
 * WARNs that a test provokes stand between marker lines in the log, for whoever
 * reads it: "# expect: WARNING begin", "# expect: WARNING end".
 * nt_expected_warnings() ends what nt_expect_warnings() began, and returns how
 * many there were whose message names this module; one that does not is a failure.
 */
void nt_expect_warnings(struct nt *nt);
int nt_expected_warnings(struct nt *nt);

/*
 * What is printed meanwhile that is about nmr: for what is silent, or logged once. @line of
 * the fixture is the last one.
 */
void nt_watch_log(struct nt *nt);
int nt_watched_lines(struct nt *nt);

/* Forget all parties and bindings, whose parties must be gone: for loops. */
void nt_forget(struct nt *nt);

#endif /* _NMR_KUNIT_HARNESS_H */
