// SPDX-License-Identifier: GPL-2.0-only
/* Peer a: see peer.c. */
#include "peer.c"
