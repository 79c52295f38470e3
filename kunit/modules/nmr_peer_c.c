// SPDX-License-Identifier: GPL-2.0
/* Peer c: see peer.c. */
#include "peer.c"
