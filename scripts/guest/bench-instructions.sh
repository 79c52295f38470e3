#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: -c 1 -m 1024 -t 1800 -q "-icount shift=0,sleep=off"
#
# Everything that is counted in instructions. Runs in the guest of scripts/bench.sh.

# run MODULE PARAMETER...: it measures as it is loaded.
run()
{
	name=$1
	shift
	insmod "/modules/$name.ko" "$@" && rmmod "$name"
}

insmod /modules/nmr.ko $nmr || exit 1
run nmr_bench_calls || exit 1
for n in ${sizes:-1000 10000 100000}; do
	for shape in clients providers; do
		run nmr_bench_bindings n="$n" shape=$shape || exit 1
	done
	for peer in auxiliary platform; do
		run nmr_bench_bindings n="$n" peer=$peer || exit 1
	done
done
rmmod nmr
