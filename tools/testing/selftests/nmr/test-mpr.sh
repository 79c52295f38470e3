#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# The configuration server of samples/mpr: each operation and each error, from a module and by
# generic netlink. mprctl is the administrator's program, which scripts/fetch/mprctl.sh builds.

# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

IP=33 IPX=43 IPV6=87
CLIENT=0 HOME_ROUTER=1 DEDICATED=3 INTERNAL=4

ADMIN=/sys/module/mpr_admin/parameters

# --- the administrator's module --------------------------------------------

# admin COMMAND...: set $answer to the errno and to what the server has returned
admin()
{
	echo "$*" > $ADMIN/command || fail "mpr_admin knows no $1"
	read -r answer < $ADMIN/answer
}

# tell ANSWER COMMAND...: check that the module gets this answer
tell()
{
	expected=$1
	shift
	admin "$@"
	[ "$answer" = "$expected" ] || fail "mpr_admin: $*: not \"$expected\" but \"$answer\""
}

# handle COMMAND...: set $id to the handle that the module gets
handle()
{
	admin "$@"
	case $answer in
	"0 "*)	id=${answer#0 } ;;
	*)	fail "mpr_admin: $*: $answer" ;;
	esac
}

load_server()
{
	load nmr
	load mpr "$@"
	load mpr_admin
	check "mpr_admin is attached" attached mpr_admin mpr
}

# in_use CONNECTIONS HANDLES BUFFERS OBJECTS: test what mpr.ko counts
in_use()
{
	counted mpr connections "$1" && counted mpr handles "$2" &&
		counted mpr buffers "$3" && counted mpr objects "$4"
}

# --- administrators in user space -------------------------------------------

# load_netlink [PARAMETER]...: load the server and both of its clients
load_netlink()
{
	skip_unless mprctl command -v mprctl > /dev/null
	load_server "$@"
	load mpr_nl
	check "mpr_nl is attached" attached mpr_nl mpr
}

# Start an administrator, a or b, which has a socket of its own until it is stopped.
start_a()
{
	mkfifo "$TMP/a.in" "$TMP/a.out"
	mprctl < "$TMP/a.in" > "$TMP/a.out" 6>&- 7>&- &
	a=$!
	exec 4> "$TMP/a.in" 5< "$TMP/a.out"
	rm "$TMP/a.in" "$TMP/a.out"
}

start_b()
{
	mkfifo "$TMP/b.in" "$TMP/b.out"
	mprctl < "$TMP/b.in" > "$TMP/b.out" 4>&- 5>&- &
	b=$!
	exec 6> "$TMP/b.in" 7< "$TMP/b.out"
	rm "$TMP/b.in" "$TMP/b.out"
}

stop_a()
{
	exec 4>&- 5>&-
	wait "$a" || fail "mprctl failed"
}

stop_b()
{
	exec 6>&- 7>&-
	wait "$b" || fail "mprctl failed"
}

# ctl_a COMMAND...: set $answer to what administrator a gets
ctl_a()
{
	echo "$*" >&4
	IFS= read -r answer <&5
}

ctl_b()
{
	echo "$*" >&6
	IFS= read -r answer <&7
}

# answers ANSWER: fail unless $answer is that; an errno may have a message behind it
answers()
{
	case $answer in
	"$1")	return ;;
	"$1 "*)	[ "${1#-}" = "$1" ] || return 0 ;;
	esac
	fail "not \"$1\" but \"$answer\""
}

# tell_a ANSWER COMMAND...: check that administrator a gets this answer
tell_a()
{
	expected=$1
	shift
	ctl_a "$@"
	answers "$expected"
}

tell_b()
{
	expected=$1
	shift
	ctl_b "$@"
	answers "$expected"
}

# says WORDS: check that the kernel has explained the last error like this
says()
{
	case $answer in
	*"$1"*)	;;
	*)	fail "no \"$1\" in \"$answer\"" ;;
	esac
}

# --- cases of the NPI ------------------------------------------------------

test_connects_and_disconnects()
{
	load_server router=east
	tell "0 1" connect -
	tell "0 2" connect east
	tell -113 connect west
	tell -22 connect - !
	tell -22 connect a/b
	tell -22 connect "$(printf %0300d 0)"
	check "two connections" in_use 2 0 0 0
	tell 0 disconnect 1
	check "one connection" in_use 1 0 0 0
	tell 0 disconnect 1
	tell 0 disconnect 77
	check "one connection" in_use 1 0 0 0
	tell -19 find 1 eth0
	tell "0 3" connect -
	tell 0 disconnect 2
	tell 0 disconnect 3
	check "nothing in use" in_use 0 0 0 0
}

test_creates_and_finds()
{
	load_server
	tell "0 1" connect -
	tell "0 1" create 1 0 eth0 $DEDICATED 1
	tell "0 2" create 1 2 ppp0 $CLIENT 0 555
	check "two interfaces" in_use 1 2 0 2
	tell -17 create 1 0 eth0 $DEDICATED 1
	tell "0 1" find 1 eth0
	tell "0 2" find 1 ppp0
	tell -2 find 1 eth1
	tell -22 find 1 -
	tell -22 find 1 eth0 !
	tell -22 create 1 0 -
	tell -22 create 1 0 eth1 0 0 !
	tell -22 create 1 4 eth1 0 0
	tell -22 create 1 0 eth1 8 0
	tell -22 create 1 3 eth1 0 0 - 0xff
	tell -22 create 1 2 eth1 0 0 "$(printf %064d 0)"
	tell -19 create 2 0 eth1 0 0
	tell -19 find 2 eth0
	check "as before" in_use 1 2 0 2
}

test_names_that_are_not_allowed()
{
	load_server
	tell "0 1" connect -
	for bad in / a/b /etc .. . "$(printf 'a\001b')" "$(printf %0256d 0)" \
		   "$(printf %0300d 0)"; do
		tell -22 create 1 0 "$bad" 0 0
		tell -22 find 1 "$bad"
		tell -22 connect "$bad"
	done
	check "nothing was made" in_use 1 0 0 0
	longest=$(printf %0255d 0)
	tell "0 1" create 1 0 "$longest" 0 0
	tell "0 1" find 1 "$longest"
}

test_reads_levels()
{
	load_server
	tell "0 1" connect -
	tell "0 1" create 1 3 ppp0 $CLIENT 1 555
	tell "0 0 264 ppp0 0 1" get 1 1 0
	tell "0 1 288 ppp0 0 1" get 1 1 1
	tell "0 2 356 ppp0 0 1 555" get 1 1 2
	tell "0 3 372 ppp0 0 1 555" get 1 1 3
	check "four buffers" in_use 1 1 4 1
	tell -22 get 1 1 4
	tell -22 get 1 1 0 !
	tell -19 get 1 2 0
	tell -19 get 2 1 0
	tell 0 free 1 1
	tell -22 free 1 1
	tell -22 free 1 -
	tell -19 free 2 0
	tell "0 2" connect -
	tell -22 free 2 0
	check "three buffers" in_use 2 1 3 1
	tell 0 disconnect 1
	check "disconnect frees the buffers" in_use 1 0 0 1
}

test_changes()
{
	load_server
	tell "0 1" connect -
	tell "0 1" create 1 2 ppp0 $CLIENT 0 555
	tell 0 set 1 1 0 ppp0 $CLIENT 1
	tell "0 0 356 ppp0 0 1 555" get 1 1 2
	tell 0 set 1 1 2 ppp0 $CLIENT 1 777
	tell "0 1 356 ppp0 0 1 777" get 1 1 2
	tell -22 set 1 1 0 ppp1 $CLIENT 1
	tell -22 set 1 1 0 ppp0 $DEDICATED 1
	tell -22 set 1 1 0 -
	tell -22 set 1 1 4 ppp0 $CLIENT 1
	tell -22 set 1 1 0 a/b $CLIENT 1
	tell -19 set 1 2 0 ppp0 $CLIENT 1
	tell -19 set 2 1 0 ppp0 $CLIENT 1
	tell "0 2 356 ppp0 0 1 777" get 1 1 2
}

# An interface that the router itself needs is changed while it is disabled, and not then.
test_enabled_dedicated_is_not_changed()
{
	load_server
	tell "0 1" connect -
	for type in $DEDICATED $INTERNAL; do
		handle create 1 0 "if$type" "$type" 0
		tell 0 set 1 "$id" 0 "if$type" "$type" 1
		tell -22 set 1 "$id" 0 "if$type" "$type" 0
		tell -22 set 1 "$id" 2 "if$type" "$type" 1 555
		tell 0 delete 1 "$id"
	done
}

test_deletes()
{
	load_server
	tell "0 1" connect -
	tell "0 2" connect -
	tell "0 1" create 1 0 eth0 0 0
	tell "0 2" transport-create 1 1 $IP data
	tell "0 1" find 2 eth0
	tell "0 2" transport-find 2 1 $IP
	check "each has a handle of both" in_use 2 4 0 2
	tell 0 delete 2 1
	# The handles of the other connection keep the memory, and nothing else.
	for command in "get 1 1 0" "set 1 1 0 eth0 0 0" "delete 1 1" "transport-get 1 2" \
		       "transport-set 1 2 x" "transport-delete 1 2" "transport-find 1 1 $IP" \
		       "transport-create 1 1 $IPX" "transport-enum 1 1 0 8 0" "delete 2 1"; do
		tell -19 "$command"
	done
	tell -2 find 1 eth0
	tell -61 enum 1 0 65536 0
	check "objects wait for handles" in_use 2 3 0 2
	tell "0 3" create 1 0 eth0 0 0
	tell -19 get 1 1 0
	tell 0 disconnect 1
	tell 0 disconnect 2
	check "one interface is stored" in_use 0 0 0 1
}

test_enumerates()
{
	load_server
	tell "0 1" connect -
	tell -61 enum 1 0 65536 0
	for name in a b c d e; do
		handle create 1 0 $name 0 0
	done
	tell "0 0 6 5 5 a b c d e" enum 1 0 65536 0
	tell -61 enum 1 0 65536 6
	tell "0 1 3 2 5 a b" enum 1 0 528 0
	tell 0 delete 1 3
	tell 0 delete 1 1
	handle create 1 0 f 0 0
	tell "0 2 5 1 4 d" enum 1 0 527 3
	tell "0 3 7 2 4 e f" enum 1 0 1000 5
	tell -61 enum 1 0 1000 7
	tell -22 enum 1 0 263 0
	tell -22 enum 1 1 65536 0
	tell -22 enum 1 0 65536 0 !
	tell -19 enum 2 0 65536 0
	check "buffers" in_use 1 4 4 4
}

test_transports_of_router_and_interface()
{
	load_server
	tell "0 1" connect -
	tell "0 1" create 1 0 eth0 0 0
	for owner in 0 1; do
		tell -61 transport-enum 1 $owner 0 8 0
		handle transport-create 1 $owner $IP data
		ip=$id
		handle transport-create 1 $owner $IPV6
		ipv6=$id
		tell -17 transport-create 1 $owner $IP
		tell -93 transport-create 1 $owner 34
		tell -22 transport-create 1 $owner $IPX - 5
		tell -22 transport-create 1 $owner $IPX x 2049
		tell -22 transport-create 1 $owner $IPX x !
		tell "0 $ip" transport-find 1 $owner $IP
		tell -93 transport-find 1 $owner $IPX
		tell -93 transport-find 1 $owner 34
		tell -22 transport-find 1 $owner $IP !
		admin transport-get 1 "$ip"
		check "its data" [ "${answer#0 * }" = "$IP 4 data" ]
		tell 0 transport-set 1 "$ip" changed
		admin transport-get 1 "$ip"
		check "its new data" [ "${answer#0 * }" = "$IP 7 changed" ]
		tell -22 transport-set 1 "$ip" - 5
		tell -22 transport-set 1 "$ip" x 2049
		tell 0 transport-set 1 "$ip" -
		admin transport-get 1 "$ip"
		check "no data" [ "${answer#0 * }" = "$IP 0" ]
		tell -22 transport-get 1 "$ip" !
		admin transport-enum 1 $owner 0 8 0
		check "the first" [ "${answer#0 * }" = "34 1 2 $IP" ]
		admin transport-enum 1 $owner 0 800 34
		check "the second" [ "${answer#0 * }" = "88 1 2 $IPV6" ]
		tell -61 transport-enum 1 $owner 0 8 88
		tell -22 transport-enum 1 $owner 0 7 0
		tell -22 transport-enum 1 $owner 1 8 0
		tell -22 transport-enum 1 $owner 0 8 0 !
		tell 0 transport-delete 1 "$ip"
		tell -19 transport-delete 1 "$ip"
		tell -93 transport-find 1 $owner $IP
	done
	tell -19 transport-create 1 9 $IP
	tell -19 transport-create 9 0 $IP
	tell -19 transport-find 1 9 $IP
	tell -19 transport-enum 1 9 0 8 0
	# A handle of one kind is none of the other.
	tell -19 transport-get 1 1
	tell -19 transport-set 1 1 x
	tell -19 get 1 "$ipv6" 0
	tell -19 delete 1 "$ipv6"
}

# A command may say that the data is longer than its word.
test_data_has_the_size_that_a_command_says()
{
	load_server
	tell "0 1" connect -
	tell "0 1" transport-create 1 0 $IP x 2000
	tell "0 0 $IP 2000 x" transport-get 1 1
	tell 0 transport-set 1 1 yz 2048
	tell "0 1 $IP 2048 yz" transport-get 1 1
	tell 0 transport-set 1 1 yz 1
	tell "0 2 $IP 1 y" transport-get 1 1
}

test_limits()
{
	load_server limit=2
	tell "0 1" connect -
	tell "0 2" connect -
	tell -105 connect -
	tell "0 1" create 1 0 a 0 0
	tell "0 2" create 1 0 b 0 0
	tell -105 create 1 0 c 0 0
	tell -105 transport-create 1 1 $IP
	tell -105 transport-create 1 0 $IP
	tell "0 1" find 1 a
	tell "0 0 264 a 0 0" get 1 1 0
	tell "0 1 264 a 0 0" get 1 1 0
	tell -105 get 1 1 0
	tell -105 enum 1 0 65536 0
	check "as many as allowed" in_use 2 2 2 2
	# A client has that many in all of its connections.
	tell -105 find 2 a
	tell -105 enum 2 0 65536 0
	tell -105 transport-create 2 0 $IP
	tell 0 free 1 0
	tell "0 2 264 a 0 0" get 1 1 0
	tell 0 disconnect 2
	tell "0 3" connect -
	# A handle that cannot be issued leaves nothing behind.
	tell 0 delete 1 2
	tell "0 1" transport-create 3 0 $IP
	tell -105 transport-find 1 0 $IP
	tell -105 create 1 0 c 0 0
	check "no interface is left" in_use 2 2 2 2
	tell 0 disconnect 1
	tell "0 2" create 3 0 c 0 0
	check "the handles and buffers are free again" in_use 1 2 0 3
}

test_configuration_outlives_clients()
{
	load_server
	tell "0 1" connect -
	handle create 1 0 eth0 $DEDICATED 1
	handle transport-create 1 "$id" $IP data
	for again in 1 2 3; do
		admin get 1 1 0
	done
	check "three buffers, $again" in_use 1 2 3 2
	unload mpr_admin
	check "only the configuration is left" in_use 0 0 0 2
	load mpr_admin
	tell -19 find 1 eth0
	tell "0 1" connect -
	tell "0 1" find 1 eth0
	tell "0 2" transport-find 1 1 $IP
	unload mpr_admin
	unload mpr
	load mpr
	load mpr_admin
	tell "0 1" connect -
	tell -2 find 1 eth0
}

# An administrator's detach ends the binding, and what the client had of it.
test_detach_of_one_binding()
{
	load_server
	tell "0 1" connect -
	handle create 1 0 eth0 0 0
	admin get 1 1 0
	check "in use" in_use 1 1 1 1
	echo fallback > "$(binding mpr_admin mpr)/detach"
	await "the connection has ended" in_use 0 0 0 1
	set_reoffer mpr_admin
	await "mpr_admin is attached again" attached mpr_admin mpr
	tell -19 get 1 1 0
	tell "0 1" connect -
	tell "0 1" find 1 eth0
}

set_reoffer()
{
	echo all > "$(registration clients "$1")/reoffer"
}

test_client_picks_a_router()
{
	load nmr
	load mpr router=east,west
	load mpr_admin router=north
	check "no binding" has bindings 0
	unload mpr_admin
	load mpr_admin router=west
	check "one binding" has bindings 1
	tell "0 1" connect west
	tell -113 connect east
	handle create 1 0 eth0 0 0
	unload mpr_admin
	load mpr_admin router=east
	tell "0 1" connect east
	tell -2 find 1 eth0
	unload mpr_admin
	unload mpr
	load_refused mpr router=a/b
	load_refused mpr router=
	load_refused mpr router=1,2,3,4,5,6,7,8,9
}

# Each allocation of each operation fails once.
test_allocation_failures()
{
	load_server
	tell "0 1" connect -
	tell "0 1" create 1 0 eth0 0 0
	tell "0 2" transport-create 1 0 $IP data
	tell "0 2" connect -
	can_inject
	failures=0
	inject disconnect connect -
	inject "delete 1" create 1 0 eth1 0 0
	inject "transport-delete 1" transport-create 1 1 $IPV6 data
	for command in "get 1 1 0" "enum 1 0 65536 0" "find 2 eth0" "transport-get 1 2" \
		       "transport-set 1 2 data" "transport-enum 1 0 0 8 0" \
		       "transport-find 2 0 $IP"; do
		# shellcheck disable=SC2086	# words
		inject "" $command
	done
	check "each command that allocates has failed" [ "$failures" -ge 9 ]
}

# inject UNDO COMMAND...: run the command, and let the first allocation fail, then the second and
# so on. If none of them was the server's, undo what the command did.
inject()
{
	undo=$1
	shift
	for nth in 1 2 3 4 5 6 7 8 9 10 11 12; do
		before=$(counts)
		fails_at $nth $ADMIN/command "$*" || continue
		read -r answer < $ADMIN/answer
		case $answer in
		-12)	failures=$((failures + 1))
			[ "$before" = "$(counts)" ] || fail "$1 has left something" ;;
		0*)	[ -z "$undo" ] || tell 0 "$undo ${answer#0 }" ;;
		*)	fail "$*: $answer" ;;
		esac
	done
}

counts()
{
	cat /sys/module/mpr/parameters/*
}

# --- cases of generic netlink ----------------------------------------------

HOURS=170

test_netlink_operations()
{
	load_netlink
	start_a
	tell_a "0 1" connect
	tell_a "0 2" connect local
	tell_a 0 disconnect 2
	tell_a "0 1" create 1 0 eth0 $DEDICATED 1
	tell_a "0 2" create 1 3 ppp0 $CLIENT 0 $HOURS 555 60 2001:db8::1
	tell_a "0 1" find 1 eth0
	tell_a "0 eth0 3 1" get 1 1 0
	tell_a "0 eth0 3 1 0" get 1 1 1
	tell_a "0 eth0 3 1 0  0" get 1 1 2
	tell_a "0 eth0 3 1 0  0 ::" get 1 1 3
	tell_a "0 ppp0 0 0" get 1 2 0
	tell_a "0 ppp0 0 0 $HOURS" get 1 2 1
	tell_a "0 ppp0 0 0 $HOURS 555 60" get 1 2 2
	tell_a "0 ppp0 0 0 $HOURS 555 60 2001:db8::1" get 1 2 3
	tell_a 0 set 1 2 1 ppp0 $CLIENT 1 85
	tell_a "0 ppp0 0 1 85 555 60 2001:db8::1" get 1 2 3
	tell_a "0 eth0 ppp0" list 1
	for owner in 0 1; do
		tell_a 0 transport-list 1 $owner
		ctl_a transport-create 1 $owner $IP data
		id=${answer#0 }
		ctl_a transport-create 1 $owner $IPV6
		check "a handle" [ "${answer%% *}" = 0 ]
		tell_a "0 $id" transport-find 1 $owner $IP
		tell_a "0 $IP data" transport-get 1 "$id"
		tell_a 0 transport-set 1 "$id" changed
		tell_a "0 $IP changed" transport-get 1 "$id"
		tell_a "0 $IP:7 $IPV6:0" transport-list 1 $owner
		tell_a 0 transport-delete 1 "$id"
		tell_a "0 $IPV6:0" transport-list 1 $owner
	done
	tell_a 0 delete 1 1
	tell_a "0 ppp0" list 1
	check "mpr_nl keeps no buffer" in_use 1 3 0 3
	tell_a 0 disconnect 1
	check "nothing is open" in_use 0 0 0 2
	tell_a 0 disconnect 1
	tell_a 0 disconnect 99
	stop_a
}

test_netlink_errors()
{
	load_netlink
	start_a
	tell_a -113 connect west
	says "another name"
	tell_a -22 connect a/b
	says "does not allow"
	tell_a "0 1" connect
	tell_a "0 1" create 1 0 eth0 $DEDICATED 1
	tell_a -17 create 1 0 eth0 0 0
	says "one already"
	tell_a -2 find 1 eth1
	says "no such interface"
	tell_a -22 create 1 4 eth1 0 0 1 1 1 ::
	tell_a -22 create 1 0 eth1 99 0
	tell_a -22 create 1 3 eth1 0 0 1 1 1 ff02::1
	tell_a -34 create 1 0 eth1 0 2
	tell_a -22 create 1 0 eth1 0 0 1
	says "has no such attribute"
	tell_a -22 create 1 2 eth1 0 0 1 1 1 ::
	says "has no such attribute"
	for level in 1 2 3; do
		tell_a -22 create 1 $level eth1 0 0
		says "level needs another attribute"
	done
	tell_a -22 set 1 1 0 eth0 $DEDICATED 0
	says "does not allow"
	tell_a -22 get 1 1 4
	for command in "find 9 eth0" "get 9 1 0" "create 9 0 eth1 0 0" "delete 9 1" \
		       "list 9" "transport-list 9 0" "transport-create 9 0 $IP"; do
		tell_a -19 "$command"
		says "no such connection"
	done
	for command in "get 1 9 0" "set 1 9 0 eth0 0 0" "delete 1 9" "transport-list 1 9" \
		       "transport-create 1 9 $IP" "transport-find 1 9 $IP" \
		       "transport-get 1 9" "transport-set 1 9 x" "transport-delete 1 9"; do
		tell_a -19 "$command"
		says "gone"
	done
	tell_a -93 transport-create 1 0 99
	says "no such protocol"
	tell_a -93 transport-find 1 0 $IP
	check "as before" in_use 1 1 0 1
	stop_a
}

test_netlink_names()
{
	load_netlink
	start_a
	tell_a "0 1" connect
	for bad in a/b / . ..; do
		tell_a -22 create 1 0 "$bad" 0 0
		tell_a -22 find 1 "$bad"
	done
	long=$(printf %0300d 0)
	for command in "create 1 0 $long 0 0" "find 1 $long" "connect $long"; do
		tell_a -22 "$command"
		says "bad attribute"
	done
	longest=$(printf %0255d 0)
	tell_a "0 1" create 1 0 "$longest" 0 0
	tell_a "0 $longest" list 1
	stop_a
}

test_netlink_limits()
{
	load_netlink limit=2
	start_a
	tell_a "0 1" connect
	tell_a "0 1" create 1 0 a 0 0
	tell_a "0 2" create 1 0 b 0 0
	tell_a -105 create 1 0 c 0 0
	says "as many"
	tell_a "0 2" connect
	tell_a -105 connect
	stop_a
	await "the socket's connections end" in_use 0 0 0 2
}

# A creates and leaves; B finds it. B deletes, and A's handle is gone.
test_netlink_and_module()
{
	load_netlink
	tell "0 1" connect -
	handle create 1 0 eth0 0 0
	unload mpr_admin
	start_a
	start_b
	tell_a "0 1" connect
	tell_a "0 1" find 1 eth0
	tell_b "0 2" connect
	tell_b "0 1" find 2 eth0
	tell_b 0 delete 2 1
	tell_a -19 get 1 1 0
	tell_a -19 delete 1 1
	tell_a "0 2" create 1 0 eth1 0 0
	stop_a
	load mpr_admin
	tell "0 1" connect -
	tell "0 1" find 1 eth1
	stop_b
}

test_netlink_handles_belong_to_a_socket()
{
	load_netlink
	start_a
	start_b
	tell_a "0 1" connect
	tell_a "0 1" create 1 0 eth0 0 0
	tell_b -19 get 1 1 0
	tell_b -19 list 1
	tell_b -19 delete 1 1
	tell_b 0 disconnect 1
	tell_a "0 eth0" list 1
	stop_b
	stop_a
}

test_netlink_socket_closes()
{
	load_netlink
	start_a
	start_b
	for id in 1 2 3; do
		tell_a "0 $id" connect
		tell_a "0 1" create $id 0 eth$id 0 0
	done
	tell_b "0 4" connect
	check "four connections" in_use 4 3 0 3
	kill -9 "$a"
	await "only b's connection is left" in_use 1 0 0 3
	tell_b "0 eth1 eth2 eth3" list 4
	stop_b
	await "no connection is left" in_use 0 0 0 3
}

# What a socket does not hear of was not done: it would not know the handle.
test_netlink_lost_replies()
{
	load_netlink
	start_a
	tell_a "0 1" connect
	tell_a "0 1" create 1 0 eth0 0 0
	ctl_a deaf 1 1
	heard=${answer#0 }
	echo "# $heard replies came"
	check "some came" [ "$heard" -gt 0 ]
	check "and some did not" [ "$heard" -lt 20 ]
	check "there is what was told" in_use 1 $((1 + heard)) 0 $((1 + heard))
	tell_a "0 eth0 deaf$(seq -s ' deaf' 0 $((heard - 1)))" list 1
	tell_a 0 transport-list 1 1
	tell_a "0 23" transport-create 1 1 $IP
	stop_a
}

test_netlink_needs_cap_net_admin()
{
	load_netlink
	for command in connect "disconnect 1" "create 1 0 eth0 0 0" "find 1 eth0" "get 1 1 0" \
		       "set 1 1 0 eth0 0 0" "delete 1 1" "list 1" "transport-list 1 0" \
		       "transport-create 1 0 33" "transport-find 1 0 33" "transport-get 1 1" \
		       "transport-set 1 1 x" "transport-delete 1 1"; do
		answer=$(as_user "mprctl $command")
		answers -1
		# shellcheck disable=SC2086	# words
		answer=$(unshare -r mprctl $command)
		answers -1
	done
	answer=$(mprctl connect)
	answers "0 1"
	check "nothing was made" in_use 0 0 0 0
}

test_netlink_only_in_the_first_namespace()
{
	load_netlink
	answer=$(unshare -n mprctl connect)
	answers -2
}

# Each attribute of each message is missing, short, long, nested too deep; and headers are wrong.
test_netlink_malformed()
{
	load_netlink
	start_a
	tell_a "0 1" connect
	# Each message is well-formed but for its fault: a create would exist, and a set would work.
	tell_a "0 1" create 1 0 local $HOME_ROUTER 0
	tell_a "0 2" transport-create 1 1 $IP data
	before=$(counts)
	echo "raw 1 1 2" >&4
	number=0
	while read -r line <&5 && [ "$line" != end ]; do
		number=$((number + 1))
		case $line in
		*" -22"|*" -34"|*" -95")	;;
		*)	fail "malformed: $line" ;;
		esac
	done
	echo "# $number malformed messages"
	check "many messages" [ "$number" -gt 300 ]
	check "nothing has changed" [ "$before" = "$(counts)" ]
	tell_a "0 local $HOME_ROUTER 0 0  0 ::" get 1 1 3
	tell_a "0 $IP data" transport-get 1 2
	# The messages were refused for their faults: without these they are not.
	echo "raw-valid" >&4
	while read -r line <&5 && [ "$line" != end ]; do
		case $line in
		"interface-create 0 none -17") ;;
		"interface-create "*)	fail "well-formed: $line" ;;
		*" none 0") ;;
		*)	fail "well-formed: $line" ;;
		esac
	done
	stop_a
}

# begin SERVER: let administrator a begin a list, and set $names to what its first part has
begin()
{
	ctl_a begin "$1"
	names=${answer#1}
	check "the list goes on" [ "$answer" = "1$names" ]
}

# end ERRNO: let administrator a read the rest of the list; set $parts, and add to $names
end()
{
	ctl_a end
	check "the list ends with $1" [ "${answer%% *}" = "$1" ]
	parts=${answer#* }
	names=$names${parts#"${parts%% *}"}
	parts=${parts%% *}
}

# fill NUMBER: let administrator a connect, and create interfaces
fill()
{
	tell_a "0 1" connect
	made=0
	while [ $made -lt "$1" ]; do
		made=$((made + 1))
		tell_a "0 $made" create 1 0 "if$made" 0 0
	done
}

test_netlink_long_list()
{
	load_netlink
	start_a
	fill 1000
	ctl_a list 1
	check "each once, in order" [ "$answer" = "0 if$(seq -s ' if' 1000)" ]
	begin 1
	end 0
	check "in parts" [ "$parts" -gt 5 ]
	check "the parts have each once, in order" [ "$names" = " if$(seq -s ' if' 1000)" ]
	stop_a
}

# What is there all the time is listed once, whatever else comes and goes.
test_netlink_list_of_what_changes()
{
	load_netlink
	start_a
	start_b
	fill 400
	tell_b "0 2" connect
	begin 1
	check "the first part" [ "${names# if1 if2 if3 if4 if5 }" != "$names" ]
	for n in 1 5 350 399; do
		ctl_b find 2 if$n
		tell_b 0 delete 2 "${answer#0 }"
	done
	ctl_b create 2 0 new 0 0
	end 0
	# The first part has if1 and if5. The other parts have neither if350 nor if399.
	expected=$(seq 400 | sed s/^/if/ | grep -vx -e if350 -e if399)
	echo "$names" | tr ' ' '\n' | sed -e /^$/d -e /^new$/d > "$TMP/listed"
	check "each once, in order" [ "$(cat "$TMP/listed")" = "$expected" ]
	check "what is new at most once" [ "$(echo "$names" | grep -ow new | wc -l)" -le 1 ]
	stop_a
	stop_b
}

# Threads share a socket: what one of them reads is there until it has read it.
test_disconnect_in_a_list()
{
	load_netlink
	start_a
	fill 100
	for id in $(seq 2 100); do
		tell_a "0 $id" connect
	done
	tell_a 0 race 100
	check "nothing is open" in_use 0 0 0 100
	tell_a "0 101" connect
	tell_a "0 1" find 101 if1
	stop_a
}

# A connection of a server that has left is none of the next server's, also not of its first one.
test_netlink_handles_are_not_issued_again()
{
	load_netlink
	start_a
	tell_a "0 1" connect
	tell_a "0 1" create 1 0 old 0 0
	unload mpr_admin
	unload mpr
	load mpr
	await "mpr_nl has the new server" attached mpr_nl mpr
	tell_a "0 2" connect
	tell_a "0 1" create 2 0 new 0 0
	for command in "list 1" "get 1 1 0" "delete 1 1"; do
		tell_a -19 "$command"
		says "no such connection"
	done
	tell_a 0 disconnect 1
	tell_a "0 new" list 2
	check "one connection" in_use 1 1 0 1
	stop_a
}

test_server_leaves_in_a_list()
{
	load_netlink
	start_a
	fill 200
	begin 1
	unload mpr_admin
	unload mpr
	end -19
	tell_a -19 list 1
	says "no configuration server"
	tell_a -19 connect
	says "no configuration server"
	tell_a 0 disconnect 1
	load mpr
	await "mpr_nl has the new server" attached mpr_nl mpr
	tell_a -19 list 1
	says "no such connection"
	tell_a "0 2" connect
	tell_a 0 list 2
	stop_a
}

# Netlink holds a module while one of its dumps is in progress. The socket's end ends the dump.
test_client_leaves_in_a_list()
{
	load_netlink
	start_a
	fill 200
	begin 1
	refuse "rmmod mpr_nl in a list" rmmod mpr_nl 2> /dev/null
	kill -9 "$a"
	await "the socket's connection ends" counted mpr connections 0
	await "rmmod mpr_nl" rmmod mpr_nl 2> /dev/null
	check "nothing is open" in_use 0 0 0 200
}

test_client_leaves_with_connections()
{
	load_netlink
	start_a
	tell_a "0 1" connect
	tell_a "0 1" create 1 0 eth0 0 0
	check "in use" in_use 1 1 0 1
	unload mpr_nl
	check "nothing is open" in_use 0 0 0 1
	ctl_a list 1
	check "no family" [ "${answer#-}" != "$answer" ]
	load mpr_nl
	start_b
	tell_b "0 1" connect
	tell_b "0 eth0" list 1
	stop_a
	check "a's end takes nothing of b" in_use 1 0 0 1
	stop_b
}

# Administrators go on while modules come and go in changing orders.
test_modules_come_and_go_under_traffic()
{
	load_netlink
	unload mpr_admin
	: > "$TMP/work"
	for worker in 1 2 3; do
		while [ -e "$TMP/work" ]; do
			printf '%s\n' connect "create @ 0 w$worker 0 0" "find @ w$worker" \
				"transport-create @ % $IP x" "list @" "get @ % 3" \
				"find @ w1" "set @ % 0 w1 0 1" "get @ % 0" "delete @ %" |
				mprctl >> "$TMP/said"
		done &
	done
	for order in "mpr mpr_nl" "mpr_nl mpr" "mpr" "mpr_nl" "mpr mpr" "mpr_nl mpr_nl" \
		     "mpr mpr_nl mpr" "mpr_nl mpr mpr_nl"; do
		for module in $order; do
			# A list may hold mpr_nl for a moment.
			await "rmmod $module" rmmod "$module" 2> /dev/null
			load "$module"
		done
		await "the modules are attached" attached mpr_nl mpr
	done
	rm "$TMP/work"
	wait
	check "administrators have changed something" grep -q "^0 w1 0 1" "$TMP/said"
	await "nothing is open" counted mpr connections 0
	check "no handle is left" counted mpr handles 0
	check "no buffer is left" counted mpr buffers 0
	check "as many objects as stored" stored "$(value "$(param mpr objects)")"
}

# stored NUMBER: test that there are as many interfaces and transports
stored()
{
	printf '%s\n' connect "list @" > "$TMP/commands"
	# shellcheck disable=SC2046	# words
	set -- "$1" $(mprctl < "$TMP/commands" | sed -n '2s/^0//p')
	echo "# $1 objects, interfaces: $*"
	[ "$1" -ge $(($# - 1)) ] && [ "$1" -le $((2 * ($# - 1))) ]
}

run_program "$@"
