#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 1 -m 1024 -q "-icount shift=0,sleep=off"
#
# Count the instructions of calls, bindings and leaving. On this guest an instruction takes one
# nanosecond, in every run. The limits are some percent above the measured values; "make bench"
# measures more. Runs in the guest, with nmr.ko and the modules of bench/ in /modules.

. /nmr/lib.sh

case $(uname -r) in
*-rt-*)	CALLABLE=5200 ATTACH=48500 DETACH=25500 LEAVE=26000 ;;
5.10.*|6.1.*)
	CALLABLE=4500 ATTACH=36000 DETACH=22500 LEAVE=22500 ;;
*)	CALLABLE=4500 ATTACH=37000 DETACH=35000 LEAVE=27500 ;;
esac

# PAIR: attach and detach a pair. QUIET: without uevents of bindings
case $(uname -r) in
*-rt-*)	PAIR=72000 QUIET=72000 ;;
5.10.*|6.1.*)
	PAIR=47500 QUIET=38500 ;;
6.12.*)	PAIR=55500 QUIET=46000 ;;
*)	PAIR=61500 QUIET=51000 ;;
esac

# Defer a pair, including the registration of its client or provider
case $(uname -r) in
*-rt-*)	CLIENT_DEFERRED=60000 PROVIDER_DEFERRED=72500 ;;
5.10.*|6.1.*)
	CLIENT_DEFERRED=41000 PROVIDER_DEFERRED=44000 ;;
6.12.*)	CLIENT_DEFERRED=43000 PROVIDER_DEFERRED=53500 ;;
*)	CLIENT_DEFERRED=45000 PROVIDER_DEFERRED=50000 ;;
esac

# LAYER: register, or attach, a module that is written for Windows, beyond one that is not
case $(uname -r) in
*-rt-*)	LAYER=2000 ;;
*)	LAYER=1500 ;;
esac

# WALK: a peer of a walk that may sleep, in hundredths. On rt, a spinlock sleeps.
case $(uname -r) in
*-rt-*)	WALK=15500 ;;
*)	WALK=12000 ;;
esac

# call WAY: print what a call costs, in hundredths of an instruction
call()
{
	since_mark | sed -n "s/.*bench-calls $1 1 //p"
}

# at_most LIMIT VALUE: print both, and test the value
at_most()
{
	echo "# $2, of at most $1"
	[ "$2" -le "$1" ]
}

# within LIMIT VALUE: print both, and test the value. A limit is some percent above what was
# measured. Less than a third of it is what a clock measures that stands still most of the time.
within()
{
	echo "# $2, of at least $(($1 / 3)) and at most $1"
	[ "$2" -ge $(($1 / 3)) ] && [ "$2" -le "$1" ]
}

# Load the benchmark of calls, and check what a bare call costs.
measure_calls()
{
	load nmr
	mark
	load nmr_bench_calls calls=10000
	bare=$(call bare)
	check "a bare call takes at least 5 instructions" [ "$bare" -gt 500 ]
	check "and at most 20" [ "$bare" -lt 2000 ]
}

# call_costs WAY LIMIT: check what a call costs beyond a bare call
call_costs()
{
	measure_calls
	check "$1 costs what it did" within "$2" $(($(call "$1") - bare))
}

# Scoped calls need <linux/cleanup.h>, and a kernel that is compiled as C99 or later.
need_scoped_calls()
{
	case $(uname -r) in
	5.*)	skip_on_kernel "it is not compiled as C99" ;;
	esac
}

test_client_gate_costs_at_most_6_instructions()
{
	call_costs nmr 650
}

test_provider_gate_costs_at_most_6_instructions()
{
	call_costs nmr_provider 650
}

test_scoped_call_of_client_costs_at_most_5_instructions()
{
	need_scoped_calls
	call_costs nmr_scoped 550
}

test_scoped_call_of_provider_costs_at_most_5_instructions()
{
	need_scoped_calls
	call_costs nmr_scoped_provider 550
}

# A timer interrupt may come between, so the figures of two loads differ by some hundredths.
test_scoped_call_costs_less_than_srcu_fast()
{
	case $(uname -r) in
	5.* | 6.*)	skip_on_kernel "it has no SRCU-fast" ;;
	esac
	measure_calls
	fast=$(call srcu_fast)
	check "SRCU-fast costs something" [ "$fast" -gt "$bare" ]
	for way in nmr_scoped nmr_scoped_provider; do
		check "$way costs less" at_most $((fast - 50)) "$(call $way)"
	done
}

test_call_of_rcu_reader_costs_at_most_4_instructions()
{
	call_costs nmr_rcu 450
}

test_slot_costs_at_most_8_instructions()
{
	call_costs nmr_slot 850
}

# result KIND FIELD [TEXT]: print the field of the last line of that kind that has TEXT
result()
{
	since_mark | grep "bench-$1 .*$3" | sed -n "s/.*\"$2\":\([0-9]*\).*/\1/p" | tail -n 1
}

# pairs_cost SHAPE LIMIT [PARAMETER-OF-NMR]: check what attaching and detaching a pair cost
pairs_cost()
{
	load nmr ${3:+"$3"}
	mark
	load nmr_bench_bindings n=1000 shape="$1"
	attach=$(result bindings attach_instructions)
	detach=$(result bindings detach_instructions)
	check "attach and detach" within "$2" $((attach + detach))
	check "attach" within $ATTACH "$attach"
	check "detach" within $DETACH "$detach"
	check "until they can call" within "$CALLABLE" "$(result callable instructions)"
	check "bytes" within 2400 "$(result bindings bytes)"
}

test_clients_of_one_provider_cost_what_they_did()
{
	pairs_cost clients $PAIR
}

test_pairs_without_events_cost_what_they_did()
{
	pairs_cost clients $QUIET uevents=N
}

test_providers_of_one_client_cost_what_they_did()
{
	pairs_cost providers $PAIR
}

test_leaving_waits_for_no_more_than_three_grace_periods()
{
	load nmr
	mark
	load nmr_bench_leaving
	for side in provider clients; do
		check "10,000 bindings, by $side" \
			[ "$(result leaving bindings $side)" -eq 10000 ]
		check "the whole part of the multiple" at_most 2 \
			"$(result leaving synchronize_rcu_multiple $side)"
	done
	check "work for each" within $LEAVE "$(result leaving instructions provider)"
}

# deferred_pairs_cost SHAPE LIMIT: check that each pair is offered once, and what a pair costs
deferred_pairs_cost()
{
	load nmr
	mark
	load nmr_bench_deferred n=10000 shape="$1"
	check "offers" [ "$(result deferred offers)" -eq 10000 ]
	check "a pair" within "$2" "$(result deferred instructions)"
}

test_clients_of_a_provider_that_defers_cost_no_square()
{
	deferred_pairs_cost clients $CLIENT_DEFERRED
}

test_providers_that_defer_a_full_client_cost_no_square()
{
	deferred_pairs_cost providers $PROVIDER_DEFERRED
}

# What a module that is written for Windows pays for its layer
test_layer_costs_what_it_did()
{
	load nmr
	load nmr_netio
	mark
	load nmr_bench_netio
	for field in register_instructions attach_instructions; do
		native=$(result netio $field native)
		check "it costs something" [ "$native" -gt 10000 ]
		check "$field" within $LAYER $(($(result netio $field ported) - native))
	done
}

# Each walk is linear: with a hundred times as many peers, a peer costs at most 10% more.
test_walk_costs_what_it_did()
{
	load nmr uevents=N
	mark
	load nmr_bench_walk n=100000
	for field in walk_hundredths walk_rcu_hundredths; do
		limit=12000
		[ $field != walk_hundredths ] || limit=$WALK
		few=$(result walk $field '"clients":1000,')
		many=$(result walk $field '"clients":100000,')
		check "it costs something" [ "$few" -gt 1000 ]
		check "$field, 1,000 peers" at_most "$limit" "$few"
		check "$field, 100,000 peers" at_most "$limit" "$many"
		check "linear" at_most $((few + few / 10)) "$many"
	done
}

# The walk comes last: 100,000 bindings make the trees of kernfs deeper for what follows.
run_cases client_gate_costs_at_most_6_instructions \
	provider_gate_costs_at_most_6_instructions \
	scoped_call_of_client_costs_at_most_5_instructions \
	scoped_call_of_provider_costs_at_most_5_instructions \
	scoped_call_costs_less_than_srcu_fast \
	call_of_rcu_reader_costs_at_most_4_instructions \
	slot_costs_at_most_8_instructions \
	clients_of_one_provider_cost_what_they_did \
	providers_of_one_client_cost_what_they_did \
	pairs_without_events_cost_what_they_did \
	clients_of_a_provider_that_defers_cost_no_square \
	providers_that_defer_a_full_client_cost_no_square \
	leaving_waits_for_no_more_than_three_grace_periods \
	layer_costs_what_it_did \
	walk_costs_what_it_did
