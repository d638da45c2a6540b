# SPDX-License-Identifier: GPL-2.0-only
#
# For the Kbuild of a module that uses uma.ko, once `make install` has put this
# file, the headers and the symbols in their places:
#
#	obj-m := demo.o
#	include /usr/local/lib/uma/uma.mk
#
# The symbols are those of the uma.ko that was installed for the same kernel.

uma-dir := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
uma-symbols := $(uma-dir)/$(KERNELRELEASE)/Module.symvers

ifeq ($(wildcard $(uma-symbols)),)
$(warning uma: `make install` was not run for Linux $(KERNELRELEASE): no $(uma-symbols))
endif

subdir-ccflags-y += -I$(uma-dir)/include
KBUILD_EXTRA_SYMBOLS += $(uma-symbols)
