#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 4 -m 512 $("$TOP/scripts/fetch/nmrctl-files.sh")
#
# An nmr.ko that is built with NMR_DEBUG=1 shows the stack of each call that delays a binding.

. /nmr/lib.sh

calls=/sys/kernel/debug/nmr/calls

# Hold two calls of nmr_peer_b in nmr_peer_a. Set $id to the id of their binding.
two_calls()
{
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1
	stuck_pair nmr_peer_b
	hold nmr_peer_a call
	await "calls held" in_hand "$NMR/bindings/$id/client_calls" 2
}

# says_in_debugfs PATTERN NUMBER: test that as many lines match. The calls are held, so the file
# does not change.
says_in_debugfs()
{
	[ "$(grep -c "$1" $calls)" -eq "$2" ]
}

test_calls_in_flight_are_listed()
{
	two_calls
	caller='nmr_peer_b/[01]/[0-9]*'
	check "both calls" says_in_debugfs \
		"^binding $id: a client's call, for [0-9]* ms, by $caller on CPU [0-3]" 2
	check "from where" says_in_debugfs "peer_ask_all+.* \[nmr_peer_b\]" 2
	release nmr_peer_a call
	unload nmr_peer_b
	check "none is left" says_in_debugfs "binding $id:" 0
}

test_stuck_calls_are_told_with_their_stacks()
{
	mark
	two_calls
	echo abort > "$NMR/bindings/$id/detach"
	await "it is told of" is_told "$id"
	await "with the last frame of both" told_frames "kthread+" 2
	check "from where" told_frames "peer_ask_all+.* \[nmr_peer_b\]" 2
	check "of which task" logged "nmr: binding $id: a client's call, .* by nmr_peer_b/1"
	refuse "how to have them shown" logged "built with NMR_DEBUG=1"
}

# told_frames PATTERN NUMBER: test that as many lines match or more, as the log repeats them
told_frames()
{
	[ "$(since_mark | grep -c "$1")" -ge "$2" ]
}

# Hold 32 calls through one binding, 16 each way.
test_stacks_of_16_calls_are_told()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1 threads=16
	load nmr_peer_b clients=1 threads=16
	id=$(basename "$(binding nmr_peer_b nmr_peer_a)")
	hold nmr_peer_a call
	hold nmr_peer_b call
	await "calls held" in_hand "$NMR/bindings/$id/client_calls" 16
	await "upcalls held" in_hand "$NMR/bindings/$id/provider_calls" 16
	echo abort > "$NMR/bindings/$id/detach"
	await "the others are counted" logged "nmr: binding $id: and 16 more\$"
	since_mark | sed '/: and 16 more$/q' > "$TMP/told"
	check "some are told" [ "$(grep -c "'s call, for .* by nmr_peer_" "$TMP/told")" -eq 16 ]
	release nmr_peer_a call
	release nmr_peer_b call
}

# shown PATTERN NUMBER: test that as many lines of nmrctl match
shown()
{
	[ "$(grep -c -- "$1" "$TMP/shown")" -eq "$2" ]
}

# The calls of the other binding are not shown.
test_nmrctl_shows_the_stacks_of_a_binding()
{
	two_calls
	stuck_pair nmr_peer_c
	await "calls of another held" in_hand "$NMR/bindings/$id/client_calls" 2
	nmrctl show "b$id" > "$TMP/shown" || fail "nmrctl show b$id"
	check "both calls" shown "^      binding $id: a client's call, .* by nmr_peer_c/[01]/" 2
	check "from where" shown "^        peer_ask_all+.* \[nmr_peer_c\]" 2
	check "no others" shown "nmr_peer_b" 0
}

# Make a thousand times as many calls as there are records. No call that returned leaves one.
test_records_are_used_again()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1 threads=4 timer=1
	await "many calls" risen nmr_peer_b asked 100000
	unload nmr_peer_b
	check "none is left" says_in_debugfs "binding" 0
}

run_cases calls_in_flight_are_listed stuck_calls_are_told_with_their_stacks \
	stacks_of_16_calls_are_told \
	nmrctl_shows_the_stacks_of_a_binding records_are_used_again
