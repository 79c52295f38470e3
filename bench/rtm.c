// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of the routing table manager in samples/rtm, and of the kernel's own FIB in the same
 * run: a lookup among the routes of one client, and the end of all of these when the client
 * leaves. The script makes the device d0 before it loads the module.
 *
 * The module prints "bench-rtm JSON". Costs of a lookup are in hundredths of an instruction, and
 * include entering and exiting the slot. "vanish" is the cost until the deregistration has
 * returned, and "vanish_fib" the cost until the FIB has dropped the routes, too.
 */
#include <linux/netdevice.h>
#include <net/ip6_fib.h>
#include <net/ip_fib.h>

/* Without <net/ipv6_stubs.h> IPv6 is no module, and the kernel exports fib6_lookup() itself. */
#ifdef __has_include	/* sparse lacks it */
#if __has_include("net/ipv6_stubs.h")
#include <net/ipv6_stubs.h>
#define fib6_lookup	ipv6_stub->fib6_lookup
#endif
#endif

#include "bench.h"
#include "../samples/rtm/rtm_npi.h"

#define BENCH_LOOKUPS	20000

static unsigned int n = 10000;
module_param(n, uint, 0444);
MODULE_PARM_DESC(n, "routes");

static unsigned int family = 4;
module_param(family, uint, 0444);
MODULE_PARM_DESC(family, "4 or 6");

DEFINE_NMR_SLOT(bench_slot);
static struct nmr_client_handle bench_handle;
static struct rtm_client_info bench_info = { .net = &init_net, .protocol = 201 };

/* Return an address in the network @i: 64.0.i.0/24 or 2001:db8:i::/64. */
static union nf_inet_addr bench_address(unsigned int i, bool host)
{
	union nf_inet_addr addr = {};

	if (family == 4) {
		addr.ip = htonl((64 << 24) + (i << 8) + host);
	} else {
		addr.ip6[0] = htonl(0x20010db8);
		addr.ip6[1] = htonl(0x10000 + i);
		addr.ip6[3] = htonl(host);
	}
	return addr;
}

static int bench_rtm_add(void)
{
	struct rtm_route route = { .plen = family == 4 ? 24 : 64 };
	struct net_device *dev = dev_get_by_name(&init_net, "d0");
	const struct rtm_dispatch *rtm;
	struct rtm_change change;
	struct nmr_call call;
	unsigned int i;
	int err = 0;

	if (!dev)
		return -ENODEV;
	route.ifindex = dev->ifindex;
	dev_put(dev);
	if (!nmr_slot_enter(&bench_slot, &call))
		return -ENODEV;
	rtm = call.dispatch;
	for (i = 0; !err && i < n; i++) {
		route.dst = bench_address(i, false);
		err = rtm->add(call.context, &route, RTM_TTL_INFINITE, &change);
		cond_resched();
	}
	nmr_slot_exit(&call);
	return err;
}

/* Look up an address in the FIB. Return: the prefix length, or 0. */
static unsigned int bench_fib4(unsigned int i)
{
	struct flowi4 flow = { .daddr = bench_address(i, true).ip };
	struct fib_result result;
	int err;

	rcu_read_lock();
	err = fib_lookup(&init_net, &flow, &result, FIB_LOOKUP_NOREF);
	rcu_read_unlock();
	return err ? 0 : result.prefixlen;
}

static unsigned int bench_fib6(unsigned int i)
{
	struct flowi6 flow = { .daddr = bench_address(i, true).in6 };
	struct fib6_result result = {};
	int err;

	rcu_read_lock();
	err = fib6_lookup(&init_net, 0, &flow, &result, 0);
	rcu_read_unlock();
	return err || !result.f6i ? 0 : result.f6i->fib6_dst.plen;
}

static unsigned int bench_fib(unsigned int i)
{
	return family == 4 ? bench_fib4(i) : bench_fib6(i);
}

static unsigned int bench_rtm(unsigned int i)
{
	union nf_inet_addr dst = bench_address(i, true);
	const struct rtm_dispatch *rtm;
	struct rtm_route route = {};
	struct nmr_call call;

	if (!nmr_slot_enter(&bench_slot, &call))
		return 0;
	rtm = call.dispatch;
	rtm->get_best(call.context, &dst, &route);
	nmr_slot_exit(&call);
	return route.plen;
}

/* Return the cost of a lookup, or 0 if one has not found its route. */
static u64 bench_lookups(unsigned int (*lookup)(unsigned int i))
{
	unsigned int i, plen = family == 4 ? 24 : 64, found = 0;
	u64 start = ktime_get_ns();

	for (i = 0; i < BENCH_LOOKUPS; i++)
		found += lookup(i * 7919U % n) == plen;
	start = ktime_get_ns() - start;
	return found == BENCH_LOOKUPS ? div_u64(start * 100, BENCH_LOOKUPS) : 0;
}

static bool bench_fib_has(unsigned int i)
{
	return bench_fib(i) == (family == 4 ? 24 : 64);
}

/* Wait until the FIB has the first and the last route, or none of the two. */
static void bench_await_fib(bool there)
{
	while (bench_fib_has(0) != there || bench_fib_has(n - 1) != there)
		msleep(20);
}

static void bench_vanish(u64 *table, u64 *fib)
{
	u64 start;

	bench_settle();
	start = bench_busy();
	nmr_deregister_client_sync(bench_handle);
	*table = bench_busy() - start;
	bench_await_fib(false);
	bench_settle();
	*fib = bench_busy() - start;
}

static int bench_rtm_run(void)
{
	const guid_t id = BENCH_GUID(9);
	const struct nmr_client_characteristics c = {
		.slot = &bench_slot,
		.instance = { .npi_id = &rtm_npi_id, .module_id = &id,
			      .npi_specific = &bench_info },
	};
	u64 rtm, fib, table, total;
	int err;

	bench_info.family = family == 4 ? AF_INET : AF_INET6;
	err = nmr_register_client(&c, NULL, &bench_handle);
	if (err)
		return err;
	err = bench_rtm_add();
	if (err) {
		nmr_deregister_client_sync(bench_handle);
		return err;
	}
	bench_await_fib(true);
	rtm = bench_lookups(bench_rtm);
	fib = bench_lookups(bench_fib);
	bench_vanish(&table, &total);
	pr_info("bench-rtm {\"family\":%u,\"routes\":%u,\"lookup_hundredths\":%llu,\"fib_lookup_hundredths\":%llu,\"vanish\":%llu,\"vanish_fib\":%llu}\n",
		family, n, rtm, fib, table, total);
	return 0;
}

static int __init bench_rtm_init(void)
{
	int err = bench_clock_start();

	if (err)
		return err;
	err = bench_rtm_run();
	bench_clock_stop();
	return err;
}

static void __exit bench_rtm_exit(void)
{
}

module_init(bench_rtm_init);
module_exit(bench_rtm_exit);

MODULE_DESCRIPTION("Cost of routes in samples/rtm and in the FIB");
MODULE_IMPORT_NMR();
MODULE_LICENSE("GPL");
