// SPDX-License-Identifier: GPL-2.0-only
/**
 * DOC: Misuse
 *
 * Misuse of the API causes one WARN for each registration and kind of misuse. It names the
 * module and says what to do. The warnings of all modules share a rate limit. Otherwise the
 * registrar ignores the misuse.
 */
/* Locking: none. Any context. */

#include <linux/ratelimit.h>

#include "debug.h"
#include "registration.h"

/* The name of the side stands between @remedy and @rest. */
static const struct {
	const char *problem;
	const char *remedy;
	const char *rest;
} nmr_misuses[NMR_MISUSES] = {
	[NMR_MISUSE_ATTACH_VALUE] = {
		"its attach callback returned a positive value",
		"return 0 or a negative errno from the attach callback of the ", "" },
	[NMR_MISUSE_NOT_ATTACHED] = {
		"its attach callback returned 0 without having attached",
		"return what nmr_", "_attach_provider() returned" },
	[NMR_MISUSE_DETACH_VALUE] = {
		"its detach callback returned neither 0 nor -EINPROGRESS",
		"return one of the two from the detach callback of the ", "" },
	[NMR_MISUSE_COMPLETE] = {
		"a detach was completed, though none is pending",
		"complete a detach once, if the detach callback of the ",
		" returns -EINPROGRESS" },
	[NMR_MISUSE_EXIT] = {
		"more calls exited than entered",
		"call nmr_", "_call_exit() only if enter returned true" },
	[NMR_MISUSE_SYNC] = {
		"a synchronous deregister inside one of its callbacks cannot wait",
		"call nmr_deregister_", "() there, and wait for it elsewhere" },
	[NMR_MISUSE_UNLOAD] = {
		"its module unloads while it is registered",
		"call nmr_deregister_",
		"_sync() first thing in module_exit(), and if module_init() fails" },
	[NMR_MISUSE_NO_WAIT] = {
		"its module unloads before its deregistration has completed",
		"call nmr_wait_for_", "_deregister_complete() in module_exit()" },
};

/* Shared by all modules. The suites lift it. */
DEFINE_RATELIMIT_STATE(nmr_misuse_limit, DEFAULT_RATELIMIT_INTERVAL,
		       DEFAULT_RATELIMIT_BURST);

/* Warn of a misuse by the module of @reg. @binding is 0 if the misuse concerns no binding. */
void nmr_misuse(struct nmr_registration *reg, enum nmr_misuse kind, u64 binding)
{
	const char *side = nmr_side_name(reg->side);
	char of[32] = "";

	if (test_bit(kind, &reg->misuse) || !__ratelimit(&nmr_misuse_limit) ||
	    test_and_set_bit(kind, &reg->misuse))
		return;
	if (binding)
		snprintf(of, sizeof(of), ", binding %llu", binding);
	WARN(1, "nmr: %s %llu of module %s%s: %s: %s%s%s\n", side, reg->id, reg->modname, of,
	     nmr_misuses[kind].problem, nmr_misuses[kind].remedy, side,
	     nmr_misuses[kind].rest);
}
