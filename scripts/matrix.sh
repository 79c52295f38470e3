#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# matrix.sh [-t SECONDS] [ROW]...: run the KUnit suites or the sample systems on the kernels of
# kunit/kernels, and the selftests and the demonstration on the stock ones of fetch/series, on as
# many kernels concurrently as there are CPUs. Then run the torture test for SECONDS (60) and at
# least a million operations on each kernel that has a userspace here, but not on those of the sample
# systems. The other kernels but uml run it as a suite. A row is a kernel, or "KERNEL, N CPUs", which
# only runs the torture test. The table is build/matrix.md. What each row said, and its line as soon
# as it has ended, is in build/matrix. All rows take hours. If a run was interrupted, the next one of
# the same commit keeps the rows that have passed.

. "$(dirname "$0")/common.sh" || exit 1

seconds=60
while getopts t: option; do
	case $option in
	t) seconds=$OPTARG ;;
	*) exit 1 ;;
	esac
done
shift $((OPTIND - 1))
asked_for=("$@")
[ $# -gt 0 ] || {
	mapfile -t own < <(awk '$5 ~ /^(check|matrix|systems)$/ { print $1 }' \
			       "$TOP/kunit/kernels")
	mapfile -t stock < <(series check matrix)
	set -- "${own[@]}" "${stock[@]}" "6.1, 64 CPUs"
}

out=$BUILD/matrix

# Print the commit that is tested; nothing if the sources are not exactly those of a commit.
commit()
{
	[ -n "$(git -C "$TOP" status --porcelain 2>&1)" ] || git -C "$TOP" rev-parse HEAD
}

# Forget the rows of another commit, those that have failed, and those that are asked for by name.
begin()
{
	local tested failed row

	tested=$(commit)
	if [ -z "$tested" ] || [ "$(cat "$out/commit" 2> /dev/null)" != "$tested" ]; then
		rm -rf "$out"
	fi
	mkdir -p "$out"
	echo "$tested" > "$out/commit"
	for failed in "$out"/*.failed; do
		rm -f "$failed" "${failed%.failed}.row"
	done
	for row in "${asked_for[@]}"; do
		rm -f "$out/$row.row"
	done
}

machine()
{
	awk -v name="$1" '$1 == name { print $3 }' "$TOP/kunit/kernels"
}

# tests ROW: run them, and print the number of results last
tests()
{
	local logs code=0

	case $1 in
	*CPUs)	echo "not run"
		return ;;
	[0-9]*)	"$TOP/scripts/integration.sh" "$1" || code=1
		"$TOP/scripts/demo.sh" "$1" || code=1
		mapfile -t logs < <(guest_logs "$1" && echo "$BUILD/demo-$1.log") ;;
	stack*)	"$TOP/scripts/systems.sh" -k "$1" || code=1
		logs=("$BUILD/integration-systems-$1.log") ;;
	*)	"$TOP/scripts/kunit.sh" -k "$1"
		return ;;
	esac
	"$TOP/scripts/summary.sh" "${logs[@]}" || code=1
	return $code
}

# verdict LOG: print what the torture test said last
verdict()
{
	[ -e "$1" ] || return 0
	sed -n 's/.*\(SUCCESS\|FAILURE\): \([0-9]*\) operations.*/\1: \2/p' "$1" | tail -n 1
}

# torture ROW: run the torture test, and print its verdict
torture()
{
	local kernel=${1%%,*} name=torture-${1%%,*} cpus options

	options=(-t "$seconds" -o 1000000)
	case $1-$(machine "$kernel") in
	uml-* | stack*)
		echo "not run"
		return ;;
	*CPUs-)
		cpus=${1#*, } cpus=${cpus% CPUs}
		name+=-$cpus-cpus options=(-c "$cpus" -t 30 -n 20) ;;
	[0-9]* | *-x86_64) ;;
	*)	verdict "$BUILD/kunit/$kernel/test.log"
		return ;;
	esac
	if "$TOP/scripts/torture.sh" -k "$kernel" "${options[@]}" > "$out/$name.out" 2>&1; then
		verdict "$BUILD/$name.log"
	else
		echo FAILURE
	fi
}

# line ROW: run its tests, and print its line of the table
line()
{
	local row=$1 kernel=${1%%,*} begin=$SECONDS said tortured

	if skipped "$kernel" "$out/$row.log"; then
		echo "| $row | skipped: $reason | | |"
		return
	fi
	tests "$row" > "$out/$row.out" 2>&1 || touch "$out/$row.failed"
	said=$(tail -n 1 "$out/$row.out")
	tortured=$(torture "$row")
	[[ $tortured == SUCCESS* || $tortured == "not run" ]] || touch "$out/$row.failed"
	echo "| $row | $said | ${tortured:-nothing} | $(((SECONDS - begin + 59) / 60)) |"
}

# row ROW: keep its line for the table
row()
{
	if [ ! -s "$out/$1.row" ]; then
		say "$1 ..."
		line "$1" > "$out/$1.row"
	fi
	say "$(cat "$out/$1.row")"
}

begin
for row; do
	beside row "$row"
done
wait
rows=("${@/#/"$out/"}")
{
	echo "| kernel | tests | torture: operations | minutes |"
	echo "|---|---|---|---|"
	cat "${rows[@]/%/.row}"
} | tee "$BUILD/matrix.md"
[ -z "$(find "$out" -name '*.failed')" ]
