# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Sourced by the tests that run in a guest: KTAP, and how to load, look at and wait
# for what is tested. A case is a function; the first check that fails ends it.
# Waiting is for a state, or for a line of the kernel's log, and is bounded.

NMR=/sys/kernel/nmr

# --- KTAP ------------------------------------------------------------------

# run_cases CASE...: test_CASE, each in a shell of its own, and nothing left loaded after it
run_cases()
{
	number=0 failures=0
	echo "KTAP version 1"
	echo "1..$#"
	for name; do
		number=$((number + 1))
		if ("test_$name") && unload_all; then
			echo "ok $number $name"
		else
			echo "not ok $number $name"
			failures=$((failures + 1))
			unload_all > /dev/null || bail_out
		fi
	done
	[ "$failures" -eq 0 ]
}

bail_out()
{
	cat /proc/modules
	ls /sys/kernel/nmr/*
	echo "Bail out! modules are left that do not unload"
	exit 1
}

fail()
{
	echo "# $*"
	exit 1
}

# check WHAT COMMAND...: holds now
check()
{
	what=$1
	shift
	"$@" || fail "not so: $what ($*)"
}

# refuse WHAT COMMAND...: fails now
refuse()
{
	what=$1
	shift
	! "$@" || fail "not refused: $what ($*)"
}

# Seconds since boot, in $uptime
clock()
{
	IFS=. read -r uptime rest < /proc/uptime
}

# await WHAT COMMAND...: will hold within 300 s
await()
{
	what=$1
	shift
	clock
	end=$((uptime + 300))
	until "$@"; do
		clock
		[ "$uptime" -lt "$end" ] || fail "waited too long: $what ($*)"
		usleep 10000
	done
}

# --- looking ---------------------------------------------------------------

# said FILE: sets $said to what it says, and to nothing if it is gone. It takes no
# process, and what waits for a state looks often.
said()
{
	said=
	{ read -r said < "$1"; } 2> /dev/null
}

value()
{
	said "$1" && echo "$said"
}

is()
{
	said "$1"
	[ "$said" = "$2" ]
}

# in_hand FILE N: so many calls are in flight, by a binding's file, and as many are
# held by the module that they call. What only is in flight may be about to leave.
in_hand()
{
	case $1 in
	*/client_calls) said "${1%/*}/provider/module" ;;
	*)		said "${1%/*}/client/module" ;;
	esac
	said "/sys/module/$said/parameters/calls_held"
	[ "${said:-0}" -ge "$2" ] && is "$1" "$2"
}

above()
{
	said "$1"
	[ "${said:--1}" -gt "$2" ]
}

exists()
{
	[ -e "$1" ]
}

gone()
{
	[ ! -e "$1" ]
}

# Counted by the shell itself: a directory may have 10,000 entries.
entries()
{
	set -- "$1"/*
	[ -e "$1" ] || set --
	echo $#
}

has()
{
	[ "$(entries "$NMR/$1")" -eq "$2" ]
}

empty()
{
	has clients 0 && has providers 0 && has bindings 0
}

# param MODULE NAME: the file
param()
{
	echo "/sys/module/$1/parameters/$2"
}

set_param()
{
	echo "$3" > "/sys/module/$1/parameters/$2"
}

# counted MODULE NAME VALUE, risen MODULE NAME VALUE: what a peer counts
counted()
{
	is "/sys/module/$1/parameters/$2" "$3"
}

risen()
{
	above "/sys/module/$1/parameters/$2" "$3"
}

# registration clients|providers MODULE: its folder, the first if there are more
registration()
{
	for folder in "$NMR/$1"/*; do
		is "$folder/module" "$2" && echo "$folder" && return
	done
	return 1
}

# binding CLIENT PROVIDER: its folder
binding()
{
	for folder in "$NMR"/bindings/*; do
		is "$folder/client/module" "$1" && is "$folder/provider/module" "$2" &&
			echo "$folder" && return
	done
	return 1
}

attached()
{
	is "$(binding "$1" "$2")/state" attached
}

# bound_to CLIENT PROVIDER: to this one, and to no other
bound_to()
{
	attached "$1" "$2" && is "$(param "$1" bindings)" \
		"$(basename "$(binding "$1" "$2")")"
}

# all_was_right MODULE: a peer that stays has detached and cleaned up as often as it attached.
all_was_right()
{
	for count in detached cleaned; do
		check "$1 has $count" counted "$1" $count "$(value "$(param "$1" attached)")"
	done
	check "no answer was wrong" counted "$1" wrong 0
}

loaded()
{
	exists "/sys/module/$1"
}

built_in()
{
	! grep -q "^$1 " /proc/modules && loaded "$1"
}

# leaving MODULE: its rmmod has begun, and waits
leaving()
{
	grep -q "^$1 .* Unloading " /proc/modules
}

running()
{
	kill -0 "$1" 2> /dev/null
}

# logged_once PATTERN: one line since "mark"
logged_once()
{
	[ "$(since_mark | grep -c "$1")" -eq 1 ]
}

logged()
{
	since_mark | grep -q "$1"
}

mark()
{
	marked="mark $name $(cat /proc/uptime)"
	say "$marked"
}

since_mark()
{
	dmesg | sed "1,/$marked/d"
}

# expect_warning COMMAND...: it is to provoke a WARN, which the host looks for
expect_warning()
{
	say "# expect: WARNING begin"
	"$@"
	say "# expect: WARNING end"
}

# --- uevents ---------------------------------------------------------------

# listen [COMMAND]: uevents go to /tmp/uevents from now on, a line each: ACTION DEVPATH, and
# what is nmr's of the rest, in alphabetical order. COMMAND runs in the environment of each.
listen()
{
	cat > /tmp/heard <<-END
		#!/bin/sh
		said=\$(env | grep -E '^(SUBSYSTEM|DEVTYPE|MODALIAS|SYNTH_UUID|NMR_[A-Z]*)=' | sort)
		echo "\$ACTION \$DEVPATH" \$said >> /tmp/uevents
		$*
	END
	chmod +x /tmp/heard
	: > /tmp/uevents
	uevent /tmp/heard &
	listener=$!
	trap 'kill "$listener"' EXIT
	await "the listener hears" hears_a_test_event
}

hears_a_test_event()
{
	echo change > /sys/class/mem/null/uevent
	heard "change /devices/virtual/mem/null"
}

heard()
{
	grep -q "^$1 " /tmp/uevents
}

# --- doing -----------------------------------------------------------------

load()
{
	module=$1
	shift
	insmod "/modules/$module.ko" "$@" || fail "insmod $module $*"
}

unload()
{
	rmmod "$1" || fail "rmmod $1"
	refuse "$1 is loaded" loaded "$1"
}

# unload_later MODULE: in the background, and it has begun. Its process is $rmmod.
unload_later()
{
	rmmod "$1" &
	rmmod=$!
	await "$1 is leaving" leaving "$1"
}

# unloaded MODULE: the rmmod in the background has succeeded
unloaded()
{
	wait "$rmmod" || fail "rmmod $1 in the background"
	refuse "$1 is loaded" loaded "$1"
}

hold()
{
	set_param "$1" "hold_$2" 1
}

release()
{
	set_param "$1" "hold_$2" 0
}

release_all()
{
	for held in "/sys/module/$1"/parameters/hold_*; do
		[ ! -e "$held" ] || echo 0 > "$held"
	done
}

test_modules()
{
	sed -n 's/^\(nmr_[a-z_]*\|hello_[a-z]*\) .*/\1/p' /proc/modules
}

# Whatever a case has left: all of it goes, and leaves nothing in sysfs.
unload_all()
{
	for module in $(test_modules); do
		release_all "$module"
	done
	for module in $(test_modules); do
		# One that was leaving may have gone by now.
		leaving "$module" || rmmod "$module" || ! loaded "$module" || return 1
		(await "$module is gone" gone "/sys/module/$module") || return 1
	done
	loaded nmr || return 0
	(await "sysfs is empty" empty) || return 1
	built_in nmr || { rmmod nmr && gone "$NMR"; }
}
