#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154
#
# Ported modules load and unload in every order, among themselves and with native peers.

. "$(dirname "$0")/lib.sh"

load_netio()
{
	load nmr
	load nmr_netio
}

come_provider()
{
	load netio_provider
}

come_client()
{
	load netio_client threads=2
}

go_provider()
{
	unload netio_provider
	refuse "a binding is left" attached netio_client netio_provider
}

go_client()
{
	unload netio_client
	refuse "a binding is left" attached netio_client netio_provider
}

both_at_once()
{
	rmmod netio_provider &
	first=$!
	rmmod netio_client &
	second=$!
	wait "$first" || fail "rmmod netio_provider"
	wait "$second" || fail "rmmod netio_client"
}

objects()
{
	is /sys/module/nmr_netio/parameters/objects "$1"
}

# calls_flow: wait until the client has called 20 times, each with the right sum
calls_flow()
{
	calls=$(value "$(param netio_client calls)")
	await "the client goes on calling" risen netio_client calls "$((calls + 20))"
	check "no sum is wrong" counted netio_client wrong 0
}

# in_order COME COME GO GO: call these functions, with calls in between
in_order()
{
	"$1"
	check "no binding with one side" has bindings 0
	"$2"
	check "they are attached when insmod returns" attached netio_client netio_provider
	check "two registrations and two halves of a binding" objects 4
	calls_flow
	"$3"
	"$4"
	check "nothing is left" empty
	check "nor in the layer" objects 0
}

test_ported_pair_comes_and_goes_in_every_order()
{
	load_netio
	for round in 1 2 3 4 5; do
		say "round $round"
		in_order come_provider come_client go_provider go_client
		in_order come_provider come_client go_client go_provider
		in_order come_client come_provider go_provider go_client
		in_order come_client come_provider go_client go_provider
		in_order come_provider come_client both_at_once empty
		in_order come_client come_provider both_at_once empty
	done
	unload nmr_netio
	unload nmr
}

test_provider_leaves_and_comes_back_under_calls()
{
	load_netio
	come_client
	for round in 1 2 3 4 5 6 7 8 9 10; do
		come_provider
		check "attached, round $round" attached netio_client netio_provider
		calls_flow
		go_provider
	done
	go_client
}

test_sysfs_names_the_ported_modules()
{
	load_netio
	come_provider
	come_client
	check "the client" exists "$(registration clients netio_client)"
	check "the provider" exists "$(registration providers netio_provider)"
	check "the GUID of the NPI" is "$(registration clients netio_client)/npi_id" \
		0d6e3a57-91c2-4b6f-8f0a-52b7c1d46e80
	check "the GUID of the module" is "$(registration clients netio_client)/module_id" \
		4f1c7a02-6d35-4e8b-a13c-905ef7218b64
	check "neither is pinned" is /sys/module/netio_client/refcnt 0
	check "nor the other" is /sys/module/netio_provider/refcnt 0
	refuse "rmmod of the layer" rmmod nmr_netio
}

test_ported_client_has_a_native_provider()
{
	load_netio
	come_client
	for round in 1 2 3; do
		load netio_native_provider
		check "attached, round $round" attached netio_client netio_native_provider
		calls_flow
		unload netio_native_provider
	done
	load netio_native_provider
	calls_flow
	go_client
	check "nothing of it is left" objects 0
}

adds()
{
	write_word 3 /sys/module/netio_native_client/parameters/add
}

test_native_client_has_a_ported_provider()
{
	load_netio
	load netio_native_client
	for round in 1 2 3; do
		come_provider
		check "attached, round $round" attached netio_native_client netio_provider
		mark
		check "a call" adds
		check "and one more" adds
		check "the context is the provider's" logged "netio_native_client: the sum is 6"
		unload netio_provider
		check "no provider is there" complains "No such device" adds
	done
	come_provider
	unload netio_native_client
	check "only the provider is left" objects 1
}

test_native_peer_calls_through_its_gates()
{
	load_netio
	load nmr_netio_port provider=1
	load nmr_peer_b clients=1 threads=2
	link=$(binding nmr_peer_b nmr_netio_port)
	hold nmr_netio_port call
	await "calls are held" in_hand "$link/client_calls" 2
	unload_later nmr_netio_port
	await "the binding drains" is "$link/state" detaching
	check "no cleanup" counted nmr_netio_port cleaned 0
	release nmr_netio_port call
	unloaded nmr_netio_port
	all_was_right nmr_peer_b
	check "nothing of it is left" objects 0
}

test_administrator_detaches_a_ported_pair()
{
	load_netio
	come_provider
	come_client
	calls_flow
	echo fallback > "$(binding netio_client netio_provider)/detach"
	await "detached" has bindings 0
	await "both have cleaned up" objects 2
	echo deferred > "$(registration clients netio_client)/reoffer"
	await "attached again" attached netio_client netio_provider
	calls_flow
}

# Two threads of one module do this, a client and a provider.
test_ported_pair_registers_and_leaves_a_thousand_times()
{
	load_netio
	load nmr_netio_port rounds=1000
	check "as many cleanups as bindings" counted nmr_netio_port cleaned \
		"$(value "$(param nmr_netio_port attached)")"
	check "nothing is left" objects 0
}

# Unload the port while calls into it are held. The log tells of the wait before it ends.
loses_calls()
{
	unload_later nmr_netio_port
	await "the binding drains" is "$link/state" detaching
	await "it is told of" logged "nmr: module nmr_netio_port is not unloaded before the calls"
	check "rmmod waits" running "$rmmod"
	release nmr_netio_port call
	unloaded nmr_netio_port
}

test_ported_provider_forgets_to_deregister()
{
	mark
	load_netio
	load nmr_netio_port provider=1 leave=forget
	load nmr_peer_b clients=1 threads=2
	link=$(binding nmr_peer_b nmr_netio_port)
	hold nmr_netio_port call
	await "calls held" in_hand "$link/client_calls" 2
	expect_warning loses_calls
	check "the port is named" logged_once "nmr: provider [0-9]* of module nmr_netio_port: its module unloads while it is registered"
	check "nothing of it is registered" has providers 0
	check "nothing of it is left" objects 0
	all_was_right nmr_peer_b
}

test_ported_client_forgets_to_deregister()
{
	mark
	load_netio
	load nmr_peer_a providers=1
	load nmr_netio_port client=1 leave=forget
	check "attached" counted nmr_netio_port attached 1
	expect_warning unload nmr_netio_port
	check "the port is named" logged_once "nmr: client [0-9]* of module nmr_netio_port: its module unloads while it is registered"
	check "nothing of it is left" objects 0
	all_was_right nmr_peer_a
}

# Peer a still calls the client, so the registration has not finished when the exit function ends.
test_ported_module_does_not_wait()
{
	mark
	load_netio
	load nmr_peer_a providers=1 threads=1
	load nmr_netio_port client=1 leave=nowait
	link=$(binding nmr_netio_port nmr_peer_a)
	hold nmr_netio_port call
	await "a call is held" in_hand "$link/provider_calls" 1
	expect_warning loses_calls
	check "the port is named" logged_once "nmr: client [0-9]* of module nmr_netio_port: its module unloads"
	check "nothing of it is left" objects 0
	all_was_right nmr_peer_a
}

run_program "$@"
