#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# integration.sh [6.1|6.12]...: run the real modules on the stock kernels, by
# every scripts/guest/integration*.sh, and count what a call costs.

. "$(dirname "$0")/common.sh" || exit 1

[ $# -gt 0 ] || set -- 6.1 6.12
code=0
for series; do
	say "building for $series"
	modules=$("$TOP/scripts/modules.sh" "$series" -s)
	for script in "$TOP"/scripts/guest/{integration*,costs}.sh; do
		name=${script##*/}
		# shellcheck disable=SC2086	# a list of files
		"$TOP/scripts/guest.sh" -n "${name%.sh}-$series" -k "$series" \
			${modules//$BUILD/-f $BUILD} -s "$script" || code=1
	done
done
exit $code
