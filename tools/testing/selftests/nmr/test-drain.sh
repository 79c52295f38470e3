#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154
#
# rmmod waits for calls in flight and for pending detaches, and for nothing else. sysfs
# shows what it waits for.

. "$(dirname "$0")/lib.sh"

# drain_pair THREADS-OF-A THREADS-OF-B: load peer a as a provider and peer b as its client
drain_pair()
{
	load nmr
	load nmr_peer_a providers=1 threads="$1"
	load nmr_peer_b clients=1 threads="$2"
	link=$(binding nmr_peer_b nmr_peer_a) || fail "no binding"
}

# drains STATE REASON CLIENT-DETACH CLIENT-CALLS PROVIDER-DETACH PROVIDER-CALLS: wait until
# sysfs shows this of the binding
drains()
{
	await "state $1" is "$link/state" "$1"
	check "reason" is "$link/reason" "$2"
	await "client's detach" is "$link/client_detach" "$3"
	await "client's calls" is "$link/client_calls" "$4"
	await "provider's detach" is "$link/provider_detach" "$5"
	await "provider's calls" is "$link/provider_calls" "$6"
}

# still_pending MODULE: check that the binding does not move on, and that rmmod waits for it
still_pending()
{
	pending=$(value "$link/pending_ms")
	await "pending_ms rises" above "$link/pending_ms" "$((pending + 50))"
	check "nothing else moves" is "$link/state" detaching
	check "rmmod waits" running "$rmmod"
	check "for $1" leaving "$1"
}

test_provider_waits_for_calls_to_it()
{
	drain_pair 0 3
	hold nmr_peer_a call
	await "3 calls in flight" in_hand "$link/client_calls" 3
	unload_later nmr_peer_a
	drains detaching provider-deregistered pending 3 "done" 0
	still_pending nmr_peer_a
	check "the client was told" counted nmr_peer_b detached 1
	check "but it has not cleaned up" counted nmr_peer_b cleaned 0
	release nmr_peer_a call
	unloaded nmr_peer_a
	check "the binding is gone" gone "$link"
	check "each answer was right" counted nmr_peer_b wrong 0
	check "cleaned up" counted nmr_peer_b cleaned 1
}

test_client_waits_for_its_own_calls()
{
	drain_pair 0 3
	hold nmr_peer_a call
	await "3 calls in flight" in_hand "$link/client_calls" 3
	unload_later nmr_peer_b
	drains detaching client-deregistered pending 3 "done" 0
	still_pending nmr_peer_b
	check "the provider was told" counted nmr_peer_a detached 1
	check "but it has not cleaned up" counted nmr_peer_a cleaned 0
	release nmr_peer_a call
	unloaded nmr_peer_b
	check "the binding is gone" gone "$link"
	check "cleaned up" counted nmr_peer_a cleaned 1
}

test_provider_waits_for_its_own_upcalls()
{
	drain_pair 2 0
	hold nmr_peer_b call
	await "2 upcalls in flight" in_hand "$link/provider_calls" 2
	unload_later nmr_peer_a
	drains detaching provider-deregistered "done" 0 pending 2
	still_pending nmr_peer_a
	check "it has not cleaned up" counted nmr_peer_b cleaned 0
	release nmr_peer_b call
	unloaded nmr_peer_a
	check "cleaned up" counted nmr_peer_b cleaned 1
}

test_client_waits_for_upcalls_to_it()
{
	drain_pair 2 0
	hold nmr_peer_b call
	await "2 upcalls in flight" in_hand "$link/provider_calls" 2
	unload_later nmr_peer_b
	drains detaching client-deregistered "done" 0 pending 2
	still_pending nmr_peer_b
	release nmr_peer_b call
	unloaded nmr_peer_b
	check "each answer was right" counted nmr_peer_a wrong 0
	check "cleaned up" counted nmr_peer_a cleaned 1
}

test_both_leave_with_calls_held_both_ways()
{
	drain_pair 2 3
	hold nmr_peer_a call
	hold nmr_peer_b call
	await "3 calls in flight" in_hand "$link/client_calls" 3
	await "2 upcalls in flight" in_hand "$link/provider_calls" 2
	unload_later nmr_peer_a
	first=$rmmod
	unload_later nmr_peer_b
	drains detaching provider-deregistered pending 3 pending 2
	release nmr_peer_a call
	drains detaching provider-deregistered "done" 0 pending 2
	still_pending nmr_peer_b
	check "the provider waits for its upcalls" leaving nmr_peer_a
	release nmr_peer_b call
	unloaded nmr_peer_b
	wait "$first" || fail "rmmod nmr_peer_a"
	check "nothing is left" empty
	unload nmr
}

test_client_detach_may_be_pending()
{
	drain_pair 0 0
	hold nmr_peer_b detach
	unload_later nmr_peer_a
	drains detaching provider-deregistered pending 0 "done" 0
	still_pending nmr_peer_a
	release nmr_peer_b detach
	unloaded nmr_peer_a
	check "cleaned up" counted nmr_peer_b cleaned 1
}

test_provider_detach_may_be_pending()
{
	drain_pair 0 0
	hold nmr_peer_a detach
	unload_later nmr_peer_b
	drains detaching client-deregistered "done" 0 pending 0
	still_pending nmr_peer_b
	release nmr_peer_a detach
	unloaded nmr_peer_b
	check "cleaned up" counted nmr_peer_a cleaned 1
}

# The binding ends with the last of both, in either order.
test_calls_and_pending_detach_both_count()
{
	drain_pair 0 2
	hold nmr_peer_a call
	hold nmr_peer_b detach
	await "2 calls in flight" in_hand "$link/client_calls" 2
	unload_later nmr_peer_a
	drains detaching provider-deregistered pending 2 "done" 0
	release nmr_peer_a call
	drains detaching provider-deregistered pending 0 "done" 0
	still_pending nmr_peer_a
	release nmr_peer_b detach
	unloaded nmr_peer_a

	load nmr_peer_a providers=1
	link=$(binding nmr_peer_b nmr_peer_a) || fail "no second binding"
	hold nmr_peer_a call
	hold nmr_peer_b detach
	await "2 calls in flight" in_hand "$link/client_calls" 2
	unload_later nmr_peer_a
	drains detaching provider-deregistered pending 2 "done" 0
	release nmr_peer_b detach
	still_pending nmr_peer_a
	check "for the calls alone" is "$link/client_calls" 2
	release nmr_peer_a call
	unloaded nmr_peer_a
	check "cleaned up twice" counted nmr_peer_b cleaned 2
}

test_clients_cleanup_comes_first()
{
	drain_pair 0 1
	hold nmr_peer_b cleanup
	unload_later nmr_peer_a
	drains cleaning provider-deregistered "done" 0 "done" 0
	check "the provider has not cleaned up" counted nmr_peer_a cleaned 0
	check "its registration" is "$(registration providers nmr_peer_a)/state" deregistering
	check "the client's" is "$(registration clients nmr_peer_b)/state" active
	check "rmmod waits" running "$rmmod"
	release nmr_peer_b cleanup
	unloaded nmr_peer_a
	check "the binding is gone" gone "$link"
}

test_providers_cleanup_is_waited_for()
{
	drain_pair 1 0
	hold nmr_peer_a cleanup
	unload_later nmr_peer_b
	drains cleaning client-deregistered "done" 0 "done" 0
	check "the client's registration" \
		is "$(registration clients nmr_peer_b)/state" deregistering
	check "the provider's" is "$(registration providers nmr_peer_a)/state" active
	check "rmmod waits" running "$rmmod"
	release nmr_peer_a cleanup
	unloaded nmr_peer_b
	check "cleaned up" counted nmr_peer_a cleaned 1
}

# attach_held [PARAMETER]...: load the client in the background, up to an attach that is held
attach_held()
{
	load_later nmr_peer_b clients=1 threads=1 "$@"
	await "an attach callback holds it" holds_attach
}

test_leaving_while_the_client_attaches()
{
	load nmr
	load nmr_peer_a providers=1
	attach_held hold_attach=1
	unload_later nmr_peer_a
	check "what attaches is no binding yet" has bindings 0
	check "insmod waits" running "$insmod"
	check "rmmod waits" running "$rmmod"
	release nmr_peer_b attach
	unloaded nmr_peer_a
	loaded_later
	check "the provider was not attached" counted nmr_peer_b attached 0
	check "so nothing was cleaned up" counted nmr_peer_b cleaned 0
	load nmr_peer_a providers=1
	check "the next is" bound_to nmr_peer_b nmr_peer_a
}

# The provider's attach callback returns 0 while the provider leaves. The binding is
# attached, and then detached.
test_leaving_while_the_provider_attaches()
{
	load nmr
	load nmr_peer_a providers=1
	hold nmr_peer_a attach
	attach_held
	unload_later nmr_peer_a
	check "insmod waits" running "$insmod"
	release nmr_peer_a attach
	unloaded nmr_peer_a
	loaded_later
	check "attached" counted nmr_peer_b attached 1
	check "detached" counted nmr_peer_b detached 1
	check "cleaned up" counted nmr_peer_b cleaned 1
	check "no call was made" counted nmr_peer_b asked 0
}

# After -EPROBE_DEFER a pair is offered again when a provider arrives, and not when a client
# does.
test_deferred_attach_is_retried_when_a_provider_arrives()
{
	load nmr
	load nmr_peer_a providers=1 attach_error=-517
	load nmr_peer_b clients=1
	check "deferred" has bindings 0
	set_param nmr_peer_a attach_error 0
	load nmr_peer_c clients=1
	check "the client that arrives is bound" attached nmr_peer_c nmr_peer_a
	check "the other is not" has bindings 1
	load nmr_peer_d providers=1
	await "the newcomer brings the offer" attached nmr_peer_b nmr_peer_a
}

# After -EPROBE_DEFER a pair is offered again when an attached binding of either side ends.
test_deferred_attach_is_retried_when_a_binding_has_gone()
{
	load nmr
	load nmr_peer_a providers=1 attach_error=-517
	load nmr_peer_b clients=1
	load nmr_peer_d clients=1
	set_param nmr_peer_a attach_error 0
	load nmr_peer_c clients=1
	check "the client that arrives is bound" has bindings 1
	unload nmr_peer_c
	await "one that was deferred is offered again" attached nmr_peer_b nmr_peer_a
	await "so is the other" attached nmr_peer_d nmr_peer_a
}

# After -ENODEV a pair is not offered again.
test_declined_attach_is_not_retried()
{
	load nmr
	load nmr_peer_a providers=1 attach_error=-19
	load nmr_peer_b clients=1
	set_param nmr_peer_a attach_error 0
	load nmr_peer_c providers=1
	check "the newcomer is bound" bound_to nmr_peer_b nmr_peer_c
	check "the one that declined is not" has bindings 1
}

# The CPUs that the calls entered on are offline when the calls end.
test_calls_outlive_their_cpus()
{
	skip_unless "4 CPUs that go offline" [ -e /sys/devices/system/cpu/cpu3/online ]
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1 threads=4 spread=1
	link=$(binding nmr_peer_b nmr_peer_a)
	hold nmr_peer_a call
	await "a call from each CPU" in_hand "$link/client_calls" 4
	trap 'set_cpus 1' EXIT
	set_cpus 0
	check "one CPU is left" [ "$(nproc)" -eq 1 ]
	check "the calls are in flight" is "$link/client_calls" 4
	unload_later nmr_peer_a
	drains detaching provider-deregistered pending 4 "done" 0
	still_pending nmr_peer_a
	release nmr_peer_a call
	unloaded nmr_peer_a
	check "each answer was right" counted nmr_peer_b wrong 0
}

# set_cpus 0|1: take all CPUs but the first offline, or online
set_cpus()
{
	for online in /sys/devices/system/cpu/cpu[1-9]/online; do
		echo "$1" > "$online"
	done
}

# A client with a limit of one binding gets the next one when the first was cleaned up.
test_full_client_moves_when_its_provider_has_gone()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1 max_bindings=1 threads=2
	hold nmr_peer_a call
	await "calls held" in_hand "$(binding nmr_peer_b nmr_peer_a)/client_calls" 2
	unload_later nmr_peer_a
	await "it drains" is "$(binding nmr_peer_b nmr_peer_a)/state" detaching
	load nmr_peer_c providers=1
	check "the client is full while it does" has bindings 1
	release nmr_peer_a call
	unloaded nmr_peer_a
	await "the client moves" bound_to nmr_peer_b nmr_peer_c
	asked=$(value "$(param nmr_peer_b asked)")
	await "and goes on calling" risen nmr_peer_b asked $((asked + 20))
	check "each answer was right" counted nmr_peer_b wrong 0
}

# Rule 8: the other binding of the client and the rmmod of its provider go on.
test_slow_binding_delays_no_other()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_c providers=1
	load nmr_peer_b clients=1 threads=2
	hold nmr_peer_a call
	await "calls held" in_hand "$(binding nmr_peer_b nmr_peer_a)/client_calls" 2
	unload_later nmr_peer_a
	first=$rmmod
	unload nmr_peer_c
	check "the slow one waits" leaving nmr_peer_a
	load nmr_peer_c providers=1
	check "a newcomer is attached meanwhile" attached nmr_peer_b nmr_peer_c
	unload nmr_peer_c
	release nmr_peer_a call
	wait "$first" || fail "rmmod nmr_peer_a"
}

test_references_delay_no_unload()
{
	load nmr
	load nmr_peer_a providers=1 keep=1
	load nmr_peer_b clients=1
	check "a call enters through the reference" counted nmr_peer_a kept_open 1
	unload nmr_peer_b
	check "nor is the binding in sysfs" has bindings 0
	check "no call enters any more" counted nmr_peer_a kept_open 0
	load nmr_peer_b clients=1
	check "the next binding is another" counted nmr_peer_a kept_open 1
	unload nmr_peer_a
	check "nor is its owner's own unload delayed" has providers 0
	check "the client was let go" counted nmr_peer_b cleaned 1
	unload nmr_peer_b
	unload nmr
}

run_program "$@"
