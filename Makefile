# SPDX-License-Identifier: GPL-2.0-only
# Build nmr as an external module, and test it. Kbuild lists what is built.
#
#   make [KDIR=... | SERIES=7.3]	build nmr.ko for the running kernel, for that of KDIR, or for a
#				stock kernel of Debian, see scripts/fetch/series
#   make modules_install	install what was built (or build it first) into /lib/modules,
#				and what other modules are built with into
#				/lib/modules/RELEASE/nmr; INSTALL_MOD_PATH= prefixes both
#   make NMR_DEBUG=1		build nmr.ko so that it records the stack of each call in flight
#   make samples		build the modules in samples/, too
#   make tools			build nmrctl, in build/nmrctl
#   make tools_install [DESTDIR=... prefix=/usr]	install it, with its manual
#   make test-modules		build all that tools/testing/selftests/nmr loads
#   make demo [KERNEL=7.3]	watch nmr work in a virtual machine
#   make demo-stack		watch the sample systems route packets, and leave in any order
#   make machine		test on a whole Debian 12, with systemd and udevd, and do deb-test, too
#				(as root)
#   make dist			write a tarball of the sources, with the manual, into build/dist
#   make deb			build packages of Debian, into build/deb
#   make deb-test		test the packages on a whole Debian 12 with two kernels (as root)
#   make systems [KERNEL=stack-kcfi]	test the sample systems on a kernel with KASAN and lockdep
#   make vm MODULES='a.ko b.ko' [SCRIPT=...] [KERNEL=...] [NMR_DEBUG=1]
#				try your modules with nmr.ko in a virtual machine
#   make check [WITH='model torture']	run the tests of a change
#   make kunit [KERNEL=uml] [FILTER=...]	run the KUnit suites, or those that match
#   make integration [SERIES=...]	run the selftests on stock kernels
#   make bench [SERIES=... SIZES=...]	measure nmr and its alternatives
#   make torture [KERNEL=... SECONDS=... OPERATIONS=... CPUS=... SEED=... CYCLES=...]
#				do all that the API allows at once, at random
#   make matrix [SECONDS=...]	run the tests and some torture on every kernel
#   make coverage		show which lines the tests run
#   make mutants [NAMES=...]	break the code, and see the suites fail
#   make model			search all interleavings of a model of a binding
#   make docs			build the documentation as HTML, in build/docs/html
#   make look			look at each page in Chromium, as a window and a phone show it
#   make man			make manual pages of the functions, in build/man
#   make figures		draw the figures of the documentation
#   make lint			run the checkers
#   make patch [SERIES=...]	write patches for a kernel tree, in build/patch, see CONTRIBUTING.md
#   make patch-test [SERIES=...]	test them, as a maintainer of that tree would

# modules_install and clean take the kernel and the options of the last build.
-include $(if $(filter modules_install clean,$(MAKECMDGOALS)),.built)
ifneq ($(built_for),)
KDIR	?= $(built_for)
endif

# Nothing is fetched to clean.
ifeq ($(MAKECMDGOALS),clean)
KDIR	?= /lib/modules/$(shell uname -r)/build
endif

headers	 = $(shell scripts/fetch/kernel.sh headers $1 | sed -n 's/^KDIR=//p')
running	:= $(shell uname -r)
ifneq ($(SERIES),)
KDIR	?= $(eval KDIR := $(call headers,$(SERIES)))$(KDIR)
else ifneq ($(wildcard /lib/modules/$(running)/build/Makefile),)
KDIR	?= /lib/modules/$(running)/build
else
# Without headers of the running kernel, use those of Debian's newest 6.1. make asks for them
# once, and only when a target needs KDIR.
KDIR	?= $(eval KDIR := $(call headers,6.1))$\
	   $(if $(KDIR),$(info No headers for the running kernel, $(running): \
			       this is for $(release), KDIR=... for another))$(KDIR)
endif
# Distributions configure BTF and signatures, but do not ship the vmlinux and the key.
without = $(if $(wildcard $(KDIR)/vmlinux),,CONFIG_DEBUG_INFO_BTF_MODULES=) \
	  $(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=)
# These expand KDIR only when a target needs it.
kbuild	 = @+kdir='$(KDIR)' && [ -n "$$kdir" ] && \
	   $(MAKE) --no-print-directory -C "$$kdir" M='$(CURDIR)' $(without)
release	 = $(shell sed -n 's/^.define UTS_RELEASE "\(.*\)"/\1/p' \
		   '$(KDIR)/include/generated/utsrelease.h' 2> /dev/null)
root	 = $(abspath $(INSTALL_MOD_PATH))
target	 = $(root)/lib/modules/$(release)
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

test-modules:
	$(kbuild) CONFIG_NMR_SAMPLES=m CONFIG_NMR_TEST_MODULES=m CONFIG_NMR_BENCH=m modules
	$(remember)

# modules_install builds first if nothing was built, or if KDIR or NMR_DEBUG on the command line
# differ from those of the last build.
ifneq ($(filter modules_install,$(MAKECMDGOALS)),)
other	:= $(filter-out $(realpath $(KDIR)),$(built_for)) \
	   $(if $(filter-out undefined,$(origin NMR_DEBUG)),\
		$(filter-out $(debug),$(built_debug)))
building := $(or $(filter all modules samples test-modules,$(MAKECMDGOALS)),\
		 $(if $(wildcard nmr.ko),$(if $(strip $(other)),modules),modules))
endif

modules_install: $(building)
	$(installable)
	$(kbuild) modules_install $(if $(root),INSTALL_MOD_PATH='$(root)')
	@echo "  INSTALL $(target)/nmr"
	@install -D -m 644 include/linux/nmr.h "$(target)/nmr/include/linux/nmr.h"
	@install -D -m 644 -t "$(target)/nmr/include/nmr" include/nmr/*.h
	@install -m 644 -t "$(target)/nmr" nmr.mk Module.symvers
	$(if $(wildcard $(KDIR)/System.map),,$(depmod))

# kbuild does not run depmod without the kernel's System.map, which packages of headers lack.
define depmod
@echo "  DEPMOD  $(target)"
@PATH="$$PATH:/usr/sbin:/sbin" $(DEPMOD) -b "$(or $(root),/)" '$(release)'
endef

# Where the headers are in a root of the cache, kbuild sees the /lib of that root, see root.mk.
installable = $(if $(release),,$(error nmr: $(KDIR) has no include/generated/utsrelease.h: give \
		the folder that the kernel was built in as KDIR=))\
	      $(if $(root),,$(if $(wildcard $(KDIR)/Makefile.debian),\
		$(error nmr: $(release) is no kernel of this machine: give a folder as INSTALL_MOD_PATH=)))

clean:
	$(if $(wildcard $(KDIR)/Makefile),$(kbuild) clean)
	rm -rf build .built

coverage deb demo-stack dist figures man model lint look:
	@scripts/$@.sh

machine:
	@scripts/machine.sh
	@scripts/deb-test.sh

deb-test:
	@scripts/deb-test.sh

demo:
	@scripts/demo.sh $(KERNEL)

systems:
	@scripts/systems.sh $(if $(KERNEL),-k $(KERNEL))

integration:
	@scripts/integration.sh $(SERIES)

docs htmldocs:
	@scripts/docs.sh html

patch patch-test:
	@scripts/$@.sh $(SERIES)

tools:
	@scripts/fetch/packages.sh tools
	@$(MAKE) --no-print-directory -C tools/nmrctl

tools_install: tools
	@$(MAKE) --no-print-directory -C tools/nmrctl install \
		$(if $(DESTDIR),DESTDIR='$(abspath $(DESTDIR))')

vm:
	@scripts/try.sh $(if $(KERNEL),-k $(KERNEL)) $(if $(SCRIPT),-s '$(SCRIPT)') \
		$(if $(NMR_DEBUG),-d) $(MODULES)

check:
	@scripts/check.sh $(WITH)

bench:
	@scripts/bench.sh $(if $(SERIES),-k $(SERIES)) $(SIZES)

torture:
	@scripts/torture.sh $(if $(KERNEL),-k $(KERNEL)) $(if $(SECONDS),-t $(SECONDS)) \
		$(if $(OPERATIONS),-o $(OPERATIONS)) $(if $(CPUS),-c $(CPUS)) \
		$(if $(SEED),-r $(SEED)) $(if $(CYCLES),-n $(CYCLES))

matrix:
	@scripts/matrix.sh $(if $(SECONDS),-t $(SECONDS))

mutants:
	@scripts/mutants.sh $(NAMES)

kunit:
	@scripts/kunit.sh $(if $(KERNEL),-k $(KERNEL)) $(if $(FILTER),'$(FILTER)')

.PHONY: all modules samples test-modules modules_install clean deb deb-test demo demo-stack dist \
	vm check kunit machine \
	integration systems tools tools_install bench torture matrix coverage mutants model docs \
	htmldocs figures lint look man patch patch-test
