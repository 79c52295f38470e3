#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154
#
# A task that waits for long is not reported as hung, and does not keep the machine from
# hibernating.

. "$(dirname "$0")/lib.sh"

# Start an rmmod that waits for a call.
waiting_rmmod()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1 threads=1
	hold nmr_peer_a call
	await "a call in flight" in_hand "$(binding nmr_peer_b nmr_peer_a)/client_calls" 1
	unload_later nmr_peer_a
	await "it sleeps" grep -q "^State:.[DI]" "/proc/$rmmod/status"
}

stop_waiting()
{
	release nmr_peer_a call
	unloaded nmr_peer_a
}

# Hibernate a machine without swap. The kernel freezes all tasks, makes the image, finds no
# room for it and goes on. Check that all tasks were frozen.
hibernate()
{
	mark
	echo disk > /sys/power/state
	check "tasks were asked to freeze" logged "Freezing user space processes"
	refuse "some refused" logged "refusing to freeze\|Freezing of tasks failed"
	check "all of them did" logged "Freezing remaining freezable tasks"
}

can_hibernate()
{
	skip_unless "kernel that hibernates" grep -qw disk /sys/power/state
	skip_unless "machine without swap" [ "$(wc -l < /proc/swaps)" -le 1 ]
}

test_machine_hibernates_while_rmmod_waits()
{
	can_hibernate
	waiting_rmmod
	hibernate
	check "it waits still" leaving nmr_peer_a
	stop_waiting
}

test_machine_hibernates_while_a_client_waits_for_a_binding()
{
	can_hibernate
	load nmr
	load_later nmr_peer_b clients=1 wait_seconds=1000
	await "the client has registered" has clients 1
	await "it sleeps" grep -q "^State:.S" "/proc/$insmod/status"
	client=$(registration clients nmr_peer_b)
	hibernate
	load nmr_peer_a providers=1
	loaded_later
	check "it is the registration that waited" exists "$client"
	check "it has what it waited for" bound_to nmr_peer_b nmr_peer_a
}

# khungtaskd scans once in the bound, and reports a task that has not run since the last scan.
# So a hung task is reported within two bounds.
test_waiting_is_not_hung()
{
	bound=/proc/sys/kernel/hung_task_timeout_secs
	skip_unless "khungtaskd" [ -e $bound ]
	seconds=$(cat $bound)
	trap 'echo "$seconds" > $bound' EXIT
	echo 5 > $bound
	mark
	waiting_rmmod
	await "more than two bounds" above "$(binding nmr_peer_b nmr_peer_a)/pending_ms" 12000
	refuse "it is hung" logged "rmmod.*blocked for more than"
	stop_waiting
}

run_program "$@"
