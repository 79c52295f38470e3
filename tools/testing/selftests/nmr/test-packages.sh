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
	mark
	echo Ada > /sys/module/visitor/parameters/greet
	check "it greets" logged "greeter: hello, Ada"
	rmmod greeter
	check "it is unloaded" nmrctl wait unbound module:visitor -t 0
	rmmod visitor nmr
}

# Write the examples of nmr-new(1) to $TMP/examples.
examples_of_nmr_new()
{
	zcat /usr/share/man/man1/nmr-new.1.gz | sed -n '/^\.SH EXAMPLES/,/^\.SH SEE/p' |
		sed -n '/^\.nf/,/^\.fi/{/^\./d; s/\\-/-/g; p}' > "$TMP/examples"
}

# follow_readme NAME: do what the README of a new module says, in its folder
follow_readme()
{
	sed -n 's/^\t//p' "$1/README" > "$TMP/$1.sh"
	check "it has commands" [ "$(wc -l < "$TMP/$1.sh")" -ge 4 ]
	(cd "$1" && sh -ex "$TMP/$1.sh") || fail "README of $1"
}

# follow_hint NAME OTHER SIDE: make the peer that the README of a new module suggests
follow_hint()
{
	sed -n "s/.*: \\(nmr-new $3 \\)NAME /\\1$2 /p" "$1/README" > "$TMP/hint"
	check "it names a peer" [ -s "$TMP/hint" ]
	check "$(cat "$TMP/hint")" sh -ex "$TMP/hint"
	check "it has the same interface" grep -q "$(sed -n 's/.* //p' "$TMP/hint")" \
		"$2/$2_npi.h"
}

# The README of a module goes with each one that nmr-new makes.
test_manual_and_readmes_of_nmr_new_are_followed()
{
	examples_of_nmr_new
	check "the manual has examples" [ "$(wc -l < "$TMP/examples")" -ge 5 ]
	cd "$TMP" || exit
	check "each of them" sh -ex ./examples
	mark
	follow_readme greeter
	follow_readme visitor
	check "it greets" logged "greeter: hello, Ada"
	rmmod visitor greeter nmr
	follow_hint greeter caller client
	follow_hint visitor other provider
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

# inline_commands FILE: print the commands that the text of a page has between words
inline_commands()
{
	# shellcheck disable=SC2016	# not for the shell
	tr '\n' ' ' < "$1" | sed 's/  */ /g' | grep -o '``[^`]*``' | sed 's/``//g' | sort -u |
		grep -E '^((nmrctl|dkms|dpkg|journalctl|modinfo|modprobe|cat) [^:]|lsmod$)'
}

# follow_text FILE: run the inline commands of a page, with the names that this machine has
follow_text()
{
	inline_commands "$1" > "$TMP/commands"
	while IFS= read -r command; do
		case $command in
		"nmrctl detach"|"nmrctl reoffer")
			continue ;;	# names of commands
		esac
		nmrctl reoffer --all visitor
		check "they are bound" nmrctl wait bound module:visitor -t 60
		command=$(echo "$command" | sed "s,MODULE/VERSION,greeter/0.1,; s/CLIENT/visitor/
						 s/BINDING/b$(basename "$(binding visitor greeter)")/
						 s/MODULE/visitor/; s/RELEASE/$(uname -r)/")
		check "$command" sh -c "$command > $TMP/said 2>&1 < /dev/null"
	done < "$TMP/commands"
}

test_commands_in_the_text_of_pages_succeed()
{
	modprobe greeter
	modprobe visitor
	follow_text "$SELFTESTS/nmr-troubleshooting.rst"
	check "there are some" [ "$(wc -l < "$TMP/commands")" -ge 12 ]
	follow_text "$SELFTESTS/nmr-administration.rst"
	check "there are some" [ "$(wc -l < "$TMP/commands")" -ge 6 ]
	rmmod greeter visitor nmr
}

# Modules that dkms removes while they are loaded stay until they are unloaded.
test_dkms_does_not_wait_for_loaded_modules()
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

# Modules that are loaded work on until they are unloaded, and apt says how. nmrctl has gone.
test_apt_purges_as_printed_while_modules_are_loaded()
{
	modprobe greeter
	modprobe visitor
	await "they are bound" has bindings 1
	purge="apt purge nmr-dkms nmr-tools nmr-dev"
	administered "$purge"
	echo 'APT::Get::Assume-Yes "true";' > /etc/apt/apt.conf.d/99-nmr-test
	check "$purge" sh -c "$purge > $TMP/said 2>&1"
	check "it is told" grep -qF "nmr stays loaded until: rmmod greeter visitor nmr" "$TMP/said"
	for file in /usr/sbin/nmrctl /usr/bin/nmr-new /usr/src/nmr-* /etc/nmr; do
		check "$file is gone" gone "$file"
	done
	check "they are bound still" has bindings 1
	mark
	echo Ada > /sys/module/visitor/parameters/greet
	check "it greets" logged "greeter: hello, Ada"
	check "they unload" rmmod greeter visitor nmr
	refuse "it loads again" modprobe nmr
}

# Do what the same page as in newcomer_binds_an_own_pair says about a checkout. What it installs
# stays.
test_checkout_is_installed_as_printed()
{
	cp "$SELFTESTS/checkout.sh" "$TMP"
	cd /packages/nmr-[0-9]* || exit
	check "each command" sh -ex "$TMP/checkout.sh"
	check "nmr is loaded" loaded nmr
	check "nmrctl is there" /usr/local/sbin/nmrctl list
	check "and nmr-new" [ -x /usr/local/bin/nmr-new ]
}

# From now on the machine takes no module that is signed by a key that is not enrolled, such as the
# one that dkms has made.
test_key_that_is_not_enrolled_is_rejected()
{
	check "the module is signed" "/lib/modules/$(uname -r)/build/scripts/sign-file" sha256 \
		/var/lib/dkms/mok.key /var/lib/dkms/mok.pub "$(modinfo -n nmr)"
	echo 1 > /sys/module/module/parameters/sig_enforce
	mark
	check "modprobe says so" complains "Key was rejected by service" modprobe nmr
	administered "modprobe nmr"
	rejected="Loading of module with unavailable key is rejected"
	check "the log says: $rejected" logged "$rejected"
	check "so says the page" grep -q "\"$rejected\"" "$SELFTESTS/nmr-administration.rst"
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
