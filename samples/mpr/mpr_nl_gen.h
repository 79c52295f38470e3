/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	samples/mpr/mpr.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_NMR_MPR_GEN_H
#define _LINUX_NMR_MPR_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/nmr_mpr.h>

/* Common nested types */
extern const struct nla_policy nmr_mpr_if_info_nl_policy[NMR_MPR_A_IF_INFO_ADDRESS + 1];

/* Global operation policy for nmr_mpr */
extern const struct nla_policy nmr_mpr_mpr_nl_policy[NMR_MPR_A_DATA + 1];

/* Ops table for nmr_mpr */
extern const struct genl_small_ops nmr_mpr_nl_ops[14];

int nmr_mpr_nl_connect_doit(struct sk_buff *skb, struct genl_info *info);
int nmr_mpr_nl_disconnect_doit(struct sk_buff *skb, struct genl_info *info);
int nmr_mpr_nl_interface_create_doit(struct sk_buff *skb,
				     struct genl_info *info);
int nmr_mpr_nl_interface_find_doit(struct sk_buff *skb, struct genl_info *info);
int nmr_mpr_nl_interface_get_doit(struct sk_buff *skb, struct genl_info *info);
int nmr_mpr_nl_interface_set_doit(struct sk_buff *skb, struct genl_info *info);
int nmr_mpr_nl_interface_delete_doit(struct sk_buff *skb,
				     struct genl_info *info);
int nmr_mpr_nl_interface_list_dumpit(struct sk_buff *skb,
				     struct netlink_callback *cb);
int nmr_mpr_nl_transport_create_doit(struct sk_buff *skb,
				     struct genl_info *info);
int nmr_mpr_nl_transport_find_doit(struct sk_buff *skb, struct genl_info *info);
int nmr_mpr_nl_transport_get_doit(struct sk_buff *skb, struct genl_info *info);
int nmr_mpr_nl_transport_set_doit(struct sk_buff *skb, struct genl_info *info);
int nmr_mpr_nl_transport_delete_doit(struct sk_buff *skb,
				     struct genl_info *info);
int nmr_mpr_nl_transport_list_dumpit(struct sk_buff *skb,
				     struct netlink_callback *cb);

#endif /* _LINUX_NMR_MPR_GEN_H */
