# SPDX-License-Identifier: GPL-2.0-only
# Builds nmr as an external module, and tests it. Kbuild has what is built.
#
#   make [KDIR=...]		nmr.ko for the running kernel, or that of KDIR
#   make modules_install	what was built (or else builds it) into /lib/modules, and
#				what other modules need to build against it into
#				/lib/modules/RELEASE/nmr; INSTALL_MOD_PATH= prefixes both
#   make NMR_DEBUG=1		the same, but calls in flight remember their stacks
#   make samples		the modules in samples/, too
#   make demo			see it work, in a virtual machine
#   make vm MODULES='a.ko b.ko' [SCRIPT=...] [KERNEL=6.12] [NMR_DEBUG=1]
#				try modules of yours with nmr.ko in a virtual machine
#   make check [WITH='model torture']	run all tests
#   make kunit [FILTER=...]	run the KUnit suites, or those that match
#   make integration		run the real modules on stock kernels
#   make bench [SIZES=...]	measure, against what else there is
#   make torture [KERNEL=... SECONDS=... OPERATIONS=... CPUS=... SEED=... CYCLES=...]
#				all that the API allows at once, for so long
#   make matrix [SECONDS=...]	the tests and some torture, on every kernel there is
#   make coverage		which lines the tests run
#   make mutants [NAMES=...]	break the code, and see the suites notice
#   make model			all interleavings of a model of a binding
#   make htmldocs		the documentation as HTML, in build/docs/html
#   make lint			run the checkers

# What the last build was for, and how: modules_install need not be told again.
-include $(if $(filter modules_install clean,$(MAKECMDGOALS)),.built)
ifneq ($(built_for),)
KDIR	?= $(built_for)
endif

running	:= $(shell uname -r)
ifneq ($(wildcard /lib/modules/$(running)/build/Makefile),)
KDIR	?= /lib/modules/$(running)/build
else
# No kernel headers: those of Debian's newest 6.1, asked for once and if needed.
KDIR	?= $(eval KDIR := $(shell scripts/fetch/kernel.sh headers 6.1 | sed -n 's/^KDIR=//p'))$\
	   $(if $(KDIR),$(info No headers for the running kernel, $(running): \
			       this is for $(release), KDIR=... for another))$(KDIR)
endif
# Distributions configure BTF and signatures, and keep the vmlinux and the key.
without = $(if $(wildcard $(KDIR)/vmlinux),,CONFIG_DEBUG_INFO_BTF_MODULES=) \
	  $(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=)
# These look at KDIR only when a target needs it.
kbuild	 = @+kdir='$(KDIR)' && [ -n "$$kdir" ] && \
	   $(MAKE) --no-print-directory -C "$$kdir" M='$(CURDIR)' $(without)
release	 = $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
		   '$(KDIR)/include/generated/utsrelease.h')
target	 = $(INSTALL_MOD_PATH)/lib/modules/$(release)
DEPMOD	?= depmod

all: modules

debug	 = $(if $(NMR_DEBUG),yes,no)
remember = @printf 'built_%s := %s\n' for '$(realpath $(KDIR))' debug $(debug) > .built

modules:
	$(kbuild) modules
	$(remember)

samples:
	$(kbuild) CONFIG_NMR_SAMPLES=m modules
	$(remember)

# What was built is installed as it is. There may be nothing, or make may be told now to
# build for another kernel, or with NMR_DEBUG or without.
ifneq ($(filter modules_install,$(MAKECMDGOALS)),)
other	:= $(filter-out $(realpath $(KDIR)),$(built_for)) \
	   $(if $(filter-out undefined,$(origin NMR_DEBUG)),\
		$(filter-out $(debug),$(built_debug)))
building := $(or $(filter all modules samples,$(MAKECMDGOALS)),\
		 $(if $(wildcard nmr.ko),$(if $(strip $(other)),modules),modules))
endif

modules_install: $(building)
	$(kbuild) modules_install
	@echo "  INSTALL $(target)/nmr"
	@install -D -m 644 include/linux/nmr.h "$(target)/nmr/include/linux/nmr.h"
	@install -m 644 Module.symvers "$(target)/nmr/Module.symvers"
	$(if $(wildcard $(KDIR)/System.map),,$(depmod))

# kbuild leaves this out where the kernel's System.map is not, as in packages of headers.
define depmod
@echo "  DEPMOD  $(target)"
@PATH="$$PATH:/usr/sbin:/sbin" $(DEPMOD) -b "$(or $(INSTALL_MOD_PATH),/)" '$(release)'
endef

clean:
	$(kbuild) clean
	rm -rf build .built

coverage demo integration model lint:
	@scripts/$@.sh

htmldocs:
	@scripts/docs.sh html

vm:
	@scripts/try.sh $(if $(KERNEL),-k $(KERNEL)) $(if $(SCRIPT),-s '$(SCRIPT)') \
		$(if $(NMR_DEBUG),-d) $(MODULES)

check:
	@scripts/check.sh $(WITH)

bench:
	@scripts/bench.sh $(SIZES)

torture:
	@scripts/torture.sh $(if $(KERNEL),-k $(KERNEL)) $(if $(SECONDS),-t $(SECONDS)) \
		$(if $(OPERATIONS),-o $(OPERATIONS)) $(if $(CPUS),-c $(CPUS)) \
		$(if $(SEED),-r $(SEED)) $(if $(CYCLES),-n $(CYCLES))

matrix:
	@scripts/matrix.sh $(if $(SECONDS),-t $(SECONDS))

mutants:
	@scripts/mutants.sh $(NAMES)

kunit:
	@scripts/kunit.sh $(if $(FILTER),'$(FILTER)')

.PHONY: htmldocs all modules samples modules_install clean demo vm check kunit integration bench \
	torture matrix coverage mutants model lint
