/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A torture test of the registrar, in the manner of rcutorture: threads do all that the
 * API allows, at once and at random, for as long as the module is loaded. What must not
 * happen shows in data: every context knows its state, is poisoned when it is cleaned up,
 * and ages for some grace periods before its memory goes; every callback and every call
 * checks what it meets.
 *
 *   main.c	 starts, watches and stops it, and has the verdict
 *   parties.c	 clients and providers, their callbacks, and who registers them
 *   calls.c	 calls through bindings, from every context
 *   meddlers.c	 who detaches, deregisters, waits for and asks about what is not theirs
 *   suite.c	 runs it as a KUnit suite, where there is no userspace to do so
 *
 * @busted names a check: then something is done on purpose, in this module, which that
 * check has to see. It shows that the checks work.
 */
#ifndef _NMR_TORTURE_H
#define _NMR_TORTURE_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/nmr.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/types.h>
#include <linux/workqueue.h>

/* What must not happen. */
enum nmrt_error {
	NMRT_CALL_AFTER_CLEANUP,	/* a call met a context that was cleaned up */
	NMRT_CALL_AFTER_DETACH,		/* a call entered after a detach callback began */
	NMRT_CLEANUP_IN_CALL,		/* cleanup while a call was inside */
	NMRT_CALLBACK_ORDER,		/* a callback out of order, or twice */
	NMRT_REASONS_DIFFER,		/* the two sides were told different reasons */
	NMRT_AFTER_WAIT,		/* a callback after the wait for its registration */
	NMRT_TOO_MANY_BINDINGS,		/* more than max_bindings */
	NMRT_BOUND_TWICE,		/* a client and a provider, twice at once */
	NMRT_UNEXPECTED_VALUE,		/* the API returned what it never should */
	NMRT_SUMS,			/* in the end something is missing */
	NMRT_STALL,			/* nobody gets on */
	NMRT_ERRORS
};

/* What is counted. */
enum nmrt_op {
	NMRT_REGISTERED,
	NMRT_DEREGISTERED,
	NMRT_DECLINED,
	NMRT_DEFERRED,
	NMRT_FAILED_LATE,
	NMRT_ATTACHED,
	NMRT_CLEANED,
	NMRT_PENDING,
	NMRT_COMPLETED,
	NMRT_CALLS_SHORT,
	NMRT_CALLS_SLEEPING,
	NMRT_CALLS_NESTED,
	NMRT_CALLS_HANDED_OVER,
	NMRT_CALLS_RCU,
	NMRT_CALLS_SOFTIRQ,
	NMRT_CALLS_HARDIRQ,
	NMRT_CALLS_REFUSED,
	NMRT_DETACHED_ALONE,
	NMRT_MEDDLED,
	NMRT_OPS
};

/* Decisions: a stream of them depends on the seed and its own number alone. */
struct nmrt_random {
	u64 stream;
	atomic64_t n;
};

/* What ages before it is freed; the first member of what that is. */
struct nmrt_aged {
	struct rcu_head rcu;
	unsigned int stage;
};

/**
 * struct nmrt_party - a client or a provider
 * @aged:	  frees it
 * @side:	  which
 * @number:	  its own
 * @npi:	  index of its NPI
 * @client:	  handle
 * @provider:	  handle
 * @random:	  decisions of its callbacks
 * @max_bindings: as registered
 * @lock:	  for @halves
 * @halves:	  of its bindings, attaching to cleaned up
 * @bindings:	  how many
 * @running:	  callbacks that run
 * @gone:	  the wait for it has returned
 */
struct nmrt_party {
	struct nmrt_aged	aged;
	enum nmr_side		side;
	u32			number;
	unsigned int		npi;
	union {
		struct nmr_client_handle   client;
		struct nmr_provider_handle provider;
	};
	struct nmrt_random	random;
	u32			max_bindings;
	spinlock_t		lock;	/* for halves */
	struct list_head	halves;
	atomic_t		bindings;
	atomic_t		running;
	bool			gone;
};

enum nmrt_state {
	NMRT_NEW,
	NMRT_BOUND,
	NMRT_DETACHING,
	NMRT_DETACHED,
	NMRT_GONE,
};

#define NMRT_LIVE	0x6c697665
#define NMRT_DEAD	0x64656164

/**
 * struct nmrt_half - a side's half of a binding: its binding context
 * @aged:	frees it
 * @refs:	the binding, and the other half
 * @magic:	NMRT_LIVE until cleanup
 * @state:	&enum nmrt_state
 * @side:	whose half
 * @party:	whose
 * @binding:	what it is a half of
 * @peer:	what the other side handed over
 * @other:	the other half; of a client's valid until its cleanup
 * @peer_number: the other party's
 * @node:	in @party->halves
 * @inside:	calls into it
 * @detached:	a detach callback of the binding has begun
 * @reason:	why
 * @work:	completes a pending detach
 * @timer:	the same
 * @hrtimer:	the same
 * @rcu:	the same
 */
struct nmrt_half {
	struct nmrt_aged	aged;
	refcount_t		refs;
	u32			magic;
	atomic_t		state;
	enum nmr_side		side;
	struct nmrt_party	*party;
	struct nmr_binding	*binding;
	struct nmr_endpoint	peer;
	struct nmrt_half	*other;
	u32			peer_number;
	struct list_head	node;
	atomic_t		inside;
	bool			detached;
	enum nmr_detach_reason	reason;
	union {
		struct delayed_work work;
		struct timer_list   timer;
		struct hrtimer	    hrtimer;
		struct rcu_head	    rcu;
	};
};

/* How a call is made, and what it does. */
enum nmrt_how {
	NMRT_SHORT,
	NMRT_SLEEP,
	NMRT_NEST,
	NMRT_HAND_OVER,
	NMRT_RCU,
	NMRT_HOWS
};

/* The NPI, the same for both sides. */
struct nmrt_dispatch {
	void (*op)(void *context, enum nmrt_how how);
};

/**
 * struct nmrt_thread - one of the threads
 * @task:	it; with a reference
 * @beat:	jiffies when it last came around
 */
struct nmrt_thread {
	struct task_struct	*task;
	unsigned long		beat;
};

extern const struct nmrt_dispatch nmrt_dispatch;
extern struct workqueue_struct *nmrt_wq;

/* main.c */
int nmrt_begin(void);
bool nmrt_end(void);
u32 nmrt_random(struct nmrt_random *r);
void nmrt_random_init(struct nmrt_random *r);
void nmrt_error(enum nmrt_error error);
bool nmrt_busted(enum nmrt_error error);
void nmrt_count(enum nmrt_op op);
u64 nmrt_counted(enum nmrt_op op);
void *nmrt_alloc(size_t size);
void nmrt_age(struct nmrt_aged *aged);
void nmrt_expect(bool expected);
bool nmrt_go_on(struct nmrt_thread *thread);

static inline bool nmrt_one_in(struct nmrt_random *r, u32 n)
{
	return nmrt_random(r) % n == 0;
}

/* parties.c */
int nmrt_registrar(void *data);
u64 nmrt_some_handle(struct nmrt_random *r, enum nmr_side side);
int nmrt_deregister(enum nmr_side side, u64 id);
int nmrt_wait(enum nmr_side side, u64 id, unsigned long timeout);
void nmrt_complete_lost(void);

/* calls.c */
void nmrt_publish(struct nmrt_half *half, struct nmrt_random *r);
void nmrt_unpublish(struct nmrt_half *half);
struct nmrt_half *nmrt_some_half(struct nmrt_random *r);
bool nmrt_enter(struct nmrt_half *half);
void nmrt_exit(struct nmr_binding *binding, enum nmr_side caller);
int nmrt_caller(void *data);
void nmrt_interrupts_start(void);
void nmrt_interrupts_stop(void);

/* meddlers.c */
int nmrt_meddler(void *data);

#endif /* _NMR_TORTURE_H */
