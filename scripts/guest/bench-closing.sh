#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -m 1024 -t 1800
#
# Measure how long closing takes, in the guest of scripts/bench.sh, with 4 CPUs and with 64.

insmod /modules/nmr.ko &&
insmod /modules/nmr_bench_closing.ko &&
rmmod nmr_bench_closing nmr
