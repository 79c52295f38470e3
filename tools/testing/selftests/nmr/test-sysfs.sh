#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# /sys/kernel/nmr: every file, its values and its mode. An open file delays no unload.

. "$(dirname "$0")/lib.sh"

MODULE_ID=6e6d7202-7065-6572-8000-0000000000

# lists FOLDER NAME...: check that the folder has these files and no others
lists()
{
	folder=$1
	shift
	check "files of $folder" [ "$(cd "$folder" && echo *)" = "$*" ]
}

# registration_says FOLDER MODULE MODULE-ID NUMBER: check what the files of an active registration say
registration_says()
{
	check "module" is "$1/module" "$2"
	check "npi_id" is "$1/npi_id" "$NPI_ID"
	check "module_id" is "$1/module_id" "$MODULE_ID$3"
	check "number" is "$1/number" "$4"
	check "state" is "$1/state" active
	for file in module module_id npi_id number state; do
		check "$file is one line" [ "$(wc -l < "$1/$file")" -eq 1 ]
	done
}

# A peer numbers its registrations from 0. Its parameters list their handles in that order.
test_registration_files()
{
	load nmr
	load nmr_peer_a providers=2
	load nmr_peer_b clients=2
	number=0
	for id in $(tr , ' ' < "$(param nmr_peer_a provider_ids)"); do
		lists "$NMR/providers/$id" module module_id npi_id number reoffer state uevent
		registration_says "$NMR/providers/$id" nmr_peer_a 61 "$number"
		number=$((number + 1))
	done
	number=0
	for id in $(tr , ' ' < "$(param nmr_peer_b client_ids)"); do
		lists "$NMR/clients/$id" modalias module module_id npi_id number reoffer \
			state uevent
		registration_says "$NMR/clients/$id" nmr_peer_b 62 "$number"
		check "modalias" is "$NMR/clients/$id/modalias" "nmr-provider:$NPI_ID"
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

# ids KIND: print the ids in order
ids()
{
	(cd "$NMR/$1" && echo *) | tr ' ' '\n' | sort -n | tr '\n' ' '
}

# Ids of each kind are issued in a row, whatever the other kinds do in between.
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

# has_mode MODE FILE...: check the mode, and that root owns the files
has_mode()
{
	mode=$1
	shift
	for file; do
		check "$file is $mode" [ "$(stat -c '%a %u %g' "$file")" = "$mode 0 0" ]
	done
}

test_files_are_read_only_but_for_three()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	for file in "$NMR"/*/*/*; do
		case $file in
		*/detach | */reoffer | */uevent) has_mode 200 "$file" ;;
		*) [ -d "$file" ] || has_mode 444 "$file" ;;
		esac
	done
	has_mode 200 "$NMR"/bindings/*/detach "$NMR"/[cp]*/*/reoffer "$NMR"/[cp]*/*/uevent
}

# no_device COMMAND...: test that the command fails with -ENODEV
no_device()
{
	"$@" 2>&1 | grep -q "No such device"
}

# The echo of some shells does not print which error it met.
write_fallback_to_3()
{
	echo fallback | cat >&3
}

# The modules of both sides unload while files of theirs are open.
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

# heard_in_order EVENT...: wait for all of them, and check their order
heard_in_order()
{
	await "$1" heard "$1"
	first=$(grep -n "^$1 " "$TMP"/uevents | sed 's/:.*//;q')
	shift
	for event; do
		await "$event" heard "$event"
		next=$(grep -n "^$event " "$TMP"/uevents | sed 's/:.*//;q')
		check "$event comes later" [ "$next" -gt "$first" ]
		first=$next
	done
}

# carries "EVENT" VARIABLE...: check that each such event has these variables and no others
carries()
{
	event=$1
	shift
	await "$event" heard "$event"
	grep "^$event " "$TMP"/uevents | while read -r line; do
		check "what $event carries: $line" [ "$line" = "$event $*" ]
	done || exit 1
}

test_uevents_of_registrations()
{
	load nmr
	listen :
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	provider=/kernel/nmr/providers/$(value "$(param nmr_peer_a provider_ids)")
	client=/kernel/nmr/clients/$(value "$(param nmr_peer_b client_ids)")
	unload nmr_peer_a
	unload nmr_peer_b
	heard_in_order "add $provider" "remove $provider"
	heard_in_order "add $client" "remove $client"
	for action in add remove; do
		carries "$action $provider" DEVTYPE=provider "NMR_INTERFACE=$NPI_ID" \
			NMR_MODULE=nmr_peer_a SUBSYSTEM=nmr
		carries "$action $client" DEVTYPE=client "MODALIAS=nmr-provider:$NPI_ID" \
			"NMR_INTERFACE=$NPI_ID" NMR_MODULE=nmr_peer_b SUBSYSTEM=nmr
	done
}

# Without autoload, events give udev nothing to load. The file modalias remains for nmrctl.
test_autoload_can_be_turned_off()
{
	load nmr autoload=N
	listen
	load nmr_peer_b clients=1
	client=clients/$(value "$(param nmr_peer_b client_ids)")
	carries "add /kernel/nmr/$client" DEVTYPE=client "NMR_INTERFACE=$NPI_ID" \
		NMR_MODULE=nmr_peer_b SUBSYSTEM=nmr
	check "the file" is "$NMR/$client/modalias" "nmr-provider:$NPI_ID"
	check "turned on" set_param nmr autoload Y
	check "change" write_word 'change\n' "$NMR/$client/uevent"
	carries "change /kernel/nmr/$client" DEVTYPE=client "MODALIAS=nmr-provider:$NPI_ID" \
		"NMR_INTERFACE=$NPI_ID" NMR_MODULE=nmr_peer_b SUBSYSTEM=nmr SYNTH_UUID=0
}

test_uevents_of_a_binding()
{
	load nmr
	listen :
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	link=/kernel/nmr/bindings/$(value "$(param nmr_peer_b bindings)")
	client=$(value "$(param nmr_peer_b client_ids)")
	provider=$(value "$(param nmr_peer_a provider_ids)")
	await "it is told of" heard "add $link"
	refuse "an early end" heard "remove $link"
	unload nmr_peer_a
	heard_in_order "add $link" "remove $link"
	for action in add remove; do
		carries "$action $link" DEVTYPE=binding "NMR_CLIENT=$client" \
			"NMR_INTERFACE=$NPI_ID" "NMR_PROVIDER=$provider" SUBSYSTEM=nmr
	done
	check "and nothing else is" [ "$(grep -c " $link " "$TMP"/uevents)" -eq 2 ]
}

# The provider attaches, and then the client's attach callback fails.
test_attach_that_fails_sends_no_event()
{
	load nmr
	listen :
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1 late_error=-5
	client=/kernel/nmr/clients/$(value "$(param nmr_peer_b client_ids)")
	await "the binding has gone" has bindings 0
	unload nmr_peer_b
	heard_in_order "add $client" "remove $client"
	refuse "an event of a binding" grep -q /kernel/nmr/bindings/ "$TMP"/uevents
}

# The line in the log is repeated, the event is not.
test_uevent_of_a_stuck_binding_comes_once()
{
	mark
	load nmr stuck_seconds=1
	listen :
	load nmr_peer_a providers=1
	stuck_pair nmr_peer_b
	link=/kernel/nmr/bindings/$id
	hold nmr_peer_a call
	await "calls held" in_hand "$NMR/bindings/$id/client_calls" 2
	unload_later nmr_peer_a
	await "two lines" told_times "$id" 2
	client=$(value "$(param nmr_peer_b client_ids)")
	provider=$(value "$(param nmr_peer_a provider_ids)")
	release nmr_peer_a call
	unloaded nmr_peer_a
	heard_in_order "add $link" "change $link" "remove $link"
	carries "change $link" DEVTYPE=binding "NMR_CLIENT=$client" "NMR_INTERFACE=$NPI_ID" \
		"NMR_PROVIDER=$provider" NMR_STUCK=1 SUBSYSTEM=nmr
	check "once" [ "$(grep -c "^change $link " "$TMP"/uevents)" -eq 1 ]
	refuse "the others say so" grep -q "^[ar].*NMR_STUCK" "$TMP"/uevents
}

test_uevents_of_bindings_can_be_turned_off()
{
	mark
	load nmr uevents=N stuck_seconds=1
	listen :
	load nmr_peer_a providers=1
	stuck_pair nmr_peer_b
	client=/kernel/nmr/clients/$(value "$(param nmr_peer_b client_ids)")
	hold nmr_peer_a call
	await "calls held" in_hand "$NMR/bindings/$id/client_calls" 2
	unload_later nmr_peer_a
	await "it is stuck" is_told "$id"
	release nmr_peer_a call
	unloaded nmr_peer_a
	unload nmr_peer_b
	heard_in_order "add $client" "remove $client"
	refuse "an event of a binding" grep -q /kernel/nmr/bindings/ "$TMP"/uevents
}

# A client registers before there is a listener. Writing a word as udevadm does, with or
# without arguments, sends the event anew.
test_uevents_are_sent_anew()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	listen :
	provider=providers/$(value "$(param nmr_peer_a provider_ids)")
	client=clients/$(value "$(param nmr_peer_b client_ids)")
	refuse "they were heard" grep -q /kernel/nmr/ "$TMP"/uevents
	check "add" write_word 'add\n' "$NMR/$client/uevent"
	carries "add /kernel/nmr/$client" DEVTYPE=client "MODALIAS=nmr-provider:$NPI_ID" \
		"NMR_INTERFACE=$NPI_ID" NMR_MODULE=nmr_peer_b SUBSYSTEM=nmr SYNTH_UUID=0
	check "add" write_word 'add fe4d7c9d-b8c6-4a70-9ef1-3d8a58d18eed A=1' "$NMR/$provider/uevent"
	carries "add /kernel/nmr/$provider" DEVTYPE=provider "NMR_INTERFACE=$NPI_ID" \
		NMR_MODULE=nmr_peer_a SUBSYSTEM=nmr SYNTH_UUID=0
	check "change" write_word change "$NMR/$client/uevent"
	await "that is said" heard "change /kernel/nmr/$client"
	for word in remove bind 'Add' 'addx' '' ' add' -- online; do
		check "'$word' is refused" complains "Invalid argument" \
			write_word "$word\\n" "$NMR/$client/uevent"
	done
	check "it is for root" complains "Permission denied" \
		write_as_user add "$NMR/$client/uevent"
	check "the three, and no more" [ "$(grep -c /kernel/nmr/ "$TMP"/uevents)" -eq 3 ]
}

# traced TEXT...: check that the trace has each TEXT, in this order
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
	skip_unless "tracefs in $TRACING" [ -e "$TRACING/trace" ]
	load nmr
	load nmr_peer_a providers=1
	echo > "$TRACING/trace"
	echo 1 > "$TRACING/events/nmr/enable"
	load nmr_peer_b clients=1
	id=$(value "$(param nmr_peer_b bindings)")
	client=$(value "$(param nmr_peer_b client_ids)")
	provider=$(value "$(param nmr_peer_a provider_ids)")
	sides="client=$client (nmr_peer_b) provider=$provider (nmr_peer_a)"
	unload nmr_peer_a
	traced "nmr_register: client=$client module=nmr_peer_b npi=$NPI_ID" \
		"nmr_attach: binding=$id $sides error=0" "nmr_deregister: provider=$provider" \
		"nmr_close: binding=$id $sides reason=" \
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
	done > "$TMP"/pairs
	check "each pair once" [ "$(sort "$TMP"/pairs | tr '\n' ,)" = "0 0,0 1,1 0,1 1," ]
	rm "$TMP"/pairs
}

run_program "$@"
