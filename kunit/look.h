/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Look at a binding in each of its callbacks. A suite that includes this header defines look(),
 * which is told the point and returns @ret.
 */
#ifndef _NMR_KUNIT_LOOK_H
#define _NMR_KUNIT_LOOK_H

#include "harness.h"

static int look(struct nt_binding *nb, enum nt_point point, int ret);

#define LOOK_AT(point)							\
static int look_##point(struct nt_binding *nb, int ret)			\
{									\
	return look(nb, point, ret);					\
}

LOOK_AT(NT_C_ATTACH)
LOOK_AT(NT_P_ATTACH)
LOOK_AT(NT_C_BOUND)
LOOK_AT(NT_P_ATTACHED)
LOOK_AT(NT_C_DETACH)
LOOK_AT(NT_P_DETACH)
LOOK_AT(NT_C_CLEANUP)
LOOK_AT(NT_P_CLEANUP)

/* Have look() called in each callback of the bindings of the two. */
static void look_everywhere(struct nt_party *client, struct nt_party *provider)
{
	client->at[NT_C_ATTACH].hook = look_NT_C_ATTACH;
	provider->at[NT_P_ATTACH].hook = look_NT_P_ATTACH;
	client->at[NT_C_BOUND].hook = look_NT_C_BOUND;
	provider->at[NT_P_ATTACHED].hook = look_NT_P_ATTACHED;
	client->at[NT_C_DETACH].hook = look_NT_C_DETACH;
	provider->at[NT_P_DETACH].hook = look_NT_P_DETACH;
	client->at[NT_C_CLEANUP].hook = look_NT_C_CLEANUP;
	provider->at[NT_P_CLEANUP].hook = look_NT_P_CLEANUP;
}

#endif /* _NMR_KUNIT_LOOK_H */
