/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of rip.ko share. rip_main.c describes the module and its locks. */
#ifndef _RIP_H
#define _RIP_H

#include <linux/hashtable.h>
#include <linux/kfifo.h>
#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/workqueue.h>
#include "../compat.h"
#include "../rtm/rtm_npi.h"
#include "rras_npi.h"

#define RIP_PORT	520
#define RIP_GROUP	cpu_to_be32(0xe0000009)		/* 224.0.0.9 */
#define RIP_INFINITY	16				/* metric of what cannot be reached */
#define RIP_AUTHENTICATION 0xffff			/* family of an entry that is a password */
#define RIP_EVENTS	16				/* a power of 2 */
#define RIP_ADDRESSES	16				/* of an interface, at most */

/* The format of RFC 2453 */

#define RIP_REQUEST	1
#define RIP_RESPONSE	2
#define RIP_VERSION	2
#define RIP_ENTRIES	25				/* in a packet, at most */

struct rip_entry {
	__be16	family;
	__be16	tag;
	__be32	dst;
	__be32	mask;
	__be32	gateway;
	__be32	metric;
};

struct rip_packet {
	u8			command;
	u8			version;
	__be16			zero;
	struct rip_entry	entry[RIP_ENTRIES];
};

#define RIP_HEADER	offsetof(struct rip_packet, entry)

/* What happened to a packet or to an entry of it. rip_proc.c has the names. */
enum rip_stat {
	RIP_RECEIVED,
	RIP_SENT,
	RIP_BAD_SOURCE,		/* from off-link, or from this router */
	RIP_BAD_PORT,
	RIP_BAD_LENGTH,
	RIP_BAD_VERSION,
	RIP_BAD_COMMAND,
	RIP_BAD_FAMILY,
	RIP_BAD_PREFIX,
	RIP_BAD_METRIC,
	RIP_DENIED,		/* by the router manager */
	RIP_FULL,		/* the table takes no more, or an allocation failed */
	RIP_STATS
};

/* A packet that was received, and where from */
struct rip_input {
	int			ifindex;
	__be32			from;
	__be16			port;
	size_t			len;
	unsigned int		entries;
	struct rip_packet	packet;
	DECLARE_BITMAP(usable, RIP_ENTRIES);
};

/* A neighbour that gets updates by unicast */
struct rip_peer {
	struct list_head	list;
	__be32			addr;
	struct net_device	*dev;
	netdevice_tracker	tracker;
};

/*
 * An interface of a router.
 *
 * @sock:      bound to the device and to RIP's port; NULL: the interface was unbound
 * @active:    what interface_status() said last
 * @updating:  do_update_routes() waits for a response until @update_by
 */
struct rip_iface {
	struct list_head	list;
	struct net_device	*dev;
	netdevice_tracker	tracker;
	struct socket		*sock;
	struct list_head	peers;
	u8			cost;
	bool			passive;
	bool			active;
	bool			updating;
	unsigned long		update_by;
};

/*
 * A route of a router.
 *
 * @dirty:   in the router's list if the table manager has to be told
 * @from:    router that told of the route; 0: the network is connected
 * @gateway: next hop, usually @from
 * @expires: when the route becomes unreachable; if it is, when the route is freed
 * @changed: the route goes into the next triggered update
 * @sync:    the last run of rip_sync_connected() that found the connected network
 * @in_rtm:  the table manager has @rtm
 */
struct rip_route {
	struct hlist_node	node;
	struct list_head	dirty;
	__be32			dst;
	__be32			from;
	__be32			gateway;
	__be16			tag;
	u8			plen;
	u8			metric;
	int			ifindex;
	unsigned long		expires;
	bool			changed;
	u32			sync;
	bool			in_rtm;
	struct rtm_route	rtm;
};

enum rip_state {
	RIP_STOPPED,
	RIP_STARTED,		/* and start_complete() was not called yet */
	RIP_RUNNING,
	RIP_STOPPING,
	RIP_DEAD,		/* the manager or the network namespace leaves */
};

/*
 * The router of one router manager in one network namespace: the binding context of rip.ko.
 *
 * @control:   held while the router starts and stops
 * @completed: start_complete() was called, so the manager may be called
 * @stop_pending: the event RRAS_ROUTER_STOPPED tells the end of the stop
 * @rtm_id:    binding of the table manager that was told of the routes; of the work item alone
 * @rtm_error: why the table manager refused the router
 */
struct rip_router {
	struct kref			kref;
	struct list_head		list;
	struct net			*net;
	struct nmr_binding		*binding;
	const struct nmr_endpoint	*client;
	struct rras_protocol_dispatch	dispatch;
	struct mutex			control;	/* for starting and stopping */
	enum rip_state			state;
	bool				completed;
	bool				stop_pending;
	struct delayed_work		work;
	struct work_struct		stop_work;
	struct work_struct		detach_work;

	unsigned long			update;		/* the timers, in jiffies */
	unsigned long			timeout;
	unsigned long			garbage;
	unsigned long			next_update;
	unsigned long			next_trigger;
	bool				changed;

	struct list_head		ifaces;
	DECLARE_HASHTABLE(routes, 8);
	unsigned int			nr_routes;
	u32				sync;
	u64				stats[RIP_STATS];
	struct rip_input		input;		/* of the work item alone */
	struct rip_packet		output;

	DECLARE_KFIFO(events, struct rras_event, RIP_EVENTS);
	bool				events_lost;
	bool				tell;

	struct list_head		dirty;
	struct nmr_slot			rtm;
	struct rtm_client_info		rtm_info;
	struct nmr_client_handle	rtm_handle;
	u64				rtm_id;
	int				rtm_error;
};

extern struct mutex rip_mutex;
extern struct list_head rip_routers;
extern struct workqueue_struct *rip_wq;

/* rip_main.c */
void rip_post(struct rip_router *r, enum rras_event_type type, int ifindex, int status);

/* rip_state.c */
int rip_usable(const struct rip_router *r);
int rip_start(void *context, const struct rras_timers *timers);
int rip_start_complete(void *context);
int rip_stop(void *context);
void rip_stop_work(struct work_struct *work);
void rip_shut_down(struct rip_router *r, enum rip_state state);

/* rip_packet.c */
enum rip_stat rip_check(struct rip_input *in);
bool rip_asks_for_all(const struct rip_input *in);
enum rip_stat rip_check_entry(const struct rip_entry *entry);
u8 rip_plen(const struct rip_entry *entry);
void rip_begin(struct rip_packet *packet, u8 command);
void rip_fill(struct rip_entry *entry, const struct rip_route *route, u8 metric);

/* rip_io.c */
int rip_open(struct rip_router *r, struct rip_iface *iface);
void rip_close(struct rip_iface *iface);
void rip_discard(struct rip_iface *iface);
void rip_send(struct rip_router *r, struct rip_iface *iface, __be32 to, __be16 port,
	      unsigned int entries);
void rip_ask(struct rip_router *r, struct rip_iface *iface);
void rip_announce(struct rip_router *r, bool all);
bool rip_receive(struct rip_router *r);

/* rip_if.c */
struct rip_iface *rip_find_iface(struct rip_router *r, int ifindex);
bool rip_iface_runs(const struct rip_iface *iface);
bool rip_onlink(const struct net_device *dev, __be32 addr);
void rip_free_ifaces(struct rip_router *r);
int rip_add_interface(void *context, int ifindex, const struct rras_interface *info);
int rip_delete_interface(void *context, int ifindex);
int rip_interface_status(void *context, int ifindex, bool active);
int rip_update_routes(void *context, int ifindex);
int rip_unbind_interface(void *context, int ifindex);
int rip_connect_client(void *context, int ifindex, const struct sockaddr_storage *addr);
int rip_disconnect_client(void *context, int ifindex, const struct sockaddr_storage *addr);
extern struct notifier_block rip_netdev_notifier;

/* rip_table.c */
struct rip_route *rip_find(struct rip_router *r, __be32 dst, u8 plen);
void rip_learn(struct rip_router *r, struct rip_iface *iface, __be32 from,
	       const struct rip_entry *entry);
void rip_expire_iface(struct rip_router *r, int ifindex);
void rip_expire_all(struct rip_router *r);
void rip_age(struct rip_router *r);
void rip_free_routes(struct rip_router *r);

/* rip_rtm.c */
int rip_rtm_join(struct rip_router *r);
void rip_rtm_leave(struct rip_router *r);
void rip_rtm_push(struct rip_router *r);

/* rip_proc.c */
int rip_proc_show(struct seq_file *m, void *unused);

#endif /* _RIP_H */
