#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# matrix.sh [-t SECONDS] [KERNEL]...: run the KUnit suites on the kernels of kunit/kernels, and
# the selftests on the stock ones of fetch/series, on as many kernels concurrently as there are
# CPUs. Then run the torture test for SECONDS (60) and at least a million operations on each kernel
# that has a userspace here; the other kernels but uml run it as a suite. The table is
# build/matrix.md. What each kernel said, and its line as soon as it has ended, is in build/matrix.

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
	mapfile -t stock < <(series check matrix)
	set -- "${own[@]}" "${stock[@]}"
}

out=$BUILD/matrix
rm -rf "$out"
mkdir -p "$out"

machine()
{
	awk -v name="$1" '$1 == name { print $3 }' "$TOP/kunit/kernels"
}

# tests KERNEL: run them, and print the number of results last
tests()
{
	local logs code=0

	mapfile -t logs < <(guest_logs "$1")
	case $1 in
	[0-9]*)	"$TOP/scripts/integration.sh" "$1" || code=1
		"$TOP/scripts/summary.sh" "${logs[@]}" || code=1 ;;
	*)	"$TOP/scripts/kunit.sh" -k "$1" || code=1 ;;
	esac
	return $code
}

# verdict LOG: print what the torture test said last
verdict()
{
	[ -e "$1" ] || return 0
	sed -n 's/.*\(SUCCESS\|FAILURE\): \([0-9]*\) operations.*/\1: \2/p' "$1" | tail -n 1
}

# line KERNEL: test it, and print its line of the table
line()
{
	local kernel=$1 begin=$SECONDS said tortured

	if skipped "$kernel" "$out/$kernel.log"; then
		echo "| $kernel | $(sed -n 's/.*# SKIP/skipped:/p' "$out/$kernel.log") | | |"
		return
	fi
	tests "$kernel" > "$out/$kernel.out" 2>&1 || touch "$out/failed"
	said=$(tail -n 1 "$out/$kernel.out")
	tortured=$(verdict "$BUILD/kunit/$kernel/test.log")
	case $kernel-$(machine "$kernel") in
	[0-9]*|*-x86_64)
		tortured=FAILURE
		"$TOP/scripts/torture.sh" -k "$kernel" -t "$seconds" -o 1000000 \
			> "$out/torture-$kernel.out" 2>&1 &&
			tortured=$(verdict "$BUILD/torture-$kernel.log")
		;;
	esac
	[[ $tortured == SUCCESS* || $kernel == uml ]] || touch "$out/failed"
	echo "| $kernel | $said | ${tortured:-nothing} | $(((SECONDS - begin + 59) / 60)) |"
}

# row KERNEL: keep its line for the table
row()
{
	say "$1 ..."
	line "$1" > "$out/$1.row"
	say "$(cat "$out/$1.row")"
}

for kernel; do
	beside row "$kernel"
done
wait
rows=("${@/#/"$out/"}")
{
	echo "| kernel | tests | torture: operations | minutes |"
	echo "|---|---|---|---|"
	cat "${rows[@]/%/.row}"
} | tee "$BUILD/matrix.md"
[ ! -e "$out/failed" ]
