/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Make the sample providers as slow as hardware may be, so that calls in flight can be
 * watched. A real provider does not need this.
 */
#ifndef _DIGEST_DELAY_H
#define _DIGEST_DELAY_H

#include <linux/atomic.h>
#include <linux/delay.h>
#include <linux/moduleparam.h>

#define DIGEST_DELAY_STEP_MS	20

static uint delay_ms;
module_param(delay_ms, uint, 0644);
MODULE_PARM_DESC(delay_ms, "Time that init takes, in ms; a change counts for calls under way too");

static atomic_t digest_delayed = ATOMIC_INIT(0);
module_param_named(delayed, digest_delayed.counter, int, 0444);
MODULE_PARM_DESC(delayed, "Calls that are being delayed now");

/* Sleep in short steps, so that writing 0 to the parameter ends the calls in flight. */
static void digest_delay(void)
{
	uint waited;

	if (!READ_ONCE(delay_ms))
		return;
	atomic_inc(&digest_delayed);
	for (waited = 0; waited < READ_ONCE(delay_ms); waited += DIGEST_DELAY_STEP_MS)
		msleep(DIGEST_DELAY_STEP_MS);
	atomic_dec(&digest_delayed);
}

#endif /* _DIGEST_DELAY_H */
