/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of the table manager share: a table of routes, and what it consists of.
 *
 * A table belongs to a network namespace and an address family. It is a trie of networks. Each
 * network has a list of routes, the best one first. Each route also is in the list of its client.
 *
 * Locking: the lock of the table protects all of this. Readers of the trie need RCU only, and
 * get_best also reads rtm_table.dead and rtm_client.left without the lock. The lock is taken
 * inside the RTNL, so a task that holds the lock must not take the RTNL.
 */
#ifndef _RTM_H
#define _RTM_H

#include <linux/kfifo.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/net.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/timerqueue.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include "rtm_npi.h"

/*
 * A network: a node of the trie. A node without routes is a fork of two networks, or the FIB
 * still has its route.
 */
struct rtm_node {
	/* A lookup reads these, in the first cache lines. */
	u64			key[2];		/* the address in host order, left aligned */
	u64			mask[2];
	struct rtm_node __rcu	*child[2];
	struct rtm_entry __rcu	*best;
	u8			plen;

	bool			in_fib;		/* the FIB has @fib */
	bool			unsure;		/* or the kernel has removed it */
	bool			sending;	/* not changed since the FIB worker has read it */
	int			refused;	/* error by which the FIB refused the best route */
	struct rtm_node		*parent;
	struct list_head	entries;	/* routes, best first */
	struct list_head	dirty;		/* in a list of the mirror */
	struct rtm_route	fib;
	struct rcu_head		rcu;
};

/* A route of a client */
struct rtm_entry {
	struct rtm_route	route;		/* never changes */
	struct rtm_node		*node;
	struct rtm_client	*client;
	struct list_head	of_node;
	struct list_head	of_client;
	struct timerqueue_node	expiry;		/* queued unless the route lives forever */
	struct rcu_head		rcu;
};

struct rtm_trie {
	struct rtm_node __rcu	*root;
	bool			wide;		/* addresses have more than 64 bits */
};

#define RTM_BATCH	32	/* networks that one message to the FIB is about */

/* What the FIB worker has asked the FIB to do for a network */
struct rtm_fib_change {
	struct rtm_node		*node;
	struct rtm_route	old;
	bool			had_old;
	bool			unsure;
	int			err;
};

/* The mirror of a table in the FIB */
struct rtm_mirror {
	struct socket		*sock;		/* the kernel's own NETLINK_ROUTE socket */
	struct sk_buff		*message;	/* buffer, so that the worker allocates nothing */
	struct list_head	dirty;		/* networks that differ from the FIB */
	struct list_head	sending;	/* networks in @changes */
	struct list_head	refused;	/* networks that wait for @retry */
	struct work_struct	work;
	struct delayed_work	retry;
	unsigned long		delay;		/* of @retry, in jiffies */
	bool			stopped;	/* the worker gets no more to do */
	u32			batch;		/* number of the message, upper bits of seq */
	struct rtm_fib_change	changes[RTM_BATCH];
};

struct rtm_table {
	struct net		*net;		/* valid unless @dead */
	sa_family_t		family;
	bool			dead;		/* the namespace has ended */
	struct kref		ref;		/* one of the namespace, one of each client */
	struct mutex		lock;
	struct rtm_trie		trie;
	struct xarray		clients;	/* by protocol */
	unsigned int		nr_routes;
	struct timerqueue_head	expiries;
	struct delayed_work	expire;		/* the only timer of the table */
	struct rtm_mirror	mirror;
};

/* A client that is attached: the binding context of the provider */
struct rtm_client {
	struct rtm_table	*table;
	struct nmr_binding	*binding;	/* for upcalls */
	struct nmr_endpoint	peer;
	u8			protocol;
	u32			flags;
	bool			wants;		/* it has route_changed, and so a queue */
	bool			left;		/* detached: the client has no route any more */
	bool			lost;		/* the queue was full */
	struct list_head	entries;
	struct work_struct	upcall;
	DECLARE_KFIFO_PTR(queue, struct rtm_change);
};

extern struct workqueue_struct *rtm_wq;
extern unsigned int rtm_max_routes;
extern atomic_t rtm_nr_routes, rtm_nr_nodes;

/* rtm_main.c */
void rtm_reoffer(void);

/* rtm_trie.c */
void rtm_key(sa_family_t family, const union nf_inet_addr *addr, u64 *key);
void rtm_mask(unsigned int plen, u64 *mask);
struct rtm_node *rtm_node_alloc(void);
void rtm_node_set(struct rtm_node *node, const u64 *key, unsigned int plen);
struct rtm_node *rtm_trie_find(const struct rtm_table *t, const u64 *key, unsigned int plen);
struct rtm_node *rtm_trie_insert(struct rtm_table *t, struct rtm_node *node,
				 struct rtm_node *fork);
void rtm_trie_prune(struct rtm_table *t, struct rtm_node *node);
struct rtm_node *rtm_trie_from(const struct rtm_table *t, const u64 *key, unsigned int plen);
struct rtm_node *rtm_trie_next(const struct rtm_table *t, const struct rtm_node *node);
struct rtm_entry *rtm_trie_lookup(const struct rtm_trie *trie, const u64 *key);

/* rtm_net.c */
struct rtm_table *rtm_table_get(const struct net *net, sa_family_t family);
void rtm_table_put(struct rtm_table *t);
struct rtm_table *rtm_net_table(struct net *net, sa_family_t family);
int rtm_net_register(void);
void rtm_net_unregister(void);

/* rtm_table.c */
int rtm_check_client(const struct rtm_client *c);
int rtm_check_network(const struct rtm_table *t, const struct rtm_route *route);
int rtm_table_add(struct rtm_client *c, const struct rtm_route *route, u32 ttl,
		  struct rtm_change *change);
int rtm_table_del(struct rtm_client *c, const struct rtm_route *route,
		  struct rtm_change *change);
bool rtm_table_delete_all(struct rtm_client *c, int ifindex, bool tell_client);
void rtm_table_device_gone(struct rtm_table *t, int ifindex);
void rtm_table_expire(struct work_struct *work);

/* rtm_proc.c */
int rtm_proc_create(struct net *net);
void rtm_proc_remove(struct net *net);

/* rtm_fib.c */
int rtm_fib_start(struct rtm_table *t);
void rtm_fib_stop(struct rtm_table *t);
void rtm_fib_changed(struct rtm_table *t, struct rtm_node *node);
void rtm_fib_flushed(struct rtm_table *t, int ifindex);
void rtm_fib_offer(struct rtm_table *t);

#endif /* _RTM_H */
