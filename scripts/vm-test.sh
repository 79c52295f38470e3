#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Test make vm as an author of modules runs it, with the hello pair built beside the sources, what
# the tests do if the archive lacks a kernel, and what vm.sh takes for a complaint of the kernel.
# KTAP goes to build/vm-test.log.

. "$(dirname "$0")/common.sh" || exit 1
. "$(dirname "$0")/vm.sh" || exit 1

dir=$BUILD/vm
modules="$dir/hello/hello_provider.ko $dir/hello/hello_client.ko"

# make_vm ARGUMENT...: run it, with the output in $dir/said
make_vm()
{
	make -C "$TOP" --no-print-directory vm KERNEL=6.1 "$@" < /dev/null > "$dir/said" 2>&1
}

# Build the pair by the command that make vm names.
build_pair()
{
	rm -rf "$dir"
	mkdir -p "$dir"
	cp -r "$TOP/samples/hello" "$dir"
	"$TOP/scripts/modules.sh" 6.1 -s > /dev/null
	assignments=$("$TOP/scripts/fetch/kernel.sh" headers 6.1)
	eval "$assignments"
	make -C "$dir/hello" -s KDIR="$KDIR" NMR_MK="$BUILD/$RELEASE/nmr.mk"
}

test_script_meets_the_modules_and_succeeds()
{
	cat > "$dir/script" <<-'END'
		insmod /modules/nmr.ko && insmod /modules/hello_provider.ko &&
			insmod /modules/hello_client.ko || exit
		echo Ada > /sys/module/hello_client/parameters/greet &&
			dmesg | grep -q 'hello_provider: hello, Ada'
	END
	make_vm MODULES="$modules" SCRIPT="$dir/script"
}

test_script_that_fails_is_a_failure()
{
	echo 'echo got here; exit 3' > "$dir/script"
	! make_vm MODULES="$modules" SCRIPT="$dir/script" && grep 'got here' "$dir/said" &&
		grep 'the test ended with exit 3' "$dir/said"
}

test_module_for_another_kernel_is_refused()
{
	! skipped 6.12 || return 0
	! make_vm KERNEL=6.12 MODULES="$modules" &&
		grep "hello_provider.ko is for the kernel $RELEASE, and this is" "$dir/said"
}

# type_in LOG LINE...: print the lines once the shell in the guest prompts, or after a bounded time
type_in()
{
	local tries=0

	until grep -q '/modules # ' "$1" || [ $tries -gt "$SILENCE" ]; do
		sleep 1
		tries=$((tries + 1))
	done 2> /dev/null
	printf '%s\n' "${@:2}"
}

test_shell_does_what_is_typed()
{
	rm -f "$BUILD/vm.log"
	type_in "$BUILD/vm.log" \
		'insmod nmr.ko && insmod hello_provider.ko && insmod hello_client.ko' \
		'echo Ada > /sys/module/hello_client/parameters/greet; exit' |
		watched "$BUILD/vm.log" "$SILENCE" \
		make -C "$TOP" vm KERNEL=6.1 MODULES="$modules" > "$dir/said" 2>&1 &&
		grep 'hello_provider: hello, Ada' "$dir/said"
}

# The commands of README.md, in a copy of the sources that has what they name. The shell is told to
# exit.
test_readme_tries_modules_as_printed()
{
	local command input kernel copy=$dir/copy log=$dir/copy/build/vm.log

	mkdir -p "$copy/build"
	tar -c -C "$TOP" --exclude=./build --exclude=./.git . | tar -x -C "$copy"
	cp "$dir/hello/hello_provider.ko" "$copy/a.ko"
	cp "$dir/hello/hello_client.ko" "$copy/b.ko"
	echo 'insmod /modules/nmr.ko && insmod /modules/a.ko' > "$copy/try.sh"
	readme "Trying your own modules" > "$dir/commands"
	grep -q SCRIPT=try.sh "$dir/commands" || return
	while IFS= read -r command <&3; do
		kernel=${command#*KERNEL=}
		[ "$kernel" = "$command" ] || ! skipped "${kernel%% *}" || continue
		rm -f "$log"
		input=(type_in "$log" exit)
		[[ $command != *SCRIPT=* ]] || input=(true)
		"${input[@]}" | (cd "$copy" && watched "$log" "$SILENCE" \
			sh -c "${command/MODULES=.../}" > "$dir/said" 2>&1) || return
	done 3< "$dir/commands"
	# This is what README.md shows of the last one.
	[ -n "$reason" ] || grep 'modules for this kernel are built with: make KDIR=' "$dir/said"
}

# Make an archive that has suites of Debian, and no kernel.
make_archive()
(
	list=main/binary-amd64/Packages
	for suite in bookworm trixie trixie-backports; do
		mkdir -p "$dir/archive/dists/$suite/${list%/*}"
		cd "$dir/archive/dists/$suite" || return
		printf '%s\n' 'Package: nothing' 'Version: 1' 'Architecture: all' '' > $list
		printf '%s\n' 'Label: Debian' "Codename: $suite" "Date: $(date -Ru)" \
			'Architectures: amd64' 'Components: main' 'SHA256:' \
			" $(sha256sum < $list | cut -d' ' -f1) $(stat -c %s $list) $list" > Release
	done
)

# use_archive ADDRESS: let apt and the scripts know a stock 6.1, and otherwise nothing but the
# archive at the address, with the lists of make_archive(). The address may be empty.
use_archive()
{
	local machine=$dir/machine list

	rm -rf "$machine"
	mkdir -p "$machine"/{nmr,lists/partial}
	ln -s "$CACHE"/{release-6.1,stock} "$machine/nmr"
	printf '%s;\n' "Dir::Etc::SourceList \"$machine/list\"" \
		'Dir::Etc::SourceParts "/dev/null"' "Dir::State \"$machine\"" \
		'Dir::State::Status "/dev/null"' 'Dir::Cache::PkgCache ""' \
		'Dir::Cache::SrcPkgCache ""' "APT::Sandbox::User \"$(id -un)\"" \
		'Acquire::AllowInsecureRepositories "true"' 'Acquire::Retries "0"' \
		'Acquire::http::Proxy "DIRECT"' > "$machine/apt.conf"
	export APT_CONFIG=$machine/apt.conf XDG_CACHE_HOME=$machine
	echo "deb file:$dir/archive bookworm main" > "$machine/list"
	apt-get -qq update || return
	[[ $1 != http:* ]] || for list in "$machine"/lists/*_dists_*; do
		mv "$list" "$machine/lists/${1#*//}_dists_${list##*_dists_}"
	done
	echo "${1:+deb $1 bookworm main}" > "$machine/list"
}

# without_kernels ADDRESS COMMAND: run it in the copy, which has builds and logs of its own, with
# this archive
without_kernels()
{
	(cd "$dir/copy/scripts" && use_archive "$1" && eval "$2") > "$dir/said" 2>&1
}

# skipped_for REASON LOG...: test that each log has one result, and that it is skipped for this
skipped_for()
{
	local log

	for log in "${@:2}"; do
		grep "^ok 1 .* # SKIP $1" "$dir/copy/build/$log.log" || return
	done
}

# Run all of make check that needs another kernel than 6.1.
test_archive_without_a_kernel_is_skipped()
{
	without_kernels "file:$dir/archive" './integration.sh -c 6.12 7.3 &&
		./systems.sh -k 6.12 && ./systems.sh test-stack.sh && ./demo-stack.sh && ./mutants.sh &&
		./deb-test.sh && ./kunit.sh -k kasan73 && ./torture.sh -k 6.12 -b' &&
		skipped_for "no 6.12 kernel in the archive" integration-6.12 \
			integration-systems-6.12 torture-busted-6.12 deb-test &&
		skipped_for "no 7.3 kernel in trixie trixie-backports" integration-7.3 &&
		skipped_for "no linux-source-6.12 in the archive" integration-systems-stack \
			demo-stack-6.1 mutants &&
		skipped_for "no linux-source-7.3 in the archive" kunit/kasan73/test
}

# A kernel that is not there is skipped, but a name that is mistyped is an error.
test_unknown_kernel_is_refused()
{
	! "$TOP/scripts/kunit.sh" -k kasn > "$dir/said" 2>&1 &&
		grep "there is no kernel kasn in kunit/kernels" "$dir/said" &&
		! "$TOP/scripts/demo.sh" 6.13 > "$dir/said" 2>&1 &&
		grep "no 6.13 in fetch/series" "$dir/said"
}

test_archive_that_refuses_is_skipped()
{
	without_kernels http://127.0.0.1:9 './integration.sh -c 6.12 7.3' &&
		skipped_for "no 6.12 kernel in the archive, or no way to it" integration-6.12 &&
		skipped_for "no trixie trixie-backports in the archive, or no way to it" \
			integration-7.3
}

test_apt_without_an_archive_is_skipped()
{
	without_kernels '' './integration.sh -c 6.12 7.3' &&
		skipped_for "no 6.12 kernel in the archive" integration-6.12 &&
		skipped_for "apt is configured for no archive of Debian" integration-7.3
}

# race FUNCTIONS: print what KCSAN reports of a race between them, with nmr in a backtrace
race()
{
	cat <<-END
		[    1.000000] ==================================================================
		[    1.000000] BUG: KCSAN: data-race in $1
		[    1.000000]
		[    1.000000] write to 0xffff888237d2ed40 of 4 bytes by task 53 on cpu 0:
		[    1.000000]  ${1%% *}+0x51/0x1e0
		[    1.000000]  __mutex_lock_slowpath+0x13/0x20
		[    1.000000]  nmr_register+0x2e/0xaf
		[    1.000000]
		[    1.000000] read to 0xffff888237d2ed40 of 4 bytes by task 54 on cpu 1:
		[    1.000000]  ${1##* }+0x8f/0x190
		[    1.000000]  kthread+0x1b8/0x1f0
		[    1.000000]
		[    1.000000] Reported by Kernel Concurrency Sanitizer on:
		[    1.000000] CPU: 1 UID: 0 PID: 54 Comm: nmr_kunit Tainted: G        W 6.12.117 #9
		[    1.000000] ==================================================================
	END
}

# complaints TEXT: print what splats() finds in it
complaints()
{
	echo "$1" > "$dir/said"
	splats "$dir/said"
}

test_race_with_nmr_in_a_backtrace_is_a_complaint()
{
	! complaints "$(race "list_del / list_add")" &&
		! complaints "$(race "osq_lock / nmr_register")" &&
		! complaints "$(race osq_lock+0x51/0x1e0)"
}

# The thread is called nmr_kunit.
test_race_of_a_thread_of_nmr_elsewhere_is_no_complaint()
{
	complaints "$(race "do_exit / kthread_is_per_cpu" | grep -v nmr_register)"
}

test_race_of_spinners_for_a_mutex_is_no_complaint()
{
	complaints "$(race "osq_lock / osq_unlock")" &&
		! complaints "$(race "osq_lock / osq_unlock"; race "list_del / list_add")"
}

# replay LINE...: print the lines with what the console says between a line and its repetition
replay()
{
	printf '%s\r\n' "${@//REPLAY/** replaying previous printk message **}"
}

test_line_that_a_warning_interrupts_is_read_once()
{
	replay "ok 1 a" "    ok 1" REPLAY "    ok 16 b" "" REPLAY "c" "d" "d e" REPLAY "d e" |
		whole_lines > "$dir/said"
	replay "ok 1 a" "    ok 16 b" "c" "d" "d e" | cmp - "$dir/said"
}

test_line_that_is_not_repeated_is_kept()
{
	replay "a" "b" REPLAY "c" "d" REPLAY > "$dir/said"
	# shellcheck disable=SC2094	# both read
	whole_lines < "$dir/said" | cmp "$dir/said" - &&
		replay "a" | whole_lines | cmp <(replay "a") - && whole_lines < /dev/null
}

cases="script_meets_the_modules_and_succeeds script_that_fails_is_a_failure
	module_for_another_kernel_is_refused shell_does_what_is_typed
	readme_tries_modules_as_printed archive_without_a_kernel_is_skipped unknown_kernel_is_refused
	archive_that_refuses_is_skipped apt_without_an_archive_is_skipped
	race_with_nmr_in_a_backtrace_is_a_complaint race_of_spinners_for_a_mutex_is_no_complaint
	race_of_a_thread_of_nmr_elsewhere_is_no_complaint
	line_that_a_warning_interrupts_is_read_once line_that_is_not_repeated_is_kept"
build_pair
make_archive
number=0
{
	echo "KTAP version 1"
	echo "1..$(wc -w <<< "$cases")"
	for name in $cases; do
		# A case that sets reason could not do all that it is for.
		number=$((number + 1)) verdict=ok reason=
		"test_$name" >&2 || {
			verdict="not ok"
			tail -n 20 "$dir/said" >&2
		}
		echo "$verdict $number $name${reason:+ # SKIP $reason}"
	done
} > "$BUILD/vm-test.log"
"$TOP/scripts/summary.sh" "$BUILD/vm-test.log"
