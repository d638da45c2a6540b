// SPDX-License-Identifier: GPL-2.0-only
/*
 * Objects: kinds and counts, shadows that are whole before they are seen, walks down a
 * chain, dying, cutting and joining.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "vm_test.h"

VM_TEST_STORE;

/* OB-01. */

static void ob_01_kinds_and_counts(struct kunit *test)
{
	static const enum vm_object_type types[] = {
		OBJT_DEFAULT, OBJT_SWAP, OBJT_VNODE, OBJT_DEVICE, OBJT_PHYS,
	};
	struct vm_object *object[ARRAY_SIZE(types)], *shadow;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		object[i] = vm_object_allocate(types[i], 10 + i);
		KUNIT_ASSERT_NOT_NULL(test, object[i]);
		KUNIT_EXPECT_EQ(test, object[i]->type, types[i]);
		KUNIT_EXPECT_EQ(test, object[i]->size, 10 + i);
		KUNIT_EXPECT_EQ(test, atomic_read(&object[i]->ref_count), 1);
		KUNIT_EXPECT_EQ(test, object[i]->shadow_count, 0);
		KUNIT_EXPECT_EQ(test, object[i]->paging_in_progress, 0);
		KUNIT_EXPECT_EQ(test, object[i]->resident, 0);
	}
	KUNIT_EXPECT_EQ(test, vm_test_objects(), ARRAY_SIZE(types));

	/* A shadow takes over one reference, and is counted. */
	vm_object_reference(object[0]);
	vm_object_reference(object[0]);
	KUNIT_EXPECT_EQ(test, atomic_read(&object[0]->ref_count), 3);
	shadow = vm_test_shadow(test, object[0], 3, 5);
	KUNIT_EXPECT_EQ(test, atomic_read(&object[0]->ref_count), 3);
	KUNIT_EXPECT_EQ(test, object[0]->shadow_count, 1);
	KUNIT_EXPECT_PTR_EQ(test, shadow->backing_object, object[0]);
	KUNIT_EXPECT_EQ(test, shadow->backing_offset, 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, shadow->size, 5);
	KUNIT_EXPECT_EQ(test, shadow->type, OBJT_DEFAULT);
	KUNIT_EXPECT_EQ(test, vm_object_chain_length(shadow), 2);
	vm_object_deallocate(shadow);
	KUNIT_EXPECT_EQ(test, atomic_read(&object[0]->ref_count), 2);
	KUNIT_EXPECT_EQ(test, object[0]->shadow_count, 0);
	vm_object_deallocate(object[0]);

	for (i = 0; i < ARRAY_SIZE(types); i++)
		vm_object_deallocate(object[i]);
	KUNIT_EXPECT_EQ(test, vm_test_objects(), 0);
}

/* What nobody else has needs no shadow; nothing at all gets an object. */
static void ob_01_shadows_only_where_needed(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 4), *o = object;
	u64 offset = PAGE_SIZE;

	KUNIT_EXPECT_EQ(test, vm_object_shadow(&o, &offset, PAGE_SIZE), 0);
	KUNIT_EXPECT_PTR_EQ(test, o, object);
	KUNIT_EXPECT_EQ(test, offset, PAGE_SIZE);
	vm_object_deallocate(object);

	/* A file's is not the mapping's, even if that is the only one. */
	object = vm_object_allocate(OBJT_VNODE, 4);
	KUNIT_ASSERT_NOT_NULL(test, object);
	o = object;
	KUNIT_EXPECT_EQ(test, vm_object_shadow(&o, &offset, PAGE_SIZE), 0);
	KUNIT_EXPECT_PTR_NE(test, o, object);
	vm_object_deallocate(o);

	o = NULL;
	KUNIT_EXPECT_EQ(test, vm_object_shadow(&o, &offset, 3 * PAGE_SIZE), 0);
	KUNIT_ASSERT_NOT_NULL(test, o);
	KUNIT_EXPECT_NULL(test, o->backing_object);
	KUNIT_EXPECT_EQ(test, o->size, 3);
	vm_object_deallocate(o);
}

static void deallocate(void *object)
{
	vm_object_deallocate(object);
}

static void ob_01_deletion_waits_for_paging(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 4);
	struct vm_page *m = vm_test_fill(test, object, 1, 0x77);
	struct vm_test_thread t;

	vm_object_lock(object);
	vm_object_pip_add(object, 2);
	vm_object_unlock(object);
	vm_test_start(test, &t, deallocate, object);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&t));
	vm_object_lock(object);
	KUNIT_EXPECT_TRUE(test, object->flags & OBJ_DEAD);
	/* What is in motion is where it was. */
	KUNIT_EXPECT_PTR_EQ(test, vm_page_lookup(object, 1), m);
	vm_object_pip_wakeup(object, 1);
	vm_object_unlock(object);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&t));
	vm_object_lock(object);
	vm_object_pip_wakeup(object, 1);
	vm_object_unlock(object);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&t));
}

static void ob_01_wired_and_held_pages_outlive_their_object(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 4);
	struct vm_page *wired = vm_test_fill(test, object, 0, 0x11);
	struct vm_page *held = vm_test_fill(test, object, 1, 0x22);
	unsigned long free = vm_page_free_count();

	vm_test_fill(test, object, 2, 0x33);
	vm_page_lock_queues();
	vm_page_wire(wired);
	vm_page_hold(held);
	vm_page_unlock_queues();
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, vm_page_free_count(), free);
	KUNIT_EXPECT_NULL(test, wired->object);
	KUNIT_EXPECT_EQ(test, vm_test_queue(held), PQ_HOLD);
	KUNIT_EXPECT_EQ(test, *(u8 *)vm_page_kva(wired), 0x11);
	KUNIT_EXPECT_EQ(test, *(u8 *)vm_page_kva(held), 0x22);
	vm_page_lock_queues();
	vm_page_unwire(wired, true);
	vm_page_unhold(held);
	vm_page_unlock_queues();
	KUNIT_EXPECT_EQ(test, vm_page_free_count(), free + 2);
}

/* Advice that nobody can take back: the pages of one range, and no other. */
static void ob_01_page_remove_takes_the_range(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 16);
	struct vm_page *clean, *wired;
	unsigned int i;

	for (i = 0; i < 12; i++)
		vm_test_fill(test, object, i, 0x20 + i);
	for (i = 12; i < 16; i++) {
		vm_test_fill(test, object, i, 0x20 + i);
		vm_test_page_out(test, object, i);
	}
	vm_object_lock(object);
	clean = vm_page_lookup(object, 3);
	vm_page_undirty(clean);
	vm_object_page_remove(object, 2, 5, true);
	KUNIT_EXPECT_EQ(test, object->resident, 11);
	KUNIT_EXPECT_NULL(test, vm_page_lookup(object, 3));

	wired = vm_page_lookup(object, 9);
	vm_page_lock_queues();
	vm_page_wire(wired);
	vm_page_unlock_queues();
	vm_object_page_remove(object, 8, 14, false);
	KUNIT_EXPECT_EQ(test, object->resident, 8);
	KUNIT_EXPECT_PTR_EQ(test, vm_page_lookup(object, 9), wired);
	KUNIT_EXPECT_EQ(test, wired->valid, 0);
	/* What was paged out there is forgotten, too. */
	KUNIT_EXPECT_FALSE(test, vm_pager_has_page(object, 13, NULL, NULL));
	KUNIT_EXPECT_TRUE(test, vm_pager_has_page(object, 14, NULL, NULL));
	vm_page_lock_queues();
	vm_page_unwire(wired, true);
	vm_page_unlock_queues();
	vm_object_unlock(object);
	KUNIT_EXPECT_EQ(test, vm_test_peek(object, 7), 0x27);
	KUNIT_EXPECT_EQ(test, vm_test_peek(object, 14), 0x2e);
	vm_object_deallocate(object);
}

static void remove_all(void *arg)
{
	struct vm_object *object = arg;

	vm_object_lock(object);
	vm_object_page_remove(object, 0, 8, false);
	vm_object_unlock(object);
}

/* While it waits for a page, swapoff may bring another back that it has been past. */
static void pa_02_page_remove_looks_again(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8);
	struct vm_test_thread t;
	struct vm_page *m, *late;

	vm_test_fill(test, object, 1, 0x11);
	m = vm_test_fill(test, object, 5, 0x55);
	vm_object_lock(object);
	vm_page_busy(m);
	vm_object_unlock(object);
	vm_test_start(test, &t, remove_all, object);
	KUNIT_EXPECT_TRUE(test, vm_test_wanted(m, object));
	vm_object_lock(object);
	KUNIT_EXPECT_NULL(test, vm_page_lookup(object, 1));
	late = vm_page_alloc(object, 2, VM_ALLOC_NORMAL | VM_ALLOC_NOBUSY |
			     VM_ALLOC_ZERO);
	KUNIT_EXPECT_NOT_NULL(test, late);
	vm_page_wakeup(m);
	vm_object_unlock(object);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&t));
	KUNIT_EXPECT_EQ(test, object->resident, 0);
	vm_object_deallocate(object);
}

/* OB-02, OB-07: what is seen in the middle of making a shadow. */

static struct {
	struct vm_object *source;
	unsigned int source_flags;
	bool seen;
	bool known;
	bool whole;
	bool flags;
	bool survived;
} half;

static void look_at_half_an_object(enum vm_steer_point point, void *obj)
{
	struct vm_object *object = obj;

	if (point != VM_STEER_SHADOW || half.seen)
		return;
	half.seen = true;
	half.known = READ_ONCE(half.source->shadow_count) ||
		     !list_empty(&half.source->shadow_head);
	half.whole = object->backing_offset == 2 * PAGE_SIZE &&
		     object->size == 4;
	half.flags = (object->flags & OBJ_LOCKING) == half.source_flags;
	/*
	 * The other user of the source goes just now. With the shadow known, half as it
	 * is, this would be the moment to make one of the two.
	 */
	vm_object_deallocate(half.source);
	half.survived = !(half.source->flags & OBJ_DEAD);
}

static void ob_02_a_collapse_sees_no_half_object(struct kunit *test)
{
	struct vm_object *source = vm_test_object(test, 8), *shadow;
	u64 before = atomic64_read(&vm_cnt.collapses);
	unsigned int i;

	for (i = 0; i < 8; i++)
		vm_test_fill(test, source, i, 0x40 + i);
	memset(&half, 0, sizeof(half));
	half.source = source;
	vm_object_reference(source);
	vm_test_steer(look_at_half_an_object);
	shadow = vm_test_shadow(test, source, 2, 4);
	vm_test_steer(NULL);
	KUNIT_EXPECT_TRUE(test, half.seen);
	KUNIT_EXPECT_FALSE(test, half.known);
	KUNIT_EXPECT_TRUE(test, half.whole);
	KUNIT_EXPECT_TRUE(test, half.survived);
	KUNIT_EXPECT_EQ(test, atomic64_read(&vm_cnt.collapses), before);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, vm_test_peek(shadow, i), 0x42 + i);

	/* Now that it is known, they are one on the first occasion. */
	vm_object_lock(shadow);
	vm_object_collapse(shadow);
	vm_object_unlock(shadow);
	KUNIT_EXPECT_EQ(test, atomic64_read(&vm_cnt.collapses), before + 1);
	KUNIT_EXPECT_NULL(test, shadow->backing_object);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, vm_test_peek(shadow, i), 0x42 + i);
	vm_object_deallocate(shadow);
}

static void ob_07_a_shadow_is_locked_as_its_source(struct kunit *test)
{
	static const unsigned int flags[] = { 0, OBJ_NEEDGIANT };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		struct vm_object *source = vm_test_object(test, 8);
		struct vm_object *shadow, *second;

		source->flags |= flags[i];
		memset(&half, 0, sizeof(half));
		half.source = source;
		half.source_flags = flags[i];
		vm_object_reference(source);
		vm_object_reference(source);
		vm_test_steer(look_at_half_an_object);
		shadow = vm_test_shadow(test, source, 2, 4);
		vm_test_steer(NULL);
		KUNIT_EXPECT_TRUE(test, half.seen);
		/* Before anybody could see it, and to the end. */
		KUNIT_EXPECT_TRUE(test, half.flags);
		KUNIT_EXPECT_EQ(test, shadow->flags & OBJ_LOCKING, flags[i]);
		vm_object_reference(shadow);
		second = vm_test_shadow(test, shadow, 0, 4);
		KUNIT_EXPECT_EQ(test, second->flags & OBJ_LOCKING, flags[i]);
		vm_object_deallocate(second);
		vm_object_deallocate(shadow);
		vm_object_deallocate(source);
	}
}

/* OB-06: a chain in which every offset is another. */

struct chain {
	struct vm_object *top;
	struct vm_object *middle;
	struct vm_object *bottom;
};

/*
 * Index i of the top is i + 2 of the middle and i + 7 of the bottom. Who adds the
 * offset of the object that he comes to, instead of that he leaves, begins with 5
 * and ends at another page of each.
 */
#define TOP_OFFSET	2
#define MIDDLE_OFFSET	5

static struct chain make_chain(struct kunit *test, enum vm_object_type type)
{
	struct chain c;

	c.bottom = vm_object_allocate(type, 32);
	KUNIT_ASSERT_NOT_NULL(test, c.bottom);
	vm_object_reference(c.bottom);
	c.middle = vm_test_shadow(test, c.bottom, MIDDLE_OFFSET, 16);
	vm_object_reference(c.middle);
	c.top = vm_test_shadow(test, c.middle, TOP_OFFSET, 8);
	return c;
}

static void end_chain(struct chain *c)
{
	vm_object_deallocate(c->top);
	vm_object_deallocate(c->middle);
	vm_object_deallocate(c->bottom);
}

static void ob_06_advice_finds_the_pages_of_the_mapping(struct kunit *test)
{
	struct chain c = make_chain(test, OBJT_DEFAULT);
	struct vm_page *page[32], *middle;
	unsigned int i, shown;

	for (i = 0; i < 32; i++)
		page[i] = vm_test_fill(test, c.bottom, i, i);
	/* In the middle one page that hides the bottom's. */
	middle = vm_test_fill(test, c.middle, TOP_OFFSET + 3, 0x99);

	vm_object_madvise(c.top, 1, 4, VM_ADV_DONTNEED);
	for (i = 0; i < 32; i++) {
		shown = i - TOP_OFFSET - MIDDLE_OFFSET;
		KUNIT_EXPECT_EQ_MSG(test, vm_test_queue(page[i]),
				    shown >= 1 && shown < 5 && shown != 3 ?
				    PQ_INACTIVE : PQ_ACTIVE, "page %u", i);
	}
	KUNIT_EXPECT_EQ(test, vm_test_queue(middle), PQ_INACTIVE);
	vm_object_madvise(c.top, 0, 4, VM_ADV_WILLNEED);
	for (i = 0; i < 32; i++) {
		shown = i - TOP_OFFSET - MIDDLE_OFFSET;
		KUNIT_EXPECT_EQ_MSG(test, vm_test_queue(page[i]),
				    shown == 4 ? PQ_INACTIVE : PQ_ACTIVE,
				    "page %u", i);
	}
	KUNIT_EXPECT_EQ(test, vm_test_queue(middle), PQ_ACTIVE);
	/* Where there is nothing, and far behind the end of all. */
	vm_object_madvise(c.top, 7, 100, VM_ADV_DONTNEED);
	vm_object_madvise(NULL, 0, 1, VM_ADV_DONTNEED);
	end_chain(&c);
}

/* VM_ADV_FREE is about contents: it leaves those of others alone. */
static void ob_06_freeing_advice_stops_at_what_is_shared(struct kunit *test)
{
	struct chain c = make_chain(test, OBJT_DEFAULT);
	struct vm_page *below = vm_test_fill(test, c.bottom, 7, 0x55);
	struct vm_page *own = vm_test_fill(test, c.top, 1, 0x66);
	struct vm_object *alone = vm_test_object(test, 4);

	vm_object_madvise(c.top, 0, 2, VM_ADV_FREE);
	KUNIT_EXPECT_EQ(test, below->dirty, VM_PAGE_BITS_ALL);
	KUNIT_EXPECT_EQ(test, vm_test_queue(below), PQ_ACTIVE);
	/* The top is the mapping's own. */
	KUNIT_EXPECT_EQ(test, own->dirty, 0);
	KUNIT_EXPECT_EQ(test, vm_test_queue(own), PQ_INACTIVE);

	/* And what is paged out goes as well. */
	vm_test_fill(test, alone, 0, 1);
	vm_test_fill(test, alone, 1, 2);
	vm_test_page_out(test, alone, 0);
	vm_test_page_out(test, alone, 1);
	vm_object_madvise(alone, 0, 1, VM_ADV_FREE);
	KUNIT_EXPECT_EQ(test, vm_test_peek(alone, 0), 0);
	KUNIT_EXPECT_EQ(test, vm_test_peek(alone, 1), 2);
	vm_object_deallocate(alone);
	end_chain(&c);
}

/* A file that remembers which pages were written to it. */

static DECLARE_BITMAP(written, 64);
static unsigned int largest_write;
static bool write_fails;

static void file_putpages(struct vm_object *object, struct vm_page **m,
			  unsigned int count, unsigned int flags,
			  enum vm_pager_result *result)
{
	unsigned int i;

	largest_write = max(largest_write, count);
	for (i = 0; i < count; i++) {
		result[i] = write_fails ? VM_PAGER_ERROR : VM_PAGER_OK;
		if (!write_fails)
			__set_bit(m[i]->pindex, written);
	}
}

static unsigned int file_users;

static void file_first_page(struct vm_object *object)
{
	file_users++;
}

static void file_last_page(struct vm_object *object)
{
	file_users--;
}

static const struct vm_pager_ops file_ops = {
	.name = "file",
	.putpages = file_putpages,
	.first_page = file_first_page,
	.last_page = file_last_page,
};

static void make_file(struct vm_object *object)
{
	object->ops = &file_ops;
	bitmap_zero(written, 64);
	largest_write = 0;
	write_fails = false;
	file_users = 0;
}

static void ob_06_sync_writes_the_pages_of_the_mapping(struct kunit *test)
{
	struct chain c = make_chain(test, OBJT_VNODE);
	struct vm_page *page[32];
	unsigned int i, shown;

	make_file(c.bottom);
	for (i = 0; i < 32; i++)
		page[i] = vm_test_fill(test, c.bottom, i, i);
	KUNIT_EXPECT_EQ(test, vm_object_sync(c.top, 2 * PAGE_SIZE,
					     3 * PAGE_SIZE, true, false), 0);
	for (i = 0; i < 32; i++) {
		shown = i - TOP_OFFSET - MIDDLE_OFFSET;
		KUNIT_EXPECT_EQ_MSG(test, test_bit(i, written),
				    shown >= 2 && shown < 5, "page %u", i);
		KUNIT_EXPECT_EQ_MSG(test, !page[i]->dirty,
				    shown >= 2 && shown < 5, "page %u", i);
	}
	KUNIT_EXPECT_EQ(test, c.bottom->resident, 32);

	/* With invalidation they go; what was dirty was written first. */
	KUNIT_EXPECT_EQ(test, vm_object_sync(c.top, 4 * PAGE_SIZE,
					     2 * PAGE_SIZE, false, true), 0);
	KUNIT_EXPECT_EQ(test, c.bottom->resident, 30);
	vm_object_lock(c.bottom);
	KUNIT_EXPECT_NULL(test, vm_page_lookup(c.bottom, 11));
	KUNIT_EXPECT_NULL(test, vm_page_lookup(c.bottom, 12));
	vm_object_unlock(c.bottom);
	KUNIT_EXPECT_TRUE(test, test_bit(12, written));

	/* A range that ends behind the file, and one that begins there. */
	KUNIT_EXPECT_EQ(test, vm_object_sync(c.top, 0, 100 * PAGE_SIZE, true,
					     false), 0);
	for (i = 0; i < 32; i++)
		KUNIT_EXPECT_EQ_MSG(test, test_bit(i, written), i >= 7,
				    "page %u", i);
	KUNIT_EXPECT_EQ(test, largest_write, VM_PAGER_MAX);
	KUNIT_EXPECT_EQ(test, vm_object_sync(c.top, 90 * PAGE_SIZE, PAGE_SIZE,
					     true, true), 0);
	KUNIT_EXPECT_EQ(test, vm_object_sync(NULL, 0, PAGE_SIZE, true, true), 0);
	end_chain(&c);
	/* The end of the object wrote the rest (PA-07). */
	KUNIT_EXPECT_EQ(test, bitmap_weight(written, 64), 32);
}

static void ob_06_a_failed_write_loses_nothing(struct kunit *test)
{
	struct vm_object *object = vm_object_allocate(OBJT_VNODE, 4);
	struct vm_page *m;

	KUNIT_ASSERT_NOT_NULL(test, object);
	make_file(object);
	m = vm_test_fill(test, object, 2, 0x42);
	write_fails = true;
	KUNIT_EXPECT_EQ(test, vm_object_sync(object, 0, 4 * PAGE_SIZE, true,
					     true), -EIO);
	KUNIT_EXPECT_EQ(test, m->dirty, VM_PAGE_BITS_ALL);
	KUNIT_EXPECT_FALSE(test, vm_page_is_busy(m));
	KUNIT_EXPECT_EQ(test, object->paging_in_progress, 0);
	KUNIT_EXPECT_EQ(test, vm_test_peek(object, 2), 0x42);
	write_fails = false;
	KUNIT_EXPECT_EQ(test, vm_object_sync(object, 0, 4 * PAGE_SIZE, true,
					     true), 0);
	KUNIT_EXPECT_EQ(test, object->resident, 0);
	vm_object_deallocate(object);
}

/* The hooks for a pager whose file is in use as long as pages of it are resident. */
static void pa_06_first_and_last_page_are_told(struct kunit *test)
{
	struct vm_object *object = vm_object_allocate(OBJT_VNODE, 4);
	struct vm_page *m;

	KUNIT_ASSERT_NOT_NULL(test, object);
	make_file(object);
	m = vm_test_fill(test, object, 0, 1);
	KUNIT_EXPECT_EQ(test, file_users, 1);
	vm_test_fill(test, object, 1, 2);
	KUNIT_EXPECT_EQ(test, file_users, 1);
	vm_object_lock(object);
	vm_page_free(m);
	KUNIT_EXPECT_EQ(test, file_users, 1);
	KUNIT_EXPECT_EQ(test, vm_page_rename(vm_page_lookup(object, 1), object,
					     3), 0);
	KUNIT_EXPECT_EQ(test, file_users, 1);
	vm_page_free(vm_page_lookup(object, 3));
	KUNIT_EXPECT_EQ(test, file_users, 0);
	vm_object_unlock(object);
	vm_test_fill(test, object, 2, 3);
	KUNIT_EXPECT_EQ(test, file_users, 1);
	vm_object_deallocate(object);
	KUNIT_EXPECT_EQ(test, file_users, 0);
}

/* OB-08. */

static void wait_dead(void *arg)
{
	struct vm_object *object = arg;

	vm_object_lock(object);
	vm_object_wait_dead(object);
}

static void ob_08_wakeups_are_for_who_sleeps(struct kunit *test)
{
	u64 before = atomic64_read(&vm_cnt.dead_wakeups);
	struct vm_object *object = vm_test_object(test, 4);
	struct vm_test_thread end, waiter[2];
	unsigned int i;

	/* Most objects go without anybody's taking notice. */
	for (i = 0; i < 10; i++)
		vm_object_deallocate(vm_test_object(test, 1));
	KUNIT_EXPECT_EQ(test, atomic64_read(&vm_cnt.dead_wakeups), before);

	vm_object_lock(object);
	vm_object_pip_add(object, 1);
	vm_object_unlock(object);
	vm_test_start(test, &end, deallocate, object);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&end));
	for (i = 0; i < 2; i++)
		vm_test_start(test, &waiter[i], wait_dead, object);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&waiter[i]));
	vm_object_lock(object);
	KUNIT_EXPECT_TRUE(test, object->flags & OBJ_DISCONNECTWNT);
	vm_object_pip_wakeup(object, 1);
	vm_object_unlock(object);
	KUNIT_EXPECT_TRUE(test, vm_test_finished(&end));
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_TRUE(test, vm_test_finished(&waiter[i]));
	KUNIT_EXPECT_EQ(test, atomic64_read(&vm_cnt.dead_wakeups), before + 1);
}

/* OB-09. */

static void ob_09_a_part_becomes_an_object(struct kunit *test)
{
	struct vm_object *backing = vm_test_object(test, 32), *orig, *part;
	unsigned int i, pages = 0;
	u64 offset;

	for (i = 0; i < 32; i++)
		vm_test_fill(test, backing, i, 0x80 + i);
	vm_object_reference(backing);
	orig = vm_test_shadow(test, backing, 4, 16);
	/* Of its own: some resident, some paged out, some neither. */
	for (i = 0; i < 16; i++)
		if (i % 4)
			vm_test_fill(test, orig, i, 0x20 + i);
	for (i = 3; i < 16; i += 4)
		vm_test_page_out(test, orig, i);

	/* A mapping of 16 pages was clipped to 4, 8 and 4: three references. */
	vm_object_reference(orig);
	vm_object_reference(orig);
	part = orig;
	offset = 4 * PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, vm_object_split(&part, &offset, 8 * PAGE_SIZE), 0);
	KUNIT_ASSERT_PTR_NE(test, part, orig);
	KUNIT_EXPECT_EQ(test, offset, 0);
	KUNIT_EXPECT_EQ(test, part->size, 8);
	KUNIT_EXPECT_EQ(test, atomic_read(&part->ref_count), 1);
	KUNIT_EXPECT_EQ(test, part->paging_in_progress, 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&orig->ref_count), 2);
	KUNIT_EXPECT_EQ(test, backing->shadow_count, 2);
	KUNIT_EXPECT_EQ(test, atomic_read(&backing->ref_count), 3);

	for (i = 0; i < 16; i++) {
		struct vm_object *o = i < 4 || i >= 12 ? orig : part;
		struct vm_object *other = o == orig ? part : orig;
		u64 at = o == orig ? i : i - 4;

		KUNIT_EXPECT_EQ_MSG(test, vm_test_peek(o, at),
				    i % 4 ? 0x20 + i : 0x84 + i, "page %u", i);
		vm_object_lock(o);
		pages += !!vm_page_lookup(o, at);
		vm_object_unlock(o);
		vm_object_lock(other);
		KUNIT_EXPECT_FALSE(test, other == orig &&
				   vm_page_lookup(orig, i));
		vm_object_unlock(other);
	}
	KUNIT_EXPECT_EQ(test, pages, 8);
	vm_object_deallocate(part);
	vm_object_deallocate(orig);
	vm_object_deallocate(orig);
	KUNIT_EXPECT_EQ(test, atomic_read(&backing->ref_count), 1);
	vm_object_deallocate(backing);
}

static void ob_09_no_split_where_there_is_nothing_to_win(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8), *o = object;
	u64 offset = 0;

	/* Nobody else has it. */
	KUNIT_EXPECT_EQ(test, vm_object_split(&o, &offset, PAGE_SIZE), 0);
	KUNIT_EXPECT_PTR_EQ(test, o, object);
	/* Pages are shown more than once, or not to be moved. */
	vm_object_reference(object);
	vm_object_lock(object);
	vm_object_clear_flag(object, OBJ_ONEMAPPING);
	vm_object_unlock(object);
	KUNIT_EXPECT_EQ(test, vm_object_split(&o, &offset, PAGE_SIZE), 0);
	KUNIT_EXPECT_PTR_EQ(test, o, object);
	vm_object_lock(object);
	vm_object_set_flag(object, OBJ_ONEMAPPING | OBJ_NOSPLIT);
	vm_object_unlock(object);
	KUNIT_EXPECT_EQ(test, vm_object_split(&o, &offset, PAGE_SIZE), 0);
	KUNIT_EXPECT_PTR_EQ(test, o, object);
	KUNIT_EXPECT_EQ(test, atomic_read(&object->ref_count), 2);
	vm_object_deallocate(object);
	vm_object_deallocate(object);
}

struct split {
	struct vm_object *object;
	u64 offset;
	int error;
};

static void split(void *arg)
{
	struct split *s = arg;

	s->error = vm_object_split(&s->object, &s->offset, 4 * PAGE_SIZE);
}

static void ob_09_split_waits_for_busy_pages(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8);
	struct split s = { .object = object, .offset = 2 * PAGE_SIZE };
	u64 before = atomic64_read(&vm_cnt.busy_waits);
	struct vm_test_thread t;
	struct vm_page *busy;
	unsigned int i;

	for (i = 0; i < 8; i++)
		vm_test_fill(test, object, i, 0x10 + i);
	vm_object_reference(object);
	vm_object_lock(object);
	busy = vm_page_lookup(object, 4);
	vm_page_busy(busy);
	vm_object_unlock(object);
	vm_test_start(test, &t, split, &s);
	KUNIT_EXPECT_TRUE(test, vm_test_counted(&vm_cnt.busy_waits, before));
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&t));
	vm_object_lock(object);
	vm_page_wakeup(busy);
	vm_object_unlock(object);
	KUNIT_ASSERT_TRUE(test, vm_test_finished(&t));
	KUNIT_EXPECT_EQ(test, s.error, 0);
	KUNIT_EXPECT_EQ(test, object->resident, 4);
	KUNIT_EXPECT_EQ(test, s.object->resident, 4);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, vm_test_peek(s.object, i), 0x12 + i);
	vm_object_deallocate(s.object);
	vm_object_deallocate(object);
}

/* The last object that was made, to be let go of by vm_object_pip_wakeup(). */
static struct vm_object *newest_object(void)
{
	struct vm_object *object, *newest = NULL;

	for (object = vm_object_next(NULL); object;
	     object = vm_object_next(object)) {
		if (newest) {
			vm_object_lock(newest);
			vm_object_pip_wakeup(newest, 1);
			vm_object_unlock(newest);
		}
		vm_object_lock(object);
		vm_object_pip_add(object, 1);
		vm_object_unlock(object);
		newest = object;
	}
	return newest;
}

static void ob_09_a_part_is_looked_at_meanwhile(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8), *part;
	struct split s = { .object = object, .offset = 2 * PAGE_SIZE };
	struct vm_test_thread t;

	vm_object_reference(object);
	vm_object_lock(object);
	vm_object_pip_add(object, 1);
	vm_object_unlock(object);
	vm_test_start(test, &t, split, &s);
	KUNIT_EXPECT_TRUE(test, vm_test_sleeps(&t));
	/* It is there, but has nothing as yet. */
	part = newest_object();
	KUNIT_EXPECT_PTR_NE(test, part, object);
	vm_object_lock(object);
	vm_object_pip_wakeup(object, 1);
	vm_object_unlock(object);
	KUNIT_ASSERT_TRUE(test, vm_test_finished(&t));
	KUNIT_EXPECT_EQ(test, s.error, 0);
	KUNIT_EXPECT_PTR_EQ(test, s.object, part);
	/* Who looks at it still does. */
	vm_object_lock(part);
	KUNIT_EXPECT_EQ(test, part->paging_in_progress, 1);
	vm_object_pip_wakeup(part, 1);
	vm_object_unlock(part);
	vm_object_deallocate(s.object);
	vm_object_deallocate(object);
}

static void ob_09_a_mapping_grows_into_its_object(struct kunit *test)
{
	struct vm_object *object = vm_test_object(test, 8), *shadow;
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, vm_object_coalesce(NULL, 0, 0, PAGE_SIZE));
	/* Behind its end there is room. */
	KUNIT_EXPECT_TRUE(test, vm_object_coalesce(object, 0, 8 * PAGE_SIZE,
						   4 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, object->size, 12);
	/* Inside it there may be what a mapping that has gone showed. */
	for (i = 0; i < 12; i++)
		vm_test_fill(test, object, i, 0x30 + i);
	vm_test_page_out(test, object, 11);
	KUNIT_EXPECT_TRUE(test, vm_object_coalesce(object, 2 * PAGE_SIZE,
						   4 * PAGE_SIZE,
						   8 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, object->size, 14);
	for (i = 0; i < 14; i++)
		KUNIT_EXPECT_EQ(test, vm_test_peek(object, i),
				i < 6 ? 0x30 + i : 0);
	/* Another mapping may have something there. */
	vm_object_reference(object);
	KUNIT_EXPECT_FALSE(test, vm_object_coalesce(object, 0, 4 * PAGE_SIZE,
						    PAGE_SIZE));
	KUNIT_EXPECT_TRUE(test, vm_object_coalesce(object, 0, 14 * PAGE_SIZE,
						   PAGE_SIZE));
	/* What lies below would show through. */
	shadow = vm_test_shadow(test, object, 0, 4);
	KUNIT_EXPECT_FALSE(test, vm_object_coalesce(shadow, 0, 4 * PAGE_SIZE,
						    PAGE_SIZE));
	vm_object_deallocate(shadow);
	vm_object_deallocate(object);
	object = vm_object_allocate(OBJT_PHYS, 4);
	KUNIT_ASSERT_NOT_NULL(test, object);
	KUNIT_EXPECT_FALSE(test, vm_object_coalesce(object, 0, 4 * PAGE_SIZE,
						    PAGE_SIZE));
	vm_object_deallocate(object);
}

static struct kunit_case object_cases[] = {
	KUNIT_CASE(ob_01_kinds_and_counts),
	KUNIT_CASE(ob_01_shadows_only_where_needed),
	KUNIT_CASE(ob_01_deletion_waits_for_paging),
	KUNIT_CASE(ob_01_wired_and_held_pages_outlive_their_object),
	KUNIT_CASE(ob_01_page_remove_takes_the_range),
	KUNIT_CASE(pa_02_page_remove_looks_again),
	KUNIT_CASE(ob_02_a_collapse_sees_no_half_object),
	KUNIT_CASE(ob_06_advice_finds_the_pages_of_the_mapping),
	KUNIT_CASE(ob_06_freeing_advice_stops_at_what_is_shared),
	KUNIT_CASE(ob_06_sync_writes_the_pages_of_the_mapping),
	KUNIT_CASE(ob_06_a_failed_write_loses_nothing),
	KUNIT_CASE(ob_07_a_shadow_is_locked_as_its_source),
	KUNIT_CASE(ob_08_wakeups_are_for_who_sleeps),
	KUNIT_CASE(ob_09_a_part_becomes_an_object),
	KUNIT_CASE(ob_09_no_split_where_there_is_nothing_to_win),
	KUNIT_CASE(ob_09_split_waits_for_busy_pages),
	KUNIT_CASE(ob_09_a_part_is_looked_at_meanwhile),
	KUNIT_CASE(ob_09_a_mapping_grows_into_its_object),
	KUNIT_CASE(pa_06_first_and_last_page_are_told),
	{}
};

static struct kunit_suite object_suite = {
	.name = "vm_object",
	.init = vm_test_init,
	.exit = vm_test_exit,
	.test_cases = object_cases,
};

kunit_test_suite(object_suite);

MODULE_DESCRIPTION("KUnit: objects of the VM");
MODULE_LICENSE("GPL");
UMA_IMPORT_FOR_TESTS;
