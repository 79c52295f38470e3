// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/net/rtm: the tables of the reader's network namespace, a route a line.
 *
 * A table may have a million routes. A reader takes the lock for as much as fits into one buffer,
 * and remembers the network that comes next. A network that is there all the time is shown once,
 * whatever else comes and goes.
 */
#include <linux/netdevice.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>
#include "rtm.h"

/* Where a reader is: at a network of a table, or at the end, where @table is NULL */
struct rtm_seq {
	struct seq_net_private	net;
	struct rtm_table	*table;
	u64			key[2];
	unsigned int		plen;
};

static void rtm_seq_address(struct seq_file *seq, const struct rtm_table *t,
			    const union nf_inet_addr *addr)
{
	if (t->family == AF_INET6)
		seq_printf(seq, "%pI6c", &addr->in6);
	else
		seq_printf(seq, "%pI4", &addr->ip);
}

static void rtm_seq_ttl(struct seq_file *seq, const struct rtm_entry *entry)
{
	s64 ms = ktime_to_ms(ktime_sub(entry->expiry.expires, ktime_get()));

	if (!RB_EMPTY_NODE(&entry->expiry.node))
		seq_printf(seq, " ttl %llu", DIV_ROUND_UP_ULL(max_t(s64, ms, 0), MSEC_PER_SEC));
}

static void rtm_seq_entry(struct seq_file *seq, const struct rtm_table *t,
			  const struct rtm_entry *entry)
{
	const struct rtm_route *r = &entry->route;
	const struct rtm_node *node = entry->node;
	const struct net_device *dev;

	rtm_seq_address(seq, t, &r->dst);
	seq_printf(seq, "/%u", r->plen);
	if (memchr_inv(&r->gateway, 0, sizeof(r->gateway))) {
		seq_puts(seq, " via ");
		rtm_seq_address(seq, t, &r->gateway);
	}
	rcu_read_lock();
	dev = dev_get_by_index_rcu(t->net, r->ifindex);
	seq_printf(seq, " dev %s", dev ? dev->name : "-");
	rcu_read_unlock();
	seq_printf(seq, " proto %u metric %u", r->protocol, r->metric);
	rtm_seq_ttl(seq, entry);
	if (entry == rcu_access_pointer(node->best)) {
		seq_puts(seq, " best");
		if (node->in_fib && list_empty(&node->dirty))
			seq_puts(seq, " fib");
	}
	seq_putc(seq, '\n');
}

/* Go to where a table begins. */
static void rtm_seq_begin(struct seq_file *seq, sa_family_t family)
{
	struct rtm_seq *s = seq->private;

	s->table = rtm_net_table(seq_file_net(seq), family);
	memset(s->key, 0, sizeof(s->key));
	s->plen = 0;
}

/*
 * Note that the reader is at this network, or where the next table begins if there is none. The
 * lock of the table is held, and dropped at the end.
 */
static struct rtm_node *rtm_seq_at(struct seq_file *seq, struct rtm_node *node)
{
	struct rtm_seq *s = seq->private;

	while (!node) {
		mutex_unlock(&s->table->lock);
		if (s->table->family == AF_INET6) {
			s->table = NULL;
			return NULL;
		}
		rtm_seq_begin(seq, AF_INET6);
		mutex_lock(&s->table->lock);
		node = rtm_trie_from(s->table, s->key, s->plen);
	}
	memcpy(s->key, node->key, sizeof(s->key));
	s->plen = node->plen;
	return node;
}

static void *rtm_seq_start(struct seq_file *seq, loff_t *pos)
{
	struct rtm_seq *s = seq->private;

	if (!*pos)
		rtm_seq_begin(seq, AF_INET);
	if (!s->table)
		return NULL;
	mutex_lock(&s->table->lock);
	return rtm_seq_at(seq, rtm_trie_from(s->table, s->key, s->plen));
}

static void *rtm_seq_next(struct seq_file *seq, void *v, loff_t *pos)
{
	struct rtm_seq *s = seq->private;

	++*pos;
	return rtm_seq_at(seq, rtm_trie_next(s->table, v));
}

static void rtm_seq_stop(struct seq_file *seq, void *v)
{
	struct rtm_seq *s = seq->private;

	if (v)
		mutex_unlock(&s->table->lock);
}

static int rtm_seq_show(struct seq_file *seq, void *v)
{
	struct rtm_seq *s = seq->private;
	struct rtm_node *node = v;
	struct rtm_entry *entry;

	list_for_each_entry(entry, &node->entries, of_node)
		rtm_seq_entry(seq, s->table, entry);
	return 0;
}

static const struct seq_operations rtm_seq_ops = {
	.start	= rtm_seq_start,
	.next	= rtm_seq_next,
	.stop	= rtm_seq_stop,
	.show	= rtm_seq_show,
};

int rtm_proc_create(struct net *net)
{
	return proc_create_net("rtm", 0444, net->proc_net, &rtm_seq_ops, sizeof(struct rtm_seq)) ?
	       0 : -ENOMEM;
}

void rtm_proc_remove(struct net *net)
{
	remove_proc_entry("rtm", net->proc_net);
}
