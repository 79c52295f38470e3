# SPDX-License-Identifier: GPL-2.0
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

# From one CPU, and from two at once: none may be lost in the per-CPU sums. What it costs
# is said in the log, and not judged: the host has other things to do.
test_every_call_of_two_cpus_is_counted()
{
	rounds=5 ways=4 runs=3
	load nmr
	load nmr_gatecost
	check "no gate was shut" counted nmr_gatecost calls $((200000 * rounds * ways * runs))
	link=$(binding nmr_gatecost nmr_gatecost)
	check "no call is left" is "$link/client_calls" 0
	check "no upcall is left" is "$link/provider_calls" 0
	unload nmr_gatecost
}
