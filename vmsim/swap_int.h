/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What pager_swap.c lets swapoff.c see of its metadata.
 */
#ifndef _VMSIM_SWAP_INT_H
#define _VMSIM_SWAP_INT_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/xarray.h>

struct vm_object;

/**
 * struct swap_object - what swap knows of an object
 * @link: among all; vm_swap_lock
 * @object: the object, constant
 * @nodes: by index / NODE_INDICES; the object's lock
 */
struct swap_object {
	struct list_head link;
	struct vm_object *object;
	struct xarray nodes;
};

extern struct list_head vm_swap_objects;

bool vm_swap_next(struct vm_object *object, u64 *pindex, u64 *blk);
void vm_swap_forget(struct vm_object *object, u64 pindex);

#endif /* _VMSIM_SWAP_INT_H */
