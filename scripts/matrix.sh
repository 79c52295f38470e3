#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# matrix.sh [-t SECONDS] [KERNEL]...: all kernels there are, one after the other: the KUnit
# suites on those of kunit/kernels, the integration tests on the stock ones (6.1, 6.12,
# 6.1-rt), and the torture test, for so long, on all that have a userspace; the others
# have it among the suites. The table is build/matrix.md.

. "$(dirname "$0")/common.sh" || exit 1

seconds=60
while getopts t: option; do
	case $option in
	t) seconds=$OPTARG ;;
	*) exit 1 ;;
	esac
done
shift $((OPTIND - 1))
[ $# -gt 0 ] || {
	mapfile -t own < <(awk '$5 == "check" || $5 == "matrix" { print $1 }' \
			       "$TOP/kunit/kernels")
	set -- "${own[@]}" 6.1 6.12 6.1-rt
}

out=$BUILD/matrix
rm -rf "$out"
mkdir -p "$out"
code=0

machine()
{
	awk -v name="$1" '$1 == name { print $3 }' "$TOP/kunit/kernels"
}

# tests KERNEL: the last line says how many
tests()
{
	local script logs=()

	for script in "$TOP"/scripts/guest/{integration*,costs}.sh; do
		script=${script##*/}
		logs+=("$BUILD/${script%.sh}-$1.log")
	done
	case $1 in
	[0-9]*)	"$TOP/scripts/integration.sh" "$1" &&
		"$TOP/scripts/summary.sh" "${logs[@]}" ;;
	*)	"$TOP/scripts/kunit.sh" -k "$1" ;;
	esac
}

# What the torture test said, wherever it ran.
verdict()
{
	[ -e "$1" ] || return 0
	sed -n 's/.*\(SUCCESS\|FAILURE\): \([0-9]*\) operations.*/\1: \2/p' "$1" | tail -n 1
}

# line KERNEL
line()
{
	local kernel=$1 begin=$SECONDS said tortured

	tests "$kernel" > "$out/$kernel.out" 2>&1 || code=1
	said=$(tail -n 1 "$out/$kernel.out")
	tortured=$(verdict "$BUILD/kunit/$kernel/test.log")
	case $kernel-$(machine "$kernel") in
	[0-9]*|*-x86_64)
		tortured=FAILURE
		"$TOP/scripts/torture.sh" -k "$kernel" -t "$seconds" \
			> "$out/torture-$kernel.out" 2>&1 &&
			tortured=$(verdict "$BUILD/torture-$kernel.log")
		;;
	esac
	[[ $tortured == SUCCESS* ]] || code=1
	echo "| $kernel | $said | ${tortured:-nothing} | $(((SECONDS - begin + 59) / 60)) |"
}

{
	echo "| kernel | tests | torture: operations | minutes |"
	echo "|---|---|---|---|"
	for kernel; do
		line "$kernel"
	done
} | tee "$BUILD/matrix.md"
exit $code
