#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# bench.sh [-k SERIES] [SIZE]...: measure nmr and its alternatives in one run on a stock kernel
# (6.1), with so many bindings (1000, 10000 and 100000). Print a table, and write results.json and
# the plots to build/bench.

. "$(dirname "$0")/common.sh" || exit 1

series=6.1
while getopts k: option; do
	case $option in
	k) series=$OPTARG ;;
	*) exit 1 ;;
	esac
done
shift $((OPTIND - 1))
sizes=${*:-1000 10000 100000}
out=$BUILD/bench
mkdir -p "$out"
"$TOP/scripts/fetch/packages.sh" build guest bench
say "building for $series"
modules=$("$TOP/scripts/modules.sh" "$series" -s | grep -e '/nmr\.ko$' -e /bench/)

# measure SCRIPT [GUEST-OPTION]...: run it in a guest, and show its lines as they come
measure()
{
	local script=$1

	shift
	# shellcheck disable=SC2086	# a list of files
	"$TOP/scripts/guest.sh" -n "$script" -k "$series" ${modules//$BUILD/-f $BUILD} "$@" \
		-s "$TOP/scripts/guest/$script.sh" | sed -n 's/^\[[ 0-9.]*\] bench-//p' >&2
}

say "counting instructions, with $sizes bindings: some minutes"
measure bench-instructions -a "\"sizes=$sizes\""
say "measuring time, on 1, 2 and 4 CPUs"
measure bench-time
say "measuring how bindings close, on 4 CPUs and on 64"
measure bench-closing -n bench-closing-4 -c 4
measure bench-closing -n bench-closing-64 -c 64

awk -v kernel="$(sed -n 's/.*Linux version \([^ ]*\).*/\1/p' "$BUILD/bench-time.log" | head -n 1)" \
	-f "$TOP/bench/results.awk" \
	"$BUILD"/bench-{instructions,time,closing-4,closing-64}.log > "$out/results.json"
awk -f "$TOP/bench/field.awk" -f "$TOP/bench/table.awk" "$out/results.json"
awk -v dir="$out" -f "$TOP/bench/field.awk" \
	-f "$TOP/bench/plot-data.awk" "$out/results.json"
(cd "$out" && gnuplot "$TOP/bench/plots.gp")
say "$out: results.json, *.svg"
