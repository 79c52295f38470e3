# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Many at once, in one boot: the host finds a stall in the log. What each step cost is
# said there too, by nmr_scale.

# scale BINDINGS PARAMETER...: so many when all are registered, none when all have left
scale()
{
	bindings=$1
	shift
	mark
	load nmr
	load nmr_scale "$@"
	check "attached" counted nmr_scale attached "$bindings"
	check "in sysfs too" has bindings "$bindings"
	unload nmr_scale
	check "each was cleaned up" \
		logged "nmr_scale: $bindings bindings attached, $bindings cleaned up"
	check "nothing is left" empty
	unload nmr
}

test_ten_thousand_clients_come_and_go()
{
	scale 10000 clients=10000 clients_first=0 clients_leave_first=1
}

test_ten_thousand_clients_lose_their_provider()
{
	scale 10000 clients=10000 clients_first=1 clients_leave_first=0
}

test_thousand_providers_for_one_full_client()
{
	scale 1 clients=1 max_bindings=1 providers=1000 clients_first=0
}

test_hundred_clients_of_hundred_providers()
{
	scale 10000 clients=100 providers=100 clients_leave_first=0
}

# From one CPU, and from two at once. One that the per-CPU sums lose would keep the module
# from leaving, or be misuse. What it costs is not judged: the host has other things to do.
test_every_call_of_two_cpus_is_counted()
{
	load nmr
	mark
	load nmr_bench_calls calls=5000
	check "calls were made on one CPU" logged "bench-calls nmr 1 "
	check "and on two" logged "bench-calls nmr 2 "
	check "and upcalls" logged "bench-calls nmr_provider 2 "
	unload nmr_bench_calls
}
