# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of nmrctl for bash. It reads sysfs itself, so it is instant, and silent without nmr.

# Print the numbers below folders of sysfs, with their letters: _nmrctl_ids clients c ...
_nmrctl_ids()
{
	local path

	while [ $# -gt 0 ]; do
		for path in "/sys/kernel/nmr/$1"/*; do
			[ ! -d "$path" ] || echo "$2${path##*/}"
		done
		shift 2
	done
}

# Print the modules that are registered.
_nmrctl_modules()
{
	local file module

	for file in /sys/kernel/nmr/{clients,providers}/*/module; do
		[ ! -r "$file" ] || { read -r module < "$file" && echo "$module"; } 2> /dev/null
	done
}

# Print the names of /etc/nmr/interfaces.
_nmrctl_interfaces()
{
	[ ! -r /etc/nmr/interfaces ] ||
		sed -n 's/^[[:space:]]*[0-9A-Fa-f-]\{36\}[[:space:]]\{1,\}\([^[:space:]#]*\).*/\1/p' \
			/etc/nmr/interfaces 2> /dev/null
}

_nmrctl_words()
{
	local states="attached detaching cleaning active deregistering unbound"
	local columns="NAME ID STATE CALLS FOR WAITS-FOR INTERFACE GUID MODULE MODULE-ID NUMBER
		CLIENT CLIENT-ID PROVIDER PROVIDER-ID REASON CLIENT-CALLS PROVIDER-CALLS
		CLIENT-DETACH PROVIDER-DETACH PENDING-MS PROVIDERS CLIENTS BINDINGS"
	local command=$1 previous=$2 current=$3 position=$4

	case $previous in
	-o|--output|-s|--sort)	echo "$columns"; return ;;
	--state)		echo "$states"; return ;;
	-t|-d|--timeout|--delay|--stuck) return ;;
	esac
	case $current in
	-*)	echo "--json --output --sort --no-headings --guids --state --color --help --version
			--inverse --time= --timeout --delay --wait --all --stuck="
		return ;;
	esac
	case $command in
	'')	echo "tree list show watch monitor wait detach reoffer load check graph help" ;;
	help)	echo "tree list show watch monitor wait detach reoffer load check graph" ;;
	load)	_nmrctl_interfaces ;;
	check)	;;
	wait)	[ "$position" -gt 1 ] || { echo "bound unbound gone"; return; }
		_nmrctl_objects ;;
	detach)	[ "$position" -gt 1 ] || { echo "fallback abort"; return; }
		_nmrctl_ids bindings b ;;
	list)	[ "$position" -gt 1 ] || echo "interfaces providers clients bindings"
		_nmrctl_objects ;;
	*)	_nmrctl_objects ;;
	esac
}

_nmrctl_objects()
{
	_nmrctl_ids clients c providers p bindings b
	_nmrctl_modules
	_nmrctl_interfaces
}

_nmrctl()
{
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command='' position=0 i word

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-*)	continue ;;
		esac
		[ -n "$command" ] && position=$((position + 1))
		command=${command:-${COMP_WORDS[i]}}
	done
	COMPREPLY=()
	# Not compgen -W: it expands the words, and a name may have any characters.
	while read -r word; do
		[[ $word != "$current"* ]] || COMPREPLY+=("$(printf %q "$word")")
	done < <(_nmrctl_words "$command" "$previous" "$current" $((position + 1)) |
		 tr -s ' \t' '\n')
}

complete -F _nmrctl nmrctl
