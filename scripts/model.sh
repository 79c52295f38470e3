#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Run each tools/model/*.pml through all interleavings with spin: as it is, where nothing may
# fail; and with each of its faults, where something has to. KTAP in build/model.log.

. "$(dirname "$0")/common.sh" || exit 1

out=$BUILD/model
"$TOP/scripts/fetch/packages.sh" model
mkdir -p "$out"

# explore MODEL [FAULT]: search all states, in no more than 4 GiB. 0: nothing fails, 1:
# something does, 2: it did not get through.
explore()
{
	cd "$out"
	rm -f pan ./*.trail
	cp "$1" model.pml
	spin -a ${2:+"-D$2"} model.pml > spin.log
	gcc -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=4096 -o pan pan.c
	: > pan.log
	watched "$out/pan.log" "$SILENCE" ./pan -m100000 -w26 > pan.log
	grep -h -e '^pan:' -e 'states, stored' -e 'actual memory usage$' pan.log >&2
	! grep -q 'Search not completed' pan.log || [ -e model.pml.trail ] || return 2
	grep -q 'errors: 0' pan.log
}

faults()
{
	sed -n 's/^#if[n]*def \(BREAK_[A-Z_]*\).*/\1/p' "$1" | sort -u
}

# try MODEL: a line for the model as it is, and one for each of its faults
try()
{
	local model=$1 name=${1##*/} fault verdict code

	say "all interleavings of $name: a minute"
	number=$((number + 1)) verdict=ok
	(explore "$model") || verdict="not ok"
	echo "$verdict $number $name: nothing fails in any interleaving"
	for fault in $(faults "$model"); do
		number=$((number + 1)) verdict="not ok" code=0
		(explore "$model" "$fault") || code=$?
		[ $code -ne 1 ] || verdict=ok
		echo "$verdict $number $name: $fault is found"
	done
}

models=("$TOP"/tools/model/*.pml)
total=0 number=0
for model in "${models[@]}"; do
	total=$((total + 1 + $(faults "$model" | wc -l)))
done
{
	echo "KTAP version 1"
	echo "1..$total"
	for model in "${models[@]}"; do
		try "$model"
	done
} > "$BUILD/model.log"
"$TOP/scripts/summary.sh" "$BUILD/model.log"
