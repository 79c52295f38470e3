#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A client's uevent has udev load a provider, or the client's module requests the provider. kmod's
# modprobe is used, and a stand-in for udev.

. "$(dirname "$0")/lib.sh"

HELLO_NPI_ID=527f8f93-c543-4216-8a82-c6059525fa7d

# Do as udev's rule for each device that has a MODALIAS.
modprobe_what_is_asked_for()
{
	skip_unless "modprobe of kmod" [ -x /sbin/modprobe ]
	install_modules nmr hello_provider
	# shellcheck disable=SC2016	# the listener's
	listen '[ "$ACTION" != add ] || [ -z "$MODALIAS" ] || /sbin/modprobe -b "$MODALIAS"'
}

test_provider_is_loaded_when_a_client_registers()
{
	load nmr
	modprobe_what_is_asked_for
	load hello_client
	await "the provider is attached" attached hello_client hello_provider
	await "its load has ended" unused hello_provider
}

# The client registers before there is a udev, as in an initramfs. "udevadm trigger" then asks
# for the event again.
test_provider_is_loaded_for_a_client_that_came_before_udev()
{
	skip_unless "machine without udev" [ ! -e /run/udev/control ]
	load nmr
	load hello_client
	modprobe_what_is_asked_for
	refuse "it is there" loaded hello_provider
	for file in "$NMR"/*/*/uevent; do
		echo add > "$file"
	done
	await "the provider is attached" attached hello_client hello_provider
	await "its load has ended" unused hello_provider
}

# requests_the_provider WAY: load a client of samples/hello that requests the modules of providers.
# If modprobe and the client's module waited for each other, insmod would not end.
requests_the_provider()
{
	skip_unless "modprobe of kmod" [ -x /sbin/modprobe ]
	skip_unless "machine without udev" [ ! -e /run/udev/control ]
	install_modules nmr hello_provider
	load nmr
	load_later nmr_peer_b clients=1 guid=$HELLO_NPI_ID request="$1"
	await "the provider is attached" attached nmr_peer_b hello_provider
	loaded_later
	await "its load has ended" unused hello_provider
}

test_provider_is_requested_before_the_client_registers()
{
	requests_the_provider init
}

test_provider_is_requested_in_a_work_item()
{
	requests_the_provider work
}

run_program "$@"
