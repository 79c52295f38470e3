# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC2154
#
# What the kernel makes of a task that waits for long: neither hung nor in the way of a
# machine that hibernates.

# An rmmod that waits for a call
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

# A guest without swap makes the image and has no room for it: all that is told here is
# whether its tasks could be frozen, which comes before.
hibernate()
{
	mark
	check "the kernel can" grep -qw disk /sys/power/state
	echo disk > /sys/power/state
	check "tasks were asked to freeze" logged "Freezing user space processes"
	refuse "some refused" logged "refusing to freeze\|Freezing of tasks failed"
	check "all of them did" logged "Freezing remaining freezable tasks"
}

test_machine_hibernates_while_rmmod_waits()
{
	waiting_rmmod
	hibernate
	check "it waits still" leaving nmr_peer_a
	stop_waiting
}

test_machine_hibernates_while_a_client_waits_for_a_binding()
{
	load nmr
	insmod /modules/nmr_peer_b.ko clients=1 wait_seconds=1000 &
	insmod=$!
	await "the client has registered" has clients 1
	await "it sleeps" grep -q "^State:.S" "/proc/$insmod/status"
	client=$(registration clients nmr_peer_b)
	hibernate
	load nmr_peer_a providers=1
	wait "$insmod" || fail "insmod nmr_peer_b"
	check "it is the registration that waited" exists "$client"
	check "it has what it waited for" bound_to nmr_peer_b nmr_peer_a
}

# khungtaskd looks once in such a bound, and tells of what has not run since it looked
# last: within two of them.
test_waiting_is_not_hung()
{
	bound=/proc/sys/kernel/hung_task_timeout_secs
	seconds=$(cat $bound)
	trap 'echo "$seconds" > $bound' EXIT
	echo 5 > $bound
	mark
	waiting_rmmod
	await "more than two bounds" above "$(binding nmr_peer_b nmr_peer_a)/pending_ms" 12000
	refuse "it is hung" logged "rmmod.*blocked for more than"
	stop_waiting
}
