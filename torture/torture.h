/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A torture test of the registrar, in the manner of rcutorture. Threads do all that the
 * API allows, concurrently and at random, for as long as the module is loaded. Errors show
 * in data: every context knows its state, cleanup poisons it, and it ages for some grace
 * periods before its memory is freed. Every callback and every call checks the context
 * that it is passed.
 *
 * A file calls those below it only:
 *
 *   suite.c	 runs the test as a KUnit suite, for kernels without a userspace
 *   main.c	 starts, watches and stops the threads, and prints the verdict
 *   meddlers.c	 threads that act on registrations and bindings of other threads
 *   parties.c	 threads that register clients and providers, and the callbacks of these
 *   calls.c	 threads that call through bindings, and calls from interrupts
 *   base.c	 random decisions, errors, counts, memory that ages
 *
 * The parameter busted names an error, which the test then provokes on purpose, to show
 * that its check works.
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

#include "../kunit/compat.h"

/* Errors: what must not happen. */
enum nmrt_error {
	NMRT_CALL_AFTER_CLEANUP,	/* a call met a context that was cleaned up */
	NMRT_CALL_AFTER_DETACH,		/* a call entered after a detach callback began */
	NMRT_CLEANUP_IN_CALL,		/* cleanup while a call was inside */
	NMRT_CALLBACK_ORDER,		/* a callback out of order, or twice */
	NMRT_REASONS_DIFFER,		/* the two sides were told different reasons */
	NMRT_AFTER_WAIT,		/* a callback after the wait for its registration */
	NMRT_TOO_MANY_BINDINGS,		/* more than max_bindings */
	NMRT_BOUND_TWICE,		/* a client and a provider, twice at once */
	NMRT_SLOT_AFTER_CLOSE,		/* a slot names a client that has deregistered */
	NMRT_WALK_ORDER,		/* a walk visits a binding twice, or late */
	NMRT_UNEXPECTED_VALUE,		/* the API returned what it never should */
	NMRT_SUMS,			/* counts or memory do not add up at the end */
	NMRT_STALL,			/* a thread makes no progress */
	NMRT_ERRORS
};

/* Operations, which are counted. */
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
	NMRT_CALLS_SCOPED_CLIENT,
	NMRT_CALLS_SCOPED_PROVIDER,
	NMRT_CALLS_SCOPED_LATE,
	NMRT_CALLS_SOFTIRQ,
	NMRT_CALLS_HARDIRQ,
	NMRT_CALLS_SLOT,
	NMRT_CALLS_SLOT_WAITED,
	NMRT_CALLS_REFUSED,
	NMRT_VISITS,
	NMRT_WALKS,
	NMRT_DETACHED_ALONE,
	NMRT_MEDDLED,
	NMRT_OPS
};

/* A stream of random decisions, which depend on the seed and its own number alone. */
struct nmrt_random {
	u64 stream;
	atomic64_t n;
};

/* First member of an object that ages before it is freed. */
struct nmrt_aged {
	struct rcu_head rcu;
	unsigned int stage;
};

/**
 * struct nmrt_party - a client or a provider
 * @aged:	  frees it
 * @side:	  client or provider
 * @number:	  number of the registration instance
 * @npi:	  index of its NPI
 * @id:		  handle, of either side
 * @client:	  handle of a client
 * @provider:	  handle of a provider
 * @random:	  decisions of its callbacks
 * @max_bindings: as registered; 1 if the client has a slot
 * @slot:	  slot of the client, or NULL
 * @lock:	  for @halves
 * @halves:	  halves of its bindings, from attach to cleanup
 * @bindings:	  number of these
 * @running:	  number of callbacks that run
 * @gone:	  the wait for it has returned
 */
struct nmrt_party {
	struct nmrt_aged	aged;
	enum nmr_side		side;
	u32			number;
	unsigned int		npi;
	union {
		u64			   id;
		struct nmr_client_handle   client;
		struct nmr_provider_handle provider;
	};
	struct nmrt_random	random;
	u32			max_bindings;
	const struct nmr_slot	*slot;
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
 * @refs:	references of the binding and of the other half
 * @magic:	NMRT_LIVE until cleanup
 * @state:	&enum nmrt_state
 * @side:	client or provider
 * @party:	party of that side
 * @binding:	binding of which it is a half
 * @peer:	endpoint of the other side
 * @other:	other half; in a client's half valid until cleanup
 * @peer_number: number of the other party
 * @node:	in @party->halves
 * @inside:	calls that run in it
 * @detached:	a detach callback of the binding has begun
 * @reason:	reason of the detach
 * @work:	completes a pending detach
 * @timer:	completes a pending detach
 * @hrtimer:	completes a pending detach
 * @rcu:	completes a pending detach
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

/* How a call is made, and what the callee does. */
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
 * @task:	its task, with a reference
 * @beat:	jiffies of its last progress
 */
struct nmrt_thread {
	struct task_struct	*task;
	unsigned long		beat;
};

/* base.c */
extern struct workqueue_struct *nmrt_wq;
extern unsigned long long nmrt_seed;
extern char *nmrt_busted_name;
u32 nmrt_random(struct nmrt_random *r);
void nmrt_random_init(struct nmrt_random *r);
int nmrt_choose_busted(void);
bool nmrt_busted(enum nmrt_error error);
void nmrt_error(enum nmrt_error error);
void nmrt_expect(bool expected);
bool nmrt_happened(enum nmrt_error error);
bool nmrt_failed(void);
void nmrt_print_errors(void);
void nmrt_count(enum nmrt_op op);
u64 nmrt_counted(enum nmrt_op op);
u64 nmrt_operations(void);
void nmrt_print_counts(void);
void *nmrt_alloc(size_t size);
void nmrt_age(struct nmrt_aged *aged);
void nmrt_wait_for_aged(void);
bool nmrt_leaks(void);
bool nmrt_go_on(struct nmrt_thread *thread);

static inline bool nmrt_one_in(struct nmrt_random *r, u32 n)
{
	return nmrt_random(r) % n == 0;
}

/* calls.c */
extern const struct nmrt_dispatch nmrt_dispatch;
void nmrt_publish(struct nmrt_half *half, struct nmrt_random *r);
void nmrt_unpublish(struct nmrt_half *half);
struct nmrt_half *nmrt_some_half(struct nmrt_random *r);
const struct nmr_slot *nmrt_some_slot(struct nmrt_random *r);
void nmrt_wait_for_slot(struct nmrt_random *r);
void nmrt_walk(struct nmrt_random *r, enum nmr_side side, u64 id);
int nmrt_caller(void *data);
void nmrt_interrupts_start(void);
void nmrt_interrupts_stop(void);

/* parties.c */
int nmrt_registrar(void *data);
u64 nmrt_some_handle(struct nmrt_random *r, enum nmr_side side);
int nmrt_deregister(enum nmr_side side, u64 id);
void nmrt_complete_lost(void);

/* meddlers.c */
int nmrt_meddler(void *data);

/* main.c */
int nmrt_begin(void);
bool nmrt_end(void);

#endif /* _NMR_TORTURE_H */
