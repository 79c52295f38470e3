/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the benchmarks share: time, memory, and a pair of a client and a provider.
 *
 * The benchmarks run in a guest with one CPU and a clock that counts instructions (qemu
 * -icount shift=0,sleep=off). A nanosecond is an instruction there, and the same in every
 * run. The clock skips waits, so idle time is left out, see clock.h. With one CPU, the work that
 * workers do for a step is part of its cost.
 */
#ifndef _NMR_BENCH_H
#define _NMR_BENCH_H

#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/nmr.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../kunit/compat.h"
#include "clock.h"

/* Wait for work and RCU callbacks of a step, which are part of its cost. */
static inline void bench_settle(void)
{
	rcu_barrier();
	msleep(100);
	rcu_barrier();
}

/* Return the bytes in use, up to a constant. Pages in per-CPU lists count as free. */
static inline s64 bench_memory(void)
{
	struct zone *zone = NODE_DATA(0)->node_zones;
	s64 pages = 0;
	int i, cpu;

	for (i = 0; i < MAX_NR_ZONES; i++, zone++) {
		if (!populated_zone(zone))
			continue;
		pages -= zone_page_state_snapshot(zone, NR_FREE_PAGES);
		for_each_online_cpu(cpu)
			pages -= nt_pages_in_list(zone, cpu);
	}
	return pages << PAGE_SHIFT;
}

/* A client that attaches to every provider, and a provider that accepts every client */

static int bench_attach_provider(struct nmr_binding *binding, void *context,
				 const struct nmr_registration_instance *provider)
{
	struct nmr_binding **attached = context;
	int err = nmr_client_attach_provider(binding, NULL, NULL);

	if (!err && attached)
		*attached = binding;
	return err;
}

static int bench_attach_client(struct nmr_binding *binding, void *context,
			       const struct nmr_registration_instance *instance,
			       const struct nmr_endpoint *client,
			       struct nmr_endpoint *provider)
{
	return 0;
}

static inline void bench_cleanup(void *context)
{
}

static inline struct nmr_client_characteristics bench_client(const guid_t *id)
{
	return (struct nmr_client_characteristics) {
		.attach_provider = bench_attach_provider,
		.cleanup_binding_context = bench_cleanup,
		.instance = { .npi_id = id, .module_id = id },
	};
}

static inline struct nmr_provider_characteristics bench_provider(const guid_t *id)
{
	return (struct nmr_provider_characteristics) {
		.attach_client = bench_attach_client,
		.cleanup_binding_context = bench_cleanup,
		.instance = { .npi_id = id, .module_id = id },
	};
}

#define BENCH_GUID(n)	GUID_INIT(0x6e6d7205, 0x6265, 0x6e63, 0x80, 0, 0, 0, 0, 0, 0, n)

#endif /* _NMR_BENCH_H */
