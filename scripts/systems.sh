#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# systems.sh [PROGRAM[,PROGRAM]... [CASE]...]: run the tests of the sample systems, or some
# programs, or some cases of one, on a kernel with KASAN, lockdep and kmemleak.

. "$(dirname "$0")/common.sh" || exit 1

"$TOP/scripts/fetch/own-kernel.sh" stack > /dev/null
mapfile -t modules < <(find "$BUILD/kunit/stack/modules" -name '*.ko')
args=
[ $# -eq 0 ] || args="programs=$1"
shift || true
cases=$*
"$TOP/scripts/guest.sh" -n integration-systems-stack -k stack "${modules[@]/#/-f}" \
	-a "$args${cases:+ cases=${cases// /,}}" -s "$TOP/scripts/guest/integration-systems.sh"
