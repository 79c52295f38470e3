# SPDX-License-Identifier: GPL-2.0-only
# The Makefile of the headers in a root of the cache, see root.sh. make runs in a mount namespace
# where the root's /usr covers the machine's: the kernel's own compiler builds, and the paths in
# Debian's Makefile are right.
goals := $(or $(MAKECMDGOALS),all)

ifneq ($(filter /usr/%,$(M)),)
$(error nmr: $(M) cannot be seen there, as this kernel is compiled with a /usr of its own: use a folder \
	outside /usr)
endif

.PHONY: $(goals) enter
$(goals): enter ;
enter:
	+@unshare --mount $(if $(filter 0,$(shell id -u)),,--map-root-user) sh -c \
		'mount --bind "$$0" /usr && cd "/usr/src/$(notdir $(CURDIR))" && exec "$$@"' \
		'$(abspath $(CURDIR)/../..)' \
		env -u LC_CTYPE LC_ALL=C LANG=C $(MAKE) -f Makefile.debian $(MAKECMDGOALS)
