// SPDX-License-Identifier: GPL-2.0-only
/* Peer c: see peer.c. */
#include "peer.c"
