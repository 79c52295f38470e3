/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of rras.ko share. rras_main.c describes the module and its locks. */
#ifndef _RRAS_H
#define _RRAS_H

#include <linux/kfifo.h>
#include <linux/mutex.h>
#include <linux/socket.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include "../compat.h"
#include "rras_npi.h"

#define RRAS_LAST_EVENTS	16	/* a power of 2 */

struct rras_client {
	struct list_head	list;
	struct sockaddr_storage	addr;
};

struct rras_iface {
	struct list_head	list;
	int			ifindex;
	struct rras_interface	info;
	bool			active;
	struct list_head	clients;
};

/*
 * The router of a network namespace.
 *
 * @lock:      mutex. It protects the configuration, which follows.
 * @completed: the protocol works as soon as it is started
 * @stopped:   no stop is pending
 * @upcalls:   how often the protocol has called
 */
struct rras_router {
	struct mutex			lock;		/* for the configuration */
	bool				started;
	bool				completed;
	bool				stopped;
	struct rras_manager_info	info;
	struct rras_timers		timers;
	struct nmr_client_handle	handle;
	struct nmr_slot			slot;		/* holds the protocol */
	struct list_head		ifaces;
	struct work_struct		attach_work;
	struct work_struct		event_work;
	wait_queue_head_t		wake;
	spinlock_t			event_lock;	/* for the last events */
	DECLARE_KFIFO(events, struct rras_event, RRAS_LAST_EVENTS);
	atomic_t			upcalls;
};

extern struct mutex rras_commands;

/* rras_main.c */
struct rras_router *rras_router_of(struct net *net);
struct rras_router *rras_router(void);
int rras_call(struct rras_router *router, nmr_call_fn *fn, void *arg);
int rras_start_one(const struct nmr_call *call, void *router);
struct rras_iface *rras_find(struct rras_router *router, int ifindex);
void rras_forget_client(struct rras_client *client);
void rras_forget(struct rras_iface *iface);
int rras_start(struct rras_router *router, struct net *net, bool complete);
int rras_complete(struct rras_router *router);
int rras_stop(struct rras_router *router);

/* rras_command.c */
bool rras_denies(__be32 addr);

/* rras_proc.c */
int rras_show(struct seq_file *m, void *unused);

#endif /* _RRAS_H */
