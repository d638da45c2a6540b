// SPDX-License-Identifier: GPL-2.0-only
/*
 * All pagers: which there are, and their start and end.
 */
#include <linux/kernel.h>

#include "vmsim/backing.h"
#include "vmsim/pager.h"
#include "vmsim/pagers.h"

static const struct {
	enum vm_object_type type;
	const struct vm_pager_ops *ops;
	int (*startup)(void);
	void (*shutdown)(void);
} pagers[] = {
	{ OBJT_SWAP, &vm_swap_pager, vm_swap_startup, vm_swap_shutdown },
	{ OBJT_DEFAULT, &vm_default_pager },
	{ OBJT_VNODE, &vm_file_pager, vm_file_startup, vm_file_shutdown },
	{ OBJT_DEVICE, &vm_device_pager, vm_device_startup,
	  vm_device_shutdown },
	{ OBJT_PHYS, &vm_phys_pager },
};

static void stop_pagers(unsigned int n)
{
	while (n--) {
		vm_pager_unregister(pagers[n].type);
		if (pagers[n].shutdown)
			pagers[n].shutdown();
	}
}

/**
 * vm_pager_startup() - get the workers and all pagers ready
 *
 * Context: process context, at load, when there are objects.
 * Return: 0, or an errno with nothing left behind.
 */
int vm_pager_startup(void)
{
	unsigned int i;
	int error;

	vm_fail_io_startup();
	error = vm_io_startup();
	if (error)
		return error;
	error = vm_buf_startup();
	if (error)
		goto fail_io;
	for (i = 0; i < ARRAY_SIZE(pagers); i++) {
		error = vm_pager_register(pagers[i].type, pagers[i].ops);
		if (!error && pagers[i].startup) {
			error = pagers[i].startup();
			if (error)
				vm_pager_unregister(pagers[i].type);
		}
		if (error)
			goto fail_pagers;
	}
	return 0;

fail_pagers:
	stop_pagers(i);
	vm_buf_shutdown();
fail_io:
	vm_io_shutdown();
	return error;
}

/**
 * vm_pager_shutdown() - the end of pagers; no object is left
 *
 * Context: process context, may sleep.
 */
void vm_pager_shutdown(void)
{
	stop_pagers(ARRAY_SIZE(pagers));
	vm_io_shutdown();
	vm_buf_shutdown();
}
