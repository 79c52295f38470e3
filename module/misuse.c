// SPDX-License-Identifier: GPL-2.0
/*
 * Misuse of the API: one WARN a registration and kind, which names the module. What was
 * misused is left as it was.
 *
 * Locking: none; any context.
 */

#include "internal.h"

/* @binding is 0 if none is concerned. */
void nmr_misuse(struct nmr_registration *reg, enum nmr_misuse kind, u64 binding)
{
	static const char * const what[NMR_MISUSES] = {
		[NMR_MISUSE_ATTACH_VALUE] = "attach callback returned a positive value",
		[NMR_MISUSE_NOT_ATTACHED] = "attach callback returned 0 without having attached",
		[NMR_MISUSE_DETACH_VALUE] = "detach callback returned neither 0 nor -EINPROGRESS",
		[NMR_MISUSE_COMPLETE]	  = "detach completed, though none is pending",
		[NMR_MISUSE_EXIT]	  = "more calls exited than entered",
		[NMR_MISUSE_SYNC]	  = "synchronous deregister inside a callback cannot wait",
		[NMR_MISUSE_UNLOAD]	  = "module unloads while still registered",
	};

	if (test_and_set_bit(kind, &reg->misuse))
		return;
	WARN(1, "nmr: %s %llu of module %s, binding %llu: %s\n",
	     reg->side == NMR_CLIENT ? "client" : "provider", reg->id, reg->modname,
	     binding, what[kind]);
}
