// SPDX-License-Identifier: GPL-2.0-only
/*
 * What debug kernels are told of each call: modules that are built for lockdep, or with
 * NMR_DEBUG, call these functions when a call enters or exits a gate.
 *
 * Locking: none. Any context but NMI.
 */

#include <linux/cpumask.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/smp.h>

#include "binding.h"
#include "debug.h"

/*
 * Warn if a call enters or exits on a CPU that comes up and is not online yet. Such a CPU runs
 * the hotplug callbacks of the STARTING section in its idle task. Another CPU may take its
 * counts concurrently, and would lose the call. This function is not inlined, because each copy
 * of a WARN_ONCE() warns on 7.x.
 */
static noinline void nmr_check_cpu(const struct nmr_binding *b, enum nmr_side caller)
{
	int cpu = raw_smp_processor_id();

	WARN_ONCE(!task_pid_nr(current) && !cpu_online(cpu),
		  "nmr: %s: a call enters or exits on CPU %d, which is not online yet\n",
		  b->reg[caller]->modname, cpu);
}

/**
 * __nmr_call_entered() - note that a call has entered a gate
 * @binding: the binding
 * @caller:  the side that makes the call
 *
 * Context: Any but NMI.
 */
void __nmr_call_entered(struct nmr_binding *binding, enum nmr_side caller)
{
	nmr_check_cpu(binding, caller);
	nmr_lockdep_enter(binding);
	nmr_call_trace_enter(binding, caller);
	/* No tail call: the trace of the stack skips a frame of this function. */
	barrier();
}
EXPORT_SYMBOL_NMR(__nmr_call_entered);

/**
 * __nmr_call_exiting() - note that a call is about to exit a gate
 * @binding: the binding
 * @caller:  the side that made the call
 *
 * Context: Any but NMI.
 */
void __nmr_call_exiting(struct nmr_binding *binding, enum nmr_side caller)
{
	nmr_check_cpu(binding, caller);
	nmr_lockdep_exit(binding);
	nmr_call_trace_exit(binding, caller);
}
EXPORT_SYMBOL_NMR(__nmr_call_exiting);

/**
 * __nmr_call_handed_over() - note that a call will exit in another task
 * @binding: the binding
 * @caller:  the side that makes the call
 *
 * Context: Any but NMI.
 */
void __nmr_call_handed_over(struct nmr_binding *binding, enum nmr_side caller)
{
	nmr_lockdep_exit(binding);
	nmr_call_trace_hand_over(binding, caller);
}
EXPORT_SYMBOL_NMR(__nmr_call_handed_over);
