# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# A binding that does not drain is told of once, with who holds it up.

test_stuck_seconds_is_thirty()
{
	load nmr
	check "the default" is "$(param nmr stuck_seconds)" 30
	unload nmr
	load nmr stuck_seconds=7
	check "as given" is "$(param nmr stuck_seconds)" 7
}

# stuck_pair CLIENT: bound to nmr_peer_a, calls it from 2 threads. Its binding is $id.
stuck_pair()
{
	load "$1" clients=1 threads=2
	id=$(basename "$(binding "$1" nmr_peer_a)")
}

# told ID: the line of the log
told()
{
	since_mark | grep "nmr: binding $1 stuck"
}

is_told()
{
	[ -n "$(told "$1")" ]
}

# says ID TEXT...: what is told of that binding
says()
{
	line=$(told "$1")
	shift
	for text; do
		case $line in
		*"$text"*) ;;
		*)	fail "no \"$text\" in: $line" ;;
		esac
	done
}

# A second binding closes after the first was told of. By the time it is told of, the
# first would have been again.
test_stuck_calls_are_told_once()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1
	stuck_pair nmr_peer_b
	first=$id
	stuck_pair nmr_peer_c
	hold nmr_peer_a call
	await "calls held" in_hand "$NMR/bindings/$first/client_calls" 2
	await "calls held" in_hand "$NMR/bindings/$id/client_calls" 2
	await "all of both" is /sys/module/nmr_peer_a/parameters/calls_held 4
	echo abort > "$NMR/bindings/$first/detach"
	await "the first is told of" is_told "$first"
	says "$first" "client nmr_peer_b pending, 2 calls in flight" \
		"provider nmr_peer_a detached, 0 calls in flight"
	check "after a second" above "$NMR/bindings/$first/pending_ms" 999
	refuse "the other is attached" is_told "$id"
	echo abort > "$NMR/bindings/$id/detach"
	await "the second is told of" is_told "$id"
	says "$id" "client nmr_peer_c pending, 2 calls in flight"
	check "the first was told of once" [ "$(told "$first" | wc -l)" -eq 1 ]
	check "they drain" release nmr_peer_a call
	await "and go" has bindings 0
}

test_stuck_upcalls_name_the_provider()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1 threads=3
	load nmr_peer_b clients=1
	id=$(basename "$(binding nmr_peer_b nmr_peer_a)")
	hold nmr_peer_b call
	await "upcalls held" in_hand "$NMR/bindings/$id/provider_calls" 3
	unload_later nmr_peer_b
	await "it is told of" is_told "$id"
	says "$id" "client nmr_peer_b detached, 0 calls in flight" \
		"provider nmr_peer_a pending, 3 calls in flight"
	release nmr_peer_b call
	unloaded nmr_peer_b
}

test_stuck_detach_names_its_side()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	id=$(basename "$(binding nmr_peer_b nmr_peer_a)")
	hold nmr_peer_a detach
	unload_later nmr_peer_b
	await "it is told of" is_told "$id"
	says "$id" "client nmr_peer_b detached, 0 calls in flight" \
		"provider nmr_peer_a pending, 0 calls in flight"
	release nmr_peer_a detach
	unloaded nmr_peer_b
}

test_stuck_attach_is_told()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1
	insmod /modules/nmr_peer_b.ko clients=1 hold_attach=1 &
	insmod=$!
	await "the client has registered" has clients 1
	unload_later nmr_peer_a
	await "it is told of" logged "nmr: binding [0-9]* stuck.*nmr_peer_b.*nmr_peer_a"
	check "as attaching" logged "client nmr_peer_b attaching"
	release nmr_peer_b attach
	unloaded nmr_peer_a
	wait "$insmod" || fail "insmod nmr_peer_b"
}

# A binding that has drained is none of this, however long its cleanup takes. The other
# one tells that the time has passed.
test_stuck_cleanup_is_not_told()
{
	mark
	load nmr stuck_seconds=1
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1 hold_cleanup=1
	cleaning=$(basename "$(binding nmr_peer_b nmr_peer_a)")
	stuck_pair nmr_peer_c
	echo abort > "$NMR/bindings/$cleaning/detach"
	await "the first cleans up" is "$NMR/bindings/$cleaning/state" cleaning
	hold nmr_peer_a call
	await "calls held" in_hand "$NMR/bindings/$id/client_calls" 2
	echo abort > "$NMR/bindings/$id/detach"
	await "the other is told of" is_told "$id"
	check "the first cleans up still" is "$NMR/bindings/$cleaning/state" cleaning
	refuse "but is not told of" is_told "$cleaning"
}
