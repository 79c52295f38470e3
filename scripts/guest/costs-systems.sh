#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 1 -m 1024 -q "-icount shift=0,sleep=off"
# guest: $("$TOP/scripts/fetch/network-files.sh" "$kernel")
#
# Count the instructions of what the sample systems do, as costs.sh does for the registrar. Runs in
# the guest, with all modules in /modules.

. /nmr/lib.sh

# result FAMILY ROUTES FIELD: print the field of the line for these
result()
{
	since_mark | sed -n "s/.*bench-rtm .*\"family\":$1,\"routes\":$2,.*\"$3\":\([0-9]*\).*/\1/p"
}

# at_most LIMIT VALUE: print both, and test the value
at_most()
{
	echo "# $2, of at most $1"
	[ "$2" -le "$1" ]
}

# Load nmr and the table manager, and measure with 10,000 and with 20,000 routes.
measure()
{
	load nmr
	load rtm
	ip link add d0 type dummy
	ip link set d0 up
	trap 'ip link del d0' EXIT
	mark
	for n in 10000 20000; do
		load nmr_bench_rtm family="$1" n=$n
		unload nmr_bench_rtm
	done
}

# lookup_is_cheap FAMILY: check that a lookup takes at most twice what the FIB's takes
lookup_is_cheap()
{
	measure "$1"
	for n in 10000 20000; do
		fib=$(result "$1" $n fib_lookup_hundredths)
		rtm=$(result "$1" $n lookup_hundredths)
		check "each was found" [ "$fib" -gt 1000 ]
		check "by both" [ "$rtm" -gt 1000 ]
		check "at most twice, with $n routes" at_most $((fib * 2)) "$rtm"
	done
	# The worker of the FIB shares the CPU with the deregistration, and takes turns with it. So
	# what the deregistration alone costs depends on how often the worker runs meanwhile: in
	# two runs on 6.12, twice as many IPv6 routes cost 2.2 and 2.8 times as much. Therefore the
	# limit is on the total, of which it is a part. The benchmark does not count grace periods.
	few=$(result "$1" 10000 vanish_fib)
	many=$(result "$1" 20000 vanish_fib)
	check "it costs something" [ "$few" -gt 1000000 ]
	check "linear" at_most $((few * 22 / 10)) "$many"
	vanish=$(result "$1" 20000 vanish)
	check "deregistering costs something" [ "$vanish" -gt 1000000 ]
	check "and is a part of it" [ "$vanish" -lt "$many" ]
}

test_ipv4_lookup_and_leaving()
{
	lookup_is_cheap 4
}

test_ipv6_lookup_and_leaving()
{
	lookup_is_cheap 6
}

# admin COMMAND...: write a command of mpr_admin
admin()
{
	echo "$*" > /sys/module/mpr_admin/parameters/command
}

# finds NAME: set $took to the hundredths of a second, of 10,000,000 instructions each, that 2000
# finds take
finds()
{
	n=0
	begin=$(cut -d ' ' -f 1 /proc/uptime | tr -d .)
	while [ $n -lt 2000 ]; do
		admin find 1 "$1"
		n=$((n + 1))
	done
	took=$(($(cut -d ' ' -f 1 /proc/uptime | tr -d .) - begin))
}

test_find_with_many_handles()
{
	load nmr
	load mpr
	load mpr_admin
	admin connect -
	for n in $(seq 10); do
		admin create 1 0 "if$n" 0 0
	done
	finds if10
	few=$took
	for n in $(seq 11 20000); do
		admin create 1 0 "if$n" 0 0
	done
	check "all are there" counted mpr handles 20000
	finds if20000
	check "it costs something" [ "$few" -gt 2 ]
	check "at most twice, with 20,000 handles" at_most $((few * 2)) "$took"
}

insmod /modules/dummy.ko || exit
run_cases ipv4_lookup_and_leaving ipv6_lookup_and_leaving find_with_many_handles
