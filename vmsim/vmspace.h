/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address spaces: what a process has, or a client of ours.
 */
#ifndef _VMSIM_VMSPACE_H
#define _VMSIM_VMSPACE_H

#include <linux/atomic.h>

struct pmap;
struct vm_map;

/* The parts of a program that have limits of their own. */
enum vm_segment { VM_SEG_TEXT, VM_SEG_DATA, VM_SEG_STACK, VM_SEG_COUNT };

/**
 * struct vmspace - an address space
 * @vm_map: what is where
 * @vm_pmap: its translations
 * @vm_refcnt: users
 * @vm_swrss: pages that were resident before the space was swapped out; all that an
 *	exec keeps
 * @vm_segment: bytes of each segment; the map's lock
 */
struct vmspace {
	struct vm_map *vm_map;
	struct pmap *vm_pmap;
	atomic_t vm_refcnt;
	unsigned long vm_swrss;
	unsigned long vm_segment[VM_SEG_COUNT];
};

extern unsigned long vm_segment_max[VM_SEG_COUNT];

struct vmspace *vmspace_alloc(unsigned long min, unsigned long max);
void vmspace_reference(struct vmspace *vm);
void vmspace_free(struct vmspace *vm);
struct vmspace *vmspace_exec(const struct vmspace *old, unsigned long min,
			     unsigned long max);
struct vmspace *vmspace_fork(struct vmspace *vm);
int vmspace_grow(struct vmspace *vm, enum vm_segment segment,
		 unsigned long addr, unsigned long size);

int vmspace_startup(void);
void vmspace_shutdown(void);

#endif /* _VMSIM_VMSPACE_H */
