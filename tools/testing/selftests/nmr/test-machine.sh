#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A whole machine: systemd's udevd loads providers, nmrctl waits for them, and tools for tracing
# read the events. In the machine of "make machine" the initramfs has
# loaded hello_client.

. "$(dirname "$0")/lib.sh"

HELLO=527f8f93-c543-4216-8a82-c6059525fa7d
CONF=/etc/modprobe.d/nmr-test.conf
TRACING=$SELFTESTS/nmr-tracing.rst

# bound SECONDS: wait for a provider of hello
bound()
{
	nmrctl wait bound $HELLO -t "$1"
}

# Wait until udevd has handled all events.
settled()
{
	udevadm settle
}

# The event of the client is lost: udevd of the initramfs has no provider to load. "nmrctl load"
# of nmr-load.service makes good for it.
test_client_of_the_initramfs_is_bound_once_the_machine_is_up()
{
	check "the initramfs has loaded the client" loaded hello_client
	check "it is bound" bound 60
	check "by the unit" systemctl --quiet is-active nmr-load.service
	check "which has said so" sh -c \
		"journalctl -b -u nmr-load.service | grep 'hello_provider: loaded for'"
}

# The hook of initramfs-tools has copied nmrctl. It runs with what is in the image.
test_initramfs_has_nmrctl_with_its_libraries()
{
	check "the image" unmkinitramfs "/boot/initrd.img-$(uname -r)" "$TMP/image"
	check "nmrctl runs in it" chroot "$TMP/image" /sbin/nmrctl -V
	check "with the names of interfaces" cmp /etc/nmr/interfaces "$TMP/image/etc/nmr/interfaces"
}

test_modprobe_of_a_client_is_enough()
{
	check "modprobe" modprobe hello_client
	check "its provider comes" bound 60
	check "as a module" loaded hello_provider
}

test_blacklist_is_honoured()
{
	echo "blacklist hello_provider" > "$CONF"
	trap 'rm "$CONF"' EXIT
	check "udevd reads it" udevadm control --reload
	check "modprobe" modprobe hello_client
	check "udevd has seen it" settled
	refuse "its provider came" loaded hello_provider
	refuse "nmrctl loads it" nmrctl load $HELLO
	refuse "its provider came" loaded hello_provider
	rm "$CONF"
	trap - EXIT
	check "udevd reads it" udevadm control --reload
	check "without the blacklist nmrctl does" nmrctl load
	check "it is bound" bound 60
}

test_autoload_can_be_turned_off()
{
	check "nmr" modprobe nmr autoload=N
	check "modprobe" modprobe hello_client
	check "udevd has seen it" settled
	refuse "its provider came" loaded hello_provider
	check "turned on" set_param nmr autoload Y
	check "and asked for again" write_word add "$NMR"/clients/1/uevent
	check "it comes" bound 60
}

# Bind the pair, and unbind it.
run_pair()
{
	check "modprobe" modprobe hello_client
	check "bound" bound 60
	check "the provider leaves" rmmod hello_provider
	check "the client leaves" rmmod hello_client
}

# ready PATTERN: test that the tool has said so, and fail if it has ended
ready()
{
	running "$tool" || {
		sed 's/^/# /' "$TMP/out"
		fail "the tool has ended"
	}
	grep -q "$1" "$TMP/out"
}

# bpftrace_script NAME PATTERN: start it on a terminal, where it prints each line at once, set $tool
# to the last process of the pipeline, and wait until it says PATTERN
bpftrace_script()
{
	script -qfec "$1" /dev/null < /dev/null 2>&1 | sed -u 's/\r$//' > "$TMP/out" &
	tool=$!
	await "$1 is ready" ready "$2"
}

# ended: interrupt bpftrace, which prints the rest, and show it
ended()
{
	# shellcheck disable=SC2046	# a list of words
	kill -INT $(pidof bpftrace)
	wait "$tool"
	sed 's/^/# /' "$TMP/out"
}

test_nmrdrain_counts_how_long_bindings_take_to_end()
{
	check "nmr" modprobe nmr
	bpftrace_script nmrdrain.bt Tracing
	run_pair
	ended
	check "the pair" grep -q '^@us\[hello_client, hello_provider\]:' "$TMP/out"
	check "one binding" grep -q '^\[.* 1 |@' "$TMP/out"
}

test_nmrsnoop_prints_each_step()
{
	check "nmr" modprobe nmr
	bpftrace_script nmrsnoop.bt TIME
	run_pair
	await "the end" grep -q ' c1 *finish' "$TMP/out"
	ended
	while read -r line; do
		check "$line" grep -Eq "^[0-9:.]{15} $line\$" "$TMP/out"
	done <<-END
		c1 +register +hello_client
		p1 +register +hello_provider
		b1 +attach +hello_client \(c1\) -> hello_provider \(p1\), error 0
		p1 +deregister
		b1 +close +hello_client \(c1\) -> hello_provider \(p1\), provider deregistered
		b1 +detach +c returned 0
		b1 +detach +p returned 0
		b1 +detached +c after [0-9]+ us
		b1 +detached +p after [0-9]+ us
		b1 +cleanup +after [0-9]+ us
		p1 +finish
		c1 +deregister
	END
}

test_trace_cmd_shows_guids_and_names()
{
	check "nmr" modprobe nmr
	check "started" trace-cmd start -e nmr
	run_pair
	check "stopped" trace-cmd stop
	check "extracted" trace-cmd extract -o "$TMP/trace.dat"
	trace-cmd report -i "$TMP/trace.dat" > "$TMP/out" 2>&1
	sed 's/^/# /' "$TMP/out"
	check "the GUID" grep -q "nmr_register:.*module=hello_client npi=$HELLO" "$TMP/out"
	check "errnos" grep -q "nmr_attach:.*error=0 (OK)" "$TMP/out"
	check "names" grep -q "nmr_close:.*(hello_provider) reason=provider-deregistered" \
		"$TMP/out"
	trace-cmd reset
}

# Have a provider decline, be bound, and leave slowly.
steps()
{
	check "a provider that declines" modprobe nmr_peer_a providers=1 attach_error=-22
	check "a client" modprobe nmr_peer_b clients=1
	check "the provider changes its mind" set_param nmr_peer_a attach_error 0
	check "it is offered again" nmrctl reoffer --all module:nmr_peer_a
	check "it is bound" nmrctl wait bound module:nmr_peer_b -t 60
	hold nmr_peer_b detach
	rmmod nmr_peer_a &
	leaving=$!
	await "it takes longer than 10 ms" pending_for 10
	release nmr_peer_b detach
	check "it leaves" wait "$leaving"
	check "the client leaves" rmmod nmr_peer_b
}

# pending_for MS: test that the binding has been pending for longer
pending_for()
{
	for file in "$NMR"/bindings/*/pending_ms; do
		above "$file" "$1"
	done
}

# Run $command, which chooses events, and test that the steps are recorded.
recorded()
{
	check "$command" sh -c "$command"
	steps
	trace-cmd show > "$TMP/out"
	check "$command: it shows events" grep -q ': nmr_.*: ' "$TMP/out"
	trace-cmd reset
}

# Run $command, which ends by itself, while the steps are done again and again.
counts()
{
	sh -c "$command" > "$TMP/out" 2>&1 &
	tool=$!
	while running "$tool"; do
		steps
	done
	for event in nmr_attach nmr_close; do
		check "$command: it counts $event" \
			grep -Eq "^ +[0-9,]*[1-9][0-9,]* +nmr:$event" "$TMP/out"
	done
}

# Run $command, which prints what it saw when it is interrupted. It is ready some time after it
# has said that it attaches.
saw_the_steps()
{
	sh -c "exec $command" > "$TMP/out" 2>&1 &
	tool=$!
	await "$command attaches" ready Attaching
	steps
	ended
	grep -q '^@us\[' "$TMP/out"
}

# Run the commands of the page that are the block at its end, the last of which never ends.
test_tracing_page_without_any_tool()
{
	skip_unless "the page" [ -e "$TRACING" ]
	check "nmr" modprobe nmr
	sed -n '/^Without any tool::$/,$s/^  //p' "$TRACING" > "$TMP/block"
	setsid sh -e "$TMP/block" > "$TMP/out" 2>&1 &
	tool=$!
	await "events are on" is /sys/kernel/tracing/events/nmr/enable 1
	steps
	await "it prints them" ready nmr_finish
	kill -s TERM -- "-$tool"
	echo 0 > /sys/kernel/tracing/events/nmr/enable
}

test_tracing_page_has_a_line_for_each_question()
{
	skip_unless "the page" [ -e "$TRACING" ]
	check "nmr" modprobe nmr
	# shellcheck disable=SC2016	# no expressions
	sed -n 's/^  ``\(.*\)``$/\1/p' "$TRACING" > "$TMP/lines"
	check "there are some" [ -s "$TMP/lines" ]
	while IFS= read -r command <&3; do
		case $command in
		trace-cmd*)	recorded ;;
		perf*)		counts ;;
		bpftrace*)	await "$command" saw_the_steps ;;
		*)		fail "no test for: $command" ;;
		esac
	done 3< "$TMP/lines"
}

# The sample rule is installed. It logs each stuck binding.
test_sample_rule_logs_stuck_bindings()
{
	check "nmr" modprobe nmr stuck_seconds=1
	check "a provider" modprobe nmr_peer_a providers=1
	check "a client" modprobe nmr_peer_b clients=1
	hold nmr_peer_b detach
	check "a binding ends" nmrctl detach abort b1
	await "the rule logs it" logged_by_rule
	release nmr_peer_b detach
	check "it goes" nmrctl wait gone b1 -t 60
}

logged_by_rule()
{
	journalctl -b -t nmr | grep -q "binding 1 of client 1 and provider 1 is stuck"
}

if [ ! -e /run/udev/control ] || ! command -v nmrctl > /dev/null; then
	ktap_print_header
	ktap_skip_all "needs a machine with udevd and nmrctl"
	exit "$KSFT_SKIP"
fi
# shellcheck disable=SC2046	# a list of words
[ $# -gt 0 ] || set -- $(cases_of "$0")
run_cases "$@"
ktap_finished
