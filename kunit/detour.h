/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Detours: replace some calls of a kernel function by a function of the test.
 *
 * Allocations fail, or lockdep stays on, exactly where a test wants it: in one task and
 * not in others, and with nothing to restore afterwards. Needs CONFIG_KPROBES.
 */
#ifndef _NMR_KUNIT_DETOUR_H
#define _NMR_KUNIT_DETOUR_H

#include <kunit/test.h>
#include <linux/kprobes.h>

/**
 * struct nt_detour - a function, and its replacement
 * @function:	 name of the function
 * @alternative: name of the function in other kernels, or NULL
 * @instead:	 replacement, of the same type
 * @take:	 decides about a call; runs in the probe, and must not sleep
 * @kp:		 probe
 */
struct nt_detour {
	const char *function;
	const char *alternative;
	void *instead;
	bool (*take)(struct pt_regs *regs);
	struct kprobe kp;
};

/*
 * Test that the arguments of should_failslab() are for a node of a radix tree or an XArray. Only
 * some calls of a function need such a node, so they must not be counted if numbers of allocations
 * are to be the same in each call.
 */
bool nt_is_tree_node(struct pt_regs *regs);

/* Begin a detour. Return: 0, or an errno if the kernel has no such function, or no kprobes. */
int nt_detour_begin(struct nt_detour *detour);
void nt_detour_end(struct nt_detour *detour);

#endif /* _NMR_KUNIT_DETOUR_H */
