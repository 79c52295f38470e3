#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Many registrations and bindings at once. A stall is found in the kernel's log, where nmr_scale
# prints what each step cost.

. "$(dirname "$0")/lib.sh"

# scale BINDINGS PARAMETER...: check the number of bindings when all parties are registered
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

# Call from one CPU, and from two at once. If the per-CPU sums lost a call, the module could
# not leave or the exit would be reported as misuse. The time that calls take is not checked.
test_every_call_of_two_cpus_is_counted()
{
	skip_unless "second CPU" [ "$(nproc)" -ge 2 ]
	load nmr
	mark
	load nmr_bench_calls calls=5000
	check "calls were made on one CPU" logged "bench-calls nmr 1 "
	check "and on two" logged "bench-calls nmr 2 "
	check "and upcalls" logged "bench-calls nmr_provider 2 "
	unload nmr_bench_calls
}

run_program "$@"
