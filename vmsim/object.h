/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects: runs of pages by index, with a pager behind them or another object, or
 * nothing.
 *
 * Counts. An entry of a map, a shadow and whoever else keeps a pointer has a
 * reference (@ref_count). Whoever drops the lock in the middle of something that needs
 * the object to stay as it is, mostly I/O, adds itself to @paging_in_progress, for
 * which deletion and collapse wait. Raising a reference count needs a reference of
 * one's own, or the lock of an object above that has one, or the object's lock and
 * its being found alive on a shadow list.
 *
 * Chains. A shadow holds one reference to its backing object and is on its
 * @shadow_head. Those lists, @shadow_count and @backing_object's coming and going on
 * them have a spinlock of their own below all objects' (vm_shadow_lock), so that
 * relinking needs no third object's lock. @backing_object and @backing_offset of an
 * object are guarded by that object's lock; what is below a locked object therefore
 * stays there.
 *
 * Going down a chain: vm_object_lock(), then vm_object_step_down() from one to
 * the next; there are never more than two locked at once, and the upper is locked
 * first. Who comes from below tries.
 *
 * Death. OBJ_DEAD is set once and never cleared: nobody starts anything with
 * the object any more. Of a terminated object the type is OBJT_DEAD, too, and its
 * pages are gone. One that is dead and has another type is being merged into its
 * only shadow; its pages and offsets are still good, and who needs them (a fault
 * that went down the chain) lets go of all that it has in objects above, sleeps with
 * vm_object_wait_dead() and starts again from the top.
 */
#ifndef _VMSIM_OBJECT_H
#define _VMSIM_OBJECT_H

#include <linux/atomic.h>
#include <linux/bug.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/xarray.h>

#include "uma/pool.h"
#include "vmsim/sleepq.h"
#include "vmsim/vm.h"

struct vm_pager_ops;

/* What an object is; also the number of its pager. */
enum vm_object_type {
	OBJT_DEFAULT,		/* anonymous, nothing paged out yet */
	OBJT_SWAP,		/* anonymous, with a swap pager */
	OBJT_VNODE,		/* a file */
	OBJT_DEVICE,		/* a device's memory, not ours */
	OBJT_PHYS,		/* anonymous and never paged out */
	OBJT_DEAD,		/* terminated */
	OBJT_COUNT,
};

/* Flags, guarded by the object's lock. */
#define OBJ_DEAD		0x0001	/* being terminated or merged: hands off */
#define OBJ_PIPWNT		0x0002	/* somebody waits for paging to end */
#define OBJ_DISCONNECTWNT	0x0004	/* somebody sleeps until it has gone */
#define OBJ_ONEMAPPING		0x0008	/* each page is shown by one entry at most */
#define OBJ_NOSPLIT		0x0010	/* never cut in two */
/*
 * How it must be locked: constant from before anyone can see it, and the same in all
 * its shadows.
 */
#define OBJ_NEEDGIANT		0x0100	/* faults and laundering hold vm_giant */
#define OBJ_LOCKING		OBJ_NEEDGIANT

/**
 * struct vm_object - a run of pages
 * @lock: guards all that names no other guard
 * @pages: resident pages by index
 * @resident: their number
 * @size: indices, constant but for growth at the end
 * @ref_count: see above
 * @paging_in_progress: what deletion and collapse wait for
 * @flags: OBJ_*
 * @type: enum vm_object_type
 * @generation: changes when pages come, go or move
 * @backing_object: the object that it shadows, with a reference; or NULL
 * @backing_offset: where in it index 0 is, in bytes
 * @shadow_head: the objects that shadow it; vm_shadow_lock
 * @shadow_list: its place on @backing_object's; vm_shadow_lock
 * @shadow_count: length of @shadow_head; vm_shadow_lock
 * @link: among all objects; a lock of object.c's
 * @id: for people: a number that no other object ever has, constant
 * @release_link: among those of which a collapse has a reference to let go, or
 *	empty; a lock of collapse.c's
 * @ops: its pager's operations, or NULL
 * @handle: what its creator knows it by (a file, a device), or NULL; constant
 * @pager: what its pager keeps
 * @pager_count: an anonymous object's: indices that its pager has
 */
struct vm_object {
	struct mutex lock;	/* all that names no other guard */
	struct xarray pages;
	unsigned long resident;
	u64 size;
	atomic_t ref_count;
	unsigned int paging_in_progress;
	unsigned int flags;
	enum vm_object_type type;
	unsigned int generation;

	struct vm_object *backing_object;
	u64 backing_offset;
	struct list_head shadow_head;
	struct list_head shadow_list;
	unsigned int shadow_count;
	struct list_head link;
	u64 id;
	struct list_head release_link;

	const struct vm_pager_ops *ops;
	void *handle;
	void *pager;
	unsigned long pager_count;
};

/* For objects whose pager cannot stand company; the outermost of all locks. */
extern struct mutex vm_giant;	/* faults and paging of OBJ_NEEDGIANT objects */

/* Locks. */

enum {
	VM_OBJECT_UPPER,	/* lock classes: the object, ... */
	VM_OBJECT_BACKING,	/* ... and the one that it shadows */
};

static inline void vm_object_lock(struct vm_object *object)
{
	mutex_lock_nested(&object->lock, VM_OBJECT_UPPER);
}

static inline void vm_object_unlock(struct vm_object *object)
{
	mutex_unlock(&object->lock);
}

static inline bool vm_object_trylock(struct vm_object *object)
{
	return mutex_trylock(&object->lock);
}

/* Its shadow is locked. */
static inline void vm_object_lock_backing(struct vm_object *backing)
{
	mutex_lock_nested(&backing->lock, VM_OBJECT_BACKING);
}

/* Whether the lock is held: by us, where the kernel can tell. */
static inline bool vm_object_is_locked(const struct vm_object *object)
{
#ifdef CONFIG_LOCKDEP
	return lockdep_is_held(&object->lock) != LOCK_STATE_NOT_HELD;
#else
	return mutex_is_locked((struct mutex *)&object->lock);
#endif
}

/* In every kernel, not only where lockdep is: the slow path can bear it. */
static inline void vm_object_assert_locked(const struct vm_object *object)
{
	WARN(!vm_object_is_locked(object), "uma: object %p is not locked\n",
	     object);
}

/* Making, referencing, ending. */
struct vm_object *vm_object_allocate(enum vm_object_type type, u64 size);
void vm_object_reference(struct vm_object *object);
void vm_object_terminate(struct vm_object *object);
void vm_object_wait_dead(struct vm_object *object);

/* Paging; the object's lock is held. */
void vm_object_pip_add(struct vm_object *object, unsigned int n);
void vm_object_pip_wakeup(struct vm_object *object, unsigned int n);
void vm_object_pip_sleep(struct vm_object *object);
void vm_object_pip_wait(struct vm_object *object);

/* Chains. */
int vm_object_shadow(struct vm_object **object, u64 *offset, u64 length);
struct vm_object *vm_object_step_down(struct vm_object *object);
void vm_object_unlink_shadow(struct vm_object *object);

/* What is done with a range of its pages; in indices, the end not included. */
void vm_object_page_remove(struct vm_object *object, u64 start, u64 end,
			   bool clean_only);
int vm_object_page_clean(struct vm_object *object, u64 start, u64 end,
			 unsigned int flags);
void vm_object_madvise(struct vm_object *object, u64 pindex, u64 count,
		       enum vm_advice advice);
u64 vm_object_next_index(struct vm_object *object, u64 pindex, u64 end,
			 bool files);
int vm_object_sync(struct vm_object *object, u64 offset, u64 size,
		   bool syncio, bool invalidate);
unsigned int vm_object_flush(struct vm_object *object, struct vm_page **m,
			     unsigned int count, unsigned int flags);

#define OBJPC_SYNC	0x1	/* wait until it is written */
#define OBJPC_INVAL	0x2	/* and drop it then */

/* Pages, where the physical map has a say; the object's lock is held. */
void vm_page_test_dirty(struct vm_page *m);
void vm_page_dontneed(struct vm_page *m);
bool vm_page_try_to_cache(struct vm_page *m);
bool vm_page_try_to_free(struct vm_page *m);

/* All objects, one after the other: see object.c. */
struct vm_object *vm_object_next(struct vm_object *object);
unsigned long vm_object_count(void);

static inline void vm_object_set_flag(struct vm_object *object,
				      unsigned int flags)
{
	vm_object_assert_locked(object);
	object->flags |= flags;
}

static inline void vm_object_clear_flag(struct vm_object *object,
					unsigned int flags)
{
	vm_object_assert_locked(object);
	object->flags &= ~flags;
}

int vm_object_startup(void);
void vm_object_shutdown(void);

#endif /* _VMSIM_OBJECT_H */
