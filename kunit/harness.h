/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one header that suites include: scripted clients and providers, and the checks
 * that run in each of their callbacks, whatever a test is about.
 *
 *   base.h	a case: failures, memory, waiting
 *   party.h	clients, providers, bindings and calls
 *   context.h	threads, contexts and the log
 *   by_side.h	the API with the side as an argument
 *   harness.h	begin and end of a case, and its parameters
 *
 * A suite sets .init = nt_init. test->priv is then a &struct nt with an NPI of its own,
 * so that no two cases meet.
 *
 * Every callback checks what must always hold (the order of callbacks, contexts, nothing
 * after cleanup...), and its failures fail the case at its end.
 *
 * The end of a case, also of a failed one, releases held callbacks, completes pending
 * detaches, joins the threads, and deregisters all parties. If the registrar does not
 * let go within the bound, the case fails and its memory is left alone.
 */
#ifndef _NMR_KUNIT_HARNESS_H
#define _NMR_KUNIT_HARNESS_H

#include <kunit/test.h>
#include <linux/string.h>

#include "base.h"
#include "by_side.h"
#include "context.h"
#include "party.h"

/* Set up a case: .init of a suite. */
int nt_init(struct kunit *test);

/* Forget all parties, which must be gone, and their bindings: for loops. */
void nt_forget(struct nt *nt);

/* Generate the parameters of a case that runs for a table of { name, ... }. */
#define NT_PARAM(_name, _array)						\
static void _name##_desc(const typeof(_array[0]) *param, char *desc)	\
{									\
	strscpy(desc, param->name, KUNIT_PARAM_DESC_SIZE);		\
}									\
KUNIT_ARRAY_PARAM(_name, _array, _name##_desc)

/* Describe a parameter that is a point, or a context: for KUNIT_ARRAY_PARAM(). */
static inline void nt_point_desc(const enum nt_point *point, char *desc)
{
	strscpy(desc, nt_point_name(*point), KUNIT_PARAM_DESC_SIZE);
}

static inline void nt_context_desc(const enum nt_context *context, char *desc)
{
	strscpy(desc, nt_context_name(*context), KUNIT_PARAM_DESC_SIZE);
}

/*
 * Generate the parameters of a case that runs for either side. From 6.18 on, when this macro came,
 * generators take the test as well.
 */
#ifdef kunit_register_params_array
const void *nt_side_gen_params(struct kunit *test, const void *prev, char *desc);
#else
const void *nt_side_gen_params(const void *prev, char *desc);
#endif

static inline enum nmr_side nt_param_side(struct kunit *test)
{
	return *(const enum nmr_side *)test->param_value;
}

static inline const char *nt_side_name(enum nmr_side side)
{
	return side == NMR_CLIENT ? "client" : "provider";
}

/* Mark cases as slow. Kernels before 6.6 do not tell slow cases from others. */
#ifdef KUNIT_CASE_SLOW
#define NT_CASE_PARAM_SLOW(test_name, gen_params)			\
	KUNIT_CASE_PARAM_ATTR(test_name, gen_params, { .speed = KUNIT_SPEED_SLOW })
#else
#define KUNIT_CASE_SLOW(test_name)	KUNIT_CASE(test_name)
#define NT_CASE_PARAM_SLOW(test_name, gen_params)			\
	KUNIT_CASE_PARAM(test_name, gen_params)
#endif

#endif /* _NMR_KUNIT_HARNESS_H */
