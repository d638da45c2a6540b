/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's map, and the submaps that parts of the kernel have of it.
 */
#ifndef _VMSIM_KMEM_H
#define _VMSIM_KMEM_H

struct vm_map;

extern struct vm_map *vm_kernel_map;
extern struct vm_map *vm_exec_map;

/* Bytes that an exec needs for its arguments: what one entry of the map is for. */
#define VM_EXEC_BYTES		(256UL << 10)

struct vm_map *kmem_suballoc(struct vm_map *parent, unsigned long size,
			     unsigned int max_entries);
int kmem_alloc_wait(struct vm_map *map, unsigned long size, int flags,
		    unsigned long *addr);
void kmem_free_wakeup(struct vm_map *map, unsigned long addr,
		      unsigned long size);

int kmem_startup(void);
void kmem_shutdown(void);

#endif /* _VMSIM_KMEM_H */
