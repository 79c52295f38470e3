// SPDX-License-Identifier: GPL-2.0-only
/*
 * The time to close bindings on a machine with many CPUs. A provider deregisters with 1, 100
 * and 10,000 bindings that have a detach callback. The module measures the time until the
 * last of these callbacks runs and until the wait returns, and that of a synchronize_rcu()
 * in the same run. It prints "bench-closing JSON", medians of some rounds in microseconds.
 */
#include <linux/cpumask.h>
#include <linux/sort.h>

#include "bench.h"

#define BENCH_MANY	10000
#define BENCH_ROUNDS	15

static const guid_t closing_id = BENCH_GUID(5);

static struct nmr_client_handle clients[BENCH_MANY];
static atomic_t untold;
static ktime_t last_told;

/* The times that are measured. */
enum closing_time { CLOSING_RCU, CLOSING_TOLD, CLOSING_GONE, CLOSING_TIMES };

static u64 times[CLOSING_TIMES][BENCH_ROUNDS];

static int closing_detach_client(void *context, enum nmr_detach_reason reason)
{
	if (atomic_dec_and_test(&untold))
		last_told = ktime_get();
	return 0;
}

static int closing_round(unsigned int round)
{
	struct nmr_provider_characteristics p = bench_provider(&closing_id);
	struct nmr_provider_handle provider;
	ktime_t start;
	int err;

	p.detach_client = closing_detach_client;
	err = nmr_register_provider(&p, NULL, &provider);
	if (err)
		return err;
	bench_settle();
	start = ktime_get();
	synchronize_rcu();
	times[CLOSING_RCU][round] = ktime_us_delta(ktime_get(), start);

	start = ktime_get();
	nmr_deregister_provider_sync(provider);
	times[CLOSING_GONE][round] = ktime_us_delta(ktime_get(), start);
	times[CLOSING_TOLD][round] = ktime_us_delta(last_told, start);
	return 0;
}

static int closing_compare(const void *a, const void *b)
{
	return *(const u64 *)a < *(const u64 *)b ? -1 : *(const u64 *)a > *(const u64 *)b;
}

static u64 closing_median(enum closing_time time, unsigned int rounds)
{
	sort(times[time], rounds, sizeof(u64), closing_compare, NULL);
	return times[time][rounds / 2];
}

/* Measure @n bindings. The clients stay for all rounds, each with a new provider. */
static int bench_closing(unsigned int n)
{
	struct nmr_client_characteristics c = bench_client(&closing_id);
	unsigned int rounds = n < BENCH_MANY ? BENCH_ROUNDS : 3;
	unsigned int i;
	int err = 0;

	for (i = 0; !err && i < n; i++)
		err = nmr_register_client(&c, NULL, &clients[i]);
	for (i = 0; !err && i < rounds; i++) {
		atomic_set(&untold, n);
		err = closing_round(i);
	}
	for (i = 0; i < n; i++)
		nmr_deregister_client(clients[i]);
	for (i = 0; i < n; i++)
		nmr_wait_for_client_deregister_complete(clients[i]);
	if (!err)
		pr_info("bench-closing {\"cpus\":%u,\"bindings\":%u,\"rcu_us\":%llu,\"told_us\":%llu,\"gone_us\":%llu}\n",
			num_online_cpus(), n, closing_median(CLOSING_RCU, rounds),
			closing_median(CLOSING_TOLD, rounds),
			closing_median(CLOSING_GONE, rounds));
	return err;
}

static int __init bench_closing_init(void)
{
	unsigned int n;
	int err = 0;

	for (n = 1; !err && n <= BENCH_MANY; n *= 100)
		err = bench_closing(n);
	return err;
}

static void __exit bench_closing_exit(void)
{
}

module_init(bench_closing_init);
module_exit(bench_closing_exit);

MODULE_DESCRIPTION("Time to close bindings of nmr on many CPUs");
MODULE_IMPORT_NMR();
MODULE_LICENSE("GPL");
