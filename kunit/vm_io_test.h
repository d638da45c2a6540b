/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the suites about pagers have in common: a disk of memory that can be slow or
 * broken, files of the kernel's own, and pages that go out and come in as page-out and
 * faults would have them.
 */
#ifndef _UMA_VM_IO_TEST_H
#define _UMA_VM_IO_TEST_H

#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/shmem_fs.h>
#include <linux/vmalloc.h>

#include "vm_test.h"
#include "vmsim/bufobj.h"
#include "vmsim/pagers.h"
#include "vmsim/swap.h"

/* A disk. */

/**
 * struct test_disk - memory behind a buffer object
 * @mem: its contents
 * @nblks: pages of them
 * @read_error: errno that reads get, 0 for none
 * @write_error: errno that writes get
 * @bad_block: if not 0, the only block whose reads get @read_error
 * @slow: I/O waits until this is done, if not NULL
 * @slow_reads: the same for reads alone
 * @reads: operations begun
 * @writes: the same
 * @blocks: blocks moved
 */
struct test_disk {
	char *mem;
	u64 nblks;
	int read_error;
	int write_error;
	s64 bad_block;
	struct completion *slow;
	struct completion *slow_reads;
	atomic_t reads;
	atomic_t writes;
	atomic_t blocks;
};

static inline bool test_disk_fails(struct test_disk *disk, struct vm_buf *bp)
{
	s64 bad = READ_ONCE(disk->bad_block);

	return !bad || (bad >= bp->lblkno && bad < bp->lblkno + bp->io.count);
}

static inline void test_disk_io(struct work_struct *work)
{
	struct vm_io *io = container_of(work, struct vm_io, work);
	struct vm_buf *bp = to_vm_buf(io);
	struct test_disk *disk = bp->bo->private;
	struct completion *slow = READ_ONCE(disk->slow);
	bool write = io->flags & VM_IO_WRITE;
	unsigned int i;

	if (!slow && !write)
		slow = READ_ONCE(disk->slow_reads);
	if (slow)
		wait_for_completion(slow);
	io->error = write ? READ_ONCE(disk->write_error) :
		    test_disk_fails(disk, bp) ? READ_ONCE(disk->read_error) : 0;
	for (i = 0; !io->error && i < io->count; i++) {
		void *at = disk->mem + ((bp->lblkno + i) << PAGE_SHIFT);

		if (write)
			memcpy(at, vm_page_kva(io->m[i]), PAGE_SIZE);
		else
			memcpy(vm_page_kva(io->m[i]), at, PAGE_SIZE);
	}
	vm_buf_done(bp);
}

static inline void test_disk_strategy(struct bufobj *bo, struct vm_buf *bp)
{
	struct test_disk *disk = bo->private;

	atomic_inc(bp->io.flags & VM_IO_WRITE ? &disk->writes : &disk->reads);
	atomic_add(bp->io.count, &disk->blocks);
	vm_io_queue(&bp->io, test_disk_io);
}

static const struct vm_buf_ops test_disk_ops = {
	.name = "test disk",
	.write = bufobj_write,
	.strategy = test_disk_strategy,
};

/**
 * test_disk_make() - a disk
 * @test: the case, with whose end its memory goes
 * @nblks: its pages
 *
 * Return: the disk.
 */
static inline struct test_disk *test_disk_make(struct kunit *test, u64 nblks)
{
	struct test_disk *disk = kunit_kzalloc(test, sizeof(*disk), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, disk);
	disk->mem = kunit_kzalloc(test, nblks << PAGE_SHIFT, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, disk->mem);
	disk->nblks = nblks;
	return disk;
}

/**
 * test_swap_make() - a disk, swapped to
 * @test: the case
 * @nblks: its pages
 * @disk: where to leave it
 *
 * Return: the swap device.
 */
static inline struct vm_swap_dev *test_swap_make(struct kunit *test, u64 nblks,
						 struct test_disk **disk)
{
	struct vm_swap_dev *dev;

	*disk = test_disk_make(test, nblks);
	dev = vm_swap_add(NULL, &test_disk_ops, *disk, nblks);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	atomic_set(&(*disk)->reads, 0);
	atomic_set(&(*disk)->blocks, 0);
	return dev;
}

/* Blocks in use on all devices. */
static inline u64 test_swap_used(void)
{
	struct vm_swap_stats st;

	vm_swap_get_stats(&st);
	return st.used;
}

/* Files. */

/**
 * test_file() - a file that is only ours
 * @test: the case
 * @size: its bytes, all zero
 *
 * Return: the file, open for reading and writing.
 */
static inline struct file *test_file(struct kunit *test, loff_t size)
{
	struct file *file = shmem_file_setup("uma-test", size, VM_NORESERVE);

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	file->f_flags |= O_LARGEFILE;
	return file;
}

/* The byte at an offset of a file; -1 if it cannot be read. */
static inline int test_file_byte(struct file *file, loff_t at)
{
	u8 byte;

	return kernel_read(file, &byte, 1, &at) == 1 ? byte : -1;
}

/* Write @len equal bytes at an offset of a file. */
static inline void test_file_fill(struct kunit *test, struct file *file,
				  loff_t at, u8 byte, size_t len)
{
	void *buf = kunit_kmalloc(test, len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	memset(buf, byte, len);
	KUNIT_ASSERT_EQ(test, kernel_write(file, buf, len, &at), (ssize_t)len);
	kunit_kfree(test, buf);
}

/* Pages. */

/**
 * test_bring() - what a fault does for a page
 * @object: the object, not locked
 * @pindex: the index
 * @byte: where to leave the page's first byte
 *
 * Return: what the pager said, VM_PAGER_OK if the page was there.
 */
static inline enum vm_pager_result test_bring(struct vm_object *object,
					      u64 pindex, u8 *byte)
{
	enum vm_pager_result result = VM_PAGER_OK;
	struct vm_page *m;

	vm_object_lock(object);
	m = vm_page_grab(object, pindex, VM_ALLOC_NORMAL | VM_ALLOC_RETRY);
	if (m && !m->valid)
		result = vm_pager_get_pages(object, &m, 1, 0);
	if (!m) {
		result = VM_PAGER_AGAIN;
	} else if (result == VM_PAGER_OK) {
		*byte = *(u8 *)vm_page_kva(m);
		vm_page_lock_queues();
		vm_page_activate(m);
		vm_page_unlock_queues();
		vm_page_wakeup(m);
	} else {
		vm_page_free(m);
	}
	vm_object_unlock(object);
	return result;
}

/* The first byte of a page, wherever it is; -1 if it cannot be had. */
static inline int test_peek(struct vm_object *object, u64 pindex)
{
	u8 byte;

	return test_bring(object, pindex, &byte) == VM_PAGER_OK ? byte : -1;
}

/* Write what is dirty, and wait. 0 or an errno. */
static inline int test_clean(struct vm_object *object)
{
	int error;

	vm_object_lock(object);
	error = vm_object_page_clean(object, 0, object->size, OBJPC_SYNC);
	vm_object_unlock(object);
	return error;
}

/* Give up what is clean. */
static inline void test_drop_clean(struct vm_object *object)
{
	vm_object_lock(object);
	vm_object_page_remove(object, 0, object->size, true);
	vm_object_unlock(object);
}

/* Write what is dirty and give all pages up. */
static inline void test_page_out(struct kunit *test, struct vm_object *object)
{
	KUNIT_EXPECT_EQ(test, test_clean(object), 0);
	test_drop_clean(object);
	KUNIT_EXPECT_EQ(test, object->resident, 0);
}

/* Whether a page is resident and dirty. */
static inline bool test_is_dirty(struct vm_object *object, u64 pindex)
{
	struct vm_page *m;
	bool dirty;

	vm_object_lock(object);
	m = vm_page_lookup(object, pindex);
	dirty = m && m->dirty;
	vm_object_unlock(object);
	return dirty;
}

/* The block of an index. */
static inline u64 test_block(struct vm_object *object, u64 pindex)
{
	u64 blk;

	vm_object_lock(object);
	blk = object->type == OBJT_SWAP ? vm_swap_lookup(object, pindex) : 0;
	vm_object_unlock(object);
	return blk;
}

#endif /* _UMA_VM_IO_TEST_H */
