#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run by systemd in the machine of scripts/debian-root.sh, when it has booted: run the tests, report
# their exit code on the second serial port, and end the machine. Lines of the tests go to the
# kernel's log, see init.

export TEST_SKIP=no

cd /nmr || exit
# argument NAME: print its value on the kernel's command line, each comma as a space
argument()
{
	sed -n "s/.* $1=\([^ ]*\).*/\1/p" /proc/cmdline | tr , ' '
}

echo "guest: begin" > /dev/kmsg
{
	./run_tests.sh "$(argument program) $(argument cases)" 2>&1
	echo "exit $?" > /dev/ttyS1
} | while IFS= read -r line; do
	echo "$line" > /dev/kmsg
done
echo "guest: exit" > /dev/kmsg
systemctl --force --force poweroff
