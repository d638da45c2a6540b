/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mapping things into a map, by what they are.
 */
#ifndef _VMSIM_MMAP_H
#define _VMSIM_MMAP_H

#include "vmsim/object.h"

struct vm_map;

/* How; what is not shared is private: a write makes a copy. */
#define VM_MMAP_SHARED		0x0001
#define VM_MMAP_FIXED		0x0010	/* there, and what is there goes */

/**
 * struct vm_mmap - a mapping that is asked for
 * @addr: where; without VM_MMAP_FIXED not below that, and where it is afterwards
 * @size: bytes; the last page is mapped wholly
 * @prot: the rights
 * @max: the most that they can become
 * @flags: VM_MMAP_*
 * @type: what is mapped: OBJT_DEFAULT for zeroes, OBJT_VNODE for a file,
 *	OBJT_DEVICE for a device's memory, OBJT_PHYS
 * @handle: what the pager of that kind knows it by: a struct file, a struct
 *	vm_device; else NULL
 * @handle_size: its bytes, of which the caller is sure (PA-05)
 * @offset: where in it the mapping begins, in bytes, a multiple of the page size
 */
struct vm_mmap {
	unsigned long addr;
	unsigned long size;
	u8 prot;
	u8 max;
	int flags;
	enum vm_object_type type;
	void *handle;
	u64 handle_size;
	u64 offset;
};

/**
 * typedef vm_mmap_policy - may this file be mapped so?
 * @req: what is asked for: the handle, the rights, and all flags
 *
 * Called for each mapping of a file, shared or not, with no lock of the VM held.
 *
 * Return: 0, or an errno that refuses it.
 */
typedef int (*vm_mmap_policy)(const struct vm_mmap *req);

void vm_mmap_set_policy(vm_mmap_policy policy);
int vm_map_place(struct vm_map *map, const struct vm_mmap *req,
		 struct vm_object *object, unsigned long size, int cow,
		 unsigned long *addr);
int vm_map_mmap(struct vm_map *map, struct vm_mmap *req);

#endif /* _VMSIM_MMAP_H */
