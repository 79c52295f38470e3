# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# /sys/kernel/nmr: every file, its values, its mode, and who may keep it open.

NPI_ID=6e6d7201-7065-6572-8000-000000000001
MODULE_ID=6e6d7202-7065-6572-8000-0000000000

# lists FOLDER NAME...: these, and nothing else
lists()
{
	folder=$1
	shift
	check "files of $folder" [ "$(cd "$folder" && echo *)" = "$*" ]
}

# registration_says FOLDER MODULE MODULE-ID NUMBER
registration_says()
{
	lists "$1" module module_id npi_id number state
	check "module" is "$1/module" "$2"
	check "npi_id" is "$1/npi_id" "$NPI_ID"
	check "module_id" is "$1/module_id" "$MODULE_ID$3"
	check "number" is "$1/number" "$4"
	check "state" is "$1/state" active
	for file in "$1"/*; do
		check "$file is one line" [ "$(wc -l < "$file")" -eq 1 ]
	done
}

# A peer numbers its registrations from 0, and says their handles in that order.
test_registration_files()
{
	load nmr
	load nmr_peer_a providers=2
	load nmr_peer_b clients=2
	number=0
	for id in $(tr , ' ' < "$(param nmr_peer_a provider_ids)"); do
		registration_says "$NMR/providers/$id" nmr_peer_a 61 "$number"
		number=$((number + 1))
	done
	number=0
	for id in $(tr , ' ' < "$(param nmr_peer_b client_ids)"); do
		registration_says "$NMR/clients/$id" nmr_peer_b 62 "$number"
		number=$((number + 1))
	done
	check "no other provider" has providers 2
	check "no other client" has clients 2
}

test_registration_states()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1 threads=1
	hold nmr_peer_a call
	await "a call is held" in_hand "$(binding nmr_peer_b nmr_peer_a)/client_calls" 1
	provider=$(registration providers nmr_peer_a)
	client=$(registration clients nmr_peer_b)
	unload_later nmr_peer_a
	await "the provider is deregistering" is "$provider/state" deregistering
	check "the client is active" is "$client/state" active
	release nmr_peer_a call
	unloaded nmr_peer_a
	check "the provider's folder is gone" gone "$provider"
	check "the client's is not" is "$client/state" active
}

test_binding_files_while_attached()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	id=$(value "$(param nmr_peer_b bindings)")
	check "both sides see the same id" counted nmr_peer_a bindings "$id"
	link=$NMR/bindings/$id
	lists "$link" client client_calls client_detach detach pending_ms provider \
		provider_calls provider_detach reason state
	check "client" [ "$(readlink -f "$link/client")" = \
		"$NMR/clients/$(value "$(param nmr_peer_b client_ids)")" ]
	check "provider" [ "$(readlink -f "$link/provider")" = \
		"$NMR/providers/$(value "$(param nmr_peer_a provider_ids)")" ]
	check "state" is "$link/state" attached
	check "reason is there" [ -f "$link/reason" ]
	check "and empty" [ -z "$(cat "$link/reason")" ]
	for side in client provider; do
		check "${side}_calls" is "$link/${side}_calls" 0
		check "${side}_detach" is "$link/${side}_detach" none
	done
	check "pending_ms" is "$link/pending_ms" 0
}

# ids KIND: in order
ids()
{
	(cd "$NMR/$1" && echo *) | tr ' ' '\n' | sort -n | tr '\n' ' '
}

# Issued one after the other, whatever the other kinds do in between.
test_ids_are_three_series_never_issued_twice()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=4
	load nmr_peer_c providers=1
	for kind in providers clients bindings; do
		ids=$(ids $kind)
		first=${ids%% *}
		check "$kind are numbered in a row" \
			[ "$ids" = "$(seq "$first" $((first + $(entries "$NMR/$kind") - 1)) | tr '\n' ' ')" ]
	done
	last=$(value "$(param nmr_peer_c provider_ids)")
	unload nmr_peer_c
	load nmr_peer_c providers=1
	check "the next number" counted nmr_peer_c provider_ids $((last + 1))
	check "and 4 new bindings" [ "$(ids bindings)" = "1 2 3 4 9 10 11 12 " ]
}

test_files_are_read_only()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	for file in "$NMR"/*/*/[!d]* ; do
		[ -f "$file" ] || continue
		check "$file is 0444" [ "$(stat -c '%a %u %g' "$file")" = "444 0 0" ]
	done
	check "detach is 0200" \
		[ "$(stat -c '%a %u %g' "$NMR"/bindings/*/detach)" = "200 0 0" ]
}

# no_device COMMAND...: it fails so
no_device()
{
	"$@" 2>&1 | grep -q "No such device"
}

write_fallback_to_3()
{
	echo fallback >&3
}

# The modules that the files tell of are gone while the files are still open.
test_open_files_delay_no_unload()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	link=$(binding nmr_peer_b nmr_peer_a)
	exec 3< "$link/state" 4< "$link/client_calls" 5< "$link/reason" \
		6< "$(registration clients nmr_peer_b)/module" \
		7< "$(registration providers nmr_peer_a)/module"
	read -r state <&3
	check "state was read" [ "$state" = attached ]
	unload nmr_peer_b
	unload nmr_peer_a
	check "nothing is left" empty
	no_device cat <&3 || fail "state can still be read"
	no_device cat <&4 || fail "client_calls can still be read"
	no_device cat <&5 || fail "reason can still be read"
	no_device cat <&6 || fail "the client's module can still be read"
	no_device cat <&7 || fail "the provider's module can still be read"
	load nmr_peer_a providers=1
	no_device cat <&7 || fail "it reads the next one's"
}

test_open_detach_delays_no_unload()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	exec 3> "$(binding nmr_peer_b nmr_peer_a)/detach"
	unload nmr_peer_b
	load nmr_peer_b clients=1
	check "detach cannot be written" no_device write_fallback_to_3
	check "the next binding is not touched" bound_to nmr_peer_b nmr_peer_a
}

# listen: uevents go to /tmp/uevents, a line each, from now on
listen()
{
	cat > /tmp/heard <<-'END'
		#!/bin/sh
		echo "$ACTION $DEVPATH" >> /tmp/uevents
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
	grep -qx "$1" /tmp/uevents
}

# heard_in_order EVENT...: all of them, one after the other
heard_in_order()
{
	await "$1" heard "$1"
	first=$(grep -nx "$1" /tmp/uevents | sed 's/:.*//;q')
	shift
	for event; do
		await "$event" heard "$event"
		next=$(grep -nx "$event" /tmp/uevents | sed 's/:.*//;q')
		check "$event comes later" [ "$next" -gt "$first" ]
		first=$next
	done
}

test_uevents_of_registrations()
{
	load nmr
	listen
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	provider=/kernel/nmr/providers/$(value "$(param nmr_peer_a provider_ids)")
	client=/kernel/nmr/clients/$(value "$(param nmr_peer_b client_ids)")
	unload nmr_peer_a
	unload nmr_peer_b
	heard_in_order "add $provider" "remove $provider"
	heard_in_order "add $client" "remove $client"
}

test_uevents_of_a_binding()
{
	load nmr
	listen
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	link=/kernel/nmr/bindings/$(value "$(param nmr_peer_b bindings)")
	heard_in_order "add $link" "bind $link"
	refuse "an early unbind" heard "unbind $link"
	unload nmr_peer_a
	heard_in_order "add $link" "bind $link" "unbind $link" "remove $link"
}

test_uevents_of_bindings_can_be_turned_off()
{
	load nmr uevents=N
	listen
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	link=/kernel/nmr/bindings/$(value "$(param nmr_peer_b bindings)")
	client=/kernel/nmr/clients/$(value "$(param nmr_peer_b client_ids)")
	unload nmr_peer_a
	unload nmr_peer_b
	heard_in_order "add $client" "remove $client"
	for event in add bind unbind remove; do
		refuse "$event of a binding" heard "$event $link"
	done
}

# traced TEXT...: in the trace, one after the other
traced()
{
	line=0
	for text; do
		next=$(grep -n "$text" "$TRACING/trace" | sed 's/:.*//;q')
		check "\"$text\" is traced" [ -n "$next" ]
		check "\"$text\" comes later" [ "$next" -gt "$line" ]
		line=$next
	done
}

test_tracepoints_tell_what_sysfs_tells()
{
	TRACING=/sys/kernel/tracing
	load nmr
	load nmr_peer_a providers=1
	echo > "$TRACING/trace"
	echo 1 > "$TRACING/events/nmr/enable"
	load nmr_peer_b clients=1
	id=$(value "$(param nmr_peer_b bindings)")
	client=$(value "$(param nmr_peer_b client_ids)")
	provider=$(value "$(param nmr_peer_a provider_ids)")
	unload nmr_peer_a
	traced "nmr_register: client=$client module=nmr_peer_b npi=$NPI_ID" \
		"nmr_attach: binding=$id client=$client provider=$provider error=0" \
		"nmr_deregister: provider=$provider" "nmr_close: binding=$id reason=" \
		"nmr_detach: binding=$id side=client" "nmr_detach: binding=$id side=provider" \
		"nmr_cleanup: binding=$id" "nmr_finish: provider=$provider"
	echo 0 > "$TRACING/events/nmr/enable"
}

test_links_name_each_pair_once()
{
	load nmr
	load nmr_peer_a providers=2
	load nmr_peer_b clients=2
	for link in "$NMR"/bindings/*; do
		check "client of $link" is "$link/client/module" nmr_peer_b
		check "provider of $link" is "$link/provider/module" nmr_peer_a
		echo "$(value "$link/client/number") $(value "$link/provider/number")"
	done > /tmp/pairs
	check "each pair once" [ "$(sort /tmp/pairs | tr '\n' ,)" = "0 0,0 1,1 0,1 1," ]
	rm /tmp/pairs
}
