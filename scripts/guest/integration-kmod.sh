#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 2 -m 512
# guest: $("$TOP/scripts/fetch/program-files.sh" modprobe:/sbin/modprobe depmod:/sbin/depmod)
#
# The selftests that need kmod, in a guest that has it.

export TEST_SKIP=no

/nmr/run_tests.sh test-modprobe.sh
