/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * NPIs, registrations, and pairs of registrations. "L" at a member: nmr_lock. Members without
 * a rule are set before other tasks can find the object, and do not change.
 */
#ifndef _NMR_REGISTRATION_H
#define _NMR_REGISTRATION_H

#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/module.h>
#include <linux/rbtree.h>
#include <linux/rcupdate.h>
#include <linux/refcount.h>
#include <linux/uuid.h>
#include <linux/wait.h>

#include "internal.h"

#ifndef __GENKSYMS__	/* CRCs of exported functions do not depend on private structures. */

/* A network programming interface, while it has registrations */
struct nmr_npi {
	guid_t			id;
	char			variable[sizeof("NMR_INTERFACE=") + UUID_STRING_LEN];
	const char		*name;		/* @id as a string, in @variable */

	struct rb_node		node;		/* nmr_npi_lock: in the tree of NPIs */
	unsigned int		users;		/* nmr_npi_lock: registrations that hold it */

	struct rb_root		arrived[NMR_SIDES];	/* L: by &nmr_registration.seq */
	u64			providers;	/* L: providers that have ever joined */
	struct list_head	waiting;	/* L: clients with deferred pairs, see pair.c */
};

/* A registered client or provider */
struct nmr_registration {
	/* api.c: what the module has handed over */
	enum nmr_side		side;
	struct module		*owner;		/* only compared, never dereferenced */
	char			modname[MODULE_NAME_LEN];	/* a copy, for sysfs */
	guid_t			module_id;	/* a copy */
	struct nmr_registration_instance instance;	/* points here, and into @npi */
	void			*context;	/* for the attach callback */
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
	void (*client_attached)(void *provider_binding_context);	/* or NULL */
	int  (*detach)(void *binding_context, enum nmr_detach_reason reason);	/* or NULL */
	void (*cleanup)(void *binding_context);			/* or NULL */
	u32			max_bindings;	/* 0: any number */
	struct nmr_endpoint	endpoint;	/* unless an attach callback has another */

	/* slot.c */
	const struct nmr_slot	*slot;		/* a client's, or NULL */

	/* registration.c */
	u64			id;		/* the number in the handle */
	struct nmr_npi		*npi;		/* held until the registration has finished */
	bool			joined;		/* L: has joined @npi; read under RCU */

	/* refs.c */
	refcount_t		refs;		/* keeps the memory, nothing else */
	struct rcu_head		rcu;
	unsigned int		pins;		/* L: at 0 the registration finishes */
	bool			scan_queued;	/* L: a scan is queued and has not begun */
	struct work_struct	work;		/* a scan; at the end the finish */

	/* leave.c */
	bool			leaving;	/* written under L: deregistered */
	bool			finished;	/* see nmr_registration_finished() */
	wait_queue_head_t	wait;		/* woken if these change, or @attached rises */

	/* npi.c */
	struct rb_node		arrived;	/* L: in @npi until the registration leaves */
	u64			seq;		/* L: order of arrival, of both sides together */

	/* offer.c */
	u64			passed;		/* L: by the register call: peers up to this */
	u64			offered;	/* L: of a client: see offer.c */
	bool			forgive;	/* L: the next scan offers declined pairs, too */
	struct list_head	starved;	/* L: in the list of clients that lack memory */

	/* pair.c */
	u64			events;		/* L: what makes deferred pairs due */
	struct list_head	pairs;		/* L: bound, declined or aborted */
	struct list_head	deferred;	/* L: a client's: of no event since */
	struct list_head	due;		/* L: a client's: deferred, an event happened */
	unsigned int		nr_pairs;	/* L: in all of these lists */
	unsigned int		nr_deferred;	/* L: a provider's: in @deferred */
	struct rb_root		by_provider;	/* L: a client's pairs, by the provider's @seq */
	struct list_head	waiting;	/* L: a client's: in &nmr_npi.waiting */

	/* binding.c */
	struct list_head	open;		/* L, RCU: bindings that have not closed */
	unsigned int		bindings;	/* L: bindings that have not finished */
	unsigned int		attached;	/* L: bindings in state NMR_ATTACHED */
	struct llist_head	reap;		/* bindings to be reaped */
	struct work_struct	reap_work;

	/* walk.c */
	struct list_head	walks;		/* L: walks through @open */

	/* stuck.c */
	struct list_head	stuck;		/* L: bindings that it ends and that are stuck */
	unsigned int		nr_stuck;	/* L: in @stuck */
	struct list_head	stuck_node;	/* L: in the list of registrations with such */
	unsigned long		stuck_next;	/* L: jiffies of the next line */
	unsigned int		stuck_seconds;	/* L: from that line to the one after it */

	/* sysfs.c */
	struct kobject		kobj;
	char			variable[sizeof("NMR_PROVIDER=") + 20];	/* NMR_CLIENT=id */

	/* misuse.c */
	unsigned long		misuse;		/* atomic bits: kinds that were warned of */

	/* lockdep.c */
	struct lockdep_map	dep_map;
};

enum nmr_pair_state {
	NMR_PAIR_BOUND,		/* a binding lives, from attaching to cleaning */
	NMR_PAIR_DECLINED,	/* not offered again, unless an administrator asks */
	NMR_PAIR_ABORTED,	/* the same, after NMR_DETACH_ABORT */
	NMR_PAIR_DEFERRED,	/* offered again if @token has changed */
};

/*
 * What became of the offer of a provider to a client. Without a record the offer is owed, so
 * an offer that is withheld needs neither state nor memory. The first of the two that
 * finishes frees the record.
 */
struct nmr_pair {
	struct nmr_registration	*reg[NMR_SIDES];
	struct rb_node		by_provider;	/* L: in the client's tree */
	struct list_head	node[NMR_SIDES];	/* L: in a list of each */
	u64			token;		/* L: nmr_pair_token() while undecided */
	struct nmr_binding	*binding;	/* L: if @state is NMR_PAIR_BOUND */
	int			error;		/* L: why the last offer failed, or 0 */
	u8			state;		/* L: &enum nmr_pair_state */
	u8			decliner;	/* L: &enum nmr_side, if @error is not 0 */
};

#endif /* __GENKSYMS__ */

/* leave.c */
int nmr_leave_init(void);
void nmr_leave_exit(void);
int nmr_leave(struct nmr_registration *reg);
void nmr_registration_work(struct work_struct *work);
long nmr_wait_until(struct nmr_registration *reg,
		    bool (*met)(struct nmr_registration *reg), unsigned int state,
		    unsigned long timeout);
int nmr_wait_finished(struct nmr_registration *reg, unsigned long timeout);
bool nmr_may_freeze(void);

/* offer.c */
void nmr_offer_earlier(struct nmr_registration *reg);
void nmr_offer_arrival(struct nmr_registration *provider);
void nmr_offer_again(struct nmr_registration *reg, bool forgive);
void nmr_offer_exit(void);

/* registration.c */
struct nmr_registration *nmr_registration_find(enum nmr_side side, u64 id);
struct nmr_registration *nmr_registration_of(const struct module *mod);
struct nmr_registration *nmr_registration_next_client(u64 id);
int nmr_registration_publish(struct nmr_registration *reg, const guid_t *npi_id,
			     u64 *handle);
void nmr_registration_unpublish(struct nmr_registration *reg);

/* sysfs.c */
int nmr_sysfs_add_registration(struct nmr_registration *reg);
void nmr_sysfs_announce_registration(struct nmr_registration *reg);
void nmr_sysfs_remove_registration(struct nmr_registration *reg);

/* pair.c */
u64 nmr_pair_token(const struct nmr_pair *pair);
struct nmr_pair *nmr_pair_find(struct nmr_registration *client, u64 provider_seq);
void nmr_pair_add(struct nmr_pair *pair, struct nmr_registration *client,
		  struct nmr_registration *provider);
void nmr_pair_set(struct nmr_pair *pair, enum nmr_pair_state state);
void nmr_pair_forgive(struct nmr_pair *pair);
void nmr_pair_sort(struct nmr_pair *pair);
bool nmr_pair_due(const struct nmr_pair *pair);
void nmr_pair_all_due(struct nmr_registration *client);
void nmr_registration_event(struct nmr_registration *reg);
int nmr_registration_reoffer(struct nmr_registration *reg, bool all);
void nmr_pair_forget_all(struct nmr_registration *reg);

/* refs.c */
struct nmr_registration *nmr_registration_alloc(enum nmr_side side);
void nmr_registration_get(struct nmr_registration *reg);
void nmr_registration_put(struct nmr_registration *reg);
void nmr_registration_pin(struct nmr_registration *reg);
void nmr_registration_unpin(struct nmr_registration *reg);
void nmr_registration_scan(struct nmr_registration *reg);

/* npi.c */
struct nmr_npi *nmr_npi_get(const guid_t *id);
void nmr_npi_put(struct nmr_npi *npi);
void nmr_npi_join(struct nmr_registration *reg);
void nmr_npi_leave(struct nmr_registration *reg);
struct nmr_registration *nmr_npi_next(const struct nmr_npi *npi, enum nmr_side side,
				      u64 seq);

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

#endif /* _NMR_REGISTRATION_H */
