# SPDX-License-Identifier: GPL-2.0-only
#
# For a user with a test machine: `make`, `make install`, `insmod uma.ko`.
# The rest are short names for the scripts, which do their work in virtual
# machines and never touch this machine's kernel.
#
#	KDIR	the kernel to build for (the running one)
#	PREFIX	where umastat goes (/usr/local), below DESTDIR

KDIR	?= /lib/modules/$(shell uname -r)/build
PREFIX	?= /usr/local
PWD	:= $(CURDIR)

HOSTCFLAGS ?= -O2 -Wall -Wextra

# Arguments for the scripts: make run ARGS=6.1, make test ARGS=zone
ARGS	?=

all: modules umastat

modules:
	$(MAKE) -C $(KDIR) M=$(PWD) modules

umastat: scripts/umastat.c scripts/umastat_stream.c scripts/umastat_stream.h uma/uma_stream.h
	$(CC) $(HOSTCFLAGS) -I$(PWD) -o $@ $(filter %.c,$^)

install: all
	$(MAKE) -C $(KDIR) M=$(PWD) $(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR)) modules_install
	install -D -m 0755 umastat $(DESTDIR)$(PREFIX)/bin/umastat

clean:
	$(MAKE) -C $(KDIR) M=$(PWD) UMA_TESTS=m clean
	rm -f umastat

# W=1 for both Debian kernels, sparse, checkpatch --strict; in copies
check:
	scripts/test --static

run test soak bench shell:
	scripts/$@ $(ARGS)

.PHONY: all modules install clean check run test soak bench shell
