/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults: an access that the physical map could not answer.
 */
#ifndef _VMSIM_FAULT_H
#define _VMSIM_FAULT_H

#include <linux/types.h>

struct vm_map;
struct vm_map_entry;

#define VM_FAULT_NORMAL		0x0
#define VM_FAULT_CHANGE_WIRING	0x1	/* the page is being wired */
#define VM_FAULT_USER_WIRE	0x2	/* the same, for the user: respect protection */
#define VM_FAULT_DIRTY		0x8	/* mark it dirty at once */

int vm_fault(struct vm_map *map, unsigned long va, u8 fault_type, int flags);
int vm_fault_wire(struct vm_map *map, unsigned long start, unsigned long end,
		  bool user_wire, bool fictitious);
void vm_fault_unwire(struct vm_map *map, unsigned long start, unsigned long end,
		     bool fictitious);
int vm_fault_copy_entry(struct vm_map *dst_map, struct vm_map *src_map,
			struct vm_map_entry *dst_entry,
			struct vm_map_entry *src_entry);

#endif /* _VMSIM_FAULT_H */
