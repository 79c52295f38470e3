#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154
#
# All sample systems at once. Their modules load and unload in random orders, while packets pass
# between two network namespaces over routes of the table manager, static routes change, files are
# transferred, and administrators read and write a configuration. When all have gone, what they had
# has gone: slab objects, per-CPU memory, references to network devices, routes of the FIB.
#
# The orders come in three parts of 50. The first one warms up. After each part nothing is left of
# modules and network, so the machine must be the same after the first part and after the third.

. "$(dirname "$0")/lib.sh"
# shellcheck source=network.sh
. "$(dirname "$0")/network.sh"

ORDERS=50
SLACK=4		# slab objects by which a cache may have grown after 100 orders
LATE=6		# seconds; kfree_rcu() keeps objects for 5 s before their grace period
LEAKS=/sys/kernel/debug/kmemleak
SLAB=/sys/kernel/slab
MODULES="rtm rtm_static rtm_static2 rip rras mpr mpr_admin mpr_nl wds_server wds_server2 wds_client
	 wds_client2"

# Print a number from 0 to $1 - 1. SEED=NUMBER repeats the orders.
random()
{
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	number=$((seed / 65536 % $1))
}

# --- the modules -------------------------------------------------------------

# come MODULE: load it with its parameters, and configure the routers if it is a part of them
come()
{
	case $1 in
	rtm_static)	load "$1" protocol=201 ;;
	rtm_static2)	load "$1" protocol=202 ;;
	rras)		load "$1" update_ms=400 timeout_ms=20000 garbage_ms=1600 ;;
	wds_server)	load "$1" content="$TMP/a/disk" ;;
	wds_server2)	load "$1" content="$TMP/b/disk" ;;
	wds_client*)	load "$1" content=disk dest="$TMP/$1" chunk=512 retry_ms=20 ;;
	*)		load "$1" ;;
	esac
	case $1 in
	rras|rip)	configure ;;
	esac
}

# Start the routers if both of their modules are there. The manager may have kept what they are.
configure()
{
	loaded rras && loaded rip || return 0
	for space in a b; do
		rras $space router start
		for device in ab ba stub; do
			rras $space interface "add $device"
			rras $space interface "up $device"
		done
	done 2> /dev/null
	return 0
}

# A list in progress holds mpr_nl for a moment.
leave()
{
	await "rmmod $1" rmmod "$1" 2> /dev/null
}

# --- traffic -----------------------------------------------------------------

# Each of these goes on until $TMP/busy is gone, whatever modules are there.

send_packets()
{
	while [ -e "$TMP/busy" ]; do
		! pings a 10.2.0.1 || echo a >> "$TMP/answered"
		! pings b 10.1.0.1 || echo b >> "$TMP/answered"
		pings a 10.0.0.2 || sleep 0.1
	done 2> /dev/null
}

# write_in NS MODULE COMMAND...: each in a write of its own
write_in()
{
	space=$1 file=/sys/module/$2/parameters/command
	shift 2
	# shellcheck disable=SC2016	# for the inner shell
	in_ns "$space" sh -c 'file=$1; shift; for command; do echo "$command" > "$file"; done' \
		sh "$file" "$@"
}

change_routes()
{
	n=0
	while [ -e "$TMP/busy" ]; do
		n=$(((n + 1) % 100))
		write_in a rtm_static "add 10.9.$n.0/24 via 10.0.0.2 dev ab" \
			"add 10.2.0.0/24 via 10.0.0.2 dev ab metric 9" dequeue "get 10.9.9.9"
		write_in a rtm_static2 "add 10.9.$n.0/24 dev stub metric 3" \
			"add 10.8.$n.0/24 dev stub ttl 1" dequeue
		write_in b rtm_static2 "add 2001:db8:$n::/48 dev stub" "dequeue inet6"
		[ $((n % 10)) -ne 0 ] || write_in a rtm_static block-delete
	done 2> /dev/null
}

administrate()
{
	while [ -e "$TMP/busy" ]; do
		printf '%s\n' connect "create @ 0 if1 0 0" "find @ if1" "transport-create @ % 33 x" \
			"list @" "set @ % 0 if1 0 1" "get @ % 3" "delete @ %" | mprctl > /dev/null
		for command in "connect -" "create 1 0 if2 0 0" "find 1 if2" "enum 1 0 0 4096 0"; do
			echo "$command" > /sys/module/mpr_admin/parameters/command
		done
	done 2> /dev/null
}

traffic_begins()
{
	: > "$TMP/busy"
	: > "$TMP/answered"
	workers=
	for work in send_packets change_routes administrate; do
		$work &
		workers="$workers $!"
	done
}

traffic_ends()
{
	rm "$TMP/busy"
	# shellcheck disable=SC2086	# words
	wait $workers
}

answers()
{
	wc -l < "$TMP/answered"
}

more_answers()
{
	[ "$(answers)" -gt "$1" ]
}

# --- what is counted ---------------------------------------------------------

# fib: print what the FIBs of both namespaces have. The kernel adds IPv6 routes for its own addresses
# when it has tested these.
fib()
{
	for space in a b; do
		ip -n $space -4 route show table all
		in_ns $space grep -E "Leaves|Prefixes" /proc/net/fib_triestat
		ip -n $space -6 route show table main | grep -v "^fe80"
	done
}

# A worker of the kernel looks at the carrier of a new device.
carriers_are_known()
{
	! fib | grep -q linkdown
}

# What the modules allocate from, and what the kernel allocates for them. kmalloc-8 and kmalloc-96 are
# not among these: each file of sysfs that a process has read keeps an object there for some seconds.
caches()
{
	for cache in "$SLAB"/kmalloc-*; do
		case ${cache##*/} in
		kmalloc-8|kmalloc-96|kmalloc-rnd-??-8|kmalloc-rnd-??-96)	;;
		*)	echo "$cache" ;;
		esac
	done
	# The cache of nodes of the IPv6 FIB has either name.
	for cache in net_namespace ip_fib_alias ip_fib_trie fib6_node fib6_nodes ip6_dst_cache UDP \
		     proc_dir_entry skbuff_head_cache; do
		[ ! -e "$SLAB/$cache" ] || echo "$SLAB/$cache"
	done
}

# objects CACHE: set $objects to the objects of the cache that are in use. A process would allocate, so
# none is started.
objects()
{
	said "$1/objects"
	objects=${said%% *}
}

# Set $tasks to the number of threads. Each worker of the kernel has an object in some caches, and
# stays for minutes.
count_tasks()
{
	read -r tasks < /proc/loadavg
	tasks=${tasks#*/} tasks=${tasks%% *}
}

# objects_are_at_most NUMBER CACHE SECONDS: wait for this
objects_are_at_most()
{
	clock
	deadline=$((uptime + $3))
	objects "$2"
	while [ "$objects" -gt "$1" ]; do
		clock
		[ "$uptime" -lt $deadline ] || return 1
		objects "$2"
	done
}

# Objects are counted if the kernel was started with slub_debug=F. Otherwise each CPU has a slab of its
# own, and the free objects of that count as used. A kernel that looks for leaks, or for a use after
# free, keeps objects that were freed.
counts_slabs()
{
	is "$SLAB/net_namespace/sanity_checks" 1 && [ ! -e $LEAKS ]
}

# namespaces_are_at_most NUMBER. A namespace ends some time after its devices.
namespaces_are_at_most()
{
	objects "$SLAB/net_namespace"
	[ "$objects" -le "$1" ]
}

percpu()
{
	awk '/^Percpu/ { print $2 }' /proc/meminfo
}

# Free the names that the kernel remembers. A directory of sysfs that has been looked up, and then
# removed, keeps its objects until another lookup.
forget_names()
{
	echo 2 > /proc/sys/vm/drop_caches
}

count_slabs()
{
	forget_names
	clock
	await "what is freed late has been freed" up_for $((uptime + LATE))
	for cache in $(caches); do
		objects "$cache"
		echo "$cache $objects"
	done
	count_tasks
	counted=$tasks
}

# slabs_are_as_in FILE: test that no cache has grown by more than $SLACK objects and one for each
# thread that has come, or is so again when what is freed late must have been freed
slabs_are_as_in()
{
	forget_names
	count_tasks
	more=$((tasks > counted ? SLACK + tasks - counted : SLACK))
	grown=no
	while read -r cache before; do
		! objects_are_at_most $((before + more)) "$cache" $((10 * LATE)) || continue
		echo "# ${cache##*/} had $before objects, and has $objects"
		grown=yes
	done < "$1"
	[ $grown = no ]
}

percpu_is_at_most()
{
	[ "$(percpu)" -le "$1" ]
}

# kmemleak reports an object at the second scan that finds it unreferenced, if it is 5 s old then.
nothing_has_leaked()
{
	echo scan > $LEAKS
	clock
	await "objects are old enough" up_for $((uptime + 6))
	echo scan > $LEAKS
	! grep . $LEAKS
}

# --- the orders --------------------------------------------------------------

one_order()
{
	# shellcheck disable=SC2086	# words
	set -- $MODULES
	random $#
	shift "$number"
	if loaded "$1"; then
		leave "$1"
	else
		come "$1"
	fi
}

# part: all modules come, and load and unload at random, and go
part()
{
	load nmr
	two
	for space in a b; do
		ip link add end_$space type veth peer name end netns $space
	done
	await "carriers are known" carriers_are_known
	before=$(fib)
	traffic_begins
	echo "# all modules come"
	for module in $MODULES; do
		come "$module"
		echo "# $module is there"
	done
	await "packets are answered" more_answers 0
	for order in $(seq $ORDERS); do
		[ $((order % 5)) -ne 0 ] || echo "# order $order"
		one_order
	done
	echo "# $(answers) packets were answered"
	traffic_ends
	echo "# all modules leave"
	for module in $(test_modules); do
		[ "$module" = nmr ] || leave "$module"
		echo "# $module has left"
	done
	check "nothing is left in sysfs" empty
	check "the FIB is as before" [ "$before" = "$(fib)" ]
	unload nmr
	no_network
	for space in a b; do
		await "the devices of $space have ended" gone /sys/class/net/end_$space
	done
	# The kernel keeps the last one until another ends.
	! counts_slabs ||
		await "the namespaces have ended" namespaces_are_at_most $((namespaces + 1))
}

test_random_orders_leave_nothing()
{
	seed=${SEED:-$(date +%s)}
	echo "# seed $seed"
	mkdir "$TMP/a" "$TMP/b"
	head -c 1000000 /dev/urandom > "$TMP/a/disk"
	cp "$TMP/a/disk" "$TMP/b/disk"
	mark
	[ ! -e $LEAKS ] || echo clear > $LEAKS
	if counts_slabs; then
		objects "$SLAB/net_namespace"
		namespaces=$objects
	fi
	part
	! counts_slabs || count_slabs > "$TMP/slabs"
	percpu=$(percpu)
	part
	part
	! counts_slabs || check "no slab object is left" slabs_are_as_in "$TMP/slabs"
	await "no per-CPU memory is left" percpu_is_at_most "$percpu"
	check "no device was waited for" no_device_is_waited_for
	[ ! -e $LEAKS ] || check "nothing has leaked" nothing_has_leaked
}

run_program "$@"
