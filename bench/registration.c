// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of registering many clients and many providers of one NPI, and many NPIs with a
 * client and a provider each; and the cost of a lookup among many registrations.
 *
 * The module prints "bench-registration JSON".
 */
#include "bench.h"

#define BENCH_MANY	10000

static struct nmr_client_handle clients[BENCH_MANY];
static struct nmr_provider_handle providers[BENCH_MANY];

static int registration_client(unsigned int i, unsigned int npi)
{
	guid_t id = BENCH_GUID(4);
	struct nmr_client_characteristics c;

	*(u32 *)&id = npi;
	c = bench_client(&id);
	return nmr_register_client(&c, NULL, &clients[i]);
}

static int registration_provider(unsigned int i, unsigned int npi)
{
	guid_t id = BENCH_GUID(4);
	struct nmr_provider_characteristics p;

	*(u32 *)&id = npi;
	p = bench_provider(&id);
	return nmr_register_provider(&p, NULL, &providers[i]);
}

/* Return the cost of finding each of @n > 0 clients, in instructions. */
static u64 bench_lookup(unsigned int n)
{
	u64 start = bench_busy();
	unsigned int i = 0;

	do
		nmr_client_wait_for_binding(clients[i], 0);
	while (++i < n);
	return div_u64(bench_busy() - start, n);
}

/*
 * Measure @nclients clients and @nproviders providers of one NPI; or, if @npis, of an NPI
 * for each pair.
 */
static int bench_registration(unsigned int nclients, unsigned int nproviders, bool npis)
{
	u64 start, registered, lookup, left;
	unsigned int i;
	int err = 0;

	bench_settle();
	start = bench_busy();
	for (i = 0; !err && i < nclients; i++, cond_resched())
		err = registration_client(i, npis ? i : 0);
	for (i = 0; !err && i < nproviders; i++, cond_resched())
		err = registration_provider(i, npis ? i : 0);
	registered = bench_busy() - start;
	if (err)
		return err;

	bench_settle();
	lookup = bench_lookup(nclients);
	start = bench_busy();
	for (i = 0; i < nclients; i++)
		nmr_deregister_client(clients[i]);
	for (i = 0; i < nclients; i++)
		nmr_wait_for_client_deregister_complete(clients[i]);
	for (i = 0; i < nproviders; i++)
		nmr_deregister_provider(providers[i]);
	for (i = 0; i < nproviders; i++)
		nmr_wait_for_provider_deregister_complete(providers[i]);
	left = bench_busy() - start;
	pr_info("bench-registration {\"clients\":%u,\"providers\":%u,\"npis\":%u,\"bindings\":%u,\"register_instructions\":%llu,\"leave_instructions\":%llu,\"lookup_instructions\":%llu}\n",
		nclients, nproviders, npis ? nclients : 1,
		npis ? nclients : nclients * nproviders, registered, left, lookup);
	return 0;
}

static int __init bench_registration_init(void)
{
	unsigned int n;
	int err = bench_clock_start();

	if (err)
		return err;
	for (n = 10; !err && n <= 100; n *= 10)
		err = bench_registration(n, n, false);
	for (n = 100; !err && n <= BENCH_MANY; n *= 10)
		err = bench_registration(n, n, true);
	for (n = 100; !err && n <= BENCH_MANY; n *= 10)
		err = bench_registration(n, 0, true);
	bench_clock_stop();
	return err;
}

static void __exit bench_registration_exit(void)
{
}

module_init(bench_registration_init);
module_exit(bench_registration_exit);

MODULE_DESCRIPTION("Cost of registering in nmr");
MODULE_IMPORT_NMR();
MODULE_LICENSE("GPL");
