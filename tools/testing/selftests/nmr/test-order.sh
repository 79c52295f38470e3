#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Modules load and unload in every order, with calls in flight both ways.

. "$(dirname "$0")/lib.sh"

test_nmr_comes_and_goes()
{
	load nmr
	for folder in clients providers bindings; do
		check "$folder is there" exists "$NMR/$folder"
	done
	check "nothing is registered" empty
	unload nmr
	check "sysfs has gone with it" gone "$NMR"
}

test_user_without_nmr_is_refused()
{
	mark
	load_refused nmr_peer_a
	check "a symbol is missing" logged "nmr_peer_a: Unknown symbol __nmr_"
}

# Peer a is the provider and peer b the client. Each calls from a thread and from a hardirq.
# A call into the provider sleeps, so that one is in flight nearly always. A call into the
# client does not, unless the case says so.
come_provider()
{
	load nmr_peer_a providers=1 threads=1 timer=1 call_us=500
}

come_client()
{
	load nmr_peer_b clients=1 threads=1 timer=1 "$@"
}

go_provider()
{
	unload nmr_peer_a
	refuse "a binding is left" attached nmr_peer_b nmr_peer_a
	check "nmr_peer_b was told" counted nmr_peer_b reason 1
	all_was_right nmr_peer_b
}

go_client()
{
	unload nmr_peer_b
	refuse "a binding is left" attached nmr_peer_b nmr_peer_a
	check "nmr_peer_a was told" counted nmr_peer_a reason 0
	all_was_right nmr_peer_a
}

# calls_flow MODULE: wait until the peer has called 20 times, each with the right answer
calls_flow()
{
	asked=$(value "$(param "$1" asked)")
	await "$1 goes on calling" risen "$1" asked "$((asked + 20))"
	check "no answer is wrong" counted "$1" wrong 0
}

# in_order COME COME GO GO: call these functions, and check the pair in between
in_order()
{
	load nmr
	"$1"
	check "no binding with one side" has bindings 0
	"$2"
	check "they are attached when insmod returns" bound_to nmr_peer_b nmr_peer_a
	calls_flow nmr_peer_a
	calls_flow nmr_peer_b
	check "no module is pinned" is /sys/module/nmr_peer_a/refcnt 0
	check "neither of them" is /sys/module/nmr_peer_b/refcnt 0
	"$3"
	"$4"
	check "nothing is left" empty
	unload nmr
}

test_provider_first_provider_leaves_first()
{
	in_order come_provider come_client go_provider unload_client
}

test_provider_first_client_leaves_first()
{
	in_order come_provider come_client go_client unload_provider
}

test_client_first_provider_leaves_first()
{
	in_order come_client come_provider go_provider unload_client
}

test_client_first_client_leaves_first()
{
	in_order come_client come_provider go_client unload_provider
}

unload_client()
{
	unload nmr_peer_b
}

unload_provider()
{
	unload nmr_peer_a
}

both_at_once()
{
	rmmod nmr_peer_a &
	first=$!
	rmmod nmr_peer_b &
	second=$!
	wait "$first" || fail "rmmod nmr_peer_a"
	wait "$second" || fail "rmmod nmr_peer_b"
}

test_provider_first_both_leave_at_once()
{
	in_order come_provider come_client both_at_once empty
}

test_client_first_both_leave_at_once()
{
	in_order come_client come_provider both_at_once empty
}

test_nmr_in_use_is_refused()
{
	load nmr
	come_provider
	refuse "rmmod nmr with a provider" rmmod nmr
	come_client
	refuse "rmmod nmr with a binding" rmmod nmr
	hold nmr_peer_a call
	await "its calls are held" in_hand "$(binding nmr_peer_b nmr_peer_a)/client_calls" 1
	unload_later nmr_peer_a
	refuse "rmmod nmr with a provider that leaves" rmmod nmr
	release nmr_peer_a call
	unloaded nmr_peer_a
	refuse "rmmod nmr with a client" rmmod nmr
	check "nothing of it is gone" has clients 1
	unload nmr_peer_b
	unload nmr
}

test_one_module_is_both_sides()
{
	load nmr
	load nmr_peer_a providers=1 clients=1 threads=1 timer=1
	check "it is bound to itself" attached nmr_peer_a nmr_peer_a
	check "by one binding, of which it has both sides" counted nmr_peer_a bindings "1 1"
	calls_flow nmr_peer_a
	unload nmr_peer_a
	check "nothing is left" empty
	unload nmr
}

test_many_meet_many()
{
	load nmr
	load nmr_peer_a providers=3 threads=1 call_us=200
	load nmr_peer_b clients=3 threads=1 call_us=200
	load nmr_peer_c providers=2 clients=2 threads=1 call_us=200
	check "each with each, once" has bindings 25
	for peer in nmr_peer_a nmr_peer_b nmr_peer_c; do
		calls_flow $peer
	done
	unload nmr_peer_b
	check "3 clients have gone" has bindings 10
	unload nmr_peer_c
	check "so has every binding" has bindings 0
	load nmr_peer_b clients=3 threads=1 call_us=200
	check "clients that come back meet all that stayed" has bindings 9
	unload nmr_peer_a
	all_was_right nmr_peer_b
}

test_strangers_do_not_meet()
{
	load nmr
	load nmr_peer_a providers=1 npi=1
	load nmr_peer_b clients=1 npi=2
	check "both are registered" has clients 1
	check "but not bound" has bindings 0
	load nmr_peer_c providers=1 npi=2
	check "to each its own" bound_to nmr_peer_b nmr_peer_c
}

test_provider_is_loaded_by_its_alias()
{
	install_modules nmr nmr_peer_a
	check "modprobe" modprobe nmr-provider:6e6d7201-7065-6572-8000-000000000001 providers=1
	check "the provider has come, and nmr before it" \
		exists "$(registration providers nmr_peer_a)"
}

# Peer d is built with NMR_DEBUG, the other peers like nmr.ko.
test_module_built_with_nmr_debug_loads_on_any_nmr()
{
	load nmr
	load nmr_peer_a providers=1 threads=1
	load nmr_peer_d clients=1 threads=1
	calls_flow nmr_peer_a
	calls_flow nmr_peer_d
	unload nmr_peer_a
	all_was_right nmr_peer_d
}

# Each layer registers in the attach callback of the one below.
test_forty_layers_attach_inside_each_other()
{
	load nmr
	load nmr_layers layers=40
	check "all were attached when insmod returned" counted nmr_layers attached 40
	check "each to the one below" has bindings 40
	unload nmr_layers
	check "nothing is left" empty
}

# The samples are modules of one macro each.
test_hello_pair_meets()
{
	load nmr
	mark
	load hello_client
	load hello_provider
	check "they are attached" attached hello_client hello_provider
	echo Ada > /sys/module/hello_client/parameters/greet
	check "the provider greets" logged "hello_provider: hello, Ada"
	unload hello_provider
	check "no provider is there" complains "No such device" \
		write_word Ada /sys/module/hello_client/parameters/greet
	load hello_provider
	check "and again" attached hello_client hello_provider
	echo Bob > /sys/module/hello_client/parameters/greet
	check "the next provider greets" logged "hello_provider: hello, Bob"
	unload hello_client
	unload hello_provider
	check "nothing is left" empty
}

# insmod of a module and rmmod of another run concurrently. Two providers take turns, and so
# does the client.
test_module_loads_while_the_other_unloads()
{
	load nmr
	load nmr_peer_a providers=1 threads=1 call_us=200
	for round in 1 2 3 4 5; do
		load nmr_peer_b clients=1 threads=2
		await "calls of round $round" risen nmr_peer_b asked 20
		rmmod nmr_peer_a &
		first=$!
		load nmr_peer_c providers=1 threads=1 call_us=200
		wait "$first" || fail "rmmod nmr_peer_a"
		check "nmr_peer_b has the newcomer" bound_to nmr_peer_b nmr_peer_c
		rmmod nmr_peer_b &
		first=$!
		load nmr_peer_a providers=1 threads=1 call_us=200
		wait "$first" || fail "rmmod nmr_peer_b"
		unload nmr_peer_c
		check "no answer was wrong" counted nmr_peer_a wrong 0
	done
}

# Read all files until $TMP/read is gone. Lines that no file may have go to $TMP/odd.
read_all()
{
	numbers='[0-9]+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
	states='active|deregistering|attached|detaching|cleaning|none|pending|done'
	reasons="|client-deregistered|provider-deregistered|nmr-provider:$NPI_ID"
	while [ -e "$TMP"/read ]; do
		cat "$NMR"/*/*/[!d]* "$NMR"/bindings/*/*/* 2> /dev/null |
			grep -vxE "$numbers|$states|$reasons|nmr_peer_[ab]"
		sleep 0.02
	done > "$TMP"/odd
}

one_of_fifty()
{
	case $(($1 % 4)) in
	0) come_provider; come_client call_us=500 ;;
	1) come_client call_us=500; come_provider ;;
	2) come_provider; come_client ;;
	3) come_client; come_provider ;;
	esac
	await "the provider calls" risen nmr_peer_a asked 0
	await "the client calls" risen nmr_peer_b asked 0
	check "no answer is wrong" counted nmr_peer_a wrong 0
	case $(($1 % 5)) in
	0 | 1)	go_provider; unload_client ;;
	2 | 3)	go_client; unload_provider ;;
	4)	both_at_once ;;
	esac
	check "nothing is left" empty
}

test_fifty_loads_and_unloads_under_readers()
{
	load nmr
	trap 'rm -f "$TMP"/read' EXIT
	: > "$TMP"/read
	read_all &
	reader=$!
	round=0
	while [ "$round" -lt 50 ]; do
		one_of_fifty "$round"
		round=$((round + 1))
	done
	rm "$TMP"/read
	wait "$reader"
	check "nothing odd was read" [ ! -s "$TMP"/odd ]
	unload nmr
}

run_program "$@"
