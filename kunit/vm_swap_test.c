// SPDX-License-Identifier: GPL-2.0-only
/*
 * Swap: where pages go and come back from, what happens when that cannot be read or
 * written, and swapoff while all of it is in motion.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "fail_nth.h"
#include "vm_io_test.h"

#define MANY	16

/* An object with pages that can be told apart, all dirty. */
static struct vm_object *make_object(struct kunit *test, u64 npages, u8 byte)
{
	struct vm_object *object = vm_test_object(test, npages);
	u64 i;

	for (i = 0; i < npages; i++)
		vm_test_fill(test, object, i, byte + i);
	return object;
}

/* It has them still. */
static void check_object(struct kunit *test, struct vm_object *object,
			 u64 npages, u8 byte)
{
	u64 i;

	for (i = 0; i < npages; i++)
		KUNIT_EXPECT_EQ_MSG(test, test_peek(object, i), (u8)(byte + i),
				    "page %llu", i);
}

/* PA-01. */

static void pa_01_default_becomes_swap_on_first_page_out(struct kunit *test)
{
	struct vm_object *object = make_object(test, 3, 0x10);
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	u64 i;

	dev = test_swap_make(test, 8, &disk);
	KUNIT_EXPECT_EQ(test, object->type, OBJT_DEFAULT);
	KUNIT_EXPECT_EQ(test, test_clean(object), 0);
	KUNIT_EXPECT_EQ(test, object->type, OBJT_SWAP);
	KUNIT_EXPECT_EQ(test, object->pager_count, 3);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 3);
	KUNIT_EXPECT_EQ(test, dev->known, 3);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_FALSE(test, test_is_dirty(object, i));
		KUNIT_EXPECT_EQ(test, test_block(object, i), dev->first + i);
		KUNIT_EXPECT_EQ(test, disk->mem[i << PAGE_SHIFT], 0x10 + i);
	}
	test_drop_clean(object);
	KUNIT_EXPECT_EQ(test, object->resident, 0);
	check_object(test, object, 3, 0x10);
	/* What is read and not written to keeps its block, and need not go out again. */
	KUNIT_EXPECT_EQ(test, test_swap_used(), 3);
	KUNIT_EXPECT_EQ(test, test_clean(object), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&disk->writes), 1);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 0);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

static void pa_01_space_is_allocated_in_runs(struct kunit *test)
{
	struct vm_object *object;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	u64 blk[2 * MANY], i;
	unsigned int n;

	dev = test_swap_make(test, 2 * MANY, &disk);
	object = make_object(test, MANY, 0x20);
	KUNIT_EXPECT_EQ(test, test_clean(object), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&disk->writes), 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&disk->blocks), MANY);
	/* One read brings them, too, if it is asked for them. */
	test_drop_clean(object);
	vm_object_lock(object);
	for (i = 0; i < MANY; i++) {
		unsigned int before, after;

		KUNIT_EXPECT_TRUE(test, vm_pager_has_page(object, i, &before,
							  &after));
		KUNIT_EXPECT_EQ(test, before, i);
		KUNIT_EXPECT_EQ(test, after, MANY - 1 - i);
	}
	KUNIT_EXPECT_FALSE(test, vm_pager_has_page(object, MANY, NULL, NULL));
	vm_object_unlock(object);
	vm_object_deallocate(object);

	/* Where there is no room for a run there is for a half, and so on. */
	for (i = 0; i < 2 * MANY; i++) {
		n = 1;
		blk[i] = vm_swap_alloc(&n);
		KUNIT_ASSERT_NE(test, blk[i], 0);
	}
	n = 1;
	KUNIT_EXPECT_EQ(test, vm_swap_alloc(&n), 0);
	for (i = 0; i < 2 * MANY; i += 2)
		vm_swap_free(dev->first + i, 1, false);
	n = MANY;
	blk[0] = vm_swap_alloc(&n);
	KUNIT_EXPECT_EQ(test, n, 1);
	vm_swap_free(blk[0], n, false);
	for (i = 1; i < 8; i += 2)
		vm_swap_free(dev->first + i, 1, false);
	n = MANY;
	blk[0] = vm_swap_alloc(&n);
	KUNIT_EXPECT_EQ(test, n, 8);
	KUNIT_EXPECT_EQ(test, blk[0], dev->first);
	vm_swap_free(blk[0], n, false);
	for (i = 9; i < 2 * MANY; i += 2)
		vm_swap_free(dev->first + i, 1, false);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 0);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

/* A read takes along what lies beside the page, and lets go of what does not. */
static void pa_01_neighbours_come_along(struct kunit *test)
{
	struct vm_object *object;
	enum vm_pager_result result;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	struct vm_page *m[8];
	u64 i;

	dev = test_swap_make(test, MANY, &disk);
	object = make_object(test, 8, 0x30);
	test_page_out(test, object);
	/* Index 1 is anywhere else, or nowhere. */
	vm_object_lock(object);
	vm_pager_freespace(object, 1, 1);
	for (i = 0; i < 8; i++) {
		m[i] = vm_page_alloc(object, i, VM_ALLOC_NORMAL);
		KUNIT_ASSERT_NOT_NULL(test, m[i]);
	}
	result = vm_pager_get_pages(object, m, 8, 5);
	KUNIT_EXPECT_EQ(test, result, VM_PAGER_OK);
	KUNIT_EXPECT_TRUE(test, m[5]->busy);
	for (i = 0; i < 8; i++) {
		struct vm_page *there = vm_page_lookup(object, i);

		if (i < 2) {
			KUNIT_EXPECT_NULL(test, there);
			continue;
		}
		KUNIT_ASSERT_PTR_EQ(test, there, m[i]);
		KUNIT_EXPECT_EQ(test, there->busy + 0, i == 5);
		KUNIT_EXPECT_EQ(test, there->valid, VM_PAGE_BITS_ALL);
		KUNIT_EXPECT_EQ(test, there->dirty, 0);
		KUNIT_EXPECT_EQ(test, *(u8 *)vm_page_kva(there), 0x30 + i);
	}
	vm_page_wakeup(m[5]);
	vm_object_unlock(object);
	KUNIT_EXPECT_EQ(test, atomic_read(&disk->reads), 1);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

/* The block before the first one is no block, which is what an index without one has. */
static void pa_01_the_first_block_has_none_before_it(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8);
	unsigned int before = 1, after = 1;
	enum vm_pager_result result;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	struct vm_page *m[2];
	u64 i;

	dev = test_swap_make(test, MANY, &disk);
	vm_test_fill(test, object, 5, 0x55);
	test_page_out(test, object);
	KUNIT_EXPECT_EQ(test, test_block(object, 5), dev->first);
	vm_object_lock(object);
	KUNIT_EXPECT_TRUE(test, vm_pager_has_page(object, 5, &before, &after));
	KUNIT_EXPECT_EQ(test, before, 0);
	KUNIT_EXPECT_EQ(test, after, 0);
	for (i = 0; i < 2; i++) {
		m[i] = vm_page_alloc(object, 4 + i, VM_ALLOC_NORMAL);
		KUNIT_ASSERT_NOT_NULL(test, m[i]);
	}
	result = vm_pager_get_pages(object, m, 2, 1);
	KUNIT_EXPECT_EQ(test, result, VM_PAGER_OK);
	KUNIT_EXPECT_NULL(test, vm_page_lookup(object, 4));
	vm_page_wakeup(m[1]);
	vm_object_unlock(object);
	KUNIT_EXPECT_EQ(test, test_peek(object, 5), 0x55);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

static void pa_01_metadata_by_object_and_index(struct kunit *test)
{
	static const u64 at[] = { 0, 15, 16, 0x7fffffff, 0x80000000ULL,
				  0x100000000ULL, 0x100000010ULL, 1ULL << 40 };
	struct vm_object *a = vm_test_object(test, 1ULL << 41);
	struct vm_object *b = vm_test_object(test, 1ULL << 41);
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	unsigned int i;
	u64 next;

	dev = test_swap_make(test, 4 * MANY, &disk);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		vm_test_fill(test, a, at[i], 0x40 + i);
		vm_test_fill(test, b, at[i], 0x60 + i);
	}
	test_page_out(test, a);
	test_page_out(test, b);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 2 * ARRAY_SIZE(at));
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		KUNIT_EXPECT_EQ(test, test_peek(a, at[i]), 0x40 + i);
		KUNIT_EXPECT_EQ(test, test_peek(b, at[i]), 0x60 + i);
	}
	/* The first from somewhere on; and no further than one wants to know. */
	vm_object_lock(a);
	next = 17;
	KUNIT_EXPECT_TRUE(test, a->ops->next(a, &next, U64_MAX));
	KUNIT_EXPECT_EQ(test, next, 0x7fffffff);
	next = 17;
	KUNIT_EXPECT_FALSE(test, a->ops->next(a, &next, 0x7ffffffe));
	/* A part is forgotten, and the other object keeps its. */
	vm_pager_freespace(a, 16, 0x100000000ULL - 16);
	vm_object_unlock(a);
	for (i = 0; i < ARRAY_SIZE(at); i++) {
		bool gone = at[i] >= 16 && at[i] < 0x100000000ULL;

		KUNIT_EXPECT_EQ(test, !test_block(a, at[i]), gone);
		KUNIT_EXPECT_NE(test, test_block(b, at[i]), 0);
	}
	KUNIT_EXPECT_EQ(test, a->pager_count, 5);
	/* Who changes a page has no use for its copy. */
	vm_object_lock(b);
	vm_pager_page_unswapped(b, at[7]);
	vm_object_unlock(b);
	KUNIT_EXPECT_EQ(test, test_block(b, at[7]), 0);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 5 + 7);
	vm_object_deallocate(a);
	vm_object_deallocate(b);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 0);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

static void pa_01_devices_take_turns(struct kunit *test)
{
	struct vm_object *object[4];
	struct vm_swap_dev *dev[2];
	struct test_disk *disk[2];
	unsigned int i;

	for (i = 0; i < 2; i++)
		dev[i] = test_swap_make(test, 8, &disk[i]);
	for (i = 0; i < 4; i++) {
		object[i] = make_object(test, 4, 0x10 * i);
		test_page_out(test, object[i]);
	}
	KUNIT_EXPECT_EQ(test, dev[0]->used, 8);
	KUNIT_EXPECT_EQ(test, dev[1]->used, 8);
	for (i = 0; i < 4; i++) {
		check_object(test, object[i], 4, 0x10 * i);
		vm_object_deallocate(object[i]);
	}
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev[i]), 0);
}

static void pa_01_a_collapse_moves_blocks(struct kunit *test)
{
	struct vm_object *below, *object;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	u64 blk[8], i;

	dev = test_swap_make(test, MANY, &disk);
	below = make_object(test, 8, 0x50);
	test_page_out(test, below);
	for (i = 0; i < 8; i++)
		blk[i] = test_block(below, i);
	/* It shows 2 to 5, of which it has changed 3 and paged out a 4 of its own. */
	vm_object_reference(below);
	object = vm_test_shadow(test, below, 2, 4);
	vm_test_fill(test, object, 2, 0x72);
	test_page_out(test, object);
	vm_test_fill(test, object, 1, 0x71);
	/* A page without contents, which hides nothing. */
	vm_object_lock(object);
	KUNIT_EXPECT_NOT_NULL(test, vm_page_alloc(object, 3, VM_ALLOC_NORMAL |
						  VM_ALLOC_NOBUSY));
	vm_object_unlock(object);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 9);
	vm_object_deallocate(below);
	KUNIT_EXPECT_NULL(test, object->backing_object);
	KUNIT_EXPECT_EQ(test, object->type, OBJT_SWAP);
	KUNIT_EXPECT_EQ(test, test_block(object, 0), blk[2]);
	KUNIT_EXPECT_EQ(test, test_block(object, 1), 0);
	KUNIT_EXPECT_EQ(test, test_block(object, 3), blk[5]);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 3);
	KUNIT_EXPECT_EQ(test, dev->known, 3);
	KUNIT_EXPECT_EQ(test, test_peek(object, 0), 0x52);
	KUNIT_EXPECT_EQ(test, test_peek(object, 1), 0x71);
	KUNIT_EXPECT_EQ(test, test_peek(object, 2), 0x72);
	KUNIT_EXPECT_EQ(test, test_peek(object, 3), 0x55);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 0);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

static void pa_01_a_split_moves_blocks(struct kunit *test)
{
	struct vm_object *object, *part;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	u64 offset = 2 * PAGE_SIZE;

	dev = test_swap_make(test, MANY, &disk);
	object = make_object(test, 6, 0x30);
	test_page_out(test, object);
	vm_object_reference(object);
	part = object;
	KUNIT_ASSERT_EQ(test, vm_object_split(&part, &offset, 2 * PAGE_SIZE), 0);
	KUNIT_ASSERT_PTR_NE(test, part, object);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 6);
	KUNIT_EXPECT_EQ(test, object->pager_count, 4);
	KUNIT_EXPECT_EQ(test, part->pager_count, 2);
	check_object(test, part, 2, 0x32);
	KUNIT_EXPECT_EQ(test, test_block(object, 2), 0);
	KUNIT_EXPECT_EQ(test, test_peek(object, 4), 0x34);
	vm_object_deallocate(part);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

/*
 * A device comes, pages go out to it and come back, and it goes, while allocation
 * number @n fails; what fails for that is done once more.
 */
#define APART	20
#define ROUND	6

static void out_and_in(struct kunit *test, struct test_disk *disk,
		       unsigned int n, unsigned int *left)
{
	struct vm_object *object = vm_test_object(test, ROUND * APART);
	struct vm_swap_dev *dev;
	int byte, error;
	u64 i;

	for (i = 0; i < ROUND; i++)
		vm_test_fill(test, object, i * APART, 0x10 + i);
	fail_nth_set(n);
	dev = vm_swap_add(NULL, &test_disk_ops, disk, disk->nblks);
	if (IS_ERR(dev))
		dev = vm_swap_add(NULL, &test_disk_ops, disk, disk->nblks);
	error = test_clean(object);
	if (error)
		error = test_clean(object);
	test_drop_clean(object);
	for (i = 0; i < ROUND; i++) {
		byte = test_peek(object, i * APART);
		if (byte < 0)
			byte = test_peek(object, i * APART);
		error = error ?: byte == 0x10 + i ? 0 : -EIO;
	}
	*left = fail_nth_left();
	fail_nth_set(0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(dev));
	KUNIT_EXPECT_EQ_MSG(test, error, 0, "failure %u", n);
	KUNIT_EXPECT_EQ(test, test_swap_used(), ROUND);
	test_drop_clean(object);

	fail_nth_set(*left ?: n);
	error = vm_swapoff_dev(dev);
	if (error)
		error = vm_swapoff_dev(dev);
	fail_nth_set(0);
	KUNIT_EXPECT_EQ_MSG(test, error, 0, "failure %u", n);
	for (i = 0; i < ROUND; i++)
		KUNIT_EXPECT_EQ(test, test_peek(object, i * APART), 0x10 + i);
	vm_object_deallocate(object);
}

static void pa_01_every_failure_is_survived(struct kunit *test)
{
	struct test_disk *disk = test_disk_make(test, 64);
	unsigned int n, left;

	/* Once without. */
	out_and_in(test, disk, 0, &left);
	if (!fail_nth_prepare())
		kunit_skip(test, "needs fault injection");
	for (n = 1, left = 0; !left && n < 300; n++)
		out_and_in(test, disk, n, &left);
	KUNIT_EXPECT_GT(test, n, 10);
	KUNIT_EXPECT_LT(test, n, 300);
}

/* PA-02. */

/**
 * struct off - a thread in swapoff
 * @thread: it
 * @dev: the device
 * @error: what it was told
 */
struct off {
	struct vm_test_thread thread;
	struct vm_swap_dev *dev;
	int error;
};

static void do_swapoff(void *arg)
{
	struct off *off = arg;

	off->error = vm_swapoff_dev(off->dev);
}

static void start_swapoff(struct kunit *test, struct off *off,
			  struct vm_swap_dev *dev)
{
	off->dev = dev;
	off->error = 1;
	vm_test_start(test, &off->thread, do_swapoff, off);
}

/* What the hook looks at, and does. */
static struct {
	struct vm_swap_dev *dev;
	struct vm_object *object;
	atomic_t waits;
	struct completion built;
	struct completion go_on;
	bool released;
} steer;

static bool waits_reach(int n)
{
	unsigned long end = jiffies + VM_TEST_SOON;

	while (atomic_read(&steer.waits) < n && time_before(jiffies, end))
		schedule_timeout_idle(1);
	return atomic_read(&steer.waits) >= n;
}

static void count_waits(enum vm_steer_point point, void *obj)
{
	if (point == VM_STEER_SWAPOFF_WAIT && obj == steer.dev)
		atomic_inc(&steer.waits);
}

static void steer_begin(vm_steer_fn fn, struct vm_swap_dev *dev,
			struct vm_object *object)
{
	steer.dev = dev;
	steer.object = object;
	atomic_set(&steer.waits, 0);
	init_completion(&steer.built);
	init_completion(&steer.go_on);
	steer.released = false;
	vm_test_steer(fn);
}

static void pa_02_swapoff_brings_everything_back(struct kunit *test)
{
	struct vm_object *object[3];
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	unsigned int i;

	dev = test_swap_make(test, 64, &disk);
	for (i = 0; i < 3; i++) {
		object[i] = make_object(test, MANY, 0x10 * i);
		test_page_out(test, object[i]);
	}
	/* Some of it is resident already. */
	KUNIT_EXPECT_EQ(test, test_peek(object[1], 3), 0x13);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 0);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, object[i]->pager_count, 0);
		KUNIT_EXPECT_EQ(test, object[i]->resident, MANY);
		/* There is nowhere else where it is. */
		KUNIT_EXPECT_TRUE(test, test_is_dirty(object[i], 3));
		test_drop_clean(object[i]);
		check_object(test, object[i], MANY, 0x10 * i);
		vm_object_deallocate(object[i]);
	}
	dev = test_swap_make(test, 8, &disk);
	KUNIT_EXPECT_EQ(test, vm_swapoff("/no/such/file"), -ENOENT);
	KUNIT_EXPECT_EQ(test, vm_swapoff("/dev"), -ENOENT);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

/* Page-out blocks where it has blocks that no metadata names, without its lock. */
static void stop_at_build(enum vm_steer_point point, void *obj)
{
	count_waits(point, obj);
	if (point != VM_STEER_SWAP_BUILD || obj != steer.object)
		return;
	vm_object_unlock(steer.object);
	complete(&steer.built);
	wait_for_completion(&steer.go_on);
	vm_object_lock(steer.object);
}

static void do_clean(void *arg)
{
	test_clean(arg);
}

static void pa_02_space_on_its_way_is_no_lost_block(struct kunit *test)
{
	struct vm_test_thread cleaner;
	struct vm_object *object;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	struct off off;

	dev = test_swap_make(test, 8, &disk);
	object = make_object(test, 2, 0x21);
	steer_begin(stop_at_build, dev, object);
	vm_test_start(test, &cleaner, do_clean, object);
	KUNIT_ASSERT_TRUE(test, wait_for_completion_timeout(&steer.built,
							    VM_TEST_SOON));
	/* Two blocks are in use, and no metadata names them. */
	KUNIT_EXPECT_EQ(test, dev->used, 2);
	KUNIT_EXPECT_EQ(test, dev->known, 0);
	start_swapoff(test, &off, dev);
	KUNIT_EXPECT_TRUE_MSG(test, waits_reach(3), "swapoff took them for lost");
	complete_all(&steer.go_on);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&cleaner));
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&off.thread));
	KUNIT_EXPECT_EQ(test, off.error, 0);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 0);
	check_object(test, object, 2, 0x21);
	vm_object_deallocate(object);
}

static void pa_02_paging_objects_are_passed_over(struct kunit *test)
{
	struct vm_object *paging, *idle;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	struct off off;

	dev = test_swap_make(test, 8, &disk);
	paging = make_object(test, 2, 0x31);
	idle = make_object(test, 2, 0x41);
	test_page_out(test, paging);
	test_page_out(test, idle);
	vm_object_lock(paging);
	vm_object_pip_add(paging, 1);
	vm_object_unlock(paging);
	steer_begin(count_waits, dev, NULL);
	start_swapoff(test, &off, dev);
	/* It gets on with the others, and back to this one. */
	KUNIT_EXPECT_TRUE(test, waits_reach(1));
	KUNIT_EXPECT_EQ(test, idle->pager_count, 0);
	KUNIT_EXPECT_EQ(test, paging->pager_count, 2);
	vm_object_lock(paging);
	vm_object_pip_wakeup(paging, 1);
	vm_object_unlock(paging);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&off.thread));
	KUNIT_EXPECT_EQ(test, off.error, 0);
	check_object(test, paging, 2, 0x31);
	check_object(test, idle, 2, 0x41);
	vm_object_deallocate(paging);
	vm_object_deallocate(idle);
}

/* What swapoff is about to wait for ends, and goes, before it waits. */
static void lose_object(enum vm_steer_point point, void *obj)
{
	count_waits(point, obj);
	if (point != VM_STEER_SWAPOFF_WAIT || obj != steer.dev ||
	    steer.released)
		return;
	steer.released = true;
	vm_object_lock(steer.object);
	vm_object_pip_wakeup(steer.object, 1);
	vm_object_unlock(steer.object);
	vm_object_deallocate(steer.object);
}

static void pa_02_the_wait_is_for_no_pointer_and_ends(struct kunit *test)
{
	struct vm_object *object;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	struct off off;

	dev = test_swap_make(test, 8, &disk);
	object = make_object(test, 2, 0x51);
	test_page_out(test, object);
	vm_object_lock(object);
	vm_object_pip_add(object, 1);
	vm_object_unlock(object);
	steer_begin(lose_object, dev, object);
	start_swapoff(test, &off, dev);
	/* Nobody will ever wake it. */
	KUNIT_EXPECT_TRUE_MSG(test, vm_test_finished(&off.thread),
			      "swapoff waits for an object that has gone");
	if (off.error == 1) {
		vm_wakeup(&object->paging_in_progress);
		wait_for_completion(&off.thread.done);
	}
	KUNIT_EXPECT_EQ(test, off.error, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&steer.waits), 1);
}

static void pa_02_one_that_is_always_paging_does_not_stop_it(struct kunit *test)
{
	struct vm_object *object;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	struct off off;

	dev = test_swap_make(test, 8, &disk);
	object = make_object(test, 4, 0x61);
	test_page_out(test, object);
	vm_object_lock(object);
	vm_object_pip_add(object, 1);
	vm_object_unlock(object);
	start_swapoff(test, &off, dev);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&off.thread));
	KUNIT_EXPECT_EQ(test, off.error, 0);
	vm_object_lock(object);
	vm_object_pip_wakeup(object, 1);
	vm_object_unlock(object);
	check_object(test, object, 4, 0x61);
	vm_object_deallocate(object);
}

/* Who has an object's lock can ask for metadata's while swapoff is at it. */
static void pa_02_locked_objects_are_tried_again(struct kunit *test)
{
	struct vm_object *object;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	struct off off;

	dev = test_swap_make(test, 8, &disk);
	object = make_object(test, 3, 0x71);
	test_page_out(test, object);
	steer_begin(count_waits, dev, NULL);
	vm_object_lock(object);
	start_swapoff(test, &off, dev);
	KUNIT_EXPECT_TRUE(test, waits_reach(2));
	vm_pager_freespace(object, 0, 1);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 2);
	vm_object_unlock(object);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&off.thread));
	KUNIT_EXPECT_EQ(test, off.error, 0);
	KUNIT_EXPECT_EQ(test, test_peek(object, 2), 0x73);
	vm_object_deallocate(object);
}

static void pa_02_a_swapoff_that_fails_loses_nothing(struct kunit *test)
{
	struct vm_object *object;
	struct vm_swap_dev *dev;
	struct test_disk *disk;

	dev = test_swap_make(test, 8, &disk);
	object = make_object(test, 4, 0x11);
	test_page_out(test, object);
	disk->read_error = -EIO;
	disk->bad_block = 2;
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), -EIO);
	/* It is a device as before. */
	KUNIT_EXPECT_FALSE(test, dev->closing);
	KUNIT_EXPECT_NE(test, vm_swap_room(), 0);
	KUNIT_EXPECT_NE(test, test_block(object, 2), 0);
	disk->read_error = 0;
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
	check_object(test, object, 4, 0x11);
	vm_object_deallocate(object);
}

/* Load. */

#define LOAD_OBJECTS	4
#define LOAD_PAGES	24
#define LOAD_ROUNDS	12

/**
 * struct load - a thread that writes, pages out, reads and checks
 * @thread: it
 * @object: on what
 * @stop: enough
 * @wrong: reads that returned something else than was written
 * @rounds: how often it came round
 */
struct load {
	struct vm_test_thread thread;
	struct vm_object *object;
	bool stop;
	unsigned int wrong;
	unsigned int rounds;
};

static void write_page(struct vm_object *object, u64 pindex, u8 byte)
{
	struct vm_page *m;

	vm_object_lock(object);
	m = vm_page_grab(object, pindex, VM_ALLOC_NORMAL | VM_ALLOC_RETRY);
	if (m) {
		memset(vm_page_kva(m), byte, PAGE_SIZE);
		m->valid = VM_PAGE_BITS_ALL;
		vm_page_dirty(m);
		vm_pager_page_unswapped(object, pindex);
		vm_page_lock_queues();
		vm_page_activate(m);
		vm_page_unlock_queues();
		vm_page_wakeup(m);
	}
	vm_object_unlock(object);
}

static void run_load(void *arg)
{
	struct load *load = arg;
	struct vm_object *object = load->object;
	u8 want[LOAD_PAGES] = {};
	u8 byte = 1;
	u64 i;

	while (!READ_ONCE(load->stop)) {
		for (i = load->rounds % 3; i < LOAD_PAGES; i += 3) {
			want[i] = byte++;
			write_page(object, i, want[i]);
		}
		vm_object_lock(object);
		vm_object_page_clean(object, 0, object->size,
				     load->rounds & 1 ? OBJPC_SYNC : 0);
		vm_object_page_remove(object, 0, object->size, true);
		vm_object_unlock(object);
		for (i = 0; i < LOAD_PAGES; i++)
			if (want[i] && test_peek(object, i) != want[i])
				load->wrong++;
		load->rounds++;
		cond_resched();
	}
	for (i = 0; i < LOAD_PAGES; i++)
		if (want[i] && test_peek(object, i) != want[i])
			load->wrong++;
}

static void pa_02_swapoff_under_load(struct kunit *test)
{
	struct load *load = kunit_kcalloc(test, LOAD_OBJECTS, sizeof(*load),
					  GFP_KERNEL);
	struct vm_swap_dev *dev[2];
	struct test_disk *disk[2];
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, load);
	for (i = 0; i < 2; i++)
		dev[i] = test_swap_make(test, LOAD_OBJECTS * LOAD_PAGES * 2,
					&disk[i]);
	for (i = 0; i < LOAD_OBJECTS; i++) {
		load[i].object = vm_test_object(test, LOAD_PAGES);
		vm_test_start(test, &load[i].thread, run_load, &load[i]);
	}
	for (i = 0; i < LOAD_ROUNDS; i++) {
		struct test_disk *d = disk[i % 2];

		KUNIT_EXPECT_EQ_MSG(test, vm_swapoff_dev(dev[i % 2]), 0,
				    "round %u", i);
		dev[i % 2] = vm_swap_add(NULL, &test_disk_ops, d, d->nblks);
		KUNIT_ASSERT_FALSE(test, IS_ERR(dev[i % 2]));
		msleep(20);
	}
	for (i = 0; i < LOAD_OBJECTS; i++)
		WRITE_ONCE(load[i].stop, true);
	for (i = 0; i < LOAD_OBJECTS; i++) {
		wait_for_completion(&load[i].thread.done);
		KUNIT_EXPECT_EQ(test, load[i].wrong, 0);
		KUNIT_EXPECT_GT(test, load[i].rounds, 2);
		vm_object_deallocate(load[i].object);
	}
	KUNIT_EXPECT_EQ(test, test_swap_used(), 0);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev[i]), 0);
}

/* PA-03. */

/**
 * struct launder - a thread that launders a page
 * @thread: it
 * @object: whose
 * @flags: VM_PAGER_PUT_*
 * @clean: whether the page was clean when it came back
 */
struct launder {
	struct vm_test_thread thread;
	struct vm_object *object;
	unsigned int flags;
	bool clean;
};

static void do_launder(void *arg)
{
	struct launder *l = arg;
	struct vm_page *m;

	vm_object_lock(l->object);
	m = vm_page_lookup(l->object, 0);
	vm_object_flush(l->object, &m, 1, l->flags);
	l->clean = !m->dirty && !m->io_count;
	vm_object_unlock(l->object);
}

/* What is to go once it is written has gone, whichever way it was written. */
static void pa_03_written_pages_can_go_at_once(struct kunit *test)
{
	static const unsigned int flags[] = {
		VM_PAGER_PUT_INVAL, VM_PAGER_PUT_INVAL | VM_PAGER_PUT_SYNC,
	};
	struct vm_page *run[4];
	struct vm_object *object;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	unsigned int i, j;

	dev = test_swap_make(test, 16, &disk);
	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		object = make_object(test, 4, 0x61);
		vm_object_lock(object);
		for (j = 0; j < 4; j++)
			run[j] = vm_page_lookup(object, j);
		KUNIT_EXPECT_EQ(test, vm_object_flush(object, run, 4, flags[i]), 4);
		if (flags[i] & VM_PAGER_PUT_SYNC)
			KUNIT_EXPECT_EQ(test, object->resident, 0);
		vm_object_pip_wait(object);
		KUNIT_EXPECT_EQ(test, object->resident, 0);
		vm_object_unlock(object);
		check_object(test, object, 4, 0x61);
		vm_object_deallocate(object);
	}
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

static void pa_03_laundering_can_be_synchronous(struct kunit *test)
{
	struct completion slow;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	struct launder l = {};

	init_completion(&slow);
	dev = test_swap_make(test, 8, &disk);
	l.object = make_object(test, 1, 0x55);
	/* One that nobody waits for comes back at once, with the page on its way. */
	disk->slow = &slow;
	vm_test_start(test, &l.thread, do_launder, &l);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&l.thread));
	KUNIT_EXPECT_FALSE(test, l.clean);
	complete_all(&slow);
	vm_object_lock(l.object);
	vm_object_pip_wait(l.object);
	vm_object_unlock(l.object);
	KUNIT_EXPECT_FALSE(test, test_is_dirty(l.object, 0));

	/* One that can be waited for comes back with a page that can be freed. */
	vm_test_fill(test, l.object, 0, 0x56);
	reinit_completion(&slow);
	l.flags = VM_PAGER_PUT_SYNC;
	vm_test_start(test, &l.thread, do_launder, &l);
	KUNIT_EXPECT_TRUE_MSG(test, vm_test_sleeps(&l.thread),
			      "it did not wait for the write");
	complete_all(&slow);
	KUNIT_EXPECT_TRUE(test, l.clean || vm_test_finished(&l.thread));
	KUNIT_EXPECT_TRUE_MSG(test, l.clean, "the page is on its way still");
	vm_object_lock(l.object);
	vm_object_pip_wait(l.object);
	vm_object_unlock(l.object);
	KUNIT_EXPECT_EQ(test, disk->mem[(test_block(l.object, 0) - dev->first)
					<< PAGE_SHIFT], 0x56);
	vm_object_deallocate(l.object);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

/* PA-04. */

static void pa_04_a_failed_write_leaves_the_page_dirty(struct kunit *test)
{
	struct vm_object *object;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	u64 errors;
	bool sync;
	u64 i;

	dev = test_swap_make(test, MANY, &disk);
	for (sync = false;; sync = true) {
		object = make_object(test, 4, 0x20);
		errors = atomic64_read(&vm_cnt.pageout_errors);
		disk->write_error = -EIO;
		vm_object_lock(object);
		KUNIT_EXPECT_EQ(test, vm_object_page_clean(object, 0, 4,
							   sync ? OBJPC_SYNC : 0),
				sync ? -EIO : 0);
		vm_object_pip_wait(object);
		vm_object_unlock(object);
		KUNIT_EXPECT_EQ(test, atomic64_read(&vm_cnt.pageout_errors),
				errors + 4);
		for (i = 0; i < 4; i++)
			KUNIT_EXPECT_TRUE(test, test_is_dirty(object, i));
		/* What is in the blocks is nothing. */
		KUNIT_EXPECT_EQ(test, test_swap_used(), 0);
		test_drop_clean(object);
		check_object(test, object, 4, 0x20);
		disk->write_error = 0;
		test_page_out(test, object);
		check_object(test, object, 4, 0x20);
		vm_object_deallocate(object);
		if (sync)
			break;
	}
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

static void pa_04_a_failed_read_can_be_tried_again(struct kunit *test)
{
	struct vm_object *object;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	u64 errors;
	u8 byte;

	dev = test_swap_make(test, MANY, &disk);
	object = make_object(test, 4, 0x20);
	test_page_out(test, object);
	errors = atomic64_read(&vm_cnt.pagein_errors);
	disk->read_error = -EIO;
	KUNIT_EXPECT_EQ(test, test_bring(object, 1, &byte), VM_PAGER_ERROR);
	KUNIT_EXPECT_EQ(test, atomic64_read(&vm_cnt.pagein_errors), errors + 1);
	KUNIT_EXPECT_EQ(test, object->resident, 0);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 4);
	disk->read_error = 0;
	check_object(test, object, 4, 0x20);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

static void pa_04_full_swap_leaves_pages_dirty(struct kunit *test)
{
	struct vm_object *object;
	struct vm_swap_dev *dev;
	struct test_disk *disk;
	u64 i, dirty = 0;

	/* None at all. */
	object = make_object(test, 6, 0x70);
	KUNIT_EXPECT_EQ(test, test_clean(object), -EIO);
	dev = test_swap_make(test, 4, &disk);
	KUNIT_EXPECT_EQ(test, test_clean(object), -EIO);
	for (i = 0; i < 6; i++)
		dirty += test_is_dirty(object, i);
	KUNIT_EXPECT_EQ(test, dirty, 2);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 4);
	test_drop_clean(object);
	KUNIT_EXPECT_EQ(test, object->resident, 2);
	check_object(test, object, 6, 0x70);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

#define SWAP_FILE	"/uma-swap-test"

/**
 * struct adder - who adds a device
 * @disk: what
 * @dev: the device, or an ERR_PTR()
 */
struct adder {
	struct test_disk *disk;
	struct vm_swap_dev *dev;
};

static void add_device(void *arg)
{
	struct adder *a = arg;

	a->dev = vm_swap_add(NULL, &test_disk_ops, a->disk, a->disk->nblks);
}

/* It takes memory itself, for which there may be none before it is there. */
static void pa_04_space_without_memory_is_refused(struct kunit *test)
{
	struct adder a = { .disk = test_disk_make(test, 8) };
	struct vm_test_thread thread;
	LIST_HEAD(taken);

	vm_test_exhaust(&taken);
	vm_test_start(test, &thread, add_device, &a);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&thread));
	vm_test_relent(&taken);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(a.dev), -ENOMEM);
	KUNIT_EXPECT_EQ(test, vm_swap_room(), 0);
	vm_test_exhaust(&taken);
	/* But the last pages are for this, too. */
	while (vm_page_free_count() < vm_page_limits.interrupt + 4)
		vm_test_give(&taken);
	vm_test_start(test, &thread, add_device, &a);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&thread));
	vm_test_relent(&taken);
	KUNIT_ASSERT_FALSE(test, IS_ERR(a.dev));
	KUNIT_EXPECT_EQ(test, vm_swap_room(), 8);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(a.dev), 0);
}

/* A file with a path, of zeroes. */
static void make_swap_file(struct kunit *test, const char *path, loff_t size)
{
	struct file *file = filp_open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	if (size)
		test_file_fill(test, file, size - 1, 0, 1);
	filp_close(file, NULL);
}

/* Somebody makes it shorter. */
static void cut_swap_file(struct kunit *test, const char *path, loff_t size)
{
	struct file *file = filp_open(path, O_RDWR, 0);

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	KUNIT_EXPECT_EQ(test, vfs_truncate(&file->f_path, size), 0);
	filp_close(file, NULL);
}

static void pa_04_swap_to_a_file_by_path(struct kunit *test)
{
	struct vm_object *object;
	struct vm_swap_stats st;

	make_swap_file(test, SWAP_FILE, 32 * PAGE_SIZE + 100);
	KUNIT_ASSERT_EQ(test, vm_swapon(SWAP_FILE), 0);
	KUNIT_EXPECT_EQ(test, vm_swapon(SWAP_FILE), -EBUSY);
	vm_swap_get_stats(&st);
	KUNIT_EXPECT_EQ(test, st.devices, 1);
	KUNIT_EXPECT_EQ(test, st.blocks, 32);
	object = make_object(test, 20, 0x33);
	test_page_out(test, object);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 20);
	check_object(test, object, 20, 0x33);
	test_drop_clean(object);
	KUNIT_EXPECT_EQ(test, vm_swapoff(SWAP_FILE), 0);
	KUNIT_EXPECT_EQ(test, vm_swapoff(SWAP_FILE), -ENOENT);
	check_object(test, object, 20, 0x33);
	vm_object_deallocate(object);

	/* What will not do. */
	KUNIT_EXPECT_EQ(test, vm_swapon("/"), -EINVAL);
	KUNIT_EXPECT_EQ(test, vm_swapon("/no/such/file"), -ENOENT);
	make_swap_file(test, SWAP_FILE, 0);
	KUNIT_EXPECT_EQ(test, vm_swapon(SWAP_FILE), -EINVAL);
	vm_swap_get_stats(&st);
	KUNIT_EXPECT_EQ(test, st.devices, 0);
}

/* A client who writes to such a file would write to others' memory. */
static void pa_04_a_file_is_mapped_or_swapped_to(struct kunit *test)
{
	struct vm_object *object;
	struct vm_swap_stats st;
	struct file *file;

	make_swap_file(test, SWAP_FILE, 16 * PAGE_SIZE);
	file = filp_open(SWAP_FILE, O_RDWR, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	object = vm_pager_allocate(OBJT_VNODE, file, 16 * PAGE_SIZE,
				   VM_PROT_RW, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(object));
	KUNIT_EXPECT_EQ(test, vm_swapon(SWAP_FILE), -EBUSY);
	vm_swap_get_stats(&st);
	KUNIT_EXPECT_EQ(test, st.devices, 0);
	vm_object_deallocate(object);

	KUNIT_ASSERT_EQ(test, vm_swapon(SWAP_FILE), 0);
	object = vm_pager_allocate(OBJT_VNODE, file, 16 * PAGE_SIZE,
				   VM_PROT_READ, 0);
	KUNIT_EXPECT_TRUE(test, object == ERR_PTR(-EBUSY));
	if (!IS_ERR(object))
		vm_object_deallocate(object);
	object = make_object(test, 8, 0x41);
	test_page_out(test, object);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 8);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, vm_swapoff(SWAP_FILE), 0);

	object = vm_pager_allocate(OBJT_VNODE, file, 16 * PAGE_SIZE,
				   VM_PROT_RW, 0);
	KUNIT_EXPECT_FALSE(test, IS_ERR(object));
	if (!IS_ERR(object))
		vm_object_deallocate(object);
	filp_close(file, NULL);
}

/* What has been written there and is not there any more was not zeroes. */
static void pa_04_a_swap_file_that_shrinks_is_an_error(struct kunit *test)
{
	struct vm_object *object;

	make_swap_file(test, SWAP_FILE, 16 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, vm_swapon(SWAP_FILE), 0);
	object = make_object(test, 16, 0x51);
	test_page_out(test, object);
	cut_swap_file(test, SWAP_FILE, 8 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, test_peek(object, 3), 0x54);
	KUNIT_EXPECT_EQ(test, test_peek(object, 12), -1);
	KUNIT_EXPECT_EQ(test, vm_swapoff(SWAP_FILE), -EIO);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, vm_swapoff(SWAP_FILE), 0);
}

/* A disk of the kernel's own in memory, where it has one. */
#define SWAP_DISK	"/dev/ram0"

static void need_disk(struct kunit *test)
{
	struct vm_backing_id id;

	if (vm_backing_identify(SWAP_DISK, &id) || id.inode)
		kunit_skip(test, "no " SWAP_DISK);
}

static void pa_04_swap_to_a_block_device(struct kunit *test)
{
	struct vm_object *object;
	struct vm_swap_stats st;
	struct file *file;

	need_disk(test);
	KUNIT_ASSERT_EQ(test, vm_swapon(SWAP_DISK), 0);
	KUNIT_EXPECT_NE(test, vm_swapon(SWAP_DISK), 0);
	/* Nobody mounts it meanwhile. */
	file = filp_open(SWAP_DISK, O_RDWR | O_EXCL, 0);
	KUNIT_EXPECT_TRUE(test, file == ERR_PTR(-EBUSY));
	if (!IS_ERR(file))
		filp_close(file, NULL);
	vm_swap_get_stats(&st);
	KUNIT_EXPECT_GT(test, st.blocks, 64);
	object = make_object(test, 64, 0x29);
	test_page_out(test, object);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 64);
	check_object(test, object, 64, 0x29);
	test_drop_clean(object);
	KUNIT_EXPECT_EQ(test, vm_swapoff(SWAP_DISK), 0);
	check_object(test, object, 64, 0x29);
	vm_object_deallocate(object);
}

static struct vm_object *fails_io;
static int fails_with;

static void fail_io(enum vm_steer_point point, void *obj)
{
	struct vm_io *io = obj;

	if (point == VM_STEER_IO && io->object == fails_io)
		io->error = READ_ONCE(fails_with);
}

static void pa_04_errors_of_a_real_file(struct kunit *test)
{
	struct vm_object *object;

	make_swap_file(test, SWAP_FILE, 32 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, vm_swapon(SWAP_FILE), 0);
	object = make_object(test, 8, 0x44);
	fails_io = object;
	fails_with = -EIO;
	vm_test_steer(fail_io);
	KUNIT_EXPECT_EQ(test, test_clean(object), -EIO);
	test_drop_clean(object);
	KUNIT_EXPECT_EQ(test, object->resident, 8);
	WRITE_ONCE(fails_with, 0);
	test_page_out(test, object);
	WRITE_ONCE(fails_with, -EIO);
	KUNIT_EXPECT_EQ(test, test_peek(object, 5), -1);
	WRITE_ONCE(fails_with, 0);
	check_object(test, object, 8, 0x44);
	vm_object_deallocate(object);
	vm_test_steer(NULL);
	KUNIT_EXPECT_EQ(test, vm_swapoff(SWAP_FILE), 0);
}

/* PA-11. */

/**
 * struct reader - a thread that reads a page
 * @thread: it
 * @object: of this
 * @byte: what it read
 */
struct reader {
	struct vm_test_thread thread;
	struct vm_object *object;
	int byte;
};

static void do_read(void *arg)
{
	struct reader *r = arg;

	r->byte = test_peek(r->object, 0);
}

static struct completion *slow_read;

static void slow_io(enum vm_steer_point point, void *obj)
{
	struct vm_io *io = obj;

	if (point == VM_STEER_IO && !(io->flags & VM_IO_WRITE) && slow_read)
		wait_for_completion(slow_read);
}

static u64 timeouts(void)
{
	struct vm_swap_stats st;

	vm_swap_get_stats(&st);
	return st.timeouts;
}

/* A read of the object's page is slow until it has been reported twice. */
static void read_slowly(struct kunit *test, struct completion *slow)
{
	long normal = vm_swap_timeout;
	unsigned long end = jiffies + VM_TEST_SOON;
	struct reader r = {};
	u64 before = timeouts();

	r.object = make_object(test, 1, 0x66);
	test_page_out(test, r.object);
	vm_swap_timeout = 2;
	vm_test_start(test, &r.thread, do_read, &r);
	while (timeouts() < before + 2 && time_before(jiffies, end))
		schedule_timeout_idle(1);
	KUNIT_EXPECT_GE(test, timeouts(), before + 2);
	complete_all(slow);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&r.thread));
	KUNIT_EXPECT_EQ(test, r.byte, 0x66);
	vm_swap_timeout = normal;
	vm_object_deallocate(r.object);
}

static void pa_11_a_slow_read_is_reported_for_a_file(struct kunit *test)
{
	struct completion slow;

	init_completion(&slow);
	make_swap_file(test, SWAP_FILE, 32 * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, vm_swapon(SWAP_FILE), 0);
	slow_read = &slow;
	vm_test_steer(slow_io);
	read_slowly(test, &slow);
	vm_test_steer(NULL);
	slow_read = NULL;
	KUNIT_EXPECT_EQ(test, vm_swapoff(SWAP_FILE), 0);
}

static void pa_11_a_slow_read_is_reported_for_a_device(struct kunit *test)
{
	struct completion slow;

	need_disk(test);
	init_completion(&slow);
	KUNIT_ASSERT_EQ(test, vm_swapon(SWAP_DISK), 0);
	slow_read = &slow;
	vm_test_steer(slow_io);
	read_slowly(test, &slow);
	vm_test_steer(NULL);
	slow_read = NULL;
	KUNIT_EXPECT_EQ(test, vm_swapoff(SWAP_DISK), 0);
}

static void pa_11_a_slow_read_is_reported_without_a_device(struct kunit *test)
{
	struct completion slow;
	struct vm_swap_dev *dev;
	struct test_disk *disk;

	init_completion(&slow);
	dev = test_swap_make(test, 8, &disk);
	KUNIT_EXPECT_NULL(test, dev->backing.file);
	disk->slow_reads = &slow;
	read_slowly(test, &slow);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(pa_01_default_becomes_swap_on_first_page_out),
	KUNIT_CASE(pa_01_space_is_allocated_in_runs),
	KUNIT_CASE(pa_01_neighbours_come_along),
	KUNIT_CASE(pa_01_the_first_block_has_none_before_it),
	KUNIT_CASE(pa_01_metadata_by_object_and_index),
	KUNIT_CASE(pa_01_devices_take_turns),
	KUNIT_CASE(pa_01_a_collapse_moves_blocks),
	KUNIT_CASE(pa_01_a_split_moves_blocks),
	KUNIT_CASE(pa_01_every_failure_is_survived),
	KUNIT_CASE(pa_02_swapoff_brings_everything_back),
	KUNIT_CASE(pa_02_space_on_its_way_is_no_lost_block),
	KUNIT_CASE(pa_02_paging_objects_are_passed_over),
	KUNIT_CASE(pa_02_the_wait_is_for_no_pointer_and_ends),
	KUNIT_CASE(pa_02_one_that_is_always_paging_does_not_stop_it),
	KUNIT_CASE(pa_02_locked_objects_are_tried_again),
	KUNIT_CASE(pa_02_a_swapoff_that_fails_loses_nothing),
	KUNIT_CASE(pa_02_swapoff_under_load),
	KUNIT_CASE(pa_03_laundering_can_be_synchronous),
	KUNIT_CASE(pa_03_written_pages_can_go_at_once),
	KUNIT_CASE(pa_04_a_failed_write_leaves_the_page_dirty),
	KUNIT_CASE(pa_04_a_failed_read_can_be_tried_again),
	KUNIT_CASE(pa_04_full_swap_leaves_pages_dirty),
	KUNIT_CASE(pa_04_space_without_memory_is_refused),
	KUNIT_CASE(pa_04_swap_to_a_file_by_path),
	KUNIT_CASE(pa_04_a_file_is_mapped_or_swapped_to),
	KUNIT_CASE(pa_04_a_swap_file_that_shrinks_is_an_error),
	KUNIT_CASE(pa_04_swap_to_a_block_device),
	KUNIT_CASE(pa_04_errors_of_a_real_file),
	KUNIT_CASE(pa_11_a_slow_read_is_reported_for_a_file),
	KUNIT_CASE(pa_11_a_slow_read_is_reported_for_a_device),
	KUNIT_CASE(pa_11_a_slow_read_is_reported_without_a_device),
	{}
};

static struct kunit_suite suite = {
	.name = "vm_swap",
	.init = vm_test_init,
	.exit = vm_test_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("KUnit: swap");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
