# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Sourced by the tests: KTAP, and how to load, look at and wait for what is tested. A case is
# a function; the first check that fails ends it. Each wait is for a state or for a line of
# the kernel's log, and is bounded.
#
# find_module() looks for modules in the folder $TEST_MODULES, which has all of them or is the
# folder that nmr was built in, and then among the installed ones. If TEST_SKIP is "no", a
# skipped case fails.

NMR=/sys/kernel/nmr
# shellcheck disable=SC2034	# for the tests
NPI_ID=6e6d7201-7065-6572-8000-000000000001
OLDEST=5.10

SELFTESTS=${SELFTESTS:-$(dirname "$0")}
if [ -z "$TEST_MODULES" ]; then
	TEST_MODULES=$(cd "$SELFTESTS/../../../.." && pwd)
	[ ! -d "$TEST_MODULES/drivers/nmr" ] || TEST_MODULES=$TEST_MODULES/drivers/nmr
fi
PATH=$PATH:/usr/sbin:/sbin

# --- KTAP ------------------------------------------------------------------

if [ -e "$SELFTESTS/../kselftest/ktap_helpers.sh" ]; then
	# shellcheck source=/dev/null
	. "$SELFTESTS/../kselftest/ktap_helpers.sh"
else
	# shellcheck source=ktap_helpers.sh
	. "$SELFTESTS/ktap_helpers.sh"
fi

# run_program [CASE]...: run these cases of the program that is $0, or all. Skip all if this
# machine cannot run them.
run_program()
{
	# shellcheck disable=SC2046	# a list of words
	[ $# -gt 0 ] || set -- $(cases_of "$0")
	reason=$(obstacle)
	if [ -n "$reason" ]; then
		ktap_print_header
		ktap_skip_all "$reason"
		exit "$KSFT_SKIP"
	fi
	run_cases "$@"
	ktap_finished
}

# cases_of FILE: print the names of its cases, in order
cases_of()
{
	sed -n 's/^test_\([a-z0-9_]*\)()$/\1/p' "$1"
}

# Print why this machine can run no case, if it cannot. An nmr.ko that is loaded but not in
# use is unloaded.
obstacle()
{
	if [ "$(id -u)" -ne 0 ]; then
		echo "needs root"
	elif [ "$(printf '%s\n' $OLDEST "$(uname -r)" | sort -V | head -n 1)" != $OLDEST ]; then
		echo "needs Linux $OLDEST"
	elif [ ! -e /proc/modules ]; then
		echo "needs a kernel with modules"
	elif is /proc/sys/kernel/panic_on_warn 1; then
		echo "panic_on_warn is set, and some tests provoke a WARN"
	elif built_in nmr; then
		echo "nmr is built in, and has to be a module"
	elif ! find_module nmr; then
		echo "no nmr.ko in $TEST_MODULES, nor installed"
	elif loaded nmr && ! { empty && rmmod nmr; }; then
		echo "nmr is in use"
	fi
}

# run_cases CASE...: run test_CASE, each in a shell of its own, and unload all modules after each
run_cases()
{
	ktap_print_header
	ktap_set_plan $#
	TMP=$(mktemp -d)
	trap 'rm -rf "$TMP"' EXIT
	for name; do
		("test_$name") && unload_all
		case $? in
		0)
			ktap_test_pass "$name"
			continue ;;
		"$KSFT_SKIP")
			ktap_test_skip "$name" ;;
		*)
			ktap_test_fail "$name" ;;
		esac
		unload_all > /dev/null || bail_out
	done
	# shellcheck disable=SC2153	# of ktap_helpers.sh
	[ "$KTAP_CNT_FAIL" -eq 0 ]
}

bail_out()
{
	cat /proc/modules
	ls /sys/kernel/nmr/*
	ktap_exit_fail_msg "modules are left that do not unload"
}

# skip WHY: end the case, which this machine cannot run
skip()
{
	[ "$TEST_SKIP" != no ] || fail "skipped: $*"
	echo "# skipped: $*"
	exit "$KSFT_SKIP"
}

# skip_on_kernel WHY: end the case, which has no meaning on any machine with such a kernel
skip_on_kernel()
{
	echo "# skipped: $*"
	exit "$KSFT_SKIP"
}

# skip_unless WHAT COMMAND...: skip the case if the machine has no WHAT
skip_unless()
{
	what=$1
	shift
	"$@" || skip "no $what"
}

fail()
{
	echo "# $*"
	exit 1
}

# Called with each WHAT that holds. A script that shows these redefines it.
passed()
{
	:
}

# check WHAT COMMAND...: fail unless the command succeeds now
check()
{
	what=$1
	shift
	"$@" || fail "not so: $what ($*)"
	passed "$what"
}

# refuse WHAT COMMAND...: fail if the command succeeds
refuse()
{
	what=$1
	shift
	! "$@" || fail "not refused: $what ($*)"
}

# Set $uptime to the seconds since boot.
clock()
{
	IFS=. read -r uptime rest < /proc/uptime
}

# await WHAT COMMAND...: wait until the command succeeds. Fail if it does not, and what it reads
# ($said) has been the same for 300 s.
await()
{
	what=$1
	shift
	clock
	end=$((uptime + 300))
	until "$@"; do
		clock
		[ "$said" = "$was" ] || end=$((uptime + 300))
		was=$said
		[ "$uptime" -lt "$end" ] || fail "waited too long: $what ($*)"
		sleep 0.01
	done
	passed "$what"
}

# --- allocation failures -----------------------------------------------------

# The project's debugging kernels have to inject them, and a distribution's kernel cannot.
can_inject()
{
	[ -e /sys/kernel/debug/kmemleak ] || TEST_SKIP=yes
	skip_unless "injection of failures" [ -e /proc/self/fail-nth ]
	echo N > /sys/kernel/debug/failslab/ignore-gfp-wait
}

# fails_at N FILE TEXT: write the text while the Nth allocation fails. Fail if the write does.
fails_at()
(
	exec 8> /proc/self/fail-nth 9> "$2"
	echo "$1" >&8
	code=0
	echo "$3" >&9 || code=1
	echo 0 >&8
	exit $code
) 2> "$TMP/injected"

# --- looking ---------------------------------------------------------------

# said FILE: set $said to the first line of the file, and to nothing if the file is gone.
# Loops that wait for a state call this often, so it starts no process.
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

# in_hand FILE N: test that this file of a binding counts N calls in flight, and that the
# called module holds as many. A call that is not held may be about to return.
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

# entries FOLDER: count them in the shell itself, as there may be 10,000
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

# param MODULE NAME: print the path of the parameter
param()
{
	echo "/sys/module/$1/parameters/$2"
}

set_param()
{
	echo "$3" > "/sys/module/$1/parameters/$2"
}

# counted MODULE NAME VALUE: test that the counter of a peer has this value
counted()
{
	is "/sys/module/$1/parameters/$2" "$3"
}

# risen MODULE NAME VALUE: test that the counter of a peer is above this value
risen()
{
	above "/sys/module/$1/parameters/$2" "$3"
}

# registration clients|providers MODULE: print the folder of its first registration
registration()
{
	for folder in "$NMR/$1"/*; do
		is "$folder/module" "$2" && echo "$folder" && return
	done
	return 1
}

# binding CLIENT PROVIDER: print the folder of the binding of these modules
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

# bound_to CLIENT PROVIDER: test that the client has this binding and no other
bound_to()
{
	attached "$1" "$2" && is "$(param "$1" bindings)" \
		"$(basename "$(binding "$1" "$2")")"
}

# all_was_right MODULE: check that a peer has detached and cleaned up as often as it attached
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

# leaving MODULE: test that an rmmod of the module waits in module_exit()
leaving()
{
	grep -q "^$1 .* Unloading " /proc/modules
}

running()
{
	kill -0 "$1" 2> /dev/null
}

# logged_once PATTERN: test that one line matches since mark()
logged_once()
{
	[ "$(since_mark | grep -c "$1")" -eq 1 ]
}

# logged_times TEXT N: test that there have been at least N such lines since the mark
logged_times()
{
	[ "$(since_mark | grep -c "$1")" -ge "$2" ]
}

logged()
{
	since_mark | grep -q "$1"
}

# Write a line to the kernel's log.
say()
{
	echo "$*" > /dev/kmsg
}

# Mark the place in the kernel's log that since_mark() begins at.
mark()
{
	marked="mark $name $(cat /proc/uptime)"
	say "$marked"
}

since_mark()
{
	dmesg | sed "1,/$marked/d"
}

# expect_warning COMMAND...: tell the host that looks for WARNs that the command provokes one
expect_warning()
{
	say "# expect: WARNING begin"
	"$@"
	say "# expect: WARNING end"
}

# --- uevents ---------------------------------------------------------------

# listen COMMAND: write a line for each uevent from now on to $TMP/uevents: ACTION, DEVPATH,
# and nmr's variables in alphabetical order. Run COMMAND in the environment of each uevent.
listen()
{
	skip_unless "uevents, or no busybox to hear them" uevents_can_be_heard
	cat > "$TMP"/heard <<-END
		#!/bin/sh
		said=\$(env | grep -E '^(SUBSYSTEM|DEVTYPE|MODALIAS|SYNTH_UUID|NMR_[A-Z]*)=' | sort)
		echo "\$ACTION \$DEVPATH" \$said >> "$TMP"/uevents
		$*
	END
	chmod +x "$TMP"/heard
	: > "$TMP"/uevents
	if command -v uevent > /dev/null; then
		uevent "$TMP"/heard &
	else
		busybox uevent "$TMP"/heard &
	fi
	listener=$!
	trap 'kill "$listener"' EXIT
	await "the listener hears" hears_a_test_event
}

uevents_can_be_heard()
{
	[ -e /proc/net/netlink ] && command -v busybox > /dev/null
}

hears_a_test_event()
{
	echo change > /sys/class/mem/null/uevent
	heard "change /devices/virtual/mem/null"
}

heard()
{
	grep -q "^$1 " "$TMP"/uevents
}

# --- doing -----------------------------------------------------------------

# find_module MODULE: set $ko to its file
find_module()
{
	for below in . netio kunit/modules samples/hello samples/netio samples/rtm samples/rras \
		     samples/mpr samples/wds bench; do
		ko=$TEST_MODULES/$below/$1.ko
		[ ! -e "$ko" ] || return 0
	done
	ko=$(modinfo -n "$1" 2> /dev/null) && [ -e "$ko" ]
}

# need_module MODULE: set $ko to its file, or skip the case
need_module()
{
	find_module "$1" || skip "no $1.ko in $TEST_MODULES, nor installed"
}

load()
{
	module=$1
	shift
	need_module "$module"
	insmod "$ko" "$@" || fail "insmod $module $*"
}

# Install modules for modprobe. Only a machine without a folder for its kernel's modules, such
# as our guest, gets one; on another machine modules_install has done it, or the case is skipped.
install_modules()
{
	tree=/lib/modules/$(uname -r)
	if [ ! -e "$tree" ]; then
		mkdir -p "$tree"
		touch "$tree/modules.order" "$tree/modules.builtin" \
			"$tree/modules.builtin.modinfo" "$tree/of-selftests"
	fi
	for module; do
		if [ -e "$tree/of-selftests" ]; then
			need_module "$module"
			cp "$ko" "$tree/"
		else
			modinfo -n "$module" > /dev/null 2>&1 || skip "$module is not installed"
		fi
	done
	[ ! -e "$tree/of-selftests" ] || (cd "$tree" && run_depmod) || fail "depmod"
}

# Prefer kmod's, which busybox's shell runs by its path only.
run_depmod()
{
	if [ -x /sbin/depmod ]; then
		/sbin/depmod
	else
		depmod
	fi
}

# load_refused MODULE [PARAMETER]...: check that insmod fails
load_refused()
{
	module=$1
	shift
	need_module "$module"
	refuse "insmod $module $*" insmod "$ko" "$@"
}

# load_later MODULE [PARAMETER]...: in the background. The process of insmod is $insmod.
load_later()
{
	module=$1
	shift
	need_module "$module"
	insmod "$ko" "$@" &
	insmod=$!
}

# holds_attach: test that an attach callback holds the insmod in the background. Of what insmod waits
# for, only this is idle.
holds_attach()
{
	grep -q "^State:.I" "/proc/$insmod/status"
}

loaded_later()
{
	wait "$insmod" || fail "insmod in the background"
}

unload()
{
	rmmod "$1" || fail "rmmod $1"
	refuse "$1 is loaded" loaded "$1"
}

# unused MODULE: test that no module uses it, and that its init function has returned
unused()
{
	is "/sys/module/$1/refcnt" 0
}

# unload_later MODULE: in the background; wait until it has begun. The process is $rmmod.
unload_later()
{
	rmmod "$1" &
	rmmod=$!
	await "$1 is leaving" leaving "$1"
}

# unloaded MODULE: wait for the rmmod in the background, and check that it succeeded
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
	sed -n 's/^\(\(nmr_\|hello_\|netio_\|mpr\|rip\|rras\|rtm\|wds_\)[a-z0-9_]*\) .*/\1/p' /proc/modules
}

# Unload all test modules and nmr. Fail if anything of them is left in sysfs.
unload_all()
{
	for module in $(test_modules); do
		release_all "$module"
	done
	for module in $(test_modules); do
		# An rmmod in the background may have unloaded it by now.
		leaving "$module" || rmmod "$module" || ! loaded "$module" || return 1
		gone "/sys/module/$module" ||
			(await "$module is gone" gone "/sys/module/$module") || return 1
	done
	loaded nmr || return 0
	empty || (await "sysfs is empty" empty) || return 1
	built_in nmr || { rmmod nmr && gone "$NMR"; }
}

# --- administrator ---------------------------------------------------------

# complains MESSAGE COMMAND...: test that the command fails with this message
complains()
{
	message=$1
	shift
	if said=$("$@" 2>&1); then
		return 1
	fi
	case $said in
	*"$message"*)	return 0 ;;
	esac
	fail "$* said: $said"
}

# Print the name of the user without privileges.
unprivileged()
{
	sed -n 's/:x:65534:.*//p' /etc/passwd
}

# as_user COMMAND: run it in a shell without privileges
as_user()
{
	su -s /bin/sh -c "$1" "$(unprivileged)"
}

# write_as_user WORD FILE: the shell prints why it cannot
write_as_user()
{
	as_user "echo $1 > $2"
}

# write_word WORD FILE: in one write, by a tool that prints why it cannot
write_word()
{
	printf %b "$1" > "$TMP"/word
	cat "$TMP"/word > "$2"
}

# --- programs --------------------------------------------------------------

# file_of PROGRAM: print its path. The shell of busybox would run its own program of that name.
file_of()
{
	for file in "/bin/$1" "/sbin/$1" "/usr/bin/$1" "/usr/sbin/$1"; do
		[ ! -x "$file" ] || break
	done
	echo "$file"
}

# Run iproute2's ip.
ip()
{
	"$(file_of ip)" "$@"
}

# --- stuck bindings --------------------------------------------------------

# stuck_pair CLIENT: load it, bound to nmr_peer_a, to call that from 2 threads. Set $id to
# the id of the binding.
stuck_pair()
{
	load "$1" clients=1 threads=2
	# shellcheck disable=SC2034	# for the tests
	id=$(basename "$(binding "$1" nmr_peer_a)")
}

# told ID: print the lines of the log on that binding; ID may be a pattern
told()
{
	since_mark | grep "nmr: binding $1 (.*) has not "
}

is_told()
{
	[ -n "$(told "$1")" ]
}

# told_with ID TEXT...: test that a line on that binding has each TEXT
told_with()
{
	lines=$(told "$1")
	shift
	for text; do
		lines=$(echo "$lines" | grep -F -- "$text") || return 1
	done
}

# told_times ID NUMBER: test that there are as many lines, or more
told_times()
{
	[ "$(told "$1" | wc -l)" -ge "$2" ]
}
