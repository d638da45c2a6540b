// SPDX-License-Identifier: GPL-2.0-only
/*
 * The swap pager: which index of which object is in which block, and how it gets
 * there and back.
 *
 * Metadata. An object that was ever paged out has a struct swap_object, and in it an
 * array, by index, of nodes that name the blocks of sixteen neighbouring indices.
 * All of that is the object's lock's. The swap_objects are in a list, for swapoff
 * alone.
 *
 * Out. A run of blocks is allocated, then named in the metadata, then written. All of
 * it happens under the object's lock but for the write, during which the object is
 * paging and the pages cannot change. Blocks that held an older copy are free as soon
 * as the metadata names the new ones. If the write fails, the blocks are given back:
 * what is in them is nothing, and the pages are dirty and resident as they were.
 *
 * In. The blocks stay when their contents have been read, so that a page that is not
 * written to need not be written out again; vm_pager_page_unswapped() is for who
 * changes it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": swap: " fmt

#include <linux/err.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/xarray.h>

#include "uma/compat.h"
#include "uma/uma.h"
#include "vmsim/bufobj.h"
#include "vmsim/collapse.h"
#include "vmsim/object.h"
#include "vmsim/page.h"
#include "vmsim/pager.h"
#include "vmsim/pagers.h"
#include "vmsim/steer.h"
#include "vmsim/swap.h"
#include "vmsim/swap_int.h"
#include "vmsim/vm.h"

/* Indices of a node. */
#define NODE_SHIFT	4
#define NODE_INDICES	BIT(NODE_SHIFT)
#define NODE_MASK	(NODE_INDICES - 1)

/* Nodes that page-out can have when there is no memory for any. */
#define NODES_RESERVED	64
#define OBJECTS_RESERVED	16

/**
 * struct swap_node - neighbours
 * @blk: their blocks, 0 for none; the object's lock
 * @count: how many have one
 */
struct swap_node {
	u64 blk[NODE_INDICES];
	unsigned int count;
};

LIST_HEAD(vm_swap_objects);
static uma_zone_t object_zone;
static uma_zone_t node_zone;

/* Metadata; the object's lock is held. */

/**
 * vm_swap_adopt() - make an anonymous object one of the swap pager's
 * @object: the object, locked; nothing is done if it is one already
 *
 * Context: process context, may sleep for the kernel's memory.
 * Return: 0 or -ENOMEM.
 */
int vm_swap_adopt(struct vm_object *object)
{
	struct swap_object *so;

	vm_object_assert_locked(object);
	if (object->pager)
		return 0;
	so = uma_zalloc(object_zone, M_NOWAIT | M_USE_RESERVE);
	if (!so)
		return -ENOMEM;
	so->object = object;
	xa_init(&so->nodes);
	object->pager = so;
	object->pager_count = 0;
	object->type = OBJT_SWAP;
	object->ops = &vm_swap_pager;
	spin_lock(&vm_swap_lock);
	list_add_tail(&so->link, &vm_swap_objects);
	spin_unlock(&vm_swap_lock);
	return 0;
}

static struct swap_node *find_node(struct vm_object *object, u64 pindex)
{
	struct swap_object *so = object->pager;

	return so ? xa_load(&so->nodes, pindex >> NODE_SHIFT) : NULL;
}

/**
 * vm_swap_lookup() - the block that an index is in
 * @object: an object of the swap pager, locked
 * @pindex: the index
 *
 * Return: the block, or 0.
 */
u64 vm_swap_lookup(struct vm_object *object, u64 pindex)
{
	struct swap_node *node;

	vm_object_assert_locked(object);
	node = find_node(object, pindex);
	return node ? node->blk[pindex & NODE_MASK] : 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_swap_lookup);

/* Whether an index is in a certain block; 0 is none. */
static bool is_in(struct vm_object *object, u64 pindex, u64 blk)
{
	return blk && vm_swap_lookup(object, pindex) == blk;
}

/* Take away what the metadata says of an index; the block, or 0, is the caller's. */
static u64 take_block(struct vm_object *object, u64 pindex)
{
	struct swap_object *so = object->pager;
	struct swap_node *node = find_node(object, pindex);
	u64 blk;

	if (!node)
		return 0;
	blk = node->blk[pindex & NODE_MASK];
	if (!blk)
		return 0;
	node->blk[pindex & NODE_MASK] = 0;
	object->pager_count--;
	if (!--node->count) {
		xa_erase(&so->nodes, pindex >> NODE_SHIFT);
		uma_zfree(node_zone, node);
	}
	return blk;
}

/**
 * vm_swap_forget() - an index is in no block any more
 * @object: an object of the swap pager, locked
 * @pindex: the index
 */
void vm_swap_forget(struct vm_object *object, u64 pindex)
{
	u64 blk = take_block(object, pindex);

	if (blk)
		vm_swap_free(blk, 1, true);
}

/* Name a block for an index that has none. 0 or -ENOMEM. */
static int name_block(struct vm_object *object, u64 pindex, u64 blk)
{
	struct swap_object *so = object->pager;
	struct swap_node *node = find_node(object, pindex);

	if (!node) {
		node = uma_zalloc(node_zone, M_NOWAIT | M_USE_RESERVE | M_ZERO);
		if (!node)
			return -ENOMEM;
		if (xa_err(xa_store(&so->nodes, pindex >> NODE_SHIFT, node,
				    GFP_KERNEL | __GFP_NOWARN))) {
			uma_zfree(node_zone, node);
			return -ENOMEM;
		}
	}
	node->blk[pindex & NODE_MASK] = blk;
	node->count++;
	object->pager_count++;
	return 0;
}

/* The first node that has something at or behind @pindex; @first: its first index. */
static struct swap_node *node_from(struct vm_object *object, u64 pindex,
				   u64 *first)
{
	unsigned long index = pindex >> NODE_SHIFT;
	struct swap_object *so = object->pager;
	struct swap_node *node;

	node = so ? xa_find(&so->nodes, &index, ULONG_MAX, XA_PRESENT) : NULL;
	*first = (u64)index << NODE_SHIFT;
	return node;
}

/**
 * vm_swap_next() - go through the indices that are in blocks
 * @object: an object of the swap pager, locked
 * @pindex: where to begin; replaced by the first from there on that is in a block
 * @blk: where to write that block
 *
 * Return: whether there is any.
 */
bool vm_swap_next(struct vm_object *object, u64 *pindex, u64 *blk)
{
	struct swap_node *node;
	u64 first, i;

	while ((node = node_from(object, *pindex, &first))) {
		for (i = max(first, *pindex) - first; i < NODE_INDICES; i++) {
			if (!node->blk[i])
				continue;
			*pindex = first + i;
			*blk = node->blk[i];
			return true;
		}
		*pindex = first + NODE_INDICES;
	}
	return false;
}

/* Making and ending. */

static struct vm_object *swap_alloc(void *handle, u64 size, u8 prot, u64 offset)
{
	struct vm_object *object;
	unsigned int waits = 0;
	int error;

	if (handle)
		return ERR_PTR(-EINVAL);
	do {
		object = vm_pager_new_object(OBJT_SWAP,
					     vm_atop(vm_round_page(offset + size)));
		if (!object)
			return ERR_PTR(-ENOMEM);
		vm_object_lock(object);
		error = vm_swap_adopt(object);
		vm_object_unlock(object);
		if (error)
			vm_object_deallocate(object);
	} while (error && vm_wait_again(&waits));
	return error ? ERR_PTR(error) : object;
}

static void swap_freespace(struct vm_object *object, u64 start, u64 n)
{
	u64 blk, pindex = start;

	while (vm_swap_next(object, &pindex, &blk) && pindex - start < n) {
		vm_swap_forget(object, pindex++);
		cond_resched();
	}
}

static void swap_dealloc(struct vm_object *object)
{
	struct swap_object *so = object->pager;

	if (!so)
		return;
	swap_freespace(object, 0, U64_MAX);
	WARN_ON(object->pager_count || !xa_empty(&so->nodes));
	spin_lock(&vm_swap_lock);
	list_del(&so->link);
	spin_unlock(&vm_swap_lock);
	object->pager = NULL;
	uma_zfree(object_zone, so);
}

/* Asking. */

static bool swap_next(struct vm_object *object, u64 *pindex, u64 last)
{
	u64 blk;

	return vm_swap_next(object, pindex, &blk) && *pindex <= last;
}

static bool swap_haspage(struct vm_object *object, u64 pindex,
			 unsigned int *before, unsigned int *after)
{
	u64 blk = vm_swap_lookup(object, pindex);
	unsigned int i;

	if (!blk)
		return false;
	if (before) {
		for (i = 0; i < VM_PAGER_MAX - 1 && i < pindex; i++)
			if (!is_in(object, pindex - i - 1, blk - i - 1))
				break;
		*before = i;
	}
	if (after) {
		for (i = 0; i < VM_PAGER_MAX - 1; i++)
			if (!is_in(object, pindex + i + 1, blk + i + 1))
				break;
		*after = i;
	}
	return true;
}

static void swap_unswapped(struct vm_object *object, u64 pindex)
{
	vm_swap_forget(object, pindex);
}

/* Collapse and split. */

static int swap_copy(struct vm_object *src, struct vm_object *dst, u64 offset,
		     bool destroy)
{
	u64 pindex = 0, blk;
	struct vm_page *m;

	vm_object_assert_locked(src);
	vm_object_assert_locked(dst);
	if (!src->pager)
		return 0;
	for (; vm_swap_next(src, &pindex, &blk); pindex++) {
		cond_resched();
		if (pindex < offset || pindex - offset >= dst->size) {
			if (destroy)
				vm_swap_forget(src, pindex);
			continue;
		}
		/* What it has is newer, wherever it has it; a page may have nothing. */
		m = xa_load(&dst->pages, pindex - offset);
		if ((m && m->valid) || vm_swap_lookup(dst, pindex - offset)) {
			vm_swap_forget(src, pindex);
			continue;
		}
		if (vm_swap_adopt(dst) || name_block(dst, pindex - offset, blk))
			return -EAGAIN;
		/* One name less, one more: known all along. */
		take_block(src, pindex);
	}
	return 0;
}

/* In. */

static enum vm_pager_result swap_getpages(struct vm_object *object,
					  struct vm_page **m,
					  unsigned int count,
					  unsigned int reqpage)
{
	unsigned int first = reqpage, end = reqpage + 1;
	struct vm_buf *bp = NULL;
	struct bufobj *bo;
	s64 lblkno = 0;
	int error;
	u64 blk;

	blk = vm_swap_lookup(object, m[reqpage]->pindex);
	if (!blk) {
		vm_pager_drop_pages(m, 0, count, reqpage);
		return VM_PAGER_FAIL;
	}
	/* Those around it that lie beside it there, too. */
	while (first && is_in(object, m[first - 1]->pindex,
			      blk - (reqpage - first + 1)))
		first--;
	while (end < count && is_in(object, m[end]->pindex,
				    blk + end - reqpage))
		end++;
	blk -= reqpage - first;
	vm_pager_drop_pages(m, 0, first, reqpage);
	vm_pager_drop_pages(m, end, count, reqpage);

	bo = vm_swap_bufobj(blk, &lblkno);
	if (bo)
		bp = vm_buf_alloc(bo, lblkno, 0);
	if (!bp) {
		vm_pager_drop_pages(m, first, end, reqpage);
		return VM_PAGER_AGAIN;
	}
	vm_buf_set_pages(bp, object, m + first, end - first);
	/* Busy pages, and paging: the blocks stay theirs. */
	vm_object_pip_add(object, 1);
	vm_object_unlock(object);
	vm_buf_strategy(bp);
	while (!vm_io_wait_timeout(&bp->io, vm_swap_timeout))
		vm_swap_report_timeout(blk, end - first);
	error = bp->io.error;
	vm_buf_free(bp);
	vm_object_lock(object);
	vm_object_pip_wakeup(object, 1);
	return vm_pager_read_done(m, first, end, reqpage, error);
}

/* Out. */

/* Forget blocks whose write failed; the object is locked. */
static void unname_run(struct vm_object *object, u64 pindex, unsigned int n,
		       u64 blk)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (is_in(object, pindex + i, blk + i))
			vm_swap_forget(object, pindex + i);
}

/*
 * What the end of a write must know, beside what the operation says, is in vm_io.arg:
 * the first block, and VM_PAGER_PUT_* in the bits that no block has.
 */
#define WRITE_FLAGS_BITS	2

static void *pack_write(u64 blk, unsigned int flags)
{
	return (void *)(uintptr_t)(blk << WRITE_FLAGS_BITS | flags);
}

static void write_done(struct vm_io *io)
{
	u64 blk = (uintptr_t)io->arg >> WRITE_FLAGS_BITS;
	unsigned int flags = (uintptr_t)io->arg & (BIT(WRITE_FLAGS_BITS) - 1);

	if (io->error) {
		vm_object_lock(io->object);
		unname_run(io->object, io->start, io->count, blk);
		vm_object_unlock(io->object);
	}
	vm_pager_write_done(io, flags);
	vm_io_mark_done(io);
}

/*
 * Find room for the first pages of some, and name it. Returns the first block and in
 * @n how many there are, or 0 and in @why what is to be said of the first page.
 */
static u64 find_room(struct vm_object *object, struct vm_page **m,
		     unsigned int *n, enum vm_pager_result *why)
{
	unsigned int got = *n, i;
	u64 blk = vm_swap_alloc(&got);

	if (!blk) {
		*why = VM_PAGER_FAIL;
		return 0;
	}
	vm_steer(VM_STEER_SWAP_BUILD, object);
	for (i = 0; i < got; i++) {
		vm_swap_forget(object, m[i]->pindex);
		if (name_block(object, m[i]->pindex, blk + i))
			break;
	}
	if (i)
		vm_swap_know(blk, i);
	if (i < got)
		vm_swap_free(blk + i, got - i, false);
	*n = i;
	*why = VM_PAGER_AGAIN;
	return i ? blk : 0;
}

/* Write the first of some pages; returns how many @result tells of. */
static unsigned int put_run(struct vm_object *object, struct vm_page **m,
			    unsigned int count, unsigned int flags,
			    enum vm_pager_result *result)
{
	u64 pindex = m[0]->pindex, blk;
	enum vm_pager_result all;
	unsigned int n = count, i;
	struct vm_buf *bp = NULL;
	struct bufobj *bo;
	s64 lblkno = 0;

	blk = find_room(object, m, &n, &all);
	if (!blk) {
		n = 1;
		goto out;
	}
	bo = vm_swap_bufobj(blk, &lblkno);
	if (bo)
		bp = vm_buf_alloc(bo, lblkno, VM_IO_WRITE);
	if (!bp) {
		unname_run(object, pindex, n, blk);
		all = VM_PAGER_AGAIN;
		goto out;
	}
	vm_buf_set_pages(bp, object, m, n);
	if (!(flags & VM_PAGER_PUT_SYNC)) {
		bp->flags |= VM_BUF_ASYNC;
		bp->io.iodone = write_done;
		bp->io.arg = pack_write(blk, flags);
		vm_buf_write(bp);
		all = VM_PAGER_PEND;
		goto out;
	}
	/* The caller has I/O started, and the object paging. */
	vm_object_unlock(object);
	all = VM_PAGER_OK;
	if (vm_buf_write(bp)) {
		all = VM_PAGER_ERROR;
		pr_err_ratelimited("pages %llu to %llu of object %p are dirty still: error %d\n",
				   pindex, pindex + n - 1, object, bp->io.error);
	}
	vm_buf_free(bp);
	vm_object_lock(object);
	if (all == VM_PAGER_ERROR)
		unname_run(object, pindex, n, blk);
out:
	for (i = 0; i < n; i++)
		result[i] = all;
	return n;
}

static void swap_putpages(struct vm_object *object, struct vm_page **m,
			  unsigned int count, unsigned int flags,
			  enum vm_pager_result *result)
{
	unsigned int i;

	if (vm_swap_adopt(object)) {
		for (i = 0; i < count; i++)
			result[i] = VM_PAGER_AGAIN;
		return;
	}
	for (i = 0; i < count;)
		i += put_run(object, m + i, count - i, flags, result + i);
}

const struct vm_pager_ops vm_swap_pager = {
	.name = "swap",
	.alloc = swap_alloc,
	.dealloc = swap_dealloc,
	.getpages = swap_getpages,
	.putpages = swap_putpages,
	.haspage = swap_haspage,
	.copy = swap_copy,
	.next = swap_next,
	.freespace = swap_freespace,
	.unswapped = swap_unswapped,
};

/* Start and end. */

static uma_zone_t make_zone(const char *name, size_t size, int reserve)
{
	uma_zone_t zone = uma_zcreate(name, size, NULL, NULL, NULL, NULL,
				      UMA_ALIGN_PTR, UMA_ZONE_VM);

	if (zone && uma_zone_reserve(zone, reserve)) {
		uma_zdestroy(zone);
		zone = NULL;
	}
	return zone;
}

int vm_swap_startup(void)
{
	int error = -ENOMEM;

	object_zone = make_zone("VM SWAP OBJECT", sizeof(struct swap_object),
				OBJECTS_RESERVED);
	node_zone = make_zone("VM SWAP NODE", sizeof(struct swap_node),
			      NODES_RESERVED);
	if (object_zone && node_zone)
		error = vm_swap_dev_startup();
	if (error) {
		uma_zdestroy(node_zone);
		uma_zdestroy(object_zone);
	}
	return error;
}

void vm_swap_shutdown(void)
{
	WARN_ON(!list_empty(&vm_swap_objects));
	vm_swap_dev_shutdown();
	uma_zdestroy(node_zone);
	uma_zdestroy(object_zone);
}
