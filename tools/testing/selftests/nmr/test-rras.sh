#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2016,SC2119,SC2120
#
# samples/rras: a router manager, RIP as its routing protocol, and the routing table manager
# below. Network namespaces a, b and c have routers; veth devices join them.
#
#   10.1.0.0/24 (dummy) a 10.0.0.1 - 10.0.0.2 b 10.0.1.1 - 10.0.1.2 c (dummy) 10.3.0.0/24
#                                      (dummy) 10.2.0.0/24
#
# A neighbour that is no router of ours is a perl script in b, which sends what it is told. A
# protocol that is no good is rras_probe.

. "$(dirname "$0")/lib.sh"
# shellcheck source=network.sh
. "$(dirname "$0")/network.sh"

HOUR=3600000

INVALID="Invalid argument"
NO_DEVICE="No such device"
DOWN="Cannot send after transport endpoint shutdown"

# stat NS NAME: print a counter of the protocol
stat_of()
{
	in_ns "$1" awk -v name="$2" '$1 == name { print $2 }' /proc/net/rip
}

stat_above()
{
	[ "$(stat_of "$1" "$2")" -gt "$3" ]
}

upcalls()
{
	in_ns "$1" awk '/^upcalls/ { print $2 }' /proc/net/rras
}

# --- a neighbour that is no router of ours ------------------------------------

# packet NS FROM PORT HEX: send it to a
# answer NS FROM PORT HEX: the same, and print what comes back
# overhear NS FROM PORT PATTERN: wait for a packet that matches
packet()
{
	peer send "$@"
}

answer()
{
	peer answer "$@"
}

overhear()
{
	peer overhear "$@"
}

peer()
{
	what=$1
	space=$2
	shift 2
	in_ns "$space" perl -e '
		my ($what, $from, $port, $hex) = @ARGV;
		sub addr { pack("S n C4 x8", 2, $_[1], split(/\./, $_[0])) }
		socket(S, 2, 2, 17) && setsockopt(S, 1, 2, 1) or die $!;
		bind(S, addr($from, $port)) or die $!;
		alarm 120;
		if ($what ne "overhear") {
			defined(send(S, pack("H*", $hex), 0, addr("10.0.0.1", 520))) or die $!;
			exit if $what eq "send";
			recv(S, $got, 1500, 0);
			print unpack("H*", $got), "\n";
			exit;
		}
		do { recv(S, $got, 1500, 0) } until unpack("H*", $got) =~ /$hex/;
	' "$what" "$@"
}

# entry NETWORK MASK METRIC [NEXT-HOP], all in hexadecimal, of eight digits each
entry()
{
	echo "00020000$1$2${4:-00000000}$3"
}

NINE=$(entry 0a090000 ffff0000 00000001)	# 10.9.0.0/16 metric 1
TELLS=02020000					# a response
ASKS=01020000					# a request
ALL=$(entry 00000000 00000000 00000010 | sed s/^0002/0000/)

# Only a has a router, and b has what sends packets.
alone()
{
	two
	modules "$@"
	router a ab stub
}

# teach: let a learn 10.9.0.0/16
teach()
{
	packet b 10.0.0.2 520 "$TELLS$NINE"
}

teaches()
{
	teach
	has_route a "10.9.0.0/16 via 10.0.0.2"
}

# --- routes ----------------------------------------------------------------------

test_routes_are_learned_and_packets_follow()
{
	two
	modules
	router a ab stub
	router b ba stub
	await "a learns" has_route a "10.2.0.0/24 via 10.0.0.2 dev ab"
	await "b learns" has_route b "10.1.0.0/24 via 10.0.0.1 dev ba"
	check "a reaches b's network" pings a 10.2.0.1
	check "b reaches a's network" pings b 10.1.0.1
	check "the manager names the protocol" \
		manager_says a "protocol rip 189 version 1 features 0x7"
}

test_routes_pass_through_a_router()
{
	network a b c
	join a ab 10.0.0.1 b ba 10.0.0.2
	join b bc 10.0.1.1 c cb 10.0.1.2
	stub a stub 10.1.0.1
	stub c stub 10.3.0.1
	in_ns b sh -c "echo 1 > /proc/sys/net/ipv4/ip_forward"
	modules
	router a ab stub
	router b ba bc
	router c cb stub
	await "a learns of c" has_route a "10.3.0.0/24 via 10.0.0.2"
	await "c learns of a" has_route c "10.1.0.0/24 via 10.0.1.1"
	check "its metric is that of two hops" has_route a "10.3.0.0/24 via 10.0.0.2 .*metric 3 "
	check "a reaches c's network" pings a 10.3.0.1
	unload rip
	await "no route is left in a" no_route a 10
	await "no route is left in c" no_route c 10
}

test_change_is_announced_at_once()
{
	two
	modules update_ms=$HOUR timeout_ms=$HOUR garbage_ms=$HOUR
	router b ba
	router a ab
	await "b learns of a when b asks" protocol_says b "route 10.0.0.0/24 metric 1 .*"
	rras a interface "add stub"
	rras a interface "up stub"
	await "b learns of the new network" has_route b "10.1.0.0/24 via 10.0.0.1"
	rras a interface "down stub"
	await "b learns that it is gone" no_route b "10.1.0.0/24"
	check "it is poisoned" protocol_says b "route 10.1.0.0/24 metric 16 .*"
}

test_route_times_out()
{
	alone timeout_ms=1600 garbage_ms=$HOUR
	await "a learns" teaches
	await "a forgets" no_route a 10.9.0.0/16
	check "the route is announced as unreachable" \
		protocol_says a "route 10.9.0.0/16 metric 16 .*"
}

test_unreachable_route_is_freed()
{
	alone timeout_ms=1600 garbage_ms=400
	await "a learns" teaches
	await "a forgets it all" protocol_lacks a "route 10.9.0.0/16 .*"
	check "the kernel, too" no_route a 10.9.0.0/16
}

test_reverse_is_poisoned()
{
	alone update_ms=400 timeout_ms=$HOUR
	rras a client "connect ab 10.0.0.2"
	await "a learns" teaches
	check "a poisons the route where it came from" overhear b 10.0.0.2 520 \
		"$(entry 0a090000 ffff0000 00000010)"
	check "and announces its own there" overhear b 10.0.0.2 520 \
		"$(entry 0a010000 ffffff00 00000001)"
}

test_better_route_replaces_a_worse_one()
{
	alone timeout_ms=$HOUR
	ip -n b address add 10.0.0.3/24 dev ba
	packet b 10.0.0.3 520 "$TELLS$(entry 0a090000 ffff0000 00000005)"
	await "a learns" has_route a "10.9.0.0/16 via 10.0.0.3 .*metric 6 "
	packet b 10.0.0.2 520 "$TELLS$(entry 0a090000 ffff0000 00000007)"
	await "a has the packet" protocol_says a "received 2"
	check "a worse one does not" has_route a "10.9.0.0/16 via 10.0.0.3 "
	packet b 10.0.0.2 520 "$TELLS$(entry 0a090000 ffff0000 00000002)"
	await "a better one does" has_route a "10.9.0.0/16 via 10.0.0.2 .*metric 3 "
	check "it is alone" [ "$(ip -n a route show 10.9.0.0/16 | wc -l)" -eq 1 ]
	packet b 10.0.0.2 520 "$TELLS$(entry 0a090000 ffff0000 00000009)"
	await "its neighbour makes it worse" has_route a "10.9.0.0/16 via 10.0.0.2 .*metric 10 "
	packet b 10.0.0.2 520 "$TELLS$(entry 0a090000 ffff0000 00000004 0a000003)"
	await "and names another next hop" has_route a "10.9.0.0/16 via 10.0.0.3 .*metric 5 "
	packet b 10.0.0.2 520 "$TELLS$(entry 0a090000 ffff0000 00000010)"
	await "and withdraws it" no_route a 10.9.0.0/16
}

# No neighbour of a device has a loopback address, and the table manager refuses one.
test_route_that_is_refused_leaves_nothing()
{
	alone timeout_ms=$HOUR
	await "a learns" teaches
	ip -n a address add 127.0.1.1/24 dev ab
	packet b 10.0.0.2 520 "$TELLS$(entry 0a090000 ffff0000 00000001 7f000102)"
	await "the next hop is another one, which the table manager has not" \
		protocol_says a "route 10.9.0.0/16 metric 2 via 127.0.1.2 index [0-9]*"
	await "the old one is gone" no_route a 10.9.0.0/16
	await "the old one comes again" teaches
	packet b 10.0.0.2 520 "$TELLS$(entry 0a090000 ffff0000 00000010)"
	await "and goes" no_route a 10.9.0.0/16
}

test_full_table_has_room_for_connected_networks()
{
	two
	modules timeout_ms=$HOUR
	set_param rip max_routes 2
	router a ab
	await "a knows its network" protocol_says a "route 10.0.0.0/24 metric 1 .*"
	packet b 10.0.0.2 520 "$TELLS$NINE$(entry 0a080000 ffff0000 00000001)"
	await "one route is learned" has_route a 10.9.0.0/16
	check "the other is not" protocol_says a "full 1"
	speak a stub
	await "a connected network is there" protocol_says a "route 10.1.0.0/24 metric 1 .*"
}

test_connected_network_is_not_learned()
{
	alone
	packet b 10.0.0.2 520 "$TELLS$(entry 0a010000 ffffff00 00000001)$NINE"
	await "a has the packet" has_route a 10.9.0.0/16
	check "its own network is its own" protocol_says a \
		"route 10.1.0.0/24 metric 1 via 0.0.0.0 .*"
}

test_request_is_answered()
{
	alone update_ms=$HOUR timeout_ms=$HOUR
	await "a knows its networks" protocol_says a "route 10.1.0.0/24 .*"
	answer b 10.0.0.2 5000 "$ASKS$ALL" > "$TMP"/table
	check "by a response" grep -q "^$TELLS" "$TMP"/table
	check "with the network" grep -q "$(entry 0a010000 ffffff00 00000001)" "$TMP"/table
	check "one network" [ "$(answer b 10.0.0.2 5000 "$ASKS$(entry 0a010000 ffffff00 00000000)")" \
		= "$TELLS$(entry 0a010000 ffffff00 00000001)" ]
	check "an unknown one" [ "$(answer b 10.0.0.2 5000 "$ASKS$NINE")" \
		= "$TELLS$(entry 0a090000 ffff0000 00000010)" ]
}

test_manager_refuses_a_route()
{
	alone
	rras a deny 10.9.0.0/16
	packet b 10.0.0.2 520 "$TELLS$NINE$(entry 0a080000 ffff0000 00000001)"
	await "the other is learned" has_route a 10.8.0.0/16
	check "it is counted" protocol_says a "denied 1"
	check "it is not learned" protocol_lacks a "route 10.9.0.0/16 .*"
	check "a network that is none" denies "$INVALID" a deny 10.9.0.0/33
	check "nor this" denies "$INVALID" a deny nonsense
}

test_many_routes_need_many_packets()
{
	alone timeout_ms=$HOUR
	for third in 00 01 02; do
		hex=$TELLS
		for fourth in 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14 15 \
			      16 17 18; do
			hex=${hex}000200000b${third}${fourth}00ffffff000000000000000001
		done
		packet b 10.0.0.2 520 "$hex"
	done
	await "75 routes are learned" routes_to a "^11" 75
	network c
	join a ac 10.0.2.1 c ca 10.0.2.2
	router c ca
	speak a ac
	await "all of them are announced" routes_to c "^11" 75
	check "none is bad" no_packet_was_bad c
}

# routes_to NS PATTERN NUMBER: test for so many routes in the kernel's table
routes_to()
{
	[ "$(ip -n "$1" route show proto rip | grep -c "$2")" -eq "$3" ]
}

test_table_manager_refuses_the_router()
{
	two
	modules
	load rtm_static protocol=189
	check "the number is taken" denies "Input/output error" a router start
	check "it is not started" manager_says a "router stopped"
	unload rtm_static
	check "the number is free" rras a router start
}

# BIRD is a routing daemon that knows nothing of this project.
test_bird_and_rip_learn_from_each_other()
{
	skip_unless BIRD command -v bird > /dev/null
	alone
	cat > "$TMP"/bird.conf <<-END
		router id 10.0.0.2;
		protocol device { scan time 1; }
		protocol direct { ipv4; interface "stub"; }
		protocol kernel { ipv4 { export all; }; scan time 1; }
		protocol rip {
			ipv4 { import all; export all; };
			interface "ba" { version 2; update time 1; timeout time 5; garbage time 5; };
		}
	END
	in_ns b bird -f -c "$TMP"/bird.conf -s "$TMP"/bird.ctl -P "$TMP"/bird.pid &
	trap 'kill "$(cat "$TMP"/bird.pid)"; wait; no_network' EXIT
	await "BIRD runs" [ -s "$TMP"/bird.pid ]
	await "RIP learns from BIRD" has_route a "10.2.0.0/24 via 10.0.0.2 dev ab"
	await "BIRD learns from RIP" bird_has "10.1.0.0/24 via 10.0.0.1 dev ba"
	check "a reaches BIRD's network" pings a 10.2.0.1
	check "BIRD reaches a's network" pings b 10.1.0.1
	check "no packet of BIRD was bad" no_packet_was_bad a
	in_ns b birdcl -s "$TMP"/bird.ctl show rip neighbors > "$TMP"/neighbours
	check "BIRD has a neighbour" grep -q "^10.0.0.1 " "$TMP"/neighbours
	rras a interface "delete stub"
	await "BIRD hears that a route is gone" bird_lacks "10.1.0.0/24"
	rras a client "connect ab 10.0.0.2"
	speak a stub
	await "BIRD learns again" bird_has "10.1.0.0/24 via 10.0.0.1 dev ba"
	ip -n b link set stub down
	await "RIP hears that a route is gone" no_route a 10.2.0.0/24
	ip -n b link set stub up
	await "RIP learns again" has_route a 10.2.0.0/24
	rras a router stop
	await "BIRD hears that a stops" bird_lacks "10.1.0.0/24"
}

bird_has()
{
	ip -n b route show proto bird | grep -q "^$1"
}

bird_lacks()
{
	! bird_has "$1"
}

no_packet_was_bad()
{
	! in_ns "$1" grep '^bad_.* [1-9]' /proc/net/rip
}

# --- bad packets -------------------------------------------------------------------

# drops COUNTER FROM PORT HEX: check that a drops such a packet and counts it, and learns nothing
drops()
{
	before=$(stat_of a "$1")
	packet b "$2" "$3" "$4"
	await "$1 is counted" stat_above a "$1" "$before"
	check "nothing is learned" protocol_lacks a "route 10.9.0.0/16 metric [0-9] .*"
}

test_bad_packet_is_dropped_and_counted()
{
	alone
	ip -n b address add 10.99.0.1/32 dev ba
	ip -n a route add 10.99.0.1 dev ab
	drops bad_source 10.99.0.1 520 "$TELLS$NINE"
	drops bad_port 10.0.0.2 521 "$TELLS$NINE"
	drops bad_version 10.0.0.2 520 "02000000$NINE"
	drops bad_version 10.0.0.2 520 "02010000$NINE"
	drops bad_version 10.0.0.2 520 "02030000$NINE"
	for command in 00 03 09 ff; do
		drops bad_command 10.0.0.2 520 "${command}020000$NINE"
	done
	long=$NINE
	while [ ${#long} -lt 1040 ]; do
		long=$long$NINE
	done
	for hex in "" 02 "$TELLS" "$TELLS${NINE}00" "$TELLS${NINE%??}" "$TELLS$long"; do
		drops bad_length 10.0.0.2 520 "$hex"
	done
	check "a still listens" teach
	await "and learns" has_route a 10.9.0.0/16
}

test_bad_entry_is_ignored()
{
	alone timeout_ms=$HOUR
	for metric in 00000000 00000011 ffffffff 01000000; do
		drops bad_metric 10.0.0.2 520 "$TELLS$(entry 0a090000 ffff0000 $metric)"
	done
	drops bad_family 10.0.0.2 520 "${TELLS}000a0000${NINE#00020000}"
	drops bad_family 10.0.0.2 520 "${TELLS}ffff0002${NINE#00020000}"
	drops bad_family 10.0.0.2 520 "${TELLS}ffff0002$(printf %032d 0)$NINE"
	for prefix in "0a090001 ffff0000" "0a090000 ff00ff00" "7f000000 ff000000" \
		      "e0000000 f0000000" "00000000 ff000000" "ffffffff ffffffff"; do
		# shellcheck disable=SC2086	# two words
		drops bad_prefix 10.0.0.2 520 "$TELLS$(entry $prefix 00000001)"
	done
	packet b 10.0.0.2 520 "$TELLS$(entry 0a080000 ffff0000 00000000)$NINE"
	await "the other entry of a packet is learned" has_route a 10.9.0.0/16
	check "and not the bad one" no_route a 10.8.0.0/16
	packet b 10.0.0.2 520 "$TELLS$(entry 00000000 00000000 00000001)"
	await "a default route is right" has_route a "default via 10.0.0.2"
}

# --- the manager and the protocol ------------------------------------------------------

test_start_and_its_errors()
{
	two
	load nmr
	load rip
	load rras update_ms=0
	check "a timer of 0" denies "$INVALID" a router start
	set_param rras update_ms 500
	set_param rras timeout_ms 400
	check "a timeout before the next update" denies "$INVALID" a router start
	set_param rras timeout_ms 3600001
	check "a timer too long" denies "$INVALID" a router start
	set_param rras timeout_ms 500
	set_param rras garbage_ms 0
	check "no time to collect garbage" denies "$INVALID" a router start
	set_param rras garbage_ms 500
	check "it is not started" manager_says a "router stopped"
	check "a word that is no command" denies "$INVALID" a router begone
	check "complete" denies "$DOWN" a router complete
	check "stop" denies "$DOWN" a router stop
	check "an interface" denies "$DOWN" a interface "add ab"
	check "start" rras a router start
	check "start again" denies "Operation already in progress" a router start
	check "complete again" denies "Operation already in progress" a router complete
	check "another namespace starts" rras b router start
	check "stop" rras a router stop
	check "it is done at once, without an event" manager_lacks a "event .*"
	check "stop again" denies "$DOWN" a router stop
	check "the other goes on" protocol_says b "router running"
}

test_manager_offers_and_the_protocol_narrows()
{
	two
	load nmr
	load rip
	load rras version=0
	check "a manager that is too old starts" rras a router start
	check "without a protocol" manager_lacks a "protocol .*"
	check "so it can do nothing" denies "$NO_DEVICE" a interface "add ab"
	rras a router stop
	set_param rras version 9
	set_param rras features 4294967295
	check "a newer one starts" rras a router start
	check "with what both know" manager_says a "protocol rip 189 version 1 features 0x7"
	rras a router stop
	set_param rras features 1
	check "one that knows less starts" rras a router start
	check "with less" manager_says a "protocol rip 189 version 1 features 0x1"
	speak a ab
	check "no updates" denies "Operation not supported" a interface "update ab"
	check "no clients" denies "Operation not supported" a client "connect ab 10.0.0.2"
	check "none at all" denies "Operation not supported" a client "disconnect ab 10.0.0.2"
	rras a router stop
	set_param rras features 6
	check "one that does not route" rras a router start
	check "gets no protocol" manager_lacks a "protocol .*"
	rras a router stop
	set_param rras features 15
	set_param rras required 9
	check "one that needs more" rras a router start
	check "declines" manager_lacks a "protocol .*"
}

test_no_upcall_before_start_complete()
{
	two
	modules
	rras a router begin || fail "begin"
	router b ba stub
	speak a ab
	stub a gone 10.7.0.1
	rras a interface "add gone"
	ip -n a link del gone
	await "b speaks" protocol_says b "route 10.2.0.0/24 .*"
	check "the protocol has started" protocol_says a "router started"
	check "it has received nothing" protocol_says a "received 0"
	check "and sent nothing" protocol_says a "sent 0"
	check "the manager was not called" manager_says a "upcalls 0"
	check "nor was it told of the device" manager_lacks a "event .*"
	check "no update before" denies "Input/output error" a interface "update ab"
	check "complete" rras a router complete
	await "a learns" has_route a 10.2.0.0/24
	await "the event comes" manager_says a "event interface_gone .*"
	check "the manager was called" [ "$(upcalls a)" -gt 0 ]
}

# queued NS: test that a packet waits in the protocol's socket
queued()
{
	in_ns "$1" awk '$2 ~ /:0208$/ && $5 !~ /:00000000$/ { found = 1 } END { exit !found }' \
		/proc/net/udp
}

test_packet_before_start_complete_is_not_accepted()
{
	two
	modules timeout_ms=$HOUR
	rras a router begin || fail "begin"
	speak a ab
	teach
	await "a packet waits" queued a
	check "complete" rras a router complete
	packet b 10.0.0.2 520 "$TELLS$(entry 0a080000 ffff0000 00000001)"
	await "a learns from the next one" has_route a 10.8.0.0/16
	check "and not from the first" protocol_lacks a "route 10.9.0.0/16 .*"
	check "which was not received" protocol_says a "received 1"
}

test_stop_is_pending_until_its_event()
{
	two
	modules update_ms=$HOUR timeout_ms=$HOUR garbage_ms=$HOUR
	router a ab stub
	router b ba stub
	await "b learns" has_route b 10.1.0.0/24
	await "a learns" has_route a 10.2.0.0/24
	mark
	check "stop" rras a router stop
	check "its event came" manager_says a "event router_stopped 0 0"
	check "once" [ "$(in_ns a grep -c "^event router_stopped" /proc/net/rras)" -eq 1 ]
	refuse "that there are no more is an error" logged "rip has no events"
	await "a has no route" no_route a 10
	await "a's neighbour was told" no_route b 10.1.0.0/24
	check "a holds no device" ip -n a link del stub
	router a ab
	await "it starts again" has_route a 10.2.0.0/24
}

# Set $foreign to the index of b's stub, which no device of a has. Indices of a namespace begin at
# 1.
foreign_index()
{
	foreign=$(ifindex b stub)
	while has_index a "$foreign"; do
		ip -n b link del stub
		stub b stub 10.2.0.1
		foreign=$(ifindex b stub)
	done
}

test_interfaces_and_their_errors()
{
	two
	modules
	rras a router start
	foreign_index
	for index in 0 -1 -2147483648 2147483647 "$foreign"; do
		for command in add up down update unbind delete; do
			check "$command $index" denies "$INVALID" a interface "$command $index"
		done
	done
	for name in none a/b .. "$(printf %0300d 1 | tr 01 xy)" 99999999999; do
		check "a name of $name" denies "$NO_DEVICE" a interface "add $name"
	done
	for words in "" add "add ab 0" "add ab 16" "add ab x" "add ab 1 active" \
		     "add ab 1 passive 2" "create ab"; do
		check "$words" denies "$INVALID" a interface "$words"
	done
	check "add" rras a interface "add ab 3"
	check "add again" denies "$INVALID" a interface "add ab"
	check "it starts disabled" protocol_says a "interface ab [0-9]* cost 3"
	check "update of one that is not active" denies "Input/output error" a interface \
		"update ab"
	check "up" rras a interface "up ab"
	check "it is active" protocol_says a "interface ab [0-9]* cost 3 active"
	check "down" rras a interface "down ab"
	check "it is not" protocol_says a "interface ab [0-9]* cost 3"
	check "unbind" rras a interface "unbind ab"
	check "unbind again" denies "$INVALID" a interface "unbind ab"
	check "up of one that is unbound" denies "$INVALID" a interface "up ab"
	check "update of one that is unbound" denies "$INVALID" a interface "update ab"
	check "connect on one that is unbound" denies "$INVALID" a client "connect ab 10.0.0.2"
	check "delete" rras a interface "delete ab"
	check "delete again" denies "$INVALID" a interface "delete ab"
	check "add once more" rras a interface "add $(ifindex a ab)"
}

test_device_in_use_by_another_daemon_is_refused()
{
	two
	modules
	overhear a 10.0.0.1 520 ff &
	await "it listens" in_ns a grep -q ":0208 " /proc/net/udp
	rras a router start
	check "the port is in use" denies "Input/output error" a interface "add ab"
	packet b 10.0.0.2 520 ff
	wait $!
	await "the port is free" rras a interface "add ab"
}

test_interface_that_is_unbound_loses_its_routes()
{
	alone timeout_ms=$HOUR garbage_ms=$HOUR
	await "a learns" teaches
	rras a client "connect ab 10.0.0.2"
	check "unbind" rras a interface "unbind ab"
	await "the route is gone" no_route a 10.9.0.0/16
	check "the client, too" protocol_lacks a "client .*"
	check "the manager has forgotten the client" manager_lacks a "client .*"
	check "the device is free" ip -n a link del ab
}

test_interface_that_is_deleted_loses_its_routes()
{
	alone timeout_ms=$HOUR garbage_ms=$HOUR
	await "a learns" teaches
	check "delete" rras a interface "delete ab"
	await "the route is gone" no_route a 10.9.0.0/16
	rras a interface "add ab"
	rras a interface "up ab"
	await "a learns again" teaches
	check "down" rras a interface "down ab"
	await "the route is gone" no_route a 10.9.0.0/16
	rras a interface "up ab"
	await "a learns again" teaches
	ip -n a link set ab down
	await "the device goes down, and the route goes" protocol_says a \
		"route 10.9.0.0/16 metric 16 .*"
	ip -n a link set ab up
	await "a learns again" teaches
}

test_passive_interface_is_announced_and_silent()
{
	alone
	rras a interface "delete ab"
	rras a interface "delete stub"
	before=$(stat_of a sent)
	rras a interface "add ab 1 passive"
	rras a interface "up ab"
	teach
	await "a has its network" protocol_says a "route 10.0.0.0/24 metric 1 .*"
	check "and sent nothing there" protocol_says a "sent $before"
	check "it cannot be updated" denies "Input/output error" a interface "update ab"
	network c
	join a ac 10.0.2.1 c ca 10.0.2.2
	router c ca
	speak a ac
	await "another neighbour learns of the network" has_route c "10.0.0.0/24 via 10.0.2.1"
	check "a has not listened" protocol_lacks a "route 10.9.0.0/16 .*"
}

test_update_on_demand()
{
	two
	modules update_ms=$HOUR timeout_ms=$HOUR
	router a ab
	check "ask" rras a interface "update ab"
	router b ba
	await "b answers" manager_says a "event update_done $(ifindex a ab) 0"
	set_param rras update_ms 300
	rras a router stop
	rras b router stop
	router a ab
	check "ask again" rras a interface "update ab"
	await "there is no answer" manager_says a "event update_done $(ifindex a ab) -110"
}

# --- clients -----------------------------------------------------------------------

test_clients_and_their_errors()
{
	two
	modules update_ms=$HOUR timeout_ms=$HOUR
	router a ab stub
	foreign_index
	for index in 0 -1 2147483647 "$foreign"; do
		check "connect $index" denies "$INVALID" a client "connect $index 10.0.0.2"
		check "disconnect $index" denies "$INVALID" a client "disconnect $index 10.0.0.2"
	done
	check "no such device" denies "$NO_DEVICE" a client "connect none 10.0.0.2"
	check "unknown" denies "No such file or directory" a client "disconnect ab 10.0.0.2"
	check "connect" rras a client "connect ab 10.0.0.2"
	check "connect again" denies "File exists" a client "connect ab 10.0.0.2"
	check "another" rras a client "connect ab 10.0.0.3"
	check "on another interface" denies "$INVALID" a client "connect stub 10.0.0.2"
	for address in 10.99.0.1 10.0.0.1 10.0.0.255 224.0.0.9 0.0.0.0 10.0.0 word; do
		check "no neighbour $address" denies "$INVALID" a client "connect ab $address"
	done
	check "another family" denies "Address family not supported" a client \
		"connect ab 2001:db8::1"
	check "another family" denies "Address family not supported" a client \
		"disconnect ab 2001:db8::1"
	check "words" denies "$INVALID" a client "connect ab"
	check "words" denies "$INVALID" a client "befriend ab 10.0.0.2"
	check "both are there" [ "$(in_ns a grep -c "^client ab " /proc/net/rip)" -eq 2 ]
	check "disconnect" rras a client "disconnect ab 10.0.0.2"
	check "disconnect again" denies "No such file or directory" a client \
		"disconnect ab 10.0.0.2"
	check "the other is there" protocol_says a "client ab 10.0.0.3"
}

test_client_gets_updates()
{
	alone
	ip -n b link set ba multicast off
	rras a client "connect ab 10.0.0.2"
	check "by unicast" overhear b 10.0.0.2 520 "$(entry 0a010000 ffffff00 00000001)"
}

# --- leaving ------------------------------------------------------------------------

# with_clients: a has a router, with clients on two devices
with_clients()
{
	two
	modules "$@"
	router a ab stub
	router b ba stub
	rras a client "connect ab 10.0.0.2"
	rras a client "connect stub 10.1.0.2"
	rras a client "connect stub 10.1.0.3"
	await "a learns" has_route a 10.2.0.0/24
	await "b learns" has_route b 10.1.0.0/24
	mark
}

test_device_is_deleted_under_it()
{
	with_clients
	index=$(ifindex a stub)
	check "delete" ip -n a link del stub
	check "it is gone" protocol_lacks a "interface stub .*"
	check "its clients, too" protocol_lacks a "client stub .*"
	await "the manager hears" manager_says a "event interface_gone $index 0"
	await "and forgets it" manager_lacks a "interface $index .*"
	await "b hears" no_route b 10.1.0.0/24
	check "it is unknown" denies "$INVALID" a interface "delete $index"
	check "a pair" ip -n b link del ba
	await "both are gone" protocol_lacks a "interface .*"
	await "no route is left" no_route a 10
	check "nothing waits" no_device_is_waited_for
}

test_device_moves_to_another_namespace()
{
	with_clients
	check "move" ip -n a link set stub netns b name moved
	check "it is gone" protocol_lacks a "interface stub .*"
	check "delete" ip -n b link del moved
	check "nothing waits" no_device_is_waited_for
}

test_namespace_goes_under_it()
{
	with_clients
	check "delete" ip netns del a
	await "its devices are gone" no_device b ba
	await "its binding is gone" has bindings 2
	await "b has no route" no_route b 10
	check "nothing waits" no_device_is_waited_for
	unload rip
	unload rras
}

test_namespace_goes_before_it_has_started()
{
	two
	modules
	rras a router begin
	speak a ab stub
	check "delete" ip netns del a
	await "its devices are gone" no_device b ba
	await "no binding" has bindings 0
}

test_manager_unloads_with_clients()
{
	with_clients
	unload rras
	check "no route in a" no_route a 10
	check "a's device is free" ip -n a link del stub
	check "b's device is free" ip -n b link del ba
	check "nothing waits" no_device_is_waited_for
	check "no binding" has bindings 0
}

test_protocol_unloads_with_clients_and_comes_back()
{
	with_clients
	unload rip
	await "no route in a" no_route a 10
	check "a's device is free" ip -n a link del stub
	check "no protocol" manager_lacks a "protocol .*"
	check "no protocol, no command" denies "$NO_DEVICE" a interface "down ab"
	stub a stub2 10.1.0.1
	load rip
	await "a learns" has_route a 10.2.0.0/24
	check "its client is back" protocol_says a "client ab 10.0.0.2"
	check "the device that is gone is not" [ "$(in_ns a grep -c ^interface /proc/net/rip)" -eq 1 ]
	speak a stub2
	await "b learns" has_route b 10.1.0.0/24
	check "nothing waits" no_device_is_waited_for
}

test_table_manager_unloads_and_comes_back()
{
	with_clients
	unload rtm
	await "no route" no_route a 10
	check "the protocol knows it" protocol_says a "route 10.2.0.0/24 metric 2 .*"
	load rtm
	await "the route is back" has_route a 10.2.0.0/24
	await "b's, too" has_route b 10.1.0.0/24
	unload rras
	unload rip
	check "none is left" no_route a 10
}

test_binding_is_detached_and_comes_back()
{
	with_clients
	paths=$(echo "$NMR"/bindings/*)
	for path in $paths; do
		echo fallback > "$path/detach"
	done
	for path in $paths; do
		await "it has gone" gone "$path"
	done
	await "all have come back" has bindings 4
	await "a learns" has_route a 10.2.0.0/24
	await "b learns" has_route b 10.1.0.0/24
	await "the client is back" protocol_says a "client ab 10.0.0.2"
}

test_modules_leave_together()
{
	with_clients
	rmmod rip &
	one=$!
	rmmod rras &
	two=$!
	rmmod rtm || fail "rtm"
	wait $one || fail "rip"
	wait $two || fail "rras"
	check "no route" no_route a 10
	check "a's device is free" ip -n a link del stub
	check "nothing waits" no_device_is_waited_for
}

test_full_queue_of_events_is_told()
{
	two
	modules
	router a ab
	set_param rras drain N
	for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do
		ip -n a link add gone$number type dummy
		rras a interface "add gone$number"
	done
	mark
	for number in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18; do
		ip -n a link del gone$number
	done
	check "nothing is drained" manager_lacks a "event .*"
	check "stop" rras a router stop
	check "it is told" logged "rip has lost events"
	check "the last one is not lost" manager_says a "event router_stopped 0 0"
}

# --- allocation failures --------------------------------------------------------------

# both PATTERN: test that the protocol and the manager show this
both()
{
	grep -q "^$1" /proc/net/rip && grep -q "^$1" /proc/net/rras
}

either()
{
	grep -q "^$1" /proc/net/rip /proc/net/rras
}

# without_memory PARAMETER COMMAND PATTERN UNDO: let each allocation of the command fail once. If the
# command fails, neither the protocol nor the manager shows what it would have added.
without_memory()
{
	file=/sys/module/rras/parameters/$1
	failures=0
	nth=1
	while [ $nth -le 24 ]; do
		if fails_at $nth "$file" "$2"; then
			both "$3" || fail "allocation $nth: $2 has lost something"
			echo "$4" > "$file"
		else
			! either "$3" || fail "allocation $nth: $2 has left something"
			failures=$((failures + 1))
		fi
		nth=$((nth + 1))
	done
	check "the write, its words, the manager and the protocol had no memory" [ $failures -ge 5 ]
}

test_command_without_memory_does_nothing()
{
	can_inject
	ip link add s0 type dummy || fail "no dummy"
	trap 'ip link del s0' EXIT
	ip address add 10.1.0.1/24 dev s0
	ip link set s0 up
	modules
	set_param rras router start
	without_memory interface "add s0" interface "delete s0"
	set_param rras interface "add s0"
	without_memory client "connect s0 10.1.0.2" client "disconnect s0 10.1.0.2"
}

# --- a protocol that is no good: rras_probe -------------------------------------------

# probed: a's router has the probe as its protocol
probed()
{
	two
	load nmr
	load rras_probe
	load rras
	rras a router start
	check "it is started" risen rras_probe starts 0
}

# The manager waits for a protocol for as long as its callbacks take.
test_slow_protocol_is_started()
{
	two
	load nmr
	load rras
	rras a router start
	load_later rras_probe hold_attached=1
	await "it is slow" counted rras_probe held 1
	clock
	await "seconds pass" up_for $((uptime + 3))
	release rras_probe attached
	loaded_later
	await "it is started" risen rras_probe starts 0
	check "it has a command" rras a interface "add ab"
}

test_namespace_ends_while_another_one_stops()
{
	probed
	network c
	join a ac 10.0.2.1 c ca 10.0.2.2
	hold rras_probe stop
	rras a router stop &
	stop=$!
	await "the stop takes long" counted rras_probe held 1
	ip netns del c
	await "the other namespace has ended" no_device a ac
	check "the stop takes long" running $stop
	release rras_probe stop
	wait $stop || fail "stop"
}

test_unknown_event_is_told()
{
	probed
	mark
	set_param rras_probe event 77
	await "it is told" logged "probe has an unknown event"
	set_param rras_probe event 1
	await "a known one is kept" manager_says a "event update_done 0 0"
	check "it alone" [ "$(in_ns a grep -c ^event /proc/net/rras)" -eq 1 ]
	check "stop" rras a router stop
	refuse "that there are no more is an error" logged "probe has no events"
}

test_protocol_that_cannot_tell_events()
{
	probed
	mark
	set_param rras_probe error -5
	set_param rras_probe event 1
	await "it is told" logged "probe has no events, error -5"
	set_param rras_probe error 0
	set_param rras_probe event 1
	await "the next ones come" manager_says a "event update_done 0 0"
}

run_program "$@"
