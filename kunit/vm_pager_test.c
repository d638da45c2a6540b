// SPDX-License-Identifier: GPL-2.0-only
/*
 * What pagers have in common: operations that end, buffers and the writes that are
 * counted; and the pagers that do no I/O.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "vm_io_test.h"

/* PA-09. */

/**
 * struct routine - a completion routine that takes its time
 * @io: its operation
 * @entered: it has begun
 * @go_on: it may end
 * @ended: it has
 * @seen: whether it had when the waiter came back
 */
struct routine {
	struct vm_io io;
	struct completion entered;
	struct completion go_on;
	bool ended;
	bool seen;
};

static void slow_routine(struct vm_io *io)
{
	struct routine *r = container_of(io, struct routine, io);

	complete(&r->entered);
	wait_for_completion(&r->go_on);
	WRITE_ONCE(r->ended, true);
	vm_io_mark_done(io);
}

static void end_io(struct work_struct *work)
{
	struct vm_io *io = container_of(work, struct vm_io, work);

	io->error = -EXDEV;
	vm_io_done(io);
}

static void wait_for_routine(void *arg)
{
	struct routine *r = arg;

	vm_io_wait(&r->io);
	r->seen = READ_ONCE(r->ended);
}

static void pa_09_done_is_when_the_routine_is_through(struct kunit *test)
{
	struct routine *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	struct vm_test_thread waiter;

	KUNIT_ASSERT_NOT_NULL(test, r);
	init_completion(&r->entered);
	init_completion(&r->go_on);
	vm_io_init(&r->io, NULL, 0, 0);
	r->io.iodone = slow_routine;
	vm_test_start(test, &waiter, wait_for_routine, r);
	vm_io_queue(&r->io, end_io);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&r->entered,
							    VM_TEST_SOON));
	/* The I/O is over; its routine is not. */
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&waiter));
	KUNIT_EXPECT_FALSE(test, vm_io_wait_timeout(&r->io, 1));
	complete(&r->go_on);
	vm_io_wait(&r->io);
	wait_for_completion(&waiter.done);
	KUNIT_EXPECT_TRUE_MSG(test, r->seen,
			      "the waiter came back before the routine ended");
	KUNIT_EXPECT_EQ(test, r->io.error, -EXDEV);
}

static void pa_09_one_without_is_marked_for_it(struct kunit *test)
{
	struct vm_io *io = kunit_kzalloc(test, sizeof(*io), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, io);
	for (i = 0; i < 1000; i++) {
		vm_io_init(io, NULL, 0, 0);
		vm_io_queue(io, end_io);
		KUNIT_ASSERT_EQ(test, vm_io_wait(io), -EXDEV);
		KUNIT_ASSERT_TRUE(test, io->state & VM_IO_DONE);
	}
	/* One that nobody ends is waited for as long as was asked. */
	vm_io_init(io, NULL, 0, 0);
	KUNIT_EXPECT_FALSE(test, vm_io_wait_timeout(io, 2));
	vm_io_done(io);
	KUNIT_EXPECT_TRUE(test, vm_io_wait_timeout(io, 2));
}

/* The same with a real write: pages are what the routine makes them. */
static void pa_09_a_write_ends_with_its_pages(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 4);
	enum vm_pager_result result[2];
	struct completion slow;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	struct vm_page *m[2];
	unsigned int i;

	init_completion(&slow);
	dev = test_swap_make(test, 16, &disk);
	disk->slow = &slow;
	for (i = 0; i < 2; i++)
		m[i] = vm_test_fill(test, object, i, 0x40 + i);
	vm_object_lock(object);
	vm_object_pip_add(object, 2);
	for (i = 0; i < 2; i++)
		vm_page_io_start(m[i]);
	vm_pager_put_pages(object, m, 2, 0, result);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, result[i], VM_PAGER_PEND);
		KUNIT_EXPECT_EQ(test, m[i]->io_count + 0, 1);
		KUNIT_EXPECT_NE(test, m[i]->dirty, 0);
	}
	KUNIT_EXPECT_EQ(test, object->paging_in_progress, 2);
	complete_all(&slow);
	vm_object_pip_wait(object);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_EQ(test, m[i]->io_count + 0, 0);
		KUNIT_EXPECT_EQ(test, m[i]->dirty, 0);
	}
	vm_object_unlock(object);
	bufobj_wwait(&dev->bo);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

/* PA-10. */

static void wait_for_writes(void *arg)
{
	bufobj_wwait(arg);
}

static void pa_10_take_drop_wait(struct kunit *test)
{
	struct vm_test_thread waiter;
	struct bufobj bo;

	bufobj_init(&bo, &test_disk_ops, NULL);
	/* None under way: nothing to wait for. */
	bufobj_wwait(&bo);
	bufobj_wref(&bo);
	bufobj_wref(&bo);
	vm_test_start(test, &waiter, wait_for_writes, &bo);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&waiter));
	bufobj_wdrop(&bo);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&waiter));
	bufobj_wdrop(&bo);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&waiter));
	KUNIT_EXPECT_EQ(test, bo.writes, 0);
}

/* A block with a byte of one's own in it, to be written later. */
static void delay_block(struct kunit *test, struct bufobj *bo, s64 lblkno,
			u8 byte)
{
	struct vm_buf *bp = bufobj_get(bo, lblkno);

	KUNIT_ASSERT_FALSE(test, IS_ERR(bp));
	memset(vm_buf_data(bp), byte, PAGE_SIZE);
	vm_buf_delay(bp);
}

static void flush(void *arg)
{
	bufobj_flush(arg, true);
}

static void pa_10_an_unmount_leaves_no_buffer(struct kunit *test)
{
	struct test_disk *disk = test_disk_make(test, 8);
	struct vm_test_thread flusher;
	struct completion slow;
	struct bufobj bo;
	struct vm_buf *bp;
	s64 i;

	bufobj_init(&bo, &test_disk_ops, disk);
	for (i = 0; i < 4; i++)
		delay_block(test, &bo, i, 0x50 + i);
	KUNIT_ASSERT_EQ(test, bufobj_read(&bo, 5, &bp), 0);
	vm_buf_release(bp);
	KUNIT_EXPECT_EQ(test, bo.nbufs, 5);
	KUNIT_EXPECT_EQ(test, bo.ndirty, 4);
	KUNIT_EXPECT_EQ(test, disk->mem[0], 0);

	/* While writes are under way it is not over. */
	init_completion(&slow);
	disk->slow = &slow;
	vm_test_start(test, &flusher, flush, &bo);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&flusher));
	complete_all(&slow);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&flusher));
	KUNIT_EXPECT_EQ(test, bo.nbufs, 0);
	KUNIT_EXPECT_EQ(test, bo.ndirty, 0);
	KUNIT_EXPECT_EQ(test, bo.writes, 0);
	KUNIT_EXPECT_NULL(test, bufobj_find(&bo, 0));
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, disk->mem[i << PAGE_SHIFT], 0x50 + i);

	/* What nobody waits for as yet is waited for, too. */
	bufobj_wref(&bo);
	vm_test_start(test, &flusher, flush, &bo);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&flusher));
	bufobj_wdrop(&bo);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&flusher));
}

static void pa_10_a_failed_mount_leaves_no_buffer(struct kunit *test)
{
	struct test_disk *disk = test_disk_make(test, 8);
	struct vm_swap_dev *dev;
	struct bufobj bo;

	/* Its last block cannot be read, by which time there is one of the first. */
	disk->bad_block = 7;
	disk->read_error = -EIO;
	dev = vm_swap_add(NULL, &test_disk_ops, disk, 8);
	KUNIT_EXPECT_TRUE(test, dev == ERR_PTR(-EIO));
	KUNIT_EXPECT_EQ(test, atomic_read(&disk->reads), 2);

	/* What such a mount had delayed is forgotten, not written. */
	bufobj_init(&bo, &test_disk_ops, disk);
	delay_block(test, &bo, 1, 0x77);
	KUNIT_EXPECT_EQ(test, bufobj_flush(&bo, false), 0);
	KUNIT_EXPECT_EQ(test, bo.nbufs, 0);
	KUNIT_EXPECT_EQ(test, bo.ndirty, 0);
	KUNIT_EXPECT_EQ(test, disk->mem[PAGE_SIZE], 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&disk->writes), 0);
}

static void pa_10_a_block_has_one_owner(struct kunit *test)
{
	struct test_disk *disk = test_disk_make(test, 8);
	struct vm_buf *bp, *again;
	struct bufobj bo;

	bufobj_init(&bo, &test_disk_ops, disk);
	disk->mem[3 << PAGE_SHIFT] = 0x33;
	KUNIT_ASSERT_EQ(test, bufobj_read(&bo, 3, &bp), 0);
	KUNIT_EXPECT_EQ(test, *(u8 *)vm_buf_data(bp), 0x33);
	KUNIT_EXPECT_PTR_EQ(test, bufobj_find(&bo, 3), bp);
	KUNIT_EXPECT_NULL(test, bufobj_find(&bo, 4));
	vm_buf_release(bp);
	/* The second time it is there. */
	KUNIT_ASSERT_EQ(test, bufobj_read(&bo, 3, &again), 0);
	KUNIT_EXPECT_PTR_EQ(test, again, bp);
	KUNIT_EXPECT_EQ(test, atomic_read(&disk->reads), 1);
	vm_buf_release(bp);
	/* One that cannot be written stays, until it is given up. */
	delay_block(test, &bo, 3, 0x34);
	disk->write_error = -ENOSPC;
	KUNIT_EXPECT_EQ(test, bufobj_flush(&bo, true), -ENOSPC);
	KUNIT_EXPECT_EQ(test, bo.nbufs, 0);
}

/* PA-08. */

static struct vm_device *make_device(struct kunit *test, unsigned long npages)
{
	struct vm_device *dev = vm_device_create("test", npages);
	unsigned long i;

	KUNIT_ASSERT_NOT_NULL(test, dev);
	for (i = 0; i < npages; i++)
		memset(__va(PFN_PHYS(dev->pfn + i)), 0x80 + i, PAGE_SIZE);
	return dev;
}

static void pa_08_device_pages_are_valid_from_the_start(struct kunit *test)
{
	struct vm_device *dev = make_device(test, 4);
	enum vm_pager_result result;
	struct vm_object *object;
	struct vm_page *m, *ours;
	unsigned int i;

	object = vm_pager_allocate(OBJT_DEVICE, dev, 4 * PAGE_SIZE,
				   VM_PROT_RW, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(object));
	KUNIT_EXPECT_EQ(test, object->size, 4);
	for (i = 0; i < 4; i++) {
		vm_object_lock(object);
		m = vm_page_alloc(object, i, VM_ALLOC_NORMAL);
		KUNIT_ASSERT_NOT_NULL(test, m);
		ours = m;
		result = vm_pager_get_pages(object, &m, 1, 0);
		KUNIT_EXPECT_EQ(test, result, VM_PAGER_OK);
		KUNIT_EXPECT_PTR_NE(test, m, ours);
		KUNIT_EXPECT_EQ(test, m->valid, VM_PAGE_BITS_ALL);
		KUNIT_EXPECT_TRUE(test, m->flags & PG_FICTITIOUS);
		KUNIT_EXPECT_TRUE(test, m->busy);
		KUNIT_EXPECT_PTR_EQ(test, vm_page_lookup(object, i), m);
		KUNIT_EXPECT_PTR_EQ(test, vm_page_kva(m),
				    __va(PFN_PHYS(dev->pfn + i)));
		/* What whoever gets it does to a page that is not. */
		vm_page_zero_invalid(m, true);
		KUNIT_EXPECT_EQ_MSG(test, *(u8 *)vm_page_kva(m), 0x80 + i,
				    "somebody zeroed the device");
		vm_page_wakeup(m);
		vm_object_unlock(object);
	}
	/* Dropped and looked at again: the same record. */
	test_drop_clean(object);
	KUNIT_EXPECT_EQ(test, object->resident, 0);
	KUNIT_EXPECT_EQ(test, test_peek(object, 3), 0x83);
	vm_object_lock(object);
	KUNIT_EXPECT_PTR_EQ(test, vm_page_lookup(object, 3), m);
	vm_object_unlock(object);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, refcount_read(&dev->refs), 1);
	vm_device_put(dev);
}

static void pa_08_a_device_ends_where_it_ends(struct kunit *test)
{
	struct vm_device *dev = make_device(test, 2);
	struct vm_object *object;
	u8 byte;

	object = vm_pager_allocate(OBJT_DEVICE, dev, 3 * PAGE_SIZE,
				   VM_PROT_RW, 0);
	KUNIT_EXPECT_TRUE(test, object == ERR_PTR(-EINVAL));
	object = vm_pager_allocate(OBJT_DEVICE, dev, 2 * PAGE_SIZE, VM_PROT_RW,
				   PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, object == ERR_PTR(-EINVAL));
	object = vm_pager_allocate(OBJT_DEVICE, dev, PAGE_SIZE, VM_PROT_RW,
				   PAGE_SIZE);
	KUNIT_ASSERT_FALSE(test, IS_ERR(object));
	KUNIT_EXPECT_EQ(test, refcount_read(&dev->refs), 2);
	/* It outlives its maker's interest. */
	vm_device_put(dev);
	KUNIT_EXPECT_EQ(test, test_peek(object, 1), 0x81);
	KUNIT_EXPECT_EQ(test, test_bring(object, 2, &byte), VM_PAGER_BAD);
	KUNIT_EXPECT_EQ(test, object->resident, 1);
	vm_object_deallocate(object);
}

/* The others. */

static void pa_01_physical_memory_is_never_paged_out(struct kunit *test)
{
	struct vm_object *object;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	u8 byte;

	dev = test_swap_make(test, 16, &disk);
	object = vm_pager_allocate(OBJT_PHYS, NULL, 3 * PAGE_SIZE - 1,
				   VM_PROT_RW, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(object));
	KUNIT_EXPECT_EQ(test, object->size, 3);
	KUNIT_EXPECT_EQ(test, test_peek(object, 1), 0);
	KUNIT_EXPECT_EQ(test, test_bring(object, 3, &byte), VM_PAGER_BAD);
	vm_test_fill(test, object, 1, 0x11);
	KUNIT_EXPECT_EQ(test, test_clean(object), 0);
	test_drop_clean(object);
	KUNIT_EXPECT_TRUE(test, test_is_dirty(object, 1));
	KUNIT_EXPECT_EQ(test, test_peek(object, 1), 0x11);
	KUNIT_EXPECT_EQ(test, atomic_read(&disk->writes), 0);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

static void pa_01_who_asks_for_nonsense_gets_an_errno(struct kunit *test)
{
	static const struct {
		enum vm_object_type type;
		void *handle;
		u64 size;
		u64 offset;
	} bad[] = {
		{ OBJT_DEFAULT, NULL, 0, 0 },
		{ OBJT_DEFAULT, NULL, PAGE_SIZE, 1 },
		{ OBJT_DEFAULT, NULL, U64_MAX, PAGE_SIZE },
		{ OBJT_DEFAULT, NULL, 1ULL << 63, 0 },
		{ OBJT_DEFAULT, (void *)bad, PAGE_SIZE, 0 },
		{ OBJT_SWAP, (void *)bad, PAGE_SIZE, 0 },
		{ OBJT_PHYS, (void *)bad, PAGE_SIZE, 0 },
		{ OBJT_VNODE, NULL, PAGE_SIZE, 0 },
		{ OBJT_DEVICE, NULL, PAGE_SIZE, 0 },
		{ OBJT_DEAD, NULL, PAGE_SIZE, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_TRUE_MSG(test,
				      IS_ERR(vm_pager_allocate(bad[i].type,
							       bad[i].handle,
							       bad[i].size,
							       VM_PROT_RW,
							       bad[i].offset)),
				      "entry %u was taken", i);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(pa_01_physical_memory_is_never_paged_out),
	KUNIT_CASE(pa_01_who_asks_for_nonsense_gets_an_errno),
	KUNIT_CASE(pa_08_device_pages_are_valid_from_the_start),
	KUNIT_CASE(pa_08_a_device_ends_where_it_ends),
	KUNIT_CASE(pa_09_done_is_when_the_routine_is_through),
	KUNIT_CASE(pa_09_one_without_is_marked_for_it),
	KUNIT_CASE(pa_09_a_write_ends_with_its_pages),
	KUNIT_CASE(pa_10_take_drop_wait),
	KUNIT_CASE(pa_10_an_unmount_leaves_no_buffer),
	KUNIT_CASE(pa_10_a_failed_mount_leaves_no_buffer),
	KUNIT_CASE(pa_10_a_block_has_one_owner),
	{}
};

static struct kunit_suite suite = {
	.name = "vm_pager",
	.init = vm_test_init,
	.exit = vm_test_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

UMA_IMPORT_FOR_TESTS;
MODULE_DESCRIPTION("KUnit: what pagers have in common");
MODULE_LICENSE("GPL");
