# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Run the suites and cases that /globs names, a glob a line, with nmr and the suites as modules.

# A fault that makes one case time out is likely to make the following cases time out, too.
# So the first failure ends the machine. A record of /dev/kmsg is "level,number,time,flags;text".
end_at_the_first_failure()
{
	grep -q '^[^;]*; *not ok ' /dev/kmsg
	echo "exit 1" > /dev/ttyS1
	reboot -f
}

end_at_the_first_failure &
insmod /modules/nmr.ko && insmod /modules/nmr_netio.ko || exit
while read -r glob; do
	say "# glob $glob"
	echo -n "$glob" > /sys/module/kunit/parameters/filter_glob
	insmod /modules/nmr_kunit.ko || exit
	rmmod nmr_kunit
done < /globs
# shellcheck source=SCRIPTDIR/kmemleak.sh
. /kmemleak.sh
