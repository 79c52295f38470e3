// SPDX-License-Identifier: GPL-2.0
/* Peer a: see peer.c. */
#include "peer.c"
