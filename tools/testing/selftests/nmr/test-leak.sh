#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# References of nmr_binding_get() pin nmr.ko. debugfs lists bindings that have ended and are
# still referenced.

. "$(dirname "$0")/lib.sh"

REFERENCES=/sys/kernel/debug/nmr/references

# references_are LINES: test that debugfs has these, in alphabetical order
references_are()
{
	[ "$(sort $REFERENCES)" = "$1" ]
}

test_references_are_listed()
{
	load nmr
	check "none" references_are ""
	check "mode" [ "$(stat -c '%a %u %g' $REFERENCES)" = "400 0 0" ]
	refuse "another user reads them" as_user "cat $REFERENCES"
	load nmr_peer_a providers=1 keep=1
	load nmr_peer_b clients=1 keep=1
	load nmr_peer_c clients=1
	b=$(basename "$(binding nmr_peer_b nmr_peer_a)")
	c=$(basename "$(binding nmr_peer_c nmr_peer_a)")
	check "none of a binding that is attached" references_are ""
	unload nmr_peer_b
	await "those of one that has gone" references_are \
		"binding $b (nmr_peer_b -> nmr_peer_a): 1"
	unload nmr_peer_c
	await "and of the other" references_are \
		"binding $b (nmr_peer_b -> nmr_peer_a): 1
binding $c (nmr_peer_c -> nmr_peer_a): 1"
	unload nmr_peer_a
	await "until they are put" references_are ""
}

# Both modules leak a reference and are unloaded. A third module puts the references.
test_leaked_references_pin_nmr()
{
	load nmr
	load nmr_peer_a providers=1 keep=1 leave=leak
	load nmr_peer_b clients=1 keep=1 leave=leak
	id=$(basename "$(binding nmr_peer_b nmr_peer_a)")
	kept=$(value "$(param nmr_peer_b kept)")
	unload nmr_peer_b
	unload nmr_peer_a
	check "nothing is registered" empty
	refuse "rmmod nmr" rmmod nmr
	check "it is loaded" [ "$(value /sys/module/nmr/initstate)" = live ]
	await "they are named" references_are "binding $id (nmr_peer_b -> nmr_peer_a): 2"
	load nmr_peer_c
	set_param nmr_peer_c put "$kept"
	await "the other one is" references_are "binding $id (nmr_peer_b -> nmr_peer_a): 1"
	set_param nmr_peer_c put "$kept"
	await "none is left" references_are ""
	unload nmr_peer_c
	unload nmr
}

run_program "$@"
