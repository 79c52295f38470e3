/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The busy time of CPU 0. The kernel's own count of idle time is not exact on all kernels: some
 * count in ticks.
 *
 * The CPU is idle from the tracepoint cpu_idle until the next interrupt, or until the next
 * cpu_idle. The kernel exports few tracepoints, so those of interrupts are found by name. If one
 * is missing, the clock does not start, because busy time would count as idle.
 */
#ifndef _NMR_BENCH_CLOCK_H
#define _NMR_BENCH_CLOCK_H

#include <linux/bitops.h>
#include <linux/ktime.h>
#include <linux/printk.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <trace/events/power.h>

/* CPU 0 alone writes these, in its idle task and in interrupts of it. */
static u64 bench_idle_ns;
static u64 bench_idle_since;

/* Return the idle time of CPU 0, in ns. */
static inline u64 bench_idle(void)
{
	return READ_ONCE(bench_idle_ns);
}

/* Return the busy time of CPU 0, in ns. */
static inline u64 bench_busy(void)
{
	return ktime_get_ns() - bench_idle();
}

/* Note the end of idle time. All probes are called on the CPU concerned. */
static void bench_on_interrupt(void *unused)
{
	if (smp_processor_id() || !bench_idle_since)
		return;
	bench_idle_ns += ktime_get_ns() - bench_idle_since;
	bench_idle_since = 0;
}

static void bench_on_idle(void *unused, unsigned int state, unsigned int cpu)
{
	bench_on_interrupt(NULL);
	if (!cpu && state != PWR_EVENT_EXIT)
		bench_idle_since = ktime_get_ns();
}

/* The tracepoints of the interrupts that end idle time on x86 */
static const char * const bench_interrupts[] = {
	"local_timer_entry", "reschedule_entry", "call_function_entry",
	"call_function_single_entry", "irq_work_entry", "irq_handler_entry",
};

/* A bit for each tracepoint that has a probe */
static unsigned long bench_probed;

static void bench_add_probe(struct tracepoint *tp, void *arg)
{
	int *err = arg, i;

	i = match_string(bench_interrupts, ARRAY_SIZE(bench_interrupts), tp->name);
	if (*err || i < 0)
		return;
	*err = tracepoint_probe_register(tp, bench_on_interrupt, NULL);
	if (!*err)
		__set_bit(i, &bench_probed);
}

static void bench_remove_probe(struct tracepoint *tp, void *unused)
{
	int i = match_string(bench_interrupts, ARRAY_SIZE(bench_interrupts), tp->name);

	if (i >= 0 && __test_and_clear_bit(i, &bench_probed))
		tracepoint_probe_unregister(tp, bench_on_interrupt, NULL);
}

/* Check that all tracepoints were found. The kernel may call one by another name now. */
static int bench_check_probes(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(bench_interrupts); i++) {
		if (test_bit(i, &bench_probed))
			continue;
		pr_err("nmr_bench: the kernel has no tracepoint %s, and busy time would count as idle\n",
		       bench_interrupts[i]);
		err = -ENOENT;
	}
	return err;
}

static inline void bench_clock_stop(void)
{
	unregister_trace_cpu_idle(bench_on_idle, NULL);
	for_each_kernel_tracepoint(bench_remove_probe, NULL);
	tracepoint_synchronize_unregister();
}

/* Start the clock. Return: 0, or a negative errno. After 0 call bench_clock_stop(). */
static inline int bench_clock_start(void)
{
	int err = register_trace_cpu_idle(bench_on_idle, NULL);

	if (err)
		return err;
	for_each_kernel_tracepoint(bench_add_probe, &err);
	if (!err)
		err = bench_check_probes();
	if (err)
		bench_clock_stop();
	return err;
}

#endif /* _NMR_BENCH_CLOCK_H */
