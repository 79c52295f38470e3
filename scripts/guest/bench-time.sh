#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 4 -m 512
#
# Measure how long a call takes, from one CPU and from several at once, in the guest of
# scripts/bench.sh.

insmod /modules/nmr.ko &&
insmod /modules/nmr_bench_calls.ko calls=100000 &&
rmmod nmr_bench_calls nmr
