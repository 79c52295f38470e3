// SPDX-License-Identifier: GPL-2.0-only
/*
 * The cost of registering a client, and of attaching a pair, natively and through nmr_netio.
 *
 * The module registers clients, and then a provider that attaches to each of them. It prints
 * "bench-netio JSON".
 */
#include "bench.h"

#include <nmr/netioddk.h>

#define NETIO_CLIENTS	1000

static struct nmr_client_handle native_clients[NETIO_CLIENTS];
static struct nmr_provider_handle native_provider;

static const guid_t native_id = BENCH_GUID(5);

static int native_register_client(unsigned int i)
{
	struct nmr_client_characteristics c = bench_client(&native_id);

	return nmr_register_client(&c, NULL, &native_clients[i]);
}

static int native_register_provider(void)
{
	struct nmr_provider_characteristics p = bench_provider(&native_id);

	return nmr_register_provider(&p, NULL, &native_provider);
}

static void native_leave(unsigned int n)
{
	unsigned int i;

	nmr_deregister_provider_sync(native_provider);
	for (i = 0; i < n; i++)
		nmr_deregister_client_sync(native_clients[i]);
}

static HANDLE ported_clients[NETIO_CLIENTS];
static HANDLE ported_provider;

DEFINE_GUID(ported_id, 0x6e6d7205, 0x6265, 0x6e63, 0x80, 0, 0, 0, 0, 0, 0, 6);

static const NPI_MODULEID ported_module_id = {
	.Length = sizeof(ported_module_id), .Type = MIT_GUID, .Guid = { 1, 2, 3 },
};

static NTSTATUS ported_attach_provider(HANDLE binding, PVOID context,
				       PNPI_REGISTRATION_INSTANCE provider)
{
	const VOID *dispatch;
	PVOID peer;

	return NmrClientAttachProvider(binding, NULL, NULL, &peer, &dispatch);
}

static NTSTATUS ported_attach_client(HANDLE binding, PVOID context,
				     PNPI_REGISTRATION_INSTANCE client, PVOID client_context,
				     const VOID *client_dispatch, PVOID *provider_context,
				     const VOID **provider_dispatch)
{
	return STATUS_SUCCESS;
}

static NTSTATUS ported_detach(PVOID context)
{
	return STATUS_SUCCESS;
}

#define PORTED_INSTANCE {						\
	.Size = sizeof(NPI_REGISTRATION_INSTANCE),			\
	.NpiId = &ported_id, .ModuleId = &ported_module_id,		\
}

static int ported_register_client(unsigned int i)
{
	static const NPI_CLIENT_CHARACTERISTICS c = {
		.Length = sizeof(c),
		.ClientAttachProvider = ported_attach_provider,
		.ClientDetachProvider = ported_detach,
		.ClientCleanupBindingContext = bench_cleanup,
		.ClientRegistrationInstance = PORTED_INSTANCE,
	};

	return NmrLinuxErrno(NmrRegisterClient(&c, NULL, &ported_clients[i]));
}

static int ported_register_provider(void)
{
	static const NPI_PROVIDER_CHARACTERISTICS p = {
		.Length = sizeof(p),
		.ProviderAttachClient = ported_attach_client,
		.ProviderDetachClient = ported_detach,
		.ProviderCleanupBindingContext = bench_cleanup,
		.ProviderRegistrationInstance = PORTED_INSTANCE,
	};

	return NmrLinuxErrno(NmrRegisterProvider(&p, NULL, &ported_provider));
}

static void ported_leave(unsigned int n)
{
	unsigned int i;

	NmrDeregisterProvider(ported_provider);
	NmrWaitForProviderDeregisterComplete(ported_provider);
	for (i = 0; i < n; i++) {
		NmrDeregisterClient(ported_clients[i]);
		NmrWaitForClientDeregisterComplete(ported_clients[i]);
	}
}

static const struct netio_way {
	const char *name;
	int (*register_client)(unsigned int i);
	int (*register_provider)(void);
	void (*leave)(unsigned int n);
} netio_ways[] = {
	{ "native", native_register_client, native_register_provider, native_leave },
	{ "ported", ported_register_client, ported_register_provider, ported_leave },
};

/* The first round fills the caches of the allocator. The least of the others has fewest ticks. */
#define NETIO_ROUNDS	6

/* What registering a client and attaching a pair cost, in instructions */
struct netio_cost {
	u64 registering;
	u64 attaching;
};

static int bench_netio_round(const struct netio_way *way, struct netio_cost *cost)
{
	unsigned int i;
	int err = 0;
	u64 start;

	bench_settle();
	start = bench_busy();
	for (i = 0; !err && i < NETIO_CLIENTS; i++, cond_resched())
		err = way->register_client(i);
	bench_settle();
	cost->registering = div_u64(bench_busy() - start, NETIO_CLIENTS);
	start = bench_busy();
	err = err ?: way->register_provider();
	bench_settle();
	cost->attaching = div_u64(bench_busy() - start, NETIO_CLIENTS);
	way->leave(i);
	return err;
}

static int bench_netio(void)
{
	struct netio_cost least[ARRAY_SIZE(netio_ways)], cost;
	unsigned int round, i;
	int err;

	memset(least, 0xff, sizeof(least));
	for (round = 0; round < NETIO_ROUNDS; round++) {
		for (i = 0; i < ARRAY_SIZE(netio_ways); i++) {
			err = bench_netio_round(&netio_ways[i], &cost);
			if (err)
				return err;
			if (!round)
				continue;
			least[i].registering = min(least[i].registering, cost.registering);
			least[i].attaching = min(least[i].attaching, cost.attaching);
		}
	}
	for (i = 0; i < ARRAY_SIZE(netio_ways); i++)
		pr_info("bench-netio {\"way\":\"%s\",\"clients\":%u,\"register_instructions\":%llu,\"attach_instructions\":%llu}\n",
			netio_ways[i].name, NETIO_CLIENTS, least[i].registering,
			least[i].attaching);
	return 0;
}

static int __init bench_netio_init(void)
{
	int err = bench_clock_start();

	if (err)
		return err;
	err = bench_netio();
	bench_clock_stop();
	return err;
}

static void __exit bench_netio_exit(void)
{
}

module_init(bench_netio_init);
module_exit(bench_netio_exit);

MODULE_DESCRIPTION("Cost of nmr_netio");
MODULE_LICENSE("GPL");
