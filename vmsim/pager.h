/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pagers: where an object's pages come from and go to.
 *
 * A pager is a vector of operations, registered by kind of object. Its functions are
 * called with the object locked and may drop the lock in between, in which case the
 * pages in their hands are busy (getpages) or have I/O started (putpages) and the
 * object has a paging operation in progress; they come back with it locked.
 * None of them may touch a map.
 *
 * I/O itself is done by workers. One operation is a struct vm_io, which ends in
 * one of two ways. If it has a completion routine, that routine does what there is to do
 * with the pages (valid, dirty, busy, paging in progress) and then marks the
 * operation done itself, under the lock that its waiter uses: a waiter who sees
 * VM_IO_DONE knows that the routine is through. If it has none, it is marked done
 * for it.
 */
#ifndef _VMSIM_PAGER_H
#define _VMSIM_PAGER_H

#include <linux/completion.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "vmsim/object.h"

/* What became of a page that was handed to a pager. */
enum vm_pager_result {
	VM_PAGER_OK,		/* read, or written */
	VM_PAGER_BAD,		/* outside of the object */
	VM_PAGER_FAIL,		/* not there, or no room for it */
	VM_PAGER_PEND,		/* on its way; the completion does the rest */
	VM_PAGER_ERROR,		/* I/O error: nothing was lost, nothing gained */
	VM_PAGER_AGAIN,		/* no memory for it just now */
};

/* For putpages. */
#define VM_PAGER_PUT_SYNC	0x1	/* come back when it is written */
#define VM_PAGER_PUT_INVAL	0x2	/* the pages go once written */

/* The most pages in one operation. */
#define VM_PAGER_MAX		16

/**
 * struct vm_pager_ops - what a pager can do; all with the object locked, but alloc
 * @name: for messages
 * @alloc: an object for @handle, one that exists already with a reference more, or an
 *	ERR_PTR(); no lock held. @size in bytes, of which the creator is sure; @offset
 *	in bytes
 * @dealloc: the object is being terminated, its pages have gone: let go of what is
 *	behind it; the lock stays
 * @getpages: fill @m[0..@count-1], consecutive and busy, of which @reqpage is wanted;
 *	valid bits are set for what was read. On return @m[@reqpage] is busy still, the
 *	others are not, and those that could not be read have been freed. A device pager
 *	has put a page of its own in @m[@reqpage] then. Returns for @reqpage
 * @putpages: write @m[0..@count-1], consecutive, on which I/O was started and which
 *	are mapped read-only; @result[] says for each. Those that are not
 *	VM_PAGER_PEND have had their I/O finished by nobody yet: the caller does
 * @haspage: whether the pager has the page; @before and @after, if not NULL: how many
 *	that lie beside it can be read in the same operation
 * @copy: move what is behind @src to @dst, whose index 0 is index @offset of @src;
 *	what @dst has already, resident or behind it, stays, and the source's is
 *	forgotten. With @destroy (collapse) so is all of @src that @dst has no index
 *	for; without (split) that stays. Both are locked; no page that @dst has where
 *	@src's pager has something is busy. It may drop both locks and take them again,
 *	the upper one's first (collapse: @dst's, split: @src's), if it then sees to that
 *	itself: the caller has made both paging. 0, or an errno with part of it done: the
 *	caller tries again. NULL: there is nothing to move
 * @next: the first index from @pindex on, up to and including @last, that the pager
 *	has; NULL: it cannot tell, and nothing above can be bypassed
 * @freespace: forget @n indices from @start on
 * @unswapped: the page's copy behind the object is of no use any more; NULL: no such
 * @first_page: the object gets its first resident page (PA-06); may not sleep
 * @last_page: it lost the last one; may not sleep
 */
struct vm_pager_ops {
	const char *name;
	struct vm_object *(*alloc)(void *handle, u64 size, u8 prot, u64 offset);
	void (*dealloc)(struct vm_object *object);
	enum vm_pager_result (*getpages)(struct vm_object *object,
					 struct vm_page **m, unsigned int count,
					 unsigned int reqpage);
	void (*putpages)(struct vm_object *object, struct vm_page **m,
			 unsigned int count, unsigned int flags,
			 enum vm_pager_result *result);
	bool (*haspage)(struct vm_object *object, u64 pindex,
			unsigned int *before, unsigned int *after);
	int (*copy)(struct vm_object *src, struct vm_object *dst, u64 offset,
		    bool destroy);
	bool (*next)(struct vm_object *object, u64 *pindex, u64 last);
	void (*freespace)(struct vm_object *object, u64 start, u64 n);
	void (*unswapped)(struct vm_object *object, u64 pindex);
	void (*first_page)(struct vm_object *object);
	void (*last_page)(struct vm_object *object);
};

/**
 * struct vm_io - one operation of a pager
 * @work: does the I/O
 * @done_lock: guards @state; what a waiter uses
 * @state: VM_IO_DONE, VM_IO_WAITED
 * @flags: VM_IO_WRITE; constant once it has begun
 * @error: errno of the I/O, 0 while there is none
 * @object: whose pages they are; paging is in progress until it is done
 * @start: index of the first page
 * @count: how many
 * @m: the pages
 * @iodone: completion routine, or NULL
 * @arg: the pager's own
 */
struct vm_io {
	struct work_struct work;
	spinlock_t done_lock;	/* @state */
	unsigned int state;
	unsigned int flags;
	int error;
	struct vm_object *object;
	u64 start;
	unsigned int count;
	struct vm_page *m[VM_PAGER_MAX];
	void (*iodone)(struct vm_io *io);
	void *arg;
};

/* Of an operation's flags. */
#define VM_IO_WRITE	0x1	/* out, else in */

/* Of its state. */
#define VM_IO_DONE	0x1
#define VM_IO_WAITED	0x2	/* somebody sleeps until it is done */

/* Where objects find their operations; written by vm_pager_register() only. */
extern const struct vm_pager_ops *vm_pagers[OBJT_COUNT];

/* pager.c */
int vm_pager_register(enum vm_object_type type, const struct vm_pager_ops *ops);
void vm_pager_unregister(enum vm_object_type type);
struct vm_object *vm_pager_allocate(enum vm_object_type type, void *handle,
				    u64 size, u8 prot, u64 offset);
struct vm_object *vm_pager_new_object(enum vm_object_type type, u64 size);

void vm_io_init(struct vm_io *io, struct vm_object *object, u64 start,
		unsigned int flags);
void vm_io_queue(struct vm_io *io, work_func_t fn);
void vm_io_done(struct vm_io *io);
void vm_io_mark_done(struct vm_io *io);
int vm_io_wait(struct vm_io *io);
bool vm_io_wait_timeout(struct vm_io *io, long timeout);

/* What all pagers that do I/O have in common; the object is locked for the first two. */
void vm_pager_drop_pages(struct vm_page **m, unsigned int first,
			 unsigned int end, unsigned int reqpage);
enum vm_pager_result vm_pager_read_done(struct vm_page **m, unsigned int first,
					unsigned int end, unsigned int reqpage,
					int error);
void vm_pager_write_done(struct vm_io *io, unsigned int flags);

int vm_io_startup(void);
void vm_io_shutdown(void);

/* Through an object's vector; what has no pager has nothing behind it. */

static inline enum vm_pager_result vm_pager_get_pages(struct vm_object *object,
						      struct vm_page **m,
						      unsigned int count,
						      unsigned int reqpage)
{
	vm_object_assert_locked(object);
	return object->ops ? object->ops->getpages(object, m, count, reqpage) :
			     VM_PAGER_FAIL;
}

static inline void vm_pager_put_pages(struct vm_object *object,
				      struct vm_page **m, unsigned int count,
				      unsigned int flags,
				      enum vm_pager_result *result)
{
	unsigned int i;

	vm_object_assert_locked(object);
	if (object->ops && object->ops->putpages) {
		object->ops->putpages(object, m, count, flags, result);
		return;
	}
	for (i = 0; i < count; i++)
		result[i] = VM_PAGER_FAIL;
}

static inline bool vm_pager_has_page(struct vm_object *object, u64 pindex,
				     unsigned int *before, unsigned int *after)
{
	vm_object_assert_locked(object);
	if (before)
		*before = 0;
	if (after)
		*after = 0;
	return object->ops && object->ops->haspage &&
	       object->ops->haspage(object, pindex, before, after);
}

static inline void vm_pager_page_unswapped(struct vm_object *object, u64 pindex)
{
	vm_object_assert_locked(object);
	if (object->ops && object->ops->unswapped)
		object->ops->unswapped(object, pindex);
}

static inline void vm_pager_freespace(struct vm_object *object, u64 start, u64 n)
{
	vm_object_assert_locked(object);
	if (object->ops && object->ops->freespace)
		object->ops->freespace(object, start, n);
}

#endif /* _VMSIM_PAGER_H */
