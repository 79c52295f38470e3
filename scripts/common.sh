# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by the other scripts: paths, messages, and functions that several scripts need.

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$TOP/build
CACHE=${XDG_CACHE_HOME:-~/.cache}/nmr
JOBS=$(nproc)
SILENCE=400	# seconds, see watched(): longer than any wait of a test
# shellcheck disable=SC2034	# for the script that sources this
readonly TOP BUILD CACHE JOBS SILENCE
mkdir -p "$BUILD" "$CACHE"

say()
{
	echo "$*" >&2
}

die()
{
	say "${0##*/}: $*"
	exit 1
}

# skip REASON: end a script of fetch/, as this machine cannot get what it fetches
skip()
{
	say "${0##*/}: $*"
	echo "SKIP=$*"
	exit 4
}

# field NAME FILE: print the value that a line NAME=VALUE of the file assigns
field()
{
	sed -n "s/^$1=//p" "$2"
}

# readme SECTION: print the commands that a section of README.md lists, without the remarks
readme()
{
	awk -v section="## $1" '
		/^## / { on = $0 == section }
		/^```/ { fence = fence ? "" : $0; next }
		on && fence == "```" && /^make/ { sub(/ +#.*/, ""); print }' "$TOP/README.md"
}

# series TARGET...: print the stock kernels of fetch/series for these targets
series()
{
	awk -v targets=" $* " '!/^#/ && index(targets, " " $2 " ") { print $1 }' \
		"$TOP/scripts/fetch/series"
}

# Print the series that there are patches for.
patch_series()
{
	printf '%s\n' 6.1 6.12
	series check matrix | sort -V | tail -n 1
}

# skipped KERNEL[,KERNEL]... [LOG]...: test whether this machine cannot get one of these: a stock
# kernel (6.12), the source of one (6.12-source), or that of a kernel of kunit/kernels. If so, set
# reason, and make each log one result that is skipped, with the reason.
skipped()
{
	local kernel what missing log

	for kernel in ${1//,/ }; do
		what=source
		case $kernel in
		*-source) kernel=${kernel%-source} ;;
		[0-9]*)	what=stock ;;
		*)	grep -q "^${kernel}[[:space:]]" "$TOP/kunit/kernels" ||
				die "there is no kernel $kernel in kunit/kernels or fetch/series"
			kernel=$(awk -v name="$kernel" '$1 == name { print $2 }' \
				"$TOP/kunit/kernels") ;;
		esac
		missing=$("$TOP/scripts/fetch/kernel.sh" "$what" "$kernel" | field SKIP -)
		[ -z "$missing" ] || break
	done
	[ -n "$missing" ] || return 1
	reason=$missing
	shift
	for log; do
		printf 'KTAP version 1\n1..1\nok 1 %s # SKIP %s\n' "$(basename "$log" .log)" \
			"$reason" > "$log"
	done
}

# build_modules KERNEL: build nmr and the samples for a stock kernel, or for one of kunit/kernels
# that has them as modules, and set built to their paths
build_modules()
{
	local paths

	case $1 in
	[0-9]*)	paths=$("$TOP/scripts/modules.sh" "$1" -s) ;;
	*)	"$TOP/scripts/fetch/own-kernel.sh" "$1" > /dev/null
		paths=$(find "$BUILD/kunit/$1/modules" -name '*.ko') ;;
	esac
	# shellcheck disable=SC2034	# for the script that sources this
	mapfile -t built <<< "$paths"
}

# guest_tests SERIES [-c]: print the scripts of guest/ that test a stock kernel. There are no
# sample systems for kernels before 6.1. -c: leave out what make check runs elsewhere: the sample
# systems, for which it has steps of their own, and nmrctl, a program, on two of the kernels.
guest_tests()
{
	local script options=${2-}

	for script in "$TOP"/scripts/guest/{integration*,costs*}.sh; do
		case $1$options:${script##*/} in
		5.*-systems.sh | *-c:integration-systems.sh) ;;
		5.*-c:integration-nmrctl.sh | 6.12-c:integration-nmrctl.sh) ;;
		*) echo "$script" ;;
		esac
	done
}

# guest_logs SERIES [-c]: print the logs that scripts/integration.sh leaves
guest_logs()
{
	local script

	guest_tests "$@" | while read -r script; do
		echo "$BUILD/$(basename "$script" .sh)-$1.log"
	done
	[ "$1" != 6.12 ] || echo "$BUILD/debug-6.12.log"
}

# watchdog PID LOG SECONDS: end the process once LOG has not grown for so many seconds, or when
# this script has ended. The process holds the other end of stdin open until it exits.
watchdog()
{
	local pid=$1 log=$2 seconds=$3 still=0 size='' now

	while [ "$still" -lt "$seconds" ] && kill -0 $$; do
		read -r -t 1 || [ $? -gt 128 ] || return 0
		still=$((still + 1))
		now=$(stat -c %s "$log" || true)
		[ "$now" = "$size" ] || still=0
		size=$now
	done 2> /dev/null
	[ "$still" -lt "$seconds" ] ||
		say "ending what has written nothing to $log for $still s"
	kill "$pid"
	read -r -t 5 || [ $? -gt 128 ] || return 0
	kill -KILL "$pid"
}

# watched LOG SECONDS COMMAND...: run the command, and end it once LOG has not grown for so many
# seconds. The total time is not bounded, since it depends on the load of the machine.
watched()
(
	log=$1 seconds=$2 pid=$BASHPID
	shift 2
	exec "$@" 3> >(watchdog "$pid" "$log" "$seconds")
)

# beside COMMAND...: run it in the background as soon as fewer run than there are CPUs
beside()
{
	while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do
		wait -n || true
	done
	"$@" &
}

# cache_lock NAME: hold a lock of the cache until this shell exits
cache_lock()
{
	exec 9> "$CACHE/$1.lock"
	flock -n 9 || {
		say "waiting for another run to finish with $1"
		flock 9
	}
}

# as_root COMMAND...: run it as root. If there is no way to, print the command and fail.
as_root()
{
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo > /dev/null; then
		sudo "$@"
	else
		die "needs root, or sudo, for: $*"
	fi
}

# apt_or_update COMMAND...: run it; if it fails, update apt's lists, which may be missing or out
# of date, and run it again. Some commands of apt do not wait for its lock, so hold one of ours.
apt_or_update()
{
	(
		flock 8
		"$@" >&2 && exit
		say "updating the package lists"
		as_root apt-get -qq update >&2
		"$@" >&2
	) 8> "$CACHE/apt.lock"
}

install_packages()
{
	command -v apt-get > /dev/null ||
		die "please install (these are Debian's names): $*"
	say "installing $*"
	apt_or_update as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=600 install \
		--yes --no-install-recommends "$@"
}
