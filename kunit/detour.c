// SPDX-License-Identifier: GPL-2.0-only
/* Replacements for functions of the kernel, see detour.h. */
#include <linux/ptrace.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "detour.h"

#ifdef CONFIG_KPROBES
bool nt_is_tree_node(struct pt_regs *regs)
{
	struct kmem_cache *cache = (struct kmem_cache *)regs_get_kernel_argument(regs, 0);

	return kmem_cache_size(cache) == sizeof(struct xa_node);
}

/*
 * Continue in the replacement. At the first instruction of a function the stack is still
 * that of the call.
 */
static int nt_detour_hit(struct kprobe *kp, struct pt_regs *regs)
{
	struct nt_detour *detour = container_of(kp, struct nt_detour, kp);

	if (!detour->take(regs))
		return 0;
	instruction_pointer_set(regs, (unsigned long)detour->instead);
	return 1;
}

/* Do nothing. A post handler keeps kprobes from optimizing the probe to a jump. */
static void nt_detour_passed(struct kprobe *kp, struct pt_regs *regs,
			     unsigned long flags)
{
}

static int nt_detour_register(struct nt_detour *detour, const char *function)
{
	memset(&detour->kp, 0, sizeof(detour->kp));
	detour->kp.symbol_name = function;
	detour->kp.pre_handler = nt_detour_hit;
	detour->kp.post_handler = nt_detour_passed;
	return register_kprobe(&detour->kp);
}

int nt_detour_begin(struct nt_detour *detour)
{
	int err = nt_detour_register(detour, detour->function);

	if (err && detour->alternative)
		err = nt_detour_register(detour, detour->alternative);
	return err;
}
#else
int nt_detour_begin(struct nt_detour *detour)
{
	return -EOPNOTSUPP;
}
#endif

void nt_detour_end(struct nt_detour *detour)
{
	unregister_kprobe(&detour->kp);
}
