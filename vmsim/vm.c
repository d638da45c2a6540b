// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM's start and end: the order of its files, nothing else.
 */
#include "vmsim/contig_int.h"
#include "vmsim/kmem.h"
#include "vmsim/map.h"
#include "vmsim/object.h"
#include "vmsim/page.h"
#include "vmsim/pageout.h"
#include "vmsim/pagezero.h"
#include "vmsim/pagers.h"
#include "vmsim/pmap.h"
#include "vmsim/sleepq.h"
#include "vmsim/vm.h"
#include "vmsim/vmspace.h"

/**
 * vm_startup() - get the VM ready, once there are zones
 *
 * Context: process context, may sleep.
 * Return: 0, or an errno with nothing left behind.
 */
int vm_startup(void)
{
	int error;

	vm_sleepq_startup();
	vm_page_startup();
	error = pmap_startup();
	if (error)
		goto fail_page;
	error = vm_object_startup();
	if (error)
		goto fail_pmap;
	error = vm_pager_startup();
	if (error)
		goto fail_object;
	error = vm_map_startup();
	if (error)
		goto fail_pager;
	error = vmspace_startup();
	if (error)
		goto fail_map;
	error = kmem_startup();
	if (error)
		goto fail_vmspace;
	error = vm_pageout_startup();
	if (error)
		goto fail_kmem;
	error = vm_pagezero_startup();
	if (error)
		goto fail_pageout;
	contig_startup();
	return 0;

fail_pageout:
	vm_pageout_shutdown();
fail_kmem:
	kmem_shutdown();
fail_vmspace:
	vmspace_shutdown();
fail_map:
	vm_map_shutdown();
fail_pager:
	vm_pager_shutdown();
fail_object:
	vm_object_shutdown();
fail_pmap:
	pmap_shutdown();
fail_page:
	vm_page_shutdown();
	return error;
}

/**
 * vm_shutdown() - the end of it; no address space is left
 *
 * Context: process context, may sleep.
 */
void vm_shutdown(void)
{
	contig_shutdown();
	contig_map_shutdown();
	vm_pagezero_shutdown();
	vm_pageout_shutdown();
	kmem_shutdown();
	vmspace_shutdown();
	vm_map_shutdown();
	vm_pager_shutdown();
	vm_object_shutdown();
	pmap_shutdown();
	vm_page_shutdown();
}
