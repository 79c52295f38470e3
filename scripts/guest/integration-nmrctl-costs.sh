#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 1 -m 1024 -q "-icount shift=0,sleep=off" $("$TOP/scripts/fetch/nmrctl-files.sh")
#
# Count the instructions of nmrctl, with those that the kernel executes for it. On this guest an
# instruction takes one nanosecond, so a hundredth of a second is 10 million of them.

. /nmr/lib.sh

# Set $now to the hundredths of a second since boot.
read_clock()
{
	IFS='. ' read -r seconds hundredths rest < /proc/uptime
	now=$((seconds * 100 + ${hundredths#0}))
}

# cost COMMAND...: set $cost to what the command takes, in tens of millions of instructions
cost()
{
	read_clock
	begin=$now
	"$@" > /tmp/out || fail "$*"
	read_clock
	cost=$((now - begin))
}

# costs_at_most LIMIT COMMAND...: both in tens of millions
costs_at_most()
{
	limit=$1
	shift
	cost "$@"
	echo "# $* takes $cost tens of millions of instructions, of at most $limit"
	check "$*" [ "$cost" -le "$limit" ]
}

# scale CLIENTS: so many bindings
scale()
{
	load nmr uevents=N
	load nmr_scale clients="$1"
	await "all are bound" has bindings "$1"
}

test_ten_thousand_bindings()
{
	scale 10000
	costs_at_most 180 nmrctl tree
	check "a line for each" [ "$(wc -l < /tmp/out)" -eq 10003 ]
	costs_at_most 30 nmrctl list -o ID
	check "a line for each" [ "$(wc -l < /tmp/out)" -eq 10001 ]
}

test_twice_as_many_cost_little_more_than_twice()
{
	scale 10000
	cost nmrctl tree
	few=$cost
	unload nmr_scale
	unload nmr
	scale 20000
	costs_at_most $((few * 21 / 10)) nmrctl tree
}

run_cases ten_thousand_bindings twice_as_many_cost_little_more_than_twice
