#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 1 -m 1024 -t 1800 -q "-icount shift=0,sleep=off"
#
# Measure all that is counted in instructions, in the guest of scripts/bench.sh. $sizes are the
# numbers of bindings.

# measure MODULE PARAMETER...: the module measures when it is loaded
measure()
{
	name=$1
	shift
	insmod "/modules/$name.ko" "$@" && rmmod "$name"
}

# bindings N: measure nmr with and without uevents, and each alternative
bindings()
{
	for shape in clients providers; do
		measure nmr_bench_bindings n="$1" shape=$shape || return 1
	done
	for peer in auxiliary platform; do
		measure nmr_bench_bindings n="$1" peer=$peer || return 1
	done
	echo N > /sys/module/nmr/parameters/uevents
	measure nmr_bench_bindings n="$1" label=nmr-no-uevents || return 1
	echo Y > /sys/module/nmr/parameters/uevents
}

insmod /modules/nmr.ko && measure nmr_bench_calls || exit 1
# shellcheck disable=SC2154	# on the kernel's command line
for n in $sizes; do
	bindings "$n" && measure nmr_bench_walk n="$n" || exit 1
done
measure nmr_bench_leaving && measure nmr_bench_registration && rmmod nmr
