#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 4 -m 1024 -q "-serial file:$BUILD/$name.documents"
# guest: $("$TOP/scripts/fetch/nmrctl-files.sh" tests)
#
# The tests of nmrctl. Each JSON document that they get goes to the third serial port, for the
# host to validate. "cases=a,b" on the kernel's command line selects cases.

export TEST_SKIP=no DOCUMENTS=/dev/ttyS2

# Nothing changes the documents on their way.
stty raw < $DOCUMENTS
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts || exit
set -- test-nmrctl.sh
[ -z "$cases" ] || set -- "test-nmrctl.sh $(echo "$cases" | tr , ' ')"
/nmr/run_tests.sh "$@"
