// SPDX-License-Identifier: GPL-2.0-only
/*
 * Add static routes: a client of the routing table manager that does what user space says.
 *
 *	cd /sys/module/rtm_static/parameters
 *	echo "add 10.1.0.0/16 via 10.0.0.2 dev veth0 metric 5 ttl 30" > command; cat result
 *	echo "get 10.1.2.3" > command; cat result
 *	echo "del 10.1.0.0/16 via 10.0.0.2 dev veth0" > command
 *	echo "block-delete dev veth0" > command
 *	echo dequeue > command; cat result
 *
 * A command acts in the network namespace of the process that writes it. The address says which
 * table is meant. A word "inet6" does so for block-delete and dequeue, which have no address. A
 * number may stand for the name of a device. The result of the write is that of the table manager.
 * If the best route changed, a second line of "result" has the one that was best before. "count N"
 * adds routes to N networks that follow each other. "repeat" before a command repeats it, inside of
 * one call, until it fails or a signal comes. It goes on if there is nothing to delete or dequeue.
 *
 * The module registers a client for each namespace and address family. Each client has a slot of
 * its own, which holds the table manager while it is there.
 *
 * rtm_static2 is the same module under another name. Load it with another protocol, and the two
 * compete for routes.
 *
 * Locking: static_lock protects the list of clients and the text of the result. A command enters
 * the slot of its client under the lock, and drops the lock while it calls: the call may last, and
 * a namespace that ends takes the lock. The client cannot go while the call is in flight. Callbacks
 * of the registrar do not take the lock.
 */
#include <linux/ctype.h>
#include <linux/delay.h>
#include <linux/inet.h>
#include <linux/netdevice.h>
#include <linux/nsproxy.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "rtm_npi.h"

static unsigned int protocol = RTPROT_STATIC;
module_param(protocol, uint, 0444);
MODULE_PARM_DESC(protocol, "protocol number of the routes");

static unsigned int family;
module_param(family, uint, 0444);
MODULE_PARM_DESC(family, "register for this address family only, right or not");

static unsigned int flags;
module_param(flags, uint, 0444);
MODULE_PARM_DESC(flags, "flags of the clients; 1: a single route to each network");

static bool listen = true;
module_param(listen, bool, 0444);
MODULE_PARM_DESC(listen, "take change messages");

static bool anonymous;
module_param(anonymous, bool, 0444);
MODULE_PARM_DESC(anonymous, "tell the table manager nothing, which it does not accept");

static atomic_t static_upcalls = ATOMIC_INIT(0);
module_param_named(upcalls, static_upcalls.counter, int, 0444);
MODULE_PARM_DESC(upcalls, "how often a queue was no longer empty");

#define STATIC_RESULT	320	/* bytes of text */

struct static_client {
	struct list_head		list;
	struct nmr_slot			slot;
	struct rtm_client_info		info;
	struct nmr_client_handle	handle;
};

static DEFINE_MUTEX(static_lock);
static LIST_HEAD(static_clients);
static char static_result[STATIC_RESULT];

/* Commands */

/* A command, as user space has written it, and its way to the table manager */
struct static_command {
	int			(*run)(const struct nmr_call *call, struct static_command *c);
	struct net		*net;
	sa_family_t		family;
	struct rtm_route	route;
	u32			ttl;
	u32			count;
	bool			repeat;
	char			result[STATIC_RESULT];
};

static const char *static_print_address(char *text, size_t size, sa_family_t af,
					const union nf_inet_addr *addr)
{
	if (af == AF_INET6)
		snprintf(text, size, "%pI6c", &addr->in6);
	else
		snprintf(text, size, "%pI4", &addr->ip);
	return text;
}

static void static_append(struct static_command *c, const char *what, const struct rtm_route *r)
{
	size_t len = strlen(c->result);
	char dst[48], gateway[48];

	snprintf(c->result + len, sizeof(c->result) - len,
		 "%s %s/%u via %s ifindex %d proto %u metric %u", what,
		 static_print_address(dst, sizeof(dst), c->family, &r->dst), r->plen,
		 static_print_address(gateway, sizeof(gateway), c->family, &r->gateway),
		 r->ifindex, r->protocol, r->metric);
}

/* Print a change, with @end after the route that is best now, or that was deleted. */
static void static_print_change(struct static_command *c, const struct rtm_change *change,
				const char *end)
{
	static const char * const what[] = { "no change", "added", "changed", "deleted" };

	strscpy(c->result, what[change->type], sizeof(c->result));
	if (change->type != RTM_NO_CHANGE)
		static_append(c, "", change->type == RTM_DELETED ? &change->prev : &change->cur);
	strlcat(c->result, end, sizeof(c->result));
	if (change->type == RTM_CHANGED)
		static_append(c, "\nwas", &change->prev);
}

/* Add a route, or a number of routes to networks that follow each other. */
static int static_add(const struct nmr_call *call, struct static_command *c)
{
	const struct rtm_dispatch *rtm = call->dispatch;
	struct rtm_change change;
	u32 n;
	int err;

	if (!c->count || (c->count > 1 && (!c->route.plen || c->route.plen > 32)))
		return -EINVAL;
	for (n = 0; n < c->count; n++) {
		if (signal_pending(current))
			return -EINTR;
		err = rtm->add(call->context, &c->route, c->ttl, &change);
		if (err)
			return err;
		/* For IPv6, these are the upper 32 bits of the address. */
		be32_add_cpu(&c->route.dst.ip, 1ULL << (32 - min_t(u8, c->route.plen, 32)));
		cond_resched();
	}
	static_print_change(c, &change, "");
	return 0;
}

static int static_del(const struct nmr_call *call, struct static_command *c)
{
	const struct rtm_dispatch *rtm = call->dispatch;
	struct rtm_change change;
	int err = rtm->del(call->context, &c->route, &change);

	if (!err)
		static_print_change(c, &change, "");
	return err;
}

static int static_block_delete(const struct nmr_call *call, struct static_command *c)
{
	const struct rtm_dispatch *rtm = call->dispatch;

	return rtm->block_delete(call->context, c->route.ifindex);
}

static int static_get(const struct nmr_call *call, struct static_command *c)
{
	const struct rtm_dispatch *rtm = call->dispatch;
	struct rtm_route best;
	int err = rtm->get_best(call->context, &c->route.dst, &best);

	if (!err)
		static_append(c, "best", &best);
	return err;
}

static int static_dequeue(const struct nmr_call *call, struct static_command *c)
{
	const struct rtm_dispatch *rtm = call->dispatch;
	struct rtm_change change;
	int err = rtm->dequeue(call->context, &change);

	if (err < 0)
		return err;
	static_print_change(c, &change, err ? ", more" : ", last");
	return 0;
}

/* Run the command in a call that has entered. Return: what the table manager returned. */
static int static_run(const struct nmr_call *call, struct static_command *c)
{
	int err;

	do {
		c->result[0] = '\0';
		err = c->run(call, c);
		if (c->repeat && c->run != static_get && (err == -ESRCH || err == -EAGAIN))
			err = 0;	/* Another call may change that. */
		if (!err && c->repeat && (msleep_interruptible(10) || signal_pending(current)))
			err = -EINTR;
	} while (!err && c->repeat);
	return err;
}

/* Enter the slot of the command's client. Return: false if there is no table manager. */
static bool static_enter(const struct static_command *c, struct nmr_call *call)
{
	struct static_client *client;
	bool entered = false;

	mutex_lock(&static_lock);
	list_for_each_entry(client, &static_clients, list)
		if (client->info.net == c->net && client->info.family == c->family)
			entered = nmr_slot_enter(&client->slot, call);
	mutex_unlock(&static_lock);
	return entered;
}

static int static_execute(struct static_command *c)
{
	struct nmr_call call;
	int err;

	if (!static_enter(c, &call))
		return -ENODEV;
	err = static_run(&call, c);
	nmr_slot_exit(&call);
	return err;
}

/* Words */

/* Read an address, which sets the family of the command, and a prefix length if one follows. */
static int static_parse_address(struct static_command *c, char *word, union nf_inet_addr *addr,
				u8 *plen)
{
	char *slash = plen ? strchr(word, '/') : NULL;
	sa_family_t af = strchr(word, ':') ? AF_INET6 : AF_INET;
	int is_one;

	if (slash)
		*slash++ = '\0';
	if (c->family && c->family != af)
		return -EINVAL;
	c->family = af;
	if (af == AF_INET6)
		is_one = in6_pton(word, -1, addr->in6.s6_addr, -1, NULL);
	else
		is_one = in4_pton(word, -1, (u8 *)&addr->ip, -1, NULL);
	if (!is_one)
		return -EINVAL;
	if (plen && !slash)
		*plen = af == AF_INET6 ? 128 : 32;
	return slash && kstrtou8(slash, 10, plen) ? -EINVAL : 0;
}

static int static_parse_device(struct static_command *c, const char *word)
{
	struct net_device *dev;

	if (*word == '-' || isdigit(*word))
		return kstrtoint(word, 10, &c->route.ifindex);
	rcu_read_lock();
	dev = dev_get_by_name_rcu(c->net, word);
	if (dev)
		c->route.ifindex = dev->ifindex;
	rcu_read_unlock();
	return dev ? 0 : -ENXIO;
}

/* Read an option of two words. */
static int static_parse_option(struct static_command *c, const char *name, char *word)
{
	if (!word)
		return -EINVAL;
	if (!strcmp(name, "via"))
		return static_parse_address(c, word, &c->route.gateway, NULL);
	if (!strcmp(name, "dev"))
		return static_parse_device(c, word);
	if (!strcmp(name, "metric"))
		return kstrtou32(word, 10, &c->route.metric);
	if (!strcmp(name, "ttl"))
		return kstrtou32(word, 10, &c->ttl);
	if (!strcmp(name, "count"))
		return kstrtou32(word, 10, &c->count);
	return -EINVAL;
}

/* Return the next word, or NULL if there is none. */
static char *static_word(char **text)
{
	char *word;

	do {
		word = strsep(text, " \t");
	} while (word && !*word);
	return word;
}

static const struct {
	const char	*name;
	int		(*run)(const struct nmr_call *call, struct static_command *c);
	bool		has_address;
} static_verbs[] = {
	{ "add",		static_add,		true },
	{ "del",		static_del,		true },
	{ "get",		static_get,		true },
	{ "block-delete",	static_block_delete,	false },
	{ "dequeue",		static_dequeue,		false },
};

/* Read the verb, and what has to follow it. */
static int static_parse_verb(struct static_command *c, char **text)
{
	char *verb = static_word(text), *word;
	unsigned int i;

	c->repeat = verb && !strcmp(verb, "repeat");
	if (c->repeat)
		verb = static_word(text);
	for (i = 0; verb && i < ARRAY_SIZE(static_verbs); i++) {
		if (strcmp(verb, static_verbs[i].name))
			continue;
		c->run = static_verbs[i].run;
		if (!static_verbs[i].has_address)
			return 0;
		word = static_word(text);
		return word ? static_parse_address(c, word, &c->route.dst, &c->route.plen) :
			      -EINVAL;
	}
	return -EINVAL;
}

static int static_parse(struct static_command *c, char *text)
{
	int err = static_parse_verb(c, &text);
	char *word;

	while (!err && (word = static_word(&text))) {
		if (!strcmp(word, "inet6") && !c->family)
			c->family = AF_INET6;
		else
			err = static_parse_option(c, word, static_word(&text));
	}
	if (!c->family)
		c->family = AF_INET;
	return err;
}

static int static_command(const char *value, const struct kernel_param *param)
{
	struct static_command c = {
		.net = current->nsproxy->net_ns,
		.ttl = RTM_TTL_INFINITE,
		.count = 1,
	};
	char *text = kstrdup(value, GFP_KERNEL);
	int err;

	if (!text)
		return -ENOMEM;
	err = static_parse(&c, strim(text)) ?: static_execute(&c);
	mutex_lock(&static_lock);
	strscpy(static_result, c.result, sizeof(static_result));
	mutex_unlock(&static_lock);
	kfree(text);
	return err;
}

static int static_get_result(char *buffer, const struct kernel_param *param)
{
	int len;

	mutex_lock(&static_lock);
	len = sysfs_emit(buffer, "%s\n", static_result);
	mutex_unlock(&static_lock);
	return len;
}

static const struct kernel_param_ops static_result_ops = { .get = static_get_result };

module_param_call(command, static_command, NULL, NULL, 0200);
MODULE_PARM_DESC(command, "add, del, get, block-delete or dequeue, see the head of rtm_static.c");
module_param_cb(result, &static_result_ops, NULL, 0444);
MODULE_PARM_DESC(result, "what the last command has found");

/* Clients, one for each namespace and address family */

static void static_route_changed(void *context)
{
	atomic_inc(&static_upcalls);
}

static const struct rtm_client_dispatch static_dispatch = {
	.route_changed = static_route_changed,
};

static const guid_t static_module_id = NMR_GUID("0fe3ff7e-4f4e-4a4c-90d3-0a3ab0e1ff6b");

static void static_client_free(struct static_client *client)
{
	nmr_slot_free(&client->slot);
	kfree(client);
}

static int static_client_register(struct static_client *client)
{
	const struct nmr_client_characteristics characteristics = {
		.slot		= &client->slot,
		.endpoint	= { .dispatch = listen ? &static_dispatch : NULL },
		.instance	= {
			.npi_id		= &rtm_npi_id,
			.module_id	= &static_module_id,
			.npi_specific	= anonymous ? NULL : &client->info,
		},
	};

	return nmr_register_client(&characteristics, client, &client->handle);
}

static int __net_init static_client_add(struct net *net, sa_family_t af)
{
	struct static_client *client = kzalloc(sizeof(*client), GFP_KERNEL);
	int err;

	if (!client)
		return -ENOMEM;
	client->info = (struct rtm_client_info){ net, af, protocol, flags };
	err = nmr_slot_init(&client->slot);
	if (err) {
		kfree(client);
		return err;
	}
	err = static_client_register(client);
	if (err) {
		static_client_free(client);
		return err;
	}
	mutex_lock(&static_lock);
	list_add_tail(&client->list, &static_clients);
	mutex_unlock(&static_lock);
	return 0;
}

static void __net_exit static_net_exit(struct net *net)
{
	struct static_client *client, *next;
	LIST_HEAD(leaving);

	mutex_lock(&static_lock);
	list_for_each_entry_safe(client, next, &static_clients, list)
		if (client->info.net == net)
			list_move_tail(&client->list, &leaving);
	mutex_unlock(&static_lock);

	list_for_each_entry(client, &leaving, list)
		nmr_deregister_client(client->handle);
	list_for_each_entry_safe(client, next, &leaving, list) {
		nmr_wait_for_client_deregister_complete(client->handle);
		static_client_free(client);
	}
}

static int __net_init static_net_init(struct net *net)
{
	int err;

	if (family)
		return static_client_add(net, family);
	err = static_client_add(net, AF_INET) ?: static_client_add(net, AF_INET6);
	if (err)
		static_net_exit(net);
	return err;
}

static struct pernet_operations static_net_ops = {
	.init	= static_net_init,
	.exit	= static_net_exit,
};

static int __init static_init(void)
{
	if (protocol > U8_MAX)
		return -EINVAL;
	return register_pernet_device(&static_net_ops);
}
module_init(static_init);

static void __exit static_exit(void)
{
	/* A command that comes later finds no client. */
	unregister_pernet_device(&static_net_ops);
}
module_exit(static_exit);

MODULE_DESCRIPTION("NMR sample: adds static routes to the routing table manager");
MODULE_LICENSE("GPL");
MODULE_IMPORT_NMR();
