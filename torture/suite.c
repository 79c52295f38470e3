// SPDX-License-Identifier: GPL-2.0-only
/* The torture test as a KUnit suite, for kernels that boot without a userspace. */

#include <kunit/test.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>

#include "torture.h"

static unsigned int suite_seconds = 10;
module_param(suite_seconds, uint, 0444);
MODULE_PARM_DESC(suite_seconds, "duration of the KUnit case");

static void torture(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, nmrt_begin(), 0);
	schedule_timeout_uninterruptible(suite_seconds * HZ);
	KUNIT_EXPECT_TRUE(test, nmrt_end());
}

static struct kunit_case nmr_torture_cases[] = {
	KUNIT_CASE(torture),
	{}
};

static struct kunit_suite nmr_torture_suite = {
	.name = "nmr_torture",
	.test_cases = nmr_torture_cases,
};

kunit_test_suite(nmr_torture_suite);
