/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults: an access that the physical map could not answer. And the client's side of
 * it: accesses that fault only when they must.
 */
#ifndef _VMSIM_FAULT_H
#define _VMSIM_FAULT_H

#include <linux/types.h>

struct vm_map;
struct vm_map_entry;

#define VM_FAULT_NORMAL		0x0
#define VM_FAULT_WIRE		0x1	/* the page is being wired */
#define VM_FAULT_DIRTY		0x8	/* mark it dirty at once */

/* How the contents came; the tracepoint tells. */
#define VM_FAULT_FOUND		0	/* resident */
#define VM_FAULT_ZERO		1	/* nobody had them: zeroes */
#define VM_FAULT_READ		2	/* from a pager */
#define VM_FAULT_COPIED		3	/* from further down the chain */
#define VM_FAULT_MOVED		4	/* from there, and nobody else wants them */

int vm_fault(struct vm_map *map, unsigned long va, u8 fault_type, int flags);
int vm_fault_wire(struct vm_map *map, unsigned long start, unsigned long end,
		  unsigned long *done);
int vm_fault_copy_entry(struct vm_map *dst_map, struct vm_map_entry *dst,
			const struct vm_map_entry *src);
int vm_access(struct vm_map *map, unsigned long va, void *buf, size_t len,
	      u8 access, size_t *done);

#endif /* _VMSIM_FAULT_H */
