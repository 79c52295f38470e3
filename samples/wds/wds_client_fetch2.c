// SPDX-License-Identifier: GPL-2.0-only
/* The thread of the second client */
#include "wds_client_fetch.c"
