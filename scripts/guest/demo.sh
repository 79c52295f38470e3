#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: $("$TOP/scripts/fetch/nmrctl-files.sh")
#
# The demonstration: two providers and two clients of the digest NPI meet through nmr.ko,
# work on real files, and leave in any order with calls in flight. Runs in the guest, with
# nmr.ko and digest_{shash,ahash,client,verify}.ko in /modules. Exits 0 only if every step
# was verified.
#
# While delay_ms of a provider is large, each digest stops in its init, so that calls are
# caught in flight. Writing 0 lets all of them go on. Each wait is for a state.

. /nmr/lib.sh

RESULTS=/sys/kernel/debug/digest_client
PAIRS=/sys/kernel/debug/nmr/pairs
NPI=20fd82c5-6014-4438-90c1-3e7d0270e70b
FILES="/bin/busybox /modules/nmr.ko $(echo /modules/digest_*.ko)"
THREADS=4

# --- talking ---------------------------------------------------------------

step()
{
	echo "=== $*"
}

# Show a command, and run it.
run()
{
	local status

	echo "  # $*"
	"$@"
	status=$?
	[ "$status" -eq 0 ] || echo "  $1: exit code $status"
	return "$status"
}

# put VALUE FILE: show the command, and run it
put()
{
	echo "  # echo $1 > $2"
	echo "$1" > "$2"
}

# Indent the input.
see()
{
	sed 's/^/      /'
}

# What check and await of lib.sh say: each check that holds, and with the first that does not
# the demonstration ends.
passed()
{
	echo "  ok: $1"
}

fail()
{
	echo "  FAILED: $*"
	show_all
	[ ! -e "$RESULTS" ] || see < "$RESULTS"
	step "Ends here, as a check has failed"
	exit 1
}

# --- looking ---------------------------------------------------------------

unbound()
{
	[ -z "$(binding "$1" "$2")" ]
}

show_all()
{
	run nmrctl tree | see
}

# show_binding PATH
show_binding()
{
	run nmrctl show "b${1##*/}" | see
}

# result KEY: print what digest_client counted
result()
{
	sed -n "s/^$1 //p" "$RESULTS"
}

result_is()
{
	[ "$(result "$1")" = "$2" ]
}

# grown KEY N: test that the count has grown beyond N by more than one digest a thread
grown()
{
	local now

	now=$(result "$1")
	[ "${now:-0}" -gt $(($2 + 2 * THREADS)) ]
}

all_digested()
{
	[ "$(grep -c '^file ' "$RESULTS")" -eq "$(wc -l < /tmp/sums)" ]
}

threads_sleep()
{
	[ "$(cat /proc/[0-9]*/stat 2> /dev/null | grep -c '(digest_client/[0-9]*) S ')" \
		-eq "$THREADS" ]
}

# Print digest_client's digests in the format of sha256sum.
client_sums()
{
	sed -n 's/^file \([^ ]*\) \([^ ]*\) .*/\1  \2/p' "$RESULTS"
}

client_agrees()
{
	client_sums | cmp -s - /tmp/sums
}

# verify FILE: print the answer of digest_verify, one line for each provider
verify()
{
	exec 3<> /dev/digest_verify
	echo "$1" >&3
	cat <&3
	exec 3>&-
}

# verified FILE ANSWER PROVIDER...: test that these providers, and no others, answered with the
# digest of sha256sum
verified()
{
	local sum answer=$2 name

	sum=$(grep " $1\$" /tmp/sums)
	shift 2
	[ "$answer" = "$(for name in "$@"; do echo "${sum%% *} $name"; done)" ]
}

# --- doing -----------------------------------------------------------------

let_calls_go()
{
	put 0 "/sys/module/$1/parameters/delay_ms"
}

held()
{
	is "/sys/module/$1/parameters/delayed" "$2"
}

# hold_calls PROVIDER: wait until each thread of digest_client is in a call
hold_calls()
{
	put 600000 "/sys/module/$1/parameters/delay_ms"
	await "$1 has $THREADS calls in hand" held "$1" "$THREADS"
	check "sysfs says so too" is "$(binding digest_client "$1")/client_calls" "$THREADS"
}

nothing_wrong()
{
	check "no digest wrong" result_is wrong 0
	check "no digest lost: each one begun is done or in a thread's hand" result_is lost 0
}

# works_with PROVIDER: check that digest_client goes on digesting with it
works_with()
{
	local before

	await "digest_client is attached to digest_$1" attached digest_client "digest_$1"
	before=$(result "provider $1")
	await "and goes on digesting with it" grown "provider $1" "${before:-0}"
	nothing_wrong
}

# Have nmrctl write a line for each event from now on.
monitor_events()
{
	nmrctl monitor --time=delta > /tmp/events &
	monitor=$!
	echo "  # nmrctl monitor --time=delta > /tmp/events &"
}

# heard_removal_of MODULE: test that nmrctl has heard that module leave
heard_removal_of()
{
	grep -q "remove .*$1" /tmp/events
}

show_events()
{
	step "What nmrctl monitor has written meanwhile"
	await "it has heard the last provider leave" heard_removal_of digest_ahash
	kill "$monitor"
	run cat /tmp/events | see
	check "digest_client has met both providers" \
		[ "$(grep -c 'add .*digest_client.*digest_[as]' /tmp/events)" -ge 2 ]
}

load_nmr()
{
	local folder

	step "Load the registrar"
	run insmod /modules/nmr.ko
	for folder in clients providers bindings; do
		check "$NMR/$folder is there" exists "$NMR/$folder"
		check "and empty" has "$folder" 0
	done
}

load_providers()
{
	step "Two providers register: SHA-256 by a synchronous and by an asynchronous hash"
	run insmod /modules/digest_shash.ko
	run insmod /modules/digest_ahash.ko
	show_all
	check "digest_shash is active" is "$(registration providers digest_shash)/state" active
	check "digest_ahash is active" is "$(registration providers digest_ahash)/state" active
	check "no binding without a client" has bindings 0
}

load_clients()
{
	step "Two clients register, and attach"
	echo "  One digests files from $THREADS threads all the time, with one provider at a"
	echo "  time; the other one file when asked, with all providers, and compares."
	run insmod /modules/digest_client.ko "threads=$THREADS" "files=$(echo "$FILES" | tr ' ' ,)"
	run insmod /modules/digest_verify.ko
	show_all
	check "digest_client is attached to digest_shash" attached digest_client digest_shash
	check "and, as max_bindings is 1, not to digest_ahash" unbound digest_client digest_ahash
	check "digest_verify is attached to digest_shash" attached digest_verify digest_shash
	check "digest_verify is attached to digest_ahash" attached digest_verify digest_ahash
}

compare_digests()
{
	local answer

	step "Digests of real files, against sha256sum"
	# shellcheck disable=SC2086 # a list of words
	sha256sum $FILES > /tmp/sums
	await "digest_client has digested each file" all_digested
	see < "$RESULTS"
	run cat /tmp/sums | see
	check "the digests are those of sha256sum" client_agrees
	echo "  # echo /bin/busybox >&3; cat <&3    (3 is /dev/digest_verify)"
	answer=$(verify /bin/busybox)
	echo "$answer" | see
	check "digest_verify has the same from both providers" \
		verified /bin/busybox "$answer" shash ahash
	nothing_wrong
}

remove_provider_in_use()
{
	local before link other asking leaving

	step "rmmod of the provider in use, with calls of both clients in flight"
	before=$(result retries)
	hold_calls digest_shash
	link=$(binding digest_client digest_shash)
	other=$(binding digest_verify digest_shash)
	verify /bin/busybox > /tmp/answer &
	asking=$!
	await "and one more, of digest_verify" held digest_shash $((THREADS + 1))
	check "sysfs says so too" is "$other/client_calls" 1
	run rmmod digest_shash &
	leaving=$!
	await "the first binding is detaching" is "$link/state" detaching
	await "the second too" is "$other/state" detaching
	await "the clients have nothing left but calls" is "$link/client_detach" pending
	show_binding "$link"
	show_binding "$other"
	check "reason is provider-deregistered" is "$link/reason" provider-deregistered
	check "$THREADS calls are still in flight" is "$link/client_calls" "$THREADS"
	check "and the module waits for them" is /sys/module/digest_shash/initstate going
	let_calls_go digest_shash
	wait "$leaving"
	check "rmmod has succeeded" [ $? -eq 0 ]
	check "digest_shash is gone" gone /sys/module/digest_shash
	check "the first binding is gone" gone "$link"
	check "the second too" gone "$other"
	wait "$asking"
	check "digest_verify got the digest it had asked for, from both" \
		verified /bin/busybox "$(cat /tmp/answer)" shash ahash
	works_with ahash
	check "the $THREADS files in hand were begun again, once each" \
		result_is retries $((before + THREADS))
	check "the digests are those of sha256sum" client_agrees
	show_all
}

reload_provider()
{
	local answer

	step "The provider comes back, and is offered to both clients"
	run insmod /modules/digest_shash.ko
	await "digest_verify is attached to it" attached digest_verify digest_shash
	check "digest_client has its one provider, and stays there" \
		unbound digest_client digest_shash
	answer=$(verify /modules/nmr.ko)
	echo "$answer" | see
	check "digest_verify has the same digest from both again" \
		verified /modules/nmr.ko "$answer" ahash shash
}

admin_fallback()
{
	local link

	step "An administrator detaches one binding: fallback, with calls in flight"
	hold_calls digest_ahash
	link=$(binding digest_client digest_ahash)
	put nonsense "$link/detach"
	check "any other word is refused" [ $? -ne 0 ]
	put fallback "$link/detach"
	check "fallback is accepted, and does not wait" [ $? -eq 0 ]
	show_binding "$link"
	check "the binding is detaching" is "$link/state" detaching
	check "reason is fallback" is "$link/reason" fallback
	check "the other binding of digest_ahash is not touched" \
		attached digest_verify digest_ahash
	let_calls_go digest_ahash
	await "the binding is gone" gone "$link"
	works_with shash
}

admin_abort()
{
	local link answer before

	step "An administrator detaches one binding: abort"
	link=$(binding digest_client digest_shash)
	put abort "$link/detach"
	check "abort is accepted" [ $? -eq 0 ]
	await "the binding is gone" gone "$link"
	works_with ahash
	run rmmod digest_ahash
	await "digest_client has lost its last provider, and its threads sleep" threads_sleep
	before=$(result "done")
	answer=$(verify /bin/busybox)
	check "digest_verify goes on with digest_shash" verified /bin/busybox "$answer" shash
	show_all
	check "which digest_client is not offered: abort holds while both stay registered" \
		unbound digest_client digest_shash
	run cat "$PAIRS" | see
	check "as debugfs tells of pairs that are not attached" \
		grep -q "(digest_client) provider .* (digest_shash): aborted" "$PAIRS"
	check "so it digested nothing meanwhile" result_is "done" "$before"
	nothing_wrong
	echo "  A provider that is loaded again is another registration:"
	run rmmod digest_shash
	run insmod /modules/digest_shash.ko
	works_with shash
	check "the digests are those of sha256sum" client_agrees
}

all_leave()
{
	local link leaving module folder

	step "All leave: the clients first, one of them with calls in flight"
	grep -v '^file ' "$RESULTS" | see
	run insmod /modules/digest_ahash.ko
	hold_calls digest_shash
	link=$(binding digest_client digest_shash)
	run rmmod digest_client &
	leaving=$!
	await "the binding is detaching" is "$link/state" detaching
	show_binding "$link"
	check "reason is client-deregistered" is "$link/reason" client-deregistered
	check "$THREADS calls are still in flight" is "$link/client_calls" "$THREADS"
	let_calls_go digest_shash
	wait "$leaving"
	check "rmmod has succeeded" [ $? -eq 0 ]
	for module in digest_verify digest_shash digest_ahash; do
		run rmmod "$module"
		check "$module is gone" gone "/sys/module/$module"
	done
	check "no client, provider or binding is left in $NMR" empty
	run rmmod nmr
	check "$NMR is gone" gone "$NMR"
}

read -r kernel < /proc/sys/kernel/osrelease
step "nmr on Linux $kernel, $(nproc) CPUs"
mkdir -p /etc/nmr
echo "$NPI digest" > /etc/nmr/interfaces
load_nmr
monitor_events
load_providers
load_clients
compare_digests
remove_provider_in_use
reload_provider
admin_fallback
admin_abort
all_leave
show_events

step "Every step was verified"
