// SPDX-License-Identifier: GPL-2.0-only
/* A second server, which comes and goes by itself */
#include "wds_core.c"
