#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Run by systemd in the machine of scripts/machine.sh, when it has booted: run the tests, report
# their exit code on the second serial port, and end the machine. Lines of the tests go to the
# kernel's log, see init.

export TEST_SKIP=no

cd /nmr || exit
echo "guest: begin" > /dev/kmsg
{
	./run_tests.sh test-machine.sh 2>&1
	echo "exit $?" > /dev/ttyS1
} | while IFS= read -r line; do
	echo "$line" > /dev/kmsg
done
echo "guest: exit" > /dev/kmsg
systemctl --force --force poweroff
