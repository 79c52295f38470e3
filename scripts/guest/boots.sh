# SPDX-License-Identifier: GPL-2.0-only
# The host only tests whether a guest gets here.
