#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# guest: -c 1 -q "-icount shift=0,sleep=off"
#
# What a call through a gate costs over the bare call, in instructions: on this guest a
# nanosecond is one. Runs in the guest, with nmr.ko and nmr_gatecost.ko in /modules.

. /lib.sh

LIMIT=2000	# hundredths

# costs SIDE
costs()
{
	load nmr
	load nmr_gatecost
	bare=$(value "$(param nmr_gatecost bare)")
	over=$(value "$(param nmr_gatecost "${1}_over")")
	echo "# $1: $over hundredths of an instruction over the bare call's $bare"
	check "no bare call takes less than 5: these are instructions" [ "$bare" -gt 500 ]
	check "nor more than 20" [ "$bare" -lt 2000 ]
	check "the gate costs something" [ "$over" -gt 0 ]
	check "and no more than its limit" [ "$over" -le "$LIMIT" ]
}

test_client_gate_costs_at_most_20_instructions()
{
	costs client
}

test_provider_gate_costs_at_most_20_instructions()
{
	costs provider
}

run_cases client_gate_costs_at_most_20_instructions \
	provider_gate_costs_at_most_20_instructions
