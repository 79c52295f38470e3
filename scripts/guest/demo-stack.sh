#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 4 -m 1024 $("$TOP/scripts/fetch/network-files.sh" "$kernel")
# guest: -f $("$TOP/scripts/fetch/mprctl.sh"):/bin/mprctl
#
# All sample systems in one machine. Three network namespaces have routers, which speak RIP and
# have their routes in the routing table manager:
#
#	a 10.1.0.1 ---- 10.0.0.1 a - b 10.0.0.2 ---- 10.0.1.1 b - c 10.0.1.2 ---- c 10.3.0.1
#
# Packets from a to c follow what came through rtm.ko. A configuration server keeps what an
# administrator writes, and two transport servers send a file. Then modules leave in the worst
# order, under load: the lowest first. Each step shows what has gone, and what comes back: the
# bindings in sysfs, the routes of a, and what the modules themselves count. Runs in the guest.
# Exits 0 only if every step was verified. Each wait is for a state.

. /nmr/lib.sh
. /nmr/network.sh

DEBUG=/sys/kernel/debug
MPR=/sys/module/mpr/parameters
CLIENTS="wds_client wds_client2"
SIZE=4000000
port=7000

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

# Print how many bindings sysfs has of each client and provider, and their state.
bindings()
{
	for folder in "$NMR"/bindings/*; do
		said "$folder/client/module" && from=$said
		said "$folder/provider/module" && to=$said
		said "$folder/state" && echo "$from --> $to: $said"
	done | sort | uniq -c
}

# show_routers, show_administrators, show_transfers: show the bindings and the routes of a, and
# what the modules of that system count
show_routers()
{
	see bindings
	see ip -n a route show proto rip
	see in_ns a grep -sE '^(upcalls|received|sent) ' /proc/net/rras /proc/net/rip
	see grep -s . /sys/module/rtm/parameters/routes /sys/module/rtm/parameters/nodes
}

show_administrators()
{
	see bindings
	see ip -n a route show proto rip
	see grep -s . $MPR/connections $MPR/handles $MPR/buffers $MPR/objects
}

show_transfers()
{
	see bindings
	see ip -n a route show proto rip
	see grep -sE '^(status|done|joins|resumes|upcalls|detaches) ' $DEBUG/wds_client \
		$DEBUG/wds_client2
	see grep -s . $DEBUG/wds_server/sessions $DEBUG/wds_server2/sessions
}

# unbound CLIENT PROVIDER: test that there is no binding of the two
unbound()
{
	! binding "$1" "$2" > /dev/null
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

# reaches: send a packet from a to c
reaches()
{
	pings a 10.3.0.1
}

# Send the file from c to a by TCP, and compare. nc ends when its input or its peer does, so the
# receiver's input is a pipe that stays open.
transfers()
{
	port=$((port + 1))
	in_ns c nc -l -p $port < "$TMP/content/disk" &
	server=$!
	until in_ns a nc 10.3.0.1 $port > "$TMP/received" 2> /dev/null <> "$TMP/pipe"; do
		running "$server" || return 1
		sleep 0.1
	done
	wait "$server"
	cmp -s "$TMP/content/disk" "$TMP/received"
}

# Send packets from a to c for ever. $TMP/answered has a line for each that was answered.
load_begins()
{
	: > "$TMP/answered"
	(
		while [ -e "$TMP/answered" ]; do
			reaches || continue
			echo >> "$TMP/answered"
		done 2> /dev/null
	) &
}

answered()
{
	wc -l < "$TMP/answered"
}

# more_answered NUMBER: test that packets were answered since
more_answered()
{
	[ "$(answered)" -gt "$1" ]
}

# Check that packets are answered, which do not need the modules that have left.
packets_go_on()
{
	before=$(answered)
	await "packets are answered meanwhile" more_answered "$before"
}

routes_are_back()
{
	await "a has learned of c's network again" has_route a "10.3.0.0/24 via 10.0.0.2"
	await "c has learned of a's network again" has_route c "10.1.0.0/24 via 10.0.1.1"
	before=$(answered)
	await "packets are answered again" more_answered "$before"
	check "a file of $SIZE bytes is the same after TCP from c to a" transfers
	show_routers
}

routes_are_gone()
{
	for space in a b c; do
		await "$space has no route of RIP" no_route $space 10
	done
	show_routers
}

# --- the steps -------------------------------------------------------------

start_routers()
{
	step "Three routers: the manager starts RIP, and RIP is a client of rtm"
	for module in rtm rip "rras update_ms=400 timeout_ms=6000 garbage_ms=1600"; do
		# shellcheck disable=SC2086	# words
		run load $module
	done
	router a ab stub
	router b ba bc
	router c cb stub
	await "a has learned of c's network" has_route a "10.3.0.0/24 via 10.0.0.2"
	await "c has learned of a's network" has_route c "10.1.0.0/24 via 10.0.1.1"
	see in_ns a cat /proc/net/rtm
	show_routers
	await "packets from a reach c" reaches
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
	show_administrators
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

# start_clients SERVER: load both clients, which the server stops in the middle of their files
start_clients()
{
	set_param "$1" hold_read $((SIZE / 2))
	for client in $CLIENTS; do
		run load "$client" content=disk dest="$TMP/$client" retry_ms=50
		await "$client is attached to $1" attached "$client" "$1"
	done
	await "both stop in the middle of a chunk" counted "$1" calls_held 2
	show_transfers
}

start_transfer()
{
	step "Two transport servers, and two clients in the middle of a file"
	run load wds_server content="$TMP/content/disk"
	run load wds_server2 content="$TMP/content2/disk"
	start_clients wds_server
}

remove_rtm()
{
	step "The lowest module leaves: rtm, with three routers above"
	run unload rtm
	check "rtm is gone" gone /sys/module/rtm
	check "no binding to it is left" unbound rip rtm
	routes_are_gone
	await "RIP knows the way still" protocol_says a "route 10.3.0.0/24 metric 3 .*"
	run load rtm
	routes_are_back
}

remove_rip()
{
	step "The protocol leaves: rip, with its peers, between manager and rtm"
	run unload rip
	check "rip is gone" gone /sys/module/rip
	check "its bindings as a client are gone" unbound rip rtm
	check "and those as a provider" unbound rras rip
	routes_are_gone
	check "rtm has no route left" is /sys/module/rtm/parameters/routes 0
	see in_ns a cat /proc/net/rras
	run load rip
	routes_are_back
}

remove_manager()
{
	step "The manager leaves: rras. RIP has to stop, and to forget interfaces and routes"
	run unload rras
	check "rras is gone" gone /sys/module/rras
	check "RIP has no router left, so no client of rtm" unbound rip rtm
	routes_are_gone
	check "RIP holds no device: c's can be deleted" ip -n c link del stub
	stub c stub 10.3.0.1
	run load rras update_ms=400 timeout_ms=6000 garbage_ms=1600
	router a ab stub
	router b ba bc
	router c cb stub
	routes_are_back
}

# remove_server SERVER OTHER FOLDER: have a server leave that has both clients, and come back with
# the content of the folder. The clients move to the other server.
remove_server()
{
	step "A transport server leaves in the middle of a chunk: $1"
	link=$(binding wds_client "$1")
	run unload "$1" &
	leaving=$!
	await "rmmod waits for the call" is "$link/state" detaching
	see cat "$link/reason" "$link/client_calls"
	set_param "$1" hold_read 0
	wait "$leaving" || fail "rmmod $1"
	check "$1 is gone" gone "/sys/module/$1"
	for client in $CLIENTS; do
		await "$client is done" grep -q "^status done" "$DEBUG/$client"
		check "it has moved to $2" attached "$client" "$2"
		check "it went on where it was" grep -q "^resumes 1" "$DEBUG/$client"
		check "its file is whole" cmp "$TMP/content/disk" "$TMP/$client"
	done
	show_transfers
	packets_go_on
	run load "$1" content="$TMP/$3/disk"
}

remove_clients()
{
	step "The transport clients leave: they are done, and come for the file once more"
	for client in $CLIENTS; do
		run unload "$client"
		check "its binding is gone" unbound "$client" wds_server2
	done
	start_clients wds_server2
	step "The transport clients leave in the middle of a chunk"
	link=$(binding wds_client wds_server2) leaving=
	for client in $CLIENTS; do
		run unload "$client" &
		leaving="$leaving $!"
	done
	await "the server has no client" no_client wds_server2
	check "rmmod waits for the call" is "$link/state" detaching
	show_transfers
	packets_go_on
	set_param wds_server2 hold_read 0
	# shellcheck disable=SC2086	# words
	wait $leaving
	for client in $CLIENTS; do
		check "$client is gone" gone "/sys/module/$client"
		check "so is its binding" unbound "$client" wds_server2
	done
	start_clients wds_server2
}

# no_client SERVER: test that no client has joined a session of the server
no_client()
{
	! grep -q . "$DEBUG/$1/clients"
}

# Start an administrator in user space, with a connection that stays open. Its input is 4.
open_connection()
{
	mkfifo "$TMP/commands"
	mprctl < "$TMP/commands" > "$TMP/answers" &
	exec 4> "$TMP/commands"
	echo connect >&4
}

remove_netlink()
{
	step "The way of administrators in user space goes: mpr_nl, with a connection open"
	open_connection
	await "a connection is open, beside that of mpr_admin" counted mpr connections 2
	show_administrators
	run unload mpr_nl
	check "it is gone" gone /sys/module/mpr_nl
	check "its connection is closed" counted mpr connections 1
	check "no administrator gets through" refused listed stub
	show_administrators
	packets_go_on
	run load mpr_nl
	await "mpr_nl has found mpr" attached mpr_nl mpr
	check "what was stored is there" listed stub
	exec 4>&-
}

remove_configuration()
{
	step "An administrator leaves, and then the server"
	run unload mpr_admin
	check "its handles are taken back" counted mpr handles 0
	check "its connection is closed" counted mpr connections 0
	check "what it has stored stays" listed stub
	show_administrators
	run unload mpr
	check "mpr is gone" gone /sys/module/mpr
	check "no binding to it is left" unbound mpr_nl mpr
	check "no administrator gets through" refused listed stub
	packets_go_on
	run load mpr
	await "mpr_nl has found it" attached mpr_nl mpr
	run load mpr_admin
	admin "connect -"
	admin "create 1 0 ab 3 1"
	check "an administrator in user space sees what the module has created" listed ab
	show_administrators
}

remove_namespace()
{
	step "A namespace goes, with a router in it"
	before=$(answered)
	run ip netns del c
	await "a forgets c's network" no_route a 10.3
	check "packets were answered until then" [ "$before" -gt 0 ]
	rm "$TMP/answered"
	show_routers
}

all_leave()
{
	step "All leave: nmr is refused while they are there, and the lowest come first"
	check "rmmod nmr is refused" refused rmmod nmr
	for module in rtm mpr wds_server wds_server2 rip wds_client wds_client2 rras mpr_nl \
		      mpr_admin; do
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
remove_server wds_server wds_server2 content
remove_clients
remove_server wds_server2 wds_server content2
remove_netlink
remove_configuration
remove_namespace
all_leave

step "Every step was verified"
