# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by the scripts that boot guests: how to boot one, and how to judge its log.

# initramfs OUT SCRIPT [FILE[:GUESTPATH]]...: pack busybox, all of scripts/guest, the selftests
# and these files.
initramfs()
{
	local out=$1 script=$2 root file path

	shift 2
	root=$(mktemp -d "$out.XXXXXX")
	chmod 755 "$root"
	mkdir -p "$root"/{bin,dev,etc,modules,proc,sys,tmp}
	cp "$(command -v busybox)" "$root/bin/busybox"
	ln -s busybox "$root/bin/sh"
	printf '%s\n' root:x:0:0::/:/bin/sh nobody:x:65534:65534::/:/bin/sh \
		> "$root/etc/passwd"
	cp -r "$TOP/scripts/guest/." "$root"
	cp -r "$TOP/tools/testing/selftests/nmr" "$root/nmr"
	cp "$script" "$root/test.sh"
	chmod +x "$root/init"
	for file; do
		path=/modules/${file##*/}
		case $file in
		*:*)	path=${file#*:} file=${file%%:*} ;;
		esac
		mkdir -p "$root${path%/*}"
		cp "$file" "$root$path"
	done
	# Set all times to 0, so that the same files make the same archive.
	find "$root" -exec touch -hd @0 {} +
	(cd "$root" && find . | LC_ALL=C sort |
		cpio --quiet --reproducible -o -H newc -R 0:0) > "$out"
	rm -rf "$root"
}

# kernel_args ACCEL: print the kernel's arguments. An oops or a soft lockup, of which the kernel
# would tell for ever, is a panic, and a panic ends the machine at once.
#
# If QEMU has a thread for each CPU, their clocks are the host's. The kernel does not trust such
# clocks to agree, and if the host is busy it fails to measure their rate. A host that is a
# virtual machine knows the rate exactly. On a busy host the test of the timer at boot fails,
# too. The self-tests of crypto patch code while other CPUs run it, which may crash QEMU.
kernel_args()
{
	local khz

	echo -n "console=ttyS0 panic=-1 oops=panic softlockup_panic=1 loglevel=7 printk.devkmsg=on"
	echo -n " no_timer_check cryptomgr.notests"
	[[ $1 == *multi ]] || return 0
	khz=$(awk '/^flags.* hypervisor/ { virtual = 1 }
		   /^cpu MHz/ { khz = int($4 * 1000) }
		   END { if (virtual && khz) print khz }' /proc/cpuinfo)
	echo -n " tsc=reliable${khz:+ tsc_early_khz=$khz}"
}

# Drop the part of a line that the console printed before a warning took the console over. The
# whole line follows, after a line that says so. The serial console of Linux 7.3 does this.
whole_lines()
{
	sed -u ':pair
		$!N
		/\n\*\* replaying previous printk message \*\*\r\?$/ {
			$!N
			s/^\([^\n]*\)\r\?\n[^\n]*\n\1/\1/
			t pair
			b
		}
		P
		D'
}

# console LOG SECONDS QEMU [QEMU-ARG]...: run a machine, with its console on stdout and in LOG,
# until it ends or prints nothing for so many seconds. If SECONDS is empty, the terminal is its
# console, and silence does not end it.
console()
{
	local log=$1 seconds=$2 qemu=("$3" -nodefaults -no-user-config -display none -no-reboot)

	shift 3
	: > "$log"
	if [ -z "$seconds" ]; then
		# The watchdog ends it with this script.
		qemu+=(-chardev "stdio,id=terminal,mux=on,signal=off,logfile=$log"
		       -mon terminal -serial chardev:terminal)
		watched "$log" 1000000000 "${qemu[@]}" "$@"
		return
	fi
	watched "$log" "$seconds" "${qemu[@]}" -serial stdio "$@" < /dev/null | whole_lines |
		tee "$log"
}

# qemu LOG SECONDS ACCEL KERNEL INITRD VERDICT KERNEL-ARGS [QEMU-ARG]...: boot an x86-64 kernel
# as console() does.
qemu()
{
	local log=$1 seconds=$2 accel=$3 kernel=$4 initrd=$5 verdict=$6 args=$7

	shift 7
	: > "$verdict"
	# shellcheck disable=SC2086	# words
	console "$log" "$seconds" qemu-system-x86_64 -bios qboot.rom $accel \
		-kernel "$kernel" -initrd "$initrd" \
		-append "$(kernel_args "$accel") $args" -serial "file:$verdict" "$@"
}

# Print QEMU's options for KVM, or for emulation. There are machines with a KVM that does not get
# a kernel past its decompressor, so try once, and keep the result in the cache.
accel()
{
	local known

	known=$CACHE/kvm-$(uname -r)
	if [ -w /dev/kvm ] && [ ! -e "$known" ]; then
		say "trying KVM"
		kvm_boots && echo yes > "$known" || echo no > "$known"
	fi
	if [ -w /dev/kvm ] && [ "$(cat "$known")" = yes ]; then
		echo -accel kvm -cpu host
	else
		# With RDRAND the kernel has random numbers before it starts a second CPU. Without it the
		# kernel patches the code of /dev/urandom later. CPUs of QEMU 7.2 that run such code then
		# may find a breakpoint there that has gone, and the kernel oopses.
		echo -accel tcg,thread=multi -cpu qemu64,+rdrand
	fi
}

kvm_boots()
{
	local image dir=$BUILD/kvm

	mkdir -p "$dir"
	image=$("$TOP/scripts/fetch/kernel.sh" stock 6.1 | field IMAGE -)
	initramfs "$dir/initrd" "$TOP/scripts/guest/boots.sh"
	qemu "$dir/log" 15 "-accel kvm -cpu host" "$image" "$dir/initrd" "$dir/verdict" \
	     "" -m 256 > /dev/null 2>&1 || true
	grep -q '^exit 0' "$dir/verdict"
}

# splats LOG: print every line by which the kernel complained, and fail if there is one. A test
# that provokes a WARN prints "# expect: WARNING begin" before and "# expect: WARNING end" after
# it. At least one WARN must occur in between, and no other complaint is excused. KCSAN reports
# races in the rest of the kernel, too. A report counts if it has nmr or its tests in a
# backtrace, other than in the part that was interrupted. A worker or a thread of nmr that races in
# the kernel's own code, such as the statistics of process_one_work() or do_exit(), has only the
# lines "Workqueue:" and "Comm:" beside its backtrace. A report of two functions of osq_lock.c does
# not count: they queue the tasks that spin for a mutex, and race in any caller's backtrace.
splats()
{
	awk '
	function complain(text) { print text; bad = 1 }
	{ sub(/\r$/, "") }
	/# expect: WARNING begin/ { expect = 1; seen = 0; next }
	/# expect: WARNING end/ {
		if (!seen)
			complain("no WARNING came where one was expected: " $0)
		expect = 0
		next
	}
	# An expected WARN and an injected failure print a backtrace. By 7.2 the place in the
	# source comes before the CPU and the task.
	expect && /WARNING: (CPU: [0-9]+ PID: [0-9]+ at |[^ ]+ at .*, CPU#[0-9]+: )/ {
		seen = 1; excused = 1; next
	}
	/FAULT_INJECTION: forcing a failure/ { excused = 1; next }
	/---\[ end trace/ { excused = 0 }
	/BUG: KCSAN: data-race in osq_[^ +]+ \/ osq_[^ +]+$/ { next }
	/BUG: KCSAN: / { race = $0 }
	race && / by (task|interrupt) / { interrupted = 0 }
	race && /asm_.*interrupt/ { interrupted = 1 }
	race && / (Workqueue|Comm): / { next }
	race && !interrupted && /[^a-z](nmr|nt)_/ { complain(race); race = "" }
	/==========/ { race = "" }
	race { next }
	excused && /Call Trace:/ { excused = 0; next }
	/BUG:|WARNING:|INFO:|Call Trace:|Oops:|UBSAN:|KASAN:|KCSAN:|ODEBUG:/ ||
	/Kernel panic|general protection fault|refcount_t:|kmemleak: [1-9]/ ||
	/rcu: .*stall|blocked for more than|soft lockup|hard LOCKUP/ {
		complain($0)
	}
	END {
		if (expect)
			complain("an expected WARNING has no end")
		if (race)
			complain(race)
		exit bad
	}' "$1"
}

# judge LOG VERDICT: fail unless the guest reported success and the kernel did not complain.
# Print the reason, and append it to the log for summary.sh.
judge()
{
	local log=$1 verdict reason=

	verdict=$(tr -d '\r' < "$2")
	case $verdict in
	"exit 0") ;;
	exit*)	reason="the test ended with $verdict" ;;
	*)	reason="the guest fell silent" ;;
	esac
	if ! splats "$log" > "$log.splats"; then
		reason="${reason:+$reason, }the kernel complained"
		head -n 20 "$log.splats" >&2
	fi
	rm -f "$log.splats"
	[ -n "$reason" ] || return 0
	echo "Bail out! $reason" >> "$log"
	say "$log: $reason"
	return 1
}
