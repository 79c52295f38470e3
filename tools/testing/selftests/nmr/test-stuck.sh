#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154
#
# The log tells of a binding that does not attach or does not drain, and why it does not.

. "$(dirname "$0")/lib.sh"

test_stuck_seconds_is_thirty()
{
	load nmr
	check "the default" is "$(param nmr stuck_seconds)" 30
	unload nmr
	load nmr stuck_seconds=7
	check "as given" is "$(param nmr stuck_seconds)" 7
}

# says ID TEXT...: wait until a line on that binding has each TEXT. If a worker is late, the first line
# may come before what is to be told of.
says()
{
	await "a line has all of it" told_with "$@"
}

# says_not ID TEXT: check that no line on that binding has TEXT
says_not()
{
	case $(told "$1") in
	*"$2"*)	fail "\"$2\" in: $(told "$1")" ;;
	esac
}

# A second binding that closes after the line on the first has a line of its own.
test_stuck_calls_blame_the_callee()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1
	stuck_pair nmr_peer_b
	first=$id
	stuck_pair nmr_peer_c
	hold nmr_peer_a call
	await "calls held" in_hand "$NMR/bindings/$first/client_calls" 2
	await "calls held" in_hand "$NMR/bindings/$id/client_calls" 2
	await "all of both" is /sys/module/nmr_peer_a/parameters/calls_held 4
	echo abort > "$NMR/bindings/$first/detach"
	await "the first is told of" is_told "$first"
	says "$first" "binding $first (nmr_peer_b -> nmr_peer_a) has not drained for" \
		"s after abort: 2 calls of client nmr_peer_b into provider nmr_peer_a have not returned"
	says_not "$first" ", "
	check "after a second" above "$NMR/bindings/$first/pending_ms" 999
	refuse "the other is attached" is_told "$id"
	echo abort > "$NMR/bindings/$id/detach"
	await "the second is told of" is_told "$id"
	says "$id" "2 calls of client nmr_peer_c into provider nmr_peer_a have not returned"
	says_not "$id" "more binding"
	check "they drain" release nmr_peer_a call
	await "and go" has bindings 0
}

test_stuck_upcall_blames_the_client()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1 threads=1
	load nmr_peer_b clients=1
	id=$(basename "$(binding nmr_peer_b nmr_peer_a)")
	hold nmr_peer_b call
	await "an upcall is held" in_hand "$NMR/bindings/$id/provider_calls" 1
	unload_later nmr_peer_b
	await "it is told of" is_told "$id"
	says "$id" "s after client-deregistered: 1 call of provider nmr_peer_a into client nmr_peer_b has not returned"
	release nmr_peer_b call
	unloaded nmr_peer_b
}

# The first line comes after 1 s, the others after 1, 2 and 4 more seconds.
test_stuck_lines_repeat_after_intervals_that_double()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1
	stuck_pair nmr_peer_b
	hold nmr_peer_a call
	await "calls held" in_hand "$NMR/bindings/$id/client_calls" 2
	unload_later nmr_peer_a
	await "four lines" told_times "$id" 4
	seconds=$(told "$id" | sed -n '4s/.* for \([0-9]*\) s .*/\1/p')
	check "the fourth of them after 8 s at the least" [ "$seconds" -ge 8 ]
	check "each counts the calls" [ "$(told "$id" | grep -vc ": 2 calls of ")" -eq 0 ]
	# An nmr.ko that is built with NMR_DEBUG=1 shows stacks instead.
	logged "nmr: binding $id: .* call, for [0-9]* ms, by" ||
		check "what can be done is said once" logged_once "nmr: .*built with NMR_DEBUG=1"
	release nmr_peer_a call
	unloaded nmr_peer_a
}

# One side returned -EINPROGRESS from its detach callback, and the other side is done.
test_stuck_completion_is_asked_of_its_side()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	id=$(basename "$(binding nmr_peer_b nmr_peer_a)")
	hold nmr_peer_a detach
	unload_later nmr_peer_b
	await "it is told of" is_told "$id"
	says "$id" ": provider nmr_peer_a returned -EINPROGRESS and has not completed its detach"
	says_not "$id" ", "
	release nmr_peer_a detach
	unloaded nmr_peer_b
}

# pid_of ID: print the PID that the line names
pid_of()
{
	told "$1" | sed -n 's|.*(task .*/\([0-9]*\)).*|\1|p' | head -n 1
}

# A call of the provider is in flight while the client's detach callback runs.
test_stuck_detach_callback_is_told_with_its_task()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1 threads=1
	load nmr_peer_b clients=1
	id=$(basename "$(binding nmr_peer_b nmr_peer_a)")
	hold nmr_peer_b call
	hold nmr_peer_b detach_callback
	await "an upcall is held" in_hand "$NMR/bindings/$id/provider_calls" 1
	unload_later nmr_peer_a
	await "it is told of" is_told "$id"
	says "$id" "1 call of provider nmr_peer_a into client nmr_peer_b has not returned, " \
		", the detach callback of client nmr_peer_b has not returned (task kworker/"
	skip_unless "stacks in /proc" [ -e /proc/self/stack ]
	check "that task runs it" grep -q peer_detach "/proc/$(pid_of "$id")/stack"
	release nmr_peer_b detach_callback
	release nmr_peer_b call
	unloaded nmr_peer_a
}

attaching_client()
{
	load_later nmr_peer_b clients=1 hold_attach=1
	await "an attach callback holds it" holds_attach
}

test_stuck_attach_is_told_though_no_side_leaves()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1
	attaching_client
	await "it is told of" is_told "[0-9]*"
	says "[0-9]*" "(nmr_peer_b -> nmr_peer_a) has not attached for" \
		": an attach callback has not returned (task insmod/$insmod)"
	await "and again" told_times "[0-9]*" 2
	release nmr_peer_b attach
	loaded_later
	check "it has attached" attached nmr_peer_b nmr_peer_a
}

test_stuck_attach_holds_up_a_side_that_leaves()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1
	attaching_client
	unload_later nmr_peer_a
	await "it is told of" logged "nmr: binding .* has not drained for .* after provider-dereg"
	check "as attaching" logged "after provider-deregistered: an attach callback has not returned (task insmod/$insmod)"
	release nmr_peer_b attach
	unloaded nmr_peer_a
	loaded_later
}

# A binding closes while it attaches, and another one closes before that attach ends.
test_stuck_lines_come_in_the_order_of_closing()
{
	mark
	load nmr stuck_seconds=3
	load nmr_peer_c providers=1 clients=1 npi=2
	second=$(basename "$(binding nmr_peer_c nmr_peer_c)")
	hold nmr_peer_c detach
	load nmr_peer_b clients=1
	hold nmr_peer_b detach
	load_later nmr_peer_a providers=1 hold_attach=1
	await "an attach callback holds it" holds_attach
	unload_later nmr_peer_b
	echo abort > "$NMR/bindings/$second/detach"
	release nmr_peer_a attach
	loaded_later
	await "the second is told of" is_told "$second"
	case $(told "[0-9]*" | head -n 1) in
	*"(nmr_peer_b -> nmr_peer_a)"*) ;;
	*)	fail "the first line is on another binding" ;;
	esac
	release nmr_peer_c detach
	release nmr_peer_b detach
	unloaded nmr_peer_b
}

# A binding that has drained is not told of, however long its cleanup takes. The line on a
# second binding, which closes later, shows that the time has passed.
test_stuck_cleanup_is_not_told()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1 hold_cleanup=1
	cleaning=$(basename "$(binding nmr_peer_b nmr_peer_a)")
	stuck_pair nmr_peer_c
	echo abort > "$NMR/bindings/$cleaning/detach"
	await "the first cleans up" is "$NMR/bindings/$cleaning/state" cleaning
	hold nmr_peer_a call
	await "calls held" in_hand "$NMR/bindings/$id/client_calls" 2
	echo abort > "$NMR/bindings/$id/detach"
	await "the other is told of" is_told "$id"
	check "the first cleans up still" is "$NMR/bindings/$cleaning/state" cleaning
	refuse "but is not told of" is_told "$cleaning"
}

# A binding that was told of, and has drained since, is told of no more, and is cleaned up once. The
# lines on a second binding show that the time has passed.
test_stuck_cleanup_ends_the_lines()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1 hold_detach=1 hold_cleanup=1
	load nmr_peer_c clients=1 hold_detach=1
	first=$(basename "$(binding nmr_peer_b nmr_peer_a)")
	second=$(basename "$(binding nmr_peer_c nmr_peer_a)")
	echo abort > "$NMR/bindings/$first/detach"
	echo abort > "$NMR/bindings/$second/detach"
	await "the first is told of" is_told "$first"
	release nmr_peer_b detach
	await "it cleans up" is "$NMR/bindings/$first/state" cleaning
	lines=$(told "$first" | wc -l)
	seen=$(told "$second" | wc -l)
	await "two more lines on the second" told_times "$second" $((seen + 2))
	check "none on the first" [ "$(told "$first" | wc -l)" -eq "$lines" ]
	release nmr_peer_b cleanup
	await "it has gone" gone "$NMR/bindings/$first"
	check "it was cleaned up once" counted nmr_peer_b cleaned 1
	release nmr_peer_c detach
	await "so has the other" has bindings 0
}

# A line counts the bindings that have not drained, and not those that clean up.
test_stuck_cleanup_is_not_counted()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1
	load nmr_peer_c clients=1 hold_detach=1
	load nmr_peer_b clients=1 hold_detach=1 hold_cleanup=1
	first=$(basename "$(binding nmr_peer_c nmr_peer_a)")
	second=$(basename "$(binding nmr_peer_b nmr_peer_a)")
	unload_later nmr_peer_a
	await "the first is told of, and the second counted" \
		told_with "$first" "; so have 1 more bindings of provider"
	release nmr_peer_b detach
	await "the second cleans up" is "$NMR/bindings/$second/state" cleaning
	await "two more lines" told_times "$first" $(($(told "$first" | wc -l) + 2))
	case $(told "$first" | tail -n 1) in
	*"so have"*)	fail "it counts the second: $(told "$first")" ;;
	esac
	release nmr_peer_b cleanup
	release nmr_peer_c detach
	unloaded nmr_peer_a
}

# The line on a client comes after a while that has doubled, but soon if another of its bindings is
# stuck. The second provider is a client, too: its lines show how much time has passed.
test_stuck_lines_begin_anew_with_another_binding()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1 hold_detach=1
	load nmr_peer_c providers=1 clients=1 hold_detach=1
	load nmr_peer_b clients=1
	old=$(basename "$(binding nmr_peer_b nmr_peer_a)")
	another=$(basename "$(binding nmr_peer_b nmr_peer_c)")
	clock=$(basename "$(binding nmr_peer_c nmr_peer_a)")
	echo abort > "$NMR/bindings/$old/detach"
	await "five lines, and 16 s until the next" told_times "$old" 5
	echo abort > "$NMR/bindings/$another/detach"
	echo abort > "$NMR/bindings/$clock/detach"
	await "the next counts the other binding" told_with "$old" "; so have 1 more bindings"
	check "before 8 s have passed" [ "$(told "$clock" | wc -l)" -le 3 ]
	release nmr_peer_a detach
	release nmr_peer_c detach
	await "all have drained" gone "$NMR/bindings/$another"
}

test_stuck_seconds_of_zero_tells_of_nothing()
{
	mark
	load nmr stuck_seconds=0
	load nmr_peer_a providers=1
	stuck_pair nmr_peer_b
	hold nmr_peer_a call
	await "calls held" in_hand "$NMR/bindings/$id/client_calls" 2
	unload_later nmr_peer_a
	await "some seconds pass" above "$NMR/bindings/$id/pending_ms" 3000
	refuse "it is told of" is_told "$id"
	set_param nmr stuck_seconds 1
	await "until it is to be told of" is_told "$id"
	release nmr_peer_a call
	unloaded nmr_peer_a
}

# --- many -------------------------------------------------------------------

# Test that the kernel's log still has the mark.
log_is_kept()
{
	dmesg | grep -q "$marked"
}

test_1500_stuck_bindings_of_one_provider_are_one_line()
{
	mark
	load nmr stuck_seconds=1
	load nmr_scale clients=1500 hold_detach=1 clients_leave_first=0
	unload_later nmr_scale
	provider=$(basename "$(registration providers nmr_scale)")
	await "three times" told_times "[0-9]*" 3
	check "each line, but perhaps the first, counts the others" \
		[ "$(told "[0-9]*" | grep -vc "; so have [0-9]* more bindings of provider $provider\$")" -le 1 ]
	check "which are all" \
		[ "$(told "[0-9]*" | grep -c "; so have 1499 more bindings")" -ge 2 ]
	check "the log is kept" log_is_kept
	release nmr_scale detach
	unloaded nmr_scale
	check "each was cleaned up" logged "nmr_scale: 1500 bindings attached, 1500 cleaned up"
}

# told_of NUMBER: test that there are lines on as many bindings, and set $until to the number of
# lines until then
told_of()
{
	until=$(told "[0-9]*" | sed 's/.*nmr: binding \([0-9]*\) .*/\1/' |
		awk -v n="$1" '!seen[$0]++ && ++bindings == n { print NR; exit }')
	[ -n "$until" ]
}

# A check has room for four lines. A registration that gets no line comes before those that got one.
# Four registrations may have two lines before the others are stuck, too.
test_stuck_registrations_take_turns()
{
	mark
	load nmr stuck_seconds=1
	load nmr_scale clients=9 hold_detach=1
	unload_later nmr_scale
	await "each is told of" told_of 9
	check "before more than four have two lines" [ "$until" -le 13 ]
	release nmr_scale detach
	unloaded nmr_scale
}

# Each client leaves with a stuck binding. The lines of a check are few.
test_1500_stuck_registrations_are_few_lines()
{
	others="nmr: bindings of [0-9]* more clients and providers are stuck: see nmrctl check"
	mark
	load nmr stuck_seconds=1
	load nmr_scale clients=1500 hold_detach=1
	unload_later nmr_scale
	await "the others are counted" logged "$others"
	await "again after some seconds" logged_times "$others" 3
	check "there are few lines" [ "$(told "[0-9]*" | wc -l)" -le 40 ]
	check "each is on a client" [ "$(told "[0-9]*" | grep -vc "client-deregistered")" -eq 0 ]
	check "the log is kept" log_is_kept
	release nmr_scale detach
	unloaded nmr_scale
	check "each was cleaned up" logged "nmr_scale: 1500 bindings attached, 1500 cleaned up"
}

# A line for each offer would be twice as much as the log holds.
test_4000_offers_that_fail_leave_the_log()
{
	mark
	load nmr
	load nmr_scale clients=4000 attach_error=-16
	check "no binding is left" has bindings 0
	check "the log is kept" log_is_kept
	check "some are told of" logged "nmr: provider nmr_scale failed to attach client nmr_scale: error -16"
	unload nmr_scale
}

run_program "$@"
