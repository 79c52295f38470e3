/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the parts of mpr_nl.ko */
#ifndef _MPR_NETLINK_H
#define _MPR_NETLINK_H

#include "mpr_nl_gen.h"
#include "mpr_npi.h"

/* A request that has entered the slot */
struct mpr_nl_call {
	struct nmr_call			nmr;
	const struct mpr_dispatch	*ops;
	void				*context;
	u32				server;	/* the server's handle */
};

/* A reply, which is allocated before the server is called */
struct mpr_nl_reply {
	struct sk_buff	*skb;
	void		*header;
};

extern struct genl_family mpr_nl_family;

int mpr_nl_enter(struct mpr_nl_call *call, struct nlattr **attrs, u32 portid,
		 struct netlink_ext_ack *extack);
void mpr_nl_exit(struct mpr_nl_call *call);
int mpr_nl_explain(struct netlink_ext_ack *extack, int err);

bool mpr_nl_lacks(struct genl_info *info, int attr);
u32 mpr_nl_u32(struct genl_info *info, int attr);

int mpr_nl_begin(struct mpr_nl_call *call, struct mpr_nl_reply *reply, struct genl_info *info);
int mpr_nl_end(struct mpr_nl_call *call, struct mpr_nl_reply *reply, struct genl_info *info,
	       int err);
int mpr_nl_end_handle(struct mpr_nl_call *call, struct mpr_nl_reply *reply,
		      struct genl_info *info, int err, int attr, u32 handle);
int mpr_nl_done(struct mpr_nl_call *call, struct genl_info *info, int err);

int mpr_nl_dump_begin(struct mpr_nl_call *call, struct nlattr **attrs,
		      struct netlink_callback *cb);
void *mpr_nl_dump_put(struct sk_buff *skb, struct netlink_callback *cb, u8 cmd);
int mpr_nl_dump_end(struct mpr_nl_call *call, struct netlink_callback *cb, struct sk_buff *skb,
		    int err);

#endif /* _MPR_NETLINK_H */
