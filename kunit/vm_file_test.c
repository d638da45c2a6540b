// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file pager: sizes and offsets, references, the end of an object, and buffer
 * objects between it and the file.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "fail_nth.h"
#include "vm_io_test.h"
#include "vmsim/file.h"

#define GIB	BIT_ULL(30)

static struct vm_object *map_file(struct kunit *test, struct file *file,
				  u64 size, u8 prot)
{
	struct vm_object *object;

	object = vm_pager_allocate(OBJT_VNODE, file, size, prot, 0);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(object), "error %ld",
			       PTR_ERR(object));
	return object;
}

/* Bring a page and write to it. */
static void change(struct kunit *test, struct vm_object *object, u64 pindex,
		   u8 byte)
{
	KUNIT_EXPECT_GE(test, test_peek(object, pindex), 0);
	vm_test_fill(test, object, pindex, byte);
}

/* PA-05. */

static void pa_05_the_creator_gives_the_size(struct kunit *test)
{
	struct file *file = test_file(test, 8 * PAGE_SIZE);
	struct vm_object *object, *again;
	u8 byte;

	test_file_fill(test, file, 0, 0x11, 8 * PAGE_SIZE);
	/* Half a page less than three, whatever the file has. */
	object = map_file(test, file, 3 * PAGE_SIZE - PAGE_SIZE / 2,
			  VM_PROT_RW);
	KUNIT_EXPECT_EQ(test, object->size, 3);
	KUNIT_EXPECT_EQ(test, test_peek(object, 2), 0x11);
	KUNIT_EXPECT_EQ(test, test_bring(object, 3, &byte), VM_PAGER_BAD);
	vm_object_lock(object);
	KUNIT_EXPECT_TRUE(test, vm_pager_has_page(object, 2, NULL, NULL));
	KUNIT_EXPECT_FALSE(test, vm_pager_has_page(object, 3, NULL, NULL));
	/* Behind the last byte there is nothing. */
	KUNIT_EXPECT_EQ(test, *((u8 *)vm_page_kva(vm_page_lookup(object, 2)) +
				PAGE_SIZE / 2 - 1), 0x11);
	KUNIT_EXPECT_EQ(test, *((u8 *)vm_page_kva(vm_page_lookup(object, 2)) +
				PAGE_SIZE / 2), 0);
	vm_object_unlock(object);
	/* And what is written there is not the file's. */
	change(test, object, 2, 0x22);
	KUNIT_EXPECT_EQ(test, test_clean(object), 0);
	KUNIT_EXPECT_EQ(test, test_file_byte(file, 3 * PAGE_SIZE -
					     PAGE_SIZE / 2 - 1), 0x22);
	KUNIT_EXPECT_EQ(test, test_file_byte(file, 3 * PAGE_SIZE -
					     PAGE_SIZE / 2), 0x11);
	/* Somebody who knows of more. */
	again = map_file(test, file, 5 * PAGE_SIZE, VM_PROT_READ);
	KUNIT_EXPECT_PTR_EQ(test, again, object);
	KUNIT_EXPECT_EQ(test, object->size, 5);
	KUNIT_EXPECT_EQ(test, test_peek(object, 4), 0x11);
	vm_object_deallocate(again);
	vm_object_deallocate(object);
	fput(file);
}

/* A file that is shorter than it was reads as zeroes, and grows no further than said. */
static void pa_05_a_file_does_not_grow_by_being_mapped(struct kunit *test)
{
	struct file *file = test_file(test, 0);
	struct vm_object *object = map_file(test, file, PAGE_SIZE + 10,
					    VM_PROT_RW);

	KUNIT_EXPECT_EQ(test, test_peek(object, 0), 0);
	change(test, object, 1, 0x33);
	KUNIT_EXPECT_EQ(test, test_clean(object), 0);
	KUNIT_EXPECT_EQ(test, i_size_read(file_inode(file)), PAGE_SIZE + 10);
	vm_object_deallocate(object);
	fput(file);
}

/*
 * The file grows, and who maps it next says so. What others have put behind its former
 * end is seen from then on, and is not overwritten with the zeroes that were there.
 */
static void pa_05_a_file_that_has_grown(struct kunit *test)
{
	struct file *file = test_file(test, 100);
	struct vm_object *object = map_file(test, file, 100, VM_PROT_RW), *again;
	struct vm_page *m;
	bool wired;
	int i;

	for (i = 0; i < 2; i++) {
		loff_t end = i_size_read(file_inode(file));

		m = vm_test_fill(test, object, 0, 0x33 + i);
		vm_page_lock_queues();
		wired = i && vm_page_wire(m);
		vm_page_unlock_queues();
		test_file_fill(test, file, end, 0x44 + i, 1000);
		again = map_file(test, file, end + 1000, VM_PROT_RW);
		KUNIT_EXPECT_PTR_EQ(test, again, object);
		KUNIT_EXPECT_EQ(test, test_file_byte(file, end - 1), 0x33 + i);
		if (wired) {
			vm_object_lock(object);
			KUNIT_EXPECT_PTR_EQ(test, vm_page_lookup(object, 0), m);
			KUNIT_EXPECT_EQ(test, m->valid, 0);
			vm_page_lock_queues();
			vm_page_unwire(m, true);
			vm_page_unlock_queues();
			vm_object_unlock(object);
		}
		KUNIT_EXPECT_EQ(test, test_peek(object, 0), 0x33 + i);
		vm_object_lock(object);
		m = vm_page_lookup(object, 0);
		KUNIT_EXPECT_EQ(test, ((u8 *)vm_page_kva(m))[end - 1], 0x33 + i);
		KUNIT_EXPECT_EQ(test, ((u8 *)vm_page_kva(m))[end], 0x44 + i);
		((u8 *)vm_page_kva(m))[0] = 0x55;
		vm_page_dirty(m);
		vm_object_unlock(object);
		KUNIT_EXPECT_EQ(test, test_clean(object), 0);
		KUNIT_EXPECT_EQ(test, test_file_byte(file, 0), 0x55);
		KUNIT_EXPECT_EQ(test, test_file_byte(file, end), 0x44 + i);
		vm_object_deallocate(again);
	}
	vm_object_deallocate(object);
	fput(file);
}

static void pa_05_large_offsets_and_indices(struct kunit *test)
{
	static const u64 at[] = {
		2 * GIB - PAGE_SIZE, 2 * GIB, 4 * GIB - PAGE_SIZE, 4 * GIB,
		5 * GIB - PAGE_SIZE,
		/* Indices with bit 31 set, and beyond 32 bits. */
		(1ULL << 43), (1ULL << 44) - PAGE_SIZE, (1ULL << 44),
		(1ULL << 45) + 3 * PAGE_SIZE,
	};
	struct file *file = test_file(test, (1ULL << 46));
	struct vm_object *object = map_file(test, file, 1ULL << 46, VM_PROT_RW);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(at); i++)
		test_file_fill(test, file, at[i] + 5, 0x40 + i, 1);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		struct vm_page *m;

		KUNIT_EXPECT_EQ(test, test_peek(object, at[i] >> PAGE_SHIFT), 0);
		vm_object_lock(object);
		m = vm_page_lookup(object, at[i] >> PAGE_SHIFT);
		KUNIT_EXPECT_EQ_MSG(test, ((u8 *)vm_page_kva(m))[5], 0x40 + i,
				    "read at %#llx", at[i]);
		vm_object_unlock(object);
		vm_test_fill(test, object, at[i] >> PAGE_SHIFT, 0x60 + i);
	}
	KUNIT_EXPECT_EQ_MSG(test, test_clean(object), 0,
			    "a write far out was refused");
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		KUNIT_EXPECT_FALSE(test, test_is_dirty(object,
						       at[i] >> PAGE_SHIFT));
		KUNIT_EXPECT_EQ_MSG(test, test_file_byte(file, at[i]), 0x60 + i,
				    "written at %#llx", at[i]);
		KUNIT_EXPECT_EQ(test, test_file_byte(file, at[i] + PAGE_SIZE - 1),
				0x60 + i);
	}
	vm_object_deallocate(object);
	fput(file);
}

static void pa_05_only_what_can_be_paged_is_taken(struct kunit *test)
{
	struct file *file = test_file(test, PAGE_SIZE), *other;
	struct vm_object *object;

	/* Open for reading only. */
	other = dentry_open(&file->f_path, O_RDONLY, current_cred());
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	object = vm_pager_allocate(OBJT_VNODE, other, PAGE_SIZE, VM_PROT_RW, 0);
	KUNIT_EXPECT_TRUE(test, object == ERR_PTR(-EBADF));
	object = map_file(test, other, PAGE_SIZE, VM_PROT_READ);
	change(test, object, 0, 0x11);
	KUNIT_EXPECT_EQ(test, test_clean(object), -EIO);
	KUNIT_EXPECT_TRUE(test, test_is_dirty(object, 0));
	/* Until somebody has the right to write. */
	KUNIT_EXPECT_PTR_EQ(test, map_file(test, file, PAGE_SIZE, VM_PROT_RW),
			    object);
	KUNIT_EXPECT_EQ(test, test_clean(object), 0);
	KUNIT_EXPECT_EQ(test, test_file_byte(file, 0), 0x11);
	vm_object_deallocate(object);
	vm_object_deallocate(object);
	fput(other);

	/* For writing only. */
	other = dentry_open(&file->f_path, O_WRONLY, current_cred());
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	object = vm_pager_allocate(OBJT_VNODE, other, PAGE_SIZE, VM_PROT_READ, 0);
	KUNIT_EXPECT_TRUE(test, object == ERR_PTR(-EBADF));
	fput(other);
	object = vm_pager_allocate(OBJT_VNODE, file, PAGE_SIZE, VM_PROT_READ,
				   2 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, object == ERR_PTR(-EINVAL));
	fput(file);

	/* A folder. */
	other = filp_open("/", O_RDONLY, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	object = vm_pager_allocate(OBJT_VNODE, other, PAGE_SIZE, VM_PROT_READ, 0);
	KUNIT_EXPECT_TRUE(test, object == ERR_PTR(-EINVAL));
	fput(other);
}

/* The flags of the file that was handed in are its owner's to change. */
static void pa_05_append_does_not_move_pages(struct kunit *test)
{
	struct file *file = test_file(test, 4 * PAGE_SIZE), *other;
	struct vm_object *object;

	other = dentry_open(&file->f_path, O_RDWR | O_APPEND, current_cred());
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	object = map_file(test, other, 4 * PAGE_SIZE, VM_PROT_RW);
	change(test, object, 1, 0x11);
	KUNIT_EXPECT_EQ(test, test_clean(object), 0);
	KUNIT_EXPECT_EQ(test, test_file_byte(file, PAGE_SIZE), 0x11);
	KUNIT_EXPECT_EQ(test, i_size_read(file_inode(file)), 4 * PAGE_SIZE);
	vm_object_deallocate(object);
	fput(other);
	fput(file);
}

/* PA-06. */

static void pa_06_the_first_page_takes_the_last_drops(struct kunit *test)
{
	struct file *file = test_file(test, 4 * PAGE_SIZE), *ours;
	struct vm_object *object = map_file(test, file, 4 * PAGE_SIZE,
					    VM_PROT_RW);
	long before;
	u64 i;

	ours = vm_file_backing(object);
	before = file_count(ours);
	for (i = 0; i < 4; i++) {
		KUNIT_EXPECT_EQ(test, test_peek(object, i), 0);
		KUNIT_EXPECT_EQ(test, file_count(ours), before + 1);
	}
	for (i = 4; i--;) {
		KUNIT_EXPECT_EQ(test, file_count(ours), before + 1);
		vm_object_lock(object);
		vm_object_page_remove(object, i, i + 1, true);
		vm_object_unlock(object);
	}
	KUNIT_EXPECT_EQ(test, file_count(ours), before);
	/* And again. */
	KUNIT_EXPECT_EQ(test, test_peek(object, 2), 0);
	KUNIT_EXPECT_EQ(test, file_count(ours), before + 1);
	vm_object_deallocate(object);
	fput(file);
}

/* Whoever opens a file how often, it has one object. */
static void pa_06_one_object_a_file(struct kunit *test)
{
	struct file *file = test_file(test, PAGE_SIZE), *other, *third;
	struct vm_object *a, *b, *c;

	other = dentry_open(&file->f_path, O_RDONLY, current_cred());
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	third = test_file(test, PAGE_SIZE);
	a = map_file(test, file, PAGE_SIZE, VM_PROT_RW);
	b = map_file(test, other, PAGE_SIZE, VM_PROT_READ);
	c = map_file(test, third, PAGE_SIZE, VM_PROT_READ);
	KUNIT_EXPECT_PTR_EQ(test, a, b);
	KUNIT_EXPECT_PTR_NE(test, a, c);
	KUNIT_EXPECT_EQ(test, atomic_read(&a->ref_count), 2);
	vm_object_deallocate(a);
	/* It needs none of those that it was made of. */
	fput(file);
	fput(other);
	KUNIT_EXPECT_EQ(test, test_peek(b, 0), 0);
	vm_object_deallocate(b);
	vm_object_deallocate(c);
	fput(third);
}

/* PA-07. */

static void pa_07_dirty_pages_are_written_at_the_end(struct kunit *test)
{
	struct file *file = test_file(test, 40 * PAGE_SIZE);
	struct vm_object *object = map_file(test, file, 40 * PAGE_SIZE,
					    VM_PROT_RW);
	u64 i;

	for (i = 0; i < 40; i++)
		change(test, object, i, 0x10 + i);
	vm_object_deallocate(object);
	for (i = 0; i < 40; i++)
		KUNIT_EXPECT_EQ_MSG(test, test_file_byte(file, i << PAGE_SHIFT),
				    0x10 + i, "page %llu", i);
	fput(file);
}

static struct {
	struct vm_object *object;
	struct completion begun;
	struct completion go_on;
} held;

/* Writes of the object wait. */
static void hold_writes(enum vm_steer_point point, void *obj)
{
	struct vm_io *io = obj;

	if (point != VM_STEER_IO || io->object != held.object ||
	    !(io->flags & VM_IO_WRITE))
		return;
	complete(&held.begun);
	wait_for_completion(&held.go_on);
}

static void do_deallocate(void *arg)
{
	vm_object_deallocate(arg);
}

/**
 * struct mapper - a thread that maps a file
 * @thread: it
 * @file: the file
 * @object: what it got
 */
struct mapper {
	struct vm_test_thread thread;
	struct file *file;
	struct vm_object *object;
};

static void do_map(void *arg)
{
	struct mapper *mapper = arg;

	mapper->object = vm_pager_allocate(OBJT_VNODE, mapper->file, PAGE_SIZE,
					   VM_PROT_RW, 0);
}

static void pa_07_while_it_ends_it_is_still_the_files(struct kunit *test)
{
	struct file *file = test_file(test, PAGE_SIZE);
	struct vm_test_thread ender;
	struct mapper mapper = { .file = file };
	struct vm_object *object;

	object = map_file(test, file, PAGE_SIZE, VM_PROT_RW);
	change(test, object, 0, 0x77);
	held.object = object;
	init_completion(&held.begun);
	init_completion(&held.go_on);
	vm_test_steer(hold_writes);
	vm_test_start(test, &ender, do_deallocate, object);
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&held.begun,
							    VM_TEST_SOON));
	/* Who maps the file now waits, and reads what is being written. */
	vm_test_start(test, &mapper.thread, do_map, &mapper);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&mapper.thread));
	complete_all(&held.go_on);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&ender));
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&mapper.thread));
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(mapper.object));
	KUNIT_EXPECT_EQ(test, test_peek(mapper.object, 0), 0x77);
	vm_object_deallocate(mapper.object);
	fput(file);
}

/* PA-10. */

static void do_wwait(void *arg)
{
	bufobj_wwait(arg);
}

static void pa_10_writes_of_a_file_are_counted(struct kunit *test)
{
	struct file *file = test_file(test, 4 * PAGE_SIZE);
	struct vm_test_thread waiter;
	struct vm_object *object;
	struct bufobj *bo;

	object = map_file(test, file, 4 * PAGE_SIZE, VM_PROT_RW);
	bo = vm_file_bufobj(object);
	change(test, object, 0, 0x11);
	change(test, object, 2, 0x22);
	held.object = object;
	init_completion(&held.begun);
	init_completion(&held.go_on);
	vm_test_steer(hold_writes);
	vm_object_lock(object);
	KUNIT_EXPECT_EQ(test, vm_object_page_clean(object, 0, 4, 0), 0);
	vm_object_unlock(object);
	KUNIT_EXPECT_EQ(test, bo->writes, 2);
	vm_test_start(test, &waiter, do_wwait, bo);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&waiter));
	complete_all(&held.go_on);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&waiter));
	KUNIT_EXPECT_EQ(test, bo->writes, 0);
	/* With the last one all that belongs to it was over. */
	KUNIT_EXPECT_FALSE(test, test_is_dirty(object, 0));
	KUNIT_EXPECT_FALSE(test, test_is_dirty(object, 2));
	KUNIT_EXPECT_EQ(test, test_file_byte(file, 2 * PAGE_SIZE), 0x22);
	vm_object_deallocate(object);
	fput(file);
}

/* PA-12. */

static atomic_t counted_writes, counted_strategies;

static int counting_write(struct vm_buf *bp)
{
	atomic_inc(&counted_writes);
	return bufobj_write(bp);
}

static void counting_strategy(struct bufobj *bo, struct vm_buf *bp)
{
	atomic_inc(&counted_strategies);
	test_disk_strategy(bo, bp);
}

static const struct vm_buf_ops counting_ops = {
	.name = "counting",
	.write = counting_write,
	.strategy = counting_strategy,
};

/* The pager has a file, and its bytes come from and go to somewhere else. */
static void pa_12_io_is_the_buffer_objects(struct kunit *test)
{
	struct file *file = test_file(test, 8 * PAGE_SIZE);
	struct test_disk *disk = test_disk_make(test, 8);
	const struct vm_buf_ops *ops;
	struct vm_object *object;
	struct bufobj *bo;
	void *private;

	object = map_file(test, file, 8 * PAGE_SIZE, VM_PROT_RW);
	bo = vm_file_bufobj(object);
	ops = bo->ops;
	private = bo->private;
	bo->ops = &counting_ops;
	bo->private = disk;
	atomic_set(&counted_writes, 0);
	atomic_set(&counted_strategies, 0);

	disk->mem[3 << PAGE_SHIFT] = 0x5a;
	KUNIT_EXPECT_EQ(test, test_peek(object, 3), 0x5a);
	KUNIT_EXPECT_EQ(test, atomic_read(&counted_strategies), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&counted_writes), 0);
	change(test, object, 4, 0x6b);
	KUNIT_EXPECT_EQ(test, test_clean(object), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&counted_writes), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&counted_strategies), 3);
	KUNIT_EXPECT_EQ(test, disk->mem[4 << PAGE_SHIFT], 0x6b);
	KUNIT_EXPECT_EQ(test, test_file_byte(file, 4 * PAGE_SIZE), 0);
	test_drop_clean(object);

	bo->ops = ops;
	bo->private = private;
	KUNIT_EXPECT_EQ(test, test_peek(object, 3), 0);
	vm_object_deallocate(object);
	fput(file);
}

static struct vm_pager_ops short_ops;
static const struct vm_pager_ops *real_ops;
static unsigned int shortages;

/* There is no memory for the first writes; later there is. */
static void put_when_there_is_memory(struct vm_object *object,
				     struct vm_page **m, unsigned int count,
				     unsigned int flags,
				     enum vm_pager_result *result)
{
	unsigned int i;

	if (!shortages) {
		real_ops->putpages(object, m, count, flags, result);
		return;
	}
	shortages--;
	for (i = 0; i < count; i++)
		result[i] = VM_PAGER_AGAIN;
}

/* To have no memory for a moment is no error of the file's, and nothing is lost. */
static void pa_07_an_end_waits_for_memory(struct kunit *test)
{
	struct file *file = test_file(test, 4 * PAGE_SIZE);
	struct vm_object *object = map_file(test, file, 4 * PAGE_SIZE,
					    VM_PROT_RW);

	real_ops = object->ops;
	short_ops = *real_ops;
	short_ops.putpages = put_when_there_is_memory;
	vm_object_lock(object);
	object->ops = &short_ops;
	vm_object_unlock(object);
	change(test, object, 1, 0x21);
	change(test, object, 3, 0x23);
	shortages = 5;
	KUNIT_EXPECT_EQ(test, test_clean(object), 0);
	KUNIT_EXPECT_EQ(test, shortages, 0);
	KUNIT_EXPECT_EQ(test, test_file_byte(file, PAGE_SIZE), 0x21);
	change(test, object, 2, 0x22);
	shortages = 5;
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, shortages, 0);
	KUNIT_EXPECT_EQ(test, test_file_byte(file, 2 * PAGE_SIZE), 0x22);
	KUNIT_EXPECT_EQ(test, test_file_byte(file, 3 * PAGE_SIZE), 0x23);
	fput(file);
}

/* Blocks of two buffer objects have nothing to do with each other. */
static void pa_12_buffers_are_found_by_buffer_object(struct kunit *test)
{
	struct test_disk *disk = test_disk_make(test, 8);
	struct vm_buf *bp[2], *own;
	struct bufobj bo[2];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		bufobj_init(&bo[i], &test_disk_ops, disk);
		KUNIT_ASSERT_EQ(test, bufobj_read(&bo[i], 3, &bp[i]), 0);
		vm_buf_release(bp[i]);
	}
	KUNIT_EXPECT_PTR_NE(test, bp[0], bp[1]);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_PTR_EQ(test, bufobj_find(&bo[i], 3), bp[i]);
	/* A file system's own blocks, beside those of contents. */
	own = bufobj_get(&bo[0], -3);
	KUNIT_ASSERT_FALSE(test, IS_ERR(own));
	KUNIT_EXPECT_PTR_NE(test, own, bp[0]);
	KUNIT_EXPECT_PTR_EQ(test, bufobj_find(&bo[0], -3), own);
	KUNIT_EXPECT_NULL(test, bufobj_find(&bo[1], -3));
	vm_buf_release(own);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, bufobj_flush(&bo[i], false), 0);
}

/* PA-04, for files. */

static int fails_with;

static void fail_io(enum vm_steer_point point, void *obj)
{
	struct vm_io *io = obj;

	if (point == VM_STEER_IO && io->object == held.object)
		io->error = READ_ONCE(fails_with);
}

static void pa_04_errors_of_a_mapped_file(struct kunit *test)
{
	struct file *file = test_file(test, 4 * PAGE_SIZE);
	struct vm_object *object;
	bool sync;
	u64 i;

	object = map_file(test, file, 4 * PAGE_SIZE, VM_PROT_RW);
	test_file_fill(test, file, 0, 0x31, 4 * PAGE_SIZE);
	held.object = object;
	fails_with = -EIO;
	vm_test_steer(fail_io);
	KUNIT_EXPECT_EQ(test, test_peek(object, 1), -1);
	KUNIT_EXPECT_EQ(test, object->resident, 0);
	WRITE_ONCE(fails_with, 0);
	for (sync = false;; sync = true) {
		for (i = 0; i < 4; i++)
			change(test, object, i, 0x40 + i);
		WRITE_ONCE(fails_with, -ENOSPC);
		vm_object_lock(object);
		KUNIT_EXPECT_EQ(test, vm_object_page_clean(object, 0, 4,
							   sync ? OBJPC_SYNC : 0),
				sync ? -EIO : 0);
		vm_object_pip_wait(object);
		vm_object_unlock(object);
		for (i = 0; i < 4; i++)
			KUNIT_EXPECT_TRUE(test, test_is_dirty(object, i));
		WRITE_ONCE(fails_with, 0);
		KUNIT_EXPECT_EQ(test, test_clean(object), 0);
		for (i = 0; i < 4; i++)
			KUNIT_EXPECT_EQ(test, test_file_byte(file,
							     i << PAGE_SHIFT),
					0x40 + i);
		if (sync)
			break;
	}
	vm_object_deallocate(object);
	fput(file);
}

/*
 * A file is mapped, read, changed and written, while allocation number @n fails; what
 * fails for that is done once more.
 */
static void map_and_write(struct kunit *test, struct file *file, unsigned int n,
			  unsigned int *left)
{
	struct vm_object *object;
	struct vm_page *m;
	int byte, error;
	u64 i;

	test_file_fill(test, file, 0, n, 3 * PAGE_SIZE);
	fail_nth_set(n);
	object = vm_pager_allocate(OBJT_VNODE, file, 3 * PAGE_SIZE, VM_PROT_RW,
				   0);
	if (IS_ERR(object))
		object = vm_pager_allocate(OBJT_VNODE, file, 3 * PAGE_SIZE,
					   VM_PROT_RW, 0);
	error = PTR_ERR_OR_ZERO(object);
	for (i = 0; i < 3 && !error; i++) {
		byte = test_peek(object, i);
		if (byte < 0)
			byte = test_peek(object, i);
		error = byte == (u8)n ? 0 : -EIO;
	}
	if (!error) {
		vm_object_lock(object);
		m = vm_page_lookup(object, 1);
		memset(vm_page_kva(m), ~n, PAGE_SIZE);
		vm_page_dirty(m);
		vm_object_unlock(object);
		error = test_clean(object);
		if (error)
			error = test_clean(object);
	}
	*left = fail_nth_left();
	fail_nth_set(0);
	KUNIT_ASSERT_EQ_MSG(test, error, 0, "failure %u", n);
	KUNIT_EXPECT_EQ(test, test_file_byte(file, 2 * PAGE_SIZE - 1), (u8)~n);
	vm_object_deallocate(object);
}

static void pa_05_every_failure_is_survived(struct kunit *test)
{
	struct file *file = test_file(test, 3 * PAGE_SIZE);
	unsigned int n, left;

	/* Once without. */
	map_and_write(test, file, 0, &left);
	if (fail_nth_prepare()) {
		for (n = 1, left = 0; !left && n < 100; n++)
			map_and_write(test, file, n, &left);
		KUNIT_EXPECT_GT(test, n, 3);
		KUNIT_EXPECT_LT(test, n, 100);
	}
	fput(file);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(pa_04_errors_of_a_mapped_file),
	KUNIT_CASE(pa_05_the_creator_gives_the_size),
	KUNIT_CASE(pa_05_a_file_does_not_grow_by_being_mapped),
	KUNIT_CASE(pa_05_a_file_that_has_grown),
	KUNIT_CASE(pa_05_large_offsets_and_indices),
	KUNIT_CASE(pa_05_only_what_can_be_paged_is_taken),
	KUNIT_CASE(pa_05_append_does_not_move_pages),
	KUNIT_CASE(pa_05_every_failure_is_survived),
	KUNIT_CASE(pa_06_the_first_page_takes_the_last_drops),
	KUNIT_CASE(pa_06_one_object_a_file),
	KUNIT_CASE(pa_07_dirty_pages_are_written_at_the_end),
	KUNIT_CASE(pa_07_while_it_ends_it_is_still_the_files),
	KUNIT_CASE(pa_10_writes_of_a_file_are_counted),
	KUNIT_CASE(pa_07_an_end_waits_for_memory),
	KUNIT_CASE(pa_12_io_is_the_buffer_objects),
	KUNIT_CASE(pa_12_buffers_are_found_by_buffer_object),
	{}
};

static struct kunit_suite suite = {
	.name = "vm_file",
	.init = vm_test_init,
	.exit = vm_test_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit: files as objects");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
