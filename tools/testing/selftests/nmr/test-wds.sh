#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Transport sessions: servers disconnect clients in the middle of a file, and come and go.

. "$(dirname "$0")/lib.sh"

DEBUG=/sys/kernel/debug
SIZE=200000
CHUNK=4096

# --- looking and doing -----------------------------------------------------

# shows FILE PATTERN: test that a line of this file of debugfs matches. A process costs up to
# 100 ms with KASAN, so this and what else the cases call often start none.
shows()
{
	while IFS= read -r line; do
		# shellcheck disable=SC2254	# a pattern
		case $line in
		$2)	return 0 ;;
		esac
	done < "$DEBUG/$1"
	return 1
}

# control SERVER COMMAND
control()
{
	write_word "$2" "$DEBUG/$1/control"
}

# probe COMMAND
probe()
{
	write_word "$1" "$DEBUG/wds_probe"
}

# content FOLDER [SIZE]: make the content "disk" in a folder of $TMP
content()
{
	mkdir -p "$TMP/$1"
	head -c "${2:-$SIZE}" /dev/urandom > "$TMP/$1/disk"
}

same_content()
{
	mkdir -p "$TMP/$2"
	cp "$TMP/$1/disk" "$TMP/$2/disk"
}

server()
{
	load "wds_server$1" content="$TMP/$2/disk"
}

client()
{
	module=wds_client$1
	shift
	load "$module" content=disk dest="$TMP/$module" chunk=$CHUNK retry_ms=50 "$@"
}

start()
{
	skip_unless "debugfs" exists "$DEBUG/clear_warn_once"
	load nmr
}

# one_server OFFSET: a server that holds reads at OFFSET, and content in b for another one
one_server()
{
	start
	content a
	same_content a b
	server "" a
	set_param wds_server hold_read "$1"
}

two_servers()
{
	one_server "$1"
	server 2 b
}

# linked CLIENT SERVER: set $link to the folder of their binding, if it is attached
linked()
{
	for link in "$NMR"/bindings/*; do
		is "$link/client/module" "$1" && is "$link/provider/module" "$2" &&
			is "$link/state" attached && return
	done
	return 1
}

# pair_is TEXT: test what nmr says of the pair of wds_client and wds_server
pair_is()
{
	shows nmr/pairs "client * (wds_client) provider * (wds_server): $1"
}

# stopped CLIENT SERVER: wait until the client's call is held in the server
stopped()
{
	await "$1 is attached to $2" linked "$1" "$2"
	await "$1 is held in $2" in_hand "$link/client_calls" 1
}

# Load the first client, and wait until its call is held in the first server.
held_client()
{
	client ""
	stopped wds_client wds_server
}

# whole CLIENT FOLDER: wait until the client has its file, and compare
whole()
{
	await "$1 is done" shows "$1" "status done"
	check "the file of $1 is whole" cmp "$TMP/$1" "$TMP/$2/disk"
}

# has_sent SERVER BYTES: test how much the first session of a server has sent
has_sent()
{
	shows "$1/sessions" "* sent $2 *"
}

# resumed CLIENT: check that the client went on where it was, in the second server, which sent
# only the rest. The first server held the chunk at $1.
resumed()
{
	check "it went on" shows "$1" "resumes 1"
	check "it did not begin again" shows "$1" "restarts 0"
	check "the second server sent the rest" has_sent wds_server2 $((SIZE - $2 - CHUNK))
}

# moved OFFSET: check that the first client went to the second server, where the first held it, and
# did not come back
moved()
{
	whole wds_client a
	check "it has joined the second once" shows wds_client "joins 2"
	check "the first sent nothing more" has_sent wds_server $(($1 + CHUNK))
}

no_clients()
{
	! shows "$1/clients" "*"
}

# --- transfers -------------------------------------------------------------

test_files_are_whole()
{
	start
	content a
	server "" a
	client ""
	client 2 chunk=10007
	whole wds_client a
	whole wds_client2 a
	check "each was sent once" has_sent wds_server $((2 * SIZE))
	check "no client is left" no_clients wds_server
	check "nor counted" shows wds_server/sessions \
		"1 session content 1 master 0 clients 0 *"
	check "digest" shows wds_server/contents \
		"* sha256 $(sha256sum "$TMP/a/disk" | cut -d ' ' -f 1)"
}

test_empty_file_is_whole()
{
	start
	content a 0
	server "" a
	client ""
	whole wds_client a
}

test_client_waits_for_a_server()
{
	start
	content a
	client ""
	check "it waits" shows wds_client "status waiting"
	load wds_server
	await "the server has no content" shows wds_client "error -2"
	check "now it has" control wds_server "content $TMP/a/disk"
	whole wds_client a
}

test_list_shows_what_the_server_knows()
{
	skip_unless "ip, or no dummy device" ip link add wds0 type dummy
	trap 'ip link del wds0 2> /dev/null' EXIT
	mac=02:00:5e:10:20:30
	ip link set wds0 address $mac up
	ip address add 192.0.2.7/24 dev wds0
	start
	content a
	load wds_server content="$TMP/a/disk" dev=wds0
	set_param wds_server hold_read 20480
	client "" name=alpha dev=wds0
	stopped wds_client wds_server
	id=$(basename "$link")
	is_shown="1 client session 1 name alpha ip 192.0.2.7 mac $mac user 0"
	check "name and addresses" shows wds_server/clients "$is_shown binding $id joined [0-9]* *"
	numbers='percent 10 cpu [0-9]* memory [0-9]* network [0-9]*'
	check "how far" shows wds_server/clients "* $numbers"
	check "the session" shows wds_server/sessions \
		"1 session * master 1 clients 1 rate [0-9]* sent 20480 device wds0 mac $mac"
	check "the content" shows wds_server/contents \
		"1 content disk size $SIZE sha256 [0-9a-f]*"
	ip link del wds0
	refuse "the device is held" exists /sys/class/net/wds0
	release wds_server read
	whole wds_client a
}

test_client_without_its_device_is_refused()
{
	start
	load_refused wds_client content=disk dest="$TMP/x" dev=wds9
	load_refused wds_client content=disk dest="$TMP/no/x"
	load_refused wds_client content=disk dest=/dev/null
	load_refused wds_client content=disk dest="$TMP/x" chunk=0
	load_refused wds_client content=disk dest="$TMP/x" chunk=65537
	check "nothing is left" empty
}

# --- disconnecting ---------------------------------------------------------

# One client has joined, and another one is in the middle of a chunk.
probe_and_client()
{
	one_server $CHUNK
	load wds_probe
	check "the first joins" probe "join 1"
	check "by number 1" shows wds_probe "result client 1"
	held_client
}

test_upcall_reaches_one_with_its_type()
{
	probe_and_client
	check "fallback" control wds_server "disconnect 1 fallback"
	check "one upcall" shows wds_probe "upcalls 0 1 0"
	check "for the number" shows wds_probe "told 1"
	check "it may join again" probe "join 1"
	check "by another number" shows wds_probe "result client 3"
	check "abort" control wds_server "disconnect 3 abort"
	check "one more upcall" shows wds_probe "upcalls 0 1 1"
	check "for that number" shows wds_probe "told 3"
	check "the other client was not told" shows wds_client "upcalls 0 0 0"
	check "it is joined" shows wds_server/clients "2 client *"
	release wds_server read
	whole wds_client a
	check "by joining once" shows wds_client "joins 1"
}

test_join_after_abort_is_refused()
{
	probe_and_client
	check "abort" control wds_server "disconnect 1 abort"
	for attempt in 1 2; do
		check "join $attempt" complains "Operation not permitted" probe "join 1"
	done
	check "nor another session" control wds_server "session 1"
	check "is open to it" complains "Operation not permitted" probe "join 2"
	unload wds_probe
	load wds_probe
	check "another registration may" probe "join 1"
}

test_unknown_type_is_refused()
{
	probe_and_client
	for type in unknown 0 1 2 3 '' ' fallback' Fallback fallbac aborted 'abort now'; do
		check "type $type" complains "Invalid argument" \
			control wds_server "disconnect 1 $type"
	done
	check "without a type" complains "Invalid argument" control wds_server "disconnect 1"
	check "a bad number, too" complains "Invalid argument" \
		control wds_server "disconnect 99 unknown"
	check "nothing was told" shows wds_probe "upcalls 0 0 0"
	check "both are joined" shows wds_server/sessions "* clients 2 *"
}

test_bad_id_is_refused()
{
	probe_and_client
	for id in 0 3 99 4294967295; do
		check "client $id" complains "No such file" \
			control wds_server "disconnect $id fallback"
	done
	for id in -1 x 1x 4294967296 99999999999999999999 ''; do
		check "number $id" complains "Invalid argument" \
			control wds_server "disconnect $id fallback"
	done
	check "once" control wds_server "disconnect 1 fallback"
	check "not twice" complains "No such file" control wds_server "disconnect 1 fallback"
	check "one upcall" shows wds_probe "upcalls 0 1 0"
	check "the other is joined" shows wds_server/sessions "* clients 1 *"
}

test_bad_commands_are_refused()
{
	start
	load wds_server
	for command in '\n' ' ' content session terminate-session 'terminate-content x' \
		'disconnect' 'session -1' 'foo 1' 'session 1 2'; do
		check "command $command" complains "Invalid argument" control wds_server "$command"
	done
	for command in session terminate-session terminate-content; do
		check "$command of nothing" complains "No such file" \
			control wds_server "$command 7"
	done
	check "a long one" complains "Argument list too long" \
		control wds_server "$(head -c 5000 /dev/zero | tr '\0' a)"
}

test_fallback_resumes_at_the_other_server()
{
	two_servers 65536
	client ""
	client 2
	stopped wds_client wds_server
	stopped wds_client2 wds_server
	id=$(sed -n 's/ client .*name wds_client .*//p' "$DEBUG/wds_server/clients")
	check "disconnect" control wds_server "disconnect $id fallback"
	check "one upcall" shows wds_client "upcalls 0 1 0"
	check "the other client was not told" shows wds_client2 "upcalls 0 0 0"
	check "one client is left" shows wds_server/sessions "* clients 1 *"
	release wds_server read
	whole wds_client a
	resumed wds_client 65536
	check "the client left the server" shows wds_client "detaches 0 1 0"
	whole wds_client2 a
	check "the other one stayed" shows wds_client2 "detaches 0 0 0"
}

test_fallback_to_the_only_server_resumes()
{
	one_server 8192
	held_client
	check "disconnect" control wds_server "disconnect 1 fallback"
	release wds_server read
	whole wds_client a
	check "it came back" shows wds_client "joins 2"
	check "and went on" has_sent wds_server $SIZE
}

test_abort_never_comes_back()
{
	two_servers 65536
	held_client
	check "disconnect" control wds_server "disconnect 1 abort"
	check "one upcall" shows wds_client "upcalls 0 0 1"
	set_param wds_server2 hold_read 131072
	release wds_server read
	stopped wds_client wds_server2
	check "the client left the first" shows wds_client "detaches 0 0 1"
	check "the second falls back" control wds_server2 "disconnect 1 fallback"
	release wds_server2 read
	whole wds_client a
	check "the second had it three times" shows wds_client "joins 3"
	check "the first sent nothing more" has_sent wds_server $((65536 + CHUNK))
	check "the second sent the rest" has_sent wds_server2 $((SIZE - 65536 - CHUNK))
	unload wds_server2
	check "the client has no server" has bindings 0
}

test_abort_wins_over_a_later_fallback()
{
	one_server 65536
	held_client
	check "disconnect" control wds_server "disconnect 1 abort"
	check "one upcall" shows wds_client "upcalls 0 0 1"
	check "an administrator is late" complains "already" write_word fallback "$link/detach"
	release wds_server read
	await "the binding has gone" gone "$link"
	await "the pair is aborted" pair_is aborted
	check "offers" write_word deferred "$(registration clients wds_client)/reoffer"
	server 2 b
	moved 65536
}

test_abort_is_heeded_after_a_fallback()
{
	one_server 65536
	held_client
	hold wds_client upcall
	write_word "disconnect 1 abort" "$DEBUG/wds_server/control" &
	await "the upcall is held" in_hand "$link/provider_calls" 1
	check "fallback" write_word fallback "$link/detach"
	release wds_client upcall
	release wds_server read
	check "the upcall was made" wait $!
	await "the binding has gone" gone "$link"
	check "that was the reason" shows wds_client "detaches 0 1 0"
	await "the client declines" pair_is "declined by the client, error -19"
	server 2 b
	moved 65536
}

test_upcall_before_join_returns_is_heeded()
{
	start
	content a
	server "" a
	hold wds_server joined
	held_client
	check "the client does not know its number" shows wds_client "client 0"
	check "disconnect" control wds_server "disconnect 1 fallback"
	check "one upcall" shows wds_client "upcalls 0 1 0"
	release wds_server joined
	whole wds_client a
	check "it left, and joined again" shows wds_client "detaches 0 1 0"
	check "twice" shows wds_client "joins 2"
	check "without an error" shows wds_client "error 0"
}

# --- the administrator, by sysfs -------------------------------------------

test_sysfs_fallback_resumes()
{
	two_servers 65536
	held_client
	check "write" write_word fallback "$link/detach"
	await "the server has detached" no_clients wds_server
	check "the call is in flight" is "$link/client_calls" 1
	release wds_server read
	whole wds_client a
	resumed wds_client 65536
	check "no upcall" shows wds_client "upcalls 0 0 0"
	check "but a detach" shows wds_client "detaches 0 1 0"
}

test_sysfs_abort_never_comes_back()
{
	two_servers 65536
	held_client
	check "write" write_word abort "$link/detach"
	release wds_server read
	whole wds_client a
	resumed wds_client 65536
	check "an abort" shows wds_client "detaches 0 0 1"
	check "no upcall" shows wds_client "upcalls 0 0 0"
	await "the second has it" linked wds_client wds_server2
	check "fallback" write_word fallback "$link/detach"
	await "that binding has gone" gone "$link"
	await "it is told" shows wds_client "detaches 0 1 1"
	check "offers" write_word deferred "$(registration clients wds_client)/reoffer"
	await "attached" linked wds_client wds_server2
	refuse "the first is back" linked wds_client wds_server
	check "as the pair is aborted" pair_is aborted
}

# --- modules that leave ----------------------------------------------------

# A client that has not joined gets no upcall. Its join is in flight, and fails late.
test_server_that_unloads_without_a_word_is_of_unknown_type()
{
	start
	content a
	server "" a
	hold wds_server join
	held_client
	unload_later wds_server
	await "the client is detached" shows wds_client "detaches 1 0 0"
	await "so is the server" is "$link/provider_detach" "done"
	check "no upcall" shows wds_client "upcalls 0 0 0"
	release wds_server join
	unloaded wds_server
	check "it has not joined" shows wds_client "joins 0"
	server "" a
	whole wds_client a
	check "it has joined once" shows wds_client "joins 1"
	check "it chose to leave no server" shows wds_client "detaches 1 0 0"
	check "without an error" shows wds_client "error 0"
}

test_server_unloads_in_the_middle_of_a_chunk()
{
	two_servers 65536
	held_client
	unload_later wds_server
	await "the client was told before" shows wds_client "upcalls 0 1 0"
	await "the binding closes" is "$link/state" detaching
	check "and waits for the chunk" is "$link/client_calls" 1
	release wds_server read
	unloaded wds_server
	whole wds_client a
	resumed wds_client 65536
}

test_server_comes_back()
{
	one_server 65536
	held_client
	unload_later wds_server
	release wds_server read
	unloaded wds_server
	await "the client waits" has bindings 0
	server "" a
	whole wds_client a
	check "the server sent the rest" has_sent wds_server $((SIZE - 65536 - CHUNK))
}

test_client_unloads_in_the_middle_of_a_chunk()
{
	two_servers 65536
	client ""
	client 2
	stopped wds_client2 wds_server
	stopped wds_client wds_server
	unload_later wds_client
	await "its binding closes" is "$link/state" detaching
	await "it has left the session" shows wds_server/sessions "* clients 1 *"
	release wds_server read
	unloaded wds_client
	whole wds_client2 a
	check "the other one was not told" shows wds_client2 "upcalls 0 0 0"
	check "nor detached" shows wds_client2 "detaches 0 0 0"
	check "no client is left" no_clients wds_server
}

test_join_during_detach_is_refused()
{
	start
	content a
	server "" a
	load wds_probe
	hold wds_server join
	(complains "Cannot send after" probe "join 1") &
	joiner=$!
	await "a call is held" in_hand "$(binding wds_probe wds_server)/client_calls" 1
	link=$(binding wds_probe wds_server)
	check "write" write_word abort "$link/detach"
	await "the server has detached" is "$link/provider_detach" "done"
	release wds_server join
	check "join is refused" wait "$joiner"
	check "no client is left" no_clients wds_server
	await "it is done" gone "$link"
	check "then there is no server" complains "No such device" probe "join 1"
}

# --- sessions --------------------------------------------------------------

test_terminated_session_tells_all_its_clients()
{
	start
	content a
	server "" a
	check "a second session" control wds_server "session 1"
	load wds_probe
	check "one joins that" probe "join 2"
	set_param wds_server hold_read $CHUNK
	client ""
	client 2
	stopped wds_client2 wds_server
	stopped wds_client wds_server
	check "terminate" control wds_server "terminate-session 1"
	check "it is told" shows wds_client "upcalls 0 1 0"
	check "it, too" shows wds_client2 "upcalls 0 1 0"
	check "the other session is not" shows wds_probe "upcalls 0 0 0"
	check "it is the only one" shows wds_server/sessions "2 * master 1 clients 1 *"
	check "not twice" complains "No such file" control wds_server "terminate-session 1"
	check "it is gone" complains "No such file" probe "info 1"
	release wds_server read
	whole wds_client a
	whole wds_client2 a
}

test_terminated_content_ends_all_its_sessions()
{
	start
	content a
	content b
	mv "$TMP/b/disk" "$TMP/b/other"
	server "" a
	check "a second session" control wds_server "session 1"
	check "a second content" control wds_server "content $TMP/b/other"
	load wds_probe
	check "join" probe "join 2"
	check "terminate" control wds_server "terminate-content 1"
	check "it is told" shows wds_probe "upcalls 0 1 0"
	check "its sessions are gone" complains "No such file" probe "find disk"
	check "the other session is there" probe "find other"
	check "by its number" shows wds_probe "result session 3"
	check "not twice" complains "No such file" control wds_server "terminate-content 1"
	check "no more sessions" complains "No such file" control wds_server "session 1"
	check "nothing holds the file" [ "$(wc -l < "$DEBUG/wds_server/contents")" -eq 1 ]
}

test_first_client_is_the_master()
{
	probe_and_client
	check "info" probe "info 1"
	check "the first" shows wds_probe "result session 1 content 1 master 1 size $SIZE *"
	check "it leaves" probe "leave 1"
	check "info" probe "info 1"
	check "the next" shows wds_probe "result session 1 content 1 master 2 *"
}

# --- the NPI's errors ------------------------------------------------------

test_calls_with_a_bad_number_are_refused()
{
	probe_and_client
	for id in 0 2 99 4294967295; do
		for call in "leave $id" "report $id 5" "read $id 0 10" "checksum $id"; do
			check "$call" complains "No such file" probe "$call"
		done
	done
	check "leave" probe "leave 1"
	for id in 0 2 99; do
		check "join $id" complains "No such file" probe "join $id"
		check "info $id" complains "No such file" probe "info $id"
	done
	for call in "leave 1" "report 1 5" "read 1 0 10" "checksum 1"; do
		check "$call after it left" complains "No such file" probe "$call"
	done
	check "the other client is joined" shows wds_server/sessions "* clients 1 *"
}

test_calls_with_bad_values_are_refused()
{
	start
	content a
	server "" a
	load wds_probe
	check "join" probe "join 1"
	check "again" complains "File exists" probe "join 1"
	check "report" probe "report 1 100"
	check "too much" complains "Invalid argument" probe "report 1 101"
	for read in "-1 10" "$((SIZE + 1)) 10" "0 0" "0 65537" "9223372036854775807 10"; do
		check "read $read" complains "Invalid argument" probe "read 1 $read"
	done
	check "the end" probe "read 1 $SIZE 10"
	check "has no bytes" shows wds_probe "result read 0 *"
	check "before the end" probe "read 1 $((SIZE - 3)) 10"
	check "are some" shows wds_probe "result read 3 *"
	check "checksum" probe "checksum 1"
	check "is the file's" shows wds_probe \
		"result sha256 $(sha256sum "$TMP/a/disk" | cut -d ' ' -f 1)"
	check "what was reported stays" shows wds_server/clients "1 client * percent 100 *"
}

# --- names and files -------------------------------------------------------

# letters NUMBER
letters()
{
	head -c "$1" /dev/zero | tr '\0' a
}

test_bad_names_of_contents_are_refused()
{
	start
	content a
	server "" a
	load wds_probe
	for bad in '' / a/b ../disk /etc/passwd disk/ "$(letters 300)/"; do
		check "find $bad" complains "Invalid argument" probe "find $bad"
	done
	for length in 64 300; do
		check "find $length bytes" complains "File name too long" \
			probe "find $(letters $length)"
	done
	for none in nothing dis diskk Disk . .. "$(letters 63)"; do
		check "find $none" complains "No such file" probe "find $none"
	done
	check "find" probe "find disk"
}

test_bad_files_are_refused()
{
	start
	content a
	load_refused wds_server content="$TMP/none"
	load_refused wds_server content="$TMP/a/disk" dev=wds9
	server "" a
	check "no such file" complains "No such file" control wds_server "content $TMP/none"
	check "a folder" complains "Invalid argument" control wds_server "content $TMP"
	mkfifo "$TMP/fifo"
	check "a FIFO" complains "Invalid argument" timeout 20 \
		sh -c "echo content $TMP/fifo | cat > $DEBUG/wds_server/control"
	check "a device" complains "Invalid argument" control wds_server "content /dev/null"
	check "not a folder" complains "File name too long" \
		control wds_server "content $TMP/$(letters 300)"
	check "twice" complains "File exists" control wds_server "content $TMP/a/disk"
	check "64 bytes" complains "File name too long" \
		control wds_server "content $TMP/$(letters 64)"
	cp "$TMP/a/disk" "$TMP/$(letters 63)"
	check "63 bytes" control wds_server "content $TMP/$(letters 63)"
	check "two contents" [ "$(wc -l < "$DEBUG/wds_server/contents")" -eq 2 ]
}

# no_attach ERROR PARAMETER: check that a server does not attach to such a client
no_attach()
{
	mark
	load wds_probe "$2"
	check "no server attaches: $2" has bindings 0
	check "the log has error $1" logged "wds_server failed to attach .*: error $1"
	unload wds_probe
}

test_clients_with_bad_identities_do_not_attach()
{
	start
	load wds_server
	no_attach -36 "name=$(letters 300)"
	no_attach -36 "name=$(letters 64)"
	no_attach -22 name=a/b
	no_attach -22 name=
	no_attach -22 "name=$(printf 'a\177b')"
	no_attach -97 family=1
	no_attach -22 mac=01:00:5e:00:00:01
	no_attach -22 mac=ff:ff:ff:ff:ff:ff
	mark
	load wds_probe version=2
	check "another version is declined" has bindings 0
	refuse "the log has an error" logged "error"
	unload wds_probe
	load_refused wds_probe mac=foo
	load wds_probe "name=$(letters 63)" family=10
	check "a good one attaches" has bindings 1
}

# has_run PROCESS: test that it has spent 50 ms in the kernel
has_run()
{
	said "/proc/$1/stat"
	# shellcheck disable=SC2086,SC2154	# words, of lib.sh
	set -- $said
	[ "${15:-0}" -ge 5 ]
}

# ended PROCESS: test that it has ended, or waits for its parent only
ended()
{
	said "/proc/$1/stat"
	case $said in
	''|*") Z "*)	return 0 ;;
	esac
	return 1
}

test_opening_can_be_killed()
{
	start
	load wds_server
	truncate -s 1099511627776 "$TMP/huge"
	echo "content $TMP/huge" > "$TMP/command"
	cat "$TMP/command" > "$DEBUG/wds_server/control" &
	reader=$!
	await "it reads the file" has_run $reader
	kill -KILL $reader
	await "it has ended" ended $reader
	check "it left nothing" [ -z "$(cat "$DEBUG/wds_server/contents")" ]
	content a
	check "the next command runs" control wds_server "content $TMP/a/disk"
}

test_file_that_vanishes_is_whole()
{
	one_server 65536
	held_client
	rm "$TMP/a/disk"
	release wds_server read
	whole wds_client b
}

test_file_that_shrinks_is_told()
{
	one_server 65536
	held_client
	head -c 65536 "$TMP/b/disk" > "$TMP/a/disk"
	release wds_server read
	await "the client knows" shows wds_client "error -116"
	refuse "it is done" shows wds_client "status done"
	server 2 b
	whole wds_client b
	check "it went on" shows wds_client "restarts 0"
	check "the second server sent the rest" has_sent wds_server2 $((SIZE - 65536))
}

test_file_that_changes_is_begun_again()
{
	one_server 65536
	held_client
	head -c $SIZE /dev/zero > "$TMP/a/disk"
	release wds_server read
	await "the checksum is wrong" shows wds_client "error -74"
	refuse "it is done" shows wds_client "status done"
	await "the server is not tried again" pair_is aborted
	check "it began again once" shows wds_client "restarts 1"
	server 2 b
	whole wds_client b
}

test_other_content_of_the_name_is_begun_again()
{
	start
	content a
	content b 30000
	server "" a
	set_param wds_server hold_read 65536
	server 2 b
	held_client
	check "disconnect" control wds_server "disconnect 1 fallback"
	release wds_server read
	whole wds_client b
	check "it began again" shows wds_client "restarts 1"
	check "all was sent" has_sent wds_server2 30000
}

test_file_that_others_lengthen_is_not_done()
{
	one_server 65536
	held_client
	printf x | dd of="$TMP/wds_client" bs=1 seek=$((SIZE + 10)) conv=notrunc 2> /dev/null
	release wds_server read
	await "it ends" shows wds_client "status failed"
	check "with the reason" shows wds_client "error -5"
	check "no server is blamed" shows wds_client "detaches 0 0 0"
	check "it has left" no_clients wds_server
}

# A sysctl takes the content, which is the value that it has, and has no fsync().
test_file_that_does_not_sync_is_not_done()
{
	start
	mkdir -p "$TMP/a"
	value /proc/sys/vm/swappiness > "$TMP/a/disk"
	server "" a
	client "" dest=/proc/sys/vm/swappiness
	await "it ends" shows wds_client "status failed"
	check "all was written" shows wds_client "done $(wc -c < "$TMP/a/disk")"
	check "with the reason" shows wds_client "error -22"
	check "it has left" no_clients wds_server
}

test_full_disk_ends_the_client()
{
	mkdir "$TMP/small"
	mount -t tmpfs -o size=64k small "$TMP/small" || skip "cannot mount a tmpfs"
	trap 'umount "$TMP/small"' EXIT
	start
	content a
	server "" a
	client "" dest="$TMP/small/disk"
	await "it ends" shows wds_client "status failed"
	check "with the reason" shows wds_client "error -28"
	await "it has left" no_clients wds_server
	unload wds_client
}

# --- orders ----------------------------------------------------------------

# Count in $interrupted the times that a client is in the middle of its file.
note_interruption()
{
	for module in wds_client wds_client2; do
		! loaded $module || ! shows $module "status joined" ||
			interrupted=$((interrupted + 1))
	done
}

# Two servers and two clients load and unload at random, while files are transferred.
turn()
{
	case $1 in
	wds_server)	parameters="content=$TMP/a/disk" ;;
	wds_server2)	parameters="content=$TMP/b/disk" ;;
	*)		parameters="content=disk dest=$TMP/$1 chunk=512 retry_ms=20" ;;
	esac
	if loaded "$1"; then
		note_interruption
		unload "$1"
	else
		# shellcheck disable=SC2086	# words
		load "$1" $parameters
	fi
}

# one_of_four NUMBER: set $choice
one_of_four()
{
	for choice in wds_server wds_server2 wds_client wds_client2; do
		[ "$1" -gt 0 ] || break
		set -- $(($1 - 1))
	done
}

disconnect_one()
{
	server=wds_server
	loaded $server || server=wds_server2
	loaded $server || return 0
	read -r id line < "$DEBUG/$server/clients" || return 0
	note_interruption
	control "$server" "disconnect $id fallback" 2> "$TMP/said" && return
	# The client may leave between the two.
	grep -qE "No such (file|device)" "$TMP/said" || fail "$(cat "$TMP/said")"
}

# Print a number from 0 to 4 for each round. SEED=NUMBER repeats a failure.
random()
{
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	number=$((seed / 65536 % 5))
}

test_random_orders_leave_nothing()
{
	start
	content a 1000000
	same_content a b
	seed=${SEED:-$(date +%s)}
	echo "# seed $seed"
	round=0 interrupted=0
	while [ "$round" -lt 100 ]; do
		[ $((round % 20)) -ne 0 ] || echo "# round $round"
		random
		if [ "$number" -eq 4 ]; then
			disconnect_one
		else
			one_of_four "$number"
			turn "$choice"
		fi
		round=$((round + 1))
	done
	echo "# $interrupted transfers were in the middle of a file"
	check "some were" [ $interrupted -gt 0 ]
	for module in wds_server wds_server2 wds_client wds_client2; do
		loaded $module || turn $module
	done
	whole wds_client a
	whole wds_client2 a
	for module in wds_server wds_client2 wds_server2 wds_client; do
		unload $module
	done
	check "nothing is left" empty
	unload nmr
}

run_program "$@"
