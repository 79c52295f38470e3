// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of deferred pairs: many clients of one provider, each of which registers after
 * all earlier ones were deferred; and many providers of one client that is full until its
 * only provider leaves. The cost of a pair must not depend on the number of pairs that wait.
 *
 * Each offer sleeps, so that the registrar's workers run between the offers.
 *
 * The costs include the registrations of the many. The module prints "bench-deferred JSON".
 */
#include "bench.h"

static unsigned int n = 10000;
module_param(n, uint, 0444);
MODULE_PARM_DESC(n, "pairs");

static char *shape = "clients";
module_param(shape, charp, 0444);
MODULE_PARM_DESC(shape, "many clients of one provider, or many providers of one client");

static const guid_t deferred_id = BENCH_GUID(4);

static struct nmr_client_handle *deferred_clients;
static struct nmr_provider_handle *deferred_providers;
static bool deferred_accept;		/* providers do not defer */
static u64 deferred_offers;		/* number of offers that were deferred */

static int deferred_attach_provider(struct nmr_binding *binding, void *context,
				    const struct nmr_registration_instance *provider)
{
	usleep_range(1, 2);
	return nmr_client_attach_provider(binding, NULL, NULL);
}

static int deferred_attach_client(struct nmr_binding *binding, void *context,
				  const struct nmr_registration_instance *instance,
				  const struct nmr_endpoint *client,
				  struct nmr_endpoint *provider)
{
	if (deferred_accept)
		return 0;
	deferred_offers++;
	return -EPROBE_DEFER;
}

static int deferred_register_clients(unsigned int clients, u32 max_bindings)
{
	struct nmr_client_characteristics c = bench_client(&deferred_id);
	unsigned int i;
	int err = 0;

	c.attach_provider = deferred_attach_provider;
	c.max_bindings = max_bindings;
	for (i = 0; !err && i < clients; i++) {
		err = nmr_register_client(&c, NULL, &deferred_clients[i]);
		cond_resched();
	}
	return err;
}

static int deferred_register_providers(unsigned int first, unsigned int providers)
{
	struct nmr_provider_characteristics p = bench_provider(&deferred_id);
	unsigned int i;
	int err = 0;

	p.attach_client = deferred_attach_client;
	for (i = first; !err && i < first + providers; i++) {
		err = nmr_register_provider(&p, NULL, &deferred_providers[i]);
		cond_resched();
	}
	return err;
}

/* Wait until the registrar makes no more offers. */
static void deferred_settle(void)
{
	u64 offers;

	do {
		offers = deferred_offers;
		bench_settle();
	} while (deferred_offers != offers);
}

static int deferred_many_clients(void)
{
	return deferred_register_providers(0, 1) ?: deferred_register_clients(n, 0);
}

/* Register many providers, with their offers withheld, and let the first provider leave. */
static int deferred_many_providers(void)
{
	int err;

	deferred_accept = true;
	err = deferred_register_providers(0, 1) ?: deferred_register_clients(1, 1);
	deferred_accept = false;
	if (!err)
		err = deferred_register_providers(1, n);
	nmr_deregister_provider_sync(deferred_providers[0]);
	return err;
}

/* Deregister all parties, up to the first handle of 0, with which a register call failed. */
static void deferred_leave(void)
{
	unsigned int i;

	for (i = 0; i < n && deferred_clients[i].id; i++)
		nmr_deregister_client_sync(deferred_clients[i]);
	for (i = 0; i <= n && deferred_providers[i].id; i++)
		nmr_deregister_provider_sync(deferred_providers[i]);
}

static int deferred_run(void)
{
	u64 start, cost;
	int err;

	err = bench_clock_start();
	if (err)
		return err;
	bench_settle();
	start = bench_busy();
	err = strcmp(shape, "clients") ? deferred_many_providers() : deferred_many_clients();
	deferred_settle();
	cost = bench_busy() - start;
	bench_clock_stop();
	deferred_leave();
	if (err)
		return err;
	pr_info("bench-deferred {\"shape\":\"%s\",\"n\":%u,\"offers\":%llu,\"instructions\":%llu}\n",
		shape, n, deferred_offers, div_u64(cost, n));
	return 0;
}

static int __init bench_deferred_init(void)
{
	int err = -ENOMEM;

	if (!n)
		return -EINVAL;
	deferred_clients = kvcalloc(n, sizeof(*deferred_clients), GFP_KERNEL);
	deferred_providers = kvcalloc(n + 1, sizeof(*deferred_providers), GFP_KERNEL);
	if (deferred_clients && deferred_providers)
		err = deferred_run();
	kvfree(deferred_clients);
	kvfree(deferred_providers);
	return err;
}

static void __exit bench_deferred_exit(void)
{
}

module_init(bench_deferred_init);
module_exit(bench_deferred_exit);

MODULE_DESCRIPTION("Cost of deferred pairs in nmr");
MODULE_IMPORT_NMR();
MODULE_LICENSE("GPL");
