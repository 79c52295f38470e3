#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154
#
# Modules that unload without deregistering, and modules that must not load

. "$(dirname "$0")/lib.sh"

TRACING=/sys/kernel/tracing
PROBE=nmr_selftest

# Unload nmr_peer_a while calls into it are held, and let them return.
# Unload nmr_peer_a while calls into it are held. The log tells of the wait before it ends.
loses_calls_of_client()
{
	unload_later nmr_peer_a
	await "the binding drains" is "$link/state" detaching
	await "with the calls in flight" in_hand "$link/client_calls" 2
	await "it is told of" logged "nmr: module nmr_peer_a is not unloaded before the calls"
	check "rmmod waits" running "$rmmod"
	release nmr_peer_a call
	unloaded nmr_peer_a
}

test_provider_unloads_without_deregistering()
{
	mark
	load nmr
	load nmr_peer_a providers=1 leave=forget
	id=$(value "$(param nmr_peer_a provider_ids)")
	load nmr_peer_b clients=1 threads=2
	link=$(binding nmr_peer_b nmr_peer_a)
	hold nmr_peer_a call
	await "calls held" in_hand "$link/client_calls" 2
	expect_warning loses_calls_of_client
	check "it is told what to do" logged_once "nmr: provider $id of module nmr_peer_a: its module unloads while it is registered: call nmr_deregister_provider_sync() first thing in module_exit(), and if module_init() fails"
	check "and what it waits for" \
		logged_once "nmr: module nmr_peer_a is not unloaded before the calls and callbacks of its bindings have returned; until then loading of other modules may stall"
	check "the client was told" counted nmr_peer_b reason 1
	check "and cleaned up" counted nmr_peer_b cleaned 1
	check "each answer was right" counted nmr_peer_b wrong 0
	check "nothing of it is left" has providers 0
	load nmr_peer_a providers=1
	check "it may come back" bound_to nmr_peer_b nmr_peer_a
}

# Unload nmr_peer_b while upcalls into it are held. The log tells of the wait before it ends.
loses_upcalls()
{
	unload_later nmr_peer_b
	await "the binding drains" is "$link/state" detaching
	await "with the calls in flight" in_hand "$link/provider_calls" 2
	await "it is told of" logged "nmr: module nmr_peer_b is not unloaded before the calls"
	check "rmmod waits" running "$rmmod"
	release nmr_peer_b call
	unloaded nmr_peer_b
}

test_client_unloads_without_deregistering()
{
	mark
	load nmr
	load nmr_peer_a providers=1 threads=2
	load nmr_peer_b clients=1 leave=forget
	id=$(value "$(param nmr_peer_b client_ids)")
	link=$(binding nmr_peer_b nmr_peer_a)
	hold nmr_peer_b call
	await "calls held" in_hand "$link/provider_calls" 2
	expect_warning loses_upcalls
	check "it is told what to do" logged "nmr: client $id of module nmr_peer_b: its module unloads while it is registered: call nmr_deregister_client_sync() first thing in module_exit()"
	check "the provider was told" counted nmr_peer_a reason 0
	check "and cleaned up" counted nmr_peer_a cleaned 1
	check "each answer was right" counted nmr_peer_a wrong 0
	check "nothing of it is left" has clients 0
}

test_module_of_both_sides_unloads_without_deregistering()
{
	load nmr
	load nmr_peer_b clients=1 providers=1 threads=1
	load nmr_peer_a clients=2 providers=2 threads=1 leave=forget
	check "all meet all" has bindings 9
	await "calls flow" risen nmr_peer_b asked 20
	expect_warning unload nmr_peer_a
	check "one binding is left" has bindings 1
	check "its own" attached nmr_peer_b nmr_peer_b
	check "each answer was right" counted nmr_peer_b wrong 0
}

# Fail to load nmr_peer_a. When init_module() fails, busybox tries finit_module(), so init may
# run twice.
fails_init()
{
	load_refused nmr_peer_a fail_init=1 "$@"
	refuse "nmr_peer_a is loaded" loaded nmr_peer_a
}

test_provider_fails_init_after_registering()
{
	load nmr
	load nmr_peer_b clients=1 threads=2
	expect_warning fails_init providers=1
	check "nothing of it is left" has providers 0
	check "nor a binding" has bindings 0
	check "it was attached" risen nmr_peer_b attached 0
	all_was_right nmr_peer_b
	load nmr_peer_a providers=1
	check "it may come back" bound_to nmr_peer_b nmr_peer_a
}

test_client_fails_init_after_registering()
{
	load nmr
	load nmr_peer_b providers=1 threads=2
	expect_warning fails_init clients=1
	check "nothing of it is left" has clients 0
	check "nor a binding" has bindings 0
	check "it was attached" risen nmr_peer_b attached 0
	all_was_right nmr_peer_b
}

# Calls in flight make certain that the deregistration has not completed.
test_module_unloads_without_waiting()
{
	mark
	load nmr
	load nmr_peer_a providers=1 leave=nowait
	id=$(value "$(param nmr_peer_a provider_ids)")
	load nmr_peer_b clients=1 threads=2
	link=$(binding nmr_peer_b nmr_peer_a)
	hold nmr_peer_a call
	await "calls held" in_hand "$link/client_calls" 2
	expect_warning loses_calls_of_client
	check "it is told what to do" logged_once "nmr: provider $id of module nmr_peer_a: its module unloads before its deregistration has completed: call nmr_wait_for_provider_deregister_complete() in module_exit()"
	refuse "it has forgotten to deregister" logged "while it is registered"
	check "the client cleaned up" counted nmr_peer_b cleaned 1
	check "nothing of it is left" has providers 0
	check "each answer was right" counted nmr_peer_b wrong 0
}

# Each registration has a warning of its own, and these are limited. What the module waits for is
# told once: each binding has to wait for a grace period, so no deregistration completes at once.
test_module_that_forgets_many_registrations_is_told_of_once()
{
	mark
	load nmr
	load nmr_peer_b clients=1
	load nmr_peer_a providers=16 leave=forget
	check "all are bound" has bindings 16
	expect_warning unload nmr_peer_a
	check "it is told what it waits for" \
		logged_once "nmr: module nmr_peer_a is not unloaded before the calls"
	check "nothing of it is left" has providers 0
	check "the client cleaned up" counted nmr_peer_b cleaned 16
}

# Probe the detach callback of nmr_peer_a, of which one module with that function is loaded.
probe_detach()
{
	echo "p:$PROBE nmr_peer_a:peer_detach" >> $TRACING/kprobe_events
}

forget_probe()
{
	echo 0 > $TRACING/events/kprobes/$PROBE/enable
	echo "-:$PROBE" >> $TRACING/kprobe_events
}

# When a module unloads, notifiers take its probes, tracepoints and jump labels away. Before that,
# the registrar runs the last callbacks of the module.
test_callbacks_run_before_the_kernel_forgets_the_module()
{
	skip_unless "kprobe events in tracefs" exists $TRACING/kprobe_events
	load nmr
	load nmr_peer_a providers=1 leave=forget
	check "its detach callback is probed" probe_detach
	trap forget_probe EXIT
	echo > $TRACING/trace
	echo 1 > $TRACING/events/kprobes/$PROBE/enable
	load nmr_peer_b clients=1
	expect_warning unload nmr_peer_a
	check "the client cleaned up" counted nmr_peer_b cleaned 1
	check "the callback met the probe" grep -q " $PROBE: " $TRACING/trace
}

# Forty providers return a positive value at once. The limit is 10 warnings in 5 s.
test_warnings_of_many_registrations_are_limited()
{
	mark
	load nmr
	clock
	begin=$uptime
	expect_warning load nmr_scale clients=1 providers=40 attach_error=1
	clock
	periods=$(((uptime - begin + 1) / 5 + 1))
	warnings=$(since_mark | grep -c "nmr: provider .*: its attach callback returned a positive")
	check "the log is kept" logged "nmr_scale: 40 providers registered"
	check "some are told of" [ "$warnings" -gt 0 ]
	check "not all of them, but $warnings" [ "$warnings" -le $((10 * periods)) ]
}

# A misuse that concerns one binding names it.
test_misuse_names_the_binding_if_there_is_one()
{
	mark
	load nmr
	load nmr_peer_a providers=1 attach_error=1
	expect_warning load nmr_peer_b clients=1
	check "it is told" logged_once "nmr: provider [0-9]* of module nmr_peer_a, binding [1-9][0-9]*: its attach callback returned a positive value: return 0 or a negative errno"
	refuse "binding 0" logged "binding 0"
}

# --- register calls that are refused -----------------------------------------

# refused_because REASON PARAMETER...: check that the log has the reason once for each load
# of nmr_refused, which makes 3 calls. Busybox loads it twice.
refused_because()
{
	reason=$1
	shift
	mark
	load_refused nmr_refused times=3 "$@"
	tries=$(since_mark | grep -c "nmr_refused: the last of 3 register calls returned -22")
	check "with -EINVAL" [ "$tries" -ge 1 ]
	check "for a reason that is told once: $reason" \
		[ "$(since_mark | grep -c "nmr: $reason\$")" -eq "$tries" ]
	check "nothing is registered" empty
}

test_register_call_says_why_it_is_refused()
{
	load nmr
	for provider in N Y; do
		while read -r missing reason; do
			refused_because "nmr_refused cannot register: $reason" \
				provider=$provider missing="$missing"
		done <<-END
			characteristics	the characteristics are NULL
			npi_id		instance.npi_id is NULL
			module_id	instance.module_id is NULL
			handle		the pointer to the handle is NULL
		END
	done
	load nmr_refused times=3
}

# built_with VERSION BYTES PARAMETER...: check what the log says when nmr_refused is refused
built_with()
{
	with="version $1 of nmr.h (characteristics of $2 bytes)"
	shift 2
	mark
	load_refused nmr_refused "$@"
	check "with -EINVAL" logged "nmr_refused: the last of 1 register calls returned -22"
	check "both are named" logged "nmr: nmr_refused was built with $with, nmr.ko with version [0-9]* ([0-9]* bytes): build nmr_refused again"
	check "nothing is registered" empty
}

test_module_built_with_another_version_is_refused()
{
	load nmr
	built_with 0 "[0-9]*" version=0
	built_with 4000 "[0-9]*" version=4000
	built_with 4000 "[0-9]*" version=4000 provider=Y
}

test_module_built_with_other_sizes_is_refused()
{
	load nmr
	built_with 0 "[0-9]*" version=0
	own=$(since_mark | sed -n 's/.*nmr.ko with version \([0-9]*\) .*/\1/p' | head -n 1)
	bytes=$(since_mark | sed -n 's/.*nmr.ko.* (\([0-9]*\) bytes).*/\1/p' | head -n 1)
	built_with "$own" "[0-9]*" more_bytes=8 provider=Y
	built_with "$own" $((bytes + 8)) more_bytes=8
	built_with "$own" $((bytes - 8)) more_bytes=-8
}

# --- modules that must not load ----------------------------------------------

# offsets STRING FILE: print the offset of each occurrence that is a whole string
offsets()
{
	strings -t d "$2" | sed -n "s/^ *\([0-9]*\) $1\$/\1/p"
}

# patch OFFSET BYTE-IN-OCTAL FILE: overwrite one byte
patch()
{
	printf %b "\\0$2" | dd of="$3" bs=1 seek="$1" conv=notrunc 2> /dev/null
}

copy_of_peer()
{
	skip_unless "strings, of binutils" command -v strings > /dev/null
	load nmr
	need_module nmr_peer_a
	skip_unless "uncompressed nmr_peer_a.ko" [ "${ko%.ko}" != "$ko" ]
	cp "$ko" "$TMP"/copy.ko
	trap 'rm "$TMP"/copy.ko' EXIT
}

test_untouched_copy_loads()
{
	copy_of_peer
	check "insmod" insmod "$TMP"/copy.ko providers=1
	check "it is there" has providers 1
}

refused_as()
{
	mark
	refuse "insmod" insmod "$TMP"/copy.ko providers=1
	check "the kernel says why" logged "$1"
	refuse "nmr_peer_a is loaded" loaded nmr_peer_a
	check "nothing is registered" empty
}

# An entry in the table of versions has 64 bytes: a checksum of 8 bytes and the name. The
# name occurs at other places of the file too, which are not multiples of 64 bytes away.
test_wrong_symbol_version_is_refused()
{
	symbol=__nmr_provider_register
	copy_of_peer
	# A register call refuses the module there, see module_built_with_another_version.
	strings "$TMP"/copy.ko | grep -q '^vermagic=.* modversions ' ||
		skip_on_kernel "no versions of symbols (CONFIG_MODVERSIONS)"
	table=$(offsets module_layout "$TMP"/copy.ko | head -n 1)
	check "it has a table of versions" [ -n "$table" ]
	for offset in $(offsets $symbol "$TMP"/copy.ko); do
		[ $(((offset - table) % 64)) -ne 0 ] ||
			patch $((offset - 8)) 252 "$TMP"/copy.ko
	done
	refused_as "nmr_peer_a: disagrees about version of symbol $symbol"
}

test_wrong_namespace_is_refused()
{
	copy_of_peer
	offset=$(offsets import_ns=NMR "$TMP"/copy.ko)
	patch $((offset + 10)) 130 "$TMP"/copy.ko
	check "patched" [ -n "$(offsets import_ns=XMR "$TMP"/copy.ko)" ]
	refused_as "nmr_peer_a: module uses symbol .* from namespace NMR, but does not import it"
}

test_missing_namespace_is_refused()
{
	copy_of_peer
	offset=$(offsets import_ns=NMR "$TMP"/copy.ko)
	patch "$offset" 170 "$TMP"/copy.ko
	check "patched" [ -n "$(offsets xmport_ns=NMR "$TMP"/copy.ko)" ]
	refused_as "nmr_peer_a: module uses symbol .* from namespace NMR, but does not import it"
}

run_program "$@"
