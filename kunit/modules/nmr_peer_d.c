// SPDX-License-Identifier: GPL-2.0-only
/* Peer d: see peer.c. It is built with NMR_DEBUG, whether nmr.ko is or not. */
#include "peer.c"
