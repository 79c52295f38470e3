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

/* Begin a detour. Return: 0, or an errno if the kernel has no such function, or no kprobes. */
int nt_detour_begin(struct nt_detour *detour);
void nt_detour_end(struct nt_detour *detour);

#endif /* _NMR_KUNIT_DETOUR_H */
