// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces: a map, its physical map, and what is counted beside them. Made,
 * copied at fork, replaced at exec, ended.
 *
 * A fork copies entries, not memory. What each entry's inheritance says becomes of it:
 *
 *	share	the child's entry shows the same object. If it was to be copied before
 *		the next write it is so now, so that both see the same copy
 *	copy	both entries show the same object, and both are marked: whoever writes
 *		first gets an object of its own in front of it. The parent's translations
 *		lose the right to write, which is how its next write becomes a fault
 *	none	the child has nothing there, and its size does not count it (MP-04)
 *
 * Two kinds of entries cannot wait for the first write. A wired one is not to fault,
 * so that the parent's may not become one that does. And one whose object somebody
 * else writes to without a copy of his own (shared by an earlier fork): the child
 * would see what is written after the fork, and the parent's next write would not be
 * seen by those who share with it. Their pages are copied at once.
 *
 * Then the parent's translations are copied, with both maps locked and both physical
 * maps (FA-06), so that the child need not fault for what is there.
 *
 * An object of the parent's is made shorter here, too: this is where chains grow. If
 * the object has a single backing object that nobody else uses they are merged, and
 * if the entry shows but a part of an object, whose rest other entries show, it is
 * given one of its own, so that the whole does not become everybody's backing object.
 */
#include <linux/bug.h>
#include <linux/errno.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "uma/compat.h"
#include "uma/uma.h"
#include "vmsim/collapse.h"
#include "vmsim/fault.h"
#include "vmsim/map.h"
#include "vmsim/page.h"
#include "vmsim/pmap.h"
#include "vmsim/steer.h"
#include "vmsim/vmspace.h"

static uma_zone_t vmspace_zone;

/* The most that a segment can be; MP-09: as wide as an address. */
unsigned long vm_segment_max[VM_SEG_COUNT] = {
	[VM_SEG_TEXT] = PMAP_END,
	[VM_SEG_DATA] = PMAP_END,
	[VM_SEG_STACK] = PMAP_END,
};
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_segment_max);

/**
 * vmspace_alloc() - an empty address space
 * @min: its lowest address
 * @max: the address behind the highest
 *
 * All that is counted starts at zero (MP-06).
 *
 * Context: process, may sleep.
 * Return: the space with one reference; NULL if the range is no good, or for want of
 * memory.
 */
struct vmspace *vmspace_alloc(unsigned long min, unsigned long max)
{
	struct vmspace *vm = vm_zalloc(vmspace_zone, M_ZERO);

	if (!vm)
		return NULL;
	atomic_set(&vm->vm_refcnt, 1);
	vm->vm_pmap = pmap_create();
	if (vm->vm_pmap)
		vm->vm_map = vm_map_create(vm->vm_pmap, min, max);
	if (vm->vm_map)
		return vm;
	pmap_release(vm->vm_pmap);
	uma_zfree(vmspace_zone, vm);
	return NULL;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vmspace_alloc);

/**
 * vmspace_reference() - one user more
 * @vm: the space, to which the caller has a reference
 */
void vmspace_reference(struct vmspace *vm)
{
	atomic_inc(&vm->vm_refcnt);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vmspace_reference);

/**
 * vmspace_free() - one user less; with the last one the space goes
 * @vm: the space
 *
 * Context: process, may sleep.
 */
void vmspace_free(struct vmspace *vm)
{
	if (!atomic_dec_and_test(&vm->vm_refcnt))
		return;
	/* Faults are over: only they keep a map beside its space. */
	vm_map_deallocate(vm->vm_map);
	pmap_release(vm->vm_pmap);
	uma_zfree(vmspace_zone, vm);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vmspace_free);

/**
 * vmspace_exec() - the space of a program that replaces another
 * @old: the space of the one that is replaced, which the caller frees
 * @min: the lowest address of the new one
 * @max: the address behind its highest
 *
 * Of the old one only what it has in swap is remembered (MP-06).
 *
 * Context: process, may sleep.
 * Return: the space, or NULL.
 */
struct vmspace *vmspace_exec(const struct vmspace *old, unsigned long min,
			     unsigned long max)
{
	struct vmspace *vm = vmspace_alloc(min, max);

	if (vm)
		vm->vm_swrss = old->vm_swrss;
	return vm;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vmspace_exec);

/* ---- fork --------------------------------------------------------------- */

static unsigned long size_of(const struct vm_map_entry *entry)
{
	return entry->node.end - entry->node.start;
}

/* Wait for memory with both maps locked, which page-out does not need. */
static int wait_for_memory(unsigned int *waits)
{
	return vm_wait_again(waits) && !fatal_signal_pending(current) ?
	       0 : -ENOMEM;
}

/* Whether somebody writes to the entry's object without a copy of his own. */
static bool is_shared(const struct vm_map_entry *entry)
{
	struct vm_object *object = entry->object;
	bool shared;

	if (entry->eflags & MAP_ENTRY_NEEDS_COPY)
		return false;
	vm_object_lock(object);
	shared = (object->type == OBJT_DEFAULT || object->type == OBJT_SWAP ||
		  object->type == OBJT_PHYS) &&
		 !(object->flags & OBJ_ONEMAPPING) &&
		 atomic_read(&object->ref_count) >
			 1 + READ_ONCE(object->shadow_count);
	vm_object_unlock(object);
	return shared;
}

/* Make the parent's object fit to be the end of two more chains. */
static int trim_object(struct vm_map_entry *entry)
{
	struct vm_object *object = entry->object;
	bool part;

	vm_object_lock(object);
	/* Page-out may make the first kind the second. */
	if (object->type != OBJT_DEFAULT && object->type != OBJT_SWAP) {
		vm_object_unlock(object);
		return 0;
	}
	vm_object_collapse(object);
	part = (object->flags & (OBJ_NOSPLIT | OBJ_ONEMAPPING)) ==
	       OBJ_ONEMAPPING;
	vm_object_unlock(object);
	return part ? vm_object_split(&entry->object, &entry->offset,
				      size_of(entry)) : 0;
}

/*
 * The child's entry is to show an object, too, which is locked: referenced under that
 * lock, or whoever lets go of his own reference just then would take the parent's
 * entry for the only one, and its pages for nobody else's.
 */
static void show_too(struct vm_object *object)
{
	vm_object_clear_flag(object, OBJ_ONEMAPPING);
	vm_object_reference(object);
}

/* Let both show the same object until one of them writes. */
static int copy_later(struct vm_map *map, struct vm_map_entry *src,
		      struct vm_map_entry *dst)
{
	struct vm_object *object;
	int error;

	error = trim_object(src);
	if (error)
		return error;
	object = src->object;
	vm_object_lock(object);
	show_too(object);
	/* A file, or a device, stays what the parent writes to, if it did so before. */
	if (src->eflags & MAP_ENTRY_COW || (object->type != OBJT_VNODE &&
					    object->type != OBJT_DEVICE)) {
		if (!(src->eflags & MAP_ENTRY_NEEDS_COPY))
			pmap_protect(map->pmap, src->node.start, src->node.end,
				     src->protection & ~VM_PROT_WRITE);
		src->eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	}
	vm_object_unlock(object);
	vm_steer(VM_STEER_FORK, object);
	dst->object = object;
	dst->offset = src->offset;
	dst->eflags |= MAP_ENTRY_COW | MAP_ENTRY_NEEDS_COPY;
	return 0;
}

/* Fill the child's entry, which has no object yet, as its parent's is. */
static int copy_entry(struct vm_map *new_map, struct vm_map *map,
		      struct vm_map_entry *src, struct vm_map_entry *dst)
{
	if (!src->object)
		return 0;
	if (src->wired_count || is_shared(src))
		return vm_fault_copy_entry(new_map, dst, src);
	return copy_later(map, src, dst);
}

static int share_entry(struct vm_map_entry *src, struct vm_map_entry *dst)
{
	struct vm_object *object;
	int error;

	if (!src->object || src->eflags & MAP_ENTRY_NEEDS_COPY) {
		error = vm_map_entry_own_object(src);
		if (error)
			return error;
	}
	object = src->object;
	vm_object_lock(object);
	show_too(object);
	vm_object_unlock(object);
	vm_steer(VM_STEER_FORK, object);
	dst->object = object;
	dst->offset = src->offset;
	dst->eflags |= src->eflags & MAP_ENTRY_COW;
	return 0;
}

/* Flags that a child's entry has from the start. */
#define INHERITED_FLAGS		(MAP_ENTRY_NOSYNC | MAP_ENTRY_NOFAULT)

/* One entry of the parent's; both maps are locked. */
static int fork_entry(struct vm_map *new_map, struct vm_map *map,
		      struct vm_map_entry *src, struct vm_map_entry *dst)
{
	unsigned int waits = 0;
	int error;

	*dst = (struct vm_map_entry) {
		.node = { .start = src->node.start, .end = src->node.end },
		.eflags = src->eflags & INHERITED_FLAGS,
		.protection = src->protection,
		.max_protection = src->max_protection,
		.inheritance = src->inheritance,
		.advice = src->advice,
	};
	/* Whatever is not mapped cannot be shown, shared or copied. */
	do {
		if (src->eflags & MAP_ENTRY_NOFAULT)
			error = 0;
		else if (src->inheritance == VM_INHERIT_SHARE)
			error = share_entry(src, dst);
		else
			error = copy_entry(new_map, map, src, dst);
	} while (error == -ENOMEM && !wait_for_memory(&waits));
	if (error)
		return error;
	vm_map_tree_insert(&new_map->tree, &dst->node);
	new_map->size += size_of(dst);
	/*
	 * But not a right to write that the child has to ask for, and nothing where the
	 * child has pages of its own: what is missing there comes with a fault.
	 */
	if (dst->object && dst->object == src->object &&
	    (src->eflags & MAP_ENTRY_NEEDS_COPY ||
	     !(dst->eflags & MAP_ENTRY_NEEDS_COPY)))
		pmap_copy(new_map->pmap, map->pmap, dst->node.start,
			  size_of(dst), src->node.start);
	return 0;
}

/* All entries that the child inherits; both maps are locked. */
static int fork_entries(struct vm_map *new_map, struct vm_map *map)
{
	struct vm_map_entry *src = NULL, *dst;
	int error = 0;

	while (!error && (src = vm_map_next(map, src))) {
		/* Not counted in the child's size either (MP-04). */
		if (src->inheritance == VM_INHERIT_NONE)
			continue;
		/* The kernel's are the kernel's. */
		if (src->eflags & MAP_ENTRY_IS_SUB_MAP)
			continue;
		dst = vm_map_entry_take(new_map);
		error = fork_entry(new_map, map, src, dst);
		if (error)
			vm_map_entry_dispose(new_map, dst);
		cond_resched();
	}
	return error;
}

/*
 * Lock the parent's map, with as many entries in the child's hand as it has, and those
 * with which the child can begin to unmap.
 */
static int lock_both(struct vm_map *map, struct vm_map *new_map)
{
	unsigned long want;
	int error;

	for (;;) {
		vm_map_lock_nocut(map);
		want = map->tree.count + VM_MAP_SPARES;
		if (new_map->nspare >= want)
			break;
		vm_map_unlock(map);
		error = vm_map_reserve(new_map, want);
		if (error)
			return error;
	}
	down_write_nested(&new_map->lock, SINGLE_DEPTH_NESTING);
	return 0;
}

/**
 * vmspace_fork() - a child's space
 * @vm: the parent's
 *
 * Context: process, may sleep.
 * Return: the space, or an ERR_PTR().
 */
struct vmspace *vmspace_fork(struct vmspace *vm)
{
	struct vm_map *map = vm->vm_map, *new_map;
	struct vmspace *child;
	int error;

	child = vmspace_alloc(vm_map_min(map), vm_map_max(map));
	if (!child)
		return ERR_PTR(-ENOMEM);
	new_map = child->vm_map;
	error = lock_both(map, new_map);
	if (error)
		goto fail;
	error = fork_entries(new_map, map);
	child->vm_swrss = vm->vm_swrss;
	memcpy(child->vm_segment, vm->vm_segment, sizeof(vm->vm_segment));
	up_write(&new_map->lock);
	vm_map_unlock(map);
	if (!error)
		return child;
fail:
	vmspace_free(child);
	return ERR_PTR(error);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vmspace_fork);

/* ---- segments ----------------------------------------------------------- */

/**
 * vmspace_grow() - map more of a segment
 * @vm: the space
 * @segment: which one
 * @addr: where, a multiple of the page size
 * @size: bytes, the same
 *
 * Context: process, may sleep.
 * Return: 0; -ENOMEM if the segment would become larger than it may; or what
 * vm_map_find() says.
 */
int vmspace_grow(struct vmspace *vm, enum vm_segment segment,
		 unsigned long addr, unsigned long size)
{
	u8 prot = segment == VM_SEG_TEXT ? VM_PROT_READ | VM_PROT_EXECUTE :
				       VM_PROT_RW;
	unsigned long *now = &vm->vm_segment[segment];
	unsigned long max = READ_ONCE(vm_segment_max[segment]);
	int error;

	vm_map_lock(vm->vm_map);
	if (size > max || *now > max - size)
		error = -ENOMEM;
	else if (addr + size < addr)
		error = -EINVAL;
	else
		error = vm_map_insert(vm->vm_map, NULL, 0, addr, addr + size,
				      prot, VM_PROT_ALL, 0);
	if (!error)
		*now += size;
	vm_map_unlock(vm->vm_map);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vmspace_grow);

/**
 * vmspace_startup() - the zone that spaces come from
 *
 * Return: 0 or -ENOMEM.
 */
int vmspace_startup(void)
{
	vmspace_zone = uma_zcreate("VMSPACE", sizeof(struct vmspace), NULL,
				   NULL, NULL, NULL, UMA_ALIGN_PTR, UMA_ZONE_VM);
	return vmspace_zone ? 0 : -ENOMEM;
}

/**
 * vmspace_shutdown() - the end; no space is left
 */
void vmspace_shutdown(void)
{
	uma_zdestroy(vmspace_zone);
	vmspace_zone = NULL;
}
