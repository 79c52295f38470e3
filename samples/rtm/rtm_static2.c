// SPDX-License-Identifier: GPL-2.0-only
/* A second client, see rtm_static.c. */
#include "rtm_static.c"
