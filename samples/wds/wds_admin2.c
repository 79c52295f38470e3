// SPDX-License-Identifier: GPL-2.0-only
/* The administrator's half of the second server */
#include "wds_admin.c"
