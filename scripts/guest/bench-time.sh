#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
# guest: -c 4 -m 512
#
# What a call takes in time, from one CPU and from several at once. Runs in the guest of
# scripts/bench.sh.

insmod /modules/nmr.ko &&
insmod /modules/nmr_bench_calls.ko calls=100000 &&
rmmod nmr_bench_calls nmr
