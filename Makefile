# SPDX-License-Identifier: GPL-2.0-only
#
# For a user with a test machine: `make`, `make install`, `modprobe uma`.
# The rest are short names for the scripts, which do their work in virtual
# machines and never touch this machine's kernel.
#
#	KDIR	the kernel to build for (the running one)
#	PREFIX	where all but the module goes (/usr/local)
#	DESTDIR	a folder to install below, as packages are made

KDIR	?= /lib/modules/$(shell uname -r)/build
PREFIX	?= /usr/local
PWD	:= $(CURDIR)

HOSTCFLAGS ?= -O2 -Wall -Wextra
INSTALL	?= install

# Arguments for the scripts: make run ARGS=6.1, make test ARGS=zone
ARGS	?=

# What other modules include, and what user programs do
kernel-headers := uma/uma.h uma/mbuf.h vmsim/contig.h
user-headers := uma/uma_stream.h
vm-headers := vmsim/vmsim_ctl.h
pages	:= man/uma.9 man/uma_malloc.9 man/contigmalloc.9 man/mbuf.9 man/memguard.9 man/vmsim.4 man/umastat.8 man/vmsimctl.8

umastat-sources := scripts/umastat.c scripts/umastat_stream.c
umastat-headers := scripts/umastat_stream.h $(user-headers)

# Not all headers' `make kernelrelease` gives what uname will say
release	= $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(KDIR)/include/generated/utsrelease.h)
moddir	= $(DESTDIR)/lib/modules/$(release)
# A distribution's headers want the module signed, without the key for it
key	= $(shell sed -n 's/^CONFIG_MODULE_SIG_KEY="*\([^"]*\)"*/\1/p' $(KDIR)/include/config/auto.conf)
unsigned = $(if $(filter pkcs11:%,$(key))$(wildcard $(KDIR)/$(key) $(filter /%,$(key))),,CONFIG_MODULE_SIG_ALL=)
bindir	= $(DESTDIR)$(PREFIX)/bin
incdir	= $(DESTDIR)$(PREFIX)/include/uma
libdir	= $(DESTDIR)$(PREFIX)/lib/uma
mandir	= $(DESTDIR)$(PREFIX)/share/man

# names PAGE: what else the page is called, from its NAME section
names	= $(filter-out $(basename $(notdir $(1))),$(shell sed -n \
	'/^\.Sh NAME/,/^\.Nd/s/^\.Nm \([a-zA-Z0-9_]*\).*/\1/p' $(1)))
# page PAGE: where it goes; links PAGE: and those that only point at it
page	= $(mandir)/man$(patsubst .%,%,$(suffix $(1)))/$(notdir $(1))
links	= $(patsubst %,$(dir $(call page,$(1)))%$(suffix $(1)),$(call names,$(1)))

all: modules umastat vmsimctl

modules:
	$(MAKE) -C $(KDIR) M=$(PWD) modules

umastat: $(umastat-sources) $(umastat-headers)
	$(CC) $(HOSTCFLAGS) -I$(PWD) -o $@ $(umastat-sources)

vmsimctl: scripts/vmsimctl.c $(vm-headers)
	$(CC) $(HOSTCFLAGS) -I$(PWD) -o $@ $< -lpthread

# With DESTDIR, depmod is left to who puts the tree in its place
install: install-module install-devel install-tools

install-module: modules
	$(MAKE) -C $(KDIR) M=$(PWD) INSTALL_MOD_PATH=$(DESTDIR) INSTALL_MOD_DIR=updates \
		$(unsigned) modules_install
	$(if $(DESTDIR),,depmod -a $(release))

# All that a module outside this tree needs: see uma/uma.mk
install-devel: modules
	$(INSTALL) -d $(libdir)/include/uma $(libdir)/include/vmsim $(libdir)/$(release) $(incdir)
	$(INSTALL) -m 0644 $(filter uma/%,$(kernel-headers) $(user-headers)) $(libdir)/include/uma
	$(INSTALL) -m 0644 $(filter vmsim/%,$(kernel-headers)) $(libdir)/include/vmsim
	$(INSTALL) -m 0644 $(user-headers) $(vm-headers) $(incdir)
	$(INSTALL) -m 0644 uma/uma.mk $(libdir)
	$(INSTALL) -m 0644 Module.symvers $(libdir)/$(release)

install-tools: umastat vmsimctl
	$(INSTALL) -D -m 0755 umastat $(bindir)/umastat
	$(INSTALL) -D -m 0755 vmsimctl $(bindir)/vmsimctl
	$(foreach p,$(pages),$(call install-page,$(p)))

define install-page
	$(INSTALL) -D -m 0644 $(1) $(call page,$(1))
	@for link in $(call links,$(1)); do \
		echo '.so man$(patsubst .%,%,$(suffix $(1)))/$(notdir $(1))' >$$link && chmod 644 $$link || exit; \
	done

endef

# The module and its symbols go for KDIR's kernel only, the rest for all
uninstall:
	rm -f $(moddir)/updates/uma.ko $(moddir)/updates/uma.ko.*
	rm -f $(addprefix $(libdir)/include/,$(kernel-headers) $(user-headers))
	rm -f $(addprefix $(incdir)/,$(notdir $(user-headers) $(vm-headers)))
	rm -f $(libdir)/uma.mk $(libdir)/$(release)/Module.symvers $(bindir)/umastat $(bindir)/vmsimctl
	rm -f $(foreach p,$(pages),$(call page,$(p)) $(call links,$(p)))
	-rmdir $(libdir)/include/uma $(libdir)/include/vmsim $(libdir)/include $(libdir)/$(release) $(libdir) $(incdir)
	$(if $(DESTDIR),,depmod -a $(release))

clean:
	$(MAKE) -C $(KDIR) M=$(PWD) UMA_TESTS=m clean
	rm -f umastat vmsimctl

# W=1 for both Debian kernels, sparse, checkpatch --strict; in copies
check:
	scripts/test --static

run test soak bench shell:
	scripts/$@ $(ARGS)

.PHONY: all modules install install-module install-devel install-tools uninstall
.PHONY: clean check run test soak bench shell
