#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Search all interleavings of each tools/model/*.pml with spin. As it is, no assertion may fail;
# with each of its faults, one has to. KTAP goes to build/model.log.

. "$(dirname "$0")/common.sh" || exit 1

models=("$TOP"/tools/model/*.pml)
out=$BUILD/model
"$TOP/scripts/fetch/packages.sh" model
mkdir -p "$out"

# explore MODEL [FAULT]: search all states, in at most 4 GiB. Return 0 if nothing fails, 1 if an
# assertion fails, 2 if the search did not complete.
explore()
{
	cd "$out"
	rm -f pan model.pml.trail
	cp "$1" model.pml
	spin -a ${2:+"-D$2"} model.pml > spin.log
	gcc -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=4096 -o pan pan.c
	: > pan.log
	watched "$out/pan.log" "$SILENCE" ./pan -m100000 -w26 > pan.log
	grep -h -e '^pan:' -e 'states, stored' -e 'actual memory usage$' pan.log >&2
	! grep -q 'Search not completed' pan.log || [ -e model.pml.trail ] || return 2
	grep -q 'errors: 0' pan.log
}

# faults MODEL: print the names of its faults
faults()
{
	sed -n 's/^#if[n]*def \(BREAK_[A-Z_]*\).*/\1/p' "$1" | sort -u
}

# check MODEL: explore it as it is, and with each of its faults
check()
{
	local name=${1##*/} fault verdict code

	say "all interleavings of $name: a minute"
	number=$((number + 1)) verdict=ok
	(explore "$1") || verdict="not ok"
	echo "$verdict $number $name: nothing fails in any interleaving"
	for fault in $(faults "$1"); do
		number=$((number + 1)) verdict="not ok" code=0
		(explore "$1" "$fault") || code=$?
		[ $code -ne 1 ] || verdict=ok
		echo "$verdict $number $name: $fault is found"
	done
}

number=0
{
	echo "KTAP version 1"
	echo "1..$(for model in "${models[@]}"; do
		echo "$model"
		faults "$model"
	done | wc -l)"
	for model in "${models[@]}"; do
		check "$model"
	done
} > "$BUILD/model.log"
"$TOP/scripts/summary.sh" "$BUILD/model.log"
