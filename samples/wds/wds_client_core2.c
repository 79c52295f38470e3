// SPDX-License-Identifier: GPL-2.0-only
/* A second client, with a slot and a file of its own */
#include "wds_client_core.c"
