#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Test what packages of Debian have installed: nmr, built by dkms, and the pair greeter and visitor,
# which nmr-new made and dkms built.

. "$(dirname "$0")/lib.sh"

test_modprobe_loads_a_user_and_nmr()
{
	check "the provider" modprobe greeter
	check "the client" modprobe visitor
	check "they are bound" nmrctl wait bound module:visitor -t 60
	check "nmr is that of the package" [ "$(cat /sys/module/nmr/version)" = \
		"$(modinfo -F version nmr)" ]
	echo Ada > /sys/module/visitor/parameters/greet
	check "it greets" said_in_log "greeter: hello, Ada"
	rmmod greeter
	check "it is unloaded" nmrctl wait unbound module:visitor -t 0
	rmmod visitor nmr
}

# Do what Documentation/driver-api/nmr-getting-started.rst says after "Install".
test_newcomer_binds_an_own_pair()
{
	modprobe nmr
	cp newcomer.sh "$TMP"
	cd "$TMP" || exit
	check "each command" sh -ex ./newcomer.sh
	check "the player is bound" nmrctl wait bound player -t 0
	dkms remove dice/0.1 --all > "$TMP/removed"
	dkms remove player/0.1 --all > "$TMP/removed"
	rmmod player dice nmr
}

# Packages may go while modules are loaded: these stay until they are unloaded.
test_purge_does_not_wait_for_loaded_modules()
{
	modprobe greeter
	modprobe visitor
	version=$(modinfo -F version nmr)
	check "dkms removes it" dkms uninstall "nmr/$version" -k "$(uname -r)"
	check "it still works" nmrctl wait bound module:visitor -t 0
	rmmod greeter visitor nmr
	check "it is told" complains "there is no module for $(uname -r): install its headers" \
		nmrctl list
	check "dkms installs it" dkms install "nmr/$version" -k "$(uname -r)"
	check "it loads" modprobe nmr
	rmmod nmr
}

# administered COMMAND: test that it is printed by the page for administrators
administered()
{
	check "the page says: $1" grep -Fqx "  # $1" "$SELFTESTS/nmr-administration.rst"
}

test_commands_of_an_administrator_succeed()
{
	modprobe greeter
	modprobe visitor
	check "a module without a signature" strip -d -o "$TMP/MODULE.ko" "$(modinfo -n greeter)"
	sed -n 's/^  # //p' "$SELFTESTS/nmr-administration.rst" > "$TMP/commands"
	cd "$TMP" || exit
	while IFS= read -r command; do
		case $command in
		"modprobe nmr"|apt*)
			;;	# of other cases
		mokutil*)
			;;	# needs firmware with Secure Boot
		*)
			check "$command" sh -c "$(echo "$command" | sed 's/MODULE\.\.\./greeter visitor/')"
			;;
		esac
	done < "$TMP/commands"
	check "rmmod was one of them" gone /sys/module/nmr
	check "and systemctl" systemctl --quiet is-enabled nmr-load.service
	check "and sign-file" [ "$(modinfo -F signer MODULE.ko)" ]
}

# Do what the same page as in newcomer_binds_an_own_pair says about a checkout. What it installs
# stays.
test_checkout_is_installed_as_printed()
{
	check "dkms removes its nmr" dkms uninstall "nmr/$(modinfo -F version nmr)" -k "$(uname -r)"
	cp "$SELFTESTS/checkout.sh" "$TMP"
	cd /packages/nmr-[0-9]* || exit
	check "each command" sh -ex "$TMP/checkout.sh"
	check "nmr is loaded" loaded nmr
	refuse "it is that of dkms" contains "$(modinfo -n nmr)" dkms
	check "nmrctl is there" /usr/local/sbin/nmrctl list
	check "and nmr-new" [ -x /usr/local/bin/nmr-new ]
}

# From now on the machine takes no module that is signed by a key that is not enrolled.
test_key_that_is_not_enrolled_is_rejected()
{
	echo 1 > /sys/module/module/parameters/sig_enforce
	check "modprobe says so" complains "Key was rejected by service" modprobe nmr
	administered "modprobe nmr"
}

test_apt_purges_as_printed()
{
	purge="apt purge nmr-dkms nmr-tools nmr-dev"
	administered "$purge"
	echo 'APT::Get::Assume-Yes "true";' > /etc/apt/apt.conf.d/99-nmr-test
	check "$purge" sh -c "$purge > $TMP/said 2>&1"
	for file in /usr/sbin/nmrctl /usr/bin/nmr-new /usr/src/nmr-* /etc/nmr; do
		check "$file is gone" gone "$file"
	done
}

# contains TEXT PART: test that the part is in the text
contains()
{
	case $1 in
	*"$2"*)	return 0 ;;
	esac
	return 1
}

said_in_log()
{
	dmesg | grep -qF -- "$1"
}

if [ ! -e /packages ] || ! command -v nmr-new > /dev/null; then
	ktap_print_header
	ktap_skip_all "needs the machine of scripts/deb-test.sh"
	exit "$KSFT_SKIP"
fi
# shellcheck disable=SC2046	# a list of words
[ $# -gt 0 ] || set -- $(cases_of "$0")
run_cases "$@"
ktap_finished
