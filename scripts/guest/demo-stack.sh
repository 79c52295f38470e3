#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 4 -m 1024 $("$TOP/scripts/fetch/network-files.sh" "$kernel") -f $("$TOP/scripts/fetch/mprctl.sh"):/bin/mprctl
#
# All sample systems in one machine. Three network namespaces have routers, which speak RIP and
# have their routes in the routing table manager:
#
#	a 10.1.0.1 ---- 10.0.0.1 a - b 10.0.0.2 ---- 10.0.1.1 b - c 10.0.1.2 ---- c 10.3.0.1
#
# Packets from a to c follow what came through rtm.ko. A configuration server keeps what an
# administrator writes, and two transport servers send a file. Then modules leave in the worst
# order, under load: the lowest first. Each step shows what has gone, and what comes back. Runs
# in the guest. Exits 0 only if every step was verified. Each wait is for a state.

. /nmr/lib.sh
. /nmr/network.sh

WDS=/sys/kernel/debug/wds_client
SIZE=4000000

# --- talking ---------------------------------------------------------------

step()
{
	echo "=== $*"
}

passed()
{
	echo "  ok: $1"
}

# Show a command, and run it.
run()
{
	echo "  # $*"
	"$@"
}

# Indent the output of a command, which is shown.
see()
{
	echo "  # $*"
	"$@" 2>&1 | sed 's/^/      /'
}

# --- the network -----------------------------------------------------------

# Three namespaces in a row, of which the first and the last have a network of their own
chain()
{
	network a b c
	join a ab 10.0.0.1 b ba 10.0.0.2
	join b bc 10.0.1.1 c cb 10.0.1.2
	stub a stub 10.1.0.1
	stub c stub 10.3.0.1
	in_ns b sh -c "echo 1 > /proc/sys/net/ipv4/ip_forward"
}

# show_routes NS: show the routes that came through the table manager
show_routes()
{
	see ip -n "$1" route show proto rip
}

# reaches: send a packet from a to c
reaches()
{
	pings a 10.3.0.1
}

# Send the file from c to a by TCP, and compare. nc ends when its input or its peer does, so the
# receiver's input is a pipe that stays open.
transfers()
{
	in_ns c nc -l -p 7000 < "$TMP/content/disk" &
	server=$!
	until in_ns a nc 10.3.0.1 7000 > "$TMP/received" 2> /dev/null <> "$TMP/pipe"; do
		running "$server" || return 1
		sleep 0.1
	done
	wait "$server"
	cmp -s "$TMP/content/disk" "$TMP/received"
}

# Send packets from a to c for ever, and count those that were answered.
load_begins()
{
	echo 0 > "$TMP/answered"
	(
		n=0
		while [ -e "$TMP/answered" ]; do
			reaches || continue
			n=$((n + 1))
			echo $n > "$TMP/answered"
		done 2> /dev/null
	) &
}

answered()
{
	cat "$TMP/answered"
}

# more_answered NUMBER: test that packets were answered since
more_answered()
{
	[ "$(answered)" -gt "$1" ]
}

routes_are_back()
{
	await "a has learned of c's network again" has_route a "10.3.0.0/24 via 10.0.0.2"
	await "c has learned of a's network again" has_route c "10.1.0.0/24 via 10.0.1.1"
	before=$(answered)
	await "packets are answered again" more_answered "$before"
}

routes_are_gone()
{
	for space in a b c; do
		await "$space has no route of RIP" no_route $space 10
	done
	show_routes a
}

# --- the steps -------------------------------------------------------------

start_routers()
{
	step "Three routers: the manager starts RIP, and RIP is a client of rtm"
	for module in rtm rip "rras update_ms=400 timeout_ms=2400 garbage_ms=1600"; do
		# shellcheck disable=SC2086	# words
		run load $module
	done
	router a ab stub
	router b ba bc
	router c cb stub
	await "a has learned of c's network" has_route a "10.3.0.0/24 via 10.0.0.2"
	await "c has learned of a's network" has_route c "10.1.0.0/24 via 10.0.1.1"
	show_routes a
	see in_ns a cat /proc/net/rtm
	check "packets from a reach c" reaches
	check "a file of $SIZE bytes is the same after TCP from c to a" transfers
	load_begins
}

configure()
{
	step "A configuration server, and its administrators"
	run load mpr
	run load mpr_admin
	run load mpr_nl
	admin "connect -"
	admin "create 1 0 ab 3 1"
	admin "create 1 0 stub 3 1"
	see mprctl_list
	check "an administrator in user space sees what the module has created" \
		listed ab
	see cat /sys/module/mpr/parameters/handles
}

# Write a command of mpr_admin.
admin()
{
	echo "  # echo $1 > /sys/module/mpr_admin/parameters/command"
	echo "$1" > /sys/module/mpr_admin/parameters/command || fail "mpr_admin: $1"
}

mprctl_list()
{
	printf 'connect\nlist @\n' | mprctl
}

listed()
{
	mprctl_list | grep -q "$1"
}

start_transfer()
{
	step "Two transport servers, and two clients in the middle of a file"
	run load wds_server content="$TMP/content/disk" hold_read=$((SIZE / 2))
	run load wds_server2 content="$TMP/content2/disk"
	run load wds_client content=disk dest="$TMP/fetched" retry_ms=50
	run load wds_client2 content=disk dest="$TMP/fetched2" retry_ms=50
	await "the client is attached to wds_server" attached wds_client wds_server
	link=$(binding wds_client wds_server)
	await "its call stops in the middle of a chunk" is "$link/client_calls" 1
	see grep -E '^(status|done|size)' $WDS
}

remove_rtm()
{
	step "The lowest module leaves: rtm, with three routers above"
	run unload rtm
	check "rtm is gone" gone /sys/module/rtm
	routes_are_gone
	check "RIP and its manager are still there" loaded rip
	run load rtm
	routes_are_back
}

remove_rip()
{
	step "The protocol leaves: rip, with its peers, between manager and rtm"
	run unload rip
	check "rip is gone" gone /sys/module/rip
	routes_are_gone
	see in_ns a cat /proc/net/rras
	run load rip
	routes_are_back
}

remove_manager()
{
	step "The manager leaves: rras. RIP has to stop, and to forget interfaces and routes"
	run unload rras
	routes_are_gone
	check "RIP holds no device: c's can be deleted" ip -n c link del stub
	stub c stub 10.3.0.1
	run load rras update_ms=400 timeout_ms=2400 garbage_ms=1600
	router a ab stub
	router b ba bc
	router c cb stub
	routes_are_back
}

remove_server()
{
	step "A transport server leaves in the middle of a chunk"
	run unload wds_server &
	leaving=$!
	await "rmmod waits for the call" is "$link/state" detaching
	see cat "$link/reason" "$link/client_calls"
	set_param wds_server hold_read 0
	wait "$leaving"
	check "wds_server is gone" gone /sys/module/wds_server
	await "the client has moved to wds_server2, and has its file" \
		grep -q "^status done" $WDS
	see cat $WDS
	check "it is whole" cmp "$TMP/content/disk" "$TMP/fetched"
	await "the other client has it, too" grep -q "^status done" ${WDS}2
	check "it is whole" cmp "$TMP/content/disk" "$TMP/fetched2"
	run load wds_server content="$TMP/content/disk"
}

remove_configuration()
{
	step "An administrator leaves, and then the server"
	run unload mpr_admin
	check "its handles are taken back" counted mpr handles 0
	check "its connection is closed" counted mpr connections 0
	check "what it has stored stays" listed stub
	run unload mpr
	check "mpr is gone" gone /sys/module/mpr
	run load mpr
	await "mpr_nl has found it" attached mpr_nl mpr
	run load mpr_admin
	admin "connect -"
}

remove_namespace()
{
	step "A namespace goes, with a router in it"
	before=$(answered)
	run ip netns del c
	await "a forgets c's network" no_route a 10.3
	check "packets were answered until then" [ "$before" -gt 0 ]
	rm "$TMP/answered"
}

all_leave()
{
	step "All leave: nmr is refused while they are there, and the lowest come first"
	check "rmmod nmr is refused" refused rmmod nmr
	for module in rtm mpr wds_server wds_server2 rip wds_client wds_client2 rras mpr_nl mpr_admin; do
		run unload $module
	done
	for space in a b; do
		check "$space has no route of RIP" no_route $space 10
		run ip netns del $space
	done
	check "no client, provider or binding is left in $NMR" empty
	run unload nmr
	check "$NMR is gone" gone "$NMR"
}

refused()
{
	! "$@" 2> /dev/null
}

TMP=$(mktemp -d)
mkdir -p "$TMP/content" "$TMP/content2"
head -c $SIZE /dev/urandom > "$TMP/content/disk"
cp "$TMP/content/disk" "$TMP/content2/disk"
mkfifo "$TMP/pipe"
mkdir -p /run/netns
for device in dummy veth; do
	insmod /modules/$device.ko || exit
done

read -r kernel < /proc/sys/kernel/osrelease
step "The sample systems on a stock Debian kernel, $kernel, $(nproc) CPUs"
run load nmr
chain
start_routers
configure
start_transfer
remove_rtm
remove_rip
remove_manager
remove_server
remove_configuration
remove_namespace
all_leave

step "Every step was verified"
