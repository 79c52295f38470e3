#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# Print the selftests of the registrar: those that need neither a program nor a sample system.

cd /nmr || exit
# shellcheck disable=SC2010	# none of these names is odd
ls test-*.sh |
	grep -vE '^test-(machine|modprobe|nmrctl|packages|rtm|rras|mpr|wds|stack|readme)\.sh$'
