// SPDX-License-Identifier: GPL-2.0
/* Peer b: see peer.c. */
#include "peer.c"
