// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of the router manager, which are writes to its parameters. rras_main.c describes
 * them. Each calls the protocol, and if that succeeds keeps what was configured. The memory for
 * that is there before the call, so that an allocation failure leaves no trace in the protocol.
 */
#include <linux/inet.h>
#include <linux/inetdevice.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "rras.h"

struct rras_command;

/*
 * What a command does.
 *
 * @call: calls the protocol
 * @keep: keeps what was configured, or NULL
 * @size: of the memory that @keep takes, or 0
 */
struct rras_verb {
	const char *name;
	int (*call)(const struct rras_protocol_dispatch *protocol, void *context,
		    const struct rras_command *command);
	void (*keep)(struct rras_router *router, struct rras_command *command);
	size_t size;
};

/* A command, and what its words say */
struct rras_command {
	const struct rras_verb		*verb;
	struct rras_router		*router;
	void				*memory;	/* zeroed, of the verb's size */
	int				argc;
	char				**argv;
	int				ifindex;
	struct rras_interface		info;
	struct sockaddr_storage		addr;
};

/* Interfaces */

static int rras_call_add(const struct rras_protocol_dispatch *protocol, void *context,
			 const struct rras_command *command)
{
	return protocol->add_interface(context, command->ifindex, &command->info);
}

static void rras_keep_add(struct rras_router *router, struct rras_command *command)
{
	struct rras_iface *iface = command->memory;

	command->memory = NULL;
	INIT_LIST_HEAD(&iface->clients);
	iface->ifindex = command->ifindex;
	iface->info = command->info;
	list_add_tail(&iface->list, &router->ifaces);
}

static int rras_call_status(const struct rras_protocol_dispatch *protocol, void *context,
			    const struct rras_command *command)
{
	return protocol->interface_status(context, command->ifindex,
					  !strcmp(command->verb->name, "up"));
}

static void rras_keep_status(struct rras_router *router, struct rras_command *command)
{
	struct rras_iface *iface = rras_find(router, command->ifindex);

	if (iface)
		iface->active = !strcmp(command->verb->name, "up");
}

static int rras_call_update(const struct rras_protocol_dispatch *protocol, void *context,
			    const struct rras_command *command)
{
	return protocol->do_update_routes(context, command->ifindex);
}

static int rras_call_unbind(const struct rras_protocol_dispatch *protocol, void *context,
			    const struct rras_command *command)
{
	return protocol->unbind_interface(context, command->ifindex);
}

static int rras_call_delete(const struct rras_protocol_dispatch *protocol, void *context,
			    const struct rras_command *command)
{
	return protocol->delete_interface(context, command->ifindex);
}

/* An interface that is unbound is not restored in the next protocol, so it is forgotten, too. */
static void rras_keep_delete(struct rras_router *router, struct rras_command *command)
{
	rras_forget(rras_find(router, command->ifindex));
}

/* Clients */

static int rras_call_connect(const struct rras_protocol_dispatch *protocol, void *context,
			     const struct rras_command *command)
{
	return protocol->connect_client(context, command->ifindex, &command->addr);
}

static void rras_keep_connect(struct rras_router *router, struct rras_command *command)
{
	struct rras_iface *iface = rras_find(router, command->ifindex);
	struct rras_client *client = command->memory;

	if (!iface)
		return;
	command->memory = NULL;
	client->addr = command->addr;
	list_add_tail(&client->list, &iface->clients);
}

static int rras_call_disconnect(const struct rras_protocol_dispatch *protocol, void *context,
				const struct rras_command *command)
{
	return protocol->disconnect_client(context, command->ifindex, &command->addr);
}

static void rras_keep_disconnect(struct rras_router *router, struct rras_command *command)
{
	struct rras_iface *iface = rras_find(router, command->ifindex);
	struct rras_client *client, *next;

	if (!iface)
		return;
	list_for_each_entry_safe(client, next, &iface->clients, list)
		if (!memcmp(&client->addr, &command->addr, sizeof(client->addr)))
			rras_forget_client(client);
}

/* Parsing */

/* A device is named by its index or by its name. The index need not be right. */
static int rras_parse_index(struct rras_command *command)
{
	struct net_device *dev;

	if (command->argc < 2)
		return -EINVAL;
	if (!kstrtoint(command->argv[1], 10, &command->ifindex))
		return 0;
	dev = dev_get_by_name(current->nsproxy->net_ns, command->argv[1]);
	if (!dev)
		return -ENODEV;
	command->ifindex = dev->ifindex;
	dev_put(dev);
	return 0;
}

static int rras_parse_interface(struct rras_command *command)
{
	int err = rras_parse_index(command);

	command->info.cost = 1;
	if (!err && command->argc > 2)
		err = kstrtou32(command->argv[2], 10, &command->info.cost);
	if (!err && command->argc > 3) {
		command->info.passive = !strcmp(command->argv[3], "passive");
		err = command->info.passive && command->argc == 4 ? 0 : -EINVAL;
	}
	return err;
}

static int rras_parse_client(struct rras_command *command)
{
	int err = rras_parse_index(command);

	if (!err && command->argc != 3)
		err = -EINVAL;
	if (!err)
		err = inet_pton_with_scope(current->nsproxy->net_ns, AF_UNSPEC,
					   command->argv[2], NULL, &command->addr);
	return err;
}

/* Start the protocol first if it has just attached, and the work item has not run yet. */
static int rras_call_verb(const struct nmr_call *call, void *arg)
{
	struct rras_command *command = arg;
	int err = rras_start_one(call, command->router);

	return err ?: command->verb->call(call->dispatch, call->context, command);
}

static int rras_do(struct rras_command *command)
{
	struct rras_router *router = rras_router();
	const struct rras_verb *verb = command->verb;
	int err;

	if (!router)
		return -ENODEV;
	if (!router->started)
		return -ESHUTDOWN;
	if (verb->size) {
		command->memory = kzalloc(verb->size, GFP_KERNEL);
		if (!command->memory)
			return -ENOMEM;
	}
	command->router = router;
	mutex_lock(&router->lock);
	err = rras_call(router, rras_call_verb, command);
	if (!err && verb->keep)
		verb->keep(router, command);
	mutex_unlock(&router->lock);
	kfree(command->memory);
	return err;
}

static int rras_run(const char *val, const struct rras_verb *verb,
		    int (*parse)(struct rras_command *command))
{
	struct rras_command command = {};
	int err = -EINVAL;

	command.argv = argv_split(GFP_KERNEL, val, &command.argc);
	if (!command.argv)
		return -ENOMEM;
	while (command.argc && verb->name && strcmp(verb->name, command.argv[0]))
		verb++;
	if (command.argc && verb->name) {
		command.verb = verb;
		err = parse(&command);
	}
	if (!err) {
		mutex_lock(&rras_commands);
		err = rras_do(&command);
		mutex_unlock(&rras_commands);
	}
	argv_free(command.argv);
	return err;
}

/* The parameters */

static const struct rras_verb rras_interface_verbs[] = {
	{ "add",	rras_call_add,		rras_keep_add, sizeof(struct rras_iface) },
	{ "up",		rras_call_status,	rras_keep_status },
	{ "down",	rras_call_status,	rras_keep_status },
	{ "update",	rras_call_update,	NULL },
	{ "unbind",	rras_call_unbind,	rras_keep_delete },
	{ "delete",	rras_call_delete,	rras_keep_delete },
	{ }
};

static int rras_set_interface(const char *val, const struct kernel_param *param)
{
	return rras_run(val, rras_interface_verbs, rras_parse_interface);
}
module_param_call(interface, rras_set_interface, NULL, NULL, 0200);
MODULE_PARM_DESC(interface, "add DEVICE [COST [passive]], or up, down, update, unbind, delete DEVICE");

static const struct rras_verb rras_client_verbs[] = {
	{ "connect",	rras_call_connect,	rras_keep_connect, sizeof(struct rras_client) },
	{ "disconnect",	rras_call_disconnect,	rras_keep_disconnect },
	{ }
};

static int rras_set_client(const char *val, const struct kernel_param *param)
{
	return rras_run(val, rras_client_verbs, rras_parse_client);
}
module_param_call(client, rras_set_client, NULL, NULL, 0200);
MODULE_PARM_DESC(client, "connect or disconnect DEVICE ADDRESS");

static int rras_control(struct rras_router *router, const char *val)
{
	struct net *net = current->nsproxy->net_ns;

	if (!router)
		return -ENODEV;
	if (sysfs_streq(val, "start"))
		return rras_start(router, net, true);
	if (sysfs_streq(val, "begin"))
		return rras_start(router, net, false);
	if (sysfs_streq(val, "complete"))
		return rras_complete(router);
	if (sysfs_streq(val, "stop"))
		return rras_stop(router);
	return -EINVAL;
}

static int rras_set_router(const char *val, const struct kernel_param *param)
{
	int err;

	mutex_lock(&rras_commands);
	err = rras_control(rras_router(), val);
	mutex_unlock(&rras_commands);
	return err;
}
module_param_call(router, rras_set_router, NULL, NULL, 0200);
MODULE_PARM_DESC(router, "start, begin, complete or stop");

/* Which routes the protocol must not use: those to networks inside of this one */

static DEFINE_SPINLOCK(rras_deny_lock);		/* protects the two */
static __be32 rras_deny_addr = cpu_to_be32(1), rras_deny_mask;	/* no address matches */

bool rras_denies(__be32 addr)
{
	bool denies;

	spin_lock(&rras_deny_lock);
	denies = (addr & rras_deny_mask) == rras_deny_addr;
	spin_unlock(&rras_deny_lock);
	return denies;
}

static int rras_set_deny(const char *val, const struct kernel_param *param)
{
	const char *end;
	__be32 addr;
	u32 plen;
	int err;

	if (!in4_pton(val, -1, (u8 *)&addr, '/', &end) || *end != '/')
		return -EINVAL;
	err = kstrtou32(end + 1, 10, &plen);
	if (err)
		return err;
	if (plen > 32)
		return -EINVAL;
	spin_lock(&rras_deny_lock);
	rras_deny_mask = inet_make_mask(plen);
	rras_deny_addr = addr & rras_deny_mask;
	spin_unlock(&rras_deny_lock);
	return 0;
}
module_param_call(deny, rras_set_deny, NULL, NULL, 0200);
MODULE_PARM_DESC(deny, "Network that no router of this module accepts routes to");
