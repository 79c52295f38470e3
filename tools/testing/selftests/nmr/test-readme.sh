#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154
#
# Do what the README of each sample shows: its commands, as printed, print what it says. The
# READMEs are $SELFTESTS/readme-SAMPLE.md, or where the project has them.

. "$(dirname "$0")/lib.sh"

# readme SAMPLE: set $readme to its file
readme()
{
	readme=$SELFTESTS/readme-$1.md
	[ -e "$readme" ] || readme=$TEST_MODULES/samples/$1/README.md
}

# Write the commands of $readme to $TMP/commands, and what they print to $TMP/shown. A line after
# "# " is a command, and lines after "> " continue it. A remark in brackets may end another line.
extract()
{
	awk -v commands="$TMP/commands" -v shown="$TMP/shown" '
	/^```/ { inside = !inside; any = 0; next }
	!inside { next }
	/^# / {
		any = 1
		print "command " ++n > shown
		print "echo command " n "\n" substr($0, 3) > commands
		next
	}
	any && /^> / { print substr($0, 3) > commands; next }
	any { sub(/   +\(.*\)$/, ""); print > shown }' "$readme"
}

# A number stands for any number.
alike()
{
	sed 's/[0-9][0-9]*/N/g; s/ *$//' "$1"
}

# follow SAMPLE: run its commands in one shell, in the folder of the modules
follow()
{
	readme "$1"
	skip_unless "README of $1" [ -e "$readme" ]
	skip_unless "folder with all modules" [ -e "$TEST_MODULES/hello_client.ko" ]
	extract
	check "there are some" [ -s "$TMP/commands" ]
	# shellcheck source=/dev/null
	(set -e; cd "$TEST_MODULES"; . "$TMP/commands") > "$TMP/printed" 2>&1
	code=$?
	alike "$TMP/shown" > "$TMP/expected"
	alike "$TMP/printed" | diff "$TMP/expected" - || fail "README of $1: it prints other lines"
	check "all succeed" [ $code -eq 0 ]
}

test_rtm()
{
	skip_unless "ip" ip -V > /dev/null
	trap 'ip link del d0' EXIT
	follow rtm
}

test_mpr()
{
	skip_unless "mprctl" command -v mprctl > /dev/null
	follow mpr
}

test_netio()
{
	follow netio
}

test_rras()
{
	skip_unless "ip" ip -V > /dev/null
	for name in a b; do
		skip_unless "room for a namespace $name" gone /run/netns/$name
	done
	trap 'ip netns del a; ip netns del b' EXIT
	follow rras
}

test_wds()
{
	skip_unless "debugfs" exists /sys/kernel/debug/clear_warn_once
	skip_unless "ip" ip -V > /dev/null
	for file in /tmp/a /tmp/b /tmp/disk; do
		skip_unless "room for $file" gone $file
	done
	ip link add eth0 address 02:00:5e:10:20:30 type dummy || skip "eth0 is there"
	trap 'ip link del eth0; rm -r /tmp/a /tmp/b /tmp/disk' EXIT
	ip addr add 192.0.2.7/24 dev eth0
	follow wds
}

run_program "$@"
