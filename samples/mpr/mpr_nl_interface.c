// SPDX-License-Identifier: GPL-2.0-only
/* The configuration server by generic netlink, a part of mpr_nl.ko: requests for interfaces */
#include <net/netlink.h>
#include "mpr_netlink.h"

/* The level that an attribute belongs to */
static const u8 mpr_nl_level[] = {
	[NMR_MPR_A_IF_INFO_NAME]	= 0,
	[NMR_MPR_A_IF_INFO_TYPE]	= 0,
	[NMR_MPR_A_IF_INFO_ENABLED]	= 0,
	[NMR_MPR_A_IF_INFO_HOURS]	= 1,
	[NMR_MPR_A_IF_INFO_PHONE]	= 2,
	[NMR_MPR_A_IF_INFO_IDLE]	= 2,
	[NMR_MPR_A_IF_INFO_ADDRESS]	= 3,
};

/* Refuse an interface that lacks an attribute of its level, or has one of a higher level. */
static int mpr_nl_check_level(struct nlattr **tb, u32 level, struct nlattr *nest,
			      struct netlink_ext_ack *extack)
{
	u32 i;

	for (i = 1; i < ARRAY_SIZE(mpr_nl_level); i++) {
		if (mpr_nl_level[i] > level && tb[i]) {
			NL_SET_ERR_MSG_ATTR(extack, tb[i], "the level has no such attribute");
			return -EINVAL;
		}
		if (mpr_nl_level[i] <= level && NL_REQ_ATTR_CHECK(extack, nest, tb, i)) {
			NL_SET_ERR_MSG(extack, "the level needs another attribute");
			return -EINVAL;
		}
	}
	return 0;
}

/* Read an interface up to the level of the request. */
static int mpr_nl_get_info(struct genl_info *info, struct mpr_interface_3 *to)
{
	struct mpr_interface_0 *level0 = &to->level2.level1.level0;
	struct nlattr *tb[NMR_MPR_A_IF_INFO_MAX + 1];
	u32 level = mpr_nl_u32(info, NMR_MPR_A_LEVEL);
	struct nlattr *nest = info->attrs[NMR_MPR_A_INFO];
	int err;

	memset(to, 0, sizeof(*to));
	err = nla_parse_nested(tb, NMR_MPR_A_IF_INFO_MAX, nest, nmr_mpr_if_info_nl_policy,
			       info->extack);
	if (err)
		return err;
	err = mpr_nl_check_level(tb, level, nest, info->extack);
	if (err)
		return err;
	nla_strscpy(level0->name, tb[NMR_MPR_A_IF_INFO_NAME], MPR_NAME_SIZE);
	level0->type = nla_get_u32(tb[NMR_MPR_A_IF_INFO_TYPE]);
	level0->enabled = nla_get_u8(tb[NMR_MPR_A_IF_INFO_ENABLED]);
	if (level >= 1)
		nla_memcpy(to->level2.level1.hours, tb[NMR_MPR_A_IF_INFO_HOURS], MPR_HOURS_LEN);
	if (level >= 2) {
		nla_strscpy(to->level2.phone, tb[NMR_MPR_A_IF_INFO_PHONE], MPR_PHONE_SIZE);
		to->level2.idle = nla_get_u32(tb[NMR_MPR_A_IF_INFO_IDLE]);
	}
	if (level >= 3)
		to->address = nla_get_in6_addr(tb[NMR_MPR_A_IF_INFO_ADDRESS]);
	return 0;
}

/* Write an interface up to a level. Return: 0 or -EMSGSIZE. */
static int mpr_nl_put_info(struct sk_buff *skb, u32 level, const void *from)
{
	const struct mpr_interface_3 *level3 = from;
	const struct mpr_interface_2 *level2 = from;
	const struct mpr_interface_1 *level1 = from;
	const struct mpr_interface_0 *level0 = from;
	struct nlattr *nest = nla_nest_start(skb, NMR_MPR_A_INFO);

	if (!nest ||
	    nla_put_string(skb, NMR_MPR_A_IF_INFO_NAME, level0->name) ||
	    nla_put_u32(skb, NMR_MPR_A_IF_INFO_TYPE, level0->type) ||
	    nla_put_u8(skb, NMR_MPR_A_IF_INFO_ENABLED, level0->enabled))
		return -EMSGSIZE;
	if (level >= 1 && nla_put(skb, NMR_MPR_A_IF_INFO_HOURS, MPR_HOURS_LEN, level1->hours))
		return -EMSGSIZE;
	if (level >= 2 && (nla_put_string(skb, NMR_MPR_A_IF_INFO_PHONE, level2->phone) ||
			   nla_put_u32(skb, NMR_MPR_A_IF_INFO_IDLE, level2->idle)))
		return -EMSGSIZE;
	if (level >= 3 && nla_put_in6_addr(skb, NMR_MPR_A_IF_INFO_ADDRESS, &level3->address))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int mpr_nl_interface_create(struct mpr_nl_call *call, struct genl_info *info,
				   struct sk_buff *reply)
{
	struct mpr_interface_3 new;
	int err;

	err = mpr_nl_get_info(info, &new);
	if (!err)
		err = call->ops->interface_create(call->context, call->server,
						  mpr_nl_u32(info, NMR_MPR_A_LEVEL), &new,
						  &call->handle);
	return err ?: nla_put_u32(reply, NMR_MPR_A_INTERFACE, call->handle);
}

static void mpr_nl_interface_undo(struct mpr_nl_call *call)
{
	call->ops->interface_delete(call->context, call->server, call->handle);
}

int nmr_mpr_nl_interface_create_doit(struct sk_buff *skb, struct genl_info *info)
{
	return mpr_nl_ask(info, NMR_MPR_A_INFO, mpr_nl_interface_create, mpr_nl_interface_undo);
}

static int mpr_nl_interface_find(struct mpr_nl_call *call, struct genl_info *info,
				 struct sk_buff *reply)
{
	int err = call->ops->interface_get_handle(call->context, call->server,
						  nla_data(info->attrs[NMR_MPR_A_NAME]),
						  &call->handle);

	return err ?: nla_put_u32(reply, NMR_MPR_A_INTERFACE, call->handle);
}

/* There is nothing to undo: a socket that finds the interface again gets the same handle. */
int nmr_mpr_nl_interface_find_doit(struct sk_buff *skb, struct genl_info *info)
{
	return mpr_nl_ask(info, NMR_MPR_A_NAME, mpr_nl_interface_find, NULL);
}

static int mpr_nl_interface_get(struct mpr_nl_call *call, struct genl_info *info,
				struct sk_buff *reply)
{
	u32 level = mpr_nl_u32(info, NMR_MPR_A_LEVEL);
	void *buffer;
	size_t size;
	int err;

	err = call->ops->interface_get_info(call->context, call->server,
					    mpr_nl_u32(info, NMR_MPR_A_INTERFACE), level,
					    &buffer, &size);
	if (err)
		return err;
	err = nla_put_u32(reply, NMR_MPR_A_LEVEL, level) ?:
	      mpr_nl_put_info(reply, level, buffer);
	call->ops->buffer_free(call->context, call->server, buffer);
	return err;
}

int nmr_mpr_nl_interface_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return mpr_nl_ask(info, NMR_MPR_A_INTERFACE, mpr_nl_interface_get, NULL);
}

static int mpr_nl_interface_set(struct mpr_nl_call *call, struct genl_info *info,
				struct sk_buff *reply)
{
	struct mpr_interface_3 new;
	int err;

	err = mpr_nl_get_info(info, &new);
	if (err)
		return err;
	return call->ops->interface_set_info(call->context, call->server,
					     mpr_nl_u32(info, NMR_MPR_A_INTERFACE),
					     mpr_nl_u32(info, NMR_MPR_A_LEVEL), &new);
}

int nmr_mpr_nl_interface_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	if (mpr_nl_lacks(info, NMR_MPR_A_INFO))
		return -EINVAL;
	return mpr_nl_tell(info, NMR_MPR_A_INTERFACE, mpr_nl_interface_set);
}

static int mpr_nl_interface_delete(struct mpr_nl_call *call, struct genl_info *info,
				   struct sk_buff *reply)
{
	return call->ops->interface_delete(call->context, call->server,
					   mpr_nl_u32(info, NMR_MPR_A_INTERFACE));
}

int nmr_mpr_nl_interface_delete_doit(struct sk_buff *skb, struct genl_info *info)
{
	return mpr_nl_tell(info, NMR_MPR_A_INTERFACE, mpr_nl_interface_delete);
}

static int mpr_nl_interface_ask(struct mpr_nl_call *call, struct nlattr **attrs,
				struct mpr_enum *state, void **buffer)
{
	return call->ops->interface_enum(call->context, call->server, state, buffer);
}

static int mpr_nl_interface_put(struct sk_buff *skb, const void *entry)
{
	return mpr_nl_put_info(skb, 0, entry);
}

int nmr_mpr_nl_interface_list_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct mpr_nl_list list = {
		.cmd		= NMR_MPR_CMD_INTERFACE_LIST,
		.message	= nlmsg_total_size(GENL_HDRLEN) + nla_total_size(0) +
				  nla_total_size(MPR_NAME_SIZE) + nla_total_size(sizeof(u32)) +
				  nla_total_size(sizeof(u8)),
		.entry		= sizeof(struct mpr_interface_0),
		.ask		= mpr_nl_interface_ask,
		.put		= mpr_nl_interface_put,
	};

	return mpr_nl_dump(skb, cb, &list);
}
