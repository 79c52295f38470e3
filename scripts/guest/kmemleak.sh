# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Check that what ran before, such as the KUnit suites, has leaked nothing. kmemleak reports
# an object at the second scan that finds it unreferenced, if it is 5 s old then.

leaks=/sys/kernel/debug/kmemleak

echo "KTAP version 1"
echo "1..1"
if [ ! -e $leaks ]; then
	echo "ok 1 kmemleak # SKIP not in this kernel"
	exit 0
fi
# Print the uptime in hundredths of a second, as /proc/uptime has it.
now()
{
	cut -d' ' -f1 /proc/uptime | tr -d .
}

begin=$(now)
echo scan > $leaks
until [ "$(now)" -gt $((begin + 500)) ]; do
	sleep 0.1
done
echo scan > $leaks
if grep . $leaks; then
	echo "not ok 1 kmemleak"
	exit 1
fi
echo "ok 1 kmemleak"
