/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Buffer objects: places that blocks are read from and written to, and the buffers
 * in which they are on the way.
 *
 * Whoever has contents to read or write, a file's pager or swap, knows a buffer
 * object and nothing of what is behind it (PA-12). The object has two operations:
 *
 *	write		how a buffer that is to be written is (delayed, counted,
 *			spread over several others); bufobj_write() is the plain way
 *	strategy	starts the I/O of one buffer and returns; vm_buf_done() ends it
 *
 * A block is a page, numbered from 0. Negative numbers are those of the file system's
 * own blocks, of which the file's owner does not know; the number of a block of
 * contents is never negative, and is 64 bits wide wherever it goes (PA-05).
 *
 * Two kinds of buffer. One that brings pages of its own (vm_buf_alloc()) belongs to
 * whoever made it and is found by nobody. One that is asked for by block
 * (bufobj_get()) is the block: it is found by buffer object and number, has one
 * owner at a time, and stays until it is flushed, dirty if it was delayed.
 *
 * Writes are counted (PA-10): bufobj_wref() before one starts, bufobj_wdrop() when it
 * and its completion routine are through, bufobj_wwait() for none.
 */
#ifndef _VMSIM_BUFOBJ_H
#define _VMSIM_BUFOBJ_H

#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include "vmsim/pager.h"

struct bufobj;
struct vm_buf;

/**
 * struct vm_buf_ops - what a buffer object can do
 * @name: for messages
 * @write: write a buffer; with VM_BUF_ASYNC come back at once, and the buffer is not
 *	the caller's any more; else when it is written. May sleep. 0 or an errno
 * @strategy: start a buffer's I/O; may not fail: that is for the end to tell
 */
struct vm_buf_ops {
	const char *name;
	int (*write)(struct vm_buf *bp);
	void (*strategy)(struct bufobj *bo, struct vm_buf *bp);
};

/**
 * struct bufobj - a place for blocks
 * @lock: guards all but what is constant, and VM_BUF_OWNED and VM_BUF_DELAYED of
 *	its buffers; a leaf
 * @ops: its operations, constant
 * @private: theirs, constant
 * @bufs: buffers by block number
 * @nbufs: how many
 * @ndirty: of those, how many are delayed
 * @writes: writes under way
 * @waited: somebody waits for there to be none
 */
struct bufobj {
	spinlock_t lock;	/* guards what is not constant */
	const struct vm_buf_ops *ops;
	void *private;
	struct xarray bufs;
	unsigned int nbufs;
	unsigned int ndirty;
	unsigned int writes;
	bool waited;
};

/* Flags of a buffer. */
#define VM_BUF_ASYNC	0x01	/* nobody waits for it: freed when done; no block */
#define VM_BUF_KEPT	0x02	/* a block, found by its number */
#define VM_BUF_OWNED	0x04	/* a block that somebody has */
#define VM_BUF_VALID	0x08	/* a block whose contents are there */
#define VM_BUF_DELAYED	0x10	/* a block that is to be written some time */

/**
 * struct vm_buf - blocks on their way
 * @io: the operation: direction, pages, completion
 * @bo: where to, or from
 * @lblkno: number of the first block
 * @bytes: to be moved; what of the pages is behind them is zeroed by a read
 * @flags: VM_BUF_*
 */
struct vm_buf {
	struct vm_io io;
	struct bufobj *bo;
	s64 lblkno;
	unsigned int bytes;
	unsigned int flags;
};

#define to_vm_buf(ptr)	container_of(ptr, struct vm_buf, io)

void bufobj_init(struct bufobj *bo, const struct vm_buf_ops *ops, void *private);

/* Counting writes. */
void bufobj_wref(struct bufobj *bo);
void bufobj_wdrop(struct bufobj *bo);
void bufobj_wwait(struct bufobj *bo);

/* Buffers with pages of their maker's. */
struct vm_buf *vm_buf_alloc(struct bufobj *bo, s64 lblkno, unsigned int flags);
void vm_buf_set_pages(struct vm_buf *bp, struct vm_object *object,
		      struct vm_page **m, unsigned int count);
void vm_buf_free(struct vm_buf *bp);

/* Through the buffer object's operations. */

static inline int vm_buf_write(struct vm_buf *bp)
{
	return bp->bo->ops->write(bp);
}

static inline void vm_buf_strategy(struct vm_buf *bp)
{
	bp->bo->ops->strategy(bp->bo, bp);
}

int bufobj_write(struct vm_buf *bp);
void vm_buf_done(struct vm_buf *bp);

/* Blocks. */
struct vm_buf *bufobj_find(struct bufobj *bo, s64 lblkno);
struct vm_buf *bufobj_get(struct bufobj *bo, s64 lblkno);
int bufobj_read(struct bufobj *bo, s64 lblkno, struct vm_buf **bpp);
void vm_buf_delay(struct vm_buf *bp);
void vm_buf_release(struct vm_buf *bp);
int bufobj_flush(struct bufobj *bo, bool save);

static inline void *vm_buf_data(const struct vm_buf *bp)
{
	return vm_page_kva(bp->io.m[0]);
}

#endif /* _VMSIM_BUFOBJ_H */
