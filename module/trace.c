// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoints of <trace/events/nmr.h>. Locking: none. */

#define CREATE_TRACE_POINTS
#include <trace/events/nmr.h>
