#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Search all interleavings of tools/model/binding.pml with spin. As it is, no assertion may fail;
# with each of its faults, one has to. KTAP goes to build/model.log.

. "$(dirname "$0")/common.sh" || exit 1

model=$TOP/tools/model/binding.pml
out=$BUILD/model
"$TOP/scripts/fetch/packages.sh" model
mkdir -p "$out"

# explore [FAULT]: search all states, in at most 4 GiB. Return 0 if nothing fails, 1 if an
# assertion fails, 2 if the search did not complete.
explore()
{
	cd "$out"
	rm -f pan binding.pml.trail
	cp "$model" .
	spin -a ${1:+"-D$1"} binding.pml > spin.log
	gcc -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=4096 -o pan pan.c
	: > pan.log
	watched "$out/pan.log" "$SILENCE" ./pan -m100000 -w26 > pan.log
	grep -h -e '^pan:' -e 'states, stored' -e 'actual memory usage$' pan.log >&2
	! grep -q 'Search not completed' pan.log || [ -e binding.pml.trail ] || return 2
	grep -q 'errors: 0' pan.log
}

mapfile -t faults < <(sed -n 's/^#if[n]*def \(BREAK_[A-Z_]*\).*/\1/p' "$model" | sort -u)
number=1
{
	echo "KTAP version 1"
	echo "1..$((${#faults[@]} + 1))"
	say "all interleavings of the model: a minute"
	verdict=ok
	(explore) || verdict="not ok"
	echo "$verdict 1 nothing fails in any interleaving"
	for fault in "${faults[@]}"; do
		number=$((number + 1)) verdict="not ok" code=0
		(explore "$fault") || code=$?
		[ $code -ne 1 ] || verdict=ok
		echo "$verdict $number $fault is found"
	done
} > "$BUILD/model.log"
"$TOP/scripts/summary.sh" "$BUILD/model.log"
