#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# dkms-symvers.sh FOLDER: run by dkms in the folder of the build: keep Module.symvers beside the
# modules that were built.

exec cp Module.symvers "$1"
