/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * contigmalloc(9) for Linux: memory that is one piece, physically, for devices that
 * know no other. Names, arguments and meanings are those of the BSD manual page.
 *
 * Other modules include this file; so it needs nothing but uma/uma.h. What the module
 * itself uses besides is in vmsim/contig_int.h.
 */
#ifndef _VMSIM_CONTIG_H
#define _VMSIM_CONTIG_H

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/types.h>
#include <linux/vmalloc.h>

#include "uma/uma.h"

struct vm_page;

typedef phys_addr_t vm_paddr_t;

void *contigmalloc(unsigned long size, struct malloc_type *type, int flags,
		   vm_paddr_t low, vm_paddr_t high, unsigned long alignment,
		   vm_paddr_t boundary);
void contigfree(void *addr, unsigned long size, struct malloc_type *type);

struct vm_page *vm_page_alloc_contig(unsigned long npages, vm_paddr_t low,
				     vm_paddr_t high, unsigned long alignment,
				     vm_paddr_t boundary);
void vm_page_release_contig(struct vm_page *m, unsigned long npages);
vm_paddr_t vm_page_to_phys(const struct vm_page *m);

/**
 * vtophys() - the physical address of memory from contigmalloc()
 * @va: an address in it
 *
 * Context: any.
 * Return: the address.
 */
static inline vm_paddr_t vtophys(const void *va)
{
	if (is_vmalloc_addr(va))
		return ((vm_paddr_t)vmalloc_to_pfn(va) << PAGE_SHIFT) +
		       offset_in_page(va);
	return virt_to_phys((void *)va);
}

#endif /* _VMSIM_CONTIG_H */
