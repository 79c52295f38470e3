#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Test make vm as an author of modules runs it, with the hello pair built beside the sources, and
# what vm.sh takes for a complaint of the kernel. KTAP goes to build/vm-test.log.

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
	local command input copy=$dir/copy log=$dir/copy/build/vm.log

	mkdir -p "$copy/build"
	tar -c -C "$TOP" --exclude=./build --exclude=./.git . | tar -x -C "$copy"
	cp "$dir/hello/hello_provider.ko" "$copy/a.ko"
	cp "$dir/hello/hello_client.ko" "$copy/b.ko"
	echo 'insmod /modules/nmr.ko && insmod /modules/a.ko' > "$copy/try.sh"
	readme "Trying your own modules" > "$dir/commands"
	grep -q SCRIPT=try.sh "$dir/commands" || return
	while IFS= read -r command <&3; do
		rm -f "$log"
		input=(type_in "$log" exit)
		[[ $command != *SCRIPT=* ]] || input=(true)
		"${input[@]}" | (cd "$copy" && watched "$log" "$SILENCE" \
			sh -c "${command/MODULES=.../}" > "$dir/said" 2>&1) || return
	done 3< "$dir/commands"
	# This is what README.md shows of the last one.
	grep 'modules for this kernel are built with: make KDIR=' "$dir/said"
}

# The copy of the sources has builds and logs of its own.
test_archive_without_a_kernel_is_skipped()
{
	local copy=$dir/copy none=$dir/none log

	mkdir -p "$none/lists/partial"
	printf '%s;\n' 'Dir::Etc::SourceList "/dev/null"' 'Dir::Etc::SourceParts "/dev/null"' \
		"Dir::State::Lists \"$none/lists\"" 'Dir::State::Status "/dev/null"' \
		'Dir::Cache::PkgCache ""' 'Dir::Cache::SrcPkgCache ""' > "$none/apt.conf"
	(
		export APT_CONFIG=$none/apt.conf XDG_CACHE_HOME=$none
		"$copy/scripts/integration.sh" 6.12 7.3 && "$copy/scripts/kunit.sh" -k kasan73
	) > "$dir/said" 2>&1 || return
	for log in integration-6.12 integration-7.3 kunit/kasan73/test; do
		grep '^ok 1 .* # SKIP .*archive' "$copy/build/$log.log" || return
	done
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

test_race_of_spinners_for_a_mutex_is_no_complaint()
{
	complaints "$(race "osq_lock / osq_unlock")" &&
		! complaints "$(race "osq_lock / osq_unlock"; race "list_del / list_add")"
}

cases="script_meets_the_modules_and_succeeds script_that_fails_is_a_failure
	module_for_another_kernel_is_refused shell_does_what_is_typed
	readme_tries_modules_as_printed archive_without_a_kernel_is_skipped
	race_with_nmr_in_a_backtrace_is_a_complaint race_of_spinners_for_a_mutex_is_no_complaint"
build_pair
number=0
{
	echo "KTAP version 1"
	echo "1..$(wc -w <<< "$cases")"
	for name in $cases; do
		number=$((number + 1)) verdict=ok
		"test_$name" >&2 || {
			verdict="not ok"
			tail -n 20 "$dir/said" >&2
		}
		echo "$verdict $number $name"
	done
} > "$BUILD/vm-test.log"
"$TOP/scripts/summary.sh" "$BUILD/vm-test.log"
