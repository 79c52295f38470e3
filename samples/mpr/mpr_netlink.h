/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the parts of mpr_nl.ko */
#ifndef _MPR_NETLINK_H
#define _MPR_NETLINK_H

#include "mpr_nl_gen.h"
#include "mpr_npi.h"

/*
 * A request that has entered the slot.
 *
 * @number: what the socket calls its connection
 * @server: what the server calls it
 * @handle: what the request has created
 */
struct mpr_nl_call {
	struct nmr_call			nmr;
	const struct mpr_dispatch	*ops;
	void				*context;
	u32				number;
	u32				server;
	u32				handle;
};

/* Ask the server, and put what it returns into the reply. Return: 0, or an error of the server. */
typedef int mpr_nl_fn(struct mpr_nl_call *call, struct genl_info *info, struct sk_buff *reply);

/*
 * How to list a kind of objects.
 *
 * @cmd:     command of the request and of each message
 * @message: bytes of a message, at most
 * @entry:   bytes of an entry in the server's buffer
 * @ask:     asks the server for a part of the entries
 * @put:     puts an entry into a message; returns 0 or a negative errno
 */
struct mpr_nl_list {
	u8	cmd;
	size_t	message;
	size_t	entry;
	int (*ask)(struct mpr_nl_call *call, struct nlattr **attrs, struct mpr_enum *state,
		   void **buffer);
	int (*put)(struct sk_buff *skb, const void *entry);
};

extern struct genl_family mpr_nl_family;

/* mpr_netlink.c */
int mpr_nl_enter_slot(struct mpr_nl_call *call, struct netlink_ext_ack *extack);
int mpr_nl_enter(struct mpr_nl_call *call, struct nlattr **attrs, u32 portid,
		 struct netlink_ext_ack *extack);
void mpr_nl_exit(struct mpr_nl_call *call);

/* mpr_nl_request.c */
bool mpr_nl_lacks(struct genl_info *info, int attr);
u32 mpr_nl_u32(struct genl_info *info, int attr);
int mpr_nl_tell(struct genl_info *info, int attr, mpr_nl_fn *fn);
int mpr_nl_ask(struct genl_info *info, int attr, mpr_nl_fn *fn,
	       void (*undo)(struct mpr_nl_call *call));
int mpr_nl_ask_first(struct genl_info *info, mpr_nl_fn *fn,
		     void (*undo)(struct mpr_nl_call *call));
int mpr_nl_dump(struct sk_buff *skb, struct netlink_callback *cb, const struct mpr_nl_list *list);

#endif /* _MPR_NETLINK_H */
