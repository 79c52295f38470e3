#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Test make and make modules_install as a user runs them, in a copy of the sources and into a
# folder. The hello pair is built with what they install, and loads with it. KTAP goes to
# build/install.log.

. "$(dirname "$0")/common.sh" || exit 1

# begin SERIES: copy what a user has to build/install/SERIES, and set what builds there.
begin()
{
	assignments=$("$TOP/scripts/fetch/kernel.sh" headers "$1")
	eval "$assignments"
	dir=$BUILD/install/$1
	rm -rf "$dir"
	mkdir -p "$dir"
	cp -r "$TOP"/{Makefile,Kbuild,nmr.mk,include,module,netio,scripts} "$dir"
	cp -r "$TOP/samples/hello" "$dir"
	cp -r "$TOP/samples/netio" "$dir/ported"
	mkdir "$dir/tools" "$dir/Documentation"
	cp -r "$TOP"/tools/{nmrctl,bpftrace} "$dir/tools"
	cp -r "$TOP/Documentation/tools" "$dir/Documentation"
	build=(make -C "$dir" -s -j"$JOBS")
	install=(INSTALL_MOD_PATH="$dir/root" modules_install)
	nmr=$dir/root/lib/modules/$RELEASE/nmr
	build_hello=(make -C "$dir/hello" -s KDIR="$KDIR" KCFLAGS=-Werror)
	build_ported=(make -C "$dir/ported" -s KDIR="$KDIR")
}

test_relative_folder_is_below_the_sources()
{
	"${build[@]}" KDIR="$KDIR" INSTALL_MOD_PATH=relative modules_install &&
		(cd "$dir/relative/lib/modules/$RELEASE" && find . -name 'nmr.ko*' | grep . &&
			[ -e nmr/Module.symvers ] && grep nmr modules.dep)
}

# A folder without what kbuild has made needs no headers, and none are fetched.
test_clean_needs_no_kernel()
{
	mkdir -p "$dir/unbuilt/build" && cp "$dir/Makefile" "$dir/unbuilt" &&
		PATH=$dir/bin:$PATH make -C "$dir/unbuilt" clean && [ ! -e "$dir/unbuilt/build" ]
}

# Print the path of the installed module, which differs between kernels.
installed()
{
	find "$dir/root/lib/modules/$RELEASE" -name 'nmr.ko*' | grep .
}

# debug FILE: test that it was built with NMR_DEBUG
debug()
{
	nm "$1" | grep ' nmr_call_trace_enter$'
}

test_what_was_built_is_installed()
{
	"${build[@]}" KDIR="$KDIR" NMR_DEBUG=1 &&
		"${build[@]}" "${install[@]}" && debug "$(installed)"
}

test_what_is_told_now_is_built_and_installed()
{
	"${build[@]}" NMR_DEBUG='' "${install[@]}" && installed && ! debug "$(installed)"
}

test_what_was_not_built_is_built_and_installed()
{
	"${build[@]}" KDIR="$KDIR" "${install[@]}" && installed
}

# info FIELD: print it, one line for each value
info()
{
	PATH=$PATH:/usr/sbin:/sbin modinfo -F "$1" "$(installed)"
}

# The version is the one of Kbuild.
test_modinfo_shows_version_and_author()
{
	[ "$(info version)" = "$(sed -n 's/^NMR_RELEASE[[:space:]]*:= //p' "$TOP/Kbuild")" ] &&
		info author | grep . && info description | grep . &&
		info license | grep -x GPL
}

# modinfo prints "NAME:DESCRIPTION (TYPE)", or "NAME:TYPE" if there is no description.
test_modinfo_describes_each_parameter()
{
	info parm | grep . && ! info parm | grep -v ':.* (.*)$'
}

test_modprobe_finds_it()
{
	modprobe -d "$dir/root" -S "$RELEASE" --show-depends nmr |
		grep -F "insmod $(installed)"
}

test_a_user_is_built_without_a_warning()
{
	"${build_hello[@]}" NMR_MK="$nmr/nmr.mk" &&
		modinfo -F depends "$dir/hello/hello_client.ko" | grep -x nmr
}

# compile LINE: compile a module with this line, with the output in $dir/said
compile()
{
	printf '#include <linux/module.h>\n#include <linux/nmr.h>\nMODULE_LICENSE("GPL");\n%s\n' \
		"$1" > "$dir/bad/bad.c"
	make -C "$dir/bad" -s KDIR="$KDIR" KCFLAGS=-Werror NMR_MK="$nmr/nmr.mk" \
		> "$dir/said" 2>&1
}

# A string that is no GUID, and a result that is not looked at.
test_header_refuses_mistakes()
{
	local guid=527f8f93-c543-4216-8a82-c6059525fa7d other

	mkdir "$dir/bad"
	cp "$dir/hello/Makefile" "$dir/bad"
	echo 'obj-m += bad.o' > "$dir/bad/Kbuild"
	compile "static const guid_t __used id = NMR_GUID(\"$guid\");" || return
	for other in "${guid^^}" "${guid%d}" "${guid}0" "${guid/-/0}" "${guid/f/g}" ""; do
		! compile "static const guid_t __used id = NMR_GUID(\"$other\");" &&
			grep ' error: ' "$dir/said" || return
	done
	! compile "static void __used f(struct nmr_binding *b) { nmr_client_call_enter(b); }" &&
		grep 'error: ignoring return value of .*nmr_client_call_enter' "$dir/said"
}

# The sources that are written for Windows need no other files than those that are installed.
test_a_port_is_built_without_a_warning()
{
	"${build_ported[@]}" NMR_MK="$nmr/nmr.mk" > "$dir/said" 2>&1 &&
		! grep -i warning "$dir/said" &&
		modinfo -F depends "$dir/ported/netio_client.ko" | grep -x nmr_netio
}

# refused SENTENCE MAKE-COMMAND...: test that it fails, and says why in one line. Each make above
# the one that fails adds a line of its own.
refused()
{
	local said

	said=$("${@:2}" 2>&1 | grep -vE '^make(\[[0-9]+\])?: (.* directory|\*\*\* \[.*\] Error)')
	echo "$said"
	[[ $said == *": *** $1.  Stop." && $said != *$'\n'* ]]
}

# Neither the machine that runs this nor the copy of nmr.mk has an nmr for the kernel.
test_a_user_is_told_what_is_missing()
{
	local hello=("${build_hello[@]}" NMR_MK="$dir/alone/nmr.mk") empty=$dir/empty

	mkdir "$dir/alone" "$empty"
	cp "$TOP/nmr.mk" "$dir/alone"
	refused "nmr: there is no nmr for $RELEASE: install nmr-dkms and linux-headers-$RELEASE, \
or give NMR_DIR=" "${hello[@]}" &&
		refused "nmr: $empty has no Module.symvers or no include/linux/nmr.h: run make \
there" "${hello[@]}" NMR_DIR="$empty" &&
		refused "nmr: there are no headers in $empty: install linux-headers-$(uname -r), \
or give KDIR=" "${hello[@]}" KDIR="$empty" &&
		"${hello[@]}" clean &&
		"${hello[@]}" NMR_DIR="$nmr"
}

# Where the headers are in a root of the cache, kbuild would install into that root. Where the kernel
# was built elsewhere, its release is not known.
test_install_without_a_place_is_refused()
{
	local kernel=$dir/kernel make=(make -C "$dir/alone" KDIR="$dir/kernel" modules_install)

	mkdir -p "$kernel/include/generated"
	cp "$dir/Makefile" "$dir/alone"
	echo 'modules modules_install: ; @:' > "$kernel/Makefile"
	refused "nmr: $kernel has no include/generated/utsrelease.h: give the folder that the \
kernel was built in as KDIR=" "${make[@]}" || return
	echo '#define UTS_RELEASE "7.3.0"' > "$kernel/include/generated/utsrelease.h"
	touch "$kernel/Makefile.debian"
	refused "nmr: 7.3.0 is no kernel of this machine: give a folder as INSTALL_MOD_PATH=" \
		"${make[@]}"
}

# If there are no headers for the running kernel, make says so in its first line.
test_make_says_for_which_kernel()
{
	local first

	mkdir "$dir/bin"
	# shellcheck disable=SC2016	# for the script
	printf '#!/bin/sh\n[ "$1" != -r ] || exec echo 0.0-none\nexec /bin/uname "$@"\n' \
		> "$dir/bin/uname"
	chmod +x "$dir/bin/uname"
	first=$(PATH=$dir/bin:$PATH make -C "$dir" -n --no-print-directory | sed -n 1p)
	echo "$first"
	[[ $first == *0.0-none*$RELEASE* ]]
}

# The commands of README.md, with headers that are there, install into a folder. The machine has no
# headers of its own kernel, see the case above.
test_readme_builds_as_printed()
{
	local command

	readme Building > "$dir/printed" && grep -x 'make modules_install' "$dir/printed" || return
	while IFS= read -r command; do
		echo "$command"
		[[ $command != *SERIES=* ]] || ! skipped "${command#*SERIES=}" || continue
		(cd "$dir" && PATH=$dir/bin:$PATH INSTALL_MOD_PATH=$dir/root \
			sh -c "${command//\/path\/to\/headers/$KDIR}") < /dev/null || return
	done < "$dir/printed"
	# The last one that builds is make NMR_DEBUG=1.
	debug "$(installed)"
}

test_kernel_before_5_10_is_named_and_refused()
{
	refused "nmr needs Linux 5.10 or later, and this is 5.4" \
		"${build[@]}" KDIR="$KDIR" VERSION=5 PATCHLEVEL=4
}

test_kernel_without_sysfs_is_refused()
{
	refused "nmr: this kernel has no sysfs: build for a kernel that is configured with \
CONFIG_SYSFS" "${build[@]}" KDIR="$KDIR" CONFIG_SYSFS=
}

# completes WORDS COMMAND-LINE...: test what bash completes the last word of the command line to
completes()
{
	local expected=$1

	shift
	# shellcheck disable=SC2016	# for the other shell
	[ "$(bash -c '. "$0" && COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) && _nmrctl &&
		echo "${COMPREPLY[*]}"' \
		"$dir/root/usr/share/bash-completion/completions/nmrctl" "$@")" = "$expected" ]
}

test_nmrctl_is_built_without_a_warning_and_installed()
{
	local root=$dir/root

	"${build[@]}" tools_install WERROR=-Werror DESTDIR="$root" prefix=/usr &&
		"$root/usr/sbin/nmrctl" -V | grep -x "nmrctl $(info version)" &&
		[ -x "$root/usr/share/initramfs-tools/hooks/nmrctl" ] &&
		[ -x "$root/usr/sbin/nmrsnoop.bt" ] &&
		grep -x ExecStart=/usr/sbin/nmrctl\ load \
			"$root/usr/lib/systemd/system/nmr-load.service" &&
		[ -e "$root/usr/share/nmrctl/nmrctl.schema.json" ] &&
		[ -e "$root/etc/nmr/interfaces" ]
}

# initramfs-tools reads its hooks in /usr/share and in /etc.
test_hook_is_installed_where_it_is_read()
{
	make -C "$dir/tools/nmrctl" -n install DESTDIR=/folder |
		grep "'/folder/etc/initramfs-tools/hooks/nmrctl'"
}

test_nmrctl_keeps_a_file_of_names_that_is_there()
{
	echo "# mine" > "$dir/root/etc/nmr/interfaces"
	"${build[@]}" tools_install DESTDIR="$dir/root" prefix=/usr &&
		grep -x "# mine" "$dir/root/etc/nmr/interfaces"
}

# make_sysfs ROOT: make files as nmr has them in sysfs. In DOT the name of the interface has to be
# quoted.
make_sysfs()
{
	local nmr=$1/sys/kernel/nmr file text

	while read -r file text; do
		install -D -m 644 /dev/stdin "$nmr/$file" <<< "$text"
	done <<-END
		clients/1/module digest_client
		clients/1/npi_id 20fd82c5-6014-4438-90c1-3e7d0270e70b
		clients/1/state active
		providers/1/module digest_shash
		providers/1/npi_id 20fd82c5-6014-4438-90c1-3e7d0270e70b
		providers/1/state deregistering
		bindings/1/state detaching
		bindings/1/reason provider-deregistered
		bindings/1/client_calls 4
		bindings/1/provider_calls 0
		bindings/1/client_detach pending
		bindings/1/provider_detach done
		bindings/1/pending_ms 12300
	END
	ln -s ../../clients/1 "$nmr/bindings/1/client"
	ln -s ../../providers/1 "$nmr/bindings/1/provider"
	install -D -m 644 /dev/stdin "$1/etc/nmr/interfaces" \
		<<< "20fd82c5-6014-4438-90c1-3e7d0270e70b a\"b\\"
}

# Each text of the picture is in an element of its own.
test_dot_draws_what_nmrctl_graph_prints()
{
	local text

	make_sysfs "$dir/machine" &&
		NMRCTL_ROOT=$dir/machine "$dir/root/usr/sbin/nmrctl" graph |
		dot -Tsvg > "$dir/graph.svg" || return
	for text in "a&quot;b\\" digest_client 'c1 active' digest_shash 'p1 deregistering' \
		    'b1 detaching' 'waits for calls'; do
		grep -F ">$text</text>" "$dir/graph.svg" || return
	done
}

test_bash_completes_without_nmr()
{
	completes "watch wait" nmrctl w && completes "bound unbound gone" nmrctl wait "" &&
		completes WAITS-FOR nmrctl list -o WA && completes "" nmrctl detach abort "" &&
		completes --inverse nmrctl tree --inv
}

# A name may be of any visible characters. The shell must not expand it.
test_bash_expands_no_name()
{
	# shellcheck disable=SC2016	# for the other shell
	[ "$(bash -c '. "$0" && _nmrctl_interfaces() { printf "%s\n" "\$(echo)" "a\"b\`" ok; }
		COMP_WORDS=(nmrctl show "") COMP_CWORD=2 && _nmrctl && echo "${COMPREPLY[*]}"' \
		"$dir/root/usr/share/bash-completion/completions/nmrctl")" = '\$\(echo\) a\"b\` ok' ]
}

test_manual_has_no_warning()
{
	local page

	for page in man8/{nmrctl,nmrdrain.bt,nmrsnoop.bt}.8 man4/nmr.4; do
		LC_ALL=C.UTF-8 man --warnings -l -Tutf8 -Z "$dir/root/usr/share/man/$page" \
			2>&1 > /dev/null | { ! grep .; } || return
	done
}

# run SERIES CASE...: run the cases in this order, in one folder. A case that sets reason, because
# it could not do all that it is for, is skipped, and so is each on a series that is not there.
run()
{
	local series=$1 lacking='' name verdict

	shift
	! skipped "$series" || lacking=$reason
	[ -n "$lacking" ] || begin "$series"
	for name; do
		number=$((number + 1)) verdict=ok reason=$lacking
		[ -n "$lacking" ] || "test_$name" >&2 || verdict="not ok"
		echo "$verdict $number $name, $series${reason:+ # SKIP $reason}"
	done
}

"$TOP/scripts/fetch/packages.sh" build tools manual figures
number=0
{
	echo "KTAP version 1"
	echo "1..29"
	run 6.1 what_was_built_is_installed what_is_told_now_is_built_and_installed \
		modinfo_shows_version_and_author modinfo_describes_each_parameter \
		modprobe_finds_it a_user_is_built_without_a_warning header_refuses_mistakes \
		a_user_is_told_what_is_missing install_without_a_place_is_refused \
		make_says_for_which_kernel \
		relative_folder_is_below_the_sources clean_needs_no_kernel \
		a_port_is_built_without_a_warning kernel_before_5_10_is_named_and_refused \
		kernel_without_sysfs_is_refused \
		nmrctl_is_built_without_a_warning_and_installed \
		hook_is_installed_where_it_is_read nmrctl_keeps_a_file_of_names_that_is_there \
		dot_draws_what_nmrctl_graph_prints bash_completes_without_nmr \
		bash_expands_no_name manual_has_no_warning readme_builds_as_printed
	run 6.12 what_was_not_built_is_built_and_installed \
		modinfo_shows_version_and_author modinfo_describes_each_parameter \
		modprobe_finds_it \
		a_user_is_built_without_a_warning a_port_is_built_without_a_warning
} > "$BUILD/install.log"
"$TOP/scripts/summary.sh" "$BUILD/install.log"
