// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buffer objects and buffers: see bufobj.h for what they are.
 *
 * Whoever ends a buffer object (unmounts, or gives up a mount half-way) must leave
 * none of its buffers behind: a delayed one that comes to be written later would
 * find the place gone, or somebody else's. bufobj_flush() is that end: the delayed
 * ones are written, or dropped if they are not worth it, all go, and then no write is
 * under way.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": vm: " fmt

#include <linux/err.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/wait_bit.h>

#include "uma/compat.h"
#include "uma/uma.h"
#include "vmsim/bufobj.h"
#include "vmsim/page.h"
#include "vmsim/pagers.h"

/* Buffers that page-out can have when there is no memory for any. */
#define BUFS_RESERVED	16

static uma_zone_t buf_zone;

/**
 * bufobj_init() - make a buffer object of a piece of memory
 * @bo: the memory
 * @ops: its operations
 * @private: for those
 */
void bufobj_init(struct bufobj *bo, const struct vm_buf_ops *ops, void *private)
{
	spin_lock_init(&bo->lock);
	bo->ops = ops;
	bo->private = private;
	xa_init(&bo->bufs);
	bo->nbufs = 0;
	bo->ndirty = 0;
	bo->writes = 0;
	bo->waited = false;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(bufobj_init);

/* Counting writes. */

/**
 * bufobj_wref() - a write begins
 * @bo: where to
 */
void bufobj_wref(struct bufobj *bo)
{
	spin_lock(&bo->lock);
	bo->writes++;
	spin_unlock(&bo->lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(bufobj_wref);

/**
 * bufobj_wdrop() - a write and its completion are over
 * @bo: where to; may be gone on return
 */
void bufobj_wdrop(struct bufobj *bo)
{
	bool wake = false;

	spin_lock(&bo->lock);
	if (!WARN_ON(!bo->writes) && !--bo->writes) {
		wake = bo->waited;
		bo->waited = false;
	}
	spin_unlock(&bo->lock);
	if (wake)
		wake_up_var(bo);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(bufobj_wdrop);

static bool no_writes(struct bufobj *bo)
{
	bool none;

	spin_lock(&bo->lock);
	none = !bo->writes;
	if (!none)
		bo->waited = true;
	spin_unlock(&bo->lock);
	return none;
}

/**
 * bufobj_wwait() - wait until no write is under way
 * @bo: where to
 *
 * Context: process context, may sleep.
 */
void bufobj_wwait(struct bufobj *bo)
{
	might_sleep();
	if (!no_writes(bo))
		___wait_var_event(bo, no_writes(bo), TASK_IDLE, 0, 0,
				  schedule());
}
EXPORT_SYMBOL_FOR_UMA_TESTS(bufobj_wwait);

/* Buffers. */

/**
 * vm_buf_alloc() - a buffer for pages of the caller's
 * @bo: where to, or from
 * @lblkno: number of the first block
 * @flags: VM_IO_WRITE or 0
 *
 * Context: any. Does not sleep.
 * Return: the buffer, or NULL.
 */
struct vm_buf *vm_buf_alloc(struct bufobj *bo, s64 lblkno, unsigned int flags)
{
	struct vm_buf *bp = uma_zalloc(buf_zone, M_NOWAIT | M_USE_RESERVE);

	if (!bp)
		return NULL;
	vm_io_init(&bp->io, NULL, 0, flags);
	bp->bo = bo;
	bp->lblkno = lblkno;
	bp->bytes = 0;
	bp->flags = 0;
	return bp;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_buf_alloc);

/**
 * vm_buf_set_pages() - what a buffer is to move: whole pages
 * @bp: the buffer
 * @object: whose pages
 * @m: consecutive ones
 * @count: how many, VM_PAGER_MAX at most
 */
void vm_buf_set_pages(struct vm_buf *bp, struct vm_object *object,
		      struct vm_page **m, unsigned int count)
{
	if (WARN_ON(!count || count > VM_PAGER_MAX))
		return;
	bp->io.object = object;
	bp->io.start = m[0]->pindex;
	bp->io.count = count;
	memcpy(bp->io.m, m, count * sizeof(*m));
	bp->bytes = count << PAGE_SHIFT;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_buf_set_pages);

/**
 * vm_buf_free() - the opposite of vm_buf_alloc()
 * @bp: the buffer; nothing of it is under way
 */
void vm_buf_free(struct vm_buf *bp)
{
	WARN_ON(bp->flags & VM_BUF_KEPT);
	uma_zfree(buf_zone, bp);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_buf_free);

/**
 * bufobj_write() - write a buffer, the plain way: count it and start it
 * @bp: the buffer; with VM_BUF_ASYNC not the caller's any more
 *
 * Context: process context; without VM_BUF_ASYNC may sleep, no object's lock held.
 * Return: 0 or an errno.
 */
int bufobj_write(struct vm_buf *bp)
{
	bool async = bp->flags & VM_BUF_ASYNC;

	bufobj_wref(bp->bo);
	vm_buf_strategy(bp);
	return async ? 0 : vm_io_wait(&bp->io);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(bufobj_write);

/**
 * vm_buf_done() - a buffer's I/O is over
 * @bp: the buffer, with the operation's @error set; gone on return
 *
 * Context: process context, no lock held.
 */
void vm_buf_done(struct vm_buf *bp)
{
	bool write = bp->io.flags & VM_IO_WRITE;
	bool async = bp->flags & VM_BUF_ASYNC;
	struct bufobj *bo = bp->bo;

	vm_io_done(&bp->io);
	/* Where nobody waits it is still ours. */
	if (async)
		vm_buf_free(bp);
	if (write)
		bufobj_wdrop(bo);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_buf_done);

/* Blocks. */

/* Whether nobody has a block; then it is ours. Its buffer object is locked. */
static bool own(struct vm_buf *bp)
{
	if (bp->flags & VM_BUF_OWNED)
		return false;
	bp->flags |= VM_BUF_OWNED;
	return true;
}

/**
 * bufobj_find() - is there a buffer for a block?
 * @bo: the buffer object
 * @lblkno: the block's number
 *
 * Return: the buffer, which may be anyone's and may go at once, or NULL.
 */
struct vm_buf *bufobj_find(struct bufobj *bo, s64 lblkno)
{
	return xa_load(&bo->bufs, (unsigned long)lblkno);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(bufobj_find);

/* Make a buffer for a block and put it in; ours. An ERR_PTR() if it cannot be. */
static struct vm_buf *make_block(struct bufobj *bo, s64 lblkno)
{
	struct vm_buf *bp = vm_zalloc(buf_zone, M_USE_RESERVE);
	unsigned int waits = 0;
	int error = -ENOMEM;

	if (!bp)
		return ERR_PTR(-ENOMEM);
	vm_io_init(&bp->io, NULL, 0, 0);
	bp->bo = bo;
	bp->lblkno = lblkno;
	bp->bytes = PAGE_SIZE;
	bp->flags = VM_BUF_OWNED | VM_BUF_KEPT;
	bp->io.count = 1;
	do {
		bp->io.m[0] = vm_page_alloc(NULL, 0, VM_ALLOC_SYSTEM |
					    VM_ALLOC_NOOBJ | VM_ALLOC_ZERO);
	} while (!bp->io.m[0] && vm_wait_again(&waits));
	if (bp->io.m[0]) {
		/* It must be complete when it can be found. */
		error = xa_insert(&bo->bufs, (unsigned long)lblkno, bp,
				  GFP_KERNEL);
		if (!error) {
			spin_lock(&bo->lock);
			bo->nbufs++;
			spin_unlock(&bo->lock);
			return bp;
		}
		vm_page_free(bp->io.m[0]);
	}
	uma_zfree(buf_zone, bp);
	return ERR_PTR(error);
}

/**
 * bufobj_get() - the buffer for a block, for the caller alone
 * @bo: the buffer object
 * @lblkno: the block's number
 *
 * Waits for who has it now. Contents are there only if VM_BUF_VALID.
 *
 * Context: process context, may sleep.
 * Return: the buffer, or an ERR_PTR().
 */
struct vm_buf *bufobj_get(struct bufobj *bo, s64 lblkno)
{
	struct vm_buf *bp;

	for (;;) {
		spin_lock(&bo->lock);
		bp = bufobj_find(bo, lblkno);
		if (bp && own(bp)) {
			spin_unlock(&bo->lock);
			return bp;
		}
		spin_unlock(&bo->lock);
		if (!bp) {
			bp = make_block(bo, lblkno);
			if (bp != ERR_PTR(-EBUSY))
				return bp;
		}
		/* Rare, and for a moment; it may have gone after that. */
		schedule_timeout_idle(1);
	}
}
EXPORT_SYMBOL_FOR_UMA_TESTS(bufobj_get);

/* Let go of a block's buffer for ever; the caller owns it. */
static void drop_block(struct vm_buf *bp)
{
	struct bufobj *bo = bp->bo;

	spin_lock(&bo->lock);
	WARN_ON(xa_erase(&bo->bufs, (unsigned long)bp->lblkno) != bp);
	bo->nbufs--;
	if (bp->flags & VM_BUF_DELAYED)
		bo->ndirty--;
	spin_unlock(&bo->lock);
	vm_page_free(bp->io.m[0]);
	uma_zfree(buf_zone, bp);
}

/**
 * bufobj_read() - the buffer for a block, with its contents
 * @bo: the buffer object
 * @lblkno: the block's number
 * @bpp: where to leave the buffer, which is the caller's then
 *
 * Context: process context, may sleep.
 * Return: 0, or an errno; then no buffer is left.
 */
int bufobj_read(struct bufobj *bo, s64 lblkno, struct vm_buf **bpp)
{
	struct vm_buf *bp = bufobj_get(bo, lblkno);
	int error;

	if (IS_ERR(bp))
		return PTR_ERR(bp);
	if (!(bp->flags & VM_BUF_VALID)) {
		vm_io_init(&bp->io, NULL, 0, 0);
		bp->io.count = 1;
		vm_buf_strategy(bp);
		error = vm_io_wait(&bp->io);
		if (error) {
			drop_block(bp);
			return error;
		}
		bp->flags |= VM_BUF_VALID;
	}
	*bpp = bp;
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(bufobj_read);

/**
 * vm_buf_delay() - a block's contents have changed, and can be written later
 * @bp: its buffer, the caller's; not any more on return
 */
void vm_buf_delay(struct vm_buf *bp)
{
	struct bufobj *bo = bp->bo;

	spin_lock(&bo->lock);
	if (!(bp->flags & VM_BUF_DELAYED))
		bo->ndirty++;
	bp->flags |= VM_BUF_DELAYED | VM_BUF_VALID;
	spin_unlock(&bo->lock);
	vm_buf_release(bp);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_buf_delay);

/**
 * vm_buf_release() - a block's buffer is anyone's again
 * @bp: its buffer, the caller's
 */
void vm_buf_release(struct vm_buf *bp)
{
	struct bufobj *bo = bp->bo;

	spin_lock(&bo->lock);
	WARN_ON(!(bp->flags & VM_BUF_OWNED));
	bp->flags &= ~VM_BUF_OWNED;
	spin_unlock(&bo->lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_buf_release);

/* Write a delayed block; the caller owns it. It is not delayed any more if it worked. */
static int write_block(struct vm_buf *bp)
{
	struct bufobj *bo = bp->bo;
	int error;

	vm_io_init(&bp->io, NULL, 0, VM_IO_WRITE);
	bp->io.count = 1;
	error = vm_buf_write(bp);
	if (error)
		return error;
	spin_lock(&bo->lock);
	bp->flags &= ~VM_BUF_DELAYED;
	bo->ndirty--;
	spin_unlock(&bo->lock);
	return 0;
}

/**
 * bufobj_flush() - leave nothing behind
 * @bo: the buffer object, of which nobody asks for new blocks any more
 * @save: write what was delayed, else forget it
 *
 * On return there is no buffer for any block, and no write is under way.
 *
 * Context: process context, may sleep.
 * Return: 0, or the errno of a write that failed; what was in that block is lost.
 */
int bufobj_flush(struct bufobj *bo, bool save)
{
	unsigned long index = 0;
	struct vm_buf *bp;
	int error = 0, e;

	for (;;) {
		/* By their numbers: whoever owns one may drop it meanwhile. */
		bp = xa_find(&bo->bufs, &index, ULONG_MAX, XA_PRESENT);
		if (!bp)
			break;
		bp = bufobj_get(bo, (s64)index);
		if (IS_ERR(bp)) {
			error = PTR_ERR(bp);
			schedule_timeout_idle(1);
			continue;
		}
		if (save && bp->flags & VM_BUF_DELAYED) {
			e = write_block(bp);
			error = error ?: e;
		}
		drop_block(bp);
	}
	bufobj_wwait(bo);
	return error;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(bufobj_flush);

/* Start and end. */

int vm_buf_startup(void)
{
	int error;

	buf_zone = uma_zcreate("VM BUF", sizeof(struct vm_buf), NULL, NULL, NULL,
			       NULL, UMA_ALIGN_PTR, UMA_ZONE_VM);
	if (!buf_zone)
		return -ENOMEM;
	error = uma_zone_reserve(buf_zone, BUFS_RESERVED);
	if (error)
		uma_zdestroy(buf_zone);
	return error;
}

void vm_buf_shutdown(void)
{
	uma_zdestroy(buf_zone);
}
