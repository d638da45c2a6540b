// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults: what a program reads is what it, its parent or its file wrote; and what a
 * fault holds on to, lets go of, and asks again while it is under way.
 */
#include <linux/module.h>

#include "vm_io_test.h"
#include "vm_space_test.h"

#define COUNT(name)	atomic64_read(&vm_cnt.name)

/* ---- contents ----------------------------------------------------------- */

static void fa_01_untouched_memory_is_zero(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	u64 zeroed = COUNT(zero_fills), faults = COUNT(faults);
	size_t done, len = 2 * PAGE_SIZE;
	char *buf = kunit_kzalloc(test, len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	space_map(test, vm, 0, 4, NULL, 0);
	KUNIT_EXPECT_NULL(test, space_object(vm, 0));
	KUNIT_EXPECT_EQ(test, space_get(vm, 1), 0);
	KUNIT_EXPECT_EQ(test, COUNT(zero_fills), zeroed + 1);
	KUNIT_EXPECT_EQ(test, space_put(vm, 1, 77), 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, 1), 77);
	/* The read brought a page that could be written to. */
	KUNIT_EXPECT_EQ(test, COUNT(faults), faults + 1);

	/* An access that crosses pages, into what was not there. */
	memset(buf, 3, len);
	KUNIT_EXPECT_EQ(test, 0, vm_access(vm->vm_map, AT(1) + 100, buf, len,
					   VM_PROT_WRITE, &done));
	KUNIT_EXPECT_EQ(test, done, len);
	KUNIT_EXPECT_EQ(test, space_get(vm, 1), 77);
	KUNIT_EXPECT_EQ(test, space_get(vm, 2), 3);
	KUNIT_EXPECT_EQ(test, space_get(vm, 3), 3);
	KUNIT_EXPECT_EQ(test, space_get(vm, 0), 0);
	KUNIT_EXPECT_EQ(test, COUNT(zero_fills), zeroed + 4);
	space_check(test, vm);
	vmspace_free(vm);
}

static void fa_01_what_is_not_allowed_is_an_error(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	struct vm_object *object;
	unsigned long addr = AT(8);
	char buf[64] = {};
	size_t done = 99;

	KUNIT_EXPECT_EQ(test, space_get(vm, 0), -EFAULT);
	space_map(test, vm, 0, 2, NULL, 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, 2), -EFAULT);
	KUNIT_EXPECT_EQ(test, vm_access(vm->vm_map, AT(1) + PAGE_SIZE - 10, buf,
					sizeof(buf), VM_PROT_WRITE, &done),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, done, 10);
	KUNIT_EXPECT_EQ(test, vm_access(vm->vm_map, ULONG_MAX - 10, buf,
					sizeof(buf), VM_PROT_READ, &done),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, done, 0);
	KUNIT_EXPECT_EQ(test, vm_access(vm->vm_map, AT(0), buf, 1,
					VM_PROT_EXECUTE, NULL), -EACCES);
	KUNIT_EXPECT_EQ(test, 0, vm_map_protect(vm->vm_map, AT(0), AT(1),
						VM_PROT_READ, false));
	KUNIT_EXPECT_EQ(test, space_put(vm, 0, 1), -EACCES);
	KUNIT_EXPECT_EQ(test, space_get(vm, 0), 0);

	/* Behind an object's end there is nothing. */
	object = vm_test_object(test, 2);
	KUNIT_EXPECT_EQ(test, 0, vm_map_find(vm->vm_map, object, 0, &addr,
					     3 * PAGE_SIZE, false, VM_PROT_RW,
					     VM_PROT_RW, 0));
	KUNIT_EXPECT_EQ(test, space_get(vm, 9), 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, 10), -EFAULT);
	/* Nor where no fault is to be. */
	addr = AT(20);
	KUNIT_EXPECT_EQ(test, 0, vm_map_find(vm->vm_map, NULL, 0, &addr,
					     PAGE_SIZE, false, VM_PROT_RW,
					     VM_PROT_RW, MAP_NOFAULT));
	KUNIT_EXPECT_EQ(test, space_get(vm, 20), -EFAULT);
	vmspace_free(vm);
}

static void fa_01_a_fork_copies_what_is_written(struct kunit *test)
{
	struct vmspace *vm = space_new(test), *child, *grandchild;
	u64 copied = COUNT(cow_faults);

	space_map(test, vm, 0, 4, NULL, 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 0, 10), 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 1, 11), 0);
	child = space_fork(test, vm);
	KUNIT_EXPECT_PTR_EQ(test, space_object(child, 0), space_object(vm, 0));
	KUNIT_EXPECT_EQ(test, space_get(child, 0), 10);
	KUNIT_EXPECT_EQ(test, COUNT(cow_faults), copied);

	/* Each writes; neither sees the other's. */
	KUNIT_EXPECT_EQ(test, space_put(vm, 0, 20), 0);
	KUNIT_EXPECT_EQ(test, space_put(child, 1, 31), 0);
	KUNIT_EXPECT_EQ(test, COUNT(cow_faults), copied + 2);
	KUNIT_EXPECT_EQ(test, space_get(child, 0), 10);
	KUNIT_EXPECT_EQ(test, space_get(vm, 1), 11);
	/* Also where there was nothing. */
	KUNIT_EXPECT_EQ(test, space_put(child, 2, 32), 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, 2), 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 3, 23), 0);
	KUNIT_EXPECT_EQ(test, space_get(child, 3), 0);

	grandchild = space_fork(test, child);
	KUNIT_EXPECT_EQ(test, space_put(child, 0, 30), 0);
	KUNIT_EXPECT_EQ(test, space_get(grandchild, 0), 10);
	KUNIT_EXPECT_EQ(test, space_get(grandchild, 1), 31);
	KUNIT_EXPECT_EQ(test, space_get(grandchild, 2), 32);
	vmspace_free(child);
	KUNIT_EXPECT_EQ(test, space_get(grandchild, 0), 10);
	KUNIT_EXPECT_EQ(test, space_get(vm, 0), 20);
	vmspace_free(vm);
	KUNIT_EXPECT_EQ(test, space_get(grandchild, 0), 10);
	KUNIT_EXPECT_EQ(test, space_get(grandchild, 1), 31);
	KUNIT_EXPECT_EQ(test, space_get(grandchild, 3), 0);
	space_check(test, grandchild);
	vmspace_free(grandchild);
}

/* The last user of what is below takes the page instead of a copy of it. */
static void fa_01_the_last_user_takes_the_page(struct kunit *test)
{
	struct vmspace *vm = space_new(test), *child;
	u64 moved = COUNT(cow_optimised);
	struct vm_page *m;

	space_map(test, vm, 0, 2, NULL, 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 1, 2), 0);
	m = space_page(vm, 1);
	child = space_fork(test, vm);
	/* Both have objects of their own in front of it. */
	KUNIT_EXPECT_EQ(test, space_put(child, 0, 3), 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 0, 4), 0);
	KUNIT_EXPECT_EQ(test, COUNT(cow_optimised), moved);
	vmspace_free(child);
	KUNIT_EXPECT_EQ(test, space_put(vm, 1, 5), 0);
	KUNIT_EXPECT_PTR_EQ(test, space_page(vm, 1), m);
	KUNIT_EXPECT_EQ(test, space_get(vm, 0), 4);
	KUNIT_EXPECT_EQ(test, space_get(vm, 1), 5);
	vmspace_free(vm);
}

static void free_space(void *arg)
{
	vmspace_free(arg);
}

static void write_page_one(void *arg)
{
	space_put(arg, 1, 5);
}

/* A family of two, each with an object in front of what both had: pages of 0x21.. */
static struct vmspace *space_with_child(struct kunit *test,
					struct vmspace **child,
					struct vm_object **below)
{
	struct vmspace *vm = space_new(test);
	u32 i;

	space_map(test, vm, 0, 4, NULL, 0);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, space_put(vm, i, 0x21 + i), 0);
	*below = space_object(vm, 0);
	*child = space_fork(test, vm);
	KUNIT_EXPECT_EQ(test, space_put(*child, 0, 3), 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 0, 4), 0);
	return vm;
}

/*
 * While what is below is paging, the two cannot be made one. Whoever writes then takes
 * the page from there, since nobody else can see it.
 */
static void fa_01_a_page_moves_up_where_no_merge_can_be(struct kunit *test)
{
	u64 moved = COUNT(cow_optimised);
	struct vm_test_thread leaver;
	struct vm_object *below;
	struct vmspace *vm, *child;
	struct vm_page *m;

	vm = space_with_child(test, &child, &below);
	KUNIT_EXPECT_EQ(test, space_get(vm, 1), 0x22);
	m = space_page(vm, 1);
	vm_object_lock(below);
	vm_object_pip_add(below, 1);
	vm_object_unlock(below);
	vm_test_start(test, &leaver, free_space, child);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&leaver));
	KUNIT_EXPECT_EQ(test, space_put(vm, 1, 5), 0);
	KUNIT_EXPECT_EQ(test, COUNT(cow_optimised), moved + 1);
	KUNIT_EXPECT_PTR_EQ(test, space_page(vm, 1), m);
	vm_object_lock(below);
	vm_object_pip_wakeup(below, 1);
	vm_object_unlock(below);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&leaver));
	KUNIT_EXPECT_EQ(test, space_get(vm, 0), 4);
	KUNIT_EXPECT_EQ(test, space_get(vm, 1), 5);
	KUNIT_EXPECT_EQ(test, space_get(vm, 2), 0x23);
	KUNIT_EXPECT_EQ(test, vm_object_chain_length(space_object(vm, 0)), 1);
	vmspace_free(vm);
}

/*
 * But not one that is being written: the end of the write concerns the object that the
 * page was in when it began, and would take what was written to it since for clean.
 */
static void fa_01_a_page_that_is_being_written_stays(struct kunit *test)
{
	struct completion slow = COMPLETION_INITIALIZER_ONSTACK(slow);
	struct vm_test_thread leaver, writer;
	struct vm_object *below, *first;
	struct vmspace *vm, *child;
	struct vm_swap_dev *dev;
	struct test_disk *disk;

	dev = test_swap_make(test, 16, &disk);
	vm = space_with_child(test, &child, &below);
	first = space_object(vm, 0);
	WRITE_ONCE(disk->slow, &slow);
	vm_object_lock(below);
	KUNIT_EXPECT_EQ(test, vm_object_page_clean(below, 1, 3, 0), 0);
	KUNIT_EXPECT_NE(test, below->paging_in_progress, 0);
	vm_object_unlock(below);
	/* It waits for the writes; until then the two are not made one. */
	vm_test_start(test, &leaver, free_space, child);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&leaver));
	/* Of what is being written there can be a copy at once. */
	vm_test_start(test, &writer, write_page_one, vm);
	KUNIT_EXPECT_FALSE(test, vm_test_sleeps(&writer));
	complete_all(&slow);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&leaver));
	WRITE_ONCE(disk->slow, NULL);

	KUNIT_EXPECT_PTR_EQ(test, space_object(vm, 0), first);
	KUNIT_EXPECT_EQ(test, vm_object_chain_length(first), 1);
	space_forget(vm, 0, 4);
	KUNIT_EXPECT_TRUE(test, test_is_dirty(first, 1));
	/* What is clean can go, and come back from where it was written. */
	test_drop_clean(first);
	KUNIT_EXPECT_EQ(test, space_get(vm, 0), 4);
	KUNIT_EXPECT_EQ(test, space_get(vm, 1), 5);
	KUNIT_EXPECT_EQ(test, space_get(vm, 2), 0x23);
	KUNIT_EXPECT_EQ(test, space_get(vm, 3), 0x24);
	vmspace_free(vm);
	KUNIT_EXPECT_EQ(test, test_swap_used(), 0);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

/*
 * A copy hides what it is a copy of, which may go for that reason. So it must not be
 * taken for something that could be had again, even if nothing was written to it as yet.
 */
static void fa_01_a_copy_is_all_there_is(struct kunit *test)
{
	struct vm_object *below, *first;
	struct vmspace *vm, *child;
	unsigned int i;

	vm = space_with_child(test, &child, &below);
	first = space_object(vm, 0);
	/* One for the right to write, one for a wiring: neither is a write. */
	KUNIT_EXPECT_EQ(test, 0, vm_fault(vm->vm_map, AT(1), VM_PROT_WRITE,
					  VM_FAULT_NORMAL));
	KUNIT_EXPECT_EQ(test, 0, vm_map_wire(vm->vm_map, AT(2), AT(3),
					     VM_MAP_WIRE_USER));
	KUNIT_EXPECT_EQ(test, 0, vm_map_unwire(vm->vm_map, AT(2), AT(3),
					       VM_MAP_WIRE_USER));
	KUNIT_EXPECT_EQ(test, first->resident, 3);
	vmspace_free(child);
	KUNIT_EXPECT_PTR_EQ(test, space_object(vm, 0), first);
	KUNIT_EXPECT_EQ(test, vm_object_chain_length(first), 1);
	vm_object_lock(first);
	for (i = 0; i < 4; i++)
		vm_page_try_to_free(vm_page_lookup(first, i));
	vm_object_unlock(first);
	KUNIT_EXPECT_EQ(test, space_get(vm, 0), 4);
	KUNIT_EXPECT_EQ(test, space_get(vm, 1), 0x22);
	KUNIT_EXPECT_EQ(test, space_get(vm, 2), 0x23);
	KUNIT_EXPECT_EQ(test, space_get(vm, 3), 0x24);
	vmspace_free(vm);
}

/*
 * Two that share an object both have a page of the one below mapped. When one writes,
 * the other is to see it, and must not go on reading the old page.
 */
static void fa_01_sharers_see_a_copy_that_one_made(struct kunit *test)
{
	struct vmspace *vm = space_new(test), *sharer, *copier;

	space_map(test, vm, 0, 2, NULL, 0);
	KUNIT_EXPECT_EQ(test, space_put(vm, 0, 1), 0);
	/* Something that keeps the page below: the copier has it, too. */
	copier = space_fork(test, vm);
	KUNIT_EXPECT_EQ(test, 0, vm_map_inherit(vm->vm_map, AT(0), AT(2),
						VM_INHERIT_SHARE));
	sharer = space_fork(test, vm);
	KUNIT_EXPECT_EQ(test, space_get(vm, 0), 1);
	KUNIT_EXPECT_EQ(test, space_get(sharer, 0), 1);
	KUNIT_EXPECT_EQ(test, space_put(vm, 0, 2), 0);
	KUNIT_EXPECT_EQ(test, space_get(sharer, 0), 2);
	KUNIT_EXPECT_EQ(test, space_put(sharer, 1, 3), 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, 1), 3);
	KUNIT_EXPECT_EQ(test, space_get(copier, 0), 1);
	KUNIT_EXPECT_EQ(test, space_get(copier, 1), 0);
	vmspace_free(vm);
	KUNIT_EXPECT_EQ(test, space_get(sharer, 0), 2);
	vmspace_free(copier);
	KUNIT_EXPECT_EQ(test, space_get(sharer, 1), 3);
	vmspace_free(sharer);
}

/* ---- pagers ------------------------------------------------------------- */

static void fa_01_pages_come_from_the_pager(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	struct vm_test_disk disk;
	struct vm_object *object = disk_object(test, &disk, 64);
	u32 i;

	vm_object_reference(object);
	space_map(test, vm, 0, 64, object, 0);
	space_map(test, vm, 100, 64, object, MAP_COPY_ON_WRITE);
	KUNIT_EXPECT_EQ(test, space_get(vm, 30), 31);
	KUNIT_EXPECT_EQ(test, disk.reads, 1);
	/* Its neighbours came with it. */
	KUNIT_EXPECT_EQ(test, space_get(vm, 27), 28);
	KUNIT_EXPECT_EQ(test, space_get(vm, 33), 34);
	KUNIT_EXPECT_EQ(test, disk.reads, 1);
	/* Who writes privately reads the same page, and keeps what he writes. */
	KUNIT_EXPECT_EQ(test, space_put(vm, 130, 200), 0);
	KUNIT_EXPECT_EQ(test, disk.reads, 1);
	KUNIT_EXPECT_EQ(test, space_get(vm, 30), 31);
	KUNIT_EXPECT_EQ(test, space_put(vm, 31, 201), 0);
	KUNIT_EXPECT_EQ(test, space_get(vm, 131), 201);
	for (i = 0; i < 64; i++) {
		KUNIT_EXPECT_EQ(test, space_get(vm, i), i == 31 ? 201 : i + 1);
		KUNIT_EXPECT_EQ(test, space_get(vm, 100 + i),
				i == 30 ? 200 : i == 31 ? 201 : i + 1);
	}
	KUNIT_EXPECT_LT(test, disk.reads, 16);
	vmspace_free(vm);
}

static void fa_01_advice_says_how_much_to_read(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	struct vm_test_disk disk;
	u32 i;

	space_map(test, vm, 0, 64, disk_object(test, &disk, 64), 0);
	KUNIT_EXPECT_EQ(test, 0, vm_map_madvise(vm->vm_map, AT(0), AT(32),
						VM_ADV_RANDOM));
	KUNIT_EXPECT_EQ(test, 0, vm_map_madvise(vm->vm_map, AT(32), AT(64),
						VM_ADV_SEQUENTIAL));
	for (i = 0; i < 32; i++)
		KUNIT_EXPECT_EQ(test, space_get(vm, i), i + 1);
	KUNIT_EXPECT_EQ(test, disk.reads, 32);
	for (; i < 64; i++)
		KUNIT_EXPECT_EQ(test, space_get(vm, i), i + 1);
	KUNIT_EXPECT_EQ(test, disk.reads, 34);
	space_check(test, vm);
	vmspace_free(vm);
}

static void fa_01_a_read_that_fails_is_an_error(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	struct vm_test_disk disk;
	struct vm_object *object = disk_object(test, &disk, 8);

	space_map(test, vm, 0, 8, object, MAP_COPY_ON_WRITE);
	disk.error = VM_PAGER_ERROR;
	KUNIT_EXPECT_EQ(test, space_get(vm, 3), -EIO);
	KUNIT_EXPECT_EQ(test, space_put(vm, 3, 1), -EIO);
	KUNIT_EXPECT_EQ(test, object->resident, 0);
	KUNIT_EXPECT_EQ(test, object->paging_in_progress, 0);
	disk.error = VM_PAGER_OK;
	KUNIT_EXPECT_EQ(test, space_get(vm, 3), 4);
	vmspace_free(vm);
}

/* What was read ahead, and cannot be, is nobody's loss but its own. */
static void fa_01_a_bad_neighbour_is_no_error(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	struct vm_swap_dev *dev;
	struct vm_object *object;
	struct test_disk *disk;
	u32 i;

	dev = test_swap_make(test, 16, &disk);
	space_map(test, vm, 0, 8, NULL, 0);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, space_put(vm, i, 0x31 + i), 0);
	object = space_object(vm, 0);
	space_forget(vm, 0, 8);
	test_page_out(test, object);
	/* Blocks are numbered from 1, those of a disk from 0. */
	disk->bad_block = test_block(object, 3) - dev->first;
	disk->read_error = -EIO;
	KUNIT_EXPECT_EQ(test, space_get(vm, 3), -EIO);
	for (i = 0; i < 8; i++)
		if (i != 3)
			KUNIT_EXPECT_EQ(test, space_get(vm, i), 0x31 + i);
	KUNIT_EXPECT_EQ(test, space_get(vm, 3), -EIO);
	disk->read_error = 0;
	KUNIT_EXPECT_EQ(test, space_get(vm, 3), 0x34);
	vmspace_free(vm);
	KUNIT_EXPECT_EQ(test, vm_swapoff_dev(dev), 0);
}

/* ---- while it is under way ---------------------------------------------- */

/**
 * struct scene - a fault that was stopped, and who comes meanwhile
 * @point: where it is stopped
 * @object: only faults that meet a page of this object
 * @act: called there, once
 * @m: the page
 * @vm: for @act
 * @other: a thread for @act
 * @other_done: what @act saw
 * @seen: how often it was stopped
 * @locked: @other has the map
 * @unlock: @other is to let it go
 */
static struct scene {
	enum vm_steer_point point;
	struct vm_object *object;
	void (*act)(struct scene *s);
	struct vm_page *m;
	struct vmspace *vm;
	struct vm_test_thread other;
	bool other_done;
	unsigned int seen;
	struct completion locked;
	struct completion unlock;
} scene;

static void scene_hook(enum vm_steer_point point, void *obj)
{
	struct vm_page *m = obj;

	if (point != scene.point || m->object != scene.object || scene.seen++)
		return;
	scene.m = m;
	scene.act(&scene);
}

static void set_scene(struct vmspace *vm, u32 page, enum vm_steer_point point,
		      void (*act)(struct scene *s))
{
	scene = (struct scene) {
		.point = point,
		.object = space_object(vm, page),
		.act = act,
		.vm = vm,
	};
	init_completion(&scene.locked);
	init_completion(&scene.unlock);
	vm_test_steer(scene_hook);
}

static void remove_all_pages(void *arg)
{
	struct vm_object *object = arg;

	vm_object_lock(object);
	vm_object_page_remove(object, 0, object->size, false);
	vm_object_unlock(object);
}

static void act_remove_pages(struct scene *s)
{
	s->other.fn = remove_all_pages;
	s->other.arg = s->object;
	init_completion(&s->other.done);
	kthread_run(vm_test_thread_main, &s->other, "vm fault");
	/* It cannot have this page before its neighbours are mapped, too. */
	s->other_done = !vm_test_sleeps(&s->other);
}

/*
 * Between mapping the page and mapping its neighbours no object is locked. Somebody
 * who wants to remove it then has to wait, or the page would be gone when it is wired
 * or put on a queue.
 */
static void fa_01_the_page_is_busy_until_its_neighbours_are_mapped(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	struct vm_object *object;

	space_map(test, vm, 0, 8, NULL, 0);
	KUNIT_ASSERT_EQ(test, space_put(vm, 0, 1), 0);
	object = space_object(vm, 0);
	vm_object_reference(object);
	set_scene(vm, 0, VM_STEER_FAULT_MAPPED, act_remove_pages);
	KUNIT_EXPECT_EQ(test, vm_fault(vm->vm_map, AT(4), VM_PROT_WRITE, 0), 0);
	KUNIT_ASSERT_EQ(test, scene.seen, 1);
	KUNIT_EXPECT_FALSE(test, scene.other_done);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&scene.other));
	KUNIT_EXPECT_EQ(test, object->resident, 0);
	KUNIT_EXPECT_EQ(test, space_stats(vm).resident, 0);
	vm_test_steer(NULL);
	vmspace_free(vm);
	vm_object_deallocate(object);
}

static struct {
	struct vmspace *vm;
	struct vm_object *object;
	unsigned int calls;
	bool last;
} leaver;

/* The mapping goes while the fault is on its way to sleep. */
static void leave(enum vm_steer_point point, void *obj)
{
	if (point != VM_STEER_FAULT_WAIT || obj != leaver.object ||
	    leaver.calls++)
		return;
	vm_map_remove(leaver.vm->vm_map, AT(0), AT(4));
	leaver.last = atomic_read(&leaver.object->ref_count) == 1;
}

static void write_to_page(void *arg)
{
	struct vmspace *vm = arg;

	space_put(vm, 1, 2);
}

/*
 * A fault that waits for a page has the last reference: it is let go when the page was
 * waited for, or the object's end would wait for the fault's own paging.
 */
static void ob_01_who_waits_for_a_page_ends_the_object(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 4);
	unsigned long objects = vm_object_count();
	struct vmspace *vm = space_new(test);
	struct vm_test_thread t;
	struct vm_page *m;

	/* Two mappings, of which one goes: what is shown may stay. */
	vm_object_lock(object);
	vm_object_clear_flag(object, OBJ_ONEMAPPING);
	vm_object_unlock(object);
	m = vm_test_fill(test, object, 1, 0x11);
	vm_object_lock(object);
	vm_page_busy(m);
	vm_object_unlock(object);
	space_map(test, vm, 0, 4, object, 0);
	memset(&leaver, 0, sizeof(leaver));
	leaver.vm = vm;
	leaver.object = object;
	vm_test_steer(leave);
	vm_test_start(test, &t, write_to_page, vm);
	KUNIT_EXPECT_TRUE(test, vm_test_wanted(m, object));
	KUNIT_EXPECT_EQ(test, leaver.calls, 1);
	KUNIT_EXPECT_TRUE(test, leaver.last);
	vm_object_lock(object);
	vm_page_wakeup(m);
	vm_object_unlock(object);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&t));
	vm_test_steer(NULL);
	KUNIT_EXPECT_EQ(test, vm_object_count(), objects - 1);
	vmspace_free(vm);
}

static void hold_map(void *arg)
{
	struct scene *s = arg;

	vm_map_lock(s->vm->vm_map);
	complete_all(&s->locked);
	wait_for_completion(&s->unlock);
	vm_map_unlock(s->vm->vm_map);
}

/* Somebody has the map when the page has been read. */
static void act_lock_map(struct scene *s)
{
	s->other.fn = hold_map;
	s->other.arg = s;
	init_completion(&s->other.done);
	kthread_run(vm_test_thread_main, &s->other, "vm fault");
	wait_for_completion(&s->locked);
}

static void fault_at_3(void *arg)
{
	struct vmspace *vm = arg;

	vm_fault(vm->vm_map, AT(3), VM_PROT_READ, 0);
}

/* Whether the page at index 3 is there and idle, soon. */
static bool page_gets_idle(struct vm_object *object)
{
	unsigned long end = jiffies + HZ;
	struct vm_page *m;
	bool idle;

	do {
		vm_object_lock(object);
		m = vm_page_lookup(object, 3);
		idle = m && !m->busy && m->valid;
		vm_object_unlock(object);
		if (!idle)
			schedule_timeout_idle(1);
	} while (!idle && time_before(jiffies, end));
	return idle;
}

/*
 * Whoever has the map locked when the page comes may be waiting for that page. So the
 * fault must not wait for the map with the page busy.
 */
static void fa_02_the_map_is_not_waited_for_with_a_busy_page(struct kunit *test)
{
	struct vmspace *vm = space_new(test);
	struct vm_test_disk disk;
	struct vm_object *object = disk_object(test, &disk, 8);
	struct vm_test_thread faulter;

	space_map(test, vm, 0, 8, object, 0);
	set_scene(vm, 0, VM_STEER_FAULT_READ, act_lock_map);
	vm_test_start(test, &faulter, fault_at_3, vm);
	wait_for_completion(&scene.locked);
	KUNIT_EXPECT_TRUE(test, page_gets_idle(object));
	/* It waits for the map now, as it should. */
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&faulter));
	complete(&scene.unlock);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&faulter));
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&scene.other));
	KUNIT_EXPECT_EQ(test, disk.reads, 1);
	KUNIT_EXPECT_NOT_NULL(test, space_page(vm, 3));
	vm_test_steer(NULL);
	vmspace_free(vm);
}

static void act_remove(void *arg)
{
	struct vmspace *vm = arg;

	vm_map_remove(vm->vm_map, AT(0), AT(8));
}

static void act_forbid(void *arg)
{
	struct vmspace *vm = arg;

	vm_map_protect(vm->vm_map, AT(0), AT(8), VM_PROT_READ, false);
}

static void act_replace(void *arg)
{
	struct vmspace *vm = arg;
	unsigned long addr = AT(0);

	vm_map_remove(vm->vm_map, AT(0), AT(8));
	vm_map_find(vm->vm_map, NULL, 0, &addr, 8 * PAGE_SIZE, false, VM_PROT_RW,
		    VM_PROT_RW, 0);
}

/* Something far away changes; the map is another, but not here. */
static void act_elsewhere(void *arg)
{
	struct vmspace *vm = arg;
	unsigned long addr = AT(100);

	vm_map_find(vm->vm_map, NULL, 0, &addr, PAGE_SIZE, false, VM_PROT_RW,
		    VM_PROT_RW, 0);
}

static void fa_02_a_map_that_changed_is_believed(struct kunit *test)
{
	static const struct {
		void (*act)(void *arg);
		int put, get;
		unsigned int reads;
	} cases[] = {
		{ act_remove, -EFAULT, -EFAULT, 1 },
		{ act_forbid, -EACCES, 4, 1 },
		{ act_replace, 0, 9, 1 },
		{ act_elsewhere, 0, 9, 1 },
	};
	struct vm_test_disk disk;
	struct vm_object *object;
	struct vmspace *vm;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		vm = space_new(test);
		object = disk_object(test, &disk, 8);
		vm_object_reference(object);
		space_map(test, vm, 0, 8, object, 0);
		disk.act = cases[i].act;
		disk.arg = vm;
		KUNIT_EXPECT_EQ_MSG(test, space_put(vm, 3, 9), cases[i].put,
				    "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, space_get(vm, 3), cases[i].get,
				    "case %u", i);
		KUNIT_EXPECT_EQ(test, disk.reads, cases[i].reads);
		KUNIT_EXPECT_EQ(test, object->paging_in_progress, 0);
		vmspace_free(vm);
		vm_object_deallocate(object);
	}
}

/* ---- neighbours --------------------------------------------------------- */

static void fa_03_resident_neighbours_are_mapped(struct kunit *test)
{
	struct vmspace *vm = space_new(test), *child;
	struct vm_object *object;
	u64 before, faults;
	struct vm_page *m;
	u32 i;

	space_map(test, vm, 0, 32, NULL, 0);
	for (i = 0; i < 32; i++)
		KUNIT_EXPECT_EQ(test, space_put(vm, i, i + 1), 0);
	space_forget(vm, 0, 16);
	/* One of them is in motion, another has no contents. */
	object = space_object(vm, 0);
	vm_object_lock(object);
	m = vm_page_lookup(object, 7);
	vm_page_busy(m);
	vm_page_lookup(object, 10)->valid = 1;
	vm_object_unlock(object);

	before = COUNT(prefaults);
	faults = COUNT(faults);
	KUNIT_EXPECT_EQ(test, space_get(vm, 8), 9);
	/* Four on either side, but for the two. */
	KUNIT_EXPECT_EQ(test, COUNT(prefaults), before + 6);
	for (i = 0; i < 16; i++)
		KUNIT_EXPECT_EQ_MSG(test, !!space_page(vm, i),
				    i >= 4 && i <= 12 && i != 7 && i != 10,
				    "page %u", i);
	KUNIT_EXPECT_EQ(test, space_get(vm, 4), 5);
	KUNIT_EXPECT_EQ(test, space_get(vm, 12), 13);
	KUNIT_EXPECT_EQ(test, COUNT(faults), faults + 1);
	/* To write is a fault: it may have to be copied. */
	KUNIT_EXPECT_EQ(test, space_put(vm, 4, 50), 0);
	KUNIT_EXPECT_EQ(test, COUNT(faults), faults + 2);

	vm_object_lock(object);
	vm_page_wakeup(m);
	vm_page_lookup(object, 10)->valid = VM_PAGE_BITS_ALL;
	vm_object_unlock(object);

	/* Down a chain, too, and no further than the entry. */
	child = space_fork(test, vm);
	KUNIT_EXPECT_EQ(test, space_put(child, 31, 99), 0);
	KUNIT_EXPECT_EQ(test, 0, vm_map_inherit(child->vm_map, AT(0), AT(20),
						VM_INHERIT_NONE));
	space_forget(child, 20, 31);
	space_forget(child, 0, 20);
	KUNIT_EXPECT_EQ(test, space_get(child, 21), 22);
	for (i = 16; i < 31; i++)
		KUNIT_EXPECT_EQ_MSG(test, !!space_page(child, i),
				    i >= 20 && i <= 25, "page %u", i);
	KUNIT_EXPECT_EQ(test, space_get(child, 20), 21);
	vmspace_free(child);
	vmspace_free(vm);
}

/* ---- counters ----------------------------------------------------------- */

#define THREADS		4
#define THREAD_PAGES	200

struct toucher {
	struct vm_test_thread thread;
	struct vmspace *vm;
	u32 first;
};

static void touch_pages(void *arg)
{
	struct toucher *t = arg;
	u32 i;

	for (i = 0; i < THREAD_PAGES; i++) {
		space_put(t->vm, t->first + i, 1);
		cond_resched();
	}
}

static void touch_at_once(struct kunit *test, struct vmspace *vm)
{
	struct toucher *t = kunit_kcalloc(test, THREADS, sizeof(*t), GFP_KERNEL);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	for (i = 0; i < THREADS; i++) {
		t[i].vm = vm;
		t[i].first = i * THREAD_PAGES;
		vm_test_start(test, &t[i].thread, touch_pages, &t[i]);
	}
	for (i = 0; i < THREADS; i++)
		KUNIT_EXPECT_TRUE(test, vm_test_finished(&t[i].thread));
}

static void fa_05_counters_are_exact(struct kunit *test)
{
	struct vmspace *vm = space_new(test), *child;
	u64 zeroed = COUNT(zero_fills), faults = COUNT(faults);
	u64 copied = COUNT(cow_faults), n = THREADS * THREAD_PAGES;

	space_map(test, vm, 0, n, NULL, 0);
	touch_at_once(test, vm);
	KUNIT_EXPECT_EQ(test, COUNT(zero_fills), zeroed + n);
	KUNIT_EXPECT_EQ(test, COUNT(faults), faults + n);
	child = space_fork(test, vm);
	touch_at_once(test, child);
	KUNIT_EXPECT_EQ(test, COUNT(cow_faults), copied + n);
	KUNIT_EXPECT_EQ(test, COUNT(faults), faults + 2 * n);
	KUNIT_EXPECT_EQ(test, COUNT(zero_fills), zeroed + n);
	vmspace_free(child);
	vmspace_free(vm);
}

static void fa_06_a_child_need_not_fault_for_what_is_there(struct kunit *test)
{
	struct vmspace *vm = space_new(test), *child;
	struct pmap_statistics was;
	u64 faults;
	u32 i;

	space_map(test, vm, 0, 64, NULL, 0);
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, space_put(vm, i, i), 0);
	/* The first takes the right to write away, which the parent is told. */
	child = space_fork(test, vm);
	vmspace_free(child);
	was = space_stats(vm);
	KUNIT_EXPECT_EQ(test, was.writable, 0);
	/* The second has nothing to take, so nobody has to be told anything. */
	child = space_fork(test, vm);
	KUNIT_EXPECT_EQ(test, space_stats(vm).flushes, was.flushes);
	KUNIT_EXPECT_EQ(test, space_stats(vm).protects, was.protects);
	KUNIT_EXPECT_EQ(test, space_stats(child).resident, 64);
	faults = COUNT(faults);
	for (i = 0; i < 64; i++)
		KUNIT_EXPECT_EQ(test, space_get(child, i), i);
	KUNIT_EXPECT_EQ(test, COUNT(faults), faults);
	vmspace_free(child);
	vmspace_free(vm);
}

/* ---- memory that is short ----------------------------------------------- */

static u64 pages_taken(void)
{
	struct uma_pool_stats st;

	uma_pool_get_stats(uma_pool, &st);
	return st.allocs;
}

/*
 * A copy made for a write is as normal an allocation as any: what is kept for page-out
 * and for interrupts is not for it, however long the fault waits.
 */
static void pg_11_a_copy_leaves_the_reserve(struct kunit *test)
{
	struct vm_pageout_targets targets = vm_pageout_targets;
	struct vm_page_limits limits = vm_page_limits;
	u64 copied = COUNT(cow_faults), taken;
	struct vm_object *below, *first;
	struct vmspace *vm, *child;
	unsigned long free;

	vm = space_with_child(test, &child, &below);
	first = space_object(vm, 0);
	KUNIT_EXPECT_EQ(test, COUNT(cow_faults), copied + 2);
	KUNIT_EXPECT_EQ(test, space_get(vm, 1), 0x22);
	/* What zones could give is given: from here on there is no page but those. */
	uma_reclaim(UMA_RECLAIM_DRAIN_CPU);
	free = vm_page_free_count();
	vm_page_limits.reserved = free;
	vm_page_limits.interrupt = free / 2;
	vm_page_limits.wakeup = free;
	/* Page-out finds nothing either, and says so, lest the fault waits for long. */
	vm_pageout_targets.free = free + 32;
	vm_pageout_targets.cache = 0;
	vm_pageout_targets.inactive = 32;
	vm_pageout_resume();
	taken = pages_taken();
	KUNIT_EXPECT_EQ(test, space_put(vm, 1, 5), -ENOMEM);
	KUNIT_EXPECT_EQ(test, pages_taken(), taken);
	KUNIT_EXPECT_EQ(test, vm_page_free_count(), free);
	KUNIT_EXPECT_EQ(test, first->resident, 1);
	KUNIT_EXPECT_EQ(test, COUNT(cow_faults), copied + 2);
	vm_pageout_pause();
	/* One page more than the others are left, and it is the copy's. */
	vm_page_limits.reserved = free - 1;
	KUNIT_EXPECT_EQ(test, space_put(vm, 1, 5), 0);
	KUNIT_EXPECT_EQ(test, first->resident, 2);
	KUNIT_EXPECT_EQ(test, COUNT(cow_faults), copied + 3);
	vm_page_limits = limits;
	vm_pageout_targets = targets;
	KUNIT_EXPECT_EQ(test, space_get(vm, 1), 5);
	KUNIT_EXPECT_EQ(test, space_get(child, 1), 0x22);
	vmspace_free(child);
	vmspace_free(vm);
}

static struct kunit_case vm_fault_cases[] = {
	KUNIT_CASE(fa_01_untouched_memory_is_zero),
	KUNIT_CASE(fa_01_what_is_not_allowed_is_an_error),
	KUNIT_CASE(fa_01_a_fork_copies_what_is_written),
	KUNIT_CASE(fa_01_the_last_user_takes_the_page),
	KUNIT_CASE(fa_01_a_page_moves_up_where_no_merge_can_be),
	KUNIT_CASE(fa_01_a_page_that_is_being_written_stays),
	KUNIT_CASE(fa_01_a_copy_is_all_there_is),
	KUNIT_CASE(fa_01_sharers_see_a_copy_that_one_made),
	KUNIT_CASE(fa_01_pages_come_from_the_pager),
	KUNIT_CASE(fa_01_advice_says_how_much_to_read),
	KUNIT_CASE(fa_01_a_read_that_fails_is_an_error),
	KUNIT_CASE(fa_01_a_bad_neighbour_is_no_error),
	KUNIT_CASE(fa_01_the_page_is_busy_until_its_neighbours_are_mapped),
	KUNIT_CASE(ob_01_who_waits_for_a_page_ends_the_object),
	KUNIT_CASE(fa_02_the_map_is_not_waited_for_with_a_busy_page),
	KUNIT_CASE(fa_02_a_map_that_changed_is_believed),
	KUNIT_CASE(fa_03_resident_neighbours_are_mapped),
	KUNIT_CASE(fa_05_counters_are_exact),
	KUNIT_CASE(fa_06_a_child_need_not_fault_for_what_is_there),
	KUNIT_CASE(pg_11_a_copy_leaves_the_reserve),
	{}
};

static struct kunit_suite vm_fault_suite = {
	.name = "vm_fault",
	.init = space_test_init,
	.exit = vm_test_exit,
	.test_cases = vm_fault_cases,
};

kunit_test_suite(vm_fault_suite);

MODULE_DESCRIPTION("KUnit: faults");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
