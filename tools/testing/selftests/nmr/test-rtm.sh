#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The routing table manager and its clients, rtm_static and rtm_static2, on real devices and in
# the FIB of real namespaces.

. "$(dirname "$0")/lib.sh"

A=/sys/module/rtm_static/parameters
B=/sys/module/rtm_static2/parameters
RTM=/sys/module/rtm/parameters
PAIRS=/sys/kernel/debug/nmr/pairs
FAIL=/sys/kernel/debug/failslab

# Load nmr and the table manager, and make the devices d0 and d1.
scene()
{
	skip_unless "ip" ip -V > /dev/null
	ip netns del r1 2> /dev/null
	ip netns del r2 2> /dev/null
	ip link del d0 2> /dev/null
	ip link del d1 2> /dev/null
	load nmr
	load rtm "$@"
	device d0 1
	device d1 2
	trap 'ip link del d0; ip link del d1' EXIT
}

# device NAME N: make a device with addresses in 10.0.N.0/24 and 2001:db8:N::/64
device()
{
	ip link add "$1" type dummy || skip "no dummy devices"
	ip addr add "10.0.$2.1/24" dev "$1"
	ip addr add "2001:db8:$2::1/64" dev "$1" nodad
	ip link set "$1" up
}

clients()
{
	load rtm_static protocol=201
	load rtm_static2 protocol=202
}

# write_command CLIENT COMMAND: in one write, once. busybox's cat would write again if it fails.
write_command()
{
	echo "$2" | dd of="$1/command" bs=4096 conv=notrunc
}

# order CLIENT COMMAND: have the client carry it out
order()
{
	write_command "$1" "$2" 2> "$TMP"/dd || fail "$2: $(cat "$TMP"/dd)"
}

# answered CLIENT COMMAND ANSWER
answered()
{
	order "$1" "$2"
	is "$1/result" "$3" || fail "$2 said: $(value "$1/result")"
}

# errs CLIENT COMMAND MESSAGE: check that the command fails with this message
errs()
{
	check "$2: $3" complains "$3" write_command "$1" "$2"
}

# index DEVICE
index()
{
	value "/sys/class/net/$1/ifindex"
}

# fib PROTOCOL: print its routes in the FIB
fib()
{
	ip -4 route show table main proto "$1"
	ip -6 route show table main proto "$1"
}

in_fib()
{
	fib "$1" | grep -q "^$2"
}

not_in_fib()
{
	! in_fib "$1" "$2"
}

# fib_has PROTOCOL N: test that the FIB has N routes of the protocol. Thousands of routes take
# minutes on a kernel with KASAN, so show that their number changes.
fib_has()
{
	said=$(fib "$1" | wc -l)
	[ "$said" -ne "$2" ] || return 0
	[ "$said" -lt 1000 ] || echo "# the FIB has $said routes of $1"
	return 1
}

# table_has N: test that all tables have N routes. Show that their number changes, as fib_has()
# does.
table_has()
{
	said "$RTM/routes"
	[ "$said" -ne "$1" ] || return 0
	[ "$shown" = $((said / 1000)) ] || echo "# the tables have $said routes"
	shown=$((said / 1000))
	return 1
}

# in_table TEXT: test that a line of the table is this
in_table()
{
	grep -q "^$1\$" /proc/net/rtm
}

# best_was CLIENT ROUTE: check which route the last change has replaced
best_was()
{
	check "the best route before" [ "$(sed 1d "$1/result")" = "was $2" ]
}

# dequeued CLIENT ANSWER: wait for a change, and take it
dequeued()
{
	await "a change" order_works "$1" dequeue
	is "$1/result" "$2" || fail "dequeue said: $(value "$1/result")"
}

order_works()
{
	write_command "$1" "$2" 2> /dev/null
}

# no_messages CLIENT: check that its queue is empty
no_messages()
{
	errs "$1" dequeue "Resource temporarily unavailable"
}

declined()
{
	grep -q "(rtm_static2\?) .*(rtm): declined by the provider, error $1\$" "$PAIRS"
}

nothing_is_left()
{
	check "no route is left" is $RTM/routes 0
	await "the FIB has no route of 201" fib_has 201 0
	await "nor of 202" fib_has 202 0
	await "no node is left" is $RTM/nodes 0
}

# --- best routes -----------------------------------------------------------

test_route_is_added_and_deleted()
{
	scene
	clients
	answered $A "add 10.1.0.0/16 via 10.0.1.2 dev d0 metric 5" \
		"added 10.1.0.0/16 via 10.0.1.2 ifindex $(index d0) proto 201 metric 5"
	await "the FIB has it" in_fib 201 "10.1.0.0/16 via 10.0.1.2 dev d0 metric 5"
	check "so has the table" in_table \
		"10.1.0.0/16 via 10.0.1.2 dev d0 proto 201 metric 5 best fib"
	answered $A "add 10.1.0.0/16 via 10.0.1.2 dev d0 metric 5" "no change"
	answered $A "add 10.1.0.0/16 via 10.0.1.2 dev d0 metric 3" \
		"changed 10.1.0.0/16 via 10.0.1.2 ifindex $(index d0) proto 201 metric 3"
	best_was $A "10.1.0.0/16 via 10.0.1.2 ifindex $(index d0) proto 201 metric 5"
	await "the FIB has the new metric" in_fib 201 "10.1.0.0/16 via 10.0.1.2 dev d0 metric 3"
	await "and not the old one" fib_has 201 1
	answered $A "add 10.1.0.0/16 via 10.0.1.3 dev d0 metric 9" "no change"
	check "a second route is in the table" in_table \
		"10.1.0.0/16 via 10.0.1.3 dev d0 proto 201 metric 9"
	answered $A "add 10.1.0.0/16 via 10.0.1.4 dev d0 metric 10" "no change"
	answered $A "del 10.1.0.0/16 via 10.0.1.4 dev d0" "no change"
	check "the third route is gone" is $RTM/routes 2
	no_messages $A
	answered $A "del 10.1.0.0/16 via 10.0.1.2 dev d0" \
		"changed 10.1.0.0/16 via 10.0.1.3 ifindex $(index d0) proto 201 metric 9"
	best_was $A "10.1.0.0/16 via 10.0.1.2 ifindex $(index d0) proto 201 metric 3"
	await "the FIB has the second one" in_fib 201 "10.1.0.0/16 via 10.0.1.3 dev d0 metric 9"
	answered $A "del 10.1.0.0/16 via 10.0.1.3 dev d0" \
		"deleted 10.1.0.0/16 via 10.0.1.3 ifindex $(index d0) proto 201 metric 9"
	nothing_is_left
}

test_best_route_falls_to_the_survivor()
{
	scene
	clients
	d0=$(index d0)
	d1=$(index d1)
	order $A "add 10.1.0.0/16 via 10.0.1.2 dev d0 metric 5"
	dequeued $B "added 10.1.0.0/16 via 10.0.1.2 ifindex $d0 proto 201 metric 5, last"
	order $B "add 10.1.0.0/16 via 10.0.2.2 dev d1 metric 2"
	dequeued $A "changed 10.1.0.0/16 via 10.0.2.2 ifindex $d1 proto 202 metric 2, last"
	best_was $A "10.1.0.0/16 via 10.0.1.2 ifindex $d0 proto 201 metric 5"
	await "the FIB has the better one" in_fib 202 "10.1.0.0/16 via 10.0.2.2 dev d1 metric 2"
	await "and not the other" fib_has 201 0
	unload rtm_static2
	dequeued $A "changed 10.1.0.0/16 via 10.0.1.2 ifindex $d0 proto 201 metric 5, last"
	best_was $A "10.1.0.0/16 via 10.0.2.2 ifindex $d1 proto 202 metric 2"
	await "the FIB has the survivor's" in_fib 201 "10.1.0.0/16 via 10.0.1.2 dev d0 metric 5"
	await "and not that of the other" fib_has 202 0
	check "one route is left" is $RTM/routes 1
	load rtm_static2 protocol=202
	order $B "add 10.1.0.0/16 via 10.0.2.2 dev d1 metric 2"
	await "it is best again" in_fib 202 "10.1.0.0/16 via 10.0.2.2 dev d1 metric 2"
	unload rtm_static
	unload rtm_static2
	nothing_is_left
}

# Among equals the protocol with the lower number is best. The FIB takes the two for one route.
test_lower_protocol_is_best_among_equals()
{
	scene
	clients
	for route in "10.1.0.0/16 via 10.0.1.2" "2001:db8:8::/48 via 2001:db8:1::2"; do
		order $B "add $route dev d0 metric 5"
		await "the FIB has it" in_fib 202 "$route dev d0 metric 5"
		order $A "add $route dev d0 metric 5"
		await "the lower one is best" in_fib 201 "$route dev d0 metric 5"
		await "the other is not in the FIB" fib_has 202 0
		order $A "del $route dev d0"
		await "the other is back" in_fib 202 "$route dev d0 metric 5"
		await "and alone" fib_has 201 0
		order $B "del $route dev d0"
	done
	nothing_is_left
}

test_default_routes_and_metric_0()
{
	scene
	clients
	order $A "add 0.0.0.0/0 via 10.0.1.2 dev d0"
	order $A "add ::/0 via 2001:db8:1::2 dev d0"
	await "IPv4" in_fib 201 "default via 10.0.1.2 dev d0 "
	await "IPv6, which has no metric 0" in_fib 201 "default via 2001:db8:1::2 dev d0 metric 1024"
	answered $A "get 10.77.1.1" "best 0.0.0.0/0 via 10.0.1.2 ifindex $(index d0) proto 201 metric 0"
	order $A "add ::/0 via 2001:db8:1::2 dev d0 metric 7"
	await "a metric that is lower there" in_fib 201 "default via 2001:db8:1::2 dev d0 metric 7"
	await "alone" fib_has 201 2
	order $A "add ::/0 via 2001:db8:1::2 dev d0 metric 1024"
	await "and one that is equal there" in_fib 201 "default via 2001:db8:1::2 dev d0 metric 1024"
	order $A "add ::/0 via 2001:db8:1::2 dev d0 metric 0"
	order $A block-delete
	order $A "block-delete inet6"
	nothing_is_left
}

test_longest_match()
{
	scene
	clients
	d0=$(index d0)
	for network in 10.0.0.0/8 10.1.0.0/16 10.1.2.0/24 10.1.2.3/32 10.1.3.0/24 11.0.0.0/8; do
		order $A "add $network dev d0"
	done
	for pair in 10.9.9.9=10.0.0.0/8 10.1.9.9=10.1.0.0/16 10.1.2.9=10.1.2.0/24 \
		    10.1.2.3=10.1.2.3/32 10.1.3.3=10.1.3.0/24 11.255.255.255=11.0.0.0/8; do
		answered $A "get ${pair%=*}" \
			"best ${pair#*=} via 0.0.0.0 ifindex $d0 proto 201 metric 0"
	done
	errs $A "get 12.0.0.1" "No such process"
	order $A "del 10.1.2.0/24 dev d0"
	answered $A "get 10.1.2.9" "best 10.1.0.0/16 via 0.0.0.0 ifindex $d0 proto 201 metric 0"
	answered $A "get 10.1.2.3" "best 10.1.2.3/32 via 0.0.0.0 ifindex $d0 proto 201 metric 0"
	answered $B "get 10.1.2.3" "best 10.1.2.3/32 via 0.0.0.0 ifindex $d0 proto 201 metric 0"
	order $A block-delete
	errs $A "get 10.1.2.3" "No such process"
	nothing_is_left
}

test_longest_match_of_ipv6()
{
	scene
	clients
	d0=$(index d0)
	for network in 2001:db8:8::/45 2001:db8:8::/48 2001:db8:8:1::/64 2001:db8:8:1:8000::/65 \
		       2001:db8:8:1::5/128 2001:db8:8:1::4/127; do
		order $A "add $network dev d0"
	done
	for pair in 2001:db8:f::1=2001:db8:8::/45 2001:db8:8:9::1=2001:db8:8::/48 \
		    2001:db8:8:1::9=2001:db8:8:1::/64 2001:db8:8:1:8000::1=2001:db8:8:1:8000::/65 \
		    2001:db8:8:1::5=2001:db8:8:1::5/128 2001:db8:8:1::4=2001:db8:8:1::4/127; do
		answered $A "get ${pair%=*}" \
			"best ${pair#*=} via :: ifindex $d0 proto 201 metric 0"
	done
	errs $A "get 2001:db8:10::1" "No such process"
	order $A "del 2001:db8:8:1::/64 dev d0"
	answered $A "get 2001:db8:8:1::9" "best 2001:db8:8::/48 via :: ifindex $d0 proto 201 metric 0"
	await "the FIB has five" fib_has 201 5
	unload rtm_static
	nothing_is_left
}

test_single_route_replaces_the_other()
{
	scene
	load rtm_static protocol=201 flags=1
	order $A "add 10.1.0.0/16 via 10.0.1.2 dev d0 metric 5"
	answered $A "add 10.1.0.0/16 via 10.0.1.3 dev d0 metric 9" \
		"changed 10.1.0.0/16 via 10.0.1.3 ifindex $(index d0) proto 201 metric 9"
	check "one route is left" is $RTM/routes 1
	await "the FIB has it" in_fib 201 "10.1.0.0/16 via 10.0.1.3 dev d0 metric 9"
	await "alone" fib_has 201 1
}

# --- messages --------------------------------------------------------------

test_adder_gets_no_message()
{
	scene
	clients
	order $A "add 10.1.0.0/16 dev d0"
	order $A "del 10.1.0.0/16 dev d0"
	await "the other is woken" risen rtm_static2 upcalls 0
	no_messages $A
	check "the adder was not woken" is $A/upcalls 0
	dequeued $B "added 10.1.0.0/16 via 0.0.0.0 ifindex $(index d0) proto 201 metric 0, more"
	dequeued $B "deleted 10.1.0.0/16 via 0.0.0.0 ifindex $(index d0) proto 201 metric 0, last"
	no_messages $B
	order $A "add 10.2.0.0/16 dev d0 metric 5"
	order $B dequeue
	order $B "add 10.2.0.0/16 dev d0 metric 9"
	no_messages $A
	no_messages $B
}

test_block_delete_tells_the_caller_too()
{
	scene
	clients
	errs $A block-delete "No such process"
	order $A "add 10.1.0.0/16 dev d0"
	order $A "add 10.2.0.0/16 dev d1"
	order $A "block-delete dev d1"
	dequeued $A "deleted 10.2.0.0/16 via 0.0.0.0 ifindex $(index d1) proto 201 metric 0, last"
	errs $A "block-delete dev d1" "No such process"
	errs $A "block-delete dev -1" "Invalid argument"
	check "the other route stays" is $RTM/routes 1
	order $B "add 10.3.0.0/16 dev d1"
	order $A block-delete
	check "so does the other client's" is $RTM/routes 1
}

test_queue_is_bounded_and_says_so()
{
	scene queue=4
	clients
	n=0
	while [ $n -lt 10 ]; do
		order $A "add 10.$((n + 1)).0.0/16 dev d0"
		n=$((n + 1))
	done
	errs $B dequeue "No buffer space available"
	for n in 1 2 3 4; do
		order $B dequeue
		check "the oldest are there" grep -q "added 10.$n.0.0/16 " $B/result
	done
	no_messages $B
	order $A "add 10.20.0.0/16 dev d0"
	dequeued $B "added 10.20.0.0/16 via 0.0.0.0 ifindex $(index d0) proto 201 metric 0, last"
}

test_client_without_upcall_has_no_queue()
{
	scene
	load rtm_static protocol=201 listen=N
	load rtm_static2 protocol=202
	order $B "add 10.1.0.0/16 dev d0"
	errs $A dequeue "Operation not supported"
}

# --- time to live ----------------------------------------------------------

test_route_expires()
{
	scene
	clients
	order $B "add 10.1.0.0/16 dev d1 metric 9"
	order $A dequeue
	order $A "add 10.1.0.0/16 dev d0 ttl 1"
	order $A "add 10.2.0.0/16 dev d0 ttl 3600"
	order $A "add 2001:db8:8::/48 dev d0 ttl 1"
	dequeued $A "changed 10.1.0.0/16 via 0.0.0.0 ifindex $(index d1) proto 202 metric 9, last"
	await "the FIB has the other's" in_fib 202 "10.1.0.0/16 dev d1 scope link metric 9"
	await "the IPv6 route, too" not_in_fib 201 2001
	check "one that lives longer stays" in_fib 201 10.2.0.0/16
	check "with its time" grep -q "10.2.0.0/16 .* ttl 3[56][0-9][0-9] best" /proc/net/rtm
}

test_route_that_is_added_again_lives_on()
{
	scene
	clients
	order $A "add 10.1.0.0/16 dev d0 ttl 10"
	order $A "add 10.2.0.0/16 dev d0 ttl 10"
	answered $A "add 10.1.0.0/16 dev d0" "no change"
	dequeued $A "deleted 10.2.0.0/16 via 0.0.0.0 ifindex $(index d0) proto 201 metric 0, last"
	check "the other is still there" in_table "10.1.0.0/16 dev d0 proto 201 metric 0 best fib"
	answered $A "add 10.1.0.0/16 dev d0 ttl 1" "no change"
	dequeued $A "deleted 10.1.0.0/16 via 0.0.0.0 ifindex $(index d0) proto 201 metric 0, last"
	nothing_is_left
}

# --- errors ----------------------------------------------------------------

# is_declined ERROR [PARAMETER]...: check that rtm_static2 is declined with this error
is_declined()
{
	error=$1
	shift
	load rtm_static2 "$@"
	check "it is declined" declined "-$error"
	errs $B "add 10.1.0.0/16 dev d0" "No such device"
	unload rtm_static2
}

test_protocol_is_taken()
{
	scene
	load rtm_static protocol=201
	order $A "add 10.1.0.0/16 dev d0"
	is_declined 17 protocol=201
	check "the route of the first is still there" is $RTM/routes 1
	load rtm_static2 protocol=201
	unload rtm_static
	for client in "$NMR"/clients/*; do
		echo all > "$client/reoffer"
	done
	await "the protocol is free" order_works $B "add 10.1.0.0/16 dev d0"
}

test_wrong_info_is_declined()
{
	scene
	is_declined 22 protocol=201 family=1
	is_declined 22 protocol=201 flags=2
	is_declined 22 protocol=2
	is_declined 22 protocol=201 anonymous=Y
	load rtm_static2 protocol=4
	order $B "add 10.1.0.0/16 dev d0"
}

test_wrong_routes_are_refused()
{
	scene
	clients
	for route in "10.1.0.0/33 dev d0" "10.1.0.0/15 dev d0" "10.1.0.1/16 dev d0" \
		     "1.0.0.0/0 dev d0" "224.0.0.0/4 dev d0" "239.1.1.1/32 dev d0" \
		     "127.0.0.0/8 dev d0" "127.0.0.1/32 dev d0" "255.255.255.255/32 dev d0" \
		     "10.1.0.0/16 dev 0" "10.1.0.0/16 dev -1" "10.1.0.0/16 dev 2147483647" \
		     "10.1.0.0/16" "10.1.0.0/16 dev d0 ttl 0" "10.1.0.0/16 via 224.0.0.1 dev d0" \
		     "10.1.0.0/16 via 127.0.0.1 dev d0" \
		     "2001:db8::/129 dev d0" "2001:db8::1/64 dev d0" "2001:db8:0:0:1::/64 dev d0" \
		     "8000::/0 dev d0" "ff02::/16 dev d0" "ff02::1/128 dev d0" "::1/128 dev d0" \
		     "2001:db8::/64 via ff02::1 dev d0" "2001:db8::/64 dev 0"; do
		errs $A "add $route" "Invalid argument"
	done
	for route in "10.1.0.1/16 dev d0" "10.1.0.0/33 dev d0" "10.1.0.0/16"; do
		errs $A "del $route" "Invalid argument"
	done
	nothing_is_left
	no_messages $B
}

test_unknown_routes_are_not_deleted()
{
	scene
	clients
	order $A "add 10.1.0.0/16 via 10.0.1.2 dev d0"
	for route in "10.2.0.0/16 dev d0" "10.1.0.0/17 via 10.0.1.2 dev d0" \
		     "10.1.0.0/16 via 10.0.1.3 dev d0" "10.1.0.0/16 via 10.0.1.2 dev d1" \
		     "10.0.0.0/8 dev d0"; do
		errs $A "del $route" "No such process"
	done
	errs $B "del 10.1.0.0/16 via 10.0.1.2 dev d0" "No such process"
	check "it is still there" is $RTM/routes 1
}

test_wrong_parameters_are_refused()
{
	load nmr
	load_refused rtm queue=1
	load_refused rtm_static protocol=256
	load rtm queue=2
}

test_malformed_commands_are_refused()
{
	scene
	clients
	long=$(printf '%0300d' 0)
	for command in "" " " x add del get "add 10.1.0.0" "add 10.1.0.0/16 dev" \
		       "add 10.1.0.0/ dev d0" "add 10.1.0.0/x dev d0" "add 10.1.0.0/256 dev d0" \
		       "add 10.1.0/16 dev d0" "add 10.1.0.0/16 via 2001:db8::1 dev d0" \
		       "add 2001:db8::/32 via 10.0.1.1 dev d0" "add 10.1.0.0/16 dev d0 metric -1" \
		       "add 10.1.0.0/16 dev d0 ttl x" \
		       "add 10.1.0.0/16 dev d0 x" "add 10.1.0.0/16 dev d0 count 0" \
		       "add 2001:db8::/48 dev d0 count 2" "add 0.0.0.0/0 dev d0 count 2" \
		       "add 10.1.0.0/16 dev d0 x 1" "get 1.2.3.4.5" \
		       "get 10.1.0.0/16/16" "get :::" "repeat" "repeat repeat" "$long" \
		       "add $long dev d0" "block-delete 10.0.0.0/8" "dequeue inet6 inet6"; do
		errs $A "$command" "Invalid argument"
	done
	errs $A "add 10.1.0.0/16 dev 99999999999" "Numerical result out of range"
	errs $A "add 10.1.0.0/16 dev d0 metric 4294967296" "Numerical result out of range"
	errs $A "add 10.1.0.0/16 dev nodevice" "No such device or address"
	errs $A "add 10.1.0.0/16 dev $long" "Invalid argument"
	errs $A "add 10.1.0.0/16 dev x$long" "No such device or address"
	errs $A "add 10.1.0.0/16 dev d/0" "No such device or address"
	nothing_is_left
}

test_table_is_bounded()
{
	scene max_routes=3
	clients
	for n in 1 2 3; do
		order $A "add 10.$n.0.0/16 dev d0"
	done
	errs $A "add 10.4.0.0/16 dev d0" "No buffer space available"
	errs $B "add 10.4.0.0/16 dev d0" "No buffer space available"
	check "no node of it is left" is $RTM/routes 3
	order $B "add 2001:db8:8::/48 dev d0"
	order $A "del 10.1.0.0/16 dev d0"
	order $B "add 10.4.0.0/16 dev d0"
}

# Each allocation of add fails once. What the kernel allocates for the write fails first.
test_add_without_memory_adds_nothing()
{
	scene
	clients
	can_inject
	failures=0
	for nth in 1 2 3 4 5 6 7 8 9 10 11 12; do
		before=$(value $RTM/routes)
		if fails_at $nth $A/command "add 10.$nth.0.0/16 dev d0"; then
			check "the route is there" is $RTM/routes $((before + 1))
		else
			check "no memory" grep -q "Cannot allocate memory\|Out of memory" "$TMP/injected"
			check "no route" is $RTM/routes "$before"
			failures=$((failures + 1))
		fi
	done
	check "text, route, node and fork have failed" [ $failures -ge 4 ]
	check "the last one was added" [ $failures -lt 12 ]
	order $A "add 10.99.0.0/16 dev d0"
	unload rtm_static
	check "no node is left" is $RTM/nodes 0
}

# only_in MODULE: have allocations fail only if a function of the module asks for them. The shell
# reads byte by byte, which these files do not bear.
only_in()
{
	trap 'fail_no_more; ip link del d0; ip link del d1' EXIT
	begin=$(cat "/sys/module/$1/sections/.text")
	end=$(cat "/sys/module/$1/sections/.exit.text")
	check "addresses are shown" [ "$begin" != "$end" ]
	echo "$begin" > $FAIL/require-start
	echo "$end" > $FAIL/require-end
	echo 1 > $FAIL/verbose
}

# fail_of MODULE NTH: have the next NTH allocation fail that a function of the module is to have
fail_of()
{
	only_in "$1"
	echo "$2" > $FAIL/interval
	echo 1 > $FAIL/times
	echo 100 > $FAIL/probability
}

fail_no_more()
{
	echo 0 > $FAIL/probability
	echo 0 > $FAIL/require-start
	echo 0xffffffffffffffff > $FAIL/require-end
}

can_inject_into_modules()
{
	can_inject
	skip_unless "failures of a module's allocations" exists $FAIL/require-start
}

test_deleting_needs_no_memory()
{
	scene
	clients
	can_inject_into_modules
	only_in rtm
	refuse "to add needs none" fails_at 1 $A/command "add 10.3.0.0/16 dev d0"
	check "no memory" grep -q "Cannot allocate memory\|Out of memory" "$TMP/injected"
	for nth in 1 2 3 4; do
		order $A "add 10.1.0.0/16 dev d0"
		order $A "add 10.2.0.0/16 dev d0"
		check "del" fails_at $nth $A/command "del 10.1.0.0/16 dev d0"
		check "block-delete" fails_at $nth $A/command block-delete
		check "dequeue" fails_at $nth $B/command dequeue
	done
	nothing_is_left
}

# What an attach allocates: the client, its queue, and nodes of the XArray of clients. The kernel
# tries twice to have such a node. Without the other two the pair is deferred.
test_attach_without_memory_is_deferred()
{
	scene
	can_inject_into_modules
	deferred=0
	for nth in 1 1 2 3 4 5 6 7 8 9; do
		fail_of rtm $nth
		load rtm_static protocol=201
		fail_no_more
		if grep -q "client .* (rtm_static) .* deferred$" $PAIRS; then
			deferred=$((deferred + 1))
		fi
		for client in "$NMR"/clients/*; do
			echo deferred > "$client/reoffer"
		done
		await "IPv4 is attached" order_works $A "add 10.1.0.0/16 dev d0"
		await "IPv6 is attached" order_works $A "add 2001:db8:8::/48 dev d0"
		unload rtm_static
		await "nothing is left" is $RTM/nodes 0
	done
	check "several were deferred" [ $deferred -ge 4 ]
}

test_no_table_manager_is_no_device()
{
	scene
	clients
	order $A "add 10.1.0.0/16 dev d0"
	unload rtm
	check "the FIB is clean when rmmod returns" fib_has 201 0
	for command in "add 10.1.0.0/16 dev d0" "del 10.1.0.0/16 dev d0" block-delete dequeue \
		       "get 10.1.0.1"; do
		errs $A "$command" "No such device"
	done
	load rtm
	errs $A "get 10.1.0.1" "No such process"
	order $A "add 10.1.0.0/16 dev d0"
	await "the FIB has it" in_fib 201 10.1.0.0/16
}

# --- leaving ---------------------------------------------------------------

# Set $folder to the binding of rtm_static for IPv4.
ipv4_binding()
{
	folder=$(binding rtm_static rtm)
}

test_administrator_detaches()
{
	scene
	clients
	order $A "add 10.1.0.0/16 dev d0"
	order $A "add 2001:db8:8::/48 dev d0"
	order $B "add 10.1.0.0/16 dev d1 metric 9"
	order $B dequeue
	ipv4_binding
	echo abort > "$folder/detach"
	dequeued $B "changed 10.1.0.0/16 via 0.0.0.0 ifindex $(index d1) proto 202 metric 9, last"
	await "the FIB has the survivor's" in_fib 202 10.1.0.0/16
	await "and not the other" not_in_fib 201 10.1.0.0/16
	check "the IPv6 client is another" in_fib 201 2001:db8:8::/48
	errs $A "add 10.1.0.0/16 dev d0" "No such device"
	await "the binding is gone" gone "$folder"
	for client in "$NMR"/clients/*; do
		echo all > "$client/reoffer"
	done
	await "the client is back" order_works $A "add 10.1.0.0/16 dev d0"
}

# late COMMAND: check that a call finds its client gone, which is detached meanwhile
late()
{
	load rtm_static protocol=201 family=2
	folder=$(binding rtm_static rtm)
	write_command $A "repeat $1" 2> "$TMP"/error &
	command=$!
	await "the call is in flight: $1" is "$folder/client_calls" 1
	[ "${1%% *}" != add ] || await "it adds" in_fib 201 10.1.0.0/16
	echo fallback > "$folder/detach"
	refuse "$1 succeeds" wait $command
	check "it is told: $1" grep -q "Cannot send after transport endpoint shutdown" "$TMP"/error
	unload rtm_static
}

test_late_call_finds_its_client_gone()
{
	scene
	late "add 10.1.0.0/16 dev d0"
	late "del 10.1.0.0/16 dev d0"
	late block-delete
	late dequeue
	nothing_is_left
}

test_ten_thousand_routes_vanish()
{
	scene
	clients
	for n in 0 1000 2000 3000 4000 5000 6000 7000 8000 9000; do
		order $A "add 10.$((64 + n / 256)).$((n % 256)).0/24 dev d0 count 1000"
		echo "# $((n + 1000)) routes are added"
	done
	check "the table has them" is $RTM/routes 10000
	await "so has the FIB" fib_has 201 10000
	rmmod rtm_static &
	rmmod=$!
	await "the table has none" table_has 0
	unloaded rtm_static
	errs $B dequeue "No buffer space available"
	nothing_is_left
}

# A reader gets the table in parts, and does not hold it up in between.
test_table_is_shown_in_parts()
{
	scene
	clients
	order $A "add 10.64.0.0/24 dev d0 count 2000"
	order $A "add 2001:db8:8::/48 dev d0"
	order $B "add 10.64.0.0/24 dev d1 metric 9"
	cut -d ' ' -f 1,7 /proc/net/rtm > "$TMP/all"
	{
		for n in $(seq 0 1999); do
			echo "10.$((64 + n / 256)).$((n % 256)).0/24 0"
			[ "$n" -ne 0 ] || echo "10.64.0.0/24 9"
		done
		echo "2001:db8:8::/48 0"
	} > "$TMP/expected"
	check "each once, in order" cmp "$TMP/expected" "$TMP/all"
	exec 3< /proc/net/rtm
	dd bs=4096 count=1 <&3 > "$TMP/first" 2> /dev/null
	order $A block-delete
	order $B "add 11.0.0.0/8 dev d0"
	cut -d ' ' -f 1,7 <&3 > "$TMP/rest"
	exec 3<&-
	check "a part" [ "$(wc -l < "$TMP/first")" -lt 100 ]
	printf '%s\n' "11.0.0.0/8 0" "2001:db8:8::/48 0" > "$TMP/expected"
	check "the rest is what is there by then" cmp "$TMP/expected" "$TMP/rest"
}

# --- namespaces and devices ------------------------------------------------

# inside NAMESPACE COMMAND...
inside()
{
	namespace=$1
	shift
	ip netns exec "$namespace" "$@"
}

# order_inside NAMESPACE CLIENT COMMAND
order_inside()
{
	# shellcheck disable=SC2016	# for the inner shell
	inside "$1" sh -c 'echo "$1" > "$2/command"' sh "$3" "$2"
}

# make_namespace NAME: with a device of the same name
make_namespace()
{
	ip netns add "$1" || fail "ip netns add"
	ip -n "$1" link add "$1" index 77 type dummy
	ip -n "$1" addr add 10.0.9.1/24 dev "$1"
	ip -n "$1" link set "$1" up
}

table_inside()
{
	inside "$1" sh -c "cat /proc/net/rtm"
}

fib_inside()
{
	[ "$(ip -n "$1" route show proto "$2" | wc -l)" -eq "$3" ]
}

test_namespaces_have_tables_of_their_own()
{
	scene
	clients
	make_namespace r1
	make_namespace r2
	order $A "add 10.1.0.0/16 dev d0"
	check "add in r1" order_inside r1 $A "add 10.1.0.0/16 via 10.0.9.2 dev r1"
	await "the FIB of r1 has it" fib_inside r1 201 1
	check "and that of r2 has not" fib_inside r2 201 0
	check "nor has the table" [ -z "$(table_inside r2)" ]
	errs $A "add 10.2.0.0/16 dev 77" "Invalid argument"
	check "an index of another namespace" complains "Invalid argument" \
		order_inside r1 $A "add 10.2.0.0/16 dev $(index d0)"
	check "get in r2" complains "No such process" order_inside r2 $A "get 10.1.0.1"
	dequeued $B "added 10.1.0.0/16 via 0.0.0.0 ifindex $(index d0) proto 201 metric 0, last"
	ip netns del r1
	ip netns del r2
	await "their clients are gone" has clients 4
	check "the route of the first namespace is there" is $RTM/routes 1
}

test_namespaces_come_and_go_while_a_command_lasts()
{
	scene
	clients
	order $B "add 10.1.0.0/16 dev d0"
	ipv4_binding
	write_command $A "repeat get 10.1.0.1" 2> /dev/null &
	command=$!
	await "the command lasts" is "$folder/client_calls" 1
	make_namespace r1 &
	await "a namespace comes" has clients 8
	wait $! || fail "make_namespace"
	ip netns del r1
	await "and goes" has clients 4
	check "the command lasts" is "$folder/client_calls" 1
	echo abort > "$folder/detach"
	refuse "the command succeeds" wait $command
}

# The tables of a namespace end before its clients leave, or after: the order of loading decides.
test_namespace_ends_under_the_table()
{
	for order in "rtm rtm_static" "rtm_static rtm"; do
		scene
		unload rtm
		for module in $order; do
			case $module in
			rtm)	load rtm ;;
			*)	load rtm_static protocol=201 ;;
			esac
		done
		make_namespace r1
		await "add" order_inside r1 $A "add 10.9.0.0/16 dev r1"
		for n in 1 2 3 4; do
			check "add" order_inside r1 $A "add 10.$n.0.0/16 dev r1 ttl 3600"
		done
		check "the table has them" is $RTM/routes 5
		ip netns del r1
		await "the clients have left" has clients 2
		nothing_is_left
		unload rtm_static
		unload rtm
		unload nmr
	done
}

test_device_is_deleted_under_the_table()
{
	scene
	clients
	d1=$(index d1)
	order $A "add 10.1.0.0/16 dev d1"
	order $B "add 10.1.0.0/16 dev d0 metric 9"
	order $A "add 2001:db8:8::/48 via 2001:db8:2::2 dev d1"
	await "the FIB has both" fib_has 201 2
	ip link del d1
	check "the device is gone" gone /sys/class/net/d1
	check "so are its routes" is $RTM/routes 1
	dequeued $A "changed 10.1.0.0/16 via 0.0.0.0 ifindex $(index d0) proto 202 metric 9, last"
	await "the FIB has the other" in_fib 202 10.1.0.0/16
	errs $A "add 10.1.0.0/16 dev $d1" "Invalid argument"
	device d1 2
	order $A "add 10.1.0.0/16 dev d1"
	await "a new device" in_fib 201 "10.1.0.0/16 dev d1"
}

test_device_moves_to_another_namespace()
{
	scene
	clients
	make_namespace r1
	order $A "add 10.1.0.0/16 dev d1"
	await "the FIB has it" fib_has 201 1
	ip link set d1 netns r1
	check "its route is gone" is $RTM/routes 0
	nothing_is_left
	ip netns del r1
	device d1 2
}

# The kernel drops the routes of a device that goes down.
test_device_goes_down_and_comes_up()
{
	scene
	clients
	order $A "add 10.1.0.0/16 dev d0"
	order $A "add 10.2.0.0/16 dev d1"
	order $A "add 2001:db8:8::/48 dev d0"
	await "the FIB has all" fib_has 201 3
	mark
	ip link set d0 down
	await "the FIB has one" fib_has 201 1
	await "this is told" logged "the FIB refuses 10.1.0.0/16 of protocol 201: error -100"
	check "the table has it" grep -q "^10.1.0.0/16 dev d0 .* best\$" /proc/net/rtm
	ip link set d0 up
	await "the FIB has all" fib_has 201 3
	await "the table knows" in_table "10.1.0.0/16 dev d0 proto 201 metric 0 best fib"
}

# The kernel drops the IPv4 routes of a device that loses its last IPv4 address.
test_last_address_goes_and_comes()
{
	scene
	clients
	order $A "add 10.1.0.0/16 via 10.0.1.2 dev d0"
	order $A "add 10.2.0.0/16 dev d0"
	order $A "add 10.3.0.0/16 via 10.0.2.2 dev d1"
	order $A "add 2001:db8:8::/48 dev d0"
	await "the FIB has all" fib_has 201 4
	mark
	ip addr del 10.0.1.1/24 dev d0
	await "one is refused" logged "the FIB refuses 10.1.0.0/16 of protocol 201: error -"
	check "the table knows" grep -q "^10.1.0.0/16 via 10.0.1.2 dev d0 .* best\$" /proc/net/rtm
	await "one needs no address" in_fib 201 "10.2.0.0/16 dev d0"
	check "the other ones are there" fib_has 201 3
	ip addr add 10.0.1.1/24 dev d0
	await "the FIB has all" fib_has 201 4
	await "the table knows" in_table \
		"10.1.0.0/16 via 10.0.1.2 dev d0 proto 201 metric 0 best fib"
	order $A block-delete
	order $A "block-delete inet6"
	nothing_is_left
}

test_route_that_the_fib_refuses_is_offered_again()
{
	scene
	clients
	mark
	order $A "add 10.1.0.0/16 via 10.0.7.2 dev d0"
	await "this is told" logged "the FIB refuses 10.1.0.0/16 of protocol 201: error -"
	check "the FIB has it not" fib_has 201 0
	ip addr add 10.0.7.1/24 dev d0
	await "the FIB has it" in_fib 201 "10.1.0.0/16 via 10.0.7.2 dev d0"
	check "it was told once" logged_once "the FIB refuses 10.1.0.0/16"
	order $A "add 10.2.0.0/16 via 10.0.8.2 dev d0"
	await "this is told" logged "the FIB refuses 10.2.0.0/16 of protocol 201: error -"
	unload rtm_static
	nothing_is_left
}

# The kernel drops the answers that the socket has no room for. When an address comes, the table
# manager offers all routes in batches, and most answers to a batch are lost.
test_route_without_an_answer_is_offered_again()
{
	room=$(cat /proc/sys/net/core/rmem_default)
	echo 2304 > /proc/sys/net/core/rmem_default
	scene
	echo "$room" > /proc/sys/net/core/rmem_default
	clients
	mark
	order $A "add 10.64.0.0/24 via 10.0.7.2 dev d0 count 100"
	await "this is told" logged "the FIB refuses 10.64.0.0/24 of protocol 201: error -"
	ip addr add 10.0.8.1/24 dev d0
	ip addr add 10.0.7.1/24 dev d0
	await "the FIB has all" fib_has 201 100
	order $A block-delete
	nothing_is_left
}

# A route that user space has put there is not touched.
test_routes_of_others_stay()
{
	scene
	clients
	ip route add 10.1.0.0/16 via 10.0.1.9 dev d0 metric 5 proto 77
	order $A "add 10.1.0.0/16 via 10.0.1.2 dev d0 metric 5"
	await "the FIB has both" fib_has 201 1
	check "the other one, too" in_fib 77 "10.1.0.0/16 via 10.0.1.9 dev d0"
	order $A "del 10.1.0.0/16 via 10.0.1.2 dev d0"
	await "the FIB has one" fib_has 201 0
	check "the other one" in_fib 77 "10.1.0.0/16 via 10.0.1.9 dev d0"
	order $A "add 10.1.0.0/16 via 10.0.1.2 dev d0 metric 5"
	await "the FIB has both" fib_has 201 1
	ip route del 10.1.0.0/16 via 10.0.1.2 dev d0
	order $A "del 10.1.0.0/16 via 10.0.1.2 dev d0"
	nothing_is_left
}

# --- all at once -----------------------------------------------------------

# Issue commands until $TMP/busy is gone.
keep_busy()
{
	n=0
	while [ -e "$TMP"/busy ]; do
		n=$(((n + 1) % 200))
		for client in $A $B; do
			echo "add 10.1.$n.0/24 via 10.0.1.$((n + 2)) dev d0 metric $n"
			echo "add 2001:db8:8:$n::/64 dev d1 ttl $((n % 3 + 1))"
			echo "get 10.1.7.7"
			echo dequeue
			[ $((n % 50)) -ne 0 ] || echo "block-delete dev d0"
		done > "$TMP"/commands
		while read -r line; do
			echo "$line" > $A/command
			echo "$line" > $B/command
		done < "$TMP"/commands
	done 2> /dev/null
}

# agree: test that the FIB has the best routes, and no other ones
agree()
{
	[ "$(grep -c " best" /proc/net/rtm)" -eq "$({ fib 201; fib 202; } | wc -l)" ] &&
		! grep -q " best\$" /proc/net/rtm
}

# Routes change while the kernel drops routes, and the FIB is in step afterwards.
test_devices_go_down_and_come_up_under_load()
{
	scene
	clients
	: > "$TMP"/busy
	keep_busy &
	busy=$!
	for round in 1 2 3 4 5 6 7 8 9 10; do
		echo "# round $round"
		for change in "link set d0 down" "link set d0 up" "addr del 10.0.1.1/24 dev d0" \
			      "addr add 10.0.1.1/24 dev d0" "link set d1 down" "link set d1 up"; do
			# shellcheck disable=SC2086	# words
			ip $change
		done
	done
	rm "$TMP"/busy
	wait $busy
	order $A "add 10.9.0.0/16 dev d0"
	await "the FIB agrees with the table" agree
	for client in $A $B; do
		order_works "$client" block-delete
		order_works "$client" "block-delete inet6"
	done
	nothing_is_left
}

# come_or_go MODULE [PARAMETER]: unload the module if it is loaded, and load it otherwise
come_or_go()
{
	if loaded "$1"; then
		unload "$1"
	else
		load "$@"
	fi
}

# routes_are N: count the routes of all tables in the FIB
routes_are()
{
	[ "$(ip route show table all | wc -l)" -eq "$1" ]
}

test_random_orders_under_load()
{
	scene
	clients
	before=$(ip route show table all | wc -l)
	: > "$TMP"/busy
	keep_busy &
	busy=$!
	round=0
	while [ "$round" -lt 60 ]; do
		case $(($(od -An -N1 -tu1 < /dev/urandom) % 3)) in
		0)	come_or_go rtm ;;
		1)	come_or_go rtm_static protocol=201 ;;
		2)	come_or_go rtm_static2 protocol=202 ;;
		esac
		if [ $((round % 10)) -eq 0 ]; then
			echo "# round $round"
			make_namespace r1
			order_inside r1 $A "add 10.1.0.0/16 dev r1" 2> /dev/null
			ip netns del r1
		fi
		round=$((round + 1))
	done
	rm "$TMP"/busy
	wait $busy
	for module in rtm_static rtm_static2; do
		! loaded $module || unload $module
	done
	loaded rtm || load rtm
	nothing_is_left
	await "the FIB is as before" routes_are "$before"
	await "nothing is left in sysfs" has bindings 0
}

run_program "$@"
