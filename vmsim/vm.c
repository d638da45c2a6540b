// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM's start and end: the order of its files, nothing else.
 */
#include "vmsim/page.h"
#include "vmsim/sleepq.h"
#include "vmsim/vm.h"

/**
 * vm_startup() - get the VM ready, once there are zones
 *
 * Context: process context, may sleep.
 * Return: 0, or an errno with nothing left behind.
 */
int vm_startup(void)
{
	vm_sleepq_startup();
	return vm_page_startup();
}

/**
 * vm_shutdown() - the end of it; no address space is left
 *
 * Context: process context, may sleep.
 */
void vm_shutdown(void)
{
	vm_page_shutdown();
}
