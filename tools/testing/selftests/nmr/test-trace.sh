#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The events of nmr in tracefs tell what becomes of a binding, by number and by name.

. "$(dirname "$0")/lib.sh"

TRACING=/sys/kernel/tracing

# Record the events of nmr from now on.
trace_nmr()
{
	skip_unless "events in tracefs" exists $TRACING/events/nmr
	echo > $TRACING/trace
	echo 1 > $TRACING/events/nmr/enable
	trap 'echo 0 > $TRACING/events/nmr/enable' EXIT
}

# traced EVENT: print what has been recorded of it
traced()
{
	sed -n "s/^.*: $1: //p" $TRACING/trace
}

# is_traced EVENT PATTERN: test that a record matches as a whole
is_traced()
{
	traced "$1" | grep -qx -- "$2" && return
	traced "$1" | sed "s/^/# $1: /"
	return 1
}

# microseconds EVENT: print what the only record says
microseconds()
{
	traced "$1" | sed -n 's/^.* us=\([0-9]*\)$/\1/p'
}

test_events_name_both_sides()
{
	load nmr
	trace_nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	sides="binding=1 client=1 (nmr_peer_b) provider=1 (nmr_peer_a)"
	check "the provider registers" is_traced nmr_register \
		"provider=1 module=nmr_peer_a npi=$NPI_ID"
	check "they attach" is_traced nmr_attach "$sides error=0 (OK)"
	unload nmr_peer_a
	check "they close" is_traced nmr_close "$sides reason=provider-deregistered"
	check "the provider has finished" is_traced nmr_finish "provider=1"
}

test_events_name_errnos()
{
	load nmr
	trace_nmr
	load nmr_peer_a providers=1 attach_error=-517
	load nmr_peer_b clients=1
	sides="binding=1 client=1 (nmr_peer_b) provider=1 (nmr_peer_a)"
	check "a deferral" is_traced nmr_attach "$sides error=-517 (EPROBE_DEFER)"
	refuse "no end of what never attached" is_traced nmr_close ".*"
	set_param nmr_peer_a attach_error 0
	check "another offer" write_word deferred $NMR/clients/1/reoffer
	await "a binding" bound_to nmr_peer_b nmr_peer_a
	hold nmr_peer_b detach
	check "an end" write_word abort $NMR/bindings/2/detach
	await "pending" is_traced nmr_detach "binding=2 side=client result=-115 (EINPROGRESS)"
	await "the other side" is_traced nmr_detach "binding=2 side=provider result=0 (OK)"
	release nmr_peer_b detach
	await "it has gone" has bindings 0
}

# A side that completes late is traced then, and the time is that since the binding closed.
test_events_tell_when_a_side_has_detached()
{
	load nmr
	trace_nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	hold nmr_peer_b detach
	check "the binding closes" write_word fallback $NMR/bindings/1/detach
	await "the provider has detached" is_traced nmr_detached \
		"binding=1 side=provider us=[0-9]*"
	early=$(microseconds nmr_detached)
	refuse "the client has not" is_traced nmr_detached "binding=1 side=client .*"
	refuse "nothing is cleaned up" is_traced nmr_cleanup ".*"
	await "half a second passes" above $NMR/bindings/1/pending_ms 500
	release nmr_peer_b detach
	await "the client has, too" is_traced nmr_detached "binding=1 side=client us=[0-9]*"
	await "cleanup" is_traced nmr_cleanup "binding=1 us=[0-9]*"
	check "the time of the provider" [ "$early" -gt 0 ]
	late=$(traced nmr_detached | sed -n 's/^.*client us=//p')
	check "the time of the client, $late" [ "$late" -gt 490000 ]
	check "is after that of the provider" [ "$late" -gt "$early" ]
	check "and before cleanup" [ "$(microseconds nmr_cleanup)" -ge "$late" ]
}

test_events_tell_of_stuck_bindings()
{
	load nmr stuck_seconds=1
	trace_nmr
	load nmr_peer_a providers=1
	stuck_pair nmr_peer_b
	hold nmr_peer_a call
	await "calls are held" in_hand "$NMR/bindings/$id/client_calls" 2
	refuse "it is not stuck" is_traced nmr_stuck ".*"
	check "it closes" write_word abort "$NMR/bindings/$id/detach"
	await "it is stuck" is_traced nmr_stuck "binding=$id us=[0-9]*"
	check "for a second" [ "$(microseconds nmr_stuck)" -ge 1000000 ]
	release nmr_peer_a call
	await "it goes" has bindings 0
	check "is told once" [ "$(traced nmr_stuck | wc -l)" = 1 ]
}

# A binding may close before the events are enabled. The time is then that of jiffies.
test_events_may_be_enabled_late()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	hold nmr_peer_b detach
	check "the binding closes" write_word fallback $NMR/bindings/1/detach
	await "time passes" above $NMR/bindings/1/pending_ms 500
	trace_nmr
	release nmr_peer_b detach
	await "cleanup" is_traced nmr_cleanup "binding=1 us=[0-9]*"
	check "the time" [ "$(microseconds nmr_cleanup)" -ge 500000 ]
}

run_program "$@"
