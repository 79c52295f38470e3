#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# An administrator detaches one binding by its write-only file "detach".

. "$(dirname "$0")/lib.sh"

# Load peers a and c as providers, and peer b as a client of one provider at a time that
# calls all the time.
two_providers()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_c providers=1
	load nmr_peer_b clients=1 max_bindings=1 threads=2
	link=$(binding nmr_peer_b nmr_peer_a) || fail "the first provider comes first"
	check "a full client has one" bound_to nmr_peer_b nmr_peer_a
}

one_pair()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1 threads=2
	link=$(binding nmr_peer_b nmr_peer_a) || fail "no binding"
}

test_detach_is_for_root_alone()
{
	one_pair
	check "any user can read" \
		[ "$(as_user "cat $link/state")" = attached ]
	check "but not write" \
		complains "Permission denied" write_as_user fallback "$link/detach"
	check "nothing happened" is "$link/state" attached
}

# commands_refused COMMAND...: test that COMMAND, which runs its arguments, may neither end a
# binding nor offer again
commands_refused()
{
	for file in "$link/detach" "$link/client/reoffer" "$link/provider/reoffer"; do
		complains "Operation not permitted" "$@" sh -c "echo deferred > $file" ||
			return
		complains "Operation not permitted" "$@" sh -c "echo abort > $file" || return
	done
}

# Root of a user namespace owns the files as well, and root may have given capabilities up.
test_detach_takes_the_capability_of_rmmod()
{
	skip_unless "user namespaces" unshare -U -r sh -c :
	one_pair
	check "the file can be opened" unshare -U -r sh -c ": > $link/detach"
	check "root of a container is refused" commands_refused unshare -U -r
	check "nothing happened" is "$link/state" attached
	setpriv=$(file_of setpriv)
	skip_unless "setpriv" "$setpriv" --bounding-set -sys_module sh -c :
	check "without the capability root is refused" \
		commands_refused "$setpriv" --bounding-set -sys_module --
	check "nothing happened" is "$link/state" attached
}

# asked_for TEXT: test that the log names the process that asked
asked_for()
{
	since_mark | grep -q "nmr: $1 was asked for by cat (pid [1-9][0-9]*, uid 0)\$"
}

test_log_names_the_process_that_asks()
{
	one_pair
	mark
	refuse "a wrong word" write_word wrong "$link/detach"
	check "deferred" write_word deferred "$link/client/reoffer"
	check "all" write_word all "$link/provider/reoffer"
	check "of a client" asked_for "reoffer (deferred) of client 1"
	check "of a provider" asked_for "reoffer (all) of provider 1"
	check "an end" write_word abort "$link/detach"
	check "of a binding" asked_for "detach (abort) of binding ${link##*/}"
	check "and nothing else" [ "$(since_mark | grep -c "asked for")" = 3 ]
}

test_detach_cannot_be_read()
{
	one_pair
	check "not even root reads" complains "Permission denied" cat "$link/detach"
}

# detach_misread WORD: test that the word is refused and changes nothing
detach_misread()
{
	complains "Invalid argument" write_word "$1" "$link/detach"
	check "nothing happened for $1" is "$link/state" attached
}

test_detach_knows_two_words()
{
	one_pair
	for word in '\n' ' ' '\0' 0 1 attached fall fallbac fallbackx Fallback FALLBACK \
		' fallback' 'fallback ' 'fallback\n\n' 'fallback abort' \
		aborted client-deregistered -- %s; do
		check "$word is refused" detach_misread "$word"
	done
	check "a word of a page is refused" \
		detach_misread "$(head -c 5000 /dev/zero | tr '\0' a)"
	check "with newline" write_word 'fallback\n' "$link/detach"
	await "it is done" gone "$link"
	unload nmr_peer_b
	load nmr_peer_b clients=1
	link=$(binding nmr_peer_b nmr_peer_a) || fail "no second binding"
	check "without newline" write_word 'abort' "$link/detach"
	await "it is done" gone "$link"
	check "as abort" counted nmr_peer_a reason 4
}

test_detach_starts_and_returns()
{
	one_pair
	hold nmr_peer_a call
	await "calls held" in_hand "$link/client_calls" 2
	check "it returns" write_word fallback "$link/detach"
	check "reason" is "$link/reason" fallback
	check "state" is "$link/state" detaching
	await "client's detach" is "$link/client_detach" pending
	await "provider's detach" is "$link/provider_detach" "done"
	check "the calls are in flight" is "$link/client_calls" 2
	for registration in "$link/client" "$link/provider"; do
		check "the registration stays" is "$registration/state" active
	done
	release nmr_peer_a call
	await "it is done" gone "$link"
	check "the client was told" counted nmr_peer_b reason 3
	check "the provider too" counted nmr_peer_a reason 3
	check "each answer was right" counted nmr_peer_b wrong 0
}

test_detach_a_second_time_is_refused()
{
	one_pair
	hold nmr_peer_a call
	await "calls held" in_hand "$link/client_calls" 2
	check "the first" write_word abort "$link/detach"
	for word in abort fallback; do
		check "$word" complains "Operation already in progress" \
			write_word $word "$link/detach"
	done
	check "a wrong word stays wrong" \
		complains "Invalid argument" write_word foo "$link/detach"
	check "the first reason stays" is "$link/reason" abort
	release nmr_peer_a call
	await "it is done" gone "$link"
	check "and was the client's" counted nmr_peer_b reason 4
}

test_detach_leaves_other_bindings()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1 threads=1
	load nmr_peer_c clients=1 threads=1
	other=$(binding nmr_peer_c nmr_peer_a)
	link=$(binding nmr_peer_b nmr_peer_a)
	check "write" write_word abort "$link/detach"
	await "it is done" gone "$link"
	check "the other client is attached" is "$other/state" attached
	asked=$(value "$(param nmr_peer_c asked)")
	await "and goes on calling" risen nmr_peer_c asked $((asked + 20))
	check "it was told of no detach" counted nmr_peer_c detached 0
}

test_first_reason_wins_over_rmmod()
{
	one_pair
	hold nmr_peer_a call
	await "calls held" in_hand "$link/client_calls" 2
	check "write" write_word fallback "$link/detach"
	unload_later nmr_peer_b
	check "reason" is "$link/reason" fallback
	check "too late" complains "Operation already in progress" \
		write_word abort "$link/detach"
	release nmr_peer_a call
	unloaded nmr_peer_b
	check "the provider was told the first" counted nmr_peer_a reason 3
}

test_fallback_moves_to_the_other_and_back()
{
	two_providers
	check "write" write_word fallback "$link/detach"
	await "the client moves" bound_to nmr_peer_b nmr_peer_c
	asked=$(value "$(param nmr_peer_b asked)")
	await "and goes on calling" risen nmr_peer_b asked $((asked + 20))
	link=$(binding nmr_peer_b nmr_peer_c)
	check "write again" write_word fallback "$link/detach"
	await "the client moves back" bound_to nmr_peer_b nmr_peer_a
	check "each answer was right" counted nmr_peer_b wrong 0
	check "reason" counted nmr_peer_b reason 3
}

# A pair that fell back is offered again when a provider joins the NPI. The end of its own
# binding is no such event, and neither is a client that joins.
test_fallback_alone_waits_for_a_provider_that_arrives()
{
	one_pair
	check "write" write_word fallback "$link/detach"
	await "it is done" gone "$link"
	load nmr_peer_c providers=1 npi=2
	check "not on the arrival of a stranger" counted nmr_peer_b attached 1
	unload nmr_peer_c
	load nmr_peer_c clients=1
	check "the client that arrives is bound" attached nmr_peer_c nmr_peer_a
	check "the other is not" counted nmr_peer_b attached 1
	load nmr_peer_d providers=1
	await "bound to the newcomer" attached nmr_peer_b nmr_peer_d
	await "offered again" attached nmr_peer_b nmr_peer_a
	check "once" counted nmr_peer_b attached 3
}

test_abort_is_for_as_long_as_both_live()
{
	two_providers
	check "write" write_word abort "$link/detach"
	await "the client moves" bound_to nmr_peer_b nmr_peer_c
	unload nmr_peer_c
	load nmr_peer_c providers=1
	await "only to the other" bound_to nmr_peer_b nmr_peer_c
	check "third binding" counted nmr_peer_b attached 3
	unload nmr_peer_c
	unload nmr_peer_a
	load nmr_peer_a providers=1
	check "a new registration is another provider" bound_to nmr_peer_b nmr_peer_a
}

run_program "$@"
