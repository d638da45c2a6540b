/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What object.c, collapse.c and split.c share and nobody else needs.
 */
#ifndef _VMSIM_OBJECT_INT_H
#define _VMSIM_OBJECT_INT_H

#include <linux/lockdep.h>
#include <linux/spinlock.h>

#include "vmsim/object.h"

/*
 * The shadow lists of all objects: @shadow_head, @shadow_list, @shadow_count. Below
 * the objects' locks; under it those are only tried.
 */
extern spinlock_t vm_shadow_lock;

void vm_object_link_shadow(struct vm_object *object, struct vm_object *backing);
void vm_object_destroy(struct vm_object *object);

/* Memory that nobody knows by a name: it can be merged, cut and thrown away. */
static inline bool vm_object_is_anonymous(const struct vm_object *object)
{
	return !object->handle &&
	       (object->type == OBJT_DEFAULT || object->type == OBJT_SWAP);
}

/* The one above it was unlocked: for lockdep it is no lower one any more. */
static inline void vm_object_lock_becomes_upper(struct vm_object *object)
{
	lock_set_subclass(&object->lock.dep_map, VM_OBJECT_UPPER, _RET_IP_);
}

#endif /* _VMSIM_OBJECT_INT_H */
