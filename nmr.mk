# SPDX-License-Identifier: GPL-2.0-only
# Build modules that use nmr: the Makefile of a folder that has a Kbuild file includes this one.
#
#   make [modules | modules_install | clean] [KDIR=the kernel to build for] [NMR_DIR=its nmr]
#
# NMR_DIR holds include/linux/nmr.h and the Module.symvers of the nmr.ko that will be loaded.
# Without it they are looked for beside this file (a checkout in which make has run, or what
# modules_install installed), in the kernel of KDIR, in the tree of dkms, and in
# /lib/modules/RELEASE/nmr. Kbuild may use NMR_INCLUDE, the folder of the headers.

KDIR		?= /lib/modules/$(shell uname -r)/build
nmr_release	:= $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
			   '$(KDIR)/include/generated/utsrelease.h' 2> /dev/null)
nmr_beside	:= $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
nmr_installed	:= /lib/modules/$(nmr_release)/nmr
# dkms links this name to VERSION/RELEASE/MACHINE beside it, if that build is installed.
nmr_dkms	:= /var/lib/dkms/nmr/kernel-$(nmr_release)-$(shell uname -m)
nmr_wanted	:= there is no nmr for $(nmr_release): install nmr-dkms and \
		   linux-headers-$(nmr_release), or give NMR_DIR=

ifneq ($(NMR_DIR),)
nmr_dir		:= $(abspath $(NMR_DIR))
nmr_wanted	:= $(nmr_dir) has no Module.symvers or no include/linux/nmr.h: run make there
else ifneq ($(wildcard $(nmr_beside)/Module.symvers),)
nmr_dir		:= $(nmr_beside)
else ifneq ($(shell grep -s '^CONFIG_NMR=' '$(KDIR)/include/config/auto.conf'),)
nmr_dir		:=
else ifneq ($(wildcard $(nmr_dkms)),)
nmr_dir		:= $(realpath $(nmr_dkms)/../../source)
nmr_symvers	:= $(nmr_dkms)/module/Module.symvers
nmr_built	:= nmr/$(notdir $(realpath $(nmr_dkms)/../..)) -k $(nmr_release)
nmr_wanted	:= $(nmr_symvers) is missing: run dkms build --force $(nmr_built) and \
		   dkms install --force $(nmr_built)
ifneq ($(wildcard $(nmr_installed)),)
$(warning nmr: modules are built for the nmr of dkms; remove the other one, $(nmr_installed))
endif
else
nmr_dir		:= $(nmr_installed)
endif

ifneq ($(nmr_dir),)
nmr_symvers	?= $(nmr_dir)/Module.symvers
NMR_INCLUDE	:= $(nmr_dir)/include
export NMR_INCLUDE
endif

ifeq ($(nmr_release),)
nmr_missing	:= there are no headers in $(KDIR): install linux-headers-$(shell uname -r), or give KDIR=
else ifneq ($(nmr_dir),)
ifeq ($(and $(wildcard $(nmr_symvers)),$(wildcard $(NMR_INCLUDE)/linux/nmr.h)),)
nmr_missing	:= $(nmr_wanted)
endif
endif
ifneq ($(and $(nmr_missing),$(filter-out clean,$(or $(MAKECMDGOALS),modules))),)
$(error nmr: $(nmr_missing))
endif

modules modules_install clean:
	$(MAKE) -C '$(KDIR)' M='$(CURDIR)' \
		KCFLAGS='$(strip $(KCFLAGS) $(addprefix -I,$(NMR_INCLUDE)))' \
		KBUILD_EXTRA_SYMBOLS='$(strip $(KBUILD_EXTRA_SYMBOLS) $(nmr_symvers))' $@

.DEFAULT_GOAL	:= modules
.PHONY: modules modules_install clean
