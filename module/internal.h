/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of nmr.ko share. Each file has one concern; a lower one calls a higher
 * one only through a work item:
 *
 *   main.c		module init and exit
 *   debugfs.c		pairs that are not attached, and bindings still referenced
 *   api.c	the API of registrations: register, deregister, wait
 *   offer.c		which offers are made, and when
 *   registration.c	which registrations there are: publish, find, finish
 *   binding.c		a binding's life: attach, close, detach, cleanup
 *   stuck.c		bindings that do not attach or do not drain
 *   sysfs.c		sysfs and uevents
 *   pair.c		what became of the offers already made
 *   lockdep.c		callbacks and calls in flight as lockdep sees them
 *   call_trace.c		the stacks of calls in flight (NMR_DEBUG)
 *   refs.c		memory and references, and what a registration is busy with
 *   gate.c		calls in flight: open, close, drain
 *   callback.c		which callbacks run, on which CPU, in which task
 *   counts.c		memory for the counts of calls
 *   npi.c		NPIs, and which registrations have joined them in which order
 *   misuse.c		warnings
 *   trace.c		tracepoints
 *
 * One call goes up: a write to a binding's file "detach" is nmr_detach_binding().
 *
 * Locks:
 *
 *   nmr_lock		 irqsave. Everything marked "L" below. Never held across a
 *			 callback of a module; dropped every NMR_BATCH steps of a
 *			 loop that grows with the registry.
 *   leaves		 nmr_npi_lock of npi.c, nmr_callback_lock of callback.c,
 *			 nmr_counts_lock of counts.c, and with NMR_DEBUG
 *			 nmr_holders_lock of call_trace.c. None of them is taken under
 *			 nmr_lock.
 *
 * Except nmr_holders_lock, which is raw, what hardirqs may reach (enter, exit, complete,
 * get, put) takes no lock: it works with atomics, queue_work() and call_rcu() alone.
 */
#ifndef _NMR_INTERNAL_H
#define _NMR_INTERNAL_H

#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/nmr.h>
#include <linux/ratelimit_types.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "compat.h"

struct nmr_callback;

/* Callbacks that run at once, on each CPU. */
#define NMR_CALLBACKS_AT_ONCE	512

#define NMR_BATCH	64	/* steps of a long loop between two drops of nmr_lock */

#ifndef __GENKSYMS__	/* CRCs of exported functions do not depend on what is private */
/**
 * struct nmr_npi - one network programming interface, while it has registrations
 * @node:	  in the tree of NPIs; nmr_npi_lock
 * @id:		  its GUID
 * @variable:	  the same as a variable of uevents, NMR_INTERFACE=
 * @name:	  the same as a string, in @variable
 * @users:	  registrations that hold it; nmr_npi_lock
 * @providers:	  providers that ever joined; L
 * @arrived:	  registrations that are not leaving, by &nmr_registration.seq; L
 * @waiting:	  clients that have a deferred pair which is not due; L
 */
struct nmr_npi {
	struct rb_node		node;
	guid_t			id;
	char			variable[sizeof("NMR_INTERFACE=") + UUID_STRING_LEN];
	const char		*name;
	unsigned int		users;
	u64			providers;
	struct rb_root		arrived[NMR_SIDES];
	struct list_head	waiting;
};

/* Misuse, warned of once a registration and kind. */
enum nmr_misuse {
	NMR_MISUSE_ATTACH_VALUE,	/* an attach callback returned more than 0 */
	NMR_MISUSE_NOT_ATTACHED,	/* a client's returned 0 without attaching */
	NMR_MISUSE_DETACH_VALUE,	/* a detach callback returned an odd value */
	NMR_MISUSE_COMPLETE,		/* complete, but nothing is pending */
	NMR_MISUSE_EXIT,		/* more calls left than entered */
	NMR_MISUSE_SYNC,		/* _sync inside a callback */
	NMR_MISUSE_UNLOAD,		/* the module unloads, still registered */
	NMR_MISUSE_NO_WAIT,		/* the module unloads, and has not waited */
	NMR_MISUSES
};

/**
 * struct nmr_registration - a registered client or provider
 * @side:	    which of the two
 * @id:		    the number in the handle
 * @refs:	    keeps the memory, nothing else
 * @rcu:	    frees it
 * @owner:	    the module, to recognise it when it goes; never dereferenced
 * @modname:	    the module's name, a copy: sysfs never reads another's memory
 * @variable:	    @id as a variable of uevents, NMR_CLIENT= or NMR_PROVIDER=
 * @module_id:	    copy
 * @instance:	    what a peer is shown; points into this struct and to @npi
 * @context:	    the module's, for its attach callback
 * @attach_provider: a client's attach callback
 * @attach_client:  a provider's attach callback
 * @client_attached: a provider's, or NULL
 * @detach:	    the detach callback, or NULL
 * @cleanup:	    the cleanup callback, or NULL
 * @max_bindings:   0: any number
 * @npi:	    held until the registration is finished
 * @arrived:	    in @npi->arrived[@side] until it leaves; L
 * @seq:	    order of arrival, of both sides together; set under L
 * @passed:	    the register call has dealt with the peers up to this seq; L
 * @offered:	    a client's: no offer is owed to it by providers up to this seq,
 *		    except by those that still have to pass it in a register call; L
 * @events:	    attached bindings cleaned up, and reoffers asked for; L
 * @pairs:	    pairs that are bound, declined or aborted; L
 * @deferred:	    pairs to be offered again; a client's: that no event has concerned; L
 * @due:	    a client's deferred pairs that an event may have made due; L
 * @nr_pairs:	    pairs in all of these lists; L
 * @nr_deferred:    a provider's: pairs in @deferred; L
 * @forgive:	    the next scan is to offer declined and aborted pairs again, too; L
 * @by_provider:    a client's pairs of all lists, by the provider's seq; L
 * @waiting:	    a client's, in @npi->waiting if @deferred is not empty; L
 * @starved:	    in the list of clients for which an allocation failed; L
 * @open:	    bindings not closed yet; L
 * @bindings:	    bindings not cleaned up yet; L
 * @attached:	    open bindings that have finished attaching; L
 * @wait:	    woken when @attached or @leaving changes, and when it has finished
 * @busy:	    1 until it leaves, and 1 for each of its bindings, its register
 *		    call, and a queued or running scan; L. At 0 it is finished.
 * @scan_queued:    a scan is queued and has not begun; L
 * @leaving:	    deregistered; set under L
 * @joined:	    it has joined its NPI; set under L
 * @finished:	    what a wait waits for
 * @work:	    a scan for offers to be made; in the end, the finish
 * @reap:	    bindings that have cleaned up, to be reaped
 * @reap_work:	    reaps some of these
 * @stuck:	    bindings that it ends and that are stuck, see stuck.c; L
 * @nr_stuck:	    how many these are; L
 * @stuck_node:	    in the list of registrations that have some; L
 * @stuck_next:	    jiffies, when they are told of next; L
 * @stuck_seconds:  seconds from one time to the next; L
 * @misuse:	    kinds already warned of
 * @kobj:	    its directory in sysfs
 * @dep_map:	    held for read by its callbacks and calls, for write by a wait
 */
struct nmr_registration {
	enum nmr_side		side;
	u64			id;
	refcount_t		refs;
	struct rcu_head		rcu;

	struct module		*owner;
	char			modname[MODULE_NAME_LEN];
	char			variable[sizeof("NMR_PROVIDER=") + 20];
	guid_t			module_id;
	struct nmr_registration_instance instance;
	void			*context;
	union {
		int (*attach_provider)(struct nmr_binding *binding,
				       void *client_context,
				       const struct nmr_registration_instance *provider);
		int (*attach_client)(struct nmr_binding *binding,
				     void *provider_context,
				     const struct nmr_registration_instance *instance,
				     const struct nmr_endpoint *client,
				     struct nmr_endpoint *provider);
	};
	void (*client_attached)(void *provider_binding_context);
	int  (*detach)(void *binding_context, enum nmr_detach_reason reason);
	void (*cleanup)(void *binding_context);
	u32			max_bindings;

	struct nmr_npi		*npi;
	struct rb_node		arrived;
	u64			seq;
	u64			passed;
	u64			offered;
	u64			events;
	struct list_head	pairs;
	struct list_head	deferred;
	struct list_head	due;
	unsigned int		nr_pairs;
	unsigned int		nr_deferred;
	bool			forgive;
	struct rb_root		by_provider;
	struct list_head	waiting;
	struct list_head	starved;

	struct list_head	open;
	unsigned int		bindings;
	unsigned int		attached;
	wait_queue_head_t	wait;
	unsigned int		busy;
	bool			scan_queued;
	bool			leaving;
	bool			joined;
	bool			finished;
	struct work_struct	work;
	struct llist_head	reap;
	struct work_struct	reap_work;
	struct list_head	stuck;
	unsigned int		nr_stuck;
	struct list_head	stuck_node;
	unsigned long		stuck_next;
	unsigned int		stuck_seconds;
	unsigned long		misuse;
	struct kobject		kobj;
	struct lockdep_map	dep_map;
};

enum nmr_pair_state {
	NMR_PAIR_BOUND,		/* a binding lives, attaching to cleaning up */
	NMR_PAIR_DECLINED,	/* never offered again, unless an administrator asks */
	NMR_PAIR_ABORTED,	/* the same, after NMR_DETACH_ABORT */
	NMR_PAIR_DEFERRED,	/* offered again when @token has moved */
};

/**
 * struct nmr_pair - what became of the offer to a client of a provider
 * @reg:	  the two; the record goes with the first of them
 * @by_provider:  in the client's tree of pairs; L
 * @node:	  in @pairs, @deferred or @due of each; L
 * @token:	  nmr_pair_token() as it was when the outcome was still open; L
 * @binding:	  the binding, if @state is NMR_PAIR_BOUND; L
 * @error:	  why the last offer failed, or 0; L
 * @state:	  &enum nmr_pair_state; L
 * @decliner:	  &enum nmr_side: which side it was, if @error is not 0; L
 *
 * No record: the offer is still owed. So an offer that is withheld, for a full
 * client or for want of memory, needs neither state nor memory.
 */
struct nmr_pair {
	struct nmr_registration	*reg[NMR_SIDES];
	struct rb_node		by_provider;
	struct list_head	node[NMR_SIDES];
	u64			token;
	struct nmr_binding	*binding;
	int			error;
	u8			state;
	u8			decliner;
};

/* Calls in flight of each side, as counted on one CPU, see gate.c. */
struct nmr_calls {
	s64 count[NMR_SIDES];
} __aligned(sizeof(s64));

/* A side's detach, see binding.c. */
enum nmr_detach_state {
	NMR_DETACH_NONE,	/* its callback has not been called */
	NMR_DETACH_CALLED,	/* the callback runs */
	NMR_DETACH_COMPLETED,	/* it runs, and complete was called meanwhile */
	NMR_DETACH_PENDING,	/* it returned -EINPROGRESS; complete will follow */
	NMR_DETACH_DONE,	/* returned 0, or completed, or never attached */
};

/* What a binding's work item does when it runs next. */
enum nmr_phase {
	NMR_PHASE_ATTACH,
	NMR_PHASE_DETACH,
	NMR_PHASE_CLEANUP,
};

/**
 * struct nmr_binding - a client bound to a provider, or on its way there or away
 * @gate:	 the calls each side makes; first, the inline functions know that
 * @calls:	 per-CPU counts of calls
 * @chunk:	 where @calls is from, see counts.c
 * @draining:	 calls in flight once the gate is closed, see gate.c
 * @todo:	 what cleanup waits for: two gates, two sides, the detach worker
 * @detach:	 &enum nmr_detach_state of each side
 * @refs:	 keeps the memory, nothing else
 * @id:		 its number
 * @reg:	 the two sides; a reference on each
 * @pair:	 the record of the pair; set under L
 * @end:	 what each side handed over at attach
 * @node:	 in &nmr_registration.open of each until closed; L
 * @watch:	 in a list of stuck.c while it attaches or has closed; after its end in
 *		 that of bindings which are referenced still, see refs.c; L
 * @stuck_of:	 the registration that has it among its stuck bindings, or NULL; L
 * @users:	 references of nmr_binding_get() not put yet
 * @attacher:	 the task inside the client's attach callback
 * @shared:	 a task has taken a reference with nmr_binding_get()
 * @errand:	 the register call that waits for the offer, if a worker makes it, or NULL
 * @asked:	 nmr_client_attach_provider() was called; @attacher's own
 * @refusal:	 the errno that the provider refused with, or 0; @attacher's own
 * @error:	 outcome of the attach callbacks, 0 if attached; set once
 * @has_attached: sides to be detached and cleaned up; set before @attaching falls
 * @attaching:	 attach callbacks and client_attached run, or are queued; L
 * @counted:	 counted in &nmr_registration.attached of both; L
 * @closed:	 set under L, once
 * @cleaning:	 cleanup callbacks have begun
 * @in_sysfs:	 @kobj has been added
 * @reason:	 valid once @closed
 * @since:	 jiffies, when it was offered, or closed
 * @token:	 nmr_pair_token() when it was closed
 * @phase:	 what @work does next; set before it is queued
 * @work:	 attach (of a later offer), detach and cleanup in turn
 * @batch:	 links it to others: those that close together, later those to be reaped
 * @batches:	 of the last of a batch that closed: links the batches
 * @rcu:	 the grace period after closing; later the one before the free
 * @kobj:	 its directory in sysfs
 * @call_map:	 held by calls in flight, see lockdep.c
 */
struct nmr_binding {
	struct nmr_gate		gate[NMR_SIDES];
	struct nmr_calls __percpu *calls;
	struct nmr_chunk	*chunk;
	atomic64_t		draining[NMR_SIDES];
	atomic_t		todo;
	atomic_t		detach[NMR_SIDES];
	refcount_t		refs;

	u64			id;
	struct nmr_registration	*reg[NMR_SIDES];
	struct nmr_pair		*pair;
	struct nmr_endpoint	end[NMR_SIDES];
	struct list_head	node[NMR_SIDES];
	struct list_head	watch;
	struct nmr_registration	*stuck_of;
	atomic_t		users;

	struct task_struct	*attacher;
	struct nmr_errand	*errand;
	bool			shared;
	bool			asked;
	int			refusal;
	int			error;
	bool			has_attached[NMR_SIDES];
	bool			attaching;
	bool			counted;
	bool			closed;
	bool			cleaning;
	bool			in_sysfs;
	enum nmr_detach_reason	reason;
	unsigned long		since;
	u64			token;

	enum nmr_phase		phase;
	struct work_struct	work;
	struct llist_node	batch;
	struct llist_node	batches;
	struct rcu_head		rcu;
	struct kobject		kobj;
	struct lockdep_map	call_map;
};

static_assert(offsetof(struct nmr_binding, gate) == 0);
#endif /* __GENKSYMS__ */

/* main.c */
extern spinlock_t nmr_lock;
extern struct workqueue_struct *nmr_callback_wq;	/* runs callbacks of modules */
extern struct workqueue_struct *nmr_wq;			/* scans, finishes, checks */
extern struct workqueue_struct *nmr_reap_wq;		/* takes bindings out of sysfs */
extern struct workqueue_struct *nmr_closed_wq;		/* takes counts, ordered */

/* debugfs.c */
void nmr_debugfs_init(void);
void nmr_debugfs_exit(void);

/* api.c */
int nmr_registrar_init(void);
void nmr_registrar_exit(void);

/* offer.c */
void nmr_offer_earlier(struct nmr_registration *reg);
void nmr_offer_arrival(struct nmr_registration *provider);
void nmr_offer_work(struct work_struct *work);
void nmr_offer_exit(void);

/* binding.c */
void nmr_binding_offer(struct nmr_binding *b, struct nmr_registration *client,
		       struct nmr_registration *provider, struct nmr_pair *pair);
void nmr_binding_attach(struct nmr_binding *b);
void nmr_binding_attach_later(struct nmr_binding *b);
void nmr_binding_attach_elsewhere(struct nmr_binding *b, const struct nmr_callback *outer);
bool nmr_binding_close(struct nmr_binding *b, enum nmr_detach_reason reason,
		       struct llist_head *batch);
void nmr_bindings_detach(struct llist_head *batch);
void nmr_reap_work(struct work_struct *work);

/* pair.c */
u64 nmr_pair_token(const struct nmr_pair *pair);
struct nmr_pair *nmr_pair_find(struct nmr_registration *client, u64 provider_seq);
void nmr_pair_add(struct nmr_pair *pair, struct nmr_registration *client,
		  struct nmr_registration *provider);
void nmr_pair_set(struct nmr_pair *pair, enum nmr_pair_state state);
void nmr_pair_sort(struct nmr_pair *pair);
bool nmr_pair_due(const struct nmr_pair *pair);
void nmr_pair_event(struct nmr_registration *reg);
void nmr_pair_all_due(struct nmr_registration *client);
int nmr_pair_reoffer(struct nmr_registration *reg, bool all);
void nmr_pair_forget_all(struct nmr_registration *reg);

/* stuck.c */
void nmr_stuck_watch(struct nmr_binding *b);
void nmr_stuck_forget(struct nmr_binding *b);
void nmr_stuck_exit(void);

/* callback.c */

#define NMR_TASK_NAME	(TASK_COMM_LEN + 12)	/* "name/number" */

/* Callbacks inside each other on one stack; offers of register calls beyond use another. */
#define NMR_CALLBACKS_NESTED	8

/**
 * struct nmr_callback - a callback that runs, on the stack of the task that called it
 * @node:    in the table of callbacks, by @task
 * @task:    the task
 * @binding: the binding; NULL: a worker makes an offer, and the task of @outer waits for it
 * @outer:   the callback that this one is inside of, or NULL
 * @depth:   callbacks on this stack, this one included
 * @tracked: lockdep knows of it
 */
struct nmr_callback {
	struct hlist_node		node;
	const struct task_struct	*task;
	const struct nmr_binding	*binding;
	const struct nmr_callback	*outer;
	unsigned int			depth;
	bool				tracked;
};

void nmr_callback_begin(struct nmr_callback *cb, struct nmr_binding *b);
void nmr_callback_end(struct nmr_callback *cb, struct nmr_binding *b);
bool nmr_callback_nested(const struct nmr_callback **outer);
void nmr_callback_stand_in(struct nmr_callback *cb, const struct nmr_callback *outer);
void nmr_callback_stand_in_end(struct nmr_callback *cb);
bool nmr_callback_in(const struct nmr_registration *reg);
bool nmr_callback_task(const struct nmr_binding *b, char *name);
void nmr_callback_may_wait(struct nmr_registration *reg);
bool nmr_queue_work(struct workqueue_struct *wq, struct work_struct *work);

/* lockdep.c */
#ifdef CONFIG_LOCKDEP
void nmr_track_init(struct nmr_binding *b);
bool nmr_track_callback(struct nmr_binding *b);
void nmr_track_callback_end(struct nmr_binding *b);
void nmr_track_wait(struct nmr_registration *reg);
#else
static inline void nmr_track_init(struct nmr_binding *b)
{
}

static inline bool nmr_track_callback(struct nmr_binding *b)
{
	return false;
}

static inline void nmr_track_callback_end(struct nmr_binding *b)
{
}

static inline void nmr_track_wait(struct nmr_registration *reg)
{
}
#endif

/* call_trace.c */
#ifdef CONFIG_NMR_DEBUG
void nmr_holders_init(struct dentry *debugfs);
void nmr_holder_add(const struct nmr_binding *b, enum nmr_side caller);
void nmr_holder_remove(const struct nmr_binding *b, enum nmr_side caller);
void nmr_holder_hand_over(const struct nmr_binding *b, enum nmr_side caller);
void nmr_holders_report(const struct nmr_binding *b);
#else
static inline void nmr_holders_init(struct dentry *debugfs)
{
}

static inline void nmr_holder_add(const struct nmr_binding *b, enum nmr_side caller)
{
}

static inline void nmr_holder_remove(const struct nmr_binding *b, enum nmr_side caller)
{
}

static inline void nmr_holder_hand_over(const struct nmr_binding *b, enum nmr_side caller)
{
}

static inline void nmr_holders_report(const struct nmr_binding *b)
{
}
#endif

/* gate.c */
void nmr_gate_init(struct nmr_binding *b);
void nmr_gate_open(struct nmr_binding *b, enum nmr_side caller);
void nmr_gate_close(struct nmr_binding *b, enum nmr_side caller);
struct llist_node *nmr_gates_take(struct llist_node *first);
bool nmr_gate_fold(struct nmr_binding *b, enum nmr_side caller);
unsigned int nmr_gate_in_flight(const struct nmr_binding *b, enum nmr_side caller);
void nmr_binding_part_done(struct nmr_binding *b);

/* counts.c */
int nmr_counts_alloc(struct nmr_binding *b);
void nmr_counts_free(struct nmr_binding *b);
void nmr_counts_exit(void);

/* sysfs.c */
int nmr_sysfs_init(void);
void nmr_sysfs_exit(void);
int nmr_sysfs_add_registration(struct nmr_registration *reg);
void nmr_sysfs_announce_registration(struct nmr_registration *reg);
void nmr_sysfs_remove_registration(struct nmr_registration *reg);
void nmr_sysfs_add_binding(struct nmr_binding *b);
void nmr_sysfs_remove_binding(struct nmr_binding *b);
void nmr_sysfs_tell_stuck(struct nmr_binding *b);
const char *nmr_reason_name(enum nmr_detach_reason reason);

/* registration.c */
struct nmr_registration *nmr_registration_find(enum nmr_side side, u64 id);
struct nmr_registration *nmr_registration_of(const struct module *mod);
struct nmr_registration *nmr_registration_next_client(u64 id);
int nmr_registration_publish(struct nmr_registration *reg, const guid_t *npi_id,
			     u64 *handle);
void nmr_registration_finish(struct nmr_registration *reg);

/* refs.c */
int nmr_objects_init(void);
struct nmr_registration *nmr_registration_alloc(enum nmr_side side);
void nmr_registration_get(struct nmr_registration *reg);
void nmr_registration_put(struct nmr_registration *reg);
void nmr_registration_busy(struct nmr_registration *reg);
void nmr_registration_idle(struct nmr_registration *reg);
void nmr_registration_scan(struct nmr_registration *reg);
struct nmr_binding *nmr_binding_alloc(void);
void nmr_binding_discard(struct nmr_binding *b);
void nmr_binding_drop(struct nmr_binding *b);
struct nmr_binding *nmr_binding_next_referenced(struct nmr_binding *b);
void nmr_binding_reap_later(struct nmr_binding *b);
void nmr_binding_pin(struct nmr_binding *b);
void nmr_binding_unpin(struct nmr_binding *b);
void nmr_objects_exit(void);

/* misuse.c */
extern struct ratelimit_state nmr_misuse_limit;
void nmr_misuse(struct nmr_registration *reg, enum nmr_misuse kind, u64 binding);

/* Tell whether no callback of @reg runs or will run, which is what a wait waits for. */
static inline bool nmr_registration_finished(struct nmr_registration *reg)
{
	/* Pairs with smp_store_release() in nmr_registration_finish(). */
	return smp_load_acquire(&reg->finished);
}

static inline bool nmr_registration_full(const struct nmr_registration *reg)
{
	lockdep_assert_held(&nmr_lock);
	return reg->max_bindings && reg->bindings >= reg->max_bindings;
}

/* npi.c */
struct nmr_npi *nmr_npi_get(const guid_t *id);
void nmr_npi_put(struct nmr_npi *npi);
void nmr_npi_join(struct nmr_registration *reg);
void nmr_npi_leave(struct nmr_registration *reg);
struct nmr_registration *nmr_npi_next(const struct nmr_npi *npi, enum nmr_side side,
				      u64 seq);

/* Tell whether the cleanup of @b calls a callback of a module. */
static inline bool nmr_binding_has_cleanup(const struct nmr_binding *b)
{
	return (b->has_attached[NMR_CLIENT] && b->reg[NMR_CLIENT]->cleanup) ||
	       (b->has_attached[NMR_PROVIDER] && b->reg[NMR_PROVIDER]->cleanup);
}

/* Return: the registration that ends @b: the provider if it alone leaves. */
static inline struct nmr_registration *nmr_binding_leaver(const struct nmr_binding *b)
{
	return b->reg[READ_ONCE(b->reg[NMR_PROVIDER]->leaving) &&
		      !READ_ONCE(b->reg[NMR_CLIENT]->leaving) ? NMR_PROVIDER : NMR_CLIENT];
}

/* How far a side is with detaching: NONE, PENDING, or DONE with its calls drained. */
static inline enum nmr_detach_state nmr_side_detach(const struct nmr_binding *b,
						    enum nmr_side side)
{
	enum nmr_detach_state state = atomic_read(&b->detach[side]);

	if (state == NMR_DETACH_NONE)
		return NMR_DETACH_NONE;
	if (state == NMR_DETACH_DONE && atomic64_read(&b->draining[side]) <= 0)
		return NMR_DETACH_DONE;
	return NMR_DETACH_PENDING;
}

static inline const char *nmr_side_name(enum nmr_side side)
{
	return side == NMR_CLIENT ? "client" : "provider";
}

static inline enum nmr_side nmr_peer(enum nmr_side side)
{
	return side == NMR_CLIENT ? NMR_PROVIDER : NMR_CLIENT;
}

#endif /* _NMR_INTERNAL_H */
