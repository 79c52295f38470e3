#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 2 -m 512 $("$TOP/scripts/fetch/kmod-files.sh")
#
# A provider is loaded because a client asks for one: by its uevent, as udev does it, and
# with kmod's modprobe.

. /lib.sh

export PATH=/bin:/sbin

modules_are_installed()
{
	tree=/lib/modules/$(uname -r)
	[ ! -e "$tree/modules.dep" ] || return 0
	mkdir -p "$tree"
	cp /modules/nmr.ko /modules/hello_provider.ko "$tree/"
	touch "$tree/modules.order" "$tree/modules.builtin" "$tree/modules.builtin.modinfo"
	/sbin/depmod
}

# As udev's rule for whatever has a MODALIAS
modprobe_what_is_asked_for()
{
	modules_are_installed || fail "depmod"
	# shellcheck disable=SC2016	# the listener's
	listen '[ "$ACTION" != add ] || [ -z "$MODALIAS" ] || /sbin/modprobe -b "$MODALIAS"'
}

test_provider_is_loaded_when_a_client_registers()
{
	load nmr
	modprobe_what_is_asked_for
	load hello_client
	await "the provider is loaded and attached" attached hello_client hello_provider
}

# As in an initramfs; udevadm trigger asks for the event again.
test_provider_is_loaded_for_a_client_that_came_before_udev()
{
	load nmr
	load hello_client
	modprobe_what_is_asked_for
	refuse "it is there" loaded hello_provider
	for file in "$NMR"/*/*/uevent; do
		echo add > "$file"
	done
	await "the provider is loaded and attached" attached hello_client hello_provider
}

run_cases provider_is_loaded_when_a_client_registers \
	provider_is_loaded_for_a_client_that_came_before_udev
