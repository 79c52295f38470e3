# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Sourced by the other scripts: where things are, and how to say what happens.

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=$TOP/build
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/nmr
JOBS=$(nproc)
SILENCE=400	# seconds, see watched: longer than any wait of a test, which can say more
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

# The value that file $2 assigns to NAME $1, as the other scripts print it.
field()
{
	sed -n "s/^$1=//p" "$2"
}

# watchdog PID LOG SECONDS: end the process once LOG has not grown for so many seconds, or
# this script has gone. The process keeps the other end of stdin open as long as it lives.
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

# watched LOG SECONDS COMMAND...: run it, and end it once LOG has not grown for so many
# seconds. How long a run may last in all is not bounded, as that is up to the machine and
# what else it does.
watched()
(
	log=$1 seconds=$2 pid=$BASHPID
	shift 2
	exec "$@" 3> >(watchdog "$pid" "$log" "$seconds")
)

# Hold a lock of the cache for as long as this shell lives.
cache_lock()
{
	exec 9> "$CACHE/$1.lock"
	flock -n 9 || {
		say "waiting for another run to finish with $1"
		flock 9
	}
}

# As root if need be; says what it would need where it cannot.
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

# apt_or_update COMMAND...: apt's lists may be missing, or older than the mirror. One at
# a time, as apt's own lock is not waited for by every command of it.
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
