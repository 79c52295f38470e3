// SPDX-License-Identifier: GPL-2.0-only
/* Peer b: see peer.c. */
#include "peer.c"
