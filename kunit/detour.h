/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Detours: a function of the kernel is replaced, for some of its calls, by one of
 * the test's that only returns a value.
 *
 * So allocations fail, or lockdep's "I turn myself off" does not happen, exactly
 * where a test wants it: in this task and not in the others, and without anything
 * to be restored afterwards. Needs CONFIG_KPROBES.
 */
#ifndef _NMR_KUNIT_DETOUR_H
#define _NMR_KUNIT_DETOUR_H

#include <kunit/test.h>
#include <linux/kprobes.h>

/**
 * struct nt_detour - a function that is not always called
 * @function:	 its name
 * @alternative: another name for it, on other kernels, or NULL
 * @instead:	 what is called instead; of the same type
 * @take:	 whether it is, this time; runs in the probe, so it must not wait
 * @kp:		 the probe
 */
struct nt_detour {
	const char *function;
	const char *alternative;
	void *instead;
	bool (*take)(struct pt_regs *regs);
	struct kprobe kp;
};

/* Return: 0, or an errno: this kernel has no such function, or no probes. */
int nt_detour_begin(struct nt_detour *detour);
void nt_detour_end(struct nt_detour *detour);

#endif /* _NMR_KUNIT_DETOUR_H */
