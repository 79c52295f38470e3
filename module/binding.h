/* SPDX-License-Identifier: GPL-2.0-only */
/* Bindings. "L" at a member: nmr_lock. */
#ifndef _NMR_BINDING_H
#define _NMR_BINDING_H

#include <linux/ktime.h>

#include "gate.h"
#include "registration.h"

struct nmr_callback;
struct nmr_errand;
struct task_struct;

/* The state of a binding only grows. nmr_binding_advance() has the transitions. */
enum nmr_binding_state {
	NMR_ATTACHING,	/* attach callbacks and client_attached run, or are queued */
	NMR_ATTACHED,	/* both sides may call */
	NMR_CLOSING,	/* closed while attaching: detaches, or finishes, when that has ended */
	NMR_DETACHING,	/* closed: grace period, calls, detach callbacks */
	NMR_CLEANING,	/* the cleanup callbacks run, or have run */
	NMR_FINISHED,	/* out of both registrations */
};

/* How far a side has detached, see binding.c */
enum nmr_detach_state {
	NMR_DETACH_NONE,	/* the detach callback has not been called */
	NMR_DETACH_CALLED,	/* the callback runs */
	NMR_DETACH_COMPLETED,	/* the callback runs, and complete was called meanwhile */
	NMR_DETACH_PENDING,	/* the callback returned -EINPROGRESS: complete will follow */
	NMR_DETACH_DONE,	/* it returned 0, or completed, or the side never attached */
};

#ifndef __GENKSYMS__	/* CRCs of exported functions do not depend on private structures. */

/*
 * A client bound to a provider, or on its way there, or away. The members are in an order that
 * leaves no holes: without lockdep they fill six cache lines.
 */
struct nmr_binding {
	struct nmr_gates	gates;		/* first: the inline functions know that */

	u64			id;
	struct nmr_registration	*reg[NMR_SIDES];	/* a reference on each */
	struct nmr_pair		*pair;		/* the record of the two */
	struct list_head	node[NMR_SIDES];	/* L, RCU: in @open of each until closed */
	enum nmr_binding_state	state;		/* written under L: nmr_binding_advance() */
	enum nmr_detach_reason	reason;		/* set before @state says that it closed */
	unsigned long		since;		/* jiffies when it was offered, or closed */
	ktime_t			closed_at;	/* set if the events that tell of it are enabled */
	u64			token;		/* nmr_pair_token() when it was closed */

	/* Attaching */
	union {
		/* What a side's callbacks are passed instead of the context in @end, or NULL */
		void			*context[NMR_SIDES];
		struct {
			/* The task inside the client's callback, until it asks the provider */
			struct task_struct	*attacher;
			/* A register call that waits, until the callbacks begin; or NULL */
			struct nmr_errand	*errand;
		};
	};
	struct nmr_endpoint	end[NMR_SIDES];	/* what each side has handed over */
	int			refusal;	/* errno of the provider, or 0 */
	int			error;		/* outcome, 0: attached; set once */
	bool			has_attached[NMR_SIDES];	/* set while attaching */
	bool			forgiven;	/* L: offer the pair again, whatever the reason */

	bool			shared;		/* refs.c: a module has taken a reference */

	/* Detaching */
	atomic_t		todo;		/* what cleanup waits for */
	atomic_t		detach[NMR_SIDES];	/* &enum nmr_detach_state */
	union {
		struct llist_node	batches;	/* of the last of a batch: links batches */
		struct llist_node	reap;	/* detached: in &nmr_registration.reap */
	};
	struct work_struct	work;		/* attach, detach, cleanup in turn */

	/* refs.c */
	refcount_t		refs;		/* keeps the memory, nothing else */
	atomic_t		users;		/* references of modules not put yet */
	struct rcu_head		rcu;		/* after closing; later before the free */

	/* stuck.c; of a finished binding: refs.c */
	struct list_head	watch;		/* L: in a list of watched or stuck bindings */
	struct nmr_registration	*stuck_of;	/* L: has it among its stuck bindings, or NULL */

	/* sysfs.c */
	struct kobject		kobj;

	/* lockdep.c */
	struct lockdep_map	call_map;
};

static_assert(offsetof(struct nmr_binding, gates.gate) == 0);

#endif /* __GENKSYMS__ */

/* binding.c */
void nmr_binding_offer(struct nmr_binding *b, struct nmr_registration *client,
		       struct nmr_registration *provider, struct nmr_pair *pair);
void nmr_binding_attach(struct nmr_binding *b);
void nmr_binding_attach_start(struct nmr_binding *b);
void nmr_binding_attach_elsewhere(struct nmr_binding *b, const struct nmr_callback *outer);
bool nmr_binding_close(struct nmr_binding *b, enum nmr_detach_reason reason,
		       struct llist_head *batch);
void nmr_bindings_start_gp(struct llist_head *batch);
u64 nmr_binding_us(const struct nmr_binding *b);
void nmr_reap_work(struct work_struct *work);

/* walk.c */
typedef int nmr_walk_fn(struct nmr_registration *reg, nmr_call_fn *fn, void *arg);
nmr_walk_fn nmr_walk, nmr_walk_rcu;
void __nmr_walks_pass(struct nmr_binding *b, enum nmr_side side);

/* slot.c */
int nmr_slot_claim(struct nmr_registration *client, const struct nmr_slot *slot);
void __nmr_slot_release(struct nmr_registration *client);
void __nmr_slot_publish(struct nmr_registration *client);
struct nmr_registration *nmr_slot_client(const struct nmr_slot *slot);
void __nmr_slot_prepare(struct nmr_binding *b);
void __nmr_slot_fill(struct nmr_binding *b);
void __nmr_slot_empty(struct nmr_binding *b);
void __nmr_slot_forget(struct nmr_binding *b);

/* sysfs.c */
void nmr_sysfs_add_binding(struct nmr_binding *b);
void nmr_sysfs_announce_binding(struct nmr_binding *b);
void nmr_sysfs_remove_binding(struct nmr_binding *b);
void nmr_sysfs_tell_stuck(struct nmr_binding *b);
const char *nmr_reason_name(enum nmr_detach_reason reason);

/* refs.c */
int nmr_objects_init(void);
void nmr_objects_exit(void);
struct nmr_binding *nmr_binding_alloc(void);
void nmr_binding_discard(struct nmr_binding *b);
void __nmr_binding_get(struct nmr_binding *b);
void __nmr_binding_put(struct nmr_binding *b);
void nmr_binding_drop(struct nmr_binding *b);
void nmr_binding_part_done(struct nmr_binding *b);
void nmr_binding_reap_later(struct nmr_binding *b);
struct nmr_binding *nmr_binding_next_referenced(struct nmr_binding *b);

/* Tell whether the attach of @b has not ended. */
static inline bool nmr_binding_attaching(const struct nmr_binding *b)
{
	enum nmr_binding_state state = READ_ONCE(b->state);

	return state == NMR_ATTACHING || state == NMR_CLOSING;
}

/* Tell whether @b has closed, or has finished. If it has closed, reason and since are valid. */
static inline bool nmr_binding_closed(const struct nmr_binding *b)
{
	/* Pairs with smp_store_release() in nmr_binding_advance(). */
	return smp_load_acquire(&b->state) >= NMR_CLOSING;
}

/* Tell whether the cleanup of @b calls a callback of a module. */
static inline bool nmr_binding_has_cleanup(const struct nmr_binding *b)
{
	return (b->has_attached[NMR_CLIENT] && b->reg[NMR_CLIENT]->cleanup) ||
	       (b->has_attached[NMR_PROVIDER] && b->reg[NMR_PROVIDER]->cleanup);
}

/* Most clients have no slot, and most registrations have no walk in progress. */
static inline void nmr_slot_publish(struct nmr_registration *client)
{
	if (client->slot)
		__nmr_slot_publish(client);
}

static inline void nmr_slot_release(struct nmr_registration *client)
{
	if (client->slot)
		__nmr_slot_release(client);
}

static inline void nmr_slot_prepare(struct nmr_binding *b)
{
	if (b->reg[NMR_CLIENT]->slot)
		__nmr_slot_prepare(b);
}

static inline void nmr_slot_fill(struct nmr_binding *b)
{
	if (b->reg[NMR_CLIENT]->slot)
		__nmr_slot_fill(b);
}

static inline void nmr_slot_empty(struct nmr_binding *b)
{
	if (b->reg[NMR_CLIENT]->slot)
		__nmr_slot_empty(b);
}

static inline void nmr_slot_forget(struct nmr_binding *b)
{
	if (b->reg[NMR_CLIENT]->slot)
		__nmr_slot_forget(b);
}

static inline void nmr_walks_pass(struct nmr_binding *b, enum nmr_side side)
{
	if (!list_empty(&b->reg[side]->walks))
		__nmr_walks_pass(b, side);
}

/* Find the registration that accounts for @b: the provider if it alone leaves, or the client. */
static inline struct nmr_registration *nmr_binding_leaver(const struct nmr_binding *b)
{
	return b->reg[READ_ONCE(b->reg[NMR_PROVIDER]->leaving) &&
		      !READ_ONCE(b->reg[NMR_CLIENT]->leaving) ? NMR_PROVIDER : NMR_CLIENT];
}

/* Return: the reason for closing bindings of @leaving. */
static inline enum nmr_detach_reason nmr_leave_reason(const struct nmr_registration *leaving)
{
	return leaving->side == NMR_CLIENT ? NMR_DETACH_CLIENT_DEREGISTERED :
					     NMR_DETACH_PROVIDER_DEREGISTERED;
}

#endif /* _NMR_BINDING_H */
