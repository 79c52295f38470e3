// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	samples/mpr/mpr.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "mpr_nl_gen.h"

#include <uapi/linux/nmr_mpr.h>

/* Common nested types */
const struct nla_policy nmr_mpr_if_info_nl_policy[NMR_MPR_A_IF_INFO_ADDRESS + 1] = {
	[NMR_MPR_A_IF_INFO_NAME] = { .type = NLA_NUL_STRING, .len = NMR_MPR_NAME_MAX, },
	[NMR_MPR_A_IF_INFO_TYPE] = { .type = NLA_U32, },
	[NMR_MPR_A_IF_INFO_ENABLED] = NLA_POLICY_MAX(NLA_U8, 1),
	[NMR_MPR_A_IF_INFO_HOURS] = NLA_POLICY_EXACT_LEN(NMR_MPR_HOURS_LEN),
	[NMR_MPR_A_IF_INFO_PHONE] = { .type = NLA_NUL_STRING, .len = NMR_MPR_PHONE_MAX, },
	[NMR_MPR_A_IF_INFO_IDLE] = { .type = NLA_U32, },
	[NMR_MPR_A_IF_INFO_ADDRESS] = NLA_POLICY_EXACT_LEN(16),
};

/* Global operation policy for nmr_mpr */
const struct nla_policy nmr_mpr_mpr_nl_policy[NMR_MPR_A_DATA + 1] = {
	[NMR_MPR_A_ROUTER] = { .type = NLA_NUL_STRING, .len = NMR_MPR_NAME_MAX, },
	[NMR_MPR_A_SERVER] = { .type = NLA_U32, },
	[NMR_MPR_A_INTERFACE] = { .type = NLA_U32, },
	[NMR_MPR_A_TRANSPORT] = { .type = NLA_U32, },
	[NMR_MPR_A_NAME] = { .type = NLA_NUL_STRING, .len = NMR_MPR_NAME_MAX, },
	[NMR_MPR_A_LEVEL] = { .type = NLA_U32, },
	[NMR_MPR_A_INFO] = NLA_POLICY_NESTED(nmr_mpr_if_info_nl_policy),
	[NMR_MPR_A_PROTOCOL] = { .type = NLA_U32, },
	[NMR_MPR_A_DATA] = { .type = NLA_BINARY, },
};

/* Ops table for nmr_mpr */
const struct genl_small_ops nmr_mpr_nl_ops[14] = {
	{
		.cmd	= NMR_MPR_CMD_CONNECT,
		.doit	= nmr_mpr_nl_connect_doit,
		.flags	= GENL_ADMIN_PERM,
	},
	{
		.cmd	= NMR_MPR_CMD_DISCONNECT,
		.doit	= nmr_mpr_nl_disconnect_doit,
		.flags	= GENL_ADMIN_PERM,
	},
	{
		.cmd	= NMR_MPR_CMD_INTERFACE_CREATE,
		.doit	= nmr_mpr_nl_interface_create_doit,
		.flags	= GENL_ADMIN_PERM,
	},
	{
		.cmd	= NMR_MPR_CMD_INTERFACE_FIND,
		.doit	= nmr_mpr_nl_interface_find_doit,
		.flags	= GENL_ADMIN_PERM,
	},
	{
		.cmd	= NMR_MPR_CMD_INTERFACE_GET,
		.doit	= nmr_mpr_nl_interface_get_doit,
		.flags	= GENL_ADMIN_PERM,
	},
	{
		.cmd	= NMR_MPR_CMD_INTERFACE_SET,
		.doit	= nmr_mpr_nl_interface_set_doit,
		.flags	= GENL_ADMIN_PERM,
	},
	{
		.cmd	= NMR_MPR_CMD_INTERFACE_DELETE,
		.doit	= nmr_mpr_nl_interface_delete_doit,
		.flags	= GENL_ADMIN_PERM,
	},
	{
		.cmd	= NMR_MPR_CMD_INTERFACE_LIST,
		.dumpit	= nmr_mpr_nl_interface_list_dumpit,
		.flags	= GENL_ADMIN_PERM,
	},
	{
		.cmd	= NMR_MPR_CMD_TRANSPORT_CREATE,
		.doit	= nmr_mpr_nl_transport_create_doit,
		.flags	= GENL_ADMIN_PERM,
	},
	{
		.cmd	= NMR_MPR_CMD_TRANSPORT_FIND,
		.doit	= nmr_mpr_nl_transport_find_doit,
		.flags	= GENL_ADMIN_PERM,
	},
	{
		.cmd	= NMR_MPR_CMD_TRANSPORT_GET,
		.doit	= nmr_mpr_nl_transport_get_doit,
		.flags	= GENL_ADMIN_PERM,
	},
	{
		.cmd	= NMR_MPR_CMD_TRANSPORT_SET,
		.doit	= nmr_mpr_nl_transport_set_doit,
		.flags	= GENL_ADMIN_PERM,
	},
	{
		.cmd	= NMR_MPR_CMD_TRANSPORT_DELETE,
		.doit	= nmr_mpr_nl_transport_delete_doit,
		.flags	= GENL_ADMIN_PERM,
	},
	{
		.cmd	= NMR_MPR_CMD_TRANSPORT_LIST,
		.dumpit	= nmr_mpr_nl_transport_list_dumpit,
		.flags	= GENL_ADMIN_PERM,
	},
};
