# SPDX-License-Identifier: GPL-2.0-only
# That this runs is all the host wants to know.
