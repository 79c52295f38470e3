// SPDX-License-Identifier: GPL-2.0-only
/* The configuration server by generic netlink, a part of mpr_nl.ko: requests for transports */
#include <net/netlink.h>
#include "mpr_netlink.h"

static const void *mpr_nl_data(struct genl_info *info, size_t *size)
{
	struct nlattr *data = info->attrs[NMR_MPR_A_DATA];

	*size = data ? nla_len(data) : 0;
	return data ? nla_data(data) : NULL;
}

int nmr_mpr_nl_transport_create_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mpr_nl_reply reply;
	struct mpr_nl_call call;
	const void *data;
	u32 handle = 0;
	size_t size;
	int err;

	if (mpr_nl_lacks(info, NMR_MPR_A_PROTOCOL))
		return -EINVAL;
	err = mpr_nl_begin(&call, &reply, info);
	if (err)
		return err;
	data = mpr_nl_data(info, &size);
	err = call.ops->transport_create(call.context, call.server,
					 mpr_nl_u32(info, NMR_MPR_A_INTERFACE),
					 mpr_nl_u32(info, NMR_MPR_A_PROTOCOL), data, size,
					 &handle);
	return mpr_nl_end_handle(&call, &reply, info, err, NMR_MPR_A_TRANSPORT, handle);
}

int nmr_mpr_nl_transport_find_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mpr_nl_reply reply;
	struct mpr_nl_call call;
	u32 handle = 0;
	int err;

	if (mpr_nl_lacks(info, NMR_MPR_A_PROTOCOL))
		return -EINVAL;
	err = mpr_nl_begin(&call, &reply, info);
	if (err)
		return err;
	err = call.ops->transport_get_handle(call.context, call.server,
					     mpr_nl_u32(info, NMR_MPR_A_INTERFACE),
					     mpr_nl_u32(info, NMR_MPR_A_PROTOCOL), &handle);
	return mpr_nl_end_handle(&call, &reply, info, err, NMR_MPR_A_TRANSPORT, handle);
}

int nmr_mpr_nl_transport_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mpr_nl_reply reply;
	struct mpr_nl_call call;
	u32 protocol;
	void *buffer;
	size_t size;
	int err;

	if (mpr_nl_lacks(info, NMR_MPR_A_TRANSPORT))
		return -EINVAL;
	err = mpr_nl_begin(&call, &reply, info);
	if (err)
		return err;
	err = call.ops->transport_get_info(call.context, call.server,
					   mpr_nl_u32(info, NMR_MPR_A_TRANSPORT), &protocol,
					   &buffer, &size);
	if (!err) {
		err = nla_put_u32(reply.skb, NMR_MPR_A_PROTOCOL, protocol);
		if (!err)
			err = nla_put(reply.skb, NMR_MPR_A_DATA, size, buffer);
		call.ops->buffer_free(call.context, call.server, buffer);
	}
	return mpr_nl_end(&call, &reply, info, err);
}

int nmr_mpr_nl_transport_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mpr_nl_call call;
	const void *data;
	size_t size;
	int err;

	if (mpr_nl_lacks(info, NMR_MPR_A_TRANSPORT) || mpr_nl_lacks(info, NMR_MPR_A_DATA))
		return -EINVAL;
	err = mpr_nl_enter(&call, info->attrs, info->snd_portid, info->extack);
	if (err)
		return err;
	data = mpr_nl_data(info, &size);
	err = call.ops->transport_set_info(call.context, call.server,
					   mpr_nl_u32(info, NMR_MPR_A_TRANSPORT), data, size);
	return mpr_nl_done(&call, info, err);
}

int nmr_mpr_nl_transport_delete_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct mpr_nl_call call;
	int err;

	if (mpr_nl_lacks(info, NMR_MPR_A_TRANSPORT))
		return -EINVAL;
	err = mpr_nl_enter(&call, info->attrs, info->snd_portid, info->extack);
	if (err)
		return err;
	err = call.ops->transport_delete(call.context, call.server,
					 mpr_nl_u32(info, NMR_MPR_A_TRANSPORT));
	return mpr_nl_done(&call, info, err);
}

/* Put one transport into a part of a dump. Return: 0 or -EMSGSIZE. */
static int mpr_nl_list_one(struct sk_buff *skb, struct netlink_callback *cb,
			   const struct mpr_transport_0 *entry)
{
	void *header = mpr_nl_dump_put(skb, cb, NMR_MPR_CMD_TRANSPORT_LIST);

	if (!header)
		return -EMSGSIZE;
	if (nla_put_u32(skb, NMR_MPR_A_PROTOCOL, entry->protocol) ||
	    nla_put_u32(skb, NMR_MPR_A_SIZE, entry->size)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

#define MPR_NL_LIST_SIZE	(nlmsg_total_size(GENL_HDRLEN) + 2 * nla_total_size(sizeof(u32)))

/* Ask the server for as many transports as fit. cb->args[0] says where to go on. */
int nmr_mpr_nl_transport_list_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct mpr_enum state = {
		.max = skb_tailroom(skb) / MPR_NL_LIST_SIZE * sizeof(struct mpr_transport_0),
		.resume = cb->args[0],
	};
	struct nlattr *attrs[NMR_MPR_A_DATA + 1], *id;
	struct mpr_nl_call call;
	void *buffer;
	int err;
	u32 i;

	err = mpr_nl_dump_begin(&call, attrs, cb);
	if (err)
		return err;
	id = attrs[NMR_MPR_A_INTERFACE];
	err = call.ops->transport_enum(call.context, call.server, id ? nla_get_u32(id) : 0,
				       &state, &buffer);
	if (!err) {
		for (i = 0; i < state.count && !err; i++)
			err = mpr_nl_list_one(skb, cb, (struct mpr_transport_0 *)buffer + i);
		call.ops->buffer_free(call.context, call.server, buffer);
		cb->args[0] = state.resume;
	}
	return mpr_nl_dump_end(&call, cb, skb, err);
}
