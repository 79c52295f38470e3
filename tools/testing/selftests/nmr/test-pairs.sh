#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154
#
# nmr/pairs of debugfs says of each pair why it is not attached. Writing to "reoffer" of either
# side has such pairs offered again.

. "$(dirname "$0")/lib.sh"

PAIRS=/sys/kernel/debug/nmr/pairs

# pair_says PATTERN: test the line of the first client of nmr_peer_b and the first provider of
# nmr_peer_a
pair_says()
{
	provider=$(basename "$(registration providers nmr_peer_a)")
	client=$(basename "$(registration clients nmr_peer_b)")
	grep -qx "client $client (nmr_peer_b) provider $provider (nmr_peer_a): $1" $PAIRS
}

pairs_are()
{
	[ "$(wc -l < $PAIRS)" -eq "$1" ]
}

# pair_of ERROR-OF-PROVIDER [PARAMETER-OF-CLIENT]...: load a pair that does not attach
pair_of()
{
	load nmr
	load nmr_peer_a providers=1 attach_error="$1"
	shift
	load nmr_peer_b clients=1 "$@"
	check "they are not bound" has bindings 0
}

test_pairs_that_are_attached_are_not_listed()
{
	load nmr
	check "none" pairs_are 0
	load nmr_peer_a providers=2
	load nmr_peer_b clients=3
	check "all are attached" has bindings 6
	check "none is listed" pairs_are 0
	load nmr_peer_c providers=1 npi=2
	check "nor is a pair of strangers" pairs_are 0
}

test_pairs_are_for_root_alone()
{
	load nmr
	check "mode" [ "$(stat -c '%a %u %g' $PAIRS)" = "400 0 0" ]
	refuse "another user reads them" as_user "cat $PAIRS"
}

test_pair_deferred_by_either_side_is_listed()
{
	pair_of -517
	check "by the provider" pair_says deferred
	unload nmr_peer_b
	check "it has gone with the client" pairs_are 0
	set_param nmr_peer_a attach_error 0
	load nmr_peer_b clients=1 attach_error=-517
	check "by the client" pair_says deferred
}

test_pair_declined_by_the_provider_is_listed()
{
	pair_of -16
	check "with its error" pair_says "declined by the provider, error -16"
	check "alone" pairs_are 1
}

test_pair_declined_by_the_client_is_listed()
{
	pair_of 0 attach_error=-19
	check "with its error" pair_says "declined by the client, error -19"
}

test_pair_aborted_is_listed()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	echo abort > "$(binding nmr_peer_b nmr_peer_a)/detach"
	await "it is" pair_says aborted
	check "alone" pairs_are 1
}

test_pair_withheld_from_a_full_client_is_listed()
{
	load nmr
	load nmr_peer_c providers=1
	load nmr_peer_b clients=1 max_bindings=1
	load nmr_peer_a providers=1
	check "the first is bound" bound_to nmr_peer_b nmr_peer_c
	check "the second is not" pair_says "withheld, the client has as many bindings as it takes"
	check "alone" pairs_are 1
	unload nmr_peer_c
	await "until there is room" attached nmr_peer_b nmr_peer_a
	check "none" pairs_are 0
}

test_pair_attaching_is_listed_with_its_task()
{
	load nmr
	load nmr_peer_a providers=1
	load_later nmr_peer_b clients=1 hold_attach=1
	await "it attaches" pair_says "attaching for [0-9]* ms, in task insmod/$insmod"
	await "the time goes on" pair_says "attaching for [0-9]\{3,\} ms, in task insmod/$insmod"
	release nmr_peer_b attach
	loaded_later
	check "none" pairs_are 0
}

test_pair_detaching_is_listed()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1 threads=1 hold_detach_callback=1
	echo fallback > "$(binding nmr_peer_b nmr_peer_a)/detach"
	await "in its callback" pair_says "detaching for [0-9]* ms, in task kworker/.*/[0-9]*"
	hold nmr_peer_b detach
	release nmr_peer_b detach_callback
	await "waiting for its completion" pair_says "detaching for [0-9]* ms"
	release nmr_peer_b detach
	await "deferred in the end" pair_says deferred
}

# The list is longer than a page, and longer than what one read step scans.
test_ten_thousand_pairs_are_listed()
{
	load nmr
	load nmr_scale clients=100 providers=100 attach_error=-517
	check "all of them" pairs_are 10000
	check "each is another one" [ "$(sort -u $PAIRS | wc -l)" -eq 10000 ]
	check "all are deferred" [ "$(grep -c ": deferred$" $PAIRS)" -eq 10000 ]
}

# --- reoffer ----------------------------------------------------------------

# Print the paths of both sides.
reoffer_files()
{
	echo "$(registration clients nmr_peer_b)/reoffer" \
		"$(registration providers nmr_peer_a)/reoffer"
}

test_reoffer_brings_deferred_pairs()
{
	load nmr
	load nmr_peer_a providers=1 attach_error=-517
	load nmr_peer_b clients=1
	for file in $(reoffer_files); do
		check "deferred" pair_says deferred
		set_param nmr_peer_a attach_error 0
		check "write" write_word 'deferred\n' "$file"
		await "attached by $file" attached nmr_peer_b nmr_peer_a
		set_param nmr_peer_a attach_error -517
		check "drop it" write_word fallback "$(binding nmr_peer_b nmr_peer_a)/detach"
		await "deferred again" pair_says deferred
	done
}

# passes_over PATTERN: check that a reoffer of deferred pairs attaches nmr_peer_c and leaves
# the pair of nmr_peer_a as it is. One scan of the client looks at both pairs.
passes_over()
{
	set_param nmr_peer_a attach_error 0
	set_param nmr_peer_c attach_error 0
	for file in $(reoffer_files); do
		check "write" write_word deferred "$file"
	done
	await "the deferred one is attached" attached nmr_peer_b nmr_peer_c
	check "the other one is not" pair_says "$1"
}

test_reoffer_of_deferred_pairs_leaves_declined_ones()
{
	pair_of -19
	load nmr_peer_c providers=1 attach_error=-517
	passes_over "declined by the provider, error -19"
}

test_reoffer_of_deferred_pairs_leaves_aborted_ones()
{
	pair_of -517
	load nmr_peer_c providers=1 attach_error=-517
	set_param nmr_peer_a attach_error 0
	write_word deferred "$(registration providers nmr_peer_a)/reoffer"
	await "attached" attached nmr_peer_b nmr_peer_a
	write_word abort "$(binding nmr_peer_b nmr_peer_a)/detach"
	await "aborted" pair_says aborted
	passes_over aborted
}

test_reoffer_of_all_brings_declined_pairs()
{
	load nmr
	load nmr_peer_a providers=1 attach_error=-19
	load nmr_peer_b clients=1
	for file in $(reoffer_files); do
		check "declined" pair_says "declined by the provider, error -19"
		set_param nmr_peer_a attach_error 0
		check "write" write_word all "$file"
		await "attached by $file" attached nmr_peer_b nmr_peer_a
		check "once" has bindings 1
		unload nmr_peer_b
		set_param nmr_peer_a attach_error -19
		load nmr_peer_b clients=1
	done
}

test_reoffer_of_all_undoes_an_abort()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	for side in clients/nmr_peer_b providers/nmr_peer_a; do
		write_word abort "$(binding nmr_peer_b nmr_peer_a)/detach"
		await "aborted" pair_says aborted
		check "write" write_word 'all\n' \
			"$(registration "${side%/*}" "${side#*/}")/reoffer"
		await "attached by $side" attached nmr_peer_b nmr_peer_a
	done
	check "3 times" counted nmr_peer_b attached 3
}

# A reoffer does not concern pairs that are attaching, attached or withheld.
test_reoffer_of_all_changes_no_binding()
{
	load nmr
	load nmr_peer_c providers=1
	load nmr_peer_b clients=1 max_bindings=1
	load nmr_peer_a providers=1
	for file in $(reoffer_files); do
		check "write" write_word all "$file"
	done
	check "the first is bound" bound_to nmr_peer_b nmr_peer_c
	check "once" counted nmr_peer_b attached 1
	await "the second is withheld" \
		pair_says "withheld, the client has as many bindings as it takes"
}

test_reoffer_knows_two_words()
{
	pair_of -517
	set_param nmr_peer_a attach_error 0
	for file in $(reoffer_files); do
		for word in '\n' 0 1 add defer deferredx Deferred ' all' 'all ' 'all\n\n' \
			'deferred all' ALL -- %s; do
			check "$word is refused" complains "Invalid argument" \
				write_word "$word" "$file"
		done
		check "it cannot be read" complains "Permission denied" cat "$file"
		check "it is for root" complains "Permission denied" \
			write_as_user all "$file"
	done
	check "nothing happened" pair_says deferred
}

test_reoffer_of_a_side_that_leaves_is_refused()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1 threads=1
	hold nmr_peer_a call
	await "a call is held" in_hand "$(binding nmr_peer_b nmr_peer_a)/client_calls" 1
	unload_later nmr_peer_a
	provider=$(registration providers nmr_peer_a)
	await "the provider is deregistering" is "$provider/state" deregistering
	for word in deferred all; do
		check "$word" complains "endpoint shutdown" write_word $word "$provider/reoffer"
	done
	release nmr_peer_a call
	unloaded nmr_peer_a
}

run_program "$@"
