/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Chains of objects get shorter: releasing, collapse, bypass. And objects are cut
 * and joined as the mappings that show them are (split.c).
 */
#ifndef _VMSIM_COLLAPSE_H
#define _VMSIM_COLLAPSE_H

#include <linux/types.h>

struct vm_object;

/*
 * collapse.c. Both may sleep. vm_object_deallocate() is called without any object's
 * lock; vm_object_collapse() with that of the object, to which the caller has a
 * reference, in which he has nothing busy and no paging in progress; the lock may be
 * dropped in between and is held on return.
 */
void vm_object_deallocate(struct vm_object *object);
void vm_object_collapse(struct vm_object *object);
unsigned int vm_object_chain_length(struct vm_object *object);

/* split.c */
int vm_object_split(struct vm_object **object, u64 *offset, u64 size);
bool vm_object_coalesce(struct vm_object *prev, u64 prev_offset, u64 prev_size,
			u64 next_size);

#endif /* _VMSIM_COLLAPSE_H */
