# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash disable=SC2154
#
# Sourced after lib.sh by what needs routers in namespaces: how to make the namespaces and the
# devices that join them, and how to load, tell and look at the modules.

# --- the network -------------------------------------------------------------

# in_ns NS COMMAND...: run a program in the namespace
in_ns()
{
	ns=$1
	shift
	nsenter --net="/run/netns/$ns" "$@"
}

# The network goes when a case ends, whatever its result. A namespace ends a little later.
network()
{
	trap 'no_network' EXIT
	for ns; do
		ip netns add "$ns" || fail "no namespace $ns"
		ip -n "$ns" link set lo up
	done
}

no_network()
{
	for ns in a b c; do
		ip netns del $ns 2> /dev/null
	done
}

# join NS DEVICE ADDRESS NS DEVICE ADDRESS: with a pair of veth devices
join()
{
	ip link add "$2" netns "$1" type veth peer name "$5" netns "$4" || fail "no veth"
	ip -n "$1" address add "$3/24" dev "$2"
	ip -n "$4" address add "$6/24" dev "$5"
	ip -n "$1" link set "$2" up
	ip -n "$4" link set "$5" up
}

# stub NS DEVICE ADDRESS: a dummy device
stub()
{
	ip -n "$1" link add "$2" type dummy || fail "no dummy"
	ip -n "$1" address add "$3/24" dev "$2"
	ip -n "$1" link set "$2" up
}

ifindex()
{
	ip -n "$1" -o link show dev "$2" | cut -d : -f 1
}

no_device()
{
	! ip -n "$1" link show dev "$2" > /dev/null 2>&1
}

has_index()
{
	ip -n "$1" -o link show | grep -q "^$2: "
}

# Two namespaces, of which each has a network of its own
two()
{
	network a b
	join a ab 10.0.0.1 b ba 10.0.0.2
	stub a stub 10.1.0.1
	stub b stub 10.2.0.1
}

pings()
{
	in_ns "$1" ping -c 1 -W 5 "$2" > /dev/null
}

# has_route NS PATTERN
has_route()
{
	ip -n "$1" route show proto rip | grep -q "^$2"
}

no_route()
{
	! has_route "$1" "$2"
}

# Test that no device has waited for a reference to it, since mark().
no_device_is_waited_for()
{
	! logged "waiting for .* to become free"
}

# up_for SECONDS: test that the machine is up for so long
up_for()
{
	clock
	[ "$uptime" -ge "$1" ]
}

# --- the modules ---------------------------------------------------------------

# modules [PARAMETER]...: load all, with parameters of rras. Neighbours are heard often, and time
# out late, as the machine may be slow.
modules()
{
	load nmr
	load rtm
	load rip
	load rras update_ms=400 timeout_ms=20000 garbage_ms=1600 "$@"
}

# rras NS PARAMETER WORDS: write a command in the namespace
rras()
{
	in_ns "$1" sh -c "echo \"$3\" > /sys/module/rras/parameters/$2"
}

# denies ERROR NS PARAMETER WORDS: test that the command fails with this message
denies()
{
	message=$1
	shift
	complains "$message" rras "$@"
}

# speak NS DEVICE...: add interfaces, and set them up
speak()
{
	space=$1
	shift
	for device; do
		rras "$space" interface "add $device" || fail "add $device"
		rras "$space" interface "up $device" || fail "up $device"
	done
}

# router NS DEVICE...: start a router on these devices
router()
{
	rras "$1" router start || fail "start"
	speak "$@"
}

# manager_says NS PATTERN, protocol_says NS PATTERN: test for a line of /proc/net
manager_says()
{
	in_ns "$1" grep -qx "$2" /proc/net/rras
}

protocol_says()
{
	in_ns "$1" grep -qx "$2" /proc/net/rip
}

manager_lacks()
{
	! manager_says "$@"
}

protocol_lacks()
{
	! protocol_says "$@"
}
