#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC3028	# busybox has RANDOM
# guest: -c 4 -m 1024
#
# The torture test, and what only userspace can add to it: reading all of sysfs and of debugfs,
# detaching and re-offering by sysfs, taking CPUs offline, allocation failures, the freezer, loading
# and unloading modules. The kernel's command line sets torture_seconds, torture_operations,
# torture_seed and torture_cycles.

. /nmr/lib.sh

seconds=${torture_seconds:-30}
seed=${torture_seed:-1}
cycles=${torture_cycles:-500}
debugfs=/sys/kernel/debug/nmr
RANDOM=$((seed % 32768))

# Load the test, unless it is built in and has begun at boot.
begin()
{
	! built_in nmr_torture || return 0
	load nmr
	load nmr_torture seconds="$seconds" operations="${torture_operations:-0}" seed="$seed"
}

verdict()
{
	dmesg | sed -n 's/.*nmr_torture: end of test: //p'
}

ended()
{
	[ -n "$(verdict)" ]
}

# read_slowly FILE: read some lines. The kernel keeps the place of the reader in a list, from which
# objects go meanwhile, and the reader closes the file before the end of the list.
read_slowly()
{
	lines=0
	while [ $lines -lt 16 ] && read -r _; do
		lines=$((lines + 1))
		usleep 2000
	done < "$1"
}

# Keep the last lines of the pairs.
read_all()
{
	until ended; do
		cat "$NMR"/*/*/* $debugfs/calls $debugfs/references
		cat $debugfs/pairs > "$TMP/pairs"
		[ ! -s "$TMP/pairs" ] || mv "$TMP/pairs" "$TMP/last_pairs"
		read_slowly $debugfs/pairs
		read_slowly $debugfs/references
		usleep 50000
	done > /dev/null 2>&1
}

detach_some()
{
	until ended; do
		for folder in "$NMR"/bindings/*; do
			[ $((RANDOM % 4)) -gt 0 ] || echo fallback > "$folder/detach"
			[ $((RANDOM % 16)) -gt 0 ] || echo abort > "$folder/detach"
			usleep $((RANDOM % 20000))
		done
	done 2> /dev/null
}

# Write to files reoffer of registrations that may go meanwhile. Note each word that was accepted,
# and what the shell prints.
reoffer_some()
{
	until ended; do
		for folder in "$NMR"/clients/* "$NMR"/providers/*; do
			for word in deferred all; do
				echo $word > "$folder/reoffer" || continue
				: > "$TMP/accepted_$word"
				usleep $((RANDOM * 2))
			done
		done
		usleep 10000
	done 2> "$TMP/refused"
}

# Test that writes failed only because the registration had gone or was leaving.
refused_rightly()
{
	! grep -v -e "nonexistent directory" -e "Permission denied" -e "No such device" \
		-e "transport endpoint shutdown" "$TMP/refused"
}

# counted_calls PATTERN: test that the torture test has made such calls
counted_calls()
{
	dmesg | grep -q "nmr_torture: *[1-9][0-9]* $1\$"
}

# The kernel has <linux/cleanup.h>, and is compiled as C99 or later.
has_scoped_calls()
{
	case $(uname -r) in
	5.*)	return 1 ;;
	esac
}

# Take all CPUs but the first offline and online.
move_cpus()
{
	until ended; do
		for online in /sys/devices/system/cpu/cpu[1-9]*/online; do
			echo 0 > "$online"
			usleep $((RANDOM * 16))
			echo 1 > "$online"
		done
	done 2> /dev/null
	for online in /sys/devices/system/cpu/cpu[1-9]*/online; do
		echo 1 > "$online"
	done
}

# Let one of a hundred allocations of the registering threads fail, if the kernel can.
starve()
{
	fail=/sys/kernel/debug/failslab
	[ -e $fail/probability ] || return 0
	echo 0 > $fail/verbose
	echo N > $fail/ignore-gfp-wait
	echo Y > $fail/task-filter
	echo -1 > $fail/times
	for comm in /proc/[0-9]*/comm; do
		said "$comm"
		case $said in
		nmrt_registrar*) echo 1 > "${comm%comm}make-it-fail" ;;
		esac
	done
	echo 1 > $fail/probability
}

# Freeze tasks and freezable workqueues for a second, as a suspend does. Bindings detach
# nevertheless.
freeze()
{
	[ -e /sys/power/pm_test ] || return 0
	echo 1 > /sys/module/suspend/parameters/pm_test_delay
	echo freezer > /sys/power/pm_test
	until ended; do
		echo freeze > /sys/power/state
		usleep 4000000
	done
}

# Check that each kind of call, of list and of write had its turn. A test that is short, or that has
# begun at boot, may end before.
check_kinds()
{
	! has_scoped_calls || for kind in "of clients" "of providers"; do
		check "there were scoped calls $kind" counted_calls "scoped calls $kind"
	done
	[ "$seconds" -ge 20 ] && ! built_in nmr_torture || return 0
	! has_scoped_calls ||
		check "there were late ones" counted_calls "scoped calls that exit late"
	check "some pairs were not attached" [ -s "$TMP/last_pairs" ]
	check "references were readable" [ -r $debugfs/references ]
	for word in deferred all; do
		check "reoffer of \"$word\" was accepted" [ -e "$TMP/accepted_$word" ]
	done
}

test_torture()
{
	begin
	read_all &
	detach_some &
	reoffer_some &
	move_cpus &
	starve
	freeze &
	until ended; do
		usleep 200000
	done
	wait
	verdict
	check "the verdict is good" [ "$(verdict | cut -d: -f1)" = SUCCESS ]
	check "reoffer failed only without a registration" refused_rightly
	check_kinds
}

# Load and unload a client and a provider, each while the other calls it.
test_modules_load_and_unload_with_calls_in_flight()
{
	loaded nmr || load nmr
	cycle=0
	while [ $cycle -lt "$cycles" ]; do
		load nmr_peer_a providers=1 threads=1 call_us=100
		load nmr_peer_b clients=1 threads=2 timer=1 call_us=100
		await "b has called" risen nmr_peer_b asked 0
		case $((RANDOM % 3)) in
		0)	unload nmr_peer_a && all_was_right nmr_peer_b && unload nmr_peer_b ;;
		1)	unload nmr_peer_b && all_was_right nmr_peer_a && unload nmr_peer_a ;;
		2)	rmmod nmr_peer_a &
			rmmod nmr_peer_b
			wait ;;
		esac
		cycle=$((cycle + 1))
		[ $((cycle % 10)) -ne 0 ] && [ "$cycles" -gt 50 ] || echo "# $cycle cycles"
	done
}

# rmmod of the registrar succeeds right after rmmod of its last user.
test_registrar_unloads_right_after_its_last_user()
{
	cycle=0
	while [ $cycle -lt $((cycles / 10)) ]; do
		loaded nmr || load nmr
		load nmr_peer_a providers=1 clients=1 threads=1 keep=1
		await "it has called itself" risen nmr_peer_a asked 0
		unload nmr_peer_a && unload nmr
		cycle=$((cycle + 1))
	done
}

cases=torture
[ ! -e /modules/nmr_peer_a.ko ] || cases="$cases modules_load_and_unload_with_calls_in_flight"
[ ! -e /modules/nmr.ko ] || cases="$cases registrar_unloads_right_after_its_last_user"
# shellcheck disable=SC2086	# a list of words
run_cases $cases
