// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices to swap to, and their blocks.
 *
 * Pages that are paged out together are wanted together, more often than not, and one
 * operation for sixteen of them costs little more than for one. So blocks are
 * allocated in runs: as many as are asked for if they can be had in one piece, else
 * half of that, and so on. The search goes on where the last one ended, so that what
 * follows in time follows on the device; and with several devices they take turns, so
 * that all of them work.
 *
 * Two counts of blocks in use. A block is used from when it is allocated, and known
 * from when an object's metadata names it. Between the two it is on its way; nobody
 * who goes through the metadata will find it there, and it is not lost (PA-02).
 *
 * What is behind a device, swap does not know: it has a buffer object. Mostly that is
 * a file or a block device by path; a device has a name from the day it is added, which is
 * all that a message about it needs (PA-11).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": swap: " fmt

#include <linux/atomic.h>
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "uma/compat.h"
#include "vmsim/backing.h"
#include "vmsim/bufobj.h"
#include "vmsim/file.h"
#include "vmsim/pagers.h"
#include "vmsim/swap.h"

DEFINE_SPINLOCK(vm_swap_lock);

/* A read that takes longer than this is worth a line in the log. */
long vm_swap_timeout = 20 * HZ;
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_swap_timeout);

static LIST_HEAD(devices);
static atomic64_t timeouts;

static char *swap;
module_param(swap, charp, 0400);
MODULE_PARM_DESC(swap, "file or block device to swap to from the start");

/* Devices. */

/* Whether one's file is this one. Under vm_swap_lock. */
static bool swaps_to(const struct inode *inode)
{
	struct vm_swap_dev *dev;

	list_for_each_entry(dev, &devices, link)
		if (dev->backing.file &&
		    vm_backing_inode(&dev->backing) == inode)
			return true;
	return false;
}

/*
 * Add a device behind all others; -EBUSY if its file is in use already: swapped to, or
 * mapped, so that clients would write into each other's memory.
 */
static int link_device(struct vm_swap_dev *dev)
{
	struct inode *inode = dev->backing.file ?
			      vm_backing_inode(&dev->backing) : NULL;
	struct vm_swap_dev *other;
	bool mapped;

	spin_lock(&vm_swap_lock);
	if (inode && swaps_to(inode)) {
		spin_unlock(&vm_swap_lock);
		return -EBUSY;
	}
	/* With a gap, so that no run continues on the next device. */
	dev->first = 1;
	list_for_each_entry(other, &devices, link)
		dev->first = max(dev->first, other->first + other->nblks + 1);
	/* Nobody gets a block yet. */
	dev->closing = true;
	list_add_tail(&dev->link, &devices);
	spin_unlock(&vm_swap_lock);

	/* Whoever maps it from here on finds it in the list. */
	mapped = inode && vm_file_is_mapped(inode);
	spin_lock(&vm_swap_lock);
	if (mapped)
		list_del(&dev->link);
	else
		dev->closing = false;
	spin_unlock(&vm_swap_lock);
	return mapped ? -EBUSY : 0;
}

/**
 * vm_swap_uses() - whether a file is swapped to
 * @inode: the file's, as of vm_backing_inode()
 *
 * Context: any but interrupts.
 * Return: whether it is, or is about to be or not to be.
 */
bool vm_swap_uses(const struct inode *inode)
{
	bool uses;

	spin_lock(&vm_swap_lock);
	uses = swaps_to(inode);
	spin_unlock(&vm_swap_lock);
	return uses;
}

/*
 * Can it be read, from the first block to the last? As a mount would, and as with a
 * mount that failed no buffer is left (PA-10).
 */
static int try_device(struct vm_swap_dev *dev)
{
	struct vm_buf *bp;
	int error;

	error = bufobj_read(&dev->bo, 0, &bp);
	if (!error) {
		vm_buf_release(bp);
		error = bufobj_read(&dev->bo, dev->nblks - 1, &bp);
		if (!error)
			vm_buf_release(bp);
	}
	bufobj_flush(&dev->bo, false);
	return error;
}

/**
 * vm_swap_add() - add a device
 * @backing: the file, which is the device's then; or NULL
 * @ops: the operations of its buffer object, if it has no file
 * @private: for those
 * @nblks: its blocks; 0 for as many as the file has
 *
 * Context: process context, may sleep.
 * Return: the device, or an ERR_PTR(); then @backing is the caller's still.
 */
struct vm_swap_dev *vm_swap_add(struct vm_backing *backing,
				const struct vm_buf_ops *ops, void *private,
				u64 nblks)
{
	struct vm_swap_dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	int error = -ENOMEM;

	if (!dev)
		return ERR_PTR(-ENOMEM);
	if (backing) {
		dev->backing = *backing;
		vm_backing_name(backing, dev->name, sizeof(dev->name));
		bufobj_init(&dev->bo, &vm_backing_buf_ops, &dev->backing);
		if (!nblks)
			nblks = vm_backing_size(backing) >> PAGE_SHIFT;
	} else {
		snprintf(dev->name, sizeof(dev->name), "(%s)", ops->name);
		bufobj_init(&dev->bo, ops, private);
	}
	if (!nblks) {
		error = -EINVAL;
		goto fail;
	}
	dev->nblks = min_t(u64, nblks, VM_SWAP_BLOCKS_MAX);
	dev->map = kvcalloc(BITS_TO_LONGS(dev->nblks), sizeof(long), GFP_KERNEL);
	if (!dev->map)
		goto fail;
	error = try_device(dev);
	if (!error)
		error = link_device(dev);
	if (!error)
		return dev;
fail:
	kvfree(dev->map);
	kfree(dev);
	return ERR_PTR(error);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_swap_add);

/**
 * vm_swap_remove() - take a device away
 * @dev: the device, of which no block is in use, and closed, or nobody swaps any more
 *
 * Context: process context, may sleep.
 */
void vm_swap_remove(struct vm_swap_dev *dev)
{
	spin_lock(&vm_swap_lock);
	list_del(&dev->link);
	spin_unlock(&vm_swap_lock);
	WARN(dev->used, "uma: %llu blocks of %s are in use\n", dev->used,
	     dev->name);
	bufobj_flush(&dev->bo, true);
	vm_backing_close(&dev->backing);
	kvfree(dev->map);
	kfree(dev);
}

/**
 * vm_swap_close() - no more blocks of a device
 * @dev: the device, or NULL
 * @path: else, where it is
 *
 * Context: process context, may sleep.
 * Return: the device, which is the caller's to remove or reopen, or an ERR_PTR():
 * -ENOENT if it is none, -EBUSY if somebody else is at it.
 */
struct vm_swap_dev *vm_swap_close(struct vm_swap_dev *dev, const char *path)
{
	struct vm_backing_id id;
	struct vm_swap_dev *it;
	int error;

	if (!dev) {
		error = vm_backing_identify(path, &id);
		if (error)
			return ERR_PTR(error);
	}
	error = -ENOENT;
	spin_lock(&vm_swap_lock);
	list_for_each_entry(it, &devices, link) {
		if (dev ? it != dev : !vm_backing_is(&it->backing, &id))
			continue;
		error = it->closing ? -EBUSY : 0;
		it->closing = true;
		break;
	}
	spin_unlock(&vm_swap_lock);
	return error ? ERR_PTR(error) : it;
}

/**
 * vm_swap_reopen() - undo vm_swap_close()
 * @dev: the device
 */
void vm_swap_reopen(struct vm_swap_dev *dev)
{
	spin_lock(&vm_swap_lock);
	dev->closing = false;
	spin_unlock(&vm_swap_lock);
}

/**
 * vm_swap_room() - blocks that could be allocated
 *
 * Return: their number.
 */
u64 vm_swap_room(void)
{
	struct vm_swap_dev *dev;
	u64 room = 0;

	spin_lock(&vm_swap_lock);
	list_for_each_entry(dev, &devices, link)
		if (!dev->closing)
			room += dev->nblks - dev->used;
	spin_unlock(&vm_swap_lock);
	return room;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_swap_room);

/* Blocks. */

/* A run on one device; its first block, or 0. Under vm_swap_lock. */
static u64 alloc_on(struct vm_swap_dev *dev, unsigned int n)
{
	unsigned long at;

	if (dev->closing || dev->nblks - dev->used < n)
		return 0;
	at = bitmap_find_next_zero_area(dev->map, dev->nblks, dev->hint, n, 0);
	if (at >= dev->nblks && dev->hint)
		at = bitmap_find_next_zero_area(dev->map, dev->nblks, 0, n, 0);
	if (at >= dev->nblks)
		return 0;
	bitmap_set(dev->map, at, n);
	dev->used += n;
	dev->hint = at + n;
	/* The others' turn. */
	list_move_tail(&dev->link, &devices);
	return dev->first + at;
}

/**
 * vm_swap_alloc() - allocate a run of blocks
 * @n: how many are wanted; replaced by how many there are
 *
 * They are on their way from now on: vm_swap_know() or vm_swap_free() comes next.
 *
 * Context: any that may take a spinlock; an object's lock may be held.
 * Return: the first, or 0 if there is none at all.
 */
u64 vm_swap_alloc(unsigned int *n)
{
	struct vm_swap_dev *dev, *next;
	unsigned int want;
	u64 blk = 0;

	spin_lock(&vm_swap_lock);
	for (want = *n; want && !blk; want /= 2) {
		list_for_each_entry_safe(dev, next, &devices, link) {
			blk = alloc_on(dev, want);
			if (blk) {
				*n = want;
				break;
			}
		}
	}
	spin_unlock(&vm_swap_lock);
	return blk;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_swap_alloc);

/* The device of a block that is in use. Under vm_swap_lock. */
static struct vm_swap_dev *device_of(u64 blk)
{
	struct vm_swap_dev *dev;

	list_for_each_entry(dev, &devices, link)
		if (blk - dev->first < dev->nblks)
			return dev;
	WARN(1, "uma: swap block %llu is on no device\n", blk);
	return NULL;
}

/**
 * vm_swap_free() - blocks are not needed any more
 * @blk: the first
 * @n: how many, of one device
 * @known: some metadata named them until now
 *
 * Context: any that may take a spinlock; an object's lock may be held.
 */
void vm_swap_free(u64 blk, unsigned int n, bool known)
{
	struct vm_swap_dev *dev;
	unsigned int i;

	spin_lock(&vm_swap_lock);
	dev = device_of(blk);
	if (dev) {
		for (i = 0; i < n; i++)
			WARN(!__test_and_clear_bit(blk - dev->first + i,
						   dev->map),
			     "uma: swap block %llu is free already\n", blk + i);
		dev->used -= n;
		if (known)
			dev->known -= n;
	}
	spin_unlock(&vm_swap_lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_swap_free);

/**
 * vm_swap_know() - metadata names blocks from now on
 * @blk: the first
 * @n: how many, of one device
 *
 * Context: the lock of the object is held whose metadata it is.
 */
void vm_swap_know(u64 blk, unsigned int n)
{
	struct vm_swap_dev *dev;

	spin_lock(&vm_swap_lock);
	dev = device_of(blk);
	if (dev)
		dev->known += n;
	spin_unlock(&vm_swap_lock);
}

/**
 * vm_swap_is_on() - is a block on a device?
 * @blk: the block, or 0
 * @dev: the device
 *
 * Return: whether.
 */
bool vm_swap_is_on(u64 blk, const struct vm_swap_dev *dev)
{
	return blk && blk - dev->first < dev->nblks;
}

/**
 * vm_swap_bufobj() - where a block is
 * @blk: the block, in use: that keeps the device
 * @lblkno: its number there
 *
 * Return: the buffer object.
 */
struct bufobj *vm_swap_bufobj(u64 blk, s64 *lblkno)
{
	struct vm_swap_dev *dev;

	spin_lock(&vm_swap_lock);
	dev = device_of(blk);
	if (dev)
		*lblkno = blk - dev->first;
	spin_unlock(&vm_swap_lock);
	return dev ? &dev->bo : NULL;
}

/**
 * vm_swap_report_timeout() - say that a read takes long
 * @blk: its first block, in use
 * @n: how many
 *
 * Whatever the device is: by its name, which it has been given when it came (PA-11).
 *
 * Context: process context.
 */
void vm_swap_report_timeout(u64 blk, unsigned int n)
{
	struct vm_swap_dev *dev;

	atomic64_inc(&timeouts);
	spin_lock(&vm_swap_lock);
	dev = device_of(blk);
	if (dev)
		pr_warn_ratelimited("a read of %u blocks at %llu of %s takes longer than %u ms\n",
				    n, blk - dev->first, dev->name,
				    jiffies_to_msecs(vm_swap_timeout));
	spin_unlock(&vm_swap_lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_swap_report_timeout);

/* Seeing it. */

/**
 * vm_swap_get_stats() - how swap stands
 * @st: where to write that
 */
void vm_swap_get_stats(struct vm_swap_stats *st)
{
	struct vm_swap_dev *dev;

	*st = (struct vm_swap_stats) { .timeouts = atomic64_read(&timeouts) };
	spin_lock(&vm_swap_lock);
	list_for_each_entry(dev, &devices, link) {
		st->devices++;
		st->blocks += dev->nblks;
		st->used += dev->used;
	}
	spin_unlock(&vm_swap_lock);
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_swap_get_stats);

/**
 * vm_swap_show() - a line for each device
 * @m: where to
 *
 * Context: process context.
 */
void vm_swap_show(struct seq_file *m)
{
	struct vm_swap_dev *dev;

	seq_printf(m, "%-32s %12s %12s\n", "device", "blocks", "used");
	spin_lock(&vm_swap_lock);
	list_for_each_entry(dev, &devices, link)
		seq_printf(m, "%-32s %12llu %12llu%s\n", dev->name, dev->nblks,
			   dev->used, dev->closing ? " closing" : "");
	spin_unlock(&vm_swap_lock);
}

/**
 * vm_swapon() - swap to a file or block device
 * @path: where it is
 *
 * What it contains is overwritten.
 *
 * Context: process context, may sleep; with the caller's rights.
 * Return: 0, -EINVAL if it is neither or has no block, -EBUSY if it is in use already,
 * or another errno of opening and reading it.
 */
int vm_swapon(const char *path)
{
	struct vm_backing backing;
	struct vm_swap_dev *dev;
	int error;

	error = vm_backing_open(&backing, path);
	if (error)
		return error;
	dev = vm_swap_add(&backing, NULL, NULL, 0);
	if (IS_ERR(dev)) {
		vm_backing_close(&backing);
		return PTR_ERR(dev);
	}
	return 0;
}
EXPORT_SYMBOL_FOR_UMA_TESTS(vm_swapon);

/* Start and end. */

/**
 * vm_swap_dev_startup() - add the device that was named at load
 *
 * Return: 0 or an errno, with a message.
 */
int vm_swap_dev_startup(void)
{
	int error;

	if (!swap || !*swap)
		return 0;
	error = vm_swapon(swap);
	if (error)
		pr_err("cannot swap to %s: error %d\n", swap, error);
	return error;
}

/* No object is left. */
void vm_swap_dev_shutdown(void)
{
	struct vm_swap_dev *dev, *next;

	list_for_each_entry_safe(dev, next, &devices, link)
		vm_swap_remove(dev);
}
