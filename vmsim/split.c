// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects cut and joined as the mappings are that show them (OB-09).
 *
 * A mapping that is clipped goes on showing a part of the object that the whole one
 * showed: that costs nothing, and is right. It is a waste where the rest of the object
 * is in nobody's sight any more, or where the part is about to be copied and the
 * whole would become the lower end of a chain. So a part that nobody else
 * shows can have an object of its own. The other way round, a mapping that is
 * extended shows more of the same object instead of a second one, if nothing is in
 * the way behind the part that it shows.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": vm: " fmt

#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/xarray.h>

#include "uma/compat.h"
#include "vmsim/collapse.h"
#include "vmsim/object.h"
#include "vmsim/object_int.h"
#include "vmsim/page.h"
#include "vmsim/pager.h"
#include "vmsim/sleepq.h"
#include "vmsim/vm.h"

/* Whether a part of an object, locked, is worth one of its own. */
static bool can_split(const struct vm_object *object)
{
	return vm_object_is_anonymous(object) &&
	       object->flags & OBJ_ONEMAPPING &&
	       !(object->flags & (OBJ_NOSPLIT | OBJ_DEAD)) &&
	       atomic_read(&object->ref_count) > 1;
}

/*
 * Wait until what @object, locked, shadows is not being merged into it: until then
 * that is nothing to shadow.
 */
static void wait_for_merge(struct vm_object *object)
{
	struct vm_object *backing;

	while ((backing = object->backing_object)) {
		vm_object_lock_backing(backing);
		if (!(backing->flags & OBJ_DEAD)) {
			vm_object_unlock(backing);
			return;
		}
		vm_object_unlock(object);
		vm_object_wait_dead(backing);
		vm_object_lock(object);
	}
}

/* Let the new object, which nobody knows, shadow what @object, locked, shadows. */
static void share_backing(struct vm_object *part, struct vm_object *object,
			  u64 offset)
{
	struct vm_object *backing = object->backing_object;

	part->flags |= object->flags & OBJ_LOCKING;
	if (!backing)
		return;
	vm_object_lock_backing(backing);
	vm_object_reference(backing);
	vm_object_clear_flag(backing, OBJ_ONEMAPPING);
	part->backing_offset = object->backing_offset + offset;
	vm_object_link_shadow(part, backing);
	vm_object_unlock(backing);
}

/* Let others go on for a moment. Both are locked, and again on return. */
static void wait_for_memory(struct vm_object *object, struct vm_object *part)
{
	vm_object_unlock(part);
	vm_object_unlock(object);
	schedule_timeout_idle(1);
	vm_object_lock(object);
	vm_object_lock_backing(part);
}

/* Move the pages of a range. Both are locked; the locks may be dropped in between. */
static void move_pages_of(struct vm_object *object, struct vm_object *part,
			  u64 start)
{
	u64 end = start + part->size;
	unsigned long index = start;
	struct vm_page *m;

	while ((m = xa_find(&object->pages, &index, end - 1, XA_PRESENT))) {
		if (vm_page_is_busy(m)) {
			vm_object_unlock(part);
			vm_page_sleep_if_busy(m, object, true);
			vm_object_lock_backing(part);
			index = start;
		} else if (vm_page_rename(m, part, m->pindex - start)) {
			wait_for_memory(object, part);
			index = start;
		}
	}
}

/* Move a range, and what the pager has of it; as above. */
static void move_range(struct vm_object *object, struct vm_object *part,
		       u64 start)
{
	for (;;) {
		move_pages_of(object, part, start);
		if (!object->ops || !object->ops->copy ||
		    !object->ops->copy(object, part, start, false))
			return;
		wait_for_memory(object, part);
	}
}

/**
 * vm_object_split() - give a part of an object one of its own
 * @object: the object that a mapping shows, of which the mapping has one of several
 *	references; replaced by the new one, with one reference, and the one to the old
 *	is let go of
 * @offset: where in it the mapping begins, in bytes; replaced
 * @size: bytes of the mapping
 *
 * Nothing is done where there is nothing to win: if pages are shown more than once,
 * or the object is not anonymous, or the mapping its only user.
 *
 * Context: process context; the map's lock is held for writing, no object's. May
 * sleep, but does not wait for memory.
 * Return: 0 or -ENOMEM, with nothing done.
 */
int vm_object_split(struct vm_object **object, u64 *offset, u64 size)
{
	struct vm_object *orig = *object, *part;

	part = vm_object_allocate(OBJT_DEFAULT, vm_atop(size));
	if (!part)
		return -ENOMEM;
	vm_object_lock(orig);
	/* Who is paging may be merging, or know pages by their indices. */
	vm_object_pip_wait(orig);
	wait_for_merge(orig);
	if (!size || !can_split(orig)) {
		vm_object_unlock(orig);
		vm_object_deallocate(part);
		return 0;
	}
	vm_object_pip_add(orig, 1);
	/*
	 * So that nobody merges it with anything while it is being filled. Who goes through
	 * all objects may have come to it by now, and be paging in it, too.
	 */
	vm_object_lock_backing(part);
	vm_object_pip_add(part, 1);
	vm_object_unlock(part);
	share_backing(part, orig, *offset);
	vm_object_lock_backing(part);
	move_range(orig, part, vm_atop(*offset));
	vm_object_pip_wakeup(part, 1);
	vm_object_unlock(part);
	vm_object_pip_wakeup(orig, 1);
	vm_object_unlock(orig);
	vm_object_deallocate(orig);
	*object = part;
	*offset = 0;
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_split);

/**
 * vm_object_coalesce() - can a mapping be extended instead of a second one made?
 * @prev: the object that the mapping shows, referenced by it, not locked; NULL if it
 *	shows none as yet
 * @prev_offset: where in it the mapping begins, in bytes
 * @prev_size: bytes of the mapping
 * @next_size: bytes by which it is to grow
 *
 * If so, the object reaches that far on return, with nothing in the new part.
 *
 * Context: process context; the map's lock is held for writing, no object's. May
 * sleep.
 * Return: whether.
 */
bool vm_object_coalesce(struct vm_object *prev, u64 prev_offset, u64 prev_size,
			u64 next_size)
{
	u64 next = vm_atop(prev_offset + prev_size);
	u64 end = next + vm_atop(next_size);
	bool can;

	if (!prev)
		return true;
	vm_object_lock(prev);
	if (vm_object_is_anonymous(prev))
		vm_object_collapse(prev);
	/*
	 * What lies below would be seen in the new part, and what others put behind the
	 * mapping's end is theirs, unless nobody shows anything there.
	 */
	can = vm_object_is_anonymous(prev) && !prev->backing_object &&
	      !(prev->flags & OBJ_DEAD) &&
	      (atomic_read(&prev->ref_count) == 1 || prev->size == next);
	if (can) {
		if (next < prev->size)
			vm_object_page_remove(prev, next, min(end, prev->size),
					      false);
		prev->size = max(prev->size, end);
	}
	vm_object_unlock(prev);
	return can;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_object_coalesce);
