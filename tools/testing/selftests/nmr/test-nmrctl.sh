#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2016 # variables of lib.sh; filters of jq
#
# nmrctl: what each command says and does, against what the shell reads from sysfs in the same
# state. JSON documents also go to the file $DOCUMENTS, for a reader that has the schema.

. "$(dirname "$0")/lib.sh"

DOCUMENTS=${DOCUMENTS:-/dev/null}
HELLO=527f8f93-c543-4216-8a82-c6059525fa7d
export LC_ALL=C.UTF-8

# --- helpers ----------------------------------------------------------------

# gives STATUS COMMAND...: run it, and test its exit code. Its output is in $TMP/out and $TMP/err.
gives()
{
	want=$1
	shift
	"$@" > "$TMP/out" 2> "$TMP/err" < /dev/null
	status=$?
	[ "$status" -eq "$want" ] || {
		echo "# exit code $status, not $want:"
		sed 's/^/# /' "$TMP/out" "$TMP/err"
		return 1
	}
}

# prints PATTERN: test that a line of the last output matches
prints()
{
	grep -q -- "$1" "$TMP/out" || {
		sed 's/^/# /' "$TMP/out"
		return 1
	}
}

silent()
{
	[ ! -s "$TMP/out" ] && [ ! -s "$TMP/err" ]
}

# complaint STATUS PATTERN ARGUMENT...: test that nmrctl fails so, with one line on stderr and
# nothing on stdout
complaint()
{
	want=$1 pattern=$2
	shift 2
	complaint_in "$want" "$pattern" nmrctl "$@"
}

# complaint_in STATUS PATTERN COMMAND...: the same of a command that runs nmrctl
complaint_in()
{
	want=$1 pattern=$2
	shift 2
	gives "$want" "$@" || return
	grep -q -- "^nmrctl: .*$pattern" "$TMP/err" && [ "$(wc -l < "$TMP/err")" -eq 1 ] &&
		[ ! -s "$TMP/out" ] && return
	sed 's/^/# /' "$TMP/out" "$TMP/err"
	return 1
}

# document STATUS ARGUMENT...: have nmrctl print JSON, keep it in $TMP/json, and hand it on
document()
{
	want=$1
	shift
	gives "$want" nmrctl "$@" --json || return
	mv "$TMP/out" "$TMP/json"
	cat "$TMP/json" > "$DOCUMENTS"
	[ ! -s "$TMP/err" ] && jq -e . "$TMP/json" > /dev/null
}

# query FILTER VALUE: test what jq finds in the document
query()
{
	got=$(jq -rc "$1" "$TMP/json")
	[ "$got" = "$2" ] || {
		echo "# $1: $got"
		return 1
	}
}

# number_in FOLDER-OF-OBJECT...: print b7, c3 or p1
name_of()
{
	case $1 in
	*/bindings/*)	echo "b${1##*/}" ;;
	*/clients/*)	echo "c${1##*/}" ;;
	*)		echo "p${1##*/}" ;;
	esac
}

# files FOLDER NAME...: print what the files say, and a hyphen for nothing
files()
{
	folder=$1
	shift
	for file; do
		said "$folder/$file"
		printf ' %s' "${said:--}"
	done
}

# Print what sysfs says of all bindings and parties, but for times.
bindings_by_shell()
{
	for entry in "$NMR"/bindings/*; do
		[ -d "$entry" ] || continue
		printf '%s c%s p%s' "$(name_of "$entry")" "$(basename "$(readlink "$entry/client")")" \
			"$(basename "$(readlink "$entry/provider")")"
		files "$entry" state reason client_calls provider_calls client_detach \
			provider_detach
		echo
	done | sort
}

parties_by_shell()
{
	for entry in "$NMR"/clients/* "$NMR"/providers/*; do
		[ -d "$entry" ] || continue
		printf '%s' "$(name_of "$entry")"
		files "$entry" npi_id module module_id number state
		echo
	done | sort
}

# Check that JSON and a table say of all objects what sysfs says, which does not change now.
agrees_with_sysfs()
{
	bindings_by_shell > "$TMP/bindings"
	parties_by_shell > "$TMP/parties"
	for command in list tree; do
		check "JSON of $command" document 0 $command
		jq -r '.bindings[] | [.id, .client, .provider, .state, .reason // "-",
			.client_calls, .provider_calls, .client_detach, .provider_detach] |
			map(tostring) | join(" ")' "$TMP/json" | sort > "$TMP/by_json"
		check "bindings by JSON" cmp "$TMP/bindings" "$TMP/by_json"
		jq -r '(.clients + .providers)[] | [.id, .interface, .module, .module_id,
			.number, .state] | map(tostring) | join(" ")' "$TMP/json" | sort \
			> "$TMP/by_json"
		check "parties by JSON" cmp "$TMP/parties" "$TMP/by_json"
		check "they are joined" joined
	done
	check "a table" gives 0 nmrctl list -n \
		-o id,client-id,provider_id,STATE,client-calls,provider-calls
	sed 's/  */ /g; s/^ //; s/ $//' "$TMP/out" | sort > "$TMP/by_table"
	cut -d ' ' -f 1-4,6-7 "$TMP/bindings" > "$TMP/expected"
	check "bindings by the table" cmp "$TMP/expected" "$TMP/by_table"
}

# Test that each number in the document is that of an object in the document.
joined()
{
	query '[.interfaces[].id] as $i | [.clients[].id] as $c | [.providers[].id] as $p |
		[.bindings[].id] as $b |
		all(.clients[], .providers[]; .interface as $x | $i | index($x)) and
		all(.bindings[]; .client as $x | $c | index($x)) and
		all(.bindings[]; .provider as $x | $p | index($x)) and
		all((.clients[], .providers[]).bindings[]; . as $x | $b | index($x)) and
		([(.clients[], .providers[]).bindings[]] | length) == 2 * ($b | length)' true
}

# pair THREADS [CLIENT-PARAMETER]...: load nmr, a provider nmr_peer_a and a client nmr_peer_b,
# bound, each of which calls the other from so many threads
pair()
{
	threads=$1
	shift
	load nmr
	load nmr_peer_a providers=1 threads="$threads"
	load nmr_peer_b clients=1 threads="$threads" "$@"
	binding=$(binding nmr_peer_b nmr_peer_a)
	# shellcheck disable=SC2034	# for the tests
	id=$(basename "$binding") client=$(basename "$(registration clients nmr_peer_b)")
	provider=$(basename "$(registration providers nmr_peer_a)")
}

# waits WORD SENTENCE: check what the binding waits for, by tree, list, show and JSON
waits()
{
	agrees_with_sysfs
	check "JSON says $1" query '.bindings[0].waits_for' "$1"
	check "the tree" gives 0 nmrctl
	check "says so" prints " b$id detaching .* s *$1\$"
	check "the list" gives 0 nmrctl list
	check "says so" prints "^ *b$id nmr_peer_b (c$client) nmr_peer_a (p$provider) .* detaching .* s *$1\$"
	check "show" gives 0 nmrctl show "b$id"
	check "says so" prints "^    waits for $2\$"
}

# --- states and reasons -----------------------------------------------------

test_attached_is_shown()
{
	pair 0
	agrees_with_sysfs
	check "JSON" query '.bindings[0] | [.waits_for, .reason, .pending_ms]' '[null,null,0]'
	check "the tree" gives 0 nmrctl
	check "the interface" prints "^$NPI_ID *\$"
	check "the provider" prints "^└─nmr_peer_a  *p$provider active *\$"
	check "the client" prints "^  └─nmr_peer_b (c$client)  *b$id attached  *[0-9]* *\$"
	check "inverse" gives 0 nmrctl tree --inverse
	check "the client" prints "^└─nmr_peer_b  *c$client active *\$"
	check "the provider" prints "^  └─nmr_peer_a (p$provider)  *b$id attached  *[0-9]* *\$"
}

test_calls_of_the_client_are_waited_for()
{
	pair 1
	set_param nmr stuck_seconds 3600
	hold nmr_peer_a call
	await "a call is held" in_hand "$binding/client_calls" 1
	unload_later nmr_peer_a
	await "the client has no more to do" is "$binding/client_detach" pending
	await "nor has the provider" is "$binding/provider_detach" "done"
	waits calls "1 call that nmr_peer_b made and that has not returned"
	check "since when" prints "detaching for .* s, since the provider deregistered"
	check "of the provider" query '.providers[0].waits_for' bindings
	check "CALLS" gives 0 nmrctl list -n -o calls
	check "1" prints "^ *1\$"
	check "it is not stuck" gives 0 nmrctl check
	check "and silent" silent
	await "some time" above "$binding/pending_ms" 1000
	check "it is stuck" gives 1 nmrctl check --stuck=1
	check "said" prints "^b$id: nmr_peer_b (c$client) -> nmr_peer_a (p$provider) detaching"
	check "by JSON" document 1 check --stuck=0.5
	check "the binding" query '[.bindings[].id]' "[\"b$id\"]"
	set_param nmr stuck_seconds 1
	check "by the parameter" gives 1 nmrctl check
	release nmr_peer_a call
	unloaded nmr_peer_a
	check "no more" gives 0 nmrctl check --stuck=0
}

test_calls_of_the_provider_are_waited_for()
{
	pair 1
	hold nmr_peer_b call
	await "an upcall is held" in_hand "$binding/provider_calls" 1
	unload_later nmr_peer_b
	await "the provider has no more to do" is "$binding/provider_detach" pending
	await "nor has the client" is "$binding/client_detach" "done"
	waits calls "1 call that nmr_peer_a made and that has not returned"
	check "since when" prints "since the client deregistered"
	release nmr_peer_b call
	unloaded nmr_peer_b
}

# side_pending MODULE WORD SENTENCE
side_pending()
{
	pair 1
	hold "$1" detach
	check "detach" gives 0 nmrctl detach fallback "b$id"
	await "it is pending" is "$binding/$2_detach" pending
	for side in client provider; do
		[ $side = "$2" ] || await "the other is done" is "$binding/${side}_detach" "done"
	done
	waits "$2" "$3"
	check "since when" prints "since the binding was detached (fallback)"
	release "$1" detach
}

# What a side waits for does not depend on the other columns.
test_side_that_leaves_waits_for_its_bindings()
{
	pair 1
	hold nmr_peer_a call
	await "a call is held" in_hand "$binding/client_calls" 1
	unload_later nmr_peer_b
	await "it leaves" is "$NMR/clients/$client/state" deregistering
	for columns in id,waits-for id,state,waits-for; do
		check "the list" gives 0 nmrctl list clients -n -o $columns
		check "says so" prints "^c$client .*bindings\$"
	done
	release nmr_peer_a call
	unloaded nmr_peer_b
}

test_client_is_waited_for()
{
	side_pending nmr_peer_b client "the client nmr_peer_b to detach"
}

test_provider_is_waited_for()
{
	side_pending nmr_peer_a provider "the provider nmr_peer_a to detach"
}

test_both_are_waited_for()
{
	pair 1
	hold nmr_peer_a detach
	hold nmr_peer_b detach
	check "detach" gives 0 nmrctl detach abort "b$id"
	await "pending" is "$binding/client_detach" pending
	await "both" is "$binding/provider_detach" pending
	waits both "the client nmr_peer_b and the provider nmr_peer_a to detach"
	check "since when" prints "since the binding was detached (abort)"
	release nmr_peer_a detach
	release nmr_peer_b detach
}

test_attach_that_failed_is_shown()
{
	load nmr
	load nmr_peer_a providers=1 hold_detach=1
	load nmr_peer_b clients=1 late_error=-5
	await "there is a binding" has bindings 1
	binding=$(echo "$NMR"/bindings/*)
	id=${binding##*/}
	await "it waits for the provider" is "$binding/provider_detach" pending
	check "the reason" is "$binding/reason" attach-failed
	agrees_with_sysfs
	check "show" gives 0 nmrctl show "b$id"
	check "says why" prints "since the client failed to attach"
	release nmr_peer_a detach
	await "it has gone" has bindings 0
	check "the pair" gives 0 nmrctl show nmr_peer_b
	check "says so" prints "not attached to nmr_peer_a (p[0-9]*): declined by the client: EIO"
}

test_cleanup_is_waited_for()
{
	pair 1 hold_cleanup=1
	check "detach" gives 0 nmrctl detach abort "b$id"
	await "it cleans up" is "$binding/state" cleaning
	agrees_with_sysfs
	check "JSON" query '.bindings[0].waits_for' cleanup
	check "show" gives 0 nmrctl show "b$id"
	check "says so" prints "waits for the cleanup callbacks of nmr_peer_b and nmr_peer_a"
	check "it is not stuck" gives 0 nmrctl check --stuck=0
	release nmr_peer_b cleanup
}

# --- clients that are not bound ---------------------------------------------

# unbound WAITS SHOWN: check what nmrctl says of the client nmr_peer_b
unbound()
{
	client=$(basename "$(registration clients nmr_peer_b)")
	agrees_with_sysfs
	check "JSON" query '.clients[0] | [.state, .waits_for]' "[\"active\",\"${1%%,*}\"]"
	check "the tree" gives 0 nmrctl
	check "says $1" prints "─nmr_peer_b *c$client unbound *$1\$"
	check "the list" gives 0 nmrctl list clients
	check "too" prints "^ *c$client nmr_peer_b .* unbound *0 $1\$"
	check "show" gives 0 nmrctl show "c$client"
	check "says $2" prints "$2\$"
}

test_client_without_a_provider_waits_for_one()
{
	load nmr
	load nmr_peer_b clients=1
	unbound provider "waits for a provider: none of the interface is registered"
}

test_declined_pair_is_explained()
{
	load nmr
	load nmr_peer_a providers=1 attach_error=-16
	load nmr_peer_b clients=1
	unbound "offer, declined by the provider: EBUSY" \
		"not attached to nmr_peer_a (p[0-9]*): declined by the provider: EBUSY"
	check "JSON" query '.pairs[0] | [.outcome, .by, .error]' '["declined","provider","EBUSY"]'
	check "a user is not told" as_user "nmrctl -J > /tmp/json.user"
	check "and knows" [ "$(jq .pairs /tmp/json.user)" = null ]
	check "the tree of a user" as_user "nmrctl > /tmp/tree.user"
	check "says offer" grep -q "unbound *offer\$" /tmp/tree.user
	unload nmr_peer_b
	set_param nmr_peer_a attach_error 0
	load nmr_peer_b clients=1 attach_error=-22
	unbound "offer, declined by the client: EINVAL" "declined by the client: EINVAL"
}

test_deferred_and_aborted_pairs_are_explained()
{
	load nmr
	load nmr_peer_a providers=1 attach_error=-517
	load nmr_peer_b clients=1
	unbound "offer, deferred" "not attached to nmr_peer_a (p[0-9]*): deferred"
	set_param nmr_peer_a attach_error 0
	check "reoffer" gives 0 nmrctl reoffer nmr_peer_b
	check "and wait" gives 0 nmrctl wait bound nmr_peer_b -t 100
	check "attached" attached nmr_peer_b nmr_peer_a
	check "abort" gives 0 nmrctl detach abort \
		"$(name_of "$(binding nmr_peer_b nmr_peer_a)")" --wait
	unbound "offer, aborted" "not attached to nmr_peer_a (p[0-9]*): aborted"
}

test_full_client_is_explained()
{
	load nmr
	load nmr_peer_c providers=1
	load nmr_peer_b clients=1 max_bindings=1
	load nmr_peer_a providers=1
	agrees_with_sysfs
	check "JSON" query '.pairs[0].outcome' full
	check "show" gives 0 nmrctl show nmr_peer_b
	check "says so" prints "not attached to nmr_peer_a (p[0-9]*): the client is full"
}

test_attaching_is_explained_and_may_be_stuck()
{
	load nmr
	load nmr_peer_a providers=1
	load_later nmr_peer_b clients=1 hold_attach=1
	await "it attaches" grep -q attaching /sys/kernel/debug/nmr/pairs
	check "show" gives 0 nmrctl show nmr_peer_b
	check "says so" prints "attaching for .* s, in task insmod/$insmod"
	check "it is not stuck" gives 0 nmrctl check
	await "it is" gives 1 nmrctl check --stuck=0.5
	check "said" prints "^nmr_peer_b (c[0-9]*) -> nmr_peer_a (p[0-9]*) attaching for"
	check "by JSON" document 1 check --stuck=0.5
	release nmr_peer_b attach
	loaded_later
}

# --- objects ----------------------------------------------------------------

# touches EXPECTED OBJECT...: check which bindings the list has
touches()
{
	expected=$1
	shift
	check "list $*" gives 0 nmrctl list -n -o id "$@"
	check "is $expected" [ "$(tr -d ' ' < "$TMP/out" | tr '\n' ' ')" = "$expected " ]
}

# bound_by client|provider N: print the bindings of that party
bound_by()
{
	list=
	for entry in "$NMR"/bindings/*; do
		[ "$(basename "$(readlink "$entry/$1")")" != "$2" ] ||
			list="$list $(name_of "$entry")"
	done
	echo "${list# }"
}

test_objects_narrow()
{
	load nmr
	load nmr_peer_a providers=2
	load nmr_peer_b clients=2
	load nmr_peer_c providers=1 npi=2
	load nmr_peer_d clients=1 npi=2
	touches "b1 b2 b3 b4 b5"
	touches b3 b3
	touches b5 c3
	touches "$(bound_by provider 1)" p1
	touches "$(bound_by client 1) b5" c1 p3
	touches "b1 b2 b3 b4" $NPI_ID
	touches "b1 b2 b3 b4" "{$(echo $NPI_ID | tr a-f A-F)}"
	touches "b1 b2 b3 b4" interface:$NPI_ID
	touches "b1 b2 b3 b4" nmr_peer_a
	touches "b1 b2 b3 b4" module:nmr-peer-b
	touches "$(bound_by client 1)" $NMR/clients/1
	touches b2 $NMR/bindings/2/
	touches b2 $NMR/bindings/2/state
	provider=$(basename "$(readlink $NMR/bindings/1/provider)")
	touches "$(bound_by provider "$provider")" $NMR/bindings/1/provider
	check "parties" gives 0 nmrctl list providers -n -o id c3 p1
	check "are those it is bound to" [ "$(tr -d ' ' < "$TMP/out" | tr '\n' ' ')" = "p1 p3 " ]
	check "JSON" document 0 list b5
	check "has a binding and its sides" query \
		'[.bindings[].id, .clients[].id, .providers[].id, .interfaces[].id]' \
		"[\"b5\",\"c3\",\"p3\",\"${NPI_ID%1}2\"]"
	check "joined" joined
	check "the tree of a client" gives 0 nmrctl tree -n -o id c2
	check "has its bindings" [ "$(grep -o 'b[0-9]*' "$TMP/out" | sort | tr '\n' ' ')" = \
		"$(bound_by client 2) " ]
	check "and its providers" [ "$(grep -c p "$TMP/out")" -eq 2 ]
}

test_states_select()
{
	pair 1
	load nmr_peer_c clients=1 npi=2
	hold nmr_peer_a call
	await "a call is held" in_hand "$binding/client_calls" 1
	check "fallback" gives 0 nmrctl detach fallback "b$id"
	load nmr_peer_d providers=1
	await "another" attached nmr_peer_b nmr_peer_d
	touches "b$id" --state detaching
	touches b2 --state attached
	check "unbound" gives 0 nmrctl list clients -n -o module --state unbound
	check "one" [ "$(cat "$TMP/out")" = nmr_peer_c ]
	check "its tree" gives 0 nmrctl tree --state unbound -n
	refuse "has the other" prints nmr_peer_b
	check "has it" prints nmr_peer_c
	release nmr_peer_a call
}

test_names_come_from_modules()
{
	install_modules nmr hello_provider hello_client
	load nmr
	load hello_client
	check "a name by the alias of a module on disk" gives 0 nmrctl
	check "is shown" prints "^hello *\$"
	load hello_provider
	await "they are bound" attached hello_client hello_provider
	check "by the interface's name" gives 0 nmrctl show hello
	check "all of it" prints "^interface hello ($HELLO)\$"
	check "its GUID instead" gives 0 nmrctl tree -g
	check "is shown" prints "^$HELLO *\$"
	check "JSON" document 0 list
	check "has the name" query '.interfaces[0].name' hello
	mkdir -p /etc/nmr
	echo "$HELLO hello_client # overrides" > /etc/nmr/interfaces
	check "an ambiguous name is refused" complaint 2 \
		"interface:hello_client or module:hello_client" list hello_client
	check "one way" gives 0 nmrctl show interface:hello_client
	check "is the interface" prints "^interface hello_client ($HELLO)\$"
	check "the other" gives 0 nmrctl list clients -n -o id module:hello_client
	check "is the module" prints c1
	rm -r /etc/nmr
}

# --- events -----------------------------------------------------------------

# monitor [OPTION]...: in the background, its output in $TMP/events; wait until it hears
monitor()
{
	listening_to=$TMP/events
	: > "$listening_to"	# before the shell of the background job does: forget the last case
	nmrctl monitor "$@" > "$listening_to" &
	monitor=$!
	await "the monitor hears" monitor_hears
}

monitor_hears()
{
	echo change > $NMR/clients/1/uevent
	grep -q again "$listening_to"
}

monitored()
{
	grep -q -- "$1" "$listening_to"
}

test_monitor_tells_of_each_event()
{
	load nmr stuck_seconds=1
	load nmr_peer_b clients=1 threads=1
	monitor
	load nmr_peer_a providers=1
	time='^[0-9-]*T[0-9:]*\.[0-9]\{6\}[+-][0-9][0-9]:[0-9][0-9]'
	await "the provider" monitored "$time add     p1  nmr_peer_a  $NPI_ID\$"
	await "the binding" monitored \
		"$time add     b1  nmr_peer_b (c1) -> nmr_peer_a (p1)  $NPI_ID\$"
	hold nmr_peer_a call
	await "a call is held" in_hand $NMR/bindings/1/client_calls 1
	unload_later nmr_peer_a
	await "it is stuck" monitored "$time stuck   b1  nmr_peer_b (c1) -> nmr_peer_a (p1)  "
	release nmr_peer_a call
	unloaded nmr_peer_a
	await "it has gone" monitored "$time remove  b1  nmr_peer_b (c1) -> nmr_peer_a (p1)  "
	await "so has the provider" monitored "$time remove  p1  nmr_peer_a  "
	unload nmr_peer_b
	await "and the client" monitored "$time remove  c1  nmr_peer_b  "
	unload nmr
	load nmr
	load nmr_peer_b clients=1
	await "it goes on when nmr comes back" monitored "$time add     c1  nmr_peer_b  "
	kill $monitor
}

test_monitor_prints_json()
{
	load nmr
	load nmr_peer_b clients=1
	monitor --json
	load nmr_peer_a providers=1
	await "the binding" monitored '"event":"add","type":"binding","id":"b1"'
	unload nmr_peer_a
	await "has gone" monitored '"event":"remove","type":"provider","id":"p1"'
	kill $monitor
	cat "$TMP/events" > "$DOCUMENTS"
	jq -sc 'map(select(.event == "add" and .type == "binding"))[0] |
		[.interface, .client, .provider]' "$TMP/events" > "$TMP/json"
	check "its sides" query . "[\"$NPI_ID\",\"c1\",\"p1\"]"
	check "seq rises" [ "$(jq -s '[.[].seq] | . == sort and . == unique' "$TMP/events")" = true ]
}

test_monitor_narrows_to_objects()
{
	load nmr
	load nmr_peer_b clients=1
	monitor --time=none c1 nmr_peer_d
	load nmr_peer_a providers=1
	load nmr_peer_c clients=1 npi=2
	load nmr_peer_d clients=1
	await "the second client" monitored '^add     c3  nmr_peer_d  '
	await "its binding" monitored '^add     b2  nmr_peer_d (c3) -> '
	check "the first binding" monitored '^add     b1  nmr_peer_b (c1) -> '
	refuse "the provider" monitored 'p1  nmr_peer_a'
	refuse "the other client" monitored nmr_peer_c
	kill $monitor
}

# A monitor that is stopped loses events, unless it is root's, which has a larger buffer.
test_monitor_survives_a_burst()
{
	load nmr
	load nmr_peer_b clients=1
	listening_to=$TMP/events
	: > "$listening_to"
	su -s /bin/sh -c 'exec nmrctl monitor --time=none' "$(unprivileged)" > "$listening_to" &
	monitor=$!
	await "the monitor hears" monitor_hears
	listening_to=$TMP/all
	nmrctl monitor --time=none > "$listening_to" &
	all=$!
	await "that of root hears" monitor_hears
	kill -STOP $monitor $all
	n=0
	while [ $n -lt 100000 ]; do
		echo change
		n=$((n + 1))
	done > "$TMP/words"
	while read -r word; do
		echo "$word" > $NMR/clients/1/uevent
	done < "$TMP/words"
	kill -CONT $monitor $all
	listening_to=$TMP/events
	await "events were lost" monitored '^lost$'
	await "and it goes on" hears_a_binding
	listening_to=$TMP/all
	await "so does that of root" hears_a_binding
	check "lost none, or said so" all_or_lost
	kill $monitor $all
}

# Make a binding. While a monitor is behind, its event may be lost, too.
hears_a_binding()
{
	! loaded nmr_peer_a || unload nmr_peer_a
	load nmr_peer_a providers=1
	monitored '^add     b[0-9]*  *nmr_peer_b (c1) -> nmr_peer_a (p[0-9]*)  '
}

all_or_lost()
{
	count=$(grep -c '^again   c1 ' "$TMP/all")
	echo "# $count of 100000 events"
	[ "$count" -ge 100000 ] || grep -qx lost "$TMP/all"
}

test_monitor_ends_with_its_reader()
{
	load nmr
	load nmr_peer_b clients=1
	mkfifo "$TMP/pipe"
	(nmrctl monitor 2> "$TMP/err"; echo $? > "$TMP/status") > "$TMP/pipe" &
	exec 4< "$TMP/pipe"
	listening_to=$TMP/first
	(head -n 1 <&4 > "$TMP/first") &
	reader=$!
	exec 4<&-
	await "a line comes" monitor_hears
	wait $reader
	await "it ends without another event" exists "$TMP/status"
	check "quietly" [ ! -s "$TMP/err" ]
	check "well" is "$TMP/status" 0
}

# --- wait -------------------------------------------------------------------

# wait_later ARGUMENT...: in the background, its exit code in $TMP/status
wait_later()
{
	rm -f "$TMP/status"
	(nmrctl wait "$@"; echo $? > "$TMP/status.new"; mv "$TMP/status.new" "$TMP/status") &
}

waited()
{
	await "the wait ends" exists "$TMP/status"
	check "with $1" is "$TMP/status" "$1"
}

test_wait_begins_before_nmr_is_loaded()
{
	check "unbound, at once" gives 0 nmrctl wait unbound nmr_peer_b -t 0
	check "gone, at once" gives 0 nmrctl wait gone nmr_peer_b -t 0
	check "not bound" complaint 1 "not bound after 0.1 s" wait bound nmr_peer_b -t 0.1
	wait_later bound nmr_peer_b
	load nmr
	load nmr_peer_b clients=1
	check "not yet" gives 1 nmrctl wait bound nmr_peer_b -t 0
	check "it waits" gone "$TMP/status"
	load nmr_peer_a providers=1
	waited 0
	check "bound" gives 0 nmrctl wait bound $NPI_ID -t 0
	wait_later unbound p1
	unload nmr_peer_b
	waited 0
	check "not gone" gives 1 nmrctl wait gone nmr_peer_a -t 0
	wait_later gone nmr_peer_a
	unload nmr_peer_a
	unload nmr
	waited 0
}

test_wait_needs_no_events_of_bindings()
{
	load nmr uevents=N
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	wait_later gone b1
	check "detach" gives 0 nmrctl detach abort b1
	waited 0
	wait_later bound c1
	check "reoffer" gives 0 nmrctl reoffer --all c1
	waited 0
}

# --- detach, reoffer, load --------------------------------------------------

test_detach_waits()
{
	pair 1
	hold nmr_peer_a call
	await "a call is held" in_hand "$binding/client_calls" 1
	check "not in time" complaint 1 "b$id has not ended after 0.2 s" \
		detach fallback "b$id" --wait=0.2
	check "it is closed" complaint 1 "closed already (EALREADY)" detach abort "b$id"
	wait_gone_later
	release nmr_peer_a call
	waited 0
	check "gone" complaint 1 "no such binding now" detach abort "b$id"
	check "JSON is refused" complaint 2 "detach takes no --json" detach abort "b$id" --json
}

wait_gone_later()
{
	wait_later gone "b$id"
}

test_detach_takes_several()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=3
	check "one of them is not there" complaint 1 "b9: there is no such binding" \
		detach abort b1 b9 $NMR/bindings/2 --wait
	check "the others have gone" gone $NMR/bindings/1
	check "both" gone $NMR/bindings/2
	check "one is left" has bindings 1
}

# The kernel logs each write. There is none if an object is not there, is no object, or is two.
test_faulty_command_line_changes_nothing()
{
	pair 0
	mkdir -p /etc/nmr
	echo "$NPI_ID nmr_peer_b" > /etc/nmr/interfaces
	mark
	for objects in "nonsense/x b$id" "b$id nonsense/x" "./clients/$id clients/9" "b$id c1"; do
		# shellcheck disable=SC2086	# words
		refuse "detach $objects" nmrctl detach abort $objects 2> "$TMP/err"
		check "one complaint" [ "$(wc -l < "$TMP/err")" -eq 1 ]
	done
	check "a name of two" complaint 2 "interface:nmr_peer_b or module:nmr_peer_b" \
		reoffer --all nmr_peer_b
	check "an object that is not there" complaint 1 "no registered module" \
		reoffer --all c1 nonsense
	refuse "something was written" logged "was asked for by nmrctl"
	check "one way of two" gives 0 nmrctl reoffer --all module:nmr_peer_b
	check "is written" logged "reoffer (all) of client 1 was asked for by nmrctl"
	rm -r /etc/nmr
}

test_only_root_changes()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=1
	check "a user's detach" [ "$(as_user 'nmrctl detach abort b1 2> /dev/null; echo $?')" = 4 ]
	check "a user's reoffer" [ "$(as_user 'nmrctl reoffer c1 2> /dev/null; echo $?')" = 4 ]
	check "says so" complains "detaching b1: Permission denied (EACCES); run it as root" \
		as_user 'nmrctl detach abort b1'
	check "root of a container" complaint_in 4 \
		"detaching b1: .* (EPERM); it takes CAP_SYS_MODULE outside of containers" \
		unshare -U -r nmrctl detach abort b1
	check "and its reoffer" complaint_in 4 "(EPERM)" unshare -U -r nmrctl reoffer c1
	check "a user reads" as_user "nmrctl > /dev/null && nmrctl show b1 > /dev/null"
	check "nothing happened" attached nmr_peer_b nmr_peer_a
}

test_reoffer_of_an_interface_brings_declined_pairs()
{
	load nmr
	load nmr_peer_a providers=1 attach_error=-19
	load nmr_peer_b clients=1
	set_param nmr_peer_a attach_error 0
	for object in c1 p1 $NPI_ID nmr_peer_a $NMR/clients/1; do
		check "reoffer $object" gives 0 nmrctl reoffer --all "$object"
		check "and wait" gives 0 nmrctl wait bound nmr_peer_b -t 100
		check "abort" gives 0 nmrctl detach abort \
			"$(name_of "$(binding nmr_peer_b nmr_peer_a)")" --wait
	done
	check "a binding" complaint 2 "b1 is a binding" reoffer b1
}

test_reoffer_of_a_side_that_leaves_is_refused()
{
	pair 1
	hold nmr_peer_a call
	await "a call is held" in_hand "$binding/client_calls" 1
	unload_later nmr_peer_a
	await "it leaves" is $NMR/providers/1/state deregistering
	check "said" complaint 1 "p1 (nmr_peer_a) is deregistering (ESHUTDOWN)" reoffer p1
	release nmr_peer_a call
	unloaded nmr_peer_a
}

test_load_loads_what_a_client_needs()
{
	install_modules nmr hello_provider hello_client
	load nmr
	check "nothing to do" gives 0 nmrctl load
	check "is silent" silent
	load hello_client
	check "a user may not" [ "$(as_user 'nmrctl load 2> /dev/null; echo $?')" = 4 ]
	nmrctl load > "$TMP/second" 2>&1 &
	second=$!
	check "load" gives 0 nmrctl load
	wait $second
	check "two at once" [ $? -eq 0 ]
	cat "$TMP/second" >> "$TMP/out"
	check "said" prints "^hello_provider: loaded for hello\$"
	check "bound" gives 0 nmrctl wait bound hello -t 100
	check "again" gives 0 nmrctl load hello
	check "is silent" silent
}

test_load_honours_a_blacklist()
{
	install_modules nmr hello_provider hello_client
	load nmr
	load hello_client
	mkdir -p /etc/modprobe.d
	echo "blacklist hello_provider" > /etc/modprobe.d/test.conf
	check "nothing" gives 0 nmrctl load
	check "is silent" silent
	check "asked by name" complaint 1 "hello: the modules that provide it are blacklisted" \
		load hello
	refuse "it is loaded" loaded hello_provider
	rm /etc/modprobe.d/test.conf
	check "now" gives 0 nmrctl load hello
	check "it is" loaded hello_provider
}

test_load_tells_of_a_module_that_fails()
{
	install_modules nmr nmr_peer_a
	load nmr
	load nmr_peer_b clients=1
	mkdir -p /etc/modprobe.d
	echo "options nmr_peer_a providers=99" > /etc/modprobe.d/test.conf
	check "said" complaint 5 "loading nmr_peer_a for $NPI_ID: Invalid argument (EINVAL)" load
	rm /etc/modprobe.d/test.conf
	load nmr_peer_c clients=1 npi=9
	check "none on disk" complaint 1 "no module on disk provides it" load "${NPI_ID%1}9"
	check "a module is no interface" complaint 2 "is no interface" load module:nmr_peer_b
	check "nor known" complaint 1 "no interface of a registered module" load nonsense
}

# --- graph and help ---------------------------------------------------------

test_graph_has_all()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=2
	check "graph" gives 0 nmrctl graph
	check "begins" prints '^digraph nmr {$'
	check "an edge" prints '^	c1 -> p1 \[label="b1"\]$'
	check "another" prints '^	c2 -> p1 \[label="b2"\]$'
	check "a node" prints '^		p1 \[label="nmr_peer_a\\np1 active", shape=box\]$'
	check "of an object" gives 0 nmrctl graph c2
	refuse "has the other client" prints c1
}

test_help_needs_nothing()
{
	for command in tree list show watch monitor wait detach reoffer load check graph help; do
		check "$command -h" gives 0 nmrctl $command -h
		check "says how" prints "^Usage: nmrctl $command"
		check "help $command" gives 0 nmrctl help $command
		check "-h at the end of nonsense" gives 0 nmrctl $command a b c --nonsense -h
		check "of a user" as_user "nmrctl -h $command > /dev/null"
	done
	check "-h" gives 0 nmrctl -h
	check "-V" gives 0 nmrctl -V
	check "unknown" complaint 2 "unknown command nonsense" help nonsense
}

# Print the examples of the manual, each a line.
examples()
{
	sed -n '/^Examples$/,/^See also$/s/^  //p' "$SELFTESTS/nmrctl.rst"
}

test_examples_of_the_manual_run()
{
	skip_unless "manual of nmrctl" [ -e "$SELFTESTS/nmrctl.rst" ]
	install_modules nmr hello_provider hello_client
	load nmr
	load hello_client
	load hello_provider
	load nmr_peer_b clients=1
	mkdir "$TMP/bin"
	printf '#!/bin/sh\ncat\n' > "$TMP/bin/dot"
	chmod +x "$TMP/bin/dot"
	cd "$TMP" || exit
	check "there are some" [ "$(examples | wc -l)" -ge 7 ]
	examples > "$TMP/examples"
	while read -r line; do
		check "$line" gives 0 env PATH="$TMP/bin:$PATH" sh -c "$line"
		case $line in
		*"select(.bindings"*)	check "the client" [ "$(cat "$TMP/out")" = nmr_peer_b ] ;;
		*group_by*)	check "the sum" prints '^nmr_bindings{state="attached"} 1$' ;;
		*client,provider*) check "the table" \
			prints '^ *b1 hello_client (c1) hello_provider (p1) attached$' ;;
		esac
	done < "$TMP/examples"
	check "the picture" grep -q "^digraph nmr" nmr.svg
}

# --- manners ----------------------------------------------------------------

test_nothing_registered_is_no_failure()
{
	load nmr
	check "JSON" document 0 tree
	check "has empty arrays" query '[.interfaces, .providers, .clients, .bindings]' '[[],[],[],[]]'
	for command in tree list "list clients" "list interfaces"; do
		# shellcheck disable=SC2086	# words
		check "$command" gives 0 nmrctl $command
		check "has headings" prints "^[A-Z/]* .*[A-Z]"
		# shellcheck disable=SC2086	# words
		check "$command -n" gives 0 nmrctl $command -n
		check "has none" silent
	done
	check "check" gives 0 nmrctl check
	check "graph" gives 0 nmrctl graph
}

test_colour_and_branches_follow_the_environment()
{
	load nmr
	load nmr_peer_b clients=1
	escape=$(printf '\033')
	check "piped" gives 0 nmrctl
	refuse "has colour" prints "$escape"
	check "always" gives 0 nmrctl --color=always
	check "has colour" prints "$escape"
	check "always, over NO_COLOR" gives 0 env NO_COLOR=1 TERM=dumb nmrctl --color
	check "has colour" prints "$escape"
	check "ASCII" gives 0 env LC_ALL=C nmrctl
	check "has ASCII branches" prints '^`-nmr_peer_b'
	check "JSON" gives 0 env LC_ALL=C nmrctl -J -o ID --color=always
	cp "$TMP/out" "$TMP/json"
	check "is the same" document 0 list
	check "as ever" [ "$(nmrctl -J)" = "$(LC_ALL=C nmrctl -J -o ID --color=always)" ]
}

test_output_that_cannot_be_written_is_an_error()
{
	load nmr
	load nmr_peer_b clients=1
	for command in tree list graph help "show c1" "tree -J"; do
		writes_to_nothing
	done
}

# shellcheck disable=SC2086	# words
writes_to_nothing()
{
	nmrctl $command > /dev/full 2> "$TMP/err"
	check "$command > /dev/full" [ $? -eq 5 ]
	check "says why" grep -q "No space left on device (ENOSPC)" "$TMP/err"
	nmrctl $command >&- 2> "$TMP/err"
	check "$command >&-" [ $? -eq 5 ]
	(nmrctl $command 2> "$TMP/err"; echo $? > "$TMP/status") | true
	check "a pipe without a reader" [ ! -s "$TMP/err" ]
	check "is no failure" is "$TMP/status" 0
}

test_tables_sort_and_choose_columns()
{
	load nmr
	load nmr_peer_a providers=1
	load nmr_peer_b clients=12
	check "sorted by number" gives 0 nmrctl list -n -o id,client -s id
	check "not by letters" [ "$(tail -n 1 "$TMP/out" | sed 's/^ *//')" = "b12 nmr_peer_b (c12)" ]
	check "added" gives 0 nmrctl list -o +reason,pending-ms
	check "are there" prints "^ *ID CLIENT .* WAITS FOR.* REASON.* PENDING-MS"
	check "-n" gives 0 nmrctl tree -n
	check "has no headings" [ "$(head -n 1 "$TMP/out" | tr -d ' ')" = $NPI_ID ]
	for column in NAME ID STATE CALLS FOR WAITS-FOR INTERFACE GUID MODULE MODULE-ID NUMBER \
		CLIENT CLIENT-ID PROVIDER PROVIDER-ID REASON CLIENT-CALLS PROVIDER-CALLS \
		CLIENT-DETACH PROVIDER-DETACH PENDING-MS PROVIDERS CLIENTS BINDINGS; do
		for command in tree "list interfaces" "list clients" list; do
			# shellcheck disable=SC2086	# words
			check "$command $column" gives 0 nmrctl $command -o $column -s $column
			check "has it" [ "$(wc -l < "$TMP/out")" -ge 2 ]
		done
	done
}

# --- bad input --------------------------------------------------------------

test_bad_arguments_are_refused()
{
	load nmr
	load nmr_peer_b clients=1
	check "command" complaint 2 "unknown command nonsense" nonsense
	check "abbreviated" complaint 2 "unknown command tre" tre
	check "option" complaint 2 "unknown option --nonsense" --nonsense
	check "abbreviated" complaint 2 "unknown option --inv" tree --inv
	check "letter" complaint 2 "unknown option -x" -x
	check "no value" complaint 2 "a value is missing after -o" list -o
	check "column" complaint 2 "unknown column NONSENSE" list -o ID,NONSENSE
	check "no column" complaint 2 "unknown column" list -o ''
	check "to sort by" complaint 2 "unknown column NONSENSE" tree -s NONSENSE
	check "state" complaint 2 "unknown state nonsense" list --state nonsense
	check "colour" complaint 2 "color is auto, always or never" --color=red
	check "time" complaint 2 "iso, delta or none" monitor --time=nonsense
	check "not for this command" complaint 2 "list takes no --inverse" list --inverse
	for command in watch wait detach reoffer load graph help; do
		check "$command" complaint 2 "takes no --json" $command --json
	done
	check "object" complaint 1 "nonsense: no registered module" list nonsense
	check "empty" complaint 2 "an object is empty" list ''
	check "no object" complaint 2 "show needs an OBJECT" show
	check "too many" complaint 2 "check takes no OBJECT" check c1
	check "never was" complaint 1 "b99: there is no such binding" show b99
	check "zero" complaint 1 "c0: there is no such client" show c0
	check "overflow" complaint 2 "no number from 0 to 2^64" show b18446744073709551616
	check "below it" complaint 1 "no such binding" show b18446744073709551615
	check "01" complaint 2 "no number" show p01
	check "short GUID" complaint 2 "no GUID" show 6e6d7201-7065-6572-8000-00000000000
	check "open brace" complaint 2 "no GUID" show "{$NPI_ID"
	check "path" complaint 2 "no path of a client" show $NMR/clients
	check "path elsewhere" complaint 2 "no path below" show /sys/kernel
	check "path of what has gone" complaint 1 "no such binding" show $NMR/bindings/99
	check "path to nothing" complaint 1 "not found" show nonsense/bindings/1
	check "path that is none" complaint 2 "no path of a client" show $NMR/nonsense/1
	for seconds in -1 nonsense 1x '' 0x10 inf nan 1e300 99999999999999999999; do
		check "wait -t $seconds" complaint 2 "no time in seconds" \
			wait bound c1 -t "$seconds"
		check "--stuck=$seconds" complaint 2 "no time in seconds" check "--stuck=$seconds"
		check "--wait=$seconds" complaint 2 "no time in seconds" \
			detach abort b1 "--wait=$seconds"
	done
	check "way to wait" complaint 2 "cannot wait for nonsense" wait nonsense c1
	check "way to detach" complaint 2 "unknown way to detach" detach nonsense b1
	check "detach of a client" complaint 2 "c1 is no binding" detach abort c1
	check "watch without a terminal" complaint 5 "needs a terminal" watch
	check "-d 0" complaint 2 "at least" watch -d 0
}

test_file_of_names_may_be_broken()
{
	load nmr
	load nmr_peer_b clients=1
	load nmr_peer_c clients=1 npi=2
	mkdir -p /etc/nmr
	printf '%s\n' "# names" "" "nonsense" "$NPI_ID" "$NPI_ID a b" "  $NPI_ID	good # yes" \
		"$(printf '%s2 evil\033[31m' "${NPI_ID%1}")" > /etc/nmr/interfaces
	check "the rest counts" gives 0 nmrctl
	check "the good name" prints '^good *$'
	check "no other" prints "^${NPI_ID%1}2 *\$"
	for line in "3: no GUID" "4: no name" "5: more than a GUID and a name" "7: a name has"; do
		check "$line" grep -q "^nmrctl: /etc/nmr/interfaces:$line" "$TMP/err"
	done
	check "nothing else is said" [ "$(wc -l < "$TMP/err")" -eq 4 ]
	refuse "the terminal is controlled" grep -q "$(printf '\033')" "$TMP/out" "$TMP/err"
	yes "$NPI_ID name" | head -n 1000000 > /etc/nmr/interfaces
	check "a million lines" gives 0 nmrctl
	check "are read" prints '^name *$'
	yes nonsense | head -n 1000000 > /etc/nmr/interfaces
	check "a million broken lines" gives 0 nmrctl
	check "are counted" grep -q "999990 more broken lines" "$TMP/err"
	rm -r /etc/nmr
}

test_without_nmr_commands_say_so()
{
	for command in tree list "show c1" check graph "detach abort b1" "reoffer c1" load; do
		# shellcheck disable=SC2086	# words
		check "$command" complaint 3 "nmr is not loaded" $command
	done
	for command in tree list "show c1" check; do
		# shellcheck disable=SC2086	# words
		check "$command --json" complaint 3 "nmr is not loaded" $command --json
	done
	[ -e "/lib/modules/$(uname -r)" ] ||
		check "no module" complaint 3 "no module for $(uname -r): install its headers" list
}

test_without_sysfs_commands_say_so()
{
	mkdir -p "$TMP/empty"
	for command in tree list check "detach abort b1" load; do
		# shellcheck disable=SC2086	# words
		check "$command" complaint_in 5 "sysfs is not mounted on $TMP/empty/sys;" \
			env NMRCTL_ROOT="$TMP/empty" nmrctl $command
	done
}

test_where_sysfs_is_unmounted_commands_say_so()
{
	load nmr
	load nmr_peer_b clients=1
	for command in tree list "show c1" check graph "detach abort b1" "reoffer c1" load; do
		check "$command" complaint_in 5 "sysfs is not mounted on /sys; mount -t sysfs none /sys" \
			unshare -m sh -c "umount -l /sys && exec nmrctl $command"
	done
}

# 500 loads and unloads. Fail if a reader failed, or printed an invalid document.
test_readers_see_modules_come_and_go()
{
	load nmr
	: > "$TMP/failed"
	read_until_stopped &
	read_until_stopped &
	n=0
	while [ $n -lt 125 ]; do
		load nmr_peer_a providers=2
		load nmr_peer_b clients=2
		rmmod nmr_peer_a nmr_peer_b
		n=$((n + 1))
		[ $((n % 25)) -ne 0 ] || echo "# $n loads"
	done
	touch "$TMP/stop"
	wait
	check "no reader failed" [ ! -s "$TMP/failed" ]
	cat "$TMP"/reader.*.documents > "$TMP/documents"
	cat "$TMP/documents" > "$DOCUMENTS"
	jq -c . "$TMP/documents" > "$TMP/parsed"
	check "each document is JSON" [ $? -eq 0 ]
	check "there are many" [ "$(wc -l < "$TMP/parsed")" -gt 20 ]
}

# Run all commands that read, one after the other, until the file stop is there.
read_until_stopped()
{
	mine=$(mktemp "$TMP/reader.XXXXXX")
	while [ ! -e "$TMP/stop" ]; do
		for command in "tree -J" "list -J" "show nmr_peer_a -J" "check --stuck=100 -J" \
			tree "tree --inverse" "list clients" "list interfaces" graph; do
			read_once
		done
	done
}

# Run $command. What show is asked for may not be there now.
read_once()
{
	# shellcheck disable=SC2086	# words
	nmrctl $command > "$mine" 2> "$mine.err"
	status=$?
	case "$status $command" in
	"0 "*|"1 show "*) ;;
	*)	echo "$status $command: $(cat "$mine.err")" | tee -a "$TMP/failed" ;;
	esac
	case "$command" in
	*-J)	cat "$mine" >> "$mine.documents" ;;
	esac
}

# nmr itself comes and goes under each command. Each of them says what is so, or that nmr is
# not loaded.
test_nmr_is_unloaded_under_each_command()
{
	: > "$TMP/failed"
	run_until_stopped &
	run_until_stopped &
	nmrctl monitor > "$TMP/events" &
	monitor=$!
	n=0
	while [ $n -lt 50 ]; do
		load nmr
		load nmr_peer_a providers=1
		load nmr_peer_b clients=1
		rmmod nmr_peer_b nmr_peer_a
		# A command that reads nmr/pairs keeps nmr for this long.
		await "nmr unloads" quietly rmmod nmr
		n=$((n + 1))
	done
	touch "$TMP/stop"
	kill -0 $monitor || fail "the monitor has ended"
	kill $monitor
	wait
	check "no command failed" [ ! -s "$TMP/failed" ]
}

quietly()
{
	"$@" 2> /dev/null
}

run_until_stopped()
{
	while [ ! -e "$TMP/stop" ]; do
		for command in "tree -J" list "show nmr_peer_b" check graph "detach abort b1" \
			"reoffer nmr_peer_b" load "wait bound nmr_peer_b -t 0"; do
			# shellcheck disable=SC2086	# words
			said=$(nmrctl $command 2>&1 > /dev/null)
			status=$?
			case $status in
			0|1|3)	;;
			*)	echo "$status $command: $said" | tee -a "$TMP/failed" ;;
			esac
		done
	done
}

# --- a terminal -------------------------------------------------------------

# terminal COMMAND: run it in a terminal of 80 by 24, and a shell after it
terminal()
{
	tmux -u -L nmrctl -f /dev/null new-session -d -x 80 -y 24 \
		"PS1='ready> ' TERM=screen LC_ALL=C.UTF-8 /bin/sh"
	tmux -L nmrctl set -g status off
	keys "$1"
}

keys()
{
	tmux -L nmrctl send-keys "$@" Enter
}

# shown PATTERN: test that a line of the screen matches
shown()
{
	tmux -L nmrctl capture-pane -p > "$TMP/screen"
	grep -q -- "$1" "$TMP/screen"
}

no_terminal()
{
	tmux -L nmrctl kill-server
}

cursor_is()
{
	[ "$(tmux -L nmrctl display-message -p '#{cursor_flag} #{alternate_on}')" = "$1" ]
}

test_watch_follows_a_binding_to_its_end()
{
	skip_unless tmux command -v tmux
	terminal "nmrctl watch"
	trap no_terminal EXIT
	await "it says that nmr is not loaded" shown "^nmr is not loaded"
	load nmr
	await "that nothing is registered" shown "^nothing is registered"
	load nmr_peer_b clients=1 threads=1
	await "an unbound client" shown "^└─nmr_peer_b  *c1 unbound  *provider\$"
	load nmr_peer_a providers=1
	await "a binding" shown "^  └─nmr_peer_b (c1)  *b1 attached"
	check "the cursor is hidden" cursor_is "0 1"
	hold nmr_peer_a call
	await "a call is held" in_hand $NMR/bindings/1/client_calls 1
	unload_later nmr_peer_a
	await "it drains" shown "^  └─nmr_peer_b (c1)  *b1 detaching  *1 *[0-9.]* s calls\$"
	tmux -L nmrctl resize-window -x 60 -y 10
	await "the last line is the tenth" last_line_is 10
	check "nothing wraps" narrower_than 60
	release nmr_peer_a call
	unloaded nmr_peer_a
	await "the binding has gone" shown "^└─nmr_peer_b  *c1 unbound  *provider\$"
	unload nmr_peer_b
	unload nmr
	await "it goes on without nmr" shown "^nmr is not loaded"
	keys q
	await "the shell is back" shown "^ready> *\$"
	check "so is the cursor" cursor_is "1 0"
	keys "nmrctl watch"
	await "it runs" shown "q: quit"
	tmux -L nmrctl send-keys C-c
	await "^C ends it" cursor_is "1 0"
}

last_line_is()
{
	shown "q: quit" && [ "$(grep -n "q: quit" "$TMP/screen" | cut -d : -f 1)" -eq "$1" ]
}

test_watch_shows_what_is_asked_for()
{
	skip_unless tmux command -v tmux
	pair 0
	terminal "nmrctl watch --state attached -o name,id"
	trap no_terminal EXIT
	await "the binding is attached" shown "^  └─nmr_peer_b (c$client)  *b$id"
	keys q
	await "the shell is back" shown "^ready> *\$"
	mkdir -p /etc/nmr
	echo "$NPI_ID nmr_peer_b" > /etc/nmr/interfaces
	keys "nmrctl watch nmr_peer_b"
	await "a name of two is refused" shown "^nmrctl: nmr_peer_b is an interface and a module"
	rm -r /etc/nmr
}

# The branches are of three bytes each.
narrower_than()
{
	! sed 's/├/x/g; s/└/x/g; s/│/x/g; s/─/x/g' "$TMP/screen" | awk -v width="$1" 'length($0) > width { bad = 1 }
		END { exit !bad }'
}

test_terminal_has_colour_and_width()
{
	skip_unless tmux command -v tmux
	load nmr
	load nmr_peer_a providers=1 attach_error=-16
	load nmr_peer_b clients=1
	terminal true
	trap no_terminal EXIT
	await "a prompt" shown '^ready> $\|^ready>$'
	keys "clear; nmrctl"
	await "the tree" shown "^└─nmr_peer_b  *c1 unbound  *offer, decl"
	await "a line for each, and a prompt" lines_shown 5
	check "nothing wraps" narrower_than 80
	check "colour" coloured
	shows_no_colour "NO_COLOR=1 nmrctl"
	shows_no_colour "TERM=dumb nmrctl"
	shows_no_colour "nmrctl --color=never"
}

# shows_no_colour COMMAND: test what it shows on the terminal
shows_no_colour()
{
	keys "clear; $1; echo end of '$1'"
	await "all of $1" shown "^end of $1"
	check "the tree" shown "^└─nmr_peer_b  *c1 unbound"
	refuse "colour of $1" coloured
}

lines_shown()
{
	shown . && [ "$(grep -c . "$TMP/screen")" -eq "$1" ]
}

coloured()
{
	tmux -L nmrctl capture-pane -e -p | grep "nmr_peer_b" | grep -q "$(printf '\033\\[')"
}

run_program "$@"
